#include "engine/cluster.hpp"

#include <algorithm>
#include <ostream>

#include <gtest/gtest.h>

#include "tests/unit/controller_bench.hpp"
#include "tests/unit/draw.hpp"

namespace headroom {

void PrintTo(const NodeShare& share, std::ostream* out) {
  *out << "node " << number(share.node) << ": " << share.cores << " cores";
}

namespace {

using Shares = std::vector<NodeShare>;

NodeShare on(std::uint32_t node, std::int32_t cores) { return {NodeId{node}, cores}; }

ClusterSpec one_queue(std::vector<NodeGroupSpec> groups) {
  ClusterSpec spec;
  spec.queues.emplace_back();
  for (std::uint32_t g = 0; g < groups.size(); ++g) spec.queues.front().groups.push_back(GroupId{g});
  spec.groups = std::move(groups);
  return spec;
}

Shares placed(const Cluster& cluster, const JobRequest& request, Time now = 0) {
  Shares shares;
  if (!cluster.place(request, now, shares)) shares.clear();
  return shares;
}

// --- can it ever run ---

TEST(Cluster, CanEverHoldWhatItsQueueCouldHoldEmpty) {
  ClusterSpec spec = one_queue({{2, 4, Supply::dynamic, 1}, {3, 8, Supply::dynamic, 1}, {9, 64, Supply::dynamic, 1}});
  spec.queues.front().groups.pop_back();  // the last group belongs to another queue
  spec.queues.push_back({{GroupId{2}}});
  const Cluster cluster(spec);
  EXPECT_TRUE(cluster.can_ever_hold(cores_for(32, kHour)));
  EXPECT_FALSE(cluster.can_ever_hold(cores_for(33, kHour)));
  EXPECT_TRUE(cluster.can_ever_hold(in_queue(1, cores_for(576, kHour))));
  EXPECT_TRUE(cluster.can_ever_hold(nodes_for(5, 4, kHour)));
  EXPECT_FALSE(cluster.can_ever_hold(nodes_for(6, 1, kHour)));
  EXPECT_TRUE(cluster.can_ever_hold(nodes_for(3, 8, kHour)));
  EXPECT_FALSE(cluster.can_ever_hold(nodes_for(4, 5, kHour))) << "only three nodes have five cores";
  EXPECT_FALSE(cluster.can_ever_hold(nodes_for(1, 9, kHour)));
  EXPECT_TRUE(cluster.can_ever_hold(exclusive(nodes_for(5, 1, kHour))));
  EXPECT_TRUE(cluster.can_ever_hold(exclusive(cores_for(32, kHour))));
}

TEST(Cluster, KnowsTheLeastCoresOfARequest) {
  const Cluster cluster(one_queue({{2, 4, Supply::dynamic, 1}, {3, 8, Supply::dynamic, 1}}));
  EXPECT_EQ(cluster.least_cores(cores_for(7, kHour)), 7);
  EXPECT_EQ(cluster.least_cores(nodes_for(3, 2, kHour)), 6);
  EXPECT_EQ(cluster.least_cores(exclusive(nodes_for(2, 2, kHour))), 8) << "whole nodes of four cores";
  EXPECT_EQ(cluster.least_cores(exclusive(nodes_for(2, 5, kHour))), 16) << "whole nodes of eight cores";
}

TEST(Cluster, BeginsWithPermanentNodesUpAndStaticOnesWanted) {
  const Cluster cluster(
      one_queue({{1, 4, Supply::dynamic, 1}, {2, 4, Supply::fixed, 1}, {1, 4, Supply::permanent, 1}}));
  EXPECT_EQ(cluster.node_count(), 4u);
  EXPECT_EQ(cluster.state(NodeId{0}), NodeState::powered_down);
  EXPECT_EQ(cluster.state(NodeId{1}), NodeState::powered_down);
  EXPECT_EQ(cluster.state(NodeId{3}), NodeState::up);
  EXPECT_EQ(Shares(), placed(cluster, cores_for(17, kHour)));
  ASSERT_EQ(cluster.wanted().size(), 2u);
  EXPECT_EQ(cluster.wanted()[0], NodeId{1});
  EXPECT_EQ(cluster.wanted()[1], NodeId{2});
  EXPECT_EQ(cluster.first_node(GroupId{1}), NodeId{1});
  EXPECT_EQ(cluster.group_of(NodeId{2}), GroupId{1});
  EXPECT_EQ(cluster.instances(), 0);
}

// --- where ---

TEST(Cluster, PrefersLowerWeightThenNames) {
  const Cluster cluster(
      one_queue({{2, 4, Supply::dynamic, 5}, {2, 4, Supply::dynamic, 1}, {2, 4, Supply::dynamic, 5}}));
  EXPECT_EQ(placed(cluster, nodes_for(5, 1, kHour)), (Shares{on(2, 1), on(3, 1), on(0, 1), on(1, 1), on(4, 1)}));
}

TEST(Cluster, PrefersNodesThatAreUpThenThoseThatBootThenTheRestWhateverTheirWeight) {
  ControllerBench bench(one_queue({{2, 4, Supply::dynamic, 1}, {2, 4, Supply::dynamic, 9}}));
  // Node 3 up, node 2 booting, nodes 0 and 1 down: against the order of weights.
  bench.schedule = [](const View& view, Plan& plan) {
    if (view.jobs().state(JobId{0}) == JobState::pending) {
      plan.start(JobId{0}, Shares{on(3, 4)});
      plan.start(JobId{1}, Shares{on(2, 4)});
    }
    return kNever;
  };
  bench.arrive(cores_for(4, kHour));
  bench.arrive(cores_for(4, kHour));
  bench.step(0);
  bench.ready(3);
  bench.step(kMinute);
  bench.finish(JobId{0});
  bench.step(2 * kMinute);
  ASSERT_EQ(bench.node(3), NodeState::up);
  ASSERT_EQ(bench.node(2), NodeState::powering_up);
  EXPECT_EQ(placed(bench.cluster(), nodes_for(3, 1, kHour), 2 * kMinute), (Shares{on(3, 1), on(0, 1), on(1, 1)}))
      << "node 2 is full";
  // A booting node with room left: half of it is another job's.
  ControllerBench half(one_queue({{2, 4, Supply::dynamic, 1}, {2, 4, Supply::dynamic, 9}}));
  half.schedule = [](const View& view, Plan& plan) {
    if (view.jobs().state(JobId{0}) == JobState::pending) {
      plan.start(JobId{0}, Shares{on(3, 4)});
      plan.start(JobId{1}, Shares{on(2, 2)});
    }
    return kNever;
  };
  half.arrive(cores_for(4, kHour));
  half.arrive(cores_for(2, kHour));
  half.step(0);
  half.ready(3);
  half.step(kMinute);
  half.finish(JobId{0});
  half.step(2 * kMinute);
  EXPECT_EQ(placed(half.cluster(), nodes_for(4, 1, kHour), 2 * kMinute),
            (Shares{on(3, 1), on(2, 1), on(0, 1), on(1, 1)}));
}

TEST(Cluster, SpreadsFlexibleCoresOverNodesInOrder) {
  const Cluster cluster(one_queue({{2, 4, Supply::permanent, 1}, {2, 8, Supply::permanent, 2}}));
  EXPECT_EQ(placed(cluster, cores_for(4, kHour)), (Shares{on(0, 4)}));
  EXPECT_EQ(placed(cluster, cores_for(11, kHour)), (Shares{on(0, 4), on(1, 4), on(2, 3)}));
  EXPECT_EQ(placed(cluster, cores_for(24, kHour)), (Shares{on(0, 4), on(1, 4), on(2, 8), on(3, 8)}));
  EXPECT_EQ(placed(cluster, cores_for(25, kHour)), Shares());
}

TEST(Cluster, GivesNodesTimesCoresAndPassesOverNodesTooSmall) {
  const Cluster cluster(one_queue({{2, 4, Supply::permanent, 1}, {2, 8, Supply::permanent, 2}}));
  EXPECT_EQ(placed(cluster, nodes_for(3, 3, kHour)), (Shares{on(0, 3), on(1, 3), on(2, 3)}));
  EXPECT_EQ(placed(cluster, nodes_for(2, 5, kHour)), (Shares{on(2, 5), on(3, 5)}));
  EXPECT_EQ(placed(cluster, nodes_for(3, 5, kHour)), Shares());
}

TEST(Cluster, GivesExclusiveJobsWholeNodesWithNobodyOnThem) {
  ControllerBench bench(one_queue({{2, 4, Supply::permanent, 1}, {2, 8, Supply::permanent, 2}}));
  bench.submit(0, cores_for(1, kHour));  // sits on node 0
  EXPECT_EQ(placed(bench.cluster(), exclusive(nodes_for(2, 1, kHour))), (Shares{on(1, 4), on(2, 8)}));
  EXPECT_EQ(placed(bench.cluster(), exclusive(cores_for(9, kHour))), (Shares{on(1, 4), on(2, 8)}));
  EXPECT_EQ(placed(bench.cluster(), exclusive(nodes_for(4, 1, kHour))), Shares());
  const JobId job = bench.submit(kSecond, exclusive(nodes_for(1, 1, kHour)));
  EXPECT_EQ(bench.shares(job), (Shares{on(1, 4)}));
  EXPECT_EQ(placed(bench.cluster(), cores_for(4, kHour), kSecond), (Shares{on(0, 3), on(2, 1)}))
      << "nobody joins an exclusive job";
}

TEST(Cluster, PlacesNothingOnCoresReservedWithinTheLimit) {
  ClusterSpec spec = one_queue({{2, 4, Supply::permanent, 1}});
  spec.queues.push_back(spec.queues.front());  // shared nodes: a reservation names them
  ControllerBench bench(spec);
  bench.schedule = [](const View& view, Plan& plan) {
    if (view.changes().arrivals.empty()) return kNever;
    plan.reserve(JobId{0}, 100 * kSecond, Shares{on(0, 3)});
    return kNever;
  };
  bench.submit(0, cores_for(3, 50 * kSecond));
  EXPECT_EQ(placed(bench.cluster(), nodes_for(1, 2, 100 * kSecond)), (Shares{on(0, 2)})) << "done before it";
  EXPECT_EQ(placed(bench.cluster(), nodes_for(1, 2, 101 * kSecond)), (Shares{on(1, 2)}));
  EXPECT_EQ(placed(bench.cluster(), cores_for(6, 101 * kSecond)), Shares());
  EXPECT_EQ(placed(bench.cluster(), cores_for(5, 101 * kSecond)), (Shares{on(0, 1), on(1, 4)}));
}

// --- when: against trying every second ---

// Who holds how much of which node, second by second.
class NaiveBooks {
 public:
  static constexpr Time kHorizon = 200;  // seconds

