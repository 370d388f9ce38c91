#include "models/simulation.hpp"

#include <cstring>

#include <fmt/format.h>

#include "models/errors.hpp"
#include "models/journal_file.hpp"
#include "models/operations.hpp"
#include "models/policies/registry.hpp"
#include "models/scenario/cloud_design.hpp"
#include "models/simulated_world.hpp"

namespace headroom {
namespace {

Controller make_controller(const Design& design, Policies policies) {
  return {design.spec, std::move(policies.scheduler), std::move(policies.scaler)};
}

// Tells about progress every so many steps.
class ProgressRecord {
 public:
  ProgressRecord(const SimulationOptions& options, const SimulatedWorld& world) : options_(options), world_(world) {}
  void append(Time now, const News&, const Commands&) {
    if ((++steps_ & 0xffff) == 0 && options_.progress) options_.progress(now, world_.jobs_submitted());
  }

 private:
  const SimulationOptions& options_;
  const SimulatedWorld& world_;
  std::uint64_t steps_ = 0;
};

class WatchRecord {
 public:
  WatchRecord(const SimulationOptions& options, const Controller& controller)
      : options_(options), controller_(controller) {}
  void append(Time now, const News& news, const Commands& commands) {
    if (options_.watch) options_.watch(now, news, commands, controller_);
  }

 private:
  const SimulationOptions& options_;
  const Controller& controller_;
};

// A world in which somebody looks at certain times: when the next step would be later, all that happens until then has
// been carried out.
template <World W>
class WatchedWorld {
 public:
  // `look(time, over)`; `stop` as in SimulationOptions.
  WatchedWorld(W& world, std::span<const Time> times, bool end_after_looks, const std::atomic<bool>* stop,
               std::function<void(Time, bool)> look)
      : world_(world), times_(times), end_after_looks_(end_after_looks), stop_(stop), look_(std::move(look)) {}

  Time origin() const { return world_.origin(); }

  std::optional<Time> wait(Time wake, News& news) {
    const std::optional<Time> now = world_.wait(wake, news);
    if (times_.empty()) return now;
    if (!now && stop_ != nullptr && stop_->load(std::memory_order_relaxed)) return now;
    while (!times_.empty() && (!now || times_.front() < *now)) {
      look_(times_.front(), !now);
      times_ = times_.subspan(1);
    }
    if (times_.empty() && end_after_looks_) {
      ended_ = true;
      return std::nullopt;
    }
    return now;
  }

  void carry_out(Time now, const Commands& commands) { world_.carry_out(now, commands); }

  // Whether the run was ended after the last look.
  bool ended() const { return ended_; }

 private:
  W& world_;
  std::span<const Time> times_;
  bool end_after_looks_;
  const std::atomic<bool>* stop_;
  std::function<void(Time, bool)> look_;
  bool ended_ = false;
};

// Gives the recorded news to the core and compares its commands with the recorded ones.
class ReplayWorld {
 public:
  ReplayWorld(std::string_view steps, std::string name, bool interrupted, ReplayResult& result)
      : reader_(steps), name_(std::move(name)), interrupted_(interrupted), result_(result) {
    read();
  }
  Time origin() const { return more_ ? time_ : 0; }

  std::optional<Time> wait(Time wake, News& news) {
    if (!more_) {
      if (wake != kNever && !interrupted_)
        differ(fmt::format("the core wants to act at {} s, the record ends before", wake / kSecond));
      return std::nullopt;
    }
    if (!result_.first_difference.empty()) return std::nullopt;
    if (time_ > wake) {
      differ(fmt::format("the core wants to act at {} s, the record's next step is at {} s", wake / kSecond,
                         time_ / kSecond));
      return std::nullopt;
    }
    news = news_;
    return time_;
  }

  void carry_out(Time now, const Commands& commands) {
    compare(now, commands);
    ++result_.steps;
    read();
  }

 private:
  void read() {
    switch (reader_.next(time_, news_, commands_)) {
      case JournalReader::Result::step:
        more_ = true;
        break;
      case JournalReader::Result::end:
        more_ = false;
        break;
      case JournalReader::Result::corrupt:
        throw InputError(fmt::format("{}: step {} is damaged", name_, result_.steps));
    }
  }
  void compare(Time now, const Commands& commands) {
    const std::size_t common = std::min(commands.list.size(), commands_.list.size());
    std::size_t i = 0;
    for (; i < common; ++i) {
      const Command& a = commands.list[i];
      const Command& b = commands_.list[i];
      const auto x = commands.shares_of(a);
      const auto y = commands_.shares_of(b);
      if (a.kind != b.kind || a.subject != b.subject || a.detail != b.detail ||
          !std::equal(x.begin(), x.end(), y.begin(), y.end())) {
        break;
      }
    }
    if (i == commands.list.size() && i == commands_.list.size()) return;
    differ(fmt::format("at {} s: command {} is {}, recorded was {}", now / kSecond, i, describe(commands, i),
                       describe(commands_, i)));
  }
  static std::string describe(const Commands& commands, std::size_t i) {
    if (i >= commands.list.size()) return "none";
    static constexpr std::array<std::string_view, kCommandKinds> kNames = {
        "reject job", "allocate job", "start job", "launch for group",   "terminate in group",
        "stop job",   "requeue job",  "end job",   "share cores of job", "move job"};
    static_assert(!kNames.back().empty());
    const Command& c = commands.list[i];
    std::string text = fmt::format("{} {}", kNames[static_cast<std::size_t>(c.kind)], c.subject);
    if (c.share_count > 0) {
      const std::span<const NodeShare> shares = commands.shares_of(c);
      text += fmt::format(" ({} nodes from {})", shares.size(), number(shares.front().node));
    }
    return text;
  }
  void differ(const std::string& what) {
    if (result_.first_difference.empty()) result_.first_difference = fmt::format("step {}: {}", result_.steps, what);
  }

