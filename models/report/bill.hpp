// What a run costs, and where the money goes: the only place where a price is applied. Hides under which terms an
// instance was bought. Promises whole millionths of a dollar, and that parts add up exactly. docs/output.md has the
// rules in words.
#pragma once

#include <functional>

#include "models/report/run_record.hpp"
#include "models/scenario/design.hpp"

namespace headroom {

struct Period {
  Time from, until;
};

// An amount by what was had for it.
struct CostSplit {
  MicroUsd busy = 0;    // cores that jobs held, in attempts that came to an end
  MicroUsd boot = 0;    // from running to ready
  MicroUsd idle = 0;    // cores of ready nodes that no job held
  MicroUsd failed = 0;  // instances that ended before they were ready, and cores of attempts that were lost

  MicroUsd total() const { return busy + boot + idle + failed; }
  CostSplit& operator+=(const CostSplit& other);
};

// What one instance did.
struct InstanceUse {
  Time end = 0;   // of billing: termination, loss, or the end of the run
  Time busy = 0;  // held by at least one job
  MicroUsd cost = 0;
  CostSplit split;
};

// What a job paid for: each of its nodes by its share of the node's cores.
struct JobCost {
  MicroUsd run = 0;   // while it ran, in its last attempt
  MicroUsd boot = 0;  // while nodes that it had been given were booting, in all attempts
  MicroUsd lost = 0;  // while it ran in attempts that came to nothing
  JobCost& operator+=(const JobCost& other);
};

// Time spent in `running` billed by the second, 60 s at least.
MicroUsd instance_cost(MicroUsd price_per_hour, Time running, Time end);

// What the instance was bought as, and at which of its group's offers.
const Offer* offer_of(const InstanceRecord& instance, const Design& design);  // null: the group has none
std::string_view purchase_name(Purchase purchase);                            // ONDEMAND, SPOT, ...

class Bill {
 public:
  // A price that stood for some time. `prepaid`: by a reservation or a commitment, which costs the same unused.
  struct Rate {
    Time from, until;
    MicroUsd per_hour;
    bool prepaid;
  };

  Bill(const RunRecord& record, const Design& design);

  // When the instance's billing ends: kNever only where it does not run.
  Time end(std::size_t instance) const;
  std::span<const Rate> rates(std::size_t instance) const {
    return std::span(rates_).subspan(first_rate_[instance], first_rate_[instance + 1] - first_rate_[instance]);
  }
  MicroUsd cost(std::size_t instance) const { return prepaid_cost(instance) + paid_cost(instance); }
  // One job's last attempt; `lost_attempts_cost` has the others.
  JobCost job_cost(const JobRecord& job) const;
  std::vector<JobCost> lost_attempts_cost() const;  // by job; empty if there are none

  // Of each instance: `busy` are the periods of busy_periods().
  std::vector<InstanceUse> instance_use(const std::vector<std::vector<Period>>& busy) const;

  // What reservations and commitments cost beyond what instances used of them.
  MicroUsd unused_reservations() const;
  MicroUsd unused_commitments() const;

 private:
  void add_rates(std::size_t instance);
  void commit_rates();
  MicroUsd prepaid_cost(std::size_t instance) const;
  MicroUsd paid_cost(std::size_t instance) const;
  MicroUsd cost_of_share(const HeldShare& share, Time from, Time until) const;
  MicroUsd attempt_cost(const JobRecord& job, Time until) const;
  MicroUsd boot_cost(const JobRecord& job) const;

  const RunRecord& record_;
  const Design& design_;
  std::vector<Rate> rates_;
  std::vector<std::size_t> first_rate_;  // by instance, and one more
  // By instance, where there are commitments: from when on it is covered, and at which rate.
  struct Cover {
    Time from = kNever;
    MicroUsd per_hour = 0;
  };
  std::vector<Cover> covers_;
};

// Periods in which an instance was held by at least one job, by instance; ascending, disjoint.
std::vector<std::vector<Period>> busy_periods(const RunRecord& record);
// Periods in which a core had a job beside one that had it already, one for each core and further job. `of` says when a
// job has its cores.
std::vector<Period> shared_periods(const RunRecord& record, const std::function<Period(const JobRecord&)>& of);

}  // namespace headroom
