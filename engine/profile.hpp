// How much of something is free, now and later: a step function of time that backfilling plans against. It hides its
// representation (a sorted flat array, searched and updated with plain loops that the compiler vectorises) and
// promises the exact answer. EASY, conservative and every other planner stand on this one structure.
#pragma once

#include <vector>

#include "engine/types.hpp"

namespace headroom {

class CapacityProfile {
 public:
  // `capacity` units free for ever from time `origin` on.
  explicit CapacityProfile(std::int32_t capacity, Time origin = 0) : times_{origin}, free_{capacity} {}

  // Takes `amount` units in [from, until); a negative amount gives them back. Returns the least free amount left in
  // that interval: below zero when the claim collides with others (the caller decides whether that is a bug).
  std::int32_t occupy(Time from, Time until, std::int32_t amount);

  std::int32_t free_at(Time t) const { return free_[step_at(t)]; }

  // Whether `amount` is free throughout [from, until). Stops at the first time when it is not.
  bool fits(Time from, Time until, std::int32_t amount) const;

  // The least and the most that is free anywhere in [from, until), from < until.
  std::int32_t min_free(Time from, Time until) const;
  std::int32_t max_free(Time from, Time until) const;

  // The first time >= from at which less than `amount` is free; kNever if none. `left` gets what is free then.
  Time first_below(Time from, std::int32_t amount, std::int32_t& left) const;

  // The first t >= not_before with `amount` free throughout [t, t + duration); kNever if there is none.
  Time earliest_fit(Time not_before, Time duration, std::int32_t amount) const;

  // Whether something that holds `amount` in [from, from + duration) could begin earlier: at some t in
  // [not_before, before), before <= from. From `from` on it only has to share with itself.
  bool could_begin_earlier(Time not_before, Time before, Time from, Time duration, std::int32_t amount) const;

  // The first time > t at which the free amount changes; kNever if none.
  Time next_change(Time t) const {
    const std::size_t i = step_at(t) + 1;
    return i < times_.size() ? times_[i] : kNever;
  }

  // Forgets what lies before `now`. Times before the last call's `now` must not be asked for any more.
  void advance(Time now);

  std::size_t steps() const { return times_.size() - head_; }

 private:
  std::size_t step_at(Time t) const;  // the step that holds at time t
  std::size_t split_at(Time t);       // makes a step begin at t and returns its index
  void merge_at(std::size_t i);       // removes step i if it does not differ from the one before

  std::vector<Time> times_;  // begin of each step, ascending; the last one lasts for ever
  std::vector<std::int32_t> free_;
  std::size_t head_ = 0;  // first step still of interest
};

}  // namespace headroom
