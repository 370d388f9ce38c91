#include "engine/topology.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headroom {
namespace {

constexpr std::uint32_t kRoot = NetworkNode::kRoot;

// A region with two zones; in the first two network nodes with leaves below, the second's child is a leaf itself.
NetworkTopology small() {
  return NetworkTopology({{"region", kRoot},
                          {"zone-a", 0},
                          {"zone-b", 0},
                          {"nn-1", 1},
                          {"nn-2", 1},
                          {"nn-1-1", 3},
                          {"nn-2-1", 4},
                          {"nn-1-2", 3},
                          {"nn-b", 2}});
}

LeafId leaf_named(const NetworkTopology& topology, const std::string& name) {
  for (std::uint32_t l = 0; l < topology.leaf_count(); ++l) {
    if (topology.name(LeafId{l}) == name) return LeafId{l};
  }
  return kNoLeaf;
}

TEST(NetworkTopology, NumbersLeavesSoThatThoseBelowANodeAreNeighbours) {
  const NetworkTopology topology = small();
  ASSERT_EQ(topology.leaf_count(), 4u);
  for (std::uint32_t node = 0; node < topology.size(); ++node) {
    for (std::uint32_t l = 0; l < topology.leaf_count(); ++l) {
      const auto path = topology.path_to(LeafId{l});
      const bool below = std::find(path.begin(), path.end(), node) != path.end();
      EXPECT_EQ(topology.leaves_below(node).contains(LeafId{l}), below) << topology.name(node);
    }
  }
  EXPECT_EQ(topology.leaves_below(1).count(), 3u);
}

TEST(NetworkTopology, CountsLinksOverTheNearestCommonNode) {
  const NetworkTopology topology = small();
  const LeafId a = leaf_named(topology, "nn-1-1");
  const LeafId b = leaf_named(topology, "nn-1-2");
  const LeafId c = leaf_named(topology, "nn-2-1");
  const LeafId d = leaf_named(topology, "nn-b");
  EXPECT_EQ(topology.hops(a, a), 2);
  EXPECT_EQ(topology.hops(a, b), 4);
  EXPECT_EQ(topology.hops(a, c), 6);
  EXPECT_EQ(topology.hops(a, d), 8) << "over the region, and by the deeper of the two";
  EXPECT_EQ(topology.name(topology.common(a, b)), "nn-1");
  EXPECT_EQ(topology.ancestor(c, 1), 1u);
  EXPECT_EQ(topology.ancestor(d, 9), topology.node_of(d));
}

TEST(NetworkTopology, RefusesWhatIsNoTree) {
  EXPECT_THROW(NetworkTopology({}), Bug);
  EXPECT_THROW(NetworkTopology({{"a", kRoot}, {"b", 5}}), Bug);
  EXPECT_THROW(NetworkTopology({{"a", kRoot}, {"b", kRoot}}), Bug);
}

// Leaves of 13, 8, 6, 4 and 1: 32 hpc6a in one cluster placement group (performance-study): 127 of 496 pairs are near.
TEST(Locality, CountsPairsAsTheMeasuredPlacementGroupHasThem) {
  const NetworkTopology topology(
      {{"region", kRoot}, {"zone", 0}, {"1", 1}, {"2", 2}, {"a", 3}, {"b", 3}, {"c", 3}, {"d", 3}, {"e", 3}});
  std::vector<LeafId> leaves;
  const std::uint32_t sizes[] = {13, 8, 6, 4, 1};
  for (std::uint32_t l = 0; l < 5; ++l) leaves.insert(leaves.end(), sizes[l], LeafId{l});
  const Locality locality = locality_of(topology, leaves);
  EXPECT_EQ(locality.leaves, 5u);
  EXPECT_EQ(locality.pairs, 496);
  EXPECT_EQ(locality.near_pairs, 127);
  EXPECT_EQ(locality.pair_hops, 127 * 2 + 369 * 4);
  EXPECT_EQ(locality.diameter_hops, 4);
}

TEST(Locality, OfOneNodeOrUnknownPlacesIsNothing) {
  const NetworkTopology topology = small();
  EXPECT_EQ(locality_of(topology, {}), Locality{});
  const LeafId one[] = {LeafId{0}, kNoLeaf};
  EXPECT_EQ(locality_of(topology, one), (Locality{.leaves = 1}));
}

}  // namespace
}  // namespace headroom
