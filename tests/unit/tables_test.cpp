#include "models/report/tables.hpp"

#include <algorithm>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/report/format.hpp"
#include "tests/unit/draw.hpp"
#include "tests/unit/run_story.hpp"

namespace headroom {
namespace {

using testing::ElementsAre;

std::string timeline_csv(const RunRecord& record, const RunContext& context, Time step = kMinute) {
  std::string csv;
  write_timeline_csv(record, context, step, [&csv](std::string_view rows) { csv += rows; });
  return csv;
}

// The lines behind the header line.
std::vector<std::string> rows_of(const std::string& csv) {
  std::vector<std::string> rows;
  std::istringstream in(csv);
  for (std::string line; std::getline(in, line);) rows.push_back(line);
  rows.erase(rows.begin());
  return rows;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back().push_back(c);
    }
  }
  return fields;
}

// Rows by column name: columns may be added.
std::vector<std::map<std::string, std::string>> table_of(const std::string& csv) {
  const std::vector<std::string> names = fields_of(csv.substr(0, csv.find('\n')));
  std::vector<std::map<std::string, std::string>> table;
  for (const std::string& row : rows_of(csv)) {
    const std::vector<std::string> fields = fields_of(row);
    EXPECT_EQ(fields.size(), names.size()) << row;
    auto& named = table.emplace_back();
    for (std::size_t i = 0; i < std::min(names.size(), fields.size()); ++i) named[names[i]] = fields[i];
  }
  return table;
}

void expect_fields(const std::map<std::string, std::string>& row,
                   const std::vector<std::pair<std::string, std::string>>& expected) {
  for (const auto& [name, value] : expected) {
    const auto found = row.find(name);
    ASSERT_NE(found, row.end()) << name;
    EXPECT_EQ(found->second, value) << name;
  }
}

template <class Append, class Value>
std::string text_of(Append append, Value value) {
  std::string out;
  append(out, value);
  return out;
}

TEST(Format, WritesTimesWithAsManyDecimalsAsTheyNeed) {
  const auto seconds = [](Time t) { return text_of(append_seconds, t); };
  EXPECT_EQ(seconds(0), "0");
  EXPECT_EQ(seconds(12 * kSecond), "12");
  EXPECT_EQ(seconds(12'250'000), "12.25");
  EXPECT_EQ(seconds(1), "0.000001");
  EXPECT_EQ(seconds(100'100'000), "100.1");
  EXPECT_EQ(seconds(-1'500'000), "-1.5");
}

TEST(Format, WritesMoneyWithSixDecimals) {
  EXPECT_EQ(text_of(append_usd, MicroUsd{12'345'678}), "12.345678");
  EXPECT_EQ(text_of(append_usd, MicroUsd{0}), "0.000000");
  EXPECT_EQ(text_of(append_usd, MicroUsd{1'000'050}), "1.000050");
  EXPECT_EQ(text_of(append_usd, MicroUsd{-7}), "-0.000007");
}

