#include "models/policies/slurm/conf.hpp"

#include <algorithm>

#include "models/policies/slurm/accounting.hpp"
#include "models/policies/slurm/evidence.hpp"
#include "models/policies/slurm/settings.hpp"

namespace headroom::slurm {
namespace {

constexpr std::string_view kScheduler = "SchedulerParameters";
constexpr std::string_view kSlurmConf = "slurm.conf";
constexpr std::string_view kPartition = "partition";
constexpr std::string_view kNode = "node";
constexpr std::string_view kSwitch = "switch";

// a,b; ALL is none.
std::string set_list(std::vector<std::string>& out, std::string_view value) {
  out.clear();
  while (!value.empty()) {
    const auto comma = value.find(',');
    if (comma != 0) out.emplace_back(value.substr(0, comma));
    value = comma == std::string_view::npos ? "" : value.substr(comma + 1);
  }
  if (out.size() == 1 && same(out[0], "ALL")) out.clear();
  return {};
}

std::string set_hetjob_prio(HetjobPrio& prio, std::string_view value) {
  constexpr std::pair<std::string_view, HetjobPrio> kWords[] = {
      {"min", HetjobPrio::min}, {"avg", HetjobPrio::avg}, {"max", HetjobPrio::max}};
  for (const auto& [word, meaning] : kWords) {
    if (!same(word, value)) continue;
    prio = meaning;
    return {};
  }
  return wrong(value, "min, avg or max");
}

// clang-format off
const Setter<Conf> kSchedulerParameters[] = {
  {{"assoc_limit_stop", kScheduler, "off", "A job that waits for a limit closes its partition to those behind it."},
   [](Conf& c, std::string_view) { c.assoc_limit_stop = true; return std::string(); }},
  {{"batch_sched_delay", kScheduler, "3", "Seconds at least between two passes of the main scheduler."},
   [](Conf& c, std::string_view v) { return set_number(c.batch_sched_delay, v, 0, kMost); }},
  {{"bf_allow_magnetic_slot", kScheduler, "off", "Backfill also plans jobs for later in the magnetic reservations that draw "
    "them in; otherwise they start there or not."},
   [](Conf& c, std::string_view) { c.bf_allow_magnetic_slot = true; return std::string(); }},
  {{"bf_continue", kScheduler, "off", "No effect: a backfill cycle takes no time here, so nothing changes under it.", Use::no_effect},
   [](Conf& c, std::string_view) { c.bf_continue = true; return std::string(); }},
  {{"bf_hetjob_immediate", kScheduler, "off", "A heterogeneous job starts as soon as a cycle has found room for its last "
    "component, not at the cycle's end; sets bf_hetjob_prio=min unless that is given."},
   [](Conf& c, std::string_view) { c.bf_hetjob_immediate = true; return std::string(); }},
  {{"bf_hetjob_prio", kScheduler, "", "min, avg or max: components of a heterogeneous job are put in order by the least, "
    "mean or greatest of their priorities and tiers; default: each by its own."},
   [](Conf& c, std::string_view v) { return set_hetjob_prio(c.bf_hetjob_prio, v); }},
  {{"bf_interval", kScheduler, "30", "Seconds between backfill cycles."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_interval, v, 1, 10800); }},
  {{"bf_licenses", kScheduler, "off", "Backfill plans licences, too; jobs that wait for some then stop passes."},
   [](Conf& c, std::string_view) { c.bf_licenses = c.bf_running_job_reserve = true; return std::string(); }},
  {{"bf_max_job_array_resv", kScheduler, "20", "Tasks of an array that get reservations in a cycle."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_max_job_array_resv, v, 0, 1000); }},
  {{"bf_max_job_assoc", kScheduler, "0", "Jobs of one association that a cycle tests; 0: any."},
   [](Conf& c, std::string_view v) { return set_number(c.bf_max_job_assoc, v, 0, 1'000'000); }},
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
  {{"bf_one_resv_per_job", kScheduler, "off", "Jobs of several partitions get a reservation in the first alone."},
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
  {{"preempt_reorder_count", kScheduler, "1", "Before PreemptParameters: its reorder_count."},
   [](Conf& c, std::string_view v) { return set_number(c.preempt_reorder_count, v, 0, 1000); }},
  {{"preempt_strict_order", kScheduler, "off", "Before PreemptParameters: its strict_order."},
   [](Conf& c, std::string_view) { c.preempt_strict_order = true; return std::string(); }},
  {{"preempt_youngest_first", kScheduler, "off", "Before PreemptParameters: its youngest_first."},
   [](Conf& c, std::string_view) { c.preempt_youngest_first = true; return std::string(); }},
  {{"defer", kScheduler, "off", "No pass at once when a killed job is gone."},
   [](Conf& c, std::string_view) { c.defer = true; return std::string(); }},
  {{"ignore_prefer_validation", kScheduler, "off", "A preference (--prefer) that no node meets is passed over; otherwise the "
    "job is rejected."},
   [](Conf& c, std::string_view) { c.ignore_prefer_validation = true; return std::string(); }},
  {{"max_rpc_cnt", kScheduler, "0", "No effect: requests take no time here.", Use::no_effect},
   [](Conf&, std::string_view v) { int x = 0; return set_number(x, v, 0, 1000); }},
  {{"max_switch_wait", kScheduler, "300", "Seconds at most that a job waits for its --switches."},
   [](Conf& c, std::string_view v) { return set_number(c.max_switch_wait, v, 0, kMost); }},
  {{"nohold_on_prolog_fail", kScheduler, "off", "A job whose Prolog failed is not held, but tried again."},
   [](Conf& c, std::string_view) { c.nohold_on_prolog_fail = true; return std::string(); }},
  {{"partition_job_depth", kScheduler, "0", "Jobs of one partition that a pass tests; 0: any."},
   [](Conf& c, std::string_view v) { return set_number(c.partition_job_depth, v, 0, kMost); }},
  {{"sched_interval", kScheduler, "60", "Seconds between passes over the whole queue."},
   [](Conf& c, std::string_view v) { return set_number(c.sched_interval, v, 1, kMost); }},
  {{"sched_max_job_start", kScheduler, "0", "Jobs that a pass starts; 0: any."},
   [](Conf& c, std::string_view v) { return set_number(c.sched_max_job_start, v, 0, kMost); }},
  {{"sched_min_interval", kScheduler, "2", "Microseconds from a pass to the next."},
   [](Conf& c, std::string_view v) { return set_number(c.sched_min_interval, v, 0, kMost); }},
  {{"whole_hetjob", kScheduler, "off", "What is asked of one component (cancel, hold, release, requeue) is asked of all; "
    "otherwise only what is asked of the first."},
   [](Conf& c, std::string_view) { c.whole_hetjob = true; return std::string(); }},
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
  if (conf.bf_hetjob_immediate && conf.bf_hetjob_prio == HetjobPrio::own) conf.bf_hetjob_prio = HetjobPrio::min;
  return {};
}

std::string set_oversubscribe(Partition& partition, std::string_view value) {
  constexpr std::string_view kWanted = "NO, EXCLUSIVE, YES, YES:n with n from 2 to 32767, or FORCE or FORCE:n with n from 1";
  const auto colon = std::min(value.find(':'), value.size());
  const std::string_view word = value.substr(0, colon);
  partition.exclusive = same(value, "EXCLUSIVE");
  partition.force_share = same(word, "FORCE");
  partition.max_share = 1;
  if (partition.exclusive || same(value, "NO")) return {};
  if (!partition.force_share && !same(word, "YES")) return wrong(value, kWanted);
  partition.max_share = 4;
  if (colon == value.size()) return {};
  const auto jobs = integer(value.substr(colon + 1));
  if (!jobs || *jobs < (partition.force_share ? 1 : 2) || *jobs > 32767) return wrong(value, kWanted);
  partition.max_share = static_cast<std::int32_t>(*jobs);
  return {};
}

std::string set_preempt_mode(PreemptMode& out, std::string_view value) {
  if (same(value, "OFF")) {
    out = PreemptMode::off;
  } else if (same(value, "CANCEL")) {
    out = PreemptMode::cancel;
  } else if (same(value, "REQUEUE")) {
    out = PreemptMode::requeue;
  } else {
    return wrong(value, "OFF, CANCEL or REQUEUE; SUSPEND and GANG are not followed");
  }
  return {};
}

std::string set_preempt_parameters(Conf& conf, std::string_view list) {
  static constexpr std::string_view kNames[] = {"youngest_first", "strict_order", "reorder_count", "min_exempt_priority",
                                                "send_user_signal"};
  while (!list.empty()) {
    const auto comma = list.find(',');
    const std::string_view entry = list.substr(0, comma);
    list = comma == std::string_view::npos ? "" : list.substr(comma + 1);
    const auto equals = entry.find('=');
    const std::string_view name = entry.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : entry.substr(equals + 1);
    std::string problem;
    if (same(name, "youngest_first")) {
      conf.preempt_youngest_first = true;
    } else if (same(name, "strict_order")) {
      conf.preempt_strict_order = true;
    } else if (same(name, "reorder_count")) {
      problem = set_number(conf.preempt_reorder_count, value, 0, 1000);
    } else if (same(name, "min_exempt_priority")) {
      problem = set_number(conf.preempt_min_exempt_priority, value, 0, 4294967295);
    } else if (!same(name, "send_user_signal")) {
      return quote(name) + " is not followed;" + nearest_hint(name, kNames);
    }
    if (!problem.empty()) return std::string(name) + ": " + problem;
  }
  return {};
}

constexpr std::pair<std::string_view, bool PriorityFlags::*> kPriorityFlags[] = {
  {"ACCRUE_ALWAYS", &PriorityFlags::accrue_always},
  {"CALCULATE_RUNNING", &PriorityFlags::calculate_running},
  {"DEPTH_OBLIVIOUS", &PriorityFlags::depth_oblivious},
  {"NO_FAIR_TREE", &PriorityFlags::no_fair_tree},
  {"INCR_ONLY", &PriorityFlags::incr_only},
  {"MAX_TRES", &PriorityFlags::max_tres},
  {"NO_NORMAL_ASSOC", &PriorityFlags::no_normal_assoc},
  {"NO_NORMAL_PART", &PriorityFlags::no_normal_part},
  {"NO_NORMAL_QOS", &PriorityFlags::no_normal_qos},
  {"NO_NORMAL_TRES", &PriorityFlags::no_normal_tres},
  {"SMALL_RELATIVE_TO_TIME", &PriorityFlags::small_relative_to_time},
};

// Calls take(word) for the words of a list until one of them finds something wrong.
template <class Take>
std::string each_word(std::string_view list, Take take) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    const std::string_view word = list.substr(0, comma);
    list = comma == std::string_view::npos ? "" : list.substr(comma + 1);
    if (word.empty()) continue;
    if (std::string problem = take(word); !problem.empty()) return problem;
  }
  return {};
}

