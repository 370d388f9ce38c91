// The published forms of the table of options: scenario_schema() and scenario_options_markdown().
#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "models/policies/slurm/accounting.hpp"
#include "models/policies/slurm/conf.hpp"
#include "models/policies/slurm/known_names.hpp"
#include "models/scenario/options.hpp"
#include "models/scenario/scenario.hpp"
#include "models/workload/sbatch_script.hpp"

namespace headroom {
namespace {

using Json = nlohmann::ordered_json;
using enum OptionType;
using enum OptionUse;

constexpr std::int64_t kMaxCount = std::numeric_limits<std::int32_t>::max();

constexpr std::string_view kDurationPattern = "^[0-9]+(\\.[0-9]+)?(s|m|h|d)$";

// A bound as JSON; a sentinel for "none" gives nothing.
void add_bounds(Json& schema, const Option& option) {
  schema[option.over_minimum ? "exclusiveMinimum" : "minimum"] = option.minimum;
  schema["maximum"] = option.maximum;
}

Json duration_schema(const Option& option) {
  Json seconds = {{"type", "number"}};
  add_bounds(seconds, option);
  return {{"anyOf", Json::array({seconds, {{"type", "string"}, {"pattern", kDurationPattern}}})}};
}

Json distribution_schema() {
  const Json time = duration_schema({.path = {}, .maximum = kMaxSeconds});
  Json lognormal = {{"type", "object"}};
  lognormal["properties"] = {{"mean", time}, {"sd", time}, {"min", time}, {"max", time}};
  lognormal["required"] = {"mean", "sd"};
  lognormal["additionalProperties"] = false;
  Json uniform = {{"type", "array"}, {"items", time}, {"minItems", 2}, {"maxItems", 2}};
  const Json mean = duration_schema({.path = {}, .maximum = kMaxSeconds, .over_minimum = true});
  Json weibull = {{"type", "object"}};
  weibull["properties"] = {{"scale", mean},
                           {"shape", {{"type", "number"}, {"minimum", kLeastShape}, {"maximum", kMostShape}}}};
  weibull["required"] = {"scale", "shape"};
  weibull["additionalProperties"] = false;
  const auto only = [](const char* key, Json value) {
    Json one = {{"type", "object"}};
    one["properties"][key] = std::move(value);
    one["required"] = Json::array({key});
    one["additionalProperties"] = false;
    return one;
  };
  return {{"anyOf", Json::array({time, only("uniform", uniform), only("exponential", mean),
                                 only("lognormal", lognormal), only("weibull", weibull)})}};
}

Json required_keys(std::span<const std::string_view> keys) {
  Json list = Json::array();
  for (const std::string_view key : keys) list.push_back(key);
  return {{"required", list}};
}

Json schema_of(const OptionNode& node);

void add_members(Json& schema, const OptionNode& node) {
  schema["type"] = "object";
  Json& properties = schema["properties"] = Json::object();
  std::vector<std::string_view> required;
  for (const OptionNode& child : node.children) {
    if (child.option->use == unsupported) continue;
    properties[std::string(child.key)] =
        child.option->use == ignored ? Json{{"description", child.option->help}} : schema_of(child);
    if (child.option->required) required.push_back(child.key);
  }
  if (!required.empty()) schema.update(required_keys(required));
  schema["additionalProperties"] = false;
  for (const ExactlyOne& group : exactly_one_groups()) {
    if (group.object != node.option->path) continue;
    Json alternatives = Json::array();
    for (const std::string_view key : group.keys) {
      if (!key.empty()) alternatives.push_back(required_keys(std::array{key}));
    }
    schema["oneOf"] = alternatives;
  }
  if (node.option->path.empty()) {
    Json pool = required_keys(std::array<std::string_view, 1>{"pool"});
    Json excluded = Json::array();
    for (const std::string_view key : kClusterKeys) excluded.push_back(required_keys(std::array{key}));
    pool["not"] = {{"anyOf", excluded}};
    Json cluster = required_keys(std::span(kClusterKeys).first(kNeededClusterKeys));
    cluster["not"] = required_keys(std::array<std::string_view, 1>{"pool"});
    schema["oneOf"] = Json::array({pool, cluster});
  }
}

Json schema_of(const OptionNode& node) {
  const Option& option = *node.option;
  Json schema = Json::object();
  switch (option.type) {
    case object:
      add_members(schema, node);
      break;
    case map:
      schema["type"] = "object";
      schema["additionalProperties"] = schema_of(*node.child("*"));
      break;
    case free:
      schema["type"] = "object";
      break;
    case array:
      schema["type"] = "array";
      if (option.minimum > 0) schema["minItems"] = option.minimum;
      schema["items"] = schema_of(*node.child("[]"));
      break;
    case string:
      schema["type"] = "string";
      if (option.minimum > 0) schema["minLength"] = option.minimum;
      break;
    case integer:
      schema["type"] = "integer";
      add_bounds(schema, option);
      break;
    case number:
      schema["type"] = "number";
      add_bounds(schema, option);
      break;
    case boolean:
      schema["type"] = "boolean";
      break;
    case duration:
      schema = duration_schema(option);
      break;
    case distribution:
      schema = {{"$ref", "#/definitions/distribution"}};
      break;
    case choice:
      schema["enum"] = split_choices(option.choices);
      break;
    case choice_or_duration:
      schema = duration_schema(option);
      schema["anyOf"].push_back({{"enum", split_choices(option.choices)}});
      break;
    case scalar:
      schema["type"] = {"string", "number", "boolean"};
      break;
  }
  // Draft 7 ignores what stands beside a $ref.
  if (option.type == distribution) schema = {{"allOf", Json::array({schema})}};
  if (!option.help.empty()) schema["description"] = option.help;
  if (!option.fallback.empty()) schema["default"] = Json::parse(option.fallback);
  return schema;
}

std::string markdown_type(const Option& option) {
  // Bounds that only keep arithmetic safe would hide the ones that matter.
  const bool bounded = option.maximum < kMaxCount && option.maximum != 1'000'000;
  switch (option.type) {
    case object:
      return "object";
    case map:
      return "object, keys are names";
    case free:
      return "object, free";
    case array:
      return "array";
    case string:
      return "string";
    case integer:
    case number: {
      const std::string_view name = option.type == integer ? "integer" : "number";
      if (bounded && !option.over_minimum) return fmt::format("{}, {} to {}", name, option.minimum, option.maximum);
      if (bounded) return fmt::format("{}, {}", name, bounds_text(option, ""));
      return fmt::format("{}, {} {}", name, option.over_minimum ? "over" : "at least", option.minimum);
    }
    case boolean:
      return "boolean";
    case duration:
      return option.over_minimum ? "duration over 0" : "duration";
    case distribution:
      return "distribution";
    case choice:
    case choice_or_duration: {
      std::string text;
      for (const std::string_view word : split_choices(option.choices)) {
        text += fmt::format("{}`{}`", text.empty() ? "" : ", ", word);
      }
      return option.type == choice ? text : text + " or a duration over 0";
    }
    case scalar:
      return "string, number or boolean";
  }
  return {};
}

// A list with commas and a full stop, in lines of at most 110 columns.
std::string wrapped(const std::vector<std::string>& words) {
  std::string text;
  std::size_t column = 0;
  for (const std::string& word : words) {
    if (column > 0) {
      const bool fits = column + word.size() + 3 <= 110;
      text += fits ? ", " : ",\n";
      column = fits ? column + 2 : 0;
    }
    text += word;
    column += word.size();
  }
  return text + ".\n";
}

}  // namespace

std::string scenario_schema() {
  Json schema = {{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", "Headroom scenario"}};
  schema.update(schema_of(option_tree()));
  schema["definitions"]["distribution"] = distribution_schema();
  return schema.dump(2) + "\n";
}

std::string scenario_options_markdown() {
  std::string text = "| key | type | unit | default | meaning |\n|---|---|---|---|---|\n";
  std::vector<std::string> ignored_keys;
  std::vector<std::string> unsupported_keys;
  for (const Option& option : scenario_options().subspan(1)) {
    for (const std::string_view word : split_choices(option.later_choices)) {
      unsupported_keys.push_back(fmt::format("`{}` `{}`", option.path, word));
    }
    if (option.use != read) {
      (option.use == ignored ? ignored_keys : unsupported_keys).push_back(fmt::format("`{}`", option.path));
      continue;
    }
    if (option.path.ends_with("[]")) continue;  // its array or its members say it all
    const bool timed = option.type == duration || option.type == distribution || option.type == choice_or_duration;
    const std::string fallback = option.required           ? "required"
                                 : option.fallback.empty() ? ""
                                                           : fmt::format("`{}`", option.fallback);
    text += fmt::format("| `{}` | {} | {} | {} | {} |\n", option.path, markdown_type(option), timed ? "s" : option.unit,
                        fallback, option.help);
  }
  text += "\nAccepted because the PCS API prints or takes them, without effect:\n" + wrapped(ignored_keys);
  text += "\nKnown, but refused until a later version:\n" + wrapped(unsupported_keys);
  return text;
}

std::string slurm_parameters_markdown() {
  std::string text = "| parameter | in | default | meaning |\n|---|---|---|---|\n";
  for (const slurm::Parameter& parameter : slurm::parameters()) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", parameter.name, parameter.where,
                        parameter.fallback.empty() ? "" : fmt::format("`{}`", parameter.fallback), parameter.help);
  }
  return text;
}

namespace {

std::string code(std::string_view text) { return text.empty() ? "" : fmt::format("`{}`", text); }

std::string_view use_text(const slurm::Parameter& p) {
  return p.use == slurm::Use::implemented ? "implemented" : p.use == slurm::Use::no_effect ? "no effect" : "refused";
}

bool before(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return lower(x) < lower(y); });
}

