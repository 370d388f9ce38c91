// What a newcomer reads to write a policy.
//
// A scheduling policy decides which pending jobs start now, and where; a scaling policy decides which instances to
// launch and to terminate. Both see the present state (View) and act through a Plan; the controller checks every act
// against the cluster, so a wrong policy is stopped by an assertion, never by a wrong result.
//
// Policies see requested times, never true ones. They keep no books that the View already keeps. They are called once
// per step in which something changed; `changes()` says what, so that a pass costs what changed, not what exists.
//
// To add one: write models/policies/<name>.cpp, add a line to models/policies/registry.cpp, and run
// `headroom check --policy <name>`.
#pragma once

#include "engine/cluster.hpp"
#include "engine/pending.hpp"

namespace headroom {

class Controller;

// A job that ran and ended.
struct FinishedJob {
  JobId job;
  Time run_time;
};

// What happened since the policy was last called.
struct Changes {
  bool ended = false;      // a job ended or a node came back: something may fit that did not
  bool disturbed = false;  // a claim was made longer or nodes went away, and collided: reservations must be redone
  Time freed_until = 0;    // what was given back would have been held until then (ends as planned free nothing early)
  std::span<const JobId> arrivals;        // jobs that joined their queues, ascending
  std::span<const FinishedJob> finished;  // in the order of the news
  bool any() const { return ended || disturbed || !arrivals.empty(); }
};

class View {
 public:
  Time now() const { return now_; }
  const JobTable& jobs() const { return *jobs_; }
  const Cluster& cluster() const { return *cluster_; }
  std::size_t queue_count() const { return queues_->size(); }
  const PendingQueue& pending(QueueId queue) const { return (*queues_)[index(queue)]; }
  const Changes& changes() const { return *changes_; }

 private:
  friend class Controller;
  Time now_ = 0;
  const JobTable* jobs_ = nullptr;
  const Cluster* cluster_ = nullptr;
  const std::vector<PendingQueue>* queues_ = nullptr;
  const Changes* changes_ = nullptr;
};

// Every call takes effect at once: the View shows it.
class Plan {
 public:
  // The job gets these nodes now; it runs as soon as all of them are up. Its reservation, if any, ends. They are
  // planned to be free again when it has run for `expected`, at most its limit. A policy that expects less than the
  // limit has to correct itself with expect() before that time is over.
  void start(JobId job, std::span<const NodeShare> nodes, Time expected = kNever);
  // Holds the nodes that Cluster::earliest gave for the job from `at` on, for as long as expected. One reservation a
  // job.
  void reserve(JobId job, Time at, std::span<const NodeShare> nodes, Time expected = kNever);
  void drop_reservation(JobId job);
  // A running job is expected to run for longer than its claim says, in all for `expected`. Reservations that this may
  // touch are dropped before.
  void expect(JobId job, Time expected);

 private:
  friend class Controller;
  explicit Plan(Controller& controller) : controller_(controller) {}
  Controller& controller_;
};

class SchedulerPolicy {
 public:
  virtual ~SchedulerPolicy() = default;
  // Called when something changed, and at the time it asked for. Returns when it wants to be called at the latest.
  virtual Time plan(const View& view, Plan& plan) = 0;
};

class ScalePlan {
 public:
  // All nodes of one call belong to one group; the cloud is asked for all of them in one request.
  void launch(std::span<const NodeId> nodes);     // each one powered down
  void terminate(std::span<const NodeId> nodes);  // each one up and without a job

 private:
  friend class Controller;
  explicit ScalePlan(Controller& controller) : controller_(controller) {}
  Controller& controller_;
};

class ScalerPolicy {
 public:
  virtual ~ScalerPolicy() = default;
  // Called in every step after the scheduler. `newly_idle`: nodes that lost their last job or became ready without one
  // since the last call. Returns when it wants to be called at the latest.
  virtual Time scale(const View& view, std::span<const NodeId> newly_idle, ScalePlan& plan) = 0;
};

}  // namespace headroom
