// What a scenario says of nodes and jobs beyond CPUs and memory: where it may stand, what is refused and where, and
// that a run follows it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/errors.hpp"
#include "models/policies/registry.hpp"
#include "models/policies/slurm/slurm.hpp"
#include "models/report/summary.hpp"
#include "models/simulation.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kScenario = R"({
  "pcsEdition": "2026-08",
  "cluster": {"name": "abc", "size": "SMALL", "scheduler": {"type": "SLURM", "version": "25.05"},
    "slurmConfiguration": {}
  },
  "computeNodeGroups": [
    {"name": "cpu", "slurmConfiguration": {},
     "scalingConfiguration": {"minInstanceCount": 2, "maxInstanceCount": 2},
     "instanceConfigs": [{"instanceType": "c6i.xlarge"}]},
    {"name": "gpu", "slurmConfiguration": {},
     "scalingConfiguration": {"minInstanceCount": 1, "maxInstanceCount": 1},
     "instanceConfigs": [{"instanceType": "g5.12xlarge"}]}
  ],
  "queues": [{"name": "que", "slurmConfiguration": {},
              "computeNodeGroupConfigurations": [{"computeNodeGroupId": "cpu"}, {"computeNodeGroupId": "gpu"}]}],
  "scheduler": {"policy": "slurm"},
  "workload": {"jobs": [
    {"id": "one", "runTime": 60, "timeLimit": 600}
  ]}
}
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "the test looks for text that is not there: " << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}
std::string of_scheduler(const std::string& member, const std::string& text = kScenario) {
  return replaced(text, "\"policy\": \"slurm\"", "\"policy\": \"slurm\", " + member);
}
std::string of_job(const std::string& members, const std::string& text = kScenario) {
  return replaced(text, "\"id\": \"one\"", "\"id\": \"one\", " + members);
}

struct Made {
  Scenario scenario;
  Design design;
  Policies policies;
};
Made made(const std::string& text) {
  Made all{parse_scenario(text, "s.json"), {}, {}};
  check_policies(all.scenario);
  all.design = make_design(all.scenario);
  all.policies = make_policies(all.scenario, all.design);
  return all;
}
std::string errors_of(const std::string& text) {
  try {
    (void)made(text);
    return {};
  } catch (const InputError& error) {
    return error.what();
  }
}

TEST(SlurmResourceScenario, NodesHaveTheGpusOfTheirInstances) {
  const Made all = made(kScenario);
  const slurm::Conf& conf = all.policies.slurm->conf;
  ASSERT_EQ(conf.node_settings.size(), 2u);
  EXPECT_TRUE(conf.node_settings[0].gres.empty());
  EXPECT_THAT(conf.node_settings[1].gres, ElementsAre(slurm::GresPool{"gpu", "", 4}));
  const Made told =
      made(of_scheduler(R"("slurmNodes": {"gpu": {"Gres": "gpu:a10g:2"}, "cpu": {"gres": "scratch:3"}})"));
  EXPECT_THAT(told.policies.slurm->conf.node_settings[0].gres, ElementsAre(slurm::GresPool{"scratch", "", 3}));
  EXPECT_THAT(told.policies.slurm->conf.node_settings[1].gres, ElementsAre(slurm::GresPool{"gpu", "a10g", 2}))
      << "what is said holds, not the catalog";
}

