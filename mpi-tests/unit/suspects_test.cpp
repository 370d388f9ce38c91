#include "mpi-tests/common/suspects.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpi-tests/common/tournament.hpp"

namespace headroom::mpi {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// 15 us and 10 000 MB/s, a little different from pair to pair; `spoil` makes some worse.
std::vector<PairResult> tournament(int nodes, const std::function<void(PairResult&)>& spoil = {}) {
  std::vector<PairResult> pairs;
  int round_number = 0;
  for (const Round& round : round_robin(nodes)) {
    for (const auto& [a, b] : round) {
      PairResult pair;
      pair.a = a;
      pair.b = b;
      pair.round = round_number;
      pair.latency_us = 15 + 0.1 * ((a * 7 + b * 3) % 5);
      pair.bandwidth_mb_s = 10'000 + 20 * ((a * 5 + b) % 7);
      if (spoil) spoil(pair);
      pairs.push_back(pair);
    }
    ++round_number;
  }
  return pairs;
}

std::vector<int> ranks(int nodes) {
  std::vector<int> result;
  for (int i = 0; i < nodes; ++i) result.push_back(i);
  return result;
}

std::vector<Suspect> first_look(const std::vector<PairResult>& pairs, int nodes) {
  return suspects_of(pairs, ranks(nodes), {});
}

TEST(MpiSuspects, AHealthyClusterHasNone) {
  for (const int nodes : {0, 1, 2, 3, 4, 5, 8, 33}) {
    EXPECT_THAT(first_look(tournament(nodes), nodes), IsEmpty()) << nodes;
    const auto pairs = tournament(nodes, [](PairResult& pair) { pair.latency_us = pair.bandwidth_mb_s = 100; });
    EXPECT_THAT(first_look(pairs, nodes), IsEmpty()) << nodes << ", all equal";
  }
}

TEST(MpiSuspects, OneSwitchMoreIsNoFault) {
  // Two modes of latency in a placement group, 13 and 15.7 us for pairs on one and on two last network nodes
  // (measured on hpc6a; a quarter of the pairs are near): neither is a suspect.
  const auto pairs = tournament(16, [](PairResult& pair) { pair.latency_us = pair.a / 4 == pair.b / 4 ? 13 : 15.7; });
  EXPECT_THAT(first_look(pairs, 16), IsEmpty());
}

TEST(MpiSuspects, ASlowNodeIsNamedAndNotItsPairs) {
  for (const int nodes : {3, 4, 5, 8, 16}) {
    auto pairs = tournament(nodes, [](PairResult& pair) {
      if (pair.a == 1 || pair.b == 1) pair.latency_us = 60;
    });
    const std::vector<Suspect> suspects = first_look(pairs, nodes);
    ASSERT_FALSE(suspects.empty()) << nodes;
    EXPECT_TRUE(suspects[0].is_node);
    EXPECT_EQ(suspects[0].rank, 1);
    const std::vector<std::size_t> again = pairs_to_retest(pairs, suspects, 1000);
    EXPECT_THAT(again, SizeIs(static_cast<std::size_t>(nodes - 1)));
    for (const std::size_t i : again) {
      pairs[i].retested = true;
      pairs[i].alone_latency_us = 58;
      pairs[i].alone_bandwidth_mb_s = 10'000;
    }
    const Verdict verdict = confirm(pairs, ranks(nodes), suspects, {});
    ASSERT_THAT(verdict.suspects, SizeIs(1)) << nodes;
    EXPECT_TRUE(verdict.suspects[0].is_node);
    EXPECT_EQ(verdict.suspects[0].rank, 1);
    EXPECT_THAT(verdict.suspects[0].why, HasSubstr("times the median (60.00 us"));
    EXPECT_THAT(verdict.cleared, IsEmpty());
  }
}

TEST(MpiSuspects, ASlowPairIsNamedAndNotItsNodes) {
  for (const int nodes : {3, 4, 5, 8, 16}) {
    auto pairs = tournament(nodes, [](PairResult& pair) {
      if (pair.a == 0 && pair.b == 2) pair.bandwidth_mb_s = 1'000;
    });
    const std::vector<Suspect> suspects = first_look(pairs, nodes);
    ASSERT_THAT(suspects, SizeIs(1)) << nodes;
    EXPECT_FALSE(suspects[0].is_node);
    EXPECT_EQ(suspects[0].a, 0);
    EXPECT_EQ(suspects[0].b, 2);
    for (const std::size_t i : pairs_to_retest(pairs, suspects, 1000)) {
      pairs[i].retested = true;
      pairs[i].alone_latency_us = 15;
      pairs[i].alone_bandwidth_mb_s = 10'050;
    }
    const Verdict verdict = confirm(pairs, ranks(nodes), suspects, {});
    EXPECT_THAT(verdict.suspects, IsEmpty());
    ASSERT_THAT(verdict.cleared, SizeIs(1)) << nodes;
    EXPECT_THAT(verdict.cleared[0].why, HasSubstr("bandwidth 0.10 of the median"));
    EXPECT_THAT(verdict.cleared[0].why, HasSubstr("alone latency 1.0 and bandwidth 1.00"));
  }
}

TEST(MpiSuspects, WhatThereWasNoTimeForStaysSuspect) {
  const auto pairs = tournament(8, [](PairResult& pair) {
    if (pair.a == 3 && pair.b == 4) pair.latency_us = 100;
  });
  const std::vector<Suspect> suspects = first_look(pairs, 8);
  EXPECT_THAT(pairs_to_retest(pairs, suspects, 0), IsEmpty());
  const Verdict verdict = confirm(pairs, ranks(8), suspects, {});
  ASSERT_THAT(verdict.suspects, SizeIs(1));
  EXPECT_THAT(verdict.suspects[0].why, HasSubstr("not measured again"));
}

TEST(MpiSuspects, NoiseOfMicrosecondsIsNone) {
  // Shared memory: 0.2 us and once 1.5 us is many medians and no fault.
  const auto pairs = tournament(6, [](PairResult& pair) { pair.latency_us = pair.a == 0 && pair.b == 1 ? 1.5 : 0.2; });
  EXPECT_THAT(first_look(pairs, 6), IsEmpty());
}

TEST(MpiSuspects, OfHundredsOfHostsAQuarterInAnotherPlaceIsNamed) {
  // 64 of 256 hosts reach the others slowly: 12 288 of 32 640 pairs look bad.
  const auto pairs = tournament(256, [](PairResult& pair) {
    if ((pair.a % 4 == 0) != (pair.b % 4 == 0)) pair.latency_us = 90;
  });
  const std::vector<Suspect> suspects = first_look(pairs, 256);
  EXPECT_THAT(suspects, SizeIs(64 + 12'288));
  EXPECT_THAT(pairs_to_retest(pairs, suspects, 200), SizeIs(200));
  const Verdict verdict = confirm(pairs, ranks(256), suspects, {});
  EXPECT_THAT(verdict.suspects, SizeIs(64));
  for (const Suspect& suspect : verdict.suspects) EXPECT_TRUE(suspect.is_node && suspect.rank % 4 == 0);
  EXPECT_THAT(verdict.cleared, IsEmpty());
}

TEST(MpiSuspects, NodesHaveScores) {
  const auto pairs = tournament(4, [](PairResult& pair) {
    pair.latency_us = pair.a == 3 || pair.b == 3 ? 20 : 10;
    pair.bandwidth_mb_s = 100;
  });
  const std::vector<NodeResult> nodes = score_nodes(pairs, ranks(4));
  ASSERT_THAT(nodes, SizeIs(4));
  EXPECT_DOUBLE_EQ(nodes[3].latency_us, 20);
  EXPECT_DOUBLE_EQ(nodes[3].latency_score, 50);  // 10 us over a floor of 2 % of 10 us
  EXPECT_DOUBLE_EQ(nodes[0].latency_score, 0);
  EXPECT_DOUBLE_EQ(nodes[3].bandwidth_score, 0);
}

}  // namespace
}  // namespace headroom::mpi
