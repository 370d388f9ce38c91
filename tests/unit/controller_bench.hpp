// A controller on the bench: news made by hand, policies that are a few lines of a test.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "engine/controller.hpp"

namespace headroom {

class ScriptedScheduler final : public SchedulerPolicy {
 public:
  using Script = std::function<Time(const View&, Plan&)>;
  using Judge = std::function<std::optional<Outcome>(const View&, JobId, Outcome)>;
  explicit ScriptedScheduler(Script& script, bool keeps_time = false, Judge* judge = nullptr,
                             std::int32_t jobs_per_core = 1)
      : script_(script), keeps_time_(keeps_time), judge_(judge), jobs_per_core_(jobs_per_core) {}
  Time plan(const View& view, Plan& plan) override { return script_ ? script_(view, plan) : kNever; }
  bool keeps_time() const override { return keeps_time_; }
  std::int32_t jobs_per_core(const ClusterSpec&, GroupId) const override { return jobs_per_core_; }
  std::optional<Outcome> judge(const View& view, JobId job, Outcome outcome) const override {
    return judge_ != nullptr && *judge_ ? (*judge_)(view, job, outcome) : outcome;
  }

 private:
  Script& script_;
  bool keeps_time_;
  Judge* judge_;
  std::int32_t jobs_per_core_;
};

class ScriptedScaler final : public ScalerPolicy {
 public:
  using Script = std::function<Time(const View&, std::span<const NodeId>, ScalePlan&)>;
  explicit ScriptedScaler(Script& script, bool settles = false) : script_(script), settles_(settles) {}
  bool settles() const override { return settles_; }
  Time scale(const View& view, std::span<const NodeId> newly_idle, ScalePlan& plan) override {
    return script_ ? script_(view, newly_idle, plan) : kNever;
  }
  void hear(const View&, std::span<const Stimulus>, ScalePlan&) override {}

 private:
  Script& script_;
  bool settles_;
};

// Starts every job that fits, in order of arrival. Nothing is reserved.
inline Time start_what_fits(const View& view, Plan& plan) {
  std::vector<NodeShare> nodes;
  for (std::uint32_t q = 0; q < view.queue_count(); ++q) {
    const PendingQueue& pending = view.pending(QueueId{q});
    for (auto p = pending.front(); p != PendingQueue::kEnd; p = pending.next(p + 1)) {
      const JobId job = pending.job_at(p);
      if (view.cluster().place(view.jobs().request(job), view.now(), nodes)) plan.start(job, nodes);
    }
  }
  return kNever;
}

// Launches what is wanted at once.
inline Time launch_what_is_wanted(const View& view, std::span<const NodeId>, ScalePlan& plan) {
  const std::vector<NodeId> wanted(view.cluster().wanted().begin(), view.cluster().wanted().end());
  for (const NodeId node : wanted) plan.launch(std::span(&node, 1));
  return kNever;
}

inline JobRequest cores_for(std::int32_t cores, Time limit) {
  JobRequest request;
  request.cores = cores;
  request.limit = limit;
  return request;
}
inline JobRequest nodes_for(std::int32_t nodes, std::int32_t cores_on_each, Time limit) {
  JobRequest request = cores_for(cores_on_each, limit);
  request.nodes = nodes;
  return request;
}
inline JobRequest exclusive(JobRequest request) {
  request.exclusive = true;
  return request;
}
inline JobRequest in_queue(std::uint32_t queue, JobRequest request) {
  request.queue = QueueId{queue};
  return request;
}

class ControllerBench {
 public:
  ScriptedScheduler::Script schedule = start_what_fits;
  ScriptedScaler::Script scale = launch_what_is_wanted;
  ScriptedScheduler::Judge judge;  // where the policy keeps time

  explicit ControllerBench(const ClusterSpec& spec, std::unique_ptr<ScalerPolicy> scaler = nullptr,
                           bool keeps_time = false, bool settles = false, std::int32_t jobs_per_core = 1)
      : controller_(spec, std::make_unique<ScriptedScheduler>(schedule, keeps_time, &judge, jobs_per_core),
                    scaler ? std::move(scaler) : std::make_unique<ScriptedScaler>(scale, settles)) {}
  ControllerBench(const ControllerBench&) = delete;
  ControllerBench& operator=(const ControllerBench&) = delete;

  // --- news of the next step ---
  JobId arrive(JobRequest request) {
    const JobId job{jobs_++};
    news_.stimuli.push_back({Stimulus::Kind::job_arrived, number(job), 0});
    news_.arrivals.push_back(request);
    return job;
  }
  JobId arrive(JobRequest request, const JobTerms& terms) {
    news_.terms.push_back(terms);
    request.terms = static_cast<std::uint32_t>(news_.terms.size());
    return arrive(request);
  }
  void finish(JobId job, Outcome outcome = Outcome::completed) {
    news_.stimuli.push_back({Stimulus::Kind::job_finished, number(job), static_cast<std::uint32_t>(outcome)});
  }
  void tell(Stimulus::Kind kind, std::uint32_t subject, std::uint32_t detail = 0) {
    news_.stimuli.push_back({kind, subject, detail});
  }
  void ready(std::uint32_t node) {
    tell(Stimulus::Kind::instance_running, node);
    tell(Stimulus::Kind::node_ready, node);
  }
  void gone(std::uint32_t node) { tell(Stimulus::Kind::instance_terminated, node); }

  // One step with the news collected so far; returns when the core wants to be called again.
  Time step(Time now) {
    commands.clear();
    News news;
    std::swap(news, news_);
    for (JobRequest& request : news.arrivals) request.submit = now;
    return controller_.step(now, news, commands);
  }
  // One arrival, one step.
  JobId submit(Time now, const JobRequest& request) {
    const JobId job = arrive(request);
    step(now);
    return job;
  }

  const Controller& controller() const { return controller_; }
  const Cluster& cluster() const { return controller_.cluster(); }
  JobState state(JobId job) const { return controller_.jobs().state(job); }
  NodeState node(std::uint32_t n) const { return cluster().state(NodeId{n}); }
  std::vector<NodeShare> shares(JobId job) const {
    const auto held = cluster().shares(job);
    return {held.begin(), held.end()};
  }
  // The last step's commands of one kind.
  std::vector<Command> told(Command::Kind kind) const {
    std::vector<Command> list;
    for (const Command& c : commands.list) {
      if (c.kind == kind) list.push_back(c);
    }
    return list;
  }
  // The nodes of the last step's commands of one kind.
  std::vector<std::uint32_t> nodes_told(Command::Kind kind) const {
    std::vector<std::uint32_t> nodes;
    for (const Command& c : told(kind)) {
      for (const NodeShare& s : commands.shares_of(c)) nodes.push_back(number(s.node));
    }
    return nodes;
  }

  Commands commands;

 private:
  Controller controller_;
  News news_;
  std::uint32_t jobs_ = 0;
};

}  // namespace headroom
