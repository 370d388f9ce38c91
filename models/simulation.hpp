// One simulated run of a scenario, and the replay of a recorded one: the parts put together.
#pragma once

#include <atomic>
#include <functional>

#include "engine/controller.hpp"
#include "engine/journal.hpp"
#include "models/report/moment.hpp"

namespace headroom {

struct SimulationOptions {
  JournalSink* journal = nullptr;           // gets the bytes of every step
  const std::atomic<bool>* stop = nullptr;  // ends the run early when it becomes true
  // Called now and then with the simulated time and the jobs submitted so far; may be empty.
  std::function<void(Time now, std::size_t submitted)> progress;
  // Times at which `look` is called, ascending: after everything that happens until then, the time itself included.
  // Looking changes nothing. After the end of the run nothing changes any more.
  std::vector<Time> looks;
  std::function<void(const Moment& moment)> look;
  bool end_after_looks = false;  // the run ends with the last of them
  // Called after every step, with what it heard and decided; may be empty.
  std::function<void(Time now, const News&, const Commands&, const Controller&)> watch;
};

struct SimulationResult {
  RunRecord record;
  std::string digest;
  bool stalled = false;  // the run ended at its stall limit
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
