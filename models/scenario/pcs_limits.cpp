#include "models/scenario/pcs_limits.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace headroom {
namespace {

constexpr std::string_view kOldVersions[] = {"23.11", "24.05"};
constexpr std::string_view kNewVersions[] = {"24.11", "25.05", "25.11"};

constexpr SizeLimit kSizes[] = {{"SMALL", ClusterSize::small, {32, 256}},
                                {"MEDIUM", ClusterSize::medium, {512, 8192}},
                                {"LARGE", ClusterSize::large, {2048, 16384}}};

constexpr CustomSetting kClusterSettings[] = {
    {"SelectTypeParameters", true},
    {"Prolog", true},
    {"Epilog", true},
    {"DefMemPerCPU"},
    {"OverTimeLimit"},
    {"PriorityCalcPeriod"},
    {"PriorityFavorSmall"},
    {"PriorityMaxAge"},
    {"PriorityWeightAge"},
    {"PriorityWeightFairshare"},
    {"PriorityWeightJobSize"},
    {"PriorityWeightPartition"},
    {"PriorityWeightQOS"},
    {"SchedulerParameters"},
    {"AccountingStorageTRES"},
    {"AccountingStoreFlags"},
    {"AuthAltParameters"},
    {"CommunicationParameters"},
    {"HealthCheckInterval"},
    {"MetricsType"},
    {"MinJobAge"},
    {"SrunPortRange"},
    {"TaskEpilog"},
    {"TaskProlog"},
    {"TrackWCKey"},
    {"AccountingStorageEnforce"},
    {"CliFilterParameters"},
    {"CliFilterPlugins"},
    {"EnforcePartLimits"},
    {"FairShareDampeningFactor"},
    {"FirstJobId"},
    {"HealthCheckNodeState"},
    {"HealthCheckProgram"},
    {"JobRequeue"},
    {"LaunchParameters"},
    {"Licenses"},
    {"PreemptExemptTime"},
    {"PreemptMode"},
    {"PreemptParameters"},
    {"PreemptType"},
    {"PriorityDecayHalfLife"},
    {"PriorityFlags"},
    {"PriorityUsageResetPeriod"},
    {"PriorityWeightAssoc"},
    {"PriorityWeightTRES"},
    {"PrologFlags"},
    {"RequeueExit"},
    {"RequeueExitHold"},
    {"TaskPluginParam"},
    {"UnkillableStepProgram"},
    {"UnkillableStepTimeout"},
};
constexpr CustomSetting kGroupSettings[] = {
    {"Weight", true}, {"RealMemory", true}, {"CpuSpecList"}, {"Features"},
    {"MemSpecLimit"}, {"Parameters"},       {"Sockets"},
};
constexpr CustomSetting kQueueSettings[] = {
    {"DefaultTime"},        {"MaxTime"},         {"OverSubscribe"}, {"PriorityJobFactor"},
    {"PriorityTier"},       {"AllowAccounts"},   {"AllowQos"},      {"Default"},
    {"DenyAccounts"},       {"DenyQos"},         {"ExclusiveUser"}, {"GraceTime"},
    {"OverTimeLimit"},      {"PowerDownOnIdle"}, {"PreemptMode"},   {"QOS"},
    {"TRESBillingWeights"},
};

}  // namespace

std::string name_problem(std::string_view name, std::size_t longest, std::string_view rule) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto allowed = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; };
  if (name.size() >= 3 && name.size() <= longest && letter(name[0]) && std::all_of(name.begin(), name.end(), allowed)) {
    return {};
  }
  return fmt::format("found {}, expected 3 to {} letters, digits or hyphens, a letter first [{}]", quote(name), longest,
                     rule);
}

std::span<const std::string_view> slurm_versions(bool newer) {
  return newer ? std::span<const std::string_view>(kNewVersions) : kOldVersions;
}

std::string version_problem(std::string_view version, bool newer) {
  const auto known = slurm_versions(newer);
  if (std::find(known.begin(), known.end(), version) != known.end()) return {};
  return fmt::format("found {}, expected one of \"{}\" in edition {} [PCS-2]", quote(version),
                     fmt::join(known, "\", \""), newer ? "2026-08" : "2024-12");
}

std::span<const SizeLimit> cluster_sizes() { return kSizes; }

const SizeLimit* size_named(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(kSizes), std::end(kSizes), [&](const SizeLimit& each) { return each.name == name; });
  return found == std::end(kSizes) ? nullptr : found;
}

ClusterLimits limits_of(ClusterSize size) {
  for (const SizeLimit& each : kSizes) {
    if (each.size == size) return each.limits;
  }
  return {};
}

std::string size_problem(const SizeLimit& size, std::int64_t instances) {
  if (instances <= size.limits.instances) return {};
  const auto* const enough = std::find_if(std::begin(kSizes), std::end(kSizes),
                                          [&](const SizeLimit& each) { return instances <= each.limits.instances; });
  return fmt::format("{} allows {} instances, but the groups' maxInstanceCount add up to {} [PCS-3]{}", size.name,
                     size.limits.instances, instances,
                     enough == std::end(kSizes) ? "" : fmt::format("; did you mean \"{}\"?", enough->name));
}

std::string scaling_problem(std::int64_t minimum, std::int64_t maximum, bool newer) {
  const bool is_static = minimum == maximum && maximum > 0;
  const bool is_dynamic = minimum == 0 && maximum > 0;
  const bool is_mixed = minimum > 0 && minimum < maximum;
  if (is_static || is_dynamic || (is_mixed && newer)) return {};
  std::string hint;
  if (is_mixed) {
    hint = fmt::format("Did you mean minInstanceCount {}?", maximum);
  } else if (maximum == 0) {
    hint = "maxInstanceCount must be over zero";
  } else {
    hint = "The minimum is over the maximum";
  }
  return fmt::format(
      "minInstanceCount {} with maxInstanceCount {}: a group is static (equal, over zero) or dynamic (minimum 0){} "
      "[PCS-11]. {}",
      minimum, maximum, newer ? " or a mix (0 < minimum < maximum)" : "; a mix needs pcsEdition 2026-08", hint);
}

std::span<const CustomSetting> cluster_settings() { return kClusterSettings; }
std::span<const CustomSetting> group_settings() { return kGroupSettings; }
std::span<const CustomSetting> queue_settings() { return kQueueSettings; }

}  // namespace headroom
