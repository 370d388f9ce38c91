// How jobs communicate, and what that takes where their nodes are. Each pattern is a closed form over hops between
// last network nodes; no message is simulated. Hides how pairs are counted: by network nodes, not by instances, so
// that a start costs O(nodes x log nodes + network nodes^2) (docs/network.md).
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/topology.hpp"
#include "models/network/link_model.hpp"

namespace headroom {

enum class Pattern : std::uint8_t {
  none,
  latency,     // small messages to neighbours, all wait for all: the slowest pair counts
  bandwidth,   // halo exchange: half by the mean pair, half by the slowest
  allreduce,   // recursive doubling; long messages: Rabenseifner's reduce-scatter and allgather
  all_to_all,  // each node with each other one, one after the other
};
inline constexpr std::string_view kPatternNames[] = {"none", "latency", "bandwidth", "allreduce", "all-to-all"};

struct CommunicationProfile {
  std::string name;  // for reports
  Pattern pattern = Pattern::none;
  double share = 0;                 // of the run time, at the reference placement
  std::int64_t message_bytes = 8;   // of one rank's message
  std::int32_t ranks_per_node = 1;  // that communicate at the same time
  auto operator<=>(const CommunicationProfile&) const = default;
};

// What messages between the nodes of one job take.
struct Way {
  std::vector<const Link*> links = {};  // of the types of its nodes; the slowest counts
  const Link* shm = nullptr;            // within a node
  double flow_gb_s = 0;                 // one flow gets no more; 0: no limit
  double uplink = 1;                    // oversubscription above the last network nodes
  double between_zones_us = 0;

  // Until the ranks of a node have exchanged a message of so many bytes with those of another node, one each.
  double exchange_us(std::int64_t bytes, std::int32_t ranks, std::int32_t hops, bool between_zones) const;
};

// Where the nodes of one job are, in the order of its node list. Pairs of which one's leaf is not known count as if on
// one last network node: what is not known has no effect.
struct JobNodes {
  const NetworkTopology* topology = nullptr;  // null: no leaf is known
  std::span<const LeafId> leaves;             // of each node
  std::span<const std::uint32_t> zones;       // of each node; equal numbers: the same zone
};

// One round of the profile's pattern. 0 for a single node whose ranks have nothing to say to each other.
double communication_us(const CommunicationProfile& profile, const Way& way, const JobNodes& nodes);

// The same on `nodes` nodes of one last network node.
double reference_us(const CommunicationProfile& profile, const Way& way, std::size_t nodes);

}  // namespace headroom
