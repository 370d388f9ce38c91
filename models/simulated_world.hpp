// The simulated world: a workload that arrives, a runner, a cloud, and a clock that jumps to the next event.
#pragma once

#include <algorithm>
#include <atomic>
#include <optional>

#include "engine/loop.hpp"
#include "models/cloud/simulated_cloud.hpp"
#include "models/execution/simulated_runner.hpp"
#include "models/scenario/scenario.hpp"

namespace headroom {

class SimulatedWorld {
 public:
  // `stop` (may be null) ends the run early when it becomes true.
  SimulatedWorld(const Workload& workload, SimulatedCloud cloud, SameInstant same_instant, Time origin,
                 const std::atomic<bool>* stop = nullptr)
      : jobs_(workload.jobs),
        runner_(workload),
        cloud_(std::move(cloud)),
        batched_(same_instant == SameInstant::batched),
        origin_(origin),
        stop_(stop) {}

  Time origin() const { return origin_; }

  std::optional<Time> wait(Time wake, News& news) {
    news.clear();
    const Time arrival = next_job_ < jobs_.size() ? jobs_[next_job_].request.submit : kNever;
    const Time now = std::min({arrival, events_.next_time(), wake});
    if (now == kNever || (stop_ != nullptr && stop_->load(std::memory_order_relaxed))) return std::nullopt;
    if (arrival == now) {
      do {
        news.stimuli.push_back({Stimulus::Kind::job_arrived, static_cast<std::uint32_t>(next_job_), 0});
        news.arrivals.push_back(jobs_[next_job_].request);
        ++next_job_;
      } while (batched_ && next_job_ < jobs_.size() && jobs_[next_job_].request.submit == now);
      if (!batched_) return now;
    }
    while (events_.next_time() == now) {
      news.stimuli.push_back(events_.next());
      events_.pop();
      if (!batched_) return now;
    }
    return now;
  }

  void carry_out(Time now, const Commands& commands) {
    for (const Command& c : commands.list) {
      switch (c.kind) {
        case Command::Kind::start_job:
          runner_.start(JobId{c.subject}, now, events_);
          break;
        case Command::Kind::launch_instances:
          for (const NodeShare& s : commands.shares_of(c)) cloud_.launch(GroupId{c.subject}, s.node, now, events_);
          break;
        case Command::Kind::terminate_instances:
          for (const NodeShare& s : commands.shares_of(c)) cloud_.terminate(s.node, now, events_);
          break;
        case Command::Kind::reject_job:
        case Command::Kind::allocate_job:
          break;  // nothing to do outside: they are there to be read
      }
    }
  }

  // Jobs handed over so far, for a progress line.
  std::size_t jobs_submitted() const { return next_job_; }

 private:
  const std::vector<WorkloadJob>& jobs_;
  std::size_t next_job_ = 0;
  SimulatedRunner runner_;
  SimulatedCloud cloud_;
  EventQueue events_;
  bool batched_;
  Time origin_;
  const std::atomic<bool>* stop_;
};

}  // namespace headroom
