// From files to the network model: what may be taken together, what is refused, and what a scenario gets.
#include "models/calibrate/calibration.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/errors.hpp"
#include "models/network/topology_file.hpp"
#include "models/random.hpp"

namespace headroom {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

class CalibrationTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              fmt::format("headroom-calibration-{}-{}", ::getpid(),
                          testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& text) {
    const std::string path = (folder_ / name).string();
    std::ofstream(path) << text;
    return path;
  }

  std::filesystem::path folder_;
};

std::string osu(double scale = 1) {
  std::string text = "# OSU MPI Latency Test v5.7.1\n# Size          Latency (us)\n";
  for (int power = -1; power <= 22; ++power) {
    const std::int64_t bytes = power < 0 ? 0 : std::int64_t{1} << power;
    const double time =
        bytes <= 65536 ? 15.5 + 1e-3 * static_cast<double>(bytes) / 5 : 45 + 1e-3 * static_cast<double>(bytes) / 4.4;
    text += fmt::format("{:<10}{:18.2f}\n", bytes, scale * time);
  }
  return text;
}

struct Rank {
  int rank;
  std::string host;
  std::string boot_id;
  std::string network_namespace = "1";
  std::string providers = R"(["efa"])";
  std::string type = "hpc6a.48xlarge";
};

std::string ping_pong(const std::vector<Rank>& ranks, double scale = 1) {
  std::string all;
  for (const Rank& each : ranks) {
    all += fmt::format(R"({}{{"rank": {}, "host": "{}", "boot_id": "{}", "network_namespace": "{}", "providers": {},
      "instance_id": "i-{}", "instance_type": "{}", "shared_memory_group": 0}})",
                       all.empty() ? "" : ", ", each.rank, each.host, each.boot_id, each.network_namespace,
                       each.providers, each.rank, each.type);
  }
  std::string sizes;
  for (int power = -1; power <= 22; ++power) {
    const std::int64_t bytes = power < 0 ? 0 : std::int64_t{1} << power;
    const double time = scale * (bytes <= 65536 ? 15.5 + 1e-3 * static_cast<double>(bytes) / 5
                                                : 45 + 1e-3 * static_cast<double>(bytes) / 4.4);
    sizes += fmt::format(R"({}{{"bytes": {}, "latency_us": {{"p50": {}}}}})", sizes.empty() ? "" : ", ", bytes, time);
  }
  return fmt::format(R"({{"schema": "headroom.mpi/1", "test": "pingpong", "ranks": [{}],
    "result": {{"pairs": [{{"a": {}, "b": {}, "errors": 0, "sizes": [{}]}}]}}}})",
                     all, ranks.front().rank, ranks.back().rank, sizes);
}

const Rank kHere{0, "a", "kernel-a"};
const Rank kThere{1, "b", "kernel-b"};
// Another name, the same running kernel.
const Rank kAlias{1, "a-too", "kernel-a"};

TEST_F(CalibrationTest, WritesWhatAScenarioTakes) {
  const Calibration calibration =
      calibrate({.files = {file("osu", osu())}, .instance_type = "hpc6a.48xlarge", .transport = "efa"});
  const json fragment = json::parse(calibration_fragment(calibration));
  const json& model = fragment.at("network").at("model").at("types").at("hpc6a.48xlarge").at("efa");
  ASSERT_EQ(model.at("segments").size(), 2u);
  EXPECT_EQ(model.at("segments")[0].at("upTo"), 65536);
  EXPECT_NEAR(model.at("segments")[0].at("latency_us"), 15.5, 0.02);
  EXPECT_NEAR(model.at("segments")[0].at("bandwidth_gb_s"), 5, 0.05);
  EXPECT_FALSE(model.at("segments")[1].contains("upTo"));
  EXPECT_NEAR(model.at("segments")[1].at("bandwidth_gb_s"), 4.4, 0.05);
  EXPECT_FALSE(model.contains("perHop_us"));
  EXPECT_THAT(model.at("source").get<std::string>(), HasSubstr("osu_latency 5.7.1, 1 run, 24 times"));
  EXPECT_THAT(model.at("source").get<std::string>(), HasSubstr("hops not known"));
  EXPECT_EQ(fragment.size(), 1u);
}

