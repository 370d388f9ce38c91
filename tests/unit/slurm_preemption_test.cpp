// Who makes way under policy slurm: preempt/qos and preempt/partition_prio. Passes are at whole seconds, 3 s apart;
// jobs that are told to end are gone after half a second, which makes a pass at once.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/draw.hpp"
#include "tests/unit/slurm_bench.hpp"

namespace headroom::slurm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// QOS low (1), normal (10) and high (100); jobs of high push the others aside.
void three_qualities(SlurmBench& b, PreemptMode mode) {
  b.conf.multifactor = b.conf.accounting = true;
  b.conf.preempt = Preempt::qos;
  b.conf.preempt_mode = mode;
  for (const auto& [name, priority] : {std::pair("normal", 10U), std::pair("low", 1U), std::pair("high", 100U)}) {
    Qos& qos = b.accounting.qos.emplace_back();
    qos.name = name;
    qos.priority = priority;
  }
  b.accounting.qos[2].preempts = {"normal", "low"};
}
std::unique_ptr<SlurmBench> nodes_of_four(std::int32_t count, PreemptMode mode = PreemptMode::requeue) {
  auto b = std::make_unique<SlurmBench>();
  b->partition({b->fixed("n", count, 4)});
  three_qualities(*b, mode);
  return b;
}

TEST(SlurmPreemption, AJobOfABetterQosTakesTheNode) {
  const auto b = nodes_of_four(1);
  b->job(0.5, 100.3).cpus(4).qos("low").minutes(5);
  b->job(20.5, 30.3).cpus(4).qos("high").minutes(5);
  const Story s = b->run();
  EXPECT_THAT(s[1].allocations, ElementsAre("21.500 n1")) << "told at 21, gone at 21.5";
  EXPECT_EQ(s.reason(1, 21.2), "Resources");
  EXPECT_EQ(s.at(s[0].states, 21.2), "CG");
  EXPECT_EQ(s.at(s[0].states, 22), "PD");
  EXPECT_EQ(s.reason(0, 60), "BeginTime");
  // It waits again, for 121 s from when it was gone.
  ASSERT_EQ(s[0].allocations.size(), 2u);
  EXPECT_GE(s[0].allocated, 21.5 + 121);
  EXPECT_EQ(s[0].state, JobState::completed);
  EXPECT_NEAR(s[0].ended - s[0].started, 100.3, 0.01) << "from the beginning";
}

// Nodes that came free for it are taken by a job of higher priority: it waits for KillWait and MessageTimeout.
TEST(SlurmPreemption, NoMoreAreAskedWhileTheFirstMayBeOnTheirWay) {
  for (const Second timeout : {10, 100}) {
    const auto b = nodes_of_four(2);
    b->conf.message_timeout = timeout;
    b->job(0.5, 1000.3).cpus(4).qos("low").minutes(30);
    b->job(0.6, 1000.3).cpus(4).qos("low").minutes(30);
    b->job(20.5, 30.3).cpus(4).qos("high").minutes(5).priority(1000);
    b->job(21.2, 500.3).cpus(4).qos("normal").minutes(15).priority(2000);  // comes while the first one goes
    const Story s = b->run();
    EXPECT_EQ(s[3].allocated, 21.5) << "it pushes nobody, and goes first";
    EXPECT_GE(s[2].allocated, 21 + 30 + timeout);
    EXPECT_LT(s[2].allocated, 21 + 30 + timeout + 65);
  }
}

TEST(SlurmPreemption, WithoutItJobsWait) {
  const auto b = nodes_of_four(1);
  b->conf.preempt = Preempt::none;
  b->job(0.5, 100.3).cpus(4).qos("low").minutes(5);
  b->job(20.5, 30.3).cpus(4).qos("high").minutes(5);
  EXPECT_GE(b->run()[1].allocated, 100);
}

TEST(SlurmPreemption, OnlyThoseThatTheQosNamesMakeWay) {
  for (const char* const qos : {"high", "normal"}) {
    const auto b = nodes_of_four(1);
    b->job(0.5, 100.3).cpus(4).qos(qos).minutes(5);
    b->job(20.5, 30.3).cpus(4).qos("normal").minutes(5);
    const Story s = b->run();
    EXPECT_EQ(s[0].allocations.size(), 1u) << qos;
    EXPECT_GE(s[1].allocated, 100);
  }
}

