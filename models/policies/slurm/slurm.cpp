#include "models/policies/slurm/slurm.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace headroom::slurm {
namespace {

constexpr Second kReservationLook = 5;   // whether a reservation begins or ends is looked at so often
constexpr Second kPeriodicTimeout = 30;  // time limits and configured jobs are looked at so often (PERIODIC_TIMEOUT)

// From a ping to the finding that a node does not answer: the message's timeout and a little.
constexpr Time kPingFails = 12 * kSecond;

// From the launch of a job to the news that its Prolog failed.
constexpr Time kPrologFails = 45'000;

// From a ping to the node's answer.
constexpr Time kAnswers = 20'000;

// It has nodes, and was not told to end.
bool has_nodes(JobState state) { return state == JobState::configuring || state == JobState::running; }

}  // namespace

void State::meet(const Cluster& cluster, Time now) {
  if (nodes != nullptr) return;
  // Times may be counted from long before the first job (a log's seconds since 1970): the daemon starts shortly before.
  constexpr Time kLong = kHour * 24;
  if (now - conf.phases.start > kLong) conf.phases.start += (now - conf.phases.start) / kMinute * kMinute;
  for (std::size_t n = node_names.size(); n < cluster.node_count(); ++n) node_names.push_back("n" + std::to_string(n));
  conf.partitions.resize(cluster.spec().queues.size());
  nodes = std::make_unique<NodeTable>(cluster, conf, node_names);
  std::vector<std::int32_t> cpus;
  for (Index n = 0; n < nodes->size(); ++n) cpus.push_back(cluster.cores((*nodes)[n].id));
  nodes->held.rows = CpuRows(conf, cluster.spec(), cpus);
  for (Index n = 0; n < nodes->size(); ++n) {
    // Static nodes are up before the first job.
    if (cluster.state((*nodes)[n].id) == NodeState::up) (*nodes)[n].last_busy = second(conf.phases.start);
  }
  last_node_update = last_job_update = second(conf.phases.start);
}

Scheduler::Scheduler(std::shared_ptr<State> state)
    : state_(std::move(state)), preemption_(state_->conf, state_->associations) {}

// At the first call.
void Scheduler::wake_up() {
  state_->meet(view_->cluster(), now_);
  const Phases& phases = state_->conf.phases;
  const Second start = state_->second(phases.start);
  tick_at_ = phases.main.first(phases.start);
  last_limits_ = last_full_ = last_pass_ = last_ping_ = last_backfill_ = last_reservations_ = start;
  state_->jobs.multifactor().start(phases.start);
  // Passes before there was anything to pass over.
  while (next_pass_ < phases.passes.size() && phases.passes[next_pass_].at < now_) ++next_pass_;
  while (next_backfill_ < phases.backfills.size() && phases.backfills[next_backfill_] < now_) ++next_backfill_;
  backfill_at_ = phases.backfill.first(phases.start);
  selector_ = std::make_unique<Selector>(*state_->nodes, state_->conf);
  planned_ = NodeBits(state_->nodes->size());
  no_rank_.assign(std::vector<std::uint64_t>(state_->nodes->size()));
  state_->limits.account(start);
  nothing_ = Holdings(state_->nodes->size(), state_->nodes->pools().size());
  nothing_.imagined = true;
  const ClusterSpec& spec = view_->cluster().spec();
  for (std::uint32_t g = 0; g < spec.groups.size(); ++g) cores_are_shared_ |= jobs_per_core(spec, GroupId{g}) > 1;
}

void Scheduler::tell(Event::Kind kind, JobId job) {
  if (events_ != nullptr) events_->push_back({now_, kind, number(job)});
}

Time Scheduler::plan(const View& view, Plan& plan) {
  view_ = &view;
  plan_ = &plan;
  now_ = view.now();
  now_s_ = state_->second(now_);
  if (selector_ == nullptr) wake_up();
  if (const auto then = state_->jobs.catch_up(now_, *state_->nodes)) {
    state_->last_job_update = std::max(state_->last_job_update, *then);
  }
  state_->limits.account(state_->second(state_->jobs.multifactor().last()));
  if (state_->reservations.next_request() <= now_) reserve();
  catch_up();
  for (const JobId job : view.changes().over) over(job);
  for (const NodeId node : view.changes().registered) {
    Node& n = (*state_->nodes)[state_->nodes->of(node)];
    n.last_busy = now_s_;
    n.last_response = now_s_;
    n.answers = true;
    n.no_respond = false;
    n.was_down = false;
    touch_nodes();
  }
  for (const NodeId node : view.changes().given_up) {
    const Index n = state_->nodes->of(node);
    if (!(*state_->nodes)[n].down) lose_node(n, std::string(kResumeTimedOut), true);
  }
  for (const Withdrawal& w : view.changes().withdrawn) withdraw(w);
  for (const NodeId node : view.changes().returned) {
    const Index n = state_->nodes->of(node);
    if ((*state_->nodes)[n].withdrawn) asked_node(n, NodeAction::resume);
    wanted_ = true;
  }
  for (const JobId job : view.changes().arrivals) arrive(job);
  for (const Stimulus& s : view.changes().asked) asked(s);

  if (launch_fails_at_ <= now_) fail_launches();
  if (answers_at_ <= now_) hear_answers();
  if (pass_at_ <= now_) pass_soon(pass_full_);
  if (tick_at_ == now_) {
    tick();
    if (ping_now_) answers_at_ = later(now_, kAnswers);
    ping_now_ = false;
    tick_at_ = state_->conf.phases.main.after(tick_at_);
  }
  const Phases& phases = state_->conf.phases;
  if (!phases.passes.empty()) {
    for (; next_pass_ < phases.passes.size() && phases.passes[next_pass_].at <= now_; ++next_pass_) {
      pass(phases.passes[next_pass_].full);
    }
  }
  if (!phases.backfills.empty()) {
    if (next_backfill_ < phases.backfills.size() && phases.backfills[next_backfill_] <= now_) {
      while (next_backfill_ < phases.backfills.size() && phases.backfills[next_backfill_] <= now_) ++next_backfill_;
      backfill_cycle();
    }
  } else if (state_->conf.backfill && backfill_at_ == now_) {
    if (backfill_is_due(now_s_)) {
      backfill_cycle();
      last_backfill_ = now_s_;
    }
    backfill_at_ = phases.backfill.after(backfill_at_);
  }
  Time next = next_tick();
  if (next_pass_ < phases.passes.size()) next = std::min(next, phases.passes[next_pass_].at);
  next = std::min(next, state_->reservations.next_request());
  return std::min({next, pass_at_, launch_fails_at_, answers_at_, next_backfill(), state_->jobs.next_recalculation()});
}

// sinfo's resv and maint.
void Scheduler::flag_reserved() {
  NodeTable& nodes = *state_->nodes;
  for (Index n = 0; n < nodes.size(); ++n) nodes[n].reserved = nodes[n].maintained = false;
  for (const Reservation& r : state_->reservations.all()) {
    if (r.gone || !r.has_nodes || r.flags.time_float || r.start > now_s_ || r.end <= now_s_) continue;
    r.nodes.for_each([&](Index n) {
      nodes[n].reserved = true;
      nodes[n].maintained |= r.flags.maint;
    });
    touch_nodes();
  }
}

// Requests for reservations that came since the last step or come now. Each sets off a pass, those before the first
// job too.
void Scheduler::reserve() {
  const Phases& phases = state_->conf.phases;
  Time passed = 0;  // when the last of those passes was
  for (Time at = state_->reservations.next_request(); at <= now_; at = state_->reservations.next_request()) {
    if (!state_->reservations.carry_out(state_->second(at), view_->cluster(), *state_->nodes, state_->jobs,
                                        view_->jobs())) {
      continue;
    }
    touch_nodes();
    if (at < passed) continue;
    const Time from = std::max(at, phases.time_of(last_pass_ + state_->conf.batch_sched_delay));
    const Time pass_at = phases.main.not_before(tick_at_, from);
    if (pass_at < now_ && state_->jobs.pending() == 0) {
      passed = pass_at;
      last_pass_ = state_->second(pass_at);
    } else {
      wanted_ = true;
    }
  }
}

