// Whole replays, from the compressed log to the metrics. Each proves its answer before it is timed; jobs/s counts the
// jobs of the workload. Logs are found through HEADROOM_TRACES; without one a benchmark is skipped and says so.
#include <cmath>

#include <benchmark/benchmark.h>

#include "models/errors.hpp"
#include "models/report/summary.hpp"
#include "models/simulation.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

struct Answer {
  std::uint64_t jobs = 0;
  double mean_slowdown = 0;
  std::string digest;
};

Answer replay_once(const Scenario& scenario, const Design& design) {
  const Workload workload = load_workload(scenario, design);
  const SimulationResult result = simulate(scenario, design, workload);
  const Summary summary = summarize(result.record, {scenario, design, workload, result.digest});
  return {summary.jobs.submitted, summary.bounded_slowdown.mean, result.digest};
}

struct Expected {
  std::uint64_t jobs;
  double mean_slowdown;  // published, or 0: the digest below alone
  const char* digest;
};

void replay_scenario(benchmark::State& state, const char* file, const ScenarioOverrides& overrides,
                     const Expected& expected) {
  const Scenario scenario = load_scenario(std::string(HEADROOM_SOURCE_DIR "/scenarios/") + file, overrides);
  const Design design = make_design(scenario);
  Answer first;
  try {
    first = replay_once(scenario, design);
  } catch (const InputError& missing) {
    state.SkipWithError(missing.what());
    return;
  }
  ensure(first.jobs == expected.jobs, "the replay has all jobs");
  ensure(expected.mean_slowdown == 0 || std::abs(first.mean_slowdown - expected.mean_slowdown) < 1e-7,
         "the mean bounded slowdown is the published one");
  ensure(first.digest == expected.digest, ("the digest is the known one, not " + first.digest).c_str());
  for (auto _ : state) benchmark::DoNotOptimize(replay_once(scenario, design));
  state.counters["jobs/s"] = benchmark::Counter(
      static_cast<double>(first.jobs * static_cast<std::uint64_t>(state.iterations())), benchmark::Counter::kIsRate);
}

ScenarioOverrides pool(const char* log, const char* processors, const char* policy = "easy") {
  ScenarioOverrides overrides;
  overrides.set = {
      {"pool.processors", processors}, {"workload.filter.maxProcessors", processors}, {"scheduler.policy", policy}};
  overrides.trace = log;
  return overrides;
}

void kth_easy_pool(benchmark::State& state) {
  replay_scenario(state, "kth-easy-pool.json", {}, {28'481, 92.5765397336, "7bf3f361d5900846"});
}
void ctc_easy_pool(benchmark::State& state) {
  replay_scenario(state, "ctc-easy-pool.json", {}, {77'199, 49.5712902190, "c296611c2ca6700d"});
}
void hpc2n_easy_pool(benchmark::State& state) {
  replay_scenario(state, "kth-easy-pool.json", pool("HPC2N-2002-2.2-cln.swf.zst", "240"),
                  {202'871, 0, "eecc8ba5e2a60f38"});
}
void ricc_easy_pool(benchmark::State& state) {
  replay_scenario(state, "kth-easy-pool.json", pool("RICC-2010-2.swf.zst", "8192"), {447'782, 0, "0c005a4b66eecb9b"});
}
void kth_easy_sjbf_pool(benchmark::State& state) {
  replay_scenario(state, "kth-easy-sjbf-pool.json", {}, {28'481, 69.4054005803, "bbacd6dd2a76048c"});
}
void ctc_easy_plus_plus_pool(benchmark::State& state) {
  replay_scenario(state, "ctc-easy-plus-plus-pool.json", {}, {77'199, 85.7671720641, "5dcbc61f744dfb83"});
}
void kth_conservative_pool(benchmark::State& state) {
  ScenarioOverrides overrides = pool("KTH-SP2-1996-2.swf.zst", "100", "conservative");
  overrides.set.emplace_back("scheduler.sameInstant", "batched");
  replay_scenario(state, "kth-easy-pool.json", overrides, {28'481, 0, "0279dc038c32341c"});
}
void kth_conservative_on_pcs(benchmark::State& state) {
  ScenarioOverrides overrides;
  overrides.set = {{"scheduler.policy", "conservative"}};
  replay_scenario(state, "kth-on-pcs.json", overrides, {28'489, 0, "94171be7e82db648"});
}
// Two queues over shared nodes of 16 cores that jobs share: reservations name their nodes.
void kth_on_shared_nodes(benchmark::State& state) {
  ScenarioOverrides overrides;
  overrides.set = {
      {"workload.map", R"({"unit": "core", "queues": {"-1": "other"}})"},
      {"region", "us-east-1"},
      {"computeNodeGroups[0].instanceConfigs[0].instanceType", "hpc7g.4xlarge"},
      {"computeNodeGroups[0].scalingConfiguration.maxInstanceCount", "7"},
      {"queues[1]", R"({"queueName": "other", "computeNodeGroupConfigurations": [{"computeNodeGroupId": "hpc"}]})"}};
  replay_scenario(state, "kth-on-pcs.json", overrides, {28'489, 0, "0ad31c446ca7ec75"});
}
void kth_on_pcs(benchmark::State& state) {
  replay_scenario(state, "kth-on-pcs.json", {}, {28'489, 0, "70c7ccc28482fa1b"});
}
void lublin_on_pcs(benchmark::State& state) {
  replay_scenario(state, "lublin-on-pcs.json", {}, {5'000, 0, "74c366c39f94043a"});
}

BENCHMARK(kth_easy_pool)->Unit(benchmark::kMillisecond);
BENCHMARK(ctc_easy_pool)->Unit(benchmark::kMillisecond);
BENCHMARK(hpc2n_easy_pool)->Unit(benchmark::kMillisecond);
BENCHMARK(ricc_easy_pool)->Unit(benchmark::kMillisecond);
BENCHMARK(kth_easy_sjbf_pool)->Unit(benchmark::kMillisecond);
BENCHMARK(ctc_easy_plus_plus_pool)->Unit(benchmark::kMillisecond);
BENCHMARK(kth_conservative_pool)->Unit(benchmark::kMillisecond);
BENCHMARK(kth_on_pcs)->Unit(benchmark::kMillisecond);
BENCHMARK(kth_conservative_on_pcs)->Unit(benchmark::kMillisecond);
BENCHMARK(kth_on_shared_nodes)->Unit(benchmark::kMillisecond);
BENCHMARK(lublin_on_pcs)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace headroom
