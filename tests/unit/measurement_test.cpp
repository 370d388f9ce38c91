// What benchmarks print, read: every format, and every way to be wrong with file and line.
#include "models/calibrate/measurement.hpp"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/errors.hpp"

namespace headroom {
namespace {

using Kind = MessageSeries::Kind;
using testing::HasSubstr;

Measurements parse(const std::string& text) { return parse_measurements(text, "file"); }

std::string error_of(const std::string& text) {
  try {
    parse(text);
    return "no error";
  } catch (const InputError& error) {
    return error.what();
  }
}

const std::string kOsu = "# OSU MPI Latency Test v5.7.1\n# Size          Latency (us)\n";
const std::string kFiHeading = "bytes   #sent   #ack     total       time     MB/sec    usec/xfer   Mxfers/sec\n";

TEST(Measurement, ReadsOsuLatency) {
  const Measurements read = parse(kOsu + "0                      17.23\n1                      17.26\n8   18.10\n");
  ASSERT_EQ(read.series.size(), 1u);
  EXPECT_EQ(read.series[0].kind, Kind::latency);
  EXPECT_EQ(read.series[0].tool, "osu_latency 5.7.1");
  EXPECT_EQ(read.series[0].place, "file:2");
  ASSERT_EQ(read.series[0].rows.size(), 3u);
  EXPECT_EQ(read.series[0].rows[2].bytes, 8);
  EXPECT_EQ(read.series[0].rows[2].time_us, 18.10);
  EXPECT_FALSE(read.series[0].ranks.has_value());
}

// Since 7.1 there is a line with the datatype, before or after the heading; since 7.3 another name, and columns of
// choice.
TEST(Measurement, ReadsNewerOsu) {
  for (const char* text :
       {"# OSU MPI Latency Test v7.2\n# Size          Latency (us)\n# Datatype: MPI_CHAR.\n1   2.46\n2   3.31\n",
        "\n# OSU MPI Latency Test v7.5\n# Datatype: MPI_CHAR.\n# Size       Avg Latency(us)\n1   2.46\n2   3.31\n",
        "# OSU MPI-CUDA Latency Test v7.5\n# Size       Avg Latency(us)        Validation\n1   2.46   Pass\n2  3.31  "
        "Pass\n",
        "# OSU MPI Latency Test v7.4\n"
        "# Size       Avg Latency(us)    P50 Tail Lat(us)    P90 Tail Lat(us)    P99 Tail Lat(us)\n"
        "1                       2.46                2.40                2.50                9.00\n"
        "2                       3.31                3.30                3.40                9.90\n"}) {
    const Measurements read = parse(text);
    ASSERT_EQ(read.series.size(), 1u) << text;
    ASSERT_EQ(read.series[0].rows.size(), 2u) << text;
    EXPECT_EQ(read.series[0].rows[1].time_us, 3.31) << text;
    EXPECT_TRUE(read.refusals.empty());
  }
}

TEST(Measurement, MessagesThatCameOutWrongAreNoMeasurement) {
  const Measurements read = parse(
      "# OSU MPI Latency Test v7.5\n# Size       Avg Latency(us)        Validation\n1   12.46   Pass\n2  13.31  "
      "Fail\n");
  ASSERT_EQ(read.refusals.size(), 1u);
  EXPECT_EQ(read.refusals[0], "file:4: 2 bytes: validation says \"Fail\": messages came out wrong");
}

// MB/s are bytes per us; osu_bibw counts both directions.
TEST(Measurement, BandwidthsAreTimesBetweenMessages) {
  const Measurements bw =
      parse("# OSU MPI Bandwidth Test v5.8\n# Size      Bandwidth (MB/s)\n1   0.50\n1000000   2000.00\n");
  ASSERT_EQ(bw.series.size(), 1u);
  EXPECT_EQ(bw.series[0].kind, Kind::streaming);
  EXPECT_EQ(bw.series[0].tool, "osu_bw 5.8");
  EXPECT_DOUBLE_EQ(bw.series[0].rows[0].time_us, 2);
  EXPECT_DOUBLE_EQ(bw.series[0].rows[1].time_us, 500);
  const Measurements both =
      parse("# OSU MPI Bi-Directional Bandwidth Test v5.7.1\n# Size      Bandwidth (MB/s)\n1000000   2000.00\n");
  EXPECT_EQ(both.series[0].kind, Kind::bidirectional);
  EXPECT_DOUBLE_EQ(both.series[0].rows[0].time_us, 1000);
}

// A job's output: other lines before, between and after, several tables, a collective that is no pair's.
TEST(Measurement, ReadsTablesAmongOtherLines) {
  const Measurements read =
      parse("Start time: 1725005700\nPoint-to-point pairwise experiments for nodes a b\n" + kOsu +
            "0   15.62\n1   15.58\n# OSU MPI Bandwidth Test v5.8\n# Size      Bandwidth (MB/s)\n1   0.88\n2   1.76\n"
            "Point-to-point pairwise experiments for nodes a c\n" +
            kOsu +
            "0   12.39\n1   12.40\n# OSU MPI Allreduce Latency Test v5.8\n# Size       Avg Latency(us)\n4   245.00\n"
            "START OF EVENTLOG\n{\"timestamp\":1724292545.183543,\"name\":\"init\"}\n2026-11-20 done\n");
  ASSERT_EQ(read.series.size(), 3u);
  EXPECT_EQ(read.series[2].rows[0].time_us, 12.39);
  ASSERT_EQ(read.remarks.size(), 1u);
  EXPECT_EQ(read.remarks[0],
            "file:17: left out: OSU MPI Allreduce Latency Test v5.8: no latency or bandwidth of one pair of ranks");
}

TEST(Measurement, LaunchersPrefixesAreNoObstacle) {
  const Measurements read = parse(
      "[rank 0] bytes   #sent   #ack     total       time     MB/sec    usec/xfer   Mxfers/sec\n"
      "[rank 1] warning: 17 things\n[rank 0] 64      10      =10      1.2k        0.00s      1.77      36.25       "
      "0.03\n"
      "[rank 1] 64 10 =10 1.2k 0.00s 1.66 38.50 0.03\n"
      "[rank 0] 256     10      =10      5k          0.00s     14.80      17.30       0.06\n");
  ASSERT_EQ(read.series.size(), 1u);
  ASSERT_EQ(read.series[0].rows.size(), 2u);
  EXPECT_EQ(read.series[0].rows[1].time_us, 17.30);
}

// As printed by /opt/amazon/efa/test/efa_test.sh; the first size pays for the handshake.
TEST(Measurement, ReadsFiPingpongWithoutItsFirstSize) {
  const Measurements read = parse(kFiHeading +
                                  "64      10      =10      1.2k        0.03s      0.05    1362.35       0.00\n"
                                  "256     10      =10      5k          0.00s     12.86      19.90       0.05\n"
                                  "1k      10      =10      20k         0.00s     58.85      17.40       0.06\n"
                                  "4k      10      =10      80k         0.00s    217.29      18.85       0.05\n"
                                  "64k     10      =10      1.2m        0.00s    717.02      91.40       0.01\n"
                                  "1m      10      =10      20m         0.01s   2359.00     444.50       0.00\n");
  ASSERT_EQ(read.series.size(), 1u);
  const MessageSeries& series = read.series[0];
  EXPECT_EQ(series.tool, "fi_pingpong");
  ASSERT_EQ(series.rows.size(), 5u);
  EXPECT_EQ(series.rows[0].bytes, 256);
  EXPECT_EQ(series.rows[1].bytes, 1024);
  EXPECT_EQ(series.rows[3].bytes, 65536);
  EXPECT_EQ(series.rows[4].bytes, 1048576);
  EXPECT_EQ(series.rows[4].time_us, 444.50);
  ASSERT_EQ(read.remarks.size(), 1u);
  EXPECT_THAT(read.remarks[0], HasSubstr("the first size of fi_pingpong, 64 bytes in 1362.35 us"));
}

// -S all and -S 1500: sizes are shown with two digits at most, and the product of the columns tells the rest.
TEST(Measurement, FiPingpongsSizesAreCutToTwoDigits) {
  const Measurements read = parse(kFiHeading +
                                  "768     200     =200     300k        0.00s    164.81       4.66       0.21\n"
                                  "1.4k    200     =200     585k        0.00s    321.89       4.66       0.21\n"
                                  "1.5k    200     =200     600k        0.00s    321.68       4.78       0.21\n"
                                  "2k      200     =200     800k        0.01s     58.65      34.92       0.03\n");
  ASSERT_EQ(read.series[0].rows.size(), 4u);
  EXPECT_EQ(read.series[0].rows[1].bytes, 1500);
  EXPECT_EQ(read.series[0].rows[2].bytes, 1536);
  EXPECT_EQ(read.series[0].rows[3].bytes, 2048);
}

// IMB counted MB of 2^20 bytes before 2018; the time is what counts.
TEST(Measurement, ReadsImbPingPong) {
  const std::string top =
      "#---------------------------------------------------\n# Benchmarking PingPong \n# #processes = 2 \n"
      "# ( 62 additional processes waiting in MPI_Barrier)\n"
      "#---------------------------------------------------\n"
      "       #bytes #repetitions      t[usec]   Mbytes/sec\n";
  const Measurements old = parse(top +
                                 "            0         1000         2.23         0.00\n"
                                 "         4096         1000         6.11       639.23\n");
  ASSERT_EQ(old.series.size(), 1u);
  EXPECT_EQ(old.series[0].tool, "IMB PingPong");
  EXPECT_EQ(old.series[0].rows[1].bytes, 4096);
  EXPECT_EQ(old.series[0].rows[1].time_us, 6.11);
  const Measurements recent = parse(
      top +
      "            0         1000         1.66         0.00\n         4096         1000         3.46      1184.31\n\n"
      "# Benchmarking PingPing\n# #processes = 2\n       #bytes #repetitions      t[usec]   Mbytes/sec\n"
      "            0          100         1.35         0.00\n");
  ASSERT_EQ(recent.series.size(), 1u);
  EXPECT_EQ(recent.series[0].rows.size(), 2u);
  EXPECT_THAT(recent.remarks[0], HasSubstr("IMB PingPing"));
}

TEST(Measurement, ReadsOurOwnText) {
  const Measurements read = parse(
      "# Headroom MPI ping-pong 0.1.0\n# rank 0 on a and rank 1 on b: median one-way latency\n"
      "# Size          Latency (us)\n0                15.62\n1                15.58\n"
      "# rank 0 on a to rank 1 on b: median streaming bandwidth\n# Size      Bandwidth (MB/s)\n1                 "
      "0.88\n");
  ASSERT_EQ(read.series.size(), 2u);
  EXPECT_EQ(read.series[0].kind, Kind::latency);
  EXPECT_EQ(read.series[1].kind, Kind::streaming);
}

// --- JSON ---

const std::string kRanks = R"("ranks": [
  {"rank": 0, "host": "ip-10-0-0-1", "boot_id": "aa", "shared_memory_group": 0, "instance_id": "i-1",
   "instance_type": "hpc6a.48xlarge", "providers": ["efa"]},
  {"rank": 2, "host": "ip-10-0-0-2", "boot_id": "bb", "shared_memory_group": 2, "instance_id": "i-2",
   "instance_type": "hpc6a.48xlarge", "providers": ["efa"]}],)";

