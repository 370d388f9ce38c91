// Jobs of one width that arrive as a Poisson process, with run times from any distribution: the input of queueing
// theory (M/M/c, M/G/1), and of load tests. Hides how they are drawn.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/scenario/scenario.hpp"
#include "models/workload/workload.hpp"

namespace headroom {

// options.jobs jobs; the first one comes one gap after time 0. Times are whole microseconds, nothing is rounded
// further: theory knows no coarser clock. Arrivals are a stream of their own, and the run time of the n-th job depends
// on the seed and n alone: other run times leave the arrivals as they were, and the other way round. Users are a stream of
// their own, too: each job's is drawn by the weights.
//
// Requested time = run time x estimate_factor, rounded up to a minute, at least one minute: as the factor is at least
// 1, no job is killed, unless it runs longer than may be requested (ten years), which Workload::adjustments tells.
//
// Throws InputError when the last arrival is more than 10^10 s away.
Workload generate_poisson(const PoissonOptions& options, std::uint64_t seed, const TraceMap& map,
                          const std::vector<std::string>& queue_names);

}  // namespace headroom
