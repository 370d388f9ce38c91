#include "models/cloud/spot_prices.hpp"

#include <algorithm>

#include "models/cloud/capacity_pool.hpp"

namespace headroom {

MicroUsd SpotPrices::price_at(const Offer& offer, Time time) const {
  std::int64_t share = kDefaultShare;
  for (const SpotPriceRule& rule : rules_) {
    if (!matches_type(rule.instance_type, offer.type.name) || (!rule.zone.empty() && rule.zone != offer.zone)) continue;
    if (!rule.share) return rule.price.value(time);
    share = *rule.share;
    break;
  }
  return static_cast<MicroUsd>((static_cast<__int128>(offer.price_per_hour) * share + 500'000) / 1'000'000);
}

}  // namespace headroom
