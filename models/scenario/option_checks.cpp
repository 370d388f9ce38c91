#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "models/scenario/options.hpp"

namespace headroom {
namespace {

using Kind = JsonValue::Kind;
using enum OptionType;
using enum OptionUse;

constexpr std::int64_t kMaxCount = std::numeric_limits<std::int32_t>::max();

// `"a", "b" or "c"`.
std::string either(std::span<const std::string_view> words, std::string_view last_link = " or ") {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? last_link : ", ";
    text += fmt::format("\"{}\"", words[i]);
  }
  return text;
}

constexpr std::string_view kDistributionForms = R"(a duration, {"uniform": [min, max]}, {"exponential": mean}, )"
                                                R"({"lognormal": {"mean": m, "sd": s, "min": a, "max": b}} or )"
                                                R"({"weibull": {"scale": s, "shape": k}})";

std::string expected_duration(const Option& option) {
  return fmt::format("a duration {}, such as 90, \"90s\", \"15m\", \"2h\" or \"7d\"", bounds_text(option, " s"));
}

std::string expectation(const Option& option) {
  switch (option.type) {
    case object:
      return "an object";
    case map:
      return "an object";
    case free:
      return "an object";
    case array:
      return option.minimum > 0 ? fmt::format("an array of at least {} element", option.minimum) : "an array";
    case string:
      return option.minimum > 0 ? "a string that is not empty" : "a string";
    case integer:
      return "an integer " + bounds_text(option, "");
    case number:
      return "a number " + bounds_text(option, "");
    case boolean:
      return "true or false";
    case duration:
      return expected_duration(option);
    case distribution:
      return fmt::format("a distribution: {}", kDistributionForms);
    case choice:
      return either(split_choices(option.choices));
    case choice_or_duration: {
      auto words = split_choices(option.choices);
      return either(words, ", ") + " or " + expected_duration(option);
    }
    case scalar:
      return "a string, a number or a boolean";
  }
  return {};
}

// --- Values ---

bool holds(const Option& option, double value) {
  const auto minimum = static_cast<double>(option.minimum);
  return (option.over_minimum ? value > minimum : value >= minimum) && value <= static_cast<double>(option.maximum);
}

std::optional<std::int64_t> integer_of(const Option& option, const JsonValue& value) {
  std::int64_t result = value.integer;
  if (value.kind == Kind::number) {
    // 600.0 and 6e2 are integers; beyond 2^53 a double no longer says which one.
    if (value.number != std::floor(value.number) || std::abs(value.number) > 0x1.0p53) return std::nullopt;
    result = static_cast<std::int64_t>(value.number);
  } else if (value.kind != Kind::integer) {
    return std::nullopt;
  }
  if (result < option.minimum || result > option.maximum) return std::nullopt;
  return result;
}

std::optional<double> number_of(const Option& option, const JsonValue& value) {
  const bool numeric = value.kind == Kind::integer || value.kind == Kind::number;
  if (!numeric || !holds(option, value.number)) return std::nullopt;
  return value.number;
}

std::optional<Time> duration_of(const JsonValue& value) {
  if (value.kind == Kind::string) return parse_duration(value.text);
  const bool numeric = value.kind == Kind::integer || value.kind == Kind::number;
  if (!numeric || std::abs(value.number) > static_cast<double>(kMaxSeconds)) return std::nullopt;
  return static_cast<Time>(std::llround(value.number * static_cast<double>(kSecond)));
}

std::optional<Time> duration_of(const Option& option, const JsonValue& value) {
  const auto time = duration_of(value);
  if (!time) return std::nullopt;
  const Time minimum = option.minimum * kSecond;
  const bool over = option.over_minimum ? *time > minimum : *time >= minimum;
  if (!over || *time > std::min(option.maximum, kMaxSeconds) * kSecond) return std::nullopt;
  return time;
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  });
}

