#include "mpi-tests/common/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace headroom::mpi {

Distribution distribution_of(std::vector<double> samples) {
  if (samples.empty()) return {};
  std::sort(samples.begin(), samples.end());
  const auto nearest_rank = [&](std::size_t percent) { return samples[(samples.size() * percent + 99) / 100 - 1]; };
  Distribution result;
  result.min = samples.front();
  result.p50 = nearest_rank(50);
  result.p95 = nearest_rank(95);
  result.p99 = nearest_rank(99);
  result.max = samples.back();
  result.mean = std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
  return result;
}

void write(JsonWriter& json, const Distribution& distribution) {
  json.begin_object()
      .member("min", distribution.min)
      .member("p50", distribution.p50)
      .member("p95", distribution.p95)
      .member("p99", distribution.p99)
      .member("max", distribution.max)
      .member("mean", distribution.mean)
      .end_object();
}

double better_median(std::vector<double> samples, Better better) {
  if (samples.empty()) return 0;
  const std::size_t middle = better == Better::kLower ? (samples.size() - 1) / 2 : samples.size() / 2;
  std::nth_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(middle), samples.end());
  return samples[middle];
}

Centre centre_of(const std::vector<double>& samples, Better better, double floor_share) {
  Centre centre;
  centre.median = better_median(samples, better);
  std::vector<double> deviations;
  deviations.reserve(samples.size());
  for (const double sample : samples) deviations.push_back(std::abs(sample - centre.median));
  // 1.4826 makes the median absolute deviation of a normal distribution its standard deviation.
  centre.spread = std::max(1.4826 * better_median(deviations, Better::kLower), floor_share * std::abs(centre.median));
  return centre;
}

double score(double sample, const Centre& centre, Better better) {
  if (centre.spread <= 0) return 0;
  const double worse = better == Better::kLower ? sample - centre.median : centre.median - sample;
  return worse / centre.spread;
}

}  // namespace headroom::mpi
