#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/cloud/catalog.hpp"
#include "models/validate/judge.hpp"

namespace headroom::validate {
namespace {

// Between two hosts nobody has measured less than 7 us over EFA (boot-times.md 5a); shared memory takes 0.1 to 1 us.
constexpr double kFastestNetworkUs = 2;
// A pair is slow when its latency is so many times the lower quartile of all pairs, or its bandwidth as many times
// below the upper one. Over EFA the network tree alone makes 1.37 (12.3 to 16.8 us in one placement group,
// boot-times.md 5b).
constexpr double slow_factor(Transport transport) {
  return transport == Transport::efa ? 1.5 : transport == Transport::tcp ? 2 : 4;
}

// Every pair of hosts with a measurement that is over (or under) the limit, once.
template <typename Over>
void over_limit(Requirement& r, const std::vector<Measured>& measured, Over over) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const Measured& m : measured) {
    if (!over(m.value)) continue;
    const auto pair = std::minmax(m.a->claimed_host(), m.b->claimed_host());
    if (!seen.insert(pair).second) continue;
    r.pairs.push_back(pair);
  }
}

}  // namespace

Requirement Judge::plausible() const {
  Requirement r = requirement("plausible");
  const auto faster = [](const Measured& a, const Measured& b) { return a.value < b.value; };
  if (fastest_us_.empty()) {
    conclude(r, Verdict::inconclusive, "no latency was measured between hosts", "Run pingpong or allpairs.");
    return r;
  }
  const Measured& least = *std::min_element(fastest_us_.begin(), fastest_us_.end(), faster);
  r.evidence.push_back(fmt::format("least latency {}: {}", us(least.value), least.pair()));
  std::set<std::pair<std::string, std::string>> impossible;
  for (const Measured& m : fastest_us_) {
    if (m.value < kFastestNetworkUs) impossible.emplace(m.a->claimed_host(), m.b->claimed_host());
  }
  r.pairs.assign(impossible.begin(), impossible.end());
  if (!impossible.empty()) {
    conclude(r, Verdict::fail,
             fmt::format("{} between two hosts can only be shared memory: no network takes less than {:.0f} us",
                         us(least.value), kFastestNetworkUs),
             "Place the ranks on different machines (--map-by ppr:1:node), and measure again.");
    return r;
  }
  const std::optional<InstanceType> type = find_instance_type(result_.instance_type);
  if (!streaming_.empty() && type) {
    const Measured& most = *std::max_element(streaming_.begin(), streaming_.end(), faster);
    const double limit_mb_s = type->network_gbps * 1000 / 8 * 1.1;
    r.evidence.push_back(fmt::format("most bandwidth {}: {}; the network of {} carries {:.0f} Gb/s", mb_s(most.value),
                                     most.pair(), type->name, type->network_gbps));
    if (limit_mb_s > 0 && most.value > limit_mb_s) {
      r.pairs.emplace_back(most.a->claimed_host(), most.b->claimed_host());
      conclude(r, Verdict::fail, fmt::format("{} is more than the network of {} carries", mb_s(most.value), type->name),
               "Check the instance type, and that the ranks are on different machines.");
      return r;
    }
  }
  conclude(r, Verdict::pass);
  return r;
}

std::optional<Expectation> Judge::expectation() const {
  return find_expectation(result_.instance_type, demand_.transport, vendor_);
}

// What there is to say when there is no number to compare with.
void Judge::no_expectation(Requirement& r, std::string_view option) const {
  const std::string known = expected_types(demand_.transport);
  r.required = demand_.transport == Transport::efa;
  conclude(r, Verdict::inconclusive,
           result_.instance_type.empty()
               ? std::string("the instance type is not known, so there is nothing to compare with")
               : fmt::format("nobody's measurement of {} over {} is known here{}", result_.instance_type,
                             transport_name(demand_.transport), known.empty() ? "" : "; known: " + known),
           fmt::format("Give --instance-type, or what you expect with {}.", option));
}

