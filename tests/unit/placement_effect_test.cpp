// What scenarios say of messages, which transport a job's nodes have, and runs in which it matters.
#include "models/network/placement_effect.hpp"

#include <cmath>
#include <map>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/errors.hpp"
#include "models/report/stretch.hpp"
#include "models/report/tables.hpp"
#include "models/simulation.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// Groups of eight nodes, one queue over all of them. `groups`: name, further keys, instance types.
struct Group {
  std::string name;
  std::string keys;
  std::vector<std::string> types;
};
std::string scenario_text(const std::vector<Group>& groups, const std::string& workload, const std::string& root = "") {
  std::string list;
  std::string served;
  for (const Group& group : groups) {
    std::string types;
    for (const std::string& type : group.types) {
      types += std::string(types.empty() ? "" : ", ") + R"({"instanceType": ")" + type + "\"}";
    }
    list += std::string(list.empty() ? "" : ",\n") + R"({"computeNodeGroupName": ")" + group.name + "\", " +
            (group.keys.empty() ? "" : group.keys + ", ") +
            R"("scalingConfiguration": {"minInstanceCount": 0, "maxInstanceCount": 8}, "instanceConfigs": [)" + types +
            "]}";
    served += std::string(served.empty() ? "" : ", ") + R"({"computeNodeGroupId": ")" + group.name + "\"}";
  }
  return R"({"region": "us-east-2", "pcsEdition": "2026-08",
  "cluster": {"clusterName": "c-1", "scheduler": {"type": "SLURM", "version": "25.05"}, "size": "MEDIUM"},
  "subnets": {"sn-a": {"availabilityZone": "us-east-2a"}, "sn-a2": {"availabilityZone": "us-east-2a"},
              "sn-b": {"availabilityZone": "us-east-2b"}},
  "placementGroups": {"tight": {"strategy": "cluster"}, "loose": {"strategy": "partition"}},
  "launchTemplates": {
    "lt-tight": {"Placement": {"GroupName": "tight"}, "NetworkInterfaces": [{"InterfaceType": "efa"}]},
    "lt-loose": {"Placement": {"GroupName": "loose"}, "NetworkInterfaces": [{"InterfaceType": "efa-only"}]},
    "lt-plain": {"Placement": {"GroupName": "tight"}, "NetworkInterfaces": [{"InterfaceType": "interface"}]}},
  "cloud": {"boot": {"pending": 10, "bootstrap": 20}, "prices": {"p4d.24xlarge": 1, "p4de.24xlarge": 1, "c5n.18xlarge": 1,
            "c5.large": 1, "p5.48xlarge": 1, "hpc7a.96xlarge": 1}},
  "computeNodeGroups": [)" +
         list + R"(],
  "queues": [{"queueName": "all", "computeNodeGroupConfigurations": [)" +
         served + "]}],\n" + (root.empty() ? "" : root + ",\n") + R"("workload": )" + workload + "}";
}

const Group kTight{"tight", R"("subnetIds": ["sn-a"], "customLaunchTemplate": {"id": "lt-tight"})", {"hpc6a.48xlarge"}};

std::string one_job(const std::string& communication, const std::string& keys = R"("runTime": 1000, "nodes": 4)") {
  return R"({"jobs": [{)" + keys + (communication.empty() ? "" : R"(, "communication": )" + communication) + "}]}";
}

std::string error_of(const std::string& text) {
  try {
    const Scenario scenario = parse_scenario(text, "s.json");
    load_workload(scenario, make_design(scenario));
    return {};
  } catch (const InputError& error) {
    return error.what();
  }
}

struct Parts {
  Scenario scenario;
  Design design;
  Workload workload;
  explicit Parts(const std::string& text)
      : scenario(parse_scenario(text, "s.json")),
        design(make_design(scenario)),
        workload(load_workload(scenario, design)) {}
  PlacementEffect effect() const { return {scenario, design, workload}; }
};

using Site = PlacementEffect::Site;

// Node n of the group, from 1; groups have eight each.
Site at(std::uint32_t group, std::uint32_t n, std::uint32_t offer = 0) {
  return {NodeId{8 * group + n - 1}, offer, kNoLeaf};
}

TEST(PlacementEffect, HasEfaWhereAllNodesCanTalkIt) {
  const std::string nodes = R"("subnetIds": ["sn-a"])";
  const Parts parts(
      scenario_text({kTight,
                     {"far", R"("subnetIds": ["sn-b"])", {"hpc6a.48xlarge"}},
                     {"plain", nodes, {"c5.large"}},
                     {"both", R"("subnetIds": ["sn-a", "sn-a2"])", {"hpc6a.48xlarge"}},
                     {"mixed", nodes, {"p4d.24xlarge", "p4de.24xlarge"}},
                     {"other", nodes, {"hpc7a.96xlarge"}},
                     {"noefa", nodes + R"(, "customLaunchTemplate": {"id": "lt-plain"})", {"hpc6a.48xlarge"}},
                     {"nowhere", "", {"hpc6a.48xlarge"}}},
                    one_job("")));
  const PlacementEffect effect = parts.effect();
  const auto of = [&](const std::vector<Site>& sites) { return transport_name(effect.transport(sites)); };
  EXPECT_EQ(of({at(0, 1)}), "shm");
  EXPECT_EQ(of({at(0, 1), at(0, 2)}), "efa");
  EXPECT_EQ(of({at(1, 1), at(1, 2)}), "efa") << "no template says otherwise";
  EXPECT_EQ(of({at(6, 1), at(6, 2)}), "tcp") << "the template asks for no EFA interface";
  EXPECT_EQ(of({at(0, 1), at(6, 1)}), "tcp");
  EXPECT_EQ(of({at(0, 1), at(1, 1)}), "tcp") << "two zones (PCS-51)";
  EXPECT_EQ(of({at(2, 1), at(2, 2)}), "tcp") << "c5.large has no EFA";
  EXPECT_EQ(of({at(0, 1), at(2, 1)}), "tcp");
  EXPECT_EQ(of({at(3, 1), at(3, 2)}), "tcp") << "a group of several subnets has no EFA between nodes";
  EXPECT_EQ(of({at(4, 1), at(4, 2)}), "efa");
  EXPECT_EQ(of({at(4, 1), at(4, 2, 1)}), "tcp") << "p4d exchanges EFA traffic with p4d only";
  EXPECT_EQ(of({at(0, 1), at(5, 1)}), "efa") << "other types exchange it";
  EXPECT_EQ(of({at(7, 1), at(1, 1)}), "efa") << "a zone that nobody told has no effect";
  EXPECT_EQ(of({at(7, 1), at(1, 1), at(0, 1)}), "tcp") << "two zones that were told do";
}

TEST(PlacementEffect, IsWhatItIsByHand) {
  // 0.4 of the run time are messages of 8 B between 4 nodes: 13.0008 us at the reference.
  Parts parts(scenario_text(
      {kTight,
       {"loose", R"("subnetIds": ["sn-a"], "customLaunchTemplate": {"id": "lt-loose"})", {"hpc6a.48xlarge"}},
       {"far", R"("subnetIds": ["sn-b"])", {"hpc6a.48xlarge"}},
       {"plain", R"("subnetIds": ["sn-a"])", {"c5.large"}},
       {"noefa", R"("subnetIds": ["sn-a"], "customLaunchTemplate": {"id": "lt-plain"})", {"hpc6a.48xlarge"}},
       {"nowhere", "", {"hpc6a.48xlarge"}}},
      one_job(R"({"pattern": "latency", "share": 0.4})")));
  std::vector<NetworkNode> tree = {{"region", NetworkNode::kRoot}, {"zone", 0}};
  for (std::uint32_t m = 0; m < 2; ++m) {
    tree.push_back({"middle", 1});
    const auto middle = static_cast<std::uint32_t>(tree.size() - 1);
    for (int leaf = 0; leaf < 2; ++leaf) tree.push_back({"leaf", middle});
  }
  parts.design.spec.topology = std::make_shared<NetworkTopology>(tree);
  const auto stretch = [&](std::vector<Site> sites, const std::vector<std::uint32_t>& leaves = {}) {
    for (std::size_t i = 0; i < leaves.size(); ++i) sites[i].leaf = LeafId{leaves[i]};
    return parts.effect().effect(JobId{0}, sites).stretch;
  };
  const std::vector<Site> four = {at(0, 1), at(0, 2), at(0, 3), at(0, 4)};
  EXPECT_EQ(stretch({at(0, 1)}), 1);
  EXPECT_EQ(stretch(four), 1) << "where they are is not known";
  EXPECT_EQ(stretch(four, {2, 2, 2, 2}), 1);
  EXPECT_NEAR(stretch(four, {0, 0, 1, 1}), 1 + 0.4 * 2.7 / 13.0008, 1e-12) << "4 hops";
  EXPECT_NEAR(stretch(four, {0, 0, 1, 3}), 1 + 0.4 * 5.4 / 13.0008, 1e-12) << "6 hops";
  EXPECT_NEAR(stretch({at(0, 1), at(2, 1)}), 1 + 0.4 * ((34.9008 + 182) / 13.0008 - 1), 1e-12) << "TCP between zones";
  EXPECT_EQ(stretch({at(5, 1), at(2, 1)}), 1) << "in which zone is not known";
  EXPECT_EQ(stretch({at(3, 1), at(3, 2)}), 1) << "c5.large has no EFA at the reference either";

  // 1 MB: one flow has 1.18 GB/s in a cluster placement group and half of that outside. EFA: 37.1 us + 4.73 GB/s.
  parts.workload.communication[0].message_bytes = 1'000'000;
  const double efa = 37.1 + 1e6 / 4730;
  const double flow = 1e6 / 1180;
  EXPECT_NEAR(stretch({at(0, 1), at(2, 1)}), 1 + 0.4 * ((2 * flow + 182) / efa - 1), 1e-9)
      << "of long messages the flow is the limit, and the way between zones comes on top";
  EXPECT_NEAR(stretch({at(3, 1), at(3, 2)}), 1 + 0.4 * (2 * flow / flow - 1), 1e-9) << "no cluster placement group";
  EXPECT_NEAR(stretch({at(4, 1), at(4, 2)}), 1 + 0.4 * (flow / efa - 1), 1e-9) << "a forgotten interface";
  EXPECT_EQ(stretch({at(1, 1), at(1, 2)}), 1) << "EFA is no flow: whether the group packs does not matter";
  EXPECT_NEAR(stretch({at(1, 1), at(4, 1)}), 1 + 0.4 * (2 * flow / efa - 1), 1e-9) << "two placement groups";
}

TEST(PlacementEffect, IsOneWithoutCommunication) {
  for (const char* const none : {R"({"pattern": "none"})", R"({"pattern": "all-to-all", "share": 0})"}) {
    const Parts parts(scenario_text({kTight, {"far", R"("subnetIds": ["sn-b"])", {"hpc6a.48xlarge"}}}, one_job(none)));
    EXPECT_EQ(parts.effect().effect(JobId{0}, std::vector<Site>{at(0, 1), at(1, 1)}).stretch, 1);
  }
}

TEST(PlacementEffect, TakesTheScenariosNumbers) {
  const std::string model = R"("network": {"model": {
    "efa": {"segments": [{"upTo": 100, "latency_us": 1, "bandwidth_gb_s": 1}, {"latency_us": 5, "bandwidth_gb_s": 2}],
            "source": "made up"},
    "types": {"hpc6a.48xlarge": {"tcp": {"segments": [{"latency_us": 50, "bandwidth_gb_s": 1}], "perHop_us": 2,
              "gap_us": 3, "streaming_gb_s": 7, "source": "made up"}}},
    "uplink": 2.5, "betweenZones_us": 50}})";
  const Parts parts(scenario_text({kTight, {"far", R"("subnetIds": ["sn-b"])", {"hpc6a.48xlarge"}}},
                                  one_job(R"({"pattern": "latency", "share": 0.5, "messageBytes": 0})"), model));
  const NetworkModelOptions& options = parts.scenario.network.model;
  const std::optional<Link>& efa = options.general[static_cast<std::size_t>(Transport::efa)];
  ASSERT_TRUE(efa);
  EXPECT_EQ(efa->segments, (std::vector<LinkSegment>{{100, 1, 1}, {.latency_us = 5, .bandwidth_gb_s = 2}}));
  EXPECT_EQ(efa->per_hop_us, 1.35);
  EXPECT_EQ(efa->gap_us, 0.73);
  const std::optional<Link>& tcp = options.types.at("hpc6a.48xlarge")[static_cast<std::size_t>(Transport::tcp)];
  ASSERT_TRUE(tcp);
  EXPECT_EQ(*tcp, (Link{{{.latency_us = 50, .bandwidth_gb_s = 1}}, 2, 3, 7, "made up"}));
  EXPECT_EQ(options.uplink, 2.5);
  const std::vector<Site> sites = {at(0, 1), at(1, 1)};
  EXPECT_DOUBLE_EQ(parts.effect().effect(JobId{0}, sites).stretch, 1 + 0.5 * ((50 + 50) / 1.0 - 1));
}

