#include "models/policies/slurm/jobs.hpp"

#include <algorithm>

#include "models/policies/slurm/reservations.hpp"

namespace headroom::slurm {
namespace {

Second up_to_minutes(Time limit) {
  // sbatch --time is in minutes; slurmctld keeps whole ones.
  return (limit + kMinute - 1) / kMinute * 60;
}

bool holds_nodes(JobState state) {
  return state == JobState::configuring || state == JobState::running || state == JobState::completing;
}

}  // namespace

Job& JobList::submit(JobId id, const JobTable& table, Second now, const NodeTable& nodes) {
  const JobRequest& request = table.request(id);
  const JobTerms& terms = table.terms(id);
  jobs_.resize(index(id) + 1);
  arrays_.resize(index(id) + 1);
  Job& job = jobs_.back();
  job.id = id;
  job.queue = request.queue;
  job.user = request.user;
  job.submit = now;
  job.record = ++records_;
  namesakes_[{job.user, terms.name}].jobs.push_back(id);

  const Partition& partition = conf_.partitions[index(request.queue)];
  const bool limited = request.limit != kUnlimited * kSecond;  // what jobs have that give none
  const Second none_given = partition.default_time.value_or(partition.max_time.value_or(kUnlimited));
  job.limit = limited ? std::min(up_to_minutes(request.limit), kUnlimited) : none_given;
  Ask& ask = job.ask;
  ask.cpus_per_task = terms.cpus_per_task;
  ask.min_nodes = std::max(request.nodes, 1);
  ask.max_nodes = request.nodes;
  if (request.terms > 0 && (terms.tasks > 0 || terms.tasks_per_node > 0)) {
    ask.tasks_per_node = terms.tasks_per_node;
    ask.tasks = terms.tasks > 0 ? terms.tasks : std::max(request.nodes, 1) * terms.tasks_per_node;
  } else if (request.nodes > 0 && !request.spread) {
    ask.tasks_per_node = request.cores;
    ask.tasks = request.nodes * request.cores;
  } else {
    ask.tasks = std::max(request.cores, request.nodes);
  }
  ask.cpus = ask.tasks * ask.cpus_per_task;
  ask.whole_nodes = request.exclusive || partition.exclusive;
  ask.min_nodes = std::max(ask.min_nodes, partition.min_nodes);
  ask.memory_unit = request.memory_unit;
  ask.memory = request.memory;
  if (request.memory_unit == MemoryUnit::whole) {
    const auto take = [&](std::int32_t amount, MemoryUnit unit) {
      if (amount <= 0 || ask.memory_unit != MemoryUnit::whole) return;
      ask.memory = amount;
      ask.memory_unit = unit;
    };
    take(partition.def_mem_per_node, MemoryUnit::per_node);
    take(partition.def_mem_per_cpu, MemoryUnit::per_core);
    take(conf_.def_mem_per_node, MemoryUnit::per_node);
    take(conf_.def_mem_per_cpu, MemoryUnit::per_core);
  }
  multifactor_.submitted(job, terms);
  if (terms.begin > 0) job.begin = now + (terms.begin + kSecond - 1) / kSecond;
  // An array is one record; its tasks share the priority of the first.
  if (terms.array_tasks > 0 && terms.array != id) {
    job.priority = jobs_[index(terms.array)].priority;
    job.fixed_priority = jobs_[index(terms.array)].fixed_priority;
  } else if (terms.held) {
    job.priority = 0;
  } else if (terms.priority > 0) {
    job.priority = terms.priority;
    job.fixed_priority = true;
  } else {
    job.priority =
        conf_.multifactor ? multifactor_.weigh(job, terms, now, nodes).priority() : next_basic_priority(terms.nice);
  }
  if (terms.held) job.reason = Reason::held_user;
  // What nothing holds back is eligible at once; the rest when a pass finds that nothing does any more.
  if (!terms.held && terms.dependencies.empty() && terms.array_tasks == 0) {
    job.eligible = std::max(job.begin, job.submit);
  }
  return job;
}

std::uint32_t JobList::next_basic_priority(std::int32_t nice) {
  const auto clamped = [](std::int64_t p) {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(p, 1, 4294967295));
  };
  const std::uint32_t priority = clamped(std::int64_t{lowest_priority_} - 1 - nice);
  // Whether it is nice makes no difference to those that come after it.
  lowest_priority_ = std::min(lowest_priority_, clamped(std::int64_t{priority} + nice));
  return priority;
}