TEST_F(CalibrationTest, WithoutAnInstanceTypeItIsTheGeneralModel) {
  const Calibration calibration = calibrate({.files = {file("osu", osu())}, .transport = "tcp"});
  const json fragment = json::parse(calibration_fragment(calibration));
  EXPECT_TRUE(fragment.at("network").at("model").contains("tcp"));
}

TEST_F(CalibrationTest, TextDoesNotSayWhatCarriedTheMessages) {
  const Calibration calibration = calibrate({.files = {file("osu", osu())}});
  EXPECT_EQ(calibration.transport, "");
  EXPECT_THROW(calibration_fragment(calibration), InputError);
  EXPECT_EQ(json::parse(calibration_json(calibration)).at("transport"), nullptr);
}

TEST_F(CalibrationTest, UnderTwoMicrosecondsIsSharedMemory) {
  const std::string path = file("osu", osu(0.02));
  const Calibration refused = calibrate({.files = {path}, .transport = "efa"});
  ASSERT_EQ(refused.refusals.size(), 1u);
  EXPECT_THAT(refused.refusals[0],
              HasSubstr("0.31 us for 0 bytes: under 2 us can only be shared memory, and two hosts are claimed"));
  EXPECT_FALSE(refused.latency.has_value());
  EXPECT_EQ(json::parse(calibration_json(refused)).at("verdict"), "refused");
  EXPECT_FALSE(calibrate({.files = {path}}).refusals.empty());
  EXPECT_TRUE(calibrate({.files = {path}, .transport = "shm"}).refusals.empty());
  EXPECT_TRUE(calibrate({.files = {path}, .claimed_hosts = 1}).refusals.empty());
  EXPECT_FALSE(calibrate({.files = {path}, .transport = "tcp", .claimed_hosts = 2}).refusals.empty());
  EXPECT_TRUE(calibrate({.files = {file("slower", osu(0.2))}, .transport = "efa"}).refusals.empty());
}

TEST_F(CalibrationTest, JsonSaysWhereTheRanksWere) {
  const std::string apart = file("apart", ping_pong({kHere, kThere}));
  const std::string together = file("together", ping_pong({kHere, kAlias}));
  EXPECT_EQ(calibrate({.files = {apart}}).transport, "efa");
  EXPECT_EQ(calibrate({.files = {apart}}).instance_type, "hpc6a.48xlarge");
  EXPECT_EQ(calibrate({.files = {together}}).transport, "shm");
  for (const char* transport : {"efa", "tcp"}) {
    const Calibration refused = calibrate({.files = {together}, .transport = transport});
    ASSERT_EQ(refused.refusals.size(), 1u) << transport;
    EXPECT_THAT(refused.refusals[0], HasSubstr("\"a\" and \"a-too\" are one host")) << transport;
  }
  EXPECT_THAT(calibrate({.files = {apart}, .transport = "shm"}).refusals, ElementsAre(HasSubstr("are two hosts")));
  // Two names, but times that no network has.
  EXPECT_THAT(calibrate({.files = {file("fast", ping_pong({kHere, kThere}, 0.02))}}).refusals,
              ElementsAre(HasSubstr("can only be shared memory")));
  EXPECT_TRUE(calibrate({.files = {file("shm", ping_pong({kHere, kAlias}, 0.02))}}).refusals.empty());
}

TEST_F(CalibrationTest, NetworkNamespacesOfOneKernelHaveATcpNetworkBetweenThem) {
  Rank alias = kAlias;
  alias.network_namespace = "2";
  const std::string path = file("namespaces", ping_pong({kHere, alias}));
  EXPECT_TRUE(calibrate({.files = {path}, .transport = "tcp"}).refusals.empty());
  EXPECT_THAT(calibrate({.files = {path}, .transport = "efa"}).refusals, ElementsAre(HasSubstr("no EFA between them")));
}

