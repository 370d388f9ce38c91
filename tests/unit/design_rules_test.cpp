// Every rule of the table against one design that keeps them all (tests/data/designs/good) and one change to it.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/check/rules/design_check.hpp"
#include "models/check/rules/user_data.hpp"
#include "models/files.hpp"
#include "tests/unit/temp_folder.hpp"

namespace headroom::rules {
namespace {

using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kDesigns = std::string(HEADROOM_SOURCE_DIR) + "/tests/data/designs";

// A design's files by name.
using Files = std::map<std::string, std::string>;

Files good_design() {
  Files files;
  for (const auto& each : std::filesystem::directory_iterator(kDesigns + "/good")) {
    files[each.path().filename().string()] = read_file(each.path().string());
  }
  return files;
}

DesignReport report_of(const Files& files, const std::optional<std::string>& edition = {}) {
  const TempFolder folder;
  for (const auto& [name, text] : files) folder.write(name, text);
  return check_design({folder.path()}, edition);
}

std::string summary_of(const DesignReport& report) {
  std::set<std::string> rules;
  for (const Violation& each : report.violations) {
    rules.insert(std::string(each.rule->id) + (each.severity == Severity::warning ? "?" : ""));
  }
  std::string text;
  for (const std::string& rule : rules) text += (text.empty() ? "" : " ") + rule;
  return text;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// One change of one file: `bad` breaks `rules` and nothing else ("?": a warning), `good` breaks nothing. A file that
// the design does not have is added: `from` is empty then.
struct Row {
  const char* rules;
  const char* file;
  std::string from;
  std::string bad;
  std::string good;
};

const std::string kMime =
    "Content-Type: multipart/mixed; boundary=\"b\"\nMIME-Version: 1.0\n\n--b\nContent-Type: text/x-shellscript\n\n"
    "#!/bin/sh\n\n--b--\n";

std::string base64(const std::string& bytes) {
  static constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = (bits << 8) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) text += i + k <= bytes.size() ? kLetters[(bits >> (18 - 6 * k)) & 63] : '=';
  }
  return text;
}

std::string user_data(const std::string& text) {
  return R"({"LaunchTemplateData": {"UserData": ")" + base64(text) + "\"}}";
}

std::string group_in(const std::string& cluster, const std::string& name) {
  return R"({"computeNodeGroup": {"name": ")" + name + R"(", "id": "pcs_)" + name + R"(", "clusterId": ")" + cluster +
         R"(", "status": "ACTIVE", "scalingConfiguration": {"minInstanceCount": 1, "maxInstanceCount": 1},)" +
         R"( "subnetIds": ["subnet-0private1"], "instanceConfigs": [{"instanceType": "c6i.xlarge"}]}})";
}

std::string scenario_with(const std::string& more, const std::string& nodes) {
  return R"({"cluster": {"clusterName": "abc", "size": "SMALL", "scheduler": {"type": "SLURM", "version": "24.05"}},
    "computeNodeGroups": [{"computeNodeGroupName": "grp", "instanceConfigs": [{"instanceType": "c6i.xlarge"}],
      "scalingConfiguration": {"minInstanceCount": 0, "maxInstanceCount": 4}}],
    "queues": [{"queueName": "que", "computeNodeGroupConfigurations": [{"computeNodeGroupId": "grp"}]}],)" +
         more + R"("workload": {"jobs": [{"id": "a", "submit": 0, "nodes": )" + nodes + R"(, "runTime": 60}]}})";
}

std::string efa_template(const std::string& second_card, const std::string& second_groups) {
  return R"({"Placement": {"GroupName": "other-pg"}, "NetworkInterfaces": [
    {"DeviceIndex": 0, "NetworkCardIndex": 0, "InterfaceType": "efa", "SubnetId": "s", "Groups": ["sg-a", "sg-b"]},
    {"DeviceIndex": 1, "NetworkCardIndex": )" +
         second_card + R"(, "InterfaceType": "efa", "SubnetId": "s", "Groups": )" + second_groups + "}]}";
}

