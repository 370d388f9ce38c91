// A placement group: where EC2 puts the instances that are launched into it (PCS-55; ec2.md 8). Hides which of the
// hardware it has taken. A cluster is below one network node, chosen for its first instance and kept until it is empty;
// partitions have no last network node in common; instances that are spread have one each. Where the hardware is not
// known (no Fabric), only zones and numbers count.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/cloud/fabric.hpp"

namespace headroom {

enum class PlacementStrategy : std::uint8_t { cluster, partition, spread };

struct PlacementGroupDesign {
  std::string name;
  PlacementStrategy strategy = PlacementStrategy::cluster;
  std::int32_t partitions = 7;                // of strategy partition
  std::optional<std::int64_t> capacity = {};  // of strategy cluster: instances that it holds; AWS publishes none
};

// Which launches share a cluster placement group: those that name it in their launch templates (PCS), of these the ones
// for jobs of one queue (as AWS ParallelCluster has it), or for one job (as SOCA has it).
enum class PlacementScope : std::uint8_t { group, queue, job };

class PlacementGroup {
 public:
  static constexpr std::int64_t kSpreadPerZone = 7;

  explicit PlacementGroup(const PlacementGroupDesign& design) : design_(&design) {}

  const PlacementGroupDesign& design() const { return *design_; }
  bool empty() const { return in_zone_.empty() && reservations_ == 0; }

  // Whether one more instance may be in that zone. Partitions hold any number of instances, as EC2's do: only their own
  // number is limited, and the scenario's reader sees to that.
  bool fits(const std::string& zone) const;
  // Where on the fabric the next instance goes; kNoSlot: there is no room.
  struct Landing {
    Fabric::Slot slot = Fabric::kNoSlot;
    std::int32_t partition = 0;
  };
  Landing find(Fabric& fabric, Time now, Substream& draw) const;

  // An instance came or went; null and kNoLeaf: its hardware is not known.
  void add(const std::string& zone, const Fabric* fabric = nullptr, LeafId leaf = kNoLeaf, std::int32_t partition = 0);
  void remove(const std::string& zone, LeafId leaf = kNoLeaf);

  // A reservation inside a cluster placement group keeps the group where it is. The leaves on which it has to be; none:
  // the group is on other hardware already.
  std::span<const LeafId> reserve(Fabric& fabric, Time now);
  void end_reservation();

 private:
  struct Use {
    std::int64_t instances = 0;
    std::int32_t partition = 0;
  };
  Fabric::Slot find_in_cluster(Fabric& fabric, Time now, Substream& draw) const;
  Landing find_in_partitions(Fabric& fabric, Time now, Substream& draw) const;
  std::vector<LeafId> unused_leaves(const Fabric& fabric) const;

  const PlacementGroupDesign* design_;           // outlives it
  std::map<std::string, std::int64_t> in_zone_;  // instances; no zone without any
  std::map<LeafId, Use> leaves_;                 // those it has instances on
  std::int64_t reservations_ = 0;                // that are active
  std::optional<LeafId> home_;                   // the first leaf of its segment, of a cluster that is not empty
};

}  // namespace headroom
