// What scenarios say about EC2: every key with what it becomes, and every mistake with its message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/errors.hpp"
#include "models/scenario/cloud_design.hpp"
#include "models/simulation.hpp"
#include "models/workload/load.hpp"
#include "tests/unit/temp_folder.hpp"

namespace headroom {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A cluster of one group whose keys, and further keys of the root, are given; four jobs of one node.
std::string scenario_text(const std::string& root, const std::string& group = "",
                          const std::string& edition = "2026-08",
                          const std::string& types = R"({"instanceType": "c6i.large"})") {
  return R"({"name": "cloud", "region": "us-east-1", "pcsEdition": ")" + edition + R"(",
  "cluster": {"clusterName": "c-1", "scheduler": {"type": "SLURM", "version": ")" +
         (edition == "2026-08" ? "25.05" : "24.05") + R"("}, "size": "SMALL"},
  "computeNodeGroups": [{"computeNodeGroupName": "work", )" +
         (group.empty() ? "" : group + ", ") + R"(
    "scalingConfiguration": {"minInstanceCount": 0, "maxInstanceCount": 8},
    "instanceConfigs": [)" +
         types + R"(]}],
  "queues": [{"queueName": "all", "computeNodeGroupConfigurations": [{"computeNodeGroupId": "work"}]}],
  )" + (root.empty() ? "" : root + ",\n") +
         R"("workload": {"jobs": [{"runTime": 60, "nodes": 1}, {"runTime": 60, "nodes": 1}]}})";
}

std::string error_of(const std::string& text) {
  try {
    make_design(parse_scenario(text, "s.json"));
    return {};
  } catch (const InputError& error) {
    return error.what();
  }
}

Ec2Settings settings_of(const std::string& text, Time origin = 0) {
  const Scenario scenario = parse_scenario(text, "s.json");
  return ec2_settings(scenario, make_design(scenario), origin);
}

const std::string kSubnets =
    R"("subnets": {"sn-a": {"availabilityZone": "us-east-1a", "freeAddresses": 11}, "sn-b": {"availabilityZone": "us-east-1b"}})";

TEST(CloudScenario, OffersAllTypesInAllSubnetsTheCheapestFirst) {
  const Scenario scenario =
      parse_scenario(scenario_text(kSubnets, R"("subnetIds": ["sn-a", "sn-b"])", "2024-12",
                                   R"({"instanceType": "c6i.large"}, {"instanceType": "c6a.large"})"),
                     "s.json");
  const Design design = make_design(scenario);
  const GroupFacts& facts = design.groups[0];
  ASSERT_EQ(facts.offers.size(), 4u);
  std::vector<std::string> offers;
  std::vector<std::int32_t> priorities;
  for (const Offer& o : facts.offers) {
    offers.push_back(o.type.name + " " + o.subnet + " " + o.zone);
    priorities.push_back(o.priority);
  }
  EXPECT_THAT(offers, ElementsAre("c6a.large sn-a us-east-1a", "c6i.large sn-a us-east-1a", "c6i.large sn-b us-east-1b",
                                  "c6a.large sn-b us-east-1b"));
  EXPECT_THAT(priorities, ElementsAre(2, 0, 1, 3));
  EXPECT_EQ(facts.offers[0].type.name, facts.type.name);
  EXPECT_EQ(facts.offers[0].price_per_hour, facts.price_per_hour);
  EXPECT_EQ(facts.offers[0].zone, facts.zone);
}

TEST(CloudScenario, LimitsNothingWhereNothingIsSaid) {
  const Ec2Settings settings = settings_of(scenario_text(""));
  EXPECT_THAT(settings.capacity, IsEmpty());
  EXPECT_FALSE(settings.quotas.any());
  EXPECT_EQ(settings.throttling.launch_requests, std::nullopt);
  Ec2 ec2(settings);
  const std::vector<NodeShare> nodes(10'000, NodeShare{NodeId{0}, 0});
  EXPECT_EQ(ec2.launch(GroupId{0}, nodes, false, 0).grants.size(), 10'000u);
}

TEST(CloudScenario, ReadsCapacity) {
  const Ec2Settings settings = settings_of(scenario_text(R"("cloud": {"capacity": [
    {"instanceType": "c6i.*", "availabilityZone": "us-east-1a", "market": "spot", "limit": 7,
     "schedule": [{"at": "8h", "limit": 2}, {"at": "18h"}], "period": "24h"},
    {"random": {"mean": 20.5, "sd": 3, "correlationTime": "1h", "step": 30}}]})"));
  ASSERT_EQ(settings.capacity.size(), 2u);
  const CapacityRule& first = settings.capacity[0];
  EXPECT_EQ(first.instance_type, "c6i.*");
  EXPECT_EQ(first.zone, "us-east-1a");
  EXPECT_TRUE(first.spot);
  EXPECT_FALSE(first.on_demand);
  EXPECT_EQ(first.limit.value(25 * kHour), 7);
  EXPECT_EQ(first.limit.value(32 * kHour), 2);
  EXPECT_EQ(first.limit.value(20 * kHour), std::nullopt);
  const CapacityRule& second = settings.capacity[1];
  EXPECT_TRUE(second.spot && second.on_demand);
  ASSERT_TRUE(second.random);
  EXPECT_EQ(second.random->mean, 20.5);
  EXPECT_EQ(second.random->correlation, kHour);
  EXPECT_EQ(second.random->step, 30 * kSecond);
}

TEST(CloudScenario, RefusesCapacityThatSaysNothingOrTooMuch) {
  const auto capacity = [](const std::string& rule) {
    return error_of(scenario_text(R"("cloud": {"capacity": [)" + rule + "]}"));
  };
  EXPECT_THAT(capacity("{}"),
              HasSubstr("cloud.capacity[0]: says no limit; expected limit and schedule, or random, or series"));
  EXPECT_THAT(capacity(R"({"limit": 1, "series": "x.csv"})"), HasSubstr("says the limit twice"));
  EXPECT_THAT(capacity(R"({"limit": 1, "period": 60})"),
              HasSubstr("cloud.capacity[0].period: only together with schedule"));
  EXPECT_THAT(capacity(R"({"schedule": [{"at": 60}, {"at": 60, "limit": 1}]})"),
              HasSubstr("cloud.capacity[0].schedule[1].at: is not after the step before it"));
  EXPECT_THAT(capacity(R"({"schedule": [{"at": 60}], "period": 60})"),
              HasSubstr("cloud.capacity[0].schedule[0].at: is not within the period"));
  EXPECT_THAT(capacity(R"({"instanceType": "c*i", "limit": 1})"),
              HasSubstr(R"(found "c*i", expected an instance type, a beginning and *, or *)"));
  EXPECT_THAT(capacity(R"({"instanceType": "c6i.larg", "limit": 1})"),
              HasSubstr(R"(s.json: cloud.capacity[0]: no instance type "c6i.larg" in the catalog; did you mean)"));
  EXPECT_THAT(capacity(R"({"instanceType": "c99.*", "limit": 1})"),
              HasSubstr(R"(cloud.capacity[0]: no instance type in the catalog is like "c99.*")"));
  EXPECT_THAT(capacity(R"({"limit": -1})"), HasSubstr("cloud.capacity[0].limit: found -1"));
  EXPECT_THAT(capacity(R"({"limitt": 1})"), HasSubstr("unknown key; did you mean \"limit\"?"));
}

TEST(CloudScenario, ReadsARecordedSeriesOfCapacityBesideTheScenario) {
  const TempFolder folder;
  folder.write("pool.csv", "time_s,limit\n0,10\r\n90.5, 3\n\n3600,\n");
  const std::string path = folder.write("s.json", scenario_text(R"("cloud": {"capacity": [{"series": "pool.csv"}]})"));
  const Scenario scenario = load_scenario(path);
  const Ec2Settings settings = ec2_settings(scenario, make_design(scenario), 0);
  const Steps<CapacityLimit>& limit = settings.capacity[0].limit;
  EXPECT_EQ(limit.value(0), 10);
  EXPECT_EQ(limit.value(90 * kSecond), 10);
  EXPECT_EQ(limit.value(91 * kSecond), 3);
  EXPECT_EQ(limit.value(kHour), std::nullopt);
  EXPECT_EQ(read_capacity_series("5,1", "x").before, 1) << "the first limit also holds before";
}

TEST(CloudScenario, SaysWhatIsWrongWithARecordedSeries) {
  const auto error = [](std::string_view text) -> std::string {
    try {
      read_capacity_series(text, "pool.csv");
      return {};
    } catch (const InputError& e) {
      return e.what();
    }
  };
  EXPECT_EQ(error(""), "pool.csv: no line of a series; expected time_s,limit");
  EXPECT_EQ(error("a,b\nc,d"), "pool.csv:2: expected time_s,limit with a time from 0 s to 10^10 s");
  EXPECT_EQ(error("0,5\n-1,5"), "pool.csv:2: expected time_s,limit with a time from 0 s to 10^10 s");
  EXPECT_EQ(error("0,5\n1"), "pool.csv:2: expected time_s,limit with a time from 0 s to 10^10 s");
  EXPECT_EQ(error("0,5\nnan,5"), "pool.csv:2: expected time_s,limit with a time from 0 s to 10^10 s");
  EXPECT_EQ(error("0,five"), "pool.csv:1: found the limit \"five\", expected an integer from 0, or nothing");
  EXPECT_EQ(error("5,1\n5,2"), "pool.csv:2: the time is not after the line before it");
  EXPECT_THAT(
      [] {
        const Scenario s =
            parse_scenario(scenario_text(R"("cloud": {"capacity": [{"series": "none.csv"}]})"), "x/s.json");
        ec2_settings(s, make_design(s), 0);
      },
      testing::ThrowsMessage<InputError>(HasSubstr("cloud.capacity[0].series: x/none.csv")));
}

TEST(CloudScenario, HasTheDocumentedBucketsOfTheApi) {
  using Rate = TokenBucket::Rate;
  const auto throttling = [](const std::string& cloud) {
    return settings_of(scenario_text(R"("cloud": {)" + cloud + "}")).throttling;
  };
  const Ec2Settings::Throttling fleet = throttling(R"("throttling": {})");
  EXPECT_EQ(fleet.launch_requests, (Rate{50, 5'000'000}));
  EXPECT_EQ(fleet.launch_instances, std::nullopt);
  EXPECT_EQ(fleet.terminate_requests, (Rate{100, 5'000'000}));
  EXPECT_EQ(fleet.terminate_instances, (Rate{1000, 20'000'000}));
  const Ec2Settings::Throttling run = throttling(R"("launchApi": "RunInstances", "throttling": {})");
  EXPECT_EQ(run.launch_requests, (Rate{5, 2'000'000}));
  EXPECT_EQ(run.launch_instances, (Rate{1000, 2'000'000}));
  const Ec2Settings::Throttling own = throttling(R"("throttling": {
    "buckets": {"RunInstances": {"size": 1, "refillPerSecond": 1}, "TerminateInstances": {"size": 2, "refillPerSecond": 0.15}},
    "resources": {"CreateFleet": {"size": 500, "refillPerSecond": 2}}})");
  EXPECT_EQ(own.launch_requests, (Rate{50, 5'000'000})) << "RunInstances is not what launches here";
  EXPECT_EQ(own.launch_instances, (Rate{500, 2'000'000}));
  EXPECT_EQ(own.terminate_requests, (Rate{2, 150'000}));
  EXPECT_THAT(error_of(scenario_text(
                  R"("cloud": {"throttling": {"buckets": {"RunInstance": {"size": 1, "refillPerSecond": 1}}}})")),
              HasSubstr("cloud.throttling.buckets.RunInstance: no such action here; did you mean \"RunInstances\"?"));
}

TEST(CloudScenario, ReadsQuotas) {
  const QuotaLimits quotas = settings_of(scenario_text(R"("cloud": {"quotas": {
    "onDemand": {"standard": 64, "high-memory": 0}, "spot": {"p": 96}, "instances": 20, "terminatedFor": "1h"}})"))
                                 .quotas;
  EXPECT_EQ(quotas.on_demand[static_cast<std::size_t>(QuotaFamily::standard)], 64);
  EXPECT_EQ(quotas.on_demand[static_cast<std::size_t>(QuotaFamily::high_memory)], 0);
  EXPECT_EQ(quotas.on_demand[static_cast<std::size_t>(QuotaFamily::p)], std::nullopt);
  EXPECT_EQ(quotas.spot[static_cast<std::size_t>(QuotaFamily::p)], 96);
  EXPECT_EQ(quotas.instances, 20);
  EXPECT_EQ(quotas.terminated_for, kHour);
  EXPECT_THAT(error_of(scenario_text(R"("cloud": {"quotas": {"onDemand": {"standart": 64}}})")),
              HasSubstr("cloud.quotas.onDemand.standart: unknown group of families; did you mean \"standard\"?"));
}

TEST(CloudScenario, ReadsSpotPrices) {
  const std::string text = scenario_text(R"("cloud": {"spot": {"prices": [
    {"instanceType": "c6i.large", "series": [{"at": "1h", "usdPerHour": 0.05}, {"at": "2h", "usdPerHour": 0.04}]},
    {"factor": 0.5}]}})");
  const Design design = make_design(parse_scenario(text, "s.json"));
  Offer offer = design.groups[0].offers[0];
  EXPECT_EQ(design.spot_prices.price_at(offer, 0), 50'000);
  EXPECT_EQ(design.spot_prices.price_at(offer, 2 * kHour), 40'000);
  offer.type.name = "c6a.large";
  offer.price_per_hour = 100;
  EXPECT_EQ(design.spot_prices.price_at(offer, 0), 50);
  EXPECT_THAT(error_of(scenario_text(R"("cloud": {"spot": {"prices": [{"factor": 1, "usdPerHour": 1}]}})")),
              HasSubstr("cloud.spot.prices[0]"));
}

TEST(CloudScenario, BuysSpotAsTheGroupOrTheCloudSays) {
  const std::string spot = R"("purchaseOption": "SPOT")";
  const Ec2Settings plain = settings_of(scenario_text("", spot, "2024-12"));
  EXPECT_EQ(plain.fleets[0].purchase, Purchase::spot);
  EXPECT_EQ(plain.fleets[0].strategy, AllocationStrategy::price_capacity_optimized);
  const Ec2Settings of_group =
      settings_of(scenario_text("", spot + R"(, "spotOptions": {"allocationStrategy": "lowest-price"})", "2024-12"));
  EXPECT_EQ(of_group.fleets[0].strategy, AllocationStrategy::lowest_price);
  const Ec2Settings of_cloud =
      settings_of(scenario_text(R"("cloud": {"spotAllocationStrategy": "diversified"})", spot));
  EXPECT_EQ(of_cloud.fleets[0].strategy, AllocationStrategy::diversified);
  const Ec2Settings on_demand = settings_of(scenario_text(
      R"("cloud": {"onDemandAllocationStrategy": "prioritized", "spotAllocationStrategy": "diversified"})"));
  EXPECT_EQ(on_demand.fleets[0].strategy, AllocationStrategy::prioritized);
  EXPECT_THAT(error_of(scenario_text("", spot + R"(, "spotOptions": {"allocationStrategy": "diversified"})")),
              HasSubstr("computeNodeGroups[0].spotOptions.allocationStrategy: found \"diversified\", expected"));
  EXPECT_EQ(
      error_of(scenario_text("", spot, "2024-12", R"({"instanceType": "hpc7g.16xlarge"})")),
      "s.json: computeNodeGroups[0] (work): hpc7g.16xlarge is not sold as Spot; expected purchaseOption ONDEMAND or "
      "another type");
}

const std::string kReservation =
    R"({"id": "cr-1", "instanceType": "c6i.large", "availabilityZone": "us-east-1a", "instanceCount": 4)";

std::string reservations(const std::string& more) {
  return R"("capacityReservations": [)" + kReservation + more + "}]";
}

std::string launch_template(const std::string& data) { return R"("launchTemplates": {"lt-1": {)" + data + "}}"; }
const std::string kUsesTemplate = R"("customLaunchTemplate": {"id": "lt-1"})";
const std::string kNamesGroup =
    R"("CapacityReservationSpecification": {"CapacityReservationTarget": {"CapacityReservationResourceGroupArn": "arn:aws:resource-groups:us-east-1:1234:group/hpc"}})";
const std::string kNamesId =
    R"("CapacityReservationSpecification": {"CapacityReservationTarget": {"CapacityReservationId": "cr-1"}})";

TEST(CloudScenario, ReadsReservationsWithTheirPrices) {
  const Ec2Settings settings =
      settings_of(scenario_text(reservations(R"(, "match": "targeted", "group": "hpc", "start": "1h", "end": "10h")") +
                                    ", " + launch_template(kNamesGroup),
                                kUsesTemplate, "2024-12"));
  ASSERT_EQ(settings.reservations.size(), 1u);
  const CapacityReservation& r = settings.reservations[0];
  EXPECT_EQ(r.instances, 4);
  EXPECT_EQ(r.vcpus, 2);
  EXPECT_FALSE(r.open);
  EXPECT_EQ(r.group, "hpc");
  EXPECT_EQ(r.start, kHour);
  EXPECT_EQ(r.end, 10 * kHour);
  EXPECT_EQ(r.price_per_hour, settings.fleets[0].offers[0].price_per_hour) << "on demand";
  EXPECT_EQ(settings.fleets[0].reservations.group, "hpc") << "the end of the ARN";
  const Ec2Settings priced = settings_of(scenario_text(reservations(R"(, "usdPerHour": 0.25)")));
  EXPECT_EQ(priced.reservations[0].price_per_hour, 250'000);
  EXPECT_TRUE(priced.reservations[0].open);
  const Ec2Settings paid = settings_of(scenario_text(reservations(R"(, "upfrontUsd": 31.5)")));
  EXPECT_EQ(paid.reservations[0].price_per_hour, 0);
  EXPECT_EQ(paid.reservations[0].upfront, 31'500'000);
}

TEST(CloudScenario, ReadsThePreferenceOfALaunchTemplate) {
  const auto preference = [](const std::string& word) {
    return scenario_text(
        launch_template(R"("CapacityReservationSpecification": {"CapacityReservationPreference": ")" + word + "\"}"),
        kUsesTemplate);
  };
  using Preference = ReservationUse::Preference;
  EXPECT_EQ(settings_of(preference("open")).fleets[0].reservations.preference, Preference::open);
  EXPECT_EQ(settings_of(preference("none")).fleets[0].reservations.preference, Preference::none);
  EXPECT_EQ(settings_of(preference("capacity-reservations-only")).fleets[0].reservations.preference, Preference::only);
  EXPECT_THAT(error_of(preference("opne")),
              HasSubstr("CapacityReservationPreference: found \"opne\", expected \"open\", "));
  EXPECT_THAT(error_of(scenario_text(launch_template(R"("CapacityReservationSpecification": 3)"), kUsesTemplate)),
              HasSubstr("launchTemplates.lt-1.CapacityReservationSpecification: found 3, expected an object"));
}

TEST(CloudScenario, RefusesReservationsThatCannotBe) {
  const auto refused = [](const std::string& more, const std::string& edition = "2026-08") {
    return error_of(scenario_text(reservations(more), "", edition));
  };
  const std::string block = R"(, "type": "capacity-block", "end": "48h")";
  EXPECT_EQ(refused(block), "");
  EXPECT_THAT(refused(block, "2024-12"), HasSubstr("\"capacity-block\" needs pcsEdition 2026-08 [PCS-44]"));
  EXPECT_THAT(refused(R"(, "type": "capacity-block")"), HasSubstr("end: missing; a Capacity Block has an end"));
  EXPECT_THAT(refused(block + R"(, "match": "open")"), HasSubstr("is used only by launches that name it"));
  EXPECT_THAT(refused(block + R"(, "placementGroup": "pg")"), HasSubstr("placementGroup: not with a Capacity Block"));
  EXPECT_THAT(refused(R"(, "placementGroup": "pg")"), HasSubstr("unknown placement group \"pg\""));
  EXPECT_THAT(refused(R"(, "start": "2h", "end": "2h")"), HasSubstr("end: is not after the start"));
  EXPECT_THAT(refused(R"(, "upfrontUsd": 1, "usdPerHour": 1)"), HasSubstr("upfrontUsd: not together with usdPerHour"));
  EXPECT_THAT(refused(R"(, "type": "interruptible", "group": "hpc")"), HasSubstr("cannot be in a resource group"));
  EXPECT_THAT(error_of(scenario_text(R"("capacityReservations": [)" + kReservation + "}, " + kReservation + "}]")),
              HasSubstr("capacityReservations[1].id: \"cr-1\" names another reservation already"));
  EXPECT_THAT(error_of(scenario_text(R"("capacityReservations": [{"id": "cr-1", "type": "capacity-block", "end": "24h",
      "instanceType": "c6i.large", "availabilityZone": "us-east-1a", "instanceCount": 65}])")),
              HasSubstr("found 65, but a Capacity Block has at most 64"));
  EXPECT_THAT(error_of(scenario_text(R"("capacityReservations": [{"id": "cr-1", "instanceType": "c6i.lrge",
      "availabilityZone": "us-east-1a", "instanceCount": 5}])")),
              HasSubstr("capacityReservations[0]: no instance type \"c6i.lrge\""));
  EXPECT_THAT(error_of(scenario_text(reservations(R"(, "placementGroup": "pg")") +
                                     R"(, "placementGroups": {"pg": {"strategy": "spread"}})")),
              HasSubstr("only a cluster placement group can have reservations"));
}

