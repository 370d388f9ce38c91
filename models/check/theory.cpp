#include "models/check/theory.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <boost/math/distributions/students_t.hpp>
#include <fmt/format.h>

#include "models/errors.hpp"
#include "models/simulation.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

constexpr double kSeconds = static_cast<double>(kSecond);

// All intervals of a report hold with this probability at once; each gets an equal part of the rest (Bonferroni).
constexpr double kConfidence = 0.99;
constexpr double kWidestInterval = 0.1;
// The first tenth of a replication is its warm-up. It has to be so many times as long as the queue takes to forget that
// it began empty: what is left of the beginning is then below e^-5, and only in the first of the jobs that count.
constexpr std::uint64_t kWarmUpShare = 10;
constexpr double kRelaxationTimes = 5;
// So few jobs that wait in a replication make its means too skewed for Student's t.
constexpr double kFewestWaits = 100;

struct Moments {
  double mean = 0;
  double mean_square = 0;
  double squared_variation() const { return mean_square / (mean * mean) - 1; }
};

Moments moments_of(const Distribution& law, const std::string& name) {
  switch (law.kind) {
    case Distribution::Kind::constant:
      return {law.a, law.a * law.a};
    case Distribution::Kind::uniform:
      return {(law.a + law.b) / 2, (law.a * law.a + law.a * law.b + law.b * law.b) / 3};
    case Distribution::Kind::exponential:
      return {law.a, 2 * law.a * law.a};
    case Distribution::Kind::lognormal:
      if (law.minimum > 0 || law.maximum < Distribution{}.maximum) {
        throw InputError(name + ": no formula for log-normal run times that are cut to a range");
      }
      return {law.a, law.a * law.a + law.b * law.b};
    case Distribution::Kind::weibull:
      return {law.a * std::tgamma(1 + 1 / law.b), law.a * law.a * std::tgamma(1 + 2 / law.b)};
  }
  return {};
}

double arrival_rate(const PoissonOptions& workload) {
  return workload.load_factor * kSeconds / static_cast<double>(workload.mean_interarrival);
}

// Jobs that arrive while the queue forgets what it was: its relaxation time 1 / (mu (1 - sqrt(load))^2) in M/M/1 (J. W.
// Cohen, The Single Server Queue, 1982), stretched as Pollaczek and Khinchine stretch the wait, and one round of all
// servers.
double relaxation_jobs(const TheorySystem& system) {
  const double load = system.load();
  const double gap = 1 - std::sqrt(load);
  const double variation = moments_of(system.workload.run_time, system.name).squared_variation();
  return system.servers * load + (1 + variation) / 2 * load / (gap * gap);
}

// What one replication gives, in the order of kQuantities.
struct Quantity {
  const char* name;
  const char* unit;
  double QueueTheory::*expected;
};
constexpr Quantity kQuantities[] = {{"mean wait", "s", &QueueTheory::mean_wait_s},
                                    {"P(wait > 0)", "", &QueueTheory::wait_probability},
                                    {"mean waiting", "jobs", &QueueTheory::mean_waiting}};
constexpr std::size_t kQuantityCount = std::size(kQuantities);
using Sample = std::array<double, kQuantityCount>;

// Jobs count from the end of the warm-up on. The mean number of waiting jobs does not come from their waits but from
// who waits between the first and the last arrival that counts, whichever job it is: so Little's law is tried, not
// assumed.
Sample sample_of(const RunRecord& record, std::size_t warm_up) {
  const std::vector<JobRecord>& jobs = record.jobs();
  const Time from = jobs[warm_up].request.submit;
  const Time until = jobs.back().request.submit;
  Time waits = 0;
  Time waited_within = 0;
  std::uint64_t waiting = 0;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    const Time submit = jobs[j].request.submit;
    const Time start = jobs[j].start;
    ensure(jobs[j].state == JobState::completed, "every job of a queue runs to its end");
    waited_within += std::max<Time>(0, std::min(start, until) - std::max(submit, from));
    if (j < warm_up) continue;
    waits += start - submit;
    waiting += start > submit ? 1 : 0;
  }
  const auto counted = static_cast<double>(jobs.size() - warm_up);
  return {static_cast<double>(waits) / counted / kSeconds, static_cast<double>(waiting) / counted,
          static_cast<double>(waited_within) / static_cast<double>(std::max<Time>(1, until - from))};
}

