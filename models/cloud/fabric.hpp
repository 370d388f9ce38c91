// The hardware that instances of some types land on in one zone: a tree of network nodes with slots on the last of
// them, most of which others hold. Hides who holds which slot when. AWS publishes nothing of this kind, so all of it is
// a model with parameters (docs/network.md). Promises: what others want of a slot depends on the seed and the slot
// alone, however often anybody looks, and a look costs the same after an hour or a year; others never take what is
// ours. Times count from the run's start, and those of calls never go back.
#pragma once

#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/topology.hpp"
#include "models/random.hpp"

namespace headroom {

struct FabricDesign {
  enum class Fill : std::uint8_t { random, packed };
  std::string instance_type = "*";        // "hpc6a.48xlarge", "hpc6a.*" or "*"
  std::string zone = {};                  // empty: each zone has one of its own
  std::vector<std::int32_t> layers = {};  // network nodes below each node of the layer above, the zone being the first
  std::int32_t slots_per_leaf = 1;        // instances that a last network node takes
  double occupied = 0;                    // share of the slots that others hold, in the long run
  double correlation = 0;   // of two slots of one leaf: 0: all leaves are alike; 1: each is all free or all taken
  Time hold_time = kNever;  // for how long others keep a slot, on average
  std::int32_t segment_layer = 1;  // a cluster placement group is below one node of this layer, counted from 1
  Fill fill = Fill::random;        // over which of its free slots a cluster placement group spreads

  std::int64_t leaf_count() const;
};

// A design in one zone, and where its leaves are in the topology.
struct FabricSite {
  FabricDesign design;
  std::string zone;
  std::uint32_t number = 0;  // of the design among all
  LeafId first_leaf{0};
};

// The sites of the designs in those zones, and the tree of all of them below the region; null where there is no site.
struct FabricPlan {
  std::vector<FabricSite> sites;
  std::shared_ptr<const NetworkTopology> topology;
};
FabricPlan plan_fabrics(const std::string& region, const std::vector<std::string>& zones,
                        const std::vector<FabricDesign>& designs);

class Fabric {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot kNoSlot = ~0u;

  Fabric(const FabricSite& site, std::uint64_t seed);

  bool is_for(const std::string& type, const std::string& zone) const;
  FabricDesign::Fill fill() const { return site_.design.fill; }

  std::span<const LeafId> leaves() const { return leaves_; }
  bool has(LeafId leaf) const { return leaf >= leaves_.front() && leaf <= leaves_.back(); }
  // Those below one network node of the segment layer.
  std::span<const LeafId> segment(std::uint32_t number) const;
  std::span<const LeafId> segment_of(LeafId leaf) const { return segment(local(leaf) / leaves_per_segment_); }
  std::uint32_t segment_count() const;
  // The one with most free slots, the first of equals.
  std::uint32_t roomiest_segment(Time now);

  LeafId leaf(Slot slot) const;
  std::int64_t free_slots(std::span<const LeafId> leaves, Time now);
  // A free slot on these leaves, any of them alike; kNoSlot: there is none.
  Slot find(std::span<const LeafId> leaves, Time now, Substream& draw);

  // The slot is ours, from now until it is left. It was free.
  void take(Slot slot, Time now);
  void leave(Slot slot, Time now);
  // What was taken at this very time was not: nothing has changed.
  void undo(Slot slot);
  // Takes up to `count` slots of these leaves in the order in which others left them since anybody looked, each at that
  // time. Those that are free for longer are not among them.
  std::vector<Slot> take_vacated(std::span<const LeafId> leaves, std::size_t count, Time now);

 private:
  // Others hold a slot, or do not, as a Markov process in continuous time: made of two Poisson processes, at whose
  // times others leave it, or take it. Its state is what the last of both did; who leaves a free slot, or takes a held
  // one, changes nothing. Nor do those while the slot is ours, and it is free until others take it after that.
  static constexpr Time kNotYet = std::numeric_limits<Time>::min();
  struct Place {
    std::uint64_t key = 0;
    Time left = kNotYet;   // when we left it
    Time until = kNotYet;  // its state is known up to then
    bool others = false;
    bool ours = false;
  };
  enum Draw : std::uint8_t { left_free, taken };
  // The share of a leaf that others hold, and the mean times between draws of each kind; 0: nothing ever changes.
  struct Law {
    double occupied = 0;
    Time cell[2] = {0, 0};
  };

  bool free(Slot slot, Time now);
  // Times of the draws of one kind in one cell of time, as long as the mean time between two; in order.
  void draws_in(Slot slot, Draw kind, std::int64_t cell);
  Time last_draw(Slot slot, Draw kind, Time now);  // not after `now`
  Time next_draw(Slot slot, Draw kind, Time after);
  std::uint32_t local(LeafId leaf) const { return number(leaf) - number(site_.first_leaf); }

  FabricSite site_;
  std::uint32_t slots_per_leaf_;
  std::uint32_t leaves_per_segment_;
  std::vector<LeafId> leaves_;
  std::vector<Law> laws_;      // by leaf
  std::vector<Place> places_;  // by slot: those of a leaf are neighbours
  std::vector<Slot> found_;
  std::vector<Time> draws_;
};

}  // namespace headroom
