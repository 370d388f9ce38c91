#include "models/workload/swf.hpp"

#include <map>
#include <string>
#include <vector>

#include <zstd.h>

#include <gtest/gtest.h>

#include "models/errors.hpp"
#include "tests/unit/temp_folder.hpp"

namespace headroom {
namespace {

using NoRequestedTime = TraceFilter::NoRequestedTime;
using Overrun = TraceFilter::Overrun;

// A line of 18 fields; what a test is not about is -1.
struct Line {
  std::string job = "1", submit = "0", wait = "-1", run = "10", allocated = "4", cpu = "-1", memory = "-1",
              requested = "4", time = "60", requested_memory = "-1", status = "1", user = "3", group = "-1",
              executable = "-1", queue = "-1";
  std::string text() const {
    return job + " " + submit + " " + wait + " " + run + " " + allocated + " " + cpu + " " + memory + " " + requested +
           " " + time + " " + requested_memory + " " + status + " " + user + " " + group + " " + executable + " " +
           queue + " -1 -1 -1";
  }
};

class Swf : public testing::Test {
 protected:
  Workload read(const std::string& text, std::uint64_t max_jobs = 0) {
    return read_swf(folder_.write("log.swf", text), "log.swf", map_, filter_, queues_, max_jobs);
  }
  Workload read(const std::vector<Line>& lines, std::uint64_t max_jobs = 0) {
    std::string text;
    for (const Line& line : lines) {
      text += line.text() + "\n";
    }
    return read(text, max_jobs);
  }
  std::string failure(const std::string& text) {
    try {
      read(text);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no failure";
  }

  TempFolder folder_;
  TraceMap map_;
  TraceFilter filter_;
  std::vector<std::string> queues_;
};

std::map<std::string, std::uint64_t> notes_of(const Workload& workload) {
  std::map<std::string, std::uint64_t> notes;
  for (const Adjustment& adjustment : workload.adjustments) {
    EXPECT_GT(adjustment.jobs, 0u) << adjustment.what;
    EXPECT_TRUE(notes.emplace(adjustment.what, adjustment.jobs).second) << adjustment.what;
  }
  return notes;
}
using Notes = std::map<std::string, std::uint64_t>;

TEST_F(Swf, ReadsAJob) {
  const Workload workload = read("; Version: 2.2\n  7 100 20 30 8 29.5 512 16 3600 1024 0 42 1 2 3 4 5 6\n");
  ASSERT_EQ(workload.jobs.size(), 1u);
  const WorkloadJob& job = workload.jobs[0];
  EXPECT_EQ(job.number, 7u);
  EXPECT_EQ(job.run_time, 30 * kSecond);
  EXPECT_EQ(job.outcome, Outcome::failed);
  EXPECT_EQ(job.request.submit, 100 * kSecond);
  EXPECT_EQ(job.request.limit, 3600 * kSecond);
  EXPECT_EQ(job.request.nodes, 0);
  EXPECT_EQ(job.request.cores, 16);
  EXPECT_FALSE(job.request.exclusive);
  EXPECT_EQ(workload.user_names, std::vector<std::string>{"42"});
  EXPECT_EQ(workload.records, 1u);
  EXPECT_EQ(workload.dropped, 0u);
  EXPECT_EQ(workload.source, "log.swf");
  EXPECT_TRUE(workload.adjustments.empty());
}

TEST_F(Swf, ReadsAllFieldsOfARecord) {
  SwfReader reader(folder_.write("a", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18\n"));
  SwfRecord r;
  ASSERT_TRUE(reader.next(r));
  EXPECT_EQ(
      (std::vector<std::int64_t>{r.job, r.submit / kSecond, r.wait / kSecond, r.run / kSecond, r.allocated_processors,
                                 r.cpu_time / kSecond, r.used_memory_kib, r.requested_processors,
                                 r.requested_time / kSecond, r.requested_memory_kib, r.status, r.user, r.group,
                                 r.executable, r.queue, r.partition, r.preceding_job, r.think_time / kSecond}),
      (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18}));
  EXPECT_FALSE(reader.next(r));
}

TEST_F(Swf, TakesTheLooseFormsOfTheArchive) {
  const std::string line = "\t 1\t0 -1  10 4 -1 -1 4 60 -1 1 3 -1 -1 -1 -1 -1 -1 \t";
  const Workload workload =
      read("\r\n" + line + "\r\n;comment: in the middle\n\n  \t\n  ; indented\n" + line + " extra x ; more\n" + line);
  EXPECT_EQ(workload.jobs.size(), 3u);
  EXPECT_EQ(notes_of(workload), (Notes{{"more than 18 columns: the rest ignored", 1}}));
}

TEST_F(Swf, TakesDecimals) {
  Line line;
  line.submit = "0.25";
  line.run = "12.3456789";
  line.time = "1.5e2";
  line.allocated = "+4";
  line.requested = "3.0";
  line.user = "7.0";
  line.memory = "12345.678";
  line.cpu = ".5";
  const Workload workload = read({line});
  const WorkloadJob& job = workload.jobs.at(0);
  EXPECT_EQ(job.request.submit, 250'000);
  EXPECT_EQ(job.run_time, 12'345'679);
  EXPECT_EQ(job.request.limit, 150 * kSecond);
  EXPECT_EQ(job.request.cores, 3);
  EXPECT_EQ(workload.user_names, std::vector<std::string>{"7"});

  SwfReader reader(folder_.write("a", "1 -1.0 -0.5 5. 4 142.00 -1 4 60.000001 -1 1 -1.0 -1 -1 -1 -1 -1 0001\n"));
  SwfRecord record;
  ASSERT_TRUE(reader.next(record));
  EXPECT_EQ(record.submit, -kSecond);
  EXPECT_EQ(record.wait, -kSecond / 2);
  EXPECT_EQ(record.run, 5 * kSecond);
  EXPECT_EQ(record.cpu_time, 142 * kSecond);
  EXPECT_EQ(record.requested_time, 60'000'001);
  EXPECT_EQ(record.user, -1);
  EXPECT_EQ(record.think_time, kSecond);
}

TEST_F(Swf, NamesFileLineAndFieldOfBadText) {
  const std::string good = Line{}.text() + "\n";
  Line line;
  line.run = "abc";
  EXPECT_EQ(failure("; header\n" + good + line.text()),
            "log.swf:3: field 4 (run time): found \"abc\", expected a number");
  line.run = "1e30";
  EXPECT_EQ(failure(line.text()),
            "log.swf:1: field 4 (run time): found \"1e30\", expected a number up to 100000000000");
  for (const char* bad : {"--1", "1-", "-", "+", "1.2.3", "0x10", "nan", "inf", "-inf", "1,5", "12:30", "1e", "+-1"}) {
    line.run = bad;
    EXPECT_EQ(failure(line.text()),
              std::string("log.swf:1: field 4 (run time): found \"") + bad + "\", expected a number");
  }
  for (const char* large : {"100000000001", "1e999", "99999999999999999999999999", "-100000000001.5"}) {
    line.run = large;
    EXPECT_EQ(failure(line.text()), std::string("log.swf:1: field 4 (run time): found \"") + large +
                                        "\", expected a number up to 100000000000");
  }
  line = Line{};
  line.requested = "2147483648";
  EXPECT_EQ(failure(line.text()),
            "log.swf:1: field 8 (requested processors): found \"2147483648\", expected a number up to 2147483647");
  line = Line{};
  line.job = std::string("1\0", 2);
  EXPECT_EQ(failure(line.text()), "log.swf:1: field 1 (job number): found \"1\\x00\", expected a number");
  EXPECT_EQ(failure("1 2 3\n"), "log.swf:1: found 3 fields, expected 18");
  EXPECT_EQ(failure(good + "1\n"), "log.swf:2: found 1 field, expected 18");
  EXPECT_EQ(failure("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 \n"), "log.swf:1: found 17 fields, expected 18");
  EXPECT_EQ(failure("{\"jobs\": []}\n"), "log.swf:1: field 1 (job number): found \"{\"jobs\":\", expected a number");
  // A last field that is cut by a comment sign is no number.
  EXPECT_EQ(failure("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18;\n"),
            "log.swf:1: field 18 (think time): found \"18;\", expected a number");
  EXPECT_EQ(failure("1 2\r3\n"), "log.swf:1: field 2 (submit time): found \"2\\x0d3\", expected a number");
}

TEST_F(Swf, SurvivesTheWorstInputs) {
  EXPECT_EQ(failure(""), "log.swf: no jobs: found no record, expected lines of 18 fields");
  EXPECT_EQ(failure("; MaxJobs: 9999999999999\n\n"), "log.swf: no jobs: found no record, expected lines of 18 fields");
  EXPECT_EQ(failure(std::string(1000, '\0')).rfind("log.swf:1: field 1 (job number): found \"\\x00\\x00", 0), 0u);
  EXPECT_EQ(failure(std::string(2'000'000, '1')), "log.swf:1: line longer than 1 MiB");
  EXPECT_EQ(failure(std::string(500'000, '1')), "log.swf:1: field 1 (job number): found \"" + std::string(40, '1') +
                                                    "...\", expected a number up to 9007199254740992");
  std::string garbage;
  for (unsigned i = 0, x = 1; i < 100'000; ++i) {
    garbage += static_cast<char>((x = x * 1664525 + 1013904223) >> 24);
  }
  EXPECT_EQ(failure(garbage).rfind("log.swf:1: ", 0), 0u);
  // A header that announces what no memory holds.
  EXPECT_EQ(read("; MaxRecords: 9223372036854775807\n" + Line{}.text() + "\n").jobs.size(), 1u);
  EXPECT_EQ(read("; MaxProcs: 99999999999999999999999\n" + Line{}.text() + "\n").jobs.size(), 1u);
}

TEST_F(Swf, NamesATruncatedLog) {
  std::string text;
  for (int i = 0; i < 5000; ++i) {
    Line line;
    line.job = std::to_string(i * 7919 % 5000);
    text += line.text() + "\n";
  }
  std::string data(ZSTD_compressBound(text.size()), '\0');
  data.resize(ZSTD_compress(data.data(), data.size(), text.data(), text.size(), 1));
  EXPECT_EQ(read(data).jobs.size(), 5000u);
  const std::string message = failure(data.substr(0, data.size() - 10));
  EXPECT_EQ(message.rfind("log.swf: zstd data ends early after ", 0), 0u) << message;
}

TEST_F(Swf, WidthIsTheRequestOrElseTheAllocation) {
  Line both{.allocated = "8", .requested = "4"};
  Line allocated{.allocated = "8", .requested = "-1"};
  Line zero{.allocated = "8", .requested = "0"};
  Line requested{.allocated = "-1", .requested = "4"};
  Line none{.allocated = "0", .requested = "-1"};
  const Workload workload = read({both, allocated, zero, requested, none});
  ASSERT_EQ(workload.jobs.size(), 4u);
  EXPECT_EQ(workload.jobs[0].request.cores, 4);
  EXPECT_EQ(workload.jobs[1].request.cores, 8);
  EXPECT_EQ(workload.jobs[2].request.cores, 8);
  EXPECT_EQ(workload.jobs[3].request.cores, 4);
  EXPECT_EQ(workload.records, 5u);
  EXPECT_EQ(workload.dropped, 1u);
  EXPECT_EQ(notes_of(workload), (Notes{{"no processor count: dropped", 1},
                                       {"requested processors missing: allocated processors taken", 2}}));
}

TEST_F(Swf, FiltersByWidthInEitherField) {
  filter_.max_processors = 4;
  const Workload workload = read({Line{.allocated = "4", .requested = "4"}, Line{.allocated = "5", .requested = "4"},
                                  Line{.allocated = "4", .requested = "5"}, Line{.allocated = "4", .requested = "-1"},
                                  Line{.allocated = "5", .requested = "-1"}});
  EXPECT_EQ(workload.jobs.size(), 2u);
  EXPECT_EQ(notes_of(workload)["wider than 4 processors: dropped"], 3u);
}

TEST_F(Swf, FiltersByTimes) {
  filter_.min_run_time = kSecond;
  const Workload workload = read({Line{.run = "-1"}, Line{.run = "0"}, Line{.run = "0.5"}, Line{.run = "1"},
                                  Line{.submit = "-1"}, Line{.submit = "-1", .run = "-1"}});
  ASSERT_EQ(workload.jobs.size(), 1u);
  EXPECT_EQ(workload.jobs[0].run_time, kSecond);
  EXPECT_EQ(workload.dropped, 5u);
  EXPECT_EQ(notes_of(workload), (Notes{{"run time unknown: dropped", 2},
                                       {"run time below 1 s: dropped", 2},
                                       {"submit time unknown: dropped", 1}}));
  filter_.min_run_time = 0;
  EXPECT_EQ(read({Line{.run = "0"}}).jobs.at(0).run_time, 0);
}

TEST_F(Swf, FillsOrDropsMissingRequestedTimes) {
  const std::vector<Line> lines{Line{.run = "100", .time = "-1"}, Line{.run = "0", .time = "0"}, Line{.time = "60"}};
  Workload workload = read(lines);
  EXPECT_EQ(workload.jobs.at(0).request.limit, 100 * kSecond);
  EXPECT_EQ(workload.jobs.at(1).request.limit, kSecond);
  EXPECT_EQ(workload.jobs.at(2).request.limit, 60 * kSecond);
  EXPECT_EQ(notes_of(workload), (Notes{{"requested time missing: run time taken", 2}}));

  filter_.no_requested_time = NoRequestedTime::drop;
  workload = read(lines);
  EXPECT_EQ(workload.jobs.size(), 1u);
  EXPECT_EQ(notes_of(workload), (Notes{{"requested time missing: dropped", 2}}));

  filter_.no_requested_time = NoRequestedTime::value;
  filter_.default_requested_time = 90 * kSecond + kSecond / 2;
  workload = read(lines);
  EXPECT_EQ(workload.jobs.at(0).request.limit, filter_.default_requested_time);
  EXPECT_EQ(notes_of(workload), (Notes{{"requested time missing: 90.5 s taken", 2},
                                       {"run time over requested time: will be killed at the limit", 1}}));
}

TEST_F(Swf, KillsOrRaisesOverruns) {
  const std::vector<Line> lines{Line{.run = "61", .time = "60"}, Line{.run = "60", .time = "60"}};
  Workload workload = read(lines);
  EXPECT_EQ(workload.jobs.at(0).request.limit, 60 * kSecond);
  EXPECT_EQ(workload.jobs.at(0).run_time, 61 * kSecond);
  EXPECT_EQ(notes_of(workload), (Notes{{"run time over requested time: will be killed at the limit", 1}}));

  filter_.overrun = Overrun::raise;
  workload = read(lines);
  EXPECT_EQ(workload.jobs.at(0).request.limit, 61 * kSecond);
  EXPECT_EQ(notes_of(workload), (Notes{{"run time over requested time: request raised to the run time", 1}}));
}

TEST_F(Swf, TakesTheRunTimeForTheRequestedTime) {
  filter_.clairvoyant = true;
  const std::vector<Line> lines{Line{.run = "10", .time = "60"}, Line{.run = "61", .time = "60"},
                                Line{.run = "60", .time = "60"}, Line{.run = "0", .time = "60"},
                                Line{.run = "7", .time = "-1"}};
  const auto limits = [](const Workload& workload) {
    std::vector<Time> all;
    for (const WorkloadJob& job : workload.jobs) all.push_back(job.request.limit / kSecond);
    return all;
  };
  Workload workload = read(lines);
  EXPECT_EQ(limits(workload), (std::vector<Time>{10, 60, 60, 1, 7}));  // what is killed runs to its limit
  EXPECT_EQ(workload.jobs.at(1).run_time, 61 * kSecond);
  EXPECT_EQ(notes_of(workload)["requested time over run time: run time taken"], 2u);

  filter_.overrun = Overrun::raise;
  EXPECT_EQ(limits(read(lines)), (std::vector<Time>{10, 61, 60, 1, 7}));
}

TEST_F(Swf, MapsStatusToOutcome) {
  const Workload workload =
      read({Line{.job = "1", .status = "1"}, Line{.job = "2", .status = "-1"}, Line{.job = "3", .status = "0"},
            Line{.job = "4", .status = "5"}, Line{.job = "5", .status = "137"}, Line{.job = "6", .status = "4"},
            Line{.job = "7", .status = "3"}, Line{.job = "8", .status = "-9"}});
  std::vector<Outcome> outcomes;
  for (const WorkloadJob& job : workload.jobs) {
    outcomes.push_back(job.outcome);
  }
  EXPECT_EQ(outcomes,
            (std::vector<Outcome>{Outcome::completed, Outcome::completed, Outcome::failed, Outcome::cancelled,
                                  Outcome::completed, Outcome::failed, Outcome::completed, Outcome::completed}));
  EXPECT_EQ(notes_of(workload), (Notes{{"status not defined by SWF: taken as completed", 2}}));
}

// SWF gives a checkpointed job a summary line, then one line for each burst with the same job number.
TEST_F(Swf, CountsTheWorkOfCheckpointedJobsOnce) {
  const Workload workload =
      read({Line{.job = "1", .run = "30", .status = "1"}, Line{.job = "1", .run = "10", .status = "2"},
            Line{.job = "1", .run = "20", .status = "3"}, Line{.job = "2", .run = "5", .status = "2"}});
  ASSERT_EQ(workload.jobs.size(), 2u);
  EXPECT_EQ(workload.jobs[0].run_time, 30 * kSecond);
  EXPECT_EQ(workload.jobs[1].number, 2u);
  EXPECT_EQ(notes_of(workload), (Notes{{"burst of a checkpointed job: dropped", 2}}));
}

TEST_F(Swf, NumbersUsersByAppearance) {
  const Workload workload =
      read({Line{.user = "9"}, Line{.user = "-1"}, Line{.user = "9"}, Line{.user = "5000000001"}, Line{.user = "0"},
            Line{.user = "-7"}, Line{.user = "5000000001"}, Line{.run = "-1", .user = "77"}});
  EXPECT_EQ(workload.user_names, (std::vector<std::string>{"9", "unknown", "5000000001", "0"}));
  std::vector<std::uint32_t> users;
  for (const WorkloadJob& job : workload.jobs) {
    users.push_back(job.request.user);
  }
  EXPECT_EQ(users, (std::vector<std::uint32_t>{0, 1, 0, 2, 3, 1, 2}));
}

TEST_F(Swf, MapsProcessorsToCoresOrNodes) {
  map_.processors_per_unit = 4;
  const std::vector<Line> lines{Line{.requested = "1"}, Line{.requested = "4"}, Line{.requested = "5"},
                                Line{.requested = "2147483647"}};
  Workload workload = read(lines);
  EXPECT_EQ(workload.jobs.at(0).request.cores, 1);
  EXPECT_EQ(workload.jobs.at(1).request.cores, 1);
  EXPECT_EQ(workload.jobs.at(2).request.cores, 2);
  EXPECT_EQ(workload.jobs.at(3).request.cores, 536'870'912);
  EXPECT_EQ(workload.jobs.at(2).request.nodes, 0);
  EXPECT_FALSE(workload.jobs.at(2).request.exclusive);

  map_.unit = TraceMap::Unit::node;
  workload = read(lines);
  EXPECT_EQ(workload.jobs.at(1).request.nodes, 1);
  EXPECT_EQ(workload.jobs.at(2).request.nodes, 2);
  EXPECT_EQ(workload.jobs.at(2).request.cores, 1);
  EXPECT_TRUE(workload.jobs.at(2).request.exclusive);
}

TEST_F(Swf, MapsQueues) {
  queues_ = {"debug", "batch", "long"};
  const std::vector<Line> lines{Line{.queue = "1"}, Line{.queue = "2"}, Line{.queue = "-1"}, Line{.queue = "9"}};
  const auto queues = [&] {
    std::vector<std::uint32_t> numbers;
    for (const WorkloadJob& job : read(lines).jobs) {
      numbers.push_back(number(job.request.queue));
    }
    return numbers;
  };
  EXPECT_EQ(queues(), (std::vector<std::uint32_t>{0, 0, 0, 0}));
  map_.queue = "batch";
  EXPECT_EQ(queues(), (std::vector<std::uint32_t>{1, 1, 1, 1}));
  map_.queues = {{1, "long"}, {9, "debug"}, {1, "batch"}};
  EXPECT_EQ(queues(), (std::vector<std::uint32_t>{2, 1, 1, 0}));
  map_.queue = "absent";
  EXPECT_THROW(queues(), InputError);
}

TEST_F(Swf, SortsByTimeThenLogOrder) {
  const Workload workload =
      read({Line{.job = "1", .submit = "5"}, Line{.job = "2", .submit = "9"}, Line{.job = "3", .submit = "5"},
            Line{.job = "4", .submit = "2"}, Line{.job = "5", .submit = "5"}});
  std::vector<std::uint64_t> numbers;
  for (const WorkloadJob& job : workload.jobs) {
    numbers.push_back(job.number);
  }
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{4, 1, 3, 5, 2}));
  EXPECT_EQ(notes_of(workload), (Notes{{"submitted out of order: sorted by submit time", 2}}));
}

TEST_F(Swf, StopsAfterMaxJobs) {
  const std::string bad = "this line is never reached\n";
  const std::string text =
      Line{.job = "1"}.text() + "\n" + Line{.job = "2", .run = "-1"}.text() + "\n" + Line{.job = "3"}.text() + "\n";
  const Workload workload = read(text + bad, 2);
  ASSERT_EQ(workload.jobs.size(), 2u);
  EXPECT_EQ(workload.jobs[1].number, 3u);
  EXPECT_EQ(workload.records, 3u);
  EXPECT_EQ(workload.dropped, 1u);
}

TEST_F(Swf, SaysWhyNothingIsLeft) {
  filter_.max_processors = 2;
  EXPECT_EQ(failure(Line{}.text() + "\n" + Line{.allocated = "1", .requested = "1"}.text() + "\n"), "no failure");
  EXPECT_EQ(failure(Line{}.text() + "\n" + Line{.run = "-1", .allocated = "1", .requested = "1"}.text() + "\n"),
            "log.swf: no jobs left of 2:\n  1 wider than 2 processors: dropped\n  1 run time unknown: dropped");
}

TEST_F(Swf, ReadsTheHeader) {
  SwfReader reader(folder_.write(
      "a",
      "; Version: 2.2\n;  Computer: IBM SP2\n;Installation:KTH: Stockholm\n; MaxJobs: 12\n; maxrecords: 11\n"
      ";   MaxNodes: 338 (batch partition; 512 total)\n; MaxProcs: 1664 (72, 1368, 224)\n"
      "; UnixStartTime: 843480031\n; TimeZoneString: Europe/Stockholm\n; Queue: 0 interactive  \n"
      "; Queue: 1 - Normal jobs\n; Queue:  2  \n; Queue: none\n; Partition: 1 pbatch\n; Note: "
      "http://x\n;\n;;\n" +
          Line{}.text() + "\n; MaxProcs: 7\n"));
  SwfRecord record;
  ASSERT_TRUE(reader.next(record));
  ASSERT_FALSE(reader.next(record));
  const SwfHeader& header = reader.header();
  EXPECT_TRUE(header.present);
  EXPECT_EQ(header.version, "2.2");
  EXPECT_EQ(header.computer, "IBM SP2");
  EXPECT_EQ(header.installation, "KTH: Stockholm");
  EXPECT_EQ(header.max_jobs, 12);
  EXPECT_EQ(header.max_records, 11);
  EXPECT_EQ(header.max_nodes, 338);
  EXPECT_EQ(header.max_processors, 1664) << "the first of two counts";
  EXPECT_EQ(header.unix_start_time, 843480031);
  EXPECT_EQ(header.time_zone, "Europe/Stockholm");
  using Names = std::vector<std::pair<std::int64_t, std::string>>;
  EXPECT_EQ(header.queues, (Names{{0, "interactive"}, {1, "Normal jobs"}, {2, ""}}));
  EXPECT_EQ(header.partitions, (Names{{1, "pbatch"}}));

  SwfReader bare(folder_.write("b", "; written by hand\n" + Line{}.text()));
  ASSERT_TRUE(bare.next(record));
  EXPECT_FALSE(bare.header().present);
}

// Logs of the Parallel Workloads Archive: the job counts of Gaussier et al., SC'15, and what awk counts in
// them.
struct RealLog {
  const char* name;
  std::int32_t processors;
  std::uint64_t records;
  std::uint64_t jobs;      // with the filter of that paper
  std::uint64_t overruns;  // run time over requested time: its results follow from killing these at the limit
};

class RealSwf : public testing::TestWithParam<RealLog> {};

TEST_P(RealSwf, KeepsAsManyJobsAsPublished) {
  const std::string path = real_trace(GetParam().name);
  if (path.empty()) {
    GTEST_SKIP() << GetParam().name << " is in no folder of HEADROOM_TRACES";
  }
  TraceFilter filter;
  filter.no_requested_time = NoRequestedTime::drop;
  filter.min_run_time = kSecond;
  filter.max_processors = GetParam().processors;
  const Workload workload = read_swf(path, GetParam().name, {}, filter, {});
  EXPECT_EQ(workload.records, GetParam().records);
  EXPECT_EQ(workload.jobs.size(), GetParam().jobs);
  EXPECT_EQ(workload.dropped, GetParam().records - GetParam().jobs);
  EXPECT_EQ(notes_of(workload)["run time over requested time: will be killed at the limit"], GetParam().overruns);
  Time last = 0;
  for (const WorkloadJob& job : workload.jobs) {
    ASSERT_GE(job.request.submit, last);
    ASSERT_GT(job.request.limit, 0);
    ASSERT_GT(job.run_time, 0);
    ASSERT_GT(job.request.cores, 0);
    ASSERT_LE(job.request.cores, GetParam().processors);
    ASSERT_LT(job.request.user, workload.user_names.size());
    last = job.request.submit;
  }
}

INSTANTIATE_TEST_SUITE_P(Archive, RealSwf,
                         testing::Values(RealLog{"KTH-SP2-1996-2.swf.zst", 100, 28'489, 28'481, 475},
                                         RealLog{"CTC-SP2-1996-3.1-cln.swf.zst", 338, 77'222, 77'199, 7'174}),
                         [](const auto& test) { return std::string(test.param.name).substr(0, 3); });

}  // namespace
}  // namespace headroom
