#include "models/cloud/fabric.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/cloud/capacity_pool.hpp"

namespace headroom {
namespace {

constexpr int kGuesses = 32;  // before all slots are looked at

std::int64_t cell_of(Time time, Time cell) { return time / cell - (time % cell < 0 ? 1 : 0); }

// Poisson with mean 1, by inversion.
int poisson(Substream& draw) {
  const double u = draw.uniform();
  double term = 0.36787944117144233;  // exp(-1)
  double sum = term;
  int count = 0;
  while (u >= sum && count < 20) {
    ++count;
    term /= count;
    sum += term;
  }
  return count;
}

// Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 2000; below shape 1 by their power of
// a uniform draw.
double gamma(double shape, Substream& draw) {
  if (shape < 1) {
    const double u = 1.0 - draw.uniform();
    return gamma(shape + 1, draw) * std::pow(u, 1.0 / shape);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1.0 / std::sqrt(9 * d);
  for (;;) {
    const double x = draw.normal();
    const double v = (1 + c * x) * (1 + c * x) * (1 + c * x);
    const double u = 1.0 - draw.uniform();
    if (v > 0 && std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

// The share of one leaf's slots that others hold: a Beta law with that mean, whose draws give two slots of one leaf
// that correlation.
double share_of_leaf(double mean, double correlation, Substream& draw) {
  if (correlation <= 0 || mean <= 0 || mean >= 1) return mean;
  if (correlation >= 1) return draw.uniform() < mean ? 1 : 0;
  const double weight = (1 - correlation) / correlation;
  const double held = gamma(mean * weight, draw);
  const double free = gamma((1 - mean) * weight, draw);
  // Both so small that nothing is left of them: as good as all or nothing.
  if (!(held + free > 0)) return draw.uniform() < mean ? 1 : 0;
  return held / (held + free);
}

}  // namespace

std::int64_t FabricDesign::leaf_count() const {
  return std::accumulate(layers.begin(), layers.end(), std::int64_t{1}, std::multiplies<>());
}

FabricPlan plan_fabrics(const std::string& region, const std::vector<std::string>& zones,
                        const std::vector<FabricDesign>& designs) {
  FabricPlan plan;
  std::vector<NetworkNode> nodes = {{region, NetworkNode::kRoot}};
  std::uint32_t leaves = 0;
  for (const std::string& zone : zones) {
    std::uint32_t zone_node = NetworkNode::kRoot;
    std::int32_t tops = 0;  // network nodes of the first layer so far: designs of one zone are neighbours
    for (std::uint32_t d = 0; d < designs.size(); ++d) {
      const FabricDesign& design = designs[d];
      if (!design.zone.empty() && design.zone != zone) continue;
      if (zone_node == NetworkNode::kRoot) {
        zone_node = static_cast<std::uint32_t>(nodes.size());
        nodes.push_back({zone, 0});
      }
      plan.sites.push_back({design, zone, d, LeafId{leaves}});
      leaves += static_cast<std::uint32_t>(design.leaf_count());
      // One layer after the other. Leaves get their numbers in depth-first order, which is that of each layer.
      std::vector<std::uint32_t> above = {zone_node};
      for (std::size_t layer = 0; layer < design.layers.size(); ++layer) {
        std::vector<std::uint32_t> below;
        for (const std::uint32_t parent : above) {
          const std::string prefix = (layer == 0 ? "nn-" + zone : nodes[parent].name) + "-";
          const std::int32_t first = layer == 0 ? tops : 0;
          for (std::int32_t n = 1; n <= design.layers[layer]; ++n) {
            below.push_back(static_cast<std::uint32_t>(nodes.size()));
            nodes.push_back({prefix + std::to_string(first + n), parent});
          }
        }
        above = std::move(below);
      }
      tops += design.layers.front();
    }
  }
  if (!plan.sites.empty()) plan.topology = std::make_shared<const NetworkTopology>(std::move(nodes));
  return plan;
}

Fabric::Fabric(const FabricSite& site, std::uint64_t seed)
    : site_(site), slots_per_leaf_(static_cast<std::uint32_t>(site.design.slots_per_leaf)) {
  const FabricDesign& design = site.design;
  const auto leaves = static_cast<std::uint32_t>(design.leaf_count());
  const auto below = design.layers.begin() + design.segment_layer;
  leaves_per_segment_ =
      static_cast<std::uint32_t>(std::accumulate(below, design.layers.end(), std::int64_t{1}, std::multiplies<>()));
  // Which substreams it has must not depend on the other fabrics.
  const std::uint64_t name = name_number(std::to_string(site.number) + "/" + site.zone);
  places_.reserve(std::size_t{leaves} * slots_per_leaf_);
  for (std::uint32_t l = 0; l < leaves; ++l) {
    const LeafId leaf{number(site.first_leaf) + l};
    leaves_.push_back(leaf);
    Substream of_leaf(seed, Purpose::fabric_leaf, name + l);
    Law& law = laws_.emplace_back();
    law.occupied = share_of_leaf(design.occupied, design.correlation, of_leaf);
    // Held for `hold` in the mean, free for hold (1 - p) / p.
    if (design.hold_time != kNever && law.occupied > 0 && law.occupied < 1) {
      constexpr double kMost = 1e17;  // us: three thousand years
      const double free_for = static_cast<double>(design.hold_time) * (1 - law.occupied) / law.occupied;
      law.cell[left_free] = design.hold_time;
      law.cell[taken] = std::max<Time>(kSecond, std::llround(std::min(free_for, kMost)));
    }
    for (std::uint32_t s = 0; s < slots_per_leaf_; ++s) {
      Substream of_slot(seed, Purpose::fabric_slot, name + places_.size());
      Place& place = places_.emplace_back();
      place.key = of_slot.next();
      if (law.cell[left_free] > 0) continue;
      place.others = of_slot.uniform() < law.occupied;
      place.until = kNever;
    }
  }
}

bool Fabric::is_for(const std::string& type, const std::string& zone) const {
  return zone == site_.zone && matches_type(site_.design.instance_type, type);
}

std::span<const LeafId> Fabric::segment(std::uint32_t number) const {
  return leaves().subspan(std::size_t{number} * leaves_per_segment_, leaves_per_segment_);
}

std::uint32_t Fabric::segment_count() const { return static_cast<std::uint32_t>(leaves_.size()) / leaves_per_segment_; }

std::uint32_t Fabric::roomiest_segment(Time now) {
  std::uint32_t best = 0;
  std::int64_t most = -1;
  for (std::uint32_t s = 0; s < segment_count(); ++s) {
    const std::int64_t here = free_slots(segment(s), now);
    if (here > most) best = s;
    most = std::max(most, here);
  }
  return best;
}

LeafId Fabric::leaf(Slot slot) const { return leaves_[slot / slots_per_leaf_]; }

void Fabric::draws_in(Slot slot, Draw kind, std::int64_t cell) {
  const Time width = laws_[slot / slots_per_leaf_].cell[kind];
  Substream stream(places_[slot].key, Purpose::fabric_slot, static_cast<std::uint64_t>(cell) << 1 | kind);
  draws_.resize(static_cast<std::size_t>(poisson(stream)));
  for (Time& at : draws_) at = cell * width + static_cast<Time>(stream.below(static_cast<std::uint64_t>(width)));
  std::sort(draws_.begin(), draws_.end());
}

Time Fabric::last_draw(Slot slot, Draw kind, Time now) {
  for (std::int64_t cell = cell_of(now, laws_[slot / slots_per_leaf_].cell[kind]);; --cell) {
    draws_in(slot, kind, cell);
    const auto after = std::upper_bound(draws_.begin(), draws_.end(), now);
    if (after != draws_.begin()) return *std::prev(after);
  }
}

Time Fabric::next_draw(Slot slot, Draw kind, Time after) {
  for (std::int64_t cell = cell_of(after, laws_[slot / slots_per_leaf_].cell[kind]);; ++cell) {
    draws_in(slot, kind, cell);
    const auto found = std::upper_bound(draws_.begin(), draws_.end(), after);
    if (found != draws_.end()) return *found;
  }
}

bool Fabric::free(Slot slot, Time now) {
  Place& place = places_[slot];
  if (place.ours) return false;
  if (place.until <= now) {
    place.others = last_draw(slot, taken, now) > std::max(place.left, last_draw(slot, left_free, now));
    place.until = next_draw(slot, place.others ? left_free : taken, now);
  }
  return !place.others;
}

std::int64_t Fabric::free_slots(std::span<const LeafId> leaves, Time now) {
  std::int64_t count = 0;
  for (const LeafId leaf : leaves) {
    const Slot first = local(leaf) * slots_per_leaf_;
    for (Slot slot = first; slot < first + slots_per_leaf_; ++slot) count += free(slot, now) ? 1 : 0;
  }
  return count;
}

Fabric::Slot Fabric::find(std::span<const LeafId> leaves, Time now, Substream& draw) {
  const std::uint64_t slots = std::uint64_t{leaves.size()} * slots_per_leaf_;
  if (slots == 0) return kNoSlot;
  // The first of some guesses that is free: what happens to other slots changes little of that.
  for (int guess = 0; guess < kGuesses; ++guess) {
    const std::uint64_t drawn = draw.below(slots);
    const Slot slot =
        local(leaves[drawn / slots_per_leaf_]) * slots_per_leaf_ + static_cast<Slot>(drawn % slots_per_leaf_);
    if (free(slot, now)) return slot;
  }
  found_.clear();
  for (const LeafId leaf : leaves) {
    const Slot first = local(leaf) * slots_per_leaf_;
    for (Slot slot = first; slot < first + slots_per_leaf_; ++slot) {
      if (free(slot, now)) found_.push_back(slot);
    }
  }
  return found_.empty() ? kNoSlot : found_[draw.below(found_.size())];
}

void Fabric::take(Slot slot, Time now) {
  ensure(free(slot, now), "only a free slot is taken");
  places_[slot].ours = true;
}

void Fabric::leave(Slot slot, Time now) {
  Place& place = places_[slot];
  ensure(place.ours, "only a slot that is ours is left");
  place.ours = false;
  place.left = now;
  if (laws_[slot / slots_per_leaf_].cell[taken] > 0) place.until = next_draw(slot, taken, now);
}

void Fabric::undo(Slot slot) {
  ensure(places_[slot].ours, "only a slot that is ours is given back");
  places_[slot].ours = false;
}

std::vector<Fabric::Slot> Fabric::take_vacated(std::span<const LeafId> leaves, std::size_t count, Time now) {
  std::vector<std::pair<Time, Slot>> vacated;
  for (const LeafId leaf : leaves) {
    const Slot first = local(leaf) * slots_per_leaf_;
    for (Slot slot = first; slot < first + slots_per_leaf_; ++slot) {
      const Place& place = places_[slot];
      if (place.ours || !place.others) continue;
      const Time at = place.until;  // others leave it then
      if (at <= now && free(slot, at)) vacated.emplace_back(at, slot);
    }
  }
  std::sort(vacated.begin(), vacated.end());
  vacated.resize(std::min(count, vacated.size()));
  std::vector<Slot> slots;
  for (const auto& [time, slot] : vacated) {
    places_[slot].ours = true;
    slots.push_back(slot);
  }
  return slots;
}

}  // namespace headroom
