// Hockney's model of point-to-point messages, fitted to measurements: time(n) = latency + n / bandwidth (R. W. Hockney,
// "The communication challenge for MPP", Parallel Computing 20(3), 1994), in segments where an MPI library changes its
// protocol. Hides the search for the breakpoints, the robust estimator and how its intervals are made
// (docs/calibrate.md says all three in words). The same points give the same fit on every platform up to rounding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace headroom {

// One measured time of a message.
struct MessageTime {
  std::int64_t bytes = 0;  // >= 0
  double time_us = 0;      // one way, > 0
  std::int32_t run = 0;    // points of one run may err together
  std::int32_t hops = 2;   // between the two nodes: 2 is the same last network node (ec2.md section 10); even, >= 2
};

struct Estimate {
  double value = 0;
  double low = 0;  // of the confidence interval; the bounds of what a parameter can be cut it off
  double high = 0;
};

struct HockneySegment {
  std::int64_t least_bytes = 0;  // smallest and largest measured size in it
  std::int64_t most_bytes = 0;
  std::size_t sizes = 0;            // measured in it
  std::size_t points = 0;           // measured times in it
  Estimate latency_us;              // of a message of 0 bytes by this segment's line, between nodes 2 hops apart; > 0
  Estimate us_per_byte;             // >= 0: the inverse of the bandwidth
  bool latency_at_bound = false;    // the data want less than kLeastLatency
  bool bandwidth_at_bound = false;  // the data want a time that falls with the size: 0 us per byte is nearest
};

// GB/s of 10^9 bytes. `high` (and `value`, at the bound) is infinite where the interval of the slope reaches 0.
Estimate bandwidth_gb_s(const HockneySegment& segment);

struct HockneyFit {
  std::vector<HockneySegment> segments;  // by size, at least one
  std::optional<Estimate> per_hop_us;    // for every hop beyond 2; only where points differ in hops
  bool per_hop_at_bound = false;
  double noise = 0;  // relative standard deviation of one measured time about the model, robust
  std::size_t points = 0;
  std::size_t runs = 0;
  double freedom =
      0;  // degrees of freedom of the intervals, the least; 0: too few points for any, and they are infinite
  bool by_run = false;  // intervals come from the differences between runs, in all segments
  double confidence = 0;
  double between_runs = 0;            // relative standard deviation of whole runs about the model; 0 with one run
  std::vector<double> residuals;      // of each point, in the order given: measured / model - 1
  std::vector<std::size_t> outliers;  // points that are so far off that they have no say
  double median_residual = 0;         // of the absolute residuals
  double worst_residual = 0;          // the residual that is largest in absolute value

  // One way, in us. Sizes between two segments belong to the upper one.
  double time_us(double bytes, std::int32_t hops = 2) const;
};

struct HockneyOptions {
  double confidence = 0.95;  // of each interval by itself, in (0, 1)
  std::size_t most_segments = 6;
};

inline constexpr double kLeastLatency_us = 0.001;
inline constexpr std::size_t kMostSizes = 256;  // of different message sizes
// From so many runs on the runs are what varies; below, single points are.
inline constexpr std::size_t kRunsForClusters = 5;

// Throws InputError, without a place, when there are fewer than two sizes or more than kMostSizes.
HockneyFit fit_hockney(const std::vector<MessageTime>& points, const HockneyOptions& options = {});

// The quantile of Student's t with `freedom` > 0 degrees of freedom that leaves (1 - confidence) / 2 above it.
double student_t(double confidence, double freedom);

}  // namespace headroom