TEST(SlurmResourceScenario, TakesSettingsOfNodesFromPcsAndFromTheScheduler) {
  const std::string text = replaced(kScenario, "\"cpu\", \"slurmConfiguration\": {}",
                                    R"("cpu", "slurmConfiguration": {"slurmCustomSettings": [
                 {"parameterName": "Features", "parameterValue": "fast,ib"},
                 {"parameterName": "MemSpecLimit", "parameterValue": "500"},
                 {"parameterName": "CpuSpecList", "parameterValue": "0"}]})");
  const slurm::NodeSettings node = made(text).policies.slurm->conf.node_settings[0];
  EXPECT_THAT(node.features, ElementsAre("fast", "ib"));
  EXPECT_EQ(node.mem_spec, 500);
  EXPECT_EQ(node.core_spec, 1);
  EXPECT_THAT(errors_of(of_scheduler(R"("slurmNodes": {"cpu": {"Features": "slow"}})", text)),
              HasSubstr("scheduler.slurmNodes.cpu.Features: is given in the group's own settings, or twice"));
  EXPECT_THAT(errors_of(of_scheduler(R"("slurmNodes": {"cpu": {"Sockets": 2}})")),
              HasSubstr("s.json:16: scheduler.slurmNodes.cpu.Sockets: is not followed"));
  EXPECT_THAT(errors_of(of_scheduler(R"("slurmNodes": {"cpu": {"Feature": "a&b"}})")),
              HasSubstr("found \"a&b\", expected words joined by"));
  EXPECT_THAT(errors_of(of_scheduler(R"("slurmNodes": {"cpus": {}})")),
              HasSubstr("scheduler.slurmNodes.cpus: unknown compute node group; known: \"cpu\", \"gpu\""));
  EXPECT_THAT(errors_of(of_scheduler(R"("slurmNodes": {"cpu": {"Gress": "gpu:1"}})")),
              HasSubstr("did you mean \"Gres\"?"));
  EXPECT_THAT(errors_of(replaced(of_scheduler("\"slurmNodes\": {}"), "\"slurm\"", "\"easy\"")),
              HasSubstr("scheduler.slurmNodes: not with policy \"easy\""));
}

TEST(SlurmResourceScenario, TheNetworkIsOfSwitchesAndNodesThatThereAre) {
  const Made all = made(of_scheduler(
      R"("slurmTopology": {"a": {"Nodes": "cpu-[1-2]"}, "b": {"Nodes": "gpu-1"}, "top": {"Switches": "a,b"}})"));
  ASSERT_EQ(all.policies.slurm->conf.topology.size(), 3u);
  EXPECT_EQ(all.policies.slurm->conf.topology[2].switches, "a,b");
  EXPECT_EQ(errors_of(of_scheduler(R"("slurmTopology": {"a": {"Nodes": "cpu-[1-3]"}})")),
            "s.json: scheduler.slurmTopology: a: there is no node \"cpu-3\"");
  EXPECT_THAT(errors_of(of_scheduler(R"("slurmTopology": {"a": {"Node": "cpu-1"}})")),
              HasSubstr("did you mean \"Nodes\"?"));
}

TEST(SlurmResourceScenario, SaysWhereAJobIsWrong) {
  const auto error = [](const std::string& members) { return errors_of(of_job(members)); };
  EXPECT_THAT(error("\"constraint\": \"a&\""), HasSubstr("s.json:18: workload.jobs[0].constraint: found \"a&\""));
  EXPECT_THAT(error("\"gres\": \"gpu:x:y\""), HasSubstr("s.json:18: workload.jobs[0].gres: found \"gpu:x:y\""));
  EXPECT_THAT(error("\"gpus\": \"many\""), HasSubstr("s.json:18: workload.jobs[0].gpus: found \"many\""));
  EXPECT_THAT(error("\"gpusPerNode\": \"a:b:1\""), HasSubstr("s.json:18: workload.jobs[0].gpusPerNode: found"));
  EXPECT_THAT(error("\"gpusPerTask\": \"x\""), HasSubstr("s.json:18: workload.jobs[0].gpusPerTask: found"));
  EXPECT_THAT(error("\"licenses\": \"a:b\""), HasSubstr("s.json:18: workload.jobs[0].licenses: found \"a:b\""));
  EXPECT_THAT(error("\"switches\": \"0\""), HasSubstr("s.json:18: workload.jobs[0].switches: found \"0\""));
  EXPECT_THAT(error("\"exclusive\": \"mcs\""),
              HasSubstr("s.json:18: workload.jobs[0].exclusive: found \"mcs\", expected true, false or \"user\""));
  EXPECT_THAT(error("\"coreSpec\": -1"), HasSubstr("workload.jobs[0].coreSpec"));
  EXPECT_THAT(error("\"het\": []"), HasSubstr("workload.jobs[0].het: not supported yet"));
  EXPECT_EQ(
      error("\"licenses\": \"a|b\", \"gpus\": 2, \"gpusPerNode\": \"2\", \"switches\": 1, \"exclusive\": \"user\""),
      "");
  EXPECT_THAT(errors_of(of_scheduler("\"slurmVersion\": \"24.05\"", of_job("\"licenses\": \"a|b\""))),
              HasSubstr("workload.jobs[0].licenses"));
  EXPECT_EQ(error("\"oversubscribe\": true"), "") << "in a partition that does not share it means nothing";
  for (const char* key : {"constraint", "gpus", "gpusPerNode", "gpusPerTask", "licenses", "switches"}) {
    EXPECT_THAT(errors_of(replaced(of_job("\"" + std::string(key) + "\": \"2\""), "\"slurm\"", "\"easy\"")),
                HasSubstr("workload.jobs[0]." + std::string(key) + ": not with policy \"easy\""))
        << key;
  }
}

