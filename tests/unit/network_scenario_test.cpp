// What scenarios say about the network, and what a run tells of where its jobs were.
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/errors.hpp"
#include "models/report/network_view.hpp"
#include "models/report/summary.hpp"
#include "models/report/tables.hpp"
#include "models/scenario/cloud_design.hpp"
#include "models/simulation.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kFabric = R"({"instanceType": "hpc6a.*", "layers": [1, 2, 3], "slotsPerLeaf": 8})";

// A group of 48 hpc6a in the placement group "near", and two jobs.
std::string scenario_text(const std::string& network, const std::string& launch_template = "lt-efa",
                          const std::string& root = "", const std::string& policy = "easy") {
  return R"({"name": "network", "region": "us-east-2",
  "cluster": {"clusterName": "net-1", "scheduler": {"type": "SLURM", "version": "24.05"}, "size": "MEDIUM"},
  "computeNodeGroups": [{"computeNodeGroupName": "hpc", "subnetIds": ["sn-b"],
    "scalingConfiguration": {"minInstanceCount": 0, "maxInstanceCount": 48},
    "instanceConfigs": [{"instanceType": "hpc6a.48xlarge"}], "customLaunchTemplate": {"id": ")" +
         launch_template + R"("}}],
  "queues": [{"queueName": "one", "computeNodeGroupConfigurations": [{"computeNodeGroupId": "hpc"}]},
             {"queueName": "two", "computeNodeGroupConfigurations": [{"computeNodeGroupId": "hpc"}]}],
  "subnets": {"sn-b": {"availabilityZone": "us-east-2b"}, "sn-c": {"availabilityZone": "us-east-2c"}},
  "placementGroups": {"near": {}},
  "launchTemplates": {
    "lt-efa": {"Placement": {"GroupName": "near"}, "NetworkInterfaces": [{"InterfaceType": "efa"}]},
    "lt-two": {"NetworkInterfaces": [{"InterfaceType": "efa"}, {"InterfaceType": "efa-only"}]},
    "lt-plain": {"NetworkInterfaces": [{"InterfaceType": "interface"}, {}, 7]}},
  "scheduler": {"policy": ")" +
         policy + R"("},
  )" + (root.empty() ? "" : root + ",\n") +
         (network.empty() ? "" : R"("network": )" + network + ",\n") +
         R"("workload": {"jobs": [
    {"id": "a", "queue": "one", "nodes": 10, "exclusive": true, "runTime": 600, "timeLimit": 900},
    {"id": "b", "queue": "two", "nodes": 20, "exclusive": true, "submit": 60, "runTime": 600, "timeLimit": 900},
    {"id": "c", "queue": "one", "nodes": 1, "exclusive": true, "submit": 60, "runTime": 600, "timeLimit": 900}]}})";
}

std::string error_of(const std::string& text) {
  try {
    make_design(parse_scenario(text, "s.json"));
    return {};
  } catch (const InputError& error) {
    return error.what();
  }
}

struct NetRun {
  Scenario scenario;
  Design design;
  Workload workload;
  SimulationResult result{RunRecord(0), {}};
  std::string view, view_json;

  explicit NetRun(const std::string& text, std::optional<Time> look = {}) : scenario(parse_scenario(text, "s.json")) {
    design = make_design(scenario);
    workload = load_workload(scenario, design);
    SimulationOptions options;
    if (look) options.looks = {*look};
    options.look = [&](const Moment& moment) {
      view = network_table(network_rows(moment), moment);
      view_json = network_json(network_rows(moment), moment);
    };
    result = simulate(scenario, design, workload, options);
  }
  RunContext context() const { return {scenario, design, workload, result.digest}; }
  nlohmann::json summary() const {
    return nlohmann::json::parse(summary_json(summarize(result.record, context()), result.record, context()));
  }
};

// --- keys ---

