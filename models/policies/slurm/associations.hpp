// Who pays for a job: users in accounts, accounts in a tree, and the QOS that each of them may have. What sacctmgr
// hands down from an account to what is below it (limits of one job, limits of one user, QOS) is handed down here.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "models/policies/slurm/accounting.hpp"
#include "models/policies/slurm/asks.hpp"

namespace headroom::slurm {

inline constexpr std::uint32_t kNobody = ~std::uint32_t{0};

// An account, or a user in it.
struct Association {
  std::uint32_t above = kNobody;  // its account, or the account's parent; of root: none
  std::uint32_t account = 0;      // 0: root; else 1 + position in Accounting::accounts
  std::string user;               // "": the account's own
  std::uint32_t depth = 0;        // root: 0
  std::uint32_t added = 0;        // position in the order in which slurmdbd came to know them
  std::int64_t shares = 1;
  std::uint32_t priority = 0;  // its own, or that of the nearest above that has one
  Limits limits;
  std::vector<bool> qos;                // that its jobs may have, by position in Accounting::qos
  std::uint32_t default_qos = kNobody;  // none: its only one, or normal

  bool is_user() const { return !user.empty(); }
  bool by_parent() const { return shares == kParentShares; }
};

// Whom a job is charged to; kNobody: nobody.
struct Payer {
  std::uint32_t association = kNobody;
  std::uint32_t qos = kNobody;
};

class Associations {
 public:
  // `accounting` stays, and what it refers to is there (see check()).
  explicit Associations(const Accounting& accounting);

  // In the order in which sshare lists them: above before below, an account's users before its accounts, by name; root
  // first, with its own user, as slurmdbd has it.
  std::span<const Association> all() const { return all_; }
  std::size_t size() const { return all_.size(); }
  const Association& operator[](std::uint32_t association) const { return all_[association]; }
  std::size_t accounts() const { return accounts_.size(); }
  const std::string& account_name(std::uint32_t account) const { return accounts_[account]; }
  std::uint32_t most_priority() const { return most_priority_; }
  const std::vector<Qos>& qos() const { return accounting_.qos; }

  // The association of a user of Accounting::users in an account, "": the user's default; kNobody: there is none.
  std::uint32_t find(std::uint32_t user, std::string_view account) const;
  std::uint32_t find_qos(std::string_view name) const;  // kNobody: none
  // Of a job of `user` that asks for an account and a QOS, or for neither.
  Payer payer(std::uint32_t user, const Asks& asks) const;

 private:
  const Accounting& accounting_;
  std::vector<Association> all_;
  std::vector<std::string> accounts_;                // names; root first
  std::uint32_t normal_ = kNobody;                   // the QOS of that name
  std::uint32_t most_priority_ = 0;                  // of all
  std::vector<std::vector<std::uint32_t>> of_user_;  // by user, the default account's first
};

}  // namespace headroom::slurm
