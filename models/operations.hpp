// What happens to a running cluster from outside (scenario keys operations and faults), with the names of jobs and
// nodes looked up.
#pragma once

#include <vector>

#include "models/scenario/design.hpp"
#include "models/simulated_world.hpp"

namespace headroom {

// In the order of the scenario. `origin` is when the run begins; operations count from there. Throws InputError with
// all names that there are not, and with jobs that are not submitted by then.
std::vector<Disturbance> disturbances_of(const Scenario& scenario, const Design& design, const Workload& workload,
                                         Time origin);

std::vector<SimulatedCloud::BootFault> boot_faults_of(const Scenario& scenario, const Design& design);

// Droughts, outages of zones and of the API, as EC2 has them: limits of its pools for some time, requests that it
// refuses.
void add_faults(const Scenario& scenario, Ec2Settings& settings);

// What befalls instances, at random (cloud.failures, cloud.spot) and at the times that faults name. Of a pool: nothing.
Mishaps mishaps_of(const Scenario& scenario, const Design& design, Time origin);

}  // namespace headroom
