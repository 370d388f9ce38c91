// What a scenario says about EC2, made concrete for a run: the limits and prices of Ec2.
#pragma once

#include "models/cloud/ec2.hpp"
#include "models/scenario/design.hpp"

namespace headroom {

// `origin`: the start of the run. Reads recorded series of capacity, beside the scenario. Throws InputError for one
// that cannot be read or is no series.
Ec2Settings ec2_settings(const Scenario& scenario, const Design& design, Time origin);

// A recorded series of limits: lines "time_s,limit" in the order of time; an empty limit is none, a first line of words
// is a heading. `name` is for messages. Throws InputError.
Steps<CapacityLimit> read_capacity_series(std::string_view text, const std::string& name);

}  // namespace headroom