// --- what scenarios say ---

TEST(Communication, IsReadFromJobs) {
  const Parts parts(scenario_text({kTight}, R"({"jobs": [
    {"runTime": 1, "communication": {"pattern": "all-to-all", "share": 0.25, "messageBytes": 4096, "ranksPerNode": 96}},
    {"runTime": 1, "communication": {"pattern": "bandwidth", "share": 1, "name": "halo"}},
    {"runTime": 1},
    {"runTime": 1, "communication": {"pattern": "none"}},
    {"runTime": 1, "communication": {"pattern": "bandwidth", "share": 1, "name": "halo"}}]})"));
  EXPECT_THAT(parts.workload.communication,
              ElementsAre(CommunicationProfile{"all-to-all-4096", Pattern::all_to_all, 0.25, 4096, 96},
                          CommunicationProfile{"halo", Pattern::bandwidth, 1, 8, 1},
                          CommunicationProfile{"none", Pattern::none, 0, 8, 1}));
  std::vector<std::uint32_t> numbers;
  for (const WorkloadJob& job : parts.workload.jobs) numbers.push_back(job.communication);
  EXPECT_THAT(numbers, ElementsAre(1, 2, 0, 3, 2));
}

std::map<std::string, int> drawn(const Workload& workload) {
  std::map<std::string, int> counts;
  for (const WorkloadJob& job : workload.jobs) {
    ++counts[job.communication == 0 ? "" : workload.communication[job.communication - 1].name];
  }
  return counts;
}

