#include "mpi-tests/common/table.hpp"

#include <cstdio>

namespace headroom::mpi {

std::string heading(const std::string& first, const std::string& second) {
  char buffer[128];
  std::snprintf(buffer, sizeof buffer, "# %-8s%18s\n", first.c_str(), second.c_str());
  return buffer;
}

std::string row(std::int64_t bytes, double value) {
  char buffer[128];
  std::snprintf(buffer, sizeof buffer, "%-10lld%18.2f\n", static_cast<long long>(bytes), value);
  return buffer;
}

}  // namespace headroom::mpi