std::vector<Row> rows() {
  const std::string six_clusters = [] {
    std::string list;
    for (const char* name : {"aaa", "bbb", "ccc", "ddd", "eee"}) {
      list += std::string(list.empty() ? "" : ", ") + R"({"name": ")" + name + R"(", "status": "ACTIVE"})";
    }
    return list;
  }();
  return {
      {"PCS-1", "cluster.json", R"("wind-tunnel")", R"("2nd_tunnel")", R"("tunnel-2")"},
      {"PCS-1", "more.json", "", R"({"clusters": [{"name": "abc", "id": "pcs_1"}, {"name": "abc", "id": "pcs_2"}]})",
       R"({"clusters": [{"name": "abc", "id": "pcs_1"}, {"name": "abd", "id": "pcs_2"}]})"},
      {"PCS-2", "cluster.json", R"("version": "24.05")", R"("version": "22.05")", R"("version": "23.11")"},
      {"PCS-2", "cluster.json", R"("type": "SLURM")", R"("type": "PBS")", R"("type":"SLURM")"},
      {"PCS-3", "solver.json", R"("maxInstanceCount": 16)", R"("maxInstanceCount": 32)", R"("maxInstanceCount": 31)"},
      {"PCS-3", "cluster.json", R"("size": "SMALL")", R"("size": "HUGE")", R"("size": "LARGE")"},
      {"PCS-3", "resize.json", "",
       R"({"clusterIdentifier": "wind-tunnel", "size": "LARGE", "scheduler": {"version": "24.05"}, "slurmConfiguration": {}})",
       R"({"clusterIdentifier": "wind-tunnel", "slurmConfiguration": {"scaleDownIdleTimeInSeconds": 60}})"},
      {"PCS-4", "more.json", "",
       R"({"clusters": [{"name": "abc", "status": "CREATING"}, {"name": "abd", "status": "CREATING"}]})",
       R"({"clusters": [{"name": "abc", "status": "CREATING"}, {"name": "abd", "status": "ACTIVE"}]})"},
      {"PCS-4?", "more.json", "", "{\"clusters\": [" + six_clusters + R"(, {"name": "fff", "status": "ACTIVE"}]})",
       "{\"clusters\": [" + six_clusters + "]}"},
      {"PCS-5", "cluster.json", R"(["subnet-0private1"])", R"(["subnet-0private1", "subnet-0private2"])",
       R"(["subnet-0private2"])"},
      {"PCS-5", "cluster.json", R"(["sg-0cluster1"])", "[]", R"(["sg-0cluster1", "sg-0other"])"},
      {"PCS-5", "network.json", R"("AvailableIpAddressCount": 4000)", R"("AvailableIpAddressCount": 0)",
       R"("AvailableIpAddressCount": 1)"},
      {"PCS-5", "network.json", R"("us-east-2a")", R"("us-east-2-chi-1a")", R"("us-gov-east-1a")"},
      {"PCS-5", "network.json", R"("InstanceTenancy": "default")", R"("InstanceTenancy": "dedicated")",
       R"("State": "available")"},
      {"PCS-6", "cluster.json", "900", "0", "1"},
      {"PCS-6", "cluster.json", "900", "10000001", "10000000"},
      {"PCS-6", "solver.json", R"("slurmConfiguration": {)",
       R"("slurmConfiguration": {"scaleDownIdleTimeInSeconds": 60,)", R"("slurmConfiguration" : {)"},
      {"PCS-7", "cluster.json", R"("Prolog")", R"("Proleg")", R"("Epilog")"},
      {"PCS-7", "cluster.json", R"("/shared/prolog.d")", R"("/shared/prolog.sh")", R"("/shared/prolog")"},
      {"PCS-16? PCS-7", "cluster.json", R"("CR_CPU_Memory")", R"("CR_Core")", R"("CR_CPU_Memory" )"},
      {"PCS-8 PCS-9", "cluster.json", R"("status": "ACTIVE")", R"("status": "DELETING")", R"("status": "ACTIVE" )"},
      {"PCS-9", "cluster.json", R"("status": "ACTIVE")", R"("status": "CREATING")", R"("status": "ACTIVE" )"},
      {"PCS-10", "login.json", R"("login")", R"("a-name-of-twenty-six-letter")", R"("a-name-of-25-letters-long")"},
      {"PCS-10", "more.json", "", group_in("pcs_cluster1", "solver"), group_in("pcs_elsewhere", "solver")},
      {"PCS-11", "login.json", R"("minInstanceCount": 1)", R"("minInstanceCount": 2)", R"("minInstanceCount": 1 )"},
      {"PCS-11", "solver.json", R"("minInstanceCount": 0)", R"("minInstanceCount": 4)", R"("minInstanceCount": 16)"},
      {"PCS-11", "login.json", R"("minInstanceCount": 1)", R"("minInstanceCount": -1)", R"("minInstanceCount": 1.0)"},
      {"PCS-12", "login.json", R"({"instanceType": "c6i.xlarge"})",
       R"({"instanceType": "c6i.xlarge"}, {"instanceType": "c7g.xlarge"})",
       R"({"instanceType": "c6i.xlarge"}, {"instanceType": "m6i.xlarge"})"},
      {"PCS-13", "update.json", "",
       R"({"clusterIdentifier": "wind-tunnel", "computeNodeGroupIdentifier": "login", "instanceConfigs": [{"instanceType": "c6i.large"}]})",
       R"({"clusterIdentifier": "wind-tunnel", "computeNodeGroupIdentifier": "login", "scalingConfiguration": {"minInstanceCount": 2, "maxInstanceCount": 2}})"},
      {"PCS-14", "login.json", R"("ONDEMAND")", R"("RESERVED")", R"("ONDEMAND" )"},
      {"PCS-14", "solver.json", R"("ONDEMAND")", R"("SPOT")", R"("ONDEMAND" )"},
      {"PCS-14", "login.json", R"("ONDEMAND")", R"("CAPACITY_BLOCK")", R"("ONDEMAND" )"},
      {"PCS-14?", "login.json", R"("purchaseOption")",
       R"("spotOptions": {"allocationStrategy": "lowest-price"}, "purchaseOption")", R"("tags": {}, "purchaseOption")"},
      {"PCS-15?", "login.json", R"(["subnet-0private1"])", R"(["subnet-0private1", "subnet-0private2"])",
       R"(["subnet-0private2"])"},
      {"PCS-16", "solver.json", R"("700000")", R"("800000")", R"("786432")"},
      {"PCS-16", "solver.json", R"("10")", R"("ten")", R"("0")"},
      {"PCS-16", "solver.json", R"("Weight")", R"("Features")", R"("Weight" )"},
      {"PCS-18", "solver.json", R"("ACTIVE")", R"("CREATING")", R"("ACTIVE" )"},
      {"PCS-21", "solver.json", R"("ACTIVE")", R"("DELETING")", R"("ACTIVE" )"},
      {"PCS-25?", "login.json", R"("minInstanceCount": 1)", R"("minInstanceCount": 0)", R"("minInstanceCount": 1 )"},
      {"PCS-25?", "login.json", R"("ONDEMAND")", R"("SPOT")", R"("ONDEMAND" )"},
      {"PCS-26", "login.json", "AWSPCS-wind", "wind", "aws-pcs/wind"},
      {"PCS-30", "queue.json", R"("solve")", R"("no spaces")", R"("solve-2")"},
      {"PCS-30", "queue.json", R"("pcs_solver1")", R"("solvers")", R"("pcs_solver1" )"},
      {"PCS-30?", "queue.json", R"("pcs_solver1")", R"("solver")", R"("pcs_solver1" )"},
      {"PCS-30", "queue.json", R"("queueName")",
       R"("slurmConfiguration": {"slurmCustomSettings": [{"parameterName": "MaxTime", "parameterValue": "1"}]}, "queueName")",
       R"("tags": {}, "queueName")"},
      {"PCS-33?", "s.json", "", scenario_with("", "5"), scenario_with("", "4")},
      {"PCS-40?", "launch-templates.json", R"("KeyName": "wind-tunnel")", R"("InstanceType": "c6i.xlarge")",
       R"("KeyName": "other")"},
      {"PCS-40?", "launch-templates.json", R"("KeyName": "wind-tunnel")", R"("CpuOptions": {"ThreadsPerCore": 2})",
       R"("CpuOptions": {"CoreCount": 2})"},
      {"PCS-41", "t.json", "", user_data("#!/bin/sh\necho hello\n"), user_data(kMime)},
      {"PCS-41", "t.json", "", R"({"UserData": "#!/bin/sh"})", R"({"UserData": ""})"},
      {"PCS-41", "t.json", "", user_data(replaced(kMime, "--b--", "")), user_data("X: y\n" + kMime)},
      {"PCS-42", "launch-templates.json", R"("KeyName")", R"("SecurityGroups": ["default"], "KeyName")",
       R"("KeyName" )"},
      {"PCS-42", "launch-templates.json", R"("Placement")", R"("SecurityGroupIds": ["sg-0cluster1"], "Placement")",
       R"("Placement" )"},
      {"PCS-42", "t.json", "", R"({"NetworkInterfaces": [{"DeviceIndex": 0}]})",
       R"({"NetworkInterfaces": [{"DeviceIndex": 0, "Groups": ["sg-x"]}]})"},
      {"PCS-43", "launch-templates.json", R"("DeviceIndex": 1)", R"("DeviceIndex": 0)", R"("DeviceIndex": 1 )"},
      {"PCS-43", "launch-templates.json", R"("DeviceIndex": 1)", R"("DeviceIndex": 2)", R"("DeviceIndex": 1.0)"},
      {"PCS-43", "launch-templates.json", R"("subnet-0private1")", R"("subnet-0private2")", R"("subnet-0private1" )"},
      {"PCS-43?", "t.json", "", efa_template("2", R"(["sg-a"])"), efa_template("1", R"(["sg-a"])")},
      {"PCS-44", "launch-templates.json", R"("CapacityReservationResourceGroupArn")", R"("CapacityReservationId")",
       R"("CapacityReservationResourceGroupArn" )"},
      {"PCS-44", "t.json", "", R"({"InstanceMarketOptions": {"MarketType": "capacity-block"}})",
       R"({"InstanceMarketOptions": {"MarketType": "spot"}})"},
      {"PCS-45", "launch-templates.json", R"("wind-tunnel-login")", R"("pcs-0123-do-not-delete")",
       R"("pcs-0123-do-delete")"},
      {"PCS-46", "login.json", R"("amiId": "ami-0sample1",)", "", R"("amiId": "ami-0other",)"},
      {"PCS-47?", "security-groups.json", "63000", "61000", "65535"},
      {"PCS-47?", "security-groups.json", "6817", "6818", "1"},
      {"PCS-16 PCS-50", "solver.json", "hpc7a.96xlarge", "c6i.24xlarge", "hpc7a.48xlarge"},
      {"PCS-51 PCS-55", "solver.json", R"(["subnet-0private1"])", R"(["subnet-0private1", "subnet-0private2"])",
       R"(["subnet-0private1" ])"},
      {"PCS-52", "security-groups.json", R"("IpPermissionsEgress": [{"IpProtocol": "-1", "UserId)",
       R"("IpPermissionsEgress": [{"IpProtocol": "tcp", "UserId)",
       R"("IpPermissionsEgress": [{"IpProtocol": "-1" , "UserId)"},
      {"PCS-52", "t.json", "", efa_template("1", R"(["sg-c"])"), efa_template("1", R"(["sg-b", "sg-c"])")},
      {"PCS-53", "t.json", "", efa_template("0", R"(["sg-a"])"), efa_template("1", R"(["sg-a"])")},
      {"PCS-16 PCS-53", "solver.json", "hpc7a.96xlarge", "hpc6a.48xlarge", "hpc7a.96xlarge"},
      {"PCS-54?", "launch-templates.json", R"("Placement": {"GroupName": "solver-pg"},)", "",
       R"("Placement": {"GroupId": "pg-01"},)"},
      {"PCS-54?", "network.json", R"("Strategy": "cluster")", R"("Strategy": "partition")",
       R"("Strategy": "cluster" )"},
      {"PCS-54? PCS-55", "network.json", R"("Strategy": "cluster")", R"("Strategy": "spread")",
       R"("Strategy": "cluster" )"},
      {"PCS-55", "pg.json", "", R"({"GroupName": "pg", "Strategy": "partition", "PartitionCount": 8})",
       R"({"GroupName": "pg", "Strategy": "partition", "PartitionCount": 7})"},
      {"PCS-56?", "network.json", R"("Name": "aws-pcs-sample_ami)", R"("Name": "my)",
       R"("Name": "aws-pcs-sample_ami-other)"},
      {"api-shape", "login.json", R"("clusterIdentifier": "pcs_cluster1",)", "",
       R"("clusterIdentifier": "wind-tunnel",)"},
      {"api-shape", "login.json", R"("amiId")", R"("amId": 1, "amiId")", R"("clientToken": "abcdefgh", "amiId")"},
      {"api-shape", "queue.json", R"("solve")", "5", R"("solver")"},
      {"api-shape", "queue.json", R"("queueName")", R"("queueName": "solve", "queueName")", R"("queueName" )"},
      {"api-reference", "login.json", R"("version": "1")", R"("version": "7")", R"("version": "$Latest")"},
      {"instance-type?", "login.json", "c6i.xlarge", "c6i.xlrge", "c6i.2xlarge"},
      {"scenario", "s.json", "", scenario_with(R"("nothing": 1,)", "1"), scenario_with(R"("name": "x",)", "1")},
  };
}

