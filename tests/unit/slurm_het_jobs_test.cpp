// Heterogeneous jobs under policy slurm: backfill starts all components together, or none. Passes are at whole seconds,
// backfill cycles at 10, 20 and so on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/slurm_bench.hpp"

namespace headroom::slurm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::unique_ptr<SlurmBench> nodes_of_four(std::int32_t count) {
  auto b = std::make_unique<SlurmBench>();
  b->partition({b->fixed("n", count, 4)});
  b->conf.bf_interval = 10;
  return b;
}

TEST(SlurmHetJobs, StartTogetherByBackfillOnNodesOfTheirOwn) {
  const auto b = nodes_of_four(2);
  b->job(0.5, 20.3).cpus(1).minutes(5).component(0, 2);
  b->job(0.5, 20.3).cpus(1).minutes(5).component(1, 2);
  const Story s = b->run();
  EXPECT_THAT(s[0].allocations, ElementsAre(testing::EndsWith("n1 backfill")));
  EXPECT_THAT(s[1].allocations, ElementsAre(testing::EndsWith("n2 backfill")));
  EXPECT_EQ(s[0].allocated, s[1].allocated);
  EXPECT_EQ(s.reason(0, 1), "None");
}

TEST(SlurmHetJobs, StartTogetherOnceTheNodesOfAllAreUp) {
  SlurmBench b;
  b.conf.bf_interval = 10;
  b.conf.resume_timeout = 300;
  b.partition({b.cloud("f", 1, 4, 20)});
  b.partition({b.cloud("s", 1, 4, 100)});
  b.job(0.5, 20.3).cpus(1).minutes(5).component(0, 2);
  b.job(0.5, 20.3).cpus(1).minutes(5).partition(1).component(1, 2);
  const Story s = b.run();
  EXPECT_GE(s[0].started, 100);
  EXPECT_EQ(s[0].started, s[1].started);
}

TEST(SlurmHetJobs, WaitForTheLastComponent) {
  const auto b = nodes_of_four(2);
  b->job(0.5, 50.3).cpus(4).minutes(5);
  b->job(1.5, 20.3).cpus(4).minutes(5).component(0, 2);
  b->job(1.5, 20.3).cpus(4).minutes(5).component(1, 2);
  b->job(2.5, 5.3).cpus(4).minutes(1);
  const Story s = b->run();
  EXPECT_GE(s[1].allocated, 50);
  EXPECT_EQ(s[1].allocated, s[2].allocated);
  EXPECT_EQ(s.reason(1, 25), "Resources");
  EXPECT_EQ(s.reason(3, 5), "Priority") << "the main scheduler passes no heterogeneous job";
}

TEST(SlurmHetJobs, WhatKeepsOneFromStartingKeepsAll) {
  const auto b = nodes_of_four(2);
  b->conf.version.number = 2205;
  b->job(0.5, 20.3).cpus(1).minutes(5).component(0, 2);
  b->job(0.5, 20.3).nodes(3, 1).minutes(5).component(1, 2);
  b->ask(60, 0, JobAction::cancel);
  const Story s = b->run();
  EXPECT_THAT(s[0].allocations, IsEmpty());
  EXPECT_EQ(s.reason(0, 30), "Resources");
  EXPECT_EQ(s.reason(1, 30), "PartitionNodeLimit");
}

TEST(SlurmHetJobs, AreCancelledAsAWhole) {
  for (const bool whole : {false, true}) {
    const auto b = nodes_of_four(2);
    b->conf.whole_hetjob = whole;
    b->job(0.5, 100.3).cpus(1).minutes(5).component(0, 2);
    b->job(0.5, 100.3).cpus(1).minutes(5).component(1, 2);
    b->ask(40, 1, JobAction::cancel);
    const Story s = b->run();
    EXPECT_EQ(s[1].state, JobState::cancelled);
    EXPECT_EQ(s[0].state, whole ? JobState::cancelled : JobState::completed);
  }
}

