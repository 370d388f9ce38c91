#include "engine/controller.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/loop.hpp"
#include "tests/unit/controller_bench.hpp"

namespace headroom {
namespace {

using Kind = Command::Kind;
using Shares = std::vector<NodeShare>;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

NodeShare on(std::uint32_t node, std::int32_t cores) { return {NodeId{node}, cores}; }

// One group, one queue.
ClusterSpec group_of(std::int32_t nodes, std::int32_t cores, Supply supply) {
  ClusterSpec spec;
  spec.groups.push_back({nodes, cores, supply, 1});
  spec.queues.push_back({{GroupId{0}}});
  return spec;
}

// With a second queue over the same nodes: reservations name their nodes (Cluster::counts).
ClusterSpec sharing(ClusterSpec spec) {
  spec.queues.push_back(spec.queues.front());
  return spec;
}

// Expects a Bug whose text names the broken promise.
template <class Act>
void expect_bug(Act act, const std::string& promise) {
  try {
    act();
    ADD_FAILURE() << "no Bug: " << promise;
  } catch (const Bug& bug) {
    EXPECT_THAT(bug.what(), HasSubstr(promise));
  }
}

// --- from arrival to end ---

TEST(Controller, StartsAJobOnNodesThatAreUpAtOnce) {
  ControllerBench bench(group_of(2, 4, Supply::permanent));
  const JobId job = bench.submit(10 * kSecond, nodes_for(2, 3, kMinute));
  ASSERT_EQ(bench.commands.list.size(), 1u);
  EXPECT_EQ(bench.commands.list[0].kind, Kind::start_job);
  EXPECT_EQ(bench.commands.list[0].subject, number(job));
  EXPECT_THAT(bench.nodes_told(Kind::start_job), ElementsAre(0, 1));
  EXPECT_EQ(bench.state(job), JobState::running);
  EXPECT_EQ(bench.cluster().claim(job).until, 10 * kSecond + kMinute);
  bench.finish(job);
  bench.step(20 * kSecond);
  EXPECT_EQ(bench.state(job), JobState::completed);
  EXPECT_EQ(bench.cluster().claim(job).kind, Claim::Kind::none);
  EXPECT_EQ(bench.cluster().jobs_on(NodeId{0}), 0);
  EXPECT_EQ(bench.controller().active_jobs(), 0u);
}

TEST(Controller, GivesEveryOutcomeItsState) {
  for (const Outcome outcome : {Outcome::completed, Outcome::failed, Outcome::cancelled, Outcome::timed_out}) {
    ControllerBench bench(group_of(1, 1, Supply::permanent));
    const JobId job = bench.submit(0, cores_for(1, kMinute));
    bench.finish(job, outcome);
    bench.step(kMinute);
    EXPECT_EQ(bench.state(job), state_after(outcome));
  }
}

TEST(Controller, RunsAJobOnlyWhenAllItsNodesAreReady) {
  ControllerBench bench(group_of(3, 4, Supply::dynamic));
  const JobId job = bench.submit(0, nodes_for(3, 4, kHour));
  EXPECT_EQ(bench.told(Kind::allocate_job).size(), 1u);
  EXPECT_THAT(bench.nodes_told(Kind::launch_instances), ElementsAre(0, 1, 2));
  EXPECT_THAT(bench.told(Kind::start_job), IsEmpty());
  EXPECT_EQ(bench.state(job), JobState::configuring);
  EXPECT_EQ(bench.node(1), NodeState::powering_up);

  bench.ready(1);
  bench.step(50 * kSecond);
  EXPECT_THAT(bench.commands.list, IsEmpty());
  bench.ready(0);
  bench.step(60 * kSecond);
  EXPECT_EQ(bench.state(job), JobState::configuring);
  bench.tell(Stimulus::Kind::instance_running, 2);
  bench.step(70 * kSecond);
  EXPECT_EQ(bench.state(job), JobState::configuring) << "running is not ready";
  bench.tell(Stimulus::Kind::node_ready, 2);
  bench.step(80 * kSecond);
  EXPECT_EQ(bench.state(job), JobState::running);
  EXPECT_THAT(bench.nodes_told(Kind::start_job), ElementsAre(0, 1, 2));
  EXPECT_EQ(bench.cluster().instances(), 3);
}

TEST(Controller, CountsTheLimitFromTheRealStart) {
  ControllerBench bench(group_of(1, 4, Supply::dynamic));
  const JobId job = bench.submit(0, cores_for(4, 10 * kMinute));
  EXPECT_EQ(bench.cluster().claim(job).until, 10 * kMinute);
  bench.ready(0);
  bench.step(3 * kMinute);
  EXPECT_EQ(bench.cluster().claim(job).until, 13 * kMinute);
  EXPECT_EQ(bench.cluster().free_cores(QueueId{0}).next_change(3 * kMinute), 13 * kMinute);
  bench.finish(job, Outcome::timed_out);
  EXPECT_NO_THROW(bench.step(13 * kMinute));
}

// Starts what waits, expecting a quarter of the limit.
Time start_with_a_guess(const View& view, Plan& plan) {
  std::vector<NodeShare> nodes;
  for (const JobId job : view.changes().arrivals) {
    if (!view.cluster().place(view.jobs().request(job), view.now(), nodes)) continue;
    plan.start(job, nodes, view.jobs().request(job).limit / 4);
  }
  return kNever;
}

TEST(Controller, PlansWithWhatThePolicyExpects) {
  ControllerBench bench(group_of(1, 4, Supply::dynamic));
  bench.schedule = start_with_a_guess;
  const JobId job = bench.submit(0, cores_for(4, 40 * kMinute));
  EXPECT_EQ(bench.cluster().claim(job).until, 10 * kMinute);
  bench.ready(0);
  bench.step(3 * kMinute);
  EXPECT_EQ(bench.cluster().claim(job).until, 13 * kMinute);

  bench.schedule = [&](const View&, Plan& plan) {
    plan.expect(job, 25 * kMinute);
    return kNever;
  };
  bench.submit(5 * kMinute, cores_for(4, kMinute));
  EXPECT_EQ(bench.cluster().claim(job).until, 28 * kMinute);
  EXPECT_EQ(bench.cluster().free_cores(QueueId{0}).next_change(5 * kMinute), 28 * kMinute);
}

TEST(Controller, StopsAPolicyThatForgetsToCorrectItself) {
  ControllerBench bench(group_of(1, 4, Supply::permanent));
  bench.schedule = start_with_a_guess;
  const JobId job = bench.submit(0, cores_for(4, 40 * kMinute));
  bench.finish(job);
  expect_bug([&] { bench.step(10 * kMinute + 1); }, "no job outlives its limit");
}

TEST(Controller, LetsNobodyExpectMoreThanTheLimit) {
  ControllerBench bench(group_of(1, 4, Supply::permanent));
  bench.schedule = start_with_a_guess;
  const JobId job = bench.submit(0, cores_for(4, 40 * kMinute));
  bench.schedule = [&](const View&, Plan& plan) {
    plan.expect(job, 41 * kMinute);
    return kNever;
  };
  expect_bug([&] { bench.submit(kMinute, cores_for(4, kMinute)); }, "to its limit at most");
}

TEST(Controller, TellsHowLongJobsRan) {
  ControllerBench bench(group_of(2, 4, Supply::dynamic));
  const JobId slow = bench.submit(0, cores_for(4, 10 * kMinute));
  const JobId never = bench.submit(0, cores_for(4, 10 * kMinute));
  std::vector<std::pair<JobId, Time>> finished;
  bench.schedule = [&](const View& view, Plan&) {
    for (const FinishedJob& job : view.changes().finished) finished.emplace_back(job.job, job.run_time);
    return kNever;
  };
  bench.ready(0);
  bench.step(2 * kMinute);
  bench.finish(never, Outcome::cancelled);  // while its node boots
  bench.step(3 * kMinute);
  EXPECT_TRUE(finished.empty());
  bench.finish(slow);
  bench.step(7 * kMinute);
  EXPECT_EQ(finished, (std::vector<std::pair<JobId, Time>>{{slow, 5 * kMinute}}));
}

TEST(Controller, LetsNoJobOutliveItsLimit) {
  ControllerBench bench(group_of(1, 4, Supply::permanent));
  const JobId job = bench.submit(0, cores_for(4, 10 * kMinute));
  bench.finish(job);
  expect_bug([&] { bench.step(10 * kMinute + 1); }, "no job outlives its limit");
}

TEST(Controller, KeepsTheNodesOfAJobThatBootLongerThanItsLimit) {
  ControllerBench bench(group_of(1, 4, Supply::dynamic));
  const JobId slow = bench.arrive(cores_for(4, kMinute));
  Time wake = bench.step(0);
  const JobId next = bench.arrive(cores_for(4, kMinute));
  wake = bench.step(kSecond);
  for (int i = 1; i <= 5; ++i) {
    ASSERT_LE(wake, bench.cluster().claim(slow).until) << "the core asks to be called before the claim ends";
    ASSERT_GT(wake, (i - 1) * kMinute);
    const Time now = wake;
    wake = bench.step(now);
    ASSERT_GT(bench.cluster().claim(slow).until, now);
    ASSERT_EQ(bench.cluster().free_cores(QueueId{0}).free_at(now), 0);
    ASSERT_EQ(bench.state(slow), JobState::configuring);
    ASSERT_EQ(bench.state(next), JobState::pending);
  }
  const Time start = wake - kSecond;
  bench.ready(0);
  bench.step(start);
  EXPECT_EQ(bench.state(slow), JobState::running);
  EXPECT_EQ(bench.cluster().claim(slow).until, start + kMinute);
}

TEST(Controller, TellsThePolicyWhenALongBootDisturbsAReservation) {
  ControllerBench bench(group_of(1, 4, Supply::dynamic));
  bool disturbed = false;
  bench.schedule = [&](const View& view, Plan& plan) {
    if (view.changes().disturbed) {
      disturbed = true;
      plan.drop_reservation(JobId{1});
      return kNever;
    }
    for (const JobId job : view.changes().arrivals) {
      const JobRequest& request = view.jobs().request(job);
      Shares nodes;
      if (view.cluster().place(request, view.now(), nodes)) {
        plan.start(job, nodes);
      } else {
        const Time at = view.cluster().earliest(request, view.now(), nodes);
        plan.reserve(job, at, nodes);
      }
    }
    return kNever;
  };
  bench.arrive(cores_for(4, 10 * kMinute));
  bench.arrive(cores_for(4, kMinute));
  bench.step(0);
  EXPECT_EQ(bench.cluster().claim(JobId{1}).from, 10 * kMinute);
  EXPECT_FALSE(disturbed);
  bench.ready(0);
  bench.step(kMinute);
  EXPECT_TRUE(disturbed);
}

TEST(Controller, SharesABootingNodeBetweenJobs) {
  ControllerBench bench(group_of(1, 4, Supply::dynamic));
  const JobId first = bench.submit(0, cores_for(1, kHour));
  EXPECT_THAT(bench.nodes_told(Kind::launch_instances), ElementsAre(0));
  const JobId second = bench.submit(kSecond, cores_for(3, kHour));
  EXPECT_THAT(bench.nodes_told(Kind::launch_instances), IsEmpty()) << "it boots already";
  EXPECT_EQ(bench.state(second), JobState::configuring);
  bench.ready(0);
  bench.step(kMinute);
  EXPECT_EQ(bench.state(first), JobState::running);
  EXPECT_EQ(bench.state(second), JobState::running);
  EXPECT_EQ(bench.told(Kind::start_job).size(), 2u);
}

// --- refusals ---

TEST(Controller, RefusesJobsOverTheJobLimitUntilOthersEnd) {
  ClusterSpec spec = group_of(1, 1, Supply::permanent);
  spec.job_limit = 2;
  ControllerBench bench(spec);
  const JobId running = bench.submit(0, cores_for(1, kHour));
  const JobId queued = bench.submit(0, cores_for(1, kHour));
  const JobId refused = bench.submit(kSecond, cores_for(1, kHour));
  EXPECT_EQ(bench.state(running), JobState::running);
  EXPECT_EQ(bench.state(queued), JobState::pending);
  EXPECT_EQ(bench.state(refused), JobState::rejected);
  ASSERT_EQ(bench.told(Kind::reject_job).size(), 1u);
  EXPECT_EQ(bench.told(Kind::reject_job)[0].subject, number(refused));
  EXPECT_EQ(bench.told(Kind::reject_job)[0].detail, static_cast<std::uint32_t>(Rejection::job_limit));
  EXPECT_EQ(bench.controller().active_jobs(), 2u);
  // An end and an arrival at one instant: the arrival comes first.
  bench.finish(running);
  bench.step(2 * kSecond);
  EXPECT_EQ(bench.state(bench.submit(3 * kSecond, cores_for(1, kHour))), JobState::pending);
}

TEST(Controller, RefusesJobsThatTheirQueueCouldNeverHold) {
  ControllerBench bench(group_of(2, 4, Supply::dynamic));
  for (const JobRequest& request : {cores_for(9, kHour), nodes_for(3, 1, kHour), nodes_for(1, 5, kHour)}) {
    const JobId job = bench.submit(0, request);
    EXPECT_EQ(bench.state(job), JobState::rejected);
    ASSERT_EQ(bench.told(Kind::reject_job).size(), 1u);
    EXPECT_EQ(bench.told(Kind::reject_job)[0].detail, static_cast<std::uint32_t>(Rejection::too_wide));
  }
  EXPECT_EQ(bench.controller().active_jobs(), 0u);
  EXPECT_EQ(bench.state(bench.submit(0, cores_for(8, kHour))), JobState::configuring);
}

TEST(Controller, RefusesGroupsThatTogetherPassTheInstanceLimit) {
  ClusterSpec spec = group_of(3, 4, Supply::dynamic);
  spec.groups.push_back({2, 4, Supply::fixed, 1});
  spec.groups.push_back({1, 4, Supply::permanent, 1});  // no instance
  spec.instance_limit = 5;
  EXPECT_NO_THROW(ControllerBench{spec});
  spec.instance_limit = 4;
  expect_bug([&] { ControllerBench bench{spec}; }, "PCS-3");
}

// --- power ---

// A dynamic node that was up, idle, and is told to go at two minutes.
class PowerDown : public testing::Test {
 protected:
  static ClusterSpec spec() {
    ClusterSpec s = group_of(1, 4, Supply::dynamic);
    s.suspend_timeout = kMinute;
    return s;
  }
  PowerDown() : bench_(spec()) {
    const JobId job = bench_.submit(0, cores_for(4, kHour));
    bench_.ready(0);
    bench_.step(kMinute);
    bench_.finish(job);
    bench_.scale = [](const View&, std::span<const NodeId> idle, ScalePlan& plan) {
      plan.terminate(idle);
      return kNever;
    };
    bench_.step(2 * kMinute);
    bench_.scale = launch_what_is_wanted;
  }
  ControllerBench bench_;
};

TEST_F(PowerDown, KeepsTheNodeOutOfUseUntilTheTimeoutIsOver) {
  EXPECT_THAT(bench_.nodes_told(Kind::terminate_instances), ElementsAre(0));
  EXPECT_EQ(bench_.node(0), NodeState::powering_down);
  bench_.gone(0);
  EXPECT_EQ(bench_.step(2 * kMinute), 3 * kMinute) << "it asks to be called when the timeout is over";
  const JobId job = bench_.submit(2 * kMinute + kSecond, cores_for(1, kHour));
  EXPECT_EQ(bench_.state(job), JobState::pending);
  EXPECT_EQ(bench_.node(0), NodeState::powering_down);
  EXPECT_EQ(bench_.cluster().instances(), 1);
  EXPECT_EQ(bench_.step(3 * kMinute - 1), 3 * kMinute);
  EXPECT_EQ(bench_.state(job), JobState::pending);
  bench_.step(3 * kMinute);
  EXPECT_EQ(bench_.state(job), JobState::configuring) << "free again, and launched again";
  EXPECT_THAT(bench_.nodes_told(Kind::launch_instances), ElementsAre(0));
}

TEST_F(PowerDown, KeepsTheNodeOutOfUseAsLongAgainWhenTheInstanceIsSlow) {
  const JobId job = bench_.submit(2 * kMinute + kSecond, cores_for(1, kHour));
  EXPECT_EQ(bench_.step(3 * kMinute), 4 * kMinute);
  EXPECT_EQ(bench_.node(0), NodeState::powering_down);
  EXPECT_EQ(bench_.state(job), JobState::pending);
  bench_.gone(0);
  bench_.step(3 * kMinute + kSecond);
  bench_.step(4 * kMinute);
  EXPECT_EQ(bench_.state(job), JobState::configuring);
}

TEST_F(PowerDown, HearsOfTheInstancesEndOnce) {
  bench_.gone(0);
  bench_.step(2 * kMinute);
  bench_.gone(0);
  expect_bug([&] { bench_.step(2 * kMinute + kSecond); }, "an instance is gone once");
}

TEST_F(PowerDown, CountsANodeOnItsWayDownAsHeld) {
  EXPECT_EQ(bench_.cluster().free_cores(QueueId{0}).free_at(2 * kMinute), 0);
  EXPECT_EQ(bench_.cluster().free_cores(QueueId{0}).next_change(2 * kMinute), 3 * kMinute);
  Shares nodes;
  EXPECT_FALSE(bench_.cluster().place(cores_for(1, kSecond), 2 * kMinute, nodes));
  EXPECT_EQ(bench_.cluster().earliest(cores_for(1, kSecond), 2 * kMinute, nodes), 3 * kMinute);
}

TEST(Controller, NamesIdleNodesToTheScalerOnce) {
  ControllerBench bench(group_of(2, 4, Supply::dynamic));
  std::vector<std::uint32_t> idle;
  bench.scale = [&](const View& view, std::span<const NodeId> newly_idle, ScalePlan& plan) {
    for (const NodeId node : newly_idle) idle.push_back(number(node));
    return launch_what_is_wanted(view, newly_idle, plan);
  };
  const JobId a = bench.arrive(cores_for(4, kHour));
  const JobId b = bench.arrive(cores_for(2, kHour));
  const JobId c = bench.arrive(cores_for(2, kHour));
  bench.step(0);
  bench.ready(0);
  bench.ready(1);
  bench.step(kMinute);
  EXPECT_THAT(idle, IsEmpty()) << "they have work";
  bench.finish(b);
  bench.step(2 * kMinute);
  EXPECT_THAT(idle, IsEmpty()) << "half of node 1 still works";
  bench.finish(a);
  bench.finish(c);
  bench.step(3 * kMinute);
  EXPECT_THAT(idle, ElementsAre(0, 1));
  EXPECT_EQ(bench.cluster().idle_since(NodeId{1}), 3 * kMinute);
  bench.step(4 * kMinute);
  EXPECT_THAT(idle, ElementsAre(0, 1));
}

TEST(Controller, NamesStaticNodesIdleWhenTheyBecomeReadyWithoutAJob) {
  ControllerBench bench(group_of(1, 4, Supply::fixed));
  std::vector<std::uint32_t> idle;
  bench.scale = [&](const View& view, std::span<const NodeId> newly_idle, ScalePlan& plan) {
    for (const NodeId node : newly_idle) idle.push_back(number(node));
    return launch_what_is_wanted(view, newly_idle, plan);
  };
  bench.step(0);
  EXPECT_THAT(bench.nodes_told(Kind::launch_instances), ElementsAre(0));
  bench.ready(0);
  bench.step(kMinute);
  EXPECT_THAT(idle, ElementsAre(0));
}

// --- when policies are called, and what they hear ---

TEST(Controller, CallsTheSchedulerForChangesAndAtTheTimeItAskedFor) {
  ControllerBench bench(group_of(1, 4, Supply::permanent));
  int calls = 0;
  Time ask = kNever;
  bench.schedule = [&](const View& view, Plan& plan) {
    ++calls;
    start_what_fits(view, plan);
    return ask;
  };
  EXPECT_EQ(bench.step(0), kNever);
  EXPECT_EQ(calls, 0);
  ask = 5 * kMinute;
  bench.arrive(cores_for(1, kHour));
  EXPECT_EQ(bench.step(kMinute), 5 * kMinute);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(bench.step(2 * kMinute), 5 * kMinute);
  EXPECT_EQ(calls, 1) << "nothing changed";
  ask = kNever;
  EXPECT_EQ(bench.step(5 * kMinute), kNever);
  EXPECT_EQ(calls, 2);
  bench.submit(6 * kMinute, cores_for(99, kHour));
  EXPECT_EQ(calls, 2) << "a refused job changes nothing";
}

TEST(Controller, TellsThePolicyWhatChanged) {
  ControllerBench bench(group_of(1, 4, Supply::permanent));
  Changes seen;
  std::vector<JobId> arrivals;
  bench.schedule = [&](const View& view, Plan& plan) {
    seen = view.changes();
    arrivals.assign(seen.arrivals.begin(), seen.arrivals.end());
    return start_what_fits(view, plan);
  };
  const JobId a = bench.arrive(cores_for(1, kHour));
  const JobId b = bench.arrive(cores_for(1, 2 * kHour));
  bench.step(kMinute);
  EXPECT_THAT(arrivals, ElementsAre(a, b));
  EXPECT_FALSE(seen.ended);
  EXPECT_EQ(seen.freed_until, 0);
  bench.finish(a);
  bench.finish(b);
  bench.step(2 * kMinute);
  EXPECT_THAT(arrivals, IsEmpty());
  EXPECT_TRUE(seen.ended);
  EXPECT_FALSE(seen.disturbed);
  EXPECT_EQ(seen.freed_until, kMinute + 2 * kHour) << "until when the later one would have been held";
}

TEST(Controller, NumbersItsCommandsThroughTheRun) {
  ControllerBench bench(group_of(2, 4, Supply::dynamic));
  bench.submit(0, nodes_for(2, 1, kHour));
  EXPECT_EQ(bench.commands.first_number, 0u);
  ASSERT_EQ(bench.commands.list.size(), 3u);
  bench.submit(0, cores_for(1, kHour));
  EXPECT_EQ(bench.commands.first_number, 3u);
}

// --- a policy that is wrong is stopped ---

// Runs one wrong act of a scheduler when a second job arrives. Two nodes of four cores; job 0 holds node 0.
void wrong_plan(const ScriptedScheduler::Script& act, const std::string& promise) {
  SCOPED_TRACE(promise);
  ControllerBench bench(group_of(2, 4, Supply::permanent));
  bench.submit(0, nodes_for(1, 4, kHour));
  bench.schedule = act;
  bench.arrive(nodes_for(1, 2, kHour));
  expect_bug([&] { bench.step(kSecond); }, promise);
}

TEST(Controller, StopsASchedulerThatOversubscribes) {
  wrong_plan([](const View&, Plan& plan) { return plan.start(JobId{1}, Shares{on(0, 2)}), kNever; },
             "a start takes nothing that is in use");
  wrong_plan([](const View&, Plan& plan) { return plan.start(JobId{1}, Shares{on(1, 5)}), kNever; },
             "a share is a part of its node");
  wrong_plan([](const View&, Plan& plan) { return plan.start(JobId{1}, Shares{on(1, 0)}), kNever; },
             "every node of a job gives the cores it asked for");
}

TEST(Controller, StopsASchedulerThatGivesLessThanWasAskedFor) {
  wrong_plan([](const View&, Plan& plan) { return plan.start(JobId{1}, Shares{on(1, 1)}), kNever; },
             "every node of a job gives the cores it asked for");
  wrong_plan([](const View&, Plan& plan) { return plan.start(JobId{1}, Shares{}), kNever; },
             "a job starts on as many nodes as it asked for");
  ControllerBench bench(group_of(2, 4, Supply::permanent));
  bench.schedule = [](const View&, Plan& plan) { return plan.start(JobId{0}, Shares{on(0, 4), on(1, 1)}), kNever; };
  bench.arrive(cores_for(6, kHour));
  expect_bug([&] { bench.step(0); }, "a job starts only with its full allocation");
}

TEST(Controller, StopsASchedulerThatSplitsAnExclusiveNode) {
  ControllerBench bench(group_of(2, 4, Supply::permanent));
  bench.schedule = [](const View&, Plan& plan) { return plan.start(JobId{0}, Shares{on(0, 2)}), kNever; };
  bench.arrive(exclusive(nodes_for(1, 2, kHour)));
  expect_bug([&] { bench.step(0); }, "an exclusive job takes whole nodes");
}

TEST(Controller, StopsASchedulerThatStartsAJobTwice) {
  wrong_plan([](const View&, Plan& plan) { return plan.start(JobId{0}, Shares{on(1, 4)}), kNever; },
             "a job leaves the queue it waits in, once");
  wrong_plan(
      [](const View&, Plan& plan) {
        plan.start(JobId{1}, Shares{on(1, 2)});
        plan.start(JobId{1}, Shares{on(1, 2)});
        return kNever;
      },
      "a job leaves the queue it waits in, once");
}

TEST(Controller, StopsASchedulerThatStartsOverAReservation) {
  ControllerBench bench(group_of(1, 4, Supply::permanent));
  bench.schedule = [](const View&, Plan& plan) {
    plan.reserve(JobId{0}, kMinute, Shares{on(0, 4)});
    plan.start(JobId{1}, Shares{on(0, 4)});
    return kNever;
  };
  // On a machine of one node and on a cluster.
  for (const std::int32_t nodes : {1, 2}) {
    const ClusterSpec spec = group_of(nodes, 4, Supply::permanent);
    ControllerBench two(nodes == 1 ? spec : sharing(spec));
    two.schedule = bench.schedule;
    two.arrive(cores_for(4, kHour));
    two.arrive(cores_for(4, kMinute + 1));
    expect_bug([&] { two.step(0); }, "a start takes nothing that is in use or reserved");
    ControllerBench fits(nodes == 1 ? spec : sharing(spec));
    fits.schedule = bench.schedule;
    fits.arrive(cores_for(4, kHour));
    fits.arrive(cores_for(4, kMinute));
    EXPECT_NO_THROW(fits.step(0)) << "it is done when the reservation begins";
  }
}

TEST(Controller, StopsASchedulerThatReservesWhatIsHeldOrReserved) {
  wrong_plan([](const View&, Plan& plan) { return plan.reserve(JobId{1}, kHour - 1, Shares{on(0, 2)}), kNever; },
             "a reservation takes nothing that is held");
  wrong_plan(
      [](const View&, Plan& plan) {
        plan.reserve(JobId{1}, 2 * kHour, Shares{on(0, 2)});
        plan.reserve(JobId{1}, 5 * kHour, Shares{on(0, 2)});
        return kNever;
      },
      "a job holds one claim");
  ControllerBench bench(sharing(group_of(2, 4, Supply::permanent)));
  bench.schedule = [](const View&, Plan& plan) {
    plan.reserve(JobId{0}, kMinute, Shares{on(0, 3)});
    plan.reserve(JobId{1}, 2 * kMinute, Shares{on(0, 2)});
    return kNever;
  };
  bench.arrive(cores_for(3, kHour));
  bench.arrive(cores_for(2, kHour));
  expect_bug([&] { bench.step(0); }, "a reservation takes nothing that is held");
}

TEST(Controller, StopsASchedulerThatNamesNodesWhereTheyAreCounted) {
  ControllerBench bench(group_of(2, 4, Supply::permanent));
  bench.schedule = [](const View& view, Plan& plan) {
    EXPECT_TRUE(view.cluster().counts());
    return plan.reserve(JobId{0}, kMinute, Shares{on(0, 3)}), kNever;
  };
  bench.arrive(cores_for(3, kHour));
  expect_bug([&] { bench.step(0); }, "a reservation by number names no nodes");
}

TEST(Controller, CountsNodesUntilAJobSharesOne) {
  ControllerBench bench(group_of(2, 4, Supply::permanent));
  bench.arrive(nodes_for(2, 4, kHour));
  bench.step(0);
  EXPECT_TRUE(bench.cluster().counts()) << "whole nodes";
  bench.arrive(nodes_for(1, 3, kHour));
  bench.step(kSecond);
  EXPECT_FALSE(bench.cluster().counts()) << "a part of a node";
}

TEST(Controller, StopsASchedulerThatReservesForJobsThatDoNotWaitOrInThePast) {
  const std::string promise = "a reservation is for a pending job";
  wrong_plan([](const View&, Plan& plan) { return plan.reserve(JobId{0}, 2 * kHour, Shares{on(1, 4)}), kNever; },
             promise);
  wrong_plan([](const View&, Plan& plan) { return plan.reserve(JobId{1}, 0, Shares{on(1, 4)}), kNever; }, promise);
  wrong_plan([](const View&, Plan& plan) { return plan.reserve(JobId{1}, kNever, Shares{on(1, 4)}), kNever; }, promise);
  wrong_plan([](const View&, Plan& plan) { return plan.drop_reservation(JobId{1}), kNever; },
             "only a reservation that exists is dropped");
  wrong_plan([](const View&, Plan& plan) { return plan.drop_reservation(JobId{0}), kNever; },
             "only a reservation that exists is dropped");
}

TEST(Controller, StopsASchedulerThatUsesANodeOnItsWayDown) {
  ClusterSpec spec = group_of(2, 4, Supply::dynamic);
  spec.suspend_timeout = kMinute;
  ControllerBench bench(spec);
  const JobId job = bench.submit(0, nodes_for(1, 4, kHour));
  bench.ready(0);
  bench.step(kSecond);
  bench.finish(job);
  bench.scale = [](const View&, std::span<const NodeId> idle, ScalePlan& plan) {
    plan.terminate(idle);
    return kNever;
  };
  bench.step(2 * kSecond);
  bench.schedule = [](const View&, Plan& plan) { return plan.start(JobId{1}, Shares{on(0, 4)}), kNever; };
  bench.arrive(cores_for(4, kHour));
  expect_bug([&] { bench.step(3 * kSecond); }, "a node that is down, or on its way, takes no job");
}

// Whole allocations only: one node named twice is one node.
TEST(Controller, StopsASchedulerThatNamesOneNodeTwice) {
  ControllerBench bench(group_of(2, 4, Supply::permanent));
  bench.schedule = [](const View&, Plan& plan) { return plan.start(JobId{0}, Shares{on(0, 1), on(0, 1)}), kNever; };
  bench.arrive(nodes_for(2, 1, kHour));
  EXPECT_THROW(bench.step(0), Bug);
}

TEST(Controller, StopsASchedulerThatUsesNodesOfAnotherQueue) {
  ClusterSpec spec = group_of(1, 4, Supply::permanent);
  spec.groups.push_back({1, 4, Supply::permanent, 1});
  spec.queues.push_back({{GroupId{1}}});
  ControllerBench bench(spec);
  bench.schedule = [](const View&, Plan& plan) { return plan.start(JobId{0}, Shares{on(1, 4)}), kNever; };
  bench.arrive(in_queue(0, cores_for(4, kHour)));
  EXPECT_THROW(bench.step(0), Bug);
}

TEST(Controller, StopsAScalerThatLaunchesANodeTwice) {
  ControllerBench bench(group_of(2, 4, Supply::dynamic));
  bench.scale = [](const View&, std::span<const NodeId>, ScalePlan& plan) {
    const NodeId node{0};
    plan.launch(std::span(&node, 1));
    plan.launch(std::span(&node, 1));
    return kNever;
  };
  expect_bug([&] { bench.step(0); }, "only a powered-down node is launched, or one that waits for an instance");
}

TEST(Controller, StopsAScalerThatLaunchesHardwareThatIsThere) {
  ControllerBench bench(group_of(2, 4, Supply::permanent));
  bench.scale = [](const View&, std::span<const NodeId>, ScalePlan& plan) {
    const NodeId node{0};
    plan.launch(std::span(&node, 1));
    return kNever;
  };
  expect_bug([&] { bench.step(0); }, "only a powered-down node is launched, or one that waits for an instance");
}

TEST(Controller, StopsAScalerThatMixesGroupsOrNamesNoNodes) {
  ClusterSpec spec = group_of(1, 4, Supply::dynamic);
  spec.groups.push_back({1, 4, Supply::dynamic, 1});
  ControllerBench mixed(spec);
  mixed.scale = [](const View&, std::span<const NodeId>, ScalePlan& plan) {
    const NodeId nodes[] = {NodeId{0}, NodeId{1}};
    plan.launch(nodes);
    return kNever;
  };
  expect_bug([&] { mixed.step(0); }, "one power command is about one group");
  ControllerBench none(spec);
  none.scale = [](const View&, std::span<const NodeId>, ScalePlan& plan) {
    plan.launch({});
    return kNever;
  };
  expect_bug([&] { none.step(0); }, "a power command names its nodes");
}

TEST(Controller, StopsAScalerThatTerminatesNodesThatAreNotUpAndIdle) {
  // Node 0 works, node 1 boots, node 2 is down; 3 is up, and idle from now on.
  for (const std::uint32_t victim : {0u, 1u, 2u, 3u}) {
    ControllerBench bench(group_of(4, 4, Supply::dynamic));
    bench.schedule = [](const View& view, Plan& plan) {
      if (view.now() > 0) return kNever;
      plan.start(JobId{0}, Shares{on(0, 4)});
      plan.start(JobId{1}, Shares{on(1, 4)});
      plan.start(JobId{2}, Shares{on(3, 4)});
      return kNever;
    };
    for (int i = 0; i < 3; ++i) bench.arrive(cores_for(4, kHour));
    bench.step(0);
    bench.ready(0);
    bench.ready(3);
    bench.step(kMinute);
    bench.scale = [&](const View&, std::span<const NodeId>, ScalePlan& plan) {
      const NodeId node{victim};
      plan.terminate(std::span(&node, 1));
      return kNever;
    };
    bench.finish(JobId{2});
    if (victim == 3) {
      EXPECT_NO_THROW(bench.step(2 * kMinute));
      EXPECT_EQ(bench.node(3), NodeState::powering_down);
    } else {
      expect_bug([&] { bench.step(2 * kMinute); }, "only an idle node is taken down");
    }
  }
}

// --- a world that is wrong is stopped ---

TEST(Controller, StopsWhenTimeRunsBackwards) {
  ControllerBench bench(group_of(1, 4, Supply::permanent));
  bench.step(kMinute);
  EXPECT_NO_THROW(bench.step(kMinute));
  expect_bug([&] { bench.step(kMinute - 1); }, "time does not run backwards");
}

TEST(Controller, StopsAPolicyThatAsksForItselfAtOneInstantForEver) {
  ControllerBench bench(group_of(1, 4, Supply::permanent));
  bench.schedule = [](const View& view, Plan&) { return view.now(); };
  bench.arrive(cores_for(1, kHour));
  Time wake = bench.step(kSecond);
  expect_bug(
      [&] {
        for (int i = 0; i < 100'000; ++i) {
          ASSERT_EQ(wake, kSecond);
          wake = bench.step(wake);
        }
      },
      "the core settles at every instant");
}

TEST(Controller, TakesAnyNumberOfNewsAtOneInstant) {
  ControllerBench bench(group_of(1, 4, Supply::permanent));
  for (int i = 0; i < 5000; ++i) bench.submit(kSecond, cores_for(1, kHour));
  EXPECT_EQ(bench.controller().active_jobs(), 5000u);
}

TEST(Controller, StopsOnNewsThatCannotBe) {
  const auto dynamic = group_of(1, 4, Supply::dynamic);
  const auto after_start = [&](const auto& tell, const std::string& promise) {
    ControllerBench bench(dynamic);
    bench.submit(0, cores_for(1, kHour));
    bench.ready(0);
    bench.step(kSecond);
    tell(bench);
    expect_bug([&] { bench.step(kMinute); }, promise);
  };
  after_start([](ControllerBench& b) { b.tell(Stimulus::Kind::node_ready, 0); }, "only a node that was launched");
  after_start([](ControllerBench& b) { b.tell(Stimulus::Kind::instance_running, 0); },
              "an instance runs after its launch");
  after_start([](ControllerBench& b) { b.gone(0); }, "after its termination was asked for");
  after_start(
      [](ControllerBench& b) {
        b.finish(JobId{0});
        b.finish(JobId{0});
      },
      "state machine");
  after_start([](ControllerBench& b) { b.arrive(cores_for(0, kHour)); }, "a request is well formed");
  after_start([](ControllerBench& b) { b.arrive(cores_for(1, 0)); }, "a request is well formed");
  after_start([](ControllerBench& b) { b.arrive(in_queue(1, cores_for(1, kHour))); }, "a request is well formed");
  after_start([](ControllerBench& b) { b.tell(Stimulus::Kind::job_arrived, 1); }, "every arrival brings its request");
}

TEST(Controller, StopsOnAJobThatEndsBeforeItRuns) {
  ControllerBench bench(group_of(1, 4, Supply::dynamic));
  const JobId job = bench.submit(0, cores_for(1, kHour));
  ASSERT_EQ(bench.state(job), JobState::configuring);
  bench.finish(job);
  expect_bug([&] { bench.step(kSecond); }, "state machine");
}

TEST(Controller, StopsOnArrivalsOutOfOrder) {
  ControllerBench bench(group_of(1, 4, Supply::permanent));
  bench.arrive(cores_for(1, kHour));
  bench.step(0);
  ScriptedScheduler::Script script;
  Controller controller(group_of(1, 4, Supply::permanent), std::make_unique<ScriptedScheduler>(script), nullptr);
  News news;
  news.stimuli.push_back({Stimulus::Kind::job_arrived, 1, 0});
  news.arrivals.push_back(cores_for(1, kHour));
  Commands commands;
  expect_bug([&] { controller.step(0, news, commands); }, "jobs are numbered in order of arrival");
}

TEST(Controller, NeedsASchedulingPolicy) {
  expect_bug([] { const Controller controller(group_of(1, 4, Supply::permanent), nullptr, nullptr); },
             "a cluster has a scheduling policy");
}

// A damaged journal may name any number: the core must say so, not read beyond its tables.
TEST(Controller, StopsOnNewsOfJobsAndNodesThatDoNotExist) {
  for (std::uint32_t kind = 1; kind < kStimulusKinds; ++kind) {
    // Their subjects are not jobs or nodes.
    if (static_cast<Stimulus::Kind>(kind) == Stimulus::Kind::updated) continue;
    if (static_cast<Stimulus::Kind>(kind) == Stimulus::Kind::cluster_changed) continue;
    if (static_cast<Stimulus::Kind>(kind) == Stimulus::Kind::budget_reached) continue;
    for (const bool keeps_time : {false, true}) {
      ControllerBench bench(group_of(1, 4, Supply::dynamic), nullptr, keeps_time, keeps_time);
      bench.tell(static_cast<Stimulus::Kind>(kind), 4'000'000'000u);
      expect_bug([&] { bench.step(0); }, "news is about a job or a node that exists");
    }
  }
}

// The state machine lets a job that waits or configures be cancelled, and news.hpp says that it can be.
TEST(Controller, LetsAWaitingJobBeCancelled) {
  ControllerBench bench(group_of(1, 4, Supply::permanent));
  bench.submit(0, cores_for(4, kHour));
  const JobId waiting = bench.submit(0, cores_for(4, kHour));
  bench.finish(waiting, Outcome::cancelled);
  EXPECT_NO_THROW(bench.step(kSecond));
  EXPECT_EQ(bench.state(waiting), JobState::cancelled);
  EXPECT_EQ(bench.controller().active_jobs(), 1u);
}

TEST(Controller, LetsAConfiguringJobBeCancelled) {
  ControllerBench bench(group_of(1, 4, Supply::dynamic));
  const JobId job = bench.submit(0, cores_for(4, kHour));
  bench.finish(job, Outcome::cancelled);
  EXPECT_NO_THROW(bench.step(kSecond));
  bench.ready(0);
  EXPECT_NO_THROW(bench.step(kMinute));
  EXPECT_EQ(bench.state(job), JobState::cancelled);
}

// --- the loop ---

// A world that only repeats the time it is asked for, some times.
struct EchoWorld {
  int left = 3;
  std::vector<Time> times;
  Time origin() const { return 7; }
  std::optional<Time> wait(Time wake, News& news) {
    news.clear();
    if (left-- == 0) return std::nullopt;
    return wake;
  }
  void carry_out(Time now, const Commands&) { times.push_back(now); }
};

TEST(Loop, BeginsAtTheOriginAndSaysWhereABugWas) {
  ScriptedScheduler::Script script;
  ScriptedScaler::Script scale = [](const View& view, std::span<const NodeId>, ScalePlan&) -> Time {
    if (view.now() > 7) throw Bug("broken");
    return view.now() + 5 * kSecond;
  };
  Controller controller(group_of(1, 4, Supply::dynamic), std::make_unique<ScriptedScheduler>(script),
                        std::make_unique<ScriptedScaler>(scale));
  EchoWorld world;
  expect_bug([&] { run(world, controller); }, "broken (step 1, time 5 s)");
  EXPECT_THAT(world.times, ElementsAre(7));
}

}  // namespace
}  // namespace headroom
