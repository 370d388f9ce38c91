#include "models/calibrate/hockney_fit.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include <Eigen/Dense>
#include <boost/math/distributions/students_t.hpp>
#include <fmt/format.h>

#include "engine/types.hpp"
#include "models/errors.hpp"

namespace headroom {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Huber's psi bends at 1.345 and Tukey's biweight ends at 4.685 standard deviations: 95 % efficiency each on normal
// noise (Huber and Ronchetti, Robust Statistics, 2009; Beaton and Tukey, Technometrics 16, 1974).
constexpr double kHuber = 1.345;
constexpr double kTukey = 4.685;
// 1 / 0.6745: the standard deviation of a normal law over its median absolute deviation.
constexpr double kNormalMad = 1.4826;
// Deviations below this are not looked at: two parameters do not describe a protocol more exactly, so that further
// segments would follow its details, and points would be thrown out for them.
constexpr double kFinestNoise = 0.01;
// In a segment of fewer points nobody can tell which one is the gross error: all of them count in full.
constexpr std::size_t kPointsToJudge = 5;
constexpr std::size_t kSizesPerSegment = 3;
// In the search for breakpoints: what a further segment costs, in squared deviations and times the logarithm of the
// number of sizes. 4 is Schwarz's price of two parameters and a place; the noise is known to some ten degrees of
// freedom only, and 6 keeps the share of false segments at one in a hundred (docs/calibrate.md).
constexpr double kPrice = 6;
// The 95 % quantile of chi-square with one degree of freedom: breakpoints that fit worse by less are as good.
constexpr double kAsGood = 3.84;

double median_of(std::vector<double> values) {
  const std::size_t middle = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle), values.end());
  const double upper = values[middle];
  if (values.size() % 2 == 1) return upper;
  return (upper + *std::max_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(middle))) / 2;
}

// All points of one size, at the median of their logarithms.
struct Size {
  double bytes = 0;
  double log_time = 0;
};

// --- One segment, for the search ---

struct Line {
  double latency = 0;
  double slope = 0;
};

// The line with the least weighted squares of the logarithms' residuals. Gauss-Newton steps on ln(a + b n), whose
// Jacobian is (1, n) / (a + b n); within the bounds a >= kLeastLatency_us, b >= 0.
Line weighted_line(const Size* first, const Size* last, const std::vector<double>& weights, Line line) {
  const std::size_t n = static_cast<std::size_t>(last - first);
  const double scale = std::max(1.0, (last - 1)->bytes);  // of the sizes, so that the normal equations are sane
  double a = line.latency;
  double b = line.slope * scale;
  for (int step = 0; step < 20; ++step) {
    double xx = 0, xz = 0, zz = 0, xr = 0, zr = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double z = first[i].bytes / scale;
      const double f = a + b * z;
      const double r = first[i].log_time - std::log(f);
      const double w = weights[i] / (f * f);
      xx += w;
      xz += w * z;
      zz += w * z * z;
      xr += weights[i] * r / f;
      zr += weights[i] * r * z / f;
    }
    const double determinant = xx * zz - xz * xz;
    double da = 0, db = 0;
    if (determinant > 1e-12 * xx * zz) {
      da = (zz * xr - xz * zr) / determinant;
      db = (xx * zr - xz * xr) / determinant;
    } else if (xx > 0) {
      da = xr / xx;
    }
    double next_a = a + da;
    double next_b = b + db;
    // On a bound the other parameter is fitted alone.
    if (next_b < 0 && xx > 0) {
      next_b = 0;
      next_a = a + (xr + xz * b) / xx;
    }
    if (next_a < kLeastLatency_us && zz > 0) {
      next_a = kLeastLatency_us;
      next_b = std::max(0.0, b + (zr + xz * (a - next_a)) / zz);
    }
    // A step that more than halves the model somewhere leaves the range in which the logarithm is a line.
    double shorter = 1;
    for (std::size_t i = 0; i < n; ++i) {
      const double z = first[i].bytes / scale;
      const double now = a + b * z;
      const double then = next_a + next_b * z;
      if (then < now / 2) shorter = std::min(shorter, now / 2 / (now - then));
    }
    next_a = a + shorter * (next_a - a);
    next_b = b + shorter * (next_b - b);
    const double change = std::abs(next_a - a) / a + std::abs(next_b - b) / std::max(a, b);
    a = std::max(kLeastLatency_us, next_a);
    b = std::max(0.0, next_b);
    if (change < 1e-9) break;
  }
  return {a, b / scale};
}

