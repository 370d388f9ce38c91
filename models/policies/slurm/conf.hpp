// slurm.conf as far as the policy follows it: the parameters under their own names, with Slurm's defaults, and how
// versions of Slurm differ. Hides the syntax of slurm.conf and of SchedulerParameters; a name or value that is not
// followed is refused by name. Sources: slurm.conf(5), and recorded runs (docs/fidelity.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/types.hpp"
#include "models/policies/slurm/gres.hpp"
#include "models/policies/slurm/licenses.hpp"

namespace headroom::slurm {

// What slurmctld's time(NULL) says: whole seconds since 1970. Durations are in seconds too.
using Second = std::int64_t;
inline constexpr Second kUnlimited = std::int64_t{365} * 86400;  // what slurmctld takes for a job without a limit

// Where versions differ in something that shows. PCS runs 23.11 and newer (PCS-2).
struct Version {
  int number = 2505;  // 2205 for 22.05

  bool weights_powered_down() const { return number >= 2302; }       // 22.05: powered-down nodes have one weight
  bool prefers_up_to_powering_up() const { return number >= 2505; }  // before: alike
  bool resume_tokens() const { return number >= 2405; }              // before: a decaying average of the last minute
  bool offers_whole_tasks() const { return number >= 2302; }         // 22.05: nodes offer CPUs that make no whole task
  bool rejects_too_wide() const { return number >= 2311; }           // 22.05: waits with PartitionNodeLimit
  bool requeue_renumbers() const { return number >= 2311; }          // priority/basic: a requeued job goes to the end
  bool plans_from_future() const { return number >= 2505; }          // backfill tests a job as of a later time
  bool plans_whole_ends() const { return number >= 2505; }           // before: planned ends are rounded down
  bool scans_after_change() const { return number >= 2302; }         // power saving looks again after it acted
  bool powers_down_on_idle() const { return number >= 2302; }        // PowerDownOnIdle of a partition
  bool passes_after_node_update() const { return number >= 2302; }   // scontrol update nodename=
  bool evens_gres() const { return number >= 2311; }                 // as many CPUs for each GPU of a job, if possible
  bool clips_tasks_beside_gres() const { return number >= 2311; }    // a node offers CPUs of the tasks it may get
  bool alternative_licenses() const { return number >= 2505; }       // --licenses=a|b
  Second idle_scan_interval() const { return number >= 2405 ? 11 : 10; }
};

// Whose jobs make way for others, and how.
enum class Preempt : std::uint8_t { none, qos, partition_prio };
// What components of a heterogeneous job are put in order by: each by its own priority, or all by that of one or all.
enum class HetjobPrio : std::uint8_t { own, min, avg, max };
enum class PreemptMode : std::uint8_t { off, cancel, requeue };
// Weights of resources, by Tres.
using TresWeights = std::array<double, 5>;

// A partition's own settings.
struct Partition {
  std::string name;
  std::int32_t priority_tier = 1;
  std::int32_t priority_job_factor = 1;
  std::optional<TresWeights> billing_weights;  // TRESBillingWeights; none: a billing unit is a CPU
  std::optional<Second> max_time;
  std::optional<Second> default_time;
  std::int32_t min_nodes = 0;
  std::int32_t max_nodes = 0;  // 0: unlimited
  bool exclusive = false;      // OverSubscribe=EXCLUSIVE
  std::int32_t max_share = 1;  // OverSubscribe=YES:n or FORCE:n: so many jobs may have a CPU together
  bool force_share = false;    // FORCE: whether they ask for it or not
  bool exclusive_user = false;
  std::int32_t def_mem_per_node = 0;
  std::int32_t def_mem_per_cpu = 0;
  std::int32_t def_cpu_per_gpu = 0;
  std::int32_t def_mem_per_gpu = 0;
  std::optional<PreemptMode> preempt_mode;
  std::optional<Second> suspend_time;
  std::optional<Second> suspend_timeout;
  std::optional<Second> resume_timeout;
  // who may use it; empty: all
  std::vector<std::string> allow_accounts;
  std::vector<std::string> deny_accounts;
  std::vector<std::string> allow_qos;
  std::vector<std::string> deny_qos;
  bool root_only = false;
  bool needs_reservation = false;  // ReqResv
  enum class State : std::uint8_t { up, down, drain, inactive };
  State state = State::up;
  std::string qos;                     // whose limits hold for its jobs, too
  std::int32_t max_mem_per_node = 0;   // 0: unlimited
  std::int32_t max_cpus_per_node = 0;  // of all its jobs; 0: unlimited
  bool allow_groups = false;           // AllowGroups: only these users, and root
  std::vector<std::string> allowed_users;
  std::optional<Second> over_time_limit;
  Second grace_time = 0;
  bool power_down_on_idle = false;
};

// AccountingStorageEnforce. Each but the first needs the first.
struct Enforce {
  bool associations = false;
  bool limits = false;
  bool qos = false;
  bool safe = false;
};

enum class EnforcePartLimits : std::uint8_t { no, any, all };
// What slurm.conf says of the nodes of a group beyond their size.
struct NodeSettings {
  std::vector<std::string> features;
  std::vector<GresPool> gres;
  bool gres_given = false;     // otherwise it has what its instances have
  std::int32_t core_spec = 0;  // cores that no job gets
  std::int32_t mem_spec = 0;   // MiB
  bool operator==(const NodeSettings&) const = default;
};

// A line of topology.conf.
struct SwitchSettings {
  std::string name;
  std::string nodes;     // a host list; a leaf has these
  std::string switches;  // the others these
};

// What scontrol says of a reservation; what it does not say is empty. Times count from the request.
struct ReservationSettings {
  struct Flags {
    bool flex = false;
    bool hourly = false;
    bool daily = false;
    bool weekday = false;
    bool weekend = false;
    bool weekly = false;
    bool ignore_jobs = false;
    bool maint = false;
    bool overlap = false;
    bool any_nodes = false;
    bool magnetic = false;
    bool part_nodes = false;
    bool no_hold_jobs = false;
    bool purge_comp = false;
    bool time_float = false;
    bool static_alloc = false;
    bool license_only = false;
    bool recurs() const { return hourly || daily || weekday || weekend || weekly; }
  };
  std::string name;
  std::optional<Second> start;
  std::optional<Second> end;
  std::optional<Second> duration;
  std::vector<std::string> nodes;
  bool all_nodes = false;
  std::int32_t node_count = 0;
  std::vector<std::int32_t> cores;
  std::string licenses;
  std::string partition;
  std::vector<std::string> users;
  std::vector<std::string> accounts;
  Flags flags;
  Second purge_after = 0;
};

// scontrol create, update or delete, and when.
struct ReservationRequest {
  enum class Kind : std::uint8_t { create, update, remove };
  Time at = 0;
  Kind kind = Kind::create;
  ReservationSettings what;
};

// When a thread of slurmctld looks at the clock: once a second, at its own moment within it.
struct Rhythm {
  Time offset = 0;         // its first look is this and a second after slurmctld's start
  Time drift = 0;          // how much more than a second passes from one look to the next
  std::vector<Time> seen;  // looks that are known from a recorded run, ascending; the others are laid between them

