#include "engine/profile.hpp"

#include <algorithm>

namespace headroom {

std::size_t CapacityProfile::step_at(Time t) const {
  const auto begin = times_.begin() + static_cast<std::ptrdiff_t>(head_);
  ensure(t >= *begin, "a profile is asked only about times it still knows");
  // Most questions are about the present: the first few steps.
  if (times_.size() - head_ == 1 || t < begin[1]) return head_;
  return static_cast<std::size_t>(std::upper_bound(begin + 2, times_.end(), t) - times_.begin()) - 1;
}

std::size_t CapacityProfile::split_at(Time t) {
  const std::size_t i = step_at(t);
  if (times_[i] == t) return i;
  times_.insert(times_.begin() + static_cast<std::ptrdiff_t>(i) + 1, t);
  free_.insert(free_.begin() + static_cast<std::ptrdiff_t>(i) + 1, free_[i]);
  return i + 1;
}

void CapacityProfile::merge_at(std::size_t i) {
  if (i <= head_ || i >= free_.size() || free_[i] != free_[i - 1]) return;
  times_.erase(times_.begin() + static_cast<std::ptrdiff_t>(i));
  free_.erase(free_.begin() + static_cast<std::ptrdiff_t>(i));
}

std::int32_t CapacityProfile::occupy(Time from, Time until, std::int32_t amount) {
  ensure(from < until, "a claim lasts some time");
  // The later end first: inserting it does not move the earlier one.
  if (until != kNever) split_at(until);
  const std::size_t first = split_at(from);
  std::size_t end = free_.size();
  if (until != kNever) {
    end = static_cast<std::size_t>(
        std::lower_bound(times_.begin() + static_cast<std::ptrdiff_t>(first), times_.end(), until) - times_.begin());
  }
  std::int32_t least = std::numeric_limits<std::int32_t>::max();
  for (std::size_t i = first; i < end; ++i) {
    free_[i] -= amount;
    least = std::min(least, free_[i]);
  }
  merge_at(end);
  merge_at(first);
  return least;
}

bool CapacityProfile::fits(Time from, Time until, std::int32_t amount) const {
  std::size_t i = step_at(from);
  if (free_[i] < amount) return false;
  for (++i; i < times_.size() && times_[i] < until; ++i) {
    if (free_[i] < amount) return false;
  }
  return true;
}

std::int32_t CapacityProfile::min_free(Time from, Time until) const {
  std::size_t i = step_at(from);
  std::int32_t least = free_[i];
  for (++i; i < times_.size() && times_[i] < until; ++i) least = std::min(least, free_[i]);
  return least;
}

std::int32_t CapacityProfile::max_free(Time from, Time until) const {
  std::size_t i = step_at(from);
  std::int32_t most = free_[i];
  for (++i; i < times_.size() && times_[i] < until; ++i) most = std::max(most, free_[i]);
  return most;
}

Time CapacityProfile::first_below(Time from, std::int32_t amount, std::int32_t& left) const {
  const std::size_t first = step_at(from);
  for (std::size_t i = first; i < free_.size(); ++i) {
    if (free_[i] < amount) {
      left = free_[i];
      return i == first ? from : times_[i];
    }
  }
  left = free_.back();
  return kNever;
}

Time CapacityProfile::earliest_fit(Time not_before, Time duration, std::int32_t amount) const {
  const std::size_t count = free_.size();
  std::size_t i = step_at(not_before);
  Time start = not_before;
  for (;;) {
    while (i < count && free_[i] < amount) ++i;
    if (i == count) return kNever;
    start = std::max(start, times_[i]);
    const Time until = later(start, duration);
    while (i < count && times_[i] < until && free_[i] >= amount) ++i;
    if (i == count || times_[i] >= until) return start;
  }
}

bool CapacityProfile::could_begin_earlier(Time not_before, Time before, Time from, Time duration,
                                          std::int32_t amount) const {
  const std::size_t count = free_.size();
  std::size_t i = step_at(not_before);
  Time start = not_before;
  while (start < before) {
    while (i < count && free_[i] < amount) ++i;
    if (i == count) return false;
    start = std::max(start, times_[i]);
    if (start >= before) return false;
    const Time until = std::min(later(start, duration), from);
    while (i < count && times_[i] < until && free_[i] >= amount) ++i;
    if (i == count || times_[i] >= until) return true;
  }
  return false;
}

void CapacityProfile::advance(Time now) {
  while (head_ + 1 < times_.size() && times_[head_ + 1] <= now) ++head_;
  if (head_ >= 64 && head_ * 2 >= times_.size()) {
    times_.erase(times_.begin(), times_.begin() + static_cast<std::ptrdiff_t>(head_));
    free_.erase(free_.begin(), free_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
}

}  // namespace headroom
