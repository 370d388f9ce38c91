// Reads what a scenario says about the network between instances: the key network. Values that were refused already
// read as zero, as elsewhere.
#pragma once

#include <vector>

#include "models/scenario/options.hpp"
#include "models/scenario/scenario.hpp"

namespace headroom {

// The hardware that instances land on, and which launches share a cluster placement group. Whether the catalog knows
// the types is make_design's to say.
void read_fabrics(const Section& network, const std::vector<SubnetDesign>& subnets,
                  const std::vector<ReservationDesign>& reservations, Problems& problems, NetworkOptions& options);

// How many EFA interfaces (InterfaceType efa or efa-only) one launch template asks for.
std::int32_t read_efa_interfaces(const Section& launch_template, Problems& problems);

}  // namespace headroom
