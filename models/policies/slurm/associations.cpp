#include "models/policies/slurm/associations.hpp"

#include <algorithm>

namespace headroom::slurm {
namespace {

void hand_down(std::int64_t& limit, std::int64_t above) {
  if (limit == kNoLimit) limit = above;
}

void hand_down(TresCounts& limits, const TresCounts& above) {
  for (std::size_t t = 0; t < kTres; ++t) hand_down(limits.of[t], above.of[t]);
}

// Limits of a group (Grp*) stay with the group.
void hand_down(Limits& limits, const Limits& above) {
  hand_down(limits.max_tres_job, above.max_tres_job);
  hand_down(limits.max_tres_node, above.max_tres_node);
  hand_down(limits.max_tres_secs_job, above.max_tres_secs_job);
  hand_down(limits.max_jobs, above.max_jobs);
  hand_down(limits.max_submit_jobs, above.max_submit_jobs);
  hand_down(limits.max_wall, above.max_wall);
  hand_down(limits.min_prio_thresh, above.min_prio_thresh);
}

std::uint32_t position(const std::vector<std::string>& names, std::string_view name) {
  const auto at = std::find(names.begin(), names.end(), name);
  return at == names.end() ? kNobody : static_cast<std::uint32_t>(at - names.begin());
}

}  // namespace

Associations::Associations(const Accounting& accounting) {
  for (const Qos& qos : accounting.qos) qos_.push_back(qos.name);
  normal_ = find_qos("normal");
  accounts_.emplace_back("root");
  for (const Account& account : accounting.accounts) accounts_.push_back(account.name);
  Association& root = all_.emplace_back();
  root.qos.assign(qos_.size(), false);
  if (normal_ != kNobody) root.qos[normal_] = true;

  const auto fill = [&](Association& association, const auto& from, const Association& above) {
    association.limits = from.limits;
    hand_down(association.limits, above.limits);
    association.qos = above.qos;
    if (!from.qos.empty()) {
      association.qos.assign(qos_.size(), false);
      for (const std::string& name : from.qos) association.qos[find_qos(name)] = true;
    }
    association.default_qos = from.default_qos.empty() ? above.default_qos : find_qos(from.default_qos);
  };
  // Accounts may stand before those above them.
  all_.resize(accounts_.size());
  std::vector<bool> done(accounts_.size());
  done[0] = true;
  for (bool more = true; more;) {
    more = false;
    for (std::uint32_t a = 1; a < accounts_.size(); ++a) {
      const Account& account = accounting.accounts[a - 1];
      const std::uint32_t parent = position(accounts_, account.parent);
      if (done[a] || parent == kNobody || !done[parent]) continue;
      all_[a].parent = parent;
      all_[a].account = a;
      fill(all_[a], account, all_[parent]);
      done[a] = more = true;
    }
  }
  for (const User& user : accounting.users) {
    std::vector<std::uint32_t>& mine = of_user_.emplace_back();
    for (const std::string& name : user.accounts) {
      const std::uint32_t account = position(accounts_, name);
      if (account == kNobody) continue;
      Association association;
      association.parent = association.account = account;
      fill(association, user, all_[account]);
      mine.push_back(static_cast<std::uint32_t>(all_.size()));
      all_.push_back(std::move(association));
    }
  }
}

std::uint32_t Associations::find(std::uint32_t user, std::string_view account) const {
  if (user >= of_user_.size()) return kNobody;
  for (const std::uint32_t association : of_user_[user]) {
    if (account.empty() || accounts_[all_[association].account] == account) return association;
  }
  return kNobody;
}

std::uint32_t Associations::default_qos(std::uint32_t association) const {
  if (association == kNobody) return normal_;
  const Association& of = all_[association];
  if (of.default_qos != kNobody) return of.default_qos;
  if (std::count(of.qos.begin(), of.qos.end(), true) == 1) {
    return static_cast<std::uint32_t>(std::find(of.qos.begin(), of.qos.end(), true) - of.qos.begin());
  }
  return normal_;
}

std::uint32_t Associations::find_qos(std::string_view name) const { return position(qos_, name); }

}  // namespace headroom::slurm
