// Runs jobs in simulation: a started job ends after its true run time or, unless the scheduling policy keeps time
// itself, at its limit, whichever comes first. A job that is told to stop is gone a little later.
#pragma once

#include "models/clock/event_queue.hpp"
#include "models/workload/workload.hpp"

namespace headroom {

class SimulatedRunner {
 public:
  SimulatedRunner(const Workload& workload, bool kills_at_limit)
      : jobs_(workload.jobs), kills_at_limit_(kills_at_limit) {}

  void start(JobId job, Time now, EventQueue& events) {
    const WorkloadJob& j = jobs_[index(job)];
    const bool killed = kills_at_limit_ && j.run_time > j.request.limit;
    finish(job, later(now, killed ? j.request.limit : j.run_time), killed ? Outcome::timed_out : j.outcome, events);
  }

  void stop(JobId job, Outcome outcome, Time now, EventQueue& events) {
    if (!end_of_.empty() && end_of_[index(job)] == kNever) return;  // nobody is left to hear of it
    finish(job, later(now, jobs_[index(job)].stop_time), outcome, events);
  }

  // The job's processes are gone without anybody hearing of it, now or later.
  void lose(JobId job) {
    remember();
    end_of_[index(job)] = kNever;
  }

  // Whether the end of a job that was foreseen for `time` still stands: nothing overtook it, and it was not told.
  bool stands(JobId job, Time time) const { return end_of_.empty() || end_of_[index(job)] == time; }
  void told(JobId job) {
    if (!end_of_.empty()) end_of_[index(job)] = kNever;
  }

 private:
  void finish(JobId job, Time time, Outcome outcome, EventQueue& events) {
    if (!kills_at_limit_) {
      remember();
      end_of_[index(job)] = time;
    }
    events.push(time, {Stimulus::Kind::job_finished, number(job), static_cast<std::uint32_t>(outcome)});
  }
  void remember() {
    if (end_of_.empty()) end_of_.resize(jobs_.size(), kNever);
  }

  const std::vector<WorkloadJob>& jobs_;
  bool kills_at_limit_;
  std::vector<Time> end_of_;  // by job; kept only where ends may be overtaken
};

}  // namespace headroom
