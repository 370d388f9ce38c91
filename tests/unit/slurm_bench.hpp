// Slurm on the bench: a cluster, jobs and disturbances written down in seconds, a run, and what it showed. slurmctld
// starts at 0; its threads look at whole seconds, backfill 12 ms and power saving 20 ms after them.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "engine/journal.hpp"
#include "models/policies/slurm/power.hpp"
#include "models/policies/slurm/slurm.hpp"
#include "models/simulated_world.hpp"
#include "tests/unit/cloud_mishaps.hpp"

namespace headroom::slurm {

inline double in_seconds(Time t) { return static_cast<double>(t) / kSecond; }
// As squeue abbreviates states.
inline const char* state_letters(JobState state) {
  constexpr const char* kLetters[] = {"PD", "CF", "R", "CG", "CD", "F", "CA", "TO", "NF", "refused"};
  return kLetters[static_cast<std::size_t>(state)];
}
inline Time from_seconds(double s) { return static_cast<Time>(s * kSecond + (s < 0 ? -0.5 : 0.5)); }

// A job that is about to be submitted.
class Draft {
 public:
  Draft(double submit_s, double run_s) {
    job.request.submit = from_seconds(submit_s);
    job.request.limit = kHour;
    job.run_time = from_seconds(run_s);
    job.stop_time = kSecond / 2;
  }
  Draft& cpus(std::int32_t count) {
    job.request.cores = count;
    return *this;
  }
  Draft& nodes(std::int32_t count, std::int32_t cpus_each) {
    job.request.nodes = count;
    job.request.cores = cpus_each;
    return *this;
  }
  Draft& minutes(std::int32_t limit) {
    job.request.limit = limit * kMinute;
    return *this;
  }
  Draft& partition(std::uint32_t queue) {
    job.request.queue = QueueId{queue};
    return *this;
  }
  Draft& tasks(std::int32_t count, std::int32_t cpus_each) {  // -n count -c cpus_each
    terms.tasks = count;
    terms.cpus_per_task = cpus_each;
    return cpus(count * cpus_each);
  }
  Draft& user(std::uint32_t number) {
    job.request.user = number;
    return *this;
  }
  Draft& exclusive() {
    job.request.exclusive = true;
    return *this;
  }
  Draft& memory(std::int32_t mib) {
    job.request.memory_unit = MemoryUnit::per_node;
    job.request.memory = mib;
    return *this;
  }
  Draft& stops_in(double s) {  // from SIGTERM until its processes are gone
    job.stop_time = from_seconds(s);
    return *this;
  }
  Draft& priority(std::uint32_t value) {
    terms.priority = value;
    return *this;
  }
  Draft& begin(double s) {
    terms.begin = from_seconds(s);
    return *this;
  }
  Draft& held() {
    terms.held = true;
    return *this;
  }
  Draft& no_requeue() {
    terms.requeue = false;
    return *this;
  }
  Draft& account(const std::string& name) {
    asks.account = name;
    return *this;
  }
  Draft& qos(const std::string& name) {
    asks.qos = name;
    return *this;
  }
  Draft& after(Dependency::Kind kind, std::uint32_t other) {
    terms.dependencies.push_back({kind, JobId{other}, 0});
    return *this;
  }
  // Of a heterogeneous job of `count` components that are submitted one after the other.
  Draft& component(std::int32_t number, std::int32_t count) {
    asks.component = number;
    asks.components = count;
    return *this;
  }
  Draft& range(std::int32_t least, std::int32_t most) {  // -N least-most
    asks.min_nodes = least;
    asks.max_nodes = most;
    return *this;
  }
  Draft& partitions(std::string names) {
    asks.partitions = std::move(names);
    return *this;
  }
  Draft& deadline(std::int64_t s) {
    asks.deadline = s;
    return *this;
  }

  WorkloadJob job;
  JobTerms terms;
  Asks asks;
};

// What a run showed. Times are in seconds.
struct Story {
  using Line = std::vector<std::pair<double, std::string>>;  // when it changed, and to what
  struct JobStory {
    std::vector<std::string> allocations;  // "3.000 n[1-2]", "30.012 n4 backfill"
    double allocated = -1;                 // the last time
    double started = -1;
    double ended = -1;
    JobState state = JobState::pending;
    std::optional<Rejection> rejection;
    Line reasons;
    Line states;  // as squeue %t prints them
  };
  std::vector<JobStory> jobs;
  std::map<std::string, Line> nodes;                      // as sinfo prints them
  std::map<std::string, std::vector<std::string>> power;  // "3.020 resume", "33.020 ready", "84.020 suspend"
  std::map<Event::Kind, std::vector<double>> events;
  Line resumes;  // every one: when, which
  // The waiting jobs after each backfill cycle: when, which, their planned start, and whether they are the first.
  struct Planned {
    double at;
    std::uint32_t job;
    Second start;
    bool first;
  };
  std::vector<Planned> planned;
  std::string digest;

