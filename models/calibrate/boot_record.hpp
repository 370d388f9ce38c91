// What became of launches, read from records of a cluster: a run's nodes.csv and events.jsonl (docs/output.md), and the
// scaling log that PCS delivers (PCS-72; AWS PCS User Guide, "Scaling logs"), plain, .gz or .zst. Hides the formats,
// which are recognised by what is in them, and how the events of an instance are put together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/types.hpp"

namespace headroom {

// One stage of one instance's boot.
struct BootStage {
  enum class Stage : std::uint8_t {
    pending,    // from the launch call until EC2 reports the instance running
    bootstrap,  // from then until the node takes jobs
    total       // both, where nothing tells them apart
  };
  enum class Outcome : std::uint8_t {
    complete,  // it took `time`
    censored,  // the instance ended, or the record did, after `time`: nobody knows how long it would have taken
    failed,    // given up after `time`: the node did not bootstrap
  };
  std::string group;
  std::string type;  // "" where it is not told
  Stage stage = Stage::total;
  Outcome outcome = Outcome::complete;
  Time time = 0;  // >= 0
};

struct BootRecords {
  std::vector<BootStage> stages;
  std::vector<std::string> remarks;  // what was left out, and why
};

// `path` "-" is standard input. Throws InputError with file, line and column or key: no such record, no times, times
// that run backwards.
BootRecords read_boot_records(const std::string& path);

}  // namespace headroom