TEST(Format, QuotesTextWhereCsvWantsIt) {
  const auto quoted = [](std::string_view t) { return text_of(append_csv_text, t); };
  EXPECT_EQ(quoted("plain text"), "plain text");
  EXPECT_EQ(quoted("a,b"), "\"a,b\"");
  EXPECT_EQ(quoted("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(quoted("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(quoted(""), "");
}

TEST(JobsCsv, TellsAJobsLife) {
  const RunStory story = one_job_story();
  const auto table = table_of(jobs_csv(story.record, story.context()));
  ASSERT_EQ(table.size(), 1u);
  expect_fields(table[0], {{"job_id", "1"},
                           {"user", "ann"},
                           {"queue", "batch"},
                           {"nodes", "1"},
                           {"cpus", "4"},
                           {"submit_s", "0"},
                           {"start_s", "60"},
                           {"end_s", "150"},
                           {"wait_s", "60"},
                           {"run_s", "90"},
                           {"bounded_slowdown", "1.6666666666666667"},
                           {"state", "COMPLETED"},
                           {"node_list", "compute-1"},
                           {"cost_usd", "0.090000"}});
}

TEST(JobsCsv, LeavesOutWhatDidNotHappen) {
  RunStory story;
  story.reject(story.arrive(99, 1, 1));
  story.at(5);
  story.arrive(3);
  story.at(7);
  story.launch(0);
  story.at(8);
  story.running(0);
  story.ready(0);
  story.start(story.arrive(2), {share_of(0, 2)});
  story.at(9);
  const auto table = table_of(jobs_csv(story.record, story.context()));
  ASSERT_EQ(table.size(), 3u);
  const std::vector<std::pair<std::string, std::string>> never_ran = {
      {"start_s", ""},          {"end_s", ""},  {"wait_s", ""},    {"run_s", ""},
      {"bounded_slowdown", ""}, {"nodes", "0"}, {"node_list", ""}, {"cost_usd", "0.000000"}};
  expect_fields(table[0], never_ran);
  expect_fields(table[0], {{"user", "bob"}, {"queue", "other"}, {"cpus", "99"}, {"state", "REJECTED"}});
  expect_fields(table[1], never_ran);
  expect_fields(table[1], {{"submit_s", "7"}, {"cpus", "3"}, {"state", "PENDING"}});
  expect_fields(table[2], {{"start_s", "9"},
                           {"end_s", ""},
                           {"wait_s", "0"},
                           {"run_s", ""},
                           {"bounded_slowdown", ""},
                           {"state", "RUNNING"},
                           {"node_list", "compute-1"},
                           {"cost_usd", "0.000000"}});
}

TEST(JobsCsv, TellsTheLastAttemptAndHowManyThereWere) {
  const RunStory story = requeue_story();
  expect_fields(table_of(jobs_csv(story.record, story.context()))[0], {{"start_s", "400"},
                                                                       {"end_s", "450"},
                                                                       {"wait_s", "400"},
                                                                       {"run_s", "50"},
                                                                       {"state", "TIMEOUT"},
                                                                       {"requeues", "2"},
                                                                       {"nodes", "2"},
                                                                       {"node_list", "compute-[1,3]"},
                                                                       {"allocated_s", "400"}});
}

TEST(JobsCsv, TellsJobsThatConfigureCompleteOrEndedWithoutRunning) {
  RunStory story;
  story.static_node(0);
  for (int i = 0; i < 4; ++i) story.arrive(2);
  story.allocate(0, {share_of(1, 2)});
  story.allocate(1, {share_of(1, 2)});
  story.start(2, {share_of(0, 2)});
  story.at(10);
  story.end(1, Outcome::node_failed);
  story.stop(2, Outcome::cancelled);
  story.end(3, Outcome::cancelled);
  story.at(20);
  const auto table = table_of(jobs_csv(story.record, story.context()));
  const std::vector<std::pair<std::string, std::string>> never_ran = {
      {"start_s", ""}, {"run_s", ""}, {"nodes", "0"}, {"cpus", "2"}, {"node_list", ""}, {"cost_usd", "0.000000"}};
  for (const std::size_t job : {0u, 1u, 3u}) expect_fields(table[job], never_ran);
  expect_fields(table[0], {{"state", "CONFIGURING"}, {"end_s", ""}, {"allocated_s", "10"}});
  expect_fields(table[1], {{"state", "NODE_FAIL"}, {"end_s", "20"}, {"allocated_s", "10"}});
  expect_fields(table[2], {{"state", "COMPLETING"}, {"end_s", "20"}, {"node_list", "compute-1"}});
  expect_fields(table[3], {{"state", "CANCELLED"}, {"end_s", "20"}, {"allocated_s", ""}});
}

TEST(JobsCsv, TakesJobNamesWhereThereAreSome) {
  RunStory story = RunStory::pool(4);
  story.workload.job_names = {"prep, part 1"};
  story.job(0, 0, 10, {share_of(0)});
  EXPECT_THAT(rows_of(jobs_csv(story.record, story.context()))[0], testing::StartsWith("\"prep, part 1\",ann,"));
}

// The node list of a job on the given nodes (from 0, eight a group).
std::string node_list(const std::vector<std::uint32_t>& nodes) {
  RunStory story({"compute", "big"});
  std::vector<NodeShare> shares;
  for (std::uint32_t n = 0; n < 16; ++n) story.static_node(n);
  for (const std::uint32_t n : nodes) shares.push_back(share_of(n));
  story.job(1, 1, 2, shares);
  return table_of(jobs_csv(story.record, story.context()))[0]["node_list"];
}

TEST(JobsCsv, CompressesNodeListsAsSlurmDoes) {
  EXPECT_EQ(node_list({4}), "compute-5");
  EXPECT_EQ(node_list({0, 1}), "compute-[1-2]");
  EXPECT_EQ(node_list({0, 1, 2, 6}), "compute-[1-3,7]");
  EXPECT_EQ(node_list({6, 2, 0, 1}), "compute-[1-3,7]") << "whatever the order in which they were given";
  EXPECT_EQ(node_list({0, 2, 4}), "compute-[1,3,5]");
  EXPECT_EQ(node_list({7, 8}), "compute-8,big-1") << "neighbours by id, of two groups";
  EXPECT_EQ(node_list({8, 9, 10, 0, 1, 3}), "compute-[1-2,4],big-[1-3]");
}

TEST(JobsCsv, NamesAPoolByItsName) {
  RunStory story = RunStory::pool(8);
  story.job(0, 1, 2, {share_of(0, 8)});
  expect_fields(table_of(jobs_csv(story.record, story.context()))[0],
                {{"nodes", "1"}, {"cpus", "8"}, {"node_list", "pool"}, {"cost_usd", "0.000000"}});
}

TEST(NodesCsv, TellsAnInstancesLife) {
  RunStory story = one_job_story();
  story.design.groups[0].zone = "z1";
  const std::string csv = nodes_csv(story.record, story.context());
  EXPECT_THAT(rows_of(csv), ElementsAre("compute-1,i-00000000000000001,test.large,compute,z1,,ONDEMAND,0,30,60,210,"
                                        "SCHEDULER_REQUESTED,90,60,0.180000,,,,"
                                        "0.090000,0.030000,0.060000,0.000000"));
}

TEST(NodesCsv, TellsInstancesThatOutliveTheRunAndThoseThatNeverRan) {
  RunStory story;
  story.static_node(3);
  story.launch(4);
  story.at(10);
  story.at(30);
  EXPECT_THAT(rows_of(nodes_csv(story.record, story.context())),
              ElementsAre("compute-4,i-00000000000000001,test.large,compute,,,ONDEMAND,0,0,0,30,END_OF_RUN,0,30,"
                          "0.060000,,,,0.000000,0.000000,0.060000,0.000000",
                          "compute-5,i-00000000000000002,test.large,compute,,,ONDEMAND,10,,,30,END_OF_RUN,0,0,"
                          "0.000000,,,,0.000000,0.000000,0.000000,0.000000"));
}

TEST(NodesCsv, AddsUpToTheSummarysCost) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Draw draw(seed);
    RunStory story({"compute", "big"});
    story.design.groups[0].price_per_hour = draw.between(1, 50'000'000);
    story.design.groups[1].price_per_hour = draw.between(1, 50'000'000);
    std::vector<int> state(16);  // down, launched, running, ready
    std::int64_t now = 0;
    for (int i = 0; i < 200; ++i) {
      const std::size_t node = draw.below(16);
      const auto n = static_cast<std::uint32_t>(node);
      switch (state[node]) {
        case 0:
          story.launch(n);
          break;
        case 1:
          story.running(n);
          break;
        case 2:
          story.ready(n);
          break;
        default:
          story.terminate(n);
          break;
      }
      state[node] = (state[node] + 1) % 4;
      story.at(now);
      now += draw.between(0, 100);
    }
    const auto rows = table_of(nodes_csv(story.record, story.context()));
    MicroUsd sum = 0;
    for (const auto& row : rows) {
      std::string cost = row.at("cost_usd");
      cost.erase(cost.find('.'), 1);
      sum += std::stoll(cost);
    }
    EXPECT_GT(sum, 0);
    const Summary summary = story.summary();
    EXPECT_EQ(sum, summary.instances_cost) << "seed " << seed;
    EXPECT_EQ(rows.size(), summary.nodes_launched);
    EXPECT_EQ(summary.by_node_group.at("compute").cost + summary.by_node_group.at("big").cost, sum);
  }
}

