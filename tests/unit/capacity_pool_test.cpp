#include "models/cloud/capacity_pool.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace headroom {
namespace {

TEST(CapacityPool, NamesTypesByTheirBeginning) {
  EXPECT_TRUE(matches_type("*", "c6i.large"));
  EXPECT_TRUE(matches_type("c6i.*", "c6i.large"));
  EXPECT_TRUE(matches_type("c6i.large", "c6i.large"));
  EXPECT_FALSE(matches_type("c6i.*", "c6in.large"));
  EXPECT_FALSE(matches_type("c6i", "c6i.large"));
}

TEST(CapacityPool, HasNoLimitWithoutARuleThatNamesIt) {
  std::vector<CapacityRule> rules(3);
  rules[0] = {.instance_type = "c7g.*", .limit = {1}};
  rules[1] = {.instance_type = "c6i.*", .zone = "us-east-1b", .limit = {2}};
  rules[2] = {.on_demand = false, .limit = {3}};
  CapacityPool pool("c6i.large", "us-east-1a", false, rules, 1);
  EXPECT_EQ(pool.spare(0), std::nullopt);
  CapacityPool other_zone("c6i.large", "us-east-1b", false, rules, 1);
  EXPECT_EQ(other_zone.spare(0), 2);
  CapacityPool spot("c6i.large", "us-east-1a", true, rules, 1);
  EXPECT_EQ(spot.spare(0), 3);
}

TEST(CapacityPool, HasTheLowestOfItsLimits) {
  const std::vector<CapacityRule> rules = {{.limit = {10}}, {.instance_type = "c6i.large", .limit = {4}}};
  CapacityPool pool("c6i.large", "", false, rules, 1);
  EXPECT_EQ(pool.spare(0), 4);
  pool.take();
  EXPECT_EQ(pool.spare(0), 3);
  pool.give_back();
  EXPECT_EQ(pool.spare(0), 4);
}

// Ten, none from 1 h to 2 h (a drought), then no limit.
TEST(CapacityPool, FollowsASchedule) {
  std::vector<CapacityRule> rules(1);
  rules[0].limit = {10, {{kHour, 0}, {2 * kHour, std::nullopt}}};
  CapacityPool pool("c6i.large", "", false, rules, 1);
  EXPECT_EQ(pool.spare(0), 10);
  for (int i = 0; i < 6; ++i) pool.take();
  EXPECT_EQ(pool.spare(kHour - 1), 4);
  EXPECT_EQ(pool.spare(kHour), 0) << "below what is in use nothing is left, and nothing is taken away";
  EXPECT_EQ(pool.in_use(), 6);
  EXPECT_EQ(pool.spare(2 * kHour), std::nullopt);
}

TEST(CapacityPool, RepeatsAScheduleEveryPeriod) {
  std::vector<CapacityRule> rules(1);
  rules[0].limit = {100, {{8 * kHour, 5}, {18 * kHour, 100}}, 24 * kHour};
  CapacityPool pool("c6i.large", "", false, rules, 1);
  for (int day = 0; day < 3; ++day) {
    const Time midnight = day * 24 * kHour;
    EXPECT_EQ(pool.spare(midnight), 100);
    EXPECT_EQ(pool.spare(midnight + 8 * kHour), 5);
    EXPECT_EQ(pool.spare(midnight + 18 * kHour), 100);
  }
}

std::vector<CapacityRule> random_rule(double mean, double sd, Time correlation, Time step) {
  std::vector<CapacityRule> rules(1);
  rules[0].random = RandomCapacity{mean, sd, correlation, step};
  return rules;
}

// 100 000 steps of a minute: the mean, the spread, and the correlation between neighbours and over the correlation time
// are those that were asked for. A sample of that length is good to about 2 %.
TEST(CapacityPool, WandersAroundItsMean) {
  const std::vector<CapacityRule> rules = random_rule(500, 50, 20 * kMinute, kMinute);
  CapacityPool pool("c6i.large", "us-east-1a", false, rules, 7);
  std::vector<double> x;
  for (Time t = 0; t < 100'000 * kMinute; t += kMinute) x.push_back(static_cast<double>(*pool.spare(t)));
  const auto n = static_cast<double>(x.size());
  double mean = 0;
  for (const double v : x) mean += v / n;
  const auto covariance = [&](std::size_t lag) {
    double sum = 0;
    for (std::size_t i = 0; i + lag < x.size(); ++i) sum += (x[i] - mean) * (x[i + lag] - mean);
    return sum / static_cast<double>(x.size() - lag);
  };
  EXPECT_NEAR(mean, 500, 3);
  EXPECT_NEAR(std::sqrt(covariance(0)), 50, 2);
  EXPECT_NEAR(covariance(1) / covariance(0), std::exp(-1.0 / 20), 0.01);
  EXPECT_NEAR(covariance(20) / covariance(0), std::exp(-1.0), 0.05);
}

TEST(CapacityPool, WandersTheSameWayHoweverOftenItIsLookedAt) {
  const std::vector<CapacityRule> rules = random_rule(20, 10, kHour, kMinute);
  CapacityPool often("c6i.large", "us-east-1a", true, rules, 3);
  CapacityPool seldom("c6i.large", "us-east-1a", true, rules, 3);
  CapacityPool other("c6i.large", "us-east-1b", true, rules, 3);
  int differences = 0;
  for (Time t = 0; t < 1000 * kMinute; t += 20 * kSecond) {
    const CapacityLimit now = often.spare(t);
    ASSERT_GE(*now, 0);
    if (t % (50 * kMinute) == 0) {
      EXPECT_EQ(now, seldom.spare(t));
      if (now != other.spare(t)) ++differences;
    }
  }
  EXPECT_GT(differences, 10) << "each pool on its own";
}

TEST(CapacityPool, IsConstantWithoutSpread) {
  const std::vector<CapacityRule> rules = random_rule(12.4, 0, kHour, kMinute);
  CapacityPool pool("c6i.large", "", false, rules, 3);
  EXPECT_EQ(pool.spare(0), 12);
  EXPECT_EQ(pool.spare(100 * kHour), 12);
}

}  // namespace
}  // namespace headroom
