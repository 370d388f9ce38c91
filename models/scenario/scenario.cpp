#include "models/scenario/scenario.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <system_error>
#include <tuple>

#include <fmt/format.h>

#include "models/cloud/catalog.hpp"
#include "models/errors.hpp"
#include "models/policies/slurm/accounting.hpp"
#include "models/policies/slurm/conf.hpp"
#include "models/policies/slurm/known_names.hpp"
#include "models/policies/slurm/resources.hpp"
#include "models/policies/slurm/updates.hpp"
#include "models/scenario/cloud_section.hpp"
#include "models/scenario/communication_section.hpp"
#include "models/scenario/document.hpp"
#include "models/scenario/network_section.hpp"
#include "models/scenario/options.hpp"
#include "models/scenario/overrides.hpp"
#include "models/scenario/pcs_limits.hpp"

namespace headroom {
namespace {

using Kind = JsonValue::Kind;

// The first few of some names, for messages.
template <class Names>
std::string known_list(const Names& names) {
  static constexpr std::size_t kMost = 10;
  std::string text;
  std::size_t shown = 0;
  for (const std::string& name : names) {
    if (shown++ == kMost) {
      text += ", ...";
      break;
    }
    text += (text.empty() ? "" : ", ") + quote(name);
  }
  return text.empty() ? "none" : text;
}

template <class Integer>
std::optional<Integer> parse_integer(std::string_view text) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Of two keys that disagree, the one to name: what the command line changed last.
Where latest(Where a, Where b) { return b.source > a.source ? b : a; }

// Slurm has no names that differ in case only.
bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

// "24.05" -> 2405
std::int32_t version_number(std::string_view version) {
  return (version[0] - '0') * 1000 + (version[1] - '0') * 100 + (version[3] - '0') * 10 + (version[4] - '0');
}

// slurmctld's own limit (MAX_SLURM_NODES); a pool is as many nodes as it has processors.
constexpr std::int32_t kMostSlurmNodes = 65536;

// The keys of operations that only calls of the PCS API have.
constexpr std::string_view kOfCalls[] = {"clusterIdentifier",
                                         "computeNodeGroupIdentifier",
                                         "queueIdentifier",
                                         "clusterName",
                                         "size",
                                         "scheduler",
                                         "networking",
                                         "computeNodeGroupName",
                                         "scalingConfiguration",
                                         "instanceConfigs",
                                         "subnetIds",
                                         "purchaseOption",
                                         "spotOptions",
                                         "customLaunchTemplate",
                                         "amiId",
                                         "iamInstanceProfileArn",
                                         "nodeLifecycleActions",
                                         "queueName",
                                         "computeNodeGroupConfigurations",
                                         "slurmConfiguration",
                                         "fails"};

// Fills a Scenario from a document that check_options has seen, and checks what joins several keys. Values
// that were refused already read as their type's zero; rules that need them are left out.
class Builder {
 public:
  Builder(const JsonValue& root, Scenario& scenario, Problems& problems)
      : root_(root.kind == Kind::object ? &root : nullptr, option_tree(), ""),
        scenario_(scenario),
        problems_(problems) {}

  void build() {
    scenario_.name = root_.string("name").value_or("");
    scenario_.seed = static_cast<std::uint64_t>(root_.integer("seed").value_or(0));
    scenario_.region = root_.string("region").value_or("");
    scenario_.pcs_edition = root_.string("pcsEdition").value_or("");
    scenario_.scheduler.policy = root_.child("scheduler").string("policy").value_or("");
    scenario_.stall_limit = root_.duration("stallLimit").value_or(0);
    if (root_.has("pool")) {
      scenario_.pool = PoolDesign{root_.child("pool").count("processors").value_or(0)};
      if (runs_slurm(scenario_) && scenario_.pool->processors > kMostSlurmNodes) {
        add(root_.child("pool"), "processors",
            fmt::format("found {}, but Slurm has at most {} nodes, and a pool is nodes of one processor",
                        scenario_.pool->processors, kMostSlurmNodes));
      }
    } else {
      read_places();
      read_cluster();
      read_groups();
      read_queues();
      check_instance_limit();
      read_calls();
    }
    read_scheduler();
    read_scaler();
    read_cloud(root_.child("cloud"), problems_, scenario_.cloud);
    read_fabrics(root_.child("network"), scenario_.subnets, scenario_.reservations, problems_, scenario_.network);
    scenario_.network.model = read_network_model(root_.child("network").child("model"), problems_);
    read_spot(root_.child("cloud").child("spot"));
    read_failures(root_.child("cloud").child("failures"));
    read_workload();
    read_operations();
    read_faults();
    read_budgets();
    scenario_.expected_digest = root_.child("expect").string("digest").value_or("");
  }

 private:
  bool newer_edition() const { return scenario_.pcs_edition == "2026-08"; }

  void add(const Section& section, std::string_view key, std::string_view text) {
    problems_.add(section.where(key), section.path_of(key), text);
  }

  // The key was given, and only policy slurm takes it (or all but it); registry.cpp refuses it under others.
  void note_policy(const Section& section, std::string_view key, bool of_slurm = true, std::string_view what = {}) {
    scenario_.policy_keys.push_back(
        {problems_.place(section.where(key), section.path_of(key)) + (what.empty() ? "" : ": " + quote(what)),
         of_slurm});
  }

  // The create shape calls it clusterName, the get shape name.
  static std::string_view name_key(const Section& section, std::string_view create_key) {
    return section.has("name") ? "name" : create_key;
  }

  std::string read_name(const Section& section, std::string_view create_key, std::size_t longest,
                        std::string_view rule) {
    const std::string_view key = name_key(section, create_key);
    const auto name = section.string(key);
    if (!name) return {};
    if (const std::string problem = name_problem(*name, longest, rule); !problem.empty()) {
      violate(section.where(key), section.path_of(key), rule, problem);
    }
    return *name;
  }

  // A rule of PCS is broken: an error of the scenario's own design, but news of a call that is refused for it.
  void violate(Where where, const std::string& path, std::string_view rule, std::string text) {
    if (call_ == nullptr) return problems_.add(where, path, text);
    const std::string cited = fmt::format(" [{}]", rule);
    if (const auto at = text.find(cited); at != std::string::npos) text.erase(at, cited.size());
    call_->violations.push_back({std::string(rule), std::move(text)});
  }

  // Subnets, placement groups and launch templates: what groups refer to.
  void read_places() {
    for (const auto& [name, subnet] : root_.members("subnets")) {
      zones_[name] = subnet.string("availabilityZone").value_or("");
      scenario_.subnets.push_back({name, zones_[name], subnet.integer("freeAddresses")});
    }
    scenario_.placement_groups = read_placement_groups(root_, problems_);
    for (const PlacementGroupDesign& group : scenario_.placement_groups) placement_groups_.insert(group.name);
    scenario_.reservations = read_capacity_reservations(root_, newer_edition(), scenario_.placement_groups, problems_);
    for (const auto& [name, launch_template] : root_.members("launchTemplates")) {
      if (problems_.full()) break;
      templates_[name] = {read_placement(launch_template),
                          read_reservation_use(launch_template, newer_edition(), problems_),
                          read_efa_interfaces(launch_template, problems_)};
    }
  }

  std::string read_placement(const Section& launch_template) {
    const JsonValue* const placement = launch_template.find("Placement");
    if (placement == nullptr) return {};
    const std::string path = launch_template.path_of("Placement");
    if (placement->kind != Kind::object) {
      problems_.add(placement->where, path, fmt::format("found {}, expected an object", describe_found(*placement)));
      return {};
    }
    const JsonValue* const name = placement->find("GroupName");
    if (name == nullptr) return {};
    if (name->kind != Kind::string || name->text.empty()) {
      problems_.add(name->where, path + ".GroupName",
                    fmt::format("found {}, expected a string that is not empty", describe_found(*name)));
      return {};
    }
    if (root_.child("placementGroups").present() && placement_groups_.count(name->text) == 0) {
      problems_.add(
          name->where, path + ".GroupName",
          fmt::format("unknown placement group {}; known: {}", quote(name->text), known_list(placement_groups_)));
    }
    return name->text;
  }

  void read_cluster() {
    const Section cluster = root_.child("cluster");
    if (!cluster.present()) return;
    ClusterDesign& design = scenario_.cluster;
    design.name = read_name(cluster, "clusterName", kLongestClusterName, "PCS-1");
    design.id = cluster.string("id").value_or("");
    if (const auto size = cluster.string("size")) design.size = size_named(*size)->size;
    design.slurm_version = read_version(cluster.child("scheduler"));
    const Section slurm = cluster.child("slurmConfiguration");
    design.scale_down_idle_time = slurm.integer("scaleDownIdleTimeInSeconds").value_or(0) * kSecond;
    for (const auto& [name, setting] : read_settings(slurm, cluster_settings(), "slurm.conf", "PCS-7")) {
      const auto value = setting.string("parameterValue");
      if (!value) continue;
      if (name == "SelectTypeParameters" && *value != "CR_CPU" && *value != "CR_CPU_Memory") {
        add(setting, "parameterValue",
            fmt::format("found {}, expected \"CR_CPU\" or \"CR_CPU_Memory\" [PCS-7]", quote(*value)));
        continue;
      }
      // What every policy does needs no certain one.
      if (name != "SelectTypeParameters" || *value != "CR_CPU") note_policy(setting, "parameterValue", true, name);
      // PCS lets users set the weights, so its slurmctld goes by them.
      if (name.starts_with("PriorityWeight") && !is_set("PriorityType")) {
        add_setting("PriorityType", "priority/multifactor");
      }
      if (const std::string problem = add_setting(name, *value); !problem.empty()) {
        add(setting, "parameterValue", problem);
      }
    }
    if (slurm.child("accounting").string("mode") == "STANDARD") {
      add_setting("AccountingStorageType", "accounting_storage/slurmdbd");
    }
  }

