#include "models/cloud/meter.hpp"

#include <gtest/gtest.h>

#include "models/scenario/scenario.hpp"
#include "models/simulation.hpp"
#include "models/workload/load.hpp"
#include "tests/unit/run_story.hpp"

namespace headroom {
namespace {

using Kind = Stimulus::Kind;

Budget budget(MicroUsd amount, std::vector<BudgetAction> actions, Time period = kNever) {
  return {"b", amount, period, std::move(actions)};
}

// What the meter says until `horizon`, as (second, budget, detail).
using Told = std::vector<std::tuple<std::int64_t, std::uint32_t, std::uint32_t>>;
Told told_until(Meter& meter, Time horizon) {
  Told all;
  for (Time at = 0; (at = meter.next(horizon)) != kNever;) {
    std::vector<Stimulus> news;
    meter.tell(at, news);
    for (const Stimulus& s : news) {
      EXPECT_EQ(s.kind, Kind::budget_reached);
      all.emplace_back(at / kSecond, s.subject, s.detail);
    }
  }
  return all;
}

void run_instance(Meter& meter, std::uint32_t node, Time at) {
  meter.asked(NodeId{node});
  meter.told({Kind::instance_running, node, 0}, at);
}

TEST(Meter, TellsTheSecondAtWhichSoMuchIsSpent) {
  const RunStory story;  // 1000 a second for an instance
  Meter meter(story.design, {budget(100'000, {{80, false}, {100, true}})}, 0);
  EXPECT_EQ(meter.next(kHour), kNever) << "nothing is spent";
  run_instance(meter, 0, 10 * kSecond);
  EXPECT_EQ(told_until(meter, 50 * kSecond), Told{});
  run_instance(meter, 1, 50 * kSecond);                         // 40 000 until here, then 2000 a second
  meter.told({Kind::instance_terminated, 0, 0}, 65 * kSecond);  // 70 000
  EXPECT_EQ(told_until(meter, kHour), (Told{{75, 0, kBudgetAlert}, {95, 0, kBudgetStops}}));
  EXPECT_TRUE(meter.stops());
  EXPECT_EQ(meter.allows_again(), kNever);
}

TEST(Meter, RoundsTimesUpToTheMicrosecond) {
  RunStory story;
  story.design.groups[0].price_per_hour = 7;
  Meter meter(story.design, {budget(1, {{100, false}})}, 0);
  run_instance(meter, 0, 0);
  EXPECT_EQ(meter.next(kHour), (kHour + 6) / 7);
}

TEST(Meter, BeginsAnewWithEachPeriod) {
  const RunStory story;
  Meter meter(story.design, {budget(60'000, {{50, false}, {100, true}}, 100 * kSecond)}, 0);
  run_instance(meter, 0, 20 * kSecond);
  EXPECT_EQ(told_until(meter, 250 * kSecond), (Told{{50, 0, kBudgetAlert},
                                                    {80, 0, kBudgetStops},
                                                    {100, 0, kBudgetAllows},
                                                    {130, 0, kBudgetAlert},
                                                    {160, 0, kBudgetStops},
                                                    {200, 0, kBudgetAllows},
                                                    {230, 0, kBudgetAlert}}));
}

TEST(Meter, SaysNothingOfAPeriodThatEndsAtThatMoment) {
  const RunStory story;
  Meter meter(story.design, {budget(100'000, {{100, true}}, 100 * kSecond)}, 0);
  run_instance(meter, 0, 0);
  EXPECT_EQ(told_until(meter, 1000 * kSecond), Told{});
}

TEST(Meter, CountsFeesReservationsAndCommitments) {
  RunStory story;
  story.offer("test.large", "b", 3'600'000);
  story.design.controller_per_hour = 360'000;  // 100 a second
  story.design.management_per_hour = 36'000;   // 10 a second for each instance
  CapacityReservation reservation;
  reservation.instances = 2;
  reservation.price_per_hour = 3'600'000;
  reservation.start = 10 * kSecond;
  reservation.end = 100 * kSecond;
  reservation.upfront = 1'000;
  story.design.reservations = {reservation};
  story.design.committed = {{"test.large", 1, 1'800'000}};
  Meter meter(story.design, {budget(1'000'000, {{1, false}, {10, false}, {50, false}})}, 0);
  // 600 a second: 6000 after 10 s, and 1000 at once; then 2600 a second.
  EXPECT_EQ(told_until(meter, 20 * kSecond), (Told{{11, 0, kBudgetAlert}}));
  meter.asked(NodeId{0});
  meter.told({Kind::instance_launched, 0, 1u << 16}, 20 * kSecond);
  meter.told({Kind::instance_running, 0, 0}, 20 * kSecond);  // reserved: only its fee until 100 s
  run_instance(meter, 1, 20 * kSecond);                      // committed: only its fee
  run_instance(meter, 2, 20 * kSecond);                      // on demand
  // 33 000 by 20 s, then 3630 a second: 100 000 at 38.5 s.
  EXPECT_EQ(meter.next(kHour), 20 * kSecond + (67'000 * kSecond + 3629) / 3630);
  EXPECT_EQ(told_until(meter, 100 * kSecond), (Told{{38, 0, kBudgetAlert}}));
  // 323 400 by 100 s. Then the reservation is over and its instance pays: 600 + 30 + 2000 a second.
  EXPECT_EQ(meter.next(kHour), 100 * kSecond + (176'600 * kSecond + 2629) / 2630);
  // Node 1 goes: node 2 uses the commitment.
  meter.told({Kind::instance_terminated, 1, 0}, 110 * kSecond);  // 349 700; then 600 + 20 + 1000
  EXPECT_EQ(meter.next(kHour), 110 * kSecond + (150'300 * kSecond + 1619) / 1620);
}

TEST(Meter, FollowsSpotPricesByTheHour) {
  RunStory story;
  story.offer("test.large", "b", 3'600'000);
  story.design.groups[0].purchase = Purchase::spot;
  SpotPriceRule rule;
  rule.price.before = 3'600'000;
  rule.price.at = {{1, 7'200'000}};
  story.design.spot_prices = SpotPrices({rule});
  Meter meter(story.design, {budget(7'200'000, {{100, false}})}, 0);
  run_instance(meter, 0, 0);  // 1000 a second in its first hour, 2000 in the second
  EXPECT_EQ(meter.next(3 * kHour), kHour + kHour / 2);
  Meter other(story.design, {budget(7'200'000, {{100, false}})}, 0);
  run_instance(other, 0, 0);
  other.told({Kind::instance_lost, 0, static_cast<std::uint32_t>(Loss::spot_interruption)}, kHour / 2);
  run_instance(other, 1, kHour / 2);  // what EC2 took back within an hour was for nothing
  EXPECT_EQ(other.next(9 * kHour), kHour / 2 + kHour);
}

// --- the whole: a budget that stops launching ---

constexpr const char* kScenario = R"({
  "name": "budget",
  "cluster": {"clusterName": "demo", "scheduler": {"type": "SLURM", "version": "24.05"}, "size": "SMALL",
              "slurmConfiguration": {"scaleDownIdleTimeInSeconds": 60}},
  "computeNodeGroups": [{"computeNodeGroupName": "compute", "instanceConfigs": [{"instanceType": "c6i.large"}],
                         "scalingConfiguration": {"minInstanceCount": 0, "maxInstanceCount": 4}}],
  "queues": [{"queueName": "work", "computeNodeGroupConfigurations": [{"computeNodeGroupId": "compute"}]}],
  "scheduler": {"policy": "POLICY"},
  "cloud": {"prices": {"c6i.large": 3.6}, "boot": {"pending": 10, "bootstrap": 50}},
  "budgets": [{"name": "hourly", "usd": 1.0, "period": "PERIOD",
               "actions": [{"atPercent": 50, "action": "alert"}, {"action": "stop-launching"}]}],
  "workload": {"jobs": [{"id": "a", "submit": 0, "runTime": 1000, "timeLimit": 2000, "nodes": 1, "exclusive": true},
                        {"id": "b", "submit": 1200, "runTime": 100, "timeLimit": 200, "nodes": 2, "exclusive": true}]}
})";

SimulationResult run(const std::string& policy, const std::string& period, Summary* summary) {
  std::string text = kScenario;
  text.replace(text.find("POLICY"), 6, policy);
  text.replace(text.find("PERIOD"), 6, period);
  const Scenario scenario = parse_scenario(text, "s.json");
  const Design design = make_design(scenario);
  const Workload workload = load_workload(scenario, design);
  SimulationResult result = simulate(scenario, design, workload);
  if (summary != nullptr) *summary = summarize(result.record, {scenario, design, workload, result.digest});
  return result;
}

TEST(Budget, HoldsLaunchesBackUntilThePeriodIsOver) {
  for (const std::string policy : {"easy", "slurm"}) {
    Summary summary;
    const SimulationResult result = run(policy, "1h", &summary);
    const JobRecord& first = result.record.jobs()[0];
    const JobRecord& second = result.record.jobs()[1];
    EXPECT_EQ(first.state, JobState::completed) << policy << ": what runs goes on";
    EXPECT_EQ(second.state, JobState::completed) << policy;
    EXPECT_GE(second.start, kHour) << policy << ": two nodes are needed, and one is there";
    EXPECT_LE(second.start, kHour + 10 * kMinute) << policy;
    ASSERT_EQ(summary.budgets.size(), 1u);
    const BudgetSummary& b = summary.budgets[0].second;
    ASSERT_GE(b.taken.size(), 2u) << policy;
    EXPECT_FALSE(b.taken[0].stops);
    EXPECT_EQ(b.taken[0].percent, 50);
    EXPECT_TRUE(b.taken[1].stops);
    // An instance at 1000 a second: 500 000 after 500 s.
    const Time running = result.record.instances()[0].running;
    EXPECT_EQ(b.taken[0].at, running + 500 * kSecond) << policy;
    EXPECT_EQ(b.taken[1].at, running + 1000 * kSecond) << policy;
    EXPECT_EQ(b.stopped, kHour - b.taken[1].at) << policy;
    for (const InstanceRecord& instance : result.record.instances()) {
      EXPECT_TRUE(instance.launch < b.taken[1].at || instance.launch >= kHour) << policy;
    }
  }
}

TEST(Budget, OfTheWholeRunLeavesJobsWaiting) {
  for (const std::string policy : {"easy", "slurm"}) {
    Summary summary;
    const SimulationResult result = run(policy, "run", &summary);
    EXPECT_EQ(result.record.jobs()[0].state, JobState::completed) << policy;
    EXPECT_EQ(result.record.jobs()[1].state, JobState::pending) << policy;
    EXPECT_EQ(summary.jobs.unfinished, 1u) << policy;
    EXPECT_EQ(summary.nodes_launched, 1u) << policy;
  }
}

}  // namespace
}  // namespace headroom
