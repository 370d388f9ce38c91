// What the messages carry, so that a message that comes from another sender, another iteration, another size or another
// place of the buffer, or not at all, is seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace headroom::mpi {

struct Stamp {
  std::int64_t iteration = 0;
  int sender = 0;
  int slot = 0;  // the place in a window of messages
};

void fill(std::span<std::byte> message, const Stamp& stamp);

// The first byte that is not what `fill` wrote; nothing when the message is whole.
std::optional<std::size_t> first_difference(std::span<const std::byte> message, const Stamp& stamp);

}  // namespace headroom::mpi
