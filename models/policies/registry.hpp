// The policies by name. A new one is one file beside this and one line in registry.cpp.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/scaling.hpp"
#include "models/policies/slurm/accounting.hpp"
#include "models/scenario/design.hpp"

namespace headroom {

namespace slurm {
struct State;
}

// What the property suite holds a policy to, besides what holds for all.
struct PolicyPromises {
  bool keeps_order;          // no job starts before one that was submitted earlier to the same queue
  bool serves_head;          // on a rigid machine, the first of the queue waits only when it does not fit
  bool keeps_reservations;   // on a rigid machine, a job never starts later than first reserved
  bool exact_limits = true;  // a job over its limit ends at its limit, not when somebody looks
};

// Options of `scheduler` that not every policy takes.
struct PolicyTakes {
  bool order = false;
  bool compression = false;
  bool slurm = false;  // scheduler.slurm, sbatch's options, operations and so on (Scenario::policy_keys)
};

// What decides in a run. A policy that is a whole scheduler daemon brings its own scaling.
struct Policies {
  std::unique_ptr<SchedulerPolicy> scheduler;
  std::unique_ptr<ScalerPolicy> scaler;  // null: nothing to scale
  // A policy that looks at the clock for ever: after so long without news and commands it waits for what never comes.
  Time patience = kNever;
  // What slurmctld knows, to look at; null under other policies.
  std::shared_ptr<const slurm::State> slurm = nullptr;
};

struct PolicyEntry {
  std::string_view name;
  std::string_view summary;
  Policies (*make)(const Scenario&, const Design&);
  PolicyPromises promises;  // in the order of submission
  PolicyTakes takes;
};

const std::vector<PolicyEntry>& scheduler_policies();

// Throw InputError naming the known ones; `key` is where the name was given.
const PolicyEntry& scheduler_policy(std::string_view name, std::string_view key = "scheduler.policy");

// What slurmctld would read from slurm.conf.
slurm::Conf slurm_conf(const Scenario& scenario);

// What sacctmgr would have been told.
slurm::Accounting slurm_accounting(const Scenario& scenario);

Policies make_policies(const Scenario& scenario, const Design& design);

// Throws InputError with the scenario's file when it names a policy that there is not, or an option that the policy
// does not take.
void check_policies(const Scenario& scenario);

}  // namespace headroom