Distribution scaled(Distribution law, double factor) {
  law.a *= factor;
  law.b *= factor;
  return law;
}

// One queue, simulated as any scenario is.
std::vector<Sample> replicate(const TheorySystem& system, const TheoryOptions& options, std::uint64_t first_seed) {
  Scenario scenario;
  scenario.pool = PoolDesign{system.servers};
  scenario.scheduler.policy = "fcfs";
  scenario.workload.source = WorkloadOptions::Source::poisson;
  scenario.workload.poisson = system.workload;
  scenario.workload.poisson.run_time = scaled(system.workload.run_time, options.run_time_factor);
  const Design design = make_design(scenario);
  std::vector<Sample> samples;
  for (std::uint64_t r = 0; r < options.replications; ++r) {
    scenario.seed = first_seed + r;
    const Workload workload = load_workload(scenario, design);
    const SimulationResult result = simulate(scenario, design, workload);
    samples.push_back(sample_of(result.record, workload.jobs.size() / kWarmUpShare));
  }
  return samples;
}

Comparison compare(const std::vector<Sample>& samples, std::size_t quantity, double quantile) {
  const auto n = static_cast<double>(samples.size());
  double sum = 0;
  for (const Sample& sample : samples) sum += sample[quantity];
  Comparison row;
  row.measured = sum / n;
  double squares = 0;
  for (const Sample& sample : samples) squares += std::pow(sample[quantity] - row.measured, 2);
  const double half = quantile * std::sqrt(squares / (n - 1) / n);
  row.low = row.measured - half;
  row.high = row.measured + half;
  return row;
}

Verdict verdict_of(const Comparison& row, bool enough) {
  const double half = (row.high - row.low) / 2;
  // No spread at all is no evidence: nothing happened that could vary.
  if (!enough || half <= 0) return Verdict::inconclusive;
  if (row.expected < row.low || row.expected > row.high) return Verdict::differs;
  return half <= kWidestInterval * row.expected ? Verdict::agrees : Verdict::inconclusive;
}

TheorySystem system_at(const std::string& kind, std::int32_t servers, double load, const Distribution& run_time) {
  TheorySystem system;
  system.name = fmt::format("{}, load {}", kind, load);
  system.servers = servers;
  system.workload.run_time = run_time;
  const double mean = moments_of(run_time, kind).mean;
  system.workload.mean_interarrival = std::llround(mean / (load * servers) * kSeconds);
  return system;
}

}  // namespace

double erlang_b(std::int32_t servers, double offered) {
  ensure(servers >= 1 && offered > 0, "Erlang's formulas are for at least one server and some load");
  double blocked = 1;
  for (std::int32_t c = 1; c <= servers; ++c) blocked = offered * blocked / (c + offered * blocked);
  return blocked;
}

double erlang_c(std::int32_t servers, double offered) {
  ensure(offered < servers, "without free servers the queue grows for ever");
  const double blocked = erlang_b(servers, offered);
  return servers * blocked / (servers - offered * (1 - blocked));
}

QueueTheory mmc_theory(std::int32_t servers, double arrival_rate, double mean_service) {
  QueueTheory theory;
  theory.wait_probability = erlang_c(servers, arrival_rate * mean_service);
  theory.mean_wait_s = theory.wait_probability * mean_service / (servers - arrival_rate * mean_service);
  theory.mean_waiting = arrival_rate * theory.mean_wait_s;
  return theory;
}

QueueTheory mg1_theory(double arrival_rate, double mean_service, double mean_square_service) {
  const double load = arrival_rate * mean_service;
  ensure(load < 1, "without free time the queue grows for ever");
  QueueTheory theory;
  theory.wait_probability = load;  // of any work-conserving single server
  theory.mean_wait_s = arrival_rate * mean_square_service / (2 * (1 - load));
  theory.mean_waiting = arrival_rate * theory.mean_wait_s;
  return theory;
}

double TheorySystem::load() const {
  return arrival_rate(workload) * moments_of(workload.run_time, name).mean / servers;
}

