// What every scheduling policy promises, tried on random clusters and workloads. `headroom check --policy NAME` and the
// tests run the same suite.
#pragma once

#include <string>
#include <vector>

#include "models/policies/registry.hpp"

namespace headroom {

struct PropertyFailure {
  std::uint64_t seed;
  std::string what;
};

struct PropertyReport {
  std::uint64_t cases = 0;
  std::uint64_t jobs = 0;
  std::uint64_t steps = 0;
  std::vector<std::string> promises;  // what was checked
  std::vector<PropertyFailure> failures;
};

// Cases first_seed, first_seed + 1, ...: each seed is one random case, the same on every machine.
PropertyReport check_properties(const PolicyEntry& policy, std::uint64_t first_seed, std::uint64_t cases);

}  // namespace headroom
