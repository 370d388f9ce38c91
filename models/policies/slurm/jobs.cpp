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

std::optional<NodeBits> named_nodes(const Asks& asks, std::int32_t tasks, const NodeTable& nodes) {
  std::optional<NodeBits> named = nodes.named(asks.nodelist);
  if (!named || tasks <= 0) return named;
  std::int32_t left = tasks;
  NodeBits first(nodes.size());
  named->for_each([&](Index n) {
    if (left-- > 0) first.set(n);
  });
  return first;
}

Job& JobList::submit(JobId id, const JobTable& table, Second now, const NodeTable& nodes) {
  const JobRequest& request = table.request(id);
  const JobTerms& terms = table.terms(id);
  jobs_.resize(index(id) + 1);
  arrays_.resize(index(id) + 1);
  Job& job = jobs_.back();
  job.id = id;
  job.queue = request.queue;
  job.user = request.user;
  job.payer = associations_.payer(job.user, terms.asks > 0 ? asks_[terms.asks - 1] : Asks{});
  job.submit = now;
  job.record = ++records_;
  namesakes_[{job.user, terms.name}].jobs.push_back(id);

  const Partition& partition = conf_.partitions[index(request.queue)];
  const bool limited = request.limit != kUnlimited * kSecond;  // what jobs have that give none
  const Second none_given = partition.default_time.value_or(partition.max_time.value_or(kUnlimited));
  job.limit = limited ? std::min(up_to_minutes(request.limit), kUnlimited) : none_given;
  Ask& ask = job.ask;
  ask.cpus_per_task = terms.cpus_per_task;
  static const Asks kNothing;
  const Asks& asks = terms.asks > 0 && terms.asks <= asks_.size() ? asks_[terms.asks - 1] : kNothing;
  job.asked_min = asks.max_nodes > 0 ? asks.min_nodes : request.nodes;
  job.asked_max = asks.max_nodes > 0 ? asks.max_nodes : request.nodes;
  if (terms.tasks > 0 && asks.max_nodes > 0 && terms.tasks < job.asked_min) job.asked_min = job.asked_max = terms.tasks;
  const std::int32_t named = named_nodes(asks, terms.tasks, nodes).value_or(NodeBits()).count();
  job.asked_min = std::max(job.asked_min, named);
  job.nice = terms.nice;
  if (asks.deadline > 0) job.deadline = now + asks.deadline;
  job.time_min = asks.time_min;
  ask.use_min_nodes = asks.use_min_nodes;
  if (request.terms > 0 && (terms.tasks > 0 || terms.tasks_per_node > 0)) {
    ask.tasks_per_node = terms.tasks_per_node;
    ask.tasks = terms.tasks > 0 ? terms.tasks : std::max(job.asked_min, 1) * terms.tasks_per_node;
  } else if (request.nodes > 0 && !request.spread) {
    ask.tasks_per_node = request.cores;
    ask.tasks = request.nodes * request.cores;
  } else {
    ask.tasks = std::max({request.cores, request.nodes, job.asked_min});
  }
  ask.tasks = std::max(ask.tasks, named);
  ask.tasks_given = asks.max_nodes == 0 || terms.tasks > 0 || terms.tasks_per_node > 0;
  ask.cpus = ask.tasks * ask.cpus_per_task;
  // As many nodes as tasks at most, if tasks were given.
  if (asks.max_nodes > 0 && terms.tasks > 1) {
    job.asked_max = std::min(job.asked_max, std::max(job.asked_min, terms.tasks));
  }
  job.asked_whole = request.exclusive;
  job.asked_to_share = asks.oversubscribe;
  if (!asks.partitions.empty()) {
    for (std::string_view rest = asks.partitions; !rest.empty();) {
      const auto comma = std::min(rest.find(','), rest.size());
      for (std::uint32_t q = 0; q < conf_.partitions.size(); ++q) {
        if (conf_.partitions[q].name == rest.substr(0, comma)) job.queues.push_back(QueueId{q});
      }
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    sort_queues(job);
    if (job.queues.size() < 2) job.queues.clear();
  }
  // A job that does not say how many gets the least that the first of its partitions gives.
  const QueueId first = job.queues.empty() ? request.queue : job.queues.front();
  if (job.asked_min == 0) job.asked_min = conf_.partitions[index(first)].min_nodes;
  enter(job, first);
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
  multifactor_.submitted(job);
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
    job.priority = conf_.multifactor ? weighed(job, now, nodes) : next_basic_priority(job.nice);
  }
  if (terms.held) job.reason = Reason::held_user;
  // What nothing holds back is eligible at once; the rest when a pass finds that nothing does any more.
  if (!terms.held && terms.dependencies.empty() && terms.array_tasks == 0) {
    job.eligible = std::max(job.begin, job.submit);
  }
  return job;
}

