// Slurm's scheduler as a whole: when it looks, whom it starts where, who waits for whom, and how jobs end. Every
// expected time follows by hand from the rules: slurmctld starts at 0, the main loop looks at whole seconds, passes are
// 3 s apart at least, backfill looks 12 ms after whole seconds each 30 s, limits and configured jobs are looked at each
// 30 s.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/draw.hpp"
#include "tests/unit/slurm_bench.hpp"

namespace headroom::slurm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Kind = Dependency::Kind;

// Fixed nodes n1, n2 ... of 4 CPUs in one partition.
std::unique_ptr<SlurmBench> fixed_nodes(std::int32_t count, bool backfill = true) {
  auto bench = std::make_unique<SlurmBench>();
  bench->partition({bench->fixed("n", count, 4)});
  bench->conf.backfill = backfill;
  return bench;
}

// --- when passes are ---

TEST(SlurmPasses, AreAtWholeSecondsThreeSecondsApart) {
  const auto b = fixed_nodes(4);
  for (const double submit : {0.5, 1.2, 3.5, 4.5, 9.5, 9.999, 10.0, 20.0}) b->job(submit, 1000.3);
  const Story s = b->run();
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n1")) << "3 s after slurmctld's start, which counts as a pass";
  EXPECT_THAT(s[1].allocations, ElementsAre("3.000 n1"));
  EXPECT_THAT(s[2].allocations, ElementsAre("6.000 n1"));
  EXPECT_THAT(s[3].allocations, ElementsAre("6.000 n1"));
  EXPECT_THAT(s[4].allocations, ElementsAre("10.000 n2")) << "the next whole second: the last pass is long ago";
  EXPECT_THAT(s[5].allocations, ElementsAre("10.000 n2"));
  EXPECT_THAT(s[6].allocations, ElementsAre("10.000 n2")) << "it arrived at this instant";
  EXPECT_THAT(s[7].allocations, ElementsAre("20.000 n2"));
  EXPECT_EQ(s[0].started, 3.0) << "nodes that are up: no waiting";
}

// Whatever makes slurmctld look meanwhile.
TEST(SlurmPasses, KeepTheirDistance) {
  const auto b = fixed_nodes(2, false);
  b->job(0.5, 70.3).nodes(2, 3);
  b->job(5.0, 200.3).cpus(1);
  b->job(6.5, 10.3).nodes(2, 4);  // waits for the full passes
  b->partition({b->fixed("x", 1, 4)});
  b->job(60.5, 10.3).partition(1);
  const Story s = b->run();
  EXPECT_EQ(s[1].allocated, 6.0) << "5 is 2 s after the pass at 3";
  EXPECT_EQ(s[3].allocated, 63.0) << "3 s after the full pass at 60";
}

TEST(SlurmPasses, MayBeSetCloserTogether) {
  const auto b = fixed_nodes(4);
  b->conf.batch_sched_delay = 1;
  b->job(0.5, 100.3);
  b->job(1.5, 100.3);
  b->job(2.5, 100.3);
  const Story s = b->run();
  EXPECT_EQ(s[0].allocated, 1.0);
  EXPECT_EQ(s[1].allocated, 2.0);
  EXPECT_EQ(s[2].allocated, 3.0);
}

TEST(SlurmPasses, LookAtTheWholeQueueEachMinute) {
  const auto b = fixed_nodes(1, false);
  b->job(0.5, 200.3).cpus(4);
  b->job(0.6, 10).cpus(4);
  const Story s = b->run();
  EXPECT_THAT(s.looks(Event::Kind::full_pass), ElementsAre(60, 120, 180));
  EXPECT_THAT(s.looks(Event::Kind::main_pass), ElementsAre(3, 204, 214)) << "and when a job is over";
  EXPECT_EQ(s[1].allocated, 204.0);
  const auto quick = fixed_nodes(1, false);
  quick->conf.sched_interval = 10;
  quick->job(0.5, 45.3).cpus(4);
  quick->job(0.6, 10).cpus(4);
  EXPECT_THAT(quick->run().looks(Event::Kind::full_pass), ElementsAre(10, 20, 30, 40));
}

// default_queue_depth: jobs beyond it wait for the full pass. As in Slurm, one more than that is looked at.
TEST(SlurmPasses, TestSoManyJobsOnly) {
  const auto b = fixed_nodes(4, false);
  b->conf.default_queue_depth = 2;
  for (int j = 0; j < 6; ++j) b->job(0.5, 1000.3);
  const Story s = b->run();
  for (std::uint32_t j = 0; j < 6; ++j) EXPECT_EQ(s[j].allocated, j < 3 ? 3.0 : 60.0) << j;
}

TEST(SlurmPasses, StartSoManyJobsOnly) {
  const auto b = fixed_nodes(4, false);
  b->conf.sched_max_job_start = 2;
  for (int j = 0; j < 6; ++j) b->job(0.5, 1000.3);
  const Story s = b->run();
  for (std::uint32_t j = 0; j < 6; ++j) EXPECT_EQ(s[j].allocated, j < 2 ? 3.0 : j < 4 ? 60.0 : 120.0) << j;
}

