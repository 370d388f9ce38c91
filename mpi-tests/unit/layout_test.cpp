#include "mpi-tests/common/layout.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headroom::mpi {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(MpiLayout, AHostIsARunningKernel) {
  const std::vector<std::string> names = {"n1", "n2", "n1", "n3"};
  const Layout layout = layout_of({"k1", "k2", "k1", "k3"}, names);
  EXPECT_THAT(layout.ranks_by_host, ElementsAre(ElementsAre(0, 2), ElementsAre(1), ElementsAre(3)));
  EXPECT_THAT(problems_of(layout, names, {}), IsEmpty());
  EXPECT_THAT(problems_of(layout, names, {3, 0}), IsEmpty());
  EXPECT_THAT(problems_of(layout, names, {4, 0}), ElementsAre("hosts: 4 asked for, 3 found"));
  EXPECT_THAT(problems_of(layout, names, {3, 1}), ElementsAre("ranks on n1: 1 asked for, 2 found"));
}

TEST(MpiLayout, TwoNamesOfOneKernelAreOneHost) {
  const std::vector<std::string> names = {"node-1", "node-2"};
  const Layout layout = layout_of({"k1", "k1"}, names);
  EXPECT_EQ(layout.hosts(), 1U);
  EXPECT_THAT(problems_of(layout, names, {2, 1}),
              ElementsAre("hosts: 2 asked for, 1 found", "ranks on node-1: 1 asked for, 2 found",
                          "rank 0 on node-1 and rank 1 on node-2 share one kernel (boot id): two names, one host"));
  EXPECT_THAT(problems_of(layout, names, {}), ElementsAre(HasSubstr("two names, one host")));
}

TEST(MpiLayout, WithoutABootIdTheNameDecides) {
  EXPECT_EQ(layout_of({"", "", ""}, {"a", "b", "a"}).hosts(), 2U);
  EXPECT_EQ(layout_of({"a", ""}, {"x", "a"}).hosts(), 2U) << "a boot id is no name";
}

}  // namespace
}  // namespace headroom::mpi
