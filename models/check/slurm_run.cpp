#include "models/check/slurm_run.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "models/policies/slurm/power.hpp"
#include "models/policies/slurm/slurm.hpp"
#include "models/report/state_name.hpp"

namespace headroom {
namespace {

double seconds(Time t) { return static_cast<double>(t) / kSecond; }

// What the simulation did.
struct Simulated {
  struct Allocation {
    Time at;
    std::vector<std::string> nodes;
  };
  struct Job {
    std::vector<Allocation> allocations;
    Time start = kNever;
    Time end = kNever;
    std::vector<Time> ends;                             // of its processes
    std::vector<std::pair<Time, std::string>> reasons;  // while it waits
    JobState state = JobState::pending;
    bool made_way = false;
    bool missed_deadline = false;
  };
  std::vector<Job> jobs;
  std::vector<RecordedPower> power;
  std::vector<slurm::Event> events;
  std::vector<std::pair<Time, std::uint32_t>> ready;  // nodes that registered
};

// Writes down what the commands and news of each step say.
class Witness {
 public:
  Witness(const RecordedRun& run, const Controller& controller, const slurm::State& state, Simulated& out)
      : run_(run), controller_(controller), state_(state), out_(out), ready_(run.node_names.size()) {
    out_.jobs.resize(run.jobs.size());
  }

  void append(Time now, const News& news, const Commands& commands) {
    if (now > run_.until) return;
    for (const Stimulus& s : news.stimuli) {
      if (s.kind == Stimulus::Kind::node_ready) {
        ready_[s.subject] = true;
        out_.ready.emplace_back(now, s.subject);
      }
      if (s.kind == Stimulus::Kind::job_finished) {
        end(s.subject, now);
        out_.jobs[s.subject].ends.push_back(now);
      }
    }
    for (const Command& c : commands.list) {
      using Kind = Command::Kind;
      switch (c.kind) {
        case Kind::allocate_job:
        case Kind::start_job:
          start(c, now, commands.shares_of(c));
          break;
        case Kind::stop_job:
        case Kind::end_job:
          end(c.subject, now);
          break;
        case Kind::launch_instances:
          for (const NodeShare& s : commands.shares_of(c)) {
            out_.power.push_back({now, RecordedPower::Kind::resume, number(s.node)});
            ready_[index(s.node)] = false;
          }
          break;
        case Kind::terminate_instances:
          for (const NodeShare& s : commands.shares_of(c)) {
            const auto kind =
                ready_[index(s.node)] ? RecordedPower::Kind::suspend : RecordedPower::Kind::resume_timeout;
            out_.power.push_back({now, kind, number(s.node)});
          }
          break;
        case Kind::requeue_job:
          out_.jobs[c.subject].start = kNever;
          waiting_.erase(c.subject);
          break;
        case Kind::reject_job:
        case Kind::share_cores:
        case Kind::move_job:
          break;
      }
    }
    for (std::uint32_t j = 0; j < controller_.jobs().size(); ++j) {
      Simulated::Job& job = out_.jobs[j];
      job.state = controller_.jobs().state(JobId{j});
      if (run_.jobs[j].reasons.empty()) continue;
      const std::string why = job.state == JobState::pending ? slurm::reason_text(state_.jobs[JobId{j}]) : "";
      if (job.reasons.empty() || job.reasons.back().second != why) job.reasons.emplace_back(now, why);
    }
  }

 private:
  void start(const Command& c, Time now, std::span<const NodeShare> shares) {
    Simulated::Job& job = out_.jobs[c.subject];
    if (c.kind == Command::Kind::start_job) {
      job.start = now;
      if (waiting_.erase(c.subject) > 0) return;  // was allocated before
    } else {
      waiting_.insert(c.subject);
      job.start = now;  // what Slurm shows while it is configuring
    }
    Simulated::Allocation& a = job.allocations.emplace_back();
    a.at = now;
    for (const NodeShare& s : shares) a.nodes.push_back(run_.node_names[index(s.node)]);
    std::sort(a.nodes.begin(), a.nodes.end(), slurm::name_before);
  }
  void end(std::uint32_t job, Time now) {
    if (out_.jobs[job].end == kNever) out_.jobs[job].end = now;
  }