  explicit NaiveBooks(const ClusterSpec& spec) : spec_(spec) {
    for (std::size_t g = 0; g < spec.groups.size(); ++g) {
      for (std::int32_t i = 0; i < spec.groups[g].nodes; ++i) {
        group_.push_back(g);
        free_.emplace_back(static_cast<std::size_t>(kHorizon), spec.groups[g].cores);
      }
    }
  }
  void hold(Time from, Time until, const Shares& shares, std::int32_t sign = 1) {
    for (const NodeShare& s : shares) {
      for (Time t = from; t < std::min(until, kHorizon); ++t) {
        std::int32_t& free = free_[index(s.node)][static_cast<std::size_t>(t)];
        free -= sign * s.cores;
        ASSERT_GE(free, 0) << "node " << number(s.node) << " at " << t;
      }
    }
  }
  bool fits(const JobRequest& request, Time at) const {
    std::int32_t nodes = 0;
    std::int32_t cores = 0;
    const auto& groups = spec_.queues[index(request.queue)].groups;
    for (std::size_t n = 0; n < free_.size(); ++n) {
      const GroupId group{static_cast<std::uint32_t>(group_[n])};
      if (std::find(groups.begin(), groups.end(), group) == groups.end()) continue;
      const std::int32_t whole = spec_.groups[group_[n]].cores;
      std::int32_t least = whole;
      for (Time t = at; t < std::min(at + request.limit / kSecond, kHorizon); ++t) {
        least = std::min(least, free_[n][static_cast<std::size_t>(t)]);
      }
      if (request.exclusive && least < whole) continue;
      if (least >= request.cores) ++nodes;
      cores += least;
    }
    return request.nodes > 0 ? nodes >= request.nodes : cores >= request.cores;
  }
  // Whether these nodes are what was asked for, and free.
  bool can_give(const JobRequest& request, Time at, const Shares& shares) const {
    std::int32_t cores = 0;
    for (const NodeShare& s : shares) {
      const std::int32_t whole = spec_.groups[group_[index(s.node)]].cores;
      for (Time t = at; t < std::min(at + request.limit / kSecond, kHorizon); ++t) {
        if (free_[index(s.node)][static_cast<std::size_t>(t)] < s.cores) return false;
      }
      if (request.exclusive && s.cores != whole) return false;
      if (request.nodes > 0 && s.cores < request.cores) return false;
      cores += s.cores;
    }
    return request.nodes > 0 ? shares.size() == static_cast<std::size_t>(request.nodes) : cores >= request.cores;
  }
  Time earliest(const JobRequest& request, Time not_before) const {
    for (Time t = not_before; t < kHorizon; ++t) {
      if (fits(request, t)) return t;
    }
    return kNever;
  }

