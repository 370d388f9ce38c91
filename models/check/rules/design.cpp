#include "models/check/rules/design.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "models/scenario/pcs_limits.hpp"

namespace headroom::rules {
namespace {

using Kind = JsonValue::Kind;

// The three resources of PCS and how the API's shapes name their parts.
struct Word {
  std::string_view key;     // outermost key of get output, and of scenarios
  std::string_view list;    // of list output
  std::string_view create;  // the name in create input
  std::string_view update;  // the name or id in update input
  std::string_view option;  // in the table of options
  std::vector<Resource> Design::*resources;
};
constexpr Word kCluster{"cluster", "clusters", "clusterName", "clusterIdentifier", "cluster", &Design::clusters};
constexpr Word kGroup{"computeNodeGroup",           "computeNodeGroups", "computeNodeGroupName",
                      "computeNodeGroupIdentifier", "computeNodeGroups", &Design::groups};
constexpr Word kQueue{"queue", "queues", "queueName", "queueIdentifier", "queues", &Design::queues};
constexpr std::array<const Word*, 3> kWords = {&kCluster, &kGroup, &kQueue};

constexpr std::string_view kExpected =
    "a scenario (docs/scenario.md), a cluster, compute node group or queue as the PCS API takes or prints it, "
    "or of EC2 a launch template, or describe-launch-template-versions, describe-security-groups, describe-subnets, "
    "describe-vpcs, describe-placement-groups or describe-images output";

// Of LaunchTemplateData: one of them is enough to know it.
constexpr std::string_view kTemplateKeys[] = {"NetworkInterfaces",
                                              "UserData",
                                              "SecurityGroupIds",
                                              "SecurityGroups",
                                              "ImageId",
                                              "Placement",
                                              "CapacityReservationSpecification",
                                              "BlockDeviceMappings",
                                              "TagSpecifications",
                                              "KeyName",
                                              "MetadataOptions",
                                              "Monitoring",
                                              "CpuOptions",
                                              "InstanceType",
                                              "InstanceRequirements",
                                              "IamInstanceProfile",
                                              "DisableApiTermination",
                                              "DisableApiStop",
                                              "HibernationOptions",
                                              "ElasticGpuSpecifications",
                                              "ElasticInferenceAccelerators",
                                              "EbsOptimized",
                                              "InstanceMarketOptions",
                                              "InstanceInitiatedShutdownBehavior",
                                              "CreditSpecification",
                                              "EnclaveOptions",
                                              "PrivateDnsNameOptions",
                                              "MaintenanceOptions",
                                              "LicenseSpecifications",
                                              "KernelId",
                                              "RamDiskId"};

bool has(const Part& part, std::string_view key) { return static_cast<bool>(part.child(key)); }

template <class... Keys>
bool has_any(const Part& part, Keys... keys) {
  return (has(part, keys) || ...);
}

// A resource found at `part`; its name is in `name` or in the create key.
void add(Design& design, const Word& word, Shape shape, const Part& part) {
  Resource resource;
  resource.shape = shape;
  resource.part = part;
  resource.keys = option_tree().child(word.option);
  if (&word != &kCluster) resource.keys = resource.keys->child("[]");
  resource.name_at = part.child(has(part, word.create) ? word.create : "name");
  resource.name = resource.name_at.text_or("");
  resource.id = part.child("id").text_or("");
  if (shape == Shape::update) {
    const std::string identifier = part.child(word.update).text_or("");
    (identifier.starts_with("pcs_") ? resource.id : resource.name) = identifier;
  }
  resource.status = part.child("status").text_or("");
  if (&word != &kCluster) {
    resource.cluster = part.child(has(part, "clusterId") ? "clusterId" : "clusterIdentifier").text_or("");
  }
  (design.*word.resources).push_back(std::move(resource));
}

void add_template(Design& design, const Part& holder, const Part& data, std::string_view stem, bool is_input) {
  LaunchTemplate made;
  made.data = data;
  made.name_at = holder.child("LaunchTemplateName");
  made.name = made.name_at.text_or("");
  made.id = holder.child("LaunchTemplateId").text_or("");
  made.stem = stem;
  made.version = holder.child("VersionNumber").integer();
  const Part is_default = holder.child("DefaultVersion");
  made.is_default = is_default.is(Kind::boolean) && is_default.value->truth;
  made.is_input = is_input;
  design.templates.push_back(std::move(made));
}

// The members of an array of objects; others are told.
std::vector<Part> objects_in(const Part& array, Violations& violations) {
  std::vector<Part> objects;
  if (!array.is(Kind::array)) {
    violations.add("api-shape", array, fmt::format("found {}, expected an array", describe_found(*array.value)));
    return objects;
  }
  for (const Part& element : array.elements()) {
    if (violations.full()) break;
    if (element.is_object()) {
      objects.push_back(element);
    } else {
      violations.add("api-shape", element, fmt::format("found {}, expected an object", describe_found(*element.value)));
    }
  }
  return objects;
}

bool add_ec2(Design& design, const Part& root, std::string_view stem, Violations& violations) {
  if (const Part versions = root.child("LaunchTemplateVersions")) {
    for (const Part& each : objects_in(versions, violations)) {
      add_template(design, each, each.child("LaunchTemplateData"), "", false);
    }
    return true;
  }
  if (const Part data = root.child("LaunchTemplateData")) {
    if (data.is_object()) {
      add_template(design, root, data, stem, true);
    } else {
      violations.add("api-shape", data, fmt::format("found {}, expected an object", describe_found(*data.value)));
    }
    return true;
  }
  struct Listing {
    std::string_view key;
    std::string_view id;
    std::string_view name;  // empty: it has no other
    std::map<std::string, Part, std::less<>> Design::*things;
  };
  static constexpr Listing kListings[] = {{"Subnets", "SubnetId", "", &Design::subnets},
                                          {"Vpcs", "VpcId", "", &Design::vpcs},
                                          {"Images", "ImageId", "", &Design::images},
                                          {"PlacementGroups", "GroupId", "GroupName", &Design::placement_groups},
                                          {"SecurityGroups", "GroupId", "", &Design::security_groups}};
  bool known = false;
  for (const Listing& listing : kListings) {
    const Part list = root.child(listing.key);
    if (!list) continue;
    // A launch template has security groups by name: an array of strings.
    if (listing.key == "SecurityGroups" &&
        std::any_of(std::begin(kTemplateKeys), std::end(kTemplateKeys),
                    [&](auto key) { return key != listing.key && has(root, key); })) {
      continue;
    }
    if (listing.key == "SecurityGroups" && list.is(Kind::array) && !list.value->items.empty() &&
        list.value->items.front().kind == Kind::string) {
      continue;
    }
    known = true;
    for (const Part& each : objects_in(list, violations)) {
      for (const std::string_view key : {listing.id, listing.name}) {
        if (key.empty()) continue;
        if (const auto name = each.child(key).text()) (design.*listing.things).insert_or_assign(*name, each);
      }
    }
  }
  if (known) return true;
  if (has(root, "GroupName") && has_any(root, "Strategy", "PartitionCount", "SpreadLevel")) {
    design.placement_groups.insert_or_assign(root.child("GroupName").text_or(""), root);
    return true;
  }
  if (std::any_of(std::begin(kTemplateKeys), std::end(kTemplateKeys), [&](auto key) { return has(root, key); })) {
    add_template(design, root, root, stem, false);
    return true;
  }
  return false;
}

bool add_pcs(Design& design, const Part& root, Violations& violations) {
  bool known = false;
  for (const Word* word : kWords) {
    if (const Part list = root.child(word->list); list && !list.is_object()) {
      known = true;
      for (const Part& each : objects_in(list, violations)) add(design, *word, Shape::listed, each);
    }
    if (const Part inner = root.child(word->key)) {
      known = true;
      if (inner.is_object()) {
        add(design, *word, Shape::got, inner);
      } else {
        violations.add("api-shape", inner, fmt::format("found {}, expected an object", describe_found(*inner.value)));
      }
    }
  }
  if (known) return true;
  const Shape read = has_any(root, "arn", "createdAt", "modifiedAt", "status") ? Shape::got : Shape::create;
  // The one with the name or the identifier decides; what only one of them has comes after that.
  for (const Word* word : {&kGroup, &kQueue}) {
    const bool update = has(root, word->update);
    if (update || has(root, word->create)) {
      add(design, *word, update ? Shape::update : Shape::create, root);
      return true;
    }
  }
  if (has(root, kCluster.create)) {
    add(design, kCluster, Shape::create, root);
  } else if (has_any(root, "instanceConfigs", "scalingConfiguration", "customLaunchTemplate")) {
    add(design, kGroup, read, root);
  } else if (has(root, "computeNodeGroupConfigurations")) {
    add(design, kQueue, read, root);
  } else if (has_any(root, "networking", "size", "scheduler", "slurmConfiguration")) {
    const bool update = has(root, kCluster.update);
    if (!update && !has_any(root, "networking", "size", "scheduler")) return false;  // of a group, a queue or a cluster
    add(design, kCluster, update ? Shape::update : read, root);
  } else {
    return false;
  }
  return true;
}

// A scenario may hold what get calls print, with their outermost key; messages leave that out, as the parser does.
Part unwrapped(const Part& part, std::string_view key) {
  if (!part.is_object() || part.value->items.size() != 1 || part.value->items.front().key != key) return part;
  Part inner = part.child(key);
  if (!inner.is_object()) return part;
  inner.path = part.path;
  return inner;
}

}  // namespace

bool is_scenario(const JsonValue& root) {
  if (root.kind != Kind::object) return false;
  const auto given = [&](std::string_view key) { return root.find(key) != nullptr; };
  return given("workload") || given("pool") || given("pcsEdition") || given("scaler") || given("cloud") ||
         given("launchTemplates") || (given("cluster") && (given("computeNodeGroups") || given("queues")));
}

std::string add_file(Design& design, const Part& root, std::string_view stem, Violations& violations) {
  if (!root.is_object()) return fmt::format("holds {}; expected {}", describe_found(*root.value), kExpected);
  if (add_pcs(design, root, violations) || add_ec2(design, root, stem, violations)) return {};
  // A schema says what a file may hold: it stands beside scenarios and is no design.
  if (root.child("$schema").text_or("").find("json-schema.org") != std::string::npos) return {};
  std::string keys;
  std::vector<std::string_view> known(std::begin(kTemplateKeys), std::end(kTemplateKeys));
  for (const Word* word : kWords) known.insert(known.end(), {word->key, word->create, word->update});
  std::string hint;
  for (const Part& member : root.members()) {
    if (keys.size() > 60) {
      keys += ", ...";
      break;
    }
    if (hint.empty()) hint = nearest_hint(member.value->key, known);
    keys += (keys.empty() ? "" : ", ") + quote(member.value->key, 30);
  }
  return fmt::format("not known by its keys ({}){} {}", keys.empty() ? "none" : keys,
                     hint.empty() ? "; expected" : fmt::format(";{} Expected", hint), kExpected);
}

Design scenario_design(const Part& root, const Design& known) {
  Design design;
  design.security_groups = known.security_groups;
  design.subnets = known.subnets;
  design.vpcs = known.vpcs;
  design.placement_groups = known.placement_groups;
  design.images = known.images;
  design.scenario = root;
  if (const auto edition = root.child("pcsEdition").text()) design.newer_edition = *edition == "2026-08";
  if (const Part cluster = unwrapped(root.child("cluster"), "cluster"); cluster.is_object()) {
    add(design, kCluster, Shape::scenario, cluster);
  }
  for (const Word* word : {&kGroup, &kQueue}) {
    for (const Part& element : root.child(word->list).elements()) {
      const Part each = unwrapped(element, word->key);
      if (!each.is_object()) continue;
      add(design, *word, Shape::scenario, each);
      (design.*word->resources).back().cluster.clear();  // it is the scenario's own
    }
  }
  for (const Part& each : root.child("launchTemplates").members()) {
    LaunchTemplate made;
    made.data = each;
    made.name_at = each;
    made.id = each.value->key;
    made.name = made.id;
    design.templates.push_back(std::move(made));
  }
  for (const Part& each : root.child("subnets").members()) design.subnets.insert_or_assign(each.value->key, each);
  for (const Part& each : root.child("placementGroups").members()) {
    design.placement_groups.insert_or_assign(each.value->key, each);
  }
  return design;
}

bool is_newer(const Design& design, const Resource* cluster) {
  if (design.newer_edition) return *design.newer_edition;
  const auto says_so = [](const Resource& each) {
    return version_problem(each.part.child("scheduler").child("version").text_or(""), true).empty();
  };
  if (cluster != nullptr) return says_so(*cluster);
  return std::any_of(design.clusters.begin(), design.clusters.end(), says_so);
}

Links::Links(const Design& design) : design_(design) {
  for (const Resource& each : design.clusters) {
    for (const std::string& key : {each.name, each.id}) {
      if (!key.empty()) clusters_[key].push_back(&each);
    }
  }
  for (const Resource& each : design.groups) {
    for (const std::string& key : {each.name, each.id}) {
      if (!key.empty()) groups_[key].push_back(&each);
    }
    if (const Resource* const cluster = cluster_of(each)) groups_of_[cluster].push_back(&each);
  }
  for (const Resource& queue : design.queues) {
    for (const Part& config : queue.part.child("computeNodeGroupConfigurations").elements()) {
      const Resource* const group = group_named(queue, config.child("computeNodeGroupId").text_or(""));
      if (group != nullptr) queues_of_[group].push_back(&queue);
    }
  }
  for (const LaunchTemplate& each : design.templates) {
    std::set<std::string> keys = {each.id, each.name, each.stem};
    for (const std::string& key : keys) {
      if (!key.empty()) templates_[key].push_back(&each);
    }
  }
  for (const Resource& each : design.groups) {
    if (const LaunchTemplate* const used = template_of(each)) users_of_[used].push_back(&each);
  }
}

const Resource* Links::cluster_of(const Resource& resource) const {
  const auto first_of = [](const std::vector<const Resource*>& all) -> const Resource* {
    // What is beats what is asked for.
    const auto got =
        std::find_if(all.begin(), all.end(), [](const Resource* each) { return each->shape == Shape::got; });
    const auto real =
        std::find_if(all.begin(), all.end(), [](const Resource* each) { return each->shape != Shape::update; });
    return got != all.end() ? *got : real != all.end() ? *real : nullptr;
  };
  if (const auto found = clusters_.find(resource.cluster); found != clusters_.end()) {
    if (const Resource* const cluster = first_of(found->second)) return cluster;
  }
  // Input of a create call has no id, and its cluster's groups may give one.
  std::vector<const Resource*> all;
  std::set<std::string> names;
  for (const Resource& each : design_.clusters) {
    if (each.shape == Shape::listed) return nullptr;
    all.push_back(&each);
    names.insert(each.name);
  }
  if (all.empty() || names.size() > 1) return nullptr;
  const Resource* const only = first_of(all);
  const bool may_be =
      only != nullptr && (resource.cluster.empty() || only->shape == Shape::scenario ||
                          (only->id.empty() && resource.cluster.starts_with("pcs_")) || only->name.empty());
  return may_be ? only : nullptr;
}

const Resource* Links::group_named(const Resource& queue, const std::string& identifier) const {
  const auto found = groups_.find(identifier);
  if (found == groups_.end()) return nullptr;
  const Resource* best = nullptr;
  for (const Resource* each : found->second) {
    if (!each->cluster.empty() && !queue.cluster.empty() && each->cluster != queue.cluster &&
        cluster_of(*each) != cluster_of(queue)) {
      continue;
    }
    if (best == nullptr || each->shape == Shape::got) best = each;
  }
  return best;
}

std::vector<const Resource*> Links::groups_of(const Resource& cluster) const {
  const auto found = groups_of_.find(&cluster);
  return found == groups_of_.end() ? std::vector<const Resource*>{} : found->second;
}

std::vector<const Resource*> Links::queues_of(const Resource& group) const {
  const auto found = queues_of_.find(&group);
  return found == queues_of_.end() ? std::vector<const Resource*>{} : found->second;
}

std::vector<const LaunchTemplate*> Links::versions_of(const Resource& group) const {
  const auto found = templates_.find(group.part.child("customLaunchTemplate").child("id").text_or(""));
  return found == templates_.end() ? std::vector<const LaunchTemplate*>{} : found->second;
}

const LaunchTemplate* Links::template_of(const Resource& group) const {
  const std::vector<const LaunchTemplate*> versions = versions_of(group);
  if (versions.empty()) return nullptr;
  const std::string wanted = group.part.child("customLaunchTemplate").child("version").text_or("");
  const LaunchTemplate* best = nullptr;
  for (const LaunchTemplate* each : versions) {
    if (!each->version) {
      if (best == nullptr) best = each;
    } else if (wanted == "$Default" ? each->is_default : std::to_string(*each->version) == wanted) {
      return each;
    } else if (wanted == "$Latest" && (best == nullptr || !best->version || *best->version < *each->version)) {
      best = each;
    }
  }
  return best;
}

std::vector<const Resource*> Links::users_of(const LaunchTemplate& launch_template) const {
  const auto found = users_of_.find(&launch_template);
  return found == users_of_.end() ? std::vector<const Resource*>{} : found->second;
}

std::vector<std::string> zones_of(const Design& design, const Resource& group) {
  std::set<std::string> zones;
  for (const std::string& subnet : group.part.child("subnetIds").texts()) {
    const auto known = design.subnets.find(subnet);
    if (known == design.subnets.end()) continue;
    for (const char* key : {"AvailabilityZone", "availabilityZone"}) {
      if (auto zone = known->second.child(key).text()) zones.insert(*std::move(zone));
    }
  }
  return {zones.begin(), zones.end()};
}

bool is_efa(const Part& network_interface) {
  return network_interface.child("InterfaceType").text_or("").starts_with("efa");
}

bool has_efa(const LaunchTemplate& launch_template) {
  const std::vector<Part> interfaces = launch_template.data.child("NetworkInterfaces").elements();
  return std::any_of(interfaces.begin(), interfaces.end(), is_efa);
}

}  // namespace headroom::rules
