// A backfill cycle's plan, against a naive one that knows of every second which nodes are free.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/policies/slurm/plan_map.hpp"
#include "tests/unit/draw.hpp"

namespace headroom::slurm {
namespace {

NodeBits bits(std::size_t nodes, std::initializer_list<Index> set) {
  NodeBits b(nodes);
  for (const Index n : set) b.set(n);
  return b;
}

// --- sets of nodes ---

TEST(SlurmNodeBits, AreSetsOfNodes) {
  NodeBits b(130);
  EXPECT_EQ(b.count(), 0);
  for (const Index n : {0u, 63u, 64u, 129u}) b.set(n);
  EXPECT_EQ(b.count(), 4);
  EXPECT_TRUE(b.test(64));
  EXPECT_FALSE(b.test(65));
  b.reset(64);
  EXPECT_FALSE(b.test(64));
  std::vector<Index> seen;
  b.for_each([&](Index n) { seen.push_back(n); });
  EXPECT_THAT(seen, testing::ElementsAre(0, 63, 129));
  b.clear();
  EXPECT_EQ(b, NodeBits(130));
  for (const std::size_t nodes : {1u, 63u, 64u, 65u, 128u, 130u}) {
    EXPECT_EQ(NodeBits(nodes, true).count(), static_cast<int>(nodes)) << "all of them and no more";
  }
}

TEST(SlurmNodeBits, CombineAsSetsDo) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Draw draw(seed);
    const std::size_t nodes = 1 + draw.below(150);
    NodeBits a(nodes);
    NodeBits b(nodes);
    std::vector<bool> in_a(nodes);
    std::vector<bool> in_b(nodes);
    for (Index n = 0; n < nodes; ++n) {
      if ((in_a[n] = draw.one_in(3))) a.set(n);
      if ((in_b[n] = draw.one_in(2))) b.set(n);
    }
    NodeBits both = a;
    both &= b;
    NodeBits either = a;
    either |= b;
    NodeBits only = a;
    only.remove(b);
    int common = 0;
    bool within = true;
    for (Index n = 0; n < nodes; ++n) {
      EXPECT_EQ(both.test(n), in_a[n] && in_b[n]);
      EXPECT_EQ(either.test(n), in_a[n] || in_b[n]);
      EXPECT_EQ(only.test(n), in_a[n] && !in_b[n]);
      common += in_a[n] && in_b[n] ? 1 : 0;
      within &= !in_a[n] || in_b[n];
    }
    EXPECT_EQ(a.count_common(b), common);
    EXPECT_EQ(a.overlaps(b), common > 0);
    EXPECT_EQ(a.within(b), within);
    EXPECT_TRUE(both.within(a));
    EXPECT_TRUE(a.within(either));
  }
}

TEST(SlurmNodeBits, HaveRuns) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Draw draw(seed);
    const std::size_t nodes = 1 + draw.below(200);
    const std::uint64_t sparse = 1 + draw.below(4);
    NodeBits a(nodes, draw.one_in(4));
    NodeBits b(nodes, draw.one_in(4));
    for (Index n = 0; n < nodes; ++n) {
      if (!draw.one_in(sparse)) a.set(n);
      if (!draw.one_in(sparse)) b.set(n);
    }
    std::vector<std::pair<Index, Index>> expected;
    for (Index n = 0; n < nodes; ++n) {
      if (!a.test(n) || !b.test(n)) continue;
      if (expected.empty() || expected.back().second + 1 != n) expected.emplace_back(n, n);
      expected.back().second = n;
    }
    std::vector<std::pair<Index, Index>> runs;
    NodeBits::for_each_common_run(a, b, [&](Index first, Index last) { runs.emplace_back(first, last); });
    EXPECT_EQ(runs, expected) << "seed " << seed;
    NodeBits both = a;
    both &= b;
    EXPECT_EQ(both.first(), expected.empty() ? NodeBits::kNone : expected.front().first);
    NodeBits c(nodes);
    NodeBits d(nodes);
    for (Index n = 0; n < nodes; ++n) {
      if (draw.one_in(2)) c.set(n);
      if (draw.one_in(2)) d.set(n);
    }
    NodeBits other = c;
    other &= d;
    EXPECT_EQ(NodeBits::beyond(a, b, c, d), !both.within(other));
    EXPECT_FALSE(NodeBits::beyond(a, b, a, b));
  }
}

// --- the plan ---

TEST(SlurmPlanMap, TakesNodesOutForATime) {
  PlanMap map;
  map.reset(0, 600, bits(4, {0, 1, 2, 3}));
  map.reserve(60, 180, bits(4, {0, 1}), 60);
  ASSERT_EQ(map.slots().size(), 3u);
  EXPECT_EQ(map.slots()[0].end, 60);
  EXPECT_EQ(map.slots()[1].begin, 60);
  EXPECT_EQ(map.slots()[1].end, 180);
  EXPECT_EQ(map.slots()[1].free, bits(4, {2, 3}));
  EXPECT_EQ(map.slots()[2].free, bits(4, {0, 1, 2, 3}));
  EXPECT_FALSE(map.overlaps(bits(4, {0}), 0, 60)) << "before it";
  EXPECT_TRUE(map.overlaps(bits(4, {0}), 59, 61));
  EXPECT_FALSE(map.overlaps(bits(4, {0}), 180, 240)) << "after it";
  EXPECT_FALSE(map.overlaps(bits(4, {2, 3}), 0, 600)) << "other nodes";
  EXPECT_TRUE(map.overlaps(bits(4, {1, 2}), 0, 600));
}

