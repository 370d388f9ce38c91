// A scenario: one run's complete input as plain values. `parse` is the only way in; it accepts the JSON of
// docs/scenario.md (cluster parts in the shapes of the PCS API) and refuses everything else by file, line and key.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/cloud/ec2.hpp"
#include "models/cloud/mishaps.hpp"
#include "models/network/communication.hpp"
#include "models/pcs/service.hpp"
#include "models/policies/slurm/asks.hpp"
#include "models/random.hpp"
#include "models/scenario/document.hpp"
#include "models/scenario/sbatch_syntax.hpp"

namespace headroom {

// A parameter of slurm.conf and its value.
using SlurmSetting = std::pair<std::string, std::string>;

// An account, a user or a QOS as the scenario gives it.
struct NamedSettings {
  std::string name;
  std::vector<SlurmSetting> settings;
};

struct PoolDesign {
  std::int32_t processors = 0;
};

enum class ClusterSize : std::uint8_t { small, medium, large };

struct ClusterLimits {
  std::int32_t instances;
  std::int32_t jobs;  // active and queued
};
ClusterLimits limits_of(ClusterSize size);  // PCS-3

struct ClusterDesign {
  std::string name;
  std::string id;             // as in PCS API answers, or empty
  std::string slurm_version;  // "24.05"; the edition's newest when not given (PCS-2)
  ClusterSize size = ClusterSize::small;
  Time scale_down_idle_time = 600 * kSecond;  // PCS-6
};

struct SubnetDesign {
  std::string id;
  std::string zone;
  std::optional<std::int64_t> free_addresses = {};
};

struct ReservationDesign {
  CapacityReservation reservation;         // without prices by the hour, and without what the catalog knows
  std::optional<MicroUsd> price_per_hour;  // none: its type's on-demand price
};

struct GroupDesign {
  std::string name;
  std::string id;  // as in PCS API answers; empty when the scenario names groups only
  std::vector<std::string> instance_types;
  std::int32_t min_instances = 0;  // at the start, or when it is created
  std::int32_t max_instances = 0;
  std::optional<Time> created = {};  // from the start of the run: when CreateComputeNodeGroup is called; none: before
  std::int32_t most_instances = 0;   // where operations resize or delete it: its highest maximum; otherwise 0
  std::int32_t weight = 1;           // PCS-16
  std::int32_t real_memory = 0;      // MiB, PCS-16; 0: a share of what the instance types have
  std::vector<SlurmSetting> slurm = {};      // of its nodes
  std::optional<Time> scale_down_idle_time;  // PCS-6, edition 2026-08; none: the cluster's
  std::vector<std::string> subnets;
  std::string zone;                 // of the first subnet, where `subnets` names it
  std::string placement_group;      // from the launch template, where one names it
  bool knows_template = false;      // launchTemplates holds its launch template
  std::int32_t efa_interfaces = 0;  // that the launch template asks for
  std::string place = {};           // where it stands: "operations[2]"; empty: in computeNodeGroups
  ReservationUse reservations = {};
  Purchase purchase = Purchase::on_demand;  // PCS-14
  AllocationStrategy spot_strategy = AllocationStrategy::price_capacity_optimized;
};

struct QueueDesign {
  std::string name;
  std::vector<std::size_t> groups = {};  // at the start, indices into Scenario::groups
  std::vector<SlurmSetting> slurm = {};  // of its partition
  std::string id = {};                   // as in PCS API answers, or empty
  std::optional<Time> created = {};      // from the start of the run: when CreateQueue is called first; none: before
};

enum class SameInstant : std::uint8_t { batched, per_event };

// In what order a queue is served (models/policies/queue_order.hpp).
enum class QueueOrder : std::uint8_t { fcfs, sjf, wfp3, unicef, f1 };

struct SchedulerOptions {
  std::string policy = "easy";
  QueueOrder order = QueueOrder::fcfs;
  std::optional<bool> compression = {};  // of conservative backfilling, on unless false
  SameInstant same_instant = SameInstant::batched;
  NodeChoice node_choice = NodeChoice::order;
  std::int32_t slurm_version = 2505;               // slurm::Version::number
  std::vector<SlurmSetting> slurm = {};            // of slurm.conf; all of them are known and well formed
  std::vector<SlurmSetting> slurm_of_pool = {};    // of a pool's one partition
  std::vector<NamedSettings> slurm_accounts = {};  // of slurmdbd; all of them are known and well formed
  std::vector<NamedSettings> slurm_users = {};
  std::vector<NamedSettings> slurm_qos = {};
  std::vector<NamedSettings> slurm_reservations = {};
  std::vector<NamedSettings> slurm_topology = {};
  bool memory_counts = false;  // among them SelectTypeParameters=CR_CPU_Memory (PCS-7)
};

struct ScalerOptions {
  std::string policy = "pcs";
  Time interval = 0;                     // how often waiting jobs are looked at; 0: at once. AWS publishes none.
  Time suspend_timeout = 120 * kSecond;  // from taking a node down until it may be used again
  // How the cloud is asked, and what follows a refusal (models/policies/launcher.hpp). AWS publishes none of it.
  bool incremental = false;
  std::int32_t request_size = 500;
  Time retry_interval = kMinute;
  Time capacity_timeout = 600 * kSecond;
  Time boot_timeout = 1800 * kSecond;
};

// Time from the launch call to a ready node = pending + bootstrap (boot-times: 1a, 2a).
struct BootOptions {
  Distribution pending;
  Distribution bootstrap;
  Distribution bootstrap_gpu;
};

// How often Spot Instances of a type are interrupted.
struct SpotInterruption {
  std::string types;                // an instance type, "c6i.*" or "default"
  double mean_to_interruption = 0;  // seconds; 0: never
  std::string place;
};

struct SpotOptions {
  std::vector<SpotInterruption> interruptions = {};
  Time notice = 120 * kSecond;
  Time rebalance_lead = 0;
};

// A limit of capacity, or where its recorded series is.
struct CapacityOption {
  CapacityRule rule;
  std::string series;  // a file beside the scenario; empty: the rule says it
  std::string place;   // "s.json:12: cloud.capacity[0].series"
};

struct CloudOptions {
  BootOptions boot;
  SpotOptions spot;
  Failures failures;
  std::vector<Failures> failures_of_group = {};                     // by index into Scenario::groups
  std::vector<std::pair<std::string, double>> prices_usd_per_hour;  // by instance type; over the catalog's
  struct Committed {
    std::string instance_type;
    std::int32_t instances = 0;
    double usd_per_hour = 0;  // of each
  };
  std::vector<Committed> committed = {};
  double controller_usd_per_hour = 0;
  double node_management_usd_per_hour = 0;
  bool run_instances = false;  // launches are RunInstances; otherwise CreateFleet
  AllocationStrategy on_demand_strategy = AllocationStrategy::lowest_price;
  std::optional<AllocationStrategy> spot_strategy = {};  // in place of the groups' own
  Distribution api_latency = {};
  Distribution consistency_delay = {};
  std::vector<CapacityOption> capacity = {};
  std::vector<SpotPriceRule> spot_prices = {};
  QuotaLimits quotas = {};
  Ec2Settings::Throttling throttling = {};
};

// What happens when so much of a budget is spent.
struct BudgetAction {
  std::int32_t percent = 0;
  bool stops = false;  // nothing more is launched until the period is over; otherwise it is only told
};

// The network between instances (network_section.hpp).
struct NetworkOptions {
  std::vector<FabricDesign> fabrics = {};
  PlacementScope placement_scope = PlacementScope::group;
  NetworkModelOptions model = {};
};

// So much money for some time, and for the same time again afterwards.
struct Budget {
  std::string name;
  std::int64_t amount = 0;            // millionths of a dollar
  Time period = kNever;               // from the start of the run; kNever: all of it
  std::vector<BudgetAction> actions;  // by percent, alerts first
};

// How processors of a log become a request (workload.map).
struct TraceMap {
  enum class Unit : std::uint8_t { core, node };
  Unit unit = Unit::core;                                    // a node unit is a whole node (exclusive)
  std::int32_t processors_per_unit = 1;                      // rounded up
  std::string queue;                                         // every job goes here; empty: the first queue
  std::vector<std::pair<std::int64_t, std::string>> queues;  // by the log's queue number (field 15), before `queue`
};

struct TraceFilter {
  enum class NoRequestedTime : std::uint8_t { run_time, drop, value };
  enum class Overrun : std::uint8_t { kill, raise };
  NoRequestedTime no_requested_time = NoRequestedTime::run_time;
  Time default_requested_time = 0;  // for NoRequestedTime::value
  bool clairvoyant = false;         // the run time is taken as requested time, after `overrun`
  Overrun overrun = Overrun::kill;  // run time over requested time: killed at the limit, or the request is raised
  Time min_run_time = 0;            // shorter jobs are dropped
  std::int32_t max_processors = 0;  // wider jobs (either processor field) are dropped; 0: none
};

struct LublinOptions {
  std::uint64_t jobs = 10000;
  std::int32_t processors = 128;
  bool job_types = true;       // batch and interactive streams apart
  double estimate_factor = 1;  // requested time = run time x factor, rounded up to a minute
  double load_factor = 1;      // arrival gaps are divided by it
};

// Jobs of one width that arrive at random: the input of queueing theory.
struct PoissonOptions {
  std::uint64_t jobs = 10000;
  Time mean_interarrival = kMinute;
  Distribution run_time;
  std::int32_t processors_per_job = 1;
  double estimate_factor = 1;                              // requested time = run time x factor, rounded up to a minute
  double load_factor = 1;                                  // arrival gaps are divided by it
  std::vector<std::pair<std::string, double>> users = {};  // and how much each submits; none: one unknown user
};

struct InlineJob {
  std::string id;
  Time submit = 0;
  Time run_time = 0;
  Time time_limit = 0;  // 0: none given
  std::string queue;
  std::string user;
  std::int32_t nodes = 0;
  std::int32_t tasks_per_node = 0;
  std::int32_t cpus = 0;
  bool exclusive = false;
  std::int32_t exit_code = 0;
  bool requeue = true;
  Time checkpoint_interval = 0;  // 0: it writes none
  std::optional<CommunicationProfile> communication = {};
  // policy slurm only
  std::int32_t tasks = 0;
  std::int32_t cpus_per_task = 0;    // 0: not given
  std::int32_t memory_per_node = 0;  // MiB; 0: not given
  std::int32_t memory_per_cpu = 0;
  Time stop_time = 0;
  std::string name;
  DependencySpec dependency;
  ArraySpec array;  // no tasks: it is none
  std::uint32_t priority = 0;
  std::int32_t nice = 0;
  Time begin = 0;
  bool hold = false;
  slurm::Asks asks;
  std::string file = {};  // where it stands: a job script, or empty: the scenario
  int line = 0;
};

// What somebody asks of a running cluster, or what breaks. Names are looked up when the jobs are known.
struct Operation {
  Time at = 0;  // from the start of the run
  bool of_job = false;
  JobAction job_action{};
  NodeAction node_action{};
  std::string target;  // a job's id, a list of nodes, or a partition
  bool of_partition = false;
  // action update: what scontrol update changes
  std::vector<std::pair<std::string, std::string>> settings = {};
  std::string place;  // "s.json:12: operations[0].job"
};

struct Fault {
  enum class Kind : std::uint8_t {
    node_lost,
    node_back,
    boot_failure,
    slow_boot,
    strike,  // on the instance of each node
    zone_outage,
    capacity_drought,
    api_brownout,
  };
  Kind kind{};
  Time at = 0;
  std::string nodes;
  bool of_group = false;    // `nodes` is the name of a compute node group
  std::uint32_t times = 0;  // of boot_failure and slow_boot; 0: all boots
  std::string place;
  double factor = 1;  // of slow_boot
  Mishaps::Strike::Kind strike{};
  Time duration = 0;  // of the last three
  std::string zone = {};
  std::string instance_type = {};
  std::int32_t limit = 0;
  double share = 1;
  Refusal refusal{};
};

// A key that was given and that not every policy takes.
struct PolicyKey {
  std::string place;  // "s.json:12: scheduler.slurm"
  bool of_slurm;      // taken by policy slurm only; otherwise by all but it
};

// How so many of the jobs communicate that have so many nodes.
struct CommunicationRule {
  double of_jobs = 1;
  std::int32_t min_nodes = 1;
  std::int32_t max_nodes = std::numeric_limits<std::int32_t>::max();
  CommunicationProfile profile;
};

struct WorkloadOptions {
  enum class Source : std::uint8_t { trace, lublin, poisson, jobs };
  Source source = Source::jobs;
  std::string trace;  // as written; found beside the scenario, then in HEADROOM_TRACES
  TraceMap map;
  TraceFilter filter;
  LublinOptions lublin;
  PoissonOptions poisson;
  std::vector<InlineJob> jobs;
  std::uint64_t max_jobs = 0;    // --max-jobs; 0: all
  Time checkpoint_interval = 0;  // of all jobs but those in `jobs`, which have their own; 0: they write none
  std::vector<CommunicationRule> communication = {};  // of jobs that have none of their own
};

struct Scenario {
  std::string file;  // for messages; "" when made in memory
  std::string text;  // the effective JSON (after --set), as a journal stores it
  std::string name;
  std::uint64_t seed = 1;
  std::string region = "us-east-1";
  std::string pcs_edition = "2024-12";
  std::optional<PoolDesign> pool;
  ClusterDesign cluster;
  std::vector<SubnetDesign> subnets;
  std::vector<PlacementGroupDesign> placement_groups;
  std::vector<ReservationDesign> reservations;
  std::vector<GroupDesign> groups;
  std::vector<QueueDesign> queues;
  SchedulerOptions scheduler;
  ScalerOptions scaler;
  CloudOptions cloud;
  NetworkOptions network;
  WorkloadOptions workload;
  std::vector<Operation> operations;  // but for calls of the PCS API
  // Groups and queues hold also those that calls create, after the others.
  std::vector<ServiceAnswer> answers;  // to calls of the PCS API, in the order of time
  std::vector<TimedChange> changes;    // what follows from them for the cluster, in the order of time
  std::vector<Fault> faults;
  std::vector<Budget> budgets;
  std::vector<PolicyKey> policy_keys;
  Time stall_limit = 30 * 24 * kHour;  // the run ends when for so long no job came, started or ended, and none runs
  std::string expected_digest;         // expect.digest; empty: none
  std::vector<std::string> notes;      // what a user should know of the scripts, a line each
};

// Whether slurmctld schedules: some keys mean something only then, and some mean what they mean to Slurm.
inline bool runs_slurm(const Scenario& scenario) { return scenario.scheduler.policy == "slurm"; }

// What the command line changes before the scenario is checked.
struct ScenarioOverrides {
  std::vector<std::pair<std::string, std::string>> set;  // --set KEY=VALUE: a.b[0].c, the value as JSON or text
  std::optional<std::uint64_t> seed;
  std::optional<std::string> trace;
  std::optional<std::uint64_t> max_jobs;
  std::vector<std::pair<std::string, std::string>> sbatch;  // --sbatch: job scripts, their names and texts
};

// Nothing when there is a problem; all of them are in `problems`, whose first source is the file.
std::optional<Scenario> read_scenario(std::string_view json_text, const std::string& file,
                                      const ScenarioOverrides& overrides, Problems& problems);
// Throws InputError with every problem found, one a line.
Scenario parse_scenario(std::string_view json_text, const std::string& file, const ScenarioOverrides& overrides = {});
Scenario load_scenario(const std::string& path, const ScenarioOverrides& overrides = {});

// The published forms of the one table of options: JSON Schema (draft 7) and the option table of docs/scenario.md.
std::string scenario_schema();
std::string scenario_options_markdown();
// The table of parameters in docs/slurm.md.
std::string slurm_parameters_markdown();
// The tables in docs/slurm-options.md: every option of slurm.conf, sacctmgr and sbatch that is known.
std::string slurm_options_markdown();
// The words of #HEADROOM comments in docs/sbatch.md.
std::string sbatch_notes_markdown();

}  // namespace headroom