TEST(DesignRules, GoodDesignsAndTheGuidesExamplesBreakNone) {
  for (const char* folder : {"/good", "/guide"}) {
    const DesignReport report = check_design({kDesigns + folder}, {});
    EXPECT_EQ(design_text(report), std::to_string(report.files.size()) + " files: 0 errors, 0 warnings\n");
    EXPECT_GE(report.files.size(), 7u);
    EXPECT_THAT(report.file_errors, IsEmpty());
    EXPECT_EQ(report.exit_status(true), 0);
  }
}

TEST(DesignRules, ScenariosThatComeWithHeadroomBreakNone) {
  const std::string scenarios = std::string(HEADROOM_SOURCE_DIR) + "/scenarios";
  const DesignReport report = check_design({scenarios, scenarios + "/sbatch"}, {});
  for (const Violation& each : report.violations) {
    EXPECT_THAT(each.rule->id, AnyOf("PCS-15", "PCS-54"))
        << "a scenario may be about several subnets, or about EFA without a placement group\n"
        << design_text(report);
  }
  EXPECT_THAT(report.file_errors, IsEmpty());
  EXPECT_GE(report.files.size(), 23u);
  EXPECT_EQ(report.exit_status(false), 0);
}

TEST(DesignRules, EachIsBrokenByOneChangeAndKeptByAnother) {
  const Files good = good_design();
  for (const Row& row : rows()) {
    for (const bool bad : {true, false}) {
      Files files = good;
      std::string& text = files[row.file];
      text = row.from.empty() ? (bad ? row.bad : row.good) : replaced(text, row.from, bad ? row.bad : row.good);
      const DesignReport report = report_of(files);
      EXPECT_EQ(summary_of(report), bad ? row.rules : "") << row.file << ": " << (bad ? row.bad : row.good) << "\n"
                                                          << design_text(report);
      EXPECT_THAT(report.file_errors, IsEmpty()) << row.bad;
      for (const Violation& each : report.violations) {
        EXPECT_GT(each.line, 0) << each.found;
        EXPECT_FALSE(each.found.empty());
        EXPECT_FALSE(each.remedy.empty()) << each.found;
        EXPECT_THAT(each.found, testing::Not(HasSubstr("[PCS-")));
      }
    }
  }
}

