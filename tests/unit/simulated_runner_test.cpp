#include "models/execution/simulated_runner.hpp"

#include <gtest/gtest.h>

#include "models/workload/load.hpp"

namespace headroom {
namespace {

// One runner, driven by hand; seconds.
class RunnerBench {
 public:
  Workload workload;
  EventQueue events;

  void job(std::int64_t run_s, std::int64_t checkpoint_s, std::int64_t limit_s = 1'000'000) {
    WorkloadJob& job = workload.jobs.emplace_back();
    job.run_time = run_s * kSecond;
    job.request.limit = limit_s * kSecond;
    job.checkpoint_interval = checkpoint_s * kSecond;
  }
  SimulatedRunner make(bool kills_at_limit = true) const { return {workload, kills_at_limit}; }
  // The next end that stands, in seconds, which is told; -1: none.
  std::int64_t next(SimulatedRunner& runner) {
    while (!events.empty()) {
      const Time time = events.next_time();
      const JobId job{events.next().subject};
      const bool stands = runner.stands(job, time);
      if (stands) outcome = static_cast<Outcome>(events.next().detail);
      events.pop();
      if (!stands) continue;
      runner.told(job, time);
      return time / kSecond;
    }
    return -1;
  }
  Outcome outcome{};
};

constexpr JobId kJob{0};

TEST(SimulatedRunner, BeginsAnewWithoutCheckpoints) {
  RunnerBench b;
  b.job(100, 0);
  SimulatedRunner runner = b.make();
  runner.start(kJob, 0, b.events);
  runner.lose(kJob, 99 * kSecond);
  EXPECT_EQ(runner.saved(kJob), 0);
  runner.start(kJob, 200 * kSecond, b.events);
  EXPECT_EQ(b.next(runner), 300) << "and the end at 100 s was overtaken";
  EXPECT_EQ(b.next(runner), -1);
}

TEST(SimulatedRunner, GoesOnFromTheLastWholeInterval) {
  RunnerBench b;
  b.job(100, 30);
  b.job(100, 0);
  SimulatedRunner runner = b.make();
  runner.start(kJob, 0, b.events);
  runner.lose(kJob, 65 * kSecond);
  EXPECT_EQ(runner.saved(kJob), 60 * kSecond);
  runner.start(kJob, 200 * kSecond, b.events);
  runner.lose(kJob, 229 * kSecond);
  EXPECT_EQ(runner.saved(kJob), 60 * kSecond) << "29 s more are not enough for the next one";
  runner.start(kJob, 300 * kSecond, b.events);
  EXPECT_EQ(b.next(runner), 340);
  EXPECT_EQ(b.outcome, Outcome::completed);
  EXPECT_EQ(b.next(runner), -1);
}

TEST(SimulatedRunner, KeepsACheckpointThatIsJustWritten) {
  RunnerBench b;
  b.job(100, 30);
  SimulatedRunner runner = b.make();
  runner.start(kJob, 0, b.events);
  runner.lose(kJob, 30 * kSecond);
  runner.lose(kJob, 50 * kSecond);
  EXPECT_EQ(runner.saved(kJob), 30 * kSecond) << "lost at 30 s; that it is requeued at 50 s adds nothing";
}

TEST(SimulatedRunner, GivesEachStartItsWholeLimit) {
  RunnerBench b;
  b.job(100, 10, 45);
  SimulatedRunner runner = b.make();
  runner.start(kJob, 0, b.events);
  runner.lose(kJob, 40 * kSecond);
  runner.start(kJob, 50 * kSecond, b.events);
  EXPECT_EQ(b.next(runner), 95);
  EXPECT_EQ(b.outcome, Outcome::timed_out);
  runner.start(kJob, 100 * kSecond, b.events);
  EXPECT_EQ(b.next(runner), 120) << "somebody requeued it; 80 of 100 s were done";
  EXPECT_EQ(b.outcome, Outcome::completed);
}

TEST(SimulatedRunner, SavesWhatWasDoneWhenTheJobIsToldToStop) {
  RunnerBench b;
  b.job(100, 30);
  b.workload.jobs[0].stop_time = 25 * kSecond;
  SimulatedRunner runner = b.make(false);
  runner.start(kJob, 0, b.events);
  runner.stop(kJob, Outcome::preempted, 70 * kSecond, b.events);
  EXPECT_EQ(b.next(runner), 95);
  EXPECT_EQ(b.outcome, Outcome::preempted);
  EXPECT_EQ(runner.saved(kJob), 60 * kSecond);
  runner.start(kJob, 100 * kSecond, b.events);
  EXPECT_EQ(b.next(runner), 140);
}

TEST(SimulatedRunner, RunsAJobThatIsThroughAnewFromTheBeginning) {
  RunnerBench b;
  b.job(100, 30);
  SimulatedRunner runner = b.make();
  runner.start(kJob, 0, b.events);
  EXPECT_EQ(b.next(runner), 100);
  runner.start(kJob, 500 * kSecond, b.events);
  EXPECT_EQ(b.next(runner), 600);
}

// A job that is interrupted again and again: it works through its run time once, and each interruption repeats what
// came after the last checkpoint.
TEST(SimulatedRunner, RepeatsOnlyWhatWasNotSaved) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Substream stream(seed, Purpose::property_suite, 17);
    RunnerBench b;
    const auto run_s = static_cast<std::int64_t>(1 + stream.below(500));
    const auto interval_s = static_cast<std::int64_t>(stream.below(120));
    b.job(run_s, interval_s);
    SimulatedRunner runner = b.make();
    std::int64_t now = 0;
    std::int64_t saved = 0;
    for (std::uint64_t i = stream.below(10); i > 0; --i) {
      runner.start(kJob, now * kSecond, b.events);
      const auto worked = static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(run_s - saved)));
      now += worked;
      runner.lose(kJob, now * kSecond);
      if (interval_s > 0) saved = (saved + worked) / interval_s * interval_s;
      ASSERT_EQ(runner.saved(kJob), saved * kSecond) << seed;
      now += static_cast<std::int64_t>(stream.below(100));
    }
    runner.start(kJob, now * kSecond, b.events);
    EXPECT_EQ(b.next(runner), now + run_s - saved) << seed;
    EXPECT_EQ(b.next(runner), -1) << seed;
  }
}

