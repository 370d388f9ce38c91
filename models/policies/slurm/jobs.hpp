// slurmctld's job records and their order: priorities, holds, begin times, dependencies, arrays. Which job is looked at
// next; where it would run is not known here.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/policy.hpp"
#include "models/policies/slurm/limits.hpp"
#include "models/policies/slurm/needs.hpp"
#include "models/policies/slurm/nodes.hpp"
#include "models/policies/slurm/priority.hpp"
#include "models/policies/slurm/select.hpp"

namespace headroom::slurm {

// Why a job waits, or how it ended, as squeue's %r shows it.
enum class Reason : std::uint8_t {
  none,
  priority,
  resources,
  dependency,
  dependency_never,
  begin_time,
  held_user,
  held_admin,
  array_limit,
  partition_time,
  partition_nodes,
  partition_config,
  partition_down,
  account_not_allowed,
  qos_not_allowed,
  partition_memory,
  limit,  // of an association or QOS: Job::hold
  node_not_available,
  nodes_reserved,  // "Nodes required for job are DOWN, DRAINED or reserved ..."
  bad_constraints,
  reservation,           // it is not yet, or no longer, usable
  reservation_deleted,   // held because it is gone
  reserved_maintenance,  // others have all of it
  licenses,
  deadline,
  launch_failed,
  time_limit,
  non_zero_exit,
  node_down,
};

class Reservations;

struct Job {
  JobId id{0};
  QueueId queue{0};
  std::uint32_t user = 0;
  Payer payer;
  Ask ask;
  Second submit = 0;
  Second begin = 0;     // not before
  Second eligible = 0;  // 0: not yet
  Second limit = 0;     // requested time
  Second start = 0;     // of its present attempt: when it got its nodes, then when it ran; or when it is planned to
  Second end = 0;       // start + limit of a job that holds nodes; when it ended
  std::uint32_t priority = 0;  // 0: held
  bool fixed_priority = false;
  std::int32_t nice = 0;
  std::int32_t site_factor = 0;
  std::int32_t asked_min = 0;  // --nodes; 0: not given
  std::int32_t asked_max = 0;
  bool asked_whole = false;             // --exclusive
  bool asked_to_share = false;          // --oversubscribe
  std::vector<QueueId> queues;          // of a job that named several partitions: all of them, by their tier
  std::vector<std::uint32_t> in_queue;  // its priority in each of them
  Second deadline = 0;                  // the wall clock's second by which it is over; 0: none
  Second time_min = 0;                  // that it would do with, to keep its deadline; 0: its limit
  std::int32_t tested_cpus = 0;  // that it would have got when it was submitted with all nodes free; 0: not tested
  std::uint32_t restarts = 0;
  bool requeue_when_gone = false;   // told to end, waits again when it is gone
  bool preempted = false;           // asked to make way: it ends at its new `end`, or sooner if it is asked again then
  bool preempted_requeues = false;  // and waits again, if it does not end by itself before
  bool ends_for_other = false;      // told to end, for
  JobId made_way_for{0};
  Second preempts_since = 0;    // when others were first asked to make way for it; 0: never
  std::int32_t making_way = 0;  // jobs that were told to end for it and are not gone yet
  bool made_way = false;        // it ended, or waits again, because it made way (sacct's PREEMPTED)
  bool completing = false;      // told to end, not gone yet: its CPUs are free, its nodes are not
  std::uint64_t record = 0;     // position in slurmctld's list of jobs
  Reason reason = Reason::none;
  Hold hold;  // of limit
  std::optional<Rejection> rejected;
  Reason barred = Reason::none;  // its partition does not take it, now or later
  std::string barred_why;        // squeue's words for it
  bool any_time = false;         // its QOS frees it from the partition's MaxTime, MaxNodes and MinNodes
  bool any_most_nodes = false;
  bool any_least_nodes = false;
  std::string reason_nodes;             // of node_not_available
  std::string deleted_reservation;      // of reservation_deleted
  std::vector<Selector::Share> shares;  // while it holds nodes
  NodeBits nodes;                       // the same
  const Needs* needs = nullptr;         // what it asks for beyond CPUs and memory; null: nothing
  const Needs* preferred = nullptr;     // the same with --prefer in place of --constraint; null: it prefers none
  std::vector<GresShare> gres;          // while it holds nodes
  LicenseNeed licenses;                 // the same
  bool owns_nodes = false;              // --exclusive=user
  std::int32_t components = 0;          // of the heterogeneous job that it is one of; 0: none
  JobId leader{0};                      // the first of them
  std::int32_t reservation = -1;        // in which it is, or is being tried (Reservations); -1: none

  // Those that it must have; null: it names none.
  const NodeBits* named_nodes() const {
    return ask.needs != nullptr && ask.needs->names_nodes() ? &ask.needs->required : nullptr;
  }
};

// An array is one record until its tasks start.
struct Array {
  std::int32_t active = 0;  // tasks that hold nodes
};

// Jobs of one user with one name, as they were submitted: those that singleton waits for.
struct Namesakes {
  std::vector<JobId> jobs;
  std::size_t over = 0;  // so many at the front are over
};

class JobList {
 public:
  JobList(const Conf& conf, const Associations& associations, const std::vector<Asks>& asks)
      : conf_(conf), associations_(associations), asks_(asks), multifactor_(conf, associations) {}

