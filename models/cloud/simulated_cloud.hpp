// EC2 as far as a cluster sees it, in simulation: a launched instance is `pending`, then `running` (billing starts),
// then its node registers; a terminated one is gone as soon as EC2 knows. Which launches succeed is Ec2's to say.
#pragma once

#include <algorithm>
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
      const NodeId node = nodes[i].node;
      if (launched_.size() <= index(node)) launched_.resize(index(node) + 1);
      if (i < answer.grants.size()) {
        boot(group, node, answer.at, answer.grants[i], events);
      } else {
        launched_[index(node)] = {};
        launched_[index(node)].refused = answer.at;
        events.push(answer.at,
                    {Stimulus::Kind::launch_refused, number(node), static_cast<std::uint32_t>(answer.refusal)});
      }
    }
  }

  // One request. A launch whose refusal was not told yet ends so, too.
  void terminate(std::span<const NodeShare> nodes, Time now, EventQueue& events) {
    terminating_.clear();
    for (const NodeShare& s : nodes) {
      Launched* const launched = index(s.node) < launched_.size() ? &launched_[index(s.node)] : nullptr;
      ensure(launched != nullptr && (launched->exists || launched->refused != kNever),
             "only an instance that was launched is terminated, once");
      if (launched->exists) {
        terminating_.push_back(s);
      } else {
        events.push(std::max(now, launched->refused), {Stimulus::Kind::instance_terminated, number(s.node), 0});
      }
      *launched = {};
    }
    const std::vector<Time> times = ec2_.terminate(terminating_, now);
    for (std::size_t i = 0; i < times.size(); ++i) {
      events.push(times[i], {Stimulus::Kind::instance_terminated, number(terminating_[i].node), 0});
    }
  }

  // Whether news of an instance that was foreseen for `time` still stands: it was not terminated before, and not told.
  bool stands(const Stimulus& s, Time time) const {
    switch (s.kind) {
      case Stimulus::Kind::instance_running:
        return launched_[s.subject].running == time;
      case Stimulus::Kind::node_ready:
        return launched_[s.subject].ready == time;
      case Stimulus::Kind::launch_refused:
        return launched_[s.subject].refused == time;
      case Stimulus::Kind::instance_launched:
        return launched_[s.subject].granted == time;
      case Stimulus::Kind::instance_lost:
        return s.detail != static_cast<std::uint32_t>(Loss::end_of_reservation) ||
               launched_[s.subject].taken_back == time;
      default:
        return true;
    }
  }
  void told(const Stimulus& s, Time now) {
    Launched& launched = launched_[s.subject];
    switch (s.kind) {
      case Stimulus::Kind::instance_running:
        launched.running = kNever;
        break;
      case Stimulus::Kind::node_ready:
        launched.ready = kNever;
        break;
      case Stimulus::Kind::launch_refused:
        launched.refused = kNever;
        break;
      case Stimulus::Kind::instance_launched:
        launched.granted = kNever;
        break;
      case Stimulus::Kind::instance_lost:
        launched = {};
        ec2_.gone(NodeId{s.subject}, now);
        break;
      default:
        break;
    }
  }

 private:
  void boot(GroupId group, NodeId node, Time answer, const Ec2::Grant& grant, EventQueue& events) {
    const Boot& boot = boot_of_group_[index(group)];
    Substream stream(seed_, Purpose::boot, launches_++);
    const Time running = later(answer, boot.pending.sample(stream));
    Time ready = later(std::max(running, grant.known), boot.bootstrap.sample(stream));
    if (const std::optional<Time> time = fault_of(node)) ready = later(answer, *time);
    const bool boots = ready != kNever;
    const std::uint32_t which = grant.offer | grant.reservation << 16;
    launched_[index(node)] = {.running = running,
                              .ready = ready,
                              .granted = which != 0 ? answer : kNever,
                              .taken_back = grant.taken_back,
                              .exists = true};
    if (which != 0) events.push(answer, {Stimulus::Kind::instance_launched, number(node), which});
    events.push(running, {Stimulus::Kind::instance_running, number(node), 0});
    if (boots) events.push(ready, {Stimulus::Kind::node_ready, number(node), 0});
    if (grant.taken_back != kNever) {
      events.push(grant.taken_back,
                  {Stimulus::Kind::instance_lost, number(node), static_cast<std::uint32_t>(Loss::end_of_reservation)});
    }
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
  // Of the last launch: what is still to be told, and when (kNever: nothing).
  struct Launched {
    Time running = kNever;
    Time ready = kNever;
    Time refused = kNever;
    Time granted = kNever;
    Time taken_back = kNever;
    bool exists = false;
  };
  std::vector<Launched> launched_;  // by node
  std::vector<NodeShare> terminating_;
};

}  // namespace headroom
