#include "models/policies/ordered_backfill.hpp"

#include <algorithm>

namespace headroom {
namespace {

// As Cluster::room for a profile of its own.
Room room_in(const CapacityProfile& free, Time now) {
  Room room;
  room.short_cores = free.free_at(now);
  const Time drop = free.first_below(now, room.short_cores, room.long_cores);
  room.short_limit = drop == kNever ? kNever : drop - now;
  return room;
}

}  // namespace

Time OrderedBackfill::plan(const View& view, Plan& plan) {
  queues_.resize(view.queue_count());
  take_in(view);
  if (view.changes().any()) {
    // A guess that is over at this very instant is right if the news of the job's end is still to come. The simulators
    // of the literature know; here all news of the instant are awaited, and then acted upon one after the other.
    const bool may_be_right = find_overdue(view) == view.now();
    events_.push_back({jobs_.size(), {view.changes().finished.begin(), view.changes().finished.end()}});
    if (may_be_right || waits_since_ == view.now()) {
      waits_since_ = view.now();
      return view.now();
    }
  }
  correct(view, plan);
  for (std::size_t event = 0; event < events_.size(); ++event) {
    drop_reservations(view, plan);
    open(view, event);
    serve_heads(view, plan);
    if (options_.backfills) backfill(view, plan);
  }
  events_.clear();
  return due_.empty() ? kNever : due_.top().at;
}

// Before the pass for one of the events that waited: later ones have not happened yet. Jobs that they end hold their
// cores for as long as expected, unless that time is over (by number: elsewhere, what is free is free).
void OrderedBackfill::open(const View& view, std::size_t event) {
  for (Queue& queue : queues_) queue = {};
  known_jobs_ = JobId{static_cast<std::uint32_t>(events_[event].jobs)};
  if (!view.cluster().free_cores_decide()) return;
  for (std::size_t later_event = event + 1; later_event < events_.size(); ++later_event) {
    for (const FinishedJob& finished : events_[later_event].finished) {
      const Time until = later(view.now() - finished.run_time, jobs_[index(finished.job)].expected);
      if (until <= view.now()) continue;
      const JobRequest& request = view.jobs().request(finished.job);
      Queue& queue = queues_[index(request.queue)];
      if (!queue.free) queue.free = view.cluster().free_cores(request.queue);
      queue.free->occupy(view.now(), until, view.cluster().least_cores(request));
    }
  }
}

// When the first guess that is not after now was over, its job still running; kNever: none.
Time OrderedBackfill::find_overdue(const View& view) {
  while (!due_.empty() && due_.top().at <= view.now()) {
    const JobId job = due_.top().job;
    const JobState state = view.jobs().state(job);
    if (state == JobState::running || state == JobState::configuring) {
      const Time until = view.cluster().claim(job).until;
      if (until <= view.now()) return until;
      due_.pop();
      due_.push({until, job});  // its nodes took time to boot
    } else {
      due_.pop();
    }
  }
  return kNever;
}

void OrderedBackfill::take_in(const View& view) {
  const JobTable& table = view.jobs();
  if (options_.guesses) {
    for (const FinishedJob& job : view.changes().finished) guess_.learn(table.request(job.job).user, job.run_time);
  }
  const Time first_submit = table.size() > 0 ? table.request(JobId{0}).submit : 0;
  for (auto j = static_cast<std::uint32_t>(jobs_.size()); j < table.size(); ++j) {
    const JobRequest& request = table.request(JobId{j});
    const Time expected = options_.guesses ? guess_.first(request) : request.limit;
    jobs_.push_back({expected, expected, Priority(options_.order, request, first_submit)});
  }
}

// Running jobs that outlive their guesses hold their nodes for longer. Nothing starts because of that: no node came
// free.
void OrderedBackfill::correct(const View& view, Plan& plan) {
  while (find_overdue(view) != kNever) {
    const JobId job = due_.top().job;
    due_.pop();
    drop_reservations(view, plan);
    Job& j = jobs_[index(job)];
    const Time limit = view.jobs().request(job).limit;
    j.expected = RunTimeGuess::next(j.first_guess, j.expected, limit);
    plan.expect(job, j.expected);
    if (j.expected < limit) due_.push({view.cluster().claim(job).until, job});
  }
}

void OrderedBackfill::drop_reservations(const View& view, Plan& plan) {
  for (const JobId job : held_) {
    if (view.cluster().claim(job).kind == Claim::Kind::reserved) plan.drop_reservation(job);  // it may be cancelled
  }
  held_.clear();
}

// Each queue's jobs in order until one does not fit.
void OrderedBackfill::serve_heads(const View& view, Plan& plan) {
  for (;;) {
    Candidate best{};
    Queue* first = nullptr;
    for (std::size_t q = 0; q < queues_.size(); ++q) {
      const QueueId queue{static_cast<std::uint32_t>(q)};
      if (queues_[q].blocked) continue;
      if (!queues_[q].head_known) queues_[q].head = first_of(view, queue);
      queues_[q].head_known = true;
      if (queues_[q].head == known_jobs_) continue;
      const Candidate head{rank(view, queues_[q].head), queues_[q].head, 0};
      if (first != nullptr && !(head < best)) continue;
      best = head;
      first = &queues_[q];
    }
    if (first == nullptr) return;
    if (try_start(view, plan, first->head)) {
      first->head_known = false;
      continue;
    }
    first->blocked = true;
    if (options_.backfills) reserve(view, plan, *first);
  }
}

void OrderedBackfill::reserve(const View& view, Plan& plan, Queue& queue) {
  const JobRequest request = as_expected(view, queue.head);
  const std::int32_t cores = view.cluster().least_cores(request);
  const Time at = queue.free ? queue.free->earliest_fit(view.now(), request.limit, cores)
                             : view.cluster().earliest(request, view.now(), nodes_);
  // Further away than time goes (requested times of centuries): no reservation, and nothing may pass.
  queue.closed = at == kNever;
  if (queue.closed) return;
  if (queue.free) {
    queue.free->occupy(at, later(at, request.limit), cores);
  } else {
    plan.reserve(queue.head, at, nodes_, request.limit);
    held_.push_back(queue.head);
  }
}

// Those that fit now without touching a reservation.
void OrderedBackfill::backfill(const View& view, Plan& plan) {
  candidates_.clear();
  for (std::size_t q = 0; q < queues_.size(); ++q) {
    const QueueId queue{static_cast<std::uint32_t>(q)};
    const PendingQueue& pending = view.pending(queue);
    if (queues_[q].closed || pending.size() < 2) continue;
    // The queue knows requested times: with guesses, only the cores can be asked for.
    const Room now = room(view, queue);
    const Room wide = options_.guesses ? Room{now.short_cores, kNever, now.short_cores} : now;
    const auto end = pending.position_of(known_jobs_);
    for (auto p = pending.find(0, wide, end); p != PendingQueue::kEnd; p = pending.find(p + 1, wide, end)) {
      const JobId job = pending.job_at(p);
      if (job == queues_[q].head || !may_fit(view, queue, job, pending.cores_at(p))) continue;
      const double key = options_.shortest_first ? static_cast<double>(jobs_[index(job)].expected) : rank(view, job);
      candidates_.push_back({key, job, pending.cores_at(p)});
    }
  }
  std::sort(candidates_.begin(), candidates_.end());
  for (const Candidate& candidate : candidates_) {
    const QueueId queue = view.jobs().request(candidate.job).queue;
    if (!may_fit(view, queue, candidate.job, candidate.cores) || !try_start(view, plan, candidate.job)) continue;
    for (Queue& any : queues_) any.room_known = false;  // queues may share nodes
  }
}

const Room& OrderedBackfill::room(const View& view, QueueId queue) {
  Queue& q = queues_[index(queue)];
  if (!q.room_known) q.room = q.free ? room_in(*q.free, view.now()) : view.cluster().room(queue, view.now());
  q.room_known = true;
  return q.room;
}

// Before the free cores next drop, or within what is left then.
bool OrderedBackfill::may_fit(const View& view, QueueId queue, JobId job, std::int32_t cores) {
  const Room& now = room(view, queue);
  return cores <= now.short_cores && (jobs_[index(job)].expected <= now.short_limit || cores <= now.long_cores);
}

bool OrderedBackfill::try_start(const View& view, Plan& plan, JobId job) {
  const JobRequest request = as_expected(view, job);
  const Time expected = request.limit;
  std::optional<CapacityProfile>& free = queues_[index(request.queue)].free;
  const std::int32_t cores = free ? view.cluster().least_cores(request) : 0;
  if (free && !free->fits(view.now(), later(view.now(), expected), cores)) return false;
  if (!view.cluster().place(request, view.now(), nodes_)) return false;
  if (free) free->occupy(view.now(), later(view.now(), expected), cores);
  plan.start(job, nodes_, expected);
  if (expected < view.jobs().request(job).limit) due_.push({later(view.now(), expected), job});
  return true;
}

// The queue's first job; known_jobs_ if none waits.
JobId OrderedBackfill::first_of(const View& view, QueueId queue) const {
  const PendingQueue& pending = view.pending(queue);
  Candidate best{0, known_jobs_, 0};
  for (auto p = pending.front(); p != PendingQueue::kEnd; p = pending.next(p + 1)) {
    const Candidate candidate{rank(view, pending.job_at(p)), pending.job_at(p), 0};
    if (candidate.job >= known_jobs_) break;
    if (view.cluster().is_too_small_for(view.jobs().request(candidate.job))) continue;  // nothing waits behind it
    if (best.job == known_jobs_ || candidate < best) best = candidate;
    if (options_.order == QueueOrder::fcfs) break;
  }
  return best.job;
}

double OrderedBackfill::rank(const View& view, JobId job) const { return jobs_[index(job)].priority.at(view.now()); }

// The job's request, were the expected run time what it asks for.
JobRequest OrderedBackfill::as_expected(const View& view, JobId job) const {
  JobRequest request = view.jobs().request(job);
  request.limit = jobs_[index(job)].expected;
  return request;
}

}  // namespace headroom
