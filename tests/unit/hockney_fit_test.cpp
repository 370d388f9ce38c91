// The network model's fit: planted parameters are found again, as often as the intervals say.
#include "models/calibrate/hockney_fit.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "models/errors.hpp"
#include "models/random.hpp"

namespace headroom {
namespace {

struct Planted {
  std::int64_t up_to;
  double latency_us;
  double us_per_byte;
};

constexpr std::int64_t kNoEnd = std::int64_t{1} << 40;
// The shape of EFA between two hpc6a: eager up to 8 KiB, then up to 64 KiB, then a rendezvous.
const std::vector<Planted> kThree = {{8192, 15.5, 1e-3 / 2.0}, {65536, 19, 1e-3 / 8}, {kNoEnd, 45, 1e-3 / 4.4}};
const std::vector<Planted> kTwo = {{32768, 15.5, 1e-3 / 2.0}, {kNoEnd, 60, 1e-3 / 4.4}};
const std::vector<Planted> kOne = {{kNoEnd, 15.5, 1e-3 / 4.4}};

double planted_time(const std::vector<Planted>& planted, std::int64_t bytes) {
  for (const Planted& each : planted) {
    if (bytes <= each.up_to) return each.latency_us + each.us_per_byte * static_cast<double>(bytes);
  }
  return 0;
}

struct Noise {
  std::int32_t runs = 1;
  double deviation = 0.02;       // of the logarithm of each time
  double run_deviation = 0;      // of the logarithm of a whole run
  double gross_error_share = 0;  // times that are 1.5 to 9.5 times too long
};

// OSU's sizes: 0 and the powers of two up to 4 MiB.
std::vector<MessageTime> measured(const std::vector<Planted>& planted, const Noise& noise, std::uint64_t seed) {
  std::vector<MessageTime> points;
  Substream stream(seed, Purpose::property_suite, 6);
  for (std::int32_t run = 0; run < noise.runs; ++run) {
    const double shift = noise.run_deviation * stream.normal();
    for (int power = -1; power <= 22; ++power) {
      const std::int64_t bytes = power < 0 ? 0 : std::int64_t{1} << power;
      double time = planted_time(planted, bytes) * std::exp(shift + noise.deviation * stream.normal());
      if (stream.uniform() < noise.gross_error_share) time *= 1.5 + 8 * stream.uniform();
      points.push_back({bytes, time, run, 2});
    }
  }
  return points;
}

bool holds(const Estimate& estimate, double value) { return estimate.low <= value && value <= estimate.high; }

constexpr int kRepetitions = 400;

// The fitted segment that has most of a planted one's sizes.
const HockneySegment& segment_of(const HockneyFit& fit, const std::vector<Planted>& planted, std::size_t k) {
  const std::int64_t from = k == 0 ? -1 : planted[k - 1].up_to;
  std::vector<int> shared(fit.segments.size(), 0);
  for (int power = -1; power <= 22; ++power) {
    const std::int64_t bytes = power < 0 ? 0 : std::int64_t{1} << power;
    if (bytes <= from || bytes > planted[k].up_to) continue;
    for (std::size_t s = 0; s < fit.segments.size(); ++s) {
      shared[s] += fit.segments[s].least_bytes <= bytes && bytes <= fit.segments[s].most_bytes ? 1 : 0;
    }
  }
  return fit.segments[static_cast<std::size_t>(std::max_element(shared.begin(), shared.end()) - shared.begin())];
}

// How often each planted parameter lies in its interval, whatever number of segments was found.
std::vector<int> coverage(const std::vector<Planted>& planted, const Noise& noise) {
  std::vector<int> held(2 * planted.size(), 0);
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    const HockneyFit fit = fit_hockney(measured(planted, noise, static_cast<std::uint64_t>(repetition) + 1));
    for (std::size_t k = 0; k < planted.size(); ++k) {
      const HockneySegment& segment = segment_of(fit, planted, k);
      held[2 * k] += holds(segment.latency_us, planted[k].latency_us) ? 1 : 0;
      held[2 * k + 1] += holds(segment.us_per_byte, planted[k].us_per_byte) ? 1 : 0;
    }
  }
  return held;
}

// 95 in 100: 380 of 400, with a standard deviation of 4.4. The band is three of them to each side, so that one of these
// tests fails by chance once in four hundred; what is above it would be intervals that say too little.
void expect_95_in_100(const std::vector<int>& held, int least = 367, int most = 393) {
  for (std::size_t p = 0; p < held.size(); ++p) {
    EXPECT_GE(held[p], least) << "parameter " << p;
    EXPECT_LE(held[p], most) << "parameter " << p;
  }
}

TEST(HockneyFit, HoldsOneSegmentsParameters95TimesIn100) { expect_95_in_100(coverage(kOne, {})); }

TEST(HockneyFit, HoldsTwoSegmentsParameters95TimesIn100) { expect_95_in_100(coverage(kTwo, {})); }

TEST(HockneyFit, HoldsThemWithMuchNoiseInFiveRuns) { expect_95_in_100(coverage(kTwo, {.runs = 5, .deviation = 0.1})); }

// Breakpoints that fit as well are within the intervals, so these may hold more often than they say.
TEST(HockneyFit, HoldsThreeSegmentsParametersThoughTheirBreakpointsAreInDoubt) {
  expect_95_in_100(coverage(kThree, {}), 367, kRepetitions);
  expect_95_in_100(coverage(kThree, {.runs = 3}), 367, kRepetitions);
}

// Runs over other pairs of nodes differ as wholes. Intervals that took every time for itself would be far too narrow.
TEST(HockneyFit, HoldsThemWhenWholeRunsDiffer) {
  expect_95_in_100(coverage(kThree, {.runs = 10, .run_deviation = 0.03}), 367, kRepetitions);
}

TEST(HockneyFit, GrossErrorsInOneOfTwentyTimesCostLittle) {
  expect_95_in_100(coverage(kThree, {.runs = 3, .gross_error_share = 0.05}), 363, kRepetitions);
  expect_95_in_100(coverage(kOne, {.gross_error_share = 0.05}), 367, kRepetitions);
}

// One run has but three or four sizes in its middle segment: with a gross error there, nobody can tell
// (docs/calibrate.md).
TEST(HockneyFit, GrossErrorsInASingleRunCostMore) {
  const std::vector<int> held = coverage(kThree, {.gross_error_share = 0.05});
  EXPECT_GE(*std::min_element(held.begin(), held.end()), 265);
  EXPECT_LT(*std::min_element(held.begin(), held.end()), 367);
}

TEST(HockneyFit, FindsBreakpointsWhereTheyArePlanted) {
  int right = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const HockneyFit fit = fit_hockney(measured(kThree, {.deviation = 0.002}, seed));
    if (fit.segments.size() != 3) continue;
    right += fit.segments[0].most_bytes == 8192 && fit.segments[1].most_bytes == 65536 ? 1 : 0;
  }
  EXPECT_EQ(right, 100);
}

