// Who has had how much: the tree of associations with what their jobs used, decayed, and the fair-share factors that
// follow from it. Hides the two ways to work them out: Fair Tree ranks all users, the classic one takes
// 2^(-usage / shares) of each. It knows no time: whoever charges and decays says how much.
//
// Source: Slurm's documentation (fair_tree, classic_fair_share), sshare(1), and recorded runs of 22.05.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "models/policies/slurm/associations.hpp"

namespace headroom::slurm {

// What jobs used.
struct Usage {
  double billing = 0;                // billing units x seconds
  std::array<double, kTres> tres{};  // TRES x seconds
  double wall = 0;                   // seconds

  void add(const Usage& more);
  void scale(double factor);
};

// An association as fair share sees it.
struct Shareholder {
  std::uint32_t measured = kNobody;  // the nearest above that has shares of its own: what it is measured against
  std::int64_t level_shares = 0;     // its own and its siblings'
  double norm_shares = 0;

  Usage usage;
  double norm_usage = 0;       // of all usage
  double effective_usage = 0;  // Fair Tree: of the usage of what it is measured against
  double level = 0;            // Fair Tree: shares / usage among its siblings; of fairshare=parent meaningless
  double factor = 1;           // Fair Tree: its rank
};

class Fairshare {
 public:
  struct Rules {
    bool fair_tree = true;
    bool depth_oblivious = false;
    double dampening = 1;
  };
  Fairshare(const Associations& associations, Rules rules);

  // By association.
  std::span<const Shareholder> holders() const { return all_; }

  void charge(std::uint32_t association, const Usage& more);  // and all above it
  void decay(double factor);
  void forget();  // PriorityUsageResetPeriod

  // Classic: the accounts' effective usage is set by what was used until now. A user's follows when it is asked for,
  // and stays until the next call.
  void measure_accounts();
  // Fair Tree: everybody's factor, by what was used until now.
  void rank();
  // The factor of an association's jobs, from 0 to 1.
  double factor(std::uint32_t association);
  // What sshare would show: users' values that nobody has asked for yet are worked out.
  void measure_users();
  // Classic: of an association as sshare shows it.
  double shown_factor(std::uint32_t association) const;

 private:
  void measure(std::uint32_t association);
  void set_level(std::uint32_t association);
  void rank(std::vector<std::uint32_t> siblings, std::uint32_t& rank, std::uint32_t& next, bool tied);
  double by_usage(double effective_usage, double norm_shares) const;

  const Associations& associations_;
  Rules rules_;
  std::vector<Shareholder> all_;                   // root is the first
  std::vector<std::vector<std::uint32_t>> below_;  // siblings: those that are measured against it
  std::vector<char> unmeasured_;                   // users, since measure_accounts()
  std::uint32_t users_ = 0;
};

}  // namespace headroom::slurm
