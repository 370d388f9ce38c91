#include "models/random.hpp"

#include <algorithm>

namespace headroom {

namespace {

constexpr int kMostDraws = 1000;
constexpr double kLongestSample = 1e12;  // seconds: in microseconds it still fits Time

}  // namespace

Time Distribution::sample(Substream& stream, Time resolution) const {
  ensure(resolution > 0 && kSecond % resolution == 0, "the resolution of samples divides a second");
  const auto ticks_per_second = static_cast<double>(kSecond / resolution);
  const auto rounded = [&](double seconds) {
    return static_cast<Time>(std::llround(seconds * ticks_per_second)) * resolution;
  };
  switch (kind) {
    case Kind::constant:
      return static_cast<Time>(std::llround(a * static_cast<double>(kSecond)));
    case Kind::uniform: {
      // Each multiple in the range alike; a range without one is sampled as it is.
      const double low = std::ceil(a * ticks_per_second);
      const double high = std::floor(b * ticks_per_second);
      if (low > high) return static_cast<Time>((a + (b - a) * stream.uniform()) * static_cast<double>(kSecond));
      return (static_cast<Time>(low) + static_cast<Time>(stream.below(static_cast<std::uint64_t>(high - low) + 1))) *
             resolution;
    }
    case Kind::lognormal: {
      // Moments of the log-normal law: sigma^2 = ln(1 + (sd / mean)^2), mu = ln(mean) - sigma^2 / 2. What falls out of
      // the range is drawn again, so that no mass piles up at its ends.
      const double variance = std::log1p((b / a) * (b / a));
      for (int attempt = 0; attempt < kMostDraws; ++attempt) {
        const double drawn = std::exp(std::log(a) - variance / 2 + std::sqrt(variance) * stream.normal());
        if (drawn > kLongestSample) continue;
        const Time t = rounded(drawn);
        const double seconds = static_cast<double>(t) / static_cast<double>(kSecond);
        if (seconds >= minimum && seconds <= maximum) return t;
      }
      return rounded(std::clamp(a, minimum, maximum));  // a range that the law all but misses
    }
    case Kind::exponential:
      return rounded(-a * std::log(1.0 - stream.uniform()));
    case Kind::weibull:
      // The inverse of 1 - exp(-(t / scale)^shape). A small shape has a long tail.
      return rounded(std::min(a * std::pow(-std::log(1.0 - stream.uniform()), 1.0 / b), kLongestSample));
  }
  return 0;
}

}  // namespace headroom
