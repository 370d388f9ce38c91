#include "models/policies/slurm/fairshare.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace headroom::slurm {

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

Fairshare::Fairshare(const Associations& associations, Rules rules)
    : associations_(associations), rules_(rules), all_(associations.size()) {
  for (std::uint32_t a = 1; a < all_.size(); ++a) {
    const std::uint32_t above = associations[a].above;
    // An account without shares of its own passes its users and accounts on.
    all_[a].measured = associations[above].by_parent() ? all_[above].measured : above;
    if (associations[a].is_user()) ++users_;
  }

  // slurmdbd puts what is added before its siblings; of those that are tied the one added last goes first.
  std::vector<std::uint32_t> newest_first(all_.size() - 1);
  std::iota(newest_first.begin(), newest_first.end(), 1);
  std::sort(newest_first.begin(), newest_first.end(),
            [&](std::uint32_t a, std::uint32_t b) { return associations[a].added > associations[b].added; });
  below_.resize(all_.size());
  unmeasured_.resize(all_.size());
  for (const std::uint32_t a : newest_first) below_[all_[a].measured].push_back(a);
  for (const std::vector<std::uint32_t>& siblings : below_) {
    std::int64_t sum = 0;
    for (const std::uint32_t a : siblings) sum += associations[a].by_parent() ? 0 : associations[a].shares;
    for (const std::uint32_t a : siblings) all_[a].level_shares = sum;
  }
  all_[0].norm_shares = rules_.fair_tree ? 0 : 1;
  all_[0].effective_usage = 1;
  for (std::uint32_t a = 1; a < all_.size(); ++a) {
    Shareholder& x = all_[a];
    const double above = all_[x.measured].norm_shares;
    const auto shares = static_cast<double>(associations[a].shares);
    const double own = x.level_shares > 0 ? shares / static_cast<double>(x.level_shares) : 0.0;
    x.norm_shares = associations[a].by_parent() ? above : rules_.fair_tree ? own : own * above;
  }
}

void Fairshare::charge(std::uint32_t association, const Usage& more) {
  for (std::uint32_t a = association; a != kNobody; a = associations_[a].above) all_[a].usage.add(more);
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
    if (associations_[a].is_user()) {
      unmeasured_[a] = 1;
    } else {
      measure(a);
    }
  }
}

void Fairshare::measure_users() {
  for (std::uint32_t a = 1; a < all_.size(); ++a) {
    if (unmeasured_[a] != 0) measure(a);
    unmeasured_[a] = 0;
  }
}

void Fairshare::measure(std::uint32_t association) {
  Shareholder& a = all_[association];
  const double total = all_[0].usage.billing;
  a.norm_usage = total > 0 ? std::min(a.usage.billing / total, 1.0) : 0;
  const Shareholder& parent = all_[a.measured];
  if (a.measured == 0) {
    a.effective_usage = a.norm_usage;
  } else if (associations_[association].by_parent()) {
    a.effective_usage = parent.effective_usage;
  } else if (!rules_.depth_oblivious) {
    // What its siblings used is partly its own.
    a.effective_usage = a.level_shares == 0
                            ? parent.effective_usage
                            : a.norm_usage + (parent.effective_usage - a.norm_usage) *
                                                 static_cast<double>(associations_[association].shares) /
                                                 static_cast<double>(a.level_shares);
  } else if (a.norm_shares > 0 && parent.norm_shares > 0 && parent.effective_usage > 0 && a.norm_usage > 0) {
    // Its usage over its shares is its parent's times its own among its siblings; the more the parent is off its
    // shares, the less its own counts, where it would make up for the parent's.
    const double above = parent.effective_usage / parent.norm_shares;
    double siblings = 0;
    for (const std::uint32_t s : below_[a.measured]) siblings += associations_[s].by_parent() ? 0 : all_[s].norm_usage;
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

double Fairshare::shown_factor(std::uint32_t association) const {
  const Shareholder& a = all_[association];
  return rules_.fair_tree ? a.factor : by_usage(a.effective_usage, a.norm_shares);
}

double Fairshare::factor(std::uint32_t association) {
  const Shareholder& own = all_[association];
  if (rules_.fair_tree) return own.factor;
  const std::uint32_t a = associations_[association].by_parent() ? own.measured : association;
  if (unmeasured_[a] != 0) measure(a);
  unmeasured_[a] = 0;
  return by_usage(all_[a].effective_usage, all_[a].norm_shares);
}

// --- Fair Tree ------------------------------------------------------------------------------------------------------

void Fairshare::rank() {
  std::uint32_t rank = users_;
  std::uint32_t next = users_;
  this->rank(below_[0], rank, next, false);
}

void Fairshare::set_level(std::uint32_t association) {
  Shareholder& a = all_[association];
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double total = all_[0].usage.billing;
  const double around = all_[a.measured].usage.billing;
  a.norm_usage = total > 0 ? std::min(a.usage.billing / total, 1.0) : 0;
  a.effective_usage = around > 0 ? a.usage.billing / around : 0;
  if (associations_[association].by_parent()) {
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
  for (const std::uint32_t a : siblings) set_level(a);
  // Accounts without shares of their own are not ranked: their users stand among these siblings.
  std::erase_if(siblings,
                [this](std::uint32_t a) { return associations_[a].by_parent() && !associations_[a].is_user(); });
  std::stable_sort(siblings.begin(), siblings.end(), [this](std::uint32_t a, std::uint32_t b) {
    const Shareholder& x = all_[a];
    const Shareholder& y = all_[b];
    return x.level != y.level ? x.level > y.level : associations_[a].is_user() && !associations_[b].is_user();
  });
  for (std::size_t i = 0; i < siblings.size(); ++i) {
    Shareholder& a = all_[siblings[i]];
    if (i > 0) tied = all_[siblings[i - 1]].level == a.level;
    if (associations_[siblings[i]].is_user()) {
      if (!tied) rank = next;
      a.factor = static_cast<double>(rank) / static_cast<double>(users_);
      --next;
      continue;
    }
    this->rank(below_[siblings[i]], rank, next, tied);
  }
}

}  // namespace headroom::slurm