TEST(Communication, IsDrawnForJobsByWidth) {
  // 16 nodes of 96 cores: half of the jobs of two nodes and more are of one kind, a quarter of another.
  const std::string rules = R"("communication": [
    {"ofJobs": 0.5, "minNodes": 2, "name": "a", "pattern": "latency", "share": 0.2},
    {"ofJobs": 0.25, "minNodes": 2, "maxNodes": 1000, "name": "b", "pattern": "bandwidth", "share": 0.2},
    {"maxNodes": 1, "name": "one", "pattern": "none"}])";
  const auto workload = [&](int cores) {
    return R"({"generator": "poisson", "jobCount": 4000, "meanInterarrival": 60, "runTime": 60, "processorsPerJob": )" +
           std::to_string(cores) + ", " + rules + "}";
  };
  const Parts narrow(scenario_text({kTight}, workload(96)));
  EXPECT_EQ(drawn(narrow.workload)["one"], 4000);
  const Parts wide(scenario_text({kTight}, workload(97)));
  std::map<std::string, int> counts = drawn(wide.workload);
  EXPECT_NEAR(counts["a"], 2000, 4 * std::sqrt(4000 * 0.25));
  EXPECT_NEAR(counts["b"], 1000, 4 * std::sqrt(4000 * 0.1875));
  EXPECT_EQ(counts["a"] + counts["b"] + counts[""], 4000);

  // The draw of a job depends on the seed and on its position alone.
  Scenario fewer = wide.scenario;
  fewer.workload.max_jobs = 100;
  const Workload first = load_workload(fewer, wide.design);
  for (std::size_t j = 0; j < 100; ++j) {
    EXPECT_EQ(first.jobs[j].communication == 0, wide.workload.jobs[j].communication == 0) << j;
  }
}

