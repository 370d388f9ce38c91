// Slurm's scheduler: what slurmctld decides and when, second by second.
//
// Its threads look at the clock once a second. The main one checks time limits and configured jobs every 30 s, pings
// nodes, and passes over the queue when something asked for it (at most every batch_sched_delay seconds) and every
// sched_interval; the backfill thread plans ahead every bf_interval; power saving is a scaling policy of its own
// (power.hpp). All of it is wake times here: where nothing is due nothing runs, and what the threads would have seen
// meanwhile is worked out afterwards.
//
// Source: slurm.conf(5) and recorded runs of real slurmctlds (docs/slurm-runs.md); how near it comes: docs/fidelity.md.
#pragma once

#include <memory>

#include "engine/policy.hpp"
#include "models/policies/slurm/accounting.hpp"
#include "models/policies/slurm/asks.hpp"
#include "models/policies/slurm/jobs.hpp"
#include "models/policies/slurm/limits.hpp"
#include "models/policies/slurm/plan_map.hpp"
#include "models/policies/slurm/preemption.hpp"
#include "models/policies/slurm/reservations.hpp"
#include "models/policies/slurm/resources.hpp"

namespace headroom::slurm {

// What slurmctld knows; its scheduler and its power saving share it.
struct State {
  State(Conf conf_, std::vector<std::string> node_names_, Accounting accounting_ = {}, std::vector<Asks> asks_ = {})
      : conf(std::move(conf_)),
        node_names(std::move(node_names_)),
        accounting(std::move(accounting_)),
        asks(std::move(asks_)),
        jobs(conf, accounting, asks),
        limits(conf, accounting),
        resources(conf),
        reservations(conf, accounting) {
    if (reservations.any()) jobs.obey(&reservations);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // The wall clock's second at simulated time `t`.
  Second second(Time t) const { return conf.phases.second(t); }
  // At the first call, at `now`, the cluster becomes known.
  void meet(const Cluster& cluster, Time now);

  Conf conf;
  std::vector<std::string> node_names;  // by NodeId
  Accounting accounting;
  std::vector<Asks> asks;  // JobTerms::asks - 1 indexes this
  std::unique_ptr<NodeTable> nodes;
  JobList jobs;
  LimitBook limits;
  Resources resources;
  Reservations reservations;
  Second last_node_update = 0;
  Second last_job_update = 0;
};

// What happened, for whoever compares with a recorded run.
struct Event {
  enum class Kind : std::uint8_t { check, main_pass, full_pass, backfill, allocated_by_main, allocated_by_backfill };
  Time at;
  Kind kind;
  std::uint32_t job;
};

class Scheduler final : public SchedulerPolicy {
 public:
  explicit Scheduler(std::shared_ptr<State> state);

  Time plan(const View& view, Plan& plan) override;
  bool keeps_time() const override { return true; }
  std::optional<Outcome> judge(const View& view, JobId job, Outcome outcome) const override;

  // Who wants to know gets every event; null: nobody.
  void watch(std::vector<Event>* events) { events_ = events; }

 private:
  void wake_up();

  // --- news ---
  void arrive(JobId id);
  std::optional<Rejection> refuse(Job& job);
  std::optional<Rejection> outside_partition(const Job& job) const;
  void name_unavailable(Job& job, const NodeBits& available);
  void over(JobId id);
  void asked(const Stimulus& s);
  void asked_job(JobId id, JobAction action);
  void asked_node(Index n, NodeAction action);
  void lose_node(Index n, std::string reason, bool given_up);
  void take_nodes_back(JobId id);
  void wait_again(JobId id);
  void emptied(Index n, QueueId queue);
  void stop(JobId id, Outcome outcome);

