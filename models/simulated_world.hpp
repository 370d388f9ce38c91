// The simulated world: a workload that arrives, a runner, a cloud, and a clock that jumps to the next event.
#pragma once

#include <algorithm>
#include <atomic>
#include <optional>
#include <span>

#include "engine/loop.hpp"
#include "models/cloud/simulated_cloud.hpp"
#include "models/execution/simulated_runner.hpp"
#include "models/scenario/scenario.hpp"

namespace headroom {

// What happens to a cluster from outside: a node dies, somebody calls scancel.
struct Disturbance {
  Time at = 0;
  Stimulus stimulus;
};

// How long a policy's patience has to last for what jobs themselves may wait for.
inline Time patience_for(const Workload& workload, Time patience) {
  Time longest = 0;
  for (const JobTerms& terms : workload.terms) {
    longest = std::max(longest, terms.begin);
    for (const Dependency& dependency : terms.dependencies) longest = std::max(longest, dependency.delay);
  }
  return later(longest, patience);
}

class SimulatedWorld {
 public:
  // `stop` (may be null) ends the run early when it becomes true. `keeps_time`: as SchedulerPolicy::keeps_time. Where
  // the core has done nothing for `patience`, and nothing more is to come, the run is over although it would go on
  // looking; and where it asked for instances in vain for `stall_limit`: no node came up, no job started or ended.
  SimulatedWorld(const Workload& workload, SimulatedCloud cloud, SameInstant same_instant, Time origin,
                 const std::atomic<bool>* stop = nullptr, bool keeps_time = false,
                 std::span<const Disturbance> disturbances = {}, Time patience = kNever, Time stall_limit = kNever)
      : workload_(workload),
        jobs_(workload.jobs),
        runner_(workload, !keeps_time),
        cloud_(std::move(cloud)),
        keeps_time_(keeps_time),
        batched_(same_instant == SameInstant::batched),
        origin_(origin),
        patience_(patience),
        stall_limit_(stall_limit),
        stop_(stop) {
    for (const Disturbance& d : disturbances) {
      ensure(keeps_time || d.stimulus.kind == Stimulus::Kind::cluster_changed,
             "only a policy that keeps time deals with other disturbances");
      ensure(d.stimulus.kind >= Stimulus::Kind::node_lost, "jobs and instances follow from commands");
      events_.push(d.at, d.stimulus);
    }
    if (keeps_time_) nodes_of_.resize(jobs_.size());
  }

  Time origin() const { return origin_; }

  std::optional<Time> wait(Time wake, News& news) {
    news.clear();
    drop_overtaken();
    const Time arrival = next_job_ < jobs_.size() ? jobs_[next_job_].request.submit : kNever;
    const Time now = std::min({arrival, events_.next_time(), wake});
    if (now == kNever || (stop_ != nullptr && stop_->load(std::memory_order_relaxed))) return std::nullopt;
    if (patience_ != kNever && arrival == kNever && events_.empty() && now > later(last_act_, patience_)) {
      out_of_patience_ = true;
      return std::nullopt;
    }
    if (arrival == kNever && events_.empty() && now > later(trying_since_, stall_limit_) && !runner_.any_running()) {
      out_of_patience_ = true;
      return std::nullopt;
    }
    if (now != wake) last_act_ = now;
    if (arrival == now) {
      do {
        news.stimuli.push_back({Stimulus::Kind::job_arrived, static_cast<std::uint32_t>(next_job_), 0});
        news.arrivals.push_back(jobs_[next_job_].request);
        if (const std::uint32_t terms = news.arrivals.back().terms; terms > 0) {
          news.terms.push_back(workload_.terms[terms - 1]);
          news.arrivals.back().terms = static_cast<std::uint32_t>(news.terms.size());
        }
        ++next_job_;
      } while (batched_ && next_job_ < jobs_.size() && jobs_[next_job_].request.submit == now);
      if (!batched_) return now;
    }
    while (events_.next_time() == now) {
      news.stimuli.push_back(events_.next());
      events_.pop();
      tell(news.stimuli.back(), now);
      drop_overtaken();
      if (!batched_) return now;
    }
    return now;
  }

  // Whether the run ended so.
  bool out_of_patience() const { return out_of_patience_; }

