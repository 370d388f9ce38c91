// What jobs ask for beyond CPUs and memory: the notations, which nodes they get, and how the books of it are kept while
// time passes. Cases by hand (some are what a recorded slurmctld did), and a naive chooser on random ones.
#include <algorithm>
#include <memory>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/policies/slurm/resources.hpp"
#include "models/policies/slurm/topology.hpp"
#include "tests/unit/draw.hpp"
#include "tests/unit/slurm_bench.hpp"

namespace headroom::slurm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using Shares = std::vector<std::pair<Index, std::int32_t>>;

// --- notations ------------------------------------------------------------------------------------------------------

TEST(SlurmConstraint, IsReadTermByTerm) {
  using Op = Constraint::Op;
  Constraint c;
  ASSERT_EQ(parse_constraint("ib&(r1|fast)", c), "");
  ASSERT_EQ(c.terms.size(), 3u);
  EXPECT_EQ(c.terms[0].op, Op::and_then);
  EXPECT_TRUE(c.terms[1].grouped);
  EXPECT_EQ(c.terms[1].op, Op::or_else);
  EXPECT_FALSE(c.terms[2].grouped) << "the last of a group ends it";
  ASSERT_EQ(parse_constraint("[fast*2&slow*1]", c), "");
  EXPECT_EQ(c.terms[0].op, Op::so_many_of);
  EXPECT_EQ(c.terms[0].count, 2);
  EXPECT_EQ(c.terms[1].count, 1);
  ASSERT_EQ(parse_constraint("x,[a|b]", c), "") << "a comma is an and";
  EXPECT_EQ(c.terms[0].op, Op::and_then);
  EXPECT_EQ(c.terms[1].op, Op::one_of);
  EXPECT_EQ(parse_constraint("fast*3", c), "");
  EXPECT_EQ(parse_constraint("[(a&b)*2&c*1]", c), "");
  EXPECT_EQ(c.terms[1].count, 2) << "a group's count is its last term's";
}

TEST(SlurmConstraint, RefusesWhatSlurmRefuses) {
  Constraint c;
  for (const char* bad :
       {"&a",          "a&",    "a||b",    "a*",      "a*0",     "*2",    "(a",   "a)",  "((a&b)&c)", "[a|b",
        "[a|b]&[c|d]", "[a&b]", "[a*2|b]", "[a|b*2]", "(a*2&b)", "a*2&b", "(a)b", "a b", "[]",        "()"}) {
    EXPECT_THAT(parse_constraint(bad, c), HasSubstr("found \"" + std::string(bad) + "\"")) << bad;
  }
}

TEST(SlurmGres, NodesAndJobsHaveTheirNotations) {
  std::vector<GresPool> pools;
  EXPECT_EQ(parse_node_gres("gpu:a100:8,gpu:t4:2,scratch:3", pools), "");
  EXPECT_THAT(pools, ElementsAre(GresPool{"gpu", "a100", 8}, GresPool{"gpu", "t4", 2}, GresPool{"scratch", "", 3}));
  EXPECT_EQ(parse_node_gres("gpu", pools), "");
  EXPECT_THAT(pools, ElementsAre(GresPool{"gpu", "", 1}));
  EXPECT_EQ(parse_node_gres("gpu:a,gpu:a", pools), "");
  EXPECT_THAT(pools, ElementsAre(GresPool{"gpu", "a", 2})) << "one of a type is counted with the other";
  std::vector<GresRequest> requests;
  EXPECT_EQ(parse_gres("gpu:2,gpu:a:1", "", &GresRequest::per_node, requests), "");
  EXPECT_EQ(parse_gres("4", "gpu", &GresRequest::per_job, requests), "");
  EXPECT_EQ(parse_gres("a:3", "gpu", &GresRequest::per_task, requests), "");
  EXPECT_THAT(requests, ElementsAre(GresRequest{"gpu", "", 2, 4, 0}, GresRequest{"gpu", "a", 1, 0, 3}));
  for (const char* bad : {"gpu:a:b", "gpu:-1", ":2", "gpu:2,", "2", "gpu:a:1:2"}) {
    EXPECT_NE(parse_gres(bad, "", &GresRequest::per_node, requests), "") << bad;
  }
  for (const char* bad : {"a", "gpu:a:1", "2,", "a:x"}) {
    EXPECT_NE(parse_gres(bad, "gpu", &GresRequest::per_job, requests), "") << bad;
  }
}

TEST(SlurmLicenses, AreTakenAllOrOne) {
  LicenseList list;
  ASSERT_EQ(parse_licenses("abc:4,xyz:2,one,fluent@server:3", false, list), "");
  LicenseBooks books(list.list);
  EXPECT_THAT(books.free(), ElementsAre(4, 2, 1, 3));
  LicenseNeed need;
  ASSERT_EQ(parse_licenses("xyz;abc:3", false, list), "");
  ASSERT_TRUE(books.resolve(list, need));
  const LicenseNeed held = books.take(need);
  EXPECT_THAT(books.free(), ElementsAre(1, 1, 1, 3));
  EXPECT_FALSE(LicenseBooks::enough(need, books.free()));
  ASSERT_EQ(parse_licenses("abc:2|one", true, list), "");
  LicenseNeed either;
  ASSERT_TRUE(books.resolve(list, either));
  EXPECT_TRUE(LicenseBooks::enough(either, books.free()));
  EXPECT_THAT(books.take(either).of, ElementsAre(Pair(2, 1))) << "the first of which there are enough";
  books.give_back(held);
  EXPECT_THAT(books.free(), ElementsAre(4, 2, 0, 3));
  need = {};
  ASSERT_EQ(parse_licenses("abc:5", false, list), "");
  EXPECT_FALSE(books.resolve(list, need)) << "there are four";
  ASSERT_EQ(parse_licenses("none", false, list), "");
  EXPECT_FALSE(books.resolve(list, need));
  EXPECT_NE(parse_licenses("abc:1|xyz:1", false, list), "") << "before 25.05";
  EXPECT_NE(parse_licenses("a|b,c", true, list), "");
  EXPECT_NE(parse_licenses("a:x", true, list), "");
  EXPECT_NE(parse_licenses("a,,b", true, list), "");
}

TEST(SlurmSwitches, HaveACountAndMinutes) {
  std::int32_t count = 0;
  Second wait = 0;
  EXPECT_EQ(parse_switches("2", count, wait), "");
  EXPECT_EQ(count, 2);
  EXPECT_EQ(wait, kUnlimited);
  EXPECT_EQ(parse_switches("1@5", count, wait), "");
  EXPECT_EQ(wait, 300);
  EXPECT_EQ(parse_switches("1@00:00:20", count, wait), "");
  EXPECT_EQ(wait, 20);
  for (const char* bad : {"", "0", "x", "1@", "1@soon"}) EXPECT_NE(parse_switches(bad, count, wait), "") << bad;
}

// --- which nodes ----------------------------------------------------------------------------------------------------

