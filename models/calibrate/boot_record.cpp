#include "models/calibrate/boot_record.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/errors.hpp"
#include "models/scenario/document.hpp"
#include "models/workload/byte_source.hpp"

namespace headroom {
namespace {

using Stage = BootStage::Stage;
using BootOutcome = BootStage::Outcome;

constexpr double kLatest_s = 1e11;

// The node was given up because it did not come up (PCS-72), in nodes.csv and in scaling logs alike.
constexpr std::string_view kBootstrapFailed = "BOOTSTRAP_FAILED";

std::string place(const LineReader& reader) { return fmt::format("{}:{}", reader.shown_name(), reader.line_number()); }

// --- nodes.csv ---

// RFC 4180, one line a row.
std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += c;
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  return fields;
}

class NodesReader {
 public:
  NodesReader(LineReader& reader, std::string_view heading) : reader_(reader), columns_(fields_of(heading)) {
    for (const char* column : {"launch_s", "running_s", "ready_s", "end_s"}) {
      if (!index_of(column)) throw InputError(fmt::format("{}: no column {}", place(reader_), column));
    }
  }

  BootRecords read() {
    std::string_view line;
    while (reader_.next(line)) {
      if (line.empty()) continue;
      fields_ = fields_of(line);
      if (fields_.size() != columns_.size()) {
        throw InputError(fmt::format("{}: found {} fields, the heading has {}: the file is cut or damaged",
                                     place(reader_), fields_.size(), columns_.size()));
      }
      read_row();
    }
    return std::move(result_);
  }

 private:
  std::optional<std::size_t> index_of(std::string_view column) const {
    const auto found = std::find(columns_.begin(), columns_.end(), column);
    if (found == columns_.end()) return std::nullopt;
    return static_cast<std::size_t>(found - columns_.begin());
  }
  std::string text_of(std::string_view column) const {
    const auto index = index_of(column);
    return index ? fields_[*index] : std::string();
  }
  std::optional<Time> time_of(std::string_view column) const {
    const std::string text = text_of(column);
    if (text.empty()) return std::nullopt;
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc() || end != text.data() + text.size() || !(std::abs(seconds) <= kLatest_s)) {
      throw InputError(fmt::format("{}: {}: found {}, expected seconds", place(reader_), column, quote(text)));
    }
    return static_cast<Time>(std::llround(seconds * static_cast<double>(kSecond)));
  }
  // From one time to the next of an instance's life.
  Time between(std::string_view first, Time from, std::string_view second, Time until) const {
    if (until < from) {
      throw InputError(
          fmt::format("{}: {}: before {}: times of an instance do not run backwards", place(reader_), second, first));
    }
    return until - from;
  }

  void read_row() {
    const auto launch = time_of("launch_s");
    const auto running = time_of("running_s");
    const auto ready = time_of("ready_s");
    const auto end = time_of("end_s");
    if (!launch) throw InputError(fmt::format("{}: launch_s: missing; expected seconds", place(reader_)));
    if (ready && !running)
      throw InputError(fmt::format("{}: ready_s: of an instance without running_s", place(reader_)));
    const auto add = [&](Stage stage, BootOutcome outcome, Time time) {
      result_.stages.push_back({text_of("node_group"), text_of("instance_type"), stage, outcome, time});
    };
    if (running) {
      add(Stage::pending, BootOutcome::complete, between("launch_s", *launch, "running_s", *running));
    } else if (end) {
      add(Stage::pending, BootOutcome::censored, between("launch_s", *launch, "end_s", *end));
    }
    if (!running) return;
    if (ready) {
      add(Stage::bootstrap, BootOutcome::complete, between("running_s", *running, "ready_s", *ready));
    } else if (end) {
      const bool failed = text_of("end_reason") == kBootstrapFailed;
      add(Stage::bootstrap, failed ? BootOutcome::failed : BootOutcome::censored,
          between("running_s", *running, "end_s", *end));
    }
  }

  LineReader& reader_;
  std::vector<std::string> columns_;
  std::vector<std::string> fields_;
  BootRecords result_;
};

// --- Scaling logs ---

class EventsReader {
 public:
  explicit EventsReader(LineReader& reader) : reader_(reader) {}

  BootRecords read(std::string_view line) {
    do {
      if (line.find_first_not_of(" \t") != std::string_view::npos) read_event(line);
    } while (reader_.next(line));
    for (const auto& [id, life] : lives_) add(life);
    if (unknown_ > 0) {
      result_.remarks.push_back(
          fmt::format("{}: {} instances left out: their launch is not in the log", reader_.shown_name(), unknown_));
    }
    return std::move(result_);
  }

