// Every scheduling policy against a cloud that refuses, loses and breaks instances at random while the cluster's groups
// and queues change: the core's own assertions, an audit of its books at every step, and the fate of every job.
#include <gtest/gtest.h>

#include "engine/journal.hpp"
#include "engine/loop.hpp"
#include "models/clock/event_queue.hpp"
#include "models/execution/simulated_runner.hpp"
#include "models/policies/registry.hpp"
#include "models/random.hpp"
#include "tests/unit/draw.hpp"

namespace headroom {
namespace {

struct Case {
  Scenario scenario;
  Design design;
  Workload workload;
};

class Rogue {
 public:
  Rogue(const Case& c, Substream& draw, bool keeps_time)
      : case_(c), draw_(draw), runner_(c.workload, !keeps_time), launches_(nodes_of(c.design)) {
    for (std::uint32_t i = 0; i < c.design.spec.changes.size(); ++i) {
      events_.push(between(1, 4000) * kSecond, {Stimulus::Kind::cluster_changed, i, 0});
    }
    if (draw_.below(3) == 0) {
      const Time at = between(1, 2000) * kSecond;
      events_.push(at, {Stimulus::Kind::budget_reached, 0, 1});
      events_.push(at + between(1, 2000) * kSecond, {Stimulus::Kind::budget_reached, 0, 2});
    }
  }

  Time origin() const { return 0; }

  std::optional<Time> wait(Time wake, News& news) {
    news.clear();
    drop_overtaken();
    const auto& jobs = case_.workload.jobs;
    const Time arrival = next_ < jobs.size() ? jobs[next_].request.submit : kNever;
    const Time now = std::min({arrival, events_.next_time(), wake});
    if (now == kNever || now > 40 * kHour) return std::nullopt;
    for (; next_ < jobs.size() && jobs[next_].request.submit == now; ++next_) {
      news.stimuli.push_back({Stimulus::Kind::job_arrived, static_cast<std::uint32_t>(next_), 0});
      news.arrivals.push_back(jobs[next_].request);
    }
    while (events_.next_time() == now) {
      const Stimulus s = events_.next();
      events_.pop();
      news.stimuli.push_back(s);
      if (is_of_instance(s)) {
        auto& foreseen = launches_[s.subject];
        foreseen.erase(std::find(foreseen.begin(), foreseen.end(), std::pair(now, s.kind)));
      }
      if (s.kind == Stimulus::Kind::job_finished) {
        runner_.told(JobId{s.subject}, now);
      } else if (s.kind == Stimulus::Kind::launch_refused || s.kind == Stimulus::Kind::instance_lost) {
        forget(s.subject);
      }
      drop_overtaken();
    }
    return now;
  }

  void carry_out(Time now, const Commands& commands) {
    for (const Command& c : commands.list) {
      switch (c.kind) {
        case Command::Kind::start_job:
          runner_.start(JobId{c.subject}, now, events_);
          break;
        case Command::Kind::stop_job:
          runner_.stop(JobId{c.subject}, static_cast<Outcome>(c.detail), now, events_);
          break;
        case Command::Kind::requeue_job:
        case Command::Kind::end_job:
          runner_.lose(JobId{c.subject}, now);
          break;
        case Command::Kind::launch_instances:
          launch(now, c, commands.shares_of(c));
          break;
        case Command::Kind::terminate_instances:
          for (const NodeShare& s : commands.shares_of(c)) {
            forget(number(s.node));
            events_.push(now + between(0, 30) * kSecond, {Stimulus::Kind::instance_terminated, number(s.node), 0});
          }
          break;
        default:
          break;
      }
    }
  }

  std::size_t troubles() const { return troubles_; }

