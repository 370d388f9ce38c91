// The states of jobs as sacct and squeue print them in full.
#pragma once

#include <string_view>

#include "engine/jobs.hpp"

namespace headroom {

constexpr std::string_view state_name(JobState state) {
  switch (state) {
    case JobState::pending:
      return "PENDING";
    case JobState::configuring:
      return "CONFIGURING";
    case JobState::running:
      return "RUNNING";
    case JobState::completed:
      return "COMPLETED";
    case JobState::failed:
      return "FAILED";
    case JobState::cancelled:
      return "CANCELLED";
    case JobState::completing:
      return "COMPLETING";
    case JobState::timed_out:
      return "TIMEOUT";
    case JobState::node_failed:
      return "NODE_FAIL";
    case JobState::rejected:
      return "REJECTED";
  }
  return "";
}

}  // namespace headroom
