// The core under a policy that keeps time itself, as Slurm's controller does: configuring jobs run, and jobs over their
// limit end, when it says so; it requeues, rejects, and takes nodes out of use.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/report/summary.hpp"
#include "tests/unit/controller_bench.hpp"
#include "tests/unit/draw.hpp"

namespace headroom {
namespace {

using Kind = Command::Kind;
using Shares = std::vector<NodeShare>;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

NodeShare on(std::uint32_t node, std::int32_t cores) { return {NodeId{node}, cores}; }

template <class Act>
void expect_bug(Act act, const std::string& promise) {
  try {
    act();
    ADD_FAILURE() << "no Bug: " << promise;
  } catch (const Bug& bug) {
    EXPECT_THAT(bug.what(), HasSubstr(promise));
  }
}

ClusterSpec group_of(std::int32_t nodes, std::int32_t cores, Supply supply) {
  ClusterSpec spec;
  spec.groups.push_back({nodes, cores, supply, 1});
  spec.queues.push_back({{GroupId{0}}});
  return spec;
}

// Policies that do at one step what the test says, and nothing else. Every step audits the books.
class Keeper {
 public:
  using Act = std::function<void(const View&, Plan&)>;
  using ScaleAct = std::function<void(const View&, ScalePlan&)>;
  ControllerBench bench;
  int calls = 0;  // of the scheduling policy

  explicit Keeper(const ClusterSpec& spec) : bench(spec, nullptr, true, true) {
    bench.schedule = [this](const View& view, Plan& plan) {
      ++calls;
      if (act_) std::exchange(act_, {})(view, plan);
      return wake;
    };
    bench.scale = [this](const View& view, std::span<const NodeId>, ScalePlan& plan) {
      if (scale_act_) std::exchange(scale_act_, {})(view, plan);
      return Time{0};  // called in every step
    };
    bench.tell(Stimulus::Kind::node_back, 0);  // the first call comes with the first news
    bench.step(0);
  }
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  Time wake = 0;  // what the policy returns: it is called in every step

  // A step in which the policies do this.
  Time at(Time now, Act act = {}, ScaleAct scale_act = {}) {
    act_ = std::move(act);
    scale_act_ = std::move(scale_act);
    const Time next = bench.step(now);
    EXPECT_FALSE(act_) << "the scheduling policy was not called";
    EXPECT_FALSE(scale_act_) << "the scaling policy was not called";
    bench.cluster().audit();
    return next;
  }
  // A job that arrives and gets these nodes at once.
  JobId start(Time now, const JobRequest& request, const Shares& nodes) {
    const JobId job = bench.arrive(request);
    at(now, [&](const View&, Plan& plan) { plan.start(job, nodes); });
    return job;
  }
  void launch(Time now, std::uint32_t node) {
    at(now, {}, [&](const View&, ScalePlan& plan) {
      const NodeId id{node};
      plan.launch(std::span(&id, 1));
    });
  }
  // The last step's commands about jobs: kind, job, detail.
  std::vector<std::tuple<Kind, std::uint32_t, std::uint32_t>> told() const {
    std::vector<std::tuple<Kind, std::uint32_t, std::uint32_t>> list;
    for (const Command& c : bench.commands.list) list.emplace_back(c.kind, c.subject, c.detail);
    return list;
  }
  std::vector<std::uint32_t> waiting(std::uint32_t queue = 0) {
    std::vector<std::uint32_t> jobs;
    at(bench_now(), [&](const View& view, Plan&) {
      const PendingQueue& pending = view.pending(QueueId{queue});
      for (auto p = pending.front(); p != PendingQueue::kEnd; p = pending.next(p + 1)) {
        jobs.push_back(number(pending.job_at(p)));
      }
    });
    return jobs;
  }

