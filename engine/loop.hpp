// The loop that joins core and world. What differs between a simulation, a live run and a replay is the World alone.
#pragma once

#include <optional>

#include "engine/controller.hpp"

namespace headroom {

// The outside of the core. `wait` blocks (or jumps, or reads) until there is news or `wake` is reached, fills `news`
// and returns the time; nothing when the run is over. `carry_out` does what the core decided.
template <class W>
concept World = requires(W world, Time t, News& news, const Commands& commands) {
  { world.origin() } -> std::same_as<Time>;
  { world.wait(t, news) } -> std::same_as<std::optional<Time>>;
  world.carry_out(t, commands);
};

// Runs until the world is over. Every record sees every step: journals, reports, progress.
template <World W, class... Records>
void run(W& world, Controller& controller, Records&... records) {
  News news;
  Commands commands;
  std::uint64_t step = 0;
  Time wake = world.origin();
  while (const std::optional<Time> now = world.wait(wake, news)) {
    commands.clear();
    try {
      wake = controller.step(*now, news, commands);
    } catch (const Bug& bug) {
      throw Bug(std::string(bug.what()) + " (step " + std::to_string(step) + ", time " +
                std::to_string(*now / kSecond) + " s)");
    }
    (records.append(*now, news, commands), ...);
    world.carry_out(*now, commands);
    ++step;
  }
}

}  // namespace headroom
