// What a scenario tells slurmctld: where each parameter comes from, what is refused and where, how jobs, operations and
// faults become what the engine takes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/errors.hpp"
#include "models/operations.hpp"
#include "models/policies/registry.hpp"
#include "models/simulation.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kOlder = R"({
  "cluster": {
    "name": "abc", "size": "SMALL",
    "scheduler": {"type": "SLURM", "version": "24.05"},
    "slurmConfiguration": {}
  },
  "computeNodeGroups": [
    {"name": "grp", "slurmConfiguration": {},
     "scalingConfiguration": {"minInstanceCount": 0, "maxInstanceCount": 4},
     "instanceConfigs": [{"instanceType": "c6i.xlarge"}]}
  ],
  "queues": [{"name": "que", "slurmConfiguration": {},
              "computeNodeGroupConfigurations": [{"computeNodeGroupId": "grp"}]}],
  "scheduler": {"policy": "slurm"},
  "workload": {"jobs": [
    {"id": "one", "runTime": 60},
    {"id": "two", "submit": 10, "runTime": 60}
  ]}
}
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "the test looks for text that is not there: " << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

const std::string& newer() {
  static const std::string text = replaced(kOlder, "24.05", "25.05");
  return text;
}

std::string settings(std::vector<SlurmSetting> list) {
  std::string text;
  for (const auto& [name, value] : list) {
    text +=
        (text.empty() ? "" : ", ") + ("{\"parameterName\": \"" + name + "\", \"parameterValue\": \"" + value + "\"}");
  }
  return "\"slurmConfiguration\": {\"slurmCustomSettings\": [" + text + "]}";
}

std::string of_cluster(const std::string& text, const std::vector<SlurmSetting>& list) {
  return replaced(text, "\"slurmConfiguration\": {}\n  }", settings(list) + "\n  }");
}
std::string of_group(const std::string& text, const std::vector<SlurmSetting>& list) {
  return replaced(text, "\"grp\", \"slurmConfiguration\": {}", "\"grp\", " + settings(list));
}
std::string of_queue(const std::string& text, const std::vector<SlurmSetting>& list) {
  return replaced(text, "\"que\", \"slurmConfiguration\": {}", "\"que\", " + settings(list));
}
std::string of_scheduler(const std::string& text, const std::string& member) {
  return replaced(text, "\"policy\": \"slurm\"", "\"policy\": \"slurm\", " + member);
}
std::string of_job(const std::string& text, const std::string& members) {
  return replaced(text, "\"id\": \"two\"", "\"id\": \"two\", " + members);
}
const std::vector<SlurmSetting> kMemory = {{"SelectTypeParameters", "CR_CPU_Memory"}};

// What parsing, or else the check of what the policy takes, says; empty when all is fine.
std::string errors_of(const std::string& text) {
  try {
    check_policies(parse_scenario(text, "s.json"));
    return {};
  } catch (const InputError& error) {
    return error.what();
  }
}

slurm::Conf conf_of(const std::string& text) {
  const Scenario scenario = parse_scenario(text, "s.json");
  check_policies(scenario);
  return slurm_conf(scenario);
}

// --- slurm.conf ---

TEST(SlurmScenario, HasParallelClustersTimesWhereNothingIsGiven) {
  const slurm::Conf conf = conf_of(kOlder);
  EXPECT_EQ(conf.version.number, 2405);
  EXPECT_EQ(conf.suspend_time, 600);
  EXPECT_EQ(conf.suspend_timeout, 120);
  EXPECT_EQ(conf.resume_timeout, 1800);
  ASSERT_EQ(conf.partitions.size(), 1u);
  EXPECT_EQ(conf.partitions[0].name, "que");
  EXPECT_FALSE(conf.memory);
  EXPECT_FALSE(conf.multifactor);
}

TEST(SlurmScenario, TakesParametersOfSlurmConf) {
  const slurm::Conf conf = conf_of(
      of_scheduler(kOlder,
                   R"("slurmVersion": "22.05", "slurm": {"SchedulerParameters": "bf_interval=60,bf_max_job_test=1000",
         "PriorityType": "priority/multifactor", "ResumeTimeout": 600, "PriorityFavorSmall": true, "suspendrate": "0"},
         "slurmPartitions": {"que": {"MaxTime": "1:00:00", "PriorityTier": 3}})"));
  EXPECT_EQ(conf.version.number, 2205);
  EXPECT_EQ(conf.bf_interval, 60);
  EXPECT_EQ(conf.bf_max_job_test, 1000);
  EXPECT_TRUE(conf.multifactor);
  EXPECT_TRUE(conf.favor_small);
  EXPECT_EQ(conf.resume_timeout, 600);
  EXPECT_EQ(conf.suspend_rate, 0);
  EXPECT_EQ(conf.partitions[0].max_time, 3600);
  EXPECT_EQ(conf.partitions[0].priority_tier, 3);
}

