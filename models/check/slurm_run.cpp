#include "models/check/slurm_run.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "models/policies/slurm/power.hpp"
#include "models/policies/slurm/slurm.hpp"

namespace headroom {
namespace {

double seconds(Time t) { return static_cast<double>(t) / kSecond; }

// What the simulation did.
struct Outcome_ {
  struct Allocation {
    Time at;
    std::vector<std::string> nodes;
  };
  struct Job {
    std::vector<Allocation> allocations;
    Time start = kNever;
    Time end = kNever;
    JobState state = JobState::pending;
  };
  std::vector<Job> jobs;
  std::vector<RecordedPower> power;
  std::vector<slurm::Event> events;
};

// Writes down what the commands and news of each step say.
class Witness {
 public:
  Witness(const RecordedRun& run, const Controller& controller, Outcome_& out)
      : run_(run), controller_(controller), out_(out), ready_(run.node_names.size()) {
    out_.jobs.resize(run.jobs.size());
  }

  void append(Time now, const News& news, const Commands& commands) {
    for (const Stimulus& s : news.stimuli) {
      if (s.kind == Stimulus::Kind::node_ready) ready_[s.subject] = true;
      if (s.kind == Stimulus::Kind::job_finished) end(s.subject, now);
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
          break;
      }
    }
    for (std::uint32_t j = 0; j < controller_.jobs().size(); ++j) out_.jobs[j].state = controller_.jobs().state(JobId{j});
  }

 private:
  void start(const Command& c, Time now, std::span<const NodeShare> shares) {
    Outcome_::Job& job = out_.jobs[c.subject];
    if (c.kind == Command::Kind::start_job) {
      job.start = now;
      if (waiting_.erase(c.subject) > 0) return;  // was allocated before
    } else {
      waiting_.insert(c.subject);
      job.start = now;  // what Slurm shows while it is configuring
    }
    Outcome_::Allocation& a = job.allocations.emplace_back();
    a.at = now;
    for (const NodeShare& s : shares) a.nodes.push_back(run_.node_names[index(s.node)]);
    std::sort(a.nodes.begin(), a.nodes.end(), slurm::name_before);
  }
  void end(std::uint32_t job, Time now) {
    if (out_.jobs[job].end == kNever) out_.jobs[job].end = now;
  }

