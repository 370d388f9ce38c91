// slurmctld's job records: priorities worked out by hand, the order of the queue, and what holds a job back.
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/policies/slurm/jobs.hpp"

namespace headroom::slurm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Dependency::Kind;

constexpr std::uint32_t kFirstBasic = 4294901759;  // priority/basic counts down from here

// Job records with 6 nodes of 4 CPUs and 1000 MiB; partition 1 has nodes 0 and 1 only. The test moves states.
class Records {
 public:
  Conf conf;
  Accounting accounting;
  std::vector<Asks> asks;
  JobTable table;

  Records() { conf.partitions.resize(2); }
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;

  JobList& jobs() {
    meet();
    return *jobs_;
  }
  const NodeTable& nodes() {
    meet();
    return *nodes_;
  }
  // A request for so many CPUs, or for nodes of so many CPUs each.
  static JobRequest cpus(std::int32_t count, Time limit = kHour) {
    JobRequest request;
    request.cores = count;
    request.limit = limit;
    return request;
  }
  static JobRequest wide(std::int32_t count, std::int32_t cpus_each, Time limit = kHour) {
    JobRequest request = cpus(cpus_each, limit);
    request.nodes = count;
    return request;
  }
  JobId submit(const JobRequest& request, Second now = 100) { return join(table.add(request), now); }
  JobId submit(const JobRequest& request, const JobTerms& terms, Second now = 100) {
    return join(table.add(request, &terms), now);
  }
  JobId submit(const JobTerms& terms, Second now = 100) { return submit(cpus(1), terms, now); }
  // An array of one-CPU tasks; its first task.
  JobId array(std::int32_t tasks, std::int32_t limit = 0, JobTerms terms = {}, Second now = 100) {
    const JobId first{static_cast<std::uint32_t>(table.size())};
    for (std::int32_t t = 0; t < tasks; ++t) {
      terms.array = first;
      terms.array_tasks = tasks;
      terms.array_task = t;
      terms.array_limit = limit;
      submit(terms, now);
    }
    return first;
  }
  void start(JobId job, Second now) {
    table.move(job, JobState::running);
    jobs()[job].start = now;
    jobs()[job].end = now + jobs()[job].limit;
    jobs().started(job, table);
  }
  void end(JobId job, JobState state) {
    if (table.state(job) == JobState::pending) {
      jobs().left(job);
    } else {
      jobs().released(job, table);
    }
    table.move(job, state);
  }
  std::uint32_t priority(JobId job) { return jobs()[job].priority; }
  std::vector<std::uint32_t> order() {
    std::vector<std::uint32_t> list;
    for (const JobId job : jobs().order(table)) list.push_back(number(job));
    return list;
  }
  Reason held(JobId job, Second now = 100) { return jobs().held_back(jobs()[job], table, now, nodes()); }
  bool runnable(JobId job, Second now = 100) { return jobs().runnable(jobs()[job], table, now, nodes()); }
  std::string said(JobId job) { return reason_text(jobs()[job]); }

 private:
  void meet() {
    if (nodes_ != nullptr) return;
    ClusterSpec spec;
    spec.groups.push_back({2, 4, Supply::permanent, 1, 0, 1000});
    spec.groups.push_back({4, 4, Supply::permanent, 1, 0, 1000});
    spec.queues.push_back({{GroupId{0}, GroupId{1}}});
    spec.queues.push_back({{GroupId{0}}});
    cluster_ = std::make_unique<Cluster>(spec);
    nodes_ = std::make_unique<NodeTable>(*cluster_, conf, std::vector<std::string>{"n1", "n2", "n3", "n4", "n5", "n6"});
    associations_ = std::make_unique<Associations>(accounting);
    jobs_ = std::make_unique<JobList>(conf, *associations_, asks);
  }
  JobId join(JobId id, Second now) {
    jobs().submit(id, table, now, nodes());
    jobs().queue(id, table);
    return id;
  }
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<NodeTable> nodes_;
  std::unique_ptr<Associations> associations_;
  std::unique_ptr<JobList> jobs_;
};

JobTerms nice(std::int32_t amount) {
  JobTerms terms;
  terms.nice = amount;
  return terms;
}
JobTerms fixed(std::uint32_t priority) {
  JobTerms terms;
  terms.priority = priority;
  return terms;
}
JobTerms held_terms() {
  JobTerms terms;
  terms.held = true;
  return terms;
}
JobTerms after(Kind kind, JobId job, Time delay = 0) {
  JobTerms terms;
  terms.dependencies.push_back({kind, job, delay});
  return terms;
}
JobTerms begins(Time in) {
  JobTerms terms;
  terms.begin = in;
  return terms;
}