TEST(SlurmPreemption, AJobThatMayNotBeRequeuedIsCancelled) {
  const auto b = nodes_of_four(1);
  b->job(0.5, 100.3).cpus(4).qos("low").minutes(5).no_requeue();
  b->job(20.5, 30.3).cpus(4).qos("high").minutes(5);
  const Story s = b->run();
  EXPECT_EQ(s[0].state, JobState::cancelled);
  EXPECT_EQ(s[0].ended, 21.5);
  EXPECT_EQ(s[1].allocated, 21.5);
}

TEST(SlurmPreemption, TheModeIsTheClustersOrTheQos) {
  for (const auto of_qos :
       {std::optional<PreemptMode>(), std::optional(PreemptMode::requeue), std::optional(PreemptMode::off)}) {
    const auto b = nodes_of_four(1, PreemptMode::cancel);
    b->accounting.qos[1].preempt_mode = of_qos;
    b->job(0.5, 100.3).cpus(4).qos("low").minutes(5);
    b->job(20.5, 30.3).cpus(4).qos("high").minutes(5);
    const Story s = b->run();
    EXPECT_EQ(s[0].state, of_qos ? JobState::completed : JobState::cancelled);
    EXPECT_EQ(s[0].allocations.size(), of_qos == PreemptMode::requeue ? 2u : 1u);
  }
}

// The lowest QOS first, of these the jobs on the fewest nodes; and no more than it takes.
TEST(SlurmPreemption, TheLeastMakeWayFirst) {
  const auto b = nodes_of_four(4);
  b->job(0.1, 300.3).nodes(2, 4).qos("low").minutes(9);  // n1, n2
  b->job(0.2, 300.3).cpus(4).qos("normal").minutes(9);   // n3
  b->job(0.3, 300.3).cpus(4).qos("low").minutes(9);      // n4
  b->job(20.5, 60.3).cpus(4).qos("high").minutes(5);     // takes n4
  b->job(30.5, 60.3).cpus(4).qos("high").minutes(5);     // then that on n1 and n2 has to go
  b->job(40.5, 60.3).cpus(4).qos("high").minutes(5);     // there is n2 now
  b->job(50.5, 60.3).cpus(4).qos("high").minutes(5);     // and n3 at last
  const Story s = b->run();
  EXPECT_EQ(s[3].allocations[0], "21.500 n4");
  EXPECT_EQ(s[4].allocations[0], "31.500 n1");
  EXPECT_EQ(s[5].allocations[0], "41.000 n2");
  EXPECT_EQ(s[6].allocations[0], "51.500 n3");
}

// Taking them in their order asked for one more than is needed: those on the chosen nodes are tried first.
TEST(SlurmPreemption, TriesAgainWithThoseThatMatter) {
  for (const std::int32_t turns : {0, 1}) {
    const auto b = nodes_of_four(3);
    b->conf.preempt_reorder_count = turns;
    b->job(0.1, 300.3).cpus(2).qos("low").minutes(9);     // n1
    b->job(0.2, 300.3).cpus(2).qos("normal").minutes(9);  // n1
    b->job(0.3, 300.3).cpus(4).qos("low").minutes(9);     // n2
    b->job(0.4, 300.3).cpus(4).qos("high").minutes(9);    // n3
    b->job(20.5, 60.3).nodes(1, 4).qos("high").minutes(5);
    const Story s = b->run();
    EXPECT_EQ(s[4].allocations[0], "21.500 n2") << turns;
    EXPECT_EQ(s[0].allocations.size(), 1u) << "it stands on another node";
    EXPECT_EQ(s[2].allocations.size(), 2u);
  }
}

TEST(SlurmPreemption, TheYoungestMayGoFirst) {
  for (const bool youngest : {false, true}) {
    const auto b = nodes_of_four(2);
    b->conf.preempt_youngest_first = youngest;
    b->job(0.1, 300.3).cpus(4).qos("low").minutes(9);
    b->job(10.1, 300.3).cpus(4).qos("normal").minutes(9);
    b->job(20.5, 60.3).cpus(4).qos("high").minutes(5);
    EXPECT_EQ(b->run()[2].allocations[0], youngest ? "21.500 n2" : "21.500 n1");
  }
}

