// Which pairs and nodes are slower than the others. Robust z scores against the median and the median absolute
// deviation, with floors: of few or equal measurements, too, only what is really worse is named.
//
// A node is as good as the better median over its pairs: one bad peer does not make it bad. So where a node is bad its
// pairs are not named one by one, and where a single pair is bad the pair is.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace headroom::mpi {

struct PairResult {
  int a = 0;
  int b = 0;
  int round = 0;
  double latency_us = 0;
  double bandwidth_mb_s = 0;
  bool retested = false;
  double alone_latency_us = 0;  // when retested: while no other pair was at work
  double alone_bandwidth_mb_s = 0;
};

struct NodeResult {
  int rank = 0;
  double latency_us = 0;
  double bandwidth_mb_s = 0;
  double latency_score = 0;  // robust z against the other nodes; positive is worse
  double bandwidth_score = 0;
};

// What makes a suspect: all that apply have to be true. The ratios are what AWS allows its own EFA baselines
// (aws-parallelcluster, integration test test_osu: latency + 30 %, bandwidth - 20 %).
struct Thresholds {
  double score = 5;
  double latency_ratio = 1.3;    // times the median, or more
  double bandwidth_ratio = 0.8;  // times the median, or less
  double latency_least_us = 2;   // over the median, or more: less is the operating system's noise
};

struct Suspect {
  bool is_node = false;
  int a = 0;  // of a pair
  int b = 0;
  int rank = 0;  // of a node
  double score = 0;
  std::string why;
};

std::vector<NodeResult> score_nodes(const std::vector<PairResult>& pairs, const std::vector<int>& participants);

// The first look; the worst first.
std::vector<Suspect> suspects_of(const std::vector<PairResult>& pairs, const std::vector<int>& participants,
                                 const Thresholds& thresholds);

// The pairs to measure again alone: the suspects and all pairs of suspected nodes, at most so many, as indices.
std::vector<std::size_t> pairs_to_retest(const std::vector<PairResult>& pairs, const std::vector<Suspect>& suspects,
                                         std::size_t most);

struct Verdict {
  std::vector<Suspect> suspects;  // still bad alone, or not measured again; pairs of bad nodes are not repeated
  std::vector<Suspect> cleared;   // bad only while others were at work
};

// The second look, after the retest: against the same medians as the first.
Verdict confirm(const std::vector<PairResult>& pairs, const std::vector<int>& participants,
                const std::vector<Suspect>& suspects, const Thresholds& thresholds);

}  // namespace headroom::mpi
