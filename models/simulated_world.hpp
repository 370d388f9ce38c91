// The simulated world: a workload that arrives, a runner, a cloud, and a clock that jumps to the next event.
#pragma once

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <span>

#include "engine/loop.hpp"
#include "models/cloud/meter.hpp"
#include "models/cloud/simulated_cloud.hpp"
#include "models/execution/simulated_runner.hpp"
#include "models/network/placement_effect.hpp"
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
  // looking; and where it has tried to get instances for `stall_limit` while no job came, started for the first time or
  // ended, and none has run for so long. `effect` (may be null): what the placement of jobs does to their run times.
  SimulatedWorld(const Workload& workload, SimulatedCloud cloud, SameInstant same_instant, Time origin,
                 const std::atomic<bool>* stop = nullptr, bool keeps_time = false,
                 std::span<const Disturbance> disturbances = {}, Time patience = kNever, Time stall_limit = kNever,
                 Meter meter = {}, const PlacementEffect* effect = nullptr)
      : workload_(workload),
        jobs_(workload.jobs),
        runner_(workload, !keeps_time),
        cloud_(std::move(cloud)),
        meter_(std::move(meter)),
        over_(jobs_.size()),
        keeps_time_(keeps_time),
        batched_(same_instant == SameInstant::batched),
        origin_(origin),
        patience_(patience),
        stall_limit_(stall_limit),
        started_(jobs_.size()),
        effect_(effect),
        stop_(stop) {
    last_planned_ = cloud_.last_planned();
    for (const Disturbance& d : disturbances) {
      ensure(keeps_time || d.stimulus.kind == Stimulus::Kind::cluster_changed,
             "only a policy that keeps time deals with other disturbances");
      last_planned_ = std::max(last_planned_, d.at);
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
    Time now = std::min({arrival, events_.next_time(), wake});
    while (now != kNever && events_.next_time() == now && !matters(events_.next(), now)) {
      events_.pop();
      drop_overtaken();
      now = std::min({arrival, events_.next_time(), wake});
    }
    const Time budget = budget_time(now);
    now = std::min(now, budget);
    if (now == kNever || (stop_ != nullptr && stop_->load(std::memory_order_relaxed))) return std::nullopt;
    if (patience_ != kNever && arrival == kNever && nothing_matters(now) && now > later(last_act_, patience_)) {
      out_of_patience_ = true;
      return std::nullopt;
    }
    if (arrival == kNever && now > later(std::max(trying_since_, last_planned_), stall_limit_) &&
        !runner_.any_since(now - stall_limit_)) {
      out_of_patience_ = stalled_ = true;
      return std::nullopt;
    }
    if (now != wake && now != budget) last_act_ = std::max(last_act_, now);
    if (arrival == now) {
      last_act_for_jobs_ = now;
      trying_since_ = kNever;
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
    if (budget == now) tell_budgets(now, news);
    return now;
  }

  // Whether the run ended so.
  bool out_of_patience() const { return out_of_patience_; }
  // Whether it was for the stall limit.
  bool stalled() const { return stalled_; }
  // Whether a budget that is used up keeps jobs from running, for good.
  bool out_of_money() const { return meter_.stops(); }

  void carry_out(Time now, const Commands& commands) {
    if (!commands.list.empty()) last_act_ = std::max(last_act_, now);
    for (const Command& c : commands.list) {
      if (is_for_jobs(c)) last_act_for_jobs_ = now;
      switch (c.kind) {
        case Command::Kind::start_job:
          runner_.start(JobId{c.subject}, now, events_, stretch_of(JobId{c.subject}, commands.shares_of(c)));
          if (!started_[c.subject]) trying_since_ = kNever;
          started_[c.subject] = true;
          if (keeps_time_) hold(c.subject, now, commands.shares_of(c));
          break;
        case Command::Kind::launch_instances:
          trying_since_ = std::min(trying_since_, now);
          cloud_.launch(GroupId{c.subject}, commands.shares_of(c), c.detail, now, events_, purposes_of(commands, c));
          for (const NodeShare& s : commands.shares_of(c)) {
            std::erase(lost_nodes_, s.node);
            if (meter_.watches()) meter_.asked(s.node);
            if (effect_ != nullptr) note_offer(s.node, 0);
          }
          break;
        case Command::Kind::terminate_instances:
          cloud_.terminate(commands.shares_of(c), now, events_);
          break;
        case Command::Kind::stop_job:
          ensure(keeps_time_, "jobs are stopped in a world that expects it");
          runner_.stop(JobId{c.subject}, static_cast<Outcome>(c.detail), now, events_);
          break;
        case Command::Kind::requeue_job:
        case Command::Kind::end_job:
          // An end that only says how a job that is gone counts changes nothing here.
          if (!keeps_time_ || !nodes_of_[c.subject].empty()) runner_.lose(JobId{c.subject}, now);
          if (keeps_time_) nodes_of_[c.subject].clear();
          set_over(c.subject, c.kind == Command::Kind::end_job);
          break;
        case Command::Kind::reject_job:
          set_over(c.subject, true);
          break;
        case Command::Kind::allocate_job:
          for (const NodeShare& s : commands.shares_of(c)) {
            if (given_to_.size() <= index(s.node)) given_to_.resize(index(s.node) + 1, LaunchPurpose::kUnknown);
            given_to_[index(s.node)] = c.subject;
          }
          break;
        case Command::Kind::move_job:
          moved_to_[c.subject] = c.detail;
          break;
        case Command::Kind::share_cores:
          break;  // nothing to do outside: it is there to be read
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

  // Instances that are kept are replaced for ever, and lost again. That does not keep a run alive: when jobs are done
  // with, mishaps that nobody planned do not come to pass any more.
  bool matters(const Stimulus& s, Time time) const {
    if (!is_mishap(s) || time <= last_planned_) return true;
    if (next_job_ < jobs_.size() || runner_.running() > 0) return true;
    // Where jobs may wait for ever, or run again, only time tells.
    return keeps_time_ ? time <= later(last_act_for_jobs_, patience_) : jobs_over_ < jobs_.size();
  }
  bool nothing_matters(Time now) const {
    return events_.empty() || (events_.only_mishaps() && !matters(events_.next(), now));
  }
  static bool is_for_jobs(const Command& c) {
    const auto reason = static_cast<LaunchReason>(c.detail & 0xff);
    return c.kind != Command::Kind::terminate_instances &&
           (c.kind != Command::Kind::launch_instances || reason != LaunchReason::maintain_min_capacity);
  }

  // What news means for what is still to come.
  void tell(const Stimulus& s, Time now) {
    cloud_.told(s, now);
    if (meter_.watches()) meter_.told(s, now);
    switch (s.kind) {
      case Stimulus::Kind::job_finished:
        set_over(s.subject, true);
        last_act_for_jobs_ = now;
        trying_since_ = kNever;
        if (keeps_time_) nodes_of_[s.subject].clear();
        runner_.told(JobId{s.subject}, now);
        break;
      case Stimulus::Kind::node_ready:
        std::erase(lost_nodes_, NodeId{s.subject});
        break;
      case Stimulus::Kind::node_lost:
        lost_nodes_.push_back(NodeId{s.subject});
        lose_jobs_of(NodeId{s.subject}, now);
        break;
      case Stimulus::Kind::instance_lost:
        lose_jobs_of(NodeId{s.subject}, now);
        break;
      case Stimulus::Kind::instance_impaired:
        if (const auto what = static_cast<Impairment>(s.detail);
            what == Impairment::rebooted || what == Impairment::stopped) {
          lose_jobs_of(NodeId{s.subject}, now);
        }
        break;
      case Stimulus::Kind::node_back:
        std::erase(lost_nodes_, NodeId{s.subject});
        break;
      case Stimulus::Kind::instance_launched:
        if (effect_ != nullptr) note_offer(NodeId{s.subject}, s.detail & 0xffff);
        break;
      case Stimulus::Kind::job_arrived:
      case Stimulus::Kind::instance_running:
      case Stimulus::Kind::instance_terminated:
      case Stimulus::Kind::job_asked:
      case Stimulus::Kind::node_asked:
      case Stimulus::Kind::updated:
      case Stimulus::Kind::launch_refused:
      case Stimulus::Kind::spot_warned:
      case Stimulus::Kind::cluster_changed:
      case Stimulus::Kind::budget_reached:
      case Stimulus::Kind::instance_placed:
        break;
    }
  }

  // When a budget has something to say, at `now` at the latest; `now` is when the next thing happens otherwise. Where
  // nothing else does, jobs may wait for a new period.
  Time budget_time(Time now) {
    if (!meter_.watches()) return kNever;
    const bool all_over = jobs_over_ == jobs_.size();
    const Time horizon = now == kNever && !all_over ? meter_.allows_again() : now;
    return horizon == kNever ? kNever : meter_.next(horizon);
  }
  void tell_budgets(Time now, News& news) {
    meter_.tell(now, news.stimuli);
    // A new period is something that is known to come, and jobs that wait for it try to get instances.
    const Time allowed = meter_.allows_again();
    if (allowed == kNever || jobs_over_ == jobs_.size()) return;
    last_act_ = std::max(last_act_, allowed);
    trying_since_ = std::min(trying_since_, now);
  }
  void set_over(std::uint32_t job, bool over) {
    if (over_[job] == over) return;
    over_[job] = over;
    over ? ++jobs_over_ : --jobs_over_;
  }

  void note_offer(NodeId node, std::uint32_t offer) {
    if (offers_.size() <= index(node)) offers_.resize(index(node) + 1);
    offers_[index(node)] = offer;
  }
  double stretch_of(JobId job, std::span<const NodeShare> nodes) {
    if (effect_ == nullptr || !effect_->concerns(job)) return 1;
    sites_.clear();
    for (const NodeShare& s : nodes) {
      sites_.push_back({s.node, index(s.node) < offers_.size() ? offers_[index(s.node)] : 0, cloud_.leaf(s.node)});
    }
    return effect_->effect(job, sites_).stretch;
  }

  // A job runs on nodes; it has no end if one of them is lost already.
  void hold(std::uint32_t job, Time now, std::span<const NodeShare> nodes) {
    nodes_of_[job].assign(nodes.begin(), nodes.end());
    const bool lost = std::any_of(nodes.begin(), nodes.end(), [this](const NodeShare& s) {
      return std::find(lost_nodes_.begin(), lost_nodes_.end(), s.node) != lost_nodes_.end();
    });
    if (lost) runner_.lose(JobId{job}, now);
  }

  // What the nodes of a launch are launched for: the job that was given the node last, unless nodes are kept anyway.
  std::span<const LaunchPurpose> purposes_of(const Commands& commands, const Command& launch) {
    purposes_.clear();
    const bool kept = static_cast<LaunchReason>(launch.detail & 0xff) == LaunchReason::maintain_min_capacity;
    for (const NodeShare& s : commands.shares_of(launch)) {
      LaunchPurpose& purpose = purposes_.emplace_back();
      if (kept || index(s.node) >= given_to_.size()) continue;
      purpose.job = given_to_[index(s.node)];
      if (purpose.job == LaunchPurpose::kUnknown) continue;
      const auto moved = moved_to_.find(purpose.job);
      purpose.queue = moved != moved_to_.end() ? moved->second : number(jobs_[purpose.job].request.queue);
    }
    return purposes_;
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
  Meter meter_;
  std::vector<bool> over_;  // by job
  std::size_t jobs_over_ = 0;
  EventQueue events_;
  bool keeps_time_;
  std::vector<std::vector<NodeShare>> nodes_of_;  // by job: where it runs; kept only where nodes may be lost
  std::vector<NodeId> lost_nodes_;                // that do not answer
  std::vector<std::uint32_t>
      given_to_;  // by node: the last job that was given it and had to wait for boots, or kUnknown
  std::map<std::uint32_t, std::uint32_t> moved_to_;  // by job that left the queue of its submission: the one it is in
  std::vector<LaunchPurpose> purposes_;
  bool batched_;
  Time origin_;
  Time patience_;
  Time last_act_ = 0;
  Time stall_limit_;
  Time last_act_for_jobs_ = 0;
  Time trying_since_ = kNever;  // to get instances; kNever: a job came, started for the first time or ended since
  Time last_planned_ = -1;      // of what is to come from outside
  std::vector<bool> started_;
  const PlacementEffect* effect_;
  std::vector<std::uint32_t> offers_;  // by node: which its instance is, where `effect_` asks
  std::vector<PlacementEffect::Site> sites_;
  bool out_of_patience_ = false;
  bool stalled_ = false;
  const std::atomic<bool>* stop_;
};

}  // namespace headroom
