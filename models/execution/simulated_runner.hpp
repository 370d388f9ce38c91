// Runs jobs in simulation: a started job ends after its true run time or, unless the scheduling policy keeps time
// itself, at its limit, whichever comes first. A job that is told to stop is gone a little later. One that writes
// checkpoints and is started again goes on from the last of them. Where its nodes are far apart it takes longer: saved
// work counts in the run time of the reference placement (models/network/placement_effect.hpp).
#pragma once

#include <algorithm>
#include <cmath>

#include "models/clock/event_queue.hpp"
#include "models/workload/workload.hpp"

namespace headroom {

class SimulatedRunner {
 public:
  SimulatedRunner(const Workload& workload, bool kills_at_limit)
      : jobs_(workload.jobs),
        kills_at_limit_(kills_at_limit),
        end_of_(workload.jobs.size(), kNever),
        runs_(workload.jobs.size()) {}

  // `stretch`: run time on these nodes over the reference run time, more than 0.
  void start(JobId job, Time now, EventQueue& events, double stretch = 1) {
    const WorkloadJob& j = jobs_[index(job)];
    Run& run = runs_[index(job)];
    run.since = now;
    run.stretch = stretch;
    const Time left = stretched(j.run_time - run.saved, stretch);
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
    forget(job);
  }

  // Whether the end of a job that was foreseen for `time` still stands: nothing overtook it, and it was not told.
  bool stands(JobId job, Time time) const { return end_of_[index(job)] == time; }
  // An end at `time` was told.
  void told(JobId job, Time time) {
    save(job, time);
    forget(job);
  }

  // Jobs whose end is to come.
  std::size_t running() const { return running_; }
  // Whether one of them has been running since `time`.
  bool any_since(Time time) const {
    for (std::size_t j = 0; j < end_of_.size(); ++j) {
      if (end_of_[j] != kNever && runs_[j].since <= time) return true;
    }
    return false;
  }

  // Run time that the next start of a job need not repeat.
  Time saved(JobId job) const { return runs_[index(job)].saved; }

 private:
  void finish(JobId job, Time time, Outcome outcome, EventQueue& events) {
    forget(job);
    if (time != kNever) ++running_;
    end_of_[index(job)] = time;
    events.push(time, {Stimulus::Kind::job_finished, number(job), static_cast<std::uint32_t>(outcome)});
  }

  void forget(JobId job) {
    if (end_of_[index(job)] != kNever) --running_;
    end_of_[index(job)] = kNever;
  }

  // The job stops working: what its checkpoints hold. One that is through has nothing left to go on from, and begins
  // anew if it has to run once more.
  void save(JobId job, Time now) {
    if (runs_[index(job)].since == kNever) return;
    Run& run = runs_[index(job)];
    const WorkloadJob& j = jobs_[index(job)];
    const Time done = run.saved + done_in(now - run.since, j.run_time - run.saved, run.stretch);
    if (done >= j.run_time) {
      run.saved = 0;
    } else if (j.checkpoint_interval > 0) {
      run.saved = done - done % j.checkpoint_interval;
    }
    run.since = kNever;
  }

  // Of a thousand years no part comes to pass: more is as good as that.
  static Time stretched(Time run_time, double stretch) {
    if (stretch == 1) return run_time;
    constexpr Time kForever = 100 * kLongestRequest;
    const double time = static_cast<double>(run_time) * stretch;
    return time < static_cast<double>(kForever) ? static_cast<Time>(std::llround(time)) : kForever;
  }
  // How much of the reference run time `left` was done in so much time.
  static Time done_in(Time time, Time left, double stretch) {
    if (stretch == 1) return time;
    if (time >= stretched(left, stretch)) return left;
    return std::min(left, static_cast<Time>(static_cast<double>(time) / stretch));
  }

  const std::vector<WorkloadJob>& jobs_;
  bool kills_at_limit_;
  std::vector<Time> end_of_;  // by job: the end to come; kNever: none
  std::size_t running_ = 0;
  struct Run {
    Time since = kNever;  // it works since then; kNever: it does not
    Time saved = 0;       // reference run time up to its last checkpoint
    double stretch = 1;   // of its present run
  };
  std::vector<Run> runs_;  // by job
};

}  // namespace headroom
