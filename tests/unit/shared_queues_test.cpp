// Queues that share groups: what one queue's reservation leaves, another queue's job may use at once.
#include <gtest/gtest.h>

#include "models/policies/registry.hpp"
#include "models/report/run_record.hpp"
#include "models/simulated_world.hpp"
#include "tests/unit/draw.hpp"

namespace headroom {
namespace {

// After every step under EASY, whatever waits without a reservation must not fit beside the reservations; under FCFS
// the first job of each queue must not fit.
class NobodyWaitsForNothing {
 public:
  NobodyWaitsForNothing(const Controller& controller, bool first_only)
      : controller_(controller), first_only_(first_only) {}
  void append(Time now, const News&, const Commands&) {
    const JobTable& jobs = controller_.jobs();
    std::vector<bool> seen(controller_.cluster().spec().queues.size());
    std::vector<NodeShare> nodes;
    for (std::uint32_t j = 0; j < jobs.size(); ++j) {
      const JobRequest& request = jobs.request(JobId{j});
      if (jobs.state(JobId{j}) != JobState::pending) continue;
      if (controller_.cluster().claim(JobId{j}).kind == Claim::Kind::reserved) continue;
      if (first_only_ && seen[index(request.queue)]) continue;
      seen[index(request.queue)] = true;
      ++looked_;
      EXPECT_FALSE(controller_.cluster().place(request, now, nodes)) << "job " << j << " at " << now / kSecond << " s";
    }
  }
  std::uint64_t looked() const { return looked_; }

 private:
  const Controller& controller_;
  bool first_only_;
  std::uint64_t looked_ = 0;
};

// A window is left when a reservation moves, and when one that is due starts on other nodes than it held.
TEST(SharedQueues, UseTheWindowOfAReservationThatMovedAway) {
  std::uint64_t looked = 0;
  for (std::uint64_t seed = 1; seed <= 4000 && !testing::Test::HasFailure(); ++seed) {
    Draw draw(seed);
    ClusterSpec spec;
    for (int g = 0; g < 3; ++g) spec.groups.push_back({draw.small(1, 3), draw.small(1, 4), Supply::permanent, 1});
    spec.queues = {{{GroupId{2}, GroupId{0}}}, {{GroupId{0}, GroupId{1}}}};
    Workload workload;
    Time submit = 0;
    for (std::int64_t j = draw.between(5, 40); j > 0; --j) {
      WorkloadJob job;
      submit += draw.between(0, 20) * kSecond;
      job.request.submit = submit;
      job.request.queue = QueueId{static_cast<std::uint32_t>(draw.below(2))};
      if (draw.one_in(2)) job.request.nodes = draw.small(1, 3);
      job.request.cores = draw.small(1, 4);
      job.request.limit = draw.between(1, 300) * kSecond;
      job.run_time = draw.between(1, job.request.limit / kSecond) * kSecond;
      workload.jobs.push_back(job);
    }
    for (const char* policy : {"fcfs", "easy"}) {
      Design pool;
      pool.is_pool = true;
      Controller controller(spec, scheduler_policy(policy).make({}, pool).scheduler, nullptr);
      SimulatedWorld world(workload, SimulatedCloud({}, 1), SameInstant::batched, 0);
      NobodyWaitsForNothing watch(controller, std::string(policy) == "fcfs");
      run(world, controller, watch);
      EXPECT_EQ(controller.active_jobs(), 0u) << policy << ", seed " << seed;
      looked += watch.looked();
    }
  }
  EXPECT_GT(looked, 10'000u) << "there was something to look at";
}

}  // namespace
}  // namespace headroom