TEST(TimelineCsv, TellsTheStateAtEveryMinute) {
  const RunStory story = one_job_story();
  EXPECT_THAT(rows_of(timeline_csv(story.record, story.context())),
              ElementsAre("0,0,1,0,0,1,0,1,0,0.000000",      // launched, the job waits
                          "60,1,1,0,1,0,1,0,1,0.030000",     // ready at this very second
                          "120,1,1,0,1,0,1,0,1,0.090000",    //
                          "180,1,1,1,0,0,0,0,0,0.150000",    // idle
                          "240,0,0,0,0,0,0,0,0,0.180000"));  // gone
}

TEST(TimelineCsv, CountsWhatHappensOnTheMinuteAsDoneThen) {
  RunStory story;
  story.static_node(0);
  story.start(story.arrive(), {share_of(0)});
  story.at(60);
  story.finish(0);
  story.at(120);
  EXPECT_THAT(rows_of(timeline_csv(story.record, story.context())),
              ElementsAre("0,1,1,1,0,0,0,0,0,0.000000", "60,1,1,0,1,0,1,0,1,0.060000", "120,1,1,1,0,0,0,0,0,0.120000"));
}

// A run that ends within a minute: its last row is behind the end and costs no more than the run.
TEST(TimelineCsv, EndsWithARowAtOrBehindTheEndOfTheRun) {
  RunStory story;
  story.design.controller_per_hour = 3'600'000;
  story.static_node(0);
  story.at(61);
  EXPECT_THAT(rows_of(timeline_csv(story.record, story.context())),
              ElementsAre("0,1,1,1,0,0,0,0,0,0.000000", "60,1,1,1,0,0,0,0,0,0.120000", "120,1,1,1,0,0,0,0,0,0.122000"));
  EXPECT_EQ(rows_of(timeline_csv(story.record, story.context(), 61 * kSecond)).size(), 2u);
  EXPECT_EQ(rows_of(timeline_csv(story.record, story.context(), kSecond)).size(), 62u);
}

