#include "models/network/topology_file.hpp"

#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/errors.hpp"
#include "models/network/topology_report.hpp"
#include "models/policies/slurm/settings.hpp"
#include "models/policies/slurm/topology.hpp"
#include "models/scenario/document.hpp"
#include "tests/unit/draw.hpp"

namespace headroom {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

struct Row {
  std::string id;
  std::vector<std::string> nodes;
  std::string zone = "us-east-2b";
};

std::string page(const std::vector<Row>& rows, const std::string& more = "") {
  std::string text = "{\n \"Instances\": [\n";
  for (const Row& row : rows) {
    std::string nodes;
    for (const std::string& node : row.nodes) nodes += (nodes.empty() ? "" : ", ") + quote(node);
    text += fmt::format(R"(  {{"InstanceId": "{}", "InstanceType": "hpc6a.48xlarge", "GroupName": "pg", )"
                        R"("NetworkNodes": [{}], "AvailabilityZone": "{}", "ZoneId": "use2-az2"}}{})",
                        row.id, nodes, row.zone, &row == &rows.back() ? "\n" : ",\n");
  }
  return text + " ]" + more + "\n}\n";
}

std::string problem_of(const std::string& text) {
  try {
    parse_topology(text, "t.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no problem";
}

TopologyFile four() {
  return parse_topology(page({{"i-3", {"nn-1", "nn-2", "nn-a"}},
                              {"i-1", {"nn-1", "nn-2", "nn-b"}},
                              {"i-2", {"nn-1", "nn-2", "nn-a"}},
                              {"i-4", {"nn-1", "nn-3", "nn-c"}}}),
                        "t.json");
}

TEST(TopologyFile, HangsInstancesOnTheLastOfTheirNetworkNodes) {
  const TopologyFile file = four();
  const NetworkTopology& network = *file.network;
  EXPECT_EQ(network.name(std::uint32_t{0}), "us-east-2");
  EXPECT_EQ(network.name(std::uint32_t{1}), "us-east-2b");
  ASSERT_EQ(file.instances.size(), 4u);
  EXPECT_EQ(file.instances[0].id, "i-3");
  EXPECT_EQ(file.instances[0].type, "hpc6a.48xlarge");
  EXPECT_EQ(file.instances[0].group, "pg");
  EXPECT_EQ(file.instances[0].place, "t.json:3");
  EXPECT_EQ(file.instances[0].leaf, file.instances[2].leaf);
  ASSERT_NE(file.find("i-1"), nullptr);
  EXPECT_EQ(network.name(file.find("i-1")->leaf), "nn-b");
  EXPECT_EQ(network_layers(network, file.find("i-1")->leaf), 3u);
  EXPECT_EQ(file.find("i-"), nullptr);
  EXPECT_EQ(file.find("i-5"), nullptr);
  EXPECT_THAT(file.remarks, IsEmpty());
  EXPECT_EQ(network.hops(file.find("i-1")->leaf, file.find("i-4")->leaf), 6);
}

TEST(TopologyFile, ReadsPagesThatFollowEachOther) {
  const std::string first = page({{"i-1", {"a", "b", "c"}}}, ",\n \"NextToken\": \"abc}]\\\"{\"");
  const std::string second = page({{"i-2", {"a", "b", "d"}}});
  const TopologyFile file = parse_topology(first + second, "t.json");
  ASSERT_EQ(file.instances.size(), 2u);
  EXPECT_EQ(file.instances[1].place, "t.json:9");
  EXPECT_THAT(file.remarks, IsEmpty());
  EXPECT_THAT(parse_topology(second + first, "t.json").remarks, ElementsAre(HasSubstr("t.json:10: NextToken")));
  EXPECT_THAT(problem_of(first + second + first),
              HasSubstr("t.json:14: Instances[0].InstanceId: \"i-1\" is given twice"));
  EXPECT_THAT(problem_of(first + page({{"i-2", {"a", "b"}}})),
              HasSubstr("t.json:9: NetworkNodes: \"i-2\" hangs on \"b\""));
  EXPECT_THAT(problem_of(first + second + "{\"Instances\": [,]}"), HasSubstr("t.json:12:"));
  // What --query Instances leaves.
  EXPECT_EQ(
      parse_topology(R"([{"InstanceId": "i-1", "NetworkNodes": ["a"], "ZoneId": "use2-az1"}])", "t").instances.size(),
      1u);
}

TEST(TopologyFile, RefusesWhatIsNoNetwork) {
  EXPECT_THAT(problem_of(""), HasSubstr("t.json: empty; expected what `aws ec2 describe-instance-topology` prints"));
  EXPECT_THAT(problem_of(" \n"), HasSubstr("empty"));
  EXPECT_THAT(problem_of("nonsense"), HasSubstr("t.json:1"));
  EXPECT_THAT(problem_of("{\"Instances\": ["), HasSubstr("t.json:1"));
  EXPECT_THAT(problem_of("}"), HasSubstr("t.json:1"));
  EXPECT_THAT(problem_of(R"({"Reservations": []})"), HasSubstr("t.json:1: found an object without Instances"));
  EXPECT_THAT(problem_of(R"({"Instances": {}})"), HasSubstr("Instances: found an object; expected an array"));
  EXPECT_THAT(problem_of(R"({"Instances": []})"), HasSubstr("t.json: Instances: has no instances"));
  EXPECT_THAT(problem_of(R"({"Instances": [7]})"), HasSubstr("Instances[0]: found 7; expected an instance"));
  EXPECT_THAT(problem_of(R"({"Instances": [{"InstanceId": "i-1"}]})"),
              testing::AllOf(HasSubstr("ZoneId: is missing"), HasSubstr("NetworkNodes: of \"i-1\": are missing")));
  EXPECT_THAT(problem_of(page({{"i-1", {}}})),
              HasSubstr("t.json:3: Instances[0].NetworkNodes: of \"i-1\": are missing"));
  EXPECT_THAT(problem_of(page({{"i 1", {"a"}}})), HasSubstr("Instances[0].InstanceId: found \"i 1\"; expected a name"));
  EXPECT_THAT(problem_of(page({{"i-1", {"a Nodes=x"}}})), HasSubstr("found \"a Nodes=x\"; expected a network node"));
  EXPECT_THAT(problem_of(R"([{"InstanceId": "i-1", "GroupName": "\u001b[2J", "NetworkNodes": ["a"], "ZoneId": "z"}])"),
              HasSubstr("GroupName: found"));
  EXPECT_THAT(problem_of(page({{"i-1", {"a", "b"}}, {"i-2", {"c", "b"}}})),
              HasSubstr("t.json:4: Instances[1].NetworkNodes: \"b\" is below \"c\" here and below \"a\" in t.json:3"));
  EXPECT_THAT(problem_of(page({{"i-1", {"a", "b"}}, {"i-2", {"b", "c"}}})), HasSubstr("expected a tree"));
  EXPECT_THAT(problem_of(page({{"i-1", {"a", "a"}}})), HasSubstr("expected a tree"));
  EXPECT_THAT(problem_of(page({{"i-1", {"a", "b"}}, {"i-2", {"a", "b"}, "us-east-2a"}})), HasSubstr("expected a tree"));
  EXPECT_THAT(problem_of(page({{"i-1", {"a", "b"}}, {"i-2", {"a"}}})),
              HasSubstr("t.json:4: NetworkNodes: \"i-2\" hangs on \"a\", which is above \"b\" in t.json:3"));
  EXPECT_THAT(problem_of(page({{"i-1", std::vector<std::string>(100, "a")}})),
              HasSubstr("found 100; expected at most 16"));
  EXPECT_THAT(problem_of(page({{"i-1", {"a"}}, {"i-1", {"a"}}, {"i-1", {"a"}}})),
              testing::AllOf(HasSubstr("t.json:4:"), HasSubstr("t.json:5:")))
      << "everything at once";
}

TEST(TopologyFile, RemarksWhatIsNoPlaceForOneJob) {
  EXPECT_THAT(parse_topology(page({{"i-1", {"a", "b"}}, {"i-2", {"c", "d"}, "us-east-2a"}}), "t.json").remarks,
              ElementsAre("t.json:4: i-2 is in zone us-east-2a, the first instance in us-east-2b: EFA does not cross "
                          "zones"));
  EXPECT_THAT(parse_topology(page({{"i-1", {"a", "b"}}, {"i-2", {"a", "c", "d"}}}), "t.json").remarks,
              ElementsAre("t.json:4: i-2 is below 3 network nodes, the first instance below 2"));
  EXPECT_EQ(parse_topology(page({{"i-1", {"a"}}, {"i-2", {"b"}, "eu-west-1a"}}), "t").network->name(std::uint32_t{0}),
            "network");
}

// Any bytes: a network or an InputError.
TEST(TopologyFile, StandsCutAndDamagedFiles) {
  const std::string whole = page({{"i-1", {"a", "b"}}, {"i-2", {"a", "c"}}}) + page({{"i-3", {"a", "b"}}});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    try {
      EXPECT_GE(parse_topology(whole.substr(0, length), "t").instances.size(), 2u);
    } catch (const InputError&) {
    }
  }
  for (std::uint64_t seed = 0; seed < 3000; ++seed) {
    Draw draw(seed);
    std::string damaged = whole;
    for (std::size_t i = 0; i <= draw.below(4); ++i) {
      damaged[draw.below(damaged.size())] =
          static_cast<char>(draw.one_in(2) ? draw.small(0, 255) - 128 : "[]{}\",:0"[draw.below(8)]);
    }
    try {
      for (const TopologyInstance& instance : parse_topology(damaged, "t").instances) EXPECT_NE(instance.leaf, kNoLeaf);
    } catch (const InputError&) {
    }
  }
}

// --- what is said of it ---

TEST(TopologyReport, CountsPairsByHopsAsPairByPair) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Draw draw(seed);
    std::vector<NetworkNode> nodes = {{"", NetworkNode::kRoot}};
    while (nodes.size() < 3 + seed % 12) nodes.push_back({"", static_cast<std::uint32_t>(draw.below(nodes.size()))});
    const NetworkTopology network(std::move(nodes));
    std::vector<LeafId> leaves(draw.below(20));
    for (LeafId& leaf : leaves) {
      leaf = draw.one_in(9) ? kNoLeaf : LeafId{static_cast<std::uint32_t>(draw.below(network.leaf_count()))};
    }
    std::map<std::int32_t, std::int64_t> expected;
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      for (std::size_t j = i + 1; j < leaves.size(); ++j) {
        if (leaves[i] != kNoLeaf && leaves[j] != kNoLeaf) ++expected[network.hops(leaves[i], leaves[j])];
      }
    }
    ASSERT_EQ(pairs_by_hops(network, leaves), expected) << "seed " << seed;
  }
}