  const JobStory& operator[](std::uint32_t job) const { return jobs[job]; }
  static std::string at(const Line& line, double s) {
    std::string what;
    for (const auto& [since, text] : line) {
      if (since <= s + 1e-9) what = text;
    }
    return what;
  }
  std::string reason(std::uint32_t job, double s) const { return at(jobs[job].reasons, s); }
  std::string node(const std::string& name, double s) const { return at(nodes.at(name), s); }
  // When sinfo first showed this; -1: never.
  double first(const std::string& name, const std::string& state) const {
    for (const auto& [since, text] : nodes.at(name)) {
      if (text == state) return since;
    }
    return -1;
  }
  std::vector<double> all_passes() const {
    std::vector<double> times;
    for (const Event::Kind kind : {Event::Kind::main_pass, Event::Kind::full_pass}) {
      if (const auto at = events.find(kind); at != events.end()) {
        times.insert(times.end(), at->second.begin(), at->second.end());
      }
    }
    std::sort(times.begin(), times.end());
    return times;
  }
  std::vector<double> looks(Event::Kind kind) const {
    const auto at = events.find(kind);
    return at == events.end() ? std::vector<double>{} : at->second;
  }
};

class SlurmBench {
 public:
  Conf conf;
  Accounting accounting;
  std::vector<SimulatedCloud::BootFault> faults;
  Launcher::Options launcher;
  // Called after every step, for what holds at any time.
  std::function<void(const State&, Time)> look;
  // The same with what the core knows, and whether backfill planned in this step.
  std::function<void(const State&, const Controller&, Time, bool)> look_closer;

  // Nodes prefix1, prefix2 ... that are simply there, or whose instances boot for so long.
  std::uint32_t fixed(const std::string& prefix, std::int32_t count, std::int32_t cpus, std::int32_t weight = 1) {
    return group(prefix, count, cpus, weight, Supply::permanent, 0);
  }
  std::uint32_t cloud(const std::string& prefix, std::int32_t count, std::int32_t cpus, double boot_s,
                      std::int32_t weight = 1) {
    return group(prefix, count, cpus, weight, Supply::dynamic, boot_s);
  }
  Partition& partition(const std::vector<std::uint32_t>& groups) {
    QueueSpec queue;
    for (const std::uint32_t g : groups) queue.groups.push_back(GroupId{g});
    spec_.queues.push_back(queue);
    return conf.partitions.emplace_back();
  }
  // To be submitted in the order of their times. The job's number is that of the call.
  Draft& job(double submit_s, double run_s) { return drafts_.emplace_back(submit_s, run_s); }
  std::uint32_t last() const { return static_cast<std::uint32_t>(drafts_.size() - 1); }
  // The last job becomes an array of such tasks.
  void array(std::int32_t tasks, std::int32_t limit) {
    const std::uint32_t first = last();
    const Draft task = drafts_.back();
    drafts_.pop_back();
    for (std::int32_t t = 0; t < tasks; ++t) {
      Draft& draft = drafts_.emplace_back(task);
      draft.terms.array_tasks = tasks;
      draft.terms.array = JobId{first};
      draft.terms.array_task = t;
      draft.terms.array_limit = limit;
    }
  }
  void kill_node(double at_s, const std::string& name) { disturb(at_s, Stimulus::Kind::node_lost, node(name), 0); }
  void restart_node(double at_s, const std::string& name) { disturb(at_s, Stimulus::Kind::node_back, node(name), 0); }
  void ask(double at_s, std::uint32_t job, JobAction action) {
    disturb(at_s, Stimulus::Kind::job_asked, job, static_cast<std::uint32_t>(action));
  }
  void ask(double at_s, const std::string& name, NodeAction action) {
    disturb(at_s, Stimulus::Kind::node_asked, node(name), static_cast<std::uint32_t>(action));
  }
  // scontrol update, of a job or of a partition by its number.
  void update(double at_s, std::uint32_t job, const std::string& name, const std::string& value) {
    ensure(set(updates_.emplace_back().change, name, value).empty(), "an update is well formed");
    disturb(at_s, Stimulus::Kind::updated, static_cast<std::uint32_t>(updates_.size() - 1), job);
  }
  void update_partition(double at_s, std::uint32_t queue, const std::string& name, const std::string& value) {
    Update& update = updates_.emplace_back();
    update.partition = QueueId{queue};
    ensure(set(update, conf.partitions[queue], name, value).empty(), "an update is well formed");
    disturb(at_s, Stimulus::Kind::updated, static_cast<std::uint32_t>(updates_.size() - 1), 0);
  }
  NodeId id(const std::string& name) const { return NodeId{node(name)}; }
  // The cloud has no instances for these nodes for a while; it says so at once.
  void drought(double from_s, double until_s, const std::vector<std::string>& names,
               Refusal why = Refusal::insufficient_instance_capacity) {
    std::vector<NodeId> nodes;
    for (const std::string& name : names) nodes.push_back(id(name));
    droughts_.push_back({from_seconds(from_s), from_seconds(until_s), nodes, why});
  }
  void lose_instance(double at_s, const std::string& name, Loss why = Loss::hardware_failure) {
    mishaps_.push_back(
        {from_seconds(at_s), {Stimulus::Kind::instance_lost, node(name), static_cast<std::uint32_t>(why)}});
  }
  void impair(double at_s, const std::string& name, Impairment what) {
    mishaps_.push_back(
        {from_seconds(at_s), {Stimulus::Kind::instance_impaired, node(name), static_cast<std::uint32_t>(what)}});
  }
  // 1: nothing more may be launched, 2: it may again.
  void budget(double at_s, std::uint32_t what) {
    mishaps_.push_back({from_seconds(at_s), {Stimulus::Kind::budget_reached, 0, what}});
  }
  void change(double at_s, const ClusterChange& change) {
    spec_.changes.push_back(change);
    disturb(at_s, Stimulus::Kind::cluster_changed, static_cast<std::uint32_t>(spec_.changes.size() - 1), 0);
  }

