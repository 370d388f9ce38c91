// The tables of a run directory as CSV text: one row a job, an instance, a minute. Columns are stated in docs/output.md.
#pragma once

#include <string>

#include "models/report/summary.hpp"

namespace headroom {

std::string jobs_csv(const RunRecord& record, const RunContext& context);
std::string nodes_csv(const RunRecord& record, const RunContext& context);
// One row every `step`, the state at that time; from the first step to the last.
std::string timeline_csv(const RunRecord& record, const RunContext& context, Time step = kMinute);

}  // namespace headroom
