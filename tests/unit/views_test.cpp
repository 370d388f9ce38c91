// The queue and the nodes at a time: what squeue and sinfo would print. Widths, states and orders are those of
// squeue(1) and sinfo(1).
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/policies/registry.hpp"
#include "models/policies/slurm/conf.hpp"
#include "models/report/node_view.hpp"
#include "models/report/queue_view.hpp"
#include "models/simulation.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

Scenario scenario_with(const std::string& policy, const std::string& jobs) {
  return parse_scenario(R"({
    "name": "views", "seed": 3, "region": "us-east-1",
    "cluster": {"clusterName": "views", "scheduler": {"type": "SLURM", "version": "24.05"}, "size": "SMALL",
                "slurmConfiguration": {"scaleDownIdleTimeInSeconds": 300}},
    "computeNodeGroups": [
      {"computeNodeGroupName": "c6i", "subnetIds": ["a"], "scalingConfiguration": {"minInstanceCount": 0,
       "maxInstanceCount": 4}, "instanceConfigs": [{"instanceType": "c6i.xlarge"}]},
      {"computeNodeGroupName": "big", "subnetIds": ["a"], "scalingConfiguration": {"minInstanceCount": 1,
       "maxInstanceCount": 1}, "instanceConfigs": [{"instanceType": "c6i.4xlarge"}]}],
    "queues": [
      {"queueName": "main", "computeNodeGroupConfigurations": [{"computeNodeGroupId": "c6i"}]},
      {"queueName": "a-long-queue", "computeNodeGroupConfigurations": [{"computeNodeGroupId": "big"}]}],
    "subnets": {"a": {"availabilityZone": "us-east-1a"}},
    "scheduler": {"policy": ")" +
                            policy + R"("}, "workload": {"jobs": [)" + jobs + "]}}",
                        "views.json");
}

std::string sleep_jobs() {
  std::string jobs;
  for (int j = 0; j < 40; ++j) {
    jobs += (j == 0 ? "" : ",") + std::string(R"({"user": "user-)") + std::to_string(j % 3) + R"(", "queue": ")" +
            (j % 4 == 3 ? "a-long-queue" : "main") + R"(", "submit": )" + std::to_string(j * 37) + R"(, "nodes": )" +
            std::to_string(j % 4 == 3 ? 1 : 1 + j % 3) + R"(, "tasksPerNode": )" + std::to_string(1 + j % 2) +
            R"(, "timeLimit": )" + std::to_string(120 + j * 11 % 400) + R"(, "runTime": )" +
            std::to_string(60 + j * 17 % 300) + "}";
  }
  return jobs;
}

struct Views {
  std::vector<Time> times;
  std::vector<std::vector<QueueRow>> queue;
  std::vector<std::vector<NodeRow>> nodes;
  std::vector<std::string> text;
  std::vector<bool> over;
  SimulationResult result{RunRecord(0), {}};
};

Views views_of(const Scenario& scenario, const Workload& workload, std::vector<Time> times, bool end_after = false) {
  const Design design = make_design(scenario);
  Views views;
  SimulationOptions options;
  options.looks = std::move(times);
  options.end_after_looks = end_after;
  options.look = [&](const Moment& moment) {
    views.times.push_back(moment.at);
    views.queue.push_back(queue_rows(moment));
    views.nodes.push_back(node_rows(moment));
    views.text.push_back(queue_table(views.queue.back(), design) + node_table(views.nodes.back(), design));
    views.over.push_back(moment.over);
  };
  views.result = simulate(scenario, design, workload, options);
  return views;
}

std::vector<std::string> ids(const std::vector<QueueRow>& rows) {
  std::vector<std::string> list;
  for (const QueueRow& row : rows) {
    const bool waits = row.state == JobState::pending;
    list.push_back(row.id + " " + std::string(compact_state(row.state)) + " " + (waits ? row.reason : row.node_list));
  }
  return list;
}

