// What scenarios say of mishaps: cloud.spot, cloud.failures, faults.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/errors.hpp"
#include "models/operations.hpp"
#include "models/scenario/cloud_design.hpp"

namespace headroom {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Two groups, in zones a and b; `more` are further keys at the root, each with its comma.
std::string with(const std::string& more) {
  return R"({"cluster": {"clusterName": "demo", "scheduler": {"type": "SLURM", "version": "24.05"}, "size": "SMALL"},
"computeNodeGroups": [
  {"computeNodeGroupName": "one", "scalingConfiguration": {"minInstanceCount": 0, "maxInstanceCount": 3},
   "instanceConfigs": [{"instanceType": "c6i.xlarge"}], "subnetIds": ["subnet-a"]},
  {"computeNodeGroupName": "two", "scalingConfiguration": {"minInstanceCount": 2, "maxInstanceCount": 2},
   "instanceConfigs": [{"instanceType": "m6i.xlarge"}], "subnetIds": ["subnet-b"]}],
"queues": [{"queueName": "all", "computeNodeGroupConfigurations": [
  {"computeNodeGroupId": "one"}, {"computeNodeGroupId": "two"}]}],
"subnets": {"subnet-a": {"availabilityZone": "us-east-1a"}, "subnet-b": {"availabilityZone": "us-east-1b"}},
)" + more +
         R"("workload": {"jobs": [{"runTime": 60}]}})";
}
std::string with_fault(const std::string& fault) { return with("\"faults\": [" + fault + "],\n"); }
std::string with_cloud(const std::string& cloud) { return with("\"cloud\": {" + cloud + "},\n"); }

