#include "models/workload/load.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include "models/errors.hpp"
#include "models/policies/registry.hpp"
#include "models/policies/slurm/resources.hpp"
#include "models/workload/inline_jobs.hpp"
#include "models/workload/lublin.hpp"
#include "models/workload/poisson.hpp"
#include "models/workload/swf.hpp"

namespace headroom {
namespace {

namespace fs = std::filesystem;

// The name itself, then the same log under another compression.
std::vector<std::string> spellings(const std::string& name) {
  std::string bare = name;
  for (const char* suffix : {".zst", ".gz"}) {
    if (bare.ends_with(suffix)) bare.resize(bare.size() - std::string(suffix).size());
  }
  std::vector<std::string> all{name};
  for (const char* suffix : {"", ".gz", ".zst"}) {
    if (bare + suffix != name) all.push_back(bare + suffix);
  }
  return all;
}

// What slurm.conf means for jobs that do not say otherwise.
void apply_slurm_conf(Workload& workload, const slurm::Conf& conf, const std::vector<InlineJob>& jobs) {
  for (WorkloadJob& job : workload.jobs) {
    job.stop_time = std::min(job.stop_time, conf.kill_wait * kSecond);  // then SIGKILL follows
    JobRequest& request = job.request;
    if (!conf.memory || request.memory_unit != MemoryUnit::whole) continue;
    const std::uint32_t position = request.terms > 0 ? workload.terms[request.terms - 1].asks : 0;
    slurm::Asks asks;
    if (position > 0) asks = jobs[position - 1].asks;
    slurm::set_default_memory(conf, asks, request);
  }
}

}  // namespace

std::string find_trace(const std::string& name, const std::string& scenario_file) {
  if (name == "-" || fs::path(name).is_absolute()) return name;
  std::vector<fs::path> folders;
  folders.push_back(fs::path(scenario_file).parent_path());
  if (const char* listed = std::getenv("HEADROOM_TRACES")) {
    std::string left = listed;
    while (!left.empty()) {
      const std::size_t colon = left.find(':');
      if (colon != 0) folders.emplace_back(left.substr(0, colon));
      left.erase(0, colon == std::string::npos ? left.size() : colon + 1);
    }
  }
  std::string searched;
  std::error_code ignored;
  for (const fs::path& folder : folders) {
    for (const std::string& spelling : spellings(name)) {
      const fs::path path = folder / spelling;
      if (fs::exists(path, ignored)) return path.string();
    }
    searched += (searched.empty() ? "" : ", ") + (folder.empty() ? std::string(".") : folder.string());
  }
  throw InputError((scenario_file.empty() ? "workload.trace" : scenario_file + ": workload.trace") + ": no log \"" +
                   name + "\" in " + searched +
                   "; name its folder in HEADROOM_TRACES, or get it with tools/get-traces.sh");
}

namespace {

// The users that slurmdbd knows come first, in its order, so that the policy knows them by number.
void put_first(const std::vector<NamedSettings>& known, Workload& workload) {
  if (known.empty()) return;
  std::vector<std::string> names;
  std::map<std::string, std::uint32_t> numbers;
  const auto number = [&](const std::string& name) {
    const auto [entry, is_new] = numbers.emplace(name, static_cast<std::uint32_t>(names.size()));
    if (is_new) names.push_back(name);
    return entry->second;
  };
  for (const NamedSettings& user : known) number(user.name);
  for (WorkloadJob& job : workload.jobs) job.request.user = number(workload.user_names[job.request.user]);
  workload.user_names = std::move(names);
}

// Nodes that the job asks for; where it asks for cores alone, as many as they take of its queue's first group.
std::int32_t width_of(const JobRequest& request, const ClusterSpec& spec) {
  if (request.nodes > 0) return request.nodes;
  const std::vector<GroupId>& groups = spec.queues[index(request.queue)].groups;
  if (groups.empty()) return 1;
  const std::int32_t cores = spec.groups[index(groups.front())].cores;
  return request.cores / cores + (request.cores % cores > 0 ? 1 : 0);
}

// One draw for each job, by its position: a rule added at the end shifts no other job.
void draw_communication(const std::vector<CommunicationRule>& rules, std::uint64_t seed, const ClusterSpec& spec,
                        Workload& workload) {
  if (rules.empty()) return;
  std::vector<std::uint32_t> numbers(
      rules.size());  // of their profiles in the workload; 0: none of its jobs has it yet
  for (std::size_t j = 0; j < workload.jobs.size(); ++j) {
    WorkloadJob& job = workload.jobs[j];
    if (job.communication > 0) continue;
    const std::int32_t width = width_of(job.request, spec);
    double drawn = Substream(seed, Purpose::communication, j).uniform();
    for (std::size_t r = 0; r < rules.size() && job.communication == 0; ++r) {
      if (width < rules[r].min_nodes || width > rules[r].max_nodes) continue;
      drawn -= rules[r].of_jobs;
      if (drawn >= 0) continue;
      if (numbers[r] == 0) {
        workload.communication.push_back(rules[r].profile);
        numbers[r] = static_cast<std::uint32_t>(workload.communication.size());
      }
      job.communication = numbers[r];
    }
  }
}

// JobRequeue=0, for jobs that have no terms of their own.
void never_requeue(Workload& workload) {
  JobTerms terms;
  terms.requeue = false;
  workload.terms.assign(1, terms);
  for (WorkloadJob& job : workload.jobs) job.request.terms = 1;
}

}  // namespace

std::vector<std::string> user_names(const Scenario& scenario) {
  const WorkloadOptions& options = scenario.workload;
  std::vector<std::string> names;
  std::set<std::string> seen;
  const auto add = [&](const std::string& name) {
    if (seen.insert(name).second) names.push_back(name);
  };
  for (const NamedSettings& user : scenario.scheduler.slurm_users) add(user.name);
  if (options.source == WorkloadOptions::Source::poisson) {
    for (const auto& [name, weight] : options.poisson.users) add(name);
  } else if (options.source == WorkloadOptions::Source::jobs) {
    const std::size_t count =
        options.max_jobs > 0 ? std::min<std::size_t>(options.max_jobs, options.jobs.size()) : options.jobs.size();
    std::vector<const InlineJob*> jobs;
    for (std::size_t j = 0; j < count; ++j) jobs.push_back(&options.jobs[j]);
    std::stable_sort(jobs.begin(), jobs.end(),
                     [](const InlineJob* a, const InlineJob* b) { return a->submit < b->submit; });
    for (const InlineJob* job : jobs) add(job->user.empty() ? "unknown" : job->user);
  }
  return names;
}

Workload load_workload(const Scenario& scenario, const Design& design) {
  const WorkloadOptions& options = scenario.workload;
  Workload workload;
  switch (options.source) {
    case WorkloadOptions::Source::trace: {
      const std::string path = find_trace(options.trace, scenario.file);
      workload = read_swf(path, {}, options.map, options.filter, design.queue_names, options.max_jobs);
      break;
    }
    case WorkloadOptions::Source::lublin: {
      LublinOptions lublin = options.lublin;
      if (options.max_jobs > 0) lublin.jobs = std::min(lublin.jobs, options.max_jobs);
      workload = generate_lublin(lublin, scenario.seed, options.map, design.queue_names);
      break;
    }
    case WorkloadOptions::Source::poisson: {
      PoissonOptions poisson = options.poisson;
      if (options.max_jobs > 0) poisson.jobs = std::min(poisson.jobs, options.max_jobs);
      workload = generate_poisson(poisson, scenario.seed, options.map, design.queue_names);
      break;
    }
    case WorkloadOptions::Source::jobs: {
      std::vector<InlineJob> jobs = options.jobs;
      if (options.max_jobs > 0 && jobs.size() > options.max_jobs) jobs.resize(options.max_jobs);
      workload = inline_workload(jobs, design.queue_names, scenario.file, runs_slurm(scenario));
      break;
    }
  }
  if (options.source != WorkloadOptions::Source::jobs) {
    for (WorkloadJob& job : workload.jobs) job.checkpoint_interval = options.checkpoint_interval;
  }
  draw_communication(options.communication, scenario.seed, design.spec, workload);
  put_first(scenario.scheduler.slurm_users, workload);
  if (runs_slurm(scenario)) {
    const slurm::Conf conf = slurm_conf(scenario);
    // Jobs of a scenario may say otherwise, and have been asked.
    if (!conf.job_requeue && options.source != WorkloadOptions::Source::jobs) never_requeue(workload);
    apply_slurm_conf(workload, conf, options.jobs);
  }
  return workload;
}

}  // namespace headroom