  bool is_set(std::string_view name) const {
    const std::vector<SlurmSetting>& all = scenario_.scheduler.slurm;
    return std::any_of(all.begin(), all.end(), [&](const SlurmSetting& each) { return same_name(each.first, name); });
  }

  // What is wrong with the setting; "" if nothing.
  std::string add_setting(const std::string& name, const std::string& value) {
    scenario_.scheduler.slurm.emplace_back(name, value);
    std::string problem = slurm::set(conf_, name, value);
    scenario_.scheduler.memory_counts = conf_.memory;
    return problem;
  }

  // The newest of the edition where none is given.
  std::string read_version(const Section& scheduler) {
    const auto version = scheduler.string("version");
    if (!version) return std::string(slurm_versions(newer_edition()).back());
    if (const std::string problem = version_problem(*version, newer_edition()); !problem.empty()) {
      violate(scheduler.where("version"), scheduler.path_of("version"), "PCS-2", problem);
    }
    return *version;
  }

  // The custom settings by name; unknown names and repeated ones are refused.
  std::vector<std::pair<std::string, Section>> read_settings(const Section& slurm, std::span<const CustomSetting> table,
                                                             std::string_view where, std::string_view rule) {
    const auto use = [&](const CustomSetting& each) { return slurm::use_of(where, each.name); };
    std::vector<std::pair<std::string, Section>> settings;
    std::vector<std::string_view> known;
    for (const CustomSetting& each : table) {
      if (use(each) != slurm::Use::refused && (each.older || newer_edition())) known.push_back(each.name);
    }
    std::set<std::string> seen;
    for (Section& setting : slurm.elements("slurmCustomSettings")) {
      if (problems_.full()) break;
      auto name = setting.string("parameterName");
      if (!name) continue;
      const auto in_table =
          std::find_if(table.begin(), table.end(), [&](const CustomSetting& each) { return each.name == *name; });
      if (in_table != table.end() && !newer_edition() && !in_table->older) {
        add(setting, "parameterName", fmt::format("{} needs pcsEdition 2026-08 [{}]", quote(*name), rule));
      } else if (in_table != table.end() && use(*in_table) == slurm::Use::refused) {
        const slurm::Parameter* const refused = slurm::find_known_name(where, *name);
        add(setting, "parameterName",
            fmt::format("PCS takes {}, but it is not followed here{}{}", quote(*name), refused != nullptr ? ": " : "",
                        refused != nullptr ? refused->help : ""));
      } else if (in_table == table.end()) {
        const std::string hint = nearest_hint(*name, known);
        add(setting, "parameterName",
            fmt::format("{} is no setting that is supported here [{}]; {}", quote(*name), rule,
                        hint.empty()
                            ? "expected one of " + known_list(std::vector<std::string>(known.begin(), known.end()))
                            : hint.substr(1)));
      } else if (!seen.insert(*name).second) {
        add(setting, "parameterName", fmt::format("{} is given twice", quote(*name)));
      } else if (use(*in_table) == slurm::Use::implemented) {
        settings.emplace_back(std::move(*name), std::move(setting));
      }
    }
    return settings;
  }

  void read_groups() {
    for (const Section& section : root_.elements("computeNodeGroups")) {
      if (problems_.full()) break;
      const std::size_t position = scenario_.groups.size();
      GroupDesign& group = scenario_.groups.emplace_back(read_group(section));
      group_sections_.push_back(section);
      group.id = section.string("id").value_or("");
      for (const bool by_id : {false, true}) {
        const std::string& name = by_id ? group.id : group.name;
        if (name.empty() || (by_id && name == group.name)) continue;
        if (!group_by_name_.emplace(name, position).second) {
          add(section, by_id ? "id" : name_key(section, "computeNodeGroupName"),
              fmt::format("{} names another compute node group already [PCS-10]", quote(name)));
        }
      }
    }
  }

  // What CreateComputeNodeGroup takes; an update is a part of it.
  GroupDesign read_group(const Section& section) {
    GroupDesign group;
    group.name = read_name(section, "computeNodeGroupName", kLongestName, "PCS-10");
    for (const Section& config : section.elements("instanceConfigs")) {
      if (auto type = config.string("instanceType")) group.instance_types.push_back(std::move(*type));
    }
    read_scaling(section.child("scalingConfiguration"), group);
    read_subnets(section, group);
    read_launch_template(section.child("customLaunchTemplate"), group);
    read_purchase(section, newer_edition(), scenario_.reservations, problems_, group);
    read_group_settings(section.child("slurmConfiguration"), group);
    return group;
  }

  void read_scaling(const Section& scaling, GroupDesign& group) {
    const auto minimum = scaling.count("minInstanceCount");
    const auto maximum = scaling.count("maxInstanceCount");
    group.min_instances = minimum.value_or(0);
    group.max_instances = maximum.value_or(0);
    if (!minimum || !maximum) return;
    const std::string problem = scaling_problem(*minimum, *maximum, newer_edition());
    if (problem.empty()) return;
    violate(latest(scaling.where(), latest(scaling.where("minInstanceCount"), scaling.where("maxInstanceCount"))),
            scaling.path(), "PCS-11", problem);
  }

  void read_subnets(const Section& section, GroupDesign& group) {
    const JsonValue* const subnets = section.find("subnetIds");
    if (subnets == nullptr || subnets->kind != Kind::array) return;
    for (std::size_t i = 0; i < subnets->items.size(); ++i) {
      if (problems_.full()) break;
      const JsonValue& subnet = subnets->items[i];
      if (subnet.kind != Kind::string || subnet.text.empty()) continue;
      group.subnets.push_back(subnet.text);
      const auto known = zones_.find(subnet.text);
      if (known != zones_.end() && i == 0) group.zone = known->second;
      if (known == zones_.end() && root_.child("subnets").present()) {
        problems_.add(subnet.where, fmt::format("{}[{}]", section.path_of("subnetIds"), i),
                      fmt::format("unknown subnet {}; known: {}", quote(subnet.text), known_list(keys_of(zones_))));
      }
    }
  }

  void read_launch_template(const Section& section, GroupDesign& group) {
    const auto id = section.string("id");
    if (!id || !root_.child("launchTemplates").present()) return;
    const auto known = templates_.find(*id);
    if (known != templates_.end()) {
      group.placement_group = known->second.placement_group;
      group.reservations = known->second.reservations;
      group.knows_template = true;
      group.efa_interfaces = known->second.efa_interfaces;
      return;
    }
    add(section, "id",
        fmt::format("unknown launch template {}; known: {}", quote(*id), known_list(keys_of(templates_))));
  }

  void read_group_settings(const Section& slurm, GroupDesign& group) {
    const auto idle = slurm.integer("scaleDownIdleTimeInSeconds");
    if (idle && !newer_edition()) {
      add(slurm, "scaleDownIdleTimeInSeconds", "an idle time of a group needs pcsEdition 2026-08 [PCS-6]");
    } else if (idle && call_ != nullptr) {
      call_->idle_time = *idle == -1 ? ServiceCall::kInherit : *idle * kSecond;
    } else if (idle && *idle != -1) {
      group.scale_down_idle_time = *idle * kSecond;
    }
    for (const auto& [name, setting] : read_settings(slurm, group_settings(), "node", "PCS-16")) {
      const auto text = setting.string("parameterValue");
      if (!text) continue;
      if (name != "Weight" && name != "RealMemory") {
        note_policy(setting, "parameterValue", true, name);
        const std::string problem = add_node_setting(group, name, *text);
        if (!problem.empty()) add(setting, "parameterValue", problem);
        continue;
      }
      const std::int32_t least = name == "Weight" ? 0 : 1;
      const auto value = parse_integer<std::int32_t>(*text);
      if (!value || *value < least) {
        add(setting, "parameterValue",
            fmt::format("found {}, expected an integer from {} to {} as a string [PCS-16]", quote(*text), least,
                        std::numeric_limits<std::int32_t>::max()));
      } else if (name == "Weight") {
        group.weight = *value;
      } else {
        note_policy(setting, "parameterValue", true, name);
        group.real_memory = *value;
      }
    }
  }

  void read_queues() {
    bool any_group = false;
    const std::vector<Section> sections = root_.elements("queues");
    for (const Section& section : sections) {
      if (problems_.full()) break;
      QueueDesign& queue = scenario_.queues.emplace_back(read_queue(section));
      queue_sections_.push_back(section);
      queue.id = section.string("id").value_or("");
      if (!queue.name.empty() && !queue_names_.insert(queue.name).second) {
        add(section, name_key(section, "queueName"),
            fmt::format("{} names another queue already [PCS-30]", quote(queue.name)));
      }
      std::set<std::size_t> seen;
      for (const Section& config : section.elements("computeNodeGroupConfigurations")) {
        if (problems_.full()) break;
        any_group = true;
        const auto id = config.string("computeNodeGroupId");
        if (!id) continue;
        const auto group = group_by_name_.find(*id);
        if (group == group_by_name_.end()) {
          add(config, "computeNodeGroupId",
              fmt::format("unknown compute node group {}; known: {} [PCS-30]", quote(*id), known_list(group_names())));
        } else if (!seen.insert(group->second).second) {
          add(config, "computeNodeGroupId", fmt::format("the group {} is given twice", quote(*id)));
        } else {
          queue.groups.push_back(group->second);
        }
      }
    }
    if (!sections.empty() && !any_group) {
      add(root_, "queues", "no queue has a compute node group; expected at least one [PCS-30]");
    }
  }

  // Name and settings of what CreateQueue takes.
  QueueDesign read_queue(const Section& section) {
    QueueDesign queue;
    queue.name = read_name(section, "queueName", kLongestName, "PCS-30");
    slurm::Partition partition;
    const Section slurm = section.child("slurmConfiguration");
    for (const auto& [name, setting] : read_settings(slurm, queue_settings(), "partition", "PCS-30")) {
      const auto value = setting.string("parameterValue");
      if (!value) continue;
      note_policy(setting, "parameterValue", true, name);
      queue.slurm.emplace_back(name, *value);
      if (const std::string problem = slurm::set(partition, name, *value); !problem.empty()) {
        add(setting, "parameterValue", problem);
      }
    }
    return queue;
  }