TEST(DesignRules, TheTableTestHasEveryRuleThatFilesCanBreak) {
  std::string tested;
  for (const Row& row : rows()) tested += std::string(row.rules) + " ";
  std::replace(tested.begin(), tested.end(), '?', ' ');
  for (const Rule& rule : all_rules()) {
    const bool found = tested.find(std::string(rule.id) + " ") != std::string::npos;
    EXPECT_EQ(found, rule.basis == Basis::files) << rule.id;
  }
}

TEST(DesignRules, TheTableHasEveryRuleOfPcs) {
  std::vector<std::string> expected;
  const std::pair<int, int> ranges[] = {{1, 26}, {30, 33}, {40, 47}, {50, 56}, {60, 62}, {70, 72}};
  for (const auto& [first, last] : ranges) {
    for (int n = first; n <= last; ++n) expected.push_back("PCS-" + std::to_string(n));
  }
  std::vector<std::string> found;
  for (const Rule& rule : all_rules()) {
    if (rule.id.starts_with("PCS-")) found.emplace_back(rule.id);
    EXPECT_FALSE(rule.title.empty() || rule.how.empty()) << rule.id;
  }
  std::erase(expected, "PCS-27");
  EXPECT_EQ(found, expected);
}

TEST(DesignRules, EditionIsWhatTheVersionOfSlurmOrTheOptionSays) {
  Files files = good_design();
  files["login.json"] = replaced(files["login.json"], "\"minInstanceCount\": 1, \"maxInstanceCount\": 1",
                                 "\"minInstanceCount\": 1, \"maxInstanceCount\": 3");
  EXPECT_EQ(summary_of(report_of(files)), "PCS-11 PCS-25?");
  EXPECT_EQ(summary_of(report_of(files, "2026-08")), "PCS-2 PCS-25?");
  files["cluster.json"] = replaced(files["cluster.json"], "24.05", "25.05");
  EXPECT_EQ(summary_of(report_of(files)), "PCS-25?") << "a mix, and Slurm 25.05";
  EXPECT_EQ(summary_of(report_of(files, "2024-12")), "PCS-11 PCS-2 PCS-25?");
  const std::string block = R"({"InstanceMarketOptions": {"MarketType": "capacity-block"},
    "CapacityReservationSpecification": {"CapacityReservationTarget": {"CapacityReservationId": "cr-1"}}})";
  EXPECT_EQ(summary_of(report_of({{"t.json", block}}, "2026-08")), "") << "a Capacity Block is named by its id";
  EXPECT_EQ(summary_of(report_of({{"t.json", block}})), "PCS-44");
}