TEST(SlurmResourceScenario, PassesOnWhatAJobAsks) {
  const Made all = made(of_job(
      R"("gres": "scratch:1", "gpusPerNode": 2, "gpus": "4", "constraint": "x", "coreSpec": 1, "contiguous": true,
         "spreadJob": true, "overcommit": true, "tasks": 8, "nodes": 2)"));
  ASSERT_EQ(all.policies.slurm->asks.size(), 1u);
  const slurm::Asks& asks = all.policies.slurm->asks[0];
  EXPECT_EQ(asks.gres, "scratch:1,gpu:2");
  EXPECT_EQ(asks.gpus, "4");
  EXPECT_EQ(asks.constraint, "x");
  EXPECT_EQ(asks.core_spec, 1);
  EXPECT_TRUE(asks.contiguous);
  EXPECT_TRUE(asks.spread_job);
  const Workload workload = load_workload(all.scenario, all.design);
  EXPECT_EQ(workload.jobs[0].request.nodes, 2);
  EXPECT_EQ(workload.jobs[0].request.cores, 1) << "overcommitted: a core on each node";
}

TEST(SlurmResourceScenario, NamesNodesThatThereAre) {
  const auto error = [](const std::string& members) { return errors_of(of_job(members)); };
  EXPECT_EQ(error(R"("nodelist": "cpu-[1-2]", "exclude": "gpu-1", "nodes": 2)"), "");
  EXPECT_EQ(
      error(R"("nodelist": "cpu-3")"),
      "s.json:18: workload.jobs: nodelist: found \"cpu-3\", expected a node of the cluster; did you mean \"cpu-1\"?");
  EXPECT_THAT(error(R"("exclude": "abc")"), HasSubstr("workload.jobs: exclude: found \"abc\", expected a node"));
  EXPECT_THAT(error(R"("nodelist": "cpu-[1-2]", "exclude": "cpu-2")"),
              HasSubstr("found \"cpu-2\", which nodelist asks for"));
  EXPECT_THAT(error(R"("nodelist": "cpu-[1-2]", "nodes": 1)"), HasSubstr("found 2 nodes, expected at most nodes = 1"));
  EXPECT_EQ(error(R"("nodelist": "cpu-[1-2]", "cpus": 1)"), "") << "sbatch takes the first";
  EXPECT_THAT(error(R"("nodelist": "cpu-[1-")"), HasSubstr("nodelist: found \"cpu-[1-\", expected a node or a list"));
  EXPECT_THAT(error(R"("prefer": "a&")"), HasSubstr("prefer: found \"a&\": a feature was expected"));
  for (const std::string key : {"nodelist", "exclude", "prefer"}) {
    EXPECT_THAT(errors_of(replaced(of_job("\"" + key + "\": \"cpu-1\""), "\"slurm\"", "\"easy\"")), HasSubstr(key));
  }
  EXPECT_THAT(errors_of(replaced(of_job("\"timeMin\": 60"), "\"slurm\"", "\"easy\"")), HasSubstr("timeMin"));
  const slurm::Asks asks =
      made(of_job(R"("prefer": "x", "timeMin": 61)", of_scheduler(R"("slurmNodes": {"cpu": {"Feature": "x"}})")))
          .scenario.workload.jobs[0]
          .asks;
  EXPECT_EQ(asks.prefer, "x");
  EXPECT_EQ(asks.time_min, 120) << "whole minutes";
}

// With a user who may have reservations.
std::string reserved(const std::string& reservations, const std::string& text = kScenario) {
  return of_scheduler(R"("slurmAccounts": {"a": {}}, "slurmUsers": {"u": {"account": "a"}},
                      "slurmReservations": {)" +
                          reservations + "}",
                      replaced(text, "\"slurmConfiguration\": {}\n  },",
                               "\"slurmConfiguration\": {\"accounting\": {\"mode\": \"STANDARD\"}}\n  },"));
}

TEST(SlurmReservationScenario, SaysWhatIsWrong) {
  const auto error = [](const std::string& settings) { return errors_of(reserved("\"r\": {" + settings + "}")); };
  const std::string user = R"("Users": "u", "Duration": 10, )";
  EXPECT_EQ(error(user + R"("Nodes": "cpu-1", "Flags": "MAINT,IGNORE_JOBS")"), "");
  EXPECT_EQ(error(user + R"("NodeCnt": 2, "PartitionName": "que")"), "");
  EXPECT_THAT(error(user + R"("Nodes": "cpu-1", "Flags": "MAIND")"),
              HasSubstr("slurmReservations.r.Flags: flag \"MAIND\" is not followed; did you mean \"MAINT\"?"));
  EXPECT_THAT(error(user + R"("Nods": "cpu-1")"), HasSubstr("slurmReservations.r.Nods: is not followed; did you mean"));
  EXPECT_EQ(
      error(user + R"("Nodes": "cpu-[1-3]")"),
      "s.json: scheduler.slurmReservations.r.Nodes: found \"cpu-3\", expected a node of the cluster; did you mean "
      "\"cpu-1\"?");
  EXPECT_EQ(error(user + R"("NodeCnt": 9)"),
            "s.json: scheduler.slurmReservations.r: slurmctld refuses it: Requested nodes are busy");
  EXPECT_THAT(error(user + R"("NodeCnt": 1, "PartitionName": "kue")"), HasSubstr("Invalid partition name specified"));
  EXPECT_THAT(error(R"("Users": "u", "StartTime": "now+60", "EndTime": "now+30", "Nodes": "cpu-1")"),
              HasSubstr("Invalid time specified"));
  EXPECT_THAT(error(user + R"("StartTime": "tomorrow", "Nodes": "cpu-1")"),
              HasSubstr("found \"tomorrow\", expected now"));
  EXPECT_THAT(error(R"("Duration": 10, "Nodes": "cpu-1")"), HasSubstr("Users or Accounts are missing"));
  EXPECT_THAT(error(R"("Users": "v", "Duration": 10, "Nodes": "cpu-1")"), HasSubstr("unknown user \"v\""));
  EXPECT_THAT(error(R"("Accounts": "b", "Duration": 10, "Nodes": "cpu-1")"), HasSubstr("unknown account \"b\""));
  EXPECT_THAT(error(user + R"("Licenses": "lic:1", "Flags": "LICENSE_ONLY")"),
              HasSubstr("Invalid license specification"));
  const std::string one = R"("r": {"Users": "u", "Duration": 10, "Nodes": "cpu-1"})";
  EXPECT_EQ(errors_of(reserved(one + R"(, "s": {"Users": "u", "Duration": 10, "Nodes": "cpu-[1-2]"})")),
            "s.json: scheduler.slurmReservations.s: slurmctld refuses it: Requested reservation overlaps with another "
            "reservation");
  EXPECT_THAT(errors_of(replaced(reserved(one), "\"policy\": \"slurm\"", "\"policy\": \"easy\"")),
              HasSubstr("slurmReservations"));
}

TEST(SlurmReservationScenario, JobsNameOneThatIsThere) {
  const std::string text = reserved(R"("maintenance": {"Users": "u", "Duration": 10, "Nodes": "cpu-1"})");
  EXPECT_EQ(errors_of(of_job(R"("reservation": "maintenance", "user": "u")", text)), "");
  EXPECT_THAT(
      errors_of(of_job(R"("reservation": "maintenence", "user": "u")", text)),
      HasSubstr("workload.jobs: reservation: found \"maintenence\", expected one of scheduler.slurmReservations; did "
                "you mean \"maintenance\"?"));
}

TEST(SlurmResourceScenario, AllInOneRun) {
  std::string text = of_scheduler(R"("slurmNodes": {"cpu": {"Features": "small"}, "gpu": {"Features": "large"}},
    "slurm": {"Licenses": "abc:1"})");
  text = replaced(text, R"({"id": "one", "runTime": 60, "timeLimit": 600})",
                  R"({"id": "g1", "runTime": 60, "timeLimit": 600, "gpus": 3},
    {"id": "g2", "runTime": 60, "timeLimit": 600, "gpusPerNode": 2},
    {"id": "f", "submit": 1, "runTime": 60, "timeLimit": 600, "constraint": "small", "cpus": 3},
    {"id": "no", "submit": 2, "runTime": 60, "timeLimit": 600, "constraint": "medium"},
    {"id": "l1", "submit": 100, "runTime": 60, "timeLimit": 600, "licenses": "abc"},
    {"id": "l2", "submit": 100, "runTime": 60, "timeLimit": 600, "licenses": "abc"})");
  const Scenario scenario = parse_scenario(text, "s.json");
  const Design design = make_design(scenario);
  const SimulationResult run = simulate(scenario, design, load_workload(scenario, design));
  const auto& jobs = run.record.jobs();
  ASSERT_EQ(jobs.size(), 6u);
  EXPECT_GE(jobs[1].start, jobs[0].end) << "one GPU is left beside three";
  EXPECT_EQ(jobs[3].state, JobState::rejected);
  EXPECT_EQ(jobs[3].rejection, Rejection::resources);
  EXPECT_GE(jobs[5].start, jobs[4].end) << "there is one licence";
}

// c6i.xlarge has two cores. The third job comes when both have two jobs.
constexpr const char* kSharers = R"({"id": "a", "runTime": 100, "timeLimit": 600, "cpus": 2},
    {"id": "b", "runTime": 100, "timeLimit": 600, "cpus": 2},
    {"id": "c", "submit": 1, "runTime": 100, "timeLimit": 600, "cpus": 2})";

std::string of_one_node(const std::string& member) {
  std::string text = replaced(of_scheduler(member), R"({"id": "one", "runTime": 60, "timeLimit": 600})", kSharers);
  text = replaced(text, R"("minInstanceCount": 2, "maxInstanceCount": 2)",
                  R"("minInstanceCount": 1, "maxInstanceCount": 1)");
  return replaced(text, R"({"computeNodeGroupId": "cpu"}, {"computeNodeGroupId": "gpu"})",
                  R"({"computeNodeGroupId": "cpu"})");
}
SimulationResult run_of(const std::string& text) {
  const Scenario scenario = parse_scenario(text, "s.json");
  check_policies(scenario);
  const Design design = make_design(scenario);
  return simulate(scenario, design, load_workload(scenario, design));
}

TEST(SlurmResourceScenario, JobsShareCoresWhereTheirPartitionSaysSo) {
  const auto run = [](const std::string& share) {
    return run_of(of_one_node(R"("slurmPartitions": {"que": {"OverSubscribe": ")" + share + "\"}}"));
  };
  const SimulationResult alone = run("NO");
  const SimulationResult shared = run("FORCE:2");
  const auto& one = alone.record.jobs();
  const auto& two = shared.record.jobs();
  EXPECT_GE(one[1].start, one[0].end);
  EXPECT_GE(one[2].start, one[1].end);
  EXPECT_LT(two[1].start, two[0].end) << "two jobs on each core";
  EXPECT_GE(two[2].start, two[0].end) << "and no more";
  EXPECT_LT(two[2].start, two[0].end + 10 * kSecond);
  EXPECT_EQ(run("YES:2").digest, alone.digest) << "nobody asks for it";
}

