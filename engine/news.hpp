// The whole vocabulary between the core and the world: what the world tells (Stimulus), what the core
// decides (Command). Both are small values, so that a journal of them is the only record of a run.
#pragma once

#include <span>
#include <vector>

#include "engine/types.hpp"

namespace headroom {

// How a job ended. A job that never started can only be cancelled or rejected.
// `preempted`: it was told to end because it makes way for another; unless it waits again that is a kind of cancelled.
enum class Outcome : std::uint8_t { completed, failed, cancelled, timed_out, node_failed, preempted };
inline constexpr std::uint32_t kOutcomes = 6;

// What a job needs of the nodes' memory, where that is a consumable resource (CR_CPU_Memory).
enum class MemoryUnit : std::uint8_t {
  whole,     // nothing was said: all of each node
  per_node,  // sbatch --mem
  per_core,  // sbatch --mem-per-cpu
};

// What a job asks for, as sbatch states it. The true run time is not part of it: only the world knows that.
struct JobRequest {
  Time submit = 0;  // when it reaches the queue
  Time limit = 0;   // requested time (sbatch --time), > 0
  QueueId queue{0};
  std::uint32_t user = 0;  // index into the workload's user names
  std::int32_t nodes = 0;  // sbatch --nodes; 0: as many as it takes
  std::int32_t cores = 1;  // with nodes: cores on each node; without: cores in total (one task per core)
  bool exclusive = false;  // sbatch --exclusive: takes whole nodes
  bool spread = false;     // with nodes: cores is their total over the nodes, at least one on each
  bool requeue = true;     // waits again when it loses a node; under policy slurm JobTerms::requeue says so
  MemoryUnit memory_unit = MemoryUnit::whole;
  std::int32_t memory = 0;  // MiB
  std::uint32_t terms = 0;  // 1 + position of its JobTerms (News::terms, JobTable::terms); 0: it has none
};

// What a job waits for (sbatch --dependency).
struct Dependency {
  enum class Kind : std::uint8_t { after, after_ok, after_not_ok, after_any, after_corr, singleton };
  Kind kind = Kind::after_ok;
  JobId job{0};    // not for singleton; of an array: its first task, and all tasks are meant
  Time delay = 0;  // after: so long after the other's start
  bool operator==(const Dependency&) const = default;
};

// What sbatch can add to a request: when the job may start, who goes first, how its tasks are laid out. Few jobs have
// any of it; policies that do not know it do not get such jobs.
struct JobTerms {
  std::int32_t tasks = 0;           // --ntasks; 0: not given
  std::int32_t tasks_per_node = 0;  // --ntasks-per-node; 0: not given
  std::int32_t cpus_per_task = 1;   // --cpus-per-task
  std::uint32_t priority = 0;       // --priority; 0: not given
  std::int32_t nice = 0;            // --nice
  Time begin = 0;                   // --begin; 0: at once
  bool held = false;                // --hold
  bool requeue = true;              // not --no-requeue
  bool any_dependency = false;      // dependencies are joined by "?": one is enough
  std::uint32_t name = 0;           // jobs of one user with equal numbers have the same name (singleton)
  // --array: the tasks are jobs of their own that arrive together, in ascending order.
  std::int32_t array_tasks = 0;  // tasks of the array; 0: the job is none
  JobId array{0};                // the array's first task
  std::int32_t array_task = 0;   // this task's number
  std::int32_t array_limit = 0;  // at most so many at a time (--array=0-9%3); 0: any
  std::uint32_t asks = 0;  // 1 + position of what else it asks of the policy, in a table of the policy's; 0: nothing
  std::vector<Dependency> dependencies;
  bool operator==(const JobTerms&) const = default;
};

// What somebody asks for from outside (scancel, scontrol).
enum class JobAction : std::uint8_t { cancel, hold, release, requeue };
inline constexpr std::uint32_t kJobActions = 4;
enum class NodeAction : std::uint8_t { resume, power_down, power_up, down, drain };
inline constexpr std::uint32_t kNodeActions = 5;

// Why the cloud gives no instance: EC2's error codes (RunInstances and CreateFleet).
enum class Refusal : std::uint8_t {
  insufficient_instance_capacity,
  insufficient_reserved_instance_capacity,
  reservation_capacity_exceeded,
  max_spot_instance_count_exceeded,
  spot_max_price_too_low,
  unsupported,
  unfulfillable_capacity,
  vcpu_limit_exceeded,
  instance_limit_exceeded,
  insufficient_free_addresses_in_subnet,
  request_limit_exceeded,  // throttled: the same request may succeed a little later
  internal_error,
};
inline constexpr std::uint32_t kRefusals = 12;

// Why an instance is gone although the core did not ask for it.
enum class Loss : std::uint8_t {
  failed_start,  // pending -> terminated: an EBS quota, a KMS key (Client.VolumeLimitExceeded, Client.InternalError)
  spot_interruption,   // EC2 took it back
  hardware_failure,    // the host died
  external,            // somebody terminated it
  end_of_reservation,  // its Capacity Block is over
};
inline constexpr std::uint32_t kLosses = 5;

// What is wrong with an instance that exists (PCS-24).
enum class Impairment : std::uint8_t { rebooted, stopped, health_check_failed, scheduled_event };
inline constexpr std::uint32_t kImpairments = 4;

// What EC2 says before it takes a Spot Instance back.
enum class SpotWarning : std::uint8_t { rebalance_recommendation, interruption_notice };
inline constexpr std::uint32_t kSpotWarnings = 2;

// Why an instance is launched, and why it is terminated: reasons of PCS's scaling events (PCS-72).
enum class LaunchReason : std::uint8_t { scheduler_requested, maintain_min_capacity };
enum class EndReason : std::uint8_t {
  scheduler_requested,
  unhealthy_node,
  bootstrap_failed,
  replacement_requested,  // after an update of its node group
  node_group_update,      // beyond a lower maximum (PCS-20)
  node_group_deletion,
};
inline constexpr std::uint32_t kEndReasons = 6;

// One piece of news. Kinds are in the order of their bands: at one instant the world delivers all arrivals
// first, then ends of jobs, then news of instances (the core applies a batch's arrivals last); within a band, in the
// order of creation (see EventQueue).
struct Stimulus {
  enum class Kind : std::uint8_t {
    job_arrived,          // subject: job; its request is the next of News::arrivals
    job_finished,         // subject: job; detail: Outcome
    instance_running,     // subject: node; EC2 state pending -> running, billing starts
    node_ready,           // subject: node; it registered with the scheduler and takes jobs
    instance_terminated,  // subject: node; the instance is gone
    node_lost,            // subject: node; its daemon no longer answers
    node_back,            // subject: node; its daemon answers again
    job_asked,            // subject: job; detail: JobAction
    node_asked,           // subject: node; detail: NodeAction
    updated,              // subject: position in a table of the policy's of what changes; detail: the job, if of one
    launch_refused,       // subject: node; detail: Refusal; no instance was launched for it
    instance_launched,    // subject: node; detail: which of its group's offers (bits 0-15), and 1 + the capacity
                          // reservation that it uses (bits 16-31); not told where that is 0
    instance_lost,        // subject: node; detail: Loss
    instance_impaired,    // subject: node; detail: Impairment
    spot_warned,          // subject: node; detail: SpotWarning
    cluster_changed,      // subject: position in ClusterSpec::changes
    budget_reached,       // subject: budget; detail: 1 if nothing more may be launched, 2 if it may again, else 0
    instance_placed,      // subject: node; detail: LeafId in ClusterSpec::topology on which its instance hangs
  };
  Kind kind{};
  std::uint32_t subject = 0;
  std::uint32_t detail = 0;
  bool operator==(const Stimulus&) const = default;
};
inline constexpr std::uint32_t kStimulusKinds = 18;

struct News {
  std::vector<Stimulus> stimuli;
  std::vector<JobRequest> arrivals;  // one for each job_arrived, in the same order
  std::vector<JobTerms> terms;       // of those arrivals that have any
  void clear() {
    stimuli.clear();
    arrivals.clear();
    terms.clear();
  }
};

// Part of a node given to a job.
struct NodeShare {
  NodeId node;
  std::int32_t cores;
  bool operator==(const NodeShare&) const = default;
};

// Why a job was rejected at submission.
enum class Rejection : std::uint8_t {
  job_limit,    // PCS-3: active + queued jobs of the cluster's size
  too_wide,     // PCS-33: the groups of the queue could never hold it
  memory,       // more memory than the nodes have
  account,      // no such account, or the user has no part in it
  qos,          // no such quality of service, or the user may not have it
  limits,       // more jobs than an account or a quality of service may submit, or a job of a size that it denies
  partition,    // outside the limits of its partition, or one that does not take it
  resources,    // features, licences or generic resources that there are not
  reservation,  // no such reservation, or the user may not use it
  queue,        // PCS-33: its queue is not active
};
inline constexpr std::size_t kRejections = 10;

// One decision. Its number in the run (Commands::first_number + position) is also the client token of the
// cloud call it becomes, so that a retry can never launch twice.
struct Command {
  enum class Kind : std::uint8_t {
    reject_job,           // subject: job; detail: Rejection
    allocate_job,         // subject: job; shares: its nodes, some of which still have to boot
    start_job,            // subject: job; shares: its nodes, all ready
    launch_instances,     // subject: node group; detail: LaunchReason, and kAllOrNothing; shares: the nodes to back
                          // (cores 0); one request to the cloud
    terminate_instances,  // subject: node group; detail: EndReason; shares: the nodes whose instances go (cores 0)
    stop_job,             // subject: job; detail: Outcome; its processes are told to end, job_finished will follow
    requeue_job,          // subject: job; detail: 1 if it makes way for another and was not told before, else 0;
                          // whatever is left of it is killed, it waits again
    end_job,              // subject: job; detail: Outcome; it is over without a job_finished
    share_cores,          // subject: job that just got its nodes; shares: the cores it has together with others, each
                          // with its number on its node in the place of a number of cores
    move_job,             // subject: job; detail: queue that it waits in from now on
  };
  Kind kind{};
  std::uint32_t subject = 0;
  std::uint32_t detail = 0;
  std::uint32_t first_share = 0;
  std::uint32_t share_count = 0;
};
inline constexpr std::uint32_t kCommandKinds = 10;
// Of launch_instances: the request fails as a whole unless every node gets its instance.
inline constexpr std::uint32_t kAllOrNothing = 0x100;

struct Commands {
  std::uint64_t first_number = 0;
  std::vector<Command> list;
  std::vector<NodeShare> shares;

  void clear() {
    first_number += list.size();
    list.clear();
    shares.clear();
  }
  void add(Command::Kind kind, std::uint32_t subject, std::uint32_t detail, std::span<const NodeShare> with) {
    list.push_back(
        {kind, subject, detail, static_cast<std::uint32_t>(shares.size()), static_cast<std::uint32_t>(with.size())});
    shares.insert(shares.end(), with.begin(), with.end());
  }
  std::span<const NodeShare> shares_of(const Command& command) const {
    return std::span(shares).subspan(command.first_share, command.share_count);
  }
};

}  // namespace headroom
