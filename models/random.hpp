// Randomness for models: counter-based substreams keyed by (seed, purpose, index), so that one more draw in one
// place shifts nothing elsewhere, and the same numbers with every standard library. The engine has none.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>

#include "engine/types.hpp"

namespace headroom {

// What a substream is for. Append only: the value is part of every stored digest.
enum class Purpose : std::uint32_t {
  boot,
  workload,
  property_suite,
  capacity,
  api_latency,
  consistency_delay,
  mishap,
  brown_out,
  swarm,
  fabric_leaf,
  fabric_slot,
  landing,
  communication
};

// The n-th number of a substream is a hash of (seed, purpose, index, n): the finalizer of SplitMix64
// (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), applied to each part in turn.
class Substream {
 public:
  Substream(std::uint64_t seed, Purpose purpose, std::uint64_t index)
      : state_(mix(mix(mix(seed) ^ static_cast<std::uint64_t>(purpose)) ^ index)) {}

  std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15u); }

  // Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  // Uniform integer in [0, n), n > 0. The bias of the multiplication method is below 2^-32 for n < 2^32.
  std::uint64_t below(std::uint64_t n) {
    return static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * n) >> 64);
  }

  // Standard normal (Box and Muller 1958); one value per pair of draws, so that a draw has a fixed cost.
  double normal() {
    const double u = 1.0 - uniform();
    const double v = uniform();
    return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * 3.14159265358979323846 * v);
  }

 private:
  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint64_t state_;
};

// A number for what has a name (FNV-1a): which substream it has does not depend on what else there is.
inline std::uint64_t name_number(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

// A distribution of durations, as scenarios state it.
struct Distribution {
  enum class Kind : std::uint8_t { constant, uniform, lognormal, exponential, weibull };
  Kind kind = Kind::constant;
  double a = 0;        // constant: value; uniform: minimum; lognormal, exponential: mean; weibull: scale (s)
  double b = 0;        // uniform: maximum; lognormal: standard deviation (s); weibull: shape
  double minimum = 0;  // lognormal samples out of [minimum, maximum] (s) are drawn again
  double maximum = 1e9;

  bool operator==(const Distribution&) const = default;
  // Samples of all but constants are multiples of `resolution`, which divides a second. Boot times are whole seconds,
  // the resolution of EC2's own stamps.
  Time sample(Substream& stream, Time resolution = kSecond) const;
};

}  // namespace headroom
