#include "models/workload/inline_jobs.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "models/errors.hpp"

namespace headroom {
namespace {

const std::vector<std::string> kQueues{"demo", "big"};

InlineJob job_of(std::int32_t nodes, std::int32_t tasks_per_node, std::int32_t cpus, bool exclusive = false) {
  InlineJob job;
  job.run_time = 10 * kSecond;
  job.time_limit = kMinute;
  job.nodes = nodes;
  job.tasks_per_node = tasks_per_node;
  job.cpus = cpus;
  job.exclusive = exclusive;
  job.line = 7;
  return job;
}

struct Shape {
  std::int32_t nodes;
  std::int32_t cores;
  bool exclusive;
  bool operator==(const Shape&) const = default;
};

Shape shape_of(const InlineJob& job) {
  const JobRequest request = inline_workload({job}, kQueues, "s.json").jobs.at(0).request;
  return {request.nodes, request.cores, request.exclusive};
}

std::string failure_of(const std::vector<InlineJob>& jobs) {
  try {
    inline_workload(jobs, kQueues, "s.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no failure";
}

TEST(InlineJobs, TakesShapesAsSbatchDoes) {
  EXPECT_EQ(shape_of(job_of(0, 0, 0)), (Shape{0, 1, false}));
  EXPECT_EQ(shape_of(job_of(0, 0, 12)), (Shape{0, 12, false}));
  EXPECT_EQ(shape_of(job_of(3, 0, 0)), (Shape{3, 1, false}));
  EXPECT_EQ(shape_of(job_of(3, 4, 0)), (Shape{3, 4, false}));
  EXPECT_EQ(shape_of(job_of(3, 0, 10)), (Shape{3, 4, false}));
  EXPECT_EQ(shape_of(job_of(3, 4, 10)), (Shape{3, 4, false}));
  EXPECT_EQ(shape_of(job_of(3, 8, 6)), (Shape{3, 2, false}));
  EXPECT_EQ(shape_of(job_of(0, 4, 0)), (Shape{1, 4, false}));
  EXPECT_EQ(shape_of(job_of(0, 4, 10)), (Shape{3, 4, false}));
  EXPECT_EQ(shape_of(job_of(0, 4, 3)), (Shape{1, 3, false}));
  EXPECT_EQ(shape_of(job_of(2, 0, 0, true)), (Shape{2, 1, true}));
  EXPECT_EQ(shape_of(job_of(0, 0, 5, true)), (Shape{0, 5, true}));
  constexpr auto kMost = std::numeric_limits<std::int32_t>::max();
  EXPECT_EQ(shape_of(job_of(kMost, 0, kMost)), (Shape{kMost, 1, false}));
}

TEST(InlineJobs, KeepsOrderNamesUsersAndQueues) {
  std::vector<InlineJob> jobs(4, job_of(0, 0, 1));
  jobs[0].id = "late";
  jobs[0].submit = 20 * kSecond;
  jobs[0].user = "ann";
  jobs[1].id = "first";
  jobs[1].submit = 5 * kSecond;
  jobs[1].queue = "big";
  jobs[2].submit = 5 * kSecond;  // no id
  jobs[2].user = "bob";
  jobs[3].id = "zero";
  jobs[3].user = "ann";
  jobs[3].run_time = 2 * kMinute;
  jobs[3].time_limit = 0;
  const Workload workload = inline_workload(jobs, kQueues, "s.json");
  EXPECT_EQ(workload.job_names, (std::vector<std::string>{"zero", "first", "3", "late"}));
  EXPECT_EQ(workload.user_names, (std::vector<std::string>{"ann", "unknown", "bob"}));
  std::vector<std::uint64_t> numbers;
  std::vector<std::uint32_t> users;
  for (const WorkloadJob& job : workload.jobs) {
    numbers.push_back(job.number);
    users.push_back(job.request.user);
  }
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{4, 2, 3, 1}));
  EXPECT_EQ(users, (std::vector<std::uint32_t>{0, 1, 2, 0}));
  EXPECT_EQ(workload.jobs[1].request.queue, QueueId{1});
  EXPECT_EQ(workload.jobs[0].request.queue, QueueId{0});
  EXPECT_EQ(workload.jobs[0].request.limit, 365 * 24 * kHour);
  EXPECT_EQ(workload.jobs[0].run_time, 2 * kMinute);
  EXPECT_EQ(workload.records, 4u);
  EXPECT_EQ(workload.dropped, 0u);
  EXPECT_EQ(workload.source, "s.json");
  ASSERT_EQ(workload.adjustments.size(), 1u);
  EXPECT_EQ(workload.adjustments[0].what, "no time limit: 365 days taken");
  EXPECT_EQ(workload.adjustments[0].jobs, 1u);
}

TEST(InlineJobs, CountsJobsThatWillBeKilled) {
  InlineJob job = job_of(1, 0, 0);
  job.run_time = 2 * kMinute;
  const Workload workload = inline_workload({job}, kQueues, "s.json");
  ASSERT_EQ(workload.adjustments.size(), 1u);
  EXPECT_EQ(workload.adjustments[0].what, "run time over requested time: will be killed at the limit");
  EXPECT_EQ(workload.jobs[0].request.limit, kMinute);
}

TEST(InlineJobs, MayStayOutOfTheQueueUnderEveryPolicy) {
  std::vector<InlineJob> jobs(2, job_of(1, 0, 0));
  jobs[0].requeue = false;
  const Workload plain = inline_workload(jobs, kQueues, "s.json");
  EXPECT_FALSE(plain.jobs.at(0).request.requeue);
  EXPECT_TRUE(plain.jobs.at(1).request.requeue);
  EXPECT_TRUE(plain.terms.empty());
  const Workload slurm = inline_workload(jobs, kQueues, "s.json", true);
  ASSERT_EQ(slurm.terms.size(), 1u) << "there its terms say so";
  EXPECT_FALSE(slurm.terms[0].requeue);
  EXPECT_EQ(slurm.jobs.at(0).request.terms, 1u);
}

TEST(InlineJobs, RefusesWhatCannotBe) {
  std::vector<InlineJob> twins(2, job_of(0, 0, 1));
  twins[0].id = twins[1].id = "a";
  twins[1].line = 9;
  EXPECT_EQ(failure_of(twins), "s.json:9: job \"a\": the id is taken by the job in line 7, expected another");
  // The second job's name is its position.
  twins[0].id = "2";
  twins[1].id = "";
  EXPECT_EQ(failure_of(twins), "s.json:9: job \"2\": the id is taken by the job in line 7, expected another");
  EXPECT_EQ(failure_of({job_of(2, 4, 10)}),
            "s.json:7: job \"1\": found 10 cpus on 2 nodes, expected at most tasksPerNode = 4 on each");
  InlineJob job = job_of(1, 0, 0);
  job.queue = "absent";
  EXPECT_EQ(failure_of({job}), "s.json:7: job \"1\": queue: found \"absent\", expected one of the scenario's queues");
}

}  // namespace
}  // namespace headroom
