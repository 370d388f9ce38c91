#include "models/workload/poisson.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "models/errors.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

constexpr Distribution exponential(double mean) { return {.kind = Distribution::Kind::exponential, .a = mean}; }

PoissonOptions options_with(Distribution run_time) {
  PoissonOptions options;
  options.jobs = 100'000;
  options.mean_interarrival = 50 * kSecond;
  options.run_time = run_time;
  return options;
}

// Counts of arrivals in windows of one kind are Poisson: mean and variance agree, and windows do not depend on each
// other. Bounds are three standard errors.
TEST(Poisson, ArrivesAsAPoissonProcess) {
  const Workload workload = generate_poisson(options_with({}), 1, {}, {});
  ASSERT_EQ(workload.jobs.size(), 100'000u);
  constexpr Time kWindow = 500 * kSecond;  // ten arrivals expected
  std::vector<double> counts;
  for (const WorkloadJob& job : workload.jobs) {
    counts.resize(static_cast<std::size_t>(job.request.submit / kWindow) + 1);
    ++counts.back();
  }
  counts.pop_back();  // the last window is cut
  const auto n = static_cast<double>(counts.size());
  double sum = 0;
  double squares = 0;
  double neighbours = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    sum += counts[i];
    squares += (counts[i] - 10) * (counts[i] - 10);
    if (i > 0) neighbours += (counts[i] - 10) * (counts[i - 1] - 10);
  }
  EXPECT_NEAR(sum / n, 10, 3 * std::sqrt(10 / n));
  EXPECT_NEAR(squares / n, 10, 3 * std::sqrt((2 * 100 + 10) / n));
  EXPECT_NEAR(neighbours / n, 0, 3 * 10 / std::sqrt(n));
}

TEST(Poisson, RunsToTheMicrosecondAndIsNeverKilled) {
  PoissonOptions options = options_with(exponential(100));
  options.processors_per_job = 3;
  for (const double factor : {1.0, 2.5}) {
    options.estimate_factor = factor;
    const Workload workload = generate_poisson(options, 1, {}, {});
    double sum = 0;
    int whole_seconds = 0;
    for (const WorkloadJob& job : workload.jobs) {
      ASSERT_GE(job.request.limit, job.run_time);
      ASSERT_GE(job.request.limit, kMinute);
      ASSERT_LT(static_cast<double>(job.request.limit),
                static_cast<double>(job.run_time) * factor + static_cast<double>(kMinute) + 1);
      ASSERT_EQ(job.request.limit % kMinute, 0);
      ASSERT_EQ(job.request.cores, 3);
      sum += static_cast<double>(job.run_time) / static_cast<double>(kSecond);
      whole_seconds += job.run_time % kSecond == 0 ? 1 : 0;
    }
    EXPECT_NEAR(sum / 1e5, 100, 3 * 100 / std::sqrt(1e5));
    EXPECT_LT(whole_seconds, 10);
    EXPECT_TRUE(workload.adjustments.empty());
  }
}

TEST(Poisson, DrawsArrivalsAndRunTimesFromStreamsOfTheirOwn) {
  const Workload a = generate_poisson(options_with(exponential(100)), 1, {}, {});
  const Workload b = generate_poisson(options_with({Distribution::Kind::uniform, 1, 9}), 1, {}, {});
  PoissonOptions faster = options_with(exponential(100));
  faster.load_factor = 2;
  const Workload c = generate_poisson(faster, 1, {}, {});
  const Workload d = generate_poisson(options_with(exponential(100)), 2, {}, {});
  for (std::size_t j = 0; j < 1000; ++j) {
    ASSERT_EQ(a.jobs[j].request.submit, b.jobs[j].request.submit);
    ASSERT_EQ(a.jobs[j].run_time, c.jobs[j].run_time);
    ASSERT_NEAR(static_cast<double>(a.jobs[j].request.submit), 2 * static_cast<double>(c.jobs[j].request.submit), 1e4);
    ASSERT_NE(a.jobs[j].request.submit, d.jobs[j].request.submit);
    ASSERT_NE(a.jobs[j].run_time, d.jobs[j].run_time);
  }
}

