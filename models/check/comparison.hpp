// A number that was measured, beside the one it should be: the plain rows in which a check hands over its result, and
// from which tables, JSON and documentation are made.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace headroom {

enum class Verdict : std::uint8_t {
  agrees,        // the interval holds the expected value, and is narrow enough to say something
  inconclusive,  // the interval says too little
  differs,       // the interval does not hold the expected value
};

struct Comparison {
  std::string subject;   // "M/M/4, load 0.8"
  std::string quantity;  // "mean wait"
  std::string unit;      // "s"; empty for pure numbers
  double expected = 0;
  double measured = 0;
  double low = 0;  // confidence interval of the measured value
  double high = 0;
  Verdict verdict = Verdict::inconclusive;
};

constexpr std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::agrees:
      return "agrees";
    case Verdict::inconclusive:
      return "inconclusive";
    case Verdict::differs:
      return "differs";
  }
  return {};
}

// The worst of all; of none: inconclusive.
constexpr Verdict overall_verdict(std::span<const Comparison> rows) {
  Verdict worst = rows.empty() ? Verdict::inconclusive : Verdict::agrees;
  for (const Comparison& row : rows) worst = row.verdict > worst ? row.verdict : worst;
  return worst;
}

}  // namespace headroom
