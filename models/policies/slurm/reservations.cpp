#include "models/policies/slurm/reservations.hpp"

#include <algorithm>

#include "models/policies/slurm/evidence.hpp"
#include "models/policies/slurm/settings.hpp"

namespace headroom::slurm {
namespace {

constexpr const char* kReservation = "reservation";
constexpr Second kDay = 86'400;
constexpr Second kYear = 365 * kDay;

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const auto comma = text.find(',');
    if (comma != 0) words.emplace_back(text.substr(0, comma));
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
  }
  return words;
}

// now, now+COUNT[seconds|minutes|hours|days|weeks].
std::optional<Second> parse_from_now(std::string_view text) {
  if (text.size() < 3 || !same(text.substr(0, 3), "now")) return std::nullopt;
  text = text.substr(3);
  if (text.empty()) return 0;
  if (text[0] != '+') return std::nullopt;
  text = text.substr(1);
  const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto count = integer(text.substr(0, digits));
  if (!count || *count > kMost) return std::nullopt;
  const std::string_view unit = text.substr(digits);
  const std::pair<std::string_view, Second> units[] = {
      {"seconds", 1}, {"minutes", 60}, {"hours", 3600}, {"days", kDay}, {"weeks", 7 * kDay}};
  if (unit.empty()) return *count;
  for (const auto& [name, seconds] : units) {
    if (unit.size() <= name.size() && same(unit, name.substr(0, unit.size()))) return *count * seconds;
  }
  return std::nullopt;
}

std::string set_from_now(std::optional<Second>& out, std::string_view v) {
  out = parse_from_now(v);
  return out ? std::string() : wrong(v, "now or now+COUNT[seconds|minutes|hours|days], counted from the request");
}

using Flags = ReservationSettings::Flags;

struct FlagName {
  Parameter parameter;
  bool Flags::*flag;  // null: it changes nothing
};
constexpr const char* kFlag = "reservation flag";
// clang-format off
constexpr FlagName kFlags[] = {
    {{"ANY_NODES", kFlag, "", "Its jobs may run on any nodes; with Licenses and without nodes of its own only."}, &Flags::any_nodes},
    {{"DAILY", kFlag, "", "It comes again every day."}, &Flags::daily},
    {{"FIRST_CORES", kFlag, "", "No effect: which cores of a node are reserved shows nowhere.", Use::no_effect}, nullptr},
    {{"FLEX", kFlag, "", "Its jobs may start before it, end after it and use other nodes."}, &Flags::flex},
    {{"HOURLY", kFlag, "", "It comes again every hour."}, &Flags::hourly},
    {{"IGNORE_JOBS", kFlag, "", "Jobs that run on its nodes do not prevent it."}, &Flags::ignore_jobs},
    {{"LICENSE_ONLY", kFlag, "", "It is one of licences, on any nodes."}, &Flags::license_only},
    {{"MAGNETIC", kFlag, "", "Jobs that may use it are tried in it without asking for it."}, &Flags::magnetic},
    {{"MAINT", kFlag, "", "For maintenance: it may lie on others' nodes, and none of them holds its jobs back; sinfo shows maint."}, &Flags::maint},
    {{"NO_HOLD_JOBS_AFTER", kFlag, "", "The same as NO_HOLD_JOBS_AFTER_END."}, &Flags::no_hold_jobs},
    {{"NO_HOLD_JOBS_AFTER_END", kFlag, "", "When it is over, jobs that wait for it are jobs in no reservation; otherwise they are held."}, &Flags::no_hold_jobs},
    {{"OVERLAP", kFlag, "", "It may lie on nodes of other reservations."}, &Flags::overlap},
    {{"PART_NODES", kFlag, "", "All nodes of PartitionName, with Nodes=ALL or without Nodes."}, &Flags::part_nodes},
    {{"PURGE_COMP", kFlag, "", "PURGE_COMP[=TIME]: it ends early when no job has used or waited for it for so long."}, &Flags::purge_comp},
    {{"REPLACE_DOWN", kFlag, "", "Nodes that cannot be used are replaced. Those of NodeCnt are in any case.", Use::no_effect}, nullptr},
    {{"STATIC_ALLOC", kFlag, "", "Nodes that were chosen for NodeCnt stay, even if they cannot be used."}, &Flags::static_alloc},
    {{"TIME_FLOAT", kFlag, "", "StartTime counts from any time on: jobs whose limit reaches so far keep off; no job may use it."}, &Flags::time_float},
    {{"USER_DELETE", kFlag, "", "No effect: users delete no reservations here.", Use::no_effect}, nullptr},
    {{"WEEKDAY", kFlag, "", "It comes again every day from Monday to Friday."}, &Flags::weekday},
    {{"WEEKEND", kFlag, "", "It comes again every Saturday and Sunday."}, &Flags::weekend},
    {{"WEEKLY", kFlag, "", "It comes again every week."}, &Flags::weekly},
};
// clang-format on

