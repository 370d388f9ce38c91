#include "models/cloud/simulated_cloud.hpp"

#include <map>

#include <gtest/gtest.h>

namespace headroom {
namespace {

using Kind = Stimulus::Kind;

constexpr Distribution seconds(double s) { return {Distribution::Kind::constant, s}; }
constexpr Distribution between(double low, double high) { return {Distribution::Kind::uniform, low, high}; }

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
  cloud.launch(GroupId{0}, NodeId{5}, 100 * kSecond, events);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events.next_time(), 110 * kSecond);
  EXPECT_EQ(events.next(), (Stimulus{Kind::instance_running, 5, 0}));
  events.pop();
  EXPECT_EQ(events.next_time(), 200 * kSecond);
  EXPECT_EQ(events.next(), (Stimulus{Kind::node_ready, 5, 0}));
  events.pop();
  cloud.launch(GroupId{1}, NodeId{6}, 300 * kSecond, events);
  EXPECT_EQ(events.next(), (Stimulus{Kind::instance_running, 6, 0})) << "running comes before ready at one instant";
  events.pop();
  EXPECT_EQ(events.next_time(), 303 * kSecond);
}

TEST(SimulatedCloud, TerminatesAtOnce) {
  SimulatedCloud cloud({{seconds(10), seconds(90)}}, 1);
  EventQueue events;
  cloud.terminate(NodeId{2}, 7 * kSecond, events);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events.next_time(), 7 * kSecond);
  EXPECT_EQ(events.next(), (Stimulus{Kind::instance_terminated, 2, 0}));
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
      cloud.launch(GroupId{n % 2}, NodeId{n}, n * kSecond, events);
      if (n % 10 == 9) cloud.terminate(NodeId{n}, n * kSecond, events);
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
    for (std::uint32_t n = 0; n < 10; ++n) cloud.launch(GroupId{0}, NodeId{n}, 0, events);
    runs.emplace_back(events);
  }
  EXPECT_EQ(runs[0].ready, runs[2].ready);
  EXPECT_NE(runs[0].ready, runs[1].ready);
  EXPECT_NE(runs[0].running, runs[1].running);
}

}  // namespace
}  // namespace headroom