// --- what a job asks for ---

TEST(SlurmJobs, TakeWholeMinutesAsTheirLimit) {
  Records r;
  EXPECT_EQ(r.jobs()[r.submit(Records::cpus(1, 60 * kSecond))].limit, 60);
  EXPECT_EQ(r.jobs()[r.submit(Records::cpus(1, 61 * kSecond))].limit, 120);
  EXPECT_EQ(r.jobs()[r.submit(Records::cpus(1, 1))].limit, 60);
}

TEST(SlurmJobs, TakeThePartitionsLimitWhereTheyGiveNone) {
  Records r;
  r.conf.partitions[0].max_time = 7200;
  r.conf.partitions[1].max_time = 7200;
  r.conf.partitions[1].default_time = 600;
  JobRequest request = Records::cpus(1, kUnlimited * kSecond);
  EXPECT_EQ(r.jobs()[r.submit(request)].limit, 7200) << "DefaultTime is MaxTime";
  request.queue = QueueId{1};
  EXPECT_EQ(r.jobs()[r.submit(request)].limit, 600);
  Records unlimited;
  EXPECT_EQ(unlimited.jobs()[unlimited.submit(Records::cpus(1, kUnlimited * kSecond))].limit, kUnlimited);
}

TEST(SlurmJobs, AskAsSbatchDoes) {
  Records r;
  const Ask tasks = r.jobs()[r.submit(Records::cpus(3))].ask;  // -n 3
  EXPECT_EQ(std::tuple(tasks.min_nodes, tasks.max_nodes, tasks.cpus, tasks.tasks), std::tuple(1, 0, 3, 3));
  const Ask wide = r.jobs()[r.submit(Records::wide(3, 4))].ask;  // -N 3 --ntasks-per-node=4
  EXPECT_EQ(std::tuple(wide.min_nodes, wide.max_nodes, wide.cpus, wide.tasks_per_node), std::tuple(3, 3, 12, 4));
  JobTerms terms;
  terms.tasks = 6;
  terms.cpus_per_task = 2;
  const Ask fat = r.jobs()[r.submit(Records::cpus(12), terms)].ask;  // -n 6 -c 2
  EXPECT_EQ(std::tuple(fat.tasks, fat.cpus_per_task, fat.cpus, fat.tasks_per_node), std::tuple(6, 2, 12, 0));
  terms = {};
  terms.tasks_per_node = 2;
  const Ask two_each = r.jobs()[r.submit(Records::wide(3, 2), terms)].ask;
  EXPECT_EQ(std::tuple(two_each.tasks, two_each.cpus, two_each.cpus_per_node()), std::tuple(6, 6, 2));
}

TEST(SlurmJobs, TakeTheDefaultsOfPartitionAndSlurmConf) {
  Records r;
  r.conf.def_mem_per_cpu = 100;
  r.conf.partitions[1].def_mem_per_node = 500;
  r.conf.partitions[1].exclusive = true;
  r.conf.partitions[1].min_nodes = 2;
  const Ask global = r.jobs()[r.submit(Records::cpus(1))].ask;
  EXPECT_EQ(std::tuple(global.memory_unit, global.memory), std::tuple(MemoryUnit::per_core, 100));
  EXPECT_FALSE(global.whole_nodes);
  JobRequest request = Records::cpus(1);
  request.queue = QueueId{1};
  const Ask own = r.jobs()[r.submit(request)].ask;
  EXPECT_EQ(std::tuple(own.memory_unit, own.memory), std::tuple(MemoryUnit::per_node, 500));
  EXPECT_TRUE(own.whole_nodes) << "OverSubscribe=EXCLUSIVE";
  EXPECT_EQ(own.min_nodes, 2) << "MinNodes";
  request.memory_unit = MemoryUnit::per_node;
  request.memory = 70;
  EXPECT_EQ(r.jobs()[r.submit(request)].ask.memory, 70) << "what the job says goes before";
}

// --- priorities ---

TEST(SlurmPriority, BasicCountsDownByOne) {
  Records r;
  EXPECT_EQ(r.priority(r.submit(Records::cpus(1))), kFirstBasic);
  EXPECT_EQ(r.priority(r.submit(Records::cpus(4))), kFirstBasic - 1);
  EXPECT_EQ(r.priority(r.submit(Records::wide(6, 4))), kFirstBasic - 2);
  EXPECT_THAT(r.order(), ElementsAre(0, 1, 2)) << "first come, first served";
}