std::string set_flags(ReservationSettings& r, std::string_view value) {
  for (const std::string& word : split(value)) {
    const auto equals = std::min(word.find('='), word.size());
    const std::string_view name = std::string_view(word).substr(0, equals);
    const auto* const at = std::find_if(std::begin(kFlags), std::end(kFlags),
                                        [&](const FlagName& f) { return same(f.parameter.name, name); });
    if (at == std::end(kFlags)) {
      if (const Parameter* const known = find_known_name(kFlag, name)) {
        return "flag " + quote(word) + " is not followed: " + std::string(known->help);
      }
      std::vector<std::string_view> names;
      for (const FlagName& f : kFlags) names.push_back(f.parameter.name);
      std::string list;
      for (const std::string_view each : names) list += (list.empty() ? "" : ", ") + std::string(each);
      return "flag " + quote(word) + " is not followed;" + nearest_hint(name, names) + " known: " + list;
    }
    if (at->flag != nullptr) r.flags.*at->flag = true;
    if (equals == word.size()) continue;
    const auto time = parse_duration(std::string_view(word).substr(equals + 1));
    if (at->flag != &Flags::purge_comp || !time) return wrong(word, "a flag, or PURGE_COMP=TIME");
    r.purge_after = *time;
  }
  return {};
}

using Set = Setter<ReservationSettings>;

const Set kSetters[] = {
    {{"StartTime", kReservation, "now", "When it begins: now or now+COUNT[UNIT], from when it is asked for."},
     [](ReservationSettings& r, std::string_view v) { return set_from_now(r.start, v); }},
    {{"EndTime", kReservation, "", "When it ends, in the same way."},
     [](ReservationSettings& r, std::string_view v) { return set_from_now(r.end, v); }},
    {{"Duration", kReservation, "", "Instead of EndTime: minutes, or as sbatch --time."},
     [](ReservationSettings& r, std::string_view v) {
       r.duration = parse_duration(v);
       return r.duration ? std::string() : wrong(v, "a time such as 60, 1:30:00, 1-00:00:00 or UNLIMITED");
     }},
    {{"Nodes", kReservation, "", "Its nodes by name, or ALL."},
     [](ReservationSettings& r, std::string_view v) {
       r.all_nodes = same(v, "ALL");
       if (r.all_nodes) return std::string();
       r.nodes = expand_hostlist(v);
       return r.nodes.empty() ? wrong(v, "a list of nodes such as n[01-04], or ALL") : std::string();
     }},
    {{"NodeCnt", kReservation, "", "So many nodes, the first that are free at the time."},
     [](ReservationSettings& r, std::string_view v) { return set_number(r.node_count, v, 1, kMost); }},
    {{"CoreCnt", kReservation, "", "So many cores; with Nodes one number for each of them."},
     [](ReservationSettings& r, std::string_view v) {
       r.cores.clear();
       for (const std::string& word : split(v)) {
         std::int32_t count = 0;
         if (std::string problem = set_number(count, word, 1, kMost); !problem.empty()) return problem;
         r.cores.push_back(count);
       }
       return r.cores.empty() ? wrong(v, "a number of cores") : std::string();
     }},
    {{"Licenses", kReservation, "", "Licences: NAME[:COUNT], joined by commas."},
     [](ReservationSettings& r, std::string_view v) {
       LicenseList list;
       r.licenses = std::string(v);
       return parse_licenses(v, false, list);
     }},
    {{"PartitionName", kReservation, "", "Of whose nodes NodeCnt and PART_NODES speak."},
     [](ReservationSettings& r, std::string_view v) {
       r.partition = std::string(v);
       return std::string();
     }},
    {{"Users", kReservation, "", "Who may use it."},
     [](ReservationSettings& r, std::string_view v) {
       r.users = split(v);
       const bool bad = r.users.empty() || v.find_first_of("+-=") == 0;
       return bad ? wrong(v, "names of users, joined by commas") : std::string();
     }},
    {{"Accounts", kReservation, "", "Whose users may use it; subaccounts are among them."},
     [](ReservationSettings& r, std::string_view v) {
       r.accounts = split(v);
       const bool bad = r.accounts.empty() || v.find_first_of("+-=") == 0;
       return bad ? wrong(v, "names of accounts, joined by commas") : std::string();
     }},
    {{"Flags", kReservation, "", "The flags below, joined by commas."}, set_flags},
    {{"Comment", kReservation, "", "No effect.", Use::no_effect},
     [](ReservationSettings&, std::string_view) { return std::string(); }},
};

}  // namespace

