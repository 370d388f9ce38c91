#include "models/check/rules/design_check.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <system_error>

#include <fmt/format.h>

#include "models/check/rules/resource_rules.hpp"
#include "models/errors.hpp"
#include "models/policies/registry.hpp"
#include "models/scenario/design.hpp"
#include "models/scenario/scenario.hpp"

namespace headroom::rules {
namespace {

namespace fs = std::filesystem;

// The *.json files of a folder in the order of their names, or the file itself. Each file once.
std::vector<std::string> files_of(const std::vector<std::string>& paths, std::vector<DesignReport::FileError>& errors) {
  std::vector<std::string> files;
  std::set<std::string> seen;
  const auto take = [&](const std::string& path) {
    std::error_code error;
    const fs::path whole = fs::weakly_canonical(path, error);
    if (seen.insert(error ? path : whole.string()).second) files.push_back(path);
  };
  for (const std::string& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      take(path);
      continue;
    }
    std::vector<std::string> found;
    for (fs::directory_iterator each(path, error), end; !error && each != end; each.increment(error)) {
      std::error_code ignored;
      if (each->path().extension() == ".json" && !each->is_directory(ignored)) found.push_back(each->path().string());
    }
    if (error) {
      errors.push_back({path, 0, "cannot be read: " + error.message()});
    } else if (found.empty()) {
      errors.push_back({path, 0, "a folder without *.json files"});
    }
    std::sort(found.begin(), found.end());
    for (const std::string& file : found) take(file);
  }
  return files;
}

// Nothing with a message in `errors`. Never more than it takes to see that it is too large: it may be a device.
std::optional<std::string> content_of(const std::string& path, std::vector<DesignReport::FileError>& errors) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::string text;
  char block[1 << 16];
  while (stream && text.size() <= kLargestDocument && (stream.read(block, sizeof block), stream.gcount() > 0)) {
    text.append(block, static_cast<std::size_t>(stream.gcount()));
  }
  if (!stream.is_open() || stream.bad()) {
    errors.push_back({path, 0, "cannot be read: " + std::generic_category().message(errno)});
    return std::nullopt;
  }
  return text;
}

// "found X [PCS-2]; did you mean Y?" -> PCS-2, and the text without it.
std::string take_rule(std::string& text) {
  const auto begin = text.find(" [PCS-");
  const auto end = begin == std::string::npos ? begin : text.find(']', begin);
  if (end == std::string::npos) return {};
  std::string id = text.substr(begin + 2, end - begin - 2);
  if (!is_rule(id)) return {};
  text.erase(begin, end + 1 - begin);
  return id;
}

// The rule that speaks of a key whose bounds and choices the table of options checks.
std::string_view rule_of_key(std::string_view path) {
  struct Key {
    std::string_view ending;
    std::string_view rule;
  };
  static constexpr Key kKeys[] = {
      {"cluster.size", "PCS-3"},       {"cluster.scheduler.type", "PCS-2"}, {"scaleDownIdleTimeInSeconds", "PCS-6"},
      {".minInstanceCount", "PCS-11"}, {".maxInstanceCount", "PCS-11"},     {".partitionCount", "PCS-55"}};
  for (const Key& key : kKeys) {
    if (path.ends_with(key.ending)) return key.rule;
  }
  return "scenario";
}

bool within(std::string_view path, std::string_view of) {
  return path == of || of.empty() || (path.starts_with(of) && (path[of.size()] == '.' || path[of.size()] == '['));
}

// A file's tree and text stay where they are as long as parts refer to them.
struct SourceFile {
  std::string name;
  std::string text;
  JsonValue root;
};

// "s.json:12: scheduler.order: only under ..." taken apart; what is not there stays empty.
Problems::Problem problem_of(std::string text, const std::string& file) {
  Problems::Problem problem;
  if (!text.starts_with(file + ":")) return {{}, "", std::move(text)};
  text.erase(0, file.size() + 1);
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits > 0 && digits <= 9 && text.substr(digits, 1) == ":") {
    problem.where.line = std::stoi(text.substr(0, digits));
    text.erase(0, digits + 1);
  }
  text.erase(0, text.find_first_not_of(' '));
  const auto colon = text.find(": ");
  const std::string path = text.substr(0, std::min(text.find_first_of(": "), text.size()));
  if (colon != std::string::npos && path.find_first_of(".[") != std::string::npos) {
    problem.path = path;
    text.erase(0, colon + 2);
  }
  problem.text = std::move(text);
  return problem;
}