TEST(SlurmPriority, BasicTakesNiceAway) {
  Records r;
  r.submit(Records::cpus(1));
  EXPECT_EQ(r.priority(r.submit(nice(100))), kFirstBasic - 101);
  EXPECT_EQ(r.priority(r.submit(Records::cpus(1))), kFirstBasic - 2) << "others do not suffer";
}

TEST(SlurmPriority, BasicLetsNegativeNiceGoBefore) {
  Records r;
  r.submit(Records::cpus(1));
  const JobId before = r.submit(nice(-50));
  EXPECT_EQ(r.priority(before), kFirstBasic - 1 + 50);
  EXPECT_EQ(r.priority(r.submit(Records::cpus(1))), kFirstBasic - 2);
  EXPECT_THAT(r.order(), ElementsAre(1, 0, 2));
}

// 6 nodes of 4 CPUs, weight of size 2000: one CPU is (1/6 + 1/24) / 2 = 0.104 -> 208; partition 1000 more.
TEST(SlurmPriority, MultifactorAddsWeightedFactors) {
  Records r;
  r.conf.multifactor = true;
  r.conf.weight_job_size = 2000;
  EXPECT_EQ(r.priority(r.submit(Records::cpus(1))), 208u) << "208.33, truncated";
  EXPECT_EQ(r.priority(r.submit(Records::wide(6, 4))), 2000u) << "all of the cluster";
  EXPECT_EQ(r.priority(r.submit(Records::wide(3, 2))), 750u) << "(3/6 + 6/24) / 2 = 0.375";
  EXPECT_EQ(r.priority(r.submit(nice(8))), 200u);
  EXPECT_EQ(r.priority(r.submit(nice(-1000))), 1208u);
  EXPECT_EQ(r.priority(r.submit(nice(1000))), 1u) << "1 at least";

  Records p;
  p.conf.multifactor = true;
  p.conf.weight_job_size = 2000;
  p.conf.weight_partition = 1000;
  EXPECT_EQ(p.priority(p.submit(Records::cpus(1))), 1208u);
  EXPECT_EQ(p.priority(p.submit(nice(1000))), 208u);

  Records small;
  small.conf.multifactor = true;
  small.conf.favor_small = true;
  small.conf.weight_job_size = 2000;
  EXPECT_EQ(small.priority(small.submit(Records::cpus(1))), 1791u) << "2000 x (1 - 0.10417)";
  EXPECT_EQ(small.priority(small.submit(Records::wide(6, 4))), 1u);
}

TEST(SlurmPriority, MultifactorComparesPartitionsWithTheGreatest) {
  Records r;
  r.conf.multifactor = true;
  r.conf.weight_partition = 1000;
  r.conf.partitions[0].priority_job_factor = 10;
  r.conf.partitions[1].priority_job_factor = 40;
  JobRequest request = Records::cpus(1);
  EXPECT_EQ(r.priority(r.submit(request)), 250u);
  request.queue = QueueId{1};
  EXPECT_EQ(r.priority(r.submit(request)), 1000u);
}

// 150 + 6000 x 43 / 600 = 580: a job that waited 43 s where 10 minutes are the full age.
TEST(SlurmPriority, AgeCountsWithAccountingOnly) {
  for (const bool accounting : {true, false}) {
    Records r;
    r.conf.multifactor = true;
    r.conf.accounting = accounting;
    r.conf.weight_age = 6000;
    r.conf.weight_partition = 150;
    r.conf.priority_max_age = 600;
    const JobId job = r.submit(Records::cpus(1), 2);
    EXPECT_EQ(r.priority(job), 150u) << "age 0";
    r.jobs().recalculate(45, r.nodes());
    EXPECT_EQ(r.priority(job), accounting ? 580u : 150u);
    r.jobs().recalculate(2 + 300, r.nodes());
    EXPECT_EQ(r.priority(job), accounting ? 3150u : 150u);
    r.jobs().recalculate(2 + 6000, r.nodes());
    EXPECT_EQ(r.priority(job), accounting ? 6150u : 150u) << "not more than PriorityMaxAge's worth";
  }
}