std::string set(ReservationSettings& r, std::string_view name, std::string_view value) {
  if (same(name, "NodeCount")) name = "NodeCnt";
  if (same(name, "CoreCount")) name = "CoreCnt";
  return set_in(std::span<const Set>(kSetters), r, name, value);
}

std::span<const Parameter> reservation_parameters() {
  static const std::vector<Parameter> all = [] {
    std::vector<Parameter> list;
    for (const Set& s : kSetters) list.push_back(with_evidence(s.parameter));
    for (const FlagName& f : kFlags) list.push_back(with_evidence(f.parameter));
    return list;
  }();
  return all;
}

Reservations::Reservations(const Conf& conf, const Accounting& accounting)
    : conf_(conf), accounting_(accounting), license_names_(conf.licenses) {}

Time Reservations::next_request() const {
  return next_ < conf_.reservations.size() ? conf_.reservations[next_].at : kNever;
}

std::int32_t Reservations::find(const std::string& name) const {
  for (std::size_t r = 0; r < all_.size(); ++r) {
    if (!all_[r].gone && all_[r].name == name) return static_cast<std::int32_t>(r);
  }
  return -1;
}

Second Reservations::duration_of(const Job& job) const {
  if (job.limit < kUnlimited) return job.limit;
  const auto& most = conf_.partitions[index(job.queue)].max_time;
  return most ? std::min(*most, kYear) : kYear;
}

// From when to when others have to keep away.
Reservations::Span Reservations::span(const Reservation& r, Second now) const {
  if (!r.flags.time_float) return {r.start, r.end};
  return {r.start + now, r.start + now + r.duration};
}

namespace {

// How far it moves from one that ends at this second, by UTC; 0: it does not come again.
Second step_after(const Flags& flags, Second end) {
  constexpr int kFriday = 5;
  constexpr int kSaturday = 6;
  const auto weekday = static_cast<int>((end / kDay + 4) % 7);  // 1970 began with a Thursday; 0: Sunday
  if (flags.hourly) return 3600;
  if (flags.daily) return kDay;
  if (flags.weekday) return (weekday == kFriday ? 3 : weekday == kSaturday ? 2 : 1) * kDay;
  if (flags.weekend) return (weekday == kSaturday ? 1 : kSaturday - weekday) * kDay;
  return flags.weekly ? 7 * kDay : 0;
}

// By how much it will have moved, a week ahead.
std::vector<Second> moves(const Reservation& r) {
  std::vector<Second> all{0};
  for (Second moved = 0;;) {
    const Second step = step_after(r.flags, r.end + moved);
    moved += step;
    if (step == 0 || moved >= 7 * kDay) return all;
    all.push_back(moved);
  }
}

}  // namespace

// One that recurs moves on when it is over.
void Reservations::advance(Reservation& r, Second now) const {
  if (!r.flags.recurs()) return;
  while (r.end <= now) {
    const Second step = step_after(r.flags, r.end);
    r.last_end = r.end;
    r.start += step;
    r.end += step;
    r.begun = false;
    r.idle_since = 0;
  }
}

