// What MPI libraries say on stderr (Intel MPI: on stdout) about how they send, and why they do not start. Hides their
// formats: Open MPI 4.x and 5.x, Intel MPI 2019 and later, MPICH 4; docs/validate.md says what to set to get the lines.
// Promises never to fail: lines that are not known are passed over.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headroom::validate {

// One line of a library that says how a process sends.
struct TransportUse {
  enum class Layer : std::uint8_t {
    libfabric,  // a provider of libfabric
    btl,        // Open MPI's own byte transfer layer, to one peer
    netmod,     // MPICH's way to other hosts where that is not libfabric
  };
  Layer layer = Layer::libfabric;
  std::string name;  // "efa", "tcp;ofi_rxm"; of a btl "tcp", "vader"
  std::string host;  // of the process; empty when the line does not say
  std::string peer;  // of a btl: the node it sends to
};

// A known complaint.
struct Trouble {
  std::string line;  // as printed, cut
  std::string cause;
  std::string remedy;
};

// A rank of a test program that has seen nothing arrive for too long (the programs' own watch).
struct Stall {
  std::string host;
  std::string line;
};

struct LaunchLog {
  std::string source;
  std::vector<Stall> stalls;
  std::vector<TransportUse> uses;             // in the order printed, each once
  std::vector<Trouble> troubles;              // each kind once
  std::vector<std::string> changed_messages;  // lines of the test programs: what arrived is not what was sent
  std::string end;                            // its last lines
};

LaunchLog read_launch_log(std::string_view text, const std::string& source);

// The last lines that are not empty, for messages.
std::string last_lines(std::string_view text, std::size_t lines);

}  // namespace headroom::validate
