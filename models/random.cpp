#include "models/random.hpp"

#include <algorithm>

namespace headroom {

Time Distribution::sample(Substream& stream) const {
  double seconds = a;
  switch (kind) {
    case Kind::constant:
      return static_cast<Time>(std::llround(a * static_cast<double>(kSecond)));
    case Kind::uniform:
      seconds = a + (b - a) * stream.uniform();
      break;
    case Kind::lognormal: {
      // Moments of the log-normal law: sigma^2 = ln(1 + (sd / mean)^2), mu = ln(mean) - sigma^2 / 2.
      const double variance = std::log1p((b / a) * (b / a));
      seconds = std::exp(std::log(a) - variance / 2 + std::sqrt(variance) * stream.normal());
      seconds = std::clamp(seconds, minimum, maximum);
      break;
    }
  }
  return static_cast<Time>(std::llround(seconds)) * kSecond;
}

}  // namespace headroom
