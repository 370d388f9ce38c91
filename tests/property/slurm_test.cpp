// What policy slurm promises on random clusters, with books of the test's own: backfill delays nobody that it planned
// before, nothing is ever held twice, no job is lost, components of a heterogeneous job start together, and fair share
// falls with what one uses.
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/policies/slurm/fairshare.hpp"
#include "tests/unit/draw.hpp"
#include "tests/unit/slurm_bench.hpp"

namespace headroom::slurm {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

template <class Of>
void give(Of& of, const Settings& settings) {
  for (const auto& [name, value] : settings) ASSERT_EQ(set(of, name, value), "") << name;
}

// --- backfill -------------------------------------------------------------------------------------------------------

// What waiting jobs were promised by a cycle has to be possible beside all that runs after it, whatever the cycle
// started: the same question without what was started is answered by the cycle itself. Of each job alone this is asked
// for CPUs, memory, GPUs and licences; of all of them together for whole nodes of one partition, where numbers suffice.
class Promises {
 public:
  Promises(const State& state, const Controller& controller, Time now) : state_(state), now_(state.second(now)) {
    // What would start when the plan ends, or later, reserves nothing.
    const Second window_end = (now_ + state.conf.bf_window) / state.conf.bf_resolution * state.conf.bf_resolution;
    for (std::uint32_t j = 0; j < state.jobs.size(); ++j) {
      const JobId id{j};
      const Job& job = state.jobs[id];
      if (controller.jobs().state(id) != JobState::pending || job.rejected) continue;
      if (job.start > now_ && job.start < window_end) planned_.push_back(&job);
    }
    available_ = state.nodes->available(controller.cluster());
  }
  std::size_t count() const { return planned_.size(); }

  void check_each() const {
    for (const Job* const job : planned_) {
      const NodeTable& nodes = *state_.nodes;
      std::int32_t fitting = 0;
      std::int64_t cpus = 0;
      nodes.partition(job->queue).for_each([&](Index n) {
        if (!available_.test(n)) return;
        std::int32_t free = nodes[n].cpus;
        std::int32_t memory = nodes[n].memory;
        std::int32_t gpus = 0;
        for (std::size_t p = nodes.first_pool(n); p < nodes.first_pool(n + 1); ++p) gpus += nodes.pools()[p].count;
        bool idle = true;
        for (const JobId id : state_.jobs.active()) {
          const Job& other = state_.jobs[id];
          if (other.end <= job->start) continue;
          for (const Selector::Share& share : other.shares) {
            if (share.node != n) continue;
            idle = false;
            free -= share.cpus;
            memory -= memory_of(other, share.cpus, nodes[n]);
            gpus -= share.gpus;
          }
        }
        if (job->ask.whole_nodes && !idle) return;
        const std::int32_t least = std::max(job->ask.cpus_per_node(), 1);
        if (free < least || memory < memory_of(*job, least, nodes[n])) return;
        if (job->needs != nullptr && !job->needs->gres.empty() && gpus < job->needs->gres.front().per_node) return;
        ++fitting;
        cpus += free;
      });
      ASSERT_GE(fitting, job->ask.min_nodes) << describe(*job);
      ASSERT_GE(cpus, job->ask.cpus) << describe(*job);
      if (!state_.conf.bf_licenses || job->needs == nullptr) continue;
      for (const auto& [license, wanted] : job->needs->licenses.of) {
        std::int32_t left = state_.conf.licenses[license].count;
        for (const JobId id : state_.jobs.active()) {
          if (state_.jobs[id].end <= job->start) continue;
          for (const auto& [held, count] : state_.jobs[id].licenses.of) left -= held == license ? count : 0;
        }
        ASSERT_GE(left, wanted) << describe(*job) << ": licences";
      }
    }
  }

  // Where all jobs take whole nodes of one partition.
  void check_all() const {
    const Second resolution = state_.conf.bf_resolution;
    const bool whole_ends = state_.conf.version.plans_whole_ends();
    for (const Job* const job : planned_) {
      std::int32_t taken = 0;
      for (const JobId id : state_.jobs.active()) {
        if (state_.jobs[id].end > job->start) taken += state_.jobs[id].nodes.count_common(available_);
      }
      for (const Job* const other : planned_) {
        const Second end = (other->start + other->limit + (whole_ends ? resolution - 1 : 0)) / resolution * resolution;
        const Second from = other->start / resolution * resolution;
        if (other->start <= job->start && std::max(end, from + resolution) > job->start) taken += other->ask.min_nodes;
      }
      ASSERT_LE(taken, available_.count()) << describe(*job);
    }
  }

