#include "mpi-tests/common/statistics.hpp"

#include <gtest/gtest.h>

namespace headroom::mpi {
namespace {

TEST(MpiStatistics, PercentilesAreSamplesByNearestRank) {
  std::vector<double> samples;
  for (int i = 200; i >= 1; --i) samples.push_back(i);
  const Distribution all = distribution_of(samples);
  EXPECT_EQ(all.min, 1);
  EXPECT_EQ(all.p50, 100);
  EXPECT_EQ(all.p95, 190);
  EXPECT_EQ(all.p99, 198);
  EXPECT_EQ(all.max, 200);
  EXPECT_DOUBLE_EQ(all.mean, 100.5);
  const Distribution one = distribution_of({7});
  EXPECT_EQ(one.p50, 7);
  EXPECT_EQ(one.p99, 7);
  const Distribution two = distribution_of({9, 1});
  EXPECT_EQ(two.p50, 1);
  EXPECT_EQ(two.p95, 9);
  EXPECT_EQ(distribution_of({}).max, 0);
}

TEST(MpiStatistics, HalfOfTheSamplesMayBeBad) {
  EXPECT_EQ(better_median({10, 10, 90, 90}, Better::kLower), 10);
  EXPECT_EQ(better_median({10, 10, 90, 90}, Better::kHigher), 90);
  EXPECT_EQ(better_median({1, 2, 3}, Better::kLower), 2);
  EXPECT_EQ(better_median({1, 2, 3}, Better::kHigher), 2);
  EXPECT_EQ(better_median({5, 1}, Better::kLower), 1);
  EXPECT_EQ(better_median({}, Better::kLower), 0);
}

TEST(MpiStatistics, SpreadIsLikeAStandardDeviationAndNeverZero) {
  // Deviations 2 1 0 1 2: their median is 1.
  EXPECT_DOUBLE_EQ(centre_of({1, 2, 3, 4, 5}, Better::kLower).spread, 1.4826);
  const Centre equal = centre_of({10, 10, 10}, Better::kLower);
  EXPECT_DOUBLE_EQ(equal.spread, 0.2);
  EXPECT_DOUBLE_EQ(score(11, equal, Better::kLower), 5);
  EXPECT_DOUBLE_EQ(score(11, equal, Better::kHigher), -5);
  EXPECT_EQ(score(11, centre_of({}, Better::kLower), Better::kLower), 0);
}

}  // namespace
}  // namespace headroom::mpi