std::string parameter_rows(std::string_view where) {
  std::vector<slurm::Parameter> rows;
  for (const auto list : {slurm::parameters(), slurm::accounting_parameters(), slurm::known_names()}) {
    for (const slurm::Parameter& each : list) {
      if (each.where == where) rows.push_back(each);
    }
  }
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return before(a.name, b.name); });
  std::string text = fmt::format("\n## {}\n\n", where);
  text += "| option | default | use | meaning, or the reason | test | recorded run |\n|---|---|---|---|---|---|\n";
  for (const slurm::Parameter& p : rows) {
    text += fmt::format("| `{}` | {} | {} | {} | {} | {} |\n", p.name, code(p.fallback), use_text(p), p.help,
                        code(p.proof), code(p.run));
  }
  return text;
}

std::string sbatch_rows() {
  std::string text =
      "\n## sbatch\n\n| option | use | becomes | meaning, or the reason | test |\n|---|---|---|---|---|\n";
  for (const SbatchOption& option : sbatch_options()) {
    std::string name = fmt::format("`--{}`", option.name);
    if (option.letter != 0) name += fmt::format(", `-{}`", option.letter);
    const bool followed = is_followed(option);
    const std::string_view use = followed                           ? "implemented"
                                 : option.use == SbatchUse::job     ? "refused"
                                 : option.use == SbatchUse::ignored ? "no effect"
                                                                    : "refused";
    const bool yet = option.use == SbatchUse::job && !followed;
    text += fmt::format("| {} | {} | {} | {} | {} |\n", name, use, followed ? code(option.key) : "",
                        yet ? "Not followed yet." : option.help, code(option.proof));
  }
  return text;
}

}  // namespace

std::string slurm_options_markdown() {
  std::string text;
  for (const std::string_view where : {"SchedulerParameters", "SlurmctldParameters", "slurm.conf", "partition", "node",
                                       "switch", "account", "user", "QOS", "reservation", "reservation flag"}) {
    text += parameter_rows(where);
  }
  return text + sbatch_rows();
}

std::string sbatch_notes_markdown() {
  std::string text = "| word | default | meaning |\n|---|---|---|\n";
  for (const SbatchNote& note : sbatch_notes()) {
    text += fmt::format("| `{}` | {} | {} |\n", note.name, code(note.fallback), note.help);
  }
  return text;
}

}  // namespace headroom
