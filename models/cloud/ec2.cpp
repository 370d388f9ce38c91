#include "models/cloud/ec2.hpp"

#include <algorithm>
#include <functional>
#include <set>

namespace headroom {
namespace {

// Of TerminateInstances, and of a fleet's minimum (MinTargetCapacity).
constexpr std::size_t kMostInRequest = 1000;

bool never(const Distribution& d) { return d.kind == Distribution::Kind::constant && d.a == 0; }

// kNone of Ec2 where there is none of that name.
std::uint32_t design_named(const std::vector<PlacementGroupDesign>& designs, const std::string& name) {
  const auto found = std::find_if(designs.begin(), designs.end(),
                                  [&](const PlacementGroupDesign& design) { return design.name == name; });
  return found == designs.end() ? ~0u : static_cast<std::uint32_t>(found - designs.begin());
}

std::optional<TokenBucket> bucket(const std::optional<TokenBucket::Rate>& rate) {
  return rate ? std::optional<TokenBucket>(*rate) : std::nullopt;
}

}  // namespace

Ec2::Ec2(Ec2Settings settings) : settings_(std::make_shared<const Ec2Settings>(std::move(settings))) {
  if (grants_all()) {
    settings_.reset();
    return;
  }
  std::map<std::string, std::uint32_t> subnets;
  for (const auto& [subnet, free] : settings_->free_addresses) {
    subnets[subnet] = static_cast<std::uint32_t>(addresses_.size());
    addresses_.push_back(free);
  }
  for (const FabricSite& site : settings_->fabrics) fabrics_.emplace_back(site, settings_->seed);
  quota_ = Quota(settings_->quotas);
  for (const Fleet& fleet : settings_->fleets) {
    const bool spot = fleet.purchase == Purchase::spot;
    std::vector<Source>& sources = sources_.emplace_back();
    for (const Offer& offer : fleet.offers) {
      Source& source = sources.emplace_back();
      const auto pool = std::find_if(pools_.begin(), pools_.end(),
                                     [&](const CapacityPool& p) { return p.is(offer.type.name, offer.zone, spot); });
      source.pool = static_cast<std::uint32_t>(pool - pools_.begin());
      if (pool == pools_.end()) {
        pools_.emplace_back(offer.type.name, offer.zone, spot, settings_->capacity, settings_->seed);
      }
      source.fabric = fabric_for(offer.type.name, offer.zone);
      const auto subnet = subnets.find(offer.subnet);
      if (subnet != subnets.end()) source.subnet = subnet->second;
      source.family = quota_family(offer.type.name);
      source.vcpus = offer.type.vcpus;
    }
    placement_of_.push_back(design_named(settings_->placement_groups, fleet.placement_group));
  }
  filled_.resize(settings_->reservations.size());
  for (const CapacityReservation& r : settings_->reservations) {
    Reserved& reserved = reserved_.emplace_back();
    reserved.fabric = fabric_for(r.instance_type, r.zone);
    reserved.placement = design_named(settings_->placement_groups, r.placement_group);
    const auto number = static_cast<std::uint32_t>(reserved_.size() - 1);
    if (reserved.fabric != kNone) turns_.push_back({r.start, true, number});
    if (r.end != kNever) turns_.push_back({r.end, false, number});
  }
  std::sort(turns_.begin(), turns_.end(), std::greater<>());
  for (const CapacityReservation& r : settings_->reservations) {
    if (r.kind == CapacityReservation::Kind::capacity_block) continue;
    quota_.take(false, quota_family(r.instance_type), r.instances * r.vcpus);
  }
  launch_requests_ = bucket(settings_->throttling.launch_requests);
  launch_instances_ = bucket(settings_->throttling.launch_instances);
  terminate_requests_ = bucket(settings_->throttling.terminate_requests);
  terminate_instances_ = bucket(settings_->throttling.terminate_instances);
}

// Whether every request gets the first offer for all its nodes at once, so that no books are needed.
bool Ec2::grants_all() const {
  const Ec2Settings& s = *settings_;
  const Ec2Settings::Throttling& t = s.throttling;
  const bool limits = !s.capacity.empty() || !s.fabrics.empty() || !s.reservations.empty() ||
                      !s.free_addresses.empty() || s.quotas.any() || t.launch_requests || t.launch_instances ||
                      t.terminate_requests || t.terminate_instances || !s.brown_outs.empty() || !never(s.api_latency) ||
                      !never(s.consistency_delay);
  if (limits) return false;
  std::map<std::string, std::set<std::string>> zones;  // by placement group: those of the first offers
  for (const Fleet& fleet : s.fleets) {
    const bool first = fleet.purchase == Purchase::on_demand && fleet.strategy == AllocationStrategy::lowest_price &&
                       fleet.reservations == ReservationUse{};
    if (!first) return false;
    if (!fleet.placement_group.empty() && !fleet.offers.empty())
      zones[fleet.placement_group].insert(fleet.offers.front().zone);
  }
  return std::all_of(s.placement_groups.begin(), s.placement_groups.end(), [&](const PlacementGroupDesign& group) {
    return group.strategy == PlacementStrategy::partition ||
           (group.strategy == PlacementStrategy::cluster && !group.capacity && zones[group.name].size() < 2);
  });
}

Ec2::Answer Ec2::launch(GroupId group, std::span<const NodeShare> nodes, bool all_or_nothing, Time now,
                        std::span<const LaunchPurpose> purposes) {
  if (!settings_) return {now, std::vector<Grant>(nodes.size(), Grant{0, 0, now, kNever, kNoLeaf}), {}};
  now -= settings_->origin;
  settle(now);
  for (const NodeShare& s : nodes) {
    if (held(s.node).exists) release(s.node, now);  // it was lost, and nobody said so
  }
  Answer answer;
  const std::uint64_t request = requests_++;
  Substream latency(settings_->seed, Purpose::api_latency, request);
  answer.at = later(now, settings_->api_latency.sample(latency, kSecond / 1000));
  const auto count = static_cast<std::int64_t>(nodes.size());
  if (const std::optional<Refusal> refusal = throttled(request, count, now)) {
    answer.refusal = *refusal;
  } else {
    const std::uint32_t fleet = number(group);
    fill(fleet, candidates(fleet, count, now), nodes, purposes, now, answer);
    if (all_or_nothing && answer.grants.size() < nodes.size() && enforceable(settings_->fleets[fleet], nodes.size())) {
      for (std::size_t i = 0; i < answer.grants.size(); ++i) release(nodes[i].node, now, true);
      answer.grants.clear();
    }
  }
  Substream delay(settings_->seed, Purpose::consistency_delay, request);
  for (std::size_t i = 0; i < answer.grants.size(); ++i) {
    Grant& grant = answer.grants[i];
    Held& instance = held(nodes[i].node);
    instance.known = later(answer.at, settings_->consistency_delay.sample(delay, kSecond / 1000));
    grant.known = later(instance.known, settings_->origin);
    if (grant.taken_back != kNever) grant.taken_back += settings_->origin;
  }
  answer.at += settings_->origin;
  return answer;
}

std::optional<Refusal> Ec2::throttled(std::uint64_t request, std::int64_t instances, Time now) {
  Substream draw(settings_->seed, Purpose::brown_out, request);
  for (const Ec2Settings::BrownOut& b : settings_->brown_outs) {
    const bool refused = draw.uniform() < b.share;
    if (refused && now >= b.from && now < b.until) return b.refusal;
  }
  if (launch_requests_ && launch_requests_->when(1, now) > now) return Refusal::request_limit_exceeded;
  if (launch_instances_ && launch_instances_->when(instances, now) > now) return Refusal::request_limit_exceeded;
  if (launch_requests_) launch_requests_->take(1, now);
  if (launch_instances_) launch_instances_->take(instances, now);
  return std::nullopt;
}

// RunInstances has a minimum (MinCount). A fleet's minimum needs one type or one zone.
bool Ec2::enforceable(const Fleet& fleet, std::size_t instances) const {
  if (settings_->run_instances) return true;
  const auto alike = [&](auto part) {
    return std::all_of(fleet.offers.begin(), fleet.offers.end(),
                       [&](const Offer& offer) { return part(offer) == part(fleet.offers.front()); });
  };
  return instances <= kMostInRequest &&
         (alike([](const Offer& o) { return o.type.name; }) || alike([](const Offer& o) { return o.zone; }));
}

std::vector<Candidate> Ec2::candidates(std::uint32_t f, std::int64_t count, Time now) {
  const Fleet& fleet = settings_->fleets[f];
  const bool spot = fleet.purchase == Purchase::spot;
  std::vector<Candidate> all;
  for (std::uint32_t o = 0; o < fleet.offers.size(); ++o) {
    const Offer& offer = fleet.offers[o];
    Candidate& c = all.emplace_back();
    c.offer = o;
    c.on_demand_price = offer.price_per_hour;
    c.price = spot ? settings_->spot_prices.price_at(offer, now) : offer.price_per_hour;
    c.priority = offer.priority;
    c.spare = pools_[sources_[f][o].pool].spare(now);
    // The order of one is no question: its slots need not be counted.
    if (const std::uint32_t on = sources_[f][o].fabric; on != kNone && fleet.offers.size() > 1) {
      const std::int64_t free = fabrics_[on].free_slots(fabrics_[on].leaves(), now);
      c.spare = std::min(c.spare.value_or(free), free);
    }
  }
  std::vector<Candidate> order = in_order(fleet.strategy, std::move(all), count);
  if (settings_->run_instances && order.size() > 1) order.resize(1);
  return order;
}

// In that order, so many of each as there are; `diversified`: one of each in turn. What the first of them lacks is the
// error that is told.
void Ec2::fill(std::uint32_t fleet, std::span<const Candidate> order, std::span<const NodeShare> nodes,
               std::span<const LaunchPurpose> purposes, Time now, Answer& answer) {
  answer.refusal = Refusal::unfulfillable_capacity;
  const bool in_turn = settings_->fleets[fleet].strategy == AllocationStrategy::diversified;
  std::vector<bool> dry(order.size());
  std::size_t left = order.size();
  for (std::size_t c = 0; left > 0 && answer.grants.size() < nodes.size();) {
    if (!dry[c]) {
      const std::size_t next = answer.grants.size();
      const NodeId node = nodes[next].node;
      const std::uint32_t tag = purposes.empty() ? 0 : tag_of(fleet, purposes[next]);
      if (const std::optional<Refusal> refusal = take(fleet, order[c].offer, node, tag, now)) {
        if (c == 0) answer.refusal = *refusal;
        dry[c] = true;
        --left;
      } else {
        const std::uint32_t r = held(node).reservation;
        Grant& grant = answer.grants.emplace_back();
        grant.offer = order[c].offer;
        if (const Fabric::Slot slot = held(node).slot; slot != Fabric::kNoSlot) {
          grant.leaf = fabrics_[sources_[fleet][order[c].offer].fabric].leaf(slot);
        }
        if (r != kNone) {
          const CapacityReservation& reservation = settings_->reservations[r];
          grant.reservation = r + 1;
          if (reservation.kind != CapacityReservation::Kind::on_demand) grant.taken_back = reservation.usable_until();
        }
      }
    }
    if (in_turn || dry[c]) c = c + 1 == order.size() ? 0 : c + 1;
  }
}

std::optional<Refusal> Ec2::take(std::uint32_t f, std::uint32_t o, NodeId node, std::uint32_t tag, Time now) {
  const Fleet& fleet = settings_->fleets[f];
  const Offer& offer = fleet.offers[o];
  const Source& source = sources_[f][o];
  const bool spot = fleet.purchase == Purchase::spot;
  PlacementGroup* const placement = placement_of_[f] == kNone ? nullptr : &placement_group(f, tag);
  if (placement != nullptr && !placement->fits(offer.zone)) return Refusal::insufficient_instance_capacity;
  if (source.subnet != kNone && addresses_[source.subnet] <= 0) return Refusal::insufficient_free_addresses_in_subnet;
  if (const auto refusal = quota_.instance_refusal(now)) return refusal;
  const std::variant<std::uint32_t, Refusal> found = reservation_for(fleet, offer, now);
  if (const Refusal* const refusal = std::get_if<Refusal>(&found)) return *refusal;
  const std::uint32_t reservation = std::get<std::uint32_t>(found);
  CapacityPool& pool = pools_[source.pool];
  if (reservation == kNone) {
    if (const auto refusal = quota_.refusal(spot, source.family, source.vcpus)) return refusal;
    if (const CapacityLimit spare = pool.spare(now); spare && *spare <= 0) {
      return Refusal::insufficient_instance_capacity;
    }
  }
  Fabric* const fabric = source.fabric == kNone ? nullptr : &fabrics_[source.fabric];
  PlacementGroup::Landing landing;
  if (fabric != nullptr) {
    Substream draw = landing_of(node);
    if (reservation != kNone) {
      std::vector<Fabric::Slot>& idle = reserved_[reservation].idle;
      const auto chosen = idle.begin() + static_cast<std::ptrdiff_t>(draw.below(idle.size()));
      landing.slot = *chosen;
      idle.erase(chosen);
    } else {
      if (placement != nullptr) {
        landing = placement->find(*fabric, now, draw);
      } else {
        landing.slot = fabric->find(fabric->leaves(), now, draw);
      }
      if (landing.slot == Fabric::kNoSlot) return Refusal::insufficient_instance_capacity;
      fabric->take(landing.slot, now);
    }
  }
  const Fabric::Slot slot = landing.slot;
  if (reservation == kNone) {
    pool.take();
    quota_.take(spot, source.family, source.vcpus);
  } else {
    ++filled_[reservation];
  }
  quota_.take_instance();
  if (placement != nullptr) {
    placement->add(offer.zone, fabric, fabric == nullptr ? kNoLeaf : fabric->leaf(slot), landing.partition);
  }
  if (source.subnet != kNone) --addresses_[source.subnet];
  held(node) = {true, f, o, reservation, tag, slot, now, kNever};
  return std::nullopt;
}

// Only clusters are each job's or each queue's own. An instance that is launched for nobody in particular is in the one
// that all share.
std::uint32_t Ec2::tag_of(std::uint32_t f, const LaunchPurpose& purpose) const {
  const std::uint32_t design = placement_of_[f];
  if (design == kNone || settings_->placement_groups[design].strategy != PlacementStrategy::cluster) return 0;
  switch (settings_->placement_scope) {
    case PlacementScope::group:
      return 0;
    case PlacementScope::queue:
      return purpose.queue + 1;
    case PlacementScope::job:
      return purpose.job + 1;
  }
  return 0;
}

// What one node draws does not depend on the others.
Substream Ec2::landing_of(NodeId node) {
  if (landings_.size() <= index(node)) landings_.resize(index(node) + 1);
  return {settings_->seed, Purpose::landing, std::uint64_t{number(node)} << 32 | landings_[index(node)]++};
}

PlacementGroup& Ec2::placement_group(std::uint32_t f, std::uint32_t tag) {
  const std::uint32_t design = placement_of_[f];
  return placement_groups_.try_emplace({design, tag}, settings_->placement_groups[design]).first->second;
}

std::uint32_t Ec2::fabric_for(const std::string& type, const std::string& zone) const {
  const auto found =
      std::find_if(fabrics_.begin(), fabrics_.end(), [&](const Fabric& fabric) { return fabric.is_for(type, zone); });
  return found == fabrics_.end() ? kNone : static_cast<std::uint32_t>(found - fabrics_.begin());
}

std::variant<std::uint32_t, Refusal> Ec2::reservation_for(const Fleet& fleet, const Offer& offer, Time now) const {
  using Kind = CapacityReservation::Kind;
  using Preference = ReservationUse::Preference;
  if (fleet.purchase == Purchase::spot) return kNone;
  const ReservationUse& use = fleet.reservations;
  const Kind kind = fleet.purchase == Purchase::capacity_block  ? Kind::capacity_block
                    : fleet.purchase == Purchase::interruptible ? Kind::interruptible
                                                                : Kind::on_demand;
  const auto first = [&](auto wanted) -> std::uint32_t {
    for (std::uint32_t r = 0; r < settings_->reservations.size(); ++r) {
      const CapacityReservation& each = settings_->reservations[r];
      const bool fits = each.kind == kind && each.instance_type == offer.type.name && each.zone == offer.zone &&
                        each.placement_group == fleet.placement_group && each.active(now) && has_room(r);
      if (fits && wanted(each)) return r;
    }
    return kNone;
  };
  if (!use.id.empty() || kind != Kind::on_demand) {
    const std::uint32_t named = first([&](const CapacityReservation& r) {
      return use.id.empty() ? !use.group.empty() && r.group == use.group : r.id == use.id;
    });
    if (named == kNone) return Refusal::reservation_capacity_exceeded;
    return named;
  }
  if (!use.group.empty()) {
    const std::uint32_t in_group = first([&](const CapacityReservation& r) { return r.group == use.group; });
    if (in_group != kNone) return in_group;
    if (use.preference == Preference::only) return Refusal::reservation_capacity_exceeded;
  }
  if (use.preference == Preference::none) return kNone;
  const std::uint32_t open = first([](const CapacityReservation& r) { return r.open; });
  if (open == kNone && use.preference == Preference::only) return Refusal::insufficient_reserved_instance_capacity;
  return open;
}

// On hardware: no more than it has found so far.
bool Ec2::has_room(std::uint32_t r) const {
  if (reserved_[r].fabric != kNone) return !reserved_[r].idle.empty();
  return filled_[r] < settings_->reservations[r].instances;
}

std::vector<Time> Ec2::terminate(std::span<const NodeShare> nodes, Time now) {
  std::vector<Time> times(nodes.size(), now);
  if (!settings_) return times;
  const Time origin = settings_->origin;
  now -= origin;
  settle(now);
  const std::size_t most =
      terminate_instances_ ? std::min(kMostInRequest, terminate_instances_->most_tokens()) : kMostInRequest;
  for (std::size_t first = 0; first < nodes.size(); first += most) {
    const std::size_t end = std::min(nodes.size(), first + most);
    Time at = now;
    for (const Ec2Settings::BrownOut& b : settings_->brown_outs) {
      if (b.share >= 1 && at >= b.from && at < b.until) at = b.until;
    }
    const auto count = static_cast<std::int64_t>(end - first);
    if (terminate_requests_) at = terminate_requests_->when(1, at);
    if (terminate_instances_) at = terminate_instances_->when(count, at);
    if (at != kNever && terminate_requests_) terminate_requests_->take(1, at);
    if (at != kNever && terminate_instances_) terminate_instances_->take(count, at);
    for (std::size_t i = first; i < end; ++i) {
      Held& instance = held(nodes[i].node);
      ensure(instance.exists, "only an instance that exists is terminated");
      instance.leaves = std::max(at, instance.known);
      if (instance.leaves != kNever) leaving_.emplace(instance.leaves, nodes[i].node);
      times[i] = later(instance.leaves, origin);
    }
  }
  settle(now);
  return times;
}

void Ec2::gone(NodeId node, Time now) {
  if (!settings_) return;
  now -= settings_->origin;
  settle(now);
  if (held(node).exists) release(node, now);
  settle(now);  // its hardware goes to reservations that wait for some, before others come
}

Ec2::Held& Ec2::held(NodeId node) {
  if (held_.size() <= index(node)) held_.resize(index(node) + 1);
  return held_[index(node)];
}

void Ec2::release(NodeId node, Time now, bool undo) {
  Held& instance = held(node);
  const Fleet& fleet = settings_->fleets[instance.fleet];
  const Source& source = sources_[instance.fleet][instance.offer];
  if (instance.reservation == kNone) {
    pools_[source.pool].give_back();
    quota_.give_back(fleet.purchase == Purchase::spot, source.family, source.vcpus);
  } else {
    --filled_[instance.reservation];
  }
  if (undo) {
    quota_.undo_instance();
  } else {
    quota_.give_back_instance(now);
  }
  LeafId leaf = kNoLeaf;
  if (instance.slot != Fabric::kNoSlot) {
    Fabric& fabric = fabrics_[source.fabric];
    leaf = fabric.leaf(instance.slot);
    if (instance.reservation != kNone && !reserved_[instance.reservation].ended) {
      reserved_[instance.reservation].idle.push_back(instance.slot);
    } else if (undo) {
      fabric.undo(instance.slot);
    } else {
      fabric.leave(instance.slot, now);
    }
  }
  if (placement_of_[instance.fleet] != kNone) {
    PlacementGroup& placement = placement_group(instance.fleet, instance.tag);
    placement.remove(fleet.offers[instance.offer].zone, leaf);
    if (placement.empty()) placement_groups_.erase({placement_of_[instance.fleet], instance.tag});
  }
  if (source.subnet != kNone) ++addresses_[source.subnet];
  instance = {};
}

// What happened up to now: instances that were to be terminated, and reservations that began or ended.
void Ec2::settle(Time now) {
  const auto find_all = [&](Time at) {
    for (std::uint32_t r = 0; r < reserved_.size(); ++r) find_missing(r, at);
  };
  while (!turns_.empty() && turns_.back().at <= now) {
    const Turn turn = turns_.back();
    turns_.pop_back();
    leave_until(turn.at);
    find_all(turn.at);
    turn.begins ? begin(turn.reservation, turn.at) : end(turn.reservation);
  }
  leave_until(now);
  find_all(now);
}

void Ec2::leave_until(Time now) {
  while (!leaving_.empty() && leaving_.begin()->first <= now) {
    const auto [time, node] = *leaving_.begin();
    leaving_.erase(leaving_.begin());
    if (held(node).exists && held(node).leaves == time) release(node, time);
  }
}

// Hardware of a reservation inside a placement group is where the group is. A Capacity Block is in one segment, too;
// other reservations are anywhere in their zone.
void Ec2::begin(std::uint32_t r, Time now) {
  Reserved& reserved = reserved_[r];
  Fabric& fabric = fabrics_[reserved.fabric];
  reserved.begun = true;
  std::span<const LeafId> leaves = fabric.leaves();
  if (reserved.placement != kNone) {
    const std::pair<std::uint32_t, std::uint32_t> key{reserved.placement, 0};
    PlacementGroup& group =
        placement_groups_.try_emplace(key, settings_->placement_groups[reserved.placement]).first->second;
    leaves = group.reserve(fabric, now);
  } else if (settings_->reservations[r].kind == CapacityReservation::Kind::capacity_block) {
    leaves = fabric.segment(fabric.roomiest_segment(now));
  }
  reserved.leaves.assign(leaves.begin(), leaves.end());
  find_missing(r, now);
}

// What is not there yet is taken as it comes free: first what others left, in that order; then what we did.
void Ec2::find_missing(std::uint32_t r, Time now) {
  Reserved& reserved = reserved_[r];
  if (!reserved.begun || reserved.ended) return;
  const auto missing = [&] {
    return settings_->reservations[r].instances - filled_[r] - static_cast<std::int64_t>(reserved.idle.size());
  };
  if (missing() <= 0) return;
  Fabric& fabric = fabrics_[reserved.fabric];
  const std::vector<Fabric::Slot> vacated =
      fabric.take_vacated(reserved.leaves, static_cast<std::size_t>(missing()), now);
  reserved.idle.insert(reserved.idle.end(), vacated.begin(), vacated.end());
  while (missing() > 0) {
    constexpr std::uint64_t kOfReservation = std::uint64_t{1} << 63;  // no node has such a number
    Substream draw(settings_->seed, Purpose::landing, kOfReservation | std::uint64_t{r} << 32 | reserved.searches++);
    const Fabric::Slot slot = fabric.find(reserved.leaves, now, draw);
    if (slot == Fabric::kNoSlot) return;
    fabric.take(slot, now);
    reserved.idle.push_back(slot);
  }
}

// What is left in an On-Demand Capacity Reservation runs on as if it had been launched without.
void Ec2::end(std::uint32_t r) {
  const CapacityReservation& reservation = settings_->reservations[r];
  Reserved& reserved = reserved_[r];
  reserved.ended = true;
  for (const Fabric::Slot slot : reserved.idle) fabrics_[reserved.fabric].leave(slot, reservation.end);
  reserved.idle.clear();
  if (reserved.begun && reserved.placement != kNone) {
    const std::pair<std::uint32_t, std::uint32_t> key{reserved.placement, 0};
    PlacementGroup& group = placement_groups_.at(key);
    group.end_reservation();
    if (group.empty()) placement_groups_.erase(key);
  }
  if (reservation.kind == CapacityReservation::Kind::capacity_block) return;
  quota_.give_back(false, quota_family(reservation.instance_type), reservation.instances * reservation.vcpus);
  if (reservation.kind != CapacityReservation::Kind::on_demand) return;
  for (Held& instance : held_) {
    if (!instance.exists || instance.reservation != r) continue;
    const Source& source = sources_[instance.fleet][instance.offer];
    instance.reservation = kNone;
    --filled_[r];
    pools_[source.pool].take();
    quota_.take(false, source.family, source.vcpus);
  }
}

}  // namespace headroom
