// The folder that a run leaves behind (docs/output.md).
#pragma once

#include <string>

#include "models/report/summary.hpp"

namespace headroom {

// The folder, made if need be. Throws EnvironmentError when that cannot be.
void make_run_directory(const std::string& folder);

// Writes summary.json, jobs.csv, nodes.csv and timeline.csv; with `events` also events.jsonl and scheduler.jsonl.
void write_run_directory(const std::string& folder, const Summary& summary, const RunRecord& record,
                         const RunContext& context, Time timeline_step, bool events);

}  // namespace headroom
