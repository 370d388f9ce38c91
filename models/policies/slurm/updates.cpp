#include "models/policies/slurm/updates.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>

namespace headroom::slurm {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

std::optional<std::int64_t> whole(std::string_view value, std::int64_t least, std::int64_t most) {
  const std::string text(value);
  char* end = nullptr;
  errno = 0;
  const long long number = std::strtoll(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || errno != 0 || number < least || number > most) return std::nullopt;
  return number;
}

}  // namespace

std::string set(JobChange& change, std::string_view name, std::string_view value) {
  const std::string key = lower(name);
  constexpr std::int64_t kNice = 2'147'483'645;
  if (key == "nice" || key == "sitefactor") {
    const auto number = whole(value, -kNice, kNice);
    if (!number) return "expected a whole number";
    (key == "nice" ? change.nice : change.site_factor) = static_cast<std::int32_t>(*number);
  } else if (key == "priority") {
    const auto number = whole(value, 0, 4'294'967'294);
    if (!number) return "expected a whole number from 0 to 4294967294";
    change.priority = static_cast<std::uint32_t>(*number);
  } else if (key == "timelimit") {
    change.time_limit = parse_duration(value);
    if (!change.time_limit) return "expected a time such as 30 or 1-00:00:00";
  } else if (key == "partition") {
    for (std::string_view rest = value; !rest.empty();) {
      const auto comma = std::min(rest.find(','), rest.size());
      change.partitions.emplace_back(rest.substr(0, comma));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    if (change.partitions.empty()) return "expected the name of a partition";
  } else {
    return "is not followed; expected nice, sitefactor, priority, timelimit or partition";
  }
  return "";
}

std::string set(Update& update, const Partition& partition, std::string_view name, std::string_view value) {
  const std::string key = lower(name);
  for (const Parameter& parameter : parameters()) {
    if (parameter.where != "partition" || lower(parameter.name) != key) continue;
    Partition copy = partition;
    // Jobs that have come, and the core's books, have their memory and CPUs by then.
    constexpr std::string_view kAtTheStart[] = {"defmempercpu", "defmempernode", "defmempergpu", "defcpupergpu",
                                                "jobdefaults"};
    if (std::find(std::begin(kAtTheStart), std::end(kAtTheStart), key) != std::end(kAtTheStart)) {
      return "cannot be changed while it runs: jobs get their defaults as it is at the start";
    }
    if (key.starts_with("suspend") || key.starts_with("resume")) return "is not followed while nodes have power";
    const std::string problem = set(copy, parameter.name, value);
    const auto shares = [](const Partition& p) { return p.max_share > 1 || p.force_share; };
    if (problem.empty() && shares(partition) != shares(copy)) {
      return "is not followed: whether a partition's jobs share CPUs stays as it is at the start";
    }
    if (key == "oversubscribe" && partition.max_share != copy.max_share) {
      return "is not followed: how many jobs share a CPU stays as it is at the start";
    }
    if (problem.empty()) update.settings.emplace_back(parameter.name, value);
    return problem;
  }
  return "is no setting of a partition";
}

}  // namespace headroom::slurm