// Nodes with settings, all of one rank, nothing held.
class Shop {
 public:
  struct Spec {
    std::int32_t cpus = 4;
    std::string features = {};
    std::string gres = {};
    std::int32_t core_spec = 0;
  };
  Conf conf;
  std::vector<std::uint64_t> rank;
  std::unique_ptr<Holdings> held;

  explicit Shop(const std::vector<Spec>& specs, std::vector<SwitchSettings> topology = {}, int version = 2505)
      : rank(specs.size()) {
    conf.version.number = version;
    conf.topology = std::move(topology);
    conf.partitions.resize(1);
    ClusterSpec spec;
    QueueSpec queue;
    for (const Spec& s : specs) {
      queue.groups.push_back(GroupId{static_cast<std::uint32_t>(spec.groups.size())});
      spec.groups.push_back({1, s.cpus, Supply::permanent, 1, 0, 1000});
      NodeSettings& node = conf.node_settings.emplace_back();
      EXPECT_EQ(set(node, "Features", s.features), "");
      EXPECT_EQ(set(node, "Gres", s.gres), "");
      node.core_spec = s.core_spec;
      names_.push_back("n" + std::to_string(names_.size()));
    }
    spec.queues.push_back(queue);
    cluster_ = std::make_unique<Cluster>(spec);
    table = std::make_unique<NodeTable>(*cluster_, conf, names_);
    held = std::make_unique<Holdings>(table->size(), table->pools().size());
    selector = std::make_unique<Selector>(*table, conf);
    resources = std::make_unique<Resources>(conf);
  }
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;
  // So many CPUs and GPUs of a node are somebody else's.
  void hold(Index n, std::int32_t cpus, std::int32_t gpus = 0) {
    held->take(n, (*table)[n].cpus, cpus, 0);
    if (gpus > 0) held->gres[table->first_pool(n)] += gpus;
  }
  Job job(Ask ask, const Asks& asks) {
    Job job;
    job.ask = ask;
    known = resources->describe(job, asks, ask.tasks_given ? ask.tasks : 0, *table, 1000);
    return job;
  }
  std::optional<Shares> pick(const Ask& ask, const Asks& asks = {}, bool clip = true) {
    const Job one = job(ask, asks);
    EXPECT_TRUE(known);
    Ranking ranking;
    ranking.assign(rank);
    std::vector<Selector::Share> out;
    selector->set_now(now);
    const NodeBits all(table->size(), true);
    if (!selector->pick(one.ask, all, *held, ranking, clip, one.ask.whole_nodes, out)) return {};
    Shares shares;
    for (const Selector::Share& s : out) shares.emplace_back(s.node, s.cpus);
    std::sort(shares.begin(), shares.end());
    return shares;
  }
  std::vector<Index> nodes(const Ask& ask, const Asks& asks = {}) {
    std::vector<Index> list;
    for (const auto& [node, cpus] : pick(ask, asks).value_or(Shares{})) list.push_back(node);
    return list;
  }

  std::unique_ptr<NodeTable> table;
  std::unique_ptr<Selector> selector;
  std::unique_ptr<Resources> resources;
  bool known = true;
  Second now = 1000;

 private:
  std::vector<std::string> names_;
  std::unique_ptr<Cluster> cluster_;
};

Ask tasks(std::int32_t count, std::int32_t cpus_each = 1) {
  Ask ask;
  ask.tasks = count;
  ask.cpus_per_task = cpus_each;
  ask.cpus = count * cpus_each;
  return ask;
}
Ask on_nodes(std::int32_t nodes, std::int32_t count) {
  Ask ask = tasks(count);
  ask.min_nodes = ask.max_nodes = nodes;
  return ask;
}
Asks constraint(const std::string& text) {
  Asks asks;
  asks.constraint = text;
  return asks;
}
Asks gres(const std::string& text) {
  Asks asks;
  asks.gres = text;
  return asks;
}
Asks gpus(const std::string& text) {
  Asks asks;
  asks.gpus = text;
  return asks;
}

// The cluster of a recorded run: a and d are fast, b and c slow; a and b have ib, c and d eth.
struct ByFeatures : Shop {
  ByFeatures()
      : Shop({{4, "fast,ib,r1"},
              {4, "fast,ib,r1"},
              {4, "slow,ib,r2"},
              {4, "slow,ib,r2"},
              {4, "slow,ib,r2"},
              {4, "slow,eth,r1"},
              {4, "slow,eth,r1"},
              {4, "fast,eth,r2,big"}}) {
    rank[7] = 1;
  }
};

TEST(SlurmPlacement, FeaturesAreReadFromLeftToRight) {
  ByFeatures shop;
  EXPECT_THAT(shop.nodes(on_nodes(1, 4), constraint("fast")), ElementsAre(0));
  EXPECT_THAT(shop.nodes(on_nodes(1, 2), constraint("slow&ib")), ElementsAre(2));
  EXPECT_THAT(shop.nodes(on_nodes(1, 4), constraint("big|eth")), ElementsAre(5));
  EXPECT_THAT(shop.nodes(on_nodes(2, 8), constraint("fast&eth|r1")), ElementsAre(0, 1)) << "(fast&eth)|r1";
  EXPECT_THAT(shop.nodes(on_nodes(2, 8), constraint("fast|slow&eth")), ElementsAre(5, 6)) << "(fast|slow)&eth";
  EXPECT_THAT(shop.nodes(on_nodes(1, 3), constraint("eth&(fast|r1)")), ElementsAre(5));
  EXPECT_FALSE(shop.pick(on_nodes(1, 1), constraint("fast&slow")).has_value()) << "no node has both";
  EXPECT_FALSE(shop.pick(on_nodes(3, 3), constraint("eth&r1")).has_value()) << "there are two";
  (void)shop.job(tasks(1), constraint("nothere"));
  EXPECT_FALSE(shop.known);
}

TEST(SlurmPlacement, OneOfSomeFeaturesForAllNodes) {
  ByFeatures shop;
  EXPECT_THAT(shop.nodes(on_nodes(3, 12), constraint("[r1|r2]")), ElementsAre(0, 1, 5)) << "a run of r1 and one more";
  EXPECT_FALSE(shop.pick(on_nodes(5, 5), constraint("[r1|r2]")).has_value()) << "there are four of each";
  shop.hold(0, 4);
  EXPECT_THAT(shop.nodes(on_nodes(4, 4), constraint("[r1|r2]")), ElementsAre(2, 3, 4, 7)) << "not r1 any more";
  EXPECT_THAT(shop.nodes(on_nodes(2, 4), constraint("fast&[r1|r2]")), IsEmpty()) << "one of each, but of none two";
}

