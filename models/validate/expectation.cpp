#include "models/validate/expectation.hpp"

#include <algorithm>
#include <array>

namespace headroom::validate {
namespace {

struct Row {
  std::string_view type;
  Transport transport;
  std::string_view mpi;
  double latency_us;   // 0: not published
  double transfer_us;  // one-way time of 1 MiB; 0: not published
  std::string_view source;
};

// Medians or means of published runs; of several operating systems the one in the middle. Rows of one type: the first
// is taken for an MPI that has no row.
constexpr auto kRows = std::to_array<Row>({
    {"c5n.18xlarge", Transport::efa, "openmpi", 17.2, 440,
     "aws-parallelcluster test_osu baseline, OSU 5.7.1, Amazon Linux 2, Open MPI"},
    {"c5n.18xlarge", Transport::efa, "intelmpi", 22.3, 556,
     "aws-parallelcluster test_osu baseline, OSU 5.7.1, Amazon Linux 2, Intel MPI (the one of seven that is not shared "
     "memory)"},
    {"hpc6a.48xlarge", Transport::efa, "openmpi", 15.7, 264,
     "converged-computing performance-study 2024, 243 host pairs in cluster placement groups, Open MPI 4: the centre "
     "of the "
     "slower of the two modes (further apart in the network tree)"},
    {"hpc6a.48xlarge", Transport::efa, "intelmpi", 10.4, 0, "aws-parallelcluster issue 6449, a user's Intel MPI"},
    {"p3dn.24xlarge", Transport::efa, "openmpi", 22.2, 454,
     "converged-computing performance-study 2024, EKS, 16 nodes (18.9 to 39 us seen)"},
    {"p5.48xlarge", Transport::efa, "openmpi", 20.4, 561,
     "aws-parallelcluster test_osu baseline, OSU 5.7.1, Amazon Linux 2, Open MPI"},
    {"p5en.48xlarge", Transport::efa, "openmpi", 12.5, 0, "aws-parallelcluster test_osu baseline"},
    {"p6-b200.48xlarge", Transport::efa, "openmpi", 7.1, 0, "aws-parallelcluster test_osu baseline"},
    {"c5n.18xlarge", Transport::tcp, "intelmpi", 34.9, 620,
     "aws-mpi-benchmark (3d6207f, 2020-01), Intel MPI 2019.4 over TCP, mean of 10 runs (30.6 to 39.7 us seen)"},
});

}  // namespace

double Expectation::latency_limit_us() const { return *latency_us + std::max(0.3 * *latency_us, 10.0); }

double Expectation::bandwidth_limit_mb_s() const { return 0.8 * *bandwidth_mb_s; }

std::optional<Expectation> find_expectation(std::string_view instance_type, Transport transport, std::string_view mpi) {
  const Row* best = nullptr;
  for (const Row& row : kRows) {
    if (row.type != instance_type || row.transport != transport) continue;
    if (best == nullptr || (best->mpi != mpi && row.mpi == mpi)) best = &row;
  }
  if (best == nullptr) return std::nullopt;
  Expectation expectation;
  if (best->latency_us > 0) expectation.latency_us = best->latency_us;
  if (best->transfer_us > 0) expectation.bandwidth_mb_s = kExpectationBytes / best->transfer_us;
  expectation.source = std::string(best->source);
  return expectation;
}

std::string expected_types(Transport transport) {
  std::string types;
  std::string_view last;
  for (const Row& row : kRows) {
    if (row.transport != transport || row.type == last) continue;
    last = row.type;
    if (!types.empty()) types += ", ";
    types += row.type;
  }
  return types;
}

}  // namespace headroom::validate
