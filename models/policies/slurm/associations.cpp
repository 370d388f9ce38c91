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

}  // namespace

Associations::Associations(const Accounting& accounting) : accounting_(accounting) {
  normal_ = find_qos("normal");
  accounts_.emplace_back("root");
  for (const Account& account : accounting.accounts) accounts_.push_back(account.name);

  // What is given of an account or a user, and what is handed down to it.
  const auto fill = [this](Association& association, const auto& given, const Association& above) {
    association.shares = given.shares;
    association.priority = given.priority == 0 ? above.priority : given.priority;
    association.limits = given.limits;
    hand_down(association.limits, above.limits);
    association.qos = above.qos;
    if (!given.qos.empty()) {
      association.qos.assign(qos().size(), false);
      for (const std::string& name : given.qos) association.qos[find_qos(name)] = true;
    }
    association.default_qos = given.default_qos.empty() ? above.default_qos : find_qos(given.default_qos);
  };
  const auto enter = [this](Association association, std::uint32_t above) {
    association.above = above;
    if (above != kNobody) association.depth = all_[above].depth + 1;
    most_priority_ = std::max(most_priority_, association.priority);
    all_.push_back(std::move(association));
    return static_cast<std::uint32_t>(all_.size() - 1);
  };

  // Depth first from root; a stack of accounts to visit, the last first.
  struct Visit {
    std::uint32_t account;
    std::uint32_t above;
  };
  of_user_.resize(accounting.users.size());
  std::vector<Visit> visits{{0, kNobody}};
  while (!visits.empty()) {
    const Visit visit = visits.back();
    visits.pop_back();
    const std::string& name = accounts_[visit.account];
    Association own;
    own.account = own.added = visit.account;
    if (visit.account == 0) {
      own.qos.assign(qos().size(), false);
      if (normal_ != kNobody) own.qos[normal_] = true;
    } else {
      fill(own, accounting.accounts[visit.account - 1], all_[visit.above]);
    }
    const std::uint32_t account = enter(own, visit.above);
    if (visit.account == 0) {
      own.user = accounts_[0];
      enter(own, account);
    }

    std::vector<std::uint32_t> members;
    for (std::uint32_t u = 0; u < accounting.users.size(); ++u) {
      const std::vector<std::string>& in = accounting.users[u].accounts;
      if (std::find(in.begin(), in.end(), name) != in.end()) members.push_back(u);
    }
    std::sort(members.begin(), members.end(),
              [&](std::uint32_t a, std::uint32_t b) { return accounting.users[a].name < accounting.users[b].name; });
    for (const std::uint32_t u : members) {
      Association member;
      member.account = visit.account;
      member.user = accounting.users[u].name;
      member.added = static_cast<std::uint32_t>(accounts_.size()) + u;
      fill(member, accounting.users[u], all_[account]);
      const std::uint32_t entered = enter(std::move(member), account);
      std::vector<std::uint32_t>& mine = of_user_[u];
      mine.insert(accounting.users[u].accounts.front() == name ? mine.begin() : mine.end(), entered);
    }

    std::vector<Visit> below;
    for (std::uint32_t a = 1; a < accounts_.size(); ++a) {
      if (accounting.accounts[a - 1].parent == name) below.push_back({a, account});
    }
    std::sort(below.begin(), below.end(),
              [this](const Visit& a, const Visit& b) { return accounts_[a.account] > accounts_[b.account]; });
    visits.insert(visits.end(), below.begin(), below.end());
  }
}

std::uint32_t Associations::find(std::uint32_t user, std::string_view account) const {
  if (user >= of_user_.size()) return kNobody;
  for (const std::uint32_t association : of_user_[user]) {
    if (account.empty() || accounts_[all_[association].account] == account) return association;
  }
  return kNobody;
}

Payer Associations::payer(std::uint32_t user, const Asks& asks) const {
  Payer payer;
  payer.association = find(user, asks.account);
  payer.qos = normal_;
  if (!asks.qos.empty()) {
    payer.qos = find_qos(asks.qos);
  } else if (payer.association != kNobody) {
    const Association& of = all_[payer.association];
    if (of.default_qos != kNobody) {
      payer.qos = of.default_qos;
    } else if (std::count(of.qos.begin(), of.qos.end(), true) == 1) {
      payer.qos = static_cast<std::uint32_t>(std::find(of.qos.begin(), of.qos.end(), true) - of.qos.begin());
    }
  }
  return payer;
}

std::uint32_t Associations::find_qos(std::string_view name) const {
  const auto at = std::find_if(qos().begin(), qos().end(), [&](const Qos& q) { return q.name == name; });
  return at == qos().end() ? kNobody : static_cast<std::uint32_t>(at - qos().begin());
}

}  // namespace headroom::slurm
