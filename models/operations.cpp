#include "models/operations.hpp"

#include <map>

#include <fmt/format.h>

#include "models/errors.hpp"
#include "models/policies/slurm/conf.hpp"
#include "models/scenario/design.hpp"
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
  explicit Nodes(const Design& design) : design_(design), names_(design.node_names()) {
    for (std::uint32_t n = 0; n < names_.size(); ++n) number_of_[names_[n]] = NodeId{n};
  }
  // Those that a fault is about.
  std::vector<NodeId> of(const Fault& fault, Wrongs& wrongs) const {
    if (!fault.of_group) return of(fault.nodes, fault.place, wrongs);
    std::vector<NodeId> nodes;
    std::uint32_t first = 0;
    for (std::size_t g = 0; g < design_.groups.size(); ++g) {
      const auto count = static_cast<std::uint32_t>(design_.spec.groups[g].nodes);
      for (std::uint32_t n = 0; n < count && design_.groups[g].name == fault.nodes; ++n) {
        nodes.push_back(NodeId{first + n});
      }
      first += count;
    }
    return nodes;
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
  const Design& design_;
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
    const std::vector<NodeId> found = nodes.of(fault, wrongs);
    const bool lost = fault.kind == Fault::Kind::node_lost;
    if (!lost && fault.kind != Fault::Kind::node_back) continue;  // boot_faults_of, mishaps_of
    for (const NodeId node : found) {
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
    const bool fails = fault.kind == Fault::Kind::boot_failure;
    if (!fails && fault.kind != Fault::Kind::slow_boot) continue;
    const std::uint32_t times = fault.times > 0 ? fault.times : SimulatedCloud::kAlways;
    for (const NodeId node : nodes.of(fault, wrongs)) {
      SimulatedCloud::BootFault& each = faults.emplace_back();
      each.node = node;
      (fails ? each.failures : each.slow) = times;
      each.factor = fault.factor;
    }
  }
  wrongs.raise();
  return faults;
}

namespace {

// Whether "c6i.large", "c6i.*" or "default" means the type.
bool means(const std::string& types, const std::string& type) {
  if (types.ends_with(".*")) return type.starts_with(types.substr(0, types.size() - 1));
  return types == "default" || types == type;
}

void check_types(const std::string& types, const std::string& place, Wrongs& wrongs) {
  const std::vector<InstanceType> all = all_instance_types();
  if (std::any_of(all.begin(), all.end(), [&](const InstanceType& type) { return means(types, type.name); })) return;
  wrongs.add(place, unknown_instance_type(types));
}

// The most exact of what the scenario says of a type; 0: it is never interrupted.
double mean_to_interruption(const SpotOptions& spot, const std::string& type) {
  const SpotInterruption* best = nullptr;
  const auto exactness = [](const SpotInterruption& each) {
    return each.types == "default" ? 0 : each.types.ends_with(".*") ? 1 : 2;
  };
  for (const SpotInterruption& each : spot.interruptions) {
    if (means(each.types, type) && (best == nullptr || exactness(each) > exactness(*best))) best = &each;
  }
  return best == nullptr ? 0 : best->mean_to_interruption;
}

}  // namespace

Mishaps mishaps_of(const Scenario& scenario, const Design& design, Time origin) {
  Mishaps::Plan plan;
  if (design.is_pool) return Mishaps(plan);
  Wrongs wrongs;
  const Nodes nodes(design);
  const SpotOptions& spot = scenario.cloud.spot;
  plan.seed = scenario.seed;
  plan.notice = spot.notice;
  plan.rebalance_lead = spot.rebalance_lead;
  for (const SpotInterruption& each : spot.interruptions) {
    if (each.types != "default") check_types(each.types, each.place, wrongs);
  }
  std::vector<GroupId> group_of;
  for (std::uint32_t g = 0; g < design.groups.size(); ++g) {
    const GroupFacts& facts = design.groups[g];
    Mishaps::Group& group = plan.groups.emplace_back();
    if (g < scenario.cloud.failures_of_group.size()) group.failures = scenario.cloud.failures_of_group[g];
    const bool interrupted = facts.purchase == Purchase::spot;
    for (const Offer& offer : facts.offers) {
      group.offers.push_back({offer.zone, interrupted ? mean_to_interruption(spot, offer.type.name) : 0});
    }
    group_of.insert(group_of.end(), static_cast<std::size_t>(design.spec.groups[g].nodes), GroupId{g});
  }
  for (const Fault& fault : scenario.faults) {
    const Time from = origin + fault.at;
    switch (fault.kind) {
      case Fault::Kind::strike:
        for (const NodeId node : nodes.of(fault, wrongs)) {
          const GroupFacts& facts = design.groups[index(group_of[index(node)])];
          if (fault.strike == Mishaps::Strike::Kind::interruption && facts.purchase != Purchase::spot) {
            wrongs.add(fault.place, fmt::format("instances of {} are no Spot Instances", quote(facts.name)));
            break;
          }
          plan.strikes.push_back({from, node, fault.strike});
        }
        break;
      case Fault::Kind::zone_outage:
        plan.outages.push_back({from, fault.zone});
        break;
      case Fault::Kind::api_brownout:
      case Fault::Kind::capacity_drought:
        break;  // add_faults
      case Fault::Kind::node_lost:
      case Fault::Kind::node_back:
      case Fault::Kind::boot_failure:
      case Fault::Kind::slow_boot:
        break;  // disturbances_of, boot_faults_of
    }
  }
  wrongs.raise();
  return Mishaps(std::move(plan));
}

void add_faults(const Scenario& scenario, Ec2Settings& settings) {
  Wrongs wrongs;
  for (const Fault& fault : scenario.faults) {
    const Time until = fault.at + fault.duration;
    if (fault.kind == Fault::Kind::api_brownout) {
      settings.brown_outs.push_back({fault.at, until, fault.refusal, fault.share});
    } else if (fault.kind == Fault::Kind::capacity_drought || fault.kind == Fault::Kind::zone_outage) {
      if (!fault.instance_type.empty()) check_types(fault.instance_type, fault.place, wrongs);
      CapacityRule& rule = settings.capacity.emplace_back();
      if (!fault.instance_type.empty()) rule.instance_type = fault.instance_type;
      rule.zone = fault.zone;
      rule.limit.at = {{fault.at, fault.limit}, {until, std::nullopt}};
    }
  }
  wrongs.raise();
}

}  // namespace headroom