struct SegmentCost {
  double cost = 0;  // sum of squared deviations over `noise`; what is slower than the line counts for `most` at most
  Line line;
};

SegmentCost segment_cost(const Size* first, const Size* last, double noise, double most) {
  const std::size_t n = static_cast<std::size_t>(last - first);
  std::vector<double> weights(n, 1.0);
  std::vector<double> logs;
  for (const Size* s = first; s != last; ++s) logs.push_back(s->log_time);
  Line line{std::exp(median_of(logs)), 0};
  SegmentCost result;
  for (int round = 0; round < 12; ++round) {
    line = weighted_line(first, last, weights, line);
    double cost = 0;
    double change = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double f = line.latency + line.slope * first[i].bytes;
      const double deviation = (first[i].log_time - std::log(f)) / noise;
      const double u = std::abs(deviation);
      cost += deviation > 0 ? std::min(u * u, most) : u * u;
      const double weight = u <= kHuber || n < kPointsToJudge ? 1.0 : kHuber / u;
      change = std::max(change, std::abs(weight - weights[i]));
      weights[i] = weight;
    }
    result = {cost, line};
    if (change < 1e-3) break;
  }
  return result;
}

// --- The breakpoints ---

// The noise without a model: how far a size is from the line through its two neighbours, which is exact for points of
// one segment whatever its parameters (as T. Gasser et al., Biometrika 73, 1986, for curves).
double local_noise(const std::vector<Size>& sizes) {
  std::vector<double> deviations;
  for (std::size_t i = 1; i + 1 < sizes.size(); ++i) {
    const double share = (sizes[i].bytes - sizes[i - 1].bytes) / (sizes[i + 1].bytes - sizes[i - 1].bytes);
    const double before = std::exp(sizes[i - 1].log_time);
    const double after = std::exp(sizes[i + 1].log_time);
    const double between = before + share * (after - before);
    const double low = (1 - share) * before / between;
    const double high = share * after / between;
    deviations.push_back(std::abs(sizes[i].log_time - std::log(between)) / std::sqrt(1 + low * low + high * high));
  }
  return deviations.empty() ? kFinestNoise : std::max(kFinestNoise, kNormalMad * median_of(deviations));
}

// Where segments begin. Dynamic programming over the sizes for each number of segments, then the number that is worth
// its price: sum of squared deviations + price x segments, as Schwarz's criterion with the noise known. A message that
// took too long counts for no more than the price, so that a single gross error can never pay for a segment; nothing
// makes a message faster than it can be, so what is too fast counts in full.
struct Segmentation {
  std::vector<std::size_t> starts;                // the first size of each segment, so 0 first
  double noise = 0;                               // of the sizes about these segments
  std::vector<std::vector<std::size_t>> as_good;  // `starts` with one breakpoint moved by a size
};