std::string errors_of(const std::string& text) {
  try {
    const Scenario scenario = parse_scenario(text, "s.json");
    mishaps_of(scenario, make_design(scenario), 0);
    Ec2Settings settings;
    add_faults(scenario, settings);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

Mishaps mishaps_in(const std::string& text, Time origin = 0) {
  const Scenario scenario = parse_scenario(text, "s.json");
  return mishaps_of(scenario, make_design(scenario), origin);
}

constexpr Mishaps::Launch launch(std::uint32_t group, std::uint32_t node, std::uint64_t number = 0) {
  return {number, GroupId{group}, NodeId{node}, 0, 0, 10 * kSecond};
}

TEST(Faults, StrikeNodesAndGroups) {
  struct Case {
    const char* fault;
    Stimulus::Kind kind;
    std::uint32_t detail;
  };
  const auto detail = [](auto value) { return static_cast<std::uint32_t>(value); };
  const Case cases[] = {
      {"instance-reboot", Stimulus::Kind::instance_impaired, detail(Impairment::rebooted)},
      {"instance-stop", Stimulus::Kind::instance_impaired, detail(Impairment::stopped)},
      {"health-check", Stimulus::Kind::instance_impaired, detail(Impairment::health_check_failed)},
      {"scheduled-event", Stimulus::Kind::instance_impaired, detail(Impairment::scheduled_event)},
      {"hardware-failure", Stimulus::Kind::instance_lost, detail(Loss::hardware_failure)},
      {"instance-terminate", Stimulus::Kind::instance_lost, detail(Loss::external)},
  };
  for (const Case& each : cases) {
    const std::string fault = std::string(R"({"fault": ")") + each.fault + R"(", "at": "1m", )";
    const Mishaps of_nodes = mishaps_in(with_fault(fault + R"("node": "one-[2-3]"})"), kHour);
    EXPECT_THAT(of_nodes.fate_of(launch(0, 0)).news, IsEmpty()) << each.fault;
    for (const std::uint32_t node : {1u, 2u}) {
      const std::vector<Mishaps::Foreseen> news = of_nodes.fate_of(launch(0, node)).news;
      ASSERT_EQ(news.size(), 1u) << each.fault;
      EXPECT_EQ(news[0], (Mishaps::Foreseen{kHour + kMinute, {each.kind, node, each.detail}})) << each.fault;
    }
    const Mishaps of_group = mishaps_in(with_fault(fault + R"("group": "two"})"));
    EXPECT_THAT(of_group.fate_of(launch(0, 2)).news, IsEmpty()) << each.fault;
    EXPECT_EQ(of_group.fate_of(launch(1, 3)).news.size(), 1u) << each.fault;
    EXPECT_EQ(of_group.fate_of(launch(1, 4)).news.size(), 1u) << each.fault;
  }
}

TEST(Faults, TakeCapacityAndTheApi) {
  const std::string text = with_fault(
      R"({"fault": "zone-outage", "at": 60, "for": "1h", "availabilityZone": "us-east-1b"},
    {"fault": "api-brownout", "at": 5, "for": 10}, {"fault": "api-brownout", "at": 50, "for": 10, "error": "InternalError"},
    {"fault": "capacity-drought", "at": 70, "for": 20, "instanceType": "c6i.*", "limit": 1})");
  const Mishaps mishaps = mishaps_in(text);
  EXPECT_THAT(mishaps.fate_of(launch(0, 0)).news, IsEmpty());
  ASSERT_EQ(mishaps.fate_of(launch(1, 3)).news.size(), 1u);
  EXPECT_EQ(mishaps.fate_of(launch(1, 3)).news[0].at, kMinute);

  const Scenario scenario = parse_scenario(text, "s.json");
  Ec2Settings settings = ec2_settings(scenario, make_design(scenario), kHour);
  add_faults(scenario, settings);
  Ec2 ec2(settings);
  // How many of two nodes of each group get an instance, which is given back; -1: the API refuses.
  const auto granted = [&](std::int64_t at_s) {
    std::vector<int> counts;
    for (const std::uint32_t group : {0u, 1u}) {
      const NodeShare nodes[] = {{NodeId{3 * group}, 0}, {NodeId{3 * group + 1}, 0}};
      const Time now = kHour + at_s * kSecond;
      const Ec2::Answer answer = ec2.launch(GroupId{group}, nodes, false, now);
      const bool refused = answer.grants.empty() && answer.refusal != Refusal::insufficient_instance_capacity;
      counts.push_back(refused ? -1 : static_cast<int>(answer.grants.size()));
      for (std::size_t i = 0; i < answer.grants.size(); ++i) ec2.gone(nodes[i].node, now);
    }
    return counts;
  };
  EXPECT_THAT(granted(4), ElementsAre(2, 2));
  EXPECT_THAT(granted(5), ElementsAre(-1, -1));
  EXPECT_THAT(granted(15), ElementsAre(2, 2));
  EXPECT_THAT(granted(59), ElementsAre(-1, -1));
  EXPECT_THAT(granted(60), ElementsAre(2, 0)) << "the zone is out";
  EXPECT_THAT(granted(70), ElementsAre(1, 0)) << "and few c6i are left";
  EXPECT_THAT(granted(90), ElementsAre(2, 0));
  EXPECT_THAT(granted(3660), ElementsAre(2, 2));
}

TEST(Faults, RefuseAShareOfLaunches) {
  const Scenario scenario =
      parse_scenario(with_fault(R"({"fault": "api-brownout", "at": 0, "for": "1h", "share": 0.25})"), "s.json");
  Ec2Settings settings = ec2_settings(scenario, make_design(scenario), 0);
  add_faults(scenario, settings);
  Ec2 ec2(settings);
  constexpr int kRequests = 20'000;
  int refused = 0;
  const NodeShare node[] = {{NodeId{0}, 0}};
  for (int n = 0; n < kRequests; ++n) {
    const Ec2::Answer answer = ec2.launch(GroupId{0}, node, false, n);
    if (answer.grants.empty() && answer.refusal == Refusal::request_limit_exceeded) ++refused;
    if (!answer.grants.empty()) ec2.gone(NodeId{0}, n);
  }
  EXPECT_NEAR(refused, kRequests / 4.0, 3.3 * std::sqrt(kRequests * 0.25 * 0.75));
}

TEST(Faults, MakeBootsFailAndSlow) {
  const Scenario scenario = parse_scenario(with_fault(R"({"fault": "boot-failure", "group": "two", "times": 1},
    {"fault": "slow-boot", "node": "one-1", "factor": 2.5}, {"fault": "slow-boot", "node": "one-2", "factor": 2, "times": 3})"),
                                           "s.json");
  const auto faults = boot_faults_of(scenario, make_design(scenario));
  ASSERT_EQ(faults.size(), 4u);
  EXPECT_EQ(faults[0].node, NodeId{3});
  EXPECT_EQ(faults[1].node, NodeId{4});
  EXPECT_EQ(faults[1].failures, 1u);
  EXPECT_EQ(faults[1].slow, 0u);
  EXPECT_EQ(faults[2].node, NodeId{0});
  EXPECT_EQ(faults[2].slow, SimulatedCloud::kAlways);
  EXPECT_EQ(faults[2].factor, 2.5);
  EXPECT_EQ(faults[3].slow, 3u);
  EXPECT_EQ(faults[3].failures, 0u);
}

TEST(Faults, SayWhatIsWrong) {
  const auto fault = [](const std::string& one) { return errors_of(with_fault(one)); };
  const std::string at = "s.json:10: faults[0]";
  EXPECT_EQ(fault(R"({"fault": "instance-reboot", "node": "one-1"})"),
            at + ".at: missing; fault instance-reboot needs it");
  EXPECT_EQ(fault(R"({"fault": "instance-stop", "at": 1})"), at + ".node: missing; fault instance-stop needs it");
  EXPECT_EQ(fault(R"({"fault": "instance-stop", "at": 1, "node": "one-1", "group": "one"})"),
            at + ".group: not together with node");
  EXPECT_EQ(fault(R"({"fault": "instance-stop", "at": 1, "group": "three"})"),
            at + ".group: unknown compute node group \"three\"; known: \"one\", \"two\"");
  EXPECT_EQ(fault(R"({"fault": "instance-stop", "at": 1, "node": "one-1", "for": 5})"),
            at + ".for: not with fault instance-stop");
  EXPECT_EQ(fault(R"({"fault": "zone-outage", "at": 1, "availabilityZone": "us-east-1a"})"),
            at + ".for: missing; fault zone-outage needs it");
  EXPECT_EQ(fault(R"({"fault": "zone-outage", "at": 1, "for": 1, "availabilityZone": "us-east-1c"})"),
            at + ".availabilityZone: no subnet is in \"us-east-1c\"; known: \"us-east-1a\", \"us-east-1b\"");
  EXPECT_EQ(fault(R"({"fault": "capacity-drought", "at": 1, "for": 1, "instanceType": "c6i.xlarg"})"),
            at + ".instanceType: no instance type \"c6i.xlarg\" in the catalog; did you mean \"c6i.xlarge\"?");
  EXPECT_EQ(fault(R"({"fault": "capacity-drought", "at": 1, "for": 1, "instanceType": "c6i.*", "limit": 3})"), "");
  EXPECT_EQ(fault(R"({"fault": "slow-boot", "node": "one-1"})"), at + ".factor: missing; fault slow-boot needs it");
  EXPECT_EQ(fault(R"({"fault": "api-brownout", "at": 1, "for": 1, "node": "one-1"})"),
            at + ".node: not with fault api-brownout");
  EXPECT_EQ(fault(R"({"fault": "spot-interruption", "at": 1, "node": "one-1"})"),
            at + ".node: instances of \"one\" are no Spot Instances");
  EXPECT_THAT(fault(R"({"fault": "instance-stop", "at": 1, "node": "one-4"})"),
              HasSubstr(at + ".node: no node \"one-4\""));
  EXPECT_THAT(fault(R"({"fault": "instance-restart", "at": 1, "node": "one-4"})"),
              HasSubstr("did you mean \"instance-reboot\"?"));
}

TEST(Faults, OfInstancesAreNotOfPools) {
  EXPECT_EQ(errors_of(R"({"pool": {"processors": 3}, "workload": {"jobs": [{"runTime": 1}]},
    "faults": [{"fault": "instance-reboot", "at": 1, "node": "pool-1"}]})"),
            "s.json:2: faults[0].fault: a pool's nodes are always on");
}

TEST(Faults, ReadHowInstancesFail) {
  const std::string text = with_cloud(R"("failures": {"timeToFailure": {"exponential": "100h"}, "failedStarts": 0.25,
    "slowBoots": {"probability": 0.5, "factor": 3},
    "groups": {"two": {"timeToFailure": {"weibull": {"scale": 60, "shape": 2}}, "effect": "reboot", "failedStarts": 0}}})");
  const Scenario scenario = parse_scenario(text, "s.json");
  ASSERT_EQ(scenario.cloud.failures_of_group.size(), 2u);
  const Failures& one = scenario.cloud.failures_of_group[0];
  EXPECT_EQ(one.time_to_failure, (Distribution{.kind = Distribution::Kind::exponential, .a = 360'000}));
  EXPECT_EQ(one.effect, Failures::Effect::hardware_failure);
  EXPECT_EQ(one.failed_starts, 0.25);
  EXPECT_EQ(one.boot_failures, 0);
  const Failures& two = scenario.cloud.failures_of_group[1];
  EXPECT_EQ(two.time_to_failure, (Distribution{.kind = Distribution::Kind::weibull, .a = 60, .b = 2}));
  EXPECT_EQ(two.effect, Failures::Effect::reboot);
  EXPECT_EQ(two.failed_starts, 0);
  EXPECT_EQ(two.slow_boots, 0.5) << "as for all";
  EXPECT_EQ(two.slow_factor, 3);

  EXPECT_EQ(errors_of(with_cloud(R"("failures": {"groups": {"three": {"failedStarts": 1}}})")),
            "s.json:10: cloud.failures.groups.three: unknown compute node group; known: \"one\", \"two\"");
  EXPECT_THAT(errors_of(with_cloud(R"("failures": {"failedStarts": 1.5})")),
              HasSubstr("s.json:10: cloud.failures.failedStarts: found 1.5, expected"));
  EXPECT_THAT(errors_of(with_cloud(R"("failures": {"slowBoots": {"factor": 2}})")),
              HasSubstr("s.json:10: cloud.failures.slowBoots.probability: missing"));
}

TEST(Faults, ReadHowOftenSpotInstancesAreInterrupted) {
  const std::string text = with_cloud(
      R"("spot": {"interruption": {"default": "<5%", "c6i.*": "1000h", "c6i.xlarge": 90}, "notice": "1m", "rebalanceLead": 30})");
  const SpotOptions spot = parse_scenario(text, "s.json").cloud.spot;
  ASSERT_EQ(spot.interruptions.size(), 3u);
  EXPECT_EQ(spot.interruptions[0].mean_to_interruption, mean_to_interruption("<5%"));
  EXPECT_EQ(spot.interruptions[1].mean_to_interruption, 3'600'000);
  EXPECT_EQ(spot.interruptions[2].mean_to_interruption, 90);
  EXPECT_EQ(spot.notice, kMinute);
  EXPECT_EQ(spot.rebalance_lead, 30 * kSecond);
  EXPECT_EQ(errors_of(with_cloud(R"("spot": {"interruption": {"c6i.xlarg": "never"}})")),
            "s.json:10: cloud.spot.interruption.c6i.xlarg: no instance type \"c6i.xlarg\" in the catalog; did you mean "
            "\"c6i.xlarge\"?");
  EXPECT_THAT(errors_of(with_cloud(R"("spot": {"interruption": {"default": "7%"}})")),
              HasSubstr("s.json:10: cloud.spot.interruption.default: found \"7%\", expected"));
}

// Only what is bought as Spot is interrupted, and the most exact of what is said of a type holds.
TEST(Faults, InterruptWhatIsBoughtAsSpot) {
  const std::string text = with(
      "\"cloud\": {\"spot\": {\"interruption\": {\"default\": \"never\", \"c6i.*\": 1000, "
      "\"c6i.xlarge\": 50}}},\n\"faults\": [{\"fault\": \"spot-interruption\", \"at\": 5, "
      "\"node\": \"two-1\"}],\n");
  const Scenario scenario = parse_scenario(text, "s.json");
  Design design = make_design(scenario);
  EXPECT_THROW(mishaps_of(scenario, design, 0), InputError);
  design.groups[1].purchase = Purchase::spot;
  const Mishaps of_two = mishaps_of(scenario, design, 0);
  design.groups[0].purchase = Purchase::spot;
  const Mishaps of_both = mishaps_of(scenario, design, 0);
  double sum = 0;
  for (std::uint64_t n = 0; n < 1000; ++n) {
    EXPECT_THAT(of_two.fate_of(launch(0, 0, n)).news, IsEmpty());
    EXPECT_THAT(of_both.fate_of(launch(1, 4, n)).news, IsEmpty());
    const std::vector<Mishaps::Foreseen> news = of_both.fate_of(launch(0, 0, n)).news;
    ASSERT_EQ(news.size(), 3u);
    sum += static_cast<double>(news[1].at - 10 * kSecond) / static_cast<double>(kSecond);
  }
  EXPECT_NEAR(sum / 1000, 50, 3.3 * 50 / std::sqrt(1000)) << "c6i.xlarge";
  EXPECT_EQ(of_both.fate_of(launch(1, 3)).news.size(), 3u) << "the planned one";
}

}  // namespace
}  // namespace headroom
