#include "models/cloud/spot_prices.hpp"

#include <gtest/gtest.h>

namespace headroom {
namespace {

Offer offer_of(const std::string& type, const std::string& zone, MicroUsd price) {
  Offer offer;
  offer.type.name = type;
  offer.zone = zone;
  offer.price_per_hour = price;
  return offer;
}

// The price of all pools.
SpotPrices price(Steps<MicroUsd> steps) {
  SpotPriceRule rule;
  rule.price = std::move(steps);
  return SpotPrices(std::vector<SpotPriceRule>{rule});
}

TEST(SpotPrices, AreAShareOfTheOnDemandPriceWhereNothingIsSaid) {
  const SpotPrices prices;
  EXPECT_EQ(prices.price_at(offer_of("c6i.large", "", 1'000'000), 0), 350'000);
  EXPECT_EQ(prices.price_at(offer_of("c6i.large", "", 1), 5 * kHour), 0) << "0.35 millionths, rounded";
}

TEST(SpotPrices, ComeFromTheFirstRuleThatNamesThePool) {
  const SpotPrices prices({{.instance_type = "c6i.large", .zone = "us-east-1b", .price = {70'000}},
                           {.instance_type = "c6i.*", .share = 500'000},
                           {.price = {1, {{kHour, 2}}}}});
  EXPECT_EQ(prices.price_at(offer_of("c6i.large", "us-east-1b", 85'000), 0), 70'000);
  EXPECT_EQ(prices.price_at(offer_of("c6i.large", "us-east-1a", 85'000), 0), 42'500);
  EXPECT_EQ(prices.price_at(offer_of("c7g.large", "us-east-1a", 85'000), kHour - 1), 1);
  EXPECT_EQ(prices.price_at(offer_of("c7g.large", "us-east-1a", 85'000), kHour), 2);
}

// The price rises from 0.36 to 0.72 USD/h at 90 minutes. An instance that runs from 1 h to 3 h 30 min begins its hours
// at 1 h (0.36), 2 h (0.72) and 3 h (0.72, half of it): 0.36 + 0.72 + 0.36 = 1.44 USD.
TEST(SpotPrices, CostEachHourWhatStoodAtItsBeginning) {
  const SpotPrices prices = price({360'000, {{90 * kMinute, 720'000}}});
  const Offer offer = offer_of("c6i.large", "", 9);
  EXPECT_EQ(prices.cost(offer, kHour, 3 * kHour + 30 * kMinute, false), 1'440'000);
  EXPECT_EQ(prices.cost(offer, kHour, 3 * kHour + 30 * kMinute, true), 1'440'000) << "after its first hour";
  EXPECT_EQ(prices.cost(offer, kHour, 2 * kHour, false), 360'000) << "the price that stood when the hour began";
}

TEST(SpotPrices, CostNothingWhereEc2InterruptsInTheFirstHourAndAMinuteAtLeast) {
  const SpotPrices prices = price({3'600'000});
  const Offer offer = offer_of("c6i.large", "", 9);
  EXPECT_EQ(prices.cost(offer, 0, kHour - 1, true), 0);
  EXPECT_EQ(prices.cost(offer, 0, kHour, true), 3'600'000);
  EXPECT_EQ(prices.cost(offer, 0, 10 * kSecond, false), 60'000) << "a minute";
  EXPECT_EQ(prices.cost(offer, 0, 90 * kSecond, false), 90'000);
}

}  // namespace
}  // namespace headroom
