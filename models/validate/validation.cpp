#include "models/validate/validation.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/errors.hpp"
#include "models/validate/judge.hpp"

namespace headroom::validate {
namespace {

struct Title {
  std::string_view id;
  std::string_view title;
};
constexpr Title kTitles[] = {
    {"completed", "Every program starts on all hosts and ends without an error"},
    {"no-hang", "Messages get through: no program hangs"},
    {"distinct-hosts", "Ranks that claim different hosts run on different machines"},
    {"one-host", "All ranks run on one machine"},
    {"layout", "There are as many hosts and ranks on each as asked for"},
    {"instances", "All hosts are instances of one type in one zone"},
    {"provider", "MPI sends over what was asked for"},
    {"interfaces", "Every host has as many EFA interfaces as its type offers"},
    {"counters", "The EFA devices counted at least the bytes that were sent"},
    {"plausible", "No measurement is faster than a network can be"},
    {"latency", "Latency is what this type of instance should have"},
    {"bandwidth", "Bandwidth is what this type of instance should have"},
    {"uniform", "No host and no pair of hosts is slower than the others"},
    {"payload", "What arrives is what was sent"},
};

}  // namespace

Requirement requirement(std::string_view id) {
  Requirement made;
  made.id = std::string(id);
  for (const Title& title : kTitles) {
    if (title.id == id) made.title = std::string(title.title);
  }
  return made;
}

void conclude(Requirement& r, Verdict verdict, std::string cause, std::string remedy) {
  r.verdict = verdict;
  r.cause = std::move(cause);
  r.remedy = std::move(remedy);
}

std::string plural(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string listed(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), kListed);
  std::string text =
      fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  if (shown < names.size()) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

std::string us(double value) { return fmt::format("{:.{}f} us", value, value < 10 ? 2 : 1); }

std::string mb_s(double value) { return fmt::format("{:.0f} MB/s", value); }

Requirement without_ranks(std::string_view id) {
  Requirement r = requirement(id);
  conclude(r, Verdict::inconclusive, "no program told where its ranks ran", "See the requirement \"completed\".");
  return r;
}

HostRoll::HostRoll(const Evidence& evidence, bool namespaces) : namespaces_(namespaces) {
  for (const MpiDocument& document : evidence.documents) add(document);
  if (evidence.fallback) add(*evidence.fallback);
}

std::string HostRoll::machine(const Rank& rank) const {
  if (rank.boot_id.empty()) return {};
  return namespaces_ ? rank.boot_id + " " + rank.network_namespace : rank.boot_id;
}

void HostRoll::add(const MpiDocument& document) {
  std::set<std::string> here;
  std::map<std::string, std::size_t> ranks;
  for (const Rank& rank : document.ranks) {
    const std::string& name = rank.claimed_host();
    here.insert(name);
    ++ranks[name];
    const auto [place, is_new] = by_name_.emplace(name, facts_.size());
    if (is_new) {
      facts_.push_back({name, rank.boot_id, rank.instance_id, rank.instance_type, rank.availability_zone, 0});
      identity_.push_back({machine(rank), document.source});
      continue;
    }
    HostFacts& facts = facts_[place->second];
    const std::string machine_now = machine(rank);
    Identity& identity = identity_[place->second];
    if (!machine_now.empty() && !identity.machine.empty() && identity.machine != machine_now &&
        identity.source != document.source) {
      throw InputError(
          fmt::format("{}: host {} is another machine than in {} (boot_id {} and {}): expected documents of one run",
                      document.source, name, identity.source, rank.boot_id, facts.boot_id));
    }
    const auto fill = [](std::string& known, const std::string& found) {
      if (known.empty()) known = found;
    };
    fill(identity.machine, machine_now);
    fill(facts.boot_id, rank.boot_id);
    fill(facts.instance_id, rank.instance_id);
    fill(facts.instance_type, rank.instance_type);
    fill(facts.availability_zone, rank.availability_zone);
  }
  for (const auto& [name, count] : ranks) {
    HostFacts& facts = facts_[by_name_.at(name)];
    facts.ranks = std::max(facts.ranks, count);
  }
  for (const auto& [names, source] : sets_) {
    const bool one_in_the_other = std::includes(names.begin(), names.end(), here.begin(), here.end()) ||
                                  std::includes(here.begin(), here.end(), names.begin(), names.end());
    if (one_in_the_other) continue;
    std::vector<std::string> mine(here.begin(), here.end());
    std::vector<std::string> others(names.begin(), names.end());
    throw InputError(fmt::format("{}: ran on {}, and {} on {}: expected documents of one run", document.source,
                                 listed(mine), source, listed(others)));
  }
  sets_.emplace_back(std::move(here), document.source);
}

Validation Judge::run() {
  result_.transport = demand_.transport;
  result_.hosts = hosts_.all();
  find_type();
  for (const MpiDocument& document : evidence_.documents) {
    result_.sources.push_back(document.source);
    if (result_.mpi.empty()) result_.mpi = document.library.empty() ? document.vendor : document.library;
    if (vendor_.empty()) vendor_ = document.vendor;
  }
  for (const LaunchLog& log : evidence_.logs) {
    if (std::find(result_.sources.begin(), result_.sources.end(), log.source) == result_.sources.end()) {
      result_.sources.push_back(log.source);
    }
  }
  gather();
  const bool efa = demand_.transport == Transport::efa;
  const auto add = [this](Requirement r) { result_.requirements.push_back(std::move(r)); };
  add(completed());
  add(no_hang());
  add(demand_.transport == Transport::shm ? one_host() : distinct_hosts());
  add(layout());
  if (efa) add(instances());
  add(provider());
  if (efa) add(interfaces());
  if (efa) add(counters());
  if (demand_.transport != Transport::shm) add(plausible());
  add(latency());
  add(bandwidth());
  add(uniform());
  add(payload());

  result_.verdict = Verdict::pass;
  for (const Requirement& r : result_.requirements) {
    if (r.verdict == Verdict::fail) result_.verdict = Verdict::fail;
    if (r.verdict == Verdict::inconclusive && r.required && result_.verdict == Verdict::pass) {
      result_.verdict = Verdict::inconclusive;
    }
  }
  return std::move(result_);
}

bool Judge::asked_for(std::string_view test) const {
  if (!demand_.tests.empty()) {
    return std::find(demand_.tests.begin(), demand_.tests.end(), test) != demand_.tests.end();
  }
  return std::any_of(evidence_.documents.begin(), evidence_.documents.end(),
                     [&](const MpiDocument& d) { return d.test == test; });
}

void Judge::find_type() {
  std::set<std::string> types;
  for (const HostFacts& host : hosts_.all()) {
    if (!host.instance_type.empty()) types.insert(host.instance_type);
  }
  types_.assign(types.begin(), types.end());
  if (!demand_.instance_type.empty()) {
    result_.instance_type = demand_.instance_type;
  } else if (types_.size() == 1) {
    result_.instance_type = types_.front();
  }
}

void Judge::gather() {
  for (const MpiDocument& document : evidence_.documents) {
    for (const PairRun& run : document.pair_runs) {
      const Rank& a = document.ranks[run.a];
      const Rank& b = document.ranks[run.b];
      if (!counts(a, b)) continue;
      const SizeResult* small = nullptr;
      for (const SizeResult& size : run.sizes) {
        if (size.bytes <= kSmallBytes && (small == nullptr || size.bytes > small->bytes)) small = &size;
        if (size.bytes == static_cast<std::int64_t>(kExpectationBytes))
          transfer_.push_back({&a, &b, size.bandwidth_mb_s});
        fastest_us_.push_back({&a, &b, size.p50_us});
      }
      if (small != nullptr) small_us_.push_back({&a, &b, small->p50_us});
      for (const SizeResult& size : run.streaming) streaming_.push_back({&a, &b, size.bandwidth_mb_s});
    }
    for (const PairScore& pair : document.pairs) {
      const Rank& a = document.ranks[pair.a];
      const Rank& b = document.ranks[pair.b];
      if (!counts(a, b)) continue;
      fastest_us_.push_back({&a, &b, pair.latency_us});
      if (document.latency_bytes <= kSmallBytes) small_us_.push_back({&a, &b, pair.latency_us});
    }
  }
}

std::vector<Trouble> Judge::troubles() const {
  std::vector<Trouble> all;
  for (const LaunchLog& log : evidence_.logs) all.insert(all.end(), log.troubles.begin(), log.troubles.end());
  return all;
}

Validation judge(const Demand& demand, const Evidence& evidence) { return Judge(demand, evidence).run(); }

std::vector<std::pair<std::string, std::string>> all_requirements() {
  std::vector<std::pair<std::string, std::string>> all;
  for (const Title& title : kTitles) all.emplace_back(title.id, title.title);
  return all;
}

}  // namespace headroom::validate
