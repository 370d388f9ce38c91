// Cores that several jobs have together: the core's books of them, and what reports make of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/report/tables.hpp"
#include "tests/unit/controller_bench.hpp"
#include "tests/unit/draw.hpp"
#include "tests/unit/run_story.hpp"

namespace headroom {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Shares = std::vector<NodeShare>;

NodeShare on(std::uint32_t node, std::int32_t cores) { return {NodeId{node}, cores}; }

ClusterSpec nodes_of(std::int32_t nodes, std::int32_t cores) {
  ClusterSpec spec;
  spec.groups.push_back({nodes, cores, Supply::permanent, 1});
  spec.queues.push_back({{GroupId{0}}});
  return spec;
}

// A policy that keeps time and does in a step what the test says. The books are audited after every step.
class Sharers {
 public:
  explicit Sharers(const ClusterSpec& spec, std::int32_t jobs_per_core)
      : bench(spec, nullptr, true, true, jobs_per_core) {
    bench.schedule = [this](const View&, Plan& plan) {
      if (act_) std::exchange(act_, {})(plan);
      return kNever;
    };
  }
  // So many cores on each node, which the job has alone if it names none.
  JobId start(const Shares& nodes, const Shares& cores = {}) {
    JobRequest request = cores_for(0, kHour);
    for (const NodeShare& share : nodes) request.cores += share.cores;
    const JobId job = bench.arrive(request);
    act_ = [&](Plan& plan) { cores.empty() ? plan.start(job, nodes) : plan.start_sharing(job, nodes, cores); };
    step();
    return job;
  }
  void end(JobId job) {
    bench.finish(job);
    step();
  }
  std::int32_t in_use(std::uint32_t node) const { return bench.cluster().cores_in_use(NodeId{node}); }
  std::int32_t free() const { return bench.cluster().free_cores(QueueId{0}).free_at(now_); }
  void step() {
    bench.step(now_ += kSecond);
    bench.cluster().audit();
  }
  ControllerBench bench;