TEST(SlurmPlacement, SoManyNodesOfEachFeature) {
  ByFeatures shop;
  EXPECT_THAT(shop.nodes(on_nodes(3, 3), constraint("[fast*2&slow*1]")), ElementsAre(0, 1, 2));
  EXPECT_THAT(shop.nodes(on_nodes(3, 3), constraint("[ib*1&eth*2]")), ElementsAre(0, 5, 6));
  EXPECT_THAT(shop.nodes(on_nodes(2, 2), constraint("[fast*1&ib*1]")), ElementsAre(0, 1)) << "not one node for both";
  Ask one_task = on_nodes(3, 3);  // of each node: what -N3 alone asks for
  one_task.tasks_per_node = 1;
  EXPECT_THAT(shop.nodes(one_task, constraint("[fast*2&slow*1]")), ElementsAre(0, 1, 2));
  EXPECT_THAT(shop.nodes(on_nodes(3, 3), constraint("[fast*3]")), ElementsAre(0, 1, 7));
  EXPECT_FALSE(shop.pick(on_nodes(4, 4), constraint("[fast*4]")).has_value()) << "there are three";
  EXPECT_THAT(shop.nodes(on_nodes(3, 3), constraint("big*1")), ElementsAre(0, 1, 7)) << "the others are any";
  shop.rank[7] = 0;
  EXPECT_THAT(shop.nodes(on_nodes(3, 3), constraint("big*1")), ElementsAre(5, 6, 7)) << "its neighbours first";
}

TEST(SlurmPlacement, GpusOnEachNode) {
  Shop shop({{4, "", "gpu:a:4"}, {4, "", "gpu:a:4"}, {4, "", "gpu:b:2"}, {4, "", "gpu:b:2"}, {4}, {4}});
  EXPECT_THAT(shop.nodes(tasks(1), gres("gpu:1")), ElementsAre(0));
  EXPECT_THAT(shop.nodes(tasks(1), gres("gpu:b:1")), ElementsAre(2));
  EXPECT_THAT(shop.nodes(on_nodes(4, 4), gres("gpu:2")), ElementsAre(0, 1, 2, 3));
  EXPECT_FALSE(shop.pick(on_nodes(5, 5), gres("gpu:1")).has_value()) << "two nodes have none";
  EXPECT_FALSE(shop.pick(tasks(1), gres("gpu:5")).has_value()) << "no node has so many";
  EXPECT_FALSE(shop.pick(tasks(1), gres("gpu:a:1,gpu:b:1")).has_value()) << "no node has both";
  shop.hold(0, 1, 3);
  EXPECT_THAT(shop.nodes(tasks(1), gres("gpu:2")), ElementsAre(1)) << "one is left on the first";
  EXPECT_THAT(shop.nodes(tasks(1), gres("gpu:a:1")), ElementsAre(0)) << "three CPUs are fewer than four";
  (void)shop.job(tasks(1), gres("gpu:c:1"));
  EXPECT_FALSE(shop.known) << "there is no such type";
  (void)shop.job(tasks(1), gres("license:1"));
  EXPECT_FALSE(shop.known);
}

TEST(SlurmPlacement, GpusOfTheJobComeFromWhereThereAreMost) {
  Shop shop({{4, "", "gpu:2"}, {4, "", "gpu:4"}, {4, "", "gpu:4"}, {4}});
  EXPECT_THAT(shop.nodes(tasks(1), gpus("1")), ElementsAre(0)) << "one is as near on any of them";
  EXPECT_THAT(shop.nodes(tasks(1), gpus("3")), ElementsAre(1));
  EXPECT_THAT(shop.nodes(tasks(1), gpus("6")), ElementsAre(1, 2)) << "four here and two there";
  EXPECT_THAT(shop.nodes(tasks(1), gpus("10")), ElementsAre(0, 1, 2));
  EXPECT_FALSE(shop.pick(tasks(1), gpus("11")).has_value());
  EXPECT_THAT(shop.nodes(on_nodes(2, 2), gpus("2")), ElementsAre(0, 1)) << "one on each at least";
  (void)shop.job(on_nodes(3, 3), gpus("2"));
  EXPECT_FALSE(shop.known) << "three nodes, two GPUs";
}

TEST(SlurmPlacement, GpusOfTasksLimitTheTasksOfANode) {
  Shop shop({{8, "", "gpu:2"}, {8, "", "gpu:4"}, {8, "", "gpu:4"}});
  Asks per_task;
  per_task.gpus_per_task = "2";
  EXPECT_EQ(shop.pick(tasks(3), per_task), (Shares{{1, 2}, {2, 1}}));
  EXPECT_EQ(shop.pick(tasks(5), per_task), (Shares{{0, 1}, {1, 2}, {2, 2}}));
  EXPECT_FALSE(shop.pick(tasks(6), per_task).has_value());
  per_task.gpus = "6";
  EXPECT_EQ(shop.job(tasks(1), per_task).ask.tasks, 3) << "six GPUs are three tasks";
  EXPECT_TRUE(shop.known);
  (void)shop.job(tasks(2), per_task);
  EXPECT_FALSE(shop.known) << "and not two";
}

TEST(SlurmPlacement, GpusByJobAndNodeSayHowManyNodes) {
  Shop shop({{4, "", "gpu:4"}, {4, "", "gpu:4"}, {4, "", "gpu:4"}});
  Asks both = gpus("4");
  both.gres = "gpu:2";
  EXPECT_THAT(shop.nodes(tasks(2), both), ElementsAre(0, 1));
  both.gpus = "5";
  (void)shop.job(tasks(2), both);
  EXPECT_FALSE(shop.known) << "five are no pairs";
}

TEST(SlurmPlacement, NeighboursWhateverTheirWeights) {
  Shop shop({{4}, {4}, {4}, {4}, {4}, {4}});
  Asks asks;
  asks.contiguous = true;
  shop.hold(2, 4);
  EXPECT_THAT(shop.nodes(on_nodes(3, 3), asks), ElementsAre(3, 4, 5));
  EXPECT_FALSE(shop.pick(on_nodes(4, 4), asks).has_value()) << "five nodes are free, but no four in a row";
  EXPECT_THAT(shop.nodes(on_nodes(4, 4)), ElementsAre(0, 3, 4, 5)) << "without it they need not be";
  shop.rank = {0, 1, 0, 1, 0, 1};
  EXPECT_THAT(shop.nodes(on_nodes(3, 3), asks), ElementsAre(3, 4, 5));
}

TEST(SlurmPlacement, SpreadTakesNodesInTheirOrder) {
  Shop shop({{4}, {4}, {4}, {4}});
  shop.hold(0, 1);
  shop.hold(2, 3);
  Asks asks;
  asks.spread_job = true;
  EXPECT_EQ(shop.pick(on_nodes(1, 1), asks), (Shares{{0, 1}})) << "not the tightest, which is node 2";
  EXPECT_EQ(shop.pick(on_nodes(1, 1)), (Shares{{2, 1}}));
  EXPECT_EQ(shop.pick(on_nodes(3, 3), asks), (Shares{{0, 1}, {1, 1}, {2, 1}}));
  EXPECT_EQ(shop.pick(tasks(3), asks), (Shares{{0, 1}, {1, 1}, {2, 1}})) << "a node for each task";
  EXPECT_EQ(shop.pick(tasks(6), asks), (Shares{{0, 2}, {1, 2}, {2, 1}, {3, 1}})) << "or all there are";
}