TEST(DesignRules, ConflictsAndMissingThingsHaveTheExceptionOfTheApi) {
  const DesignReport twice =
      report_of({{"a.json", R"({"clusters": [{"name": "abc", "id": "1"}, {"name": "abc", "id": "2"}]})"}});
  ASSERT_EQ(twice.violations.size(), 1u);
  EXPECT_EQ(twice.violations[0].exception, "ConflictException");
  EXPECT_EQ(twice.violations[0].path, "clusters[1].name");
  const DesignReport name = report_of({{"a.json", R"({"clusters": [{"name": "a b", "id": "1"}]})"}});
  ASSERT_EQ(name.violations.size(), 1u);
  EXPECT_EQ(name.violations[0].exception, "ValidationException");
}

TEST(DesignRules, AScenarioReportsWhatItsParserRefusesOnce) {
  std::string text = scenario_with("", "5");
  text = replaced(text, "\"maxInstanceCount\": 4", "\"maxInstanceCount\": 40");
  text = replaced(text, "\"minInstanceCount\": 0", "\"minInstanceCount\": 2");
  text = replaced(text, "24.05", "21.08");
  text = replaced(text, "\"abc\"", "\"a_b\"");
  text = replaced(text, "\"que\"", "\"q u\"");
  text = replaced(text, "c6i.xlarge\"}", "c6i.xlarge\"}, {\"instanceType\": \"c7g.xlarge\"}");
  text = replaced(text, "\"runTime\"", "\"runTme\"");
  const DesignReport report = report_of({{"s.json", text}});
  EXPECT_EQ(summary_of(report), "PCS-1 PCS-11 PCS-12 PCS-2 PCS-3 PCS-30 scenario");
  EXPECT_EQ(report.violations.size(), 8u) << design_text(report) << "the misspelt key, and the one that is missing";
}

