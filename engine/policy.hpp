// What a newcomer reads to write a policy.
//
// A scheduling policy decides which pending jobs start now, and where; a scaling policy (scaling.hpp) decides which
// instances to launch and to terminate. Both see the present state (View) and act through a Plan; the controller checks
// every act against the cluster, so a wrong policy is stopped by an assertion, never by a wrong result.
//
// Policies see requested times, never true ones. They keep no books that the View already keeps. They are called once
// per step in which something changed; `changes()` says what, so that a pass costs what changed, not what exists.
//
// To add one: write models/policies/<name>.cpp, add a line to models/policies/registry.cpp, and run
// `headroom check --policy <name>`.
#pragma once

#include <optional>

#include "engine/cluster.hpp"
#include "engine/pending.hpp"

namespace headroom {

class Controller;

// A job that ran and ended.
struct FinishedJob {
  JobId job;
  Time run_time;
};

// A node that lost what ran on it, or that jobs may not have until `until`.
struct Withdrawal {
  enum class Why : std::uint8_t {
    instance_gone,  // its instance was lost, or was unhealthy and is given back
    no_capacity,    // the cloud gives none of its kind
    budget,         // nothing more may be launched
    removed,        // beyond its group's maximum, or the group is deleted
    replaced,       // its group was updated: it takes no new jobs and is replaced when it is idle
  };
  NodeId node{0};
  Time until = 0;  // at or before now: it can be used at once
  Why why{};
  bool loses_jobs = false;    // those on it wait again, unless they are not to
  bool cancels_jobs = false;  // those on it are cancelled
};

// What happened since the policy was last called.
struct Changes {
  bool ended = false;      // a job ended or a node came back: something may fit that did not
  bool disturbed = false;  // a claim was made longer or nodes went away, and collided: reservations must be redone
  Time freed_until = 0;    // what was given back would have been held until then (ends as planned free nothing early)
  std::span<const JobId> arrivals;        // jobs that joined their queues, ascending
  std::span<const FinishedJob> finished;  // in the order of the news
  // For policies that keep time themselves (SchedulerPolicy::keeps_time), in the order in which it was heard.
  std::span<const JobId> over;            // jobs whose processes are gone
  std::span<const NodeId> registered;     // nodes that became ready
  std::span<const NodeId> given_up;       // nodes whose launch the scaling policy gave up
  std::span<const Stimulus> asked;        // node_lost, node_back, job_asked, node_asked, updated, cluster_changed
  std::span<const Withdrawal> withdrawn;  // the policy deals with jobs on these nodes, and sets them down until then
  std::span<const NodeId> returned;       // nodes that were withdrawn can be used again: the policy sets them usable
  bool any() const {
    return ended || disturbed || !arrivals.empty() || !registered.empty() || !given_up.empty() || !asked.empty() ||
           !withdrawn.empty() || !returned.empty();
  }
};

class View {
 public:
  Time now() const { return now_; }
  const JobTable& jobs() const { return *jobs_; }
  const Cluster& cluster() const { return *cluster_; }
  std::size_t queue_count() const { return queues_->size(); }
  const PendingQueue& pending(QueueId queue) const { return (*queues_)[index(queue)]; }
  const Changes& changes() const { return *changes_; }
  // Jobs that got the node and wait for it to boot, in the order in which they got it.
  std::span<const JobId> waiting_for(NodeId node) const { return (*waiting_jobs_)[index(node)]; }
  // Whether the node has an instance, or one was asked for and the cloud has not refused it.
  bool has_instance(NodeId node) const { return (*has_instance_)[index(node)] != 0; }

 private:
  friend class Controller;
  Time now_ = 0;
  const JobTable* jobs_ = nullptr;
  const Cluster* cluster_ = nullptr;
  const std::vector<PendingQueue>* queues_ = nullptr;
  const Changes* changes_ = nullptr;
  const std::vector<std::vector<JobId>>* waiting_jobs_ = nullptr;
  const std::vector<std::uint8_t>* has_instance_ = nullptr;
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

  // --- for policies that keep time themselves ---
  void reject(JobId job, Rejection why);  // a job that has just arrived
  // As start(), for a job that may have cores together with others: which ones they are, in the order of `nodes`, each
  // core with its number on its node. As many on each node as its share says.
  void start_sharing(JobId job, std::span<const NodeShare> nodes, std::span<const NodeShare> cores);
  void run(JobId job);                              // a configuring job runs; all its nodes are up
  void stop(JobId job, Outcome outcome);            // a running job is told to end
  void end(JobId job, Outcome outcome);             // a job that is not final is over at once
  void requeue(JobId job, bool makes_way = false);  // a job that holds nodes waits again
  void move(JobId job, QueueId queue);              // a pending job waits in this queue from now on
  void set_down(NodeId node);                       // a node without jobs is out of use until set_usable
  void set_usable(NodeId node);

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

  // True: configuring jobs start, and jobs over their limit end, when this policy says so, as under a daemon that looks
  // at them now and then; it also refuses what it cannot run. Otherwise both happen at once.
  virtual bool keeps_time() const { return false; }
  // So many jobs at most have a core of this group's nodes together; more than 1 only where keeps_time().
  virtual std::int32_t jobs_per_core(const ClusterSpec&, GroupId) const { return 1; }
  // How a job counts whose processes ended with `outcome` now; nothing: it waits again (asked only where keeps_time()).
  virtual std::optional<Outcome> judge(const View&, JobId, Outcome outcome) const { return outcome; }
};

}  // namespace headroom