std::string set_priority_flags(PriorityFlags& flags, std::string_view value) {
  flags = {};
  return each_word(value, [&](std::string_view word) {
    std::vector<std::string_view> names{"NO_NORMAL_ALL"};
    for (const auto& [name, flag] : kPriorityFlags) {
      names.push_back(name);
      const bool one_of_all = same(word, "NO_NORMAL_ALL") && name.substr(0, 10) == "NO_NORMAL_";
      if (same(word, name) || one_of_all) flags.*flag = true;
    }
    const bool known = std::any_of(names.begin(), names.end(), [&](std::string_view name) { return same(name, word); });
    return known ? std::string() : quote(word) + " is not followed;" + nearest_hint(word, names);
  });
}

std::string set_usage_reset(UsageReset& reset, std::string_view value) {
  constexpr std::string_view kNames[] = {"NONE", "NOW", "DAILY", "WEEKLY", "MONTHLY", "QUARTERLY", "YEARLY"};
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (!same(value, kNames[i])) continue;
    reset = static_cast<UsageReset>(i);
    return {};
  }
  return wrong(value, "NONE, NOW, DAILY, WEEKLY, MONTHLY, QUARTERLY or YEARLY");
}

std::string set_enforce(Conf& conf, std::string_view value) {
  Enforce& enforce = conf.enforce;
  enforce = {};
  return each_word(value, [&](std::string_view word) {
    const bool all = same(word, "all");
    enforce.safe |= all || same(word, "safe");
    enforce.limits |= enforce.safe || same(word, "limits");
    enforce.qos |= all || same(word, "qos");
    enforce.associations |= enforce.limits || enforce.qos || same(word, "associations");
    constexpr std::string_view kKnown[] = {"all", "safe", "limits", "qos", "associations", "none", "0"};
    const bool known = std::any_of(std::begin(kKnown), std::end(kKnown), [&](auto name) { return same(name, word); });
    if (known) return std::string();
    return wrong(word, "associations, limits, qos, safe, all or none");
  });
}

