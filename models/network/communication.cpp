#include "models/network/communication.hpp"

#include <algorithm>
#include <bit>
#include <tuple>

namespace headroom {
namespace {

// MPICH's switch from recursive doubling (Thakur, Rabenseifner, Gropp, IJHPCA 19(1), 2005).
constexpr std::int64_t kLongAllreduce = 2048;

constexpr std::int32_t kNearest = 2;  // hops on one last network node

// Nodes on one leaf, in one zone.
struct Cell {
  LeafId leaf;
  std::uint32_t zone;
  std::int64_t nodes;
};

std::int32_t hops_between(const NetworkTopology* topology, LeafId a, LeafId b) {
  return topology == nullptr || a == kNoLeaf || b == kNoLeaf ? kNearest : topology->hops(a, b);
}

std::vector<Cell> cells_of(const JobNodes& nodes) {
  std::vector<Cell> cells;
  cells.reserve(nodes.leaves.size());
  for (std::size_t n = 0; n < nodes.leaves.size(); ++n) cells.push_back({nodes.leaves[n], nodes.zones[n], 1});
  const auto key = [](const Cell& c) { return std::tuple(c.zone, c.leaf); };
  std::sort(cells.begin(), cells.end(), [&](const Cell& a, const Cell& b) { return key(a) < key(b); });
  std::size_t kept = 0;
  for (std::size_t c = 1; c < cells.size(); ++c) {
    if (key(cells[c]) == key(cells[kept])) {
      ++cells[kept].nodes;
    } else {
      cells[++kept] = cells[c];
    }
  }
  cells.resize(cells.empty() ? 0 : kept + 1);
  return cells;
}

// Times of one exchange by the hops between two nodes: few values, asked for again and again.
class ExchangeTimes {
 public:
  ExchangeTimes(const Way& way, std::int64_t bytes, std::int32_t ranks) : way_(&way), bytes_(bytes), ranks_(ranks) {}

  double at(std::int32_t hops, bool between_zones) {
    const std::size_t i = static_cast<std::size_t>(hops) + (between_zones ? 1 : 0);  // hops are even
    if (i >= known_.size()) known_.resize(i + 1, -1);
    if (known_[i] < 0) known_[i] = way_->exchange_us(bytes_, ranks_, hops, between_zones);
    return known_[i];
  }

 private:
  const Way* way_;
  std::int64_t bytes_;
  std::int32_t ranks_;
  std::vector<double> known_;
};

class Rounds {
 public:
  Rounds(const CommunicationProfile& profile, const Way& way, const JobNodes& nodes)
      : profile_(profile), way_(way), nodes_(nodes) {}

  double slowest() {
    double most = 0;
    each_pair([&](std::int64_t, double time) { most = std::max(most, time); });
    return most;
  }

  double mean_and_slowest() {
    // Sums are of what pairs take beyond the nearest ones, so that a placement without any is exactly the reference.
    const double nearest = way_.exchange_us(profile_.message_bytes, profile_.ranks_per_node, kNearest, false);
    double beyond = 0;
    double most = 0;
    std::int64_t pairs = 0;
    each_pair([&](std::int64_t count, double time) {
      beyond += static_cast<double>(count) * (time - nearest);
      pairs += count;
      most = std::max(most, time - nearest);
    });
    return nearest + (beyond / static_cast<double>(pairs) + most) / 2;
  }

  // Each node has its rounds one after the other; the slowest node counts. Each rank has something for each rank, so
  // two nodes meet once for each rank of one.
  double all_to_all() {
    const std::vector<Cell> cells = cells_of(nodes_);
    ExchangeTimes times(way_, profile_.message_bytes, profile_.ranks_per_node);
    const double nearest = times.at(kNearest, false);
    double most = 0;
    for (const Cell& from : cells) {
      double beyond = 0;
      for (const Cell& to : cells) {
        const std::int64_t partners = to.nodes - (&from == &to ? 1 : 0);
        if (partners > 0) beyond += static_cast<double>(partners) * (time_between(times, from, to) - nearest);
      }
      most = std::max(most, beyond);
    }
    const auto partners = static_cast<double>(nodes_.leaves.size() - 1);
    return (partners * nearest + most) * static_cast<double>(profile_.ranks_per_node);
  }