TEST(SlurmPlacement, CoresOfTheSystem) {
  Shop shop({{8, "", "", 2}, {8}});
  EXPECT_EQ((*shop.table)[0].cpus, 6);
  EXPECT_EQ(shop.pick(on_nodes(1, 7)), (Shares{{1, 7}}));
  Asks none;
  none.core_spec = 0;
  EXPECT_EQ(shop.pick(on_nodes(2, 16), none), std::nullopt) << "a job may not say so unless it is allowed";
  shop.conf.allow_spec_resources = true;
  EXPECT_EQ(shop.pick(on_nodes(2, 16), none), (Shares{{0, 8}, {1, 8}}));
  Asks more;
  more.core_spec = 3;
  EXPECT_EQ(shop.pick(on_nodes(1, 5), more), (Shares{{0, 5}})) << "whole nodes without three cores";
  shop.hold(0, 1);
  EXPECT_EQ(shop.pick(on_nodes(1, 5), more), (Shares{{1, 5}}));
}

std::vector<SwitchSettings> three_leaves() {
  return {
      {"l1", "n[0-3]", ""}, {"l2", "n[4-7]", ""}, {"l3", "n[8-11]", ""}, {"m1", "", "l[1-2]"}, {"top", "", "m1,l3"}};
}

TEST(SlurmTopology, KnowsLevelsAndDistances) {
  const Shop shop(std::vector<Shop::Spec>(12), three_leaves());
  const Topology topology(three_leaves(), *shop.table);
  EXPECT_TRUE(topology.is_leaf(0));
  EXPECT_EQ(topology.level(3), 1);
  EXPECT_EQ(topology.level(4), 2);
  EXPECT_EQ(topology.nodes(3).count(), 8);
  EXPECT_EQ(topology.nodes(4).count(), 12);
  EXPECT_EQ(topology.distance(0, 0), 0);
  EXPECT_EQ(topology.distance(0, 1), 2);
  EXPECT_EQ(topology.distance(0, 2), 3);
}

TEST(SlurmTopology, RefusesWhatIsNoTree) {
  const std::vector<std::string> nodes{"n0", "n1"};
  EXPECT_EQ(Topology::check({{"a", "n[0-1]", ""}, {"b", "", "a"}}, nodes), "");
  EXPECT_EQ(Topology::check({{"a", "n2", ""}}, nodes), "a: there is no node \"n2\"");
  EXPECT_EQ(Topology::check({{"a", "", "z"}}, nodes), "a: there is no switch \"z\"");
  EXPECT_EQ(Topology::check({{"a", "", ""}}, nodes), "a: Nodes or Switches was expected, one of the two");
  EXPECT_THAT(Topology::check({{"a", "n0", ""}, {"b", "", "a"}, {"c", "", "a"}}, nodes),
              HasSubstr("below two switches"));
  EXPECT_THAT(Topology::check({{"a", "", "b"}, {"b", "", "a"}}, nodes), HasSubstr("above itself"));
  EXPECT_THAT(Topology::check({{"a", "", "a"}}, nodes), HasSubstr("below itself"));
}

TEST(SlurmTopology, TheLeafThatSufficesAndHasTheFewestNodes) {
  Shop shop(std::vector<Shop::Spec>(12), three_leaves());
  EXPECT_THAT(shop.nodes(on_nodes(3, 3)), ElementsAre(0, 1, 2));
  shop.hold(4, 4);
  EXPECT_THAT(shop.nodes(on_nodes(3, 3)), ElementsAre(5, 6, 7)) << "three are left there";
  EXPECT_THAT(shop.nodes(on_nodes(4, 4)), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(shop.nodes(on_nodes(6, 6)), ElementsAre(0, 1, 2, 3, 5, 6)) << "the largest, then the nearest";
}

TEST(SlurmTopology, WaitsForSwitchesAsLongAsItWasTold) {
  Shop shop(std::vector<Shop::Spec>(12), three_leaves());
  shop.hold(0, 4);
  shop.hold(4, 4);
  shop.hold(8, 4);
  Asks asks;
  asks.switches = "1@1";
  EXPECT_THAT(shop.nodes(on_nodes(3, 3), asks), ElementsAre(1, 2, 3));
  EXPECT_FALSE(shop.pick(on_nodes(4, 4), asks).has_value());
  shop.now = 1059;
  EXPECT_FALSE(shop.pick(on_nodes(4, 4), asks).has_value());
  shop.now = 1060;
  EXPECT_TRUE(shop.pick(on_nodes(4, 4), asks).has_value()) << "a minute after it was submitted any will do";
  asks.switches = "1";
  shop.now = 1299;
  EXPECT_FALSE(shop.pick(on_nodes(4, 4), asks).has_value());
  shop.now = 1300;
  EXPECT_TRUE(shop.pick(on_nodes(4, 4), asks).has_value()) << "max_switch_wait";
  asks.switches = "2";
  shop.now = 1000;
  EXPECT_TRUE(shop.pick(on_nodes(4, 4), asks).has_value());
}

// A job that asks for so many GPUs on each node, of nodes with some features, gets what it would get if there were no
// other nodes: Selector's own choice, which has a naive chooser of its own, among those that remain.
TEST(SlurmPlacement, ChoosesAmongFittingNodesAsAmongAll) {
  Draw draw(11);
  int found = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<Shop::Spec> specs(static_cast<std::size_t>(draw.small(1, 9)));
    static constexpr const char* kFeatures[] = {"", "a", "b", "a,b"};
    static constexpr const char* kGres[] = {"", "gpu:x:2", "gpu:x:4", "gpu:y:3"};
    std::vector<std::size_t> features(specs.size());
    std::vector<std::size_t> pools(specs.size());
    for (std::size_t n = 0; n < specs.size(); ++n) {
      features[n] = draw.below(4);
      pools[n] = draw.below(4);
      specs[n] = {draw.small(1, 6), kFeatures[features[n]], kGres[pools[n]]};
    }
    Shop shop(specs, {}, 2302);  // later versions show fewer CPUs beside GPUs
    std::vector<std::int32_t> held_gpus(specs.size());
    for (Index n = 0; n < specs.size(); ++n) {
      shop.rank[n] = draw.below(2);
      if (!draw.one_in(3)) continue;
      const std::int32_t size = pools[n] == 0 ? 0 : pools[n] == 1 ? 2 : pools[n] == 2 ? 4 : 3;
      held_gpus[n] = draw.small(0, size);
      shop.hold(n, draw.small(1, specs[n].cpus), held_gpus[n]);
    }
    Ask ask = tasks(draw.small(1, 8), draw.small(1, 3));
    if (draw.one_in(2)) ask.min_nodes = ask.max_nodes = std::min(draw.small(1, 3), ask.tasks);
    Asks asks;
    const std::int32_t wanted = draw.small(1, 3);
    const std::size_t type = draw.below(3);  // any, x, y
    asks.gres = "gpu:" + std::string(type == 0 ? "" : type == 1 ? "x:" : "y:") + std::to_string(wanted);
    const std::size_t rule = draw.below(4);  // none, a, a&b, a|b
    asks.constraint = rule == 0 ? "" : rule == 1 ? "a" : rule == 2 ? "a&b" : "a|b";
    const Job job = shop.job(ask, asks);
    if (!shop.known) continue;  // none of the nodes drawn has it
    NodeBits fitting(specs.size());
    for (Index n = 0; n < specs.size(); ++n) {
      const bool a = features[n] == 1 || features[n] == 3;
      const bool b = features[n] == 2 || features[n] == 3;
      const bool right = rule == 0 || (rule == 1 && a) || (rule == 2 && a && b) || (rule == 3 && (a || b));
      const bool x = pools[n] == 1 || pools[n] == 2;
      const bool y = pools[n] == 3;
      const std::int32_t size = pools[n] == 1 ? 2 : pools[n] == 2 ? 4 : y ? 3 : 0;
      const bool has = type == 0 ? x || y : type == 1 ? x : y;
      if (right && has && size - held_gpus[n] >= wanted) fitting.set(n);
    }
    Ranking ranking;
    ranking.assign(shop.rank);
    std::vector<Selector::Share> expected;
    std::vector<Selector::Share> got;
    const bool could = shop.selector->pick(ask, fitting, *shop.held, ranking, true, false, expected);
    const bool can = shop.selector->pick(job.ask, NodeBits(specs.size(), true), *shop.held, ranking, true, false, got);
    if (ask.max_nodes > 0 && can && !could) continue;  // nodes with little to offer were in the way, and are left out
    ASSERT_EQ(can, could) << "round " << round << " " << asks.gres << " " << asks.constraint;
    if (!could) continue;
    ++found;
    if (ask.max_nodes == 1 && ask.tasks > 1) continue;  // beside GRES a node offers multiples of all the tasks
    const auto sorted = [](std::vector<Selector::Share> shares) {
      Shares list;
      for (const auto& s : shares) list.emplace_back(s.node, s.cpus);
      std::sort(list.begin(), list.end());
      return list;
    };
    ASSERT_EQ(sorted(got), sorted(expected)) << "round " << round;
  }
  EXPECT_GT(found, 500) << "the draws are not all hopeless";
}

