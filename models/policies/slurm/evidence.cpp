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
constexpr std::string_view N = "node";
constexpr std::string_view W = "switch";
constexpr std::string_view A = "account";
constexpr std::string_view U = "user";
constexpr std::string_view Q = "QOS";

// clang-format off
constexpr Evidence kEvidence[] = {
  {S, "batch_sched_delay", "SlurmPasses.MayBeSetCloserTogether", "b3_backfill_fast"},
  {S, "bf_hetjob_immediate", "SlurmHetJobs.MayStartInTheMiddleOfACycle", "s37-het-immediate"},
  {S, "bf_hetjob_prio", "SlurmHetJobs.MayBeInOrderAsAWhole", "s37-het-immediate"},
  {S, "bf_interval", "SlurmBackfill.LooksEachInterval", "b3_backfill_fast"},
  {S, "bf_max_job_array_resv", "SlurmBackfill.PlansSomeTasksOfAnArrayOnly"},
  {S, "bf_max_job_part", "SlurmBackfill.TestsSoManyJobsOnly"},
  {S, "bf_max_job_start", "SlurmBackfill.TestsSoManyJobsOnly", "s43-bf-max-job-user-part"},
  {S, "bf_max_job_test", "SlurmBackfill.TestsSoManyJobsOnly"},
  {S, "bf_max_job_user", "SlurmBackfill.TestsSoManyJobsOnly", "s42-bf-max-job-user"},
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
  {S, "nohold_on_prolog_fail", "SlurmProlog.DrainsTheNodeAndHoldsTheJob", "s45-nohold-on-prolog-fail"},
  {S, "sched_min_interval", "SlurmPasses.KeepSchedMinInterval", "s39-max-rpc"},
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
  {C, "PriorityWeightFairshare", "SlurmPriorityRecorded.FairTree", "s02-fair-tree"},
  {C, "PriorityWeightQOS", "SlurmPriority.QosAndAssociationsAreDividedByTheGreatest", "s03-priority-weights"},
  {C, "PriorityMaxAge", "SlurmPriority.AgeCountsWithAccountingOnly", "l_age_dbd"},
  {C, "PriorityCalcPeriod", "SlurmQueue.AgeIsLookedAtNowAndThen", "l_age_dbd"},
  {C, "PriorityFavorSmall", "SlurmPriority.MultifactorAddsWeightedFactors", "s04-favor-small"},
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
  {P, "MaxCPUsPerNode", "SlurmMaxCPUsPerNode.CountsTheJobsOfThePartition", "s07-partition-limits-no"},
  {P, "MaxNodes", "SlurmPartitions.HoldBackWhatIsTooLongOrTooWide"},
  {P, "OverSubscribe", "SlurmOverSubscribe.JobsShareCpusInRows", "s13-oversubscribe"},
  {P, "DefMemPerNode", "SlurmJobs.TakeTheDefaultsOfPartitionAndSlurmConf"},
  {P, "DefMemPerCPU", "SlurmJobs.TakeTheDefaultsOfPartitionAndSlurmConf"},
  {P, "SuspendTime", "SlurmNodes.TakeTheLargestTimesOfTheirPartitions"},
  {P, "SuspendTimeout", "SlurmNodes.TakeTheLargestTimesOfTheirPartitions"},
  {P, "ResumeTimeout", "SlurmNodes.TakeTheLargestTimesOfTheirPartitions"},
  {S, "assoc_limit_stop", "SlurmLimits.DoNotCloseThePartition", "s40-assoc-limit-stop"},
  {S, "bf_licenses", "SlurmResources.BackfillPlansLicencesWhereItIsTold"},
  {S, "max_switch_wait", "SlurmTopology.WaitsForSwitchesAsLongAsItWasTold", "s50-switches-wait"},
  {S, "preempt_reorder_count", "SlurmPreemption.TriesAgainWithThoseThatMatter", "s22-preempt-reorder-count"},
  {S, "preempt_strict_order", "SlurmPreemption.IsReadFromSlurmConf", "s22-preempt-reorder-count"},
  {S, "preempt_youngest_first", "SlurmPreemption.TheYoungestMayGoFirst", "s21-preempt-youngest-first"},
  {C, "Licenses", "SlurmResources.JobsWaitForLicencesAndOthersPass", "s29-licenses"},
  {C, "AllowSpecResourcesUsage", "SlurmResources.WhatAJobLeavesToTheSystemNobodyGets", "s32-core-spec"},
  {C, "DefCpuPerGPU", "SlurmGpus.HaveDefaultsOfCpusAndMemory"},
  {C, "DefMemPerGPU", "SlurmGpus.HaveDefaultsOfCpusAndMemory"},
  {C, "PreemptType", "SlurmPreemption.OnlyThoseThatTheQosNamesMakeWay", "s22-preempt-reorder-count"},
  {C, "PreemptMode", "SlurmPreemption.TheModeIsTheClustersOrTheQos", "s22-preempt-reorder-count"},
  {C, "PreemptExemptTime", "SlurmPreemption.AJobThatJustBeganIsExempt", "s20-preempt-exempt-time"},
  {C, "PreemptParameters", "SlurmPreemption.IsReadFromSlurmConf"},
  {C, "PriorityWeightAssoc", "SlurmPriority.QosAndAssociationsAreDividedByTheGreatest", "s03-priority-weights"},
  {C, "PriorityWeightTRES", "SlurmPriority.TresAreSharesOfThePartition", "s03-priority-weights"},
  {C, "PriorityFlags", "SlurmPriority.SettingsAreRefusedByName", "s01-fairshare-classic"},
  {C, "PriorityDecayHalfLife", "SlurmPriority.UsageDecays", "s02-fair-tree"},
  {C, "PriorityUsageResetPeriod", "SlurmPriority.UsageIsForgottenByTheCalendar"},
  {C, "FairShareDampeningFactor", "SlurmFairshare.DampeningDividesUsageOverShares"},
  {C, "AccountingStorageEnforce", "SlurmEnforce.NothingThatIsNotNamed", "s14-qos-limits"},
  {C, "EnforcePartLimits", "SlurmAccess.RejectsWhatIsTooLongOrWideIfToldTo", "s07-partition-limits-no"},
  {P, "TRESBillingWeights", "SlurmPriority.BillingIsTheSumOrTheGreatest", "p02-fair-tree-ties"},
  {P, "PreemptMode", "SlurmPreemption.ByPartitionTheHigherTierTakes", "s23-preempt-tier-requeue"},
  {P, "GraceTime", "SlurmPreemption.GraceTimeLetsAJobRunOn", "s24-preempt-tier-cancel"},
  {P, "ExclusiveUser", "SlurmResources.NodesOfOneUserAtATime", "s12-exclusive-user"},
  {P, "DefCpuPerGPU", "SlurmGpus.HaveDefaultsOfCpusAndMemory"},
  {P, "DefMemPerGPU", "SlurmGpus.HaveDefaultsOfCpusAndMemory"},
  {P, "JobDefaults", "SlurmGpus.HaveDefaultsOfCpusAndMemory"},
  {P, "AllowAccounts", "SlurmAccess.GoesByAccountAndQos", "s10-partition-access"},
  {P, "DenyAccounts", "SlurmAccess.GoesByAccountAndQos", "s10-partition-access"},
  {P, "AllowQos", "SlurmAccess.GoesByAccountAndQos", "s10-partition-access"},
  {P, "DenyQos", "SlurmAccess.GoesByAccountAndQos", "s10-partition-access"},
  {P, "RootOnly", "SlurmAccess.GoesByStateAndRoot"},
  {P, "State", "SlurmAccess.GoesByStateAndRoot"},
  {P, "QOS", "SlurmLimits.OfThePartitionsQosComeFirst", "s17-partition-qos"},
  {P, "MaxMemPerNode", "SlurmAccess.BoundsMemory"},
  {P, "OverTimeLimit", "SlurmAccess.HasItsOwnOverTimeLimit"},
  {P, "PowerDownOnIdle", "SlurmAccess.PowersDownNodesThatAreIdle"},
  {N, "Features", "SlurmPlacement.FeaturesAreReadFromLeftToRight", "s28-constraints"},
  {N, "Gres", "SlurmPlacement.GpusOnEachNode", "s26-gpus-by-node"},
  {N, "CoreSpecCount", "SlurmResources.CoresOfTheSystemAreNobodys", "s32-core-spec"},
  {N, "CpuSpecList", "SlurmResourceScenario.TakesSettingsOfNodesFromPcsAndFromTheScheduler"},
  {N, "MemSpecLimit", "SlurmGpus.LeaveTheSystemItsMemory"},
  {W, "Nodes", "SlurmTopology.KnowsLevelsAndDistances", "s31-topology-switches"},
  {W, "Switches", "SlurmTopology.KnowsLevelsAndDistances", "s31-topology-switches"},
  {A, "GrpTRES", "SlurmLimitOfUse.HoldsTheSecondJobBackUntilTheFirstIsGone", "s41-assoc-limit-go-on"},
  {A, "GrpTRESMins", "SlurmLimitOfUsage.EndsWhatRunsAndStartsNothingMore", "s16-tres-mins-safe"},
  {A, "GrpTRESRunMins", "SlurmLimitOfUse.HoldsTheSecondJobBackUntilTheFirstIsGone", "s16-tres-mins-safe"},
  {A, "GrpJobs", "SlurmLimitOfUse.HoldsTheSecondJobBackUntilTheFirstIsGone", "s15-assoc-limits"},
  {A, "GrpSubmitJobs", "SlurmLimitOfSubmission.RejectsTheThirdJobUntilOneIsGone", "s15-assoc-limits"},
  {A, "GrpWall", "SlurmLimitOfUsage.EndsWhatRunsAndStartsNothingMore", "s16-tres-mins-safe"},
  {A, "MaxTRESPerJob", "SlurmLimitOfAJob.KeepsItWaiting", "s15-assoc-limits"},
  {A, "MaxTRESPerNode", "SlurmLimitOfAJob.KeepsItWaiting"},
  {A, "MaxTRESMinsPerJob", "SlurmLimitOfAJob.KeepsItWaiting"},
  {A, "MaxWallDurationPerJob", "SlurmLimitOfAJob.KeepsItWaiting", "s15-assoc-limits"},
  {A, "MinPrioThreshold", "SlurmLimits.HaveTheirOwnThresholdForReservations"},
  {U, "GrpTRES", "SlurmLimitOfUse.HoldsTheSecondJobBackUntilTheFirstIsGone"},
  {U, "GrpTRESMins", "SlurmLimitOfUsage.EndsWhatRunsAndStartsNothingMore"},
  {U, "GrpTRESRunMins", "SlurmLimitOfUse.HoldsTheSecondJobBackUntilTheFirstIsGone"},
  {U, "GrpJobs", "SlurmLimitOfUse.HoldsTheSecondJobBackUntilTheFirstIsGone"},
  {U, "GrpSubmitJobs", "SlurmLimitOfSubmission.RejectsTheThirdJobUntilOneIsGone"},
  {U, "GrpWall", "SlurmLimitOfUsage.EndsWhatRunsAndStartsNothingMore"},
  {U, "MaxTRESPerJob", "SlurmLimitOfAJob.KeepsItWaiting"},
  {U, "MaxTRESPerNode", "SlurmLimitOfAJob.KeepsItWaiting"},
  {U, "MaxTRESMinsPerJob", "SlurmLimitOfAJob.KeepsItWaiting"},
  {U, "MaxWallDurationPerJob", "SlurmLimitOfAJob.KeepsItWaiting"},
  {U, "MinPrioThreshold", "SlurmLimits.HaveTheirOwnThresholdForReservations"},
  {Q, "GrpTRES", "SlurmLimitOfUse.HoldsTheSecondJobBackUntilTheFirstIsGone", "s14-qos-limits"},
  {Q, "GrpTRESMins", "SlurmLimitOfUsage.EndsWhatRunsAndStartsNothingMore", "s16-tres-mins-safe"},
  {Q, "GrpTRESRunMins", "SlurmLimitOfUse.HoldsTheSecondJobBackUntilTheFirstIsGone"},
  {Q, "GrpJobs", "SlurmLimitOfUse.HoldsTheSecondJobBackUntilTheFirstIsGone", "s14-qos-limits"},
  {Q, "GrpSubmitJobs", "SlurmLimitOfSubmission.RejectsTheThirdJobUntilOneIsGone"},
  {Q, "GrpWall", "SlurmLimitOfUsage.EndsWhatRunsAndStartsNothingMore"},
  {Q, "MaxTRESPerJob", "SlurmLimitOfAJob.KeepsItWaiting", "s14-qos-limits"},
  {Q, "MaxTRESPerNode", "SlurmLimitOfAJob.KeepsItWaiting"},
  {Q, "MaxTRESMinsPerJob", "SlurmLimitOfAJob.KeepsItWaiting"},
  {Q, "MaxWallDurationPerJob", "SlurmLimitOfAJob.KeepsItWaiting", "s14-qos-limits"},
  {Q, "MinPrioThreshold", "SlurmLimits.HaveTheirOwnThresholdForReservations"},
  {A, "parent", "SlurmLimits.OfAnAccountHoldForThoseBelowIt", "s15-assoc-limits"},
  {A, "fairshare", "SlurmFairshare.FairTreeRanksAccountsBeforeTheirUsers", "s02-fair-tree"},
  {A, "priority", "SlurmFairshare.PriorityIsHandedDown", "s03-priority-weights"},
  {A, "qos", "SlurmEnforce.QosRejectsWhatOneMayNotHave", "s14-qos-limits"},
  {A, "DefaultQOS", "SlurmEnforce.FindsTheDefaultQos", "s16-tres-mins-safe"},
  {A, "MaxJobs", "SlurmLimitOfUse.HoldsTheSecondJobBackUntilTheFirstIsGone", "s15-assoc-limits"},
  {A, "MaxSubmitJobs", "SlurmLimitOfSubmission.RejectsTheThirdJobUntilOneIsGone", "s15-assoc-limits"},
  {U, "fairshare", "SlurmFairshare.FairTreeRanksAccountsBeforeTheirUsers", "s02-fair-tree"},
  {U, "priority", "SlurmFairshare.PriorityIsHandedDown", "s03-priority-weights"},
  {U, "qos", "SlurmEnforce.QosRejectsWhatOneMayNotHave", "s10-partition-access"},
  {U, "DefaultQOS", "SlurmEnforce.FindsTheDefaultQos"},
  {U, "MaxJobs", "SlurmLimitOfUse.HoldsTheSecondJobBackUntilTheFirstIsGone"},
  {U, "MaxSubmitJobs", "SlurmLimitOfSubmission.RejectsTheThirdJobUntilOneIsGone"},
  {U, "account", "SlurmEnforce.AssociationsRejectsStrangers", "s14-qos-limits"},
  {Q, "priority", "SlurmPriority.QosAndAssociationsAreDividedByTheGreatest", "s03-priority-weights"},
  {Q, "preempt", "SlurmPreemption.OnlyThoseThatTheQosNamesMakeWay", "s22-preempt-reorder-count"},
  {Q, "PreemptMode", "SlurmPreemption.TheModeIsTheClustersOrTheQos"},
  {Q, "GraceTime", "SlurmPreemption.GraceTimeLetsAJobRunOn", "s19-preempt-qos-cancel-grace"},
  {Q, "PreemptExemptTime", "SlurmPreemption.AJobThatJustBeganIsExempt", "s20-preempt-exempt-time"},
  {Q, "UsageFactor", "SlurmPriority.UsageFactorAndNoDecayOfAQos", "p01-usage-charged"},
  {Q, "LimitFactor", "SlurmLimits.OfAnAssociationGrowWithTheQosLimitFactor"},
  {Q, "Flags", "SlurmLimitOfAJob.RejectsItWhereTheQosSaysSo", "s14-qos-limits"},
  {Q, "MinTRESPerJob", "SlurmLimitOfAJob.KeepsItWaiting", "s14-qos-limits"},
  {Q, "MaxTRESPerUser", "SlurmLimitOfUse.HoldsTheSecondJobBackUntilTheFirstIsGone", "s14-qos-limits"},
  {Q, "MaxTRESPerAccount", "SlurmLimitOfUse.HoldsTheSecondJobBackUntilTheFirstIsGone"},
  {Q, "MaxJobsPerUser", "SlurmLimitOfUse.HoldsTheSecondJobBackUntilTheFirstIsGone", "s14-qos-limits"},
  {Q, "MaxJobsPerAccount", "SlurmLimitOfUse.HoldsTheSecondJobBackUntilTheFirstIsGone"},
  {Q, "MaxSubmitJobsPerUser", "SlurmLimitOfSubmission.RejectsTheThirdJobUntilOneIsGone", "s14-qos-limits"},
  {Q, "MaxSubmitJobsPerAccount", "SlurmLimitOfSubmission.RejectsTheThirdJobUntilOneIsGone"},
};
// clang-format on

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

}  // namespace headroom::slurm
