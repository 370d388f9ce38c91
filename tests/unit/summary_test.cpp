#include "models/report/summary.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/draw.hpp"
#include "tests/unit/run_story.hpp"

namespace headroom {
namespace {

constexpr double kSecondInHours = 1.0 / 3600;

TEST(BoundedSlowdown, CountsShortJobsAsTenSeconds) {
  EXPECT_DOUBLE_EQ(bounded_slowdown(0, 100 * kSecond), 1);
  EXPECT_DOUBLE_EQ(bounded_slowdown(50 * kSecond, 100 * kSecond), 1.5);
  EXPECT_DOUBLE_EQ(bounded_slowdown(95 * kSecond, 5 * kSecond), 10);
  EXPECT_DOUBLE_EQ(bounded_slowdown(4 * kSecond, kSecond), 1) << "never below one";
  EXPECT_DOUBLE_EQ(bounded_slowdown(20 * kSecond, 0), 2);
  EXPECT_DOUBLE_EQ(bounded_slowdown(10 * kSecond, 10 * kSecond), 2);
}

TEST(InstanceCost, BillsSecondsBegunAndAMinuteAtLeast) {
  constexpr MicroUsd kPrice = 3'600'000;  // a thousand millionths a second
  EXPECT_EQ(instance_cost(kPrice, 0, 0), 60'000);
  EXPECT_EQ(instance_cost(kPrice, 100 * kSecond, 101 * kSecond), 60'000);
  EXPECT_EQ(instance_cost(kPrice, 0, 60 * kSecond), 60'000);
  EXPECT_EQ(instance_cost(kPrice, 0, 60 * kSecond + 1), 61'000);
  EXPECT_EQ(instance_cost(kPrice, 0, 61 * kSecond), 61'000);
  EXPECT_EQ(instance_cost(kPrice, 7, 7 + kHour), kPrice);
}

TEST(Summary, SplitsAnInstancesHoursAndSumsItsCost) {
  RunStory story = one_job_story();
  story.design.controller_per_hour = 36'000'000;
  story.design.management_per_hour = 360'000;
  const Summary s = story.summary();
  EXPECT_DOUBLE_EQ(s.instance_hours.total, 180 * kSecondInHours) << "from running to termination";
  EXPECT_DOUBLE_EQ(s.instance_hours.boot, 30 * kSecondInHours);
  EXPECT_DOUBLE_EQ(s.instance_hours.busy, 90 * kSecondInHours);
  EXPECT_DOUBLE_EQ(s.instance_hours.idle, 60 * kSecondInHours);
  EXPECT_EQ(s.instances_cost, 180'000);
  EXPECT_EQ(s.controller_cost, 2'400'000) << "from the first step to the last: 240 s";
  EXPECT_EQ(s.management_cost, 18'000);
  EXPECT_EQ(s.total_cost(), 2'598'000);
  EXPECT_EQ(s.nodes_launched, 1u);
  EXPECT_EQ(s.nodes_terminated, 1u);
  EXPECT_EQ(s.nodes_peak, 1u);
  EXPECT_DOUBLE_EQ(s.wait_s.mean, 60) << "boot time is waiting time";
  EXPECT_DOUBLE_EQ(s.bounded_slowdown.max, 150.0 / 90);
  EXPECT_DOUBLE_EQ(s.makespan_s, 150);
  EXPECT_DOUBLE_EQ(s.utilization, 90.0 / 150) << "of the time in which the node took jobs";
  const GroupSummary& group = s.by_node_group.at("compute");
  EXPECT_EQ(group.instance_type, "test.large");
  EXPECT_EQ(group.launched, 1u);
  EXPECT_EQ(group.peak, 1u);
  EXPECT_EQ(group.cost, 180'000);
  EXPECT_DOUBLE_EQ(group.hours.busy, 90 * kSecondInHours);
  EXPECT_EQ(s.by_user.at("ann").cost.run, 90'000) << "all four cores for 90 s";
  EXPECT_DOUBLE_EQ(s.by_user.at("ann").core_hours, 4 * 90 * kSecondInHours);
}

TEST(Summary, BillsInstancesThatStillRunToTheEndOfTheRun) {
  RunStory story;
  story.static_node(0);
  story.at(600);
  const Summary s = story.summary();
  EXPECT_EQ(s.instances_cost, 600'000);
  EXPECT_EQ(s.nodes_terminated, 0u);
  EXPECT_DOUBLE_EQ(s.instance_hours.idle, 600 * kSecondInHours);
}

TEST(Summary, BillsNothingForInstancesThatNeverRan) {
  RunStory story;
  story.launch(0);
  story.at(0);
  story.launch(1);
  story.at(10);
  story.running(1);
  story.at(20);
  story.at(100);
  const Summary s = story.summary();
  EXPECT_EQ(s.instances_cost, 80'000) << "node 1 ran, though it never registered";
  EXPECT_DOUBLE_EQ(s.instance_hours.boot, 80 * kSecondInHours);
  EXPECT_DOUBLE_EQ(s.instance_hours.total, 80 * kSecondInHours);
  EXPECT_EQ(s.nodes_peak, 2u);
  EXPECT_EQ(s.utilization, 0);
}

TEST(Summary, CountsTheMostInstancesThatExistAtOneTime) {
  RunStory story;
  story.launch(0);
  story.launch(1);
  story.at(0);
  story.terminate(0);
  story.at(100);
  story.launch(2);
  story.at(100);  // one goes, one comes: never three
  story.terminate(1);
  story.at(150);
  story.launch(0);
  story.launch(3);
  story.at(200);
  story.at(300);
  EXPECT_EQ(story.summary().nodes_peak, 3u);
  EXPECT_EQ(story.summary().nodes_launched, 5u);
  EXPECT_EQ(story.summary().nodes_terminated, 2u);
}

// The end of the run is not the end of an instance that still exists.
TEST(Summary, CountsInstancesLaunchedInTheLastStep) {
  RunStory story;
  story.launch(0);
  story.at(0);
  story.launch(1);
  story.at(10);
  EXPECT_EQ(story.summary().nodes_peak, 2u);
}

std::vector<std::pair<std::int64_t, std::int64_t>> in_seconds(const std::vector<Period>& periods) {
  std::vector<std::pair<std::int64_t, std::int64_t>> list;
  for (const Period& p : periods) list.emplace_back(p.from / kSecond, p.until / kSecond);
  return list;
}

TEST(BusyPeriods, MergeJobsThatShareANode) {
  RunStory story;
  story.launch(0);
  story.launch(1);
  story.at(0);
  for (const std::uint32_t n : {0u, 1u}) {
    story.running(n);
    story.ready(n);
  }
  story.at(10);
  // On node 0: [100, 200), [150, 300), [120, 130) in them, [300, 320) at their end, and [400, 450) apart.
  std::vector<std::tuple<std::int64_t, int, std::uint32_t>> moments;  // time, end or start, job
  const std::pair<std::int64_t, std::int64_t> spans[] = {{100, 200}, {150, 300}, {120, 130}, {300, 320}, {400, 450}};
  for (const auto& [from, until] : spans) {
    const std::uint32_t job = story.arrive();
    moments.emplace_back(from, 1, job);
    moments.emplace_back(until, 0, job);
  }
  story.at(50);
  std::sort(moments.begin(), moments.end());
  for (const auto& [time, starts, job] : moments) {
    if (starts != 0) {
      story.start(job, {share_of(0)});
    } else {
      story.finish(job);
    }
    story.at(time);
  }
  // On node 1 a job that still runs at the end.
  story.start(story.arrive(), {share_of(1)});
  story.at(460);
  story.at(500);
  const auto busy = busy_periods(story.record);
  ASSERT_EQ(busy.size(), 2u);
  EXPECT_EQ(in_seconds(busy[0]), (std::vector<std::pair<std::int64_t, std::int64_t>>{{100, 320}, {400, 450}}));
  EXPECT_EQ(in_seconds(busy[1]), (std::vector<std::pair<std::int64_t, std::int64_t>>{{460, 500}}));
  EXPECT_EQ(story.summary().jobs.unfinished, 1u);
  EXPECT_EQ(story.summary().jobs.completed, 5u);
}

TEST(BusyPeriods, BeginWhenANodeIsThereForTheJobThatHoldsIt) {
  RunStory story;
  story.arrive();
  story.allocate(0, {share_of(0), share_of(1)});
  story.launch(0);
  story.launch(1);
  story.at(0);
  story.running(0);
  story.ready(0);
  story.at(50);
  story.running(1);
  story.ready(1);
  story.start(0, {share_of(0), share_of(1)});
  story.at(80);
  story.finish(0);
  story.at(100);
  const auto busy = busy_periods(story.record);
  EXPECT_EQ(in_seconds(busy[0]), (std::vector<std::pair<std::int64_t, std::int64_t>>{{50, 100}}));
  EXPECT_EQ(in_seconds(busy[1]), (std::vector<std::pair<std::int64_t, std::int64_t>>{{80, 100}}));
}

TEST(BusyPeriods, HaveLostAttemptsAndLastUntilProcessesAreGone) {
  const RunStory story = requeue_story();
  const auto busy = busy_periods(story.record);
  using Spans = std::vector<std::pair<std::int64_t, std::int64_t>>;
  ASSERT_EQ(busy.size(), 3u);
  EXPECT_EQ(in_seconds(busy[0]), (Spans{{200, 300}, {400, 460}})) << "node 2";
  EXPECT_EQ(in_seconds(busy[1]), (Spans{{50, 100}, {200, 300}, {400, 460}}))
      << "node 0 was held for node 1 that never came";
  EXPECT_EQ(in_seconds(busy[2]), (Spans{})) << "node 1";
}

// A job gets a powered-down node and loses it before an instance was launched: that of old has nothing to do with it.
TEST(BusyPeriods, KnowWhichInstanceAJobWaitedFor) {
  RunStory story;
  story.static_node(0);
  story.terminate(0);
  story.at(100);
  story.arrive();
  story.arrive();
  story.allocate(0, {share_of(0)});
  story.allocate(1, {share_of(0), share_of(1)});
  story.at(200);
  story.end(0, Outcome::cancelled);
  story.at(300);
  story.launch(0);
  story.at(310);
  story.running(0);
  story.ready(0);
  story.at(330);
  story.requeue(1);
  story.at(400);
  story.at(500);
  const auto busy = busy_periods(story.record);
  ASSERT_EQ(busy.size(), 2u);
  EXPECT_TRUE(busy[0].empty());
  EXPECT_EQ(in_seconds(busy[1]), (std::vector<std::pair<std::int64_t, std::int64_t>>{{330, 400}}));
  EXPECT_EQ(story.summary().jobs.cancelled, 1u);
  EXPECT_EQ(story.summary().jobs.unfinished, 1u);
  EXPECT_EQ(story.summary().jobs.requeues, 1u);
  EXPECT_EQ(story.summary().jobs.lost_core_hours, 0) << "it did not run";
}

TEST(Summary, CountsLostAttemptsInWhatTheClusterDidAndNotInWhatAJobDid) {
  const RunStory story = requeue_story();
  const Summary s = story.summary();
  EXPECT_EQ(s.jobs.submitted, 1u);
  EXPECT_EQ(s.jobs.timed_out, 1u);
  EXPECT_EQ(s.jobs.requeues, 2u);
  EXPECT_DOUBLE_EQ(s.jobs.lost_core_hours, 8 * 90 * kSecondInHours) << "until it was told to end";
  EXPECT_DOUBLE_EQ(s.wait_s.mean, 400) << "to the last start";
  EXPECT_DOUBLE_EQ(s.makespan_s, 450) << "its end is when it was told to end";
  EXPECT_DOUBLE_EQ(s.by_user.at("ann").core_hours, 8 * 50 * kSecondInHours);
  EXPECT_DOUBLE_EQ(s.by_queue.at("batch").core_hours, 8 * 50 * kSecondInHours);
  EXPECT_EQ(s.by_user.at("ann").cost.run, 100'000) << "two nodes, 50 s";
  EXPECT_DOUBLE_EQ(s.utilization, 8 * (90 + 50) / (4.0 * (500 + 450))) << "node 1 offered nothing";
  const HourSplit& h = s.instance_hours;
  EXPECT_DOUBLE_EQ(h.busy, (160 + 210) * kSecondInHours);
  EXPECT_DOUBLE_EQ(h.boot, 30 * kSecondInHours);
  EXPECT_DOUBLE_EQ(h.failed, 80 * kSecondInHours) << "node 1 was never ready";
  EXPECT_NEAR(h.busy + h.idle + h.boot + h.failed, h.total, 1e-12);
  EXPECT_EQ(s.nodes_terminated, 1u);
}

TEST(Summary, TellsOfRequeuesAndFailedNodesWhereThereAreSome) {
  const RunStory plain = one_job_story();
  const std::string quiet = summary_table(plain.summary(), plain.context());
  EXPECT_EQ(quiet.find("requeue"), std::string::npos);
  EXPECT_EQ(quiet.find("lost with a node"), std::string::npos);
  RunStory story = requeue_story();
  story.start(story.arrive(), {share_of(0)});
  story.at(600);
  story.end(1, Outcome::node_failed);
  story.at(700);
  EXPECT_EQ(story.record.jobs()[1].state, JobState::node_failed);
  const std::string table = summary_table(story.summary(), story.context());
  EXPECT_NE(table.find("1 timed out, 1 lost with a node"), std::string::npos) << table;
  EXPECT_NE(table.find("2, 0.2 core hours lost"), std::string::npos) << table;
  const std::string json = summary_json(story.summary(), story.record, story.context());
  EXPECT_NE(json.find("\"node_failed\": 1"), std::string::npos) << json;
  EXPECT_NE(json.find("\"requeues\": 2"), std::string::npos) << json;
  EXPECT_NE(json.find("\"lost_core_hours\": 0.2,"), std::string::npos) << json;
}

// A job whose processes are not gone when the run is interrupted has not ended yet.
TEST(Summary, CountsCompletingJobsAsUnfinished) {
  RunStory story;
  story.static_node(0);
  story.start(story.arrive(4), {share_of(0, 4)});
  story.at(0);
  story.stop(0, Outcome::timed_out);
  story.at(50);
  story.at(60);
  const Summary s = story.summary();
  EXPECT_EQ(s.jobs.unfinished, 1u);
  EXPECT_EQ(s.wait_s.count, 0u);
  EXPECT_EQ(s.utilization, 0);
  EXPECT_DOUBLE_EQ(s.instance_hours.busy, 60 * kSecondInHours) << "it holds its node";
}

// How the policy judged the end of a job counts, in one step or without any end.
TEST(RunRecord, TakesTheLastWordOnHowAJobEnded) {
  RunStory story;
  story.static_node(0);
  story.start(story.arrive(), {share_of(0)});
  story.start(story.arrive(), {share_of(0)});
  story.at(0);
  story.finish(0);
  story.end(0, Outcome::timed_out);
  story.at(100);
  story.stop(1, Outcome::cancelled);
  story.at(110);
  story.end(1, Outcome::node_failed);
  story.at(200);
  const JobRecord& judged = story.record.jobs()[0];
  EXPECT_EQ(judged.state, JobState::timed_out);
  EXPECT_EQ(judged.end, 100 * kSecond);
  const JobRecord& lost = story.record.jobs()[1];
  EXPECT_EQ(lost.state, JobState::node_failed);
  EXPECT_EQ(lost.end, 110 * kSecond) << "when it was told to";
  EXPECT_EQ(lost.freed, 200 * kSecond);
}

TEST(JobCost, IsThePriceOfItsCoresWhileItRan) {
  RunStory story;
  story.static_node(0);
  story.static_node(1);
  story.arrive();
  story.start(0, {share_of(0, 1), share_of(1, 4)});
  story.at(100);
  story.finish(0);
  story.at(160);
  EXPECT_EQ(Bill(story.record, story.design).job_cost(story.record.jobs()[0]).run, 15'000 + 60'000);
  story.start(story.arrive(), {share_of(0, 1)});
  story.at(200);
  EXPECT_EQ(Bill(story.record, story.design).job_cost(story.record.jobs()[1]).run, 0) << "it has not ended";
}

TEST(Summary, CountsJobsByHowTheyEnded) {
  RunStory story = RunStory::pool(10);
  const std::pair<Outcome, int> outcomes[] = {
      {Outcome::completed, 4}, {Outcome::failed, 3}, {Outcome::timed_out, 2}, {Outcome::cancelled, 1}};
  for (const auto& [outcome, times] : outcomes) {
    for (int i = 0; i < times; ++i) {
      const std::uint32_t job = story.arrive();
      story.start(job, {share_of(0)});
      story.at(0);
      story.finish(job, outcome);
      story.at(0);
    }
  }
  story.reject(story.arrive());
  story.arrive();
  story.at(1);
  const JobCounts& n = story.summary().jobs;
  EXPECT_EQ(n.submitted, 12u);
  EXPECT_EQ(n.completed, 4u);
  EXPECT_EQ(n.failed, 3u);
  EXPECT_EQ(n.timed_out, 2u);
  EXPECT_EQ(n.cancelled, 1u);
  EXPECT_EQ(n.rejected, 1u);
  EXPECT_EQ(n.unfinished, 1u);
}

// A pool on which jobs wait for so many seconds each, one after the other.
Summary with_waits(const std::vector<std::int64_t>& waits) {
  RunStory story = RunStory::pool(1);
  std::int64_t now = 0;
  for (const std::int64_t wait : waits) {
    story.job(now, now + wait, now + wait + 10, {share_of(0)});
    now += wait + 10;
  }
  return story.summary();
}

TEST(Summary, InterpolatesQuantilesBetweenOrderStatistics) {
  const Spread five = with_waits({10, 1, 4, 2, 3}).wait_s;
  EXPECT_DOUBLE_EQ(five.mean, 4);
  EXPECT_DOUBLE_EQ(five.p50, 3);
  EXPECT_DOUBLE_EQ(five.p90, 7.6);
  EXPECT_DOUBLE_EQ(five.p95, 8.8);
  EXPECT_DOUBLE_EQ(five.p99, 9.76);
  EXPECT_DOUBLE_EQ(five.max, 10);
  const Spread one = with_waits({7}).wait_s;
  EXPECT_DOUBLE_EQ(one.p50, 7);
  EXPECT_DOUBLE_EQ(one.p99, 7);
  EXPECT_DOUBLE_EQ(one.max, 7);
  EXPECT_DOUBLE_EQ(with_waits({1, 2}).wait_s.p50, 1.5);
  EXPECT_DOUBLE_EQ(with_waits({}).wait_s.max, 0);
}

TEST(Summary, FindsTheQuantilesOfSortedValues) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Draw draw(seed);
    std::vector<std::int64_t> waits(1 + draw.below(40));
    for (std::int64_t& w : waits) w = draw.between(0, draw.one_in(2) ? 5 : 1000);
    const Spread found = with_waits(waits).wait_s;
    std::sort(waits.begin(), waits.end());
    const auto quantile = [&](double q) {
      const double h = q * static_cast<double>(waits.size() - 1);
      const auto low = static_cast<std::size_t>(h);
      const std::size_t high = std::min(low + 1, waits.size() - 1);
      return static_cast<double>(waits[low]) +
             (h - static_cast<double>(low)) * static_cast<double>(waits[high] - waits[low]);
    };
    EXPECT_NEAR(found.p50, quantile(0.5), 1e-9) << "seed " << seed;
    EXPECT_NEAR(found.p90, quantile(0.9), 1e-9) << "seed " << seed;
    EXPECT_NEAR(found.p95, quantile(0.95), 1e-9) << "seed " << seed;
    EXPECT_NEAR(found.p99, quantile(0.99), 1e-9) << "seed " << seed;
    EXPECT_EQ(found.max, static_cast<double>(waits.back())) << "seed " << seed;
  }
}

TEST(Summary, TellsUsersAndQueuesApart) {
  RunStory story = RunStory::pool(10);
  const auto run = [&](std::uint32_t user, std::uint32_t queue, std::int64_t submit, std::int64_t start,
                       std::int64_t end, std::int32_t cores) {
    const std::uint32_t job = story.arrive(cores, user, queue);
    story.at(submit);
    story.start(job, {share_of(0, cores)});
    story.at(start);
    story.finish(job);
    story.at(end);
  };
  run(0, 0, 0, 10, 110, 2);
  run(1, 0, 110, 140, 160, 4);
  run(1, 1, 160, 160, 1060, 6);
  const Summary s = story.summary();
  EXPECT_EQ(s.by_queue.at("batch").jobs, 2u);
  EXPECT_DOUBLE_EQ(s.by_queue.at("batch").wait_mean_s, 20);
  EXPECT_DOUBLE_EQ(s.by_queue.at("batch").wait_max_s, 30);
  EXPECT_DOUBLE_EQ(s.by_queue.at("batch").bounded_slowdown_mean, (1.1 + 2.5) / 2);
  EXPECT_DOUBLE_EQ(s.by_queue.at("batch").core_hours, (200 + 80) * kSecondInHours);
  EXPECT_EQ(s.by_queue.at("other").jobs, 1u);
  EXPECT_DOUBLE_EQ(s.by_queue.at("other").wait_mean_s, 0);
  EXPECT_EQ(s.by_user.at("ann").jobs, 1u);
  EXPECT_DOUBLE_EQ(s.by_user.at("bob").wait_mean_s, 15);
  EXPECT_DOUBLE_EQ(s.by_user.at("bob").core_hours, (80 + 5400) * kSecondInHours);
  EXPECT_DOUBLE_EQ(s.utilization, (200 + 80 + 5400) / (10 * 1060.0))
      << "of all processors, first submission to last end";
  EXPECT_EQ(s.instances_cost, 0) << "a pool costs nothing";
}

}  // namespace
}  // namespace headroom