TEST(SlurmPasses, TestSoManyJobsOfAPartitionOnly) {
  const auto b = fixed_nodes(4, false);
  b->partition({0});
  b->conf.partition_job_depth = 1;
  b->job(0.5, 1000.3);
  b->job(0.5, 1000.3);
  b->job(0.5, 1000.3).partition(1);
  const Story s = b->run();
  EXPECT_EQ(s[0].allocated, 3.0);
  EXPECT_EQ(s[1].allocated, 60.0);
  EXPECT_EQ(s[2].allocated, 3.0);
}

// The end of a job asks for a pass; so do a submission and a release.
TEST(SlurmPasses, FollowTheEndOfAJob) {
  const auto b = fixed_nodes(1, false);
  b->job(0.5, 10.3).cpus(4);
  b->job(0.6, 1.2).cpus(4);
  b->job(0.7, 10.3).cpus(4);
  const Story s = b->run();
  EXPECT_EQ(s[0].ended, 13.3);
  EXPECT_EQ(s[1].allocated, 14.0);
  EXPECT_EQ(s[1].ended, 15.2);
  EXPECT_EQ(s[2].allocated, 17.0) << "3 s after the pass at 14";
  EXPECT_THAT(s.all_passes(), ElementsAre(3, 14, 17, 28));
}

// --- the order of a pass ---

TEST(SlurmQueue, IsFirstComeFirstServedWithoutBackfill) {
  const auto b = fixed_nodes(2, false);
  b->job(0.5, 100.3).nodes(1, 4);
  b->job(0.6, 10.3).nodes(2, 4);
  b->job(0.7, 10.3).cpus(1).minutes(1);
  const Story s = b->run();
  EXPECT_EQ(s[1].allocated, 104.0);
  EXPECT_EQ(s[2].allocated, 115.0) << "strictly behind, though it would have fitted all the time";
  EXPECT_EQ(s.reason(1, 1), "Priority") << "said at its submission";
  EXPECT_EQ(s.reason(1, 50), "Resources");
  EXPECT_EQ(s.reason(2, 50), "Priority");
  EXPECT_EQ(s.reason(2, 110), "Resources") << "now it is the first";
}

TEST(SlurmQueue, GoesByTiersThenPriorities) {
  const auto b = fixed_nodes(1, false);
  b->partition({0}).priority_tier = 2;
  b->job(0.5, 10.3).cpus(4);
  b->job(4.1, 10.3).cpus(4);
  b->job(4.2, 10.3).cpus(4).priority(4294967295);
  b->job(4.3, 10.3).cpus(4).partition(1).priority(1);
  const Story s = b->run();
  EXPECT_LT(s[3].allocated, s[2].allocated) << "the higher tier, whatever the priority";
  EXPECT_LT(s[2].allocated, s[1].allocated);
  EXPECT_EQ(s[3].allocated, 14.0);
}

// The first job of a partition that cannot start closes it, and all its nodes are left out for the rest of the pass.
TEST(SlurmQueue, ABlockedPartitionBlocksItsNodesForOthers) {
  SlurmBench b;
  const std::uint32_t shared = b.fixed("s", 2, 4);
  const std::uint32_t own = b.fixed("p", 1, 4, 10);
  b.partition({shared});
  b.partition({shared, own});
  b.partition({shared});
  b.conf.backfill = false;
  b.job(0.5, 200.3).nodes(1, 4);
  b.job(0.6, 10.3).nodes(2, 4);            // blocks s[1-2], of which s2 is idle
  b.job(0.7, 500.3).cpus(1).partition(1);  // s2 has the lower weight, but is not to be had
  b.job(0.8, 10.3).cpus(1).partition(2);
  const Story s = b.run();
  EXPECT_THAT(s[2].allocations, ElementsAre("3.000 p1"));
  EXPECT_THAT(s.reason(3, 50), HasSubstr("DOWN, DRAINED or reserved for jobs in higher priority partitions"));
  EXPECT_EQ(s[1].allocated, 204.0);
  EXPECT_GT(s[3].allocated, 204.0);
}

TEST(SlurmQueue, RefusesWhatCouldNeverRun) {
  for (const int version : {2205, 2505}) {
    const auto b = fixed_nodes(2, false);
    b->conf.version.number = version;
    b->job(0.5, 10.3).nodes(3, 1);
    b->job(0.6, 10.3).nodes(1, 5);
    b->job(0.7, 10.3).cpus(8);
    const Story s = b->run();
    if (version == 2505) {
      EXPECT_EQ(s[0].state, JobState::rejected);
    } else {
      EXPECT_EQ(s[0].state, JobState::pending) << "it waits for ever";
      EXPECT_EQ(s.reason(0, 50), "PartitionNodeLimit");
    }
    EXPECT_EQ(s[1].rejection, Rejection::too_wide) << "no node has five CPUs";
    EXPECT_EQ(s[2].state, JobState::completed);
  }
  const auto b = fixed_nodes(2, false);
  b->conf.memory = true;
  b->job(0.5, 10.3).memory(4001);
  b->job(0.6, 10.3).memory(4000);
  const Story s = b->run();
  EXPECT_EQ(s[0].rejection, Rejection::memory) << "no node has so much";
  EXPECT_EQ(s[1].state, JobState::completed);
}

