// Logs in the Standard Workload Format, version 2.2 (Chapin et al., "Benchmarks and standards for the
// evaluation of parallel job schedulers", JSSPP 1999; the Parallel Workloads Archive's definition). Hides the
// text: blanks and tabs, decimals, comments anywhere, extra columns, compression. Bad text is an InputError
// `file:line: field 4 (run time): found "abc", expected a number`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/scenario/scenario.hpp"
#include "models/workload/byte_source.hpp"
#include "models/workload/workload.hpp"

namespace headroom {

// The 18 fields of one line. Negative: unknown. Decimal times are rounded to a microsecond, other decimals to
// an integer.
struct SwfRecord {
  std::int64_t job = -1;
  Time submit = -1;  // since the log's zero
  Time wait = -1;
  Time run = -1;
  std::int64_t allocated_processors = -1;
  Time cpu_time = -1;
  std::int64_t used_memory_kib = -1;  // per processor
  std::int64_t requested_processors = -1;
  Time requested_time = -1;
  std::int64_t requested_memory_kib = -1;  // per processor
  std::int64_t status = -1;
  std::int64_t user = -1;
  std::int64_t group = -1;
  std::int64_t executable = -1;
  std::int64_t queue = -1;
  std::int64_t partition = -1;
  std::int64_t preceding_job = -1;
  Time think_time = -1;

  // What the job asks for: the requested processors or else the allocated ones; <= 0: neither is known.
  std::int64_t processors() const { return requested_processors > 0 ? requested_processors : allocated_processors; }
};

// What the header comments (`; Key: value`) say. Unknown numbers are -1, unknown texts empty; where a key
// comes twice, the first counts.
struct SwfHeader {
  bool present = false;  // at least one known key was there
  std::string version;
  std::string computer;
  std::string installation;
  std::string time_zone;
  std::int64_t unix_start_time = -1;  // of the log's zero
  std::int64_t max_jobs = -1;
  std::int64_t max_records = -1;
  std::int64_t max_nodes = -1;
  std::int64_t max_processors = -1;
  std::vector<std::pair<std::int64_t, std::string>> queues;
  std::vector<std::pair<std::int64_t, std::string>> partitions;
};

// Reads record after record.
class SwfReader {
 public:
  // As LineReader's.
  explicit SwfReader(const std::string& path, std::string shown_name = {}) : lines_(path, std::move(shown_name)) {}

  // The next record; false at the end of the input.
  bool next(SwfRecord& record);

  // What the comments read so far say: complete once next() has returned false, mostly complete with the
  // first record.
  const SwfHeader& header() const { return header_; }
  // The record given last is a burst of the job in the line before it (status 2, 3 or 4 and the same job
  // number): that job's summary line has already counted its work.
  bool is_burst() const { return is_burst_; }
  std::uint64_t wide_lines() const { return wide_lines_; }  // records with more than 18 columns so far
  const std::string& shown_name() const { return lines_.shown_name(); }

 private:
  void read_comment(std::string_view line);
  std::int64_t parse_oddity(const char*& at, const char* end, int field) const;
  [[noreturn]] void fail_field(const char* at, const char* end, int field, const char* expected) const;

  LineReader lines_;
  SwfHeader header_;
  bool is_burst_ = false;
  std::int64_t last_job_ = -1;
  std::uint64_t wide_lines_ = 0;
};

// Reads a log as the jobs of a run; `queue_names` are the scenario's, in the order of QueueId. `max_jobs` > 0
// stops after that many kept jobs, in the log's order. Submit times stay as in the log.
//
// A job is as wide as SwfRecord::processors. Dropped, each for the first of these reasons: burst of a
// checkpointed job; no processor count; either processor field over filter.max_processors; run time unknown
// or below filter.min_run_time; submit time unknown; no requested time with NoRequestedTime::drop. Status 0
// and 4 fail, 5 is cancelled (after its run time), everything else completes; codes that SWF does not define
// are counted. All repairs and losses are in Workload::adjustments.
//
// Throws InputError for bad text, for a log without records and for one of which nothing is left.
Workload read_swf(const std::string& path, const std::string& shown_name, const TraceMap& map,
                  const TraceFilter& filter, const std::vector<std::string>& queue_names, std::uint64_t max_jobs = 0);

}  // namespace headroom