  const RecordedRun& run_;
  const Controller& controller_;
  const slurm::State& state_;
  Simulated& out_;
  std::vector<bool> ready_;
  std::set<std::uint32_t> waiting_;
};

Simulated drive(const RecordedRun& run) {
  Simulated out;
  auto state = std::make_shared<slurm::State>(run.conf, run.node_names, run.accounting, run.asks, run.updates);
  auto scheduler = std::make_unique<slurm::Scheduler>(state);
  scheduler->watch(&out.events);
  Controller controller(run.cluster, std::move(scheduler), std::make_unique<slurm::PowerSave>(state));
  SimulatedWorld world(run.workload, SimulatedCloud(run.boots, 1, run.faults), SameInstant::batched, 0, nullptr, true,
                       run.disturbances, patience_for(run.workload, slurm::patience(run.conf)));
  Witness witness(run, controller, *state, out);
  headroom::run(world, controller, witness);
  for (std::uint32_t j = 0; j < out.jobs.size() && j < state->jobs.size(); ++j) {
    out.jobs[j].made_way = state->jobs[JobId{j}].made_way;
    out.jobs[j].missed_deadline = state->jobs[JobId{j}].reason == slurm::Reason::deadline;
  }
  return out;
}

ErrorSpread spread(std::vector<double> errors) {
  ErrorSpread s;
  s.count = errors.size();
  if (errors.empty()) return s;
  std::sort(errors.begin(), errors.end());
  const auto at = [&](double q) {
    return errors[static_cast<std::size_t>(std::ceil(q * static_cast<double>(errors.size()))) - 1];
  };
  s.median = at(0.5);
  s.p95 = at(0.95);
  s.max = errors.back();
  return s;
}

// Jobs that got their nodes in the recorded order: the longest common subsequence of the two sequences. What one look
// decided together has no order but that of the jobs.
std::size_t jobs_in_order(const RecordedRun& run, const Simulated& out) {
  struct Entry {
    Time at;
    std::size_t job;
  };
  const auto sorted = [](std::vector<Entry> entries) {
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.at < b.at; });
    Time look = 0;
    for (Entry& e : entries) {
      if (e.at - look > 100'000) look = e.at;
      e.at = look;
    }
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.at != b.at ? a.at < b.at : a.job < b.job; });
    return entries;
  };
  std::vector<Entry> recorded;
  std::vector<Entry> simulated;
  for (std::size_t j = 0; j < run.jobs.size(); ++j) {
    if (!run.jobs[j].allocations.empty()) recorded.push_back({run.jobs[j].allocations.back().at, j});
    if (!out.jobs[j].allocations.empty()) simulated.push_back({out.jobs[j].allocations.back().at, j});
  }
  recorded = sorted(std::move(recorded));
  simulated = sorted(std::move(simulated));
  // Positions in one sequence of the jobs of the other: their longest ascending run.
  std::vector<std::size_t> position(run.jobs.size(), std::numeric_limits<std::size_t>::max());
  for (std::size_t i = 0; i < recorded.size(); ++i) position[recorded[i].job] = i;
  std::vector<std::size_t> tails;
  for (const Entry& e : simulated) {
    const std::size_t p = position[e.job];
    if (p == std::numeric_limits<std::size_t>::max()) continue;
    const auto at = std::lower_bound(tails.begin(), tails.end(), p);
    if (at == tails.end()) {
      tails.push_back(p);
    } else {
      *at = p;
    }
  }
  // Jobs that got none in either agree, too.
  std::size_t both_none = 0;
  for (std::size_t j = 0; j < run.jobs.size(); ++j) {
    if (run.jobs[j].allocations.empty() && out.jobs[j].allocations.empty()) ++both_none;
  }
  return tails.size() + both_none;
}

std::string_view power_name(RecordedPower::Kind kind) {
  switch (kind) {
    case RecordedPower::Kind::resume:
      return "resume";
    case RecordedPower::Kind::suspend:
      return "suspend";
    case RecordedPower::Kind::resume_timeout:
      return "boot timeout";
  }
  return {};
}

