// What backfill knows of heterogeneous jobs: when each component could start, so that the others are planned for no
// earlier time, and which jobs can start now as a whole.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/types.hpp"
#include "models/policies/slurm/conf.hpp"

namespace headroom::slurm {

class HetJobs {
 public:
  // A start that nobody knows.
  static Second unknown(Second now) { return now + kUnlimited; }

  struct Component {
    JobId job;
    Second start;  // the earliest that was found
  };
  struct Plan {
    JobId leader;
    Second start = 0;                   // of all together, as it was last worked out; 0: it was not
    std::vector<Component> components;  // in the order in which they were looked at

    // The latest of its components, without `except` (kNobody: with all).
    Second latest(JobId except) const {
      Second latest = start;
      for (const Component& c : components) {
        if (c.job != except) latest = std::max(latest, c.start);
      }
      return latest;
    }
  };
  static constexpr JobId kNobody{~0u};

  // A cycle begins. In none of the recorded runs does what the cycle before found still hold.
  void begin_cycle() { plans_.clear(); }

  // A component could start at `start`; what was found before and is earlier stands.
  void set(JobId leader, JobId component, Second start) {
    Plan& plan = of(leader);
    for (Component& c : plan.components) {
      if (c.job != component) continue;
      c.start = std::min(c.start, start);
      return;
    }
    plan.components.push_back({component, start});
  }
  // The earliest that the component may be planned for, because of the others; 0: any time.
  Second earliest(JobId leader, JobId component) const {
    for (const Plan& plan : plans_) {
      if (plan.leader == leader) return plan.latest(component);
    }
    return 0;
  }
  Plan& of(JobId leader) {
    for (Plan& plan : plans_) {
      if (plan.leader == leader) return plan;
    }
    plans_.push_back({leader, 0, {}});
    return plans_.back();
  }
  // Jobs of which something is known, in the order in which they were looked at first.
  std::vector<JobId> known() const {
    std::vector<JobId> leaders;
    for (const Plan& plan : plans_) leaders.push_back(plan.leader);
    return leaders;
  }
  // It started, or is over.
  void forget(JobId leader) {
    std::erase_if(plans_, [leader](const Plan& p) { return p.leader == leader; });
  }

 private:
  std::vector<Plan> plans_;
};

}  // namespace headroom::slurm
