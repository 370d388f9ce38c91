// What slurmctld's threads cost under a deep queue: 16 000 jobs for 2000 nodes (scenarios/slurm-deep-queue.json). The
// main scheduler's passes and the backfill cycles are timed step by step; `speed` is simulated time by real time.
#include <chrono>

#include <benchmark/benchmark.h>

#include "engine/journal.hpp"
#include "models/policies/registry.hpp"
#include "models/policies/slurm/slurm.hpp"
#include "models/simulated_world.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

using Clock = std::chrono::steady_clock;

struct Cost {
  std::uint64_t count = 0;
  double seconds = 0;
  double mean() const { return count == 0 ? 0 : seconds / static_cast<double>(count); }
};

struct DeepQueue {
  Cost pass;       // of the default depth
  Cost full_pass;  // over the whole queue
  Cost cycle;      // of backfill
  double seconds = 0;
  std::size_t pending = 0;  // at the end
  std::string digest;
};

DeepQueue simulate_hours(const Scenario& scenario, const Design& design, const Workload& workload, std::int64_t hours) {
  Policies policies = make_policies(scenario, design);
  std::vector<slurm::Event> events;
  dynamic_cast<slurm::Scheduler&>(*policies.scheduler).watch(&events);
  Controller controller(design.spec, std::move(policies.scheduler), std::move(policies.scaler));
  SimulatedWorld world(workload, SimulatedCloud(design.boots, scenario.seed), scenario.scheduler.same_instant, 0,
                       nullptr, true);
  Journal journal;
  DeepQueue result;
  News news;
  Commands commands;
  Time wake = 0;
  const auto began = Clock::now();
  while (const std::optional<Time> now = world.wait(wake, news)) {
    if (*now > hours * kHour) break;
    commands.clear();
    events.clear();
    const auto before = Clock::now();
    wake = controller.step(*now, news, commands);
    const double seconds = std::chrono::duration<double>(Clock::now() - before).count();
    journal.append(*now, news, commands);
    world.carry_out(*now, commands);
    for (const slurm::Event& e : events) {
      using Kind = slurm::Event::Kind;
      Cost* cost = e.kind == Kind::main_pass   ? &result.pass
                   : e.kind == Kind::full_pass ? &result.full_pass
                   : e.kind == Kind::backfill  ? &result.cycle
                                               : nullptr;
      if (cost == nullptr) continue;
      ++cost->count;
      cost->seconds += seconds;
    }
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - began).count();
  for (std::uint32_t j = 0; j < controller.jobs().size(); ++j) {
    result.pending += controller.jobs().state(JobId{j}) == JobState::pending ? 1U : 0U;
  }
  result.digest = journal.finish();
  return result;
}

void slurm_deep_queue(benchmark::State& state) {
  const Scenario scenario = load_scenario(HEADROOM_SOURCE_DIR "/scenarios/slurm-deep-queue.json");
  const Design design = make_design(scenario);
  const Workload workload = load_workload(scenario, design);
  // The first hour, as known; the queue is deep from then on.
  const DeepQueue hour = simulate_hours(scenario, design, workload, 1);
  ensure(hour.digest == "3fa321cf7cce1a64", ("the digest is the known one, not " + hour.digest).c_str());
  DeepQueue last;
  for (auto _ : state) last = simulate_hours(scenario, design, workload, state.range(0));
  ensure(last.pending > (state.range(0) < 24 ? 200U : 14'000U), "the queue is deep");
  state.counters["pending"] = static_cast<double>(last.pending);
  state.counters["pass_us"] = last.pass.mean() * 1e6;
  state.counters["full_pass_us"] = last.full_pass.mean() * 1e6;
  state.counters["backfill_cycle_us"] = last.cycle.mean() * 1e6;
  state.counters["speed"] = static_cast<double>(state.range(0)) * 3600 / last.seconds;
}

// An hour, and a day.
BENCHMARK(slurm_deep_queue)->Arg(1)->Arg(24)->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
}  // namespace headroom
