// Two columns, laid out as those of the OSU micro-benchmarks, which many scripts read.
#pragma once

#include <cstdint>
#include <string>

namespace headroom::mpi {

std::string heading(const std::string& first, const std::string& second);  // "# Size          Latency (us)"
std::string row(std::int64_t bytes, double value);

}  // namespace headroom::mpi