TEST(SlurmQueue, ExclusiveJobsTakeWholeIdleNodes) {
  const auto b = fixed_nodes(2, false);
  b->job(0.5, 30.3);
  b->job(0.6, 10.3).exclusive();
  b->job(0.7, 10.3);
  b->job(0.8, 10.3).exclusive();
  const Story s = b->run();
  EXPECT_THAT(s[1].allocations, ElementsAre("3.000 n2"));
  EXPECT_THAT(s[2].allocations, ElementsAre("3.000 n1")) << "n2 has no free CPU";
  EXPECT_THAT(s[3].allocations, ElementsAre("14.000 n2"));
  EXPECT_EQ(s.node("n2", 5), "alloc");
}

// Without --mem and DefMemPer*, a job takes all memory of its node.
TEST(SlurmQueue, MemoryIsConsumedWhereItCounts) {
  for (const bool counts : {false, true}) {
    const auto b = fixed_nodes(1, false);
    b->conf.memory = counts;
    b->job(0.5, 20.3).memory(3000);
    b->job(0.6, 10.3).memory(1000);
    b->job(0.7, 10.3);
    const Story s = b->run();
    EXPECT_EQ(s[1].allocated, 3.0);
    EXPECT_EQ(s[2].allocated, counts ? 24.0 : 3.0);
  }
}

TEST(SlurmQueue, MemoryComesBackWithTheJob) {
  const auto b = fixed_nodes(1, false);
  b->conf.memory = true;
  b->job(0.5, 100.3).memory(1000);
  b->job(0.6, 20.3).memory(2000);
  b->job(0.7, 10.3).memory(3000);
  const Story s = b->run();
  EXPECT_EQ(s[2].allocated, 24.0) << "beside the first job";
}

// Age counts, but only as of the last PriorityCalcPeriod since slurmctld's start.
TEST(SlurmQueue, AgeIsLookedAtNowAndThen) {
  for (const Second period : {60, 300}) {
    SlurmBench b;
    const std::uint32_t n = b.fixed("n", 1, 4);
    b.partition({n}).priority_job_factor = 1;
    b.partition({n}).priority_job_factor = 10;
    b.conf.backfill = false;
    b.conf.multifactor = b.conf.accounting = true;
    b.conf.weight_age = 6000;
    b.conf.priority_max_age = 600;
    b.conf.weight_partition = 100;
    b.conf.priority_calc_period = period;
    b.job(1.5, 100.3).cpus(4);
    b.job(5.5, 10.3).cpus(4);                // 10; at 60 s 10 + 6000 x 55 / 600 = 560
    b.job(50.5, 10.3).cpus(4).partition(1);  // 100; at 60 s 100 + 100 = 200
    const Story s = b.run();
    EXPECT_EQ(s[1].allocated < s[2].allocated, period == 60);
    EXPECT_EQ(std::min(s[1].allocated, s[2].allocated), 104.0);
  }
}

// --- dependencies, times, arrays, holds ---

TEST(SlurmWaiting, ADependentJobMayStartInThePassAfterTheEvent) {
  const auto b = fixed_nodes(2);
  b->job(0.5, 10.3);
  b->job(0.6, 10.3).after(Kind::after_ok, 0);
  b->job(0.7, 10.3).after(Kind::after_not_ok, 0);
  const Story s = b->run();
  EXPECT_EQ(s.reason(1, 1), "Dependency");
  EXPECT_EQ(s[0].ended, 13.3);
  EXPECT_EQ(s[1].allocated, 14.0);
  EXPECT_EQ(s[2].state, JobState::pending) << "never satisfied";
  EXPECT_EQ(s.reason(2, 20), "DependencyNeverSatisfied");
}

// When a time has come nobody asks for a pass: the next one that is made anyway finds the job.
TEST(SlurmWaiting, BeginTimeIsNoticedByALaterPass) {
  for (const bool backfill : {false, true}) {
    const auto b = fixed_nodes(2, backfill);
    b->job(0.5, 10.3).begin(20);
    const Story s = b->run();
    EXPECT_EQ(s.reason(0, 10), "BeginTime");
    EXPECT_THAT(s[0].allocations, ElementsAre(backfill ? "30.012 n1 backfill" : "60.000 n1"));
  }
}

TEST(SlurmWaiting, ArraysKeepTheirLimit) {
  const auto b = fixed_nodes(2, false);
  b->job(0.5, 10.3);
  b->array(4, 2);
  const Story s = b->run();
  EXPECT_EQ(s[0].allocated, 3.0);
  EXPECT_EQ(s[1].allocated, 3.0);
  EXPECT_EQ(s.reason(2, 5), "JobArrayTaskLimit");
  EXPECT_EQ(s[2].allocated, 14.0);
  EXPECT_EQ(s[3].allocated, 14.0);
}

TEST(SlurmWaiting, BackfillKeepsTheLimitOfArrays) {
  const auto b = fixed_nodes(2);
  b->job(0.2, 300.3).nodes(1, 4);
  b->job(0.3, 10.3).nodes(2, 4);  // blocks the partition for the main scheduler
  b->job(0.5, 20.3).minutes(1);
  b->array(4, 2);
  const Story s = b->run();
  EXPECT_THAT(s[2].allocations, ElementsAre("30.012 n2 backfill"));
  EXPECT_THAT(s[3].allocations, ElementsAre("30.012 n2 backfill"));
  EXPECT_THAT(s[4].allocations, ElementsAre("60.012 n2 backfill"));
  EXPECT_THAT(s[5].allocations, ElementsAre("60.012 n2 backfill"));
}

