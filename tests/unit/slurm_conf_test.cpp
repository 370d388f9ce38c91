// slurm.conf as the policy slurm follows it: every parameter by its name, times, host lists, and the moments at which
// slurmctld's threads look at the clock.
#include <algorithm>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/policies/slurm/conf.hpp"
#include "tests/unit/draw.hpp"

namespace headroom::slurm {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Conf conf_with(std::string_view name, std::string_view value) {
  Conf conf;
  EXPECT_EQ(set(conf, name, value), "") << name << "=" << value;
  return conf;
}
Conf conf_with(std::string_view scheduler_parameters) { return conf_with("SchedulerParameters", scheduler_parameters); }
Partition partition_with(std::string_view name, std::string_view value) {
  Partition partition;
  EXPECT_EQ(set(partition, name, value), "") << name << "=" << value;
  return partition;
}
std::string problem_of(std::string_view name, std::string_view value) {
  Conf conf;
  return set(conf, name, value);
}
std::string problem_of_partition(std::string_view name, std::string_view value) {
  Partition partition;
  return set(partition, name, value);
}

// --- defaults: those of slurm.conf(5) ---

TEST(SlurmConf, HasSlurmsDefaults) {
  const Conf c;
  EXPECT_TRUE(c.backfill);
  EXPECT_EQ(c.batch_sched_delay, 3);
  EXPECT_EQ(c.sched_interval, 60);
  EXPECT_EQ(c.default_queue_depth, 100);
  EXPECT_EQ(c.bf_interval, 30);
  EXPECT_EQ(c.bf_resolution, 60);
  EXPECT_EQ(c.bf_window, 86400) << "1440 minutes";
  EXPECT_EQ(c.bf_max_job_test, 500);
  EXPECT_EQ(c.bf_max_job_array_resv, 20);
  EXPECT_FALSE(c.memory);
  EXPECT_FALSE(c.multifactor);
  EXPECT_EQ(c.priority_max_age, 7 * 86400);
  EXPECT_EQ(c.priority_calc_period, 300);
  EXPECT_EQ(c.suspend_time, std::nullopt) << "nodes are never suspended";
  EXPECT_EQ(c.suspend_timeout, 30);
  EXPECT_EQ(c.resume_timeout, 60);
  EXPECT_EQ(c.suspend_rate, 60);
  EXPECT_EQ(c.resume_rate, 300);
  EXPECT_EQ(c.kill_wait, 30);
  EXPECT_EQ(c.over_time_limit, 0);
  EXPECT_EQ(c.slurmd_timeout, 300);
  EXPECT_EQ(c.return_to_service, 0);
  const Partition p;
  EXPECT_EQ(p.priority_tier, 1);
  EXPECT_EQ(p.priority_job_factor, 1);
  EXPECT_FALSE(p.exclusive);
  EXPECT_EQ(p.max_time, std::nullopt);
}

// The default that the table tells is the one that Conf has: setting it changes nothing.
TEST(SlurmConf, TellsTheDefaultsItHas) {
  const auto look = [](const Conf& c) {
    return std::tuple(std::tuple(c.backfill, c.defer, c.batch_sched_delay, c.sched_interval, c.default_queue_depth,
                                 c.partition_job_depth, c.sched_max_job_start, c.bf_interval, c.bf_resolution,
                                 c.bf_window, c.bf_max_job_test, c.bf_max_job_start, c.bf_max_job_array_resv),
                      std::tuple(c.bf_max_job_part, c.bf_max_job_user, c.bf_min_age_reserve, c.bf_min_prio_reserve,
                                 c.bf_window_linear, c.memory, c.def_mem_per_node, c.def_mem_per_cpu, c.multifactor),
                      std::tuple(c.weight_age, c.weight_job_size, c.weight_partition, c.priority_max_age,
                                 c.priority_calc_period, c.favor_small, c.accounting, c.suspend_time),
                      std::tuple(c.suspend_timeout, c.resume_timeout, c.suspend_rate, c.resume_rate, c.kill_wait,
                                 c.over_time_limit, c.slurmd_timeout, c.return_to_service, c.idle_on_node_suspend));
  };
  const auto look_at = [](const Partition& p) {
    return std::tuple(p.priority_tier, p.priority_job_factor, p.min_nodes, p.max_nodes, p.exclusive, p.def_mem_per_node,
                      p.def_mem_per_cpu);
  };
  std::set<std::string_view> rooms;
  std::set<std::pair<std::string_view, std::string_view>> names;
  for (const Parameter& p : parameters()) {
    SCOPED_TRACE(p.name);
    rooms.insert(p.where);
    EXPECT_TRUE(names.emplace(p.where, p.name).second) << "twice";
    EXPECT_FALSE(p.help.empty());
    Conf conf;
    Partition partition;
    if (p.where == "slurm.conf") {
      EXPECT_EQ(set(conf, p.name, p.fallback), "");
    } else if (p.where == "SchedulerParameters") {
      if (p.fallback == "off" || p.fallback == "bf_interval" || p.fallback == "bf_max_job_test") continue;
      if (p.fallback.empty()) continue;
      EXPECT_EQ(set(conf, "SchedulerParameters", std::string(p.name) + "=" + std::string(p.fallback)), "");
    } else if (p.where == "node") {
      NodeSettings node;
      if (p.fallback == "0") {
        EXPECT_EQ(set(node, p.name, p.fallback), "");
      }
      EXPECT_EQ(node, NodeSettings{});
    } else if (p.where == "switch" || p.where == "reservation flag") {
      EXPECT_TRUE(p.fallback.empty());
    } else if (p.where == "reservation") {
      ReservationSettings r;
      if (!p.fallback.empty()) {
        EXPECT_EQ(set(r, p.name, p.fallback), "");
      }
    } else if (!p.fallback.empty() && p.fallback != "MaxTime") {
      EXPECT_EQ(set(partition, p.name, p.fallback), "");
    }
    EXPECT_EQ(look(conf), look(Conf{}));
    EXPECT_EQ(look_at(partition), look_at(Partition{}));
  }
  EXPECT_THAT(rooms, ElementsAre("SchedulerParameters", "node", "partition", "reservation", "reservation flag",
                                 "slurm.conf", "switch"));
}

// --- every parameter changes what it names, within its range ---

template <class Settings>
struct Number {
  std::string_view name;
  std::int64_t least;
  std::int64_t most;
  std::int64_t (*value)(const Settings&);
  std::int64_t unit = 1;
};

TEST(SlurmConf, TakesEveryNumberOfSchedulerParametersWithinItsRange) {
  constexpr std::int64_t kInt = 2147483647;
  const Number<Conf> numbers[] = {
      {"batch_sched_delay", 0, kInt, [](const Conf& c) { return std::int64_t{c.batch_sched_delay}; }},
      {"bf_interval", 1, 10800, [](const Conf& c) { return std::int64_t{c.bf_interval}; }},
      {"bf_max_job_array_resv", 0, 1000, [](const Conf& c) { return std::int64_t{c.bf_max_job_array_resv}; }},
      {"bf_max_job_part", 0, 1'000'000, [](const Conf& c) { return std::int64_t{c.bf_max_job_part}; }},
      {"bf_max_job_start", 0, 10000, [](const Conf& c) { return std::int64_t{c.bf_max_job_start}; }},
      {"bf_max_job_test", 1, 1'000'000, [](const Conf& c) { return std::int64_t{c.bf_max_job_test}; }},
      {"bf_node_space_size", 2, 2'000'000, [](const Conf& c) { return std::int64_t{c.bf_node_space_size}; }},
      {"bf_max_job_user", 0, 1'000'000, [](const Conf& c) { return std::int64_t{c.bf_max_job_user}; }},
      {"bf_max_job_user_part", 0, 1'000'000, [](const Conf& c) { return std::int64_t{c.bf_max_job_user_part}; }},
      {"bf_min_age_reserve", 0, kInt, [](const Conf& c) { return std::int64_t{c.bf_min_age_reserve}; }},
      {"bf_min_prio_reserve", 0, 4294967295, [](const Conf& c) { return std::int64_t{c.bf_min_prio_reserve}; }},
      {"bf_resolution", 1, 3600, [](const Conf& c) { return std::int64_t{c.bf_resolution}; }},
      {"bf_window", 1, 43200, [](const Conf& c) { return std::int64_t{c.bf_window}; }, 60},
      {"bf_window_linear", 0, kInt, [](const Conf& c) { return std::int64_t{c.bf_window_linear}; }},
      {"default_queue_depth", 0, kInt, [](const Conf& c) { return std::int64_t{c.default_queue_depth}; }},
      {"partition_job_depth", 0, kInt, [](const Conf& c) { return std::int64_t{c.partition_job_depth}; }},
      {"sched_interval", 1, kInt, [](const Conf& c) { return std::int64_t{c.sched_interval}; }},
      {"sched_max_job_start", 0, kInt, [](const Conf& c) { return std::int64_t{c.sched_max_job_start}; }},
  };
  for (const auto& n : numbers) {
    SCOPED_TRACE(n.name);
    const std::string name(n.name);
    for (const std::int64_t value : {n.least, n.least + 7, n.most}) {
      EXPECT_EQ(n.value(conf_with(name + "=" + std::to_string(value))), value * n.unit);
    }
    for (const std::string& bad : {std::to_string(n.least - 1), std::to_string(n.most + 1), std::string("many"),
                                   std::string(), std::string("7 "), std::string("7.5")}) {
      EXPECT_THAT(problem_of("SchedulerParameters", name + "=" + bad),
                  AllOf(HasSubstr(name + ": found"), HasSubstr("whole number"), HasSubstr(std::to_string(n.least)),
                        HasSubstr(std::to_string(n.most))))
          << bad;
    }
  }
}

TEST(SlurmConf, TakesEveryNumberOfSlurmConfWithinItsRange) {
  constexpr std::int64_t kInt = 2147483647;
  const Number<Conf> numbers[] = {
      {"DefMemPerNode", 0, kInt, [](const Conf& c) { return std::int64_t{c.def_mem_per_node}; }},
      {"DefMemPerCPU", 0, kInt, [](const Conf& c) { return std::int64_t{c.def_mem_per_cpu}; }},
      {"PriorityWeightAge", 0, 4294967295, [](const Conf& c) { return std::int64_t{c.weight_age}; }},
      {"PriorityWeightJobSize", 0, 4294967295, [](const Conf& c) { return std::int64_t{c.weight_job_size}; }},
      {"PriorityWeightPartition", 0, 4294967295, [](const Conf& c) { return std::int64_t{c.weight_partition}; }},
      {"SuspendTime", 0, kInt, [](const Conf& c) { return c.suspend_time.value_or(-7); }},
      {"SuspendTimeout", 1, kInt, [](const Conf& c) { return std::int64_t{c.suspend_timeout}; }},
      {"ResumeTimeout", 1, kInt, [](const Conf& c) { return std::int64_t{c.resume_timeout}; }},
      {"SuspendRate", 0, kInt, [](const Conf& c) { return std::int64_t{c.suspend_rate}; }},
      {"ResumeRate", 0, kInt, [](const Conf& c) { return std::int64_t{c.resume_rate}; }},
      {"MessageTimeout", 1, kInt, [](const Conf& c) { return std::int64_t{c.message_timeout}; }},
      {"KillWait", 0, kInt, [](const Conf& c) { return std::int64_t{c.kill_wait}; }},
      {"OverTimeLimit", 0, 65533, [](const Conf& c) { return std::int64_t{c.over_time_limit}; }, 60},
      {"SlurmdTimeout", 0, 65533, [](const Conf& c) { return std::int64_t{c.slurmd_timeout}; }},
      {"ReturnToService", 0, 2, [](const Conf& c) { return std::int64_t{c.return_to_service}; }},
  };
  for (const auto& n : numbers) {
    SCOPED_TRACE(n.name);
    for (const std::int64_t value : {n.least, n.least + 1, n.most}) {
      EXPECT_EQ(n.value(conf_with(n.name, std::to_string(value))), value * n.unit);
    }
    if (n.name != "SuspendTime") {  // -1: never
      EXPECT_THAT(problem_of(n.name, std::to_string(n.least - 1)), HasSubstr("whole number"));
    }
    EXPECT_THAT(problem_of(n.name, std::to_string(n.most + 1)), HasSubstr(std::to_string(n.most)));
    EXPECT_THAT(problem_of(n.name, "-2"), HasSubstr("found \"-2\""));
    EXPECT_THAT(problem_of(n.name, "x"), HasSubstr("found \"x\""));
  }
}

TEST(SlurmConf, TakesEveryNumberOfAPartitionWithinItsRange) {
  constexpr std::int64_t kInt = 2147483647;
  const Number<Partition> numbers[] = {
      {"PriorityTier", 0, 65533, [](const Partition& p) { return std::int64_t{p.priority_tier}; }},
      {"PriorityJobFactor", 0, 65533, [](const Partition& p) { return std::int64_t{p.priority_job_factor}; }},
      {"MinNodes", 0, kInt, [](const Partition& p) { return std::int64_t{p.min_nodes}; }},
      {"MaxNodes", 1, kInt, [](const Partition& p) { return std::int64_t{p.max_nodes}; }},
      {"DefMemPerNode", 0, kInt, [](const Partition& p) { return std::int64_t{p.def_mem_per_node}; }},
      {"DefMemPerCPU", 0, kInt, [](const Partition& p) { return std::int64_t{p.def_mem_per_cpu}; }},
      {"SuspendTime", 0, kInt, [](const Partition& p) { return p.suspend_time.value_or(-7); }},
      {"SuspendTimeout", 1, kInt, [](const Partition& p) { return p.suspend_timeout.value_or(-7); }},
      {"ResumeTimeout", 1, kInt, [](const Partition& p) { return p.resume_timeout.value_or(-7); }},
  };
  for (const auto& n : numbers) {
    SCOPED_TRACE(n.name);
    for (const std::int64_t value : {n.least, n.least + 1, n.most}) {
      EXPECT_EQ(n.value(partition_with(n.name, std::to_string(value))), value);
    }
    EXPECT_THAT(problem_of_partition(n.name, "-2"), HasSubstr("found \"-2\""));
    EXPECT_THAT(problem_of_partition(n.name, std::to_string(n.most + 1)), HasSubstr("whole number"));
  }
  EXPECT_EQ(partition_with("MaxNodes", "UNLIMITED").max_nodes, 0);
  EXPECT_GT(partition_with("SuspendTime", "INFINITE").suspend_time.value_or(0), kUnlimited) << "never";
  EXPECT_GT(partition_with("SuspendTime", "-1").suspend_time.value_or(0), kUnlimited) << "never";
  EXPECT_TRUE(partition_with("OverSubscribe", "EXCLUSIVE").exclusive);
  EXPECT_FALSE(partition_with("OverSubscribe", "NO").exclusive);
  const auto shares = [](std::string_view value) {
    const Partition p = partition_with("OverSubscribe", std::string(value));
    return std::pair(p.max_share, p.force_share);
  };
  EXPECT_EQ(shares("NO"), std::pair(1, false));
  EXPECT_EQ(shares("EXCLUSIVE"), std::pair(1, false));
  EXPECT_EQ(shares("YES"), std::pair(4, false));
  EXPECT_EQ(shares("yes:2"), std::pair(2, false));
  EXPECT_EQ(shares("FORCE"), std::pair(4, true));
  EXPECT_EQ(shares("FORCE:1"), std::pair(1, true));
  EXPECT_EQ(shares("FORCE:32767"), std::pair(32767, true));
  for (const char* wrong : {"YES:1", "YES:", "FORCE:0", "FORCE:x", "FORCE:32768", "NO:2", "FORCED:2", "EXCLUSIVE:2"}) {
    EXPECT_THAT(problem_of_partition("OverSubscribe", wrong),
                HasSubstr("expected NO, EXCLUSIVE, YES, YES:n with n from 2 to 32767, or FORCE or FORCE:n"))
        << wrong;
  }
  EXPECT_TRUE(partition_with("ExclusiveUser", "YES").exclusive_user);
  EXPECT_EQ(partition_with("MaxTime", "2:00:00").max_time, 7200);
  EXPECT_EQ(partition_with("MaxTime", "90").max_time, 5400) << "minutes";
  EXPECT_EQ(partition_with("MaxTime", "UNLIMITED").max_time, kUnlimited);
  EXPECT_EQ(partition_with("DefaultTime", "0:30").default_time, 30);
  EXPECT_THAT(problem_of_partition("MaxTime", "soon"), HasSubstr("a time such as"));
  EXPECT_THAT(problem_of_partition("DefaultTime", ""), HasSubstr("a time such as"));
}

TEST(SlurmConf, TakesFlagsOfSchedulerParameters) {
  EXPECT_TRUE(conf_with("defer").defer);
  EXPECT_TRUE(conf_with("bf_continue").bf_continue);
  EXPECT_TRUE(conf_with("bf_one_resv_per_job").bf_one_resv_per_job);
  EXPECT_TRUE(conf_with("bf_running_job_reserve").bf_running_job_reserve);
  const Conf several =
      conf_with("defer,bf_interval=7,BF_RESOLUTION=1,bf_max_time=60,bf_yield_interval=5,max_rpc_cnt=9");
  EXPECT_TRUE(several.defer);
  EXPECT_EQ(several.bf_interval, 7);
  EXPECT_EQ(several.bf_resolution, 1) << "names are the same in any case of letters";
  EXPECT_THAT(problem_of("SchedulerParameters", "bf_yield_sleep=0"), HasSubstr("bf_yield_sleep: found \"0\""));
  EXPECT_THAT(problem_of("SchedulerParameters", "sched_min_interval=-1"), HasSubstr("sched_min_interval"));
  EXPECT_EQ(problem_of("SchedulerParameters", ""), "");
}

TEST(SlurmConf, TakesWordsThatAreFollowedAndRefusesTheOthers) {
  EXPECT_FALSE(conf_with("SchedulerType", "sched/builtin").backfill);
  EXPECT_TRUE(conf_with("SchedulerType", "sched/backfill").backfill);
  EXPECT_THAT(problem_of("SchedulerType", "sched/hold"), HasSubstr("expected sched/backfill or sched/builtin"));
  EXPECT_EQ(problem_of("SelectType", "select/cons_tres"), "");
  EXPECT_THAT(problem_of("SelectType", "select/linear"), HasSubstr("expected select/cons_tres"));
  EXPECT_TRUE(conf_with("SelectTypeParameters", "CR_CPU_Memory").memory);
  EXPECT_FALSE(conf_with("SelectTypeParameters", "CR_CPU").memory);
  EXPECT_THAT(problem_of("SelectTypeParameters", "CR_Core"), HasSubstr("expected CR_CPU or CR_CPU_Memory"));
  EXPECT_TRUE(conf_with("PriorityType", "priority/multifactor").multifactor);
  EXPECT_FALSE(conf_with("PriorityType", "priority/basic").multifactor);
  EXPECT_THAT(problem_of("PriorityType", "priority/site"), HasSubstr("priority/multifactor"));
  EXPECT_TRUE(conf_with("AccountingStorageType", "accounting_storage/slurmdbd").accounting);
  EXPECT_FALSE(conf_with("AccountingStorageType", "accounting_storage/none").accounting);
  EXPECT_THAT(problem_of("AccountingStorageType", "accounting_storage/mysql"), HasSubstr("slurmdbd"));
  EXPECT_TRUE(conf_with("PriorityFavorSmall", "YES").favor_small);
  EXPECT_FALSE(conf_with("PriorityFavorSmall", "no").favor_small);
  EXPECT_THAT(problem_of("PriorityFavorSmall", "1"), HasSubstr("expected YES or NO"));
  EXPECT_EQ(conf_with("PriorityMaxAge", "1-0").priority_max_age, 86400);
  EXPECT_EQ(conf_with("PriorityMaxAge", "0:10").priority_max_age, 10);
  EXPECT_EQ(conf_with("PriorityCalcPeriod", "1").priority_calc_period, 60);
  EXPECT_THAT(problem_of("PriorityCalcPeriod", "0"), HasSubstr("found \"0\""));
  EXPECT_THAT(problem_of("PriorityMaxAge", "x"), HasSubstr("a time such as"));
  EXPECT_EQ(conf_with("SuspendTime", "-1").suspend_time, std::nullopt);
  EXPECT_EQ(conf_with("SuspendTime", "INFINITE").suspend_time, std::nullopt);
  EXPECT_THAT(conf_with("SuspendExcNodes", "s[1-2],x").suspend_exc_nodes, ElementsAre("s1", "s2", "x"));
  EXPECT_THAT(problem_of("SuspendExcNodes", "s[1-"), HasSubstr("a list of nodes"));
  EXPECT_TRUE(conf_with("SlurmctldParameters", "cloud_dns,idle_on_node_suspend").idle_on_node_suspend);
  EXPECT_FALSE(conf_with("SlurmctldParameters", "cloud_dns").idle_on_node_suspend);
  EXPECT_THAT(problem_of("SlurmctldParameters", "cloud_dns,power_save_interval=5"),
              HasSubstr("\"power_save_interval=5\" is not followed"));
  EXPECT_EQ(conf_with("PriorityWeightFairshare", "100").weight_fairshare, 100u);
  EXPECT_EQ(conf_with("PriorityWeightQOS", "7").weight_qos, 7u);
  EXPECT_EQ(conf_with("PriorityWeightAssoc", "8").weight_assoc, 8u);
  EXPECT_EQ(conf_with("PriorityDecayHalfLife", "1-0").decay_half_life, 86400);
}

TEST(SlurmConf, RefusesUnknownNamesAndSaysWhatWasMeant) {
  EXPECT_THAT(problem_of("SuspndTime", "5"), AllOf(HasSubstr("is not followed"), HasSubstr("SuspendTime")));
  EXPECT_THAT(problem_of("SchedulerParameters", "bf_intervall=5"),
              AllOf(HasSubstr("\"bf_intervall\" is not followed"), HasSubstr("bf_interval")));
  EXPECT_THAT(problem_of_partition("MaxTme", "5"), AllOf(HasSubstr("is not followed"), HasSubstr("MaxTime")));
  EXPECT_THAT(problem_of("CompleteWait", "5"), HasSubstr("is not followed"));
  EXPECT_THAT(problem_of("SchedulerParameters", "bf_busy_nodes"), HasSubstr("is not followed"));
  Conf conf;
  EXPECT_EQ(set(conf, "suspendtime", "77"), "") << "names are the same in any case of letters";
  EXPECT_EQ(conf.suspend_time, 77);
}

// --- times ---

TEST(SlurmConf, ReadsTimesAsSbatchDoes) {
  const std::map<std::string, Second> forms = {{"5", 300},
                                               {"0", 0},
                                               {"5:30", 330},
                                               {"1:02:03", 3723},
                                               {"2-0", 172800},
                                               {"2-3", 2 * 86400 + 3 * 3600},
                                               {"2-3:04", 2 * 86400 + 3 * 3600 + 240},
                                               {"2-3:04:05", 2 * 86400 + 3 * 3600 + 245},
                                               {"90:00", 5400},
                                               {"0-0:0:1", 1},
                                               {"UNLIMITED", kUnlimited},
                                               {"infinite", kUnlimited},
                                               {"-1", kUnlimited}};
  for (const auto& [text, seconds] : forms) EXPECT_EQ(parse_duration(text), seconds) << text;
  for (const std::string bad :
       {"", ":", "1:", ":1", "1:2:3:4", "1-", "-", "x", "1h", "1-2-3", "-5", "1:-2", "1.5", " 5", "99999999999999"}) {
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
  }
}

// --- host lists ---

TEST(SlurmConf, ExpandsHostLists) {
  EXPECT_THAT(expand_hostlist("n[01-03,05],x7"), ElementsAre("n01", "n02", "n03", "n05", "x7"));
  EXPECT_THAT(expand_hostlist("n[8-11]"), ElementsAre("n8", "n9", "n10", "n11"));
  EXPECT_THAT(expand_hostlist("n[098-101]"), ElementsAre("n098", "n099", "n100", "n101"));
  EXPECT_THAT(expand_hostlist("login"), ElementsAre("login"));
  EXPECT_THAT(expand_hostlist("a[1-2]-ib"), ElementsAre("a1-ib", "a2-ib"));
  EXPECT_THAT(expand_hostlist("rack3-n[4]"), ElementsAre("rack3-n4"));
  EXPECT_THAT(expand_hostlist(""), IsEmpty());
  for (const std::string bad : {"n[1-", "n[3-1]", "n[x]", "n[1-2-3]", "a,,b", ",a", "n[-1]", "n[1,,2]"}) {
    EXPECT_THAT(expand_hostlist(bad), IsEmpty()) << bad;
  }
}

TEST(SlurmConf, CompressesHostListsAsSlurmPrintsThem) {
  EXPECT_EQ(compress_hostlist({"n03", "n01", "n02"}), "n[01-03]");
  EXPECT_EQ(compress_hostlist({"n01", "n03", "n04", "n06"}), "n[01,03-04,06]");
  EXPECT_EQ(compress_hostlist({"p2", "n1", "p1"}), "n1,p[1-2]");
  EXPECT_EQ(compress_hostlist({"login"}), "login");
  EXPECT_EQ(compress_hostlist({"n9", "n10", "n11"}), "n[9-11]");
  EXPECT_EQ(compress_hostlist({}), "");
}

// Numbers count by their value, not digit by digit.
TEST(SlurmConf, OrdersNodeNamesByTheirNumbers) {
  const std::vector<std::string> order = {"a", "a1", "a2", "a10", "a10b", "b", "n02", "n3", "n010", "n100", "n1000"};
  for (std::size_t i = 0; i < order.size(); ++i) {
    for (std::size_t j = 0; j < order.size(); ++j) {
      EXPECT_EQ(name_before(order[i], order[j]), i < j) << order[i] << " " << order[j];
    }
  }
  EXPECT_TRUE(name_before("r2-n1", "r10-n0")) << "numbers in the middle, too";
  EXPECT_TRUE(name_before("r2-n9", "r2-n10"));
  EXPECT_NE(name_before("n01", "n1"), name_before("n1", "n01")) << "different names have an order";
  EXPECT_TRUE(name_before("n99999999999999999999998", "n99999999999999999999999")) << "longer than 64 bits";
}

TEST(SlurmConf, ExpandsWhatItCompressed) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Draw draw(seed);
    std::set<std::string> names;
    const int wide = draw.small(1, 3);
    for (int i = draw.small(1, 30); i > 0; --i) {
      std::string number = std::to_string(draw.small(0, wide == 1 ? 9 : wide == 2 ? 99 : 999));
      number.insert(0, static_cast<std::size_t>(wide) - number.size(), '0');
      names.insert((draw.one_in(3) ? "gpu" : draw.one_in(2) ? "n" : "r1-n") + number);
    }
    if (draw.one_in(4)) names.insert("login");
    std::vector<std::string> list(names.begin(), names.end());
    const std::string text = compress_hostlist(list);
    std::sort(list.begin(), list.end(), name_before);
    EXPECT_EQ(expand_hostlist(text), list) << "seed " << seed << ": " << text;
    // A range stands for three neighbours at the least that are written out otherwise.
    for (std::size_t i = 1; i < list.size(); ++i) EXPECT_TRUE(name_before(list[i - 1], list[i]));
  }
}

