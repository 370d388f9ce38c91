#include "models/simulated_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/controller_bench.hpp"

namespace headroom {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Distribution seconds(double s) { return {Distribution::Kind::constant, s}; }

// A world for a policy that keeps time, driven by hand: the test is the core.
class WorldBench {
 public:
  Workload workload;
  std::vector<Disturbance> disturbances;
  std::vector<SimulatedCloud::BootFault> faults;
  bool keeps_time = true;
  SameInstant same_instant = SameInstant::batched;

  // Jobs submitted at time 0; they end after so many seconds, and when told to, after `stop_s`.
  void job(std::int64_t run_s, std::int64_t stop_s = 0, std::int64_t submit_s = 0) {
    WorkloadJob& job = workload.jobs.emplace_back();
    job.request.submit = submit_s * kSecond;
    job.request.limit = 100 * kSecond;
    job.run_time = run_s * kSecond;
    job.stop_time = stop_s * kSecond;
  }
  void disturb(std::int64_t at_s, Stimulus::Kind kind, std::uint32_t subject, std::uint32_t detail = 0) {
    disturbances.push_back({at_s * kSecond, {kind, subject, detail}});
  }
  SimulatedWorld& world() {
    if (!world_) {
      world_.emplace(workload, SimulatedCloud({{seconds(10), seconds(40)}}, 1, faults), same_instant, 0, nullptr,
                     keeps_time, disturbances);
    }
    return *world_;
  }

  // --- commands, at the time of the last news ---
  void start(std::uint32_t job, std::vector<NodeShare> nodes) { add(Command::Kind::start_job, job, 0, nodes); }
  void stop(std::uint32_t job, Outcome outcome) {
    add(Command::Kind::stop_job, job, static_cast<std::uint32_t>(outcome), {});
  }
  void requeue(std::uint32_t job) { add(Command::Kind::requeue_job, job, 0, {}); }
  void end(std::uint32_t job) { add(Command::Kind::end_job, job, 0, {}); }
  void launch(std::uint32_t node) { add(Command::Kind::launch_instances, 0, 0, {{NodeId{node}, 0}}); }
  void terminate(std::uint32_t node) { add(Command::Kind::terminate_instances, 0, 0, {{NodeId{node}, 0}}); }

  // What the world tells next, and when in seconds; -1 when nothing more happens. Wakes at `wake_s`.
  std::int64_t next(std::int64_t wake_s = -1) {
    const std::optional<Time> now = world().wait(wake_s < 0 ? kNever : wake_s * kSecond, news);
    if (!now) return -1;
    now_ = *now;
    return now_ / kSecond;
  }
  std::vector<Stimulus> told() const { return news.stimuli; }
  // All news to the end: second, kind, subject.
  std::vector<std::tuple<std::int64_t, Stimulus::Kind, std::uint32_t>> rest() {
    std::vector<std::tuple<std::int64_t, Stimulus::Kind, std::uint32_t>> list;
    for (std::int64_t t = next(); t >= 0; t = next()) {
      for (const Stimulus& s : news.stimuli) list.emplace_back(t, s.kind, s.subject);
    }
    return list;
  }

  News news;

