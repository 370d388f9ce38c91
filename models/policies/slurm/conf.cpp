#include "models/policies/slurm/conf.hpp"

#include <algorithm>

#include "models/policies/slurm/evidence.hpp"
#include "models/policies/slurm/settings.hpp"

namespace headroom::slurm {
namespace {

constexpr std::string_view kScheduler = "SchedulerParameters";
constexpr std::string_view kSlurmConf = "slurm.conf";
constexpr std::string_view kPartition = "partition";

// clang-format off
const Setter<Conf> kSchedulerParameters[] = {
  {{"batch_sched_delay", kScheduler, "3", "Seconds at least between two passes of the main scheduler."},
   [](Conf& c, std::string_view v) { return set_number(c.batch_sched_delay, v, 0, kMost); }},
  {{"bf_continue", kScheduler, "off", "No effect: a backfill cycle takes no time here, so nothing changes under it.", Use::no_effect},
   [](Conf& c, std::string_view) { c.bf_continue = true; return std::string(); }},
  {{"bf_interval", kScheduler, "30", "Seconds between backfill cycles."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_interval, v, 1, 10800); }},
  {{"bf_max_job_array_resv", kScheduler, "20", "Tasks of an array that get reservations in a cycle."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_max_job_array_resv, v, 0, 1000); }},
  {{"bf_max_job_part", kScheduler, "0", "Jobs of one partition that a cycle tests; 0: any."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_max_job_part, v, 0, 1'000'000); }},
  {{"bf_max_job_start", kScheduler, "0", "Jobs that a cycle starts; 0: any."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_max_job_start, v, 0, 10000); }},
  {{"bf_max_job_test", kScheduler, "500", "Jobs that a cycle tests."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_max_job_test, v, 1, 1'000'000); }},
  {{"bf_max_job_user", kScheduler, "0", "Jobs of one user that a cycle tests; 0: any."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_max_job_user, v, 0, 1'000'000); }},
  {{"bf_max_job_user_part", kScheduler, "0", "Jobs of one user in one partition that a cycle tests; 0: any."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_max_job_user_part, v, 0, 1'000'000); }},
  {{"bf_max_time", kScheduler, "bf_interval", "No effect: a cycle takes no time here.", Use::no_effect},
   [](Conf&, std::string_view v) { int x = 0; return set_number(x, v, 1, 3600); }},
  {{"bf_min_age_reserve", kScheduler, "0", "Seconds that a job waits before it gets a reservation."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_min_age_reserve, v, 0, kMost); }},
  {{"bf_min_prio_reserve", kScheduler, "0", "Priority below which jobs get no reservation."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_min_prio_reserve, v, 0, 4294967295); }},
  {{"bf_node_space_size", kScheduler, "bf_max_job_test", "Records of a cycle's plan: a reservation takes up to two, and "
    "when there is none left the cycle ends."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_node_space_size, v, 2, 2'000'000); }},
  {{"bf_one_resv_per_job", kScheduler, "off", "No effect: a job is in one partition here.", Use::no_effect},
   [](Conf& c, std::string_view) { c.bf_one_resv_per_job = true; return std::string(); }},
  {{"bf_resolution", kScheduler, "60", "Seconds to which planned starts are rounded down and ends up (before 25.05 down)."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_resolution, v, 1, 3600); }},
  {{"bf_running_job_reserve", kScheduler, "off", "Exclusive jobs that run stand in the plan, too."},
   [](Conf& c, std::string_view) { c.bf_running_job_reserve = true; return std::string(); }},
  {{"bf_window", kScheduler, "1440", "Minutes that a cycle looks ahead."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_window, v, 1, 43200, 60); }},
  {{"bf_window_linear", kScheduler, "0", "Seconds by which the window in which ends of jobs are looked at together "
    "grows; 0: it doubles."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_window_linear, v, 0, kMost); }},
  {{"bf_yield_interval", kScheduler, "2000000", "No effect: a cycle takes no time here.", Use::no_effect},
   [](Conf&, std::string_view v) { int x = 0; return set_number(x, v, 1, 10'000'000); }},
  {{"bf_yield_sleep", kScheduler, "500000", "No effect: a cycle takes no time here.", Use::no_effect},
   [](Conf&, std::string_view v) { int x = 0; return set_number(x, v, 1, 10'000'000); }},
  {{"default_queue_depth", kScheduler, "100", "Jobs that a pass tests, except the periodic full one."},
   [](Conf& c, std::string_view v) { return set_number(c.default_queue_depth, v, 0, kMost); }},
  {{"defer", kScheduler, "off", "No pass at once when a killed job is gone."},
   [](Conf& c, std::string_view) { c.defer = true; return std::string(); }},
  {{"max_rpc_cnt", kScheduler, "0", "No effect: requests take no time here.", Use::no_effect},
   [](Conf&, std::string_view v) { int x = 0; return set_number(x, v, 0, 1000); }},
  {{"partition_job_depth", kScheduler, "0", "Jobs of one partition that a pass tests; 0: any."},
   [](Conf& c, std::string_view v) { return set_number(c.partition_job_depth, v, 0, kMost); }},
  {{"sched_interval", kScheduler, "60", "Seconds between passes over the whole queue."},
   [](Conf& c, std::string_view v) { return set_number(c.sched_interval, v, 1, kMost); }},
  {{"sched_max_job_start", kScheduler, "0", "Jobs that a pass starts; 0: any."},
   [](Conf& c, std::string_view v) { return set_number(c.sched_max_job_start, v, 0, kMost); }},
  {{"sched_min_interval", kScheduler, "2", "No effect: microseconds.", Use::no_effect},
   [](Conf&, std::string_view v) { int x = 0; return set_number(x, v, 0, kMost); }},
};