TEST(Communication, OfAJobGoesBeforeThatOfTheWorkload) {
  const Parts parts(scenario_text({kTight}, R"({"communication": [{"pattern": "latency", "share": 0.5}], "jobs": [
    {"runTime": 1, "nodes": 2}, {"runTime": 1, "nodes": 2, "communication": {"pattern": "none"}}]})"));
  EXPECT_EQ(drawn(parts.workload), (std::map<std::string, int>{{"latency-8", 1}, {"none", 1}}));
}

TEST(Communication, SaysWhatIsWrong) {
  const auto job = [](const std::string& communication) { return scenario_text({kTight}, one_job(communication)); };
  EXPECT_THAT(error_of(job(R"({"pattern": "latency"})")),
              HasSubstr("workload.jobs[0].communication.share: missing; pattern \"latency\" needs it"));
  EXPECT_THAT(error_of(job(R"({"share": 0.5})")), HasSubstr("workload.jobs[0].communication.pattern: missing"));
  EXPECT_THAT(error_of(job(R"({"pattern": "gossip", "share": 0.5})")), HasSubstr("found \"gossip\""));
  EXPECT_THAT(error_of(job(R"({"pattern": "latency", "share": 1.5})")), HasSubstr("found 1.5"));
  EXPECT_THAT(error_of(job(R"({"pattern": "latency", "share": 0.5, "messageBytes": -1})")), HasSubstr("found -1"));
  EXPECT_THAT(error_of(job(R"({"pattern": "latency", "share": 0.5, "ranksPerNode": 0})")), HasSubstr("found 0"));
  EXPECT_THAT(error_of(job(R"({"pattern": "none", "share": 0.5})")), HasSubstr("not with pattern \"none\""));
  EXPECT_THAT(error_of(job(R"({"pattern": "latency", "share": 0.5, "bytes": 1})")), HasSubstr("bytes"));
  EXPECT_THAT(error_of(job(R"("all-to-all")")), HasSubstr("expected an object"));
  EXPECT_THAT(error_of(R"({"pool": {"processors": 4}, "workload": {"jobs": [
    {"runTime": 1, "communication": {"pattern": "latency", "share": 0.5}}]}})"),
              HasSubstr("workload.jobs[0].communication: not in a pool"));
  EXPECT_THAT(
      error_of(R"({"pool": {"processors": 4}, "network": {"model": {}}, "workload": {"jobs": [{"runTime": 1}]}})"),
      HasSubstr("network: not together with pool"));

  const auto rules = [](const std::string& list) {
    return scenario_text({kTight}, R"({"communication": [)" + list + R"(], "jobs": [{"runTime": 1, "nodes": 1}]})");
  };
  EXPECT_THAT(
      error_of(rules(R"({"ofJobs": 0.7, "pattern": "none"}, {"ofJobs": 0.7, "minNodes": 5, "pattern": "none"})")),
      HasSubstr("of jobs with 5 nodes the shares add up to 1.4, expected 1 at most"));
  EXPECT_EQ(error_of(rules(R"({"ofJobs": 0.7, "maxNodes": 4, "pattern": "none"},
                              {"ofJobs": 0.7, "minNodes": 5, "pattern": "none"})")),
            "");
  EXPECT_THAT(error_of(rules(R"({"minNodes": 9, "maxNodes": 3, "pattern": "none"})")),
              HasSubstr("is less than minNodes"));

  const auto model = [](const std::string& keys) {
    return scenario_text({kTight}, one_job(""), R"("network": {"model": {)" + keys + "}}");
  };
  EXPECT_THAT(error_of(model(R"("efa": {"segments": [], "source": "x"})")), HasSubstr("network.model.efa.segments"));
  EXPECT_THAT(error_of(model(R"("efa": {"segments": [{"latency_us": 1, "bandwidth_gb_s": 1}]})")),
              HasSubstr("network.model.efa.source: missing"));
  EXPECT_THAT(error_of(model(R"("tcp": {"source": "x", "segments": [{"latency_us": 1, "bandwidth_gb_s": 0}]})")),
              HasSubstr("network.model.tcp.segments[0].bandwidth_gb_s"));
  EXPECT_THAT(error_of(model(R"("tcp": {"source": "x", "segments": [{"latency_us": 1, "bandwidth_gb_s": 1},
                                                                    {"latency_us": 1, "bandwidth_gb_s": 1}]})")),
              HasSubstr("network.model.tcp.segments[0].upTo: missing; only the last segment has none"));
  EXPECT_THAT(
      error_of(model(R"("tcp": {"source": "x", "segments": [{"upTo": 9, "latency_us": 1, "bandwidth_gb_s": 1}]})")),
      HasSubstr("the last segment holds for all longer messages"));
  EXPECT_THAT(error_of(model(R"("tcp": {"source": "x", "segments": [{"upTo": 9, "latency_us": 1, "bandwidth_gb_s": 1},
    {"upTo": 9, "latency_us": 1, "bandwidth_gb_s": 1}, {"latency_us": 1, "bandwidth_gb_s": 1}]})")),
              HasSubstr("segments[1].upTo: is not over that of the segment before it"));
  EXPECT_THAT(error_of(model(R"("types": {"hpc6a.49xlarge": {}})")),
              HasSubstr("no instance type \"hpc6a.49xlarge\" in the catalog; did you mean \"hpc6a.48xlarge\"?"));
  EXPECT_THAT(error_of(model(R"("types": {"hpc6a.48xlarge": {"tcp": {"source": "x", "segments": 5}}})")),
              HasSubstr("network.model.types.hpc6a.48xlarge.tcp.segments"));
  EXPECT_THAT(error_of(model(R"("efa": {"source": "x", "segments": [{"latency_us": 1, "bandwidth_gb_s": 1e-300}]})")),
              HasSubstr("found 1e-300, expected at least 1e-06 GB/s"));
  EXPECT_THAT(error_of(model(R"("efa": {"source": "x", "streaming_gb_s": 1e-9,
                                        "segments": [{"latency_us": 1, "bandwidth_gb_s": 1}]})")),
              HasSubstr("network.model.efa.streaming_gb_s: found 1e-09"));
  EXPECT_THAT(error_of(model(R"("uplink": 0.5)")), HasSubstr("network.model.uplink"));
}

