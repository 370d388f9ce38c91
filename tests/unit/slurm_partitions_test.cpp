// Ranges of nodes, several partitions, changes of jobs and partitions, deadlines, Prologs that fail.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/scenario/sbatch_syntax.hpp"
#include "tests/unit/slurm_bench.hpp"

namespace headroom::slurm {
namespace {

using testing::ElementsAre;

TEST(SlurmNodeRange, IsRead) {
  std::string problem;
  EXPECT_EQ(parse_nodes("2-5", problem), std::pair(2, 5));
  EXPECT_EQ(parse_nodes("3", problem), std::pair(3, 3));
  EXPECT_FALSE(parse_nodes("5-2", problem));
  EXPECT_EQ(problem, "found 5-2, expected the smaller number first");
  EXPECT_FALSE(parse_nodes("2-", problem));
  EXPECT_FALSE(parse_nodes("0-2", problem));
}

TEST(SlurmNodeRange, TakesAsManyAsThereAre) {
  SlurmBench b;
  b.partition({b.fixed("n", 4, 4)});
  b.job(0, 10).nodes(1, 4);
  b.job(0.1, 10).cpus(2).range(2, 5);
  b.job(0.2, 10).cpus(4).range(1, 2).partition(0);
  const Story s = b.run();
  EXPECT_THAT(s[1].allocations, ElementsAre("3.000 n[2-4]"));
}

TEST(SlurmNodeRange, WaitsForTheLimitsOfItsPartition) {
  SlurmBench b;
  Partition& p = b.partition({b.fixed("n", 6, 4)});
  p.min_nodes = 2;
  p.max_nodes = 3;
  b.job(0, 10).cpus(1).range(1, 2);
  b.job(0.1, 10).cpus(2).range(2, 5);
  b.update_partition(20.1, 0, "maxnodes", "5");
  const Story s = b.run();
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n[1-2]"));
  EXPECT_EQ(s.reason(1, 5), "PartitionNodeLimit");
  EXPECT_THAT(s[1].allocations, ElementsAre("21.000 n[1-5]"));
}

TEST(SlurmNodeRange, IsRefusedWhereLimitsAreEnforced) {
  SlurmBench b;
  b.conf.enforce_part_limits = EnforcePartLimits::any;
  Partition& p = b.partition({b.fixed("n", 6, 4)});
  p.min_nodes = 2;
  p.max_nodes = 3;
  b.job(0, 10).cpus(1).range(1, 2);
  b.job(0.1, 10).cpus(2).range(2, 5);
  b.job(0.2, 10).cpus(2).range(2, 3);
  const Story s = b.run();
  EXPECT_EQ(s[0].rejection, Rejection::partition);
  EXPECT_EQ(s[1].rejection, Rejection::partition);
  EXPECT_THAT(s[2].allocations, ElementsAre("3.000 n[1-3]"));
}

TEST(SlurmPartitionList, StartsWhereItCan) {
  for (const EnforcePartLimits enforce : {EnforcePartLimits::no, EnforcePartLimits::any, EnforcePartLimits::all}) {
    SlurmBench b;
    b.conf.enforce_part_limits = enforce;
    const std::uint32_t nodes = b.fixed("n", 2, 4);
    Partition& brief = b.partition({nodes});
    brief.name = "brief";
    brief.max_time = 120;
    b.partition({nodes}).name = "long";
    b.job(0, 10).cpus(2).minutes(5).partitions("brief,long");
    const Story s = b.run();
    if (enforce == EnforcePartLimits::all) {
      EXPECT_EQ(s[0].rejection, Rejection::partition);
    } else {
      EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n1"));
    }
  }
}

TEST(SlurmPartitionList, ReservesInOnePartitionIfToldTo) {
  double started[2] = {};
  for (const bool one : {false, true}) {
    SlurmBench b;
    b.conf.bf_one_resv_per_job = one;
    b.partition({b.fixed("a", 1, 4)}).name = "a";
    b.partition({b.fixed("b", 1, 4)}).name = "b";
    b.job(0, 100).cpus(4).minutes(2);
    b.job(0.1, 100).cpus(2).minutes(2).partition(1);
    b.job(5, 10).cpus(4).minutes(2).partitions("a,b");
    b.job(5.1, 10).cpus(2).minutes(60).partition(1);
    started[one ? 1 : 0] = b.run()[3].started;
  }
  EXPECT_GT(started[0], 100);
  EXPECT_LT(started[1], 40);
}

TEST(SlurmUpdate, ChangesLimitsAndPriorities) {
  SlurmBench b;
  b.partition({b.fixed("n", 1, 4)}).max_time = 120;
  b.job(0, 30).cpus(4).minutes(1);
  b.job(0.1, 10).cpus(4).minutes(5);
  b.job(0.2, 10).cpus(4).minutes(1);
  b.job(0.3, 10).cpus(4).minutes(1);
  b.update(5.1, 1, "TimeLimit", "2");
  b.update(6.1, 3, "priority", "4294901765");
  const Story s = b.run();
  EXPECT_EQ(s.reason(1, 4), "PartitionTimeLimit");
  EXPECT_LT(s[3].started, s[1].started);
  EXPECT_LT(s[1].started, s[2].started);
}

TEST(SlurmUpdate, RefusesWhatIsNotFollowed) {
  JobChange change;
  EXPECT_EQ(set(change, "gres", "gpu:1"),
            "is not followed; expected nice, sitefactor, priority, timelimit or partition");
  EXPECT_EQ(set(change, "nice", "x"), "expected a whole number");
  Update update;
  EXPECT_EQ(set(update, Partition{}, "nosuch", "1"), "is no setting of a partition");
}

TEST(SlurmUpdate, RefusesDefaultsThatJobsHaveFromTheStart) {
  for (const char* name : {"DefMemPerCPU", "DefMemPerNode", "DefMemPerGPU", "DefCpuPerGPU", "JobDefaults"}) {
    Update update;
    EXPECT_EQ(set(update, Partition{}, name, "1").substr(0, 34), "cannot be changed while it runs: j") << name;
    EXPECT_TRUE(update.settings.empty()) << name;
  }
}

// Jobs that wait go by the tiers that partitions have now, also where their priorities stay.
TEST(SlurmUpdate, OfATierPutsJobsInOrder) {
  for (const bool several : {false, true}) {
    SlurmBench b;
    const std::uint32_t nodes = b.fixed("n", 1, 4);
    for (const char* name : {"a", "b", "c"}) b.partition({nodes}).name = name;
    b.job(0, 30).cpus(4).minutes(1);
    b.job(0.1, 10).cpus(4).minutes(1);
    b.job(0.2, 10).cpus(4).minutes(1).partition(several ? 2 : 1);
    if (several) b.job(0.3, 10).cpus(4).minutes(1).partition(2).partitions("c,b");
    b.update_partition(5.1, 1, "PriorityTier", "10");
    const Story s = b.run();
    EXPECT_LT(s[several ? 3 : 2].started, s[1].started);
  }
}

TEST(SlurmUpdate, OfAJobsPartitionPutsItInOrder) {
  SlurmBench b;
  const std::uint32_t nodes = b.fixed("n", 1, 4);
  b.partition({nodes}).name = "a";
  Partition& high = b.partition({nodes});
  high.name = "high";
  high.priority_tier = 10;
  b.job(0, 30).cpus(4).minutes(1);
  b.job(0.1, 10).cpus(4).minutes(1);
  b.job(0.2, 10).cpus(4).minutes(1);
  b.job(0.3, 10).cpus(4).minutes(1);
  b.update(5.1, 3, "Partition", "high");
  b.update(5.2, 2, "Partition", "a,high");
  const Story s = b.run();
  EXPECT_LT(s[3].started, s[1].started);
  EXPECT_LT(s[2].started, s[1].started);
}

// Nodes are one user's in the partition where the job starts, as that is then.
TEST(SlurmExclusiveUser, GoesByThePartitionWhereAJobStarts) {
  for (const char* how : {"no", "second", "update", "requeue"}) {
    const std::string_view what = how;
    SlurmBench b;
    const std::uint32_t nodes = b.fixed("n", 1, 8);
    for (const char* name : {"a", "own", "other"}) b.partition({nodes}).name = name;
    const bool second = what == "second";
    if (second) b.conf.partitions[0].max_time = 120;
    if (second) b.conf.partitions[1].exclusive_user = true;
    Draft& first = b.job(0, 600).cpus(1).minutes(20).begin(what == "update" ? 30 : 0);
    if (second) first.partitions("a,own");
    if (what == "update" || what == "requeue") b.update_partition(10.1, 0, "ExclusiveUser", "YES");
    if (what == "requeue") b.ask(20.1, 0, JobAction::requeue);
    b.job(200, 10).cpus(1).user(1).partition(2);
    const Story s = b.run();
    EXPECT_EQ(s[b.last()].started < 250, what == "no") << what;
  }
}

TEST(SlurmDeadline, EndsAJobThatCannotKeepIt) {
  SlurmBench b;
  b.partition({b.fixed("n", 1, 4)});
  b.job(0, 30).cpus(4).minutes(1);
  b.job(0.1, 10).cpus(4).minutes(1).deadline(65);
  b.job(0.2, 10).cpus(4).minutes(1).deadline(200);
  const Story s = b.run();
  EXPECT_EQ(s[1].state, JobState::cancelled);
  EXPECT_TRUE(s[1].allocations.empty());
  EXPECT_EQ(s[2].state, JobState::completed);
}

TEST(SlurmMaxCPUsPerNode, CountsTheJobsOfThePartition) {
  SlurmBench b;
  b.partition({b.fixed("n", 3, 4)}).max_cpus_per_node = 2;
  b.job(0, 10).cpus(4);
  b.job(0.1, 10).cpus(2);
  b.job(0.2, 10).nodes(1, 3);
  const Story s = b.run();
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n[1-2]"));
  EXPECT_THAT(s[1].allocations, ElementsAre("3.000 n3"));
  EXPECT_EQ(s[2].rejection, Rejection::too_wide);
}

// Books are opened when the first job comes to a partition: they leave those of other partitions alone.
TEST(SlurmMaxCPUsPerNode, CountsEveryJobOnce) {
  SlurmBench b;
  const std::uint32_t nodes = b.fixed("n", 1, 8);
  for (const std::uint32_t most : {4u, 2u}) {
    b.partition({nodes}).max_cpus_per_node = static_cast<std::int32_t>(most);
  }
  b.job(0, 30).cpus(3);
  b.job(5, 10).cpus(1).partition(1);
  b.job(60, 10).cpus(3);
  const Story s = b.run();
  EXPECT_THAT(s[1].allocations.size(), 1u);
  ASSERT_EQ(s[2].allocations.size(), 1u);
  EXPECT_LT(s[2].started, 70);
}

// A job that takes whole nodes gets none of which the partition may not have all CPUs.
TEST(SlurmMaxCPUsPerNode, LeavesNoWholeNodes) {
  SlurmBench b;
  b.partition({b.fixed("n", 1, 4), b.fixed("s", 1, 2)}).max_cpus_per_node = 2;
  b.job(0, 10).cpus(1).exclusive();
  b.job(0.1, 10).nodes(1, 2).exclusive();
  b.job(0.2, 10).nodes(2, 1).exclusive();
  const Story s = b.run();
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 s1"));
  EXPECT_THAT(s[1].allocations, ElementsAre("13.000 s1"));
  EXPECT_EQ(s[2].rejection, Rejection::too_wide);
}

TEST(SlurmProlog, DrainsTheNodeAndHoldsTheJob) {
  for (const bool hold : {true, false}) {
    SlurmBench b;
    b.partition({b.fixed("n", 2, 4)});
    b.conf.prolog_fails = {1, 0};
    b.conf.nohold_on_prolog_fail = !hold;
    b.job(0, 10).cpus(4);
    const Story s = b.run();
    EXPECT_EQ(s.reason(0, 8), hold ? "launch failed requeued held" : "BeginTime");
    EXPECT_EQ(s[0].allocations.size(), hold ? 1u : 2u);
  }
}

TEST(SlurmPasses, KeepSchedMinInterval) {
  SlurmBench b;
  b.conf.sched_min_interval = 2 * kSecond;
  b.partition({b.fixed("n", 1, 4)});
  b.job(0, 100).cpus(4).stops_in(0.1);
  b.job(1.5, 10).cpus(4);
  b.ask(4.2, 0, JobAction::cancel);
  const Story s = b.run();
  EXPECT_DOUBLE_EQ(s[1].allocated, 5.0);
}

// Less than a whole minute is no limit.
TEST(SlurmDeadline, MayBeLessThanAMinuteAway) {
  for (const std::int64_t deadline : {70, 200}) {
    SlurmBench b;
    b.partition({b.fixed("n", 1, 4)});
    b.job(0, 30).cpus(4).minutes(1);
    b.job(0.1, 32).cpus(4).deadline(deadline).job.request.limit = kUnlimited * kSecond;
    const Story s = b.run();
    EXPECT_GE(s[1].allocated, 30);
    EXPECT_EQ(s[1].state, JobState::completed) << deadline;
  }
}

// A job that waits for its nodes to boot has not been launched yet.
TEST(SlurmProlog, FailsWhenTheJobIsLaunched) {
  SlurmBench b;
  b.partition({b.cloud("n", 1, 4, 50)});
  b.conf.prolog_fails = {1};
  b.job(0, 10).cpus(4);
  const Story s = b.run();
  EXPECT_GE(s[0].started, -1);
  EXPECT_EQ(s.reason(0, 100), "launch failed requeued held");
  EXPECT_EQ(s[0].state, JobState::pending);
}

}  // namespace
}  // namespace headroom::slurm
