#include "models/workload/trace_info.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "models/errors.hpp"

namespace headroom {

namespace {

double in_seconds(Time time) { return static_cast<double>(time) / static_cast<double>(kSecond); }

Quantiles quantiles_of(std::vector<double> sample) {
  Quantiles result;
  result.count = sample.size();
  if (sample.empty()) {
    return result;
  }
  std::sort(sample.begin(), sample.end());
  // In hundredths: an integer rank does not depend on how 0.9 is rounded.
  const auto at = [&](std::size_t percent) {
    const std::size_t rank = (sample.size() * percent + 99) / 100;
    return sample[std::max<std::size_t>(rank, 1) - 1];
  };
  result.min = sample.front();
  result.p25 = at(25);
  result.p50 = at(50);
  result.p75 = at(75);
  result.p90 = at(90);
  result.p99 = at(99);
  result.max = sample.back();
  double sum = 0;
  for (const double value : sample) {
    sum += value;
  }
  result.mean = sum / static_cast<double>(sample.size());
  return result;
}

// "1996-09-23 12:00:31 UTC"; empty for what no calendar holds.
std::string utc_date(std::int64_t unix_s) {
  if (unix_s < 0 || unix_s > 253'402'300'799) {  // the end of the year 9999
    return {};
  }
  const std::int64_t day = unix_s / 86400;
  const std::int64_t second = unix_s % 86400;
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{static_cast<int>(day)}}};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02d UTC", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), static_cast<int>(second / 3600),
                static_cast<int>(second / 60 % 60), static_cast<int>(second % 60));
  return text.data();
}

const char* machine_source(TraceInfo::MachineFrom from) {
  switch (from) {
    case TraceInfo::MachineFrom::max_processors:
      return "header MaxProcs";
    case TraceInfo::MachineFrom::max_nodes:
      return "header MaxNodes";
    case TraceInfo::MachineFrom::widest_job:
      return "no size in the header: the widest job";
  }
  return "";
}

}  // namespace

