// The property suite on every registered policy: what `headroom check --policy NAME` runs.
#include <gtest/gtest.h>

#include "models/check/property_suite.hpp"

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

INSTANTIATE_TEST_SUITE_P(Registered, EveryPolicy, testing::ValuesIn(scheduler_policies()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace headroom