std::string set_scheduler_parameters(Conf& conf, std::string_view list) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    const std::string_view entry = list.substr(0, comma);
    list = comma == std::string_view::npos ? "" : list.substr(comma + 1);
    const auto equals = entry.find('=');
    const std::string_view name = entry.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : entry.substr(equals + 1);
    const auto* const found = std::find_if(std::begin(kSchedulerParameters), std::end(kSchedulerParameters),
                                    [&](const Setter<Conf>& s) { return same(s.parameter.name, name); });
    if (found == std::end(kSchedulerParameters)) {
      const std::string problem = set_unknown(std::span<const Setter<Conf>>(kSchedulerParameters), name);
      if (problem.empty()) continue;
      return quote(name) + " " + problem;
    }
    if (const std::string problem = found->set(conf, value); !problem.empty()) return std::string(name) + ": " + problem;
  }
  return {};
}

const Setter<Conf> kParameters[] = {
  {{"SchedulerType", kSlurmConf, "sched/backfill", "sched/backfill or sched/builtin."},
   [](Conf& c, std::string_view v) {
     c.backfill = v == "sched/backfill";
     return c.backfill || v == "sched/builtin" ? std::string() : wrong(v, "sched/backfill or sched/builtin");
   }},
  {{"SchedulerParameters", kSlurmConf, "", "The list above."}, set_scheduler_parameters},
  {{"SelectType", kSlurmConf, "select/cons_tres", "select/cons_tres."},
   [](Conf&, std::string_view v) { return v == "select/cons_tres" ? std::string() : wrong(v, "select/cons_tres"); }},
  {{"SelectTypeParameters", kSlurmConf, "CR_CPU", "CR_CPU or CR_CPU_Memory."},
   [](Conf& c, std::string_view v) {
     c.memory = same(v, "CR_CPU_Memory");
     return c.memory || same(v, "CR_CPU") ? std::string() : wrong(v, "CR_CPU or CR_CPU_Memory");
   }},
  {{"DefMemPerNode", kSlurmConf, "0", "MiB of a job that asks for none; 0: all of the node."},
   [](Conf& c, std::string_view v) { return set_number(c.def_mem_per_node, v, 0, kMost); }},
  {{"DefMemPerCPU", kSlurmConf, "0", "The same for each of its CPUs."},
   [](Conf& c, std::string_view v) { return set_number(c.def_mem_per_cpu, v, 0, kMost); }},
  {{"PriorityType", kSlurmConf, "priority/basic", "priority/basic (first come, first served) or priority/multifactor."},
   [](Conf& c, std::string_view v) {
     c.multifactor = v == "priority/multifactor";
     return c.multifactor || v == "priority/basic" ? std::string() : wrong(v, "priority/basic or priority/multifactor");
   }},
  {{"PriorityWeightAge", kSlurmConf, "0", "Weight of the time a job has waited; no effect without accounting."},
   [](Conf& c, std::string_view v) { return set_number(c.weight_age, v, 0, 4294967295); }},
  {{"PriorityWeightJobSize", kSlurmConf, "0", "Weight of a job's share of the cluster's nodes and CPUs."},
   [](Conf& c, std::string_view v) { return set_number(c.weight_job_size, v, 0, 4294967295); }},
  {{"PriorityWeightPartition", kSlurmConf, "0", "Weight of the partition's PriorityJobFactor."},
   [](Conf& c, std::string_view v) { return set_number(c.weight_partition, v, 0, 4294967295); }},
  {{"PriorityWeightFairshare", kSlurmConf, "0", "Must be 0: fair share is not followed."},
   [](Conf&, std::string_view v) { return v == "0" ? std::string() : wrong(v, "0: fair share is not followed"); }},
  {{"PriorityWeightQOS", kSlurmConf, "0", "Must be 0: quality of service is not followed."},
   [](Conf&, std::string_view v) { return v == "0" ? std::string() : wrong(v, "0: quality of service is not followed"); }},
  {{"PriorityMaxAge", kSlurmConf, "7-0", "Waiting time that gives the full age factor."},
   [](Conf& c, std::string_view v) { return set_duration(c.priority_max_age, v); }},
  {{"PriorityCalcPeriod", kSlurmConf, "5", "Minutes between two looks at the age of jobs."},
   [](Conf& c, std::string_view v) {
     const auto period = parse_duration(v);
     if (!period || *period <= 0) return wrong(v, "a time such as 5 or 0:30");
     c.priority_calc_period = *period;
     return std::string();
   }},
  {{"PriorityFavorSmall", kSlurmConf, "NO", "Whether small jobs get the higher size factor."},
   [](Conf& c, std::string_view v) { return set_flag(c.favor_small, v); }},
  {{"AccountingStorageType", kSlurmConf, "accounting_storage/none", "With accounting_storage/slurmdbd the age counts."},
   [](Conf& c, std::string_view v) {
     c.accounting = v == "accounting_storage/slurmdbd";
     return c.accounting || v == "accounting_storage/none"
                ? std::string() : wrong(v, "accounting_storage/none or accounting_storage/slurmdbd");
   }},
  {{"SuspendTime", kSlurmConf, "-1", "Seconds that a node stays idle before it is suspended; -1: for ever."},
   [](Conf& c, std::string_view v) {
     if (same(v, "INFINITE") || v == "-1") { c.suspend_time.reset(); return std::string(); }
     Second time = 0;
     std::string problem = set_number(time, v, 0, kMost);
     c.suspend_time = time;
     return problem;
   }},
  {{"SuspendTimeout", kSlurmConf, "30", "Seconds from suspending a node until it may be used again."},
   [](Conf& c, std::string_view v) { return set_number(c.suspend_timeout, v, 1, kMost); }},
  {{"ResumeTimeout", kSlurmConf, "60", "Seconds that a node may take to boot before it is given up."},
   [](Conf& c, std::string_view v) { return set_number(c.resume_timeout, v, 1, kMost); }},
  {{"SuspendRate", kSlurmConf, "60", "Nodes suspended a minute; 0: any."},
   [](Conf& c, std::string_view v) { return set_number(c.suspend_rate, v, 0, kMost); }},
  {{"ResumeRate", kSlurmConf, "300", "Nodes resumed a minute; 0: any."},
   [](Conf& c, std::string_view v) { return set_number(c.resume_rate, v, 0, kMost); }},
  {{"SuspendExcNodes", kSlurmConf, "", "Nodes that are never suspended."},
   [](Conf& c, std::string_view v) {
     c.suspend_exc_nodes = expand_hostlist(v);
     return c.suspend_exc_nodes.empty() && !v.empty() ? wrong(v, "a list of nodes such as n[01-04]") : std::string();
   }},
  {{"KillWait", kSlurmConf, "30", "Seconds between SIGTERM and SIGKILL."},
   [](Conf& c, std::string_view v) { return set_number(c.kill_wait, v, 0, kMost); }},
  {{"OverTimeLimit", kSlurmConf, "0", "Minutes that a job may run over its limit."},
   [](Conf& c, std::string_view v) { return set_number(c.over_time_limit, v, 0, 65533, 60); }},
  {{"SlurmdTimeout", kSlurmConf, "300", "Seconds without an answer after which a node is down; 0: never."},
   [](Conf& c, std::string_view v) { return set_number(c.slurmd_timeout, v, 0, 65533); }},
  {{"ReturnToService", kSlurmConf, "0", "2: a node that was down comes back when it registers."},
   [](Conf& c, std::string_view v) { return set_number(c.return_to_service, v, 0, 2); }},
  {{"JobRequeue", kSlurmConf, "1", "0: jobs that do not say --requeue fail when they lose a node."},
   [](Conf& c, std::string_view v) { return set_number(c.job_requeue, v, 0, 1); }},
  {{"SlurmctldParameters", kSlurmConf, "idle_on_node_suspend,cloud_dns", "idle_on_node_suspend; others have no effect or are refused."},
   [](Conf& c, std::string_view v) {
     c.idle_on_node_suspend = false;
     while (!v.empty()) {
       const auto comma = v.find(',');
       const std::string_view entry = v.substr(0, comma);
       v = comma == std::string_view::npos ? "" : v.substr(comma + 1);
       const Parameter* const known = find_known_name("SlurmctldParameters", entry.substr(0, entry.find('=')));
       if (known == nullptr || known->use == Use::refused) {
         return quote(entry) + " is not followed" + (known == nullptr ? "" : ": " + std::string(known->help));
       }
       c.idle_on_node_suspend |= known->use == Use::implemented;
     }
     return std::string();
   }},
};