std::optional<std::string> string_of(const Option& option, const JsonValue& value) {
  if (value.kind != Kind::string) return std::nullopt;
  const auto words = split_choices(option.choices);
  const bool named = std::find(words.begin(), words.end(), value.text) != words.end();
  if (option.type == string ? value.text.empty() && option.minimum > 0 : !named) return std::nullopt;
  if (has_control_character(value.text)) return std::nullopt;
  return value.text;
}

// What is wrong with a distribution, and where in it.
struct Fault {
  const JsonValue* at;
  std::string key;  // below the distribution, with its leading dot or bracket
  std::string text;
};

std::optional<double> seconds_in(const JsonValue& value, std::string key, std::optional<Fault>& fault) {
  const auto time = duration_of(value);
  if (!time || *time < 0) {
    fault = Fault{&value, std::move(key),
                  fmt::format("found {}, expected {}", describe_found(value),
                              expected_duration({.path = {}, .maximum = kMaxSeconds}))};
    return std::nullopt;
  }
  return static_cast<double>(*time) / static_cast<double>(kSecond);
}

std::optional<Distribution> weibull_of(const JsonValue& law, std::optional<Fault>& fault) {
  const auto wrong = [&](const JsonValue& at, const std::string& key, std::string text) -> std::optional<Distribution> {
    fault = Fault{&at, ".weibull" + key, std::move(text)};
    return std::nullopt;
  };
  if (law.kind != Kind::object) return wrong(law, "", fmt::format("found {}, expected an object", describe_found(law)));
  Distribution result{.kind = Distribution::Kind::weibull};
  for (const JsonValue& part : law.items) {
    if (part.key == "scale") {
      const auto seconds = seconds_in(part, ".weibull.scale", fault);
      if (!seconds) return std::nullopt;
      if (*seconds == 0) return wrong(part, ".scale", "found 0, expected a duration over 0 s");
      result.a = *seconds;
    } else if (part.key == "shape") {
      const bool is_number = part.kind == Kind::integer || part.kind == Kind::number;
      if (!is_number || part.number < kLeastShape || part.number > kMostShape) {
        return wrong(
            part, ".shape",
            fmt::format("found {}, expected a number from {} to {}", describe_found(part), kLeastShape, kMostShape));
      }
      result.b = part.number;
    } else {
      static constexpr std::string_view kParts[] = {"scale", "shape"};
      return wrong(part, "." + part.key, "unknown key;" + nearest_hint(part.key, kParts));
    }
  }
  if (result.a == 0) return wrong(law, ".scale", "missing; expected a duration");
  if (result.b == 0) return wrong(law, ".shape", "missing; expected a number");
  return result;
}

