// Calls of the PCS API in scenarios: what they make of the design, which of them are refused and how that is reported,
// and what is an error of the input.
#include "models/operations.hpp"

#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/errors.hpp"
#include "models/policies/registry.hpp"
#include "models/report/operations_view.hpp"
#include "models/report/summary.hpp"
#include "models/simulation.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

using Kind = ClusterChange::Kind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kDesign = R"({
  "pcsEdition": "EDITION",
  "cluster": {"clusterName": "main", "id": "pcs_main", "size": "SMALL",
              "scheduler": {"type": "SLURM", "version": "VERSION"}},
  "computeNodeGroups": [
    {"computeNodeGroupName": "grp", "id": "pcs_grp", "subnetIds": ["subnet-1"],
     "scalingConfiguration": {"minInstanceCount": 0, "maxInstanceCount": 4},
     "instanceConfigs": [{"instanceType": "c6i.xlarge"}],
     "slurmConfiguration": {"slurmCustomSettings": [{"parameterName": "Weight", "parameterValue": "5"}]}},
    {"computeNodeGroupName": "login", "scalingConfiguration": {"minInstanceCount": 2, "maxInstanceCount": 2},
     "instanceConfigs": [{"instanceType": "c6i.xlarge"}]}],
  "queues": [{"queueName": "que", "id": "pcs_que", "computeNodeGroupConfigurations": [{"computeNodeGroupId": "grp"}]}],
  "scheduler": {"policy": "POLICY"},
  "operations": [
OPERATIONS
  ],
  "workload": {"jobs": [
    {"id": "one", "submit": 0, "runTime": 60, "timeLimit": 100},
    {"id": "two", "submit": "1h", "queue": "QUEUE", "runTime": 60, "timeLimit": 100}]}
})";

std::string filled(std::string text, const std::string& word, const std::string& with) {
  const auto at = text.find(word);
  return at == std::string::npos ? text : text.replace(at, word.size(), with);
}

std::string text_with(const std::string& operations, const std::string& queue = "que",
                      const std::string& policy = "easy", bool newer = false) {
  std::string text = filled(kDesign, "OPERATIONS", operations);
  text = filled(text, "QUEUE", queue);
  text = filled(text, "POLICY", policy);
  text = filled(text, "EDITION", newer ? "2026-08" : "2024-12");
  return filled(text, "VERSION", newer ? "25.11" : "24.05");
}

Scenario scenario_with(const std::string& operations, const std::string& queue = "que",
                       const std::string& policy = "easy", bool newer = false) {
  return parse_scenario(text_with(operations, queue, policy, newer), "s.json");
}

