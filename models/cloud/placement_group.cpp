#include "models/cloud/placement_group.hpp"

#include <algorithm>
#include <tuple>

namespace headroom {

bool PlacementGroup::fits(const std::string& zone) const {
  const auto held = in_zone_.find(zone);
  const std::int64_t here = held == in_zone_.end() ? 0 : held->second;
  switch (design_->strategy) {
    case PlacementStrategy::cluster: {
      const bool elsewhere = in_zone_.size() > in_zone_.count(zone);
      return !elsewhere && (!design_->capacity || here < *design_->capacity);
    }
    case PlacementStrategy::partition:
      return true;
    case PlacementStrategy::spread:
      return here < kSpreadPerZone;
  }
  return true;
}

PlacementGroup::Landing PlacementGroup::find(Fabric& fabric, Time now, Substream& draw) const {
  switch (design_->strategy) {
    case PlacementStrategy::cluster:
      return {find_in_cluster(fabric, now, draw)};
    case PlacementStrategy::partition:
      return find_in_partitions(fabric, now, draw);
    case PlacementStrategy::spread:
      return {fabric.find(unused_leaves(fabric), now, draw)};
  }
  return {};
}

Fabric::Slot PlacementGroup::find_in_cluster(Fabric& fabric, Time now, Substream& draw) const {
  if (home_ && !fabric.has(*home_)) return Fabric::kNoSlot;
  const std::span<const LeafId> home = home_ ? fabric.segment_of(*home_) : fabric.segment(fabric.roomiest_segment(now));
  if (fabric.fill() == FabricDesign::Fill::random) return fabric.find(home, now, draw);
  // Packed: where it has most instances already, else where there is most room.
  std::size_t best = home.size();
  std::tuple<std::int64_t, std::int64_t> most;
  for (std::size_t l = 0; l < home.size(); ++l) {
    const std::int64_t room = fabric.free_slots(home.subspan(l, 1), now);
    if (room == 0) continue;
    const auto used = leaves_.find(home[l]);
    const std::tuple worth(used == leaves_.end() ? 0 : used->second.instances, room);
    if (best == home.size() || worth > most) {
      best = l;
      most = worth;
    }
  }
  return best == home.size() ? Fabric::kNoSlot : fabric.find(home.subspan(best, 1), now, draw);
}

// The partition with the fewest instances goes first (EC2 distributes evenly); it takes a further leaf when its own are
// full.
PlacementGroup::Landing PlacementGroup::find_in_partitions(Fabric& fabric, Time now, Substream& draw) const {
  struct Partition {
    std::int64_t instances = 0;
    std::int32_t number = 0;
    std::vector<LeafId> leaves = {};
  };
  std::vector<Partition> partitions(static_cast<std::size_t>(design_->partitions));
  for (std::size_t p = 0; p < partitions.size(); ++p) partitions[p].number = static_cast<std::int32_t>(p);
  for (const auto& [leaf, use] : leaves_) {
    if (!fabric.has(leaf)) continue;
    Partition& partition = partitions[static_cast<std::size_t>(use.partition)];
    partition.instances += use.instances;
    partition.leaves.push_back(leaf);
  }
  std::stable_sort(partitions.begin(), partitions.end(),
                   [](const Partition& a, const Partition& b) { return a.instances < b.instances; });
  const std::vector<LeafId> unused = unused_leaves(fabric);
  for (const Partition& partition : partitions) {
    Fabric::Slot slot = fabric.find(partition.leaves, now, draw);
    if (slot == Fabric::kNoSlot) slot = fabric.find(unused, now, draw);
    if (slot != Fabric::kNoSlot) return {slot, partition.number};
  }
  return {};
}

std::vector<LeafId> PlacementGroup::unused_leaves(const Fabric& fabric) const {
  std::vector<LeafId> unused;
  for (const LeafId leaf : fabric.leaves()) {
    if (leaves_.count(leaf) == 0) unused.push_back(leaf);
  }
  return unused;
}

void PlacementGroup::add(const std::string& zone, const Fabric* fabric, LeafId leaf, std::int32_t partition) {
  ++in_zone_[zone];
  if (fabric == nullptr) return;
  Use& use = leaves_[leaf];
  ensure(use.instances == 0 || design_->strategy != PlacementStrategy::spread,
         "instances that are spread share no leaf");
  ensure(use.instances == 0 || use.partition == partition, "partitions share no leaf");
  ++use.instances;
  use.partition = partition;
  if (design_->strategy != PlacementStrategy::cluster) return;
  const LeafId home = fabric->segment_of(leaf).front();
  ensure(!home_ || *home_ == home, "a cluster is below one network node");
  home_ = home;
}

void PlacementGroup::remove(const std::string& zone, LeafId leaf) {
  if (--in_zone_[zone] == 0) in_zone_.erase(zone);
  if (leaf != kNoLeaf && --leaves_[leaf].instances == 0) leaves_.erase(leaf);
  if (empty()) home_.reset();
}

std::span<const LeafId> PlacementGroup::reserve(Fabric& fabric, Time now) {
  ++reservations_;
  if (!home_) home_ = fabric.segment(fabric.roomiest_segment(now)).front();
  return fabric.has(*home_) ? fabric.segment_of(*home_) : std::span<const LeafId>();
}

void PlacementGroup::end_reservation() {
  --reservations_;
  if (empty()) home_.reset();
}

}  // namespace headroom
