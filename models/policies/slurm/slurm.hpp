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
#include "models/policies/slurm/het_jobs.hpp"
#include "models/policies/slurm/jobs.hpp"
#include "models/policies/slurm/limits.hpp"
#include "models/policies/slurm/plan_map.hpp"
#include "models/policies/slurm/preemption.hpp"
#include "models/policies/slurm/reservations.hpp"
#include "models/policies/slurm/resources.hpp"
#include "models/policies/slurm/updates.hpp"

namespace headroom::slurm {

// What slurmctld knows; its scheduler and its power saving share it.
struct State {
  State(Conf conf_, std::vector<std::string> node_names_, Accounting accounting_ = {}, std::vector<Asks> asks_ = {},
        std::vector<Update> updates_ = {})
      : conf(std::move(conf_)),
        node_names(std::move(node_names_)),
        accounting(std::move(accounting_)),
        asks(std::move(asks_)),
        updates(std::move(updates_)),
        associations(accounting),
        jobs(conf, associations, asks),
        limits(conf, associations, jobs.multifactor()),
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
  std::vector<Asks> asks;       // JobTerms::asks - 1 indexes this
  std::vector<Update> updates;  // the subject of Stimulus::updated indexes this
  std::unique_ptr<NodeTable> nodes;
  Associations associations;
  JobList jobs;
  LimitBook limits;
  Resources resources;
  std::vector<std::vector<std::int32_t>> partition_cpus;  // by queue and node, where MaxCPUsPerNode limits them
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
  std::int32_t jobs_per_core(const ClusterSpec& spec, GroupId group) const override {
    return slurm::jobs_per_core(state_->conf, spec, group);
  }
  std::optional<Outcome> judge(const View& view, JobId job, Outcome outcome) const override;

  // Who wants to know gets every event; null: nobody.
  void watch(std::vector<Event>* events) { events_ = events; }

 private:
  void wake_up();

  // --- news ---
  void arrive(JobId id);
  void say_why(Job& job);
  std::optional<Rejection> refuse(Job& job);
  void reject(Job& job, Rejection why);
  std::optional<Rejection> closed_to(const Job& job) const;
  std::optional<Rejection> outside_partition(const Job& job) const;
  std::optional<Rejection> cannot_run(Job& job);
  const Asks& asks_of(JobId id) const;
  void enter(Job& job, QueueId queue);
  void count_in_partition(const Job& job, std::int32_t sign);
  void name_unavailable(Job& job, const NodeBits& available);
  void over(JobId id);
  void gone(Job& job);
  void asked(const Stimulus& s);
  void asked_job(JobId id, JobAction action);
  void act_on(JobId id, JobAction action);
  void asked_node(Index n, NodeAction action);
  void asked_update(const Update& update, JobId job);
  void change(JobId id, const JobChange& change);
  void lose_jobs(Index n, bool cancels = false);
  void lose_node(Index n, std::string reason, bool given_up);
  void withdraw(const Withdrawal& withdrawal);
  void cluster_changed(const ClusterChange& change);
  void take_nodes_back(JobId id);
  void wait_again(JobId id);
  void emptied(Index n, QueueId queue);
  void stop(JobId id, Outcome outcome);

  // --- the main loop ---
  void reserve();
  void flag_reserved();
  void leave_reservation(std::int32_t r);
  void leave_reservation(Job& job, const Reservation& ended);
  void catch_up();
  void tick();
  Time next_tick() const;
  void check_limits();
  Second ends_by(const Job& job) const;
  bool nodes_are_up(const Job& job) const;
  bool components_are_up(const Job& job) const;
  void ping();
  Second ping_interval() const;
  void pass(bool full);
  // Jobs that may be looked at now, in order; of several partitions a job is one in each of them, and once more for
  // each magnetic reservation that draws it in.
  struct Candidate {
    JobId job;
    QueueId queue;
    std::uint32_t priority;
    std::int32_t reservation;  // in which it is tried; -1: none
    bool drawn;
    bool prefers = false;  // on nodes with the features that it prefers
  };
  // The job is what the candidate says for as long as it is tried; then it is itself again.
  class Trial {
   public:
    Trial(Job& job, const Candidate& attempt);
    ~Trial();
    Trial(const Trial&) = delete;
    Trial& operator=(const Trial&) = delete;