std::optional<Distribution> distribution_of(const JsonValue& value, std::optional<Fault>& fault) {
  if (value.kind == Kind::integer || value.kind == Kind::number || value.kind == Kind::string) {
    const auto seconds = seconds_in(value, "", fault);
    if (!seconds) {
      fault->text = fmt::format("found {}, expected a distribution: {}", describe_found(value), kDistributionForms);
      return std::nullopt;
    }
    return Distribution{.kind = Distribution::Kind::constant, .a = *seconds};
  }
  const auto wrong = [&](const JsonValue& at, std::string key, std::string text) -> std::optional<Distribution> {
    fault = Fault{&at, std::move(key), std::move(text)};
    return std::nullopt;
  };
  if (value.kind != Kind::object || value.items.size() != 1) {
    return wrong(value, "",
                 fmt::format("found {}, expected a distribution: {}", describe_found(value), kDistributionForms));
  }
  const JsonValue& law = value.items[0];
  if (law.key == "uniform") {
    if (law.kind != Kind::array || law.items.size() != 2) {
      return wrong(law, ".uniform", fmt::format("found {}, expected [min, max]", describe_found(law)));
    }
    const auto minimum = seconds_in(law.items[0], ".uniform[0]", fault);
    if (!minimum) return std::nullopt;
    const auto maximum = seconds_in(law.items[1], ".uniform[1]", fault);
    if (!maximum) return std::nullopt;
    if (*minimum > *maximum) return wrong(law, ".uniform", "the minimum is over the maximum");
    return Distribution{.kind = Distribution::Kind::uniform, .a = *minimum, .b = *maximum};
  }
  if (law.key == "exponential") {
    const auto mean = seconds_in(law, ".exponential", fault);
    if (!mean) return std::nullopt;
    if (*mean == 0) return wrong(law, ".exponential", "found 0, expected a duration over 0 s");
    return Distribution{.kind = Distribution::Kind::exponential, .a = *mean};
  }
  if (law.key == "weibull") return weibull_of(law, fault);
  static constexpr std::string_view kLaws[] = {"uniform", "exponential", "lognormal", "weibull"};
  if (law.key != "lognormal") {
    return wrong(value, "." + law.key, "unknown key;" + nearest_hint(law.key, kLaws));
  }
  if (law.kind != Kind::object) {
    return wrong(law, ".lognormal", fmt::format("found {}, expected an object", describe_found(law)));
  }
  Distribution result{.kind = Distribution::Kind::lognormal, .a = -1, .b = -1};
  static constexpr std::string_view kParts[] = {"mean", "sd", "min", "max"};
  double* const parts[] = {&result.a, &result.b, &result.minimum, &result.maximum};
  for (const JsonValue& part : law.items) {
    const auto* const known = std::find(std::begin(kParts), std::end(kParts), part.key);
    if (known == std::end(kParts)) {
      return wrong(part, ".lognormal." + part.key, "unknown key;" + nearest_hint(part.key, kParts));
    }
    const auto seconds = seconds_in(part, ".lognormal." + part.key, fault);
    if (!seconds) return std::nullopt;
    *parts[known - std::begin(kParts)] = *seconds;
  }
  if (result.a < 0 || result.b < 0) {
    return wrong(law, result.a < 0 ? ".lognormal.mean" : ".lognormal.sd", "missing; expected a duration");
  }
  if (result.a == 0) return wrong(law, ".lognormal.mean", "found 0, expected a duration over 0 s");
  if (result.minimum > result.maximum) return wrong(law, ".lognormal", "min is over max");
  return result;
}

// --- The checks ---

