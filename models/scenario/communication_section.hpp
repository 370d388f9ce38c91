// Reads what a scenario says about messages: network.model, and how jobs communicate. Values that were refused already
// read as zero, as elsewhere.
#pragma once

#include <vector>

#include "models/scenario/options.hpp"
#include "models/scenario/scenario.hpp"

namespace headroom {

NetworkModelOptions read_network_model(const Section& model, Problems& problems);

// workload.jobs[].communication. `pool`: a pool has no nodes that could be apart.
CommunicationProfile read_communication(const Section& section, bool pool, Problems& problems);

// workload.communication
std::vector<CommunicationRule> read_communication_rules(const Section& workload, bool pool, Problems& problems);

}  // namespace headroom