TEST(SlurmScenario, TakesWhatPcsLetsUsersSet) {
  std::string text = of_cluster(newer(), {{"SchedulerParameters", "bf_interval=45"},
                                          {"PriorityWeightJobSize", "1000"},
                                          {"SelectTypeParameters", "CR_CPU_Memory"},
                                          {"Prolog", "/opt/prolog"},
                                          {"DefMemPerCPU", "1500"}});
  text = of_queue(text, {{"PriorityTier", "7"}, {"OverSubscribe", "EXCLUSIVE"}});
  text = replaced(text, "\"grp\", \"slurmConfiguration\": {}",
                  "\"grp\", \"slurmConfiguration\": {\"scaleDownIdleTimeInSeconds\": 42}");
  const slurm::Conf conf = conf_of(text);
  EXPECT_EQ(conf.bf_interval, 45);
  EXPECT_EQ(conf.weight_job_size, 1000u);
  EXPECT_TRUE(conf.multifactor) << "a weight means that priorities are by weights";
  EXPECT_TRUE(conf.memory);
  EXPECT_EQ(conf.def_mem_per_cpu, 1500);
  EXPECT_EQ(conf.partitions[0].priority_tier, 7);
  EXPECT_TRUE(conf.partitions[0].exclusive);
  EXPECT_EQ(conf.group_suspend_time, (std::vector<std::optional<slurm::Second>>{42}));
  EXPECT_FALSE(conf.accounting);
  const std::string accounted = replaced(newer(), "\"slurmConfiguration\": {}\n",
                                         "\"slurmConfiguration\": {\"accounting\": {\"mode\": \"STANDARD\"}}\n");
  EXPECT_TRUE(conf_of(accounted).accounting);
}

TEST(SlurmScenario, SaysWhereAParameterIsWrong) {
  EXPECT_EQ(errors_of(of_scheduler(kOlder, "\n\"slurm\": {\"ResumeTimeuot\": 5}")),
            "s.json:15: scheduler.slurm.ResumeTimeuot: is not followed; did you mean \"ResumeTimeout\"?");
  EXPECT_EQ(errors_of(of_scheduler(kOlder, "\"slurm\": {\"SchedulerParameters\": \"bf_intervall=5\"}")),
            "s.json:14: scheduler.slurm.SchedulerParameters: \"bf_intervall\" is not followed; did you mean "
            "\"bf_interval\"?");
  EXPECT_THAT(errors_of(of_scheduler(kOlder, "\"slurm\": {\"ResumeTimeout\": 1.5}")),
              HasSubstr("s.json:14: scheduler.slurm.ResumeTimeout: found \"1.5\", expected a whole number"));
  EXPECT_EQ(errors_of(of_scheduler(kOlder, "\"slurm\": {\"ResumeTimeout\": [1]}")),
            "s.json:14: scheduler.slurm.ResumeTimeout: found an array, expected a string, a number or a boolean");
  EXPECT_THAT(errors_of(of_scheduler(kOlder, "\"slurmPartitions\": {\"que\": {\"MaxTime\": \"soon\"}}")),
              HasSubstr("s.json:14: scheduler.slurmPartitions.que.MaxTime: found \"soon\""));
  EXPECT_EQ(errors_of(of_scheduler(kOlder, "\"slurmPartitions\": {\"quee\": {\"MaxTime\": 5}}")),
            "s.json:14: scheduler.slurmPartitions.quee: unknown queue; known: \"que\"");
  EXPECT_EQ(errors_of(of_scheduler(kOlder, "\"slurmVersion\": \"21.08\"")),
            "s.json:14: scheduler.slurmVersion: found \"21.08\", expected \"22.05\", \"23.11\", \"24.05\", \"24.11\", "
            "\"25.05\" or \"25.11\"");
  EXPECT_THAT(
      errors_of(of_cluster(newer(), {{"SchedulerParameters", "bf_interval=0"}})),
      HasSubstr("s.json:5: cluster.slurmConfiguration.slurmCustomSettings[0].parameterValue: bf_interval: found"));
  EXPECT_EQ(
      errors_of(of_cluster(newer(), {{"HealthCheckProgram", "/bin/true"}})),
      "s.json:5: cluster.slurmConfiguration.slurmCustomSettings[0].parameterName: PCS takes \"HealthCheckProgram\", "
      "but it is not followed here: It may drain nodes; say so by operations.");
  EXPECT_THAT(errors_of(of_cluster(newer(), {{"SuspendTime", "60"}})),
              HasSubstr("\"SuspendTime\" is no setting that is supported here [PCS-7]"));
  EXPECT_THAT(
      errors_of(of_queue(newer(), {{"MinNodes", "2"}})),
      HasSubstr("s.json:12: queues[0].slurmConfiguration.slurmCustomSettings[0].parameterName: \"MinNodes\" is no "
                "setting that is supported here [PCS-30]"));
  EXPECT_EQ(errors_of(of_queue(newer(), {{"Default", "YES"}})),
            "s.json:12: queues[0].slurmConfiguration.slurmCustomSettings[0].parameterName: PCS takes \"Default\", "
            "but it is not followed here: Jobs that name no queue go to the first.");
}

