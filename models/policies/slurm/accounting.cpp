#include "models/policies/slurm/accounting.hpp"

#include <map>
#include <set>

#include "models/policies/slurm/evidence.hpp"
#include "models/policies/slurm/settings.hpp"

namespace headroom::slurm {
namespace {

constexpr std::string_view kAccount = "account";
constexpr std::string_view kUser = "user";
constexpr std::string_view kQos = "QOS";

std::vector<std::string> words(std::string_view list) {
  std::vector<std::string> all;
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (comma != 0) all.emplace_back(list.substr(0, comma));
    list = comma == std::string_view::npos ? "" : list.substr(comma + 1);
  }
  return all;
}

std::string set_names(std::vector<std::string>& out, std::string_view value) {
  out = words(value);
  return out.empty() ? wrong(value, "names such as a,b") : std::string();
}

std::string set_name(std::string& out, std::string_view value) {
  out = value;
  return value.empty() || value.find(',') != std::string_view::npos ? wrong(value, "a name") : std::string();
}

std::string set_shares(std::int64_t& out, std::string_view value) {
  if (same(value, "parent")) {
    out = kParentShares;
    return {};
  }
  return set_number(out, value, 0, kMost);
}

// A count, -1 for none.
std::string set_limit(std::int64_t& out, std::string_view value) { return set_number(out, value, -1, kMost); }

std::string set_wall(std::int64_t& out, std::string_view value) {
  if (value == "-1") {
    out = kNoLimit;
    return {};
  }
  Second time = 0;
  std::string problem = set_duration(time, value);
  out = time;
  return problem;
}

std::string set_tres_minutes(TresCounts& out, std::string_view value) {
  TresCounts minutes = TresCounts::no_limits();
  std::string problem = parse_tres(value, minutes);
  for (std::size_t t = 0; t < kTres; ++t) {
    if (minutes.of[t] != kNoLimit) out.of[t] = minutes.of[t] * 60;
  }
  return problem;
}

std::string set_double(double& out, std::string_view value, double least) {
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (error != std::errc() || end != value.data() + value.size() || !(out >= least && out <= 1e9)) {
    return wrong(value, "a number");
  }
  return {};
}

std::string set_preempt_mode(std::optional<PreemptMode>& out, std::string_view value) {
  if (same(value, "cluster") || same(value, "off")) {
    out = same(value, "off") ? std::optional(PreemptMode::off) : std::nullopt;
  } else if (same(value, "cancel")) {
    out = PreemptMode::cancel;
  } else if (same(value, "requeue")) {
    out = PreemptMode::requeue;
  } else {
    return wrong(value, "cluster, off, cancel or requeue; suspend and gang are not followed");
  }
  return {};
}

struct Flag {
  std::string_view name;
  bool Qos::*flag;
};
constexpr Flag kFlags[] = {
    {"DenyOnLimit", &Qos::deny_on_limit},
    {"NoReserve", &Qos::no_reserve},
    {"PartitionMaxNodes", &Qos::partition_max_nodes},
    {"PartitionMinNodes", &Qos::partition_min_nodes},
    {"PartitionTimeLimit", &Qos::partition_time_limit},
    {"OverPartQOS", &Qos::override_partition_qos},
    {"RequiresReservation", &Qos::require_reservation},
    {"NoDecay", &Qos::no_decay},
};

std::string set_flags(Qos& qos, std::string_view value) {
  for (const std::string& word : words(value)) {
    const auto* const found =
        std::find_if(std::begin(kFlags), std::end(kFlags), [&](const Flag& f) { return same(f.name, word); });
    if (found == std::end(kFlags)) {
      std::vector<std::string_view> names;
      for (const Flag& f : kFlags) names.push_back(f.name);
      const std::string hint = nearest_hint(word, names);
      return quote(word) + " is not followed" + (hint.empty() ? "" : ";" + hint);
    }
    qos.*(found->flag) = true;
  }
  return {};
}

// clang-format off
// What accounts, users and QOS have in common.
template <class Of>
constexpr Setter<Of> common(std::string_view where, std::size_t i) {
  const Setter<Of> all[] = {
    {{"GrpTRES", where, "", "Resources of all running jobs together, such as cpu=64,node=4,mem=100G,gres/gpu=8."},
     [](Of& o, std::string_view v) { return parse_tres(v, o.limits.grp_tres); }},
    {{"GrpTRESMins", where, "", "TRES-minutes that all jobs may use; what was used decays with the half-life."},
     [](Of& o, std::string_view v) { return set_tres_minutes(o.limits.grp_tres_secs, v); }},
    {{"GrpTRESRunMins", where, "", "TRES-minutes that running jobs may still use, by their requested times."},
     [](Of& o, std::string_view v) { return set_tres_minutes(o.limits.grp_tres_run_secs, v); }},
    {{"GrpJobs", where, "-1", "Running jobs."},
     [](Of& o, std::string_view v) { return set_limit(o.limits.grp_jobs, v); }},
    {{"GrpSubmitJobs", where, "-1", "Pending and running jobs; more are rejected at submission."},
     [](Of& o, std::string_view v) { return set_limit(o.limits.grp_submit_jobs, v); }},
    {{"GrpWall", where, "-1", "Minutes of run time that all jobs may use."},
     [](Of& o, std::string_view v) { return set_wall(o.limits.grp_wall, v); }},
    {{"MaxTRESPerJob", where, "", "Resources of one job."},
     [](Of& o, std::string_view v) { return parse_tres(v, o.limits.max_tres_job); }},
    {{"MaxTRESPerNode", where, "", "Resources of one job on each node."},
     [](Of& o, std::string_view v) { return parse_tres(v, o.limits.max_tres_node); }},
    {{"MaxTRESMinsPerJob", where, "", "TRES-minutes of one job: its size times its requested time."},
     [](Of& o, std::string_view v) { return set_tres_minutes(o.limits.max_tres_secs_job, v); }},
    {{"MaxWallDurationPerJob", where, "-1", "Longest requested time, in minutes."},
     [](Of& o, std::string_view v) { return set_wall(o.limits.max_wall, v); }},
    {{"MinPrioThreshold", where, "-1", "Priority below which jobs get no reservation by backfill."},
     [](Of& o, std::string_view v) { return set_limit(o.limits.min_prio_thresh, v); }},
  };
  return all[i];
}
constexpr std::size_t kCommon = 11;

const Setter<Account> kAccountSettings[] = {
  {{"parent", kAccount, "root", "The account above it."},
   [](Account& a, std::string_view v) { return set_name(a.parent, v); }},
  {{"fairshare", kAccount, "1", "Its shares among its siblings; parent: as one of the parent's users."},
   [](Account& a, std::string_view v) { return set_shares(a.shares, v); }},
  {{"priority", kAccount, "0", "Added to the priority of its jobs, times PriorityWeightAssoc."},
   [](Account& a, std::string_view v) { return set_number(a.priority, v, 0, 4294967293); }},
  {{"qos", kAccount, "", "QOS that its jobs may have; default: those of the account above, of root normal."},
   [](Account& a, std::string_view v) { return set_names(a.qos, v); }},
  {{"DefaultQOS", kAccount, "", "QOS of jobs that name none; default: normal, or the only one."},
   [](Account& a, std::string_view v) { return set_name(a.default_qos, v); }},
  {{"MaxJobs", kAccount, "-1", "Running jobs of each of its users."},
   [](Account& a, std::string_view v) { return set_limit(a.limits.max_jobs, v); }},
  {{"MaxSubmitJobs", kAccount, "-1", "Pending and running jobs of each of its users."},
   [](Account& a, std::string_view v) { return set_limit(a.limits.max_submit_jobs, v); }},
};

const Setter<User> kUserSettings[] = {
  {{"account", kUser, "", "Its accounts; the first is that of jobs that name none. Required."},
   [](User& u, std::string_view v) { return set_names(u.accounts, v); }},
  {{"fairshare", kUser, "1", "Its shares among its siblings; parent: those of the account."},
   [](User& u, std::string_view v) { return set_shares(u.shares, v); }},
  {{"priority", kUser, "0", "Added to the priority of its jobs, times PriorityWeightAssoc."},
   [](User& u, std::string_view v) { return set_number(u.priority, v, 0, 4294967293); }},
  {{"qos", kUser, "", "QOS that its jobs may have; default: those of the account."},
   [](User& u, std::string_view v) { return set_names(u.qos, v); }},
  {{"DefaultQOS", kUser, "", "QOS of jobs that name none; default: the account's."},
   [](User& u, std::string_view v) { return set_name(u.default_qos, v); }},
  {{"MaxJobs", kUser, "-1", "Running jobs."},
   [](User& u, std::string_view v) { return set_limit(u.limits.max_jobs, v); }},
  {{"MaxSubmitJobs", kUser, "-1", "Pending and running jobs; more are rejected at submission."},
   [](User& u, std::string_view v) { return set_limit(u.limits.max_submit_jobs, v); }},
};

const Setter<Qos> kQosSettings[] = {
  {{"priority", kQos, "0", "Divided by the largest of all QOS and times PriorityWeightQOS, part of its jobs' priority."},
   [](Qos& q, std::string_view v) { return set_number(q.priority, v, 0, 4294967293); }},
  {{"preempt", kQos, "", "QOS whose jobs make way for its jobs (PreemptType=preempt/qos)."},
   [](Qos& q, std::string_view v) { return set_names(q.preempts, v); }},
  {{"PreemptMode", kQos, "cluster", "How its own jobs make way: cluster, off, cancel or requeue."},
   [](Qos& q, std::string_view v) { return set_preempt_mode(q.preempt_mode, v); }},
  {{"GraceTime", kQos, "0", "Seconds that its jobs keep running when they are to make way."},
   [](Qos& q, std::string_view v) { return set_number(q.grace_time, v, 0, kMost); }},
  {{"PreemptExemptTime", kQos, "", "Run time before which its jobs need not make way; default: the cluster's."},
   [](Qos& q, std::string_view v) {
     Second time = 0;
     std::string problem = set_duration(time, v);
     q.preempt_exempt_time = time;
     return problem;
   }},
  {{"UsageFactor", kQos, "1", "What its jobs use counts so many times."},
   [](Qos& q, std::string_view v) { return set_double(q.usage_factor, v, 0); }},
  {{"UsageThreshold", kQos, "-1", "Jobs do not wait for their fair share to rise; only -1, none, is taken.",
    Use::refused},
   [](Qos&, std::string_view v) {
     if (v == "-1") return std::string();
     return "is not followed: " + wrong(v, "-1: jobs do not wait for their fair share to rise");
   }},
  {{"LimitFactor", kQos, "1", "For its jobs an association's GrpTRES and MaxTRES count so many times."},
   [](Qos& q, std::string_view v) { return set_double(q.limit_factor, v, 0); }},
  {{"Flags", kQos, "", "DenyOnLimit, NoDecay, NoReserve, OverPartQOS, PartitionMaxNodes, "
    "PartitionMinNodes, PartitionTimeLimit, RequiresReservation."},
   set_flags},
  {{"MinTRESPerJob", kQos, "", "Resources that a job takes at least."},
   [](Qos& q, std::string_view v) { return parse_tres(v, q.limits.min_tres_job); }},
  {{"MaxTRESPerUser", kQos, "", "Resources of the running jobs of one user."},
   [](Qos& q, std::string_view v) { return parse_tres(v, q.limits.max_tres_user); }},
  {{"MaxTRESPerAccount", kQos, "", "Resources of the running jobs of one account."},
   [](Qos& q, std::string_view v) { return parse_tres(v, q.limits.max_tres_account); }},
  {{"MaxJobsPerUser", kQos, "-1", "Running jobs of one user."},
   [](Qos& q, std::string_view v) { return set_limit(q.limits.max_jobs_user, v); }},
  {{"MaxJobsPerAccount", kQos, "-1", "Running jobs of one account."},
   [](Qos& q, std::string_view v) { return set_limit(q.limits.max_jobs_account, v); }},
  {{"MaxSubmitJobsPerUser", kQos, "-1", "Pending and running jobs of one user; more are rejected at submission."},
   [](Qos& q, std::string_view v) { return set_limit(q.limits.max_submit_user, v); }},
  {{"MaxSubmitJobsPerAccount", kQos, "-1", "The same of one account."},
   [](Qos& q, std::string_view v) { return set_limit(q.limits.max_submit_account, v); }},
};
// clang-format on

// sacctmgr's other spellings.
constexpr std::pair<std::string_view, std::string_view> kSpellings[] = {
    {"MaxTRES", "MaxTRESPerJob"},
    {"MaxTRESPJ", "MaxTRESPerJob"},
    {"MaxTRESPN", "MaxTRESPerNode"},
    {"MaxTRESMins", "MaxTRESMinsPerJob"},
    {"MaxTRESPU", "MaxTRESPerUser"},
    {"MaxTRESPA", "MaxTRESPerAccount"},
    {"MaxWall", "MaxWallDurationPerJob"},
    {"MaxJobsPU", "MaxJobsPerUser"},
    {"MaxJobsPA", "MaxJobsPerAccount"},
    {"MaxSubmitPU", "MaxSubmitJobsPerUser"},
    {"MaxSubmitJobsPU", "MaxSubmitJobsPerUser"},
    {"MaxSubmitPA", "MaxSubmitJobsPerAccount"},
    {"MaxSubmitJobsPA", "MaxSubmitJobsPerAccount"},
    {"MaxSubmit", "MaxSubmitJobs"},
    {"GrpSubmit", "GrpSubmitJobs"},
    {"MinTRES", "MinTRESPerJob"},
    {"qoslevel", "qos"},
    {"shares", "fairshare"},
    {"accounts", "account"},
};

// `own`, and what all three have.
template <class Of, std::size_t N>
const std::vector<Setter<Of>>& table_of(const Setter<Of> (&own)[N], std::string_view where) {
  static const std::vector<Setter<Of>> all = [&] {
    std::vector<Setter<Of>> list(std::begin(own), std::end(own));
    for (std::size_t i = 0; i < kCommon; ++i) list.push_back(common<Of>(where, i));
    return list;
  }();
  return all;
}
const std::vector<Setter<Account>>& account_table() { return table_of(kAccountSettings, kAccount); }
const std::vector<Setter<User>>& user_table() { return table_of(kUserSettings, kUser); }
const std::vector<Setter<Qos>>& qos_table() { return table_of(kQosSettings, kQos); }

template <class Of>
std::string set_spelled(const std::vector<Setter<Of>>& table, Of& of, std::string_view name, std::string_view value) {
  std::vector<std::string_view> spellings;
  for (const auto& [spelling, meant] : kSpellings) {
    if (same(spelling, name)) name = meant;
    const bool of_table = std::any_of(table.begin(), table.end(),
                                      [to = meant](const Setter<Of>& s) { return same(s.parameter.name, to); });
    if (of_table) spellings.push_back(spelling);
  }
  return set_in(std::span<const Setter<Of>>(table), of, name, value, spellings);
}

constexpr std::pair<std::string_view, Tres> kTresNames[] = {
    {"cpu", Tres::cpu}, {"mem", Tres::mem}, {"node", Tres::node}, {"billing", Tres::billing}, {"gres/gpu", Tres::gpu},
};

}  // namespace

