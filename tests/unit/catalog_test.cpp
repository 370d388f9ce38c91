#include "models/cloud/catalog.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace headroom {
namespace {

TEST(Catalog, KnowsFactsOfTypes) {
  const auto hpc7a = find_instance_type("hpc7a.96xlarge");
  ASSERT_TRUE(hpc7a.has_value());
  EXPECT_EQ(hpc7a->arch, "x86_64");
  EXPECT_EQ(hpc7a->vcpus, 192);
  EXPECT_EQ(hpc7a->cores, 192);
  EXPECT_EQ(hpc7a->memory_mib, 768 * 1024);
  EXPECT_EQ(hpc7a->gpus, 0);
  EXPECT_GT(hpc7a->efa_interfaces, 0);
  EXPECT_EQ(hpc7a->network_gbps, 300);
  EXPECT_FALSE(hpc7a->spot);
  EXPECT_EQ(hpc7a->price_usd_per_hour("us-east-2"), 7.2);
  EXPECT_FALSE(hpc7a->price_usd_per_hour("us-east-1").has_value()) << "not sold there";
  EXPECT_FALSE(hpc7a->price_usd_per_hour("us-east").has_value());

  const auto p4d = find_instance_type("p4d.24xlarge");
  ASSERT_TRUE(p4d.has_value());
  EXPECT_EQ(p4d->gpus, 8);
  EXPECT_EQ(p4d->gpu_model, "A100");
  EXPECT_EQ(p4d->efa_interfaces, 4);
  EXPECT_EQ(p4d->cores, 48);
  EXPECT_EQ(p4d->vcpus, 96);

  const auto c7g = find_instance_type("c7g.16xlarge");
  ASSERT_TRUE(c7g.has_value());
  EXPECT_EQ(c7g->arch, "arm64");
  EXPECT_EQ(c7g->cores, 64);
  EXPECT_EQ(c7g->price_usd_per_hour("us-east-1"), 2.32);
  EXPECT_TRUE(c7g->spot);

  // A letter behind a price tells its quality and is no part of the number.
  const auto g5 = find_instance_type("g5.xlarge");
  ASSERT_TRUE(g5.has_value());
  EXPECT_EQ(g5->price_usd_per_hour("ap-south-1"), 1.207997);
}

TEST(Catalog, KnowsNoTypesThatDoNotExist) {
  for (const char* name : {"", "name", "c5n", "c5n.18xlarg", "c5n.18xlarge ",
                           "C5N.18XLARGE"
                           "#"}) {
    EXPECT_FALSE(find_instance_type(name).has_value()) << name;
  }
}

TEST(Catalog, TakesNoPartOfARowForAName) { EXPECT_FALSE(find_instance_type("c5n.18xlarge,x86_64").has_value()); }

TEST(Catalog, IsSortedAndEveryRowIsWhole) {
  const std::vector<InstanceType> all = all_instance_types();
  EXPECT_GT(all.size(), 1000u);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const InstanceType& t = all[i];
    SCOPED_TRACE(t.name);
    if (i > 0) {
      EXPECT_LT(all[i - 1].name, t.name);
    }
    EXPECT_NE(t.name.find('.'), std::string::npos);
    EXPECT_TRUE(t.arch == "x86_64" || t.arch == "arm64");
    EXPECT_GT(t.cores, 0);
    EXPECT_GE(t.vcpus, t.cores);
    EXPECT_EQ(t.vcpus % t.cores, 0) << "a whole number of threads a core";
    EXPECT_GT(t.memory_mib, 0);
    EXPECT_GE(t.network_gbps, 0);
    EXPECT_EQ(t.gpus > 0, !t.gpu_model.empty());
    EXPECT_GE(t.efa_interfaces, 0);
    for (std::size_t p = 0; p < t.usd_per_hour.size(); ++p) {
      EXPECT_GT(t.usd_per_hour[p].second, 0);
      EXPECT_LT(t.usd_per_hour[p].second, 1000);
      if (p > 0) {
        EXPECT_LT(t.usd_per_hour[p - 1].first, t.usd_per_hour[p].first);
      }
    }
  }
}

TEST(Catalog, FindsEveryTypeItLists) {
  for (const InstanceType& listed : all_instance_types()) {
    const auto found = find_instance_type(listed.name);
    ASSERT_TRUE(found.has_value()) << listed.name;
    EXPECT_EQ(found->name, listed.name);
    EXPECT_EQ(found->cores, listed.cores);
    EXPECT_EQ(found->usd_per_hour, listed.usd_per_hour);
  }
}

}  // namespace
}  // namespace headroom