TEST(SlurmPriority, AgeBeginsWhenTheJobIsEligible) {
  Records r;
  r.conf.multifactor = r.conf.accounting = true;
  r.conf.weight_age = 6000;
  r.conf.weight_partition = 150;
  r.conf.priority_max_age = 600;
  const JobId later = r.submit(begins(100 * kSecond), 1000);
  const JobId held = r.submit(held_terms(), 1000);
  const JobId given = r.submit(fixed(77), 1000);
  r.jobs().recalculate(1060, r.nodes());
  EXPECT_EQ(r.priority(later), 150u);
  r.jobs().recalculate(1160, r.nodes());
  EXPECT_EQ(r.priority(later), 750u) << "60 s since it might begin";
  EXPECT_EQ(r.priority(held), 0u);
  EXPECT_EQ(r.priority(given), 77u) << "--priority stays";
}

TEST(SlurmPriority, RecalculatingChangesTheOrder) {
  Records r;
  r.conf.multifactor = r.conf.accounting = true;
  r.conf.weight_age = 6000;
  r.conf.weight_job_size = 2000;
  r.conf.priority_max_age = 600;
  r.submit(Records::cpus(1), 1000);
  r.submit(Records::wide(3, 4), 1100);
  EXPECT_THAT(r.order(), ElementsAre(1, 0)) << "the wide one has the greater size factor: 1000 to 208";
  r.jobs().recalculate(1200, r.nodes());
  EXPECT_EQ(r.priority(JobId{0}), 2208u);
  EXPECT_EQ(r.priority(JobId{1}), 2000u);
  EXPECT_THAT(r.order(), ElementsAre(0, 1));
  r.jobs().recalculate(9000, r.nodes());
  EXPECT_THAT(r.order(), ElementsAre(1, 0)) << "both are as old as counts";
}

TEST(SlurmPriority, PriorityOfAnArrayIsThatOfItsFirstTask) {
  Records r;
  r.submit(Records::cpus(1));
  const JobId first = r.array(3);
  r.submit(Records::cpus(1));
  EXPECT_EQ(r.priority(first), kFirstBasic - 1);
  EXPECT_EQ(r.priority(JobId{3}), kFirstBasic - 1);
  EXPECT_EQ(r.priority(JobId{4}), kFirstBasic - 2) << "an array counts once";
  EXPECT_THAT(r.order(), ElementsAre(0, 1, 2, 3, 4)) << "tasks in the order of their numbers";
}

// --- the order ---

TEST(SlurmOrder, GoesByTierThenPriorityThenSubmission) {
  Records r;
  r.conf.partitions[1].priority_tier = 2;
  r.submit(Records::cpus(1), 100);
  r.submit(fixed(4294967295), 101);
  JobRequest low = Records::cpus(1);
  low.queue = QueueId{1};
  r.submit(low, fixed(1), 102);
  r.submit(fixed(500), 103);
  r.submit(fixed(500), 103);
  r.submit(fixed(500), 102);  // a second earlier than those before it
  EXPECT_THAT(r.order(), ElementsAre(2, 1, 0, 5, 3, 4)) << "a higher tier goes before any priority";
}

// Sorting in place of a few and sorting anew of many give one order.
TEST(SlurmOrder, IsTheSameHoweverManyCameSince) {
  Records many;
  for (std::uint32_t j = 0; j < 200; ++j) many.submit(fixed(1 + j * 7919 % 50), 100 + j);
  const std::vector<std::uint32_t> at_once = many.order();
  Records few;
  for (std::uint32_t j = 0; j < 200; ++j) {
    few.submit(fixed(1 + j * 7919 % 50), 100 + j);
    few.order();
  }
  EXPECT_EQ(few.order(), at_once);
  for (std::size_t i = 1; i < at_once.size(); ++i) {
    const std::uint32_t a = many.priority(JobId{at_once[i - 1]});
    const std::uint32_t b = many.priority(JobId{at_once[i]});
    EXPECT_TRUE(a > b || (a == b && at_once[i - 1] < at_once[i]));
  }
}

TEST(SlurmOrder, ActiveJobsAreOrderedByTheirEnd) {
  Records r;
  const JobId lasting = r.submit(Records::cpus(1, 600 * kSecond));
  const JobId brief = r.submit(Records::cpus(1, 60 * kSecond));
  const JobId middle = r.submit(Records::cpus(1, 300 * kSecond));
  r.start(lasting, 100);
  r.start(brief, 100);
  r.start(middle, 100);
  EXPECT_THAT(r.jobs().active(), ElementsAre(brief, middle, lasting));
  EXPECT_THAT(r.order(), IsEmpty());
  r.jobs()[brief].end = 650;
  r.jobs().sort_active(brief);
  EXPECT_THAT(r.jobs().active(), ElementsAre(middle, brief, lasting));
  r.jobs().released(middle, r.table);
  EXPECT_THAT(r.jobs().active(), ElementsAre(brief, lasting));
}