// Power events, for each node and kind in order.
void compare_power(const RecordedRun& run, const Simulated& out, RunComparison& c) {
  using Key = std::pair<std::uint32_t, RecordedPower::Kind>;
  std::map<Key, std::vector<Time>> recorded;
  std::map<Key, std::vector<Time>> simulated;
  Time last = 0;
  for (const RecordedPower& p : run.power) {
    recorded[{p.node, p.kind}].push_back(p.at);
    last = std::max(last, p.at);
    c.recorded_resumes += p.kind == RecordedPower::Kind::resume ? 1 : 0;
  }
  for (const RecordedPower& p : out.power) {
    c.resumes += p.kind == RecordedPower::Kind::resume ? 1 : 0;
    // The recorder stopped at some time; what would have come after it is unknown.
    if (p.at <= last + kSecond) simulated[{p.node, p.kind}].push_back(p.at);
  }
  std::vector<double> errors;
  for (const auto& [key, times] : recorded) {
    const std::vector<Time>& ours = simulated[key];
    for (std::size_t i = 0; i < std::min(times.size(), ours.size()); ++i) {
      errors.push_back(std::abs(seconds(times[i] - ours[i])));
      if (errors.back() <= 1) {
        ++c.power_near;
      } else {
        c.power_differences.push_back(fmt::format("{} of {}: expected {:.3f}, happened {:.3f}", power_name(key.second),
                                                  run.node_names[key.first], seconds(times[i] - run.zero),
                                                  seconds(ours[i] - run.zero)));
      }
    }
  }
  for (const auto& [key, ours] : simulated) {
    const std::size_t theirs = recorded[key].size();
    if (ours.size() == theirs) continue;
    c.power_unmatched += ours.size() > theirs ? ours.size() - theirs : theirs - ours.size();
    c.power_differences.push_back(fmt::format("{} of {}: expected {} times, happened {} times", power_name(key.second),
                                              run.node_names[key.first], theirs, ours.size()));
  }
  c.power = spread(std::move(errors));
}

// "alloc 15.014 n[01-02] by backfill, start 45".
std::string tell(const std::vector<RecordedAllocation>& allocations, Time start, std::string_view state, Time zero) {
  std::string text;
  for (const RecordedAllocation& a : allocations) {
    text +=
        fmt::format("{}{:.3f} {}", text.empty() ? "" : "; ", seconds(a.at - zero), slurm::compress_hostlist(a.nodes));
  }
  if (text.empty()) text = "no nodes";
  if (start != kNever) text += fmt::format(", start {:.0f}", std::floor(seconds(start - zero)));
  return fmt::format("{}, {}", text, state);
}

// A job that made way for another and does not wait again has a state of its own.
std::string_view state_text(const Simulated::Job& job) {
  if (job.missed_deadline) return "DEADLINE";
  return job.made_way && job.state == JobState::cancelled ? "PREEMPTED" : state_name(job.state);
}
std::string tell(const Simulated::Job& job, Time zero) {
  std::vector<RecordedAllocation> allocations;
  for (const auto& a : job.allocations) allocations.push_back({a.at, false, a.nodes});
  return tell(allocations, job.start, state_text(job), zero);
}

// Things that reach slurmctld from outside, and when; it may see them just before or just after one of its looks.
struct Arrival {
  Time at;
  std::string what;
};

std::vector<Arrival> arrivals_of(const RecordedRun& run, const Simulated& out) {
  std::vector<Arrival> all;
  for (std::size_t j = 0; j < run.jobs.size(); ++j) {
    all.push_back({run.workload.jobs[j].request.submit, "submission of " + run.jobs[j].id});
    for (const Time end : out.jobs[j].ends) all.push_back({end, "end of " + run.jobs[j].id});
  }
  for (const auto& [at, node] : out.ready) all.push_back({at, "registration of " + run.node_names[node]});
  return all;
}

