#include "models/policies/scaler_pcs.hpp"

#include <algorithm>

#include "models/policies/by_group.hpp"

namespace headroom {

void ScalerPcs::meet(const View& view) {
  if (begin_ != kNever) return;
  begin_ = view.now();
  const std::size_t groups = view.cluster().spec().groups.size();
  idle_.resize(groups);
  idle_time_.assign(groups, options_.scale_down_idle_time);
  for (std::size_t g = 0; g < std::min(groups, options_.group_idle_time.size()); ++g) {
    if (options_.group_idle_time[g] != kNever) idle_time_[g] = options_.group_idle_time[g];
  }
}

Time ScalerPcs::scale(const View& view, std::span<const NodeId> newly_idle, ScalePlan& plan) {
  meet(view);
  const Cluster& cluster = view.cluster();
  if (!stale_.empty()) replace(view, plan);
  for (const NodeId node : newly_idle) {
    if (cluster.is_kept(node) || cluster.state(node) != NodeState::up) continue;
    idle_[index(cluster.group_of(node))].push_back({cluster.idle_since(node), node});
  }
  launcher_.retry(view, plan);
  if (!stale_.empty()) replace(view, plan);  // those that just lost their instances
  const Time look = launch(view, plan);
  return std::min({look, terminate(view, plan), launcher_.next_retry()});
}

void ScalerPcs::hear(const View& view, std::span<const Stimulus> news, ScalePlan& plan) {
  meet(view);
  launcher_.hear(view, news, plan);
  const Cluster& cluster = view.cluster();
  for (const Stimulus& s : news) {
    if (s.kind == Stimulus::Kind::instance_impaired && view.has_instance(NodeId{s.subject})) {
      mark_stale(NodeId{s.subject}, plan);  // an event is scheduled for it
    }
    if (s.kind != Stimulus::Kind::cluster_changed) continue;
    const ClusterChange& change = cluster.spec().changes[s.subject];
    const std::uint32_t first = number(cluster.first_node(change.group));
    const std::uint32_t end = first + static_cast<std::uint32_t>(cluster.present(change.group));
    if (change.kind == ClusterChange::Kind::idle_time) idle_time_[index(change.group)] = change.idle_time;
    if (change.kind == ClusterChange::Kind::replace) {
      for (std::uint32_t n = first; n < end; ++n) {
        if (view.has_instance(NodeId{n})) mark_stale(NodeId{n}, plan);
      }
    }
    if (change.kind == ClusterChange::Kind::resize) {
      // Nodes that were kept so far may be idle.
      for (std::uint32_t n = first; n < end; ++n) {
        const NodeId node{n};
        if (cluster.is_kept(node) || cluster.state(node) != NodeState::up || cluster.jobs_on(node) > 0) continue;
        std::deque<Idle>& idle = idle_[index(change.group)];
        const Idle entry{cluster.idle_since(node), node};
        idle.insert(std::upper_bound(idle.begin(), idle.end(), entry,
                                     [](const Idle& a, const Idle& b) { return a.since < b.since; }),
                    entry);
      }
    }
  }
}

void ScalerPcs::mark_stale(NodeId node, ScalePlan& plan) {
  if (std::find(stale_.begin(), stale_.end(), node) != stale_.end()) return;
  stale_.push_back(node);
  plan.hold_back(node, kNever, Withdrawal::Why::replaced);
}

// Stale nodes that are idle get a new instance when one is wanted.
void ScalerPcs::replace(const View& view, ScalePlan& plan) {
  const Cluster& cluster = view.cluster();
  std::vector<NodeId> idle;
  std::vector<NodeId> done;
  std::erase_if(stale_, [&](NodeId node) {
    const bool has_instance = view.has_instance(node);  // otherwise its next one is a new one
    if (has_instance && cluster.jobs_on(node) > 0) return false;
    if (has_instance) idle.push_back(node);
    done.push_back(node);
    return true;
  });
  by_group(cluster, std::move(idle), [&](std::span<const NodeId> group) {
    plan.fail(group, EndReason::replacement_requested, view.now(), Withdrawal::Why::replaced);
  });
  for (const NodeId node : done) {
    if (cluster.is_present(node)) plan.give_back(node);
  }
}

// Returns when to look again.
Time ScalerPcs::launch(const View& view, ScalePlan& plan) {
  const Cluster& cluster = view.cluster();
  if (const Time pause = launcher_.pauses_until(); pause != kNever && pause > view.now()) return pause;
  const Time over = options_.interval == 0 ? 0 : (view.now() - begin_) % options_.interval;
  batch_.assign(cluster.wanted().begin(), cluster.wanted().end());
  if (over != 0) std::erase_if(batch_, [&](NodeId node) { return !cluster.is_kept(node); });
  if (!batch_.empty()) launcher_.launch(view, batch_, plan);
  return cluster.wanted().empty() ? kNever : later(view.now(), options_.interval - over);
}

Time ScalerPcs::terminate(const View& view, ScalePlan& plan) {
  const Cluster& cluster = view.cluster();
  Time next = kNever;
  for (std::size_t g = 0; g < idle_.size(); ++g) {
    std::deque<Idle>& idle = idle_[g];
    std::vector<NodeId>& due = batch_;
    due.clear();
    while (!idle.empty()) {
      const Idle first = idle.front();
      const bool still_idle = cluster.state(first.node) == NodeState::up && cluster.jobs_on(first.node) == 0 &&
                              cluster.idle_since(first.node) == first.since && !cluster.is_kept(first.node);
      if (still_idle) {
        if (later(first.since, idle_time_[g]) > view.now()) break;
        due.push_back(first.node);
      }
      idle.pop_front();
    }
    std::sort(due.begin(), due.end());
    due.erase(std::unique(due.begin(), due.end()), due.end());
    if (!due.empty()) plan.terminate(due);
    if (!idle.empty()) next = std::min(next, later(idle.front().since, idle_time_[g]));
  }
  return next;
}

}  // namespace headroom