  // Ranks of one node are neighbours in number, so the first rounds stay within it. Between nodes each rank's partner
  // is the rank of the same place on the partner's node. Nodes wait for their partners only.
  double allreduce() {
    const auto nodes = static_cast<std::uint32_t>(nodes_.leaves.size());
    const auto ranks = static_cast<std::uint32_t>(profile_.ranks_per_node);
    const std::int64_t bytes = profile_.message_bytes;
    const auto local_rounds = static_cast<int>(std::bit_width(ranks - 1));
    const std::uint32_t power = std::bit_floor(nodes);
    const int rounds = static_cast<int>(std::bit_width(power)) - 1;
    const bool halving = bytes >= kLongAllreduce;

    double local = 0;
    for (int k = 0; k < local_rounds; ++k) {
      local += (halving ? 2 : 1) * way_.shm->one_way_us(halving ? bytes >> (k + 1) : bytes, 0);
    }
    ready_.assign(nodes, local);
    const std::int64_t mine =
        halving ? bytes >> local_rounds : bytes;  // what a rank brings to the rounds between nodes

    // Nodes beyond a power of two hand theirs to a neighbour first, and get the result last.
    const std::uint32_t beyond = nodes - power;
    const auto node_of = [beyond](std::uint32_t member) { return member < beyond ? 2 * member + 1 : member + beyond; };
    const auto fold = [&] {
      ExchangeTimes times(way_, mine, profile_.ranks_per_node);
      for (std::uint32_t n = 0; n < beyond; ++n) meet(times, 2 * n, 2 * n + 1);
    };
    const auto round = [&](int k) {
      ExchangeTimes times(way_, halving ? mine >> (k + 1) : mine, profile_.ranks_per_node);
      for (std::uint32_t member = 0; member < power; ++member) {
        const std::uint32_t partner = member ^ (1u << k);
        if (member < partner) meet(times, node_of(member), node_of(partner));
      }
    };
    fold();
    for (int k = 0; k < rounds; ++k) round(k);
    for (int k = rounds - 1; halving && k >= 0; --k) round(k);
    fold();
    return *std::max_element(ready_.begin(), ready_.end());
  }

 private:
  double time_between(ExchangeTimes& times, const Cell& a, const Cell& b) const {
    return times.at(hops_between(nodes_.topology, a.leaf, b.leaf), a.zone != b.zone);
  }

  // `each(pairs, time)`: so many pairs of nodes take so long.
  template <class Each>
  void each_pair(Each each) {
    const std::vector<Cell> cells = cells_of(nodes_);
    ExchangeTimes times(way_, profile_.message_bytes, profile_.ranks_per_node);
    for (std::size_t a = 0; a < cells.size(); ++a) {
      const std::int64_t n = cells[a].nodes;
      if (n > 1) each(n * (n - 1) / 2, time_between(times, cells[a], cells[a]));
      for (std::size_t b = a + 1; b < cells.size(); ++b) {
        each(n * cells[b].nodes, time_between(times, cells[a], cells[b]));
      }
    }
  }

  // Two nodes exchange when both are ready.
  void meet(ExchangeTimes& times, std::uint32_t a, std::uint32_t b) {
    const std::int32_t hops = hops_between(nodes_.topology, nodes_.leaves[a], nodes_.leaves[b]);
    ready_[a] = ready_[b] = std::max(ready_[a], ready_[b]) + times.at(hops, nodes_.zones[a] != nodes_.zones[b]);
  }

  const CommunicationProfile& profile_;
  const Way& way_;
  const JobNodes& nodes_;
  std::vector<double> ready_;  // by node
};

}  // namespace

double Way::exchange_us(std::int64_t bytes, std::int32_t ranks, std::int32_t hops, bool between_zones) const {
  const auto size = static_cast<double>(bytes);
  double slowest = 0;
  for (const Link* link : links) {
    double time = link->one_way_us(bytes, hops) + static_cast<double>(ranks - 1) * link->busy_us(bytes);
    if (flow_gb_s > 0) time = std::max(time, size / (flow_gb_s * 1e3));
    // Above a last network node each instance has its share of the uplinks.
    if (hops > kNearest) {
      time = std::max(time, static_cast<double>(ranks) * size * uplink / (link->streaming_gb_s * 1e3));
    }
    if (between_zones) time += between_zones_us;
    slowest = std::max(slowest, time);
  }
  return slowest;
}

double communication_us(const CommunicationProfile& profile, const Way& way, const JobNodes& nodes) {
  Rounds rounds(profile, way, nodes);
  const bool alone = nodes.leaves.size() < 2;
  switch (profile.pattern) {
    case Pattern::none:
      return 0;
    case Pattern::latency:
      return alone ? 0 : rounds.slowest();
    case Pattern::bandwidth:
      return alone ? 0 : rounds.mean_and_slowest();
    case Pattern::allreduce:
      return nodes.leaves.empty() ? 0 : rounds.allreduce();
    case Pattern::all_to_all:
      return alone ? 0 : rounds.all_to_all();
  }
  return 0;
}

double reference_us(const CommunicationProfile& profile, const Way& way, std::size_t nodes) {
  const std::vector<LeafId> leaves(nodes, kNoLeaf);
  const std::vector<std::uint32_t> zones(nodes, 0);
  return communication_us(profile, way, {nullptr, leaves, zones});
}

}  // namespace headroom