 private:
  static std::size_t nodes_of(const Design& design) {
    std::size_t nodes = 0;
    for (const NodeGroupSpec& group : design.spec.groups) nodes += static_cast<std::size_t>(group.nodes);
    return nodes;
  }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(draw_.below(static_cast<std::uint64_t>(high - low + 1)));
  }
  static bool is_of_instance(const Stimulus& s) {
    return s.kind == Stimulus::Kind::instance_running || s.kind == Stimulus::Kind::node_ready ||
           (s.kind >= Stimulus::Kind::launch_refused && s.kind <= Stimulus::Kind::spot_warned);
  }
  // What was foreseen for the node's instance does not come.
  void forget(std::uint32_t node) { launches_[node].clear(); }
  void foresee(Time at, Stimulus s) {
    launches_[s.subject].push_back({at, s.kind});
    events_.push(at, s);
  }
  void drop_overtaken() {
    while (!events_.empty()) {
      const Stimulus& s = events_.next();
      const Time at = events_.next_time();
      bool stands = true;
      if (s.kind == Stimulus::Kind::job_finished) stands = runner_.stands(JobId{s.subject}, at);
      if (is_of_instance(s)) {
        const auto& foreseen = launches_[s.subject];
        stands = std::find(foreseen.begin(), foreseen.end(), std::pair(at, s.kind)) != foreseen.end();
      }
      if (stands) return;
      events_.pop();
    }
  }

  void launch(Time now, const Command& c, std::span<const NodeShare> shares) {
    const Time answer = now + (draw_.below(2) == 0 ? 0 : between(0, 5) * kSecond);
    const bool whole = (c.detail & kAllOrNothing) != 0;
    const std::uint64_t mood = draw_.below(4);
    const bool all_refused = draw_.below(4) == 0;
    for (const NodeShare& s : shares) {
      const std::uint32_t node = number(s.node);
      if (mood == 0 && (all_refused || (!whole && draw_.below(2) == 0))) {
        ++troubles_;
        foresee(answer, {Stimulus::Kind::launch_refused, node,
                         static_cast<std::uint32_t>(draw_.below(2) == 0 ? Refusal::request_limit_exceeded
                                                                        : Refusal::insufficient_instance_capacity)});
        continue;
      }
      const Time running = answer + between(1, 20) * kSecond;
      const Time ready = running + between(1, 200) * kSecond;
      foresee(running, {Stimulus::Kind::instance_running, node, 0});
      if (draw_.below(12) > 0) foresee(ready, {Stimulus::Kind::node_ready, node, 0});
      switch (draw_.below(6)) {
        case 0:
          ++troubles_;
          foresee(answer + between(1, 3000) * kSecond, {Stimulus::Kind::instance_lost, node, 1});
          break;
        case 1:
          ++troubles_;
          foresee(answer + between(1, 3000) * kSecond,
                  {Stimulus::Kind::instance_impaired, node, static_cast<std::uint32_t>(draw_.below(kImpairments))});
          break;
        default:
          break;
      }
    }
  }