Segmentation segmentation_of(const std::vector<Size>& sizes, std::size_t most_segments, double noise) {
  const std::size_t m = sizes.size();
  const std::size_t most = std::max<std::size_t>(1, std::min(most_segments, m / kSizesPerSegment));
  Segmentation result{{0}, noise, {}};
  if (most == 1) return result;
  const auto count = static_cast<double>(m);
  const double price = kPrice * std::log(count);
  const auto at = [&](std::size_t i, std::size_t j) { return i * (m + 1) + j; };
  std::vector<double> cost(m * (m + 1) + m + 1, kInfinity);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = i + kSizesPerSegment; j <= m; ++j) {
      cost[at(i, j)] = segment_cost(&sizes[i], &sizes[0] + j, noise, price).cost;
    }
  }
  std::vector<std::vector<double>> best(most + 1, std::vector<double>(m + 1, kInfinity));
  std::vector<std::vector<std::size_t>> from(most + 1, std::vector<std::size_t>(m + 1, 0));
  best[0][0] = 0;
  for (std::size_t k = 1; k <= most; ++k) {
    for (std::size_t j = k * kSizesPerSegment; j <= m; ++j) {
      for (std::size_t i = (k - 1) * kSizesPerSegment; i + kSizesPerSegment <= j; ++i) {
        const double sum = best[k - 1][i] + cost[at(i, j)];
        if (sum < best[k][j]) {
          best[k][j] = sum;
          from[k][j] = i;
        }
      }
    }
  }
  double least = kInfinity;
  std::size_t chosen = 1;
  for (std::size_t k = 1; k <= most; ++k) {
    const double criterion = best[k][m] + price * static_cast<double>(k);
    if (criterion < least) {
      least = criterion;
      chosen = k;
    }
  }
  result.starts.assign(chosen, 0);
  std::size_t end = m;
  for (std::size_t k = chosen; k > 0; --k) {
    end = from[k][end];
    result.starts[k - 1] = end;
  }
  const auto end_of = [&](const std::vector<std::size_t>& starts, std::size_t k) {
    return k + 1 < starts.size() ? starts[k + 1] : m;
  };
  std::vector<double> deviations;
  for (std::size_t k = 0; k < chosen; ++k) {
    const std::size_t first = result.starts[k];
    const std::size_t last = end_of(result.starts, k);
    const Line line = segment_cost(&sizes[first], &sizes[0] + last, noise, price).line;
    for (std::size_t i = first; i < last; ++i) {
      deviations.push_back(std::abs(sizes[i].log_time - std::log(line.latency + line.slope * sizes[i].bytes)));
    }
  }
  const double freedom = std::max(1.0, count - 2.0 * static_cast<double>(chosen));
  result.noise = std::max(kFinestNoise, kNormalMad * median_of(deviations) * std::sqrt(count / freedom));
  for (std::size_t k = 1; k < chosen; ++k) {
    for (const bool later : {false, true}) {
      std::vector<std::size_t> moved = result.starts;
      moved[k] += later ? 1 : std::size_t{0} - 1;
      double sum = 0;
      for (std::size_t s = k - 1; s <= k; ++s) {
        sum += cost[at(moved[s], end_of(moved, s))] - cost[at(result.starts[s], end_of(result.starts, s))];
      }
      if (sum < kAsGood) result.as_good.push_back(std::move(moved));
    }
  }
  return result;
}

// --- All segments together, on the points themselves ---

// Parameters in the order latency, slope of each segment, then the hops'. Slopes are per `scale` bytes of their
// segment.
struct Joint {
  const std::vector<MessageTime>& points;
  std::vector<std::size_t> segment;  // of each point
  std::vector<double> scale;         // of each segment's sizes
  std::vector<bool> judged;          // of each segment: has points enough to tell gross errors
  bool has_hops = false;

  Eigen::Index parameters() const { return static_cast<Eigen::Index>(2 * scale.size() + (has_hops ? 1 : 0)); }

