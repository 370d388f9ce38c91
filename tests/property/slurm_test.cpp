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
    b.look_closer = [&](const State& state, const Controller& controller, Time now, bool planned) {
      if (!planned) return;
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

// --- what is never exceeded ------------------------------------------------------------------------------------------

// A cluster in which everything is scarce, and what a job was told that it may have.
struct Scarce : SlurmBench {
  explicit Scarce(Draw& draw) {
    plain = fixed("n", draw.small(2, 4), 4);
    with_gpus = fixed("g", draw.small(1, 3), 8);
    conf.node_settings.resize(2);
    conf.node_settings[1].gres.push_back({"gpu", "", draw.small(1, 4)});
    conf.licenses = {{"abc", draw.small(1, 4)}, {"xyz", draw.small(2, 6)}};
    partition({plain, with_gpus});
    partition({with_gpus});
    for (std::size_t q = 0; q < 2; ++q) {
      Partition& p = conf.partitions[q];
      p.name = q == 0 ? "all" : "gpus";
      if (draw.one_in(4)) p.exclusive_user = true;
      if (draw.one_in(4)) p.max_cpus_per_node = draw.small(2, 3);
      if (draw.one_in(4)) p.max_nodes = draw.small(1, 3);
      if (draw.one_in(4)) p.max_time = 60 * draw.small(1, 3);
    }
    give(conf, {{"AccountingStorageType", "accounting_storage/slurmdbd"}, {"AccountingStorageEnforce", "limits,qos"}});
    conf.multifactor = draw.one_in(2);
    accounting.qos.emplace_back().name = "normal";
    accounting.qos.emplace_back().name = "q";
    set_limits(draw, accounting.qos[1].limits);
    for (Qos& qos : accounting.qos) {
      if (draw.one_in(3)) qos.limits.max_tres_user[Tres::gpu] = draw.small(1, 3);
    }
    for (const char* const name : {"top", "a", "b"}) {
      Account& account = accounting.accounts.emplace_back();
      account.name = name;
      if (account.name == "a") account.parent = "top";
      account.qos = {"normal", "q"};
      set_limits(draw, account.limits);
    }
    for (const char* const name : {"u", "v", "w"}) {
      User& user = accounting.users.emplace_back();
      user.name = name;
      user.accounts = {"a", "b"};
      if (draw.one_in(3)) user.limits.max_jobs = draw.small(1, 3);
    }
  }
  static void set_limits(Draw& draw, Limits& limits) {
    if (draw.one_in(3)) limits.grp_tres[Tres::cpu] = draw.small(4, 16);
    if (draw.one_in(3)) limits.grp_tres[Tres::node] = draw.small(2, 4);
    if (draw.one_in(3)) limits.grp_tres[Tres::gpu] = draw.small(1, 4);
    if (draw.one_in(4)) limits.grp_tres[Tres::mem] = draw.small(2, 12) * 1000;
    if (draw.one_in(3)) limits.grp_jobs = draw.small(1, 4);
    if (draw.one_in(3)) limits.grp_submit_jobs = draw.small(4, 12);
  }

  std::uint32_t plain = 0;
  std::uint32_t with_gpus = 0;
};

class Books {
 public:
  // `owned`: whether a job asked for --exclusive=user.
  Books(const State& state, const std::vector<bool>& owned) : state_(state), nodes_(*state.nodes), owned_(owned) {}

  void check_nodes() const {
    std::vector<std::int64_t> cpus(nodes_.size());
    std::vector<std::int64_t> memory(nodes_.size());
    std::vector<std::int64_t> pools(nodes_.pools().size());
    std::vector<std::vector<const Job*>> on(nodes_.size());
    std::vector<std::int64_t> licenses(state_.conf.licenses.size());
    std::map<std::pair<QueueId, Index>, std::int64_t> partition_cpus;
    each_active([&](const Job& job) {
      for (const Selector::Share& share : job.shares) {
        cpus[share.node] += share.cpus;
        memory[share.node] += memory_of(job, share);
        partition_cpus[{job.queue, share.node}] += share.cpus;
        on[share.node].push_back(&job);
        ASSERT_TRUE(nodes_.partition(job.queue).test(share.node)) << number(job.id);
      }
      for (const GresShare& share : job.gres) pools[share.pool] += share.count;
      for (const auto& [license, count] : job.licenses.of) licenses[license] += count;
      // It holds what it asked for.
      std::int32_t wanted_licenses = 0;
      std::int32_t has_licenses = 0;
      std::int32_t gpus_on_each = 0;
      if (job.needs != nullptr) {
        for (const auto& [license, count] : job.needs->licenses.of) wanted_licenses += count;
        for (const GresRequest& request : job.needs->gres) gpus_on_each += request.per_node;
      }
      for (const auto& [license, count] : job.licenses.of) has_licenses += count;
      ASSERT_EQ(has_licenses, wanted_licenses) << number(job.id);
      for (const Selector::Share& share : job.shares) ASSERT_GE(share.gpus, gpus_on_each) << number(job.id);
      const Partition& partition = state_.conf.partitions[index(job.queue)];
      if (partition.max_nodes > 0) {
        ASSERT_LE(std::ssize(job.shares), partition.max_nodes) << number(job.id);
      }
      if (partition.max_time) {
        ASSERT_LE(job.limit, *partition.max_time) << number(job.id);
      }
    });
    for (Index n = 0; n < nodes_.size(); ++n) {
      ASSERT_LE(cpus[n], nodes_[n].cpus) << nodes_[n].name;
      if (state_.conf.memory) {
        ASSERT_LE(memory[n], nodes_[n].memory) << nodes_[n].name;
      }
      for (const Job* const job : on[n]) {
        const bool alone = job->ask.whole_nodes;
        const bool own = state_.conf.partitions[index(job->queue)].exclusive_user || owned_[index(job->id)];
        for (const Job* const other : on[n]) {
          if (job == other) continue;
          ASSERT_FALSE(alone) << number(job->id) << " and " << number(other->id) << " on " << nodes_[n].name;
          if (own) {
            ASSERT_EQ(job->user, other->user) << number(job->id) << " and " << number(other->id);
          }
        }
      }
    }
    for (std::size_t p = 0; p < pools.size(); ++p) ASSERT_LE(pools[p], nodes_.pools()[p].count) << "pool " << p;
    for (std::size_t l = 0; l < licenses.size(); ++l) ASSERT_LE(licenses[l], state_.conf.licenses[l].count);
    for (const auto& [where, sum] : partition_cpus) {
      const std::int32_t most = state_.conf.partitions[index(where.first)].max_cpus_per_node;
      if (most > 0) {
        ASSERT_LE(sum, most) << nodes_[where.second].name;
      }
    }
  }

  // Nodes of a reservation that has begun are its jobs', unless a job was there before it was asked for.
  void check_reservations(Second now, const std::vector<Second>& asked_at) const {
    const std::vector<Reservation>& all = state_.reservations.all();
    each_active([&](const Job& job) {
      for (std::size_t r = 0; r < all.size(); ++r) {
        const Reservation& reservation = all[r];
        const bool in_it = job.reservation == static_cast<std::int32_t>(r);
        if (in_it) {
          ASSERT_TRUE(std::find(reservation.users.begin(), reservation.users.end(),
                                state_.accounting.users[job.user].name) != reservation.users.end());
          if (reservation.flags.flex) continue;
          ASSERT_TRUE(job.nodes.within(reservation.nodes)) << number(job.id);
          ASSERT_GE(job.start, reservation.start) << number(job.id);
          continue;
        }
        if (reservation.gone || !reservation.whole_nodes || !reservation.has_nodes) continue;
        if (now < reservation.start || now >= reservation.end || job.start <= asked_at[r]) continue;
        ASSERT_FALSE(job.nodes.overlaps(reservation.nodes)) << number(job.id) << " in " << reservation.name;
      }
    });
  }

  // Of associations and QOS, by what jobs hold; `waiting` are those that were submitted and hold nothing.
  void check_limits(const std::vector<JobId>& waiting) const {
    const Associations& of = state_.associations;
    struct Sum {
      std::int64_t jobs = 0;
      std::int64_t submitted = 0;
      TresCounts tres;
      std::set<Index> nodes;
    };
    std::vector<Sum> sums(of.size());
    std::vector<Sum> per_qos(of.qos().size());
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::int64_t> gpus_of_user;
    std::vector<std::map<std::uint32_t, std::int64_t>> jobs_of_user(of.size());
    const auto add = [&](Sum& sum, const Job& job) {
      ++sum.jobs;
      ++sum.submitted;
      for (const Selector::Share& share : job.shares) {
        sum.tres[Tres::cpu] += share.cpus;
        sum.tres[Tres::gpu] += share.gpus;
        sum.tres[Tres::mem] += memory_of(job, share);
        sum.nodes.insert(share.node);
      }
    };
    each_active([&](const Job& job) {
      for (std::uint32_t a = job.payer.association; a != kNobody; a = of[a].above) {
        add(sums[a], job);
        ++jobs_of_user[a][job.user];
      }
      if (job.payer.qos == kNobody) return;
      add(per_qos[job.payer.qos], job);
      for (const Selector::Share& share : job.shares) gpus_of_user[{job.payer.qos, job.user}] += share.gpus;
    });
    for (const JobId id : waiting) {
      const Job& job = state_.jobs[id];
      for (std::uint32_t a = job.payer.association; a != kNobody; a = of[a].above) ++sums[a].submitted;
      if (job.payer.qos != kNobody) ++per_qos[job.payer.qos].submitted;
    }
    const auto check = [&](Sum& sum, const Limits& limits, const Limits* hidden_by, const std::string& whose) {
      sum.tres[Tres::node] = static_cast<std::int64_t>(sum.nodes.size());
      for (const Tres t : {Tres::cpu, Tres::mem, Tres::node, Tres::gpu}) {
        if (limits.grp_tres[t] == kNoLimit || (hidden_by != nullptr && hidden_by->grp_tres[t] != kNoLimit)) continue;
        ASSERT_LE(sum.tres[t], limits.grp_tres[t]) << whose << ": " << tres_name(t);
      }
      const auto within = [&](std::int64_t used, std::int64_t limit, std::int64_t hiding) {
        return limit == kNoLimit || hiding != kNoLimit || used <= limit;
      };
      const std::int64_t by_jobs = hidden_by == nullptr ? kNoLimit : hidden_by->grp_jobs;
      const std::int64_t by_submit = hidden_by == nullptr ? kNoLimit : hidden_by->grp_submit_jobs;
      ASSERT_TRUE(within(sum.jobs, limits.grp_jobs, by_jobs)) << whose << ": jobs";
      ASSERT_TRUE(within(sum.submitted, limits.grp_submit_jobs, by_submit)) << whose << ": submitted";
    };
    for (std::uint32_t q = 0; q < per_qos.size(); ++q) {
      check(per_qos[q], of.qos()[q].limits, nullptr, "QOS " + of.qos()[q].name);
      for (std::uint32_t u = 0; u < state_.accounting.users.size(); ++u) {
        const std::int64_t most = of.qos()[q].limits.max_tres_user[Tres::gpu];
        if (most != kNoLimit) {
          ASSERT_LE((gpus_of_user[{q, u}]), most) << "QOS " << q << ", user " << u;
        }
      }
    }
    // Limits of a QOS hide the same ones of associations.
    for (std::uint32_t a = 0; a < sums.size(); ++a) {
      check(sums[a], of[a].limits, &of.qos()[1].limits, "association " + std::to_string(a));
      for (const auto& [user, jobs] : jobs_of_user[a]) {
        if (of[a].is_user() && of[a].limits.max_jobs != kNoLimit) {
          ASSERT_LE(jobs, of[a].limits.max_jobs);
        }
      }
    }
  }

 private:
  template <class Visit>
  void each_active(Visit visit) const {
    for (const JobId id : state_.jobs.active()) visit(state_.jobs[id]);
  }
  std::int64_t memory_of(const Job& job, const Selector::Share& share) const {
    switch (job.ask.memory_unit) {
      case MemoryUnit::per_node:
        return job.ask.memory;
      case MemoryUnit::per_core:
        return std::int64_t{job.ask.memory} * share.cpus;
      case MemoryUnit::whole:
        break;
    }
    return state_.conf.memory ? nodes_[share.node].memory : 0;
  }

  const State& state_;
  const NodeTable& nodes_;
  const std::vector<bool>& owned_;
};

TEST(SlurmProperty, NothingIsEverExceeded) {
  std::size_t started = 0;
  std::size_t reserved = 0;
  std::size_t over = 0;
  for (std::uint64_t seed = 1; seed <= 500 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    Scarce b(draw);
    constexpr int kVersions[] = {2205, 2302, 2311, 2405, 2411, 2505};
    b.conf.version.number = kVersions[draw.below(std::size(kVersions))];
    b.conf.memory = draw.one_in(3);
    b.conf.bf_interval = 10;
    if (draw.one_in(3)) give(b.conf, {{"SchedulerParameters", "bf_licenses"}});
    b.conf.assoc_limit_stop = draw.one_in(4);
    for (int r = draw.small(0, 3); r > 0; --r) {
      ReservationRequest& request = b.conf.reservations.emplace_back();
      const Second at = 1 + 100 * static_cast<Second>(b.conf.reservations.size()) + draw.small(0, 60);
      request.at = at * kSecond + kSecond / 10;
      request.what.name = "r" + std::to_string(r);
      const std::string start = draw.one_in(3) ? "now" : "now+" + std::to_string(draw.small(10, 120));
      give(request.what, {{"Users", draw.one_in(2) ? "u" : "u,v"},
                          {"StartTime", start},
                          {"Duration", std::to_string(draw.small(1, 5))}});
      if (draw.one_in(2)) {
        give(request.what, {{"NodeCnt", std::to_string(draw.small(1, 3))}});
      } else {
        give(request.what, {{"Nodes", draw.one_in(2) ? "n1,g1" : "n[1-2]"}});
      }
      if (draw.one_in(4)) give(request.what, {{"Flags", "MAGNETIC"}});
      if (draw.one_in(4)) give(request.what, {{"Flags", "FLEX"}});
    }
    std::vector<bool> own_nodes;
    double submit = 0.5;
    for (int j = 0; j < 40; ++j) {
      submit += static_cast<double>(draw.between(0, 20'000)) / 1000;
      const std::int32_t minutes = draw.small(1, 4);
      Draft& d = b.job(submit, static_cast<double>(draw.between(5'000, minutes * 60'000 - 1'000)) / 1000);
      d.minutes(minutes).partition(static_cast<std::uint32_t>(draw.small(0, 1)));
      d.user(static_cast<std::uint32_t>(draw.small(0, 2))).account(draw.one_in(2) ? "a" : "b");
      if (draw.one_in(2)) d.qos("q");
      if (draw.one_in(2)) {
        d.nodes(draw.small(1, 3), draw.small(1, 4));
      } else {
        d.cpus(draw.small(1, 6));
      }
      if (draw.one_in(8)) d.exclusive();
      if (b.conf.memory) d.memory(draw.small(100, 2000));
      if (draw.one_in(3)) d.asks.gres = "gpu:" + std::to_string(draw.small(1, 2));
      if (draw.one_in(3)) d.asks.licenses = draw.one_in(2) ? "abc:1,xyz:2" : "xyz:" + std::to_string(draw.small(1, 3));
      d.asks.exclusive_user = draw.one_in(6);
      own_nodes.push_back(d.asks.exclusive_user);
      if (!b.conf.reservations.empty() && draw.one_in(5)) d.asks.reservation = b.conf.reservations.front().what.name;
      if (draw.one_in(10)) b.ask(submit + draw.small(5, 100), b.last(), JobAction::requeue);
      if (draw.one_in(10)) b.ask(submit + draw.small(5, 100), b.last(), JobAction::cancel);
    }
    b.look_closer = [&](const State& state, const Controller& controller, Time now, bool) {
      const Books books(state, own_nodes);
      books.check_nodes();
      std::vector<Second> asked_at;
      for (const Reservation& r : state.reservations.all()) {
        for (const ReservationRequest& request : state.conf.reservations) {
          if (request.what.name == r.name) asked_at.push_back(state.second(request.at));
        }
      }
      reserved += asked_at.size();
      books.check_reservations(state.second(now), asked_at);
      std::vector<JobId> waiting;
      for (std::uint32_t j = 0; j < state.jobs.size(); ++j) {
        if (controller.jobs().state(JobId{j}) == JobState::pending) waiting.push_back(JobId{j});
      }
      books.check_limits(waiting);
    };
    const Story s = b.run();
    for (const Story::JobStory& job : s.jobs) {
      started += job.allocations.size();
      over += is_final(job.state) ? 1U : 0U;
    }
  }
  EXPECT_GT(started, 5'000u);
  EXPECT_GT(reserved, 1'000u);
  EXPECT_GT(over, 5'000u);
}

}  // namespace
}  // namespace headroom::slurm
