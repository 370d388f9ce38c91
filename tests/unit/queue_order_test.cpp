#include "models/policies/queue_order.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "models/policies/run_time_guess.hpp"

namespace headroom {
namespace {

TEST(Log2Scaled, AgreesWithTheLibrary) {
  std::vector<std::uint64_t> numbers;
  for (std::uint64_t x = 1; x < 5000; ++x) numbers.push_back(x);
  for (std::uint64_t x = 5000; x < (std::uint64_t{1} << 62); x = x * 3 / 2 + 1) numbers.push_back(x);
  numbers.push_back(std::numeric_limits<std::uint64_t>::max());
  for (const std::uint64_t x : numbers) {
    const long double exact = std::log2(static_cast<long double>(x));
    const long double error = exact - static_cast<long double>(log2_scaled(x)) / 4294967296.0L;
    EXPECT_LT(std::abs(error), 0x1p-31L) << x;
  }
  EXPECT_EQ(log2_scaled(1), 0);
  EXPECT_EQ(log2_scaled(1024), std::int64_t{10} << 32);
}

JobRequest request(std::int64_t submit, std::int64_t limit, std::int32_t processors) {
  JobRequest r;
  r.submit = submit * kSecond;
  r.limit = limit * kSecond;
  r.cores = processors;
  return r;
}

// The formulas up to a factor that is common to all jobs.
TEST(Priority, FollowsTheFormulas) {
  const JobRequest a = request(100, 50, 8);
  const JobRequest b = request(400, 5, 3);
  const Time now = 1000 * kSecond;
  const auto ratio = [&](QueueOrder order) { return Priority(order, a, 0).at(now) / Priority(order, b, 0).at(now); };
  EXPECT_DOUBLE_EQ(ratio(QueueOrder::sjf), 10);
  EXPECT_DOUBLE_EQ(ratio(QueueOrder::wfp3), std::pow(900.0 / 50, 3) * 8 / (std::pow(600.0 / 5, 3) * 3));
  EXPECT_NEAR(ratio(QueueOrder::unicef), (900 / (3.0 * 50)) / (600 / (std::log2(3) * 5)), 1e-9);
  EXPECT_NEAR(ratio(QueueOrder::f1),
              (std::log10(50) * 8 + 870 * std::log10(100)) / (std::log10(5) * 3 + 870 * std::log10(400)), 1e-9);
}

TEST(Priority, GrowsWithTheTimeWaited) {
  for (const QueueOrder order : {QueueOrder::wfp3, QueueOrder::unicef}) {
    const Priority p(order, request(10, 60, 4), 0);
    EXPECT_LT(p.at(20 * kSecond), p.at(15 * kSecond));
  }
}

TEST(Priority, CountsNodesTimesCores) {
  JobRequest nodes = request(0, 60, 2);
  nodes.nodes = 3;
  for (const QueueOrder order : {QueueOrder::wfp3, QueueOrder::unicef, QueueOrder::f1}) {
    EXPECT_EQ(Priority(order, nodes, 0).at(kMinute), Priority(order, request(0, 60, 6), 0).at(kMinute));
  }
}

TEST(Priority, UnicefServesSerialJobsFirst) {
  const Time now = 100 * kSecond;
  const auto value = [&](std::int64_t submit, std::int64_t limit, std::int32_t processors) {
    return Priority(QueueOrder::unicef, request(submit, limit, processors), 0).at(now);
  };
  EXPECT_LT(value(100, 3600, 1), value(0, 1, 2));
  EXPECT_EQ(value(100, 3600, 1), value(0, 1, 1));  // among themselves in order of submission
  // New jobs, too, are told apart by size.
  EXPECT_LT(value(100, 10, 2), value(100, 20, 2));
  EXPECT_LT(value(100, 10, 2), value(100, 10, 4));
}

TEST(Priority, F1TakesASecondForTheFirstJobs) {
  const auto value = [&](Time submit, Time first) {
    JobRequest r = request(0, 60, 1);
    r.submit = submit;
    return Priority(QueueOrder::f1, r, first).at(kHour);
  };
  EXPECT_EQ(value(0, 0), value(kSecond, 0));
  EXPECT_EQ(value(kHour, kHour), value(0, 0));  // counted from the first submission
  EXPECT_LT(value(kSecond, 0), value(2 * kSecond, 0));
}

TEST(RunTimeGuess, IsTheMeanOfTheLastTwo) {
  RunTimeGuess guess;
  JobRequest r = request(0, 100, 1);
  r.user = 3;
  EXPECT_EQ(guess.first(r), 100 * kSecond);
  guess.learn(3, 10 * kSecond);
  guess.learn(2, 99 * kSecond);
  EXPECT_EQ(guess.first(r), 100 * kSecond);
  guess.learn(3, 21 * kSecond);
  EXPECT_EQ(guess.first(r), 15 * kSecond);
  guess.learn(3, 500 * kSecond);
  EXPECT_EQ(guess.first(r), 100 * kSecond);
  guess.learn(3, 0);
  guess.learn(3, 0);
  EXPECT_EQ(guess.first(r), kSecond);
  r.limit = kSecond / 2;
  EXPECT_EQ(guess.first(r), kSecond / 2);
}

TEST(RunTimeGuess, IsCorrectedStepByStep) {
  const Time first = 7 * kSecond;
  Time guess = first;
  std::vector<Time> added;
  while (guess < 200 * kHour) {
    guess = RunTimeGuess::next(first, guess, 200 * kHour);
    added.push_back(guess - first);
  }
  EXPECT_EQ(added, (std::vector<Time>{kMinute, 5 * kMinute, 15 * kMinute, 30 * kMinute, kHour, 2 * kHour, 5 * kHour,
                                      10 * kHour, 20 * kHour, 50 * kHour, 100 * kHour, 200 * kHour - first}));
  EXPECT_EQ(RunTimeGuess::next(first, first, 40 * kSecond), 40 * kSecond);
}

}  // namespace
}  // namespace headroom
