// PCS's scaling log: one event for each transition of an instance, with the statuses and reasons that AWS publishes
// (PCS-72). Hides how they follow from a run.
#pragma once

#include <functional>
#include <string>

#include "models/report/summary.hpp"

namespace headroom {

// Why an instance that is over was terminated: UNHEALTHY_NODE, ...
std::string_view end_reason_name(const InstanceRecord& instance);
// Simulated instances are numbered from 1 in the order of launch, in the shape of EC2's ids.
void append_instance_id(std::string& out, std::uint64_t number);

// events.jsonl, in the order of time. Goes to `write` in blocks.
void write_events_jsonl(const RunRecord& record, const RunContext& context,
                        const std::function<void(std::string_view)>& write);

}  // namespace headroom
