// The core: applies news, lets the policies plan and scale, checks the invariants, and answers with commands. It has no
// clock, no I/O, no randomness: the same news at the same times give the same commands, in a simulation, against a real
// cloud, and when a journal is replayed.
#pragma once

#include <memory>

#include "engine/scaling.hpp"

namespace headroom {

class Controller {
 public:
  Controller(const ClusterSpec& spec, std::unique_ptr<SchedulerPolicy> scheduler, std::unique_ptr<ScalerPolicy> scaler);

  // One step at time `now` (never before an earlier step's). Fills `commands`; returns when the core must be called
  // again at the latest, kNever if only news can make it act. Throws Bug when a promise is broken.
  Time step(Time now, const News& news, Commands& commands);

  const JobTable& jobs() const { return jobs_; }
  const Cluster& cluster() const { return cluster_; }
  bool keeps_time() const { return keeps_time_; }
  // Jobs neither final nor rejected (PCS-3 counts them).
  std::size_t active_jobs() const { return active_jobs_; }

 private:
  friend class Plan;
  friend class ScalePlan;

  void begin(Time now, bool has_news);
  View present() const;
  void arrive(JobId job, const JobRequest& request, const JobTerms* terms);
  void hear(const Stimulus& stimulus);
  void finish(JobId job, Outcome outcome);
  void node_ready(NodeId node);
  bool lacks_an_instance(JobId job) const;
  void cancel_pending(JobId job);
  void stop_configuring(JobId job);
  void check_shares(JobId job, std::span<const NodeShare> nodes);
  void start(JobId job, std::span<const NodeShare> nodes, Time expected);
  void start_sharing(JobId job, std::span<const NodeShare> nodes, std::span<const NodeShare> cores);
  void get_nodes(JobId job, std::span<const NodeShare> nodes, std::span<const NodeShare> cores, Time expected);
  void reserve(JobId job, Time at, std::span<const NodeShare> nodes, Time expected);
  void drop_reservation(JobId job);
  void reject(JobId job, Rejection why);
  void run(JobId job);
  void stop(JobId job, Outcome outcome);
  void end(JobId job, Outcome outcome);
  void requeue(JobId job, bool makes_way);
  void move(JobId job, QueueId queue);
  void release(JobId job);
  void set_down(NodeId node);
  void set_usable(NodeId node);
  void give_up(std::span<const NodeId> nodes);
  void powered_down(NodeId node);
  void expect(JobId job, Time expected);
  void launch(std::span<const NodeId> nodes, LaunchReason why, bool all_or_nothing);
  void terminate(std::span<const NodeId> nodes, EndReason why);
  void end_instances(std::span<const NodeId> nodes, EndReason why);
  void fail(std::span<const NodeId> nodes, EndReason why, Withdrawal how);
  void hold_back(NodeId node, Time until, Withdrawal::Why why);
  void give_back(NodeId node);
  void withdraw(const Withdrawal& withdrawal);
  void return_nodes();
  void lose_jobs(NodeId node, bool cancels);
  void change(const ClusterChange& change);
  void resize(GroupId group, std::int32_t nodes, std::int32_t kept, EndReason why, bool cancels);
  void serve(QueueId queue, std::span<const GroupId> groups);
  void cancel_jobs(QueueId queue);
  void leave_queue(JobId job);
  void power_command(Command::Kind kind, std::uint32_t detail, std::span<const NodeId> nodes);
  void extend_overdue();
  Time down_time() const;
  void settle_power();
  void check() const;

  JobTable jobs_;
  Cluster cluster_;
  std::vector<PendingQueue> queues_;
  std::unique_ptr<SchedulerPolicy> scheduler_;
  std::unique_ptr<ScalerPolicy> scaler_;
  bool keeps_time_;  // the scheduling policy does

  Time now_ = 0;
  Time scheduler_wake_ = kNever;
  Time scaler_wake_;
  std::uint32_t idle_steps_ = 0;  // steps without news at one instant
  std::uint64_t steps_ = 0;
  std::size_t active_jobs_ = 0;
  std::size_t pending_jobs_ = 0;
  std::vector<JobId> held_;             // jobs with nodes: configuring, running or completing
  std::vector<std::uint32_t> held_at_;  // by job: where it stands there
  Commands* commands_ = nullptr;        // of the step under way

  Changes changes_;
  std::vector<JobId> arrivals_;
  std::vector<JobId> over_;
  std::vector<NodeId> registered_;
  std::vector<NodeId> given_up_;
  std::vector<Stimulus> asked_;
  std::vector<Stimulus> cloud_;  // news for the scaling policy
  std::vector<Withdrawal> withdrawn_;
  std::vector<NodeId> returned_;
  std::vector<FinishedJob> finished_;
  std::vector<NodeId> newly_idle_;
  std::vector<NodeId> idle_;                      // those that the scaling policy hears of in the step under way
  std::vector<std::uint32_t> waiting_nodes_;      // by job: nodes that still boot
  std::vector<std::vector<JobId>> waiting_jobs_;  // by node: configuring jobs on it, while it boots
  std::vector<JobId> configuring_;
  Time next_overdue_ = kNever;  // no configuring job's claim ends before
  struct GoingDown {
    Time until;
    NodeId node;
    bool gone;  // the world said that the instance is terminated
  };
  std::vector<GoingDown> going_down_;
  Time next_down_ = kNever;                 // no node's time to go down ends before
  bool any_lost_ = false;                   // news of this step
  std::vector<std::uint8_t> has_instance_;  // by node: it has one, or one was asked for
  std::vector<std::uint32_t> ending_;       // by node: instances whose termination was asked for and not told yet
  struct HeldBack {
    Time until = 0;
    Withdrawal::Why why{};
  };
  std::vector<HeldBack> held_back_;  // by node
  struct Return {
    Time until;
    NodeId node;
  };
  std::vector<Return> returns_;
  Time next_return_ = kNever;
  std::vector<NodeShare> scratch_;
  std::vector<std::uint64_t> named_;  // by node: the last list of shares that named it
  std::uint64_t lists_ = 0;
};

}  // namespace headroom