// What the scenario's parser, its policies and its design refuse, without what the rules have found already.
void check_parser(const SourceFile& file, const Part& root, Violations& violations, std::size_t first) {
  Problems problems({file.name});
  std::vector<Problems::Problem> all;
  const auto scenario = read_scenario(file.text, file.name, {}, problems);
  if (!scenario) {
    all = problems.all();
  } else if (std::none_of(violations.all().begin() + static_cast<std::ptrdiff_t>(first), violations.all().end(),
                          [](const Violation& each) { return each.severity == Severity::error; })) {
    try {
      check_policies(*scenario);
      make_design(*scenario);
    } catch (const InputError& error) {
      std::istringstream lines(error.what());
      for (std::string line; std::getline(lines, line);) all.push_back(problem_of(std::move(line), file.name));
    }
  }
  const std::size_t end = violations.all().size();
  for (const Problems::Problem& problem : all) {
    if (problem.path == "workload" && !root.child("workload")) continue;  // a design needs none, nor does --sbatch
    std::string text = problem.text;
    std::string id = take_rule(text);
    if (id.empty()) id = rule_of_key(problem.path);
    const bool told =
        std::any_of(violations.all().begin() + static_cast<std::ptrdiff_t>(first),
                    violations.all().begin() + static_cast<std::ptrdiff_t>(end), [&](const Violation& each) {
                      return each.rule->id == id && !problem.path.empty() &&
                             (within(each.path, problem.path) || within(problem.path, each.path));
                    });
    if (told) continue;
    Part at = root;
    at.line = problem.where.line;
    at.path = problem.path;
    Violation& violation = violations.add(id, at, std::move(text));
    violation.severity = Severity::error;  // the run refuses it
  }
}

// The text of shared functions carries the id; the report has it apart.
void strip_ids(std::vector<Violation>& violations) {
  for (Violation& each : violations) take_rule(each.found);
}

void check(const Design& design, Violations& violations) {
  const Links links(design);
  check_clusters(design, links, violations);
  check_groups(design, links, violations);
  check_queues(design, links, violations);
  check_launch_templates(design, links, violations);
}

}  // namespace

std::size_t DesignReport::count(Severity severity) const {
  return static_cast<std::size_t>(std::count_if(violations.begin(), violations.end(),
                                                [&](const Violation& each) { return each.severity == severity; }));
}

int DesignReport::exit_status(bool strict) const {
  if (!file_errors.empty()) return 3;
  return count(Severity::error) > 0 || (strict && !violations.empty()) ? 1 : 0;
}

DesignReport check_design(const std::vector<std::string>& paths, const std::optional<std::string>& edition) {
  DesignReport report;
  Violations violations;
  Design design;
  if (edition) design.newer_edition = *edition == "2026-08";
  std::deque<SourceFile> files;
  std::vector<std::pair<const SourceFile*, Part>> scenarios;
  for (std::string& path : files_of(paths, report.file_errors)) {
    auto text = content_of(path, report.file_errors);
    if (!text) continue;
    Problems problems({path});
    auto root = read_json(*text, 0, problems);
    if (!root) {
      for (const auto& problem : problems.all()) report.file_errors.push_back({path, problem.where.line, problem.text});
      continue;
    }
    SourceFile& file = files.emplace_back(SourceFile{path, std::move(*text), std::move(*root)});
    const Part part{&file.root, files.size() - 1, file.root.where.line, ""};
    report.files.push_back(path);
    if (is_scenario(file.root)) {
      scenarios.emplace_back(&file, part);
      continue;
    }
    file.text.clear();  // the tree is enough
    const std::string expected = add_file(design, part, fs::path(path).stem().string(), violations);
    if (!expected.empty()) report.file_errors.push_back({path, 0, expected});
    for (const auto& problem : problems.all()) {  // a key given twice: the tree holds both
      Part at = part;
      at.line = problem.where.line;
      at.path = problem.path;
      violations.add("api-shape", at, problem.text, "Give it once.");
    }
  }
  check(design, violations);
  for (const auto& [file, root] : scenarios) {
    if (violations.full()) break;
    const std::size_t first = violations.all().size();
    check(scenario_design(root, design), violations);
    check_parser(*file, root, violations, first);
  }
  report.cut = violations.full();
  report.violations = std::move(violations.all());
  strip_ids(report.violations);
  std::stable_sort(report.violations.begin(), report.violations.end(), [](const Violation& a, const Violation& b) {
    return std::pair(a.file, a.line) < std::pair(b.file, b.line);
  });
  return report;
}

}  // namespace headroom::rules
