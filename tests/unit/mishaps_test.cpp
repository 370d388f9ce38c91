#include "models/cloud/mishaps.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/cloud/simulated_cloud.hpp"

namespace headroom {
namespace {

using Kind = Stimulus::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Distribution exponential(double mean) { return {.kind = Distribution::Kind::exponential, .a = mean}; }
constexpr Distribution seconds(double s) { return {Distribution::Kind::constant, s}; }

// One group of one offer, in zone "a".
Mishaps::Plan plan_of(Failures failures = {}, double mean_to_interruption = 0) {
  Mishaps::Plan plan;
  plan.groups.push_back({failures, {{"a", mean_to_interruption}}});
  return plan;
}
Mishaps::Launch launch(std::uint64_t number, std::uint32_t node = 0, Time at = 0) {
  return {number, GroupId{0}, NodeId{node}, 0, at, at + 10 * kSecond};
}
double in_seconds(Time time) { return static_cast<double>(time) / static_cast<double>(kSecond); }

Mishaps::Foreseen lost(std::int64_t at_s, Loss loss, std::uint32_t node = 0) {
  return {at_s * kSecond, {Kind::instance_lost, node, static_cast<std::uint32_t>(loss)}};
}
Mishaps::Foreseen impaired(std::int64_t at_s, Impairment impairment, std::uint32_t node = 0) {
  return {at_s * kSecond, {Kind::instance_impaired, node, static_cast<std::uint32_t>(impairment)}};
}
Mishaps::Foreseen warned(std::int64_t at_s, SpotWarning warning, std::uint32_t node = 0) {
  return {at_s * kSecond, {Kind::spot_warned, node, static_cast<std::uint32_t>(warning)}};
}

TEST(Mishaps, AreNoneWithoutAPlan) {
  for (const Mishaps& mishaps : {Mishaps(), Mishaps(plan_of())}) {
    for (std::uint64_t n = 0; n < 100; ++n) {
      const Mishaps::Fate fate = mishaps.fate_of(launch(n));
      EXPECT_TRUE(fate.starts && fate.boots);
      EXPECT_EQ(fate.slowness, 1);
      EXPECT_THAT(fate.news, IsEmpty());
    }
    EXPECT_EQ(mishaps.last_planned(), -1);
  }
}

TEST(Mishaps, TakeTheUpperEdgeOfAMonthlyBand) {
  const auto per_hour = [](std::string_view band) { return 3600 / mean_to_interruption(band); };
  EXPECT_NEAR(per_hour("<5%"), 7.12e-5, 1e-7);
  EXPECT_NEAR(per_hour("15-20%"), 3.10e-4, 1e-6);
  EXPECT_GT(per_hour(">20%"), 3.10e-4);
  for (const auto& [band, share] :
       {std::pair{"<5%", 0.05}, std::pair{"5-10%", 0.1}, std::pair{"10-15%", 0.15}, std::pair{">20%", 0.3}}) {
    EXPECT_NEAR(1 - std::exp(-720 * per_hour(band)), share, 1e-12) << band;
  }
  EXPECT_EQ(mean_to_interruption("never"), 0);
}

// Of 100 000 launches as many are interrupted within a month as the band says, after times that are exponential.
TEST(Mishaps, InterruptSpotInstancesAsOftenAsTheirBandSays) {
  const double mean = mean_to_interruption("10-15%");
  const Mishaps mishaps(plan_of({}, mean));
  constexpr int kLaunches = 100'000;
  int in_a_month = 0;
  double sum = 0;
  for (std::uint64_t n = 0; n < kLaunches; ++n) {
    const Mishaps::Launch one = launch(n);
    const Mishaps::Fate fate = mishaps.fate_of(one);
    ASSERT_EQ(fate.news.size(), 3u);
    const Time notice = fate.news[1].at;
    ASSERT_GE(notice, one.running);
    ASSERT_EQ(fate.news[0].at, notice) << "the recommendation comes with the notice";
    ASSERT_EQ(fate.news[2].at, notice + 120 * kSecond);
    sum += in_seconds(notice - one.running);
    in_a_month += notice - one.running < 720 * kHour ? 1 : 0;
  }
  EXPECT_NEAR(sum / kLaunches, mean, 3.3 * mean / std::sqrt(kLaunches));
  EXPECT_NEAR(in_a_month, 0.15 * kLaunches, 3.3 * std::sqrt(0.15 * 0.85 * kLaunches));
}

TEST(Mishaps, WarnBeforeASpotInstanceIsTakenBack) {
  Mishaps::Plan plan = plan_of();
  plan.strikes.push_back({1000 * kSecond, NodeId{3}, Mishaps::Strike::Kind::interruption});
  EXPECT_THAT(Mishaps(plan).fate_of(launch(0, 3)).news,
              ElementsAre(warned(1000, SpotWarning::rebalance_recommendation, 3),
                          warned(1000, SpotWarning::interruption_notice, 3), lost(1120, Loss::spot_interruption, 3)));
  plan.rebalance_lead = 300 * kSecond;
  plan.notice = 60 * kSecond;
  EXPECT_THAT(Mishaps(plan).fate_of(launch(0, 3)).news,
              ElementsAre(warned(700, SpotWarning::rebalance_recommendation, 3),
                          warned(1000, SpotWarning::interruption_notice, 3), lost(1060, Loss::spot_interruption, 3)));
  EXPECT_THAT(Mishaps(plan).fate_of(launch(0, 3, 800 * kSecond)).news,
              ElementsAre(warned(810, SpotWarning::rebalance_recommendation, 3),
                          warned(1000, SpotWarning::interruption_notice, 3), lost(1060, Loss::spot_interruption, 3)))
      << "not before it runs";
  EXPECT_THAT(Mishaps(plan).fate_of(launch(0, 4)).news, IsEmpty());
}

TEST(Mishaps, FailInstancesByTheirLaw) {
  constexpr int kLaunches = 50'000;
  for (const Distribution& law :
       {exponential(3600), Distribution{.kind = Distribution::Kind::weibull, .a = 3600, .b = 0.7}}) {
    const Mishaps mishaps(plan_of({.time_to_failure = law}));
    double sum = 0;
    double squares = 0;
    for (std::uint64_t n = 0; n < kLaunches; ++n) {
      const Mishaps::Fate fate = mishaps.fate_of(launch(n));
      ASSERT_EQ(fate.news.size(), 1u);
      ASSERT_EQ(fate.news[0].stimulus, lost(0, Loss::hardware_failure).stimulus);
      const double time = in_seconds(fate.news[0].at) - 10;
      sum += time;
      squares += time * time;
    }
    const double shape = law.kind == Distribution::Kind::weibull ? law.b : 1;
    const double mean = 3600 * std::tgamma(1 + 1 / shape);
    const double square = 3600.0 * 3600 * std::tgamma(1 + 2 / shape);
    const double deviation = std::sqrt(square - mean * mean);
    EXPECT_NEAR(sum / kLaunches, mean, 3.3 * deviation / std::sqrt(kLaunches)) << shape;
    const double fourth = std::pow(3600.0, 4) * std::tgamma(1 + 4 / shape);
    EXPECT_NEAR(squares / kLaunches, square, 3.3 * std::sqrt((fourth - square * square) / kLaunches)) << shape;
  }
}

TEST(Mishaps, HaveTheEffectThatTheScenarioSays) {
  const auto first = [](Failures::Effect effect) {
    return Mishaps(plan_of({.time_to_failure = seconds(50), .effect = effect})).fate_of(launch(0)).news;
  };
  EXPECT_THAT(first(Failures::Effect::hardware_failure), ElementsAre(lost(60, Loss::hardware_failure)));
  EXPECT_THAT(first(Failures::Effect::reboot), ElementsAre(impaired(60, Impairment::rebooted)));
  EXPECT_THAT(first(Failures::Effect::health_check), ElementsAre(impaired(60, Impairment::health_check_failed)));
}

TEST(Mishaps, FailSoManyStartsAndBoots) {
  const Mishaps mishaps(plan_of({.failed_starts = 0.02, .boot_failures = 0.1, .slow_boots = 0.25, .slow_factor = 4}));
  constexpr int kLaunches = 100'000;
  int starts = 0;
  int boots = 0;
  int slow = 0;
  for (std::uint64_t n = 0; n < kLaunches; ++n) {
    const Mishaps::Fate fate = mishaps.fate_of(launch(n));
    starts += fate.starts ? 0 : 1;
    boots += fate.boots ? 0 : 1;
    slow += fate.slowness == 4 ? 1 : 0;
    if (fate.starts) {
      ASSERT_THAT(fate.news, IsEmpty());
    } else {
      ASSERT_THAT(fate.news, ElementsAre(lost(10, Loss::failed_start)));
    }
  }
  const auto expect = [&](int found, double share) {
    EXPECT_NEAR(found, share * kLaunches, 3.3 * std::sqrt(share * (1 - share) * kLaunches)) << share;
  };
  expect(starts, 0.02);
  expect(boots, 0.1);
  expect(slow, 0.25);
}

// One mishap more or less leaves the others as they are.
TEST(Mishaps, DrawEachForItself) {
  const Failures failures{.time_to_failure = exponential(1e5)};
  const Mishaps some(plan_of(failures));
  Failures more = failures;
  more.slow_boots = 0.5;
  more.slow_factor = 2;
  more.boot_failures = 0.3;
  const Mishaps others(plan_of(more, 1e12));
  const Mishaps another_seed([&] {
    Mishaps::Plan plan = plan_of(failures);
    plan.seed = 2;
    return plan;
  }());
  int equal = 0;
  for (std::uint64_t n = 0; n < 1000; ++n) {
    const std::vector<Mishaps::Foreseen> news = some.fate_of(launch(n)).news;
    EXPECT_EQ(news, others.fate_of(launch(n)).news) << n;
    EXPECT_EQ(news, some.fate_of(launch(n)).news) << "asked again";
    equal += news == another_seed.fate_of(launch(n)).news ? 1 : 0;
  }
  EXPECT_LT(equal, 10);
}

TEST(Mishaps, StrikeTheInstanceThatTheNodeHasThen) {
  using Strike = Mishaps::Strike::Kind;
  Mishaps::Plan plan = plan_of();
  // Out of order, and of several nodes.
  plan.strikes = {{500 * kSecond, NodeId{1}, Strike::stop},
                  {100 * kSecond, NodeId{1}, Strike::reboot},
                  {100 * kSecond, NodeId{2}, Strike::termination},
                  {300 * kSecond, NodeId{1}, Strike::health_check},
                  {400 * kSecond, NodeId{1}, Strike::scheduled_event}};
  const Mishaps mishaps(plan);
  EXPECT_THAT(mishaps.fate_of(launch(0, 1)).news,
              ElementsAre(impaired(100, Impairment::rebooted, 1), impaired(300, Impairment::health_check_failed, 1),
                          impaired(400, Impairment::scheduled_event, 1), impaired(500, Impairment::stopped, 1)));
  EXPECT_THAT(mishaps.fate_of(launch(1, 1, 300 * kSecond)).news,
              ElementsAre(impaired(400, Impairment::scheduled_event, 1), impaired(500, Impairment::stopped, 1)))
      << "at 300 s the node had the one before";
  EXPECT_THAT(mishaps.fate_of(launch(1, 1, 395 * kSecond)).news, ElementsAre(impaired(500, Impairment::stopped, 1)))
      << "at 400 s it does not run yet";
  EXPECT_THAT(mishaps.fate_of(launch(2, 2, 95 * kSecond)).news, ElementsAre(lost(100, Loss::external, 2)))
      << "pending ones can be terminated";
  EXPECT_EQ(mishaps.last_planned(), 500 * kSecond);
}

TEST(Mishaps, EndReservedInstancesWithTheirReservation) {
  Mishaps::Launch one = launch(0);
  one.taken_back = kMinute;
  EXPECT_THAT(Mishaps().fate_of(one).news, ElementsAre(lost(60, Loss::end_of_reservation)));
}

TEST(Mishaps, EndWithTheLoss) {
  using Strike = Mishaps::Strike::Kind;
  Mishaps::Plan plan = plan_of({.time_to_failure = seconds(90)}, 1e-3);
  plan.strikes = {{50 * kSecond, NodeId{0}, Strike::reboot}, {120 * kSecond, NodeId{0}, Strike::stop}};
  EXPECT_THAT(
      Mishaps(plan).fate_of(launch(0)).news,
      ElementsAre(warned(10, SpotWarning::rebalance_recommendation), warned(10, SpotWarning::interruption_notice),
                  impaired(50, Impairment::rebooted), lost(100, Loss::hardware_failure)))
      << "the host dies before EC2 takes it back at 130 s";
  plan.strikes.push_back({50 * kSecond, NodeId{0}, Strike::hardware_failure});
  EXPECT_EQ(Mishaps(plan).fate_of(launch(0)).news.back(), lost(50, Loss::hardware_failure))
      << "what is lost at that time is not rebooted";
}

TEST(Mishaps, TakeAWholeZone) {
  Mishaps::Plan plan = plan_of();
  plan.groups[0].offers.push_back({"b", 0});
  plan.outages.push_back({200 * kSecond, "b"});
  const Mishaps mishaps(plan);
  Mishaps::Launch one = launch(0);
  EXPECT_THAT(mishaps.fate_of(one).news, IsEmpty());
  one.offer = 1;
  EXPECT_THAT(mishaps.fate_of(one).news, ElementsAre(lost(200, Loss::hardware_failure)));
  one.at = 200 * kSecond;
  EXPECT_THAT(mishaps.fate_of(one).news, IsEmpty()) << "launched when the zone was out already";
  EXPECT_EQ(mishaps.last_planned(), 200 * kSecond);
}

// --- SimulatedCloud tells each instance's news once, and nothing of one that is gone ---

void launch_node(SimulatedCloud& cloud, std::uint32_t node, Time now, EventQueue& events) {
  const NodeShare nodes[] = {{NodeId{node}, 0}};
  cloud.launch(GroupId{0}, nodes, 0, now, events);
}
void terminate_node(SimulatedCloud& cloud, std::uint32_t node, Time now, EventQueue& events) {
  const NodeShare nodes[] = {{NodeId{node}, 0}};
  cloud.terminate(nodes, now, events);
}
// The next event that stands, which is told.
std::optional<Mishaps::Foreseen> next(SimulatedCloud& cloud, EventQueue& events) {
  while (!events.empty()) {
    const Mishaps::Foreseen event{events.next_time(), events.next()};
    const bool stands = cloud.stands(event.stimulus, event.at);
    events.pop();
    if (!stands) continue;
    cloud.told(event.stimulus, event.at);
    return event;
  }
  return std::nullopt;
}

TEST(SimulatedCloud, NeverRunsAnInstanceThatFailsToStart) {
  SimulatedCloud cloud({{seconds(10), seconds(90)}}, 1, {}, {}, Mishaps(plan_of({.failed_starts = 1})));
  EventQueue events;
  launch_node(cloud, 0, 0, events);
  EXPECT_EQ(next(cloud, events), lost(10, Loss::failed_start));
  EXPECT_EQ(next(cloud, events), std::nullopt);
  EXPECT_THROW(terminate_node(cloud, 0, kMinute, events), Bug) << "there is none any more";
  EXPECT_NO_THROW(launch_node(cloud, 0, kMinute, events));
}

TEST(SimulatedCloud, SlowsBootsDown) {
  SimulatedCloud cloud({{seconds(10), seconds(90)}}, 1, {{.node = NodeId{1}, .slow = 1, .factor = 3}}, {},
                       Mishaps(plan_of({.slow_boots = 1, .slow_factor = 2})));
  const auto ready = [&](std::uint32_t node) {
    EventQueue events;
    launch_node(cloud, node, 0, events);
    next(cloud, events);
    const std::optional<Mishaps::Foreseen> event = next(cloud, events);
    EXPECT_EQ(event->stimulus.kind, Kind::node_ready);
    return event->at / kSecond;
  };
  EXPECT_EQ(ready(0), 190);
  EXPECT_EQ(ready(1), 550) << "both the node's and the group's";
  EXPECT_EQ(ready(1), 190) << "its next one is as slow as others";
}

TEST(SimulatedCloud, TellsEqualNewsOfTwoInstancesOnce) {
  Mishaps::Plan plan = plan_of();
  plan.strikes.push_back({500 * kSecond, NodeId{0}, Mishaps::Strike::Kind::reboot});
  SimulatedCloud cloud({{seconds(10), seconds(90)}}, 1, {}, {}, Mishaps(plan));
  EventQueue events;
  for (const Time at : {0, 1, 2}) {
    launch_node(cloud, 0, at * kMinute, events);
    if (at < 2) terminate_node(cloud, 0, at * kMinute + kSecond, events);
  }
  int reboots = 0;
  while (const std::optional<Mishaps::Foreseen> event = next(cloud, events)) {
    reboots += event->stimulus.kind == Kind::instance_impaired ? 1 : 0;
  }
  EXPECT_EQ(reboots, 1);
}

// Random launches, terminations and faults, against a model that keeps each instance's news by the number of its launch
// and looks at which is there.
TEST(SimulatedCloud, AgreesWithANaiveModelOfInstances) {
  std::uint64_t told_mishaps = 0;
  std::uint64_t dropped = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Substream draw(seed, Purpose::property_suite, 5);
    constexpr std::uint32_t kNodes = 4;
    Mishaps::Plan plan = plan_of({.time_to_failure = Distribution{Distribution::Kind::uniform, 0, 200},
                                  .effect = static_cast<Failures::Effect>(draw.below(3)),
                                  .failed_starts = 0.1,
                                  .boot_failures = 0.1,
                                  .slow_boots = 0.2,
                                  .slow_factor = 2},
                                 draw.below(2) == 0 ? 0 : 100);
    plan.seed = seed;
    plan.notice = static_cast<Time>(draw.below(3)) * 10 * kSecond;
    plan.rebalance_lead = static_cast<Time>(draw.below(3)) * 10 * kSecond;
    for (std::uint64_t s = draw.below(30); s > 0; --s) {
      plan.strikes.push_back({static_cast<Time>(draw.below(100)) * 10 * kSecond,
                              NodeId{static_cast<std::uint32_t>(draw.below(kNodes))},
                              static_cast<Mishaps::Strike::Kind>(draw.below(7))});
    }
    plan.outages.push_back({static_cast<Time>(draw.below(100)) * 10 * kSecond, "a"});
    const Mishaps mishaps(plan);
    SimulatedCloud cloud({{seconds(10), seconds(20)}}, seed, {}, {}, mishaps);
    EventQueue events;

    // The model: all news of all launches, of which those count whose launch is its node's last and there.
    struct Instance {
      std::uint64_t launch;
      bool there;
    };
    struct Expected {
      Mishaps::Foreseen news;
      std::uint64_t launch;
    };
    std::vector<Instance> at(kNodes, {0, false});
    std::vector<Expected> expected;
    std::uint64_t launches = 0;

    for (Time now = 0; now < 1000 * kSecond; now += 10 * kSecond) {
      // News first.
      while (events.next_time() <= now) {
        const Mishaps::Foreseen event{events.next_time(), events.next()};
        const bool stands = cloud.stands(event.stimulus, event.at);
        events.pop();
        if (!stands) ++dropped;
        if (!stands) continue;
        cloud.told(event.stimulus, event.at);
        if (event.stimulus.kind == Kind::instance_terminated) continue;
        // The earliest that the model still expects of this node's instance, in the order of bands.
        const std::uint32_t node = event.stimulus.subject;
        ASSERT_TRUE(at[node].there) << "news of an instance that is gone";
        auto first = expected.end();
        for (auto e = expected.begin(); e != expected.end(); ++e) {
          if (e->launch != at[node].launch || e->news.stimulus.subject != node) continue;
          const bool earlier = first == expected.end() || e->news.at < first->news.at ||
                               (e->news.at == first->news.at && e->news.stimulus.kind < first->news.stimulus.kind);
          if (earlier) first = e;
        }
        ASSERT_NE(first, expected.end());
        ASSERT_EQ(first->news, event);
        expected.erase(first);
        if (is_mishap(event.stimulus)) ++told_mishaps;
        if (event.stimulus.kind == Kind::instance_lost) at[node].there = false;
      }
      // Nothing that should have been told by now is left.
      for (const Expected& each : expected) {
        const std::uint32_t node = each.news.stimulus.subject;
        ASSERT_FALSE(at[node].there && at[node].launch == each.launch && each.news.at <= now) << "was not told";
      }
      // Then commands.
      for (std::uint32_t node = 0; node < kNodes; ++node) {
        if (draw.below(4) != 0) continue;
        if (at[node].there) {
          terminate_node(cloud, node, now, events);
          at[node].there = false;
          if (draw.below(2) == 0) continue;
        }
        launch_node(cloud, node, now, events);
        at[node] = {launches, true};
        const Mishaps::Launch one{launches, GroupId{0}, NodeId{node}, 0, now, now + 10 * kSecond};
        const Mishaps::Fate fate = mishaps.fate_of(one);
        const Time ready = one.running + static_cast<Time>(20 * fate.slowness) * kSecond;
        if (fate.starts) expected.push_back({{one.running, {Kind::instance_running, node, 0}}, launches});
        if (fate.starts && fate.boots) expected.push_back({{ready, {Kind::node_ready, node, 0}}, launches});
        for (const Mishaps::Foreseen& each : fate.news) expected.push_back({each, launches});
        ++launches;
      }
    }
  }
  EXPECT_GT(told_mishaps, 5000u);
  EXPECT_GT(dropped, 5000u);
}

}  // namespace
}  // namespace headroom
