// Policy slurm under a cloud that refuses, loses and breaks instances, and while the cluster's groups and queues
// change. Jobs are placed 3 s after the start, power saving resumes their nodes 20 ms later; a job that lost a node may
// start again 121 s later, which the pass of the next whole minute sees.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/slurm_bench.hpp"

namespace headroom::slurm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Partition 0 over groups a (preferred) and b of so many nodes with 4 CPUs.
std::unique_ptr<SlurmBench> two_groups(std::int32_t a, std::int32_t b, double boot_s = 20) {
  auto bench = std::make_unique<SlurmBench>();
  const std::uint32_t first = bench->cloud("a", a, 4, boot_s, 1);
  bench->partition(b > 0 ? std::vector{first, bench->cloud("b", b, 4, boot_s, 9)} : std::vector{first});
  bench->conf.suspend_time = 300;
  bench->conf.suspend_timeout = 10;
  bench->conf.resume_timeout = 300;
  bench->conf.suspend_rate = bench->conf.resume_rate = 0;
  return bench;
}

ClusterChange resize(std::uint32_t group, std::int32_t nodes, std::int32_t kept = 0) {
  ClusterChange change;
  change.kind = ClusterChange::Kind::resize;
  change.group = GroupId{group};
  change.nodes = nodes;
  change.kept = kept;
  return change;
}

ClusterChange of_kind(ClusterChange::Kind kind) {
  ClusterChange change;
  change.kind = kind;
  return change;
}

// --- no capacity ---

TEST(SlurmCloud, AJobIsRequeuedAndItsGroupsNodesAreDownForAWhile) {
  const auto b = two_groups(2, 0);
  b->drought(0, 100, {"a1", "a2"});
  b->job(0.5, 10.3).cpus(4);
  const Story s = b->run();
  EXPECT_EQ(s.node("a1", 3.019), "alloc~");
  EXPECT_EQ(s.node("a1", 3.02), "down~");
  EXPECT_EQ(s.node("a2", 3.02), "down~") << "it would not get one either";
  EXPECT_EQ(Story::at(s[0].states, 4), "PD");
  EXPECT_EQ(s.node("a1", 603.01), "down~");
  EXPECT_EQ(s.node("a1", 603.03), "idle~");
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 a1", testing::EndsWith("a1")));
  EXPECT_GT(s[0].allocated, 603);
  EXPECT_LE(s[0].allocated, 660);
  EXPECT_EQ(s[0].state, JobState::completed);
}

TEST(SlurmCloud, TheNodesReasonSaysWhy) {
  const auto b = two_groups(1, 0);
  b->drought(0, 100, {"a1"});
  b->job(0.5, 10.3).cpus(4);
  std::string reason;
  b->look = [&](const State& state, Time now) {
    if (now > 4 * kSecond && now < 100 * kSecond) reason = (*state.nodes)[0].reason;
  };
  b->run();
  EXPECT_EQ(reason, "the cloud has no capacity");
}

TEST(SlurmCloud, FailsOverToTheGroupOfTheNextWeight) {
  const auto b = two_groups(1, 1);
  b->drought(0, 1e4, {"a1"});
  b->job(0.5, 10.3).cpus(4);
  const Story s = b->run();
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 a1", "180.000 b1"));
  EXPECT_EQ(s[0].started, 210.0);
}

TEST(SlurmCloud, WhatWasLaunchedForTheSameJobIsGivenBack) {
  const auto b = two_groups(1, 2);
  b->drought(0, 100, {"a1"});
  b->job(0.5, 10.3).nodes(2, 4);
  const Story s = b->run();
  EXPECT_THAT(s.power.at("b1"),
              ElementsAre("3.020 resume", "3.020 given up", "180.020 resume", "200.020 ready", testing::_));
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 a1,b1", "180.000 b[1-2]"));
  EXPECT_EQ(s.node("b1", 4), "idle~");
}

TEST(SlurmCloud, AThrottledRequestIsRepeatedAndTheJobKeepsItsNode) {
  const auto b = two_groups(1, 0);
  b->drought(0, 8, {"a1"}, Refusal::request_limit_exceeded);
  b->job(0.5, 10.3).cpus(4);
  const Story s = b->run();
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 a1"));
  EXPECT_THAT(s.resumes,
              ElementsAre(std::pair(3.02, "a1"), std::pair(4.02, "a1"), std::pair(6.02, "a1"), std::pair(10.02, "a1")));
  EXPECT_EQ(s[0].started, 60.0);
}

TEST(SlurmCloud, ResumeTimeoutEndsALongWait) {
  const auto b = two_groups(1, 0);
  b->conf.resume_timeout = 40;
  b->launcher.incremental = true;
  b->drought(0, 1e5, {"a1"});
  b->job(0.5, 10.3).cpus(4);
  const Story s = b->run();
  EXPECT_EQ(s.first("a1", "down~"), 47.02) << "as when it does not boot";
  EXPECT_THAT(s.resumes, ElementsAre(std::pair(3.02, "a1")));
}

