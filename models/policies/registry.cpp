#include "models/policies/registry.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "models/errors.hpp"
#include "models/policies/backfill.hpp"
#include "models/policies/ordered_backfill.hpp"
#include "models/policies/scaler_pcs.hpp"
#include "models/policies/slurm/power.hpp"
#include "models/policies/slurm/slurm.hpp"
#include "models/policies/slurm/topology.hpp"
#include "models/scenario/options.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

using Policy = std::unique_ptr<SchedulerPolicy>;

constexpr std::size_t kShownRefusals = 10;

Launcher::Options launcher_options(const Scenario& scenario) {
  const ScalerOptions& scaler = scenario.scaler;
  return {.incremental = scaler.incremental,
          .request_size = scaler.request_size,
          .retry_interval = scaler.retry_interval,
          .capacity_timeout = scaler.capacity_timeout};
}

// Where there are instances to scale, ScalerPcs does it.
Policies with_scaler(Policy scheduler, const Scenario& scenario, const Design& design) {
  Policies policies{std::move(scheduler), nullptr, kNever};
  if (!design.is_pool) {
    ScalerPcs::Options options{.interval = scenario.scaler.interval,
                               .scale_down_idle_time = scenario.cluster.scale_down_idle_time,
                               .launcher = launcher_options(scenario)};
    options.launcher.boot_timeout = scenario.scaler.boot_timeout;
    for (const GroupDesign& group : scenario.groups) {
      options.group_idle_time.push_back(group.scale_down_idle_time.value_or(kNever));
    }
    policies.scaler = std::make_unique<ScalerPcs>(options);
  }
  return policies;
}

template <Policy (*make)(const SchedulerOptions&)>
Policies scaled_by_pcs(const Scenario& scenario, const Design& design) {
  return with_scaler(make(scenario.scheduler), scenario, design);
}

// ParallelCluster's ResumeTimeout (compute_node_bootstrap_timeout); AWS publishes none for PCS.
constexpr slurm::Second kResumeTimeout = 1800;

void set_partition(slurm::Partition& partition, const std::string& name, const std::vector<SlurmSetting>& settings) {
  partition.name = name;
  for (const auto& [parameter, value] : settings) {
    ensure(slurm::set(partition, parameter, value).empty(), "the parameters of a scenario were checked");
  }
}

// What only the whole scenario, with its nodes' names, can tell.
void check_resources(const Scenario& scenario, const Design& design, const slurm::Conf& conf) {
  const std::string where = scenario.file.empty() ? "" : scenario.file + ": ";
  const std::string problem = slurm::Topology::check(conf.topology, design.node_names());
  if (!problem.empty()) throw InputError(where + "scheduler.slurmTopology: " + problem);
}

// Nodes that jobs name are there, and as many as they want.
void check_nodes(const Scenario& scenario, const Design& design) {
  const std::vector<std::string> names = design.node_names();
  const std::vector<std::string_view> known(names.begin(), names.end());
  for (const InlineJob& job : scenario.workload.jobs) {
    const auto refuse = [&](std::string_view key, const std::string& problem) {
      throw InputError(fmt::format("{}:{}: workload.jobs: {}: {}", job.file.empty() ? scenario.file : job.file,
                                   job.line, key, problem));
    };
    const std::vector<std::string> required = slurm::expand_hostlist(job.asks.nodelist);
    const std::vector<std::string> excluded = slurm::expand_hostlist(job.asks.exclude);
    for (const auto& [key, list] : {std::pair("nodelist", &required), std::pair("exclude", &excluded)}) {
      for (const std::string& name : *list) {
        if (std::find(names.begin(), names.end(), name) != names.end()) continue;
        refuse(key, fmt::format("found {}, expected a node of the cluster;{}", quote(name), nearest_hint(name, known)));
      }
    }
    for (const std::string& name : required) {
      if (std::find(excluded.begin(), excluded.end(), name) == excluded.end()) continue;
      refuse("exclude", fmt::format("found {}, which nodelist asks for", quote(name)));
    }
    const std::size_t most = static_cast<std::size_t>(job.asks.max_nodes > 0 ? job.asks.max_nodes : job.nodes);
    const bool cut = std::max(job.tasks, job.cpus) > 0 && job.nodes == 0;  // sbatch takes as many of them as tasks
    if (most > 0 && required.size() > most && !cut) {
      refuse("nodelist", fmt::format("found {} nodes, expected at most nodes = {}", required.size(), most));
    }
  }
}

