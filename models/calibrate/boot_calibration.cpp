#include "models/calibrate/boot_calibration.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <boost/math/distributions/beta.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/cloud/catalog.hpp"
#include "models/errors.hpp"
#include "models/report/format.hpp"
#include "models/scenario/document.hpp"

namespace headroom {
namespace {

using Stage = BootStage::Stage;
using BootOutcome = BootStage::Outcome;
using Row = BootCalibration::Row;

constexpr std::size_t kWhole = std::string::npos;
constexpr double kNoLaw = 0.05;  // a p-value below this: none of the laws is like the durations

std::string_view stage_name(Stage stage) {
  switch (stage) {
    case Stage::pending:
      return "pending";
    case Stage::bootstrap:
      return "bootstrap";
    case Stage::total:
      return "pending + bootstrap";
  }
  return "";
}

// C. J. Clopper and E. S. Pearson, Biometrika 26, 1934.
Estimate share_of(std::size_t failed, std::size_t all, double confidence) {
  const auto k = static_cast<double>(failed);
  const auto n = static_cast<double>(all);
  const double outside = (1 - confidence) / 2;
  Estimate result{n > 0 ? k / n : 0, 0, 1};
  if (failed > 0) result.low = boost::math::quantile(boost::math::beta_distribution<>(k, n - k + 1), outside);
  if (failed < all) result.high = boost::math::quantile(boost::math::beta_distribution<>(k + 1, n - k), 1 - outside);
  return result;
}

Row row_of(const std::vector<const BootStage*>& stages, Time less, double confidence) {
  Row row;
  Durations durations;
  for (const BootStage* stage : stages) {
    row.stage = stage->stage;
    const Time time = std::max<Time>(0, stage->time - less);
    switch (stage->outcome) {
      case BootOutcome::complete:
        ++row.complete;
        durations.complete.push_back(time);
        break;
      case BootOutcome::censored:
        ++row.censored;
        durations.censored.push_back(time);
        break;
      case BootOutcome::failed:
        ++row.failed;
        break;
    }
  }
  row.failed_share = share_of(row.failed, row.complete + row.failed, confidence);
  if (row.complete >= 2) row.fit = fit_boot(durations, confidence);
  return row;
}

bool has_gpus(const std::string& type) {
  const std::optional<InstanceType> known = find_instance_type(type);
  return known && known->gpus > 0;
}

std::string seconds_text(Time time) {
  std::string text;
  append_seconds(text, time);
  return text;
}

std::string name_of(const Row& row) {
  if (row.group.empty() && row.type.empty()) return "all";
  return fmt::format("{}{}{}", row.group, row.group.empty() || row.type.empty() ? "" : " ", row.type);
}

std::string parameters_text(const LawFit& fit) {
  std::string text;
  for (const LawFit::Parameter& each : fit.parameters) {
    text += fmt::format("{}{} {:.4g}", text.empty() ? "" : ", ", each.name, each.estimate.value);
    if (each.estimate.low < each.estimate.high) {
      text += fmt::format(" ({:.4g} to {:.4g})", each.estimate.low, each.estimate.high);
    }
  }
  return text;
}

std::string row_text(const Row& row) {
  std::string text = fmt::format("{}, {}: {} complete", name_of(row), stage_name(row.stage), row.complete);
  if (row.fit) {
    text += fmt::format(", {} to {} s, mean {:.4g} s", seconds_text(row.fit->least), seconds_text(row.fit->most),
                        row.fit->mean_s);
  }
  if (row.censored > 0) text += fmt::format("; {} censored (known to take longer)", row.censored);
  if (row.failed > 0) {
    text += fmt::format("; {} failed: {:.2g} ({:.2g} to {:.2g}) of boots, cloud.failures.bootFailures", row.failed,
                        row.failed_share.value, row.failed_share.low, row.failed_share.high);
  }
  text += "\n";
  if (!row.fit) return text + "  too few for a law\n";
  text += fmt::format("  {:<12} {:>10} {:>8} {:>7}  {}\n", "law", "AIC", "KS", "p", "parameters");
  for (const LawFit& law : row.fit->laws) {
    text += fmt::format("  {:<12} {:>10.2f} {:>8.4f} {:>7}  {}\n", law_name(law.law), law.aic, law.distance,
                        law.p_value ? fmt::format("{:.3f}", *law.p_value) : "-", parameters_text(law));
  }
  return text;
}

std::string number_or_null(double value) { return std::isfinite(value) ? fmt::format("{:.6g}", value) : "null"; }

std::string row_json(const Row& row) {
  const auto name = [](const std::string& text) { return text.empty() ? "null" : quote(text, kWhole); };
  std::string laws;
  for (std::size_t i = 0; row.fit && i < row.fit->laws.size(); ++i) {
    const LawFit& law = row.fit->laws[i];
    std::string parameters;
    for (const LawFit::Parameter& each : law.parameters) {
      parameters += fmt::format("{}\"{}\": {{\"value\": {}, \"low\": {}, \"high\": {}}}",
                                parameters.empty() ? "" : ", ", each.name, number_or_null(each.estimate.value),
                                number_or_null(each.estimate.low), number_or_null(each.estimate.high));
    }
    laws += fmt::format(
        "{}\n    {{\"law\": \"{}\", \"distribution\": {}, \"aic\": {:.4f}, \"log_likelihood\": {:.4f}, \"ks\": {:.6f}, "
        "\"p_value\": {}, \"parameters\": {{{}}}}}",
        laws.empty() ? "" : ",", law_name(law.law), law_json(law.law), law.aic, law.log_likelihood, law.distance,
        law.p_value ? fmt::format("{:.4f}", *law.p_value) : "null", parameters);
  }
  return fmt::format(
      "{{\"node_group\": {}, \"instance_type\": {}, \"stage\": \"{}\", \"complete\": {}, \"censored\": {}, \"failed\": "
      "{}, "
      "\"failed_share\": {{\"value\": {:.6g}, \"low\": {:.6g}, \"high\": {:.6g}}}, \"mean_s\": {}, \"laws\": [{}]}}",
      name(row.group), name(row.type), stage_name(row.stage), row.complete, row.censored, row.failed,
      row.failed_share.value, row.failed_share.low, row.failed_share.high,
      row.fit ? number_or_null(row.fit->mean_s) : "null", laws);
}

}  // namespace

BootCalibration calibrate_boot(const std::vector<std::string>& files, double confidence) {
  BootCalibration result;
  result.confidence = confidence;
  std::vector<BootStage> stages;
  for (const std::string& file : files) {
    BootRecords read = read_boot_records(file);
    std::move(read.stages.begin(), read.stages.end(), std::back_inserter(stages));
    result.remarks.insert(result.remarks.end(), read.remarks.begin(), read.remarks.end());
  }
  std::map<std::tuple<std::string, std::string, Stage>, std::vector<const BootStage*>> by_row;
  std::map<std::string, std::vector<const BootStage*>> by_key;
  std::set<std::string> unknown;
  bool totals = false;
  bool parts = false;
  for (const BootStage& stage : stages) {
    by_row[{stage.group, stage.type, stage.stage}].push_back(&stage);
    if (!stage.type.empty() && !find_instance_type(stage.type)) unknown.insert(stage.type);
    const char* const bootstrap = has_gpus(stage.type) ? "bootstrapGpu" : "bootstrap";
    by_key[stage.stage == Stage::pending ? "pending" : bootstrap].push_back(&stage);
    (stage.stage == Stage::total ? totals : parts) = true;
  }
  if (totals && parts) {
    throw InputError(fmt::format("{}: some files tell pending and bootstrap apart and some do not: one kind at a time",
                                 files.front()));
  }
  if (!unknown.empty()) {
    result.remarks.push_back(fmt::format("not in the catalog, taken to have no GPUs: {}", fmt::join(unknown, ", ")));
  }
  for (const auto& [name, members] : by_row) {
    Row row = row_of(members, 0, confidence);
    row.group = std::get<0>(name);
    row.type = std::get<1>(name);
    result.rows.push_back(std::move(row));
  }
  // A scaling log has no word of the instance running. The money counts from there, so it is not left out.
  Time less = totals ? kPending : 0;
  for (const BootStage& stage : stages) {
    if (stage.outcome == BootOutcome::complete && stage.time <= less) less = 0;
  }
  for (const auto& [name, members] : by_key) {
    Row row = row_of(members, less, confidence);
    if (row.fit) result.keys.push_back({name, std::move(row)});
  }
  if (result.keys.empty()) {
    throw InputError(fmt::format("{}: fewer than two boots that came to an end: nothing to fit", files.front()));
  }
  if (totals) {
    result.remarks.push_back(fmt::format(
        "scaling logs do not say when EC2 reports an instance running: {} s of each boot are taken as pending{}",
        seconds_text(less), less > 0 ? " (the mean of the default of cloud.boot.pending)" : ", as some took less"));
  }
  if (totals) {
    Row pending;
    pending.stage = Stage::pending;
    pending.fit = BootFit{};
    LawFit constant;
    constant.law = {.kind = Distribution::Kind::constant,
                    .a = static_cast<double>(less) / static_cast<double>(kSecond)};
    pending.fit->laws.push_back(constant);
    result.keys.insert(result.keys.begin(), {"pending", std::move(pending)});
  }
  for (const BootCalibration::Key& key : result.keys) {
    const LawFit& best = key.row.fit->laws.front();
    if (best.p_value && *best.p_value < kNoLaw) {
      result.remarks.push_back(
          fmt::format("cloud.boot.{}: the best law, {}, is not like the durations (p {:.3f}): look at "
                      "groups and types apart",
                      key.name, law_name(best.law), *best.p_value));
    }
  }
  return result;
}

std::string boot_calibration_text(const BootCalibration& calibration) {
  std::string text;
  for (const Row& row : calibration.rows) text += row_text(row);
  text += "\ncloud.boot of a scenario (the laws with the least AIC, all groups together):\n";
  for (const BootCalibration::Key& key : calibration.keys) {
    text += fmt::format("  {:<13} {}\n", key.name, law_json(key.row.fit->laws.front().law));
  }
  return text + fmt::format("intervals: {:g} %, each by itself\n", 100 * calibration.confidence);
}

std::string boot_calibration_json(const BootCalibration& calibration) {
  std::string rows;
  for (const Row& row : calibration.rows) rows += (rows.empty() ? "\n  " : ",\n  ") + row_json(row);
  std::string keys;
  for (const BootCalibration::Key& key : calibration.keys) {
    keys += fmt::format("{}\n  {{\"key\": \"cloud.boot.{}\", \"distribution\": {}, \"row\": {}}}",
                        keys.empty() ? "" : ",", key.name, law_json(key.row.fit->laws.front().law), row_json(key.row));
  }
  std::string remarks;
  for (const std::string& remark : calibration.remarks)
    remarks += (remarks.empty() ? "" : ", ") + quote(remark, kWhole);
  return fmt::format(
      "{{\"schema\": \"headroom.calibrate-boot/1\", \"confidence\": {:g}, \"remarks\": [{}],\n \"rows\": [{}],\n "
      "\"scenario\": [{}]}}\n",
      calibration.confidence, remarks, rows, keys);
}

std::string boot_calibration_fragment(const BootCalibration& calibration) {
  std::string keys;
  for (const BootCalibration::Key& key : calibration.keys) {
    keys += fmt::format("{}\n  \"{}\": {}", keys.empty() ? "" : ",", key.name, law_json(key.row.fit->laws.front().law));
  }
  return fmt::format("{{\"cloud\": {{\"boot\": {{{}}}}}}}\n", keys);
}

}  // namespace headroom
