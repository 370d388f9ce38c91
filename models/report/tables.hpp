// The tables of a run directory as CSV text: one row a job, an instance, a minute. Columns are stated in
// docs/output.md.
#pragma once

#include <functional>
#include <string>

#include "models/report/summary.hpp"

namespace headroom {

std::string jobs_csv(const RunRecord& record, const RunContext& context);
std::string nodes_csv(const RunRecord& record, const RunContext& context);
// One row every `step`, the state at that time; from the first step to the last. Goes to `write` in blocks.
void write_timeline_csv(const RunRecord& record, const RunContext& context, Time step,
                        const std::function<void(std::string_view)>& write);

// The least multiple of `step` with which the timeline has at most `rows` rows.
Time timeline_step_for(const RunRecord& record, Time step, std::int64_t rows);

}  // namespace headroom
