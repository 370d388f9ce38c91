// Bad input and a failing environment: the two errors a user can meet. Thrown at the edge, never in the engine.
#pragma once

#include <stdexcept>

namespace headroom {

// "file:line: key: what was found, what was expected". The command exits with 3.
struct InputError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The machine, file system or back end failed. The command exits with 4.
struct EnvironmentError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace headroom
