#include "models/cloud/simulated_cloud.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headroom {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::Pair;
using testing::SizeIs;

using Kind = Stimulus::Kind;

constexpr Distribution seconds(double s) { return {Distribution::Kind::constant, s}; }
constexpr Distribution between(double low, double high) { return {Distribution::Kind::uniform, low, high}; }

void launch(SimulatedCloud& cloud, std::uint32_t group, std::uint32_t node, Time now, EventQueue& events) {
  const NodeShare nodes[] = {{NodeId{node}, 0}};
  cloud.launch(GroupId{group}, nodes, 0, now, events);
}
void terminate(SimulatedCloud& cloud, std::uint32_t node, Time now, EventQueue& events) {
  const NodeShare nodes[] = {{NodeId{node}, 0}};
  cloud.terminate(nodes, now, events);
}

// When each node is running and ready.
struct Boots {
  std::map<std::uint32_t, Time> running, ready;
  explicit Boots(EventQueue events) {
    for (; !events.empty(); events.pop()) {
      const Stimulus& s = events.next();
      if (s.kind == Kind::instance_running) running[s.subject] = events.next_time();
      if (s.kind == Kind::node_ready) ready[s.subject] = events.next_time();
    }
  }
};

TEST(SimulatedCloud, TellsWhenAnInstanceRunsAndWhenItsNodeIsReady) {
  SimulatedCloud cloud({{seconds(10), seconds(90)}, {seconds(3), seconds(0)}}, 1);
  EventQueue events;
  launch(cloud, 0, 5, 100 * kSecond, events);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events.next_time(), 110 * kSecond);
  EXPECT_EQ(events.next(), (Stimulus{Kind::instance_running, 5, 0}));
  events.pop();
  EXPECT_EQ(events.next_time(), 200 * kSecond);
  EXPECT_EQ(events.next(), (Stimulus{Kind::node_ready, 5, 0}));
  events.pop();
  launch(cloud, 1, 6, 300 * kSecond, events);
  EXPECT_EQ(events.next(), (Stimulus{Kind::instance_running, 6, 0})) << "running comes before ready at one instant";
  events.pop();
  EXPECT_EQ(events.next_time(), 303 * kSecond);
}

TEST(SimulatedCloud, TellsWhereAnInstanceIsWhenItRuns) {
  FabricDesign design;
  design.layers = {1, 2, 3};
  design.slots_per_leaf = 4;
  Ec2Settings settings;
  settings.fabrics = plan_fabrics("region", {"a"}, {design}).sites;
  settings.fleets.resize(1);
  settings.fleets[0].offers.resize(1);
  settings.fleets[0].offers[0].type.name = "hpc6a.48xlarge";
  settings.fleets[0].offers[0].zone = "a";
  SimulatedCloud cloud({{seconds(10), seconds(90)}}, 1, {}, Ec2(settings));
  EventQueue events;
  EXPECT_EQ(cloud.leaf(NodeId{3}), kNoLeaf);
  launch(cloud, 0, 3, 0, events);
  const LeafId leaf = cloud.leaf(NodeId{3});
  ASSERT_NE(leaf, kNoLeaf);
  EXPECT_EQ(events.next(), (Stimulus{Kind::instance_running, 3, 0}));
  events.pop();
  EXPECT_EQ(events.next_time(), 10 * kSecond);
  EXPECT_EQ(events.next(), (Stimulus{Kind::instance_placed, 3, number(leaf)}));
  EXPECT_TRUE(cloud.stands(events.next(), 10 * kSecond));
  terminate(cloud, 3, 5 * kSecond, events);
  EXPECT_EQ(cloud.leaf(NodeId{3}), kNoLeaf);
  EXPECT_FALSE(cloud.stands({Kind::instance_placed, 3, number(leaf)}, 10 * kSecond)) << "it is gone";
}

TEST(SimulatedCloud, TerminatesAtOnce) {
  SimulatedCloud cloud({{seconds(10), seconds(90)}}, 1);
  EventQueue events;
  launch(cloud, 0, 2, 0, events);
  while (!events.empty()) events.pop();
  terminate(cloud, 2, 7 * kSecond, events);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events.next_time(), 7 * kSecond);
  EXPECT_EQ(events.next(), (Stimulus{Kind::instance_terminated, 2, 0}));
}

