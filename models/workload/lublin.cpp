#include "models/workload/lublin.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <boost/math/special_functions/gamma.hpp>

#include "models/workload/request_map.hpp"

namespace headroom {

namespace {

constexpr double kBucketSeconds = 1800;
constexpr int kCyclicDayStart = 11;        // the bucket (from 1) where the gamma law of a day's arrivals begins
constexpr double kLongestLogRunTime = 12;  // e^12 s: no more than two days
constexpr double kLongestLogGap = 13;      // e^13 s: no more than five days

struct Gamma {
  double alpha;  // shape
  double beta;   // scale: the mean is alpha x beta

  double below(double x) const { return x <= 0 ? 0 : boost::math::gamma_p(alpha, x / beta); }
};

// One row of the published table.
struct Constants {
  double serial;                                    // share of serial jobs
  double power_of_two;                              // share of parallel jobs of a power of two
  double low, medium_distance, high_distance;       // log2 width: low, high - medium, log2 P - high
  double low_share;                                 // probability of [low, medium]
  Gamma short_run, long_run;                        // ln(run time)
  double short_share_slope, short_share_intercept;  // probability of short_run, by width
  Gamma rush_gap;                                   // ln(gap between arrivals) in rush hours
  Gamma daily;                                      // the day's arrivals, in buckets
  double gap_ratio;                                 // from rush hours to all hours
};

constexpr std::array<Constants, 3> kConstants{{
    {.1541,
     .625,
     1,
     2.5,
     1.5,
     .705,
     {3.8351, .6605},
     {7.073, .6856},
     -.0118,
     .9156,
     {6.5510, .6621},
     {8.9186, 3.6680},
     .9797},
    {.2927,
     .6686,
     1.2,
     2,
     0,
     .875,
     {6.57, .823},
     {639.1, .0156},
     -.003,
     .6986,
     {6.0415, .8531},
     {6.1271, 5.2740},
     1.0519},
    {.244, .576, .8, 2.5, 0, .86, {4.2, .94}, {312, .03}, -.0054, .78, {10.2303, .4871}, {8.1737, 3.9631}, 1.0225},
}};
constexpr int kAllJobs = 2;

const Constants& constants_of(int type) {
  ensure(type >= 0 && type <= kAllJobs, "a job type of the Lublin model");
  return kConstants[static_cast<std::size_t>(type)];
}

double positive_uniform(Substream& stream) { return 1.0 - stream.uniform(); }

// Gamma with an integer shape is a sum of exponentials (R. Jain, "The Art of Computer Systems Performance
// Analysis", 1991, ch. 28). 16 factors, each at least 2^-53, stay far above the smallest double: one
// logarithm for all.
double draw_unit_gamma(Substream& stream, int shape) {
  double sum = 0;
  while (shape > 0) {
    double product = 1;
    for (int i = std::min(shape, 16); i > 0; --i, --shape) {
      product *= positive_uniform(stream);
    }
    sum -= std::log(product);
  }
  return sum;
}

// Beta(a, 1 - a) for 0 < a < 1 (Johnk; Jain, ch. 28).
double draw_beta(Substream& stream, double a) {
  for (;;) {
    const double x = std::pow(positive_uniform(stream), 1 / a);
    const double y = std::pow(positive_uniform(stream), 1 / (1 - a));
    if (x + y <= 1 && x + y > 0) {
      return x / (x + y);
    }
  }
}

double draw_gamma(Substream& stream, double alpha, double beta) {
  const int whole = static_cast<int>(alpha);
  const double rest = alpha - whole;
  double value = draw_unit_gamma(stream, whole);
  if (rest > 0) {
    value += draw_unit_gamma(stream, 1) * draw_beta(stream, rest);
  }
  return value * beta;
}

double short_share(const Constants& constants, std::int32_t processors) {
  return std::clamp(constants.short_share_slope * processors + constants.short_share_intercept, 0.0, 1.0);
}

// Widths of one stream on a machine of P processors.
class Widths {
 public:
  Widths(const Constants& constants, std::int32_t processors)
      : serial_(processors == 1 ? 1 : constants.serial),
        power_of_two_(constants.power_of_two),
        low_share_(constants.low_share),
        processors_(processors) {
    const double log_processors = std::log2(static_cast<double>(processors));
    high_ = std::max(log_processors - constants.high_distance, std::min(1.0, log_processors));
    low_ = std::min(constants.low, high_);
    medium_ = high_ - constants.medium_distance;
    if (medium_ < low_) {
      medium_ = high_ - 1.5 >= low_ ? high_ - 1.5 : (low_ + high_) / 2;
    }
  }

