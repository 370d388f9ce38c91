// Reads what a scenario says about EC2: the key cloud, placement groups, capacity reservations, and what launch
// templates say about these. Values that were refused already read as zero, as elsewhere.
#pragma once

#include <map>
#include <string>

#include "models/scenario/options.hpp"
#include "models/scenario/scenario.hpp"

namespace headroom {

void read_cloud(const Section& cloud, Problems& problems, CloudOptions& options);

std::vector<PlacementGroupDesign> read_placement_groups(const Section& root, Problems& problems);

// `newer`: pcsEdition is 2026-08.
std::vector<ReservationDesign> read_capacity_reservations(const Section& root, bool newer,
                                                          const std::vector<PlacementGroupDesign>& placement_groups,
                                                          Problems& problems);

// CapacityReservationSpecification of one launch template (PCS-44).
ReservationUse read_reservation_use(const Section& launch_template, bool newer, Problems& problems);

// purchaseOption and spotOptions of one compute node group (PCS-14). Its launch template has been read.
void read_purchase(const Section& section, bool newer, const std::vector<ReservationDesign>& reservations,
                   Problems& problems, GroupDesign& group);

}  // namespace headroom
