// The whole vocabulary between the core and the world: what the world tells (Stimulus), what the core
// decides (Command). Both are small values, so that a journal of them is the only record of a run.
#pragma once

#include <span>
#include <vector>

#include "engine/types.hpp"

namespace headroom {

// How a job ended. A job that never started can only be cancelled or rejected.
enum class Outcome : std::uint8_t { completed, failed, cancelled, timed_out };
inline constexpr std::uint32_t kOutcomes = 4;

// What a job asks for, as sbatch states it. The true run time is not part of it: only the world knows that.
struct JobRequest {
  Time submit = 0;  // when it reaches the queue
  Time limit = 0;   // requested time (sbatch --time), > 0
  QueueId queue{0};
  std::uint32_t user = 0;  // index into the workload's user names
  std::int32_t nodes = 0;  // sbatch --nodes; 0: as many as it takes
  std::int32_t cores = 1;  // with nodes: cores on each node; without: cores in total (one task per core)
  bool exclusive = false;  // sbatch --exclusive: takes whole nodes
};

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
  };
  Kind kind{};
  std::uint32_t subject = 0;
  std::uint32_t detail = 0;
  bool operator==(const Stimulus&) const = default;
};
inline constexpr std::uint32_t kStimulusKinds = 5;

struct News {
  std::vector<Stimulus> stimuli;
  std::vector<JobRequest> arrivals;  // one for each job_arrived, in the same order
  void clear() {
    stimuli.clear();
    arrivals.clear();
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
  job_limit,  // PCS-3: active + queued jobs of the cluster's size
  too_wide,   // PCS-33: the groups of the queue could never hold it
};
inline constexpr std::size_t kRejections = 2;

// One decision. Its number in the run (Commands::first_number + position) is also the client token of the
// cloud call it becomes, so that a retry can never launch twice.
struct Command {
  enum class Kind : std::uint8_t {
    reject_job,           // subject: job; detail: Rejection
    allocate_job,         // subject: job; shares: its nodes, some of which still have to boot
    start_job,            // subject: job; shares: its nodes, all ready
    launch_instances,     // subject: node group; shares: the nodes to back (cores 0)
    terminate_instances,  // subject: node group; shares: the nodes to take down (cores 0)
  };
  Kind kind{};
  std::uint32_t subject = 0;
  std::uint32_t detail = 0;
  std::uint32_t first_share = 0;
  std::uint32_t share_count = 0;
};
inline constexpr std::uint32_t kCommandKinds = 5;

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