  double time(const VectorXd& theta, std::size_t i) const {
    const auto k = static_cast<Eigen::Index>(2 * segment[i]);
    double f = theta[k] + theta[k + 1] * (static_cast<double>(points[i].bytes) / scale[segment[i]]);
    if (has_hops) f += theta[theta.size() - 1] * (points[i].hops - 2);
    return f;
  }
  double residual(const VectorXd& theta, std::size_t i) const {
    return std::log(points[i].time_us) - std::log(time(theta, i));
  }
  // Of the logarithm of the model.
  MatrixXd jacobian(const VectorXd& theta) const {
    MatrixXd x = MatrixXd::Zero(static_cast<Eigen::Index>(points.size()), parameters());
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double f = time(theta, i);
      const auto row = static_cast<Eigen::Index>(i);
      const auto k = static_cast<Eigen::Index>(2 * segment[i]);
      x(row, k) = 1 / f;
      x(row, k + 1) = static_cast<double>(points[i].bytes) / scale[segment[i]] / f;
      if (has_hops) x(row, parameters() - 1) = (points[i].hops - 2) / f;
    }
    return x;
  }
  double bound(Eigen::Index parameter) const {
    const bool is_latency = parameter % 2 == 0 && parameter < static_cast<Eigen::Index>(2 * scale.size());
    return is_latency ? kLeastLatency_us : 0.0;
  }
};

// Of a deviation in standard deviations: its weight, and the derivative of weight times deviation.
struct Weighting {
  double (*weight)(double);
  double (*slope)(double);
};
constexpr Weighting kHuberWeighting{[](double u) { return std::abs(u) <= kHuber ? 1.0 : kHuber / std::abs(u); },
                                    [](double u) { return std::abs(u) <= kHuber ? 1.0 : 0.0; }};
constexpr Weighting kTukeyWeighting{[](double u) {
                                      const double v = u * u / (kTukey * kTukey);
                                      return v >= 1 ? 0.0 : (1 - v) * (1 - v);
                                    },
                                    [](double u) {
                                      const double v = u * u / (kTukey * kTukey);
                                      return v >= 1 ? 0.0 : (1 - v) * (1 - 5 * v);
                                    }};

double noise_of(const Joint& joint, const VectorXd& theta) {
  std::vector<double> deviations;
  for (std::size_t i = 0; i < joint.points.size(); ++i) deviations.push_back(std::abs(joint.residual(theta, i)));
  const auto count = static_cast<double>(deviations.size());
  const double freedom = std::max(1.0, count - static_cast<double>(joint.parameters()));
  return kNormalMad * median_of(deviations) * std::sqrt(count / freedom);
}

// One Gauss-Newton step of weighted least squares on the logarithms. With `free`, only over those parameters.
VectorXd step_from(const Joint& joint, const VectorXd& theta, double noise, const Weighting& weighting,
                   const std::vector<bool>& free) {
  const MatrixXd x = joint.jacobian(theta);
  VectorXd w(x.rows()), r(x.rows());
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    r[i] = joint.residual(theta, static_cast<std::size_t>(i));
    const bool judged = joint.judged[joint.segment[static_cast<std::size_t>(i)]];
    w[i] = judged ? weighting.weight(r[i] / noise) : 1.0;
  }
  std::vector<Eigen::Index> columns;
  for (Eigen::Index p = 0; p < x.cols(); ++p) {
    if (free[static_cast<std::size_t>(p)]) columns.push_back(p);
  }
  MatrixXd part(x.rows(), static_cast<Eigen::Index>(columns.size()));
  for (std::size_t c = 0; c < columns.size(); ++c) part.col(static_cast<Eigen::Index>(c)) = x.col(columns[c]);
  const VectorXd root = w.cwiseSqrt();
  const VectorXd solved =
      (root.asDiagonal() * part).completeOrthogonalDecomposition().solve((root.array() * r.array()).matrix());
  VectorXd step = VectorXd::Zero(x.cols());
  for (std::size_t c = 0; c < columns.size(); ++c) step[columns[c]] = solved[static_cast<Eigen::Index>(c)];
  // The logarithm needs a positive model; halving it is as far as a step goes.
  double shorter = 1;
  for (std::size_t i = 0; i < joint.points.size(); ++i) {
    const double now = joint.time(theta, i);
    const double then = joint.time(theta + step, i);
    if (then < now / 2) shorter = std::min(shorter, now / 2 / (now - then));
  }
  return shorter * step;
}