 private:
  // Far behind everything else that tests do; they look at queues last.
  static Time bench_now() { return 1000 * kHour; }
  Act act_;
  ScaleAct scale_act_;
};

constexpr std::uint32_t of(Outcome outcome) { return static_cast<std::uint32_t>(outcome); }

// --- who starts and ends jobs ---

TEST(TimeKeeping, RunsAConfiguringJobWhenThePolicySaysSo) {
  Keeper k(group_of(2, 4, Supply::dynamic));
  const JobId job = k.start(0, nodes_for(2, 4, kMinute), {on(0, 4), on(1, 4)});
  EXPECT_THAT(k.told(), ElementsAre(std::tuple(Kind::allocate_job, 0u, 0u)));
  EXPECT_EQ(k.bench.cluster().claim(job).until, kNever) << "nobody knows when its nodes come back";
  k.launch(0, 0);
  k.launch(0, 1);
  k.bench.ready(0);
  k.at(30 * kSecond);
  expect_bug([&] { k.at(31 * kSecond, [&](const View&, Plan& plan) { plan.run(job); }); }, "all its nodes are up");

  Keeper again(group_of(2, 4, Supply::dynamic));
  again.start(0, nodes_for(2, 4, kMinute), {on(0, 4), on(1, 4)});
  again.launch(0, 0);
  again.launch(0, 1);
  again.bench.ready(0);
  again.bench.ready(1);
  std::vector<NodeId> registered;
  again.at(2 * kHour, [&](const View& view, Plan&) {
    registered.assign(view.changes().registered.begin(), view.changes().registered.end());
  });
  EXPECT_THAT(registered, ElementsAre(NodeId{0}, NodeId{1}));
  EXPECT_EQ(again.bench.state(job), JobState::configuring) << "however long its nodes are up";
  EXPECT_THAT(again.told(), IsEmpty());
  again.at(3 * kHour, [&](const View&, Plan& plan) { plan.run(job); });
  EXPECT_EQ(again.bench.state(job), JobState::running);
  ASSERT_THAT(again.told(), ElementsAre(std::tuple(Kind::start_job, 0u, 0u)));
  EXPECT_THAT(again.bench.nodes_told(Kind::start_job), ElementsAre(0, 1));
  expect_bug([&] { again.at(3 * kHour, [&](const View&, Plan& plan) { plan.run(job); }); }, "does not run yet");
}

TEST(TimeKeeping, LetsJobsOutliveTheirLimit) {
  Keeper k(group_of(1, 4, Supply::permanent));
  const JobId job = k.start(0, cores_for(4, kMinute), {on(0, 4)});
  EXPECT_EQ(k.bench.state(job), JobState::running) << "its nodes are up";
  k.at(10 * kHour);
  k.bench.finish(job);
  k.at(20 * kHour);
  EXPECT_EQ(k.bench.state(job), JobState::completed);
}

TEST(TimeKeeping, HoldsTheNodesOfAStoppedJobUntilItsProcessesAreGone) {
  Keeper k(group_of(1, 4, Supply::permanent));
  const JobId job = k.start(0, cores_for(4, kMinute), {on(0, 4)});
  k.at(90 * kSecond, [&](const View&, Plan& plan) { plan.stop(job, Outcome::timed_out); });
  EXPECT_THAT(k.told(), ElementsAre(std::tuple(Kind::stop_job, 0u, of(Outcome::timed_out))));
  EXPECT_EQ(k.bench.state(job), JobState::completing);
  EXPECT_EQ(k.bench.cluster().jobs_on(NodeId{0}), 1);
  EXPECT_EQ(k.bench.controller().active_jobs(), 1u);
  k.bench.finish(job, Outcome::timed_out);
  std::vector<JobId> over;
  k.at(100 * kSecond, [&](const View& view, Plan&) {
    EXPECT_TRUE(view.changes().ended);
    over.assign(view.changes().over.begin(), view.changes().over.end());
  });
  EXPECT_THAT(over, ElementsAre(job));
  EXPECT_EQ(k.bench.state(job), JobState::timed_out);
  EXPECT_EQ(k.bench.cluster().jobs_on(NodeId{0}), 0);
  EXPECT_EQ(k.bench.controller().active_jobs(), 0u);
  expect_bug([&] { k.at(100 * kSecond, [&](const View&, Plan& plan) { plan.stop(job, Outcome::cancelled); }); },
             "state machine");
}

TEST(TimeKeeping, JudgesHowAJobCountsThatEndedByItself) {
  Keeper k(group_of(1, 4, Supply::permanent));
  const JobId late = k.start(0, cores_for(1, kMinute), {on(0, 1)});
  const JobId sound = k.start(0, cores_for(1, kHour), {on(0, 1)});
  std::vector<JobId> asked;
  k.bench.judge = [&](const View& view, JobId job, Outcome outcome) {
    asked.push_back(job);
    EXPECT_EQ(view.jobs().state(job), JobState::running) << "as it was";
    EXPECT_EQ(view.pending(QueueId{0}).size(), 0u) << "everything can be looked at";
    EXPECT_FALSE(view.changes().disturbed);
    return view.now() > view.jobs().request(job).limit ? Outcome::timed_out : outcome;
  };
  k.bench.finish(late);
  k.bench.finish(sound, Outcome::failed);
  k.at(2 * kMinute);
  EXPECT_THAT(asked, ElementsAre(late, sound));
  EXPECT_EQ(k.bench.state(late), JobState::timed_out);
  EXPECT_EQ(k.bench.state(sound), JobState::failed);
  EXPECT_THAT(k.told(), ElementsAre(std::tuple(Kind::end_job, number(late), of(Outcome::timed_out))))
      << "told only where it differs";
}

TEST(TimeKeeping, EndsJobsAtOnceWhateverTheyDo) {
  Keeper k(group_of(3, 4, Supply::dynamic));
  const JobId configuring = k.start(0, nodes_for(2, 4, kHour), {on(0, 4), on(1, 4)});
  const JobId running = k.start(0, nodes_for(1, 2, kHour), {on(2, 2)});
  const JobId completing = k.start(0, nodes_for(1, 2, kHour), {on(2, 2)});
  const JobId pending = k.bench.arrive(cores_for(1, kHour));
  k.launch(0, 0);
  k.launch(0, 2);
  k.bench.ready(2);
  k.at(kMinute, [&](const View&, Plan& plan) {
    plan.run(running);
    plan.run(completing);
    plan.stop(completing, Outcome::cancelled);
  });
  EXPECT_EQ(k.bench.controller().active_jobs(), 4u);
  k.at(2 * kMinute, [&](const View&, Plan& plan) {
    plan.end(configuring, Outcome::node_failed);
    plan.end(running, Outcome::node_failed);
    plan.end(completing, Outcome::timed_out);
    plan.end(pending, Outcome::cancelled);
  });
  EXPECT_EQ(k.bench.state(configuring), JobState::node_failed);
  EXPECT_EQ(k.bench.state(running), JobState::node_failed);
  EXPECT_EQ(k.bench.state(completing), JobState::timed_out);
  EXPECT_EQ(k.bench.state(pending), JobState::cancelled);
  EXPECT_THAT(k.told(), ElementsAre(std::tuple(Kind::end_job, number(configuring), of(Outcome::node_failed)),
                                    std::tuple(Kind::end_job, number(running), of(Outcome::node_failed)),
                                    std::tuple(Kind::end_job, number(completing), of(Outcome::timed_out)),
                                    std::tuple(Kind::end_job, number(pending), of(Outcome::cancelled))));
  EXPECT_EQ(k.bench.controller().active_jobs(), 0u);
  EXPECT_THAT(k.bench.cluster().wanted(), IsEmpty()) << "nobody waits for node 1 any more";
  k.bench.ready(0);
  k.at(3 * kMinute);
  for (std::uint32_t n = 0; n < 3; ++n) EXPECT_EQ(k.bench.cluster().jobs_on(NodeId{n}), 0);
  expect_bug([&] { k.at(kHour, [&](const View&, Plan& plan) { plan.end(pending, Outcome::cancelled); }); },
             "state machine");
}

TEST(TimeKeeping, ForgetsTheReservationOfAJobThatIsEnded) {
  ClusterSpec spec = group_of(1, 4, Supply::permanent);
  spec.groups.push_back(spec.groups.front());
  spec.queues.front().groups.push_back(GroupId{1});
  Keeper k(spec);
  const JobId job = k.bench.arrive(exclusive(nodes_for(2, 4, kHour)));
  k.at(0, [&](const View&, Plan& plan) { plan.reserve(job, kMinute, {}); });
  EXPECT_EQ(k.bench.cluster().free_cores(QueueId{0}).free_at(kMinute), 0);
  k.at(kSecond, [&](const View&, Plan& plan) { plan.end(job, Outcome::cancelled); });
  EXPECT_EQ(k.bench.cluster().free_cores(QueueId{0}).free_at(kMinute), 8);
}

// --- requeues ---

TEST(TimeKeeping, RequeuesJobsIntoTheirOldPlace) {
  Keeper k(group_of(3, 4, Supply::dynamic));
  const JobId configuring = k.start(0, nodes_for(2, 4, kHour), {on(0, 4), on(1, 4)});
  const JobId running = k.start(0, nodes_for(1, 2, kHour), {on(2, 2)});
  const JobId before = k.bench.arrive(cores_for(1, kHour));
  const JobId completing = k.start(0, nodes_for(1, 2, kHour), {on(2, 2)});
  const JobId last = k.bench.arrive(cores_for(1, kHour));
  k.launch(0, 2);
  k.launch(0, 0);
  k.bench.ready(2);
  k.at(kMinute, [&](const View&, Plan& plan) {
    plan.run(running);
    plan.run(completing);
    plan.stop(completing, Outcome::cancelled);
  });
  k.at(2 * kMinute, [&](const View& view, Plan& plan) {
    plan.requeue(completing);
    plan.requeue(running);
    plan.requeue(configuring);
    EXPECT_EQ(view.pending(QueueId{0}).size(), 5u) << "at once";
    EXPECT_EQ(view.cluster().jobs_on(NodeId{0}), 0);
  });
  EXPECT_THAT(k.told(), ElementsAre(std::tuple(Kind::requeue_job, number(completing), 0u),
                                    std::tuple(Kind::requeue_job, number(running), 0u),
                                    std::tuple(Kind::requeue_job, number(configuring), 0u)));
  for (const JobId job : {configuring, running, completing}) EXPECT_EQ(k.bench.state(job), JobState::pending);
  EXPECT_EQ(k.bench.controller().active_jobs(), 5u);
  EXPECT_EQ(k.bench.cluster().free_cores(QueueId{0}).free_at(2 * kMinute), 12);
  EXPECT_THAT(k.bench.cluster().wanted(), IsEmpty());

  // A second start of each: node 0 still boots, for nobody at first.
  k.at(3 * kMinute, [&](const View&, Plan& plan) { plan.start(configuring, Shares{on(0, 4), on(2, 4)}); });
  EXPECT_EQ(k.bench.state(configuring), JobState::configuring);
  k.bench.ready(0);
  k.at(4 * kMinute, [&](const View&, Plan& plan) { plan.run(configuring); });
  EXPECT_EQ(k.bench.state(configuring), JobState::running);
  k.bench.finish(configuring);
  k.at(5 * kMinute, [&](const View&, Plan& plan) { plan.start(completing, Shares{on(0, 2)}); });
  EXPECT_EQ(k.bench.state(completing), JobState::running);
  EXPECT_EQ(k.waiting(), (std::vector<std::uint32_t>{number(running), number(before), number(last)}));
}

TEST(TimeKeeping, RequeuesOnlyWhatHoldsNodes) {
  const auto requeue = [](Keeper& k, JobId job) {
    expect_bug([&] { k.at(kMinute, [&](const View&, Plan& plan) { plan.requeue(job); }); }, "state machine");
  };
  Keeper k(group_of(1, 4, Supply::permanent));
  requeue(k, k.bench.arrive(cores_for(1, kHour)));
  Keeper over(group_of(1, 4, Supply::permanent));
  const JobId job = over.start(0, cores_for(1, kHour), {on(0, 1)});
  over.bench.finish(job);
  over.at(kSecond);
  requeue(over, job);
}

// --- arrivals ---

TEST(TimeKeeping, RejectsWhatArrivesWhereThePolicySaysSo) {
  ClusterSpec spec = group_of(2, 4, Supply::permanent);
  spec.job_limit = 2;
  Keeper k(spec);
  const JobId wide = k.bench.arrive(cores_for(99, kHour));
  const JobId sound = k.bench.arrive(cores_for(8, kHour));
  const JobId over_the_limit = k.bench.arrive(cores_for(1, kHour));
  k.at(0, [&](const View& view, Plan& plan) {
    EXPECT_THAT(view.changes().arrivals, ElementsAre(wide, sound));
    plan.reject(wide, Rejection::memory);
    EXPECT_EQ(view.pending(QueueId{0}).size(), 1u);
  });
  EXPECT_THAT(k.told(), ElementsAre(std::tuple(Kind::reject_job, number(over_the_limit), 0u),
                                    std::tuple(Kind::reject_job, number(wide), 2u)));
  EXPECT_EQ(k.bench.state(wide), JobState::rejected);
  EXPECT_EQ(k.bench.controller().active_jobs(), 1u);
  expect_bug([&] { k.at(1, [&](const View&, Plan& plan) { plan.reject(sound, Rejection::memory); }); },
             "rejected when it arrives");
}

// The policy refuses what fits nowhere; until it did, such a job waits, and no number of it overflows.
TEST(TimeKeeping, LetsJobsWaitThatFitNowhere) {
  constexpr std::int32_t kHuge = std::numeric_limits<std::int32_t>::max();
  for (const bool shared : {false, true}) {
    ClusterSpec spec = group_of(2, 4, Supply::permanent);
    spec.queues.emplace_back();  // a queue without groups
    if (shared) spec.queues.push_back(spec.queues.front());
    for (const std::uint32_t queue : {0u, 1u}) {
      for (JobRequest request :
           {nodes_for(kHuge, kHuge, kHour), exclusive(nodes_for(kHuge, kHuge, kHour)), cores_for(kHuge, kHour),
            exclusive(cores_for(kHuge, kHour)), exclusive(nodes_for(3, 5, kHour)), exclusive(cores_for(1, kHour))}) {
        for (const bool spread : {false, true}) {
          request.spread = spread;
          Keeper k(spec);
          const JobId job = k.bench.arrive(in_queue(queue, request));
          k.at(0);
          EXPECT_EQ(k.bench.state(job), JobState::pending);
          std::vector<NodeShare> nodes;
          const bool fits = queue == 0 && request.cores == 1;
          EXPECT_EQ(k.bench.cluster().place(in_queue(queue, request), 0, nodes), fits);
          k.at(kSecond, [&](const View& view, Plan& plan) {
            EXPECT_NE(view.pending(QueueId{queue}).front(), PendingQueue::kEnd);
            plan.end(job, Outcome::cancelled);
          });
          EXPECT_EQ(k.bench.state(job), JobState::cancelled);
        }
      }
    }
  }
}

TEST(TimeKeeping, HandsTermsToThePolicy) {
  Keeper k(group_of(1, 4, Supply::permanent));
  JobTerms a;
  a.priority = 7;
  JobTerms b;
  b.dependencies.push_back({Dependency::Kind::after_ok, JobId{0}, 0});
  k.bench.arrive(cores_for(1, kHour), a);
  k.bench.arrive(cores_for(1, kHour));
  k.at(0);
  k.bench.arrive(cores_for(1, kHour));
  k.bench.arrive(cores_for(1, kHour), b);
  k.at(1, [&](const View& view, Plan&) {
    EXPECT_EQ(view.jobs().terms(JobId{0}), a);
    EXPECT_EQ(view.jobs().terms(JobId{1}), JobTerms());
    EXPECT_EQ(view.jobs().terms(JobId{2}), JobTerms());
    EXPECT_EQ(view.jobs().terms(JobId{3}), b);
  });
}

TEST(TimeKeeping, RefusesTermsThatAreNotThereAndRequestsThatCannotBe) {
  Keeper k(group_of(1, 4, Supply::permanent));
  JobRequest request = cores_for(1, kHour);
  request.terms = 1;
  k.bench.arrive(request);
  expect_bug([&] { k.at(0); }, "a request's terms come with it");
  Keeper negative(group_of(1, 4, Supply::permanent));
  request.terms = 0;
  request.memory = -1;
  negative.bench.arrive(request);
  expect_bug([&] { negative.at(0); }, "a request is well formed");
}

TEST(TimeKeeping, IsAskedOfPoliciesThatGetTermsOrNewsFromOutside) {
  const auto refused = [](const auto& tell, const std::string& promise) {
    ControllerBench bench(group_of(1, 4, Supply::permanent));
    bench.submit(0, cores_for(1, kHour));
    tell(bench);
    expect_bug([&] { bench.step(1); }, promise);
  };
  refused([](ControllerBench& b) { b.arrive(cores_for(1, kHour), JobTerms()); }, "only a policy that keeps time");
  refused(
      [](ControllerBench& b) {
        JobRequest request = nodes_for(1, 1, kHour);
        request.spread = true;
        b.arrive(request);
      },
      "only a policy that keeps time");
  refused([](ControllerBench& b) { b.tell(Stimulus::Kind::node_lost, 0); }, "only a policy that keeps time");
  refused([](ControllerBench& b) { b.tell(Stimulus::Kind::job_asked, 0); }, "only a policy that keeps time");
  const auto planned = [&](const auto& act) {
    refused(
        [&](ControllerBench& b) {
          b.schedule = [&](const View&, Plan& plan) { return act(plan), kNever; };
          b.arrive(cores_for(1, kHour));
        },
        "a policy that keeps time");
  };
  planned([](Plan& plan) { plan.reject(JobId{1}, Rejection::memory); });
  planned([](Plan& plan) { plan.run(JobId{0}); });
  planned([](Plan& plan) { plan.stop(JobId{0}, Outcome::cancelled); });
  planned([](Plan& plan) { plan.end(JobId{0}, Outcome::cancelled); });
  planned([](Plan& plan) { plan.requeue(JobId{0}); });
  planned([](Plan& plan) { plan.set_down(NodeId{0}); });
}

// --- news from outside ---

TEST(TimeKeeping, HearsOfRequestsInTheOrderInWhichTheyCame) {
  Keeper k(group_of(2, 4, Supply::permanent));
  k.bench.arrive(cores_for(1, kHour));
  k.at(0);
  k.bench.tell(Stimulus::Kind::node_asked, 1, static_cast<std::uint32_t>(NodeAction::drain));
  k.bench.tell(Stimulus::Kind::job_asked, 0, static_cast<std::uint32_t>(JobAction::hold));
  k.bench.tell(Stimulus::Kind::node_lost, 0);
  k.wake = kNever;
  std::vector<Stimulus> asked;
  k.at(1, [&](const View& view, Plan&) { asked.assign(view.changes().asked.begin(), view.changes().asked.end()); });
  EXPECT_THAT(asked, ElementsAre(Stimulus{Stimulus::Kind::node_asked, 1, 4}, Stimulus{Stimulus::Kind::job_asked, 0, 1},
                                 Stimulus{Stimulus::Kind::node_lost, 0, 0}));
  k.wake = 0;
  k.bench.tell(Stimulus::Kind::node_back, 0);
  k.at(2, [&](const View& view, Plan&) { EXPECT_EQ(view.changes().asked.size(), 1u); });
}

// scancel in the second of the submission: whatever the order of the news, the job is there.
TEST(TimeKeeping, HearsOfRequestsAboutJobsThatArriveAtTheSameInstant) {
  Keeper k(group_of(1, 4, Supply::permanent));
  k.bench.tell(Stimulus::Kind::job_asked, 0, static_cast<std::uint32_t>(JobAction::cancel));
  const JobId job = k.bench.arrive(cores_for(1, kHour));
  k.at(0, [&](const View& view, Plan& plan) {
    ASSERT_EQ(view.changes().asked.size(), 1u);
    plan.end(JobId{view.changes().asked[0].subject}, Outcome::cancelled);
  });
  EXPECT_EQ(k.bench.state(job), JobState::cancelled);
}

// --- nodes out of use ---

TEST(TimeKeeping, TakesNodesOutOfUseAndBack) {
  for (const bool shared : {false, true}) {  // reservations by number, and by name
    SCOPED_TRACE(shared);
    ClusterSpec spec = group_of(2, 4, Supply::permanent);
    if (shared) spec.queues.push_back(spec.queues.front());
    Keeper k(spec);
    const Cluster& cluster = k.bench.cluster();
    std::vector<NodeShare> nodes;
    k.at(0, [&](const View&, Plan& plan) { plan.set_down(NodeId{0}); });
    EXPECT_TRUE(cluster.is_down(NodeId{0}));
    EXPECT_EQ(cluster.free_cores(QueueId{0}).free_at(kHour), 4);
    ASSERT_TRUE(cluster.place(nodes_for(1, 4, kHour), 0, nodes));
    EXPECT_THAT(nodes, ElementsAre(on(1, 4)));
    EXPECT_FALSE(cluster.place(nodes_for(2, 1, kHour), 0, nodes));
    expect_bug(
        [&] {
          Keeper x(spec);
          x.at(0, [](const View&, Plan& p) { p.set_usable(NodeId{0}); });
        },
        "only a node that is down");
    k.at(kHour, [&](const View&, Plan& plan) { plan.set_usable(NodeId{0}); });
    EXPECT_FALSE(cluster.is_down(NodeId{0}));
    EXPECT_EQ(cluster.free_cores(QueueId{0}).free_at(kHour), 8);
    EXPECT_TRUE(cluster.place(nodes_for(2, 4, kHour), kHour, nodes));
    k.at(2 * kHour, [&](const View&, Plan& plan) { plan.set_down(NodeId{1}); });
    expect_bug([&] { k.start(3 * kHour, nodes_for(1, 1, kHour), {on(1, 1)}); }, "a node that is down");
  }
}

TEST(TimeKeeping, TakesNoNodeOutOfUseTwiceOrWithJobs) {
  const auto refused = [](const Keeper::Act& first, const Keeper::Act& second) {
    Keeper k(group_of(2, 4, Supply::permanent));
    k.bench.arrive(cores_for(1, kHour));
    k.at(0, first);
    expect_bug([&] { k.at(1, second); }, "a node is down once, and without jobs");
  };
  const Keeper::Act down = [](const View&, Plan& plan) { plan.set_down(NodeId{0}); };
  refused(down, down);
  refused([](const View&, Plan& plan) { plan.start(JobId{0}, Shares{on(0, 1)}); }, down);
}

// The first job that shares nodes ends reservations by number: nodes that are down stay so.
TEST(TimeKeeping, RemembersNodesThatAreDownWhenCountingEnds) {
  Keeper k(group_of(3, 4, Supply::dynamic));
  k.bench.arrive(exclusive(nodes_for(1, 4, kHour)));
  k.at(0, [&](const View&, Plan& plan) {
    plan.start(JobId{0}, Shares{on(2, 4)});
    plan.set_down(NodeId{0});
  });
  k.launch(0, 0);
  k.bench.ready(0);
  k.at(kMinute);
  // Node 0 is down and on its way down.
  k.at(2 * kMinute, {}, [](const View&, ScalePlan& plan) { plan.terminate(std::vector<NodeId>{NodeId{0}}); });
  ASSERT_TRUE(k.bench.cluster().counts());
  k.bench.arrive(nodes_for(1, 1, kHour));
  k.at(3 * kMinute);
  ASSERT_FALSE(k.bench.cluster().counts());
  EXPECT_EQ(k.bench.cluster().free_cores(QueueId{0}).free_at(kHour), 4);
  k.at(4 * kMinute, {}, [](const View&, ScalePlan& plan) { plan.powered_down(NodeId{0}); });
  EXPECT_EQ(k.bench.cluster().free_cores(QueueId{0}).free_at(kHour), 4);
  k.at(5 * kMinute, [](const View&, Plan& plan) { plan.set_usable(NodeId{0}); });
  EXPECT_EQ(k.bench.cluster().free_cores(QueueId{0}).free_at(kHour), 8);
}

// --- power ---

TEST(TimeKeeping, BringsNodesBackWhenTheScalerSettles) {
  for (const bool shared : {false, true}) {
    SCOPED_TRACE(shared);
    ClusterSpec spec = group_of(2, 4, Supply::dynamic);
    spec.suspend_timeout = kMinute;
    if (shared) spec.queues.push_back(spec.queues.front());
    Keeper k(spec);
    k.launch(0, 0);
    k.bench.ready(0);
    k.at(kMinute);
    k.at(2 * kMinute, {}, [](const View&, ScalePlan& plan) { plan.terminate(std::vector<NodeId>{NodeId{0}}); });
    k.bench.gone(0);
    k.at(2 * kMinute);
    k.at(10 * kHour);
    EXPECT_EQ(k.bench.node(0), NodeState::powering_down) << "whatever SuspendTimeout says";
    EXPECT_EQ(k.bench.cluster().free_cores(QueueId{0}).free_at(20 * kHour), 4);
    k.at(11 * kHour, {}, [](const View&, ScalePlan& plan) { plan.powered_down(NodeId{0}); });
    EXPECT_EQ(k.bench.node(0), NodeState::powered_down);
    EXPECT_EQ(k.bench.cluster().free_cores(QueueId{0}).free_at(11 * kHour), 8);
    EXPECT_EQ(k.bench.cluster().instances(), 0);
    expect_bug([&] { k.at(12 * kHour, {}, [](const View&, ScalePlan& plan) { plan.powered_down(NodeId{0}); }); },
               "only a node on its way down gets there");
  }
}

// Power and use are two things: a node that is down may lose its instance, and be usable before that is gone.
TEST(TimeKeeping, PowersDownNodesThatAreOutOfUse) {
  for (const bool shared : {false, true}) {
    for (const bool usable_first : {false, true}) {
      ClusterSpec spec = group_of(2, 4, Supply::dynamic);
      if (shared) spec.queues.push_back(spec.queues.front());
      Keeper k(spec);
      const CapacityProfile& free = k.bench.cluster().free_cores(QueueId{0});
      k.launch(0, 0);
      k.bench.ready(0);
      k.at(kMinute, [](const View&, Plan& plan) { plan.set_down(NodeId{0}); });
      k.at(2 * kMinute, {}, [](const View&, ScalePlan& plan) { plan.terminate(std::vector<NodeId>{NodeId{0}}); });
      EXPECT_EQ(free.free_at(kHour), 4) << "out of use once, not twice";
      const auto use = [&](Time t) { k.at(t, [](const View&, Plan& plan) { plan.set_usable(NodeId{0}); }); };
      const auto settle = [&](Time t) {
        k.at(t, {}, [](const View&, ScalePlan& plan) { plan.powered_down(NodeId{0}); });
      };
      usable_first ? use(3 * kMinute) : settle(3 * kMinute);
      EXPECT_EQ(free.free_at(kHour), 4);
      usable_first ? settle(4 * kMinute) : use(4 * kMinute);
      EXPECT_EQ(free.free_at(kHour), 8);
    }
  }
}

TEST(TimeKeeping, LetsOnlyASettlingScalerSayThatNodesAreDown) {
  ControllerBench bench(group_of(1, 4, Supply::dynamic));
  bench.submit(0, cores_for(1, kHour));
  bench.scale = [](const View&, std::span<const NodeId>, ScalePlan& plan) {
    plan.powered_down(NodeId{0});
    return kNever;
  };
  bench.ready(0);
  bench.finish(JobId{0}, Outcome::cancelled);
  expect_bug([&] { bench.step(kMinute); }, "the scaling policy says when nodes are down, or the controller");
}

// Under a scheduling policy that does not keep time, the news that a node is back must reach it.
TEST(TimeKeeping, TellsOtherPoliciesWhenASettlingScalerBringsANodeBack) {
  ControllerBench bench(group_of(1, 4, Supply::dynamic), nullptr, false, true);
  const JobId first = bench.submit(0, cores_for(4, kHour));
  bench.ready(0);
  bench.step(kMinute);
  bench.scale = [](const View& view, std::span<const NodeId> idle, ScalePlan& plan) {
    if (!idle.empty()) plan.terminate(idle);
    if (view.now() == kHour) plan.powered_down(NodeId{0});
    return kHour;
  };
  bench.finish(first);
  bench.step(2 * kMinute);
  const JobId second = bench.submit(3 * kMinute, cores_for(4, kHour));
  EXPECT_EQ(bench.state(second), JobState::pending);
  bench.gone(0);
  bench.step(4 * kMinute);
  EXPECT_EQ(bench.step(kHour), kHour) << "to be called again at once";
  bench.scale = launch_what_is_wanted;
  bench.step(kHour);
  EXPECT_EQ(bench.state(second), JobState::configuring);
}

TEST(TimeKeeping, GivesUpABootAndCallsThePolicyAtTheSameInstant) {
  Keeper k(group_of(2, 4, Supply::dynamic));
  const JobId job = k.start(0, nodes_for(2, 4, kHour), {on(0, 4), on(1, 4)});
  k.launch(0, 0);
  k.launch(0, 1);
  k.bench.ready(1);
  k.at(kMinute);
  k.wake = kNever;
  const int calls = k.calls;
  EXPECT_EQ(k.at(10 * kMinute, {}, [](const View&, ScalePlan& plan) { plan.give_up(std::vector<NodeId>{NodeId{0}}); }),
            0)
      << "the scaler's own wish";
  EXPECT_THAT(k.bench.nodes_told(Kind::terminate_instances), ElementsAre(0));
  EXPECT_EQ(k.bench.node(0), NodeState::powered_down);
  EXPECT_EQ(k.bench.cluster().instances(), 1);
  EXPECT_EQ(k.bench.state(job), JobState::configuring) << "what becomes of it the policy says";
  EXPECT_THAT(k.bench.cluster().wanted(), IsEmpty()) << "not before the policy has heard of it";
  k.bench.gone(0);
  std::vector<NodeId> given_up;
  k.at(10 * kMinute, [&](const View& view, Plan& plan) {
    given_up.assign(view.changes().given_up.begin(), view.changes().given_up.end());
    plan.requeue(job);
    plan.set_down(NodeId{0});
  });
  EXPECT_THAT(given_up, ElementsAre(NodeId{0}));
  EXPECT_EQ(k.calls, calls + 2) << "the first call was at its own wish";
  EXPECT_EQ(k.bench.state(job), JobState::pending);
  EXPECT_THAT(k.bench.cluster().wanted(), IsEmpty());
  EXPECT_TRUE(k.bench.cluster().is_down(NodeId{0}));
}

TEST(TimeKeeping, CallsThePolicyForAGivenUpBootWithoutOtherNews) {
  ControllerBench bench(group_of(1, 4, Supply::dynamic), nullptr, true, true);
  int calls = 0;
  std::size_t given_up = 0;
  bench.schedule = [&](const View& view, Plan&) {
    ++calls;
    given_up += view.changes().given_up.size();
    return kNever;
  };
  bench.scale = [](const View& view, std::span<const NodeId>, ScalePlan& plan) {
    const std::vector<NodeId> node{NodeId{0}};
    if (view.now() == 0) plan.launch(node);
    if (view.now() == kHour && view.cluster().state(node[0]) == NodeState::powering_up) plan.give_up(node);
    return view.now() < kHour ? kHour : kNever;
  };
  EXPECT_EQ(bench.step(0), kHour);
  EXPECT_EQ(bench.step(kHour), kHour) << "once more at this instant";
  EXPECT_EQ(calls, 0);
  EXPECT_EQ(bench.step(kHour), kNever);
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(given_up, 1u);
}

// A node that was given up and is left as it is boots again; jobs wait for that.
TEST(TimeKeeping, LaunchesAnewWhatWasGivenUpAndIsStillNeeded) {
  ClusterSpec spec = group_of(2, 4, Supply::dynamic);
  spec.groups[0].kept = 1;  // node 0
  Keeper k(spec);
  const JobId job = k.start(0, nodes_for(1, 4, kHour), {on(1, 4)});
  const auto both = std::vector<NodeId>{NodeId{0}, NodeId{1}};
  k.at(0, {}, [&](const View&, ScalePlan& plan) { plan.launch(both); });
  EXPECT_THAT(k.bench.cluster().wanted(), IsEmpty());
  k.at(kMinute, {}, [&](const View&, ScalePlan& plan) { plan.give_up(both); });
  k.at(kMinute);
  EXPECT_THAT(k.bench.cluster().wanted(), ElementsAre(NodeId{0}, NodeId{1}));
  k.at(kMinute, {}, [&](const View&, ScalePlan& plan) { plan.launch(both); });
  k.bench.ready(1);
  k.at(2 * kMinute, [&](const View&, Plan& plan) { plan.run(job); });
  EXPECT_EQ(k.bench.state(job), JobState::running);
  // Down, nobody wants it; usable again, its group does.
  k.at(3 * kMinute, {}, [&](const View&, ScalePlan& plan) { plan.give_up(std::vector<NodeId>{NodeId{0}}); });
  k.at(3 * kMinute, [](const View&, Plan& plan) { plan.set_down(NodeId{0}); });
  EXPECT_THAT(k.bench.cluster().wanted(), IsEmpty());
  k.at(4 * kMinute, [](const View&, Plan& plan) { plan.set_usable(NodeId{0}); });
  EXPECT_THAT(k.bench.cluster().wanted(), ElementsAre(NodeId{0}));
  k.at(5 * kMinute, [](const View&, Plan& plan) { plan.set_down(NodeId{0}); });
  EXPECT_THAT(k.bench.cluster().wanted(), IsEmpty());
}

// A static node that was powered down by hand boots when a job gets it.
TEST(TimeKeeping, WantsAStaticNodeThatLostItsInstanceWhenAJobGetsIt) {
  Keeper k(group_of(1, 4, Supply::fixed));
  EXPECT_THAT(k.bench.cluster().wanted(), ElementsAre(NodeId{0}));
  k.launch(0, 0);
  k.bench.ready(0);
  k.at(kMinute);
  k.at(2 * kMinute, {}, [](const View&, ScalePlan& plan) { plan.terminate(std::vector<NodeId>{NodeId{0}}); });
  k.bench.gone(0);
  k.at(3 * kMinute, {}, [](const View&, ScalePlan& plan) { plan.powered_down(NodeId{0}); });
  EXPECT_THAT(k.bench.cluster().wanted(), IsEmpty());
  k.start(4 * kMinute, cores_for(1, kHour), {on(0, 1)});
  EXPECT_THAT(k.bench.cluster().wanted(), ElementsAre(NodeId{0}));
}

TEST(TimeKeeping, GivesUpOnlyBootsAndOnlyWherePoliciesExpectIt) {
  Keeper k(group_of(1, 4, Supply::dynamic));
  const auto give_up = [](const View&, ScalePlan& plan) { plan.give_up(std::vector<NodeId>{NodeId{0}}); };
  expect_bug([&] { k.at(0, {}, give_up); }, "only a node that is powering up is given up");
  for (const auto& [keeps_time, settles] : std::vector<std::pair<bool, bool>>{{false, true}, {true, false}}) {
    ControllerBench bench(group_of(2, 4, Supply::dynamic), nullptr, keeps_time, settles);
    bench.submit(0, nodes_for(1, 4, kHour));
    bench.scale = [&](const View& view, std::span<const NodeId>, ScalePlan& plan) {
      return give_up(view, plan), kNever;
    };
    bench.arrive(nodes_for(1, 4, kHour));
    expect_bug([&] { bench.step(kMinute); }, "boots are given up only where both policies keep time");
  }
}

// --- memory ---

ClusterSpec with_memory(std::int32_t nodes, std::int32_t cores, std::int32_t memory) {
  ClusterSpec spec = group_of(nodes, cores, Supply::permanent);
  spec.groups.front().memory = memory;
  spec.memory_counts = true;
  return spec;
}

JobRequest with(MemoryUnit unit, std::int32_t memory, JobRequest request) {
  request.memory_unit = unit;
  request.memory = memory;
  return request;
}

TEST(Memory, IsNeverGivenOutTwice) {
  const auto fits = [](const JobRequest& first, std::int32_t first_cores, const JobRequest& second,
                       std::int32_t second_cores) {
    Keeper k(with_memory(2, 8, 1000));
    const JobId job = k.start(0, first, {on(0, first_cores)});
    try {
      k.start(1, second, {on(0, second_cores)});
    } catch (const Bug& bug) {
      EXPECT_THAT(bug.what(), HasSubstr("no node gives more memory than it has"));
      // What was given back can be had again.
      Keeper again(with_memory(2, 8, 1000));
      again.start(0, first, {on(0, first_cores)});
      again.bench.finish(job);
      again.start(1, second, {on(0, second_cores)});
      return false;
    }
    return true;
  };
  const JobRequest whole = cores_for(1, kHour);
  const auto node = [](std::int32_t memory) { return with(MemoryUnit::per_node, memory, cores_for(1, kHour)); };
  const auto core = [](std::int32_t memory) { return with(MemoryUnit::per_core, memory, cores_for(1, kHour)); };
  EXPECT_FALSE(fits(whole, 1, node(1), 1));
  EXPECT_FALSE(fits(node(1), 1, whole, 1));
  EXPECT_TRUE(fits(whole, 1, node(0), 1)) << "a job that asks for none";
  EXPECT_TRUE(fits(node(400), 1, node(600), 1));
  EXPECT_FALSE(fits(node(400), 1, node(601), 1));
  EXPECT_TRUE(fits(core(100), 4, core(150), 4));
  EXPECT_FALSE(fits(core(100), 4, core(151), 4));
  EXPECT_TRUE(fits(node(200), 1, core(200), 4));
  EXPECT_FALSE(fits(node(201), 1, core(200), 4));
  constexpr std::int32_t kHuge = std::numeric_limits<std::int32_t>::max();
  Keeper k(with_memory(1, 8, 1000));
  expect_bug([&] { k.start(0, core(kHuge), {on(0, 8)}); }, "no node gives more memory than it has");
  Keeper free(group_of(1, 8, Supply::permanent));
  EXPECT_NO_THROW(free.start(0, core(kHuge), {on(0, 8)})) << "where memory does not count";
}

TEST(Memory, ComesBackHoweverAJobLeaves) {
  for (int way = 0; way < 4; ++way) {
    Keeper k(with_memory(1, 8, 1000));
    const JobRequest request = with(MemoryUnit::per_core, 125, cores_for(8, kHour));
    const JobId job = k.start(0, request, {on(0, 8)});
    if (way == 0) k.bench.finish(job);
    k.at(kSecond, [&](const View&, Plan& plan) {
      if (way == 1) plan.end(job, Outcome::node_failed);
      if (way == 2) plan.requeue(job);
      if (way == 3) {
        plan.stop(job, Outcome::cancelled);
        plan.requeue(job);
        plan.start(job, Shares{on(0, 8)});
        plan.end(job, Outcome::cancelled);
      }
    });
    EXPECT_NO_THROW(k.start(2 * kSecond, with(MemoryUnit::whole, 0, cores_for(1, kHour)), {on(0, 1)}));
  }
}

// --- a random life ---

// Random acts of both policies and of the world, each one allowed where it is done; the books, the commands and the
// record of the run are compared with books of the test's own.
class RandomLife {
 public:
  explicit RandomLife(std::uint64_t seed) : draw_(seed) {
    ClusterSpec spec;
    const auto groups = static_cast<std::uint32_t>(draw_.between(1, 3));
    for (std::uint32_t g = 0; g < groups; ++g) {
      NodeGroupSpec& group = spec.groups.emplace_back();
      group.nodes = draw_.small(1, 4);
      group.cores = draw_.small(1, 4);
      group.supply = draw_.one_in(4) ? Supply::fixed : Supply::dynamic;
      if (group.supply == Supply::dynamic) group.kept = draw_.small(0, group.nodes);
      group.memory = draw_.small(1, 1000);
      GroupFacts facts;
      facts.name = "g" + std::to_string(g);
      facts.price_per_hour = 3'600'000;
      design_.groups.push_back(facts);
    }
    spec.memory_counts = draw_.one_in(2);
    for (std::uint32_t q = 0; q < 2; ++q) {
      QueueSpec& queue = spec.queues.emplace_back();
      for (std::uint32_t g = 0; g < groups; ++g) {
        if (draw_.one_in(2) || g == q) queue.groups.push_back(GroupId{g});
      }
      design_.queue_names.push_back("q" + std::to_string(q));
    }
    whole_nodes_ = draw_.one_in(3);
    design_.spec = spec;
    workload_.user_names = {"ann"};
    controller_ = std::make_unique<Controller>(spec, std::make_unique<ScriptedScheduler>(schedule_, true),
                                               std::make_unique<ScriptedScaler>(scale_, true));
    const Cluster& cluster = controller_->cluster();
    in_use_.resize(cluster.node_count());
    memory_.resize(cluster.node_count());
    for (std::uint32_t n = 0; n < cluster.node_count(); ++n) nodes_.push_back(NodeId{n});
    schedule_ = [this](const View& view, Plan& plan) { return schedule(view, plan); };
    scale_ = [this](const View& view, std::span<const NodeId>, ScalePlan& plan) { return scale(view, plan); };
    record_ = std::make_unique<RunRecord>(cluster.node_count());
  }

