// Every host against every other: a round-robin tournament of disjoint pairs that measure at the same time. Whoever
// looks slow is measured again alone, so that a busy network is told from a bad node.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <mpi.h>

#include "mpi-tests/common/exchange.hpp"
#include "mpi-tests/common/json.hpp"
#include "mpi-tests/common/layout.hpp"
#include "mpi-tests/common/session.hpp"
#include "mpi-tests/common/statistics.hpp"
#include "mpi-tests/common/suspects.hpp"
#include "mpi-tests/common/tournament.hpp"

namespace headroom::mpi {
namespace {

struct Arguments {
  bool every_rank = false;
  std::int64_t latency_bytes = 8;
  std::int64_t bandwidth_bytes = std::int64_t{1} << 20;
  std::int64_t warmup = 10;
  std::int64_t iterations = 200;
  std::int64_t window = 16;
  std::int64_t windows = 10;
  double pair_seconds = 0.1;
  double time_limit_s = 600;
  std::int64_t max_retests = 200;
  Thresholds thresholds;
};

struct Measured {
  double latency_us = 0;
  double bandwidth_mb_s = 0;
  double errors = 0;
};

Measured measure(Session& session, int a, int b, const Arguments& arguments) {
  Exchange exchange(session, a, b);
  Effort effort{arguments.warmup, arguments.iterations, arguments.pair_seconds / 2};
  Measured measured;
  const Samples trips = exchange.ping_pong(arguments.latency_bytes, effort);
  effort.iterations = arguments.windows;
  const Samples windows = exchange.stream(arguments.bandwidth_bytes, arguments.window, effort);
  measured.errors = static_cast<double>(exchange.wrong_messages());
  if (!exchange.leads()) return measured;
  measured.latency_us = better_median(trips.seconds, Better::kLower) * 1e6 / 2;
  const double seconds = better_median(windows.seconds, Better::kLower);
  const double megabytes = static_cast<double>(arguments.bandwidth_bytes) * static_cast<double>(windows.window) / 1e6;
  measured.bandwidth_mb_s = seconds > 0 ? megabytes / seconds : 0;
  return measured;
}

// The ranks that play; known by their places in this list.
class Field {
 public:
  Field(Session& session, const Arguments& arguments) : session_(session), arguments_(arguments) {
    for (int rank = 0; rank < session.size(); ++rank) {
      if (arguments.every_rank || session.groups()[static_cast<std::size_t>(rank)] == rank) ranks_.push_back(rank);
    }
    MPI_Comm_split(MPI_COMM_WORLD, plays() ? 0 : MPI_UNDEFINED, session.rank(), &communicator_);
  }
  Field(const Field&) = delete;
  Field& operator=(const Field&) = delete;
  ~Field() {
    if (communicator_ != MPI_COMM_NULL) MPI_Comm_free(&communicator_);
  }

  const std::vector<int>& ranks() const { return ranks_; }
  bool plays() const { return std::binary_search(ranks_.begin(), ranks_.end(), session_.rank()); }
  int rank_at(int place) const { return ranks_[static_cast<std::size_t>(place)]; }

  // Rank 0's number on every rank that plays: rank 0 always does, as the lowest of its group.
  std::int64_t decide(std::int64_t number) {
    session_.watch().doing("the next round");
    MPI_Bcast(&number, 1, MPI_INT64_T, 0, communicator_);
    session_.watch().progress();
    return number;
  }

  // The given pairs of ranks measure at the same time. On rank 0: their results, by pair.
  std::vector<Measured> meet(const std::vector<std::pair<int, int>>& pairs) {
    session_.quiet_barrier(communicator_);
    Measured mine;
    for (const auto& [a, b] : pairs) {
      if (session_.rank() == a || session_.rank() == b) mine = measure(session_, a, b, arguments_);
    }
    session_.quiet_barrier(communicator_);
    const std::array<double, 3> out = {mine.latency_us, mine.bandwidth_mb_s, mine.errors};
    std::vector<double> all(session_.rank() == 0 ? 3 * ranks_.size() : 0);
    MPI_Gather(out.data(), 3, MPI_DOUBLE, all.data(), 3, MPI_DOUBLE, 0, communicator_);
    std::vector<Measured> results;
    if (session_.rank() != 0) return results;
    for (const auto& pair : pairs) {
      const auto place = std::lower_bound(ranks_.begin(), ranks_.end(), pair.first) - ranks_.begin();
      const auto at = 3 * static_cast<std::size_t>(place);
      results.push_back({all[at], all[at + 1], all[at + 2]});
    }
    return results;
  }