TEST(SlurmWaiting, AReleaseAsksForAPass) {
  const auto b = fixed_nodes(2, false);
  b->job(0.5, 10.3).held();
  b->job(0.6, 100.3);
  b->job(0.7, 10.3).after(Kind::after, 1);
  b->ask(20.2, 0, JobAction::release);
  const Story s = b->run();
  EXPECT_EQ(s.reason(0, 10), "JobHeldUser");
  EXPECT_EQ(s[0].allocated, 21.0);
  EXPECT_EQ(s[1].allocated, 3.0);
}

TEST(SlurmWaiting, AHeldJobLetsOthersPass) {
  const auto b = fixed_nodes(1, false);
  b->job(0.5, 20.3).cpus(4);
  b->job(0.6, 10.3).cpus(4);
  b->job(0.7, 10.3).cpus(4);
  b->ask(10.2, 1, JobAction::hold);
  const Story s = b->run();
  EXPECT_EQ(s.reason(1, 15), "JobHeldAdmin");
  EXPECT_EQ(s[1].state, JobState::pending);
  EXPECT_EQ(s[2].allocated, 24.0);
}

// --- backfill ---

// n1 is taken until 123 as planned; the second job waits for both nodes.
std::unique_ptr<SlurmBench> hole() {
  auto b = fixed_nodes(2);
  b->conf.bf_resolution = 1;
  b->job(0.5, 100.3).nodes(1, 4).minutes(2);
  b->job(0.6, 20.5).nodes(2, 4).minutes(1);
  return b;
}

TEST(SlurmBackfill, FillsAHoleEach30Seconds) {
  const auto b = hole();
  b->job(9.1, 40.3).cpus(1).minutes(1);
  const Story s = b->run();
  EXPECT_THAT(s[2].allocations, ElementsAre("30.012 n2 backfill")) << "it ends at 90 at the latest, before 123";
  EXPECT_EQ(s[2].started, 30.012) << "it waits for no pass";
  EXPECT_EQ(s[1].allocated, 104.0);
  EXPECT_EQ(s.looks(Event::Kind::backfill).front(), 30.012);
  EXPECT_EQ(s.node("n2", 30.5), "mix-") << "partly used, and planned for the second job";
}

TEST(SlurmBackfill, NeverDelaysAnEarlierJob) {
  const auto b = hole();
  b->job(9.1, 40.3).cpus(1).minutes(2);  // would end at 150, after 123
  const Story s = b->run();
  EXPECT_EQ(s[1].allocated, 104.0);
  EXPECT_EQ(s[2].allocated, 125.0) << "behind it";
  ASSERT_FALSE(s.planned.empty());
  EXPECT_EQ(s.planned[0].job, 1u);
  EXPECT_EQ(s.planned[0].start, 123);
  EXPECT_EQ(s.node("n2", 31), "plnd") << "nodes that are kept for a job";
}

TEST(SlurmBackfill, MayRunBesideAReservation) {
  const auto b = hole();
  b->partition({b->fixed("x", 1, 4)});
  b->job(9.1, 400.3).partition(1).minutes(10);
  EXPECT_EQ(b->run()[2].allocated, 10.0) << "another partition, other nodes: the main scheduler does it";
}

// Planned times are in whole minutes: starts rounded down, ends up.
TEST(SlurmBackfill, PlansInWholeMinutes) {
  for (const Second resolution : {1, 60}) {
    const auto b = fixed_nodes(2);
    b->conf.bf_resolution = resolution;
    b->job(48.5, 100.3).nodes(1, 4).minutes(2);  // 49 .. 169
    b->job(48.6, 20.5).nodes(2, 4).minutes(1);   // planned for 169, or 120 as the plan has it
    b->job(61.5, 20.3).cpus(1).minutes(1);       // would be 90 .. 150
    const Story s = b->run();
    EXPECT_EQ(s[1].allocated, 150.0);
    EXPECT_EQ(s[2].allocated, resolution == 1 ? 90.012 : 171.0);
  }
}

TEST(SlurmBackfill, PlansEndsInWholeMinutesToo) {
  for (const int version : {2205, 2505}) {
    const auto b = fixed_nodes(2);
    b->conf.version.number = version;
    b->job(48.5, 100.3).nodes(1, 4).minutes(2);  // 49 .. 169
    b->job(48.6, 20.5).nodes(2, 4).minutes(1);   // from 169 to 229: 120 to 240 in the plan
    b->job(48.7, 20.5).nodes(2, 4).minutes(1);
    const Story s = b->run();
    ASSERT_GE(s.planned.size(), 2u);
    EXPECT_EQ(s.planned[0].at, 60.012);
    EXPECT_EQ(s.planned[0].start, 169);
    // 22.05 lets the first plan end at 180, so that the second is tried there.
    EXPECT_EQ(s.planned[1].start, version == 2205 ? 180 : 240);
  }
}

TEST(SlurmBackfill, PlansSomeTasksOfAnArrayOnly) {
  for (const std::int32_t tasks : {1, 2, 20}) {
    const auto b = fixed_nodes(1);
    b->conf.bf_max_job_array_resv = tasks;
    b->job(0.5, 100.3).cpus(4).minutes(5);
    b->job(0.6, 10.3).cpus(4).minutes(1);
    b->array(4, 0);
    std::int32_t planned = 0;
    for (const Story::Planned& p : b->run().planned) planned += p.at == 30.012 ? 1 : 0;
    EXPECT_EQ(planned, std::min(tasks, 4));
  }
}