TEST(SlurmPlanMap, ReservesOneResolutionAtLeast) {
  PlanMap map;
  map.reset(0, 600, bits(2, {0, 1}));
  map.reserve(120, 120, bits(2, {0}), 60);
  EXPECT_TRUE(map.overlaps(bits(2, {0}), 179, 180));
  EXPECT_FALSE(map.overlaps(bits(2, {0}), 180, 181));
}

TEST(SlurmPlanMap, KeepsWhatIsBeforeAndBehindThePlanOut) {
  PlanMap map;
  map.reset(100, 600, bits(2, {0, 1}));
  map.reserve(0, 200, bits(2, {0}), 60);
  EXPECT_EQ(map.slots().front().begin, 100);
  EXPECT_TRUE(map.overlaps(bits(2, {0}), 100, 101));
  map.reserve(600, 900, bits(2, {1}), 60);
  map.reserve(700, 900, bits(2, {1}), 60);
  EXPECT_EQ(map.slots().back().end, 600);
  EXPECT_FALSE(map.overlaps(bits(2, {1}), 0, 900));
  map.reserve(500, 900, bits(2, {1}), 60);
  EXPECT_TRUE(map.overlaps(bits(2, {1}), 599, 600));
  EXPECT_EQ(map.slots().back().end, 600);
}

TEST(SlurmPlanMap, MergesNeighboursThatDoNotDiffer) {
  PlanMap map;
  map.reset(0, 600, bits(2, {0, 1}));
  map.reserve(0, 60, bits(2, {0}), 60);
  EXPECT_EQ(map.slots().size(), 2u);
  map.reserve(60, 120, bits(2, {0}), 60);
  ASSERT_EQ(map.slots().size(), 2u) << "one reservation, as far as the nodes go";
  EXPECT_EQ(map.slots()[0].end, 120);
}

// Records of slurmctld's table: one at first, one more for every new time at which a reservation begins or ends; those
// of merged neighbours stay lost.
TEST(SlurmPlanMap, CountsRecords) {
  PlanMap map;
  map.reset(0, 600, bits(4, {0, 1, 2, 3}));
  EXPECT_EQ(map.records(), 1);
  map.reserve(120, 240, bits(4, {0, 1}), 60);
  EXPECT_EQ(map.records(), 3);
  map.reserve(60, 120, bits(4, {2}), 60);
  EXPECT_EQ(map.records(), 4) << "it ends where the other begins";
  map.reserve(120, 180, bits(4, {2}), 60);
  EXPECT_EQ(map.records(), 5);
  map.reserve(120, 180, bits(4, {3}), 60);
  EXPECT_EQ(map.records(), 5);
  map.reserve(0, 60, bits(4, {2}), 60);
  EXPECT_EQ(map.records(), 6) << "an empty one before the first";
  EXPECT_EQ(map.slots().size(), 4u) << "0 to 120 is one slot";
  map.reset(0, 600, bits(4, {0}));
  EXPECT_EQ(map.records(), 1);
}

TEST(SlurmPlanMap, KnowsOfEverySecondWhatIsFree) {
  for (std::uint64_t seed = 1; seed <= 400 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    const std::size_t nodes = 1 + draw.below(6);
    const auto some = [&](std::uint64_t one_in) {
      NodeBits b(nodes);
      for (Index n = 0; n < nodes; ++n) {
        if (draw.one_in(one_in)) b.set(n);
      }
      return b;
    };
    constexpr Second kBegin = 20;
    constexpr Second kEnd = 140;
    const Second resolution = draw.one_in(2) ? 1 : 10;
    NodeBits at_first(nodes, true);
    if (draw.one_in(3)) at_first.remove(some(4));
    PlanMap map;
    map.reset(kBegin, kEnd, at_first);
    std::vector<NodeBits> free(static_cast<std::size_t>(kEnd), at_first);  // by second
    for (int i = draw.small(1, 25); i > 0; --i) {
      const NodeBits taken = some(2);
      const Second start = draw.between(0, 160) / resolution * resolution;
      const Second end = start + draw.between(0, 60) / resolution * resolution;
      map.reserve(start, end, taken, resolution);
      for (Second s = std::max(start, kBegin); s < std::min(std::max(end, std::max(start, kBegin) + resolution), kEnd);
           ++s) {
        free[static_cast<std::size_t>(s)].remove(taken);
      }
      // The slots tile the plan, and say what the seconds say.
      Second expected = kBegin;
      for (const PlanMap::Slot& slot : map.slots()) {
        ASSERT_EQ(slot.begin, expected);
        ASSERT_LT(slot.begin, slot.end);
        expected = slot.end;
        for (Second s = slot.begin; s < slot.end; ++s) {
          ASSERT_EQ(slot.free, free[static_cast<std::size_t>(s)]) << "second " << s;
        }
      }
      ASSERT_EQ(expected, kEnd);
      const NodeBits asked = some(2);
      const Second from = draw.between(0, 160);
      const Second until = from + draw.between(1, 60);
      bool overlaps = false;
      for (Second s = std::max(from, kBegin); s < std::min(until, kEnd); ++s) {
        overlaps |= !asked.within(free[static_cast<std::size_t>(s)]);
      }
      ASSERT_EQ(map.overlaps(asked, from, until), overlaps) << from << ".." << until;
    }
  }
}

}  // namespace
}  // namespace headroom::slurm
