// `headroom calibrate`: measured times in, parameters of the network model or of boot times out.
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "models/calibrate/boot_calibration.hpp"
#include "models/calibrate/calibration.hpp"
#include "models/cloud/catalog.hpp"
#include "models/errors.hpp"
#include "models/files.hpp"
#include "models/scenario/design.hpp"

namespace headroom {
namespace {

void write_whole(const std::string& path, const std::string& text) {
  WholeFile file(path);
  file.write(text);
  file.commit();
}

}  // namespace

int calibrate_boot_times(const CalibrateArguments& arguments, const Output& output) {
  const BootCalibration calibration = calibrate_boot(arguments.files, arguments.confidence);
  if (!arguments.out.empty()) write_whole(arguments.out, boot_calibration_fragment(calibration));
  if (!output.quiet) {
    for (const std::string& remark : calibration.remarks) fmt::print(stderr, "{}\n", remark);
  }
  const int status =
      print_text(output.format == "json" ? boot_calibration_json(calibration) : boot_calibration_text(calibration));
  if (!arguments.out.empty() && !output.quiet) fmt::print(stderr, "wrote {}\n", arguments.out);
  return status;
}

int calibrate_network(const CalibrateArguments& arguments, const Output& output) {
  CalibrationOptions options;
  options.files = arguments.files;
  options.instance_type = arguments.instance_type;
  options.transport = arguments.transport;
  options.claimed_hosts = arguments.claimed_hosts;
  options.topology = arguments.topology;
  options.confidence = arguments.confidence;
  const Calibration calibration = calibrate(options);
  if (!arguments.out.empty() && !calibration.instance_type.empty() && !find_instance_type(calibration.instance_type)) {
    throw InputError(
        fmt::format("--out: {}: a scenario would refuse it", unknown_instance_type(calibration.instance_type)));
  }
  const bool refused = !calibration.refusals.empty();
  // Before anything is said: what cannot be written should not be announced.
  if (!arguments.out.empty() && !refused) write_whole(arguments.out, calibration_fragment(calibration));
  if (!output.quiet) {
    for (const std::string& remark : calibration.remarks) fmt::print(stderr, "{}\n", remark);
  }
  const int status =
      print_text(output.format == "json" ? calibration_json(calibration) : calibration_text(calibration));
  if (refused) {
    for (const std::string& refusal : calibration.refusals) fmt::print(stderr, "refused: {}\n", refusal);
    return 1;
  }
  if (!arguments.out.empty() && !output.quiet) fmt::print(stderr, "wrote {}\n", arguments.out);
  return status;
}

}  // namespace headroom