TEST(HockneyFit, SplitsOneSegmentOnceInAHundred) {
  int whole = 0;
  for (std::uint64_t seed = 1; seed <= kRepetitions; ++seed) {
    whole += fit_hockney(measured(kOne, {}, seed)).segments.size() == 1 ? 1 : 0;
  }
  EXPECT_GE(whole, kRepetitions * 98 / 100);
}

TEST(HockneyFit, ExactTimesGiveExactParameters) {
  const HockneyFit fit = fit_hockney(measured(kThree, {.deviation = 0}, 1));
  ASSERT_EQ(fit.segments.size(), 3u);
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(fit.segments[k].latency_us.value, kThree[k].latency_us, 1e-6);
    EXPECT_NEAR(fit.segments[k].us_per_byte.value, kThree[k].us_per_byte, 1e-10);
  }
  EXPECT_NEAR(bandwidth_gb_s(fit.segments[2]).value, 4.4, 1e-6);
  EXPECT_LT(std::abs(fit.worst_residual), 1e-9);
  EXPECT_NEAR(fit.time_us(1000), 15.5 + 0.5, 1e-6);
  EXPECT_NEAR(fit.time_us(8193), 19 + 8193e-3 / 8, 1e-6);
  EXPECT_NEAR(fit.time_us(1e8), 45 + 1e5 / 4.4, 1e-3);
}

TEST(HockneyFit, AGrossErrorIsNamedAndHasNoSay) {
  std::vector<MessageTime> points = measured(kOne, {.deviation = 0.005}, 7);
  const HockneyFit before = fit_hockney(points);
  points[12].time_us *= 5;
  const HockneyFit after = fit_hockney(points);
  ASSERT_EQ(after.segments.size(), 1u);
  ASSERT_EQ(after.outliers.size(), 1u);
  EXPECT_EQ(after.outliers[0], 12u);
  EXPECT_NEAR(after.residuals[12], 4, 0.1);
  EXPECT_NEAR(after.segments[0].latency_us.value, before.segments[0].latency_us.value, 0.02);
}