Requirement Judge::latency() const {
  Requirement r = requirement("latency");
  if (small_us_.empty()) {
    conclude(r, Verdict::inconclusive, "no latency of small messages was measured", "Run pingpong or allpairs.");
    r.required = demand_.transport == Transport::efa || demand_.max_latency_us.has_value();
    return r;
  }
  std::vector<double> values;
  for (const Measured& m : small_us_) values.push_back(m.value);
  std::sort(values.begin(), values.end());
  r.evidence.push_back(fmt::format("{}, up to {} bytes, one way: {} to {}, median {}",
                                   plural(values.size(), "measurement"), kSmallBytes, us(values.front()),
                                   us(values.back()), us(values[values.size() / 2])));
  const std::optional<Expectation> known = expectation();
  double limit = 0;
  if (demand_.max_latency_us) {
    limit = *demand_.max_latency_us;
    r.evidence.push_back(fmt::format("limit {}: asked for", us(limit)));
  } else if (known && known->latency_us) {
    limit = known->latency_limit_us();
    r.evidence.push_back(fmt::format("limit {}: {} and 30 % or 10 us, whichever is more (AWS's own tolerance); {}",
                                     us(limit), us(*known->latency_us), known->source));
  } else {
    no_expectation(r, "--max-latency-us");
    return r;
  }
  over_limit(r, small_us_, [&](double value) { return value > limit; });
  if (!r.pairs.empty()) {
    conclude(r, Verdict::fail, fmt::format("{} above {}", plural(r.pairs.size(), "pair"), us(limit)),
             "Put the group into one cluster placement group (PCS-54); replace hosts that are slow with every other; "
             "measure with one rank "
             "a core and nothing else running.");
  } else {
    conclude(r, Verdict::pass);
  }
  return r;
}

Requirement Judge::bandwidth() const {
  Requirement r = requirement("bandwidth");
  const auto less = [](const Measured& a, const Measured& b) { return a.value < b.value; };
  if (!streaming_.empty()) {
    const Measured& most = *std::max_element(streaming_.begin(), streaming_.end(), less);
    r.evidence.push_back(fmt::format("streaming up to {}: {}", mb_s(most.value), most.pair()));
  }
  if (transfer_.empty()) {
    conclude(r, Verdict::inconclusive, "no ping-pong of 1 MiB was measured",
             "Run pingpong with --max-bytes of 1 MiB or more.");
    r.required = demand_.transport == Transport::efa || demand_.min_bandwidth_mb_s.has_value();
    return r;
  }
  const Measured& least = *std::min_element(transfer_.begin(), transfer_.end(), less);
  r.evidence.push_back(fmt::format("ping-pong of 1 MiB: at least {}: {}", mb_s(least.value), least.pair()));
  const std::optional<Expectation> known = expectation();
  double limit = 0;
  if (demand_.min_bandwidth_mb_s) {
    limit = *demand_.min_bandwidth_mb_s;
    r.evidence.push_back(fmt::format("limit {}: asked for", mb_s(limit)));
  } else if (known && known->bandwidth_mb_s) {
    limit = known->bandwidth_limit_mb_s();
    r.evidence.push_back(fmt::format("limit {}: {} less 20 % (AWS's own tolerance); {}", mb_s(limit),
                                     mb_s(*known->bandwidth_mb_s), known->source));
  } else {
    no_expectation(r, "--min-bandwidth-mb-s");
    return r;
  }
  over_limit(r, transfer_, [&](double value) { return value < limit; });
  if (!r.pairs.empty()) {
    conclude(r, Verdict::fail, fmt::format("{} below {}", plural(r.pairs.size(), "pair"), mb_s(limit)),
             "Check that every network card has its EFA interface (PCS-53), that Open MPI uses mtl/ofi (btl/ofi gets "
             "half), and that "
             "nothing else uses the network.");
  } else {
    conclude(r, Verdict::pass);
  }
  return r;
}

