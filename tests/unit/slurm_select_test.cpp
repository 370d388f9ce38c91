// Which nodes a job gets: cases worked out by hand, and a naive chooser on random ones. And the table of nodes: its
// order, ranks, and what sinfo shows.
#include <algorithm>
#include <memory>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/policies/slurm/select.hpp"
#include "tests/unit/controller_bench.hpp"
#include "tests/unit/draw.hpp"

namespace headroom::slurm {
namespace {

using testing::ElementsAre;
using testing::Pair;
using Shares = std::vector<std::pair<Index, std::int32_t>>;

// Nodes of these CPUs (and 100 MiB for each), all of one rank, nothing held.
class Shop {
 public:
  std::vector<std::int32_t> cpus_held;
  std::vector<std::int32_t> memory_held;
  std::vector<std::uint64_t> rank;
  NodeBits candidates;
  bool clip = true;

  explicit Shop(const std::vector<std::int32_t>& cpus, bool memory_counts = false, int version = 2505)
      : cpus_held(cpus.size()),
        memory_held(cpus.size()),
        rank(cpus.size()),
        candidates(cpus.size(), true),
        cluster_(spec_of(cpus)),
        table_(cluster_, Conf{}, names_of(cpus.size())),
        selector_(table_, conf_of(memory_counts, version)) {}
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;

  std::optional<Shares> pick(const Ask& ask) {
    Holdings held(table_.size());
    for (Index n = 0; n < table_.size(); ++n) {
      if (cpus_held[n] > 0 || memory_held[n] > 0) held.take(n, table_[n].cpus, cpus_held[n], memory_held[n]);
    }
    Ranking ranking;
    ranking.assign(rank);
    std::vector<Selector::Share> out;
    if (!selector_.pick(ask, candidates, held, ranking, clip, ask.whole_nodes, out)) return {};
    Shares shares;
    for (const Selector::Share& s : out) shares.emplace_back(s.node, s.cpus);
    std::sort(shares.begin(), shares.end());
    return shares;
  }
  const Selector& selector() const { return selector_; }
  Shares must_pick(const Ask& ask) {
    const auto shares = pick(ask);
    EXPECT_TRUE(shares.has_value()) << "there are enough nodes";
    return shares.value_or(Shares{});
  }