void JobList::enter(Job& job, QueueId queue) const {
  job.queue = queue;
  const Partition& partition = conf_.partitions[index(queue)];
  Ask& ask = job.ask;
  ask.whole_nodes = job.asked_whole || partition.exclusive;
  ask.sharing = sharing_in(conf_, queue, ask.whole_nodes, job.asked_to_share);
  ask.min_nodes = job.any_least_nodes && job.asked_max == 0 ? 1 : std::max(job.asked_min, 1);
  ask.max_nodes = job.asked_max;
  if (!job.any_least_nodes) ask.min_nodes = std::max(ask.min_nodes, partition.min_nodes);
  ask.most_nodes = job.any_most_nodes ? 0 : partition.max_nodes;
}

void JobList::sort_queues(Job& job) const {
  std::vector<std::pair<QueueId, std::uint32_t>> sorted;  // with the priority there, if it has one
  for (std::size_t q = 0; q < job.queues.size(); ++q) {
    sorted.emplace_back(job.queues[q], q < job.in_queue.size() ? job.in_queue[q] : 0);
  }
  std::stable_sort(sorted.begin(), sorted.end(), [this](const auto& a, const auto& b) {
    return conf_.partitions[index(a.first)].priority_tier > conf_.partitions[index(b.first)].priority_tier;
  });
  for (std::size_t q = 0; q < sorted.size(); ++q) {
    job.queues[q] = sorted[q].first;
    if (q < job.in_queue.size()) job.in_queue[q] = sorted[q].second;
  }
}

void JobList::tiers_changed() {
  for (const JobId id : order_) sort_queues(jobs_[index(id)]);
  order_is_stale_ = true;
}

// Of several partitions each has a priority of its own; the job's is the highest.
std::uint32_t JobList::weighed(Job& job, Second now, const NodeTable& nodes) {
  if (job.queues.empty()) return multifactor_.weigh(job, now, nodes).priority();
  const QueueId present = job.queue;
  job.in_queue.clear();
  for (const QueueId queue : job.queues) {
    job.queue = queue;
    job.in_queue.push_back(multifactor_.weigh(job, now, nodes).priority());
  }
  job.queue = present;
  return *std::max_element(job.in_queue.begin(), job.in_queue.end());
}

void JobList::weigh(Job& job, Second now, const NodeTable& nodes) {
  order_is_stale_ = true;  // its partition may be another
  if (job.priority == 0 || job.fixed_priority || !conf_.multifactor) return;
  job.priority = weighed(job, now, nodes);
}

void JobList::set_priority(JobId id, std::uint32_t priority) {
  Job& job = jobs_[index(id)];
  job.priority = priority;
  job.fixed_priority = true;
  order_is_stale_ = true;
}

