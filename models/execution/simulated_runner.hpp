// Runs jobs in simulation: a started job ends after its true run time or, unless the scheduling policy keeps time
// itself, at its limit, whichever comes first. A job that is told to stop is gone a little later. One that writes
// checkpoints and is started again goes on from the last of them.
#pragma once

#include <algorithm>

#include "models/clock/event_queue.hpp"
#include "models/workload/workload.hpp"

namespace headroom {

class SimulatedRunner {
 public:
  SimulatedRunner(const Workload& workload, bool kills_at_limit)
      : jobs_(workload.jobs), kills_at_limit_(kills_at_limit), end_of_(workload.jobs.size(), kNever) {
    const bool checkpoints = std::any_of(jobs_.begin(), jobs_.end(),
                                         [](const WorkloadJob& job) { return job.checkpoint_interval > 0; });
    if (checkpoints) runs_.resize(jobs_.size());
  }

  void start(JobId job, Time now, EventQueue& events) {
    const WorkloadJob& j = jobs_[index(job)];
    Time left = j.run_time;
    if (!runs_.empty()) {
      runs_[index(job)].since = now;
      left -= runs_[index(job)].saved;
    }
    const bool killed = kills_at_limit_ && left > j.request.limit;
    finish(job, later(now, killed ? j.request.limit : left), killed ? Outcome::timed_out : j.outcome, events);
  }

  void stop(JobId job, Outcome outcome, Time now, EventQueue& events) {
    if (end_of_[index(job)] == kNever) return;  // nobody is left to hear of it
    save(job, now);
    finish(job, later(now, jobs_[index(job)].stop_time), outcome, events);
  }

  // The job's processes are gone without anybody hearing of it, now or later: killed, or their node is lost.
  void lose(JobId job, Time now) {
    if (end_of_[index(job)] == kNever) return;
    save(job, now);
    end_of_[index(job)] = kNever;
  }

  // Whether the end of a job that was foreseen for `time` still stands: nothing overtook it, and it was not told.
  bool stands(JobId job, Time time) const { return end_of_[index(job)] == time; }
  // An end at `time` was told.
  void told(JobId job, Time time) {
    save(job, time);
    end_of_[index(job)] = kNever;
  }

  bool is_running(JobId job) const { return end_of_[index(job)] != kNever; }
  bool any_running() const {
    return std::any_of(end_of_.begin(), end_of_.end(), [](Time end) { return end != kNever; });
  }

  // Run time that the next start of a job need not repeat.
  Time saved(JobId job) const { return runs_.empty() ? 0 : runs_[index(job)].saved; }

 private:
  void finish(JobId job, Time time, Outcome outcome, EventQueue& events) {
    end_of_[index(job)] = time;
    events.push(time, {Stimulus::Kind::job_finished, number(job), static_cast<std::uint32_t>(outcome)});
  }

  // The job stops working: what its checkpoints hold. One that is through has nothing left to go on from, and begins
  // anew if it has to run once more.
  void save(JobId job, Time now) {
    if (runs_.empty() || runs_[index(job)].since == kNever) return;
    Run& run = runs_[index(job)];
    const WorkloadJob& j = jobs_[index(job)];
    const Time done = run.saved + (now - run.since);
    if (done >= j.run_time) {
      run.saved = 0;
    } else if (j.checkpoint_interval > 0) {
      run.saved = done - done % j.checkpoint_interval;
    }
    run.since = kNever;
  }

  const std::vector<WorkloadJob>& jobs_;
  bool kills_at_limit_;
  std::vector<Time> end_of_;  // by job: the end to come; kNever: none
  struct Run {
    Time since = kNever;  // it works since then; kNever: it does not
    Time saved = 0;       // run time up to its last checkpoint
  };
  std::vector<Run> runs_;  // by job; empty where none writes checkpoints
};

}  // namespace headroom