TEST(SimulatedCloud, TerminatesWhatWasLaunchedAndOnlyOnce) {
  SimulatedCloud cloud({{seconds(10), seconds(90)}}, 1);
  EventQueue events;
  EXPECT_THROW(terminate(cloud, 2, 0, events), Bug);
  launch(cloud, 0, 2, 0, events);
  EXPECT_THROW(terminate(cloud, 1, 0, events), Bug) << "nobody launched this one";
  terminate(cloud, 2, kSecond, events);
  EXPECT_THROW(terminate(cloud, 2, kSecond, events), Bug);
  launch(cloud, 0, 2, kMinute, events);
  EXPECT_NO_THROW(terminate(cloud, 2, kMinute, events));
}

// A node's next k boots fail: it runs, and never registers. How long the others take is as it would be.
TEST(SimulatedCloud, LetsBootsFailSoOftenAsItIsTold) {
  const SimulatedCloud::Boot drawn{between(5, 500), between(5, 500)};
  SimulatedCloud sound({drawn}, 7);
  SimulatedCloud faulty({drawn}, 7,
                        {{NodeId{0}, 2}, {NodeId{1}, SimulatedCloud::kAlways}, {NodeId{3}, 1}, {NodeId{3}, 1}});
  for (int attempt = 0; attempt < 5; ++attempt) {
    for (std::uint32_t n = 0; n < 4; ++n) {
      SCOPED_TRACE("node " + std::to_string(n) + ", attempt " + std::to_string(attempt));
      const Time now = (Time{4} * attempt + n) * kHour;
      EventQueue expected;
      EventQueue found;
      launch(sound, 0, n, now, expected);
      launch(faulty, 0, n, now, found);
      const Boots a(expected);
      const Boots b(found);
      EXPECT_EQ(a.running, b.running);
      const bool fails = n == 1 || ((n == 0 || n == 3) && attempt < 2);
      if (fails) {
        EXPECT_TRUE(b.ready.empty());
      } else {
        EXPECT_EQ(a.ready, b.ready);
      }
    }
  }
}

TEST(SimulatedCloud, TellsNothingOfAnInstanceThatWasTerminatedAndNothingTwice) {
  SimulatedCloud cloud({{seconds(10), seconds(90)}}, 1);
  EventQueue events;
  launch(cloud, 0, 4, 0, events);
  const Stimulus running{Kind::instance_running, 4, 0};
  const Stimulus ready{Kind::node_ready, 4, 0};
  EXPECT_TRUE(cloud.stands(running, 10 * kSecond));
  EXPECT_TRUE(cloud.stands(ready, 100 * kSecond));
  cloud.told(running, 10 * kSecond);
  EXPECT_FALSE(cloud.stands(running, 10 * kSecond));
  EXPECT_TRUE(cloud.stands(ready, 100 * kSecond));
  terminate(cloud, 4, 20 * kSecond, events);
  EXPECT_FALSE(cloud.stands(ready, 100 * kSecond));
  EXPECT_TRUE(cloud.stands({Kind::instance_terminated, 4, 0}, 20 * kSecond));
  launch(cloud, 0, 4, 30 * kSecond, events);
  EXPECT_FALSE(cloud.stands(ready, 100 * kSecond)) << "of the first launch";
  EXPECT_TRUE(cloud.stands(ready, 130 * kSecond));
}

// Whatever is launched before, and however many numbers its boot takes: the n-th launch boots as long.
TEST(SimulatedCloud, BootsTheNthLaunchAsLongWhateverTheOthersDraw) {
  const SimulatedCloud::Boot drawn{between(5, 500), between(5, 500)};
  const SimulatedCloud::Boot others[] = {
      drawn,
      {seconds(1), seconds(1)},
      {{Distribution::Kind::lognormal, 100, 50}, {Distribution::Kind::lognormal, 300, 100}},
  };
  std::vector<Boots> runs;
  for (const SimulatedCloud::Boot& other : others) {
    SimulatedCloud cloud({drawn, other}, 42);
    EventQueue events;
    for (std::uint32_t n = 0; n < 100; ++n) {
      launch(cloud, n % 2, n, n * kSecond, events);
      if (n % 10 == 9) terminate(cloud, n, n * kSecond, events);
    }
    runs.emplace_back(events);
  }
  for (std::uint32_t n = 0; n < 100; n += 2) {
    for (const Boots& run : runs) {
      EXPECT_EQ(run.running.at(n), runs[0].running.at(n));
      EXPECT_EQ(run.ready.at(n), runs[0].ready.at(n));
    }
  }
  EXPECT_NE(runs[1].ready.at(1), runs[0].ready.at(1));
}

