// The calls of the PCS API that a scenario makes, and how they are answered: accepted, with the states of what they are
// about, or refused, with the exception, the rule and the reason.
#pragma once

#include <span>
#include <string>

#include "models/pcs/service.hpp"

namespace headroom {

// A line for each call until `until`, a time on the clock of the workload, on which the run begins at `origin`; states
// that come later are left out.
std::string operations_table(std::span<const ServiceAnswer> answers, Time origin, Time until = kNever);
// The same as an array.
std::string operations_json(std::span<const ServiceAnswer> answers, Time origin, Time until = kNever);

// "ConflictException [PCS-21]: the compute node group a is in the queue b".
std::string refusal_text(const ServiceAnswer& answer);

}  // namespace headroom
