#include "models/calibrate/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/cloud/catalog.hpp"
#include "models/errors.hpp"
#include "models/network/topology_file.hpp"
#include "models/scenario/document.hpp"

namespace headroom {
namespace {

using Kind = MessageSeries::Kind;
using Ranks = std::pair<RankPlace, RankPlace>;

constexpr std::size_t kWhole = std::string::npos;
// Written for a bandwidth that shows no limit: so the size does not matter, and the scenario has a number.
constexpr double kNoLimit_gb_s = 1e6;

// --- Where the ranks were ---

bool one_kernel(const Ranks& ranks) {
  const auto& [a, b] = ranks;
  if (!a.boot_id.empty() && !b.boot_id.empty()) return a.boot_id == b.boot_id;
  if (a.shared_memory_group && b.shared_memory_group && *a.shared_memory_group == *b.shared_memory_group) return true;
  return !a.host.empty() && a.host == b.host;
}

// Network namespaces of one kernel have a network between them, if not one of hosts.
bool namespaces_differ(const Ranks& ranks) {
  const auto& [a, b] = ranks;
  return !a.network_namespace.empty() && !b.network_namespace.empty() && a.network_namespace != b.network_namespace;
}

bool uses(const RankPlace& rank, std::string_view provider) {
  return std::any_of(rank.providers.begin(), rank.providers.end(), [&](const std::string& each) {
    return each == provider || each.starts_with(std::string(provider) + ";");
  });
}

// What carried the messages by what the document tells; "" when it does not.
std::string transport_of(const Ranks& ranks) {
  const auto& [a, b] = ranks;
  if (one_kernel(ranks)) return namespaces_differ(ranks) ? "tcp" : "shm";
  if (uses(a, "efa") && uses(b, "efa")) return "efa";
  if (uses(a, "tcp") && uses(b, "tcp")) return "tcp";
  return "";
}

std::string pair_name(const Ranks& ranks) {
  const auto name = [](const RankPlace& rank) { return rank.host.empty() ? "a rank" : quote(rank.host); };
  return fmt::format("{} and {}", name(ranks.first), name(ranks.second));
}

// Why these ranks were not where the transport carries anything; "" when they were.
std::string why_elsewhere(const Ranks& ranks, const std::string& transport) {
  const bool one = one_kernel(ranks);
  if (one && transport == "efa") {
    return fmt::format("{} are one host (one running kernel): no EFA between them", pair_name(ranks));
  }
  if (one && transport == "tcp" && !namespaces_differ(ranks)) {
    return fmt::format("{} are one host and one network: shared memory or loopback, no TCP between hosts",
                       pair_name(ranks));
  }
  if (!one && transport == "shm") return fmt::format("{} are two hosts: no shared memory", pair_name(ranks));
  return "";
}

// The same file given twice is one measurement: counted as several its intervals would be too narrow. Equal times of
// several sizes are no chance.
void refuse_copies(const std::vector<MessageSeries>& all) {
  constexpr std::size_t kLeastSizes = 4;
  const auto same = [](const MessageSeries::Row& a, const MessageSeries::Row& b) {
    return a.bytes == b.bytes && a.time_us == b.time_us;
  };
  std::map<std::pair<std::int64_t, double>, std::vector<const MessageSeries*>> by_last_row;
  for (const MessageSeries& series : all) {
    if (series.rows.size() < kLeastSizes) continue;
    std::vector<const MessageSeries*>& others = by_last_row[{series.rows.back().bytes, series.rows.back().time_us}];
    for (const MessageSeries* other : others) {
      if (other->kind != series.kind || other->rows.size() != series.rows.size()) continue;
      if (!std::equal(series.rows.begin(), series.rows.end(), other->rows.begin(), same)) continue;
      throw InputError(
          fmt::format("{}: the same times as at {}: a measurement counts once", series.place, other->place));
    }
    others.push_back(&series);
  }
}

// Why this cannot be what it is claimed to be, wherever its ranks were; "" when it can.
std::string why_refused(const MessageSeries& series, const std::string& transport, std::int64_t claimed_hosts) {
  if (series.ranks) {
    const Ranks& ranks = *series.ranks;
    const auto other = [&](const RankPlace& rank) { return !rank.providers.empty() && !uses(rank, "efa"); };
    if (transport == "efa" && (other(ranks.first) || other(ranks.second))) {
      const RankPlace& rank = other(ranks.first) ? ranks.first : ranks.second;
      return fmt::format("{} used libfabric's {}, not efa", pair_name(ranks), fmt::join(rank.providers, ", "));
    }
    if (transport == "efa" &&
        (!ranks.first.has_libfabric.value_or(true) || !ranks.second.has_libfabric.value_or(true))) {
      return fmt::format("{} did not both load libfabric: no EFA", pair_name(ranks));
    }
    if (one_kernel(ranks)) return "";
  } else if (claimed_hosts < 2) {
    return "";
  }
  if (series.kind != Kind::latency || transport == "shm") return "";
  for (const MessageSeries::Row& row : series.rows) {
    if (row.time_us >= kSharedMemory_us) continue;
    return fmt::format(
        "{:.2f} us for {} bytes: under {:g} us can only be shared memory, and two hosts are claimed{}", row.time_us,
        row.bytes, kSharedMemory_us,
        series.ranks ? " (the hosts' names differ)" : " (--claims-hosts 2; for two ranks on one host --transport shm)");
  }
  return "";
}

// --- What the files have in common ---

std::string transport_from(const CalibrationOptions& options, const std::vector<MessageSeries>& series) {
  if (!options.transport.empty()) return options.transport;
  std::string found;
  std::string place;
  for (const MessageSeries& each : series) {
    if (!each.ranks) continue;
    const std::string transport = transport_of(*each.ranks);
    if (transport.empty()) continue;
    if (!found.empty() && transport != found) {
      throw InputError(fmt::format("{}: messages went by {}, but by {} at {}: one at a time, by --transport",
                                   each.place, transport, found, place));
    }
    found = transport;
    place = each.place;
  }
  return found;
}

std::string instance_type_from(const CalibrationOptions& options, const std::vector<MessageSeries>& series) {
  std::string found = options.instance_type;
  std::string place = "--instance-type";
  for (const MessageSeries& each : series) {
    if (!each.ranks) continue;
    for (const RankPlace* rank : {&each.ranks->first, &each.ranks->second}) {
      if (rank->instance_type.empty()) continue;
      if (!found.empty() && found != rank->instance_type) {
        throw InputError(fmt::format("{}: instance type {}, but {} by {}: one type at a time", each.place,
                                     quote(rank->instance_type), quote(found), place));
      }
      found = rank->instance_type;
      place = each.place;
    }
  }
  return found;
}

Calibration::Fit fit_of(const Calibration& calibration, Kind kind, const std::map<std::size_t, std::int32_t>& hops) {
  Calibration::Fit result;
  for (std::size_t s = 0; s < calibration.series.size(); ++s) {
    const MessageSeries& series = calibration.series[s];
    const auto known = hops.find(s);
    if (series.kind != kind || (calibration.hops_known && kind == Kind::latency && known == hops.end())) continue;
    for (const MessageSeries::Row& row : series.rows) {
      const std::int32_t apart = kind == Kind::latency && known != hops.end() ? known->second : 2;
      result.points.push_back({row.bytes, row.time_us, static_cast<std::int32_t>(s), apart});
    }
  }
  HockneyOptions options;
  options.confidence = calibration.confidence;
  result.fit = fit_hockney(result.points, options);
  return result;
}

// --- Words ---

std::string percent(double share) {
  return std::abs(share) < 0.1 ? fmt::format("{:.2g} %", 100 * share) : fmt::format("{:.0f} %", 100 * share);
}

std::string number_or_null(double value) { return std::isfinite(value) ? fmt::format("{:.6g}", value) : "null"; }

std::string estimate_json(const Estimate& estimate) {
  return fmt::format("{{\"value\": {}, \"low\": {}, \"high\": {}}}", number_or_null(estimate.value),
                     number_or_null(estimate.low), number_or_null(estimate.high));
}

std::string range_text(const Estimate& estimate) {
  const auto number = [](double value) { return std::isfinite(value) ? fmt::format("{:.4g}", value) : "inf"; };
  return fmt::format("{} to {}", number(estimate.low), number(estimate.high));
}

std::size_t runs_in(const Calibration& calibration, Kind kind) {
  return static_cast<std::size_t>(std::count_if(calibration.series.begin(), calibration.series.end(),
                                                [&](const MessageSeries& each) { return each.kind == kind; }));
}

std::string plural(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string tools_in(const Calibration& calibration, Kind kind) {
  std::vector<std::string> tools;
  for (const MessageSeries& series : calibration.series) {
    if (series.kind == kind && std::find(tools.begin(), tools.end(), series.tool) == tools.end()) {
      tools.push_back(series.tool);
    }
  }
  return fmt::format("{}", fmt::join(tools, ", "));
}

const MessageTime& worst_point(const Calibration::Fit& fit) {
  const auto worst = std::max_element(fit.fit.residuals.begin(), fit.fit.residuals.end(),
                                      [](double a, double b) { return std::abs(a) < std::abs(b); });
  return fit.points[static_cast<std::size_t>(worst - fit.fit.residuals.begin())];
}

std::string intervals_text(const HockneyFit& fit) {
  if (fit.freedom <= 0) return "no intervals: as many parameters as times";
  return fmt::format("{:g} % intervals, each by itself: Student's t with {}{:g} degrees of freedom, {}",
                     100 * fit.confidence, fit.by_run ? "at least " : "", fit.freedom,
                     fit.by_run ? "from the differences between runs" : "from the differences between times");
}

std::string residuals_text(const Calibration::Fit& each) {
  const HockneyFit& fit = each.fit;
  std::string text = fmt::format("residuals: median {}, worst {}{} at {} bytes; noise {}", percent(fit.median_residual),
                                 fit.worst_residual > 0 ? "+" : "", percent(fit.worst_residual),
                                 worst_point(each).bytes, percent(fit.noise));
  if (fit.runs > 1) text += fmt::format("; runs differ by {}", percent(fit.between_runs));
  if (!fit.outliers.empty()) {
    text += fmt::format("\n{} too far off to count:", plural(fit.outliers.size(), "time"));
    constexpr std::size_t kShown = 8;
    for (std::size_t i = 0; i < std::min(kShown, fit.outliers.size()); ++i) {
      const std::size_t point = fit.outliers[i];
      text +=
          fmt::format("{} {} bytes {:+.0f} %", i > 0 ? "," : "", each.points[point].bytes, 100 * fit.residuals[point]);
    }
    if (fit.outliers.size() > kShown) text += fmt::format(", and {} more", fit.outliers.size() - kShown);
  }
  return text + "\n";
}

std::string segments_text(const HockneyFit& fit) {
  std::string text = fmt::format("{:>9} {:>9} {:>6} {:>12} {:>20} {:>9} {:>20}\n", "from byte", "to byte", "sizes",
                                 "latency us", "interval", "GB/s", "interval");
  std::string notes;
  for (const HockneySegment& segment : fit.segments) {
    const Estimate bandwidth = bandwidth_gb_s(segment);
    text += fmt::format("{:>9} {:>9} {:>6} {:>12.4g} {:>20} {:>9.4g} {:>20}\n", segment.least_bytes, segment.most_bytes,
                        segment.sizes, segment.latency_us.value, range_text(segment.latency_us), bandwidth.value,
                        range_text(bandwidth));
    if (segment.latency_at_bound) {
      notes +=
          fmt::format("from byte {}: the latency is at its bound of {:g} us\n", segment.least_bytes, kLeastLatency_us);
    }
    if (segment.bandwidth_at_bound) {
      notes += fmt::format("from byte {}: the times fall with the size; taken as not depending on it\n",
                           segment.least_bytes);
    }
  }
  return text + notes;
}

// LogGP's view of both measurements (A. Alexandrov et al., "LogGP: incorporating long messages into the LogP model",
// SPAA 1995). What ping-pongs and streams cannot tell apart is named.
std::string loggp_text(const Calibration& calibration) {
  std::string text;
  for (const auto& [fit, name, note] :
       {std::tuple(&calibration.streaming, "streaming", ""),
        std::tuple(&calibration.bidirectional, "both ways at once", "; each way, while the other is as busy")}) {
    if (!*fit) continue;
    const HockneyFit& times = (*fit)->fit;
    const Estimate gap = times.segments.front().latency_us;
    const Estimate big = bandwidth_gb_s(times.segments.back());
    text += fmt::format("\nLogGP, {}{} ({} in {})\n", name, note, plural(times.points, "bandwidth"),
                        plural(times.runs, "run"));
    const Estimate latency = calibration.latency->fit.segments.front().latency_us;
    const Estimate alone = bandwidth_gb_s(calibration.latency->fit.segments.back());
    const auto line = [&](std::string_view name_of, const Estimate& estimate, std::string_view unit,
                          std::string_view meaning) {
      text += fmt::format("  {:<10} {:>9.4g} {:<5} {:<21} {}\n", name_of, estimate.value, unit,
                          "(" + range_text(estimate) + ")", meaning);
    };
    line("L + 2o", latency, "us", "one message, one way; L and o are not told apart");
    line("max(g, o)", gap, "us", "between short messages; g and o are not told apart");
    line("1 / G", big, "GB/s", "long messages on their way together");
    line("1 / G", alone, "GB/s", "long messages one by one (ping-pong)");
    text += "  " + residuals_text(**fit);
  }
  return text;
}

std::string fit_json(const Calibration& calibration, const Calibration::Fit& each) {
  const HockneyFit& fit = each.fit;
  std::string segments;
  for (const HockneySegment& segment : fit.segments) {
    segments += fmt::format(
        "{}\n    {{\"from_bytes\": {}, \"to_bytes\": {}, \"sizes\": {}, \"points\": {}, \"latency_us\": {}, "
        "\"us_per_byte\": {}, \"bandwidth_gb_s\": {}, \"latency_at_bound\": {}, \"bandwidth_at_bound\": {}}}",
        segments.empty() ? "" : ",", segment.least_bytes, segment.most_bytes, segment.sizes, segment.points,
        estimate_json(segment.latency_us), estimate_json(segment.us_per_byte), estimate_json(bandwidth_gb_s(segment)),
        segment.latency_at_bound, segment.bandwidth_at_bound);
  }
  std::string points;
  for (std::size_t i = 0; i < each.points.size(); ++i) {
    const MessageTime& point = each.points[i];
    const bool is_outlier = std::binary_search(fit.outliers.begin(), fit.outliers.end(), i);
    points += fmt::format(
        "{}\n    {{\"series\": {}, \"bytes\": {}, \"time_us\": {}, \"residual\": {:.6f}, \"outlier\": {}",
        points.empty() ? "" : ",", point.run, point.bytes, number_or_null(point.time_us), fit.residuals[i], is_outlier);
    if (calibration.hops_known) points += fmt::format(", \"hops\": {}", point.hops);
    points += "}";
  }
  return fmt::format(
      "{{\"segments\": [{}],\n   \"per_hop_us\": {}, \"per_hop_at_bound\": {}, \"points\": {}, \"runs\": {}, "
      "\"noise\": {:.6f}, \"between_runs\": {:.6f}, \"median_residual\": {:.6f}, \"worst_residual\": {:.6f}, "
      "\"degrees_of_freedom\": {:g}, \"intervals_by_run\": {},\n   \"times\": [{}]}}",
      segments, fit.per_hop_us ? estimate_json(*fit.per_hop_us) : "null", fit.per_hop_at_bound, fit.points, fit.runs,
      fit.noise, fit.between_runs, fit.median_residual, fit.worst_residual, fit.freedom, fit.by_run, points);
}

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::latency:
      return "latency";
    case Kind::streaming:
      return "streaming";
    case Kind::bidirectional:
      return "bidirectional";
  }
  return "";
}

std::string texts_json(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + quote(text, kWhole);
  return out;
}

std::string subject_of(const Calibration& calibration) {
  return fmt::format("{} of {}", calibration.transport.empty() ? "an unknown transport" : calibration.transport,
                     calibration.instance_type.empty() ? "an unknown instance type" : calibration.instance_type);
}

// Where the numbers come from and how good they are, for a reader of the scenario.
std::string source_text(const Calibration& calibration) {
  const HockneyFit& fit = calibration.latency->fit;
  std::string text = fmt::format("headroom calibrate: {}, {}, {}", tools_in(calibration, Kind::latency),
                                 plural(fit.runs, "run"), plural(fit.points, "time"));
  if (fit.freedom > 0) {
    const HockneySegment& first = fit.segments.front();
    text +=
        fmt::format("; {:g} %: latency of short messages {} us, bandwidth of long ones {} GB/s", 100 * fit.confidence,
                    range_text(first.latency_us), range_text(bandwidth_gb_s(fit.segments.back())));
    if (fit.per_hop_us) text += fmt::format(", per hop {} us", range_text(*fit.per_hop_us));
  }
  text += fmt::format("; residuals: median {}, worst {}", percent(fit.median_residual), percent(fit.worst_residual));
  if (!calibration.hops_known) {
    text += "; hops not known";
  } else if (!fit.per_hop_us) {
    text += fmt::format("; all pairs {} hops apart", calibration.least_hops);
  }
  return text;
}

}  // namespace

