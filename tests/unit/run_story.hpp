// A run told by hand: what happened at which second. For tests of what reports make of it.
#pragma once

#include <string>

#include "models/report/summary.hpp"

namespace headroom {

class RunStory {
 public:
  Scenario scenario;
  Design design;
  Workload workload;
  RunRecord record;

  // Groups of eight nodes with four cores, at 3.6 USD an hour: a thousand millionths a second.
  explicit RunStory(const std::vector<std::string>& groups = {"compute"}) : record(8 * groups.size()) {
    for (const std::string& name : groups) {
      design.spec.groups.push_back({8, 4, Supply::dynamic, 1});
      GroupFacts facts;
      facts.name = name;
      facts.type.name = "test.large";
      facts.price_per_hour = 3'600'000;
      design.groups.push_back(facts);
    }
    design.queue_names = {"batch", "other"};
    for (std::size_t q = 0; q < 2; ++q) {
      QueueSpec& queue = design.spec.queues.emplace_back();
      for (std::uint32_t g = 0; g < groups.size(); ++g) queue.groups.push_back(GroupId{g});
    }
    workload.user_names = {"ann", "bob"};
  }
  // The group offers this beside what it has, at so much an hour. Returns its number.
  std::uint32_t offer(const std::string& type, const std::string& zone, MicroUsd price_per_hour,
                      std::size_t group = 0) {
    GroupFacts& facts = design.groups[group];
    if (facts.offers.empty()) {
      facts.offers.push_back(
          {.type = facts.type, .subnet = "subnet-0", .zone = "", .price_per_hour = facts.price_per_hour});
    }
    Offer& made = facts.offers.emplace_back();
    made.type.name = type;
    made.subnet = "subnet-" + zone;
    made.zone = zone;
    made.price_per_hour = price_per_hour;
    return static_cast<std::uint32_t>(facts.offers.size() - 1);
  }
  // A machine of so many processors, as a story.
  static RunStory pool(std::int32_t processors) {
    RunStory story({"pool"});
    story.design.is_pool = true;
    story.design.spec.groups = {{1, processors, Supply::permanent, 1}};
    story.record = RunRecord(1);
    return story;
  }

  // --- what happens at the next step ---
  std::uint32_t arrive(std::int32_t cores = 1, std::uint32_t user = 0, std::uint32_t queue = 0) {
    const auto job = static_cast<std::uint32_t>(workload.jobs.size());
    JobRequest request;
    request.cores = cores;
    request.user = user;
    request.queue = QueueId{queue};
    news_.stimuli.push_back({Stimulus::Kind::job_arrived, job, 0});
    news_.arrivals.push_back(request);
    WorkloadJob& truth = workload.jobs.emplace_back();
    truth.request = request;
    truth.number = job + 1;
    return job;
  }
  void finish(std::uint32_t job, Outcome outcome = Outcome::completed) {
    news_.stimuli.push_back({Stimulus::Kind::job_finished, job, static_cast<std::uint32_t>(outcome)});
  }
  void running(std::uint32_t node) { news_.stimuli.push_back({Stimulus::Kind::instance_running, node, 0}); }
  void ready(std::uint32_t node) { news_.stimuli.push_back({Stimulus::Kind::node_ready, node, 0}); }
  void reject(std::uint32_t job) { commands_.add(Command::Kind::reject_job, job, 0, {}); }
  void allocate(std::uint32_t job, const std::vector<NodeShare>& shares) {
    commands_.add(Command::Kind::allocate_job, job, 0, shares);
  }
  // `cores`: which ones it has together with others; none: it has them alone.
  void start(std::uint32_t job, const std::vector<NodeShare>& shares, const std::vector<NodeShare>& cores = {}) {
    commands_.add(Command::Kind::start_job, job, 0, shares);
    if (!cores.empty()) commands_.add(Command::Kind::share_cores, job, 0, cores);
  }
  void stop(std::uint32_t job, Outcome outcome) {
    commands_.add(Command::Kind::stop_job, job, static_cast<std::uint32_t>(outcome), {});
  }
  void requeue(std::uint32_t job) { commands_.add(Command::Kind::requeue_job, job, 0, {}); }
  void end(std::uint32_t job, Outcome outcome) {
    commands_.add(Command::Kind::end_job, job, static_cast<std::uint32_t>(outcome), {});
  }
  void launch(std::uint32_t node, LaunchReason why = LaunchReason::scheduler_requested) {
    power(Command::Kind::launch_instances, node, static_cast<std::uint32_t>(why));
  }
  void terminate(std::uint32_t node, EndReason why = EndReason::scheduler_requested) {
    power(Command::Kind::terminate_instances, node, static_cast<std::uint32_t>(why));
  }
  // Other news of a node, a change of the cluster, or a budget.
  void hear(Stimulus::Kind kind, std::uint32_t subject, std::uint32_t detail = 0) {
    news_.stimuli.push_back({kind, subject, detail});
  }
  void refuse(std::uint32_t node, Refusal refusal) {
    hear(Stimulus::Kind::launch_refused, node, static_cast<std::uint32_t>(refusal));
  }
  void lose(std::uint32_t node, Loss loss) {
    hear(Stimulus::Kind::instance_lost, node, static_cast<std::uint32_t>(loss));
  }

