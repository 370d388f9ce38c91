#include "models/scenario/design.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "models/errors.hpp"
#include "models/scenario/options.hpp"

namespace headroom {
namespace {

// Slurm's RealMemory where the user gives none, of the instance's memory: AWS ParallelCluster's share
// (slurm_memory_ratio in its Slurm configuration); AWS publishes none for PCS.
constexpr std::int64_t kMemoryPercent = 95;

MicroUsd micro_usd(double usd) { return std::llround(usd * 1e6); }

[[noreturn]] void refuse(const Scenario& scenario, const std::string& key, const std::string& what) {
  throw InputError(fmt::format("{}: {}: {}", scenario.file.empty() ? "scenario" : scenario.file, key, what));
}

std::string key_of(const Scenario& scenario, std::size_t group) {
  const GroupDesign& of = scenario.groups[group];
  return fmt::format("{} ({})", of.place.empty() ? fmt::format("computeNodeGroups[{}]", group) : of.place, of.name);
}

[[noreturn]] void refuse(const Scenario& scenario, std::size_t group, const std::string& what) {
  refuse(scenario, key_of(scenario, group), what);
}

}  // namespace

std::string unknown_instance_type(std::string_view name) {
  const std::vector<InstanceType> all = all_instance_types();
  std::vector<std::string_view> names;
  for (const InstanceType& t : all) names.push_back(t.name);
  const std::string hint = nearest_hint(name, names);
  return fmt::format("no instance type {} in the catalog{}{}", quote(name), hint.empty() ? "" : ";", hint);
}

namespace {

InstanceType type_named(const Scenario& scenario, const std::string& key, const std::string& name) {
  if (std::optional<InstanceType> type = find_instance_type(name)) return *std::move(type);
  refuse(scenario, key, unknown_instance_type(name));
}

MicroUsd price_of(const Scenario& scenario, const std::string& key, const InstanceType& type) {
  for (const auto& [name, usd] : scenario.cloud.prices_usd_per_hour) {
    if (name == type.name) return micro_usd(usd);
  }
  if (const std::optional<double> usd = type.price_usd_per_hour(scenario.region)) return micro_usd(*usd);
  std::string regions;
  for (const auto& [region, usd] : type.usd_per_hour) regions += (regions.empty() ? "" : ", ") + region;
  refuse(scenario, key,
         fmt::format("the catalog has no price of {} in region {} (it has: {}); give one in cloud.prices", type.name,
                     scenario.region, regions.empty() ? "none" : regions));
}

// One offer in each subnet of the group; one where it names none.
void add_offers(const Scenario& scenario, const GroupDesign& group, const InstanceType& type, MicroUsd price,
                GroupFacts& facts) {
  for (std::size_t s = 0; s < std::max<std::size_t>(group.subnets.size(), 1); ++s) {
    Offer& offer = facts.offers.emplace_back();
    offer.type = type;
    if (s < group.subnets.size()) offer.subnet = group.subnets[s];
    const auto known = std::find_if(scenario.subnets.begin(), scenario.subnets.end(),
                                    [&](const SubnetDesign& each) { return each.id == offer.subnet; });
    if (known != scenario.subnets.end()) offer.zone = known->zone;
    offer.price_per_hour = price;
    offer.priority = static_cast<std::int32_t>(facts.offers.size()) - 1;
  }
}

// The first offer is what an on-demand fleet's default strategy, lowest-price, prefers.
void put_cheapest_first(GroupFacts& facts) {
  const auto cheapest = std::min_element(facts.offers.begin(), facts.offers.end(), [](const Offer& a, const Offer& b) {
    return a.price_per_hour < b.price_per_hour;
  });
  std::rotate(facts.offers.begin(), cheapest, std::next(cheapest));
}

// Patterns name types that there are.
void check_pattern(const Scenario& scenario, const std::string& key, const std::string& pattern) {
  if (pattern == "*") return;
  if (!pattern.ends_with('*')) {
    type_named(scenario, key, pattern);
    return;
  }
  const std::vector<InstanceType> all = all_instance_types();
  const bool any =
      std::any_of(all.begin(), all.end(), [&](const InstanceType& type) { return matches_type(pattern, type.name); });
  if (!any) refuse(scenario, key, fmt::format("no instance type in the catalog is like \"{}\"", pattern));
}

void make_cloud(const Scenario& scenario, Design& design) {
  const CloudOptions& cloud = scenario.cloud;
  for (std::size_t i = 0; i < cloud.capacity.size(); ++i) {
    check_pattern(scenario, fmt::format("cloud.capacity[{}]", i), cloud.capacity[i].rule.instance_type);
  }
  for (std::size_t i = 0; i < cloud.spot_prices.size(); ++i) {
    check_pattern(scenario, fmt::format("cloud.spot.prices[{}]", i), cloud.spot_prices[i].instance_type);
  }
  design.spot_prices = SpotPrices(cloud.spot_prices);
  for (std::size_t i = 0; i < scenario.reservations.size(); ++i) {
    const std::string key = fmt::format("capacityReservations[{}]", i);
    CapacityReservation reservation = scenario.reservations[i].reservation;
    const InstanceType type = type_named(scenario, key, reservation.instance_type);
    reservation.vcpus = type.vcpus;
    const std::optional<MicroUsd>& price = scenario.reservations[i].price_per_hour;
    reservation.price_per_hour = price ? *price : price_of(scenario, key, type);
    design.reservations.push_back(std::move(reservation));
  }
}

// Hardware in the zones of the subnets.
void make_fabrics(const Scenario& scenario, Design& design) {
  const std::vector<FabricDesign>& fabrics = scenario.network.fabrics;
  for (std::size_t f = 0; f < fabrics.size(); ++f) {
    check_pattern(scenario, fmt::format("network.fabrics[{}].instanceType", f), fabrics[f].instance_type);
  }
  std::vector<std::string> zones;
  for (const SubnetDesign& subnet : scenario.subnets) zones.push_back(subnet.zone);
  std::sort(zones.begin(), zones.end());
  zones.erase(std::unique(zones.begin(), zones.end()), zones.end());
  FabricPlan plan = plan_fabrics(scenario.region, zones, fabrics);
  design.fabrics = std::move(plan.sites);
  design.spec.topology = std::move(plan.topology);
}

}  // namespace

std::vector<Charge> charges_of(const Design& design, Time begin) {
  std::vector<Charge> charges = {{.from = begin, .per_hour = design.controller_per_hour}};
  for (const CapacityReservation& r : design.reservations) {
    charges.push_back({later(begin, r.start), later(begin, r.end), r.price_per_hour * r.instances, r.upfront});
  }
  for (const Commitment& c : design.committed) {
    charges.push_back({.from = begin, .per_hour = c.price_per_hour * c.instances});
  }
  return charges;
}

MicroUsd cost_of(MicroUsd price_per_hour, Time duration) {
  constexpr __int128 kHourWide = kHour;
  return static_cast<MicroUsd>((static_cast<__int128>(price_per_hour) * duration + kHourWide / 2) / kHourWide);
}

std::string Design::node_name(NodeId node) const {
  std::size_t first = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto count = static_cast<std::size_t>(spec.groups[g].nodes);
    if (index(node) < first + count) {
      return is_pool && !pool_of_nodes ? groups[g].name : fmt::format("{}-{}", groups[g].name, index(node) - first + 1);
    }
    first += count;
  }
  return {};
}