std::string errors_of(const std::string& operations, bool newer = false) {
  try {
    const Scenario scenario = scenario_with(operations, "que", "easy", newer);
    check_policies(scenario);
    make_design(scenario);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

// How the calls were answered: "ok", or the refusal.
std::vector<std::string> answers_to(const std::string& operations, bool newer = false) {
  std::vector<std::string> texts;
  for (const ServiceAnswer& answer : scenario_with(operations, "que", "easy", newer).answers) {
    texts.push_back(answer.accepted() ? "ok" : refusal_text(answer));
  }
  return texts;
}

std::string new_group(const std::string& name, const std::string& more = "", const std::string& type = "c6i.2xlarge") {
  return R"({"at": 60, "action": "CreateComputeNodeGroup", "computeNodeGroupName": ")" + name +
         R"(", "scalingConfiguration": {"minInstanceCount": 1, "maxInstanceCount": 1}, "instanceConfigs": [{"instanceType": ")" +
         type + "\"}]" + more + "}";
}
std::string new_queue(const std::string& name, const std::string& group, const std::string& at = "300") {
  return R"({"at": )" + at + R"(, "action": "CreateQueue", "queueName": ")" + name +
         R"(", "computeNodeGroupConfigurations": [{"computeNodeGroupId": ")" + group + "\"}]}";
}
std::string update(const std::string& group, const std::string& members, const std::string& at = "60") {
  return R"({"at": )" + at + R"(, "action": "UpdateComputeNodeGroup", "computeNodeGroupIdentifier": ")" + group +
         "\", " + members + "}";
}
std::string scaled(int minimum, int maximum) {
  return fmt::format(R"("scalingConfiguration": {{"minInstanceCount": {}, "maxInstanceCount": {}}})", minimum, maximum);
}

TEST(Operations, MakeADesignOfAllThatEverIs) {
  const Scenario scenario =
      scenario_with(new_group("extra") + ",\n" + new_queue("late", "extra") + ",\n" +
                    update("pcs_grp", scaled(0, 6), "1") + ",\n" + update("grp", scaled(2, 2), "200"));
  const Design design = make_design(scenario);
  EXPECT_EQ(design.queue_names, (std::vector<std::string>{"que", "late"}));
  ASSERT_EQ(design.spec.groups.size(), 3u);
  EXPECT_EQ(design.spec.groups[0].nodes, 6) << "the most it ever has";
  EXPECT_EQ(design.spec.groups[0].present, 4);
  EXPECT_EQ(design.spec.groups[0].supply, Supply::dynamic);
  EXPECT_EQ(design.spec.groups[1].supply, Supply::fixed);
  EXPECT_EQ(design.spec.groups[1].present, -1) << "it never changes";
  EXPECT_EQ(design.groups[2].name, "extra");
  EXPECT_EQ(design.spec.groups[2].nodes, 1);
  EXPECT_EQ(design.spec.groups[2].present, 0);
  EXPECT_EQ(design.spec.groups[2].kept, 0) << "until it is there";
  EXPECT_EQ(design.spec.groups[2].supply, Supply::dynamic) << "static, but not from the start to the end";
  EXPECT_TRUE(design.spec.queues[0].open);
  EXPECT_FALSE(design.spec.queues[1].open);
  EXPECT_THAT(design.spec.queues[1].groups, IsEmpty());
  EXPECT_THAT(design.spec.changes,
              ElementsAre(ClusterChange{.kind = Kind::resize, .group = GroupId{0}, .nodes = 6},
                          ClusterChange{.kind = Kind::resize, .group = GroupId{2}, .nodes = 1, .kept = 1},
                          ClusterChange{.kind = Kind::resize, .group = GroupId{0}, .nodes = 2, .kept = 2},
                          ClusterChange{.kind = Kind::serve, .queue = QueueId{1}, .groups = {GroupId{2}}},
                          ClusterChange{.kind = Kind::open, .queue = QueueId{1}}));
}

TEST(Operations, WithoutCallsTheDesignIsAsItWas) {
  const Design design = make_design(scenario_with(""));
  EXPECT_THAT(design.spec.changes, IsEmpty());
  for (const NodeGroupSpec& group : design.spec.groups) EXPECT_EQ(group.present, -1);
  EXPECT_EQ(design.spec.groups[1].supply, Supply::fixed);
}

TEST(Operations, BecomeNewsAtTheirTimes) {
  const Scenario scenario = scenario_with(
      R"({"at": 10, "action": "UpdateQueue", "queueIdentifier": "pcs_que", "clusterIdentifier": "pcs_main"})");
  const Design design = make_design(scenario);
  const std::vector<Disturbance> found = disturbances_of(scenario, design, load_workload(scenario, design), 5 * kHour);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].at, 5 * kHour + 10 * kSecond);
  EXPECT_EQ(found[0].stimulus, (Stimulus{Stimulus::Kind::cluster_changed, 0, 0}));
  EXPECT_EQ(found[1].at, 5 * kHour + 130 * kSecond) << "pcs.updateQueueTime";
  EXPECT_EQ(found[1].stimulus, (Stimulus{Stimulus::Kind::cluster_changed, 1, 0}));
}

TEST(Operations, AreAnsweredInTheOrderOfTime) {
  EXPECT_THAT(answers_to(R"({"at": 20, "action": "DeleteQueue", "queueIdentifier": "que"},
                            {"at": 10, "action": "UpdateQueue", "queueIdentifier": "que"})"),
              ElementsAre("ok", "ConflictException [PCS-9]: the queue que is UPDATING"));
}

TEST(Operations, ThatBreakRulesAreRefusedNotErrors) {
  const auto validation = [](const std::string& text) { return "ValidationException " + text; };
  EXPECT_THAT(
      answers_to(new_group("2nd")),
      ElementsAre(validation("[PCS-10]: found \"2nd\", expected 3 to 25 letters, digits or hyphens, a letter first")));
  EXPECT_THAT(answers_to(new_queue("q", "grp")), ElementsAre(HasSubstr("ValidationException [PCS-30]: found \"q\"")));
  EXPECT_THAT(answers_to(update("grp", scaled(1, 4))), ElementsAre(HasSubstr("ValidationException [PCS-11]: minInst")));
  EXPECT_THAT(answers_to(update("grp", scaled(1, 4)), true), ElementsAre("ok")) << "a mix, edition 2026-08";
  EXPECT_THAT(answers_to(new_group("extra", "", R"(c6i.xlarge"}, {"instanceType": "c6i.2xlarge)")),
              ElementsAre(HasSubstr("ValidationException [PCS-12]: c6i.xlarge")));
  EXPECT_THAT(answers_to(update("grp", R"("instanceConfigs": [{"instanceType": "c6i.large"}])")),
              ElementsAre(validation("[PCS-13]: name and instance types of a group cannot change")));
  EXPECT_THAT(answers_to(update("grp", R"("computeNodeGroupName": "other")")), ElementsAre(HasSubstr("[PCS-13]")));
  EXPECT_THAT(
      answers_to(update("none", scaled(0, 1))),
      ElementsAre("ResourceNotFoundException [PCS-10]: there is no compute node group none in the cluster main"));
  EXPECT_THAT(answers_to(update("grp", scaled(0, 31))),
              ElementsAre(HasSubstr("ServiceQuotaExceededException [PCS-3]")));
  EXPECT_THAT(answers_to(new_queue("late", "login", "1") + ", " + new_queue("later", "extra")),
              ElementsAre("ok", HasSubstr("ResourceNotFoundException [PCS-30]")));
  const std::string cluster = R"({"at": 1, "action": "CreateCluster", "clusterName": "NAME", "size": "LARGE",
      "networking": {"subnetIds": ["subnet-1"]}, "scheduler": {"type": "SLURM", "version": "23.11"}})";
  EXPECT_THAT(answers_to(filled(cluster, "NAME", "second")), ElementsAre("ok"));
  EXPECT_THAT(answers_to(filled(cluster, "NAME", "main")), ElementsAre(HasSubstr("ConflictException [PCS-1]")));
  EXPECT_THAT(answers_to(filled(cluster, "NAME", "x")), ElementsAre(HasSubstr("ValidationException [PCS-1]")));
  EXPECT_THAT(answers_to(filled(filled(cluster, "NAME", "second"), "23.11", "22.05")),
              ElementsAre(HasSubstr("ValidationException [PCS-2]")));
  const std::string idle =
      R"({"at": 1, "action": "UpdateCluster", "slurmConfiguration": {"scaleDownIdleTimeInSeconds": 0}})";
  EXPECT_THAT(answers_to(idle, true), ElementsAre(HasSubstr("ValidationException [PCS-6]")));
  EXPECT_THAT(answers_to(R"({"at": 1, "action": "UpdateCluster"})"), ElementsAre(HasSubstr("ValidationException: ")));
  EXPECT_THAT(answers_to(R"({"at": 1, "action": "DeleteCluster"})"),
              ElementsAre(HasSubstr("ConflictException [PCS-8]")));
}

