// Tables of settings by name: what slurm.conf and sacctmgr have in common. For conf.cpp and accounting.cpp.
#pragma once

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/errors.hpp"
#include "models/policies/slurm/conf.hpp"
#include "models/policies/slurm/known_names.hpp"
#include "models/scenario/options.hpp"

namespace headroom::slurm {

// Names and words are the same whatever their case.
inline bool same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
           return lower(x) == lower(y);
         });
}

inline std::optional<std::int64_t> integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

inline std::string wrong(std::string_view value, std::string_view expected) {
  return "found " + quote(value) + ", expected " + std::string(expected);
}

template <class Number>
std::string set_number(Number& out, std::string_view value, std::int64_t least, std::int64_t most,
                       std::int64_t unit = 1) {
  const auto number = integer(value);
  if (!number || *number < least || *number > most) {
    return wrong(value, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  out = static_cast<Number>(*number * unit);
  return {};
}

inline std::string set_flag(bool& out, std::string_view value) {
  if (same(value, "yes") || same(value, "no")) {
    out = same(value, "yes");
    return {};
  }
  return wrong(value, "YES or NO");
}

inline std::string set_duration(Second& out, std::string_view value) {
  const auto duration = parse_duration(value);
  if (!duration) return wrong(value, "a time such as 60, 1:30 or 1-00:00:00");
  out = *duration;
  return {};
}

inline constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();

template <class Settings>
struct Setter {
  Parameter parameter;
  std::string (*set)(Settings&, std::string_view);
};

// What becomes of a name that has no setter in `table`: "" if it has no effect, else why it is refused, with the
// nearest known name. `spellings` are further names that are taken.
template <class Settings>
std::string set_unknown(std::span<const Setter<Settings>> table, std::string_view name,
                        std::span<const std::string_view> spellings = {}) {
  const std::string_view where = table.front().parameter.where;
  if (const Parameter* const known = find_known_name(where, name)) {
    return known->use == Use::no_effect ? std::string() : "is not followed: " + std::string(known->help);
  }
  std::vector<std::string_view> names(spellings.begin(), spellings.end());
  for (const Setter<Settings>& s : table) names.push_back(s.parameter.name);
  for (const Parameter& p : known_names()) {
    if (p.where == where) names.push_back(p.name);
  }
  const std::string hint = nearest_hint(name, names);
  if (!hint.empty()) return "is not followed;" + hint;
  return "is not followed: no setting of " + std::string(where) + " has this name (docs/slurm-options.md)";
}

template <class Settings>
std::string set_in(std::span<const Setter<Settings>> table, Settings& settings, std::string_view name,
                   std::string_view value, std::span<const std::string_view> spellings = {}) {
  for (const Setter<Settings>& s : table) {
    if (same(s.parameter.name, name)) return s.set(settings, value);
  }
  return set_unknown(table, name, spellings);
}

}  // namespace headroom::slurm
