#include "models/policies/slurm/fairshare.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace headroom::slurm {
namespace {

constexpr std::string_view kRoot = "root";

}  // namespace

void Usage::add(const Usage& more) {
  billing += more.billing;
  for (std::size_t t = 0; t < kTres; ++t) tres[t] += more.tres[t];
  wall += more.wall;
}

void Usage::scale(double factor) {
  billing *= factor;
  for (double& seconds : tres) seconds *= factor;
  wall *= factor;
}

Fairshare::Fairshare(const Accounting& accounting, Rules rules) : rules_(rules) {
  of_user_.resize(accounting.users.size());
  // Depth first from root; a stack of accounts to visit, the last first.
  struct Visit {
    std::string account;
    std::uint32_t above;
    const Account* settings;
  };
  std::vector<Visit> visits{{std::string(kRoot), kNoAssociation, nullptr}};
  std::vector<std::size_t> added;  // by association: root and its user, the accounts, the users
  const auto enter = [&](Shareholder a, std::int64_t shares, std::uint32_t priority, std::size_t when) {
    a.shares = shares;
    a.priority = priority;
    if (a.above != kNoAssociation) {
      const Shareholder& above = all_[a.above];
      a.depth = above.depth + 1;
      // An account without shares of its own passes its users and accounts on.
      a.measured = above.by_parent() ? above.measured : a.above;
      if (priority == 0) a.priority = above.priority;
    }
    most_priority_ = std::max(most_priority_, a.priority);
    all_.push_back(std::move(a));
    added.push_back(when);
    return static_cast<std::uint32_t>(all_.size() - 1);
  };
  while (!visits.empty()) {
    const Visit visit = visits.back();
    visits.pop_back();
    Shareholder own;
    own.account = visit.account;
    own.above = visit.above;
    const bool is_root = visit.settings == nullptr;
    const std::uint32_t account =
        is_root ? enter(own, 1, 0, 0)
                : enter(own, visit.settings->shares, visit.settings->priority,
                        1 + static_cast<std::size_t>(visit.settings - accounting.accounts.data()));

    std::vector<std::uint32_t> members;
    for (std::uint32_t u = 0; u < accounting.users.size(); ++u) {
      const std::vector<std::string>& accounts = accounting.users[u].accounts;
      if (std::find(accounts.begin(), accounts.end(), visit.account) != accounts.end()) members.push_back(u);
    }
    std::sort(members.begin(), members.end(),
              [&](std::uint32_t a, std::uint32_t b) { return accounting.users[a].name < accounting.users[b].name; });
    own.above = account;
    if (is_root) {
      own.user = kRoot;
      enter(own, 1, 0, 0);
      ++users_;
    }
    for (const std::uint32_t u : members) {
      own.user = accounting.users[u].name;
      const std::size_t when = 1 + accounting.accounts.size() + u;
      of_user_[u].emplace_back(visit.account,
                               enter(own, accounting.users[u].shares, accounting.users[u].priority, when));
      ++users_;
    }
    std::vector<Visit> below;
    for (const Account& a : accounting.accounts) {
      if (a.parent == visit.account) below.push_back({a.name, account, &a});
    }
    std::sort(below.begin(), below.end(), [](const Visit& a, const Visit& b) { return a.account > b.account; });
    visits.insert(visits.end(), below.begin(), below.end());
  }

  // slurmdbd puts what is added before its siblings; of those that are tied the one added last goes first.
  std::vector<std::uint32_t> newest_first(all_.size() - 1);
  std::iota(newest_first.begin(), newest_first.end(), 1);
  std::sort(newest_first.begin(), newest_first.end(),
            [&](std::uint32_t a, std::uint32_t b) { return added[a] > added[b]; });
  below_.resize(all_.size());
  unmeasured_.resize(all_.size());
  for (const std::uint32_t a : newest_first) below_[all_[a].measured].push_back(a);
  for (const std::vector<std::uint32_t>& siblings : below_) {
    std::int64_t sum = 0;
    for (const std::uint32_t a : siblings) sum += all_[a].by_parent() ? 0 : all_[a].shares;
    for (const std::uint32_t a : siblings) all_[a].level_shares = sum;
  }
  all_[0].norm_shares = rules_.fair_tree ? 0 : 1;
  all_[0].effective_usage = 1;
  for (std::uint32_t a = 1; a < all_.size(); ++a) {
    Shareholder& x = all_[a];
    const double above = all_[x.measured].norm_shares;
    const double own = x.level_shares > 0 ? static_cast<double>(x.shares) / static_cast<double>(x.level_shares) : 0.0;
    x.norm_shares = x.by_parent() ? above : rules_.fair_tree ? own : own * above;
  }
}

std::uint32_t Fairshare::find(std::uint32_t user, std::string_view account) const {
  if (user >= of_user_.size()) return kNoAssociation;
  for (const auto& [name, association] : of_user_[user]) {
    if (name == account) return association;
  }
  return kNoAssociation;
}

void Fairshare::charge(std::uint32_t association, const Usage& more) {
  for (std::uint32_t a = association; a != kNoAssociation; a = all_[a].above) all_[a].usage.add(more);
}

void Fairshare::decay(double factor) {
  for (Shareholder& a : all_) a.usage.scale(factor);
}

void Fairshare::forget() {
  for (Shareholder& a : all_) a.usage = {};
}