 private:
  Session& session_;
  const Arguments& arguments_;
  std::vector<int> ranks_;
  MPI_Comm communicator_ = MPI_COMM_NULL;
};

void write_suspects(JsonWriter& json, std::string_view name, const std::vector<Suspect>& suspects) {
  json.key(name).begin_array();
  for (const Suspect& suspect : suspects) {
    json.begin_object().member("kind", suspect.is_node ? "node" : "pair");
    if (suspect.is_node) {
      json.member("rank", suspect.rank);
    } else {
      json.member("a", suspect.a).member("b", suspect.b);
    }
    json.member("score", suspect.score).member("why", suspect.why).end_object();
  }
  json.end_array();
}

std::string described(const Session& session, const Suspect& suspect) {
  const std::string who = suspect.is_node ? "node " + session.describe(suspect.rank)
                                          : "pair " + session.describe(suspect.a) + " - " + session.describe(suspect.b);
  return who + ": " + suspect.why + "\n";
}

struct Tournament {
  std::vector<PairResult> pairs;
  std::vector<Suspect> first_look;
  Verdict verdict;
  double errors = 0;
  std::int64_t rounds = 0;
  std::int64_t rounds_left_out = 0;
};

// On every rank that plays; complete on rank 0.
Tournament play(Session& session, Field& field, const Arguments& arguments) {
  Tournament tournament;
  const std::vector<Round> rounds = round_robin(static_cast<int>(field.ranks().size()));
  for (std::size_t number = 0; number < rounds.size(); ++number) {
    if (field.decide(session.elapsed_s() < arguments.time_limit_s ? 1 : 0) == 0) {
      tournament.rounds_left_out = static_cast<std::int64_t>(rounds.size() - number);
      break;
    }
    std::vector<std::pair<int, int>> pairs;
    for (const auto& [a, b] : rounds[number]) pairs.emplace_back(field.rank_at(a), field.rank_at(b));
    const std::vector<Measured> results = field.meet(pairs);
    ++tournament.rounds;
    for (std::size_t i = 0; i < results.size(); ++i) {
      PairResult pair;
      pair.a = pairs[i].first;
      pair.b = pairs[i].second;
      pair.round = static_cast<int>(number);
      pair.latency_us = results[i].latency_us;
      pair.bandwidth_mb_s = results[i].bandwidth_mb_s;
      tournament.errors += results[i].errors;
      tournament.pairs.push_back(pair);
    }
  }

  std::vector<std::size_t> again;
  if (session.rank() == 0) {
    tournament.first_look = suspects_of(tournament.pairs, field.ranks(), arguments.thresholds);
    again = pairs_to_retest(tournament.pairs, tournament.first_look, static_cast<std::size_t>(arguments.max_retests));
  }
  for (std::size_t i = 0;; ++i) {
    // Two numbers, or the end: who is next.
    PairResult* pair = i < again.size() ? &tournament.pairs[again[i]] : nullptr;
    if (session.elapsed_s() >= arguments.time_limit_s) pair = nullptr;
    const std::int64_t a = field.decide(pair != nullptr ? pair->a : -1);
    if (a < 0) break;
    const std::int64_t b = field.decide(pair != nullptr ? pair->b : -1);
    const std::vector<Measured> results = field.meet({{static_cast<int>(a), static_cast<int>(b)}});
    if (pair == nullptr) continue;  // not rank 0
    pair->retested = true;
    pair->alone_latency_us = results[0].latency_us;
    pair->alone_bandwidth_mb_s = results[0].bandwidth_mb_s;
    tournament.errors += results[0].errors;
  }
  if (session.rank() == 0) {
    tournament.verdict = confirm(tournament.pairs, field.ranks(), tournament.first_look, arguments.thresholds);
  }
  return tournament;
}

Outcome report(const Session& session, const Field& field, const Tournament& tournament, const Arguments& arguments) {
  JsonWriter json;
  json.begin_object()
      .member("hosts", layout_of(session.boot_ids(), session.names()).hosts())
      .member("rounds", tournament.rounds)
      .key("participants")
      .begin_array();
  for (const int rank : field.ranks()) json.value(rank);
  json.end_array()
      .member("latency_bytes", arguments.latency_bytes)
      .member("bandwidth_bytes", arguments.bandwidth_bytes)
      .key("pairs")
      .begin_array();
  std::string text = "# Headroom MPI all pairs " HEADROOM_MPI_VERSION "; " +
                     std::string(arguments.every_rank ? "ranks: " : "hosts: ") + std::to_string(field.ranks().size()) +
                     ", rounds: " + std::to_string(tournament.rounds) + "\n" +
                     "# Rank     Rank      Latency (us)  Bandwidth (MB/s)\n";
  char line[128];
  for (const PairResult& pair : tournament.pairs) {
    json.begin_object()
        .member("a", pair.a)
        .member("b", pair.b)
        .member("round", pair.round)
        .member("latency_us", pair.latency_us)
        .member("bandwidth_mb_s", pair.bandwidth_mb_s)
        .member("retested", pair.retested);
    std::snprintf(line, sizeof line, "%-10d %-10d%11.2f%18.2f", pair.a, pair.b, pair.latency_us, pair.bandwidth_mb_s);
    text += line;
    if (pair.retested) {
      json.key("alone")
          .begin_object()
          .member("latency_us", pair.alone_latency_us)
          .member("bandwidth_mb_s", pair.alone_bandwidth_mb_s)
          .end_object();
      std::snprintf(line, sizeof line, "   # alone: %.2f us, %.2f MB/s", pair.alone_latency_us,
                    pair.alone_bandwidth_mb_s);
      text += line;
    }
    json.end_object();
    text += "\n";
  }
  json.end_array().key("nodes").begin_array();
  text += "# Rank       Latency (us)  Bandwidth (MB/s)\n";
  for (const NodeResult& node : score_nodes(tournament.pairs, field.ranks())) {
    json.begin_object()
        .member("rank", node.rank)
        .member("latency_us", node.latency_us)
        .member("bandwidth_mb_s", node.bandwidth_mb_s)
        .member("latency_score", node.latency_score)
        .member("bandwidth_score", node.bandwidth_score)
        .end_object();
    std::snprintf(line, sizeof line, "%-10d%15.2f%18.2f   # %s\n", node.rank, node.latency_us, node.bandwidth_mb_s,
                  session.names()[static_cast<std::size_t>(node.rank)].c_str());
    text += line;
  }
  json.end_array();
  write_suspects(json, "suspects", tournament.verdict.suspects);
  write_suspects(json, "cleared", tournament.verdict.cleared);
  json.member("errors", static_cast<std::int64_t>(tournament.errors));
  if (tournament.rounds_left_out > 0) {
    json.member("rounds_left_out", tournament.rounds_left_out);
    text += "# out of time: " + std::to_string(tournament.rounds_left_out) + " rounds are left out (--time-limit)\n";
  }
  json.end_object();
  for (const Suspect& suspect : tournament.verdict.suspects) text += "# SLOW " + described(session, suspect);
  for (const Suspect& suspect : tournament.verdict.cleared) text += "# cleared: " + described(session, suspect);
  if (tournament.errors > 0)
    text += "# WRONG MESSAGES: " + std::to_string(static_cast<std::int64_t>(tournament.errors)) + "\n";
  if (field.ranks().size() < 2) text += "# one host: nothing to compare (--every-rank lets all ranks play)\n";
  return {json.text(), text, false};
}

Outcome allpairs(Session& session, const Arguments& arguments) {
  Field field(session, arguments);
  Tournament tournament;
  if (field.plays()) tournament = play(session, field, arguments);
  session.quiet_barrier();
  if (session.rank() != 0) return {};
  return report(session, field, tournament, arguments);
}

}  // namespace
}  // namespace headroom::mpi