std::string document(const std::string& test, const std::string& result) {
  return "{\"schema\": \"headroom.mpi/1\", \"test\": \"" + test + "\", \"program_version\": \"0.1.0\",\n" + kRanks +
         "\n\"result\": " + result + "}\n";
}

TEST(Measurement, ReadsPingPongJson) {
  const Measurements read = parse(document("pingpong", R"({"pairs": [{"a": 0, "b": 2, "errors": 0, "sizes": [
    {"bytes": 0, "iterations": 10, "latency_us": {"min": 15.0, "p50": 15.5, "p95": 17, "p99": 19, "max": 30, "mean": 16}},
    {"bytes": 8, "iterations": 10, "latency_us": {"min": 15.1, "p50": 15.6, "p95": 17, "p99": 19, "max": 30, "mean": 16}}],
    "streaming": [{"bytes": 8, "window": 64, "bandwidth_mb_s": 4.0}]}]})"));
  ASSERT_EQ(read.series.size(), 2u);
  EXPECT_EQ(read.series[0].tool, "pingpong 0.1.0");
  ASSERT_EQ(read.series[0].rows.size(), 2u);
  EXPECT_EQ(read.series[0].rows[1].time_us, 15.6);
  ASSERT_TRUE(read.series[0].ranks.has_value());
  EXPECT_EQ(read.series[0].ranks->second.instance_id, "i-2");
  EXPECT_EQ(read.series[0].ranks->second.providers, std::vector<std::string>{"efa"});
  EXPECT_EQ(read.series[1].kind, Kind::streaming);
  EXPECT_DOUBLE_EQ(read.series[1].rows[0].time_us, 2);
}