void JobList::recalculate(Second now, const JobTable& table, const NodeTable& nodes) {
  if (!multifactor_.recalculates()) return;
  const bool running_too = conf_.priority_flags.calculate_running;
  const auto set_priority = [&](Job& job) {
    if (job.priority == 0 || job.fixed_priority) return;
    const std::uint32_t priority = multifactor_.weigh(job, table.terms(job.id), now, nodes).priority();
    if (priority == job.priority || (conf_.priority_flags.incr_only && priority < job.priority)) return;
    job.priority = priority;
    order_is_stale_ = true;
  };
  multifactor_.begin(now);
  if (conf_.priority_flags.fair_tree()) {
    for (const JobId id : active_) multifactor_.add_running(jobs_[index(id)], now);
    multifactor_.finish(now);
    for (const JobId id : order_) set_priority(jobs_[index(id)]);
    for (const JobId id : active_) {
      if (running_too && multifactor_.runs(id)) set_priority(jobs_[index(id)]);
    }
    return;
  }
  // Job by job in the order of the records: what those before it used counts for a job, what those after it used does
  // not yet.
  by_record_.assign(order_.begin(), order_.end());
  by_record_.insert(by_record_.end(), active_.begin(), active_.end());
  std::sort(by_record_.begin(), by_record_.end(),
            [this](JobId a, JobId b) { return jobs_[index(a)].record < jobs_[index(b)].record; });
  for (const JobId id : by_record_) {
    Job& job = jobs_[index(id)];
    multifactor_.add_running(job, now);
    if (!multifactor_.holds(id) || (running_too && multifactor_.runs(id))) set_priority(job);
  }
  multifactor_.finish(now);
}

std::optional<Second> JobList::catch_up(Time now, const JobTable& table, const NodeTable& nodes) {
  std::optional<Second> last;
  while (multifactor_.recalculates() && multifactor_.next() <= now) {
    const Time then = multifactor_.next();
    if (order_.empty() && active_.empty()) {
      multifactor_.rest(now);
      break;
    }
    const Second second = conf_.phases.second(then);
    recalculate(second, table, nodes);
    multifactor_.done(then);
    if (!order_.empty()) last = second;
  }
  return last;
}

void JobList::queue(JobId id, const JobTable& table) {
  (void)table;
  order_.push_back(id);
  order_is_stale_ = true;
}

const std::vector<JobId>& JobList::order(const JobTable& table) {
  if (!order_is_stale_) return order_;
  order_is_stale_ = false;
  const auto before = [&](JobId a, JobId b) {
    const Job& x = jobs_[index(a)];
    const Job& y = jobs_[index(b)];
    const std::int32_t tier_x = conf_.partitions[index(x.queue)].priority_tier;
    const std::int32_t tier_y = conf_.partitions[index(y.queue)].priority_tier;
    if (tier_x != tier_y) return tier_x > tier_y;
    if (x.priority != y.priority) return x.priority > y.priority;
    if (x.submit != y.submit) return x.submit < y.submit;
    const JobTerms& s = table.terms(a);
    const JobTerms& t = table.terms(b);
    const JobId p = s.array_tasks > 0 ? s.array : a;
    const JobId q = t.array_tasks > 0 ? t.array : b;
    return p != q ? p < q : a < b;
  };
  // Mostly a few new jobs at the end of a sorted list.
  const auto sorted = std::is_sorted_until(order_.begin(), order_.end(), before);
  if (order_.end() - sorted < 64) {
    for (auto at = sorted; at != order_.end(); ++at) {
      const JobId job = *at;
      const auto place = std::upper_bound(order_.begin(), at, job, before);
      std::move_backward(place, at, at + 1);
      *place = job;
    }
  } else {
    std::sort(order_.begin(), order_.end(), before);
  }
  return order_;
}

void JobList::left(JobId id) { std::erase(order_, id); }

void JobList::started(JobId id, const JobTable& table) {
  left(id);
  Job& job = jobs_[index(id)];
  const JobTerms& terms = table.terms(id);
  if (terms.array_tasks > 0) {
    ++array_of(terms.array).active;
    job.record = ++records_;  // split off from the array's record
  }
  active_.push_back(id);
  sort_active(id);
}

void JobList::sort_active(JobId id) {
  std::erase(active_, id);
  const auto before = [this](JobId a, JobId b) {
    const Job& x = jobs_[index(a)];
    const Job& y = jobs_[index(b)];
    return x.end != y.end ? x.end < y.end : x.record < y.record;
  };
  active_.insert(std::upper_bound(active_.begin(), active_.end(), id, before), id);
}

void JobList::released(JobId id, const JobTable& table) {
  std::erase(active_, id);
  Job& job = jobs_[index(id)];
  job.shares.clear();
  job.nodes = {};
  const JobTerms& terms = table.terms(id);
  if (terms.array_tasks > 0) --array_of(terms.array).active;
}

