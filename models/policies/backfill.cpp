#include "models/policies/backfill.hpp"

#include <algorithm>

namespace headroom {

Time Backfill::plan(const View& view, Plan& plan) {
  queues_.resize(view.queue_count());
  if (view.changes().disturbed) drop_all(view, plan);
  is_due_ = view.now() >= wake_;
  const bool full = view.changes().ended || view.changes().disturbed || is_due_;
  do {
    for (std::size_t q = 0; q < queues_.size(); ++q) open(view, QueueId{static_cast<std::uint32_t>(q)});
    if (full) vacated_until_ = 0;
    pass(view, plan);
    // A window that a reservation left may let jobs of another queue start that were looked at before.
  } while (full && queues_.size() > 1 && vacated_until_ > view.now());
  for (std::size_t q = 0; q < queues_.size(); ++q) {
    const QueueId queue{static_cast<std::uint32_t>(q)};
    if (!queues_[q].everything && queues_[q].next_change <= view.now()) continue;  // still to be made use of
    queues_[q].next_change = view.cluster().free_cores(queue).next_change(view.now());
  }
  // A reservation that is not moved whenever it could may begin at a time without news. All others begin where a job
  // ends or a node comes back.
  wake_ = kNever;
  if (depth_ == kAll && (!compresses_ || !view.cluster().free_cores_decide())) {
    for (std::size_t q = 0; q < queues_.size(); ++q) {
      const QueueId queue{static_cast<std::uint32_t>(q)};
      const Time next = queues_[q].next_due;
      wake_ = std::min(wake_, next > view.now() ? next : find_next_due(view, queue).next);
    }
  }
  return wake_;
}

// One job at a time, over all queues in order of submission.
void Backfill::pass(const View& view, Plan& plan) {
  for (;;) {
    std::size_t first = queues_.size();
    JobId first_job{};
    for (std::size_t q = 0; q < queues_.size(); ++q) {
      const QueueId queue{static_cast<std::uint32_t>(q)};
      if (queues_[q].stale) queues_[q].candidate = next_candidate(view, queue);
      if (queues_[q].candidate == PendingQueue::kEnd) continue;
      const JobId job = view.pending(queue).job_at(queues_[q].candidate);
      if (first == queues_.size() || job < first_job) {
        first = q;
        first_job = job;
      }
    }
    if (first == queues_.size()) return;
    visit(view, plan, QueueId{static_cast<std::uint32_t>(first)});
  }
}

void Backfill::drop_all(const View& view, Plan& plan) {
  for (std::size_t q = 0; q < queues_.size(); ++q) {
    const PendingQueue& pending = view.pending(QueueId{static_cast<std::uint32_t>(q)});
    if (queues_[q].held == 0) continue;
    for (Position p = pending.front(); p != PendingQueue::kEnd; p = pending.next(p + 1)) {
      const JobId job = pending.job_at(p);
      if (job > queues_[q].last_held) break;
      if (view.cluster().claim(job).kind == Claim::Kind::reserved) plan.drop_reservation(job);
    }
    queues_[q].held = 0;
  }
}

void Backfill::open(const View& view, QueueId queue) {
  Queue& q = queues_[index(queue)];
  const PendingQueue& pending = view.pending(queue);
  const Changes& changes = view.changes();
  q.stale = true;
  q.room_known = false;
  q.closed = false;
  q.freed_cores = 0;
  q.freed_until = 0;
  q.everything = changes.ended || changes.disturbed || is_due_;
  q.cursor = PendingQueue::kEnd;
  if (pending.empty()) {
    q.held = 0;
    return;
  }
  Position arrived = pending.end_position();
  if (!changes.arrivals.empty()) arrived = pending.position_of(changes.arrivals.front());
  if (!q.everything) q.everything = is_over(view, queue, arrived);
  const Position front = pending.front();
  if (q.everything) {
    q.cursor = front;
    free_more(view, queue, std::max(changes.freed_until, vacated_until_));
  } else {
    q.cursor = arrived;
    q.closed = strict_ && front < arrived;
  }
  q.held_end = q.held == 0 ? front : pending.position_of(q.last_held) + 1;
}

// Whether a job's requested time is over while the news of its end is still to come (per-event order): its cores count
// as free, and so do those of a reservation that was to begin then. As in the literature, a submission makes use of
// that only if the new job fits at once.
bool Backfill::is_over(const View& view, QueueId queue, Position arrived) {
  Queue& q = queues_[index(queue)];
  const PendingQueue& pending = view.pending(queue);
  if (q.next_change > view.now() && q.next_due > view.now()) return false;
  std::int32_t free = view.cluster().free_cores(queue).free_at(view.now());
  bool over = q.next_change <= view.now();
  if (q.next_due <= view.now()) {
    const Due due = find_next_due(view, queue);
    over |= due.cores > 0;
    free += due.cores;
  }
  return over && pending.find(arrived, {free, kNever, free}) != PendingQueue::kEnd;
}

// Finds the earliest reservation anew. Returns the cores of those that are due, and when the next one will be.
Backfill::Due Backfill::find_next_due(const View& view, QueueId queue) {
  Queue& q = queues_[index(queue)];
  const PendingQueue& pending = view.pending(queue);
  Due due;
  q.next_due = kNever;
  if (q.held == 0 || pending.empty()) return due;
  for (Position p = pending.front(); p != PendingQueue::kEnd; p = pending.next(p + 1)) {
    if (pending.job_at(p) > q.last_held) break;
    const Time from = view.cluster().claim(pending.job_at(p)).from;
    q.next_due = std::min(q.next_due, from);
    if (from <= view.now()) {
      due.cores += pending.cores_at(p);
    } else {
      due.next = std::min(due.next, from);
    }
  }
  return due;
}

// The next job worth a look in the queue's order; kEnd if there is none.
Backfill::Position Backfill::next_candidate(const View& view, QueueId queue) {
  Queue& q = queues_[index(queue)];
  const PendingQueue& pending = view.pending(queue);
  const Cluster& cluster = view.cluster();
  q.stale = false;
  if (q.closed || q.cursor == PendingQueue::kEnd) return PendingQueue::kEnd;
  // Jobs with a reservation: those whose time has come, and those narrow enough to use what was given back.
  while (q.cursor < q.held_end) {
    const Position p = pending.next(q.cursor);
    if (p >= q.held_end) break;
    if (pending.cores_at(p) <= q.freed_cores || cluster.claim(pending.job_at(p)).from <= view.now()) return p;
    q.cursor = p + 1;
  }
  q.cursor = std::max(q.cursor, q.held_end);
  if (strict_ || q.held < depth_) return pending.next(q.cursor);
  // The others can only start now: before the free cores next drop, or within what is left then.
  if (!q.room_known) q.room = cluster.room(queue, view.now());
  q.room_known = true;
  return pending.find(q.cursor, q.room);
}

// Something that would have been held until `until` is free now.
void Backfill::free_more(const View& view, QueueId queue, Time until) {
  Queue& q = queues_[index(queue)];
  if (!compresses_ || until <= view.now()) return;
  q.freed_until = std::max(q.freed_until, until);
  q.freed_cores = std::max(q.freed_cores, view.cluster().free_cores(queue).max_free(view.now(), until));
}

void Backfill::visit(const View& view, Plan& plan, QueueId queue) {
  Queue& q = queues_[index(queue)];
  const JobId job = view.pending(queue).job_at(q.candidate);
  const JobRequest& request = view.jobs().request(job);
  const Cluster& cluster = view.cluster();
  const Claim before = cluster.claim(job);
  const bool held = before.kind == Claim::Kind::reserved;
  q.cursor = q.candidate + 1;
  q.stale = true;
  Time bound = kNever;
  if (held && before.from > view.now()) {
    // A reservation moves only to begin in what was given back. Most stay: no need to take them out to see that.
    bound = std::min(before.from, q.freed_until);
    if (!cluster.free_cores(queue).could_begin_earlier(view.now(), bound, before.from, request.limit,
                                                       cluster.least_cores(request))) {
      return;
    }
  }
  if (held) {
    const std::span<const NodeShare> shares = cluster.shares(job);
    held_nodes_.assign(shares.begin(), shares.end());
    plan.drop_reservation(job);
  }

  bool moved = false;
  if (cluster.place(request, view.now(), nodes_)) {
    plan.start(job, nodes_);
    q.held -= held ? 1 : 0;
    // One that is due may start on other nodes than the reserved ones: those are free for others then.
    moved = held && (before.from > view.now() || (!held_nodes_.empty() && nodes_ != held_nodes_));
  } else if (cluster.is_too_small_for(request)) {
    q.held -= held ? 1 : 0;  // nothing waits behind it
    return;
  } else if (held || q.held < depth_) {
    // Where certain nodes are reserved, the search for an earlier time looks at all of them at every time: too much to
    // do for every reservation. There a reservation is moved only to start at once.
    const bool search = !held || bound == kNever || depth_ != kAll || cluster.free_cores_decide();
    Time at = search ? cluster.earliest(request, view.now(), nodes_, bound) : kNever;
    if (at == kNever && bound < kNever) {
      at = before.from;
      nodes_.swap(held_nodes_);
    }
    if (at == kNever) {
      // Further away than time goes (requested times of centuries): no reservation, and nothing may pass.
      q.held -= held ? 1 : 0;
      q.closed = true;
      return;
    }
    plan.reserve(job, at, nodes_);
    q.next_due = std::min(q.next_due, at);
    if (!held) {
      ++q.held;
      q.last_held = std::max(q.last_held, job);
      q.held_end = std::max(q.held_end, q.cursor);
    }
    moved = held && at != before.from;
  } else {
    q.closed = strict_;
    return;
  }
  if (moved) {
    // Jobs behind this one may use the window it left, now; those before it, in the next pass.
    vacated_until_ = std::max(vacated_until_, before.until);
    free_more(view, queue, before.until);
  }
  for (Queue& any : queues_) {  // queues may share nodes
    any.stale = true;
    any.room_known = false;
  }
}

}  // namespace headroom
