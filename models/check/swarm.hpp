// Random scenarios in which everything goes wrong at once, and what must hold all the same. A case is a scenario's
// text, drawn from its seed, so that one that fails can be printed, replayed and cut down by hand.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/check/property_suite.hpp"

namespace headroom {

struct SwarmReport {
  std::uint64_t cases = 0;
  std::uint64_t jobs = 0;
  std::uint64_t steps = 0;
  // How often each kind of trouble really came, so that a swarm that tests nothing is seen.
  std::uint64_t refusals = 0, losses = 0, impairments = 0, changes = 0, requeues = 0, drained = 0, placed = 0;
  std::uint64_t stretched = 0;        // jobs that ran longer where they were
  std::vector<std::string> promises;  // what was checked
  std::vector<PropertyFailure> failures;
};

// The scenario of a case, the same on every machine.
std::string swarm_scenario(std::uint64_t seed);

// Cases first_seed, first_seed + 1, ... until there were `cases` of them, or `stop` says so (asked before each).
SwarmReport check_swarm(std::uint64_t first_seed, std::uint64_t cases, const std::function<bool()>& stop = {});

}  // namespace headroom