bool Reservations::over(const Job& job, Second now) const {
  if (job.reservation < 0) return false;
  const Reservation& r = (*this)[job.reservation];
  if (r.gone || r.flags.flex || r.flags.time_float) return false;
  const Second end = r.last_end > job.start ? r.last_end : r.end;
  return end + conf_.reservation_over_run < now;
}

bool Reservations::carry_out(Second second, const Cluster& cluster, const NodeTable& nodes, const JobList& jobs,
                             const JobTable& table) {
  const ReservationRequest& request = conf_.reservations[next_++];
  refused_.clear();
  switch (request.kind) {
    case ReservationRequest::Kind::create:
      return create(request.what, second, cluster, nodes, jobs);
    case ReservationRequest::Kind::update:
      return update(request.what, second, cluster, nodes, jobs);
    case ReservationRequest::Kind::remove:
      break;
  }
  const std::int32_t r = find(request.what.name);
  if (r < 0) {
    refused_ = "Requested reservation is invalid";
    return false;
  }
  if (in_use(r, jobs, table)) {
    refused_ = "Requested reservation is in use";
    return false;
  }
  all_[static_cast<std::size_t>(r)].gone = true;
  return true;
}

// Whether a job is in it, or waits for it.
bool Reservations::in_use(std::int32_t r, const JobList& jobs, const JobTable& table) const {
  for (std::size_t j = 0; j < askers_.size(); ++j) {
    const JobId id{static_cast<std::uint32_t>(j)};
    if (jobs[id].reservation == r && !is_final(table.state(id))) return true;
  }
  return false;
}

bool Reservations::overlaps(const Reservation& r, const NodeBits& nodes, Second now) const {
  if (r.flags.maint || r.flags.overlap) return false;
  const Span own = span(r, now);
  for (const Reservation& other : all_) {
    if (&other == &r || other.name == r.name || other.gone || !other.has_nodes || !other.whole_nodes) continue;
    if (other.flags.maint || other.flags.overlap || !other.nodes.overlaps(nodes)) continue;
    const Span theirs = span(other, now);
    for (const Second mine : moves(r)) {
      for (const Second others : moves(other)) {
        if (own.start + mine < theirs.end + others && own.end + mine > theirs.start + others) return true;
      }
    }
  }
  return false;
}

// Nodes of jobs that may still run when it begins.
NodeBits Reservations::busy(const Reservation& r, const JobList& jobs) const {
  NodeBits nodes = r.nodes;
  nodes.clear();
  if (r.flags.ignore_jobs) return nodes;
  for (const JobId id : jobs.active()) {
    const Job& job = jobs[id];
    if (job.end <= r.start) continue;
    if (job.reservation >= 0 && (*this)[job.reservation].name == r.name) continue;
    nodes |= job.nodes;
  }
  return nodes;
}

