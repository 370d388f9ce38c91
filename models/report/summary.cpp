#include "models/report/summary.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "models/cloud/meter.hpp"
#include "models/policies/registry.hpp"
#include "models/policies/slurm/associations.hpp"
#include "models/report/network_view.hpp"
#include "models/report/stretch.hpp"

namespace headroom {
namespace {

double seconds(Time t) { return static_cast<double>(t) / static_cast<double>(kSecond); }
double hours(Time t) { return static_cast<double>(t) / static_cast<double>(kHour); }

// The most instances that exist at one time, launched and not yet terminated.
std::uint64_t peak_of(const std::vector<std::pair<Time, int>>& changes) {
  std::vector<std::pair<Time, int>> sorted = changes;
  std::sort(sorted.begin(), sorted.end());  // at one time, ends (-1) come first
  std::int64_t now = 0;
  std::int64_t most = 0;
  for (const auto& [time, change] : sorted) most = std::max(most, now += change);
  return static_cast<std::uint64_t>(most);
}

void count(JobCounts& counts, const JobRecord& job) {
  ++counts.submitted;
  counts.requeues += job.requeues;
  switch (job.state) {
    case JobState::completed:
      ++counts.completed;
      break;
    case JobState::failed:
      ++counts.failed;
      break;
    case JobState::timed_out:
      ++counts.timed_out;
      break;
    case JobState::node_failed:
      ++counts.node_failed;
      break;
    case JobState::cancelled:
      ++counts.cancelled;
      break;
    case JobState::rejected:
      ++counts.rejected;
      ++counts.rejected_by_reason[static_cast<std::size_t>(job.rejection)];
      break;
    case JobState::pending:
    case JobState::configuring:
    case JobState::running:
    case JobState::completing:
      ++counts.unfinished;
      break;
  }
}

void add(HourSplit& sum, const InstanceRecord& instance, const InstanceUse& use) {
  if (instance.running == kNever) return;  // never ran: nothing is billed
  const Time ready = std::min(instance.ready, use.end);
  sum.total += hours(use.end - instance.running);
  if (instance.failed()) {
    sum.failed += hours(use.end - instance.running);
    return;
  }
  sum.boot += hours(ready - instance.running);
  sum.busy += hours(use.busy);
  sum.idle += hours(use.end - ready - use.busy);
}

// Core seconds of what the job held, from its start to its end.
double core_seconds_of(const RunRecord& record, const JobRecord& job) {
  std::int64_t cores = 0;
  for (const HeldShare& share : record.shares_of(job)) cores += share.cores;
  return static_cast<double>(cores) * seconds(run_time(job));
}

bool was_pushed_out(const JobRecord& job) { return job.makes_way && job.state == JobState::cancelled; }

// By whose QOS a job made way, as the policy finds it.
class QosNames {
 public:
  explicit QosNames(const RunContext& context)
      : context_(context), accounting_(slurm_accounting(context.scenario)), associations_(accounting_) {}

  std::string of(const JobRecord& job) const {
    const Workload& workload = context_.workload;
    slurm::Asks asks;
    const std::uint32_t terms = job.request.terms;
    if (terms > 0 && workload.terms[terms - 1].asks > 0) {
      asks = context_.scenario.workload.jobs[workload.terms[terms - 1].asks - 1].asks;
    }
    const std::uint32_t qos = associations_.payer(job.request.user, asks).qos;
    return qos == slurm::kNobody ? "" : associations_.qos()[qos].name;
  }