  void check_instance_limit() {
    const auto size = root_.child("cluster").string("size");
    if (!size) return;
    std::int64_t sum = 0;
    for (const GroupDesign& group : scenario_.groups) sum += group.max_instances;
    if (const std::string problem = size_problem(*size_named(*size), sum); !problem.empty()) {
      add(root_.child("cluster"), "size", problem);
    }
  }

  // --- calls of the PCS API ---

  // A call, and what a creation or an update says in the words of the design.
  struct ReadCall {
    Section element;  // as operations have it
    ServiceCall call;
    GroupDesign group = {};
    QueueDesign queue = {};
  };

  ServiceOptions read_service() {
    const Section pcs = root_.child("pcs");
    const auto time = [&](std::string_view key) { return pcs.duration(key).value_or(0); };
    ServiceOptions options;
    options.cluster = {time("createClusterTime"), time("updateClusterTime"), time("deleteClusterTime")};
    options.group = {time("createGroupTime"), time("updateGroupTime"), time("deleteGroupTime")};
    options.queue = {time("createQueueTime"), time("updateQueueTime"), time("deleteQueueTime")};
    // Service quotas of the current AWS PCS User Guide; that of December 2024 has none for groups and queues.
    constexpr std::int32_t kInCluster = 10;
    const std::int32_t by_edition = newer_edition() ? kInCluster : ServiceOptions::kNone;
    options.clusters = pcs.count("clusterQuota").value_or(0);
    options.groups = pcs.count("groupQuota").value_or(by_edition);
    options.queues = pcs.count("queueQuota").value_or(by_edition);
    options.has_update_cluster = newer_edition();
    return options;
  }

  // All calls are answered here, before there is a run: no job has a say in it.
  void read_calls() {
    std::vector<ReadCall> calls;
    for (const Section& element : root_.elements("operations")) {
      if (problems_.full()) break;
      const auto name = element.string("action");
      if (const auto action = name ? action_named(*name) : std::nullopt) calls.push_back(read_call(element, *action));
    }
    std::stable_sort(calls.begin(), calls.end(),
                     [](const ReadCall& a, const ReadCall& b) { return a.call.at < b.call.at; });
    for (const ReadCall& each : calls) {
      const bool makes_queue = each.call.action == ServiceAction::create_queue && each.call.violations.empty();
      if (makes_queue && is_ours(each.call)) queue_names_.insert(each.call.target);
    }
    if (calls.empty() || !problems_.empty()) return;
    const ClusterDesign& cluster = scenario_.cluster;
    Service service(read_service(), cluster.name, cluster.id, limits_of(cluster.size).instances,
                    cluster.scale_down_idle_time);
    for (const GroupDesign& group : scenario_.groups) {
      service.add_group(group.name, group.id, {group.min_instances, group.max_instances}, group.scale_down_idle_time);
    }
    for (const QueueDesign& queue : scenario_.queues) {
      std::vector<GroupId> groups;
      for (const std::size_t g : queue.groups) groups.push_back(GroupId{static_cast<std::uint32_t>(g)});
      service.add_queue(queue.name, queue.id, groups);
    }
    for (ReadCall& each : calls) {
      const ServiceAnswer answer = service.answer(each.call);
      if (answer.number) take_in(each, *answer.number);
      if (answer.accepted() && is_ours(each.call)) check_followed(each, answer.target);
      scenario_.answers.push_back(answer);
    }
    scenario_.changes = service.changes();
    for (const TimedChange& each : scenario_.changes) {
      using enum ClusterChange::Kind;
      if (each.change.kind != resize && each.change.kind != delete_group) continue;
      scenario_.groups[index(each.change.group)].most_instances = service.most_nodes(each.change.group);
    }
  }

  // Whether it is about the cluster that is simulated.
  bool is_ours(const ServiceCall& call) const {
    const ClusterDesign& cluster = scenario_.cluster;
    return call.cluster.empty() || call.cluster == cluster.name || call.cluster == cluster.id;
  }

  // A group or a queue that is made joins the design, or is there from before.
  void take_in(const ReadCall& made, std::size_t number) {
    const bool of_group = made.call.action == ServiceAction::create_group;
    const std::size_t known = of_group ? scenario_.groups.size() : scenario_.queues.size();
    if (number < known) {
      const bool alike = of_group ? same_nodes(made, number) : made.queue.slurm == scenario_.queues[number].slurm;
      if (!alike) {
        problems_.add(made.element.where(), made.element.path(),
                      fmt::format("{} was there before and was another one, which is not followed here; expected the "
                                  "same again, or another name",
                                  quote(made.call.target)));
      }
      return;
    }
    if (of_group) {
      scenario_.groups.push_back(made.group);
      scenario_.groups.back().created = made.call.at;
      scenario_.groups.back().place = made.element.path();
      group_sections_.push_back(made.element);
      group_by_name_.emplace(made.call.target, number);
    } else {
      scenario_.queues.push_back(made.queue);
      scenario_.queues.back().created = made.call.at;
      queue_sections_.push_back(made.element);
    }
  }

  bool same_nodes(const ReadCall& made, std::size_t number) const {
    const GroupDesign& before = scenario_.groups[number];
    const GroupDesign& now = made.group;
    return before.instance_types == now.instance_types && before.weight == now.weight &&
           before.real_memory == now.real_memory && before.slurm == now.slurm && before.subnets == now.subnets &&
           before.placement_group == now.placement_group && same_text(made.element, group_sections_[number]);
  }

  // Whether both say the same of how instances are bought.
  static bool same_text(const Section& a, const Section& b) {
    const auto text = [](const Section& section, std::string_view key, std::string_view otherwise) {
      const JsonValue* const value = section.find(key);
      return value == nullptr ? std::string(otherwise) : dump_json(*value);
    };
    return text(a, "purchaseOption", "\"ONDEMAND\"") == text(b, "purchaseOption", "\"ONDEMAND\"");
  }

  // What PCS would do and is not followed here.
  void check_followed(const ReadCall& each, const std::string& target) {
    const Section& element = each.element;
    const auto refuse = [&](std::string_view key, std::string_view what) {
      add(element, key, fmt::format("PCS takes it, but {} is not followed here", what));
    };
    const Section slurm = element.child("slurmConfiguration");
    if (each.call.action == ServiceAction::update_cluster) {
      for (const std::string_view key :
           {"slurmCustomSettings", "slurmdbdCustomSettings", "cgroupCustomSettings", "accounting", "slurmRest"}) {
        if (slurm.has(key)) refuse("slurmConfiguration", fmt::format("a change of {} in mid-run", key));
      }
      const auto version = element.child("scheduler").string("version");
      if (version && *version != scenario_.cluster.slurm_version) refuse("scheduler", "another version in mid-run");
    }
    if (each.call.action == ServiceAction::update_queue && slurm.has("slurmCustomSettings")) {
      const auto queue = std::find_if(scenario_.queues.begin(), scenario_.queues.end(),
                                      [&](const QueueDesign& design) { return design.name == target; });
      if (queue != scenario_.queues.end() && queue->slurm != each.queue.slurm) {
        refuse("slurmConfiguration", "a change of the queue's settings in mid-run");
      }
    }
    const auto group = group_by_name_.find(target);
    if (each.call.action != ServiceAction::update_group || group == group_by_name_.end()) return;
    const GroupDesign& design = scenario_.groups[group->second];
    const bool same_settings = design.weight == each.group.weight && design.real_memory == each.group.real_memory &&
                               design.slurm == each.group.slurm;
    if (slurm.has("slurmCustomSettings") && !same_settings) {
      refuse("slurmConfiguration", "a change of the nodes' settings in mid-run");
    }
    if (element.has("subnetIds") && design.subnets != each.group.subnets) {
      refuse("subnetIds", "a change of subnets in mid-run");
    }
    if (element.has("purchaseOption") && !same_text(element, group_sections_[group->second])) {
      refuse("purchaseOption", "another purchase option in mid-run");
    }
    if (element.has("customLaunchTemplate") && design.placement_group != each.group.placement_group) {
      refuse("customLaunchTemplate", "another placement group in mid-run");
    }
  }

  // What the actions need and take, beside `at` and `action`.
  struct CallKeys {
    ServiceAction action;
    std::string_view target;
    std::vector<std::string_view> needed, taken;
  };
  static const CallKeys& keys_of_call(ServiceAction action) {
    using enum ServiceAction;
    static const std::vector<std::string_view> of_group = {
        "subnetIds", "purchaseOption",        "spotOptions",          "customLaunchTemplate",
        "amiId",     "iamInstanceProfileArn", "nodeLifecycleActions", "slurmConfiguration"};
    static const auto with = [](std::vector<std::string_view> keys) {
      keys.insert(keys.end(), of_group.begin(), of_group.end());
      return keys;
    };
    static const CallKeys keys[] = {
        {create_cluster, "clusterName", {"size", "scheduler"}, {"networking", "slurmConfiguration"}},
        {update_cluster, "clusterIdentifier", {}, {"scheduler", "slurmConfiguration"}},
        {delete_cluster, "clusterIdentifier", {}, {}},
        {create_group, "computeNodeGroupName", {"scalingConfiguration", "instanceConfigs"}, with({})},
        {update_group,
         "computeNodeGroupIdentifier",
         {},
         with({"scalingConfiguration", "instanceConfigs", "computeNodeGroupName"})},
        {delete_group, "computeNodeGroupIdentifier", {}, {}},
        {create_queue, "queueName", {}, {"computeNodeGroupConfigurations", "slurmConfiguration"}},
        {update_queue, "queueIdentifier", {}, {"computeNodeGroupConfigurations", "slurmConfiguration"}},
        {delete_queue, "queueIdentifier", {}, {}},
    };
    return keys[static_cast<std::size_t>(action)];
  }

