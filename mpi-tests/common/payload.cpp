#include "mpi-tests/common/payload.hpp"

#include <array>
#include <cstring>

namespace headroom::mpi {

namespace {

constexpr std::uint64_t kStep =
    0x9E3779B97F4A7C15;  // 2^64 / golden ratio: every byte of the words differs from word to word

// The first word. SplitMix64's finisher (Steele, Lea, Flood, OOPSLA 2014) over what identifies the message.
std::uint64_t first_word(std::size_t bytes, const Stamp& stamp) {
  const auto mix = [](std::uint64_t word) {
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB;
    return word ^ (word >> 31);
  };
  std::uint64_t word = mix(bytes + kStep);
  word = mix(word + static_cast<std::uint64_t>(stamp.sender) * kStep + static_cast<std::uint64_t>(stamp.slot));
  // The iteration is added, not mixed: the first byte of two messages one after the other always differs, so even a
  // message of one byte that is an old one is seen.
  return word + static_cast<std::uint64_t>(stamp.iteration) * kStep;
}

}  // namespace

void fill(std::span<std::byte> message, const Stamp& stamp) {
  std::uint64_t word = first_word(message.size(), stamp);
  std::size_t at = 0;
  for (; at + sizeof word <= message.size(); at += sizeof word, word += kStep) {
    std::memcpy(message.data() + at, &word, sizeof word);
  }
  if (at < message.size()) std::memcpy(message.data() + at, &word, message.size() - at);
}

std::optional<std::size_t> first_difference(std::span<const std::byte> message, const Stamp& stamp) {
  std::uint64_t word = first_word(message.size(), stamp);
  for (std::size_t at = 0; at < message.size(); at += sizeof word, word += kStep) {
    const std::size_t length = message.size() - at < sizeof word ? message.size() - at : sizeof word;
    if (length == sizeof word) {
      std::uint64_t found = 0;
      std::memcpy(&found, message.data() + at, sizeof found);
      if (found == word) continue;
    }
    std::array<std::byte, sizeof word> expected{};
    std::memcpy(expected.data(), &word, sizeof word);
    for (std::size_t i = 0; i < length; ++i) {
      if (message[at + i] != expected[i]) return at + i;
    }
  }
  return std::nullopt;
}

}  // namespace headroom::mpi