 private:
  const ClusterSpec& spec_;
  std::vector<std::size_t> group_;
  std::vector<std::vector<std::int32_t>> free_;
};

ClusterSpec draw_spec(Draw& draw) {
  ClusterSpec spec;
  const std::int64_t groups = draw.between(1, 3);
  for (std::int64_t g = 0; g < groups; ++g) {
    spec.groups.push_back(
        {draw.small(1, 4), draw.small(1, 4), draw.one_in(2) ? Supply::permanent : Supply::dynamic, draw.small(1, 2)});
  }
  const std::int64_t queues = draw.between(1, 2);
  for (std::int64_t q = 0; q < queues; ++q) {
    QueueSpec queue;
    for (std::uint32_t g = 0; g < groups; ++g) {
      if (draw.one_in(2)) queue.groups.push_back(GroupId{g});
    }
    if (queue.groups.empty()) queue.groups.push_back(GroupId{0});
    spec.queues.push_back(queue);
  }
  return spec;
}

JobRequest draw_request(Draw& draw, std::size_t queues) {
  JobRequest request;
  request.queue = QueueId{static_cast<std::uint32_t>(draw.below(queues))};
  request.limit = draw.between(1, 12) * kSecond;
  if (draw.one_in(2)) {
    request.nodes = draw.small(1, 4);
    request.cores = draw.small(1, 4);
  } else {
    request.cores = draw.small(1, 12);
  }
  request.exclusive = draw.one_in(4);
  return request;
}

// Jobs come, start, get reservations, and end; at every step each question is asked of both books.
void compare(std::uint64_t seed) {
  Draw draw(seed);
  ClusterSpec spec = draw_spec(draw);
  // Queues that share groups: reservations name their nodes (Cluster::counts).
  spec.queues.push_back(spec.queues.front());
  NaiveBooks books(spec);
  struct Held {
    JobId job;
    Time from, until;
    bool reserved;
    Shares shares;
  };
  std::vector<Held> held;
  ControllerBench bench(spec);
  bench.scale = [](const View&, std::span<const NodeId>, ScalePlan&) { return kNever; };  // nothing ever boots
  Time now = 0;
  bench.schedule = [&](const View& view, Plan& plan) {
    const Cluster& cluster = view.cluster();
    for (int question = 0; question < 3; ++question) {
      const JobRequest request = draw_request(draw, spec.queues.size());
      const Time from = now + (draw.one_in(2) ? 0 : draw.between(0, 20));
      Shares shares;
      if (!cluster.can_ever_hold(request)) continue;  // such a job is refused before anybody asks
      const Time found = cluster.earliest(request, from * kSecond, shares);
      EXPECT_EQ(found == kNever ? kNever : found / kSecond, books.earliest(request, from));
      EXPECT_TRUE(books.can_give(request, found / kSecond, shares));
      const bool fits = books.fits(request, now);
      EXPECT_EQ(cluster.place(request, view.now(), shares), fits);
      if (fits) {
        EXPECT_TRUE(books.can_give(request, now, shares));
        const Room room = cluster.room(request.queue, view.now());
        const std::int32_t cores = cluster.least_cores(request);
        EXPECT_TRUE(cores <= room.short_cores && (request.limit <= room.short_limit || cores <= room.long_cores))
            << "there is room for what fits";
      }
    }
    for (const JobId job : view.changes().arrivals) {
      const JobRequest& request = view.jobs().request(job);
      Shares shares;
      if (cluster.place(request, view.now(), shares)) {
        if (draw.one_in(3)) continue;
        plan.start(job, shares);
        held.push_back({job, now, now + request.limit / kSecond, false, shares});
      } else {
        const Time at = cluster.earliest(request, view.now(), shares);
        plan.reserve(job, at, shares);
        held.push_back({job, at / kSecond, (at + request.limit) / kSecond, true, shares});
      }
      books.hold(held.back().from, held.back().until, shares);
    }
    // Give some reservations back, take the others.
    std::erase_if(held, [&](const Held& h) {
      if (!h.reserved || (h.from > now && !draw.one_in(10))) return false;
      books.hold(std::max(h.from, now), h.until, h.shares, -1);
      plan.drop_reservation(h.job);
      return true;
    });
    return kNever;
  };
  for (int i = 0; i < 25 && !testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE("seed " + std::to_string(seed) + ", step " + std::to_string(i));
    Time next = i == 0 ? 0 : now + draw.between(0, 4);
    for (const Held& h : held) next = h.reserved ? next : std::min(next, h.until);
    now = next;
    std::erase_if(held, [&](const Held& h) {
      const bool over = h.until == now || draw.one_in(6);
      if (h.reserved || bench.state(h.job) != JobState::running || !over) return false;
      books.hold(now, h.until, h.shares, -1);
      bench.finish(h.job);
      return true;
    });
    // A job whose nodes do not boot within its limit holds on to them: that is another test's.
    if (std::any_of(held.begin(), held.end(), [&](const Held& h) { return !h.reserved && h.until == now; })) return;
    bench.arrive(draw_request(draw, spec.queues.size()));
    bench.step(now * kSecond);
  }
}

TEST(Cluster, FindsTheFirstSecondAtWhichAJobFits) {
  for (std::uint64_t seed = 1; seed <= 3000 && !testing::Test::HasFailure(); ++seed) compare(seed);
}

TEST(Cluster, FindsNoTimeForWhatNeverFits) {
  ClusterSpec spec = one_queue({{2, 4, Supply::permanent, 1}});
  spec.queues.push_back(spec.queues.front());  // shared nodes: questions are answered for nodes by name
  const Cluster cluster(spec);
  Shares shares;
  EXPECT_EQ(cluster.earliest(cores_for(9, kHour), 0, shares), kNever);
  EXPECT_EQ(cluster.earliest(nodes_for(3, 1, kHour), 0, shares), kNever);
  EXPECT_EQ(cluster.earliest(nodes_for(1, 5, kHour), 0, shares), kNever);
  EXPECT_EQ(cluster.earliest(nodes_for(2, 4, kHour), 7 * kSecond, shares), 7 * kSecond);
  EXPECT_EQ(shares, (Shares{on(0, 4), on(1, 4)}));
}

TEST(Cluster, SumsTheFreeCoresOfAQueueOverTheNodesItShares) {
  ClusterSpec spec = one_queue({{1, 4, Supply::permanent, 1}, {1, 8, Supply::permanent, 1}});
  spec.queues.push_back({{GroupId{1}}});
  ControllerBench bench(spec);
  EXPECT_EQ(bench.cluster().free_cores(QueueId{0}).free_at(0), 12);
  EXPECT_EQ(bench.cluster().free_cores(QueueId{1}).free_at(0), 8);
  const JobId job = bench.submit(0, in_queue(1, cores_for(3, kMinute)));
  EXPECT_EQ(bench.cluster().free_cores(QueueId{0}).free_at(0), 9);
  EXPECT_EQ(bench.cluster().free_cores(QueueId{1}).free_at(0), 5);
  EXPECT_EQ(bench.cluster().free_cores(QueueId{0}).next_change(0), kMinute);
  bench.finish(job);
  bench.step(kSecond);
  EXPECT_EQ(bench.cluster().free_cores(QueueId{0}).free_at(kSecond), 12);
  EXPECT_EQ(bench.cluster().free_cores(QueueId{0}).next_change(kSecond), kNever);
}

// --- against naive books ---

// Nodes that go out of use and come back, with jobs and reservations on them or not, while groups change their sizes
// and queues their groups. The oracle adds up claims at each time anew.
class Turmoil {
 public:
  explicit Turmoil(std::uint64_t seed) : draw_(seed), bench_(design(draw_)), held_(6), down_until_(6) {
    bench_.schedule = [this](const View& view, Plan& plan) { return schedule(view, plan); };
    bench_.scale = [this](const View& view, std::span<const NodeId>, ScalePlan& plan) { return scale(view, plan); };
    wake_ = bench_.step(0);
  }