// A race: something arrived within so little of a look that the real one may have seen it then or one look later.
std::string race_near(const RecordedRun& run, const Simulated& out, const std::vector<Arrival>& arrivals, Time from,
                      Time until) {
  const Time close = run.clock == RecordedClock::exact ? 10'000 : 20'000;
  std::vector<std::pair<Time, std::string_view>> looks;
  for (const slurm::Event& e : out.events) {
    if (e.kind == slurm::Event::Kind::backfill) looks.emplace_back(e.at, "backfill");
    if (e.kind == slurm::Event::Kind::main_pass) looks.emplace_back(e.at, "a pass");
    if (e.kind == slurm::Event::Kind::full_pass) looks.emplace_back(e.at, "a full pass");
    if (e.kind == slurm::Event::Kind::check) looks.emplace_back(e.at, "the 30 s check");
  }
  for (const Time t : run.backfill_passes) looks.emplace_back(t, "backfill");
  for (const auto& [look, name] : looks) {
    if (look < from || look > until) continue;
    for (const Arrival& a : arrivals) {
      // A look at the very same time was set off by it.
      if (std::abs(a.at - look) > close || a.at == look) continue;
      return fmt::format("race: {} at {:.3f}, {} at {:.3f}", a.what, seconds(a.at - run.zero), name,
                         seconds(look - run.zero));
    }
  }
  return {};
}

// What squeue showed held when it was looked at, a time that is written down in tenths of a second.
void compare_reasons(const RecordedRun& run, const Simulated& out, RunComparison& c) {
  constexpr Time kNear = 100'000;
  for (std::size_t j = 0; j < run.jobs.size(); ++j) {
    const auto& ours = out.jobs[j].reasons;
    for (const auto& [at, why] : run.jobs[j].reasons) {
      if (why.empty()) continue;
      ++c.reasons;
      bool same = false;
      std::string then = "not there";
      for (std::size_t i = 0; i < ours.size(); ++i) {
        const Time until = i + 1 < ours.size() ? ours[i + 1].first : kNever;
        if (ours[i].first > at + kNear || until < at - kNear) continue;
        same |= ours[i].second == why;
        then = ours[i].second.empty() ? "does not wait" : ours[i].second;
      }
      if (same) {
        ++c.same_reasons;
      } else {
        c.reason_differences.push_back(
            fmt::format("{} at {:.1f}: expected {}, happened {}", run.jobs[j].id, seconds(at - run.zero), why, then));
      }
    }
  }
}