TEST(SlurmPreemption, NobodyGoesForNothing) {
  const auto b = nodes_of_four(2);
  b->job(0.1, 100.3).cpus(4).qos("high").minutes(9);
  b->job(0.2, 100.3).cpus(4).qos("low").minutes(9);
  b->job(20.5, 60.3).nodes(2, 4).qos("high").minutes(5);
  const Story s = b->run();
  EXPECT_EQ(s[1].allocations.size(), 1u) << "the other node would not get free";
  EXPECT_GE(s[2].allocated, 100);
}

TEST(SlurmPreemption, NoMoreAreAskedWhileSomeMakeWay) {
  const auto b = nodes_of_four(2);
  b->job(0.1, 300.3).cpus(4).qos("low").minutes(9).stops_in(10);
  b->job(0.2, 300.3).cpus(4).qos("low").minutes(9);
  b->job(20.5, 60.3).cpus(4).qos("high").minutes(5);
  const Story s = b->run();
  EXPECT_EQ(s[2].allocated, 31) << "the first takes 10 s to go";
  EXPECT_EQ(s[1].allocations.size(), 1u);
}

// GraceTime: it may go on, but is killed by the first check of time limits, each 30 s, after that.
TEST(SlurmPreemption, GraceTimeLetsAJobRunOn) {
  for (const Second grace : {0, 20, 50}) {
    const auto b = nodes_of_four(1, PreemptMode::cancel);
    b->accounting.qos[1].grace_time = grace;
    b->job(0.5, 300.3).cpus(4).qos("low").minutes(9);
    b->job(20.5, 30.3).cpus(4).qos("high").minutes(5);
    const Story s = b->run();
    EXPECT_EQ(s[0].ended, grace == 0 ? 21.5 : grace == 20 ? 60.5 : 90.5);
    EXPECT_EQ(s[0].state, JobState::cancelled);
    EXPECT_EQ(s[1].allocated, s[0].ended);
  }
}

TEST(SlurmPreemption, AJobThatJustBeganIsExempt) {
  for (const bool of_qos : {false, true}) {
    const auto b = nodes_of_four(1);
    b->conf.preempt_exempt_time = of_qos ? 1000 : 60;
    if (of_qos) b->accounting.qos[1].preempt_exempt_time = 30;
    b->job(0.5, 300.3).cpus(4).qos("low").minutes(9);  // from 1 on
    b->job(20.5, 30.3).cpus(4).qos("high").minutes(5);
    const double allocated = b->run()[1].allocated;
    EXPECT_GE(allocated, of_qos ? 31 : 61);
    EXPECT_LT(allocated, of_qos ? 61 : 121);
  }
}

TEST(SlurmPreemption, AHighPriorityIsExempt) {
  for (const std::uint32_t priority : {50U, 51U}) {
    const auto b = nodes_of_four(1);
    b->conf.preempt_min_exempt_priority = 50;
    b->job(0.5, 100.3).cpus(4).qos("low").minutes(9).priority(priority);
    b->job(20.5, 30.3).cpus(4).qos("high").minutes(5).priority(100);
    EXPECT_EQ(b->run()[1].allocated >= 100, priority > 50) << priority;
  }
}

// All components make way, though one would do, and run again together.
TEST(SlurmPreemption, AHeterogeneousJobGoesAsAWhole) {
  for (const bool exempt : {false, true}) {
    const auto b = nodes_of_four(3);
    b->conf.bf_interval = 10;
    b->job(0.5, 100.3).cpus(4).qos("low").minutes(5).component(0, 2);
    b->job(0.5, 100.3).cpus(4).qos(exempt ? "high" : "low").minutes(5).component(1, 2);
    b->job(0.6, 200.3).cpus(4).qos("high").minutes(5);
    b->job(40.5, 30.3).cpus(4).qos("high").minutes(5);
    const Story s = b->run();
    EXPECT_EQ(s[0].allocations.size(), exempt ? 1u : 2u);
    EXPECT_EQ(s[1].allocations.size(), exempt ? 1u : 2u) << "it stands on a node that nobody needs";
    EXPECT_EQ(s[3].allocated < 50, !exempt);
    EXPECT_EQ(s[0].allocated, s[1].allocated);
    EXPECT_EQ(s[0].state, JobState::completed);
    EXPECT_EQ(s[1].state, JobState::completed);
  }
}