TEST(SlurmScenario, TakesAParameterOnceOnly) {
  EXPECT_EQ(errors_of(of_scheduler(of_cluster(kOlder, kMemory), "\"slurm\": {\"selecttypeparameters\": \"CR_CPU\"}")),
            "s.json:14: scheduler.slurm.selecttypeparameters: is given in cluster.slurmConfiguration, or twice");
  EXPECT_EQ(errors_of(of_scheduler(kOlder, "\"slurm\": {\"KillWait\": 5, \"killwait\": 6}")),
            "s.json:14: scheduler.slurm.killwait: is given in cluster.slurmConfiguration, or twice");
  const std::string idle = replaced(kOlder, "\"slurmConfiguration\": {}\n",
                                    "\"slurmConfiguration\": {\"scaleDownIdleTimeInSeconds\": 60}\n");
  EXPECT_EQ(
      errors_of(of_scheduler(idle, "\"slurm\": {\"SuspendTime\": 5}")),
      "s.json:14: scheduler.slurm.SuspendTime: is given as cluster.slurmConfiguration.scaleDownIdleTimeInSeconds");
  EXPECT_EQ(conf_of(of_scheduler(kOlder, "\"slurm\": {\"SuspendTime\": -1}")).suspend_time, std::nullopt);
  EXPECT_EQ(errors_of(of_scheduler(of_queue(newer(), {{"MaxTime", "60"}}),
                                   "\"slurmPartitions\": {\"que\": {\"maxtime\": 5}}")),
            "s.json:14: scheduler.slurmPartitions.que.maxtime: is given in the queue's own settings, or twice");
}

// --- keys that belong to one policy ---

// Slurm has a topology of its own.
TEST(SlurmScenario, NodeChoiceIsRefused) {
  EXPECT_THAT(errors_of(of_scheduler(kOlder, "\"nodeChoice\": \"tree\"")),
              HasSubstr("s.json:14: scheduler.nodeChoice: not with policy \"slurm\"; policies that take it: "));
}

TEST(SlurmScenario, KeysAreRefusedUnderOtherPolicies) {
  const auto easy = [](const std::string& text) {
    return errors_of(replaced(text, "\"policy\": \"slurm\"", "\"policy\": \"easy\""));
  };
  EXPECT_EQ(easy(kOlder), "");
  EXPECT_EQ(easy(of_scheduler(kOlder, "\"slurm\": {}")),
            "s.json:14: scheduler.slurm: not with policy \"easy\"; policies that take it: slurm");
  EXPECT_EQ(easy(of_scheduler(kOlder, "\"slurmVersion\": \"25.05\"")),
            "s.json:14: scheduler.slurmVersion: not with policy \"easy\"; policies that take it: slurm");
  EXPECT_EQ(
      easy(of_cluster(kOlder, kMemory)),
      "s.json:5: cluster.slurmConfiguration.slurmCustomSettings[0].parameterValue: \"SelectTypeParameters\": not with "
      "policy \"easy\"; policies that take it: slurm");
  EXPECT_EQ(easy(of_cluster(kOlder, {{"SelectTypeParameters", "CR_CPU"}})), "");
  EXPECT_THAT(easy(of_group(kOlder, {{"RealMemory", "5000"}})), HasSubstr("\"RealMemory\": not with policy \"easy\""));
  EXPECT_EQ(easy(of_group(kOlder, {{"Weight", "5"}})), "");
  EXPECT_THAT(easy(of_queue(newer(), {{"PriorityTier", "5"}})),
              HasSubstr("\"PriorityTier\": not with policy \"easy\""));
  for (const char* member :
       {"\"tasks\": 2", "\"cpusPerTask\": 2", "\"memoryPerNode\": 100", "\"memoryPerCpu\": 100", "\"stopTime\": 5",
        "\"name\": \"x\"", "\"dependency\": \"afterok:one\"", "\"array\": \"0-3\"", "\"priority\": 5", "\"nice\": -5",
        "\"begin\": 5", "\"hold\": false"}) {
    const std::string text(member);
    const std::string key = text.substr(1, text.find('"', 1) - 1);
    EXPECT_EQ(easy(of_job(kOlder, text)),
              "s.json:17: workload.jobs[1]." + key + ": not with policy \"easy\"; policies that take it: slurm");
  }
  EXPECT_EQ(easy(of_job(kOlder, "\"exitCode\": 1")), "") << "how a job ends is no matter of policies";
  EXPECT_EQ(easy(replaced(kOlder, "{\n", "{ \"operations\": [],\n")), "");
  EXPECT_EQ(easy(replaced(kOlder, "{\n",
                          "{ \"operations\": [{\"at\": 1, \"action\": \"DeleteQueue\", \"queueIdentifier\": \"que\"},\n"
                          "{\"at\": 1, \"action\": \"cancel\", \"job\": \"one\"}],\n")),
            "s.json:2: operations[1].action: \"cancel\": not with policy \"easy\"; policies that take it: slurm");
  EXPECT_THAT(easy(replaced(kOlder, "{\n", R"({ "faults": [{"fault": "node-back", "at": 1, "node": "grp-1"}],)")),
              HasSubstr("s.json:1: faults[0].fault: not with policy"));
}

TEST(SlurmScenario, RefusesThePcsScalersInterval) {
  const std::string text = replaced(kOlder, "{\n", "{ \"scaler\": {\"interval\": 0},\n");
  EXPECT_EQ(
      errors_of(text),
      "s.json:1: scaler.interval: not with policy \"slurm\"; policies that take it: fcfs, easy, easy-sjbf, easy++, "
      "conservative");
  EXPECT_EQ(errors_of(replaced(text, "\"interval\": 0", "\"policy\": \"pcs\", \"suspendTimeout\": 60")), "");
}

