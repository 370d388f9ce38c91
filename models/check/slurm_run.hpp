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
  bool traced = false;  // to a race of the real thing, or to one such job before it
};

struct RunComparison {
  std::string name;
  RecordedClock clock = RecordedClock::coarse;
  bool disturbed = false;     // the recorder says so: jobs were sent late
  bool given_scans = false;   // power saving's scans are input: the rules alone do not lead to all of them
  bool found_tokens = false;  // when tokens of ResumeRate come was chosen: no record tells
  std::size_t jobs = 0;
  std::size_t exact = 0;     // nodes equal, allocated within a second, started in the same second, the same end
  std::size_t traced = 0;    // of the others
  std::size_t in_order = 0;  // jobs that got nodes in the recorded order
  std::size_t same_nodes = 0;
  std::size_t alloc_near = 0;  // all allocations within a second
  std::size_t start_near = 0;
  ErrorSpread alloc;
  ErrorSpread start;
  ErrorSpread power;                           // matched resumes, suspends and boot timeouts
  std::size_t power_near = 0;                  // of them within a second
  std::size_t power_unmatched = 0;             // without a counterpart, recorded or simulated
  std::vector<JobDifference> differences;      // in the order of time
  std::vector<std::string> power_differences;  // events that are off by more than a second, or missing
  std::vector<std::string> not_followed;
  // Why jobs waited, each time that squeue showed something else.
  std::size_t reasons = 0;
  std::size_t same_reasons = 0;
  std::vector<std::string> reason_differences;
  // Sums, for clocks that allow no more.
  double mean_wait_s = 0;
  double recorded_mean_wait_s = 0;
  double makespan_s = 0;
  double recorded_makespan_s = 0;
  std::size_t resumes = 0;
  std::size_t recorded_resumes = 0;
};

// What the runs of one clock together have to keep, and whether they do.
struct Tolerance {
  RecordedClock clock;
  std::string limit;     // "exact jobs, at least 98 %"
  std::string measured;  // "326 of 332 (98.2 %)"
  bool kept = false;
};

struct SlurmRunReport {
  std::vector<RunComparison> runs;
  std::vector<Tolerance> tolerances;
  bool passed() const;
};

// Throws InputError for files that are no recorded runs.
SlurmRunReport check_slurm_runs(const std::vector<std::string>& files);

std::string slurm_run_text(const SlurmRunReport& report);
std::string slurm_run_json(const SlurmRunReport& report);

std::string_view clock_name(RecordedClock clock);

}  // namespace headroom