// --- holds ---

TEST(SlurmHolds, AHeldJobWaitsUntilItIsReleased) {
  Records r;
  const JobId job = r.submit(held_terms());
  EXPECT_EQ(r.priority(job), 0u);
  EXPECT_EQ(r.said(job), "JobHeldUser");
  EXPECT_FALSE(r.runnable(job, 200));
  EXPECT_EQ(r.jobs()[job].eligible, 0) << "not yet";
  r.submit(Records::cpus(1));
  r.jobs().release(job, 300, r.nodes());
  EXPECT_EQ(r.priority(job), kFirstBasic - 1) << "behind those that came meanwhile";
  EXPECT_THAT(r.order(), ElementsAre(1, 0));
  EXPECT_TRUE(r.runnable(job, 301));
  EXPECT_EQ(r.jobs()[job].eligible, 301) << "when a pass finds it free";
  EXPECT_EQ(r.said(job), "None");
}

TEST(SlurmHolds, SomebodyElsesHoldIsTheAdministrators) {
  Records r;
  r.submit(Records::cpus(1));
  const JobId job = r.submit(Records::cpus(1));
  r.submit(Records::cpus(1));
  r.jobs().hold(job, Reason::held_admin);
  EXPECT_EQ(r.held(job), Reason::held_admin);
  EXPECT_EQ(r.said(job), "JobHeldAdmin");
  EXPECT_THAT(r.order(), ElementsAre(0, 2, 1));
  r.jobs().release(job, 200, r.nodes());
  EXPECT_TRUE(r.runnable(job));
  const std::uint32_t priority = r.priority(job);
  r.jobs().release(job, 200, r.nodes());
  EXPECT_EQ(r.priority(job), priority) << "releasing what is not held does nothing";
}

// --- --begin ---

TEST(SlurmBegin, AJobWaitsForItsTime) {
  Records r;
  const JobId job = r.submit(begins(30 * kSecond), 100);
  EXPECT_EQ(r.jobs()[job].eligible, 130) << "known from the beginning";
  EXPECT_FALSE(r.runnable(job, 129));
  EXPECT_EQ(r.said(job), "BeginTime");
  EXPECT_TRUE(r.runnable(job, 130));
  EXPECT_EQ(r.said(job), "None");
  EXPECT_EQ(r.jobs()[r.submit(begins(30 * kSecond + 1), 100)].begin, 131) << "not a moment too early";
}

// --- dependencies ---

TEST(SlurmDependencies, AfterWaitsForTheStart) {
  Records r;
  const JobId first = r.submit(Records::cpus(1));
  const JobId job = r.submit(after(Kind::after, first));
  EXPECT_FALSE(r.runnable(job));
  EXPECT_EQ(r.said(job), "Dependency");
  EXPECT_EQ(r.jobs()[job].eligible, 0);
  r.start(first, 150);
  EXPECT_TRUE(r.runnable(job, 152));
  EXPECT_EQ(r.jobs()[job].eligible, 152);
}

TEST(SlurmDependencies, AfterMayAskForSomeMinutesMore) {
  Records r;
  const JobId first = r.submit(Records::cpus(1));
  const JobId job = r.submit(after(Kind::after, first, 2 * kMinute));
  r.start(first, 150);
  EXPECT_EQ(r.held(job, 269), Reason::dependency);
  EXPECT_EQ(r.held(job, 270), Reason::none);
}

TEST(SlurmDependencies, AfterIsOverWhenTheOtherWasCancelled) {
  Records r;
  const JobId first = r.submit(Records::cpus(1));
  const JobId job = r.submit(after(Kind::after, first));
  r.jobs()[first].start = 120;  // what scancel stamps
  r.end(first, JobState::cancelled);
  EXPECT_EQ(r.held(job, 120), Reason::none);
}

