// A cluster whose jobs take whole nodes, and one whose jobs take cores anywhere, do what a machine of as many
// processors does: which nodes a job gets must not matter.
#include <gtest/gtest.h>

#include "models/policies/registry.hpp"
#include "models/report/run_record.hpp"
#include "models/simulated_world.hpp"
#include "tests/unit/draw.hpp"

namespace headroom {
namespace {

enum class Unit { processors, whole_nodes, loose_cores };

std::vector<Time> start_times(const PolicyEntry& policy, const Workload& jobs, std::int32_t processors, Unit unit) {
  ClusterSpec spec;
  Workload workload = jobs;
  switch (unit) {
    case Unit::processors:
      spec.groups = {{1, processors, Supply::permanent, 1}};
      break;
    case Unit::whole_nodes:
      spec.groups = {{processors, 4, Supply::permanent, 1}};
      for (WorkloadJob& job : workload.jobs) {
        job.request.nodes = job.request.cores;
        job.request.cores = 1;
        job.request.exclusive = true;
      }
      break;
    case Unit::loose_cores:
      spec.groups = {{processors / 2, 2, Supply::permanent, 1}, {processors % 2, 1, Supply::permanent, 2}};
      break;
  }
  spec.queues.push_back({});
  for (std::uint32_t g = 0; g < spec.groups.size(); ++g) spec.queues[0].groups.push_back(GroupId{g});
  Design pool;
  pool.is_pool = true;
  Controller controller(spec, policy.make({}, pool).scheduler, nullptr);
  SimulatedWorld world(workload, SimulatedCloud({}, 1), SameInstant::batched, 0);
  RunRecord record(controller.cluster().node_count());
  run(world, controller, record);
  EXPECT_TRUE(unit == Unit::processors || controller.cluster().free_cores_decide());
  std::vector<Time> starts;
  for (const JobRecord& job : record.jobs()) starts.push_back(job.start);
  return starts;
}

class WholeNodes : public testing::TestWithParam<PolicyEntry> {};

TEST_P(WholeNodes, AreLikeProcessors) {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    Draw draw(seed);
    const auto processors = static_cast<std::int32_t>(draw.between(1, 12));
    Workload workload;
    Time submit = 0;
    for (std::int64_t j = draw.between(1, 40); j > 0; --j) {
      WorkloadJob job;
      submit += draw.between(0, 6) * kSecond;
      job.request.submit = submit;
      job.request.cores = static_cast<std::int32_t>(draw.between(1, processors));
      job.request.limit = draw.between(1, 30) * kSecond;
      job.run_time = draw.between(1, 30) * kSecond;
      workload.jobs.push_back(job);
    }
    const std::vector<Time> expected = start_times(GetParam(), workload, processors, Unit::processors);
    ASSERT_EQ(start_times(GetParam(), workload, processors, Unit::whole_nodes), expected) << "seed " << seed;
    ASSERT_EQ(start_times(GetParam(), workload, processors, Unit::loose_cores), expected) << "seed " << seed;
  }
}

// Not for a policy that reserves nodes whole and looks at the clock once a second.
std::vector<PolicyEntry> exact_policies() {
  std::vector<PolicyEntry> policies = scheduler_policies();
  std::erase_if(policies, [](const PolicyEntry& entry) { return !entry.promises.exact_limits; });
  return policies;
}

INSTANTIATE_TEST_SUITE_P(Registered, WholeNodes, testing::ValuesIn(exact_policies()),
                         [](const auto& test) { return test_name(test.param.name); });

}  // namespace
}  // namespace headroom