TEST(SlurmHetJobs, MayBeInOrderAsAWhole) {
  // One component before a job of everybody's, the other behind it.
  for (const HetjobPrio prio : {HetjobPrio::min, HetjobPrio::max}) {
    const auto b = nodes_of_four(2);
    b->conf.bf_hetjob_prio = prio;
    b->job(0.5, 30.3).nodes(2, 4).minutes(5);
    b->job(1.5, 20.3).cpus(4).minutes(5).priority(2000).component(0, 2);
    b->job(1.5, 20.3).cpus(4).minutes(5).priority(10).component(1, 2);
    b->job(2.5, 20.3).nodes(2, 4).minutes(5).priority(1000);
    const Story s = b->run();
    EXPECT_EQ(s[1].allocated < s[3].allocated, prio == HetjobPrio::max);
  }
}

TEST(SlurmHetJobs, MayStartInTheMiddleOfACycle) {
  for (const bool immediate : {false, true}) {
    const auto b = nodes_of_four(3);
    b->conf.bf_hetjob_immediate = immediate;
    b->conf.bf_max_job_start = 1;  // whoever is first
    b->job(0.5, 20.3).cpus(4).minutes(5).component(0, 2);
    b->job(0.5, 20.3).cpus(1).minutes(5).component(1, 2);
    b->job(0.7, 20.3).cpus(1).minutes(5);
    const Story s = b->run();
    EXPECT_EQ(s[0].allocated < s[2].allocated, immediate);
    EXPECT_EQ(s[0].allocated, s[1].allocated);
  }
}

TEST(SlurmHetJobs, AreRequeuedAsAWholeByTheirFirst) {
  for (const std::uint32_t asked : {0U, 1U}) {
    const auto b = nodes_of_four(2);
    b->job(0.5, 100.3).cpus(4).minutes(5).component(0, 2);
    b->job(0.5, 100.3).cpus(4).minutes(5).component(1, 2);
    b->ask(40, asked, JobAction::requeue);
    const Story s = b->run();
    for (const std::uint32_t j : {0U, 1U}) {
      EXPECT_EQ(s[j].allocations.size(), asked == 0 ? 2u : 1u) << "slurmctld refuses it for a component";
      EXPECT_EQ(s[j].state, JobState::completed);
      EXPECT_EQ(s[j].allocated, s[0].allocated);
    }
  }
}

// A component that was cancelled while it ran does not keep the others from running again.
TEST(SlurmHetJobs, RunAgainWithoutWhatIsOver) {
  const auto b = nodes_of_four(3);
  for (const std::int32_t c : {0, 1, 2}) b->job(0.5, 200.3).cpus(4).minutes(5).component(c, 3);
  b->ask(40, 1, JobAction::cancel);
  b->ask(60, 0, JobAction::requeue);
  const Story s = b->run();
  EXPECT_EQ(s[1].state, JobState::cancelled);
  for (const std::uint32_t j : {0U, 2U}) {
    EXPECT_EQ(s[j].allocations.size(), 2u);
    EXPECT_EQ(s[j].state, JobState::completed);
  }
  EXPECT_EQ(s[0].allocated, s[2].allocated);
}

TEST(SlurmHetJobs, AWaitingComponentIsNotCancelledAlone) {
  for (const bool whole : {false, true}) {
    const auto b = nodes_of_four(2);
    b->conf.whole_hetjob = whole;
    b->job(0.1, 60.3).nodes(2, 4).minutes(5);
    b->job(0.5, 20.3).cpus(1).minutes(5).component(0, 2);
    b->job(0.5, 20.3).cpus(1).minutes(5).component(1, 2);
    b->ask(20, 2, JobAction::cancel);
    const Story s = b->run();
    EXPECT_EQ(s[1].state, whole ? JobState::cancelled : JobState::completed);
    EXPECT_EQ(s[2].state, s[1].state);
  }
}

// Both fit the limit alone, together they do not until others are gone.
TEST(SlurmHetJobs, CountForLimitsAsAWhole) {
  for (const std::int64_t cpus : {8, 9}) {
    const auto b = nodes_of_four(4);
    b->conf.accounting = b->conf.enforce.associations = b->conf.enforce.limits = true;
    b->accounting.qos.emplace_back().name = "normal";
    b->accounting.accounts.emplace_back().name = "a";
    b->accounting.accounts[0].limits.grp_tres[Tres::cpu] = cpus;
    b->accounting.users.emplace_back().name = "u";
    b->accounting.users[0].accounts = {"a"};
    b->job(0.1, 60.3).cpus(1).minutes(5);
    b->job(0.5, 20.3).cpus(4).minutes(5).component(0, 2);
    b->job(0.5, 20.3).cpus(4).minutes(5).component(1, 2);
    const Story s = b->run();
    EXPECT_EQ(s[1].allocated < 60, cpus == 9);
    EXPECT_EQ(s[1].allocated, s[2].allocated);
    EXPECT_EQ(s[2].state, JobState::completed);
  }
}