// Reservations that slurmctld would refuse at the start, and those that jobs name and are not there. Jobs have not come
// yet, so that it can be tried out.
void check_reservations(const Scenario& scenario, const Design& design, const slurm::Conf& conf) {
  std::vector<std::string_view> reservations;
  for (const slurm::ReservationRequest& request : conf.reservations) reservations.push_back(request.what.name);
  for (const InlineJob& job : scenario.workload.jobs) {
    const std::string& asked = job.asks.reservation;
    if (asked.empty() || std::find(reservations.begin(), reservations.end(), asked) != reservations.end()) continue;
    throw InputError(fmt::format(
        "{}:{}: workload.jobs: reservation: found {}, expected one of scheduler.slurmReservations;{}",
        job.file.empty() ? scenario.file : job.file, job.line, quote(asked), nearest_hint(asked, reservations)));
  }
  if (reservations.empty()) return;
  slurm::State state(conf, design.node_names(), slurm_accounting(scenario));
  const Cluster cluster(design.spec);
  state.meet(cluster, 0);
  const std::vector<std::string> names = design.node_names();
  const std::vector<std::string_view> known(names.begin(), names.end());
  for (const slurm::ReservationRequest& request : conf.reservations) {
    const std::string place = fmt::format("{}: scheduler.slurmReservations.{}",
                                          scenario.file.empty() ? "the scenario" : scenario.file, request.what.name);
    for (const std::string& name : request.what.nodes) {
      if (std::find(names.begin(), names.end(), name) != names.end()) continue;
      throw InputError(fmt::format("{}.Nodes: found {}, expected a node of the cluster;{}", place, quote(name),
                                   nearest_hint(name, known)));
    }
    const bool made = state.reservations.carry_out(state.second(0), cluster, *state.nodes, state.jobs, JobTable());
    if (!made) throw InputError(fmt::format("{}: slurmctld refuses it: {}", place, state.reservations.refused()));
  }
}

// What the operations `update` change, in the order of the scenario.
std::vector<slurm::Update> slurm_updates(const Scenario& scenario, const Design& design, const slurm::Conf& conf) {
  std::vector<slurm::Update> updates;
  for (const Operation& operation : scenario.operations) {
    if (operation.settings.empty()) continue;
    slurm::Update& update = updates.emplace_back();
    for (std::uint32_t q = 0; operation.of_partition && q < design.queue_names.size(); ++q) {
      if (design.queue_names[q] == operation.target) update.partition = QueueId{q};
    }
    for (const auto& [name, value] : operation.settings) {
      if (!update.partition) {
        ensure(slurm::set(update.change, name, value).empty(), "the settings of an update were checked");
        continue;
      }
      // What only the partition as it is can tell.
      const std::string problem = slurm::set(update, conf.partitions[index(*update.partition)], name, value);
      if (!problem.empty()) throw InputError(fmt::format("{}: {}={} {}", operation.place, name, value, problem));
    }
    if (!update.partition) continue;
    slurm::Partition after;
    after.name = operation.target;
    for (const auto& [name, value] : update.settings) {
      ensure(slurm::set(after, name, value).empty(), "the settings of an update were checked");
    }
    if (const std::string problem = slurm::check(after, slurm_accounting(scenario)); !problem.empty()) {
      throw InputError(fmt::format("{}: {}", operation.place, problem));
    }
  }
  return updates;
}

// slurmctld's scheduler and its power saving share what they know.
Policies make_slurm(const Scenario& scenario, const Design& design) {
  slurm::Conf conf = slurm_conf(scenario);
  conf.user_names = user_names(scenario);
  const Time patience = slurm::patience(conf);
  std::vector<slurm::Asks> asks;
  for (const InlineJob& job : scenario.workload.jobs) {
    slurm::Asks& one = asks.emplace_back(job.asks);
    JobRequest request;
    const auto queue = std::find_if(conf.partitions.begin(), conf.partitions.end(),
                                    [&](const slurm::Partition& p) { return p.name == job.queue; });
    if (queue == conf.partitions.end() || job.memory_per_node > 0 || job.memory_per_cpu > 0) continue;
    request.queue = QueueId{static_cast<std::uint32_t>(queue - conf.partitions.begin())};
    slurm::set_default_memory(conf, one, request);
  }
  check_resources(scenario, design, conf);
  check_nodes(scenario, design);
  check_reservations(scenario, design, conf);
  for (std::size_t g = 0; g < scenario.groups.size(); ++g) {
    slurm::NodeSettings& node = conf.node_settings[g];
    const std::int32_t gpus = design.groups[g].type.gpus;
    if (!node.gres_given && gpus > 0) node.gres.push_back({"gpu", "", gpus});
  }
  std::vector<slurm::Update> updates = slurm_updates(scenario, design, conf);
  auto state = std::make_shared<slurm::State>(std::move(conf), design.node_names(), slurm_accounting(scenario),
                                              std::move(asks), std::move(updates));
  Policies policies{std::make_unique<slurm::Scheduler>(state), nullptr, patience};
  if (!design.is_pool) policies.scaler = std::make_unique<slurm::PowerSave>(state, launcher_options(scenario));
  policies.slurm = std::move(state);
  return policies;
}

