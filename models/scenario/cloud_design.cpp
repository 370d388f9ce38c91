#include "models/scenario/cloud_design.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "models/errors.hpp"
#include "models/files.hpp"

namespace headroom {
namespace {

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

Steps<CapacityLimit> read_capacity_series(std::string_view text, const std::string& name) {
  static constexpr double kMostSeconds = 1e10;
  Steps<CapacityLimit> steps;
  int line_number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    if (line.empty()) continue;
    const auto refuse = [&](std::string_view what) {
      throw InputError(fmt::format("{}:{}: {}", name, line_number, what));
    };
    const std::size_t comma = line.find(',');
    const auto seconds = number_in<double>(trimmed(line.substr(0, comma)));
    if (!seconds && steps.at.empty() && line_number == 1) continue;
    if (!seconds || !(*seconds >= 0 && *seconds <= kMostSeconds) || comma == std::string_view::npos) {
      refuse("expected time_s,limit with a time from 0 s to 10^10 s");
    }
    CapacityLimit limit;
    if (const std::string_view word = trimmed(line.substr(comma + 1)); !word.empty()) {
      limit = number_in<std::int64_t>(word);
      if (!limit || *limit < 0)
        refuse(fmt::format("found the limit \"{}\", expected an integer from 0, or nothing", word));
    }
    const auto at = static_cast<Time>(std::llround(*seconds * static_cast<double>(kSecond)));
    if (!steps.at.empty() && at <= steps.at.back().first) refuse("the time is not after the line before it");
    steps.at.emplace_back(at, limit);
  }
  if (steps.at.empty()) throw InputError(name + ": no line of a series; expected time_s,limit");
  steps.before = steps.at.front().second;
  return steps;
}

Ec2Settings ec2_settings(const Scenario& scenario, const Design& design, Time origin) {
  Ec2Settings settings;
  settings.seed = scenario.seed;
  settings.origin = origin;
  if (design.is_pool) return settings;
  const CloudOptions& cloud = scenario.cloud;
  for (const CapacityOption& option : cloud.capacity) {
    CapacityRule rule = option.rule;
    if (!option.series.empty()) {
      const std::filesystem::path path = std::filesystem::path(scenario.file).parent_path() / option.series;
      try {
        rule.limit = read_capacity_series(read_file(path.string()), path.string());
      } catch (const InputError& error) {
        throw InputError(fmt::format("{}: {}", option.place, error.what()));
      }
    }
    settings.capacity.push_back(std::move(rule));
  }
  settings.fabrics = design.fabrics;
  settings.placement_groups = scenario.placement_groups;
  settings.placement_scope = scenario.network.placement_scope;
  for (std::size_t g = 0; g < design.groups.size(); ++g) {
    const GroupFacts& facts = design.groups[g];
    Fleet& fleet = settings.fleets.emplace_back();
    fleet.purchase = facts.purchase;
    fleet.strategy = facts.purchase == Purchase::spot ? cloud.spot_strategy.value_or(scenario.groups[g].spot_strategy)
                                                      : cloud.on_demand_strategy;
    fleet.offers = facts.offers;
    fleet.placement_group = facts.placement_group;
    fleet.reservations = scenario.groups[g].reservations;
    const bool known =
        std::any_of(settings.placement_groups.begin(), settings.placement_groups.end(),
                    [&](const PlacementGroupDesign& each) { return each.name == facts.placement_group; });
    if (!known && !facts.placement_group.empty()) settings.placement_groups.push_back({facts.placement_group});
  }
  settings.reservations = design.reservations;
  for (const SubnetDesign& subnet : scenario.subnets) {
    if (subnet.free_addresses) settings.free_addresses[subnet.id] = *subnet.free_addresses;
  }
  settings.quotas = cloud.quotas;
  settings.throttling = cloud.throttling;
  settings.spot_prices = design.spot_prices;
  settings.run_instances = cloud.run_instances;
  settings.api_latency = cloud.api_latency;
  settings.consistency_delay = cloud.consistency_delay;
  return settings;
}

}  // namespace headroom
