// The controller's part that is about nodes: their instances, those that go out of use, and what changes in the
// cluster.
#include <algorithm>

#include "engine/controller.hpp"

namespace headroom {

void ScalePlan::launch(std::span<const NodeId> nodes, LaunchReason why, bool all_or_nothing) {
  controller_.launch(nodes, why, all_or_nothing);
}
void ScalePlan::terminate(std::span<const NodeId> nodes, EndReason why) { controller_.terminate(nodes, why); }
void ScalePlan::fail(std::span<const NodeId> nodes, EndReason why, Time until, Withdrawal::Why told) {
  controller_.fail(nodes, why, {.until = until, .why = told, .loses_jobs = true});
}
void ScalePlan::hold_back(NodeId node, Time until, Withdrawal::Why why) { controller_.hold_back(node, until, why); }
void ScalePlan::give_back(NodeId node) {
  if (controller_.held_back_[index(node)].until > controller_.now_) controller_.give_back(node);
}
void ScalePlan::give_up(std::span<const NodeId> nodes) { controller_.give_up(nodes); }
void ScalePlan::powered_down(NodeId node) { controller_.powered_down(node); }
void ScalePlan::set_usable(NodeId node) { controller_.set_usable(node); }

// --- power ----------------------------------------------------------------------------------------------------------

void Controller::power_command(Command::Kind kind, std::uint32_t detail, std::span<const NodeId> nodes) {
  ensure(!nodes.empty(), "a power command names its nodes");
  const GroupId group = cluster_.group_of(nodes.front());
  scratch_.clear();
  for (const NodeId node : nodes) {
    ensure(cluster_.group_of(node) == group, "one power command is about one group");
    scratch_.push_back({node, 0});
    const bool launches = kind == Command::Kind::launch_instances;
    ensure((has_instance_[index(node)] != 0) != launches, "a node has one instance at a time");
    has_instance_[index(node)] = launches ? 1 : 0;
    if (!launches) ++ending_[index(node)];
  }
  commands_->add(kind, number(group), detail, scratch_);
}

void Controller::launch(std::span<const NodeId> nodes, LaunchReason why, bool all_or_nothing) {
  for (const NodeId node : nodes) {
    const bool lacks = cluster_.state(node) == NodeState::powering_up && has_instance_[index(node)] == 0;
    ensure(lacks || cluster_.state(node) == NodeState::powered_down,
           "only a powered-down node is launched, or one that waits for an instance");
  }
  power_command(Command::Kind::launch_instances, static_cast<std::uint32_t>(why) | (all_or_nothing ? kAllOrNothing : 0),
                nodes);
  for (const NodeId node : nodes) {
    if (cluster_.state(node) != NodeState::powering_up) cluster_.launch(node);
  }
}

void Controller::terminate(std::span<const NodeId> nodes, EndReason why) {
  for (const NodeId node : nodes) {
    ensure(cluster_.state(node) == NodeState::up && cluster_.jobs_on(node) == 0, "only an idle node is taken down");
  }
  power_command(Command::Kind::terminate_instances, static_cast<std::uint32_t>(why), nodes);
  if (scaler_->settles()) {
    for (const NodeId node : nodes) changes_.disturbed |= !cluster_.power_down(node, now_, kNever);
    return;
  }
  const Time until = later(now_, down_time());
  for (const NodeId node : nodes) {
    changes_.disturbed |= !cluster_.power_down(node, now_, until);
    going_down_.push_back({until, node, false});
    next_down_ = std::min(next_down_, until);
  }
}

void Controller::powered_down(NodeId node) {
  ensure(scaler_->settles(), "the scaling policy says when nodes are down, or the controller");
  cluster_.powered_down(node, now_);
  if (keeps_time_) return;  // it looks when it wants to
  changes_.ended = true;
  scheduler_wake_ = now_;
}

void Controller::give_up(std::span<const NodeId> nodes) {
  ensure(keeps_time_ && scaler_->settles(), "boots are given up only where both policies keep time themselves");
  for (const NodeId node : nodes) {
    ensure(cluster_.state(node) == NodeState::powering_up, "only a node that is powering up is given up");
  }
  end_instances(nodes, EndReason::bootstrap_failed);
  for (const NodeId node : nodes) {
    cluster_.lose_instance(node, now_);
    given_up_.push_back(node);
  }
  scheduler_wake_ = now_;
}

// Terminates those that have an instance.
void Controller::end_instances(std::span<const NodeId> nodes, EndReason why) {
  std::vector<NodeId> there;
  std::copy_if(nodes.begin(), nodes.end(), std::back_inserter(there),
               [this](NodeId node) { return has_instance_[index(node)] != 0; });
  if (!there.empty()) {
    power_command(Command::Kind::terminate_instances, static_cast<std::uint32_t>(why), there);
  }
}

// At least a second, so that a node on its way down is never free at the same instant.
Time Controller::down_time() const { return std::max(cluster_.spec().suspend_timeout, kSecond); }

// Nodes whose time to go down is over come back when their instances are gone.
void Controller::settle_power() {
  next_down_ = kNever;
  std::erase_if(going_down_, [&](GoingDown& g) {
    if (g.until <= now_ && g.gone) {
      cluster_.powered_down(g.node, now_);
      changes_.ended = true;
      return true;
    }
    if (g.until <= now_) {
      // The instance is slower than SuspendTimeout: the node stays out of use for as long again.
      g.until = later(now_, down_time());
      changes_.disturbed |= !cluster_.keep_down(g.node, g.until);
    }
    next_down_ = std::min(next_down_, g.until);
    return false;
  });
}

// --- nodes that go out of use ---------------------------------------------------------------------------------------

void Controller::fail(std::span<const NodeId> nodes, EndReason why, Withdrawal how) {
  end_instances(nodes, why);
  for (const NodeId node : nodes) {
    cluster_.lose_instance(node, now_);
    how.node = node;
    withdraw(how);
  }
}

void Controller::hold_back(NodeId node, Time until, Withdrawal::Why why) {
  // Jobs that wait for a node that is not launched yet cannot have it either.
  withdraw({.node = node,
            .until = until,
            .why = why,
            .loses_jobs = cluster_.state(node) == NodeState::powered_down && cluster_.jobs_on(node) > 0});
}

void Controller::withdraw(const Withdrawal& w) {
  HeldBack& held = held_back_[index(w.node)];
  const bool stays_removed = held.until == kNever && held.why == Withdrawal::Why::removed;
  const bool holds = w.until > now_ && w.until >= held.until && !stays_removed;
  if (holds) {
    held = {w.until, w.why};
    if (w.until != kNever) {
      returns_.push_back({w.until, w.node});
      next_return_ = std::min(next_return_, w.until);
    }
  }
  if (keeps_time_) {
    withdrawn_.push_back(w);
    scheduler_wake_ = now_;
    return;
  }
  if (w.loses_jobs) lose_jobs(w.node, w.cancels_jobs);
  if (holds) {
    if (cluster_.is_down(w.node)) cluster_.set_usable(w.node, now_);
    changes_.disturbed |= !cluster_.set_down(w.node, now_, w.until);
  } else {
    cluster_.want_again(w.node);
  }
  if (changes_.any()) scheduler_wake_ = now_;  // it may have been called already in this step
}

void Controller::give_back(NodeId node) {
  held_back_[index(node)] = {};
  scheduler_wake_ = now_;
  if (keeps_time_) {
    returned_.push_back(node);
    return;
  }
  cluster_.set_usable(node, now_);
  changes_.ended = true;
}

// Those whose time is over.
void Controller::return_nodes() {
  next_return_ = kNever;
  std::vector<Return> due;
  std::erase_if(returns_, [&](const Return& r) {
    if (held_back_[index(r.node)].until != r.until) return true;  // for longer by now, or given back
    if (r.until <= now_) {
      due.push_back(r);
      return true;
    }
    next_return_ = std::min(next_return_, r.until);
    return false;
  });
  for (const Return& r : due) {
    if (held_back_[index(r.node)].until == r.until) give_back(r.node);
  }
}

// Jobs that have the node wait again, or are cancelled. Only where the scheduling policy does not keep time.
void Controller::lose_jobs(NodeId node, bool cancels) {
  if (cluster_.jobs_on(node) == 0) return;
  std::vector<JobId> jobs;
  for (const JobId job : held_) {
    const auto shares = cluster_.shares(job);
    if (std::any_of(shares.begin(), shares.end(), [&](const NodeShare& s) { return s.node == node; })) {
      jobs.push_back(job);
    }
  }
  std::sort(jobs.begin(), jobs.end());
  for (const JobId job : jobs) {
    if (cancels) {
      end(job, Outcome::cancelled);
    } else if (!jobs_.request(job).requeue) {
      end(job, Outcome::node_failed);
    } else {
      requeue(job, false);
    }
  }
  changes_.ended = changes_.disturbed = true;
}

void Controller::set_down(NodeId node) {
  ensure(keeps_time_, "only a policy that keeps time takes nodes out of use");
  ensure(!cluster_.is_down(node) && cluster_.jobs_on(node) == 0, "a node is down once, and without jobs");
  cluster_.set_down(node, now_);
}

void Controller::set_usable(NodeId node) { cluster_.set_usable(node, now_); }

// --- changes of the cluster -----------------------------------------------------------------------------------------

void Controller::change(const ClusterChange& c) {
  switch (c.kind) {
    case ClusterChange::Kind::resize:
      return resize(c.group, c.nodes, c.kept, EndReason::node_group_update, false);
    case ClusterChange::Kind::delete_group:
      return resize(c.group, 0, 0, EndReason::node_group_deletion, true);
    case ClusterChange::Kind::serve:
      return serve(c.queue, c.groups);
    case ClusterChange::Kind::open:
    case ClusterChange::Kind::close:
      return cluster_.set_open(c.queue, c.kind == ClusterChange::Kind::open);
    case ClusterChange::Kind::delete_queue:
      cluster_.set_open(c.queue, false);
      if (!keeps_time_) cancel_jobs(c.queue);
      return;
    case ClusterChange::Kind::replace:
    case ClusterChange::Kind::idle_time:
      return;  // the scaling policy's
  }
}

// Nodes beyond the new maximum lose their jobs and go; those that were beyond the old one come into use.
void Controller::resize(GroupId group, std::int32_t nodes, std::int32_t kept, EndReason why, bool cancels) {
  cluster_.resize(group, nodes, kept);
  const std::uint32_t first = number(cluster_.first_node(group));
  const std::uint32_t end = first + static_cast<std::uint32_t>(cluster_.spec().groups[index(group)].nodes);
  const Withdrawal how{.until = kNever, .why = Withdrawal::Why::removed, .loses_jobs = true, .cancels_jobs = cancels};
  std::vector<NodeId> gone;
  for (std::uint32_t n = first; n < end; ++n) {
    const NodeId node{n};
    const bool removed = held_back_[n].until == kNever && held_back_[n].why == Withdrawal::Why::removed;
    if (cluster_.is_present(node)) {
      if (removed) give_back(node);
      continue;
    }
    if (removed) continue;
    const NodeState state = cluster_.state(node);
    if (state == NodeState::up || state == NodeState::powering_up) {
      gone.push_back(node);
      continue;
    }
    Withdrawal one = how;
    one.node = node;
    withdraw(one);
  }
  if (!gone.empty()) fail(gone, why, how);
}

void Controller::serve(QueueId queue, std::span<const GroupId> groups) {
  cluster_.serve(queue, groups);
  // What jobs take at least may be another number of cores.
  PendingQueue& waiting = queues_[index(queue)];
  PendingQueue anew;
  for (auto p = waiting.front(); p != PendingQueue::kEnd; p = waiting.next(p + 1)) {
    const JobId job = waiting.job_at(p);
    anew.push(job, cluster_.least_cores(jobs_.request(job)), jobs_.request(job).limit);
  }
  waiting = std::move(anew);
  changes_.ended = changes_.disturbed = true;
}

// Of a policy that does not keep time.
void Controller::cancel_jobs(QueueId queue) {
  std::vector<JobId> jobs;
  for (std::uint32_t j = 0; j < jobs_.size(); ++j) {
    if (jobs_.request(JobId{j}).queue == queue && !is_final(jobs_.state(JobId{j}))) jobs.push_back(JobId{j});
  }
  for (const JobId job : jobs) end(job, Outcome::cancelled);
  changes_.ended = changes_.disturbed = true;
}

}  // namespace headroom