  void step() {
    Time next = std::min(wake_, now_ + draw_.between(0, 400) * kSecond);
    for (const JobId job : jobs_) {
      if (bench_.state(job) == JobState::running) next = std::min(next, bench_.cluster().claim(job).until);
    }
    now_ = next;
    for (const std::uint32_t node : std::exchange(ended_, {})) bench_.gone(node);
    for (const JobId job : jobs_) {
      if (bench_.state(job) != JobState::running) continue;
      if (bench_.cluster().claim(job).until <= now_) {
        bench_.finish(job, Outcome::timed_out);
      } else if (draw_.one_in(8)) {
        bench_.finish(job);
      }
    }
    for (std::uint32_t n = 0; n < 6; ++n) {
      if (bench_.node(n) == NodeState::powering_up && draw_.one_in(3)) bench_.ready(n);
    }
    if (draw_.one_in(2)) jobs_.push_back(bench_.arrive(request()));
    if (draw_.one_in(10)) {
      const auto which = static_cast<std::uint32_t>(draw_.below(bench_.cluster().spec().changes.size()));
      bench_.tell(Stimulus::Kind::cluster_changed, which);
    }
    acts_ = draw_.one_in(3);
    wake_ = bench_.step(now_);
    for (const std::uint32_t node : bench_.nodes_told(Command::Kind::terminate_instances)) ended_.push_back(node);
    bench_.cluster().audit();
  }