bool Reservations::choose(Reservation& r, const ReservationSettings& what, Second now, const Cluster& cluster,
                          const NodeTable& nodes, const JobList& jobs) {
  r.nodes = NodeBits(nodes.size());
  const auto refuse = [&](const char* why) {
    refused_ = why;
    return false;
  };
  r.partition.reset();
  for (std::size_t q = 0; q < conf_.partitions.size(); ++q) {
    if (conf_.partitions[q].name == what.partition) r.partition = QueueId{static_cast<std::uint32_t>(q)};
  }
  if (!what.partition.empty() && !r.partition) return refuse("Invalid partition name specified");
  if (what.flags.license_only ||
      (what.nodes.empty() && !what.all_nodes && what.node_count == 0 && what.cores.empty() && !what.flags.part_nodes)) {
    return !r.licenses.empty() || r.flags.any_nodes ? true : refuse("Requested node configuration is not available");
  }
  r.has_nodes = true;
  if (!what.nodes.empty() || what.all_nodes || what.flags.part_nodes) {
    r.named_nodes = true;
    r.all_nodes = what.all_nodes;
    if (what.flags.part_nodes && r.partition) r.nodes = nodes.partition(*r.partition);
    for (Index n = 0; n < nodes.size(); ++n) {
      const bool named = std::find(what.nodes.begin(), what.nodes.end(), nodes[n].name) != what.nodes.end();
      if (named || what.all_nodes) r.nodes.set(n);
    }
    if (r.nodes.none() || (!what.nodes.empty() && r.nodes.count() != std::ssize(what.nodes))) {
      return refuse("Invalid node name specified");
    }
    if (overlaps(r, r.nodes, now)) return refuse("Requested reservation overlaps with another reservation");
    if (busy(r, jobs).overlaps(r.nodes)) return refuse("Requested nodes are busy");
  } else {
    NodeBits left = nodes.available(cluster);
    left &= nodes.partition(r.partition.value_or(QueueId{0}));
    left.remove(busy(r, jobs));
    std::int32_t missing = what.node_count;
    std::int32_t cores = 0;
    for (const std::int32_t count : what.cores) cores += count;
    left.for_each([&](Index n) {
      if (missing <= 0 && cores <= 0) return;
      NodeBits one(nodes.size());
      one.set(n);
      if (overlaps(r, one, now)) return;
      r.nodes.set(n);
      --missing;
      cores -= nodes[n].cpus;
    });
    if (missing > 0 || cores > 0) return refuse("Requested nodes are busy");
  }
  if (what.cores.empty()) return true;
  r.whole_nodes = false;
  r.cpus.assign(nodes.size(), 0);
  std::size_t place = 0;
  std::int32_t left = what.cores.front();
  r.nodes.for_each([&](Index n) {
    const bool each = what.cores.size() > 1;
    const std::int32_t wanted = !each ? left : place < what.cores.size() ? what.cores[place] : 0;
    r.cpus[n] = std::min(nodes[n].cpus, wanted);
    left -= r.cpus[n];
    ++place;
  });
  return true;
}

bool Reservations::create(const ReservationSettings& what, Second now, const Cluster& cluster, const NodeTable& nodes,
                          const JobList& jobs) {
  Reservation r;
  const auto refuse = [&](const char* why) {
    refused_ = why;
    return false;
  };
  if (what.users.empty() && what.accounts.empty()) return refuse("Reservation has no users or accounts");
  if (find(what.name) >= 0) return refuse("Requested reservation is invalid");
  // A reservation of any nodes is one of something else.
  if (what.flags.any_nodes && what.licenses.empty()) return refuse("Requested reservation is invalid");
  r.name = what.name;
  r.flags = what.flags;
  r.purge_after = what.purge_after;
  r.start = now + what.start.value_or(0);
  if (what.end) {
    r.end = now + *what.end;
  } else {
    r.end = r.start + std::min(what.duration.value_or(kYear), kYear);
  }
  r.duration = r.end - r.start;
  if (r.duration <= 0) return refuse("Invalid time specified");
  if (r.flags.time_float) r.start -= now;
  r.users = what.users;
  r.accounts = what.accounts;
  LicenseList licenses;
  if (!parse_licenses(what.licenses, false, licenses).empty() || !license_names_.resolve(licenses, r.licenses)) {
    return refuse("Invalid license specification");
  }
  // Reservations together take no more of a licence than there are.
  LicenseCounts left = license_names_.all();
  for (const Reservation& other : all_) {
    if (other.gone || other.start >= r.end || other.end <= r.start) continue;
    for (const auto& [license, count] : other.licenses.of) left[license] -= count;
  }
  if (!LicenseBooks::enough(r.licenses, left)) return refuse("Invalid license specification");
  if (!choose(r, what, now, cluster, nodes, jobs)) return false;
  all_.push_back(std::move(r));
  return true;
}