TEST(SimulatedRunner, TakesLongerWhereNodesAreFarApart) {
  RunnerBench b;
  b.job(100, 0);
  SimulatedRunner runner = b.make();
  runner.start(kJob, 0, b.events, 1.25);
  EXPECT_EQ(b.next(runner), 125);
  EXPECT_EQ(b.outcome, Outcome::completed);
  runner.start(kJob, 200 * kSecond, b.events);
  EXPECT_EQ(b.next(runner), 300) << "it was through, and begins anew elsewhere";
}

TEST(SimulatedRunner, KillsAtTheLimitWhatWouldHaveFittedInElsewhere) {
  RunnerBench b;
  b.job(100, 0, 110);
  SimulatedRunner runner = b.make();
  runner.start(kJob, 0, b.events, 1.2);
  EXPECT_EQ(b.next(runner), 110);
  EXPECT_EQ(b.outcome, Outcome::timed_out);
  SimulatedRunner patient = b.make(false);
  patient.start(kJob, 0, b.events, 1.2);
  EXPECT_EQ(b.next(patient), 120) << "where the policy keeps time, it runs until it is told";
}

// A slow placement saves less in an hour.
TEST(SimulatedRunner, SavesWorkInReferenceRunTime) {
  RunnerBench b;
  b.job(100, 10);
  SimulatedRunner runner = b.make();
  runner.start(kJob, 0, b.events, 2);
  runner.lose(kJob, 50 * kSecond);
  EXPECT_EQ(runner.saved(kJob), 20 * kSecond) << "25 s of work were done";
  runner.start(kJob, 100 * kSecond, b.events, 1.5);
  EXPECT_EQ(b.next(runner), 100 + 120);
  EXPECT_EQ(runner.saved(kJob), 0);
}

// Whatever the stretch: a job that ran until its end is through, and what is done never exceeds what is left.
TEST(SimulatedRunner, RoundsNoWorkAway) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Substream stream(seed, Purpose::property_suite, 8);
    RunnerBench b;
    b.job(static_cast<std::int64_t>(stream.below(100'000)) + 1, 1);
    b.workload.jobs[0].run_time += static_cast<Time>(stream.below(kSecond));
    const Time run_time = b.workload.jobs[0].run_time;
    SimulatedRunner runner = b.make();
    const double stretch = 0.5 + 10 * stream.uniform();
    runner.start(kJob, 0, b.events, stretch);
    runner.lose(kJob, static_cast<Time>(stream.uniform() * stretch * static_cast<double>(run_time)));
    const Time saved = runner.saved(kJob);
    ASSERT_LT(saved, run_time);
    runner.start(kJob, 0, b.events, stretch);
    b.next(runner);
    EXPECT_EQ(runner.saved(kJob), 0) << "seed " << seed;
    const auto expected = static_cast<double>(run_time - saved) * stretch;
    runner.start(kJob, 0, b.events, stretch);
    runner.lose(kJob, static_cast<Time>(std::llround(expected)) - kSecond / 2);
    EXPECT_LE(runner.saved(kJob), run_time);
  }
}

TEST(SimulatedRunner, OutlivesNoClock) {
  RunnerBench b;
  b.job(kLongestRequest / kSecond, 0);
  SimulatedRunner runner = b.make(false);
  runner.start(kJob, 0, b.events, 1e30);
  EXPECT_EQ(b.next(runner), 100 * (kLongestRequest / kSecond));
}

TEST(SimulatedRunner, TakesTheCheckpointsOfTheScenario) {
  const std::string text = R"({"pool": {"processors": 4}, "workload": {"checkpointInterval": "10m",
    "jobs": [{"runTime": 5}, {"runTime": 5, "checkpointInterval": 90}, {"runTime": 5, "checkpointInterval": 0}]}})";
  const Scenario scenario = parse_scenario(text, "s.json");
  const Workload workload = load_workload(scenario, make_design(scenario));
  ASSERT_EQ(workload.jobs.size(), 3u);
  EXPECT_EQ(workload.jobs[0].checkpoint_interval, 10 * kMinute);
  EXPECT_EQ(workload.jobs[1].checkpoint_interval, 90 * kSecond);
  EXPECT_EQ(workload.jobs[2].checkpoint_interval, 0);

  const std::string drawn = R"({"pool": {"processors": 4}, "workload": {"generator": "poisson", "jobCount": 2,
    "meanInterarrival": 60, "runTime": 60, "checkpointInterval": 7}})";
  const Scenario random = parse_scenario(drawn, "s.json");
  for (const WorkloadJob& job : load_workload(random, make_design(random)).jobs) {
    EXPECT_EQ(job.checkpoint_interval, 7 * kSecond);
  }
}

}  // namespace
}  // namespace headroom
