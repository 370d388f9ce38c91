#include "models/report/bill.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "models/report/tables.hpp"
#include "tests/unit/draw.hpp"
#include "tests/unit/run_story.hpp"

namespace headroom {
namespace {

using Kind = Stimulus::Kind;

std::vector<InstanceUse> uses_of(const RunStory& story) {
  return Bill(story.record, story.design).instance_use(busy_periods(story.record));
}

// The node's instance from second 0 on, running at `running`, ready 30 s later.
void boot(RunStory& story, std::uint32_t node, std::int64_t running, std::uint32_t which = 0) {
  story.launch(node);
  story.at(0);
  if (which != 0) story.hear(Kind::instance_launched, node, which);
  story.running(node);
  story.at(running);
  story.ready(node);
  story.at(running + 30);
}

TEST(Bill, ChargesTheOfferThatWasGranted) {
  RunStory story;
  const std::uint32_t other = story.offer("test.xlarge", "b", 7'200'000);  // 2000 a second
  boot(story, 0, 10, other);
  story.terminate(0);
  story.at(110);
  const Summary s = story.summary();
  EXPECT_EQ(s.instances_cost, 200'000) << "100 s at 2000";
  EXPECT_EQ(offer_of(story.record.instances()[0], story.design)->subnet, "subnet-b");
}

TEST(Bill, DividesAnInstanceByItsCoresAndTimes) {
  RunStory story;  // four cores, 1000 a second
  boot(story, 0, 10);
  const std::uint32_t good = story.job(40, 40, 60, {share_of(0, 1)});  // 20 s on a core
  const std::uint32_t lost = story.arrive(2);
  story.start(lost, {share_of(0, 2)});
  story.at(60);
  story.requeue(lost);  // 10 s on two cores
  story.at(70);
  story.terminate(0);
  story.at(110);
  const InstanceUse use = uses_of(story).front();
  EXPECT_EQ(use.cost, 100'000);
  EXPECT_EQ(use.split.boot, 30'000);
  EXPECT_EQ(use.split.busy, 5'000);
  EXPECT_EQ(use.split.failed, 5'000);
  EXPECT_EQ(use.split.idle, 60'000);
  const Bill bill(story.record, story.design);
  EXPECT_EQ(bill.job_cost(story.record.jobs()[good]).run, 5'000);
  EXPECT_EQ(bill.lost_attempts_cost()[lost].lost, 5'000);
  EXPECT_EQ(bill.lost_attempts_cost()[good].lost, 0);
  EXPECT_EQ(story.summary().by_queue.at("batch").cost.lost, 5'000);
}

TEST(Bill, ChargesJobsForTheBootsTheyWaitedFor) {
  const RunStory story = one_job_story();  // running at 30 s, ready at 60 s
  const JobCost cost = Bill(story.record, story.design).job_cost(story.record.jobs()[0]);
  EXPECT_EQ(cost.boot, 30'000);
  EXPECT_EQ(cost.run, 90'000);
  EXPECT_EQ(story.summary().by_user.at("ann").cost.boot, 30'000);
}

TEST(Bill, CallsInstancesThatEndBeforeTheyAreReadyFailed) {
  RunStory story;
  story.launch(0);
  story.launch(1);
  story.launch(2);
  story.at(0);
  for (const std::uint32_t node : {0u, 1u, 2u}) story.running(node);
  story.at(10);
  story.terminate(0, EndReason::bootstrap_failed);
  story.at(110);
  story.lose(1, Loss::hardware_failure);
  story.at(210);
  const Summary s = story.summary();
  EXPECT_EQ(s.instances_split.failed, 100'000 + 200'000);
  EXPECT_EQ(s.instances_split.boot, 200'000) << "the third one still boots";
  EXPECT_DOUBLE_EQ(s.instance_hours.failed, 300.0 / 3600);
  EXPECT_DOUBLE_EQ(s.instance_hours.boot, 200.0 / 3600);
  EXPECT_EQ(s.losses, (std::map<std::string, std::uint64_t>{{"hardware_failure", 1}}));
}

TEST(Bill, CountsRefusedLaunchesAsNoInstances) {
  RunStory story;
  story.launch(0);
  story.launch(1);
  story.launch(2);
  story.at(0);
  story.refuse(1, Refusal::insufficient_instance_capacity);
  story.at(0);
  story.launch(1);
  story.at(60);
  story.refuse(1, Refusal::request_limit_exceeded);
  story.running(0);
  story.at(61);
  story.refuse(2, Refusal::insufficient_instance_capacity);
  story.at(62);
  story.launch(1);
  story.at(70);
  story.running(1);
  story.ready(1);
  story.at(80);
  story.terminate(0);
  story.terminate(1);
  story.at(161);
  const Summary s = story.summary();
  EXPECT_EQ(s.nodes_launched, 2u);
  EXPECT_EQ(s.nodes_terminated, 2u);
  EXPECT_EQ(s.nodes_peak, 2u);
  EXPECT_EQ(s.launch_failures,
            (std::map<std::string, std::uint64_t>{{"InsufficientInstanceCapacity", 2}, {"RequestLimitExceeded", 1}}));
  EXPECT_EQ(s.by_node_group.at("compute").launch_failures, 3u);
  EXPECT_EQ(s.instances_cost, 100'000 + 81'000);
  const std::string csv = nodes_csv(story.record, story.context());
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 3);
  EXPECT_NE(csv.find("compute-2,i-00000000000000002,"), std::string::npos) << "numbers have no gaps";
}

// A termination that EC2 throttles is billed until it works.
TEST(Bill, EndsWhenTheTerminationIsCarriedOut) {
  RunStory story;
  boot(story, 0, 10);
  story.terminate(0);
  story.at(110);
  story.hear(Kind::instance_terminated, 0);
  story.at(130);
  story.at(200);
  EXPECT_EQ(story.summary().instances_cost, 120'000);
}

RunStory spot_story() {
  RunStory story;
  story.offer("test.large", "b", 3'600'000);
  story.design.groups[0].purchase = Purchase::spot;
  // 0.36 USD an hour in the first two hours of the run, then 0.72.
  SpotPriceRule rule;
  rule.price.before = 360'000;
  rule.price.at = {{2 * kHour, 720'000}};
  story.design.spot_prices = SpotPrices({rule});
  return story;
}

TEST(SpotBill, TakesThePriceAtTheStartOfEachOfTheInstancesHours) {
  RunStory story = spot_story();
  boot(story, 0, 1800);  // its hours begin at 30 min, 1 h 30 min, 2 h 30 min
  story.terminate(0);
  story.at(1800 + 2 * 3600 + 900);
  // Two hours at 0.36, a quarter at 0.72.
  EXPECT_EQ(story.summary().instances_cost, 720'000 + 180'000);
}

TEST(SpotBill, IsNothingWhenEc2InterruptsInTheFirstHour) {
  for (const auto& [after, cost] : {std::pair{3599, 0}, std::pair{3600, 360'000}}) {
    RunStory story = spot_story();
    boot(story, 0, 0);
    story.lose(0, Loss::spot_interruption);
    story.at(after);
    story.at(5000);
    EXPECT_EQ(story.summary().instances_cost, cost) << after;
    EXPECT_EQ(story.summary().interruptions(), 1u);
  }
  RunStory story = spot_story();
  boot(story, 0, 0);
  story.terminate(0);
  story.at(1800);
  EXPECT_EQ(story.summary().instances_cost, 180'000) << "whoever ends it himself pays the seconds";
}

CapacityReservation reservation(std::int64_t instances, Time start, Time end, MicroUsd price, MicroUsd upfront = 0) {
  CapacityReservation r;
  r.id = "cr-1";
  r.instances = instances;
  r.start = start;
  r.end = end;
  r.price_per_hour = price;
  r.upfront = upfront;
  return r;
}

TEST(ReservationBill, IsPaidUsedOrNotUntilItsEnd) {
  RunStory story;
  story.offer("test.large", "b", 7'200'000);
  story.design.reservations = {reservation(2, 0, 1000 * kSecond, 3'600'000)};
  boot(story, 0, 100, 1u | 1u << 16);  // offer 1, the first reservation
  story.terminate(0);
  story.at(1200);
  story.at(1500);
  const Summary s = story.summary();
  EXPECT_EQ(s.instances_cost, 900'000 + 400'000) << "900 s in the reservation, then 200 s on demand at 2000";
  EXPECT_EQ(s.reservations_cost, 2'000'000 - 900'000);
  EXPECT_EQ(s.total_cost(), 2'400'000);
}

TEST(ReservationBill, OfACapacityBlockIsItsFee) {
  RunStory story;
  story.offer("test.large", "b", 7'200'000);
  story.design.reservations = {reservation(4, 60 * kSecond, kHour, 0, 5'000'000)};
  boot(story, 0, 100, 1u | 1u << 16);
  story.at(600);
  const Summary s = story.summary();
  EXPECT_EQ(s.instances_cost, 0);
  EXPECT_EQ(s.reservations_cost, 5'000'000);
}

TEST(CommittedBill, IsPaidUsedOrNotAndUsedFirst) {
  RunStory story;
  story.offer("test.large", "b", 3'600'000);
  story.design.committed = {{"test.large", 1, 1'800'000}};  // 500 a second
  boot(story, 0, 10);                                       // covered from 10 s to 110 s
  story.launch(1);
  story.at(40);
  story.running(1);  // 60 s on demand, then covered
  story.at(50);
  story.terminate(0);
  story.at(110);
  story.terminate(1);
  story.at(210);
  story.at(300);
  const Bill bill(story.record, story.design);
  EXPECT_EQ(bill.cost(0), 50'000);
  EXPECT_EQ(bill.cost(1), 60'000 + 50'000);
  EXPECT_EQ(bill.unused_commitments(), 300 * 500 - 200 * 500);
  EXPECT_EQ(story.summary().total_cost(), 160'000 + 50'000);
}

// The last row of the timeline is the bill, where seconds begun and the minimum do not matter.
TEST(Timeline, AccruesWhatIsBilled) {
  RunStory story;
  story.offer("test.large", "b", 7'200'000);
  story.design.reservations = {reservation(2, 0, 1000 * kSecond, 3'600'000),
                               reservation(1, 60 * kSecond, kHour, 0, 99)};
  story.design.committed = {{"test.large", 1, 1'800'000}};
  story.design.management_per_hour = 36'000;
  for (const std::uint32_t node : {0u, 1u, 2u}) story.launch(node);
  story.at(0);
  story.hear(Kind::instance_launched, 0, 1u | 1u << 16);
  story.running(0);
  story.at(100);
  story.running(1);
  story.at(200);
  story.running(2);
  story.at(300);
  story.terminate(0);
  story.terminate(2);
  story.at(1300);
  story.at(1800);
  std::string csv;
  write_timeline_csv(story.record, story.context(), kMinute, [&](std::string_view rows) { csv += rows; });
  const Summary s = story.summary();
  const std::size_t comma = csv.rfind(',');
  EXPECT_NEAR(std::stod(csv.substr(comma + 1)) * 1e6, static_cast<double>(s.total_cost()), 5);
}

// However it goes, parts add up.
TEST(Bill, PartsOfRandomStoriesAddUp) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Draw draw(seed);
    RunStory story;
    story.offer("test.large", "b", draw.between(1, 9'999'999));
    story.design.controller_per_hour = draw.between(0, 999'999);
    if (draw.one_in(3)) story.design.groups[0].purchase = Purchase::spot;
    if (draw.one_in(3)) story.design.committed = {{"test.large", draw.between(1, 3), draw.between(0, 999'999)}};
    const bool reserved = draw.one_in(3);
    if (reserved) story.design.reservations = {reservation(8, 0, draw.between(1, 9000) * kSecond, 1'234'567)};
    std::int64_t now = 0;
    for (std::uint32_t node = 0; node < 8; ++node) {
      story.launch(node);
      story.at(now);
      if (draw.one_in(4)) {
        story.refuse(node, Refusal::vcpu_limit_exceeded);
        story.at(now += draw.between(0, 5));
        continue;
      }
      story.hear(Kind::instance_launched, node,
                 static_cast<std::uint32_t>(draw.between(0, 1)) | (reserved ? 1u << 16 : 0u));
      if (!draw.one_in(5)) story.running(node);
      story.at(now += draw.between(0, 40));
      if (story.record.instances().back().running != kNever && !draw.one_in(5)) {
        story.ready(node);
        const std::uint32_t job = story.arrive();
        story.start(job, {share_of(node, draw.small(1, 4))});
        story.at(now += draw.between(0, 400));
        draw.one_in(3) ? story.requeue(job) : story.finish(job);
        story.at(now += draw.between(0, 4000));
      }
      if (draw.one_in(4)) continue;
      draw.one_in(2) ? story.lose(node, Loss::spot_interruption) : story.terminate(node);
      story.at(now += draw.between(0, 100));
    }
    const Summary s = story.summary();
    MicroUsd sum = 0;
    CostSplit split;
    for (const InstanceUse& use : uses_of(story)) {
      sum += use.cost;
      split += use.split;
      EXPECT_EQ(use.split.total(), use.cost) << seed;
      for (const MicroUsd part : {use.split.busy, use.split.boot, use.split.idle, use.split.failed}) EXPECT_GE(part, 0);
    }
    EXPECT_EQ(sum, s.instances_cost) << seed;
    EXPECT_EQ(split.total(), s.instances_split.total()) << seed;
    MicroUsd groups = 0;
    for (const auto& [name, group] : s.by_node_group) groups += group.split.total();
    EXPECT_EQ(groups, sum) << seed;
    EXPECT_GE(s.reservations_cost, 0);
    EXPECT_GE(s.committed_cost, 0);
    EXPECT_NEAR(s.instance_hours.total,
                s.instance_hours.busy + s.instance_hours.idle + s.instance_hours.boot + s.instance_hours.failed, 1e-9);
  }
}

}  // namespace
}  // namespace headroom