  void compare() {
    const Cluster& cluster = bench_.cluster();
    note_presence();
    for (std::uint32_t n = 0; n < 6; ++n) ASSERT_EQ(cluster.is_down(NodeId{n}), now_ < held_[n]) << n;
    std::vector<Time> times{now_, now_ + draw_.between(0, 5000) * kSecond};
    for (const JobId job : jobs_) {
      const Claim& claim = cluster.claim(job);
      if (claim.kind == Claim::Kind::none) continue;
      times.push_back(std::max(now_, claim.from));
      times.push_back(std::max(now_, claim.until));
    }
    for (std::uint32_t n = 0; n < 6; ++n) {
      times.push_back(std::max(now_, held_[n]));
      times.push_back(std::max(now_, down_until_[n]));
    }
    std::sort(times.begin(), times.end());
    while (times.back() == kNever) times.pop_back();
    for (std::uint32_t q = 0; q < 2; ++q) {
      for (const Time t : times) {
        std::int32_t free = 0;
        for (std::uint32_t n = 0; n < 6; ++n) free += serves(n, q) ? free_at(n, t) : 0;
        ASSERT_EQ(cluster.free_cores(QueueId{q}).free_at(t), free) << "queue " << q << " at " << t / kSecond;
      }
    }
    const JobRequest r = request();
    Shares shares;
    Time first = kNever;
    for (const Time t : times) {
      if (fits(r, t, times)) {
        first = t;
        break;
      }
    }
    ASSERT_EQ(cluster.earliest(r, now_, shares), first);
    ASSERT_EQ(placed(cluster, r, now_), placed_naively(r, times));
  }