// Iteratively reweighted least squares. `noise` > 0 is kept, 0 is estimated in every round. Where `bounded`, parameters
// that leave their bounds are held there; the others are free, so that the intervals are honest (Estimate).
VectorXd irls(const Joint& joint, VectorXd theta, double fixed_noise, const Weighting& weighting, bool bounded) {
  const auto count = static_cast<std::size_t>(theta.size());
  std::vector<bool> free(count, true);
  for (int round = 0; round < 100; ++round) {
    const double noise = fixed_noise > 0 ? fixed_noise : std::max(kFinestNoise, noise_of(joint, theta));
    VectorXd next = theta + step_from(joint, theta, noise, weighting, free);
    bool held = false;
    for (std::size_t p = 0; bounded && p < count; ++p) {
      const auto index = static_cast<Eigen::Index>(p);
      if (free[p] && next[index] < joint.bound(index)) {
        free[p] = false;
        next[index] = joint.bound(index);
        held = true;
      }
    }
    double change = 0;
    for (std::size_t i = 0; i < joint.points.size(); ++i) {
      change = std::max(change, std::abs(std::log(joint.time(next, i) / joint.time(theta, i))));
    }
    theta = next;
    if (!held && change < 1e-10) break;
  }
  return theta;
}

struct Covariance {
  MatrixXd matrix;
  double freedom = 0;  // 0: there is none
};

// Of an M-estimator, of points that err each for itself (Huber and Ronchetti, section 7.6), or, where `by_run`, of runs
// that err as wholes: the sandwich over runs, which for alike runs is just the spread of the fits of single runs.
Covariance covariance_of(const Joint& joint, const VectorXd& theta, double noise, std::size_t runs, bool by_run) {
  const MatrixXd x = joint.jacobian(theta);
  const auto n = static_cast<double>(x.rows());
  // Where a segment begins was fitted, too.
  const auto p = static_cast<double>(x.cols()) + static_cast<double>(joint.scale.size() - 1);
  VectorXd psi(x.rows()), slope(x.rows());
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    const double u = joint.residual(theta, static_cast<std::size_t>(i)) / noise;
    const bool judged = joint.judged[joint.segment[static_cast<std::size_t>(i)]];
    psi[i] = judged ? u * kTukeyWeighting.weight(u) : u;
    slope[i] = judged ? kTukeyWeighting.slope(u) : 1.0;
  }
  Covariance result;
  if (by_run) {
    if (runs < kRunsForClusters) return result;
    const MatrixXd bread =
        (x.transpose() * slope.cwiseMax(0.0).asDiagonal() * x).completeOrthogonalDecomposition().pseudoInverse();
    std::int32_t most = 0;
    for (const MessageTime& point : joint.points) most = std::max(most, point.run);
    MatrixXd scores = MatrixXd::Zero(most + 1, x.cols());
    for (Eigen::Index i = 0; i < x.rows(); ++i) {
      scores.row(joint.points[static_cast<std::size_t>(i)].run) += psi[i] * x.row(i);
    }
    const auto r = static_cast<double>(runs);
    result.matrix = noise * noise * r / (r - 1) * bread * (scores.transpose() * scores) * bread;
    result.freedom = r - 1;
    return result;
  }
  if (n <= p) return result;
  const double mean_slope = slope.mean();
  const double spread = (slope.array() - mean_slope).square().mean();
  const double correction = 1 + p / n * spread / (mean_slope * mean_slope);
  const double variance =
      correction * correction * noise * noise * psi.squaredNorm() / (n - p) / (mean_slope * mean_slope);
  result.matrix = variance * (x.transpose() * x).completeOrthogonalDecomposition().pseudoInverse();
  result.freedom = n - p;
  return result;
}

struct JointFit {
  Joint joint;
  VectorXd free;         // the parameters wherever they want to be: what intervals are made about
  VectorXd bounded;      // within their bounds
  double noise = 0;      // robust standard deviation of the points
  double tolerance = 0;  // what deviations are measured by: the noise, or kFinestNoise
  Covariance by_point;
  Covariance by_run;
  std::vector<std::size_t> runs_of;  // of each segment, and of all for the hops