  ReadCall read_call(const Section& element, ServiceAction action) {
    using enum ServiceAction;
    ReadCall read{element, {}};
    ServiceCall& call = read.call;
    call_ = &call;
    call.at = element.duration("at").value_or(0);
    call.action = action;
    call.cluster = element.string("clusterIdentifier").value_or("");
    call.fails = element.boolean("fails").value_or(false);
    const CallKeys& keys = keys_of_call(action);
    check_keys(element, keys);
    const bool of_cluster = action == update_cluster || action == delete_cluster;
    call.target = element.string(keys.target).value_or(of_cluster ? scenario_.cluster.name : "");
    const Section slurm = element.child("slurmConfiguration");
    if (action == create_cluster || action == update_cluster) {
      if (action == create_cluster) {
        read_name(element.as(*option_tree().child("cluster")), "clusterName", 40, "PCS-1");
        read_version(element.child("scheduler"));
        const SizeLimit* const size = size_named(element.string("size").value_or(""));
        call.instance_limit = size == nullptr ? 0 : size->limits.instances;
      }
      if (const auto idle = slurm.integer("scaleDownIdleTimeInSeconds")) {
        call.idle_time = *idle * kSecond;
        if (*idle < 1) {
          violate(slurm.where("scaleDownIdleTimeInSeconds"), slurm.path_of("scaleDownIdleTimeInSeconds"), "PCS-6",
                  fmt::format("found {}, expected at least 1 s", *idle));
        }
      }
    } else if (action == create_group || action == update_group) {
      read_group_call(element.as(*option_tree().child("computeNodeGroups")->child("[]")), read);
    } else if (action == create_queue || action == update_queue) {
      const Section section = element.as(*option_tree().child("queues")->child("[]"));
      read.queue = read_queue(section);
      if (element.has("computeNodeGroupConfigurations")) call.groups.emplace();
      for (const Section& config : section.elements("computeNodeGroupConfigurations")) {
        if (auto id = config.string("computeNodeGroupId")) call.groups->push_back(std::move(*id));
      }
    }
    call_ = nullptr;
    return read;
  }

  void check_keys(const Section& element, const CallKeys& keys) {
    const std::string_view name = action_name(keys.action);
    const bool of_cluster = keys.target == "clusterIdentifier";
    const auto missing = [&](std::string_view key) {
      if (element.has(key)) return;
      problems_.add(element.where(), element.path_of(key), fmt::format("missing; action {} needs it", name));
    };
    if (!of_cluster) missing(keys.target);
    for (const std::string_view key : keys.needed) missing(key);
    const auto in = [](const std::vector<std::string_view>& list, std::string_view key) {
      return std::find(list.begin(), list.end(), key) != list.end();
    };
    const bool in_cluster = keys.action != ServiceAction::create_cluster;
    for (const std::string_view key : {"job", "node", "queue", "settings"}) {
      if (element.has(key)) add(element, key, fmt::format("not with action {}", name));
    }
    for (const std::string_view key : kOfCalls) {
      const bool takes = key == keys.target || key == "fails" || in(keys.needed, key) || in(keys.taken, key) ||
                         (key == "clusterIdentifier" && in_cluster);
      if (element.has(key) && !takes) add(element, key, fmt::format("not with action {}", name));
    }
  }

  // `section` is the call as a compute node group.
  void read_group_call(const Section& section, ReadCall& read) {
    ServiceCall& call = read.call;
    const bool update = call.action == ServiceAction::update_group;
    read.group = read_group(section);
    if (section.has("scalingConfiguration")) call.scaling = {read.group.min_instances, read.group.max_instances};
    for (const std::string_view key :
         {"customLaunchTemplate", "amiId", "iamInstanceProfileArn", "nodeLifecycleActions"}) {
      call.replaces = call.replaces || section.has(key);
    }
    call.replaces = call.replaces || section.child("slurmConfiguration").has("slurmCustomSettings");
    for (const std::string_view key : {"computeNodeGroupName", "instanceConfigs"}) {
      if (!update || !section.has(key)) continue;
      violate(section.where(key), section.path_of(key), "PCS-13", "name and instance types of a group cannot change");
    }
    std::optional<InstanceType> first;
    for (const std::string& name : read.group.instance_types) {
      const auto type = find_instance_type(name);
      if (!type) continue;  // make_design
      if (!first) first = type;
      if (const std::string text = why_not_together(*first, *type); !text.empty()) {
        violate(section.where("instanceConfigs"), section.path_of("instanceConfigs"), "PCS-12", text);
      }
    }
  }

  void read_scheduler() {
    const Section section = root_.child("scheduler");
    const std::string order = section.string("order").value_or("");
    scenario_.scheduler.order = order == "sjf"      ? QueueOrder::sjf
                                : order == "wfp3"   ? QueueOrder::wfp3
                                : order == "unicef" ? QueueOrder::unicef
                                : order == "f1"     ? QueueOrder::f1
                                                    : QueueOrder::fcfs;
    if (section.has("compression")) scenario_.scheduler.compression = section.boolean("compression");
    scenario_.scheduler.same_instant =
        section.string("sameInstant") == "per-event" ? SameInstant::per_event : SameInstant::batched;
    read_node_choice(section);
    read_slurm(section);
  }

  void read_node_choice(const Section& section) {
    if (!section.has("nodeChoice")) return;
    const std::string choice = section.string("nodeChoice").value_or("");
    scenario_.scheduler.node_choice = choice == "compact" ? NodeChoice::compact
                                      : choice == "tree"  ? NodeChoice::tree
                                                          : NodeChoice::order;
    note_policy(section, "nodeChoice", false);
    if (scenario_.pool) add(section, "nodeChoice", "a pool has no nodes to choose from");
    if (choice != "order" && !root_.child("network").has("fabrics")) {
      scenario_.notes.push_back(
          "scheduler.nodeChoice has no effect: without network.fabrics nobody knows where nodes are");
    }
  }

  void read_slurm(const Section& section) {
    SchedulerOptions& options = scenario_.scheduler;
    const std::string& own = scenario_.cluster.slurm_version;
    const bool of_cluster = !scenario_.pool && own.size() == 5;
    if (of_cluster) options.slurm_version = version_number(own);
    if (const auto version = section.string("slurmVersion")) {
      options.slurm_version = version_number(*version);
      note_policy(section, "slurmVersion");
    }
    if (section.has("slurm")) note_policy(section, "slurm");
    for (const auto& [name, value] : section.values("slurm")) {
      const auto text = scalar_text(*value);
      if (!text || problems_.full()) continue;
      const std::string path = section.path_of("slurm") + "." + name;
      std::string problem;
      if (same_name(name, "PriorityType")) {
        // In place of what the weights of the cluster's own settings mean.
        std::erase_if(options.slurm, [](const SlurmSetting& each) { return same_name(each.first, "PriorityType"); });
      } else if (is_set(name)) {
        problem = "is given in cluster.slurmConfiguration, or twice";
      } else if (same_name(name, "SuspendTime") &&
                 root_.child("cluster").child("slurmConfiguration").has("scaleDownIdleTimeInSeconds")) {
        problem = "is given as cluster.slurmConfiguration.scaleDownIdleTimeInSeconds";
      } else if (same_name(name, "SuspendTimeout") && root_.child("scaler").has("suspendTimeout")) {
        problem = "is given as scaler.suspendTimeout";
      }
      if (problem.empty()) problem = add_setting(name, *text);
      if (problem.empty() && conf_.memory && scenario_.pool) problem = "a pool has no memory; expected CR_CPU";
      if (!problem.empty()) problems_.add(value->where, path, problem);
    }
    if (section.has("slurmPartitions")) note_policy(section, "slurmPartitions");
    for (const auto& [queue, parameters] : section.values("slurmPartitions")) {
      if (parameters->kind == Kind::object) read_partition(section.path_of("slurmPartitions"), queue, *parameters);
    }
    read_nodes(section);
    read_accounting(section);
  }

  // What is wrong with a setting of a group's nodes; "" if nothing.
  std::string add_node_setting(GroupDesign& group, const std::string& name, const std::string& value) {
    const bool twice = std::any_of(group.slurm.begin(), group.slurm.end(),
                                   [&](const SlurmSetting& each) { return same_name(each.first, name); });
    if (twice) return "is given in the group's own settings, or twice";
    slurm::NodeSettings node;
    std::string problem = slurm::set(node, name, value);
    if (problem.empty()) group.slurm.emplace_back(name, value);
    return problem;
  }

  void read_nodes(const Section& section) {
    if (section.has("slurmNodes")) note_policy(section, "slurmNodes");
    for (const auto& [name, values] : section.values("slurmNodes")) {
      if (values->kind != Kind::object) continue;
      const std::string path = section.path_of("slurmNodes") + "." + name;
      const auto group = group_by_name_.find(name);
      if (group == group_by_name_.end()) {
        problems_.add(values->where, path,
                      fmt::format("unknown compute node group; known: {}", known_list(group_names())));
        continue;
      }
      for (const JsonValue& value : values->items) {
        const auto text = scalar_text(value);
        if (!text || problems_.full()) continue;
        const std::string problem = add_node_setting(scenario_.groups[group->second], value.key, *text);
        if (!problem.empty()) problems_.add(value.where, path + "." + value.key, problem);
      }
    }
    std::vector<slurm::SwitchSettings> switches;
    read_named(section, "slurmTopology", scenario_.scheduler.slurm_topology, switches);
  }

