// What happened in a run, folded from its steps: one row a job, one row an instance. The same fold serves a run as it
// happens and a journal read back; nothing else feeds a report.
#pragma once

#include <optional>
#include <vector>

#include "engine/jobs.hpp"
#include "engine/topology.hpp"

namespace headroom {

struct JobRecord {
  JobRequest request;
  Time allocated = kNever;        // when it got its nodes
  Time start = kNever;            // when it ran
  Time end = kNever;              // when it was told to end, or ended by itself
  Time freed = kNever;            // when its processes were gone and its nodes free
  std::uint32_t first_share = 0;  // of RunRecord::shares_of
  std::uint32_t share_count = 0;
  std::uint32_t first_core = 0;  // of RunRecord::shared_cores_of; 0 of them: it has its cores alone
  std::uint32_t core_count = 0;
  std::uint32_t requeues = 0;
  std::uint32_t preemptions = 0;  // how often it was told to make way for another
  bool makes_way = false;         // its present or last attempt was
  JobState state = JobState::pending;
  Rejection rejection{};  // when rejected
};

// An attempt at a job that came to nothing: it was requeued.
struct LostAttempt {
  JobId id;
  JobRecord job;  // as it was then; `freed` is when it was requeued
};

// How long a job ran, from its start until it was told to end or was requeued; 0 if it did not, or still does.
inline Time run_time(const JobRecord& job) {
  const Time end = job.end != kNever ? job.end : job.freed;
  return job.start == kNever || end == kNever ? 0 : end - job.start;
}

struct InstanceRecord {
  NodeId node;
  GroupId group;
  Time launch = kNever;
  Time running = kNever;  // billing starts
  Time ready = kNever;    // the node registered
  // Billing ends: EC2 carried the termination out (until then: it was asked for), or the instance was lost.
  Time end = kNever;
  LaunchReason launch_reason{};
  EndReason end_reason{};         // why it was terminated, if it was not lost
  std::optional<Loss> loss = {};  // why it was lost
  std::uint32_t offer = 0;        // which of its group's
  std::uint32_t reservation = 0;  // 1 + position of the capacity reservation that it uses; 0: none
  LeafId leaf = kNoLeaf;          // the network node that it hangs on, where that is known
  bool refused = false;           // it never existed, and is no instance: readers pass over it

  bool is_over() const { return end != kNever; }
  // It ended before its node could take jobs.
  bool failed() const { return is_over() && ready == kNever; }
};

// A request for an instance that was refused.
struct LaunchFailure {
  NodeId node;
  GroupId group;
  Time at;
  Refusal refusal;
};

// News that is no step in the life of a job or an instance, as it was told.
struct Notice {
  Time at;
  Stimulus news;
  std::uint32_t instance;  // the one that the node had, if the news is of a node; else HeldShare::kPermanent
};

// Part of an instance (or of a permanent node) that a job held.
struct HeldShare {
  static constexpr std::uint32_t kPermanent = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t instance;  // into RunRecord::instances; kPermanent: the node needs none, or got none
  NodeId node;
  std::int32_t cores;
};

class RunRecord {
 public:
  explicit RunRecord(std::size_t nodes) : instance_of_(nodes, HeldShare::kPermanent) {}
  void expect_jobs(std::size_t jobs) { jobs_.reserve(jobs); }

  void append(Time now, const News& news, const Commands& commands);

  const std::vector<JobRecord>& jobs() const { return jobs_; }
  // In the order of launch.
  const std::vector<InstanceRecord>& instances() const { return instances_; }
  const std::vector<LaunchFailure>& launch_failures() const { return failures_; }
  const std::vector<Notice>& notices() const { return notices_; }
  const std::vector<LostAttempt>& lost_attempts() const { return lost_; }
  // What the job holds or held; nothing while it waits for nodes to boot.
  std::span<const HeldShare> shares_of(const JobRecord& job) const {
    if (job.start == kNever && job.freed == kNever) return {};
    return std::span(shares_).subspan(job.first_share, job.share_count);
  }
  // The cores that the job may have together with others: their nodes, and their numbers there.
  std::span<const NodeShare> shared_cores_of(const JobRecord& job) const {
    return std::span(cores_).subspan(job.first_core, job.core_count);
  }
  bool shares_cores() const { return !cores_.empty(); }
  Time begin() const { return begin_; }  // of the first step; kNever before it
  Time end() const { return end_; }      // of the last step in which anything happened
  std::uint64_t steps() const { return steps_; }
  std::uint64_t events() const { return events_; }

 private:
  static void note_preemption(JobRecord& job, bool makes_way);
  void hold(JobRecord& job, std::span<const NodeShare> shares);
  void name_instances(const JobRecord& job);
  InstanceRecord* instance_on(std::uint32_t node);
  void append(Time now, const Stimulus& news);
  void refuse(Time now, const Stimulus& news);

  std::vector<JobRecord> jobs_;
  std::vector<LostAttempt> lost_;
  std::vector<InstanceRecord> instances_;
  std::vector<LaunchFailure> failures_;
  std::vector<Notice> notices_;
  std::vector<HeldShare> shares_;
  std::vector<NodeShare> cores_;
  std::vector<std::uint32_t> instance_of_;  // by node: its present or last instance
  Time begin_ = kNever;
  Time end_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace headroom
