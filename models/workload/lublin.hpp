// Synthetic jobs of rigid parallel machines: U. Lublin, D. G. Feitelson, "The workload on parallel
// supercomputers: modeling the characteristics of rigid jobs", JPDC 63(11), 2003; constants as in the
// authors' program. Hides the distributions and the daily cycle. The same options and seed give the same jobs
// with every standard library (of C++; exp, log and pow are the C library's).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/scenario/scenario.hpp"
#include "models/workload/workload.hpp"

namespace headroom {

// Half-hour buckets of the model's day, from midnight.
inline constexpr int kLublinBuckets = 48;

// Share of the arrivals in a bucket, as published for one stream; the shares of a day add up to 1. `type`: 0
// interactive, 1 batch, 2 all jobs without types.
double lublin_arrival_share(int type, int bucket);

// Mean of ln(run time in s) that the model's constants imply for a job of `processors`, redraws included.
double lublin_mean_log_run_time(int type, std::int32_t processors);

// options.jobs jobs for a machine of options.processors, from midnight of day 0 on, in whole seconds. With
// job types, interactive and batch jobs are two independent streams which stand to TraceMap as queues 0 and
// 1; without, all jobs have queue 0. Each stream draws arrivals, widths and run times from substreams of its
// own.
//
// The published constants are for 128 processors (batch and all jobs up to 128, interactive up to 45 =
// 2^5.5). For P processors the upper bound of the log2 width moves along with log2 P (interactive: log2 P
// - 1.5), and the point where the width's density changes keeps its published distance from it (all 2.5,
// batch 2, interactive 2.5; the authors allow 1.5 to 3.5). Small machines: a distance of 1.5, then the middle
// of the range. A power of two over P, which rounding yields when P is none, becomes the largest one below P.
//
// Requested time = run time x estimate_factor, rounded up to a minute, at least one minute. Gaps between
// arrivals are divided by load_factor before the daily cycle is applied, so that a day keeps its 24 hours.
Workload generate_lublin(const LublinOptions& options, std::uint64_t seed, const TraceMap& map,
                         const std::vector<std::string>& queue_names);

}  // namespace headroom
