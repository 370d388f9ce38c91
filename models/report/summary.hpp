// The metrics of a run: the only place where one is defined (docs/output.md states them in words).
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/report/run_record.hpp"
#include "models/scenario/design.hpp"
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

struct HourSplit {  // of instances, hours; total = busy + idle + boot
  double total = 0, busy = 0, idle = 0, boot = 0;
};

struct QueueSummary {
  std::uint64_t jobs = 0;  // that ran
  double wait_mean_s = 0;
  double wait_max_s = 0;
  double bounded_slowdown_mean = 0;
  double core_hours = 0;
};

struct UserSummary {
  std::uint64_t jobs = 0;
  double wait_mean_s = 0;
  double core_hours = 0;
  MicroUsd cost = 0;  // of the cores while its jobs ran
};

struct GroupSummary {
  std::string instance_type;
  std::uint64_t launched = 0;
  std::uint64_t peak = 0;
  HourSplit hours;
  MicroUsd cost = 0;
};

struct Summary {
  JobCounts jobs;
  Spread wait_s, boot_wait_s, bounded_slowdown;
  double makespan_s = 0;
  double utilization = 0;
  std::uint64_t nodes_peak = 0, nodes_launched = 0, nodes_terminated = 0;
  HourSplit instance_hours;
  MicroUsd instances_cost = 0, controller_cost = 0, management_cost = 0;
  std::map<std::string, QueueSummary> by_queue;
  std::map<std::string, UserSummary> by_user;
  std::map<std::string, GroupSummary> by_node_group;
  std::optional<PreemptionSummary> preemption;  // where jobs may have to make way (policy slurm, PreemptType)

  MicroUsd total_cost() const { return instances_cost + controller_cost + management_cost; }
};

// What one instance did, for nodes.csv and the sums above.
struct InstanceUse {
  Time end = 0;   // of billing: termination, or the end of the run
  Time busy = 0;  // held by at least one job
  MicroUsd cost = 0;
};

// Bounded slowdown = max(1, (wait + run) / max(run, 10 s)) (Feitelson and Rudolph, JSSPP 1998).
double bounded_slowdown(Time wait, Time run);

// Time spent in `running` billed by the second, 60 s at least.
MicroUsd instance_cost(MicroUsd price_per_hour, Time running, Time end);

// The price of the job's cores while it ran; boot and idle time are nobody's.
MicroUsd job_cost(const JobRecord& job, const RunRecord& record, const Design& design);

// Core seconds of each job's attempts that came to nothing: it was requeued, or cancelled to make way. Empty if there
// are none.
std::vector<double> lost_core_seconds(const RunRecord& record);

// Periods in which an instance was held by at least one job, by instance; ascending, disjoint.
struct Period {
  Time from, until;
};
std::vector<std::vector<Period>> busy_periods(const RunRecord& record);
// Periods in which a core had a job beside one that had it already, one for each core and further job. `of` says when a
// job has its cores.
std::vector<Period> shared_periods(const RunRecord& record, const std::function<Period(const JobRecord&)>& of);
std::vector<InstanceUse> instance_use(const RunRecord& record, const Design& design,
                                      const std::vector<std::vector<Period>>& busy);

Summary summarize(const RunRecord& record, const RunContext& context);

std::string summary_json(const Summary& summary, const RunRecord& record, const RunContext& context);
std::string summary_table(const Summary& summary, const RunContext& context);  // without the machine's own speed
std::string summary_csv(const Summary& summary, const RunRecord& record, const RunContext& context);

}  // namespace headroom