TEST_F(CalibrationTest, AnotherProviderIsNoEfa) {
  Rank there = kThere;
  there.providers = R"(["tcp;ofi_rxm"])";
  const std::string path = file("tcp", ping_pong({kHere, there}));
  EXPECT_THAT(calibrate({.files = {path}, .transport = "efa"}).refusals,
              ElementsAre(HasSubstr("used libfabric's tcp;ofi_rxm, not efa")));
}

TEST_F(CalibrationTest, WhatContradictsItselfIsAnError) {
  const auto what = [](const CalibrationOptions& options) {
    try {
      calibrate(options);
      return std::string("no error");
    } catch (const InputError& error) {
      return std::string(error.what());
    }
  };
  Rank other = kThere;
  other.type = "c5n.18xlarge";
  const std::string apart = file("apart", ping_pong({kHere, kThere}));
  EXPECT_THAT(what({.files = {file("types", ping_pong({kHere, other}))}}),
              HasSubstr("instance type \"c5n.18xlarge\", but \"hpc6a.48xlarge\" by"));
  EXPECT_THAT(what({.files = {apart}, .instance_type = "p5.48xlarge"}),
              HasSubstr("instance type \"hpc6a.48xlarge\", but \"p5.48xlarge\" by --instance-type"));
  EXPECT_THAT(what({.files = {apart, file("together", ping_pong({kHere, kAlias}, 1.1))}}),
              HasSubstr("messages went by shm, but by efa"));
  EXPECT_THAT(what({.files = {apart, file("copy", ping_pong({kHere, kThere}))}}),
              HasSubstr("apart:4: a measurement counts once"));
  EXPECT_THAT(what({.files = {file("osu", osu())}, .instance_type = "c6i.xlarge", .transport = "efa"}),
              HasSubstr("instance type c6i.xlarge has no EFA"));
  EXPECT_THAT(what({.files = {file("bw", "# OSU MPI Bandwidth Test v5.8\n# Size      Bandwidth (MB/s)\n1   0.78\n")}}),
              HasSubstr("bandwidths only (osu_bw 5.8); expected latencies too"));
  EXPECT_THAT(what({.files = {file("one", "# OSU MPI Latency Test v5.8\n# Size          Latency (us)\n8   16.00\n")}}),
              HasSubstr("one: latencies of 1 message size, expected at least two"));
  EXPECT_THAT(what({.files = {file("osu", osu())}, .topology = {file("t.json", R"({"Instances": [
    {"InstanceId": "i-1", "NetworkNodes": ["nn-1", "nn-2", "nn-3"], "AvailabilityZone": "z"}]})")}}),
              HasSubstr("none of the measured pairs is in it"));
}

TEST_F(CalibrationTest, AnUnknownTypeIsRemarked) {
  const Calibration calibration =
      calibrate({.files = {file("osu", osu())}, .instance_type = "hpc99.huge", .transport = "efa"});
  EXPECT_THAT(calibration.remarks, ElementsAre(HasSubstr("\"hpc99.huge\": not in the catalog")));
}

TEST_F(CalibrationTest, LogGpComesFromStreamsBesidePingPongs) {
  std::string bandwidths = "# OSU MPI Bandwidth Test v5.8\n# Size      Bandwidth (MB/s)\n";
  for (int power = 0; power <= 22; ++power) {
    const double bytes = static_cast<double>(1 << power);
    bandwidths += fmt::format("{:<10}{:18.2f}\n", 1 << power, bytes / (1.25 + bytes * 1e-3 / 12));
  }
  const Calibration calibration =
      calibrate({.files = {file("osu", osu()), file("bw", bandwidths)}, .transport = "efa"});
  ASSERT_TRUE(calibration.streaming.has_value());
  EXPECT_NEAR(calibration.streaming->fit.segments.front().latency_us.value, 1.25, 0.02);
  EXPECT_NEAR(bandwidth_gb_s(calibration.streaming->fit.segments.back()).value, 12, 0.1);
  const std::string text = calibration_text(calibration);
  EXPECT_THAT(text, HasSubstr("L + 2o          15.5 us"));
  EXPECT_THAT(text, HasSubstr("L and o are not told apart"));
  const json document = json::parse(calibration_json(calibration));
  EXPECT_EQ(document.at("verdict"), "fitted");
  EXPECT_EQ(document.at("latency").at("times").size(), 24u);
  EXPECT_EQ(document.at("streaming").at("points"), 23);
  EXPECT_EQ(document.at("bidirectional"), nullptr);
  const json model = json::parse(calibration_fragment(calibration)).at("network").at("model").at("efa");
  EXPECT_NEAR(model.at("gap_us"), 1.25, 0.02);
  EXPECT_NEAR(model.at("streaming_gb_s"), 12, 0.1);
}

// Two pairs on one last network node, two across: the difference is two hops'.
TEST_F(CalibrationTest, LatencyByHopsOfMatchedInstances) {
  const std::string topology = file("topology.json", R"({"Instances": [
    {"InstanceId": "i-0", "NetworkNodes": ["nn-1", "nn-2", "nn-3"], "AvailabilityZone": "z"},
    {"InstanceId": "i-1", "NetworkNodes": ["nn-1", "nn-2", "nn-3"], "AvailabilityZone": "z"},
    {"InstanceId": "i-2", "NetworkNodes": ["nn-1", "nn-2", "nn-4"], "AvailabilityZone": "z"}]})");
  const Rank far{2, "c", "kernel-c"};
  const Rank stranger{9, "d", "kernel-d"};
  const std::string near = file("near", ping_pong({kHere, kThere}));
  const std::string across = file("across", ping_pong({kHere, far}, 1.2));
  const Calibration calibration =
      calibrate({.files = {near, across, file("stranger", ping_pong({kHere, stranger}, 1.1))}, .topology = {topology}});
  ASSERT_TRUE(calibration.latency.has_value());
  EXPECT_EQ(calibration.latency->points.size(), 48u);
  ASSERT_TRUE(calibration.latency->fit.per_hop_us.has_value());
  EXPECT_GT(calibration.latency->fit.per_hop_us->value, 1);
  EXPECT_LT(calibration.latency->fit.per_hop_us->value, 3);
  EXPECT_THAT(calibration.remarks, ElementsAre(HasSubstr("1 run of latencies left out")));
  const json fragment = json::parse(calibration_fragment(calibration));
  EXPECT_TRUE(fragment.at("network").at("model").at("types").at("hpc6a.48xlarge").at("efa").contains("perHop_us"));

  const Calibration alike = calibrate({.files = {across}, .topology = {topology}});
  EXPECT_FALSE(alike.latency->fit.per_hop_us.has_value());
  EXPECT_THAT(alike.remarks, ElementsAre(HasSubstr("all pairs are 4 hops apart")));
  EXPECT_THAT(calibration_fragment(alike), HasSubstr("all pairs 4 hops apart"));
}