// --- runs ---

struct Outcomes {
  Parts parts;
  SimulationResult result;
  explicit Outcomes(const std::string& text)
      : parts(text), result(simulate(parts.scenario, parts.design, parts.workload)) {}
  RunContext context() const { return {parts.scenario, parts.design, parts.workload, result.digest}; }
};

// Two nodes are in different zones: two groups of one node each can hold the job only together.
std::string split_text(const std::string& communication, const std::string& keys, const std::string& root = "") {
  std::string text = scenario_text({kTight, {"far", R"("subnetIds": ["sn-b"])", {"hpc6a.48xlarge"}}},
                                   one_job(communication, keys), root);
  for (std::size_t at = text.find("\"maxInstanceCount\": 8"); at != std::string::npos;
       at = text.find("\"maxInstanceCount\": 8", at)) {
    text.replace(at, 21, "\"maxInstanceCount\": 1");
  }
  return text;
}

TEST(PlacementEffect, MakesAJobRunLongerAndReportsIt) {
  const std::string keys = R"("runTime": 1000, "nodes": 2, "timeLimit": "10h")";
  const Outcomes near(split_text("", keys));
  const Outcomes far(split_text(R"({"pattern": "latency", "share": 0.1})", keys));
  const double stretch = 1 + 0.1 * ((34.9008 + 182) / 13.0008 - 1);
  const JobRecord& job = far.result.record.jobs()[0];
  EXPECT_EQ(job.state, JobState::completed);
  EXPECT_EQ(job.end - job.start, std::llround(1000e6 * stretch));
  EXPECT_EQ(near.result.record.jobs()[0].end - near.result.record.jobs()[0].start, 1000 * kSecond);

  const auto effects = placement_effects(far.result.record, far.context());
  ASSERT_EQ(effects.size(), 1u);
  ASSERT_TRUE(effects[0]);
  EXPECT_DOUBLE_EQ(effects[0]->stretch, stretch);
  EXPECT_EQ(effects[0]->transport, Transport::tcp);
  EXPECT_THAT(jobs_csv(far.result.record, far.context()), HasSubstr(",lost_cost_usd,stretch,transport\n"));
  EXPECT_THAT(jobs_csv(far.result.record, far.context()), HasSubstr(",tcp\n"));
  EXPECT_THAT(jobs_csv(near.result.record, near.context()), Not(HasSubstr("stretch")));

  const Summary summary = summarize(far.result.record, far.context());
  ASSERT_EQ(summary.stretch.size(), 1u);
  const StretchSummary& latency = summary.stretch.at("latency-8");
  EXPECT_EQ(latency.stretch.count, 1u);
  EXPECT_DOUBLE_EQ(latency.stretch.max, stretch);
  EXPECT_EQ(latency.over_tcp, 1u);
  EXPECT_EQ(latency.timed_out, 0u);
  EXPECT_THAT(summary_json(summary, far.result.record, far.context()),
              HasSubstr("\"stretch\": {\n      \"latency-8\""));
  EXPECT_THAT(summary_table(summary, far.context()), HasSubstr("run time by place"));
  EXPECT_THAT(summary_table(summarize(near.result.record, near.context()), near.context()), Not(HasSubstr("by place")));
}