  void live() {
    Time now = 0;
    for (int step = 0; step < 250; ++step) {
      SCOPED_TRACE("step " + std::to_string(step));
      now_ = now;
      const News news = draw_news(now);
      for (const Stimulus& s : news.stimuli) {
        if (s.kind == Stimulus::Kind::job_finished) give_back(s.subject);
      }
      Commands commands;
      controller_->step(now, news, commands);
      record_->append(now, news, commands);
      for (const Stimulus& s : news.stimuli) {
        if (s.kind == Stimulus::Kind::job_finished) told_.at(s.subject).clear();
      }
      for (const Command& c : commands.list) obey(c, commands);
      compare();
      if (testing::Test::HasFailure()) return;
      now += draw_.one_in(3) ? 0 : draw_.between(1, 100) * kSecond;
    }
    compare_record();
    EXPECT_GT(acts_, 100);
  }

 private:
  const Cluster& cluster() const { return controller_->cluster(); }
  const JobTable& jobs() const { return controller_->jobs(); }

  template <class Container>
  auto pick(const Container& from) {
    return from[draw_.below(from.size())];
  }
  std::vector<JobId> in_state(JobState state) const {
    std::vector<JobId> list;
    for (std::uint32_t j = 0; j < jobs().size(); ++j) {
      if (jobs().state(JobId{j}) == state) list.push_back(JobId{j});
    }
    return list;
  }
  template <class Which>
  std::vector<NodeId> nodes_where(Which which) const {
    std::vector<NodeId> list;
    for (const NodeId n : nodes_) {
      if (which(n)) list.push_back(n);
    }
    return list;
  }

