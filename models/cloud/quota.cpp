#include "models/cloud/quota.hpp"

#include <algorithm>

namespace headroom {

QuotaFamily quota_family(std::string_view type) {
  const auto* const end = std::find_if(type.begin(), type.end(), [](char c) { return c < 'a' || c > 'z'; });
  const std::string_view letters = type.substr(0, static_cast<std::size_t>(end - type.begin()));
  if (letters == "hpc") return QuotaFamily::hpc;
  if (letters == "inf") return QuotaFamily::inf;
  if (letters == "trn") return QuotaFamily::trn;
  if (letters == "dl") return QuotaFamily::dl;
  if (letters == "vt") return QuotaFamily::g;
  switch (letters.empty() ? '\0' : letters.front()) {
    case 'p':
      return QuotaFamily::p;
    case 'g':
      return QuotaFamily::g;
    case 'f':
      return QuotaFamily::f;
    case 'x':
      return QuotaFamily::x;
    case 'u':
      return QuotaFamily::high_memory;
    default:
      return QuotaFamily::standard;
  }
}

bool QuotaLimits::any() const {
  const auto given = [](const auto& limit) { return limit.has_value(); };
  return instances || std::any_of(on_demand.begin(), on_demand.end(), given) ||
         std::any_of(spot.begin(), spot.end(), given);
}

std::optional<Refusal> Quota::refusal(bool spot, QuotaFamily family, std::int64_t vcpus) const {
  const auto f = static_cast<std::size_t>(family);
  const std::optional<std::int64_t>& limit = spot ? limits_.spot[f] : limits_.on_demand[f];
  if (!limit || (spot ? spot_ : on_demand_)[f] + vcpus <= *limit) return std::nullopt;
  return spot ? Refusal::max_spot_instance_count_exceeded : Refusal::vcpu_limit_exceeded;
}

std::optional<Refusal> Quota::instance_refusal(Time now) {
  while (!terminated_.empty() && terminated_.front() <= now) terminated_.pop_front();
  const auto counted = instances_ + static_cast<std::int64_t>(terminated_.size());
  if (!limits_.instances || counted < *limits_.instances) return std::nullopt;
  return Refusal::instance_limit_exceeded;
}

void Quota::give_back_instance(Time now) {
  --instances_;
  if (limits_.instances && limits_.terminated_for > 0) terminated_.push_back(later(now, limits_.terminated_for));
}

}  // namespace headroom
