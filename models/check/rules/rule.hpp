// The one table of rules that a design is held to: messages, SARIF metadata and docs/check.md come from it. Hides how a
// rule is found. Promises every rule of AWS PCS from PCS-1 to PCS-72, also those that no file can show.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace headroom::rules {

enum class Severity : std::uint8_t { warning, error };
std::string_view name_of(Severity severity);

// Who sees to it that a rule holds.
enum class Basis : std::uint8_t {
  files,  // headroom check, from the files
  run,    // the engine and its models, in a run
  none,   // nobody: files do not tell, and a run does not need it
};

struct Rule {
  std::string_view id;  // PCS-n, or a word where the rule is not one of AWS PCS
  Severity severity{};
  std::string_view exception;  // what the API answers; empty: it accepts, or nothing is published
  std::string_view title;      // the rule, in a sentence
  Basis basis{};
  std::string_view how;     // from which input it is told, who enforces it, or why it cannot be told
  std::string_view remedy;  // what to do, where a violation has nothing more exact to say
};

std::span<const Rule> all_rules();
// The rule must exist.
const Rule& rule_named(std::string_view id);
bool is_rule(std::string_view id);

// The table in docs/check.md.
std::string rules_markdown();

}  // namespace headroom::rules
