// The backfill thread: a cycle over the queue in order, in which every job gets a place in the plan, now or later.
#include <algorithm>
#include <map>

#include "models/policies/slurm/slurm.hpp"

namespace headroom::slurm {
namespace {

bool is_waiting(const JobTable& table, const Job& job) { return table.state(job.id) == JobState::pending; }

}  // namespace

void Scheduler::mark_planned(bool set) {
  NodeTable& nodes = *state_->nodes;
  bool any = false;
  planned_.for_each([&](Index n) {
    any = true;
    Node& node = nodes[n];
    node.planned = set && nodes.held.cpus[n] < node.cpus;
  });
  if (!set) planned_.clear();
  if (any) touch_nodes();
}

void Scheduler::backfill_cycle() {
  const Conf& conf = state_->conf;
  NodeTable& nodes = *state_->nodes;
  tell(Event::Kind::backfill);
  het_jobs_.begin_cycle();
  mark_planned(false);
  const std::vector<Candidate> queue = candidates();
  for (const JobId id : state_->jobs.order(view_->jobs())) state_->jobs[id].start = 0;
  if (queue.empty()) return;

  rank_nodes_for_starts();
  rank_nodes(false, test_rank_);
  registered_ = NodeBits(nodes.size(), true);
  for (Index n = 0; n < nodes.size(); ++n) {
    if (nodes[n].was_down) registered_.reset(n);
  }
  window_end_ = (now_s_ + conf.bf_window) / conf.bf_resolution * conf.bf_resolution;
  LicenseCounts licenses;
  if (conf.bf_licenses) licenses = state_->resources.licenses().all();
  map_.reset(now_s_ / conf.bf_resolution * conf.bf_resolution, window_end_, nodes.available(view_->cluster()),
             licenses);
  if (conf.bf_running_job_reserve) {
    const NodeBits nobody(nodes.size());
    for (const JobId id : state_->jobs.active()) {
      const Job& job = state_->jobs[id];
      if (!job.ask.whole_nodes && (!conf.bf_licenses || job.licenses.empty())) continue;
      const Second end = (job.end + conf.bf_resolution - 1) / conf.bf_resolution * conf.bf_resolution;
      map_.reserve(0, end, job.ask.whole_nodes ? job.nodes : nobody, conf.bf_resolution, job.licenses);
    }
  }

  jobs_tested_ = 0;
  jobs_started_ = 0;
  std::vector<std::int32_t> in_partition(conf.partitions.size());
  std::vector<std::pair<std::uint32_t, std::int32_t>> by_user;
  std::map<std::pair<std::uint32_t, QueueId>, std::int32_t> by_user_and_partition;
  std::map<std::uint32_t, std::int32_t> by_association;
  JobId rejected_array{~0u};
  JobId planned_array{~0u};
  std::int32_t planned_tasks = 0;
  for (const Candidate& attempt : queue) {
    if (jobs_tested_ >= conf.bf_max_job_test) break;
    const JobId id = attempt.job;
    Job& job = state_->jobs[id];
    if (view_->jobs().state(id) != JobState::pending) continue;  // it started as another candidate
    if (!job.queues.empty()) {
      if (conf.bf_one_resv_per_job && job.start > 0) continue;
      enter(job, attempt.queue);
    }
    const Trial trial(job, attempt);
    const JobTerms& terms = view_->jobs().terms(id);
    if (terms.array_tasks > 0) {
      if (rejected_array == terms.array) continue;
      rejected_array = terms.array;
      if (!state_->jobs.array_lets(job, view_->jobs())) continue;
      // Only some tasks of an array get reservations.
      if (planned_array == terms.array) {
        const bool limited =
            terms.array_limit > 0 && planned_tasks + state_->jobs.active_tasks(terms.array) >= terms.array_limit;
        if (planned_tasks >= conf.bf_max_job_array_resv || limited) continue;
      }
    }
    if (job.components > 0) {
      if (!is_waiting(view_->jobs(), job)) continue;  // started in this cycle
      het_jobs_.set(job.leader, id, HetJobs::unknown(now_s_));
      if (job.reason == Reason::none) job.reason = Reason::resources;
      if (het_jobs_.earliest(job.leader, id) > now_s_ + conf.bf_window) continue;
    }
    if (!conf.assoc_limit_stop && held_before_choice(job)) continue;
    if (conf.bf_max_job_user_part > 0 && by_user_and_partition[{job.user, job.queue}]++ >= conf.bf_max_job_user_part) {
      continue;
    }
    if (conf.bf_max_job_part > 0 && in_partition[index(job.queue)]++ >= conf.bf_max_job_part) continue;
    if (conf.bf_max_job_user > 0) {
      auto at = std::find_if(by_user.begin(), by_user.end(), [&](const auto& u) { return u.first == job.user; });
      if (at == by_user.end()) at = by_user.insert(by_user.end(), {job.user, 0});
      if (at->second++ >= conf.bf_max_job_user) continue;
    }
    if (conf.bf_max_job_assoc > 0 && job.payer.association != kNobody &&
        by_association[job.payer.association]++ >= conf.bf_max_job_assoc) {
      continue;
    }
    if (!conf.bf_licenses && !licenses_free(job)) continue;
    if (job.deadline > 0 && missed_deadline(job)) continue;
    bool counted = false;
    const Planned planned = plan_job(job, attempt, counted);
    if (planned == Planned::table_full) break;
    switch (planned) {
      case Planned::started:
        rejected_array = JobId{~0u};
        ++jobs_started_;
        break;
      case Planned::reserved:
        rejected_array = JobId{~0u};
        if (terms.array_tasks > 0) {
          planned_tasks = planned_array == terms.array ? planned_tasks + 1 : 1;
          planned_array = terms.array;
        }
        break;
      case Planned::no:
      case Planned::table_full:
        break;
    }
    if (conf.bf_max_job_start > 0 && jobs_started_ >= conf.bf_max_job_start) break;
  }
  mark_planned(true);
  if (!conf.bf_hetjob_immediate) start_het_jobs();
}

void Scheduler::start_het_jobs() {
  const std::int32_t most = state_->conf.bf_max_job_start;
  for (const JobId leader : het_jobs_.known()) {
    if (most > 0 && jobs_started_ >= most) return;
    start_het_job(leader, true);
  }
}

// Whether it is known of each component when it could start, and nothing holds one back. Those that are over are left
// out: slurmctld runs them again with the others, here what is over is over.
bool Scheduler::may_start_whole(const HetJobs::Plan& plan) {
  const Job& leader = state_->jobs[plan.leader];
  for (std::int32_t c = 0; c < leader.components; ++c) {
    const Job& job = state_->jobs[JobId{number(plan.leader) + static_cast<std::uint32_t>(c)}];
    if (is_final(view_->jobs().state(job.id))) continue;
    const bool known = std::any_of(plan.components.begin(), plan.components.end(),
                                   [&](const HetJobs::Component& each) { return each.job == job.id; });
    if (!known || !is_waiting(view_->jobs(), job)) return false;
    if (state_->jobs.held_back(job, view_->jobs(), now_s_, *state_->nodes) != Reason::none) return false;
  }
  return true;
}

// Whether limits have room for all components together.
bool Scheduler::limits_let_whole(const HetJobs::Plan& plan) {
  std::size_t counted = 0;
  bool room = true;
  for (const HetJobs::Component& component : plan.components) {
    Job& job = state_->jobs[component.job];
    room = !held_before_choice(job) && !held_after_choice(job, asked_for(job));
    if (!room) break;
    state_->limits.started(component.job, asked_for(job), now_s_, false);
    ++counted;
  }
  for (std::size_t i = 0; i < counted; ++i) {
    state_->limits.stopped(plan.components[i].job, now_s_);
  }
  return room;
}

// All components start, each on nodes of its own, or none does. `at_end`: of the cycle.
void Scheduler::start_het_job(JobId leader, bool at_end) {
  HetJobs::Plan& plan = het_jobs_.of(leader);
  if (!may_start_whole(plan)) {
    if (at_end) plan.start = HetJobs::unknown(now_s_);
    return;
  }
  plan.start = plan.latest(HetJobs::kNobody);
  if (plan.start > now_s_) return;
  if (!limits_let_whole(plan)) {
    plan.start = HetJobs::unknown(now_s_);
    return;
  }
  NodeTable& nodes = *state_->nodes;
  NodeBits used(nodes.size());
  const std::vector<HetJobs::Component> components = plan.components;
  bool all = true;
  for (const HetJobs::Component& component : components) {
    Job& job = state_->jobs[component.job];
    NodeBits allowed = nodes.partition(job.queue);
    allowed &= nodes.available(view_->cluster());
    state_->resources.keep_to_owner(job, state_->jobs, allowed);
    allowed.remove(used);
    all = licenses_free(job) && start_if_it_fits(job, allowed, Event::Kind::allocated_by_backfill) == Verdict::started;
    if (!all) break;
    used |= job.nodes;
  }
  het_jobs_.forget(leader);
  if (all) {
    jobs_started_ += static_cast<std::int32_t>(components.size());
    return;
  }
  for (const HetJobs::Component& component : components) {
    Job& job = state_->jobs[component.job];
    if (is_waiting(view_->jobs(), job)) continue;
    // Its place in the queue stays beside that of those that did not start.
    const Second submit = job.submit;
    const std::uint32_t priority = job.priority;
    take_nodes_back(component.job);
    plan_->requeue(component.job);
    wait_again(component.job);
    job.submit = submit;
    job.priority = priority;
  }
}

// Plans a job that would do with less time as one that takes no more.
Scheduler::Planned Scheduler::plan_job(Job& job, const Candidate& attempt, bool& counted) {
  const Conf& conf = state_->conf;
  bool no_reservation = attempt.prefers || (attempt.drawn && !conf.bf_allow_magnetic_slot) || too_low_to_reserve(job);
  no_reservation |= conf.bf_min_age_reserve > 0 && now_s_ - job.eligible < conf.bf_min_age_reserve;
  const Second full = job.limit;
  const bool shorter = job.deadline == 0 && job.time_min > 0 && job.time_min < full;
  if (shorter) {
    full_limit_ = full;
    job.limit = job.time_min;
  }
  const Planned planned = find_place(job, no_reservation, counted);
  full_limit_ = 0;
  if (planned != Planned::started) job.limit = full;
  return planned;
}

// Of a job that starts on the nodes in shares_: what is left of its limit before others have a place there, but at
// least its --time-min.
Second Scheduler::lengthened(const Job& job, Second limit) const {
  NodeBits nodes(state_->nodes->size());
  for (const Selector::Share& share : shares_) nodes.set(share.node);
  const auto end_before = [&](Second begin) { limit = std::min(limit, std::max<Second>(begin - now_s_, 0) / 60 * 60); };
  for (const PlanMap::Slot& slot : map_.slots()) {
    if (slot.begin < now_s_ + limit && !nodes.within(slot.free)) end_before(slot.begin);
  }
  const std::vector<Reservation>& reservations = state_->reservations.all();
  for (std::size_t r = 0; r < reservations.size(); ++r) {
    const Reservation& other = reservations[r];
    if (other.gone || !other.has_nodes || static_cast<std::int32_t>(r) == job.reservation) continue;
    if (other.start > now_s_ && other.start < now_s_ + limit && other.nodes.overlaps(nodes)) end_before(other.start);
  }
  return std::max(limit, job.time_min);
}

// Finds the job's place: the first time at which it fits beside what runs and what is reserved before it.
Scheduler::Planned Scheduler::find_place(Job& job, bool no_reservation, bool& counted) {
  const Conf& conf = state_->conf;
  NodeTable& nodes = *state_->nodes;
  const Second resolution = conf.bf_resolution;
  const Partition& partition = conf.partitions[index(job.queue)];
  const Second limit = partition.max_time ? std::min(job.limit, *partition.max_time) : job.limit;
  NodeBits up = nodes.partition(job.queue);
  up &= registered_;
  state_->resources.keep_to_owner(job, state_->jobs, up);
  const NodeBits& completing = nodes.completing();
  preemptable_.clear();
  if (preemption_.enabled()) preemptable_ = preemption_.preemptable(job, up, state_->jobs, view_->jobs(), now_s_);

  const LicenseNeed no_licenses;
  const LicenseNeed& licenses = job.needs != nullptr ? job.needs->licenses : no_licenses;
  NodeBits allowed;
  NodeBits chosen;
  Second later_start = now_s_;
  const Second others_start = job.components > 0 ? het_jobs_.earliest(job.leader, job.id) : 0;
  // Every turn looks at a later time; the plan has an end.
  for (int turns = 0; turns < 100'000; ++turns) {
    Second from = std::max(later_start, others_start);
    later_start = 0;
    if (window_end_ < from) return Planned::no;
    held_now_ = &nodes.held;
    planned_job_ = &job;
    Second reserved_until = 0;
    allowed = up;
    if (state_->reservations.any()) {
      const Reservations::Access access = access_of(job, from, true);
      if (access.answer == Reservations::Answer::not_now) job.reason = Reason::reservation;
      if (access.answer != Reservations::Answer::yes) return Planned::no;
      allowed &= access.nodes;
      if (!access.blocked.empty()) {
        keep_out(access.blocked, nodes.held, held_beside_);
        held_now_ = &held_beside_;
      }
      reserved_until = state_->reservations.next_end(from, resolution);
    }
    const Second until = std::max(from, now_s_) + limit;
    const std::vector<PlanMap::Slot>& slots = map_.slots();
    for (std::size_t i = map_.slot_after(from); i < slots.size(); ++i) {
      // Worth another look when this slot is over, unless the next one has nothing more to offer.
      if (i + 1 < slots.size() && later_start == 0 &&
          (NodeBits::beyond(up, slots[i + 1].free, allowed, slots[i].free) ||
           slots[i + 1].licenses != slots[i].licenses)) {
        later_start = slots[i].end;
      }
      if (slots[i].begin > until) {
        if (later_start == 0 && i + 2 < slots.size()) later_start = slots[i + 1].end;
        break;
      }
      allowed &= slots[i].free;
      if (conf.bf_licenses && !LicenseBooks::enough(licenses, slots[i].licenses)) allowed.clear();
    }
    // Another look when the next reservation is over.
    if (reserved_until > 0 && ++reserved_until < window_end_ && (later_start == 0 || reserved_until < later_start)) {
      later_start = reserved_until;
    }
    const auto give_up = [&] { return later_start == 0 || no_reservation; };
    if (job.ask.needs != nullptr && job.ask.needs->excludes_nodes()) allowed.remove(job.ask.needs->excluded);
    const NodeBits* const named = job.named_nodes();
    if (allowed.count() < job.ask.min_nodes || (named != nullptr && !named->within(allowed))) {
      if (give_up()) return Planned::no;
      continue;
    }
    if (!counted) {
      counted = true;
      ++jobs_tested_;
    }
    chosen = allowed;
    Second start = 0;
    if (!will_run(job.ask, chosen, from, no_reservation ? -1 : later_start, start)) {
      if (give_up()) return Planned::no;
      continue;
    }
    start = std::max(start, from);
    touch_jobs();
    const auto slot_begin = [&] { return start / resolution * resolution; };
    const Second round_up = conf.version.plans_whole_ends() ? resolution - 1 : 0;
    const auto slot_end = [&] { return (start + limit + round_up) / resolution * resolution; };
    const bool deferred_first = conf.version.plans_from_future();
    bool overlap_tested = false;
    if (start > now_s_ && deferred_first) {
      if (map_.overlaps(chosen, slot_begin(), slot_end(), licenses)) {
        later_start = start + (from == start ? resolution : 0);
        continue;
      }
      overlap_tested = true;
    }
    if (start <= now_s_ && chosen.overlaps(completing)) {
      start = now_s_ + 1;
      later_start = 0;
    }
    if (job.components > 0) {
      het_jobs_.set(job.leader, job.id, start);
      const bool more = conf.bf_max_job_start == 0 || jobs_started_ < conf.bf_max_job_start;
      if (conf.bf_hetjob_immediate && more) start_het_job(job.leader, false);
    } else if (start <= now_s_ && licenses_free(job)) {
      const Verdict verdict = start_if_it_fits(job, allowed, Event::Kind::allocated_by_backfill);
      if (verdict == Verdict::started) {
        if (job.ask.whole_nodes) {
          const Second end = (job.end + resolution - 1) / resolution * resolution;
          if (deferred_first) map_.reserve(0, end, job.nodes, resolution, job.licenses);
        } else if (conf.bf_licenses && !job.licenses.empty()) {
          const Second end = (job.end + resolution - 1) / resolution * resolution;
          map_.reserve(0, end, NodeBits(nodes.size()), resolution, job.licenses);
        }
        return Planned::started;
      }
      if (verdict == Verdict::busy) job.reason = Reason::resources;  // those who make way for it are not gone yet
      if (verdict == Verdict::not_available) name_unavailable(job, nodes.available(view_->cluster()));
      if (verdict == Verdict::limited) {
        if (!conf.assoc_limit_stop) return Planned::no;  // when limits leave room nobody knows
        constexpr Second kGuess = 500;
        start = later_start != 0 ? later_start : now_s_ + kGuess;
      } else {
        later_start = 0;  // its place is kept all the same
      }
    }
    job.start = start;
    if (start > now_s_ && no_reservation) return Planned::no;
    if (later_start != 0 && start > later_start) {
      job.start = 0;
      continue;
    }
    if (start > now_s_ + conf.bf_window) return Planned::no;
    if (!overlap_tested && map_.overlaps(chosen, slot_begin(), slot_end(), licenses)) {
      later_start = start;
      job.start = 0;
      if (from == start) later_start += resolution;
      continue;
    }
    if (!conf.assoc_limit_stop && held_after_choice(job, demand_of(job, chosen))) {
      job.start = 0;
      return Planned::no;
    }
    if (never_reserves(job)) return Planned::no;
    planned_ |= chosen;
    if (map_.records() >= (conf.bf_node_space_size > 0 ? conf.bf_node_space_size : conf.bf_max_job_test)) {
      return Planned::table_full;
    }
    map_.reserve(slot_begin(), slot_end(), chosen, resolution, licenses);
    return Planned::reserved;
  }
  return Planned::no;
}

// Whether, when and where the job could run on `nodes`, if nothing new starts before it: as slurmctld asks, first
// without and then with the clipping of --ntasks-per-node.
bool Scheduler::will_run(const Ask& ask, NodeBits& nodes, Second from, Second until, Second& start) {
  if (ask.needs != nullptr && (!ask.needs->features.options.empty() || !ask.needs->features.counts.empty())) {
    return will_run_by_feature(ask, nodes, from, until, start);
  }
  if (ask.sharing.shares && !ask.sharing.forced) return will_run_sharing(ask, nodes, from, until, start);
  const NodeBits allowed = nodes;
  const bool fits = test_from(ask, nodes, from, until, false, start);
  if ((fits && start <= now_s_) || ask.whole_nodes || ask.tasks_per_node == 0) return fits;
  nodes = allowed;
  return test_from(ask, nodes, from, until, true, start);
}

// A job that asks to share CPUs is looked at first as if it did not.
bool Scheduler::will_run_sharing(const Ask& ask, NodeBits& nodes, Second from, Second until, Second& start) {
  const NodeBits allowed = nodes;
  Ask apart = ask;
  apart.sharing.shares = false;
  if (test_from(apart, nodes, from, until, false, start) && start <= now_s_) return true;
  nodes = allowed;
  return test_from(ask, nodes, from, until, ask.tasks_per_node > 0, start);
}

bool Scheduler::fits(const Ask& ask, const NodeBits& allowed, const Holdings& held, bool clip, NodeBits& nodes) {
  return selector_->pick(ask, allowed, held, test_rank_, clip, ask.whole_nodes, nodes);
}

// A job that asks for one of several features, or for so many nodes of each, is tested feature by feature: for one at
// the earliest at which it could run, for all at the latest, on all their nodes.
bool Scheduler::will_run_by_feature(const Ask& ask, NodeBits& nodes, Second from, Second until, Second& start) {
  const FeatureNeed& features = ask.needs->features;
  Needs rest = *ask.needs;
  rest.constrained = false;
  rest.features = {};
  Ask one = ask;
  one.needs = &rest;
  const bool all = !features.counts.empty();
  NodeBits left = nodes;
  NodeBits found(state_->nodes->size());
  bool any = false;
  start = 0;
  for (const FeatureNeed::Count& feature : features.each) {
    NodeBits these = left;
    these &= feature.nodes;
    if (all) one.min_nodes = one.wanted_nodes = std::max(feature.count, 1);
    Second when = 0;
    const bool fits = these.count() >= one.min_nodes && will_run(one, these, from, until, when);
    if (!fits && all) return false;
    if (!fits || (!all && any && when >= start)) continue;
    any = true;
    start = all ? std::max(start, when) : when;
    if (!all) {
      found = these;
      continue;
    }
    found |= these;
    left.remove(these);
  }
  if (const std::int32_t more = std::max(ask.min_nodes, ask.max_nodes) - found.count(); all && more > 0) {
    one.min_nodes = std::max(ask.min_nodes - found.count(), 1);
    one.wanted_nodes = more;
    if (ask.max_nodes > 0) one.max_nodes = ask.max_nodes - found.count();
    Second when = 0;
    if (!will_run(one, left, from, until, when)) return false;
    found |= left;
  }
  nodes = found;
  return any;
}

// In the future the job has ended, and left CPUs to those that shared them.
void Scheduler::end_in_rows(const Job& running) {
  future_.rows.give_back(running.id, freed_);
  for (std::size_t i = 0; i < running.shares.size(); ++i) {
    const Selector::Share& share = running.shares[i];
    future_.give_back(share.node, freed_[i], selector_->memory_of(running.ask, share));
  }
  for (const GresShare& gres : running.gres) future_.gres[gres.pool] -= gres.count;
}

bool Scheduler::test_from(const Ask& ask, NodeBits& nodes, Second from, Second until, bool clip, Second& start) {
  const Conf& conf = state_->conf;
  NodeBits allowed = nodes;
  selector_->remove_too_small(ask, allowed);
  const Holdings& held = *held_now_;
  const bool from_future = conf.version.plans_from_future();
  if (!from_future || from <= now_s_) {
    if (fits(ask, allowed, held, clip, nodes)) {
      start = now_s_;
      return true;
    }
    if (until < 0 && preemptable_.empty()) return false;  // now or not at all
  }
  // Of nodes with one job at most, whether they are idle is all there is to know of the future.
  const bool in_rows = held.rows.any();
  const bool only_idle = !in_rows && selector_->only_idle(ask, allowed) && !allowed.overlaps(held.shared);
  if (only_idle) {
    future_.idle = held.idle;
  } else {
    future_ = held;
  }
  const bool cores_reserved = held_now_ != &state_->nodes->held;
  const auto end_job = [&](const Job& running) {
    if (cores_reserved && !state_->reservations.makes_room(running, *planned_job_)) return;
    if (only_idle) {
      future_.idle |= running.nodes;
      return;
    }
    if (in_rows) return end_in_rows(running);
    future_.idle.add_beyond(running.nodes, future_.shared);
    NodeBits::for_each_common(running.nodes, future_.shared, [&](Index n) {
      const auto share = std::lower_bound(running.shares.begin(), running.shares.end(), n,
                                          [](const Selector::Share& s, Index node) { return s.node < node; });
      future_.give_back(n, share->cpus, selector_->memory_of(running.ask, *share));
      for (const GresShare& gres : running.gres) {
        if (gres.node == n) future_.gres[gres.pool] -= gres.count;
      }
    });
  };
  // Jobs that would have to make way are as good as gone.
  std::vector<JobId> others;
  if (!preemptable_.empty()) {
    for (const JobId id : preemptable_) end_job(state_->jobs[id]);
    if (fits(ask, allowed, future_, clip, nodes)) {
      start = now_s_;
      return true;
    }
    if (until < 0) return false;
    for (const JobId id : state_->jobs.active()) {
      if (!std::binary_search(preemptable_.begin(), preemptable_.end(), id)) others.push_back(id);
    }
  }
  const std::vector<JobId>& active = preemptable_.empty() ? state_->jobs.active() : others;
  std::size_t next = 0;
  if (from_future) {
    // What ends before `from` is gone by then.
    while (next < active.size() && state_->jobs[active[next]].end < from) end_job(state_->jobs[active[next++]]);
    if (fits(ask, allowed, future_, clip, nodes)) {
      start = now_s_;  // not before `from`, as the caller sees to
      return true;
    }
  }
  // Ends of jobs are let come to pass in batches; the batches grow.
  Second window = 30;
  Second aligned = 0;
  bool more = true;
  while (more) {
    const Job* last = nullptr;
    const Job* peeked = nullptr;
    std::int32_t removed = 0;
    bool too_many = false;
    for (;;) {
      if (next >= active.size()) {
        more = false;
        break;
      }
      const Job& running = state_->jobs[active[next]];
      if (from_future && until > 0 && running.end > until) {
        more = false;
        break;
      }
      ++next;
      if (!running.nodes.overlaps(allowed)) continue;
      if (aligned == 0) aligned = running.end + (window - running.end % window);
      last = &running;
      end_job(running);
      peeked = next < active.size() ? &state_->jobs[active[next]] : nullptr;
      if (peeked == nullptr) {
        more = false;
        break;
      }
      if (peeked->end > aligned + window) break;
      if (removed++ > 200) {
        too_many = true;
        break;
      }
    }
    if (last == nullptr) break;
    if (too_many) continue;
    if (fits(ask, allowed, future_, clip, nodes)) {
      if (from_future) {
        // It waits only for those whose nodes it gets.
        for (std::size_t i = next; i-- > 0;) {
          const Job& running = state_->jobs[active[i]];
          if (!running.nodes.overlaps(nodes)) continue;
          last = &running;
          break;
        }
      }
      start = last->end <= now_s_ ? guess_end(*last) : last->end;
      return true;
    }
    do {
      window = conf.bf_window_linear > 0 ? window + conf.bf_window_linear : window * 2;
    } while (peeked != nullptr && peeked->end > aligned + window);
  }
  return false;
}

// When a job that is over its limit will end.
Second Scheduler::guess_end(const Job& job) const {
  const Second end = job.end + state_->conf.kill_wait + over_time(job);
  return end <= now_s_ ? now_s_ + 1 : end;
}

}  // namespace headroom::slurm