TEST(Measurement, ReadsAllPairsJsonAndPrefersWhatWasMeasuredAlone) {
  const Measurements read = parse(document("allpairs", R"({"hosts": 2, "latency_bytes": 8, "bandwidth_bytes": 1000000,
    "pairs": [{"a": 0, "b": 2, "round": 0, "latency_us": 99.0, "bandwidth_mb_s": 100.0, "retested": true,
               "alone": {"latency_us": 15.7, "bandwidth_mb_s": 10000.0}}]})"));
  ASSERT_EQ(read.series.size(), 2u);
  EXPECT_EQ(read.series[0].rows[0].bytes, 8);
  EXPECT_EQ(read.series[0].rows[0].time_us, 15.7);
  EXPECT_DOUBLE_EQ(read.series[1].rows[0].time_us, 100);
}

TEST(Measurement, JsonErrorsAreRefusals) {
  const Measurements read = parse(document("pingpong", R"({"pairs": [{"a": 0, "b": 2, "errors": 3, "sizes": [
    {"bytes": 0, "latency_us": {"p50": 15.5}}]}]})"));
  ASSERT_EQ(read.refusals.size(), 1u);
  EXPECT_THAT(read.refusals[0], HasSubstr("errors: 3: messages came out wrong"));
}

TEST(Measurement, ADocumentThatWasMadeToGoWrongIsRefused) {
  std::string text = document("pingpong", R"({"pairs": [{"a": 0, "b": 2, "errors": 0, "sizes": [
    {"bytes": 0, "latency_us": {"p50": 15.5}}]}]})");
  text.insert(text.find("\"test\""), "\"test_fault\": \"flip\", ");
  const Measurements read = parse(text);
  ASSERT_EQ(read.refusals.size(), 1u);
  EXPECT_THAT(read.refusals[0], HasSubstr("test_fault: \"flip\""));
}