  const RecordedRun& run_;
  const Controller& controller_;
  Outcome_& out_;
  std::vector<bool> ready_;
  std::set<std::uint32_t> waiting_;
};

Outcome_ drive(const RecordedRun& run) {
  Outcome_ out;
  auto state = std::make_shared<slurm::State>(run.conf, run.node_names);
  auto scheduler = std::make_unique<slurm::Scheduler>(state);
  scheduler->watch(&out.events);
  Controller controller(run.cluster, std::move(scheduler), std::make_unique<slurm::PowerSave>(state));
  SimulatedWorld world(run.workload, SimulatedCloud(run.boots, 1, run.faults), SameInstant::batched, 0, nullptr, true,
                       run.disturbances);
  Witness witness(run, controller, out);
  headroom::run(world, controller, witness);
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

std::string_view state_text(JobState state) {
  switch (state) {
    case JobState::pending:
      return "PENDING";
    case JobState::configuring:
      return "CONFIGURING";
    case JobState::running:
      return "RUNNING";
    case JobState::completing:
      return "COMPLETING";
    case JobState::completed:
      return "COMPLETED";
    case JobState::failed:
      return "FAILED";
    case JobState::cancelled:
      return "CANCELLED";
    case JobState::timed_out:
      return "TIMEOUT";
    case JobState::node_failed:
      return "NODE_FAIL";
    case JobState::rejected:
      return "REJECTED";
    default:
      return "?";
  }
}

// "alloc 15.014 n[01-02] by backfill, start 45".
std::string tell(const std::vector<RecordedAllocation>& allocations, Time start, std::string_view state) {
  std::string text;
  for (const RecordedAllocation& a : allocations) {
    text += fmt::format("{}{:.3f} {}", text.empty() ? "" : "; ", seconds(a.at), slurm::compress_hostlist(a.nodes));
  }
  if (text.empty()) text = "no nodes";
  if (start != kNever) text += fmt::format(", start {:.0f}", std::floor(seconds(start)));
  return fmt::format("{}, {}", text, state);
}
std::string tell(const Outcome_::Job& job) {
  std::vector<RecordedAllocation> allocations;
  for (const auto& a : job.allocations) allocations.push_back({a.at, false, a.nodes});
  return tell(allocations, job.start, state_text(job.state));
}

RunComparison compare(const RecordedRun& run, const Outcome_& out) {
  RunComparison c;
  c.name = run.name;
  c.clock = run.clock;
  c.disturbed = run.disturbed;
  c.jobs = run.jobs.size();
  c.not_followed = run.not_followed;
  std::vector<double> alloc_errors;
  std::vector<double> start_errors;
  for (std::size_t j = 0; j < run.jobs.size(); ++j) {
    const RecordedJob& expected = run.jobs[j];
    const Outcome_::Job& job = out.jobs[j];
    const bool same_count = expected.allocations.size() == job.allocations.size();
    bool nodes = same_count;
    bool alloc_exact = same_count;
    bool alloc_1s = same_count;
    for (std::size_t a = 0; a < std::min(expected.allocations.size(), job.allocations.size()); ++a) {
      const double error = std::abs(seconds(expected.allocations[a].at - job.allocations[a].at));
      alloc_errors.push_back(error);
      nodes &= expected.allocations[a].nodes == job.allocations[a].nodes;
      alloc_exact &= error <= 1;
      alloc_1s &= error <= 1;
    }
    const bool started = !expected.allocations.empty();
    bool start_exact = true;
    if (started && !job.allocations.empty()) {
      const double error = std::abs(std::floor(seconds(expected.start)) - std::floor(seconds(job.start)));
      start_errors.push_back(error);
      start_exact = error == 0;
      c.start_within_1s += error <= 1 ? 1 : 0;
    } else {
      c.start_within_1s += same_count ? 1 : 0;
    }
    c.same_nodes += nodes ? 1 : 0;
    c.alloc_within_1s += alloc_1s ? 1 : 0;
    const bool exact = nodes && alloc_exact && start_exact && expected.state == state_text(job.state);
    c.exact += exact ? 1 : 0;
    if (!exact) {
      c.differences.push_back({expected.id, tell(expected.allocations, expected.start, expected.state), tell(job), ""});
    }
  }
  c.alloc = spread(std::move(alloc_errors));
  c.start = spread(std::move(start_errors));

  // Power events, for each node and kind in order.
  std::map<std::pair<std::uint32_t, RecordedPower::Kind>, std::vector<Time>> recorded;
  std::map<std::pair<std::uint32_t, RecordedPower::Kind>, std::vector<Time>> simulated;
  for (const RecordedPower& p : run.power) recorded[{p.node, p.kind}].push_back(p.at);
  Time last = 0;
  for (const RecordedPower& p : run.power) last = std::max(last, p.at);
  for (const RecordedPower& p : out.power) {
    // The recorder stopped at some time; what comes after it is unknown.
    if (p.at <= last + kSecond) simulated[{p.node, p.kind}].push_back(p.at);
  }
  std::vector<double> power_errors;
  for (auto& [key, times] : recorded) {
    const std::vector<Time>& ours = simulated[key];
    c.power_events += times.size();
    for (std::size_t i = 0; i < std::min(times.size(), ours.size()); ++i) {
      power_errors.push_back(std::abs(seconds(times[i] - ours[i])));
    }
  }
  for (const auto& [key, ours] : simulated) {
    const std::size_t theirs = recorded[key].size();
    c.power_unmatched += ours.size() > theirs ? ours.size() - theirs : theirs - ours.size();
  }
  c.power = spread(std::move(power_errors));
  return c;
}

}  // namespace

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
  return std::all_of(runs.begin(), runs.end(), [](const RunComparison& r) { return r.within; });
}

SlurmRunReport check_slurm_runs(const std::vector<std::string>& files) {
  SlurmRunReport report;
  for (const std::string& file : files) {
    const Recording recording = read_recording(file);
    for (const RecordedRun& run : recording.runs) report.runs.push_back(compare(run, drive(run)));
  }
  return report;
}

}  // namespace headroom