// FCFS and EASY in the order of submission have an implementation of their own, which does only what a change asks for.
Policy make_fcfs(const SchedulerOptions& options) {
  if (options.order == QueueOrder::fcfs) return std::make_unique<Backfill>(0, true);
  return std::make_unique<OrderedBackfill>(OrderedBackfill::Options{.order = options.order, .backfills = false});
}

Policy make_easy(const SchedulerOptions& options) {
  if (options.order == QueueOrder::fcfs) return std::make_unique<Backfill>(1, false);
  return std::make_unique<OrderedBackfill>(OrderedBackfill::Options{.order = options.order});
}

Policy make_easy_sjbf(const SchedulerOptions& options) {
  return std::make_unique<OrderedBackfill>(OrderedBackfill::Options{.order = options.order, .shortest_first = true});
}

Policy make_easy_plus_plus(const SchedulerOptions&) {
  return std::make_unique<OrderedBackfill>(OrderedBackfill::Options{.shortest_first = true, .guesses = true});
}

Policy make_conservative(const SchedulerOptions& options) {
  return std::make_unique<Backfill>(Backfill::kAll, false, options.compression.value_or(true));
}

}  // namespace

const std::vector<PolicyEntry>& scheduler_policies() {
  static const std::vector<PolicyEntry> kPolicies = {
      {"fcfs",
       "first come, first served: nothing passes the first job that does not fit",
       scaled_by_pcs<make_fcfs>,
       {.keeps_order = true, .serves_head = true, .keeps_reservations = false},
       {.order = true}},
      {"easy",
       "EASY backfilling: one reservation, for the first job that does not fit",
       scaled_by_pcs<make_easy>,
       {.keeps_order = false, .serves_head = true, .keeps_reservations = true},
       {.order = true}},
      {"easy-sjbf",
       "EASY backfilling that tries the shortest job first",
       scaled_by_pcs<make_easy_sjbf>,
       {.keeps_order = false, .serves_head = true, .keeps_reservations = true},
       {.order = true}},
      {"easy++",
       "EASY backfilling, shortest job first, with run times guessed from the user's last two jobs",
       scaled_by_pcs<make_easy_plus_plus>,
       {.keeps_order = false, .serves_head = true, .keeps_reservations = false},
       {}},
      {"conservative",
       "conservative backfilling: a reservation for every job that does not fit",
       scaled_by_pcs<make_conservative>,
       {.keeps_order = false, .serves_head = false, .keeps_reservations = true},
       {.compression = true}},
      {"slurm",
       "what slurmctld decides and when: passes, backfill cycles, node choice, power saving",
       make_slurm,
       {.keeps_order = false, .serves_head = false, .keeps_reservations = false, .exact_limits = false},
       {.slurm = true}},
  };
  return kPolicies;
}

const PolicyEntry& scheduler_policy(std::string_view name, std::string_view key) {
  std::string known;
  std::vector<std::string_view> names;
  for (const PolicyEntry& entry : scheduler_policies()) {
    if (entry.name == name) return entry;
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
    names.push_back(entry.name);
  }
  throw InputError(std::string(key) + ": no policy " + quote(name) + ";" + nearest_hint(name, names) +
                   " known: " + known);
}

