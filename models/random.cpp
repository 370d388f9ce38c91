#include "models/random.hpp"

#include <algorithm>

namespace headroom {

namespace {

constexpr int kMostDraws = 1000;

Time whole_seconds(double seconds) { return static_cast<Time>(std::llround(seconds)) * kSecond; }

}  // namespace

Time Distribution::sample(Substream& stream) const {
  switch (kind) {
    case Kind::constant:
      return static_cast<Time>(std::llround(a * static_cast<double>(kSecond)));
    case Kind::uniform: {
      // Each whole second of the range alike; a range without one is sampled as it is.
      const double low = std::ceil(a);
      const double high = std::floor(b);
      if (low > high) return static_cast<Time>((a + (b - a) * stream.uniform()) * static_cast<double>(kSecond));
      return (static_cast<Time>(low) + static_cast<Time>(stream.below(static_cast<std::uint64_t>(high - low) + 1))) *
             kSecond;
    }
    case Kind::lognormal: {
      // Moments of the log-normal law: sigma^2 = ln(1 + (sd / mean)^2), mu = ln(mean) - sigma^2 / 2. What falls out of
      // the range is drawn again, so that no mass piles up at its ends.
      const double variance = std::log1p((b / a) * (b / a));
      for (int attempt = 0; attempt < kMostDraws; ++attempt) {
        const Time t = whole_seconds(std::exp(std::log(a) - variance / 2 + std::sqrt(variance) * stream.normal()));
        const double seconds = static_cast<double>(t / kSecond);
        if (seconds >= minimum && seconds <= maximum) return t;
      }
      return whole_seconds(std::clamp(a, minimum, maximum));  // a range that the law all but misses
    }
  }
  return 0;
}

}  // namespace headroom