bool Reservations::update(const ReservationSettings& what, Second now, const Cluster& cluster, const NodeTable& nodes,
                          const JobList& jobs) {
  const std::int32_t at = find(what.name);
  if (at < 0) {
    refused_ = "Requested reservation is invalid";
    return false;
  }
  Reservation r = (*this)[at];
  if (!what.users.empty()) r.users = what.users;
  if (!what.accounts.empty()) r.accounts = what.accounts;
  for (const FlagName& f : kFlags) {
    if (f.flag != nullptr) r.flags.*f.flag = r.flags.*f.flag || what.flags.*f.flag;
  }
  if (what.purge_after > 0) r.purge_after = what.purge_after;
  if (what.start) r.start = now + *what.start;
  if (what.duration) r.end = r.start + std::min(*what.duration, kYear);
  if (what.end) r.end = now + *what.end;
  if (!r.flags.time_float) r.duration = r.end - r.start;
  refused_ = r.end <= r.start ? "Invalid time specified" : "";
  if (!refused_.empty()) return false;
  if (what.start) r.begun = r.begun && r.start <= now;
  const bool other_time = what.start || what.end || what.duration;
  if (other_time && r.has_nodes && overlaps(r, r.nodes, now)) {
    refused_ = "Requested reservation overlaps with another reservation";
  } else if (other_time && r.has_nodes && busy(r, jobs).overlaps(r.nodes)) {
    refused_ = "Requested nodes are busy";
  }
  if (!refused_.empty()) return false;
  if (!what.nodes.empty() || what.all_nodes || what.node_count > 0) {
    if (!choose(r, what, now, cluster, nodes, jobs)) return false;
  }
  all_[static_cast<std::size_t>(at)] = std::move(r);
  return true;
}

// Nodes that cannot be used make way for others that nobody uses.
void Reservations::replace_down(Reservation& r, Second now, const Cluster& cluster, const NodeTable& nodes) {
  if (r.flags.static_alloc || r.named_nodes || !r.has_nodes || !r.whole_nodes || r.end <= now) return;
  const NodeBits available = nodes.available(cluster);
  NodeBits lost = r.nodes;
  lost.remove(available);
  if (lost.none()) return;
  NodeBits spare = available;
  spare &= nodes.partition(r.partition.value_or(QueueId{0}));
  spare &= nodes.held.idle;
  spare.remove(r.nodes).remove(nodes.completing());
  lost.for_each([&](Index n) {
    for (Index other = 0; other < nodes.size(); ++other) {
      if (!spare.test(other)) continue;
      NodeBits one(nodes.size());
      one.set(other);
      if (overlaps(r, one, now)) continue;
      spare.reset(other);
      r.nodes.reset(n);
      r.nodes.set(other);
      return;
    }
  });
}

bool Reservations::notice(Second now) {
  bool news = false;
  for (Reservation& r : all_) {
    if (r.gone || r.flags.time_float) continue;
    if (!r.begun && r.start <= now) news = r.begun = true;
    advance(r, now);
  }
  return news;
}

std::vector<std::int32_t> Reservations::look_after(Second now, const Cluster& cluster, const NodeTable& nodes,
                                                   const JobList& jobs, const JobTable& table) {
  std::vector<std::int32_t> ended;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    Reservation& r = all_[i];
    if (r.gone) continue;
    const auto number = static_cast<std::int32_t>(i);
    replace_down(r, now, cluster, nodes);
    if (r.flags.purge_comp && r.start <= now && r.end > now) {
      if (in_use(number, jobs, table)) {
        r.idle_since = 0;
      } else if (r.idle_since == 0) {
        r.idle_since = now;
      }
      if (r.idle_since > 0 && now - r.idle_since >= r.purge_after) {
        r.end = now;
        advance(r, now);
        r.gone = !r.flags.recurs();
      }
    } else if (r.end < now && !r.flags.recurs() && !r.flags.time_float) {
      const std::vector<JobId>& active = jobs.active();
      const bool runs =
          std::any_of(active.begin(), active.end(), [&](JobId id) { return jobs[id].reservation == number; });
      r.gone = !runs || r.flags.flex;
    }
    if (r.gone) ended.push_back(number);
  }
  return ended;
}

