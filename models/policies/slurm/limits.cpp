#include "models/policies/slurm/limits.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "models/policies/slurm/priority.hpp"

namespace headroom::slurm {
namespace {

using Limit = Hold::Limit;

// slurmctld counts in minutes: what is used of one that has begun does not count yet.
std::int64_t whole_minutes(double seconds) { return static_cast<std::int64_t>(seconds / 60) * 60; }

// Whether the limit has to be looked at: it is one, and nothing that comes first has set the same. If a QOS sets it,
// what comes after it does not.
bool take(std::int64_t& seen, std::int64_t limit) {
  if (seen != kNoLimit || limit == kNoLimit) return false;
  seen = limit;
  return true;
}

bool holds(std::int64_t seen, std::int64_t limit) { return seen == kNoLimit && limit != kNoLimit; }

// The first resource of which `asked` is more than the limit (with `least`: less). `nodes`: on each of so many.
std::optional<Tres> outside(const TresCounts& asked, const TresCounts& limits, TresCounts& seen, bool record,
                            std::int64_t nodes = 1, bool least = false) {
  for (std::size_t t = 0; t < kTres; ++t) {
    if (!holds(seen.of[t], limits.of[t])) continue;
    if (record) seen.of[t] = limits.of[t];
    if (!record && asked.of[t] == 0) continue;  // associations do not look at what is not asked for
    const std::int64_t amount = asked.of[t] / std::max<std::int64_t>(nodes, 1);
    if (least ? amount < limits.of[t] : amount > limits.of[t]) return static_cast<Tres>(t);
  }
  return std::nullopt;
}

// The first resource of which there is no room: `asked` on top of what is held now.
std::optional<Tres> no_room(const TresCounts& asked, const TresCounts& held, const TresCounts& limits, TresCounts& seen,
                            bool record) {
  for (std::size_t t = 0; t < kTres; ++t) {
    if (!holds(seen.of[t], limits.of[t])) continue;
    if (record) seen.of[t] = limits.of[t];
    if (asked.of[t] > limits.of[t] || asked.of[t] + held.of[t] > limits.of[t]) return static_cast<Tres>(t);
  }
  return std::nullopt;
}

TresCounts times(const TresCounts& counts, std::int64_t seconds) {
  TresCounts product;
  for (std::size_t t = 0; t < kTres; ++t) product.of[t] = counts.of[t] * seconds;
  return product;
}

TresCounts in_minutes(const TresCounts& seconds) {
  TresCounts whole;
  for (std::size_t t = 0; t < kTres; ++t) whole.of[t] = seconds.of[t] / 60 * 60;
  return whole;
}

void add(TresCounts& to, const TresCounts& what, std::int64_t sign) {
  for (std::size_t t = 0; t < kTres; ++t) to.of[t] += sign * what.of[t];
}

// What the job would add to what is held: of nodes only those of which nothing is held yet.
template <class Held>
TresCounts added(const Demand& demand, const Held& held, const TresCounts& limits) {
  TresCounts more = demand.tres;
  if (limits[Tres::node] == kNoLimit || held.node_jobs.empty() || demand.nodes.size() == 0) return more;
  more[Tres::node] = 0;
  demand.nodes.for_each([&](Index n) { more[Tres::node] += held.node_jobs[n] == 0 ? 1 : 0; });
  return more;
}

// The job's resources are held (`sign` 1), or no longer (-1).
template <class Held>
void hold_tres(Held& held, const TresCounts& tres, const NodeBits& nodes, std::int64_t sign) {
  const std::int64_t before = held.tres[Tres::node];
  add(held.tres, tres, sign);
  if (nodes.size() == 0) return;
  if (held.node_jobs.empty()) held.node_jobs.resize(nodes.size());
  held.tres[Tres::node] = before;
  nodes.for_each([&](Index n) {
    if (sign > 0) {
      held.tres[Tres::node] += held.node_jobs[n]++ == 0 ? 1 : 0;
    } else {
      held.tres[Tres::node] -= --held.node_jobs[n] == 0 ? 1 : 0;
    }
  });
}

TresCounts scaled(const TresCounts& limits, double factor) {
  TresCounts all = limits;
  for (std::int64_t& limit : all.of) {
    if (limit != kNoLimit) limit = static_cast<std::int64_t>(static_cast<double>(limit) * factor);
  }
  return all;
}

}  // namespace

std::string hold_text(Hold hold) {
  constexpr std::string_view kNames[] = {"Cpu", "Mem", "Node", "Billing", "GRES"};
  const auto t = static_cast<std::size_t>(hold.tres);
  const bool cpu = hold.tres == Tres::cpu;
  const std::string who = hold.of_qos ? "QOS" : "Assoc";
  // squeue's names grew over the years.
  const std::string name(hold.of_qos && hold.tres == Tres::mem ? "Memory" : kNames[t]);
  switch (hold.limit) {
    case Limit::none:
      return "None";
    case Limit::grp_tres:
      return who + "Grp" + std::string(kNames[t]) + (t < 3 ? "Limit" : "");
    case Limit::grp_tres_mins:
      return who + "Grp" + (cpu ? "CPUMinutesLimit" : name + "Minutes");
    case Limit::grp_tres_run_mins:
      return who + "Grp" + (cpu ? "CPURunMinutesLimit" : name + "RunMinutes");
    case Limit::max_tres_job:
      return who + "Max" + (cpu || hold.tres == Tres::node ? name + "PerJobLimit" : name + "PerJob");
    case Limit::max_tres_node:
      return who + "Max" + name + "PerNode";
    case Limit::max_tres_mins_job:
      return who + "Max" + (cpu ? "CpuMinutesPerJobLimit" : name + "MinutesPerJob");
    case Limit::max_tres_user:
      return "QOSMax" + (cpu || hold.tres == Tres::node ? name + "PerUserLimit" : name + "PerUser");
    case Limit::max_tres_account:
      return "Max" + name + "PerAccount";
    case Limit::min_tres_job:
      return "QOSMin" + (cpu ? "CpuNotSatisfied" : name);
    case Limit::grp_jobs:
      return who + "GrpJobsLimit";
    case Limit::grp_submit_jobs:
      return who + "GrpSubmitJobsLimit";
    case Limit::grp_wall:
      return who + "GrpWallLimit";
    case Limit::max_jobs:
      return hold.of_qos ? "QOSMaxJobsPerUserLimit" : "AssocMaxJobsLimit";
    case Limit::max_submit_jobs:
      return hold.of_qos ? "QOSMaxSubmitJobPerUserLimit" : "AssocMaxSubmitJobLimit";
    case Limit::max_jobs_account:
      return "MaxJobsPerAccount";
    case Limit::max_submit_account:
      return "MaxSubmitJobsPerAccount";
    case Limit::max_wall:
      return who + "MaxWallDurationPerJobLimit";
  }
  return "";
}

LimitBook::LimitBook(const Conf& conf, const Associations& associations, const Multifactor& multifactor)
    : conf_(conf), associations_(associations), multifactor_(multifactor) {
  follow();
  of_association_.resize(associations_.size());
  of_qos_.resize(associations.qos().size());
}

void LimitBook::follow() {
  partition_qos_.clear();
  for (const Partition& partition : conf_.partitions) {
    partition_qos_.push_back(partition.qos.empty() ? kNobody : associations_.find_qos(partition.qos));
  }
}

const Usage& LimitBook::used_by(std::uint32_t association) const {
  return multifactor_.fairshare().holders()[association].usage;
}

const LimitBook::Part& LimitBook::part(const std::vector<Part>& parts, std::uint32_t at) {
  static const Part kNothing;
  return at < parts.size() ? parts[at] : kNothing;
}

LimitBook::Part& LimitBook::grown(std::vector<Part>& parts, std::uint32_t at) {
  if (at >= parts.size()) parts.resize(at + 1);
  return parts[at];
}

// Both QOS whose limits hold for the job, in their order.
template <class Visit>
void LimitBook::each_qos(const Charge& c, Visit visit) const {
  if (c.first != kNobody) visit(c.first);
  if (c.second != kNobody) visit(c.second);
}

// --- at submission --------------------------------------------------------------------------------------------------

std::optional<Rejection> LimitBook::identify(JobId job, std::uint32_t user, Payer payer, QueueId queue) {
  if (charges_.size() <= index(job)) charges_.resize(index(job) + 1);
  Charge& c = charges_[index(job)];
  c = {};
  c.user = user;
  c.association = payer.association;
  c.qos = payer.qos;
  if (c.association == kNobody && conf_.enforce.associations) return Rejection::account;
  c.account = c.association == kNobody ? 0 : associations_[c.association].account;
  if (conf_.enforce.qos) {
    const bool allowed =
        payer.qos != kNobody && c.association != kNobody && associations_[c.association].qos[payer.qos];
    if (!allowed) return Rejection::qos;
  }
  set_queue(c, queue);
  return std::nullopt;
}

void LimitBook::enter(JobId job, QueueId queue) {
  Charge& c = charges_[index(job)];
  const bool counted = c.submitted;
  left(job);
  set_queue(c, queue);
  if (counted) submitted(job);
}

void LimitBook::set_queue(Charge& c, QueueId queue) const {
  const std::uint32_t of_partition = index(queue) < partition_qos_.size() ? partition_qos_[index(queue)] : kNobody;
  c.first = of_partition != kNobody ? of_partition : c.qos;
  c.second = of_partition != kNobody && of_partition != c.qos ? c.qos : kNobody;
  if (c.second != kNobody && associations_.qos()[c.second].override_partition_qos) std::swap(c.first, c.second);
}

std::optional<Second> LimitBook::default_limit(JobId job) const {
  const Charge& c = charges_[index(job)];
  if (!conf_.enforce.limits || c.association == kNobody) return std::nullopt;
  std::optional<Second> limit;
  const auto offer = [&](std::int64_t time) {
    if (!limit && time != kNoLimit) limit = time;
  };
  each_qos(c, [&](std::uint32_t q) {
    offer(associations_.qos()[q].limits.max_wall);
    offer(associations_.qos()[q].limits.grp_wall);
  });
  for (std::uint32_t a = c.association; a != kNobody; a = associations_[a].above) {
    offer(associations_[a].limits.grp_wall);
    if (a == c.association) offer(associations_[a].limits.max_wall);
  }
  return limit;
}

Hold LimitBook::qos_at_submission(const Charge& c, std::uint32_t q, const Demand& demand, std::int32_t jobs,
                                  bool strict, Limits& seen) const {
  const Limits& l = associations_.qos()[q].limits;
  const QosUse& use = of_qos_[q];
  const auto hold = [](Limit limit, Tres tres = Tres::cpu) { return Hold{limit, true, tres}; };
  const TresCounts secs = times(demand.tres, demand.limit);
  if (strict) {
    if (const auto t = outside(demand.tres, l.max_tres_account, seen.max_tres_account, true)) {
      return hold(Limit::max_tres_account, *t);
    }
    if (const auto t = outside(demand.tres, l.max_tres_user, seen.max_tres_user, true)) {
      return hold(Limit::max_tres_user, *t);
    }
    if (const auto t = outside(demand.tres, l.grp_tres, seen.grp_tres, true)) return hold(Limit::grp_tres, *t);
  }
  if (take(seen.grp_submit_jobs, l.grp_submit_jobs) && use.all.submitted + jobs > l.grp_submit_jobs) {
    return hold(Limit::grp_submit_jobs);
  }
  if (strict) {
    if (const auto t = outside(secs, l.max_tres_secs_job, seen.max_tres_secs_job, true)) {
      return hold(Limit::max_tres_mins_job, *t);
    }
    if (const auto t = outside(secs, l.grp_tres_secs, seen.grp_tres_secs, true)) return hold(Limit::grp_tres_mins, *t);
    if (const auto t = outside(secs, l.grp_tres_run_secs, seen.grp_tres_run_secs, true)) {
      return hold(Limit::grp_tres_run_mins, *t);
    }
  }
  if (take(seen.max_wall, l.max_wall) && strict && demand.limit > l.max_wall) return hold(Limit::max_wall);
  if (take(seen.grp_wall, l.grp_wall) && strict && demand.limit > l.grp_wall) return hold(Limit::grp_wall);
  if (strict) {
    if (const auto t = outside(demand.tres, l.max_tres_job, seen.max_tres_job, true)) {
      return hold(Limit::max_tres_job, *t);
    }
    if (const auto t = outside(demand.tres, l.max_tres_node, seen.max_tres_node, true, demand.tres[Tres::node])) {
      return hold(Limit::max_tres_node, *t);
    }
  }
  if (take(seen.max_submit_account, l.max_submit_account) &&
      part(use.accounts, c.account).submitted + jobs > l.max_submit_account) {
    return hold(Limit::max_submit_account);
  }
  if (take(seen.max_submit_user, l.max_submit_user) && part(use.users, c.user).submitted + jobs > l.max_submit_user) {
    return hold(Limit::max_submit_jobs);
  }
  if (strict) {
    if (const auto t = outside(demand.tres, l.min_tres_job, seen.min_tres_job, true, 1, true)) {
      return hold(Limit::min_tres_job, *t);
    }
  }
  return {};
}

Hold LimitBook::at_submission(JobId job, const Demand& demand, std::int32_t jobs) const {
  const Charge& c = charges_[index(job)];
  if (!conf_.enforce.limits || c.association == kNobody) return {};
  Limits seen;
  Hold hold;
  // Without a QOS nothing says that a job over its limits may wait.
  bool strict = c.first == kNobody;
  each_qos(c, [&](std::uint32_t q) { strict |= associations_.qos()[q].deny_on_limit; });
  each_qos(c, [&](std::uint32_t q) {
    if (!hold) hold = qos_at_submission(c, q, demand, jobs, strict, seen);
  });
  if (hold) return hold;
  const double factor = limit_factor(c);
  const TresCounts secs = times(demand.tres, demand.limit);
  for (std::uint32_t a = c.association; a != kNobody; a = associations_[a].above) {
    const Limits& l = associations_[a].limits;
    const auto of_association = [](Limit limit, Tres tres = Tres::cpu) { return Hold{limit, false, tres}; };
    if (strict) {
      if (const auto t = outside(demand.tres, scaled(l.grp_tres, factor), seen.grp_tres, false)) {
        return of_association(Limit::grp_tres, *t);
      }
    }
    if (holds(seen.grp_submit_jobs, l.grp_submit_jobs) && of_association_[a].submitted + jobs > l.grp_submit_jobs) {
      return of_association(Limit::grp_submit_jobs);
    }
    if (strict) {
      if (const auto t = outside(secs, l.grp_tres_secs, seen.grp_tres_secs, false)) {
        return of_association(Limit::grp_tres_mins, *t);
      }
      if (const auto t = outside(secs, l.grp_tres_run_secs, seen.grp_tres_run_secs, false)) {
        return of_association(Limit::grp_tres_run_mins, *t);
      }
      if (holds(seen.grp_wall, l.grp_wall) && demand.limit > l.grp_wall) return of_association(Limit::grp_wall);
    }
    if (a != c.association) continue;
    if (strict) {
      if (const auto t = outside(demand.tres, scaled(l.max_tres_job, factor), seen.max_tres_job, false)) {
        return of_association(Limit::max_tres_job, *t);
      }
      if (const auto t = outside(demand.tres, scaled(l.max_tres_node, factor), seen.max_tres_node, false,
                                 demand.tres[Tres::node])) {
        return of_association(Limit::max_tres_node, *t);
      }
    }
    if (seen.max_submit_account == kNoLimit && holds(seen.max_submit_user, l.max_submit_jobs) &&
        of_association_[a].submitted + jobs > l.max_submit_jobs) {
      return of_association(Limit::max_submit_jobs);
    }
    if (strict) {
      if (const auto t = outside(secs, l.max_tres_secs_job, seen.max_tres_secs_job, false)) {
        return of_association(Limit::max_tres_mins_job, *t);
      }
      if (holds(seen.max_wall, l.max_wall) && demand.limit > l.max_wall) return of_association(Limit::max_wall);
    }
  }
  return {};
}

NodeBits LimitBook::paid_nodes(JobId job, std::size_t nodes) const {
  NodeBits paid(nodes);
  const Charge& c = charges_[index(job)];
  if (!conf_.enforce.limits || c.association == kNobody) return paid;
  const auto add = [&](std::int64_t limit, std::int64_t& seen, const std::vector<std::uint32_t>& jobs) {
    if (!take(seen, limit)) return;
    for (Index n = 0; n < jobs.size(); ++n) {
      if (jobs[n] > 0) paid.set(n);
    }
  };
  Limits seen;
  each_qos(c, [&](std::uint32_t q) {
    const Limits& l = associations_.qos()[q].limits;
    add(l.grp_tres[Tres::node], seen.grp_tres[Tres::node], of_qos_[q].all.node_jobs);
    add(l.max_tres_user[Tres::node], seen.max_tres_user[Tres::node], of_user(q, c.user).node_jobs);
    add(l.max_tres_account[Tres::node], seen.max_tres_account[Tres::node], of_account(q, c.account).node_jobs);
  });
  for (std::uint32_t a = c.association; a != kNobody; a = associations_[a].above) {
    add(associations_[a].limits.grp_tres[Tres::node], seen.grp_tres[Tres::node], of_association_[a].node_jobs);
  }
  return paid;
}

std::int32_t LimitBook::most_nodes(JobId job, Hold& hold) const {
  const Charge& c = charges_[index(job)];
  if (!conf_.enforce.limits || c.association == kNobody) return 0;
  std::int64_t most = kNoLimit;
  const auto lower = [&](std::int64_t limit, Limit which, bool of_qos) {
    if (limit == kNoLimit || (most != kNoLimit && limit >= most)) return;
    most = limit;
    hold = {which, of_qos, Tres::node};
  };
  Limits l;
  each_qos(c, [&](std::uint32_t q) {
    const Limits& own = associations_.qos()[q].limits;
    take(l.max_tres_account[Tres::node], own.max_tres_account[Tres::node]);
    take(l.max_tres_job[Tres::node], own.max_tres_job[Tres::node]);
    take(l.max_tres_user[Tres::node], own.max_tres_user[Tres::node]);
    take(l.grp_tres[Tres::node], own.grp_tres[Tres::node]);
  });
  lower(l.max_tres_account[Tres::node], Limit::max_tres_account, true);
  lower(l.max_tres_job[Tres::node], Limit::max_tres_job, true);
  lower(l.max_tres_user[Tres::node], Limit::max_tres_user, true);
  const bool qos_limits_jobs = most != kNoLimit;
  lower(l.grp_tres[Tres::node], Limit::grp_tres, true);
  const double factor = limit_factor(c);
  for (std::uint32_t a = c.association; a != kNobody; a = associations_[a].above) {
    const Limits& own = associations_[a].limits;
    if (l.grp_tres[Tres::node] == kNoLimit) {
      lower(scaled(own.grp_tres, factor)[Tres::node], Limit::grp_tres, false);
    }
    if (a == c.association && !qos_limits_jobs) {
      lower(scaled(own.max_tres_job, factor)[Tres::node], Limit::max_tres_job, false);
    }
  }
  // No nodes at all is for the checks before a start to say.
  return most == kNoLimit
             ? 0
             : static_cast<std::int32_t>(std::clamp<std::int64_t>(most, 1, std::numeric_limits<std::int32_t>::max()));
}

// --- before a start -------------------------------------------------------------------------------------------------

Hold LimitBook::qos_before_choice(const Charge& c, std::uint32_t q, Second limit, Limits& seen) const {
  const Limits& l = associations_.qos()[q].limits;
  const QosUse& use = of_qos_[q];
  if (take(seen.grp_jobs, l.grp_jobs) && use.all.jobs >= l.grp_jobs) return {Limit::grp_jobs, true};
  if (take(seen.grp_wall, l.grp_wall)) {
    const std::int64_t used = whole_minutes(multifactor_.used(q).wall);
    if (used >= l.grp_wall || (conf_.enforce.safe && used + limit > l.grp_wall)) return {Limit::grp_wall, true};
  }
  if (take(seen.max_jobs_account, l.max_jobs_account) && part(use.accounts, c.account).jobs >= l.max_jobs_account) {
    return {Limit::max_jobs_account, true};
  }
  if (take(seen.max_jobs_user, l.max_jobs_user) && part(use.users, c.user).jobs >= l.max_jobs_user) {
    return {Limit::max_jobs, true};
  }
  if (take(seen.max_wall, l.max_wall) && limit > l.max_wall) return {Limit::max_wall, true};
  return {};
}

Hold LimitBook::before_choice(JobId job, Second limit) const {
  const Charge& c = charges_[index(job)];
  if (!conf_.enforce.limits || c.association == kNobody) return {};
  Limits seen;
  Hold hold;
  each_qos(c, [&](std::uint32_t q) {
    if (!hold) hold = qos_before_choice(c, q, limit, seen);
  });
  if (hold) return hold;
  for (std::uint32_t a = c.association; a != kNobody; a = associations_[a].above) {
    const Limits& l = associations_[a].limits;
    const Use& use = of_association_[a];
    if (holds(seen.grp_jobs, l.grp_jobs) && use.jobs >= l.grp_jobs) return {Limit::grp_jobs, false};
    if (holds(seen.grp_wall, l.grp_wall)) {
      const std::int64_t used = whole_minutes(used_by(a).wall);
      if (used >= l.grp_wall || (conf_.enforce.safe && used + limit > l.grp_wall)) return {Limit::grp_wall, false};
    }
    if (a != c.association) continue;
    if (seen.max_jobs_account == kNoLimit && holds(seen.max_jobs_user, l.max_jobs) && use.jobs >= l.max_jobs) {
      return {Limit::max_jobs, false};
    }
    if (holds(seen.max_wall, l.max_wall) && limit > l.max_wall) return {Limit::max_wall, false};
  }
  return {};
}

namespace {

// GrpTRESMins: nothing may start once they are used up; to be safe, nothing that might use them up.
std::optional<Tres> minutes_used_up(const LimitBook::Use& use, const Usage& usage, const TresCounts& limits,
                                    TresCounts& seen, bool record, const TresCounts* asked) {
  for (std::size_t t = 0; t < kTres; ++t) {
    if (!holds(seen.of[t], limits.of[t])) continue;
    if (record) seen.of[t] = limits.of[t];
    const std::int64_t used = whole_minutes(usage.tres[t]);
    if (used >= limits.of[t]) return static_cast<Tres>(t);
    if (asked == nullptr) continue;
    const std::int64_t promised = use.run_secs.of[t] / 60 * 60;
    if (asked->of[t] + promised > limits.of[t] - used) return static_cast<Tres>(t);
  }
  return std::nullopt;
}

}  // namespace

Hold LimitBook::qos_after_choice(const Charge& c, std::uint32_t q, const Demand& demand, Limits& seen) const {
  const Limits& l = associations_.qos()[q].limits;
  const QosUse& use = of_qos_[q];
  const auto hold = [](Limit limit, Tres tres) { return Hold{limit, true, tres}; };
  const TresCounts secs = times(demand.tres, demand.limit);
  const TresCounts* safe = conf_.enforce.safe ? &secs : nullptr;
  if (const auto t = minutes_used_up(use.all, multifactor_.used(q), l.grp_tres_secs, seen.grp_tres_secs, true, safe)) {
    return hold(Limit::grp_tres_mins, *t);
  }
  if (const auto t = no_room(added(demand, use.all, l.grp_tres), use.all.tres, l.grp_tres, seen.grp_tres, true)) {
    return hold(Limit::grp_tres, *t);
  }
  if (const auto t = no_room(secs, in_minutes(use.all.run_secs), l.grp_tres_run_secs, seen.grp_tres_run_secs, true)) {
    return hold(Limit::grp_tres_run_mins, *t);
  }
  if (const auto t = outside(secs, l.max_tres_secs_job, seen.max_tres_secs_job, true)) {
    return hold(Limit::max_tres_mins_job, *t);
  }
  if (const auto t = outside(demand.tres, l.max_tres_job, seen.max_tres_job, true)) {
    return hold(Limit::max_tres_job, *t);
  }
  if (const auto t = outside(demand.tres, l.max_tres_node, seen.max_tres_node, true, demand.tres[Tres::node])) {
    return hold(Limit::max_tres_node, *t);
  }
  if (const auto t = outside(demand.tres, l.min_tres_job, seen.min_tres_job, true, 1, true)) {
    return hold(Limit::min_tres_job, *t);
  }
  const Part& of_account = part(use.accounts, c.account);
  if (const auto t = no_room(added(demand, of_account, l.max_tres_account), of_account.tres, l.max_tres_account,
                             seen.max_tres_account, true)) {
    return hold(Limit::max_tres_account, *t);
  }
  const Part& of_user = part(use.users, c.user);
  if (const auto t =
          no_room(added(demand, of_user, l.max_tres_user), of_user.tres, l.max_tres_user, seen.max_tres_user, true)) {
    return hold(Limit::max_tres_user, *t);
  }
  return {};
}

Hold LimitBook::after_choice(JobId job, const Demand& demand) const {
  const Charge& c = charges_[index(job)];
  if (!conf_.enforce.limits || c.association == kNobody) return {};
  Limits seen;
  Hold hold;
  each_qos(c, [&](std::uint32_t q) {
    if (!hold) hold = qos_after_choice(c, q, demand, seen);
  });
  if (hold) return hold;
  const double factor = limit_factor(c);
  const TresCounts secs = times(demand.tres, demand.limit);
  const TresCounts* safe = conf_.enforce.safe ? &secs : nullptr;
  for (std::uint32_t a = c.association; a != kNobody; a = associations_[a].above) {
    const Limits& l = associations_[a].limits;
    const Use& use = of_association_[a];
    const auto of_association = [](Limit limit, Tres tres) { return Hold{limit, false, tres}; };
    if (const auto t = minutes_used_up(use, used_by(a), l.grp_tres_secs, seen.grp_tres_secs, false, safe)) {
      return of_association(Limit::grp_tres_mins, *t);
    }
    const TresCounts grp_tres = scaled(l.grp_tres, factor);
    if (const auto t = no_room(added(demand, use, grp_tres), use.tres, grp_tres, seen.grp_tres, false)) {
      return of_association(Limit::grp_tres, *t);
    }
    if (const auto t = no_room(secs, in_minutes(use.run_secs), l.grp_tres_run_secs, seen.grp_tres_run_secs, false)) {
      return of_association(Limit::grp_tres_run_mins, *t);
    }
    if (a != c.association) continue;
    if (const auto t = outside(secs, l.max_tres_secs_job, seen.max_tres_secs_job, false)) {
      return of_association(Limit::max_tres_mins_job, *t);
    }
    if (const auto t = outside(demand.tres, scaled(l.max_tres_job, factor), seen.max_tres_job, false)) {
      return of_association(Limit::max_tres_job, *t);
    }
    if (const auto t =
            outside(demand.tres, scaled(l.max_tres_node, factor), seen.max_tres_node, false, demand.tres[Tres::node])) {
      return of_association(Limit::max_tres_node, *t);
    }
  }
  return {};
}

bool LimitBook::used_up(JobId job, Second start, Second now) const {
  const Charge& c = charges_[index(job)];
  if (!conf_.enforce.limits || conf_.enforce.safe || c.association == kNobody) return false;
  // Slurm adds one, to count more than the limit only.
  TresCounts used = times(c.tres, (now - start) / 60 * 60);
  for (std::size_t t = 0; t < kTres; ++t) used.of[t] += c.tres.of[t] > 0 ? 60 : 0;
  Limits seen;
  bool over = false;
  const auto look = [&](const Limits& l, const Use& use, const Usage& usage, bool record) {
    over |= minutes_used_up(use, usage, l.grp_tres_secs, seen.grp_tres_secs, record, nullptr).has_value();
    if (holds(seen.grp_wall, l.grp_wall)) {
      if (record) seen.grp_wall = l.grp_wall;
      over |= whole_minutes(usage.wall) >= l.grp_wall;
    }
    over |= outside(used, l.max_tres_secs_job, seen.max_tres_secs_job, record).has_value();
  };
  each_qos(c,
           [&](std::uint32_t q) { look(associations_.qos()[q].limits, of_qos_[q].all, multifactor_.used(q), true); });
  for (std::uint32_t a = c.association; a != kNobody && associations_[a].above != kNobody; a = associations_[a].above) {
    look(associations_[a].limits, of_association_[a], used_by(a), false);
  }
  return over;
}

std::optional<std::uint32_t> LimitBook::reserve_threshold(JobId job) const {
  const Charge& c = charges_[index(job)];
  if (!conf_.enforce.limits || c.association == kNobody) return std::nullopt;
  std::int64_t threshold = kNoLimit;
  each_qos(c, [&](std::uint32_t q) { take(threshold, associations_.qos()[q].limits.min_prio_thresh); });
  take(threshold, associations_[c.association].limits.min_prio_thresh);
  if (threshold <= 0) return std::nullopt;
  return static_cast<std::uint32_t>(threshold);
}

double LimitBook::limit_factor(const Charge& c) const {
  double factor = 1;
  each_qos(c, [&](std::uint32_t q) {
    if (factor == 1 && associations_.qos()[q].limit_factor > 0) factor = associations_.qos()[q].limit_factor;
  });
  return factor;
}

// --- what happens ---------------------------------------------------------------------------------------------------

// Calls change(use) for every association and QOS that pays for the job, change_part(part) for its user and account in
// each of its QOS.
template <class Change, class ChangePart>
void LimitBook::charge(const Charge& c, Change change, ChangePart change_part) {
  each_qos(c, [&](std::uint32_t q) {
    change(of_qos_[q].all);
    change_part(grown(of_qos_[q].users, c.user));
    change_part(grown(of_qos_[q].accounts, c.account));
  });
  for (std::uint32_t a = c.association; a != kNobody; a = associations_[a].above) change(of_association_[a]);
}

void LimitBook::submitted(JobId job) {
  Charge& c = charges_[index(job)];
  if (c.association == kNobody || c.submitted) return;
  c.submitted = true;
  charge(
      c, [](Use& use) { ++use.submitted; }, [](Part& part) { ++part.submitted; });
}

void LimitBook::left(JobId job) {
  if (index(job) >= charges_.size()) return;
  Charge& c = charges_[index(job)];
  if (!c.submitted) return;
  c.submitted = false;
  charge(
      c, [](Use& use) { --use.submitted; }, [](Part& part) { --part.submitted; });
}

void LimitBook::started(JobId job, const Demand& demand, Second now, bool runs) {
  Charge& c = charges_[index(job)];
  if (c.association == kNobody || c.running) return;
  c.running = true;
  c.runs = runs;
  c.tres = demand.tres;
  c.nodes = demand.nodes;
  c.run_left = demand.limit;
  c.counted_from = now;
  const TresCounts secs = times(c.tres, c.run_left);
  charge(
      c,
      [&](Use& use) {
        ++use.jobs;
        hold_tres(use, c.tres, c.nodes, 1);
        add(use.run_secs, secs, 1);
      },
      [&](Part& part) {
        ++part.jobs;
        hold_tres(part, c.tres, c.nodes, 1);
      });
  c.running_at = running_.size();
  running_.push_back(job);
}

void LimitBook::given(JobId job, Second more) {
  if (index(job) >= charges_.size() || !charges_[index(job)].running) return;
  Charge& c = charges_[index(job)];
  const Second left = std::max<Second>(c.run_left + more, 0);
  const TresCounts secs = times(c.tres, left - c.run_left);
  c.run_left = left;
  charge(
      c, [&](Use& use) { add(use.run_secs, secs, 1); }, [](Part&) {});
}

void LimitBook::config_done(JobId job, Second now) {
  if (index(job) >= charges_.size()) return;
  charges_[index(job)].runs = true;
  charges_[index(job)].counted_from = now;
}

void LimitBook::stopped(JobId job, Second now) {
  if (index(job) >= charges_.size()) return;
  Charge& c = charges_[index(job)];
  if (!c.running) return;
  count(c, now);
  c.running = false;
  const TresCounts unused = times(c.tres, c.run_left);
  charge(
      c,
      [&](Use& use) {
        --use.jobs;
        hold_tres(use, c.tres, c.nodes, -1);
        add(use.run_secs, unused, -1);
      },
      [&](Part& part) {
        --part.jobs;
        hold_tres(part, c.tres, c.nodes, -1);
      });
  c.nodes = {};
  charges_[index(running_.back())].running_at = c.running_at;
  running_[c.running_at] = running_.back();
  running_.pop_back();
}

// Only priority/multifactor keeps account of what jobs use.
void LimitBook::count(Charge& c, Second now) {
  if (!conf_.multifactor || !c.runs) return;
  const Second ran = std::min(std::max<Second>(now - c.counted_from, 0), c.run_left);
  c.counted_from = now;
  if (ran == 0) return;
  c.run_left -= ran;
  const TresCounts promised = times(c.tres, ran);
  charge(
      c, [&](Use& use) { add(use.run_secs, promised, -1); }, [](Part&) {});
}

void LimitBook::account(Second now) {
  if (!conf_.multifactor || !conf_.enforce.limits || accounted_ == now) return;
  accounted_ = now;
  for (const JobId job : running_) count(charges_[index(job)], now);
}

}  // namespace headroom::slurm