  // Until nothing more happens, at most for some hours: slurmctld goes on looking at jobs that never run.
  Story run() {
    Workload workload;
    std::vector<Asks> asks;
    for (Draft& draft : drafts_) {
      asks.push_back(draft.asks);
      if (draft.asks != Asks{}) draft.terms.asks = static_cast<std::uint32_t>(asks.size());
      workload.terms.push_back(draft.terms);
      draft.job.request.terms = static_cast<std::uint32_t>(workload.terms.size());
      workload.jobs.push_back(draft.job);
    }
    spec_.memory_counts = conf.memory;
    auto state = std::make_shared<State>(conf, names_, accounting, std::move(asks), updates_);
    auto scheduler = std::make_unique<Scheduler>(state);
    std::vector<Event> events;
    scheduler->watch(&events);
    Controller controller(spec_, std::move(scheduler), std::make_unique<PowerSave>(state, launcher));
    std::atomic<bool> stop = false;
    SimulatedWorld world(workload, SimulatedCloud(boots_, 1, faults), SameInstant::batched, 0, &stop, true,
                         disturbances_);
    CloudMishaps mishaps(world, droughts_, mishaps_);
    Story story;
    story.jobs.resize(drafts_.size());
    Notes notes{*this, *state, controller, events, stop, story, {}, {}, 0};
    Journal journal;
    headroom::run(mishaps, controller, notes, journal);
    story.digest = journal.finish();
    return story;
  }

 private:
  struct Notes {
    const SlurmBench& bench;
    State& state;
    const Controller& controller;
    const std::vector<Event>& events;
    std::atomic<bool>& stop;
    Story& story;
    std::map<std::uint32_t, bool> ready;
    std::map<std::uint32_t, bool> configuring;
    std::size_t told;