  News draw_news(Time now) {
    News news;
    for (std::size_t n = draw_.below(3); n > 0; --n) {
      JobRequest r;
      r.submit = now;
      r.limit = draw_.between(1, 1000) * kSecond;
      r.queue = QueueId{static_cast<std::uint32_t>(draw_.below(2))};
      r.exclusive = whole_nodes_ || draw_.one_in(4);
      r.nodes = whole_nodes_ || draw_.one_in(2) ? draw_.small(1, 3) : 0;
      r.cores = draw_.small(1, 4);
      r.spread = r.nodes > 0 && !whole_nodes_ && draw_.one_in(3);
      r.memory_unit = static_cast<MemoryUnit>(draw_.below(3));
      r.memory = draw_.small(0, 300);
      if (draw_.one_in(3)) {
        JobTerms& terms = news.terms.emplace_back();
        terms.priority = arrived_ + 1;
        r.terms = static_cast<std::uint32_t>(news.terms.size());
      }
      news.stimuli.push_back({Stimulus::Kind::job_arrived, arrived_++, 0});
      news.arrivals.push_back(r);
      workload_.jobs.emplace_back().request = r;
    }
    for (const JobState state : {JobState::running, JobState::completing}) {
      for (const JobId job : in_state(state)) {
        if (draw_.one_in(5)) news.stimuli.push_back({Stimulus::Kind::job_finished, number(job), draw_outcome()});
      }
    }
    for (const NodeId node : nodes_where([&](NodeId n) { return cluster().state(n) == NodeState::powering_up; })) {
      if (!draw_.one_in(3)) continue;
      news.stimuli.push_back({Stimulus::Kind::instance_running, number(node), 0});
      news.stimuli.push_back({Stimulus::Kind::node_ready, number(node), 0});
    }
    if (draw_.one_in(5)) news.stimuli.push_back({Stimulus::Kind::node_lost, number(pick(nodes_)), 0});
    return news;
  }
  std::uint32_t draw_outcome() { return static_cast<std::uint32_t>(draw_.below(kOutcomes)); }