Requirement Judge::uniform() {
  Requirement r = requirement("uniform");
  const MpiDocument* document = nullptr;
  for (const MpiDocument& d : evidence_.documents) {
    if (d.test == "allpairs") document = &d;
  }
  // Two hosts are one pair: there is nothing to compare it with, and nobody can say which of them is slow.
  r.required = asked_for("allpairs") || demand_.transport == Transport::efa;
  if (document == nullptr || document->pairs.empty()) {
    conclude(r, Verdict::inconclusive, "the pairs of hosts were not measured", "Run allpairs.");
    if (demand_.hosts.value_or(3) < 3) r.required = false;
    return r;
  }
  std::vector<double> latencies;
  std::vector<double> bandwidths;
  std::vector<const PairScore*> pairs;
  for (const PairScore& pair : document->pairs) {
    if (!counts(document->ranks[pair.a], document->ranks[pair.b])) continue;
    pairs.push_back(&pair);
    latencies.push_back(pair.latency_us);
    if (pair.bandwidth_mb_s > 0) bandwidths.push_back(pair.bandwidth_mb_s);
  }
  for (const PairScore* pair : pairs) {
    result_.pairs.push_back({hosts_.index(document->ranks[pair->a]), hosts_.index(document->ranks[pair->b]),
                             pair->latency_us, pair->bandwidth_mb_s, false});
  }
  if (pairs.size() < 3) {
    r.required = false;
    conclude(r, Verdict::inconclusive,
             fmt::format("{} too few to compare",
                         pairs.size() == 1 ? "1 pair is" : fmt::format("{} pairs are", pairs.size())),
             "Take three hosts or more.");
    return r;
  }
  // The fast quarter is the measure: with three or four hosts one slow host makes half of all pairs slow.
  std::sort(latencies.begin(), latencies.end());
  std::sort(bandwidths.begin(), bandwidths.end());
  const double usual_us = latencies[(latencies.size() - 1) / 4];
  const double usual_mb_s = bandwidths.empty() ? 0 : bandwidths[bandwidths.size() - 1 - (bandwidths.size() - 1) / 4];
  const double factor = demand_.slow_factor.value_or(slow_factor(demand_.transport));
  r.evidence.push_back(fmt::format("{} pairs: {} to {}, lower quartile {}; {} to {}, upper quartile {}", pairs.size(),
                                   us(latencies.front()), us(latencies.back()), us(usual_us),
                                   bandwidths.empty() ? "no bandwidth" : mb_s(bandwidths.front()),
                                   bandwidths.empty() ? "" : mb_s(bandwidths.back()), mb_s(usual_mb_s)));
  std::vector<std::size_t> slow;
  std::map<std::size_t, std::size_t> of_rank;  // pairs of a rank
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    ++of_rank[pairs[i]->a];
    ++of_rank[pairs[i]->b];
    const bool late = pairs[i]->latency_us > factor * usual_us;
    const bool narrow = pairs[i]->bandwidth_mb_s > 0 && pairs[i]->bandwidth_mb_s * factor < usual_mb_s;
    if (!late && !narrow) continue;
    slow.push_back(i);
    result_.pairs[i].slow = true;
  }
  const auto name = [&](std::size_t rank) { return document->ranks[rank].claimed_host(); };
  const std::size_t slow_pairs = slow.size();
  // A host of which at least half of the pairs, and two, are slow is to blame for them.
  while (true) {
    // Of hosts with as many slow pairs, the one whose pairs are the slowest.
    std::map<std::size_t, std::pair<std::size_t, double>> slow_of_rank;
    for (const std::size_t i : slow) {
      const PairScore& pair = *pairs[i];
      const double late = pair.latency_us / usual_us;
      const double narrow = pair.bandwidth_mb_s > 0 ? usual_mb_s / pair.bandwidth_mb_s : 0;
      for (const std::size_t rank : {pair.a, pair.b}) {
        ++slow_of_rank[rank].first;
        slow_of_rank[rank].second += std::max(late, narrow);
      }
    }
    std::size_t worst = 0;
    std::pair<std::size_t, double> most{0, 0};
    for (const auto& [rank, badness] : slow_of_rank) {
      if (badness > most) {
        worst = rank;
        most = badness;
      }
    }
    const std::size_t count = most.first;
    if (count < 2 || 2 * count < of_rank[worst]) break;
    double worst_us = 0;
    double least_mb_s = usual_mb_s;
    for (const std::size_t i : slow) {
      if (pairs[i]->a != worst && pairs[i]->b != worst) continue;
      worst_us = std::max(worst_us, pairs[i]->latency_us);
      if (pairs[i]->bandwidth_mb_s > 0) least_mb_s = std::min(least_mb_s, pairs[i]->bandwidth_mb_s);
    }
    r.hosts.push_back(name(worst));
    r.evidence.push_back(fmt::format("host {} is slow: {} of its {} pairs, up to {}, down to {}", name(worst), count,
                                     of_rank[worst], us(worst_us), mb_s(least_mb_s)));
    slow.erase(std::remove_if(slow.begin(), slow.end(),
                              [&](std::size_t i) { return pairs[i]->a == worst || pairs[i]->b == worst; }),
               slow.end());
  }
  for (const std::size_t i : slow) {
    r.pairs.emplace_back(name(pairs[i]->a), name(pairs[i]->b));
    if (r.pairs.size() > kListed) continue;
    r.evidence.push_back(fmt::format("pair {} - {} is slow: {}, {}{}", name(pairs[i]->a), name(pairs[i]->b),
                                     us(pairs[i]->latency_us), mb_s(pairs[i]->bandwidth_mb_s),
                                     pairs[i]->alone ? ", measured alone" : ""));
  }
  for (std::size_t i = 0; i < document->suspicions.size() && i < kListed; ++i) {
    r.evidence.push_back("allpairs suspects " + document->suspicions[i]);
  }
  if (slow_pairs > 0) {
    std::vector<std::string> who = r.hosts;
    for (const auto& [a, b] : r.pairs) who.push_back("pair " + a + " - " + b);
    conclude(r, Verdict::fail,
             fmt::format("slower than the others by a factor of {:g} or more: {}", factor, listed(who)),
             "Measure again; a host that stays slow with every other is to be replaced (terminate the instance); a "
             "pair alone points at "
             "the path between two parts of the network.");
  } else {
    conclude(r, Verdict::pass);
  }
  return r;
}

