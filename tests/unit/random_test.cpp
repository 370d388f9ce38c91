#include "models/random.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace headroom {
namespace {

struct Moments {
  double mean = 0, deviation = 0, least = 0, most = 0;
};

// Of `count` samples in seconds, each from a substream of its own as launches draw them.
Moments moments_of(const Distribution& distribution, std::uint64_t count = 200'000) {
  double sum = 0;
  double squares = 0;
  Moments m;
  for (std::uint64_t i = 0; i < count; ++i) {
    Substream stream(11, Purpose::boot, i);
    const double s = static_cast<double>(distribution.sample(stream)) / static_cast<double>(kSecond);
    sum += s;
    squares += s * s;
    m.least = i == 0 ? s : std::min(m.least, s);
    m.most = i == 0 ? s : std::max(m.most, s);
  }
  const auto n = static_cast<double>(count);
  m.mean = sum / n;
  m.deviation = std::sqrt(squares / n - m.mean * m.mean);
  return m;
}

TEST(Distribution, GivesAConstantExactly) {
  Substream stream(1, Purpose::boot, 0);
  EXPECT_EQ((Distribution{Distribution::Kind::constant, 90}).sample(stream), 90 * kSecond);
  EXPECT_EQ((Distribution{Distribution::Kind::constant, 2.5}).sample(stream), 2'500'000);
  EXPECT_EQ((Distribution{}).sample(stream), 0);
}

TEST(Distribution, StaysWithinTheBoundsOfAUniformAndReachesThem) {
  const Moments m = moments_of({Distribution::Kind::uniform, 10, 40});
  EXPECT_EQ(m.least, 10);
  EXPECT_EQ(m.most, 40);
  EXPECT_NEAR(m.mean, 25, 0.1);
  EXPECT_NEAR(m.deviation, std::sqrt((31.0 * 31.0 - 1) / 12.0), 0.1) << "31 whole seconds, each alike";
}

TEST(Distribution, HasTheMomentsOfALognormal) {
  for (const auto& [mean, deviation] : {std::pair{100.0, 30.0}, std::pair{400.0, 400.0}, std::pair{60.0, 5.0}}) {
    const Moments m = moments_of({Distribution::Kind::lognormal, mean, deviation});
    EXPECT_NEAR(m.mean, mean, 0.02 * mean);
    EXPECT_NEAR(m.deviation, deviation, 0.04 * deviation);
  }
}

TEST(Distribution, IsExponential) {
  // Deviation = mean, and the tail beyond x is exp(-x / mean), to three standard errors of 200 000 samples.
  const Distribution law{.kind = Distribution::Kind::exponential, .a = 100};
  constexpr int kSamples = 200'000;
  double sum = 0;
  double squares = 0;
  int beyond[3] = {};
  for (std::uint64_t i = 0; i < kSamples; ++i) {
    Substream stream(11, Purpose::boot, i);
    const double s = static_cast<double>(law.sample(stream, 1)) / static_cast<double>(kSecond);
    sum += s;
    squares += s * s;
    for (int k = 0; k < 3; ++k) beyond[k] += s > 100 * (k + 1) ? 1 : 0;
  }
  EXPECT_NEAR(sum / kSamples, 100, 3 * 100 / std::sqrt(kSamples));
  EXPECT_NEAR(squares / kSamples, 20'000, 3 * std::sqrt(20.0) * 10'000 / std::sqrt(kSamples));
  for (int k = 0; k < 3; ++k) {
    const double share = std::exp(-(k + 1));
    EXPECT_NEAR(beyond[k], kSamples * share, 3 * std::sqrt(kSamples * share * (1 - share)));
  }
}

TEST(Distribution, HasTheMomentsOfAWeibull) {
  // The k-th moment is scale^k G(1 + k / shape). To four standard errors of the mean.
  constexpr int kSamples = 200'000;
  for (const double shape : {0.5, 0.7, 1.0, 2.0, 10.0}) {
    const Distribution law{.kind = Distribution::Kind::weibull, .a = 1000, .b = shape};
    const double mean = 1000 * std::tgamma(1 + 1 / shape);
    const double deviation = std::sqrt(1e6 * std::tgamma(1 + 2 / shape) - mean * mean);
    double sum = 0;
    int beyond = 0;  // the scale, whatever the shape: 1 / e of all
    for (std::uint64_t i = 0; i < kSamples; ++i) {
      Substream stream(5, Purpose::boot, i);
      const double s = static_cast<double>(law.sample(stream, 1)) / static_cast<double>(kSecond);
      sum += s;
      beyond += s > 1000 ? 1 : 0;
    }
    EXPECT_NEAR(sum / kSamples, mean, 4 * deviation / std::sqrt(kSamples)) << shape;
    const double share = std::exp(-1.0);
    EXPECT_NEAR(beyond, kSamples * share, 4 * std::sqrt(kSamples * share * (1 - share))) << shape;
  }
}

TEST(Distribution, KeepsTheLongestSamplesWithinTime) {
  const Distribution law{.kind = Distribution::Kind::weibull, .a = 1e10, .b = 0.1};
  Time longest = 0;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    Substream stream(1, Purpose::boot, i);
    const Time sample = law.sample(stream);
    ASSERT_GE(sample, 0);
    longest = std::max(longest, sample);
  }
  EXPECT_EQ(longest, 1'000'000'000'000 * kSecond) << "the longest that there is";
}

