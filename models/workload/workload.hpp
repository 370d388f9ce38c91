// A workload: the jobs a run submits, in submit order, with the truth that policies never see (run time,
// outcome). Sources (logs, generators, inline jobs) fill it; the simulated world reads it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/news.hpp"
#include "models/network/communication.hpp"

namespace headroom {

// The longest requested time: plans add up requested times, and the sum of many must stay within Time.
inline constexpr Time kLongestRequest = 10 * 365 * 24 * kHour;

struct WorkloadJob {
  JobRequest request;
  // True run time, >= 0, on nodes of one last network node; more than request.limit: killed at the limit.
  Time run_time = 0;
  Outcome outcome = Outcome::completed;  // how it ends unless its limit comes first
  Time stop_time = 0;                    // from being told to end until its processes are gone
  Time checkpoint_interval = 0;          // of run time; started again, it goes on from its last one; 0: anew
  std::uint64_t number = 0;              // the log's own job number, or the position of an inline job (from 1)
  std::uint32_t communication = 0;       // 1 + position in Workload::communication; 0: where it runs does not matter
};

// One kind of repair or loss while reading, as shown to the user.
struct Adjustment {
  std::string what;  // "requested time missing: run time taken"
  std::uint64_t jobs = 0;
};

struct Workload {
  std::vector<WorkloadJob> jobs;        // by submit time, then by order in the source
  std::vector<JobTerms> terms;          // WorkloadJob::request.terms - 1 indexes this
  std::vector<std::string> user_names;  // WorkloadJob::request.user indexes this
  std::vector<std::string> job_names;   // names of inline jobs; empty: numbers are the names
  std::vector<CommunicationProfile> communication;
  std::vector<Adjustment> adjustments;  // only those that happened
  std::uint64_t records = 0;            // job records in the source; jobs.size() + dropped
  std::uint64_t dropped = 0;
  std::string source;  // file name or generator, for messages
};

// When a run of it begins. Times may be counted from anywhere (a log's seconds since 1970): a run whose first job comes
// late begins with it.
inline Time run_origin(const Workload& workload) {
  const Time first = workload.jobs.empty() ? 0 : workload.jobs.front().request.submit;
  return first > 24 * kHour ? first : 0;
}

}  // namespace headroom