  JournalReader reader_;
  std::string name_;
  bool interrupted_;
  ReplayResult& result_;
  bool more_ = false;
  Time time_ = 0;
  News news_;
  Commands commands_;
};

}  // namespace

SimulationResult simulate(const Scenario& scenario, const Design& design, const Workload& workload,
                          const SimulationOptions& options) {
  Policies policies = make_policies(scenario, design);
  const Time patience = patience_for(workload, policies.patience);
  const std::shared_ptr<const slurm::State> slurm = policies.slurm;
  Controller controller = make_controller(design, std::move(policies));
  const Time origin = run_origin(workload);
  Ec2Settings ec2 = ec2_settings(scenario, design, origin);
  add_faults(scenario, ec2);
  SimulatedCloud cloud(design.boots, scenario.seed, boot_faults_of(scenario, design), Ec2(std::move(ec2)),
                       mishaps_of(scenario, design, origin));
  // Jobs may have to wait for a budget's next period.
  Time stall_limit = scenario.stall_limit;
  for (const Budget& budget : scenario.budgets) {
    if (budget.period != kNever) stall_limit = std::max(stall_limit, later(scenario.stall_limit, 2 * budget.period));
  }
  std::optional<PlacementEffect> effect;
  if (!workload.communication.empty()) effect.emplace(scenario, design, workload);
  SimulatedWorld world(workload, std::move(cloud), scenario.scheduler.same_instant, origin, options.stop,
                       controller.keeps_time(), disturbances_of(scenario, design, workload, origin), patience,
                       stall_limit, Meter(design, scenario.budgets, origin), effect ? &*effect : nullptr);
  Journal journal(options.journal);
  SimulationResult result{RunRecord(controller.cluster().node_count()), {}};
  result.record.expect_jobs(workload.jobs.size());
  ProgressRecord progress(options, world);
  WatchedWorld watched(world, options.looks, options.end_after_looks, options.stop, [&](Time at, bool over) {
    // Before its first step slurmctld knows nothing.
    const slurm::State* const state = result.record.steps() > 0 ? slurm.get() : nullptr;
    options.look({at, over, controller.jobs(), controller.cluster(), result.record, state, scenario, design, workload});
  });
  try {
    WatchRecord watch(options, controller);
    run(watched, controller, journal, result.record, progress, watch);
  } catch (const Bug& bug) {
    throw Bug(fmt::format("{} (policy {}, seed {})", bug.what(), scenario.scheduler.policy, scenario.seed));
  }
  result.digest = journal.finish();
  result.stalled = world.stalled();
  const bool stopped = watched.ended() || (options.stop != nullptr && options.stop->load());
  // Jobs that are held, or that depend on what never happens, wait for ever under a policy that knows such jobs.
  // So do jobs that a cluster that became smaller cannot hold any more.
  const bool may_wait = world.out_of_patience() || world.out_of_money() || !design.spec.changes.empty();
  if (!stopped && !may_wait && controller.active_jobs() > 0) {
    throw Bug(fmt::format("policy {} left {} jobs waiting although nothing more will happen", scenario.scheduler.policy,
                          controller.active_jobs()));
  }
  return result;
}

ReplayResult replay(std::string_view journal, const std::string& name) {
  const JournalParts parts = split_journal(journal, name);
  const Scenario scenario = parse_scenario(parts.scenario, name);
  const Design design = make_design(scenario);
  Controller controller = make_controller(design, make_policies(scenario, design));
  ReplayResult result;
  result.recorded_digest = parts.digest;
  // A policy that keeps time may look at the clock for ever.
  ReplayWorld world(parts.steps, name, parts.interrupted || controller.keeps_time(), result);
  Journal again;
  try {
    run(world, controller, again);
  } catch (const Bug& bug) {
    result.first_difference = fmt::format("step {}: the core refuses the recorded news: {}", result.steps, bug.what());
  }
  result.digest = again.finish();
  if (result.agrees() && result.steps != parts.step_count) {
    throw InputError(fmt::format("{}: the journal is damaged: it has {} steps, its end mark says {}", name,
                                 result.steps, parts.step_count));
  }
  return result;
}

}  // namespace headroom
