// The scenario format: every rule and kind of key with an input that breaks it and one that keeps it, the
// exact message with its line, what the command line changes, the worst inputs, and the published forms of
// the table.
#include "models/scenario/scenario.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/errors.hpp"
#include "models/scenario/document.hpp"
#include "models/scenario/options.hpp"

namespace headroom {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBase = R"({
  "name": "base",
  "region": "us-east-2",
  "cluster": {
    "clusterName": "get-started",
    "scheduler": {"type": "SLURM", "version": "24.05"},
    "size": "SMALL"
  },
  "computeNodeGroups": [
    {
      "computeNodeGroupName": "login",
      "id": "pcs_login1",
      "scalingConfiguration": {"minInstanceCount": 1, "maxInstanceCount": 1},
      "instanceConfigs": [{"instanceType": "c6i.xlarge"}]
    },
    {
      "computeNodeGroupName": "compute-1",
      "scalingConfiguration": {"minInstanceCount": 0, "maxInstanceCount": 4},
      "instanceConfigs": [{"instanceType": "c6i.xlarge"}]
    }
  ],
  "queues": [
    {"queueName": "demo", "computeNodeGroupConfigurations": [{"computeNodeGroupId": "compute-1"}]}
  ],
  "workload": {
    "jobs": [
      {"id": "one", "runTime": 60},
      {"id": "two", "submit": "5m", "nodes": 4, "exclusive": true, "timeLimit": "1h", "runTime": "1.5m"}
    ]
  }
}
)";

constexpr const char* kPool = R"({
  "pool": {"processors": 100},
  "workload": {"trace": "kth.swf"}
}
)";

// What parsing says; empty when the scenario is accepted.
std::string errors_of(const std::string& text, const ScenarioOverrides& overrides = {}) {
  try {
    parse_scenario(text, "s.json", overrides);
    return {};
  } catch (const InputError& error) {
    return error.what();
  }
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << "the test looks for text that is not there: " << from;
  if (at != std::string::npos) text.replace(at, from.size(), to);
  return text;
}

std::string with_root_key(const std::string& text, const std::string& member) {
  return replaced(text, "{\n", "{ " + member + ",\n");
}

std::string read_file(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

struct Case {
  const char* name;
  const char* from;    // text of the base scenario ...
  const char* to;      // ... and what takes its place
  const char* errors;  // the whole message; "" when it is fine
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.name; }

class OfCluster : public testing::TestWithParam<Case> {};
class OfPool : public testing::TestWithParam<Case> {};
const auto kCaseName = [](const testing::TestParamInfo<Case>& info) { return std::string(info.param.name); };

TEST_P(OfCluster, SaysExactlyWhatIsWrong) {
  EXPECT_EQ(errors_of(replaced(kBase, GetParam().from, GetParam().to)), GetParam().errors);
}

TEST_P(OfPool, SaysExactlyWhatIsWrong) {
  EXPECT_EQ(errors_of(replaced(kPool, GetParam().from, GetParam().to)), GetParam().errors);
}

// Answers of the API have one outermost key: it may stay.
TEST(Scenario, TakesWhatTheApiPrintsAsItIs) {
  const Scenario scenario = parse_scenario(R"({
    "cluster": {"cluster": {"name": "big-one", "id": "pcs_1", "arn": "a", "status": "ACTIVE", "createdAt": "2026-11-20",
                            "modifiedAt": "2026-11-20", "scheduler": {"type": "SLURM", "version": "25.05"},
                            "size": "SMALL", "networking": {}}},
    "computeNodeGroups": [{"computeNodeGroup": {"name": "grp", "id": "pcs_2", "arn": "a", "clusterId": "pcs_1",
                            "scalingConfiguration": {"minInstanceCount": 1, "maxInstanceCount": 3},
                            "instanceConfigs": [{"instanceType": "c6i.xlarge"}]}}],
    "queues": [{"queue": {"name": "que", "id": "pcs_3", "arn": "a", "clusterId": "pcs_1",
                          "computeNodeGroupConfigurations": [{"computeNodeGroupId": "pcs_2"}]}}],
    "workload": {"jobs": [{"runTime": 1}]}})",
                                           "s.json");
  EXPECT_EQ(scenario.cluster.name, "big-one");
  EXPECT_EQ(scenario.groups.at(0).name, "grp");
  EXPECT_EQ(scenario.groups.at(0).min_instances, 1);
  EXPECT_EQ(scenario.queues.at(0).groups, std::vector<std::size_t>{0});
  EXPECT_EQ(scenario.pcs_edition, "2026-08") << "Slurm 25.05 is of that edition only";
}

TEST(Scenario, TakesTheEditionThatIsGivenBeforeTheOneThatTheVersionMeans) {
  const std::string newer = replaced(kBase, "\"24.05\"", "\"25.05\"");
  EXPECT_EQ(errors_of(newer), "");
  EXPECT_THAT(errors_of(with_root_key(newer, "\"pcsEdition\": \"2024-12\"")),
              testing::HasSubstr("in edition 2024-12 [PCS-2]"));
}

#define DURATION_FORMS R"(, such as 90, "90s", "15m", "2h" or "7d")"

INSTANTIATE_TEST_SUITE_P(
    Types, OfCluster,
    testing::Values(
        Case{"AsItIs", "base", "base", ""},
        Case{"IntegerTooSmall", "\"minInstanceCount\": 0", "\"minInstanceCount\": -1",
             "s.json:18: computeNodeGroups[1].scalingConfiguration.minInstanceCount: found -1, expected an "
             "integer "
             "from 0 to 2147483647"},
        Case{"IntegerTooLarge", "\"maxInstanceCount\": 4", "\"maxInstanceCount\": 2147483648",
             "s.json:18: computeNodeGroups[1].scalingConfiguration.maxInstanceCount: found 2147483648, "
             "expected an "
             "integer from 0 to 2147483647"},
        Case{"IntegerWithFraction", "\"maxInstanceCount\": 4", "\"maxInstanceCount\": 4.5",
             "s.json:18: computeNodeGroups[1].scalingConfiguration.maxInstanceCount: found 4.5, expected an "
             "integer "
             "from 0 to 2147483647"},
        Case{"IntegerWrittenAsDecimal", "\"maxInstanceCount\": 4", "\"maxInstanceCount\": 4.0", ""},
        Case{"IntegerAsText", "\"maxInstanceCount\": 4", "\"maxInstanceCount\": \"4\"",
             "s.json:18: computeNodeGroups[1].scalingConfiguration.maxInstanceCount: found \"4\", expected "
             "an integer "
             "from 0 to 2147483647"},
        Case{"IntegerBeyond64Bits", "\"name\": \"base\"", "\"seed\": 18446744073709551616",
             "s.json:2: seed: found 1.8446744073709552e+19, expected an integer from 0 to "
             "9223372036854775807"},
        Case{"SeedLargest", "\"name\": \"base\"", "\"seed\": 9223372036854775807", ""},
        Case{"StringExpected", "\"base\"", "[]", "s.json:2: name: found an array, expected a string"},
        Case{"NullIsNoString", "\"base\"", "null", "s.json:2: name: found null, expected a string"},
        Case{"StringEmpty", "\"us-east-2\"", "\"\"",
             "s.json:3: region: found \"\", expected a string that is not empty"},
        Case{"StringWithControls", "\"base\"", "\"a\\u0007b\"",
             "s.json:2: name: found \"a\\u0007b\", expected no control characters"},
        Case{"StringWithUmlauts", "\"base\"", "\"größe\"", ""},
        Case{"LongTextIsCut", "\"SMALL\"", "\"0123456789012345678901234567890123456789012345678901234567890123456789\"",
             "s.json:7: cluster.size: found "
             "\"012345678901234567890123456789012345678901234567890123456789\"..., "
             "expected \"SMALL\", \"MEDIUM\" or \"LARGE\""},
        Case{"ObjectExpected", "{\"type\": \"SLURM\", \"version\": \"24.05\"}", "\"SLURM\"",
             "s.json:6: cluster.scheduler: found \"SLURM\", expected an object"},
        Case{"ArrayExpected", "[{\"instanceType\": \"c6i.xlarge\"}]", "{\"instanceType\": \"c6i.xlarge\"}",
             "s.json:14: computeNodeGroups[0].instanceConfigs: found an object, expected an array of at "
             "least 1 "
             "element"},
        Case{"ArrayTooShort", "[{\"instanceType\": \"c6i.xlarge\"}]", "[]",
             "s.json:14: computeNodeGroups[0].instanceConfigs: found 0 elements, expected an array of at "
             "least 1 "
             "element"},
        Case{"ChoiceNear", "\"SMALL\"", "\"Smal\"",
             "s.json:7: cluster.size: found \"Smal\", expected \"SMALL\", \"MEDIUM\" or \"LARGE\"; did you "
             "mean "
             "\"SMALL\"?"},
        Case{"ChoiceFar", "\"SMALL\"", "\"XXL\"",
             "s.json:7: cluster.size: found \"XXL\", expected \"SMALL\", \"MEDIUM\" or \"LARGE\""},
        Case{"BooleanExpected", "\"exclusive\": true", "\"exclusive\": 1",
             "s.json:28: workload.jobs[1].exclusive: found \"1\", expected true, false or \"user\""},
        Case{"DurationNegative", "\"runTime\": 60", "\"runTime\": -0.5",
             "s.json:27: workload.jobs[0].runTime: found -0.5, expected a duration from 0 s to 315360000 "
             "s" DURATION_FORMS},
        Case{"DurationUnit", "\"5m\"", "\"5 weeks\"",
             "s.json:28: workload.jobs[1].submit: found \"5 weeks\", expected a duration from 0 s to "
             "10000000000 "
             "s" DURATION_FORMS},
        Case{"DurationTooLong", "\"runTime\": 60", "\"runTime\": 1e300",
             "s.json:27: workload.jobs[0].runTime: found 1e+300, expected a duration from 0 s to 315360000 "
             "s" DURATION_FORMS},
        Case{"DurationZeroWhereOver", "\"timeLimit\": \"1h\"", "\"timeLimit\": 0",
             "s.json:28: workload.jobs[1].timeLimit: found 0, expected a duration over 0 s, up to 315360000 "
             "s" DURATION_FORMS},
        Case{"DurationOfAMicrosecond", "\"timeLimit\": \"1h\"", "\"timeLimit\": 0.000001", ""},
        Case{"UnknownKeyNear", "\"cluster\"", "\"clusterr\"",
             "s.json:1: cluster: missing; expected an object, or pool in its place\n"
             "s.json:4: clusterr: unknown key; did you mean \"cluster\"?"},
        Case{"UnknownKeyOtherCase", "\"runTime\": 60", "\"runTime\": 60, \"tasks_per_node\": 1",
             "s.json:27: workload.jobs[0].tasks_per_node: unknown key; did you mean \"tasksPerNode\"?"},
        Case{"UnknownKeyFar", "\"type\": \"SLURM\"", "\"type\": \"SLURM\", \"zzzzzzzzz\": 1",
             "s.json:6: cluster.scheduler.zzzzzzzzz: unknown key; known: \"type\", \"version\""},
        Case{"UnknownKeyUnprintable", "\"type\": \"SLURM\"", "\"type\": \"SLURM\", \"\\u001b[2J\": 1",
             "s.json:6: cluster.scheduler.\"\\u001b[2J\": unknown key; known: \"type\", \"version\""},
        Case{"KeyGivenTwice", "\"region\"", "\"name\"", "s.json:3: name: given twice, first in line 2"},
        Case{"KeyGivenTwiceBelow", "\"minInstanceCount\": 0", "\"maxInstanceCount\": 0",
             "s.json:18: computeNodeGroups[1].scalingConfiguration.maxInstanceCount: given twice, first in "
             "line 18\n"
             "s.json:18: computeNodeGroups[1].scalingConfiguration.minInstanceCount: missing; expected an "
             "integer "
             "from 0 to 2147483647"},
        Case{"Missing", ", \"maxInstanceCount\": 4", "",
             "s.json:18: computeNodeGroups[1].scalingConfiguration.maxInstanceCount: missing; expected an "
             "integer "
             "from 0 to 2147483647"},
        Case{"SchemaKey", "\"name\": \"base\"", "\"$schema\": \"schema.json\", \"description\": \"d\"", ""}),
    kCaseName);