TraceInfo trace_info(const std::string& path, const std::string& shown_name) {
  SwfReader reader(path, shown_name);
  TraceInfo info;
  info.file = reader.shown_name();

  enum Field : std::size_t {
    kSubmit,
    kWait,
    kRun,
    kProcessors,
    kRequestedTime,
    kMemory,
    kStatus,
    kUser,
    kQueue,
    kFields
  };
  constexpr std::array<const char*, kFields> kFieldNames{
      "submit time", "wait time", "run time", "processors", "requested time", "memory", "status", "user", "queue"};
  std::array<std::uint64_t, kFields> missing{};
  std::uint64_t overruns = 0;
  std::uint64_t out_of_order = 0;
  std::uint64_t bursts = 0;
  std::uint64_t odd_status = 0;
  std::uint64_t only_allocated = 0;
  std::uint64_t no_run = 0;
  std::uint64_t too_wide = 0;

  std::vector<double> widths;
  std::vector<double> runs;
  std::vector<double> requests;
  std::set<std::int64_t> users;
  std::map<std::int64_t, std::uint64_t> queues;
  double accuracy_sum = 0;
  double work_s = 0;
  std::uint64_t serial = 0;
  std::uint64_t power_of_two = 0;
  Time first_submit = kNever;
  Time last_submit = 0;
  Time last_end = 0;
  Time previous_submit = -1;

  SwfRecord record;
  while (reader.next(record)) {
    ++info.records;
    const std::int64_t width = record.processors();
    const auto count = [](std::uint64_t& to, bool happened) { to += static_cast<std::uint64_t>(happened); };
    count(missing[kSubmit], record.submit < 0);
    count(missing[kWait], record.wait < 0);
    count(missing[kRun], record.run < 0);
    count(missing[kProcessors], width <= 0);
    count(missing[kRequestedTime], record.requested_time <= 0);
    count(missing[kMemory], record.requested_memory_kib < 0 && record.used_memory_kib < 0);
    count(missing[kStatus], record.status == -1);
    count(missing[kUser], record.user < 0);
    count(missing[kQueue], record.queue < 0);
    count(out_of_order, record.submit < previous_submit);
    previous_submit = record.submit;
    count(bursts, reader.is_burst());
    count(odd_status, record.status < -1 || record.status > 5);
    count(only_allocated, record.requested_processors <= 0 && record.allocated_processors > 0);
    count(no_run, record.run == 0);
    if (record.user >= 0) {
      users.insert(record.user);
    }
    if (reader.is_burst() || record.submit < 0 || record.run < 0 || width <= 0) {
      continue;
    }
    ++info.jobs;
    ++queues[std::max<std::int64_t>(record.queue, -1)];
    first_submit = std::min(first_submit, record.submit);
    last_submit = std::max(last_submit, record.submit);
    last_end = std::max(last_end, record.submit + std::max<Time>(record.wait, 0) + record.run);
    widths.push_back(static_cast<double>(width));
    runs.push_back(in_seconds(record.run));
    work_s += runs.back() * widths.back();
    count(serial, width == 1);
    count(power_of_two, width > 1 && std::has_single_bit(static_cast<std::uint64_t>(width)));
    const std::int64_t machine = reader.header().max_processors;
    count(too_wide, machine > 0 && std::max(width, record.allocated_processors) > machine);
    if (record.requested_time > 0) {
      requests.push_back(in_seconds(record.requested_time));
      accuracy_sum += std::min(1.0, runs.back() / requests.back());
      count(overruns, record.run > record.requested_time);
    }
  }
  if (info.records == 0) {
    throw InputError(info.file + ": no jobs: found no record, expected lines of 18 fields");
  }
  info.header = reader.header();

  info.processors = quantiles_of(std::move(widths));
  info.run_time_s = quantiles_of(std::move(runs));
  const std::size_t requested = requests.size();
  info.requested_time_s = quantiles_of(std::move(requests));
  if (requested > 0) {
    info.accuracy = accuracy_sum / static_cast<double>(requested);
  }
  if (info.header.max_processors > 0) {
    info.machine_processors = info.header.max_processors;
    info.machine_from = TraceInfo::MachineFrom::max_processors;
  } else if (info.header.max_nodes > 0) {
    info.machine_processors = info.header.max_nodes;
    info.machine_from = TraceInfo::MachineFrom::max_nodes;
  } else {
    info.machine_processors = static_cast<std::int64_t>(info.processors.max);
  }
  if (info.jobs > 0) {
    const auto jobs = static_cast<double>(info.jobs);
    info.serial_share = static_cast<double>(serial) / jobs;
    info.power_of_two_share = static_cast<double>(power_of_two) / jobs;
    info.first_submit_s = in_seconds(first_submit);
    info.last_submit_s = in_seconds(last_submit);
    info.last_end_s = in_seconds(last_end);
    const double span_s = info.last_submit_s - info.first_submit_s;
    if (span_s > 0) {
      info.offered_load = work_s / (span_s * static_cast<double>(info.machine_processors));
      info.arrivals_per_hour = jobs / span_s * 3600;
    }
  }
  info.users = users.size();
  info.queues.assign(queues.begin(), queues.end());
  for (std::size_t field = 0; field < kFields; ++field) {
    info.missing.emplace_back(kFieldNames[field], missing[field]);
  }
  const auto trap = [&](const char* what, std::uint64_t records) {
    if (records > 0) {
      info.traps.emplace_back(what, records);
    }
  };
  trap("no header", info.header.present ? 0 : info.records);
  trap("run time over requested time", overruns);
  trap("run time of 0", no_run);
  trap("wider than the machine", too_wide);
  trap("requested processors missing, allocated ones known", only_allocated);
  trap("submitted before the record above", out_of_order);
  trap("burst of a checkpointed job", bursts);
  trap("status not defined by SWF", odd_status);
  trap("more than 18 columns", reader.wide_lines());
  return info;
}