  // What slurmdbd knows. A user's name means the same in the workload.
  void read_accounting(const Section& section) {
    SchedulerOptions& options = scenario_.scheduler;
    slurm::Accounting all;
    read_named(section, "slurmAccounts", options.slurm_accounts, all.accounts);
    read_named(section, "slurmUsers", options.slurm_users, all.users);
    read_named(section, "slurmQos", options.slurm_qos, all.qos);
    read_reservations(section, all);
    const JsonValue* first = nullptr;
    for (const std::string_view key : {"slurmAccounts", "slurmUsers", "slurmQos"}) {
      if (first == nullptr) first = section.find(key);
    }
    check_access(section, all);
    if (first == nullptr) return;
    if (!conf_.accounting) {
      problems_.add(first->where, section.path(),
                    "accounts, users and QOS need cluster.slurmConfiguration.accounting.mode STANDARD (of a pool "
                    "scheduler.slurm.AccountingStorageType accounting_storage/slurmdbd)");
    }
    if (const std::string problem = slurm::check(all); !problem.empty()) {
      problems_.add(first->where, section.path(), problem);
    }
  }

  void read_reservations(const Section& section, const slurm::Accounting& all) {
    std::vector<slurm::ReservationSettings> reservations;
    read_named(section, "slurmReservations", scenario_.scheduler.slurm_reservations, reservations);
    const auto check = [&](const std::string& name, const auto& known, const char* what, const char* key) {
      const bool there = std::any_of(known.begin(), known.end(), [&](const auto& each) { return each.name == name; });
      if (there) return;
      problems_.add(section.where(), section.path_of("slurmReservations"),
                    fmt::format("unknown {} {}, expected one of scheduler.{}", what, quote(name), key));
    };
    for (const slurm::ReservationSettings& r : reservations) {
      for (const std::string& user : r.users) check(user, all.users, "user", "slurmUsers");
      for (const std::string& account : r.accounts) check(account, all.accounts, "account", "slurmAccounts");
      if (r.users.empty() && r.accounts.empty()) {
        problems_.add(section.where(), section.path_of("slurmReservations") + "." + r.name,
                      "Users or Accounts are missing");
      }
    }
  }

  // What partitions and AccountingStorageEnforce say about accounts and QOS.
  void check_access(const Section& section, slurm::Accounting all) {
    if (conf_.enforce.associations && !conf_.accounting) {
      problems_.add(section.where(), section.path(), "AccountingStorageEnforce needs accounting");
    }
    if (std::none_of(all.qos.begin(), all.qos.end(), [](const slurm::Qos& qos) { return qos.name == "normal"; })) {
      all.qos.emplace_back().name = "normal";
    }
    const auto check = [&](const std::string& name, const std::vector<SlurmSetting>& settings) {
      slurm::Partition partition;
      partition.name = name;
      for (const auto& [key, value] : settings) (void)slurm::set(partition, key, value);
      if (const std::string problem = slurm::check(partition, all); !problem.empty()) {
        problems_.add(section.where(), section.path(), problem);
      }
    };
    for (const QueueDesign& queue : scenario_.queues) check(queue.name, queue.slurm);
    if (scenario_.pool) check("pool", scenario_.scheduler.slurm_of_pool);
  }

  template <class Of>
  void read_named(const Section& section, std::string_view key, std::vector<NamedSettings>& settings,
                  std::vector<Of>& checked) {
    if (section.has(key)) note_policy(section, key);
    for (const auto& [name, values] : section.values(key)) {
      if (values->kind != Kind::object) continue;
      settings.push_back({name, {}});
      Of& entry = checked.emplace_back();
      entry.name = name;
      for (const JsonValue& value : values->items) {
        const auto text = scalar_text(value);
        if (!text || problems_.full()) continue;
        const std::string problem = slurm::set(entry, value.key, *text);
        settings.back().settings.emplace_back(value.key, *text);
        if (!problem.empty()) {
          problems_.add(value.where, fmt::format("{}.{}.{}", section.path_of(key), name, value.key), problem);
        }
      }
    }
  }

  void read_partition(const std::string& above, const std::string& queue, const JsonValue& parameters) {
    const std::string path = above + "." + queue;
    std::vector<SlurmSetting>* settings = nullptr;
    if (scenario_.pool && queue == "pool") settings = &scenario_.scheduler.slurm_of_pool;
    for (QueueDesign& each : scenario_.queues) {
      if (each.name == queue) settings = &each.slurm;
    }
    if (settings == nullptr) {
      const std::vector<std::string> pool{"pool"};
      const std::vector<std::string> known(queue_names_.begin(), queue_names_.end());
      return problems_.add(parameters.where, path,
                           fmt::format("unknown queue; known: {}", known_list(scenario_.pool ? pool : known)));
    }
    slurm::Partition partition;
    for (const JsonValue& parameter : parameters.items) {
      const auto text = scalar_text(parameter);
      if (!text || problems_.full()) continue;
      const bool twice = std::any_of(settings->begin(), settings->end(),
                                     [&](const SlurmSetting& each) { return same_name(each.first, parameter.key); });
      const std::string problem =
          twice ? "is given in the queue's own settings, or twice" : slurm::set(partition, parameter.key, *text);
      settings->emplace_back(parameter.key, *text);
      if (!problem.empty()) problems_.add(parameter.where, path + "." + parameter.key, problem);
    }
  }

  void read_scaler() {
    const Section section = root_.child("scaler");
    scenario_.scaler.policy = section.string("policy").value_or("");
    scenario_.scaler.interval = section.duration("interval").value_or(0);
    if (section.has("interval")) note_policy(section, "interval", false);
    scenario_.scaler.suspend_timeout = section.duration("suspendTimeout").value_or(0);
    scenario_.scaler.incremental = section.string("launching") == "incremental";
    scenario_.scaler.request_size = section.count("requestSize").value_or(1);
    scenario_.scaler.retry_interval = section.duration("retryInterval").value_or(0);
    scenario_.scaler.capacity_timeout = section.duration("capacityTimeout").value_or(0);
    scenario_.scaler.boot_timeout = section.duration("bootTimeout").value_or(0);
    if (section.has("bootTimeout")) note_policy(section, "bootTimeout", false);
  }

  void read_spot(const Section& section) {
    SpotOptions& spot = scenario_.cloud.spot;
    spot.notice = section.duration("notice").value_or(0);
    spot.rebalance_lead = section.duration("rebalanceLead").value_or(0);
    for (const auto& [types, value] : section.values("interruption")) {
      SpotInterruption& each = spot.interruptions.emplace_back();
      each.types = types;
      each.place = problems_.place(value->where, section.path_of("interruption") + "." + types);
      const bool is_number = value->kind == Kind::integer || value->kind == Kind::number;
      const std::optional<Time> time = parse_duration(value->text);
      each.mean_to_interruption = is_number ? value->number
                                  : time    ? static_cast<double>(*time) / static_cast<double>(kSecond)
                                            : mean_to_interruption(value->text);
    }
  }

  void read_failures(const Section& section) {
    read_failures_into(section, scenario_.cloud.failures);
    scenario_.cloud.failures_of_group.assign(scenario_.groups.size(), scenario_.cloud.failures);
    for (const auto& [name, own] : section.members("groups")) {
      const auto group = group_by_name_.find(name);
      if (group == group_by_name_.end()) {
        problems_.add(own.where(), own.path(),
                      fmt::format("unknown compute node group; known: {}", known_list(group_names())));
        continue;
      }
      read_failures_into(own, scenario_.cloud.failures_of_group[group->second]);
    }
  }

  // What is not given stays as it is.
  static void read_failures_into(const Section& section, Failures& failures) {
    if (const auto time = section.distribution("timeToFailure")) failures.time_to_failure = time;
    if (const auto effect = section.string("effect")) {
      failures.effect = *effect == "reboot"         ? Failures::Effect::reboot
                        : *effect == "health-check" ? Failures::Effect::health_check
                                                    : Failures::Effect::hardware_failure;
    }
    failures.failed_starts = section.number("failedStarts").value_or(failures.failed_starts);
    failures.boot_failures = section.number("bootFailures").value_or(failures.boot_failures);
    const Section slow = section.child("slowBoots");
    if (!slow.present()) return;
    failures.slow_boots = slow.number("probability").value_or(0);
    failures.slow_factor = slow.number("factor").value_or(1);
  }

  void read_workload() {
    const Section section = root_.child("workload");
    if (!section.present()) return;
    WorkloadOptions& workload = scenario_.workload;
    workload.max_jobs = static_cast<std::uint64_t>(section.integer("maxJobs").value_or(0));
    workload.checkpoint_interval = section.duration("checkpointInterval").value_or(0);
    workload.communication = read_communication_rules(section, scenario_.pool.has_value(), problems_);
    if (section.has("trace")) {
      workload.source = WorkloadOptions::Source::trace;
      workload.trace = section.string("trace").value_or("");
    } else if (section.has("generator")) {
      workload.source =
          section.string("generator") == "poisson" ? WorkloadOptions::Source::poisson : WorkloadOptions::Source::lublin;
    } else {
      workload.source = WorkloadOptions::Source::jobs;
      read_jobs(section);
    }
    if (section.has("jobs") && section.has("map")) {
      add(section, "map", "not together with jobs: they say themselves what they need");
    }
    if (section.has("filter") && !section.has("trace")) add(section, "filter", "only together with trace");
    for (const std::string_view key : {"jobCount", "processors", "jobTypes", "estimateFactor", "loadFactor"}) {
      if (section.has(key) && !section.has("generator")) add(section, key, "only together with generator");
    }
    const auto generator = section.string("generator");
    for (const std::string_view key : {"processors", "jobTypes"}) {
      if (section.has(key) && generator == "poisson") add(section, key, "only together with generator lublin");
    }
    for (const std::string_view key : {"meanInterarrival", "runTime", "processorsPerJob", "users"}) {
      if (section.has(key) && generator != "poisson") add(section, key, "only together with generator poisson");
    }
    read_map(section.child("map"));
    read_filter(section.child("filter"));
    LublinOptions& lublin = workload.lublin;
    lublin.jobs = static_cast<std::uint64_t>(section.integer("jobCount").value_or(0));
    lublin.processors = section.count("processors").value_or(0);
    lublin.job_types = section.boolean("jobTypes").value_or(true);
    lublin.estimate_factor = section.number("estimateFactor").value_or(1);
    lublin.load_factor = section.number("loadFactor").value_or(1);
    if (generator == "poisson") read_poisson(section);
  }