Requirement Judge::payload() const {
  Requirement r = requirement("payload");
  std::int64_t errors = 0;
  std::vector<std::string> checked;
  for (const MpiDocument& document : evidence_.documents) {
    errors += document.errors;
    if (document.test == "pingpong" || document.test == "allreduce") checked.push_back(document.test);
    for (const PairRun& run : document.pair_runs) {
      if (run.errors == 0) continue;
      r.pairs.emplace_back(document.ranks[run.a].claimed_host(), document.ranks[run.b].claimed_host());
    }
    if (document.errors > 0) r.evidence.push_back(fmt::format("{}: {} errors", document.test, document.errors));
  }
  for (const LaunchLog& log : evidence_.logs) {
    for (std::size_t i = 0; i < log.changed_messages.size() && i < kListed; ++i) {
      r.evidence.push_back(log.changed_messages[i]);
    }
    // hello counts none in its document.
    if (errors == 0) errors += static_cast<std::int64_t>(log.changed_messages.size());
  }
  if (!checked.empty()) r.evidence.push_back("checked by " + listed(checked));
  if (errors > 0) {
    conclude(r, Verdict::fail, fmt::format("{} messages or results arrived changed", errors),
             "Take the hosts out of use: memory, adapter or driver are broken; say so to AWS.");
  } else if (checked.empty()) {
    conclude(r, Verdict::inconclusive, "no test that checks what arrives has ended", "Run pingpong and allreduce.");
    r.required = demand_.transport == Transport::efa || asked_for("pingpong") || asked_for("allreduce");
  } else {
    conclude(r, Verdict::pass);
  }
  return r;
}

}  // namespace headroom::validate
