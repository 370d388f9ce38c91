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

#include "models/errors.hpp"
#include "models/policies/slurm/accounting.hpp"
#include "models/policies/slurm/conf.hpp"
#include "models/policies/slurm/known_names.hpp"
#include "models/policies/slurm/resources.hpp"
#include "models/policies/slurm/updates.hpp"
#include "models/scenario/cloud_section.hpp"
#include "models/scenario/document.hpp"
#include "models/scenario/options.hpp"
#include "models/scenario/overrides.hpp"

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

bool is_resource_name(std::string_view name, std::size_t longest) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto allowed = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-'; };
  return name.size() >= 3 && name.size() <= longest && letter(name[0]) &&
         std::all_of(name.begin(), name.end(), allowed);
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

struct SizeLimit {
  std::string_view name;
  ClusterSize size;
  ClusterLimits limits;
};
// What PCS lets users set of slurm.conf, as the AWS PCS User Guide lists it (Slurm custom settings). 2024-12: three
// names for clusters (PCS-7), two for groups (PCS-16), none for queues. What becomes of each is slurm::use_of's to say.
struct CustomSetting {
  std::string_view name;
  bool older = false;  // of edition 2024-12, too
};
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

// Slurm versions of edition 2026-08 (PCS-2).
constexpr std::array<std::string_view, 3> kNewVersions = {"24.11", "25.05", "25.11"};

