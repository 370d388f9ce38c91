// In which order a fleet tries its offers (CreateFleet's allocation strategies). What "capacity" is EC2's secret; here
// it is what a pool's limit leaves, and a pool without a limit has more than any other.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "models/cloud/capacity_pool.hpp"
#include "models/cloud/offer.hpp"

namespace headroom {

enum class AllocationStrategy : std::uint8_t {
  lowest_price,
  prioritized,  // on demand only
  capacity_optimized,
  capacity_optimized_prioritized,
  price_capacity_optimized,
  diversified,
};

struct Candidate {
  std::uint32_t offer = 0;
  MicroUsd price = 0;  // now
  MicroUsd on_demand_price = 0;
  std::int32_t priority = 0;  // lower goes first
  CapacityLimit spare = {};   // nothing: no limit
};

// The candidates in the order in which they are tried for `count` instances. Equal ones: by priority.
// lowest-price: the cheapest first. prioritized: by priority. capacity-optimized: the most spare capacity first.
// capacity-optimized-prioritized and price-capacity-optimized: among pools that can give all of `count`, by priority or
// by price; then the others, the most spare capacity first. diversified: by priority, without those that cost as much
// as on demand; instances are then spread over all of them (see Ec2).
std::vector<Candidate> in_order(AllocationStrategy strategy, std::vector<Candidate> candidates, std::int64_t count);

}  // namespace headroom
