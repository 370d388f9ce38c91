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

template <QueueOrder order>
std::unique_ptr<SchedulerPolicy> ordered_fcfs(const SchedulerOptions&) {
  return scheduler_policy("fcfs").make({.order = order});
}
template <QueueOrder order>
std::unique_ptr<SchedulerPolicy> ordered_easy(const SchedulerOptions&) {
  return scheduler_policy("easy").make({.order = order});
}
std::unique_ptr<SchedulerPolicy> uncompressed(const SchedulerOptions&) {
  return scheduler_policy("conservative").make({.compression = false});
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