// --- Bad input ---

TEST(Measurement, SaysFileAndLineOfWhatIsWrong) {
  const struct {
    std::string text;
    std::string error;
  } cases[] = {
      {"", "file: empty; expected the output of a benchmark"},
      {"\n \n", "file: empty; expected the output of a benchmark"},
      {std::string("\x1f\x8b\0x", 4), "file: holds bytes of 0; expected text or JSON, not compressed"},
      {"hello\n", "file: no table of latency or bandwidth between two ranks; expected"},
      {kOsu, "file:2: a table of osu_latency 5.7.1 without a row: empty, or cut"},
      {kOsu + "0   17.23\n8\n", "file:4: found a row of 1 columns, expected 2: the table is cut"},
      {kOsu + "0   17.23\n8  1\n", "file:4: Latency (us): found \"1\" with 0 decimals, the rows above have 2"},
      {kOsu + "0   17.23\n8  18.1", "file:4: Latency (us): found \"18.1\" with 1 decimals, the rows above have 2"},
      {kOsu + "0   17.23  9.00\n", "file:3: found a row of 3 columns, expected 2"},
      {kOsu + "0   17.23\n8  -18.10\n", "file:4: Latency (us): found \"-18.10\", expected a number above 0"},
      {kOsu + "0   0.00\n", "file:3: Latency (us): found \"0.00\", expected a number above 0"},
      {kOsu + "0   nan\n", "file:3: Latency (us): found \"nan\", expected a number above 0"},
      {kOsu + "-8   17.23\n", "file:3: found -8 bytes, expected at least 0"},
      {kOsu + "8   17.23\n4   17.23\n", "file:4: found 4 bytes after 8: the sizes of a table grow"},
      {kOsu + "8   17.23\n8   17.23\n", "file:4: found 8 bytes after 8: the sizes of a table grow"},
      {kOsu + "9000000000000000   17.23\n", "file:3: found 9000000000000000 bytes, expected at most"},
      {"# OSU MPI Allreduce Latency Test v5.8\n# Size       Avg Latency(us)\n4   245.00\n",
       "left out: OSU MPI Allreduce Latency Test v5.8"},
      {"# OSU MPI Latency Test v5.8\n# Size      Bandwidth (MB/s)\n4   245.00\n",
       "file:2: osu_latency 5.8: found the column \"Bandwidth (MB/s)\", expected \"Latency (us)\""},
      {"# OSU MPI Bandwidth Test v5.8\n# Size      Bandwidth (MB/s)\n0   245.00\n",
       "file:3: found a bandwidth of messages of 0 bytes"},
      {kFiHeading + "64 10 -2 1.2k 0.03s 0.05 1362.35 0.00\n", "file:2: #ack: found \"-2\": messages were lost"},
      {kFiHeading + "1k 10 =10 20k 0.00s 588.50 17.40 0.06\n",
       "file:2: usec/xfer 17.40 and MB/sec 588.50 make messages of 10240 bytes, the row says 1k: other units"},
      {"# Benchmarking PingPong\n# #processes = 4\n", "file:2: IMB PingPong: found \"4\" processes, expected 2"},
      {"# Benchmarking PingPong\n# #processes = 2\n #bytes #repetitions t[usec] Mbytes/sec\n 4096 1000 6.11 "
       "out-of-mem\n",
       "file:4: Mbytes/sec: found \"out-of-mem\", expected a number from 0"},
      {"{", "file:1:"},
      {"{\"schema\": \"other/1\"}", "file:1: schema: found \"other/1\", expected \"headroom.mpi/1\""},
      {"{\"schema\": \"headroom.mpi/1\"}", "file:1: ranks: missing; expected an array of ranks"},
      {document("hello", "{}"), "test: found \"hello\": no times between two ranks"},
      {document("pingpong", "{\"pairs\": []}"), "result: nothing is measured in it"},
      {document("pingpong", R"({"pairs": [{"a": 0, "b": 1, "sizes": []}]})"),
       "b: found rank 1, which is not among the ranks"},
      {document("pingpong", R"({"pairs": [{"a": 0, "b": 2, "sizes": [{"bytes": -1, "latency_us": {"p50": 1}}]}]})"),
       "bytes: found -1, expected a whole number from 0"},
      {document("pingpong", R"({"pairs": [{"a": 0, "b": 2, "sizes": [{"bytes": 1, "latency_us": {"p50": 0}}]}]})"),
       "p50: found 0, expected a number above 0"},
      {document("pingpong", R"({"pairs": [{"a": 0, "b": 2, "sizes": [{"bytes": 8, "latency_us": {"p50": 1}},
                                                                        {"bytes": 4, "latency_us": {"p50": 1}}]}]})"),
       "bytes: found 4 after 8: the sizes of a pair grow"},
  };
  for (const auto& [text, error] : cases) {
    EXPECT_THAT(error_of(text), HasSubstr(error)) << text;
  }
}