RunComparison compare(const RecordedRun& run, const Simulated& out) {
  RunComparison c;
  c.name = run.name;
  c.clock = run.clock;
  c.disturbed = run.disturbed;
  c.given_scans = !run.conf.phases.scans.empty();
  c.jobs = run.jobs.size();
  c.not_followed = run.not_followed;
  std::vector<double> alloc_errors;
  std::vector<double> start_errors;
  std::vector<std::pair<Time, JobDifference>> differences;
  std::size_t started = 0;
  for (std::size_t j = 0; j < run.jobs.size(); ++j) {
    const RecordedJob& expected = run.jobs[j];
    const Simulated::Job& job = out.jobs[j];
    bool nodes = expected.allocations.size() == job.allocations.size();
    bool near = nodes;
    Time first_off = kNever;
    const auto off = [&](Time t) { first_off = std::min(first_off, t); };
    for (std::size_t a = 0; a < std::max(expected.allocations.size(), job.allocations.size()); ++a) {
      if (a >= expected.allocations.size()) {
        off(job.allocations[a].at);
      } else if (a >= job.allocations.size()) {
        off(expected.allocations[a].at);
      } else {
        const Time recorded = expected.allocations[a].at;
        const Time simulated = job.allocations[a].at;
        alloc_errors.push_back(std::abs(seconds(recorded - simulated)));
        const bool same = expected.allocations[a].nodes == job.allocations[a].nodes;
        if (!same || alloc_errors.back() > 1) off(std::min(recorded, simulated));
        nodes &= same;
        near &= alloc_errors.back() <= 1;
      }
    }
    bool start = true;
    if (expected.allocations.empty() || job.allocations.empty()) {
      c.start_near += nodes ? 1 : 0;
    } else if (expected.start == kNever || job.start == kNever) {
      start = expected.start == job.start;
      c.start_near += start ? 1 : 0;
      if (!start) off(std::min(expected.start, job.start));
    } else {
      const double error = std::abs(std::floor(seconds(expected.start)) - std::floor(seconds(job.start)));
      start_errors.push_back(error);
      start = error == 0;
      c.start_near += error <= 1 ? 1 : 0;
      if (!start) off(std::min(expected.start, job.start));
      c.mean_wait_s += seconds(job.start - run.workload.jobs[j].request.submit);
      c.recorded_mean_wait_s += seconds(expected.start - run.workload.jobs[j].request.submit);
      ++started;
    }
    if (expected.end != kNever) c.recorded_makespan_s = std::max(c.recorded_makespan_s, seconds(expected.end));
    if (job.end != kNever) c.makespan_s = std::max(c.makespan_s, seconds(job.end));
    c.same_nodes += nodes ? 1 : 0;
    c.alloc_near += near ? 1 : 0;
    // Of a job that still ran when the recorder left, the end is not known.
    const bool state = expected.state == state_text(job) || expected.state == "RUNNING";
    if (nodes && near && start && state) {
      ++c.exact;
      continue;
    }
    if (!state && first_off == kNever) off(expected.end);
    differences.push_back({first_off,
                           {expected.id, tell(expected.allocations, expected.start, expected.state, run.zero),
                            tell(job, run.zero), "", false}});
  }
  if (started > 0) {
    c.mean_wait_s /= static_cast<double>(started);
    c.recorded_mean_wait_s /= static_cast<double>(started);
  }
  c.alloc = spread(std::move(alloc_errors));
  c.start = spread(std::move(start_errors));
  c.in_order = jobs_in_order(run, out);

  // Why: a race, or what such a race led to.
  std::stable_sort(differences.begin(), differences.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const std::vector<Arrival> arrivals = arrivals_of(run, out);
  std::string root;
  for (auto& [at, difference] : differences) {
    difference.why = race_near(run, out, arrivals, at - 100'000, at + 100'000);
    if (!difference.why.empty()) {
      difference.traced = true;
      if (root.empty()) root = difference.id;
    } else if (!root.empty()) {
      difference.traced = true;
      difference.why = "follows from " + root;
    } else {
      difference.why = "not explained";
    }
    c.traced += difference.traced ? 1 : 0;
    c.differences.push_back(std::move(difference));
  }
  compare_power(run, out, c);
  compare_reasons(run, out, c);
  return c;
}

bool holds_to_jobs(RecordedClock clock) { return clock != RecordedClock::coarse; }

// What runs of each kind have to keep (docs/slurm-runs.md).
void judge(SlurmRunReport& report) {
  const auto add = [&](RecordedClock clock, std::string limit, std::string measured, bool kept) {
    report.tolerances.push_back({clock, std::move(limit), std::move(measured), kept});
  };
  const auto percent = [](std::size_t part, std::size_t whole) {
    return whole == 0 ? 100.0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
  };
  for (const RecordedClock clock : {RecordedClock::exact, RecordedClock::passes, RecordedClock::drifting}) {
    std::size_t jobs = 0;
    std::size_t exact = 0;
    std::size_t untraced = 0;
    std::size_t same_nodes = 0;
    std::size_t alloc_near = 0;
    std::size_t start_near = 0;
    double worst_median = 0;
    std::size_t power = 0;
    std::size_t power_near = 0;
    std::size_t unmatched = 0;
    for (const RunComparison& run : report.runs) {
      if (run.clock != clock) continue;
      jobs += run.jobs;
      exact += run.exact;
      untraced += run.jobs - run.exact - run.traced;
      same_nodes += run.same_nodes;
      alloc_near += run.alloc_near;
      start_near += run.start_near;
      worst_median = std::max(worst_median, run.alloc.median);
      // What a race led to is not power saving's.
      if (run.differences.empty()) {
        power += run.power.count;
        power_near += run.power_near;
        unmatched += run.power_unmatched;
      }
    }
    if (jobs == 0) continue;
    const auto share = [&](const char* what, std::size_t part, double least) {
      add(clock, fmt::format("{}: at least {:g} % of the jobs", what, least),
          fmt::format("{} of {} ({:.1f} %)", part, jobs, percent(part, jobs)), percent(part, jobs) >= least);
    };
    if (clock == RecordedClock::drifting) {
      share("same nodes", same_nodes, 95);
      share("nodes given within 1 s", alloc_near, 95);
      share("started within 1 s", start_near, 95);
      continue;
    }
    share("exact", exact, clock == RecordedClock::exact ? 98 : 95);
    if (clock != RecordedClock::exact) continue;
    add(clock, "not exact and not traced to a race: none", fmt::format("{}", untraced), untraced == 0);
    add(clock, "median error of allocations: 0.1 s at most", fmt::format("{:.3f} s", worst_median),
        worst_median <= 0.1);
    add(clock, "power events of runs without a race: at least 95 % within 1 s, none missing",
        fmt::format("{} of {} ({:.1f} %), {} missing", power_near, power, percent(power_near, power), unmatched),
        percent(power_near, power) >= 95 && unmatched == 0);
  }
  // Sums: between the least and the greatest of the real runs of the same scenario.
  std::map<std::string, std::vector<const RunComparison*>> scenarios;
  for (const RunComparison& run : report.runs) {
    if (run.clock == RecordedClock::coarse) scenarios[run.name.substr(0, run.name.find(", run"))].push_back(&run);
  }
  for (const auto& [name, runs] : scenarios) {
    const auto within = [&, &scenario = name, &of = runs](const char* what, auto simulated, auto recorded) {
      double low = 1e300;
      double high = -1e300;
      std::vector<double> all;
      for (const RunComparison* run : of) {
        low = std::min(low, recorded(*run));
        high = std::max(high, recorded(*run));
        all.push_back(simulated(*run));
      }
      std::sort(all.begin(), all.end());
      if (high == 0 && all.back() == 0) return;  // nothing of the kind happened
      const double median = all[all.size() / 2];
      // Real runs are few, and a clock that slips by a second moves all of them.
      const double slack = std::max(1.0, 0.02 * high);
      add(RecordedClock::coarse,
          fmt::format("{}: {} between {:.1f} and {:.1f} (the real runs, and {:.1f} on each side)", scenario, what,
                      low - slack, high + slack, slack),
          fmt::format("median {:.1f}", median), median >= low - slack && median <= high + slack);
    };
    within(
        "mean wait (s)", [](const RunComparison& r) { return r.mean_wait_s; },
        [](const RunComparison& r) { return r.recorded_mean_wait_s; });
    within(
        "makespan (s)", [](const RunComparison& r) { return r.makespan_s; },
        [](const RunComparison& r) { return r.recorded_makespan_s; });
    within(
        "node resumes", [](const RunComparison& r) { return static_cast<double>(r.resumes); },
        [](const RunComparison& r) { return static_cast<double>(r.recorded_resumes); });
  }
}

std::string spread_text(const ErrorSpread& s) {
  if (s.count == 0) return "-";
  return fmt::format("{:.3f} / {:.3f} / {:.3f}", s.median, s.p95, s.max);
}

nlohmann::ordered_json spread_json(const ErrorSpread& s) {
  return {{"count", s.count}, {"median_s", s.median}, {"p95_s", s.p95}, {"max_s", s.max}};
}

}  // namespace

