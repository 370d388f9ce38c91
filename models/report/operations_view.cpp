#include "models/report/operations_view.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "models/report/format.hpp"
#include "models/scenario/document.hpp"

namespace headroom {
namespace {

constexpr std::size_t kWhole = std::string::npos;

std::string seconds(Time t) {
  std::string text;
  append_seconds(text, t);
  return text;
}

}  // namespace

std::string refusal_text(const ServiceAnswer& answer) {
  return fmt::format("{}{}: {}", error_name(answer.error), answer.rule.empty() ? "" : " [" + answer.rule + "]",
                     answer.message);
}

std::string operations_table(std::span<const ServiceAnswer> answers, Time origin, Time until) {
  std::size_t width = 6;
  for (const ServiceAnswer& answer : answers) width = std::max(width, answer.target.size());
  std::string out = fmt::format("{:>10} {:<22} {:<{}} {}\n", "TIME_S", "ACTION", "TARGET", width, "ANSWER");
  for (const ServiceAnswer& answer : answers) {
    if (origin + answer.at > until) break;
    std::string text = answer.accepted() ? "" : refusal_text(answer);
    for (const ServiceAnswer::Transition& each : answer.transitions) {
      if (origin + each.at > until) break;
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", state_name(each.state), seconds(origin + each.at));
    }
    out += fmt::format("{:>10} {:<22} {:<{}} {}\n", seconds(origin + answer.at), action_name(answer.action),
                       answer.target, width, text);
  }
  return out;
}

std::string operations_json(std::span<const ServiceAnswer> answers, Time origin, Time until) {
  std::string out;
  for (const ServiceAnswer& answer : answers) {
    if (origin + answer.at > until) break;
    out += fmt::format("{}\n      {{\"time_s\": {}, \"action\": \"{}\", \"target\": {}, \"accepted\": {}",
                       out.empty() ? "" : ",", seconds(origin + answer.at), action_name(answer.action),
                       quote(answer.target, kWhole), answer.accepted());
    if (!answer.accepted()) {
      out += fmt::format(", \"error\": \"{}\", \"rule\": \"{}\", \"message\": {}}}", error_name(answer.error),
                         answer.rule, quote(answer.message, kWhole));
      continue;
    }
    std::string states;
    for (const ServiceAnswer::Transition& each : answer.transitions) {
      if (origin + each.at > until) break;
      states += fmt::format("{}{{\"time_s\": {}, \"state\": \"{}\"}}", states.empty() ? "" : ", ",
                            seconds(origin + each.at), state_name(each.state));
    }
    out += fmt::format(", \"states\": [{}]}}", states);
  }
  return "[" + out + "]";
}

}  // namespace headroom
