// The scaler of AWS PCS: launches instances for the nodes that jobs were given, keeps static groups at their size,
// terminates dynamic nodes that were idle for scaleDownIdleTimeInSeconds (PCS-6, PCS-11, PCS-25), replaces instances
// that are unhealthy, and those of an updated group when they are idle (PCS-19, PCS-24).
//
// AWS publishes neither how often waiting jobs are looked at nor the size of a request. `interval` 0 looks at once;
// otherwise at whole multiples of it since the run began. Static capacity does not wait for that. How it asks the
// cloud, and what it does when the cloud refuses: launcher.hpp.
#pragma once

#include <deque>

#include "models/policies/launcher.hpp"

namespace headroom {

class ScalerPcs final : public ScalerPolicy {
 public:
  struct Options {
    Time interval = 0;
    Time scale_down_idle_time = 600 * kSecond;
    std::vector<Time> group_idle_time = {};  // by group, over scale_down_idle_time; kNever or none: that
    Launcher::Options launcher = {};
  };
  explicit ScalerPcs(const Options& options) : options_(options), launcher_(options.launcher) {}

  Time scale(const View& view, std::span<const NodeId> newly_idle, ScalePlan& plan) override;
  void hear(const View& view, std::span<const Stimulus> news, ScalePlan& plan) override;

 private:
  struct Idle {
    Time since;
    NodeId node;
  };
  void meet(const View& view);
  Time launch(const View& view, ScalePlan& plan);
  Time terminate(const View& view, ScalePlan& plan);
  void mark_stale(NodeId node, ScalePlan& plan);
  void replace(const View& view, ScalePlan& plan);

  Options options_;
  Launcher launcher_;
  Time begin_ = kNever;                 // of the run
  std::vector<Time> idle_time_;         // by group
  std::vector<std::deque<Idle>> idle_;  // by group and since; an entry whose node worked since then is void
  std::vector<NodeId> stale_;           // to be replaced when they are idle
  std::vector<NodeId> batch_;           // scratch
};

}  // namespace headroom
