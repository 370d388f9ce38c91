#include "models/scenario/overrides.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "models/scenario/options.hpp"
#include "models/workload/sbatch_script.hpp"

namespace headroom {
namespace {

using Kind = JsonValue::Kind;

// One part of a path: `key`, or `[text]`, which is an index, a name, or a key that has dots in it.
struct Step {
  std::string_view text;
  bool bracketed = false;
};

std::optional<std::vector<Step>> parse_path(std::string_view path) {
  std::vector<Step> steps;
  bool expect_key = true;
  while (!path.empty() || expect_key) {
    if (!expect_key && path.front() == '[') {
      const auto end = path.find(']');
      if (end == std::string_view::npos || end == 1) return std::nullopt;
      steps.push_back({path.substr(1, end - 1), true});
      path.remove_prefix(end + 1);
      continue;
    }
    if (!expect_key) {
      if (path.front() != '.') return std::nullopt;
      path.remove_prefix(1);
    }
    const auto end = std::min(path.find_first_of(".["), path.size());
    if (end == 0 || path.substr(0, end).find(']') != std::string_view::npos) return std::nullopt;
    steps.push_back({path.substr(0, end), false});
    path.remove_prefix(end);
    expect_key = false;
  }
  if (steps.size() >= kDeepestNesting) return std::nullopt;
  return steps;
}

std::optional<std::size_t> parse_index(std::string_view text) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return index;
}

// The names an element answers to, in groups, queues and jobs.
constexpr std::string_view kNameKeys[] = {"computeNodeGroupName", "queueName", "name", "id"};

bool answers_to(const JsonValue& element, std::string_view name) {
  return std::any_of(std::begin(kNameKeys), std::end(kNameKeys), [&](std::string_view key) {
    const JsonValue* const value = element.find(key);
    return value != nullptr && value->kind == Kind::string && value->text == name;
  });
}

std::string known_names(const JsonValue& array) {
  static constexpr std::size_t kMost = 10;
  std::string text;
  for (std::size_t i = 0; i < array.items.size() && i < kMost; ++i) {
    for (const std::string_view key : kNameKeys) {
      const JsonValue* const value = array.items[i].find(key);
      if (value == nullptr || value->kind != Kind::string) continue;
      text += (text.empty() ? "" : ", ") + quote(value->text);
      break;
    }
  }
  return text.empty() ? "none" : text + (array.items.size() > kMost ? ", ..." : "");
}

class Change {
 public:
  Change(JsonValue& root, int source, Problems& problems) : root_(root), source_(source), problems_(problems) {}

  void set(std::string_view path, const std::string& text) {
    if (!is_utf8(path) || !is_utf8(text)) return refuse("not UTF-8");
    const auto steps = parse_path(path);
    if (!steps) {
      return refuse("not a path; expected keys with dots and [index] or [name], such as computeNodeGroups[0].name");
    }
    JsonValue* value = &root_;
    const OptionNode* node = &option_tree();
    for (const Step& step : *steps) {
      value = descend(*value, node, step);
      if (value == nullptr) return;
    }
    replace(*value, parse_value(text, node));
  }

  void set_text(std::string_view key, std::string text) {
    if (!is_utf8(text)) return refuse("not UTF-8");
    JsonValue value = made(Kind::string);
    value.text = std::move(text);
    replace(member(root_, key), std::move(value));
  }

  void set_integer(JsonValue& object, std::string_view key, std::uint64_t number) {
    replace(member(object, key), parse_value(std::to_string(number), nullptr));
  }

  // The log takes the place of whatever made the jobs; `map` and `filter` go with it.
  void set_trace(const std::string& trace) {
    JsonValue workload = made(Kind::object);
    JsonValue& old = member(root_, "workload");
    if (old.kind == Kind::object) {
      for (JsonValue& each : old.items) {
        if (each.key == "map" || each.key == "filter" || each.key == "maxJobs") {
          workload.items.push_back(std::move(each));
        }
      }
    }
    workload.where = old.where;
    replace(old, std::move(workload));
    Change(member(root_, "workload"), source_, problems_).set_text("trace", trace);
  }

 private:
  void refuse(std::string_view text) { problems_.add({source_, 0}, "", text); }

  JsonValue made(Kind kind) const {
    JsonValue value;
    value.kind = kind;
    value.where = {source_, 0};
    return value;
  }

  static void replace(JsonValue& old, JsonValue value) {
    value.key = std::move(old.key);
    value.key_line = old.key_line;
    old = std::move(value);
  }

  // The member, made as null when it is not there.
  JsonValue& member(JsonValue& object, std::string_view key) {
    if (JsonValue* found = object.find(key)) return *found;
    JsonValue value = made(Kind::null);
    value.key = key;
    return object.items.emplace_back(std::move(value));
  }

