#include "models/policies/slurm/power.hpp"

#include <algorithm>

#include "models/policies/by_group.hpp"

namespace headroom::slurm {

PowerSave::PowerSave(std::shared_ptr<State> state, const Launcher::Options& launcher)
    : state_(std::move(state)), launcher_(launcher) {}

void PowerSave::hear(const View& view, std::span<const Stimulus> news, ScalePlan& plan) {
  state_->meet(view.cluster(), view.now());
  launcher_.hear(view, news, plan);
  const Cluster& cluster = view.cluster();
  NodeTable& nodes = *state_->nodes;
  for (const Stimulus& s : news) {
    if (s.kind == Stimulus::Kind::instance_impaired && view.has_instance(NodeId{s.subject})) {
      replace(nodes.of(NodeId{s.subject}));  // an event is scheduled for it
    }
    if (s.kind != Stimulus::Kind::cluster_changed) continue;
    const ClusterChange& change = cluster.spec().changes[s.subject];
    const std::uint32_t first = number(cluster.first_node(change.group));
    const std::uint32_t end = first + static_cast<std::uint32_t>(cluster.present(change.group));
    for (std::uint32_t n = first; n < end; ++n) {
      Node& node = nodes[nodes.of(NodeId{n})];
      if (change.kind == ClusterChange::Kind::idle_time) node.suspend_time = change.idle_time / kSecond;
      if (change.kind == ClusterChange::Kind::resize) node.can_suspend = !cluster.is_kept(node.id) && !node.excepted;
      if (change.kind == ClusterChange::Kind::replace && view.has_instance(node.id)) replace(nodes.of(node.id));
    }
  }
  state_->last_node_update = std::max(state_->last_node_update, state_->second(view.now()));
}

// scontrol update state=POWER_DOWN_ASAP: it takes no new jobs, and powers down when it is idle.
void PowerSave::replace(Index n) {
  Node& node = (*state_->nodes)[n];
  node.drain = node.power_down_asked = true;
  node.reason = "is replaced";
  stale_.push_back(node.id);
}

bool PowerSave::changed(Second last_update) const {
  // What it changed itself it has seen.
  return state_->conf.version.number >= 2405 ? last_update > last_scan_ : last_update >= last_scan_;
}

// The next look at which it will scan.
Time PowerSave::next_due(Second last_update) const {
  const Phases& phases = state_->conf.phases;
  if (changed(last_update)) return look_at_;
  Time due = phases.power.not_before(look_at_, phases.time_of(last_scan_ + state_->conf.version.idle_scan_interval()));
  const auto seen = std::lower_bound(phases.scans.begin(), phases.scans.end(), look_at_ - kSecond / 2);
  if (seen != phases.scans.end()) due = std::min(due, phases.power.not_before(look_at_, *seen - kSecond / 2));
  return due;
}

Time PowerSave::scale(const View& view, std::span<const NodeId> newly_idle, ScalePlan& plan) {
  (void)newly_idle;
  if (look_at_ == 0) {
    state_->meet(view.cluster(), view.now());
    const Phases& phases = state_->conf.phases;
    look_at_ = phases.power.first(phases.start);
    last_scan_ = state_->second(phases.start);
    resume_.averaged = suspend_.averaged = last_scan_;
    resume_.ticks = token_ticks(state_->conf.resume_rate);
    suspend_.ticks = token_ticks(state_->conf.suspend_rate);
  }
  // What its looks came to while there was nothing to do.
  const Rhythm& rhythm = state_->conf.phases.power;
  for (Time look = next_due(update_before_); look < view.now(); look = next_due(update_before_)) {
    last_scan_ = state_->second(look);
    look_at_ = rhythm.after(look);
  }
  look_at_ = rhythm.not_before(look_at_, view.now());
  if (look_at_ == view.now()) {
    now_s_ = state_->second(look_at_);
    if (next_due(state_->last_node_update) == look_at_) {
      scan(view, plan);
      last_scan_ = now_s_;
    }
    look_at_ = rhythm.after(look_at_);
  }
  update_before_ = state_->last_node_update;
  launcher_.retry(view, plan);
  return std::min(launcher_.next_retry(), next_look(view));
}

// When it will next find something to do.
Time PowerSave::next_look(const View& view) const {
  const NodeTable& nodes = *state_->nodes;
  bool any = false;
  for (Index n = 0; n < nodes.size() && !any; ++n) {
    const Node& node = nodes[n];
    const NodeState power = view.cluster().state(node.id);
    const bool idle = nodes.free_of_jobs(n);
    any = power == NodeState::powering_up || node.power_cycle || power == NodeState::powering_down ||
          node.power_down_asked ||
          (power == NodeState::powered_down && (nodes.held.jobs[n] > 0 || node.power_up_asked)) ||
          (power == NodeState::powered_down && view.cluster().is_kept(node.id)) ||
          (power == NodeState::up && idle && node.can_suspend);
  }
  if (!any) return kNever;
  return next_due(state_->last_node_update);
}

// Tokens that the clock made until its present look. Its zero lies before every time of a run.
std::int64_t PowerSave::token_ticks(std::int32_t per_minute) const {
  if (per_minute == 0) return 0;
  constexpr Time kLongAgo = Time{1'000'000'000} * kSecond;
  const Time period = std::max<Time>(60 * kSecond / per_minute, 1);
  return (kLongAgo / period * period + look_at_ - state_->conf.phases.tokens) / period;
}

std::int32_t PowerSave::allowance(Rate& rate, std::int32_t per_minute) {
  constexpr std::int32_t kAny = std::numeric_limits<std::int32_t>::max();
  if (per_minute == 0) return kAny;
  if (state_->conf.version.resume_tokens()) {
    // A bucket that holds a sixth of a minute's worth and begins empty.
    const std::int32_t most = std::max(1, per_minute * 10 / 60);
    const std::int64_t ticks = token_ticks(per_minute);
    rate.tokens = static_cast<std::int32_t>(std::min<std::int64_t>(most, rate.tokens + ticks - rate.ticks));
    rate.ticks = ticks;
    return rate.tokens;
  }
  const Second passed = now_s_ - rate.averaged;
  rate.recent = passed >= 60 ? 0 : rate.recent * static_cast<double>(60 - passed) / 60;
  rate.averaged = now_s_;
  return std::max(0, per_minute - static_cast<std::int32_t>(rate.recent + 0.5));
}

void PowerSave::spend(Rate& rate, std::int32_t nodes, std::int32_t per_minute) {
  if (per_minute == 0) return;
  rate.tokens -= nodes;
  rate.recent += nodes;
}

void PowerSave::scan(const View& view, ScalePlan& plan) {
  NodeTable& nodes = *state_->nodes;
  const Cluster& cluster = view.cluster();
  const Conf& conf = state_->conf;
  wake_.clear();
  sleep_.clear();
  failed_.clear();
  bool changed = false;
  // One that lost its instance, or was refused one, is new when it comes back.
  std::erase_if(stale_, [&](NodeId id) {
    Node& node = nodes[nodes.of(id)];
    if (node.power_down_asked && view.has_instance(id)) return false;
    node.drain = node.power_down_asked = false;
    return true;
  });
  std::int32_t may_wake = allowance(resume_, conf.resume_rate);
  std::int32_t may_sleep = allowance(suspend_, conf.suspend_rate);

  const auto wake = [&](Index n) {
    Node& node = nodes[n];
    node.power_up_asked = false;
    node.resumed = now_s_;
    wake_.push_back(node.id);
    --may_wake;
  };
  // Nodes that jobs wait for, in the order in which the jobs got them.
  std::vector<std::pair<std::uint64_t, JobId>> configuring;
  for (const JobId id : state_->jobs.active()) {
    if (view.jobs().state(id) == JobState::configuring) configuring.emplace_back(state_->jobs[id].record, id);
  }
  std::sort(configuring.begin(), configuring.end());
  for (const auto& [record, id] : configuring) {
    for (const Selector::Share& share : state_->jobs[id].shares) {
      const Index n = share.node;
      if (may_wake == 0 || cluster.state(nodes[n].id) != NodeState::powered_down) continue;
      if (nodes[n].resumed != now_s_) wake(n);  // not for another job in this scan
    }
  }
  for (Index n = 0; n < nodes.size(); ++n) {
    Node& node = nodes[n];
    const NodeState power = cluster.state(node.id);
    const bool idle = nodes.free_of_jobs(n);
    // slurmctld leaves a node of a static group down whose resume timed out; who keeps the group's minimum tries again
    // (PCS-25).
    if (power == NodeState::powered_down && idle && node.down && node.reason == kResumeTimedOut &&
        cluster.is_kept(node.id)) {
      node.down = false;
      node.reason.clear();
      plan.set_usable(node.id);
      changed = true;
    }
    if (power == NodeState::powered_down && idle && !node.down && may_wake > 0 &&
        (node.power_up_asked || cluster.is_kept(node.id))) {
      wake(n);
    }
    const bool long_idle = node.can_suspend && node.last_busy != 0 && node.last_busy < now_s_ - node.suspend_time;
    if (power == NodeState::up && idle && may_sleep > 0 && (node.power_down_asked || long_idle)) {
      node.power_down_asked = false;
      node.no_respond = false;
      node.drain = false;
      if (node.down && conf.idle_on_node_suspend) {
        node.down = false;
        plan.set_usable(node.id);
      }
      node.planned = false;
      node.suspended = now_s_;
      sleep_.push_back(node.id);
      --may_sleep;
    } else if (power == NodeState::powered_down && node.power_down_asked && idle) {
      // A node without power that is told to power down goes through the motions: that is how it is healed.
      node.power_down_asked = false;
      node.power_cycle = true;
      node.suspended = now_s_;
      changed = true;
    }
    if (node.power_cycle && node.suspended + node.suspend_timeout < now_s_) {
      node.power_cycle = false;
      changed = true;
    }
    if (power == NodeState::powering_down && node.suspended + node.suspend_timeout < now_s_) {
      node.last_busy = 0;
      plan.powered_down(node.id);
      changed = true;
    }
    if (power == NodeState::powering_up && now_s_ > node.resumed + node.resume_timeout) {
      failed_.push_back(node.id);
    }
  }
  spend(resume_, static_cast<std::int32_t>(wake_.size()), conf.resume_rate);
  spend(suspend_, static_cast<std::int32_t>(sleep_.size()), conf.suspend_rate);
  changed |= !wake_.empty() || !sleep_.empty() || !failed_.empty();
  std::vector<NodeId> replaced;
  std::erase_if(sleep_, [&](NodeId node) {
    if (std::erase(stale_, node) == 0) return false;
    replaced.push_back(node);
    return true;
  });
  by_group(cluster, sleep_, [&](std::span<const NodeId> group) { plan.terminate(group); });
  by_group(cluster, replaced,
           [&](std::span<const NodeId> group) { plan.terminate(group, EndReason::replacement_requested); });
  if (!wake_.empty()) launcher_.launch(view, wake_, plan);
  by_group(cluster, failed_, [&](std::span<const NodeId> group) { plan.give_up(group); });
  if (changed && conf.version.scans_after_change()) state_->last_node_update = now_s_;
}

}  // namespace headroom::slurm