  Time schedule(const View& view, Plan& plan) {
    given_up_ -= view.changes().given_up.size();
    for (const JobId job : view.changes().arrivals) {
      EXPECT_EQ(view.jobs().terms(job).priority == number(job) + 1, workload_.jobs[number(job)].request.terms > 0);
      if (draw_.one_in(10)) plan.reject(job, Rejection::memory);
    }
    for (std::size_t n = draw_.below(6); n > 0; --n) act(view, plan);
    return 0;
  }

  void act(const View& view, Plan& plan) {
    const auto pending = in_state(JobState::pending);
    const auto configuring = in_state(JobState::configuring);
    const auto running = in_state(JobState::running);
    const auto completing = in_state(JobState::completing);
    ++acts_;
    switch (draw_.below(9)) {
      case 0:
      case 1:
      case 2:
        if (!pending.empty()) start(plan, pick(pending));
        break;
      case 3:
        for (const JobId job : configuring) {
          const auto shares = cluster().shares(job);
          const bool up = std::all_of(shares.begin(), shares.end(),
                                      [&](const NodeShare& s) { return cluster().state(s.node) == NodeState::up; });
          if (up) return plan.run(job);
        }
        break;
      case 4:
        if (!running.empty()) plan.stop(pick(running), static_cast<Outcome>(draw_outcome()));
        break;
      case 5: {
        const auto& list = pick(std::vector{pending, configuring, running, completing});
        if (list.empty()) break;
        const JobId job = pick(list);
        const JobState was = view.jobs().state(job);
        plan.end(job, was == JobState::pending || draw_.one_in(2) ? Outcome::cancelled : Outcome::node_failed);
        give_back(number(job));
        break;
      }
      case 6: {
        const auto& list = pick(std::vector{configuring, running, completing});
        if (list.empty()) break;
        const JobId job = pick(list);
        plan.requeue(job);
        give_back(number(job));
        break;
      }
      case 7: {
        const auto idle = nodes_where([&](NodeId n) {
          return !cluster().is_down(n) && cluster().jobs_on(n) == 0 && cluster().state(n) != NodeState::powering_down;
        });
        if (!idle.empty()) plan.set_down(pick(idle));
        break;
      }
      default: {
        const auto down = nodes_where([&](NodeId n) { return cluster().is_down(n); });
        if (!down.empty()) plan.set_usable(pick(down));
        break;
      }
    }
  }

