// Jobs that have CPUs together under policy slurm: OverSubscribe=YES:n and FORCE:n. The first pass is at 3 s, and what
// comes later is looked at at once if that is 3 s after the last pass.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/draw.hpp"
#include "tests/unit/slurm_bench.hpp"

namespace headroom::slurm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Partition& set_share(Partition& partition, const std::string& value) {
  EXPECT_EQ(set(partition, "OverSubscribe", value), "");
  return partition;
}
std::unique_ptr<SlurmBench> nodes_of_four(std::int32_t count, const std::string& share) {
  auto b = std::make_unique<SlurmBench>();
  set_share(b->partition({b->fixed("n", count, 4)}), share);
  return b;
}

// As on n01 of recorded run s13.
TEST(SlurmOverSubscribe, JobsShareCpusInRows) {
  const auto b = nodes_of_four(1, "FORCE:2");
  b->job(0.5, 25).cpus(2);
  b->job(0.6, 33).cpus(4);
  b->job(0.7, 37).cpus(2);
  b->job(0.8, 10).cpus(1);
  const Story s = b->run();
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n1"));
  EXPECT_THAT(s[1].allocations, ElementsAre("3.000 n1")) << "in a row of its own";
  EXPECT_THAT(s[2].allocations, ElementsAre("3.000 n1")) << "beside the first";
  EXPECT_THAT(s[3].allocations, ElementsAre("28.000 n1")) << "when the first has ended";
  EXPECT_EQ(s.reason(3, 10), "Resources");
  EXPECT_EQ(s.node("n1", 10), "alloc");
}

TEST(SlurmOverSubscribe, WithoutItJobsWait) {
  const auto b = nodes_of_four(1, "NO");
  b->job(0.5, 25).cpus(2);
  b->job(0.6, 33).cpus(4);
  EXPECT_THAT(b->run()[1].allocations, ElementsAre("28.000 n1"));
}