TEST(SlurmDependencies, DependOnHowTheOtherEnded) {
  const auto wait_for = [](Kind kind, JobState end) {
    Records r;
    const JobId first = r.submit(Records::cpus(1));
    const JobId job = r.submit(after(kind, first));
    EXPECT_EQ(r.held(job), Reason::dependency) << "it is pending";
    r.start(first, 150);
    EXPECT_EQ(r.held(job, 200), Reason::dependency) << "it runs";
    r.end(first, end);
    return r.held(job, 300);
  };
  constexpr auto kOver = Reason::none;
  constexpr auto kNotAnyMore = Reason::dependency_never;
  EXPECT_EQ(wait_for(Kind::after_ok, JobState::completed), kOver);
  EXPECT_EQ(wait_for(Kind::after_not_ok, JobState::completed), kNotAnyMore);
  EXPECT_EQ(wait_for(Kind::after_any, JobState::completed), kOver);
  for (const JobState bad : {JobState::failed, JobState::cancelled, JobState::timed_out, JobState::node_failed}) {
    EXPECT_EQ(wait_for(Kind::after_ok, bad), kNotAnyMore);
    EXPECT_EQ(wait_for(Kind::after_corr, bad), kNotAnyMore);
    EXPECT_EQ(wait_for(Kind::after_not_ok, bad), kOver);
    EXPECT_EQ(wait_for(Kind::after_any, bad), kOver);
  }
}