// bf_window: what would start later is not planned, so that others may go before.
TEST(SlurmBackfill, LooksAheadForAWindow) {
  for (const Second window : {600, 1200}) {
    const auto b = fixed_nodes(2);
    b->conf.bf_window = window;
    b->job(0.5, 100.3).nodes(1, 4).minutes(15);  // until 903
    b->job(0.6, 10.3).nodes(2, 4).minutes(1);
    b->job(0.7, 40.3).cpus(1).minutes(20);
    EXPECT_EQ(b->run()[2].allocated, window == 600 ? 30.012 : 115.0);
  }
}

// The wall clock's minutes, not those of the run.
TEST(SlurmBackfill, RoundsByTheWallClock) {
  const auto b = fixed_nodes(2);
  b->conf.phases.epoch = 1'800'000'000 + 11;   // :11 of a minute, so 49 s is :00 of the next
  b->job(48.5, 100.3).nodes(1, 4).minutes(2);  // 49 .. 169: whole minutes
  b->job(48.6, 20.5).nodes(2, 4).minutes(1);
  b->job(61.5, 20.3).cpus(1).minutes(1);  // 90 .. 150, rounded up to 169
  EXPECT_EQ(b->run()[2].allocated, 90.012);
}

// With slurmdbd all waiting jobs get new priorities every PriorityCalcPeriod, which is a change of the jobs.
TEST(SlurmBackfill, RunsAfterPrioritiesAreRecalculated) {
  for (const bool recalculates : {false, true}) {
    const auto b = fixed_nodes(1);
    b->conf.multifactor = true;
    b->conf.accounting = recalculates;
    b->conf.priority_calc_period = 300;
    b->job(1, 1000).cpus(4).minutes(60);
    b->job(5, 10).cpus(4).after(Dependency::Kind::after_any, 0);  // nothing else changes
    const Story s = b->run();
    std::vector<double> cycles = s.looks(Event::Kind::backfill);
    std::erase_if(cycles, [](double at) { return at < 200 || at > 990; });
    if (recalculates) {
      // A cycle in the second of a change does not know whether it has seen it.
      EXPECT_THAT(cycles, ElementsAre(300.012, 330.012, 600.012, 630.012, 900.012, 930.012));
    } else {
      EXPECT_THAT(cycles, IsEmpty());
    }
  }
}

TEST(SlurmBackfill, LooksEachInterval) {
  const auto b = hole();
  b->conf.bf_interval = 7;
  b->job(9.1, 40.3).cpus(1).minutes(1);
  const Story s = b->run();
  EXPECT_EQ(s[2].allocated, 14.012);
  std::vector<double> cycles = s.looks(Event::Kind::backfill);
  EXPECT_EQ(cycles.front(), 7.012);
  for (std::size_t i = 1; i < cycles.size(); ++i) EXPECT_GE(cycles[i] - cycles[i - 1], 7 - 1e-6);
}

TEST(SlurmBackfill, DoesNotRunWithTheBuiltinScheduler) {
  const auto b = hole();
  b->conf.backfill = false;
  b->job(9.1, 40.3).cpus(1).minutes(1);
  const Story s = b->run();
  EXPECT_THAT(s.looks(Event::Kind::backfill), IsEmpty());
  EXPECT_EQ(s[2].allocated, 125.0);
}

TEST(SlurmBackfill, TestsSoManyJobsOnly) {
  const auto tested = [](void (*set)(Conf&)) {
    const auto b = hole();
    set(b->conf);
    b->job(9.1, 20.3).cpus(1).minutes(1);
    b->job(9.2, 20.3).cpus(1).minutes(1);
    const Story s = b->run();
    std::vector<double> at;
    for (const std::uint32_t j : {2u, 3u}) at.push_back(s[j].allocated);
    return at;
  };
  EXPECT_THAT(tested([](Conf&) {}), ElementsAre(30.012, 30.012));
  EXPECT_THAT(tested([](Conf& c) { c.bf_max_job_test = 2; }), ElementsAre(30.012, 60.012)) << "the blocked one counts";
  EXPECT_THAT(tested([](Conf& c) { c.bf_max_job_part = 2; }), ElementsAre(30.012, 60.012));
  EXPECT_THAT(tested([](Conf& c) { c.bf_max_job_user = 2; }), ElementsAre(30.012, 60.012));
  EXPECT_THAT(tested([](Conf& c) { c.bf_max_job_start = 1; }), ElementsAre(30.012, 60.012));
}

TEST(SlurmBackfill, TestsSoManyJobsOfAUserInAPartition) {
  const auto allocated = [](std::int32_t most, std::uint32_t user, std::uint32_t partition) {
    const auto b = hole();
    b->partition({0});
    b->conf.bf_max_job_user_part = most;
    b->job(9.1, 20.3).cpus(1).minutes(1).partition(partition).job.request.user = user;
    return b->run()[2].allocated;
  };
  EXPECT_EQ(allocated(0, 0, 0), 30.012);
  EXPECT_EQ(allocated(2, 0, 0), 30.012);
  EXPECT_EQ(allocated(1, 0, 0), 125.0) << "after the blocked job, which is the only one that is tested";
  EXPECT_EQ(allocated(1, 7, 0), 30.012) << "another user's";
  EXPECT_EQ(allocated(1, 0, 1), 30.012) << "one in another partition";
}

