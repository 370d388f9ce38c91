// Spot prices over time; what an instance costs by them is Bill's (models/report/bill.hpp). Hides where a price comes
// from: a fixed one, a share of the on-demand price, or a series of steps.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/cloud/offer.hpp"
#include "models/cloud/steps.hpp"

namespace headroom {

// The price of the pools that it names; of several, the first that does.
struct SpotPriceRule {
  std::string instance_type = "*";         // "c6i.large", "c6i.*" or "*"
  std::string zone = {};                   // empty: any
  std::optional<std::int64_t> share = {};  // of the on-demand price, in millionths; in place of `price`
  Steps<MicroUsd> price = {};              // per hour
};

class SpotPrices {
 public:
  // Median saving against on demand of the Spot Instance Advisor: 65 % (us-west-2; us-east-1 66 %), June 2025.
  static constexpr std::int64_t kDefaultShare = 350'000;

  SpotPrices() = default;
  explicit SpotPrices(std::vector<SpotPriceRule> rules) : rules_(std::move(rules)) {}

  // Per hour; times from the run's start.
  MicroUsd price_at(const Offer& offer, Time time) const;

 private:
  std::vector<SpotPriceRule> rules_;
};

}  // namespace headroom