 private:
  static constexpr Time kDown = 1000 * kSecond;  // a node takes to power down
  static ClusterSpec design(Draw& draw) {
    ClusterSpec spec;
    for (std::int32_t g = 0; g < 2; ++g) {
      NodeGroupSpec group{3, draw.small(1, 4), Supply::dynamic, draw.small(1, 2)};
      group.present = draw.small(0, 3);
      spec.groups.push_back(group);
    }
    spec.queues.push_back({{GroupId{0}, GroupId{1}}});
    spec.queues.push_back({{GroupId{1}}});  // a group of two queues: certain nodes are reserved, not numbers of cores
    spec.suspend_timeout = kDown;
    for (std::uint32_t i = 0; i < 12; ++i) {
      ClusterChange change;
      change.kind = i < 6 ? ClusterChange::Kind::resize : ClusterChange::Kind::serve;
      change.group = GroupId{i % 2};
      change.queue = QueueId{i % 2};
      change.nodes = draw.small(0, 3);
      change.kept = draw.small(0, change.nodes);
      for (std::uint32_t g = 0; g < 2; ++g) {
        if (!draw.one_in(3)) change.groups.push_back(GroupId{g});
      }
      spec.changes.push_back(change);
    }
    return spec;
  }

  JobRequest request() {
    JobRequest r =
        draw_.one_in(2) ? nodes_for(draw_.small(1, 4), draw_.small(1, 4), 0) : cores_for(draw_.small(1, 12), 0);
    r.limit = draw_.between(1, 1000) * kSecond;
    r.exclusive = draw_.one_in(4);
    r.requeue = draw_.one_in(2);
    return in_queue(static_cast<std::uint32_t>(draw_.below(2)), r);
  }

