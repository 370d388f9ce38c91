#include "models/check/property_suite.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "engine/journal.hpp"
#include "models/report/summary.hpp"
#include "models/simulated_world.hpp"

namespace headroom {
namespace {

// A cluster and a workload drawn from a seed.
struct Case {
  Scenario scenario;  // what policies are made from
  Design design;
  Workload workload;
  SameInstant same_instant = SameInstant::batched;
};

Case draw_case(std::uint64_t seed) {
  Substream draw(seed, Purpose::property_suite, 0);
  const auto between = [&draw](std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(draw.below(static_cast<std::uint64_t>(high - low + 1)));
  };
  Case c;
  ClusterSpec& spec = c.design.spec;
  c.design.is_pool = draw.below(2) == 0;
  c.same_instant = draw.below(3) == 0 ? SameInstant::per_event : SameInstant::batched;
  std::int32_t widest_nodes = 1;
  std::int32_t most_cores = 1;
  if (c.design.is_pool) {
    most_cores = static_cast<std::int32_t>(between(1, 40));
    spec.groups.push_back({1, most_cores, Supply::permanent, 1});
    spec.queues.push_back({{GroupId{0}}});
    c.design.groups.emplace_back().name = "pool";
  } else {
    const auto groups = static_cast<std::uint32_t>(between(1, 3));
    widest_nodes = 0;
    for (std::uint32_t g = 0; g < groups; ++g) {
      const auto nodes = static_cast<std::int32_t>(between(1, 6));
      const auto cores = static_cast<std::int32_t>(between(1, 4));
      const Supply supply = draw.below(3) == 0 ? Supply::fixed : Supply::dynamic;
      const auto weight = static_cast<std::int32_t>(between(1, 3));
      const auto kept =
          supply == Supply::dynamic && draw.below(4) == 0 ? static_cast<std::int32_t>(between(0, nodes - 1)) : 0;
      spec.groups.push_back({nodes, cores, supply, weight, kept});
      widest_nodes += nodes;
      most_cores = std::max(most_cores, cores);
      GroupFacts facts;
      facts.name = fmt::format("g{}", g);
      facts.price_per_hour = between(1, 5'000'000);
      c.design.groups.push_back(facts);
      const auto boot = static_cast<double>(between(0, 200));
      c.design.boots.push_back({{Distribution::Kind::uniform, 1, 20}, {Distribution::Kind::uniform, boot, 2 * boot}});
    }
    const auto queues = static_cast<std::uint32_t>(between(1, 3));
    for (std::uint32_t q = 0; q < queues; ++q) {
      QueueSpec queue;
      for (std::uint32_t g = 0; g < groups; ++g) {
        if (draw.below(2) == 0) queue.groups.push_back(GroupId{g});
      }
      if (queue.groups.empty()) queue.groups.push_back(GroupId{static_cast<std::uint32_t>(draw.below(groups))});
      spec.queues.push_back(queue);
    }
    spec.instance_limit = widest_nodes;
    spec.job_limit = draw.below(4) == 0 ? 5 : 1000;
    spec.suspend_timeout = between(0, 120) * kSecond;
    c.scenario.scaler.suspend_timeout = spec.suspend_timeout;
    c.scenario.scaler.interval = draw.below(2) == 0 ? 0 : between(1, 60) * kSecond;
    c.scenario.cluster.scale_down_idle_time = between(1, 300) * kSecond;
  }
  for (std::size_t q = 0; q < spec.queues.size(); ++q) {
    c.design.queue_names.push_back(fmt::format("q{}", q));
    c.scenario.queues.emplace_back().name = c.design.queue_names.back();
  }

  c.workload.user_names = {"a", "b"};
  const std::int64_t jobs = between(1, 60);
  const std::int64_t spacing = between(1, 100);  // close together or far apart
  const std::uint64_t kinds = draw.below(3);     // 0: all kinds of jobs, 1: whole nodes only, 2: cores anywhere only
  Time submit = 0;
  for (std::int64_t j = 0; j < jobs; ++j) {
    WorkloadJob job;
    submit += draw.below(3) == 0 ? 0 : between(0, spacing) * kSecond;
    JobRequest& r = job.request;
    r.submit = submit;
    r.queue = QueueId{static_cast<std::uint32_t>(draw.below(spec.queues.size()))};
    r.user = static_cast<std::uint32_t>(draw.below(2));
    if (!c.design.is_pool && kinds != 2 && draw.below(2) == 0) {
      r.nodes = static_cast<std::int32_t>(between(1, widest_nodes));
      r.cores = static_cast<std::int32_t>(between(1, most_cores));
    } else {
      r.cores = static_cast<std::int32_t>(between(1, most_cores * (c.design.is_pool ? 1 : 3)));
    }
    r.exclusive = !c.design.is_pool && kinds != 2 && (kinds == 1 || draw.below(4) == 0);
    r.limit = between(1, 300) * kSecond;
    switch (draw.below(4)) {
      case 0:
        job.run_time = r.limit;
        break;
      case 1:
        job.run_time = r.limit + between(1, 50) * kSecond;
        break;
      default:
        job.run_time = between(0, r.limit / kSecond) * kSecond;
        break;
    }
    if (draw.below(8) == 0) job.outcome = Outcome::failed;
    job.number = static_cast<std::uint64_t>(j) + 1;
    c.workload.jobs.push_back(job);
  }
  return c;
}

// Keeps its own books of a run, apart from the engine's, and compares.
class Watch {
 public:
  Watch(const Case& c, const Controller& controller, const PolicyEntry& policy)
      : case_(c),
        controller_(controller),
        policy_(policy),
        in_use_(controller.cluster().node_count()),
        jobs_on_(controller.cluster().node_count()),
        up_(controller.cluster().node_count(), c.design.is_pool),
        exists_(controller.cluster().node_count()),
        idle_since_(controller.cluster().node_count()),
        first_reserved_(c.workload.jobs.size(), kNever),
        order_(c.design.spec.queues.size(), -1) {}