// It is gone: jobs that wait for it are held, or wait like others.
void Scheduler::leave_reservation(std::int32_t r) {
  touch_nodes();
  for (const JobId id : std::vector<JobId>(state_->jobs.order(view_->jobs()))) {
    if (state_->reservations.asked(id) == r) leave_reservation(state_->jobs[id], state_->reservations[r]);
  }
}

void Scheduler::leave_reservation(Job& job, const Reservation& ended) {
  state_->reservations.forget(job.id);
  job.reservation = -1;
  touch_jobs();
  if (ended.flags.no_hold_jobs) {
    if (job.reason == Reason::reservation) job.reason = Reason::none;
  } else if (job.reason != Reason::held_admin) {
    state_->jobs.hold(job.id, Reason::reservation_deleted);
    job.deleted_reservation = ended.name;
  }
}

// What the threads' looks at the clock came to while nothing was due.
void Scheduler::catch_up() {
  const Conf& conf = state_->conf;
  const Phases& phases = conf.phases;
  const auto follow = [&](const Rhythm& rhythm, Time look, Second interval, Second& last) {
    for (;;) {
      look = rhythm.not_before(look, phases.time_of(last + interval));
      if (look >= now_) return;
      last = phases.second(look);
    }
  };
  const Second last_full = last_full_;
  follow(phases.main, tick_at_, kPeriodicTimeout, last_limits_);
  follow(phases.main, tick_at_, conf.sched_interval, last_full_);
  if (state_->reservations.any()) follow(phases.main, tick_at_, kReservationLook, last_reservations_);
  if (last_full_ > last_full) last_pass_ = last_full_;
  tick_at_ = phases.main.not_before(tick_at_, now_);
  if (!conf.backfill) return;
  // Cycles without jobs to plan.
  while (last_change() >= last_backfill_) {
    const Time look = phases.backfill.not_before(backfill_at_, phases.time_of(last_backfill_ + conf.bf_interval));
    if (look >= now_) break;
    last_backfill_ = phases.second(look);
  }
  backfill_at_ = phases.backfill.not_before(backfill_at_, now_);
}

// A cycle waits for its interval, and for something to have changed.
bool Scheduler::backfill_is_due(Second then) const {
  return then - last_backfill_ >= state_->conf.bf_interval && last_change() >= last_backfill_;
}

Time Scheduler::next_backfill() const {
  const std::vector<Time>& given = state_->conf.phases.backfills;
  if (!given.empty()) return next_backfill_ < given.size() ? given[next_backfill_] : kNever;
  if (!state_->conf.backfill || (state_->jobs.pending() == 0 && planned_.count() == 0)) return kNever;
  if (last_change() < last_backfill_) return kNever;
  const Phases& phases = state_->conf.phases;
  return phases.backfill.not_before(backfill_at_, phases.time_of(last_backfill_ + state_->conf.bf_interval));
}

// When the main loop next finds something to do.
Time Scheduler::next_tick() const {
  const Conf& conf = state_->conf;
  const bool limits_matter = !state_->jobs.active().empty();
  const bool queue_matters = state_->jobs.pending() > 0;
  bool pings_matter = !pinged_.empty();
  for (Index n = 0; n < state_->nodes->size() && !pings_matter; ++n) {
    const Node& node = (*state_->nodes)[n];
    pings_matter = !node.answers && !node.down && view_->cluster().state(node.id) == NodeState::up;
  }
  if (ping_now_) return tick_at_;
  Second next = std::numeric_limits<Second>::max();
  if (limits_matter) next = std::min(next, last_limits_ + kPeriodicTimeout);
  if (queue_matters) next = std::min(next, last_full_ + conf.sched_interval);
  if ((limits_matter || queue_matters) && state_->reservations.any()) {
    next = std::min(next, last_reservations_ + kReservationLook);
  }
  if (wanted_) next = std::min(next, last_pass_ + conf.batch_sched_delay);
  if (pings_matter) next = std::min(next, last_ping_ + ping_interval());
  if (next == std::numeric_limits<Second>::max()) return kNever;
  return conf.phases.main.not_before(tick_at_, conf.phases.time_of(next));
}

Second Scheduler::ping_interval() const {
  const Second timeout = state_->conf.slurmd_timeout;
  return timeout > 0 ? std::max<Second>(timeout / 3, 1) : 100;
}

// --- news -----------------------------------------------------------------------------------------------------------

void Scheduler::arrive(JobId id) {
  const JobTable& table = view_->jobs();
  NodeTable& nodes = *state_->nodes;
  Job& job = state_->jobs.submit(id, table, now_s_, nodes);
  touch_jobs();
  job.components = asks_of(id).components;
  job.leader = JobId{number(id) - static_cast<std::uint32_t>(asks_of(id).component)};
  if (number(job.leader) < number(id)) {
    if (const auto refused = state_->jobs[job.leader].rejected) return reject(job, *refused);
  }
  if (const auto refused = refuse(job)) return reject(job, *refused);
  const Ask before = job.ask;
  if (!state_->resources.describe(job, asks_of(id), table.terms(id).tasks, nodes, now_s_)) {
    return reject(job, Rejection::resources);
  }
  state_->jobs.described(id, table, now_s_, nodes);
  if (const std::string& reservation = asks_of(id).reservation; state_->reservations.any() || !reservation.empty()) {
    const Associations& all = state_->associations;
    const std::uint32_t payer = job.payer.association;
    const std::string account = payer == kNobody ? "" : all.account_name(all[payer].account);
    if (!state_->reservations.admit(job, reservation, account)) return reject(job, Rejection::reservation);
  }
  if (job.ask.min_nodes != before.min_nodes) job.asked_min = job.ask.min_nodes;
  if (job.ask.max_nodes != before.max_nodes) job.asked_max = job.ask.max_nodes;
  std::optional<Rejection> never = cannot_run(job);
  for (std::size_t q = 1; q < job.queues.size() && never; ++q) {
    enter(job, job.queues[q]);
    never = cannot_run(job);
  }
  if (never) return reject(job, *never);
  if (!job.queues.empty()) enter(job, job.queues.front());
  state_->jobs.queue(id, table);
  state_->limits.submitted(id);
  wanted_ |= job.components == 0;
  say_why(job);
}

// Said at once, until a pass says something else: slurmctld tests a new job, without starting it, in each of its
// partitions until one could take it or is busy.
void Scheduler::say_why(Job& job) {
  const JobTable& table = view_->jobs();
  const NodeTable& nodes = *state_->nodes;
  job.reason = state_->jobs.not_yet(job, table, now_s_);
  if (job.priority == 0 || job.reason == Reason::reservation) return;
  const bool compared = job.reason == Reason::none && table.terms(job.id).array_tasks == 0 && licenses_free(job);
  if (compared && !state_->conf.defer && !state_->jobs.is_first(job, table, now_s_, nodes) && job.components == 0) {
    job.reason = Reason::priority;
  }
  const std::vector<QueueId> queues = job.queues.empty() ? std::vector<QueueId>{job.queue} : job.queues;
  bool taken = false;
  for (std::size_t q = 0; q < queues.size() && !taken; ++q) {
    if (queues.size() > 1) enter(job, queues[q]);
    const Reason outside = state_->jobs.outside_partition(job, nodes);
    if (outside != Reason::none && queues.size() == 1) {
      job.reason = outside == Reason::partition_nodes ? Reason::partition_config : outside;
      return;
    }
    if (outside != Reason::none && state_->conf.enforce_part_limits == EnforcePartLimits::any) continue;
    if (outside == Reason::partition_nodes || outside == Reason::account_not_allowed ||
        outside == Reason::qos_not_allowed) {
      job.reason = outside;
      continue;
    }
    taken = true;
    switch (test_now(job)) {
      case Verdict::busy:
        job.reason = Reason::resources;
        break;
      case Verdict::not_available:
        name_unavailable(job, nodes.available(view_->cluster()));
        break;
      case Verdict::reserved:
        job.reason = Reason::reserved_maintenance;
        break;
      case Verdict::never:
        taken = false;
        break;
      case Verdict::limited:
        break;
      case Verdict::started:
        if (outside == Reason::partition_down) job.reason = outside;
        break;
    }
  }
  if (!taken) job.reason = Reason::partition_config;
  if (queues.size() > 1) enter(job, queues.front());
}

