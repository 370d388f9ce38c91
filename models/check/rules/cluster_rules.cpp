#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "models/check/rules/resource_rules.hpp"
#include "models/scenario/pcs_limits.hpp"

namespace headroom::rules {
namespace {

using Kind = JsonValue::Kind;

constexpr std::string_view kConflict = "ConflictException";

constexpr std::int64_t kLongestIdleTime = 10'000'000;  // s, PCS-6
constexpr std::size_t kClusterQuota = 5;               // PCS-4

// "; did you mean X?", or nothing.
std::string hint(std::string_view word, std::span<const std::string_view> known) {
  const std::string nearest = nearest_hint(word, known);
  return nearest.empty() ? nearest : ";" + nearest;
}

// Whether JSON of this type can be a value of the option.
bool fits(OptionType type, const JsonValue& value) {
  switch (type) {
    case OptionType::object:
    case OptionType::map:
    case OptionType::free:
      return value.kind == Kind::object;
    case OptionType::array:
      return value.kind == Kind::array;
    case OptionType::string:
    case OptionType::choice:
      return value.kind == Kind::string;
    case OptionType::integer:
    case OptionType::number:
      return value.kind == Kind::integer || value.kind == Kind::number;
    case OptionType::boolean:
      return value.kind == Kind::boolean;
    default:
      return true;
  }
}

std::string_view word_for(OptionType type) {
  switch (type) {
    case OptionType::array:
      return "an array";
    case OptionType::string:
    case OptionType::choice:
      return "a string";
    case OptionType::integer:
    case OptionType::number:
      return "a number";
    case OptionType::boolean:
      return "true or false";
    default:
      return "an object";
  }
}

void check_members(const OptionNode& node, const Part& part, bool input, Violations& violations) {
  if (violations.full()) return;
  if (!fits(node.option->type, *part.value)) {
    violations.add("api-shape", part,
                   fmt::format("found {}, expected {}", describe_found(*part.value), word_for(node.option->type)));
    return;
  }
  if (node.option->use == OptionUse::ignored) return;  // not looked into: the API knows its members
  if (const OptionNode* const element = node.child("[]"); element != nullptr) {
    for (const Part& each : part.elements()) check_members(*element, each, input, violations);
    return;
  }
  if (node.option->type != OptionType::object) return;
  static constexpr std::string_view kIdentifiers[] = {"clusterIdentifier", "computeNodeGroupIdentifier",
                                                      "queueIdentifier"};
  for (const Part& member : part.members()) {
    const std::string& key = member.value->key;
    if (std::find(std::begin(kIdentifiers), std::end(kIdentifiers), key) != std::end(kIdentifiers)) continue;
    if (const OptionNode* const known = node.child(key); known != nullptr) {
      if (member.value->kind != Kind::null) check_members(*known, member, input, violations);
    } else if (input) {  // what the API prints may have grown
      std::vector<std::string_view> names;
      for (const OptionNode& child : node.children) names.push_back(child.key);
      violations.add("api-shape", member, "unknown member" + hint(key, names), "Remove it, or mend its name.");
    }
  }
}

void check_version(const Part& scheduler, bool newer, Violations& violations) {
  if (const Part type = scheduler.child("type"); type.text() && *type.text() != "SLURM") {
    violations.add("PCS-2", type, fmt::format("found {}, expected \"SLURM\"", quote(*type.text())));
  }
  const Part version = scheduler.child("version");
  if (!version.text()) return;
  if (std::string problem = version_problem(*version.text(), newer); !problem.empty()) {
    violations.add("PCS-2", version, std::move(problem));
  }
}

void check_cluster_settings(const Resource& cluster, bool newer, Violations& violations) {
  const Part slurm = cluster.part.child("slurmConfiguration");
  check_idle_time(slurm.child("scaleDownIdleTimeInSeconds"), 1, violations);
  for (const auto& [name, setting] : check_settings(slurm, cluster_settings(), newer, "PCS-7", violations)) {
    const Part at = setting.child("parameterValue");
    const auto value = at.text();
    if (!value) continue;
    if (name == "SelectTypeParameters" && *value != "CR_CPU" && *value != "CR_CPU_Memory") {
      violations.add("PCS-7", at, fmt::format("found {}, expected \"CR_CPU\" or \"CR_CPU_Memory\"", quote(*value)));
    } else if (name == "Prolog" || name == "Epilog") {
      const auto last = value->substr(value->rfind('/') + 1);
      if (!value->starts_with('/')) {
        violations.add("PCS-7", at,
                       fmt::format("{} is {}, expected the whole path of a directory", name, quote(*value)),
                       "Give the directory of the scripts by its whole path.");
      } else if (last.ends_with(".sh") || last.ends_with(".py") || last.ends_with(".bash")) {
        violations.add("PCS-7", at, fmt::format("{} is {}, a script; expected a directory", name, quote(*value)),
                       "Give the directory that the script is in.");
      }
    }
  }
}

void check_networking(const Design& design, const Resource& cluster, Violations& violations) {
  const Part networking = cluster.part.child("networking");
  if (!networking && cluster.shape != Shape::create) return;
  const auto count = [](const Part& list) { return list.value == nullptr ? 0 : list.value->items.size(); };
  const Part subnets = networking.child("subnetIds");
  if (count(subnets) != 1) {
    violations.add("PCS-5", subnets, fmt::format("{} subnets, expected exactly one", count(subnets)),
                   "Give the one subnet in which the controller gets its network interface.");
  }
  const Part groups = networking.child("securityGroupIds");
  if (count(groups) == 0) {
    violations.add("PCS-5", groups, "no security group, expected at least one",
                   "Give a security group that lets the controller and the nodes talk to each other.");
  }
  for (const Part& at : subnets.elements()) {
    const auto found = design.subnets.find(at.text_or(""));
    if (found == design.subnets.end()) continue;
    const Part& subnet = found->second;
    const std::string zone = subnet.child("AvailabilityZone").text_or(subnet.child("availabilityZone").text_or(""));
    // us-east-1a is a zone; us-west-2-lax-1a a Local Zone, us-east-1-wl1-bos-wlz-1 one of Wavelength.
    const std::ptrdiff_t hyphens = zone.starts_with("us-gov-") || zone.starts_with("us-iso") ? 3 : 2;
    const bool common_zone = std::count(zone.begin(), zone.end(), '-') <= hyphens;
    const bool outpost = !subnet.child("OutpostArn").text_or("").empty();
    if (outpost || !common_zone) {
      violations.add("PCS-5", at,
                     outpost ? "the subnet is in an Outpost" : fmt::format("the subnet is in the zone {}", quote(zone)),
                     "Use a subnet in an Availability Zone of the Region.");
    }
    if (subnet.child("AvailableIpAddressCount").integer() == 0) {
      violations.add("PCS-5", at, "the subnet has no free address", "Use a subnet that has one.");
    }
    const auto vpc = design.vpcs.find(subnet.child("VpcId").text_or(""));
    if (vpc != design.vpcs.end() && vpc->second.child("InstanceTenancy").text_or("default") != "default") {
      violations.add("PCS-5", at,
                     fmt::format("its VPC has the tenancy {}", quote(vpc->second.child("InstanceTenancy").text_or(""))),
                     "Use a VPC of default tenancy.");
    }
  }
}

void check_instances(const Resource& cluster, const Links& links, Violations& violations) {
  const Part at = cluster.part.child("size");
  const auto name = at.text();
  if (!name) return;
  const SizeLimit* const size = size_named(*name);
  if (size == nullptr) {
    violations.add("PCS-3", at, fmt::format("found {}, expected \"SMALL\", \"MEDIUM\" or \"LARGE\"", quote(*name)));
    return;
  }
  // A group may be there as it is and as it is asked for: the larger counts.
  std::map<std::string, std::int64_t> most;
  for (const Resource* group : links.groups_of(cluster)) {
    const auto maximum = group->part.child("scalingConfiguration").child("maxInstanceCount").integer();
    std::int64_t& known = most[group->name.empty() ? group->id : group->name];
    known = std::max(known, std::clamp<std::int64_t>(maximum.value_or(0), 0, std::int64_t{1} << 40));
  }
  std::int64_t sum = 0;
  for (const auto& [group, maximum] : most) sum += maximum;
  if (std::string problem = size_problem(*size, sum); !problem.empty()) violations.add("PCS-3", at, std::move(problem));
}

void check_status(const Resource& cluster, const Links& links, Violations& violations) {
  if (cluster.status != "DELETING") return;
  for (const Resource* group : links.groups_of(cluster)) {
    if (group->status.empty() || group->status == "DELETING" || group->status == "DELETED") continue;
    violations.add("PCS-8", cluster.part.child("status"),
                   fmt::format("the cluster is DELETING, but its group {} is {}", quote(group->name), group->status));
  }
}

// One at a time is created, and few there are.
void check_quota(const std::vector<Resource>& clusters, Violations& violations) {
  std::map<std::string, std::vector<const Resource*>> by_region;
  for (const Resource& each : clusters) {
    if (each.shape == Shape::update) continue;
    // arn:aws:pcs:REGION:ACCOUNT:cluster/ID
    std::string arn = each.part.child("arn").text_or("");
    const auto resource = arn.rfind(':');
    by_region[resource == std::string::npos ? "" : arn.substr(0, resource)].push_back(&each);
  }
  for (const auto& [region, all] : by_region) {
    std::set<std::string> names;
    std::map<std::string, const Resource*> creating;
    for (const Resource* each : all) {
      names.insert(each->name);
      if (each->status == "CREATING") creating.emplace(each->name, each);
    }
    if (creating.size() > 1) {
      for (const auto& [name, each] : creating) {
        violations.add("PCS-4", each->part.child("status"),
                       fmt::format("{} is one of {} clusters that are CREATING", quote(name), creating.size()));
      }
    }
    if (names.size() > kClusterQuota) {
      violations
          .warn("PCS-4", all.back()->part,
                fmt::format("{} clusters, and the default quota of a Region is {}", names.size(), kClusterQuota),
                "Have the quota raised.")
          .exception = "ServiceQuotaExceededException";
    }
  }
}

}  // namespace

void check_shape(const Resource& resource, std::span<const std::string_view> required, Violations& violations) {
  if (resource.shape == Shape::scenario) return;  // its parser has done that
  const bool input = resource.shape == Shape::create || resource.shape == Shape::update;
  check_members(*resource.keys, resource.part, input, violations);
  if (resource.shape != Shape::create) return;
  for (const std::string_view path : required) {
    Part at = resource.part;
    Part holder = at;
    for (std::string_view rest = path; !rest.empty();) {
      const auto dot = rest.find('.');
      holder = at;
      at = at.child(rest.substr(0, dot));
      rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
    }
    if (holder.is_object() && !at) violations.add("api-shape", at, "missing; the API requires it", "Add it.");
    if (at.is(Kind::array) && at.value->items.empty()) {
      violations.add("api-shape", at, "an empty array; the API requires one element at least", "Add one.");
    }
  }
}

void check_names(const std::vector<Resource>& resources, const Links& links, std::size_t longest, std::string_view rule,
                 Violations& violations) {
  // As it is asked for and as it is may both be there; two that are asked for, or two with ids of their own, are two.
  std::map<std::tuple<bool, const Resource*, std::string, std::string>, const Resource*> first;
  for (const Resource& each : resources) {
    if (violations.full()) return;
    if (each.shape == Shape::update || !each.name_at.text()) continue;
    if (std::string problem = name_problem(each.name, longest, rule); !problem.empty()) {
      violations.add(rule, each.name_at, std::move(problem), "Choose another name.");
      continue;
    }
    const bool asked_for = each.shape == Shape::create || each.shape == Shape::scenario;
    const Resource* const cluster = links.cluster_of(each);
    const auto [known, is_new] =
        first.try_emplace({asked_for, cluster, cluster == nullptr ? each.cluster : "", each.name}, &each);
    if (is_new || (!asked_for && known->second->id == each.id)) continue;
    violations
        .add(rule, each.name_at,
             fmt::format("{} is the name of another one, in line {} of its file", quote(each.name),
                         known->second->name_at.line),
             "Choose another name.")
        .exception = kConflict;
  }
}

std::map<std::string, Part> check_settings(const Part& slurm_configuration, std::span<const CustomSetting> known,
                                           bool newer, std::string_view rule, Violations& violations) {
  std::map<std::string, Part> settings;
  std::vector<std::string_view> names;
  for (const CustomSetting& each : known) {
    if (each.older || newer) names.push_back(each.name);
  }
  for (const Part& setting : slurm_configuration.child("slurmCustomSettings").elements()) {
    if (violations.full()) break;
    const Part at = setting.child("parameterName");
    const auto name = at.text();
    if (!name) continue;
    if (std::find(names.begin(), names.end(), *name) == names.end()) {
      const bool later =
          std::any_of(known.begin(), known.end(), [&](const CustomSetting& each) { return each.name == *name; });
      violations.add(rule, at,
                     later ? fmt::format("{} needs edition 2026-08", quote(*name))
                           : fmt::format("{} is no setting that PCS takes here{}", quote(*name), hint(*name, names)),
                     "Remove it, or use a setting that the edition has.");
    } else if (!settings.emplace(*name, setting).second) {
      violations.add(rule, at, fmt::format("{} is given twice", quote(*name)), "Give it once.");
    }
  }
  return settings;
}

void check_idle_time(const Part& at, std::int64_t least, Violations& violations) {
  if (!at) return;
  const auto seconds = at.integer();
  if (seconds && *seconds >= least && *seconds <= kLongestIdleTime) return;
  violations.add(
      "PCS-6", at,
      fmt::format("found {}, expected an integer from {} to {}", describe_found(*at.value), least, kLongestIdleTime));
}

void check_clusters(const Design& design, const Links& links, Violations& violations) {
  static constexpr std::string_view kRequired[] = {"scheduler", "scheduler.type", "scheduler.version", "size",
                                                   "clusterName"};
  check_names(design.clusters, links, kLongestClusterName, "PCS-1", violations);
  if (!design.scenario) check_quota(design.clusters, violations);
  for (const Resource& cluster : design.clusters) {
    if (violations.full()) return;
    if (cluster.shape == Shape::listed) continue;
    const bool newer = is_newer(design, &cluster);
    check_shape(cluster, kRequired, violations);
    check_version(cluster.part.child("scheduler"), newer, violations);
    check_cluster_settings(cluster, newer, violations);
    if (cluster.shape == Shape::update) {
      if (const Part size = cluster.part.child("size")) {
        violations.add("PCS-3", size, "the size is fixed when the cluster is created",
                       "Create another cluster of that size.");
      }
      continue;
    }
    check_networking(design, cluster, violations);
    check_instances(cluster, links, violations);
    check_status(cluster, links, violations);
  }
}

}  // namespace headroom::rules