// bf_node_space_size: a cycle ends with the reservation for which its plan has no room.
TEST(SlurmBackfill, PlansSoManyRecordsOnly) {
  for (const std::int32_t size : {0, 2, 3, 5}) {
    const auto b = fixed_nodes(2);
    b->conf.bf_node_space_size = size;
    b->job(48.5, 100.3).nodes(2, 4).minutes(2);                             // until 169
    for (int i = 0; i < 6; ++i) b->job(48.6, 20.5).nodes(2, 4).minutes(1);  // one after the other: 3, 4, 5, ... records
    std::int32_t planned = 0;
    for (const Story::Planned& p : b->run().planned) planned += p.at == 60.012 ? 1 : 0;
    EXPECT_EQ(planned, size == 0 ? 6 : size == 5 ? 4 : 2) << size << ": the last of them is not in the plan";
  }
}

// Jobs that are too young or of too low a priority get no reservation: others may pass them.
TEST(SlurmBackfill, ReservesForSomeOnly) {
  for (const char* const why : {"", "age", "priority"}) {
    SCOPED_TRACE(why);
    const bool reserves = std::string(why).empty();
    const auto b = hole();
    if (std::string(why) == "age") b->conf.bf_min_age_reserve = 1000;
    if (std::string(why) == "priority") b->conf.bf_min_prio_reserve = 4294967295;
    b->job(9.1, 300.3).cpus(1).minutes(10);
    const Story s = b->run();
    EXPECT_EQ(s[2].allocated, reserves ? 125.0 : 10.0);
    EXPECT_EQ(s[1].allocated, reserves ? 104.0 : 311.0);
  }
}

// bf_running_job_reserve: the nodes of exclusive jobs are out of the plan until their jobs end, rounded up.
TEST(SlurmBackfill, MayReserveForRunningJobs) {
  for (const bool reserves : {false, true}) {
    const auto b = fixed_nodes(2);
    b->conf.bf_running_job_reserve = reserves;
    b->conf.version.number = 2205;                      // whose planned starts are not rounded up by themselves
    b->job(0.5, 500.3).exclusive().cpus(4).minutes(1);  // until 63
    b->job(0.6, 500.3).cpus(4).minutes(10);
    b->job(6.5, 20.3).cpus(4).minutes(1);
    const Story s = b->run();
    ASSERT_FALSE(s.planned.empty());
    EXPECT_EQ(s.planned[0].start, reserves ? 120 : 63);
  }
}

// bf_window_linear: the window within which ends of jobs are let come to pass together doubles from 30 s, or grows by
// so many seconds: then plans are nearer to what can be.
TEST(SlurmBackfill, LooksAtEndsInWindowsThatGrow) {
  for (const bool linear : {false, true}) {
    const auto b = fixed_nodes(3);
    b->conf.bf_resolution = 1;
    b->conf.version.number = 2205;  // since 25.05 what a job does not wait for does not count
    if (linear) b->conf.bf_window_linear = 10;
    b->job(0.5, 5000.3).cpus(4).minutes(1);   // until 63
    b->job(0.6, 5000.3).cpus(4).minutes(5);   // until 303
    b->job(18.5, 5000.3).cpus(4).minutes(5);  // until 319
    b->job(24.5, 20.3).nodes(2, 4).minutes(1);
    const Story s = b->run();
    EXPECT_EQ(s[2].allocated, 19.0);
    ASSERT_FALSE(s.planned.empty());
    EXPECT_EQ(s.planned[0].start, linear ? 303 : 319) << "90 + 30 + 19 * 10 = 310 is before 319, 90 + 30 * 8 is not";
  }
}

// Ends of jobs are let come to pass in batches. A job on nodes that are too small for the one that is planned is passed
// over, and the next is let end with the batch however late it ends: so the plan comes out later than it need be.
TEST(SlurmBackfill, LooksAtEndsOnNodesThatAreLargeEnough) {
  for (const bool between : {false, true}) {
    SlurmBench b;
    b.conf.version.number = 2205;  // since 25.05 what it does not wait for does not count
    const std::uint32_t small = b.fixed("a", 1, 2);
    const std::uint32_t other = b.fixed("b", 1, 4);
    const std::uint32_t large = b.fixed("c", 1, 8);
    b.partition({small, other, large});
    b.job(0.5, 500.3).cpus(8).minutes(1);               // c1 until 63
    if (between) b.job(3.5, 500.3).cpus(2).minutes(1);  // a1 until 66
    b.job(6.5, 500.3).cpus(4).minutes(3);               // b1 until 189
    b.job(6.6, 20.3).tasks(2, 4).minutes(1);            // fits on c1, and never on a1
    const Story s = b.run();
    ASSERT_FALSE(s.planned.empty());
    EXPECT_EQ(s.planned[0].start, between ? 189 : 63);
  }
}