TEST(SlurmScenario, ManyRefusalsAreCountedNotShown) {
  std::string jobs;
  for (int i = 0; i < 50; ++i) jobs += "{\"runTime\": 1, \"hold\": true},\n";
  std::string text = replaced(kOlder, "{\"id\": \"one\"", jobs + "{\"id\": \"one\"");
  text = replaced(text, "\"policy\": \"slurm\"", "\"policy\": \"easy\"");
  EXPECT_THAT(errors_of(text), HasSubstr("\ns.json: 40 more keys that this policy does not take"));
}

// --- nodes ---

TEST(SlurmScenario, GivesNodesTheirMemory) {
  const auto group_of = [](const std::string& text) {
    return make_design(parse_scenario(text, "s.json")).spec.groups.at(0);
  };
  EXPECT_EQ(group_of(kOlder).memory, 8192 * 95 / 100);
  EXPECT_EQ(group_of(of_group(kOlder, {{"RealMemory", "5000"}})).memory, 5000);
  EXPECT_EQ(group_of(of_group(kOlder, {{"RealMemory", "8192"}})).memory, 8192);
  try {
    group_of(of_group(kOlder, {{"RealMemory", "8193"}}));
    ADD_FAILURE() << "more memory than there is was taken";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("computeNodeGroups[0] (grp)"), HasSubstr("8193 MiB"), HasSubstr("PCS-16")));
  }
  EXPECT_FALSE(make_design(parse_scenario(kOlder, "s.json")).spec.memory_counts);
  EXPECT_TRUE(make_design(parse_scenario(of_cluster(kOlder, kMemory), "s.json")).spec.memory_counts);
}

constexpr const char* kPool = R"({
  "pool": {"processors": 4},
  "scheduler": {"policy": "slurm"},
  "workload": {"jobs": [{"cpus": 3, "runTime": 60, "timeLimit": 120}, {"cpus": 2, "runTime": 60, "timeLimit": 120}]}
}
)";

TEST(SlurmScenario, MakesAPoolOfNodesOfOneProcessor) {
  const Scenario scenario = parse_scenario(kPool, "s.json");
  const Design design = make_design(scenario);
  ASSERT_EQ(design.spec.groups.size(), 1u);
  EXPECT_EQ(design.spec.groups[0].nodes, 4);
  EXPECT_EQ(design.spec.groups[0].cores, 1);
  EXPECT_EQ(design.node_names(), (std::vector<std::string>{"pool-1", "pool-2", "pool-3", "pool-4"}));
  EXPECT_EQ(design.node_name(NodeId{3}), "pool-4");
  EXPECT_EQ(slurm_conf(scenario).version.number, 2505);
  const Workload workload = load_workload(scenario, design);
  const SimulationResult result = simulate(scenario, design, workload);
  EXPECT_EQ(result.record.jobs().at(0).state, JobState::completed);
  EXPECT_EQ(result.record.shares_of(result.record.jobs().at(0)).size(), 3u);
  EXPECT_GE(result.record.jobs().at(1).start, result.record.jobs().at(0).end);
}

TEST(SlurmScenario, APoolIsAsLargeAsSlurmCanBeAndHasNoMemory) {
  EXPECT_EQ(errors_of(replaced(kPool, "\"processors\": 4", "\"processors\": 65537")),
            "s.json:2: pool.processors: found 65537, but Slurm has at most 65536 nodes, and a pool is nodes of one "
            "processor");
  EXPECT_EQ(errors_of(replaced(replaced(kPool, "\"processors\": 4", "\"processors\": 65537"), "slurm", "easy")), "");
  EXPECT_EQ(errors_of(of_scheduler(kPool, "\"slurm\": {\"SelectTypeParameters\": \"CR_CPU_Memory\"}")),
            "s.json:3: scheduler.slurm.SelectTypeParameters: a pool has no memory; expected CR_CPU");
  EXPECT_EQ(conf_of(of_scheduler(kPool, "\"slurmPartitions\": {\"pool\": {\"MaxTime\": 5}}")).partitions.at(0).max_time,
            300);
}

// --- jobs ---

TEST(SlurmScenario, SaysWhereAJobIsWrong) {
  const auto error = [](const std::string& members) { return errors_of(of_job(kOlder, members)); };
  EXPECT_THAT(error("\"array\": \"3-1\""),
              HasSubstr("s.json:17: workload.jobs[1].array: found \"3-1\", expected numbers"));
  EXPECT_THAT(error("\"dependency\": \"afterik:one\""),
              HasSubstr("s.json:17: workload.jobs[1].dependency: \"afterik\" is no kind of dependency"));
  EXPECT_EQ(error("\"dependency\": \"afterok:three\""),
            "s.json:17: workload.jobs[1].dependency: no job has the id \"three\"");
  EXPECT_EQ(error("\"dependency\": \"afterok:two\""),
            "s.json:17: workload.jobs[1].dependency: \"two\" is not submitted before this job");
  EXPECT_EQ(errors_of(replaced(kOlder, "\"id\": \"one\"", "\"id\": \"one\", \"dependency\": \"afterok:two\"")),
            "s.json:16: workload.jobs[0].dependency: \"two\" is not submitted before this job");
  EXPECT_EQ(
      errors_of(replaced(of_job(kOlder, "\"dependency\": \"afterok:one_2\""), "\"id\": \"one\"",
                         "\"id\": \"one\", \"array\": \"1-3\"")),
      "s.json:17: workload.jobs[1].dependency: \"one_2\" is one task of an array, which is not supported; expected "
      "\"one\"");
  EXPECT_EQ(error("\"dependency\": \"singleton\""), "s.json:17: workload.jobs[1].dependency: singleton needs a name");
  EXPECT_EQ(error("\"tasks\": 2, \"cpus\": 2"), "s.json:17: workload.jobs[1].tasks: not together with cpus");
  EXPECT_THAT(error("\"cpusPerTask\": 2, \"cpus\": 2"),
              HasSubstr("workload.jobs[1].cpusPerTask: not together with cpus"));
  EXPECT_EQ(
      error("\"memoryPerNode\": 100"),
      "s.json:17: workload.jobs[1].memoryPerNode: memory is no resource; it needs SelectTypeParameters CR_CPU_Memory "
      "[PCS-7]");
  EXPECT_EQ(errors_of(of_job(of_cluster(kOlder, kMemory), "\"memoryPerNode\": 100, \"memoryPerCpu\": 5")),
            "s.json:17: workload.jobs[1].memoryPerCpu: not together with memoryPerNode");
  EXPECT_THAT(error("\"priority\": 0"), HasSubstr("found 0, expected an integer from 1 to 4294967294"));
  EXPECT_THAT(error("\"het\": []"), HasSubstr("workload.jobs[1].het: not supported yet"));
}