Calibration calibrate(const CalibrationOptions& options) {
  Calibration result;
  result.confidence = options.confidence;
  for (const std::string& file : options.files) {
    Measurements read = read_measurements(file);
    std::move(read.series.begin(), read.series.end(), std::back_inserter(result.series));
    result.remarks.insert(result.remarks.end(), read.remarks.begin(), read.remarks.end());
    result.refusals.insert(result.refusals.end(), read.refusals.begin(), read.refusals.end());
  }
  refuse_copies(result.series);
  result.transport = transport_from(options, result.series);
  result.instance_type = instance_type_from(options, result.series);
  const std::int64_t hosts = options.claimed_hosts.value_or(options.transport == "shm" ? 1 : 2);
  // Of all-pairs over every rank, some pairs are on one host and some are not: those that the transport carries are
  // kept.
  std::vector<MessageSeries> kept;
  std::vector<std::string> elsewhere;
  for (MessageSeries& series : result.series) {
    const std::string where = series.ranks ? why_elsewhere(*series.ranks, result.transport) : "";
    if (!where.empty()) {
      elsewhere.push_back(fmt::format("{}: {}", series.place, where));
      continue;
    }
    const std::string why = why_refused(series, result.transport, hosts);
    if (!why.empty()) result.refusals.push_back(fmt::format("{}: {}", series.place, why));
    kept.push_back(std::move(series));
  }
  result.series = std::move(kept);
  if (result.series.empty()) {
    result.refusals.insert(result.refusals.end(), elsewhere.begin(), elsewhere.end());
  } else if (!elsewhere.empty()) {
    result.remarks.push_back(fmt::format("{} left out, the first: {}", plural(elsewhere.size(), "run"), elsewhere[0]));
  }
  if (!result.refusals.empty()) return result;

  if (!result.instance_type.empty()) {
    const std::optional<InstanceType> type = find_instance_type(result.instance_type);
    if (!type) {
      result.remarks.push_back(fmt::format("instance type {}: not in the catalog", quote(result.instance_type)));
    } else if (result.transport == "efa" && type->efa_interfaces == 0) {
      throw InputError(fmt::format("--transport efa: instance type {} has no EFA", result.instance_type));
    }
  }

  std::map<std::size_t, std::int32_t> hops;
  if (!options.topology.empty()) {
    const TopologyFile topology = read_topology(options.topology);
    std::size_t unknown = 0;
    for (std::size_t s = 0; s < result.series.size(); ++s) {
      const MessageSeries& series = result.series[s];
      if (series.kind != Kind::latency) continue;
      const TopologyInstance* a = series.ranks ? topology.find(series.ranks->first.instance_id) : nullptr;
      const TopologyInstance* b = series.ranks ? topology.find(series.ranks->second.instance_id) : nullptr;
      if (a == nullptr || b == nullptr || a == b) {
        ++unknown;
        continue;
      }
      hops[s] = topology.network->hops(a->leaf, b->leaf);
    }
    if (hops.empty()) {
      throw InputError(
          fmt::format("{}: none of the measured pairs is in it: that takes JSON with instance ids of both ranks",
                      options.topology.front()));
    }
    if (unknown > 0) {
      result.remarks.push_back(fmt::format("{} left out: not both of its instances are in the topology",
                                           plural(unknown, "run of latencies")));
    }
    result.hops_known = true;
    result.least_hops = std::min_element(hops.begin(), hops.end(), [](const auto& a, const auto& b) {
                          return a.second < b.second;
                        })->second;
  }

  if (runs_in(result, Kind::latency) == 0) {
    throw InputError(fmt::format("{}: bandwidths only ({}); expected latencies too: they are what the model is made of",
                                 options.files.front(), tools_in(result, result.series.front().kind)));
  }
  try {
    result.latency = fit_of(result, Kind::latency, hops);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{}: latencies of {}{}", options.files.front(), error.what(),
                                 tools_in(result, Kind::latency).starts_with("allpairs") ? "; add a ping-pong" : ""));
  }
  // Bandwidths beside it are a bonus: one size (all-pairs) is too little for a fit, and no reason to give up.
  for (const auto& [kind, place] :
       {std::pair(Kind::streaming, &result.streaming), std::pair(Kind::bidirectional, &result.bidirectional)}) {
    if (runs_in(result, kind) == 0) continue;
    try {
      *place = fit_of(result, kind, hops);
    } catch (const InputError& error) {
      result.remarks.push_back(fmt::format("no LogGP from {}: bandwidths of {}", tools_in(result, kind), error.what()));
    }
  }
  const HockneyFit& fit = result.latency->fit;
  constexpr double kMuch = 0.25;
  if (fit.runs > 1 && fit.between_runs > kMuch) {
    result.remarks.push_back(
        fmt::format("runs differ by {}: they may not be of one thing; fit them apart", percent(fit.between_runs)));
  } else if (fit.noise > kMuch) {
    result.remarks.push_back(fmt::format("times scatter by {}: the fit says little", percent(fit.noise)));
  }
  if (result.hops_known && !fit.per_hop_us) {
    result.remarks.push_back(
        fmt::format("all pairs are {} hops apart: the latency is that of so many, and none can be given per hop",
                    result.least_hops));
  }
  return result;
}

