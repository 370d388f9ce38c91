// `headroom calibrate --boot`: from records of launches to the boot times of a scenario. Hides which instances are
// taken together and how results are worded (docs/calibrate.md).
#pragma once

#include <string>
#include <vector>

#include "models/calibrate/boot_fit.hpp"
#include "models/calibrate/boot_record.hpp"

namespace headroom {

// What of a total is taken as pending, where the record does not tell: the mean of cloud.boot.pending's default, which
// is measured (boot-times 1a).
inline constexpr Time kPending = 17 * kSecond;

struct BootCalibration {
  // Instances of one group and type, or all of a kind.
  struct Row {
    std::string group;  // "" for all
    std::string type;   // "" for all
    BootStage::Stage stage = BootStage::Stage::total;
    std::size_t complete = 0;
    std::size_t censored = 0;
    std::size_t failed = 0;
    Estimate failed_share;       // of boots that ended one way or the other (Clopper and Pearson's interval)
    std::optional<BootFit> fit;  // nothing with fewer than two boots
  };
  std::vector<Row> rows;  // by group, type and stage
  // What a scenario gets: all instances without GPUs, and all with.
  struct Key {
    std::string name;  // of cloud.boot: "pending", "bootstrap", "bootstrapGpu"
    Row row;
  };
  std::vector<Key> keys;  // only with a fit; at least one
  double confidence = 0;
  std::vector<std::string> remarks;
};

// Throws InputError: as read_boot_records, and when no stage has two boots.
BootCalibration calibrate_boot(const std::vector<std::string>& files, double confidence);

std::string boot_calibration_text(const BootCalibration& calibration);
std::string boot_calibration_json(const BootCalibration& calibration);  // headroom.calibrate-boot/1
// What a scenario takes under "cloud" (docs/scenario.md).
std::string boot_calibration_fragment(const BootCalibration& calibration);

}  // namespace headroom
