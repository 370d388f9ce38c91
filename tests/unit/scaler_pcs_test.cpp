#include "models/policies/scaler_pcs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controller_bench.hpp"

namespace headroom {
namespace {

using Kind = Command::Kind;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr Time kIdle = 5 * kMinute;

std::unique_ptr<ScalerPolicy> scaler(Time interval = 0) {
  return std::make_unique<ScalerPcs>(ScalerPcs::Options{interval, kIdle});
}

ClusterSpec groups_of(std::vector<NodeGroupSpec> groups) {
  ClusterSpec spec;
  spec.queues.emplace_back();
  for (std::uint32_t g = 0; g < groups.size(); ++g) spec.queues.front().groups.push_back(GroupId{g});
  spec.groups = std::move(groups);
  spec.suspend_timeout = kMinute;
  return spec;
}

constexpr NodeGroupSpec dynamic(std::int32_t nodes) { return {nodes, 4, Supply::dynamic, 1}; }

TEST(ScalerPcs, LaunchesStaticNodesAtTheBeginningAndKeepsThem) {
  ControllerBench bench(groups_of({{3, 4, Supply::fixed, 1}, dynamic(2)}), scaler());
  EXPECT_EQ(bench.step(0), kNever);
  ASSERT_EQ(bench.told(Kind::launch_instances).size(), 1u) << "one request";
  EXPECT_THAT(bench.nodes_told(Kind::launch_instances), ElementsAre(0, 1, 2));
  for (std::uint32_t n = 0; n < 3; ++n) bench.ready(n);
  EXPECT_EQ(bench.step(kMinute), kNever) << "nothing will ever be idle too long";
  const JobId job = bench.submit(kHour, nodes_for(1, 4, kHour));
  bench.finish(job);
  EXPECT_EQ(bench.step(2 * kHour), kNever);
  bench.step(1000 * kHour);
  EXPECT_THAT(bench.commands.list, IsEmpty());
  EXPECT_EQ(bench.cluster().instances(), 3);
}

TEST(ScalerPcs, LaunchesDynamicNodesOnlyForAllocations) {
  ControllerBench bench(groups_of({dynamic(4), dynamic(4)}), scaler());
  bench.step(0);
  EXPECT_THAT(bench.commands.list, IsEmpty());
  bench.submit(kSecond, nodes_for(6, 4, kHour));
  const std::vector<Command> launches = bench.told(Kind::launch_instances);
  ASSERT_EQ(launches.size(), 2u) << "one request a group";
  EXPECT_EQ(launches[0].subject, 0u);
  EXPECT_EQ(launches[1].subject, 1u);
  EXPECT_THAT(bench.nodes_told(Kind::launch_instances), ElementsAre(0, 1, 2, 3, 4, 5));
  bench.submit(2 * kSecond, nodes_for(3, 4, kHour));
  EXPECT_THAT(bench.commands.list, IsEmpty()) << "a job that waits has no nodes yet";
}

// A dynamic node that lost its only job at `kEnd`.
constexpr Time kEnd = 10 * kMinute;
void work_until_end(ControllerBench& bench) {
  const JobId job = bench.submit(0, nodes_for(1, 4, kHour));
  bench.ready(0);
  bench.step(kMinute);
  bench.finish(job);
  ASSERT_EQ(bench.step(kEnd), kEnd + kIdle) << "it asks to be called when the idle time is over";
  ASSERT_THAT(bench.commands.list, IsEmpty());
}

TEST(ScalerPcs, TerminatesADynamicNodeWhenItWasIdleLongEnough) {
  ControllerBench bench(groups_of({dynamic(2)}), scaler());
  work_until_end(bench);
  EXPECT_EQ(bench.step(kEnd + kIdle - 1), kEnd + kIdle);
  EXPECT_THAT(bench.commands.list, IsEmpty());
  bench.step(kEnd + kIdle);
  EXPECT_THAT(bench.nodes_told(Kind::terminate_instances), ElementsAre(0));
  EXPECT_EQ(bench.node(0), NodeState::powering_down);
}

TEST(ScalerPcs, BeginsToCountAnewWhenANodeWorkedAgain) {
  ControllerBench bench(groups_of({dynamic(2)}), scaler());
  work_until_end(bench);
  const Time again = kEnd + kIdle - kSecond;
  const JobId job = bench.submit(again, nodes_for(1, 4, kHour));
  EXPECT_EQ(bench.state(job), JobState::running) << "on the node that is up";
  bench.step(kEnd + kIdle);
  EXPECT_THAT(bench.commands.list, IsEmpty());
  bench.finish(job);
  EXPECT_EQ(bench.step(kEnd + kIdle + kSecond), kEnd + 2 * kIdle + kSecond);
  bench.step(kEnd + 2 * kIdle);
  EXPECT_THAT(bench.commands.list, IsEmpty());
  bench.step(kEnd + 2 * kIdle + kSecond);
  EXPECT_THAT(bench.nodes_told(Kind::terminate_instances), ElementsAre(0));
}

TEST(ScalerPcs, TerminatesANodeOnceThatWasIdleTwiceInOneInstant) {
  ControllerBench bench(groups_of({dynamic(1)}), scaler());
  work_until_end(bench);
  const JobId job = bench.submit(kEnd, nodes_for(1, 4, kHour));
  bench.finish(job);
  bench.step(kEnd);  // a job of no length
  bench.step(kEnd + kIdle);
  EXPECT_THAT(bench.nodes_told(Kind::terminate_instances), ElementsAre(0));
}

TEST(ScalerPcs, TerminatesTheNodesOfEachGroupInOneRequest) {
  ControllerBench bench(groups_of({dynamic(2), dynamic(2)}), scaler());
  const JobId job = bench.submit(0, nodes_for(4, 4, kHour));
  for (std::uint32_t n = 0; n < 4; ++n) bench.ready(n);
  bench.step(kMinute);
  bench.finish(job);
  bench.step(kEnd);
  bench.step(kEnd + kIdle);
  const std::vector<Command> terminations = bench.told(Kind::terminate_instances);
  ASSERT_EQ(terminations.size(), 2u);
  EXPECT_EQ(terminations[0].subject, 0u);
  EXPECT_EQ(terminations[1].subject, 1u);
  EXPECT_THAT(bench.nodes_told(Kind::terminate_instances), ElementsAre(0, 1, 2, 3));
}

TEST(ScalerPcs, LaunchesAtWholeMultiplesOfItsInterval) {
  constexpr Time kInterval = 30 * kSecond;
  ControllerBench bench(groups_of({dynamic(4)}), scaler(kInterval));
  bench.step(0);
  bench.arrive(nodes_for(1, 4, kHour));
  EXPECT_EQ(bench.step(31 * kSecond), 60 * kSecond);
  EXPECT_THAT(bench.told(Kind::launch_instances), IsEmpty());
  bench.arrive(nodes_for(2, 4, kHour));
  EXPECT_EQ(bench.step(45 * kSecond), 60 * kSecond);
  EXPECT_THAT(bench.told(Kind::launch_instances), IsEmpty());
  bench.step(60 * kSecond);
  EXPECT_EQ(bench.told(Kind::launch_instances).size(), 2u) << "one request for the job of two nodes, all or nothing";
  EXPECT_EQ(bench.told(Kind::launch_instances)[0].detail, kAllOrNothing);
  EXPECT_EQ(bench.told(Kind::launch_instances)[1].detail, 0u);
  EXPECT_THAT(bench.nodes_told(Kind::launch_instances), UnorderedElementsAre(0, 1, 2));
  bench.submit(90 * kSecond, nodes_for(1, 4, kHour));
  EXPECT_THAT(bench.nodes_told(Kind::launch_instances), ElementsAre(3)) << "on the multiple itself: at once";
}

TEST(ScalerPcs, LaunchesANodeAgainAfterItWentDown) {
  ControllerBench bench(groups_of({dynamic(1)}), scaler());
  work_until_end(bench);
  bench.step(kEnd + kIdle);
  bench.gone(0);
  bench.step(kEnd + kIdle);
  const JobId job = bench.submit(kEnd + kIdle + kSecond, nodes_for(1, 4, kHour));
  EXPECT_EQ(bench.state(job), JobState::pending);
  bench.step(kEnd + kIdle + kMinute);
  EXPECT_EQ(bench.state(job), JobState::configuring);
  EXPECT_THAT(bench.nodes_told(Kind::launch_instances), ElementsAre(0));
}

}  // namespace
}  // namespace headroom