// A requeued job waits, runs, waits and runs; nodes are utilized until its processes are gone.
TEST(TimelineCsv, CountsLostAttemptsAsWhatTheyWere) {
  const RunStory story = requeue_story();
  const auto table = table_of(timeline_csv(story.record, story.context(), 10 * kSecond));
  const auto row = [&](std::int64_t second) { return table[static_cast<std::size_t>(second / 10)]; };
  const auto expect = [&](std::int64_t second, const char* queued, const char* running, const char* utilized) {
    SCOPED_TRACE(second);
    expect_fields(row(second), {{"queued_jobs", queued}, {"running_jobs", running}, {"UtilizedCapacity", utilized}});
  };
  expect(0, "1", "0", "0");
  expect(50, "1", "0", "1");
  expect(100, "1", "0", "0");
  expect(200, "0", "1", "2");
  expect(290, "0", "0", "2");  // completing
  expect(300, "1", "0", "0");
  expect(400, "0", "1", "2");
  expect(450, "0", "0", "2");
  expect(460, "0", "0", "0");
  expect_fields(row(90), {{"ActualCapacity", "2"}, {"PendingCapacity", "1"}});
  expect_fields(row(100), {{"ActualCapacity", "2"}, {"PendingCapacity", "0"}});
}

TEST(TimelineCsv, ForgetsJobsThatAreCancelledBeforeTheyRun) {
  RunStory story = RunStory::pool(4);
  story.arrive();
  story.arrive();
  story.at(0);
  story.end(0, Outcome::cancelled);
  story.start(1, {share_of(0, 4)});
  story.at(60);
  story.stop(1, Outcome::cancelled);
  story.at(90);
  story.finish(1, Outcome::cancelled);
  story.at(180);
  EXPECT_THAT(rows_of(timeline_csv(story.record, story.context())),
              ElementsAre("0,4,4,4,0,0,0,2,0,0.000000", "60,4,4,0,4,0,1,0,1,0.000000", "120,4,4,0,4,0,1,0,0,0.000000",
                          "180,4,4,4,0,0,0,0,0,0.000000"));
}

TEST(TimelineCsv, CountsAPoolsProcessors) {
  RunStory story = RunStory::pool(10);
  const std::uint32_t a = story.arrive();
  const std::uint32_t b = story.arrive();
  story.reject(story.arrive());
  story.start(a, {share_of(0, 4)});
  story.at(100);
  story.finish(a);
  story.start(b, {share_of(0, 10)});
  story.at(170);
  story.finish(b);
  story.at(220);
  EXPECT_THAT(rows_of(timeline_csv(story.record, story.context())),
              ElementsAre("100,10,10,6,4,0,0.4,1,1,0.000000", "160,10,10,6,4,0,0.4,1,1,0.000000",
                          "220,10,10,10,0,0,0,0,0,0.000000"));
}

TEST(TimelineCsv, HasNoRowsForARunWithoutSteps) {
  const RunStory story;
  EXPECT_TRUE(rows_of(timeline_csv(story.record, story.context())).empty());
}

}  // namespace
}  // namespace headroom