  // Few runs over a segment say nothing of how runs differ there; the points of one would seem to agree with
  // themselves.
  bool is_by_run(Eigen::Index p) const {
    return by_run.freedom > 0 && runs_of[static_cast<std::size_t>(p / 2)] >= kRunsForClusters;
  }
  // Half the width of a parameter's interval.
  double half(Eigen::Index p, double confidence) const {
    const Covariance& covariance = is_by_run(p) ? by_run : by_point;
    if (covariance.freedom <= 0) return kInfinity;
    const double freedom =
        is_by_run(p) ? static_cast<double>(runs_of[static_cast<std::size_t>(p / 2)] - 1) : covariance.freedom;
    return student_t(confidence, freedom) * std::sqrt(std::max(0.0, covariance.matrix(p, p)));
  }
};

JointFit fit_segments(const std::vector<MessageTime>& points, const std::vector<std::size_t>& size_of,
                      const std::vector<Size>& sizes, const std::vector<std::size_t>& starts, double noise_of_sizes,
                      bool has_hops, std::size_t runs) {
  JointFit fit{{points, {}, {}, {}, has_hops}, {}, {}, 0, 0, {}, {}, {}};
  Joint& joint = fit.joint;
  VectorXd theta = VectorXd::Zero(static_cast<Eigen::Index>(2 * starts.size() + (has_hops ? 1 : 0)));
  for (std::size_t k = 0; k < starts.size(); ++k) {
    const std::size_t last = k + 1 < starts.size() ? starts[k + 1] : sizes.size();
    const Line line = segment_cost(&sizes[starts[k]], &sizes[0] + last, noise_of_sizes, kInfinity).line;
    joint.scale.push_back(std::max(1.0, sizes[last - 1].bytes));
    theta[static_cast<Eigen::Index>(2 * k)] = line.latency;
    theta[static_cast<Eigen::Index>(2 * k + 1)] = line.slope * joint.scale.back();
  }
  for (const std::size_t size : size_of) {
    const auto after = std::upper_bound(starts.begin(), starts.end(), size);
    joint.segment.push_back(static_cast<std::size_t>(after - starts.begin()) - 1);
  }
  std::vector<std::size_t> points_of(starts.size(), 0);
  for (const std::size_t segment : joint.segment) ++points_of[segment];
  for (const std::size_t count : points_of) joint.judged.push_back(count >= kPointsToJudge);
  // Huber's estimator finds the scale, Tukey's then takes away what is left of gross errors.
  const VectorXd start = irls(joint, theta, 0, kHuberWeighting, false);
  fit.noise = noise_of(joint, start);
  fit.tolerance = std::max(kFinestNoise, fit.noise);
  fit.free = irls(joint, start, fit.tolerance, kTukeyWeighting, false);
  fit.bounded = fit.free;
  bool out = false;
  for (Eigen::Index p = 0; p < fit.free.size(); ++p) out = out || fit.free[p] < joint.bound(p);
  if (out) fit.bounded = irls(joint, theta, fit.tolerance, kTukeyWeighting, true);
  fit.by_point = covariance_of(joint, fit.free, fit.tolerance, runs, false);
  fit.by_run = covariance_of(joint, fit.free, fit.tolerance, runs, true);
  for (std::size_t k = 0; k < starts.size(); ++k) {
    std::set<std::int32_t> here;
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (joint.segment[i] == k) here.insert(points[i].run);
    }
    fit.runs_of.push_back(here.size());
  }
  fit.runs_of.push_back(runs);
  return fit;
}

}  // namespace

double student_t(double confidence, double freedom) {
  const boost::math::students_t law(freedom);
  return boost::math::quantile(boost::math::complement(law, (1 - confidence) / 2));
}

