#include "models/cloud/mishaps.hpp"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace headroom {
namespace {

template <class Detail>
Stimulus about(NodeId node, Stimulus::Kind kind, Detail detail) {
  return {kind, number(node), static_cast<std::uint32_t>(detail)};
}

}  // namespace

double mean_to_interruption(std::string_view band) {
  static constexpr std::pair<std::string_view, double> kUpperEdges[] = {
      {"<5%", 0.05}, {"5-10%", 0.10}, {"10-15%", 0.15}, {"15-20%", 0.20}, {">20%", 0.30}};
  static constexpr double kMonth = 720.0 * 3600;
  for (const auto& [name, edge] : kUpperEdges) {
    if (name == band) return kMonth / -std::log1p(-edge);
  }
  return 0;
}

Mishaps::Mishaps(Plan plan) : plan_(std::move(plan)) {
  std::stable_sort(plan_.strikes.begin(), plan_.strikes.end(), [](const Strike& a, const Strike& b) {
    return std::tuple(number(a.node), a.at) < std::tuple(number(b.node), b.at);
  });
}

const Mishaps::Group* Mishaps::group(GroupId id) const {
  return index(id) < plan_.groups.size() ? &plan_.groups[index(id)] : nullptr;
}

Mishaps::Fate Mishaps::fate_of(const Launch& launch) const {
  Fate fate;
  std::vector<Foreseen>& news = fate.news;
  if (const Group* const g = group(launch.group)) {
    const Failures& failures = g->failures;
    // Always the same draws in the same order; what may take any number of them comes last.
    Substream stream(plan_.seed, Purpose::mishap, launch.number);
    fate.starts = stream.uniform() >= failures.failed_starts;
    fate.boots = stream.uniform() >= failures.boot_failures;
    if (stream.uniform() < failures.slow_boots) fate.slowness = failures.slow_factor;
    const double interrupted = -std::log(1.0 - stream.uniform());
    if (!fate.starts) {
      news.push_back({launch.running, about(launch.node, Stimulus::Kind::instance_lost, Loss::failed_start)});
    }
    const Offered offer = launch.offer < g->offers.size() ? g->offers[launch.offer] : Offered{};
    if (offer.mean_to_interruption > 0) {
      const auto seconds = static_cast<Time>(std::llround(interrupted * offer.mean_to_interruption));
      interrupt(launch, later(launch.running, seconds * kSecond), news);
    }
    if (failures.time_to_failure) {
      const Time at = later(launch.running, failures.time_to_failure->sample(stream));
      switch (failures.effect) {
        case Failures::Effect::hardware_failure:
          news.push_back({at, about(launch.node, Stimulus::Kind::instance_lost, Loss::hardware_failure)});
          break;
        case Failures::Effect::reboot:
          news.push_back({at, about(launch.node, Stimulus::Kind::instance_impaired, Impairment::rebooted)});
          break;
        case Failures::Effect::health_check:
          news.push_back({at, about(launch.node, Stimulus::Kind::instance_impaired, Impairment::health_check_failed)});
          break;
      }
    }
    for (const Outage& outage : plan_.outages) {
      if (outage.zone != offer.zone || outage.at <= launch.at) continue;
      news.push_back({outage.at, about(launch.node, Stimulus::Kind::instance_lost, Loss::hardware_failure)});
    }
  }
  if (launch.taken_back != kNever) {
    news.push_back({launch.taken_back, about(launch.node, Stimulus::Kind::instance_lost, Loss::end_of_reservation)});
  }
  // A node's instance at a certain time is the one launched before.
  auto next =
      std::upper_bound(plan_.strikes.begin(), plan_.strikes.end(), launch, [](const Launch& l, const Strike& s) {
        return std::tuple(number(l.node), l.at) < std::tuple(number(s.node), s.at);
      });
  for (; next != plan_.strikes.end() && next->node == launch.node; ++next) strike(launch, *next, news);

  std::stable_sort(news.begin(), news.end(), [](const Foreseen& a, const Foreseen& b) {
    return std::tuple(a.at, a.stimulus.kind) < std::tuple(b.at, b.stimulus.kind);
  });
  std::erase_if(news, [](const Foreseen& each) { return each.at == kNever; });
  const auto loss = std::find_if(news.begin(), news.end(), [](const Foreseen& each) {
    return each.stimulus.kind == Stimulus::Kind::instance_lost;
  });
  if (loss != news.end()) news.erase(std::next(loss), news.end());
  return fate;
}

void Mishaps::interrupt(const Launch& launch, Time notice, std::vector<Foreseen>& news) const {
  if (notice == kNever) return;
  // EC2 may recommend to leave only once the instance is there.
  const Time recommended = std::max(std::min(launch.running, notice), notice - plan_.rebalance_lead);
  const auto warn = [&](Time at, SpotWarning warning) {
    news.push_back({at, about(launch.node, Stimulus::Kind::spot_warned, warning)});
  };
  warn(recommended, SpotWarning::rebalance_recommendation);
  warn(notice, SpotWarning::interruption_notice);
  news.push_back(
      {later(notice, plan_.notice), about(launch.node, Stimulus::Kind::instance_lost, Loss::spot_interruption)});
}

void Mishaps::strike(const Launch& launch, const Strike& strike, std::vector<Foreseen>& news) const {
  const auto lose = [&](Loss loss) {
    news.push_back({strike.at, about(launch.node, Stimulus::Kind::instance_lost, loss)});
  };
  // An instance that does not run yet has nothing to reboot, to stop or to check.
  const auto impair = [&](Impairment impairment) {
    if (strike.at < launch.running) return;
    news.push_back({strike.at, about(launch.node, Stimulus::Kind::instance_impaired, impairment)});
  };
  switch (strike.kind) {
    case Strike::Kind::reboot:
      return impair(Impairment::rebooted);
    case Strike::Kind::stop:
      return impair(Impairment::stopped);
    case Strike::Kind::health_check:
      return impair(Impairment::health_check_failed);
    case Strike::Kind::scheduled_event:
      return impair(Impairment::scheduled_event);
    case Strike::Kind::hardware_failure:
      return lose(Loss::hardware_failure);
    case Strike::Kind::termination:
      return lose(Loss::external);
    case Strike::Kind::interruption:
      return interrupt(launch, strike.at, news);
  }
}

Time Mishaps::last_planned() const {
  Time last = -1;
  for (const Strike& each : plan_.strikes) last = std::max(last, each.at);
  for (const Outage& each : plan_.outages) last = std::max(last, each.at);
  return last;
}

}  // namespace headroom