// Whether the job would fit if nobody had cores of the nodes that it may share now. How much is really free only a
// pass looks at.
Scheduler::Verdict Scheduler::test_now(Job& job) {
  NodeTable& nodes = *state_->nodes;
  if (held_before_choice(job)) return Verdict::limited;
  NodeBits allowed = nodes.partition(job.queue);
  allowed &= nodes.available(view_->cluster());
  bool maintenance = false;
  if (state_->reservations.any()) {
    Second when = now_s_;
    // Cores of others are not looked at yet.
    const Reservations::Access access = access_of(job, when, false);
    maintenance = access.answer == Reservations::Answer::maintenance;
    if (maintenance || access.answer == Reservations::Answer::taken) allowed.clear();
    allowed &= access.nodes;
  }
  const bool whole = job.ask.whole_nodes;
  NodeBits shareable = allowed;
  shareable.remove(nodes.exclusive);
  state_->resources.keep_to_owner(job, state_->jobs, shareable);
  shareable.remove(nodes.completing());
  NodeBits usable = allowed;
  usable.remove(nodes.completing());
  if (!preemption_.enabled()) {
    if (job.ask.sharing.alone) {
      usable &= nodes.held.idle;
      shareable &= usable;
    } else {
      usable = shareable;
    }
  } else {
    // What those have alone who would make way for it.
    for (const JobId id : preemption_.preemptable(job, allowed, state_->jobs, view_->jobs(), now_s_)) {
      if (state_->jobs[id].ask.sharing.alone) shareable |= state_->jobs[id].nodes;
    }
    shareable &= allowed;
  }
  const bool busy = usable.count() < allowed.count();
  const auto fits = [&](const NodeBits& candidates) {
    return job.ask.min_nodes <= candidates.count() &&
           selector_->pick(job.ask, candidates, nothing_, no_rank_, true, whole, shares_);
  };
  if (fits(shareable)) return Verdict::started;
  if (job.queues.size() > 1 && !fits(nodes.partition(job.queue))) return Verdict::never;
  if (busy || fits(allowed)) return Verdict::busy;
  return maintenance ? Verdict::reserved : Verdict::not_available;
}

// A heterogeneous job is refused as a whole: those of its components that came before go, too, and those that come
// later find their leader refused.
void Scheduler::reject(Job& job, Rejection why) {
  job.rejected = why;
  if (job.components == 0 || job.id == job.leader) return plan_->reject(job.id, why);
  plan_->reject(job.id, why);
  for (std::uint32_t j = number(job.leader); j < number(job.id); ++j) {
    Job& before = state_->jobs[JobId{j}];
    if (before.rejected || view_->jobs().state(JobId{j}) != JobState::pending) continue;
    before.rejected = why;
    state_->jobs.left(JobId{j});
    state_->limits.left(JobId{j});
    plan_->reject(JobId{j}, why);
  }
}

// What could never run is refused at submission: with all nodes of the partition free it would not fit.
std::optional<Rejection> Scheduler::cannot_run(Job& job) {
  const NodeTable& nodes = *state_->nodes;
  const NodeBits& partition = nodes.partition(job.queue);
  const Conf& conf = state_->conf;
  const bool too_wide = job.ask.min_nodes > partition.count();
  const bool too_narrow = job.ask.max_nodes > 0 && job.ask.max_nodes < job.ask.min_nodes;  // waits for ever
  if (too_narrow || job.barred != Reason::none || (too_wide && !conf.version.rejects_too_wide())) return std::nullopt;
  if (conf.memory && job.ask.memory_unit != MemoryUnit::whole) {
    bool enough = false;
    partition.for_each([&](Index n) {
      const std::int64_t cpus = job.ask.memory_unit == MemoryUnit::per_core ? job.ask.cpus_per_node() : 1;
      enough |= job.ask.memory * cpus <= nodes[n].memory;
    });
    if (!enough) return Rejection::memory;
  }
  Ask ask = job.ask;
  if (ask.most_nodes < ask.min_nodes) ask.most_nodes = 0;  // then it waits for the limit
  if (!selector_->pick(ask, partition, nothing_, no_rank_, true, ask.whole_nodes, shares_)) return Rejection::too_wide;
  if (job.preferred != nullptr) {
    ask.needs = job.preferred;
    std::vector<Selector::Share> wished;
    if (!selector_->pick(ask, partition, nothing_, no_rank_, true, ask.whole_nodes, wished)) {
      if (!conf.ignore_prefer_validation) return Rejection::resources;
      job.preferred = nullptr;
    }
  }
  job.tested_cpus = 0;
  for (const Selector::Share& share : shares_) job.tested_cpus += share.cpus;
  return std::nullopt;
}

// More nodes than are not down or on their way.
void Scheduler::name_unavailable(Job& job, const NodeBits& available) {
  const NodeTable& nodes = *state_->nodes;
  job.reason = Reason::node_not_available;
  std::vector<std::string> names;
  NodeBits missing = nodes.partition(job.queue);
  missing.remove(available);
  const NodeBits* const named = job.named_nodes();
  if (named != nullptr && missing.overlaps(*named)) missing &= *named;
  missing.for_each([&](Index n) { names.push_back(nodes[n].name); });
  job.reason_nodes = compress_hostlist(names);
}

// When the job's time is up: by its limit, or because it makes way and had its grace.
Second Scheduler::ends_by(const Job& job) const {
  const bool limited = job.limit < kUnlimited || job.preempted;
  return limited ? job.end + over_time(job) : std::numeric_limits<Second>::max();
}

std::optional<Outcome> Scheduler::judge(const View& view, JobId id, Outcome outcome) const {
  const Job& job = state_->jobs[id];
  if (job.requeue_when_gone) return std::nullopt;
  if (outcome != Outcome::completed && outcome != Outcome::failed) return outcome;
  const bool late = ends_by(job) < state_->second(view.now()) && view.jobs().state(id) == JobState::running;
  return late ? Outcome::timed_out : outcome;
}

// Nothing of a job that was told to end is left on its nodes.
void Scheduler::gone(Job& job) {
  NodeTable& nodes = *state_->nodes;
  for (const Selector::Share& share : job.shares) {
    nodes.add_completing(share.node, -1);
    if (nodes.held.jobs[share.node] == 0) emptied(share.node, job.queue);
  }
  job.completing = false;
  job.shares.clear();
}

// A job's processes are gone.
void Scheduler::over(JobId id) {
  Job& job = state_->jobs[id];
  const JobState state = view_->jobs().state(id);
  touch_jobs();
  touch_nodes();
  if (state == JobState::failed) job.reason = Reason::non_zero_exit;
  if (state == JobState::timed_out) job.reason = Reason::time_limit;
  if (job.completing) {
    gone(job);
    if (state == JobState::pending) wait_again(id);
    made_way(job);
    // The last message of a killed job starts a pass at once.
    if (state_->conf.defer || !state_->conf.phases.passes.empty()) {
      wanted_ = true;
    } else {
      pass_soon(false);
    }
    return;
  }
  job.end = now_s_;
  take_nodes_back(id);
  made_way(job);
  wanted_ = true;
}

// The job no longer holds what it held.
void Scheduler::take_nodes_back(JobId id) {
  Job& job = state_->jobs[id];
  state_->jobs.multifactor().stopped(job, now_s_);
  NodeTable& nodes = *state_->nodes;
  const bool in_rows = nodes.held.rows.any();
  if (in_rows) nodes.held.rows.give_back(id, freed_);
  for (std::size_t i = 0; i < job.shares.size(); ++i) {
    const Selector::Share& share = job.shares[i];
    nodes.held.give_back(share.node, in_rows ? freed_[i] : share.cpus, selector_->memory_of(job.ask, share));
    if (job.ask.sharing.alone) nodes.exclusive.reset(share.node);
    if (nodes.held.jobs[share.node] == 0) nodes[share.node].last_busy = now_s_;
    if (nodes.held.jobs[share.node] == 0 && !job.completing) emptied(share.node, job.queue);
  }
  count_in_partition(job, -1);
  state_->limits.stopped(id, now_s_);
  state_->limits.left(id);
  state_->resources.end(job, nodes);
  const std::vector<Selector::Share> shares = job.shares;
  state_->jobs.released(id, view_->jobs());
  if (job.completing) job.shares = shares;
  touch_nodes();
  touch_jobs();
}