// The first job of the queue starts when it was planned to or earlier, whatever is started before it. (A pass may be
// 3 s late.)
TEST(SlurmBackfill, KeepsItsPromiseToTheFirstJob) {
  int promises = 0;
  int backfilled = 0;
  for (std::uint64_t seed = 1; seed <= 60 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    const auto b = fixed_nodes(draw.small(2, 5));
    b->conf.bf_resolution = draw.one_in(2) ? 1 : 60;
    if (draw.one_in(3)) b->conf.version.number = 2205;
    double submit = 0.5;
    for (int j = 0; j < 40; ++j) {
      submit += static_cast<double>(draw.between(0, 30'000)) / 1000;
      const std::int32_t minutes = draw.small(1, 6);
      Draft& d = b->job(submit, static_cast<double>(draw.between(5'000, minutes * 60'000)) / 1000);
      d.minutes(minutes);
      if (draw.one_in(2)) {
        d.nodes(draw.small(1, 2), draw.small(1, 4));
      } else {
        d.cpus(draw.small(1, 8));
      }
      if (draw.one_in(8)) d.exclusive();
    }
    const Story s = b->run();
    for (const Story::Planned& p : s.planned) {
      if (!p.first) continue;
      EXPECT_LE(s[p.job].allocated, std::max(p.at + 4, static_cast<double>(p.start) + 4))
          << "job " << p.job << ", planned at " << p.at;
      ++promises;
    }
    for (std::uint32_t j = 0; j < 40; ++j) {
      EXPECT_EQ(s[j].state, JobState::completed) << "job " << j;
      ASSERT_EQ(s[j].allocations.size(), 1u);
      backfilled += s[j].allocations[0].find("backfill") != std::string::npos ? 1 : 0;
    }
  }
  EXPECT_GT(promises, 200);
  EXPECT_GT(backfilled, 100);
}

// --- 30 s checks ---

TEST(SlurmChecks, ConfiguredJobsStartAtTheNextCheck) {
  for (const double boot : {20.0, 26.9, 27.1}) {
    SlurmBench b;
    b.partition({b.cloud("n", 2, 4, boot)});
    b.job(0.5, 10.3);
    const Story s = b.run();
    EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n1")) << "a node without power is given at once";
    EXPECT_EQ(Story::at(s[0].states, 10), "CF");
    EXPECT_EQ(s.power.at("n1")[0], "3.020 resume");
    EXPECT_EQ(s[0].started, boot < 26.98 ? 30.0 : 60.0) << "boot of " << boot << " s";
    EXPECT_EQ(s.node("n1", 10), "mix#");
    EXPECT_EQ(s.node("n1", s[0].started + 1), "mix");
  }
}

TEST(SlurmChecks, AllNodesOfAJobHaveToBeUp) {
  SlurmBench b;
  const std::uint32_t fast = b.cloud("a", 1, 4, 10);
  const std::uint32_t slow = b.cloud("b", 1, 4, 40);
  b.partition({fast, slow});
  b.job(0.5, 10.3).nodes(2, 4);
  const Story s = b.run();
  EXPECT_EQ(s[0].started, 60.0) << "b1 is up at 43";
  EXPECT_EQ(s.node("a1", 20), "alloc");
  EXPECT_EQ(s.node("b1", 20), "alloc#");
}

TEST(SlurmChecks, LimitsAreLookedAtEach30Seconds) {
  const auto b = fixed_nodes(4);
  b->job(0.5, 500).minutes(1);   // 3 + 60 = 63
  b->job(26.5, 500).minutes(1);  // 27 + 60 = 87
  b->job(29.5, 500).minutes(1);  // 30 + 60 = 90: at the check
  b->job(30.5, 500).minutes(1);  // 33 + 60 = 93
  const Story s = b->run();
  const auto told = [&](std::uint32_t j) {
    for (const auto& [since, state] : s[j].states) {
      if (state == "CG") return since;
    }
    return -1.0;
  };
  EXPECT_EQ(told(0), 90.0);
  EXPECT_EQ(told(1), 90.0);
  EXPECT_EQ(told(2), 90.0);
  EXPECT_EQ(told(3), 120.0);
  for (std::uint32_t j = 0; j < 4; ++j) {
    EXPECT_EQ(s[j].state, JobState::timed_out);
    EXPECT_EQ(s.reason(j, 400), "TimeLimit");
  }
}

// The boot is free of the limit.
TEST(SlurmChecks, TheLimitCountsFromTheStart) {
  SlurmBench b;
  b.partition({b.cloud("n", 1, 4, 50)});
  b.job(0.5, 500).minutes(1);
  const Story s = b.run();
  EXPECT_EQ(s[0].started, 60.0);
  EXPECT_EQ(Story::at(s[0].states, 119.9), "R");
  EXPECT_EQ(Story::at(s[0].states, 120), "CG");
}

TEST(SlurmChecks, OverTimeLimitGivesMinutes) {
  const auto b = fixed_nodes(1);
  b->conf.over_time_limit = 60;
  b->job(0.5, 500).minutes(1);
  const Story s = b->run();
  EXPECT_EQ(Story::at(s[0].states, 149.9), "R");
  EXPECT_EQ(Story::at(s[0].states, 150), "CG") << "3 + 60 + 60 = 123";
}

TEST(SlurmChecks, AJobThatEndsWithinOverTimeLimitByItselfCompleted) {
  const auto b = fixed_nodes(1);
  b->conf.over_time_limit = 60;
  b->job(0.5, 70.3).minutes(1);
  b->job(0.6, 130.3).minutes(1);
  const Story s = b->run();
  EXPECT_EQ(s[0].state, JobState::completed);
  EXPECT_EQ(s[1].state, JobState::timed_out);
  EXPECT_EQ(s[1].ended, 133.3);
}

TEST(SlurmChecks, AJobThatEndsAfterItsLimitByItselfTimedOut) {
  const auto b = fixed_nodes(1);
  b->job(0.5, 70.3).minutes(1);
  b->job(0.6, 50.3).minutes(1);
  const Story s = b->run();
  EXPECT_EQ(s[0].state, JobState::timed_out);
  EXPECT_EQ(s[0].ended, 73.3);
  EXPECT_EQ(s[1].state, JobState::completed);
}

// --- jobs that are told to end ---

TEST(SlurmCompleting, NodesStayBusyUntilTheProcessesAreGone) {
  for (const bool defer : {false, true}) {
    const auto b = fixed_nodes(1, false);
    b->conf.defer = defer;
    b->job(0.5, 500).cpus(4).minutes(1).stops_in(10.3);
    b->job(0.6, 10.3).cpus(1);
    const Story s = b->run();
    EXPECT_EQ(s.node("n1", 89.9), "alloc");
    EXPECT_EQ(s.node("n1", 90), "comp");
    EXPECT_EQ(s.node("n1", 100.2), "comp");
    EXPECT_EQ(s[0].ended, 100.3);
    EXPECT_EQ(s[1].allocated, defer ? 101.0 : 100.3) << "the last message of a killed job starts a pass at once";
  }
}

TEST(SlurmCompleting, BackfillDoesNotUseCompletingNodes) {
  const auto b = fixed_nodes(1);
  b->conf.defer = true;
  b->job(0.5, 500).cpus(4).minutes(1).stops_in(45.3);
  b->job(0.6, 10.3).cpus(1).minutes(1);
  const Story s = b->run();
  EXPECT_EQ(s[1].allocated, 136.0) << "not at 90.012 nor at 120.012; gone at 135.3";
}

TEST(SlurmCompleting, ScancelEndsRunningJobsSoon) {
  const auto b = fixed_nodes(1, false);
  b->job(0.5, 500).cpus(4).stops_in(0.25);
  b->job(0.6, 10.3).cpus(4);
  b->job(0.7, 10.3).cpus(4);
  b->ask(20.3, 0, JobAction::cancel);
  b->ask(10.3, 2, JobAction::cancel);
  const Story s = b->run();
  EXPECT_EQ(Story::at(s[0].states, 20.4), "CG");
  EXPECT_EQ(s[0].state, JobState::cancelled);
  EXPECT_EQ(s[0].ended, 20.55);
  EXPECT_EQ(s[1].allocated, 20.55) << "the scheduler is called at once";
  EXPECT_EQ(s[2].state, JobState::cancelled);
  EXPECT_EQ(s[2].ended, 10.3) << "a pending one is gone at once";
  EXPECT_THAT(s[2].allocations, IsEmpty());
}

TEST(SlurmCompleting, ScancelOfAConfiguringJobGivesItsNodesBack) {
  SlurmBench b;
  b.partition({b.cloud("n", 1, 4, 20)});
  b.job(0.5, 100).cpus(4);
  b.job(0.6, 10.3).cpus(4);
  b.ask(10.3, 0, JobAction::cancel);
  const Story s = b.run();
  EXPECT_EQ(s[0].state, JobState::cancelled);
  EXPECT_EQ(s[0].ended, 10.3);
  EXPECT_EQ(s.node("n1", 10.4), "idle#") << "it goes on booting";
  EXPECT_THAT(s[1].allocations, ElementsAre("30.012 n1 backfill"));
}

TEST(SlurmCompleting, ScontrolRequeueMakesAJobWait121Seconds) {
  const auto b = fixed_nodes(1, false);
  b->job(0.5, 30.3);
  b->ask(10.3, 0, JobAction::requeue);
  const Story s = b->run();
  EXPECT_EQ(s.reason(0, 70), "BeginTime");
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n1", "180.000 n1")) << "131 is seen by the pass at 180";
  EXPECT_EQ(s[0].ended, 210.3) << "from the beginning again";
}

TEST(SlurmCompleting, FailedJobsSaySo) {
  const auto b = fixed_nodes(1);
  b->job(0.5, 10.3).job.outcome = Outcome::failed;
  const Story s = b->run();
  EXPECT_EQ(s[0].state, JobState::failed);
  EXPECT_EQ(s.reason(0, 20), "NonZeroExitCode");
}

TEST(SlurmChoice, OfSoManyNodesLeavesOutThoseWithTooFewCpus) {
  SlurmBench b;
  b.partition({b.fixed("n", 3, 4)});
  b.job(0.5, 100.3).cpus(3).minutes(5);
  Draft& two = b.job(0.6, 20.3).cpus(8).minutes(5);  // -N2 -n8
  two.job.request.nodes = 2;
  two.job.request.spread = true;
  const Story s = b.run();
  EXPECT_EQ(s[1].allocated, s[0].allocated) << "n1 has one CPU left and is passed over";
}

TEST(SlurmQueue, WholeNodesThatAreNotIdleAreMissedAtSubmission) {
  SlurmBench b;
  b.partition({b.fixed("n", 1, 4)});
  b.job(0.5, 50.3).cpus(1).minutes(5);
  b.job(3.5, 20.3).nodes(1, 4).exclusive().minutes(5);
  EXPECT_EQ(b.run().reason(1, 3.6), "Resources");
}

}  // namespace
}  // namespace headroom::slurm
