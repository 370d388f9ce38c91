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
  for (std::uint64_t seed = 1; seed <= 1500 && !testing::Test::HasFailure(); ++seed) {
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
  for (std::uint64_t seed = 1; seed <= 300 && !testing::Test::HasFailure(); ++seed) {
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
  EXPECT_GT(started, 3'000u);
  EXPECT_GT(reserved, 1'000u);
  EXPECT_GT(over, 3'000u);
}

// --- no job is lost -------------------------------------------------------------------------------------------------

// Jobs that push each other aside, on nodes that die and come back, while users cancel and requeue them; some are
// components of heterogeneous jobs. `runs`: how long each job runs if nothing comes between.
struct Unrest {
  std::unique_ptr<SlurmBench> bench = std::make_unique<SlurmBench>();
  std::vector<double> runs;
  std::vector<bool> cancelled;
  bool cancels = false;  // some are cancelled to make way
  bool grace = false;

  explicit Unrest(std::uint64_t seed) {
    Draw draw(seed);
    SlurmBench& b = *bench;
    const bool by_qos = draw.one_in(2);
    const auto mode = [&] { return draw.one_in(2) ? PreemptMode::requeue : PreemptMode::cancel; };
    b.conf.multifactor = b.conf.accounting = true;
    b.conf.preempt = by_qos ? Preempt::qos : Preempt::partition_prio;
    b.conf.preempt_mode = mode();
    b.conf.preempt_youngest_first = draw.one_in(2);
    b.conf.preempt_strict_order = draw.one_in(2);
    b.conf.preempt_reorder_count = draw.small(0, 3);
    b.conf.preempt_exempt_time = draw.one_in(3) ? draw.small(1, 40) : 0;
    b.conf.bf_interval = 10;
    b.conf.whole_hetjob = draw.one_in(2);
    b.conf.slurmd_timeout = 30;
    b.conf.licenses = {{"abc", 2}};
    constexpr int kVersions[] = {2205, 2302, 2311, 2405, 2411, 2505};
    b.conf.version.number = kVersions[draw.below(std::size(kVersions))];
    b.conf.resume_timeout = 200;
    const std::int32_t count = draw.small(2, 4);
    const bool boots = draw.one_in(4);
    const std::uint32_t nodes = boots ? b.cloud("n", count, 4, 40) : b.fixed("n", count, 4);
    for (std::int32_t tier = 1; tier <= 2; ++tier) {
      Partition& partition = b.partition({nodes});
      if (!by_qos) partition.priority_tier = tier;
      if (!by_qos && draw.one_in(3)) partition.preempt_mode = mode();
      if (!by_qos && draw.one_in(3)) partition.grace_time = draw.small(1, 60);
      grace |= partition.grace_time > 0;
      cancels |= partition.preempt_mode == PreemptMode::cancel;
    }
    for (const auto& [name, priority] : {std::pair("normal", 10U), std::pair("low", 1U), std::pair("high", 100U)}) {
      Qos& qos = b.accounting.qos.emplace_back();
      qos.name = name;
      qos.priority = priority;
      if (by_qos && draw.one_in(3)) qos.preempt_mode = mode();
      if (by_qos && draw.one_in(3)) qos.grace_time = draw.small(1, 60);
      grace |= qos.grace_time > 0;
      cancels |= qos.preempt_mode == PreemptMode::cancel;
    }
    b.accounting.qos[2].preempts = {"normal", "low"};
    cancels |= b.conf.preempt_mode == PreemptMode::cancel;
    double at = 0;
    for (int i = draw.small(6, 16); i > 0; --i) {
      at += draw.small(0, 15);
      const std::int32_t components = draw.one_in(5) ? draw.small(2, std::min(count, 3)) : 1;
      const double run = draw.small(5, 150) + 0.3;
      const char* const qos = draw.one_in(3) ? "high" : draw.one_in(2) ? "low" : "normal";
      const auto queue = static_cast<std::uint32_t>(draw.small(0, 1));
      const bool no_requeue = draw.one_in(5);
      for (std::int32_t c = 0; c < components; ++c) {
        Draft& job = b.job(at + 0.1, run).cpus(draw.small(1, 4)).minutes(3).qos(qos).partition(queue);
        if (components > 1) job.component(c, components);
        if (no_requeue) job.no_requeue();
        cancels |= no_requeue;
        if (draw.one_in(5)) job.exclusive();
        if (components == 1 && draw.one_in(5)) job.asks.licenses = "abc";
        job.stops_in(draw.one_in(4) ? draw.small(5, 40) : 0.5);
        runs.push_back(run);
        cancelled.push_back(false);
      }
      // Of a component it may be refused, or mean all.
      if (draw.one_in(8)) b.ask(at + draw.small(5, 120), b.last(), JobAction::requeue);
      if (draw.one_in(8)) {
        b.ask(at + draw.small(5, 120), b.last(), JobAction::cancel);
        for (std::size_t j = runs.size() - static_cast<std::size_t>(components); j < runs.size(); ++j) {
          cancelled[j] = true;
        }
      }
    }
    for (int i = draw.small(0, 2); i > 0; --i) {
      const std::string name = "n" + std::to_string(draw.small(1, count));
      const double dies = draw.small(10, 200);
      b.kill_node(dies, name);
      const double back = dies + draw.small(5, 100);  // also before it is missed
      b.restart_node(back, name);
      b.ask(back + 1, name, NodeAction::resume);
    }
  }
};

TEST(SlurmProperty, NoJobIsLost) {
  std::size_t attempts = 0;
  std::size_t jobs = 0;
  std::size_t pushed_out = 0;
  std::size_t lost_with_node = 0;
  for (std::uint64_t seed = 1; seed <= 120 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Unrest unrest(seed);
    const Story s = unrest.bench->run();
    for (std::uint32_t j = 0; j < s.jobs.size(); ++j) {
      SCOPED_TRACE("job " + std::to_string(j));
      const Story::JobStory& job = s[j];
      if (job.rejection) continue;
      ++jobs;
      attempts += job.allocations.size();
      ASSERT_TRUE(is_final(job.state)) << state_letters(job.state) << ": " << s.reason(j, 1e9);
      // What is over stays over.
      std::size_t ends = 0;
      for (const auto& [when, state] : job.states) {
        ends += state == "CD" || state == "CA" || state == "TO" || state == "NF" || state == "F" ? 1U : 0U;
      }
      ASSERT_EQ(ends, 1u);
      switch (job.state) {
        case JobState::completed:
          ASSERT_NEAR(job.ended - job.started, unrest.runs[j], 0.01) << "in one piece";
          break;
        case JobState::cancelled:
          ASSERT_TRUE(unrest.cancelled[j] || unrest.cancels);
          pushed_out += unrest.cancelled[j] ? 0U : 1U;
          break;
        case JobState::timed_out:
          ASSERT_TRUE(unrest.grace) << "it ends by itself after its grace, before the check";
          break;
        case JobState::node_failed:
          ++lost_with_node;
          break;
        default:
          FAIL() << state_letters(job.state);
      }
    }
    if (seed % 10 == 0) {
      ASSERT_EQ(Unrest(seed).bench->run().digest, s.digest);
    }
  }
  EXPECT_GT(attempts, jobs + 100);
  EXPECT_GT(pushed_out, 50u);
  EXPECT_GT(lost_with_node, 2u);
}

// Components get their nodes in one step, or none does, and none waits while others hold theirs; what is over may be
// missing.
TEST(SlurmProperty, ComponentsStartTogether) {
  std::size_t starts = 0;
  for (std::uint64_t seed = 1; seed <= 120 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Unrest unrest(seed);
    std::vector<bool> held;
    unrest.bench->look_closer = [&](const State& state, const Controller& controller, Time now, bool) {
      held.resize(state.jobs.size());
      std::map<JobId, std::pair<std::int32_t, std::int32_t>> started;  // by leader: so many started, so many did not
      std::map<JobId, std::pair<bool, bool>> apart;                    // some hold nodes, some wait
      for (std::uint32_t j = 0; j < state.jobs.size(); ++j) {
        const Job& job = state.jobs[JobId{j}];
        const JobState is = controller.jobs().state(JobId{j});
        const bool holds = is == JobState::configuring || is == JobState::running;
        const bool starts_now = holds && !held[j];
        held[j] = holds;
        if (job.components == 0 || is_final(is)) continue;
        auto& counts = started[job.leader];
        ++(starts_now ? counts.first : counts.second);
        apart[job.leader].first |= holds;
        apart[job.leader].second |= is == JobState::pending;
      }
      for (const auto& [leader, both] : apart) {
        ASSERT_FALSE(both.first && both.second) << "job " << number(leader) << " at " << in_seconds(now);
      }
      for (const auto& [leader, counts] : started) {
        if (counts.first == 0) continue;
        ++starts;
        ASSERT_EQ(counts.second, 0) << "job " << number(leader) << " at " << in_seconds(now);
      }
    };
    unrest.bench->run();
  }
  EXPECT_GT(starts, 200u);
}

// --- fair share -----------------------------------------------------------------------------------------------------

// Random trees in which some have used something: factors are from 0 to 1; who uses more has no greater one than
// before, and of two siblings with equal shares the one who used more has no greater one.
TEST(SlurmProperty, FairShareFallsWithUse) {
  std::size_t compared = 0;
  std::size_t fell = 0;
  for (std::uint64_t seed = 1; seed <= 1500 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    Accounting accounting;
    for (int a = draw.small(1, 6); a > 0; --a) {
      Account& account = accounting.accounts.emplace_back();
      account.name = "a" + std::to_string(accounting.accounts.size());
      if (accounting.accounts.size() > 1 && draw.one_in(2)) {
        account.parent = accounting.accounts[draw.below(accounting.accounts.size() - 1)].name;
      }
      account.shares = draw.one_in(8) ? kParentShares : draw.one_in(10) ? 0 : draw.small(1, 4);
    }
    for (int u = draw.small(1, 10); u > 0; --u) {
      User& user = accounting.users.emplace_back();
      user.name = "u" + std::to_string(accounting.users.size());
      user.accounts = {accounting.accounts[draw.below(accounting.accounts.size())].name};
      user.shares = draw.one_in(10) ? kParentShares : draw.one_in(10) ? 0 : draw.small(1, 3);
    }
    const Associations associations(accounting);
    Fairshare::Rules rules;
    rules.fair_tree = draw.one_in(2);
    rules.depth_oblivious = !rules.fair_tree && draw.one_in(2);
    rules.dampening = draw.small(1, 3);
    Fairshare shares(associations, rules);
    std::vector<std::uint32_t> users;
    for (std::uint32_t a = 0; a < associations.size(); ++a) {
      if (associations[a].is_user()) users.push_back(a);
    }
    const auto charge = [&](std::uint32_t association) {
      Usage usage;
      usage.billing = static_cast<double>(draw.between(1, 100'000)) / 7;
      shares.charge(association, usage);
    };
    const auto factors = [&] {
      if (rules.fair_tree) {
        shares.rank();
      } else {
        shares.measure_accounts();
      }
      std::vector<double> all;
      for (const std::uint32_t user : users) all.push_back(shares.factor(user));
      return all;
    };
    for (const std::uint32_t user : users) {
      if (draw.one_in(2)) charge(user);
    }
    std::vector<double> before = factors();
    for (int round = 0; round < 6; ++round) {
      const std::size_t more = draw.below(users.size());
      charge(users[more]);
      if (draw.one_in(4)) shares.decay(0.75);
      const std::vector<double> after = factors();
      // DEPTH_OBLIVIOUS mixes an account's ratio and its user's in a way that is not monotone when the former passes 1.
      if (!rules.depth_oblivious) {
        ASSERT_LE(after[more], before[more] + 1e-12) << associations[users[more]].user;
      }
      fell += after[more] < before[more] ? 1U : 0U;
      for (std::size_t i = 0; i < users.size(); ++i) {
        const Association& one = associations[users[i]];
        ASSERT_GE(after[i], 0) << one.user;
        ASSERT_LE(after[i], 1) << one.user;
        for (std::size_t k = 0; k < users.size(); ++k) {
          const Association& other = associations[users[k]];
          if (rules.depth_oblivious || one.above != other.above || one.shares != other.shares || one.by_parent())
            continue;
          if (shares.holders()[users[i]].usage.billing <= shares.holders()[users[k]].usage.billing) continue;
          ++compared;
          ASSERT_LE(after[i], after[k] + 1e-12) << one.user << " and " << other.user;
        }
      }
      before = after;
    }
  }
  EXPECT_GT(compared, 5'000u);
  EXPECT_GT(fell, 2'000u);
}

}  // namespace
}  // namespace headroom::slurm
