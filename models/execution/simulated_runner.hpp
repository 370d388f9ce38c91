// Runs jobs in simulation: a started job ends after its true run time, or at its limit, whichever comes first.
#pragma once

#include "models/clock/event_queue.hpp"
#include "models/workload/workload.hpp"

namespace headroom {

class SimulatedRunner {
 public:
  explicit SimulatedRunner(const Workload& workload) : jobs_(workload.jobs) {}

  void start(JobId job, Time now, EventQueue& events) const {
    const WorkloadJob& j = jobs_[index(job)];
    const bool killed = j.run_time > j.request.limit;
    const Time run = killed ? j.request.limit : j.run_time;
    const Outcome outcome = killed ? Outcome::timed_out : j.outcome;
    events.push(later(now, run), {Stimulus::Kind::job_finished, number(job), static_cast<std::uint32_t>(outcome)});
  }

 private:
  const std::vector<WorkloadJob>& jobs_;
};

}  // namespace headroom
