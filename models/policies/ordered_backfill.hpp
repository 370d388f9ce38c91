// FCFS and EASY with other orders than that of submission, and with guessed run times:
//   order            of the queue: its first job is the next to start, and gets the reservation (queue_order.hpp);
//   shortest_first   who may pass it: the jobs that are expected to run for the shortest time first (EASY-SJBF), not in
//                    the queue's order;
//   guesses          plans with guesses of the run time in place of the requested time (run_time_guess.hpp). With
//                    shortest_first this is EASY++. A guess may be too short, so a reservation is no promise.
// Equal jobs go in order of submission. Every pass makes every decision anew: the reservation of the last one is
// dropped, jobs start in the queue's order until one does not fit, that one gets a reservation, and the others are
// tried. A pass over a full cluster costs a look at blocks of jobs, and one at every job where the order is not that of
// submission. With several queues each has its own first job and reservation; their jobs take turns in the same order.
#pragma once

#include <optional>
#include <queue>

#include "engine/policy.hpp"
#include "models/policies/queue_order.hpp"
#include "models/policies/run_time_guess.hpp"

namespace headroom {

class OrderedBackfill final : public SchedulerPolicy {
 public:
  struct Options {
    QueueOrder order = QueueOrder::fcfs;
    bool backfills = true;
    bool shortest_first = false;
    bool guesses = false;
  };
  explicit OrderedBackfill(const Options& options) : options_(options) {}

  Time plan(const View& view, Plan& plan) override;

 private:
  struct Job {
    Time first_guess;
    Time expected;
    Priority priority;
  };
  struct Queue {
    JobId head{};
    bool head_known = false;
    bool blocked = false;  // its head does not fit
    bool closed = false;   // nothing may pass its head
    Room room;
    bool room_known = false;
    std::optional<CapacityProfile> free;  // in place of the cluster's books, while later events have not happened yet
  };
  // News of one call that waits to be acted upon.
  struct Event {
    std::size_t jobs;  // that had arrived then
    std::vector<FinishedJob> finished;
  };
  struct Candidate {
    double rank;
    JobId job;
    std::int32_t cores;
    bool operator<(const Candidate& other) const { return rank != other.rank ? rank < other.rank : job < other.job; }
  };
  // When a running job's guess is over, unless its nodes took time to boot.
  struct Due {
    Time at;
    JobId job;
    bool operator>(const Due& other) const { return at != other.at ? at > other.at : job > other.job; }
  };

  Time find_overdue(const View& view);
  void take_in(const View& view);
  void correct(const View& view, Plan& plan);
  void drop_reservations(const View& view, Plan& plan);
  void open(const View& view, std::size_t event);
  void serve_heads(const View& view, Plan& plan);
  void backfill(const View& view, Plan& plan);
  void reserve(const View& view, Plan& plan, Queue& queue);
  bool try_start(const View& view, Plan& plan, JobId job);
  JobId first_of(const View& view, QueueId queue) const;
  double rank(const View& view, JobId job) const;
  JobRequest as_expected(const View& view, JobId job) const;
  const Room& room(const View& view, QueueId queue);
  bool may_fit(const View& view, QueueId queue, JobId job, std::int32_t cores);

  Options options_;
  RunTimeGuess guess_;
  std::vector<Job> jobs_;  // by job
  std::vector<Queue> queues_;
  std::vector<JobId> held_;  // jobs with a reservation
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  std::vector<Event> events_;
  Time waits_since_ = kNever;          // for all news of this instant
  JobId known_jobs_{0};                // jobs from this one on have not arrived yet, for the pass under way
  std::vector<Candidate> candidates_;  // scratch
  std::vector<NodeShare> nodes_;       // scratch
};

}  // namespace headroom