slurm::Conf slurm_conf(const Scenario& scenario) {
  slurm::Conf conf;
  conf.version.number = scenario.scheduler.slurm_version;
  for (const QueueDesign& queue : scenario.queues) {
    set_partition(conf.partitions.emplace_back(), queue.name, queue.slurm);
  }
  if (scenario.pool) set_partition(conf.partitions.emplace_back(), "pool", scenario.scheduler.slurm_of_pool);
  for (const GroupDesign& group : scenario.groups) {
    std::optional<slurm::Second>& time = conf.group_suspend_time.emplace_back();
    if (group.scale_down_idle_time) time = *group.scale_down_idle_time / kSecond;
    slurm::NodeSettings& node = conf.node_settings.emplace_back();
    for (const auto& [name, value] : group.slurm) {
      ensure(slurm::set(node, name, value).empty(), "the settings of a scenario were checked");
    }
  }
  for (const NamedSettings& each : scenario.scheduler.slurm_topology) {
    slurm::SwitchSettings& one = conf.topology.emplace_back();
    one.name = each.name;
    for (const auto& [name, value] : each.settings) {
      ensure(slurm::set(one, name, value).empty(), "the settings of a scenario were checked");
    }
  }
  conf.suspend_time = scenario.cluster.scale_down_idle_time / kSecond;
  conf.suspend_timeout = std::max<slurm::Second>(scenario.scaler.suspend_timeout / kSecond, 1);
  conf.resume_timeout = kResumeTimeout;
  for (const auto& [name, value] : scenario.scheduler.slurm) {
    ensure(slurm::set(conf, name, value).empty(), "the parameters of a scenario were checked");
  }
  for (const NamedSettings& each : scenario.scheduler.slurm_reservations) {
    slurm::ReservationRequest& request = conf.reservations.emplace_back();
    request.what.name = each.name;
    for (const auto& [name, value] : each.settings) {
      ensure(slurm::set(request.what, name, value).empty(), "the settings of a scenario were checked");
    }
  }
  return conf;
}

slurm::Accounting slurm_accounting(const Scenario& scenario) {
  slurm::Accounting accounting;
  const auto read = [](auto& into, const std::vector<NamedSettings>& from) {
    for (const NamedSettings& each : from) {
      auto& entry = into.emplace_back();
      entry.name = each.name;
      for (const auto& [name, value] : each.settings) {
        ensure(slurm::set(entry, name, value).empty(), "the settings of a scenario were checked");
      }
    }
  };
  read(accounting.accounts, scenario.scheduler.slurm_accounts);
  read(accounting.users, scenario.scheduler.slurm_users);
  const bool normal = std::any_of(scenario.scheduler.slurm_qos.begin(), scenario.scheduler.slurm_qos.end(),
                                  [](const NamedSettings& qos) { return qos.name == "normal"; });
  if (!normal) accounting.qos.emplace_back().name = "normal";
  read(accounting.qos, scenario.scheduler.slurm_qos);
  return accounting;
}

Policies make_policies(const Scenario& scenario, const Design& design) {
  return scheduler_policy(scenario.scheduler.policy).make(scenario, design);
}

void check_policies(const Scenario& scenario) {
  const std::string where = scenario.file.empty() ? "" : scenario.file + ": ";
  const PolicyEntry& policy = scheduler_policy(scenario.scheduler.policy, where + "scheduler.policy");
  const auto refuse = [&](std::string_view key, bool PolicyTakes::*option) {
    std::string takers;
    for (const PolicyEntry& entry : scheduler_policies()) {
      if (entry.takes.*option) takers += (takers.empty() ? "" : ", ") + std::string(entry.name);
    }
    throw InputError(where + "scheduler." + std::string(key) + ": not with policy " + quote(policy.name) +
                     "; policies that take it: " + takers);
  };
  if (scenario.scheduler.order != QueueOrder::fcfs && !policy.takes.order) refuse("order", &PolicyTakes::order);
  if (scenario.scheduler.compression && !policy.takes.compression) {
    refuse("compression", &PolicyTakes::compression);
  }
  std::string refused;
  std::size_t refusals = 0;
  for (const PolicyKey& key : scenario.policy_keys) {
    if (key.of_slurm == policy.takes.slurm || ++refusals > kShownRefusals) continue;
    std::string takers;
    for (const PolicyEntry& entry : scheduler_policies()) {
      if (entry.takes.slurm == key.of_slurm) takers += (takers.empty() ? "" : ", ") + std::string(entry.name);
    }
    refused += (refused.empty() ? "" : "\n") + key.place + ": not with policy " + quote(policy.name) +
               "; policies that take it: " + takers;
  }
  if (refusals > kShownRefusals) {
    refused += "\n" + where + std::to_string(refusals - kShownRefusals) + " more keys that this policy does not take";
  }
  if (!refused.empty()) throw InputError(refused);
  if (!scenario.pool && scenario.scaler.policy != "pcs") {
    throw InputError(where + "scaler.policy: no policy " + quote(scenario.scaler.policy) + "; known: pcs");
  }
}

}  // namespace headroom
