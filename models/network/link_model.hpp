// What one message between two nodes takes. Hockney's model, latency + bytes / bandwidth (Hockney, Parallel Computing
// 20(3), 1994), in pieces where protocols switch, plus a time for each hop beyond the two of one last network node.
// Where an interface is shared, LogGP's gaps (Alexandrov, Ionescu, Schauser, Scheiman, SPAA 1995): between messages
// (g) and between bytes (G). Hides the table of defaults, each with its source; promises plain IEEE + - * /, so that
// every compiler gets the same numbers.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/cloud/catalog.hpp"

namespace headroom {

enum class Transport : std::uint8_t { efa, tcp, shm };
inline constexpr std::size_t kTransports = 3;
std::string_view transport_name(Transport transport);
std::optional<Transport> transport_named(std::string_view name);

// Of messages up to so many bytes. GB are 10^9 bytes.
struct LinkSegment {
  std::int64_t up_to = std::numeric_limits<std::int64_t>::max();
  double latency_us = 0;
  double bandwidth_gb_s = 1;
  bool operator==(const LinkSegment&) const = default;
};

struct Link {
  std::vector<LinkSegment> segments;  // by `up_to`; the last one has no bound
  double per_hop_us = 0;              // for each hop beyond 2
  double gap_us = 0;                  // LogGP's g, of one interface
  double streaming_gb_s = 0;          // 1 / G: what an interface sends when messages follow one another
  std::string source;                 // where the numbers are from, and what of them is inferred
  bool operator==(const Link&) const = default;

  // One message, one way. `hops` as NetworkTopology::hops.
  double one_way_us(std::int64_t bytes, std::int32_t hops) const;
  // The interface is busy with it before it takes the next one.
  double busy_us(std::int64_t bytes) const { return gap_us + static_cast<double>(bytes) / (streaming_gb_s * 1e3); }
};

// 13 us at 2 hops and 15.7 at 4, by the shares of the two modes among 243 pairs of hpc6a (boot-times 5b). That further
// layers cost the same, and other types too, is inferred.
inline constexpr double kPerHop = 1.35;  // us
// hpc6a streams 12.04 GB/s of large messages, and 5.8 of 8 KB ones: 8192 B in 1.412 us, of which 0.680 for the bytes.
inline constexpr double kGap = 0.73;  // us

// One TCP flow gets 10 Gb/s inside a cluster placement group and 5 Gb/s outside (EC2 User Guide, placement strategies).
// Of the 10, 1.18 GB/s arrive (aws-mpi-benchmark 3d6207f, c5n.18xlarge, osu_bw); of the 5, the same share: inferred.
inline constexpr double kFlowInGroup = 1.18;  // GB/s
inline constexpr double kFlowOutside = 0.59;

// What a scenario says of it (network.model): over the defaults.
struct NetworkModelOptions {
  using Links = std::array<std::optional<Link>, kTransports>;
  Links general;                       // of types that `types` does not name
  std::map<std::string, Links> types;  // by instance type
  // Oversubscription of the links above a last network node: 1 is full bisection, which AWS promises within a cluster
  // placement group (ec2.md 8); that it holds elsewhere is inferred.
  double uplink = 1;
  // One way, between Availability Zones. 1 MB between two p3dn.24xlarge took 454 us, and 636 across zones
  // (performance-study, EKS): the difference; that it is all latency is inferred.
  double between_zones_us = 182;
};

class LinkModel {
 public:
  explicit LinkModel(NetworkModelOptions options = {}) : options_(std::move(options)) {}

  // What the scenario says of the type, else what it says of all, else the default of the type, else that of all. Where
  // it gives no streaming bandwidth, the type's line rate is taken.
  Link link(const InstanceType& type, Transport transport) const;


 private:
  NetworkModelOptions options_;
};

// The defaults, for documentation and tests: an empty type is every other one.
struct DefaultLink {
  std::string_view type;
  Transport transport;
  Link link;
};
const std::vector<DefaultLink>& default_links();

}  // namespace headroom