std::optional<Tres> tres_named(std::string_view name) {
  for (const auto& [known, tres] : kTresNames) {
    if (same(known, name)) return tres;
  }
  return std::nullopt;
}

std::string_view tres_name(Tres t) { return kTresNames[static_cast<std::size_t>(t)].first; }

std::string parse_tres(std::string_view text, TresCounts& counts) {
  if (text.empty()) return wrong(text, "resources such as cpu=10,mem=4G");
  for (const std::string& entry : words(text)) {
    const auto equals = entry.find('=');
    const std::string name = entry.substr(0, equals);
    const auto* const found =
        std::find_if(std::begin(kTresNames), std::end(kTresNames), [&](const auto& t) { return same(t.first, name); });
    if (found == std::end(kTresNames)) {
      std::vector<std::string_view> names;
      for (const auto& t : kTresNames) names.push_back(t.first);
      return quote(name) + " is not followed;" + nearest_hint(name, names) +
             " known: cpu, mem, node, billing, gres/gpu";
    }
    std::string value = equals == std::string::npos ? "" : entry.substr(equals + 1);
    std::int64_t unit = 1;
    if (found->second == Tres::mem && !value.empty()) {
      constexpr std::string_view kUnits = "MGTP";
      const auto at = kUnits.find(static_cast<char>(value.back() >= 'a' ? value.back() - 'a' + 'A' : value.back()));
      if (at != std::string_view::npos) {
        for (std::size_t i = 0; i < at; ++i) unit *= 1024;
        value.pop_back();
      }
    }
    std::int64_t count = 0;
    if (const std::string problem = set_number(count, value, -1, kMost); !problem.empty()) return name + ": " + problem;
    counts[found->second] = count == -1 ? kNoLimit : count * unit;
  }
  return {};
}