// Pairs of one host among pairs of two: each transport takes its own.
TEST_F(CalibrationTest, AllPairsOverEveryRankAreTakenApart) {
  const auto rank = [](int number, const char* host) {
    return fmt::format(R"({{"rank": {}, "host": "{}", "boot_id": "{}", "providers": ["efa"]}})", number, host, host);
  };
  std::string pairs;
  for (const auto& [a, b, latency] : {std::tuple(0, 1, 0.4), std::tuple(0, 2, 15.5), std::tuple(1, 2, 15.6)}) {
    pairs += fmt::format(R"({}{{"a": {}, "b": {}, "round": 0, "latency_us": {}, "bandwidth_mb_s": 10000}})",
                         pairs.empty() ? "" : ", ", a, b, latency);
  }
  const std::string path =
      file("pairs", fmt::format(R"({{"schema": "headroom.mpi/1", "test": "allpairs", "ranks": [{}, {}, {}],
    "result": {{"latency_bytes": 8, "bandwidth_bytes": 1048576, "pairs": [{}]}}}})",
                                rank(0, "a"), rank(1, "a"), rank(2, "b"), pairs));
  const std::string sweep = file("osu", osu());
  EXPECT_THROW(calibrate({.files = {sweep, path}}), InputError);
  const Calibration efa = calibrate({.files = {sweep, path}, .transport = "efa"});
  EXPECT_TRUE(efa.refusals.empty());
  EXPECT_EQ(efa.latency->fit.runs, 3u);
  EXPECT_THAT(efa.remarks, testing::Contains(HasSubstr("2 runs left out, the first: ")));
  EXPECT_THAT(calibrate({.files = {file("together", ping_pong({kHere, kAlias})), path}, .transport = "shm"}).remarks,
              testing::Contains(HasSubstr("are two hosts")));
}