TEST(SlurmHetJobs, AreUpdatedAsAWholeByTheirFirst) {
  for (const std::uint32_t asked : {0U, 1U}) {
    const auto b = nodes_of_four(2);
    b->job(0.5, 500).cpus(1).minutes(2).component(0, 2);
    b->job(0.5, 500).cpus(1).minutes(2).component(1, 2);
    b->update(40, asked, "TimeLimit", "4");
    const Story s = b->run();
    EXPECT_EQ(s[0].ended > 200, asked == 0);
    EXPECT_GT(s[1].ended, 200);
  }
}

// Whichever component it is that could never run.
TEST(SlurmHetJobs, AreRefusedAsAWhole) {
  for (const std::int32_t wide : {0, 1, 2}) {
    const auto b = nodes_of_four(2);
    for (const std::int32_t c : {0, 1, 2}) b->job(0.5, 20.3).nodes(c == wide ? 3 : 1, 1).component(c, 3);
    const Story s = b->run();
    for (const std::uint32_t j : {0U, 1U, 2U}) EXPECT_EQ(s[j].rejection, Rejection::too_wide) << wide << " " << j;
  }
}

TEST(SlurmHetJobs, MissADeadlineAsAWhole) {
  for (const bool immediate : {false, true}) {
    const auto b = nodes_of_four(2);
    b->conf.bf_hetjob_immediate = immediate;
    b->job(0.1, 200.3).nodes(2, 4).minutes(5);
    b->job(0.5, 20.3).cpus(1).minutes(5).deadline(600).component(0, 2);
    b->job(0.5, 20.3).cpus(1).minutes(5).deadline(400).component(1, 2);
    b->job(0.6, 20.3).cpus(1).minutes(5);
    const Story s = b->run();
    for (const std::uint32_t j : {1U, 2U}) {
      EXPECT_EQ(s[j].state, JobState::cancelled);
      EXPECT_EQ(s.reason(j, 150), "DeadLine");
      EXPECT_THAT(s[j].allocations, IsEmpty());
    }
    EXPECT_EQ(s[3].state, JobState::completed);
  }
}

// One Prolog fails: all wait again, held or not.
TEST(SlurmHetJobs, FailToLaunchAsAWhole) {
  for (const bool hold : {false, true}) {
    const auto b = nodes_of_four(3);
    b->conf.prolog_fails = {0, 1, 0};
    b->conf.nohold_on_prolog_fail = !hold;
    b->job(0.5, 300.3).cpus(4).minutes(9).component(0, 2);
    b->job(0.5, 300.3).cpus(4).minutes(9).component(1, 2);
    const Story s = b->run();
    for (const std::uint32_t j : {0U, 1U}) {
      EXPECT_EQ(s.reason(j, 30), hold ? "launch failed requeued held" : "BeginTime");
      EXPECT_EQ(s[j].allocations.size(), hold ? 1u : 2u);
      EXPECT_EQ(s[j].allocated, s[0].allocated);
    }
  }
}

TEST(SlurmHetJobs, WaitForReservedLicences) {
  const auto b = nodes_of_four(2);
  b->conf.licenses = {{"lic", 1}};
  b->conf.bf_licenses = true;
  for (const char* name : {"u0", "u1"}) b->accounting.users.emplace_back().name = name;
  ReservationRequest& request = b->conf.reservations.emplace_back();
  request.at = kSecond / 10;
  request.what.name = "r";
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  for (const auto& [key, value] :
       Pairs{{"Users", "u1"}, {"Duration", "2"}, {"Licenses", "lic:1"}, {"Flags", "ANY_NODES"}}) {
    EXPECT_EQ(set(request.what, key, value), "") << key;
  }
  b->job(1.5, 20.3).cpus(1).minutes(5).component(0, 2).asks.licenses = "lic";
  b->job(1.5, 20.3).cpus(1).minutes(5).component(1, 2);
  const Story s = b->run();
  EXPECT_GE(s[0].allocated, 120) << "they are another user's until then";
  EXPECT_EQ(s[0].allocated, s[1].allocated);
}

}  // namespace
}  // namespace headroom::slurm