void JobList::described(JobId id, const JobTable& table, Second now, const NodeTable& nodes) {
  Job& job = jobs_[index(id)];
  if (!conf_.multifactor || !conf_.weight_tres || job.needs == nullptr || job.needs->gres.empty()) return;
  const JobTerms& terms = table.terms(id);
  const bool follows = terms.array_tasks > 0 && terms.array != id;
  if (job.fixed_priority || terms.held || follows) return;
  job.priority = weighed(job, now, nodes);
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

void JobList::recalculate(Second now, const NodeTable& nodes) {
  if (!multifactor_.recalculates()) return;
  const bool running_too = conf_.priority_flags.calculate_running;
  const auto set_priority = [&](Job& job) {
    if (job.priority == 0 || job.fixed_priority) return;
    const std::uint32_t priority = weighed(job, now, nodes);
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

std::optional<Second> JobList::catch_up(Time now, const NodeTable& nodes) {
  std::optional<Second> last;
  while (multifactor_.recalculates() && multifactor_.next() <= now) {
    const Time then = multifactor_.next();
    if (order_.empty() && active_.empty()) {
      multifactor_.rest(now);
      break;
    }
    const Second second = conf_.phases.second(then);
    recalculate(second, nodes);
    multifactor_.done(then);
    if (!order_.empty()) last = second;
  }
  return last;
}

// PriorityTier and priority, by which it is put in order.
std::pair<std::int32_t, std::uint32_t> JobList::rank(const Job& job) const {
  const auto tier = [this](const Job& j) { return conf_.partitions[index(j.queue)].priority_tier; };
  if (job.components == 0 || conf_.bf_hetjob_prio == HetjobPrio::own) return {tier(job), job.priority};
  std::int32_t least_tier = tier(job);
  std::int32_t most_tier = least_tier;
  std::int64_t tiers = 0;
  std::uint32_t least = job.priority;
  std::uint32_t most = job.priority;
  std::uint64_t sum = 0;
  std::uint32_t count = 0;
  for (; count < static_cast<std::uint32_t>(job.components); ++count) {
    const std::uint32_t at = number(job.leader) + count;
    if (at >= jobs_.size()) break;
    const Job& one = jobs_[at];
    if (one.priority == 0) return {tier(job), 0};  // held
    least_tier = std::min(least_tier, tier(one));
    most_tier = std::max(most_tier, tier(one));
    tiers += tier(one);
    least = std::min(least, one.priority);
    most = std::max(most, one.priority);
    sum += one.priority;
  }
  if (conf_.bf_hetjob_prio == HetjobPrio::min) return {least_tier, least};
  if (conf_.bf_hetjob_prio == HetjobPrio::max) return {most_tier, most};
  return {static_cast<std::int32_t>(tiers / count), static_cast<std::uint32_t>(sum / count)};
}

void JobList::queue(JobId id, const JobTable& table) {
  (void)table;
  order_.push_back(id);
  order_is_stale_ = true;
  const std::pair<std::uint64_t, JobId> entry{jobs_[index(id)].record, id};
  by_age_.insert(std::upper_bound(by_age_.begin(), by_age_.end(), entry), entry);  // mostly at the end
}

const std::vector<JobId>& JobList::order(const JobTable& table) {
  if (!order_is_stale_) return order_;
  order_is_stale_ = false;
  const auto before = [&](JobId a, JobId b) {
    const Job& x = jobs_[index(a)];
    const Job& y = jobs_[index(b)];
    const auto rank_x = rank(x);
    const auto rank_y = rank(y);
    if (rank_x != rank_y) return rank_x > rank_y;
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

void JobList::left(JobId id) {
  std::erase(order_, id);
  const std::pair<std::uint64_t, JobId> entry{jobs_[index(id)].record, id};
  const auto at = std::lower_bound(by_age_.begin(), by_age_.end(), entry);
  if (at != by_age_.end() && *at == entry) by_age_.erase(at);
}

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
    job.priority = next_basic_priority(job.nice);
  }
  queue(id, table);
}

void JobList::hold(JobId id, Reason why) {
  Job& job = jobs_[index(id)];
  job.priority = 0;
  job.reason = why;
  order_is_stale_ = true;
}

void JobList::release(JobId id, Second now, const NodeTable& nodes) {
  Job& job = jobs_[index(id)];
  if (job.priority > 0) return;
  job.fixed_priority = false;
  job.priority = conf_.multifactor ? weighed(job, now, nodes) : next_basic_priority(job.nice);
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
    // No other task changes that.
    if (answer == Wait::on && (d.kind == Kind::after || d.kind == Kind::after_any)) return answer;
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
  const Reason reason = not_yet(job, table, now);
  return reason != Reason::none ? reason : outside_partition(job, nodes);
}

Reason JobList::not_yet(const Job& job, const JobTable& table, Second now) const {
  if (job.priority == 0) {
    // What no longer can be has nothing to do with its constraints any more.
    const bool unusable = reservations_ != nullptr && !reservations_->usable(job, now);
    const bool known = job.reason == Reason::held_user || job.reason == Reason::launch_failed ||
                       job.reason == Reason::reservation_deleted ||
                       (job.reason == Reason::bad_constraints && !unusable);
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
  return Reason::none;
}

Reason JobList::outside_partition(const Job& job, const NodeTable& nodes) const {
  const Partition& partition = conf_.partitions[index(job.queue)];
  if (job.barred != Reason::none) return job.barred;
  if (partition.max_time && job.limit > *partition.max_time && !job.any_time) return Reason::partition_time;
  const std::int32_t widest = std::max(job.ask.min_nodes, job.ask.max_nodes);
  const bool outside = (partition.max_nodes > 0 && widest > partition.max_nodes && !job.any_most_nodes) ||
                       (job.ask.max_nodes > 0 && job.ask.max_nodes < job.ask.min_nodes) ||
                       (job.asked_max == 0 && std::max(job.asked_min, 1) < partition.min_nodes && !job.any_least_nodes);
  if (outside || job.ask.min_nodes > nodes.partition(job.queue).count()) return Reason::partition_nodes;
  return Reason::none;
}

bool JobList::runnable(Job& job, const JobTable& table, Second now, const NodeTable& nodes) {
  const Reason reason = held_back(job, table, now, nodes);
  const bool waited = job.reason == Reason::dependency || job.reason == Reason::begin_time ||
                      job.reason == Reason::held_user || job.reason == Reason::launch_failed ||
                      job.reason == Reason::held_admin || job.reason == Reason::reservation_deleted ||
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
  for (const auto& [record, id] : by_age_) {
    Job& other = jobs_[index(id)];
    if (id == job.id || (job.components > 0 && other.leader == job.leader && other.components > 0)) continue;
    if (conf_.bf_min_age_reserve > 0 && (other.eligible == 0 || now - other.eligible < conf_.bf_min_age_reserve)) {
      continue;
    }
    switch (other.reason) {
      case Reason::limit:
      case Reason::node_not_available:
      case Reason::reserved_maintenance:
      case Reason::partition_down:
      case Reason::partition_nodes:
      case Reason::partition_time:
        continue;
      default:
        break;
    }
    if (other.priority == 0) continue;
    // Nothing to find out about most of them.
    const bool settled = reservations_ == nullptr && other.eligible != 0 && other.begin <= now &&
                         other.reason != Reason::dependency && other.reason != Reason::begin_time &&
                         table.terms(id).dependencies.empty();
    if (settled && !goes_before(other, job, nodes)) continue;
    const Reason why = not_yet(other, table, now);
    const bool waited = other.reason == Reason::dependency || other.reason == Reason::begin_time;
    if (why != Reason::none || waited) other.reason = why;
    if (why != Reason::none) continue;
    if (other.eligible == 0) other.eligible = now;
    if (goes_before(other, job, nodes)) return false;
  }
  return true;
}

// Among jobs that are after the same reservation, or after none, priority alone counts, wherever they wait.
bool JobList::goes_before(const Job& other, const Job& job, const NodeTable& nodes) const {
  if (other.reservation == job.reservation) return other.priority > job.priority;
  if (other.reservation < 0 || job.reservation < 0) return false;
  if (!nodes.partition(other.queue).overlaps(nodes.partition(job.queue))) return false;
  const std::int32_t other_tier = conf_.partitions[index(other.queue)].priority_tier;
  const std::int32_t tier = conf_.partitions[index(job.queue)].priority_tier;
  if (other.queue == job.queue || other_tier == tier) return other.priority > job.priority;
  return other_tier > tier;
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
    case Reason::reservation_deleted:
      return "Reservation " + job.deleted_reservation + " was deleted";
    case Reason::reserved_maintenance:
      return "ReqNodeNotAvail, Reserved for maintenance";
    case Reason::licenses:
      return "Licenses";
    case Reason::launch_failed:
      return "launch failed requeued held";
    case Reason::deadline:
      return "DeadLine";
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
