// Inside of validation: the evidence put in order, and the requirements one by one. Only validation.cpp and the
// judge_*.cpp include this. Promises what validation.hpp promises.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/validate/expectation.hpp"
#include "models/validate/validation.hpp"

namespace headroom::validate {

inline constexpr std::int64_t kSmallBytes = 8;  // up to there a message counts as small
inline constexpr std::size_t kListed = 8;       // names in a sentence

// With the title of this id, inconclusive.
Requirement requirement(std::string_view id);
void conclude(Requirement& r, Verdict verdict, std::string cause = "", std::string remedy = "");
// For requirements about ranks when nobody told where they ran.
Requirement without_ranks(std::string_view id);

std::string plural(std::size_t count, std::string_view noun);
std::string listed(const std::vector<std::string>& names);  // the first kListed of them
std::string us(double value);
std::string mb_s(double value);

// Everything that is known of the hosts, from all documents.
class HostRoll {
 public:
  // Throws InputError when documents are of different runs. `namespaces`: those of one kernel count as hosts.
  HostRoll(const Evidence& evidence, bool namespaces);

  const std::vector<HostFacts>& all() const { return facts_; }
  std::size_t index(const Rank& rank) const { return by_name_.at(rank.claimed_host()); }
  // What machine a rank really runs on; empty when not known.
  std::string machine(const Rank& rank) const;

 private:
  struct Identity {
    std::string machine;
    std::string source;
  };
  void add(const MpiDocument& document);

  bool namespaces_;
  std::vector<HostFacts> facts_;
  std::vector<Identity> identity_;
  std::map<std::string, std::size_t> by_name_;
  std::vector<std::pair<std::set<std::string>, std::string>> sets_;  // hosts of each document
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
  Validation run();

 private:
  // judge_start.cpp
  Requirement completed() const;
  Requirement no_hang() const;
  // judge_hosts.cpp
  Requirement distinct_hosts() const;
  Requirement one_host() const;
  Requirement layout() const;
  Requirement instances() const;
  // judge_transport.cpp
  Requirement provider() const;
  Requirement interfaces() const;
  Requirement counters() const;
  // judge_speed.cpp
  Requirement plausible() const;
  Requirement latency() const;
  Requirement bandwidth() const;
  Requirement uniform();  // fills the validation's pairs, too
  Requirement payload() const;

  void find_type();
  void gather();
  bool launched() const { return !evidence_.runs.empty(); }
  bool between_hosts() const { return demand_.transport != Transport::shm; }
  // Under shm pairs are of ranks on one host; otherwise only pairs of ranks that claim different hosts say anything.
  bool counts(const Rank& a, const Rank& b) const { return !between_hosts() || a.claimed_host() != b.claimed_host(); }
  bool asked_for(std::string_view test) const;
  std::vector<Trouble> troubles() const;
  std::string log_end(const std::string& file) const;
  const MpiDocument* roll_call() const;  // the document that says most about who ran where
  bool started_only_as_is() const { return evidence_.documents.empty() && evidence_.fallback.has_value(); }
  // Whether a line about a btl is about one host. Nodes of Slurm may have other names than hosts.
  bool within_host(const TransportUse& use) const;
  // Names of the EFA devices of every host, from whatever document has them; nothing where they are not known.
  std::map<std::string, std::optional<std::set<std::string>>> efa_devices() const;
  std::optional<Expectation> expectation() const;
  // What there is to say when there is no number to compare with.
  void no_expectation(Requirement& r, std::string_view option) const;

  const Demand& demand_;
  const Evidence& evidence_;
  HostRoll hosts_;
  std::vector<std::string> types_;    // of the hosts
  std::string vendor_;                // of the MPI
  std::vector<Measured> small_us_;    // up to 8 bytes
  std::vector<Measured> fastest_us_;  // of any size
  std::vector<Measured> transfer_;    // ping-pong bandwidth of 1 MiB
  std::vector<Measured> streaming_;
  Validation result_;
};

}  // namespace headroom::validate