TEST(SlurmCloud, ABudgetThatIsUsedUpTakesNodesWithoutAnInstanceOut) {
  const auto b = two_groups(2, 0);
  b->budget(30, 1);
  b->budget(400, 2);
  b->job(0.5, 1000.3).cpus(4);
  b->job(40.5, 10.3).cpus(4);
  const Story s = b->run();
  EXPECT_EQ(s[0].started, 30.0) << "what was launched is used";
  EXPECT_EQ(s.node("a2", 30.5), "down~");
  EXPECT_EQ(s.node("a2", 399), "down~");
  EXPECT_THAT(s[1].allocations, ElementsAre("400.000 a2"));
}

TEST(SlurmCloud, ANodeThatAnAdministratorTookDownDoesNotComeBackWithTheCapacity) {
  const auto b = two_groups(2, 0);
  b->ask(1.2, "a2", NodeAction::down);
  b->drought(0, 100, {"a1"});
  b->job(0.5, 10.3).cpus(4);
  const Story s = b->run();
  EXPECT_EQ(s[0].state, JobState::completed);
  EXPECT_EQ(s.node("a2", 700), "down~");
}

// --- instances that are lost or break ---

TEST(SlurmCloud, AJobThatLosesItsInstanceWaitsAgain) {
  const auto b = two_groups(1, 0);
  b->job(0.5, 500.3).cpus(4);
  b->lose_instance(100.4, "a1", Loss::spot_interruption);
  const Story s = b->run();
  EXPECT_EQ(s.node("a1", 100.5), "idle~");
  EXPECT_EQ(Story::at(s[0].states, 100.5), "PD");
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 a1", "240.000 a1")) << "100 + 121 s";
  EXPECT_EQ(s[0].state, JobState::completed);
}

TEST(SlurmCloud, AJobThatMayNotBeRequeuedFails) {
  const auto b = two_groups(1, 0);
  b->job(0.5, 500.3).cpus(4).no_requeue();
  b->impair(100.4, "a1", Impairment::health_check_failed);
  const Story s = b->run();
  EXPECT_EQ(s[0].state, JobState::node_failed);
  EXPECT_EQ(s[0].ended, 100.4);
  EXPECT_THAT(s.power.at("a1"), ElementsAre("3.020 resume", "23.020 ready", "100.400 suspend"));
}

TEST(SlurmCloud, AllComponentsOfAHeterogeneousJobGo) {
  const auto b = two_groups(2, 0);
  b->job(0.5, 500.3).cpus(4).component(0, 2);
  b->job(0.5, 500.3).cpus(4).component(1, 2);
  b->lose_instance(200.4, "a2");
  const Story s = b->run();
  for (const std::uint32_t job : {0u, 1u}) {
    EXPECT_EQ(Story::at(s[job].states, 200.3), "R") << job;
    EXPECT_EQ(Story::at(s[job].states, 200.5), "PD") << job;
    EXPECT_EQ(s[job].state, JobState::completed) << job;
  }
  EXPECT_EQ(s[0].allocated, s[1].allocated);
  EXPECT_EQ(s.node("a1", 200.5), "idle");
}

TEST(SlurmCloud, OfAnArrayOnlyTheTaskOnTheNodeWaitsAgain) {
  const auto b = two_groups(2, 0);
  b->job(0.5, 500.3).cpus(4);
  b->array(2, 0);
  b->lose_instance(100.4, "a2");
  const Story s = b->run();
  EXPECT_EQ(Story::at(s[0].states, 100.5), "R");
  EXPECT_EQ(Story::at(s[1].states, 100.5), "PD");
  EXPECT_THAT(s[1].allocations, ElementsAre("3.000 a2", "240.000 a2"));
}

TEST(SlurmCloud, WhatCompletesOnALostNodeIsOver) {
  const auto b = two_groups(1, 0);
  b->job(0.5, 500.3).cpus(4).stops_in(60);
  b->ask(90, 0, JobAction::cancel);
  b->lose_instance(100.4, "a1");
  const Story s = b->run();
  EXPECT_EQ(s.node("a1", 95), "comp");
  EXPECT_EQ(s.node("a1", 100.5), "idle~");
  EXPECT_EQ(s[0].state, JobState::cancelled);
  EXPECT_EQ(s[0].ended, 100.4);
}

TEST(SlurmCloud, ANodeThatWasDownIsHealedWhenItsInstanceIsGone) {
  const auto b = two_groups(1, 0);
  b->conf.slurmd_timeout = 30;
  b->job(0.5, 500.3).cpus(4);
  b->kill_node(100, "a1");
  b->lose_instance(400.4, "a1");
  const Story s = b->run();
  EXPECT_EQ(s.node("a1", 400.3), "down*") << "not responding";
  EXPECT_EQ(s.node("a1", 400.5), "idle~");
  EXPECT_EQ(s[0].state, JobState::completed);
}

