#include "models/cloud/capacity_pool.hpp"

#include <cmath>

namespace headroom {
namespace {

constexpr std::int64_t kBillion = 1'000'000'000;

}  // namespace

bool matches_type(std::string_view pattern, std::string_view type) {
  if (!pattern.ends_with('*')) return pattern == type;
  return type.starts_with(pattern.substr(0, pattern.size() - 1));
}

CapacityPool::CapacityPool(const std::string& type, const std::string& zone, bool spot,
                           const std::vector<CapacityRule>& rules, std::uint64_t seed)
    : type_(type), zone_(zone), spot_(spot) {
  for (std::size_t r = 0; r < rules.size(); ++r) {
    const CapacityRule& rule = rules[r];
    if (!matches_type(rule.instance_type, type) || (!rule.zone.empty() && rule.zone != zone)) continue;
    if (spot ? !rule.spot : !rule.on_demand) continue;
    Limit limit{&rule, {}};
    if (rule.random) {
      const std::string name = std::to_string(r) + "/" + type + "/" + zone + (spot ? "/spot" : "/on-demand");
      const double keeps =
          std::exp(-static_cast<double>(rule.random->step) / static_cast<double>(rule.random->correlation));
      Walk walk{*rule.random, Substream(seed, Purpose::capacity, name_number(name))};
      walk.keeps = std::llround(keeps * static_cast<double>(kBillion));
      walk.deviation = std::llround(1000 * rule.random->sd * std::sqrt(1 - keeps * keeps));
      // It is in its long run from the beginning.
      walk.value = std::llround(1000 * (rule.random->mean + rule.random->sd * walk.stream.normal()));
      limit.walk = walk;
    }
    limits_.push_back(std::move(limit));
  }
}

std::int64_t CapacityPool::Walk::at(Time now) {
  const std::int64_t mean = std::llround(1000 * law.mean);
  for (; steps < now / law.step; ++steps) {
    const std::int64_t draw = std::llround(static_cast<double>(deviation) * stream.normal());
    value = mean + static_cast<std::int64_t>(static_cast<__int128>(value - mean) * keeps / kBillion) + draw;
  }
  return value <= 0 ? 0 : (value + 500) / 1000;
}

CapacityLimit CapacityPool::spare(Time now) {
  CapacityLimit lowest;
  for (Limit& each : limits_) {
    const CapacityLimit limit = each.walk ? each.walk->at(now) : each.rule->limit.value(now);
    if (limit && (!lowest || *limit < *lowest)) lowest = limit;
  }
  if (!lowest) return std::nullopt;
  return std::max<std::int64_t>(0, *lowest - in_use_);
}

}  // namespace headroom