std::vector<std::string> Design::node_names() const {
  std::vector<std::string> names;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (std::int32_t n = 1; n <= spec.groups[g].nodes; ++n) {
      names.push_back(is_pool && !pool_of_nodes ? groups[g].name : fmt::format("{}-{}", groups[g].name, n));
    }
  }
  return names;
}

Design make_design(const Scenario& scenario) {
  Design design;
  if (scenario.pool) {
    design.is_pool = true;
    design.pool_of_nodes = runs_slurm(scenario);
    if (design.pool_of_nodes) {
      design.spec.groups.push_back({scenario.pool->processors, 1, Supply::permanent, 1});
    } else {
      design.spec.groups.push_back({1, scenario.pool->processors, Supply::permanent, 1});
    }
    design.spec.queues.push_back({{GroupId{0}}});
    design.groups.emplace_back().name = "pool";
    design.queue_names.push_back("pool");
    return design;
  }
  const ClusterLimits limits = limits_of(scenario.cluster.size);
  design.spec.instance_limit = limits.instances;
  design.spec.job_limit = limits.jobs;
  design.spec.suspend_timeout = scenario.scaler.suspend_timeout;
  design.spec.memory_counts = scenario.scheduler.memory_counts;
  design.spec.node_choice = scenario.scheduler.node_choice;
  design.controller_per_hour = micro_usd(scenario.cloud.controller_usd_per_hour);
  design.management_per_hour = micro_usd(scenario.cloud.node_management_usd_per_hour);

  for (const auto& [name, usd] : scenario.cloud.prices_usd_per_hour) {
    if (find_instance_type(name)) continue;
    throw InputError(fmt::format("{}: cloud.prices: {}", scenario.file.empty() ? "scenario" : scenario.file,
                                 unknown_instance_type(name)));
  }
  for (const CloudOptions::Committed& c : scenario.cloud.committed) {
    type_named(scenario, "cloud.committed", c.instance_type);
    design.committed.push_back({c.instance_type, c.instances, micro_usd(c.usd_per_hour)});
  }
  make_cloud(scenario, design);
  make_fabrics(scenario, design);
  for (std::size_t g = 0; g < scenario.groups.size(); ++g) {
    const GroupDesign& group = scenario.groups[g];
    GroupFacts facts;
    facts.name = group.name;
    facts.zone = group.zone;
    facts.placement_group = group.placement_group;
    facts.purchase = group.purchase;
    std::int64_t memory = std::numeric_limits<std::int64_t>::max();  // MiB, of the smallest type
    for (const std::string& name : group.instance_types) {
      const InstanceType type = type_named(scenario, key_of(scenario, g), name);
      const MicroUsd price = price_of(scenario, key_of(scenario, g), type);
      if (group.purchase == Purchase::spot && !type.spot) {
        refuse(scenario, g,
               fmt::format("{} is not sold as Spot; expected purchaseOption ONDEMAND or another type", type.name));
      }
      if (!facts.offers.empty()) {
        const std::string why = why_not_together(facts.type, type);
        if (!why.empty()) refuse(scenario, g, why + " [PCS-12]");
      }
      memory = std::min(memory, type.memory_mib);
      if (facts.offers.empty() || price < facts.price_per_hour) {
        facts.type = type;
        facts.price_per_hour = price;
      }
      add_offers(scenario, group, type, price, facts);
    }
    put_cheapest_first(facts);
    facts.efa_interfaces = group.efa_interfaces;
    facts.efa = group.efa_interfaces > 0 && group.subnets.size() < 2 &&
                std::all_of(facts.offers.begin(), facts.offers.end(),
                            [&](const Offer& offer) { return offer.type.efa_interfaces >= group.efa_interfaces; });
    // Kept from the start to the end, or by the number that is kept.
    const bool changes = group.most_instances > 0;
    const Supply supply = !changes && group.min_instances == group.max_instances ? Supply::fixed : Supply::dynamic;
    const bool later = group.created.has_value();
    const std::int32_t kept = supply == Supply::dynamic && !later ? group.min_instances : 0;
    if (group.real_memory > memory) {
      refuse(scenario, g,
             fmt::format("RealMemory is {} MiB, but its instances have {} MiB; Slurm would drain the nodes [PCS-16]",
                         group.real_memory, memory));
    }
    const std::int64_t slurm_memory = group.real_memory > 0 ? group.real_memory : memory * kMemoryPercent / 100;
    design.spec.groups.push_back({changes ? group.most_instances : group.max_instances, facts.type.cores, supply,
                                  group.weight, kept, static_cast<std::int32_t>(slurm_memory)});
    if (changes) design.spec.groups.back().present = later ? 0 : group.max_instances;
    const BootOptions& boot = scenario.cloud.boot;
    design.boots.push_back({boot.pending, facts.type.gpus > 0 ? boot.bootstrap_gpu : boot.bootstrap});
    design.groups.push_back(std::move(facts));
  }
  for (const QueueDesign& queue : scenario.queues) {
    QueueSpec spec;
    for (const std::size_t g : queue.groups) spec.groups.push_back(GroupId{static_cast<std::uint32_t>(g)});
    spec.open = !queue.created;
    design.spec.queues.push_back(std::move(spec));
    design.queue_names.push_back(queue.name);
  }
  for (const TimedChange& each : scenario.changes) design.spec.changes.push_back(each.change);
  return design;
}

}  // namespace headroom