 private:
  static ClusterSpec spec_of(const std::vector<std::int32_t>& cpus) {
    ClusterSpec spec;
    QueueSpec queue;
    for (const std::int32_t c : cpus) {
      queue.groups.push_back(GroupId{static_cast<std::uint32_t>(spec.groups.size())});
      spec.groups.push_back({1, std::max(c, 1), Supply::permanent, 1, 0, c * 100});
    }
    spec.queues.push_back(queue);
    return spec;
  }
  static Conf conf_of(bool memory_counts, int version) {
    Conf conf;
    conf.memory = memory_counts;
    conf.version.number = version;
    return conf;
  }
  static std::vector<std::string> names_of(std::size_t count) {
    std::vector<std::string> names;
    for (std::size_t n = 0; n < count; ++n) names.push_back("n" + std::to_string(n));
    return names;
  }
  Cluster cluster_;
  NodeTable table_;
  Selector selector_;
};

Ask tasks(std::int32_t count, std::int32_t cpus_each = 1) {  // -n count -c cpus_each
  Ask ask;
  ask.tasks = count;
  ask.cpus_per_task = cpus_each;
  ask.cpus = count * cpus_each;
  return ask;
}
Ask on_nodes(std::int32_t nodes, std::int32_t count) {  // -N nodes -n count
  Ask ask = tasks(count);
  ask.min_nodes = ask.max_nodes = nodes;
  return ask;
}
Ask each(std::int32_t nodes, std::int32_t on_each) {  // -N nodes --ntasks-per-node=on_each
  Ask ask = on_nodes(nodes, nodes * on_each);
  ask.tasks_per_node = on_each;
  return ask;
}
Ask whole(Ask ask) {
  ask.whole_nodes = true;
  return ask;
}
Ask with_memory(Ask ask, MemoryUnit unit, std::int32_t memory) {
  ask.memory_unit = unit;
  ask.memory = memory;
  return ask;
}

// --- one node ---

TEST(SlurmSelect, TakesTheNodeThatFitsBest) {
  Shop shop({4, 2, 3, 2});
  EXPECT_THAT(shop.must_pick(tasks(2)), ElementsAre(Pair(1, 2))) << "first of those with the fewest that suffice";
  EXPECT_THAT(shop.must_pick(tasks(3)), ElementsAre(Pair(2, 3)));
  EXPECT_THAT(shop.must_pick(tasks(4)), ElementsAre(Pair(0, 4)));
  EXPECT_THAT(shop.must_pick(tasks(1)), ElementsAre(Pair(1, 1)));
}

TEST(SlurmSelect, CountsOnlyFreeCpus) {
  Shop shop({4, 4, 4});
  shop.cpus_held = {0, 3, 4};
  EXPECT_THAT(shop.must_pick(tasks(1)), ElementsAre(Pair(1, 1)));
  EXPECT_THAT(shop.must_pick(tasks(2)), ElementsAre(Pair(0, 2)));
  EXPECT_EQ(shop.pick(tasks(6)), std::nullopt);
}

TEST(SlurmSelect, TakesCandidatesOnly) {
  Shop shop({4, 4, 4});
  shop.candidates.reset(0);
  shop.candidates.reset(1);
  EXPECT_THAT(shop.must_pick(tasks(1)), ElementsAre(Pair(2, 1)));
  EXPECT_EQ(shop.pick(tasks(5)), std::nullopt);
  shop.candidates.clear();
  EXPECT_EQ(shop.pick(tasks(1)), std::nullopt);
}

// --- several ---

// -n 3 without -N may span nodes: one CPU here, two there.
TEST(SlurmSelect, SpreadsTasksWhereNoNodeHasAll) {
  Shop shop({4, 4, 4});
  shop.cpus_held = {3, 2, 3};
  EXPECT_THAT(shop.must_pick(tasks(3)), ElementsAre(Pair(0, 1), Pair(1, 2)));
  EXPECT_THAT(shop.must_pick(tasks(4)), ElementsAre(Pair(0, 1), Pair(1, 2), Pair(2, 1)));
}

TEST(SlurmSelect, TakesTheTightestRunThatSuffices) {
  Shop shop({4, 4, 4, 4, 4, 4, 4});
  shop.cpus_held = {0, 0, 4, 2, 2, 4, 0};  // runs of 8, 4 and 4 free CPUs
  EXPECT_THAT(shop.must_pick(on_nodes(2, 4)), ElementsAre(Pair(3, 2), Pair(4, 2)));
  EXPECT_THAT(shop.must_pick(tasks(4)), ElementsAre(Pair(3, 2), Pair(4, 2))) << "first of equals, before node 6";
  EXPECT_THAT(shop.must_pick(tasks(5)), ElementsAre(Pair(0, 4), Pair(1, 1)));
}

TEST(SlurmSelect, TakesTheBiggestRunsWhereNoneSuffices) {
  Shop shop({1, 1, 2, 2, 1, 1});
  shop.cpus_held = {0, 1, 0, 0, 1, 0};
  EXPECT_THAT(shop.must_pick(tasks(5)), ElementsAre(Pair(0, 1), Pair(2, 2), Pair(3, 2)));
  EXPECT_THAT(shop.must_pick(tasks(6)), ElementsAre(Pair(0, 1), Pair(2, 2), Pair(3, 2), Pair(5, 1)));
  EXPECT_EQ(shop.pick(tasks(7)), std::nullopt);
}

TEST(SlurmSelect, LeavesACpuForEveryNodeToCome) {
  Shop shop({4, 4, 4});
  EXPECT_THAT(shop.must_pick(on_nodes(2, 4)), ElementsAre(Pair(0, 3), Pair(1, 1)));
  EXPECT_THAT(shop.must_pick(on_nodes(3, 3)), ElementsAre(Pair(0, 1), Pair(1, 1), Pair(2, 1)));
  EXPECT_THAT(shop.must_pick(on_nodes(3, 12)), ElementsAre(Pair(0, 4), Pair(1, 4), Pair(2, 4)));
  EXPECT_EQ(shop.pick(on_nodes(3, 13)), std::nullopt);
  EXPECT_EQ(shop.pick(on_nodes(4, 4)), std::nullopt);
}

TEST(SlurmSelect, TakesNoMoreNodesThanAsked) {
  Shop shop({2, 2, 4});
  EXPECT_THAT(shop.must_pick(on_nodes(1, 4)), ElementsAre(Pair(2, 4)));
  EXPECT_EQ(shop.pick(on_nodes(1, 5)), std::nullopt);
  EXPECT_EQ(shop.pick(on_nodes(2, 7)), std::nullopt) << "eight are free, but on three nodes";
}

TEST(SlurmSelect, GivesTasksPerNode) {
  Shop shop({4, 1, 4, 2});
  EXPECT_THAT(shop.must_pick(each(3, 2)), ElementsAre(Pair(0, 2), Pair(2, 2), Pair(3, 2)));
  EXPECT_EQ(shop.pick(each(4, 2)), std::nullopt) << "node 1 has one CPU";
  Ask three = tasks(6);  // -n 6 --ntasks-per-node=2: three nodes at least
  three.tasks_per_node = 2;
  EXPECT_THAT(shop.must_pick(three), ElementsAre(Pair(0, 2), Pair(2, 2), Pair(3, 2)));
}

TEST(SlurmSelect, KeepsTheCpusOfATaskTogether) {
  Shop shop({3, 3, 1, 4});
  EXPECT_THAT(shop.must_pick(tasks(1, 2)), ElementsAre(Pair(0, 2)));
  EXPECT_THAT(shop.must_pick(tasks(1, 4)), ElementsAre(Pair(3, 4)));
  EXPECT_THAT(shop.must_pick(tasks(2, 2)), ElementsAre(Pair(0, 2), Pair(1, 2)))
      << "four of six CPUs of the run that is tightest";
  EXPECT_THAT(shop.must_pick(tasks(4, 2)), ElementsAre(Pair(0, 2), Pair(1, 2), Pair(3, 4)));
  EXPECT_EQ(shop.pick(tasks(5, 2)), std::nullopt) << "ten of eleven CPUs are free, but in the wrong places";
  EXPECT_EQ(shop.pick(tasks(1, 5)), std::nullopt);
}

// Slurm 22.05: nodes offer all CPUs that are free, and a task may end up with fewer than it asked for.
TEST(SlurmSelect, OfferedCpusThatMakeNoTaskOnce) {
  Shop shop({3, 5, 5}, false, 2205);
  // Chosen: 3 + 5 + 2 for ten. Each gets a task of two; the middle one another; the fifth finds one CPU on the first.
  EXPECT_THAT(shop.must_pick(tasks(5, 2)), ElementsAre(Pair(0, 3), Pair(1, 4), Pair(2, 2)));
  Shop two({6, 8}, false, 2205);
  EXPECT_THAT(two.must_pick(tasks(3, 4)), ElementsAre(Pair(0, 6), Pair(1, 4))) << "6 + 6: the third task gets two CPUs";
  Shop three({4, 1, 4, 1, 6}, false, 2205);
  EXPECT_THAT(three.must_pick(tasks(4, 3)), ElementsAre(Pair(0, 3), Pair(2, 3), Pair(4, 6)))
      << "a node with room for a whole task goes before one with less";
  Shop none({1, 2, 2}, false, 2205);
  EXPECT_EQ(none.pick(tasks(1, 3)), std::nullopt) << "a node has to have room for one task";
  // The biggest run goes first even where a smaller one would do: it has too few nodes, and that is all that is asked.
  Shop runs({3, 3, 3, 1, 8, 8}, false, 2205);
  Ask wide = each(3, 1);
  wide.cpus_per_task = 3;
  wide.cpus = 9;
  EXPECT_THAT(runs.must_pick(wide), ElementsAre(Pair(0, 3), Pair(4, 3), Pair(5, 3)));
  Shop now({3, 3, 3, 1, 8, 8});
  EXPECT_THAT(now.must_pick(wide), ElementsAre(Pair(0, 3), Pair(1, 3), Pair(2, 3)));
}

TEST(SlurmSelect, KnowsWhatIsTooSmall) {
  Shop shop({2, 4, 8, 2}, true);
  const auto left = [&](const Ask& ask) {
    NodeBits nodes(4, true);
    shop.selector().remove_too_small(ask, nodes);
    return nodes.count();
  };
  shop.cpus_held = {2, 4, 8, 2};
  EXPECT_EQ(left(tasks(3)), 4) << "whatever is held";
  EXPECT_EQ(left(tasks(1, 3)), 2);
  EXPECT_EQ(left(tasks(1, 9)), 0);
  EXPECT_EQ(left(with_memory(tasks(1), MemoryUnit::per_node, 300)), 2) << "100 MiB for each CPU";
}

TEST(SlurmSelect, TasksOfSeveralCpusGoRoundTheNodes) {
  Shop shop({8, 8});
  Ask ask = on_nodes(2, 3);
  ask.cpus_per_task = 2;
  ask.cpus = 6;
  EXPECT_THAT(shop.must_pick(ask), ElementsAre(Pair(0, 4), Pair(1, 2)));
}

// --- ranks ---

TEST(SlurmSelect, UsesUpALowerRankEvenIfThatSplitsTheJob) {
  Shop shop({4, 4, 4});
  shop.cpus_held = {0, 2, 0};
  shop.rank = {7, 1, 7};
  EXPECT_THAT(shop.must_pick(tasks(4)), ElementsAre(Pair(0, 2), Pair(1, 2)));
  EXPECT_THAT(shop.must_pick(tasks(2)), ElementsAre(Pair(1, 2)));
  shop.rank = {7, 8, 5};
  EXPECT_THAT(shop.must_pick(tasks(1)), ElementsAre(Pair(2, 1))) << "the lowest rank, not the best fit";
  EXPECT_THAT(shop.must_pick(tasks(9)), ElementsAre(Pair(0, 4), Pair(1, 1), Pair(2, 4)));
}

TEST(SlurmSelect, RunsEndWhereTheRankChanges) {
  Shop shop({4, 4, 4, 4, 4, 4});
  shop.rank = {1, 2, 2, 1, 1, 1};
  EXPECT_THAT(shop.must_pick(on_nodes(3, 12)), ElementsAre(Pair(3, 4), Pair(4, 4), Pair(5, 4)));
  EXPECT_THAT(shop.must_pick(on_nodes(1, 4)), ElementsAre(Pair(0, 4))) << "the run of one is the tightest";
}

// --- whole nodes ---

TEST(SlurmSelect, GivesAllOfEmptyNodesToExclusiveJobs) {
  Shop shop({4, 4, 8});
  shop.cpus_held = {1, 0, 0};
  EXPECT_THAT(shop.must_pick(whole(tasks(1))), ElementsAre(Pair(1, 4)));
  EXPECT_THAT(shop.must_pick(whole(each(2, 1))), ElementsAre(Pair(1, 4), Pair(2, 8)));
  EXPECT_EQ(shop.pick(whole(on_nodes(3, 3))), std::nullopt);
}

// --- memory ---

TEST(SlurmSelect, MemoryIsGivenOutLikeCpus) {
  Shop shop({4, 4}, true);  // 400 MiB each
  shop.memory_held = {250, 0};
  shop.cpus_held = {1, 0};
  EXPECT_THAT(shop.must_pick(with_memory(tasks(1), MemoryUnit::per_node, 150)), ElementsAre(Pair(0, 1)));
  EXPECT_THAT(shop.must_pick(with_memory(tasks(1), MemoryUnit::per_node, 151)), ElementsAre(Pair(1, 1)));
  EXPECT_EQ(shop.pick(with_memory(each(2, 1), MemoryUnit::per_node, 151)), std::nullopt);
  EXPECT_THAT(shop.must_pick(with_memory(tasks(2), MemoryUnit::per_core, 100)), ElementsAre(Pair(1, 2)));
  EXPECT_THAT(shop.must_pick(with_memory(tasks(5), MemoryUnit::per_core, 100)), ElementsAre(Pair(0, 1), Pair(1, 4)));
  EXPECT_EQ(shop.pick(with_memory(tasks(6), MemoryUnit::per_core, 100)), std::nullopt);
}

// A job that says nothing takes all of it.
TEST(SlurmSelect, AJobWithoutMemoryTakesAllOfTheNode) {
  Shop shop({4, 4}, true);
  shop.memory_held = {1, 0};
  EXPECT_THAT(shop.must_pick(tasks(1)), ElementsAre(Pair(1, 1)));
  shop.memory_held = {1, 1};
  EXPECT_EQ(shop.pick(tasks(1)), std::nullopt);
  Shop uncounted({4, 4});
  uncounted.memory_held = {1, 1};
  EXPECT_THAT(uncounted.must_pick(tasks(1)), ElementsAre(Pair(0, 1))) << "CR_CPU";
}

// --- random cases ---

// By the rules, as plainly as can be: rank after rank; of a rank's runs the tightest that suffices, else the biggest;
// of a run the node that suffices alone and fits best, else its nodes in order.
std::optional<Shares> naive(std::vector<std::int32_t> offers, const std::vector<std::uint64_t>& rank,
                            std::int32_t need) {
  Shares got;
  std::vector<std::uint64_t> ranks = rank;
  std::sort(ranks.begin(), ranks.end());
  ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
  for (const std::uint64_t level : ranks) {
    std::vector<std::vector<Index>> runs;
    for (Index n = 0; n < offers.size(); ++n) {
      if (offers[n] == 0 || rank[n] != level) continue;
      if (runs.empty() || runs.back().back() + 1 != n) runs.emplace_back();
      runs.back().push_back(n);
    }
    while (!runs.empty() && need > 0) {
      const auto sum = [&](const std::vector<Index>& run) {
        std::int32_t cpus = 0;
        for (const Index n : run) cpus += offers[n];
        return cpus;
      };
      std::size_t best = 0;
      for (std::size_t r = 1; r < runs.size(); ++r) {
        const bool was = sum(runs[best]) >= need;
        const bool is = sum(runs[r]) >= need;
        if (is != was ? is : is ? sum(runs[r]) < sum(runs[best]) : sum(runs[r]) > sum(runs[best])) best = r;
      }
      std::optional<Index> alone;
      for (const Index n : runs[best]) {
        if (offers[n] >= need && (!alone || offers[n] < offers[*alone])) alone = n;
      }
      const std::vector<Index> nodes = alone ? std::vector<Index>{*alone} : runs[best];
      for (const Index n : nodes) {
        if (need == 0) break;
        got.emplace_back(n, std::min(need, offers[n]));
        need -= got.back().second;
      }
      runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(best));
    }
  }
  if (need > 0) return std::nullopt;
  std::sort(got.begin(), got.end());
  return got;
}

TEST(SlurmSelect, ChoosesAsANaiveOneDoes) {
  for (std::uint64_t seed = 1; seed <= 3000 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    const std::size_t nodes = 1 + draw.below(draw.one_in(20) ? 150 : 9);
    std::vector<std::int32_t> sizes(nodes, 4);
    if (draw.one_in(2)) {
      for (std::int32_t& size : sizes) size = draw.one_in(3) ? 8 : 4;
    }
    Shop shop(sizes);
    const std::int32_t cpus_each = draw.one_in(3) ? 2 : 1;
    std::vector<std::int32_t> offers(nodes);
    const std::int32_t levels = draw.small(1, 3);
    for (Index n = 0; n < nodes; ++n) {
      shop.cpus_held[n] = draw.one_in(2) ? 0 : draw.small(0, sizes[n]);
      shop.rank[n] = static_cast<std::uint64_t>(draw.small(1, levels));
      if (draw.one_in(8)) shop.candidates.reset(n);
      if (shop.candidates.test(n)) offers[n] = (sizes[n] - shop.cpus_held[n]) / cpus_each * cpus_each;
    }
    const Ask ask = tasks(draw.small(1, static_cast<std::int32_t>(nodes) * 5 / cpus_each), cpus_each);
    EXPECT_EQ(shop.pick(ask), naive(offers, shop.rank, ask.cpus));
  }
}

TEST(SlurmSelect, GivesWhatWasAskedAndNeverMoreThanIsFree) {
  int given = 0;
  for (std::uint64_t seed = 1; seed <= 3000 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    const std::size_t nodes = 1 + draw.below(8);
    std::vector<std::int32_t> cpus;
    for (std::size_t n = 0; n < nodes; ++n) cpus.push_back(draw.one_in(4) ? 8 : 4);
    const bool memory = draw.one_in(2);
    Shop shop(cpus, memory);
    shop.clip = draw.one_in(2);
    for (Index n = 0; n < nodes; ++n) {
      shop.cpus_held[n] = draw.one_in(2) ? 0 : draw.small(0, cpus[n]);
      shop.memory_held[n] = shop.cpus_held[n] * draw.small(0, 100);
      shop.rank[n] = static_cast<std::uint64_t>(draw.small(1, 3));
      if (draw.one_in(8)) shop.candidates.reset(n);
    }
    const std::int32_t width = draw.small(1, static_cast<std::int32_t>(nodes));
    Ask ask = draw.one_in(3)   ? tasks(draw.small(1, 12), draw.small(1, 2))
              : draw.one_in(2) ? on_nodes(width, width + draw.small(0, 6))
                               : each(width, draw.small(1, 4));
    if (draw.one_in(4)) ask = whole(ask);
    if (memory && draw.one_in(3)) ask = with_memory(ask, MemoryUnit::per_node, draw.small(1, 500));
    if (memory && draw.one_in(3)) ask = with_memory(ask, MemoryUnit::per_core, draw.small(1, 150));
    const auto shares = shop.pick(ask);
    if (!shares) continue;
    ++given;
    std::int32_t total = 0;
    for (const auto& [n, share] : *shares) {
      total += share;
      EXPECT_TRUE(shop.candidates.test(n));
      EXPECT_GE(share, ask.cpus_per_node());
      if (!ask.whole_nodes) {
        EXPECT_EQ(share % ask.cpus_per_task, 0);
      }
      EXPECT_LE(share, cpus[n] - shop.cpus_held[n]);
      if (ask.whole_nodes) {
        EXPECT_EQ(shop.cpus_held[n], 0);
        EXPECT_EQ(share, cpus[n]);
      } else if (ask.tasks_per_node > 0 && shop.clip) {
        EXPECT_EQ(share, ask.tasks_per_node);
      }
      if (!memory) continue;
      const std::int32_t free = cpus[n] * 100 - shop.memory_held[n];
      if (ask.memory_unit == MemoryUnit::whole) {
        EXPECT_EQ(shop.memory_held[n], 0);
      } else {
        EXPECT_LE(ask.memory * (ask.memory_unit == MemoryUnit::per_core ? share : 1), free);
      }
    }
    EXPECT_GE(total, ask.cpus);
    EXPECT_GE(static_cast<std::int32_t>(shares->size()), ask.min_nodes);
    if (ask.max_nodes > 0) {
      EXPECT_LE(static_cast<std::int32_t>(shares->size()), ask.max_nodes);
    }
  }
  EXPECT_GT(given, 600) << "the cases are not all impossible";
}

// --- what jobs hold ---

TEST(SlurmHoldings, KnowIdleSharedAndFullNodes) {
  for (std::uint64_t seed = 1; seed <= 100 && !testing::Test::HasFailure(); ++seed) {
    Draw draw(seed);
    constexpr std::int32_t kSize = 4;
    const std::size_t nodes = 1 + draw.below(70);
    Holdings held(nodes);
    std::vector<std::vector<std::int32_t>> on(nodes);  // CPUs of each job on the node
    for (int i = 0; i < 300; ++i) {
      const auto n = static_cast<Index>(draw.below(nodes));
      std::int32_t used = 0;
      for (const std::int32_t c : on[n]) used += c;
      if (used < kSize && draw.one_in(2)) {
        on[n].push_back(draw.small(1, kSize - used));
        held.take(n, kSize, on[n].back(), 10 * on[n].back());
      } else if (!on[n].empty()) {
        held.give_back(n, on[n].back(), 10 * on[n].back());
        on[n].pop_back();
      }
    }
    for (Index n = 0; n < nodes; ++n) {
      std::int32_t used = 0;
      for (const std::int32_t c : on[n]) used += c;
      EXPECT_EQ(held.cpus[n], used);
      EXPECT_EQ(held.memory[n], 10 * used);
      EXPECT_EQ(held.jobs[n], static_cast<std::int32_t>(on[n].size()));
      EXPECT_EQ(held.idle.test(n), on[n].empty());
      EXPECT_EQ(held.shared.test(n), on[n].size() > 1);
      EXPECT_EQ(held.full.test(n), used == kSize);
    }
  }
}

TEST(SlurmRanking, SortsNodesIntoClasses) {
  Ranking ranking;
  ranking.assign({7, 2, 7, 5});
  ASSERT_EQ(ranking.classes.size(), 3u);
  EXPECT_EQ(ranking.classes[0].rank, 2u);
  EXPECT_TRUE(ranking.classes[0].nodes.test(1));
  EXPECT_EQ(ranking.classes[1].rank, 5u);
  EXPECT_EQ(ranking.classes[2].nodes.count(), 2);
  ranking.assign({1, 1});
  EXPECT_EQ(ranking.classes.size(), 1u) << "the old ones are forgotten";
}

// --- the table of nodes ---

struct Table {
  ClusterSpec spec;
  Conf conf;
  std::vector<std::string> names;
  void group(const std::vector<std::string>& nodes, std::int32_t cpus, Supply supply, std::int32_t weight = 1) {
    spec.groups.push_back({static_cast<std::int32_t>(nodes.size()), cpus, supply, weight, 0, 1000});
    names.insert(names.end(), nodes.begin(), nodes.end());
  }
  void queue(const std::vector<std::uint32_t>& groups) {
    QueueSpec queue;
    for (const std::uint32_t g : groups) queue.groups.push_back(GroupId{g});
    spec.queues.push_back(queue);
  }
};

// Slurm's table is in the order of names, numbers by value, not in that of slurm.conf.
TEST(SlurmNodes, AreInTheOrderOfTheirNames) {
  Table t;
  t.group({"n9", "n10"}, 4, Supply::permanent);
  t.group({"a2", "n1"}, 8, Supply::dynamic);
  t.queue({0, 1});
  t.queue({1});
  const Cluster cluster(t.spec);
  const NodeTable nodes(cluster, t.conf, t.names);
  ASSERT_EQ(nodes.size(), 4u);
  EXPECT_EQ(nodes[0].name, "a2");
  EXPECT_EQ(nodes[1].name, "n1");
  EXPECT_EQ(nodes[2].name, "n9");
  EXPECT_EQ(nodes[3].name, "n10");
  EXPECT_EQ(nodes[1].cpus, 8);
  EXPECT_EQ(nodes.total_cpus(), 24);
  for (std::uint32_t n = 0; n < 4; ++n) EXPECT_EQ(nodes[nodes.of(NodeId{n})].id, NodeId{n});
  EXPECT_EQ(nodes.partition(QueueId{0}).count(), 4);
  std::vector<std::string> second;
  nodes.partition(QueueId{1}).for_each([&](Index n) { second.push_back(nodes[n].name); });
  EXPECT_THAT(second, ElementsAre("a2", "n1"));
}

// A partition's own times go before the global ones; a node in several partitions has the largest.
TEST(SlurmNodes, TakeTheLargestTimesOfTheirPartitions) {
  Table t;
  t.group({"a"}, 4, Supply::dynamic);
  t.group({"b"}, 4, Supply::dynamic);
  t.group({"c"}, 4, Supply::dynamic);
  t.queue({0, 1});
  t.queue({1});
  t.queue({2});
  t.queue({1});
  t.conf.suspend_time = 300;
  t.conf.partitions.resize(4);
  t.conf.partitions[0].suspend_time = 20;
  t.conf.partitions[1].suspend_time = 60;
  t.conf.partitions[1].resume_timeout = 10;
  t.conf.partitions[2].suspend_timeout = 7;
  t.conf.partitions[3].suspend_time = 30;
  const Cluster cluster(t.spec);
  const NodeTable nodes(cluster, t.conf, t.names);
  EXPECT_EQ(nodes[0].suspend_time, 20);
  EXPECT_EQ(nodes[1].suspend_time, 60);
  EXPECT_EQ(nodes[2].suspend_time, 300);
  EXPECT_EQ(nodes[0].resume_timeout, 60);
  EXPECT_EQ(nodes[1].resume_timeout, 10) << "smaller than the global one, but its own";
  EXPECT_EQ(nodes[2].suspend_timeout, 7);
  EXPECT_EQ(nodes[0].suspend_timeout, 30);
}

TEST(SlurmNodes, CanBeSuspendedUnlessSlurmConfSaysNo) {
  Table t;
  t.group({"a1", "a2"}, 4, Supply::dynamic);
  t.group({"s"}, 4, Supply::permanent);
  t.queue({0, 1});
  t.conf.suspend_time = 60;
  t.conf.suspend_exc_nodes = {"a2"};
  const Cluster cluster(t.spec);
  const NodeTable nodes(cluster, t.conf, t.names);
  EXPECT_TRUE(nodes[0].can_suspend);
  EXPECT_FALSE(nodes[1].can_suspend) << "SuspendExcNodes";
  EXPECT_FALSE(nodes[2].can_suspend) << "it has no instance";
  Conf never;
  EXPECT_FALSE(NodeTable(cluster, never, t.names)[0].can_suspend) << "no SuspendTime";
}

// Four nodes of falling weight: up, powering up, powered down, and one more that is up.
class Powered {
 public:
  Powered() : bench_(spec(), nullptr, true, true) {
    bench_.schedule = [](const View&, Plan&) { return Time{0}; };
    bench_.scale = [this](const View&, std::span<const NodeId>, ScalePlan& plan) {
      if (!std::exchange(launched_, true)) {
        for (const std::uint32_t n : {0u, 1u, 3u}) {
          const NodeId id{n};
          plan.launch(std::span(&id, 1));
        }
      }
      return Time{0};
    };
    bench_.tell(Stimulus::Kind::node_back, 0);
    bench_.step(0);
    bench_.ready(0);
    bench_.ready(3);
    bench_.step(kMinute);
  }
  const Cluster& cluster() const { return bench_.cluster(); }
  std::vector<Index> by_rank(int version) const {
    const NodeTable nodes(cluster(), Conf{}, {"a", "b", "c", "d"});
    std::vector<Index> order = {0, 1, 2, 3};
    std::stable_sort(order.begin(), order.end(), [&](Index x, Index y) {
      return nodes.rank(cluster(), x, Version{version}, true) < nodes.rank(cluster(), y, Version{version}, true);
    });
    return order;
  }