std::string set(Account& account, std::string_view name, std::string_view value) {
  return set_spelled(account_table(), account, name, value);
}
std::string set(User& user, std::string_view name, std::string_view value) {
  return set_spelled(user_table(), user, name, value);
}
std::string set(Qos& qos, std::string_view name, std::string_view value) {
  return set_spelled(qos_table(), qos, name, value);
}

std::string check(const Accounting& accounting) {
  std::map<std::string, std::string> parents{{"root", ""}};
  for (const Account& a : accounting.accounts) {
    if (!parents.emplace(a.name, a.parent).second) return "account " + a.name + " is given twice";
  }
  std::set<std::string> qos{"normal"};
  for (const Qos& q : accounting.qos) qos.insert(q.name);
  const auto known = [&](const std::vector<std::string>& names) {
    const auto lost = std::find_if(names.begin(), names.end(), [&](const auto& name) { return !qos.contains(name); });
    return lost == names.end() ? std::string() : *lost;
  };
  for (const Account& a : accounting.accounts) {
    if (!parents.contains(a.parent)) return "account " + a.name + ": no account " + a.parent;
    std::size_t steps = 0;
    for (std::string up = a.name; up != "root"; up = parents.at(up)) {
      if (++steps > accounting.accounts.size()) return "account " + a.name + " is above itself";
      if (!parents.contains(parents.at(up))) break;
    }
    if (const auto lost = known(a.qos); !lost.empty()) return "account " + a.name + ": no QOS " + lost;
    if (!a.default_qos.empty() && !qos.contains(a.default_qos))
      return "account " + a.name + ": no QOS " + a.default_qos;
  }
  for (const User& u : accounting.users) {
    if (u.accounts.empty()) return "user " + u.name + " has no account";
    for (const std::string& account : u.accounts) {
      if (!parents.contains(account)) return "user " + u.name + ": no account " + account;
    }
    if (const auto lost = known(u.qos); !lost.empty()) return "user " + u.name + ": no QOS " + lost;
    if (!u.default_qos.empty() && !qos.contains(u.default_qos)) return "user " + u.name + ": no QOS " + u.default_qos;
  }
  for (const Qos& q : accounting.qos) {
    if (const auto lost = known(q.preempts); !lost.empty()) return "QOS " + q.name + ": no QOS " + lost;
  }
  return {};
}

