#include "models/scenario/sbatch_syntax.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "models/scenario/options.hpp"

namespace headroom {
namespace {

std::optional<std::int32_t> whole_number(std::string_view text, std::int32_t most) {
  std::int32_t value = 0;
  const bool digits =
      !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

// The text up to the first `separator`; `rest` is what follows it, none if there is no separator.
std::string_view cut(std::string_view text, char separator, std::optional<std::string_view>& rest) {
  const auto at = text.find(separator);
  rest.reset();
  if (at != std::string_view::npos) rest = text.substr(at + 1);
  return text.substr(0, at);
}

constexpr std::pair<std::string_view, Dependency::Kind> kKinds[] = {
    {"after", Dependency::Kind::after},          {"afterany", Dependency::Kind::after_any},
    {"afterok", Dependency::Kind::after_ok},     {"afternotok", Dependency::Kind::after_not_ok},
    {"aftercorr", Dependency::Kind::after_corr}, {"singleton", Dependency::Kind::singleton},
};

constexpr std::int32_t kMostDelayMinutes = 10 * 365 * 24 * 60;

bool parse_one(std::string_view text, std::vector<NamedDependency>& list, std::string& problem) {
  std::optional<std::string_view> jobs;
  const std::string_view word = cut(text, ':', jobs);
  const auto* const kind =
      std::find_if(std::begin(kKinds), std::end(kKinds), [&](const auto& k) { return k.first == word; });
  if (kind == std::end(kKinds)) {
    std::vector<std::string_view> known;
    for (const auto& k : kKinds) known.push_back(k.first);
    const std::string hint = nearest_hint(word, known);
    problem =
        fmt::format("{} is no kind of dependency;{}", quote(word),
                    hint.empty() ? " expected after, afterany, afterok, afternotok, aftercorr or singleton" : hint);
    return false;
  }
  const bool singleton = kind->second == Dependency::Kind::singleton;
  if (singleton != !jobs) {
    problem = singleton ? "singleton names no job" : fmt::format("expected {}:JOB", word);
    return false;
  }
  if (singleton) {
    list.push_back({kind->second, {}, 0});
    return true;
  }
  while (jobs) {
    std::string_view job = cut(*jobs, ':', jobs);
    Time delay = 0;
    if (const auto plus = job.rfind('+'); kind->second == Dependency::Kind::after && plus != std::string_view::npos) {
      const auto minutes = whole_number(job.substr(plus + 1), kMostDelayMinutes);
      if (!minutes) {
        problem = fmt::format("found {}, expected after:JOB+MINUTES", quote(job));
        return false;
      }
      delay = *minutes * kMinute;
      job = job.substr(0, plus);
    }
    if (job.empty()) {
      problem = fmt::format("expected a job after {}:", word);
      return false;
    }
    list.push_back({kind->second, std::string(job), delay});
  }
  return true;
}

}  // namespace

std::optional<ArraySpec> parse_array(std::string_view text, std::string& problem) {
  const auto wrong = [&] {
    problem = fmt::format("found {}, expected numbers up to {} such as 0-9, 1,3,5-9:2 or 0-99%10", quote(text),
                          kLargestArrayTask);
    return std::nullopt;
  };
  ArraySpec spec;
  std::optional<std::string_view> limit;
  std::optional<std::string_view> rest = cut(text, '%', limit);
  if (limit) {
    const auto most = whole_number(*limit, kLargestArrayTask);
    if (!most || *most == 0) return wrong();
    spec.limit = *most;
  }
  while (rest) {
    std::optional<std::string_view> step_text;
    std::optional<std::string_view> last_text;
    const std::string_view range = cut(cut(*rest, ',', rest), ':', step_text);
    const auto first = whole_number(cut(range, '-', last_text), kLargestArrayTask);
    const auto last = last_text ? whole_number(*last_text, kLargestArrayTask) : first;
    const auto step = step_text ? whole_number(*step_text, kLargestArrayTask) : std::optional<std::int32_t>(1);
    if (!first || !last || !step || *step == 0 || *last < *first || (step_text && !last_text)) return wrong();
    for (std::int32_t task = *first; task <= *last; task += *step) {
      spec.tasks.push_back(task);
      if (spec.tasks.size() > static_cast<std::size_t>(kMostArrayTasks)) {
        problem = fmt::format("more than {} tasks", kMostArrayTasks);
        return std::nullopt;
      }
    }
  }
  std::sort(spec.tasks.begin(), spec.tasks.end());
  spec.tasks.erase(std::unique(spec.tasks.begin(), spec.tasks.end()), spec.tasks.end());
  return spec;
}

std::optional<DependencySpec> parse_dependency(std::string_view text, std::string& problem) {
  DependencySpec spec;
  spec.any = text.find('?') != std::string_view::npos;
  if (spec.any && text.find(',') != std::string_view::npos) {
    problem = "expected either \",\" (all of them) or \"?\" (one of them), not both";
    return std::nullopt;
  }
  std::optional<std::string_view> rest = text;
  while (rest) {
    const std::string_view one = cut(*rest, spec.any ? '?' : ',', rest);
    if (!parse_one(one, spec.list, problem)) return std::nullopt;
  }
  return spec;
}

std::optional<std::pair<std::int32_t, std::int32_t>> parse_nodes(std::string_view text, std::string& problem) {
  const auto dash = text.find('-');
  const std::string_view ends[] = {text.substr(0, dash), dash == text.npos ? text : text.substr(dash + 1)};
  std::int32_t nodes[2] = {};
  for (int i = 0; i < 2; ++i) {
    const auto [end, error] = std::from_chars(ends[i].data(), ends[i].data() + ends[i].size(), nodes[i]);
    if (error != std::errc() || end != ends[i].data() + ends[i].size() || nodes[i] < 1 || nodes[i] > 100'000'000) {
      problem = fmt::format("found {}, expected a number of nodes, or a range such as \"2-5\"", text);
      return std::nullopt;
    }
  }
  if (nodes[0] > nodes[1]) {
    problem = fmt::format("found {}, expected the smaller number first", text);
    return std::nullopt;
  }
  return std::pair(nodes[0], nodes[1]);
}

}  // namespace headroom