// GPUs counted over the job: whatever is chosen has enough, and if all nodes together have, something is chosen.
TEST(SlurmPlacement, FindsGpusOfTheJobWhereverTheyAre) {
  Draw draw(12);
  int found = 0;
  for (int round = 0; round < 2000; ++round) {
    std::vector<Shop::Spec> specs(static_cast<std::size_t>(draw.small(1, 7)));
    std::vector<std::int32_t> free_gpus(specs.size());
    std::vector<std::int32_t> free_cpus(specs.size());
    for (std::size_t n = 0; n < specs.size(); ++n) {
      free_gpus[n] = draw.small(0, 4);
      free_cpus[n] = draw.small(1, 6);
      specs[n] = {free_cpus[n], "", "gpu:" + std::to_string(std::max(free_gpus[n], 1))};
    }
    Shop shop(specs);
    for (Index n = 0; n < specs.size(); ++n) {
      if (free_gpus[n] == 0) {
        free_cpus[n] = draw.small(0, specs[n].cpus - 1);
        shop.hold(n, specs[n].cpus - free_cpus[n], 1);
      } else if (specs[n].cpus > 1 && draw.one_in(3)) {
        const std::int32_t gpus_held = draw.small(0, free_gpus[n]);
        free_gpus[n] -= gpus_held;
        free_cpus[n] -= 1;
        shop.hold(n, 1, gpus_held);
      }
      shop.rank[n] = draw.below(3);
    }
    const Ask ask = tasks(draw.small(1, 6));
    const std::int32_t wanted = draw.small(1, 9);
    std::int32_t all_gpus = 0;
    for (std::size_t n = 0; n < specs.size(); ++n) all_gpus += free_cpus[n] > 0 ? free_gpus[n] : 0;
    const auto shares = shop.pick(ask, gpus(std::to_string(wanted)));
    // Of several tasks each node gets one, so that GPUs on more nodes are of no use.
    if (ask.tasks == 1) {
      ASSERT_EQ(shares.has_value(), all_gpus >= wanted) << "round " << round;
    }
    if (shares && ask.tasks > 1) {
      ASSERT_LE(std::ssize(*shares), ask.tasks);
    }
    if (!shares) continue;
    ++found;
    std::int32_t gpus_got = 0;
    std::int32_t cpus_got = 0;
    for (const auto& [n, cpus] : *shares) {
      ASSERT_GT(free_gpus[n], 0) << "every node has a part";
      ASSERT_LE(cpus, free_cpus[n]);
      gpus_got += free_gpus[n];
      cpus_got += cpus;
    }
    ASSERT_GE(gpus_got, wanted);
    ASSERT_GE(cpus_got, ask.cpus);
  }
  EXPECT_GT(found, 500);
}

// --- while time passes ----------------------------------------------------------------------------------------------

NodeSettings with_gres(const std::string& text) {
  NodeSettings node;
  EXPECT_EQ(set(node, "Gres", text), "");
  return node;
}

TEST(SlurmResources, GpusComeBackWhenAJobEnds) {
  SlurmBench bench;
  bench.partition({bench.fixed("n", 1, 4)});
  bench.conf.node_settings = {with_gres("gpu:2")};
  bench.job(0.5, 20).asks.gres = "gpu:2";
  bench.job(0.6, 20).asks.gres = "gpu:1";
  bench.job(0.7, 20);
  bench.job(0.8, 20).asks.gres = "gpu:3";
  const Story s = bench.run();
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n1"));
  EXPECT_EQ(s.reason(1, 5), "Resources") << "CPUs there are";
  EXPECT_THAT(s[1].allocations, ElementsAre("23.000 n1"));
  EXPECT_THAT(s[2].allocations, ElementsAre("23.000 n1")) << "the partition is closed behind the first";
  EXPECT_EQ(s[3].rejection, Rejection::too_wide) << "no node has three";
}