TEST(Operations, QuotasAreThoseOfTheEdition) {
  std::string many;
  for (int n = 0; n < 10; ++n) many += (n == 0 ? "" : ",\n") + new_queue("late-" + std::to_string(n), "grp");
  EXPECT_THAT(answers_to(many), ::testing::Each("ok"));
  EXPECT_THAT(answers_to(many, true)[8], "ok");
  EXPECT_THAT(answers_to(many, true)[9], HasSubstr("ServiceQuotaExceededException: there are 10 queues"));
}

TEST(Operations, ReplaceWhatRunningNodesHaveFromTheirLaunch) {
  for (const std::string member :
       {R"("amiId": "ami-2")", R"("iamInstanceProfileArn": "arn:aws:iam::1:instance-profile/AWSPCS-2")",
        R"("customLaunchTemplate": {"id": "lt-2", "version": "2"})", R"("nodeLifecycleActions": {"stages": {}})",
        R"("slurmConfiguration": {"slurmCustomSettings": [{"parameterName": "Weight", "parameterValue": "5"}]})"}) {
    EXPECT_THAT(make_design(scenario_with(update("grp", member))).spec.changes,
                ElementsAre(ClusterChange{.kind = Kind::replace, .group = GroupId{0}}))
        << member;
  }
  for (const std::string member : {R"("spotOptions": {"allocationStrategy": "lowest-price"})",
                                   R"("subnetIds": ["subnet-1"])", R"("purchaseOption": "ONDEMAND")"}) {
    EXPECT_THAT(make_design(scenario_with(update("grp", member))).spec.changes, IsEmpty()) << member;
  }
}