TEST(SlurmOverSubscribe, CpusOfOneNodeDoNotComeFromTwoRows) {
  const auto b = nodes_of_four(1, "FORCE:2");
  b->job(0.5, 25).cpus(3);
  b->job(0.6, 60).cpus(3);
  b->job(0.7, 10).cpus(2);
  b->job(20.5, 60).cpus(1).priority(4'294'967'000);
  const Story s = b->run();
  EXPECT_THAT(s[1].allocations, ElementsAre("3.000 n1"));
  EXPECT_THAT(s[2].allocations, ElementsAre("28.000 n1")) << "one CPU in each row is free, and two are needed";
  EXPECT_THAT(s[3].allocations, ElementsAre("21.000 n1"));
}

TEST(SlurmOverSubscribe, SoManyJobsShareACpu) {
  const auto b = nodes_of_four(1, "FORCE:3");
  for (int j = 0; j < 4; ++j) b->job(0.5, 25).cpus(4);
  const Story s = b->run();
  EXPECT_EQ(s[2].allocated, 3);
  EXPECT_EQ(s[3].allocated, 28);
}

TEST(SlurmOverSubscribe, IdleCpusComeFirst) {
  const auto b = nodes_of_four(2, "FORCE:4");
  b->job(0.5, 25).cpus(3);
  b->job(0.6, 25).cpus(3);
  b->job(0.7, 25).cpus(1);
  b->job(0.8, 25).cpus(1);
  b->job(0.9, 25).cpus(4);
  const Story s = b->run();
  EXPECT_THAT(s[1].allocations, ElementsAre("3.000 n2"));
  EXPECT_THAT(s[2].allocations, ElementsAre("3.000 n1"));
  EXPECT_THAT(s[3].allocations, ElementsAre("3.000 n2"));
  EXPECT_EQ(s[4].allocated, 3);
}

TEST(SlurmOverSubscribe, WithYesOnlyThoseThatAskShare) {
  const auto b = nodes_of_four(2, "YES:2");
  const auto shares = [&](Draft& draft) -> Draft& {
    draft.asks.oversubscribe = true;
    return draft;
  };
  b->job(0.5, 40).cpus(3);          // 0: n1, alone
  shares(b->job(0.6, 30)).cpus(4);  // 1: n2
  shares(b->job(0.7, 60)).cpus(3);  // 2: n2, in the second row
  shares(b->job(0.8, 10)).cpus(1);  // 3: not beside 0, whatever is free there
  b->job(3.5, 10).cpus(1);          // 4: not where all CPUs are in use
  const Story s = b->run();
  EXPECT_THAT(s[1].allocations, ElementsAre("3.000 n2"));
  EXPECT_THAT(s[2].allocations, ElementsAre("3.000 n2"));
  EXPECT_THAT(s[3].allocations, ElementsAre("3.000 n2")) << "the CPU that only the first has";
  EXPECT_THAT(s[4].allocations, ElementsAre("6.000 n1"));
}

TEST(SlurmOverSubscribe, ThoseThatShareKeepAwayFromThoseThatDoNot) {
  const auto b = nodes_of_four(1, "YES:2");
  b->job(0.5, 20).cpus(1);
  b->job(0.6, 20).cpus(1).asks.oversubscribe = true;
  b->job(0.7, 20).cpus(1);
  const Story s = b->run();
  EXPECT_EQ(s[1].allocated, 23) << "three CPUs are free, but not to it";
  EXPECT_EQ(s[2].allocated, 23) << "the others of its partition wait behind it, and one has idle CPUs beside it";
}

TEST(SlurmOverSubscribe, PartitionsThatDoNotShareKeepAwayFromThoseThatDo) {
  SlurmBench b;
  const std::uint32_t n = b.fixed("n", 2, 4);
  set_share(b.partition({n}), "FORCE:2");
  b.partition({n});
  b.job(0.5, 20).cpus(1).partition(0);
  b.job(0.6, 30).cpus(1).partition(1);
  b.job(3.5, 10).cpus(1).partition(1);
  b.job(6.5, 10).cpus(2).partition(0);
  b.job(6.6, 10).nodes(2, 1).partition(1);
  const Story s = b.run();
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n1"));
  EXPECT_THAT(s[1].allocations, ElementsAre("3.000 n2"));
  EXPECT_THAT(s[2].allocations, ElementsAre("6.000 n2"));
  EXPECT_THAT(s[3].allocations, ElementsAre("9.000 n1"));
  EXPECT_EQ(s[4].allocated, 23) << "when nobody who shares is on n1";
}

TEST(SlurmOverSubscribe, WholeNodesAreOfOneRowWhereAllShare) {
  const auto b = nodes_of_four(1, "FORCE:2");
  b->job(0.5, 30).cpus(1);
  b->job(0.6, 60).exclusive();
  b->job(0.7, 10).exclusive();
  const Story s = b->run();
  EXPECT_EQ(s[1].allocated, 3) << "beside the first";
  EXPECT_EQ(s.reason(1, 0.7), "Priority") << "a busy node is no reason";
  EXPECT_EQ(s[2].allocated, 33);
  const auto y = nodes_of_four(1, "YES:2");
  y->job(0.5, 30).cpus(1).asks.oversubscribe = true;
  y->job(3.6, 60).exclusive().asks.oversubscribe = true;
  EXPECT_EQ(y->run()[1].allocated, 33) << "who wants the node alone has it alone";
}

TEST(SlurmOverSubscribe, MemoryIsNotShared) {
  SlurmBench b;
  b.conf.memory = true;
  set_share(b.partition({b.fixed("n", 1, 4)}), "FORCE:4");  // 4000 MiB
  b.job(0.5, 20).cpus(4).memory(1600);
  b.job(0.6, 20).cpus(4).memory(2000);
  b.job(0.7, 20).cpus(4).memory(800);
  b.job(30.5, 20).cpus(1);
  const Story s = b.run();
  EXPECT_EQ(s[1].allocated, 3);
  EXPECT_EQ(s[2].allocated, 23);
  EXPECT_EQ(s[3].allocated, 43) << "it takes all of the node's memory";
}

TEST(SlurmOverSubscribe, WithForceOneOnlyPartitionsShare) {
  SlurmBench b;
  const std::uint32_t n = b.fixed("n", 1, 4);
  set_share(b.partition({n}), "FORCE:1");
  set_share(b.partition({n}), "FORCE:1");
  b.job(0.5, 20).cpus(4).partition(0);
  b.job(0.6, 20).cpus(4).partition(1);
  b.job(0.7, 20).cpus(1).partition(0);
  const Story s = b.run();
  EXPECT_EQ(s[1].allocated, 3);
  EXPECT_EQ(s[2].allocated, 23);
}

// The jobs that are left are put into as few rows as they fit in, so that there is room for a wide one.
TEST(SlurmOverSubscribe, RowsArePackedWhenAJobEnds) {
  const auto b = nodes_of_four(1, "FORCE:2");
  b->job(0.5, 20).cpus(2);  // row 1, CPUs 0 and 1
  b->job(0.6, 90).cpus(2);  // row 1, CPUs 2 and 3
  b->job(0.7, 90).cpus(2);  // row 2, CPUs 0 and 1
  b->job(0.8, 10).cpus(4);  // when the first has ended and the third is in its place
  const Story s = b->run();
  EXPECT_EQ(s[2].allocated, 3);
  EXPECT_EQ(s[3].allocated, 23);
}

TEST(SlurmOverSubscribe, BackfillPlansWithTheRows) {
  const auto b = nodes_of_four(1, "FORCE:2");
  b->job(0.5, 590).cpus(4).minutes(10);
  b->job(0.6, 290).cpus(3).minutes(5);
  b->job(0.7, 50).cpus(4).minutes(1);  // planned for the end of the second
  b->job(0.8, 50).cpus(1).minutes(1);  // before that, where the second leaves a CPU
  const Story s = b->run();
  ASSERT_FALSE(s.planned.empty());
  EXPECT_EQ(s.planned.front().job, 2u);
  EXPECT_NEAR(static_cast<double>(s.planned.front().start), 303, 1);
  EXPECT_LT(s[3].allocated, 60);
  EXPECT_NEAR(s[2].allocated, 293, 3);
}

TEST(SlurmOverSubscribe, JobsOfAPartitionAreLimitedByTheCpusThatTheyUse) {
  const auto b = nodes_of_four(1, "FORCE:2");
  b->conf.partitions[0].max_cpus_per_node = 2;
  b->job(0.5, 20).cpus(2);
  b->job(0.6, 20).cpus(2);
  b->job(0.7, 20).cpus(1);
  const Story s = b->run();
  EXPECT_EQ(s[1].allocated, 3);
  EXPECT_EQ(s[2].allocated, 23);
}

TEST(SlurmOverSubscribe, JobsThatMakeWayLeaveTheirRow) {
  SlurmBench b;
  const std::uint32_t n = b.fixed("n", 1, 4);
  b.conf.preempt = Preempt::partition_prio;
  b.conf.preempt_mode = PreemptMode::requeue;
  set_share(b.partition({n}), "FORCE:2").preempt_mode = PreemptMode::requeue;
  b.partition({n}).priority_tier = 2;
  b.job(0.5, 100).cpus(4);
  b.job(0.6, 100).cpus(4);
  b.job(20.5, 20).cpus(1).partition(1);
  const Story s = b.run();
  EXPECT_NEAR(s[2].allocated, 21.5, 1) << "a job that does not share gets the node when both are gone";
  EXPECT_EQ(s[0].allocations.size(), 2u);
  EXPECT_EQ(s[1].allocations.size(), 2u);
}

TEST(SlurmOverSubscribe, UpdatesDoNotChangeWhoShares) {
  const auto problem = [](const std::string& from, const std::string& to) {
    Partition partition;
    set_share(partition, from);
    Update update;
    return set(update, partition, "OverSubscribe", to);
  };
  EXPECT_EQ(problem("NO", "EXCLUSIVE"), "");
  EXPECT_EQ(problem("FORCE:2", "FORCE:2"), "");
  EXPECT_EQ(problem("NO", "FORCE:2"),
            "is not followed: whether a partition's jobs share CPUs stays as it is at the start");
  EXPECT_EQ(problem("YES:2", "NO"),
            "is not followed: whether a partition's jobs share CPUs stays as it is at the start");
  EXPECT_EQ(problem("YES:2", "YES:3"), "is not followed: how many jobs share a CPU stays as it is at the start");
}

// Whatever comes, no CPU has more jobs than may share it, nobody shares with who does not, and all jobs run.
TEST(SlurmOverSubscribe, KeepsWhatItPromisesOnRandomJobs) {
  std::size_t together = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Draw draw(seed);
    SlurmBench b;
    const std::uint32_t n = b.fixed("n", 3, 4);
    const std::uint32_t m = b.fixed("m", 2, 6);
    const std::vector<std::string> shares = {"FORCE:2", "YES:3", "NO", "FORCE:1", "EXCLUSIVE"};
    for (std::uint32_t p = 0; p < 3; ++p) {
      set_share(b.partition(draw.one_in(3) ? std::vector{n} : std::vector{n, m}), shares[draw.below(shares.size())]);
      b.conf.partitions[p].priority_tier = static_cast<std::int32_t>(1 + draw.below(2));
    }
    double submit = 0.5;
    for (int j = 0; j < 60; ++j) {
      submit += static_cast<double>(draw.below(7));
      Draft& draft = b.job(submit, 5 + static_cast<double>(draw.below(60)));
      draft.partition(static_cast<std::uint32_t>(draw.below(3))).minutes(2);
      draw.one_in(4) ? draft.nodes(2, 1 + static_cast<std::int32_t>(draw.below(3)))
                     : draft.cpus(1 + static_cast<std::int32_t>(draw.below(6)));
      if (draw.one_in(8)) draft.exclusive();
      draft.asks.oversubscribe = draw.one_in(2);
    }
    b.look = [&](const State& state, Time) {
      const Holdings& held = state.nodes->held;
      if (!held.rows.any()) return;
      std::map<std::pair<Index, std::int32_t>, std::vector<JobId>> by_cpu;
      std::vector<std::int32_t> in_use(state.nodes->size());
      for (const JobId id : state.jobs.active()) {
        std::int32_t cpus = 0;
        for (const CpuRows::Cpu& cpu : held.rows.cpus_of(id)) {
          by_cpu[{cpu.node, cpu.number}].push_back(id);
          ++cpus;
        }
        std::int32_t given = 0;
        for (const Selector::Share& share : state.jobs[id].shares) given += share.cpus;
        EXPECT_EQ(cpus, given);
      }
      for (const auto& [cpu, jobs] : by_cpu) {
        ++in_use[cpu.first];
        if (jobs.size() > 1) ++together;
        std::map<QueueId, std::int32_t> of_partition;
        for (const JobId id : jobs) {
          const Job& job = state.jobs[id];
          EXPECT_TRUE(jobs.size() == 1 || job.ask.sharing.shares);
          EXPECT_LE(++of_partition[job.queue], state.conf.partitions[index(job.queue)].max_share);
        }
      }
      for (Index i = 0; i < state.nodes->size(); ++i) EXPECT_EQ(in_use[i], held.cpus[i]);
    };
    const Story s = b.run();
    for (const Story::JobStory& job : s.jobs) {
      EXPECT_TRUE(job.state == JobState::completed || job.rejection.has_value());
    }
  }
  EXPECT_GT(together, 1000u) << "the test says nothing if nobody shares";
}

}  // namespace
}  // namespace headroom::slurm