TEST(SlurmCloud, AnInstanceWithAScheduledEventDrainsAndIsReplaced) {
  const auto b = two_groups(2, 0);
  b->job(0.5, 200.3).cpus(2);
  b->job(110.5, 10.3).cpus(2);
  b->impair(100.4, "a1", Impairment::scheduled_event);
  const Story s = b->run();
  EXPECT_EQ(s.node("a1", 150), "drng!");
  EXPECT_THAT(s[1].allocations, ElementsAre(testing::EndsWith("a2")));
  EXPECT_EQ(s[0].ended, 230.3) << "it is not disturbed";
  EXPECT_THAT(s.power.at("a1"), ElementsAre("3.020 resume", "23.020 ready", "231.020 suspend"));
}

// --- changes of the cluster ---

TEST(SlurmCloud, AnUpdatedGroupIsReplacedWhenItIsIdle) {
  const auto b = two_groups(2, 0);
  b->job(0.5, 300.3).cpus(4);
  b->job(0.6, 10.3).cpus(4);
  b->change(100.4, of_kind(ClusterChange::Kind::replace));
  const Story s = b->run();
  EXPECT_EQ(s.power.at("a2").back(), "101.020 suspend") << "idle: at the next look";
  EXPECT_EQ(s[0].ended, 330.3);
  EXPECT_EQ(s.power.at("a1").back(), "331.020 suspend");
  EXPECT_EQ(s.node("a1", 360), "idle~");
}

TEST(SlurmCloud, ASmallerGroupRequeuesAndRefusesWhatNoLongerFits) {
  const auto b = two_groups(3, 0);
  for (int i = 0; i < 3; ++i) b->job(0.5 + i / 10.0, 400.3).cpus(4);
  b->job(0.9, 10.3).nodes(2, 4);
  b->change(100.4, resize(0, 1));
  b->job(150.5, 10.3).nodes(2, 4);
  b->change(600.4, resize(0, 3));
  const Story s = b->run();
  EXPECT_EQ(s.node("a2", 100.5), "down~");
  EXPECT_EQ(s.power.at("a2").at(2), "100.400 suspend");
  EXPECT_EQ(Story::at(s[0].states, 101), "R");
  EXPECT_EQ(Story::at(s[1].states, 101), "PD");
  EXPECT_EQ(s.reason(3, 200), "PartitionNodeLimit");
  EXPECT_EQ(s[4].state, JobState::rejected) << "at its submission";
  EXPECT_EQ(s.node("a2", 600.5), "idle~");
  for (std::uint32_t j = 0; j < 4; ++j) EXPECT_EQ(s[j].state, JobState::completed) << j;
  EXPECT_GT(s[3].allocated, 600);
}

TEST(SlurmCloud, AMinimumIsLaunchedAndKept) {
  const auto b = two_groups(2, 0);
  b->change(10.4, resize(0, 2, 1));
  const Story s = b->run();
  EXPECT_THAT(s.power.at("a1"), ElementsAre("11.020 resume", "31.020 ready"));
  EXPECT_EQ(s.power.count("a2"), 0u);
}

TEST(SlurmCloud, ADeletedQueueCancelsItsJobs) {
  const auto b = two_groups(1, 0);
  b->partition({0});
  b->job(0.5, 500.3).cpus(4);
  b->job(0.6, 500.3).cpus(4);
  b->job(0.7, 10.3).cpus(4).partition(1);
  b->change(100.4, of_kind(ClusterChange::Kind::delete_queue));
  b->job(200.5, 10.3).cpus(4);
  const Story s = b->run();
  EXPECT_EQ(Story::at(s[0].states, 100.5), "CG");
  EXPECT_EQ(s[0].state, JobState::cancelled);
  EXPECT_EQ(s[0].ended, 100.9);
  EXPECT_EQ(s[1].state, JobState::cancelled);
  EXPECT_EQ(s[1].ended, 100.4);
  EXPECT_EQ(s[2].state, JobState::completed) << "of the other queue";
  EXPECT_EQ(s[3].rejection, Rejection::queue);
}

TEST(SlurmCloud, ADeletedGroupCancelsWhatRunsOnIt) {
  const auto b = two_groups(1, 1);
  b->job(0.5, 500.3).cpus(4).component(0, 2);
  b->job(0.5, 500.3).cpus(4).component(1, 2);
  ClusterChange change = of_kind(ClusterChange::Kind::delete_group);
  change.group = GroupId{1};
  b->change(200.4, change);
  const Story s = b->run();
  EXPECT_EQ(s[0].state, JobState::cancelled) << "with all of its components";
  EXPECT_EQ(s[1].state, JobState::cancelled);
  EXPECT_EQ(s[1].ended, 200.4);
  EXPECT_EQ(s.node("b1", 200.5), "down~");
  EXPECT_EQ(s.node("a1", 200.5), "idle");
}

}  // namespace
}  // namespace headroom::slurm