TEST_F(CalibrationTest, WithoutLibfabricThereIsNoEfa) {
  std::string text = ping_pong({kHere, kThere});
  for (std::size_t at = 0; (at = text.find(R"("providers": ["efa"])", at)) != std::string::npos; ++at) {
    text.replace(at, 20, R"("providers": [], "fabric": {"libfabric_loaded": false})");
  }
  const std::string path = file("ucx", text);
  EXPECT_THAT(calibrate({.files = {path}, .transport = "efa"}).refusals,
              ElementsAre(HasSubstr("did not both load libfabric")));
  EXPECT_TRUE(calibrate({.files = {path}, .transport = "tcp"}).refusals.empty());
}

// All-pairs has one size of latency and one of bandwidth: an error by itself, hops beside a ping-pong.
TEST_F(CalibrationTest, AllPairsNeedAPingPongBesideThem) {
  const std::string pairs = file("pairs", R"({"schema": "headroom.mpi/1", "test": "allpairs", "ranks": [
      {"rank": 0, "host": "a", "boot_id": "a", "providers": ["efa"]}, {"rank": 1, "host": "b", "boot_id": "b", "providers": ["efa"]}],
    "result": {"latency_bytes": 8, "bandwidth_bytes": 1048576,
      "pairs": [{"a": 0, "b": 1, "round": 0, "latency_us": 15.6, "bandwidth_mb_s": 10000}]}})");
  try {
    calibrate({.files = {pairs}});
    ADD_FAILURE() << "no error";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("1 message size, expected at least two"));
    EXPECT_THAT(error.what(), HasSubstr("add a ping-pong"));
  }
  const Calibration both = calibrate({.files = {file("osu", osu()), pairs}, .transport = "efa"});
  EXPECT_EQ(both.latency->fit.runs, 2u);
  EXPECT_FALSE(both.streaming.has_value());
  EXPECT_THAT(both.remarks, ElementsAre(HasSubstr("no LogGP from allpairs")));
}

