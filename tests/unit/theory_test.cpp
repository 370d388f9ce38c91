#include "models/check/theory.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "models/errors.hpp"
#include "models/simulation.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

constexpr Distribution exponential(double mean) { return {.kind = Distribution::Kind::exponential, .a = mean}; }

TheorySystem system_of(std::int32_t servers, double mean_interarrival_s, const Distribution& run_time) {
  TheorySystem system;
  system.name = "queue";
  system.servers = servers;
  system.workload.mean_interarrival = std::llround(mean_interarrival_s * static_cast<double>(kSecond));
  system.workload.run_time = run_time;
  return system;
}

// Published tables of Erlang B have these loads at one lost call in a hundred, for so many lines.
TEST(ErlangB, HasThePublishedTablesLoads) {
  EXPECT_NEAR(erlang_b(1, 0.0101), 0.01, 0.00001);
  EXPECT_NEAR(erlang_b(2, 0.153), 0.01, 0.0001);
  EXPECT_NEAR(erlang_b(10, 4.46), 0.01, 0.0001);
  EXPECT_NEAR(erlang_b(20, 12.03), 0.01, 0.0001);
  EXPECT_NEAR(erlang_b(100, 84.1), 0.01, 0.0001);
}

TEST(ErlangC, HasItsClosedFormsForOneAndTwoServers) {
  for (const double load : {0.01, 0.3, 0.5, 0.9, 0.999}) {
    EXPECT_NEAR(erlang_c(1, load), load, 1e-12);
    EXPECT_NEAR(erlang_c(2, 2 * load), 2 * load * load / (1 + load), 1e-12);
  }
}

// From the sum with factorials, in exact fractions.
TEST(ErlangC, AgreesWithItsDefinitionInExactFractions) {
  struct Known {
    std::int32_t servers;
    double offered;
    double probability;
  };
  for (const Known& k :
       {Known{4, 3.2, 0.5964324717874044}, Known{10, 8, 0.40918015079644354}, Known{32, 16, 0.000291057991747951},
        Known{32, 28.8, 0.45819662150674734}, Known{100, 90, 0.2169404809063664}, Known{1000, 950, 0.06825341537714143},
        Known{1000, 990, 0.6590804218808545}, Known{5000, 4950, 0.36609821942272347}}) {
    EXPECT_NEAR(erlang_c(k.servers, k.offered), k.probability, 1e-11 * k.probability) << k.servers;
  }
}

// With offered = a and a + b sqrt(a) servers, the probability tends to 1 / (1 + b Phi(b) / phi(b)) (S. Halfin, W.
// Whitt, "Heavy-traffic limits for queues with many exponential servers", Operations Research 29(3), 1981).
TEST(ErlangC, TendsToTheLimitOfManyServers) {
  for (const double b : {0.25, 0.5, 1.0, 2.0}) {
    const double phi = std::exp(-b * b / 2) / std::sqrt(2 * 3.14159265358979323846);
    const double cumulative = std::erfc(-b / std::sqrt(2.0)) / 2;
    EXPECT_NEAR(erlang_c(1'000'000 + static_cast<std::int32_t>(1000 * b), 1e6), 1 / (1 + b * cumulative / phi), 1e-3);
  }
}

// The eye clinic of D. Gross and C. M. Harris, Fundamentals of Queueing Theory: three doctors, six patients an hour, 20
// minutes each. Nobody is there a ninth of the time, 8/9 patients wait in the mean, for 4/27 hours.
TEST(MmcTheory, HasTheEyeClinicsNumbers) {
  const QueueTheory clinic = mmc_theory(3, 6 / 3600.0, 1200);
  EXPECT_NEAR(clinic.wait_probability, 4.0 / 9, 1e-12);
  EXPECT_NEAR(clinic.mean_waiting, 8.0 / 9, 1e-12);
  EXPECT_NEAR(clinic.mean_wait_s, 4.0 / 27 * 3600, 1e-9);
}

