#include "models/validate/mpi_document.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "models/errors.hpp"
#include "models/scenario/document.hpp"

namespace headroom::validate {
namespace {

using Kind = JsonValue::Kind;

constexpr std::string_view kSchema = "headroom.mpi/1";
constexpr std::size_t kMostRanks = 1'000'000;

// A value with its path, and the problems found so far. Reads give something harmless when the value is not what is
// expected; the problems stop the document in the end.
class Reader {
 public:
  Reader(const JsonValue* value, std::string path, Problems& problems)
      : value_(value), path_(std::move(path)), problems_(&problems) {}

  bool there() const { return value_ != nullptr && value_->kind != Kind::null; }
  const JsonValue& value() const { return *value_; }

  Reader member(std::string_view key) const {
    const JsonValue* found = value_ != nullptr ? value_->find(key) : nullptr;
    Reader reader(found, path_.empty() ? std::string(key) : path_ + "." + std::string(key), *problems_);
    reader.around_ = value_;
    return reader;
  }

  void problem(std::string_view text) const {
    const JsonValue* at = value_ != nullptr ? value_ : around_;
    problems_->add(at != nullptr ? at->where : Where{}, path_, text);
  }

  bool is_object(bool required = true) const {
    if (!there()) return expected("an object", required);
    return value_->kind == Kind::object || expected("an object", true);
  }
  // Calls `each` with every element of a list.
  template <typename Each>
  void elements(bool required, Each each) const {
    if (!there()) {
      expected("a list", required);
      return;
    }
    if (value_->kind != Kind::array) {
      expected("a list", true);
      return;
    }
    for (std::size_t i = 0; i < value_->items.size() && !problems_->full(); ++i) {
      each(Reader(&value_->items[i], fmt::format("{}[{}]", path_, i), *problems_));
    }
  }
  // Calls `each` with the name and the value of every member.
  template <typename Each>
  void members(Each each) const {
    if (!is_object(false) || !there()) return;
    for (const JsonValue& item : value_->items) {
      if (problems_->full()) return;
      each(item.key, Reader(&item, path_ + "." + item.key, *problems_));
    }
  }
  std::string text(bool required = false) const {
    if (!there()) return expected("a text", required), std::string();
    if (value_->kind != Kind::string) return expected("a text", true), std::string();
    return value_->text;
  }
  std::optional<std::int64_t> whole(bool required = false, std::int64_t least = 0) const {
    if (!there()) return expected("a whole number", required), std::nullopt;
    if (value_->kind != Kind::integer || value_->integer < least) {
      return expected(fmt::format("a whole number from {}", least), true), std::nullopt;
    }
    return value_->integer;
  }
  double number(bool required = true) const {
    if (!there()) return expected("a number", required), 0;
    const bool is_number = value_->kind == Kind::integer || value_->kind == Kind::number;
    if (!is_number || !std::isfinite(value_->number) || value_->number < 0) {
      return expected("a number from 0", true), 0;
    }
    return value_->number;
  }
  std::optional<bool> truth() const {
    if (!there()) return std::nullopt;
    if (value_->kind != Kind::boolean) return expected("true or false", true), std::nullopt;
    return value_->truth;
  }
  std::size_t rank(std::size_t ranks) const {
    const std::int64_t number = whole(true).value_or(0);
    if (number >= static_cast<std::int64_t>(ranks)) {
      problem(fmt::format("rank {}: expected one of the document's {} ranks", number, ranks));
      return 0;
    }
    return static_cast<std::size_t>(number);
  }

 private:
  bool expected(std::string_view what, bool required) const {
    if (required) {
      problem(there() ? fmt::format("{}: expected {}", describe_found(*value_), what)
                      : fmt::format("missing: expected {}", what));
    }
    return false;
  }

