// Latency, bandwidth and streaming bandwidth between two ranks, over message sizes; one pair after the other.
#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <mpi.h>

#include "mpi-tests/common/exchange.hpp"
#include "mpi-tests/common/json.hpp"
#include "mpi-tests/common/session.hpp"
#include "mpi-tests/common/statistics.hpp"
#include "mpi-tests/common/table.hpp"

namespace headroom::mpi {
namespace {

struct Arguments {
  std::string pairs = "ends";
  std::int64_t min_bytes = 0;
  std::int64_t max_bytes = std::int64_t{64} << 20;
  std::int64_t warmup = 10;
  std::int64_t iterations = 1000;
  std::int64_t window = 64;
  std::int64_t windows = 50;
  double size_seconds = 0.2;
  double time_limit_s = 60;
  bool no_streaming = false;
};

using Pair = std::pair<int, int>;

// "ends", "all-with-0", or ranks as in 0-3,1-2. Throws UsageError.
std::vector<Pair> pairs_from(const std::string& text, int ranks) {
  std::vector<Pair> pairs;
  if (text == "ends") return {{0, ranks - 1}};
  if (text == "all-with-0") {
    for (int rank = 1; rank < ranks; ++rank) pairs.emplace_back(0, rank);
    return pairs;
  }
  const auto wrong = [&](const std::string& why) {
    return UsageError("--pairs: found \"" + text + "\", expected ends, all-with-0 or ranks as in 0-3,1-2" + why);
  };
  const auto take = [&](std::string_view& rest) {
    int rank = -1;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), rank);
    if (error != std::errc() || rank < 0) throw wrong("");
    rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
    if (rank >= ranks) throw wrong("; there are " + std::to_string(ranks) + " ranks, from 0 on");
    return rank;
  };
  std::string_view rest = text;
  while (true) {
    const int a = take(rest);
    if (rest.empty() || rest.front() != '-') throw wrong("");
    rest.remove_prefix(1);
    const int b = take(rest);
    if (a == b) throw wrong("; a rank has no pair with itself");
    pairs.emplace_back(a, b);
    if (rest.empty()) return pairs;
    if (rest.front() != ',') throw wrong("");
    rest.remove_prefix(1);
  }
}

std::vector<std::int64_t> sizes_from(const Arguments& arguments) {
  std::vector<std::int64_t> sizes;
  if (arguments.min_bytes == 0) sizes.push_back(0);
  for (std::int64_t bytes = 1; bytes <= arguments.max_bytes; bytes *= 2) {
    if (bytes >= arguments.min_bytes) sizes.push_back(bytes);
  }
  return sizes;
}

struct Report {
  std::string json;
  std::string text;
};

// Goes over the sizes until the time is up. Whether there is time for the next one is judged by the last: a size twice
// as large takes up to twice as long.
class Pass {
 public:
  Pass(Exchange& exchange, double limit_s) : exchange_(exchange), end_s_(MPI_Wtime() + limit_s) {}

  bool next(std::int64_t bytes) {
    const double growth =
        last_bytes_ > 0 ? std::max(1.0, static_cast<double>(bytes) / static_cast<double>(last_bytes_)) : 1.0;
    const bool go_on = MPI_Wtime() + 2 * growth * exchange_.last_cost_s() <= end_s_;
    last_bytes_ = bytes;
    return exchange_.agree(go_on);
  }

  // What is left for one size.
  Effort effort(const Arguments& arguments, std::int64_t iterations) const {
    Effort effort;
    effort.warmup = arguments.warmup;
    effort.iterations = iterations;
    effort.seconds = std::clamp(end_s_ - MPI_Wtime(), 0.0, arguments.size_seconds);
    return effort;
  }

 private:
  Exchange& exchange_;
  double end_s_;
  std::int64_t last_bytes_ = 0;
};