 private:
  struct Life {
    std::string group;
    std::string type;
    std::optional<Time> launched;
    std::optional<Time> active;
    std::optional<Time> terminated;
    bool bootstrap_failed = false;
    std::string place;  // of the first event
  };

  [[noreturn]] void fail(std::string_view key, const std::string& text) const {
    throw InputError(fmt::format("{}: {}: {}", place(reader_), key, text));
  }
  static std::string text_of(const JsonValue* value) {
    return value != nullptr && value->kind == JsonValue::Kind::string ? value->text : std::string();
  }

  void read_event(std::string_view line) {
    Problems problems({reader_.shown_name()});
    const std::optional<JsonValue> event = read_json(line, 0, problems);
    if (!event || !problems.empty()) {
      throw InputError(fmt::format("{}: {}", place(reader_), problems.all().front().text));
    }
    // PCS's own names, and those of a run's events.jsonl.
    const bool of_pcs = event->find("status_code") != nullptr;
    const std::string status = text_of(event->find(of_pcs ? "status_code" : "status"));
    if (status.empty()) fail("status_code", "missing; expected an event of a scaling log");
    const JsonValue* seconds = of_pcs ? nullptr : event->find("time_s");
    const JsonValue* stamp = seconds != nullptr ? seconds : event->find("event_timestamp");
    const std::string_view key = seconds != nullptr ? "time_s" : "event_timestamp";
    const bool is_number =
        stamp != nullptr && (stamp->kind == JsonValue::Kind::integer || stamp->kind == JsonValue::Kind::number);
    // PCS stamps in milliseconds.
    const double scale = of_pcs ? 1e3 : 1;
    if (!is_number || !(std::abs(stamp->number / scale) <= kLatest_s)) {
      fail(key, fmt::format("found {}, expected {}", stamp == nullptr ? "nothing" : describe_found(*stamp),
                            of_pcs ? "milliseconds since 1970" : "seconds"));
    }
    const auto time = static_cast<Time>(std::llround(stamp->number / scale * static_cast<double>(kSecond)));
    last_ = any_ ? std::max(last_, time) : time;
    any_ = true;

    const JsonValue* details = event->find("details");
    const std::string id = details != nullptr ? text_of(details->find("instance_id")) : std::string();
    if (id.empty()) return;  // a launch that failed has no instance
    Life& life = lives_[id];
    if (life.place.empty()) life.place = place(reader_);
    if (life.group.empty()) life.group = text_of(event->find(of_pcs ? "compute_node_group_id" : "node_group"));
    if (life.type.empty()) life.type = text_of(details->find("instance_type"));
    const auto keep = [&](std::optional<Time>& kept) {
      if (kept)
        fail(of_pcs ? "status_code" : "status", fmt::format("{} a second time for instance {}", status, quote(id)));
      kept = time;
    };
    if (status == "LAUNCHED") keep(life.launched);
    if (status == "ACTIVE") keep(life.active);
    if (status == "TERMINATED") {
      keep(life.terminated);
      life.bootstrap_failed = text_of(event->find(of_pcs ? "reason_code" : "reason")) == kBootstrapFailed;
    }
  }

  void add(const Life& life) {
    if (!life.launched) {
      ++unknown_;
      return;
    }
    const Time end = life.active ? *life.active : life.terminated.value_or(last_);
    if (end < *life.launched) {
      throw InputError(fmt::format("{}: an instance that is {} before it is launched", life.place,
                                   life.active ? "active" : "terminated"));
    }
    const BootOutcome outcome = life.active             ? BootOutcome::complete
                                : life.bootstrap_failed ? BootOutcome::failed
                                                        : BootOutcome::censored;
    result_.stages.push_back({life.group, life.type, Stage::total, outcome, end - *life.launched});
  }

  LineReader& reader_;
  std::map<std::string, Life> lives_;  // by instance id
  Time last_ = 0;                      // of all events: the end of the log
  bool any_ = false;
  std::size_t unknown_ = 0;
  BootRecords result_;
};

}  // namespace

BootRecords read_boot_records(const std::string& path) {
  LineReader reader(path, path == "-" ? "stdin" : "");
  std::string_view line;
  do {
    if (!reader.next(line)) {
      throw InputError(fmt::format("{}: empty; expected nodes.csv or a scaling log", reader.shown_name()));
    }
  } while (line.find_first_not_of(" \t") == std::string_view::npos);
  if (line.front() == '{') return EventsReader(reader).read(line);
  if (line.find("launch_s") != std::string_view::npos) return NodesReader(reader, line).read();
  throw InputError(fmt::format(
      "{}: neither nodes.csv (a heading with launch_s) nor a scaling log (a JSON object a line)", place(reader)));
}

}  // namespace headroom
