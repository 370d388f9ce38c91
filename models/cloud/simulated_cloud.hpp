// EC2 as far as a cluster sees it, in simulation: a launched instance is `pending`, then `running` (billing starts),
// then its node registers; a terminated one is gone when EC2 says so. What befalls instances is foreseen at their
// launch; nothing is ever told of an instance that is gone.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

#include "models/clock/event_queue.hpp"
#include "models/cloud/ec2.hpp"
#include "models/cloud/mishaps.hpp"
#include "models/random.hpp"

namespace headroom {

class SimulatedCloud {
 public:
  struct Boot {
    Distribution pending;    // launch call -> running
    Distribution bootstrap;  // running -> node registered
  };
  // What differs for one node: its next `failures` boots never end (all of them: kAlways); those after them take
  // `times` one by one, from the launch call to the registered node (kNever: it does not end), then what others take;
  // of `slow` boots the bootstrap takes `factor` times as long.
  struct BootFault {
    NodeId node;
    std::uint32_t failures = 0;
    std::vector<Time> times = {};
    std::uint32_t slow = 0;
    double factor = 1;
  };
  static constexpr std::uint32_t kAlways = std::numeric_limits<std::uint32_t>::max();

  // One Boot for each node group.
  SimulatedCloud(std::vector<Boot> boot_of_group, std::uint64_t seed, std::vector<BootFault> faults = {}, Ec2 ec2 = {},
                 Mishaps mishaps = {})
      : boot_of_group_(std::move(boot_of_group)),
        seed_(seed),
        faults_(std::move(faults)),
        ec2_(std::move(ec2)),
        mishaps_(std::move(mishaps)) {}

  // One request for all nodes; `detail` as in Command::Kind::launch_instances.
  void launch(GroupId group, std::span<const NodeShare> nodes, std::uint32_t detail, Time now, EventQueue& events) {
    const Ec2::Answer answer = ask(group, nodes, (detail & kAllOrNothing) != 0, now);
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
      ensure(index(s.node) < instances_.size() && instances_[index(s.node)].exists,
             "only an instance that was launched is terminated, once");
      instances_[index(s.node)] = {};
    }
    const Time terminated = ec2_.terminate(nodes, now);
    for (const NodeShare& s : nodes) {
      events.push(terminated, {Stimulus::Kind::instance_terminated, number(s.node), 0});
    }
  }

  // Whether news that was foreseen for `time` still stands: it is not of an instance that is gone, and was not told.
  // Two instances of one node may have equal news at the same time; only one of them is there to be told of.
  bool stands(const Stimulus& s, Time time) const {
    if (!is_of_instance(s)) return true;
    const std::vector<Mishaps::Foreseen>& coming = instances_[s.subject].coming;
    const auto next = next_of(coming, s.kind, time);
    return next != coming.end() && next->stimulus == s;
  }
  // News of `time` was told.
  void told(const Stimulus& s, Time time) {
    if (!is_of_instance(s)) return;
    Instance& instance = instances_[s.subject];
    const auto next = next_of(instance.coming, s.kind, time);
    ensure(next != instance.coming.end() && next->stimulus == s, "only what stands is told");
    instance.coming.erase(next);
    if (s.kind == Stimulus::Kind::instance_lost) instance = {};
  }

  // When the last mishap that the scenario plans befalls its instances; -1: there is none.
  Time last_planned() const { return mishaps_.last_planned(); }

 private:
  // The next of a kind at `time`: they are told in the order in which they were foreseen.
  static std::vector<Mishaps::Foreseen>::const_iterator next_of(const std::vector<Mishaps::Foreseen>& coming,
                                                                Stimulus::Kind kind, Time time) {
    return std::find_if(coming.begin(), coming.end(),
                        [&](const Mishaps::Foreseen& each) { return each.at == time && each.stimulus.kind == kind; });
  }
  // News that is foreseen at an instance's launch.
  static bool is_of_instance(const Stimulus& s) {
    switch (s.kind) {
      case Stimulus::Kind::instance_launched:
      case Stimulus::Kind::instance_running:
      case Stimulus::Kind::node_ready:
      case Stimulus::Kind::instance_lost:
      case Stimulus::Kind::instance_impaired:
      case Stimulus::Kind::spot_warned:
        return true;
      default:
        return false;
    }
  }

  Ec2::Answer ask(GroupId group, std::span<const NodeShare> nodes, bool all_or_nothing, Time now) {
    if (const std::optional<Refusal> refusal = mishaps_.refusal_of(requests_++, now)) return {{}, *refusal};
    return ec2_.launch(group, nodes, all_or_nothing, now);
  }

  void boot(GroupId group, NodeId node, const Ec2::Grant& grant, Time now, EventQueue& events) {
    const Boot& boot = boot_of_group_[index(group)];
    const std::uint64_t launch = launches_++;
    Substream stream(seed_, Purpose::boot, launch);
    const Time running = later(now, boot.pending.sample(stream));
    const Mishaps::Fate fate = mishaps_.fate_of({launch, group, node, grant.offer, now, running});
    const Time bootstrap = boot.bootstrap.sample(stream);
    Time ready = kNever;
    if (fate.boots) ready = ready_at(node, now, running, slowed(bootstrap, fate.slowness));

    if (instances_.size() <= index(node)) instances_.resize(index(node) + 1);
    Instance& instance = instances_[index(node)];
    instance = {true, {}};
    const auto foresee = [&](Time at, const Stimulus& stimulus) {
      instance.coming.push_back({at, stimulus});
      events.push(at, stimulus);
    };
    if (const std::uint32_t which = grant.offer | grant.reservation << 16; which != 0) {
      foresee(now, {Stimulus::Kind::instance_launched, number(node), which});
    }
    if (fate.starts) {
      foresee(running, {Stimulus::Kind::instance_running, number(node), 0});
      if (ready != kNever) foresee(ready, {Stimulus::Kind::node_ready, number(node), 0});
    }
    for (const Mishaps::Foreseen& each : fate.news) foresee(each.at, each.stimulus);
  }

  static Time slowed(Time bootstrap, double factor) {
    if (factor == 1) return bootstrap;
    return static_cast<Time>(std::llround(static_cast<double>(bootstrap) * factor));
  }

  // When the node registers: a node may have boots of its own.
  Time ready_at(NodeId node, Time now, Time running, Time bootstrap) {
    if (const std::optional<Time> time = fault_of(node)) return later(now, *time);
    for (BootFault& fault : faults_) {
      if (fault.node != node || fault.slow == 0) continue;
      if (fault.slow != kAlways) --fault.slow;
      return later(running, slowed(bootstrap, fault.factor));
    }
    return later(running, bootstrap);
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
  Mishaps mishaps_;
  std::uint64_t launches_ = 0;
  std::uint64_t requests_ = 0;
  struct Instance {
    bool exists = false;
    std::vector<Mishaps::Foreseen> coming = {};  // what is still to be told of it
  };
  std::vector<Instance> instances_;  // by node: its last one
};

}  // namespace headroom