TEST(HockneyFit, LatencyByHopsIsSeparated) {
  int held = 0;
  int latency_held = 0;
  for (std::uint64_t seed = 1; seed <= kRepetitions; ++seed) {
    std::vector<MessageTime> points = measured(kTwo, {.runs = 8}, seed);
    for (MessageTime& point : points) {
      point.hops = point.run % 2 == 0 ? 2 : 4;
      if (point.hops == 4) point.time_us += 2 * 1.35 * point.time_us / planted_time(kTwo, point.bytes);
    }
    const HockneyFit fit = fit_hockney(points);
    if (fit.segments.size() != 2 || !fit.per_hop_us) continue;
    held += holds(*fit.per_hop_us, 1.35) ? 1 : 0;
    latency_held += holds(fit.segments[0].latency_us, 15.5) ? 1 : 0;
  }
  expect_95_in_100({held, latency_held}, 363, 396);
}

TEST(HockneyFit, PairsOfOneSizeTellHopsBesideAPingPong) {
  std::vector<MessageTime> points = measured(kTwo, {.deviation = 0.005}, 3);
  for (std::int32_t run = 1; run <= 40; ++run) {
    const std::int32_t hops = run % 2 == 0 ? 2 : 4;
    Substream stream(static_cast<std::uint64_t>(run), Purpose::property_suite, 7);
    points.push_back({8, (15.504 + 1.35 * (hops - 2)) * std::exp(0.01 * stream.normal()), run, hops});
  }
  const HockneyFit fit = fit_hockney(points);
  ASSERT_EQ(fit.segments.size(), 2u);
  // The upper segment has one run only: its interval comes from the run's own times, and is not empty.
  EXPECT_FALSE(fit.by_run);
  EXPECT_GT(fit.segments[1].latency_us.high - fit.segments[1].latency_us.low, 0.1);
  ASSERT_TRUE(fit.per_hop_us.has_value());
  EXPECT_TRUE(holds(*fit.per_hop_us, 1.35));
  EXPECT_LT(fit.per_hop_us->high - fit.per_hop_us->low, 0.3);
}

TEST(HockneyFit, TimesThatFallWithTheSizeAreAtTheBound) {
  std::vector<MessageTime> points;
  for (int i = 0; i < 12; ++i) points.push_back({std::int64_t{1} << i, 20 * (1 - 0.0001 * (1 << i) / 8), 0, 2});
  const HockneyFit fit = fit_hockney(points);
  ASSERT_FALSE(fit.segments.empty());
  EXPECT_TRUE(fit.segments.back().bandwidth_at_bound);
  EXPECT_EQ(fit.segments.back().us_per_byte.value, 0);
  EXPECT_TRUE(std::isinf(bandwidth_gb_s(fit.segments.back()).value));
  EXPECT_GT(fit.segments.back().latency_us.value, 18);
}

TEST(HockneyFit, ALatencyBelowZeroIsAtTheBound) {
  std::vector<MessageTime> points;
  // -0.5 us + n / 1 GB/s, which no network has.
  for (int i = 14; i < 24; ++i)
    points.push_back({std::int64_t{1} << i, -0.5 + 1e-3 * static_cast<double>(1 << i), 0, 2});
  const HockneyFit fit = fit_hockney(points);
  ASSERT_EQ(fit.segments.size(), 1u);
  EXPECT_TRUE(fit.segments[0].latency_at_bound);
  EXPECT_EQ(fit.segments[0].latency_us.value, kLeastLatency_us);
  EXPECT_NEAR(bandwidth_gb_s(fit.segments[0]).value, 1, 0.1);
}

TEST(HockneyFit, TwoSizesAreALineWithoutIntervals) {
  const HockneyFit fit = fit_hockney({{0, 10, 0, 2}, {1000, 12, 0, 2}});
  ASSERT_EQ(fit.segments.size(), 1u);
  EXPECT_NEAR(fit.segments[0].latency_us.value, 10, 1e-9);
  EXPECT_NEAR(fit.segments[0].us_per_byte.value, 0.002, 1e-12);
  EXPECT_EQ(fit.freedom, 0);
  EXPECT_TRUE(std::isinf(fit.segments[0].latency_us.high));
}

