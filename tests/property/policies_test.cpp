// The property suite on every registered policy: what `headroom check --policy NAME` runs. And on policies with
// options: those promise less.
#include <gtest/gtest.h>

#include "models/check/property_suite.hpp"
#include "tests/unit/draw.hpp"

namespace headroom {
namespace {

class EveryPolicy : public testing::TestWithParam<PolicyEntry> {};

TEST_P(EveryPolicy, KeepsItsPromisesOnRandomCases) {
  const PropertyReport report = check_properties(GetParam(), 1, 3000);
  EXPECT_EQ(report.cases, 3000u);
  EXPECT_GT(report.jobs, 30'000u);
  for (const PropertyFailure& f : report.failures) {
    ADD_FAILURE() << f.what << "\n  again: headroom check --policy " << GetParam().name << " --seed " << f.seed;
  }
}

const auto kName = [](const testing::TestParamInfo<PolicyEntry>& test) { return test_name(test.param.name); };

INSTANTIATE_TEST_SUITE_P(Registered, EveryPolicy, testing::ValuesIn(scheduler_policies()), kName);

Policies with_options(const char* policy, const SchedulerOptions& options, Scenario scenario, const Design& design) {
  scenario.scheduler = options;
  return scheduler_policy(policy).make(scenario, design);
}
template <QueueOrder order>
Policies ordered_fcfs(const Scenario& scenario, const Design& design) {
  return with_options("fcfs", {.order = order}, scenario, design);
}
template <QueueOrder order>
Policies ordered_easy(const Scenario& scenario, const Design& design) {
  return with_options("easy", {.order = order}, scenario, design);
}
Policies uncompressed(const Scenario& scenario, const Design& design) {
  return with_options("conservative", {.compression = false}, scenario, design);
}

// The first of the queue is another one than the suite takes it for, and changes.
constexpr PolicyPromises kOrdered{.keeps_order = false, .serves_head = false, .keeps_reservations = false};

INSTANTIATE_TEST_SUITE_P(WithOptions, EveryPolicy,
                         testing::Values(PolicyEntry{"fcfs-sjf", "", ordered_fcfs<QueueOrder::sjf>, kOrdered, {}},
                                         PolicyEntry{"fcfs-unicef", "", ordered_fcfs<QueueOrder::unicef>, kOrdered, {}},
                                         PolicyEntry{"easy-sjf", "", ordered_easy<QueueOrder::sjf>, kOrdered, {}},
                                         PolicyEntry{"easy-wfp3", "", ordered_easy<QueueOrder::wfp3>, kOrdered, {}},
                                         PolicyEntry{"easy-unicef", "", ordered_easy<QueueOrder::unicef>, kOrdered, {}},
                                         PolicyEntry{"easy-f1", "", ordered_easy<QueueOrder::f1>, kOrdered, {}},
                                         PolicyEntry{
                                             "conservative-uncompressed",
                                             "",
                                             uncompressed,
                                             {.keeps_order = false, .serves_head = false, .keeps_reservations = true},
                                             {}}),
                         kName);

}  // namespace
}  // namespace headroom
