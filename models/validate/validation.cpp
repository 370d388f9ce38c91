#include "models/validate/validation.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/cloud/catalog.hpp"
#include "models/errors.hpp"
#include "models/scenario/document.hpp"
#include "models/validate/expectation.hpp"

namespace headroom::validate {
namespace {

// Between two hosts nobody has measured less than 7 us over EFA (boot-times.md 5a); shared memory takes 0.1 to 1 us.
constexpr double kFastestNetworkUs = 2;
constexpr std::int64_t kSmallBytes = 8;
constexpr std::size_t kListed = 8;  // names in a sentence
// A pair is slow when its latency is so many times the lower quartile of all pairs, or its bandwidth as many times
// below the upper one. Over EFA the network tree alone makes 1.37 (12.3 to 16.8 us in one placement group,
// boot-times.md 5b).
constexpr double slow_factor(Fabric fabric) { return fabric == Fabric::efa ? 1.5 : fabric == Fabric::tcp ? 2 : 4; }

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

Requirement requirement(std::string_view id) {
  Requirement made;
  made.id = std::string(id);
  for (const Title& title : kTitles) {
    if (title.id == id) made.title = std::string(title.title);
  }
  return made;
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

void conclude(Requirement& r, Verdict verdict, std::string cause = "", std::string remedy = "") {
  r.verdict = verdict;
  r.cause = std::move(cause);
  r.remedy = std::move(remedy);
}

std::string us(double value) { return fmt::format("{:.{}f} us", value, value < 10 ? 2 : 1); }
std::string mb_s(double value) { return fmt::format("{:.0f} MB/s", value); }

// "ip-10-0-0-1.ec2.internal" and "ip-10-0-0-1" are one name.
std::string_view short_name(std::string_view host) {
  const bool address = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return address ? host : host.substr(0, host.find('.'));
}

enum class Family : std::uint8_t { efa, tcp, shm, other };

// What carries messages, by the names that MPI libraries print.
Family family(const TransportUse& use) {
  const std::string_view core = std::string_view(use.name).substr(0, use.name.find(';'));
  if (use.layer == TransportUse::Layer::btl) {
    return core == "tcp" ? Family::tcp : core == "vader" || core == "sm" ? Family::shm : Family::other;
  }
  if (core == "efa") return Family::efa;
  if (core == "shm" || core == "sm2") return Family::shm;
  return core == "tcp" || core == "net" || core == "sockets" || core == "udp" ? Family::tcp : Family::other;
}

// Everything that is known of the hosts, from all documents.
class Hosts {
 public:
  explicit Hosts(const Evidence& evidence, bool namespaces) : namespaces_(namespaces) {
    for (const MpiDocument& document : evidence.documents) add(document);
    if (evidence.fallback) add(*evidence.fallback);
  }

  const std::vector<HostFacts>& all() const { return facts_; }
  std::size_t index(const Rank& rank) const { return by_name_.at(rank.claimed_host()); }

  // What machine a rank really runs on; empty when not known.
  std::string machine(const Rank& rank) const {
    if (rank.boot_id.empty()) return {};
    return namespaces_ ? rank.boot_id + " " + rank.network_namespace : rank.boot_id;
  }
  bool different_machines(const Rank& a, const Rank& b) const {
    const std::string first = machine(a);
    const std::string second = machine(b);
    return !first.empty() && !second.empty() ? first != second : a.claimed_host() != b.claimed_host();
  }

 private:
  void add(const MpiDocument& document) {
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

  struct Identity {
    std::string machine;
    std::string source;
  };
  bool namespaces_;
  std::vector<HostFacts> facts_;
  std::vector<Identity> identity_;
  std::map<std::string, std::size_t> by_name_;
  std::vector<std::pair<std::set<std::string>, std::string>> sets_;
};

// One measured pair of ranks.
struct Measured {
  const Rank* a = nullptr;
  const Rank* b = nullptr;
  double value = 0;

  std::string pair() const { return a->claimed_host() + " - " + b->claimed_host(); }
};

class Judge {
 public:
  Judge(const Demand& demand, const Evidence& evidence)
      : demand_(demand), evidence_(evidence), hosts_(evidence, demand.namespaces_are_hosts) {}

  Validation run() {
    result_.fabric = demand_.fabric;
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
    const bool efa = demand_.fabric == Fabric::efa;
    add(completed());
    add(no_hang());
    add(demand_.fabric == Fabric::shm ? one_host() : distinct_hosts());
    add(layout());
    if (efa) add(instances());
    add(provider());
    if (efa) add(interfaces());
    if (efa) add(counters());
    if (demand_.fabric != Fabric::shm) add(plausible());
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

 private:
  void add(Requirement r) { result_.requirements.push_back(std::move(r)); }

  bool between_hosts() const { return demand_.fabric != Fabric::shm; }

  // Under shm pairs are of ranks on one host; otherwise only pairs of ranks that claim different hosts say anything.
  bool counts(const Rank& a, const Rank& b) const { return !between_hosts() || a.claimed_host() != b.claimed_host(); }

  bool asked_for(std::string_view test) const {
    if (!demand_.tests.empty()) {
      return std::find(demand_.tests.begin(), demand_.tests.end(), test) != demand_.tests.end();
    }
    return std::any_of(evidence_.documents.begin(), evidence_.documents.end(),
                       [&](const MpiDocument& d) { return d.test == test; });
  }

  void find_type() {
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

  void gather() {
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

  const std::vector<Trouble> troubles() const {
    std::vector<Trouble> all;
    for (const LaunchLog& log : evidence_.logs) all.insert(all.end(), log.troubles.begin(), log.troubles.end());
    return all;
  }

  bool launched() const { return !evidence_.runs.empty(); }

  Requirement completed() const {
    Requirement r = requirement("completed");
    std::vector<std::string> bad;
    std::string what;
    for (const ProgramRun& run : evidence_.runs) {
      if (run.purpose == Purpose::as_is && !failed(run)) {
        r.evidence.push_back(fmt::format("{} starts when MPI is left to choose the transport", run.test));
      }
      if (run.purpose != Purpose::test) continue;
      if (!failed(run)) {
        r.evidence.push_back(fmt::format("{}: ended {} after {:.1f} s", run.test,
                                         run.reported ? "with findings" : "well", run.elapsed_s));
      } else if (run.interrupted) {
        r.evidence.push_back(fmt::format("{}: interrupted", run.test));
        what = "the validation was interrupted";
      } else if (!run.ran) {
        bad.push_back(run.test);
        r.evidence.push_back(fmt::format("{}: the job ended before it was over", run.test));
      } else if (!hung(run)) {
        bad.push_back(run.test);
        r.evidence.push_back(
            fmt::format("{}: exit status {} after {:.1f} s: {}", run.test, run.status, run.elapsed_s, run.command));
      }
    }
    for (const auto& [test, why] : evidence_.unreadable) {
      bad.push_back(test);
      r.evidence.push_back(fmt::format("{}: its output cannot be read: {}", test, why));
    }
    std::vector<std::string> missing;
    for (const std::string& test : demand_.tests) {
      const bool there = std::any_of(evidence_.documents.begin(), evidence_.documents.end(),
                                     [&](const MpiDocument& d) { return d.test == test; });
      if (!there && std::find(bad.begin(), bad.end(), test) == bad.end()) missing.push_back(test);
    }
    if (!launched()) {
      for (const MpiDocument& document : evidence_.documents) {
        r.evidence.push_back(
            fmt::format("{}: a document of {}, {} ranks", document.source, document.test, document.ranks.size()));
      }
    }
    if (!missing.empty()) r.evidence.push_back(fmt::format("without a result: {}", listed(missing)));
    for (const MpiDocument& document : evidence_.documents) {
      if (!document.fault.empty()) {
        what = fmt::format("{} ran with a fault on purpose ({}): what it says is no measurement", document.test,
                           document.fault);
      }
    }
    const std::vector<Trouble> known = troubles();
    for (const Trouble& trouble : known) r.evidence.push_back("log: " + trouble.line);
    if (!bad.empty() && !known.empty()) {
      conclude(r, Verdict::fail, known.front().cause, known.front().remedy);
    } else if (!bad.empty()) {
      std::string said;
      for (const ProgramRun& run : evidence_.runs) {
        if (run.purpose == Purpose::test && failed(run) && !hung(run) && !run.interrupted) said = log_end(run.log_file);
      }
      if (!said.empty()) r.evidence.push_back("log: " + said);
      conclude(r, Verdict::fail, fmt::format("{} failed", listed(bad)),
               "Run the command above by hand; keep its output with --out.");
    } else if (!what.empty()) {
      conclude(r, Verdict::inconclusive, what, "Run it again to the end, without HEADROOM_MPI_FAULT.");
    } else if (!missing.empty()) {
      const bool any_hung = std::any_of(evidence_.runs.begin(), evidence_.runs.end(), hung);
      conclude(r, Verdict::inconclusive, fmt::format("no result of {}", listed(missing)),
               any_hung ? "See the requirement \"no-hang\"." : "Run these, too.");
    } else if (evidence_.documents.empty()) {
      conclude(r, Verdict::inconclusive, "there is no document of a test program",
               "Give the JSON that the programs of mpi-tests print.");
    } else {
      conclude(r, Verdict::pass);
    }
    return r;
  }

  std::string log_end(const std::string& file) const {
    for (const LaunchLog& log : evidence_.logs) {
      if (log.source == file) return log.end;
    }
    return {};
  }

  Requirement no_hang() const {
    Requirement r = requirement("no-hang");
    std::vector<std::string> hanging;
    for (const ProgramRun& run : evidence_.runs) {
      if (run.purpose != Purpose::test || !hung(run) || run.interrupted) continue;
      hanging.push_back(run.test);
      r.evidence.push_back(run.timed_out
                               ? fmt::format("{}: cut off after {:.0f} s", run.test, run.time_limit_s)
                               : fmt::format("{}: ended by its own watch after {:.1f} s", run.test, run.elapsed_s));
    }
    bool started = !evidence_.documents.empty();
    std::set<std::string> waiting;
    for (const LaunchLog& log : evidence_.logs) {
      started = started || !log.uses.empty() || !log.stalls.empty();
      for (std::size_t i = 0; i < log.stalls.size(); ++i) {
        if (i < kListed) r.evidence.push_back(log.stalls[i].line);
        waiting.insert(log.stalls[i].host);
      }
      if (!log.stalls.empty() && hanging.empty()) hanging.push_back(log.source);
    }
    std::vector<std::string> through;
    bool tcp_works = false;
    for (const ProgramRun& run : evidence_.runs) {
      if (run.purpose == Purpose::over_tcp) {
        tcp_works = !failed(run);
        r.evidence.push_back(fmt::format("{} over TCP: {}", run.test, tcp_works ? "works" : "does not work either"));
      }
      if (run.purpose != Purpose::one_pair) continue;
      if (failed(run)) {
        r.pairs.emplace_back(run.hosts.at(0), run.hosts.at(1));
      } else {
        through.push_back(run.hosts.at(0) + " - " + run.hosts.at(1));
      }
    }
    if (!through.empty()) r.evidence.push_back("pairs that get messages through: " + listed(through));
    std::vector<std::string> stuck;
    for (const auto& [a, b] : r.pairs) stuck.push_back(a + " - " + b);
    if (!stuck.empty()) r.evidence.push_back("pairs that do not: " + listed(stuck));
    if (!hanging.empty()) {
      r.hosts.assign(waiting.begin(), waiting.end());
      if (!started) {
        conclude(r, Verdict::fail, "the programs were not even started on every host within the time limit",
                 "Check that every host answers and that ssh or Slurm can start programs there; give slow ones more "
                 "time with --timeout.");
      } else if (demand_.fabric == Fabric::shm) {
        conclude(r, Verdict::fail, "the programs start, but messages between ranks of this host do not arrive",
                 "Look for a full /dev/shm, and for more ranks than cores that all wait busily.");
      } else {
        conclude(r, Verdict::fail,
                 fmt::format("the programs start on every host, but messages do not arrive{}{}: the sign of a security "
                             "group that does "
                             "not let all traffic through from and to itself, be it in one direction only",
                             stuck.empty() || through.empty() ? std::string() : " between " + listed(stuck),
                             tcp_works ? " over EFA, while TCP gets through" : ""),
                 demand_.fabric == Fabric::efa ? "Give every EFA interface one security group that allows all traffic "
                                                 "from itself and to itself, inbound and "
                                                 "outbound (PCS-52), and keep all instances in one subnet (PCS-51)."
                                               : "Let all ports between the hosts through, both ways: a security group "
                                                 "that allows all traffic from and to "
                                                 "itself (PCS-52), no firewall on the hosts.");
      }
      return r;
    }
    const bool all_over = launched() && std::all_of(evidence_.runs.begin(), evidence_.runs.end(),
                                                    [](const ProgramRun& run) { return run.ran && !run.interrupted; });
    const bool any_messages = std::any_of(evidence_.documents.begin(), evidence_.documents.end(),
                                          [](const MpiDocument& d) { return d.ranks.size() > 1; });
    if (any_messages && (all_over || !launched())) {
      std::vector<std::string> ended;
      for (const MpiDocument& document : evidence_.documents) ended.push_back(document.test);
      r.evidence.push_back("ended with a result: " + listed(ended));
      conclude(r, Verdict::pass);
    } else {
      conclude(r, Verdict::inconclusive, "no program came so far as to send messages",
               "See the requirement \"completed\".");
    }
    return r;
  }

  // The document that says most about who ran where.
  const MpiDocument* roll_call() const {
    const MpiDocument* best = nullptr;
    for (const MpiDocument& document : evidence_.documents) {
      if (best == nullptr || (document.test == "hello" && best->test != "hello")) best = &document;
    }
    return best != nullptr ? best : evidence_.fallback ? &*evidence_.fallback : nullptr;
  }

  static void no_ranks(Requirement& r) {
    conclude(r, Verdict::inconclusive, "no program told where its ranks ran", "See the requirement \"completed\".");
  }

  Requirement distinct_hosts() const {
    Requirement r = requirement("distinct-hosts");
    if (roll_call() == nullptr) return no_ranks(r), r;
    std::map<std::string, std::set<std::string>> names;  // by machine
    std::set<std::string> claimed;
    std::set<std::string> unknown;
    std::map<std::string, std::set<std::string>> machines_of_id;  // by instance id
    std::map<std::string, std::set<std::string>> machines_of_name;
    std::set<std::string> sharing;
    std::vector<const MpiDocument*> documents;
    for (const MpiDocument& document : evidence_.documents) documents.push_back(&document);
    if (evidence_.fallback) documents.push_back(&*evidence_.fallback);
    for (const MpiDocument* document : documents) {
      std::map<std::int64_t, std::string> group_host;
      for (const Rank& rank : document->ranks) {
        const std::string& name = rank.claimed_host();
        claimed.insert(name);
        const std::string machine = hosts_.machine(rank);
        if (machine.empty()) {
          unknown.insert(name);
        } else {
          names[machine].insert(name);
          machines_of_name[name].insert(machine);
          if (!rank.instance_id.empty()) machines_of_id[rank.instance_id].insert(machine);
        }
        if (!rank.shared_memory_group) continue;
        const auto [first, is_new] = group_host.emplace(*rank.shared_memory_group, name);
        if (!is_new && first->second != name && !demand_.namespaces_are_hosts) {
          sharing.insert(first->second);
          sharing.insert(name);
        }
      }
    }
    r.evidence.push_back(fmt::format("{}, {} (boot_id{})", plural(claimed.size(), "host name"),
                                     plural(names.size(), "machine"),
                                     demand_.namespaces_are_hosts ? " and network namespace" : ""));
    std::set<std::string> guilty;
    for (const auto& [machine, here] : names) {
      if (here.size() < 2) continue;
      const std::vector<std::string> list(here.begin(), here.end());
      r.evidence.push_back(fmt::format("{} are one machine: boot_id {}", listed(list), machine));
      guilty.insert(here.begin(), here.end());
    }
    for (const auto& [name, machines] : machines_of_name) {
      if (machines.size() < 2) continue;
      r.evidence.push_back(fmt::format("{} is the name of {} machines", name, machines.size()));
      guilty.insert(name);
    }
    if (!sharing.empty()) {
      r.evidence.push_back("ranks share memory across " + listed({sharing.begin(), sharing.end()}));
      guilty.insert(sharing.begin(), sharing.end());
    }
    for (const auto& [id, machines] : machines_of_id) {
      if (machines.size() > 1)
        r.evidence.push_back(fmt::format("{} is the instance of {} machines", id, machines.size()));
    }
    const std::int64_t least = std::max<std::int64_t>(2, demand_.hosts.value_or(roll_call()->asked.hosts.value_or(2)));
    r.hosts.assign(guilty.begin(), guilty.end());
    if (!guilty.empty()) {
      conclude(r, Verdict::fail, "what is said to be several hosts is one machine, so messages never left it",
               "Give every node name its own instance: check NodeName and NodeAddr in slurm.conf, the host list, and "
               "the placement of "
               "ranks (--map-by ppr:N:node).");
    } else if (static_cast<std::int64_t>(claimed.size()) < least) {
      conclude(r, Verdict::fail, fmt::format("ranks ran on {} of {} hosts", claimed.size(), least),
               "Place ranks on all hosts: check the host list, slots, and the mapping (--map-by ppr:N:node).");
    } else if (!unknown.empty()) {
      conclude(r, Verdict::inconclusive, "no boot_id from " + listed({unknown.begin(), unknown.end()}),
               "Let the programs read /proc/sys/kernel/random/boot_id on every host.");
    } else {
      conclude(r, Verdict::pass);
    }
    return r;
  }

  Requirement one_host() const {
    Requirement r = requirement("one-host");
    const MpiDocument* call = roll_call();
    if (call == nullptr) return no_ranks(r), r;
    std::set<std::string> machines;
    std::set<std::string> names;
    std::set<std::int64_t> groups;
    for (const Rank& rank : call->ranks) {
      names.insert(rank.claimed_host());
      if (!hosts_.machine(rank).empty()) machines.insert(hosts_.machine(rank));
      if (rank.shared_memory_group) groups.insert(*rank.shared_memory_group);
    }
    r.evidence.push_back(fmt::format("{}, {}, {}, {} that shares memory", plural(call->ranks.size(), "rank"),
                                     plural(names.size(), "host name"), plural(machines.size(), "machine"),
                                     plural(groups.size(), "group")));
    if (machines.size() > 1 || groups.size() > 1 || names.size() > 1) {
      r.hosts.assign(names.begin(), names.end());
      conclude(r, Verdict::fail, "ranks run on several hosts, or cannot share memory",
               "Give one host, or expect efa or tcp.");
    } else if (machines.empty() || groups.empty()) {
      conclude(r, Verdict::inconclusive, "neither a boot_id nor groups that share memory are known",
               "Use the programs of mpi-tests.");
    } else {
      conclude(r, Verdict::pass);
    }
    return r;
  }

  Requirement layout() const {
    Requirement r = requirement("layout");
    const MpiDocument* call = roll_call();
    if (call == nullptr) return no_ranks(r), r;
    std::map<std::string, std::int64_t> ranks;
    for (const Rank& rank : call->ranks) ++ranks[rank.claimed_host()];
    std::int64_t least = ranks.begin()->second;
    std::int64_t most = least;
    for (const auto& [name, count] : ranks) {
      least = std::min(least, count);
      most = std::max(most, count);
    }
    r.evidence.push_back(fmt::format("{}: {} on {}, {} on each", call->test, plural(call->ranks.size(), "rank"),
                                     plural(ranks.size(), "host"),
                                     least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most)));
    const std::optional<std::int64_t> hosts = demand_.hosts ? demand_.hosts : call->asked.hosts;
    const bool per_host_holds = call->test == "hello" || call->test == "allreduce";
    const std::optional<std::int64_t> per_host =
        demand_.tasks_per_node && per_host_holds ? demand_.tasks_per_node : call->asked.per_host;
    std::vector<std::string> wrong;
    if (hosts && static_cast<std::int64_t>(ranks.size()) != *hosts) {
      wrong.push_back(fmt::format("{} hosts in place of {}", ranks.size(), *hosts));
    }
    for (const auto& [name, count] : ranks) {
      if (per_host && count != *per_host) {
        r.hosts.push_back(name);
        if (wrong.size() < kListed)
          wrong.push_back(fmt::format("{} ranks on {} in place of {}", count, name, *per_host));
      }
    }
    if (call->layout_ok == false && call->problems.empty()) wrong.push_back("hello found the layout wrong");
    // hello's own sentences count hosts its way: groups that share memory.
    for (const std::string& problem : call->problems) r.evidence.push_back("hello: " + problem);
    if (!wrong.empty()) {
      conclude(r, Verdict::fail, listed(wrong),
               "Correct the host list, the slots or the mapping of ranks (--map-by ppr:N:node, --ntasks-per-node).");
    } else if (call->layout_ok == false && (call->asked.hosts || call->asked.per_host) &&
               !demand_.namespaces_are_hosts) {
      conclude(r, Verdict::fail, call->problems.front(),
               "Correct the host list, the slots or the mapping of ranks (--map-by ppr:N:node, --ntasks-per-node).");
    } else if (!hosts && !per_host) {
      conclude(r, Verdict::inconclusive, "it is not known what layout was asked for",
               "Run hello with --expect-hosts and --expect-per-host.");
      r.required = false;
    } else {
      conclude(r, Verdict::pass);
    }
    return r;
  }

  Requirement instances() const {
    Requirement r = requirement("instances");
    r.required = false;
    std::set<std::string> zones;
    std::vector<std::string> unknown;
    for (const HostFacts& host : hosts_.all()) {
      if (!host.availability_zone.empty()) zones.insert(host.availability_zone);
      if (host.instance_type.empty() || host.availability_zone.empty()) unknown.push_back(host.name);
    }
    const std::vector<std::string> zone_list(zones.begin(), zones.end());
    if (!types_.empty()) r.evidence.push_back("instance types: " + listed(types_));
    if (!zones.empty()) r.evidence.push_back("availability zones: " + listed(zone_list));
    if (zones.size() > 1) {
      conclude(r, Verdict::fail, "the hosts are in several zones, and EFA's traffic does not leave one",
               "Give the node group one subnet (PCS-51).");
    } else if (types_.size() > 1) {
      conclude(r, Verdict::fail, "the hosts are of several instance types",
               "Make the node group of one type (PCS-50).");
    } else if (!demand_.instance_type.empty() && !types_.empty() && types_.front() != demand_.instance_type) {
      conclude(r, Verdict::fail, fmt::format("the hosts are {}, not {}", types_.front(), demand_.instance_type),
               "Give the right --instance-type, or the node group the right instances.");
    } else if (hosts_.all().empty() || !unknown.empty()) {
      conclude(r, Verdict::inconclusive,
               hosts_.all().empty() ? std::string("no program told where its ranks ran")
                                    : "type or zone are not known of " + listed(unknown),
               "Run with --imds: then the programs ask the instance metadata service.");
    } else {
      conclude(r, Verdict::pass);
    }
    return r;
  }

  // Whether a line about a btl is about two hosts. Nodes of Slurm may have other names than hosts.
  bool within_host(const TransportUse& use) const {
    if (use.peer.empty() || use.host.empty()) return false;
    if (short_name(use.host) == short_name(use.peer)) return true;
    std::set<std::string_view> nodes;
    for (const MpiDocument& document : evidence_.documents) {
      for (const Rank& rank : document.ranks) {
        if (short_name(rank.host) == short_name(use.host) && !rank.node.empty()) nodes.insert(rank.node);
      }
    }
    return nodes.size() == 1 && *nodes.begin() == use.peer;
  }

  Requirement provider() const {
    Requirement r = requirement("provider");
    const Family wanted = demand_.fabric == Fabric::efa   ? Family::efa
                          : demand_.fabric == Fabric::tcp ? Family::tcp
                                                          : Family::shm;
    std::map<std::string, std::set<std::string>> good;  // what the log says, by name: on which hosts
    std::map<std::string, std::set<std::string>> bad;
    for (const LaunchLog& log : evidence_.logs) {
      for (const TransportUse& use : log.uses) {
        const Family found = family(use);
        // Over any network ranks of one host may well share memory.
        if (between_hosts() && use.layer == TransportUse::Layer::btl && within_host(use) && found != wanted) continue;
        if (between_hosts() && use.layer == TransportUse::Layer::libfabric && found == Family::shm) continue;
        if (use.layer == TransportUse::Layer::netmod) {
          // It does not say what UCX takes in its turn; EFA it is not.
          if (demand_.fabric == Fabric::efa) bad["MPICH's netmod " + use.name].insert("every host");
          continue;
        }
        const std::string name =
            use.layer == TransportUse::Layer::btl ? "Open MPI's btl " + use.name : "libfabric provider " + use.name;
        (found == wanted ? good : bad)[name].insert(use.host.empty() ? "a host that the line does not name" : use.host);
      }
    }
    for (const auto* side : {&good, &bad}) {
      for (const auto& [name, on] : *side)
        r.evidence.push_back(fmt::format("log: {} on {}", name, listed({on.begin(), on.end()})));
    }
    std::size_t ranks = 0;
    std::size_t named = 0;     // ranks of which the document names the provider
    std::size_t by_parts = 0;  // ranks whose plug-ins leave one way only
    std::set<std::string> other_providers;
    std::set<std::string> without_device;
    for (const MpiDocument& document : evidence_.documents) {
      if (document.ranks.size() < 2) continue;
      for (const Rank& rank : document.ranks) {
        ++ranks;
        const auto has = [](const std::vector<std::string>& list, std::string_view what) {
          return std::find(list.begin(), list.end(), what) != list.end();
        };
        bool matches = false;
        for (const std::string& name : rank.providers) {
          const TransportUse use{TransportUse::Layer::libfabric, name, "", ""};
          if (family(use) == wanted) {
            matches = true;
          } else if (family(use) != Family::shm) {
            other_providers.insert(name);
          }
        }
        named += matches ? 1 : 0;
        const bool idle = rank.sent_bytes == 0 && rank.received_bytes == 0;
        if (demand_.fabric == Fabric::efa && rank.fabric_known && rank.open_devices.empty() &&
            rank.mapped_devices.empty() && !idle) {
          without_device.insert(rank.claimed_host());
        }
        const bool tcp = has(rank.mpi_components, "btl_tcp");
        const bool memory = has(rank.mpi_components, "btl_vader") || has(rank.mpi_components, "btl_sm");
        const bool more = has(rank.mpi_components, "mtl_ofi") || has(rank.mpi_components, "btl_ofi") ||
                          has(rank.mpi_components, "btl_openib") || has(rank.mpi_components, "pml_ucx") ||
                          has(rank.mpi_components, "mtl_psm2");
        if (demand_.fabric == Fabric::tcp && tcp && !memory && !more) ++by_parts;
        if (demand_.fabric == Fabric::shm && memory && !tcp && !more) ++by_parts;
      }
    }
    if (named > 0) r.evidence.push_back(fmt::format("{} of {} ranks have queues of this provider", named, ranks));
    if (by_parts > 0)
      r.evidence.push_back(
          fmt::format("{} of {} ranks have loaded this transport of Open MPI and no other", by_parts, ranks));
    const auto hosts_of = [](const std::map<std::string, std::set<std::string>>& uses) {
      std::set<std::string> hosts;
      for (const auto& [name, on] : uses) hosts.insert(on.begin(), on.end());
      return hosts;
    };
    const std::string remedy =
        demand_.fabric == Fabric::efa
            ? "Force it, so that a job fails where it would be slow: OMPI_MCA_pml=cm OMPI_MCA_mtl=ofi FI_PROVIDER=efa "
              "(Open MPI), "
              "I_MPI_OFI_PROVIDER=efa (Intel MPI); fi_info -p efa must list a device on every host."
        : demand_.fabric == Fabric::tcp
            ? "Force it: OMPI_MCA_pml=ob1 OMPI_MCA_btl=tcp,self (Open MPI), FI_PROVIDER=tcp (libfabric)."
            : "Force it: OMPI_MCA_pml=ob1 OMPI_MCA_btl=vader,self (Open MPI), I_MPI_FABRICS=shm (Intel MPI).";
    if (!bad.empty()) {
      const std::set<std::string> hosts = hosts_of(bad);
      r.hosts.assign(hosts.begin(), hosts.end());
      std::vector<std::string> names;
      for (const auto& [name, on] : bad) names.push_back(name);
      conclude(r, Verdict::fail, fmt::format("MPI sends with {}", listed(names)), remedy);
    } else if (!other_providers.empty()) {
      conclude(r, Verdict::fail,
               fmt::format("ranks have queues of {}", listed({other_providers.begin(), other_providers.end()})),
               remedy);
    } else if (!without_device.empty()) {
      r.hosts.assign(without_device.begin(), without_device.end());
      conclude(r, Verdict::fail, "ranks hold no RDMA device open on " + listed(r.hosts), remedy);
    } else if (!good.empty() || (ranks > 0 && (named == ranks || by_parts == ranks))) {
      if (evidence_.documents.empty()) {
        conclude(r, Verdict::inconclusive, "the provider was chosen, but no program came to its end", remedy);
      } else {
        conclude(r, Verdict::pass);
      }
    } else if (launched() && started_only_as_is()) {
      const std::vector<Trouble> known = troubles();
      conclude(r, Verdict::fail,
               known.empty()
                   ? fmt::format("MPI does not start over {}, but it does when left to choose", name_of(demand_.fabric))
                   : known.front().cause,
               known.empty() ? remedy : known.front().remedy);
    } else {
      conclude(r, Verdict::inconclusive, "nothing shows how MPI sent its messages",
               "Keep the logs of runs with OMPI_MCA_opal_common_ofi_verbose=1 OMPI_MCA_mtl_base_verbose=1 "
               "OMPI_MCA_btl_base_verbose=1 "
               "(Open MPI), I_MPI_DEBUG=5 (Intel MPI) or MPIR_CVAR_DEBUG_SUMMARY=1 (MPICH), and give them, too.");
    }
    return r;
  }

  bool started_only_as_is() const { return evidence_.documents.empty() && evidence_.fallback.has_value(); }

  // Names of the EFA devices of every host, from whatever document has them.
  std::map<std::string, std::optional<std::set<std::string>>> efa_devices() const {
    std::map<std::string, std::optional<std::set<std::string>>> devices;
    const auto look = [&](const MpiDocument& document) {
      for (const Rank& rank : document.ranks) {
        auto& here = devices[rank.claimed_host()];
        if (!rank.devices_known) continue;
        if (!here) here.emplace();
        for (const Device& device : rank.devices) {
          if (device.driver == "efa") here->insert(device.name);
        }
      }
    };
    for (const MpiDocument& document : evidence_.documents) look(document);
    if (evidence_.fallback) look(*evidence_.fallback);
    return devices;
  }

  Requirement interfaces() const {
    Requirement r = requirement("interfaces");
    const auto devices = efa_devices();
    if (devices.empty()) return no_ranks(r), r;
    std::vector<std::string> unknown;
    std::map<std::size_t, std::vector<std::string>> by_count;
    for (const auto& [host, names] : devices) {
      if (names) {
        by_count[names->size()].push_back(host);
      } else {
        unknown.push_back(host);
      }
    }
    for (const auto& [count, on] : by_count)
      r.evidence.push_back(fmt::format("{} EFA interfaces on {}", count, listed(on)));
    std::optional<std::int64_t> expected = demand_.interfaces;
    std::string by = "asked for";
    const std::optional<InstanceType> type = find_instance_type(result_.instance_type);
    if (!expected && type) {
      expected = type->efa_interfaces;
      by = "the catalog's number for " + type->name;
    }
    if (const auto none = by_count.find(0); none != by_count.end()) {
      r.hosts = none->second;
      conclude(r, Verdict::fail,
               type && type->efa_interfaces == 0 ? fmt::format("{} has no EFA", type->name)
                                                 : "there is no EFA device on " + listed(r.hosts),
               "Use an instance type with EFA and a launch template with interfaces of type efa (PCS-50, PCS-52); the "
               "AMI needs the EFA "
               "driver (PCS-56).");
      return r;
    }
    if (!expected) {
      conclude(r, Verdict::inconclusive,
               result_.instance_type.empty() ? std::string("the instance type is not known")
                                             : fmt::format("{} is not in the catalog", result_.instance_type),
               "Give --instance-type or --interfaces.");
      return r;
    }
    r.evidence.push_back(fmt::format("expected {}: {}", *expected, by));
    for (const auto& [count, on] : by_count) {
      if (static_cast<std::int64_t>(count) != *expected) r.hosts.insert(r.hosts.end(), on.begin(), on.end());
    }
    if (!r.hosts.empty()) {
      conclude(r, Verdict::fail, fmt::format("not {} EFA interfaces on {}", *expected, listed(r.hosts)),
               "Ask for one EFA interface on every network card in the launch template (PCS-53), or give --interfaces "
               "when fewer are meant.");
    } else if (!unknown.empty()) {
      conclude(r, Verdict::inconclusive, "the devices are not known of " + listed(unknown),
               "Let the programs read /sys/class/infiniband.");
    } else {
      conclude(r, Verdict::pass);
    }
    return r;
  }

  struct Moved {
    double sent = 0;  // bytes that ranks sent to other hosts
    double tx = 0;    // bytes that the devices counted
    double received = 0;
    double rx = 0;
    double retransmitted = 0;
    bool known = true;
    bool backwards = false;
  };

  // What the EFA devices of one host counted while its ranks ran. All of them read the same devices: the first and the
  // last look count.
  static void count_devices(const std::vector<const Rank*>& ranks, Moved& here) {
    std::map<std::tuple<std::string, std::int64_t, std::string>, std::pair<std::int64_t, std::int64_t>> looks;
    for (const Rank* rank : ranks) {
      for (const Device& device : rank->devices) {
        if (device.driver != "efa") continue;
        if (device.find("tx_bytes") == nullptr || device.find("rx_bytes") == nullptr) here.known = false;
        for (const Counter& counter : device.counters) {
          if (counter.after < counter.before) here.backwards = true;
          const auto [look, is_new] = looks.emplace(std::tuple(device.name, device.port, counter.name),
                                                    std::pair(counter.before, counter.after));
          look->second.first = std::min(look->second.first, counter.before);
          look->second.second = std::max(look->second.second, counter.after);
        }
      }
    }
    std::map<std::pair<std::string, std::int64_t>, std::map<std::string, double>> ports;
    for (const auto& [key, look] : looks) {
      const auto& [device, port, name] = key;
      ports[{device, port}][name] = std::max(0.0, static_cast<double>(look.second) - static_cast<double>(look.first));
    }
    for (auto& [port, by] : ports) {
      // RDMA reads and writes have counters of their own beside those of all packets.
      here.tx += std::max(by["tx_bytes"], by["send_bytes"] + by["rdma_read_resp_bytes"] + by["rdma_write_bytes"]);
      here.rx += std::max(by["rx_bytes"], by["recv_bytes"] + by["rdma_read_bytes"] + by["rdma_write_recv_bytes"]);
      here.retransmitted += by["retrans_bytes"];
    }
  }

  Requirement counters() const {
    Requirement r = requirement("counters");
    std::map<std::string, Moved> moved;
    std::vector<std::string> passed_over;
    for (const MpiDocument& document : evidence_.documents) {
      if (document.ranks.size() < 2) continue;
      std::map<std::string, std::vector<const Rank*>> by_host;
      for (const Rank& rank : document.ranks) by_host[rank.claimed_host()].push_back(&rank);
      // What goes to ranks of the same host need not reach a device: it has to be known apart.
      const bool apart = std::all_of(document.ranks.begin(), document.ranks.end(), [](const Rank& rank) {
        return rank.sent_off_host_bytes.has_value() && rank.received_off_host_bytes.has_value();
      });
      if (by_host.size() != document.ranks.size() && !apart) {
        passed_over.push_back(document.test);
        continue;
      }
      for (const auto& [host, ranks] : by_host) {
        Moved& here = moved[host];
        for (const Rank* rank : ranks) {
          const std::optional<std::int64_t>& sent = apart ? rank->sent_off_host_bytes : rank->sent_bytes;
          const std::optional<std::int64_t>& received = apart ? rank->received_off_host_bytes : rank->received_bytes;
          here.known = here.known && sent && received && rank->devices_known;
          here.sent += static_cast<double>(sent.value_or(0));
          here.received += static_cast<double>(received.value_or(0));
        }
        count_devices(ranks, here);
      }
    }
    if (!passed_over.empty()) {
      r.evidence.push_back("several ranks on a host and bytes not known apart, so not counted: " + listed(passed_over));
    }
    double sent = 0;
    double tx = 0;
    std::vector<std::string> unknown;
    for (const auto& [host, here] : moved) {
      sent += here.sent;
      tx += here.tx;
      if (!here.known) {
        unknown.push_back(host);
      } else if (here.backwards) {
        unknown.push_back(host);
        r.evidence.push_back(fmt::format("{}: a counter went backwards, as after a reset of the driver", host));
      } else if (here.tx < here.sent || here.rx < here.received) {
        r.hosts.push_back(host);
        if (r.hosts.size() <= kListed) {
          r.evidence.push_back(
              fmt::format("{}: sent {:.0f} bytes, devices counted {:.0f}; received {:.0f}, counted {:.0f}", host,
                          here.sent, here.tx, here.received, here.rx));
        }
      }
      if (here.retransmitted > 0.01 * here.tx) {
        r.evidence.push_back(
            fmt::format("{}: {:.1f} % sent again", host, 100 * here.retransmitted / std::max(here.tx, 1.0)));
      }
    }
    if (!moved.empty()) {
      r.evidence.insert(r.evidence.begin(),
                        fmt::format("{} hosts sent {:.0f} bytes to each other; their EFA devices counted {:.0f}",
                                    moved.size(), sent, tx));
    }
    if (!r.hosts.empty()) {
      conclude(r, Verdict::fail, "messages went another way than over the EFA devices of " + listed(r.hosts),
               "Force EFA (OMPI_MCA_mtl=ofi FI_PROVIDER=efa); ranks that really share a machine need "
               "FI_EFA_ENABLE_SHM_TRANSFER=0 to be counted.");
    } else if (moved.empty()) {
      conclude(r, Verdict::inconclusive, "no test ran with one rank on each of several hosts",
               "Run pingpong or allpairs so.");
    } else if (!unknown.empty()) {
      conclude(r, Verdict::inconclusive, "bytes or counters are not known of " + listed(unknown),
               "Let the programs read /sys/class/infiniband/*/ports/*/hw_counters.");
    } else if (sent <= 0) {
      conclude(r, Verdict::inconclusive, "nothing was sent between hosts", "Run pingpong or allpairs.");
    } else {
      conclude(r, Verdict::pass);
    }
    return r;
  }

  Requirement plausible() const {
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
    if (!streaming_.empty() && type && demand_.fabric == Fabric::efa) {
      const Measured& most = *std::max_element(streaming_.begin(), streaming_.end(), faster);
      const double limit_mb_s = type->network_gbps * 1000 / 8 * 1.1;
      r.evidence.push_back(fmt::format("most bandwidth {}: {}; the network of {} carries {:.0f} Gb/s", mb_s(most.value),
                                       most.pair(), type->name, type->network_gbps));
      if (limit_mb_s > 0 && most.value > limit_mb_s) {
        r.pairs.emplace_back(most.a->claimed_host(), most.b->claimed_host());
        conclude(r, Verdict::fail,
                 fmt::format("{} is more than the network of {} carries", mb_s(most.value), type->name),
                 "Check the instance type, and that the ranks are on different machines.");
        return r;
      }
    }
    conclude(r, Verdict::pass);
    return r;
  }

  std::optional<Expectation> expectation() const {
    return find_expectation(result_.instance_type, demand_.fabric, vendor_);
  }

  // What there is to say when there is no number to compare with.
  void no_expectation(Requirement& r, std::string_view option) const {
    const std::string known = expected_types(demand_.fabric);
    r.required = demand_.fabric == Fabric::efa;
    conclude(r, Verdict::inconclusive,
             result_.instance_type.empty()
                 ? std::string("the instance type is not known, so there is nothing to compare with")
                 : fmt::format("nobody's measurement of {} over {} is known here{}", result_.instance_type,
                               name_of(demand_.fabric), known.empty() ? "" : "; known: " + known),
             fmt::format("Give --instance-type, or what you expect with {}.", option));
  }

  Requirement latency() const {
    Requirement r = requirement("latency");
    if (small_us_.empty()) {
      conclude(r, Verdict::inconclusive, "no latency of small messages was measured", "Run pingpong or allpairs.");
      r.required = demand_.fabric == Fabric::efa || demand_.max_latency_us.has_value();
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
      conclude(r, Verdict::fail, fmt::format("{} of {} pairs are above {}", r.pairs.size(), values.size(), us(limit)),
               "Put the group into one cluster placement group (PCS-54); replace hosts that are slow with every other; "
               "measure with one rank "
               "a core and nothing else running.");
    } else {
      conclude(r, Verdict::pass);
    }
    return r;
  }

  Requirement bandwidth() const {
    Requirement r = requirement("bandwidth");
    const auto less = [](const Measured& a, const Measured& b) { return a.value < b.value; };
    if (!streaming_.empty()) {
      const Measured& most = *std::max_element(streaming_.begin(), streaming_.end(), less);
      r.evidence.push_back(fmt::format("streaming up to {}: {}", mb_s(most.value), most.pair()));
    }
    if (transfer_.empty()) {
      conclude(r, Verdict::inconclusive, "no ping-pong of 1 MiB was measured",
               "Run pingpong with --max-bytes of 1 MiB or more.");
      r.required = demand_.fabric == Fabric::efa || demand_.min_bandwidth_mb_s.has_value();
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
      conclude(r, Verdict::fail,
               fmt::format("{} of {} pairs are below {}", r.pairs.size(), transfer_.size(), mb_s(limit)),
               "Check that every network card has its EFA interface (PCS-53), that Open MPI uses mtl/ofi (btl/ofi gets "
               "half), and that "
               "nothing else uses the network.");
    } else {
      conclude(r, Verdict::pass);
    }
    return r;
  }

  template <typename Over>
  static void over_limit(Requirement& r, const std::vector<Measured>& measured, Over over) {
    std::set<std::pair<std::string, std::string>> seen;
    for (const Measured& m : measured) {
      if (!over(m.value)) continue;
      const auto pair = std::minmax(m.a->claimed_host(), m.b->claimed_host());
      if (!seen.insert(pair).second) continue;
      r.pairs.push_back(pair);
    }
  }

  Requirement uniform() {
    Requirement r = requirement("uniform");
    const MpiDocument* document = nullptr;
    for (const MpiDocument& d : evidence_.documents) {
      if (d.test == "allpairs") document = &d;
    }
    // Two hosts are one pair: there is nothing to compare it with, and nobody can say which of them is slow.
    r.required = asked_for("allpairs") || demand_.fabric == Fabric::efa;
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
    const double factor = demand_.slow_factor.value_or(slow_factor(demand_.fabric));
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
      std::map<std::size_t, std::size_t> slow_of_rank;
      for (const std::size_t i : slow) {
        ++slow_of_rank[pairs[i]->a];
        ++slow_of_rank[pairs[i]->b];
      }
      std::size_t worst = 0;
      std::size_t count = 0;
      for (const auto& [rank, times] : slow_of_rank) {
        if (times > count) {
          worst = rank;
          count = times;
        }
      }
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

  Requirement payload() const {
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
    if (!checked.empty()) r.evidence.push_back("checked by " + listed(checked));
    if (errors > 0) {
      conclude(r, Verdict::fail, fmt::format("{} messages or results arrived changed", errors),
               "Take the hosts out of use: memory, adapter or driver are broken; say so to AWS.");
    } else if (checked.empty()) {
      conclude(r, Verdict::inconclusive, "no test that checks what arrives has ended", "Run pingpong and allreduce.");
      r.required = demand_.fabric == Fabric::efa || asked_for("pingpong") || asked_for("allreduce");
    } else {
      conclude(r, Verdict::pass);
    }
    return r;
  }

  const Demand& demand_;
  const Evidence& evidence_;
  Hosts hosts_;
  std::vector<std::string> types_;
  std::string vendor_;
  std::vector<Measured> small_us_;    // up to 8 bytes
  std::vector<Measured> fastest_us_;  // of any size
  std::vector<Measured> transfer_;    // ping-pong bandwidth of 1 MiB
  std::vector<Measured> streaming_;
  Validation result_;
};

}  // namespace

Validation judge(const Demand& demand, const Evidence& evidence) { return Judge(demand, evidence).run(); }

std::vector<std::pair<std::string, std::string>> all_requirements() {
  std::vector<std::pair<std::string, std::string>> all;
  for (const Title& title : kTitles) all.emplace_back(title.id, title.title);
  return all;
}

}  // namespace headroom::validate