TEST(Distribution, SamplesInTheResolutionAskedFor) {
  const Distribution laws[] = {{Distribution::Kind::uniform, 0.3, 77.7},
                               {Distribution::Kind::lognormal, 33.3, 21},
                               {.kind = Distribution::Kind::exponential, .a = 50}};
  for (const Distribution& law : laws) {
    int whole_milliseconds = 0;
    for (std::uint64_t i = 0; i < 1000; ++i) {
      Substream seconds(5, Purpose::boot, i);
      Substream microseconds(5, Purpose::boot, i);
      const Time fine = law.sample(microseconds, 1);
      EXPECT_LE(std::abs(law.sample(seconds) - fine), kSecond);
      whole_milliseconds += fine % 1000 == 0 ? 1 : 0;
    }
    EXPECT_LT(whole_milliseconds, 10);
  }
}

TEST(Distribution, HasTheMedianOfALognormal) {
  std::vector<Time> samples;
  const Distribution boot{Distribution::Kind::lognormal, 400, 400};
  for (std::uint64_t i = 0; i < 20'001; ++i) {
    Substream stream(3, Purpose::boot, i);
    samples.push_back(boot.sample(stream));
  }
  std::nth_element(samples.begin(), samples.begin() + 10'000, samples.end());
  const double median = 400 / std::sqrt(2.0);  // mean / sqrt(1 + (deviation / mean)^2)
  EXPECT_NEAR(static_cast<double>(samples[10'000]) / static_cast<double>(kSecond), median, 0.03 * median);
}

TEST(Distribution, CutsALognormalAtItsBounds) {
  const Moments m = moments_of({Distribution::Kind::lognormal, 100, 80, 60, 150}, 20'000);
  EXPECT_EQ(m.least, 60);
  EXPECT_EQ(m.most, 150);
}

TEST(Distribution, SamplesWholeSeconds) {
  const Distribution kinds[] = {{Distribution::Kind::uniform, 0.3, 77.7}, {Distribution::Kind::lognormal, 33.3, 21}};
  for (const Distribution& d : kinds) {
    for (std::uint64_t i = 0; i < 1000; ++i) {
      Substream stream(5, Purpose::boot, i);
      ASSERT_EQ(d.sample(stream) % kSecond, 0);
    }
  }
}

TEST(Substream, GivesTheSameNumbersToTheSameKeyAndOthersToOthers) {
  std::set<std::uint64_t> firsts;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (const Purpose purpose : {Purpose::boot, Purpose::workload, Purpose::property_suite}) {
      for (std::uint64_t i = 0; i < 20; ++i) {
        Substream a(seed, purpose, i);
        Substream b(seed, purpose, i);
        const std::uint64_t first = a.next();
        EXPECT_EQ(first, b.next());
        EXPECT_EQ(a.next(), b.next());
        firsts.insert(first);
      }
    }
  }
  EXPECT_EQ(firsts.size(), 20u * 3 * 20);
}

TEST(Substream, DrawsUniformly) {
  Substream stream(1, Purpose::workload, 0);
  std::vector<int> tenths(10);
  std::vector<int> sevenths(7);
  for (int i = 0; i < 70'000; ++i) {
    const double u = stream.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    ++tenths[static_cast<std::size_t>(10 * u)];
    const std::uint64_t n = stream.below(7);
    ASSERT_LT(n, 7u);
    ++sevenths[n];
  }
  for (const int n : tenths) EXPECT_NEAR(n, 7000, 400);  // five standard deviations
  for (const int n : sevenths) EXPECT_NEAR(n, 10'000, 470);
}

TEST(Substream, DrawsANormalWithMeanZeroAndDeviationOne) {
  Substream stream(2, Purpose::workload, 0);
  double sum = 0;
  double squares = 0;
  int beyond_two = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double x = stream.normal();
    sum += x;
    squares += x * x;
    beyond_two += std::abs(x) > 2 ? 1 : 0;
  }
  EXPECT_NEAR(sum / 1e5, 0, 0.015);
  EXPECT_NEAR(squares / 1e5, 1, 0.02);
  EXPECT_NEAR(beyond_two / 1e5, 0.0455, 0.003);
}

}  // namespace
}  // namespace headroom
