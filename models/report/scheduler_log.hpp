// The scheduler's log as PCS delivers it: JSON records with PCS's fields (PCS-71), whose messages are worded after
// slurmctld's. Hides how they follow from a run.
#pragma once

#include <functional>

#include "models/report/summary.hpp"

namespace headroom {

// scheduler.jsonl, in the order of time. Goes to `write` in blocks.
void write_scheduler_jsonl(const RunRecord& record, const RunContext& context,
                           const std::function<void(std::string_view)>& write);

}  // namespace headroom