namespace {

// The run as simulated. Where few nodes a minute may change their power it depends on when the machine's monotonic
// clock makes tokens, which no record tells: of all such phases the one that agrees best.
RunComparison compare_best(RecordedRun& run) {
  const slurm::Conf& conf = run.conf;
  Time period = 0;
  if (conf.version.resume_tokens()) {
    for (const std::int32_t rate : {conf.resume_rate, conf.suspend_rate}) {
      if (rate > 0) period = std::max(period, 60 * kSecond / rate);
    }
  }
  RunComparison best = compare(run, drive(run));
  if (period < 2 * kSecond) return best;
  Time best_phase = run.conf.phases.tokens;
  const auto score = [](const RunComparison& c) { return std::tuple(c.exact, c.power_near, c.alloc_near); };
  for (Time phase = kSecond / 2; phase < period; phase += kSecond / 2) {
    run.conf.phases.tokens = phase;
    RunComparison c = compare(run, drive(run));
    if (score(c) <= score(best)) continue;
    best = std::move(c);
    best_phase = phase;
  }
  run.conf.phases.tokens = best_phase;
  best.found_tokens = true;
  return best;
}

// A clock's drift is fitted as one, or as changing; the first, unless the second explains more.
RunComparison compare_clocks(RecordedRun& run) {
  RunComparison steady = compare_best(run);
  if (!run.uneven_main || steady.exact == steady.jobs) return steady;
  const slurm::Phases phases = run.conf.phases;
  run.conf.phases.main = *run.uneven_main;
  RunComparison uneven = compare_best(run);
  if (uneven.exact > steady.exact) return uneven;
  run.conf.phases = phases;
  return steady;
}

// When power saving looks is known from the programs it starts, and how long these take to start from nothing. So where
// the rules lead elsewhere, earlier looks are tried.
RunComparison compare_power_looks(RecordedRun& run) {
  constexpr Time kStep = 10'000;
  constexpr Time kMost = 60'000;
  RunComparison best = compare_clocks(run);
  if (run.clock != RecordedClock::passes || run.power.empty()) return best;
  const Time offset = run.conf.phases.power.offset;
  const Time second = kSecond + run.conf.phases.power.drift;
  Time best_offset = offset;
  const auto score = [](const RunComparison& c) { return std::pair(c.exact, c.power_near); };
  for (Time earlier = kStep; earlier <= kMost && score(best) < std::pair(best.jobs, run.power.size());
       earlier += kStep) {
    run.conf.phases.power.offset = (offset - earlier + second) % second;
    RunComparison c = compare(run, drive(run));
    if (score(c) <= score(best)) continue;
    best = std::move(c);
    best_offset = run.conf.phases.power.offset;
  }
  run.conf.phases.power.offset = best_offset;
  return best;
}

}  // namespace