TEST(NetworkScenario, ReadsEveryKeyOfAFabric) {
  const Scenario scenario = parse_scenario(scenario_text(R"({"placementScope": "job", "fabrics": [
      {"instanceType": "hpc6a.48xlarge", "availabilityZone": "us-east-2b", "layers": [2, 3, 4, 5], "slotsPerLeaf": 7,
       "occupied": 0.25, "correlation": 0.5, "holdTime": "2h", "segmentLayer": 2, "fill": "packed"},
      {"instanceType": "*", "layers": [1, 2, 3], "slotsPerLeaf": 8}]})"),
                                           "s.json");
  ASSERT_EQ(scenario.network.fabrics.size(), 2u);
  const FabricDesign& all = scenario.network.fabrics[0];
  EXPECT_EQ(all.instance_type, "hpc6a.48xlarge");
  EXPECT_EQ(all.zone, "us-east-2b");
  EXPECT_THAT(all.layers, ElementsAre(2, 3, 4, 5));
  EXPECT_EQ(all.slots_per_leaf, 7);
  EXPECT_EQ(all.occupied, 0.25);
  EXPECT_EQ(all.correlation, 0.5);
  EXPECT_EQ(all.hold_time, 2 * kHour);
  EXPECT_EQ(all.segment_layer, 2);
  EXPECT_EQ(all.fill, FabricDesign::Fill::packed);
  const FabricDesign& few = scenario.network.fabrics[1];
  EXPECT_EQ(few.zone, "");
  EXPECT_EQ(few.occupied, 0);
  EXPECT_EQ(few.hold_time, 6 * kHour);
  EXPECT_EQ(few.segment_layer, 2) << "the layer above the leaves";
  EXPECT_EQ(few.fill, FabricDesign::Fill::random);
  EXPECT_EQ(scenario.network.placement_scope, PlacementScope::job);
  const Design design = make_design(scenario);
  EXPECT_EQ(design.fabrics.size(), 3u) << "one in its zone, the other in both";
  EXPECT_EQ(design.spec.topology->leaf_count(), 120u + 2 * 6);
  EXPECT_EQ(ec2_settings(scenario, design, 0).fabrics.size(), 3u);
}

TEST(NetworkScenario, SaysWhatIsWrongAndWhere) {
  const std::pair<std::string, std::string> cases[] = {
      {R"({"fabrics": [{"instanceType": "hpc6a.*", "slotsPerLeaf": 8}]})", "network.fabrics[0].layers: missing"},
      {R"({"fabrics": [{"instanceType": "*", "layers": [], "slotsPerLeaf": 8}]})",
       "network.fabrics[0].layers: found 0 elements, expected an array of at least 1 element"},
      {R"({"fabrics": [{"instanceType": "*", "layers": [1, 0], "slotsPerLeaf": 8}]})",
       "network.fabrics[0].layers[1]: found 0, expected an integer from 1"},
      {R"({"fabrics": [{"instanceType": "*", "layers": [1, "two"], "slotsPerLeaf": 8}]})",
       "network.fabrics[0].layers[1]: found \"two\""},
      {R"({"fabrics": [{"instanceType": "*", "layers": [1, 2, 3, 4, 5], "slotsPerLeaf": 8}]})",
       "network.fabrics[0].layers: found 5 layers, expected 4 at most"},
      {R"({"fabrics": [{"instanceType": "*", "layers": [10000, 10000, 10000, 10000], "slotsPerLeaf": 10000}]})",
       "network.fabrics[0].layers: more than 1000000 slots in all"},
      {R"({"fabrics": [{"instanceType": "*", "layers": [1, 2], "slotsPerLeaf": 8, "segmentLayer": 3}]})",
       "network.fabrics[0].segmentLayer: found 3, but there are 2 layers"},
      {R"({"fabrics": [{"instanceType": "*", "layers": [1, 2], "slotsPerLeaf": 8, "occupied": 1.5}]})",
       "network.fabrics[0].occupied: found 1.5"},
      {R"({"fabrics": [{"instanceType": "*", "layers": [1, 2], "slotsPerLeaf": 8, "holdTime": "5s"}]})",
       "network.fabrics[0].holdTime: found \"5s\""},
      {R"({"fabrics": [{"instanceType": "*", "layers": [1, 2], "slotsPerLeaf": 8, "fill": "even"}]})",
       "network.fabrics[0].fill: found \"even\", expected \"random\" or \"packed\""},
      {R"({"fabrics": [{"instanceType": "h*c", "layers": [1, 2], "slotsPerLeaf": 8}]})",
       "network.fabrics[0].instanceType: found \"h*c\", expected an instance type, a beginning and *, or *"},
      {R"({"fabrics": [{"instanceType": "hpc6z.*", "layers": [1, 2], "slotsPerLeaf": 8}]})",
       "network.fabrics[0].instanceType: no instance type in the catalog is like \"hpc6z.*\""},
      {R"({"fabrics": [{"instanceType": "*", "availabilityZone": "us-east-2d", "layers": [1], "slotsPerLeaf": 8}]})",
       "network.fabrics[0].availabilityZone: no subnet is in \"us-east-2d\""},
      {R"({"fabrics": [{"instanceType": "*", "layers": [1], "slotsPerLeaf": 8, "slots": 3}]})",
       "network.fabrics[0].slots: unknown key"},
      {R"({"placementScope": "user"})",
       "network.placementScope: found \"user\", expected \"group\", \"queue\" or \"job\""}};
  for (const auto& [network, message] : cases) {
    EXPECT_THAT(error_of(scenario_text(network)), HasSubstr(message)) << network;
  }
  EXPECT_THAT(
      error_of(scenario_text(R"({"placementScope": "queue"})", "lt-efa", R"("capacityReservations": [
      {"id": "cr-1", "instanceType": "hpc6a.48xlarge", "availabilityZone": "us-east-2b", "instanceCount": 4,
       "placementGroup": "near"}])")),
      HasSubstr("network.placementScope: found \"queue\", but reservation \"cr-1\" is inside a placement group"));
  EXPECT_EQ(error_of(scenario_text("{}")), "");
}