// "CPU=1.0,Mem=0.25G,GRES/gpu=2". `by_unit`: a weight of memory is that of each of the units named, MiB if none is.
std::string set_tres_weights(std::optional<TresWeights>& out, std::string_view value, bool by_unit) {
  TresWeights weights{};
  std::string problem = each_word(value, [&](std::string_view word) {
    const auto equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const auto tres = tres_named(name);
    if (!tres) return quote(name) + " is not followed; known: cpu, mem, node, billing, gres/gpu";
    std::string_view number = equals == std::string_view::npos ? "" : word.substr(equals + 1);
    double unit = 1;
    if (by_unit && *tres == Tres::mem && !number.empty()) {
      constexpr std::string_view kUnits = "MGTP";
      const char last = number.back();
      const auto at = kUnits.find(last >= 'a' ? static_cast<char>(last - 'a' + 'A') : last);
      if (at != std::string_view::npos) {
        for (std::size_t i = 0; i < at; ++i) unit *= 1024;
        number.remove_suffix(1);
      }
    }
    double weight = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), weight);
    if (error != std::errc() || end != number.data() + number.size() || !(weight >= 0 && weight <= 1e12)) {
      return wrong(word, "a weight such as CPU=1.5");
    }
    weights[static_cast<std::size_t>(*tres)] = weight / unit;
    return std::string();
  });
  if (problem.empty()) out = weights;
  return problem;
}

