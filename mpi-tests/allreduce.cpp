// The latency of MPI_Allreduce over all ranks, by message size. The result is checked.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <mpi.h>

#include "mpi-tests/common/json.hpp"
#include "mpi-tests/common/session.hpp"
#include "mpi-tests/common/statistics.hpp"
#include "mpi-tests/common/table.hpp"

namespace headroom::mpi {
namespace {

struct Arguments {
  std::int64_t min_bytes = 8;
  std::int64_t max_bytes = std::int64_t{1} << 20;
  std::int64_t warmup = 10;
  std::int64_t iterations = 1000;
  double size_seconds = 0.15;
  double time_limit_s = 120;
};

constexpr std::uint64_t kStep = 0x9E3779B97F4A7C15;

std::vector<std::int64_t> sizes_from(const Arguments& arguments) {
  std::vector<std::int64_t> sizes;
  for (std::int64_t bytes = sizeof(std::uint64_t); bytes <= arguments.max_bytes; bytes *= 2) {
    if (bytes >= arguments.min_bytes) sizes.push_back(bytes);
  }
  return sizes;
}

// One size after the other; sums of 64-bit numbers, whose results are exact.
class Reduction {
 public:
  explicit Reduction(Session& session) : session_(session) {
    const auto& groups = session.groups();
    off_host_ = session.groups_count() > 1;
    leads_ = groups[static_cast<std::size_t>(session.rank())] == session.rank();
  }