TEST(DesignRules, AScenariosPartsAreHeldToAllRules) {
  const std::string more =
      R"("subnets": {"a": {"availabilityZone": "us-east-1a"}, "b": {"availabilityZone": "us-east-1b"}},
    "launchTemplates": {"lt": {"UserData": "x", "SecurityGroups": ["default"], "Placement": {"GroupName": "pg"},
      "NetworkInterfaces": [{"DeviceIndex": 0, "InterfaceType": "efa", "Groups": ["sg-1"]}]}},
    "placementGroups": {"pg": {}},)";
  std::string text = scenario_with(more, "1");
  text =
      replaced(text, "\"computeNodeGroupName\"",
               "\"subnetIds\": [\"a\", \"b\"], \"customLaunchTemplate\": {\"id\": \"lt\"}, \"computeNodeGroupName\"");
  EXPECT_EQ(summary_of(report_of({{"s.json", text}})), "PCS-41 PCS-42 PCS-50 PCS-51 PCS-55");
}

// What only shows when a run begins: policies, prices, types.
TEST(DesignRules, AScenarioReportsWhatARunWouldRefuse) {
  const auto only = [](const std::string& text) {
    const DesignReport report = report_of({{"s.json", text}});
    EXPECT_EQ(report.violations.size(), 1u) << design_text(report);
    EXPECT_EQ(report.exit_status(false), 1);
    return report.violations.empty() ? Violation{} : report.violations.front();
  };
  const Violation key = only(
      scenario_with("\"scheduler\": {\"policy\": \"easy\",\n\"slurm\": {\"SchedulerParameters\": \"defer\"}},", "1"));
  EXPECT_EQ(key.rule->id, "scenario");
  EXPECT_EQ(key.path, "scheduler.slurm");
  EXPECT_GT(key.line, 4);
  const Violation price = only(scenario_with("\"region\": \"mars-1\",", "1"));
  EXPECT_EQ(price.path, "computeNodeGroups[0]");
  EXPECT_THAT(price.found, HasSubstr("no price of c6i.xlarge in region mars-1"));
  const Violation type = only(replaced(scenario_with("", "1"), "c6i.xlarge", "c6i.xlrge"));
  EXPECT_EQ(type.rule->id, "instance-type");
  EXPECT_THAT(type.found, HasSubstr("did you mean \"c6i.xlarge\"?"));
}