INSTANTIATE_TEST_SUITE_P(
    Rules, OfCluster,
    testing::Values(
        Case{"Pcs1Letters", "get-started", "get_started",
             "s.json:5: cluster.clusterName: found \"get_started\", expected 3 to 40 letters, digits or "
             "hyphens, a "
             "letter first [PCS-1]"},
        Case{"Pcs1Length", "get-started", "a1234567890123456789012345678901234567890",
             "s.json:5: cluster.clusterName: found \"a1234567890123456789012345678901234567890\", expected 3 "
             "to 40 "
             "letters, digits or hyphens, a letter first [PCS-1]"},
        Case{"Pcs1Longest", "get-started", "a123456789012345678901234567890123456789", ""},
        Case{"Pcs1GetShape", "clusterName", "name", ""},
        Case{"Pcs1BothShapes", "\"clusterName\": \"get-started\"", "\"clusterName\": \"abc\", \"name\": \"abc\"",
             "s.json:5: cluster: expected one of \"clusterName\" or \"name\"; found \"clusterName\" and "
             "\"name\""},
        Case{"Pcs1NoName", "\"clusterName\": \"get-started\",", "",
             "s.json:4: cluster: expected one of \"clusterName\" or \"name\"; found none"},
        Case{"Pcs2Type", "\"SLURM\"", "\"PBS\"", "s.json:6: cluster.scheduler.type: found \"PBS\", expected \"SLURM\""},
        Case{"Pcs2Version", "\"24.05\"", "\"22.05\"",
             "s.json:6: cluster.scheduler.version: found \"22.05\", expected one of \"23.11\", \"24.05\" in "
             "edition "
             "2024-12 [PCS-2]"},
        Case{"Pcs2Older", "\"24.05\"", "\"23.11\"", ""},
        Case{"Pcs2VersionIsText", "\"24.05\"", "24.05",
             "s.json:6: cluster.scheduler.version: found 24.05, expected a string"},
        Case{"Pcs3", "\"maxInstanceCount\": 4", "\"maxInstanceCount\": 32",
             "s.json:7: cluster.size: SMALL allows 32 instances, but the groups' maxInstanceCount add up to "
             "33 "
             "[PCS-3]; did you mean \"MEDIUM\"?"},
        Case{"Pcs3Full", "\"maxInstanceCount\": 4", "\"maxInstanceCount\": 31", ""},
        Case{"Pcs3BeyondLarge", "\"maxInstanceCount\": 4", "\"maxInstanceCount\": 2147483647",
             "s.json:7: cluster.size: SMALL allows 32 instances, but the groups' maxInstanceCount add up to "
             "2147483648 "
             "[PCS-3]"},
        Case{"Pcs6Zero", "\"size\": \"SMALL\"",
             "\"size\": \"SMALL\", \"slurmConfiguration\": {\"scaleDownIdleTimeInSeconds\": 0}",
             "s.json:7: cluster.slurmConfiguration.scaleDownIdleTimeInSeconds: found 0, expected an integer "
             "from 1 to "
             "10000000"},
        Case{"Pcs6Longest", "\"size\": \"SMALL\"",
             "\"size\": \"SMALL\", \"slurmConfiguration\": {\"scaleDownIdleTimeInSeconds\": 10000000}", ""},
        Case{"Pcs6OfAGroup", "\"id\": \"pcs_login1\"", "\"slurmConfiguration\": {\"scaleDownIdleTimeInSeconds\": 60}",
             "s.json:12: computeNodeGroups[0].slurmConfiguration.scaleDownIdleTimeInSeconds: an idle time of "
             "a group "
             "needs pcsEdition 2026-08 [PCS-6]"},
        Case{"Pcs7Memory", "\"size\": \"SMALL\"",
             "\"size\": \"SMALL\", \"slurmConfiguration\": {\"slurmCustomSettings\": [{\"parameterName\": "
             "\"SelectTypeParameters\", \"parameterValue\": \"CR_CPU_Memory\"}]}",
             ""},
        Case{"Pcs7Core", "\"size\": \"SMALL\"",
             "\"size\": \"SMALL\", \"slurmConfiguration\": {\"slurmCustomSettings\": [{\"parameterName\": "
             "\"SelectTypeParameters\", \"parameterValue\": \"CR_Core\"}]}",
             "s.json:7: cluster.slurmConfiguration.slurmCustomSettings[0].parameterValue: found \"CR_Core\", "
             "expected \"CR_CPU\" or \"CR_CPU_Memory\" [PCS-7]"},
        Case{"Pcs7LaterEdition", "\"size\": \"SMALL\"",
             "\"size\": \"SMALL\", \"slurmConfiguration\": {\"slurmCustomSettings\": [{\"parameterName\": "
             "\"SchedulerParameters\", \"parameterValue\": \"bf_interval=60\"}]}",
             "s.json:7: cluster.slurmConfiguration.slurmCustomSettings[0].parameterName: \"SchedulerParameters\" needs "
             "pcsEdition 2026-08 [PCS-7]"},
        Case{"Pcs7Name", "\"size\": \"SMALL\"",
             "\"size\": \"SMALL\", \"slurmConfiguration\": {\"slurmCustomSettings\": [{\"parameterName\": "
             "\"SelectTypeParameter\", \"parameterValue\": \"CR_CPU\"}]}",
             "s.json:7: cluster.slurmConfiguration.slurmCustomSettings[0].parameterName: "
             "\"SelectTypeParameter\" is no "
             "setting that is supported here [PCS-7]; did you mean \"SelectTypeParameters\"?"},
        Case{"Pcs7Twice", "\"size\": \"SMALL\"",
             "\"size\": \"SMALL\", \"slurmConfiguration\": {\"slurmCustomSettings\": [{\"parameterName\": "
             "\"Prolog\", "
             "\"parameterValue\": \"/a\"}, {\"parameterName\": \"Prolog\", \"parameterValue\": \"/b\"}]}",
             "s.json:7: cluster.slurmConfiguration.slurmCustomSettings[1].parameterName: \"Prolog\" is given "
             "twice"},
        Case{"Pcs7Kept", "\"size\": \"SMALL\"",
             "\"size\": \"SMALL\", \"slurmConfiguration\": {\"slurmCustomSettings\": [{\"parameterName\": "
             "\"SelectTypeParameters\", \"parameterValue\": \"CR_CPU\"}, {\"parameterName\": \"Epilog\", "
             "\"parameterValue\": \"/opt/epilog.d\"}]}",
             ""},
        Case{"Pcs10Letters", "\"compute-1\"", "\"1-compute\"",
             "s.json:17: computeNodeGroups[1].computeNodeGroupName: found \"1-compute\", expected 3 to 25 "
             "letters, "
             "digits or hyphens, a letter first [PCS-10]\n"
             "s.json:23: queues[0].computeNodeGroupConfigurations[0].computeNodeGroupId: unknown compute "
             "node group "
             "\"compute-1\"; known: \"login\", \"1-compute\" [PCS-30]"},
        Case{"Pcs10Unique", "\"login\"", "\"compute-1\"",
             "s.json:17: computeNodeGroups[1].computeNodeGroupName: \"compute-1\" names another compute node "
             "group "
             "already [PCS-10]"},
        Case{"Pcs10IdIsAName", "pcs_login1", "compute-1",
             "s.json:17: computeNodeGroups[1].computeNodeGroupName: \"compute-1\" names another compute node "
             "group "
             "already [PCS-10]"},
        Case{"Pcs10GetShape", "computeNodeGroupName", "name", ""},
        Case{"Pcs11Mixed", "\"minInstanceCount\": 0", "\"minInstanceCount\": 1",
             "s.json:18: computeNodeGroups[1].scalingConfiguration: minInstanceCount 1 with maxInstanceCount "
             "4: a group "
             "is static (equal, over zero) or dynamic (minimum 0); a mix needs pcsEdition 2026-08 [PCS-11]. "
             "Did you "
             "mean minInstanceCount 4?"},
        Case{"Pcs11Crossed", "\"minInstanceCount\": 0", "\"minInstanceCount\": 5",
             "s.json:18: computeNodeGroups[1].scalingConfiguration: minInstanceCount 5 with maxInstanceCount "
             "4: a group "
             "is static (equal, over zero) or dynamic (minimum 0); a mix needs pcsEdition 2026-08 [PCS-11]. "
             "The "
             "minimum is over the maximum"},
        Case{"Pcs11None", "\"maxInstanceCount\": 4", "\"maxInstanceCount\": 0",
             "s.json:18: computeNodeGroups[1].scalingConfiguration: minInstanceCount 0 with maxInstanceCount "
             "0: a group "
             "is static (equal, over zero) or dynamic (minimum 0); a mix needs pcsEdition 2026-08 [PCS-11]. "
             "maxInstanceCount must be over zero"},
        Case{"Pcs14Spot", "\"id\": \"pcs_login1\"", "\"purchaseOption\": \"SPOT\"", ""},
        Case{"Pcs14Spotty", "\"id\": \"pcs_login1\"", "\"purchaseOption\": \"SPOTT\"",
             "s.json:12: computeNodeGroups[0].purchaseOption: found \"SPOTT\", expected \"ONDEMAND\", \"SPOT\", "
             "\"CAPACITY_BLOCK\" or \"INTERRUPTIBLE_CAPACITY_RESERVATION\"; did you mean \"SPOT\"?"},
        Case{"Pcs14OnDemand", "\"id\": \"pcs_login1\"",
             "\"purchaseOption\": \"ONDEMAND\", \"spotOptions\": {\"allocationStrategy\": \"lowest-price\"}", ""},
        Case{"Pcs16Weight", "\"id\": \"pcs_login1\"",
             "\"slurmConfiguration\": {\"slurmCustomSettings\": [{\"parameterName\": \"Weight\", "
             "\"parameterValue\": "
             "\"-1\"}]}",
             "s.json:12: computeNodeGroups[0].slurmConfiguration.slurmCustomSettings[0].parameterValue: "
             "found \"-1\", "
             "expected an integer from 0 to 2147483647 as a string [PCS-16]"},
        Case{"Pcs16RealMemory", "\"id\": \"pcs_login1\"",
             "\"slurmConfiguration\": {\"slurmCustomSettings\": [{\"parameterName\": \"RealMemory\", "
             "\"parameterValue\": \"8 GiB\"}]}",
             "s.json:12: computeNodeGroups[0].slurmConfiguration.slurmCustomSettings[0].parameterValue: "
             "found \"8 "
             "GiB\", expected an integer from 1 to 2147483647 as a string [PCS-16]"},
        Case{"Pcs16Name", "\"id\": \"pcs_login1\"",
             "\"slurmConfiguration\": {\"slurmCustomSettings\": [{\"parameterName\": \"Features\", "
             "\"parameterValue\": "
             "\"gpu\"}]}",
             "s.json:12: computeNodeGroups[0].slurmConfiguration.slurmCustomSettings[0].parameterName: "
             "\"Features\" needs "
             "pcsEdition 2026-08 [PCS-16]"},
        Case{"Pcs16UnknownName", "\"id\": \"pcs_login1\"",
             "\"slurmConfiguration\": {\"slurmCustomSettings\": [{\"parameterName\": \"Gres\", \"parameterValue\": "
             "\"gpu\"}]}",
             "s.json:12: computeNodeGroups[0].slurmConfiguration.slurmCustomSettings[0].parameterName: \"Gres\" is no "
             "setting that is supported here [PCS-16]; expected one of \"Weight\", \"RealMemory\""},
        Case{"Pcs16Kept", "\"id\": \"pcs_login1\"",
             "\"slurmConfiguration\": {\"slurmCustomSettings\": [{\"parameterName\": \"Weight\", "
             "\"parameterValue\": "
             "\"0\"}, {\"parameterName\": \"RealMemory\", \"parameterValue\": \"7000\"}]}",
             ""},
        Case{"Pcs30Group", "\"computeNodeGroupId\": \"compute-1\"", "\"computeNodeGroupId\": \"compute-2\"",
             "s.json:23: queues[0].computeNodeGroupConfigurations[0].computeNodeGroupId: unknown compute "
             "node group "
             "\"compute-2\"; known: \"login\", \"compute-1\" [PCS-30]"},
        Case{"Pcs30ById", "\"computeNodeGroupId\": \"compute-1\"", "\"computeNodeGroupId\": \"pcs_login1\"", ""},
        Case{"Pcs30GroupTwice", "{\"computeNodeGroupId\": \"compute-1\"}",
             "{\"computeNodeGroupId\": \"login\"}, {\"computeNodeGroupId\": \"pcs_login1\"}",
             "s.json:23: queues[0].computeNodeGroupConfigurations[1].computeNodeGroupId: the group "
             "\"pcs_login1\" is "
             "given twice"},
        Case{"Pcs30NoGroup", "[{\"computeNodeGroupId\": \"compute-1\"}]", "[]",
             "s.json:22: queues: no queue has a compute node group; expected at least one [PCS-30]"},
        Case{"Pcs30Name", "\"demo\"", "\"my queue\"",
             "s.json:23: queues[0].queueName: found \"my queue\", expected 3 to 25 letters, digits or "
             "hyphens, a letter "
             "first [PCS-30]"},
        Case{"Pcs30Unique", "  \"queues\": [", "  \"queues\": [{\"name\": \"demo\"},",
             "s.json:23: queues[1].queueName: \"demo\" names another queue already [PCS-30]"},
        Case{"Pcs30TwoQueues", "  \"queues\": [", "  \"queues\": [{\"name\": \"other\"},", ""},
        Case{"NoQueues", "\"queues\"", "\"queue\"",
             "s.json:1: queues: missing; expected an array of at least 1 element\n"
             "s.json:22: queue: unknown key; did you mean \"queues\"?"},
        Case{"QueueSettings", "\"queueName\": \"demo\"",
             "\"queueName\": \"demo\", \"slurmConfiguration\": {\"slurmCustomSettings\": [{\"parameterName\": "
             "\"MaxTime\", \"parameterValue\": \"60\"}]}",
             "s.json:23: queues[0].slurmConfiguration.slurmCustomSettings[0].parameterName: \"MaxTime\" needs "
             "pcsEdition 2026-08 [PCS-30]"},
        Case{"QueueWithoutSettings", "\"queueName\": \"demo\"",
             "\"queueName\": \"demo\", \"slurmConfiguration\": {\"slurmCustomSettings\": []}", ""}),
    kCaseName);

