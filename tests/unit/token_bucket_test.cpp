#include "models/cloud/token_bucket.hpp"

#include <gtest/gtest.h>

namespace headroom {
namespace {

constexpr TokenBucket::Rate rate(std::int64_t size, std::int64_t per_second) { return {size, per_second * 1'000'000}; }

// RunInstances requests: 5, and 2 a second.
TEST(TokenBucket, StartsFullAndFillsAtItsRate) {
  TokenBucket bucket(rate(5, 2));
  for (int call = 0; call < 5; ++call) {
    ASSERT_EQ(bucket.when(1, 0), 0);
    bucket.take(1, 0);
  }
  EXPECT_EQ(bucket.when(1, 0), kSecond / 2);
  EXPECT_EQ(bucket.when(3, 0), 3 * kSecond / 2);
  EXPECT_EQ(bucket.when(1, kSecond / 4), kSecond / 2) << "asking takes nothing";
  bucket.take(1, kSecond / 2);
  EXPECT_EQ(bucket.when(1, kSecond / 2), kSecond);
}

TEST(TokenBucket, HoldsNoMoreThanItsSize) {
  TokenBucket bucket(rate(5, 2));
  bucket.take(5, 0);
  bucket.take(5, kHour);
  EXPECT_EQ(bucket.when(5, kHour), kHour + 5 * kSecond / 2);
  EXPECT_EQ(bucket.when(6, kHour), kNever) << "it never holds six";
}

// 0.15 tokens a second: one takes 6.666... s, of which the next whole microsecond counts. Nothing is lost by rounding:
// three tokens take exactly 20 s.
TEST(TokenBucket, IsExactWhereARateIsNoWholeNumber) {
  TokenBucket bucket({10, 150'000});
  bucket.take(10, 0);
  EXPECT_EQ(bucket.when(1, 0), 6'666'667);
  bucket.take(1, 6'666'667);
  bucket.take(1, 13'333'334);
  EXPECT_EQ(bucket.when(1, 13'333'334), 20 * kSecond);
}

TEST(TokenBucket, NeverFillsAtRateZero) {
  TokenBucket bucket(rate(1, 0));
  bucket.take(1, kSecond);
  EXPECT_EQ(bucket.when(1, kHour), kNever);
}

TEST(TokenBucket, GivesNothingThatIsNotThere) {
  TokenBucket bucket(rate(2, 1));
  EXPECT_THROW(bucket.take(3, 0), Bug);
  bucket.take(2, kSecond);
  EXPECT_THROW(bucket.take(1, kSecond), Bug);
  EXPECT_THROW(bucket.take(1, 0), Bug) << "before its last use";
}

// However it is used, no more than size + rate * time is taken, and a caller that waits for `when` gets that much.
TEST(TokenBucket, GivesTheSteadyRateInTheLongRun) {
  TokenBucket bucket(rate(1000, 2));
  Time now = 0;
  std::int64_t taken = 0;
  while (taken < 3000) {
    const std::int64_t wanted = taken % 7 + 1;
    now = bucket.when(wanted, now);
    bucket.take(wanted, now);
    taken += wanted;
    ASSERT_LE((taken - 1000) * kSecond, 2 * now);
  }
  EXPECT_EQ(now, (taken - 1000) * kSecond / 2);
}

}  // namespace
}  // namespace headroom
