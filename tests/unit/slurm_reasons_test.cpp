// What squeue says of a job from its submission to the first pass, and who says it anew.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/slurm_bench.hpp"

namespace headroom::slurm {
namespace {

using testing::ElementsAre;

// A node of four CPUs that a job has from 3 on, alone or just all of them; then two jobs come between passes.
Story two_come_late(bool exclusive, bool defer) {
  SlurmBench b;
  b.conf.defer = defer;
  b.partition({b.fixed("n", 1, 4)});
  Draft& first = b.job(0, 100);
  exclusive ? first.cpus(1).exclusive() : first.cpus(4);
  b.job(4.1, 10).cpus(1);
  b.job(4.2, 10).cpus(1);
  return b.run();
}

TEST(SlurmReasons, ANodeThatAJobHasAloneIsMissedAtOnce) {
  const Story s = two_come_late(true, false);
  EXPECT_EQ(s.reason(1, 4.3), "Resources");
  EXPECT_EQ(s.reason(2, 4.3), "Resources") << "though another goes before it";
  EXPECT_EQ(s.reason(1, 6), "Resources");
  EXPECT_EQ(s.reason(2, 6), "Priority");
}

TEST(SlurmReasons, BusyCPUsAreSeenByThePass) {
  const Story s = two_come_late(false, false);
  EXPECT_EQ(s.reason(1, 4.3), "None");
  EXPECT_EQ(s.reason(2, 4.3), "Priority");
  EXPECT_EQ(s.reason(1, 6), "Resources");
}

TEST(SlurmReasons, WithDeferNoJobIsComparedWithOthers) {
  EXPECT_EQ(two_come_late(false, true).reason(2, 4.3), "None");
  EXPECT_EQ(two_come_late(true, true).reason(2, 4.3), "Resources") << "nodes are tested all the same";
}

TEST(SlurmReasons, PriorityAloneCountsAtSubmission) {
  SlurmBench b;
  b.partition({b.fixed("a", 1, 4)}).name = "a";
  Partition& other = b.partition({b.fixed("b", 1, 4)});
  other.name = "b";
  other.priority_tier = 5;
  b.job(0, 100).cpus(4);
  b.job(0.1, 10).cpus(4);
  b.job(4.1, 10).cpus(4).partition(1);
  const Story s = b.run();
  EXPECT_EQ(s.reason(2, 4.2), "Priority") << "of a job elsewhere, and of a lower tier";
  EXPECT_THAT(s[2].allocations, ElementsAre("6.000 b1"));
}

TEST(SlurmReasons, ResourcesHideWhatElseAJobWaitsForUntilTheNextOneComes) {
  SlurmBench b;
  b.partition({b.fixed("n", 1, 4)});
  b.job(0, 100).cpus(1).exclusive();
  b.job(3.1, 10).cpus(1).begin(60);
  b.job(3.2, 10).cpus(1).after(Dependency::Kind::after_any, 0);
  b.job(4.5, 10).cpus(1);
  const Story s = b.run();
  EXPECT_EQ(s.reason(1, 4), "Resources");
  EXPECT_EQ(s.reason(2, 4), "Resources");
  EXPECT_EQ(s.reason(1, 4.6), "BeginTime");
  EXPECT_EQ(s.reason(2, 4.6), "Dependency");
}

TEST(SlurmReasons, OneOfSeveralPartitionsIsEnough) {
  for (const EnforcePartLimits enforce : {EnforcePartLimits::no, EnforcePartLimits::any}) {
    SlurmBench b;
    b.conf.enforce_part_limits = enforce;
    const std::uint32_t nodes = b.fixed("n", 2, 4);
    Partition& narrow = b.partition({nodes});
    narrow.name = "narrow";
    narrow.max_nodes = 1;
    Partition& brief = b.partition({nodes});
    brief.name = "brief";
    brief.max_time = 60;
    b.partition({nodes}).name = "all";
    b.job(0, 100).cpus(8);
    b.job(4.1, 10).cpus(1).minutes(5).partitions("brief,all");
    b.job(4.2, 10).nodes(2, 1).partitions("narrow,all");
    const Story s = b.run();
    EXPECT_EQ(s.reason(1, 4.15), "None");
    EXPECT_EQ(s.reason(2, 4.25), enforce == EnforcePartLimits::no ? "PartitionNodeLimit" : "Priority");
  }
}

TEST(SlurmReasons, APartitionWithoutNodesLeftIsForgottenWhenAnotherJobClosesIt) {
  SlurmBench b;
  const std::uint32_t nodes = b.fixed("n", 2, 4);
  b.partition({nodes}).name = "a";
  Partition& other = b.partition({nodes});
  other.name = "b";
  b.job(0, 20).cpus(8);
  b.job(0.1, 100).cpus(8);
  b.job(0.2, 10).cpus(1).partition(1);
  b.job(7.1, 10).cpus(1).partition(1).priority(4'294'901'758);
  const Story s = b.run();
  EXPECT_EQ(s.reason(2, 3),
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions");
  EXPECT_EQ(s.reason(2, 9), "Priority");
}

TEST(SlurmReasons, BackfillThatAsksOthersToMakeWaySaysResources) {
  SlurmBench b;
  b.conf.preempt = Preempt::partition_prio;
  const std::uint32_t nodes = b.fixed("n", 2, 4);
  Partition& low = b.partition({nodes});
  low.preempt_mode = PreemptMode::cancel;
  low.grace_time = 60;
  b.partition({nodes}).priority_tier = 10;
  b.job(0, 300).cpus(4).minutes(9);
  b.job(0.1, 300).cpus(4).minutes(9);
  b.job(10.1, 10).cpus(4).partition(1);
  b.job(10.2, 10).cpus(4).partition(1);
  const Story s = b.run();
  const double cycle = s.looks(Event::Kind::backfill).front();
  EXPECT_EQ(s.reason(3, cycle - 1), "Priority");
  EXPECT_EQ(s.reason(3, cycle), "Resources");
}

TEST(SlurmProlog, FailsOneJobForEachFailure) {
  SlurmBench b;
  b.partition({b.fixed("n", 1, 4)});
  b.conf.prolog_fails = {1};
  b.job(0, 10).cpus(1);
  b.job(0.1, 10).cpus(1);
  const Story s = b.run();
  EXPECT_EQ(s.reason(0, 4), "launch failed requeued held");
  EXPECT_EQ(s[1].state, JobState::completed);
}

// Its answer comes after the pass of the look that pings it, also where the times of passes are given.
TEST(SlurmResume, TakesJobsInThePassAfterItsAnswer) {
  SlurmBench b;
  b.partition({b.fixed("n", 1, 4)});
  for (const Time at : {3, 13, 16}) b.conf.phases.passes.push_back({at * kSecond, false});
  b.ask(1.1, "n1", NodeAction::drain);
  b.job(2, 10).cpus(1);
  b.ask(12.1, "n1", NodeAction::resume);
  EXPECT_THAT(b.run()[0].allocations, ElementsAre("16.000 n1"));
}

}  // namespace
}  // namespace headroom::slurm
