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

MicroUsd SpotPrices::cost(const Offer& offer, Time running, Time end, bool interrupted) const {
  if (interrupted && end - running < kHour) return 0;
  end = std::max(end, later(running, kMinute));
  __int128 sum = 0;
  for (Time hour = running; hour < end; hour += kHour) {
    sum += static_cast<__int128>(price_at(offer, hour)) * (std::min(end, hour + kHour) - hour);
  }
  return static_cast<MicroUsd>((sum + kHour / 2) / kHour);
}

}  // namespace headroom
