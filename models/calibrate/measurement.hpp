// Measured times of messages between two ranks, read from what benchmarks print. Hides the formats, which are
// recognised by what is in them: JSON of pingpong and allpairs (docs/mpi-tests.md); text of pingpong, of OSU's
// osu_latency, osu_bw and osu_bibw, of IMB's PingPong and of fi_pingpong. Text may have other lines around its tables,
// several tables one after the other, and a fixed prefix to each line (a launcher's "[1,0]<stdout>:").
//
// Anything that cannot be read is an InputError with file, line, what was found and what was expected: nothing
// measured, sizes that do not grow, times that are not above 0, a row that ends too early, columns that contradict each
// other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headroom {

// What a document says about where a rank ran; empty where it does not.
struct RankPlace {
  std::string host;
  std::string boot_id;            // equal on two ranks: one running kernel
  std::string network_namespace;  // of that kernel
  std::optional<std::int64_t> shared_memory_group;
  std::string instance_id;
  std::string instance_type;
  std::vector<std::string> providers;  // of libfabric, seen in use
  std::optional<bool> has_libfabric;   // loaded it
};

// One table, or what is told of one pair of ranks.
struct MessageSeries {
  enum class Kind : std::uint8_t {
    latency,       // time for one message, one way: half a round trip
    streaming,     // many messages on their way, in one direction
    bidirectional  // the same in both at once
  };
  struct Row {
    std::int64_t bytes = 0;
    double time_us = 0;  // latency: one way; else the time between messages of one direction, bytes / its bandwidth
  };
  Kind kind = Kind::latency;
  std::string tool;       // "osu_latency 5.7.1"
  std::string place;      // "file:line" of where it begins
  std::vector<Row> rows;  // by size, at least one
  std::optional<std::pair<RankPlace, RankPlace>> ranks;
};

struct Measurements {
  std::vector<MessageSeries> series;
  std::vector<std::string> remarks;   // what was left out, and why
  std::vector<std::string> refusals;  // what makes it no measurement: messages that came out wrong
};

// `path` "-" is standard input.
Measurements read_measurements(const std::string& path);
// The same of text; `name` stands for the file in messages.
Measurements parse_measurements(std::string_view text, const std::string& name);

}  // namespace headroom