namespace {

// At most six significant digits, no exponent for what people read as a number of seconds.
std::string shown_number(double value) {
  std::array<char, 64> text{};
  if (value == std::floor(value) || std::abs(value) >= 100'000) {
    std::snprintf(text.data(), text.size(), "%.0f", value);
  } else {
    std::snprintf(text.data(), text.size(), "%.4g", value);
    if (std::abs(value) >= 1000) {
      std::snprintf(text.data(), text.size(), "%.1f", value);
    }
  }
  return text.data();
}

std::string shown_percent(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %%", 100 * share);
  return text.data();
}

// Control characters of a header must not reach a terminal.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      c = '?';
    }
  }
  return text;
}

void add_row(std::string& text, const std::string& name, const std::string& value) {
  constexpr std::size_t kNameColumns = 18;
  text += "  " + name + std::string(name.size() < kNameColumns ? kNameColumns - name.size() : 1, ' ') + value + "\n";
}

void add_quantiles(std::string& text, const std::string& name, const Quantiles& q) {
  if (q.count == 0) {
    add_row(text, name, "unknown");
    return;
  }
  std::string values;
  for (const double value : {q.min, q.p25, q.p50, q.p75, q.p90, q.p99, q.max, q.mean}) {
    const std::string shown = shown_number(value);
    values += std::string(shown.size() < 10 ? 10 - shown.size() : 1, ' ') + shown;
  }
  add_row(text, name, values);
}

}  // namespace

std::string trace_info_text(const TraceInfo& info) {
  const SwfHeader& header = info.header;
  std::string text = printable(info.file) + "\n";
  std::string machine = header.computer;
  if (!header.installation.empty()) {
    machine += (machine.empty() ? "" : ", ") + header.installation;
  }
  if (!machine.empty()) {
    constexpr std::size_t kLongest = 88;
    add_row(text, "machine", printable(machine.size() > kLongest ? machine.substr(0, kLongest) + "..." : machine));
  }
  add_row(text, "processors", std::to_string(info.machine_processors) + " (" + machine_source(info.machine_from) + ")");
  if (const std::string date = utc_date(header.unix_start_time); !date.empty()) {
    add_row(text, "log starts",
            date + (header.time_zone.empty() ? "" : " (" + printable(header.time_zone.substr(0, 60)) + ")"));
  }
  add_row(text, "records", std::to_string(info.records) + ", " + std::to_string(info.jobs) + " of them usable as jobs");
  add_row(
      text, "span",
      shown_number((info.last_end_s - info.first_submit_s) / 86400) + " days from the first submit to the last end");
  add_row(text, "arrivals", shown_number(info.arrivals_per_hour) + " jobs an hour");
  // Without a size of the machine the load says nothing.
  const bool known = info.offered_load > 0 && info.machine_from != TraceInfo::MachineFrom::widest_job;
  add_row(text, "offered load", known ? shown_number(info.offered_load) : "unknown");
  add_row(text, "users", std::to_string(info.users));

  constexpr std::size_t kMostQueues = 8;
  std::string queues;
  for (std::size_t i = 0; i < std::min(info.queues.size(), kMostQueues); ++i) {
    const auto& [number, jobs] = info.queues[i];
    const auto name = std::find_if(header.queues.begin(), header.queues.end(),
                                   [wanted = number](const auto& entry) { return entry.first == wanted; });
    queues += (i == 0 ? "" : ", ") + (number < 0 ? std::string("unknown") : std::to_string(number));
    if (name != header.queues.end() && !name->second.empty()) {
      queues += " " + printable(name->second.substr(0, 16));
    }
    queues += ": " + std::to_string(jobs);
  }
  if (info.queues.size() > kMostQueues) {
    queues += ", and " + std::to_string(info.queues.size() - kMostQueues) + " more";
  }
  add_row(text, "queues: jobs", queues.empty() ? "none" : queues);

  text += "\n";
  add_row(text, "", "       min       25%       50%       75%       90%       99%       max      mean");
  add_quantiles(text, "processors", info.processors);
  add_quantiles(text, "run time (s)", info.run_time_s);
  add_quantiles(text, "requested (s)", info.requested_time_s);
  add_row(
      text, "widths",
      shown_percent(info.serial_share) + " serial, " + shown_percent(info.power_of_two_share) + " other powers of two");
  add_row(text, "accuracy",
          info.requested_time_s.count > 0
              ? shown_percent(info.accuracy) + " of the requested time is used, in the mean over jobs"
              : "unknown");

  text += "\n  missing in records\n";
  for (const auto& [field, records] : info.missing) {
    if (records > 0) {
      add_row(text, "  " + field,
              std::to_string(records) + " (" +
                  shown_percent(static_cast<double>(records) / static_cast<double>(info.records)) + ")");
    }
  }
  text += info.traps.empty() ? "  traps: none\n" : "  traps (records)\n";
  for (const auto& [what, records] : info.traps) {
    add_row(text, "  " + std::to_string(records), what);
  }
  return text;
}

