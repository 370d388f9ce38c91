// Defaults against what was published; what a scenario says over them.
#include "models/network/link_model.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace headroom {
namespace {

InstanceType type_named(const std::string& name) {
  const std::optional<InstanceType> type = find_instance_type(name);
  EXPECT_TRUE(type) << name;
  return type.value_or(InstanceType{});
}

Link link_of(const std::string& type, Transport transport) { return LinkModel().link(type_named(type), transport); }

constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;

struct Point {
  std::int64_t bytes;
  double us;
};

// boot-times 5a-5c: the two modes of 0-byte latency; medians over pairs, most of which are 4 hops apart.
TEST(LinkModel, GivesThePublishedLatenciesOfHpc6a) {
  const Link efa = link_of("hpc6a.48xlarge", Transport::efa);
  EXPECT_NEAR(efa.one_way_us(0, 2), 13.0, 1e-12);
  EXPECT_NEAR(efa.one_way_us(0, 4), 15.7, 1e-12);
  EXPECT_NEAR(efa.one_way_us(0, 6), 18.4, 1e-12) << "inferred: a further layer costs the same";
  for (const Point& p :
       {Point{8, 15.7}, Point{kKiB, 16.5}, Point{8 * kKiB, 20.2}, Point{64 * kKiB, 25.7}, Point{4 * kMiB, 967}}) {
    EXPECT_NEAR(efa.one_way_us(p.bytes, 4), p.us, 0.02 * p.us) << p.bytes << " B";
  }
  EXPECT_GE(efa.one_way_us(128 * kKiB, 4), 60);
  EXPECT_LE(efa.one_way_us(128 * kKiB, 4), 75);
  EXPECT_GE(efa.one_way_us(kMiB, 4), 259);
  EXPECT_LE(efa.one_way_us(kMiB, 4), 264);
  EXPECT_NEAR(efa.busy_us(8 * kKiB), 8192 / 5.8e3, 0.01) << "8 KB messages stream at 5.8 GB/s";
  EXPECT_NEAR(64e6 / efa.busy_us(64'000'000) / 1e3, 12.04, 0.01);
}

TEST(LinkModel, GivesThePublishedLatenciesOfOtherTypes) {
  const Link c5n = link_of("c5n.18xlarge", Transport::efa);
  for (const Point& p : {Point{0, 17.2}, Point{kKiB, 18.0}, Point{8 * kKiB, 26.5}, Point{64 * kKiB, 41.1},
                         Point{kMiB, 440}, Point{4 * kMiB, 1660}}) {
    EXPECT_NEAR(c5n.one_way_us(p.bytes, 2), p.us, 0.02 * p.us) << p.bytes << " B";
  }
  const Link p3dn = link_of("p3dn.24xlarge", Transport::efa);
  EXPECT_NEAR(p3dn.one_way_us(0, 2), 22.2, 0.1);
  EXPECT_NEAR(p3dn.one_way_us(kMiB, 2), 454, 1);
  const Link p5 = link_of("p5.48xlarge", Transport::efa);
  EXPECT_NEAR(p5.one_way_us(0, 2), 20.4, 0.2);
  EXPECT_NEAR(p5.one_way_us(kMiB, 2), 561, 3);
  const Link tcp = link_of("c5n.18xlarge", Transport::tcp);
  for (const Point& p :
       {Point{0, 34.9}, Point{kKiB, 57.8}, Point{8 * kKiB, 49.1}, Point{64 * kKiB, 91.6}, Point{4 * kMiB, 2820}}) {
    EXPECT_NEAR(tcp.one_way_us(p.bytes, 2), p.us, 0.1 * p.us) << p.bytes << " B";
  }
}

// Lines of osu_latency: size and microseconds; comments begin with #.
std::vector<Point> osu_latency(const std::string& folder) {
  std::vector<Point> points;
  std::ifstream file(folder + "/osu_latency");
  for (std::string line; std::getline(file, line);) {
    Point p{};
    if (std::istringstream text(line); line[0] != '#' && text >> p.bytes >> p.us) points.push_back(p);
  }
  return points;
}

TEST(LinkModel, StaysNearWholeRecordedCurves) {
  const char* const shared = std::getenv("HEADROOM_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "HEADROOM_SHARED is not set: no recorded outputs of osu_latency";
  // The steps at 128 and 256 KB, where the protocol changes, are not straight.
  for (const auto& [type, tolerance] : {std::pair("c5n.18xlarge", 0.09), std::pair("p5.48xlarge", 0.18)}) {
    const std::vector<Point> points = osu_latency(std::string(shared) + "/data/efa/osu-alinux2-" + type + "-openmpi");
    if (points.empty()) GTEST_SKIP() << "no recorded output of osu_latency for " << type;
    const Link efa = link_of(type, Transport::efa);
    double sum = 0;
    for (const Point& p : points) {
      EXPECT_NEAR(efa.one_way_us(p.bytes, 2), p.us, tolerance * p.us) << type << ", " << p.bytes << " B";
      sum += std::abs(efa.one_way_us(p.bytes, 2) / p.us - 1);
    }
    EXPECT_LT(sum / static_cast<double>(points.size()), 0.03) << type << ": mean residual";
  }
}

TEST(LinkModel, TakesTheLineRateWhereNobodyMeasured) {
  EXPECT_EQ(link_of("hpc7a.96xlarge", Transport::efa).streaming_gb_s, 37.5);
  EXPECT_EQ(link_of("hpc6a.48xlarge", Transport::tcp).streaming_gb_s, 12.5);
  EXPECT_EQ(link_of("hpc6a.48xlarge", Transport::efa).streaming_gb_s, 12.04);
  EXPECT_EQ(link_of("hpc6a.48xlarge", Transport::shm).streaming_gb_s, 5.0);
}

TEST(LinkModel, PrefersTheScenariosTypeThenItsGeneralLinkThenTheDefaults) {
  const auto flat = [](double us) {
    Link link;
    link.segments = {{.latency_us = us, .bandwidth_gb_s = 1}};
    return link;
  };
  constexpr auto kEfa = static_cast<std::size_t>(Transport::efa);
  NetworkModelOptions options;
  options.types["hpc6a.48xlarge"][kEfa] = flat(1);
  EXPECT_EQ(LinkModel(options).link(type_named("hpc6a.48xlarge"), Transport::efa).one_way_us(0, 2), 1);
  EXPECT_EQ(LinkModel(options).link(type_named("c5n.18xlarge"), Transport::efa).one_way_us(0, 2), 17.2);
  options.general[kEfa] = flat(2);
  EXPECT_EQ(LinkModel(options).link(type_named("hpc6a.48xlarge"), Transport::efa).one_way_us(0, 2), 1);
  EXPECT_EQ(LinkModel(options).link(type_named("c5n.18xlarge"), Transport::efa).one_way_us(0, 2), 2);
  EXPECT_EQ(LinkModel(options).link(type_named("c5n.18xlarge"), Transport::tcp).one_way_us(0, 2), 34.9);
}

TEST(LinkModel, TellsWhereEveryDefaultIsFrom) {
  for (const DefaultLink& each : default_links()) {
    EXPECT_FALSE(each.link.source.empty());
    EXPECT_TRUE(each.type.empty() || find_instance_type(each.type)) << each.type;
    ASSERT_FALSE(each.link.segments.empty());
    for (std::size_t s = 1; s < each.link.segments.size(); ++s) {
      EXPECT_GT(each.link.segments[s].up_to, each.link.segments[s - 1].up_to) << each.type;
    }
  }
}

}  // namespace
}  // namespace headroom