TEST(Operations, GiveGroupsAnIdleTimeUnderAnyPolicy) {
  const std::string idle = R"("slurmConfiguration": {"scaleDownIdleTimeInSeconds": 30})";
  const std::string calls = update("grp", idle) + ", " + new_group("extra", ", " + idle);
  EXPECT_EQ(errors_of(calls, true), "");
  EXPECT_THAT(make_design(scenario_with(calls, "que", "easy", true)).spec.changes,
              ElementsAre(ClusterChange{.kind = Kind::idle_time, .group = GroupId{0}, .idle_time = 30 * kSecond},
                          ClusterChange{.kind = Kind::resize, .group = GroupId{2}, .nodes = 1, .kept = 1},
                          ClusterChange{.kind = Kind::idle_time, .group = GroupId{2}, .idle_time = 30 * kSecond}));
  EXPECT_THAT(errors_of(calls), HasSubstr("an idle time of a group needs pcsEdition 2026-08 [PCS-6]"));
}

TEST(Operations, ThatAreMalformedAreErrors) {
  EXPECT_EQ(errors_of(R"({"at": 1, "action": "CreateComputeNodeGroup"})"),
            "s.json:15: operations[0].computeNodeGroupName: missing; action CreateComputeNodeGroup needs it\n"
            "s.json:15: operations[0].scalingConfiguration: missing; action CreateComputeNodeGroup needs it\n"
            "s.json:15: operations[0].instanceConfigs: missing; action CreateComputeNodeGroup needs it");
  EXPECT_EQ(
      errors_of(R"({"at": 1, "action": "DeleteQueue", "queueIdentifier": "que", "queueName": "q", "node": "grp-1"})"),
      "s.json:15: operations[0].node: not with action DeleteQueue\n"
      "s.json:15: operations[0].queueName: not with action DeleteQueue");
  EXPECT_EQ(errors_of(R"({"at": 1, "action": "UpdateQueue", "queueIdentifer": "que"})"),
            "s.json:15: operations[0].queueIdentifer: unknown key; did you mean \"queueIdentifier\"?\n"
            "s.json:15: operations[0].queueIdentifier: missing; action UpdateQueue needs it");
  EXPECT_EQ(errors_of(update("grp", R"("scalingConfiguration": {"minInstanceCount": 0})")),
            "s.json:15: operations[0].scalingConfiguration.maxInstanceCount: missing; expected an integer from 0 to "
            "2147483647");
  EXPECT_EQ(errors_of(R"({"at": 1, "action": "drain", "node": "grp-1", "fails": true})"),
            "s.json:15: operations[0].fails: not with action drain");
  EXPECT_THAT(errors_of(new_group("extra", "", "c6i.huge")),
              HasSubstr("s.json: operations[0] (extra): no instance type \"c6i.huge\""));
  EXPECT_EQ(errors_of(R"({"at": 1, "action": "drain", "node": "grp-1"})"),
            "s.json:15: operations[0].action: \"drain\": not with policy \"easy\"; policies that take it: slurm");
}

TEST(Operations, ThatAreNotFollowedAreErrors) {
  const auto not_followed = [](const std::string& key, const std::string& what) {
    return "s.json:15: operations[0]." + key + ": PCS takes it, but " + what + " is not followed here";
  };
  EXPECT_EQ(errors_of(update("grp", R"("subnetIds": ["subnet-1", "subnet-2"])")),
            not_followed("subnetIds", "a change of subnets in mid-run"));
  const std::string weight =
      R"("slurmConfiguration": {"slurmCustomSettings": [{"parameterName": "Weight", "parameterValue": "6"}]})";
  EXPECT_EQ(errors_of(update("grp", weight)),
            not_followed("slurmConfiguration", "a change of the nodes' settings in mid-run"));
  const std::string version =
      R"({"at": 1, "action": "UpdateCluster", "scheduler": {"type": "SLURM", "version": "VERSION"}})";
  EXPECT_EQ(errors_of(filled(version, "VERSION", "25.05"), true),
            not_followed("scheduler", "another version in mid-run"));
  EXPECT_EQ(errors_of(filled(version, "VERSION", "25.11"), true), "");
  const std::string deleted =
      R"({"at": 1, "action": "DeleteComputeNodeGroup", "computeNodeGroupIdentifier": "login"}, )";
  const std::string again = filled(filled(new_group("login", "", "c6i.large"), "60", "200"), "\"minInstanceCount\": 1",
                                   "\"minInstanceCount\": 0");
  EXPECT_EQ(errors_of(deleted + again),
            "s.json:15: operations[1]: \"login\" was there before and was another one, which is not followed here; "
            "expected the same again, or another name");
  EXPECT_EQ(errors_of(deleted + filled(again, "c6i.large", "c6i.xlarge")), "");
}

TEST(Operations, OfAPoolAreNone) {
  const std::string pool = R"({"pool": {"processors": 4},
    "operations": [{"at": 1, "action": "DeleteQueue", "queueIdentifier": "que"}],
    "workload": {"jobs": [{"runTime": 1}]}})";
  try {
    parse_scenario(pool, "s.json");
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "s.json:2: operations[0].action: a pool has no control plane");
  }
}

