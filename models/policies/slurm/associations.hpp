// Who pays for a job: users in accounts, accounts in a tree, and the QOS that each of them may have. What sacctmgr
// hands down from an account to what is below it (limits of one job, limits of one user, QOS) is handed down here.
#pragma once

#include <string_view>
#include <vector>

#include "models/policies/slurm/accounting.hpp"

namespace headroom::slurm {

inline constexpr std::uint32_t kNobody = ~std::uint32_t{0};

// An account, or a user in it.
struct Association {
  std::uint32_t parent = kNobody;  // the association above; of root: none
  std::uint32_t account = 0;       // 0: root; else 1 + position in Accounting::accounts
  Limits limits;
  std::vector<bool> qos;                // that its jobs may have, by position in Accounting::qos
  std::uint32_t default_qos = kNobody;  // none: its only one, or normal
};

class Associations {
 public:
  explicit Associations(const Accounting& accounting);

  std::size_t size() const { return all_.size(); }
  const Association& operator[](std::uint32_t association) const { return all_[association]; }
  std::size_t accounts() const { return accounts_.size(); }
  const std::string& account_name(std::uint32_t account) const { return accounts_[account]; }

  // Of a user in an account, "" for the user's default; kNobody: there is none.
  std::uint32_t find(std::uint32_t user, std::string_view account) const;
  // The QOS of a job that names none.
  std::uint32_t default_qos(std::uint32_t association) const;
  std::uint32_t find_qos(std::string_view name) const;  // kNobody: none

 private:
  std::vector<Association> all_;       // root, the accounts, then the users in them
  std::vector<std::string> accounts_;  // names; root first
  std::vector<std::string> qos_;       // names
  std::uint32_t normal_ = kNobody;
  std::vector<std::vector<std::uint32_t>> of_user_;  // by user, the default account's first
};

}  // namespace headroom::slurm