  // On the first nodes that have room, by the test's own books.
  void start(Plan& plan, JobId job) {
    const JobRequest& r = jobs().request(job);
    Shares shares;
    std::int32_t left = r.cores;
    for (const NodeId n : nodes_) {
      const std::int32_t cores = cluster().cores(n);
      const std::int32_t free = cores - in_use_[index(n)];
      if (!cluster().serves(cluster().group_of(n), r.queue) || cluster().is_down(n) || free == 0 ||
          cluster().state(n) == NodeState::powering_down || (r.exclusive && free < cores)) {
        continue;
      }
      std::int32_t take = r.nodes > 0 && !r.spread ? r.cores : std::min(free, std::max(left, 1));
      if (r.exclusive && r.nodes > 0 && !r.spread && cores < r.cores) continue;
      if (r.exclusive) take = cores;
      if (take > free) continue;
      if (design_.spec.memory_counts && memory_[index(n)] + memory_of(r, n, take) > cluster().memory(n)) continue;
      shares.push_back({n, take});
      left -= take;
      const auto count = static_cast<std::int32_t>(shares.size());
      if (r.nodes > 0 ? count == r.nodes : left <= 0) break;
    }
    const bool whole = r.nodes > 0 ? static_cast<std::int32_t>(shares.size()) == r.nodes : left <= 0;
    if (!whole || ((r.nodes == 0 || r.spread) && left > 0)) return;
    plan.start(job, shares);
    hold(number(job), shares);
  }