struct Loaded {
  Design design;
  Workload workload;
};

Loaded load(const std::string& text) {
  const Scenario scenario = parse_scenario(text, "s.json");
  check_policies(scenario);
  Loaded loaded{make_design(scenario), {}};
  loaded.workload = load_workload(scenario, loaded.design);
  return loaded;
}

TEST(SlurmScenario, ExpandsArrays) {
  const Workload w =
      load(of_job(of_job(kOlder, "\"dependency\": \"afterany:one\""), "\"array\": \"5,1-3:2%2\", \"hold\": true"))
          .workload;
  ASSERT_EQ(w.jobs.size(), 4u);
  EXPECT_EQ(w.job_names, (std::vector<std::string>{"one", "two_1", "two_3", "two_5"}));
  EXPECT_EQ(w.jobs[0].request.terms, 0u) << "a job without terms has none";
  ASSERT_EQ(w.terms.size(), 3u);
  for (std::uint32_t t = 0; t < 3; ++t) {
    EXPECT_EQ(w.jobs[t + 1].request.terms, t + 1);
    EXPECT_EQ(w.jobs[t + 1].number, 2u);
    const JobTerms& terms = w.terms[t];
    EXPECT_EQ(terms.array, JobId{1});
    EXPECT_EQ(terms.array_tasks, 3);
    EXPECT_EQ(terms.array_task, static_cast<std::int32_t>(2 * t + 1));
    EXPECT_EQ(terms.array_limit, 2);
    EXPECT_TRUE(terms.held);
    EXPECT_EQ(terms.dependencies, (std::vector<Dependency>{{Dependency::Kind::after_any, JobId{0}, 0}}));
  }
}

TEST(SlurmScenario, RefusesTasksThatHaveAnotherJobsName) {
  const std::string text = replaced(of_job(kOlder, "\"array\": \"1-3\""), "\"id\": \"one\"", "\"id\": \"two_3\"");
  EXPECT_THROW(load(text), InputError);
}

// A dependency is on the job by its place in the order of submission, whatever its place in the file.
TEST(SlurmScenario, DependsOnJobsInTheOrderOfSubmission) {
  std::string text =
      replaced(kOlder, "\"id\": \"one\"", "\"id\": \"one\", \"submit\": 20, \"dependency\": \"after:two+3\"");
  const Workload w = load(of_job(text, "\"array\": \"0-1\"")).workload;
  EXPECT_EQ(w.job_names, (std::vector<std::string>{"two_0", "two_1", "one"}));
  EXPECT_EQ(w.terms.at(2).dependencies, (std::vector<Dependency>{{Dependency::Kind::after, JobId{0}, 3 * kMinute}}));
}

TEST(SlurmScenario, PassesTermsOn) {
  const Workload w = load(of_job(of_cluster(kOlder, kMemory),
                                 "\"priority\": 7, \"nice\": -3, \"begin\": 90, \"requeue\": false, \"name\": \"x\", "
                                 "\"dependency\": \"singleton?afterok:one\", \"stopTime\": \"1h\", \"exitCode\": 3, "
                                 "\"memoryPerCpu\": 700"))
                         .workload;
  const JobTerms& terms = w.terms.at(0);
  EXPECT_EQ(terms.priority, 7u);
  EXPECT_EQ(terms.nice, -3);
  EXPECT_EQ(terms.begin, 90 * kSecond);
  EXPECT_FALSE(terms.requeue);
  EXPECT_EQ(terms.name, 1u);
  EXPECT_TRUE(terms.any_dependency);
  EXPECT_EQ(w.jobs[1].stop_time, 30 * kSecond) << "SIGKILL comes after KillWait";
  EXPECT_EQ(w.jobs[1].outcome, Outcome::failed);
  EXPECT_EQ(w.jobs[1].request.memory_unit, MemoryUnit::per_core);
  EXPECT_EQ(w.jobs[1].request.memory, 700);
  EXPECT_EQ(w.jobs[0].request.memory_unit, MemoryUnit::whole);
}