// The emergency room of F. S. Hillier and G. J. Lieberman, Introduction to Operations Research: two patients an hour,
// three an hour and doctor. With one doctor 4/3 wait for 2/3 hours, with two 1/12 for 1/24.
TEST(MmcTheory, HasTheEmergencyRoomsNumbers) {
  const QueueTheory one = mmc_theory(1, 2 / 3600.0, 1200);
  EXPECT_NEAR(one.mean_waiting, 4.0 / 3, 1e-12);
  EXPECT_NEAR(one.mean_wait_s, 2.0 / 3 * 3600, 1e-9);
  const QueueTheory two = mmc_theory(2, 2 / 3600.0, 1200);
  EXPECT_NEAR(two.wait_probability, 1.0 / 6, 1e-12);
  EXPECT_NEAR(two.mean_waiting, 1.0 / 12, 1e-12);
  EXPECT_NEAR(two.mean_wait_s, 1.0 / 24 * 3600, 1e-9);
}

// L. Kleinrock, Queueing Systems, vol. 1, section 5.6: the wait is the load / (1 - load) mean service times of M/M/1
// times (1 + squared coefficient of variation) / 2; M/D/1 has half of M/M/1's.
TEST(Mg1Theory, StretchesTheWaitByTheVariationOfService) {
  for (const double load : {0.1, 0.5, 0.8, 0.95}) {
    const double single = load / (1 - load) * 100;
    EXPECT_NEAR(mg1_theory(load / 100, 100, 2 * 100 * 100).mean_wait_s, mmc_theory(1, load / 100, 100).mean_wait_s,
                1e-9);
    EXPECT_NEAR(mg1_theory(load / 100, 100, 2 * 100 * 100).mean_wait_s, single, 1e-9);
    EXPECT_NEAR(mg1_theory(load / 100, 100, 100 * 100).mean_wait_s, single / 2, 1e-9);
    EXPECT_NEAR(mg1_theory(load / 100, 100, (1 + 2.25) * 100 * 100).mean_wait_s, single * 3.25 / 2, 1e-9);
    EXPECT_NEAR(mg1_theory(load / 100, 100, 100 * 100).wait_probability, load, 1e-12);
  }
}

