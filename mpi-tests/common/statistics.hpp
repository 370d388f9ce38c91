// Statistics of measurements that have outliers.
#pragma once

#include <vector>

#include "mpi-tests/common/json.hpp"

namespace headroom::mpi {

// Percentiles are samples (nearest rank), so min <= p50 <= p95 <= p99 <= max always holds.
struct Distribution {
  double min = 0, p50 = 0, p95 = 0, p99 = 0, max = 0, mean = 0;
};

// All zero when there is no sample.
Distribution distribution_of(std::vector<double> samples);

// {"min": ..., "p50": ..., ...}
void write(JsonWriter& json, const Distribution& distribution);

// Which direction is good: of a latency the lower, of a bandwidth the higher.
enum class Better { kLower, kHigher };

// The median; of an even number of samples the better one of the middle two. So where one node of four or one pair of
// two is bad, half of the samples, the median is still that of the good ones. 0 when there is no sample.
double better_median(std::vector<double> samples, Better better);

// Where most samples are, and how far they spread.
struct Centre {
  double median = 0;
  double spread = 0;  // like a standard deviation: 1.4826 times the median absolute deviation, but at least the floor
};

// `floor_share` of the median is the least spread, so that few equal samples do not make a score infinite.
Centre centre_of(const std::vector<double>& samples, Better better, double floor_share = 0.02);

// The robust z score: how many spreads the sample is worse than the centre; negative when it is better. 0 without
// spread.
double score(double sample, const Centre& centre, Better better);

}  // namespace headroom::mpi