TEST(HockneyFit, SaysWhatIsTooLittleAndTooMuch) {
  const auto what = [](const std::vector<MessageTime>& points) {
    try {
      fit_hockney(points);
      return std::string();
    } catch (const InputError& error) {
      return std::string(error.what());
    }
  };
  EXPECT_EQ(what({{8, 10, 0, 2}, {8, 11, 1, 2}}),
            "1 message size, expected at least two: one cannot tell latency from bandwidth");
  std::vector<MessageTime> many;
  for (int i = 0; i < 300; ++i) many.push_back({i, 10.0 + i, 0, 2});
  EXPECT_EQ(what(many), "300 different message sizes, expected at most 256");
}

TEST(HockneyFit, ManySizesTakeNoMinute) {
  std::vector<MessageTime> points;
  Substream stream(5, Purpose::property_suite, 8);
  for (std::int64_t i = 0; i < 256; ++i) {
    const double time = i < 100 ? 10 + 0.01 * static_cast<double>(i) : 30 + 0.02 * static_cast<double>(i);
    points.push_back({i, time * std::exp(0.02 * stream.normal()), 0, 2});
  }
  const HockneyFit fit = fit_hockney(points);
  ASSERT_EQ(fit.segments.size(), 2u);
  EXPECT_EQ(fit.segments[0].most_bytes, 99);
}

// Quantiles of any table of Student's t.
TEST(StudentT, AgreesWithTheTable) {
  EXPECT_NEAR(student_t(0.95, 1), 12.7062, 1e-4);
  EXPECT_NEAR(student_t(0.95, 10), 2.2281, 1e-4);
  EXPECT_NEAR(student_t(0.99, 30), 2.7500, 1e-4);
}

// --- Published measurements ---

// boot-times section 5a: hpc6a.48xlarge with EFA on EKS (converged-computing/performance-study, 32 nodes, means of 28).
TEST(PublishedHpc6a, PointsFitWithin5Percent) {
  const std::vector<MessageTime> points = {{0, 15.5, 0, 2},     {8, 15.5, 0, 2},     {1024, 16.6, 0, 2},
                                           {8192, 20.2, 0, 2},  {65536, 26.0, 0, 2}, {1048576, 264, 0, 2},
                                           {4194304, 967, 0, 2}};
  const HockneyFit fit = fit_hockney(points);
  // Seven sizes make two segments: the steps at 8 bytes and 128 KiB are not among them.
  ASSERT_EQ(fit.segments.size(), 2u);
  EXPECT_NEAR(fit.segments[0].latency_us.value, 15.6, 0.3);
  EXPECT_LT(fit.median_residual, 0.02);
  EXPECT_LT(std::abs(fit.worst_residual), 0.1);
}

// Two pairs of one run on ParallelCluster, us by size from 0 and 1 byte to 4 MiB
// (experiments/aws/parallel-cluster/cpu/experiment/results/32-node/osu/osu-32n-220-iter-5.out of the same study).
constexpr double kFar[] = {15.62, 15.58, 15.74, 15.58, 16.11, 16.09, 16.12, 16.18, 16.25,  16.28,  16.38,  16.57,
                           16.89, 17.86, 20.12, 20.97, 22.50, 25.53, 67.44, 80.59, 139.62, 259.10, 496.83, 938.14};
constexpr double kNear[] = {12.39, 12.40, 12.54, 12.39, 12.96, 12.95, 12.97, 13.00, 13.04,  13.05,  13.18,  13.27,
                            13.45, 14.03, 15.42, 16.25, 17.54, 20.47, 54.15, 67.13, 117.38, 219.55, 424.04, 801.58};

TEST(PublishedHpc6a, BothModesHaveTheirProtocolSwitches) {
  for (const auto& [times, latency_us] : {std::pair(std::begin(kFar), 15.6), std::pair(std::begin(kNear), 12.4)}) {
    std::vector<MessageTime> points;
    for (int i = 0; i < 24; ++i) points.push_back({i == 0 ? 0 : std::int64_t{1} << (i - 1), times[i], 0, 2});
    const HockneyFit fit = fit_hockney(points);
    EXPECT_NEAR(fit.segments.front().latency_us.value, latency_us, 0.4);
    // The rendezvous begins above 64 KiB.
    EXPECT_TRUE(std::any_of(fit.segments.begin(), fit.segments.end(),
                            [](const HockneySegment& each) { return each.most_bytes == 65536; }));
    EXPECT_LT(fit.median_residual, 0.01);
    EXPECT_LT(std::abs(fit.worst_residual), 0.1);
    EXPECT_NEAR(bandwidth_gb_s(fit.segments.back()).value, latency_us > 14 ? 4.6 : 5.4, 0.3);
  }
}

}  // namespace
}  // namespace headroom
