// How fast a type of instance should be between two hosts, and who measured that. Hides the table. Promises that every
// number has its source, and that a type nobody measured gives nothing: then there is no verdict, and never a PASS.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "models/network/link_model.hpp"

namespace headroom::validate {

inline constexpr double kExpectationBytes = 1024.0 * 1024;  // size of the bandwidth baseline

struct Expectation {
  std::optional<double> latency_us;      // one way, up to 8 bytes
  std::optional<double> bandwidth_mb_s;  // of ping-pong with 1 MiB: bytes over one-way time; 10^6 bytes a second
  std::string source;

  // The tolerance of AWS's own acceptance test of EFA clusters (aws-parallelcluster, test_osu.py): latency may be 30 %
  // or 10 us above the baseline, whichever is more; bandwidth 20 % below. (Of other fabrics the same.)
  double latency_limit_us() const;      // latency_us has to be there
  double bandwidth_limit_mb_s() const;  // likewise
};

// `mpi`: openmpi, intelmpi, ...: a baseline of this MPI where there is one, otherwise of another.
std::optional<Expectation> find_expectation(std::string_view instance_type, Transport transport, std::string_view mpi);

// Types with a baseline, for messages.
std::string expected_types(Transport transport);

}  // namespace headroom::validate