TEST(Measurement, AnyPrefixOfAFileIsReadOrRefusedWithItsName) {
  const std::string texts[] = {
      kOsu + "0   17.23\n1   17.26\n8   18.10\n",
      kFiHeading + "64 10 =10 1.2k 0.03s 0.05 1362.35 0.00\n256 10 =10 5k 0.00s 12.86 19.90 0.05\n",
      document("pingpong", R"({"pairs": [{"a": 0, "b": 2, "sizes": [{"bytes": 8, "latency_us": {"p50": 1}}]}]})")};
  for (const std::string& text : texts) {
    for (std::size_t length = 0; length < text.size(); ++length) {
      try {
        const Measurements read = parse(text.substr(0, length));
        for (const MessageSeries& series : read.series) EXPECT_FALSE(series.rows.empty());
      } catch (const InputError& error) {
        EXPECT_THAT(error.what(), testing::StartsWith("file"));
      }
    }
  }
}

TEST(Measurement, FilesThatAreNotThere) {
  EXPECT_THROW(read_measurements("/no/such/file"), InputError);
  EXPECT_THROW(read_measurements(std::filesystem::temp_directory_path().string()), InputError);
}

// The OSU outputs of aws/aws-parallelcluster's integration tests: latency and bandwidth are read, collectives are not.
TEST(MeasurementShared, ReadsAllOsuOutputs) {
  const char* shared = std::getenv("HEADROOM_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "HEADROOM_SHARED is not set: no OSU outputs";
  const std::filesystem::path folder = std::filesystem::path(shared) / "data" / "efa";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << folder << " is not there";
  int read = 0;
  for (const auto& each : std::filesystem::recursive_directory_iterator(folder)) {
    if (!each.is_regular_file()) continue;
    const std::string name = each.path().filename().string();
    if (name == "osu_latency" || name == "osu_bibw") {
      const Measurements found = read_measurements(each.path().string());
      ASSERT_EQ(found.series.size(), 1u) << each.path();
      EXPECT_EQ(found.series[0].rows.size(), name == "osu_latency" ? 24u : 23u) << each.path();
      ++read;
    } else if (name.starts_with("osu_")) {
      EXPECT_THROW(read_measurements(each.path().string()), InputError) << each.path();
    }
  }
  EXPECT_EQ(read, 6);
}

}  // namespace
}  // namespace headroom