TEST(NetworkScenario, KnowsWhichGroupsCanUseEfa) {
  const auto facts = [](const std::string& launch_template, const std::string& from = "", const std::string& to = "") {
    std::string text = scenario_text("", launch_template);
    if (const auto at = text.find(from); !from.empty() && at != std::string::npos) text.replace(at, from.size(), to);
    return make_design(parse_scenario(text, "s.json")).groups[0];
  };
  EXPECT_TRUE(facts("lt-efa").efa);
  EXPECT_EQ(facts("lt-efa").efa_interfaces, 1);
  EXPECT_FALSE(facts("lt-plain").efa) << "asks for none";
  EXPECT_EQ(facts("lt-plain").efa_interfaces, 0);
  EXPECT_FALSE(facts("lt-two").efa) << "hpc6a takes one [PCS-53]";
  EXPECT_EQ(facts("lt-two").efa_interfaces, 2);
  EXPECT_FALSE(facts("lt-efa", R"(["sn-b"])", R"(["sn-b", "sn-c"])").efa) << "one subnet [PCS-51]";
  EXPECT_FALSE(facts("lt-efa", "hpc6a.48xlarge", "c6i.xlarge").efa) << "a type without EFA [PCS-50]";
  EXPECT_TRUE(facts("lt-two", "hpc6a.48xlarge", "hpc7a.96xlarge").efa) << "takes two";
  std::string wrong = scenario_text("");
  wrong.replace(wrong.find(R"([{"InterfaceType": "efa"}])"), 26, R"({"InterfaceType": "efa"})");
  EXPECT_THAT(error_of(wrong),
              HasSubstr("launchTemplates.lt-efa.NetworkInterfaces: found an object, expected an array"));
}

// --- runs ---

TEST(NetworkRun, ChangesNothingWhereNoFabricTakesTheType) {
  const NetRun without(scenario_text(""));
  const NetRun other(scenario_text(R"({"fabrics": [{"instanceType": "c6i.*", "layers": [1], "slotsPerLeaf": 8}]})"));
  EXPECT_EQ(without.result.digest, other.result.digest);
  EXPECT_THAT(jobs_csv(without.result.record, without.context()), Not(HasSubstr("hops")));
  EXPECT_THAT(nodes_csv(without.result.record, without.context()), Not(HasSubstr("network_node")));
  EXPECT_FALSE(without.summary().contains("network"));
}

