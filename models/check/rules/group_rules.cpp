#include <algorithm>
#include <charconv>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/check/rules/resource_rules.hpp"
#include "models/cloud/catalog.hpp"
#include "models/scenario/pcs_limits.hpp"

namespace headroom::rules {
namespace {

using Kind = JsonValue::Kind;

std::string list(std::span<const std::string_view> words) { return fmt::format("\"{}\"", fmt::join(words, "\", \"")); }

// The types that the catalog has; others are told.
std::vector<std::pair<Part, InstanceType>> types_of(const Resource& group, Violations& violations) {
  static const std::vector<InstanceType> all = all_instance_types();
  std::vector<std::pair<Part, InstanceType>> types;
  for (const Part& config : group.part.child("instanceConfigs").elements()) {
    const Part at = config.child("instanceType");
    if (!at.text() || violations.full()) continue;
    if (auto type = find_instance_type(*at.text())) {
      types.emplace_back(at, *std::move(type));
      continue;
    }
    std::vector<std::string_view> names;
    for (const InstanceType& each : all) names.push_back(each.name);
    const std::string hint = nearest_hint(*at.text(), names);
    Violation& unknown = violations.add(
        "instance-type", at,
        fmt::format("no instance type {} in the catalog{}{}", quote(*at.text()), hint.empty() ? "" : ";", hint));
    if (group.shape == Shape::scenario) unknown.severity = Severity::error;  // a run needs its facts
  }
  return types;
}

void check_update(const Resource& group, Violations& violations) {
  for (const char* key : {"computeNodeGroupName", "name", "instanceConfigs"}) {
    if (const Part at = group.part.child(key)) {
      violations.add("PCS-13", at, fmt::format("an update gives {}, which cannot change", key));
    }
  }
}

void check_scaling(const Resource& group, const Resource* cluster, bool newer, Violations& violations) {
  const Part scaling = group.part.child("scalingConfiguration");
  const Part least = scaling.child("minInstanceCount");
  const Part most = scaling.child("maxInstanceCount");
  bool counts = true;
  for (const Part& at : {least, most}) {
    const auto count = at.integer();
    if (count && *count >= 0) continue;
    counts = false;
    if (at && group.shape != Shape::scenario) {
      violations.add("PCS-11", at, fmt::format("found {}, expected an integer from 0", describe_found(*at.value)));
    }
  }
  if (!counts) return;
  if (std::string problem = scaling_problem(*least.integer(), *most.integer(), newer); !problem.empty()) {
    violations.add("PCS-11", scaling, std::move(problem));
  }
  const std::int64_t largest = cluster_sizes().back().limits.instances;
  if (cluster == nullptr && *most.integer() > largest) {
    violations.add("PCS-3", most,
                   fmt::format("{} instances, and the largest cluster has {}", *most.integer(), largest));
  }
}

void check_types(const std::vector<std::pair<Part, InstanceType>>& types, Violations& violations) {
  for (std::size_t i = 1; i < types.size(); ++i) {
    const InstanceType& a = types.front().second;
    const InstanceType& b = types[i].second;
    if (a.arch == b.arch && a.vcpus == b.vcpus && a.gpus == b.gpus) continue;
    violations.add("PCS-12", types[i].first,
                   fmt::format("{} ({}, {} vCPUs, {} GPUs) beside {} ({}, {} vCPUs, {} GPUs)", b.name, b.arch, b.vcpus,
                               b.gpus, a.name, a.arch, a.vcpus, a.gpus));
  }
}

void check_purchase(const Resource& group, const std::vector<std::pair<Part, InstanceType>>& types, bool newer,
                    Violations& violations) {
  static constexpr std::string_view kOptions[] = {"ONDEMAND", "SPOT", "CAPACITY_BLOCK",
                                                  "INTERRUPTIBLE_CAPACITY_RESERVATION"};
  static constexpr std::string_view kStrategies[] = {"lowest-price", "capacity-optimized", "price-capacity-optimized"};
  const std::span<const std::string_view> known =
      newer ? std::span<const std::string_view>(kOptions) : std::span(kOptions, 2);
  const Part at = group.part.child("purchaseOption");
  const auto option = at.text();
  if (option && std::find(known.begin(), known.end(), *option) == known.end()) {
    const bool later = std::find(std::begin(kOptions), std::end(kOptions), *option) != std::end(kOptions);
    violations.add("PCS-14", at,
                   fmt::format("found {}, expected one of {}{}", quote(*option), list(known),
                               later ? "; it needs edition 2026-08" : ""));
  }
  const Part strategy = group.part.child("spotOptions").child("allocationStrategy");
  if (strategy.text() &&
      std::find(std::begin(kStrategies), std::end(kStrategies), *strategy.text()) == std::end(kStrategies)) {
    violations.add("PCS-14", strategy,
                   fmt::format("found {}, expected one of {}", quote(*strategy.text()), list(kStrategies)));
  }
  const bool spot = option == "SPOT";
  const bool may_be_spot = group.shape == Shape::update && !option;
  if (const Part options = group.part.child("spotOptions"); options.is_object() && !spot && !may_be_spot) {
    violations.warn("PCS-14", options, fmt::format("spotOptions have no effect with {}", option.value_or("ONDEMAND")),
                    "Remove them, or make purchaseOption SPOT.");
  }
  if (!spot) return;
  for (const auto& [place, type] : types) {
    if (type.spot) continue;
    violations.add("PCS-14", place, fmt::format("{} is not sold as Spot", type.name), "Use ONDEMAND, or another type.");
  }
}

std::string select_type_of(const Design& design, const Resource& cluster) {
  if (design.scenario) {
    const auto set = design.scenario->child("scheduler").child("slurm").child("SelectTypeParameters").text();
    if (set) return *set;
  }
  for (const Part& setting : cluster.part.child("slurmConfiguration").child("slurmCustomSettings").elements()) {
    if (setting.child("parameterName").text() == "SelectTypeParameters")
      return setting.child("parameterValue").text_or("");
  }
  return "CR_CPU";
}

void check_group_settings(const Design& design, const Resource& group, const Resource* cluster,
                          const std::vector<std::pair<Part, InstanceType>>& types, bool newer, Violations& violations) {
  const Part slurm = group.part.child("slurmConfiguration");
  if (const Part idle = slurm.child("scaleDownIdleTimeInSeconds"); idle && !newer) {
    violations.add("PCS-6", idle, "an idle time of a group needs edition 2026-08",
                   "Set the cluster's, or use a newer Slurm.");
  } else {
    check_idle_time(idle, -1, violations);
  }
  for (const auto& [name, setting] : check_settings(slurm, group_settings(), newer, "PCS-16", violations)) {
    const Part at = setting.child("parameterValue");
    const auto text = at.text();
    if (!text || (name != "Weight" && name != "RealMemory")) continue;
    const std::int32_t least = name == "Weight" ? 0 : 1;
    std::int32_t value = -1;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    if (error != std::errc() || end != text->data() + text->size() || value < least) {
      violations.add("PCS-16", at,
                     fmt::format("{} is {}, expected an integer from {} to {} as a string", name, quote(*text), least,
                                 std::numeric_limits<std::int32_t>::max()));
      continue;
    }
    if (name != "RealMemory") continue;
    for (const auto& [place, type] : types) {
      if (value <= type.memory_mib) continue;
      violations.add("PCS-16", at,
                     fmt::format("RealMemory is {} MiB, but {} has {} MiB; Slurm would drain the nodes", value,
                                 type.name, type.memory_mib),
                     "Give less than the smallest instance type has.");
      break;
    }
    if (cluster != nullptr && cluster->shape != Shape::listed && select_type_of(design, *cluster) != "CR_CPU_Memory") {
      violations.warn("PCS-16", at, "RealMemory has no effect without SelectTypeParameters CR_CPU_Memory",
                      "Set that in the cluster's slurmCustomSettings, or remove RealMemory.");
    }
  }
}

// arn:aws:iam::111122223333:instance-profile/PATH/NAME
void check_profile(const Resource& group, Violations& violations) {
  const Part at = group.part.child("iamInstanceProfileArn");
  const auto arn = at.text();
  if (!arn) return;
  static constexpr std::string_view kMark = ":instance-profile/";
  const auto mark = arn->find(kMark);
  if (mark == std::string::npos || !arn->starts_with("arn:aws")) {
    violations.add("PCS-26", at, fmt::format("found {}, expected the ARN of an instance profile", quote(*arn, 120)),
                   "Give arn:aws:iam::ACCOUNT:instance-profile/NAME.");
    return;
  }
  const std::string path = "/" + arn->substr(mark + kMark.size());
  const std::string name = path.substr(path.rfind('/') + 1);
  if (name.starts_with("AWSPCS") || path.find("/aws-pcs/") != std::string::npos) return;
  violations.add("PCS-26", at, fmt::format("{} neither starts with AWSPCS nor has the path /aws-pcs/", quote(name)));
}

void check_subnets(const Resource& group, const LaunchTemplate* launch_template, Violations& violations) {
  const Part at = group.part.child("subnetIds");
  const std::vector<std::string> subnets = at.texts();
  const std::set<std::string> different(subnets.begin(), subnets.end());
  if (different.size() < 2) return;
  if (launch_template != nullptr && has_efa(*launch_template)) {
    violations.add("PCS-51", at,
                   fmt::format("{} subnets, and the launch template has EFA interfaces", different.size()));
  } else {
    violations.warn(
        "PCS-15", at,
        fmt::format("{} subnets: latency between the nodes may rise, and there is no EFA", different.size()));
  }
}

// The clusters whose queues are in the files, with every group that they name.
std::set<const Resource*> clusters_with_queues(const Design& design, const Links& links) {
  std::set<const Resource*> known;
  std::set<const Resource*> partly;
  for (const Resource& queue : design.queues) {
    const Part groups = queue.part.child("computeNodeGroupConfigurations");
    const Resource* const cluster = links.cluster_of(queue);
    (groups ? known : partly).insert(cluster);
    for (const Part& config : groups.elements()) {
      if (links.group_named(queue, config.child("computeNodeGroupId").text_or("")) == nullptr) partly.insert(cluster);
    }
  }
  for (const Resource* cluster : partly) known.erase(cluster);
  return known;
}

// A group in no queue.
void check_login(const Resource& group, Violations& violations) {
  const Part scaling = group.part.child("scalingConfiguration");
  const auto least = scaling.child("minInstanceCount").integer();
  const auto most = scaling.child("maxInstanceCount").integer();
  if (least && most && *least >= 0 && *least < *most) {
    violations.add("PCS-25", scaling, "a dynamic group in no queue: no job ever launches its instances");
  }
  if (const Part option = group.part.child("purchaseOption"); option.text() == "SPOT") {
    violations.add("PCS-25", option, "a group in no queue is a login group, and Spot may take it away at any time",
                   "Make it ONDEMAND, or add it to a queue.");
  }
}

}  // namespace

void check_groups(const Design& design, const Links& links, Violations& violations) {
  static constexpr std::string_view kRequired[] = {"computeNodeGroupName",
                                                   "clusterIdentifier",
                                                   "subnetIds",
                                                   "iamInstanceProfileArn",
                                                   "customLaunchTemplate",
                                                   "customLaunchTemplate.id",
                                                   "customLaunchTemplate.version",
                                                   "scalingConfiguration",
                                                   "scalingConfiguration.minInstanceCount",
                                                   "scalingConfiguration.maxInstanceCount",
                                                   "instanceConfigs"};
  check_names(design.groups, links, kLongestName, "PCS-10", violations);
  const std::set<const Resource*> with_queues = clusters_with_queues(design, links);
  for (const Resource& group : design.groups) {
    if (violations.full()) return;
    if (group.shape == Shape::listed) continue;
    const Resource* const cluster = links.cluster_of(group);
    const bool newer = is_newer(design, cluster);
    check_shape(group, kRequired, violations);
    if (group.shape == Shape::update) check_update(group, violations);
    check_scaling(group, cluster, newer, violations);
    const auto types = types_of(group, violations);
    check_types(types, violations);
    check_purchase(group, types, newer, violations);
    check_group_settings(design, group, cluster, types, newer, violations);
    check_profile(group, violations);
    check_subnets(group, links.template_of(group), violations);
    if (with_queues.count(cluster) > 0 && group.shape != Shape::update && links.queues_of(group).empty()) {
      check_login(group, violations);
    }
    const bool made = group.shape == Shape::create;
    if (made && cluster != nullptr && !cluster->status.empty() && cluster->status != "ACTIVE") {
      violations.add("PCS-9", group.part.child("clusterIdentifier"), fmt::format("the cluster is {}", cluster->status));
    }
  }
}

void check_queues(const Design& design, const Links& links, Violations& violations) {
  static constexpr std::string_view kRequired[] = {"queueName", "clusterIdentifier"};
  check_names(design.queues, links, kLongestName, "PCS-30", violations);
  const bool ids_are_known =
      !design.groups.empty() &&
      std::all_of(design.groups.begin(), design.groups.end(), [](const Resource& each) { return !each.id.empty(); });
  std::map<std::string, std::int64_t> nodes;  // that a queue may have
  for (const Resource& queue : design.queues) {
    if (violations.full()) return;
    if (queue.shape == Shape::listed) continue;
    const Resource* const cluster = links.cluster_of(queue);
    check_shape(queue, kRequired, violations);
    check_settings(queue.part.child("slurmConfiguration"), queue_settings(), is_newer(design, cluster), "PCS-30",
                   violations);
    const bool made = queue.shape == Shape::create;
    if (made && cluster != nullptr && !cluster->status.empty() && cluster->status != "ACTIVE") {
      violations.add("PCS-9", queue.part.child("clusterIdentifier"), fmt::format("the cluster is {}", cluster->status));
    }
    std::int64_t& most = nodes[queue.name];
    for (const Part& config : queue.part.child("computeNodeGroupConfigurations").elements()) {
      const Part at = config.child("computeNodeGroupId");
      const auto id = at.text();
      if (!id) continue;
      const Resource* const group = links.group_named(queue, *id);
      const bool looks_like_id = id->starts_with("pcs_");
      if (group == nullptr) {
        if (queue.shape == Shape::scenario) continue;  // its parser says so
        if (!looks_like_id) {
          violations.add("PCS-30", at, fmt::format("{} is no id of a compute node group", quote(*id))).exception =
              "ResourceNotFoundException";
        } else if (ids_are_known) {
          violations
              .warn("PCS-30", at, fmt::format("none of the groups in these files has the id {}", quote(*id)),
                    "Check the id, or hand over that group, too.")
              .exception = "ResourceNotFoundException";
        }
        continue;
      }
      if (queue.shape != Shape::scenario && !looks_like_id) {
        violations.warn("PCS-30", at, fmt::format("{} is the group's name; the API takes its id", quote(*id)),
                        "Give the id that get-compute-node-group prints when the group is there.");
      }
      most += std::clamp<std::int64_t>(
          group->part.child("scalingConfiguration").child("maxInstanceCount").integer().value_or(0), 0,
          std::int64_t{1} << 40);
      if (queue.shape == Shape::scenario || group->status.empty() || group->status == "ACTIVE") continue;
      if (group->status == "DELETING" || group->status == "DELETED") {
        violations.add("PCS-21", at, fmt::format("the group {} is {}", quote(group->name), group->status));
      } else if (queue.shape != Shape::got || group->status == "CREATING" || group->status == "CREATE_FAILED") {
        violations.add("PCS-18", at, fmt::format("the group {} is {}", quote(group->name), group->status));
      }
    }
  }
  if (!design.scenario) return;
  const std::string first = design.queues.empty() ? "" : design.queues.front().name;
  for (const Part& job : design.scenario->child("workload").child("jobs").elements()) {
    if (violations.full()) return;
    const Part at = job.child("nodes");
    const auto queue = nodes.find(job.child("queue").text_or(first));
    if (queue == nodes.end() || !at.integer() || *at.integer() <= queue->second) continue;
    violations.add(
        "PCS-33", at,
        fmt::format("{} nodes, and queue {} has {} at most", *at.integer(), quote(queue->first), queue->second));
  }
}

}  // namespace headroom::rules