bool Reservations::may_use(const Job& job, const Reservation& r) const {
  if (r.flags.time_float) return false;
  const auto has = [](const std::vector<std::string>& list, const std::string& name) {
    return std::find(list.begin(), list.end(), name) != list.end();
  };
  if (!r.users.empty()) {
    if (!has(r.users, user_name(conf_, accounting_, job.user))) return false;
  }
  if (r.accounts.empty()) return true;
  std::string account = index(job.id) < askers_.size() ? askers_[index(job.id)].account : std::string();
  for (std::size_t depth = 0; depth <= accounting_.accounts.size() && !account.empty(); ++depth) {
    if (has(r.accounts, account)) return true;
    const auto at = std::find_if(accounting_.accounts.begin(), accounting_.accounts.end(),
                                 [&](const Account& a) { return a.name == account; });
    if (at == accounting_.accounts.end()) break;
    account = at->parent;
  }
  return false;
}

bool Reservations::admit(Job& job, const std::string& asked, const std::string& account) {
  if (askers_.size() <= index(job.id)) askers_.resize(index(job.id) + 1);
  askers_[index(job.id)].account = account;
  if (asked.empty()) return true;
  const std::int32_t r = find(asked);
  if (r < 0 || !may_use(job, (*this)[r])) return false;
  job.reservation = askers_[index(job.id)].asked = r;
  return true;
}

void Reservations::drawing(const Job& job, std::vector<std::int32_t>& out) const {
  out.clear();
  if (askers_[index(job.id)].asked >= 0) return;
  for (std::size_t r = 0; r < all_.size(); ++r) {
    if (all_[r].flags.magnetic && !all_[r].gone && may_use(job, all_[r])) out.push_back(static_cast<std::int32_t>(r));
  }
}

bool Reservations::usable(const Job& job, Second now) const {
  if (job.reservation < 0) return true;
  const Reservation& r = (*this)[job.reservation];
  if (r.gone || !may_use(job, r)) return false;
  if (r.flags.flex) return true;
  return now >= r.start && now <= r.end && (r.has_nodes || r.flags.any_nodes || r.flags.license_only);
}

bool Reservations::keeps_to_cores(const Job& job) const {
  const Reservation& r = (*this)[job.reservation];
  return !r.cpus.empty() && !r.flags.flex;
}

// CPUs of the reservation's that are in use, by node.
std::vector<std::int32_t> Reservations::held_inside(std::size_t r, const NodeTable& nodes, const JobList& jobs) const {
  std::vector<std::int32_t> held(nodes.size());
  std::vector<std::int32_t> others(nodes.size());
  for (const JobId id : jobs.active()) {
    const Job& job = jobs[id];
    if (job.reservation < 0) continue;
    if (job.reservation == static_cast<std::int32_t>(r)) {
      for (const Selector::Share& share : job.shares) held[share.node] += share.cpus;
      continue;
    }
    // Those of other reservations are not kept off these cores, and take the lowest.
    if (keeps_to_cores(job)) continue;
    for (const Selector::Share& share : job.shares) others[share.node] += share.cpus;
  }
  for (Index n = 0; n < nodes.size(); ++n) {
    held[n] += std::min(others[n], std::max(all_[r].cpus[n] - held[n], 0));
  }
  return held;
}

bool Reservations::licenses_free(const Job& job, Second when, const LicenseBooks& licenses) const {
  if (job.needs == nullptr || job.needs->licenses.empty()) return true;
  LicenseCounts free = licenses.free();
  const Second end = when + duration_of(job);
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const Reservation& r = all_[i];
    if (r.gone || r.licenses.empty() || job.reservation == static_cast<std::int32_t>(i)) continue;
    if (r.start >= end || r.end <= when) continue;
    for (const auto& [license, count] : r.licenses.of) free[license] -= count;
  }
  return LicenseBooks::enough(job.needs->licenses, free);
}