// --cpus-per-gpu, --ntasks-per-gpu, --gpus-per-socket; the shares are those of recorded run s27.
TEST(SlurmGpus, BringTheirCpus) {
  Shop shop({{6, "", "gpu:a:4"}, {4, "", "gpu:b:2"}}, {}, 2205);
  Asks asks = gpus("2");
  asks.cpus_per_gpu = 2;
  EXPECT_EQ(shop.pick(tasks(1), asks), (Shares{{1, 4}}));
  asks.cpus_per_gpu = 3;
  EXPECT_EQ(shop.pick(tasks(1), asks), (Shares{{0, 6}})) << "four CPUs are one GPU's";
  asks.cpus_per_gpu = 7;
  EXPECT_FALSE(shop.pick(tasks(1), asks).has_value());
  asks = gres("gpu:2");
  asks.cpus_per_gpu = 2;
  EXPECT_EQ(shop.pick(tasks(1), asks), (Shares{{1, 4}}));
  shop.hold(1, 1);
  EXPECT_EQ(shop.pick(tasks(1), asks), (Shares{{0, 4}})) << "three CPUs are not enough for two";
  asks = {};
  asks.gpus_per_task = "1";
  asks.cpus_per_gpu = 2;
  EXPECT_EQ(shop.job(tasks(2), asks).ask.cpus_per_task, 2);
}

TEST(SlurmGpus, HaveTasksOfTheirOwn) {
  Shop shop({{6, "", "gpu:a:4"}, {4, "", "gpu:b:2"}}, {}, 2205);
  Asks asks = gpus("2");
  asks.tasks_per_gpu = 2;
  EXPECT_EQ(shop.job(tasks(1), asks).ask.tasks, 4);
  EXPECT_EQ(shop.pick(tasks(1), asks), (Shares{{0, 4}})) << "either node offers as many";
  asks = gpus("4");
  asks.tasks_per_gpu = 1;
  EXPECT_EQ(shop.pick(tasks(2), asks), (Shares{{0, 4}})) << "as many tasks as GPUs";
  asks = {};
  asks.tasks_per_gpu = 2;
  EXPECT_EQ(shop.job(tasks(4), asks).needs->gpus(1, 4), 2) << "four tasks are two GPUs";
  (void)shop.job(tasks(5), asks);
  EXPECT_FALSE(shop.known);
  asks.gpus_per_task = "1";
  (void)shop.job(tasks(4), asks);
  EXPECT_FALSE(shop.known) << "either so many GPUs for a task, or the reverse";
}

TEST(SlurmGpus, OfSocketsComeFromWhereThereAreMost) {
  Shop shop({{4, "", "gpu:2"}, {4, "", "gpu:4"}}, {}, 2205);
  Asks asks;
  asks.gpus_per_socket = "2";
  EXPECT_NE(check(asks, Version{}).text, "") << "of how many sockets?";
  (void)shop.job(tasks(1), asks);
  EXPECT_FALSE(shop.known);
  asks.sockets_per_node = 1;
  EXPECT_EQ(check(asks, Version{}).text, "");
  EXPECT_THAT(shop.nodes(tasks(1), asks), ElementsAre(1)) << "all that are free are near";
  asks.sockets_per_node = 2;
  EXPECT_THAT(shop.nodes(tasks(1), asks), ElementsAre(1)) << "four of them";
}

TEST(SlurmGpus, TakeMemory) {
  SlurmBench bench;
  bench.conf.memory = true;
  bench.partition({bench.fixed("n", 1, 4)});  // 4000 MiB
  bench.conf.node_settings = {with_gres("gpu:4")};
  const auto ask = [&](const std::string& count) {
    Draft& draft = bench.job(0.5, 20);
    draft.memory(0);
    draft.asks.gpus = count;
    draft.asks.memory_per_gpu = 1500;
  };
  ask("2");
  ask("1");
  ask("3");
  const Story s = bench.run();
  EXPECT_EQ(s[0].allocated, 3);
  EXPECT_EQ(s[1].allocated, 23) << "1000 MiB are left";
  EXPECT_TRUE(s[2].rejection.has_value()) << "4500 MiB";
}

TEST(SlurmGpus, HaveDefaultsOfCpusAndMemory) {
  Shop shop({{8, "", "gpu:4"}});
  ASSERT_EQ(set(shop.conf, "DefCpuPerGPU", "2"), "");
  EXPECT_EQ(shop.pick(tasks(1), gpus("2")), (Shares{{0, 4}}));
  EXPECT_EQ(shop.pick(tasks(1, 3), gpus("2")), (Shares{{0, 3}})) << "it says how many CPUs its task has";
  ASSERT_EQ(set(shop.conf.partitions[0], "JobDefaults", "DefCpuPerGPU=3,DefMemPerGPU=100"), "");
  EXPECT_EQ(shop.pick(tasks(1), gpus("2")), (Shares{{0, 6}})) << "the partition's come first";
  EXPECT_NE(set(shop.conf.partitions[0], "JobDefaults", "DefCpuPerGPU=3,DefMem=100"), "");

  shop.conf.memory = true;
  ASSERT_EQ(set(shop.conf, "DefMemPerCPU", "50"), "");
  ASSERT_EQ(set(shop.conf, "DefMemPerGPU", "70"), "");
  const auto memory_per_gpu = [&](Asks asks, MemoryUnit unit = MemoryUnit::whole) {
    JobRequest request;
    request.memory_unit = unit;
    set_default_memory(shop.conf, asks, request);
    return asks.memory_per_gpu;
  };
  EXPECT_EQ(memory_per_gpu(gpus("1")), 100);
  EXPECT_EQ(memory_per_gpu(gres("gpu:1"), MemoryUnit::per_node), 0) << "it asks for memory";
  EXPECT_EQ(memory_per_gpu(gres("scratch:1")), 0);
  ASSERT_EQ(set(shop.conf.partitions[0], "DefMemPerGPU", "0"), "");
  EXPECT_EQ(memory_per_gpu(gres("gpu:1")), 70);
  ASSERT_EQ(set(shop.conf.partitions[0], "DefCpuPerGPU", "1"), "");
  EXPECT_EQ(shop.pick(tasks(1), gpus("2")), (Shares{{0, 2}}));
}

TEST(SlurmGpus, LeaveTheSystemItsMemory) {
  SlurmBench bench;
  bench.conf.memory = true;
  bench.partition({bench.fixed("n", 2, 4)});  // 4000 MiB each
  NodeSettings node;
  ASSERT_EQ(set(node, "MemSpecLimit", "100"), "");
  bench.conf.node_settings = {node};
  bench.job(0.5, 20).memory(3901);
  bench.job(0.6, 20).memory(3900);
  const Story s = bench.run();
  EXPECT_TRUE(s[0].rejection.has_value());
  EXPECT_EQ(s[1].allocated, 3);
}