// Instances on a simulated fabric: what the world did is what the report finds, for every job.
TEST(PlacementEffect, ReportsWhatTheWorldDidOnAFabric) {
  const std::string text = scenario_text(
      {kTight, {"loose", R"("subnetIds": ["sn-a"], "customLaunchTemplate": {"id": "lt-loose"})", {"hpc6a.48xlarge"}}},
      R"({"generator": "poisson", "jobCount": 300, "meanInterarrival": 300, "runTime": {"exponential": 900},
          "processorsPerJob": 400, "estimateFactor": 20, "checkpointInterval": 60, "communication": [
          {"ofJobs": 0.3, "pattern": "latency", "share": 0.5}, {"ofJobs": 0.3, "pattern": "allreduce", "share": 0.5},
          {"ofJobs": 0.3, "pattern": "all-to-all", "share": 0.5, "messageBytes": 100000}]})",
      R"("network": {"fabrics": [{"instanceType": "*", "layers": [2, 3, 4], "slotsPerLeaf": 4, "occupied": 0.3}]})");
  for (const char* const policy : {"easy", "slurm"}) {
    const Outcomes run(text.substr(0, text.size() - 1) + R"(, "scheduler": {"policy": ")" + policy + "\"}}");
    const auto effects = placement_effects(run.result.record, run.context());
    ASSERT_EQ(effects.size(), 300u);
    int stretched = 0;
    for (std::size_t j = 0; j < effects.size(); ++j) {
      const JobRecord& job = run.result.record.jobs()[j];
      ASSERT_EQ(job.state, JobState::completed);
      ASSERT_TRUE(effects[j]);
      EXPECT_EQ(job.end - job.start,
                std::llround(static_cast<double>(run.parts.workload.jobs[j].run_time) * effects[j]->stretch))
          << policy << ", job " << j;
      EXPECT_GE(effects[j]->stretch, 1);
      stretched += effects[j]->stretch > 1 ? 1 : 0;
      EXPECT_TRUE(run.parts.workload.jobs[j].communication > 0 || effects[j]->stretch == 1);
    }
    EXPECT_GT(stretched, 100) << policy;
    const Summary summary = summarize(run.result.record, run.context());
    EXPECT_EQ(summary.stretch.size(), 3u);
    EXPECT_TRUE(summary.network);
  }
}