Reservations::Access Reservations::test(const Job& job, Second& when, bool move, Second now, const NodeTable& nodes,
                                        const JobList& jobs, const LicenseBooks& licenses) const {
  Access access;
  access.nodes = NodeBits(nodes.size(), true);
  const auto block = [&](Index n, std::int32_t ever, std::int32_t now_too) {
    access.kept.resize(nodes.size());
    access.blocked.resize(nodes.size());
    access.kept[n] = std::min(access.kept[n] + ever, nodes[n].cpus);
    access.blocked[n] = std::min(access.blocked[n] + std::max(now_too, 0), nodes[n].cpus);
  };
  if (job.reservation >= 0) {
    const auto mine = static_cast<std::size_t>(job.reservation);
    const Reservation& own = all_[mine];
    if (!usable(job, std::max(when, now))) {
      access.answer = Answer::not_now;
      return access;
    }
    if (!own.flags.flex && !own.flags.any_nodes && own.has_nodes) access.nodes = own.nodes;
    const Second end = when + duration_of(job);
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const Reservation& other = all_[i];
      if (i == mine || other.gone || !other.has_nodes || !other.whole_nodes) continue;
      if (own.flags.maint || (own.flags.overlap && !other.flags.maint)) continue;
      const Span theirs = span(other, now);
      if (theirs.start >= end || theirs.end <= when || !access.nodes.overlaps(other.nodes)) continue;
      access.overlap = true;
      access.nodes.remove(other.nodes);
    }
    if (access.overlap && access.nodes.none()) access.answer = Answer::taken;
    if (!own.cpus.empty() && !own.flags.flex) {
      const std::vector<std::int32_t> inside = held_inside(mine, nodes, jobs);
      own.nodes.for_each([&](Index n) {
        const std::int32_t others = nodes[n].cpus - own.cpus[n];
        block(n, others, others - std::max(nodes.held.cpus_of(n) - inside[n], 0));
      });
    }
    return access;
  }
  for (int turn = 0;; ++turn) {
    constexpr int kTurns = 10;
    const Second end = when + duration_of(job);
    Second licenses_until = 0;
    Second maintenance_until = 0;
    Second named_until = 0;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const Reservation& r = all_[i];
      const Span theirs = span(r, now);
      if (r.gone || theirs.start >= end || theirs.end <= when) continue;
      if (job.needs != nullptr && !r.licenses.empty() && !job.needs->licenses.empty() &&
          (licenses_until == 0 || theirs.end < licenses_until)) {
        licenses_until = theirs.end;
      }
      if (!r.has_nodes) continue;
      const NodeBits& partition = nodes.partition(job.queue);
      if (r.all_nodes || (r.flags.part_nodes && r.partition && *r.partition == job.queue) ||
          (r.flags.maint && partition.within(r.nodes))) {
        maintenance_until = theirs.end;
        break;
      }
      const NodeBits* const named = job.named_nodes();
      if (named != nullptr && job.ask.whole_nodes && named->overlaps(r.nodes)) {
        named_until = theirs.end;
        break;
      }
      if (r.whole_nodes || job.ask.whole_nodes) {
        access.nodes.remove(r.nodes);
      } else {
        const std::vector<std::int32_t> inside = held_inside(i, nodes, jobs);
        r.nodes.for_each([&](Index n) { block(n, r.cpus[n], r.cpus[n] - inside[n]); });
      }
      access.overlap |= partition.overlaps(r.nodes);
    }
    Second later = std::max(maintenance_until, named_until);
    if (later == 0 && move && !licenses_free(job, when, licenses)) later = std::max(licenses_until, when);
    if (later == 0) return access;
    if (!move || turn >= kTurns || later <= when) {
      access.answer = maintenance_until > 0 ? Answer::maintenance : named_until > 0 ? Answer::busy : Answer::yes;
      return access;
    }
    when = later;
    access.nodes = NodeBits(nodes.size(), true);
    access.blocked.clear();
    access.kept.clear();
  }
}

bool Reservations::makes_room(const Job& running, const Job& job) const {
  if (running.reservation == job.reservation) return true;
  const auto keeps_cores = [&](std::int32_t r) { return r >= 0 && !(*this)[r].cpus.empty(); };
  return !keeps_cores(running.reservation) && !keeps_cores(job.reservation);
}

Second Reservations::next_end(Second from, Second resolution) const {
  Second end = 0;
  for (const Reservation& r : all_) {
    if (r.gone || from > r.end || r.flags.time_float) continue;
    if (end == 0 || r.end < end) end = r.end;
  }
  return end == 0 ? 0 : (end + resolution - 1) / resolution * resolution;
}

}  // namespace headroom::slurm
