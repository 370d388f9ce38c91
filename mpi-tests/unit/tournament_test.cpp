#include "mpi-tests/common/tournament.hpp"

#include <set>

#include <gtest/gtest.h>

namespace headroom::mpi {
namespace {

TEST(MpiTournament, EveryPairMeetsOnceAndNobodyPlaysTwiceInARound) {
  for (int players = 0; players <= 65; ++players) {
    const std::vector<Round> rounds = round_robin(players);
    std::set<std::pair<int, int>> met;
    for (const Round& round : rounds) {
      std::set<int> busy;
      for (const auto& [a, b] : round) {
        EXPECT_LT(a, b);
        EXPECT_GE(a, 0);
        EXPECT_LT(b, players);
        EXPECT_TRUE(met.emplace(a, b).second) << a << " meets " << b << " twice";
        EXPECT_TRUE(busy.insert(a).second && busy.insert(b).second);
      }
      EXPECT_EQ(static_cast<int>(round.size()), players / 2) << players << " players";
    }
    EXPECT_EQ(static_cast<int>(met.size()), players * (players - 1) / 2);
    EXPECT_EQ(static_cast<int>(rounds.size()), players < 2 ? 0 : players % 2 == 0 ? players - 1 : players);
  }
}

}  // namespace
}  // namespace headroom::mpi