TEST(PlacementEffect, LeavesRunsWithoutItAsTheyAre) {
  const std::string keys = R"("runTime": 1000, "nodes": 2, "timeLimit": "10h")";
  EXPECT_EQ(Outcomes(split_text(R"({"pattern": "latency", "share": 0})", keys)).result.digest,
            Outcomes(split_text("", keys)).result.digest);
  EXPECT_NE(Outcomes(split_text(R"({"pattern": "latency", "share": 0.5})", keys)).result.digest,
            Outcomes(split_text("", keys)).result.digest);
}

TEST(PlacementEffect, MakesJobsTimeOutUnderEveryPolicy) {
  for (const char* const policy : {"easy", "slurm"}) {
    const Outcomes run(split_text(R"({"pattern": "latency", "share": 0.1, "name": "p"})",
                                  R"("runTime": 1000, "nodes": 2, "timeLimit": 1020)",
                                  R"("scheduler": {"policy": ")" + std::string(policy) + "\"}"));
    EXPECT_EQ(run.result.record.jobs()[0].state, JobState::timed_out) << policy;
    EXPECT_EQ(summarize(run.result.record, run.context()).stretch.at("p").timed_out, 1u) << policy;
    const Outcomes slow(split_text(R"({"pattern": "latency", "share": 0.1, "name": "p"})",
                                   R"("runTime": 2000, "nodes": 2, "timeLimit": 1020)",
                                   R"("scheduler": {"policy": ")" + std::string(policy) + "\"}"));
    EXPECT_EQ(slow.result.record.jobs()[0].state, JobState::timed_out) << policy;
    EXPECT_EQ(summarize(slow.result.record, slow.context()).stretch.at("p").timed_out, 0u)
        << policy << ": it would not have fitted in anywhere";
  }
}

}  // namespace
}  // namespace headroom