std::string calibration_text(const Calibration& calibration) {
  std::string text = subject_of(calibration) + (calibration.refusals.empty() ? "\n" : ": refused\n");
  if (calibration.latency) {
    const HockneyFit& fit = calibration.latency->fit;
    text += fmt::format("latency ({}): {}, {}\n\n", tools_in(calibration, Kind::latency), plural(fit.runs, "run"),
                        plural(fit.points, "time"));
    text += segments_text(fit);
    if (fit.per_hop_us) {
      text += fmt::format("every hop beyond 2: {:.4g} us ({}){}\n", fit.per_hop_us->value, range_text(*fit.per_hop_us),
                          fit.per_hop_at_bound ? ": the data want less than 0" : "");
    }
    text += residuals_text(*calibration.latency) + intervals_text(fit) + "\n";
    text += loggp_text(calibration);
  }
  return text;
}

std::string calibration_json(const Calibration& calibration) {
  std::string series;
  for (const MessageSeries& each : calibration.series) {
    series +=
        fmt::format("{}\n  {{\"kind\": \"{}\", \"tool\": {}, \"place\": {}, \"sizes\": {}}}", series.empty() ? "" : ",",
                    kind_name(each.kind), quote(each.tool, kWhole), quote(each.place, kWhole), each.rows.size());
  }
  const auto optional_fit = [&](const std::optional<Calibration::Fit>& fit) {
    return fit ? fit_json(calibration, *fit) : std::string("null");
  };
  const auto optional_text = [](const std::string& text) { return text.empty() ? "null" : quote(text, kWhole); };
  return fmt::format(
      "{{\"schema\": \"headroom.calibrate/1\", \"verdict\": \"{}\", \"refusals\": [{}], \"transport\": {}, "
      "\"instance_type\": {}, \"confidence\": {:g}, \"hops_known\": {},\n \"remarks\": [{}],\n \"series\": [{}],\n "
      "\"latency\": {},\n \"streaming\": {},\n \"bidirectional\": {}}}\n",
      calibration.refusals.empty() ? "fitted" : "refused", texts_json(calibration.refusals),
      optional_text(calibration.transport), optional_text(calibration.instance_type), calibration.confidence,
      calibration.hops_known, texts_json(calibration.remarks), series, optional_fit(calibration.latency),
      optional_fit(calibration.streaming), optional_fit(calibration.bidirectional));
}