Report measure(Session& session, const Pair& pair, const Arguments& arguments) {
  const auto [a, b] = pair;
  Exchange exchange(session, a, b);
  JsonWriter sizes;
  JsonWriter streaming;
  sizes.begin_array();
  streaming.begin_array();
  std::string text = "# " + session.describe(a) + " and " + session.describe(b) + ": median one-way latency\n" +
                     heading("Size", "Latency (us)");
  std::vector<std::int64_t> left_out;

  const double limit_s = arguments.no_streaming ? arguments.time_limit_s : arguments.time_limit_s * 0.7;
  Pass latencies(exchange, limit_s);
  bool time_left = true;
  for (const std::int64_t bytes : sizes_from(arguments)) {
    time_left = time_left && latencies.next(bytes);
    if (!time_left) {
      left_out.push_back(bytes);
      continue;
    }
    const Samples samples = exchange.ping_pong(bytes, latencies.effort(arguments, arguments.iterations));
    if (!exchange.leads()) continue;
    std::vector<double> one_way_us;
    one_way_us.reserve(samples.seconds.size());
    for (const double seconds : samples.seconds) one_way_us.push_back(seconds * 1e6 / 2);
    const Distribution latency = distribution_of(std::move(one_way_us));
    sizes.begin_object()
        .member("bytes", bytes)
        .member("iterations", samples.seconds.size())
        .member("messages", samples.messages)
        .key("latency_us");
    write(sizes, latency);
    // Bytes a microsecond are MB/s.
    sizes.member("bandwidth_mb_s", latency.p50 > 0 ? static_cast<double>(bytes) / latency.p50 : 0.0).end_object();
    text += row(bytes, latency.p50);
  }
  sizes.end_array();

  if (!arguments.no_streaming) {
    text += "# " + session.describe(a) + " to " + session.describe(b) + ": median streaming bandwidth\n" +
            heading("Size", "Bandwidth (MB/s)");
    Pass windows(exchange, arguments.time_limit_s * 0.3);
    time_left = true;
    for (const std::int64_t bytes : sizes_from(arguments)) {
      if (bytes == 0) continue;
      time_left = time_left && windows.next(bytes);
      if (!time_left) {
        left_out.push_back(bytes);
        continue;
      }
      const Samples samples = exchange.stream(bytes, arguments.window, windows.effort(arguments, arguments.windows));
      if (!exchange.leads()) continue;
      const double seconds = distribution_of(samples.seconds).p50;
      const double megabytes = static_cast<double>(bytes) * static_cast<double>(samples.window) / 1e6;
      const double bandwidth = seconds > 0 ? megabytes / seconds : 0;
      streaming.begin_object()
          .member("bytes", bytes)
          .member("window", samples.window)
          .member("iterations", samples.seconds.size())
          .member("messages", samples.messages)
          .member("bandwidth_mb_s", bandwidth)
          .end_object();
      text += row(bytes, bandwidth);
    }
  }
  streaming.end_array();
  const std::int64_t errors = exchange.wrong_messages();
  if (!exchange.leads()) return {};

  JsonWriter json;
  json.begin_object().member("a", a).member("b", b).member("warmup", arguments.warmup).member("errors", errors);
  json.raw_member("sizes", sizes.text()).raw_member("streaming", streaming.text());
  if (!left_out.empty()) {
    json.key("sizes_left_out").begin_array();
    for (const std::int64_t bytes : left_out) json.value(bytes);
    json.end_array();
    text += "# out of time: some sizes are left out (--time-limit)\n";
  }
  json.end_object();
  if (errors > 0) text += "# WRONG MESSAGES: " + std::to_string(errors) + "\n";
  return {json.text(), text};
}

Outcome pingpong(Session& session, const Arguments& arguments) {
  JsonWriter pairs;
  std::string text = "# Headroom MPI ping-pong " HEADROOM_MPI_VERSION "\n";
  pairs.begin_array();
  for (const Pair& pair : pairs_from(arguments.pairs, session.size())) {
    Report report;
    if (session.rank() == pair.first || session.rank() == pair.second) report = measure(session, pair, arguments);
    session.quiet_barrier();
    const std::vector<std::string> jsons = session.collect(report.json);
    const std::vector<std::string> texts = session.collect(report.text);
    if (session.rank() != 0) continue;
    pairs.raw(jsons[static_cast<std::size_t>(pair.first)]);
    text += texts[static_cast<std::size_t>(pair.first)];
  }
  pairs.end_array();
  JsonWriter json;
  json.begin_object().raw_member("pairs", pairs.text()).end_object();
  return {json.text(), text, false};
}

}  // namespace
}  // namespace headroom::mpi

int main(int argc, char** argv) {
  using namespace headroom::mpi;
  Arguments arguments;
  Program program;
  program.name = "pingpong";
  program.purpose =
      "Latency, bandwidth and streaming bandwidth between two ranks over message sizes. Every message is checked.";
  program.least_ranks = 2;
  program.declare = [&](Options& options) {
    constexpr std::int64_t kMost = std::int64_t{1} << 30;
    options.text("pairs", "PAIRS", arguments.pairs, "ends (rank 0 and the last), all-with-0, or ranks as in 0-3,1-2");
    options.bytes("min-bytes", arguments.min_bytes, 0, kMost, "the smallest message");
    options.bytes("max-bytes", arguments.max_bytes, 0, kMost, "the largest message");
    options.count("warmup", arguments.warmup, 1, kMost, "round trips before each measurement, at most");
    options.count("iterations", arguments.iterations, 1, kMost, "round trips of each measurement, at most");
    options.count("window", arguments.window, 1, 4096, "messages under way at once when streaming, 64 MiB at most");
    options.count("windows", arguments.windows, 1, kMost, "windows of each streaming measurement, at most");
    options.seconds("size-seconds", arguments.size_seconds, 0, "the time for one size, which sets its iterations");
    options.seconds("time-limit", arguments.time_limit_s, 0, "begin no further size after so long; for each pair");
    options.flag("no-streaming", arguments.no_streaming, "latencies only");
  };
  program.check = [&](int ranks) {
    if (arguments.min_bytes > arguments.max_bytes) throw UsageError("--min-bytes is more than --max-bytes");
    if (sizes_from(arguments).empty()) throw UsageError("no power of two between --min-bytes and --max-bytes");
    pairs_from(arguments.pairs, ranks);
  };
  program.body = [&](Session& session) { return pingpong(session, arguments); };
  return run(argc, argv, program);
}
