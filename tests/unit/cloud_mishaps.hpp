// A world whose cloud refuses, loses and breaks instances as a test wrote it down, before a simulated one that does
// none of this.
#pragma once

#include <map>
#include <tuple>

#include "models/simulated_world.hpp"

namespace headroom {

class CloudMishaps {
 public:
  // From `from` on and before `until`, launches of these nodes are refused, `delay` after they were asked for.
  struct Drought {
    Time from = 0;
    Time until = kNever;
    std::vector<NodeId> nodes;
    Refusal why = Refusal::insufficient_instance_capacity;
    Time delay = 0;
  };
  struct Mishap {
    Time at;
    Stimulus stimulus;  // instance_lost, instance_impaired, budget_reached
  };
  CloudMishaps(SimulatedWorld& world, std::vector<Drought> droughts, std::vector<Mishap> mishaps)
      : world_(world), droughts_(std::move(droughts)) {
    for (const Mishap& m : mishaps) push(m.at, m.stimulus);
  }

  Time origin() const { return world_.origin(); }

  std::optional<Time> wait(Time wake, News& news) {
    const Time own = to_come_.empty() ? kNever : to_come_.begin()->first;
    const std::optional<Time> now = world_.wait(std::min(wake, own), news);
    if (!now) return now;
    std::erase_if(news.stimuli, [&](const Stimulus& s) {
      if (s.kind != Stimulus::Kind::instance_terminated || silent_[s.subject] == 0) return false;
      --silent_[s.subject];
      return true;
    });
    while (!to_come_.empty() && to_come_.begin()->first == *now) {
      const Stimulus s = to_come_.begin()->second;
      to_come_.erase(to_come_.begin());
      news.stimuli.push_back(s);
      if (s.kind == Stimulus::Kind::instance_lost) end(*now, NodeId{s.subject});
    }
    return now;
  }

  void carry_out(Time now, const Commands& commands) {
    Commands kept;
    for (const Command& c : commands.list) {
      std::vector<NodeShare> shares;
      bool whole = true;
      for (const NodeShare& s : commands.shares_of(c)) {
        const Drought* const drought = c.kind == Command::Kind::launch_instances ? drought_of(s.node, now) : nullptr;
        if (drought == nullptr) {
          shares.push_back(s);
          continue;
        }
        whole = (c.detail & kAllOrNothing) == 0;
        push(later(now, drought->delay),
             {Stimulus::Kind::launch_refused, number(s.node), static_cast<std::uint32_t>(drought->why)});
      }
      if (!whole) {  // what it has capacity for is not launched either
        for (const NodeShare& s : shares) {
          push(now, {Stimulus::Kind::launch_refused, number(s.node),
                     static_cast<std::uint32_t>(Refusal::insufficient_instance_capacity)});
        }
        shares.clear();
      }
      const bool of_nodes = c.share_count > 0;
      if (!of_nodes || !shares.empty()) kept.add(c.kind, c.subject, c.detail, shares);
    }
    world_.carry_out(now, kept);
  }

 private:
  void push(Time at, Stimulus s) { to_come_.emplace(at, s); }
  const Drought* drought_of(NodeId node, Time now) const {
    for (const Drought& d : droughts_) {
      const bool named = std::find(d.nodes.begin(), d.nodes.end(), node) != d.nodes.end();
      if (named && d.from <= now && now < d.until) return &d;
    }
    return nullptr;
  }
  // The simulated cloud is to forget the node's instance.
  void end(Time now, NodeId node) {
    ++silent_[number(node)];
    Commands gone;
    const NodeShare share{node, 0};
    gone.add(Command::Kind::terminate_instances, 0, 0, {&share, 1});
    world_.carry_out(now, gone);
  }

  SimulatedWorld& world_;
  std::vector<Drought> droughts_;
  std::multimap<Time, Stimulus> to_come_;
  std::map<std::uint32_t, int> silent_;  // by node: terminations that nobody asked for
};

}  // namespace headroom
