// EC2 as far as a cluster sees it, in simulation: a launched instance is `pending`, then `running` (billing starts),
// then its node registers; a terminated one is gone at once. Every launch succeeds.
#pragma once

#include "models/clock/event_queue.hpp"
#include "models/random.hpp"

namespace headroom {

class SimulatedCloud {
 public:
  struct Boot {
    Distribution pending;    // launch call -> running
    Distribution bootstrap;  // running -> node registered
  };
  // One Boot for each node group.
  SimulatedCloud(std::vector<Boot> boot_of_group, std::uint64_t seed)
      : boot_of_group_(std::move(boot_of_group)), seed_(seed) {}

  void launch(GroupId group, NodeId node, Time now, EventQueue& events) {
    const Boot& boot = boot_of_group_[index(group)];
    Substream stream(seed_, Purpose::boot, launches_++);
    const Time running = later(now, boot.pending.sample(stream));
    events.push(running, {Stimulus::Kind::instance_running, number(node), 0});
    events.push(later(running, boot.bootstrap.sample(stream)), {Stimulus::Kind::node_ready, number(node), 0});
  }

  void terminate(NodeId node, Time now, EventQueue& events) {
    events.push(now, {Stimulus::Kind::instance_terminated, number(node), 0});
  }

 private:
  std::vector<Boot> boot_of_group_;
  std::uint64_t seed_;
  std::uint64_t launches_ = 0;
};

}  // namespace headroom
