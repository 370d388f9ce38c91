#include "engine/types.hpp"

namespace headroom {

void report_bug(const char* what, const char* file, int line) {
  throw Bug(std::string(file) + ":" + std::to_string(line) + ": broken promise: " + what);
}

}  // namespace headroom
