// What has been spent so far, told when a budget is reached. Hides prices that change on their own: Spot prices by the
// hour, reservations that begin and end. Promises exact times: the first microsecond at which so much is spent, at the
// prices as they stand. Seconds begun and the minute that each instance costs at least are the bill's alone.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "models/scenario/design.hpp"

namespace headroom {

// Stimulus::detail of budget_reached.
inline constexpr std::uint32_t kBudgetAlert = 0;
inline constexpr std::uint32_t kBudgetStops = 1;
inline constexpr std::uint32_t kBudgetAllows = 2;

class Meter {
 public:
  // Nothing to watch.
  Meter() = default;
  // `design` outlives it. `origin`: the start of the run, and of the first period.
  Meter(const Design& design, const std::vector<Budget>& budgets, Time origin);

  bool watches() const { return !budgets_.empty(); }
  // When there is something to tell by `horizon` (not kNever), if nothing else happens until then; kNever: nothing. The
  // world's clock is not past it.
  Time next(Time horizon);
  // What there is to tell now; `now` was next()'s answer.
  void tell(Time now, std::vector<Stimulus>& news);
  // When a budget that stops launching allows it again; kNever where none does.
  Time allows_again() const;
  bool stops() const;

  // --- what happens in the world ---
  void asked(NodeId node) { instances_[index(node)].which = 0; }
  void told(const Stimulus& s, Time now);

 private:
  using Wide = __int128;  // millionths of a dollar x microseconds an hour

  struct Watched {
    std::vector<BudgetAction> actions;
    MicroUsd amount = 0;
    Time length = kNever;
    Time period_end = kNever;
    Wide before = 0;       // spent before this period
    std::size_t next = 0;  // of its actions
    bool stopped = false;
    bool allows = false;  // a new period began, which is still to be told
  };
  struct Instance {
    std::uint32_t which = 0;  // as in Stimulus::instance_launched
    bool runs = false;
    bool shares_commitments = false;
    std::uint32_t generation = 0;
    Time since = 0;
    MicroUsd rate = 0;
  };
  // A price that changes on its own.
  struct Change {
    bool of_node = false;
    NodeId node{0};
    std::uint32_t generation = 0;
    MicroUsd by = 0;  // not of a node
    MicroUsd at_once = 0;
  };
  // Instances of one type that commitments pay for.
  struct Committed {
    std::int64_t instances = 0;
    std::int64_t running = 0;
  };

  void advance(Time now);
  void roll(Watched& budget);
  void apply(const Change& change, Time now);
  void start(NodeId node, Time now);
  void end(NodeId node, Time now, bool free);
  void set_rate(Instance& instance, MicroUsd rate);
  Time crossing(const Watched& budget) const;
  const GroupFacts& group_of(NodeId node) const { return design_->groups[group_of_[index(node)]]; }
  const Offer* offer_of(NodeId node) const;

  const Design* design_ = nullptr;
  std::vector<Watched> budgets_;
  std::vector<std::uint32_t> group_of_;  // by node
  std::vector<Instance> instances_;      // by node
  std::map<std::string, Committed, std::less<>> committed_;
  std::multimap<Time, Change> changes_;
  Time origin_ = 0;
  Time now_ = 0;
  Wide spent_ = 0;
  MicroUsd rate_ = 0;  // per hour
};

}  // namespace headroom