TEST(SlurmPreemption, ByPartitionTheHigherTierTakes) {
  for (const bool off : {false, true}) {
    SlurmBench b;
    const std::uint32_t nodes = b.fixed("n", 1, 4);
    b.partition({nodes}).priority_tier = 1;
    b.partition({nodes}).priority_tier = 2;
    b.conf.preempt = Preempt::partition_prio;
    b.conf.preempt_mode = PreemptMode::cancel;
    if (off) b.conf.partitions[0].preempt_mode = PreemptMode::off;
    b.job(0.5, 100.3).cpus(4).minutes(9);
    b.job(20.5, 30.3).cpus(4).minutes(5).partition(1);
    b.job(30.5, 30.3).cpus(4).minutes(5).partition(1);
    const Story s = b.run();
    EXPECT_EQ(s[0].state, off ? JobState::completed : JobState::cancelled);
    EXPECT_EQ(s[1].allocated == 21.5, !off);
    EXPECT_EQ(s[1].allocations.size(), 1u) << "jobs of one tier do not push each other";
  }
}

// A node that dies under a job that makes way ends that, too.
TEST(SlurmPreemption, ANodeMayDieMeanwhile) {
  for (const double at : {21.2, 40.0}) {
    const auto b = nodes_of_four(2);
    b->conf.slurmd_timeout = 20;
    b->accounting.qos[1].grace_time = at > 30 ? 600 : 0;
    b->job(0.5, 100.3).cpus(4).qos("low").minutes(5).stops_in(500);
    b->job(0.6, 900.3).cpus(4).qos("high").minutes(20);
    b->job(20.5, 30.3).cpus(4).qos("high").minutes(5);
    b->kill_node(at, "n1");
    b->ask(at + 100, "n1", NodeAction::resume);
    b->restart_node(at + 99, "n1");
    const Story s = b->run();
    EXPECT_EQ(s[2].state, JobState::completed) << at;
    EXPECT_EQ(s[0].state, JobState::completed) << at;
  }
}

TEST(SlurmPreemption, AConfiguringJobGivesItsNodesBackAtOnce) {
  SlurmBench b;
  b.partition({b.cloud("n", 1, 4, 100)});
  b.conf.resume_timeout = 500;
  three_qualities(b, PreemptMode::requeue);
  b.job(0.5, 100.3).cpus(4).qos("low").minutes(9);
  b.job(20.5, 30.3).cpus(4).qos("high").minutes(5);
  const Story s = b.run();
  EXPECT_EQ(s[0].allocations.size(), 2u);
  EXPECT_LT(s[1].allocated, 30);
  EXPECT_EQ(s[1].started, 120) << "at the check after the boot";
}

// Whatever is pushed aside runs in the end.
TEST(SlurmPreemption, NoJobIsLost) {
  int pushed = 0;
  for (std::uint64_t seed = 1; seed <= 120 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    const auto b = nodes_of_four(draw.small(1, 4), draw.one_in(2) ? PreemptMode::requeue : PreemptMode::cancel);
    b->conf.preempt_youngest_first = draw.one_in(2);
    b->conf.preempt_strict_order = draw.one_in(2);
    b->conf.preempt_reorder_count = draw.small(0, 3);
    if (draw.one_in(2)) b->accounting.qos[1].grace_time = draw.small(1, 60);
    double at = 0;
    const int jobs = draw.small(4, 14);
    for (int i = 0; i < jobs; ++i) {
      at += draw.small(0, 15);
      Draft& job = b->job(at + 0.1, draw.small(5, 90) + 0.3).cpus(draw.small(1, 4)).minutes(3);
      job.qos(draw.one_in(3) ? "high" : draw.one_in(2) ? "low" : "normal");
      if (draw.one_in(5)) job.no_requeue();
      if (draw.one_in(5)) job.exclusive();
    }
    const bool cancels = b->conf.preempt_mode == PreemptMode::cancel;
    const bool grace = b->accounting.qos[1].grace_time > 0;
    const Story s = b->run();
    for (const Story::JobStory& job : s.jobs) {
      const bool was_pushed = job.allocations.size() > 1 || job.state == JobState::cancelled;
      pushed += was_pushed ? 1 : 0;
      // One that ends by itself after its grace, before the check, counts as over its limit, as in real runs.
      EXPECT_TRUE(job.state == JobState::completed || job.state == JobState::cancelled ||
                  (grace && job.state == JobState::timed_out))
          << state_letters(job.state) << " with " << job.allocations.size();
      if (cancels) {
        EXPECT_EQ(job.allocations.size(), 1u);
      }
    }
  }
  EXPECT_GT(pushed, 40);
}

