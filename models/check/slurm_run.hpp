// The policy `slurm` beside recorded runs of the real one: driven by what went into a run, compared with what came out,
// job by job and node by node. Hides how events are matched and what counts as agreement (docs/slurm-runs.md).
#pragma once

#include <string>
#include <vector>

#include "models/check/recorded_run.hpp"

namespace headroom {

// Errors of times, in seconds, by size.
struct ErrorSpread {
  std::size_t count = 0;
  double median = 0;
  double p95 = 0;
  double max = 0;
};

// A job that did not go as recorded.
struct JobDifference {
  std::string id;
  std::string expected;
  std::string happened;
  std::string why;
};

struct RunComparison {
  std::string name;
  RecordedClock clock = RecordedClock::coarse;
  bool disturbed = false;
  std::size_t jobs = 0;
  std::size_t exact = 0;      // allocated and started when and where recorded, with the same end
  std::size_t traced = 0;     // not exact, and the report names the race that it comes from
  std::size_t in_order = 0;   // jobs that got nodes in the recorded order
  std::size_t same_nodes = 0;
  std::size_t alloc_within_1s = 0;
  std::size_t start_within_1s = 0;
  ErrorSpread alloc;
  ErrorSpread start;
  ErrorSpread power;          // matched resumes, suspends and boot timeouts
  std::size_t power_events = 0;
  std::size_t power_unmatched = 0;  // recorded ones without a counterpart, and the other way round
  std::string first_difference;     // of all, in time; empty: none
  std::vector<JobDifference> differences;
  std::vector<std::string> not_followed;
  // Sums, for clocks that allow no more.
  double mean_wait_s = 0;
  double recorded_mean_wait_s = 0;
  double makespan_s = 0;
  double recorded_makespan_s = 0;
  std::size_t resumes = 0;
  std::size_t recorded_resumes = 0;
  bool within = false;  // tolerance of its clock
  std::string missed;   // which of its limits was not kept
};

struct SlurmRunReport {
  std::vector<RunComparison> runs;
  bool passed() const;
};

// Throws InputError for files that are no recorded runs.
SlurmRunReport check_slurm_runs(const std::vector<std::string>& files);

std::string_view clock_name(RecordedClock clock);

}  // namespace headroom
