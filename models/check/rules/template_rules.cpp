#include <algorithm>
#include <map>
#include <set>
#include <span>

#include <fmt/format.h>

#include "models/check/rules/resource_rules.hpp"
#include "models/check/rules/user_data.hpp"
#include "models/cloud/catalog.hpp"

namespace headroom::rules {
namespace {

using Kind = JsonValue::Kind;

// Ids of its security groups, and where they stand: of one interface, or of the template itself.
std::vector<Part> ids_in(const Part& list) {
  std::vector<Part> ids;
  for (const Part& each : list.elements()) {
    if (each.text()) ids.push_back(each);
  }
  return ids;
}

// --- What a security group allows ---

enum class Direction : std::uint8_t { inbound, outbound };

std::vector<Part> permissions(const Part& group, Direction direction) {
  return group.child(direction == Direction::inbound ? "IpPermissions" : "IpPermissionsEgress").elements();
}

// Addresses are not held against subnets: a rule with any counts for whoever is asked about.
bool concerns(const Part& permission, const std::set<std::string>& peers) {
  for (const char* key : {"IpRanges", "Ipv6Ranges", "PrefixListIds"}) {
    if (const Part ranges = permission.child(key); ranges.is(Kind::array) && !ranges.value->items.empty()) return true;
  }
  const std::vector<Part> pairs = permission.child("UserIdGroupPairs").elements();
  return std::any_of(pairs.begin(), pairs.end(),
                     [&](const Part& pair) { return peers.count(pair.child("GroupId").text_or("")) > 0; });
}

// Whether all of TCP's ports from `first` to `last` are allowed between the groups and `peers`.
bool allows(std::span<const Part> groups, Direction direction, std::int64_t first, std::int64_t last,
            const std::set<std::string>& peers) {
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;
  for (const Part& group : groups) {
    for (const Part& permission : permissions(group, direction)) {
      if (!concerns(permission, peers)) continue;
      const std::string protocol = permission.child("IpProtocol").text_or("");
      if (protocol == "-1") return true;
      if (protocol != "tcp" && protocol != "6") continue;
      ranges.emplace_back(permission.child("FromPort").integer().value_or(0),
                          permission.child("ToPort").integer().value_or(65535));
    }
  }
  std::sort(ranges.begin(), ranges.end());
  for (const auto& [from, to] : ranges) {
    if (from <= first && to >= first) first = to + 1;
    if (first > last) return true;
  }
  return false;
}

// All traffic from and to its own members, as EFA needs it.
bool is_efa_group(const Part& group, const std::string& id) {
  for (const Direction direction : {Direction::inbound, Direction::outbound}) {
    bool found = false;
    for (const Part& permission : permissions(group, direction)) {
      if (permission.child("IpProtocol").text_or("") != "-1") continue;
      for (const Part& pair : permission.child("UserIdGroupPairs").elements()) {
        found = found || pair.child("GroupId").text_or("") == id;
      }
    }
    if (!found) return false;
  }
  return true;
}

// The groups by their ids; nothing when one of them is not in the files.
std::optional<std::vector<Part>> known_groups(const Design& design, std::span<const std::string> ids) {
  std::vector<Part> groups;
  for (const std::string& id : ids) {
    const auto found = design.security_groups.find(id);
    if (found == design.security_groups.end()) return std::nullopt;
    groups.push_back(found->second);
  }
  return groups.empty() ? std::nullopt : std::optional(groups);
}

struct Need {
  Direction direction;
  std::int64_t first;
  std::int64_t last;
  std::string_view what;
};

void check_ports(const Part& at, std::span<const Part> groups, const std::set<std::string>& peers,
                 std::span<const Need> needs, Violations& violations) {
  for (const Need& need : needs) {
    if (allows(groups, need.direction, need.first, need.last, peers)) continue;
    violations.add("PCS-47", at,
                   fmt::format("the security groups do not allow {} TCP {}{} ({})",
                               need.direction == Direction::inbound ? "inbound" : "outbound", need.first,
                               need.last == need.first ? "" : fmt::format("-{}", need.last), need.what));
  }
}

// --- One launch template ---

void check_ignored(const Part& data, Violations& violations) {
  static constexpr std::string_view kIgnored[] = {
      "InstanceRequirements", "InstanceType",       "IamInstanceProfile",       "DisableApiTermination",
      "DisableApiStop",       "HibernationOptions", "ElasticGpuSpecifications", "ElasticInferenceAccelerators"};
  const auto tell = [&](const Part& at, std::string_view name) {
    if (at) violations.add("PCS-40", at, fmt::format("{} is ignored: the service manages it", name));
  };
  for (const std::string_view key : kIgnored) tell(data.child(key), key);
  tell(data.child("CpuOptions").child("ThreadsPerCore"), "ThreadsPerCore");
}

void check_user_data(const Part& data, Violations& violations) {
  const Part at = data.child("UserData");
  if (!at) return;
  const auto text = at.text();
  if (!text) {
    violations.add("PCS-41", at, fmt::format("found {}, expected base64 in a string", describe_found(*at.value)));
    return;
  }
  if (text->empty()) return;
  const auto bytes = decode_base64(*text);
  if (!bytes) {
    const bool plain = mime_problem(*text).empty();
    violations.add("PCS-41", at, fmt::format("UserData is no base64: it begins with {}", quote(*text, 30)),
                   plain ? "Encode the archive in base64." : "");
    return;
  }
  if (const std::string problem = mime_problem(*bytes); !problem.empty()) {
    violations.add("PCS-41", at, "UserData, decoded, " + problem);
  }
}

void check_security_groups(const Design& design, const Part& data, Violations& violations) {
  const std::vector<Part> interfaces = data.child("NetworkInterfaces").elements();
  if (const Part names = data.child("SecurityGroups")) {
    violations.add("PCS-42", names, "SecurityGroups names security groups, and PCS takes ids only");
  }
  const Part ids = data.child("SecurityGroupIds");
  if (ids && !interfaces.empty()) {
    violations.add("PCS-42", ids, "SecurityGroupIds beside NetworkInterfaces",
                   "Move them to Groups of each interface.");
  }
  for (const Part& each : interfaces) {
    const Part groups = each.child("Groups");
    if (each.is_object() && ids_in(groups).empty()) {
      violations.add("PCS-42", groups, "an interface without security groups", "List their ids in its Groups.");
    }
  }
  std::vector<std::string> all;
  for (const Part& each : interfaces) {
    for (const Part& id : ids_in(each.child("Groups"))) all.push_back(*id.text());
  }
  if (interfaces.empty()) all = ids.texts();
  const auto groups = known_groups(design, all);
  if (!groups) return;
  static constexpr Need kNeeds[] = {{Direction::outbound, 6817, 6817, "to slurmctld"},
                                    {Direction::inbound, 6818, 6818, "to slurmd"},
                                    {Direction::outbound, 6818, 6818, "to slurmd on other nodes"},
                                    {Direction::inbound, 60001, 63000, "srun between nodes"},
                                    {Direction::outbound, 60001, 63000, "srun between nodes"}};
  std::set<std::string> peers(all.begin(), all.end());
  for (const Resource& cluster : design.clusters) {
    for (std::string& id : cluster.part.child("networking").child("securityGroupIds").texts())
      peers.insert(std::move(id));
  }
  check_ports(interfaces.empty() ? ids : data.child("NetworkInterfaces"), *groups, peers, kNeeds, violations);
}

void check_interfaces(const Part& data, Violations& violations) {
  const Part all = data.child("NetworkInterfaces");
  const std::vector<Part> interfaces = all.elements();
  if (all && (!all.is(Kind::array) ||
              std::any_of(interfaces.begin(), interfaces.end(), [](const Part& each) { return !each.is_object(); }))) {
    violations.add("PCS-43", all, "NetworkInterfaces is no array of objects");
    return;
  }
  if (interfaces.empty()) return;
  std::size_t primaries = 0;
  std::map<std::int64_t, bool> cards;  // and whether its first interface is an EFA
  std::set<std::string> subnets;
  std::int64_t expected = 0;
  bool sequential = true;
  for (const Part& each : interfaces) {
    if (violations.full()) return;
    const Part device = each.child("DeviceIndex");
    const auto number = device ? device.integer() : 0;
    if (number == 0) {
      ++primaries;
    } else if (number != 1) {
      violations.add("PCS-43", device,
                     fmt::format("DeviceIndex {}, expected 0 for one interface and 1 for the others",
                                 describe_found(*device.value)));
    }
    const Part card = each.child("NetworkCardIndex");
    const auto index = card ? card.integer() : 0;
    if (!index) {
      violations.add("PCS-43", card,
                     fmt::format("NetworkCardIndex {}, expected an integer", describe_found(*card.value)));
      continue;
    }
    sequential = sequential && *index == expected++;
    const auto [known, is_new] = cards.emplace(*index, is_efa(each));
    if (!is_new) {
      const bool both = known->second && is_efa(each);
      violations.add(both ? "PCS-53" : "PCS-43", card,
                     both ? fmt::format("a second EFA on network card {}", *index)
                          : fmt::format("network card {} has an interface already", *index),
                     "Give each interface a card of its own.");
      sequential = true;
      expected = *index;
    }
    if (auto subnet = each.child("SubnetId").text()) subnets.insert(*std::move(subnet));
  }
  if (primaries != 1) {
    violations.add("PCS-43", all, fmt::format("{} interfaces have DeviceIndex 0, expected exactly one", primaries));
  }
  if (!sequential) {
    violations.warn("PCS-43", all, "NetworkCardIndex is not numbered in sequence from 0",
                    "Number the cards 0, 1, 2, ...");
  }
  if (subnets.size() > 1) {
    violations.add("PCS-43", all, fmt::format("the interfaces are in {} subnets, expected one", subnets.size()));
  }
}

void check_reservation(const Part& data, bool newer, Violations& violations) {
  const Part market = data.child("InstanceMarketOptions").child("MarketType");
  const bool block = market.text() == "capacity-block";
  if (block && !newer) {
    violations.add("PCS-44", market, "Capacity Blocks need edition 2026-08", "Use capacity reservations in a group.");
  }
  const Part specification = data.child("CapacityReservationSpecification");
  for (const Part& holder : {specification, specification.child("CapacityReservationTarget")}) {
    const Part id = holder.child("CapacityReservationId");
    if (id && !(block && newer)) {  // a Capacity Block is named by its own id
      violations.add("PCS-44", id, fmt::format("names one reservation, {}", describe_found(*id.value)));
    }
  }
}

void check_efa(const Design& design, const LaunchTemplate& launch_template, Violations& violations) {
  std::vector<Part> efas;
  for (const Part& each : launch_template.data.child("NetworkInterfaces").elements()) {
    if (is_efa(each)) efas.push_back(each);
  }
  if (efas.empty()) return;
  std::map<std::string, std::size_t> uses;  // of each security group
  for (const Part& each : efas) {
    const std::vector<std::string> ids = each.child("Groups").texts();
    for (const std::string& id : std::set<std::string>(ids.begin(), ids.end())) ++uses[id];
    const auto groups = known_groups(design, ids);
    if (!groups) continue;
    bool any = false;
    for (std::size_t i = 0; i < ids.size(); ++i) any = any || is_efa_group((*groups)[i], ids[i]);
    if (!any) {
      violations.add("PCS-52", each.child("Groups"),
                     "none of the security groups allows all traffic from and to itself",
                     "Add a group with inbound and outbound rules of protocol -1 that name the group itself.");
    }
  }
  const bool common = std::any_of(uses.begin(), uses.end(), [&](const auto& use) { return use.second == efas.size(); });
  if (!common && !uses.empty()) {
    violations.add("PCS-52", launch_template.data.child("NetworkInterfaces"),
                   "the EFA interfaces have no security group in common");
  }
  const Part placement = launch_template.data.child("Placement");
  const Part group = placement.child(placement.child("GroupId") ? "GroupId" : "GroupName");
  if (!group) {
    violations.add("PCS-54", placement, "EFA interfaces, and no placement group");
    return;
  }
  const auto known = design.placement_groups.find(group.text_or(""));
  if (known == design.placement_groups.end()) return;
  const std::string strategy =
      known->second.child("Strategy").text_or(known->second.child("strategy").text_or("cluster"));
  if (strategy != "cluster") {
    violations.add("PCS-54", group,
                   fmt::format("the placement group's strategy is {}, expected cluster", quote(strategy)));
  }
}

bool is_service_name(std::string_view name) { return name.starts_with("pcs-") && name.ends_with("-do-not-delete"); }

// --- A launch template and the node group that uses it ---

void check_image(const Design& design, const Resource& group, const LaunchTemplate& launch_template,
                 Violations& violations) {
  const Part own = group.part.child("amiId");
  const Part image = own ? own : launch_template.data.child("ImageId");
  if (!image && (group.shape == Shape::create || group.shape == Shape::got)) {
    violations.add("PCS-46", own, "neither amiId here nor ImageId in the launch template");
  }
  if (!image || !has_efa(launch_template) || group.shape == Shape::scenario) return;
  const auto known = design.images.find(image.text_or(""));
  const bool sample =
      known != design.images.end() && known->second.child("Name").text_or("").starts_with("aws-pcs-sample_ami");
  const std::string script = decode_base64(launch_template.data.child("UserData").text_or("")).value_or("");
  if (sample || script.find("efa_installer") != std::string::npos ||
      script.find("aws-efa-installer") != std::string::npos) {
    return;
  }
  violations.add("PCS-56", image, "EFA interfaces, and whether the AMI has the EFA driver is not known");
}

void check_types(const Resource& group, const LaunchTemplate& launch_template, Violations& violations) {
  std::int64_t efas = 0;
  for (const Part& each : launch_template.data.child("NetworkInterfaces").elements()) efas += is_efa(each) ? 1 : 0;
  if (efas == 0) return;
  for (const Part& config : group.part.child("instanceConfigs").elements()) {
    const Part at = config.child("instanceType");
    const auto type = find_instance_type(at.text_or(""));
    if (!type) continue;
    if (type->efa_interfaces == 0) {
      violations.add("PCS-50", at,
                     fmt::format("{} has no EFA, and the launch template has EFA interfaces", type->name));
    } else if (efas > type->efa_interfaces) {
      violations.add("PCS-53", at,
                     fmt::format("{} takes {} EFA interfaces, and the launch template has {}", type->name,
                                 type->efa_interfaces, efas));
    }
  }
}

void check_subnet(const Resource& group, const LaunchTemplate& launch_template, Violations& violations) {
  const Part at = group.part.child("subnetIds");
  const std::vector<std::string> subnets = at.texts();
  if (subnets.empty()) return;
  for (const Part& each : launch_template.data.child("NetworkInterfaces").elements()) {
    const auto subnet = each.child("SubnetId").text();
    if (!subnet || std::find(subnets.begin(), subnets.end(), *subnet) != subnets.end()) continue;
    violations.add("PCS-43", at,
                   fmt::format("the launch template's interfaces are in {}, the group is not", quote(*subnet)),
                   "Give the group and the interfaces the same subnet.");
    return;
  }
}

// The placement group's limits, held against the node group that is placed in it.
void check_placement(const Design& design, const Resource& group, const LaunchTemplate& launch_template,
                     Violations& violations) {
  const Part placement = launch_template.data.child("Placement");
  const std::string name = placement.child("GroupName").text_or(placement.child("GroupId").text_or(""));
  const auto known = design.placement_groups.find(name);
  if (known == design.placement_groups.end()) return;
  const Part& placement_group = known->second;
  const std::string strategy =
      placement_group.child("Strategy").text_or(placement_group.child("strategy").text_or("cluster"));
  const std::size_t zones = zones_of(design, group).size();
  if (strategy == "cluster" && zones > 1) {
    violations.add(
        "PCS-55", group.part.child("subnetIds"),
        fmt::format("subnets in {} zones, and placement group {} is a cluster, in one zone", zones, quote(name)),
        "Use subnets of one zone.");
  }
  const Part most = group.part.child("scalingConfiguration").child("maxInstanceCount");
  const std::int64_t limit = 7 * static_cast<std::int64_t>(std::max<std::size_t>(1, zones));
  const bool by_rack = placement_group.child("SpreadLevel").text_or("rack") != "host";
  if (strategy == "spread" && by_rack && most.integer().value_or(0) > limit) {
    violations.add("PCS-55", most,
                   fmt::format("{} instances in spread placement group {}, which holds {} (7 in a zone)",
                               *most.integer(), quote(name), limit));
  }
}

void check_placement_groups(const Design& design, Violations& violations) {
  static constexpr std::string_view kStrategies[] = {"cluster", "partition", "spread", "precision-time"};
  std::set<const JsonValue*> seen;  // one may be known by two names
  for (const auto& [name, group] : design.placement_groups) {
    if (violations.full() || !seen.insert(group.value).second) continue;
    if (design.scenario && group.file != design.scenario->file) continue;  // told with the other files
    if (!group.is_object()) continue;
    const Part strategy = group.child(group.child("Strategy") ? "Strategy" : "strategy");
    if (strategy &&
        std::find(std::begin(kStrategies), std::end(kStrategies), strategy.text_or("")) == std::end(kStrategies)) {
      violations.add(
          "PCS-55", strategy,
          fmt::format("found {}, expected \"cluster\", \"partition\" or \"spread\"", describe_found(*strategy.value)));
    }
    const Part count = group.child(group.child("PartitionCount") ? "PartitionCount" : "partitionCount");
    if (count && (!count.integer() || *count.integer() < 1 || *count.integer() > 7)) {
      violations.add("PCS-55", count,
                     fmt::format("found {} partitions, expected 1 to 7 in a zone", describe_found(*count.value)));
    }
  }
}

void check_use(const Design& design, const Links& links, const Resource& group, Violations& violations) {
  const Part custom = group.part.child("customLaunchTemplate");
  if (is_service_name(custom.child("id").text_or(""))) {
    violations.add("PCS-45", custom.child("id"),
                   fmt::format("{} belongs to the service", quote(*custom.child("id").text())));
  }
  const LaunchTemplate* const used = links.template_of(group);
  if (used == nullptr) {
    if (const Part version = custom.child("version"); version.text() && !links.versions_of(group).empty()) {
      violations.add("api-reference", version,
                     fmt::format("the launch template has no version {} in these files", quote(*version.text())));
    }
    return;
  }
  if (is_service_name(used->name) && used->name != custom.child("id").text_or("")) {
    violations.add("PCS-45", custom.child("id"),
                   fmt::format("it is {}, which belongs to the service", quote(used->name)));
  }
  check_image(design, group, *used, violations);
  check_types(group, *used, violations);
  check_subnet(group, *used, violations);
  check_placement(design, group, *used, violations);
}

// One placement group for two EFA groups.
void check_shared_placement(const Design& design, const Links& links, Violations& violations) {
  std::map<std::string, const Resource*> owners;
  for (const Resource& group : design.groups) {
    if (group.shape == Shape::update || violations.full()) continue;
    const LaunchTemplate* const used = links.template_of(group);
    if (used == nullptr || !has_efa(*used)) continue;
    const Part placement = used->data.child("Placement");
    const std::string name = placement.child("GroupName").text_or(placement.child("GroupId").text_or(""));
    if (name.empty()) continue;
    const auto [owner, is_new] = owners.emplace(name, &group);
    if (is_new || owner->second->name == group.name) continue;
    violations.add(
        "PCS-54", group.part.child("customLaunchTemplate"),
        fmt::format("placement group {} is that of node group {}, too", quote(name), quote(owner->second->name)));
  }
}

}  // namespace

void check_launch_templates(const Design& design, const Links& links, Violations& violations) {
  for (const LaunchTemplate& each : design.templates) {
    if (violations.full()) return;
    const std::vector<const Resource*> users = links.users_of(each);
    if (each.is_input && is_service_name(each.name)) {
      violations.add("PCS-45", each.name_at, fmt::format("{} is a name of the service's own", quote(each.name)));
    }
    // The service's own are not the user's to mend, and a version that nobody uses any more harms nobody.
    const bool old = each.version && !each.is_default && users.empty();
    if (is_service_name(each.name) || old || !each.data.is_object()) continue;
    const Resource* const cluster = users.empty() ? nullptr : links.cluster_of(*users.front());
    check_ignored(each.data, violations);
    check_user_data(each.data, violations);
    check_security_groups(design, each.data, violations);
    check_interfaces(each.data, violations);
    check_reservation(each.data, is_newer(design, cluster), violations);
    check_efa(design, each, violations);
  }
  for (const Resource& group : design.groups) {
    if (violations.full()) return;
    if (group.shape != Shape::listed) check_use(design, links, group, violations);
  }
  check_shared_placement(design, links, violations);
  check_placement_groups(design, violations);
  for (const Resource& cluster : design.clusters) {
    const Part ids = cluster.part.child("networking").child("securityGroupIds");
    const auto groups = known_groups(design, ids.texts());
    if (!groups || violations.full()) continue;
    static constexpr Need kNeeds[] = {{Direction::inbound, 6817, 6817, "to slurmctld"},
                                      {Direction::outbound, 6818, 6818, "to slurmd"}};
    std::set<std::string> peers;  // any group of the design may be the nodes'
    for (const auto& [id, group] : design.security_groups) peers.insert(id);
    check_ports(ids, *groups, peers, kNeeds, violations);
  }
}

}  // namespace headroom::rules
