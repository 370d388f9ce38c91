// What is wrong with a design, and where.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/check/rules/part.hpp"
#include "models/check/rules/rule.hpp"

namespace headroom::rules {

struct Violation {
  const Rule* rule = nullptr;
  Severity severity{};
  std::string_view exception;  // of the API; empty: none
  std::size_t file = 0;
  int line = 0;  // 0: the file as a whole
  std::string path;
  std::string found;
  std::string remedy;
};

class Violations {
 public:
  // Of `id`, with the severity, exception and remedy of the table; the answer is there to say otherwise.
  Violation& add(std::string_view id, const Part& at, std::string found, std::string remedy = {}) {
    const Rule& rule = rule_named(id);
    Violation made{
        &rule,   rule.severity, rule.exception,   at.file,
        at.line, at.path,       std::move(found), remedy.empty() ? std::string(rule.remedy) : std::move(remedy)};
    if (full()) return dropped_ = std::move(made);
    return all_.emplace_back(std::move(made));
  }
  Violation& warn(std::string_view id, const Part& at, std::string found, std::string remedy = {}) {
    Violation& violation = add(id, at, std::move(found), std::move(remedy));
    violation.severity = Severity::warning;
    violation.exception = {};
    return violation;
  }
  // Nobody reads more: rules stop looking.
  bool full() const { return all_.size() >= kKept; }
  std::vector<Violation>& all() { return all_; }

  static constexpr std::size_t kKept = 10'000;

 private:
  std::vector<Violation> all_;
  Violation dropped_;
};

}  // namespace headroom::rules
