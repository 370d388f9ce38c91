#include "models/policies/launcher.hpp"

#include <algorithm>
#include <map>

#include "models/policies/by_group.hpp"

namespace headroom {
namespace {

// Not so where a change or a budget took the node at this very instant.
bool has_power(const Cluster& cluster, NodeId node) {
  return cluster.state(node) == NodeState::up || cluster.state(node) == NodeState::powering_up;
}

bool is_throttled(Refusal refusal) {
  return refusal == Refusal::request_limit_exceeded || refusal == Refusal::internal_error;
}

}  // namespace

void Launcher::meet(const View& view) {
  launches_.resize(view.cluster().node_count());
  attempts_.resize(view.cluster().node_count());
}

void Launcher::launch(const View& view, std::vector<NodeId> nodes, ScalePlan& plan) {
  meet(view);
  for (const NodeId node : nodes) {
    if (view.cluster().state(node) == NodeState::powered_down) attempts_[index(node)] = 0;
  }
  if (stopped_) {
    for (const NodeId node : nodes) {
      if (view.cluster().state(node) == NodeState::powering_up) continue;
      plan.hold_back(node, kNever, Withdrawal::Why::budget);
      stopped_nodes_.push_back(node);
    }
    return;
  }
  by_group(view.cluster(), std::move(nodes), [&](std::span<const NodeId> group) {
    // Nodes of one job are one request, all or nothing, as long as one request can be so large; the others come
    // together. What a static group keeps is asked for whether or not a job has it.
    std::map<JobId, std::vector<NodeId>> of_job;
    std::vector<NodeId> kept;
    std::vector<NodeId> single;
    for (const NodeId node : group) {
      const std::span<const JobId> jobs = view.waiting_for(node);
      if (view.cluster().is_kept(node)) {
        kept.push_back(node);
      } else if (!jobs.empty()) {
        of_job[jobs.front()].push_back(node);
      } else {
        single.push_back(node);
      }
    }
    std::vector<std::vector<NodeId>> whole;
    for (auto& [job, its] : of_job) {
      const auto size = static_cast<std::int32_t>(its.size());
      if (!options_.incremental && size > 1 && size <= options_.request_size) {
        whole.push_back(std::move(its));
      } else {
        single.insert(single.end(), its.begin(), its.end());
      }
    }
    std::sort(single.begin(), single.end());
    request(view, kept, LaunchReason::maintain_min_capacity, false, plan);
    for (const std::vector<NodeId>& its : whole) {
      request(view, its, LaunchReason::scheduler_requested, true, plan);
    }
    request(view, single, LaunchReason::scheduler_requested, false, plan);
  });
}

void Launcher::request(const View& view, std::span<const NodeId> nodes, LaunchReason why, bool all_or_nothing,
                       ScalePlan& plan) {
  if (throttled_.empty() && asked_at_ != view.now()) {  // all of it was granted
    if (asked_ > 0) backoff_ = 0;
    asked_ = 0;
  }
  asked_at_ = view.now();
  if (throttled_.empty()) asked_ += nodes.size();
  const auto most = static_cast<std::size_t>(options_.request_size);
  for (std::size_t i = 0; i < nodes.size(); i += most) {
    const std::span<const NodeId> some = nodes.subspan(i, std::min(most, nodes.size() - i));
    plan.launch(some, why, all_or_nothing);
    for (const NodeId node : some) {
      ++launches_[index(node)];
      if (options_.boot_timeout == kNever) continue;
      boots_.push_back({later(view.now(), options_.boot_timeout), node, launches_[index(node)]});
    }
  }
}

void Launcher::hear(const View& view, std::span<const Stimulus> news, ScalePlan& plan) {
  meet(view);
  const Cluster& cluster = view.cluster();
  std::vector<NodeId> refused;
  std::vector<NodeId> gone;
  std::vector<NodeId> unhealthy;
  for (const Stimulus& s : news) {
    const NodeId node{s.subject};
    const bool of_node = s.kind != Stimulus::Kind::cluster_changed && s.kind != Stimulus::Kind::budget_reached;
    if (of_node && !has_power(cluster, node)) continue;
    switch (s.kind) {
      case Stimulus::Kind::launch_refused:
        if (is_throttled(static_cast<Refusal>(s.detail))) {
          throttle(node, view.now());
        } else if (holds_on(view, node)) {
          retry_at(later(view.now(), options_.retry_interval), node);
        } else {
          refused.push_back(node);
        }
        break;
      case Stimulus::Kind::instance_lost:
        if (cluster.state(node) == NodeState::up) {
          gone.push_back(node);
        } else {
          back_off(node, view.now());
        }
        break;
      case Stimulus::Kind::instance_impaired:
        if (static_cast<Impairment>(s.detail) != Impairment::scheduled_event) unhealthy.push_back(node);
        break;
      case Stimulus::Kind::budget_reached:
        if (s.detail != 0) stop(view, s.detail == 1, plan);
        break;
      default:
        break;
    }
  }
  // A node that is lost and unhealthy at one instant fails once.
  std::erase_if(unhealthy, [&](NodeId node) { return !view.has_instance(node); });
  fail(view, std::move(gone), EndReason::unhealthy_node, view.now(), Withdrawal::Why::instance_gone, plan);
  fail(view, std::move(unhealthy), EndReason::unhealthy_node, view.now(), Withdrawal::Why::instance_gone, plan);
  if (!refused.empty()) refuse(view, std::move(refused), plan);
}

void Launcher::fail(const View& view, std::vector<NodeId> nodes, EndReason why, Time until, Withdrawal::Why told,
                    ScalePlan& plan) {
  std::erase_if(nodes, [&](NodeId node) { return !has_power(view.cluster(), node); });
  by_group(view.cluster(), std::move(nodes),
           [&](std::span<const NodeId> group) { plan.fail(group, why, until, told); });
}

void Launcher::retry_at(Time at, NodeId node) { retries_.push_back({at, node, launches_[index(node)]}); }

void Launcher::throttle(NodeId node, Time now) {
  throttled_.push_back({now, node, launches_[index(node)]});
  throttled_at_ = now;
}

// All that was throttled is asked for again together, so that it goes on as fast as tokens come; where nothing at all
// was granted, after twice the time.
Time Launcher::next_backoff() const {
  if (throttled_.size() < asked_ || backoff_ == 0) return options_.first_backoff;
  return std::min(2 * backoff_, options_.most_backoff);
}

Time Launcher::pauses_until() const { return throttled_.empty() ? kNever : later(throttled_at_, next_backoff()); }

// Soon, and less soon each time.
void Launcher::back_off(NodeId node, Time now) {
  Time wait = options_.first_backoff;
  for (std::uint32_t i = 0; i < attempts_[index(node)] && wait < options_.most_backoff; ++i) wait *= 2;
  ++attempts_[index(node)];
  retry_at(later(now, std::min(wait, options_.most_backoff)), node);
}

// Whether what was got for the node's job is kept, to wait for the rest.
bool Launcher::holds_on(const View& view, NodeId node) const {
  const std::span<const JobId> jobs = view.waiting_for(node);
  if (jobs.empty()) return false;
  return options_.incremental ||
         std::ssize(view.cluster().shares(jobs.front())) > static_cast<std::ptrdiff_t>(options_.request_size);
}

// There is no capacity for these: their jobs wait again, and their groups take no jobs for a while.
void Launcher::refuse(const View& view, std::vector<NodeId> nodes, ScalePlan& plan) {
  const Cluster& cluster = view.cluster();
  std::erase_if(nodes, [&](NodeId node) { return !has_power(cluster, node); });
  release_partners(view, nodes, plan);
  by_group(cluster, std::move(nodes), [&](std::span<const NodeId> group) {
    const Time closed = later(view.now(), options_.capacity_timeout);
    std::vector<NodeId> kept;
    std::vector<NodeId> others;
    for (const NodeId node : group) (cluster.is_kept(node) ? kept : others).push_back(node);
    const Time again = later(view.now(), std::max(options_.retry_interval, kSecond));
    if (!kept.empty()) plan.fail(kept, EndReason::scheduler_requested, again, Withdrawal::Why::no_capacity);
    if (!others.empty()) {
      plan.fail(others, EndReason::scheduler_requested, std::max(again, closed), Withdrawal::Why::no_capacity);
    }
    if (closed <= view.now()) return;
    const GroupId id = cluster.group_of(group.front());
    const std::uint32_t first = number(cluster.first_node(id));
    for (std::uint32_t n = first; n < first + static_cast<std::uint32_t>(cluster.present(id)); ++n) {
      const NodeId node{n};
      if (cluster.state(node) == NodeState::powered_down && !cluster.is_kept(node)) {
        plan.hold_back(node, closed, Withdrawal::Why::no_capacity);
      }
    }
  });
}

// What was launched for the same jobs, and for no others, is released.
void Launcher::release_partners(const View& view, const std::vector<NodeId>& failed, ScalePlan& plan) {
  const Cluster& cluster = view.cluster();
  std::vector<JobId> jobs;
  for (const NodeId node : failed) {
    const std::span<const JobId> waiting = view.waiting_for(node);
    jobs.insert(jobs.end(), waiting.begin(), waiting.end());
  }
  std::sort(jobs.begin(), jobs.end());
  jobs.erase(std::unique(jobs.begin(), jobs.end()), jobs.end());
  std::vector<NodeId> partners;
  for (const JobId job : jobs) {
    for (const NodeShare& share : cluster.shares(job)) {
      if (cluster.state(share.node) != NodeState::powering_up || cluster.is_kept(share.node)) continue;
      if (std::find(failed.begin(), failed.end(), share.node) != failed.end()) continue;
      const std::span<const JobId> waiting = view.waiting_for(share.node);
      const bool only_theirs = std::all_of(waiting.begin(), waiting.end(), [&](JobId other) {
        return std::binary_search(jobs.begin(), jobs.end(), other);
      });
      if (only_theirs) partners.push_back(share.node);
    }
  }
  fail(view, std::move(partners), EndReason::scheduler_requested, view.now(), Withdrawal::Why::no_capacity, plan);
}

void Launcher::retry(const View& view, ScalePlan& plan) {
  meet(view);
  const Cluster& cluster = view.cluster();
  // Whether the node still boots, or waits, after that launch.
  const auto stands = [&](NodeId node, std::uint32_t launch, bool with_instance) {
    return launches_[index(node)] == launch && cluster.state(node) == NodeState::powering_up &&
           view.has_instance(node) == with_instance;
  };
  std::vector<NodeId> late;
  for (; !boots_.empty(); boots_.pop_front()) {
    const Boot& boot = boots_.front();
    if (!stands(boot.node, boot.launch, true)) continue;
    if (boot.until > view.now()) break;
    late.push_back(boot.node);
  }
  fail(view, std::move(late), EndReason::bootstrap_failed, view.now(), Withdrawal::Why::instance_gone, plan);

  std::vector<NodeId> due;
  std::erase_if(retries_, [&](const Retry& retry) {
    if (!stands(retry.node, retry.launch, false)) return true;
    if (retry.at > view.now()) return false;
    due.push_back(retry.node);
    return true;
  });
  if (pauses_until() <= view.now()) {
    backoff_ = next_backoff();
    for (const Retry& retry : throttled_) {
      if (stands(retry.node, retry.launch, false)) due.push_back(retry.node);
    }
    throttled_.clear();
    asked_ = 0;
  }
  std::vector<NodeId> unneeded;
  std::erase_if(due, [&](NodeId node) {
    if (!stopped_ && (cluster.jobs_on(node) > 0 || cluster.is_kept(node))) return false;
    unneeded.push_back(node);
    return true;
  });
  fail(view, std::move(unneeded), EndReason::scheduler_requested, view.now(), Withdrawal::Why::instance_gone, plan);
  if (!due.empty()) launch(view, std::move(due), plan);
}

Time Launcher::next_retry() const {
  Time next = boots_.empty() ? kNever : boots_.front().until;
  for (const Retry& retry : retries_) next = std::min(next, retry.at);
  return std::min(next, pauses_until());
}

// A budget is used up: nodes without an instance take no jobs until it allows more.
void Launcher::stop(const View& view, bool stops, ScalePlan& plan) {
  if (stops == stopped_) return;
  stopped_ = stops;
  throttled_.clear();
  const Cluster& cluster = view.cluster();
  if (!stops) {
    std::sort(stopped_nodes_.begin(), stopped_nodes_.end());
    stopped_nodes_.erase(std::unique(stopped_nodes_.begin(), stopped_nodes_.end()), stopped_nodes_.end());
    for (const NodeId node : stopped_nodes_) {
      if (cluster.is_present(node)) plan.give_back(node);
    }
    stopped_nodes_.clear();
    return;
  }
  for (std::uint32_t n = 0; n < cluster.node_count(); ++n) {
    const NodeId node{n};
    if (!cluster.is_present(node)) continue;
    const NodeState state = cluster.state(node);
    if (state == NodeState::powering_up && !view.has_instance(node)) {
      fail(view, {node}, EndReason::scheduler_requested, kNever, Withdrawal::Why::budget, plan);
    } else if (state == NodeState::powered_down) {
      plan.hold_back(node, kNever, Withdrawal::Why::budget);
    } else {
      continue;
    }
    stopped_nodes_.push_back(node);
  }
}

}  // namespace headroom
