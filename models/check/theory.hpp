// Queueing theory as an oracle: queues that have a formula, simulated many times over and compared with it. Hides the
// formulas, how the simulation is sampled and what counts as agreement (docs/theory.md says it in words).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/check/comparison.hpp"
#include "models/scenario/scenario.hpp"

namespace headroom {

// --- The formulas ---

// Probability that all of `servers` are busy at an arrival that is then lost (A. K. Erlang, 1917). `offered` is the
// arrival rate times the mean service time, > 0. Stable for any number of servers: a recursion without factorials.
double erlang_b(std::int32_t servers, double offered);
// The same when arrivals wait in one queue, offered < servers: P(wait > 0) in M/M/c (Erlang 1917).
double erlang_c(std::int32_t servers, double offered);

struct QueueTheory {
  double wait_probability = 0;
  double mean_wait_s = 0;
  double mean_waiting = 0;  // jobs in the queue, by Little's law
};

// M/M/c. Rates in 1/s, times in s; the load must be below 1.
QueueTheory mmc_theory(std::int32_t servers, double arrival_rate, double mean_service);
// M/G/1 by the first two moments of the service time (Pollaczek 1930, Khinchine 1932).
QueueTheory mg1_theory(double arrival_rate, double mean_service, double mean_square_service);

// --- The check ---

// A queue to simulate: `servers` processors under FCFS, one for each job.
struct TheorySystem {
  std::string name;
  std::int32_t servers = 1;
  PoissonOptions workload;

  double load() const;  // share of the servers' time that is asked for
};

// What theory says of it. Throws InputError where there is no formula: jobs of several processors, a load of 1 or more,
// several servers whose service time is not exponential, log-normal run times that are cut to a range.
QueueTheory theory_of(const TheorySystem& system);

// M/M/1, M/M/4, M/M/32, M/D/1 and M/G/1 (log-normal, uniform) at loads up to 0.9.
std::vector<TheorySystem> theory_systems();

struct TheoryOptions {
  std::uint64_t replications = 40;  // at least 2
  std::uint64_t jobs = 0;           // of each replication; 0: TheorySystem::workload.jobs
  std::uint64_t first_seed = 1;
  double run_time_factor = 1;  // simulated run times are so many times as long as theory is told
};

struct TheoryReport {
  std::vector<Comparison> rows;
  std::uint64_t jobs = 0;      // simulated in all
  double confidence = 0;       // that all intervals hold what they should at once
  double row_confidence = 0;   // of each one
  double widest_interval = 0;  // half of it over the expected value: wider ones are inconclusive
};

// Every replication begins with an empty queue and leaves its first tenth of jobs out of account. Throws as theory_of.
TheoryReport check_theory(const std::vector<TheorySystem>& systems, const TheoryOptions& options);

}  // namespace headroom