  void read_poisson(const Section& section) {
    for (const std::string_view key : {"meanInterarrival", "runTime"}) {
      if (!section.has(key)) {
        problems_.add(section.where(), section.path_of(key), "missing; generator poisson needs it");
      }
    }
    PoissonOptions& poisson = scenario_.workload.poisson;
    poisson.jobs = scenario_.workload.lublin.jobs;
    poisson.mean_interarrival = section.duration("meanInterarrival").value_or(kSecond);
    poisson.run_time = section.distribution("runTime").value_or(Distribution{});
    poisson.processors_per_job = section.count("processorsPerJob").value_or(1);
    poisson.estimate_factor = scenario_.workload.lublin.estimate_factor;
    poisson.load_factor = scenario_.workload.lublin.load_factor;
    for (const auto& [name, value] : section.values("users")) {
      if (value->kind == Kind::number || value->kind == Kind::integer) poisson.users.emplace_back(name, value->number);
    }
  }

  void check_queue(Where where, const std::string& path, const std::string& name) {
    if (scenario_.pool) {
      problems_.add(where, path, "a pool has no queues");
    } else if (queue_names_.count(name) == 0 && !queue_names_.empty()) {
      problems_.add(where, path, fmt::format("unknown queue {}; known: {}", quote(name), known_list(queue_names_)));
    }
  }

  void read_map(const Section& section) {
    TraceMap& map = scenario_.workload.map;
    map.unit = section.string("unit") == "node" ? TraceMap::Unit::node : TraceMap::Unit::core;
    if (scenario_.pool && map.unit == TraceMap::Unit::node) {
      add(section, "unit", "a pool has no nodes; expected \"core\"");
    }
    map.processors_per_unit = section.count("processorsPerUnit").value_or(1);
    map.queue = section.string("queue").value_or("");
    if (!map.queue.empty()) check_queue(section.where("queue"), section.path_of("queue"), map.queue);
    const JsonValue* const queues = section.find("queues");
    if (queues == nullptr || queues->kind != Kind::object) return;
    for (const JsonValue& entry : queues->items) {
      if (problems_.full()) break;
      const std::string path = section.path_of("queues") + "." + entry.key;
      const auto number = parse_integer<std::int64_t>(entry.key);
      if (!number) {
        problems_.add(entry.where, path, "expected the log's queue number as the key, such as \"1\"");
      } else if (entry.kind == Kind::string && !entry.text.empty()) {
        check_queue(entry.where, path, entry.text);
        map.queues.emplace_back(*number, entry.text);
      }
    }
  }

  void read_filter(const Section& section) {
    TraceFilter& filter = scenario_.workload.filter;
    using NoRequestedTime = TraceFilter::NoRequestedTime;
    filter.no_requested_time = NoRequestedTime::run_time;
    if (section.string("noRequestedTime") == "drop") {
      filter.no_requested_time = NoRequestedTime::drop;
    } else if (const auto time = section.duration("noRequestedTime")) {
      filter.no_requested_time = NoRequestedTime::value;
      filter.default_requested_time = *time;
    }
    filter.overrun = section.string("overrun") == "raise" ? TraceFilter::Overrun::raise : TraceFilter::Overrun::kill;
    filter.clairvoyant = section.string("requestedTime") == "run-time";
    filter.min_run_time = section.duration("minRunTime").value_or(0);
    filter.max_processors = section.count("maxProcessors").value_or(0);
  }

  void read_jobs(const Section& section) {
    std::set<std::string> ids;
    const std::vector<Section> elements = section.elements("jobs");
    scenario_.workload.jobs.reserve(elements.size());
    for (const Section& element : elements) {
      if (problems_.full()) break;
      InlineJob& job = scenario_.workload.jobs.emplace_back();
      job.line = element.where().line;
      if (element.where().source != 0) job.file = problems_.source(element.where());
      job.id = element.string("id").value_or("");
      if (!job.id.empty() && !ids.insert(job.id).second) {
        add(element, "id", fmt::format("{} names another job already", quote(job.id)));
      }
      job.submit = element.duration("submit").value_or(0);
      job.run_time = element.duration("runTime").value_or(0);
      job.time_limit = element.duration("timeLimit").value_or(0);
      job.user = element.string("user").value_or("");
      read_exclusive(element, job);
      job.exit_code = element.count("exitCode").value_or(0);
      job.checkpoint_interval = element.duration("checkpointInterval").value_or(scenario_.workload.checkpoint_interval);
      if (const Section communication = element.child("communication"); communication.present()) {
        job.communication = read_communication(communication, scenario_.pool.has_value(), problems_);
      }
      read_queue_of(element, job);
      read_width(element, job);
      read_terms(element, job);
    }
    join_components(elements);
    check_dependencies(elements);
  }

  void join_components(const std::vector<Section>& elements) {
    std::vector<InlineJob>& jobs = scenario_.workload.jobs;
    for (std::size_t j = 0; j < jobs.size() && !problems_.full(); ++j) {
      if (!elements[j].has("hetComponents")) continue;
      note_policy(elements[j], "hetComponents");
      const auto count = static_cast<std::size_t>(elements[j].count("hetComponents").value_or(0));
      if (count > jobs.size() - j) {
        add(elements[j], "hetComponents", fmt::format("found {}, expected so many jobs from this one on", count));
        continue;
      }
      for (std::size_t c = 0; c < count; ++c) {
        InlineJob& job = jobs[j + c];
        if (job.submit != jobs[j].submit || job.user != jobs[j].user) {
          add(elements[j + c], "submit", "components have the submit and the user of the first");
        }
        if (job.run_time != jobs[j].run_time) {
          add(elements[j + c], "runTime", "components have the runTime of the first, which runs the script");
        }
        if (!job.array.tasks.empty()) add(elements[j + c], "array", "not of a component of a heterogeneous job");
        if (c > 0 && elements[j + c].has("hetComponents")) {
          add(elements[j + c], "hetComponents", "it is a component of the job before it");
        }
        job.asks.components = static_cast<std::int32_t>(count);
        job.asks.component = static_cast<std::int32_t>(c);
      }
    }
  }

  // Of a job, what few policies but slurm know.
  void read_terms(const Section& element, InlineJob& job) {
    for (const std::string_view key : {"tasks", "cpusPerTask", "memoryPerNode", "memoryPerCpu", "stopTime", "name",
                                       "dependency", "array", "priority", "nice", "begin", "hold", "account", "qos"}) {
      if (element.has(key)) note_policy(element, key);
    }
    read_resources(element, job);
    job.tasks = element.count("tasks").value_or(0);
    job.cpus_per_task = element.count("cpusPerTask").value_or(0);
    job.memory_per_node = element.count("memoryPerNode").value_or(0);
    job.memory_per_cpu = element.count("memoryPerCpu").value_or(0);
    job.stop_time = element.duration("stopTime").value_or(0);
    job.name = element.string("name").value_or("");
    job.asks.account = element.string("account").value_or("");
    job.asks.qos = element.string("qos").value_or("");
    job.priority = static_cast<std::uint32_t>(element.integer("priority").value_or(0));
    job.nice = element.count("nice").value_or(0);
    job.begin = element.duration("begin").value_or(0);
    job.hold = element.boolean("hold").value_or(false);
    job.requeue = element.has("requeue") ? element.boolean("requeue").value_or(true) : conf_.job_requeue;
    if (job.tasks > 0 && job.cpus > 0) add(element, "tasks", "not together with cpus");
    if (job.cpus_per_task > 0 && job.cpus > 0) {
      add(element, "cpusPerTask", "not together with cpus, which are tasks of one core; use tasks");
    }
    if (job.memory_per_node > 0 && job.memory_per_cpu > 0) {
      add(element, "memoryPerCpu", "not together with memoryPerNode");
    }
    if (element.has("memoryPerGpu") && job.memory_per_node + job.memory_per_cpu > 0) {
      add(element, "memoryPerGpu", "not together with memoryPerNode or memoryPerCpu");
    }
    for (const std::string_view key : {"memoryPerNode", "memoryPerCpu", "memoryPerGpu"}) {
      if (element.has(key) && runs_slurm(scenario_) && !scenario_.scheduler.memory_counts) {
        add(element, key, "memory is no resource; it needs SelectTypeParameters CR_CPU_Memory [PCS-7]");
      }
    }
    std::string problem;
    if (const auto text = element.string("array")) {
      auto array = parse_array(*text, problem);
      if (!array) {
        add(element, "array", problem);
      } else {
        job.array = *std::move(array);
      }
    }
    if (const auto text = element.string("dependency")) {
      auto dependency = parse_dependency(*text, problem);
      if (!dependency) {
        add(element, "dependency", problem);
      } else {
        job.dependency = *std::move(dependency);
      }
    }
  }

  void read_exclusive(const Section& element, InlineJob& job) {
    const JsonValue* const value = element.find("exclusive");
    const std::string text = value == nullptr ? "NO" : scalar_text(*value).value_or("NO");
    job.exclusive = text == "YES";
    job.asks.exclusive_user = text == "user";
    if (job.asks.exclusive_user) note_policy(element, "exclusive");
    if (text != "YES" && text != "NO" && text != "user") {
      add(element, "exclusive", fmt::format("found {}, expected true, false or \"user\"", quote(text)));
    }
  }

