#include "models/network/placement_effect.hpp"

#include <algorithm>
#include <map>

namespace headroom {
namespace {

// "P4d/P4de/DL1 cannot exchange EFA traffic with other types" (ec2.md 9).
bool exchanges_with_itself_only(std::string_view type) {
  return type.starts_with("p4d.") || type.starts_with("p4de.") || type.starts_with("dl1.");
}

// Numbers from 1 for names in the order in which they come; 0 for the empty name.
class Numbers {
 public:
  std::uint32_t of(const std::string& name) {
    if (name.empty()) return 0;
    return numbers_.emplace(name, static_cast<std::uint32_t>(numbers_.size()) + 1).first->second;
  }

 private:
  std::map<std::string, std::uint32_t> numbers_;
};

bool spans_subnets(const GroupFacts& group) {
  return std::any_of(group.offers.begin(), group.offers.end(),
                     [&](const Offer& offer) { return offer.subnet != group.offers.front().subnet; });
}

// Whether it is a cluster placement group. One that the scenario does not describe has EC2's default strategy.
bool packs(const Scenario& scenario, const std::string& group) {
  const auto known = std::find_if(scenario.placement_groups.begin(), scenario.placement_groups.end(),
                                  [&](const PlacementGroupDesign& each) { return each.name == group; });
  return known == scenario.placement_groups.end() || known->strategy == PlacementStrategy::cluster;
}

}  // namespace

PlacementEffect::PlacementEffect(const Scenario& scenario, const Design& design, const Workload& workload)
    : workload_(workload),
      topology_(design.spec.topology),
      uplink_(scenario.network.model.uplink),
      between_zones_us_(scenario.network.model.between_zones_us) {
  const LinkModel model(scenario.network.model);
  Numbers zones;
  Numbers placement_groups;
  Numbers types;
  for (std::size_t g = 0; g < design.groups.size(); ++g) {
    const GroupFacts& facts = design.groups[g];
    group_of_.insert(group_of_.end(), static_cast<std::size_t>(design.spec.groups[g].nodes),
                     static_cast<std::uint32_t>(g));
    std::vector<Kind>& kinds = kinds_.emplace_back();
    // What a launch template that nobody described asks for is not known, and has no effect.
    const bool template_allows = g >= scenario.groups.size() || !scenario.groups[g].knows_template;
    const bool one_subnet = !spans_subnets(facts);
    const auto add = [&](const InstanceType& sold, const std::string& zone) {
      Kind& kind = kinds.emplace_back();
      kind.type = types.of(sold.name) - 1;
      if (kind.type == types_.size()) {
        TypeLinks& of_type = types_.emplace_back();
        for (const Transport t : {Transport::efa, Transport::tcp, Transport::shm}) {
          of_type[static_cast<std::size_t>(t)] = model.link(sold, t);
        }
      }
      kind.zone = zones.of(zone);
      if (packs(scenario, facts.placement_group)) kind.group = placement_groups.of(facts.placement_group);
      kind.type_has_efa = sold.efa_interfaces > 0;
      kind.efa = facts.efa || (template_allows && kind.type_has_efa && one_subnet);
      kind.efa_alone = exchanges_with_itself_only(sold.name);
    };
    for (const Offer& offer : facts.offers) add(offer.type, offer.zone);
  }
}

std::uint32_t PlacementEffect::known_zone(std::span<const Site> sites) const {
  const auto known =
      std::find_if(sites.begin(), sites.end(), [&](const Site& site) { return kind_of(site).zone != 0; });
  return known == sites.end() ? 0 : kind_of(*known).zone;
}

Transport PlacementEffect::transport(std::span<const Site> sites) const {
  if (sites.size() < 2) return Transport::shm;
  const Kind& first = kind_of(sites.front());
  const std::uint32_t known = known_zone(sites);
  bool one_type = true;
  bool choosy = false;
  for (const Site& site : sites) {
    const Kind& kind = kind_of(site);
    if (!kind.efa || (kind.zone != known && kind.zone != 0)) return Transport::tcp;
    one_type &= kind.type == first.type;
    choosy |= kind.efa_alone;
  }
  return one_type || !choosy ? Transport::efa : Transport::tcp;
}

Way PlacementEffect::way(Transport transport, std::span<const Site> sites) const {
  Way way;
  way.uplink = uplink_;
  way.between_zones_us = between_zones_us_;
  const Kind& first = kind_of(sites.front());
  bool one_group = first.group != 0;
  std::vector<std::uint32_t> types;
  for (const Site& site : sites) {
    const Kind& kind = kind_of(site);
    one_group &= kind.group == first.group;
    if (std::find(types.begin(), types.end(), kind.type) == types.end()) types.push_back(kind.type);
  }
  for (const std::uint32_t type : types) {
    way.links.push_back(&types_[type][static_cast<std::size_t>(transport)]);
  }
  // Of different types within their nodes, the first one's: they have equal cores (PCS-12).
  way.shm = &types_[first.type][static_cast<std::size_t>(Transport::shm)];
  if (transport == Transport::tcp) way.flow_gb_s = one_group ? kFlowInGroup : kFlowOutside;
  return way;
}

PlacementEffect::Effect PlacementEffect::effect(JobId job, std::span<const Site> sites) const {
  Effect effect;
  effect.transport = transport(sites);
  const std::uint32_t number = workload_.jobs[index(job)].communication;
  if (number == 0 || sites.size() < 2) return effect;
  const CommunicationProfile& profile = workload_.communication[number - 1];
  if (profile.pattern == Pattern::none || profile.share == 0) return effect;

  std::vector<LeafId> leaves;
  std::vector<std::uint32_t> zones;
  leaves.reserve(sites.size());
  zones.reserve(sites.size());
  const std::uint32_t known = known_zone(sites);
  bool types_have_efa = true;
  for (const Site& site : sites) {
    const Kind& kind = kind_of(site);
    leaves.push_back(site.leaf);
    zones.push_back(kind.zone == 0 ? known : kind.zone);
    types_have_efa &= kind.type_has_efa;
  }
  // A cluster placement group is part of the reference: with it, TCP flows get what they can get.
  Way best = way(types_have_efa ? Transport::efa : Transport::tcp, sites);
  if (best.flow_gb_s > 0) best.flow_gb_s = kFlowInGroup;
  const double reference = reference_us(profile, best, sites.size());
  const double here = communication_us(profile, way(effect.transport, sites), {topology_.get(), leaves, zones});
  if (reference > 0) effect.stretch = 1 + profile.share * (here / reference - 1);
  return effect;
}

}  // namespace headroom