int main(int argc, char** argv) {
  using namespace headroom::mpi;
  Arguments arguments;
  Program program;
  program.name = "allpairs";
  program.purpose = "Latency and bandwidth of every pair of hosts, in rounds of disjoint pairs; names the slow ones.";
  program.declare = [&](Options& options) {
    constexpr std::int64_t kMost = std::int64_t{1} << 30;
    options.flag("every-rank", arguments.every_rank, "all ranks play, not one of each host");
    options.bytes("latency-bytes", arguments.latency_bytes, 0, kMost, "the message of the latency");
    options.bytes("bandwidth-bytes", arguments.bandwidth_bytes, 1, kMost, "the message of the bandwidth");
    options.count("warmup", arguments.warmup, 1, kMost, "round trips before each measurement, at most");
    options.count("iterations", arguments.iterations, 1, kMost, "round trips of each measurement, at most");
    options.count("window", arguments.window, 1, 4096, "messages under way at once, 64 MiB at most");
    options.count("windows", arguments.windows, 1, kMost, "windows of each measurement, at most");
    options.seconds("pair-seconds", arguments.pair_seconds, 0, "the time for one pair, which sets its iterations");
    options.seconds("time-limit", arguments.time_limit_s, 0, "begin no further round after so long");
    options.count("max-retests", arguments.max_retests, 0, kMost, "suspected pairs to measure again alone, at most");
    options.number("suspect-score", arguments.thresholds.score, 0, "slow: a robust z of this or more, together with");
    options.number("suspect-latency", arguments.thresholds.latency_ratio, 1,
                   "a latency of so many medians or more, and");
    options.number("suspect-us", arguments.thresholds.latency_least_us, 0,
                   "of so many us more than the median, or with");
    options.number("suspect-bandwidth", arguments.thresholds.bandwidth_ratio, 0,
                   "a bandwidth of so many medians or less");
  };
  program.body = [&](Session& session) { return allpairs(session, arguments); };
  return run(argc, argv, program);
}