TEST(DesignRules, FilesThatAreNoneDoNotHideTheOthers) {
  const TempFolder folder;
  folder.write("a.json", R"({"clusters": [{"name": "a b"}]})");
  folder.write("b.json", "{\"x\": ");
  folder.write("c.json", R"({"clustername": "abc"})");
  folder.write("d.json", "[1]");
  folder.write("e.json", std::string("\x7f"
                                     "ELF\0\0\xff\xfe",
                                     8));
  folder.write("f.json", "");
  folder.write("g.json", std::string(100'000, '['));
  folder.write("h.json", std::string((16u << 20) + 1, ' '));
  folder.write("not-json.txt", "x");
  std::filesystem::create_directory(folder.file("i.json"));
  const DesignReport report = check_design({folder.path(), folder.file("a.json"), folder.file("nowhere.json")}, {});
  EXPECT_EQ(summary_of(report), "PCS-1");
  EXPECT_EQ(report.violations.size(), 1u) << "a file given twice is read once";
  ASSERT_EQ(report.file_errors.size(), 8u);
  EXPECT_THAT(report.file_errors[1].text, HasSubstr("did you mean \"clusterName\"? Expected a scenario"));
  EXPECT_THAT(report.file_errors[2].text, HasSubstr("holds an array; expected"));
  EXPECT_THAT(report.file_errors[5].text, HasSubstr("nested deeper"));
  EXPECT_THAT(report.file_errors[6].text, HasSubstr("larger than 16 MiB"));
  EXPECT_THAT(report.file_errors[7].text, HasSubstr("cannot be read: No such file"));
  EXPECT_EQ(report.exit_status(false), 3);
  const TempFolder empty;
  EXPECT_THAT(check_design({empty.path()}, {}).file_errors[0].text, "a folder without *.json files");
}

// Every value of the good design in turn becomes something else: whatever comes of it, it is a report.
TEST(DesignRules, WrongTypesEverywhereAreReported) {
  const Files good = good_design();
  const std::vector<nlohmann::json> values = {nullptr,
                                              7,
                                              -1.5,
                                              true,
                                              "\xc3\xa4",
                                              nlohmann::json::array(),
                                              nlohmann::json::object(),
                                              nlohmann::json::array({nullptr, 1, "x", {{"a", 1}}})};
  std::size_t tried = 0;
  for (const auto& [name, text] : good) {
    const nlohmann::json whole = nlohmann::json::parse(text);
    const nlohmann::json leaves = whole.flatten();
    for (const auto& leaf : leaves.items()) {
      nlohmann::json::json_pointer at(leaf.key());
      for (; !at.empty(); at = at.parent_pointer()) {
        const nlohmann::json& wrong = values[tried++ % values.size()];
        nlohmann::json changed = whole;
        changed[at] = wrong;
        Files files = good;
        files[name] = changed.dump();
        const DesignReport report = report_of(files);
        EXPECT_NE(design_text(report), "");
      }
    }
  }
  EXPECT_GT(tried, 300u);
}

TEST(DesignRules, UserDataOfAnyBytesIsJudged) {
  EXPECT_EQ(decode_base64("aGFsbG8="), "hallo");
  EXPECT_EQ(decode_base64("aGFs\nbG8h"), "hallo!");
  EXPECT_EQ(decode_base64(""), "");
  for (const char* wrong : {"a", "aGFsbG8", "aGFs=G8=", "====", "a b=", "#!/bin/sh\n", "\xff\xff\xff\xff"}) {
    EXPECT_EQ(decode_base64(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(mime_problem(kMime), "");
  EXPECT_EQ(mime_problem(replaced(kMime, "\"b\"", "b")), "") << "cloud-init reads it, too";
  std::string crlf;
  for (const char c : kMime) crlf += c == '\n' ? std::string("\r\n") : std::string(1, c);
  EXPECT_EQ(mime_problem(crlf), "");
  EXPECT_THAT(mime_problem(""), HasSubstr("begins with \"\""));
  EXPECT_THAT(mime_problem("\xff\xfe\x00:\n"), HasSubstr("expected the headers"));
  EXPECT_THAT(mime_problem("\x1f\x8b\x08"), HasSubstr("gzip"));
  EXPECT_THAT(mime_problem(replaced(kMime, "MIME-Version: 1.0\n", "")), HasSubstr("MIME-Version"));
  EXPECT_THAT(mime_problem(replaced(kMime, "; boundary=\"b\"", "")), HasSubstr("names no boundary"));
  EXPECT_THAT(mime_problem(replaced(kMime, "--b--", "")), HasSubstr("closing boundary --b--"));
  EXPECT_THAT(mime_problem(replaced(kMime, "\n--b\n", "\n")), HasSubstr("no part"));
  EXPECT_THAT(mime_problem(replaced(kMime, "Content-Type: text", "X: text")), HasSubstr("the type of part 1"));
  EXPECT_THAT(mime_problem(replaced(kMime, "x-shellscript", "html")), HasSubstr("\"text/html\""));
}

TEST(DesignRules, AGreatManyViolationsAreCut) {
  std::string list;
  for (int i = 0; i < 20'000; ++i) list += std::string(i > 0 ? "," : "") + R"({"name": "-)" + std::to_string(i) + "\"}";
  const DesignReport report = report_of({{"a.json", "{\"clusters\": [" + list + "]}"}});
  EXPECT_TRUE(report.cut);
  EXPECT_LE(report.violations.size(), Violations::kKept);
  EXPECT_THAT(design_text(report), HasSubstr("the rest was not looked for"));
}

// What SARIF 2.1.0 (OASIS) asks of what is written here.
TEST(DesignReport, IsSarif) {
  const TempFolder folder;
  folder.write("a b.json", R"({"clusters": [{"name": "a b"}]})");
  folder.write("bad.json", "{");
  const DesignReport report = check_design({folder.path()}, {});
  const auto sarif = nlohmann::json::parse(design_sarif(report, false));
  EXPECT_EQ(sarif.at("version"), "2.1.0");
  EXPECT_THAT(sarif.at("$schema").get<std::string>(), HasSubstr("sarif-2.1.0"));
  ASSERT_EQ(sarif.at("runs").size(), 1u);
  const auto& run = sarif.at("runs")[0];
  const auto& driver = run.at("tool").at("driver");
  EXPECT_EQ(driver.at("name"), "headroom");
  std::set<std::string> ids;
  for (const auto& rule : driver.at("rules")) {
    EXPECT_TRUE(ids.insert(rule.at("id")).second) << "ids are unique";
    EXPECT_FALSE(rule.at("shortDescription").at("text").get<std::string>().empty());
    EXPECT_TRUE(rule.at("defaultConfiguration").at("level") == "error" ||
                rule["defaultConfiguration"]["level"] == "warning");
  }
  ASSERT_EQ(run.at("results").size(), 1u);
  const auto& result = run["results"][0];
  EXPECT_EQ(driver["rules"][result.at("ruleIndex").get<std::size_t>()].at("id"), result.at("ruleId"));
  EXPECT_EQ(result.at("level"), "error");
  EXPECT_THAT(result.at("message").at("text").get<std::string>(), HasSubstr("clusters[0].name"));
  const auto& location = result.at("locations").at(0);
  const std::string uri = location.at("physicalLocation").at("artifactLocation").at("uri");
  EXPECT_THAT(uri, testing::StartsWith("file:///"));
  EXPECT_THAT(uri, testing::EndsWith("/a%20b.json"));
  EXPECT_EQ(location["physicalLocation"].at("region").at("startLine"), 1);
  EXPECT_EQ(location.at("logicalLocations").at(0).at("fullyQualifiedName"), "clusters[0].name");
  const auto& invocation = run.at("invocations").at(0);
  EXPECT_EQ(invocation.at("executionSuccessful"), false);
  EXPECT_EQ(invocation.at("exitCode"), 3);
  EXPECT_EQ(invocation.at("toolExecutionNotifications").size(), 1u);
}

TEST(DesignReport, PrintsNoControlCharacters) {
  const DesignReport report = report_of({{"a.json", R"({"clusters": [{"name": "\u001b[31m\u0007"}]})"}});
  const std::string text = design_text(report);
  EXPECT_EQ(
      std::count_if(text.begin(), text.end(), [](char c) { return c != '\n' && static_cast<unsigned char>(c) < 0x20; }),
      0);
  EXPECT_EQ(summary_of(report), "PCS-1");
}

// The table in docs/check.md is this table; its examples are read.
TEST(DesignRules, ThePageHasTheTable) {
  const std::string path = std::string(HEADROOM_SOURCE_DIR) + "/docs/check.md";
  const std::string page = read_file(path);
  const std::string begin = "<!-- made from the table of rules; UPDATE=1 renews it -->\n";
  const std::string end = "<!-- end of the table -->";
  const auto from = page.find(begin);
  const auto to = page.find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos);
  const std::string renewed = page.substr(0, from + begin.size()) + rules_markdown() + page.substr(to);
  if (std::getenv("UPDATE") != nullptr) {
    WholeFile file(path);
    file.write(renewed);
    file.commit();
  } else {
    EXPECT_EQ(page, renewed) << "UPDATE=1 renews it";
  }
}

TEST(DesignRules, TheExamplesOfThePageBreakWhatItSays) {
  const std::string page = read_file(std::string(HEADROOM_SOURCE_DIR) + "/docs/check.md");
  std::vector<std::string> found;
  for (std::size_t at = 0; (at = page.find("```json\n", at)) != std::string::npos;) {
    at += 8;
    const DesignReport report = report_of({{"example.json", page.substr(at, page.find("```", at) - at)}});
    EXPECT_THAT(report.file_errors, IsEmpty());
    found.push_back(summary_of(report));
  }
  EXPECT_THAT(found, ElementsAre("PCS-11 PCS-26", "PCS-40? PCS-41 PCS-42 PCS-54?"));
}

}  // namespace
}  // namespace headroom::rules
