// The metrics of a run: the only place where one is defined (docs/output.md states them in words).
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/report/bill.hpp"
#include "models/workload/workload.hpp"

namespace headroom {

// Names and prices that steps do not carry, and how long the machine took.
struct RunContext {
  const Scenario& scenario;
  const Design& design;
  const Workload& workload;
  std::string digest;
  bool interrupted = false;
  double wall_s = 0;
  double peak_rss_mib = 0;
};

// Mean and quantiles (linear interpolation between order statistics, as R's type 7).
struct Spread {
  std::size_t count = 0;  // 0: nothing to speak of, all else 0
  double mean = 0, p50 = 0, p90 = 0, p95 = 0, p99 = 0, max = 0;
};

struct JobCounts {
  std::uint64_t submitted = 0, completed = 0, failed = 0, timed_out = 0, cancelled = 0, rejected = 0, unfinished = 0;
  std::uint64_t node_failed = 0, requeues = 0;
  double lost_core_hours = 0;                                   // of attempts that ran and were requeued
  std::array<std::uint64_t, kRejections> rejected_by_reason{};  // the rejected ones by reason
};

// Of a rejected job: "too_wide", and "wider than its queue could ever hold [PCS-33]".
std::string_view rejection_name(Rejection rejection);
std::string_view rejection_text(Rejection rejection);

// Jobs that made way for others. Those that were requeued are among JobCounts::requeues, too, which counts what failing
// nodes and users cause as well.
struct PreemptionCounts {
  std::uint64_t requeued = 0;   // attempts
  std::uint64_t cancelled = 0;  // jobs that ended so
  double lost_core_hours = 0;   // what both had done since they started
};
struct PreemptionSummary {
  PreemptionCounts all;
  std::map<std::string, PreemptionCounts> by_queue;
  std::map<std::string, PreemptionCounts> by_qos;  // of the jobs that made way; empty without slurmdbd
};

struct HourSplit {  // of instances, hours; total = busy + idle + boot + failed
  double total = 0, busy = 0, idle = 0, boot = 0, failed = 0;
};

struct QueueSummary {
  std::uint64_t jobs = 0;  // that ran
  double wait_mean_s = 0;
  double wait_max_s = 0;
  double bounded_slowdown_mean = 0;
  double core_hours = 0;
  JobCost cost;  // of all its jobs, and of attempts that were lost
};

struct UserSummary {
  std::uint64_t jobs = 0;
  double wait_mean_s = 0;
  double core_hours = 0;
  JobCost cost;  // as of a queue
};

struct GroupSummary {
  std::string instance_type;
  std::uint64_t launched = 0;
  std::uint64_t peak = 0;
  HourSplit hours;
  MicroUsd cost = 0;
  CostSplit split;
  std::uint64_t launch_failures = 0;
  std::uint64_t interruptions = 0;
  std::int32_t efa_interfaces = 0;  // of each instance; 0: it has no EFA, or could not use it
};

// What a budget did.
struct BudgetSummary {
  MicroUsd amount = 0;
  struct Action {
    Time at;
    std::int32_t percent;
    bool stops;  // nothing more was launched; otherwise an alert
  };
  std::vector<Action> taken;
  Time stopped = 0;  // for how long nothing was launched
};

// How far apart the nodes of jobs were that ran to an end on two nodes or more, as far as it is known.
struct NetworkSummary {
  std::uint64_t jobs = 0;
  std::map<std::int32_t, std::int64_t> pairs_by_hops;      // pairs of nodes of one job, by the links between them
  std::map<std::uint32_t, std::uint64_t> jobs_by_leaves;   // by how many of the last network nodes they were on
  std::map<std::int32_t, std::uint64_t> jobs_by_diameter;  // by the links between the two nodes that are furthest apart
  std::int64_t pairs() const;
};

// What placement did to the run times of jobs that ran and have ended.
struct StretchSummary {
  Spread stretch;               // run time over the reference run time
  std::uint64_t over_tcp = 0;   // jobs whose nodes had no EFA between them
  std::uint64_t timed_out = 0;  // that would have ended within their limits at the reference placement
};

struct Summary {
  JobCounts jobs;
  Spread wait_s, boot_wait_s, bounded_slowdown;
  double makespan_s = 0;
  double utilization = 0;
  std::uint64_t nodes_peak = 0, nodes_launched = 0, nodes_terminated = 0;
  std::map<std::string, std::uint64_t> launch_failures;  // by EC2's error code
  std::map<std::string, std::uint64_t> losses;           // by cause
  HourSplit instance_hours;
  MicroUsd instances_cost = 0, controller_cost = 0, management_cost = 0;
  MicroUsd reservations_cost = 0, committed_cost = 0;  // what was paid for and not used
  CostSplit instances_split;                           // of instances_cost
  std::map<std::string, QueueSummary> by_queue;
  std::map<std::string, UserSummary> by_user;
  std::map<std::string, GroupSummary> by_node_group;
  std::optional<PreemptionSummary> preemption;  // where jobs may have to make way (policy slurm, PreemptType)
  std::optional<NetworkSummary> network;        // where a network is known
  std::vector<std::pair<std::string, BudgetSummary>> budgets;  // in the order of the scenario
  std::map<std::string, StretchSummary> stretch;               // by communication profile

  MicroUsd total_cost() const {
    return instances_cost + reservations_cost + committed_cost + controller_cost + management_cost;
  }
  std::uint64_t launch_failure_count() const;
  std::uint64_t interruptions() const;  // Spot Instances that EC2 took back
};

// Reorders `values`.
Spread spread_of(std::vector<double>& values);

// Bounded slowdown = max(1, (wait + run) / max(run, 10 s)) (Feitelson and Rudolph, JSSPP 1998).
double bounded_slowdown(Time wait, Time run);

// Core seconds of each job's attempts that came to nothing: it was requeued, or cancelled to make way. Empty if there
// are none.
std::vector<double> lost_core_seconds(const RunRecord& record);

// EC2's error code: InsufficientInstanceCapacity, ... And the words for losses: spot_interruption, ...
std::string_view refusal_code(Refusal refusal);
std::string_view loss_name(Loss loss);

Summary summarize(const RunRecord& record, const RunContext& context);

std::string summary_json(const Summary& summary, const RunRecord& record, const RunContext& context);
std::string summary_table(const Summary& summary, const RunContext& context);  // without the machine's own speed
std::string summary_csv(const Summary& summary, const RunRecord& record, const RunContext& context);

}  // namespace headroom
