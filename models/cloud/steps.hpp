// A value that changes at given times and stays in between.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/types.hpp"

namespace headroom {

template <class Value>
struct Steps {
  Value before{};                               // the first step
  std::vector<std::pair<Time, Value>> at = {};  // ascending
  Time period = 0;                              // over zero: all of it repeats

  // The value at `time`, which is not negative.
  const Value& value(Time time) const {
    if (period > 0) time %= period;
    const auto next =
        std::upper_bound(at.begin(), at.end(), time, [](Time t, const auto& step) { return t < step.first; });
    return next == at.begin() ? before : std::prev(next)->second;
  }
};

}  // namespace headroom