// All pairs of the 32 instances whose topology EC2 told, with 1.6 us for every hop beyond 2 planted in 3 % noise.
TEST(CalibrationShared, HopsOfARealTopologyAreFoundAgain) {
  const char* shared = std::getenv("HEADROOM_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "HEADROOM_SHARED is not set: no topology";
  const std::string path = std::string(shared) + "/data/efa/topology-hpc6a-32-cluster-placement-group.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not there";
  const std::string paths[] = {path};
  const TopologyFile topology = read_topology(paths);
  ASSERT_EQ(topology.instances.size(), 32u);
  Substream stream(6, Purpose::property_suite, 13);
  std::string ranks;
  std::string pairs;
  std::string sweeps;
  for (std::size_t a = 0; a < topology.instances.size(); ++a) {
    ranks +=
        fmt::format(R"({}{{"rank": {}, "host": "{}", "boot_id": "{}", "instance_id": "{}", "providers": ["efa"]}})",
                    a == 0 ? "" : ", ", a, a, a, topology.instances[a].id);
    for (std::size_t b = a + 1; b < topology.instances.size(); ++b) {
      const double further = 1.6 * (topology.network->hops(topology.instances[a].leaf, topology.instances[b].leaf) - 2);
      pairs += fmt::format(R"({}{{"a": {}, "b": {}, "latency_us": {}, "bandwidth_mb_s": 10000}})",
                           pairs.empty() ? "" : ", ", a, b, (12.4 + further) * std::exp(0.03 * stream.normal()));
      if (a > 0 || b > 6) continue;
      std::string sizes;
      for (int power = 0; power <= 22; ++power) {
        const double bytes = static_cast<double>(1 << power);
        const double time = bytes <= 65536 ? 12.4 + 1e-3 * bytes / 4 : 35 + 1e-3 * bytes / 5.4;
        sizes += fmt::format(R"({}{{"bytes": {}, "latency_us": {{"p50": {}}}}})", power == 0 ? "" : ", ", 1 << power,
                             (time + further) * std::exp(0.02 * stream.normal()));
      }
      sweeps +=
          fmt::format(R"({}{{"a": {}, "b": {}, "errors": 0, "sizes": [{}]}})", sweeps.empty() ? "" : ", ", a, b, sizes);
    }
  }
  const auto document = [&](const char* test, const std::string& result) {
    const std::string name =
        (std::filesystem::temp_directory_path() / fmt::format("headroom-hops-{}-{}", ::getpid(), test)).string();
    std::ofstream(name) << fmt::format(
        R"({{"schema": "headroom.mpi/1", "test": "{}", "ranks": [{}], "result": {{{}}}}})", test, ranks, result);
    return name;
  };
  const std::vector<std::string> files = {
      document("allpairs", R"("latency_bytes": 8, "bandwidth_bytes": 1048576, "pairs": [)" + pairs + "]"),
      document("pingpong", R"("pairs": [)" + sweeps + "]")};
  const Calibration calibration = calibrate({.files = files, .topology = {path}});
  for (const std::string& each : files) std::filesystem::remove(each);
  ASSERT_EQ(calibration.latency->fit.runs, 502u);
  ASSERT_EQ(calibration.latency->fit.segments.size(), 2u);
  const Estimate per_hop = *calibration.latency->fit.per_hop_us;
  EXPECT_LE(per_hop.low, 1.6);
  EXPECT_GE(per_hop.high, 1.6);
  EXPECT_LT(per_hop.high - per_hop.low, 0.2);
  EXPECT_NEAR(calibration.latency->fit.segments[0].latency_us.value, 12.4, 0.15);
}

// Residuals as docs/calibrate.md states them.
TEST(CalibrationShared, OsuOutputsOverEfaFitWithTheResidualsStated) {
  const char* shared = std::getenv("HEADROOM_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "HEADROOM_SHARED is not set: no OSU outputs";
  const std::filesystem::path folder = std::filesystem::path(shared) / "data" / "efa";
  if (!std::filesystem::is_directory(folder)) GTEST_SKIP() << folder << " is not there";
  const struct {
    const char* name;
    const char* type;
    std::size_t segments;
    double latency_us;
    double bandwidth_gb_s;
    double median;
    double worst;
  } expected[] = {
      {"osu-alinux2-c5n.18xlarge-openmpi", "c5n.18xlarge", 3, 17.15, 2.61, 0.008, 0.072},
      {"osu-alinux2-c5n.18xlarge-intelmpi", "c5n.18xlarge", 4, 22.21, 2.29, 0.0041, 0.0382},
      {"osu-alinux2-p5.48xlarge-openmpi", "p5.48xlarge", 3, 20.54, 2.00, 0.0084, 0.4515},
  };
  for (const auto& each : expected) {
    const std::string base = (folder / each.name).string();
    const Calibration calibration = calibrate(
        {.files = {base + "/osu_latency", base + "/osu_bibw"}, .instance_type = each.type, .transport = "efa"});
    ASSERT_TRUE(calibration.refusals.empty()) << each.name;
    const HockneyFit& fit = calibration.latency->fit;
    EXPECT_EQ(fit.segments.size(), each.segments) << each.name;
    EXPECT_NEAR(fit.segments.front().latency_us.value, each.latency_us, 0.02) << each.name;
    EXPECT_NEAR(bandwidth_gb_s(fit.segments.back()).value, each.bandwidth_gb_s, 0.01) << each.name;
    EXPECT_NEAR(fit.median_residual, each.median, 0.0006) << each.name;
    EXPECT_NEAR(std::abs(fit.worst_residual), each.worst, 0.0006) << each.name;
    EXPECT_TRUE(calibration.bidirectional.has_value()) << each.name;
  }
}

}  // namespace
}  // namespace headroom