TEST(SlurmPreemption, IsReadFromSlurmConf) {
  Conf conf;
  EXPECT_EQ(set(conf, "PreemptType", "preempt/qos"), "");
  EXPECT_EQ(set(conf, "PreemptMode", "requeue"), "");
  EXPECT_EQ(set(conf, "PreemptExemptTime", "2"), "");
  EXPECT_EQ(set(conf, "PreemptParameters", "youngest_first,reorder_count=3,min_exempt_priority=9"), "");
  EXPECT_EQ(conf.preempt, Preempt::qos);
  EXPECT_EQ(conf.preempt_mode, PreemptMode::requeue);
  EXPECT_EQ(conf.preempt_exempt_time, 120);
  EXPECT_EQ(conf.preempt_reorder_count, 3);
  EXPECT_EQ(conf.preempt_min_exempt_priority, 9U);
  EXPECT_TRUE(conf.preempt_youngest_first);
  EXPECT_FALSE(conf.preempt_strict_order);
  EXPECT_THAT(set(conf, "PreemptMode", "SUSPEND,GANG"), testing::HasSubstr("SUSPEND and GANG are not followed"));
  EXPECT_THAT(set(conf, "PreemptParameters", "reorder_cnt=2"), testing::HasSubstr("reorder_count"));
  EXPECT_THAT(set(conf, "PreemptParameters", "reclaim_licenses"), testing::HasSubstr("is not followed"));
}

// GraceTime is over whether or not somebody still wants the nodes, and whether or not the job had a limit.
TEST(SlurmPreemption, GraceTimeEndsAJobWithoutALimit) {
  for (const bool limited : {true, false}) {
    const auto b = nodes_of_four(1, PreemptMode::cancel);
    b->accounting.qos[1].grace_time = 20;
    Draft& low = b->job(0.5, 300.3).cpus(4).qos("low").minutes(9);
    if (!limited) low.job.request.limit = kUnlimited * kSecond;
    b->job(20.5, 30.3).cpus(4).qos("high").minutes(5);
    b->ask(30.5, 1, JobAction::cancel);
    const Story s = b->run();
    EXPECT_EQ(s[0].state, JobState::cancelled) << limited;
    EXPECT_EQ(s[0].ended, 60.5) << "at the check of time limits";
  }
}

// A node that dies leaves the job's other nodes to themselves.
TEST(SlurmPreemption, ALostNodeLetsTheOthersGo) {
  SlurmBench b;
  b.partition({b.cloud("n", 2, 4, 5)}).power_down_on_idle = true;
  b.conf.suspend_time = 3000;
  three_qualities(b, PreemptMode::requeue);
  b.job(0.5, 900.3).nodes(2, 4).qos("low").minutes(20).stops_in(500);
  b.job(90.5, 30.3).cpus(4).qos("high").minutes(5);
  b.ask(100, 1, JobAction::cancel);
  b.kill_node(110, "n1");
  b.restart_node(120, "n1");
  bool waits = false;
  b.look = [&](const State& state, Time now) {
    if (now < 125 * kSecond || now > 130 * kSecond) return;
    waits = true;
    EXPECT_TRUE(state.jobs[JobId{0}].shares.empty());
  };
  b.ask(127, 0, JobAction::hold);
  const Story s = b.run();
  EXPECT_TRUE(waits);
  EXPECT_EQ(s.at(s[0].states, 121), "PD");
  ASSERT_EQ(s.power.at("n2").size(), 3u);
  EXPECT_LT(std::stod(s.power.at("n2")[2]), 125) << s.power.at("n2")[2];
}

}  // namespace
}  // namespace headroom::slurm