std::string set_job_defaults(Partition& partition, std::string_view value) {
  return each_word(value, [&](std::string_view word) {
    const auto equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const std::string_view number = equals == std::string_view::npos ? "" : word.substr(equals + 1);
    if (same(name, "DefCpuPerGPU")) return set_number(partition.def_cpu_per_gpu, number, 0, 65533);
    if (same(name, "DefMemPerGPU")) return set_number(partition.def_mem_per_gpu, number, 0, kMost);
    return wrong(word, "DefCpuPerGPU=COUNT or DefMemPerGPU=MIB");
  });
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
  {{"Licenses", kSlurmConf, "", "Licences and how many there are of each: abaqus:10,ansys@server:4."},
   [](Conf& c, std::string_view v) {
     LicenseList all;
     std::string problem = parse_licenses(v, false, all);
     c.licenses = std::move(all.list);
     return problem;
   }},
  {{"GresTypes", kSlurmConf, "", "No effect: what nodes have is there.", Use::no_effect},
   [](Conf&, std::string_view) { return std::string(); }},
  {{"TopologyPlugin", kSlurmConf, "topology/default", "No effect beside the switches; topology/tree or a flat one.",
    Use::no_effect},
   [](Conf&, std::string_view v) {
     const bool known = v == "topology/tree" || v == "topology/default" || v == "topology/none" || v == "topology/flat";
     return known ? std::string() : wrong(v, "topology/tree, topology/default, topology/none or topology/flat");
   }},
  {{"AllowSpecResourcesUsage", kSlurmConf, "NO", "Whether jobs may change the CoreSpecCount of their nodes."},
   [](Conf& c, std::string_view v) { return set_flag(c.allow_spec_resources, v); }},
  {{"DefMemPerNode", kSlurmConf, "0", "MiB of a job that asks for none; 0: all of the node."},
   [](Conf& c, std::string_view v) { return set_number(c.def_mem_per_node, v, 0, kMost); }},
  {{"DefMemPerCPU", kSlurmConf, "0", "The same for each of its CPUs."},
   [](Conf& c, std::string_view v) { return set_number(c.def_mem_per_cpu, v, 0, kMost); }},
  {{"MaxMemPerNode", kSlurmConf, "0", "MiB that a job may ask for on a node, where its partition does not say; 0: any. More "
    "waits with MaxMemPerLimit."},
   [](Conf& c, std::string_view v) { return set_number(c.max_mem_per_node, v, 0, kMost); }},
  {{"DefCpuPerGPU", kSlurmConf, "0", "CPUs for each GPU of a job that does not say how many it needs."},
   [](Conf& c, std::string_view v) { return set_number(c.def_cpu_per_gpu, v, 0, 65533); }},
  {{"DefMemPerGPU", kSlurmConf, "0", "MiB for each GPU of a job that asks for no memory; before DefMemPerNode and "
    "DefMemPerCPU."},
   [](Conf& c, std::string_view v) { return set_number(c.def_mem_per_gpu, v, 0, kMost); }},
  {{"PreemptType", kSlurmConf, "preempt/none", "preempt/none, preempt/qos (a QOS names those whose jobs make way) or "
    "preempt/partition_prio (jobs of a lower PriorityTier make way)."},
   [](Conf& c, std::string_view v) {
     c.preempt = v == "preempt/qos" ? Preempt::qos
                 : v == "preempt/partition_prio" ? Preempt::partition_prio : Preempt::none;
     return c.preempt != Preempt::none || v == "preempt/none"
                ? std::string() : wrong(v, "preempt/none, preempt/qos or preempt/partition_prio");
   }},
  {{"PreemptMode", kSlurmConf, "OFF", "How jobs make way: OFF, CANCEL or REQUEUE; SUSPEND and GANG are refused."},
   [](Conf& c, std::string_view v) { return set_preempt_mode(c.preempt_mode, v); }},
  {{"PreemptExemptTime", kSlurmConf, "-1", "Run time before which a job need not make way."},
   [](Conf& c, std::string_view v) {
     if (v == "-1") { c.preempt_exempt_time = 0; return std::string(); }
     return set_duration(c.preempt_exempt_time, v);
   }},
  {{"PreemptParameters", kSlurmConf, "reorder_count=1", "youngest_first, strict_order, reorder_count=, min_exempt_priority=; "
    "send_user_signal has no effect; reclaim_licenses and suspend_grace_time are refused."},
   set_preempt_parameters},
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
  {{"PriorityWeightFairshare", kSlurmConf, "0", "Weight of the fair-share factor of the job's user in its account; no "
    "effect without accounting."},
   [](Conf& c, std::string_view v) { return set_number(c.weight_fairshare, v, 0, 4294967295); }},
  {{"PriorityWeightQOS", kSlurmConf, "0", "Weight of the priority of the job's QOS, divided by the greatest of all; no "
    "effect without accounting."},
   [](Conf& c, std::string_view v) { return set_number(c.weight_qos, v, 0, 4294967295); }},
  {{"PriorityWeightAssoc", kSlurmConf, "0", "Weight of the priority of the job's association, divided by the greatest of "
    "all; no effect without accounting."},
   [](Conf& c, std::string_view v) { return set_number(c.weight_assoc, v, 0, 4294967295); }},
  {{"PriorityWeightTRES", kSlurmConf, "", "Weights of the job's shares of its partition's resources, such as "
    "CPU=1000,Mem=500."},
   [](Conf& c, std::string_view v) { return set_tres_weights(c.weight_tres, v, false); }},
  {{"PriorityFlags", kSlurmConf, "", "ACCRUE_ALWAYS, CALCULATE_RUNNING, DEPTH_OBLIVIOUS, INCR_ONLY, MAX_TRES, "
    "NO_FAIR_TREE (classic fair share), NO_NORMAL_ALL, NO_NORMAL_ASSOC, NO_NORMAL_PART, NO_NORMAL_QOS, NO_NORMAL_TRES, "
    "SMALL_RELATIVE_TO_TIME."},
   [](Conf& c, std::string_view v) { return set_priority_flags(c.priority_flags, v); }},
  {{"PriorityParameters", kSlurmConf, "", "No effect: a text for a site's own plugin.", Use::no_effect},
   [](Conf&, std::string_view) { return std::string(); }},
  {{"PriorityDecayHalfLife", kSlurmConf, "7-0", "Time after which what was used counts half; 0: it never decays."},
   [](Conf& c, std::string_view v) { return set_duration(c.decay_half_life, v); }},
  {{"PriorityUsageResetPeriod", kSlurmConf, "NONE", "When what was used is forgotten: NONE, NOW (at the start), DAILY, "
    "WEEKLY, MONTHLY, QUARTERLY or YEARLY, by UTC."},
   [](Conf& c, std::string_view v) { return set_usage_reset(c.usage_reset, v); }},
  {{"FairShareDampeningFactor", kSlurmConf, "1", "By what usage over shares is divided in classic fair share."},
   [](Conf& c, std::string_view v) { return set_number(c.fairshare_dampening, v, 1, 65535); }},
  {{"PriorityMaxAge", kSlurmConf, "7-0", "Waiting time that gives the full age factor."},
   [](Conf& c, std::string_view v) { return set_duration(c.priority_max_age, v); }},
  {{"PriorityCalcPeriod", kSlurmConf, "5", "Minutes between two looks at what was used, at fair share and at the "
    "age of jobs."},
   [](Conf& c, std::string_view v) {
     const auto period = parse_duration(v);
     if (!period || *period <= 0) return wrong(v, "a time such as 5 or 0:30");
     c.priority_calc_period = *period;
     return std::string();
   }},
  {{"PriorityFavorSmall", kSlurmConf, "NO", "Whether small jobs get the higher size factor."},
   [](Conf& c, std::string_view v) { return set_flag(c.favor_small, v); }},
  {{"AccountingStorageType", kSlurmConf, "accounting_storage/none", "With accounting_storage/slurmdbd age, fair share, QOS and "
    "associations count."},
   [](Conf& c, std::string_view v) {
     c.accounting = v == "accounting_storage/slurmdbd";
     return c.accounting || v == "accounting_storage/none"
                ? std::string() : wrong(v, "accounting_storage/none or accounting_storage/slurmdbd");
   }},
  {{"AccountingStorageEnforce", kSlurmConf, "none", "Of associations, limits, qos and safe, or all: what jobs have to keep "
    "to. Unknown users are rejected with any of them."}, set_enforce},
  {{"EnforcePartLimits", kSlurmConf, "NO", "Jobs outside their partition's limits: NO: they wait; ANY, ALL: they are "
    "rejected."},
   [](Conf& c, std::string_view v) {
     const bool all = same(v, "ALL") || same(v, "YES");
     c.enforce_part_limits = all ? EnforcePartLimits::all : same(v, "ANY") ? EnforcePartLimits::any : EnforcePartLimits::no;
     return all || same(v, "ANY") || same(v, "NO") ? std::string() : wrong(v, "NO, ANY or ALL");
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
  {{"MessageTimeout", kSlurmConf, "10", "Seconds; so long and KillWait after a job first had others make way for it, no more are asked to."},
   [](Conf& c, std::string_view v) { return set_number(c.message_timeout, v, 1, kMost); }},
  {{"KillWait", kSlurmConf, "30", "Seconds between SIGTERM and SIGKILL."},
   [](Conf& c, std::string_view v) { return set_number(c.kill_wait, v, 0, kMost); }},
  {{"OverTimeLimit", kSlurmConf, "0", "Minutes that a job may run over its limit."},
   [](Conf& c, std::string_view v) { return set_number(c.over_time_limit, v, 0, 65533, 60); }},
  {{"ResvOverRun", kSlurmConf, "0", "Minutes that a job may run on after the end of its reservation, or UNLIMITED; FLEX jobs "
    "may anyhow."},
   [](Conf& c, std::string_view v) {
     if (same(v, "UNLIMITED") || same(v, "INFINITE")) { c.reservation_over_run = kUnlimited; return std::string(); }
     return set_number(c.reservation_over_run, v, 0, 65533, 60);
   }},
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
  {{"TRESBillingWeights", kPartition, "CPU=1", "What its jobs use in billing units: the sum of weighted resources "
    "(PriorityFlags=MAX_TRES: the greatest), such as CPU=1.0,Mem=0.25G."},
   [](Partition& p, std::string_view v) { return set_tres_weights(p.billing_weights, v, true); }},
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
  {{"OverSubscribe", kPartition, "NO", "NO; EXCLUSIVE (every job takes whole nodes); YES:n (n jobs that ask for it may have "
    "a CPU together; 4 if n is not given); FORCE:n (all jobs may)."},
   set_oversubscribe},
  {{"PreemptMode", kPartition, "", "How its jobs make way (preempt/partition_prio); default: PreemptMode of slurm.conf."},
   [](Partition& p, std::string_view v) {
     PreemptMode mode = PreemptMode::off;
     std::string problem = set_preempt_mode(mode, v);
     p.preempt_mode = mode;
     return problem;
   }},
  {{"GraceTime", kPartition, "0", "Seconds that its jobs keep running when they are to make way."},
   [](Partition& p, std::string_view v) { return set_number(p.grace_time, v, 0, kMost); }},
  {{"ExclusiveUser", kPartition, "NO", "Whether its nodes belong to one user at a time."},
   [](Partition& p, std::string_view v) { return set_flag(p.exclusive_user, v); }},
  {{"DefMemPerNode", kPartition, "0", "As in slurm.conf, for the partition."},
   [](Partition& p, std::string_view v) { return set_number(p.def_mem_per_node, v, 0, kMost); }},
  {{"DefMemPerCPU", kPartition, "0", "As in slurm.conf, for the partition."},
   [](Partition& p, std::string_view v) { return set_number(p.def_mem_per_cpu, v, 0, kMost); }},
  {{"DefCpuPerGPU", kPartition, "0", "As in slurm.conf, for the partition."},
   [](Partition& p, std::string_view v) { return set_number(p.def_cpu_per_gpu, v, 0, 65533); }},
  {{"DefMemPerGPU", kPartition, "0", "As in slurm.conf, for the partition."},
   [](Partition& p, std::string_view v) { return set_number(p.def_mem_per_gpu, v, 0, kMost); }},
  {{"JobDefaults", kPartition, "", "DefCpuPerGPU= and DefMemPerGPU=, joined by a comma."}, set_job_defaults},
  {{"AllowAccounts", kPartition, "ALL", "Accounts whose jobs may run; others wait."},
   [](Partition& p, std::string_view v) { return set_list(p.allow_accounts, v); }},
  {{"DenyAccounts", kPartition, "", "Accounts whose jobs may not; no effect beside AllowAccounts."},
   [](Partition& p, std::string_view v) { return set_list(p.deny_accounts, v); }},
  {{"AllowQos", kPartition, "ALL", "QOS whose jobs may run; others wait."},
   [](Partition& p, std::string_view v) { return set_list(p.allow_qos, v); }},
  {{"DenyQos", kPartition, "", "QOS whose jobs may not; no effect beside AllowQos."},
   [](Partition& p, std::string_view v) { return set_list(p.deny_qos, v); }},
  {{"RootOnly", kPartition, "NO", "Jobs of other users than root are rejected."},
   [](Partition& p, std::string_view v) { return set_flag(p.root_only, v); }},
  {{"ReqResv", kPartition, "NO", "Jobs in no reservation are rejected."},
   [](Partition& p, std::string_view v) { return set_flag(p.needs_reservation, v); }},
  {{"State", kPartition, "UP", "UP; DOWN: jobs wait; DRAIN: they are rejected; INACTIVE: both."},
   [](Partition& p, std::string_view v) {
     using State = Partition::State;
     p.state = same(v, "DOWN") ? State::down : same(v, "DRAIN") ? State::drain : same(v, "INACTIVE") ? State::inactive
                                                                                            : State::up;
     return p.state != State::up || same(v, "UP") ? std::string() : wrong(v, "UP, DOWN, DRAIN or INACTIVE");
   }},
  {{"QOS", kPartition, "", "A QOS whose limits hold for the partition's jobs, before those of their own QOS."},
   [](Partition& p, std::string_view v) { p.qos = same(v, "N/A") ? "" : v; return std::string(); }},
  {{"MaxCPUsPerNode", kPartition, "UNLIMITED", "CPUs that the partition's jobs together may have of a node."},
   [](Partition& p, std::string_view v) {
     if (same(v, "UNLIMITED") || same(v, "INFINITE")) { p.max_cpus_per_node = 0; return std::string(); }
     return set_number(p.max_cpus_per_node, v, 1, kMost);
   }},
  {{"MaxMemPerNode", kPartition, "0", "MiB that a job may ask for on a node; 0: any. More waits with MaxMemPerLimit."},
   [](Partition& p, std::string_view v) { return set_number(p.max_mem_per_node, v, 0, kMost); }},
  {{"OverTimeLimit", kPartition, "", "As in slurm.conf, for the partition."},
   [](Partition& p, std::string_view v) {
     Second time = 0;
     std::string problem = set_number(time, v, 0, 65533, 60);
     p.over_time_limit = time;
     return problem;
   }},
  {{"PowerDownOnIdle", kPartition, "NO", "Nodes power down as soon as their last job is gone. From 23.02 on."},
   [](Partition& p, std::string_view v) { return set_flag(p.power_down_on_idle, v); }},
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

const Setter<NodeSettings> kNodeParameters[] = {
  {{"Features", kNode, "", "Words that --constraint may name, joined by commas."},
   [](NodeSettings& n, std::string_view v) {
     n.features.clear();
     while (!v.empty()) {
       const auto comma = v.find(',');
       const std::string_view word = v.substr(0, comma);
       if (word.empty() || word.find_first_of(" \t&|*()[]") != std::string_view::npos) return wrong(v, "words joined by \",\"");
       n.features.emplace_back(word);
       v = comma == std::string_view::npos ? "" : v.substr(comma + 1);
     }
     return std::string();
   }},
  {{"Gres", kNode, "its GPUs", "Generic resources, such as gpu:a100:8 or gpu:4,scratch:2; default: the GPUs of the instance type."},
   [](NodeSettings& n, std::string_view v) { n.gres_given = true; return parse_node_gres(v, n.gres); }},
  {{"CoreSpecCount", kNode, "0", "Cores that jobs do not get."},
   [](NodeSettings& n, std::string_view v) { return set_number(n.core_spec, v, 0, kMost); }},
  {{"CpuSpecList", kNode, "", "The same as a list of cores (0,2-3): only their number counts."},
   [](NodeSettings& n, std::string_view v) {
     const auto cores = v.empty() ? std::vector<std::string>() : expand_hostlist("c[" + std::string(v) + "]");
     n.core_spec = static_cast<std::int32_t>(cores.size());
     return cores.empty() && !v.empty() ? wrong(v, "a list of cores such as 0,2-3") : std::string();
   }},
  {{"MemSpecLimit", kNode, "0", "MiB that jobs do not get."},
   [](NodeSettings& n, std::string_view v) { return set_number(n.mem_spec, v, 0, kMost); }},
  {{"Boards", kNode, "", "A node is CPUs, wherever they are.", Use::refused},
   [](NodeSettings&, std::string_view) { return std::string("is not followed: a node is CPUs, wherever they are"); }},
  {{"Sockets", kNode, "", "A node is CPUs, wherever they are.", Use::refused},
   [](NodeSettings&, std::string_view) { return std::string("is not followed: a node is CPUs, wherever they are"); }},
};

const Setter<SwitchSettings> kSwitchParameters[] = {
  {{"Nodes", kSwitch, "", "The nodes of a leaf, as a list."},
   [](SwitchSettings& s, std::string_view v) { s.nodes = v; return std::string(); }},
  {{"Switches", kSwitch, "", "The switches below one that is no leaf, as a list."},
   [](SwitchSettings& s, std::string_view v) { s.switches = v; return std::string(); }},
  {{"LinkSpeed", kSwitch, "", "No effect, as in Slurm.", Use::no_effect},
   [](SwitchSettings&, std::string_view) { return std::string(); }},
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
  suspend = std::max(suspend, conf.topology.empty() ? 0 : conf.max_switch_wait);
  Second reserved = 0;
  for (const ReservationRequest& request : conf.reservations) {
    const ReservationSettings& r = request.what;
    const Second end = r.end.value_or(r.start.value_or(0) + r.duration.value_or(0));
    constexpr Second kWeek = std::int64_t{7} * 86400;
    reserved = std::max(reserved, end < kUnlimited ? end + (r.flags.recurs() ? kWeek : 0) : r.start.value_or(0));
  }
  const Second aging = conf.accounting && conf.weight_age > 0 ? conf.priority_max_age : 0;
  return (suspend + down + resume + conf.slurmd_timeout + aging + reserved + kMargin) * kSecond;
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
    for (const auto& s : kNodeParameters) list.push_back(with_evidence(s.parameter));
    for (const auto& s : kSwitchParameters) list.push_back(with_evidence(s.parameter));
    for (const Parameter& p : reservation_parameters()) list.push_back(p);
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

std::string set(NodeSettings& node, std::string_view name, std::string_view value) {
  // NodeName= takes Feature for Features.
  return set_in(std::span<const Setter<NodeSettings>>(kNodeParameters), node, same(name, "Feature") ? "Features" : name,
                value);
}

std::string set(SwitchSettings& one, std::string_view name, std::string_view value) {
  return set_in(std::span<const Setter<SwitchSettings>>(kSwitchParameters), one, name, value);
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
