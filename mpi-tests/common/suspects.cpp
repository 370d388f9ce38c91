#include "mpi-tests/common/suspects.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <utility>

#include "mpi-tests/common/statistics.hpp"

namespace headroom::mpi {

namespace {

struct Values {
  double latency_us = 0;
  double bandwidth_mb_s = 0;
};

Values together(const PairResult& pair) { return {pair.latency_us, pair.bandwidth_mb_s}; }

Values alone_if_known(const PairResult& pair) {
  return pair.retested ? Values{pair.alone_latency_us, pair.alone_bandwidth_mb_s} : together(pair);
}

struct Centres {
  Centre latency;
  Centre bandwidth;
};

Centres centres_of(const std::vector<Values>& values) {
  std::vector<double> latencies;
  std::vector<double> bandwidths;
  for (const Values& value : values) {
    latencies.push_back(value.latency_us);
    bandwidths.push_back(value.bandwidth_mb_s);
  }
  return {centre_of(latencies, Better::kLower), centre_of(bandwidths, Better::kHigher)};
}

// By place in `participants`: the better medians over each one's pairs.
std::vector<Values> values_of_nodes(const std::vector<PairResult>& pairs, const std::vector<int>& participants,
                                    Values (*value_of)(const PairResult&)) {
  std::map<int, std::pair<std::vector<double>, std::vector<double>>> of_rank;
  for (const PairResult& pair : pairs) {
    for (const int rank : {pair.a, pair.b}) {
      of_rank[rank].first.push_back(value_of(pair).latency_us);
      of_rank[rank].second.push_back(value_of(pair).bandwidth_mb_s);
    }
  }
  std::vector<Values> values;
  for (const int rank : participants) {
    const auto& [latencies, bandwidths] = of_rank[rank];
    values.push_back({better_median(latencies, Better::kLower), better_median(bandwidths, Better::kHigher)});
  }
  return values;
}

std::vector<Values> values_of_pairs(const std::vector<PairResult>& pairs) {
  std::vector<Values> values;
  for (const PairResult& pair : pairs) values.push_back(together(pair));
  return values;
}

struct Finding {
  bool bad = false;
  double score = 0;
  std::string why;
};

Finding judge(const Values& value, const Centres& centres, const Thresholds& thresholds) {
  Finding finding;
  char text[160];
  const double latency_score = score(value.latency_us, centres.latency, Better::kLower);
  if (latency_score >= thresholds.score && value.latency_us >= thresholds.latency_ratio * centres.latency.median &&
      value.latency_us >= centres.latency.median + thresholds.latency_least_us) {
    finding.bad = true;
    finding.score = latency_score;
    std::snprintf(text, sizeof text, "latency %.1f times the median (%.2f us, median %.2f us), robust z %.1f",
                  value.latency_us / centres.latency.median, value.latency_us, centres.latency.median, latency_score);
    finding.why = text;
  }
  const double bandwidth_score = score(value.bandwidth_mb_s, centres.bandwidth, Better::kHigher);
  if (bandwidth_score >= thresholds.score &&
      value.bandwidth_mb_s <= thresholds.bandwidth_ratio * centres.bandwidth.median) {
    finding.bad = true;
    finding.score = std::max(finding.score, bandwidth_score);
    std::snprintf(text, sizeof text, "bandwidth %.2f of the median (%.1f MB/s, median %.1f MB/s), robust z %.1f",
                  value.bandwidth_mb_s / centres.bandwidth.median, value.bandwidth_mb_s, centres.bandwidth.median,
                  bandwidth_score);
    finding.why += (finding.why.empty() ? "" : "; ") + std::string(text);
  }
  return finding;
}

std::string shown_alone(const Values& value, const Centres& centres) {
  char text[120];
  std::snprintf(text, sizeof text, "; alone latency %.1f and bandwidth %.2f times the median",
                centres.latency.median > 0 ? value.latency_us / centres.latency.median : 0.0,
                centres.bandwidth.median > 0 ? value.bandwidth_mb_s / centres.bandwidth.median : 0.0);
  return text;
}

}  // namespace

std::vector<NodeResult> score_nodes(const std::vector<PairResult>& pairs, const std::vector<int>& participants) {
  const std::vector<Values> values = values_of_nodes(pairs, participants, together);
  const Centres centres = centres_of(values);
  std::vector<NodeResult> nodes;
  for (std::size_t i = 0; i < participants.size(); ++i) {
    nodes.push_back({participants[i], values[i].latency_us, values[i].bandwidth_mb_s,
                     score(values[i].latency_us, centres.latency, Better::kLower),
                     score(values[i].bandwidth_mb_s, centres.bandwidth, Better::kHigher)});
  }
  return nodes;
}

std::vector<Suspect> suspects_of(const std::vector<PairResult>& pairs, const std::vector<int>& participants,
                                 const Thresholds& thresholds) {
  std::vector<Suspect> suspects;
  // Of two nodes neither is worse than the other.
  if (pairs.size() < 2) return suspects;
  const std::vector<Values> nodes = values_of_nodes(pairs, participants, together);
  const Centres of_nodes = centres_of(nodes);
  for (std::size_t i = 0; i < participants.size(); ++i) {
    const Finding finding = judge(nodes[i], of_nodes, thresholds);
    if (finding.bad) suspects.push_back({true, 0, 0, participants[i], finding.score, finding.why});
  }
  const Centres of_pairs = centres_of(values_of_pairs(pairs));
  for (const PairResult& pair : pairs) {
    const Finding finding = judge(together(pair), of_pairs, thresholds);
    if (finding.bad) suspects.push_back({false, pair.a, pair.b, pair.a, finding.score, finding.why});
  }
  std::stable_sort(suspects.begin(), suspects.end(), [](const Suspect& one, const Suspect& other) {
    return one.is_node != other.is_node ? one.is_node : one.score > other.score;
  });
  return suspects;
}

std::vector<std::size_t> pairs_to_retest(const std::vector<PairResult>& pairs, const std::vector<Suspect>& suspects,
                                         std::size_t most) {
  std::vector<std::size_t> chosen;
  std::set<std::size_t> known;
  for (const Suspect& suspect : suspects) {
    for (std::size_t i = 0; i < pairs.size() && chosen.size() < most; ++i) {
      const PairResult& pair = pairs[i];
      const bool concerned = suspect.is_node ? pair.a == suspect.rank || pair.b == suspect.rank
                                             : pair.a == suspect.a && pair.b == suspect.b;
      if (concerned && known.insert(i).second) chosen.push_back(i);
    }
  }
  return chosen;
}

Verdict confirm(const std::vector<PairResult>& pairs, const std::vector<int>& participants,
                const std::vector<Suspect>& suspects, const Thresholds& thresholds) {
  Verdict verdict;
  const Centres of_nodes = centres_of(values_of_nodes(pairs, participants, together));
  const Centres of_pairs = centres_of(values_of_pairs(pairs));
  const std::vector<Values> nodes_now = values_of_nodes(pairs, participants, alone_if_known);
  std::map<std::pair<int, int>, const PairResult*> pair_of;
  std::set<int> retested;
  for (const PairResult& pair : pairs) {
    pair_of[{pair.a, pair.b}] = &pair;
    if (pair.retested) retested.insert({pair.a, pair.b});
  }
  std::set<int> bad_nodes;
  for (Suspect suspect : suspects) {
    Values value;
    bool again = false;
    if (suspect.is_node) {
      const auto place = std::find(participants.begin(), participants.end(), suspect.rank) - participants.begin();
      value = nodes_now[static_cast<std::size_t>(place)];
      again = retested.count(suspect.rank) > 0;
    } else {
      const PairResult& pair = *pair_of.at({suspect.a, suspect.b});
      value = alone_if_known(pair);
      again = pair.retested;
    }
    const Centres& centres = suspect.is_node ? of_nodes : of_pairs;
    const bool bad = judge(value, centres, thresholds).bad;
    suspect.why += again ? shown_alone(value, centres) : "; not measured again";
    if (bad && suspect.is_node) bad_nodes.insert(suspect.rank);
    // The nodes come first: they explain their pairs.
    const bool explained = !suspect.is_node && (bad_nodes.count(suspect.a) > 0 || bad_nodes.count(suspect.b) > 0);
    if (!bad) {
      verdict.cleared.push_back(suspect);
    } else if (!explained) {
      verdict.suspects.push_back(suspect);
    }
  }
  return verdict;
}

}  // namespace headroom::mpi
