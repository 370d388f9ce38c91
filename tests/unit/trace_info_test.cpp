#include "models/workload/trace_info.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/errors.hpp"
#include "tests/unit/temp_folder.hpp"

namespace headroom {
namespace {

constexpr const char* kLog =
    "; Computer: Toy\n"
    "; Installation: Here\n"
    "; UnixStartTime: 843480031\n"
    "; TimeZoneString: Europe/Stockholm\n"
    "; MaxProcs: 8\n"
    "; Queue: 1 night\n"
    "1    0  5  100  1 -1 -1  1  200 -1  1  1 -1 -1  1 -1 -1 -1\n"
    "2 1800  0  300  4 -1 -1  4  200 -1  1  2 -1 -1  1 -1 -1 -1\n"
    "3 3600 -1    0  3 -1 -1 -1   -1 -1 -1 -1 -1 -1 -1 -1 -1 -1\n"
    "4 3000  0   50 16 -1 64 16  100 -1  0  1 -1 -1  1 -1 -1 -1 extra\n"
    "5   -1 -1   -1 -1 -1 -1 -1   -1 -1 99  1 -1 -1  1 -1 -1 -1\n"
    "6 7200  0  400  2 -1 -1  2  400 -1  1  1 -1 -1  2 -1 -1 -1\n"
    "6 7200  0  200  2 -1 -1  2  400 -1  3  1 -1 -1  2 -1 -1 -1\n";

std::uint64_t count_of(const std::vector<std::pair<std::string, std::uint64_t>>& counts, const std::string& name) {
  const auto found = std::find_if(counts.begin(), counts.end(), [&](const auto& entry) { return entry.first == name; });
  return found == counts.end() ? 0 : found->second;
}

TEST(TraceInfo, FindsTheFacts) {
  const TempFolder folder;
  const TraceInfo info = trace_info(folder.write("log", kLog), "toy.swf");
  EXPECT_EQ(info.file, "toy.swf");
  EXPECT_EQ(info.records, 7u);
  EXPECT_EQ(info.jobs, 5u);
  EXPECT_EQ(info.first_submit_s, 0);
  EXPECT_EQ(info.last_submit_s, 7200);
  EXPECT_EQ(info.last_end_s, 7600);
  EXPECT_EQ(info.machine_processors, 8);
  EXPECT_EQ(info.machine_from, TraceInfo::MachineFrom::max_processors);
  // 100 x 1 + 300 x 4 + 0 x 3 + 50 x 16 + 400 x 2 processor seconds in 7200 s on 8 processors.
  EXPECT_DOUBLE_EQ(info.offered_load, 2900.0 / (7200 * 8));
  EXPECT_DOUBLE_EQ(info.arrivals_per_hour, 2.5);

  EXPECT_EQ(info.processors.count, 5u);
  EXPECT_EQ(info.processors.min, 1);
  EXPECT_EQ(info.processors.p25, 2);
  EXPECT_EQ(info.processors.p50, 3);
  EXPECT_EQ(info.processors.p75, 4);
  EXPECT_EQ(info.processors.p90, 16);
  EXPECT_EQ(info.processors.max, 16);
  EXPECT_DOUBLE_EQ(info.processors.mean, 26.0 / 5);
  EXPECT_DOUBLE_EQ(info.serial_share, 0.2);
  EXPECT_DOUBLE_EQ(info.power_of_two_share, 0.6);
  EXPECT_EQ(info.run_time_s.p50, 100);
  EXPECT_EQ(info.requested_time_s.count, 4u);
  EXPECT_DOUBLE_EQ(info.accuracy, (0.5 + 1 + 0.5 + 1) / 4);
  EXPECT_EQ(info.users, 2u);
  using Queues = std::vector<std::pair<std::int64_t, std::uint64_t>>;
  EXPECT_EQ(info.queues, (Queues{{-1, 1}, {1, 3}, {2, 1}}));

  EXPECT_EQ(count_of(info.missing, "submit time"), 1u);
  EXPECT_EQ(count_of(info.missing, "wait time"), 2u);
  EXPECT_EQ(count_of(info.missing, "run time"), 1u);
  EXPECT_EQ(count_of(info.missing, "processors"), 1u);
  EXPECT_EQ(count_of(info.missing, "requested time"), 2u);
  EXPECT_EQ(count_of(info.missing, "memory"), 6u);
  EXPECT_EQ(count_of(info.missing, "status"), 1u);
  EXPECT_EQ(count_of(info.missing, "user"), 1u);
  EXPECT_EQ(count_of(info.missing, "queue"), 1u);

  EXPECT_EQ(count_of(info.traps, "no header"), 0u);
  EXPECT_EQ(count_of(info.traps, "run time over requested time"), 1u);
  EXPECT_EQ(count_of(info.traps, "run time of 0"), 1u);
  EXPECT_EQ(count_of(info.traps, "wider than the machine"), 1u);
  EXPECT_EQ(count_of(info.traps, "requested processors missing, allocated ones known"), 1u);
  EXPECT_EQ(count_of(info.traps, "submitted before the record above"), 2u);
  EXPECT_EQ(count_of(info.traps, "burst of a checkpointed job"), 1u);
  EXPECT_EQ(count_of(info.traps, "status not defined by SWF"), 1u);
  EXPECT_EQ(count_of(info.traps, "more than 18 columns"), 1u);
}

TEST(TraceInfo, ShowsOneScreen) {
  const TempFolder folder;
  const std::string text = trace_info_text(trace_info(folder.write("log", kLog), "toy.swf"));
  EXPECT_NE(text.find("Toy, Here"), std::string::npos) << text;
  EXPECT_NE(text.find("1996-09-23 12:00:31 UTC (Europe/Stockholm)"), std::string::npos) << text;
  EXPECT_NE(text.find("8 (header MaxProcs)"), std::string::npos) << text;
  EXPECT_NE(text.find("1 night: 3"), std::string::npos) << text;
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 45) << text;
  std::size_t longest = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    longest = std::max(longest, end - at);
    at = end + 1;
  }
  EXPECT_LE(longest, 112u) << text;
}