TEST(Operations, JobsMayNameAQueueFromItsCallOn) {
  const auto problem = [](const std::string& at) -> std::string {
    const Scenario scenario = scenario_with(new_queue("late", "grp", at), "late");
    const Design design = make_design(scenario);
    try {
      disturbances_of(scenario, design, load_workload(scenario, design), 0);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(problem("3600"), "");
  EXPECT_EQ(problem("3601"), "s.json:19: workload.jobs: queue: the queue \"late\" is created only later");
  EXPECT_THROW(scenario_with("", "late"), InputError) << "nobody creates it";
}

// A queue that is created later is there, but closed; so is one whose creation is refused.
TEST(Operations, GoWithEveryPolicy) {
  for (const PolicyEntry& policy : scheduler_policies()) {
    for (const std::string group : {"grp", "none"}) {
      const Scenario scenario =
          scenario_with(new_group("extra") + ", " + new_queue("late", group), "late", std::string(policy.name));
      const Design design = make_design(scenario);
      ASSERT_EQ(design.queue_names.back(), "late");
      EXPECT_NO_THROW(make_policies(scenario, design)) << policy.name;
      EXPECT_EQ(design.node_names().back(), "extra-1");
    }
  }
}

TEST(Operations, AreReported) {
  const Scenario scenario =
      scenario_with(update("grp", scaled(0, 40)) + ", " +
                    R"({"at": 90.5, "action": "DeleteComputeNodeGroup", "computeNodeGroupIdentifier": "grp"},
      {"at": 100, "action": "CreateCluster", "clusterName": "second", "size": "SMALL",
       "scheduler": {"type": "SLURM", "version": "24.05"}})");
  const Design design = make_design(scenario);
  const Workload workload = load_workload(scenario, design);
  const SimulationResult result = simulate(scenario, design, workload, {});
  const RunContext context{scenario, design, workload, result.digest};
  const Summary summary = summarize(result.record, context);
  const auto json = nlohmann::json::parse(summary_json(summary, result.record, context));
  ASSERT_EQ(json["operations"].size(), 3u);
  EXPECT_EQ(json["operations"][1], nlohmann::json::parse(R"({"time_s": 90.5, "action": "DeleteComputeNodeGroup",
      "target": "grp", "accepted": false, "error": "ConflictException", "rule": "PCS-21",
      "message": "the compute node group grp is in the queue que"})"));
  EXPECT_EQ(json["operations"][2]["states"], nlohmann::json::parse(R"([{"time_s": 100, "state": "CREATING"},
      {"time_s": 400, "state": "ACTIVE"}])"));
  const std::string table = summary_table(summary, context);
  EXPECT_THAT(table,
              HasSubstr("refused            UpdateComputeNodeGroup grp at 0:01:00: ServiceQuotaExceededException "
                        "[PCS-3]: maxInstanceCount 40 and 2 of the other compute node groups are over the 32"));
  EXPECT_THAT(table, ::testing::Not(HasSubstr("second"))) << "it was accepted";
  EXPECT_EQ(operations_table(scenario.answers, 0, 100 * kSecond),
            "    TIME_S ACTION                 TARGET ANSWER\n"
            "        60 UpdateComputeNodeGroup grp    ServiceQuotaExceededException [PCS-3]: maxInstanceCount 40 and 2 "
            "of the "
            "other compute node groups are over the 32 instances of the cluster's size\n"
            "      90.5 DeleteComputeNodeGroup grp    ConflictException [PCS-21]: the compute node group grp is in the "
            "queue que\n"
            "       100 CreateCluster          second CREATING 100\n");
}

TEST(OperationsPage, HoldsAnExampleWithTheAnswersThatItPrints) {
  std::ifstream file(std::string(HEADROOM_SOURCE_DIR) + "/docs/operations.md");
  std::stringstream text;
  text << file.rdbuf();
  const std::string page = text.str();
  const auto block = [&](const std::string& fence) {
    const auto at = page.find(fence) + fence.size();
    return page.substr(at, page.find("```", at) - at);
  };
  const Scenario scenario = parse_scenario(block("```json\n"), "docs/operations.md");
  EXPECT_NO_THROW(make_design(scenario));
  EXPECT_EQ(
      "$ headroom run afternoon.json --at 19h --show operations\n" + operations_table(scenario.answers, 0, 19 * kHour),
      block("```console\n"));
}

}  // namespace
}  // namespace headroom