  const Case& case_;
  Substream& draw_;
  SimulatedRunner runner_;
  EventQueue events_;
  std::size_t next_ = 0;
  std::vector<std::vector<std::pair<Time, Stimulus::Kind>>> launches_;  // by node: what is foreseen for its instance
  std::size_t troubles_ = 0;
};

Case draw_case(Substream& draw) {
  const auto between = [&draw](std::int64_t low, std::int64_t high) {
    return static_cast<std::int32_t>(low +
                                     static_cast<std::int64_t>(draw.below(static_cast<std::uint64_t>(high - low + 1))));
  };
  Case c;
  ClusterSpec& spec = c.design.spec;
  const auto groups = static_cast<std::uint32_t>(between(1, 3));
  std::int32_t most_nodes = 0;
  for (std::uint32_t g = 0; g < groups; ++g) {
    NodeGroupSpec group;
    group.nodes = between(1, 6);
    group.cores = between(1, 4);
    group.supply = draw.below(4) == 0 ? Supply::fixed : Supply::dynamic;
    group.weight = between(1, 3);
    if (draw.below(3) == 0) group.present = between(0, group.nodes);
    if (group.supply == Supply::dynamic && draw.below(4) == 0) {
      group.kept = between(0, group.present < 0 ? group.nodes : group.present);
    }
    most_nodes += group.nodes;
    spec.groups.push_back(group);
    c.design.groups.emplace_back().name = "g" + std::to_string(g);
    c.scenario.groups.emplace_back().name = "g" + std::to_string(g);
  }
  const auto queues = static_cast<std::uint32_t>(between(1, 2));
  for (std::uint32_t q = 0; q < queues; ++q) {
    QueueSpec queue;
    for (std::uint32_t g = 0; g < groups; ++g) {
      if (draw.below(2) == 0) queue.groups.push_back(GroupId{g});
    }
    if (queue.groups.empty()) queue.groups.push_back(GroupId{0});
    queue.open = draw.below(8) > 0;
    spec.queues.push_back(queue);
    c.design.queue_names.push_back("q" + std::to_string(q));
    c.scenario.queues.emplace_back().name = "q" + std::to_string(q);
  }
  spec.suspend_timeout = between(0, 120) * kSecond;
  c.scenario.scaler.suspend_timeout = spec.suspend_timeout;
  c.scenario.scaler.interval = draw.below(2) == 0 ? 0 : between(1, 60) * kSecond;
  c.scenario.scaler.incremental = draw.below(2) == 0;
  c.scenario.scaler.request_size = between(1, 4);
  c.scenario.scaler.retry_interval = between(1, 100) * kSecond;
  c.scenario.scaler.capacity_timeout = draw.below(3) == 0 ? 0 : between(0, 600) * kSecond;
  c.scenario.scaler.boot_timeout = between(200, 1000) * kSecond;
  c.scenario.cluster.scale_down_idle_time = between(1, 300) * kSecond;
  for (std::int32_t i = between(0, 6); i > 0; --i) {
    ClusterChange change;
    change.kind = static_cast<ClusterChange::Kind>(draw.below(8));
    change.group = GroupId{static_cast<std::uint32_t>(draw.below(groups))};
    change.queue = QueueId{static_cast<std::uint32_t>(draw.below(queues))};
    change.nodes = between(0, spec.groups[index(change.group)].nodes);
    change.kept = draw.below(2) == 0 ? 0 : between(0, change.nodes);
    change.idle_time = between(1, 500) * kSecond;
    for (std::uint32_t g = 0; g < groups; ++g) {
      if (draw.below(2) == 0) change.groups.push_back(GroupId{g});
    }
    spec.changes.push_back(change);
  }
  c.workload.user_names = {"a", "b"};
  Time submit = 0;
  for (std::int32_t j = between(1, 40); j > 0; --j) {
    WorkloadJob job;
    submit += draw.below(3) == 0 ? 0 : between(0, 200) * kSecond;
    JobRequest& r = job.request;
    r.submit = submit;
    r.queue = QueueId{static_cast<std::uint32_t>(draw.below(queues))};
    r.user = static_cast<std::uint32_t>(draw.below(2));
    if (draw.below(2) == 0) r.nodes = between(1, most_nodes);
    r.cores = between(1, 4);
    r.exclusive = draw.below(4) == 0;
    r.requeue = draw.below(5) > 0;
    r.limit = between(1, 1500) * kSecond;
    job.run_time = between(0, 1500) * kSecond;
    if (draw.below(4) == 0) job.checkpoint_interval = between(10, 300) * kSecond;
    c.workload.jobs.push_back(job);
  }
  return c;
}

class RogueCloud : public testing::TestWithParam<PolicyEntry> {};

TEST_P(RogueCloud, LosesNoJob) {
  std::size_t troubles = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    SCOPED_TRACE(seed);
    std::string digests[2];
    for (std::string& digest : digests) {
      Substream draw(seed, Purpose::property_suite, 1);
      const Case c = draw_case(draw);
      Policies policies = GetParam().make(c.scenario, c.design);
      Controller controller(c.design.spec, std::move(policies.scheduler), std::move(policies.scaler));
      Rogue world(c, draw, controller.keeps_time());
      Journal journal;
      struct Audit {
        const Controller& controller;
        void append(Time, const News&, const Commands&) { controller.cluster().audit(); }
      } audit{controller};
      try {
        run(world, controller, journal, audit);
      } catch (const Bug& bug) {
        FAIL() << bug.what();
      }
      digest = journal.finish();
      troubles += world.troubles();
      for (std::uint32_t j = 0; j < controller.jobs().size(); ++j) {
        const JobState state = controller.jobs().state(JobId{j});
        ASSERT_TRUE(is_final(state) || state == JobState::pending || state == JobState::configuring) << j;
      }
    }
    ASSERT_EQ(digests[0], digests[1]);
  }
  EXPECT_GT(troubles, 5000u);
}

const auto kName = [](const testing::TestParamInfo<PolicyEntry>& test) { return test_name(test.param.name); };
INSTANTIATE_TEST_SUITE_P(Registered, RogueCloud, testing::ValuesIn(scheduler_policies()), kName);

}  // namespace
}  // namespace headroom