std::string check(const Partition& partition, const Accounting& accounting) {
  const auto has = [](const auto& list, const std::string& name) {
    return std::any_of(list.begin(), list.end(), [&](const auto& each) { return each.name == name; });
  };
  const auto lost = [&](const char* setting, const char* what, const std::string& name) {
    return "partition " + partition.name + ": " + setting + ": no " + what + " " + name;
  };
  if (!partition.qos.empty() && !has(accounting.qos, partition.qos)) return lost("QOS", "QOS", partition.qos);
  const std::pair<const char*, const std::vector<std::string>*> qos[] = {{"AllowQos", &partition.allow_qos},
                                                                         {"DenyQos", &partition.deny_qos}};
  for (const auto& [setting, names] : qos) {
    for (const std::string& name : *names) {
      if (!has(accounting.qos, name)) return lost(setting, "QOS", name);
    }
  }
  const std::pair<const char*, const std::vector<std::string>*> accounts[] = {
      {"AllowAccounts", &partition.allow_accounts}, {"DenyAccounts", &partition.deny_accounts}};
  for (const auto& [setting, names] : accounts) {
    for (const std::string& name : *names) {
      if (name != "root" && !has(accounting.accounts, name)) return lost(setting, "account", name);
    }
  }
  return {};
}

std::string user_name(const Conf& conf, const Accounting& accounting, std::uint32_t user) {
  if (user < accounting.users.size()) return accounting.users[user].name;
  return user < conf.user_names.size() ? conf.user_names[user] : std::string();
}

std::span<const Parameter> accounting_parameters() {
  static const std::vector<Parameter> all = [] {
    std::vector<Parameter> list;
    for (const auto& s : account_table()) list.push_back(with_evidence(s.parameter));
    for (const auto& s : user_table()) list.push_back(with_evidence(s.parameter));
    for (const auto& s : qos_table()) list.push_back(with_evidence(s.parameter));
    return list;
  }();
  return all;
}

}  // namespace headroom::slurm
