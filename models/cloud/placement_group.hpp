// A placement group: where EC2 puts the instances that are launched into it (PCS-55).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "engine/types.hpp"

namespace headroom {

enum class PlacementStrategy : std::uint8_t { cluster, partition, spread };

struct PlacementGroupDesign {
  std::string name;
  PlacementStrategy strategy = PlacementStrategy::cluster;
  std::int32_t partitions = 7;                // of strategy partition
  std::optional<std::int64_t> capacity = {};  // of strategy cluster: instances that it holds; AWS publishes none
};

class PlacementGroup {
 public:
  static constexpr std::int64_t kSpreadPerZone = 7;

  explicit PlacementGroup(const PlacementGroupDesign& design) : design_(&design) {}

  // Whether one more instance fits, in that zone. Partitions hold any number of instances, as EC2's do: only their own
  // number is limited, and the scenario's reader sees to that.
  bool fits(const std::string& zone) const {
    switch (design_->strategy) {
      case PlacementStrategy::cluster: {
        const bool elsewhere = in_zone_.size() > in_zone_.count(zone);
        const auto held = in_zone_.find(zone);
        return !elsewhere && (!design_->capacity || (held == in_zone_.end() ? 0 : held->second) < *design_->capacity);
      }
      case PlacementStrategy::partition:
        return true;
      case PlacementStrategy::spread: {
        const auto held = in_zone_.find(zone);
        return held == in_zone_.end() || held->second < kSpreadPerZone;
      }
    }
    return true;
  }
  void add(const std::string& zone) { ++in_zone_[zone]; }
  void remove(const std::string& zone) {
    if (--in_zone_[zone] == 0) in_zone_.erase(zone);
  }
  const PlacementGroupDesign& design() const { return *design_; }

 private:
  const PlacementGroupDesign* design_;           // outlives it
  std::map<std::string, std::int64_t> in_zone_;  // instances; no zone without any
};

}  // namespace headroom