TEST(SlurmScenario, TakesProcessesThatIgnoreSigtermAwayAfterKillWait) {
  const std::string stubborn = of_job(kOlder, "\"stopTime\": \"1h\"");
  EXPECT_EQ(load(stubborn).workload.jobs[1].stop_time, 30 * kSecond);
  EXPECT_EQ(load(of_scheduler(stubborn, "\"slurm\": {\"KillWait\": 7}")).workload.jobs[1].stop_time, 7 * kSecond);
}

// What a job says itself holds.
TEST(SlurmScenario, RequeuesAsJobRequeueSays) {
  const std::string never = of_scheduler(kOlder, "\"slurm\": {\"JobRequeue\": 0}");
  const auto requeues = [](const std::string& text) {
    const Workload w = load(text).workload;
    const std::uint32_t terms = w.jobs.at(1).request.terms;
    return terms == 0 || w.terms.at(terms - 1).requeue;
  };
  EXPECT_TRUE(requeues(kOlder));
  EXPECT_FALSE(requeues(never));
  EXPECT_TRUE(requeues(of_job(never, "\"requeue\": true")));
  EXPECT_FALSE(requeues(of_job(kOlder, "\"requeue\": false")));
  EXPECT_FALSE(requeues(of_cluster(newer(), {{"JobRequeue", "0"}}))) << "PCS lets users set it";
  const std::string generated =
      R"("workload": {"generator": "lublin", "jobCount": 5, "processors": 4, "map": {"queue": "que"}})";
  const auto from = never.find("\"workload\"");
  const std::string lublin = never.substr(0, from) + generated + "}";
  EXPECT_FALSE(requeues(lublin));
  EXPECT_TRUE(requeues(replaced(lublin, "\"JobRequeue\": 0", "\"JobRequeue\": 1")));
}

TEST(SlurmScenario, TakesDefaultsOfMemoryTheNearestFirst) {
  const std::string memory = of_cluster(kOlder, kMemory);
  const auto request_of = [](const std::string& text) { return load(text).workload.jobs.at(0).request; };
  JobRequest request = request_of(of_scheduler(memory, "\"slurm\": {\"DefMemPerCPU\": 300}"));
  EXPECT_EQ(request.memory_unit, MemoryUnit::per_core);
  EXPECT_EQ(request.memory, 300);
  request = request_of(of_scheduler(
      memory, "\"slurm\": {\"DefMemPerCPU\": 300}, \"slurmPartitions\": {\"que\": {\"DefMemPerNode\": 200}}"));
  EXPECT_EQ(request.memory_unit, MemoryUnit::per_node);
  EXPECT_EQ(request.memory, 200);
  // Without memory as a resource a default changes nothing.
  EXPECT_EQ(request_of(of_scheduler(kOlder, "\"slurm\": {\"DefMemPerCPU\": 300}")).memory_unit, MemoryUnit::whole);
}

struct Layout {
  std::int32_t nodes, cores;
  bool spread;
  std::int32_t tasks, tasks_per_node, cpus_per_task;
  bool operator==(const Layout&) const = default;
};
void PrintTo(const Layout& l, std::ostream* out) {
  *out << l.nodes << " nodes, " << l.cores << " cores, spread " << l.spread << ", " << l.tasks << " tasks, "
       << l.tasks_per_node << " on a node, " << l.cpus_per_task << " each";
}

TEST(SlurmScenario, LaysTasksOutAsSbatchDoes) {
  const auto layout_of = [](const std::string& members) {
    const Workload w = load(of_job(kOlder, members)).workload;
    const JobRequest& r = w.jobs.at(1).request;
    const JobTerms terms = r.terms > 0 ? w.terms.at(r.terms - 1) : JobTerms{};
    return Layout{r.nodes, r.cores, r.spread, terms.tasks, terms.tasks_per_node, terms.cpus_per_task};
  };
  EXPECT_EQ(layout_of("\"user\": \"a\""), (Layout{0, 1, false, 0, 0, 1}));
  EXPECT_EQ(layout_of("\"cpus\": 5"), (Layout{0, 5, false, 0, 0, 1}));
  EXPECT_EQ(layout_of("\"tasks\": 5"), (Layout{0, 5, false, 0, 0, 1}));
  EXPECT_EQ(layout_of("\"nodes\": 3"), (Layout{3, 1, false, 0, 0, 1}));
  EXPECT_EQ(layout_of("\"nodes\": 3, \"tasks\": 5"), (Layout{3, 5, true, 0, 0, 1}));
  EXPECT_EQ(layout_of("\"nodes\": 3, \"cpus\": 5"), (Layout{3, 5, true, 0, 0, 1}));
  EXPECT_EQ(layout_of("\"nodes\": 3, \"tasks\": 2"), (Layout{2, 2, true, 0, 0, 1})) << "no node without a task";
  EXPECT_EQ(layout_of("\"nodes\": 3, \"tasksPerNode\": 2"), (Layout{3, 2, false, 0, 0, 1}));
  EXPECT_EQ(layout_of("\"tasksPerNode\": 2"), (Layout{1, 2, false, 0, 0, 1}));
  EXPECT_EQ(layout_of("\"tasks\": 5, \"tasksPerNode\": 2"), (Layout{0, 5, false, 5, 2, 1}));
  EXPECT_EQ(layout_of("\"nodes\": 3, \"tasks\": 5, \"tasksPerNode\": 2"), (Layout{3, 5, true, 5, 2, 1}));
  EXPECT_EQ(layout_of("\"cpusPerTask\": 2"), (Layout{0, 2, false, 1, 0, 2}));
  EXPECT_EQ(layout_of("\"tasks\": 3, \"cpusPerTask\": 2"), (Layout{0, 6, false, 3, 0, 2}));
  EXPECT_EQ(layout_of("\"nodes\": 3, \"cpusPerTask\": 2"), (Layout{3, 2, false, 0, 1, 2}));
  EXPECT_EQ(layout_of("\"nodes\": 2, \"tasksPerNode\": 2, \"cpusPerTask\": 2"), (Layout{2, 4, false, 0, 2, 2}));
  EXPECT_EQ(layout_of("\"nodes\": 2, \"tasks\": 3, \"cpusPerTask\": 2"), (Layout{2, 6, true, 3, 0, 2}));
  EXPECT_THROW(load(of_job(kOlder, "\"nodes\": 2, \"tasks\": 5, \"tasksPerNode\": 2")), InputError);
  EXPECT_THROW(load(of_job(kOlder, "\"tasks\": 2147483647, \"cpusPerTask\": 2")), InputError);
}