// 32 hpc6a.48xlarge in one cluster placement group, as EC2 told of them (performance-study, 2024).
TEST(TopologyReport, TheMeasuredPlacementGroupHasAQuarterOfItsPairsOnOneNetworkNode) {
  const char* shared = std::getenv("HEADROOM_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "HEADROOM_SHARED is not set";
  const std::string path = std::string(shared) + "/data/efa/topology-hpc6a-32-cluster-placement-group.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const TopologyFile file = read_topology(std::vector<std::string>{path});
  ASSERT_EQ(file.instances.size(), 32u);
  std::vector<LeafId> leaves;
  for (const TopologyInstance& instance : file.instances) leaves.push_back(instance.leaf);
  EXPECT_THAT(pairs_by_hops(*file.network, leaves), ElementsAre(Pair(2, 127), Pair(4, 369))) << "25.6 % of 496";
  EXPECT_THAT(topology_text(file), HasSubstr("25.6 %"));
  EXPECT_THAT(topology_text(file), HasSubstr("13 8 6 4 1"));
  EXPECT_THAT(topology_json(file), HasSubstr("\"layers\": [[32], [32], [13, 8, 6, 4, 1]]"));
  EXPECT_THAT(fabrics_json(file),
              HasSubstr("{\"instanceType\": \"hpc6a.48xlarge\", \"availabilityZone\": \"us-east-2b\", "
                        "\"layers\": [1, 1, 5], \"slotsPerLeaf\": 13}"));
}

TEST(TopologyReport, SaysItInSlurmsWords) {
  const TopologyFile file = four();
  const NodeNames names = {{"i-1", "c-1"}, {"i-2", "c-2"}, {"i-3", "c-10"}, {"i-4", "gpu"}, {"i-9", "login"}};
  std::vector<std::string> remarks;
  EXPECT_EQ(slurm_topology(file, &names, remarks),
            "# topology.conf, for TopologyPlugin=topology/tree; from aws ec2 describe-instance-topology\n"
            "SwitchName=nn-1 Switches=nn-2,nn-3\n"
            "SwitchName=nn-2 Switches=nn-a,nn-b\n"
            "SwitchName=nn-a Nodes=c-[2,10]\n"
            "SwitchName=nn-b Nodes=c-1\n"
            "SwitchName=nn-3 Switches=nn-c\n"
            "SwitchName=nn-c Nodes=gpu\n");
  EXPECT_THAT(remarks, ElementsAre(HasSubstr("1 named instances are not in the topology, the first is login")));
  remarks.clear();
  const NodeNames some = {{"i-1", "c-1"}};
  EXPECT_THAT(slurm_topology(file, &some, remarks), testing::Not(HasSubstr("nn-3")));
  EXPECT_THAT(remarks, ElementsAre(HasSubstr("3 of 4 instances have no name")));
  const NodeNames none = {{"i-7", "c-1"}};
  EXPECT_THROW(slurm_topology(file, &none, remarks), InputError);
  remarks.clear();
  EXPECT_THAT(slurm_topology(file, nullptr, remarks), HasSubstr("SwitchName=nn-a Nodes=i-[2-3]\n"));
  EXPECT_THAT(remarks, ElementsAre(HasSubstr("--nodes FILE")));
}

// What policy slurm takes for a topology, which knows what slurmctld refuses.
TEST(TopologyReport, SlurmTakesEveryTopology) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Draw draw(seed);
    std::vector<Row> rows;
    NodeNames names;
    std::vector<std::string> nodes;
    for (std::size_t i = 0; i <= draw.below(30); ++i) {
      const std::string zone = draw.one_in(4) ? "us-east-2a" : "us-east-2b";
      const std::string top = zone + fmt::format("-t{}", draw.below(2));
      const std::string middle = top + fmt::format("-m{}", draw.below(3));
      rows.push_back({fmt::format("i-{:04x}", i), {top, middle, middle + fmt::format("-l{}", draw.below(4))}, zone});
      if (i > 0 && draw.one_in(5)) continue;
      nodes.push_back(fmt::format("{}-{}", draw.one_in(3) ? "gpu" : "compute", i));
      names[rows.back().id] = nodes.back();
    }
    std::vector<std::string> remarks;
    std::string conf = slurm_topology(parse_topology(page(rows), "t"), &names, remarks);
    std::vector<slurm::SwitchSettings> switches;
    std::vector<std::string> below;
    for (std::size_t end = 0; (end = conf.find('\n')) != std::string::npos; conf.erase(0, end + 1)) {
      const std::string line = conf.substr(0, end);
      if (line.starts_with('#')) continue;
      slurm::SwitchSettings one;
      const std::size_t name_end = line.find(' ');
      ASSERT_TRUE(line.starts_with("SwitchName=") && name_end != std::string::npos) << line;
      one.name = line.substr(11, name_end - 11);
      const std::string rest = line.substr(name_end + 1);
      ASSERT_TRUE(rest.starts_with("Nodes=") || rest.starts_with("Switches=")) << line;
      (rest[0] == 'N' ? one.nodes : one.switches) = rest.substr(rest.find('=') + 1);
      const auto more = rest[0] == 'N' ? slurm::expand_hostlist(one.nodes) : std::vector<std::string>();
      below.insert(below.end(), more.begin(), more.end());
      switches.push_back(std::move(one));
    }
    ASSERT_EQ(slurm::Topology::check(switches, nodes), "");
    std::sort(below.begin(), below.end());
    std::sort(nodes.begin(), nodes.end());
    ASSERT_EQ(below, nodes) << "every node is below one switch";
  }
}