TEST(SimulatedCloud, BootsOtherwiseWithAnotherSeed) {
  std::vector<Boots> runs;
  for (const std::uint64_t seed : {1u, 2u, 1u}) {
    SimulatedCloud cloud({{between(0, 10'000), between(0, 10'000)}}, seed);
    EventQueue events;
    for (std::uint32_t n = 0; n < 10; ++n) launch(cloud, 0, n, 0, events);
    runs.emplace_back(events);
  }
  EXPECT_EQ(runs[0].ready, runs[2].ready);
  EXPECT_NE(runs[0].ready, runs[1].ready);
  EXPECT_NE(runs[0].running, runs[1].running);
}

// --- with an EC2 that has limits ---

// Two offers for group 0, the second dearer, each with a pool of so many.
Ec2Settings two_pools(std::int64_t first, std::int64_t second) {
  Ec2Settings settings;
  Fleet& fleet = settings.fleets.emplace_back();
  for (const std::int64_t limit : {first, second}) {
    Offer& offer = fleet.offers.emplace_back();
    offer.type.name = "type-" + std::to_string(fleet.offers.size());
    offer.price_per_hour = static_cast<MicroUsd>(fleet.offers.size());
    offer.priority = static_cast<std::int32_t>(fleet.offers.size());
    CapacityRule& rule = settings.capacity.emplace_back();
    rule.instance_type = offer.type.name;
    rule.limit.before = limit;
  }
  return settings;
}

std::vector<std::pair<Time, Stimulus>> all_of(EventQueue& events) {
  std::vector<std::pair<Time, Stimulus>> all;
  for (; !events.empty(); events.pop()) all.emplace_back(events.next_time(), events.next());
  return all;
}

constexpr auto detail(auto value) { return static_cast<std::uint32_t>(value); }

TEST(SimulatedCloud, TellsForEachNodeWhatItGotOrWhyNothing) {
  SimulatedCloud cloud({{seconds(10), seconds(90)}}, 1, {}, Ec2(two_pools(1, 1)));
  EventQueue events;
  const NodeShare nodes[] = {{NodeId{4}, 0}, {NodeId{5}, 0}, {NodeId{6}, 0}};
  cloud.launch(GroupId{0}, nodes, 0, kSecond, events);
  EXPECT_THAT(
      all_of(events),
      ElementsAre(Pair(kSecond, Stimulus{Kind::launch_refused, 6, detail(Refusal::insufficient_instance_capacity)}),
                  Pair(kSecond, Stimulus{Kind::instance_launched, 5, 1}),
                  Pair(11 * kSecond, Stimulus{Kind::instance_running, 4, 0}),
                  Pair(11 * kSecond, Stimulus{Kind::instance_running, 5, 0}),
                  Pair(101 * kSecond, Stimulus{Kind::node_ready, 4, 0}),
                  Pair(101 * kSecond, Stimulus{Kind::node_ready, 5, 0})));
  cloud.launch(GroupId{0}, std::span(nodes).subspan(2), 0, kMinute, events);
  terminate(cloud, 4, kMinute, events);
  cloud.launch(GroupId{0}, std::span(nodes).subspan(2), 0, kMinute, events);
  EXPECT_THAT(all_of(events), Contains(Pair(70 * kSecond, Stimulus{Kind::instance_running, 6, 0})));
}

TEST(SimulatedCloud, LaunchesNothingOfAllOrNothing) {
  SimulatedCloud cloud({{seconds(10), seconds(90)}}, 1, {}, Ec2([] {
                         Ec2Settings settings = two_pools(1, 1);
                         settings.fleets[0].offers.pop_back();
                         return settings;
                       }()));
  EventQueue events;
  const NodeShare nodes[] = {{NodeId{4}, 0}, {NodeId{5}, 0}};
  cloud.launch(GroupId{0}, nodes, kAllOrNothing, kSecond, events);
  EXPECT_THAT(all_of(events), Each(Pair(kSecond, Field(&Stimulus::kind, Kind::launch_refused))));
  cloud.launch(GroupId{0}, std::span(nodes).first(1), kAllOrNothing, kMinute, events);
  EXPECT_THAT(all_of(events), SizeIs(2));
}