// --- operations and faults ---

std::string with_operations(const std::string& text, const std::string& list) {
  return replaced(text, "  \"scheduler\": {\"policy\"",
                  "  \"operations\": [" + list + "],\n  \"scheduler\": {\"policy\"");
}
std::string with_faults(const std::string& text, const std::string& list) {
  return replaced(text, "  \"scheduler\": {\"policy\"", "  \"faults\": [" + list + "],\n  \"scheduler\": {\"policy\"");
}

std::vector<Disturbance> disturbances(const std::string& text, Time origin = 0) {
  const Scenario scenario = parse_scenario(text, "s.json");
  const Design design = make_design(scenario);
  return disturbances_of(scenario, design, load_workload(scenario, design), origin);
}

std::string failure_of(const std::string& text) {
  try {
    disturbances(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no failure";
}

TEST(SlurmScenario, UpdatesOfPartitionsNameWhatIsThere) {
  for (const std::string setting : {"QOS", "AllowQos", "DenyQos", "AllowAccounts", "DenyAccounts"}) {
    const std::string operation =
        R"({"at": 5, "action": "update", "queue": "que", "settings": {")" + setting + R"(": "x"}})";
    const Scenario scenario = parse_scenario(with_operations(kOlder, operation), "s.json");
    try {
      make_policies(scenario, make_design(scenario));
      ADD_FAILURE() << setting;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("partition que: " + setting + ": no ")) << setting;
    }
  }
}

TEST(SlurmScenario, TurnsOperationsIntoNews) {
  const std::string text =
      with_operations(of_job(kOlder, "\"array\": \"0-1\""),
                      R"({"at": 10, "action": "cancel", "job": "two"}, {"at": 11, "action": "requeue", "job": "two_1"},
         {"at": "1m", "action": "power-down", "node": "grp-[2-3]"}, {"at": 61, "action": "resume", "node": "grp-1"})");
  using Kind = Stimulus::Kind;
  std::vector<std::pair<Time, Stimulus>> found;
  for (const Disturbance& d : disturbances(text, kHour)) found.emplace_back(d.at - kHour, d.stimulus);
  const auto job = [](JobAction action) { return static_cast<std::uint32_t>(action); };
  const auto node = [](NodeAction action) { return static_cast<std::uint32_t>(action); };
  EXPECT_EQ(found,
            (std::vector<std::pair<Time, Stimulus>>{{10 * kSecond, {Kind::job_asked, 1, job(JobAction::cancel)}},
                                                    {10 * kSecond, {Kind::job_asked, 2, job(JobAction::cancel)}},
                                                    {11 * kSecond, {Kind::job_asked, 2, job(JobAction::requeue)}},
                                                    {60 * kSecond, {Kind::node_asked, 1, node(NodeAction::power_down)}},
                                                    {60 * kSecond, {Kind::node_asked, 2, node(NodeAction::power_down)}},
                                                    {61 * kSecond, {Kind::node_asked, 0, node(NodeAction::resume)}}}));
}

TEST(SlurmScenario, TurnsFaultsIntoNewsAndBoots) {
  const std::string text = with_faults(
      kOlder,
      R"({"fault": "node-lost", "at": 5, "node": "grp-2"}, {"fault": "boot-failure", "node": "grp-[1,4]", "times": 2},
                 {"fault": "boot-failure", "node": "grp-3"}, {"fault": "node-back", "at": 9, "node": "grp-2"})");
  const std::vector<Disturbance> found = disturbances(text);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].stimulus, (Stimulus{Stimulus::Kind::node_lost, 1, 0}));
  EXPECT_EQ(found[1].stimulus, (Stimulus{Stimulus::Kind::node_back, 1, 0}));
  EXPECT_EQ(found[1].at, 9 * kSecond);
  const Scenario scenario = parse_scenario(text, "s.json");
  const auto faults = boot_faults_of(scenario, make_design(scenario));
  ASSERT_EQ(faults.size(), 3u);
  EXPECT_EQ(faults[1].node, NodeId{3});
  EXPECT_EQ(faults[1].failures, 2u);
  EXPECT_EQ(faults[2].failures, SimulatedCloud::kAlways);
}