 private:
  const RunContext& context_;
  slurm::Accounting accounting_;
  slurm::Associations associations_;
};

std::optional<PreemptionSummary> preemption_of(const RunRecord& record, const RunContext& context) {
  if (context.scenario.scheduler.policy != "slurm") return std::nullopt;
  const slurm::Conf conf = slurm_conf(context.scenario);
  if (conf.preempt == slurm::Preempt::none) return std::nullopt;
  PreemptionSummary s;
  const QosNames qos_names(context);
  const auto add = [&](const JobRecord& job, std::uint64_t PreemptionCounts::*kind) {
    const double hours_lost = core_seconds_of(record, job) / 3600;
    const auto count_in = [&](PreemptionCounts& counts) {
      ++(counts.*kind);
      counts.lost_core_hours += hours_lost;
    };
    count_in(s.all);
    count_in(s.by_queue[context.design.queue_names[index(job.request.queue)]]);
    const std::string qos = conf.accounting ? qos_names.of(job) : "";
    if (!qos.empty()) count_in(s.by_qos[qos]);
  };
  for (const LostAttempt& lost : record.lost_attempts()) {
    if (lost.job.makes_way) add(lost.job, &PreemptionCounts::requeued);
  }
  for (const JobRecord& job : record.jobs()) {
    if (was_pushed_out(job)) add(job, &PreemptionCounts::cancelled);
  }
  return s;
}

// The k-th thing that a budget told in one of its periods is the k-th of its actions; 2 says that a new period allows
// more.
std::vector<std::pair<std::string, BudgetSummary>> budgets_of(const RunRecord& record, const RunContext& context) {
  std::vector<std::pair<std::string, BudgetSummary>> all;
  const std::vector<Budget>& budgets = context.scenario.budgets;
  for (std::size_t b = 0; b < budgets.size(); ++b) {
    const Budget& budget = budgets[b];
    BudgetSummary s;
    s.amount = budget.amount;
    std::size_t told = 0;  // in this period
    Time period = -1;
    Time stopped_at = kNever;
    for (const Notice& notice : record.notices()) {
      if (notice.news.kind != Stimulus::Kind::budget_reached || notice.news.subject != b) continue;
      if (notice.news.detail == kBudgetAllows) {
        if (stopped_at != kNever) s.stopped += notice.at - stopped_at;
        stopped_at = kNever;
        continue;
      }
      const Time now = budget.period == kNever ? 0 : (notice.at - record.begin()) / budget.period;
      if (now != period) told = 0;
      period = now;
      const BudgetAction& action = budget.actions[told++];
      s.taken.push_back({notice.at, action.percent, action.stops});
      if (action.stops && stopped_at == kNever) stopped_at = notice.at;
    }
    if (stopped_at != kNever) s.stopped += record.end() - stopped_at;
    all.emplace_back(budget.name, std::move(s));
  }
  return all;
}

std::optional<NetworkSummary> network_of(const RunRecord& record, const RunContext& context) {
  const NetworkTopology* const topology = context.design.spec.topology.get();
  if (topology == nullptr) return std::nullopt;
  NetworkSummary s;
  for (const JobRecord& job : record.jobs()) {
    if (job.start == kNever || !is_final(job.state)) continue;
    const std::vector<LeafId> leaves = leaves_of(record, job);
    if (leaves.size() < 2) continue;
    ++s.jobs;
    const Locality locality = locality_of(*topology, leaves);
    ++s.jobs_by_leaves[locality.leaves];
    ++s.jobs_by_diameter[locality.diameter_hops];
    for (const auto& [hops, pairs] : pairs_by_hops(*topology, leaves)) s.pairs_by_hops[hops] += pairs;
  }
  return s;
}

}  // namespace

// Each quantile searches only above the one before it.
Spread spread_of(std::vector<double>& values) {
  Spread spread;
  spread.count = values.size();
  if (values.empty()) return spread;
  double sum = 0;
  for (const double v : values) sum += v;
  spread.mean = sum / static_cast<double>(values.size());
  auto from = values.begin();
  const auto quantile = [&](double q) {
    const double position = q * static_cast<double>(values.size() - 1);
    const auto below = values.begin() + static_cast<std::ptrdiff_t>(position);
    std::nth_element(from, below, values.end());
    from = below;
    const double fraction = position - std::floor(position);
    if (fraction == 0 || below + 1 == values.end()) return *below;
    return *below + fraction * (*std::min_element(below + 1, values.end()) - *below);
  };
  spread.p50 = quantile(0.50);
  spread.p90 = quantile(0.90);
  spread.p95 = quantile(0.95);
  spread.p99 = quantile(0.99);
  spread.max = *std::max_element(from, values.end());
  return spread;
}

std::int64_t NetworkSummary::pairs() const {
  std::int64_t sum = 0;
  for (const auto& [hops, n] : pairs_by_hops) sum += n;
  return sum;
}

std::uint64_t Summary::launch_failure_count() const {
  std::uint64_t sum = 0;
  for (const auto& [code, n] : launch_failures) sum += n;
  return sum;
}

std::uint64_t Summary::interruptions() const {
  const auto found = losses.find(std::string(loss_name(Loss::spot_interruption)));
  return found == losses.end() ? 0 : found->second;
}

std::string_view refusal_code(Refusal refusal) {
  switch (refusal) {
    case Refusal::insufficient_instance_capacity:
      return "InsufficientInstanceCapacity";
    case Refusal::insufficient_reserved_instance_capacity:
      return "InsufficientReservedInstanceCapacity";
    case Refusal::reservation_capacity_exceeded:
      return "ReservationCapacityExceeded";
    case Refusal::max_spot_instance_count_exceeded:
      return "MaxSpotInstanceCountExceeded";
    case Refusal::spot_max_price_too_low:
      return "SpotMaxPriceTooLow";
    case Refusal::unsupported:
      return "Unsupported";
    case Refusal::unfulfillable_capacity:
      return "UnfulfillableCapacity";
    case Refusal::vcpu_limit_exceeded:
      return "VcpuLimitExceeded";
    case Refusal::instance_limit_exceeded:
      return "InstanceLimitExceeded";
    case Refusal::insufficient_free_addresses_in_subnet:
      return "InsufficientFreeAddressesInSubnet";
    case Refusal::request_limit_exceeded:
      return "RequestLimitExceeded";
    case Refusal::internal_error:
      return "InternalError";
  }
  return "";
}

std::string_view loss_name(Loss loss) {
  switch (loss) {
    case Loss::failed_start:
      return "failed_start";
    case Loss::spot_interruption:
      return "spot_interruption";
    case Loss::hardware_failure:
      return "hardware_failure";
    case Loss::external:
      return "external";
    case Loss::end_of_reservation:
      return "end_of_reservation";
  }
  return "";
}

std::vector<double> lost_core_seconds(const RunRecord& record) {
  std::vector<double> lost;
  const auto add = [&](JobId id, const JobRecord& job) {
    lost.resize(record.jobs().size());
    lost[index(id)] += core_seconds_of(record, job);
  };
  for (const LostAttempt& attempt : record.lost_attempts()) add(attempt.id, attempt.job);
  for (std::size_t j = 0; j < record.jobs().size(); ++j) {
    if (was_pushed_out(record.jobs()[j])) add(JobId{static_cast<std::uint32_t>(j)}, record.jobs()[j]);
  }
  return lost;
}

std::string_view rejection_name(Rejection rejection) {
  switch (rejection) {
    case Rejection::job_limit:
      return "job_limit";
    case Rejection::too_wide:
      return "too_wide";
    case Rejection::memory:
      return "memory";
    case Rejection::account:
      return "account";
    case Rejection::qos:
      return "qos";
    case Rejection::limits:
      return "limits";
    case Rejection::partition:
      return "partition";
    case Rejection::resources:
      return "resources";
    case Rejection::reservation:
      return "reservation";
    case Rejection::queue:
      return "queue_not_active";
  }
  return "";
}

std::string_view rejection_text(Rejection rejection) {
  switch (rejection) {
    case Rejection::job_limit:
      return "over the cluster's limit of active and queued jobs [PCS-3]";
    case Rejection::too_wide:
      return "wider than its queue could ever hold [PCS-33]";
    case Rejection::memory:
      return "more memory than the nodes of its queue have";
    case Rejection::account:
      return "Invalid account or account/partition combination specified";
    case Rejection::qos:
      return "Invalid qos specification";
    case Rejection::limits:
      return "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)";
    case Rejection::partition:
      return "outside what its partition takes (EnforcePartLimits, RootOnly, State)";
    case Rejection::resources:
      return "asks for features, licences or generic resources that there are not";
    case Rejection::reservation:
      return "asks for a reservation that there is not, or that its user may not use";
    case Rejection::queue:
      return "submitted to a queue that is not active [PCS-33]";
  }
  return "";
}

double bounded_slowdown(Time wait, Time run) {
  const double longest = static_cast<double>(std::max(run, 10 * kSecond));
  return std::max(1.0, static_cast<double>(wait + run) / longest);
}

Summary summarize(const RunRecord& record, const RunContext& context) {
  const Design& design = context.design;
  Summary s;

  struct PerUser {
    std::uint64_t jobs = 0;
    double wait_s = 0;
    double core_seconds = 0;
    JobCost cost = {};
  };
  struct PerQueue {
    std::uint64_t jobs = 0;
    double wait_s = 0;
    Time wait_max = 0;
    double slowdown = 0;
    double core_seconds = 0;
    JobCost cost = {};
  };
  std::vector<PerUser> users(context.workload.user_names.size());
  std::vector<PerQueue> queues(design.queue_names.size());
  std::vector<double> waits;
  std::vector<double> boot_waits;
  std::vector<double> slowdowns;
  waits.reserve(record.jobs().size());
  slowdowns.reserve(record.jobs().size());
  Time first_submit = kNever;
  Time last_end = 0;
  double used_core_seconds = 0;
  const Bill bill(record, design);
  const std::vector<JobCost> lost_costs = bill.lost_attempts_cost();
  for (std::size_t j = 0; j < record.jobs().size(); ++j) {
    const JobRecord& job = record.jobs()[j];
    count(s.jobs, job);
    JobCost cost = bill.job_cost(job);
    if (!lost_costs.empty()) cost += lost_costs[j];
    queues[index(job.request.queue)].cost += cost;
    users[job.request.user].cost += cost;
    first_submit = std::min(first_submit, job.request.submit);
    if (job.start == kNever || !is_final(job.state)) continue;
    const Time wait = job.start - job.request.submit;
    const Time run = job.end - job.start;
    const double slowdown = bounded_slowdown(wait, run);
    waits.push_back(seconds(wait));
    if (!design.is_pool) boot_waits.push_back(seconds(job.start - job.allocated));
    slowdowns.push_back(slowdown);
    last_end = std::max(last_end, job.end);
    const double core_seconds = core_seconds_of(record, job);
    used_core_seconds += core_seconds;
    PerQueue& queue = queues[index(job.request.queue)];
    ++queue.jobs;
    queue.wait_s += seconds(wait);
    queue.wait_max = std::max(queue.wait_max, wait);
    queue.slowdown += slowdown;
    queue.core_seconds += core_seconds;
    PerUser& user = users[job.request.user];
    ++user.jobs;
    user.wait_s += seconds(wait);
    user.core_seconds += core_seconds;
  }
  double lost_seconds = 0;
  for (const LostAttempt& lost : record.lost_attempts()) lost_seconds += core_seconds_of(record, lost.job);
  used_core_seconds += lost_seconds;
  s.jobs.lost_core_hours = lost_seconds / 3600;
  // A core that several jobs have is utilised once.
  const auto counted = [](const JobRecord& job) {
    const bool counts = is_final(job.state) || job.freed != kNever;
    return counts ? Period{job.start, job.start == kNever ? kNever : job.start + run_time(job)} : Period{0, 0};
  };
  for (const Period& p : shared_periods(record, counted)) used_core_seconds -= seconds(p.until - p.from);
  s.preemption = preemption_of(record, context);
  s.network = network_of(record, context);
  s.stretch = stretches_of(record, context);
  s.wait_s = spread_of(waits);
  s.boot_wait_s = spread_of(boot_waits);
  s.bounded_slowdown = spread_of(slowdowns);
  if (last_end > first_submit) s.makespan_s = seconds(last_end - first_submit);
  for (std::size_t q = 0; q < queues.size(); ++q) {
    const double n = static_cast<double>(std::max<std::uint64_t>(queues[q].jobs, 1));
    s.by_queue[design.queue_names[q]] = {
        queues[q].jobs,         queues[q].wait_s / n,          seconds(queues[q].wait_max),
        queues[q].slowdown / n, queues[q].core_seconds / 3600, queues[q].cost};
  }
  for (std::size_t u = 0; u < users.size(); ++u) {
    const double n = static_cast<double>(std::max<std::uint64_t>(users[u].jobs, 1));
    s.by_user[context.workload.user_names[u]] = {users[u].jobs, users[u].wait_s / n, users[u].core_seconds / 3600,
                                                 users[u].cost};
  }

  if (design.is_pool) {
    const NodeGroupSpec& pool = design.spec.groups.front();
    const double offered = static_cast<double>(pool.nodes) * static_cast<double>(pool.cores) * s.makespan_s;
    s.utilization = offered > 0 ? used_core_seconds / offered : 0;
    return s;
  }
  const std::vector<std::vector<Period>> busy = busy_periods(record);
  const std::vector<InstanceUse> uses = bill.instance_use(busy);
  std::vector<std::pair<Time, int>> changes;
  std::vector<std::vector<std::pair<Time, int>>> group_changes(design.groups.size());
  std::vector<GroupSummary> groups(design.groups.size());
  // Groups in no queue (login nodes) offer nothing to jobs.
  std::vector<bool> in_queue(design.groups.size());
  for (const QueueSpec& queue : design.spec.queues) {
    for (const GroupId group : queue.groups) in_queue[index(group)] = true;
  }
  for (const ClusterChange& change : design.spec.changes) {
    for (const GroupId group : change.groups) in_queue[index(group)] = true;
  }
  double offered_core_seconds = 0;
  Time billed = 0;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const InstanceRecord& instance = record.instances()[i];
    const std::size_t g = index(instance.group);
    const InstanceUse& use = uses[i];
    if (instance.refused) continue;
    ++s.nodes_launched;
    ++groups[g].launched;
    if (instance.is_over()) ++s.nodes_terminated;
    if (instance.loss) ++s.losses[std::string(loss_name(*instance.loss))];
    if (instance.loss == Loss::spot_interruption) ++groups[g].interruptions;
    for (auto* list : {&changes, &group_changes[g]}) {
      list->emplace_back(instance.launch, 1);
      if (instance.end != kNever) list->emplace_back(instance.end, -1);
    }
    add(s.instance_hours, instance, use);
    add(groups[g].hours, instance, use);
    s.instances_cost += use.cost;
    groups[g].cost += use.cost;
    s.instances_split += use.split;
    groups[g].split += use.split;
    if (instance.running != kNever) billed += use.end - instance.running;
    if (instance.ready != kNever && in_queue[g]) {
      offered_core_seconds += static_cast<double>(design.spec.groups[g].cores) * seconds(use.end - instance.ready);
    }
  }
  for (const LaunchFailure& failure : record.launch_failures()) {
    ++s.launch_failures[std::string(refusal_code(failure.refusal))];
    ++groups[index(failure.group)].launch_failures;
  }
  s.reservations_cost = bill.unused_reservations();
  s.committed_cost = bill.unused_commitments();
  s.budgets = budgets_of(record, context);
  // Sums of many hours in floating point would drift: the total is made of the exact sum.
  s.instance_hours.total = hours(billed);
  s.nodes_peak = peak_of(changes);
  s.utilization = offered_core_seconds > 0 ? used_core_seconds / offered_core_seconds : 0;
  s.management_cost = cost_of(design.management_per_hour, billed);
  if (record.begin() != kNever) s.controller_cost = cost_of(design.controller_per_hour, record.end() - record.begin());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    groups[g].instance_type = design.groups[g].type.name;
    groups[g].peak = peak_of(group_changes[g]);
    groups[g].efa_interfaces = design.groups[g].efa ? design.groups[g].efa_interfaces : 0;
    s.by_node_group[design.groups[g].name] = groups[g];
  }
  return s;
}

}  // namespace headroom
