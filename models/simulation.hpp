// One simulated run of a scenario, and the replay of a recorded one: the parts put together.
#pragma once

#include <atomic>
#include <functional>

#include "engine/journal.hpp"
#include "models/report/run_record.hpp"
#include "models/scenario/design.hpp"
#include "models/workload/workload.hpp"

namespace headroom {

struct SimulationOptions {
  JournalSink* journal = nullptr;           // gets the bytes of every step
  const std::atomic<bool>* stop = nullptr;  // ends the run early when it becomes true
  // Called now and then with the simulated time and the jobs submitted so far; may be empty.
  std::function<void(Time now, std::size_t submitted)> progress;
};

struct SimulationResult {
  RunRecord record;
  std::string digest;
};

// Drives the scenario's policy through the workload. Throws InputError for an unknown policy, Bug for a broken promise.
SimulationResult simulate(const Scenario& scenario, const Design& design, const Workload& workload,
                          const SimulationOptions& options = {});

struct ReplayResult {
  std::string recorded_digest;
  std::string digest;
  std::uint64_t steps = 0;
  std::string first_difference;  // empty: none
  bool agrees() const { return first_difference.empty() && digest == recorded_digest; }
};

// Re-drives the core with the news of a journal and compares every command. `name` is for messages. Throws InputError
// for bytes that are no whole journal.
ReplayResult replay(std::string_view journal, const std::string& name);

}  // namespace headroom