TEST(SlurmScenario, SaysWhichOperationOrFaultIsWrong) {
  const auto operation = [](const std::string& one) { return errors_of(with_operations(kOlder, one)); };
  const auto fault = [](const std::string& one) { return errors_of(with_faults(kOlder, one)); };
  EXPECT_EQ(operation(R"({"at": 1, "action": "cancel"})"),
            "s.json:14: operations[0].job: missing; action cancel needs it");
  EXPECT_EQ(operation(R"({"at": 1, "action": "drain", "job": "one", "node": "grp-1"})"),
            "s.json:14: operations[0].job: not with action drain");
  EXPECT_THAT(operation(R"({"action": "drain", "node": "grp-1"})"), HasSubstr("operations[0].at: missing"));
  EXPECT_THAT(operation(R"({"at": 1, "action": "reboot", "node": "grp-1"})"),
              HasSubstr("operations[0].action: found \"reboot\""));
  EXPECT_EQ(operation(R"({"at": 1, "action": "drain", "node": "grp-[3-1]"})"),
            "s.json:14: operations[0].node: found \"grp-[3-1]\", expected a node or a list such as compute-1-[1-3]");
  EXPECT_EQ(fault(R"({"fault": "node-lost", "node": "grp-1"})"),
            "s.json:14: faults[0].at: missing; fault node-lost needs it");
  EXPECT_EQ(fault(R"({"fault": "boot-failure", "at": 1, "node": "grp-1"})"),
            "s.json:14: faults[0].at: not with fault boot-failure");
  EXPECT_EQ(fault(R"({"fault": "node-back", "at": 1, "node": "grp-1", "times": 1})"),
            "s.json:14: faults[0].times: not with fault node-back");

  const std::string on_pool =
      replaced(kPool, "{\n",
               "{ \"operations\": [{\"at\": 1, \"action\": \"power-down\", \"node\": \"pool-1\"}],\n"
               "\"faults\": [{\"fault\": \"boot-failure\", \"node\": \"pool-1\"}, {\"fault\": \"node-lost\", \"at\": "
               "1, \"node\": \"pool-2\"}],");
  EXPECT_EQ(errors_of(on_pool),
            "s.json:1: operations[0].action: a pool's nodes are always on\n"
            "s.json:2: faults[0].fault: a pool's nodes are always on");

  EXPECT_EQ(failure_of(with_operations(kOlder, R"({"at": 1, "action": "cancel", "job": "three"},
      {"at": 1, "action": "cancel", "job": "two"}, {"at": 1, "action": "drain", "node": "grp-[4-5]"})")),
            "s.json:14: operations[0].job: no job has the id \"three\"\n"
            "s.json:15: operations[1].job: the job \"two\" is submitted only later\n"
            "s.json:15: operations[2].node: no node \"grp-5\"; did you mean \"grp-1\"?");
  EXPECT_THAT(failure_of(with_faults(kOlder, R"({"fault": "boot-failure", "node": "nodes-1"})")),
              HasSubstr("s.json:14: faults[0].node: no node \"nodes-1\""));
}

// --- runs ---

TEST(SlurmScenario, EndsARunInWhichAJobWaitsForEver) {
  const std::string text = of_job(kOlder, "\"hold\": true");
  const Scenario scenario = parse_scenario(text, "s.json");
  const Design design = make_design(scenario);
  const Workload workload = load_workload(scenario, design);
  const SimulationResult result = simulate(scenario, design, workload);
  EXPECT_EQ(result.record.jobs().at(0).state, JobState::completed);
  EXPECT_EQ(result.record.jobs().at(1).state, JobState::pending);
}

TEST(SlurmScenario, WaitsForWhatTimeBrings) {
  const std::string text = of_job(kOlder, "\"begin\": \"30d\", \"dependency\": \"after:one+43200\"");
  const Scenario scenario = parse_scenario(text, "s.json");
  const Design design = make_design(scenario);
  const SimulationResult result = simulate(scenario, design, load_workload(scenario, design));
  EXPECT_EQ(result.record.jobs().at(1).state, JobState::completed);
  EXPECT_GE(result.record.jobs().at(1).start, 30 * 24 * kHour);
}

TEST(SlurmScenario, CarriesOutOperationsAndFaults) {
  std::string text = of_job(kOlder, "\"hold\": true");
  text = replaced(text, "\"id\": \"one\", \"runTime\": 60", "\"id\": \"one\", \"nodes\": 2, \"runTime\": 6000");
  text = with_operations(
      text, R"({"at": 20, "action": "release", "job": "two"}, {"at": 4000, "action": "cancel", "job": "one"})");
  text = with_faults(
      text,
      R"({"fault": "boot-failure", "node": "grp-1", "times": 1}, {"fault": "node-lost", "at": 1000, "node": "grp-3"})");
  const Scenario scenario = parse_scenario(text, "s.json");
  const Design design = make_design(scenario);
  const SimulationResult result = simulate(scenario, design, load_workload(scenario, design));
  const JobRecord& one = result.record.jobs().at(0);
  EXPECT_EQ(one.requeues, 1u) << "its first node did not boot";
  EXPECT_EQ(one.state, JobState::cancelled);
  EXPECT_EQ(one.end, 4000 * kSecond);
  EXPECT_EQ(result.record.jobs().at(1).state, JobState::completed);
}

}  // namespace
}  // namespace headroom