  // --- the main loop ---
  void reserve();
  void flag_reserved();
  void catch_up();
  void tick();
  Time next_tick() const;
  void check_limits();
  void ping();
  Second ping_interval() const;
  void pass(bool full);
  // A job as a pass or cycle looks at it: magnetic reservations make it come more than once.
  struct Try {
    JobId job;
    std::int32_t reservation;
    bool drawn;
  };
  std::vector<Try> tries(const std::vector<JobId>& order);
  Reservations::Access access_of(const Job& job, Second& when, bool move) const;
  bool licenses_free(const Job& job) const;
  void keep_out(const std::vector<std::int32_t>& cpus, const Holdings& held, Holdings& out) const;
  void rank_nodes(bool start, Ranking& ranking) const;
  void rank_nodes_for_starts();
  const Ranking& rank_in(QueueId queue) const {
    return partition_rank_.empty() ? rank_ : partition_rank_[index(queue)];
  }
  // Jobs that are to make way for it are told to end.
  void make_way(Job& job, const NodeBits& allowed);
  void made_way(Job& job);
  // --- limits of associations, QOS and partitions (admission.cpp) ---
  bool held_before_choice(Job& job);
  bool held_after_choice(Job& job, const Demand& demand);
  static Demand asked_for(const Job& job);
  Demand demand_of(const Job& job, const std::vector<Selector::Share>& shares) const;
  Demand demand_of(const Job& job, const NodeBits& chosen) const;
  bool too_low_to_reserve(const Job& job) const;
  bool never_reserves(const Job& job) const;
  Second over_time(const Job& job) const;

  enum class Verdict : std::uint8_t { started, busy, limited, not_available, never, reserved };
  Verdict start_if_it_fits(Job& job, const NodeBits& free_nodes, Event::Kind by);
  void begin(Job& job, Event::Kind by);
  void tell(Event::Kind kind, JobId job = JobId{0});

  // --- the backfill thread ---
  Second last_change() const { return std::max(state_->last_job_update, state_->last_node_update); }
  bool backfill_is_due(Second then) const;
  Time next_backfill() const;
  void backfill_cycle();
  enum class Planned : std::uint8_t { started, reserved, no, table_full };
  Planned plan_job(Job& job, bool& counted);
  bool makes_room_now(const Job& job, NodeBits& nodes, Second from);
  bool will_run(const Ask& ask, NodeBits& nodes, Second from, Second until, Second& start);
  bool will_run_by_feature(const Ask& ask, NodeBits& nodes, Second from, Second until, Second& start);
  bool test_from(const Ask& ask, NodeBits& nodes, Second from, Second until, bool clip, Second& start);
  bool fits(const Ask& ask, const NodeBits& allowed, const Holdings& held, bool clip, NodeBits& nodes);
  void mark_planned(bool set);
  Second guess_end(const Job& job) const;
  void touch_jobs() { state_->last_job_update = now_s_; }
  void touch_nodes() { state_->last_node_update = now_s_; }

  std::shared_ptr<State> state_;
  std::vector<Event>* events_ = nullptr;

  // of the call under way
  const View* view_ = nullptr;
  Plan* plan_ = nullptr;
  Time now_ = 0;
  Second now_s_ = 0;

  // the main loop
  Time tick_at_ = 0;           // its next look at the clock
  std::size_t next_pass_ = 0;  // of the given ones
  std::size_t next_backfill_ = 0;
  Second last_limits_ = 0;
  Second last_full_ = 0;
  Second last_pass_ = 0;
  Second last_ping_ = 0;
  Second last_reservations_ = 0;
  bool wanted_ = false;
  Time ping_fails_at_ = kNever;  // a ping under way gets no answer from then on
  std::vector<Index> pinged_;

  // the backfill thread
  Time backfill_at_ = 0;
  Second last_backfill_ = 0;
  PlanMap map_;
  NodeBits planned_;
  NodeBits registered_;  // nodes that were not down since they registered
  Second window_end_ = 0;
  std::int32_t jobs_tested_ = 0;
  const Job* planned_job_ = nullptr;
  const Holdings* held_now_ = nullptr;  // what jobs hold, for the job that is planned
  Holdings held_beside_;                // the same with what is reserved for others
  Holdings nothing_beside_;
  Holdings future_;  // scratch: what jobs will hold

  std::unique_ptr<Selector> selector_;
  Preemption preemption_;
  Ranking rank_;                         // as of the present pass or cycle, for starts
  std::vector<Ranking> partition_rank_;  // the same, where it depends on the partition
  Ranking test_rank_;                    // and for tests of when a job could start
  Ranking no_rank_;                      // all nodes alike
  Holdings nothing_;                     // all nodes free
  std::vector<Selector::Share> shares_;  // scratch
  std::vector<NodeShare> node_shares_;
};

}  // namespace headroom::slurm
