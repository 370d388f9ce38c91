#include "engine/profile.hpp"

#include <gtest/gtest.h>

#include "tests/unit/draw.hpp"

namespace headroom {
namespace {

// What a profile promises, second by second: obviously right, and slow.
class NaiveProfile {
 public:
  static constexpr Time kHorizon = 48;  // nothing but "for ever" ends later

  explicit NaiveProfile(std::int32_t capacity) : free_(kHorizon + 1, capacity) {}

  std::int32_t occupy(Time from, Time until, std::int32_t amount) {
    std::int32_t least = std::numeric_limits<std::int32_t>::max();
    for (Time t = from; t < std::min(until, kHorizon + 1); ++t) {
      free_[at(t)] -= amount;
      least = std::min(least, free_[at(t)]);
    }
    return least;
  }
  std::int32_t free_at(Time t) const { return free_[at(t)]; }
  std::int32_t min_free(Time from, Time until) const {
    std::int32_t least = free_at(from);
    for (Time t = from; t < std::min(until, kHorizon + 1); ++t) least = std::min(least, free_at(t));
    return least;
  }
  std::int32_t max_free(Time from, Time until) const {
    std::int32_t most = free_at(from);
    for (Time t = from; t < std::min(until, kHorizon + 1); ++t) most = std::max(most, free_at(t));
    return most;
  }
  Time first_below(Time from, std::int32_t amount, std::int32_t& left) const {
    for (Time t = from; t <= kHorizon; ++t) {
      if (free_at(t) < amount) {
        left = free_at(t);
        return t;
      }
    }
    left = free_at(kHorizon);
    return kNever;
  }
  Time earliest_fit(Time not_before, Time duration, std::int32_t amount) const {
    for (Time t = not_before; t <= kHorizon; ++t) {
      if (min_free(t, later(t, duration)) >= amount) return t;
    }
    return kNever;
  }
  bool could_begin_earlier(Time not_before, Time before, Time from, Time duration, std::int32_t amount) const {
    for (Time t = not_before; t < before; ++t) {
      if (min_free(t, std::min(later(t, duration), from)) >= amount) return true;
    }
    return false;
  }
  Time next_change(Time t) const {
    for (Time u = t + 1; u <= kHorizon; ++u) {
      if (free_at(u) != free_at(t)) return u;
    }
    return kNever;
  }
  std::size_t steps(Time now) const {
    std::size_t steps = 1;
    for (Time t = next_change(now); t != kNever; t = next_change(t)) ++steps;
    return steps;
  }

