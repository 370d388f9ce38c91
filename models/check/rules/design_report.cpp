// The three forms of a design's report: text for people, JSON for programs, SARIF for code scanners.
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "models/check/rules/design_check.hpp"

namespace headroom::rules {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

// Safe to print, whatever a file holds: as in JSON, without the quotes.
std::string printable(std::string_view text) {
  std::string safe = Json(std::string(text)).dump(-1, ' ', false, Json::error_handler_t::replace);
  safe = safe.substr(1, safe.size() - 2);
  std::string plain;  // quotes and backslashes as they are: only control characters are escaped
  for (std::size_t i = 0; i < safe.size(); ++i) {
    if (safe[i] == '\\' && i + 1 < safe.size() && (safe[i + 1] == '"' || safe[i + 1] == '\\')) ++i;
    plain += safe[i];
  }
  return plain;
}

std::string plural(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

// A path as a URI reference (RFC 3986).
std::string uri_of(const std::string& path) {
  std::string uri = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("/._-~").find(c) != std::string_view::npos;
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri;
}

Json location(const std::string& file, int line, const std::string& path) {
  Json physical = {{"artifactLocation", {{"uri", uri_of(file)}}}};
  if (line > 0) physical["region"] = {{"startLine", line}};
  Json result = {{"physicalLocation", physical}};
  if (!path.empty()) result["logicalLocations"] = Json::array({{{"fullyQualifiedName", path}, {"kind", "member"}}});
  return result;
}

}  // namespace

std::string design_text(const DesignReport& report) {
  std::string text;
  for (const Violation& each : report.violations) {
    const std::string& file = report.files[each.file];
    text += fmt::format("{}{}: {} {}: {}{}{}\n    {}{}\n", printable(file),
                        each.line > 0 ? fmt::format(":{}", each.line) : "", name_of(each.severity), each.rule->id,
                        printable(each.path), each.path.empty() ? "" : ": ", printable(each.found),
                        printable(each.remedy), each.exception.empty() ? "" : fmt::format(" [{}]", each.exception));
  }
  if (report.cut) text += fmt::format("more than {}; the rest was not looked for\n", Violations::kKept);
  text +=
      fmt::format("{}: {}, {}\n", plural(report.files.size(), "file"), plural(report.count(Severity::error), "error"),
                  plural(report.count(Severity::warning), "warning"));
  return text;
}

std::string design_json(const DesignReport& report) {
  Json violations = Json::array();
  for (const Violation& each : report.violations) {
    violations.push_back({{"rule", each.rule->id},
                          {"severity", name_of(each.severity)},
                          {"exception", each.exception.empty() ? Json() : Json(each.exception)},
                          {"file", report.files[each.file]},
                          {"line", each.line > 0 ? Json(each.line) : Json()},
                          {"path", each.path},
                          {"found", each.found},
                          {"remedy", each.remedy}});
  }
  Json unreadable = Json::array();
  for (const auto& each : report.file_errors) {
    unreadable.push_back(
        {{"file", each.file}, {"line", each.line > 0 ? Json(each.line) : Json()}, {"text", each.text}});
  }
  return dump({{"schema", "headroom.check-design/1"},
               {"files", report.files},
               {"errors", report.count(Severity::error)},
               {"warnings", report.count(Severity::warning)},
               {"complete", !report.cut},
               {"violations", std::move(violations)},
               {"unreadable", std::move(unreadable)}});
}

std::string design_sarif(const DesignReport& report, bool strict) {
  Json rules = Json::array();
  std::map<const Rule*, std::size_t> index;
  for (const Rule& rule : all_rules()) {
    if (rule.basis != Basis::files) continue;
    index.emplace(&rule, rules.size());
    Json made = {{"id", rule.id},
                 {"shortDescription", {{"text", rule.title}}},
                 {"help", {{"text", rule.remedy}}},
                 {"defaultConfiguration", {{"level", name_of(rule.severity)}}},
                 {"properties", {{"checkedFrom", rule.how}}}};
    if (!rule.exception.empty()) made["properties"]["exception"] = rule.exception;
    rules.push_back(std::move(made));
  }
  Json results = Json::array();
  for (const Violation& each : report.violations) {
    Json made = {
        {"ruleId", each.rule->id},
        {"ruleIndex", index.at(each.rule)},
        {"level", name_of(each.severity)},
        {"message",
         {{"text", fmt::format("{}{}{}. {}", each.path, each.path.empty() ? "" : ": ", each.found, each.remedy)}}},
        {"locations", Json::array({location(report.files[each.file], each.line, each.path)})}};
    if (!each.exception.empty()) made["properties"] = {{"exception", each.exception}};
    results.push_back(std::move(made));
  }
  Json notifications = Json::array();
  for (const auto& each : report.file_errors) {
    notifications.push_back({{"level", "error"},
                             {"message", {{"text", each.text}}},
                             {"locations", Json::array({location(each.file, each.line, "")})}});
  }
  Json artifacts = Json::array();
  for (const std::string& file : report.files) artifacts.push_back({{"location", {{"uri", uri_of(file)}}}});
  const Json run = {
      {"tool", {{"driver", {{"name", "headroom"}, {"version", HEADROOM_VERSION}, {"rules", std::move(rules)}}}}},
      {"invocations", Json::array({{{"executionSuccessful", report.file_errors.empty()},
                                    {"exitCode", report.exit_status(strict)},
                                    {"toolExecutionNotifications", std::move(notifications)}}})},
      {"artifacts", std::move(artifacts)},
      {"results", std::move(results)}};
  return dump({{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
               {"version", "2.1.0"},
               {"runs", Json::array({run})}});
}

}  // namespace headroom::rules
