#include "models/cloud/simulated_cloud.hpp"

#include <map>

#include <gtest/gtest.h>

namespace headroom {
namespace {

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
  cloud.told(running);
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

}  // namespace
}  // namespace headroom