TEST(QueueView, WritesTimesAsSqueueDoes) {
  EXPECT_EQ(slurm_duration(0), "0:00");
  EXPECT_EQ(slurm_duration(7), "0:07");
  EXPECT_EQ(slurm_duration(59 * 60 + 59), "59:59");
  EXPECT_EQ(slurm_duration(3600), "1:00:00");
  EXPECT_EQ(slurm_duration(86399), "23:59:59");
  EXPECT_EQ(slurm_duration(86400), "1-00:00:00");
  EXPECT_EQ(slurm_duration(123 * 86400 + 4 * 3600 + 5 * 60 + 6), "123-04:05:06");
}

TEST(QueueView, CutsAndJustifiesAsSqueueDoes) {
  EXPECT_EQ(right_justified("demo", 9), "     demo");
  EXPECT_EQ(right_justified("simulation", 8), "simulati");
  EXPECT_EQ(right_justified("", 2), "  ");
  EXPECT_EQ(right_justified("größenordnung", 8), "größenor") << "characters, not bytes";
  EXPECT_EQ(right_justified("größe", 8), "   größe");
}

TEST(QueueView, WritesTasksOfAnArray) {
  EXPECT_EQ(task_list({7}, 0), "7");
  EXPECT_EQ(task_list({3, 4, 5, 6, 7, 8, 9}, 2), "3-9%2");
  EXPECT_EQ(task_list({9, 1, 2, 5, 3}, 0), "1-3,5,9");
  EXPECT_EQ(task_list({0, 4, 8}, 0), "0,4,8") << "few";
  EXPECT_EQ(task_list({0, 4, 8, 12}, 0), "0-12:4");
  EXPECT_EQ(task_list({0, 4, 8, 13}, 5), "0,4,8,13%5");
}

TEST(NodeView, PutsStatesInTheOrderOfSlurmsNumbers) {
  const std::vector<std::string> order = {"idle!",  "plnd",  "mix-",  "alloc%", "idle%", "mix#",
                                          "alloc#", "idle#", "idle~", "alloc*", "comp",  "drng",
                                          "drain",  "mix",   "alloc", "idle",   "down"};
  std::vector<std::string> sorted = order;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return state_rank(a) > state_rank(b); });
  EXPECT_GT(state_rank("mix-"), state_rank("plnd"));
  std::swap(sorted[1], sorted[2]);
  EXPECT_EQ(sorted, order);
  for (const std::string& state : order) EXPECT_GT(state_rank(state), 0) << state;
}