const Setter<Partition> kPartitionParameters[] = {
  {{"PriorityTier", kPartition, "1", "Jobs of a higher tier are looked at first, whatever their priority."},
   [](Partition& p, std::string_view v) { return set_number(p.priority_tier, v, 0, 65533); }},
  {{"PriorityJobFactor", kPartition, "1", "The partition's part in priority/multifactor."},
   [](Partition& p, std::string_view v) { return set_number(p.priority_job_factor, v, 0, 65533); }},
  {{"MaxTime", kPartition, "UNLIMITED", "Longest requested time; longer jobs wait with PartitionTimeLimit."},
   [](Partition& p, std::string_view v) {
     Second time = 0;
     std::string problem = set_duration(time, v);
     p.max_time = time;
     return problem;
   }},
  {{"DefaultTime", kPartition, "MaxTime", "Requested time of a job that gives none."},
   [](Partition& p, std::string_view v) {
     Second time = 0;
     std::string problem = set_duration(time, v);
     p.default_time = time;
     return problem;
   }},
  {{"MinNodes", kPartition, "0", "Nodes that a job takes at least."},
   [](Partition& p, std::string_view v) { return set_number(p.min_nodes, v, 0, kMost); }},
  {{"MaxNodes", kPartition, "UNLIMITED", "Nodes at most; wider jobs wait with PartitionNodeLimit."},
   [](Partition& p, std::string_view v) {
     if (same(v, "UNLIMITED") || same(v, "INFINITE")) { p.max_nodes = 0; return std::string(); }
     return set_number(p.max_nodes, v, 1, kMost);
   }},
  {{"OverSubscribe", kPartition, "NO", "NO, or EXCLUSIVE: every job takes whole nodes."},
   [](Partition& p, std::string_view v) {
     p.exclusive = same(v, "EXCLUSIVE");
     return p.exclusive || same(v, "NO") ? std::string() : wrong(v, "NO or EXCLUSIVE");
   }},
  {{"DefMemPerNode", kPartition, "0", "As in slurm.conf, for the partition."},
   [](Partition& p, std::string_view v) { return set_number(p.def_mem_per_node, v, 0, kMost); }},
  {{"DefMemPerCPU", kPartition, "0", "As in slurm.conf, for the partition."},
   [](Partition& p, std::string_view v) { return set_number(p.def_mem_per_cpu, v, 0, kMost); }},
  {{"SuspendTime", kPartition, "", "As in slurm.conf, for the partition's nodes; of several the largest holds."},
   [](Partition& p, std::string_view v) {
     Second time = kUnlimited * 100;
     std::string problem = same(v, "INFINITE") || v == "-1" ? std::string() : set_number(time, v, 0, kMost);
     p.suspend_time = time;
     return problem;
   }},
  {{"SuspendTimeout", kPartition, "", "The same."},
   [](Partition& p, std::string_view v) {
     Second time = 0;
     std::string problem = set_number(time, v, 1, kMost);
     p.suspend_timeout = time;
     return problem;
   }},
  {{"ResumeTimeout", kPartition, "", "The same."},
   [](Partition& p, std::string_view v) {
     Second time = 0;
     std::string problem = set_number(time, v, 1, kMost);
     p.resume_timeout = time;
     return problem;
   }},
};
// clang-format on

}  // namespace