TEST(NetworkRun, TellsWhereEveryInstanceIsAndHowFarApartJobsAre) {
  for (const char* policy : {"easy", "slurm"}) {
    const NetRun run(scenario_text(R"({"fabrics": [)" + kFabric + "]}", "lt-efa", "", policy), 400 * kSecond);
    const NetworkTopology& topology = *run.design.spec.topology;
    std::vector<LeafId> all;
    for (const InstanceRecord& instance : run.result.record.instances()) {
      if (instance.refused) continue;
      ASSERT_NE(instance.leaf, kNoLeaf) << policy;
      all.push_back(instance.leaf);
    }
    // A segment has 24 slots, and the placement group is never empty: the wide job waits, and uses nodes of the first.
    EXPECT_GE(all.size(), 20u) << policy;
    EXPECT_LE(all.size(), 24u) << policy;
    std::set<std::uint32_t> segments;
    for (const LeafId leaf : all) segments.insert(topology.ancestor(leaf, 3));
    EXPECT_EQ(segments.size(), 1u) << policy;
    const nlohmann::json summary = run.summary();
    EXPECT_EQ(summary["network"]["jobs"], 2) << "a job of one node has no pairs";
    std::int64_t pairs = 0;
    for (const auto& [hops, n] : summary["network"]["pairs"].items()) pairs += n.get<std::int64_t>();
    EXPECT_EQ(pairs, 45 + 190);
    EXPECT_EQ(summary["by_node_group"]["hpc"]["efa_interfaces"], 1);
    for (const JobRecord& job : run.result.record.jobs()) {
      std::set<std::uint32_t> above;
      for (const LeafId leaf : leaves_of(run.result.record, job)) above.insert(topology.ancestor(leaf, 3));
      EXPECT_EQ(above.size(), 1u) << policy;
    }
    EXPECT_THAT(jobs_csv(run.result.record, run.context()),
                HasSubstr(",lost_cost_usd,leaves,diameter_hops,mean_hops\n"));
    EXPECT_THAT(nodes_csv(run.result.record, run.context()), HasSubstr(",nn-us-east-2b-1-"));
    EXPECT_THAT(run.view, HasSubstr("NETWORK NODE"));
    EXPECT_THAT(run.view, HasSubstr("us-east-2b"));
    EXPECT_THAT(run.view, HasSubstr("(a)"));
    const nlohmann::json rows = nlohmann::json::parse(run.view_json);
    std::int64_t on_leaves = 0;
    for (const nlohmann::json& row : rows) on_leaves += row["leaf"] ? row["instances"].get<std::int64_t>() : 0;
    EXPECT_EQ(rows[0]["network_node"], "us-east-2");
    EXPECT_EQ(rows[0]["instances"], on_leaves) << "the region has what its leaves have";
    EXPECT_EQ(NetRun(scenario_text(R"({"fabrics": [)" + kFabric + "]}", "lt-efa", "", policy)).result.digest,
              run.result.digest)
        << "looking changes nothing";
  }
}

TEST(NetworkRun, GivesEachQueueOrJobAClusterOfItsOwn) {
  const auto started = [](const std::string& scope) {
    const NetRun run(scenario_text(R"({"placementScope": ")" + scope + R"(", "fabrics": [)" + kFabric + "]}"));
    std::map<std::string, std::uint32_t> segment;
    for (std::size_t j = 0; j < 3; ++j) {
      const JobRecord& job = run.result.record.jobs()[j];
      EXPECT_EQ(job.state, JobState::completed) << scope;
      segment[run.workload.job_names[j]] =
          run.design.spec.topology->ancestor(leaves_of(run.result.record, job).front(), 3);
    }
    const Time late = run.result.record.jobs()[1].start - run.result.record.jobs()[1].request.submit;
    return std::pair(segment, late);
  };
  const auto [shared, shared_wait] = started("group");
  EXPECT_GT(shared_wait, 300 * kSecond) << "24 slots do not hold both jobs";
  const auto [queues, queues_wait] = started("queue");
  EXPECT_LT(queues_wait, 200 * kSecond);
  EXPECT_NE(queues.at("a"), queues.at("b"));
  EXPECT_EQ(queues.at("a"), queues.at("c")) << "of one queue";
  const auto [jobs, jobs_wait] = started("job");
  EXPECT_LT(jobs_wait, 200 * kSecond);
  EXPECT_NE(jobs.at("a"), jobs.at("b"));
}

// 2 + 1 + 1 nodes on three leaves: 1 pair at 2 hops; two leaves below one node, the third elsewhere.
TEST(NetworkView, CountsPairsByHops) {
  const NetworkTopology topology(
      {{"r", NetworkNode::kRoot}, {"z", 0}, {"1", 1}, {"2", 1}, {"1a", 2}, {"1b", 2}, {"2a", 3}});
  const std::map<std::int32_t, std::int64_t> expected = {{2, 1}, {4, 2}, {6, 3}};
  EXPECT_EQ(pairs_by_hops(topology, {LeafId{0}, LeafId{2}, LeafId{0}, LeafId{1}}), expected);
  EXPECT_TRUE(pairs_by_hops(topology, {LeafId{1}}).empty());
}

}  // namespace
}  // namespace headroom