INSTANTIATE_TEST_SUITE_P(
    Places, OfCluster,
    testing::Values(
        Case{"UnknownSubnet", "\"id\": \"pcs_login1\"", "\"subnetIds\": [\"subnet-b\"]", ""},
        Case{"SubnetNotAmongThem", "\"name\": \"base\"",
             "\"subnets\": {\"subnet-a\": {\"availabilityZone\": \"us-east-2a\"}}, \"computeNodeGroupsX\": 0",
             "s.json:2: computeNodeGroupsX: unknown key; did you mean \"computeNodeGroups\"?"},
        Case{"LaunchTemplateMissing", "\"id\": \"pcs_login1\"",
             "\"customLaunchTemplate\": {\"id\": \"lt-1\", \"version\": \"1\"}", ""}),
    kCaseName);

INSTANTIATE_TEST_SUITE_P(
    Jobs, OfCluster,
    testing::Values(
        Case{"IdTwice", "\"two\"", "\"one\"", "s.json:28: workload.jobs[1].id: \"one\" names another job already"},
        Case{"IdMissing", "\"id\": \"one\", ", "", ""},
        Case{"RunTimeMissing", ", \"runTime\": 60", "",
             "s.json:27: workload.jobs[0].runTime: missing; expected a duration from 0 s to 315360000 "
             "s" DURATION_FORMS},
        Case{"UnknownQueue", "\"id\": \"one\"", "\"id\": \"one\", \"queue\": \"night\"",
             "s.json:27: workload.jobs[0].queue: unknown queue \"night\"; known: \"demo\""},
        Case{"KnownQueue", "\"id\": \"one\"", "\"id\": \"one\", \"queue\": \"demo\"", ""},
        Case{"NodesZero", "\"nodes\": 4", "\"nodes\": 0",
             "s.json:28: workload.jobs[1].nodes: found 0, expected a number of nodes, or a range such as \"2-5\""},
        Case{"CpusAndNodes", "\"nodes\": 4", "\"nodes\": 4, \"cpus\": 8", ""},
        Case{"TasksWithoutNodes", "\"nodes\": 4", "\"tasksPerNode\": 4", ""},
        Case{"TasksWithNodes", "\"nodes\": 4", "\"nodes\": 2, \"tasksPerNode\": 4", ""},
        Case{"SubmitNegative", "\"5m\"", "-1",
             "s.json:28: workload.jobs[1].submit: found -1, expected a duration from 0 s to 10000000000 "
             "s" DURATION_FORMS},
        Case{"Later", "\"nodes\": 4", "\"nodes\": 4, \"efa\": true",
             "s.json:28: workload.jobs[1].efa: not supported yet"}),
    kCaseName);