TEST(Views, ShowWidthsStatesAndReasons) {
  const Scenario scenario = scenario_with("fcfs", R"(
      {"id": "first-job-of-all", "user": "somebody-else", "queue": "main", "submit": 0, "nodes": 3, "exclusive": true,
       "runTime": 100000, "timeLimit": 200000},
      {"id": "wide", "user": "ann", "queue": "main", "submit": 10, "nodes": 4, "runTime": 60},
      {"id": "next", "user": "ann", "queue": "main", "submit": 20, "cpus": 3, "runTime": 60},
      {"id": "big", "user": "bob", "queue": "a-long-queue", "submit": 30, "cpus": 2, "runTime": 6000})");
  const Views views =
      views_of(scenario, load_workload(scenario, make_design(scenario)), {20 * kSecond, 90'000 * kSecond});
  EXPECT_EQ(views.text[0],
            "             JOBID PARTITION     NAME     USER ST       TIME  NODES NODELIST(REASON)\n"
            "                 1      main first-jo somebody CF       0:20      3 c6i-[1-3]\n"
            "                 2      main     wide      ann PD       0:00      4 (Resources)\n"
            "                 3      main     next      ann PD       0:00      2 (Priority)\n"
            "PARTITION    AVAIL  TIMELIMIT  NODES  STATE NODELIST\n"
            "main*           up   infinite      3 alloc# c6i-[1-3]\n"
            "main*           up   infinite      1  idle~ c6i-4\n"
            "a-long-queue    up   infinite      1  idle# big-1\n");
  EXPECT_THAT(ids(views.queue[1]), ElementsAre("2 PD Resources", "3 PD Priority", "1 R c6i-[1-3]"));
  EXPECT_THAT(views.text[1], testing::HasSubstr("first-jo somebody  R 1-00:5"));
}

TEST(Views, SortByPartitionThenStateThenPriority) {
  const Scenario scenario = scenario_with("easy", R"(
      {"id": "a", "user": "u", "queue": "main", "submit": 0, "nodes": 4, "exclusive": true, "runTime": 1000},
      {"id": "b", "user": "u", "queue": "main", "submit": 1, "nodes": 1, "runTime": 60},
      {"id": "c", "user": "u", "queue": "a-long-queue", "submit": 2, "cpus": 8, "runTime": 9000},
      {"id": "d", "user": "u", "queue": "a-long-queue", "submit": 3, "cpus": 8, "runTime": 60})");
  const Views views = views_of(scenario, load_workload(scenario, make_design(scenario)), {500 * kSecond});
  EXPECT_THAT(ids(views.queue[0]), ElementsAre("4 PD Resources", "3 R big-1", "2 PD Resources", "1 R c6i-[1-4]"));
}

TEST(Views, FollowTheOrderOfThePolicy) {
  Scenario scenario = scenario_with("easy", R"(
      {"id": "a", "user": "u", "queue": "main", "submit": 0, "nodes": 4, "exclusive": true, "runTime": 1000},
      {"id": "long", "user": "u", "queue": "main", "submit": 1, "nodes": 1, "runTime": 60, "timeLimit": 5000},
      {"id": "short", "user": "u", "queue": "main", "submit": 2, "nodes": 1, "runTime": 60, "timeLimit": 100})");
  scenario.scheduler.order = QueueOrder::sjf;
  const Views views = views_of(scenario, load_workload(scenario, make_design(scenario)), {500 * kSecond});
  EXPECT_THAT(ids(views.queue[0]), ElementsAre("3 PD Resources", "2 PD Priority", "1 R c6i-[1-4]"));
}

TEST(Views, ShowAnArrayAsOneRecordAndItsTasks) {
  const Scenario scenario = scenario_with("slurm", R"({"id": "x", "user": "u", "submit": 0, "runTime": 600})");
  Workload workload = load_workload(scenario, make_design(scenario));
  const WorkloadJob one = workload.jobs[0];
  workload.jobs.clear();
  workload.job_names.clear();
  const auto add = [&](const std::string& name, const JobTerms& terms) {
    WorkloadJob& job = workload.jobs.emplace_back(one);
    workload.terms.push_back(terms);
    job.request.terms = static_cast<std::uint32_t>(workload.terms.size());
    job.number = workload.jobs.size();
    workload.job_names.push_back(name);
  };
  JobTerms held;
  held.held = true;
  add("held", held);  // for ever: the run would not end by itself
  for (int task = 0; task < 8; ++task) {
    JobTerms terms;
    terms.array_tasks = 8;
    terms.array = JobId{1};
    terms.array_task = task;
    terms.array_limit = 3;
    add("sweep_" + std::to_string(task), terms);
  }
  JobTerms after;
  after.dependencies.push_back({Dependency::Kind::after_ok, JobId{1}, 0});
  add("after", after);
  JobTerms later;
  later.begin = 300 * kSecond;
  add("later", later);
  const Views views = views_of(scenario, workload, {0, 20 * kSecond, 400 * kSecond}, true);
  EXPECT_THAT(ids(views.queue[0]), ElementsAre("2_[0-7%3] PD None", "10 PD Dependency", "11 PD BeginTime", "1 PD JobHeldUser"));
  EXPECT_EQ(views.queue[0][0].name, "sweep");
  EXPECT_THAT(ids(views.queue[1]),
              ElementsAre("2_0 CF c6i-1", "2_1 CF c6i-1", "2_2 CF c6i-2", "2_[3-7%3] PD JobArrayTaskLimit",
                          "10 PD Dependency", "11 PD BeginTime", "1 PD JobHeldUser"));
  EXPECT_EQ(views.queue[1][0].name, "sweep");
  ASSERT_EQ(views.queue[2].size(), 7u);
  EXPECT_THAT(ids(views.queue[2])[6], StartsWith("11 R"));
}

// Looking is not a part of the run, and where it ends makes no difference to what is seen before.
TEST(Views, ChangeNothing) {
  for (const PolicyEntry& policy : scheduler_policies()) {
    const Scenario scenario = scenario_with(std::string(policy.name), sleep_jobs());
    const Workload workload = load_workload(scenario, make_design(scenario));
    const Views none = views_of(scenario, workload, {});
    std::vector<Time> times;
    for (int i = 0; i < 400; ++i) times.push_back(i * 7 * kSecond + i % 3);
    const Views all = views_of(scenario, workload, times);
    EXPECT_EQ(all.times, times) << policy.name;
    EXPECT_EQ(all.result.digest, none.result.digest) << policy.name;
    EXPECT_EQ(all.result.record.steps(), none.result.record.steps()) << policy.name;
    for (const std::size_t i : {std::size_t{0}, std::size_t{50}, std::size_t{333}}) {
      const Views one = views_of(scenario, workload, {times[i]}, true);
      ASSERT_EQ(one.text.size(), 1u);
      EXPECT_EQ(one.text[0], all.text[i]) << policy.name << " at " << times[i];
      EXPECT_LT(one.result.record.steps(), none.result.record.steps());
    }
  }
}

// At every time, under every policy: nodes of jobs are allocated and no others are, and every node is in one state.
TEST(Views, AgreeWithEachOther) {
  for (const PolicyEntry& policy : scheduler_policies()) {
    const Scenario scenario = scenario_with(std::string(policy.name), sleep_jobs());
    std::vector<Time> times;
    for (int i = 0; i < 1200; ++i) times.push_back(i * 3 * kSecond);
    const Views views = views_of(scenario, load_workload(scenario, make_design(scenario)), times);
    bool seen_waiting = false;
    for (std::size_t i = 0; i < times.size(); ++i) {
      std::set<std::string> held;
      for (const QueueRow& row : views.queue[i]) {
        const std::vector<std::string> nodes = slurm::expand_hostlist(row.node_list);
        const bool pending = row.state == JobState::pending;
        EXPECT_EQ(nodes.empty(), pending);
        EXPECT_NE(row.reason.empty(), pending);
        seen_waiting |= pending;
        EXPECT_GE(row.elapsed_s, 0);
        EXPECT_EQ(nodes.size(), pending ? 0 : static_cast<std::size_t>(row.nodes));
        held.insert(nodes.begin(), nodes.end());
      }
      std::set<std::string> allocated;
      std::map<std::uint32_t, std::set<std::string>> all;
      for (const NodeRow& row : views.nodes[i]) {
        for (const std::string& node : slurm::expand_hostlist(row.node_list)) {
          const bool busy = row.state.starts_with("alloc") || row.state.starts_with("mix") || row.state == "comp";
          if (busy) allocated.insert(node);
          EXPECT_TRUE(all[number(row.queue)].insert(node).second) << node << " twice";
        }
      }
      EXPECT_EQ(held, allocated) << policy.name << " at " << times[i] / kSecond << " s\n" << views.text[i];
      EXPECT_EQ(all[0].size(), 4u);
      EXPECT_EQ(all[1].size(), 1u);
    }
    EXPECT_TRUE(seen_waiting) << policy.name;
  }
}

TEST(Views, AfterTheEndShowHowItEnds) {
  for (const char* policy : {"easy", "slurm"}) {
    const Scenario scenario = scenario_with(policy, R"({"id": "x", "user": "u", "submit": 0, "runTime": 60})");
    const Views views =
        views_of(scenario, load_workload(scenario, make_design(scenario)), {100 * kSecond, 1000 * kHour, 2000 * kHour});
    EXPECT_THAT(views.over, ElementsAre(false, true, true));
    EXPECT_THAT(views.queue[2], IsEmpty());
    EXPECT_EQ(views.text[1], views.text[2]);
    EXPECT_EQ(views.nodes[2][0].state, "idle~") << policy;
  }
}

// A log counts its seconds from anywhere: before its first job the cluster is as it was made.
TEST(Views, BeforeTheStartShowTheClusterAsItWasMade) {
  for (const char* policy : {"easy", "slurm"}) {
    const Scenario scenario = scenario_with(policy, R"({"id": "x", "user": "u", "submit": "40h", "runTime": 60})");
    const Views views = views_of(scenario, load_workload(scenario, make_design(scenario)), {0, 40 * kHour});
    EXPECT_THAT(views.queue[0], IsEmpty());
    EXPECT_EQ(views.nodes[0][0].state, "idle~");
    EXPECT_EQ(views.queue[1].size(), 1u);
  }
}

}  // namespace
}  // namespace headroom
