// What EC2 grants and refuses, each rule by itself, with hand calculations.
#include "models/cloud/ec2.hpp"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/draw.hpp"

namespace headroom {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

// An account with node groups and what EC2 has for it. Nodes are numbered on from launch to launch.
struct Account {
  Ec2Settings settings;
  std::optional<Ec2> ec2;
  std::uint32_t next = 0;

  // The next node group. Offers are in the order in which they are given.
  Fleet& group(std::vector<Offer> offers) {
    for (std::size_t o = 0; o < offers.size(); ++o) offers[o].priority = static_cast<std::int32_t>(o);
    Fleet& fleet = settings.fleets.emplace_back();
    fleet.offers = std::move(offers);
    return fleet;
  }
  void limit(const std::string& type, const std::string& zone, std::int64_t instances) {
    CapacityRule& rule = settings.capacity.emplace_back();
    rule.instance_type = type;
    rule.zone = zone;
    rule.limit.before = instances;
  }
  Ec2& cloud() {
    if (!ec2) ec2.emplace(settings);
    return *ec2;
  }
  static std::vector<NodeShare> nodes(std::uint32_t first, std::uint32_t count) {
    std::vector<NodeShare> all;
    for (std::uint32_t n = 0; n < count; ++n) all.push_back({NodeId{first + n}, 0});
    return all;
  }
  Ec2::Answer launch(std::uint32_t count, Time now = 0, std::uint32_t group = 0, bool all = false) {
    next += count;
    return cloud().launch(GroupId{group}, nodes(next - count, count), all, now);
  }
  std::vector<Time> terminate(std::uint32_t first, std::uint32_t count, Time now) {
    return cloud().terminate(nodes(first, count), now);
  }
};

Offer offer(const std::string& type, const std::string& zone, MicroUsd price = 1'000'000, std::int32_t vcpus = 4) {
  Offer o;
  o.type.name = type;
  o.type.vcpus = vcpus;
  o.subnet = "subnet-" + zone;
  o.zone = zone;
  o.price_per_hour = price;
  return o;
}

// How many instances of each offer, in the order of the offers.
std::vector<int> by_offer(const Ec2::Answer& answer, std::size_t offers) {
  std::vector<int> counts(offers);
  for (const Ec2::Grant& grant : answer.grants) ++counts[grant.offer];
  return counts;
}

// --- limits of pools ---

TEST(Ec2, GrantsTheFirstOfferWhereNothingIsLimited) {
  Ec2 bare;
  EXPECT_EQ(bare.launch(GroupId{3}, Account::nodes(0, 2), true, 5).grants.size(), 2u);
  EXPECT_THAT(bare.terminate(Account::nodes(0, 2), 7), Each(7));
  Account a;
  a.group({offer("c6i.large", "a", 1), offer("c6a.large", "a", 2)});
  const Ec2::Answer answer = a.launch(1000, 9);
  EXPECT_THAT(by_offer(answer, 2), ElementsAre(1000, 0));
  EXPECT_EQ(answer.at, 9);
}

TEST(Ec2, GivesAPartWhereItHasNotAll) {
  Account a;
  a.group({offer("c6i.large", "a")});
  a.limit("*", "", 3);
  const Ec2::Answer answer = a.launch(5);
  EXPECT_EQ(answer.grants.size(), 3u);
  EXPECT_EQ(answer.refusal, Refusal::insufficient_instance_capacity);
  EXPECT_THAT(a.launch(1, kSecond).grants, IsEmpty());
  a.terminate(0, 2, kMinute);
  EXPECT_EQ(a.launch(5, kMinute).grants.size(), 2u) << "what was given back";
}

TEST(Ec2, SharesAPoolBetweenGroupsAndKeepsSpotApart) {
  Account a;
  a.group({offer("c6i.large", "a")});
  a.group({offer("c6i.large", "a")});
  a.group({offer("c6i.large", "b")});
  a.group({offer("c6i.large", "a")}).purchase = Purchase::spot;
  a.limit("c6i.*", "", 4);
  EXPECT_EQ(a.launch(3, 0, 0).grants.size(), 3u);
  EXPECT_EQ(a.launch(3, 0, 1).grants.size(), 1u);
  EXPECT_EQ(a.launch(3, 0, 2).grants.size(), 3u) << "another zone";
  EXPECT_EQ(a.launch(9, 0, 3).grants.size(), 4u) << "another market";
}

TEST(Ec2, CountsTimeFromTheStartOfTheRun) {
  Account a;
  a.settings.origin = 1000 * kHour;
  a.group({offer("c6i.large", "a")});
  a.settings.capacity.resize(1);
  a.settings.capacity[0].limit = {1, {{kHour, 2}}};
  EXPECT_EQ(a.launch(2, 1000 * kHour).grants.size(), 1u);
  EXPECT_EQ(a.launch(2, 1001 * kHour).grants.size(), 1u) << "two in all";
}

TEST(Ec2, KnowsAnInstanceThatWasLostAsGone) {
  Account a;
  a.group({offer("c6i.large", "a")});
  a.limit("*", "", 1);
  EXPECT_EQ(a.launch(1).grants.size(), 1u);
  a.cloud().gone(NodeId{0}, kSecond);
  EXPECT_EQ(a.launch(1, kSecond).grants.size(), 1u);
  a.next = 1;
  EXPECT_EQ(a.launch(1, kMinute).grants.size(), 1u) << "a launch for the same node means that its instance is gone";
}

// --- all or nothing ---

TEST(Ec2, LaunchesNothingWhereAllOrNothingWasAskedAndNotAllAreThere) {
  Account a;
  a.group({offer("c6i.large", "a"), offer("c6i.large", "b")});
  a.limit("*", "", 2);
  EXPECT_THAT(a.launch(5, 0, 0, true).grants, IsEmpty());
  EXPECT_THAT(by_offer(a.launch(4, 0, 0, true), 2), ElementsAre(2, 2)) << "nothing was kept of the request before";
}

TEST(Ec2, CannotAskAFleetOfSeveralTypesInSeveralZonesForAllOrNothing) {
  const std::vector<Offer> offers = {offer("c6i.large", "a"), offer("c6a.large", "b")};
  for (const bool run_instances : {false, true}) {
    Account a;
    a.settings.run_instances = run_instances;
    a.group(offers);
    a.limit("*", "", 2);
    EXPECT_EQ(a.launch(5, 0, 0, true).grants.size(), run_instances ? 0u : 4u);
  }
  Account one_zone;
  one_zone.group({offer("c6i.large", "a"), offer("c6a.large", "a")});
  one_zone.limit("*", "", 2);
  EXPECT_THAT(one_zone.launch(5, 0, 0, true).grants, IsEmpty());
}

// --- strategies ---

// Prices 3, 1, 2, 1 (the last in the second zone): 2, 2, 2 and 2 instances.
std::vector<Offer> four_offers() {
  return {offer("c6i.large", "a", 3), offer("c6a.large", "a", 1), offer("c5.large", "a", 2),
          offer("c6a.large", "b", 1)};
}

TEST(Ec2, TakesTheCheapestFirstAndTheOrderWherePricesAreEqual) {
  Account a;
  a.group(four_offers());
  a.limit("*", "", 2);
  EXPECT_THAT(by_offer(a.launch(3), 4), ElementsAre(0, 2, 0, 1));
  EXPECT_THAT(by_offer(a.launch(4), 4), ElementsAre(1, 0, 2, 1));
  const Ec2::Answer rest = a.launch(4);
  EXPECT_THAT(by_offer(rest, 4), ElementsAre(1, 0, 0, 0));
  EXPECT_EQ(rest.refusal, Refusal::insufficient_instance_capacity);
}

TEST(Ec2, TakesThePrioritizedFirst) {
  Account a;
  a.group(four_offers()).strategy = AllocationStrategy::prioritized;
  a.limit("*", "", 2);
  EXPECT_THAT(by_offer(a.launch(5), 4), ElementsAre(2, 2, 1, 0));
}

TEST(Ec2, RunInstancesTakesOneOffer) {
  Account a;
  a.settings.run_instances = true;
  a.group(four_offers());
  a.limit("*", "", 2);
  EXPECT_THAT(by_offer(a.launch(3), 4), ElementsAre(0, 2, 0, 0)) << "and does not fail over";
}

SpotPrices prices(std::vector<SpotPriceRule> rules) { return SpotPrices(std::move(rules)); }

// Spare capacity 5, 20, 10, none without a limit; prices 1, 4, 2, 3 (Spot: 0.35 of it).
struct SpotFleet : Account {
  explicit SpotFleet(AllocationStrategy strategy, bool with_unlimited = true) {
    std::vector<Offer> offers = {offer("c5.large", "a", 1'000'000), offer("m5.large", "a", 4'000'000),
                                 offer("r5.large", "a", 2'000'000)};
    if (with_unlimited) offers.push_back(offer("c6i.large", "a", 3'000'000));
    Fleet& fleet = group(offers);
    fleet.purchase = Purchase::spot;
    fleet.strategy = strategy;
    limit("c5.large", "", 5);
    limit("m5.large", "", 20);
    limit("r5.large", "", 10);
  }
};

TEST(Ec2, SpotLowestPrice) {
  SpotFleet f(AllocationStrategy::lowest_price);
  EXPECT_THAT(by_offer(f.launch(12), 4), ElementsAre(5, 0, 7, 0));
}

TEST(Ec2, SpotCapacityOptimizedTakesTheLargestPoolFirst) {
  SpotFleet limited(AllocationStrategy::capacity_optimized, false);
  EXPECT_THAT(by_offer(limited.launch(32), 3), ElementsAre(2, 20, 10));
  SpotFleet f(AllocationStrategy::capacity_optimized);
  EXPECT_THAT(by_offer(f.launch(12), 4), ElementsAre(0, 0, 0, 12)) << "none is larger than one without a limit";
}

TEST(Ec2, SpotCapacityOptimizedGoesByWhatIsLeft) {
  SpotFleet f(AllocationStrategy::capacity_optimized, false);
  EXPECT_THAT(by_offer(f.launch(15), 3), ElementsAre(0, 15, 0));
  EXPECT_THAT(by_offer(f.launch(1), 3), ElementsAre(0, 0, 1)) << "10 are more than the 5 that are left there";
}

// For 7 instances three pools are large enough, the cheapest of which costs 2; for 3 all four are; for 15 two; for 30
// only the one without a limit.
TEST(Ec2, SpotPriceCapacityOptimizedTakesTheCheapestOfThePoolsThatHoldAll) {
  for (const auto& [count, expected] : std::vector<std::pair<std::uint32_t, std::vector<int>>>{
           {7, {0, 0, 7, 0}}, {3, {3, 0, 0, 0}}, {15, {0, 0, 0, 15}}, {30, {0, 0, 0, 30}}}) {
    SpotFleet f(AllocationStrategy::price_capacity_optimized);
    EXPECT_EQ(by_offer(f.launch(count), 4), expected) << count;
  }
  SpotFleet limited(AllocationStrategy::price_capacity_optimized, false);
  EXPECT_THAT(by_offer(limited.launch(32), 3), ElementsAre(2, 20, 10)) << "where none holds all, the largest first";
}

TEST(Ec2, SpotCapacityOptimizedPrioritizedTakesTheFirstOfThePoolsThatHoldAll) {
  SpotFleet f(AllocationStrategy::capacity_optimized_prioritized);
  EXPECT_THAT(by_offer(f.launch(7), 4), ElementsAre(0, 7, 0, 0));
  SpotFleet g(AllocationStrategy::capacity_optimized_prioritized);
  EXPECT_THAT(by_offer(g.launch(5), 4), ElementsAre(5, 0, 0, 0));
}

// 25 instances, one of each in turn: five rounds empty the first pool, and the last five go 2, 2, 1.
TEST(Ec2, SpotDiversifiedSpreadsOverAllPools) {
  SpotFleet even(AllocationStrategy::diversified);
  EXPECT_THAT(by_offer(even.launch(8), 4), ElementsAre(2, 2, 2, 2));
  SpotFleet f(AllocationStrategy::diversified);
  EXPECT_THAT(by_offer(f.launch(25), 4), ElementsAre(5, 7, 7, 6));
}

TEST(Ec2, SpotDiversifiedLeavesOutPoolsThatCostAsMuchAsOnDemand) {
  SpotFleet f(AllocationStrategy::diversified);
  f.settings.spot_prices = prices({{.instance_type = "m5.large", .share = 1'000'000}});
  EXPECT_THAT(by_offer(f.launch(6), 4), ElementsAre(2, 0, 2, 2));
  SpotFleet none(AllocationStrategy::diversified);
  none.settings.spot_prices = prices({{.share = 2'000'000}});
  const Ec2::Answer answer = none.launch(6);
  EXPECT_THAT(answer.grants, IsEmpty());
  EXPECT_EQ(answer.refusal, Refusal::unfulfillable_capacity);
}

// The price of the first falls below that of the second at 1 h.
TEST(Ec2, SpotPricesOfTheMomentDecide) {
  Account a;
  Fleet& fleet = a.group({offer("c5.large", "a", 3), offer("m5.large", "a", 3)});
  fleet.purchase = Purchase::spot;
  a.settings.spot_prices =
      prices({{.instance_type = "c5.large", .price = {2, {{kHour, 0}}}}, {.instance_type = "m5.large", .price = {1}}});
  EXPECT_THAT(by_offer(a.launch(2, 0), 2), ElementsAre(0, 2));
  EXPECT_THAT(by_offer(a.launch(2, kHour), 2), ElementsAre(2, 0));
}

// The first choice has no address, the second no capacity: what the first lacks is told.
TEST(Ec2, TellsWhatTheFirstChoiceLacks) {
  Account a;
  a.group({offer("c6i.large", "b", 2), offer("c6i.large", "a", 1)});
  a.settings.free_addresses = {{"subnet-a", 0}};
  a.limit("*", "b", 1);
  const Ec2::Answer answer = a.launch(3);
  EXPECT_THAT(by_offer(answer, 2), ElementsAre(1, 0));
  EXPECT_EQ(answer.refusal, Refusal::insufficient_free_addresses_in_subnet);
}

// --- addresses ---

TEST(Ec2, TakesAnAddressOfTheSubnetForEachInstance) {
  Account a;
  a.group({offer("c6i.large", "a")});
  a.group({offer("m5.large", "a")});
  a.settings.free_addresses = {{"subnet-a", 5}};
  EXPECT_EQ(a.launch(3, 0, 0).grants.size(), 3u);
  const Ec2::Answer answer = a.launch(3, 0, 1);
  EXPECT_EQ(answer.grants.size(), 2u);
  EXPECT_EQ(answer.refusal, Refusal::insufficient_free_addresses_in_subnet);
  a.terminate(0, 1, kSecond);
  EXPECT_EQ(a.launch(3, kSecond, 1).grants.size(), 1u);
}

// --- placement groups ---

TEST(Ec2, AClusterPlacementGroupIsInOneZone) {
  Account a;
  a.settings.placement_groups = {{"pg"}};
  a.group({offer("c6i.large", "a"), offer("c6i.large", "b")}).placement_group = "pg";
  a.limit("*", "a", 2);
  const Ec2::Answer answer = a.launch(3);
  EXPECT_THAT(by_offer(answer, 2), ElementsAre(2, 0));
  EXPECT_EQ(answer.refusal, Refusal::insufficient_instance_capacity);
  a.terminate(0, 2, kMinute);
  a.cloud();
  EXPECT_THAT(by_offer(a.launch(2, 2 * kMinute), 2), ElementsAre(2, 0));
}

TEST(Ec2, AClusterPlacementGroupMovesOnceItIsEmpty) {
  Account a;
  a.settings.placement_groups = {{"pg"}};
  a.group({offer("c6i.large", "a"), offer("c6i.large", "b")}).placement_group = "pg";
  a.settings.capacity.resize(1);
  a.settings.capacity[0].zone = "a";
  a.settings.capacity[0].limit = {2, {{kHour, 0}}};
  EXPECT_THAT(by_offer(a.launch(2), 2), ElementsAre(2, 0));
  EXPECT_THAT(by_offer(a.launch(1, kHour), 2), ElementsAre(0, 0));
  a.terminate(0, 2, kHour);
  EXPECT_THAT(by_offer(a.launch(1, kHour), 2), ElementsAre(0, 1));
}

TEST(Ec2, AClusterPlacementGroupIsSharedAndCanBeFull) {
  Account a;
  a.settings.placement_groups = {{.name = "pg", .capacity = 5}};
  a.group({offer("c6i.large", "a")}).placement_group = "pg";
  a.group({offer("m5.large", "a")}).placement_group = "pg";
  EXPECT_EQ(a.launch(3, 0, 0).grants.size(), 3u);
  const Ec2::Answer answer = a.launch(3, 0, 1);
  EXPECT_EQ(answer.grants.size(), 2u);
  EXPECT_EQ(answer.refusal, Refusal::insufficient_instance_capacity);
}

TEST(Ec2, TwoGroupsInOneClusterPlacementGroupCannotBeInTwoZones) {
  Account a;
  a.settings.placement_groups = {{"pg"}};
  a.group({offer("c6i.large", "a")}).placement_group = "pg";
  a.group({offer("c6i.large", "b")}).placement_group = "pg";
  EXPECT_EQ(a.launch(1, 0, 0).grants.size(), 1u);
  EXPECT_THAT(a.launch(1, 0, 1).grants, IsEmpty());
}

TEST(Ec2, ASpreadPlacementGroupHasSevenInEachZone) {
  Account a;
  a.settings.placement_groups = {{.name = "pg", .strategy = PlacementStrategy::spread}};
  a.group({offer("c6i.large", "a"), offer("c6i.large", "b")}).placement_group = "pg";
  const Ec2::Answer answer = a.launch(16);
  EXPECT_THAT(by_offer(answer, 2), ElementsAre(7, 7));
  EXPECT_EQ(answer.refusal, Refusal::insufficient_instance_capacity);
  a.terminate(3, 1, kSecond);
  EXPECT_THAT(by_offer(a.launch(2, kSecond), 2), ElementsAre(1, 0));
}

TEST(Ec2, APartitionPlacementGroupHasAsManyAsThereAre) {
  Account a;
  a.settings.placement_groups = {{.name = "pg", .strategy = PlacementStrategy::partition, .partitions = 2}};
  a.group({offer("c6i.large", "a")}).placement_group = "pg";
  a.limit("*", "", 100);
  EXPECT_EQ(a.launch(200).grants.size(), 100u);
}

// --- quotas ---

TEST(Ec2, KnowsTheQuotaOfEachFamily) {
  const std::pair<const char*, QuotaFamily> kTypes[] = {{"c6i.large", QuotaFamily::standard},
                                                        {"d3.xlarge", QuotaFamily::standard},
                                                        {"im4gn.large", QuotaFamily::standard},
                                                        {"t3.micro", QuotaFamily::standard},
                                                        {"hpc7a.96xlarge", QuotaFamily::hpc},
                                                        {"h1.2xlarge", QuotaFamily::standard},
                                                        {"p5.48xlarge", QuotaFamily::p},
                                                        {"g6e.xlarge", QuotaFamily::g},
                                                        {"gr6.4xlarge", QuotaFamily::g},
                                                        {"vt1.3xlarge", QuotaFamily::g},
                                                        {"f2.6xlarge", QuotaFamily::f},
                                                        {"inf2.xlarge", QuotaFamily::inf},
                                                        {"i4i.large", QuotaFamily::standard},
                                                        {"trn1.2xlarge", QuotaFamily::trn},
                                                        {"dl1.24xlarge", QuotaFamily::dl},
                                                        {"x2idn.16xlarge", QuotaFamily::x},
                                                        {"u-6tb1.metal", QuotaFamily::high_memory},
                                                        {"z1d.large", QuotaFamily::standard}};
  for (const auto& [type, family] : kTypes) EXPECT_EQ(quota_family(type), family) << type;
}

// 64 vCPUs of standard families: 16 instances of 4. HPC has none; Spot has its own.
TEST(Ec2, KeepsVcpuQuotasByFamilyAndMarket) {
  Account a;
  a.settings.quotas.on_demand[static_cast<std::size_t>(QuotaFamily::standard)] = 64;
  a.settings.quotas.on_demand[static_cast<std::size_t>(QuotaFamily::hpc)] = 0;
  a.settings.quotas.spot[static_cast<std::size_t>(QuotaFamily::standard)] = 8;
  a.group({offer("c6i.xlarge", "a")});
  a.group({offer("m5.xlarge", "b")});
  a.group({offer("hpc7a.96xlarge", "a", 1, 192)});
  a.group({offer("c6i.xlarge", "a")}).purchase = Purchase::spot;
  EXPECT_EQ(a.launch(10, 0, 0).grants.size(), 10u);
  const Ec2::Answer same_quota = a.launch(10, 0, 1);
  EXPECT_EQ(same_quota.grants.size(), 6u);
  EXPECT_EQ(same_quota.refusal, Refusal::vcpu_limit_exceeded);
  EXPECT_EQ(a.launch(1, 0, 2).refusal, Refusal::vcpu_limit_exceeded);
  const Ec2::Answer spot = a.launch(10, 0, 3);
  EXPECT_EQ(spot.grants.size(), 2u);
  EXPECT_EQ(spot.refusal, Refusal::max_spot_instance_count_exceeded);
  a.terminate(0, 4, kSecond);
  EXPECT_EQ(a.launch(10, kSecond, 1).grants.size(), 4u);
}

// Three instances, and a terminated one counts for ten minutes.
TEST(Ec2, CountsTerminatedInstancesForAWhile) {
  Account a;
  a.settings.quotas.instances = 3;
  a.settings.quotas.terminated_for = 10 * kMinute;
  a.group({offer("c6i.xlarge", "a")});
  EXPECT_EQ(a.launch(3).grants.size(), 3u);
  a.terminate(0, 2, kMinute);
  const Ec2::Answer early = a.launch(1, 11 * kMinute - 1);
  EXPECT_THAT(early.grants, IsEmpty());
  EXPECT_EQ(early.refusal, Refusal::instance_limit_exceeded);
  EXPECT_EQ(a.launch(3, 11 * kMinute).grants.size(), 2u);
}

// --- token buckets ---

// A burst of 1000 instances in requests of 100, as often as RunInstances is allowed: five at once, then one every half
// second: the tenth after 2.5 s. With 2 instances a second afterwards, the next 100 are 50 s after the 1000th.
TEST(Ec2, ThrottlesRunInstancesByRequestsAndInstances) {
  Account a;
  a.settings.run_instances = true;
  a.settings.throttling.launch_requests = TokenBucket::Rate{5, 2'000'000};
  a.settings.throttling.launch_instances = TokenBucket::Rate{1000, 2'000'000};
  a.group({offer("c6i.large", "a")});
  Time now = 0;
  std::vector<Time> granted;
  for (; granted.size() < 11; now += kSecond / 10) {
    const Ec2::Answer answer = a.launch(100, now);
    if (!answer.grants.empty()) {
      ASSERT_EQ(answer.grants.size(), 100u) << "a throttled request gets nothing, the others all";
      granted.push_back(now);
    } else {
      ASSERT_EQ(answer.refusal, Refusal::request_limit_exceeded);
    }
  }
  EXPECT_EQ(granted[4], 0 + 4 * kSecond / 10);
  EXPECT_EQ(granted[5], 5 * kSecond / 10);
  EXPECT_EQ(granted[9], 25 * kSecond / 10);
  EXPECT_EQ(granted[10], 50 * kSecond) << "1000 instances are there at the start, and two more every second";
}

TEST(Ec2, ThrottlesARequestForMoreThanThereIsAsAWhole) {
  Account a;
  a.settings.throttling.launch_instances = TokenBucket::Rate{1000, 2'000'000};
  a.group({offer("c6i.large", "a")});
  EXPECT_EQ(a.launch(1001).refusal, Refusal::request_limit_exceeded);
  EXPECT_EQ(a.launch(1000).grants.size(), 1000u) << "the refused one took no token";
}

// 100 instances at 20 a second from a bucket of 50: 50 at once, which empties it; the next 50 after 2.5 s.
TEST(Ec2, TerminatesLaterWhereThatIsThrottled) {
  Account a;
  a.settings.throttling.terminate_requests = TokenBucket::Rate{100, 5'000'000};
  a.settings.throttling.terminate_instances = TokenBucket::Rate{50, 20'000'000};
  a.group({offer("c6i.large", "a")});
  a.limit("*", "", 150);
  a.launch(150);
  const std::vector<Time> times = a.terminate(0, 100, kMinute);
  EXPECT_EQ(times[0], kMinute);
  EXPECT_EQ(times[49], kMinute);
  EXPECT_EQ(times[50], kMinute + 5 * kSecond / 2);
  EXPECT_EQ(times[99], kMinute + 5 * kSecond / 2);
  EXPECT_THAT(a.terminate(100, 1, kMinute), ElementsAre(kMinute + 5 * kSecond / 2 + kSecond / 20))
      << "it waits its turn";
  EXPECT_EQ(a.launch(60, kMinute + kSecond).grants.size(), 50u) << "the others still exist";
  EXPECT_EQ(a.launch(60, kMinute + 5 * kSecond / 2).grants.size(), 50u);
}

TEST(Ec2, RefusesEverythingInABrownOut) {
  Account a;
  a.settings.brown_outs = {{kHour, 2 * kHour, Refusal::internal_error}};
  a.group({offer("c6i.large", "a")});
  EXPECT_EQ(a.launch(2, kHour - 1).grants.size(), 2u);
  EXPECT_EQ(a.launch(2, kHour).refusal, Refusal::internal_error);
  EXPECT_THAT(a.terminate(0, 2, kHour + 1), ElementsAre(2 * kHour, 2 * kHour));
  EXPECT_EQ(a.launch(2, 2 * kHour).grants.size(), 2u);
}

// --- answers that come later ---

TEST(Ec2, AnswersLaterAndKnowsTheInstanceEverywhereLaterStill) {
  Account a;
  a.settings.origin = kHour;
  a.settings.api_latency = {Distribution::Kind::constant, 0.25};
  a.settings.consistency_delay = {Distribution::Kind::constant, 3};
  a.group({offer("c6i.large", "a")});
  const Ec2::Answer answer = a.launch(1, kHour);
  EXPECT_EQ(answer.at, kHour + kSecond / 4);
  EXPECT_EQ(answer.grants[0].known, kHour + 13 * kSecond / 4);
  EXPECT_THAT(a.terminate(0, 1, kHour + kSecond), ElementsAre(kHour + 13 * kSecond / 4));
}

// --- reservations ---

CapacityReservation reservation(const std::string& id, std::int64_t instances, const std::string& group = {}) {
  CapacityReservation r;
  r.id = id;
  r.instance_type = "c6i.large";
  r.zone = "a";
  r.instances = instances;
  r.vcpus = 4;
  r.open = group.empty();
  r.group = group;
  r.price_per_hour = 85'000;
  return r;
}

// The reservations that were used, in the order of the nodes.
std::vector<std::uint32_t> reservations_of(const Ec2::Answer& answer) {
  std::vector<std::uint32_t> used;
  for (const Ec2::Grant& grant : answer.grants) used.push_back(grant.reservation);
  return used;
}

TEST(Ec2, UsesOpenReservationsForAnyLaunchThatMatches) {
  Account a;
  a.settings.reservations = {reservation("cr-1", 2)};
  a.group({offer("c6i.large", "a")});
  a.group({offer("c6i.large", "b")});
  a.group({offer("m5.large", "a")});
  a.limit("*", "", 1);
  EXPECT_THAT(reservations_of(a.launch(5, 0, 0)), ElementsAre(1, 1, 0)) << "a reserved instance draws on no pool";
  EXPECT_THAT(reservations_of(a.launch(5, 0, 1)), ElementsAre(0)) << "another zone";
  EXPECT_THAT(reservations_of(a.launch(5, 0, 2)), ElementsAre(0)) << "another type";
  a.terminate(0, 1, kSecond);
  EXPECT_THAT(reservations_of(a.launch(5, kSecond, 0)), ElementsAre(1));
}

TEST(Ec2, UsesTargetedReservationsOnlyThroughTheirGroup) {
  Account a;
  a.settings.reservations = {reservation("cr-1", 2, "hpc")};
  a.group({offer("c6i.large", "a")});
  a.group({offer("c6i.large", "a")}).reservations.group = "hpc";
  a.limit("*", "", 4);
  EXPECT_THAT(reservations_of(a.launch(1, 0, 0)), ElementsAre(0));
  EXPECT_THAT(reservations_of(a.launch(4, 0, 1)), ElementsAre(1, 1, 0, 0)) << "then on demand";
}

TEST(Ec2, UsesNothingButReservationsWhereTheTemplateSaysSo) {
  Account a;
  a.settings.reservations = {reservation("cr-1", 1, "hpc"), reservation("cr-2", 1)};
  const auto group = [&](ReservationUse use) { a.group({offer("c6i.large", "a")}).reservations = std::move(use); };
  group({ReservationUse::Preference::only, "hpc", ""});
  group({ReservationUse::Preference::only, "", ""});
  group({ReservationUse::Preference::open, "", "cr-1"});
  group({ReservationUse::Preference::none, "", ""});
  const Ec2::Answer in_group = a.launch(2, 0, 0);
  EXPECT_THAT(reservations_of(in_group), ElementsAre(1));
  EXPECT_EQ(in_group.refusal, Refusal::reservation_capacity_exceeded);
  const Ec2::Answer by_id = a.launch(1, 0, 2);
  EXPECT_THAT(by_id.grants, IsEmpty());
  EXPECT_EQ(by_id.refusal, Refusal::reservation_capacity_exceeded);
  EXPECT_THAT(reservations_of(a.launch(1, 0, 3)), ElementsAre(0)) << "none, although one is open";
  const Ec2::Answer only = a.launch(2, 0, 1);
  EXPECT_THAT(reservations_of(only), ElementsAre(2));
  EXPECT_EQ(only.refusal, Refusal::insufficient_reserved_instance_capacity);
}

// From 1 h to 2 h. What runs in it goes on afterwards, and then draws on the pool: three of four.
TEST(Ec2, UsesAReservationWhileItIsActive) {
  Account a;
  a.settings.reservations = {reservation("cr-1", 2)};
  a.settings.reservations[0].start = kHour;
  a.settings.reservations[0].end = 2 * kHour;
  a.group({offer("c6i.large", "a")});
  a.limit("*", "", 4);
  EXPECT_THAT(reservations_of(a.launch(1, kHour - 1)), ElementsAre(0));
  EXPECT_THAT(reservations_of(a.launch(2, kHour)), ElementsAre(1, 1));
  const Ec2::Answer after = a.launch(2, 2 * kHour);
  EXPECT_THAT(reservations_of(after), ElementsAre(0));
  EXPECT_EQ(after.refusal, Refusal::insufficient_instance_capacity);
}

// 40 vCPUs: a reservation of 6 x 4 counts although it is unused, so 4 instances more; when it ends with one of its
// instances running, 40 - 4 x 5 are left.
TEST(Ec2, CountsReservationsInTheVcpuQuotaUsedOrNot) {
  Account a;
  a.settings.quotas.on_demand[static_cast<std::size_t>(QuotaFamily::standard)] = 40;
  a.settings.reservations = {reservation("cr-1", 6, "hpc")};
  a.settings.reservations[0].end = kHour;
  a.group({offer("m5.large", "a")});
  a.group({offer("c6i.large", "a")}).reservations.group = "hpc";
  const Ec2::Answer answer = a.launch(9, 0, 0);
  EXPECT_EQ(answer.grants.size(), 4u);
  EXPECT_EQ(answer.refusal, Refusal::vcpu_limit_exceeded);
  EXPECT_EQ(a.launch(1, 0, 1).grants.size(), 1u) << "it counts already";
  EXPECT_EQ(a.launch(9, kHour, 0).grants.size(), 5u);
}

TEST(Ec2, UsesAReservationOfAPlacementGroupOnlyForLaunchesIntoIt) {
  Account a;
  a.settings.placement_groups = {{"pg"}};
  a.settings.reservations = {reservation("cr-1", 2)};
  a.settings.reservations[0].placement_group = "pg";
  a.group({offer("c6i.large", "a")});
  a.group({offer("c6i.large", "a")}).placement_group = "pg";
  EXPECT_THAT(reservations_of(a.launch(1, 0, 0)), ElementsAre(0));
  EXPECT_THAT(reservations_of(a.launch(3, 0, 1)), ElementsAre(1, 1, 0));
}

// A block of two p5.48xlarge from 30 min on, ending at 24 h: EC2 takes the instances half an hour before. No quota.
TEST(Ec2, LaunchesIntoACapacityBlockUntilHalfAnHourBeforeItsEnd) {
  Account a;
  a.settings.quotas.on_demand[static_cast<std::size_t>(QuotaFamily::standard)] = 0;
  a.settings.reservations = {reservation("cr-1", 2)};
  CapacityReservation& block = a.settings.reservations[0];
  block.kind = CapacityReservation::Kind::capacity_block;
  block.open = false;
  block.start = 30 * kMinute;
  block.end = 24 * kHour;
  Fleet& fleet = a.group({offer("c6i.large", "a")});
  fleet.purchase = Purchase::capacity_block;
  fleet.reservations.id = "cr-1";
  a.group({offer("c6i.large", "a")});
  EXPECT_EQ(a.launch(1, 0, 0).refusal, Refusal::reservation_capacity_exceeded) << "not yet active";
  const Ec2::Answer answer = a.launch(3, kHour, 0);
  EXPECT_THAT(reservations_of(answer), ElementsAre(1, 1));
  EXPECT_EQ(answer.refusal, Refusal::reservation_capacity_exceeded);
  EXPECT_EQ(answer.grants[0].taken_back, 23 * kHour + 30 * kMinute);
  EXPECT_EQ(a.launch(1, kHour, 1).refusal, Refusal::vcpu_limit_exceeded) << "others cannot use it";
  a.terminate(1, 1, 2 * kHour);
  EXPECT_THAT(a.launch(1, 23 * kHour + 30 * kMinute, 0).grants, IsEmpty());
}

// 2 instances at 0.085 USD/h from 1 h to 11 h: 1.70 USD, used or not; a block of 100 USD in full once it starts.
TEST(Ec2, ReservationsCostTheirWholeTime) {
  CapacityReservation r = reservation("cr-1", 2);
  r.start = kHour;
  r.end = 11 * kHour;
  EXPECT_EQ(r.cost_until(kHour), 0);
  EXPECT_EQ(r.cost_until(90 * kMinute), 85'000);
  EXPECT_EQ(r.cost_until(11 * kHour), 1'700'000);
  EXPECT_EQ(r.cost_until(100 * kHour), 1'700'000);
  r.price_per_hour = 0;
  r.upfront = 100'000'000;
  EXPECT_EQ(r.cost_until(kHour), 0);
  EXPECT_EQ(r.cost_until(kHour + 1), 100'000'000);
}

// --- all together ---

// Random accounts and requests: what is held, counted anew after every request, is within every limit, and a request
// that lacks capacity had no pool left to take from.
TEST(Ec2, KeepsAllLimitsWhateverIsAskedFor) {
  constexpr auto kStandard = static_cast<std::size_t>(QuotaFamily::standard);
  const std::string types[] = {"c6i.large", "m5.large", "r5.large"};
  const std::string zones[] = {"a", "b"};
  std::size_t granted = 0;
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    Draw draw(seed);
    Account a;
    for (const std::string& type : types) a.limit(type, "", draw.small(0, 12));
    a.settings.free_addresses = {{"subnet-a", draw.small(1, 30)}};
    a.settings.quotas.on_demand[kStandard] = 4 * draw.small(1, 30);
    a.settings.quotas.spot[kStandard] = 4 * draw.small(1, 10);
    a.settings.quotas.instances = draw.small(5, 40);
    a.settings.placement_groups = {{.name = "spread", .strategy = PlacementStrategy::spread},
                                   {.name = "cluster", .capacity = 6}};
    a.settings.reservations = {reservation("cr-1", draw.small(1, 5))};
    a.settings.reservations[0].end = draw.small(0, 200) * kMinute + 1;
    for (int g = 0; g < 3; ++g) {
      std::vector<Offer> offers;
      for (const std::string& type : types) {
        for (const std::string& zone : zones) {
          if (draw.one_in(2)) offers.push_back(offer(type, zone, draw.small(1, 3)));
        }
      }
      if (offers.empty()) offers.push_back(offer(types[0], zones[0]));
      Fleet& fleet = a.group(offers);
      fleet.strategy = static_cast<AllocationStrategy>(draw.small(0, 5));
      if (draw.one_in(3)) fleet.purchase = Purchase::spot;
      if (draw.one_in(3)) fleet.placement_group = draw.one_in(2) ? "spread" : "cluster";
      if (fleet.purchase == Purchase::on_demand) fleet.strategy = static_cast<AllocationStrategy>(draw.small(0, 1));
    }
    struct Instance {
      std::uint32_t fleet = 0;
      Ec2::Grant grant;
    };
    std::map<std::uint32_t, Instance> alive;
    const auto count = [&](auto which) {
      return std::count_if(alive.begin(), alive.end(), [&](const auto& each) {
        const Fleet& fleet = a.settings.fleets[each.second.fleet];
        return which(fleet, fleet.offers[each.second.grant.offer], each.second);
      });
    };
    for (Time now = 0; now < 300 * kMinute; now += draw.small(0, 10) * kMinute) {
      const std::uint32_t first = a.next;
      const auto wanted = static_cast<std::uint32_t>(draw.small(1, 9));
      const auto group = static_cast<std::uint32_t>(draw.small(0, 2));
      const Ec2::Answer answer = a.launch(wanted, now, group, draw.one_in(4));
      ASSERT_LE(answer.grants.size(), wanted);
      for (std::uint32_t i = 0; i < answer.grants.size(); ++i) alive[first + i] = {group, answer.grants[i]};
      granted += answer.grants.size();
      refused += wanted - answer.grants.size();
      const bool reserved = now < a.settings.reservations[0].end;
      const auto uses = [&](const Instance& i) { return reserved && i.grant.reservation > 0; };
      for (std::size_t t = 0; t < 3; ++t) {
        for (const std::string& zone : zones) {
          for (const bool spot : {false, true}) {
            const auto held = count([&](const Fleet& f, const Offer& o, const Instance& i) {
              return o.type.name == types[t] && o.zone == zone && (f.purchase == Purchase::spot) == spot && !uses(i);
            });
            // What was left in the reservation when it ended may exceed the pool's limit.
            const auto limit = *a.settings.capacity[t].limit.before;
            const std::int64_t slack = t == 0 && zone == "a" && !spot ? a.settings.reservations[0].instances : 0;
            ASSERT_LE(held, limit + slack);
          }
        }
      }
      const auto vcpus = [&](bool spot) {
        return 4 * count([&](const Fleet& f, const Offer&, const Instance& i) {
                 return (f.purchase == Purchase::spot) == spot && !uses(i);
               });
      };
      const std::int64_t reserved_vcpus = reserved ? 4 * a.settings.reservations[0].instances : 0;
      if (vcpus(false) > 0 && !answer.grants.empty() && answer.grants[0].reservation == 0 &&
          a.settings.fleets[group].purchase == Purchase::on_demand) {
        ASSERT_LE(vcpus(false) + reserved_vcpus, *a.settings.quotas.on_demand[kStandard]);
      }
      ASSERT_LE(vcpus(true), *a.settings.quotas.spot[kStandard]);
      ASSERT_LE(static_cast<std::int64_t>(alive.size()), *a.settings.quotas.instances);
      ASSERT_LE(count([](const Fleet&, const Offer& o, const Instance&) { return o.zone == "a"; }),
                a.settings.free_addresses["subnet-a"]);
      ASSERT_LE(count([&](const Fleet&, const Offer&, const Instance& i) { return uses(i); }),
                a.settings.reservations[0].instances);
      std::int64_t clusters = 0;
      for (const std::string& zone : zones) {
        const auto in = [&](const std::string& name) {
          return count([&](const Fleet& f, const Offer& o, const Instance&) {
            return f.placement_group == name && o.zone == zone;
          });
        };
        ASSERT_LE(in("spread"), 7);
        ASSERT_LE(in("cluster"), 6);
        if (in("cluster") > 0) ++clusters;
      }
      ASSERT_LE(clusters, 1);
      while (!alive.empty() && draw.one_in(2)) {
        const std::uint32_t node = alive.begin()->first;
        if (draw.one_in(5)) {
          a.cloud().gone(NodeId{node}, now);
        } else {
          EXPECT_THAT(a.terminate(node, 1, now), ElementsAre(now));
        }
        alive.erase(node);
      }
    }
  }
  EXPECT_GT(granted, 10'000u);
  EXPECT_GT(refused, 10'000u);
}

}  // namespace
}  // namespace headroom