TEST(Theory, TakesTheMomentsOfEachDistribution) {
  EXPECT_NEAR(theory_of(system_of(1, 125, exponential(100))).mean_wait_s, 400, 1e-9);
  EXPECT_NEAR(theory_of(system_of(4, 31.25, exponential(100))).mean_wait_s, 74.554, 1e-3);
  EXPECT_NEAR(theory_of(system_of(1, 125, {Distribution::Kind::constant, 100})).mean_wait_s, 200, 1e-9);
  EXPECT_NEAR(theory_of(system_of(1, 125, {Distribution::Kind::lognormal, 100, 150})).mean_wait_s, 650, 1e-9);
  EXPECT_NEAR(theory_of(system_of(1, 125, {Distribution::Kind::uniform, 0, 200})).mean_wait_s, 400 * 2.0 / 3, 1e-9);
  EXPECT_NEAR(theory_of(system_of(1, 125, {Distribution::Kind::uniform, 50, 150})).mean_wait_s,
              400 * (1 + 1 / 12.0) / 2, 1e-9);
  EXPECT_NEAR(theory_of(system_of(1, 125, {Distribution::Kind::weibull, 100, 1})).mean_wait_s, 400, 1e-9);
  const double rayleigh = 50 * std::sqrt(3.14159265358979323846);  // mean of shape 2
  EXPECT_NEAR(theory_of(system_of(1, 125, {Distribution::Kind::weibull, 100, 2})).mean_wait_s,
              10'000 / (2 * (125 - rayleigh)), 1e-9);
  TheorySystem busier = system_of(1, 250, exponential(100));
  busier.workload.load_factor = 2;
  EXPECT_NEAR(theory_of(busier).mean_wait_s, 400, 1e-9);
}

std::string refusal(const TheorySystem& system) {
  try {
    theory_of(system);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Theory, RefusesWhatHasNoFormula) {
  EXPECT_EQ(refusal(system_of(1, 100, exponential(100))), "queue: no formula for a load of 1 or more");
  EXPECT_EQ(refusal(system_of(4, 20, exponential(100))), "queue: no formula for a load of 1 or more");
  EXPECT_EQ(refusal(system_of(2, 80, {Distribution::Kind::constant, 100})),
            "queue: no formula for several servers whose run times are not exponential");
  EXPECT_EQ(refusal(system_of(1, 125, {Distribution::Kind::lognormal, 100, 80, 60, 150})),
            "queue: no formula for log-normal run times that are cut to a range");
  TheorySystem wide = system_of(4, 125, exponential(100));
  wide.workload.processors_per_job = 2;
  EXPECT_EQ(refusal(wide), "queue: no formula for jobs of several servers");
}

// Three replications, worked out by hand. Student's t has a closed quantile for two degrees of freedom:
// x sqrt(2 / (1 - x^2)) at the two-sided level x.
TEST(TheoryCheck, GivesStudentsIntervalOverItsReplications) {
  const TheorySystem queue = system_of(2, 70, exponential(100));
  double waits[3] = {};
  double waiters[3] = {};
  for (std::uint64_t r = 0; r < 3; ++r) {
    Scenario scenario;
    scenario.seed = 40 + r;
    scenario.pool = PoolDesign{2};
    scenario.scheduler.policy = "fcfs";
    scenario.workload.source = WorkloadOptions::Source::poisson;
    scenario.workload.poisson = queue.workload;
    scenario.workload.poisson.jobs = 2000;
    const Design design = make_design(scenario);
    const SimulationResult result = simulate(scenario, design, load_workload(scenario, design));
    for (std::size_t j = 200; j < 2000; ++j) {
      const JobRecord& job = result.record.jobs()[j];
      waits[r] += static_cast<double>(job.start - job.request.submit) / 1e6 / 1800;
      waiters[r] += job.start > job.request.submit ? 1.0 / 1800 : 0.0;
    }
  }
  TheoryOptions options;
  options.replications = 3;
  options.jobs = 2000;
  options.first_seed = 40;
  const TheoryReport report = check_theory({queue}, options);
  ASSERT_EQ(report.rows.size(), 3u);
  EXPECT_EQ(report.jobs, 6000u);
  EXPECT_NEAR(report.row_confidence, 1 - 0.01 / 3, 1e-12);
  const double level = 1 - 0.01 / 3;
  const double quantile = level * std::sqrt(2 / (1 - level * level));
  const auto check = [&](const Comparison& row, const double(&samples)[3]) {
    const double mean = (samples[0] + samples[1] + samples[2]) / 3;
    double squares = 0;
    for (const double s : samples) squares += (s - mean) * (s - mean);
    const double half = quantile * std::sqrt(squares / 2 / 3);
    EXPECT_NEAR(row.measured, mean, 1e-9 * mean);
    EXPECT_NEAR(row.low, mean - half, 1e-6 * mean);
    EXPECT_NEAR(row.high, mean + half, 1e-6 * mean);
  };
  EXPECT_EQ(report.rows[0].quantity, "mean wait");
  EXPECT_NEAR(report.rows[0].expected, mmc_theory(2, 1 / 70.0, 100).mean_wait_s, 1e-9);
  check(report.rows[0], waits);
  EXPECT_EQ(report.rows[1].quantity, "P(wait > 0)");
  check(report.rows[1], waiters);
}

// Queues at moderate load, so that a few thousand jobs tell.
std::vector<TheorySystem> quick_systems() {
  return {system_of(1, 200, exponential(100)), system_of(4, 40, exponential(100)),
          system_of(1, 200, {Distribution::Kind::constant, 100}),
          system_of(1, 200, {Distribution::Kind::uniform, 0, 200})};
}

TheoryOptions quick_options() {
  TheoryOptions options;
  options.replications = 30;
  options.jobs = 10'000;
  return options;
}

TEST(TheoryCheck, AgreesAndSaysSoAgain) {
  const TheoryReport report = check_theory(quick_systems(), quick_options());
  for (const Comparison& row : report.rows) {
    EXPECT_EQ(row.verdict, Verdict::agrees)
        << row.quantity << ": " << row.expected << " in " << row.low << " to " << row.high;
  }
  EXPECT_EQ(overall_verdict(report.rows), Verdict::agrees);
  const TheoryReport again = check_theory({quick_systems()[0]}, quick_options());
  for (std::size_t i = 0; i < again.rows.size(); ++i) EXPECT_EQ(report.rows[i].measured, again.rows[i].measured);
}

TEST(TheoryCheck, FindsRunTimesThatAreAFewPercentOff) {
  for (const double factor : {0.95, 1.05}) {
    TheoryOptions options = quick_options();
    options.run_time_factor = factor;
    const TheoryReport report = check_theory(quick_systems(), options);
    for (const Comparison& row : report.rows) {
      if (row.quantity == "mean wait") {
        EXPECT_EQ(row.verdict, Verdict::differs) << factor;
        EXPECT_EQ(row.measured > row.expected, factor > 1);
      }
    }
    EXPECT_EQ(overall_verdict(report.rows), Verdict::differs);
  }
}

TEST(TheoryCheck, SaysNothingOnTooFewJobs) {
  TheoryOptions options;
  // An interval wider than a tenth.
  options.replications = 4;
  options.jobs = 2000;
  EXPECT_EQ(overall_verdict(check_theory({system_of(1, 200, exponential(100))}, options).rows), Verdict::inconclusive);
  // A warm-up that is over before the queue has filled: without that rule the mean wait would differ from theory's.
  options.replications = 1000;
  options.jobs = 1000;
  const TheoryReport cold = check_theory({system_of(1, 100 / 0.95, exponential(100))}, options);
  EXPECT_LT(cold.rows[0].high, cold.rows[0].expected);
  EXPECT_EQ(overall_verdict(cold.rows), Verdict::inconclusive);
  // Next to nobody waits.
  options.replications = 10;
  EXPECT_EQ(overall_verdict(check_theory({system_of(20, 20, exponential(100))}, options).rows), Verdict::inconclusive);
  EXPECT_EQ(overall_verdict({}), Verdict::inconclusive);
}

// Every system of the command keeps the rules of the check with the jobs it has by default.
TEST(TheoryCheck, HasSystemsOfSeveralLoadsAndServers) {
  std::size_t systems[3] = {};
  for (const TheorySystem& system : theory_systems()) {
    EXPECT_GT(theory_of(system).mean_wait_s, 0);
    EXPECT_EQ(system.name.substr(system.name.rfind(' ') + 1), std::to_string(system.load()).substr(0, 3));
    systems[system.servers == 1 ? 0 : system.servers == 4 ? 1 : 2] += 1;
  }
  EXPECT_EQ(systems[0], 12u);
  EXPECT_EQ(systems[1], 3u);
  EXPECT_EQ(systems[2], 2u);
}

// scenarios/README.md and their descriptions say these means.
TEST(ShippedQueues, HaveTheMeanWaitsOfTheory) {
  for (const auto& [name, mean_wait_s] :
       {std::pair{"mm1", 400.0}, std::pair{"mmc", 74.55}, std::pair{"md1", 200.0}, std::pair{"mg1", 650.0}}) {
    const Scenario scenario = load_scenario(std::string(HEADROOM_SOURCE_DIR "/scenarios/") + name + ".json");
    EXPECT_EQ(scenario.scheduler.policy, "fcfs");
    ASSERT_EQ(scenario.workload.source, WorkloadOptions::Source::poisson);
    const TheorySystem system{name, scenario.pool.value().processors, scenario.workload.poisson};
    EXPECT_NEAR(theory_of(system).mean_wait_s, mean_wait_s, 0.005);
    TheoryOptions options;
    options.jobs = 15'000;
    EXPECT_EQ(overall_verdict(check_theory({system}, options).rows), Verdict::agrees) << name;
  }
}

}  // namespace
}  // namespace headroom