  void append(Time now, const News& news, const Commands& commands) {
    if (now > now_) check_instant();
    now_ = now;
    for (const Stimulus& s : news.stimuli) hear(now, s);
    for (const Command& c : commands.list) obey(now, c, commands.shares_of(c));
    look(now);
    controller_.cluster().audit();
  }

  void check_instant() const {
    for (std::size_t n = 0; n < in_use_.size(); ++n) {
      ensure(in_use_[n] <= controller_.cluster().cores(NodeId{static_cast<std::uint32_t>(n)}),
             "no node is oversubscribed between two instants");
    }
    ensure(!first_could_start_, "the first of the queue waits only when it does not fit");
  }

 private:
  void hear(Time now, const Stimulus& s) {
    switch (s.kind) {
      case Stimulus::Kind::job_arrived:
        break;
      case Stimulus::Kind::job_finished:
        for (const NodeShare& share : held_.at(s.subject)) {
          in_use_[index(share.node)] -= share.cores;
          if (--jobs_on_[index(share.node)] == 0) idle_since_[index(share.node)] = now;
        }
        held_[s.subject].clear();
        break;
      case Stimulus::Kind::node_ready:
        up_[s.subject] = true;
        if (jobs_on_[s.subject] == 0) idle_since_[s.subject] = now;
        break;
      case Stimulus::Kind::instance_running:
        break;
      case Stimulus::Kind::instance_terminated:
        exists_[s.subject] = false;
        break;
      case Stimulus::Kind::node_lost:
      case Stimulus::Kind::node_back:
      case Stimulus::Kind::job_asked:
      case Stimulus::Kind::node_asked:
      case Stimulus::Kind::updated:
      case Stimulus::Kind::launch_refused:
      case Stimulus::Kind::instance_launched:
      case Stimulus::Kind::instance_lost:
      case Stimulus::Kind::instance_impaired:
      case Stimulus::Kind::spot_warned:
      case Stimulus::Kind::cluster_changed:
      case Stimulus::Kind::budget_reached:
      case Stimulus::Kind::instance_placed:
        break;
    }
  }

  void hold(std::uint32_t job, std::span<const NodeShare> shares) {
    if (held_.size() <= job) held_.resize(job + 1);
    if (!held_[job].empty()) {
      ensure(std::equal(shares.begin(), shares.end(), held_[job].begin(), held_[job].end()),
             "a job starts on the nodes it was allocated");
      return;
    }
    held_[job].assign(shares.begin(), shares.end());
    const JobRequest& request = case_.workload.jobs[job].request;
    std::int64_t cores = 0;
    for (const NodeShare& share : shares) {
      in_use_[index(share.node)] += share.cores;
      ++jobs_on_[index(share.node)];
      cores += share.cores;
      const std::vector<GroupId>& groups = case_.design.spec.queues[index(request.queue)].groups;
      ensure(std::find(groups.begin(), groups.end(), controller_.cluster().group_of(share.node)) != groups.end(),
             "a job runs on nodes of its queue");
      if (request.exclusive) ensure(jobs_on_[index(share.node)] == 1, "an exclusive job is alone on its nodes");
    }
    ensure(request.nodes == 0 ? cores >= request.cores
                              : shares.size() == static_cast<std::size_t>(request.nodes) &&
                                    cores >= std::int64_t{request.nodes} * request.cores,
           "a job gets all it asked for");
    if (policy_.promises.keeps_order) {
      std::int64_t& last = order_[index(request.queue)];
      ensure(last < std::int64_t{job}, "jobs of a queue get their nodes in order of submission");
      last = job;
    }
    if (policy_.promises.keeps_reservations && case_.design.is_pool) {
      ensure(now_ <= first_reserved_[job], "a job starts no later than its first reservation");
    }
  }