constexpr SizeLimit kSizes[] = {{"SMALL", ClusterSize::small, {32, 256}},
                                {"MEDIUM", ClusterSize::medium, {512, 8192}},
                                {"LARGE", ClusterSize::large, {2048, 16384}}};

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
    }
    read_scheduler();
    read_scaler();
    read_cloud(root_.child("cloud"), problems_, scenario_.cloud);
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
    if (!is_resource_name(*name, longest)) {
      add(section, key,
          fmt::format("found {}, expected 3 to {} letters, digits or hyphens, a letter first [{}]", quote(*name),
                      longest, rule));
    }
    return *name;
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
                          read_reservation_use(launch_template, newer_edition(), problems_)};
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
    design.name = read_name(cluster, "clusterName", 40, "PCS-1");
    if (const auto size = cluster.string("size")) {
      design.size = std::find_if(std::begin(kSizes), std::end(kSizes), [&](const SizeLimit& each) {
                      return each.name == *size;
                    })->size;
    }
    read_version(cluster.child("scheduler"));
    const Section slurm = cluster.child("slurmConfiguration");
    design.scale_down_idle_time = slurm.integer("scaleDownIdleTimeInSeconds").value_or(0) * kSecond;
    for (const auto& [name, setting] : read_settings(slurm, kClusterSettings, "slurm.conf", "PCS-7")) {
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

  void read_version(const Section& scheduler) {
    const std::vector<std::string> known = newer_edition()
                                               ? std::vector<std::string>(kNewVersions.begin(), kNewVersions.end())
                                               : std::vector<std::string>{"23.11", "24.05"};
    scenario_.cluster.slurm_version = known.back();
    const auto version = scheduler.string("version");
    if (!version) return;
    if (std::find(known.begin(), known.end(), *version) == known.end()) {
      add(scheduler, "version",
          fmt::format("found {}, expected one of {} in edition {} [PCS-2]", quote(*version), known_list(known),
                      scenario_.pcs_edition));
    }
    scenario_.cluster.slurm_version = *version;
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
      GroupDesign& group = scenario_.groups.emplace_back();
      group.name = read_name(section, "computeNodeGroupName", 25, "PCS-10");
      group.id = section.string("id").value_or("");
      for (const bool by_id : {false, true}) {
        const std::string& name = by_id ? group.id : group.name;
        if (name.empty() || (by_id && name == group.name)) continue;
        if (!group_by_name_.emplace(name, position).second) {
          add(section, by_id ? "id" : name_key(section, "computeNodeGroupName"),
              fmt::format("{} names another compute node group already [PCS-10]", quote(name)));
        }
      }
      for (const Section& config : section.elements("instanceConfigs")) {
        if (auto type = config.string("instanceType")) group.instance_types.push_back(std::move(*type));
      }
      read_scaling(section.child("scalingConfiguration"), group);
      read_subnets(section, group);
      read_launch_template(section.child("customLaunchTemplate"), group);
      read_purchase(section, newer_edition(), scenario_.reservations, problems_, group);
      read_group_settings(section.child("slurmConfiguration"), group);
    }
  }

  void read_scaling(const Section& scaling, GroupDesign& group) {
    const auto minimum = scaling.count("minInstanceCount");
    const auto maximum = scaling.count("maxInstanceCount");
    group.min_instances = minimum.value_or(0);
    group.max_instances = maximum.value_or(0);
    if (!minimum || !maximum) return;
    const bool is_static = *minimum == *maximum && *maximum > 0;
    const bool is_dynamic = *minimum == 0 && *maximum > 0;
    const bool is_mixed = *minimum > 0 && *minimum < *maximum;
    if (is_static || is_dynamic || (is_mixed && newer_edition())) return;
    std::string hint;
    if (is_mixed) {
      hint = fmt::format("Did you mean minInstanceCount {}?", *maximum);
    } else if (*maximum == 0) {
      hint = "maxInstanceCount must be over zero";
    } else {
      hint = "The minimum is over the maximum";
    }
    problems_.add(
        latest(scaling.where(), latest(scaling.where("minInstanceCount"), scaling.where("maxInstanceCount"))),
        scaling.path(),
        fmt::format("minInstanceCount {} with maxInstanceCount {}: a group is static (equal, over zero) or "
                    "dynamic (minimum 0){} [PCS-11]. {}",
                    *minimum, *maximum,
                    newer_edition() ? " or a mix (0 < minimum < maximum)" : "; a mix needs pcsEdition 2026-08", hint));
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
      return;
    }
    add(section, "id",
        fmt::format("unknown launch template {}; known: {}", quote(*id), known_list(keys_of(templates_))));
  }

  void read_group_settings(const Section& slurm, GroupDesign& group) {
    const auto idle = slurm.integer("scaleDownIdleTimeInSeconds");
    if (idle && !newer_edition()) {
      add(slurm, "scaleDownIdleTimeInSeconds", "an idle time of a group needs pcsEdition 2026-08 [PCS-6]");
    } else if (idle && *idle != -1) {
      group.scale_down_idle_time = *idle * kSecond;
    }
    for (const auto& [name, setting] : read_settings(slurm, kGroupSettings, "node", "PCS-16")) {
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
      QueueDesign& queue = scenario_.queues.emplace_back();
      queue.name = read_name(section, "queueName", 25, "PCS-30");
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
      const Section slurm = section.child("slurmConfiguration");
      slurm::Partition partition;
      for (const auto& [name, setting] : read_settings(slurm, kQueueSettings, "partition", "PCS-30")) {
        const auto value = setting.string("parameterValue");
        if (!value) continue;
        note_policy(setting, "parameterValue", true, name);
        queue.slurm.emplace_back(name, *value);
        if (const std::string problem = slurm::set(partition, name, *value); !problem.empty()) {
          add(setting, "parameterValue", problem);
        }
      }
    }
    if (!sections.empty() && !any_group) {
      add(root_, "queues", "no queue has a compute node group; expected at least one [PCS-30]");
    }
  }

  void check_instance_limit() {
    const auto size = root_.child("cluster").string("size");
    if (!size) return;
    std::int64_t sum = 0;
    for (const GroupDesign& group : scenario_.groups) sum += group.max_instances;
    const SizeLimit* limit = std::begin(kSizes);
    while (limit->name != *size) ++limit;
    if (sum <= limit->limits.instances) return;
    const auto* const enough = std::find_if(std::begin(kSizes), std::end(kSizes),
                                            [&](const SizeLimit& each) { return sum <= each.limits.instances; });
    add(root_.child("cluster"), "size",
        fmt::format("{} allows {} instances, but the groups' maxInstanceCount add up to {} [PCS-3]{}", *size,
                    limit->limits.instances, sum,
                    enough == std::end(kSizes) ? "" : fmt::format("; did you mean \"{}\"?", enough->name)));
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
    read_slurm(section);
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

  void read_workload() {
    const Section section = root_.child("workload");
    if (!section.present()) return;
    WorkloadOptions& workload = scenario_.workload;
    workload.max_jobs = static_cast<std::uint64_t>(section.integer("maxJobs").value_or(0));
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

  // What only policy slurm knows of a job.
  void read_terms(const Section& element, InlineJob& job) {
    for (const std::string_view key :
         {"tasks", "cpusPerTask", "memoryPerNode", "memoryPerCpu", "stopTime", "name", "dependency", "array",
          "priority", "nice", "begin", "hold", "requeue", "account", "qos"}) {
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
    if (root_.has("operations")) note_policy(root_, "operations");
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

  void read_faults() {
    if (root_.has("faults")) note_policy(root_, "faults");
    for (const Section& element : root_.elements("faults")) {
      if (problems_.full()) break;
      const auto kind = element.string("fault");
      if (!kind) continue;
      Fault fault;
      fault.kind = *kind == "node-lost"   ? Fault::Kind::node_lost
                   : *kind == "node-back" ? Fault::Kind::node_back
                                          : Fault::Kind::boot_failure;
      const bool of_boots = fault.kind == Fault::Kind::boot_failure;
      if (of_boots && scenario_.pool) add(element, "fault", "a pool's nodes are always on");
      if (of_boots && element.has("at")) add(element, "at", "not with boot-failure, which counts boots");
      if (!of_boots && element.has("times")) add(element, "times", "only with boot-failure");
      if (!of_boots && !element.has("at")) {
        problems_.add(element.where(), element.path_of("at"), fmt::format("missing; fault {} needs it", *kind));
      }
      fault.at = element.duration("at").value_or(0);
      fault.times = static_cast<std::uint32_t>(element.count("times").value_or(0));
      fault.nodes = element.string("node").value_or("");
      fault.place = problems_.place(element.where("node"), element.path_of("node"));
      check_host_list(element, "node", fault.nodes);
      scenario_.faults.push_back(std::move(fault));
    }
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
        budget.actions.push_back(
            {action.count("atPercent").value_or(0), action.string("action") == "stop-launching"});
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
  };
  std::map<std::string, LaunchTemplate> templates_;
  std::set<std::string> placement_groups_;
  std::map<std::string, std::size_t> group_by_name_;  // and by id
  std::set<std::string> queue_names_;
  slurm::Conf conf_;  // what the settings come to
};

}  // namespace

ClusterLimits limits_of(ClusterSize size) {
  for (const SizeLimit& each : kSizes) {
    if (each.size == size) return each.limits;
  }
  return {};
}

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
  if (std::find(kNewVersions.begin(), kNewVersions.end(), at->text) == kNewVersions.end()) return;
  JsonValue edition;
  edition.kind = Kind::string;
  edition.key = "pcsEdition";
  edition.text = "2026-08";
  edition.where = at->where;
  edition.key_line = at->key_line;
  root.items.push_back(std::move(edition));
}

}  // namespace

Scenario parse_scenario(std::string_view json_text, const std::string& file, const ScenarioOverrides& overrides) {
  Problems problems(problem_sources(file, overrides));
  auto root = read_json(json_text, 0, problems);
  if (!root) problems.raise();
  unwrap_api_answers(*root);
  Scenario scenario;
  apply_overrides(*root, overrides, problems, scenario.notes);
  infer_edition(*root);
  check_options(*root, problems);
  scenario.file = file;
  Builder(*root, scenario, problems).build();
  if (!problems.empty()) problems.raise();
  scenario.text = dump_json(*root);
  return scenario;
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