  std::int32_t draw(Substream& stream) const {
    const double kind = stream.uniform();
    if (kind < serial_) {
      return 1;
    }
    const bool narrow = stream.uniform() < low_share_;
    const double at = stream.uniform();
    double log_width = narrow ? low_ + at * (medium_ - low_) : medium_ + at * (high_ - medium_);
    if (kind < serial_ + power_of_two_) {
      log_width = std::floor(log_width + 0.5);
      if (std::exp2(log_width) > processors_) {
        log_width -= 1;
      }
    }
    return std::clamp(static_cast<std::int32_t>(std::exp2(log_width) + 0.5), 1, processors_);
  }

 private:
  double serial_;
  double power_of_two_;
  double low_share_;
  double low_ = 0;
  double medium_ = 0;
  double high_ = 0;
  std::int32_t processors_;
};

// Arrivals of one stream. A gap drawn from the rush-hour law is a number of points; a bucket costs as many as
// its share of the day's arrivals says, so that busy half hours pass slowly.
class Arrivals {
 public:
  Arrivals(int type, double load_factor, Substream stream)
      : gap_{constants_of(type).rush_gap.alpha * constants_of(type).gap_ratio, constants_of(type).rush_gap.beta},
        load_factor_(load_factor),
        stream_(stream) {
    for (int bucket = 0; bucket < kLublinBuckets; ++bucket) {
      weights_[static_cast<std::size_t>(bucket)] = kLublinBuckets * lublin_arrival_share(type, bucket);
    }
    advance();
  }

  double next_s() const { return next_s_; }

  void advance() {
    double log_gap = 0;
    do {
      log_gap = draw_gamma(stream_, gap_.alpha, gap_.beta);
    } while (log_gap > kLongestLogGap);
    points_ += std::exp(log_gap) / (kBucketSeconds * load_factor_);
    double weight = weights_[static_cast<std::size_t>(bucket_ % kLublinBuckets)];
    while (points_ > weight) {
      points_ -= weight;
      weight = weights_[static_cast<std::size_t>(++bucket_ % kLublinBuckets)];
    }
    // The time within the bucket follows from the points: no remainder is carried over, no rounding adds up.
    next_s_ = kBucketSeconds * (static_cast<double>(bucket_) + points_ / weight);
  }

 private:
  Gamma gap_;
  double load_factor_;
  Substream stream_;
  std::array<double, kLublinBuckets> weights_{};
  std::int64_t bucket_ = 0;  // since midnight of day 0
  double points_ = 0;        // spent within the bucket
  double next_s_ = 0;
};

// One kind of jobs. Substreams are numbered by type, so that a stream is the same whatever stands beside it.
class Stream {
 public:
  Stream(int type, const LublinOptions& options, std::uint64_t seed)
      : constants_(constants_of(type)),
        arrivals_(type, options.load_factor, substream(seed, type, 0)),
        widths_(constants_, options.processors),
        width_stream_(substream(seed, type, 1)),
        run_stream_(substream(seed, type, 2)) {}

  double next_s() const { return arrivals_.next_s(); }
  void advance() { arrivals_.advance(); }
  std::int32_t draw_width() { return widths_.draw(width_stream_); }

