#include "models/operations.hpp"

#include <map>

#include <fmt/format.h>

#include "models/errors.hpp"
#include "models/policies/slurm/conf.hpp"
#include "models/scenario/options.hpp"

namespace headroom {
namespace {

// All that is wrong, one a line.
class Wrongs {
 public:
  void add(const std::string& place, const std::string& what) {
    if (++count_ <= Problems::kShown) text_ += (text_.empty() ? "" : "\n") + place + ": " + what;
  }
  void raise() const {
    if (count_ > Problems::kShown) {
      throw InputError(fmt::format("{}\n{} more problems", text_, count_ - Problems::kShown));
    }
    if (count_ > 0) throw InputError(text_);
  }

 private:
  std::size_t count_ = 0;
  std::string text_;
};

class Nodes {
 public:
  explicit Nodes(const Design& design) : names_(design.node_names()) {
    for (std::uint32_t n = 0; n < names_.size(); ++n) number_of_[names_[n]] = NodeId{n};
  }
  std::vector<NodeId> of(const std::string& list, const std::string& place, Wrongs& wrongs) const {
    std::vector<NodeId> nodes;
    for (const std::string& name : slurm::expand_hostlist(list)) {
      const auto found = number_of_.find(name);
      if (found == number_of_.end()) {
        const std::vector<std::string_view> known(names_.begin(), names_.end());
        const std::string hint = nearest_hint(name, known);
        wrongs.add(place, fmt::format("no node {};{}", quote(name),
                                      hint.empty() ? fmt::format(" the first is {}", quote(names_.front())) : hint));
        break;
      }
      nodes.push_back(found->second);
    }
    return nodes;
  }

 private:
  std::vector<std::string> names_;
  std::map<std::string, NodeId> number_of_;
};

// Jobs by name; an array's name stands for all its tasks.
class Jobs {
 public:
  explicit Jobs(const Workload& workload) {
    for (std::uint32_t j = 0; j < workload.jobs.size(); ++j) {
      const WorkloadJob& job = workload.jobs[j];
      std::string name = workload.job_names.empty() ? std::to_string(job.number) : workload.job_names[j];
      if (const std::uint32_t terms = job.request.terms; terms > 0 && workload.terms[terms - 1].array_tasks > 0) {
        jobs_of_[name.substr(0, name.rfind('_'))].push_back(JobId{j});
      }
      jobs_of_[std::move(name)].push_back(JobId{j});
    }
  }
  const std::vector<JobId>* named(const std::string& name) const {
    const auto found = jobs_of_.find(name);
    return found == jobs_of_.end() ? nullptr : &found->second;
  }

 private:
  std::map<std::string, std::vector<JobId>> jobs_of_;
};

// A job may name a queue that is created later, if it is submitted after that was asked for: before, nobody has heard
// of the queue.
void check_queues(const Scenario& scenario, Time origin, Wrongs& wrongs) {
  for (const InlineJob& job : scenario.workload.jobs) {
    for (const QueueDesign& queue : scenario.queues) {
      if (queue.name != job.queue || !queue.created || job.submit >= origin + *queue.created) continue;
      wrongs.add(fmt::format("{}:{}: workload.jobs: queue", job.file.empty() ? scenario.file : job.file, job.line),
                 fmt::format("the queue {} is created only later", quote(queue.name)));
    }
  }
}

bool is_update(const Operation& operation) { return !operation.settings.empty(); }

}  // namespace

std::vector<Disturbance> disturbances_of(const Scenario& scenario, const Design& design, const Workload& workload,
                                         Time origin) {
  std::vector<Disturbance> disturbances;
  const bool none = scenario.operations.empty() && scenario.answers.empty() && scenario.faults.empty();
  if (none) return disturbances;
  Wrongs wrongs;
  const Nodes nodes(design);
  const Jobs jobs(workload);
  const auto add = [&](Time at, Stimulus::Kind kind, std::uint32_t subject, std::uint32_t detail) {
    disturbances.push_back({origin + at, {kind, subject, detail}});
  };
  std::uint32_t update = 0;
  for (const Operation& operation : scenario.operations) {
    const std::uint32_t number_of_update = is_update(operation) ? update++ : 0;
    if (operation.of_partition) {
      add(operation.at, Stimulus::Kind::updated, number_of_update, 0);
      continue;
    }
    if (!operation.of_job) {
      for (const NodeId node : nodes.of(operation.target, operation.place, wrongs)) {
        add(operation.at, Stimulus::Kind::node_asked, number(node), static_cast<std::uint32_t>(operation.node_action));
      }
      continue;
    }
    const std::vector<JobId>* const found = jobs.named(operation.target);
    if (found == nullptr) {
      wrongs.add(operation.place, fmt::format("no job has the id {}", quote(operation.target)));
      continue;
    }
    if (workload.jobs[index(found->front())].request.submit > origin + operation.at) {
      wrongs.add(operation.place, fmt::format("the job {} is submitted only later", quote(operation.target)));
      continue;
    }
    for (const JobId job : *found) {
      if (is_update(operation)) {
        add(operation.at, Stimulus::Kind::updated, number_of_update, number(job));
        continue;
      }
      add(operation.at, Stimulus::Kind::job_asked, number(job), static_cast<std::uint32_t>(operation.job_action));
    }
  }
  for (std::uint32_t c = 0; c < scenario.changes.size(); ++c) {
    add(scenario.changes[c].at, Stimulus::Kind::cluster_changed, c, 0);
  }
  check_queues(scenario, origin, wrongs);
  for (const Fault& fault : scenario.faults) {
    if (fault.kind == Fault::Kind::boot_failure) {
      nodes.of(fault.nodes, fault.place, wrongs);  // boot_faults_of
      continue;
    }
    const bool lost = fault.kind == Fault::Kind::node_lost;
    for (const NodeId node : nodes.of(fault.nodes, fault.place, wrongs)) {
      add(fault.at, lost ? Stimulus::Kind::node_lost : Stimulus::Kind::node_back, number(node), 0);
    }
  }
  wrongs.raise();
  return disturbances;
}

std::vector<SimulatedCloud::BootFault> boot_faults_of(const Scenario& scenario, const Design& design) {
  std::vector<SimulatedCloud::BootFault> faults;
  Wrongs wrongs;
  const Nodes nodes(design);
  for (const Fault& fault : scenario.faults) {
    if (fault.kind != Fault::Kind::boot_failure) continue;
    for (const NodeId node : nodes.of(fault.nodes, fault.place, wrongs)) {
      faults.push_back({node, fault.times > 0 ? fault.times : SimulatedCloud::kAlways});
    }
  }
  wrongs.raise();
  return faults;
}

}  // namespace headroom
