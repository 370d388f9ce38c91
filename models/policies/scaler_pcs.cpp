#include "models/policies/scaler_pcs.hpp"

#include <algorithm>

namespace headroom {

Time ScalerPcs::scale(const View& view, std::span<const NodeId> newly_idle, ScalePlan& plan) {
  const Cluster& cluster = view.cluster();
  for (const NodeId node : newly_idle) {
    if (!cluster.is_kept(node)) idle_.push_back({cluster.idle_since(node), node});
  }
  if (begin_ == kNever) begin_ = view.now();
  const Time look = launch(view, plan);
  return std::min(look, terminate(view, plan));
}

// Returns when to look again.
Time ScalerPcs::launch(const View& view, ScalePlan& plan) {
  const Cluster& cluster = view.cluster();
  const Time over = options_.interval == 0 ? 0 : (view.now() - begin_) % options_.interval;
  std::vector<NodeId> wanted(cluster.wanted().begin(), cluster.wanted().end());
  if (over != 0) std::erase_if(wanted, [&](NodeId node) { return !cluster.is_kept(node); });
  std::sort(wanted.begin(), wanted.end());  // nodes of one group are neighbours
  for (std::size_t i = 0; i < wanted.size();) {
    const GroupId group = cluster.group_of(wanted[i]);
    batch_.clear();
    for (; i < wanted.size() && cluster.group_of(wanted[i]) == group; ++i) batch_.push_back(wanted[i]);
    plan.launch(batch_);
  }
  return cluster.wanted().empty() ? kNever : later(view.now(), options_.interval - over);
}

Time ScalerPcs::terminate(const View& view, ScalePlan& plan) {
  const Cluster& cluster = view.cluster();
  const auto still_idle = [&](const Idle& idle) {
    return cluster.state(idle.node) == NodeState::up && cluster.jobs_on(idle.node) == 0 &&
           cluster.idle_since(idle.node) == idle.since;
  };
  std::vector<NodeId>& due = batch_;
  due.clear();
  while (!idle_.empty()) {
    const Idle idle = idle_.front();
    if (still_idle(idle)) {
      if (later(idle.since, options_.scale_down_idle_time) > view.now()) break;
      due.push_back(idle.node);
    }
    idle_.pop_front();
  }
  std::sort(due.begin(), due.end());
  due.erase(std::unique(due.begin(), due.end()), due.end());
  for (std::size_t i = 0; i < due.size();) {
    std::size_t end = i;
    while (end < due.size() && cluster.group_of(due[end]) == cluster.group_of(due[i])) ++end;
    plan.terminate(std::span(due).subspan(i, end - i));
    i = end;
  }
  return idle_.empty() ? kNever : later(idle_.front().since, options_.scale_down_idle_time);
}

}  // namespace headroom