SlurmRunReport check_slurm_runs(const std::vector<std::string>& files) {
  SlurmRunReport report;
  for (const std::string& file : files) {
    Recording recording = read_recording(file);
    for (RecordedRun& run : recording.runs) {
      RunComparison c = compare_power_looks(run);
      if (c.exact + c.traced < c.jobs && !run.power.empty()) {
        // Something the rules do not know made power saving look: its looks are taken from the record then.
        for (const RecordedPower& p : run.power) run.conf.phases.scans.push_back(p.at);
        RunComparison given = compare(run, drive(run));
        given.found_tokens = c.found_tokens;
        if (given.exact > c.exact) c = std::move(given);
      }
      report.runs.push_back(std::move(c));
    }
  }
  judge(report);
  return report;
}

std::string slurm_run_text(const SlurmRunReport& report) {
  std::string text;
  std::size_t width = 3;
  for (const RunComparison& r : report.runs) width = std::max(width, r.name.size() + (r.given_scans ? 2 : 0));
  text += fmt::format("{:<{}} {:<15} {:>5} {:>6} {:>7} {:>6} {:>6}  {:<21} {:<18} {:<21} {:>5}\n", "run", width,
                      "clock", "jobs", "exact", "traced", "order", "nodes", "allocation (s)", "start (s)",
                      "power events (s)", "extra");
  for (const RunComparison& r : report.runs) {
    text += fmt::format(
        "{:<{}} {:<15} {:>5} {:>6} {:>7} {:>6} {:>6}  {:<21} {:<18} {:<21} {:>5}\n",
        r.name + (r.given_scans ? " *" : ""), width, clock_name(r.clock), r.jobs, r.exact, r.traced, r.in_order,
        r.same_nodes, spread_text(r.alloc),
        r.start.count == 0 ? "-" : fmt::format("{:g} / {:g} / {:g}", r.start.median, r.start.p95, r.start.max),
        spread_text(r.power), r.power_unmatched);
  }
  text +=
      "\nErrors: median / 95 % / largest. Times are the recording's own. exact: the same nodes, within 1 s, the same "
      "second of start, the same end.\n";
  if (std::any_of(report.runs.begin(), report.runs.end(), [](const auto& r) { return r.given_scans; })) {
    text += "*: the times of power saving's scans are given; the rules alone do not lead to all of them.\n";
  }
  for (const RunComparison& r : report.runs) {
    if (!r.found_tokens) continue;
    text += fmt::format(
        "{}: when tokens of ResumeRate and SuspendRate come is no part of a record; it is chosen as agrees best.\n",
        r.name);
  }
  for (const RunComparison& r : report.runs) {
    if (!holds_to_jobs(r.clock) || (r.differences.empty() && r.power_differences.empty())) continue;
    text += fmt::format("\n{}: {}\n", r.name,
                        r.differences.empty() ? "power events" : "first difference at " + r.differences.front().id);
    for (const JobDifference& d : r.differences) {
      text += fmt::format("  {:<10} expected {}\n  {:<10} happened {}\n  {:<10} {}\n", d.id, d.expected, "", d.happened,
                          "", d.why);
    }
    for (const std::string& p : r.power_differences) text += fmt::format("  {}\n", p);
  }
  for (const RunComparison& r : report.runs) {
    if (r.reasons == 0) continue;
    text += fmt::format("\n{}: reasons: {} of {} agree\n", r.name, r.same_reasons, r.reasons);
    for (const std::string& d : r.reason_differences) text += fmt::format("  {}\n", d);
  }
  std::set<std::string> not_followed;
  for (const RunComparison& r : report.runs) not_followed.insert(r.not_followed.begin(), r.not_followed.end());
  if (!not_followed.empty()) text += "\nSettings that are not followed:\n";
  for (const std::string& n : not_followed) text += fmt::format("  {}\n", n);
  text += "\n";
  for (const Tolerance& t : report.tolerances) {
    text += fmt::format("{}  {:<15} {}: {}\n", t.kept ? "kept  " : "MISSED", clock_name(t.clock), t.limit, t.measured);
  }
  return text;
}

