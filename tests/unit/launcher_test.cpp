// What ScalerPcs and its Launcher do when the cloud refuses, takes and breaks instances, and when the cluster changes.
#include "models/policies/launcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/policies/scaler_pcs.hpp"
#include "tests/unit/controller_bench.hpp"

namespace headroom {
namespace {

using Kind = Command::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Time kIdle = 5 * kMinute;
constexpr Time kRetry = kMinute;
constexpr Time kClosed = 600 * kSecond;
constexpr std::uint32_t kScheduler = static_cast<std::uint32_t>(LaunchReason::scheduler_requested);
constexpr std::uint32_t kMinimum = static_cast<std::uint32_t>(LaunchReason::maintain_min_capacity);

NodeGroupSpec dynamic(std::int32_t nodes, std::int32_t weight = 1) {
  NodeGroupSpec group{nodes, 4};
  group.weight = weight;
  return group;
}

NodeGroupSpec fixed(std::int32_t nodes) {
  NodeGroupSpec group{nodes, 4};
  group.supply = Supply::fixed;
  return group;
}

// One queue over all groups.
ClusterSpec groups_of(std::vector<NodeGroupSpec> groups) {
  ClusterSpec spec;
  spec.queues.emplace_back();
  for (std::uint32_t g = 0; g < groups.size(); ++g) spec.queues.front().groups.push_back(GroupId{g});
  spec.groups = std::move(groups);
  spec.suspend_timeout = kMinute;
  return spec;
}

ClusterSpec with_changes(ClusterSpec spec, std::vector<ClusterChange> changes) {
  spec.changes = std::move(changes);
  return spec;
}

ClusterChange resize(std::int32_t nodes, std::int32_t kept = 0) {
  ClusterChange change;
  change.kind = ClusterChange::Kind::resize;
  change.nodes = nodes;
  change.kept = kept;
  return change;
}

ClusterChange of_kind(ClusterChange::Kind kind) {
  ClusterChange change;
  change.kind = kind;
  return change;
}

// A job of so many whole nodes.
JobRequest whole(std::int32_t nodes, Time limit = 10 * kHour) { return nodes_for(nodes, 4, limit); }

class LauncherBench : public ControllerBench {
 public:
  explicit LauncherBench(const ClusterSpec& spec, const Launcher::Options& launcher = {})
      : ControllerBench(spec, std::make_unique<ScalerPcs>(
                                  ScalerPcs::Options{.scale_down_idle_time = kIdle, .launcher = launcher})) {}

  void refuse(std::uint32_t node, Refusal why = Refusal::insufficient_instance_capacity) {
    tell(Stimulus::Kind::launch_refused, node, static_cast<std::uint32_t>(why));
  }
  void lose(std::uint32_t node, Loss why = Loss::hardware_failure) {
    tell(Stimulus::Kind::instance_lost, node, static_cast<std::uint32_t>(why));
  }
  void impair(std::uint32_t node, Impairment what) {
    tell(Stimulus::Kind::instance_impaired, node, static_cast<std::uint32_t>(what));
  }
  void change(std::uint32_t which) { tell(Stimulus::Kind::cluster_changed, which); }
  // A job of one whole node that runs.
  JobId run_one(Time now, std::uint32_t node) {
    const JobId job = submit(now, whole(1));
    if (state(job) == JobState::configuring) {
      ready(node);
      step(now);
    }
    EXPECT_EQ(state(job), JobState::running);
    EXPECT_EQ(number(shares(job).at(0).node), node);
    return job;
  }
  // A node that is up without a job since `now`.
  void bring_up(Time now, std::uint32_t node) {
    finish(run_one(now, node));
    step(now);
  }

  bool is_down(std::uint32_t node) const { return cluster().is_down(NodeId{node}); }
  // Nodes and detail of each of the last step's launches: "0,1 all".
  std::vector<std::string> launches() const {
    std::vector<std::string> list;
    for (const Command& c : told(Kind::launch_instances)) {
      list.push_back(nodes_of(c) + ((c.detail & kAllOrNothing) != 0 ? " all" : "") +
                     ((c.detail & 0xff) == kMinimum ? " minimum" : ""));
    }
    return list;
  }
  std::vector<std::string> terminations(EndReason why) const {
    std::vector<std::string> list;
    for (const Command& c : told(Kind::terminate_instances)) {
      EXPECT_EQ(static_cast<EndReason>(c.detail), why);
      list.push_back(nodes_of(c));
    }
    return list;
  }
  std::vector<std::uint32_t> jobs_told(Kind kind) const {
    std::vector<std::uint32_t> jobs;
    for (const Command& c : told(kind)) jobs.push_back(c.subject);
    return jobs;
  }