TEST(CloudScenario, HoldsGroupsToTheReservationsThatTheirTemplatesName) {
  const auto group = [](const std::string& purchase, const std::string& more, const std::string& data,
                        const std::string& edition = "2026-08") {
    return error_of(scenario_text(reservations(more) + ", " + launch_template(data),
                                  kUsesTemplate + R"(, "purchaseOption": ")" + purchase + "\"", edition));
  };
  const std::string block = R"(, "type": "capacity-block", "end": "48h")";
  EXPECT_EQ(group("CAPACITY_BLOCK", block, kNamesId), "");
  EXPECT_EQ(group("ONDEMAND", R"(, "group": "hpc")", kNamesGroup, "2024-12"), "");
  EXPECT_THAT(group("ONDEMAND", "", kNamesId, "2024-12"), HasSubstr("an id needs pcsEdition 2026-08 [PCS-44]"));
  EXPECT_THAT(group("CAPACITY_BLOCK", "", "", "2024-12"),
              HasSubstr("\"CAPACITY_BLOCK\" needs pcsEdition 2026-08 [PCS-14]"));
  EXPECT_THAT(group("CAPACITY_BLOCK", block, ""),
              HasSubstr("needs a launch template whose CapacityReservationTarget names the reservation"));
  EXPECT_THAT(group("CAPACITY_BLOCK", block, kNamesId + R"(, "Placement": {"GroupName": "pg"})"),
              HasSubstr("instances of a Capacity Block cannot be in a placement group"));
  EXPECT_THAT(group("CAPACITY_BLOCK", "", kNamesId),
              HasSubstr("names \"cr-1\", which is of another type than purchaseOption"));
  EXPECT_THAT(group("INTERRUPTIBLE_CAPACITY_RESERVATION", block, kNamesId), HasSubstr("which is of another type"));
  EXPECT_THAT(group("ONDEMAND", "", kNamesGroup),
              HasSubstr("no reservation of capacityReservations is in the group \"hpc\""));
  EXPECT_THAT(error_of(scenario_text(launch_template(kNamesId), kUsesTemplate)),
              HasSubstr("its launch template names \"cr-1\", which is not in capacityReservations"));
}