TEST(TraceInfo, WritesJson) {
  const TempFolder folder;
  const auto json = nlohmann::json::parse(trace_info_json(trace_info(folder.write("log", kLog), "toy.swf")));
  EXPECT_EQ(json["schema"], "headroom.trace-info/1");
  EXPECT_EQ(json["file"], "toy.swf");
  EXPECT_EQ(json["jobs"], 5);
  EXPECT_EQ(json["header"]["start_utc"], "1996-09-23 12:00:31 UTC");
  EXPECT_EQ(json["header"]["max_nodes"], nullptr);
  EXPECT_EQ(json["header"]["queues"]["1"], "night");
  EXPECT_EQ(json["processors"]["p50"], 3);
  EXPECT_EQ(json["queues"][0]["queue"], nullptr);
  EXPECT_EQ(json["missing"]["user"], 1);
  EXPECT_EQ(json["traps"]["more than 18 columns"], 1);
}

TEST(TraceInfo, SurvivesOddLogs) {
  const TempFolder folder;
  EXPECT_THROW(trace_info(folder.write("empty", "; MaxProcs: 4\n"), "x"), InputError);
  EXPECT_THROW(trace_info(folder.path(), "x"), InputError);
  // One job, no header, nothing requested, Latin-1 and an escape in a comment.
  const TraceInfo one = trace_info(folder.write("one", "1 5 -1 7 3 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1\n"), "one");
  EXPECT_EQ(one.machine_from, TraceInfo::MachineFrom::widest_job);
  EXPECT_EQ(one.machine_processors, 3);
  EXPECT_EQ(one.offered_load, 0);
  EXPECT_EQ(count_of(one.traps, "no header"), 1u);
  EXPECT_NE(trace_info_text(one).find("the widest job"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(trace_info_json(one))["requested_time_s"], nullptr);
  // Nothing usable is still something to tell.
  const TraceInfo none = trace_info(
      folder.write("none", "; Computer: K\xf6ln \x1b[31m\n1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1 -1\n"),
      "none");
  EXPECT_EQ(none.jobs, 0u);
  EXPECT_EQ(trace_info_text(none).find('\x1b'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(trace_info_json(none))["processors"], nullptr);
  // Times at the edge of what is read.
  const TraceInfo far =
      trace_info(folder.write("far",
                              "; UnixStartTime: 9000000000000000000\n"
                              "1 0 0 1 1 -1 -1 1 1 -1 1 1 1 1 1 1 1 1\n"
                              "2 100000000000 100000000000 100000000000 2147483647 -1 -1 1 1 -1 1 1 1 1 1 1 1 1\n"),
                 "far");
  EXPECT_EQ(far.last_end_s, 3e11);
  EXPECT_EQ(trace_info_text(far).find("log starts"), std::string::npos);
}

TEST(TraceInfo, KnowsRealLogs) {
  const std::string path = real_trace("LLNL-Thunder-2007-1.1-cln.swf.zst");
  if (path.empty()) {
    GTEST_SKIP() << "LLNL-Thunder-2007-1.1-cln.swf.zst is in no folder of HEADROOM_TRACES";
  }
  const TraceInfo info = trace_info(path);
  EXPECT_EQ(info.records, 121'039u);
  EXPECT_EQ(info.machine_processors, 4008);
  EXPECT_EQ(count_of(info.traps, "submitted before the record above"), 808u);
  EXPECT_EQ(count_of(info.traps, "run time over requested time"), 1101u);
  EXPECT_EQ(count_of(info.missing, "requested time"), 82'437u);
}

}  // namespace
}  // namespace headroom