 private:
  void add(Command::Kind kind, std::uint32_t subject, std::uint32_t detail, const std::vector<NodeShare>& shares) {
    Commands commands;
    commands.add(kind, subject, detail, shares);
    world().carry_out(now_, commands);
  }
  std::optional<SimulatedWorld> world_;
  Time now_ = 0;
};

NodeShare on(std::uint32_t node) { return {NodeId{node}, 1}; }
using Kind = Stimulus::Kind;

TEST(SimulatedWorld, EndsJobsAtTheirLimitOnlyWhereThePolicyDoesNot) {
  for (const bool keeps_time : {false, true}) {
    WorldBench w;
    w.keeps_time = keeps_time;
    w.job(150);
    w.next();
    w.start(0, {on(0)});
    EXPECT_EQ(w.next(), keeps_time ? 150 : 100);
    EXPECT_THAT(w.told(), ElementsAre(Stimulus{
                              Kind::job_finished, 0,
                              static_cast<std::uint32_t>(keeps_time ? Outcome::completed : Outcome::timed_out)}));
    EXPECT_EQ(w.next(), -1);
  }
}

TEST(SimulatedWorld, TellsWhenTheProcessesOfAStoppedJobAreGoneAndNothingElseOfIt) {
  WorldBench w;
  w.job(150, 7);
  w.next();
  w.start(0, {on(0)});
  w.next(120);
  w.stop(0, Outcome::timed_out);
  EXPECT_EQ(w.next(), 127);
  EXPECT_THAT(w.told(), ElementsAre(Stimulus{Kind::job_finished, 0, static_cast<std::uint32_t>(Outcome::timed_out)}));
  EXPECT_EQ(w.next(), -1) << "150 s do not come";
}

// The job's own end and the one it was told to have fall on one instant: it ends once.
TEST(SimulatedWorld, EndsAJobOnceThatWouldHaveEndedWhenItWasStopped) {
  for (const SameInstant same_instant : {SameInstant::batched, SameInstant::per_event}) {
    WorldBench w;
    w.same_instant = same_instant;
    w.job(100, 10);
    w.next();
    w.start(0, {on(0)});
    w.next(90);
    w.stop(0, Outcome::cancelled);
    EXPECT_THAT(w.rest(), ElementsAre(std::tuple(100, Kind::job_finished, 0u)));
  }
}

TEST(SimulatedWorld, ForgetsTheEndOfARequeuedJobAndTellsThatOfItsNextAttempt) {
  WorldBench w;
  w.job(100);
  w.next();
  w.start(0, {on(0)});
  w.next(40);
  w.requeue(0);
  EXPECT_EQ(w.next(60), 60);
  w.start(0, {on(1)});
  EXPECT_THAT(w.rest(), ElementsAre(std::tuple(160, Kind::job_finished, 0u)));
}

TEST(SimulatedWorld, EndsAJobOnceThatWasRequeuedAndStartedAtOneInstant) {
  WorldBench w;
  w.job(100);
  w.next();
  w.start(0, {on(0)});
  w.requeue(0);
  w.start(0, {on(1)});
  EXPECT_THAT(w.rest(), ElementsAre(std::tuple(100, Kind::job_finished, 0u)));
}

TEST(SimulatedWorld, ForgetsTheEndOfAJobThatIsEndedAtOnce) {
  WorldBench w;
  w.job(100, 30);
  w.job(100, 30);
  w.next();
  w.start(0, {on(0)});
  w.start(1, {on(0)});
  w.next(50);
  w.stop(1, Outcome::cancelled);
  w.next(60);
  w.end(0);
  w.end(1);
  EXPECT_THAT(w.rest(), IsEmpty());
}

// An end_job for a job whose end was just told says how it counts.
TEST(SimulatedWorld, TakesAJudgementForWhatItIs) {
  WorldBench w;
  w.job(100);
  w.next();
  w.start(0, {on(0)});
  EXPECT_EQ(w.next(), 100);
  w.end(0);
  EXPECT_EQ(w.next(), -1);
}

// --- nodes that are lost ---

TEST(SimulatedWorld, NeverEndsTheJobsOfALostNode) {
  WorldBench w;
  for (int i = 0; i < 4; ++i) w.job(100 + i, 5);
  w.disturb(50, Kind::node_lost, 1);
  w.disturb(70, Kind::node_back, 1);
  w.next();
  w.start(0, {on(0), on(1)});
  w.start(1, {on(0)});
  w.start(2, {on(1)});
  w.start(3, {on(2)});
  EXPECT_EQ(w.next(), 50);
  EXPECT_THAT(w.told(), ElementsAre(Stimulus{Kind::node_lost, 1, 0}));
  w.stop(2, Outcome::node_failed);  // nobody is there to be told
  EXPECT_THAT(w.rest(), ElementsAre(std::tuple(70, Kind::node_back, 1u), std::tuple(101, Kind::job_finished, 1u),
                                    std::tuple(103, Kind::job_finished, 3u)));
}

TEST(SimulatedWorld, RunsAJobOfALostNodeAgainElsewhere) {
  WorldBench w;
  w.job(100);
  w.disturb(50, Kind::node_lost, 1);
  w.next();
  w.start(0, {on(1)});
  w.next();
  w.requeue(0);
  w.start(0, {on(2)});
  EXPECT_THAT(w.rest(), ElementsAre(std::tuple(150, Kind::job_finished, 0u)));
}

// Before the policy takes note of it, a job may start on a lost node: it does not end either.
TEST(SimulatedWorld, NeverEndsJobsThatStartOnALostNode) {
  const auto ends = [](const auto& before) {
    WorldBench w;
    w.job(100);
    w.disturb(10, Kind::node_lost, 1);
    w.disturb(500, Kind::node_back, 1);
    w.next();
    w.next();
    before(w);
    w.start(0, {on(0), on(1)});
    const auto rest = w.rest();
    return std::any_of(rest.begin(), rest.end(), [](const auto& s) { return std::get<1>(s) == Kind::job_finished; });
  };
  EXPECT_FALSE(ends([](WorldBench&) {}));
  EXPECT_TRUE(ends([](WorldBench& w) { w.next(); })) << "it is back";
  EXPECT_TRUE(ends([](WorldBench& w) { w.launch(1); })) << "it has another instance";
}

// --- boots ---

TEST(SimulatedWorld, TellsNothingOfABootThatWasGivenUp) {
  WorldBench w;
  w.launch(0);
  EXPECT_EQ(w.next(), 10);
  EXPECT_EQ(w.next(30), 30);
  w.terminate(0);
  EXPECT_EQ(w.next(), 30);
  EXPECT_THAT(w.told(), ElementsAre(Stimulus{Kind::instance_terminated, 0, 0}));
  EXPECT_EQ(w.next(35), 35);
  w.launch(0);
  EXPECT_THAT(w.rest(), ElementsAre(std::tuple(45, Kind::instance_running, 0u), std::tuple(85, Kind::node_ready, 0u)));
}

TEST(SimulatedWorld, TellsABootOnceThatWasGivenUpAndRepeatedAtOneInstant) {
  WorldBench w;
  w.launch(0);
  w.terminate(0);
  w.launch(0);
  EXPECT_THAT(w.rest(), ElementsAre(std::tuple(0, Kind::instance_terminated, 0u),
                                    std::tuple(10, Kind::instance_running, 0u), std::tuple(50, Kind::node_ready, 0u)));
}

TEST(SimulatedWorld, LetsBootsFail) {
  WorldBench w;
  w.faults = {{NodeId{0}, 1}, {NodeId{1}, SimulatedCloud::kAlways}};
  w.launch(0);
  w.launch(1);
  w.launch(2);
  EXPECT_EQ(w.next(), 10);
  EXPECT_EQ(w.next(), 50);
  EXPECT_THAT(w.told(), ElementsAre(Stimulus{Kind::node_ready, 2, 0}));
  EXPECT_EQ(w.next(100), 100);
  w.terminate(0);
  w.terminate(1);
  w.launch(0);
  w.launch(1);
  EXPECT_THAT(w.rest(),
              ElementsAre(std::tuple(100, Kind::instance_terminated, 0u),
                          std::tuple(100, Kind::instance_terminated, 1u), std::tuple(110, Kind::instance_running, 0u),
                          std::tuple(110, Kind::instance_running, 1u), std::tuple(150, Kind::node_ready, 0u)));
}

// --- disturbances and terms ---

TEST(SimulatedWorld, TellsDisturbancesAtTheirTimeBehindOtherNewsOfTheInstant) {
  WorldBench w;
  w.job(20);
  w.job(20, 0, 20);
  w.disturb(20, Kind::node_asked, 3, static_cast<std::uint32_t>(NodeAction::drain));
  w.disturb(20, Kind::job_asked, 1, static_cast<std::uint32_t>(JobAction::cancel));
  w.disturb(5, Kind::node_lost, 7);
  w.next();
  w.start(0, {on(0)});
  EXPECT_EQ(w.next(), 5);
  EXPECT_EQ(w.next(), 20);
  EXPECT_THAT(w.told(), ElementsAre(Stimulus{Kind::job_arrived, 1, 0}, Stimulus{Kind::job_finished, 0, 0},
                                    Stimulus{Kind::job_asked, 1, 0}, Stimulus{Kind::node_asked, 3, 4}));
  EXPECT_EQ(w.next(), -1);
}

TEST(SimulatedWorld, IsDisturbedOnlyUnderPoliciesThatExpectItAndOnlyFromOutside) {
  WorldBench w;
  w.keeps_time = false;
  w.disturb(5, Kind::node_lost, 0);
  EXPECT_THROW(w.world(), Bug);
  WorldBench inside;
  inside.disturb(5, Kind::node_ready, 0);
  EXPECT_THROW(inside.world(), Bug);
  WorldBench plain;
  plain.keeps_time = false;
  plain.job(10);
  plain.next();
  EXPECT_THROW(plain.stop(0, Outcome::cancelled), Bug);
}

TEST(SimulatedWorld, ForgetsTheEndOfAJobThatIsRequeuedUnderAnyPolicy) {
  WorldBench w;
  w.keeps_time = false;
  w.job(10);
  w.next();
  w.start(0, {});
  w.requeue(0);
  EXPECT_EQ(w.next(), -1);
}

TEST(SimulatedWorld, NumbersTermsWithinTheNews) {
  WorldBench w;
  for (int i = 0; i < 6; ++i) w.job(1, 0, i / 3);
  for (const std::uint32_t job : {1u, 2u, 4u, 5u}) {
    w.workload.terms.emplace_back().priority = 100 + job;
    w.workload.jobs[job].request.terms = static_cast<std::uint32_t>(w.workload.terms.size());
  }
  for (const std::uint32_t first : {0u, 3u}) {
    EXPECT_EQ(w.next(), first / 3);
    ASSERT_EQ(w.news.arrivals.size(), 3u);
    ASSERT_EQ(w.news.terms.size(), 2u);
    EXPECT_EQ(w.news.arrivals[0].terms, 0u);
    for (std::uint32_t i = 1; i < 3; ++i) {
      EXPECT_EQ(w.news.arrivals[i].terms, i);
      EXPECT_EQ(w.news.terms[i - 1].priority, 100 + first + i);
    }
  }
}

// A kept instance dies a minute after it runs, and is launched anew, for ever. When each news is told, in seconds,
// until the world says that it is over; it is asked to go on at `wakes`.
std::vector<std::int64_t> times_of_replaced_instance(bool keeps_time, Time patience, Time wake_every = 0) {
  Workload workload;
  WorkloadJob& job = workload.jobs.emplace_back();
  job.request.limit = kHour;
  job.run_time = 200 * kSecond;
  Mishaps::Plan plan;
  plan.groups.push_back({{.time_to_failure = seconds(60)}, {}});
  plan.strikes.push_back({500 * kSecond, NodeId{7}, Mishaps::Strike::Kind::reboot});
  SimulatedWorld world(workload, SimulatedCloud({{seconds(10), seconds(20)}}, 1, {}, {}, Mishaps(plan)),
                       SameInstant::batched, 0, nullptr, keeps_time, {}, patience);
  std::vector<std::int64_t> times;
  News news;
  Time now = 0;
  while (times.size() < 1000) {
    const std::optional<Time> next = world.wait(wake_every > 0 ? now + wake_every : kNever, news);
    if (!next) break;
    now = *next;
    Commands commands;
    const NodeShare node[] = {{NodeId{0}, 0}};
    for (const Stimulus& s : news.stimuli) {
      times.push_back(now / kSecond);
      if (s.kind == Stimulus::Kind::job_arrived) commands.add(Command::Kind::start_job, 0, 0, {});
      if (s.kind == Stimulus::Kind::job_arrived || s.kind == Stimulus::Kind::instance_lost) {
        commands.add(Command::Kind::launch_instances, 0,
                     static_cast<std::uint32_t>(LaunchReason::maintain_min_capacity), node);
      }
    }
    world.carry_out(now, commands);
  }
  return times;
}

TEST(SimulatedWorld, EndsAlthoughInstancesAreLostForEver) {
  // Running, ready, lost, every 70 s; the job ends at 200 s; until 500 s somebody plans a fault.
  const std::vector<std::int64_t> expected = {0,   10,  30,  70,  80,  100, 140, 150, 170, 200, 210, 220, 240,
                                              280, 290, 310, 350, 360, 380, 420, 430, 450, 490, 500, 520};
  EXPECT_EQ(times_of_replaced_instance(false, kNever), expected);
}

TEST(SimulatedWorld, EndsWhereThePolicyGoesOnLookingAlthoughInstancesAreLostForEver) {
  const std::vector<std::int64_t> times = times_of_replaced_instance(true, 800 * kSecond, 30 * kSecond);
  ASSERT_FALSE(times.empty());
  // 800 s after the job's end mishaps are over.
  EXPECT_EQ(times.back(), 14 * 70 + 30);
}

// A job whose nodes are asked for again and again, with or without an instance that boots in the end.
TEST(SimulatedWorld, EndsARunInWhichInstancesAreAskedForInVainForTheStallLimit) {
  for (const bool boots : {false, true}) {
    Workload workload;
    workload.jobs.emplace_back().run_time = kMinute;
    SimulatedWorld world(workload, SimulatedCloud({{seconds(10), seconds(400)}}, 1), SameInstant::batched, 0, nullptr,
                         false, {}, kNever, 100 * kSecond);
    News news;
    Commands commands;
    Time last = -1;
    for (Time wake = 0; const std::optional<Time> now = world.wait(wake, news); wake = last + 30 * kSecond) {
      const bool first = last < 0;
      last = *now;
      if (last > kHour) break;
      commands.clear();
      const NodeShare node{NodeId{0}, 0};
      if (first) {
        commands.add(Command::Kind::launch_instances, 0, 0, {&node, 1});
        // In vain: it is given up at once.
        if (!boots) commands.add(Command::Kind::terminate_instances, 0, 0, {&node, 1});
      }
      commands.add(Command::Kind::requeue_job, 0, 0, {});
      world.carry_out(last, commands);
    }
    EXPECT_TRUE(world.out_of_patience()) << "a node that comes up, but starts no job, changes nothing";
    EXPECT_LE(last, 120 * kSecond);
  }
}

}  // namespace
}  // namespace headroom
