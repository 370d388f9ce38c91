// The one table of scenario options. The generic checks, the typed reads with their defaults, the JSON Schema
// and the table in docs/scenario.md all come from it, so they cannot disagree. Hides how the table is
// searched and how durations and distributions are written. What needs more than one key to decide is in
// scenario.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/random.hpp"
#include "models/scenario/document.hpp"

namespace headroom {

enum class OptionType : std::uint8_t {
  object,
  map,    // an object whose keys the user chooses
  free,   // an object that is not looked into
  array,  // minimum: least number of elements
  string,
  integer,
  number,
  boolean,
  duration,      // a number of seconds, or "90s", "15m", "2h", "7d"; bounds in seconds
  distribution,  // of durations
  choice,        // one of `choices`
  choice_or_duration,
  scalar,  // a string, a number or a boolean, read as text
};

enum class OptionUse : std::uint8_t {
  read,
  ignored,      // the PCS API prints it; no effect, whatever its value
  unsupported,  // a known name that this version refuses
};

struct Option {
  // From the root; "[]" stands for the elements of an array, "*" for the keys of a map.
  std::string_view path;
  OptionType type = OptionType::object;
  OptionUse use = OptionUse::read;
  bool required = false;
  std::string_view fallback = {};  // the default as JSON; empty: none
  std::int64_t minimum = 0;
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
  bool over_minimum = false;      // the minimum itself is refused
  std::string_view choices = {};  // "a|b"
  std::string_view later_choices = {};
  std::string_view unit = {};
  std::string_view help = {};  // a sentence for the documentation
  // The path of an option before it that says what it is and what is in it, but for `required` and the default.
  std::string_view like = {};
};

// Keys of an object of which exactly one is given.
struct ExactlyOne {
  std::string_view object;
  std::array<std::string_view, 3> keys;  // the last may be empty
};
std::span<const ExactlyOne> exactly_one_groups();

// A pool has none of these keys; without a pool the first kNeededClusterKeys are needed.
inline constexpr std::string_view kClusterKeys[] = {
    "cluster", "computeNodeGroups",    "queues",  "scaler", "cloud", "subnets", "launchTemplates", "placementGroups",
    "pcs",     "capacityReservations", "budgets", "network"};
inline constexpr std::size_t kNeededClusterKeys = 3;

inline constexpr std::int64_t kMaxSeconds = 10'000'000'000;  // 317 years: sums of several stay far below kNever

// Shapes of Weibull laws: the mean is no more than 10! times the scale.
inline constexpr double kLeastShape = 0.1;
inline constexpr double kMostShape = 100;

inline constexpr std::int64_t kMaxJobSeconds = 10 * 365 * 86'400;  // kLongestRequest

// The words of Option::choices.
std::vector<std::string_view> split_choices(std::string_view choices);

// Every option, parents before children.
std::span<const Option> scenario_options();

// The table as a tree. One node describes one key, whatever its position in arrays and maps.
struct OptionNode {
  std::string_view key;  // "[]" or "*" for elements
  const Option* option = nullptr;
  std::vector<OptionNode> children;

  const OptionNode* child(std::string_view name) const;
};
const OptionNode& option_tree();

// Types, bounds, names, unknown and missing keys. Rules that join several keys are not looked at.
void check_options(const JsonValue& root, Problems& problems);

// "from 1 s to 10 s"; the unit with its leading blank.
std::string bounds_text(const Option& option, std::string_view unit);

// A scalar as text; nothing when it is none. True and false are YES and NO, as slurm.conf has them.
std::optional<std::string> scalar_text(const JsonValue& value);

// The nearest of `known` to `word` by edit distance, as ` did you mean "x"?`; empty when none is near.
std::string nearest_hint(std::string_view word, std::span<const std::string_view> known);

// "90s" as a duration; a bare number is seconds only in JSON. Nothing when it is none or over 10^10 s.
std::optional<Time> parse_duration(std::string_view text);

// Typed reads of one object at its place in the table. A key that is absent gives its default; one that
// check_options has refused gives nothing, so that one mistake is reported once.
class Section {
 public:
  Section(const JsonValue* value, const OptionNode& node, std::string path)
      : value_(value), node_(&node), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  std::string path_of(std::string_view key) const;
  bool present() const { return value_ != nullptr; }
  bool has(std::string_view key) const { return find(key) != nullptr; }
  // Where the key's value is; the object itself when it is absent.
  Where where(std::string_view key) const;
  Where where() const { return value_ == nullptr ? Where{} : value_->where; }
  const JsonValue* find(std::string_view key) const;

  // The same object as another place of the table describes it.
  Section as(const OptionNode& node) const { return {value_, node, path_}; }
  Section child(std::string_view key) const;
  std::vector<Section> elements(std::string_view key) const;                         // of an array of objects
  std::vector<std::pair<std::string, Section>> members(std::string_view key) const;  // of a map of objects

  std::optional<std::int64_t> integer(std::string_view key) const;
  std::optional<std::int32_t> count(std::string_view key) const;  // an integer whose bounds fit
  std::optional<double> number(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::string> string(std::string_view key) const;                             // and choices
  std::vector<std::pair<std::string, const JsonValue*>> values(std::string_view key) const;  // members of a map
  std::optional<Time> duration(std::string_view key) const;
  std::optional<Distribution> distribution(std::string_view key) const;

 private:
  const OptionNode& node_of(std::string_view key) const;
  // The value or its default; `node` gets the key's place in the table.
  const JsonValue* value_or_default(std::string_view key, const Option*& option) const;

  const JsonValue* value_;
  const OptionNode* node_;
  std::string path_;
};

}  // namespace headroom
