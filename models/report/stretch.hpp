// What the placement of jobs did to their run times: found from the record by the function that the world asked, so
// that steps need not carry it.
#pragma once

#include <optional>
#include <vector>

#include "models/network/placement_effect.hpp"
#include "models/report/summary.hpp"

namespace headroom {

// Of each job's last attempt, where it ran; empty where no job has a communication.
std::vector<std::optional<PlacementEffect::Effect>> placement_effects(const RunRecord& record,
                                                                      const RunContext& context);

// By the names of profiles; empty where no job has one.
std::map<std::string, StretchSummary> stretches_of(const RunRecord& record, const RunContext& context);

}  // namespace headroom
