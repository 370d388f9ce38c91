// Random scenarios in which everything goes wrong: what `headroom check --swarm` runs. Ten thousand of them; under
// sanitizers, which take ten times as long, a part of each share.
#include "models/check/swarm.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace headroom {
namespace {

#ifdef __SANITIZE_ADDRESS__
constexpr std::uint64_t kCases = 100;
#else
constexpr std::uint64_t kCases = 2500;
#endif

class Swarm : public testing::TestWithParam<std::uint64_t> {};

TEST_P(Swarm, KeepsEveryPromise) {
  const SwarmReport report = check_swarm(GetParam(), kCases);
  EXPECT_EQ(report.cases, kCases);
  for (const PropertyFailure& f : report.failures) {
    ADD_FAILURE() << f.what << "\n  again: headroom check --swarm --seed " << f.seed;
  }
  // A swarm in which nothing goes wrong would show nothing.
  EXPECT_GT(report.refusals, kCases);
  EXPECT_GT(report.losses, kCases);
  EXPECT_GT(report.impairments, kCases);
  EXPECT_GT(report.changes, kCases);
  EXPECT_GT(report.requeues, kCases);
  EXPECT_GT(report.drained, kCases / 4);
  EXPECT_GT(report.placed, kCases);
  EXPECT_GT(report.stretched, kCases / 8);
}
INSTANTIATE_TEST_SUITE_P(Seeds, Swarm, testing::Values(1, 2501, 5001, 7501));

TEST(SwarmScenario, IsTheSameForASeedAndAnotherForAnother) {
  EXPECT_EQ(swarm_scenario(7), swarm_scenario(7));
  EXPECT_NE(swarm_scenario(7), swarm_scenario(8));
  EXPECT_EQ(nlohmann::json::parse(swarm_scenario(7)).at("seed"), 7);
}

}  // namespace
}  // namespace headroom
