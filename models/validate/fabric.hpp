// What carries messages between ranks: the three answers to --expect.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace headroom::validate {

enum class Fabric : std::uint8_t { efa, tcp, shm };

constexpr std::string_view name_of(Fabric fabric) {
  return fabric == Fabric::efa ? "efa" : fabric == Fabric::tcp ? "tcp" : "shm";
}

inline std::optional<Fabric> fabric_named(std::string_view name) {
  for (const Fabric fabric : {Fabric::efa, Fabric::tcp, Fabric::shm}) {
    if (name == name_of(fabric)) return fabric;
  }
  return std::nullopt;
}

}  // namespace headroom::validate