  Time schedule(const View& view, Plan& plan) {
    for (const JobId job : jobs_) {
      if (view.cluster().claim(job).kind == Claim::Kind::reserved) plan.drop_reservation(job);
    }
    Time next = kNever;
    Shares shares;
    for (std::uint32_t q = 0; q < 2; ++q) {
      bool reserved = false;
      const PendingQueue& pending = view.pending(QueueId{q});
      for (auto p = pending.front(); p != PendingQueue::kEnd; p = pending.next(p + 1)) {
        const JobId job = pending.job_at(p);
        const JobRequest& r = view.jobs().request(job);
        if (view.cluster().place(r, view.now(), shares)) {
          plan.start(job, shares);
        } else if (const Time at = view.cluster().earliest(r, view.now() + 1, shares); !reserved && at < kNever) {
          plan.reserve(job, at, shares);
          next = std::min(next, at);
          reserved = true;
        }
      }
    }
    return next;
  }

  Time scale(const View& view, ScalePlan& plan) {
    const Cluster& cluster = view.cluster();
    note_presence();
    if (std::exchange(acts_, false)) {
      const NodeId node{static_cast<std::uint32_t>(draw_.below(6))};
      const bool has_power = cluster.state(node) == NodeState::up || cluster.state(node) == NodeState::powering_up;
      switch (draw_.below(4)) {
        case 0: {
          const Time until = draw_.one_in(4) ? kNever : view.now() + draw_.between(0, 800) * kSecond;
          plan.hold_back(node, until, Withdrawal::Why::no_capacity);
          hold(number(node), until);
          break;
        }
        case 1:
          if (!cluster.is_present(node)) break;
          plan.give_back(node);
          held_[number(node)] = 0;
          break;
        case 2: {
          if (!has_power) break;
          const Time until = view.now() + draw_.between(0, 300) * kSecond;
          plan.fail({&node, 1}, EndReason::unhealthy_node, until);
          hold(number(node), until);
          break;
        }
        default:
          if (cluster.state(node) == NodeState::up && cluster.jobs_on(node) == 0) {
            plan.terminate({&node, 1});
            down_until_[number(node)] = view.now() + kDown;
          }
          break;
      }
    }
    return launch_what_is_wanted(view, {}, plan);
  }