TEST(SlurmDependencies, NeverSatisfiedIsSaidAndStays) {
  Records r;
  const JobId first = r.submit(Records::cpus(1));
  const JobId job = r.submit(after(Kind::after_ok, first));
  r.start(first, 150);
  r.end(first, JobState::failed);
  EXPECT_FALSE(r.runnable(job, 200));
  EXPECT_EQ(r.said(job), "DependencyNeverSatisfied");
  EXPECT_FALSE(r.runnable(job, 100'000));
  EXPECT_THAT(r.order(), ElementsAre(number(job))) << "it stays in the queue until somebody cancels it";
}

TEST(SlurmDependencies, CommasAskForAllAndQuestionMarksForOne) {
  for (const bool any : {false, true}) {
    Records r;
    const JobId a = r.submit(Records::cpus(1));
    const JobId b = r.submit(Records::cpus(1));
    JobTerms terms;
    terms.any_dependency = any;
    terms.dependencies = {{Kind::after_ok, a, 0}, {Kind::after_ok, b, 0}};
    const JobId job = r.submit(terms);
    const JobId second = r.submit(terms);
    EXPECT_EQ(r.held(job), Reason::dependency);
    r.start(a, 150);
    r.end(a, JobState::failed);
    EXPECT_EQ(r.held(job), any ? Reason::dependency : Reason::dependency_never) << "the other may still go well";
    r.start(b, 160);
    EXPECT_EQ(r.held(job), any ? Reason::dependency : Reason::dependency_never);
    r.end(b, JobState::completed);
    EXPECT_EQ(r.held(job), any ? Reason::none : Reason::dependency_never);
    EXPECT_EQ(r.held(second), any ? Reason::none : Reason::dependency_never);

    Records s;
    const JobId c = s.submit(Records::cpus(1));
    const JobId d = s.submit(Records::cpus(1));
    terms.dependencies = {{Kind::after_ok, c, 0}, {Kind::after_ok, d, 0}};
    const JobId both = s.submit(terms);
    s.start(c, 150);
    s.end(c, JobState::completed);
    EXPECT_EQ(s.held(both), any ? Reason::none : Reason::dependency);
    s.start(d, 150);
    s.end(d, JobState::failed);
    EXPECT_EQ(s.held(both), any ? Reason::none : Reason::dependency_never);
  }
}

TEST(SlurmDependencies, NoneOfSeveralLeftIsNever) {
  Records r;
  const JobId a = r.submit(Records::cpus(1));
  const JobId b = r.submit(Records::cpus(1));
  JobTerms terms;
  terms.any_dependency = true;
  terms.dependencies = {{Kind::after_ok, a, 0}, {Kind::after_ok, b, 0}};
  const JobId job = r.submit(terms);
  for (const JobId other : {a, b}) {
    r.start(other, 150);
    r.end(other, JobState::failed);
  }
  EXPECT_EQ(r.held(job), Reason::dependency_never);
}

TEST(SlurmDependencies, OnAnArrayMeansAllOfItsTasks) {
  Records r;
  const JobId array = r.array(3);
  const JobId job = r.submit(after(Kind::after_ok, array));
  for (std::uint32_t t = 0; t < 3; ++t) {
    EXPECT_EQ(r.held(job, 500), Reason::dependency) << t << " are over";
    r.start(JobId{t}, 150);
    r.end(JobId{t}, JobState::completed);
  }
  EXPECT_EQ(r.held(job, 500), Reason::none);
}

TEST(SlurmDependencies, AftercorrMeansTheTaskWithTheSameNumber) {
  Records r;
  const JobId first = r.array(2);
  const JobId second = r.array(2, 0, after(Kind::after_corr, first));
  r.start(JobId{1}, 150);
  r.end(JobId{1}, JobState::completed);
  EXPECT_EQ(r.held(second), Reason::dependency) << "task 0 has not run";
  EXPECT_EQ(r.held(JobId{3}), Reason::none) << "task 1 has";
  r.start(JobId{0}, 150);
  r.end(JobId{0}, JobState::failed);
  EXPECT_EQ(r.held(second), Reason::dependency_never);
  EXPECT_EQ(r.held(JobId{3}), Reason::none);
}

TEST(SlurmDependencies, SingletonLetsOneOfAUsersJobsOfANameRun) {
  Records r;
  JobTerms terms;
  terms.name = 5;
  terms.dependencies = {{Kind::singleton, JobId{0}, 0}};
  const JobId first = r.submit(terms);
  const JobId second = r.submit(terms);
  JobTerms other = terms;
  other.name = 6;
  const JobId other_name = r.submit(other);
  JobRequest request = Records::cpus(1);
  request.user = 9;
  const JobId other_user = r.submit(request, terms);
  EXPECT_EQ(r.held(first), Reason::none);
  EXPECT_EQ(r.held(second), Reason::dependency) << "an earlier one is pending";
  EXPECT_EQ(r.held(other_name), Reason::none);
  EXPECT_EQ(r.held(other_user), Reason::none);
  r.start(first, 150);
  EXPECT_EQ(r.held(second), Reason::dependency) << "it runs";
  r.end(first, JobState::failed);
  EXPECT_EQ(r.held(second), Reason::none) << "however it ended";
}

// --- partitions ---

TEST(SlurmPartitions, HoldBackWhatIsTooLongOrTooWide) {
  Records r;
  r.conf.partitions[0].max_time = 600;
  r.conf.partitions[0].max_nodes = 2;
  const JobId lasting = r.submit(Records::cpus(1, 601 * kSecond));
  const JobId wide = r.submit(Records::wide(3, 1, kMinute));
  EXPECT_FALSE(r.runnable(lasting));
  EXPECT_EQ(r.said(lasting), "PartitionTimeLimit");
  EXPECT_FALSE(r.runnable(wide));
  EXPECT_EQ(r.said(wide), "PartitionNodeLimit");
  EXPECT_NE(r.jobs()[wide].eligible, 0) << "but it is eligible";
  EXPECT_TRUE(r.runnable(r.submit(Records::cpus(1, 600 * kSecond))));
  EXPECT_TRUE(r.runnable(r.submit(Records::wide(2, 1, kMinute))));
  JobRequest request = Records::wide(3, 1, kMinute);
  request.queue = QueueId{1};
  const JobId wider = r.submit(request);
  EXPECT_EQ(r.held(wider), Reason::partition_nodes) << "the partition has two nodes";
}

// --- arrays ---

TEST(SlurmArrays, RunNoMoreTasksThanTheirLimit) {
  Records r;
  const JobId first = r.array(4, 2);
  EXPECT_EQ(r.jobs()[first].eligible, 0) << "stamped by the first pass that sees it";
  EXPECT_TRUE(r.runnable(first, 103));
  EXPECT_EQ(r.jobs()[first].eligible, 103);
  const auto lets = [&](std::uint32_t task) { return r.jobs().array_lets(r.jobs()[JobId{task}], r.table); };
  EXPECT_TRUE(lets(0));
  r.start(JobId{0}, 103);
  EXPECT_TRUE(lets(1));
  r.start(JobId{1}, 103);
  EXPECT_EQ(r.jobs().active_tasks(first), 2);
  EXPECT_FALSE(lets(2));
  r.end(JobId{0}, JobState::completed);
  EXPECT_TRUE(lets(2));
  const JobId unlimited = r.array(3);
  r.start(unlimited, 104);
  EXPECT_TRUE(r.jobs().array_lets(r.jobs()[JobId{5}], r.table));
}

// --- requeued jobs ---

// A credential lives 120 s: a requeued job may begin a second later.
TEST(SlurmRequeue, MakesAJobWait121Seconds) {
  Records r;
  const JobId job = r.submit(Records::cpus(1));
  r.submit(Records::cpus(1));
  r.start(job, 110);
  r.jobs().released(job, r.table);
  r.table.move(job, JobState::pending);
  r.jobs().requeued(job, r.table, 192);
  const Job& record = r.jobs()[job];
  EXPECT_EQ(record.restarts, 1u);
  EXPECT_EQ(record.submit, 192) << "SubmitTime is set anew";
  EXPECT_EQ(record.eligible, 313);
  EXPECT_FALSE(r.runnable(job, 312));
  EXPECT_EQ(r.said(job), "BeginTime");
  EXPECT_TRUE(r.runnable(job, 313));
  EXPECT_EQ(r.order().size(), 2u);
}

TEST(SlurmRequeue, KeepsAPriorityThatWasGiven) {
  Records r;
  const JobId job = r.submit(fixed(1000));
  r.start(job, 110);
  r.jobs().released(job, r.table);
  r.table.move(job, JobState::pending);
  r.jobs().requeued(job, r.table, 192);
  EXPECT_EQ(r.priority(job), 1000u);
}

// priority/basic: since 23.11 a requeued job goes to the end, before it kept its place.
TEST(SlurmRequeue, ChangesTheBasicPriorityInNewerVersions) {
  for (const int version : {2205, 2505}) {
    Records r;
    r.conf.version.number = version;
    const JobId job = r.submit(Records::cpus(1));
    r.submit(Records::cpus(1));
    r.start(job, 110);
    r.jobs().released(job, r.table);
    r.table.move(job, JobState::pending);
    r.jobs().requeued(job, r.table, 192);
    EXPECT_EQ(r.priority(job), version == 2205 ? kFirstBasic : kFirstBasic - 2);
  }
}

// --- reasons ---

TEST(SlurmReasons, AreSaidAsSqueueSaysThem) {
  Job job;
  const auto said = [&](Reason reason) {
    job.reason = reason;
    return reason_text(job);
  };
  EXPECT_EQ(said(Reason::none), "None");
  EXPECT_EQ(said(Reason::priority), "Priority");
  EXPECT_EQ(said(Reason::resources), "Resources");
  EXPECT_EQ(said(Reason::dependency), "Dependency");
  EXPECT_EQ(said(Reason::dependency_never), "DependencyNeverSatisfied");
  EXPECT_EQ(said(Reason::begin_time), "BeginTime");
  EXPECT_EQ(said(Reason::held_user), "JobHeldUser");
  EXPECT_EQ(said(Reason::held_admin), "JobHeldAdmin");
  EXPECT_EQ(said(Reason::array_limit), "JobArrayTaskLimit");
  EXPECT_EQ(said(Reason::partition_time), "PartitionTimeLimit");
  EXPECT_EQ(said(Reason::partition_nodes), "PartitionNodeLimit");
  EXPECT_EQ(said(Reason::nodes_reserved),
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions");
  EXPECT_EQ(said(Reason::bad_constraints), "BadConstraints");
  EXPECT_EQ(said(Reason::time_limit), "TimeLimit");
  EXPECT_EQ(said(Reason::non_zero_exit), "NonZeroExitCode");
  EXPECT_EQ(said(Reason::node_down), "NodeDown");
  job.reason_nodes = "n[03,05]";
  EXPECT_EQ(said(Reason::node_not_available), "ReqNodeNotAvail, UnavailableNodes:n[03,05]");
}

// Among the jobs of partitions that share nodes with its own, and only those that may be considered.
TEST(SlurmOrder, TellsWhetherAnybodyGoesBefore) {
  Records r;
  const JobId first = r.submit(Records::cpus(1));
  const JobId second = r.submit(Records::cpus(1));
  JobRequest request = Records::cpus(1);
  request.queue = QueueId{1};
  const JobId elsewhere = r.submit(request);
  const auto is_first = [&](JobId job) { return r.jobs().is_first(r.jobs()[job], r.table, 100, r.nodes()); };
  EXPECT_TRUE(is_first(first));
  EXPECT_FALSE(is_first(second));
  EXPECT_FALSE(is_first(elsewhere)) << "its partition has the same nodes (recorded runs s10, s17)";
  r.jobs().hold(first, Reason::held_admin);
  EXPECT_TRUE(is_first(second)) << "a held job is not considered";
  EXPECT_FALSE(is_first(elsewhere));
  r.jobs()[second].reason = Reason::limit;
  EXPECT_TRUE(is_first(elsewhere)) << "nor is one that waits for a limit (s15)";
}

}  // namespace
}  // namespace headroom::slurm