// GrpTRES=gres/gpu and billing by TRESBillingWeights.
TEST(SlurmGpus, CountForLimits) {
  for (const bool billing : {false, true}) {
    SlurmBench bench;
    Partition& partition = bench.partition({bench.fixed("n", 2, 8)});
    bench.conf.node_settings = {with_gres("gpu:4")};
    ASSERT_EQ(set(partition, "TRESBillingWeights", "CPU=1,GRES/gpu=10"), "");
    ASSERT_EQ(set(bench.conf, "AccountingStorageType", "accounting_storage/slurmdbd"), "");
    ASSERT_EQ(set(bench.conf, "AccountingStorageEnforce", "limits"), "");
    bench.accounting.qos.emplace_back().name = "normal";
    Account& account = bench.accounting.accounts.emplace_back();
    account.name = "a";
    ASSERT_EQ(set(account, "GrpTRES", billing ? "billing=32" : "gres/gpu=3"), "");
    User& user = bench.accounting.users.emplace_back();
    user.name = "u";
    user.accounts = {"a"};
    bench.job(0.5, 20).asks.gpus = "2";
    bench.job(0.6, 20).asks.gres = "gpu:2";
    bench.job(0.7, 20).asks.gpus = "1";
    bench.job(0.8, 20);
    const Story s = bench.run();
    EXPECT_EQ(s[0].allocated, 3);
    EXPECT_EQ(s.reason(1, 5), billing ? "AssocGrpBilling" : "AssocGrpGRES");
    EXPECT_EQ(s[1].allocated, 23) << "two more would be four";
    EXPECT_EQ(s[2].allocated, 3) << (billing ? "21 and 11 are 32" : "one is left");
    EXPECT_EQ(s[3].allocated, billing ? 23 : 3);
  }
}

TEST(SlurmGpus, CountForPriorities) {
  Conf conf;
  conf.multifactor = true;
  conf.accounting = true;
  ASSERT_EQ(set(conf, "PriorityWeightTRES", "CPU=800,GRES/gpu=1000"), "");
  SlurmBench bench;
  bench.conf = conf;
  bench.partition({bench.fixed("n", 2, 4)});
  bench.conf.node_settings = {with_gres("gpu:4")};
  bench.job(0.5, 20).cpus(1).asks.gpus = "2";
  bench.job(0.6, 20).cpus(1);
  std::uint32_t with = 0;
  std::uint32_t without = 0;
  bench.look = [&](const State& state, Time) {
    if (state.jobs.size() < 2) return;
    if (with == 0) with = state.jobs[JobId{0}].priority;
    if (without == 0) without = state.jobs[JobId{1}].priority;
  };
  (void)bench.run();
  EXPECT_EQ(without, 100u) << "one CPU of eight";
  EXPECT_EQ(with, 350u) << "two GPUs of eight, too";
}

TEST(SlurmResources, BackfillWaitsForAGpuAndLeavesTheRest) {
  SlurmBench bench;
  bench.conf.bf_resolution = 1;
  bench.partition({bench.fixed("n", 2, 4)});
  bench.conf.node_settings = {with_gres("gpu:1")};
  bench.job(0.5, 100).minutes(2).asks.gres = "gpu:1";  // n1
  bench.job(0.6, 100).minutes(3).asks.gres = "gpu:1";  // n2
  bench.job(0.7, 20).minutes(1).asks.gres = "gpu:1";   // waits for n1's
  bench.job(0.8, 20).minutes(1);                       // fits before that on n1, where it is planned
  const Story s = bench.run();
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n1"));
  EXPECT_THAT(s[1].allocations, ElementsAre("3.000 n2"));
  EXPECT_THAT(s[3].allocations, ElementsAre("30.012 n1 backfill"));
  ASSERT_FALSE(s.planned.empty());
  EXPECT_EQ(s.planned[0].job, 2u);
  EXPECT_EQ(s.planned[0].start, 123) << "when the first one's limit is over";
  EXPECT_THAT(s[2].allocations, ElementsAre("103.000 n1"));
}

TEST(SlurmResources, AWholeNodeTakesItsGpus) {
  SlurmBench bench;
  bench.partition({bench.fixed("n", 2, 4)});
  bench.conf.node_settings = {with_gres("gpu:1")};
  bench.job(0.5, 20).cpus(1).asks.gres = "gpu:1";
  Draft& whole = bench.job(0.6, 20).nodes(1, 1).exclusive();
  whole.asks.gres = "gpu:1";
  const Story s = bench.run();
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n1"));
  EXPECT_THAT(s[1].allocations, ElementsAre("3.000 n2"));
}

TEST(SlurmResources, JobsWaitForLicencesAndOthersPass) {
  SlurmBench bench;
  bench.partition({bench.fixed("n", 2, 4)});
  bench.conf.licenses = {{"abc", 4}};
  bench.job(0.5, 20).asks.licenses = "abc:3";
  bench.job(0.6, 20).asks.licenses = "abc:2";
  bench.job(0.7, 40).asks.licenses = "abc";
  bench.job(0.8, 20);
  bench.job(0.9, 20).asks.licenses = "abc:5";
  const Story s = bench.run();
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n1"));
  EXPECT_EQ(s.reason(1, 5), "Licenses");
  EXPECT_THAT(s[2].allocations, ElementsAre("3.000 n1")) << "one is left, and who waits for licences stops nobody";
  EXPECT_THAT(s[3].allocations, ElementsAre("3.000 n1"));
  EXPECT_THAT(s[1].allocations, ElementsAre("23.000 n1"));
  EXPECT_EQ(s[4].rejection, Rejection::resources);
}

TEST(SlurmResources, BackfillPlansLicencesWhereItIsTold) {
  for (const bool planned : {false, true}) {
    SlurmBench bench;
    ASSERT_EQ(set(bench.conf, "SchedulerParameters", planned ? "bf_licenses,bf_resolution=1" : "bf_resolution=1"), "");
    bench.partition({bench.fixed("n", 4, 4)});
    bench.conf.licenses = {{"abc", 2}};
    bench.job(0.5, 100).minutes(2).asks.licenses = "abc:1";
    bench.job(0.6, 20).minutes(1).asks.licenses = "abc:2";  // when both are free
    bench.job(5, 200).minutes(5).asks.licenses = "abc:1";   // one is free, but it would make the other wait
    const Story s = bench.run();
    if (planned) {
      EXPECT_THAT(s[1].allocations, ElementsAre(testing::StartsWith("103.000")));
      EXPECT_GT(s[2].allocated, 102);
    } else {
      EXPECT_LT(s[2].allocated, 10) << "without a plan it starves the other";
      EXPECT_GT(s[1].allocated, 200);
    }
  }
}

TEST(SlurmResources, ARequeuedJobGivesItsLicencesBack) {
  SlurmBench bench;
  bench.partition({bench.fixed("n", 2, 4)});
  bench.conf.licenses = {{"abc", 1}};
  bench.job(0.5, 50).asks.licenses = "abc";
  bench.job(0.6, 20).asks.licenses = "abc";
  bench.ask(10, 0, JobAction::requeue);
  const Story s = bench.run();
  EXPECT_GT(s[1].allocated, 10);
  EXPECT_LT(s[1].allocated, 31) << "long before the first one would have ended";
  EXPECT_EQ(s[0].allocations.size(), 2u);
}