 private:
  std::int32_t memory_of(const Job& job, std::int32_t cpus, const Node& node) const {
    if (!state_.conf.memory) return 0;
    switch (job.ask.memory_unit) {
      case MemoryUnit::per_node:
        return job.ask.memory;
      case MemoryUnit::per_core:
        return job.ask.memory * cpus;
      case MemoryUnit::whole:
        break;
    }
    return node.memory;
  }
  std::string describe(const Job& job) const {
    return fmt::format("job {}, planned for {} s, at {} s", number(job.id), job.start - state_.conf.phases.epoch,
                       now_ - state_.conf.phases.epoch);
  }

  const State& state_;
  Second now_;
  std::vector<const Job*> planned_;
  NodeBits available_;
};

TEST(SlurmProperty, BackfillDelaysNobodyThatItPlanned) {
  std::size_t promises = 0;
  std::size_t backfilled = 0;
  for (std::uint64_t seed = 1; seed <= 2000 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    SlurmBench b;
    const bool alike = draw.one_in(3);  // whole nodes of one partition
    constexpr int kVersions[] = {2205, 2302, 2311, 2405, 2411, 2505};
    b.conf.version.number = kVersions[draw.below(std::size(kVersions))];
    b.conf.bf_resolution = draw.one_in(2) ? 1 : draw.one_in(2) ? 60 : 300;
    b.conf.bf_interval = draw.one_in(2) ? 30 : 10;
    if (draw.one_in(4)) b.conf.bf_window = 60 * draw.small(5, 30);
    if (draw.one_in(4)) b.conf.bf_max_job_test = draw.small(2, 12);
    if (draw.one_in(4)) b.conf.bf_max_job_start = draw.small(1, 3);
    if (draw.one_in(4)) b.conf.bf_window_linear = draw.small(10, 200);
    b.conf.memory = !alike && draw.one_in(3);
    if (!alike && draw.one_in(2)) give(b.conf, {{"SchedulerParameters", "bf_licenses"}});
    b.conf.licenses = {{"abc", 3}, {"xyz", 5}};
    const std::uint32_t first = b.fixed("n", draw.small(2, 6), 4);
    const std::uint32_t second = alike ? first : b.fixed("m", draw.small(1, 3), 8, draw.small(1, 2));
    if (alike) {
      b.partition({first});
    } else {
      b.conf.node_settings.resize(2);
      b.conf.node_settings[1].gres.push_back({"gpu", "", 2});
      b.partition({first, second});
      b.partition({second});
      b.partition({first}).priority_tier = draw.small(1, 2);
    }
    double submit = 0.5;
    for (int j = 0; j < 40; ++j) {
      submit += static_cast<double>(draw.between(0, 60'000)) / 1000;
      // Ends of plans used to be rounded down: those of jobs shorter than bf_resolution overlapped.
      const auto least = static_cast<std::int32_t>(std::max<Second>(b.conf.bf_resolution / 60, 1));
      const std::int32_t minutes = draw.small(least, least + 7);
      Draft& d = b.job(submit, static_cast<double>(draw.between(5'000, minutes * 60'000 - 1'000)) / 1000);
      d.minutes(minutes);
      if (draw.one_in(3)) d.priority(static_cast<std::uint32_t>(draw.small(1, 5)));
      if (alike) {
        d.nodes(draw.small(1, 4), 1).exclusive();
        continue;
      }
      d.partition(static_cast<std::uint32_t>(draw.small(0, 2)));
      if (draw.one_in(2)) {
        d.nodes(draw.small(1, 3), draw.small(1, 4));
      } else {
        d.cpus(draw.small(1, 10));
      }
      if (draw.one_in(8)) d.exclusive();
      if (b.conf.memory) d.memory(draw.small(100, 3000));
      if (draw.one_in(5)) d.asks.gres = "gpu:" + std::to_string(draw.small(1, 2));
      if (draw.one_in(5)) d.asks.licenses = draw.one_in(2) ? "abc:2" : "xyz:" + std::to_string(draw.small(1, 5));
      if (draw.one_in(12)) b.ask(submit + draw.small(5, 100), b.last(), JobAction::requeue);
      if (draw.one_in(12)) b.ask(submit + draw.small(5, 100), b.last(), JobAction::cancel);
    }
    b.look_at_plan = [&](const State& state, const Controller& controller, Time now) {
      const Promises made(state, controller, now);
      promises += made.count();
      made.check_each();
      if (alike) made.check_all();
    };
    const Story s = b.run();
    for (const Story::JobStory& job : s.jobs) {
      for (const std::string& allocation : job.allocations) backfilled += allocation.ends_with("backfill") ? 1U : 0U;
    }
  }
  EXPECT_GT(promises, 100'000u);
  EXPECT_GT(backfilled, 1'000u);
}

}  // namespace
}  // namespace headroom::slurm