INSTANTIATE_TEST_SUITE_P(
    Keys, OfPool,
    testing::Values(
        Case{"AsItIs", "100", "100", ""},
        Case{"NoProcessors", "100", "0", "s.json:2: pool.processors: found 0, expected an integer from 1 to 10000000"},
        Case{"WithCluster", "\"pool\"", "\"cloud\": {},\n  \"scaler\": {},\n  \"pool\"",
             "s.json:2: cloud: not together with pool\n"
             "s.json:3: scaler: not together with pool"},
        Case{"NeitherPoolNorCluster", "\"pool\": {\"processors\": 100},", "",
             "s.json:1: cluster: missing; expected an object, or pool in its place\n"
             "s.json:1: computeNodeGroups: missing; expected an array of at least 1 element\n"
             "s.json:1: queues: missing; expected an array of at least 1 element"},
        Case{"NoWorkload", "\"workload\": {\"trace\": \"kth.swf\"}", "\"name\": \"x\"",
             "s.json:1: workload: missing; expected an object"},
        Case{"NoSource", "\"trace\": \"kth.swf\"", "",
             "s.json:3: workload: expected exactly one of \"trace\", \"generator\" or \"jobs\"; found none"},
        Case{"TwoSources", "\"trace\"", "\"generator\": \"lublin\", \"trace\"",
             "s.json:3: workload: expected exactly one of \"trace\", \"generator\" or \"jobs\"; found "
             "\"trace\" and "
             "\"generator\""},
        Case{"Generator", "\"trace\": \"kth.swf\"", "\"generator\": \"lublin\", \"processors\": 100", ""},
        Case{"GeneratorUnknown", "\"trace\": \"kth.swf\"", "\"generator\": \"dublin\"",
             "s.json:3: workload.generator: found \"dublin\", expected \"lublin\" or \"poisson\"; did you mean "
             "\"lublin\"?"},
        Case{"Poisson", "\"trace\": \"kth.swf\"",
             "\"generator\": \"poisson\", \"meanInterarrival\": \"2m\", \"runTime\": {\"exponential\": 90}", ""},
        Case{"PoissonNeedsItsOptions", "\"trace\": \"kth.swf\"", "\"generator\": \"poisson\"",
             "s.json:3: workload.meanInterarrival: missing; generator poisson needs it\n"
             "s.json:3: workload.runTime: missing; generator poisson needs it"},
        Case{"PoissonNever", "\"trace\": \"kth.swf\"",
             "\"generator\": \"poisson\", \"meanInterarrival\": 0, \"runTime\": 5",
             "s.json:3: workload.meanInterarrival: found 0, expected a duration over 0 s, up to 315360000 "
             "s" DURATION_FORMS},
        Case{"PoissonWidth", "\"trace\": \"kth.swf\"",
             "\"generator\": \"poisson\", \"meanInterarrival\": 9, \"runTime\": 5, \"processorsPerJob\": 0",
             "s.json:3: workload.processorsPerJob: found 0, expected an integer from 1 to 1000000"},
        Case{"PoissonRunTime", "\"trace\": \"kth.swf\"",
             "\"generator\": \"poisson\", \"meanInterarrival\": 9, \"runTime\": {\"exponential\": 0}",
             "s.json:3: workload.runTime.exponential: found 0, expected a duration over 0 s"},
        Case{"PoissonWithAMachine", "\"trace\": \"kth.swf\"",
             "\"generator\": \"poisson\", \"meanInterarrival\": 9, \"runTime\": 5, \"processors\": 128",
             "s.json:3: workload.processors: only together with generator lublin"},
        Case{"PoissonKeyWithLublin", "\"trace\": \"kth.swf\"", "\"generator\": \"lublin\", \"runTime\": 5",
             "s.json:3: workload.runTime: only together with generator poisson"},
        Case{"GeneratorKeyWithTrace", "\"trace\"", "\"jobCount\": 5, \"trace\"",
             "s.json:3: workload.jobCount: only together with generator"},
        Case{"FilterWithGenerator", "\"trace\": \"kth.swf\"", "\"generator\": \"lublin\", \"filter\": {}",
             "s.json:3: workload.filter: only together with trace"},
        Case{"MapWithJobs", "\"trace\": \"kth.swf\"", "\"jobs\": [], \"map\": {}",
             "s.json:3: workload.map: not together with jobs: they say themselves what they need"},
        Case{"LoadFactorZero", "\"trace\": \"kth.swf\"", "\"generator\": \"lublin\", \"loadFactor\": 0",
             "s.json:3: workload.loadFactor: found 0, expected a number over 0, up to 1000"},
        Case{"LoadFactorSmall", "\"trace\": \"kth.swf\"", "\"generator\": \"lublin\", \"loadFactor\": 0.01", ""},
        Case{"EstimateFactor", "\"trace\": \"kth.swf\"", "\"generator\": \"lublin\", \"estimateFactor\": 0.5",
             "s.json:3: workload.estimateFactor: found 0.5, expected a number from 1 to 1000"},
        Case{"MapUnitNode", "\"trace\"", "\"map\": {\"unit\": \"node\"}, \"trace\"",
             "s.json:3: workload.map.unit: a pool has no nodes; expected \"core\""},
        Case{"MapQueue", "\"trace\"", "\"map\": {\"queue\": \"night\"}, \"trace\"",
             "s.json:3: workload.map.queue: a pool has no queues"},
        Case{"MapQueueNumber", "\"trace\"", "\"map\": {\"queues\": {\"first\": \"night\"}}, \"trace\"",
             "s.json:3: workload.map.queues.first: expected the log's queue number as the key, such as \"1\""},
        Case{"ProcessorsPerUnit", "\"trace\"", "\"map\": {\"processorsPerUnit\": 0}, \"trace\"",
             "s.json:3: workload.map.processorsPerUnit: found 0, expected an integer from 1 to 2147483647"},
        Case{"NoRequestedTimeWord", "\"trace\"", "\"filter\": {\"noRequestedTime\": \"dropp\"}, \"trace\"",
             "s.json:3: workload.filter.noRequestedTime: found \"dropp\", expected \"run-time\", \"drop\" or "
             "a duration "
             "over 0 s, up to 315360000 s" DURATION_FORMS "; did you mean \"drop\"?"},
        Case{"NoRequestedTimeValue", "\"trace\"", "\"filter\": {\"noRequestedTime\": \"1d\"}, \"trace\"", ""},
        Case{"JobQueue", "\"trace\": \"kth.swf\"", "\"jobs\": [{\"id\": \"a\", \"runTime\": 1, \"queue\": \"demo\"}]",
             "s.json:3: workload.jobs[0].queue: a pool has no queues"},
        Case{"JobNodes", "\"trace\": \"kth.swf\"", "\"jobs\": [{\"id\": \"a\", \"runTime\": 1, \"nodes\": 2}]",
             "s.json:3: workload.jobs[0].nodes: a pool has no nodes; use cpus"},
        Case{"JobCpus", "\"trace\": \"kth.swf\"", "\"jobs\": [{\"id\": \"a\", \"runTime\": 1, \"cpus\": 2}]", ""},
        Case{"LaterRootKeys", "\"pool\"", "\"capacityReservations\": [],\n  \"network\": {},\n  \"pool\"",
             "s.json:2: capacityReservations: not together with pool\n"
             "s.json:3: network: not together with pool"}),
    kCaseName);

TEST(ScenarioKeys, OfTheWholeTableThatComeLaterAreRefusedByName) {
  std::size_t seen = 0;
  for (const Option& option : scenario_options()) {
    if (option.use != OptionUse::unsupported) continue;
    ++seen;
    std::string key(option.path);
    std::string text = kBase;
    const std::string leaf = "\"" + key.substr(key.rfind('.') + 1) + "\": 1";
    if (key.find('.') == std::string::npos) {
      text = with_root_key(kBase, leaf);
    } else if (key.starts_with("workload.jobs[].")) {
      text = replaced(kBase, "\"id\": \"one\"", "\"id\": \"one\", " + leaf);
      key = replaced(key, "[]", "[0]");
    } else {
      FAIL() << key;
    }
    const std::string errors = errors_of(text);
    EXPECT_TRUE(errors.starts_with("s.json:") && errors.ends_with(": " + key + ": not supported yet")) << errors;
  }
  EXPECT_GE(seen, 2u);
}

TEST(ScenarioKeys, ThatThePcsApiPrintsAreAcceptedWhateverTheyHold) {
  for (const Option& option : scenario_options()) {
    if (option.use != OptionUse::ignored) continue;
    const std::string key(option.path);
    const std::string leaf = ", \"" + key.substr(key.rfind('.') + 1) + "\": [1, {\"a\": null}]";
    std::string text;
    if (key.starts_with("cluster.slurmConfiguration.accounting.")) {
      text = replaced(kBase, "\"SMALL\"",
                      "\"SMALL\", \"slurmConfiguration\": {\"accounting\": {\"mode\": \"NONE\"" + leaf + "}}");
    } else if (key.starts_with("cluster.slurmConfiguration.")) {
      text = replaced(kBase, "\"SMALL\"",
                      "\"SMALL\", \"slurmConfiguration\": {\"scaleDownIdleTimeInSeconds\": 60" + leaf + "}");
    } else if (key.starts_with("cluster.")) {
      text = replaced(kBase, "\"SMALL\"", "\"SMALL\"" + leaf);
    } else if (key.starts_with("computeNodeGroups[].")) {
      text = replaced(kBase, "\"login\"", "\"login\"" + leaf);
    } else if (key.starts_with("operations[].")) {
      const bool nested = key.starts_with("operations[].slurmConfiguration.");
      const std::string member =
          nested ? ", \"slurmConfiguration\": {\"scaleDownIdleTimeInSeconds\": 60" + leaf + "}" : leaf;
      text = with_root_key(kBase,
                           "\"operations\": [{\"at\": 1, \"action\": \"CreateCluster\", \"clusterName\": \"other\", "
                           "\"size\": \"SMALL\", \"scheduler\": {\"type\": \"SLURM\", \"version\": \"24.05\"}" +
                               member + "}]");
    } else {
      ASSERT_TRUE(key.starts_with("queues[].")) << key;
      text = replaced(kBase, "\"demo\"", "\"demo\"" + leaf);
    }
    EXPECT_EQ(errors_of(text), "") << key;
  }
}