// A job that held nodes is in the queue once more. Components of a heterogeneous job stay together there, whichever is
// gone first: they were told to wait again at one time.
void Scheduler::wait_again(JobId id) {
  Job& job = state_->jobs[id];
  const Second told = job.components > 0 ? std::min(job.end, now_s_) : now_s_;
  job.reservation = state_->reservations.asked(id);
  state_->jobs.requeued(id, view_->jobs(), now_s_);
  job.submit = told;
  // Its partition may have changed while it ran.
  state_->jobs.sort_queues(job);
  state_->limits.enter(id, job.queue);
  enter(job, job.queue);
  state_->limits.submitted(id);
  // One that ended while the job ran found nobody waiting for it.
  const std::int32_t r = job.reservation;
  if (r >= 0 && state_->reservations[r].gone) leave_reservation(job, state_->reservations[r]);
}

// A running job is told to end; its nodes are `comp` until it is gone, its CPUs are given back at once.
void Scheduler::stop(JobId id, Outcome outcome) {
  Job& job = state_->jobs[id];
  if (view_->jobs().state(id) == JobState::configuring) {
    job.end = now_s_;
    take_nodes_back(id);
    if (job.requeue_when_gone) {
      plan_->requeue(id, outcome == Outcome::preempted);
      wait_again(id);
    } else {
      plan_->end(id, outcome);
    }
    made_way(job);
    return;
  }
  plan_->stop(id, outcome);
  job.end = now_s_;
  job.reason = outcome == Outcome::timed_out ? Reason::time_limit : Reason::none;
  job.completing = true;
  take_nodes_back(id);
  for (const Selector::Share& share : job.shares) state_->nodes->add_completing(share.node, 1);
}

void Scheduler::asked(const Stimulus& s) {
  switch (s.kind) {
    case Stimulus::Kind::node_lost: {
      Node& node = (*state_->nodes)[state_->nodes->of(NodeId{s.subject})];
      node.answers = false;
      // Until now it was pinged in every round more than an interval after it was last heard of.
      const Second interval = ping_interval();
      for (Second round = last_ping_ - (last_ping_ - node.last_response) / interval * interval; round <= now_s_;
           round += interval) {
        if (node.last_response < round - interval) node.last_response = round;
      }
      break;
    }
    case Stimulus::Kind::node_back: {
      const Index n = state_->nodes->of(NodeId{s.subject});
      Node& node = (*state_->nodes)[n];
      // When it registers, the jobs that slurmctld had there are missing.
      if (!node.answers && !node.down) lose_jobs(n);
      node.answers = true;
      node.last_response = now_s_;
      node.no_respond = false;
      // A node that was rebooted unexpectedly stays down, unless ReturnToService is 2.
      if (node.down && state_->conf.return_to_service == 2) asked_node(n, NodeAction::resume);
      touch_nodes();
      break;
    }
    case Stimulus::Kind::job_asked:
      asked_job(JobId{s.subject}, static_cast<JobAction>(s.detail));
      break;
    case Stimulus::Kind::node_asked:
      asked_node(state_->nodes->of(NodeId{s.subject}), static_cast<NodeAction>(s.detail));
      wanted_ |= state_->conf.version.passes_after_node_update();
      break;
    case Stimulus::Kind::updated:
      ensure(s.subject < state_->updates.size(), "an update is in the policy's table");
      asked_update(state_->updates[s.subject], JobId{s.detail});
      break;
    case Stimulus::Kind::cluster_changed:
      cluster_changed(view_->cluster().spec().changes[s.subject]);
      break;
    default:
      break;
  }
}

// scontrol update of jobs or of a partition.
void Scheduler::asked_update(const Update& update, JobId id) {
  wanted_ = true;
  if (!update.partition) {
    if (index(id) >= state_->jobs.size()) return;
    const Job& job = state_->jobs[id];
    const bool whole = job.components > 0 && id == job.leader;
    const std::uint32_t count = whole ? static_cast<std::uint32_t>(job.components) : 1;
    for (std::uint32_t c = 0; c < count; ++c) change(JobId{number(id) + c}, update.change);
    return;
  }
  for (const auto& [name, value] : update.settings) {
    ensure(set(state_->conf.partitions[index(*update.partition)], name, value).empty(), "an update was checked");
  }
  state_->nodes->held.rows.follow(state_->conf);
  state_->limits.follow();
  state_->jobs.tiers_changed();
  for (const JobId waiting : state_->jobs.order(view_->jobs())) {
    Job& job = state_->jobs[waiting];
    const bool in_several = std::find(job.queues.begin(), job.queues.end(), *update.partition) != job.queues.end();
    if (job.queue != *update.partition && !in_several) continue;
    state_->limits.enter(waiting, job.queue);
    enter(job, job.queue);
  }
  touch_nodes();
}

