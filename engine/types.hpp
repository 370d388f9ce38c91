// The engine's vocabulary of plain values: time, ids, and the assertion that stays on in release.
// Everything here is an integer: no floating point ever decides an order in the engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>

namespace headroom {

// Microseconds since the run's origin (the workload's time 0). Durations are in the same unit.
using Time = std::int64_t;
inline constexpr Time kSecond = 1'000'000;
inline constexpr Time kMinute = 60 * kSecond;
inline constexpr Time kHour = 3600 * kSecond;
inline constexpr Time kNever = std::numeric_limits<Time>::max();

// `t + d` that stays at kNever instead of overflowing.
constexpr Time later(Time t, Time d) { return t > kNever - d ? kNever : t + d; }

// Strong ids: dense indices into the arrays of the table that owns them.
enum class JobId : std::uint32_t {};
enum class NodeId : std::uint32_t {};
enum class GroupId : std::uint32_t {};
enum class QueueId : std::uint32_t {};

template <class Id>
constexpr std::size_t index(Id id) {
  return static_cast<std::size_t>(id);
}
template <class Id>
constexpr std::uint32_t number(Id id) {
  return static_cast<std::uint32_t>(id);
}

// A bug of ours, found by an assertion. Never used for bad input or for a world that refuses.
struct Bug : std::logic_error {
  using std::logic_error::logic_error;
};

[[noreturn]] void report_bug(const char* what, const char* file, int line);

// Holds in every build. `what` states the broken promise.
inline void ensure(bool holds, const char* what, const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  if (!holds) [[unlikely]] {
    report_bug(what, file, line);
  }
}

}  // namespace headroom
