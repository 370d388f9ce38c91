// What a node group may buy: an instance type in a subnet, and under which terms.
#pragma once

#include <cstdint>
#include <string>

#include "models/cloud/catalog.hpp"

namespace headroom {

// Money is counted in millionths of a dollar: sums are exact.
using MicroUsd = std::int64_t;

// PCS-14
enum class Purchase : std::uint8_t { on_demand, spot, capacity_block, interruptible };

// One override of a fleet: CreateFleet may launch any of them. EC2 keeps a pool of capacity for each type and zone.
struct Offer {
  InstanceType type;
  std::string subnet;           // empty: none was named
  std::string zone;             // empty: not known
  MicroUsd price_per_hour = 0;  // on demand
  std::int32_t priority = 0;    // place in the order of the scenario: types, then subnets; lower goes first
};

}  // namespace headroom
