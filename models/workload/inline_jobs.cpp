#include "models/workload/inline_jobs.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "models/errors.hpp"

namespace headroom {

namespace {

std::int32_t divide_up(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>((std::int64_t{a} + b - 1) / b);
}

struct Place {
  const std::string& file;
  const InlineJob& job;
  const std::string& name;
  [[noreturn]] void fail(const std::string& problem) const {
    throw InputError(file + ":" + std::to_string(job.line) + ": job \"" + name + "\": " + problem);
  }
};

void set_shape(JobRequest& request, const InlineJob& job, const Place& place) {
  request.exclusive = job.exclusive;
  request.nodes = job.nodes;
  if (job.nodes > 0 && job.cpus > 0) {
    request.cores = divide_up(job.cpus, job.nodes);
    if (job.tasks_per_node > 0 && request.cores > job.tasks_per_node) {
      place.fail("found " + std::to_string(job.cpus) + " cpus on " + std::to_string(job.nodes) +
                 " nodes, expected at most tasksPerNode = " + std::to_string(job.tasks_per_node) + " on each");
    }
  } else if (job.nodes > 0) {
    request.cores = std::max(job.tasks_per_node, 1);
  } else if (job.tasks_per_node > 0) {
    request.nodes = job.cpus > 0 ? divide_up(job.cpus, job.tasks_per_node) : 1;
    request.cores = job.cpus > 0 ? std::min(job.cpus, job.tasks_per_node) : job.tasks_per_node;
  } else {
    request.cores = std::max(job.cpus, 1);
  }
}

}  // namespace

Workload inline_workload(const std::vector<InlineJob>& jobs, const std::vector<std::string>& queue_names,
                         const std::string& file) {
  Workload workload;
  workload.source = file;
  workload.records = jobs.size();
  std::map<std::string, int> line_of_name;
  std::map<std::string, std::uint32_t> users;
  std::uint64_t unlimited = 0;
  std::uint64_t killed = 0;

  std::vector<std::size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const InlineJob& job = jobs[i];
    const std::string name = job.id.empty() ? std::to_string(i + 1) : job.id;
    const Place place{file, job, name};
    if (const auto [first, is_new] = line_of_name.emplace(name, job.line); !is_new) {
      place.fail("the id is taken by the job in line " + std::to_string(first->second) + ", expected another");
    }
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return jobs[a].submit < jobs[b].submit; });

  for (const std::size_t position : order) {
    const InlineJob& from = jobs[position];
    workload.job_names.push_back(from.id.empty() ? std::to_string(position + 1) : from.id);
    const Place place{file, from, workload.job_names.back()};
    WorkloadJob job;
    job.number = position + 1;
    job.run_time = from.run_time;
    job.request.submit = from.submit;
    job.request.limit = from.time_limit > 0 ? from.time_limit : kNoTimeLimit;
    unlimited += static_cast<std::uint64_t>(from.time_limit <= 0);
    killed += static_cast<std::uint64_t>(from.run_time > job.request.limit);
    set_shape(job.request, from, place);

    const std::string user = from.user.empty() ? "unknown" : from.user;
    const auto [entry, is_new] = users.emplace(user, static_cast<std::uint32_t>(workload.user_names.size()));
    if (is_new) {
      workload.user_names.push_back(user);
    }
    job.request.user = entry->second;

    if (!from.queue.empty()) {
      const auto found = std::find(queue_names.begin(), queue_names.end(), from.queue);
      if (found == queue_names.end()) {
        place.fail("queue: found \"" + from.queue + "\", expected one of the scenario's queues");
      }
      job.request.queue = static_cast<QueueId>(found - queue_names.begin());
    }
    workload.jobs.push_back(job);
  }
  if (unlimited > 0) {
    workload.adjustments.push_back({"no time limit: 365 days taken", unlimited});
  }
  if (killed > 0) {
    workload.adjustments.push_back({"run time over requested time: will be killed at the limit", killed});
  }
  return workload;
}

}  // namespace headroom