void Scheduler::change(JobId id, const JobChange& change) {
  const JobTable& table = view_->jobs();
  const JobState state = table.state(id);
  if (is_final(state)) return;
  Job& job = state_->jobs[id];
  const NodeTable& nodes = *state_->nodes;
  touch_jobs();
  if (change.time_limit) {
    const Second before = job.limit;
    job.limit = (std::min(*change.time_limit, kUnlimited) + 59) / 60 * 60;
    if (state == JobState::running || state == JobState::configuring) {
      job.end = job.start + job.limit;
      state_->jobs.sort_active(id);
    }
    if (state != JobState::pending) state_->limits.given(id, job.limit - before);
  }
  if (state != JobState::pending) return;
  if (!change.partitions.empty()) {
    std::vector<QueueId> queues;
    for (const std::string& name : change.partitions) {
      for (std::uint32_t q = 0; q < state_->conf.partitions.size(); ++q) {
        if (state_->conf.partitions[q].name == name) queues.push_back(QueueId{q});
      }
    }
    ensure(!queues.empty(), "an update was checked");
    job.queues = queues;
    job.in_queue.clear();
    state_->jobs.sort_queues(job);
    enter(job, job.queues.front());
    if (queues.size() < 2) job.queues.clear();
  }
  if (change.nice) {
    if (!state_->conf.multifactor && !job.fixed_priority && job.priority > 0) {
      const std::int64_t priority = std::int64_t{job.priority} + job.nice - *change.nice;
      state_->jobs.set_priority(id, static_cast<std::uint32_t>(std::clamp<std::int64_t>(priority, 1, 4'294'967'295)));
      job.fixed_priority = false;
    }
    job.nice = *change.nice;
  }
  if (change.site_factor) job.site_factor = *change.site_factor;
  if (change.nice || change.site_factor || !change.partitions.empty()) {
    state_->jobs.weigh(job, now_s_, nodes);
    job.reason = Reason::none;
  }
  if (change.priority && *change.priority == 0) state_->jobs.hold(id, Reason::held_admin);
  if (change.priority && *change.priority > 0) {
    state_->jobs.set_priority(id, *change.priority);
    job.reason = Reason::none;
  }
}

// What is asked of the first component of a heterogeneous job is asked of all; only it can be requeued.
void Scheduler::asked_job(JobId id, JobAction action) {
  if (index(id) >= state_->jobs.size()) return;
  const Job& job = state_->jobs[id];
  if (job.components == 0) return act_on(id, action);
  if (action == JobAction::requeue && id != job.leader) return;
  const bool whole = id == job.leader || state_->conf.whole_hetjob;
  if (!whole && view_->jobs().state(id) == JobState::pending) return;  // slurmctld refuses
  const std::uint32_t first = number(whole ? job.leader : id);
  const std::uint32_t count = whole ? static_cast<std::uint32_t>(job.components) : 1;
  for (std::uint32_t j = first; j < first + count; ++j) act_on(JobId{j}, action);
}

void Scheduler::act_on(JobId id, JobAction action) {
  const JobState state = view_->jobs().state(id);
  if (is_final(state)) return;
  Job& job = state_->jobs[id];
  touch_jobs();
  switch (action) {
    case JobAction::cancel:
      if (state == JobState::pending) {
        state_->jobs.left(id);
        state_->limits.left(id);
        job.start = job.end = now_s_;
        plan_->end(id, Outcome::cancelled);
      } else if (has_nodes(state)) {
        stop(id, Outcome::cancelled);
      }
      break;
    case JobAction::hold:
      if (state == JobState::pending) state_->jobs.hold(id, Reason::held_admin);
      break;
    case JobAction::release:
      if (state == JobState::pending) state_->jobs.release(id, now_s_, *state_->nodes);
      wanted_ = true;
      break;
    case JobAction::requeue:
      if (!has_nodes(state) || !view_->jobs().terms(id).requeue) break;
      take_nodes_back(id);
      made_way(job);
      plan_->requeue(id);
      wait_again(id);
      break;
  }
}

void Scheduler::asked_node(Index n, NodeAction action) {
  Node& node = (*state_->nodes)[n];
  const NodeState power = view_->cluster().state(node.id);
  touch_nodes();
  switch (action) {
    case NodeAction::resume:
      // A drained node takes jobs when it has answered the ping of the next look.
      if (node.drain && node.answers && power == NodeState::up) wanted_ = node.no_respond = ping_now_ = true;
      node.drain = false;
      node.was_down = false;
      if (node.down) {
        node.down = node.withdrawn = false;
        plan_->set_usable(node.id);
        node.last_busy = power == NodeState::up ? now_s_ : 0;
      }
      break;
    case NodeAction::power_down:
      node.power_down_asked = power == NodeState::up || power == NodeState::powered_down;
      if (node.down && power == NodeState::powered_down) asked_node(n, NodeAction::resume);
      break;
    case NodeAction::power_up:
      node.power_up_asked = power == NodeState::powered_down;
      break;
    case NodeAction::down:
      if (!node.down && power != NodeState::powering_down) lose_node(n, "", false);
      break;
    case NodeAction::drain:
      node.drain = true;
      break;
  }
}

// What ran on the node is gone: its jobs are requeued, have failed or are cancelled, and nothing completes there any
// more.
void Scheduler::lose_jobs(Index n, bool cancels) {
  const Node& node = (*state_->nodes)[n];
  std::vector<JobId> jobs;
  for (const JobId id : state_->jobs.active()) {
    if (state_->jobs[id].nodes.test(n)) jobs.push_back(id);
  }
  // A heterogeneous job loses all of its components.
  for (std::size_t i = 0, count = jobs.size(); i < count; ++i) {
    const Job& job = state_->jobs[jobs[i]];
    for (std::int32_t c = 0; c < job.components; ++c) {
      const JobId other{number(job.leader) + static_cast<std::uint32_t>(c)};
      const bool holds = has_nodes(view_->jobs().state(other));
      if (holds && std::find(jobs.begin(), jobs.end(), other) == jobs.end()) jobs.push_back(other);
    }
  }
  std::sort(jobs.begin(), jobs.end());
  for (const JobId id : jobs) {
    Job& job = state_->jobs[id];
    take_nodes_back(id);
    made_way(job);
    if (cancels) {
      job.end = now_s_;
      plan_->end(id, Outcome::cancelled);
    } else if (view_->jobs().terms(id).requeue) {
      plan_->requeue(id);
      wait_again(id);
    } else {
      job.end = now_s_;
      job.reason = Reason::node_down;
      plan_->end(id, Outcome::node_failed);
    }
  }
  // What was told to end there is gone with the node.
  for (std::uint32_t j = 0; j < state_->jobs.size() && node.completing > 0; ++j) {
    Job& job = state_->jobs[JobId{j}];
    if (!job.completing) continue;
    const bool here = std::any_of(job.shares.begin(), job.shares.end(), [n](const auto& s) { return s.node == n; });
    if (!here) continue;
    gone(job);
    if (job.requeue_when_gone && !cancels) {
      plan_->requeue(job.id);
      wait_again(job.id);
    } else {
      plan_->end(job.id, job.reason == Reason::time_limit ? Outcome::timed_out : Outcome::cancelled);
    }
    made_way(job);
  }
}

// What the service that buys the nodes does to one: its instance is gone, or it is not to be used for a while.
void Scheduler::withdraw(const Withdrawal& w) {
  const Index n = state_->nodes->of(w.node);
  if (w.loses_jobs) lose_jobs(n, w.cancels_jobs);
  Node& node = (*state_->nodes)[n];
  touch_nodes();
  touch_jobs();
  wanted_ = true;
  if (w.loses_jobs) {  // it has no power any more
    node.answers = true;
    node.no_respond = node.drain = node.power_down_asked = node.planned = false;
    node.last_busy = 0;
    // It was down for something that is over now, as when it is suspended.
    if (node.down && state_->conf.idle_on_node_suspend) asked_node(n, NodeAction::resume);
  }
  if (w.until <= now_ || node.down) return;
  node.down = node.was_down = node.withdrawn = true;
  switch (w.why) {
    case Withdrawal::Why::no_capacity:
      node.reason = "the cloud has no capacity";
      break;
    case Withdrawal::Why::budget:
      node.reason = "the budget is used up";
      break;
    case Withdrawal::Why::removed:
      node.reason = "removed from its group";
      break;
    case Withdrawal::Why::instance_gone:
    case Withdrawal::Why::replaced:
      node.reason = "its instance is gone";
      break;
  }
  plan_->set_down(node.id);
}

void Scheduler::cluster_changed(const ClusterChange& change) {
  state_->nodes->fill_partitions(view_->cluster());
  touch_nodes();
  touch_jobs();
  wanted_ = true;
  if (change.kind != ClusterChange::Kind::delete_queue) return;
  // Its running jobs are terminated, pending ones cancelled (PCS-32).
  for (std::uint32_t j = 0; j < state_->jobs.size(); ++j) {
    const JobState state = view_->jobs().state(JobId{j});
    if (state_->jobs[JobId{j}].queue != change.queue || is_final(state)) continue;
    if (state == JobState::completing) {
      state_->jobs[JobId{j}].requeue_when_gone = false;  // it made way for another, and would wait here
    } else {
      act_on(JobId{j}, JobAction::cancel);
    }
  }
}

// The node is down.
void Scheduler::lose_node(Index n, std::string reason, bool given_up) {
  lose_jobs(n);
  Node& node = (*state_->nodes)[n];
  node.down = node.was_down = true;
  node.reason = std::move(reason);
  node.planned = false;
  node.last_busy = given_up ? 0 : now_s_;
  plan_->set_down(node.id);
  touch_nodes();
  touch_jobs();
}

// --- the main loop --------------------------------------------------------------------------------------------------

void Scheduler::tick() {
  const Conf& conf = state_->conf;
  if (state_->reservations.any() && now_s_ - last_reservations_ >= kReservationLook) {
    last_reservations_ = now_s_;
    if (state_->reservations.notice(now_s_)) wanted_ = true;
    flag_reserved();
  }
  if (now_s_ - last_limits_ >= kPeriodicTimeout) {
    last_limits_ = now_s_;
    check_limits();
    if (state_->reservations.any()) {
      for (const std::int32_t r :
           state_->reservations.look_after(now_s_, view_->cluster(), *state_->nodes, state_->jobs, view_->jobs())) {
        leave_reservation(r);
      }
    }
  }
  ping();
  if (!conf.phases.passes.empty()) return;
  if (now_s_ - last_full_ >= conf.sched_interval) {
    last_full_ = last_pass_ = now_s_;
    wanted_ = false;
    pass_soon(true);
  } else if (wanted_ && now_s_ - last_pass_ >= conf.batch_sched_delay) {
    last_pass_ = now_s_;
    wanted_ = false;
    pass_soon(false);
  }
}

// Those of all components of a heterogeneous job.
bool Scheduler::nodes_are_up(const Job& job) const {
  const auto up = [this](const Selector::Share& share) {
    return view_->cluster().state((*state_->nodes)[share.node].id) == NodeState::up;
  };
  if (job.components == 0) return std::all_of(job.shares.begin(), job.shares.end(), up);
  for (std::int32_t c = 0; c < job.components; ++c) {
    const Job& one = state_->jobs[JobId{number(job.leader) + static_cast<std::uint32_t>(c)}];
    if (!std::all_of(one.shares.begin(), one.shares.end(), up)) return false;
  }
  return true;
}

// Those of a heterogeneous job that boot nodes start together.
bool Scheduler::components_are_up(const Job& job) const {
  if (job.components == 0) return nodes_are_up(job);
  for (std::uint32_t c = 0; c < static_cast<std::uint32_t>(job.components); ++c) {
    const JobId other{number(job.leader) + c};
    const bool boots = view_->jobs().state(other) == JobState::configuring;
    if (boots && !nodes_are_up(state_->jobs[other])) return false;
  }
  return true;
}

// Configured jobs start, jobs over their limit end.
void Scheduler::check_limits() {
  tell(Event::Kind::check);
  const std::vector<JobId> active = state_->jobs.active();
  for (const JobId id : active) {
    Job& job = state_->jobs[id];
    if (view_->jobs().state(id) == JobState::configuring) {
      if (!components_are_up(job)) continue;
      job.start = now_s_;
      job.end = now_s_ + job.limit;
      state_->limits.config_done(id, now_s_);
      plan_->run(id);
      launched(job);
      state_->jobs.multifactor().configured(id);
      state_->jobs.sort_active(id);
      touch_jobs();
    } else if (view_->jobs().state(id) == JobState::running) {
      const bool late = ends_by(job) <= now_s_;
      const bool over_run = state_->reservations.any() && state_->reservations.over(job, now_s_);
      if (!late && !over_run && !state_->limits.used_up(id, job.start, now_s_)) continue;
      job.requeue_when_gone = job.preempted && job.preempted_requeues;
      job.made_way |= job.preempted;
      stop(id, job.preempted ? Outcome::preempted : Outcome::timed_out);
    }
  }
}

// Nodes are pinged every SlurmdTimeout / 3, those that were heard of lately are left out; one that does not answer is
// marked, and is down SlurmdTimeout after it was last heard of.
void Scheduler::ping() {
  const Second timeout = state_->conf.slurmd_timeout;
  const Second interval = ping_interval();
  if (!pinged_.empty() && now_ < ping_fails_at_) return;  // one round at a time
  NodeTable& nodes = *state_->nodes;
  for (const Index n : pinged_) {
    if (nodes[n].answers || nodes[n].down) continue;
    if (!nodes[n].no_respond) touch_nodes();
    nodes[n].no_respond = true;
  }
  pinged_.clear();
  if (now_s_ - last_ping_ < interval) return;
  const Second last_round = last_ping_;
  // Rounds that found everybody well are not kept account of.
  last_ping_ = now_s_ - (now_s_ - last_ping_) % interval;
  for (Index n = 0; n < nodes.size(); ++n) {
    Node& node = nodes[n];
    if (node.down || view_->cluster().state(node.id) != NodeState::up) continue;
    if (node.answers || (!node.no_respond && node.last_response >= now_s_ - interval)) continue;
    if (timeout > 0 && node.last_response <= last_round - timeout) {
      lose_node(n, "Not responding", false);
      continue;
    }
    pinged_.push_back(n);
  }
  ping_fails_at_ = later(now_, kPingFails);
}

// A pass, as soon as sched_min_interval is over.
void Scheduler::pass_soon(bool full) {
  const Time soonest = later(passed_at_, state_->conf.sched_min_interval);
  if (now_ < soonest) {
    pass_full_ |= full;
    pass_at_ = soonest;
    return;
  }
  pass_at_ = kNever;
  pass_full_ = false;
  passed_at_ = now_;
  pass(full);
}

// The node drains; the jobs that were launched there wait again, heterogeneous ones as a whole, held if they are not to
// be tried once more.
void Scheduler::fail_launches() {
  launch_fails_at_ = kNever;
  for (const auto& [id, node] : std::exchange(failing_, {})) {
    (*state_->nodes)[node].drain = true;
    if (view_->jobs().state(id) != JobState::running) continue;
    const Job& failed = state_->jobs[id];
    const auto count = static_cast<std::uint32_t>(std::max(failed.components, 1));
    const std::uint32_t first = failed.components > 0 ? number(failed.leader) : number(id);
    for (std::uint32_t j = first; j < first + count; ++j) {
      if (!has_nodes(view_->jobs().state(JobId{j}))) continue;
      take_nodes_back(JobId{j});
      made_way(state_->jobs[JobId{j}]);
      plan_->requeue(JobId{j});
      wait_again(JobId{j});
      if (!state_->conf.nohold_on_prolog_fail) state_->jobs.hold(JobId{j}, Reason::launch_failed);
    }
  }
  wanted_ = true;
  touch_nodes();
  touch_jobs();
}

// The job runs: its Prolog begins.
void Scheduler::launched(const Job& job) {
  if (state_->conf.prolog_fails.empty()) return;
  const Index host = job.shares.front().node;
  if (state_->conf.prolog_fails[host] <= 0) return;
  --state_->conf.prolog_fails[host];
  failing_.emplace_back(job.id, host);
  launch_fails_at_ = now_ + kPrologFails;
}

// Nodes that were told to resume answer, after the pass of the look that pinged them.
void Scheduler::hear_answers() {
  answers_at_ = kNever;
  for (Index n = 0; n < state_->nodes->size(); ++n) {
    Node& node = (*state_->nodes)[n];
    if (node.answers) node.no_respond = false;
  }
  wanted_ = true;
  touch_nodes();
}

void Scheduler::pass(bool full) {
  const Conf& conf = state_->conf;
  NodeTable& nodes = *state_->nodes;
  tell(full ? Event::Kind::full_pass : Event::Kind::main_pass);
  NodeBits available = nodes.available(view_->cluster());
  rank_nodes_for_starts();
  std::vector<char> failed(conf.partitions.size());
  std::vector<std::int32_t> tested(conf.partitions.size());
  std::int32_t depth = 0;
  std::int32_t started = 0;
  JobId rejected_array{~0u};
  JobId rejected_task{0};  // of it, the one that was looked at
  std::vector<char> failed_reservations(state_->reservations.all().size());
  for (const Candidate& attempt : candidates()) {
    const JobId id = attempt.job;
    Job& job = state_->jobs[id];
    if (view_->jobs().state(id) != JobState::pending) continue;  // it started as another candidate
    if (!job.queues.empty()) enter(job, attempt.queue);
    const JobTerms& terms = view_->jobs().terms(id);
    const std::size_t q = index(job.queue);
    if (conf.sched_max_job_start > 0 && started >= conf.sched_max_job_start) break;
    if (job.components > 0) {  // for backfill to start; those behind it wait
      failed[q] = 1;
      available.remove(nodes.partition(job.queue));
      continue;
    }
    if (terms.array_tasks > 0) {
      if (rejected_array == terms.array) {
        job.reason = state_->jobs[rejected_task].reason;
        continue;
      }
      rejected_array = terms.array;
      rejected_task = id;
      if (!state_->jobs.array_lets(job, view_->jobs())) {
        job.reason = Reason::array_limit;
        job.eligible = 0;
        continue;
      }
    }
    if (conf.partition_job_depth > 0 && conf.partition_job_depth < ++tested[q]) {
      if (job.reason == Reason::none) job.reason = Reason::priority;
      continue;
    }
    if (!full && depth++ > conf.default_queue_depth) break;
    const Trial trial(job, attempt);
    const std::int32_t r = job.reservation;
    if (r >= 0 && failed_reservations[static_cast<std::size_t>(r)]) {
      job.reason = Reason::priority;
      touch_jobs();
      continue;
    }
    if (r < 0 && failed[q]) {
      const bool said = job.reason != Reason::none && job.reason != Reason::resources;
      if (!said || job.reason == Reason::nodes_reserved) job.reason = Reason::priority;
      touch_jobs();
      continue;
    }
    if (job.reason == Reason::limit && held_before_choice(job)) continue;
    if (job.deadline > 0 && missed_deadline(job)) continue;
    if (job.ask.min_nodes > nodes.partition(job.queue).count_common(available)) {
      job.reason = Reason::nodes_reserved;
      touch_jobs();
      failed[q] = 1;
      available.remove(nodes.partition(job.queue));
      continue;
    }
    if (!licenses_free(job)) {
      job.reason = Reason::licenses;
      touch_jobs();
      if (conf.bf_licenses) break;  // backfill plans them
      continue;
    }
    NodeBits allowed = nodes.partition(job.queue);
    allowed &= available;
    // Nothing more in this partition, nor on its nodes, unless the job is not worth a reservation. Of one that names
    // all its nodes only these are closed.
    const NodeBits* const named = job.named_nodes();
    const bool names_all = named != nullptr && named->count() >= job.ask.min_nodes;
    const auto close_partition = [&] {
      if (names_all) return;
      if (r >= 0) {
        failed_reservations[static_cast<std::size_t>(r)] = 1;
        return;
      }
      if (conf.bf_min_age_reserve > 0 && now_s_ - job.eligible < conf.bf_min_age_reserve) return;
      if (too_low_to_reserve(job)) return;
      failed[q] = 1;
      available.remove(nodes.partition(job.queue));
    };
    switch (start_if_it_fits(job, allowed, Event::Kind::allocated_by_main)) {
      case Verdict::started:
        rejected_array = JobId{~0u};
        ++started;
        break;
      case Verdict::busy:
        job.reason = Reason::resources;
        touch_jobs();
        close_partition();
        break;
      case Verdict::limited:
        if (conf.assoc_limit_stop) close_partition();
        break;
      case Verdict::not_available:
        name_unavailable(job, available);
        touch_jobs();
        break;
      case Verdict::reserved:
        touch_jobs();
        if (r >= 0) available.remove(state_->reservations[r].nodes);
        break;
      case Verdict::never:
        if (attempt.drawn || attempt.prefers) break;
        state_->jobs.hold(id, Reason::bad_constraints);
        touch_jobs();
        break;
    }
    if (names_all && job.shares.empty()) available.remove(*named);
  }
}

// The order as it is when a pass begins: what a pass makes eligible waits for the next one. Jobs of reservations come
// first; a magnetic one is one more chance for each job that may use it, and so are preferred nodes.
std::vector<Scheduler::Candidate> Scheduler::candidates() {
  NodeTable& nodes = *state_->nodes;
  const std::vector<JobId> order = state_->jobs.order(view_->jobs());
  std::vector<Candidate> queue;
  queue.reserve(order.size());
  bool several = false;
  const Reservations& reservations = state_->reservations;
  std::vector<std::int32_t> drawing;
  const auto add = [&](Job& job, std::uint32_t priority) {
    if (!state_->jobs.runnable(job, view_->jobs(), now_s_, nodes)) return;
    if (reservations.any()) {
      reservations.drawing(job, drawing);
      for (const std::int32_t r : drawing) {
        if (job.preferred != nullptr) queue.push_back({job.id, job.queue, priority, r, true, true});
        queue.push_back({job.id, job.queue, priority, r, true});
      }
    }
    if (job.preferred != nullptr) queue.push_back({job.id, job.queue, priority, job.reservation, false, true});
    queue.push_back({job.id, job.queue, priority, job.reservation, false});
  };
  for (const JobId id : order) {
    Job& job = state_->jobs[id];
    const Reason before = job.reason;
    if (job.queues.empty()) add(job, job.priority);
    for (std::size_t q = 0; q < job.queues.size(); ++q) {
      several = true;
      enter(job, job.queues[q]);
      add(job, JobList::priority_in(job, q));
    }
    if (job.reason != before) touch_jobs();
  }
  if (several) {
    std::stable_sort(queue.begin(), queue.end(), [this](const Candidate& a, const Candidate& b) {
      const std::int32_t tier_a = state_->conf.partitions[index(a.queue)].priority_tier;
      const std::int32_t tier_b = state_->conf.partitions[index(b.queue)].priority_tier;
      return tier_a != tier_b ? tier_a > tier_b : a.priority > b.priority;
    });
  }
  if (reservations.any()) {
    std::stable_partition(queue.begin(), queue.end(),
                          [](const Candidate& attempt) { return attempt.reservation >= 0; });
  }
  return queue;
}

Scheduler::Trial::Trial(Job& job, const Candidate& attempt) : job_(job), needs_(job.ask.needs), drawn_(attempt.drawn) {
  job.reservation = attempt.reservation;
  if (attempt.prefers) job.ask.needs = job.preferred;
}

Scheduler::Trial::~Trial() {
  job_.ask.needs = needs_;
  if (drawn_ && job_.shares.empty()) job_.reservation = -1;
}

// A job that can no longer end in time is over, a heterogeneous one as a whole.
bool Scheduler::missed_deadline(Job& job) {
  const Second least = job.time_min > 0 ? job.time_min : job.limit < kUnlimited ? job.limit : 0;
  if (job.deadline >= now_s_ + least) return false;
  const auto end = [this](Job& one) {
    state_->jobs.left(one.id);
    state_->limits.left(one.id);
    one.start = one.end = now_s_;
    one.reason = Reason::deadline;
    plan_->end(one.id, Outcome::cancelled);
  };
  if (job.components == 0) end(job);
  for (std::int32_t c = 0; c < job.components; ++c) {
    Job& one = state_->jobs[JobId{number(job.leader) + static_cast<std::uint32_t>(c)}];
    if (view_->jobs().state(one.id) == JobState::pending) end(one);
  }
  het_jobs_.forget(job.leader);
  touch_jobs();
  return true;
}

// What it may run for to be over by its deadline, in whole minutes; to slurmctld 0 of them are no limit.
Second Scheduler::limit_by_deadline(const Job& job, Second now) {
  const Second left = job.deadline > 0 ? (job.deadline - now) / 60 * 60 : 0;
  return left > 0 ? std::min(job.limit, left) : job.limit;
}

Reservations::Access Scheduler::access_of(const Job& job, Second& when, bool move) const {
  return state_->reservations.test(job, when, move, now_s_, *state_->nodes, state_->jobs, state_->resources.licenses());
}

bool Scheduler::licenses_free(const Job& job) const {
  if (!state_->resources.licenses_free(job)) return false;
  return !state_->reservations.any() || state_->reservations.licenses_free(job, now_s_, state_->resources.licenses());
}

// What is held, as if a job of others held what they reserved.
void Scheduler::keep_out(const std::vector<std::int32_t>& cpus, const Holdings& held, Holdings& out) const {
  out = held;
  for (Index n = 0; n < cpus.size(); ++n) {
    if (cpus[n] > 0) out.take(n, (*state_->nodes)[n].cpus, cpus[n], 0);
  }
}

void Scheduler::rank_nodes(bool start, Ranking& ranking) const {
  const NodeTable& nodes = *state_->nodes;
  std::vector<std::uint64_t> ranks(nodes.size());
  for (Index n = 0; n < nodes.size(); ++n) ranks[n] = nodes.rank(view_->cluster(), n, state_->conf.version, start);
  ranking.assign(std::move(ranks));
}

void Scheduler::rank_nodes_for_starts() {
  rank_nodes(true, rank_);
  selector_->set_now(now_s_);
  if (state_->conf.version.weights_powered_down()) return;
  partition_rank_.resize(state_->conf.partitions.size());
  for (std::uint32_t q = 0; q < partition_rank_.size(); ++q) {
    partition_rank_[q].assign(state_->nodes->rank_in(QueueId{q}, view_->cluster(), state_->conf.version));
  }
}

// Where a limit counts the nodes of a group, those that the group has already go before others like them.
const Ranking& Scheduler::rank_for(const Job& job, Ranking& own) const {
  const NodeTable& nodes = *state_->nodes;
  const Ranking& rank = rank_in(job.queue);
  if (!state_->conf.enforce.limits) return rank;
  NodeBits paid = state_->limits.paid_nodes(job.id, nodes.size());
  paid &= nodes.partition(job.queue);
  if (paid.none()) return rank;
  std::set<std::pair<std::uint32_t, std::uint64_t>> like;
  paid.for_each([&](Index n) { like.emplace(nodes.line(n), rank.of[n]); });
  std::vector<std::uint64_t> ranks = rank.of;
  nodes.partition(job.queue).for_each([&](Index n) {
    if (!paid.test(n) && like.contains({nodes.line(n), rank.of[n]})) ++ranks[n];
  });
  own.assign(std::move(ranks));
  return own;
}

// Tries the allowed nodes of the lowest rank, then those of the next as well, and so on.
Scheduler::Verdict Scheduler::start_if_it_fits(Job& job, const NodeBits& free_nodes, Event::Kind by) {
  NodeTable& nodes = *state_->nodes;
  if (held_before_choice(job)) return Verdict::limited;
  Ranking own_rank;
  const Ranking& rank = rank_for(job, own_rank);
  const bool whole = job.ask.whole_nodes;
  const Holdings* held = &nodes.held;
  const Holdings* nothing = &nothing_;
  NodeBits partition = nodes.partition(job.queue);
  NodeBits allowed = free_nodes;
  bool maintenance = false;
  if (state_->reservations.any()) {
    Second when = now_s_;
    const Reservations::Access access = access_of(job, when, false);
    using Answer = Reservations::Answer;
    if (access.answer == Answer::not_now || access.answer == Answer::taken) {
      job.reason = access.answer == Answer::taken ? Reason::reserved_maintenance : Reason::reservation;
      return Verdict::reserved;
    }
    if (access.answer == Answer::busy) return Verdict::busy;
    maintenance = access.answer == Answer::maintenance;
    if (maintenance) {
      allowed.clear();
    } else {
      allowed &= access.nodes;
    }
    if (job.reservation >= 0) partition &= access.nodes;
    if (!access.blocked.empty()) {
      keep_out(access.blocked, nodes.held, held_beside_);
      keep_out(access.kept, nothing_, nothing_beside_);
      held = &held_beside_;
      nothing = &nothing_beside_;
    }
  }
  NodeBits usable = allowed;
  bool busy = false;
  const auto leave_out = [&](const NodeBits& others) {
    busy |= usable.overlaps(others);
    usable.remove(others);
  };
  leave_out(nodes.completing());
  if (state_->resources.has_owners()) {
    NodeBits own = allowed;
    state_->resources.keep_to_owner(job, state_->jobs, own);
    NodeBits others = allowed;
    leave_out(others.remove(own));
  }
  if (job.ask.sharing.alone) {
    NodeBits in_use = allowed;
    leave_out(in_use.remove(held->idle));
  }
  const std::int32_t least = std::max(job.ask.min_nodes, job.ask.max_nodes);
  const std::int32_t most = usable.count();
  NodeBits candidates(nodes.size());
  // Nodes that it names are there from the first.
  const NodeBits* const named = job.named_nodes();
  if (named != nullptr && named->within(partition)) {
    if (!named->within(allowed)) return Verdict::not_available;
    if (!named->within(usable)) return Verdict::busy;
    candidates |= *named;
  }
  for (const Ranking::Class& c : rank.classes) {
    if (!usable.overlaps(c.nodes)) continue;
    NodeBits these = usable;
    these &= c.nodes;
    candidates |= these;
    const std::int32_t count = candidates.count();
    if (count < least && count < most) continue;
    if (!selector_->pick(job.ask, candidates, *held, rank, true, whole, shares_)) continue;
    if (held_after_choice(job, demand_of(job, shares_))) return Verdict::limited;
    begin(job, by);
    return Verdict::started;
  }
  // A job that a limit holds back as well closes no partition (recorded run s15).
  if (held_after_choice(job, asked_for(job))) return Verdict::limited;
  if (preemption_.enabled()) {
    NodeBits others = allowed;
    make_way(job, others.remove(nodes.completing()));
  }
  // Would it fit if the nodes that are there were free?
  if (busy || selector_->pick(job.ask, allowed, *nothing, rank, true, whole, shares_)) return Verdict::busy;
  // What others reserved comes back one day.
  const Holdings& ever = job.reservation >= 0 ? *nothing : nothing_;
  if (selector_->pick(job.ask, partition, ever, rank, true, whole, shares_)) {
    if (!maintenance) return Verdict::not_available;
    job.reason = Reason::reserved_maintenance;
    return Verdict::reserved;
  }
  return Verdict::never;
}

// While some that were told to end are still there, no more are asked. A job with a grace time is told twice: when it
// is over, whoever wants its nodes then has it killed.
void Scheduler::make_way(Job& job, const NodeBits& allowed) {
  if (job.making_way > 0) return;
  // The first ones may still be on their way out.
  const Second patience = state_->conf.kill_wait + state_->conf.message_timeout;
  if (job.preempts_since > 0 && job.preempts_since > now_s_ - patience) return;
  NodeBits chosen;
  const auto victims = preemption_.victims(job, allowed, state_->nodes->held, rank_in(job.queue), state_->jobs,
                                           view_->jobs(), now_s_, *selector_, chosen);
  if (!victims.empty() && job.preempts_since == 0) job.preempts_since = now_s_;
  for (const Preemption::Victim& victim : victims) {
    Job& other = state_->jobs[victim.job];
    other.preempted_requeues = victim.mode == PreemptMode::requeue;
    const bool asked_before = std::exchange(other.preempted, true);
    if (victim.grace > 0 && view_->jobs().state(victim.job) == JobState::running) {
      if (!asked_before) {
        other.end = std::min(other.end, now_s_ + victim.grace);
        state_->jobs.sort_active(victim.job);
        continue;
      }
      if (other.end > now_s_) continue;
    }
    other.ends_for_other = true;
    other.made_way_for = job.id;
    ++job.making_way;
    other.made_way = true;
    other.requeue_when_gone = other.preempted_requeues;
    wanted_ |= view_->jobs().state(victim.job) == JobState::configuring;
    stop(victim.job, Outcome::preempted);
  }
}

// The job is gone, or waits again.
void Scheduler::made_way(Job& job) {
  job.requeue_when_gone = job.preempted = false;
  if (std::exchange(job.ends_for_other, false)) --state_->jobs[job.made_way_for].making_way;
}

// The core is told the job's nodes, and which CPUs of them it has together with others.
void Scheduler::start_on_nodes(const Job& job) {
  if (!job.ask.sharing.shares || !cores_are_shared_) return plan_->start(job.id, node_shares_);
  std::vector<NodeShare> cores;
  for (const CpuRows::Cpu& cpu : state_->nodes->held.rows.cpus_of(job.id)) {
    cores.push_back({(*state_->nodes)[cpu.node].id, cpu.number});
  }
  // With whole nodes go the cores that the system keeps.
  for (const NodeShare& share : node_shares_) {
    const Node& node = (*state_->nodes)[state_->nodes->of(share.node)];
    for (std::int32_t core = node.cpus; core < share.cores; ++core) cores.push_back({share.node, core});
  }
  std::sort(cores.begin(), cores.end(), [](const NodeShare& a, const NodeShare& b) {
    return std::pair(a.node, a.cores) < std::pair(b.node, b.cores);
  });
  plan_->start_sharing(job.id, node_shares_, cores);
}

// The job gets the nodes in shares_.
void Scheduler::begin(Job& job, Event::Kind by) {
  NodeTable& nodes = *state_->nodes;
  const JobId id = job.id;
  node_shares_.clear();
  job.limit = full_limit_ > 0 ? lengthened(job, full_limit_) : limit_by_deadline(job, now_s_);
  if (view_->jobs().request(id).queue != job.queue) plan_->move(id, job.queue);
  job.shares = shares_;
  std::sort(job.shares.begin(), job.shares.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
  job.gres = state_->resources.gres_of(job, job.shares, nodes);
  job.nodes = NodeBits(nodes.size());
  job.start = now_s_;
  job.end = now_s_ + job.limit;
  job.reason = Reason::none;
  std::vector<CpuRows::Part> parts;
  for (Selector::Share& share : job.shares) {
    Node& node = nodes[share.node];
    // What a job leaves to the system nobody else gets.
    if (job.ask.core_spec >= 0) share.cpus = std::max(share.cpus, node.cpus);
    // Cores that the system keeps are nobody else's either.
    const bool all = node.core_spec > 0 && job.ask.whole_nodes;
    node_shares_.push_back({node.id, all ? view_->cluster().cores(node.id) : share.cpus});
    job.nodes.set(share.node);
    parts.push_back({share.node, share.cpus});
  }
  const bool in_rows = nodes.held.rows.any();
  if (in_rows) nodes.held.rows.take(id, job.ask.sharing, parts, selector_->taken(), fresh_);
  for (std::size_t i = 0; i < job.shares.size(); ++i) {
    const Selector::Share& share = job.shares[i];
    Node& node = nodes[share.node];
    nodes.held.take(share.node, node.cpus, in_rows ? fresh_[i] : share.cpus, selector_->memory_of(job.ask, share));
    if (nodes.held.cpus[share.node] == node.cpus) node.planned = false;
    if (job.ask.sharing.alone) nodes.exclusive.set(share.node);
  }
  // The core's books go by groups.
  std::sort(node_shares_.begin(), node_shares_.end(),
            [](const NodeShare& a, const NodeShare& b) { return a.node < b.node; });
  const Demand demand = demand_of(job, job.shares);
  count_in_partition(job, 1);
  state_->resources.begin(job, nodes);
  start_on_nodes(job);
  state_->limits.started(id, demand, now_s_, view_->jobs().state(id) == JobState::running);
  state_->jobs.started(id, view_->jobs());
  state_->jobs.multifactor().started(job, demand.tres, view_->jobs().state(id) == JobState::running);
  if (view_->jobs().state(id) == JobState::running) launched(job);
  touch_jobs();
  touch_nodes();
  tell(by, id);
}

}  // namespace headroom::slurm
