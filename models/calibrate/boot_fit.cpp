#include "models/calibrate/boot_fit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include <Eigen/Dense>
#include <fmt/format.h>

#include "models/errors.hpp"
#include "models/scenario/options.hpp"

namespace headroom {
namespace {

using Law = Distribution::Kind;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kSeconds = static_cast<double>(kSecond);
// Repetitions of the test of fit; its answer is exact to about 0.02 where it matters.
constexpr std::uint64_t kRepetitions = 99;
constexpr std::size_t kMostToRepeat = 2000;  // durations; a larger sample rejects every law anyway
constexpr std::uint64_t kSeed = 20'261'120;  // of the repetitions: the same answer every time

// Durations with how many there are of each, so that a million boots of whole seconds cost no more than a hundred.
struct Counted {
  std::vector<std::pair<Time, double>> complete;
  std::vector<std::pair<Time, double>> censored;
  double complete_count = 0;
};

Counted count(const Durations& durations) {
  const auto counted = [](const std::vector<Time>& times) {
    std::map<Time, double> counts;
    for (const Time time : times) ++counts[time];
    return std::vector<std::pair<Time, double>>(counts.begin(), counts.end());
  };
  return {counted(durations.complete), counted(durations.censored), static_cast<double>(durations.complete.size())};
}

double normal_below(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }

struct LogNormal {
  explicit LogNormal(const Distribution& law) {
    const double variance = std::log1p((law.b / law.a) * (law.b / law.a));
    sigma = std::sqrt(variance);
    mu = std::log(law.a) - variance / 2;
  }
  double mu = 0;
  double sigma = 0;
};

// Of the continuous laws, at `seconds`.
double log_density(const Distribution& law, double seconds) {
  const double t = std::max(seconds, 1e-9);
  switch (law.kind) {
    case Law::lognormal: {
      const LogNormal of(law);
      const double z = (std::log(t) - of.mu) / of.sigma;
      return -z * z / 2 - std::log(t * of.sigma * std::sqrt(2 * 3.14159265358979323846));
    }
    case Law::exponential:
      return -t / law.a - std::log(law.a);
    case Law::weibull: {
      const double x = t / law.a;
      return std::log(law.b / law.a) + (law.b - 1) * std::log(x) - std::pow(x, law.b);
    }
    default:
      return -kInfinity;
  }
}

// P(T > seconds) of the continuous laws; exact in the tail.
double share_above(const Distribution& law, double seconds) {
  if (seconds <= 0) return 1;
  switch (law.kind) {
    case Law::lognormal: {
      const LogNormal of(law);
      return normal_below(-(std::log(seconds) - of.mu) / of.sigma);
    }
    case Law::exponential:
      return std::exp(-seconds / law.a);
    case Law::weibull:
      return std::exp(-std::pow(seconds / law.a, law.b));
    default:
      return 0;
  }
}

// Whether samples out of a range are drawn again.
bool is_cut(const Distribution& law) {
  return law.kind == Law::lognormal && (law.minimum > 0 || law.maximum < Distribution{}.maximum);
}

// The share of the whole law that a cut one keeps, and what is above the range.
struct Range {
  double kept = 1;
  double above = 0;
};

Range range_of(const Distribution& law, double half) {
  if (!is_cut(law)) return {};
  const double above = share_above(law, law.maximum + half);
  return {share_above(law, law.minimum - half) - above, above};
}

// ln P(T = time) and ln P(T > time) of a law that is sampled in ticks, as Distribution::sample does.
double log_share_at(const Distribution& law, const Range& range, Time time, Time tick) {
  const double half = static_cast<double>(tick) / kSeconds / 2;
  const double t = static_cast<double>(time) / kSeconds;
  switch (law.kind) {
    case Law::constant:
      return std::abs(t - law.a) < half ? 0 : -kInfinity;
    case Law::uniform:
      if (t < law.a - half || t > law.b + half) return -kInfinity;
      return -std::log((law.b - law.a) / (2 * half) + 1);
    default:
      break;
  }
  const double above = share_above(law, t - half);
  const double share = above - share_above(law, t + half);
  if (t < law.minimum - half || t > law.maximum + half || range.kept <= 0) return -kInfinity;
  // Where the difference has lost its digits, the tick is small against the law.
  return (share > 1e-9 * above && share > 0 ? std::log(share) : log_density(law, t) + std::log(2 * half)) -
         std::log(range.kept);
}

double log_share_above(const Distribution& law, Time time, Time tick) {
  const double above = 1 - share_up_to(law, time, tick);
  if (law.kind == Law::constant || law.kind == Law::uniform || is_cut(law))
    return above > 1e-12 ? std::log(above) : -kInfinity;
  const double exact = share_above(law, (static_cast<double>(time) + static_cast<double>(tick) / 2) / kSeconds);
  return exact > 0 ? std::log(exact) : -1e6;
}

double log_likelihood(const Distribution& law, const Counted& durations, Time tick) {
  double sum = 0;
  const Range range = range_of(law, static_cast<double>(tick) / kSeconds / 2);
  for (const auto& [time, times] : durations.complete) sum += times * log_share_at(law, range, time, tick);
  for (const auto& [time, times] : durations.censored) sum += times * log_share_above(law, time, tick);
  return sum;
}

// --- The maximum ---

using Point = std::array<double, 2>;
using Function = std::function<double(const Point&)>;

// Least value (J. A. Nelder and R. Mead, Computer Journal 7, 1965) over the first `size` coordinates.
Point least_of(const Function& function, Point start, std::size_t size, double reach) {
  struct Vertex {
    Point at;
    double value;
  };
  std::vector<Vertex> simplex{{start, function(start)}};
  for (std::size_t d = 0; d < size; ++d) {
    Point moved = start;
    moved[d] += reach;
    simplex.push_back({moved, function(moved)});
  }
  for (int step = 0; step < 400; ++step) {
    std::sort(simplex.begin(), simplex.end(), [](const Vertex& a, const Vertex& b) { return a.value < b.value; });
    double width = 0;
    for (std::size_t d = 0; d < size; ++d) width = std::max(width, std::abs(simplex.back().at[d] - simplex[0].at[d]));
    if (width < 1e-9) break;
    Vertex& worst = simplex.back();
    Point center{};
    for (std::size_t v = 0; v < size; ++v) {
      for (std::size_t d = 0; d < size; ++d) center[d] += simplex[v].at[d] / static_cast<double>(size);
    }
    const auto along = [&](double factor) {
      Point at = start;
      for (std::size_t d = 0; d < size; ++d) at[d] = center[d] + factor * (worst.at[d] - center[d]);
      return Vertex{at, function(at)};
    };
    const Vertex reflected = along(-1);
    if (reflected.value < simplex[0].value) {
      const Vertex expanded = along(-2);
      worst = expanded.value < reflected.value ? expanded : reflected;
    } else if (reflected.value < simplex[size - 1].value) {
      worst = reflected;
    } else {
      const Vertex contracted = along(reflected.value < worst.value ? -0.5 : 0.5);
      if (contracted.value < worst.value) {
        worst = contracted;
      } else {
        for (std::size_t v = 1; v <= size; ++v) {
          for (std::size_t d = 0; d < size; ++d) {
            simplex[v].at[d] = simplex[0].at[d] + (simplex[v].at[d] - simplex[0].at[d]) / 2;
          }
          simplex[v].value = function(simplex[v].at);
        }
      }
    }
  }
  return std::min_element(simplex.begin(), simplex.end(),
                          [](const Vertex& a, const Vertex& b) { return a.value < b.value; })
      ->at;
}

// The parameters of the continuous laws are positive: searched by their logarithms.
std::size_t parameters_of(Law kind) { return kind == Law::exponential ? 1 : 2; }

// `like` has the kind, and the range where there is one.
Distribution law_at(const Distribution& like, const Point& logs) {
  Distribution law = like;
  law.a = std::exp(logs[0]);
  if (law.kind != Law::exponential) law.b = std::exp(logs[1]);
  return law;
}

struct Moments {
  double mean = 0;
  double deviation = 0;
};

Moments moments_of(const Counted& durations) {
  Moments result;
  for (const auto& [time, times] : durations.complete) {
    result.mean += times * static_cast<double>(time) / kSeconds / durations.complete_count;
  }
  for (const auto& [time, times] : durations.complete) {
    const double off = static_cast<double>(time) / kSeconds - result.mean;
    result.deviation += times * off * off / durations.complete_count;
  }
  result.deviation = std::sqrt(result.deviation);
  return result;
}

Point start_for(Law kind, const Counted& durations, Time tick) {
  const Moments moments = moments_of(durations);
  const double mean = std::max(moments.mean, static_cast<double>(tick) / kSeconds / 2);
  const double deviation = std::max(moments.deviation, static_cast<double>(tick) / kSeconds / 4);
  if (kind == Law::exponential) return {std::log(mean), 0};
  if (kind == Law::lognormal) return {std::log(mean), std::log(deviation)};
  // C. G. Justus et al., J. Applied Meteorology 17, 1978: good enough to begin with.
  const double shape = std::clamp(std::pow(deviation / mean, -1.086), kLeastShape, kMostShape);
  return {std::log(mean / std::tgamma(1 + 1 / shape)), std::log(shape)};
}

Point fit_continuous(const Distribution& like, const Counted& durations, Time tick, const Point& start, double reach) {
  const double mean = moments_of(durations).mean;
  const Function cost = [&](const Point& logs) {
    const Distribution law = law_at(like, logs);
    if (law.kind == Law::weibull && (law.b < kLeastShape || law.b > kMostShape)) return kInfinity;
    // Of a cut law, nothing keeps what is outside of its range from growing without end.
    if (is_cut(law) && (law.a > 10 * mean || law.a < mean / 10 || law.b > 10 * law.a)) return kInfinity;
    const double value = -log_likelihood(law, durations, tick);
    return std::isnan(value) ? kInfinity : value;
  };
  return least_of(cost, start, parameters_of(like.kind), reach);
}

// The first and the last second; censored durations may want the last one later than what was seen.
Distribution fit_uniform(const Counted& durations, Time tick) {
  const Time least = durations.complete.front().first;
  Time most = durations.complete.back().first;
  if (!durations.censored.empty()) most = std::max(most, durations.censored.back().first + tick);
  Distribution law{
      .kind = Law::uniform, .a = static_cast<double>(least) / kSeconds, .b = static_cast<double>(most) / kSeconds};
  if (durations.censored.empty()) return law;
  const Function cost = [&](const Point& log_beyond) {
    Distribution longer = law;
    longer.b += std::exp(log_beyond[0]);
    return -log_likelihood(longer, durations, tick);
  };
  const double width = std::max(law.b - law.a, static_cast<double>(tick) / kSeconds);
  const Point best = least_of(cost, {std::log(width / 4), 0}, 1, 0.5);
  Distribution longer = law;
  longer.b += std::exp(best[0]);
  return log_likelihood(longer, durations, tick) > log_likelihood(law, durations, tick) ? longer : law;
}

// Of the logarithms of the parameters, from the curvature of the likelihood; nothing where it has none.
std::optional<Eigen::MatrixXd> covariance_of(const Distribution& law, const Counted& durations, Time tick) {
  const Point logs{std::log(law.a), law.kind == Law::exponential ? 0 : std::log(law.b)};
  const auto size = static_cast<Eigen::Index>(parameters_of(law.kind));
  const double step = 0.02 / std::sqrt(std::max(1.0, durations.complete_count));
  const auto value = [&](double x, double y) {
    return -log_likelihood(law_at(law, {logs[0] + x * step, logs[1] + y * step}), durations, tick);
  };
  Eigen::MatrixXd curvature(size, size);
  const double center = value(0, 0);
  curvature(0, 0) = (value(1, 0) - 2 * center + value(-1, 0)) / (step * step);
  if (size == 2) {
    curvature(1, 1) = (value(0, 1) - 2 * center + value(0, -1)) / (step * step);
    curvature(0, 1) = (value(1, 1) - value(1, -1) - value(-1, 1) + value(-1, -1)) / (4 * step * step);
    curvature(1, 0) = curvature(0, 1);
  }
  const Eigen::LLT<Eigen::MatrixXd> factor(curvature);
  if (factor.info() != Eigen::Success) return std::nullopt;
  return factor.solve(Eigen::MatrixXd::Identity(size, size));
}

// --- Goodness of fit ---

// The largest distance of the law from the share of durations up to each time (Kaplan and Meier's, where some are
// censored).
double distance_of(const Distribution& law, const Counted& durations, Time tick) {
  double censored_count = 0;
  for (const auto& [time, times] : durations.censored) censored_count += times;
  double at_risk = durations.complete_count + censored_count;
  double above = 1;
  double worst = 0;
  auto censored = durations.censored.begin();
  for (const auto& [time, times] : durations.complete) {
    for (; censored != durations.censored.end() && censored->first < time; ++censored) at_risk -= censored->second;
    worst = std::max(worst, std::abs(1 - above - share_up_to(law, time - tick, tick)));
    above *= 1 - times / at_risk;
    at_risk -= times;
    worst = std::max(worst, std::abs(1 - above - share_up_to(law, time, tick)));
  }
  return worst;
}

// The laws to try; of two log-normal ones the second is cut to a range.
struct Form {
  Law kind = Law::constant;
  bool cut = false;
};

// The fit of one law, without what is said about it.
Distribution fit_law(Form form, const Counted& durations, Time tick, const Distribution* near) {
  const Law kind = form.kind;
  if (kind == Law::constant)
    return {.kind = kind, .a = static_cast<double>(durations.complete.front().first) / kSeconds};
  if (kind == Law::uniform) return fit_uniform(durations, tick);
  Distribution like{.kind = kind};
  if (form.cut) {
    // What was seen is the likeliest range.
    Time most = durations.complete.back().first;
    if (!durations.censored.empty()) most = std::max(most, durations.censored.back().first + tick);
    like.minimum = static_cast<double>(durations.complete.front().first) / kSeconds;
    like.maximum = static_cast<double>(most) / kSeconds;
  }
  const Point start = near != nullptr ? Point{std::log(near->a), kind == Law::exponential ? 0 : std::log(near->b)}
                                      : start_for(kind, durations, tick);
  return law_at(like, fit_continuous(like, durations, tick, start, near != nullptr ? 0.05 : 0.3));
}

// Parameters are fitted to the same durations, so the table of Kolmogorov's distances does not hold (H. W. Lilliefors,
// JASA 62, 1967): the law is sampled and fitted again instead.
std::optional<double> p_value_of(const LawFit& fit, const Durations& durations, Time tick) {
  if (!durations.censored.empty() || durations.complete.size() > kMostToRepeat || fit.law.kind == Law::constant) {
    return std::nullopt;
  }
  static constexpr double kNoDistance = 1e-4;
  std::uint64_t as_far = 0;
  for (std::uint64_t r = 0; r < kRepetitions; ++r) {
    Substream stream(kSeed, Purpose::boot, r);
    Durations again;
    for (std::size_t i = 0; i < durations.complete.size(); ++i) again.complete.push_back(fit.law.sample(stream, tick));
    const Counted counted = count(again);
    const Distribution law = fit_law({fit.law.kind, is_cut(fit.law)}, counted, tick, &fit.law);
    // Where few distinct durations are met exactly, both distances are rounding.
    if (distance_of(law, counted, tick) >= fit.distance - kNoDistance) ++as_far;
  }
  return static_cast<double>(as_far + 1) / static_cast<double>(kRepetitions + 1);
}

// How the scenario calls them.
std::vector<std::string> parameter_names(Law kind) {
  switch (kind) {
    case Law::constant:
      return {"value"};
    case Law::uniform:
      return {"min", "max"};
    case Law::lognormal:
      return {"mean", "sd"};
    case Law::exponential:
      return {"mean"};
    case Law::weibull:
      return {"scale", "shape"};
  }
  return {};
}

LawFit fit_of(Form form, const Durations& durations, const Counted& counted, Time tick, double confidence) {
  const Law kind = form.kind;
  LawFit fit;
  fit.law = fit_law(form, counted, tick, nullptr);
  fit.log_likelihood = log_likelihood(fit.law, counted, tick);
  fit.distance = distance_of(fit.law, counted, tick);
  const std::vector<std::string> names = parameter_names(kind);
  // The ends of a range are found so fast, from the few samples next to them, that Akaike's price of 2 is far too low:
  // Schwarz's is taken for them.
  const double ends = kind == Law::uniform || form.cut ? 2 : 0;
  const double others = kind == Law::uniform ? 0 : static_cast<double>(names.size());
  fit.aic = 2 * others + ends * std::max(2.0, std::log(counted.complete_count)) - 2 * fit.log_likelihood;
  const double values[] = {fit.law.a, fit.law.b};
  for (std::size_t p = 0; p < names.size(); ++p)
    fit.parameters.push_back({names[p], {values[p], values[p], values[p]}});
  if (kind == Law::uniform) {
    // The sample's range is about (n - 1) / (n + 1) of the law's; what is beyond it on one side falls off as a power.
    const double range = std::max(fit.law.b - fit.law.a, static_cast<double>(tick) / kSeconds);
    const double beyond = range * (std::pow(1 - confidence, -1 / std::max(1.0, counted.complete_count - 1)) - 1);
    fit.parameters[0].estimate.low = std::max(0.0, fit.law.a - beyond);
    fit.parameters[1].estimate.high = fit.law.b + beyond;
  } else if (kind != Law::constant) {
    const auto covariance = covariance_of(fit.law, counted, tick);
    const double quantile = student_t(confidence, std::max(1.0, counted.complete_count - 1));
    for (std::size_t p = 0; p < names.size(); ++p) {
      const auto index = static_cast<Eigen::Index>(p);
      const double half = covariance ? quantile * std::sqrt((*covariance)(index, index)) : kInfinity;
      // A factor of a thousand to each side is no knowledge.
      const bool is_known = half < std::log(1000);
      fit.parameters[p].estimate.low = is_known ? values[p] * std::exp(-half) : 0;
      fit.parameters[p].estimate.high = is_known ? values[p] * std::exp(half) : kInfinity;
    }
  }
  if (form.cut) {
    fit.parameters.push_back({"min", {fit.law.minimum, fit.law.minimum, fit.law.minimum}});
    fit.parameters.push_back({"max", {fit.law.maximum, fit.law.maximum, fit.law.maximum}});
  }
  fit.p_value = p_value_of(fit, durations, tick);
  return fit;
}

Time tick_of(const Durations& durations) {
  Time tick = kSecond;
  for (const Time time : durations.complete) {
    while (time % tick != 0) tick /= 10;
  }
  return tick;
}

}  // namespace

double share_up_to(const Distribution& law, Time time, Time tick) {
  const double half = static_cast<double>(tick) / kSeconds / 2;
  const double t = static_cast<double>(time) / kSeconds;
  if (time < 0) return 0;
  switch (law.kind) {
    case Law::constant:
      return t + half > law.a ? 1 : 0;
    case Law::uniform:
      return std::clamp((t - law.a + 2 * half) / (law.b - law.a + 2 * half), 0.0, 1.0);
    default:
      break;
  }
  if (!is_cut(law)) return 1 - share_above(law, t + half);
  const Range range = range_of(law, half);
  if (t < law.minimum - half) return 0;
  return std::clamp(1 - (share_above(law, t + half) - range.above) / range.kept, 0.0, 1.0);
}

std::string_view law_name(const Distribution& law) {
  switch (law.kind) {
    case Law::constant:
      return "constant";
    case Law::uniform:
      return "uniform";
    case Law::lognormal:
      return is_cut(law) ? "lognormal cut" : "lognormal";
    case Law::exponential:
      return "exponential";
    case Law::weibull:
      return "weibull";
  }
  return "";
}

std::string law_json(const Distribution& law) {
  switch (law.kind) {
    case Law::constant:
      return fmt::format("{:.6g}", law.a);
    case Law::uniform:
      return fmt::format("{{\"uniform\": [{:.6g}, {:.6g}]}}", law.a, law.b);
    case Law::lognormal:
      return fmt::format(
          "{{\"lognormal\": {{\"mean\": {:.6g}, \"sd\": {:.6g}{}}}}}", law.a, law.b,
          is_cut(law) ? fmt::format(", \"min\": {:.6g}, \"max\": {:.6g}", law.minimum, law.maximum) : "");
    case Law::exponential:
      return fmt::format("{{\"exponential\": {:.6g}}}", law.a);
    case Law::weibull:
      return fmt::format("{{\"weibull\": {{\"scale\": {:.6g}, \"shape\": {:.6g}}}}}", law.a, law.b);
  }
  return "";
}

BootFit fit_boot(const Durations& durations, double confidence) {
  if (durations.complete.size() < 2) {
    throw InputError(fmt::format("found {} boots that came to an end, expected at least 2", durations.complete.size()));
  }
  const Counted counted = count(durations);
  BootFit result;
  result.tick = tick_of(durations);
  result.mean_s = moments_of(counted).mean;
  result.least = counted.complete.front().first;
  result.most = counted.complete.back().first;
  // With all alike, a law with a spread only gets narrower without end.
  const bool alike =
      result.least == result.most && (counted.censored.empty() || counted.censored.back().first < result.least);
  const std::vector<Form> forms =
      alike ? std::vector<Form>{{Law::constant}}
            : std::vector<Form>{
                  {Law::lognormal}, {Law::lognormal, true}, {Law::weibull}, {Law::uniform}, {Law::exponential}};
  for (const Form form : forms) {
    LawFit fit = fit_of(form, durations, counted, result.tick, confidence);
    if (std::isfinite(fit.log_likelihood)) result.laws.push_back(std::move(fit));
  }
  std::stable_sort(result.laws.begin(), result.laws.end(),
                   [](const LawFit& a, const LawFit& b) { return a.aic < b.aic; });
  ensure(!result.laws.empty(), "some law of boot times has a likelihood");
  return result;
}

}  // namespace headroom
