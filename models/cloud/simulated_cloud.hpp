// EC2 as far as a cluster sees it, in simulation: a launched instance is `pending`, then `running` (billing starts),
// then its node registers; a terminated one is gone when EC2 says so. What befalls instances is foreseen at their
// launch; nothing is ever told of an instance that is gone.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/topology.hpp"
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

  // One request for all nodes; `detail` as in Command::Kind::launch_instances, `purposes` as in Ec2::launch.
  void launch(GroupId group, std::span<const NodeShare> nodes, std::uint32_t detail, Time now, EventQueue& events,
              std::span<const LaunchPurpose> purposes = {}) {
    const Ec2::Answer answer = ec2_.launch(group, nodes, (detail & kAllOrNothing) != 0, now, purposes);
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const NodeId node = nodes[i].node;
      if (instances_.size() <= index(node)) instances_.resize(index(node) + 1);
      instances_[index(node)] = {};
      if (i < answer.grants.size()) {
        boot(group, node, answer.at, answer.grants[i], events);
      } else {
        foresee({answer.at, {Stimulus::Kind::launch_refused, number(node), static_cast<std::uint32_t>(answer.refusal)}},
                events);
      }
    }
  }

  // One request. A launch whose refusal was not told yet ends so, too.
  void terminate(std::span<const NodeShare> nodes, Time now, EventQueue& events) {
    terminating_.clear();
    for (const NodeShare& s : nodes) {
      ensure(index(s.node) < instances_.size(), "only an instance that was launched is terminated, once");
      Instance& instance = instances_[index(s.node)];
      if (instance.exists) {
        terminating_.push_back(s);
      } else {
        ensure(!instance.coming.empty(), "only an instance that was launched is terminated, once");
        const Time refused = instance.coming.front().at;
        events.push(std::max(now, refused), {Stimulus::Kind::instance_terminated, number(s.node), 0});
      }
      instance = {};
    }
    const std::vector<Time> times = ec2_.terminate(terminating_, now);
    for (std::size_t i = 0; i < times.size(); ++i) {
      events.push(times[i], {Stimulus::Kind::instance_terminated, number(terminating_[i].node), 0});
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
    if (s.kind != Stimulus::Kind::instance_lost) return;
    instance = {};
    ec2_.gone(NodeId{s.subject}, time);
  }

  // The last network node on which the node's instance hangs; kNoLeaf: it has none, or nobody knows.
  LeafId leaf(NodeId node) const { return index(node) < instances_.size() ? instances_[index(node)].leaf : kNoLeaf; }

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
      case Stimulus::Kind::launch_refused:
      case Stimulus::Kind::instance_launched:
      case Stimulus::Kind::instance_running:
      case Stimulus::Kind::node_ready:
      case Stimulus::Kind::instance_lost:
      case Stimulus::Kind::instance_impaired:
      case Stimulus::Kind::spot_warned:
      case Stimulus::Kind::instance_placed:
        return true;
      default:
        return false;
    }
  }

  void boot(GroupId group, NodeId node, Time answer, const Ec2::Grant& grant, EventQueue& events) {
    const Boot& boot = boot_of_group_[index(group)];
    const std::uint64_t launch = launches_++;
    Substream stream(seed_, Purpose::boot, launch);
    const Time running = later(answer, boot.pending.sample(stream));
    const Time bootstrap = boot.bootstrap.sample(stream);
    const Mishaps::Fate fate = mishaps_.fate_of({launch, group, node, grant.offer, answer, running, grant.taken_back});
    Time ready = kNever;
    if (fate.boots) {
      ready = ready_at(node, answer, std::max(running, grant.known), slowed(bootstrap, fate.slowness));
    }

    instances_[index(node)].exists = true;
    instances_[index(node)].leaf = grant.leaf;
    if (const std::uint32_t which = grant.offer | grant.reservation << 16; which != 0) {
      foresee({answer, {Stimulus::Kind::instance_launched, number(node), which}}, events);
    }
    if (fate.starts) {
      foresee({running, {Stimulus::Kind::instance_running, number(node), 0}}, events);
      // DescribeInstanceTopology tells of instances that run (ec2.md 10).
      if (grant.leaf != kNoLeaf) {
        foresee({running, {Stimulus::Kind::instance_placed, number(node), number(grant.leaf)}}, events);
      }
      if (ready != kNever) foresee({ready, {Stimulus::Kind::node_ready, number(node), 0}}, events);
    }
    for (const Mishaps::Foreseen& each : fate.news) foresee(each, events);
  }

  void foresee(const Mishaps::Foreseen& news, EventQueue& events) {
    instances_[news.stimulus.subject].coming.push_back(news);
    events.push(news.at, news.stimulus);
  }

  static Time slowed(Time bootstrap, double factor) {
    if (factor == 1) return bootstrap;
    return static_cast<Time>(std::llround(static_cast<double>(bootstrap) * factor));
  }

  // When the node registers, whose boot begins at `from`: a node may have boots of its own.
  Time ready_at(NodeId node, Time answer, Time from, Time bootstrap) {
    if (const std::optional<Time> time = fault_of(node)) return later(answer, *time);
    for (BootFault& fault : faults_) {
      if (fault.node != node || fault.slow == 0) continue;
      if (fault.slow != kAlways) --fault.slow;
      return later(from, slowed(bootstrap, fault.factor));
    }
    return later(from, bootstrap);
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
  struct Instance {
    bool exists = false;
    LeafId leaf = kNoLeaf;
    std::vector<Mishaps::Foreseen> coming = {};  // what is still to be told of it
  };
  std::vector<Instance> instances_;  // by node: its last one
  std::vector<NodeShare> terminating_;
};

}  // namespace headroom