  JsonValue* descend(JsonValue& value, const OptionNode*& node, const Step& step) {
    const auto index = step.bracketed ? parse_index(step.text) : std::nullopt;
    if (value.kind == Kind::null) {
      value.kind = index && (node == nullptr || node->child("[]") != nullptr) ? Kind::array : Kind::object;
      value.where = {source_, 0};
    }
    const OptionNode* const here = node;
    const auto child = [&](std::string_view key) { return here == nullptr ? nullptr : here->child(key); };
    if (value.kind == Kind::object) {
      const OptionNode* const own = child(step.text);
      node = own != nullptr ? own : child("*");
      return &member(value, step.text);
    }
    if (value.kind != Kind::array || !step.bracketed) {
      refuse(fmt::format("{} is below {}, which has no keys", quote(step.text), describe_found(value)));
      return nullptr;
    }
    node = child("[]");
    if (!index) {
      const auto found = std::find_if(value.items.begin(), value.items.end(),
                                      [&](const JsonValue& item) { return answers_to(item, step.text); });
      if (found != value.items.end()) return &*found;
      refuse(fmt::format("no element is named {}; known: {}", quote(step.text), known_names(value)));
      return nullptr;
    }
    if (*index > value.items.size()) {
      refuse(fmt::format("index {} is beyond the array's {} elements", *index, value.items.size()));
      return nullptr;
    }
    if (*index == value.items.size()) value.items.push_back(made(Kind::null));
    return &value.items[*index];
  }

  // JSON where it is JSON, text otherwise. Where the table wants text, 24.05 is text.
  JsonValue parse_value(const std::string& text, const OptionNode* node) {
    Problems problems({""});
    auto value = read_json(text, 0, problems);
    const bool wants_text =
        node != nullptr && (node->option->type == OptionType::string || node->option->type == OptionType::choice ||
                            node->option->type == OptionType::scalar);
    const bool is_text = value && (value->kind == Kind::integer || value->kind == Kind::number ||
                                   value->kind == Kind::boolean || value->kind == Kind::null);
    if (value && problems.empty() && !(wants_text && is_text)) {
      claim(*value);
      return std::move(*value);
    }
    JsonValue plain = made(Kind::string);
    plain.text = text;
    return plain;
  }

  // Says of a whole tree that it came from here.
  void claim(JsonValue& value) const {
    value.where = {source_, 0};
    value.key_line = 0;
    for (JsonValue& item : value.items) claim(item);
  }

  JsonValue& root_;
  int source_;
  Problems& problems_;
};

// What stands in the command line may be long; messages repeat it whole, so it must be printable.
std::string printable(std::string_view text) {
  std::string safe = quote(text, 200);
  return safe.size() == text.size() + 2 ? std::string(text) : safe;
}

std::string source_name(std::string_view option, std::string_view key) {
  return fmt::format("{} {}", option, printable(key));
}

}  // namespace

std::vector<std::string> problem_sources(const std::string& file, const ScenarioOverrides& overrides) {
  std::vector<std::string> sources{file.empty() ? "scenario" : file};
  for (const auto& [key, value] : overrides.set) sources.push_back(source_name("--set", key));
  sources.insert(sources.end(), {"--seed", "--trace", "--max-jobs"});
  for (const auto& [name, text] : overrides.sbatch) sources.push_back(printable(name));
  return sources;
}

void apply_overrides(JsonValue& root, const ScenarioOverrides& overrides, Problems& problems,
                     std::vector<std::string>& notes) {
  if (root.kind != Kind::object) return;  // check_options says so
  const std::string before = dump_json(root);
  int source = 0;
  for (const auto& [key, value] : overrides.set) {
    Change(root, ++source, problems).set(key, value);
  }
  // Scripts follow --set, which says under which policy they are read.
  add_sbatch_jobs(root, overrides.sbatch, source + 4, problems, notes);
  ++source;
  if (overrides.seed) Change(root, source, problems).set_integer(root, "seed", *overrides.seed);
  ++source;
  if (overrides.trace) Change(root, source, problems).set_trace(*overrides.trace);
  ++source;
  if (overrides.max_jobs) {
    JsonValue* const workload = root.find("workload");
    if (workload != nullptr && workload->kind == Kind::object) {
      Change(root, source, problems).set_integer(*workload, "maxJobs", *overrides.max_jobs);
    }
  }
  const JsonValue* const expect = root.find("expect");
  if (expect == nullptr || expect->where.source != 0 || dump_json(root) == before) return;
  const bool overridden = std::any_of(expect->items.begin(), expect->items.end(),
                                      [](const JsonValue& item) { return item.where.source != 0; });
  if (!overridden) std::erase_if(root.items, [](const JsonValue& item) { return item.key == "expect"; });
}

}  // namespace headroom