TEST(ScenarioEdition, Of2026AllowsMixedGroupsAndNewerSlurm) {
  std::string text = with_root_key(kBase, "\"pcsEdition\": \"2026-08\"");
  EXPECT_EQ(errors_of(text),
            "s.json:6: cluster.scheduler.version: found \"24.05\", expected one of \"24.11\", \"25.05\", "
            "\"25.11\" in "
            "edition 2026-08 [PCS-2]");
  text = replaced(text, "24.05", "25.11");
  text = replaced(text, "\"minInstanceCount\": 0", "\"minInstanceCount\": 2");
  const Scenario scenario = parse_scenario(text, "s.json");
  EXPECT_EQ(scenario.groups[1].min_instances, 2);
  EXPECT_EQ(scenario.cluster.slurm_version, "25.11");

  const std::string idle =
      replaced(text, "\"id\": \"pcs_login1\"", "\"slurmConfiguration\": {\"scaleDownIdleTimeInSeconds\": -1}");
  EXPECT_EQ(errors_of(idle), "");
  EXPECT_FALSE(parse_scenario(idle, "s.json").groups[0].scale_down_idle_time);
  EXPECT_EQ(parse_scenario(replaced(idle, "-1", "60"), "s.json").groups[0].scale_down_idle_time, kMinute);
}

TEST(ScenarioPlaces, AreLookedUpWhereTheyAreGiven) {
  std::string text = replaced(kBase, "\"id\": \"pcs_login1\"",
                              "\"subnetIds\": [\"subnet-a\", \"subnet-b\"], "
                              "\"customLaunchTemplate\": {\"id\": \"lt-1\", \"version\": \"$Latest\"}");
  text = with_root_key(text,
                       "\"subnets\": {\"subnet-a\": {\"availabilityZone\": \"us-east-2c\"},\n"
                       "\"subnet-b\": {\"availabilityZone\": \"us-east-2a\"}},\n"
                       "\"launchTemplates\": {\"lt-1\": {\"ImageId\": \"ami-1\",\n"
                       "\"Placement\": {\"GroupName\": \"pg-1\"}}},\n"
                       "\"placementGroups\": {\"pg-1\": {\"strategy\": \"cluster\"}}");
  const Scenario scenario = parse_scenario(text, "s.json");
  EXPECT_EQ(scenario.groups[0].zone, "us-east-2c");
  EXPECT_EQ(scenario.groups[0].placement_group, "pg-1");
  EXPECT_EQ(scenario.groups[0].subnets, (std::vector<std::string>{"subnet-a", "subnet-b"}));
  EXPECT_EQ(scenario.groups[1].zone, "");

  EXPECT_EQ(errors_of(replaced(text, "[\"subnet-a\", \"subnet-b\"]", "[\"subnet-a\", \"subnet-c\"]")),
            "s.json:16: computeNodeGroups[0].subnetIds[1]: unknown subnet \"subnet-c\"; known: \"subnet-a\", "
            "\"subnet-b\"");
  EXPECT_EQ(errors_of(replaced(text, "\"id\": \"lt-1\"", "\"id\": \"lt-2\"")),
            "s.json:16: computeNodeGroups[0].customLaunchTemplate.id: unknown launch template \"lt-2\"; known: "
            "\"lt-1\"");
  EXPECT_EQ(errors_of(replaced(text, "\"GroupName\": \"pg-1\"", "\"GroupName\": \"pg-2\"")),
            "s.json:4: launchTemplates.lt-1.Placement.GroupName: unknown placement group \"pg-2\"; known: "
            "\"pg-1\"");
  EXPECT_EQ(errors_of(replaced(text, "\"strategy\": \"cluster\"", "\"strategy\": \"spred\"")),
            "s.json:5: placementGroups.pg-1.strategy: found \"spred\", expected \"cluster\", \"partition\" or "
            "\"spread\"; did you mean \"spread\"?");
  EXPECT_EQ(errors_of(replaced(text, "{\"GroupName\": \"pg-1\"}", "\"pg-1\"")),
            "s.json:4: launchTemplates.lt-1.Placement: found \"pg-1\", expected an object");
}

TEST(ScenarioDistributions, NameTheirFaultsToTheLastKey) {
  const auto errors = [](const std::string& distribution) {
    return errors_of(with_root_key(kBase, "\"cloud\": {\"boot\": {\"pending\": " + distribution + "}}"));
  };
  const std::string forms =
      "expected a distribution: a duration, {\"uniform\": [min, max]}, {\"exponential\": mean}, "
      "{\"lognormal\": {\"mean\": m, \"sd\": s, \"min\": a, \"max\": b}} or "
      "{\"weibull\": {\"scale\": s, \"shape\": k}}";
  const std::string duration = "expected a duration from 0 s to 10000000000 s" DURATION_FORMS;
  for (const char* good :
       {"0", "16.5", "\"20s\"", R"({"uniform": [16, "18s"]})", R"({"uniform": [16, 16]})", R"({"exponential": "2m"})",
        R"({"lognormal": {"mean": 72, "sd": 0}})", R"({"lognormal": {"mean": "1m", "sd": 5, "min": 50, "max": 90}})",
        R"({"weibull": {"scale": "2000h", "shape": 0.7}})", R"({"weibull": {"shape": 100, "scale": 1}})"}) {
    EXPECT_EQ(errors(good), "");
  }
  EXPECT_EQ(errors("-1"), "s.json:1: cloud.boot.pending: found -1, " + forms);
  EXPECT_EQ(errors("true"), "s.json:1: cloud.boot.pending: found true, " + forms);
  EXPECT_EQ(errors("{}"), "s.json:1: cloud.boot.pending: found an object, " + forms);
  EXPECT_EQ(errors(R"({"uniforn": [1, 2]})"),
            "s.json:1: cloud.boot.pending.uniforn: unknown key; did you mean \"uniform\"?");
  EXPECT_EQ(errors(R"({"uniform": [2]})"), "s.json:1: cloud.boot.pending.uniform: found an array, expected [min, max]");
  EXPECT_EQ(errors(R"({"uniform": [2, 1]})"), "s.json:1: cloud.boot.pending.uniform: the minimum is over the maximum");
  EXPECT_EQ(errors(R"({"uniform": [2, -1]})"), "s.json:1: cloud.boot.pending.uniform[1]: found -1, " + duration);
  EXPECT_EQ(errors(R"({"exponential": 0})"),
            "s.json:1: cloud.boot.pending.exponential: found 0, expected a duration over 0 s");
  EXPECT_EQ(errors(R"({"exponential": {"mean": 5}})"),
            "s.json:1: cloud.boot.pending.exponential: found an object, " + duration);
  EXPECT_EQ(errors(R"({"exponental": 5})"),
            "s.json:1: cloud.boot.pending.exponental: unknown key; did you mean \"exponential\"?");
  const std::string weibull = "s.json:1: cloud.boot.pending.weibull";
  EXPECT_EQ(errors(R"({"weibull": 5})"), weibull + ": found 5, expected an object");
  EXPECT_EQ(errors(R"({"weibull": {"scale": 5}})"), weibull + ".shape: missing; expected a number");
  EXPECT_EQ(errors(R"({"weibull": {"shape": 5}})"), weibull + ".scale: missing; expected a duration");
  EXPECT_EQ(errors(R"({"weibull": {"shape": 5, "scale": 0}})"),
            weibull + ".scale: found 0, expected a duration over 0 s");
  EXPECT_EQ(errors(R"({"weibull": {"shape": 0.05, "scale": 1}})"),
            weibull + ".shape: found 0.05, expected a number from 0.1 to 100");
  EXPECT_EQ(errors(R"({"weibull": {"shape": "2", "scale": 1}})"),
            weibull + ".shape: found \"2\", expected a number from 0.1 to 100");
  EXPECT_EQ(errors(R"({"weibull": {"shap": 2}})"), weibull + ".shap: unknown key; did you mean \"shape\"?");
  EXPECT_EQ(errors(R"({"lognormal": {"mean": 0, "sd": 1}})"),
            "s.json:1: cloud.boot.pending.lognormal.mean: found 0, expected a duration over 0 s");
  EXPECT_EQ(errors(R"({"lognormal": {"mean": 5}})"),
            "s.json:1: cloud.boot.pending.lognormal.sd: missing; expected a duration");
  EXPECT_EQ(errors(R"({"lognormal": {"mean": 5, "sd": 1, "mim": 2}})"),
            "s.json:1: cloud.boot.pending.lognormal.mim: unknown key; did you mean \"min\"?");
  EXPECT_EQ(errors(R"({"lognormal": {"mean": 5, "sd": 1, "min": 9, "max": 8}})"),
            "s.json:1: cloud.boot.pending.lognormal: min is over max");
}

TEST(ScenarioDurations, AreExactInMicroseconds) {
  EXPECT_EQ(parse_duration("90s"), 90 * kSecond);
  EXPECT_EQ(parse_duration("15m"), 15 * kMinute);
  EXPECT_EQ(parse_duration("1.5h"), 90 * kMinute);
  EXPECT_EQ(parse_duration("7d"), 7 * 24 * kHour);
  EXPECT_EQ(parse_duration("0.000001s"), 1);
  for (const char* bad : {"", "s", "90", "-1s", "+1s", "1e3s", ".5s", "5.s", "1.2.3s", "1 s", "1s ", "inf", "infs",
                          "nans", "0x1s", "1w", "1H", "99999999999d"}) {
    EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
  }
}