Time patience(const Conf& conf) {
  constexpr Second kMargin = 2 * 3600;
  const auto finite = [](const std::optional<Second>& time) { return time && *time < kUnlimited ? *time : 0; };
  Second suspend = finite(conf.suspend_time);
  Second down = conf.suspend_timeout;
  Second resume = conf.resume_timeout;
  for (const Partition& partition : conf.partitions) {
    suspend = std::max(suspend, finite(partition.suspend_time));
    down = std::max(down, finite(partition.suspend_timeout));
    resume = std::max(resume, finite(partition.resume_timeout));
  }
  for (const auto& time : conf.group_suspend_time) suspend = std::max(suspend, finite(time));
  const Second aging = conf.accounting && conf.weight_age > 0 ? conf.priority_max_age : 0;
  return (suspend + down + resume + conf.slurmd_timeout + aging + kMargin) * kSecond;
}

Time Rhythm::first(Time start) const {
  if (seen.empty()) return later(start, kSecond + offset);
  const Time step = kSecond + drift;
  return seen.front() - (seen.front() - start - 1) / step * step;
}

Time Rhythm::after(Time look) const {
  const Time step = kSecond + drift;
  const auto next = std::upper_bound(seen.begin(), seen.end(), look);
  if (next == seen.end()) return look + step;
  const Time looks = std::max<Time>(1, (*next - look + step / 2) / step);
  return look + (*next - look) / looks;
}

