// The scaler of AWS PCS: launches instances for the nodes that jobs were given, keeps static groups at their size,
// terminates dynamic nodes that were idle for scaleDownIdleTimeInSeconds (PCS-6, PCS-11, PCS-25).
//
// AWS publishes neither how often waiting jobs are looked at nor the size of a request. `interval` 0 looks at once;
// otherwise at whole multiples of it since the run began. Static capacity does not wait for that. One request asks for
// all nodes of a group that are wanted at that time.
#pragma once

#include <deque>

#include "engine/policy.hpp"

namespace headroom {

class ScalerPcs final : public ScalerPolicy {
 public:
  struct Options {
    Time interval = 0;
    Time scale_down_idle_time = 600 * kSecond;
  };
  explicit ScalerPcs(const Options& options) : options_(options) {}

  Time scale(const View& view, std::span<const NodeId> newly_idle, ScalePlan& plan) override;

 private:
  struct Idle {
    Time since;
    NodeId node;
  };
  Time launch(const View& view, ScalePlan& plan);
  Time terminate(const View& view, ScalePlan& plan);

  Options options_;
  Time begin_ = kNever;        // of the run
  std::deque<Idle> idle_;      // by since; an entry whose node worked since then is void
  std::vector<NodeId> batch_;  // scratch
};

}  // namespace headroom