// --- versions ---

TEST(SlurmConf, KnowsHowVersionsDiffer) {
  const Version old{2205};
  const Version newest{2505};
  EXPECT_FALSE(old.weights_powered_down());
  EXPECT_FALSE(old.prefers_up_to_powering_up());
  EXPECT_FALSE(old.resume_tokens());
  EXPECT_FALSE(old.rejects_too_wide());
  EXPECT_FALSE(old.scans_after_change());
  EXPECT_EQ(old.idle_scan_interval(), 10);
  EXPECT_TRUE(newest.weights_powered_down());
  EXPECT_TRUE(newest.prefers_up_to_powering_up());
  EXPECT_TRUE(newest.resume_tokens());
  EXPECT_TRUE(newest.rejects_too_wide());
  EXPECT_TRUE(newest.scans_after_change());
  EXPECT_EQ(newest.idle_scan_interval(), 11);
  EXPECT_TRUE(Version{2302}.weights_powered_down()) << "fixed in 23.02";
  EXPECT_FALSE(Version{2411}.prefers_up_to_powering_up()) << "25.05 brought it";
  EXPECT_TRUE(Version{2405}.resume_tokens()) << "24.05 brought them";
  EXPECT_FALSE(Version{2311}.resume_tokens());
}

// --- looks at the clock ---

