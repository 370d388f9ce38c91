#include "models/cloud/allocation.hpp"

#include <algorithm>
#include <limits>

namespace headroom {

std::vector<Candidate> in_order(AllocationStrategy strategy, std::vector<Candidate> candidates, std::int64_t count) {
  const auto room = [](const Candidate& c) { return c.spare.value_or(std::numeric_limits<std::int64_t>::max()); };
  const auto holds_all = [&](const Candidate& c) { return room(c) >= count; };
  const auto by_price = [](const Candidate& a, const Candidate& b) { return a.price < b.price; };
  const auto by_room = [&](const Candidate& a, const Candidate& b) { return room(a) > room(b); };
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.priority < b.priority; });
  switch (strategy) {
    case AllocationStrategy::prioritized:
      break;
    case AllocationStrategy::lowest_price:
      std::stable_sort(candidates.begin(), candidates.end(), by_price);
      break;
    case AllocationStrategy::capacity_optimized:
      std::stable_sort(candidates.begin(), candidates.end(), by_price);
      std::stable_sort(candidates.begin(), candidates.end(), by_room);
      break;
    case AllocationStrategy::capacity_optimized_prioritized:
    case AllocationStrategy::price_capacity_optimized: {
      const auto rest = std::stable_partition(candidates.begin(), candidates.end(), holds_all);
      if (strategy == AllocationStrategy::price_capacity_optimized) {
        std::stable_sort(candidates.begin(), rest, by_price);
        std::stable_sort(rest, candidates.end(), by_price);
      }
      std::stable_sort(rest, candidates.end(), by_room);
      break;
    }
    case AllocationStrategy::diversified:
      std::erase_if(candidates, [](const Candidate& c) { return c.price >= c.on_demand_price; });
      break;
  }
  return candidates;
}

}  // namespace headroom