// --- classic --------------------------------------------------------------------------------------------------------

void Fairshare::measure_accounts() {
  for (std::uint32_t a = 1; a < all_.size(); ++a) {
    if (all_[a].is_user()) {
      unmeasured_[a] = 1;
    } else {
      measure(all_[a]);
    }
  }
}

void Fairshare::measure_users() {
  for (std::uint32_t a = 1; a < all_.size(); ++a) {
    if (unmeasured_[a] != 0) measure(all_[a]);
    unmeasured_[a] = 0;
  }
}

void Fairshare::measure(Shareholder& a) {
  const double total = all_[0].usage.billing;
  a.norm_usage = total > 0 ? std::min(a.usage.billing / total, 1.0) : 0;
  const Shareholder& parent = all_[a.measured];
  if (a.measured == 0) {
    a.effective_usage = a.norm_usage;
  } else if (a.by_parent()) {
    a.effective_usage = parent.effective_usage;
  } else if (!rules_.depth_oblivious) {
    // What its siblings used is partly its own.
    a.effective_usage = a.level_shares == 0
                            ? parent.effective_usage
                            : a.norm_usage + (parent.effective_usage - a.norm_usage) * static_cast<double>(a.shares) /
                                                 static_cast<double>(a.level_shares);
  } else if (a.norm_shares > 0 && parent.norm_shares > 0 && parent.effective_usage > 0 && a.norm_usage > 0) {
    // Its usage over its shares is its parent's times its own among its siblings; the more the parent is off its
    // shares, the less its own counts, where it would make up for the parent's.
    const double above = parent.effective_usage / parent.norm_shares;
    double siblings = 0;
    for (const std::uint32_t s : below_[a.measured]) siblings += all_[s].by_parent() ? 0 : all_[s].norm_usage;
    const double own = (a.norm_usage / a.norm_shares) / (siblings / parent.norm_shares);
    double weight = 1;
    if (std::log(above) * std::log(own) < 0) {
      const double off = 5 * std::log(above);
      weight = 1 / (1 + off * off);
    }
    a.effective_usage = above * std::pow(own, weight) * a.norm_shares;
  } else {
    a.effective_usage = a.norm_usage;
  }
}

double Fairshare::by_usage(double effective_usage, double norm_shares) const {
  return norm_shares > 0 ? std::pow(2.0, -(effective_usage / norm_shares / rules_.dampening)) : 0;
}

double Fairshare::shown_factor(const Shareholder& a) const {
  return rules_.fair_tree ? a.factor : by_usage(a.effective_usage, a.norm_shares);
}

double Fairshare::factor(std::uint32_t association) {
  const Shareholder& own = all_[association];
  if (rules_.fair_tree) return own.factor;
  const std::uint32_t a = own.by_parent() ? own.measured : association;
  if (unmeasured_[a] != 0) measure(all_[a]);
  unmeasured_[a] = 0;
  return by_usage(all_[a].effective_usage, all_[a].norm_shares);
}

// --- Fair Tree ------------------------------------------------------------------------------------------------------

void Fairshare::rank() {
  std::uint32_t rank = users_;
  std::uint32_t next = users_;
  this->rank(below_[0], rank, next, false);
}

void Fairshare::set_level(Shareholder& a) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double total = all_[0].usage.billing;
  const double around = all_[a.measured].usage.billing;
  a.norm_usage = total > 0 ? std::min(a.usage.billing / total, 1.0) : 0;
  a.effective_usage = around > 0 ? a.usage.billing / around : 0;
  if (a.by_parent()) {
    a.level = kInfinity;
  } else if (a.norm_shares <= 0) {
    a.level = 0;
  } else {
    a.level = a.effective_usage > 0 ? a.norm_shares / a.effective_usage : kInfinity;
  }
}

// Gives ranks to the users among `siblings` and below, the best first: `next` is the rank of the next user who is not
// tied with the one before, `rank` the one that was given last. `tied`: the first is tied with the user before it. Of
// tied accounts Slurm ranks one after the other, so that the second one's best user is tied with the first one's last;
// its documentation says that their users are ranked together, which neither its source nor a recorded run does.
void Fairshare::rank(std::vector<std::uint32_t> siblings, std::uint32_t& rank, std::uint32_t& next, bool tied) {
  for (const std::uint32_t a : siblings) set_level(all_[a]);
  // Accounts without shares of their own are not ranked: their users stand among these siblings.
  std::erase_if(siblings, [this](std::uint32_t a) { return all_[a].by_parent() && !all_[a].is_user(); });
  std::stable_sort(siblings.begin(), siblings.end(), [this](std::uint32_t a, std::uint32_t b) {
    const Shareholder& x = all_[a];
    const Shareholder& y = all_[b];
    return x.level != y.level ? x.level > y.level : x.is_user() && !y.is_user();
  });
  for (std::size_t i = 0; i < siblings.size(); ++i) {
    Shareholder& a = all_[siblings[i]];
    if (i > 0) tied = all_[siblings[i - 1]].level == a.level;
    if (a.is_user()) {
      if (!tied) rank = next;
      a.factor = static_cast<double>(rank) / static_cast<double>(users_);
      --next;
      continue;
    }
    this->rank(below_[siblings[i]], rank, next, tied);
  }
}

}  // namespace headroom::slurm