  const JsonValue* value_;
  const JsonValue* around_ = nullptr;  // where to point when the value is missing
  std::string path_;
  Problems* problems_;
};

std::vector<std::string> texts(const Reader& list) {
  std::vector<std::string> result;
  list.elements(false, [&](const Reader& item) { result.push_back(item.text(true)); });
  return result;
}

Device read_device(const Reader& in) {
  Device device;
  if (!in.is_object()) return device;
  device.name = in.member("name").text(true);
  device.driver = in.member("driver").text();
  device.port = in.member("port").whole().value_or(1);
  in.member("counters").members([&](const std::string& name, const Reader& counter) {
    if (!counter.is_object()) return;
    const auto before = counter.member("before").whole(true);
    const auto after = counter.member("after").whole(true);
    if (before && after) device.counters.push_back({name, *before, *after});
  });
  return device;
}

Rank read_rank(const Reader& in, std::size_t expected) {
  Rank rank;
  if (!in.is_object()) return rank;
  if (const auto number = in.member("rank").whole(true); number && *number != static_cast<std::int64_t>(expected)) {
    in.member("rank").problem(fmt::format("{}: expected {}: ranks are listed in their order", *number, expected));
  }
  rank.host = in.member("host").text(true);
  rank.node = in.member("node").text();
  rank.boot_id = in.member("boot_id").text();
  rank.network_namespace = in.member("network_namespace").text();
  rank.shared_memory_group = in.member("shared_memory_group").whole();
  rank.instance_id = in.member("instance_id").text();
  rank.instance_type = in.member("instance_type").text();
  rank.availability_zone = in.member("availability_zone").text();
  rank.pid = in.member("pid").whole().value_or(0);
  rank.providers = texts(in.member("providers"));
  if (const Reader fabric = in.member("fabric"); fabric.there() && fabric.is_object()) {
    rank.fabric_known = fabric.member("open_devices").there();
    rank.open_devices = texts(fabric.member("open_devices"));
    rank.mapped_devices = texts(fabric.member("mapped_devices"));
    rank.mpi_components = texts(fabric.member("mpi_components"));
  }
  const Reader devices = in.member("devices");
  rank.devices_known = devices.there();
  devices.elements(false, [&](const Reader& device) { rank.devices.push_back(read_device(device)); });
  rank.sent_bytes = in.member("sent_bytes").whole();
  rank.received_bytes = in.member("received_bytes").whole();
  rank.sent_off_host_bytes = in.member("sent_bytes_off_host").whole();
  rank.received_off_host_bytes = in.member("received_bytes_off_host").whole();
  return rank;
}

SizeResult read_size(const Reader& in, bool with_latency) {
  SizeResult size;
  if (!in.is_object()) return size;
  size.bytes = in.member("bytes").whole(true).value_or(0);
  if (with_latency) {
    const Reader latency = in.member("latency_us");
    if (latency.is_object()) {
      size.p50_us = latency.member("p50").number();
      size.p99_us = latency.member("p99").number(false);
    }
  }
  size.bandwidth_mb_s = in.member("bandwidth_mb_s").number(!with_latency);
  return size;
}

void read_hello(const Reader& result, MpiDocument& document) {
  if (const Reader asked = result.member("asked"); asked.there() && asked.is_object()) {
    document.asked.hosts = asked.member("hosts").whole(false, 1);
    document.asked.per_host = asked.member("per_host").whole(false, 1);
  }
  document.layout_ok = result.member("layout_ok").truth();
  document.problems = texts(result.member("problems"));
  const Reader ranks = result.member("ranks");
  if (const auto count = ranks.whole(); count && *count != static_cast<std::int64_t>(document.ranks.size())) {
    ranks.problem(fmt::format("{}: expected {}, as many as \"ranks\" lists", *count, document.ranks.size()));
  }
}

void read_pingpong(const Reader& result, MpiDocument& document) {
  result.member("pairs").elements(true, [&](const Reader& in) {
    if (!in.is_object()) return;
    PairRun run;
    run.a = in.member("a").rank(document.ranks.size());
    run.b = in.member("b").rank(document.ranks.size());
    if (run.a == run.b) in.problem("a pair of one rank: expected two");
    run.errors = in.member("errors").whole(true).value_or(0);
    document.errors += run.errors;
    in.member("sizes").elements(true, [&](const Reader& size) { run.sizes.push_back(read_size(size, true)); });
    in.member("streaming").elements(false, [&](const Reader& size) {
      run.streaming.push_back(read_size(size, false));
    });
    document.pair_runs.push_back(std::move(run));
  });
}

void read_allpairs(const Reader& result, MpiDocument& document) {
  document.latency_bytes = result.member("latency_bytes").whole().value_or(8);
  document.bandwidth_bytes = result.member("bandwidth_bytes").whole().value_or(0);
  document.errors = result.member("errors").whole().value_or(0);
  std::set<std::pair<std::size_t, std::size_t>> seen;
  result.member("pairs").elements(true, [&](const Reader& in) {
    if (!in.is_object()) return;
    PairScore pair;
    pair.a = in.member("a").rank(document.ranks.size());
    pair.b = in.member("b").rank(document.ranks.size());
    if (pair.a == pair.b) in.problem("a pair of one rank: expected two");
    if (!seen.insert(std::minmax(pair.a, pair.b)).second) {
      in.problem(fmt::format("the pair of ranks {} and {} again: expected each once", pair.a, pair.b));
    }
    pair.latency_us = in.member("latency_us").number();
    pair.bandwidth_mb_s = in.member("bandwidth_mb_s").number(false);
    if (const Reader alone = in.member("alone"); alone.there() && alone.is_object()) {
      pair.alone = true;
      if (alone.member("latency_us").there()) pair.latency_us = alone.member("latency_us").number();
      if (alone.member("bandwidth_mb_s").there()) pair.bandwidth_mb_s = alone.member("bandwidth_mb_s").number();
    }
    document.pairs.push_back(pair);
  });
  result.member("suspects").elements(false, [&](const Reader& in) {
    if (!in.is_object()) return;
    const bool is_pair = in.member("kind").text(true) == "pair";
    const std::string why = in.member("why").text();
    if (is_pair) {
      document.suspicions.push_back(
          fmt::format("{} - {}: {}", document.ranks[in.member("a").rank(document.ranks.size())].claimed_host(),
                      document.ranks[in.member("b").rank(document.ranks.size())].claimed_host(), why));
    } else {
      document.suspicions.push_back(
          fmt::format("{}: {}", document.ranks[in.member("rank").rank(document.ranks.size())].claimed_host(), why));
    }
  });
}

void read_allreduce(const Reader& result, MpiDocument& document) {
  document.errors = result.member("errors").whole(true).value_or(0);
  result.member("sizes").elements(true,
                                  [&](const Reader& size) { document.collective.push_back(read_size(size, true)); });
}

MpiDocument read_document(std::string_view text, const std::string& source) {
  Problems problems({source});
  const std::optional<JsonValue> root = read_json(text, 0, problems);
  if (!root) problems.raise();
  MpiDocument document;
  document.source = source;
  const Reader in(&*root, "", problems);
  if (!in.is_object()) problems.raise();
  const std::string schema = in.member("schema").text(true);
  if (schema != kSchema) {
    // Everything else would be a consequence.
    if (problems.empty()) in.member("schema").problem(fmt::format("{}: expected \"{}\"", quote(schema), kSchema));
    problems.raise();
  }
  document.test = in.member("test").text(true);
  document.started_utc = in.member("started_utc").text();
  document.fault = in.member("test_fault").text();
  document.elapsed_s = in.member("elapsed_s").number(false);
  if (const Reader mpi = in.member("mpi"); mpi.there() && mpi.is_object()) {
    document.vendor = mpi.member("vendor").text();
    document.library = mpi.member("library").text();
  }
  in.member("ranks").elements(true, [&](const Reader& rank) {
    if (document.ranks.size() < kMostRanks) document.ranks.push_back(read_rank(rank, document.ranks.size()));
  });
  if (document.ranks.empty() && problems.empty()) in.member("ranks").problem("no rank: expected at least one");
  if (!problems.empty()) problems.raise();  // pairs name ranks

  const Reader result = in.member("result");
  if (result.is_object()) {
    if (document.test == "hello") {
      read_hello(result, document);
    } else if (document.test == "pingpong") {
      read_pingpong(result, document);
    } else if (document.test == "allpairs") {
      read_allpairs(result, document);
    } else if (document.test == "allreduce") {
      read_allreduce(result, document);
    } else {
      in.member("test").problem(
          fmt::format("{}: expected hello, pingpong, allpairs or allreduce", quote(document.test)));
    }
  }
  if (!problems.empty()) problems.raise();
  return document;
}

// Where the JSON object that begins at `begin` ends; npos when it is cut.
std::size_t end_of_object(std::string_view text, std::size_t begin) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

}  // namespace

const Counter* Device::find(std::string_view counter) const {
  const auto found =
      std::find_if(counters.begin(), counters.end(), [&](const Counter& c) { return c.name == counter; });
  return found != counters.end() ? &*found : nullptr;
}

ProgramOutput read_program_output(std::string_view text, const std::string& source) {
  ProgramOutput output;
  std::size_t begin = text.starts_with("{") ? 0 : std::string_view::npos;
  if (begin != 0) {
    if (const std::size_t at = text.find("\n{"); at != std::string_view::npos) begin = at + 1;
  }
  if (begin == std::string_view::npos) {
    output.rest = std::string(text);
    return output;
  }
  const std::size_t end = std::min(end_of_object(text, begin), text.size());
  // Lines before the document become blank ones, so that messages name the file's lines.
  std::string document(
      static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(begin), '\n')),
      '\n');
  document += text.substr(begin, end - begin);
  output.document = read_document(document, source);
  output.rest = std::string(text.substr(0, begin)) + std::string(text.substr(end));
  return output;
}

}  // namespace headroom::validate