Estimate bandwidth_gb_s(const HockneySegment& segment) {
  const auto inverse = [](double us_per_byte) { return us_per_byte > 0 ? 1e-3 / us_per_byte : kInfinity; };
  return {inverse(segment.us_per_byte.value), inverse(segment.us_per_byte.high), inverse(segment.us_per_byte.low)};
}

double HockneyFit::time_us(double bytes, std::int32_t hops) const {
  const HockneySegment* found = &segments.back();
  for (const HockneySegment& segment : segments) {
    if (bytes <= static_cast<double>(segment.most_bytes)) {
      found = &segment;
      break;
    }
  }
  return found->latency_us.value + found->us_per_byte.value * bytes +
         (per_hop_us ? per_hop_us->value * (hops - 2) : 0.0);
}

HockneyFit fit_hockney(const std::vector<MessageTime>& points, const HockneyOptions& options) {
  ensure(options.confidence > 0 && options.confidence < 1, "a confidence lies between 0 and 1");
  std::vector<std::int64_t> distinct;
  std::vector<std::int32_t> runs;
  bool has_hops = false;
  for (const MessageTime& point : points) {
    ensure(point.bytes >= 0 && point.time_us > 0 && std::isfinite(point.time_us) && point.run >= 0 && point.hops >= 2,
           "points to fit are in range");
    distinct.push_back(point.bytes);
    runs.push_back(point.run);
    has_hops = has_hops || point.hops != points.front().hops;
  }
  const auto make_unique = [](auto& values) {
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
  };
  make_unique(distinct);
  make_unique(runs);
  if (distinct.size() < 2) {
    throw InputError(fmt::format("{} message size{}, expected at least two: one cannot tell latency from bandwidth",
                                 distinct.size(), distinct.size() == 1 ? "" : "s"));
  }
  if (distinct.size() > kMostSizes) {
    throw InputError(fmt::format("{} different message sizes, expected at most {}", distinct.size(), kMostSizes));
  }

  // Runs over fewer sizes than a segment has say nothing of where segments end; beside others they would only make
  // steps.
  std::vector<std::vector<std::int64_t>> sizes_of_run(runs.size());
  const auto run_of = [&](const MessageTime& point) {
    return static_cast<std::size_t>(std::lower_bound(runs.begin(), runs.end(), point.run) - runs.begin());
  };
  for (const MessageTime& point : points) sizes_of_run[run_of(point)].push_back(point.bytes);
  for (std::vector<std::int64_t>& each : sizes_of_run) make_unique(each);
  const auto is_sweep = [&](std::size_t run) { return sizes_of_run[run].size() >= kSizesPerSegment; };

  std::vector<Size> sizes;
  std::vector<std::vector<double>> logs(distinct.size());
  std::vector<std::vector<double>> sweep_logs(distinct.size());
  const auto index_of = [&](std::int64_t bytes) {
    return static_cast<std::size_t>(std::lower_bound(distinct.begin(), distinct.end(), bytes) - distinct.begin());
  };
  for (const MessageTime& point : points) {
    const std::size_t size = index_of(point.bytes);
    logs[size].push_back(std::log(point.time_us));
    if (is_sweep(run_of(point))) sweep_logs[size].push_back(logs[size].back());
  }
  for (std::size_t i = 0; i < distinct.size(); ++i) {
    sizes.push_back({static_cast<double>(distinct[i]), median_of(sweep_logs[i].empty() ? logs[i] : sweep_logs[i])});
  }
  // Once more where the noise turns out to be larger.
  const double noise_at_first = local_noise(sizes);
  Segmentation cut = segmentation_of(sizes, options.most_segments, noise_at_first);
  if (cut.noise > noise_at_first) cut = segmentation_of(sizes, options.most_segments, cut.noise);

  std::vector<std::size_t> size_of;
  for (const MessageTime& point : points) size_of.push_back(index_of(point.bytes));
  const auto fit_to = [&](const std::vector<std::size_t>& starts) {
    return fit_segments(points, size_of, sizes, starts, cut.noise, has_hops, runs.size());
  };
  const JointFit chosen = fit_to(cut.starts);
  std::vector<JointFit> others;
  for (const std::vector<std::size_t>& starts : cut.as_good) others.push_back(fit_to(starts));

  HockneyFit fit;
  fit.points = points.size();
  fit.runs = runs.size();
  fit.noise = chosen.noise;
  fit.confidence = options.confidence;
  fit.by_run = std::all_of(chosen.runs_of.begin(), chosen.runs_of.end(),
                           [](std::size_t count) { return count >= kRunsForClusters; });
  const std::size_t fewest = *std::min_element(chosen.runs_of.begin(), chosen.runs_of.end());
  fit.freedom = fit.by_run ? static_cast<double>(fewest - 1) : chosen.by_point.freedom;
  // An interval also holds those of the fits with a breakpoint elsewhere that are as good.
  const auto estimate = [&](Eigen::Index p, std::size_t segment) {
    const bool is_slope = segment < cut.starts.size() && p % 2 == 1;
    const auto bytes = [&](const JointFit& each) { return is_slope ? each.joint.scale[segment] : 1.0; };
    const double bound = chosen.joint.bound(p);
    Estimate result{chosen.bounded[p] / bytes(chosen), kInfinity, -kInfinity};
    const auto add = [&](const JointFit& each) {
      const double half = each.half(p, options.confidence);
      result.low = std::min(result.low, std::max(bound, each.free[p] - half) / bytes(each));
      result.high = std::max(result.high, std::max(bound, each.free[p] + half) / bytes(each));
    };
    add(chosen);
    for (const JointFit& each : others) add(each);
    result.low = std::min(result.low, result.value);  // at a bound, the other parameters give way
    result.high = std::max(result.high, result.value);
    return result;
  };
  for (std::size_t k = 0; k < cut.starts.size(); ++k) {
    const std::size_t last = k + 1 < cut.starts.size() ? cut.starts[k + 1] : sizes.size();
    const auto p = static_cast<Eigen::Index>(2 * k);
    HockneySegment segment;
    segment.least_bytes = distinct[cut.starts[k]];
    segment.most_bytes = distinct[last - 1];
    segment.sizes = last - cut.starts[k];
    segment.points = static_cast<std::size_t>(std::count(chosen.joint.segment.begin(), chosen.joint.segment.end(), k));
    segment.latency_us = estimate(p, k);
    segment.us_per_byte = estimate(p + 1, k);
    segment.latency_at_bound = chosen.free[p] < chosen.joint.bound(p);
    segment.bandwidth_at_bound = chosen.free[p + 1] < 0;
    fit.segments.push_back(segment);
  }
  if (has_hops) {
    const Eigen::Index p = chosen.free.size() - 1;
    fit.per_hop_us = estimate(p, cut.starts.size());
    fit.per_hop_at_bound = chosen.free[p] < 0;
  }

  std::vector<double> absolute;
  std::vector<std::vector<double>> of_run(runs.size());
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double log_residual = chosen.joint.residual(chosen.bounded, i);
    fit.residuals.push_back(std::expm1(log_residual));
    absolute.push_back(std::abs(fit.residuals.back()));
    const bool judged = chosen.joint.judged[chosen.joint.segment[i]];
    if (judged && std::abs(log_residual) >= kTukey * chosen.tolerance) fit.outliers.push_back(i);
    of_run[run_of(points[i])].push_back(log_residual);
    if (absolute.back() > std::abs(fit.worst_residual)) fit.worst_residual = fit.residuals.back();
  }
  fit.median_residual = median_of(absolute);
  if (runs.size() > 1) {
    std::vector<double> shifts;
    for (const std::vector<double>& residuals : of_run) shifts.push_back(std::abs(median_of(residuals)));
    fit.between_runs = kNormalMad * median_of(shifts);
  }
  return fit;
}

}  // namespace headroom