  // Features, generic resources, licences, the network: what sbatch asks beyond CPUs and memory.
  void read_resources(const Section& element, InlineJob& job) {
    slurm::Asks& asks = job.asks;
    const auto read = [&](std::string_view key, std::string& into, const std::string& before = "") {
      const JsonValue* const value = element.find(key);
      if (value == nullptr) return;
      note_policy(element, key);
      if (const auto text = scalar_text(*value)) into = into.empty() ? before + *text : into + "," + before + *text;
    };
    const auto flag = [&](std::string_view key, bool& into) {
      if (element.has(key)) note_policy(element, key);
      into = element.boolean(key).value_or(false);
    };
    read("constraint", asks.constraint);
    read("gres", asks.gres);
    read("gpus", asks.gpus);
    read("gpusPerTask", asks.gpus_per_task);
    read("gpusPerSocket", asks.gpus_per_socket);
    const auto count = [&](std::string_view key, std::int32_t& into) {
      if (element.has(key)) note_policy(element, key);
      into = element.count(key).value_or(0);
    };
    count("socketsPerNode", asks.sockets_per_node);
    count("cpusPerGpu", asks.cpus_per_gpu);
    count("tasksPerGpu", asks.tasks_per_gpu);
    count("memoryPerGpu", asks.memory_per_gpu);
    read("licenses", asks.licenses);
    read("reservation", asks.reservation);
    read("prefer", asks.prefer);
    read("nodelist", asks.nodelist);
    read("exclude", asks.exclude);
    read("switches", asks.switches);
    flag("contiguous", asks.contiguous);
    flag("spreadJob", asks.spread_job);
    flag("oversubscribe", asks.oversubscribe);
    flag("overcommit", asks.overcommit);
    if (element.has("coreSpec")) note_policy(element, "coreSpec");
    asks.core_spec = element.count("coreSpec").value_or(-1);
    slurm::Version version;
    version.number = scenario_.scheduler.slurm_version;
    // --gpus-per-node is --gres by another name.
    slurm::Asks per_node;
    read("gpusPerNode", per_node.gpus);
    if (const auto [key, problem] = slurm::check(per_node, version); !problem.empty()) {
      add(element, "gpusPerNode", problem);
    } else {
      slurm::add_gpus_per_node(per_node.gpus, asks);
    }
    if (const auto [key, problem] = slurm::check(asks, version); !problem.empty()) add(element, key, problem);
  }

  // Jobs that others depend on are there, and are submitted before them.
  void check_dependencies(const std::vector<Section>& elements) {
    const std::vector<InlineJob>& jobs = scenario_.workload.jobs;
    std::map<std::string, std::size_t> position;
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      position.emplace(jobs[j].id.empty() ? std::to_string(j + 1) : jobs[j].id, j);
    }
    for (std::size_t j = 0; j < jobs.size() && !problems_.full(); ++j) {
      for (const NamedDependency& each : jobs[j].dependency.list) {
        if (each.kind == Dependency::Kind::singleton) {
          if (jobs[j].name.empty()) add(elements[j], "dependency", "singleton needs a name");
          continue;
        }
        const auto found = position.find(each.job);
        if (found == position.end()) {
          const auto task = position.find(each.job.substr(0, each.job.rfind('_')));
          const bool is_task = task != position.end() && !jobs[task->second].array.tasks.empty();
          add(elements[j], "dependency",
              is_task ? fmt::format("{} is one task of an array, which is not supported; expected {}", quote(each.job),
                                    quote(task->first))
                      : fmt::format("no job has the id {}", quote(each.job)));
        } else if (std::pair(jobs[found->second].submit, found->second) >= std::pair(jobs[j].submit, j)) {
          add(elements[j], "dependency", fmt::format("{} is not submitted before this job", quote(each.job)));
        }
      }
    }
  }

  void read_operations() {
    static constexpr std::pair<std::string_view, JobAction> kOfJobs[] = {{"cancel", JobAction::cancel},
                                                                         {"hold", JobAction::hold},
                                                                         {"release", JobAction::release},
                                                                         {"requeue", JobAction::requeue}};
    static constexpr std::pair<std::string_view, NodeAction> kOfNodes[] = {{"resume", NodeAction::resume},
                                                                           {"down", NodeAction::down},
                                                                           {"drain", NodeAction::drain},
                                                                           {"power-down", NodeAction::power_down},
                                                                           {"power-up", NodeAction::power_up}};
    for (const Section& element : root_.elements("operations")) {
      if (problems_.full()) break;
      const auto action = element.string("action");
      if (!action) continue;
      if (action_named(*action)) {  // read_calls
        if (scenario_.pool) add(element, "action", "a pool has no control plane");
        continue;
      }
      note_policy(element, "action", true, *action);
      for (const std::string_view other : kOfCalls) {
        if (element.has(other)) add(element, other, fmt::format("not with action {}", *action));
      }
      Operation operation;
      operation.at = element.duration("at").value_or(0);
      for (const auto& [name, kind] : kOfJobs) {
        if (name != *action) continue;
        operation.of_job = true;
        operation.job_action = kind;
      }
      for (const auto& [name, kind] : kOfNodes) {
        if (name == *action) operation.node_action = kind;
      }
      if (scenario_.pool && action->starts_with("power-")) {
        add(element, "action", "a pool's nodes are always on");
      }
      const bool update = *action == "update";
      operation.of_partition = update && element.has("queue");
      operation.of_job |= update && !operation.of_partition;
      const std::string_view key = operation.of_job ? "job" : operation.of_partition ? "queue" : "node";
      for (const std::string_view other : {"job", "node", "queue"}) {
        if (other != key && element.has(other)) add(element, other, fmt::format("not with action {}", *action));
      }
      if (!update && element.has("settings")) add(element, "settings", "only with action update");
      if (update) read_update(element, operation);
      if (!element.has(key)) {
        problems_.add(element.where(), element.path_of(key), fmt::format("missing; action {} needs it", *action));
      }
      operation.target = element.string(key).value_or("");
      operation.place = problems_.place(element.where(key), element.path_of(key));
      if (operation.of_partition) check_queue(element.where(key), element.path_of(key), operation.target);
      if (!operation.of_job && !operation.of_partition) check_host_list(element, key, operation.target);
      scenario_.operations.push_back(std::move(operation));
    }
  }

  // What scontrol update is given.
  void read_update(const Section& element, Operation& operation) {
    if (!element.has("settings")) {
      problems_.add(element.where(), element.path_of("settings"), "missing; action update needs it");
      return;
    }
    for (const auto& [name, given] : element.values("settings")) {
      const std::string value = scalar_text(*given).value_or("");
      slurm::JobChange change;
      slurm::Update update;
      const std::string problem = operation.of_partition ? slurm::set(update, slurm::Partition{}, name, value)
                                                         : slurm::set(change, name, value);
      const std::string path = fmt::format("{}.{}", element.path_of("settings"), name);
      if (!problem.empty()) problems_.add(given->where, path, fmt::format("found {}: {}", quote(value), problem));
      for (const std::string& queue : change.partitions) check_queue(given->where, path, queue);
      operation.settings.emplace_back(name, value);
    }
  }

  // What a kind of fault needs, and what else it takes; keys joined by "|". "node" stands for node or group.
  struct FaultKind {
    std::string_view name;
    Fault::Kind kind;
    std::string_view needs;
    std::string_view takes = {};
    Mishaps::Strike::Kind strike = {};
  };
  static std::span<const FaultKind> fault_kinds() {
    using Strike = Mishaps::Strike::Kind;
    static constexpr FaultKind kKinds[] = {
        {"node-lost", Fault::Kind::node_lost, "at|node"},
        {"node-back", Fault::Kind::node_back, "at|node"},
        {"boot-failure", Fault::Kind::boot_failure, "node", "times"},
        {"slow-boot", Fault::Kind::slow_boot, "node|factor", "times"},
        {"instance-reboot", Fault::Kind::strike, "at|node", {}, Strike::reboot},
        {"instance-stop", Fault::Kind::strike, "at|node", {}, Strike::stop},
        {"health-check", Fault::Kind::strike, "at|node", {}, Strike::health_check},
        {"scheduled-event", Fault::Kind::strike, "at|node", {}, Strike::scheduled_event},
        {"hardware-failure", Fault::Kind::strike, "at|node", {}, Strike::hardware_failure},
        {"instance-terminate", Fault::Kind::strike, "at|node", {}, Strike::termination},
        {"spot-interruption", Fault::Kind::strike, "at|node", {}, Strike::interruption},
        {"zone-outage", Fault::Kind::zone_outage, "at|availabilityZone|for"},
        {"capacity-drought", Fault::Kind::capacity_drought, "at|instanceType|for", "availabilityZone|limit"},
        {"api-brownout", Fault::Kind::api_brownout, "at|for", "share|error"},
    };
    return kKinds;
  }

  void read_faults() {
    for (const Section& element : root_.elements("faults")) {
      if (problems_.full()) break;
      const auto name = element.string("fault");
      if (!name) continue;
      const auto kinds = fault_kinds();
      const FaultKind& kind =
          *std::find_if(kinds.begin(), kinds.end(), [&](const FaultKind& each) { return each.name == *name; });
      const bool of_slurm = kind.kind == Fault::Kind::node_lost || kind.kind == Fault::Kind::node_back;
      if (of_slurm) note_policy(element, "fault");
      if (!of_slurm && scenario_.pool) add(element, "fault", "a pool's nodes are always on");
      check_keys(element, kind);

      Fault& fault = scenario_.faults.emplace_back();
      fault.kind = kind.kind;
      fault.strike = kind.strike;
      fault.at = element.duration("at").value_or(0);
      fault.times = static_cast<std::uint32_t>(element.count("times").value_or(0));
      fault.factor = element.number("factor").value_or(1);
      fault.duration = element.duration("for").value_or(0);
      fault.zone = element.string("availabilityZone").value_or("");
      fault.instance_type = element.string("instanceType").value_or("");
      fault.limit = element.count("limit").value_or(0);
      fault.share = element.number("share").value_or(1);
      fault.refusal =
          element.string("error") == "InternalError" ? Refusal::internal_error : Refusal::request_limit_exceeded;
      fault.of_group = element.has("group");
      const std::string_view target = fault.of_group ? "group" : !fault.instance_type.empty() ? "instanceType" : "node";
      fault.nodes = element.string(fault.of_group ? "group" : "node").value_or("");
      fault.place = problems_.place(element.where(target), element.path_of(target));
      if (fault.of_group && !scenario_.pool && group_by_name_.count(fault.nodes) == 0) {
        add(element, "group",
            fmt::format("unknown compute node group {}; known: {}", quote(fault.nodes), known_list(group_names())));
      }
      if (!fault.of_group) check_host_list(element, "node", fault.nodes);
      check_zone(element, fault.zone);
    }
  }