  void at(std::int64_t second) {
    for (JobRequest& request : news_.arrivals) request.submit = second * kSecond;
    // A step in which nothing happens does not count: news that reports pass over.
    if (news_.stimuli.empty() && commands_.list.empty()) {
      news_.stimuli.push_back({Stimulus::Kind::updated, 0, 0});
    }
    record.append(second * kSecond, news_, commands_);
    news_.clear();
    commands_.clear();
  }

  // An instance that is there from the beginning of the story (second 0) on.
  void static_node(std::uint32_t node) {
    launch(node);
    at(0);
    running(node);
    ready(node);
    at(0);
  }
  // A job of one user and queue with its whole life on some nodes that are up; returns its number. Steps go
  // forward.
  std::uint32_t job(std::int64_t submit, std::int64_t start_at, std::int64_t end,
                    const std::vector<NodeShare>& shares) {
    const std::uint32_t number = arrive();
    at(submit);
    start(number, shares);
    at(start_at);
    finish(number);
    at(end);
    return number;
  }

  RunContext context() const { return {scenario, design, workload, "0123456789abcdef"}; }
  Summary summary() const { return summarize(record, context()); }

 private:
  void power(Command::Kind kind, std::uint32_t node, std::uint32_t why) {
    const NodeShare share{NodeId{node}, 0};
    commands_.add(kind, node / 8, why, std::span(&share, 1));
  }
  News news_;
  Commands commands_;
};

// On a node, some cores.
inline NodeShare share_of(std::uint32_t node, std::int32_t cores = 1) { return {NodeId{node}, cores}; }

// One job on two nodes, three attempts. Node 1 does not boot, and is given up after 100 s; then the job runs from 200 s
// to 300 s on node 0 and static node 2, until it is requeued while it is told to end; from 400 s on it runs for 50 s on
// nodes 0 and 2, is told to end as TIMEOUT then, and is gone 10 s later. The run ends at 500 s.
inline RunStory requeue_story() {
  RunStory story;
  story.static_node(2);
  story.arrive(8);
  story.allocate(0, {share_of(0, 4), share_of(1, 4)});
  story.at(0);
  story.launch(0);  // only now: the scaler looks now and then
  story.launch(1);
  story.at(10);
  story.running(0);
  story.running(1);
  story.at(20);
  story.ready(0);
  story.at(50);
  story.terminate(1);
  story.at(100);
  story.requeue(0);
  story.at(100);
  story.start(0, {share_of(0, 4), share_of(2, 4)});
  story.at(200);
  story.stop(0, Outcome::cancelled);
  story.at(290);
  story.requeue(0);
  story.at(300);
  story.start(0, {share_of(0, 4), share_of(2, 4)});
  story.at(400);
  story.stop(0, Outcome::timed_out);
  story.at(450);
  story.finish(0, Outcome::timed_out);
  story.at(460);
  story.at(500);
  return story;
}

// One dynamic node, one job: launched at 0 s, running at 30 s, ready at 60 s, busy to 150 s, terminated at
// 210 s.
inline RunStory one_job_story() {
  RunStory story;
  story.arrive(4);
  story.allocate(0, {share_of(0, 4)});
  story.launch(0);
  story.at(0);
  story.running(0);
  story.at(30);
  story.ready(0);
  story.start(0, {share_of(0, 4)});
  story.at(60);
  story.finish(0);
  story.at(150);
  story.terminate(0);
  story.at(210);
  story.at(240);
  return story;
}

}  // namespace headroom