std::string join(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

class Checker {
 public:
  explicit Checker(Problems& problems) : problems_(problems) {}

  void check(const OptionNode& node, const JsonValue& value, const std::string& path) {
    if (problems_.full()) return;
    const Option& option = *node.option;
    switch (option.type) {
      case object:
        if (value.kind != Kind::object) return refuse(option, value, path);
        return check_members(node, value, path);
      case map:
        if (value.kind != Kind::object) return refuse(option, value, path);
        for (const JsonValue& member : value.items) {
          if (member.key.empty() || has_control_character(member.key)) {
            problems_.add(member.where, path, fmt::format("found the key {}, expected a name", quote(member.key)));
          }
          check(*node.child("*"), member, join(path, member.key));
        }
        return;
      case array: {
        if (value.kind != Kind::array || value.items.size() < static_cast<std::size_t>(option.minimum)) {
          if (value.kind != Kind::array) return refuse(option, value, path);
          return problems_.add(value.where, path,
                               fmt::format("found {} elements, expected {}", value.items.size(), expectation(option)));
        }
        for (std::size_t i = 0; i < value.items.size() && !problems_.full(); ++i) {
          check(*node.child("[]"), value.items[i], fmt::format("{}[{}]", path, i));
        }
        return;
      }
      case free:
        return refuse_unless(value.kind == Kind::object, option, value, path);
      case string:
        return refuse_unless(string_of(option, value).has_value(), option, value, path);
      case integer:
        return refuse_unless(integer_of(option, value).has_value(), option, value, path);
      case number:
        return refuse_unless(number_of(option, value).has_value(), option, value, path);
      case boolean:
        return refuse_unless(value.kind == Kind::boolean, option, value, path);
      case duration:
        return refuse_unless(duration_of(option, value).has_value(), option, value, path);
      case choice:
        return refuse_unless(string_of(option, value).has_value(), option, value, path);
      case choice_or_duration:
        return refuse_unless(string_of(option, value).has_value() || duration_of(option, value).has_value(), option,
                             value, path);
      case scalar:
        return refuse_unless(scalar_text(value).has_value(), option, value, path);
      case distribution: {
        std::optional<Fault> fault;
        if (!distribution_of(value, fault)) problems_.add(fault->at->where, path + fault->key, fault->text);
        return;
      }
    }
  }

 private:
  void refuse_unless(bool good, const Option& option, const JsonValue& value, const std::string& path) {
    if (!good) refuse(option, value, path);
  }

  void refuse(const Option& option, const JsonValue& value, const std::string& path) {
    std::string text = fmt::format("found {}, expected {}", describe_found(value), expectation(option));
    if (value.kind == Kind::string) {
      const auto later_words = split_choices(option.later_choices);
      const auto words = split_choices(option.choices);
      if (std::find(later_words.begin(), later_words.end(), value.text) != later_words.end()) {
        text = fmt::format("{} is not supported yet; expected {}", quote(value.text), expectation(option));
      } else if (!words.empty()) {
        const std::string hint = nearest_hint(value.text, words);
        if (!hint.empty()) text += ";" + hint;
      } else if (option.type == string && has_control_character(value.text)) {
        text = fmt::format("found {}, expected no control characters", quote(value.text));
      }
    }
    problems_.add(value.where, path, text);
  }

  void check_members(const OptionNode& node, const JsonValue& value, const std::string& path) {
    for (const JsonValue& member : value.items) {
      if (problems_.full()) return;
      const OptionNode* const child = node.child(member.key);
      const Where where{member.where.source, member.key_line > 0 ? member.key_line : member.where.line};
      if (child == nullptr) {
        problems_.add(where, join(path, printable(member.key)), unknown_key(node, member.key));
      } else if (child->option->use == unsupported) {
        problems_.add(where, join(path, member.key), "not supported yet");
      } else if (child->option->use == read) {
        check(*child, member, join(path, member.key));
      }
    }
    for (const OptionNode& child : node.children) {
      if (child.option->required && value.find(child.key) == nullptr) {
        problems_.add(value.where, join(path, child.key), "missing; expected " + expectation(*child.option));
      }
    }
    if (node.option->path.empty()) check_pool_or_cluster(value);
    for (const ExactlyOne& group : exactly_one_groups()) {
      if (group.object == node.option->path) check_exactly_one(group, value, path);
    }
  }

  static std::string printable(const std::string& key) {
    const std::string safe = quote(key);
    return safe.size() == key.size() + 2 ? key : safe;
  }

  static std::string unknown_key(const OptionNode& node, std::string_view key) {
    std::vector<std::string_view> known;
    for (const OptionNode& child : node.children) {
      if (child.option->use != unsupported) known.push_back(child.key);
    }
    const std::string hint = nearest_hint(key, known);
    if (!hint.empty()) return "unknown key;" + hint;
    known.clear();
    for (const OptionNode& child : node.children) {
      if (child.option->use == read) known.push_back(child.key);
    }
    return "unknown key; known: " + either(known, ", ");
  }

  void check_pool_or_cluster(const JsonValue& root) {
    const bool pool = root.find("pool") != nullptr;
    for (std::size_t i = 0; i < std::size(kClusterKeys); ++i) {
      const JsonValue* const member = root.find(kClusterKeys[i]);
      if (pool && member != nullptr) {
        problems_.add({member->where.source, member->key_line > 0 ? member->key_line : member->where.line},
                      kClusterKeys[i], "not together with pool");
      } else if (!pool && member == nullptr && i < kNeededClusterKeys) {
        problems_.add(root.where, kClusterKeys[i],
                      fmt::format("missing; expected {}{}", expectation(*option_tree().child(kClusterKeys[i])->option),
                                  i == 0 ? ", or pool in its place" : ""));
      }
    }
  }

  void check_exactly_one(const ExactlyOne& group, const JsonValue& value, const std::string& path) {
    std::vector<std::string_view> all;
    std::vector<std::string_view> given;
    Where where = value.where;
    for (const std::string_view key : group.keys) {
      if (key.empty()) continue;
      all.push_back(key);
      if (const JsonValue* member = value.find(key)) {
        given.push_back(key);
        where = member->where;
      }
    }
    if (given.size() == 1) return;
    problems_.add(given.empty() ? value.where : where, path,
                  fmt::format("expected {} of {}; found {}", all.size() == 2 ? "one" : "exactly one", either(all),
                              given.empty() ? "none" : either(given, " and ")));
  }

  Problems& problems_;
};

// Defaults as values, made once.
const JsonValue* fallback_of(const Option& option) {
  static const std::map<std::string_view, JsonValue> values = [] {
    std::map<std::string_view, JsonValue> made;
    for (const Option& each : scenario_options()) {
      if (each.fallback.empty()) continue;
      Problems problems({"the table of options"});
      auto value = read_json(each.fallback, 0, problems);
      ensure(value.has_value(), "a default is JSON");
      made.emplace(each.path, std::move(*value));
    }
    return made;
  }();
  const auto found = values.find(option.path);
  return found == values.end() ? nullptr : &found->second;
}

}  // namespace