TEST(SlurmRhythm, LooksOnceASecondFromTheStart) {
  const Rhythm exact;
  EXPECT_EQ(exact.first(0), kSecond);
  EXPECT_EQ(exact.first(5 * kSecond), 6 * kSecond);
  EXPECT_EQ(exact.after(kSecond), 2 * kSecond);
  EXPECT_EQ(exact.not_before(kSecond, 0), kSecond) << "never before the look it is given";
  EXPECT_EQ(exact.not_before(kSecond, kSecond), kSecond);
  EXPECT_EQ(exact.not_before(kSecond, kSecond + 1), 2 * kSecond);
  EXPECT_EQ(exact.not_before(kSecond, 100 * kSecond), 100 * kSecond);
  const Rhythm late{.offset = 12'000, .drift = 0, .seen = {}};
  EXPECT_EQ(late.first(0), kSecond + 12'000);
  EXPECT_EQ(late.not_before(late.first(0), 30 * kSecond), 30 * kSecond + 12'000);
}

TEST(SlurmRhythm, DriftsByTheSameEverySecond) {
  const Rhythm drifting{.offset = 0, .drift = 6'000, .seen = {}};
  const Time first = drifting.first(0);
  EXPECT_EQ(first, kSecond);
  EXPECT_EQ(drifting.after(first), first + 1'006'000);
  Time look = first;
  for (int i = 0; i < 500; ++i) {
    EXPECT_EQ(drifting.not_before(first, look), look) << "a look is not before itself";
    EXPECT_EQ(drifting.not_before(first, look - 1), look);
    EXPECT_EQ(drifting.not_before(first, look + 1), look + 1'006'000);
    look = drifting.after(look);
  }
  EXPECT_EQ(look, first + 500 * 1'006'000);
}

// Looks that are known are hit; those between them are spread evenly, about a second apart.
TEST(SlurmRhythm, GoesThroughTheLooksThatWereSeen) {
  const Rhythm rhythm{.offset = 0, .drift = 2'000, .seen = {5'300'000, 6'310'000, 46'500'000}};
  Time look = rhythm.first(0);
  EXPECT_GT(look, 0);
  EXPECT_LE(look, kSecond + 2'000);
  std::set<Time> looks;
  for (int i = 0; i < 60; ++i) {
    const Time next = rhythm.after(look);
    looks.insert(look);
    EXPECT_NEAR(static_cast<double>(next - look), kSecond, 15'000) << look;
    EXPECT_EQ(rhythm.not_before(look, look + 1), next);
    look = next;
  }
  for (const Time seen : rhythm.seen) EXPECT_EQ(looks.count(seen), 1u) << seen;
  EXPECT_EQ(rhythm.not_before(rhythm.first(0), 46'400'000), 46'500'000);
  EXPECT_EQ(rhythm.after(46'500'000), 46'500'000 + 1'002'000) << "after the last one by itself";
}

TEST(SlurmPhases, TellTheWallClocksSecond) {
  const Phases phases{
      .epoch = 1000, .start = 0, .main = {}, .backfill = {}, .power = {}, .passes = {}, .backfills = {}, .scans = {}};
  EXPECT_EQ(phases.second(0), 1000);
  EXPECT_EQ(phases.second(kSecond - 1), 1000) << "rounded down";
  EXPECT_EQ(phases.second(kSecond), 1001);
  EXPECT_EQ(phases.second(-1), 999) << "before time 0, too";
  EXPECT_EQ(phases.time_of(1001), kSecond);
}

}  // namespace
}  // namespace headroom::slurm