   private:
    Job& job_;
    const Needs* needs_;
    bool drawn_;
  };
  std::vector<Candidate> candidates();
  void pass_soon(bool full);
  void launched(const Job& job);
  void fail_launches();
  void hear_answers();
  bool missed_deadline(Job& job);
  static Second limit_by_deadline(const Job& job, Second now);
  Reservations::Access access_of(const Job& job, Second& when, bool move) const;
  bool licenses_free(const Job& job) const;
  void keep_out(const std::vector<std::int32_t>& cpus, const Holdings& held, Holdings& out) const;
  void rank_nodes(bool start, Ranking& ranking) const;
  void rank_nodes_for_starts();
  const Ranking& rank_in(QueueId queue) const {
    return partition_rank_.empty() ? rank_ : partition_rank_[index(queue)];
  }
  const Ranking& rank_for(const Job& job, Ranking& own) const;
  // Jobs that are to make way for it are told to end.
  void make_way(Job& job, const NodeBits& allowed);
  void made_way(Job& job);
  // --- limits of associations, QOS and partitions (admission.cpp) ---
  bool held_before_choice(Job& job);
  bool held_after_choice(Job& job, const Demand& demand);
  Demand asked_for(const Job& job) const;
  void bill(const Job& job, Demand& demand) const;
  Demand demand_of(const Job& job, const std::vector<Selector::Share>& shares) const;
  Demand demand_of(const Job& job, const NodeBits& chosen) const;
  bool too_low_to_reserve(const Job& job) const;
  bool never_reserves(const Job& job) const;
  Second over_time(const Job& job) const;

  enum class Verdict : std::uint8_t { started, busy, limited, not_available, never, reserved };
  Verdict test_now(Job& job);
  Verdict start_if_it_fits(Job& job, const NodeBits& free_nodes, Event::Kind by);
  void begin(Job& job, Event::Kind by);
  void start_on_nodes(const Job& job);
  void tell(Event::Kind kind, JobId job = JobId{0});

  // --- the backfill thread ---
  Second last_change() const { return std::max(state_->last_job_update, state_->last_node_update); }
  bool backfill_is_due(Second then) const;
  Time next_backfill() const;
  void backfill_cycle();
  enum class Planned : std::uint8_t { started, reserved, no, table_full };
  Planned plan_job(Job& job, const Candidate& attempt, bool& counted);
  Planned find_place(Job& job, bool no_reservation, bool& counted);
  Second lengthened(const Job& job, Second limit) const;
  void start_het_jobs();
  void start_het_job(JobId leader, bool at_end);
  bool may_start_whole(const HetJobs::Plan& plan);
  bool limits_let_whole(const HetJobs::Plan& plan);
  bool will_run(const Ask& ask, NodeBits& nodes, Second from, Second until, Second& start);
  bool will_run_sharing(const Ask& ask, NodeBits& nodes, Second from, Second until, Second& start);
  bool will_run_by_feature(const Ask& ask, NodeBits& nodes, Second from, Second until, Second& start);
  void end_in_rows(const Job& running);
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
  std::vector<JobId> preemptable_;  // for the job that is planned
  Second last_limits_ = 0;
  Second last_full_ = 0;
  Second last_pass_ = 0;
  Second last_ping_ = 0;
  Second last_reservations_ = 0;
  bool wanted_ = false;
  bool ping_now_ = false;     // nodes were told to resume
  Time passed_at_ = -kNever;  // the last pass
  Time pass_at_ = kNever;     // one that waits for sched_min_interval
  bool pass_full_ = false;
  // Jobs whose Prolog fails; slurmctld hears of it at launch_fails_at_.
  std::vector<std::pair<JobId, Index>> failing_;
  Time launch_fails_at_ = kNever;
  Time answers_at_ = kNever;     // nodes that were told to resume answer the ping
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
  std::int32_t jobs_started_ = 0;
  HetJobs het_jobs_;
  const Job* planned_job_ = nullptr;
  Second full_limit_ = 0;               // of the job that is planned with its --time-min; 0: with its limit
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
  bool cores_are_shared_ = false;
  std::vector<std::int32_t> fresh_;  // of each node of a job, the CPUs that nobody had before
  std::vector<std::int32_t> freed_;  // and that nobody has after it
};

}  // namespace headroom::slurm