TEST(CloudScenario, ReadsPlacementGroupsAndAddresses) {
  const std::string places = launch_template(R"("Placement": {"GroupName": "pg"})") + ", " + kSubnets;
  const Ec2Settings settings =
      settings_of(scenario_text(places + R"(, "placementGroups": {"pg": {"capacity": 3}})", kUsesTemplate));
  ASSERT_EQ(settings.placement_groups.size(), 1u);
  EXPECT_EQ(settings.placement_groups[0].capacity, 3);
  EXPECT_EQ(settings.fleets[0].placement_group, "pg");
  EXPECT_EQ(settings.free_addresses, (std::map<std::string, std::int64_t>{{"sn-a", 11}}));
  const auto group = [&](const std::string& keys) {
    return error_of(scenario_text(places + R"(, "placementGroups": {"pg": {)" + keys + "}}", kUsesTemplate));
  };
  EXPECT_EQ(group(R"("strategy": "partition", "partitionCount": 7)"), "");
  EXPECT_THAT(group(R"("strategy": "partition", "partitionCount": 8)"),
              HasSubstr("found 8, expected an integer from 1 to 7"));
  EXPECT_THAT(group(R"("partitionCount": 2)"), HasSubstr("partitionCount: only with strategy partition [PCS-55]"));
  EXPECT_THAT(group(R"("strategy": "spread", "capacity": 2)"),
              HasSubstr("capacity: only with strategy cluster [PCS-55]"));
  const Ec2Settings unnamed = settings_of(scenario_text(places, kUsesTemplate));
  ASSERT_EQ(unnamed.placement_groups.size(), 1u) << "a group that nothing is known of is a cluster";
  EXPECT_EQ(unnamed.placement_groups[0].strategy, PlacementStrategy::cluster);
}

}  // namespace
}  // namespace headroom