 private:
  static ClusterSpec spec() {
    ClusterSpec spec;
    for (const std::int32_t weight : {4, 3, 2, 1}) spec.groups.push_back({1, 4, Supply::dynamic, weight, 0, 0});
    spec.queues.push_back({{GroupId{0}, GroupId{1}, GroupId{2}, GroupId{3}}});
    return spec;
  }
  bool launched_ = false;
  ControllerBench bench_;
};

TEST(SlurmNodes, PowerGoesBeforeWeight) {
  const Powered p;
  ASSERT_EQ(p.cluster().state(NodeId{1}), NodeState::powering_up);
  EXPECT_THAT(p.by_rank(2505), ElementsAre(3, 0, 1, 2)) << "up, powering up, powered down";
  EXPECT_THAT(p.by_rank(2411), ElementsAre(3, 1, 0, 2)) << "before 25.05 powering up is as good as up";
  EXPECT_THAT(p.by_rank(2205), ElementsAre(3, 1, 0, 2));
}

// Among powered-down nodes the weight counts since 23.02; before, they are all alike.
TEST(SlurmNodes, PoweredDownNodesHadOneWeightOnce) {
  ClusterSpec spec;
  for (const std::int32_t weight : {10, 1}) spec.groups.push_back({1, 4, Supply::dynamic, weight, 0, 0});
  spec.queues.push_back({{GroupId{0}, GroupId{1}}});
  const Cluster cluster(spec);
  const NodeTable nodes(cluster, Conf{}, {"p01", "s01"});
  EXPECT_GT(nodes.rank(cluster, 0, Version{2505}, true), nodes.rank(cluster, 1, Version{2505}, true));
  EXPECT_GT(nodes.rank(cluster, 0, Version{2302}, true), nodes.rank(cluster, 1, Version{2302}, true));
  EXPECT_EQ(nodes.rank(cluster, 0, Version{2205}, true), nodes.rank(cluster, 1, Version{2205}, true));
}

// Slurm 22.05: where some nodes of a kind and Weight have power, the others of them come after all other nodes.
TEST(SlurmNodes, PoweredDownNodesBesideOthersCameLastOnce) {
  ClusterSpec spec;
  spec.groups.push_back({1, 4, Supply::permanent, 1, 0, 0});  // a: has power
  spec.groups.push_back({1, 4, Supply::dynamic, 1, 0, 0});    // b: of its kind and weight
  spec.groups.push_back({1, 4, Supply::dynamic, 2, 0, 0});    // c: of another weight
  spec.groups.push_back({1, 8, Supply::dynamic, 1, 0, 0});    // d: of another kind
  spec.queues.push_back({{GroupId{0}, GroupId{1}, GroupId{2}, GroupId{3}}});
  spec.queues.push_back({{GroupId{1}, GroupId{2}, GroupId{3}}});
  const Cluster cluster(spec);
  Conf conf;
  conf.partitions.resize(2);
  const NodeTable nodes(cluster, conf, {"a", "b", "c", "d"});
  const auto ranks = nodes.rank_in(QueueId{0}, cluster, Version{2205});
  EXPECT_LT(ranks[0], ranks[2]);
  EXPECT_EQ(ranks[2], ranks[3]);
  EXPECT_LT(ranks[3], ranks[1]);
  const auto apart = nodes.rank_in(QueueId{1}, cluster, Version{2205});
  EXPECT_EQ(apart[1], apart[2]) << "in a partition without a";
  EXPECT_EQ(apart[1], apart[3]);
}

TEST(SlurmNodes, AreShownAsSinfoShowsThem) {
  const Powered p;
  NodeTable nodes(p.cluster(), Conf{}, {"a", "b", "c", "d"});
  const auto shown = [&](Index n) { return sinfo_state(p.cluster(), nodes, n); };
  EXPECT_EQ(shown(0), "idle");
  EXPECT_EQ(shown(1), "idle#");
  EXPECT_EQ(shown(2), "idle~");
  for (const Index n : {0u, 1u, 2u}) nodes.held.take(n, 4, 3, 0);
  EXPECT_EQ(shown(0), "mix");
  EXPECT_EQ(shown(1), "mix#");
  EXPECT_EQ(shown(2), "mix~");
  for (const Index n : {0u, 1u, 2u}) nodes.held.take(n, 4, 1, 0);
  EXPECT_EQ(shown(0), "alloc");
  EXPECT_EQ(shown(1), "alloc#");
  nodes[0].no_respond = true;
  EXPECT_EQ(shown(0), "alloc*");
  EXPECT_FALSE(nodes.available(p.cluster(), 0)) << "no job is given to a node that does not answer";
  nodes[0].no_respond = false;
  nodes.add_completing(0, 1);
  EXPECT_EQ(shown(0), "comp");
  EXPECT_EQ(nodes.completing().count(), 1);
  nodes[3].planned = true;
  EXPECT_EQ(shown(3), "plnd");
  EXPECT_TRUE(nodes.available(p.cluster(), 3));
  nodes[3].drain = true;
  EXPECT_EQ(shown(3), "drain");
  EXPECT_FALSE(nodes.available(p.cluster(), 3));
  nodes.held.take(3, 4, 1, 0);
  EXPECT_EQ(shown(3), "drng");
  nodes.held.give_back(2, 3, 0);
  nodes.held.give_back(2, 1, 0);
  nodes[2].down = true;
  EXPECT_EQ(shown(2), "down~");
  EXPECT_FALSE(nodes.available(p.cluster(), 2));
  nodes[2].down = false;
  nodes[2].power_cycle = true;
  EXPECT_EQ(shown(2), "idle%");
  EXPECT_FALSE(nodes.available(p.cluster(), 2));
  nodes[2].power_cycle = false;
  nodes[2].power_down_asked = true;
  EXPECT_EQ(shown(2), "idle!");
  EXPECT_THAT(nodes.available(p.cluster()).count(), 3) << "a, b and c; d is drained";
}

}  // namespace
}  // namespace headroom::slurm