TEST(SlurmResourceScenario, ACoreOfTwoJobsIsUtilisedOnce) {
  const std::string text = of_one_node(R"("slurmPartitions": {"que": {"OverSubscribe": "FORCE:2"}})");
  const Scenario scenario = parse_scenario(text, "s.json");
  const Design design = make_design(scenario);
  const Workload workload = load_workload(scenario, design);
  const SimulationResult run = simulate(scenario, design, workload);
  const Summary s = summarize(run.record, {scenario, design, workload, ""});
  // Two jobs at a time for 100 s, then the third: 200 s of both cores and not 300.
  const HourSplit& cpu = s.by_node_group.at("cpu").hours;
  const double offered = cpu.total - cpu.boot;
  EXPECT_NEAR(s.utilization, 200 / 3600.0 / offered, 1e-9);
  EXPECT_NEAR(s.by_queue.at("que").core_hours, 2 * 300 / 3600.0, 1e-9) << "what the jobs had";
  EXPECT_NEAR(cpu.total, cpu.boot + cpu.busy + cpu.idle, 1e-9);
}

TEST(SlurmResourceScenario, SaysWhatOfSharedCoresIsNotFollowed) {
  const auto of_partition = [](const std::string& name, const std::string& value) {
    return errors_of(of_scheduler("\"slurmPartitions\": {\"que\": {\"" + name + "\": \"" + value + "\"}}"));
  };
  EXPECT_EQ(of_partition("OverSubscribe", "FORCED"),
            "s.json:16: scheduler.slurmPartitions.que.OverSubscribe: found \"FORCED\", expected NO, EXCLUSIVE, YES, "
            "YES:n with n from 2 to 32767, or FORCE or FORCE:n with n from 1");
  EXPECT_EQ(of_partition("PreemptMode", "SUSPEND"),
            "s.json:16: scheduler.slurmPartitions.que.PreemptMode: found \"SUSPEND\", expected OFF, CANCEL or REQUEUE; "
            "SUSPEND and GANG are not followed");
  EXPECT_EQ(errors_of(of_scheduler(R"("slurm": {"PreemptMode": "SUSPEND,GANG"})")),
            "s.json:16: scheduler.slurm.PreemptMode: found \"SUSPEND,GANG\", expected OFF, CANCEL or REQUEUE; SUSPEND "
            "and GANG are not followed");
  EXPECT_THAT(
      errors_of(of_scheduler(R"("slurmQos": {"low": {"PreemptMode": "suspend"}})")),
      HasSubstr(
          "s.json:16: scheduler.slurmQos.low.PreemptMode: found \"suspend\", expected cluster, off, cancel or requeue; "
          "suspend and gang are not followed"));
  const auto update = [](const std::string& from, const std::string& to) {
    const std::string text = of_scheduler("\"slurmPartitions\": {\"que\": {\"OverSubscribe\": \"" + from + "\"}}");
    return errors_of(replaced(text, "  \"workload\"",
                              "  \"operations\": [{\"at\": 60, \"action\": \"update\", \"queue\": \"que\",\n"
                              "    \"settings\": {\"OverSubscribe\": \"" +
                                  to + "\"}}],\n  \"workload\""));
  };
  EXPECT_EQ(update("NO", "EXCLUSIVE"), "");
  EXPECT_THAT(
      update("NO", "FORCE:2"),
      HasSubstr("s.json:18: operations[0].settings.OverSubscribe: found \"FORCE:2\": is not followed: whether a "
                "partition's jobs share CPUs stays as it is at the start"));
  EXPECT_THAT(update("FORCE:2", "NO"), HasSubstr("OverSubscribe=NO is not followed: whether a partition's jobs share"));
}

}  // namespace
}  // namespace headroom
