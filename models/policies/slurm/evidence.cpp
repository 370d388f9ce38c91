#include "models/policies/slurm/evidence.hpp"

#include <algorithm>

namespace headroom::slurm {
namespace {

struct Evidence {
  std::string_view where;
  std::string_view name;
  std::string_view proof;
  std::string_view run = {};
};

constexpr std::string_view S = "SchedulerParameters";
constexpr std::string_view C = "slurm.conf";
constexpr std::string_view P = "partition";

// clang-format off
constexpr Evidence kEvidence[] = {
  {S, "batch_sched_delay", "SlurmPasses.MayBeSetCloserTogether", "b3_backfill_fast"},
  {S, "bf_hetjob_immediate", "SlurmHetJobs.MayStartInTheMiddleOfACycle", "s37-het-immediate"},
  {S, "bf_hetjob_prio", "SlurmHetJobs.MayBeInOrderAsAWhole", "s37-het-immediate"},
  {S, "bf_interval", "SlurmBackfill.LooksEachInterval", "b3_backfill_fast"},
  {S, "bf_max_job_array_resv", "SlurmBackfill.PlansSomeTasksOfAnArrayOnly"},
  {S, "bf_max_job_part", "SlurmBackfill.TestsSoManyJobsOnly"},
  {S, "bf_max_job_start", "SlurmBackfill.TestsSoManyJobsOnly"},
  {S, "bf_max_job_test", "SlurmBackfill.TestsSoManyJobsOnly"},
  {S, "bf_max_job_user", "SlurmBackfill.TestsSoManyJobsOnly"},
  {S, "bf_max_job_user_part", "SlurmBackfill.TestsSoManyJobsOfAUserInAPartition"},
  {S, "bf_min_age_reserve", "SlurmBackfill.ReservesForSomeOnly"},
  {S, "bf_min_prio_reserve", "SlurmBackfill.ReservesForSomeOnly"},
  {S, "bf_node_space_size", "SlurmBackfill.PlansSoManyRecordsOnly"},
  {S, "bf_one_resv_per_job", "SlurmPartitionList.ReservesInOnePartitionIfToldTo"},
  {S, "bf_resolution", "SlurmBackfill.PlansInWholeMinutes", "b3_backfill_fast"},
  {S, "bf_running_job_reserve", "SlurmBackfill.MayReserveForRunningJobs"},
  {S, "bf_window", "SlurmBackfill.LooksAheadForAWindow", "b3_backfill_fast"},
  {S, "bf_window_linear", "SlurmBackfill.LooksAtEndsInWindowsThatGrow"},
  {S, "default_queue_depth", "SlurmPasses.TestSoManyJobsOnly"},
  {S, "defer", "SlurmCompleting.NodesStayBusyUntilTheProcessesAreGone"},
  {S, "partition_job_depth", "SlurmPasses.TestSoManyJobsOfAPartitionOnly"},
  {S, "sched_interval", "SlurmPasses.LookAtTheWholeQueueEachMinute", "b3_backfill_fast"},
  {S, "nohold_on_prolog_fail", "SlurmProlog.DrainsTheNodeAndHoldsTheJob", "s45"},
  {S, "sched_min_interval", "SlurmPasses.KeepSchedMinInterval", "s39"},
  {S, "sched_max_job_start", "SlurmPasses.StartSoManyJobsOnly"},
  {S, "whole_hetjob", "SlurmHetJobs.AreCancelledAsAWhole"},
  {C, "SchedulerType", "SlurmBackfill.DoesNotRunWithTheBuiltinScheduler", "a_fifo_static"},
  {C, "SchedulerParameters", "SlurmConf.TakesEveryNumberOfSchedulerParametersWithinItsRange"},
  {C, "SelectType", "SlurmConf.TakesWordsThatAreFollowedAndRefusesTheOthers"},
  {C, "SelectTypeParameters", "SlurmQueue.MemoryIsConsumedWhereItCounts", "e_excl_mem"},
  {C, "DefMemPerNode", "SlurmJobs.TakeTheDefaultsOfPartitionAndSlurmConf"},
  {C, "DefMemPerCPU", "SlurmJobs.TakeTheDefaultsOfPartitionAndSlurmConf"},
  {C, "PriorityType", "SlurmPriority.MultifactorAddsWeightedFactors", "f_deps_arrays_mf"},
  {C, "PriorityWeightAge", "SlurmPriority.AgeCountsWithAccountingOnly", "l_age_dbd"},
  {C, "PriorityWeightJobSize", "SlurmPriority.MultifactorAddsWeightedFactors", "f_deps_arrays_mf"},
  {C, "PriorityWeightPartition", "SlurmPriority.MultifactorComparesPartitionsWithTheGreatest", "f_deps_arrays_mf"},
  {C, "PriorityWeightFairshare", "SlurmConf.TakesWordsThatAreFollowedAndRefusesTheOthers"},
  {C, "PriorityWeightQOS", "SlurmConf.TakesWordsThatAreFollowedAndRefusesTheOthers"},
  {C, "PriorityMaxAge", "SlurmPriority.AgeCountsWithAccountingOnly", "l_age_dbd"},
  {C, "PriorityCalcPeriod", "SlurmQueue.AgeIsLookedAtNowAndThen", "l_age_dbd"},
  {C, "PriorityFavorSmall", "SlurmPriority.MultifactorAddsWeightedFactors"},
  {C, "AccountingStorageType", "SlurmPriority.AgeCountsWithAccountingOnly", "l_age_dbd"},
  {C, "SuspendTime", "SlurmPower.SuspendsAfterMoreThanSuspendTime", "c_cloud_zero"},
  {C, "SuspendTimeout", "SlurmPower.ANodeThatPowersDownIsNotToBeHad", "c_cloud_zero"},
  {C, "ResumeTimeout", "SlurmFailures.ANodeThatDoesNotBootIsDownAndItsJobWaits121Seconds", "g_failures"},
  {C, "SuspendRate", "SlurmRates.SuspendAsTokensAllow"},
  {C, "ResumeRate", "SlurmRates.ResumeAsTokensAllow", "c_cloud_zero"},
  {C, "SuspendExcNodes", "SlurmPower.SuspendsOnlyWhatMayBeSuspended"},
  {C, "KillWait", "SlurmScenario.TakesProcessesThatIgnoreSigtermAwayAfterKillWait", "i_timelimit"},
  {C, "OverTimeLimit", "SlurmChecks.OverTimeLimitGivesMinutes"},
  {C, "SlurmdTimeout", "SlurmFailures.ADeadNodeIsDownItsJobWaitsAndItHealsByItself", "g_failures"},
  {C, "ReturnToService", "SlurmFailures.AFixedNodeReturnsToServiceOnlyIfSlurmConfSaysSo", "g_failures"},
  {C, "JobRequeue", "SlurmScenario.RequeuesAsJobRequeueSays"},
  {C, "SlurmctldParameters", "SlurmFailures.ADeadNodeIsDownItsJobWaitsAndItHealsByItself"},
  {P, "PriorityTier", "SlurmQueue.GoesByTiersThenPriorities", "f_deps_arrays_mf"},
  {P, "PriorityJobFactor", "SlurmPriority.MultifactorComparesPartitionsWithTheGreatest", "f_deps_arrays_mf"},
  {P, "MaxTime", "SlurmPartitions.HoldBackWhatIsTooLongOrTooWide", "e_excl_mem"},
  {P, "DefaultTime", "SlurmJobs.TakeThePartitionsLimitWhereTheyGiveNone", "i_timelimit"},
  {P, "MinNodes", "SlurmJobs.TakeTheDefaultsOfPartitionAndSlurmConf"},
  {P, "MaxCPUsPerNode", "SlurmMaxCPUsPerNode.CountsTheJobsOfThePartition", "s07"},
  {P, "MaxNodes", "SlurmPartitions.HoldBackWhatIsTooLongOrTooWide"},
  {P, "OverSubscribe", "SlurmJobs.TakeTheDefaultsOfPartitionAndSlurmConf", "e_excl_mem"},
  {P, "DefMemPerNode", "SlurmJobs.TakeTheDefaultsOfPartitionAndSlurmConf"},
  {P, "DefMemPerCPU", "SlurmJobs.TakeTheDefaultsOfPartitionAndSlurmConf"},
  {P, "SuspendTime", "SlurmNodes.TakeTheLargestTimesOfTheirPartitions"},
  {P, "SuspendTimeout", "SlurmNodes.TakeTheLargestTimesOfTheirPartitions"},
  {P, "ResumeTimeout", "SlurmNodes.TakeTheLargestTimesOfTheirPartitions"},
};
// clang-format on

// All that sacctmgr sets, until fair share, QOS, limits and preemption follow it: a line above for each that is
// followed.
constexpr std::string_view kInWork[] = {"account", "user", "QOS"};

const Evidence* find(const Parameter& parameter) {
  const auto* const at = std::find_if(std::begin(kEvidence), std::end(kEvidence), [&](const Evidence& each) {
    return each.where == parameter.where && each.name == parameter.name;
  });
  return at == std::end(kEvidence) ? nullptr : at;
}

}  // namespace

Parameter with_evidence(Parameter parameter) {
  if (const Evidence* const found = find(parameter)) {
    parameter.proof = found->proof;
    parameter.run = found->run;
  }
  return parameter;
}

bool in_work(const Parameter& parameter) {
  return parameter.use == Use::implemented && parameter.proof.empty() &&
         std::find(std::begin(kInWork), std::end(kInWork), parameter.where) != std::end(kInWork);
}

}  // namespace headroom::slurm