  void obey(Time now, const Command& c, std::span<const NodeShare> shares) {
    switch (c.kind) {
      case Command::Kind::reject_job:
      case Command::Kind::stop_job:
      case Command::Kind::requeue_job:
      case Command::Kind::end_job:
      case Command::Kind::share_cores:
      case Command::Kind::move_job:
        break;
      case Command::Kind::allocate_job:
        hold(c.subject, shares);
        break;
      case Command::Kind::start_job:
        hold(c.subject, shares);
        for (const NodeShare& share : shares) ensure(up_[index(share.node)], "a job starts when all its nodes are up");
        break;
      case Command::Kind::launch_instances:
        for (const NodeShare& share : shares) {
          ensure(!exists_[index(share.node)], "a node has one instance at a time");
          exists_[index(share.node)] = true;
        }
        break;
      case Command::Kind::terminate_instances:
        for (const NodeShare& share : shares) {
          const std::size_t n = index(share.node);
          ensure(!controller_.cluster().is_kept(share.node), "static nodes stay");
          ensure(up_[n] && jobs_on_[n] == 0, "only an idle node is terminated");
          ensure(now - idle_since_[n] >= case_.scenario.cluster.scale_down_idle_time,
                 "not before the idle time is over");
          up_[n] = false;
        }
        break;
    }
  }

  void look(Time now) {
    const JobTable& jobs = controller_.jobs();
    std::vector<bool> seen(case_.design.spec.queues.size());
    first_could_start_ = false;
    for (std::uint32_t j = 0; j < jobs.size(); ++j) {
      if (jobs.state(JobId{j}) != JobState::pending) continue;
      const Claim& claim = controller_.cluster().claim(JobId{j});
      if (claim.kind == Claim::Kind::reserved) first_reserved_[j] = std::min(first_reserved_[j], claim.from);
      if (policy_.promises.serves_head && case_.design.is_pool && case_.same_instant == SameInstant::batched &&
          !seen[0]) {
        seen[0] = true;
        first_could_start_ = in_use_[0] + jobs.request(JobId{j}).cores <= case_.design.spec.groups[0].cores;
      }
    }
    std::size_t instances = 0;
    for (const bool e : exists_) instances += e ? 1 : 0;
    ensure(instances <= static_cast<std::size_t>(case_.design.spec.instance_limit), "the instance limit holds [PCS-3]");
    (void)now;
  }

