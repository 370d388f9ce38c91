#include "models/scenario/cloud_section.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

namespace headroom {
namespace {

using Kind = JsonValue::Kind;

void add(Problems& problems, const Section& section, std::string_view key, std::string_view text) {
  problems.add(section.where(key), section.path_of(key), text);
}

std::int64_t millionths(double value) { return std::llround(value * 1e6); }

AllocationStrategy strategy_named(std::string_view name) {
  static constexpr std::pair<std::string_view, AllocationStrategy> kNames[] = {
      {"lowest-price", AllocationStrategy::lowest_price},
      {"prioritized", AllocationStrategy::prioritized},
      {"capacity-optimized", AllocationStrategy::capacity_optimized},
      {"capacity-optimized-prioritized", AllocationStrategy::capacity_optimized_prioritized},
      {"price-capacity-optimized", AllocationStrategy::price_capacity_optimized},
      {"diversified", AllocationStrategy::diversified}};
  const auto* const found =
      std::find_if(std::begin(kNames), std::end(kNames), [&](const auto& each) { return each.first == name; });
  return found == std::end(kNames) ? AllocationStrategy::lowest_price : found->second;
}

// "c6i.large", "c6i.*" or "*". Whether the catalog knows such a type is make_design's to say.
std::string read_pattern(const Section& section, Problems& problems) {
  const std::string pattern = section.string("instanceType").value_or("");
  const auto star = pattern.find('*');
  if (star != std::string::npos && star + 1 != pattern.size()) {
    add(problems, section, "instanceType",
        fmt::format("found {}, expected an instance type, a beginning and *, or *", quote(pattern)));
  }
  return pattern;
}

// Steps are given in the order of time; with a period, before it is over.
void check_steps(const std::vector<Section>& steps, Time period, Problems& problems) {
  std::optional<Time> last;
  for (const Section& step : steps) {
    const std::optional<Time> at = step.duration("at");
    if (!at) continue;
    if (last && *at <= *last) add(problems, step, "at", "is not after the step before it");
    if (period > 0 && *at >= period) add(problems, step, "at", "is not within the period");
    last = at;
  }
}

CapacityOption read_capacity(const Section& section, Problems& problems) {
  CapacityOption option;
  CapacityRule& rule = option.rule;
  rule.instance_type = read_pattern(section, problems);
  rule.zone = section.string("availabilityZone").value_or("");
  const std::string market = section.string("market").value_or("both");
  rule.on_demand = market != "spot";
  rule.spot = market != "on-demand";
  option.series = section.string("series").value_or("");
  option.place = problems.place(section.where("series"), section.path_of("series"));

  const bool steps = section.has("limit") || section.has("schedule");
  const int forms = (steps ? 1 : 0) + (section.has("random") ? 1 : 0) + (section.has("series") ? 1 : 0);
  if (forms != 1) {
    problems.add(section.where(), section.path(),
                 fmt::format("{}; expected limit and schedule, or random, or series",
                             forms == 0 ? "says no limit" : "says the limit twice"));
  }
  if (section.has("period") && !section.has("schedule"))
    add(problems, section, "period", "only together with schedule");
  rule.limit.before = section.integer("limit");
  rule.limit.period = section.duration("period").value_or(0);
  const std::vector<Section> schedule = section.elements("schedule");
  check_steps(schedule, rule.limit.period, problems);
  for (const Section& step : schedule) {
    rule.limit.at.emplace_back(step.duration("at").value_or(0), step.integer("limit"));
  }
  if (const Section random = section.child("random"); random.present()) {
    rule.random =
        RandomCapacity{random.number("mean").value_or(0), random.number("sd").value_or(0),
                       random.duration("correlationTime").value_or(kSecond), random.duration("step").value_or(kSecond)};
  }
  return option;
}

void read_quotas(const Section& quotas, Problems& problems, QuotaLimits& limits) {
  for (const bool spot : {false, true}) {
    const std::string_view key = spot ? "spot" : "onDemand";
    for (const auto& [name, value] : quotas.values(key)) {
      const auto* const family = std::find(kQuotaFamilies.begin(), kQuotaFamilies.end(), name);
      if (family == kQuotaFamilies.end()) {
        problems.add(value->where, fmt::format("{}.{}", quotas.path_of(key), name),
                     "unknown group of families;" + nearest_hint(name, kQuotaFamilies));
        continue;
      }
      (spot ? limits.spot : limits.on_demand)[static_cast<std::size_t>(family - kQuotaFamilies.begin())] =
          value->integer;
    }
  }
  limits.instances = quotas.integer("instances");
  limits.terminated_for = quotas.duration("terminatedFor").value_or(0);
}

constexpr TokenBucket::Rate rate_of(std::int64_t size, std::int64_t per_second) {
  return {size, per_second * 1'000'000};
}

// EC2's documented buckets. CreateFleet is not listed apart: it has that of mutating calls, and none for instances.
Ec2Settings::Throttling documented_throttling(bool run_instances) {
  Ec2Settings::Throttling buckets;
  buckets.launch_requests = run_instances ? rate_of(5, 2) : rate_of(50, 5);
  if (run_instances) buckets.launch_instances = rate_of(1000, 2);
  buckets.terminate_requests = rate_of(100, 5);
  buckets.terminate_instances = rate_of(1000, 20);
  return buckets;
}

void read_throttling(const Section& throttling, bool run_instances, Problems& problems,
                     Ec2Settings::Throttling& buckets) {
  if (!throttling.present()) return;
  static constexpr std::string_view kActions[] = {"RunInstances", "CreateFleet", "TerminateInstances"};
  buckets = documented_throttling(run_instances);
  for (const bool resources : {false, true}) {
    const std::string_view key = resources ? "resources" : "buckets";
    for (const auto& [action, section] : throttling.members(key)) {
      if (std::find(std::begin(kActions), std::end(kActions), action) == std::end(kActions)) {
        problems.add(section.where(), section.path(), "no such action here;" + nearest_hint(action, kActions));
        continue;
      }
      const TokenBucket::Rate rate{section.integer("size").value_or(1),
                                   millionths(section.number("refillPerSecond").value_or(0))};
      if (action == "TerminateInstances") {
        (resources ? buckets.terminate_instances : buckets.terminate_requests) = rate;
      } else if ((action == "RunInstances") == run_instances) {
        (resources ? buckets.launch_instances : buckets.launch_requests) = rate;
      }
    }
  }
}

SpotPriceRule read_spot_price(const Section& section, Problems& problems) {
  SpotPriceRule rule;
  rule.instance_type = read_pattern(section, problems);
  rule.zone = section.string("availabilityZone").value_or("");
  if (const auto factor = section.number("factor")) rule.share = millionths(*factor);
  rule.price.before = millionths(section.number("usdPerHour").value_or(0));
  const std::vector<Section> series = section.elements("series");
  check_steps(series, 0, problems);
  for (const Section& step : series) {
    rule.price.at.emplace_back(step.duration("at").value_or(0), millionths(step.number("usdPerHour").value_or(0)));
  }
  if (!rule.price.at.empty()) rule.price.before = rule.price.at.front().second;
  return rule;
}

// A member of an object that the table does not look into; nothing where it is absent.
const JsonValue* member(const JsonValue* object, std::string_view key) {
  return object != nullptr && object->kind == Kind::object ? object->find(key) : nullptr;
}

}  // namespace

void read_cloud(const Section& cloud, Problems& problems, CloudOptions& options) {
  const Section boot = cloud.child("boot");
  options.boot.pending = boot.distribution("pending").value_or(Distribution{});
  options.boot.bootstrap = boot.distribution("bootstrap").value_or(Distribution{});
  options.boot.bootstrap_gpu = boot.distribution("bootstrapGpu").value_or(Distribution{});
  for (const auto& [type, price] : cloud.values("prices"))
    options.prices_usd_per_hour.emplace_back(type, price->number);
  options.controller_usd_per_hour = cloud.number("controllerUsdPerHour").value_or(0);
  for (const Section& element : cloud.elements("committed")) {
    options.committed.push_back({element.string("instanceType").value_or(""),
                                 element.count("instanceCount").value_or(0), element.number("usdPerHour").value_or(0)});
  }
  options.node_management_usd_per_hour = cloud.number("nodeManagementUsdPerHour").value_or(0);

  options.run_instances = cloud.string("launchApi") == "RunInstances";
  options.on_demand_strategy = strategy_named(cloud.string("onDemandAllocationStrategy").value_or(""));
  if (const auto name = cloud.string("spotAllocationStrategy")) options.spot_strategy = strategy_named(*name);
  options.api_latency = cloud.distribution("apiLatency").value_or(Distribution{});
  options.consistency_delay = cloud.distribution("consistencyDelay").value_or(Distribution{});
  for (const Section& rule : cloud.elements("capacity")) {
    if (problems.full()) return;
    options.capacity.push_back(read_capacity(rule, problems));
  }
  for (const Section& rule : cloud.child("spot").elements("prices")) {
    if (problems.full()) return;
    options.spot_prices.push_back(read_spot_price(rule, problems));
  }
  read_quotas(cloud.child("quotas"), problems, options.quotas);
  read_throttling(cloud.child("throttling"), options.run_instances, problems, options.throttling);
}

std::vector<PlacementGroupDesign> read_placement_groups(const Section& root, Problems& problems) {
  std::vector<PlacementGroupDesign> groups;
  for (const auto& [name, section] : root.members("placementGroups")) {
    PlacementGroupDesign& group = groups.emplace_back();
    const std::string strategy = section.string("strategy").value_or("");
    group.name = name;
    group.strategy = strategy == "spread"      ? PlacementStrategy::spread
                     : strategy == "partition" ? PlacementStrategy::partition
                                               : PlacementStrategy::cluster;
    group.partitions = section.count("partitionCount").value_or(0);
    group.capacity = section.integer("capacity");
    for (const auto& [key, of] : {std::pair<std::string_view, std::string_view>{"capacity", "cluster"},
                                  {"partitionCount", "partition"},
                                  {"spreadLevel", "spread"}}) {
      if (section.has(key) && strategy != of)
        add(problems, section, key, fmt::format("only with strategy {} [PCS-55]", of));
    }
  }
  return groups;
}

std::vector<ReservationDesign> read_capacity_reservations(const Section& root, bool newer,
                                                          const std::vector<PlacementGroupDesign>& placement_groups,
                                                          Problems& problems) {
  static constexpr std::int64_t kMostInBlock = 64;
  std::vector<ReservationDesign> all;
  std::set<std::string> ids;
  for (const Section& section : root.elements("capacityReservations")) {
    if (problems.full()) break;
    ReservationDesign& design = all.emplace_back();
    CapacityReservation& r = design.reservation;
    r.id = section.string("id").value_or("");
    if (!r.id.empty() && !ids.insert(r.id).second) {
      add(problems, section, "id", fmt::format("{} names another reservation already", quote(r.id)));
    }
    const std::string type = section.string("type").value_or("");
    r.kind = type == "capacity-block"  ? CapacityReservation::Kind::capacity_block
             : type == "interruptible" ? CapacityReservation::Kind::interruptible
                                       : CapacityReservation::Kind::on_demand;
    const bool block = r.kind == CapacityReservation::Kind::capacity_block;
    const bool ordinary = r.kind == CapacityReservation::Kind::on_demand;
    if (!ordinary && !newer)
      add(problems, section, "type", fmt::format("{} needs pcsEdition 2026-08 [PCS-44]", quote(type)));
    r.instance_type = section.string("instanceType").value_or("");
    r.zone = section.string("availabilityZone").value_or("");
    r.instances = section.integer("instanceCount").value_or(0);
    if (block && r.instances > kMostInBlock) {
      add(problems, section, "instanceCount",
          fmt::format("found {}, but a Capacity Block has at most {}", r.instances, kMostInBlock));
    }
    r.open = ordinary && section.string("match") != "targeted";
    if (!ordinary && section.string("match") == "open") {
      add(problems, section, "match",
          fmt::format("a reservation of type {} is used only by launches that name it", type));
    }
    r.group = section.string("group").value_or("");
    if (r.kind == CapacityReservation::Kind::interruptible && !r.group.empty()) {
      add(problems, section, "group", "an interruptible reservation cannot be in a resource group");
    }
    r.placement_group = section.string("placementGroup").value_or("");
    if (block && !r.placement_group.empty()) add(problems, section, "placementGroup", "not with a Capacity Block");
    if (!r.placement_group.empty()) {
      const auto known =
          std::find_if(placement_groups.begin(), placement_groups.end(),
                       [&](const PlacementGroupDesign& group) { return group.name == r.placement_group; });
      if (known == placement_groups.end()) {
        add(problems, section, "placementGroup", fmt::format("unknown placement group {}", quote(r.placement_group)));
      } else if (known->strategy != PlacementStrategy::cluster) {
        add(problems, section, "placementGroup", "only a cluster placement group can have reservations");
      }
    }
    r.start = section.duration("start").value_or(0);
    r.end = section.duration("end").value_or(kNever);
    if (r.end <= r.start) add(problems, section, "end", "is not after the start");
    if (block && r.end == kNever) {
      problems.add(section.where(), section.path_of("end"), "missing; a Capacity Block has an end");
    }
    if (const auto usd = section.number("usdPerHour")) design.price_per_hour = millionths(*usd);
    if (const auto usd = section.number("upfrontUsd")) {
      r.upfront = millionths(*usd);
      if (section.has("usdPerHour")) add(problems, section, "upfrontUsd", "not together with usdPerHour");
      design.price_per_hour = 0;
    }
  }
  return all;
}

ReservationUse read_reservation_use(const Section& launch_template, bool newer, Problems& problems) {
  ReservationUse use;
  const JsonValue* const specification = launch_template.find("CapacityReservationSpecification");
  const std::string path = launch_template.path_of("CapacityReservationSpecification");
  const auto text_of = [&](const JsonValue* value, const std::string& where) -> std::string {
    if (value == nullptr) return {};
    if (value->kind == Kind::string && !value->text.empty()) return value->text;
    problems.add(value->where, where,
                 fmt::format("found {}, expected a string that is not empty", describe_found(*value)));
    return {};
  };
  if (specification != nullptr && specification->kind != Kind::object) {
    problems.add(specification->where, path,
                 fmt::format("found {}, expected an object", describe_found(*specification)));
  }
  if (const JsonValue* const preference = member(specification, "CapacityReservationPreference")) {
    const std::string name = text_of(preference, path + ".CapacityReservationPreference");
    if (name == "none") {
      use.preference = ReservationUse::Preference::none;
    } else if (name == "capacity-reservations-only") {
      use.preference = ReservationUse::Preference::only;
    } else if (name != "open" && !name.empty()) {
      problems.add(preference->where, path + ".CapacityReservationPreference",
                   fmt::format("found {}, expected \"open\", \"none\" or \"capacity-reservations-only\"", quote(name)));
    }
  }
  const JsonValue* const target = member(specification, "CapacityReservationTarget");
  const std::string target_path = path + ".CapacityReservationTarget";
  const std::string arn = text_of(member(target, "CapacityReservationResourceGroupArn"),
                                  target_path + ".CapacityReservationResourceGroupArn");
  const auto slash = arn.rfind("group/");
  use.group = slash == std::string::npos ? arn : arn.substr(slash + 6);
  if (const JsonValue* const id = member(target, "CapacityReservationId")) {
    use.id = text_of(id, target_path + ".CapacityReservationId");
    if (!newer) {
      problems.add(id->where, target_path + ".CapacityReservationId",
                   "PCS takes a resource group (CapacityReservationResourceGroupArn) only; an id needs pcsEdition "
                   "2026-08 [PCS-44]");
    }
  }
  return use;
}

void read_purchase(const Section& section, bool newer, const std::vector<ReservationDesign>& reservations,
                   Problems& problems, GroupDesign& group) {
  using ReservationKind = CapacityReservation::Kind;
  const std::string name = section.string("purchaseOption").value_or("");
  group.purchase = name == "SPOT"                                 ? Purchase::spot
                   : name == "CAPACITY_BLOCK"                     ? Purchase::capacity_block
                   : name == "INTERRUPTIBLE_CAPACITY_RESERVATION" ? Purchase::interruptible
                                                                  : Purchase::on_demand;
  group.spot_strategy = strategy_named(section.child("spotOptions").string("allocationStrategy").value_or(""));
  const bool reserved = group.purchase == Purchase::capacity_block || group.purchase == Purchase::interruptible;
  if (reserved && !newer) {
    return add(problems, section, "purchaseOption", fmt::format("{} needs pcsEdition 2026-08 [PCS-14]", quote(name)));
  }
  const ReservationUse& use = group.reservations;
  if (reserved && use.id.empty() && use.group.empty()) {
    add(problems, section, "purchaseOption",
        fmt::format("{} needs a launch template whose CapacityReservationTarget names the reservation", quote(name)));
  }
  if (group.purchase == Purchase::capacity_block && !group.placement_group.empty()) {
    add(problems, section, "purchaseOption",
        fmt::format("instances of a Capacity Block cannot be in a placement group, but the launch template names {}",
                    quote(group.placement_group)));
  }
  if (use.id.empty() && use.group.empty()) return;
  const auto named = std::find_if(reservations.begin(), reservations.end(), [&](const ReservationDesign& each) {
    return use.id.empty() ? each.reservation.group == use.group : each.reservation.id == use.id;
  });
  if (named == reservations.end()) {
    return add(problems, section, "customLaunchTemplate",
               use.id.empty()
                   ? fmt::format("no reservation of capacityReservations is in the group {} that its launch "
                                 "template names",
                                 quote(use.group))
                   : fmt::format("its launch template names {}, which is not in capacityReservations", quote(use.id)));
  }
  const ReservationKind wanted = group.purchase == Purchase::capacity_block  ? ReservationKind::capacity_block
                                 : group.purchase == Purchase::interruptible ? ReservationKind::interruptible
                                                                             : ReservationKind::on_demand;
  if (group.purchase != Purchase::spot && named->reservation.kind != wanted) {
    add(problems, section, "customLaunchTemplate",
        fmt::format("its launch template names {}, which is of another type than purchaseOption {} uses",
                    quote(named->reservation.id), name));
  }
}

}  // namespace headroom