// The answer comes after 1 s, the id is known 30 s later, by when the instance runs: the bootstrap begins at 31 s.
TEST(SimulatedCloud, WaitsForTheAnswerAndUntilTheInstanceIsKnown) {
  Ec2Settings settings = two_pools(1, 0);
  settings.api_latency = seconds(1);
  settings.consistency_delay = seconds(30);
  SimulatedCloud cloud({{seconds(10), seconds(90)}}, 1, {}, Ec2(settings));
  EventQueue events;
  launch(cloud, 0, 4, 0, events);
  launch(cloud, 0, 5, 0, events);
  EXPECT_THAT(
      all_of(events),
      ElementsAre(Pair(kSecond, Stimulus{Kind::launch_refused, 5, detail(Refusal::insufficient_instance_capacity)}),
                  Pair(11 * kSecond, Stimulus{Kind::instance_running, 4, 0}),
                  Pair(121 * kSecond, Stimulus{Kind::node_ready, 4, 0})));
  const Stimulus refused{Kind::launch_refused, 5, detail(Refusal::insufficient_instance_capacity)};
  EXPECT_TRUE(cloud.stands(refused, kSecond));
  const NodeShare both[] = {{NodeId{4}, 0}, {NodeId{5}, 0}};
  cloud.terminate(both, kSecond / 2, events);
  EXPECT_FALSE(cloud.stands(refused, kSecond)) << "it was given up before the answer";
  EXPECT_THAT(all_of(events), ElementsAre(Pair(kSecond, Stimulus{Kind::instance_terminated, 5, 0}),
                                          Pair(31 * kSecond, Stimulus{Kind::instance_terminated, 4, 0})));
}

TEST(SimulatedCloud, TakesBackTheInstancesOfACapacityBlock) {
  Ec2Settings settings = two_pools(0, 0);
  settings.reservations.emplace_back();
  CapacityReservation& block = settings.reservations[0];
  block.id = "cr-1";
  block.kind = CapacityReservation::Kind::capacity_block;
  block.instance_type = "type-1";
  block.instances = 1;
  block.end = kHour;
  settings.fleets[0].purchase = Purchase::capacity_block;
  settings.fleets[0].reservations.id = "cr-1";
  SimulatedCloud cloud({{seconds(10), seconds(90)}}, 1, {}, Ec2(settings));
  EventQueue events;
  launch(cloud, 0, 4, 0, events);
  const Stimulus lost{Kind::instance_lost, 4, detail(Loss::end_of_reservation)};
  EXPECT_THAT(all_of(events),
              ElementsAre(Pair(0, Stimulus{Kind::instance_launched, 4, 1u << 16}),
                          Pair(10 * kSecond, Stimulus{Kind::instance_running, 4, 0}),
                          Pair(100 * kSecond, Stimulus{Kind::node_ready, 4, 0}), Pair(30 * kMinute, lost)));
  EXPECT_TRUE(cloud.stands(lost, 30 * kMinute));
  terminate(cloud, 4, kMinute, events);
  EXPECT_FALSE(cloud.stands(lost, 30 * kMinute));
}

TEST(SimulatedCloud, LosesAnInstanceOnceItIsTold) {
  Mishaps::Plan plan;
  plan.strikes.push_back({5 * kSecond, NodeId{4}, Mishaps::Strike::Kind::hardware_failure});
  SimulatedCloud cloud({{seconds(10), seconds(90)}}, 1, {}, Ec2(two_pools(1, 0)), Mishaps(plan));
  EventQueue events;
  launch(cloud, 0, 4, 0, events);
  const Stimulus lost{Kind::instance_lost, 4, detail(Loss::hardware_failure)};
  EXPECT_TRUE(cloud.stands(lost, 5 * kSecond));
  cloud.told(lost, 5 * kSecond);
  EXPECT_FALSE(cloud.stands({Kind::instance_running, 4, 0}, 10 * kSecond));
  EXPECT_THROW(terminate(cloud, 4, 6 * kSecond, events), Bug);
  while (!events.empty()) events.pop();
  launch(cloud, 0, 4, 6 * kSecond, events);
  EXPECT_THAT(all_of(events), ElementsAre(Pair(16 * kSecond, Stimulus{Kind::instance_running, 4, 0}),
                                          Pair(106 * kSecond, Stimulus{Kind::node_ready, 4, 0})));
}

}  // namespace
}  // namespace headroom
