// The job table: what every job asked for and where it stands. Rows are appended in order of arrival and never move.
// A job's true run time is not here, so no policy can see it.
#pragma once

#include <vector>

#include "engine/news.hpp"

namespace headroom {

enum class JobState : std::uint8_t {
  pending,      // in its queue
  configuring,  // has its nodes, some of them still boot (PCS-23, squeue's CF)
  running,
  completing,  // told to end, its processes are not gone yet (squeue's CG)
  completed,
  failed,
  cancelled,
  timed_out,
  node_failed,
  rejected,  // refused at submission
};

// The state machine.
constexpr bool may_follow(JobState from, JobState to) {
  switch (from) {
    case JobState::pending:
      return to == JobState::configuring || to == JobState::running || to == JobState::cancelled ||
             to == JobState::rejected;
    case JobState::configuring:
      return to == JobState::running || to == JobState::pending || to == JobState::cancelled ||
             to == JobState::timed_out || to == JobState::node_failed;
    case JobState::running:
      return to == JobState::completing || to == JobState::pending || to == JobState::completed ||
             to == JobState::failed || to == JobState::cancelled || to == JobState::timed_out ||
             to == JobState::node_failed;
    case JobState::completing:
      return to == JobState::pending || (to >= JobState::completed && to <= JobState::node_failed);
    default:
      return false;  // final
  }
}

class JobTable {
 public:
  // `terms` are those that request.terms stands for, null if none.
  JobId add(const JobRequest& request, const JobTerms* terms = nullptr) {
    rows_.push_back(request);
    rows_.back().terms = 0;
    if (terms != nullptr) {
      terms_.push_back(*terms);
      rows_.back().terms = static_cast<std::uint32_t>(terms_.size());
    }
    states_.push_back(JobState::pending);
    return JobId{static_cast<std::uint32_t>(rows_.size() - 1)};
  }
  void reserve(std::size_t jobs) {
    rows_.reserve(jobs);
    states_.reserve(jobs);
  }

  std::size_t size() const { return rows_.size(); }
  const JobRequest& request(JobId job) const { return rows_[index(job)]; }
  JobState state(JobId job) const { return states_[index(job)]; }
  // Those of a job without any are the defaults.
  const JobTerms& terms(JobId job) const {
    const std::uint32_t terms = rows_[index(job)].terms;
    return terms == 0 ? none_ : terms_[terms - 1];
  }

  // The job waits in another queue.
  void move(JobId job, QueueId queue) { rows_[index(job)].queue = queue; }
  // The only way a state changes.
  void move(JobId job, JobState to) {
    JobState& state = states_[index(job)];
    ensure(may_follow(state, to), "a job's state changes only as the state machine allows");
    state = to;
  }

 private:
  std::vector<JobRequest> rows_;
  std::vector<JobTerms> terms_;
  std::vector<JobState> states_;
  JobTerms none_;
};

constexpr bool is_final(JobState state) { return state >= JobState::completed; }

constexpr JobState state_after(Outcome outcome) {
  switch (outcome) {
    case Outcome::completed:
      return JobState::completed;
    case Outcome::failed:
      return JobState::failed;
    case Outcome::cancelled:
    case Outcome::preempted:
      return JobState::cancelled;
    case Outcome::timed_out:
      return JobState::timed_out;
    case Outcome::node_failed:
      return JobState::node_failed;
  }
  return JobState::failed;
}

}  // namespace headroom