TEST(ScenarioValues, ReachTheirPlaces) {
  const std::string text = R"({
    "name": "all", "seed": 7, "region": "eu-west-1", "pcsEdition": "2024-12",
    "cluster": {"name": "abc", "size": "LARGE", "scheduler": {"type": "SLURM", "version": "23.11"},
                "slurmConfiguration": {"scaleDownIdleTimeInSeconds": 61}},
    "computeNodeGroups": [
      {"name": "fixed", "id": "pcs_1", "scalingConfiguration": {"minInstanceCount": 3, "maxInstanceCount": 3},
       "instanceConfigs": [{"instanceType": "a.b"}, {"instanceType": "c.d"}],
       "slurmConfiguration": {"slurmCustomSettings": [{"parameterName": "Weight", "parameterValue": "12"}]}},
      {"name": "elastic", "scalingConfiguration": {"minInstanceCount": 0, "maxInstanceCount": 2000},
       "instanceConfigs": [{"instanceType": "a.b"}]}],
    "queues": [{"name": "short", "computeNodeGroupConfigurations": [{"computeNodeGroupId": "pcs_1"}]},
               {"name": "long", "computeNodeGroupConfigurations": [{"computeNodeGroupId": "elastic"},
                                                                  {"computeNodeGroupId": "fixed"}]}],
    "scheduler": {"policy": "fcfs", "sameInstant": "per-event"},
    "scaler": {"policy": "static", "interval": "30s", "suspendTimeout": 2.5},
    "cloud": {"boot": {"pending": 5, "bootstrap": {"uniform": [1, 2]},
                       "bootstrapGpu": {"lognormal": {"mean": 9, "sd": 3, "min": 1, "max": 20}}},
              "prices": {"a.b": 0.5, "c.d": 2}, "controllerUsdPerHour": 0.25,
              "nodeManagementUsdPerHour": 0.125},
    "workload": {"trace": "log.swf", "maxJobs": 17,
                 "map": {"unit": "node", "processorsPerUnit": 8, "queue": "long",
                         "queues": {"1": "short", "-3": "long"}},
                 "filter": {"noRequestedTime": "2h", "overrun": "raise", "minRunTime": 1,
                            "maxProcessors": 64}},
    "expect": {"digest": "abc"}
  })";
  const Scenario s = parse_scenario(text, "dir/s.json");
  EXPECT_EQ(s.file, "dir/s.json");
  EXPECT_EQ(s.name, "all");
  EXPECT_EQ(s.seed, 7u);
  EXPECT_EQ(s.region, "eu-west-1");
  EXPECT_FALSE(s.pool);
  EXPECT_EQ(s.cluster.name, "abc");
  EXPECT_EQ(s.cluster.size, ClusterSize::large);
  EXPECT_EQ(s.cluster.slurm_version, "23.11");
  EXPECT_EQ(s.cluster.scale_down_idle_time, 61 * kSecond);
  ASSERT_EQ(s.groups.size(), 2u);
  EXPECT_EQ(s.groups[0].name, "fixed");
  EXPECT_EQ(s.groups[0].id, "pcs_1");
  EXPECT_EQ(s.groups[0].instance_types, (std::vector<std::string>{"a.b", "c.d"}));
  EXPECT_EQ(s.groups[0].min_instances, 3);
  EXPECT_EQ(s.groups[0].weight, 12);
  EXPECT_EQ(s.groups[1].max_instances, 2000);
  EXPECT_EQ(s.groups[1].weight, 1);
  ASSERT_EQ(s.queues.size(), 2u);
  EXPECT_EQ(s.queues[0].groups, (std::vector<std::size_t>{0}));
  EXPECT_EQ(s.queues[1].name, "long");
  EXPECT_EQ(s.queues[1].groups, (std::vector<std::size_t>{1, 0}));
  EXPECT_EQ(s.scheduler.policy, "fcfs");
  EXPECT_EQ(s.scheduler.same_instant, SameInstant::per_event);
  EXPECT_EQ(s.scaler.policy, "static");
  EXPECT_EQ(s.scaler.interval, 30 * kSecond);
  EXPECT_EQ(s.scaler.suspend_timeout, 2'500'000);
  using DistributionKind = Distribution::Kind;
  EXPECT_EQ(s.cloud.boot.pending, (Distribution{.kind = DistributionKind::constant, .a = 5}));
  EXPECT_EQ(s.cloud.boot.bootstrap, (Distribution{.kind = DistributionKind::uniform, .a = 1, .b = 2}));
  EXPECT_EQ(s.cloud.boot.bootstrap_gpu,
            (Distribution{.kind = DistributionKind::lognormal, .a = 9, .b = 3, .minimum = 1, .maximum = 20}));
  ASSERT_EQ(s.cloud.prices_usd_per_hour.size(), 2u);
  EXPECT_EQ(s.cloud.prices_usd_per_hour[1], (std::pair<std::string, double>{"c.d", 2.0}));
  EXPECT_EQ(s.cloud.controller_usd_per_hour, 0.25);
  EXPECT_EQ(s.cloud.node_management_usd_per_hour, 0.125);
  EXPECT_EQ(s.workload.source, WorkloadOptions::Source::trace);
  EXPECT_EQ(s.workload.trace, "log.swf");
  EXPECT_EQ(s.workload.max_jobs, 17u);
  EXPECT_EQ(s.workload.map.unit, TraceMap::Unit::node);
  EXPECT_EQ(s.workload.map.processors_per_unit, 8);
  EXPECT_EQ(s.workload.map.queue, "long");
  EXPECT_EQ(s.workload.map.queues, (std::vector<std::pair<std::int64_t, std::string>>{{1, "short"}, {-3, "long"}}));
  EXPECT_EQ(s.workload.filter.no_requested_time, TraceFilter::NoRequestedTime::value);
  EXPECT_EQ(s.workload.filter.default_requested_time, 2 * kHour);
  EXPECT_EQ(s.workload.filter.overrun, TraceFilter::Overrun::raise);
  EXPECT_EQ(s.workload.filter.min_run_time, kSecond);
  EXPECT_EQ(s.workload.filter.max_processors, 64);
  EXPECT_EQ(s.expected_digest, "abc");

  const Scenario again = parse_scenario(s.text, "dir/s.json");
  EXPECT_EQ(again.text, s.text);
}

TEST(ScenarioValues, OfInlineJobs) {
  const Scenario s = parse_scenario(kBase, "s.json");
  ASSERT_EQ(s.workload.jobs.size(), 2u);
  const InlineJob& one = s.workload.jobs[0];
  EXPECT_EQ(one.id, "one");
  EXPECT_EQ(one.queue, "demo");
  EXPECT_EQ(one.submit, 0);
  EXPECT_EQ(one.run_time, kMinute);
  EXPECT_EQ(one.time_limit, 0);
  EXPECT_EQ(one.nodes, 0);
  EXPECT_EQ(one.cpus, 0);
  EXPECT_EQ(one.line, 27);
  const InlineJob& two = s.workload.jobs[1];
  EXPECT_EQ(two.submit, 5 * kMinute);
  EXPECT_EQ(two.nodes, 4);
  EXPECT_EQ(two.tasks_per_node, 0);
  EXPECT_EQ(two.cpus, 0);
  EXPECT_TRUE(two.exclusive);
  EXPECT_EQ(two.time_limit, kHour);
  EXPECT_EQ(two.run_time, 90 * kSecond);
}

TEST(ScenarioValues, AJobMayStayOutOfTheQueueUnderEveryPolicy) {
  const Scenario s =
      parse_scenario(replaced(kBase, "\"id\": \"one\"", "\"id\": \"one\", \"requeue\": false"), "s.json");
  EXPECT_FALSE(s.workload.jobs.at(0).requeue);
  EXPECT_TRUE(s.workload.jobs.at(1).requeue);
  EXPECT_TRUE(s.policy_keys.empty());
}

// The struct's own initial values are what code without a file gets; they must not drift from the table.
TEST(ScenarioDefaults, OfTheTableAreThoseOfTheStructs) {
  const Scenario made;
  const Scenario s = parse_scenario(R"({"pool": {"processors": 1}, "workload": {"generator": "lublin"}})", "");
  EXPECT_EQ(s.seed, made.seed);
  EXPECT_EQ(s.region, made.region);
  EXPECT_EQ(s.pcs_edition, made.pcs_edition);
  EXPECT_EQ(s.scheduler.policy, made.scheduler.policy);
  EXPECT_EQ(s.scheduler.same_instant, made.scheduler.same_instant);
  EXPECT_EQ(s.scaler.policy, made.scaler.policy);
  EXPECT_EQ(s.scaler.interval, made.scaler.interval);
  EXPECT_EQ(s.scaler.suspend_timeout, made.scaler.suspend_timeout);
  EXPECT_EQ(s.workload.lublin.jobs, made.workload.lublin.jobs);
  EXPECT_EQ(s.workload.lublin.processors, made.workload.lublin.processors);
  EXPECT_EQ(s.workload.lublin.job_types, made.workload.lublin.job_types);
  EXPECT_EQ(s.workload.lublin.estimate_factor, made.workload.lublin.estimate_factor);
  EXPECT_EQ(s.workload.lublin.load_factor, made.workload.lublin.load_factor);
  EXPECT_EQ(s.workload.map.unit, made.workload.map.unit);
  EXPECT_EQ(s.workload.map.processors_per_unit, made.workload.map.processors_per_unit);
  EXPECT_EQ(s.workload.filter.no_requested_time, made.workload.filter.no_requested_time);
  EXPECT_EQ(s.workload.filter.overrun, made.workload.filter.overrun);
  EXPECT_EQ(s.cloud.controller_usd_per_hour, 0);

  const Scenario base = parse_scenario(kBase, "s.json");
  EXPECT_EQ(base.cluster.scale_down_idle_time, ClusterDesign{}.scale_down_idle_time);
  EXPECT_EQ(base.groups[0].weight, GroupDesign{}.weight);
  EXPECT_EQ(base.cloud.boot.pending, (Distribution{.kind = Distribution::Kind::uniform, .a = 16, .b = 18}));
  EXPECT_EQ(base.cloud.boot.bootstrap.a, 71.9);
  EXPECT_EQ(base.cloud.boot.bootstrap.maximum, 104);
  EXPECT_EQ(base.cloud.boot.bootstrap_gpu.b, 16.3);
  EXPECT_EQ(base.cloud.boot.bootstrap_gpu.minimum, 66);
}