TEST(SlurmResources, ReservedForFeaturesThatAreAway) {
  SlurmBench bench;
  const auto fast = bench.fixed("f", 1, 4);
  const auto slow = bench.fixed("s", 1, 4);
  bench.partition({fast, slow});
  bench.conf.node_settings.resize(2);
  bench.conf.node_settings[0].features = {"fast"};
  bench.conf.node_settings[1].features = {"slow"};
  bench.job(0.5, 20).cpus(4).asks.constraint = "fast";
  bench.job(0.6, 20).cpus(4).asks.constraint = "fast";
  bench.job(0.7, 20).cpus(4).asks.constraint = "slow";
  bench.job(0.8, 20).asks.constraint = "medium";
  const Story s = bench.run();
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 f1"));
  EXPECT_EQ(s.reason(1, 5), "Resources");
  EXPECT_THAT(s[1].allocations, ElementsAre("23.000 f1"));
  EXPECT_THAT(s[2].allocations, ElementsAre("23.000 s1")) << "the partition is closed to who comes after the first";
  EXPECT_EQ(s[3].rejection, Rejection::resources);
}

TEST(SlurmResources, NodesOfOneUserAtATime) {
  SlurmBench bench;
  bench.partition({bench.fixed("n", 2, 4)}).exclusive_user = true;
  bench.job(0.5, 20).user(1);
  bench.job(0.6, 20).user(2);
  bench.job(0.7, 20).user(1).cpus(2);
  bench.job(0.8, 20).user(3);
  const Story s = bench.run();
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n1"));
  EXPECT_THAT(s[1].allocations, ElementsAre("3.000 n2"));
  EXPECT_THAT(s[2].allocations, ElementsAre("3.000 n1"));
  EXPECT_THAT(s[3].allocations, ElementsAre("23.000 n1")) << "both have an owner, though CPUs are free";
}

TEST(SlurmResources, AJobMayKeepItsNodesToItsUser) {
  SlurmBench bench;
  bench.partition({bench.fixed("n", 2, 4)});
  bench.job(0.5, 20).user(1);
  bench.job(0.6, 20).user(2).asks.exclusive_user = true;
  bench.job(0.7, 20).user(3);
  bench.job(0.8, 20).user(2);
  const Story s = bench.run();
  EXPECT_THAT(s[1].allocations, ElementsAre("3.000 n2")) << "not beside another's job";
  EXPECT_THAT(s[2].allocations, ElementsAre("3.000 n1")) << "others stay away from it";
  EXPECT_THAT(s[3].allocations, ElementsAre("3.000 n1")) << "its own user may, but the first node will do";
}

TEST(SlurmResources, CoresOfTheSystemAreNobodys) {
  SlurmBench bench;
  bench.partition({bench.fixed("n", 1, 8)});
  bench.conf.node_settings.resize(1);
  bench.conf.node_settings[0].core_spec = 2;
  bench.conf.allow_spec_resources = true;
  bench.job(0.5, 20).cpus(6);
  bench.job(0.6, 20).cpus(1);
  bench.job(0.7, 20).nodes(1, 1).exclusive();
  bench.job(0.8, 20).cpus(8).asks.core_spec = 0;
  bench.job(0.9, 20).cpus(7);
  const Story s = bench.run();
  EXPECT_THAT(s[0].allocations, ElementsAre("3.000 n1"));
  EXPECT_EQ(s.node("n1", 5), "alloc") << "six are all it has";
  EXPECT_GT(s[1].allocated, 20);
  EXPECT_GT(s[2].allocated, 40);
  EXPECT_GT(s[3].allocated, 60) << "all eight, which it may";
  EXPECT_EQ(s[4].rejection, Rejection::too_wide);
}

TEST(SlurmResources, WhatAJobLeavesToTheSystemNobodyGets) {
  SlurmBench bench;
  bench.partition({bench.fixed("n", 1, 8)});
  bench.conf.allow_spec_resources = true;
  bench.job(0.5, 20).cpus(5).asks.core_spec = 3;
  bench.job(0.6, 20).cpus(1);
  const Story s = bench.run();
  EXPECT_EQ(s.node("n1", 5), "alloc");
  EXPECT_GT(s[1].allocated, 20) << "three cores are idle, but the node is not shared";
}

// In each of its partitions.
TEST(SlurmGpus, CountForPrioritiesInSeveralPartitions) {
  Conf conf;
  conf.multifactor = true;
  conf.accounting = true;
  ASSERT_EQ(set(conf, "PriorityWeightTRES", "CPU=800,GRES/gpu=1000"), "");
  ASSERT_EQ(set(conf, "PriorityWeightPartition", "1000"), "");
  SlurmBench bench;
  bench.conf = conf;
  const auto nodes = bench.fixed("n", 2, 4);
  bench.partition({nodes}).name = "a";
  bench.partition({nodes}).name = "b";
  bench.conf.partitions[1].priority_job_factor = 2;
  bench.conf.partitions[0].priority_job_factor = 1;
  bench.conf.node_settings = {with_gres("gpu:4")};
  bench.job(0.5, 20).cpus(1).partitions("a,b").asks.gpus = "2";
  std::vector<std::uint32_t> each;
  std::uint32_t priority = 0;
  bench.look = [&](const State& state, Time) {
    if (state.jobs.size() < 1 || priority > 0) return;
    priority = state.jobs[JobId{0}].priority;
    each = state.jobs[JobId{0}].in_queue;
  };
  (void)bench.run();
  EXPECT_THAT(each, ElementsAre(850u, 1350u));
  EXPECT_EQ(priority, 1350u) << "the highest of them";
}

// Products of what may be asked are more than an int: nobody has so many.
TEST(SlurmGpus, MoreThanCanBeCountedAreTooMany) {
  Asks by_task = gpus("");
  by_task.gpus_per_task = "70000";
  by_task.cpus_per_gpu = 65533;
  Asks by_socket = gpus("");
  by_socket.gpus_per_socket = "70000";
  by_socket.sockets_per_node = 61358;
  Asks by_gpu = gpus("65540");
  by_gpu.cpus_per_gpu = 65532;
  Asks by_node = gres("gpu:65540");
  by_node.cpus_per_gpu = 65532;
  for (const Asks& asks : {by_task, by_socket, by_gpu, by_node}) {
    SlurmBench bench;
    bench.partition({bench.fixed("n", 2, 4)});
    bench.conf.node_settings = {with_gres("gpu:2")};
    bench.job(0.5, 20).tasks(2, 1).asks = asks;
    bench.look = [&](const State& state, Time) {
      if (state.jobs.size() == 0) return;
      const Job& job = state.jobs[JobId{0}];
      EXPECT_GT(job.ask.cpus, 0);
      EXPECT_GT(job.ask.cpus_per_task, 0);
      ASSERT_NE(job.needs, nullptr);
      EXPECT_GE(job.needs->gres_cpus, 0);
      EXPECT_GE(job.needs->gres_cpus_per_node, 0);
      EXPECT_GT(std::max({job.needs->gres_cpus, job.needs->gres[0].per_socket, job.ask.cpus_per_task}), 500'000'000);
    };
    EXPECT_TRUE(bench.run()[0].rejection.has_value());
  }
}

}  // namespace
}  // namespace headroom::slurm