  std::int64_t memory_of(const JobRequest& r, NodeId n, std::int32_t cores) const {
    if (r.memory_unit == MemoryUnit::whole) return cluster().memory(n);
    return std::int64_t{r.memory} * (r.memory_unit == MemoryUnit::per_core ? cores : 1);
  }

  Time scale(const View&, ScalePlan& plan) {
    for (std::size_t n = draw_.below(4); n > 0; --n) {
      const NodeId node = pick(nodes_);
      const std::span<const NodeId> one(&node, 1);
      switch (cluster().state(node)) {
        case NodeState::powered_down:
          plan.launch(one);
          break;
        case NodeState::powering_up:
          if (!draw_.one_in(4)) break;
          plan.give_up(one);
          ++given_up_;
          break;
        case NodeState::up:
          if (cluster().jobs_on(node) == 0 && (!cluster().is_kept(node) || draw_.one_in(4))) plan.terminate(one);
          break;
        case NodeState::powering_down:
          plan.powered_down(node);
          break;
      }
    }
    return 0;
  }

  void hold(std::uint32_t job, const Shares& shares) {
    held_[job] = shares;
    for (const NodeShare& s : shares) {
      in_use_[index(s.node)] += s.cores;
      memory_[index(s.node)] += memory_of(jobs().request(JobId{job}), s.node, s.cores);
    }
  }
  void give_back(std::uint32_t job) {
    for (const NodeShare& s : held_[job]) {
      in_use_[index(s.node)] -= s.cores;
      memory_[index(s.node)] -= memory_of(jobs().request(JobId{job}), s.node, s.cores);
    }
    held_[job].clear();
  }
  void obey(const Command& c, const Commands& commands) {
    Shares& told = told_[c.subject];
    if (c.kind == Kind::end_job || c.kind == Kind::requeue_job) told.clear();
    if (c.kind != Kind::allocate_job && c.kind != Kind::start_job) return;
    const auto shares = commands.shares_of(c);
    if (told.empty()) told.assign(shares.begin(), shares.end());
    EXPECT_TRUE(std::equal(shares.begin(), shares.end(), told.begin(), told.end())) << "it runs where it was allocated";
  }

