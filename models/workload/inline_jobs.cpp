#include "models/workload/inline_jobs.hpp"

#include <algorithm>
#include <limits>
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
    throw InputError((job.file.empty() ? file : job.file) + ":" + std::to_string(job.line) + ": job \"" + name +
                     "\": " + problem);
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

// As sbatch and slurmctld lay tasks out.
void set_layout(JobRequest& request, JobTerms& terms, const InlineJob& job, const Place& place) {
  const std::int32_t cpus_per_task = std::max(job.cpus_per_task, 1);
  const std::int32_t tasks = std::max(job.tasks, job.cpus);
  if (job.asks.overcommit) {
    // A core on each node, whatever its tasks.
    request.exclusive = job.exclusive;
    request.nodes = tasks > 0 ? std::min(job.nodes, tasks) : job.nodes;
    request.cores = 1;
    return;
  }
  const auto cores = [&](std::int32_t of_tasks) {
    const std::int64_t all = std::int64_t{of_tasks} * cpus_per_task * (tasks > 0 ? 1 : std::max(job.nodes, 1));
    if (all > std::numeric_limits<std::int32_t>::max()) place.fail("asks for " + std::to_string(all) + " cores");
    return of_tasks * cpus_per_task;
  };
  request.exclusive = job.exclusive;
  request.nodes = job.nodes;
  terms.cpus_per_task = cpus_per_task;
  if (job.asks.max_nodes > 0) {
    // A range of nodes: how many it gets is slurmctld's affair.
    terms.tasks = tasks;
    terms.tasks_per_node = job.tasks_per_node;
    request.cores = cores(tasks > 0 ? tasks : job.asks.min_nodes * std::max(job.tasks_per_node, 1));
  } else if (tasks > 0) {
    if (job.nodes > 0 && job.tasks_per_node > 0 && std::int64_t{job.nodes} * job.tasks_per_node < tasks) {
      place.fail("found " + std::to_string(tasks) + " tasks on " + std::to_string(job.nodes) +
                 " nodes, expected at most tasksPerNode = " + std::to_string(job.tasks_per_node) + " on each");
    }
    request.nodes = std::min(job.nodes, tasks);  // sbatch warns, and takes fewer nodes
    request.cores = cores(tasks);
    request.spread = request.nodes > 0;
    if (job.tasks_per_node > 0 || cpus_per_task > 1 || !job.asks.nodelist.empty()) {
      terms.tasks = tasks;
      terms.tasks_per_node = job.tasks_per_node;
    }
  } else if (job.nodes > 0 || job.tasks_per_node > 0) {
    const std::int32_t on_each = std::max(job.tasks_per_node, 1);
    request.nodes = std::max(job.nodes, 1);
    request.cores = cores(on_each);
    if (cpus_per_task > 1) terms.tasks_per_node = on_each;
  } else {
    request.cores = cores(1);
    if (cpus_per_task > 1) terms.tasks = 1;
  }
}

void set_memory(JobRequest& request, const InlineJob& job) {
  if (job.memory_per_node > 0) {
    request.memory_unit = MemoryUnit::per_node;
    request.memory = job.memory_per_node;
  } else if (job.memory_per_cpu > 0) {
    request.memory_unit = MemoryUnit::per_core;
    request.memory = job.memory_per_cpu;
  }
}

}  // namespace

Workload inline_workload(const std::vector<InlineJob>& jobs, const std::vector<std::string>& queue_names,
                         const std::string& file, bool for_slurm) {
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

  std::map<std::string, JobId> first_of;  // by name: the job, or an array's first task
  std::map<std::string, std::uint32_t> numbers_of_names;
  std::map<CommunicationProfile, std::uint32_t> numbers_of_profiles;
  for (const std::size_t position : order) {
    const InlineJob& from = jobs[position];
    const std::string name = from.id.empty() ? std::to_string(position + 1) : from.id;
    const Place place{file, from, name};
    const JobId first{static_cast<std::uint32_t>(workload.jobs.size())};
    WorkloadJob job;
    job.number = position + 1;
    job.run_time = from.run_time;
    job.checkpoint_interval = from.checkpoint_interval;
    if (from.communication) {
      const auto next = static_cast<std::uint32_t>(workload.communication.size() + 1);
      const auto [profile, is_first] = numbers_of_profiles.emplace(*from.communication, next);
      if (is_first) workload.communication.push_back(*from.communication);
      job.communication = profile->second;
    }
    if (from.exit_code != 0) job.outcome = Outcome::failed;
    job.request.submit = from.submit;
    job.request.limit = from.time_limit > 0 ? from.time_limit : kNoTimeLimit;
    unlimited += static_cast<std::uint64_t>(from.time_limit <= 0);
    killed += static_cast<std::uint64_t>(from.run_time > job.request.limit);
    JobTerms terms;
    if (for_slurm) {
      set_layout(job.request, terms, from, place);
      set_memory(job.request, from);
      job.stop_time = from.stop_time;
      terms.priority = from.priority;
      terms.nice = from.nice;
      terms.begin = from.begin;
      terms.held = from.hold;
      terms.requeue = from.requeue;
      if (!from.name.empty()) {
        const auto next = static_cast<std::uint32_t>(numbers_of_names.size() + 1);
        terms.name = numbers_of_names.emplace(from.name, next).first->second;
      }
      if (from.asks != slurm::Asks{}) terms.asks = static_cast<std::uint32_t>(position) + 1;
      terms.any_dependency = from.dependency.any;
      for (const NamedDependency& each : from.dependency.list) {
        Dependency dependency{each.kind, JobId{0}, each.delay};
        if (each.kind != Dependency::Kind::singleton) {
          const auto found = first_of.find(each.job);
          if (found == first_of.end()) {
            place.fail("dependency: found \"" + each.job + "\", expected a job that is submitted before this one");
          }
          dependency.job = found->second;
        }
        terms.dependencies.push_back(dependency);
      }
      first_of.emplace(name, first);
    } else {
      set_shape(job.request, from, place);
      job.request.requeue = from.requeue;
    }

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
    if (!for_slurm || from.array.tasks.empty()) {
      if (terms != JobTerms{}) {
        workload.terms.push_back(terms);
        job.request.terms = static_cast<std::uint32_t>(workload.terms.size());
      }
      workload.jobs.push_back(job);
      workload.job_names.push_back(name);
      continue;
    }
    terms.array = first;
    terms.array_tasks = static_cast<std::int32_t>(from.array.tasks.size());
    terms.array_limit = from.array.limit;
    for (const std::int32_t task : from.array.tasks) {
      terms.array_task = task;
      workload.terms.push_back(terms);
      job.request.terms = static_cast<std::uint32_t>(workload.terms.size());
      workload.jobs.push_back(job);
      workload.job_names.push_back(name + "_" + std::to_string(task));
      const auto taken = line_of_name.emplace(workload.job_names.back(), from.line);
      if (!taken.second) {
        place.fail("its task " + workload.job_names.back() + " has the id of the job in line " +
                   std::to_string(taken.first->second));
      }
    }
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