Time Rhythm::not_before(Time look, Time time) const {
  if (look >= time) return look;
  if (seen.empty()) {
    const Time step = kSecond + drift;
    return look + (time - look + step - 1) / step * step;
  }
  while (look < time) look = after(look);
  return look;
}

std::span<const Parameter> parameters() {
  static const std::vector<Parameter> all = [] {
    std::vector<Parameter> list;
    for (const auto& s : kSchedulerParameters) list.push_back(with_evidence(s.parameter));
    for (const auto& s : kParameters) list.push_back(with_evidence(s.parameter));
    for (const auto& s : kPartitionParameters) list.push_back(with_evidence(s.parameter));
    return list;
  }();
  return all;
}

std::string set(Conf& conf, std::string_view name, std::string_view value) {
  return set_in(std::span<const Setter<Conf>>(kParameters), conf, name, value);
}

std::string set(Partition& partition, std::string_view name, std::string_view value) {
  return set_in(std::span<const Setter<Partition>>(kPartitionParameters), partition, name, value);
}

std::optional<Second> parse_duration(std::string_view text) {
  if (same(text, "UNLIMITED") || same(text, "INFINITE") || text == "-1") return kUnlimited;
  Second days = 0;
  bool has_days = false;
  if (const auto dash = text.find('-'); dash != std::string_view::npos) {
    const auto number = integer(text.substr(0, dash));
    if (!number || *number < 0 || *number > 100'000) return std::nullopt;
    days = *number;
    has_days = true;
    text = text.substr(dash + 1);
  }
  std::vector<std::int64_t> parts;
  for (std::string_view rest = text;;) {
    const auto colon = rest.find(':');
    const auto number = integer(rest.substr(0, colon));
    if (!number || *number < 0 || *number > 10'000'000) return std::nullopt;
    parts.push_back(*number);
    if (colon == std::string_view::npos) break;
    rest = rest.substr(colon + 1);
  }
  if (parts.size() > 3) return std::nullopt;
  if (has_days) {  // days-hours[:minutes[:seconds]]
    parts.resize(3);
    return days * 86400 + parts[0] * 3600 + parts[1] * 60 + parts[2];
  }
  if (parts.size() == 1) return parts[0] * 60;
  if (parts.size() == 2) return parts[0] * 60 + parts[1];
  return parts[0] * 3600 + parts[1] * 60 + parts[2];
}

std::vector<std::string> expand_hostlist(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    std::size_t end = 0;
    for (int depth = 0; end < list.size() && (depth > 0 || list[end] != ','); ++end) {
      depth += (list[end] == '[') - (list[end] == ']');
    }
    const std::string_view item = list.substr(0, end);
    list = end < list.size() ? list.substr(end + 1) : "";
    const auto open = item.find('[');
    if (open == std::string_view::npos) {
      if (item.empty()) return {};
      names.emplace_back(item);
      continue;
    }
    const auto close = item.find(']', open);
    if (close == std::string_view::npos) return {};
    const std::string prefix(item.substr(0, open));
    const std::string suffix(item.substr(close + 1));
    for (std::string_view ranges = item.substr(open + 1, close - open - 1); !ranges.empty();) {
      const auto comma = ranges.find(',');
      const std::string_view range = ranges.substr(0, comma);
      ranges = comma == std::string_view::npos ? "" : ranges.substr(comma + 1);
      const auto dash = range.find('-');
      const std::string_view low = range.substr(0, dash);
      const auto first = integer(low);
      const auto last = dash == std::string_view::npos ? first : integer(range.substr(dash + 1));
      if (!first || !last || *first < 0 || *last < *first || *last - *first > 1'000'000) return {};
      for (std::int64_t n = *first; n <= *last; ++n) {
        std::string digits = std::to_string(n);
        if (digits.size() < low.size()) digits.insert(0, low.size() - digits.size(), '0');
        names.push_back(prefix + digits + suffix);
      }
    }
  }
  return names;
}

namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }

// Where the number at the end of a name begins.
std::size_t number_at(std::string_view name) {
  std::size_t at = name.size();
  while (at > 0 && digit(name[at - 1]) && name.size() - at < 17) --at;
  return at;
}

}  // namespace

bool name_before(std::string_view a, std::string_view b) {
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (digit(a[i]) && digit(b[j])) {
      std::size_t ie = i;
      std::size_t je = j;
      while (ie < a.size() && digit(a[ie])) ++ie;
      while (je < b.size() && digit(b[je])) ++je;
      std::string_view x = a.substr(i, ie - i);
      std::string_view y = b.substr(j, je - j);
      while (x.size() > 1 && x[0] == '0') x.remove_prefix(1);
      while (y.size() > 1 && y[0] == '0') y.remove_prefix(1);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
      i = ie;
      j = je;
    } else if (a[i] != b[j]) {
      return a[i] < b[j];
    } else {
      ++i;
      ++j;
    }
  }
  return a.size() - i < b.size() - j || (i == a.size() && j == b.size() && a < b);
}

std::string compress_hostlist(std::vector<std::string> names) {
  std::sort(names.begin(), names.end(), name_before);
  std::string text;
  for (std::size_t i = 0; i < names.size();) {
    const std::size_t digits_at = number_at(names[i]);
    const std::string_view prefix = std::string_view(names[i]).substr(0, digits_at);
    std::size_t end = i + 1;
    while (digits_at < names[i].size() && end < names.size() && number_at(names[end]) == digits_at &&
           std::string_view(names[end]).substr(0, digits_at) == prefix) {
      ++end;
    }
    if (!text.empty()) text += ',';
    if (end == i + 1) {
      text += names[i];
      i = end;
      continue;
    }
    text += prefix;
    text += '[';
    for (std::size_t k = i; k < end;) {
      std::size_t last = k;
      while (last + 1 < end &&
             integer(names[last + 1].substr(digits_at)) == *integer(names[last].substr(digits_at)) + 1) {
        ++last;
      }
      if (k > i) text += ',';
      text += names[k].substr(digits_at);
      if (last > k) text += '-' + names[last].substr(digits_at);
      k = last + 1;
    }
    text += ']';
    i = end;
  }
  return text;
}

}  // namespace headroom::slurm