// --- Changes from the command line ---

ScenarioOverrides set(std::vector<std::pair<std::string, std::string>> changes) {
  ScenarioOverrides overrides;
  overrides.set = std::move(changes);
  return overrides;
}

TEST(ScenarioOverride, SetsWhatThePathNames) {
  const Scenario s = parse_scenario(
      kBase, "s.json",
      set({{"scheduler.policy", "fcfs"},
           {"computeNodeGroups[0].scalingConfiguration", R"({"minInstanceCount": 2, "maxInstanceCount": 2})"},
           {"computeNodeGroups[compute-1].scalingConfiguration.maxInstanceCount", "8"},
           {"computeNodeGroups[pcs_login1].computeNodeGroupName", "entry"},
           {"cluster.scheduler.version", "23.11"},
           {"cluster.slurmConfiguration.slurmCustomSettings[0].parameterName", "Prolog"},
           {"cluster.slurmConfiguration.slurmCustomSettings[0].parameterValue", "true"},
           {"cloud.prices[c6i.xlarge]", "0.15"},
           {"scaler.interval", "30s"},
           {"workload.jobs[two].runTime", "5"},
           {"workload.jobs[2]", R"({"id": "three", "runTime": 1})"},
           {"name", "12"}}));
  EXPECT_EQ(s.scheduler.policy, "fcfs");
  EXPECT_EQ(s.groups[0].max_instances, 2);
  EXPECT_EQ(s.groups[0].name, "entry");
  EXPECT_EQ(s.groups[1].max_instances, 8);
  EXPECT_EQ(s.cluster.slurm_version, "23.11");
  EXPECT_EQ(s.cloud.prices_usd_per_hour[0].first, "c6i.xlarge");
  EXPECT_EQ(s.scaler.interval, 30 * kSecond);
  EXPECT_EQ(s.workload.jobs[1].run_time, 5 * kSecond);
  EXPECT_EQ(s.workload.jobs[2].id, "three");
  EXPECT_EQ(s.workload.jobs[2].line, 0);
  EXPECT_EQ(s.name, "12");
  EXPECT_NE(s.text.find(R"("scheduler":{"policy":"fcfs"})"), std::string::npos) << s.text;
  EXPECT_EQ(parse_scenario(s.text, "s.json").text, s.text);
}