  void carry_out(Time now, const Commands& commands) {
    if (!commands.list.empty()) last_act_ = now;
    for (const Command& c : commands.list) {
      switch (c.kind) {
        case Command::Kind::start_job:
          runner_.start(JobId{c.subject}, now, events_);
          trying_since_ = kNever;
          if (keeps_time_) hold(c.subject, now, commands.shares_of(c));
          break;
        case Command::Kind::launch_instances:
          trying_since_ = std::min(trying_since_, now);
          for (const NodeShare& s : commands.shares_of(c)) {
            cloud_.launch(GroupId{c.subject}, s.node, now, events_);
            std::erase(lost_nodes_, s.node);
          }
          break;
        case Command::Kind::terminate_instances:
          for (const NodeShare& s : commands.shares_of(c)) cloud_.terminate(s.node, now, events_);
          break;
        case Command::Kind::stop_job:
          ensure(keeps_time_, "jobs are stopped in a world that expects it");
          runner_.stop(JobId{c.subject}, static_cast<Outcome>(c.detail), now, events_);
          break;
        case Command::Kind::requeue_job:
        case Command::Kind::end_job:
          // An end that only says how a job that is gone counts changes nothing here.
          // One that only waited for its nodes to boot made no progress.
          if (runner_.is_running(JobId{c.subject})) trying_since_ = kNever;
          if (!keeps_time_ || !nodes_of_[c.subject].empty()) runner_.lose(JobId{c.subject}, now);
          if (keeps_time_) nodes_of_[c.subject].clear();
          break;
        case Command::Kind::reject_job:
        case Command::Kind::allocate_job:
        case Command::Kind::share_cores:
        case Command::Kind::move_job:
          break;  // nothing to do outside: they are there to be read
      }
    }
  }

  // Jobs handed over so far, for a progress line.
  std::size_t jobs_submitted() const { return next_job_; }

 private:
  // Ends of jobs that were stopped or requeued, and boots that were given up, do not come to pass.
  void drop_overtaken() {
    while (!events_.empty()) {
      const Stimulus& s = events_.next();
      const bool stands = s.kind == Stimulus::Kind::job_finished ? runner_.stands(JobId{s.subject}, events_.next_time())
                                                                 : cloud_.stands(s, events_.next_time());
      if (stands) return;
      events_.pop();
    }
  }

  // What news means for what is still to come.
  void tell(const Stimulus& s, Time now) {
    switch (s.kind) {
      case Stimulus::Kind::job_finished:
        if (keeps_time_) nodes_of_[s.subject].clear();
        runner_.told(JobId{s.subject}, now);
        trying_since_ = kNever;
        break;
      case Stimulus::Kind::instance_running:
        cloud_.told(s);
        break;
      case Stimulus::Kind::node_ready:
        cloud_.told(s);
        std::erase(lost_nodes_, NodeId{s.subject});
        trying_since_ = kNever;
        break;
      case Stimulus::Kind::node_lost:
        lost_nodes_.push_back(NodeId{s.subject});
        lose_jobs_of(NodeId{s.subject}, now);
        break;
      case Stimulus::Kind::node_back:
        std::erase(lost_nodes_, NodeId{s.subject});
        break;
      case Stimulus::Kind::job_arrived:
      case Stimulus::Kind::instance_terminated:
      case Stimulus::Kind::job_asked:
      case Stimulus::Kind::node_asked:
      case Stimulus::Kind::updated:
      case Stimulus::Kind::launch_refused:
      case Stimulus::Kind::instance_launched:
      case Stimulus::Kind::instance_lost:
      case Stimulus::Kind::instance_impaired:
      case Stimulus::Kind::spot_warned:
      case Stimulus::Kind::cluster_changed:
      case Stimulus::Kind::budget_reached:
        break;
    }
  }

  // A job runs on nodes; it has no end if one of them is lost already.
  void hold(std::uint32_t job, Time now, std::span<const NodeShare> nodes) {
    nodes_of_[job].assign(nodes.begin(), nodes.end());
    const bool lost = std::any_of(nodes.begin(), nodes.end(), [this](const NodeShare& s) {
      return std::find(lost_nodes_.begin(), lost_nodes_.end(), s.node) != lost_nodes_.end();
    });
    if (lost) runner_.lose(JobId{job}, now);
  }

  void lose_jobs_of(NodeId node, Time now) {
    for (std::uint32_t job = 0; job < nodes_of_.size(); ++job) {
      const bool here =
          std::any_of(nodes_of_[job].begin(), nodes_of_[job].end(), [&](const NodeShare& s) { return s.node == node; });
      if (here) runner_.lose(JobId{job}, now);
    }
  }

  const Workload& workload_;
  const std::vector<WorkloadJob>& jobs_;
  std::size_t next_job_ = 0;
  SimulatedRunner runner_;
  SimulatedCloud cloud_;
  EventQueue events_;
  bool keeps_time_;
  std::vector<std::vector<NodeShare>> nodes_of_;  // by job: where it runs; kept only where daemons may fall silent
  std::vector<NodeId> lost_nodes_;                // that do not answer
  bool batched_;
  Time origin_;
  Time patience_;
  Time last_act_ = 0;
  Time stall_limit_;
  Time trying_since_ = kNever;  // to get instances; kNever: it got one since, or a job started or ended
  bool out_of_patience_ = false;
  const std::atomic<bool>* stop_;
};

}  // namespace headroom