  const Case& case_;
  const Controller& controller_;
  const PolicyEntry& policy_;
  Time now_ = 0;
  bool first_could_start_ = false;  // after the last step
  std::vector<std::int64_t> in_use_;
  std::vector<int> jobs_on_;
  std::vector<bool> up_;
  std::vector<bool> exists_;
  std::vector<Time> idle_since_;
  std::vector<Time> first_reserved_;
  std::vector<std::int64_t> order_;  // by queue: the last job that got nodes
  std::vector<std::vector<NodeShare>> held_;
};

class Bytes final : public JournalSink {
 public:
  void write(std::string_view bytes) override { text += bytes; }
  std::string text;
};

void run_case(const PolicyEntry& policy, std::uint64_t seed, PropertyReport& report) {
  const Case c = draw_case(seed);
  report.jobs += c.workload.jobs.size();
  const auto make_controller = [&] {
    Policies policies = policy.make(c.scenario, c.design);
    return Controller(c.design.spec, std::move(policies.scheduler), std::move(policies.scaler));
  };
  std::string digests[2];
  Bytes bytes;
  RunRecord record(0);
  for (std::string& digest : digests) {
    Controller controller = make_controller();
    SimulatedWorld world(c.workload, SimulatedCloud(c.design.boots, seed), c.same_instant, 0, nullptr,
                         controller.keeps_time());
    bytes.text.clear();
    Journal journal(&bytes);
    record = RunRecord(controller.cluster().node_count());
    Watch watch(c, controller, policy);
    run(world, controller, journal, record, watch);
    watch.check_instant();
    digest = journal.finish();
    ensure(controller.active_jobs() == 0, "every job ends or is refused");
    ensure(record.jobs().size() == c.workload.jobs.size(), "every job is accounted for");
    for (std::uint32_t n = 0; n < controller.cluster().node_count(); ++n) {
      const bool stays = c.design.is_pool || controller.cluster().is_kept(NodeId{n});
      ensure(controller.cluster().state(NodeId{n}) == (stays ? NodeState::up : NodeState::powered_down),
             "at the end dynamic nodes are gone, and no others");
    }
  }
  ensure(digests[0] == digests[1], "the same run twice has the same digest");
  report.steps += record.steps();

  for (std::size_t j = 0; j < record.jobs().size(); ++j) {
    const JobRecord& job = record.jobs()[j];
    const WorkloadJob& truth = c.workload.jobs[j];
    if (job.state == JobState::rejected) continue;
    ensure(is_final(job.state) && job.start >= truth.request.submit, "a job runs after its submission");
    const bool timed_out = job.state == JobState::timed_out;
    if (policy.promises.exact_limits) {
      ensure(job.end - job.start == std::min(truth.run_time, truth.request.limit), "a job runs as long as it does");
      ensure(timed_out == (truth.run_time > truth.request.limit), "a job over its limit is ended, no other");
    } else {
      // Whoever looks at whole seconds only may take one that has begun for one that is over.
      ensure(timed_out ? job.end - job.start > truth.request.limit - kSecond : job.end - job.start == truth.run_time,
             "a job runs as long as it does, or to its limit at least");
    }
  }

  // The journal alone drives the core to the same commands.
  Controller again = make_controller();
  JournalReader reader(bytes.text);
  Journal repeated;
  News news;
  Commands recorded;
  Commands commands;
  Time now = 0;
  JournalReader::Result result{};
  while ((result = reader.next(now, news, recorded)) == JournalReader::Result::step) {
    commands.clear();
    again.step(now, news, commands);
    repeated.append(now, news, commands);
  }
  ensure(result == JournalReader::Result::end && repeated.finish() == digests[0], "a replay of the journal agrees");

  if (c.design.is_pool) return;
  const Scenario scenario;
  const RunContext context{scenario, c.design, c.workload, digests[0]};
  const Summary summary = summarize(record, context);
  MicroUsd cost = 0;
  const auto busy = busy_periods(record);
  CostSplit split;
  for (const InstanceUse& use : Bill(record, c.design).instance_use(busy)) {
    cost += use.cost;
    split += use.split;
    ensure(use.cost == use.split.total() && use.split.busy >= 0 && use.split.boot >= 0 && use.split.idle >= 0 &&
               use.split.failed >= 0,
           "an instance's cost is busy, boot, idle or failed");
  }
  ensure(cost == summary.instances_cost && split.total() == cost && summary.instances_split.total() == cost,
         "the cost is the sum over the instances");
  const HourSplit& h = summary.instance_hours;
  ensure(std::abs(h.busy + h.idle + h.boot + h.failed - h.total) <= 1e-9 * std::max(1.0, h.total) && h.idle >= -1e-12,
         "instance hours are busy, idle, boot or failed");
}

}  // namespace

PropertyReport check_properties(const PolicyEntry& policy, std::uint64_t first_seed, std::uint64_t cases) {
  PropertyReport report;
  report.promises = {
      "no node is ever oversubscribed; exclusive jobs are alone",
      "every job ends in one final state or is refused, after its submission, with all it asked for",
      "jobs start only when all their nodes are up; limits of instances and jobs hold",
      "dynamic nodes are terminated when idle long enough, and all of them in the end; static ones stay",
      "the same run twice, and its replayed journal, have the same digest",
      "cost and hours add up over the instances",
  };
  if (policy.promises.keeps_order)
    report.promises.emplace_back("jobs of a queue get their nodes in order of submission");
  if (policy.promises.serves_head) {
    report.promises.emplace_back("on a rigid machine the first of the queue waits only when it does not fit");
  }
  if (policy.promises.keeps_reservations)
    report.promises.emplace_back("on a rigid machine no job starts later than first reserved");
  for (std::uint64_t seed = first_seed; seed < first_seed + cases; ++seed) {
    ++report.cases;
    try {
      run_case(policy, seed, report);
    } catch (const Bug& bug) {
      report.failures.push_back({seed, bug.what()});
      if (report.failures.size() >= 10) break;
    }
  }
  return report;
}

}  // namespace headroom