 private:
  Time now_ = 0;
  std::function<void(Plan&)> act_;
};

void expect_bug(const std::function<void()>& act, const std::string& promise) {
  try {
    act();
    ADD_FAILURE() << "no Bug: " << promise;
  } catch (const Bug& bug) {
    EXPECT_THAT(bug.what(), HasSubstr(promise));
  }
}

TEST(SharedCores, AreInUseOnce) {
  for (const bool by_number : {true, false}) {
    Sharers s(nodes_of(2, 4), 2);
    if (!by_number) s.end(s.start({on(0, 1), on(1, 1)}));  // from now on by the cores of each node
    const JobId a = s.start({on(0, 3)}, {on(0, 0), on(0, 1), on(0, 2)});
    EXPECT_EQ(s.in_use(0), 3);
    const JobId b = s.start({on(0, 3), on(1, 1)}, {on(0, 1), on(0, 2), on(0, 3), on(1, 0)});
    EXPECT_EQ(s.in_use(0), 4) << "two of them twice";
    EXPECT_EQ(s.in_use(1), 1);
    EXPECT_EQ(s.free(), 3);
    s.end(a);
    EXPECT_EQ(s.in_use(0), 3) << "only its first core came free";
    EXPECT_EQ(s.free(), 4);
    const JobId c = s.start({on(0, 1)});
    EXPECT_EQ(s.in_use(0), 4);
    s.end(b);
    s.end(c);
    EXPECT_EQ(s.in_use(0), 0);
    EXPECT_EQ(s.free(), 8);
  }
}

TEST(SharedCores, AreNamedInTheJournal) {
  Sharers s(nodes_of(2, 4), 2);
  s.start({on(0, 1), on(1, 2)}, {on(0, 3), on(1, 0), on(1, 2)});
  ASSERT_EQ(s.bench.commands.list.size(), 2u);
  EXPECT_EQ(s.bench.commands.list[0].kind, Command::Kind::start_job);
  EXPECT_EQ(s.bench.commands.list[1].kind, Command::Kind::share_cores);
  const auto cores = s.bench.commands.shares_of(s.bench.commands.list[1]);
  EXPECT_THAT(Shares(cores.begin(), cores.end()), ElementsAre(on(0, 3), on(1, 0), on(1, 2)));
  s.start({on(0, 1)});
  EXPECT_EQ(s.bench.commands.list.size(), 1u) << "a job that has its cores alone says nothing of them";
}

TEST(SharedCores, HaveNoMoreJobsThanMayShareThem) {
  Sharers s(nodes_of(2, 4), 2);
  s.start({on(0, 1)}, {on(0, 2)});
  s.start({on(0, 2)}, {on(0, 1), on(0, 2)});
  expect_bug([&] { s.start({on(0, 2)}, {on(0, 2), on(0, 3)}); }, "no core has more jobs than may share it");
}

TEST(SharedCores, LeaveToOthersWhatTheyHaveAlone) {
  Sharers s(nodes_of(2, 4), 8);
  s.start({on(0, 2)});
  s.start({on(0, 2)}, {on(0, 2), on(0, 3)});
  s.start({on(0, 2)}, {on(0, 2), on(0, 3)});
  expect_bug([&] { s.start({on(0, 1)}, {on(0, 1)}); }, "no node is oversubscribed");
  Sharers t(nodes_of(2, 4), 8);
  t.start({on(0, 2)}, {on(0, 2), on(0, 3)});
  t.start({on(0, 2)}, {on(0, 2), on(0, 3)});
  expect_bug([&] { t.start({on(0, 3)}); }, "no node is oversubscribed");
}

TEST(SharedCores, AreThoseOfTheJobsShares) {
  const auto start = [](const Shares& nodes, const Shares& cores) {
    return [=] { Sharers(nodes_of(2, 4), 2).start(nodes, cores); };
  };
  expect_bug(start({on(0, 2)}, {on(0, 1)}), "cores are shared by name");
  expect_bug(start({on(0, 1)}, {on(0, 1), on(0, 2)}), "a job shares cores of its own nodes");
  expect_bug(start({on(0, 1)}, {on(1, 1)}), "the cores that a job shares are those of its nodes");
  expect_bug(start({on(0, 1)}, {on(0, 4)}), "the cores that a job shares are those of its nodes");
  expect_bug(start({on(0, 2)}, {on(0, 1), on(0, 1)}), "the cores that a job shares are those of its nodes");
  expect_bug([] { Sharers(nodes_of(2, 4), 1).start({on(0, 1)}, {on(0, 1)}); }, "cores are shared by name");
}

// Jobs come and go at random; the cores in use are counted by hand, and the books are audited in every step.
TEST(SharedCores, AddUpWhateverHappens) {
  Draw draw(7);
  for (int round = 0; round < 20; ++round) {
    const std::int32_t most = 1 + static_cast<std::int32_t>(draw.below(4)) + 1;
    Sharers s(nodes_of(3, 5), most);
    struct Running {
      JobId job;
      Shares cores;
      Shares alone;
    };
    std::vector<Running> running;
    const auto jobs_on = [&](std::uint32_t node, std::int32_t core) {
      std::int32_t jobs = 0;
      for (const Running& r : running) jobs += std::count(r.cores.begin(), r.cores.end(), on(node, core)) > 0 ? 1 : 0;
      return jobs;
    };
    const auto used = [&](std::uint32_t node) {
      std::int32_t cores = 0;
      for (std::int32_t core = 0; core < 5; ++core) cores += jobs_on(node, core) > 0 ? 1 : 0;
      for (const Running& r : running) {
        for (const NodeShare& share : r.alone) cores += share.node == NodeId{node} ? share.cores : 0;
      }
      return cores;
    };
    for (int turn = 0; turn < 60; ++turn) {
      if (!running.empty() && draw.one_in(3)) {
        const auto at = running.begin() + static_cast<std::ptrdiff_t>(draw.below(running.size()));
        const JobId job = at->job;
        running.erase(at);
        s.end(job);
      } else {
        Running r{JobId{0}, {}, {}};
        Shares nodes;
        const bool shares = !draw.one_in(3);
        for (std::uint32_t node = 0; node < 3; ++node) {
          std::int32_t left = 5 - used(node);
          std::int32_t count = 0;
          for (std::int32_t core = 0; core < 5 && shares; ++core) {
            const std::int32_t jobs = jobs_on(node, core);
            if (jobs == most || (jobs == 0 && left == 0) || draw.one_in(2)) continue;
            left -= jobs == 0 ? 1 : 0;
            r.cores.push_back(on(node, core));
            ++count;
          }
          if (!shares && left > 0 && draw.one_in(2)) r.alone.push_back(on(node, count = left));
          if (count > 0) nodes.push_back(on(node, count));
        }
        if (nodes.empty()) continue;
        r.job = s.start(nodes, r.cores);
        running.push_back(r);
      }
      for (std::uint32_t node = 0; node < 3; ++node) ASSERT_EQ(s.in_use(node), used(node));
      ASSERT_EQ(s.free(), 15 - used(0) - used(1) - used(2));
    }
  }
}

TEST(SharedCores, AreUtilisedOnce) {
  RunStory story;
  story.static_node(0);
  const auto start = [&](const Shares& nodes, const Shares& cores) {
    const std::uint32_t job = story.arrive(nodes[0].cores);
    story.start(job, nodes, cores);
    return job;
  };
  const std::uint32_t a = start({on(0, 2)}, {on(0, 0), on(0, 1)});
  story.at(0);
  const std::uint32_t b = start({on(0, 2)}, {on(0, 1), on(0, 2)});
  const std::uint32_t c = start({on(0, 1)}, {});
  story.at(10);
  story.finish(a);
  story.at(40);
  story.finish(b);
  story.finish(c);
  story.at(100);
  story.terminate(0);
  story.at(100);
  const Summary s = story.summary();
  // Cores 0 to 40 s, 0 to 100 s and 10 to 100 s, and one for 90 s.
  EXPECT_DOUBLE_EQ(s.utilization, (40 + 100 + 90 + 90) / 400.0);
  EXPECT_DOUBLE_EQ(s.by_user.at("ann").core_hours, (2 * 40 + 2 * 90 + 90) / 3600.0) << "jobs have what they have";
  EXPECT_DOUBLE_EQ(s.instance_hours.busy, 100 / 3600.0);
  EXPECT_DOUBLE_EQ(s.instance_hours.total, s.instance_hours.busy + s.instance_hours.idle + s.instance_hours.boot);
}

TEST(SharedCores, OfAPoolAreUtilisedOnceAtAnyTime) {
  RunStory story = RunStory::pool(4);
  const std::uint32_t a = story.arrive(3);
  const std::uint32_t b = story.arrive(3);
  const std::uint32_t c = story.arrive(1);
  story.start(a, {on(0, 3)}, {on(0, 0), on(0, 1), on(0, 2)});
  story.at(0);
  story.start(b, {on(0, 3)}, {on(0, 1), on(0, 2), on(0, 3)});
  story.at(60);
  story.finish(a);
  story.at(120);
  story.start(c, {on(0, 1)}, {on(0, 1)});
  story.at(180);
  story.finish(c);
  story.at(240);
  story.finish(b);
  story.at(300);
  std::string csv;
  write_timeline_csv(story.record, story.context(), 30 * kSecond, [&](std::string_view text) { csv += text; });
  // Seconds, actual, desired, idle, utilised.
  for (const char* row :
       {"0,4,4,1,3", "60,4,4,0,4", "90,4,4,0,4", "120,4,4,1,3", "180,4,4,1,3", "240,4,4,1,3", "300,4,4,4,0"}) {
    EXPECT_THAT(csv, HasSubstr("\n" + std::string(row) + ","));
  }
  EXPECT_DOUBLE_EQ(story.summary().utilization, (3 * 60 + 4 * 60 + 3 * 180) / (4 * 300.0));
}

TEST(SharedCores, OfARequeuedJobCountUntilThen) {
  RunStory story;
  story.static_node(0);
  const std::uint32_t a = story.arrive(4);
  const std::uint32_t b = story.arrive(4);
  const Shares all = {on(0, 0), on(0, 1), on(0, 2), on(0, 3)};
  story.start(a, {on(0, 4)}, all);
  story.start(b, {on(0, 4)}, all);
  story.at(0);
  story.requeue(a);
  story.at(50);
  story.start(a, {on(0, 4)}, all);
  story.at(60);
  story.finish(a);
  story.finish(b);
  story.at(100);
  story.terminate(0);
  story.at(100);
  const Summary s = story.summary();
  EXPECT_DOUBLE_EQ(s.utilization, 1);
  EXPECT_DOUBLE_EQ(s.jobs.lost_core_hours, 4 * 50 / 3600.0);
}

}  // namespace
}  // namespace headroom
