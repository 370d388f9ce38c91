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

}  // namespace
}  // namespace headroom