 private:
  static std::size_t at(Time t) { return static_cast<std::size_t>(std::min(t, kHorizon)); }
  std::vector<std::int32_t> free_;
};

// One sequence of random changes, each followed by all the questions.
void compare(std::uint64_t seed) {
  Draw draw(seed);
  const std::int32_t capacity = draw.small(0, 9);
  CapacityProfile fast(capacity);
  NaiveProfile naive(capacity);
  Time now = 0;
  const std::int64_t operations = draw.between(1, 60);
  for (std::int64_t i = 0; i < operations; ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", operation " + std::to_string(i));
    const auto time = [&] { return draw.between(now, NaiveProfile::kHorizon); };
    const auto end = [&](Time from) {
      return from == NaiveProfile::kHorizon || draw.one_in(6) ? kNever : draw.between(from + 1, NaiveProfile::kHorizon);
    };
    if (draw.one_in(8)) {
      now = std::min(now + draw.between(0, 5), NaiveProfile::kHorizon);
      fast.advance(now);
    } else {
      const Time from = time();
      const Time until = end(from);
      const std::int32_t amount = draw.small(-3, 3);
      ASSERT_EQ(fast.occupy(from, until, amount), naive.occupy(from, until, amount));
    }
    const Time from = time();
    const Time until = end(from);
    const std::int32_t amount = draw.small(-4, 12);
    const Time duration = draw.one_in(8) ? kNever : draw.between(1, 30);
    ASSERT_EQ(fast.free_at(from), naive.free_at(from));
    ASSERT_EQ(fast.min_free(from, until), naive.min_free(from, until));
    ASSERT_EQ(fast.max_free(from, until), naive.max_free(from, until));
    ASSERT_EQ(fast.fits(from, until, amount), naive.min_free(from, until) >= amount);
    ASSERT_EQ(fast.earliest_fit(from, duration, amount), naive.earliest_fit(from, duration, amount));
    ASSERT_EQ(fast.next_change(from), naive.next_change(from));
    const Time held_from = draw.between(from, NaiveProfile::kHorizon);
    const Time before = draw.between(from, held_from);
    ASSERT_EQ(fast.could_begin_earlier(from, before, held_from, duration, amount),
              naive.could_begin_earlier(from, before, held_from, duration, amount));
    std::int32_t fast_left = 0;
    std::int32_t naive_left = 0;
    ASSERT_EQ(fast.first_below(from, amount, fast_left), naive.first_below(from, amount, naive_left));
    ASSERT_EQ(fast_left, naive_left);
    fast.advance(now);  // a claim from `now` on leaves a step behind that is past
    ASSERT_EQ(fast.steps(), naive.steps(now)) << "no step repeats the one before it";
  }
}

TEST(CapacityProfile, AnswersAsAnArrayOfSecondsDoes) {
  for (std::uint64_t seed = 1; seed <= 20'000 && !testing::Test::HasFailure(); ++seed) compare(seed);
}

// Many steps behind `now`: the profile throws away its past while it is in use.
TEST(CapacityProfile, ForgetsALongPastWithoutChangingTheFuture) {
  CapacityProfile profile(10);
  Time now = 0;
  for (std::int32_t i = 0; i < 5000; ++i) {
    EXPECT_EQ(profile.occupy(now + 1, now + 3, 1 + i % 2), 10 - (1 + i % 2) - (i > 0 ? 2 - i % 2 : 0));
    now += 2;
    profile.advance(now);
    ASSERT_EQ(profile.free_at(now), 10 - (1 + i % 2));
    ASSERT_EQ(profile.free_at(now + 1), 10);
    ASSERT_EQ(profile.steps(), 2u);
    profile.occupy(now + 1, now + 2, 2 - i % 2);
    profile.occupy(now + 1, now + 2, -(2 - i % 2));
    profile.occupy(now, now + 1, 0);
    // What follows overlaps by one second with what came before.
    profile.occupy(now + 1, now + 2, 1 + i % 2);
  }
}

TEST(CapacityProfile, HoldsClaimsThatNeverEnd) {
  CapacityProfile profile(4);
  EXPECT_EQ(profile.occupy(10, kNever, 3), 1);
  EXPECT_EQ(profile.free_at(kNever - 1), 1);
  EXPECT_EQ(profile.min_free(0, kNever), 1);
  EXPECT_EQ(profile.max_free(0, kNever), 4);
  EXPECT_EQ(profile.next_change(10), kNever);
  EXPECT_EQ(profile.earliest_fit(0, 10, 2), 0);
  EXPECT_EQ(profile.earliest_fit(0, 11, 2), kNever);
  EXPECT_EQ(profile.earliest_fit(1, 10, 2), kNever);
  EXPECT_EQ(profile.earliest_fit(0, kNever, 1), 0);
  EXPECT_EQ(profile.occupy(10, kNever, -3), 4);
  EXPECT_EQ(profile.steps(), 1u);
}

TEST(CapacityProfile, NeverFitsWhatIsWiderThanItIs) {
  CapacityProfile profile(4);
  EXPECT_EQ(profile.earliest_fit(0, 1, 5), kNever);
  EXPECT_EQ(profile.earliest_fit(1'000'000, 1, 4), 1'000'000);
}

TEST(CapacityProfile, MergesAdjacentClaimsBackToOneStep) {
  CapacityProfile profile(5);
  profile.occupy(10, 20, 2);
  profile.occupy(20, 30, 2);
  EXPECT_EQ(profile.steps(), 3u);
  EXPECT_EQ(profile.next_change(10), 30);
  profile.occupy(5, 10, 2);
  EXPECT_EQ(profile.steps(), 3u);
  EXPECT_EQ(profile.next_change(0), 5);
  profile.occupy(5, 30, -2);
  EXPECT_EQ(profile.steps(), 1u);
  EXPECT_EQ(profile.next_change(0), kNever);
}

TEST(CapacityProfile, TellsByHowMuchAClaimCollides) {
  CapacityProfile profile(5);
  EXPECT_EQ(profile.occupy(0, 10, 4), 1);
  EXPECT_EQ(profile.occupy(9, 12, 3), -2);
  EXPECT_EQ(profile.free_at(9), -2);
  EXPECT_EQ(profile.free_at(10), 2);
}

TEST(CapacityProfile, RefusesQuestionsAboutTimesItForgot) {
  CapacityProfile profile(5);
  profile.occupy(10, 20, 1);
  profile.advance(15);
  EXPECT_EQ(profile.free_at(15), 4);
  EXPECT_THROW(profile.free_at(9), Bug);
  EXPECT_THROW(profile.occupy(5, 30, 1), Bug);
}

TEST(CapacityProfile, RefusesClaimsThatLastNoTime) {
  CapacityProfile profile(5);
  EXPECT_THROW(profile.occupy(10, 10, 1), Bug);
  EXPECT_THROW(profile.occupy(10, 9, 1), Bug);
}

TEST(CapacityProfile, BeginsAtItsOrigin) {
  CapacityProfile profile(5, 100);
  EXPECT_EQ(profile.free_at(100), 5);
  EXPECT_THROW(profile.free_at(99), Bug);
}

}  // namespace
}  // namespace headroom
