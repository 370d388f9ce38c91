#include "models/workload/poisson.hpp"

#include <algorithm>
#include <cmath>

#include "models/errors.hpp"
#include "models/workload/request_map.hpp"

namespace headroom {
namespace {

// The substreams of Purpose::workload below are the Lublin model's.
constexpr std::uint64_t kArrivals = 16;
constexpr std::uint64_t kUsers = 17;
constexpr std::uint64_t kFirstRunTime = std::uint64_t{1} << 32;

constexpr double kLastArrivalSeconds = 1e10;

Time requested_time(Time run_time, double factor) {
  const double minutes = std::ceil(static_cast<double>(run_time) * factor / static_cast<double>(kMinute));
  return static_cast<Time>(std::clamp(minutes, 1.0, static_cast<double>(kLongestRequest / kMinute))) * kMinute;
}

}  // namespace

Workload generate_poisson(const PoissonOptions& options, std::uint64_t seed, const TraceMap& map,
                          const std::vector<std::string>& queue_names) {
  ensure(options.processors_per_job > 0 && options.mean_interarrival > 0 && options.estimate_factor >= 1 &&
             options.load_factor > 0,
         "options of the Poisson generator are in their ranges");
  const RequestMap requests(map, queue_names);
  Workload workload;
  workload.source = "poisson";
  workload.records = options.jobs;
  double all_weights = 0;
  for (const auto& [name, weight] : options.users) {
    workload.user_names.push_back(name);
    all_weights += weight;
  }
  if (options.users.empty()) workload.user_names = {"unknown"};
  workload.jobs.reserve(static_cast<std::size_t>(options.jobs));

  const double mean_gap = static_cast<double>(options.mean_interarrival) / options.load_factor;
  Substream arrivals(seed, Purpose::workload, kArrivals);
  Substream users(seed, Purpose::workload, kUsers);
  const auto draw_user = [&]() -> std::uint32_t {
    if (options.users.empty()) return 0;
    double left = users.uniform() * all_weights;
    std::uint32_t user = 0;
    while (user + 1 < options.users.size() && left >= options.users[user].second) left -= options.users[user++].second;
    return user;
  };
  Time submit = 0;
  std::uint64_t killed = 0;
  for (std::uint64_t number = 1; number <= options.jobs; ++number) {
    const double gap = -mean_gap * std::log(1.0 - arrivals.uniform());
    if (static_cast<double>(submit) + gap > kLastArrivalSeconds * static_cast<double>(kSecond)) {
      throw InputError("workload.meanInterarrival: job " + std::to_string(number) +
                       " arrives more than 10^10 s after the start; expected shorter gaps or fewer jobs");
    }
    submit += std::llround(gap);
    Substream run_times(seed, Purpose::workload, kFirstRunTime + number);
    WorkloadJob job;
    job.number = number;
    job.run_time = options.run_time.sample(run_times, 1);
    job.request.submit = submit;
    job.request.limit = requested_time(job.run_time, options.estimate_factor);
    killed += static_cast<std::uint64_t>(job.run_time > job.request.limit);
    requests.fill(job.request, options.processors_per_job, 0);
    job.request.user = draw_user();
    workload.jobs.push_back(job);
  }
  if (killed > 0) {
    workload.adjustments.push_back({"run time over requested time: will be killed at the limit", killed});
  }
  return workload;
}

}  // namespace headroom
