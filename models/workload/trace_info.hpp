// Facts about a log: what it holds, what it lacks, and which of the archive's traps it has. Needs one pass
// and the memory of a few numbers per job.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "models/workload/swf.hpp"

namespace headroom {

// Of a sample: q is the smallest value with at least that share of the sample at or below it.
struct Quantiles {
  double min = 0, p25 = 0, p50 = 0, p75 = 0, p90 = 0, p99 = 0, max = 0, mean = 0;
  std::uint64_t count = 0;  // 0: nothing known, all else 0
};

// "Jobs" are the records that a run can use: submit time, run time and a processor count known, no bursts.
struct TraceInfo {
  enum class MachineFrom : std::uint8_t { max_processors, max_nodes, widest_job };

  std::string file;
  SwfHeader header;
  std::uint64_t records = 0;
  std::uint64_t jobs = 0;

  double first_submit_s = 0;
  double last_submit_s = 0;
  double last_end_s = 0;  // submit + wait (if known) + run, of the job that ends last
  std::int64_t machine_processors = 0;
  MachineFrom machine_from = MachineFrom::widest_job;
  double offered_load = 0;       // sum(run x width) / (span of submits x machine); 0: the span is 0
  double arrivals_per_hour = 0;  // 0: the span is 0

  Quantiles processors;
  double serial_share = 0;
  double power_of_two_share = 0;  // 2, 4, 8, ...: without the serial jobs
  Quantiles run_time_s;
  Quantiles requested_time_s;  // of the jobs that have one
  double accuracy = 0;         // mean of min(1, run / requested time), of the same jobs

  std::uint64_t users = 0;                                     // distinct, known
  std::vector<std::pair<std::int64_t, std::uint64_t>> queues;  // number, jobs; by number; -1: unknown
  std::vector<std::pair<std::string, std::uint64_t>> missing;  // field, records without it; all looked at
  std::vector<std::pair<std::string, std::uint64_t>> traps;    // what, records; only those seen
};

// Throws InputError as SwfReader does, and for a log without records. `shown_name` as LineReader's.
TraceInfo trace_info(const std::string& path, const std::string& shown_name = {});

std::string trace_info_text(const TraceInfo& info);  // one screen, ends with a newline
std::string trace_info_json(const TraceInfo& info);  // schema "headroom.trace-info/1", ends with a newline

}  // namespace headroom