  void compare() {
    cluster().audit();
    for (const NodeId n : nodes_) {
      std::int32_t on_it = 0;
      for (const auto& [job, shares] : held_) {
        for (const NodeShare& s : shares) on_it += s.node == n ? 1 : 0;
      }
      EXPECT_EQ(cluster().jobs_on(n), on_it);
      EXPECT_LE(in_use_[index(n)], cluster().cores(n));
      if (design_.spec.memory_counts) {
        EXPECT_LE(memory_[index(n)], cluster().memory(n));
      }
      const auto wanted = std::count(cluster().wanted().begin(), cluster().wanted().end(), n);
      EXPECT_LE(wanted, 1) << "node " << number(n);
      const bool lacks = cluster().state(n) == NodeState::powered_down && !cluster().is_down(n);
      if (wanted > 0) {
        EXPECT_TRUE(lacks && (on_it > 0 || cluster().is_kept(n))) << "node " << number(n);
      }
      if (lacks && on_it > 0 && given_up_ == 0) {
        EXPECT_EQ(wanted, 1) << "node " << number(n);
      }
    }
    for (std::uint32_t q = 0; q < 2; ++q) {
      std::int32_t free = 0;
      for (const NodeId n : nodes_) {
        const bool out = cluster().is_down(n) || cluster().state(n) == NodeState::powering_down;
        if (cluster().serves(cluster().group_of(n), QueueId{q}) && !out) free += cluster().cores(n) - in_use_[index(n)];
      }
      // Nodes that are out of use have no jobs.
      EXPECT_EQ(cluster().free_cores(QueueId{q}).min_free(now_, kNever), free) << "queue " << q;
    }
    std::size_t active = 0;
    for (std::uint32_t j = 0; j < jobs().size(); ++j) {
      if (!is_final(jobs().state(JobId{j}))) ++active;
      EXPECT_EQ(jobs().state(JobId{j}), record_->jobs()[j].state) << "job " << j;
      EXPECT_EQ(told_[j], held_[j]) << "job " << j;
      EXPECT_EQ(!held_[j].empty(),
                jobs().state(JobId{j}) >= JobState::configuring && jobs().state(JobId{j}) <= JobState::completing);
    }
    EXPECT_EQ(controller_->active_jobs(), active);
  }

  void compare_record() {
    const Scenario scenario;
    const RunContext context{scenario, design_, workload_, ""};
    const Summary s = summarize(*record_, context);
    const JobCounts& n = s.jobs;
    EXPECT_EQ(n.submitted,
              n.completed + n.failed + n.timed_out + n.node_failed + n.cancelled + n.rejected + n.unfinished);
    EXPECT_EQ(n.requeues, record_->lost_attempts().size());
    const auto busy = busy_periods(*record_);
    for (std::size_t i = 0; i < busy.size(); ++i) {
      const InstanceRecord& instance = record_->instances()[i];
      for (const Period& p : busy[i]) {
        EXPECT_LT(p.from, p.until);
        EXPECT_GE(p.from, instance.ready);
        EXPECT_LE(p.until, std::min(instance.end, record_->end()));
      }
    }
    EXPECT_GE(s.instance_hours.idle, -1e-9);
    EXPECT_NEAR(s.instance_hours.busy + s.instance_hours.idle + s.instance_hours.boot, s.instance_hours.total, 1e-6);
    EXPECT_LE(s.utilization, 1 + 1e-9);
  }

  Draw draw_;
  Design design_;
  Workload workload_;
  bool whole_nodes_ = false;
  ScriptedScheduler::Script schedule_;
  ScriptedScaler::Script scale_;
  std::unique_ptr<Controller> controller_;
  std::unique_ptr<RunRecord> record_;
  Time now_ = 0;
  std::vector<NodeId> nodes_;
  std::vector<std::int32_t> in_use_;
  std::vector<std::int64_t> memory_;
  // By job: what it holds as the policy knows it, and as the commands say.
  std::map<std::uint32_t, Shares> held_;
  std::map<std::uint32_t, Shares> told_;
  std::uint32_t arrived_ = 0;
  std::size_t given_up_ = 0;
  int acts_ = 0;
};

TEST(TimeKeeping, KeepsItsBooksWhateverThePoliciesDo) {
  for (std::uint64_t seed = 1; seed <= 200 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    RandomLife(seed).live();
  }
}

}  // namespace
}  // namespace headroom
