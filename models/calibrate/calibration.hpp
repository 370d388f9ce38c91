// `headroom calibrate`: from files of measured times to the parameters of the network model. Hides which measurements
// may be taken together, when they are none of the network that they are claimed to be of, and how results are worded
// (docs/calibrate.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/calibrate/hockney_fit.hpp"
#include "models/calibrate/measurement.hpp"

namespace headroom {

// Of text, which does not say where ranks were: no two hosts of EC2 are so close, so both ranks were on one.
inline constexpr double kSharedMemory_us = 2;

struct CalibrationOptions {
  std::vector<std::string> files = {};             // "-": standard input
  std::string instance_type = {};                  // "": what the files say
  std::string transport = {};                      // "efa", "tcp", "shm"; "": what the files say
  std::optional<std::int64_t> claimed_hosts = {};  // of text; default: 2, but 1 with the transport shm
  std::vector<std::string> topology = {};          // files for read_topology
  double confidence = 0.95;
};

struct Calibration {
  std::string instance_type;  // "" unknown
  std::string transport;      // "" unknown
  double confidence = 0;
  std::vector<MessageSeries> series;  // all that were read

  struct Fit {
    HockneyFit fit;
    std::vector<MessageTime> points;  // run: index into `series`
  };
  std::optional<Fit> latency;        // nothing when refused
  std::optional<Fit> streaming;      // times between messages of one direction
  std::optional<Fit> bidirectional;  // the same, with as many the other way
  bool hops_known = false;
  std::int32_t least_hops = 2;  // of the pairs, where hops are known

  std::vector<std::string> remarks;
  std::vector<std::string> refusals;  // not empty: these are no measurements of that network
};

// Throws InputError: files that cannot be read, that contradict each other or the options, or that hold too little.
Calibration calibrate(const CalibrationOptions& options);

std::string calibration_text(const Calibration& calibration);
std::string calibration_json(const Calibration& calibration);  // headroom.calibrate/1
// What a scenario takes under "network" (docs/scenario.md). Throws InputError when the transport is not known.
std::string calibration_fragment(const Calibration& calibration);

}  // namespace headroom