TEST(TopologyReport, JoinsTheTopsOfAZoneAndKeepsZonesApart) {
  const TopologyFile file =
      parse_topology(page({{"i-1", {"a", "b"}}, {"i-2", {"c", "d"}}, {"i-3", {"e", "f"}, "us-east-2a"}}), "t.json");
  std::vector<std::string> remarks;
  EXPECT_THAT(slurm_topology(file, nullptr, remarks),
              testing::AllOf(HasSubstr("SwitchName=us-east-2b Switches=a,c\n"), HasSubstr("# Zones are not joined"),
                             testing::Not(HasSubstr("SwitchName=us-east-2a"))));
  EXPECT_THAT(topology_csv(file), HasSubstr("\ni-2,hpc6a.48xlarge,us-east-2b,pg,1,c d\n"));
}

TEST(NodeNames, AreReadFromLinesOrFromDescribeInstances) {
  EXPECT_THAT(parse_node_names("# nodes\ni-1 c-1\n\n i-2\tc-2 # the second\r\n", "n"),
              ElementsAre(Pair("i-1", "c-1"), Pair("i-2", "c-2")));
  EXPECT_THAT(parse_node_names(R"({"Reservations": [{"Instances": [
                {"InstanceId": "i-1", "PrivateDnsName": "ip-10-0-0-1.us-east-2.compute.internal"},
                {"InstanceId": "i-2", "PrivateDnsName": ""}]}, {"Instances": []}]})",
                               "n"),
              ElementsAre(Pair("i-1", "ip-10-0-0-1")));
  const auto problem = [](const std::string& text) -> std::string {
    try {
      parse_node_names(text, "n.txt");
    } catch (const InputError& error) {
      return error.what();
    }
    return "no problem";
  };
  EXPECT_THAT(problem(""), HasSubstr("n.txt: names no node"));
  EXPECT_THAT(problem("i-1\n"), HasSubstr("n.txt:1: found \"i-1\"; expected INSTANCE-ID NAME"));
  EXPECT_THAT(problem("i-1 a\nc-1 i-1\n"), HasSubstr("n.txt:2: found \"c-1 i-1\""));
  EXPECT_THAT(problem("i-1 a\ni-1 b\n"), HasSubstr("n.txt:2: \"i-1\" is given twice, before as \"a\""));
  EXPECT_THAT(problem("i-1 a\ni-2 a\n"), HasSubstr("n.txt:2: \"a\" is the name of \"i-1\", too"));
  EXPECT_THAT(problem("i-1 a[1-2]\n"), HasSubstr("expected a node's name"));
  EXPECT_THAT(problem("{\"Instances\": []}"), HasSubstr("Reservations: is missing"));
  EXPECT_THAT(problem(R"({"Reservations": [{"Instances": [{}]}]})"), HasSubstr("InstanceId: is missing"));
}

TEST(NodeNames, AsAHostlistAreWhatSlurmReads) {
  EXPECT_EQ(hostlist({}), "");
  EXPECT_EQ(hostlist({"c-3", "c-1", "c-2", "login"}), "c-[1-3],login");
  EXPECT_EQ(hostlist({"n01", "n02", "n10", "n9"}), "n[9-10],n[01-02]");
  EXPECT_EQ(hostlist({"7"}), "7");
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Draw draw(seed);
    std::vector<std::string> names;
    for (std::size_t i = 0; i <= draw.below(12); ++i) {
      std::string name = draw.one_in(3) ? "ip-10-0-" : draw.one_in(2) ? "n" : "i-0a";
      for (std::size_t d = draw.below(4); d > 0; --d) name += "0123456789"[draw.below(10)];
      if (draw.one_in(6)) name += "x";
      names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::vector<std::string> read = slurm::expand_hostlist(hostlist(names));
    std::sort(read.begin(), read.end());
    ASSERT_EQ(read, names) << hostlist(names);
  }
}

}  // namespace
}  // namespace headroom