void JobList::requeued(JobId id, const JobTable& table, Second now) {
  Job& job = jobs_[index(id)];
  ++job.restarts;
  job.submit = now;
  job.begin = now + 121;  // Slurm: a credential's lifetime and a second
  job.eligible = job.begin;
  job.start = 0;
  job.end = 0;
  job.reason = Reason::none;
  if (!conf_.multifactor && !job.fixed_priority && conf_.version.requeue_renumbers()) {
    job.priority = next_basic_priority(table.terms(id).nice);
  }
  queue(id, table);
}

void JobList::hold(JobId id, Reason why) {
  Job& job = jobs_[index(id)];
  job.priority = 0;
  job.reason = why;
  order_is_stale_ = true;
}

void JobList::release(JobId id, Second now, const JobTable& table, const NodeTable& nodes) {
  Job& job = jobs_[index(id)];
  if (job.priority > 0) return;
  const JobTerms& terms = table.terms(id);
  job.fixed_priority = false;
  job.priority =
      conf_.multifactor ? multifactor_.weigh(job, terms, now, nodes).priority() : next_basic_priority(terms.nice);
  job.reason = Reason::none;
  order_is_stale_ = true;
}

bool JobList::array_lets(const Job& job, const JobTable& table) const {
  const JobTerms& terms = table.terms(job.id);
  return terms.array_tasks == 0 || terms.array_limit == 0 || arrays_[index(terms.array)].active < terms.array_limit;
}

JobList::Wait JobList::dependency(const Job& job, const Dependency& d, const JobTable& table, Second now) const {
  using Kind = Dependency::Kind;
  if (d.kind == Kind::singleton) {
    Namesakes& same = namesakes_.at({job.user, table.terms(job.id).name});
    while (is_final(table.state(same.jobs[same.over]))) ++same.over;  // this job at least is not over
    for (std::size_t i = same.over; i < same.jobs.size(); ++i) {
      const JobId other = same.jobs[i];
      const JobState state = table.state(other);
      if (other != job.id && (holds_nodes(state) || (state == JobState::pending && other < job.id))) return Wait::on;
    }
    return Wait::over;
  }
  // Of an array all tasks are meant, except for after_corr: the one with the same number.
  const JobTerms& target = table.terms(d.job);
  const JobTerms& own = table.terms(job.id);
  const auto tasks = static_cast<std::uint32_t>(std::max(target.array_tasks, 1));
  const bool one = d.kind == Kind::after_corr && target.array_tasks > 0 && own.array_tasks > 0;
  Wait answer = Wait::over;
  for (std::uint32_t t = 0; t < tasks; ++t) {
    const JobId other{number(d.job) + t};
    if (one && table.terms(other).array_task != own.array_task) continue;
    const JobState state = table.state(other);
    const bool ok = state == JobState::completed;
    Wait wait = Wait::on;
    switch (d.kind) {
      case Kind::after: {
        const bool began = state == JobState::running || state == JobState::completing || is_final(state);
        const Second start = index(other) < jobs_.size() ? jobs_[index(other)].start : 0;  // it was rejected: none
        if (began && now >= start + d.delay / kSecond) wait = Wait::over;
        break;
      }
      case Kind::after_any:
        if (is_final(state)) wait = Wait::over;
        break;
      case Kind::after_ok:
      case Kind::after_corr:
        if (is_final(state)) wait = ok ? Wait::over : Wait::never;
        break;
      case Kind::after_not_ok:
        if (is_final(state)) wait = ok ? Wait::never : Wait::over;
        break;
      case Kind::singleton:
        break;
    }
    if (wait == Wait::never) return Wait::never;
    if (wait == Wait::on) answer = Wait::on;
  }
  return answer;
}

JobList::Wait JobList::dependencies(const Job& job, const JobTable& table, Second now) const {
  const JobTerms& terms = table.terms(job.id);
  if (terms.dependencies.empty()) return Wait::over;
  bool any_over = false;
  bool any_on = false;
  bool any_never = false;
  for (const Dependency& d : terms.dependencies) {
    switch (dependency(job, d, table, now)) {
      case Wait::over:
        any_over = true;
        break;
      case Wait::on:
        any_on = true;
        break;
      case Wait::never:
        any_never = true;
        break;
    }
  }
  if (terms.any_dependency) return any_over ? Wait::over : any_on ? Wait::on : Wait::never;
  return any_never ? Wait::never : any_on ? Wait::on : Wait::over;
}