QueueTheory theory_of(const TheorySystem& system) {
  const Moments service = moments_of(system.workload.run_time, system.name);
  if (system.workload.processors_per_job != 1)
    throw InputError(system.name + ": no formula for jobs of several servers");
  if (system.load() >= 1) throw InputError(system.name + ": no formula for a load of 1 or more");
  const double rate = arrival_rate(system.workload);
  if (system.workload.run_time.kind == Distribution::Kind::exponential) {
    return mmc_theory(system.servers, rate, service.mean);
  }
  if (system.servers != 1) {
    throw InputError(system.name + ": no formula for several servers whose run times are not exponential");
  }
  return mg1_theory(rate, service.mean, service.mean_square);
}

std::vector<TheorySystem> theory_systems() {
  const Distribution exponential{.kind = Distribution::Kind::exponential, .a = 100};
  const Distribution constant{.kind = Distribution::Kind::constant, .a = 100};
  const Distribution lognormal{.kind = Distribution::Kind::lognormal, .a = 100, .b = 150};
  const Distribution uniform{.kind = Distribution::Kind::uniform, .a = 0, .b = 200};
  struct Kind {
    const char* name;
    std::int32_t servers;
    Distribution run_time;
    std::vector<std::pair<double, std::uint64_t>> loads;  // with the jobs of a replication that make intervals narrow
  };
  // At half load a job in 3400 waits for one of 32 servers: too few to count in seconds.
  const Kind kinds[] = {{"M/M/1", 1, exponential, {{0.5, 10'000}, {0.8, 20'000}, {0.9, 50'000}}},
                        {"M/M/4", 4, exponential, {{0.5, 12'000}, {0.8, 28'000}, {0.9, 60'000}}},
                        {"M/M/32", 32, exponential, {{0.8, 120'000}, {0.9, 110'000}}},
                        {"M/D/1", 1, constant, {{0.5, 5'000}, {0.8, 10'000}, {0.9, 30'000}}},
                        {"M/G/1 log-normal", 1, lognormal, {{0.5, 25'000}, {0.8, 40'000}, {0.9, 90'000}}},
                        {"M/G/1 uniform", 1, uniform, {{0.5, 5'000}, {0.8, 10'000}, {0.9, 25'000}}}};
  std::vector<TheorySystem> systems;
  for (const Kind& kind : kinds) {
    for (const auto& [load, jobs] : kind.loads) {
      systems.push_back(system_at(kind.name, kind.servers, load, kind.run_time));
      systems.back().workload.jobs = jobs;
    }
  }
  return systems;
}

TheoryReport check_theory(const std::vector<TheorySystem>& systems, const TheoryOptions& options) {
  ensure(options.replications >= 2, "a spread takes two replications");
  TheoryReport report;
  report.confidence = kConfidence;
  report.widest_interval = kWidestInterval;
  const double doubt = (1 - kConfidence) / static_cast<double>(systems.size() * kQuantityCount);
  report.row_confidence = 1 - doubt;
  const boost::math::students_t student(static_cast<double>(options.replications - 1));
  const double quantile = boost::math::quantile(boost::math::complement(student, doubt / 2));

  std::uint64_t seed = options.first_seed;
  for (TheorySystem system : systems) {
    const QueueTheory theory = theory_of(system);
    if (options.jobs > 0) system.workload.jobs = options.jobs;
    const std::uint64_t jobs = system.workload.jobs;
    ensure(jobs >= kWarmUpShare, "a replication has jobs to leave out");
    const auto counted = static_cast<double>(jobs - jobs / kWarmUpShare);
    const bool enough = static_cast<double>(jobs / kWarmUpShare) >= kRelaxationTimes * relaxation_jobs(system) &&
                        counted * theory.wait_probability >= kFewestWaits;
    const std::vector<Sample> samples = replicate(system, options, seed);
    seed += options.replications;
    report.jobs += jobs * options.replications;
    for (std::size_t q = 0; q < kQuantityCount; ++q) {
      Comparison row = compare(samples, q, quantile);
      row.subject = system.name;
      row.quantity = kQuantities[q].name;
      row.unit = kQuantities[q].unit;
      row.expected = theory.*(kQuantities[q].expected);
      row.verdict = verdict_of(row, enough);
      report.rows.push_back(std::move(row));
    }
  }
  return report;
}

}  // namespace headroom