    void append(Time now, const News& news, const Commands& commands) {
      const double s = in_seconds(now);
      if (now > 3 * kHour) stop = true;
      for (const Stimulus& n : news.stimuli) {
        if (n.kind == Stimulus::Kind::node_ready) {
          ready[n.subject] = true;
          story.power[bench.names_[n.subject]].push_back(fmt::format("{:.3f} ready", s));
        }
      }
      std::map<std::uint32_t, Event::Kind> by;
      bool cycle = false;
      for (; told < events.size(); ++told) {
        const Event& e = events[told];
        cycle |= e.kind == Event::Kind::backfill;
        story.events[e.kind].push_back(in_seconds(e.at));
        by[e.job] = e.kind;
      }
      for (const Command& c : commands.list) tell(s, c, commands.shares_of(c), by);
      if (cycle) {
        bool first = true;
        for (const JobId job : state.jobs.order(controller.jobs())) {
          if (state.jobs[job].start > 0) {
            story.planned.push_back({s, number(job), state.jobs[job].start - state.conf.phases.epoch, first});
          }
          first = false;
        }
      }
      if (bench.look_closer) bench.look_closer(state, controller, now, cycle);
      for (std::uint32_t j = 0; j < controller.jobs().size(); ++j) {
        Story::JobStory& job = story.jobs[j];
        const JobState was = std::exchange(job.state, controller.jobs().state(JobId{j}));
        if (is_final(job.state) && was != job.state) job.ended = s;
        note(job.states, s, state_letters(job.state));
        note(job.reasons, s, reason_text(state.jobs[JobId{j}]));
      }
      if (bench.look) bench.look(state, now);
      for (Index n = 0; n < state.nodes->size(); ++n) {
        note(story.nodes[(*state.nodes)[n].name], s, sinfo_state(controller.cluster(), *state.nodes, n));
      }
    }
    static void note(Story::Line& line, double s, const std::string& what) {
      if (line.empty() || line.back().second != what) line.emplace_back(s, what);
    }
    void tell(double s, const Command& c, std::span<const NodeShare> shares,
              const std::map<std::uint32_t, Event::Kind>& by) {
      using Kind = Command::Kind;
      if (c.kind == Kind::allocate_job || c.kind == Kind::start_job) {
        Story::JobStory& job = story.jobs[c.subject];
        if (c.kind == Kind::start_job) job.started = s;
        const bool had_nodes = configuring[c.subject];
        configuring[c.subject] = c.kind == Kind::allocate_job;
        if (had_nodes) return;
        std::vector<std::string> names;
        for (const NodeShare& share : shares) names.push_back(bench.names_[index(share.node)]);
        const auto who = by.find(c.subject);
        const bool backfill = who != by.end() && who->second == Event::Kind::allocated_by_backfill;
        job.allocated = s;
        job.allocations.push_back(fmt::format("{:.3f} {}{}", s, compress_hostlist(names), backfill ? " backfill" : ""));
      } else if (c.kind == Kind::launch_instances || c.kind == Kind::terminate_instances) {
        for (const NodeShare& share : shares) {
          const std::string& name = bench.names_[index(share.node)];
          const bool launch = c.kind == Kind::launch_instances;
          const char* what = launch ? "resume" : ready[number(share.node)] ? "suspend" : "given up";
          story.power[name].push_back(fmt::format("{:.3f} {}", s, what));
          if (launch) story.resumes.emplace_back(s, name);
          if (launch) ready[number(share.node)] = false;
        }
      } else if (c.kind == Kind::requeue_job) {
        configuring[c.subject] = false;
        story.jobs[c.subject].started = -1;
      } else if (c.kind == Kind::reject_job) {
        story.jobs[c.subject].rejection = static_cast<Rejection>(c.detail);
      } else if (c.kind == Kind::stop_job || c.kind == Kind::end_job) {
        configuring[c.subject] = false;
      }
    }
  };

  std::uint32_t group(const std::string& prefix, std::int32_t count, std::int32_t cpus, std::int32_t weight,
                      Supply supply, double boot_s) {
    spec_.groups.push_back({count, cpus, supply, weight, 0, 1000 * cpus});
    boots_.push_back({{Distribution::Kind::constant, 0}, {Distribution::Kind::constant, boot_s}});
    for (std::int32_t n = 1; n <= count; ++n) names_.push_back(prefix + std::to_string(n));
    return static_cast<std::uint32_t>(spec_.groups.size() - 1);
  }
  std::uint32_t node(const std::string& name) const {
    for (std::uint32_t n = 0; n < names_.size(); ++n) {
      if (names_[n] == name) return n;
    }
    ensure(false, "the test names a node that is there");
    return 0;
  }
  void disturb(double at_s, Stimulus::Kind kind, std::uint32_t subject, std::uint32_t detail) {
    disturbances_.push_back({from_seconds(at_s), {kind, subject, detail}});
  }

  ClusterSpec spec_;
  std::vector<SimulatedCloud::Boot> boots_;
  std::vector<std::string> names_;
  std::deque<Draft> drafts_;
  std::vector<Disturbance> disturbances_;
  std::vector<CloudMishaps::Drought> droughts_;
  std::vector<CloudMishaps::Mishap> mishaps_;
  std::vector<Update> updates_;
};

}  // namespace headroom::slurm