  Time draw_run_time(std::int32_t width) {
    double log_run = 0;
    do {
      const bool is_short = run_stream_.uniform() < short_share(constants_, width);
      const Gamma& law = is_short ? constants_.short_run : constants_.long_run;
      log_run = draw_gamma(run_stream_, law.alpha, law.beta);
    } while (log_run > kLongestLogRunTime);
    return static_cast<Time>(std::exp(log_run)) * kSecond;
  }

 private:
  static Substream substream(std::uint64_t seed, int type, std::uint64_t part) {
    return {seed, Purpose::workload, static_cast<std::uint64_t>(type) * 4 + part};
  }
  const Constants& constants_;
  Arrivals arrivals_;
  Widths widths_;
  Substream width_stream_;
  Substream run_stream_;
};

}  // namespace

double lublin_arrival_share(int type, int bucket) {
  ensure(bucket >= 0 && bucket < kLublinBuckets, "a bucket of the day");
  const Gamma& daily = constants_of(type).daily;
  // The law runs over the buckets 11, 12, ... 58, counted from 1; those behind 48 are the next morning's.
  const int i = bucket + 1 < kCyclicDayStart ? bucket + 1 + kLublinBuckets : bucket + 1;
  const double day = daily.below(kCyclicDayStart + kLublinBuckets - 0.5) - daily.below(kCyclicDayStart - 0.5);
  return (daily.below(i + 0.5) - daily.below(i - 0.5)) / day;
}

double lublin_mean_log_run_time(int type, std::int32_t processors) {
  const Constants& constants = constants_of(type);
  const double share = short_share(constants, processors);
  // E[G; G <= c] = alpha beta P(G' <= c) with G' of shape alpha + 1.
  const auto part = [](const Gamma& law) {
    const Gamma longer{law.alpha + 1, law.beta};
    return law.alpha * law.beta * longer.below(kLongestLogRunTime);
  };
  return (share * part(constants.short_run) + (1 - share) * part(constants.long_run)) /
         (share * constants.short_run.below(kLongestLogRunTime) +
          (1 - share) * constants.long_run.below(kLongestLogRunTime));
}

Workload generate_lublin(const LublinOptions& options, std::uint64_t seed, const TraceMap& map,
                         const std::vector<std::string>& queue_names) {
  ensure(options.processors > 0 && options.estimate_factor > 0 && options.load_factor > 0,
         "options of the Lublin model are positive");
  const RequestMap requests(map, queue_names);
  Workload workload;
  workload.source = "lublin";
  workload.records = options.jobs;
  workload.user_names = {"unknown"};
  workload.jobs.reserve(static_cast<std::size_t>(options.jobs));

  std::vector<Stream> streams;
  if (options.job_types) {
    streams.emplace_back(0, options, seed);
    streams.emplace_back(1, options, seed);
  } else {
    streams.emplace_back(kAllJobs, options, seed);
  }
  std::uint64_t killed = 0;
  for (std::uint64_t number = 1; number <= options.jobs; ++number) {
    const std::size_t next = streams.size() == 2 && streams[1].next_s() < streams[0].next_s() ? 1 : 0;
    Stream& stream = streams[next];
    const std::int32_t width = stream.draw_width();
    WorkloadJob job;
    job.number = number;
    job.run_time = stream.draw_run_time(width);
    job.request.submit = static_cast<Time>(stream.next_s()) * kSecond;
    const double requested_s = static_cast<double>(job.run_time / kSecond) * options.estimate_factor;
    // A factor may be so large that nothing fits: a century is as good as no limit.
    const double minutes = std::clamp(std::ceil(requested_s / 60), 1.0, 60.0 * 24 * 36525);
    job.request.limit = static_cast<Time>(minutes) * kMinute;
    killed += static_cast<std::uint64_t>(job.run_time > job.request.limit);
    requests.fill(job.request, width, static_cast<std::int64_t>(next));
    workload.jobs.push_back(job);
    stream.advance();
  }
  if (killed > 0) {
    workload.adjustments.push_back({"run time over requested time: will be killed at the limit", killed});
  }
  return workload;
}

}  // namespace headroom
