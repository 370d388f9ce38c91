#include "engine/pending.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/unit/draw.hpp"

namespace headroom {
namespace {

using Position = PendingQueue::Position;
constexpr Position kEnd = PendingQueue::kEnd;
constexpr std::int32_t kManyCores = 1'000'000'000;

struct Waiting {
  std::uint32_t id;
  std::int32_t cores;
  Time limit;
};

// The jobs that wait, in a plain list. Places are told by job numbers, which do not change.
class NaiveQueue {
 public:
  std::vector<Waiting> jobs;

  const Waiting* next(std::uint32_t from) const {
    for (const Waiting& w : jobs) {
      if (w.id >= from) return &w;
    }
    return nullptr;
  }
  const Waiting* find(std::uint32_t from, const Room& room, std::uint32_t until) const {
    for (const Waiting& w : jobs) {
      const bool short_fit = w.cores <= room.short_cores && w.limit <= room.short_limit;
      // What may run for long may run for short too: room for long jobs is never more than for short ones.
      const bool long_fit = w.cores <= std::min(room.short_cores, room.long_cores);
      if (w.id >= from && w.id < until && (short_fit || long_fit)) return &w;
    }
    return nullptr;
  }
};

void expect_same(const PendingQueue& queue, Position p, const Waiting* expected) {
  if (expected == nullptr) {
    ASSERT_EQ(p, kEnd);
    return;
  }
  ASSERT_NE(p, kEnd);
  ASSERT_EQ(number(queue.job_at(p)), expected->id);
  ASSERT_EQ(queue.cores_at(p), expected->cores);
}

Room draw_room(Draw& draw) {
  Room room{};
  switch (draw.below(6)) {
    case 0:
      room = {0, kNever, 0};
      break;  // nothing is free
    case 1:
      room = {kManyCores, kNever, kManyCores};
      break;  // everything is
    case 2:
      room = {draw.small(1, 20), kNever, 0};
      break;  // nothing is reserved
    case 3:
      room = {draw.small(1, 20), draw.between(1, 50), 0};
      break;  // only before the reservation
    default:
      room.short_cores = draw.small(1, 20);
      room.short_limit = draw.between(0, 50);
      room.long_cores = draw.small(0, room.short_cores);
  }
  return room;
}

// Grows to some hundred jobs and shrinks again, so that blocks fill, empty and are built anew.
void compare(std::uint64_t seed) {
  Draw draw(seed);
  PendingQueue queue;
  NaiveQueue naive;
  std::vector<Waiting> gone;  // may be put back
  std::uint32_t last = 0;
  // Some queues hold jobs that nothing fits for a while: whole blocks are skipped.
  const std::int32_t widest = draw.one_in(2) ? 20 : 200;
  for (int i = 0; i < 900; ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", operation " + std::to_string(i));
    const bool growing = (i / 150) % 2 == 0;
    if (naive.jobs.empty() || draw.below(10) < (growing ? 8u : 2u)) {
      last += static_cast<std::uint32_t>(draw.between(1, 3));  // numbers between belong to other queues
      const Waiting w{last, draw.small(1, widest), draw.between(1, 60)};
      queue.push(JobId{w.id}, w.cores, w.limit);
      naive.jobs.push_back(w);
    } else if (!gone.empty() && draw.one_in(4)) {
      const std::size_t which = draw.one_in(3) ? gone.size() - 1 : draw.below(gone.size());
      const Waiting w = gone[which];
      gone.erase(gone.begin() + static_cast<std::ptrdiff_t>(which));
      queue.put_back(JobId{w.id}, w.cores, w.limit);
      naive.jobs.insert(std::lower_bound(naive.jobs.begin(), naive.jobs.end(), w,
                                         [](const Waiting& a, const Waiting& b) { return a.id < b.id; }),
                        w);
    } else if (!naive.jobs.empty()) {
      const std::size_t which = draw.one_in(3) ? 0 : draw.below(naive.jobs.size());
      queue.remove(JobId{naive.jobs[which].id});
      gone.push_back(naive.jobs[which]);
      naive.jobs.erase(naive.jobs.begin() + static_cast<std::ptrdiff_t>(which));
    }
    if (draw.one_in(20)) {
      const Position before = queue.front();
      const bool changed = queue.settle();
      if (!changed && !naive.jobs.empty()) {
        ASSERT_EQ(queue.front(), before);
      }
    }
    ASSERT_EQ(queue.size(), naive.jobs.size());
    ASSERT_EQ(queue.empty(), naive.jobs.empty());
    expect_same(queue, queue.front(), naive.next(0));
    for (int question = 0; question < 4; ++question) {
      const auto from = static_cast<std::uint32_t>(draw.between(0, last + 1));
      const auto until = static_cast<std::uint32_t>(draw.between(from, last + 2));
      const bool bounded = draw.one_in(2);
      const Room room = draw_room(draw);
      const Position p = queue.position_of(JobId{from});
      expect_same(queue, queue.next(p), naive.next(from));
      expect_same(queue, queue.find(p, room, bounded ? queue.position_of(JobId{until}) : kEnd),
                  naive.find(from, room, bounded ? until : std::numeric_limits<std::uint32_t>::max()));
      if (testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(PendingQueue, AnswersAsAPlainListDoes) {
  for (std::uint64_t seed = 1; seed <= 300 && !testing::Test::HasFailure(); ++seed) compare(seed);
}

TEST(PendingQueue, KeepsPlacesWhileJobsAreTakenOut) {
  PendingQueue queue;
  for (std::uint32_t id = 0; id < 200; ++id) queue.push(JobId{id}, 1, kHour);
  std::vector<Position> places;
  for (std::uint32_t id = 0; id < 200; ++id) places.push_back(queue.position_of(JobId{id}));
  for (std::uint32_t id = 0; id < 200; id += 2) queue.remove(JobId{id});
  for (std::uint32_t id = 0; id < 200; ++id) {
    const std::uint32_t expected = id % 2 == 1 ? id : id + 1;
    EXPECT_EQ(number(queue.job_at(queue.next(places[id]))), expected);
  }
}

// Jobs 0..n-1 of which only the last fits; n around the borders of one, two and three blocks.
TEST(PendingQueue, FindsTheLastJobOfABlockAndTheFirstOfTheNext) {
  for (const std::uint32_t n : {1u, 63u, 64u, 65u, 127u, 128u, 129u, 192u, 193u}) {
    PendingQueue queue;
    for (std::uint32_t id = 0; id + 1 < n; ++id) queue.push(JobId{id}, 10, kHour);
    queue.push(JobId{n - 1}, 2, kMinute);
    const Room room{4, kMinute, 0};
    const Position p = queue.find(queue.front(), room);
    ASSERT_NE(p, kEnd) << n;
    EXPECT_EQ(number(queue.job_at(p)), n - 1);
    EXPECT_EQ(queue.find(queue.front(), room, p), kEnd) << "`until` is the first place not looked at";
    EXPECT_EQ(queue.find(p + 1, room), kEnd);
    EXPECT_EQ(queue.find(p, {4, kMinute - 1, 1}), kEnd);
    EXPECT_EQ(queue.find(p, {4, kMinute - 1, 2}), p);
    EXPECT_EQ(queue.find(p, {1, kNever, 1}), kEnd);
  }
}

// A block's narrowest job and its shortest are different jobs: the block looks as if something fits.
TEST(PendingQueue, IsNotMisledByWhatABlockHoldsTogether) {
  PendingQueue queue;
  queue.push(JobId{0}, 1, kHour);
  queue.push(JobId{1}, 8, kMinute);
  for (std::uint32_t id = 2; id < 64; ++id) queue.push(JobId{id}, 8, kHour);
  queue.push(JobId{64}, 3, kMinute);
  const Position p = queue.find(0, {4, kMinute, 0});
  ASSERT_NE(p, kEnd);
  EXPECT_EQ(number(queue.job_at(p)), 64u);
}

TEST(PendingQueue, SettlesOnlyWhenHalfOfItIsHoles) {
  PendingQueue queue;
  for (std::uint32_t id = 0; id < 200; ++id) queue.push(JobId{id}, 1, kHour);
  for (std::uint32_t id = 0; id < 99; ++id) queue.remove(JobId{2 * id});
  EXPECT_FALSE(queue.settle());
  EXPECT_EQ(queue.position_of(JobId{1}), 1u);
  queue.remove(JobId{198});
  EXPECT_TRUE(queue.settle());
  EXPECT_EQ(queue.size(), 100u);
  EXPECT_EQ(queue.end_position(), 100u);
  EXPECT_EQ(queue.position_of(JobId{1}), 0u);
  EXPECT_EQ(queue.position_of(JobId{2}), 1u) << "where it would stand";
  EXPECT_FALSE(queue.settle()) << "nothing is left to do";
}

TEST(PendingQueue, IsEmptyAfterItsLastJobAndFillsAgain) {
  PendingQueue queue;
  for (std::uint32_t id = 0; id < 300; ++id) queue.push(JobId{id}, 1, kHour);
  for (std::uint32_t id = 0; id < 300; ++id) queue.remove(JobId{299 - id});
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.front(), kEnd);
  EXPECT_EQ(queue.find(0, {kManyCores, kNever, kManyCores}), kEnd) << "a hole never fits";
  EXPECT_TRUE(queue.settle());
  EXPECT_EQ(queue.front(), kEnd);
  queue.push(JobId{300}, 2, kMinute);
  EXPECT_EQ(number(queue.job_at(queue.front())), 300u);
}

TEST(PendingQueue, LetsAJobLeaveOnceAndOnlyWhereItWaits) {
  PendingQueue queue;
  queue.push(JobId{3}, 1, kHour);
  queue.push(JobId{5}, 1, kHour);
  EXPECT_THROW(queue.remove(JobId{4}), Bug);
  EXPECT_THROW(queue.remove(JobId{6}), Bug);
  queue.remove(JobId{3});
  EXPECT_THROW(queue.remove(JobId{3}), Bug);
  queue.remove(JobId{5});
  EXPECT_THROW(queue.remove(JobId{5}), Bug);
}

TEST(PendingQueue, PutsAJobBackWhereItWas) {
  PendingQueue queue;
  for (std::uint32_t id = 0; id < 200; ++id) queue.push(JobId{id}, 4, kHour);
  for (std::uint32_t id = 0; id < 150; ++id) queue.remove(JobId{id});
  queue.put_back(JobId{70}, 3, kMinute);
  queue.put_back(JobId{0}, 5, kHour);
  queue.put_back(JobId{149}, 2, kHour);
  EXPECT_EQ(queue.size(), 53u);
  std::vector<std::uint32_t> order;
  for (Position p = queue.front(); p != kEnd; p = queue.next(p + 1)) order.push_back(number(queue.job_at(p)));
  ASSERT_EQ(order.size(), 53u);
  EXPECT_EQ((std::vector<std::uint32_t>{order[0], order[1], order[2], order[3], order[52]}),
            (std::vector<std::uint32_t>{0, 70, 149, 150, 199}));
  EXPECT_EQ(number(queue.job_at(queue.find(0, {3, kMinute, 2}))), 70u);
  EXPECT_EQ(number(queue.job_at(queue.find(0, {2, kHour, 0}))), 149u);
  EXPECT_THROW(queue.put_back(JobId{70}, 3, kMinute), Bug) << "it waits already";
  queue.push(JobId{200}, 1, kHour);
  EXPECT_EQ(queue.size(), 54u);
}

TEST(PendingQueue, PutsAJobBackIntoAnEmptyQueue) {
  PendingQueue queue;
  queue.push(JobId{7}, 1, kHour);
  queue.remove(JobId{7});
  queue.put_back(JobId{7}, 2, kMinute);
  EXPECT_EQ(number(queue.job_at(queue.front())), 7u);
  EXPECT_EQ(queue.cores_at(queue.front()), 2);
  queue.remove(JobId{7});
  EXPECT_TRUE(queue.empty());
  queue.put_back(JobId{7}, 2, kMinute);
  queue.put_back(JobId{3}, 2, kMinute);
  EXPECT_EQ(number(queue.job_at(queue.front())), 3u);
}

TEST(PendingQueue, TakesJobsInOrderOfArrivalOnly) {
  PendingQueue queue;
  queue.push(JobId{5}, 1, kHour);
  EXPECT_THROW(queue.push(JobId{5}, 1, kHour), Bug);
  EXPECT_THROW(queue.push(JobId{4}, 1, kHour), Bug);
}

}  // namespace
}  // namespace headroom