 private:
  std::string nodes_of(const Command& command) const {
    std::string nodes;
    for (const NodeShare& s : commands.shares_of(command)) {
      nodes += (nodes.empty() ? "" : ",") + std::to_string(number(s.node));
    }
    return nodes;
  }
};

// --- no capacity ----------------------------------------------------------------------------------------------------

TEST(Launcher, ARefusedJobWaitsAgainAndItsGroupTakesNoneForAWhile) {
  LauncherBench bench(groups_of({dynamic(4)}));
  const JobId job = bench.submit(0, whole(2));
  EXPECT_THAT(bench.launches(), ElementsAre("0,1 all"));
  bench.refuse(0);
  bench.refuse(1);
  EXPECT_EQ(bench.step(5 * kSecond), 5 * kSecond + kClosed);
  EXPECT_THAT(bench.jobs_told(Kind::requeue_job), ElementsAre(0));
  EXPECT_THAT(bench.told(Kind::terminate_instances), IsEmpty()) << "there is no instance";
  EXPECT_EQ(bench.state(job), JobState::pending);
  for (std::uint32_t n = 0; n < 4; ++n) EXPECT_TRUE(bench.is_down(n)) << n;
  EXPECT_EQ(bench.cluster().instances(), 0);
  bench.step(4 * kSecond + kClosed);
  EXPECT_THAT(bench.commands.list, IsEmpty());
  bench.step(5 * kSecond + kClosed);
  EXPECT_EQ(bench.state(job), JobState::configuring);
  EXPECT_THAT(bench.launches(), ElementsAre("0,1 all"));
}

TEST(Launcher, WithoutACapacityTimeoutOnlyRefusedNodesAreOutUntilTheRetry) {
  LauncherBench bench(groups_of({dynamic(4)}), {.capacity_timeout = 0});
  bench.submit(0, whole(3));
  for (std::uint32_t n = 0; n < 3; ++n) bench.refuse(n);
  EXPECT_EQ(bench.step(kSecond), kSecond + kRetry);
  EXPECT_TRUE(bench.is_down(0));
  EXPECT_FALSE(bench.is_down(3));
  bench.step(kSecond + kRetry);
  EXPECT_THAT(bench.launches(), ElementsAre("0,1,2 all"));
}

TEST(Launcher, FailsOverToTheNextGroupInTheSameStep) {
  LauncherBench bench(groups_of({dynamic(2, 1), dynamic(2, 9)}));
  const JobId job = bench.submit(0, whole(2));
  EXPECT_THAT(bench.launches(), ElementsAre("0,1 all"));
  bench.refuse(0);
  bench.refuse(1);
  bench.step(3 * kSecond);
  EXPECT_THAT(bench.jobs_told(Kind::requeue_job), ElementsAre(0));
  EXPECT_THAT(bench.launches(), ElementsAre("2,3 all"));
  EXPECT_EQ(bench.state(job), JobState::configuring);
}

TEST(Launcher, ReleasesWhatWasLaunchedForTheSameJobElsewhere) {
  LauncherBench bench(groups_of({dynamic(2, 1), dynamic(2, 9)}));
  const JobId job = bench.submit(0, whole(3));
  EXPECT_THAT(bench.launches(), ElementsAre("0,1 all", "2"));
  bench.refuse(0);
  bench.refuse(1);
  bench.step(3 * kSecond);
  EXPECT_THAT(bench.terminations(EndReason::scheduler_requested), ElementsAre("2"));
  EXPECT_EQ(bench.state(job), JobState::pending);
  EXPECT_EQ(bench.node(2), NodeState::powered_down);
  EXPECT_FALSE(bench.is_down(2)) << "its group has capacity";
  const JobId small = bench.submit(4 * kSecond, whole(1));
  EXPECT_THAT(bench.launches(), ElementsAre("2")) << "another instance, while the first one ends";
  bench.gone(2);
  bench.ready(2);
  bench.step(10 * kSecond);
  EXPECT_EQ(bench.state(small), JobState::running);
  bench.finish(small);
  bench.step(20 * kSecond);
  bench.step(3 * kSecond + kClosed);
  EXPECT_EQ(bench.state(job), JobState::configuring);
}

TEST(Launcher, KeepsAPartnerThatAnotherJobWaitsFor) {
  ClusterSpec spec = groups_of({dynamic(1, 1), dynamic(1, 9)});
  spec.queues.push_back({{GroupId{1}}});
  LauncherBench bench(spec);
  const JobId wide = bench.submit(0, nodes_for(2, 2, kHour));
  const JobId other = bench.submit(kSecond, in_queue(1, cores_for(2, kHour)));
  ASSERT_EQ(number(bench.shares(other).at(0).node), 1u);
  bench.refuse(0);
  bench.step(3 * kSecond);
  EXPECT_THAT(bench.told(Kind::terminate_instances), IsEmpty());
  EXPECT_EQ(bench.state(wide), JobState::pending);
  EXPECT_EQ(bench.state(other), JobState::configuring);
  bench.ready(1);
  bench.step(kMinute);
  EXPECT_EQ(bench.state(other), JobState::running);
}

TEST(Launcher, AJobLargerThanARequestIsLaunchedBitByBitAndHoldsOn) {
  LauncherBench bench(groups_of({dynamic(5)}), {.request_size = 2});
  const JobId job = bench.submit(0, whole(5));
  EXPECT_THAT(bench.launches(), ElementsAre("0,1", "2,3", "4"));
  bench.refuse(4);
  EXPECT_EQ(bench.step(10 * kSecond), 10 * kSecond + kRetry);
  EXPECT_THAT(bench.commands.list, IsEmpty()) << "it keeps what it has";
  for (std::uint32_t n = 0; n < 4; ++n) bench.ready(n);
  bench.step(kMinute);
  EXPECT_EQ(bench.state(job), JobState::configuring);
  bench.step(10 * kSecond + kRetry);
  EXPECT_THAT(bench.launches(), ElementsAre("4"));
  bench.ready(4);
  bench.step(3 * kMinute);
  EXPECT_EQ(bench.state(job), JobState::running);
}

TEST(Launcher, IncrementallyEveryJobHoldsOn) {
  LauncherBench bench(groups_of({dynamic(2)}), {.incremental = true});
  const JobId job = bench.submit(0, whole(2));
  EXPECT_THAT(bench.launches(), ElementsAre("0,1"));
  bench.refuse(1);
  EXPECT_EQ(bench.step(kSecond), kSecond + kRetry);
  EXPECT_EQ(bench.state(job), JobState::configuring);
  bench.step(kSecond + kRetry);
  EXPECT_THAT(bench.launches(), ElementsAre("1"));
}

TEST(Launcher, WhoIsThrottledAsksLessAndLessOften) {
  LauncherBench bench(groups_of({dynamic(1)}));
  const JobId job = bench.submit(0, whole(1));
  Time now = 0;
  for (const Time wait_s : {1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300}) {
    bench.refuse(0, wait_s % 8 == 0 ? Refusal::internal_error : Refusal::request_limit_exceeded);
    ASSERT_EQ(bench.step(now), now + wait_s * kSecond);
    ASSERT_THAT(bench.commands.list, IsEmpty());
    now += wait_s * kSecond;
    bench.step(now);
    ASSERT_THAT(bench.launches(), ElementsAre("0"));
  }
  bench.ready(0);
  bench.step(now);
  ASSERT_EQ(bench.state(job), JobState::running);
  bench.lose(0);
  bench.step(now);
  ASSERT_THAT(bench.launches(), ElementsAre("0"));
  bench.refuse(0, Refusal::request_limit_exceeded);
  EXPECT_EQ(bench.step(now), now + kSecond) << "anew";
}

TEST(Launcher, ALaunchInBetweenTakesThePlaceOfARetry) {
  LauncherBench bench(groups_of({dynamic(2)}), {.incremental = true});
  const JobId job = bench.submit(0, whole(2));
  bench.refuse(1);
  ASSERT_EQ(bench.step(kSecond), kSecond + kRetry);
  bench.impair(0, Impairment::rebooted);  // the job loses its other node, and gets both anew
  bench.step(10 * kSecond);
  ASSERT_EQ(bench.state(job), JobState::configuring);
  ASSERT_THAT(bench.launches(), ElementsAre("0")) << "node 1 still waits for its instance";
  EXPECT_EQ(bench.step(20 * kSecond), kSecond + kRetry);
}

TEST(Launcher, AsksAgainForStaticNodes) {
  LauncherBench bench(groups_of({fixed(2)}));
  bench.step(0);
  EXPECT_THAT(bench.launches(), ElementsAre("0,1 minimum"));
  bench.refuse(0);
  bench.refuse(1);
  EXPECT_EQ(bench.step(kSecond), kSecond + kRetry);
  EXPECT_EQ(bench.state(bench.submit(2 * kSecond, whole(2))), JobState::pending);
  bench.step(kSecond + kRetry);
  EXPECT_THAT(bench.launches(), ElementsAre("0,1 minimum")) << "not for the job's sake";
  EXPECT_EQ(bench.state(JobId{0}), JobState::configuring);
}

// --- instances that are lost or break -------------------------------------------------------------------------------

TEST(Launcher, RepeatsAStartThatFailed) {
  LauncherBench bench(groups_of({dynamic(2)}));
  const JobId job = bench.submit(0, whole(2));
  bench.lose(1, Loss::failed_start);
  EXPECT_EQ(bench.step(10 * kSecond), 11 * kSecond);
  EXPECT_EQ(bench.state(job), JobState::configuring);
  bench.step(11 * kSecond);
  EXPECT_THAT(bench.launches(), ElementsAre("1"));
  bench.lose(1, Loss::failed_start);
  EXPECT_EQ(bench.step(20 * kSecond), 22 * kSecond);
  bench.step(22 * kSecond);
  EXPECT_THAT(bench.launches(), ElementsAre("1"));
}

TEST(Launcher, NoJobAnyMoreNoRetry) {
  LauncherBench bench(groups_of({dynamic(1)}));
  const JobId job = bench.submit(0, whole(1));
  bench.lose(0, Loss::failed_start);
  ASSERT_EQ(bench.step(10 * kSecond), 11 * kSecond);
  bench.finish(job, Outcome::cancelled);
  bench.step(10 * kSecond);
  EXPECT_EQ(bench.step(11 * kSecond), kNever);
  EXPECT_THAT(bench.commands.list, IsEmpty());
  EXPECT_EQ(bench.node(0), NodeState::powered_down);
}

TEST(Launcher, AJobThatLosesItsNodeStartsAgainOnANewInstance) {
  LauncherBench bench(groups_of({dynamic(1)}));
  const JobId job = bench.run_one(0, 0);
  bench.lose(0);
  bench.step(kHour);
  EXPECT_THAT(bench.jobs_told(Kind::requeue_job), ElementsAre(0));
  EXPECT_THAT(bench.told(Kind::terminate_instances), IsEmpty()) << "it is gone already";
  EXPECT_THAT(bench.launches(), ElementsAre("0"));
  EXPECT_EQ(bench.state(job), JobState::configuring);
  EXPECT_EQ(bench.cluster().instances(), 1);
}

TEST(Launcher, AJobThatIsNotToBeRequeuedFailsWithItsNode) {
  LauncherBench bench(groups_of({dynamic(1)}));
  JobRequest request = whole(1);
  request.requeue = false;
  const JobId job = bench.submit(0, request);
  bench.ready(0);
  bench.step(kMinute);
  bench.lose(0, Loss::spot_interruption);
  EXPECT_EQ(bench.step(kHour), kNever);
  ASSERT_EQ(bench.told(Kind::end_job).size(), 1u);
  EXPECT_EQ(static_cast<Outcome>(bench.told(Kind::end_job)[0].detail), Outcome::node_failed);
  EXPECT_EQ(bench.state(job), JobState::node_failed);
  EXPECT_EQ(bench.node(0), NodeState::powered_down);
  EXPECT_THAT(bench.launches(), IsEmpty());
}

TEST(Launcher, AStaticNodeIsReplacedForItsGroupsMinimum) {
  LauncherBench bench(groups_of({fixed(1)}));
  bench.step(0);
  bench.ready(0);
  bench.step(kMinute);
  bench.lose(0);
  bench.step(kHour);
  EXPECT_THAT(bench.launches(), ElementsAre("0 minimum"));
  bench.ready(0);
  bench.step(2 * kHour);
  const JobId job = bench.submit(2 * kHour, whole(1));
  ASSERT_EQ(bench.state(job), JobState::running);
  bench.lose(0);
  bench.step(3 * kHour);
  EXPECT_EQ(bench.state(job), JobState::configuring);
  EXPECT_THAT(bench.launches(), ElementsAre("0 minimum")) << "with a job that waits for it, too";
}

TEST(Launcher, AnUnhealthyInstanceIsTerminatedAndReplaced) {
  for (const Impairment what : {Impairment::rebooted, Impairment::stopped, Impairment::health_check_failed}) {
    LauncherBench bench(groups_of({dynamic(2)}));
    const JobId job = bench.run_one(0, 0);
    bench.impair(0, what);
    bench.step(kHour);
    EXPECT_THAT(bench.terminations(EndReason::unhealthy_node), ElementsAre("0"));
    EXPECT_THAT(bench.jobs_told(Kind::requeue_job), ElementsAre(0));
    EXPECT_EQ(bench.state(job), JobState::configuring);
    EXPECT_THAT(bench.launches(), ElementsAre("0"));
  }
}

TEST(Launcher, AnUnhealthyInstanceThatIsLostAtTheSameInstantFailsOnce) {
  LauncherBench bench(groups_of({dynamic(2)}));
  bench.run_one(0, 0);
  bench.impair(0, Impairment::stopped);
  bench.lose(0);
  bench.step(kHour);
  EXPECT_THAT(bench.told(Kind::terminate_instances), IsEmpty());
  EXPECT_EQ(bench.jobs_told(Kind::requeue_job).size(), 1u);
}

TEST(Launcher, AnInstanceWithAScheduledEventIsReplacedWhenItIsIdle) {
  LauncherBench bench(groups_of({dynamic(2)}));
  const JobId job = bench.submit(0, cores_for(1, 10 * kHour));
  bench.ready(0);
  bench.step(kMinute);
  bench.impair(0, Impairment::scheduled_event);
  bench.step(kHour);
  EXPECT_THAT(bench.commands.list, IsEmpty());
  EXPECT_EQ(bench.state(job), JobState::running);
  const JobId next = bench.submit(kHour, cores_for(1, kHour));
  EXPECT_EQ(number(bench.shares(next).at(0).node), 1u) << "node 0 takes no new job";
  bench.finish(job);
  bench.step(2 * kHour);
  EXPECT_THAT(bench.terminations(EndReason::replacement_requested), ElementsAre("0"));
  EXPECT_EQ(bench.node(0), NodeState::powered_down);
  EXPECT_FALSE(bench.is_down(0));
}

TEST(Launcher, AnEventForANodeThatBootsWaitsForItsJob) {
  LauncherBench bench(groups_of({dynamic(1)}));
  const JobId job = bench.submit(0, whole(1));
  bench.impair(0, Impairment::scheduled_event);
  bench.step(kSecond);
  EXPECT_THAT(bench.commands.list, IsEmpty());
  bench.ready(0);
  bench.step(kMinute);
  EXPECT_EQ(bench.state(job), JobState::running);
  bench.finish(job);
  bench.step(kHour);
  EXPECT_THAT(bench.terminations(EndReason::replacement_requested), ElementsAre("0"));
}

TEST(Launcher, ANodeThatDoesNotBootInTimeGetsAnotherInstance) {
  LauncherBench bench(groups_of({dynamic(1)}), {.boot_timeout = 10 * kMinute});
  const JobId job = bench.submit(0, whole(1));
  EXPECT_EQ(bench.step(kSecond), 10 * kMinute);
  EXPECT_EQ(bench.step(10 * kMinute), 10 * kMinute) << "the job is looked at again at once";
  EXPECT_THAT(bench.terminations(EndReason::bootstrap_failed), ElementsAre("0"));
  EXPECT_THAT(bench.jobs_told(Kind::requeue_job), ElementsAre(0));
  EXPECT_EQ(bench.step(10 * kMinute), 20 * kMinute);
  EXPECT_EQ(bench.state(job), JobState::configuring);
  EXPECT_THAT(bench.launches(), ElementsAre("0"));
  bench.gone(0);
  bench.ready(0);
  bench.step(15 * kMinute);
  EXPECT_EQ(bench.state(job), JobState::running);
  EXPECT_EQ(bench.step(20 * kMinute), kNever) << "nothing boots any more";
  EXPECT_THAT(bench.commands.list, IsEmpty());
}

// Its next instance is a new one: the node must not stay out of use for a replacement that took place already.
TEST(Launcher, ANodeToBeReplacedThatDoesNotBootIsGivenBack) {
  LauncherBench bench(groups_of({dynamic(1)}), {.boot_timeout = 10 * kMinute});
  const JobId job = bench.submit(0, whole(1));
  bench.impair(0, Impairment::scheduled_event);
  bench.step(kSecond);
  EXPECT_TRUE(bench.is_down(0)) << "it takes no other job";
  EXPECT_EQ(bench.step(10 * kMinute), 10 * kMinute) << "the job is looked at again at once";
  EXPECT_THAT(bench.terminations(EndReason::bootstrap_failed), ElementsAre("0"));
  bench.step(10 * kMinute);
  EXPECT_FALSE(bench.is_down(0));
  EXPECT_EQ(bench.state(job), JobState::configuring);
  EXPECT_THAT(bench.launches(), ElementsAre("0"));
}

TEST(Launcher, ANodeThatIsIdleBecauseItsJobLostAnotherOneGoesInTime) {
  LauncherBench bench(groups_of({dynamic(2)}), {.boot_timeout = 10 * kMinute});
  bench.bring_up(0, 0);
  JobRequest request = whole(2);
  request.requeue = false;
  const JobId job = bench.submit(kMinute, request);
  ASSERT_THAT(bench.launches(), ElementsAre("1"));
  bench.step(11 * kMinute);
  EXPECT_THAT(bench.terminations(EndReason::bootstrap_failed), ElementsAre("1"));
  EXPECT_EQ(bench.state(job), JobState::node_failed);
  EXPECT_EQ(bench.step(11 * kMinute), 11 * kMinute + kIdle);
  bench.step(11 * kMinute + kIdle);
  EXPECT_THAT(bench.terminations(EndReason::scheduler_requested), ElementsAre("0"));
}

TEST(Launcher, ANodeIsDownWhenAllItsInstancesAreGone) {
  LauncherBench bench(groups_of({dynamic(1)}));
  bench.run_one(0, 0);
  bench.impair(0, Impairment::rebooted);
  bench.step(kMinute);  // the first instance ends slowly
  bench.ready(0);
  bench.step(2 * kMinute);
  bench.finish(JobId{0});
  bench.step(3 * kMinute);
  bench.step(3 * kMinute + kIdle);
  ASSERT_THAT(bench.terminations(EndReason::scheduler_requested), ElementsAre("0"));
  bench.gone(0);
  bench.step(5 * kMinute + kIdle);
  EXPECT_EQ(bench.node(0), NodeState::powering_down) << "one of them is still there";
  bench.gone(0);
  bench.step(6 * kMinute + kIdle);
  EXPECT_EQ(bench.node(0), NodeState::powered_down);
}

// --- budgets --------------------------------------------------------------------------------------------------------

TEST(Launcher, LaunchesNothingWhileABudgetIsUsedUp) {
  LauncherBench bench(groups_of({dynamic(3)}));
  const JobId first = bench.run_one(0, 0);
  const JobId throttled = bench.submit(kMinute, whole(1));
  bench.refuse(1, Refusal::request_limit_exceeded);
  bench.step(kMinute);
  bench.tell(Stimulus::Kind::budget_reached, 0, 0);
  bench.step(kMinute);
  EXPECT_THAT(bench.commands.list, IsEmpty()) << "no action of this budget";
  bench.tell(Stimulus::Kind::budget_reached, 0, 1);
  EXPECT_EQ(bench.step(kMinute), kNever);
  EXPECT_EQ(bench.state(throttled), JobState::pending) << "its retry would be a launch";
  EXPECT_EQ(bench.state(first), JobState::running);
  const JobId last = bench.submit(2 * kMinute, whole(1));
  EXPECT_EQ(bench.state(last), JobState::pending);
  bench.finish(first);
  bench.step(3 * kMinute);
  EXPECT_EQ(bench.state(throttled), JobState::running) << "on the node that is up";
  bench.tell(Stimulus::Kind::budget_reached, 0, 2);
  bench.step(4 * kMinute);
  EXPECT_EQ(bench.state(last), JobState::configuring);
  EXPECT_THAT(bench.launches(), ElementsAre("1"));
}

TEST(Launcher, ANodeThatGoesDownWhileABudgetIsUsedUpStaysDown) {
  LauncherBench bench(groups_of({dynamic(1)}));
  bench.bring_up(0, 0);
  bench.tell(Stimulus::Kind::budget_reached, 0, 1);
  bench.step(kMinute);
  bench.step(kIdle);
  ASSERT_THAT(bench.terminations(EndReason::scheduler_requested), ElementsAre("0"));
  bench.gone(0);
  bench.step(kIdle + kMinute);
  ASSERT_EQ(bench.node(0), NodeState::powered_down);
  const JobId job = bench.submit(kHour, whole(1));
  EXPECT_THAT(bench.launches(), IsEmpty());
  bench.step(kHour);
  EXPECT_EQ(bench.state(job), JobState::pending);
  EXPECT_TRUE(bench.is_down(0));
  bench.tell(Stimulus::Kind::budget_reached, 0, 2);
  bench.step(2 * kHour);
  EXPECT_THAT(bench.launches(), ElementsAre("0"));
}

TEST(Launcher, ABudgetKeepsStaticNodesFromComingBackToo) {
  LauncherBench bench(groups_of({fixed(1)}));
  bench.step(0);
  bench.ready(0);
  bench.tell(Stimulus::Kind::budget_reached, 0, 1);
  bench.step(kMinute);
  bench.lose(0);
  bench.step(kHour);
  EXPECT_THAT(bench.launches(), IsEmpty());
  bench.tell(Stimulus::Kind::budget_reached, 0, 2);
  bench.step(2 * kHour);
  EXPECT_THAT(bench.launches(), ElementsAre("0 minimum"));
}

// --- changes of the cluster -----------------------------------------------------------------------------------------

TEST(ClusterChanges, ASmallerGroupSendsItsJobsBackToTheQueue) {
  LauncherBench bench(with_changes(groups_of({dynamic(4)}), {resize(2), resize(4)}));
  for (std::uint32_t n = 0; n < 3; ++n) bench.run_one(n * kSecond, n);
  const JobId configuring = bench.submit(3 * kSecond, whole(1));
  bench.change(0);
  bench.step(kHour);
  EXPECT_THAT(bench.terminations(EndReason::node_group_update), ElementsAre("2,3"));
  EXPECT_THAT(bench.jobs_told(Kind::requeue_job), ElementsAre(2, 3));
  EXPECT_EQ(bench.state(JobId{1}), JobState::running);
  EXPECT_EQ(bench.cluster().present(GroupId{0}), 2);
  EXPECT_EQ(bench.cluster().instances(), 2);
  const JobId wide = bench.submit(kHour, whole(3));
  EXPECT_EQ(bench.state(wide), JobState::rejected) << "no longer possible [PCS-33]";
  bench.gone(2);
  bench.gone(3);
  bench.change(1);
  bench.step(2 * kHour);
  EXPECT_THAT(bench.launches(), ElementsAre("2,3"));
  EXPECT_EQ(bench.state(JobId{2}), JobState::configuring);
  EXPECT_EQ(bench.state(configuring), JobState::configuring);
}

TEST(ClusterChanges, AGroupWithAMinimumLaunchesItAndGivesItUpWhenThatEnds) {
  LauncherBench bench(with_changes(groups_of({dynamic(3)}), {resize(3, 2), resize(3, 0)}));
  bench.step(0);
  bench.change(0);
  bench.step(kMinute);
  EXPECT_THAT(bench.launches(), ElementsAre("0,1 minimum"));
  bench.ready(0);
  bench.ready(1);
  EXPECT_EQ(bench.step(2 * kMinute), kNever);
  bench.change(1);
  EXPECT_EQ(bench.step(3 * kMinute), 2 * kMinute + kIdle);
  bench.step(2 * kMinute + kIdle);
  EXPECT_THAT(bench.terminations(EndReason::scheduler_requested), ElementsAre("0,1"));
}

TEST(ClusterChanges, AnUpdatedGroupReplacesIdleInstancesAtOnceAndBusyOnesAfterTheirJobs) {
  LauncherBench bench(with_changes(groups_of({dynamic(3)}), {of_kind(ClusterChange::Kind::replace)}));
  bench.bring_up(0, 0);
  const JobId busy = bench.submit(0, cores_for(1, 10 * kHour));
  const JobId other = bench.submit(0, whole(1));
  bench.ready(1);
  bench.step(kSecond);
  bench.finish(other);
  bench.step(2 * kSecond);  // node 0 has a job, node 1 is idle
  bench.change(0);
  bench.step(kMinute);
  EXPECT_THAT(bench.terminations(EndReason::replacement_requested), ElementsAre("1"));
  EXPECT_EQ(bench.node(1), NodeState::powered_down);
  EXPECT_EQ(bench.state(busy), JobState::running);
  const JobId next = bench.submit(2 * kMinute, cores_for(1, kHour));
  EXPECT_EQ(number(bench.shares(next).at(0).node), 1u) << "on a new instance";
  bench.finish(busy);
  bench.step(kHour);
  EXPECT_THAT(bench.terminations(EndReason::replacement_requested), ElementsAre("0"));
  EXPECT_FALSE(bench.is_down(0));
}

TEST(ClusterChanges, AnUpdatedStaticGroupComesBackAtOnce) {
  LauncherBench bench(with_changes(groups_of({fixed(2)}), {of_kind(ClusterChange::Kind::replace)}));
  bench.step(0);
  bench.ready(0);
  bench.ready(1);
  bench.step(kMinute);
  bench.change(0);
  bench.step(kHour);
  EXPECT_THAT(bench.terminations(EndReason::replacement_requested), ElementsAre("0,1"));
  EXPECT_THAT(bench.launches(), ElementsAre("0,1 minimum"));
}

TEST(ClusterChanges, AnInstanceThatWasLostNeedsNoReplacement) {
  LauncherBench bench(with_changes(groups_of({dynamic(1)}), {of_kind(ClusterChange::Kind::replace)}));
  const JobId job = bench.run_one(0, 0);
  bench.change(0);
  bench.step(kMinute);
  ASSERT_TRUE(bench.is_down(0));
  bench.lose(0);
  bench.step(2 * kMinute);
  bench.step(2 * kMinute);
  ASSERT_EQ(bench.state(job), JobState::configuring);
  bench.ready(0);
  bench.step(3 * kMinute);
  bench.finish(job);
  bench.step(4 * kMinute);
  EXPECT_THAT(bench.told(Kind::terminate_instances), IsEmpty()) << "it is a new one";
}

TEST(ClusterChanges, AnotherIdleTimeCountsFromNowOn) {
  ClusterChange shorter = of_kind(ClusterChange::Kind::idle_time);
  shorter.idle_time = kMinute;
  LauncherBench bench(with_changes(groups_of({dynamic(2)}), {shorter}));
  bench.bring_up(0, 0);
  bench.change(0);
  EXPECT_EQ(bench.step(30 * kSecond), kMinute);
  bench.step(kMinute);
  EXPECT_THAT(bench.terminations(EndReason::scheduler_requested), ElementsAre("0"));
}

TEST(ClusterChanges, AQueueThatGetsAnotherGroupRunsWhatWaits) {
  ClusterSpec spec = groups_of({dynamic(1), dynamic(2)});
  spec.queues.front().groups.pop_back();
  ClusterChange serve = of_kind(ClusterChange::Kind::serve);
  serve.groups = {GroupId{0}, GroupId{1}};
  ClusterChange less = of_kind(ClusterChange::Kind::serve);
  less.groups = {GroupId{0}};
  LauncherBench bench(with_changes(spec, {serve, less}));
  bench.run_one(0, 0);
  const JobId waits = bench.submit(kSecond, whole(1));
  ASSERT_EQ(bench.state(waits), JobState::pending);
  bench.change(0);
  bench.step(kMinute);
  EXPECT_THAT(bench.launches(), ElementsAre("1"));
  bench.change(1);
  bench.step(2 * kMinute);
  EXPECT_THAT(bench.commands.list, IsEmpty()) << "what has nodes keeps them";
  bench.ready(1);
  bench.step(3 * kMinute);
  EXPECT_EQ(bench.state(waits), JobState::running);
  EXPECT_EQ(bench.state(bench.submit(4 * kMinute, whole(2))), JobState::rejected);
}

TEST(ClusterChanges, AClosedQueueTakesNoNewJobs) {
  LauncherBench bench(
      with_changes(groups_of({dynamic(1)}), {of_kind(ClusterChange::Kind::close), of_kind(ClusterChange::Kind::open)}));
  bench.run_one(0, 0);
  const JobId waits = bench.submit(kSecond, whole(1));
  bench.change(0);
  bench.step(kMinute);
  const JobId late = bench.submit(2 * kMinute, whole(1));
  EXPECT_EQ(bench.state(late), JobState::rejected);
  ASSERT_EQ(bench.told(Kind::reject_job).size(), 1u);
  EXPECT_EQ(static_cast<Rejection>(bench.told(Kind::reject_job)[0].detail), Rejection::queue);
  bench.finish(JobId{0});
  bench.step(3 * kMinute);
  EXPECT_EQ(bench.state(waits), JobState::running) << "what waited before runs";
  bench.change(1);
  bench.step(4 * kMinute);
  EXPECT_EQ(bench.state(bench.submit(5 * kMinute, whole(1))), JobState::pending);
}

TEST(ClusterChanges, ADeletedQueueLosesItsJobs) {
  ClusterSpec spec = groups_of({dynamic(2)});
  spec.queues.push_back(spec.queues.front());
  LauncherBench bench(with_changes(spec, {of_kind(ClusterChange::Kind::delete_queue)}));
  const JobId running = bench.run_one(0, 0);
  const JobId other = bench.submit(kSecond, in_queue(1, whole(1)));
  const JobId pending = bench.submit(2 * kSecond, whole(1));
  const JobId next = bench.submit(3 * kSecond, in_queue(1, whole(1)));
  bench.change(0);
  bench.step(kMinute);
  EXPECT_EQ(bench.state(running), JobState::cancelled);
  EXPECT_EQ(bench.state(pending), JobState::cancelled);
  EXPECT_THAT(bench.jobs_told(Kind::end_job), ElementsAre(number(running), number(pending)));
  EXPECT_EQ(bench.state(other), JobState::configuring);
  EXPECT_EQ(bench.state(next), JobState::running) << "on what became free";
  EXPECT_EQ(bench.state(bench.submit(kHour, whole(1))), JobState::rejected);
}

TEST(ClusterChanges, ADeletedGroupCancelsTheJobsOnIt) {
  LauncherBench bench(with_changes(groups_of({dynamic(2), dynamic(1)}), {of_kind(ClusterChange::Kind::delete_group)}));
  const JobId running = bench.run_one(0, 0);
  const JobId spread_out = bench.submit(kSecond, whole(2));
  const JobId waits = bench.submit(2 * kSecond, whole(1));
  bench.change(0);
  bench.step(kMinute);
  EXPECT_THAT(bench.terminations(EndReason::node_group_deletion), ElementsAre("0,1"));
  EXPECT_EQ(bench.state(running), JobState::cancelled);
  EXPECT_EQ(bench.state(spread_out), JobState::cancelled);
  EXPECT_EQ(bench.state(waits), JobState::configuring) << "on the other group";
  EXPECT_EQ(number(bench.shares(waits).at(0).node), 2u);
  EXPECT_EQ(bench.cluster().present(GroupId{0}), 0);
}

}  // namespace
}  // namespace headroom
