// Slurm's power saving and failing nodes: who is resumed and suspended when, how many at a time, and what becomes of
// the jobs of nodes that do not boot or die. Power saving looks 20 ms after whole seconds; it scans when nodes changed
// since its last scan, and each 11 s (10 s before 24.05) otherwise.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/slurm_bench.hpp"

namespace headroom::slurm {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::Ge;
using testing::Le;
using testing::Not;

std::unique_ptr<SlurmBench> cloud_nodes(std::int32_t count, double boot_s) {
  auto b = std::make_unique<SlurmBench>();
  b->partition({b->cloud("n", count, 4, boot_s)});
  b->conf.suspend_time = 15;
  b->conf.suspend_timeout = 10;
  b->conf.suspend_rate = b->conf.resume_rate = 0;
  return b;
}

// --- the cycle of a node ---

TEST(SlurmPower, NodesBootForJobsAndGoWhenTheyAreIdle) {
  for (const int version : {2205, 2505}) {
    const auto b = cloud_nodes(1, 20);
    b->conf.version.number = version;
    b->job(0.5, 10.3).cpus(4);
    const Story s = b->run();
    EXPECT_EQ(s[0].started, 30.0);
    EXPECT_EQ(s[0].ended, 40.3);
    // Idle since 40; the end of the job makes it scan at 41. 40 < t - 15 is first seen by the scan at 63 (11 s) or 61.
    // More than 10 s later it is powered down: seen at 74, or, as 10 s are not more, at 81.
    const bool newer = version == 2505;
    EXPECT_THAT(s.power.at("n1"),
                ElementsAre("3.020 resume", "23.020 ready", newer ? "63.020 suspend" : "61.020 suspend"));
    const double suspended = newer ? 63.02 : 61.02;
    const double gone = newer ? 74.02 : 81.02;
    EXPECT_EQ(s.node("n1", 1), "idle~");
    EXPECT_EQ(s.node("n1", 3.005), "alloc~") << "until power saving looks";
    EXPECT_EQ(s.node("n1", 10), "alloc#");
    EXPECT_EQ(s.node("n1", 25), "alloc");
    EXPECT_EQ(s.node("n1", 50), "idle");
    EXPECT_EQ(s.node("n1", suspended), "idle%");
    EXPECT_EQ(s.node("n1", gone - 0.1), "idle%");
    EXPECT_EQ(s.node("n1", gone), "idle~");
  }
}

// Idle for longer than SuspendTime: 63 - 40 = 23 s are not more than 23.
TEST(SlurmPower, SuspendsAfterMoreThanSuspendTime) {
  for (const Second time : {22, 23}) {
    const auto b = cloud_nodes(1, 20);
    b->conf.suspend_time = time;
    b->job(0.5, 10.3).cpus(4);
    EXPECT_EQ(b->run().power.at("n1").back(), time == 22 ? "63.020 suspend" : "74.020 suspend");
  }
}

TEST(SlurmPower, ANodeThatPowersDownIsNotToBeHad) {
  const auto b = cloud_nodes(1, 20);
  b->job(0.5, 10.3).cpus(4);
  b->job(64.5, 10.3).cpus(4);  // n1 powers down from 63 to 74
  const Story s = b->run();
  EXPECT_EQ(s.reason(1, 64.5), "ReqNodeNotAvail, UnavailableNodes:n1") << "said at its submission";
  EXPECT_THAT(s[1].allocations, ElementsAre("90.012 n1 backfill"));
  EXPECT_EQ(s.resumes.back().first, 90.02);
  EXPECT_EQ(s[1].started, 120.0);
}

TEST(SlurmPower, NodesWithJobsStayAndIdleTimeBeginsAnew) {
  const auto b = cloud_nodes(1, 20);
  b->job(0.5, 10.3).cpus(4);    // 30 .. 40.3
  b->job(45.2, 100.3).cpus(1);  // 46 .. 146.3
  const Story s = b->run();
  EXPECT_THAT(s[1].allocations, ElementsAre("46.000 n1"));
  EXPECT_EQ(s[1].started, 46.0) << "the node is up";
  ASSERT_EQ(s.power.at("n1").size(), 3u);
  const double suspended = std::stod(s.power.at("n1")[2]);
  EXPECT_THAT(suspended, AllOf(Ge(146 + 16), Le(146 + 15 + 12)));
}

// Without SuspendTime, in SuspendExcNodes, or of a partition with another time.
TEST(SlurmPower, SuspendsOnlyWhatMayBeSuspended) {
  const auto suspended_after = [](void (*set)(SlurmBench&, Partition&)) {
    SlurmBench b;
    Partition& partition = b.partition({b.cloud("n", 1, 4, 20)});
    b.conf.suspend_time = 15;
    b.conf.suspend_rate = 0;
    set(b, partition);
    b.job(0.5, 10.3);
    const Story s = b.run();
    return s.power.at("n1").size() == 3 ? std::stod(s.power.at("n1")[2]) - 40 : -1.0;
  };
  EXPECT_THAT(suspended_after([](SlurmBench&, Partition&) {}), AllOf(Ge(16), Le(27)));
  EXPECT_EQ(suspended_after([](SlurmBench& b, Partition&) { b.conf.suspend_time.reset(); }), -1);
  EXPECT_EQ(suspended_after([](SlurmBench& b, Partition&) { b.conf.suspend_exc_nodes = {"n1"}; }), -1);
  EXPECT_THAT(suspended_after([](SlurmBench&, Partition& p) { p.suspend_time = 60; }), AllOf(Ge(61), Le(72)));
}

TEST(SlurmPower, FurtherJobsMayJoinABootingNode) {
  const auto b = cloud_nodes(2, 20);
  b->job(0.5, 10.3).cpus(2);
  b->job(5.5, 10.3).cpus(2);
  const Story s = b->run();
  EXPECT_THAT(s[1].allocations, ElementsAre("6.000 n1")) << "rather than a node without power";
  EXPECT_EQ(Story::at(s[1].states, 7), "CF");
  EXPECT_EQ(s[1].started, 30.0);
  EXPECT_EQ(s.resumes.size(), 1u);
}

// Up before powered down, whatever the weight; powering up between the two since 25.05, as good as up before.
TEST(SlurmPower, PrefersNodesThatAreUp) {
  for (const int version : {2205, 2505}) {
    SlurmBench b;
    b.conf.version.number = version;
    b.conf.resume_timeout = 500;
    const std::uint32_t light = b.cloud("a", 1, 4, 100, 1);
    const std::uint32_t heavy = b.fixed("p", 1, 4, 10);
    b.partition({light, heavy});
    b.job(0.5, 300.3).cpus(1);
    b.job(5.5, 300.3).cpus(4).exclusive();  // only a1 is empty
    b.job(5.6, 300.3).cpus(1);
    const Story s = b.run();
    EXPECT_THAT(s[0].allocations, ElementsAre("3.000 p1")) << "up goes before weight";
    EXPECT_THAT(s[1].allocations, ElementsAre("6.000 a1"));
    EXPECT_THAT(s[2].allocations, ElementsAre("6.000 p1"));
    SlurmBench c;
    c.conf.version.number = version;
    c.conf.resume_timeout = 500;
    const std::uint32_t booting = c.cloud("a", 1, 4, 100, 1);
    const std::uint32_t up = c.fixed("p", 1, 4, 10);
    c.partition({booting, up});
    c.partition({booting});
    c.job(0.5, 300.3).cpus(1).partition(1);
    c.job(5.5, 300.3).cpus(1);
    EXPECT_EQ(c.run()[1].allocations[0], version == 2205 ? "6.000 a1" : "6.000 p1");
  }
}

// --- rates ---

// Since 24.05: a bucket that holds a sixth of a minute's nodes and begins empty; what a scan finds in it may be used.
TEST(SlurmRates, ResumeAsTokensAllow) {
  const auto b = cloud_nodes(4, 1000);
  b->conf.resume_timeout = 5000;
  b->conf.resume_rate = 6;
  b->job(28.5, 10.3).nodes(4, 4);
  const Story s = b->run();
  ASSERT_EQ(s.resumes.size(), 4u);
  EXPECT_EQ(s.resumes[0], std::pair(29.02, std::string("n1"))) << "one, however long nothing was resumed";
  EXPECT_EQ(s.resumes[1], std::pair(40.02, std::string("n2")));
  EXPECT_EQ(s.resumes[2], std::pair(51.02, std::string("n3")));
  EXPECT_EQ(s.resumes[3], std::pair(62.02, std::string("n4")));
}

TEST(SlurmRates, TheBucketBeginsEmpty) {
  const auto b = cloud_nodes(3, 1000);
  b->conf.resume_timeout = 5000;
  b->conf.resume_rate = 6;
  b->job(0.5, 10.3).nodes(3, 4);
  const Story s = b->run();
  ASSERT_EQ(s.resumes.size(), 3u);
  EXPECT_EQ(s.resumes[0].first, 14.02) << "at 3 there is none yet; the next scan is 11 s later";
}

// They come at whole multiples of 10 s of a clock that has its own zero.
TEST(SlurmRates, TokensComeAtTheirOwnTimes) {
  for (const Time tokens : {2 * kSecond, 8 * kSecond}) {
    const auto b = cloud_nodes(2, 1000);
    b->conf.resume_timeout = 5000;
    b->conf.resume_rate = 6;
    b->conf.phases.tokens = tokens;
    b->job(0.5, 10.3).nodes(2, 4);
    const Story s = b->run();
    ASSERT_EQ(s.resumes.size(), 2u);
    EXPECT_EQ(s.resumes[0].first, tokens == 2 * kSecond ? 3.02 : 14.02);
    EXPECT_EQ(s.resumes[1].first, tokens == 2 * kSecond ? 14.02 : 25.02);
  }
}

TEST(SlurmRates, TokensComeOneByOne) {
  const auto b = cloud_nodes(8, 1000);
  b->conf.resume_timeout = 5000;
  b->conf.resume_rate = 30;
  b->job(0.5, 10.3).nodes(8, 4);
  const Story s = b->run();
  ASSERT_EQ(s.resumes.size(), 8u);
  EXPECT_EQ(s.resumes[0].first, 3.02) << "one each 2 s, so one in 3 s";
  EXPECT_EQ(s.resumes[1].first, 14.02);
  EXPECT_EQ(s.resumes[5].first, 14.02) << "five in 11 s";
  EXPECT_EQ(s.resumes[6].first, 25.02);
}

TEST(SlurmRates, ABiggerRateHasABiggerBucket) {
  const auto b = cloud_nodes(8, 1000);
  b->conf.resume_timeout = 5000;
  b->conf.resume_rate = 30;
  b->job(28.5, 10.3).nodes(8, 4);
  const Story s = b->run();
  ASSERT_EQ(s.resumes.size(), 8u);
  EXPECT_EQ(s.resumes[4].first, 29.02) << "five at once";
  EXPECT_EQ(s.resumes[5].first, 40.02);
}

// Before 24.05: a decaying average. So many at once as a minute allows, then one each scan or so.
TEST(SlurmRates, ResumeAsTheAverageAllowed) {
  const auto b = cloud_nodes(8, 1000);
  b->conf.version.number = 2205;
  b->conf.resume_timeout = 5000;
  b->conf.resume_rate = 6;
  b->job(28.5, 10.3).nodes(8, 4);
  const Story s = b->run();
  ASSERT_EQ(s.resumes.size(), 8u);
  for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(s.resumes[i].first, 29.02);
  EXPECT_EQ(s.resumes[6].first, 40.02);
  EXPECT_EQ(s.resumes[7].first, 50.02);
}

TEST(SlurmRates, SuspendAsTokensAllow) {
  for (const int version : {2205, 2505}) {
    const auto b = cloud_nodes(8, 5);
    b->conf.version.number = version;
    b->conf.suspend_rate = 6;
    b->job(0.5, 10.3).nodes(8, 4);
    const Story s = b->run();
    std::vector<double> times;
    for (const auto& [name, events] : s.power) {
      ASSERT_EQ(events.size(), 3u) << name;
      times.push_back(std::stod(events[2]));
    }
    std::sort(times.begin(), times.end());
    if (version == 2205) {
      EXPECT_EQ(times[5], times[0]) << "six at once";
      EXPECT_GT(times[6], times[0]);
      EXPECT_GE(times[7] - times[6], 9);
    } else {
      for (std::size_t i = 1; i < times.size(); ++i) {
        EXPECT_THAT(times[i] - times[i - 1], AllOf(Ge(9), Le(20))) << "one a scan";
      }
    }
  }
}

TEST(SlurmRates, ZeroIsNoLimit) {
  const auto b = cloud_nodes(8, 5);
  b->job(0.5, 10.3).nodes(8, 4);
  const Story s = b->run();
  for (const auto& [time, name] : s.resumes) EXPECT_EQ(time, 3.02) << name;
}

// --- nodes that do not boot ---

TEST(SlurmFailures, ANodeThatDoesNotBootIsDownAndItsJobWaits121Seconds) {
  const auto b = cloud_nodes(2, 20);
  b->conf.resume_timeout = 40;
  b->faults.push_back({b->id("n1"), SimulatedCloud::kAlways, {}});
  b->job(0.5, 10.3).cpus(4);
  const Story s = b->run();
  // Asked for at 3; the first scan with now > 43 is at 47 (3, 14, 25, 36, 47).
  EXPECT_THAT(s.power.at("n1"), ElementsAre("3.020 resume", "47.020 given up"));
  EXPECT_EQ(s.node("n1", 47.02), "down~");
  EXPECT_EQ(s.node("n1", 9999), "down~") << "never used again";
  EXPECT_EQ(Story::at(s[0].states, 47.02), "PD");
  EXPECT_EQ(s.reason(0, 100), "BeginTime");
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n1", "180.000 n2")) << "168 is seen by the pass at 180";
  EXPECT_EQ(s[0].started, 210.0);
  EXPECT_EQ(s[0].state, JobState::completed);
}

TEST(SlurmFailures, OtherNodesOfTheJobBecomeIdle) {
  const auto b = cloud_nodes(2, 20);
  b->conf.resume_timeout = 40;
  b->faults.push_back({b->id("n1"), 1, {}});
  b->job(0.5, 10.3).nodes(2, 4);
  b->ask(120.2, "n1", NodeAction::resume);
  const Story s = b->run();
  // n2 registers at 23, which makes power saving scan; then at 34 and 45: more than 3 + 40.
  EXPECT_EQ(s.node("n2", 45), "alloc") << "it is up, but the job waits for both";
  EXPECT_EQ(s.node("n2", 45.02), "idle");
  EXPECT_EQ(s.node("n1", 110), "down~");
  EXPECT_EQ(s.node("n1", 120.5), "idle~") << "scontrol update state=resume";
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n[1-2]", "180.000 n[1-2]"));
  EXPECT_EQ(s[0].state, JobState::completed);
}

TEST(SlurmFailures, PowerDownHealsANodeThatIsDown) {
  const auto b = cloud_nodes(1, 20);
  b->conf.resume_timeout = 40;
  b->faults.push_back({b->id("n1"), 1, {}});
  b->job(0.5, 10.3).cpus(4);
  b->ask(60.2, "n1", NodeAction::power_down);
  const Story s = b->run();
  EXPECT_EQ(s.node("n1", 50), "down~");
  EXPECT_EQ(s.node("n1", 60.3), "idle!");
  EXPECT_EQ(s.node("n1", 61.1), "idle%");
  EXPECT_EQ(s.node("n1", 90), "idle~");
  EXPECT_EQ(s[0].state, JobState::completed);
}

// --- nodes that die ---

// SlurmdTimeout 20: pings each 6 s; marked some 12 s after the first ping without an answer, down 20 s after it was
// last heard of, as the next ping finds.
std::unique_ptr<SlurmBench> dying() {
  auto b = cloud_nodes(2, 20);
  b->conf.slurmd_timeout = 20;
  b->kill_node(60.1, "n1");
  return b;
}

TEST(SlurmFailures, ADeadNodeIsDownItsJobWaitsAndItHealsByItself) {
  const auto b = dying();
  b->job(0.5, 100.3).cpus(4);
  const Story s = b->run();
  EXPECT_EQ(s[0].allocations[0], "3.000 n1");
  const double marked = s.first("n1", "alloc*");
  EXPECT_THAT(marked, AllOf(Ge(60.1 + 12), Le(60.1 + 20)));
  const double down = s.first("n1", "down*");
  EXPECT_THAT(down, AllOf(Ge(60.1 + 20), Le(60.1 + 33)));
  EXPECT_EQ(Story::at(s[0].states, down), "PD");
  ASSERT_EQ(s[0].allocations.size(), 2u);
  EXPECT_THAT(s[0].allocated, AllOf(Ge(down + 121), Le(down + 121 + 60)));
  EXPECT_EQ(s[0].state, JobState::completed);
  const double suspended = s.first("n1", "idle%");
  EXPECT_THAT(suspended, AllOf(Ge(down + 15), Le(down + 15 + 12))) << "like one that is idle";
  EXPECT_EQ(s.node("n1", suspended + 9.9), "idle%");
  EXPECT_EQ(s.node("n1", suspended + 22), "idle~") << "SuspendTimeout and a scan later";
}

TEST(SlurmFailures, NoRequeueEndsTheJobWithItsNode) {
  const auto b = dying();
  b->job(0.5, 100.3).cpus(4).no_requeue();
  const Story s = b->run();
  EXPECT_EQ(s[0].state, JobState::node_failed);
  EXPECT_EQ(s[0].ended, s.first("n1", "down*"));
  EXPECT_EQ(s[0].allocations.size(), 1u);
  EXPECT_EQ(s.reason(0, 9999), "NodeDown");
}

// A node that was down is left out of backfill until it registers; the main scheduler takes it.
TEST(SlurmFailures, BackfillLeavesAHealedNodeOutUntilItRegisters) {
  for (const bool died : {false, true}) {
    auto b = cloud_nodes(1, 20);
    b->conf.slurmd_timeout = 20;
    b->job(0.5, died ? 100.3 : 10.3).cpus(4).no_requeue();
    if (died) b->kill_node(60.1, "n1");
    b->job(130.5, 10.3).cpus(4).begin(10);
    b->job(130.6, 10.3).held();
    b->ask(145.2, 2, JobAction::cancel);  // a change, for which there is a backfill cycle, but no pass
    const Story s = b->run();
    EXPECT_EQ(s.node("n1", 145), "idle~");
    ASSERT_EQ(s[1].allocations.size(), 1u);
    EXPECT_THAT(s[1].allocations[0], testing::EndsWith(died ? " n1" : " n1 backfill"));
    EXPECT_EQ(s[1].allocated == 180.0, died) << "the full pass";
  }
}

TEST(SlurmFailures, ANodeThatDoesNotAnswerGetsNoJobs) {
  const auto b = dying();
  b->job(0.5, 100.3).cpus(1);
  b->job(79.5, 10.3).cpus(1);
  const Story s = b->run();
  ASSERT_THAT(s.first("n1", "mix*"), AllOf(Ge(72), Le(79.5)));
  EXPECT_THAT(s[1].allocations[0], Not(testing::HasSubstr("n1")));
}

TEST(SlurmFailures, AFixedNodeReturnsToServiceOnlyIfSlurmConfSaysSo) {
  for (const std::int32_t returns : {0, 1, 2}) {
    SlurmBench b;
    b.partition({b.fixed("n", 1, 4)});
    b.conf.slurmd_timeout = 20;
    b.conf.return_to_service = returns;
    b.job(0.5, 100.3).cpus(4);
    b.kill_node(60.1, "n1");
    b.restart_node(150.1, "n1");
    const Story s = b.run();
    ASSERT_GT(s.first("n1", "down*"), 0);
    EXPECT_EQ(s.node("n1", 149), "down*");
    EXPECT_EQ(s.node("n1", 150.1), returns == 2 ? "idle" : "down");
    EXPECT_EQ(s[0].state, returns == 2 ? JobState::completed : JobState::pending);
  }
}

TEST(SlurmFailures, ANodeThatAnswersAgainInTimeIsNotDown) {
  SlurmBench b;
  b.partition({b.fixed("n", 1, 4)});
  b.conf.slurmd_timeout = 300;
  b.job(0.5, 30.3).cpus(4);
  b.kill_node(60.1, "n1");
  b.restart_node(90.1, "n1");
  b.job(500.5, 10.3).cpus(4);
  const Story s = b.run();
  EXPECT_EQ(s.first("n1", "down*"), -1);
  EXPECT_EQ(s[1].allocated, 501.0);
}

// What ran there is missing when the node registers again: it is requeued, also where it was told to end.
TEST(SlurmFailures, ANodeThatAnswersAgainHasLostItsJobs) {
  for (const bool told : {false, true}) {
    SlurmBench b;
    b.partition({b.fixed("n", 2, 4)});
    b.job(0.5, 100.3).nodes(2, 4);
    b.job(0.6, 50.3).cpus(4).minutes(2);
    b.job(0.7, 100.3).cpus(1).no_requeue();
    b.kill_node(60.1, "n1");
    if (told) b.ask(70.1, 0, JobAction::cancel);
    b.restart_node(90.1, "n1");
    const Story s = b.run();
    EXPECT_EQ(s.first("n1", "down*"), -1);
    EXPECT_EQ(s[0].state, told ? JobState::cancelled : JobState::completed);
    EXPECT_EQ(s[0].allocations.size(), told ? 1u : 2u);
    EXPECT_EQ(s[1].state, JobState::completed);
    EXPECT_EQ(s[2].state, JobState::completed);
  }
}

TEST(SlurmFailures, ANodeThatAnswersAgainFailsWhatMayNotBeRequeued) {
  SlurmBench b;
  b.partition({b.fixed("n", 1, 4)});
  b.job(0.5, 100.3).cpus(4).no_requeue();
  b.kill_node(60.1, "n1");
  b.restart_node(90.1, "n1");
  const Story s = b.run();
  EXPECT_EQ(s[0].state, JobState::node_failed);
  EXPECT_NEAR(s[0].ended, 90.1, 0.001);
}

// It is lost while it boots.
TEST(SlurmFailures, ANodeThatDiesWhileItBootsEndsNoJobForEver) {
  for (const bool back : {false, true}) {
    SlurmBench b;
    b.partition({b.cloud("c", 1, 4, 60)});
    b.conf.suspend_time = 300;
    b.conf.resume_timeout = 120;
    b.conf.return_to_service = 2;
    b.job(0.5, 30.3).cpus(4);
    b.kill_node(30.1, "c1");
    if (back) b.restart_node(50.1, "c1");
    const Story s = b.run();
    EXPECT_EQ(s[0].state, JobState::completed) << back;
  }
}

// --- what administrators ask for ---

TEST(SlurmOperations, ADrainedNodeFinishesItsJobsAndGetsNoMore) {
  SlurmBench b;
  b.partition({b.fixed("n", 2, 4)});
  b.job(0.5, 100.3).cpus(1);
  b.ask(10.2, "n1", NodeAction::drain);
  b.job(20.5, 10.3).cpus(1);
  const Story s = b.run();
  EXPECT_EQ(s[0].state, JobState::completed);
  EXPECT_EQ(s.node("n1", 50), "drng");
  EXPECT_EQ(s.node("n1", 110), "drain");
  EXPECT_THAT(s[1].allocations, ElementsAre("21.000 n2"));
}

// state=power_down does not drain: the node takes jobs until it is idle, then goes at the next scan.
TEST(SlurmOperations, PowerDownWaitsForTheJobs) {
  const auto b = cloud_nodes(1, 20);
  b->conf.suspend_time = 1000;
  b->job(0.5, 30.3).cpus(1);  // 30 .. 60.3
  b->ask(40.2, "n1", NodeAction::power_down);
  b->job(45.5, 30.3).cpus(1);  // 46 .. 76.3
  const Story s = b->run();
  EXPECT_EQ(s.node("n1", 42), "mix!");
  EXPECT_THAT(s[1].allocations, ElementsAre("46.000 n1"));
  EXPECT_THAT(s.power.at("n1"), ElementsAre("3.020 resume", "23.020 ready", "77.020 suspend"));
}

TEST(SlurmOperations, PowerUpResumesANodeWithoutAJob) {
  const auto b = cloud_nodes(2, 20);
  b->conf.suspend_time = 1000;
  b->job(0.5, 100.3).cpus(4);
  b->ask(10.2, "n2", NodeAction::power_up);
  b->job(50.5, 10.3).cpus(1);
  const Story s = b->run();
  EXPECT_THAT(s.power.at("n2"), ElementsAre("11.020 resume", "31.020 ready", testing::EndsWith("suspend")));
  EXPECT_THAT(s[1].allocations, ElementsAre("51.000 n2")) << "it is up";
  EXPECT_EQ(s[1].started, 51.0);
}

// It is pinged at the next second, and the pass that its answer asks for comes 3 s later.
TEST(SlurmOperations, AResumedNodeIsUsedOnceItHasAnswered) {
  for (const int version : {2205, 2505}) {
    SlurmBench b;
    b.conf.version.number = version;
    b.conf.backfill = false;
    b.partition({b.fixed("n", 1, 4)});
    b.job(0.5, 10.3).held();
    b.ask(5.2, "n1", NodeAction::drain);
    b.job(10.5, 10.3);
    b.ask(20.2, "n1", NodeAction::resume);
    const Story s = b.run();
    EXPECT_EQ(s[1].allocated, 24.0) << version;
  }
}

// Also before the first job.
TEST(SlurmOperations, MayComeBeforeAnyJob) {
  SlurmBench b;
  b.partition({b.fixed("n", 2, 4)});
  b.ask(5.2, "n1", NodeAction::drain);
  b.job(10.5, 10.3);
  EXPECT_THAT(b.run()[0].allocations, ElementsAre("11.000 n2"));
}

TEST(SlurmOperations, DownRequeuesTheJobsAtOnce) {
  SlurmBench b;
  b.partition({b.fixed("n", 2, 4)});
  b.job(0.5, 100.3).cpus(1);
  b.job(0.6, 100.3).cpus(1).no_requeue();
  b.ask(10.2, "n1", NodeAction::down);
  const Story s = b.run();
  EXPECT_EQ(s.node("n1", 10.2), "down");
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n1", "180.000 n2"));
  EXPECT_EQ(s[1].state, JobState::node_failed);
  EXPECT_EQ(s[1].ended, 10.2);
}

}  // namespace
}  // namespace headroom::slurm