  void check_keys(const Section& element, const FaultKind& kind) {
    std::vector<std::string_view> taken = split_choices(kind.takes);
    for (const std::string_view key : split_choices(kind.needs)) {
      taken.push_back(key);
      if (key == "node") taken.push_back("group");
      if (element.has(key) || (key == "node" && element.has("group"))) continue;
      problems_.add(element.where(), element.path_of(key), fmt::format("missing; fault {} needs it", kind.name));
    }
    if (element.has("node") && element.has("group")) add(element, "group", "not together with node");
    for (const std::string_view key : {"at", "node", "group", "times", "factor", "for", "availabilityZone",
                                       "instanceType", "limit", "share", "error"}) {
      if (!element.has(key) || std::find(taken.begin(), taken.end(), key) != taken.end()) continue;
      add(element, key, fmt::format("not with fault {}", kind.name));
    }
  }

  void check_zone(const Section& element, const std::string& zone) {
    const bool known = std::any_of(zones_.begin(), zones_.end(), [&](const auto& each) { return each.second == zone; });
    if (zone.empty() || known || scenario_.pool) return;
    std::set<std::string> names;
    for (const auto& [subnet, name] : zones_) names.insert(name);
    add(element, "availabilityZone", fmt::format("no subnet is in {}; known: {}", quote(zone), known_list(names)));
  }

  void read_budgets() {
    std::set<std::string> names;
    for (const Section& element : root_.elements("budgets")) {
      if (problems_.full()) break;
      Budget budget;
      budget.name = element.string("name").value_or("");
      if (!budget.name.empty() && !names.insert(budget.name).second) {
        add(element, "name", fmt::format("the budget {} is given twice", quote(budget.name)));
      }
      budget.amount = std::llround(element.number("usd").value_or(0) * 1e6);
      if (element.string("period") != "run") budget.period = element.duration("period").value_or(kNever);
      for (const Section& action : element.elements("actions")) {
        budget.actions.push_back({action.count("atPercent").value_or(0), action.string("action") == "stop-launching"});
      }
      std::stable_sort(budget.actions.begin(), budget.actions.end(), [](const BudgetAction& a, const BudgetAction& b) {
        return std::pair(a.percent, a.stops) < std::pair(b.percent, b.stops);
      });
      scenario_.budgets.push_back(std::move(budget));
    }
  }

  void check_host_list(const Section& element, std::string_view key, const std::string& list) {
    if (!list.empty() && slurm::expand_hostlist(list).empty()) {
      add(element, key, fmt::format("found {}, expected a node or a list such as compute-1-[1-3]", quote(list)));
    }
  }

  void read_queue_of(const Section& element, InlineJob& job) {
    if (const auto queue = element.string("queue")) {
      const auto comma = queue->find(',');
      job.queue = queue->substr(0, comma);
      if (comma != std::string::npos) {
        job.asks.partitions = *queue;
        note_policy(element, "queue");
      }
      for (std::string_view rest = *queue; !rest.empty();) {
        const auto end = std::min(rest.find(','), rest.size());
        check_queue(element.where("queue"), element.path_of("queue"), std::string(rest.substr(0, end)));
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
    } else if (!scenario_.queues.empty()) {
      job.queue = scenario_.queues[0].name;
    }
  }

  void read_width(const Section& element, InlineJob& job) {
    if (const JsonValue* const value = element.find("nodes")) {
      std::string problem;
      const auto nodes = parse_nodes(scalar_text(*value).value_or(""), problem);
      if (!nodes) {
        add(element, "nodes", problem);
      } else if (nodes->first == nodes->second) {
        job.nodes = nodes->first;
      } else {
        std::tie(job.asks.min_nodes, job.asks.max_nodes) = *nodes;
        note_policy(element, "nodes");
      }
    }
    if (element.has("useMinNodes")) note_policy(element, "useMinNodes");
    job.asks.use_min_nodes = element.boolean("useMinNodes").value_or(false);
    if (element.has("deadline")) note_policy(element, "deadline");
    job.asks.deadline = (element.duration("deadline").value_or(0) + kSecond - 1) / kSecond;
    if (element.has("timeMin")) note_policy(element, "timeMin");
    job.asks.time_min = (element.duration("timeMin").value_or(0) + kMinute - 1) / kMinute * 60;
    job.tasks_per_node = element.count("tasksPerNode").value_or(0);
    job.cpus = element.count("cpus").value_or(0);
    if (scenario_.pool) {
      for (const std::string_view key : {"nodes", "tasksPerNode", "exclusive"}) {
        if (element.has(key)) add(element, key, "a pool has no nodes; use cpus");
      }
    }
  }

  std::vector<std::string> group_names() const {
    std::vector<std::string> names;
    for (const GroupDesign& group : scenario_.groups) {
      if (!group.name.empty()) names.push_back(group.name);
    }
    return names;
  }

  template <class Value>
  static std::vector<std::string> keys_of(const std::map<std::string, Value>& map) {
    std::vector<std::string> keys;
    for (const auto& [key, value] : map) keys.push_back(key);
    return keys;
  }

  Section root_;
  Scenario& scenario_;
  Problems& problems_;
  std::map<std::string, std::string> zones_;  // by subnet
  struct LaunchTemplate {
    std::string placement_group;
    ReservationUse reservations;
    std::int32_t efa_interfaces = 0;
  };
  std::map<std::string, LaunchTemplate> templates_;
  std::set<std::string> placement_groups_;
  std::map<std::string, std::size_t> group_by_name_;  // and by id
  std::set<std::string> queue_names_;
  std::vector<Section> group_sections_;  // of Scenario::groups
  std::vector<Section> queue_sections_;
  ServiceCall* call_ = nullptr;  // whose request is read
  slurm::Conf conf_;             // what the settings come to
};

}  // namespace

namespace {

// What `aws pcs get-cluster` and its like print has one outermost key: {"cluster": {...}}.
void unwrap(JsonValue* value, std::string_view key) {
  if (value == nullptr || value->kind != Kind::object || value->items.size() != 1) return;
  JsonValue& inner = value->items.front();
  if (inner.key != key || inner.kind != Kind::object) return;
  JsonValue content = std::move(inner);
  content.key = value->key;
  content.key_line = value->key_line;
  *value = std::move(content);
}

void unwrap_api_answers(JsonValue& root) {
  unwrap(root.find("cluster"), "cluster");
  for (const auto& [list, key] : {std::pair{"computeNodeGroups", "computeNodeGroup"}, std::pair{"queues", "queue"}}) {
    JsonValue* elements = root.find(list);
    if (elements == nullptr || elements->kind != Kind::array) continue;
    for (JsonValue& element : elements->items) unwrap(&element, key);
  }
}

// A version of Slurm that only the newer edition has says which edition is meant, where nothing else does.
void infer_edition(JsonValue& root) {
  if (root.kind != Kind::object || root.find("pcsEdition") != nullptr) return;
  const JsonValue* at = root.find("cluster");
  for (const char* key : {"scheduler", "version"}) at = at == nullptr ? nullptr : at->find(key);
  if (at == nullptr || at->kind != Kind::string) return;
  if (!version_problem(at->text, true).empty()) return;
  JsonValue edition;
  edition.kind = Kind::string;
  edition.key = "pcsEdition";
  edition.text = "2026-08";
  edition.where = at->where;
  edition.key_line = at->key_line;
  root.items.push_back(std::move(edition));
}

}  // namespace

std::optional<Scenario> read_scenario(std::string_view json_text, const std::string& file,
                                      const ScenarioOverrides& overrides, Problems& problems) {
  auto root = read_json(json_text, 0, problems);
  if (!root) return std::nullopt;
  unwrap_api_answers(*root);
  Scenario scenario;
  apply_overrides(*root, overrides, problems, scenario.notes);
  infer_edition(*root);
  check_options(*root, problems);
  scenario.file = file;
  Builder(*root, scenario, problems).build();
  if (!problems.empty()) return std::nullopt;
  scenario.text = dump_json(*root);
  return scenario;
}

Scenario parse_scenario(std::string_view json_text, const std::string& file, const ScenarioOverrides& overrides) {
  Problems problems(problem_sources(file, overrides));
  auto scenario = read_scenario(json_text, file, overrides, problems);
  if (!scenario) problems.raise();
  return *std::move(scenario);
}

Scenario load_scenario(const std::string& path, const ScenarioOverrides& overrides) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    throw InputError(path + ": is a directory; expected a scenario in JSON");
  }
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    throw InputError(fmt::format("{}: cannot be read: {}", path, std::generic_category().message(errno)));
  }
  // Block by block, and never more than it takes to see that it is too large: it may be a device or a pipe.
  std::string text;
  char block[1 << 16];
  while (text.size() <= kLargestDocument && (stream.read(block, sizeof block), stream.gcount() > 0)) {
    text.append(block, static_cast<std::size_t>(stream.gcount()));
  }
  if (stream.bad()) {
    throw InputError(fmt::format("{}: cannot be read: {}", path, std::generic_category().message(errno)));
  }
  return parse_scenario(text, path, overrides);
}

}  // namespace headroom
