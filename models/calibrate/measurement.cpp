#include "models/calibrate/measurement.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/errors.hpp"
#include "models/files.hpp"
#include "models/scenario/document.hpp"

namespace headroom {
namespace {

using Kind = MessageSeries::Kind;

constexpr double kLongestTime_us = 1e12;
constexpr std::int64_t kLargestMessage = std::int64_t{1} << 50;  // bytes
constexpr std::size_t kLargestText = std::size_t{64} << 20;

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!(text = trim(text)).empty()) {
    const std::size_t end = std::min(text.find_first_of(" \t"), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return words;
}

// Headings have blanks in them: two blanks or a tab end one.
std::vector<std::string_view> headings_of(std::string_view text) {
  std::vector<std::string_view> headings;
  while (!(text = trim(text)).empty()) {
    const std::size_t end = std::min({text.find("  "), text.find('\t'), text.size()});
    headings.push_back(trim(text.substr(0, end)));
    text.remove_prefix(end);
  }
  return headings;
}

std::optional<double> number_in(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::int64_t> whole_number_in(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// --- Text ---

// What the line above a table says that it is.
struct Title {
  bool known = false;  // there was such a line
  bool wanted = false;
  Kind kind = Kind::latency;
  std::string tool;
};

struct Column {
  std::size_t index = 0;
  std::string name;
};

struct Table {
  enum class Format : std::uint8_t { osu, imb, fi_pingpong };
  Format format = Format::osu;
  bool wanted = true;
  std::size_t columns = 0;
  std::size_t heading_line = 0;
  std::string prefix;  // of every row
  Column value;
  std::optional<Column> check;  // MB/s beside the time
  std::optional<Column> validation;
  std::optional<Column> acknowledged;
  std::size_t decimals = 0;  // of the first value
  MessageSeries series;
};

class TextReader {
 public:
  TextReader(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  Measurements read() {
    while (!text_.empty()) {
      ++line_number_;
      const std::size_t end = std::min(text_.find('\n'), text_.size());
      std::string_view line = text_.substr(0, end);
      text_.remove_prefix(std::min(end + 1, text_.size()));
      if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
      read_line(line);
    }
    close();
    if (result_.series.empty() && result_.refusals.empty()) {
      std::string text =
          "no table of latency or bandwidth between two ranks; expected JSON of pingpong or allpairs, or "
          "text of pingpong, osu_latency, osu_bw, osu_bibw, IMB's PingPong or fi_pingpong";
      for (const std::string& remark : result_.remarks) text += "\n" + remark;
      throw InputError(fmt::format("{}: {}", name_, text));
    }
    return std::move(result_);
  }

 private:
  std::string place(std::size_t line) const { return fmt::format("{}:{}", name_, line); }
  [[noreturn]] void fail(const std::string& text) const {
    throw InputError(fmt::format("{}: {}", place(line_number_), text));
  }

  void read_line(std::string_view line) {
    if (read_title(line) || read_heading(line)) return;
    if (!table_) return;
    std::string_view rest = line;
    if (!table_->prefix.empty()) {
      if (!rest.starts_with(table_->prefix)) return;  // another rank's
      rest.remove_prefix(table_->prefix.size());
    }
    rest = trim(rest);
    const bool negative = rest.size() > 1 && rest[0] == '-' && is_digit(rest[1]);
    if (rest.empty() || (!is_digit(rest[0]) && !negative)) return;
    const std::vector<std::string_view> words = words_of(rest);
    // A line that begins with a date or a time is none of the table.
    const bool fi = table_->format == Table::Format::fi_pingpong;
    if (!negative && !size_in(words[0], fi)) return;
    if (table_->wanted) read_row(words);
  }

  // Lines such as "# OSU MPI Latency Test v5.7.1" and "# Benchmarking PingPong".
  bool read_title(std::string_view line) {
    static constexpr std::string_view kOsu = "# OSU MPI";
    if (const std::size_t at = line.find(kOsu); at != std::string_view::npos) {
      close();
      title_ = osu_title(trim(line.substr(at + kOsu.size())));
      return true;
    }
    static constexpr std::string_view kImb = "# Benchmarking ";
    if (const std::size_t at = line.find(kImb); at != std::string_view::npos) {
      close();
      const std::string_view benchmark = trim(line.substr(at + kImb.size()));
      title_ = {true,
                benchmark == "PingPong" || benchmark == "PingPongSpecificSource" || benchmark == "PingPongAnySource",
                Kind::latency, fmt::format("IMB {}", benchmark)};
      return true;
    }
    static constexpr std::string_view kProcesses = "# #processes = ";
    if (const std::size_t at = line.find(kProcesses); at != std::string_view::npos && title_.wanted) {
      const std::string_view count = trim(line.substr(at + kProcesses.size()));
      if (count != "2") fail(fmt::format("{}: found {} processes, expected 2", title_.tool, quote(count)));
      return true;
    }
    return false;
  }

  // What follows "OSU MPI": "-CUDA Latency Test v7.5", "_Put Latency Test v5.7.1" (one-sided, not wanted), ...
  static Title osu_title(std::string_view text) {
    Title title{true, false, Kind::latency, "OSU"};
    std::string_view test = text;
    if (test.starts_with("-")) test.remove_prefix(std::min(test.find(' '), test.size()));
    test = trim(test);
    static constexpr std::pair<std::string_view, std::pair<Kind, std::string_view>> kTests[] = {
        {"Latency Test", {Kind::latency, "osu_latency"}},
        {"Bandwidth Test", {Kind::streaming, "osu_bw"}},
        {"Bi-Directional Bandwidth Test", {Kind::bidirectional, "osu_bibw"}}};
    for (const auto& [name, meaning] : kTests) {
      if (!test.starts_with(name)) continue;
      const std::string_view version = trim(test.substr(name.size()));
      title.wanted = true;
      title.kind = meaning.first;
      title.tool = std::string(meaning.second);
      if (version.starts_with('v')) title.tool += " " + std::string(version.substr(1));
      return title;
    }
    title.tool = fmt::format("OSU MPI{}{}", text.starts_with("_") ? "" : " ", text);
    return title;
  }

  bool read_heading(std::string_view line) {
    if (const std::size_t at = line.find("# Size  "); at != std::string_view::npos) return read_osu_heading(line, at);
    if (const std::size_t at = line.find("#bytes #repetitions"); at != std::string_view::npos) {
      return read_imb_heading(line, at);
    }
    if (line.find("usec/xfer") != std::string_view::npos) return read_fi_heading(line);
    return false;
  }

  void open(Table::Format format, std::string_view prefix) {
    close();
    table_.emplace();
    table_->format = format;
    table_->heading_line = line_number_;
    if (!trim(prefix).empty()) table_->prefix = std::string(prefix);
    table_->series.place = place(line_number_);
  }

  bool read_osu_heading(std::string_view line, std::size_t at) {
    const std::vector<std::string_view> headings = headings_of(line.substr(at + 2));
    const std::string_view value = headings.size() > 1 ? headings[1] : std::string_view();
    Title title = title_;
    // Without a title only headings that no collective has are taken for what they say. Our own text has none.
    if (!title.known && value == "Latency (us)") title = {true, true, Kind::latency, "latency table"};
    if (!title.known && value == "Bandwidth (MB/s)") title = {true, true, Kind::streaming, "bandwidth table"};
    open(Table::Format::osu, line.substr(0, at));
    table_->columns = headings.size();
    table_->series.kind = title.kind;
    table_->series.tool = title.tool;
    const bool latency = value == "Latency (us)" || value == "Avg Latency(us)";
    const bool bandwidth = value == "Bandwidth (MB/s)";
    table_->wanted = title.wanted;
    if (!title.wanted) {
      leave_out(title.known ? title.tool : fmt::format("a table of {}", quote(value)));
      return true;
    }
    if (title.kind == Kind::latency ? !latency : !bandwidth) {
      fail(fmt::format(
          "{}: found the column {}, expected {}", title.tool, quote(value),
          title.kind == Kind::latency ? "\"Latency (us)\" or \"Avg Latency(us)\"" : "\"Bandwidth (MB/s)\""));
    }
    table_->value = {1, std::string(value)};
    for (std::size_t i = 2; i < headings.size(); ++i) {
      if (headings[i] == "Validation") table_->validation = {i, "Validation"};
    }
    return true;
  }

  bool read_imb_heading(std::string_view line, std::size_t at) {
    const std::vector<std::string_view> headings = words_of(line.substr(at));
    open(Table::Format::imb, line.substr(0, at));
    table_->columns = headings.size();
    table_->series.tool = title_.tool;
    table_->wanted = title_.wanted;
    if (!title_.wanted) {
      leave_out(title_.known ? title_.tool : "an IMB table without \"# Benchmarking PingPong\"");
      return true;
    }
    for (std::size_t i = 0; i < headings.size(); ++i) {
      if (headings[i] == "t[usec]") table_->value = {i, "t[usec]"};
      if (headings[i] == "Mbytes/sec") table_->check = {i, "Mbytes/sec"};
    }
    if (table_->value.name.empty()) fail(fmt::format("{}: no column t[usec]", title_.tool));
    return true;
  }

  bool read_fi_heading(std::string_view line) {
    const std::size_t at = line.find("bytes ");
    if (at == std::string_view::npos) return false;
    const std::vector<std::string_view> headings = words_of(line.substr(at));
    open(Table::Format::fi_pingpong, line.substr(0, at));
    table_->columns = headings.size();
    table_->series.tool = "fi_pingpong";
    for (std::size_t i = 0; i < headings.size(); ++i) {
      if (headings[i] == "usec/xfer") table_->value = {i, "usec/xfer"};
      if (headings[i] == "MB/sec") table_->check = {i, "MB/sec"};
      if (headings[i] == "#ack") table_->acknowledged = {i, "#ack"};
    }
    // The bandwidth tests of fabtests have the same columns but this one, and are no ping-pongs.
    if (!table_->acknowledged) {
      table_->wanted = false;
      leave_out("a table of fabtests without the column #ack (no fi_pingpong)");
    }
    return true;
  }

  void leave_out(const std::string& what) {
    result_.remarks.push_back(
        fmt::format("{}: left out: {}: no latency or bandwidth of one pair of ranks", place(line_number_), what));
  }

  // "64", and where `label` "1k", "1.4k": fi_pingpong's labels, in binary units and cut after the digits shown.
  struct SizeLabel {
    std::int64_t bytes = 0;
    std::int64_t step = 1;  // the size is in [bytes, bytes + step)
  };
  static std::optional<SizeLabel> size_in(std::string_view word, bool label) {
    if (const auto bytes = whole_number_in(word); bytes && *bytes >= 0) return SizeLabel{*bytes, 1};
    if (!label || word.size() < 2) return std::nullopt;
    const std::size_t unit = std::string_view("kmg").find(word.back());
    if (unit == std::string_view::npos) return std::nullopt;
    const std::int64_t base = std::int64_t{1} << (10 * (unit + 1));
    word.remove_suffix(1);
    const std::size_t dot = word.find('.');
    const auto whole = whole_number_in(word.substr(0, dot));
    if (!whole || *whole < 0 || *whole >= 1024) return std::nullopt;
    if (dot == std::string_view::npos) return SizeLabel{*whole * base, *whole < 10 ? (base + 9) / 10 : base};
    const std::string_view fraction = word.substr(dot + 1);
    if (fraction.size() != 1 || !is_digit(fraction[0])) return std::nullopt;
    const std::int64_t tenths = *whole * 10 + (fraction[0] - '0');
    return SizeLabel{(tenths * base + 9) / 10, (base + 9) / 10};
  }

  void read_row(const std::vector<std::string_view>& words) {
    Table& table = *table_;
    if (words[0][0] == '-') fail(fmt::format("found {} bytes, expected at least 0", words[0]));
    if (words.size() < table.columns) {
      fail(fmt::format("found a row of {} columns, expected {}: the table is cut", words.size(), table.columns));
    }
    if (words.size() > table.columns) {
      fail(fmt::format("found a row of {} columns, expected {}", words.size(), table.columns));
    }
    const std::string_view text = words[table.value.index];
    const std::optional<double> value = number_in(text);
    if (!value || *value <= 0 || *value > kLongestTime_us) {
      fail(fmt::format("{}: found {}, expected a number above 0", table.value.name, quote(text)));
    }
    const std::size_t dot = text.find('.');
    const std::size_t decimals = dot == std::string_view::npos ? 0 : text.size() - dot - 1;
    if (table.series.rows.empty()) table.decimals = decimals;
    if (decimals != table.decimals) {
      fail(fmt::format("{}: found {} with {} decimals, the rows above have {}: the table is cut or damaged",
                       table.value.name, quote(text), decimals, table.decimals));
    }
    std::int64_t bytes = size_of(words, *value);
    if (bytes > kLargestMessage) fail(fmt::format("found {} bytes, expected at most {}", bytes, kLargestMessage));
    if (!table.series.rows.empty() && bytes <= table.series.rows.back().bytes) {
      fail(fmt::format("found {} bytes after {}: the sizes of a table grow", bytes, table.series.rows.back().bytes));
    }
    if (table.validation && words[table.validation->index] != "Pass") {
      result_.refusals.push_back(fmt::format("{}: {} bytes: validation says {}: messages came out wrong",
                                             place(line_number_), bytes, quote(words[table.validation->index])));
    }
    double time_us = *value;
    if (table.series.kind != Kind::latency) {
      if (bytes == 0) fail("found a bandwidth of messages of 0 bytes");
      // MB/s are bytes per us. osu_bibw counts both directions.
      time_us = static_cast<double>(bytes) / *value * (table.series.kind == Kind::bidirectional ? 2 : 1);
    }
    table.series.rows.push_back({bytes, time_us});
  }

  // Checked against the other columns, so that a table in other units is found out.
  std::int64_t size_of(const std::vector<std::string_view>& words, double time_us) const {
    const Table& table = *table_;
    const SizeLabel size = *size_in(words[0], table.format == Table::Format::fi_pingpong);
    if (table.acknowledged) {
      const std::string_view acknowledged = words[table.acknowledged->index];
      if (acknowledged[0] == '-' || acknowledged[0] == '+') {
        fail(fmt::format("#ack: found {}: messages were lost, so these are no times of a ping-pong",
                         quote(acknowledged)));
      }
    }
    if (!table.check) return size.bytes;
    const std::string_view text = words[table.check->index];
    const std::optional<double> mb_s = number_in(text);
    if (!mb_s || *mb_s < 0) fail(fmt::format("{}: found {}, expected a number from 0", table.check->name, quote(text)));
    if (*mb_s < 1 || size.bytes == 0) return size.bytes;  // too few digits to say anything
    // Two decimals each; libfabric counts its time in whole microseconds before it divides.
    const double blur = 0.002 + 0.005 / *mb_s + 0.005 / time_us;
    const double product = *mb_s * time_us;
    const auto agrees = [&](double bytes) { return std::abs(product / bytes - 1) <= blur; };
    const auto bytes = static_cast<double>(size.bytes);
    // IMB counted in 2^20 bytes before its version 2018 (X / 1.048576 / t in its manual).
    if (agrees(bytes) || (table.format == Table::Format::imb && agrees(bytes / 1.048576))) return size.bytes;
    if (size.step > 1 && product > bytes && product < static_cast<double>(size.bytes + size.step) * (1 + blur)) {
      return std::llround(std::min(product, static_cast<double>(size.bytes + size.step - 1)));
    }
    fail(fmt::format("{} {} and {} {} make messages of {:.0f} bytes, the row says {}: other units, or no ping-pong",
                     table.value.name, words[table.value.index], table.check->name, text, product, words[0]));
  }

  void close() {
    if (!table_) return;
    Table table = std::move(*table_);
    table_.reset();
    if (!table.wanted) return;
    std::vector<MessageSeries::Row>& rows = table.series.rows;
    if (rows.empty()) {
      throw InputError(
          fmt::format("{}: a table of {} without a row: empty, or cut", place(table.heading_line), table.series.tool));
    }
    // fi_pingpong has no warm-up: the first size pays for the handshake, hundreds of times over.
    if (table.format == Table::Format::fi_pingpong && rows.size() > 2 && rows[0].time_us > 3 * rows[1].time_us) {
      result_.remarks.push_back(
          fmt::format("{}: left out: the first size of fi_pingpong, {} bytes in {:.2f} us: it has no warm-up",
                      table.series.place, rows[0].bytes, rows[0].time_us));
      rows.erase(rows.begin());
    }
    result_.series.push_back(std::move(table.series));
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t line_number_ = 0;
  Title title_;
  std::optional<Table> table_;
  Measurements result_;
};

// --- JSON ---

class DocumentReader {
 public:
  DocumentReader(const JsonValue& root, const std::string& name) : root_(root), name_(name) {}

  Measurements read() {
    using K = JsonValue::Kind;
    const JsonValue* schema = root_.find("schema");
    if (schema == nullptr || schema->kind != K::string || schema->text != "headroom.mpi/1") {
      fail(schema != nullptr ? *schema : root_, "schema",
           fmt::format("found {}, expected \"headroom.mpi/1\"",
                       schema != nullptr ? describe_found(*schema) : "nothing"));
    }
    if (const JsonValue* fault = root_.find("test_fault"); fault != nullptr && fault->kind != K::null) {
      result_.refusals.push_back(
          fmt::format("{}: test_fault: {}: made to go wrong, for a test", place(*fault), describe_found(*fault)));
    }
    read_ranks();
    const JsonValue& test = member(root_, "test", K::string, "a test");
    const std::string version = text_of(root_, "program_version");
    tool_ = fmt::format("{}{}{}", test.text, version.empty() ? "" : " ", version);
    const JsonValue& result = member(root_, "result", K::object, "an object");
    if (test.text == "pingpong") {
      read_ping_pong(result);
    } else if (test.text == "allpairs") {
      read_all_pairs(result);
    } else {
      fail(test, "test",
           fmt::format("found {}: no times between two ranks; expected \"pingpong\" or \"allpairs\"",
                       describe_found(test)));
    }
    if (result_.series.empty() && result_.refusals.empty()) fail(result, "result", "nothing is measured in it");
    return std::move(result_);
  }

 private:
  std::string place(const JsonValue& at) const { return fmt::format("{}:{}", name_, at.where.line); }
  [[noreturn]] void fail(const JsonValue& at, std::string_view key, const std::string& text) const {
    throw InputError(fmt::format("{}: {}: {}", place(at), key, text));
  }

  const JsonValue& member(const JsonValue& object, std::string_view key, JsonValue::Kind kind,
                          std::string_view expected) const {
    const JsonValue* found = object.find(key);
    if (found == nullptr) fail(object, key, fmt::format("missing; expected {}", expected));
    if (found->kind != kind) fail(*found, key, fmt::format("found {}, expected {}", describe_found(*found), expected));
    return *found;
  }
  std::int64_t whole(const JsonValue& object, std::string_view key) const {
    const JsonValue& found = member(object, key, JsonValue::Kind::integer, "a whole number from 0");
    if (found.integer < 0 || found.integer > kLargestMessage) {
      fail(found, key,
           fmt::format("found {}, expected a whole number from 0 to {}", describe_found(found), kLargestMessage));
    }
    return found.integer;
  }
  double above_0(const JsonValue& object, std::string_view key) const {
    const JsonValue* found = object.find(key);
    if (found == nullptr) fail(object, key, "missing; expected a number above 0");
    const bool is_number = found->kind == JsonValue::Kind::integer || found->kind == JsonValue::Kind::number;
    if (!is_number || !(found->number > 0) || found->number > kLongestTime_us) {
      fail(*found, key, fmt::format("found {}, expected a number above 0", describe_found(*found)));
    }
    return found->number;
  }
  // "" where there is none, or something else.
  static std::string text_of(const JsonValue& object, std::string_view key) {
    const JsonValue* found = object.find(key);
    return found != nullptr && found->kind == JsonValue::Kind::string ? found->text : std::string();
  }

  void read_ranks() {
    using K = JsonValue::Kind;
    const JsonValue& ranks = member(root_, "ranks", JsonValue::Kind::array, "an array of ranks");
    for (const JsonValue& each : ranks.items) {
      if (each.kind != JsonValue::Kind::object) fail(each, "ranks", "expected objects");
      const std::int64_t rank = whole(each, "rank");
      RankPlace found;
      found.host = text_of(each, "host");
      found.boot_id = text_of(each, "boot_id");
      found.network_namespace = text_of(each, "network_namespace");
      found.instance_id = text_of(each, "instance_id");
      found.instance_type = text_of(each, "instance_type");
      const JsonValue* group = each.find("shared_memory_group");
      if (group != nullptr && group->kind == JsonValue::Kind::integer) found.shared_memory_group = group->integer;
      const JsonValue* providers = each.find("providers");
      if (providers != nullptr && providers->kind == JsonValue::Kind::array) {
        for (const JsonValue& provider : providers->items) found.providers.push_back(provider.text);
      }
      const JsonValue* fabric = each.find("fabric");
      const JsonValue* loaded = fabric != nullptr ? fabric->find("libfabric_loaded") : nullptr;
      if (loaded != nullptr && loaded->kind == K::boolean) found.has_libfabric = loaded->truth;
      ranks_.emplace_back(rank, std::move(found));
    }
    std::sort(ranks_.begin(), ranks_.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  }

  const RankPlace& rank_of(const JsonValue& pair, std::string_view key) const {
    const std::int64_t rank = whole(pair, key);
    const auto found = std::lower_bound(ranks_.begin(), ranks_.end(), rank,
                                        [](const auto& each, std::int64_t wanted) { return each.first < wanted; });
    if (found == ranks_.end() || found->first != rank) {
      fail(pair, key, fmt::format("found rank {}, which is not among the ranks", rank));
    }
    return found->second;
  }

  void refuse_errors(const JsonValue& at) {
    const JsonValue* errors = at.find("errors");
    if (errors == nullptr || (errors->kind == JsonValue::Kind::integer && errors->integer == 0)) return;
    result_.refusals.push_back(
        fmt::format("{}: errors: {}: messages came out wrong", place(*errors), describe_found(*errors)));
  }

  void add_row(MessageSeries& series, const JsonValue& at, std::int64_t bytes, double time_us) const {
    if (!series.rows.empty() && bytes <= series.rows.back().bytes) {
      fail(at, "bytes", fmt::format("found {} after {}: the sizes of a pair grow", bytes, series.rows.back().bytes));
    }
    series.rows.push_back({bytes, time_us});
  }

  void read_ping_pong(const JsonValue& result) {
    using K = JsonValue::Kind;
    for (const JsonValue& pair : member(result, "pairs", K::array, "an array of pairs").items) {
      if (pair.kind != K::object) fail(pair, "pairs", "expected objects");
      refuse_errors(pair);
      MessageSeries latency{Kind::latency, tool_, place(pair), {}, std::pair(rank_of(pair, "a"), rank_of(pair, "b"))};
      MessageSeries streaming{Kind::streaming, tool_, place(pair), {}, latency.ranks};
      for (const JsonValue& size : member(pair, "sizes", K::array, "an array of sizes").items) {
        if (size.kind != K::object) fail(size, "sizes", "expected objects");
        const JsonValue& times = member(size, "latency_us", K::object, "an object with p50");
        add_row(latency, size, whole(size, "bytes"), above_0(times, "p50"));
      }
      if (const JsonValue* sizes = pair.find("streaming"); sizes != nullptr && sizes->kind == K::array) {
        for (const JsonValue& size : sizes->items) {
          const std::int64_t bytes = whole(size, "bytes");
          if (bytes == 0) continue;
          add_row(streaming, size, bytes, static_cast<double>(bytes) / above_0(size, "bandwidth_mb_s"));
        }
      }
      for (MessageSeries* series : {&latency, &streaming}) {
        if (!series->rows.empty()) result_.series.push_back(std::move(*series));
      }
    }
  }

  // Latency at one size, and bandwidth of a window of messages (streaming) at another.
  void read_all_pairs(const JsonValue& result) {
    using K = JsonValue::Kind;
    const std::int64_t latency_bytes = whole(result, "latency_bytes");
    const std::int64_t bandwidth_bytes = whole(result, "bandwidth_bytes");
    for (const JsonValue& pair : member(result, "pairs", K::array, "an array of pairs").items) {
      if (pair.kind != K::object) fail(pair, "pairs", "expected objects");
      refuse_errors(pair);
      // Measured again alone, a pair had nobody beside it.
      const JsonValue* alone = pair.find("alone");
      const JsonValue& times = alone != nullptr && alone->kind == K::object ? *alone : pair;
      const auto ranks = std::pair(rank_of(pair, "a"), rank_of(pair, "b"));
      result_.series.push_back(
          {Kind::latency, tool_, place(pair), {{latency_bytes, above_0(times, "latency_us")}}, ranks});
      if (bandwidth_bytes == 0) continue;
      const double time_us = static_cast<double>(bandwidth_bytes) / above_0(times, "bandwidth_mb_s");
      result_.series.push_back({Kind::streaming, tool_, place(pair), {{bandwidth_bytes, time_us}}, ranks});
    }
  }

  const JsonValue& root_;
  const std::string& name_;
  std::string tool_;
  std::vector<std::pair<std::int64_t, RankPlace>> ranks_;
  Measurements result_;
};

std::string read_standard_input() {
  std::string content;
  char block[1 << 16];
  std::size_t n = 0;
  while ((n = std::fread(block, 1, sizeof block, stdin)) > 0 && content.size() <= kLargestText)
    content.append(block, n);
  if (std::ferror(stdin) != 0) throw InputError("stdin: cannot be read");
  return content;
}

}  // namespace

Measurements parse_measurements(std::string_view text, const std::string& name) {
  if (text.size() > kLargestText) throw InputError(fmt::format("{}: larger than {} MiB", name, kLargestText >> 20));
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) throw InputError(name + ": empty; expected the output of a benchmark");
  if (text.find('\0') != std::string_view::npos) {
    throw InputError(name + ": holds bytes of 0; expected text or JSON, not compressed");
  }
  if (text[first] != '{') return TextReader(text, name).read();
  Problems problems({name});
  const std::optional<JsonValue> root = read_json(text, 0, problems);
  if (!root || !problems.empty()) problems.raise();
  return DocumentReader(*root, name).read();
}

Measurements read_measurements(const std::string& path) {
  return path == "-" ? parse_measurements(read_standard_input(), "stdin") : parse_measurements(read_file(path), path);
}

}  // namespace headroom
