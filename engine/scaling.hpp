// What a newcomer reads to write a scaling policy: which instances are launched and terminated, and what is done when
// the cloud refuses. It sees the same View as the scheduling policy (policy.hpp), and the controller checks its acts as
// well.
#pragma once

#include "engine/policy.hpp"

namespace headroom {

class ScalePlan {
 public:
  // All nodes of one call belong to one group; the cloud is asked for all of them in one request: for as many as it
  // has, or for all or none. Each one is powered down, or powering up without an instance.
  void launch(std::span<const NodeId> nodes, LaunchReason why = LaunchReason::scheduler_requested,
              bool all_or_nothing = false);
  void terminate(std::span<const NodeId> nodes,
                 EndReason why = EndReason::scheduler_requested);  // each one up and without a job
  // Each node, up or powering up, is powered down: its instance is terminated for `why` if there is one. Jobs on it
  // wait again. It takes no new jobs until `until`.
  void fail(std::span<const NodeId> nodes, EndReason why, Time until,
            Withdrawal::Why told = Withdrawal::Why::instance_gone);
  // The node takes no new jobs until `until`, or, with kNever, until it is given back; jobs that wait for it to be
  // launched wait again. Of several times the latest counts.
  void hold_back(NodeId node, Time until, Withdrawal::Why why);
  void give_back(NodeId node);  // nothing if it is not held back

  // --- with scheduling policies that keep time ---
  // Only where settles(). Each node is powering up: its instance is terminated, the node has none. Jobs on it stay; the
  // scheduling policy is called once more at this instant. What it leaves on the node, or a node of a static group that
  // it leaves in use, makes the node wanted anew.
  void give_up(std::span<const NodeId> nodes);
  void powered_down(NodeId node);  // its time to go down is over; only where settles()
  void set_usable(NodeId node);    // one that is down, as Plan::set_usable

 private:
  friend class Controller;
  explicit ScalePlan(Controller& controller) : controller_(controller) {}
  Controller& controller_;
};

class ScalerPolicy {
 public:
  virtual ~ScalerPolicy() = default;
  // Called in every step after the scheduler. `newly_idle`: nodes that lost their last job or became ready without one
  // since the last call. Returns when it wants to be called at the latest.
  virtual Time scale(const View& view, std::span<const NodeId> newly_idle, ScalePlan& plan) = 0;
  // Called before the scheduler, in steps with news of the cloud: launch_refused, instance_lost, instance_impaired,
  // spot_warned, cluster_changed (resize, replace, idle_time, delete_group), budget_reached. scale() follows.
  virtual void hear(const View& view, std::span<const Stimulus> news, ScalePlan& plan) = 0;

  // True: a terminated node comes back into use when this policy says so (ScalePlan::powered_down); otherwise after the
  // cluster's suspend_timeout, when its instance is gone.
  virtual bool settles() const { return false; }
};

}  // namespace headroom
