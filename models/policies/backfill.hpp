// FCFS, EASY and conservative backfilling as one algorithm with a reservation depth.
//
// The first `depth` jobs of each queue that cannot start now get a reservation: the earliest time at which they fit for
// their whole requested time, given what runs and what is reserved before them. Any later job may start now if it fits
// without touching a reservation.
//   depth 0, strict: FCFS, nothing passes the first job that does not fit;
//   depth 1:         EASY (Lifka, "The ANL/IBM SP scheduling system", JSSPP 1995);
//   depth all:       conservative (Mu'alem and Feitelson, IEEE TPDS 12(6), 2001), with compression: when a job ends
//                    early, reservations move forward in queue order where they can (where they name nodes, only to
//                    start at once: Cluster::counts). Without compression a reservation stays where it was made, and
//                    only new jobs use what came free.
// With several queues each queue has its own order and depth; a pass goes through them in order of submission.
#pragma once

#include "engine/policy.hpp"

namespace headroom {

class Backfill final : public SchedulerPolicy {
 public:
  static constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  Backfill(std::size_t depth, bool strict, bool compresses = true)
      : depth_(depth), strict_(strict), compresses_(compresses) {}

  Time plan(const View& view, Plan& plan) override;

 private:
  using Position = PendingQueue::Position;

  // What is kept of a queue between passes: nothing that the View keeps.
  struct Queue {
    std::size_t held = 0;       // reservations
    JobId last_held{0};         // the last job with one; every job before it has one too
    Time next_change = kNever;  // first change of the free cores after the last full pass
    Time next_due = kNever;     // no reservation begins before
    // of the pass under way:
    Position cursor = 0;
    Position held_end = 0;  // jobs before it have reservations
    Position candidate = PendingQueue::kEnd;
    Time freed_until = 0;          // reservations can move only to begin in what was given back, before this time
    std::int32_t freed_cores = 0;  // most free cores anywhere in it: wider jobs cannot move
    Room room;
    bool room_known = false;
    bool everything = false;  // not only the new arrivals
    bool closed = false;
    bool stale = true;  // candidate is to be found anew
  };

  struct Due {
    std::int32_t cores = 0;  // of reservations that are due
    Time next = kNever;      // when another one will be
  };

  void free_more(const View& view, QueueId queue, Time until);
  bool is_over(const View& view, QueueId queue, Position arrived);
  Due find_next_due(const View& view, QueueId queue);
  void pass(const View& view, Plan& plan);
  void drop_all(const View& view, Plan& plan);
  void open(const View& view, QueueId queue);
  Position next_candidate(const View& view, QueueId queue);
  void visit(const View& view, Plan& plan, QueueId queue);

  std::size_t depth_;
  bool strict_;
  bool compresses_;
  std::vector<Queue> queues_;
  Time vacated_until_ = 0;  // windows that moved reservations left end before; jobs of any queue may use them
  Time wake_ = kNever;      // when it asked to be called
  bool is_due_ = false;     // it asked for the call under way
  std::vector<NodeShare> held_nodes_;  // scratch
  std::vector<NodeShare> nodes_;       // scratch
};

}  // namespace headroom