TEST(Poisson, DrawsUsersByTheirWeights) {
  PoissonOptions options = options_with(exponential(100));
  const Workload nobody = generate_poisson(options, 1, {}, {});
  options.users = {{"ada", 5}, {"bob", 3}, {"cid", 2}};
  const Workload workload = generate_poisson(options, 1, {}, {});
  EXPECT_EQ(workload.user_names, (std::vector<std::string>{"ada", "bob", "cid"}));
  double counts[3] = {};
  for (std::size_t j = 0; j < workload.jobs.size(); ++j) {
    ++counts[workload.jobs[j].request.user];
    ASSERT_EQ(workload.jobs[j].request.submit, nobody.jobs[j].request.submit) << "a stream of their own";
    ASSERT_EQ(workload.jobs[j].run_time, nobody.jobs[j].run_time);
  }
  // Three standard errors.
  const auto n = static_cast<double>(workload.jobs.size());
  for (std::size_t u = 0; u < 3; ++u) {
    const double p = options.users[u].second / 10;
    EXPECT_NEAR(counts[u] / n, p, 3 * std::sqrt(p * (1 - p) / n)) << u;
  }
}

TEST(Poisson, IsReadFromAScenario) {
  const std::string text = R"({
    "pool": {"processors": 8}, "seed": 7,
    "workload": {"generator": "poisson", "jobCount": 50, "meanInterarrival": "90s", "loadFactor": 1.5,
                 "runTime": {"exponential": "2m"}, "processorsPerJob": 4, "estimateFactor": 3,
                 "map": {"processorsPerUnit": 2}}
  })";
  const Scenario scenario = parse_scenario(text, "s.json");
  const PoissonOptions& options = scenario.workload.poisson;
  EXPECT_EQ(options.jobs, 50u);
  EXPECT_EQ(options.mean_interarrival, 90 * kSecond);
  EXPECT_EQ(options.run_time, exponential(120));
  const Design design = make_design(scenario);
  const Workload workload = load_workload(scenario, design);
  const Workload expected = generate_poisson(options, 7, scenario.workload.map, design.queue_names);
  ASSERT_EQ(workload.jobs.size(), 50u);
  EXPECT_EQ(workload.source, "poisson");
  for (std::size_t j = 0; j < 50; ++j) {
    EXPECT_EQ(workload.jobs[j].number, j + 1);
    EXPECT_EQ(workload.jobs[j].run_time, expected.jobs[j].run_time);
    EXPECT_EQ(workload.jobs[j].request.submit, expected.jobs[j].request.submit);
    EXPECT_EQ(workload.jobs[j].request.cores, 2);
  }
  ScenarioOverrides few;
  few.max_jobs = 3;
  const Scenario cut = parse_scenario(text, "s.json", few);
  EXPECT_EQ(load_workload(cut, make_design(cut)).jobs.size(), 3u);
}

TEST(Poisson, TellsWhatItCannotDo) {
  PoissonOptions options = options_with({.kind = Distribution::Kind::constant, .a = 1e9});
  options.jobs = 2;
  const Workload killed = generate_poisson(options, 1, {}, {});
  ASSERT_EQ(killed.adjustments.size(), 1u);
  EXPECT_EQ(killed.adjustments[0].jobs, 2u);
  EXPECT_EQ(killed.jobs[0].request.limit, kLongestRequest);

  options.load_factor = 1e-300;
  try {
    generate_poisson(options, 1, {}, {});
    FAIL() << "expected InputError";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(),
                 "workload.meanInterarrival: job 1 arrives more than 10^10 s after the start; expected shorter gaps or "
                 "fewer jobs");
  }
}

}  // namespace
}  // namespace headroom