std::string slurm_run_json(const SlurmRunReport& report) {
  using Json = nlohmann::ordered_json;
  Json json{{"schema", "headroom.check-slurm-run/1"}, {"passed", report.passed()}, {"runs", Json::array()}};
  for (const RunComparison& r : report.runs) {
    Json run{{"name", r.name},
             {"clock", clock_name(r.clock)},
             {"disturbed", r.disturbed},
             {"given_scans", r.given_scans},
             {"found_tokens", r.found_tokens},
             {"jobs", r.jobs},
             {"exact", r.exact},
             {"traced", r.traced},
             {"in_order", r.in_order},
             {"same_nodes", r.same_nodes},
             {"allocated_within_1s", r.alloc_near},
             {"started_within_1s", r.start_near},
             {"allocation_error", spread_json(r.alloc)},
             {"start_error", spread_json(r.start)},
             {"power_error", spread_json(r.power)},
             {"power_unmatched", r.power_unmatched},
             {"mean_wait_s", {{"simulated", r.mean_wait_s}, {"recorded", r.recorded_mean_wait_s}}},
             {"makespan_s", {{"simulated", r.makespan_s}, {"recorded", r.recorded_makespan_s}}},
             {"node_resumes", {{"simulated", r.resumes}, {"recorded", r.recorded_resumes}}},
             {"not_followed", r.not_followed},
             {"power_differences", r.power_differences},
             {"differences", Json::array()}};
    if (r.reasons > 0) {
      run["reasons"] = {{"compared", r.reasons}, {"same", r.same_reasons}, {"differences", r.reason_differences}};
    }
    for (const JobDifference& d : r.differences) {
      run["differences"].push_back(
          {{"job", d.id}, {"expected", d.expected}, {"happened", d.happened}, {"why", d.why}, {"traced", d.traced}});
    }
    json["runs"].push_back(std::move(run));
  }
  json["tolerances"] = Json::array();
  for (const Tolerance& t : report.tolerances) {
    json["tolerances"].push_back(
        {{"clock", clock_name(t.clock)}, {"limit", t.limit}, {"measured", t.measured}, {"kept", t.kept}});
  }
  return json.dump(2) + "\n";
}

std::string_view clock_name(RecordedClock clock) {
  switch (clock) {
    case RecordedClock::exact:
      return "exact";
    case RecordedClock::passes:
      return "recorded passes";
    case RecordedClock::drifting:
      return "drifting";
    case RecordedClock::coarse:
      return "coarse";
  }
  return {};
}

bool SlurmRunReport::passed() const {
  return std::all_of(tolerances.begin(), tolerances.end(), [](const Tolerance& t) { return t.kept; });
}

}  // namespace headroom