std::string bounds_text(const Option& option, std::string_view unit) {
  return option.over_minimum ? fmt::format("over {}{}, up to {}{}", option.minimum, unit, option.maximum, unit)
                             : fmt::format("from {}{} to {}{}", option.minimum, unit, option.maximum, unit);
}

void check_options(const JsonValue& root, Problems& problems) { Checker(problems).check(option_tree(), root, ""); }

std::string nearest_hint(std::string_view word, std::span<const std::string_view> known) {
  static constexpr std::size_t kLongestWord = 80;
  if (word.size() > kLongestWord) return {};
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  std::string_view best;
  // A third of the letters may be wrong; more is another word.
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::vector<std::size_t> row;
  for (const std::string_view candidate : known) {
    row.resize(candidate.size() + 1);
    for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const std::size_t above = row[j];
        const bool same = lower(word[i - 1]) == lower(candidate[j - 1]);
        row[j] = std::min({diagonal + (same ? 0u : 1u), above + 1, row[j - 1] + 1});
        diagonal = above;
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best.empty() ? std::string() : fmt::format(" did you mean \"{}\"?", best);
}

std::optional<Time> parse_duration(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  double unit_seconds = 0;
  switch (text.back()) {
    case 's':
      unit_seconds = 1;
      break;
    case 'm':
      unit_seconds = 60;
      break;
    case 'h':
      unit_seconds = 3600;
      break;
    case 'd':
      unit_seconds = 86400;
      break;
    default:
      return std::nullopt;
  }
  const std::string_view digits = text.substr(0, text.size() - 1);
  const bool plain =
      std::all_of(digits.begin(), digits.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
  if (!plain || digits.front() == '.' || digits.back() == '.') return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  const double seconds = value * unit_seconds;
  if (seconds > static_cast<double>(kMaxSeconds)) return std::nullopt;
  return static_cast<Time>(std::llround(seconds * static_cast<double>(kSecond)));
}

std::optional<std::string> scalar_text(const JsonValue& value) {
  switch (value.kind) {
    case Kind::string:
      if (has_control_character(value.text)) return std::nullopt;
      return value.text;
    case Kind::integer:
    case Kind::number:
      return dump_json(value);
    case Kind::boolean:
      return value.truth ? "YES" : "NO";
    default:
      return std::nullopt;
  }
}

std::string Section::path_of(std::string_view key) const { return join(path_, key); }

const JsonValue* Section::find(std::string_view key) const { return value_ == nullptr ? nullptr : value_->find(key); }

Where Section::where(std::string_view key) const {
  const JsonValue* const value = find(key);
  return value != nullptr ? value->where : where();
}

const OptionNode& Section::node_of(std::string_view key) const {
  const OptionNode* const node = node_->child(key);
  ensure(node != nullptr, "a key that is read is in the table of options");
  return *node;
}

Section Section::child(std::string_view key) const {
  const JsonValue* const value = find(key);
  const bool usable = value != nullptr && value->kind == Kind::object;
  return {usable ? value : nullptr, node_of(key), path_of(key)};
}

std::vector<Section> Section::elements(std::string_view key) const {
  std::vector<Section> result;
  const OptionNode& element = *node_of(key).child("[]");
  const JsonValue* const value = find(key);
  if (value == nullptr || value->kind != Kind::array) return result;
  result.reserve(value->items.size());
  const std::string path = path_of(key);
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    const JsonValue& item = value->items[i];
    result.emplace_back(item.kind == Kind::object ? &item : nullptr, element, fmt::format("{}[{}]", path, i));
  }
  return result;
}

std::vector<std::pair<std::string, Section>> Section::members(std::string_view key) const {
  std::vector<std::pair<std::string, Section>> result;
  const OptionNode& element = *node_of(key).child("*");
  const JsonValue* const value = find(key);
  if (value == nullptr || value->kind != Kind::object) return result;
  for (const JsonValue& item : value->items) {
    result.emplace_back(item.key,
                        Section(item.kind == Kind::object ? &item : nullptr, element, join(path_of(key), item.key)));
  }
  return result;
}

std::vector<std::pair<std::string, const JsonValue*>> Section::values(std::string_view key) const {
  std::vector<std::pair<std::string, const JsonValue*>> result;
  const JsonValue* const value = find(key);
  if (value == nullptr || value->kind != Kind::object) return result;
  for (const JsonValue& item : value->items) result.emplace_back(item.key, &item);
  return result;
}

const JsonValue* Section::value_or_default(std::string_view key, const Option*& option) const {
  option = node_of(key).option;
  const JsonValue* const value = find(key);
  return value != nullptr ? value : fallback_of(*option);
}

std::optional<std::int64_t> Section::integer(std::string_view key) const {
  const Option* option = nullptr;
  const JsonValue* const value = value_or_default(key, option);
  return value == nullptr ? std::nullopt : integer_of(*option, *value);
}

std::optional<std::int32_t> Section::count(std::string_view key) const {
  const auto value = integer(key);
  if (!value) return std::nullopt;
  ensure(*value >= std::numeric_limits<std::int32_t>::min() && *value <= kMaxCount, "a count's bounds fit 32 bits");
  return static_cast<std::int32_t>(*value);
}

std::optional<double> Section::number(std::string_view key) const {
  const Option* option = nullptr;
  const JsonValue* const value = value_or_default(key, option);
  return value == nullptr ? std::nullopt : number_of(*option, *value);
}

std::optional<bool> Section::boolean(std::string_view key) const {
  const Option* option = nullptr;
  const JsonValue* const value = value_or_default(key, option);
  if (value == nullptr || value->kind != Kind::boolean) return std::nullopt;
  return value->truth;
}

std::optional<std::string> Section::string(std::string_view key) const {
  const Option* option = nullptr;
  const JsonValue* const value = value_or_default(key, option);
  return value == nullptr ? std::nullopt : string_of(*option, *value);
}

std::optional<Time> Section::duration(std::string_view key) const {
  const Option* option = nullptr;
  const JsonValue* const value = value_or_default(key, option);
  return value == nullptr ? std::nullopt : duration_of(*option, *value);
}

std::optional<Distribution> Section::distribution(std::string_view key) const {
  const Option* option = nullptr;
  const JsonValue* const value = value_or_default(key, option);
  std::optional<Fault> fault;
  return value == nullptr ? std::nullopt : distribution_of(*value, fault);
}

}  // namespace headroom