  Job& operator[](JobId job) { return jobs_[index(job)]; }
  const Job& operator[](JobId job) const { return jobs_[index(job)]; }
  std::size_t size() const { return jobs_.size(); }

  // A job arrives at `now` (rejected ones too: every job has a row). `total_nodes` are those of the cluster.
  Job& submit(JobId id, const JobTable& table, Second now, const NodeTable& nodes);
  // What it asks for beyond CPUs and memory is known by now: that may count for its priority.
  void described(JobId id, const JobTable& table, Second now, const NodeTable& nodes);
  // It waits, from now on in the order.
  void queue(JobId id, const JobTable& table);
  void started(JobId id, const JobTable& table);   // leaves the order
  void released(JobId id, const JobTable& table);  // no longer holds nodes
  void requeued(JobId id, const JobTable& table, Second now);
  void left(JobId id);  // a pending job is over

  // From now on it is looked at as a job of this queue.
  void enter(Job& job, QueueId queue) const;
  // The partitions that it named, by their tier.
  void sort_queues(Job& job) const;
  // Partitions may have other tiers than before.
  void tiers_changed();
  // Its priority is worked out anew, where it is not fixed.
  void weigh(Job& job, Second now, const NodeTable& nodes);
  // In its present queue.
  static std::uint32_t priority_in(const Job& job, std::size_t queue) {
    return job.in_queue.empty() || job.fixed_priority || job.priority == 0 ? job.priority : job.in_queue[queue];
  }

  void hold(JobId id, Reason why);
  void set_priority(JobId id, std::uint32_t priority);  // by hand: it stays
  void release(JobId id, Second now, const NodeTable& nodes);

  void obey(const Reservations* reservations) { reservations_ = reservations; }

  // Pending jobs in the order in which passes look at them: by PriorityTier, priority, submission, number.
  const std::vector<JobId>& order(const JobTable& table);
  std::size_t pending() const { return order_.size(); }
  // Running and configuring jobs, by the end of their requested time.
  const std::vector<JobId>& active() const { return active_; }
  void sort_active(JobId job);  // its end changed

  // Why the job may not be considered at all; none: it may.
  Reason held_back(const Job& job, const JobTable& table, Second now, const NodeTable& nodes) const;
  // The same of the job alone, and of its present partition.
  Reason not_yet(const Job& job, const JobTable& table, Second now) const;
  Reason outside_partition(const Job& job, const NodeTable& nodes) const;
  // In a pass: sets its reason, and when it became eligible.
  bool runnable(Job& job, const JobTable& table, Second now, const NodeTable& nodes);
  // Whether no job goes before one that has just come, as slurmctld asks at submission: partitions do not matter. What
  // is held, depends on others or waits for a limit or a partition does not go before it. Reasons of jobs that are
  // not eligible yet are said anew where they are looked at.
  bool is_first(const Job& job, const JobTable& table, Second now, const NodeTable& nodes);
  // Whether the limit of its array lets one more task start.
  bool array_lets(const Job& job, const JobTable& table) const;

  std::int32_t active_tasks(JobId array) const { return arrays_[index(array)].active; }

  // priority/multifactor with slurmdbd: what was used and all priorities as of `now`.
  void recalculate(Second now, const NodeTable& nodes);
  // The same as often as slurmctld did it until `now`. When waiting jobs last got priorities; none: they did not.
  std::optional<Second> catch_up(Time now, const NodeTable& nodes);
  // When priorities change next, if nothing else happens.
  Time next_recalculation() const {
    return multifactor_.recalculates() && !order_.empty() ? multifactor_.next() : kNever;
  }
  Multifactor& multifactor() { return multifactor_; }
  const Multifactor& multifactor() const { return multifactor_; }

 private:
  enum class Wait : std::uint8_t { over, on, never };
  std::uint32_t next_basic_priority(std::int32_t nice);
  std::pair<std::int32_t, std::uint32_t> rank(const Job& job) const;
  bool goes_before(const Job& other, const Job& job, const NodeTable& nodes) const;
  Wait dependencies(const Job& job, const JobTable& table, Second now) const;
  Wait dependency(const Job& job, const Dependency& dependency, const JobTable& table, Second now) const;
  Array& array_of(JobId first) { return arrays_[index(first)]; }

  std::uint32_t weighed(Job& job, Second now, const NodeTable& nodes);

  const Conf& conf_;
  const Associations& associations_;
  const std::vector<Asks>& asks_;
  const Reservations* reservations_ = nullptr;  // null: there are none
  Multifactor multifactor_;
  std::vector<Job> jobs_;
  std::vector<Array> arrays_;                                                       // by an array's first task
  mutable std::map<std::pair<std::uint32_t, std::uint32_t>, Namesakes> namesakes_;  // by user and name
  std::vector<JobId> order_;
  bool order_is_stale_ = false;
  std::vector<std::pair<std::uint64_t, JobId>> by_age_;  // pending ones by their record
  std::vector<JobId> by_record_;                         // scratch
  std::vector<JobId> active_;
  std::uint32_t lowest_priority_ = 4294901760;  // priority/basic counts down from here
  std::uint64_t records_ = 0;
};

// The nodes of --nodelist; of more nodes than --ntasks has tasks (0: not given) sbatch takes the first. None: there are
// no such nodes, or it was not given.
std::optional<NodeBits> named_nodes(const Asks& asks, std::int32_t tasks, const NodeTable& nodes);

// squeue's %r. `none` is "None".
std::string reason_text(const Job& job);

}  // namespace headroom::slurm
