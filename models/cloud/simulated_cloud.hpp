// EC2 as far as a cluster sees it, in simulation: a launched instance is `pending`, then `running` (billing starts),
// then its node registers; a terminated one is gone at once. Every launch succeeds, but a node may fail to boot.
#pragma once

#include <optional>

#include "models/clock/event_queue.hpp"
#include "models/cloud/ec2.hpp"
#include "models/random.hpp"

namespace headroom {

class SimulatedCloud {
 public:
  struct Boot {
    Distribution pending;    // launch call -> running
    Distribution bootstrap;  // running -> node registered
  };
  // What differs for one node: its next `failures` boots never end (all of them: kAlways); those after them take
  // `times` one by one, from the launch call to the registered node (kNever: it does not end), then what others take.
  struct BootFault {
    NodeId node;
    std::uint32_t failures = 0;
    std::vector<Time> times = {};
  };
  static constexpr std::uint32_t kAlways = std::numeric_limits<std::uint32_t>::max();

  // One Boot for each node group.
  SimulatedCloud(std::vector<Boot> boot_of_group, std::uint64_t seed, std::vector<BootFault> faults = {}, Ec2 ec2 = {})
      : boot_of_group_(std::move(boot_of_group)), seed_(seed), faults_(std::move(faults)), ec2_(std::move(ec2)) {}

  // One request for all nodes; `detail` as in Command::Kind::launch_instances.
  void launch(GroupId group, std::span<const NodeShare> nodes, std::uint32_t detail, Time now, EventQueue& events) {
    const Ec2::Answer answer = ec2_.launch(group, nodes, (detail & kAllOrNothing) != 0, now);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (i < answer.grants.size()) {
        boot(group, nodes[i].node, answer.grants[i], now, events);
      } else {
        events.push(
            now, {Stimulus::Kind::launch_refused, number(nodes[i].node), static_cast<std::uint32_t>(answer.refusal)});
      }
    }
  }

  void terminate(std::span<const NodeShare> nodes, Time now, EventQueue& events) {
    for (const NodeShare& s : nodes) {
      ensure(index(s.node) < launched_.size() && launched_[index(s.node)].exists,
             "only an instance that was launched is terminated, once");
      launched_[index(s.node)] = {};
    }
    const Time terminated = ec2_.terminate(nodes, now);
    for (const NodeShare& s : nodes) {
      events.push(terminated, {Stimulus::Kind::instance_terminated, number(s.node), 0});
    }
  }

  // Whether news of an instance that was foreseen for `time` still stands: it was not terminated before, and not told.
  bool stands(const Stimulus& s, Time time) const {
    if (s.kind == Stimulus::Kind::instance_running) return launched_[s.subject].running == time;
    return s.kind != Stimulus::Kind::node_ready || launched_[s.subject].ready == time;
  }
  void told(const Stimulus& s) {
    if (s.kind == Stimulus::Kind::instance_running) launched_[s.subject].running = kNever;
    if (s.kind == Stimulus::Kind::node_ready) launched_[s.subject].ready = kNever;
  }

 private:
  void boot(GroupId group, NodeId node, const Ec2::Grant& grant, Time now, EventQueue& events) {
    const Boot& boot = boot_of_group_[index(group)];
    Substream stream(seed_, Purpose::boot, launches_++);
    const Time running = later(now, boot.pending.sample(stream));
    Time ready = later(running, boot.bootstrap.sample(stream));
    if (const std::optional<Time> time = fault_of(node)) ready = later(now, *time);
    const bool boots = ready != kNever;
    if (launched_.size() <= index(node)) launched_.resize(index(node) + 1);
    launched_[index(node)] = {running, boots ? ready : kNever, true};
    if (const std::uint32_t which = grant.offer | grant.reservation << 16; which != 0) {
      events.push(now, {Stimulus::Kind::instance_launched, number(node), which});
    }
    events.push(running, {Stimulus::Kind::instance_running, number(node), 0});
    if (boots) events.push(ready, {Stimulus::Kind::node_ready, number(node), 0});
  }

  // How long this boot takes, if it is not what others take.
  std::optional<Time> fault_of(NodeId node) {
    for (BootFault& fault : faults_) {
      if (fault.node != node) continue;
      if (fault.failures > 0) {
        if (fault.failures != kAlways) --fault.failures;
        return kNever;
      }
      if (!fault.times.empty()) {
        const Time time = fault.times.front();
        fault.times.erase(fault.times.begin());
        return time;
      }
    }
    return std::nullopt;
  }

  std::vector<Boot> boot_of_group_;
  std::uint64_t seed_;
  std::vector<BootFault> faults_;
  Ec2 ec2_;
  std::uint64_t launches_ = 0;
  struct Launched {
    Time running = kNever;
    Time ready = kNever;
    bool exists = false;
  };
  std::vector<Launched> launched_;  // by node: the last launch, and what is still to be told of it
};

}  // namespace headroom
