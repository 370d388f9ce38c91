// Who may run: what a job is told at submission, and what holds it back when it is looked at.
#include <algorithm>

#include "models/policies/slurm/slurm.hpp"

namespace headroom::slurm {
namespace {

bool listed(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string joined(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ",") + name;
  return list;
}

// What squeue says of a job whose account or QOS ("what") the partition does not take; "" if it does. An allow list
// makes the deny list void.
std::string not_taken(const std::string& partition, const char* what, const std::vector<std::string>& allowed,
                      const std::vector<std::string>& denied, const std::string& name) {
  std::string why;
  if (!allowed.empty() && !listed(allowed, name)) why = " allows " + joined(allowed) + " not " + name;
  if (allowed.empty() && listed(denied, name)) why = " denies " + joined(denied) + " including " + name;
  if (why.empty()) return why;
  return std::string("Job's ") + what + " not permitted to use this partition (" + partition + why + ")";
}

}  // namespace

// Whether the partition takes no such job at all.
std::optional<Rejection> Scheduler::closed_to(const Job& job) const {
  const Partition& partition = state_->conf.partitions[index(job.queue)];
  if (partition.state == Partition::State::drain || partition.state == Partition::State::inactive) {
    return Rejection::partition;
  }
  if (partition.needs_reservation && asks_of(job.id).reservation.empty()) return Rejection::partition;
  const std::string user = user_name(state_->conf, state_->accounting, job.user);
  if (user == "root") return std::nullopt;
  if (partition.root_only || (partition.allow_groups && !listed(partition.allowed_users, user))) {
    return Rejection::partition;
  }
  return std::nullopt;
}

const Asks& Scheduler::asks_of(JobId id) const {
  static const Asks kNothing;
  const std::uint32_t asks = view_->jobs().terms(id).asks;
  return asks > 0 && asks <= state_->asks.size() ? state_->asks[asks - 1] : kNothing;
}

// The job is looked at as one of this partition: what it may have there, and what bars it.
void Scheduler::enter(Job& job, QueueId queue) {
  const Conf& conf = state_->conf;
  const Accounting& accounting = state_->accounting;
  LimitBook& limits = state_->limits;
  const Partition& partition = conf.partitions[index(queue)];
  if (!job.queues.empty()) limits.enter(job.id, queue);
  const std::uint32_t qos = job.payer.qos;
  if (qos != kNobody) {
    job.any_time = accounting.qos[qos].partition_time_limit;
    job.any_most_nodes = accounting.qos[qos].partition_max_nodes;
    job.any_least_nodes = accounting.qos[qos].partition_min_nodes;
  }
  state_->jobs.enter(job, queue);
  state_->resources.settle_owner(job, asks_of(job.id), *state_->nodes);
  job.ask.most_cpus = partition.max_cpus_per_node;
  if (partition.max_cpus_per_node > 0) {
    state_->partition_cpus.resize(conf.partitions.size());
    std::vector<std::int32_t>& cpus = state_->partition_cpus[index(queue)];
    if (cpus.empty()) {
      cpus.resize(state_->nodes->size());
      for (const JobId id : state_->jobs.active()) {
        if (state_->jobs[id].queue == queue) count_in_partition(state_->jobs[id], 1);  // others have books of theirs
      }
    }
    job.ask.partition_cpus = &cpus;
  }

  const Associations& associations = state_->associations;
  const std::uint32_t payer = job.payer.association;
  const Asks& asks = asks_of(job.id);
  const std::string account = payer == kNobody ? asks.account : associations.account_name(associations[payer].account);
  const std::string qos_name = qos == kNobody ? asks.qos : accounting.qos[qos].name;
  job.barred = Reason::none;
  job.barred_why = not_taken(partition.name, "account", partition.allow_accounts, partition.deny_accounts, account);
  if (!job.barred_why.empty()) {
    job.barred = Reason::account_not_allowed;
  } else if (job.barred_why = not_taken(partition.name, "QOS", partition.allow_qos, partition.deny_qos, qos_name);
             !job.barred_why.empty()) {
    job.barred = Reason::qos_not_allowed;
  } else if (partition.state == Partition::State::down || partition.state == Partition::State::inactive) {
    job.barred = Reason::partition_down;
  } else if (!job.queues.empty() && closed_to(job)) {
    job.barred = Reason::partition_config;
  } else if (const std::int32_t most_memory =
                 partition.max_mem_per_node > 0 ? partition.max_mem_per_node : conf.max_mem_per_node;
             most_memory > 0) {
    const bool per_core = job.ask.memory_unit == MemoryUnit::per_core;
    const std::int64_t memory = std::int64_t{job.ask.memory} * (per_core ? job.ask.cpus_per_node() : 1);
    if (job.ask.memory_unit != MemoryUnit::whole && memory > most_memory) {
      job.barred = Reason::partition_memory;
    }
  }
  if (job.barred == Reason::none && !conf.version.rejects_too_wide()) {
    std::int64_t cpus = 0;
    state_->nodes->partition(job.queue).for_each([&](Index n) { cpus += (*state_->nodes)[n].cpus; });
    if (job.ask.cpus > cpus) job.barred = Reason::partition_config;
  }
  Hold by;
  const std::int32_t most = limits.most_nodes(job.id, by);
  if (most > 0) job.ask.most_nodes = job.ask.most_nodes > 0 ? std::min(job.ask.most_nodes, most) : most;
}

// Its CPUs are the partition's, or no longer, where these are limited.
void Scheduler::count_in_partition(const Job& job, std::int32_t sign) {
  if (index(job.queue) >= state_->partition_cpus.size()) return;
  std::vector<std::int32_t>& cpus = state_->partition_cpus[index(job.queue)];
  if (cpus.empty()) return;
  const CpuRows& rows = state_->nodes->held.rows;
  for (const Selector::Share& share : job.shares) {
    cpus[share.node] = rows.any() ? rows.in_use(share.node, job.queue) : cpus[share.node] + sign * share.cpus;
  }
}

// In slurmctld's order: the partition as it stands, who pays, the partition's limits, everybody's limits. Of several
// partitions one has to take the job, all with EnforcePartLimits=ALL.
std::optional<Rejection> Scheduler::refuse(Job& job) {
  const JobTable& table = view_->jobs();
  const JobTerms& terms = table.terms(job.id);
  const Conf& conf = state_->conf;
  LimitBook& limits = state_->limits;
  const bool follows = terms.array_tasks > 0 && terms.array != job.id;  // an array is one request
  if (follows && state_->jobs[terms.array].rejected) return job.rejected = state_->jobs[terms.array].rejected;
  const auto refused = [&](Rejection why) { return job.rejected = why; };
  const std::vector<QueueId> queues = job.queues.empty() ? std::vector<QueueId>{job.queue} : job.queues;
  if (const auto why = limits.identify(job.id, job.user, job.payer, queues.front())) {
    // An INACTIVE partition is said first.
    if (const auto closed = closed_to(job); closed && queues.size() == 1) return refused(*closed);
    return refused(*why);
  }
  std::optional<Rejection> first_why;
  bool taken = false;
  for (const QueueId queue : queues) {
    enter(job, queue);
    auto why = closed_to(job);
    if (!why && conf.enforce_part_limits != EnforcePartLimits::no) why = outside_partition(job);
    taken |= !why;
    if (why && !first_why) first_why = why;
  }
  if (first_why && (!taken || conf.enforce_part_limits == EnforcePartLimits::all)) return refused(*first_why);
  if (queues.size() > 1) enter(job, queues.front());
  const Partition& partition = conf.partitions[index(job.queue)];

  const bool no_time_given = table.request(job.id).limit >= kUnlimited * kSecond && !partition.default_time;
  if (no_time_given) job.limit = limits.default_limit(job.id).value_or(job.limit);
  if (!follows) {
    const Hold hold = limits.at_submission(job.id, asked_for(job), std::max(terms.array_tasks, 1));
    if (hold) {
      job.hold = hold;
      return refused(Rejection::limits);
    }
  }
  return std::nullopt;
}

// EnforcePartLimits: what would wait for ever is rejected.
std::optional<Rejection> Scheduler::outside_partition(const Job& job) const {
  if (job.barred == Reason::account_not_allowed) return Rejection::account;
  if (job.barred == Reason::qos_not_allowed) return Rejection::qos;
  if (job.barred != Reason::none && job.barred != Reason::partition_down) return Rejection::partition;
  const Partition& partition = state_->conf.partitions[index(job.queue)];
  const NodeBits& nodes = state_->nodes->partition(job.queue);
  const bool too_long = partition.max_time && job.limit > *partition.max_time && !job.any_time;
  const std::int32_t widest = std::max(job.ask.min_nodes, job.ask.max_nodes);
  const bool too_wide = job.ask.min_nodes > nodes.count() ||
                        (partition.max_nodes > 0 && widest > partition.max_nodes && !job.any_most_nodes);
  const bool too_narrow = std::max(job.asked_min, 1) < partition.min_nodes && !job.any_least_nodes;
  if (too_long || too_wide || too_narrow) return Rejection::partition;
  return std::nullopt;
}

bool Scheduler::held_before_choice(Job& job) {
  if (job.reason == Reason::limit) job.reason = Reason::none;
  Hold hold = state_->limits.before_choice(job.id, job.limit);
  if (!hold && job.ask.most_nodes > 0 && job.ask.min_nodes > job.ask.most_nodes) {
    state_->limits.most_nodes(job.id, hold);
  }
  if (!hold) return false;
  job.reason = Reason::limit;
  job.hold = hold;
  return true;
}

bool Scheduler::held_after_choice(Job& job, const Demand& demand) {
  const Hold hold = state_->limits.after_choice(job.id, demand);
  if (!hold) return false;
  job.reason = Reason::limit;
  job.hold = hold;
  return true;
}

// As far as it is known before nodes are chosen.
Demand Scheduler::asked_for(const Job& job) const {
  Demand demand;
  demand.limit = job.limit;
  TresCounts& tres = demand.tres;
  tres[Tres::node] = job.ask.min_nodes;
  tres[Tres::cpu] = std::max(job.ask.cpus, job.ask.min_nodes);
  if (job.needs != nullptr) tres[Tres::gpu] = job.needs->gpus(tres[Tres::node], job.ask.tasks);
  if (job.ask.memory_unit == MemoryUnit::per_node) tres[Tres::mem] = job.ask.memory * tres[Tres::node];
  if (job.ask.memory_unit == MemoryUnit::per_core) tres[Tres::mem] = job.ask.memory * tres[Tres::cpu];
  if (job.needs != nullptr && job.needs->memory_per_gpu > 0) {
    tres[Tres::mem] = job.needs->memory_per_gpu * tres[Tres::gpu];
  }
  bill(job, demand);
  return demand;
}

// What it comes to where TRESBillingWeights say so; whole units.
void Scheduler::bill(const Job& job, Demand& demand) const {
  demand.tres[Tres::billing] = static_cast<std::int64_t>(state_->jobs.multifactor().billing_of(demand.tres, job.queue));
}

Demand Scheduler::demand_of(const Job& job, const std::vector<Selector::Share>& chosen) const {
  Demand demand;
  demand.limit = job.limit;
  TresCounts& tres = demand.tres;
  std::vector<Selector::Share> with_gpus;
  if (job.gres.empty() && !state_->nodes->pools().empty()) {
    with_gpus = chosen;
    std::sort(with_gpus.begin(), with_gpus.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
    state_->resources.gres_of(job, with_gpus, *state_->nodes);
  }
  const std::vector<Selector::Share>& shares = with_gpus.empty() ? chosen : with_gpus;
  for (const Selector::Share& share : shares) {
    tres[Tres::cpu] += share.cpus;
    tres[Tres::gpu] += share.gpus;
    tres[Tres::mem] += selector_->memory_of(job.ask, share);
    ++tres[Tres::node];
  }
  if (state_->conf.enforce.limits) {
    demand.nodes = NodeBits(state_->nodes->size());
    for (const Selector::Share& share : shares) demand.nodes.set(share.node);
  }
  bill(job, demand);
  return demand;
}

// Of a job that is planned for these nodes.
Demand Scheduler::demand_of(const Job& job, const NodeBits& chosen) const {
  Demand demand;
  demand.limit = job.limit;
  TresCounts& tres = demand.tres;
  demand.nodes = chosen;
  tres[Tres::node] = chosen.count();
  tres[Tres::cpu] = std::max<std::int64_t>(job.ask.cpus, tres[Tres::node]);
  if (job.ask.whole_nodes) {
    tres[Tres::cpu] = 0;
    chosen.for_each([&](Index n) { tres[Tres::cpu] += (*state_->nodes)[n].cpus; });
  }
  if (job.needs != nullptr) tres[Tres::gpu] = job.needs->gpus(tres[Tres::node], job.ask.tasks);
  if (job.ask.memory_unit == MemoryUnit::per_node) tres[Tres::mem] = job.ask.memory * tres[Tres::node];
  if (job.ask.memory_unit == MemoryUnit::per_core) tres[Tres::mem] = job.ask.memory * tres[Tres::cpu];
  if (job.needs != nullptr && job.needs->memory_per_gpu > 0) {
    tres[Tres::mem] = job.needs->memory_per_gpu * tres[Tres::gpu];
  }
  bill(job, demand);
  return demand;
}

bool Scheduler::too_low_to_reserve(const Job& job) const {
  const std::uint32_t least = state_->limits.reserve_threshold(job.id).value_or(state_->conf.bf_min_prio_reserve);
  return least > 0 && job.priority < least;
}

bool Scheduler::never_reserves(const Job& job) const {
  const std::uint32_t qos = job.payer.qos;
  return qos != kNobody && state_->accounting.qos[qos].no_reserve;
}

Second Scheduler::over_time(const Job& job) const {
  return state_->conf.partitions[index(job.queue)].over_time_limit.value_or(state_->conf.over_time_limit);
}

// The node has no jobs any more; the last was of this partition.
void Scheduler::emptied(Index n, QueueId queue) {
  Node& node = (*state_->nodes)[n];
  node.last_busy = now_s_;
  const Conf& conf = state_->conf;
  if (!conf.version.powers_down_on_idle() || !conf.partitions[index(queue)].power_down_on_idle) return;
  const GroupId group = view_->cluster().group_of(node.id);
  if (view_->cluster().spec().groups[index(group)].supply != Supply::permanent) asked_node(n, NodeAction::power_down);
}

}  // namespace headroom::slurm
