#include "models/clock/event_queue.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/draw.hpp"

namespace headroom {
namespace {

struct Event {
  Time time;
  Stimulus stimulus;
  bool operator==(const Event&) const = default;
};

// Time, then band. The sequence is the order in which events stand in a list sorted stably.
bool before(const Event& a, const Event& b) {
  return a.time != b.time ? a.time < b.time : a.stimulus.kind < b.stimulus.kind;
}

Event draw_event(Draw& draw, Time from, Time span, std::uint32_t subject) {
  const auto kind = static_cast<Stimulus::Kind>(draw.below(kStimulusKinds));
  return {from + draw.between(0, span), {kind, subject, static_cast<std::uint32_t>(draw.below(3))}};
}

TEST(EventQueue, GivesEventsInOrderOfTimeBandAndSequence) {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    Draw draw(seed);
    EventQueue queue;
    std::vector<Event> expected;
    const auto count = static_cast<std::uint32_t>(draw.between(0, 300));
    const Time span = draw.one_in(2) ? 5 : 1000;  // many ties, and few
    for (std::uint32_t i = 0; i < count; ++i) {
      expected.push_back(draw_event(draw, 0, span, i));
      queue.push(expected.back().time, expected.back().stimulus);
    }
    EXPECT_EQ(queue.size(), expected.size());
    std::stable_sort(expected.begin(), expected.end(), before);
    for (const Event& e : expected) {
      ASSERT_FALSE(queue.empty());
      ASSERT_EQ((Event{queue.next_time(), queue.next()}), e) << "seed " << seed;
      queue.pop();
    }
    EXPECT_TRUE(queue.empty());
  }
}

// The hold model (Jones, CACM 29(4), 1986): take the next event, schedule another one after it, again and
// again.
TEST(EventQueue, KeepsTheOrderWhileEventsComeAndGo) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Draw draw(seed);
    EventQueue queue;
    std::vector<Event> waiting;  // in order of creation
    std::uint32_t created = 0;
    const auto schedule = [&](Time now) {
      waiting.push_back(draw_event(draw, now, draw.one_in(4) ? 0 : 20, created++));
      queue.push(waiting.back().time, waiting.back().stimulus);
    };
    const std::size_t size = 1 + draw.below(60);
    while (waiting.size() < size) schedule(0);
    for (int i = 0; i < 1000; ++i) {
      const auto first = std::min_element(waiting.begin(), waiting.end(), before);  // of equals, the first created
      ASSERT_EQ((Event{queue.next_time(), queue.next()}), *first) << "seed " << seed << ", event " << i;
      const Time now = first->time;
      queue.pop();
      waiting.erase(first);
      schedule(now);
      ASSERT_EQ(queue.size(), waiting.size());
    }
  }
}

TEST(EventQueue, IsNeverDueWhenEmpty) {
  EventQueue queue;
  EXPECT_EQ(queue.next_time(), kNever);
  queue.push(7, {Stimulus::Kind::node_ready, 1, 0});
  EXPECT_EQ(queue.next_time(), 7);
  queue.pop();
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.next_time(), kNever);
}

TEST(EventQueue, PutsEndsOfJobsBeforeNewsOfInstances) {
  EventQueue queue;
  queue.push(5, {Stimulus::Kind::instance_terminated, 1, 0});
  queue.push(5, {Stimulus::Kind::node_ready, 2, 0});
  queue.push(5, {Stimulus::Kind::instance_running, 3, 0});
  queue.push(5, {Stimulus::Kind::job_finished, 4, 0});
  std::vector<std::uint32_t> order;
  for (; !queue.empty(); queue.pop()) order.push_back(queue.next().subject);
  EXPECT_EQ(order, (std::vector<std::uint32_t>{4, 3, 2, 1}));
}

TEST(EventQueue, KnowsWhetherOnlyMishapsAreToCome) {
  EventQueue queue;
  EXPECT_TRUE(queue.only_mishaps());
  queue.push(10, {Stimulus::Kind::instance_lost, 1, 0});
  queue.push(30, {Stimulus::Kind::spot_warned, 1, 0});
  queue.push(40, {Stimulus::Kind::instance_impaired, 1, 0});
  EXPECT_TRUE(queue.only_mishaps());
  queue.push(20, {Stimulus::Kind::node_ready, 1, 0});
  EXPECT_FALSE(queue.only_mishaps());
  queue.pop();
  EXPECT_FALSE(queue.only_mishaps());
  queue.pop();
  EXPECT_TRUE(queue.only_mishaps());
}

}  // namespace
}  // namespace headroom
