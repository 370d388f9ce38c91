// Random input for tests: the same on every machine and with every standard library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "models/random.hpp"

namespace headroom {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : stream_(seed, Purpose::property_suite, 0) {}

  // Uniform in [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(stream_.below(static_cast<std::uint64_t>(high - low + 1)));
  }
  std::int32_t small(std::int32_t low, std::int32_t high) { return static_cast<std::int32_t>(between(low, high)); }
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(stream_.below(n)); }
  bool one_in(std::uint64_t n) { return stream_.below(n) == 0; }

 private:
  Substream stream_;
};

// A policy's name as a part of a test's.
inline std::string test_name(std::string_view policy) {
  std::string name;
  for (const char c : policy) name += c == '+' ? "P" : c == '-' ? "_" : std::string(1, c);
  return name;
}

}  // namespace headroom