Reason JobList::held_back(const Job& job, const JobTable& table, Second now, const NodeTable& nodes) const {
  if (job.priority == 0) {
    // What no longer can be has nothing to do with its constraints any more.
    const bool unusable = reservations_ != nullptr && !reservations_->usable(job, now);
    const bool known = job.reason == Reason::held_user || (job.reason == Reason::bad_constraints && !unusable);
    return known ? job.reason : Reason::held_admin;
  }
  switch (dependencies(job, table, now)) {
    case Wait::on:
      return Reason::dependency;
    case Wait::never:
      return Reason::dependency_never;
    case Wait::over:
      break;
  }
  if (job.begin > now) return Reason::begin_time;
  if (reservations_ != nullptr && !reservations_->usable(job, now)) return Reason::reservation;
  const Partition& partition = conf_.partitions[index(job.queue)];
  if (job.barred != Reason::none) return job.barred;
  if (partition.max_time && job.limit > *partition.max_time && !job.any_time) return Reason::partition_time;
  const bool outside = (partition.max_nodes > 0 && job.ask.min_nodes > partition.max_nodes && !job.any_most_nodes) ||
                       (job.ask.max_nodes > 0 && job.ask.max_nodes < job.ask.min_nodes);
  if (outside || job.ask.min_nodes > nodes.partition(job.queue).count()) return Reason::partition_nodes;
  return Reason::none;
}

bool JobList::runnable(Job& job, const JobTable& table, Second now, const NodeTable& nodes) {
  const Reason reason = held_back(job, table, now, nodes);
  const bool waited = job.reason == Reason::dependency || job.reason == Reason::begin_time ||
                      job.reason == Reason::held_user || job.reason == Reason::held_admin ||
                      (job.reason == Reason::reservation && job.reservation >= 0) ||
                      job.reason == Reason::partition_time || job.reason == Reason::partition_nodes ||
                      (job.barred != Reason::none && job.reason == job.barred);
  if (reason != Reason::none || waited) job.reason = reason;
  const bool eligible = reason == Reason::none || reason == Reason::partition_time ||
                        reason == Reason::partition_nodes || reason == job.barred;
  if (eligible && job.eligible == 0) job.eligible = now;
  return reason == Reason::none;
}

bool JobList::is_first(const Job& job, const JobTable& table, Second now, const NodeTable& nodes) {
  for (const JobId id : order(table)) {
    const Job& other = jobs_[index(id)];
    if (other.reason == Reason::limit || !goes_before(other, job, nodes)) continue;
    if ((other.reservation >= 0) != (job.reservation >= 0)) continue;  // they are not after the same
    switch (held_back(other, table, now, nodes)) {
      case Reason::held_user:
      case Reason::held_admin:
      case Reason::bad_constraints:
      case Reason::dependency:
      case Reason::dependency_never:
      case Reason::begin_time:
      case Reason::reservation:
        break;
      default:
        return false;
    }
  }
  return true;
}

bool JobList::goes_before(const Job& other, const Job& job, const NodeTable& nodes) const {
  const std::int32_t other_tier = conf_.partitions[index(other.queue)].priority_tier;
  const std::int32_t tier = conf_.partitions[index(job.queue)].priority_tier;
  if (other_tier == tier && other.priority <= job.priority) return false;
  return other_tier >= tier && nodes.partition(other.queue).overlaps(nodes.partition(job.queue));
}

std::string reason_text(const Job& job) {
  switch (job.reason) {
    case Reason::none:
      return "None";
    case Reason::priority:
      return "Priority";
    case Reason::resources:
      return "Resources";
    case Reason::dependency:
      return "Dependency";
    case Reason::dependency_never:
      return "DependencyNeverSatisfied";
    case Reason::begin_time:
      return "BeginTime";
    case Reason::held_user:
      return "JobHeldUser";
    case Reason::held_admin:
      return "JobHeldAdmin";
    case Reason::array_limit:
      return "JobArrayTaskLimit";
    case Reason::partition_time:
      return "PartitionTimeLimit";
    case Reason::partition_nodes:
      return "PartitionNodeLimit";
    case Reason::partition_config:
      return "PartitionConfig";
    case Reason::partition_down:
      return "PartitionDown";
    case Reason::account_not_allowed:
    case Reason::qos_not_allowed:
      return job.barred_why;
    case Reason::partition_memory:
      return "MaxMemPerLimit";
    case Reason::limit:
      return hold_text(job.hold);
    case Reason::node_not_available:
      return job.reason_nodes.empty() ? "ReqNodeNotAvail, May be reserved for other job"
                                      : "ReqNodeNotAvail, UnavailableNodes:" + job.reason_nodes;
    case Reason::nodes_reserved:
      return "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions";
    case Reason::bad_constraints:
      return "BadConstraints";
    case Reason::reservation:
      return "Reservation";
    case Reason::reserved_maintenance:
      return "ReqNodeNotAvail, Reserved for maintenance";
    case Reason::licenses:
      return "Licenses";
    case Reason::time_limit:
      return "TimeLimit";
    case Reason::non_zero_exit:
      return "NonZeroExitCode";
    case Reason::node_down:
      return "NodeDown";
  }
  return "";
}

}  // namespace headroom::slurm
