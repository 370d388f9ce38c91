#include "models/policies/slurm/known_names.hpp"

#include <algorithm>
#include <vector>

#include "models/policies/slurm/accounting.hpp"
#include "models/policies/slurm/settings.hpp"

namespace headroom::slurm {
namespace {

constexpr auto kNoEffect = Use::no_effect;
constexpr auto kRefused = Use::refused;
constexpr auto kTaken = Use::implemented;

constexpr std::string_view kNoTime = "slurmctld's own work takes no time here.";
constexpr std::string_view kNoSteps = "Job steps are not modelled.";
constexpr std::string_view kNoHet = "Steps of jobs are not simulated.";
constexpr std::string_view kNoResize = "Jobs do not change their size.";
constexpr std::string_view kNoBurst = "Burst buffers are not modelled.";
constexpr std::string_view kNoTopology = "Networks and their topology are not modelled.";
constexpr std::string_view kOnNode = "It happens on a node, while jobs run or end; runTime and stopTime say how long.";
constexpr std::string_view kLogs = "What is logged, recorded or shown.";
constexpr std::string_view kComms = "How daemons find and talk to each other.";
constexpr std::string_view kFiles = "A file, a program or a place on the controller.";
constexpr std::string_view kLayout = "Sockets, cores and threads of a node are not modelled.";
constexpr std::string_view kNoSites = "Plug-ins of a site are not modelled.";

constexpr std::string_view S = "SchedulerParameters";
constexpr std::string_view D = "SlurmctldParameters";
constexpr std::string_view C = "slurm.conf";
constexpr std::string_view P = "partition";
constexpr std::string_view N = "node";

// clang-format off
constexpr Parameter kNames[] = {
  // slurm.conf(5) of 25.05, SchedulerParameters
  {"allow_zero_lic", S, "off", "More licences than there are, are refused at submission.", kRefused},
  {"bb_array_stage_cnt", S, "10", kNoBurst, kNoEffect},
  {"bf_busy_nodes", S, "off", "Nodes in use before idle ones are not preferred.", kRefused},
  {"bf_ignore_newly_avail_nodes", S, "off", "A cycle takes no time here, so no node comes free under it.", kNoEffect},
  {"bf_job_part_count_reserve", S, "0", "Reservations are not bounded by partition.", kRefused},
  {"bf_topopt_enable", S, "off", "Where jobs are planned to fit best is not tried out.", kRefused},
  {"bf_topopt_iterations", S, "0", "Where jobs are planned to fit best is not tried out.", kRefused},
  {"bf_yield_rpc_cnt", S, "0", kNoTime, kNoEffect},
  {"build_queue_timeout", S, "2000000", kNoTime, kNoEffect},
  {"correspond_after_task_cnt", S, "10", "It bounds a search; what is found is the same.", kNoEffect},
  {"defer_batch", S, "off", "Whether it also stops what defer stops after a kill is not known.", kRefused},
  {"delay_boot", S, "0", "Nodes are not booted anew for features.", kRefused},
  {"disable_hetjob_steps", S, "off", kNoHet, kNoEffect},
  {"disable_job_shrink", S, "off", kNoResize, kNoEffect},
  {"enable_expedited_requeue", S, "off", "Of 25.11: there is no --requeue=expedite.", kNoEffect},
  {"enable_hetjob_steps", S, "off", kNoHet, kNoEffect},
  {"enable_job_state_cache", S, "off", "Answers to squeue only.", kNoEffect},
  {"enable_user_top", S, "off", "Users move no jobs to the top here.", kNoEffect},
  {"extra_constraints", S, "off", "Nodes have no Extra.", kRefused},
  {"Ignore_NUMA", S, "off", kLayout, kNoEffect},
  {"max_array_tasks", S, "MaxArraySize", "Arrays are not bounded at submission.", kRefused},
  {"max_sched_time", S, "2", kNoTime, kNoEffect},
  {"max_script_size", S, "4194304", "Scripts of at most 4 MiB are read.", kNoEffect},
  {"max_submit_line_size", S, "1048576", "There are no command lines.", kNoEffect},
  {"no_backup_scheduling", S, "off", "There is one controller.", kNoEffect},
  {"no_env_cache", S, "off", kOnNode, kNoEffect},
  {"pack_serial_at_end", S, "off", "Jobs of one CPU are placed like the others.", kRefused},
  {"preempt_send_user_signal", S, "off", "What a job makes of a signal is part of its runTime.", kNoEffect},
  {"preempt_youngest_order", S, "off", "Of those that may make way the youngest go first everywhere (preempt_youngest_first) or nowhere.", kRefused},
  {"reduce_completing_frag", S, "off", "Passes do not wait for nodes that complete.", kRefused},
  {"requeue_delay", S, "cred_expire", "Of 25.11. A requeued job waits for 121 s: the default of AuthInfo=cred_expire.", kRefused},
  {"requeue_setup_env_fail", S, "off", "No environment fails to load here.", kNoEffect},
  {"salloc_wait_nodes", S, "off", "There is no salloc; jobs start when all their nodes are up.", kNoEffect},
  {"sbatch_wait_nodes", S, "off", "Jobs start when all their nodes are up, in any case.", kNoEffect},
  {"spec_cores_first", S, "off", kLayout, kNoEffect},
  {"step_retry_count", S, "8", kNoSteps, kNoEffect},
  {"step_retry_time", S, "60", kNoSteps, kNoEffect},
  {"time_min_as_soft_limit", S, "off", "--time-min says how far backfill may shorten a limit, and nothing else.", kRefused},

  // the same, SlurmctldParameters; idle_on_node_suspend is read by conf.cpp
  {"allow_user_triggers", D, "off", "There is no strigger.", kNoEffect},
  {"cloud_dns", D, "off", kComms, kNoEffect},
  {"cloud_reg_addrs", D, "off", kComms, kNoEffect},
  {"conmgr_max_connections", D, "150", kComms, kNoEffect},
  {"conmgr_threads", D, "64", kComms, kNoEffect},
  {"disable_triggers", D, "off", "There is no strigger.", kNoEffect},
  {"enable_configless", D, "off", kFiles, kNoEffect},
  {"enable_rpc_queue", D, "off", kNoTime, kNoEffect},
  {"enable_stepmgr", D, "off", kNoSteps, kNoEffect},
  {"idle_on_node_suspend", D, "off", "A node that is down becomes idle when it is suspended; here on unless this list is given.", kTaken,
   "SlurmFailures.ADeadNodeIsDownItsJobWaitsAndItHealsByItself", "g_failures"},
  {"ignore_constraint_validation", D, "off", "A --constraint that no node meets is refused at submission.", kRefused},
  {"max_dbd_msg_action", D, "discard", kLogs, kNoEffect},
  {"max_powered_nodes", D, "0", "Nodes with power are not bounded.", kRefused},
  {"no_quick_restart", D, "off", "slurmctld does not restart.", kNoEffect},
  {"node_reg_mem_percent", D, "100", "Nodes have the memory that they should.", kNoEffect},
  {"power_save_interval", D, "10", "Power saving looks when it does by default.", kRefused},
  {"power_save_min_interval", D, "0", "Power saving looks when it does by default.", kRefused},
  {"preempt_send_user_signal", D, "off", "What a job makes of a signal is part of its runTime.", kNoEffect},
  {"reboot_from_controller", D, "off", "Nodes are not rebooted.", kNoEffect},
  {"rl_enable", D, "off", "Requests take no time here, and are never too many.", kNoEffect},
  {"user_resv_delete", D, "off", "Users delete no reservations.", kNoEffect},

  // slurm.conf: what PCS lets users set (PCS-7), then what else a schedule may depend on, then the rest
  {"AccountingStorageTRES", C, "", "Resources are counted whether or not they are recorded.", kNoEffect},
  {"AccountingStoreFlags", C, "", kLogs, kNoEffect},
  {"AuthAltParameters", C, "", kComms, kNoEffect},
  {"CliFilterParameters", C, "", kNoSites, kRefused},
  {"CliFilterPlugins", C, "", kNoSites, kRefused},
  {"CommunicationParameters", C, "", kComms, kNoEffect},
  {"Epilog", C, "", kOnNode, kNoEffect},
  {"FirstJobId", C, "1", "Jobs go by their names.", kNoEffect},
  {"HealthCheckInterval", C, "0", "Without a HealthCheckProgram nothing is checked.", kNoEffect},
  {"HealthCheckNodeState", C, "ANY", "Without a HealthCheckProgram nothing is checked.", kNoEffect},
  {"HealthCheckProgram", C, "", "It may drain nodes; say so by operations.", kRefused},
  {"LaunchParameters", C, "", kOnNode, kNoEffect},
  {"MetricsType", C, "", kLogs, kNoEffect},
  {"MinJobAge", C, "300", "No job is forgotten here.", kNoEffect},
  {"Prolog", C, "", kOnNode, kNoEffect},
  {"PrologFlags", C, "", "Alloc and others make jobs start later; prologs take no time here.", kRefused},
  {"RequeueExit", C, "", "A job has one exit code here: it would be requeued for ever.", kRefused},
  {"RequeueExitHold", C, "", "A job that was requeued and held would have to be released by operations.", kRefused},
  {"SrunPortRange", C, "", kComms, kNoEffect},
  {"TaskEpilog", C, "", kOnNode, kNoEffect},
  {"TaskPluginParam", C, "", kOnNode, kNoEffect},
  {"TaskProlog", C, "", kOnNode, kNoEffect},
  {"TrackWCKey", C, "NO", kLogs, kNoEffect},
  {"UnkillableStepProgram", C, "", "Processes go after stopTime, or KillWait.", kNoEffect},
  {"UnkillableStepTimeout", C, "60", "Processes go after stopTime, or KillWait.", kNoEffect},

  {"AccountingStorageBackupHost", C, "", kLogs, kNoEffect},
  {"AccountingStorageExternalHost", C, "", kLogs, kNoEffect},
  {"AccountingStorageHost", C, "", kLogs, kNoEffect},
  {"AccountingStorageParameters", C, "", kLogs, kNoEffect},
  {"AccountingStoragePass", C, "", kLogs, kNoEffect},
  {"AccountingStoragePort", C, "", kLogs, kNoEffect},
  {"AccountingStorageUser", C, "", kLogs, kNoEffect},
  {"AcctGatherEnergyType", C, "", kLogs, kNoEffect},
  {"AcctGatherFilesystemType", C, "", kLogs, kNoEffect},
  {"AcctGatherInterconnectType", C, "", kLogs, kNoEffect},
  {"AcctGatherNodeFreq", C, "", kLogs, kNoEffect},
  {"AcctGatherProfileType", C, "", kLogs, kNoEffect},
  {"AuthAltTypes", C, "", kComms, kNoEffect},
  {"AuthInfo", C, "", "cred_expire says when requeued jobs come back; here after 121 s, its default.", kRefused},
  {"AuthType", C, "", kComms, kNoEffect},
  {"BackupAddr", C, "", kComms, kNoEffect},
  {"BackupController", C, "", kComms, kNoEffect},
  {"BatchStartTimeout", C, "10", "Batch scripts start at once.", kNoEffect},
  {"BcastExclude", C, "", kOnNode, kNoEffect},
  {"BcastParameters", C, "", kOnNode, kNoEffect},
  {"BurstBufferType", C, "", kNoBurst, kRefused},
  {"ClusterName", C, "", kLogs, kNoEffect},
  {"CompleteWait", C, "0", "Passes do not wait for nodes that complete.", kRefused},
  {"ControlAddr", C, "", kComms, kNoEffect},
  {"ControlMachine", C, "", kComms, kNoEffect},
  {"CoreSpecPlugin", C, "", kOnNode, kNoEffect},
  {"CpuFreqDef", C, "", kOnNode, kNoEffect},
  {"CpuFreqGovernors", C, "", kOnNode, kNoEffect},
  {"CredType", C, "", kComms, kNoEffect},
  {"DebugFlags", C, "", kLogs, kNoEffect},
  {"DependencyParameters", C, "", "Jobs whose dependency never comes wait, which is the default.", kRefused},
  {"DisableRootJobs", C, "NO", "Nobody is root here.", kNoEffect},
  {"EioTimeout", C, "", kComms, kNoEffect},
  {"EpilogMsgTime", C, "2000", kNoTime, kNoEffect},
  {"EpilogSlurmctld", C, "", "It may keep nodes completing.", kRefused},
  {"ExtSensorsFreq", C, "", kLogs, kNoEffect},
  {"ExtSensorsType", C, "", kLogs, kNoEffect},
  {"FederationParameters", C, "", "There is one cluster.", kNoEffect},
  {"GetEnvTimeout", C, "", kOnNode, kNoEffect},
  {"GpuFreqDef", C, "", kOnNode, kNoEffect},
  {"GroupUpdateForce", C, "1", "Groups of users are not modelled.", kNoEffect},
  {"GroupUpdateTime", C, "600", "Groups of users are not modelled.", kNoEffect},
  {"HashPlugin", C, "", kComms, kNoEffect},
  {"InactiveLimit", C, "0", "For jobs of salloc and srun.", kNoEffect},
  {"InteractiveStepOptions", C, "", kOnNode, kNoEffect},
  {"JobAcctGatherFrequency", C, "30", kLogs, kNoEffect},
  {"JobAcctGatherParams", C, "", kLogs, kNoEffect},
  {"JobAcctGatherType", C, "", kLogs, kNoEffect},
  {"JobCompHost", C, "", kLogs, kNoEffect},
  {"JobCompLoc", C, "", kLogs, kNoEffect},
  {"JobCompParams", C, "", kLogs, kNoEffect},
  {"JobCompPass", C, "", kLogs, kNoEffect},
  {"JobCompPort", C, "", kLogs, kNoEffect},
  {"JobCompType", C, "", kLogs, kNoEffect},
  {"JobCompUser", C, "", kLogs, kNoEffect},
  {"JobContainerType", C, "", kOnNode, kNoEffect},
  {"JobFileAppend", C, "0", kOnNode, kNoEffect},
  {"JobSubmitPlugins", C, "", kNoSites, kRefused},
  {"KeepAliveTime", C, "", kComms, kNoEffect},
  {"KillOnBadExit", C, "0", kNoSteps, kNoEffect},
  {"LaunchType", C, "", kOnNode, kNoEffect},
  {"LogTimeFormat", C, "iso8601_ms", kLogs, kNoEffect},
  {"MailDomain", C, "", kLogs, kNoEffect},
  {"MailProg", C, "/bin/mail", kLogs, kNoEffect},
  {"MaxArraySize", C, "1001", "Arrays are not bounded at submission.", kRefused},
  {"MaxBatchRequeue", C, "5", "How often a job was requeued is not bounded.", kRefused},
  {"MaxDBDMsgs", C, "", kLogs, kNoEffect},
  {"MaxJobCount", C, "10000", "The number of jobs is not bounded.", kRefused},
  {"MaxJobId", C, "67043328", "Jobs go by their names.", kNoEffect},
  {"MaxMemPerCPU", C, "0", "It gives a job more CPUs for its memory; give MaxMemPerNode, or ask for these CPUs.", kRefused},
  {"MaxNodeCount", C, "", "Nodes do not join while it runs.", kNoEffect},
  {"MaxStepCount", C, "40000", kNoSteps, kNoEffect},
  {"MaxTasksPerNode", C, "512", kNoSteps, kNoEffect},
  {"MCSParameters", C, "", "Labels decide who shares nodes.", kRefused},
  {"MCSPlugin", C, "mcs/none", "Labels decide who shares nodes.", kRefused},
  {"MpiDefault", C, "none", kOnNode, kNoEffect},
  {"MpiParams", C, "", kOnNode, kNoEffect},
  {"NodeFeaturesPlugins", C, "", "Nodes are not booted anew for features.", kRefused},
  {"PluginDir", C, "", kFiles, kNoEffect},
  {"PlugStackConfig", C, "", kFiles, kNoEffect},
  {"PowerParameters", C, "", "Power capping is not modelled.", kNoEffect},
  {"PowerPlugin", C, "", "Power capping is not modelled.", kNoEffect},
  {"PrEpParameters", C, "", kOnNode, kNoEffect},
  {"PrEpPlugins", C, "", kOnNode, kNoEffect},
  {"PrioritySiteFactorParameters", C, "", kNoSites, kRefused},
  {"PrioritySiteFactorPlugin", C, "", kNoSites, kRefused},
  {"PrivateData", C, "", kLogs, kNoEffect},
  {"ProctrackType", C, "proctrack/cgroup", kOnNode, kNoEffect},
  {"PrologEpilogTimeout", C, "", kOnNode, kNoEffect},
  {"PrologSlurmctld", C, "", "Jobs would wait for it.", kRefused},
  {"PropagatePrioProcess", C, "", kOnNode, kNoEffect},
  {"PropagateResourceLimits", C, "ALL", kOnNode, kNoEffect},
  {"PropagateResourceLimitsExcept", C, "", kOnNode, kNoEffect},
  {"RebootProgram", C, "", kFiles, kNoEffect},
  {"ReconfigFlags", C, "", "slurm.conf does not change while it runs.", kNoEffect},
  {"ResumeFailProgram", C, "", kFiles, kNoEffect},
  {"ResumeProgram", C, "", "The cloud of the scenario.", kNoEffect},
  {"ResvEpilog", C, "", kFiles, kNoEffect},
  {"ResvProlog", C, "", kFiles, kNoEffect},
  {"RoutePlugin", C, "", kComms, kNoEffect},
  {"SchedulerTimeSlice", C, "30", "For gang scheduling.", kNoEffect},
  {"ScronParameters", C, "", "There is no scrontab.", kNoEffect},
  {"SlurmctldAddr", C, "", kComms, kNoEffect},
  {"SlurmctldDebug", C, "info", kLogs, kNoEffect},
  {"SlurmctldHost", C, "", kComms, kNoEffect},
  {"SlurmctldLogFile", C, "", kLogs, kNoEffect},
  {"SlurmctldPidFile", C, "", kFiles, kNoEffect},
  {"SlurmctldPlugstack", C, "", kFiles, kNoEffect},
  {"SlurmctldPort", C, "6817", kComms, kNoEffect},
  {"SlurmctldPrimaryOffProg", C, "", kFiles, kNoEffect},
  {"SlurmctldPrimaryOnProg", C, "", kFiles, kNoEffect},
  {"SlurmctldSyslogDebug", C, "", kLogs, kNoEffect},
  {"SlurmctldTimeout", C, "120", "There is one controller.", kNoEffect},
  {"SlurmdDebug", C, "info", kLogs, kNoEffect},
  {"SlurmdLogFile", C, "", kLogs, kNoEffect},
  {"SlurmdParameters", C, "", kOnNode, kNoEffect},
  {"SlurmdPidFile", C, "", kFiles, kNoEffect},
  {"SlurmdPort", C, "6818", kComms, kNoEffect},
  {"SlurmdSpoolDir", C, "", kFiles, kNoEffect},
  {"SlurmdSyslogDebug", C, "", kLogs, kNoEffect},
  {"SlurmdUser", C, "", kFiles, kNoEffect},
  {"SlurmSchedLogFile", C, "", kLogs, kNoEffect},
  {"SlurmSchedLogLevel", C, "", kLogs, kNoEffect},
  {"SlurmUser", C, "", kFiles, kNoEffect},
  {"SrunEpilog", C, "", kOnNode, kNoEffect},
  {"SrunProlog", C, "", kOnNode, kNoEffect},
  {"StateSaveLocation", C, "", kFiles, kNoEffect},
  {"SuspendExcParts", C, "", "Name the nodes in SuspendExcNodes.", kRefused},
  {"SuspendExcStates", C, "", "Name the nodes in SuspendExcNodes.", kRefused},
  {"SuspendProgram", C, "", "The cloud of the scenario.", kNoEffect},
  {"SwitchParameters", C, "", kOnNode, kNoEffect},
  {"SwitchType", C, "", kNoTopology, kNoEffect},
  {"TaskPlugin", C, "", kOnNode, kNoEffect},
  {"TCPTimeout", C, "2", kComms, kNoEffect},
  {"TLSType", C, "", kComms, kNoEffect},
  {"TmpFS", C, "/tmp", "Disks of nodes are not modelled.", kNoEffect},
  {"TopologyParam", C, "", kNoTopology, kRefused},
  {"TreeWidth", C, "16", kComms, kNoEffect},
  {"UsePAM", C, "0", kOnNode, kNoEffect},
  {"VSizeFactor", C, "0", kOnNode, kNoEffect},
  {"WaitTime", C, "0", kNoSteps, kNoEffect},
  {"X11Parameters", C, "", kOnNode, kNoEffect},

  // nodes: what PCS lets users set (PCS-16); Weight and RealMemory are read by scenario.cpp
  {"Parameters", N, "", "Of 25.11; what they do is not modelled.", kRefused},
  {"RealMemory", N, "", "MiB that jobs can have; without it 95 % of the smallest instance type's.", kTaken, "SlurmScenario.GivesNodesTheirMemory"},
  {"Weight", N, "1", "Nodes of lower weight are taken first.", kTaken, "SlurmNodes.PowerGoesBeforeWeight", "d_weights_shared"},

  // partitions
  {"AllocNodes", P, "ALL", "Where jobs are submitted from is not modelled.", kNoEffect},
  {"AllowGroups", P, "ALL", "Groups of users are not modelled.", kRefused},
  {"Alternate", P, "", "Partitions are always up.", kNoEffect},
  {"CpuBind", P, "", kOnNode, kNoEffect},
  {"Default", P, "NO", "Jobs that name no queue go to the first.", kRefused},
  {"DisableRootJobs", P, "NO", "Nobody is root here.", kNoEffect},
  {"ExclusiveTopo", P, "NO", kNoTopology, kRefused},
  {"Hidden", P, "NO", kLogs, kNoEffect},
  {"LLN", P, "NO", "The least loaded nodes first is another choice of nodes.", kRefused},
  {"MaxCPUsPerSocket", P, "UNLIMITED", kLayout, kRefused},
  {"MaxMemPerCPU", P, "0", "It gives a job more CPUs for its memory; give MaxMemPerNode, or ask for these CPUs.", kRefused},
  {"Nodes", P, "", "Those of the queue's groups.", kRefused},
  {"PartitionName", P, "", "The queue's.", kRefused},
  {"SelectTypeParameters", P, "", "Give it in slurm.conf, for all.", kRefused},
  {"Shared", P, "NO", "The old name of OverSubscribe: use that.", kRefused},
  {"Topology", P, "", kNoTopology, kRefused},

  // scontrol(1), reservations
  {"BurstBuffer", "reservation", "", kNoBurst, kRefused},
  {"Features", "reservation", "", "Which nodes NodeCnt takes does not go by features; name them.", kRefused},
  {"Groups", "reservation", "", "Groups of users are not modelled; name the users.", kRefused},
  {"MaxStartDelay", "reservation", "", "Jobs of others do not borrow its nodes.", kRefused},
  {"Skip", "reservation", "", "One that recurs does not skip a turn.", kRefused},
  {"TRES", "reservation", "", "Say it with NodeCnt, CoreCnt and Licenses.", kRefused},
  {"TRESPerNode", "reservation", "", "Generic resources of nodes are not reserved.", kRefused},
  {"Watts", "reservation", "", "Power capping is not modelled.", kRefused},
  {"ALL_NODES", "reservation flag", "", "Slurm shows it; say Nodes=ALL.", kRefused},
  {"FORCE_START", "reservation flag", "", "Of 24.11; times of reservations that recur count from their request here.", kRefused},
  {"GRES_ONLY", "reservation flag", "", "Generic resources of nodes are not reserved.", kRefused},
  {"REPLACE", "reservation flag", "", "Nodes that its jobs hold are not replaced by others.", kRefused},
  {"SPEC_NODES", "reservation flag", "", "Slurm shows it; say Nodes.", kRefused},

  // sacctmgr
  {"Comment", "account", "", kLogs, kNoEffect},
  {"Description", "account", "", kLogs, kNoEffect},
  {"GrpJobsAccrue", "account", "-1", "Which jobs gain age is not limited.", kRefused},
  {"MaxJobsAccrue", "account", "-1", "Which jobs gain age is not limited.", kRefused},
  {"Organization", "account", "", kLogs, kNoEffect},
  {"Partition", "account", "", "Associations are not by partition.", kRefused},
  {"AdminLevel", "user", "None", "Nobody is an operator here.", kNoEffect},
  {"Comment", "user", "", kLogs, kNoEffect},
  {"DefaultAccount", "user", "", "The first of account.", kRefused},
  {"DefaultWCKey", "user", "", kLogs, kNoEffect},
  {"GrpJobsAccrue", "user", "-1", "Which jobs gain age is not limited.", kRefused},
  {"MaxJobsAccrue", "user", "-1", "Which jobs gain age is not limited.", kRefused},
  {"Partition", "user", "", "Associations are not by partition.", kRefused},
  {"WCKeys", "user", "", kLogs, kNoEffect},
  {"Description", "QOS", "", kLogs, kNoEffect},
  {"GrpJobsAccrue", "QOS", "-1", "Which jobs gain age is not limited.", kRefused},
  {"MaxJobsAccruePerAccount", "QOS", "-1", "Which jobs gain age is not limited.", kRefused},
  {"MaxJobsAccruePerUser", "QOS", "-1", "Which jobs gain age is not limited.", kRefused},
  {"MaxTRESRunMinsPerAccount", "QOS", "", "TRES-minutes of running jobs are limited for all together only.", kRefused},
  {"MaxTRESRunMinsPerUser", "QOS", "", "TRES-minutes of running jobs are limited for all together only.", kRefused},
};
// clang-format on

const Parameter* find_in(std::span<const Parameter> list, std::string_view where, std::string_view name) {
  const auto at = std::find_if(list.begin(), list.end(),
                               [&](const Parameter& each) { return each.where == where && same(each.name, name); });
  return at == list.end() ? nullptr : &*at;
}

}  // namespace

std::span<const Parameter> known_names() { return kNames; }

const Parameter* find_known_name(std::string_view where, std::string_view name) { return find_in(kNames, where, name); }

std::optional<Use> use_of(std::string_view where, std::string_view name) {
  for (const std::span<const Parameter> list : {parameters(), accounting_parameters(), known_names()}) {
    if (const Parameter* const found = find_in(list, where, name)) return found->use;
  }
  return std::nullopt;
}

}  // namespace headroom::slurm