  // Seconds of each iteration, on this rank.
  std::vector<double> run(std::int64_t bytes, std::int64_t count) {
    const std::size_t length = static_cast<std::size_t>(bytes) / sizeof(std::uint64_t);
    const auto me = static_cast<std::uint64_t>(session_.rank());
    const auto ranks = static_cast<std::uint64_t>(session_.size());
    std::vector<std::uint64_t> in(length);
    std::vector<std::uint64_t> out(length);
    std::vector<double> seconds;
    session_.watch().doing("allreduce of " + std::to_string(bytes) + " bytes");
    for (std::int64_t i = 0; i < count; ++i, ++iteration_) {
      const std::uint64_t base = static_cast<std::uint64_t>(iteration_) * kStep;
      for (std::size_t k = 0; k < length; ++k) in[k] = base + k + me * kStep;
      if (session_.faults().corrupts(session_.rank(), iteration_)) ++in[length / 2];
      std::fill(out.begin(), out.end(), 0);
      MPI_Barrier(MPI_COMM_WORLD);
      const double start = MPI_Wtime();
      delay();
      MPI_Allreduce(in.data(), out.data(), static_cast<int>(length), MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
      seconds.push_back(MPI_Wtime() - start);
      session_.watch().progress();
      count_traffic(bytes);
      // The sum over r of base + k + r * step, modulo 2^64.
      for (std::size_t k = 0; k < length; ++k) {
        if (out[k] == ranks * (base + k) + ranks * (ranks - 1) / 2 * kStep) continue;
        session_.report_wrong("the sum of " + std::to_string(bytes) + " bytes is wrong from number " +
                              std::to_string(k) + " on");
        break;
      }
    }
    return seconds;
  }

 private:
  void delay() const {
    for (int other = 0; other < session_.size(); ++other) {
      if (other != session_.rank()) session_.delay(other);
    }
  }

  // Nobody else sees what MPI sends inside. Whatever it does, every rank's numbers have to leave it once and the sum
  // has to arrive; the same for every host, which is counted for its first rank.
  void count_traffic(std::int64_t bytes) {
    if (session_.size() < 2) return;
    session_.traffic().sent += bytes;
    session_.traffic().received += bytes;
    if (!off_host_ || !leads_) return;
    session_.traffic().sent_off_host += bytes;
    session_.traffic().received_off_host += bytes;
  }

  Session& session_;
  bool off_host_ = false;
  bool leads_ = false;
  std::int64_t iteration_ = 0;
};

Outcome allreduce(Session& session, const Arguments& arguments) {
  Reduction reduction(session);
  JsonWriter sizes;
  sizes.begin_array();
  std::string text = "# Headroom MPI allreduce " HEADROOM_MPI_VERSION ": " + std::to_string(session.size()) +
                     " ranks, median of the mean over ranks\n" + heading("Size", "Latency (us)");
  std::vector<std::int64_t> left_out;
  double last_cost_s = 0;
  bool time_left = true;
  for (const std::int64_t bytes : sizes_from(arguments)) {
    // Rank 0 decides; what it measures in one trial tells how many iterations there is time for.
    const auto decide = [&](std::int64_t count) {
      MPI_Bcast(&count, 1, MPI_INT64_T, 0, MPI_COMM_WORLD);
      return count;
    };
    const auto affordable = [&](double seconds, std::int64_t most) {
      const double count = seconds / std::max(last_cost_s, 1e-9);
      return count < static_cast<double>(most) ? std::max(static_cast<std::int64_t>(count), std::int64_t{0}) : most;
    };
    const auto timed = [&](std::int64_t count) {
      const double start = MPI_Wtime();
      std::vector<double> seconds = reduction.run(bytes, count);
      last_cost_s = (MPI_Wtime() - start) / static_cast<double>(count);
      return seconds;
    };
    const double left_s = arguments.time_limit_s - session.elapsed_s();
    time_left = time_left && decide(left_s > 4 * last_cost_s ? 1 : 0) != 0;
    if (!time_left) {
      left_out.push_back(bytes);
      continue;
    }
    const double aim_s = std::clamp(left_s, 0.0, arguments.size_seconds);
    timed(1);
    const std::int64_t warmup = decide(affordable(aim_s / 4, arguments.warmup - 1));
    if (warmup > 0) timed(warmup);
    const std::int64_t count = decide(std::max(affordable(aim_s, arguments.iterations), std::int64_t{1}));
    std::vector<double> seconds = timed(count);
    // As OSU does: an iteration takes what it takes the average rank.
    std::vector<double> sums(seconds.size());
    MPI_Reduce(seconds.data(), sums.data(), static_cast<int>(seconds.size()), MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    for (double& sum : sums) sum *= 1e6 / session.size();
    const Distribution latency = distribution_of(sums);
    sizes.begin_object()
        .member("bytes", bytes)
        .member("iterations", count)
        .member("messages", 1 + std::max(warmup, std::int64_t{0}) + count)
        .key("latency_us");
    write(sizes, latency);
    sizes.end_object();
    text += row(bytes, latency.p50);
  }
  sizes.end_array();
  std::int64_t errors = session.wrong_messages();
  MPI_Allreduce(MPI_IN_PLACE, &errors, 1, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD);

  JsonWriter json;
  json.begin_object().member("ranks", session.size()).raw_member("sizes", sizes.text()).member("errors", errors);
  if (!left_out.empty()) {
    json.key("sizes_left_out").begin_array();
    for (const std::int64_t bytes : left_out) json.value(bytes);
    json.end_array();
    text += "# out of time: some sizes are left out (--time-limit)\n";
  }
  json.end_object();
  if (errors > 0) text += "# WRONG RESULTS: " + std::to_string(errors) + "\n";
  return {json.text(), text, false};
}

}  // namespace
}  // namespace headroom::mpi

int main(int argc, char** argv) {
  using namespace headroom::mpi;
  Arguments arguments;
  Program program;
  program.name = "allreduce";
  program.purpose = "The latency of MPI_Allreduce (sums of 64-bit numbers) over all ranks. Every result is checked.";
  program.declare = [&](Options& options) {
    constexpr std::int64_t kMost = std::int64_t{1} << 30;
    options.bytes("min-bytes", arguments.min_bytes, 8, kMost, "the smallest message");
    options.bytes("max-bytes", arguments.max_bytes, 8, kMost, "the largest message");
    options.count("warmup", arguments.warmup, 1, kMost, "reductions before each measurement, at most");
    options.count("iterations", arguments.iterations, 1, kMost, "reductions of each measurement, at most");
    options.seconds("size-seconds", arguments.size_seconds, 0, "the time for one size, which sets its iterations");
    options.seconds("time-limit", arguments.time_limit_s, 0, "begin no further size after so long");
  };
  program.check = [&](int) {
    if (arguments.min_bytes > arguments.max_bytes) throw UsageError("--min-bytes is more than --max-bytes");
    if (sizes_from(arguments).empty()) throw UsageError("no power of two between --min-bytes and --max-bytes");
  };
  program.body = [&](Session& session) { return allreduce(session, arguments); };
  return run(argc, argv, program);
}