  Time first(Time start) const;
  Time after(Time look) const;
  // The first of `look` and those after it that is not before `time`.
  Time not_before(Time look, Time time) const;
};

struct Phases {
  // The wall clock's second at time 0: plans are rounded to whole minutes of it. The beginning of 2000 where nothing is
  // known; some of slurmctld's records take 0 for never.
  Second epoch = 946'684'800;
  Time start = 0;  // slurmctld's start
  Rhythm main = {};
  Rhythm backfill = {.offset = 12'000, .drift = 0, .seen = {}};
  Rhythm power = {.offset = 20'000, .drift = 0, .seen = {}};
  // When the main scheduler and the backfill thread ran, where that is known; empty: as the rules say.
  struct Pass {
    Time at;
    bool full;
  };
  std::vector<Pass> passes;
  std::vector<Time> backfills;
  std::vector<Time> scans;  // power saving did something then: its nearest look was a scan, whatever the rules say
  Time tokens = 0;          // a token of ResumeRate and SuspendRate comes at this time and every 60 s / rate before and
                            // after: the machine's monotonic clock counts them, whose zero is not slurmctld's start

  Second second(Time t) const { return epoch + (t - (t % kSecond + kSecond) % kSecond) / kSecond; }
  Time time_of(Second second) const { return (second - epoch) * kSecond; }
};

// PriorityFlags
struct PriorityFlags {
  bool accrue_always = false;
  bool calculate_running = false;
  bool depth_oblivious = false;
  bool no_fair_tree = false;
  bool incr_only = false;
  bool max_tres = false;
  bool no_normal_assoc = false;
  bool no_normal_part = false;
  bool no_normal_qos = false;
  bool no_normal_tres = false;
  bool small_relative_to_time = false;

  bool fair_tree() const { return !no_fair_tree && !depth_oblivious; }
};

// PriorityUsageResetPeriod
enum class UsageReset : std::uint8_t { none, now, daily, weekly, monthly, quarterly, yearly };

struct Conf {
  Version version;
  Phases phases;
  std::vector<Partition> partitions;  // one for each queue

  // SchedulerType, SchedulerParameters
  // by node, in Slurm's order: how often its Prolog fails before it works; empty: never
  std::vector<std::int32_t> prolog_fails;
  bool nohold_on_prolog_fail = false;
  Time sched_min_interval = 2;  // microseconds between passes
  bool backfill = true;         // sched/backfill; not sched/builtin
  bool defer = false;
  Second batch_sched_delay = 3;
  Second sched_interval = 60;
  std::int32_t default_queue_depth = 100;
  std::int32_t partition_job_depth = 0;
  std::int32_t sched_max_job_start = 0;
  Second bf_interval = 30;
  Second bf_resolution = 60;
  Second bf_window = 1440 * 60;
  std::int32_t bf_max_job_test = 500;
  std::int32_t bf_node_space_size = 0;  // 0: bf_max_job_test
  std::int32_t bf_max_job_start = 0;
  std::int32_t bf_max_job_array_resv = 20;
  std::int32_t bf_max_job_part = 0;
  std::int32_t bf_max_job_user = 0;
  std::int32_t bf_max_job_user_part = 0;
  std::int32_t bf_max_job_assoc = 0;
  bool bf_allow_magnetic_slot = false;
  Second bf_min_age_reserve = 0;
  std::uint32_t bf_min_prio_reserve = 0;
  bool bf_one_resv_per_job = false;
  bool bf_running_job_reserve = false;
  Second bf_window_linear = 0;
  bool bf_hetjob_immediate = false;
  HetjobPrio bf_hetjob_prio = HetjobPrio::own;
  bool whole_hetjob = false;
  bool bf_continue = false;
  bool assoc_limit_stop = false;
  bool bf_licenses = false;
  Second max_switch_wait = 300;

  // what nodes and jobs have beyond CPUs and memory
  std::vector<NodeSettings> node_settings;  // by node group, in its place; missing: nothing
  std::vector<License> licenses;
  std::vector<SwitchSettings> topology;  // empty: flat
  std::int32_t def_cpu_per_gpu = 0;      // DefCpuPerGPU
  std::int32_t def_mem_per_gpu = 0;      // DefMemPerGPU, in MiB
  bool allow_spec_resources = false;     // AllowSpecResourcesUsage: jobs may say --core-spec
  bool ignore_prefer_validation = false;

  bool memory = false;  // SelectTypeParameters=CR_CPU_Memory
  std::int32_t def_mem_per_node = 0;
  std::int32_t def_mem_per_cpu = 0;
  std::int32_t max_mem_per_node = 0;  // 0: unlimited

  // PreemptType, PreemptMode, PreemptExemptTime, PreemptParameters
  Preempt preempt = Preempt::none;
  PreemptMode preempt_mode = PreemptMode::off;
  Second preempt_exempt_time = 0;
  std::uint32_t preempt_min_exempt_priority = 0;  // 0: none
  std::int32_t preempt_reorder_count = 1;
  bool preempt_strict_order = false;
  bool preempt_youngest_first = false;

  // PriorityType=priority/multifactor
  bool multifactor = false;
  std::uint32_t weight_age = 0;
  std::uint32_t weight_job_size = 0;
  std::uint32_t weight_partition = 0;
  std::uint32_t weight_fairshare = 0;
  std::uint32_t weight_qos = 0;
  std::uint32_t weight_assoc = 0;
  std::optional<TresWeights> weight_tres;
  PriorityFlags priority_flags;
  Second decay_half_life = std::int64_t{7} * 86400;  // of what was used; 0: it does not decay
  UsageReset usage_reset = UsageReset::none;
  std::int32_t fairshare_dampening = 1;
  Second priority_max_age = std::int64_t{7} * 86400;
  Second priority_calc_period = 300;
  bool favor_small = false;
  bool accounting = false;  // AccountingStorageType=accounting_storage/slurmdbd: age counts only with it
  Enforce enforce;
  EnforcePartLimits enforce_part_limits = EnforcePartLimits::no;

  // power saving
  std::optional<Second> suspend_time;                     // none: nodes are never suspended
  std::vector<std::optional<Second>> group_suspend_time;  // by node group, in its place; none: that (PCS-6)
  Second suspend_timeout = 30;
  Second resume_timeout = 60;
  std::int32_t suspend_rate = 60;  // a minute; 0: any
  std::int32_t resume_rate = 300;
  std::vector<std::string> suspend_exc_nodes;  // names; what SuspendExcNodes lists

  std::vector<ReservationRequest> reservations;  // by time
  std::vector<std::string> user_names;           // by number; missing: slurmdbd's, or unknown

  Second kill_wait = 30;
  Second message_timeout = 10;
  Second over_time_limit = 0;
  Second reservation_over_run = 0;  // ResvOverRun
  Second slurmd_timeout = 300;
  std::int32_t return_to_service = 0;
  bool job_requeue = true;           // JobRequeue
  bool idle_on_node_suspend = true;  // SlurmctldParameters; as PCS and ParallelCluster have it
};

// The longest that slurmctld may have to wait for something that only time brings.
Time patience(const Conf& conf);

enum class Use : std::uint8_t { implemented, no_effect, refused };

// One parameter, for the parser and for the documentation.
struct Parameter {
  std::string_view name;
  std::string_view where;     // "slurm.conf", "SchedulerParameters", "partition"
  std::string_view fallback;  // Slurm's default, as text
  std::string_view help;      // what it does; why it has no effect; why it is refused
  Use use = Use::implemented;
  std::string_view proof = {};  // the unit test that shows it (evidence.cpp has those of parameters with a setter)
  std::string_view run = {};    // a recorded run in which it counts
};
std::span<const Parameter> parameters();

// Set a parameter of slurm.conf (a partition's: of its line). Return what is wrong with it, "" if nothing: unknown,
// not followed, or a value out of range.
std::string set(Conf& conf, std::string_view name, std::string_view value);
std::string set(Partition& partition, std::string_view name, std::string_view value);
std::string set(NodeSettings& node, std::string_view name, std::string_view value);
std::string set(SwitchSettings& one, std::string_view name, std::string_view value);
std::string set(ReservationSettings& r, std::string_view name, std::string_view value);
// Those of reservations, and their flags; parameters() has them too.
std::span<const Parameter> reservation_parameters();

// [days-]hours:minutes:seconds, minutes[:seconds] and so on, as sbatch --time takes it; INFINITE and UNLIMITED are
// kUnlimited. None if it is not well formed.
std::optional<Second> parse_duration(std::string_view text);

// n[01-03,05],x7 -> n01 n02 n03 n05 x7. Empty for an ill-formed list.
std::vector<std::string> expand_hostlist(std::string_view list);
// The opposite: sorted, with ranges, as Slurm prints node lists.
std::string compress_hostlist(std::vector<std::string> names);
// Slurm's order of node names: numbers by value.
bool name_before(std::string_view a, std::string_view b);

}  // namespace headroom::slurm
