// Recorded runs of a real Slurm: what went in (jobs, events, slurm.conf, how long boots and jobs took) as input for a
// simulation, and what came out as expectation. Hides the file format (slurm-golden/1, docs/slurm-runs.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/policies/slurm/accounting.hpp"
#include "models/policies/slurm/asks.hpp"
#include "models/policies/slurm/conf.hpp"
#include "models/policies/slurm/updates.hpp"
#include "models/simulated_world.hpp"

namespace headroom {

// A job got nodes.
struct RecordedAllocation {
  Time at = 0;
  bool by_backfill = false;
  std::vector<std::string> nodes;
};

struct RecordedJob {
  std::string id;                               // "f05[3]": task 3 of the array f05
  std::vector<RecordedAllocation> allocations;  // one for each (re)start
  Time start = kNever;                          // whole seconds, as Slurm stamps them; kNever: never
  Time end = kNever;
  std::string state;  // COMPLETED, TIMEOUT, REJECTED ...
  // While it waited: what squeue gave as the reason, and since when it was seen to.
  std::vector<std::pair<Time, std::string>> reasons;
};

struct RecordedPower {
  enum class Kind : std::uint8_t { resume, suspend, resume_timeout };
  Time at = 0;
  Kind kind = Kind::resume;
  std::uint32_t node = 0;  // NodeId
};

// How closely a recording can be asked to be met, and with what of it as input.
enum class RecordedClock : std::uint8_t {
  exact,     // the real one looked at an exact clock: its passes follow from the rules
  passes,    // its clock was coarse; the times of its passes are recorded and are input
  drifting,  // its threads drift steadily (before 23.02); the drift is fitted and is input
  coarse,    // its clock was coarse and nothing tells when it looked: only sums can be compared
};

// Times are from slurmctld's start.
struct RecordedRun {
  std::string name;     // "c_cloud_zero 25.05.8, run 2"
  Time zero = 0;        // of the recording's own times
  Time until = kNever;  // when the recorder left
  bool disturbed = false;
  RecordedClock clock = RecordedClock::coarse;
  slurm::Conf conf;
  // drifting: the same looks of the main loop, if its drift changed while it ran; none: they agree.
  std::optional<slurm::Rhythm> uneven_main;
  slurm::Accounting accounting;
  std::vector<slurm::Asks> asks;        // JobTerms::asks - 1 indexes this
  std::vector<slurm::Update> updates;   // the subject of Stimulus::updated indexes this
  std::vector<std::string> node_names;  // by NodeId, in Slurm's order
  ClusterSpec cluster;                  // every node a group of its own
  std::vector<SimulatedCloud::Boot> boots;
  std::vector<SimulatedCloud::BootFault> faults;
  Workload workload;
  std::vector<Disturbance> disturbances;
  std::vector<std::string> not_followed;  // settings of its slurm.conf that the policy does not know

  std::vector<RecordedJob> jobs;  // as workload.jobs
  std::vector<RecordedPower> power;
  std::vector<slurm::Phases::Pass> main_passes;  // empty: not recorded
  std::vector<Time> backfill_passes;
};

struct Recording {
  std::string file;
  std::string scenario;
  std::string version;  // "25.05.8"
  std::vector<RecordedRun> runs;
};

// Throws InputError with the file and where in it something is missing or not understood.
Recording read_recording(const std::string& file);

}  // namespace headroom
