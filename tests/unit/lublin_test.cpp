#include "models/workload/lublin.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>
#include <tuple>

#include <boost/math/special_functions/gamma.hpp>
#include <gtest/gtest.h>

#include "models/errors.hpp"

namespace headroom {
namespace {

constexpr int kInteractive = 0;
constexpr int kBatch = 1;
constexpr int kAll = 2;

Workload generate(const LublinOptions& options, std::uint64_t seed = 1, const TraceMap& map = {},
                  const std::vector<std::string>& queue_names = {}) {
  return generate_lublin(options, seed, map, queue_names);
}

LublinOptions options_of(std::uint64_t jobs, std::int32_t processors, bool job_types) {
  LublinOptions options;
  options.jobs = jobs;
  options.processors = processors;
  options.job_types = job_types;
  return options;
}

// Jobs of one stream of a model with types: interactive ones go to queue 0, batch ones to queue 1.
std::vector<WorkloadJob> jobs_of_type(int type, std::uint64_t seed, std::int32_t processors = 128) {
  TraceMap map;
  map.queues = {{kBatch, "batch"}};
  std::vector<WorkloadJob> jobs;
  for (const WorkloadJob& job :
       generate(options_of(60'000, processors, true), seed, map, {"interactive", "batch"}).jobs) {
    if (number(job.request.queue) == static_cast<std::uint32_t>(type)) {
      jobs.push_back(job);
    }
  }
  return jobs;
}

struct Shares {
  double serial = 0;
  double power_of_two = 0;
};

Shares shares_of(const std::vector<WorkloadJob>& jobs) {
  Shares shares;
  for (const WorkloadJob& job : jobs) {
    shares.serial += job.request.cores == 1 ? 1 : 0;
    shares.power_of_two +=
        job.request.cores > 1 && std::has_single_bit(static_cast<unsigned>(job.request.cores)) ? 1 : 0;
  }
  shares.serial /= static_cast<double>(jobs.size());
  shares.power_of_two /= static_cast<double>(jobs.size());
  return shares;
}

// Sample means agree with what the constants imply within 4.5 standard errors (one false alarm in 150 000
// seeds; the seeds are fixed). A run time is the whole seconds of e^g: its midpoint stands for g, an error
// below 0.01.
void expect_published_run_times(const std::vector<WorkloadJob>& jobs, int type) {
  double sum = 0;
  double squares = 0;
  double expected = 0;
  for (const WorkloadJob& job : jobs) {
    const double log_run = std::log(static_cast<double>(job.run_time) / kSecond + 0.5);
    sum += log_run;
    squares += log_run * log_run;
    expected += lublin_mean_log_run_time(type, job.request.cores);
    ASSERT_GE(job.run_time, kSecond);
    ASSERT_LE(job.run_time, 162'754 * kSecond);
    ASSERT_EQ(job.run_time % kSecond, 0);
  }
  const auto n = static_cast<double>(jobs.size());
  const double mean = sum / n;
  const double standard_error = std::sqrt((squares / n - mean * mean) / n);
  EXPECT_NEAR(mean, expected / n, 4.5 * standard_error + 0.01);
}

void expect_share(double found, double expected, std::size_t jobs) {
  EXPECT_NEAR(found, expected, 4.5 * std::sqrt(expected * (1 - expected) / static_cast<double>(jobs)));
}

TEST(Lublin, KeepsThePublishedSharesOfWidths) {
  const auto all = generate(options_of(60'000, 128, false)).jobs;
  expect_share(shares_of(all).serial, .244, all.size());
  const auto interactive = jobs_of_type(kInteractive, 1);
  const auto batch = jobs_of_type(kBatch, 1);
  ASSERT_GT(interactive.size(), 15'000u);
  ASSERT_GT(batch.size(), 5'000u);  // interactive jobs come in shorter gaps
  expect_share(shares_of(interactive).serial, .1541, interactive.size());
  expect_share(shares_of(batch).serial, .2927, batch.size());
  // Other parallel widths can be a power of two by chance, mostly 2 and 4, but not most of them.
  for (const auto& [jobs, share, serial] :
       {std::tuple{&all, .576, .244}, std::tuple{&interactive, .625, .1541}, std::tuple{&batch, .6686, .2927}}) {
    const double found = shares_of(*jobs).power_of_two;
    EXPECT_GT(found, share - 0.01);
    EXPECT_LT(found, share + 0.5 * (1 - share - serial));
  }
}

// The share of the first of the two uniform laws shows in the widths below its upper bound.
TEST(Lublin, KeepsTheTwoStageUniformLawOfWidths) {
  const auto jobs = generate(options_of(60'000, 128, false)).jobs;
  double narrow = 0;
  double parallel = 0;
  std::int32_t widest = 0;
  for (const WorkloadJob& job : jobs) {
    parallel += job.request.cores > 1 ? 1 : 0;
    // Of a rounded log2, 4.5 is the border between 16 and 32; of others, 2^4.5 = 22.6.
    narrow += job.request.cores > 1 && job.request.cores <= 22 ? 1 : 0;
    widest = std::max(widest, job.request.cores);
  }
  // P(l < 4.5) = .86, up to the 22.6 that rounds to 23: log2(22.5) = 4.492, a share of .86 x .008 / 3.7.
  expect_share(narrow / parallel, .86 - .001, static_cast<std::size_t>(parallel));
  EXPECT_EQ(widest, 128);
}

TEST(Lublin, KeepsThePublishedRunTimes) {
  expect_published_run_times(generate(options_of(60'000, 128, false)).jobs, kAll);
  expect_published_run_times(jobs_of_type(kInteractive, 1), kInteractive);
  expect_published_run_times(jobs_of_type(kBatch, 1), kBatch);
  // By hand, for a width at which the first law has a share of .78 - .0054 x 100 = .24 and hardly anything is
  // cut at 12 (both means are several deviations below): .24 x 4.2 x .94 + .76 x 312 x .03 = 8.06.
  EXPECT_NEAR(lublin_mean_log_run_time(kAll, 100), 8.06, 0.02);
  EXPECT_NEAR(lublin_mean_log_run_time(kBatch, 1), .6956 * 6.57 * .823 + .3044 * 639.1 * .0156, 0.12);
  // Wider jobs run longer.
  EXPECT_GT(lublin_mean_log_run_time(kAll, 128), lublin_mean_log_run_time(kAll, 1) + 2);
}

TEST(Lublin, HasAWorkingDay) {
  for (const int type : {kInteractive, kBatch, kAll}) {
    std::array<double, kLublinBuckets> shares{};
    for (int bucket = 0; bucket < kLublinBuckets; ++bucket) {
      shares[static_cast<std::size_t>(bucket)] = lublin_arrival_share(type, bucket);
    }
    EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1, 1e-12);
    // The gamma law's mode, (alpha - 1) beta = 27.0 to 29.0 half hours, counted from 1: between 13:00 and
    // 14:30.
    const auto peak = std::max_element(shares.begin(), shares.end()) - shares.begin();
    EXPECT_GE(peak, 26);
    EXPECT_LE(peak, 28);
    const auto low = std::min_element(shares.begin(), shares.end()) - shares.begin();
    EXPECT_GE(low, 2 * 2);  // between 02:00
    EXPECT_LT(low, 2 * 7);  // and 07:00
  }
}

// Over many days arrivals follow the published shares of the half hours.
TEST(Lublin, FollowsTheDailyCycle) {
  const auto jobs = generate(options_of(200'000, 128, false)).jobs;
  std::array<double, kLublinBuckets> found{};
  Time last = 0;
  for (const WorkloadJob& job : jobs) {
    ASSERT_GE(job.request.submit, last);
    ASSERT_EQ(job.request.submit % kSecond, 0);
    last = job.request.submit;
    found[static_cast<std::size_t>(job.request.submit / (30 * kMinute) % kLublinBuckets)] += 1;
  }
  EXPECT_GT(last, 365 * 24 * kHour);
  // Arrivals are burstier than a Poisson process (gaps vary by a factor e^1.6), so that a bucket's count
  // deviates more than its root: 15 % of the busiest is some seven of these deviations.
  const auto n = static_cast<double>(jobs.size());
  double peak = 0;
  for (int bucket = 0; bucket < kLublinBuckets; ++bucket) {
    peak = std::max(peak, lublin_arrival_share(kAll, bucket));
  }
  for (int bucket = 0; bucket < kLublinBuckets; ++bucket) {
    EXPECT_NEAR(found[static_cast<std::size_t>(bucket)] / n, lublin_arrival_share(kAll, bucket), 0.15 * peak) << bucket;
  }
}

// A whole day costs 48 points of 1800 s, so that in the long run the cycle changes nothing: the mean gap is
// that of e^g with g of the published gamma law, cut at 13. E[e^(kg); g <= c] = (1 - k beta)^-alpha P(alpha,
// c (1 - k beta) / beta).
TEST(Lublin, KeepsThePublishedMeanGap) {
  const double alpha = 10.2303 * 1.0225;
  const double beta = .4871;
  const auto moment = [&](int k) {
    const double rate = 1 - k * beta;
    return std::pow(rate, -alpha) * boost::math::gamma_p(alpha, 13 * rate / beta) /
           boost::math::gamma_p(alpha, 13 / beta);
  };
  const double mean = moment(1);
  const std::uint64_t n = 200'000;
  const double standard_error = std::sqrt((moment(2) - mean * mean) / static_cast<double>(n));
  EXPECT_LT(standard_error, 0.03 * mean) << "or the test says nothing";
  const double span_s = static_cast<double>(generate(options_of(n, 128, false)).jobs.back().request.submit) / kSecond;
  EXPECT_NEAR(span_s / static_cast<double>(n), mean, 4.5 * standard_error + 86400.0 / static_cast<double>(n));
}

TEST(Lublin, DividesGapsByTheLoadFactor) {
  LublinOptions options = options_of(50'000, 128, false);
  const auto normal = generate(options).jobs;
  options.load_factor = 2;
  const auto doubled = generate(options).jobs;
  // The same draws, and the cycle's price for a whole day is the same: the span is halved up to one day.
  EXPECT_NEAR(static_cast<double>(doubled.back().request.submit), static_cast<double>(normal.back().request.submit) / 2,
              static_cast<double>(24 * kHour));
  for (std::size_t i = 0; i < normal.size(); ++i) {
    ASSERT_EQ(normal[i].run_time, doubled[i].run_time);
    ASSERT_EQ(normal[i].request.cores, doubled[i].request.cores);
  }
}

TEST(Lublin, RequestsWholeMinutes) {
  LublinOptions options = options_of(5000, 128, true);
  for (const double factor : {0.5, 1.0, 1.7, 1e9}) {
    options.estimate_factor = factor;
    const Workload workload = generate(options);
    std::uint64_t killed = 0;
    for (const WorkloadJob& job : workload.jobs) {
      ASSERT_GE(job.request.limit, kMinute);
      ASSERT_EQ(job.request.limit % kMinute, 0);
      if (factor < 1e6) {
        const double requested = static_cast<double>(job.run_time) * factor;
        ASSERT_GE(static_cast<double>(job.request.limit), requested - 1);
        ASSERT_LT(static_cast<double>(job.request.limit), std::max(requested + kMinute, 1.0 + kMinute));
      }
      killed += job.run_time > job.request.limit ? 1 : 0;
    }
    EXPECT_EQ(killed > 0, factor < 1);
    EXPECT_EQ(workload.adjustments.size(), factor < 1 ? 1u : 0u);
    if (factor < 1) {
      EXPECT_EQ(workload.adjustments[0].jobs, killed);
    }
  }
}

TEST(Lublin, FitsMachinesOfAnySize) {
  for (const bool job_types : {false, true}) {
    for (const std::int32_t processors : {1, 2, 3, 4, 5, 8, 45, 100, 1000, 65'536, 2'000'000'000}) {
      std::int32_t widest = 0;
      for (const WorkloadJob& job : generate(options_of(2000, processors, job_types)).jobs) {
        ASSERT_GE(job.request.cores, 1);
        ASSERT_LE(job.request.cores, processors);
        ASSERT_GT(job.run_time, 0);
        widest = std::max(widest, job.request.cores);
      }
      EXPECT_GT(2.0 * widest, processors) << "the range is used";
    }
  }
}

TEST(Lublin, DependsOnTheSeedAlone) {
  const LublinOptions options = options_of(1000, 128, true);
  const auto same = [](const Workload& a, const Workload& b) {
    return std::equal(a.jobs.begin(), a.jobs.end(), b.jobs.begin(), b.jobs.end(),
                      [](const WorkloadJob& x, const WorkloadJob& y) {
                        return x.request.submit == y.request.submit && x.request.cores == y.request.cores &&
                               x.run_time == y.run_time && x.number == y.number;
                      });
  };
  EXPECT_TRUE(same(generate(options), generate(options)));
  EXPECT_FALSE(same(generate(options), generate(options, 2)));
  // More jobs are more of the same.
  Workload longer = generate(options_of(1500, 128, true));
  longer.jobs.resize(1000);
  EXPECT_TRUE(same(generate(options), longer));
  EXPECT_TRUE(generate(options_of(0, 128, true)).jobs.empty());
}

// Pins the numbers themselves, so that compilers and standard libraries can be compared.
TEST(Lublin, DrawsTheSameNumbersEverywhere) {
  const Workload workload = generate(options_of(20'000, 128, true), 42);
  std::uint64_t digest = 14695981039346656037u;  // FNV-1a over the values
  for (const WorkloadJob& job : workload.jobs) {
    for (const std::int64_t value : {job.request.submit, job.run_time, std::int64_t{job.request.cores}}) {
      digest = (digest ^ static_cast<std::uint64_t>(value)) * 1099511628211u;
    }
  }
  EXPECT_EQ(digest, 5331398416941102684u);
  EXPECT_EQ(workload.records, 20'000u);
  EXPECT_EQ(workload.jobs[0].number, 1u);
  EXPECT_EQ(workload.user_names, std::vector<std::string>{"unknown"});
}

TEST(Lublin, MapsTypesToQueues) {
  TraceMap map;
  map.unit = TraceMap::Unit::node;
  map.processors_per_unit = 4;
  map.queues = {{kInteractive, "short"}, {kBatch, "long"}};
  const Workload workload = generate(options_of(1000, 128, true), 1, map, {"long", "short"});
  std::array<int, 2> jobs{};
  for (const WorkloadJob& job : workload.jobs) {
    ++jobs[number(job.request.queue)];
    ASSERT_TRUE(job.request.exclusive);
    ASSERT_GE(job.request.nodes, 1);
    ASSERT_LE(job.request.nodes, 32);
  }
  EXPECT_GT(jobs[0], 50);
  EXPECT_GT(jobs[1], 500);
  map.queue = "absent";
  EXPECT_THROW(generate(options_of(1, 128, true), 1, map, {"long", "short"}), InputError);
}

}  // namespace
}  // namespace headroom