  void hold(std::uint32_t n, Time until) { held_[n] = std::max(held_[n], until); }  // the latest counts
  // What is not in its group is out of use for ever, and usable when it is there again.
  void note_presence() {
    for (std::uint32_t n = 0; n < 6; ++n) {
      const bool is = bench_.cluster().is_present(NodeId{n});
      if (is && !present_[n]) held_[n] = 0;
      if (!is) held_[n] = kNever;
      present_[n] = is;
    }
  }
  bool serves(std::uint32_t n, std::uint32_t q) const {
    return bench_.cluster().serves(bench_.cluster().group_of(NodeId{n}), QueueId{q});
  }
  bool is_out(std::uint32_t n, Time t) const {
    const Cluster& cluster = bench_.cluster();
    const bool goes_down = cluster.state(NodeId{n}) == NodeState::powering_down && t < down_until_[n];
    return goes_down || t < held_[n];
  }
  std::int32_t free_at(std::uint32_t n, Time t) const {
    const Cluster& cluster = bench_.cluster();
    std::int32_t free = cluster.cores(NodeId{n});
    std::int32_t in_use = 0;
    for (const JobId job : jobs_) {
      const Claim& claim = cluster.claim(job);
      if (claim.kind == Claim::Kind::none) continue;
      for (const NodeShare& share : cluster.shares(job)) {
        if (share.node != NodeId{n}) continue;
        if (claim.from <= t && t < claim.until) free -= share.cores;
        if (claim.kind == Claim::Kind::allocated) in_use += share.cores;
      }
    }
    return is_out(n, t) ? free - cluster.cores(NodeId{n}) + in_use : free;
  }
  std::int32_t least_free(std::uint32_t n, Time from, Time until, const std::vector<Time>& times) const {
    std::int32_t least = free_at(n, from);
    for (const Time t : times) {
      if (from < t && t < until) least = std::min(least, free_at(n, t));
    }
    return least;
  }
  bool suits(const JobRequest& r, std::uint32_t n, std::int32_t free) const {
    if (!serves(n, number(r.queue)) || free <= 0) return false;
    if (r.exclusive && free < bench_.cluster().cores(NodeId{n})) return false;
    return r.nodes == 0 || free >= r.cores;
  }
  bool fits(const JobRequest& r, Time from, const std::vector<Time>& times) const {
    std::int32_t left = r.nodes > 0 ? r.nodes : r.cores;
    for (std::uint32_t n = 0; n < 6; ++n) {
      const std::int32_t free = least_free(n, from, from + r.limit, times);
      if (suits(r, n, free)) left -= r.nodes > 0 ? 1 : free;
    }
    return left <= 0;
  }
  Shares placed_naively(const JobRequest& r, const std::vector<Time>& times) const {
    const Cluster& cluster = bench_.cluster();
    Shares shares;
    std::int32_t left = r.nodes > 0 ? r.nodes : r.cores;
    for (const NodeState state : {NodeState::up, NodeState::powering_up, NodeState::powered_down}) {
      for (std::int32_t weight = 1; weight <= 2; ++weight) {
        for (std::uint32_t n = 0; n < 6; ++n) {
          const NodeId node{n};
          const NodeGroupSpec& group = cluster.spec().groups[index(cluster.group_of(node))];
          if (cluster.state(node) != state || group.weight != weight || cluster.is_down(node)) continue;
          const std::int32_t free = least_free(n, now_, now_ + r.limit, times);
          if (left <= 0 || !suits(r, n, free)) continue;
          const std::int32_t used = r.nodes > 0 ? r.cores : std::min(free, left);
          shares.push_back({node, r.exclusive ? group.cores : used});
          left -= r.nodes > 0 ? 1 : used;
        }
      }
    }
    return left <= 0 ? shares : Shares{};
  }

  Draw draw_;
  ControllerBench bench_;
  std::vector<JobId> jobs_;
  std::vector<Time> held_;  // by node: out of use until then
  std::vector<bool> present_ = std::vector<bool>(6);
  std::vector<Time> down_until_;  // by node: while it powers down
  std::vector<std::uint32_t> ended_;
  Time now_ = 0;
  Time wake_ = 0;
  bool acts_ = false;
};

TEST(ClusterOutOfUse, AgreesWithNaiveBooks) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    Turmoil turmoil(seed);
    for (int i = 0; i < 80; ++i) {
      SCOPED_TRACE(i);
      turmoil.step();
      ASSERT_NO_FATAL_FAILURE(turmoil.compare());
    }
  }
}

}  // namespace
}  // namespace headroom