std::string trace_info_json(const TraceInfo& info) {
  using Json = nlohmann::ordered_json;
  const auto text_or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  const auto number_or_null = [](std::int64_t number) { return number < 0 ? Json() : Json(number); };
  const auto quantiles = [](const Quantiles& q) {
    return q.count == 0 ? Json()
                        : Json{{"count", q.count}, {"min", q.min}, {"p25", q.p25}, {"p50", q.p50},  {"p75", q.p75},
                               {"p90", q.p90},     {"p99", q.p99}, {"max", q.max}, {"mean", q.mean}};
  };
  const auto counts = [](const auto& pairs) {
    Json object = Json::object();
    for (const auto& [name, records] : pairs) {
      object[name] = records;
    }
    return object;
  };
  const auto names = [](const std::vector<std::pair<std::int64_t, std::string>>& pairs) {
    Json object = Json::object();
    for (const auto& [number, name] : pairs) {
      object.emplace(std::to_string(number), name);
    }
    return object;
  };
  Json queues = Json::array();
  for (const auto& [number, jobs] : info.queues) {
    queues.push_back({{"queue", number_or_null(number)}, {"jobs", jobs}});
  }
  const SwfHeader& header = info.header;
  const Json json{{"schema", "headroom.trace-info/1"},
                  {"file", info.file},
                  {"header",
                   {{"present", header.present},
                    {"version", text_or_null(header.version)},
                    {"computer", text_or_null(header.computer)},
                    {"installation", text_or_null(header.installation)},
                    {"time_zone", text_or_null(header.time_zone)},
                    {"unix_start_time", number_or_null(header.unix_start_time)},
                    {"start_utc", text_or_null(utc_date(header.unix_start_time))},
                    {"max_jobs", number_or_null(header.max_jobs)},
                    {"max_records", number_or_null(header.max_records)},
                    {"max_nodes", number_or_null(header.max_nodes)},
                    {"max_processors", number_or_null(header.max_processors)},
                    {"queues", names(header.queues)},
                    {"partitions", names(header.partitions)}}},
                  {"records", info.records},
                  {"jobs", info.jobs},
                  {"first_submit_s", info.first_submit_s},
                  {"last_submit_s", info.last_submit_s},
                  {"last_end_s", info.last_end_s},
                  {"machine_processors", info.machine_processors},
                  {"machine_from", machine_source(info.machine_from)},
                  {"offered_load", info.offered_load},
                  {"arrivals_per_hour", info.arrivals_per_hour},
                  {"processors", quantiles(info.processors)},
                  {"serial_share", info.serial_share},
                  {"power_of_two_share", info.power_of_two_share},
                  {"run_time_s", quantiles(info.run_time_s)},
                  {"requested_time_s", quantiles(info.requested_time_s)},
                  {"accuracy", info.requested_time_s.count > 0 ? Json(info.accuracy) : Json()},
                  {"users", info.users},
                  {"queues", queues},
                  {"missing", counts(info.missing)},
                  {"traps", counts(info.traps)}};
  // A header may hold Latin-1: replaced, so that the output is always JSON.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace headroom