std::string calibration_fragment(const Calibration& calibration) {
  if (calibration.transport.empty()) {
    throw InputError("--transport: nothing in the files says what carried the messages; expected efa, tcp or shm");
  }
  const HockneyFit& fit = calibration.latency->fit;
  std::string segments;
  for (std::size_t k = 0; k < fit.segments.size(); ++k) {
    const HockneySegment& segment = fit.segments[k];
    const double bandwidth = std::min(kNoLimit_gb_s, bandwidth_gb_s(segment).value);
    const bool last = k + 1 == fit.segments.size();
    segments +=
        fmt::format("{}\n        {{{}\"latency_us\": {:.6g}, \"bandwidth_gb_s\": {:.7g}}}", k == 0 ? "" : ",",
                    last ? "" : fmt::format("\"upTo\": {}, ", segment.most_bytes), segment.latency_us.value, bandwidth);
  }
  std::string model = fmt::format("{{\"segments\": [{}],\n", segments);
  if (fit.per_hop_us) model += fmt::format("      \"perHop_us\": {:.6g},\n", fit.per_hop_us->value);
  // LogGP's, of messages that follow one another in one direction.
  if (calibration.streaming) {
    const HockneyFit& times = calibration.streaming->fit;
    const double bandwidth_of_long = bandwidth_gb_s(times.segments.back()).value;
    model += fmt::format("      \"gap_us\": {:.6g},", times.segments.front().latency_us.value);
    if (bandwidth_of_long < kNoLimit_gb_s) model += fmt::format(" \"streaming_gb_s\": {:.6g},", bandwidth_of_long);
    model += "\n";
  }
  model += fmt::format("      \"source\": {}}}", quote(source_text(calibration), kWhole));
  const std::string of_transport = fmt::format("{{{}: {}}}", quote(calibration.transport), model);
  return fmt::format(
      "{{\"network\": {{\"model\": {}}}}}\n",
      calibration.instance_type.empty()
          ? of_transport
          : fmt::format("{{\"types\": {{{}: {}}}}}", quote(calibration.instance_type, kWhole), of_transport));
}

}  // namespace headroom