TEST(ScenarioOverride, IsNamedInMessages) {
  const auto errors = [](const char* key, const char* value) { return errors_of(kBase, set({{key, value}})); };
  EXPECT_EQ(errors("scaler.interval", "soon"),
            "--set scaler.interval: found \"soon\", expected a duration from 0 s to 86400 s" DURATION_FORMS);
  EXPECT_EQ(errors("computeNodeGroups[1].scalingConfiguration.maxInstanceCount", "-8"),
            "--set computeNodeGroups[1].scalingConfiguration.maxInstanceCount: found -8, expected an integer "
            "from 0 to "
            "2147483647");
  EXPECT_EQ(errors("computeNodeGroups[compute-1].scalingConfiguration.minInstanceCount", "1"),
            "--set computeNodeGroups[compute-1].scalingConfiguration.minInstanceCount: "
            "computeNodeGroups[1].scalingConfiguration: minInstanceCount 1 with maxInstanceCount 4: a group is "
            "static "
            "(equal, over zero) or dynamic (minimum 0); a mix needs pcsEdition 2026-08 [PCS-11]. Did you mean "
            "minInstanceCount 4?");
  EXPECT_EQ(errors("schedulr.policy", "fcfs"),
            "--set schedulr.policy: schedulr: unknown key; did you mean \"scheduler\"?");
  EXPECT_EQ(errors("cloud", R"({"boot": {"pending": "x"}})").substr(0, 38), "--set cloud: cloud.boot.pending: found");
  EXPECT_EQ(errors("computeNodeGroups[gpu].name", "x"),
            "--set computeNodeGroups[gpu].name: no element is named \"gpu\"; known: \"login\", \"compute-1\"");
  EXPECT_EQ(errors("computeNodeGroups[3].name", "x"),
            "--set computeNodeGroups[3].name: index 3 is beyond the array's 2 elements");
  EXPECT_EQ(errors("computeNodeGroups.name", "x"),
            "--set computeNodeGroups.name: \"name\" is below an array, which has no keys");
  EXPECT_EQ(errors("name.first", "x"), "--set name.first: \"first\" is below \"base\", which has no keys");
  EXPECT_EQ(errors("name", "a\xff"), "--set name: not UTF-8");
  for (const char* path : {"", ".", "a.", ".a", "a..b", "a[", "a[]", "a[0", "a]", "a[0]b", "[0]", "a.[0]"}) {
    EXPECT_EQ(errors(path, "1"),
              "--set " + std::string(path) +
                  ": not a path; expected keys with dots and [index] or [name], such as computeNodeGroups[0].name");
  }
  std::string deep = "a";
  for (int i = 0; i < 100'000; ++i) deep += ".a";
  EXPECT_NE(errors(deep.c_str(), "1").find("not a path"), std::string::npos);
}

TEST(ScenarioOverride, ComesAfterTheFilesProblems) {
  EXPECT_EQ(errors_of(replaced(kBase, "\"base\"", "1"), set({{"seed", "-1"}, {"region", "\"\""}})),
            "s.json:2: name: found 1, expected a string\n"
            "--set seed: found -1, expected an integer from 0 to 9223372036854775807\n"
            "--set region: found \"\", expected a string that is not empty");
}

TEST(ScenarioOverride, OfSeedTraceAndJobs) {
  ScenarioOverrides overrides;
  overrides.seed = 99;
  overrides.trace = "logs/x.swf";
  overrides.max_jobs = 10;
  const std::string text = replaced(kPool, "\"trace\": \"kth.swf\"",
                                    R"("generator": "lublin", "jobCount": 5, "map": {"processorsPerUnit": 4})");
  const Scenario s = parse_scenario(text, "s.json", overrides);
  EXPECT_EQ(s.seed, 99u);
  EXPECT_EQ(s.workload.source, WorkloadOptions::Source::trace);
  EXPECT_EQ(s.workload.trace, "logs/x.swf");
  EXPECT_EQ(s.workload.max_jobs, 10u);
  EXPECT_EQ(s.workload.map.processors_per_unit, 4);
  EXPECT_EQ(s.text, R"({"pool":{"processors":100},"workload":{"map":{"processorsPerUnit":4},)"
                    R"("trace":"logs/x.swf","maxJobs":10},"seed":99})");
  // The effective text alone gives the same run: a journal stores no more.
  EXPECT_EQ(parse_scenario(s.text, "s.json").workload.max_jobs, 10u);

  ScenarioOverrides bad;
  bad.seed = ~std::uint64_t{0};
  EXPECT_EQ(errors_of(kPool, bad),
            "--seed: found 1.8446744073709552e+19, expected an integer from 0 to 9223372036854775807");
  bad.seed.reset();
  bad.trace = "";
  EXPECT_EQ(errors_of(kPool, bad), "--trace: workload.trace: found \"\", expected a string that is not empty");
}

TEST(ScenarioOverride, DropsTheExpectedDigestOnlyWhenTheRunChanges) {
  const std::string text = with_root_key(kBase, "\"seed\": 5, \"expect\": {\"digest\": \"abc\"}");
  ScenarioOverrides seed;
  seed.seed = 5;
  EXPECT_EQ(parse_scenario(text, "s.json", seed).expected_digest, "abc");
  seed.seed = 6;
  EXPECT_EQ(parse_scenario(text, "s.json", seed).expected_digest, "");
  EXPECT_EQ(parse_scenario(text, "s.json", set({{"seed", "6"}, {"expect.digest", "def"}})).expected_digest, "def");
}

// --- The worst inputs ---

TEST(ScenarioText, ThatIsNoJsonSaysWhere) {
  EXPECT_EQ(errors_of(""), "s.json: empty; expected JSON");
  EXPECT_EQ(errors_of(" \n\t\r\n"), "s.json: empty; expected JSON");
  EXPECT_EQ(errors_of("{\n  \"name\": \"x\"\n  \"seed\": 1\n}"),
            "s.json:3:8: not JSON: in object: unexpected string literal; expected ',' or '}'");
  EXPECT_EQ(errors_of("{\"name\": \"x\",\n}"),
            "s.json:2:1: not JSON: in object key: unexpected '}'; expected string literal");
  EXPECT_EQ(errors_of("{\"seed\": 1").substr(0, 45), "s.json:1:10: not JSON: in object: unexpected ");
  EXPECT_EQ(errors_of("{\"name\": \"x\ny\"}").substr(0, 50), "s.json:1:11: not JSON: in value: invalid string: c");
  EXPECT_EQ(errors_of("{} {}").substr(0, 24), "s.json:1:4: not JSON: in");
  EXPECT_EQ(errors_of("{\"seed\": 1e999}"), "s.json:1:15: number overflow parsing '1e999'");
  EXPECT_EQ(errors_of("[1]"), "s.json:1: found an array, expected an object");
  EXPECT_EQ(errors_of("null"), "s.json:1: found null, expected an object");
  EXPECT_EQ(errors_of("\xef\xbb\xbf" + std::string(kPool)), "");  // a byte order mark is no harm
}

TEST(ScenarioText, ThatIsGarbageGivesOneShortPrintableLine) {
  std::string garbage;
  for (int i = 0; i < 100'000; ++i) garbage += static_cast<char>((i * 7919) >> 3);
  for (const std::string& text :
       {garbage, std::string(1000, '\0'), std::string("\x28\xb5\x2f\xfd", 4), std::string("\"") + garbage,
        std::string("{\"a\xff\": 1}"), std::string(100'000, 'x'), "\"" + std::string(100'000, 'x')}) {
    const std::string errors = errors_of(text);
    EXPECT_FALSE(errors.empty());
    EXPECT_LT(errors.size(), 600u);
    EXPECT_TRUE(is_utf8(errors)) << errors;
    for (const char c : errors) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << errors;
  }
}

TEST(ScenarioText, NestedTooDeeplyIsRefused) {
  EXPECT_EQ(errors_of(std::string(1'000'000, '[')), "s.json:1:65: nested deeper than 64 levels");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":\n";
  EXPECT_EQ(errors_of(objects), "s.json:65:1: nested deeper than 64 levels");
  // Free content may use all levels but the three it stands in.
  const auto nested = [](std::size_t levels) {
    return with_root_key(
        kBase, "\"launchTemplates\": {\"lt\": {\"x\": " + std::string(levels, '[') + std::string(levels, ']') + "}}");
  };
  EXPECT_EQ(errors_of(nested(61)), "");
  EXPECT_NE(errors_of(nested(62)), "");
}

TEST(ScenarioText, ThatIsTooLargeIsRefused) {
  EXPECT_EQ(errors_of(std::string(kLargestDocument + 1, ' ')), "s.json: larger than 16 MiB");
  std::string many = "[0";
  for (std::size_t i = 0; i < kMostValues; ++i) many += ",0";
  EXPECT_NE(errors_of(many).find("more than 2000000 values"), std::string::npos);
}

TEST(ScenarioText, WithManyProblemsShowsTwentyOfThem) {
  std::string text = "{";
  for (int i = 0; i < 30; ++i) text += "\n\"zzz" + std::to_string(i) + "\": 1,";
  text += "\n\"pool\": {\"processors\": 1}, \"workload\": {\"jobs\": []}}";
  const std::string errors = errors_of(text);
  EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 20);
  EXPECT_TRUE(errors.starts_with("s.json:2: zzz0: unknown key")) << errors;
  EXPECT_TRUE(errors.ends_with("\ns.json: 10 more problems")) << errors;
  std::string more = "{";
  for (int i = 0; i < 100'000; ++i) more += "\"zzz" + std::to_string(i) + "\": 1,";
  EXPECT_TRUE(errors_of(more + "\"pool\": 1}").ends_with("\ns.json: at least 180 more problems"));
}

TEST(ScenarioFile, ThatCannotBeReadSaysWhy) {
  const fs::path folder = fs::temp_directory_path() / "headroom-scenario-test";
  fs::create_directories(folder);
  const auto errors = [](const fs::path& path) -> std::string {
    try {
      load_scenario(path.string());
      return {};
    } catch (const InputError& error) {
      return error.what();
    }
  };
  EXPECT_EQ(errors(folder), folder.string() + ": is a directory; expected a scenario in JSON");
  EXPECT_EQ(errors(folder / "none.json"),
            (folder / "none.json").string() + ": cannot be read: No such file or directory");
  std::ofstream(folder / "empty.json").close();
  EXPECT_EQ(errors(folder / "empty.json"), (folder / "empty.json").string() + ": empty; expected JSON");
  std::ofstream(folder / "pool.json") << kPool;
  EXPECT_EQ(errors(folder / "pool.json"), "");
  if (fs::exists("/dev/zero")) {
    EXPECT_EQ(errors("/dev/zero"), "/dev/zero: larger than 16 MiB");
  }
  fs::remove_all(folder);
}

// --- The published forms ---

const fs::path kSource = HEADROOM_SOURCE_DIR;

// The file holds `expected`; with UPDATE=1 in the environment it is made to.
void expect_file(const fs::path& path, const std::string& expected) {
  const char* const update = std::getenv("UPDATE");
  if (update != nullptr && std::string(update) == "1") std::ofstream(path, std::ios::binary) << expected;
  EXPECT_TRUE(read_file(path) == expected) << path << " is out of date; run this test with UPDATE=1";
}

TEST(ScenarioSchema, IsWhatTheTableSays) { expect_file(kSource / "scenarios/schema.json", scenario_schema()); }

// The page holds `table` between its marks.
void expect_table(const fs::path& path, const std::string& mark, const std::string& table) {
  const std::string page = read_file(path);
  const std::string begin = "<!-- " + mark + ": begin -->\n";
  const auto from = page.find(begin);
  const auto to = page.find("<!-- " + mark + ": end -->");
  ASSERT_NE(from, std::string::npos);
  ASSERT_NE(to, std::string::npos);
  expect_file(path, page.substr(0, from + begin.size()) + "\n" + table + "\n" + page.substr(to));
}

TEST(ScenarioPage, OfSlurmHoldsItsParameters) {
  expect_table(kSource / "docs/slurm.md", "parameters", slurm_parameters_markdown());
}

TEST(ScenarioPage, OfOptionsOfSlurmHoldsThemAll) {
  expect_table(kSource / "docs/slurm-options.md", "options", slurm_options_markdown());
}

TEST(ScenarioPage, OfJobScriptsHoldsTheWordsOfTheirComments) {
  expect_table(kSource / "docs/sbatch.md", "notes", sbatch_notes_markdown());
}

TEST(ScenarioPage, HoldsTheTableAndAnExampleThatParses) {
  const fs::path path = kSource / "docs/scenario.md";
  expect_table(path, "options", scenario_options_markdown());
  const std::string page = read_file(path);
  const auto fence = page.find("```json\n");
  ASSERT_NE(fence, std::string::npos);
  const auto example = fence + std::string("```json\n").size();
  const Scenario s = parse_scenario(page.substr(example, page.find("```", example) - example), "docs/scenario.md");
  EXPECT_EQ(s.workload.jobs.size(), 2u);
}

std::vector<fs::path> scenario_files() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(kSource / "scenarios")) {
    if (entry.path().extension() == ".json" && entry.path().filename() != "schema.json") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(ShippedScenarios, AreAccepted) {
  const auto files = scenario_files();
  EXPECT_GE(files.size(), 5u);
  const std::string readme = read_file(kSource / "scenarios/README.md");
  for (const fs::path& file : files) {
    EXPECT_NO_THROW({
      const Scenario s = load_scenario(file.string());
      EXPECT_EQ(s.name, file.stem().string());
    }) << file;
    EXPECT_NE(readme.find("[" + file.filename().string() + "]"), std::string::npos) << file << " is not in the README";
  }
}

// Another implementation of JSON Schema must accept what the parser accepts, and refuse what it refuses.
TEST(ScenarioSchema, AgreesWithTheParserInPythonToo) {
  if (std::system("python3 -c 'import jsonschema' >/dev/null 2>&1") != 0) {
    GTEST_SKIP() << "python3 with jsonschema is not installed";
  }
  const fs::path folder = fs::temp_directory_path() / "headroom-schema-test";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder / name, std::ios::binary) << text;
  };
  write("base.good.json", kBase);
  write("pool.good.json", kPool);
  write("distribution.good.json",
        with_root_key(kBase, R"("cloud": {"boot": {"pending": {"uniform": [1, "2s"]}, "bootstrap": "1m"}})"));
  for (const fs::path& file : scenario_files()) write(file.stem().string() + ".good.json", read_file(file));
  write("unknown.bad.json", with_root_key(kBase, "\"clusterr\": {}"));
  write("both.bad.json", with_root_key(kBase, "\"pool\": {\"processors\": 1}"));
  write("neither.bad.json", replaced(kPool, "\"pool\": {\"processors\": 100},", ""));
  write("names.bad.json", replaced(kBase, "\"size\"", "\"name\": \"abc\", \"size\""));
  write("spot.bad.json", replaced(kBase, "\"id\": \"pcs_login1\"", "\"purchaseOption\": \"SPOTT\""));
  write("duration.bad.json", replaced(kBase, "\"5m\"", "\"5 weeks\""));
  write("limit.bad.json", replaced(kBase, "\"1h\"", "0"));
  write("sources.bad.json", replaced(kPool, "\"trace\"", "\"generator\": \"lublin\", \"trace\""));
  write("later.bad.json", replaced(kBase, "\"runTime\"", "\"het\": [], \"runTime\""));
  write("network.good.json", with_root_key(kBase, "\"network\": {}"));
  write("network.bad.json", with_root_key(kBase, R"("network": {"fabrics": [{"instanceType": "*", "layers": []}]})"));
  write("validate.py",
        "import glob, json, sys, jsonschema\n"
        "schema = json.load(open(sys.argv[1]))\n"
        "jsonschema.Draft7Validator.check_schema(schema)\n"
        "validator = jsonschema.Draft7Validator(schema)\n"
        "wrong = [f for f in glob.glob(sys.argv[2] + '/*.json')\n"
        "         if validator.is_valid(json.load(open(f))) != f.endswith('.good.json')]\n"
        "print('\\n'.join(wrong))\n"
        "sys.exit(1 if wrong else 0)\n");
  std::ofstream(folder / "schema") << scenario_schema();
  const std::string command = "python3 '" + (folder / "validate.py").string() + "' '" + (folder / "schema").string() +
                              "' '" + folder.string() + "'";
  EXPECT_EQ(std::system(command.c_str()), 0) << "the files named above are judged otherwise than the parser does";
  fs::remove_all(folder);
}

}  // namespace
}  // namespace headroom
