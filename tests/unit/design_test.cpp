#include "models/scenario/design.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/errors.hpp"

namespace headroom {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// A cluster of one dynamic group in us-east-2.
Scenario scenario_with(std::vector<std::string> types, std::int32_t most = 10) {
  Scenario scenario;
  scenario.file = "s.json";
  scenario.region = "us-east-2";
  GroupDesign group;
  group.name = "compute";
  group.instance_types = std::move(types);
  group.max_instances = most;
  scenario.groups.push_back(group);
  scenario.queues.push_back({"batch", {0}});
  return scenario;
}

std::string failure_of(const Scenario& scenario) {
  try {
    make_design(scenario);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no failure";
}

TEST(Design, TakesCoresAndPriceFromTheCatalog) {
  Scenario scenario = scenario_with({"hpc7a.96xlarge"});
  scenario.groups[0].weight = 7;
  scenario.groups[0].zone = "us-east-2a";
  scenario.scaler.suspend_timeout = 33 * kSecond;
  const Design design = make_design(scenario);
  ASSERT_EQ(design.spec.groups.size(), 1u);
  EXPECT_EQ(design.spec.groups[0].nodes, 10);
  EXPECT_EQ(design.spec.groups[0].cores, 192) << "physical cores [PCS-17]";
  EXPECT_EQ(design.spec.groups[0].supply, Supply::dynamic);
  EXPECT_EQ(design.spec.groups[0].weight, 7);
  EXPECT_EQ(design.spec.suspend_timeout, 33 * kSecond);
  EXPECT_EQ(design.groups[0].price_per_hour, 7'200'000);
  EXPECT_EQ(design.groups[0].zone, "us-east-2a");
  EXPECT_EQ(design.queue_names, std::vector<std::string>{"batch"});
  EXPECT_FALSE(design.is_pool);
}

TEST(Design, TellsTheClusterHowNodesAreChosen) {
  Scenario scenario = scenario_with({"hpc7a.96xlarge"});
  EXPECT_EQ(make_design(scenario).spec.node_choice, NodeChoice::order);
  scenario.scheduler.node_choice = NodeChoice::compact;
  EXPECT_EQ(make_design(scenario).spec.node_choice, NodeChoice::compact);
}

TEST(Design, OffersPhysicalCoresNotThreads) {
  Scenario scenario = scenario_with({"c5n.18xlarge"});
  scenario.region = "us-east-1";
  EXPECT_EQ(make_design(scenario).spec.groups[0].cores, 36);
}

TEST(Design, MakesAGroupStaticWhenItKeepsInstances) {
  Scenario scenario = scenario_with({"hpc7a.96xlarge"}, 4);
  scenario.groups[0].min_instances = 4;
  EXPECT_EQ(make_design(scenario).spec.groups[0].supply, Supply::fixed);
}

TEST(Design, BootsGpuTypesWithTheirOwnBootstrap) {
  Scenario scenario = scenario_with({"p4d.24xlarge"});
  scenario.cloud.boot.bootstrap = {Distribution::Kind::constant, 100};
  scenario.cloud.boot.bootstrap_gpu = {Distribution::Kind::constant, 400};
  EXPECT_EQ(make_design(scenario).boots[0].bootstrap.a, 400);
  scenario.groups[0].instance_types = {"hpc7a.96xlarge"};
  EXPECT_EQ(make_design(scenario).boots[0].bootstrap.a, 100);
}

TEST(Design, RefusesTypesThatDoNotGoTogether) {
  Scenario arch = scenario_with({"c7g.16xlarge", "c7a.16xlarge"});
  arch.region = "us-east-1";
  EXPECT_THAT(failure_of(arch), AllOf(HasSubstr("s.json: computeNodeGroups[0] (compute): "), HasSubstr("c7g.16xlarge"),
                                      HasSubstr("c7a.16xlarge"), HasSubstr("[PCS-12]")));
  Scenario vcpus = scenario_with({"c5n.18xlarge", "c5n.9xlarge"});
  vcpus.region = "us-east-1";
  EXPECT_THAT(failure_of(vcpus), HasSubstr("[PCS-12]"));
  Scenario gpus = scenario_with({"g5.xlarge", "c5n.xlarge"});
  gpus.region = "us-east-1";
  EXPECT_THAT(failure_of(gpus), AllOf(HasSubstr("[PCS-12]"), HasSubstr("1 GPUs"), HasSubstr("0 GPUs")));
}

// Two types of two vCPUs: one core with two threads, and two cores.
TEST(Design, BuysTheCheapestOfSeveralTypes) {
  Scenario scenario = scenario_with({"m7a.large", "t3.micro"});
  scenario.region = "us-east-1";
  const Design design = make_design(scenario);
  EXPECT_EQ(design.spec.groups[0].cores, 1);
  EXPECT_EQ(design.groups[0].type.name, "t3.micro");
  EXPECT_EQ(design.groups[0].price_per_hour, 10'400);
  scenario.cloud.prices_usd_per_hour = {{"t3.micro", 9}};
  EXPECT_EQ(make_design(scenario).groups[0].type.name, "m7a.large");
  EXPECT_EQ(make_design(scenario).spec.groups[0].cores, 2) << "of the type that is bought";
}

TEST(Design, KeepsTheMinimumOfAGroupBetweenStaticAndDynamic) {
  Scenario scenario = scenario_with({"c6i.xlarge"});
  scenario.region = "us-east-1";
  scenario.groups[0].min_instances = 2;
  scenario.groups[0].max_instances = 10;
  const NodeGroupSpec group = make_design(scenario).spec.groups[0];
  EXPECT_EQ(group.supply, Supply::dynamic);
  EXPECT_EQ(group.kept, 2);
  EXPECT_EQ(group.nodes, 10);
}

TEST(Design, RefusesAPriceForATypeThatThereIsNot) {
  Scenario scenario = scenario_with({"c6i.xlarge"});
  scenario.region = "us-east-1";
  scenario.cloud.prices_usd_per_hour = {{"c6i.xlrge", 1}};
  EXPECT_THAT(failure_of(scenario), AllOf(HasSubstr("cloud.prices"), HasSubstr("c6i.xlarge")));
}

TEST(Design, SuggestsTheNearestNameForAnUnknownType) {
  EXPECT_THAT(failure_of(scenario_with({"hpc7a.96xlarg"})),
              AllOf(HasSubstr("no instance type \"hpc7a.96xlarg\""), HasSubstr("hpc7a.96xlarge")));
}

TEST(Design, SaysWhereATypeHasAPriceWhenTheRegionHasNone) {
  Scenario scenario = scenario_with({"hpc7a.96xlarge"});
  scenario.region = "us-east-1";
  EXPECT_THAT(failure_of(scenario), AllOf(HasSubstr("no price of hpc7a.96xlarge in region us-east-1"),
                                          HasSubstr("us-east-2"), HasSubstr("cloud.prices")));
}

TEST(Design, TakesPricesOfTheScenarioBeforeTheCatalogs) {
  Scenario scenario = scenario_with({"hpc7a.96xlarge"});
  scenario.cloud.prices_usd_per_hour = {{"c5n.18xlarge", 1}, {"hpc7a.96xlarge", 5.0000014}};
  EXPECT_EQ(make_design(scenario).groups[0].price_per_hour, 5'000'001);
  scenario.region = "us-east-1";  // where the catalog has none
  EXPECT_EQ(make_design(scenario).groups[0].price_per_hour, 5'000'001);
}

TEST(Design, TakesLimitsFromTheClustersSize) {
  Scenario scenario = scenario_with({"hpc7a.96xlarge"});
  const std::tuple<ClusterSize, int, int> sizes[] = {
      {ClusterSize::small, 32, 256}, {ClusterSize::medium, 512, 8192}, {ClusterSize::large, 2048, 16384}};
  for (const auto& [size, instances, jobs] : sizes) {
    scenario.cluster.size = size;
    EXPECT_EQ(make_design(scenario).spec.instance_limit, instances);
    EXPECT_EQ(make_design(scenario).spec.job_limit, jobs);
  }
}

TEST(Design, MakesAPoolOneNodeWithoutLimitsOrPrices) {
  Scenario scenario;
  scenario.pool = PoolDesign{338};
  const Design design = make_design(scenario);
  EXPECT_TRUE(design.is_pool);
  ASSERT_EQ(design.spec.groups.size(), 1u);
  EXPECT_EQ(design.spec.groups[0].nodes, 1);
  EXPECT_EQ(design.spec.groups[0].cores, 338);
  EXPECT_EQ(design.spec.groups[0].supply, Supply::permanent);
  EXPECT_EQ(design.spec.job_limit, std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(design.node_name(NodeId{0}), "pool");
}

TEST(Design, NumbersTheNodesOfEachGroupFromOne) {
  Scenario scenario = scenario_with({"hpc7a.96xlarge"}, 3);
  GroupDesign second = scenario.groups[0];
  second.name = "big";
  scenario.groups.push_back(second);
  const Design design = make_design(scenario);
  EXPECT_EQ(design.node_name(NodeId{0}), "compute-1");
  EXPECT_EQ(design.node_name(NodeId{2}), "compute-3");
  EXPECT_EQ(design.node_name(NodeId{3}), "big-1");
  EXPECT_EQ(design.node_name(NodeId{5}), "big-3");
  EXPECT_EQ(design.node_name(NodeId{6}), "");
}

TEST(CostOf, RoundsToTheNearestMillionth) {
  EXPECT_EQ(cost_of(3'600'000'000, kSecond), 1'000'000);
  EXPECT_EQ(cost_of(3600, kSecond), 1);
  EXPECT_EQ(cost_of(1800, kSecond), 1) << "half a millionth is rounded up";
  EXPECT_EQ(cost_of(1799, kSecond), 0);
  EXPECT_EQ(cost_of(5399, kSecond), 1);
  EXPECT_EQ(cost_of(5400, kSecond), 2);
  EXPECT_EQ(cost_of(7'200'000, 0), 0);
  // A century of a thousand dollars an hour does not overflow on the way.
  EXPECT_EQ(cost_of(1'000'000'000, 876'000 * kHour), 876'000'000'000'000);
}

}  // namespace
}  // namespace headroom
