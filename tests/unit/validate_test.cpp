// The verdict of `headroom validate`: documents and logs in, requirements out. The documents are made here, in the
// format of mpi-tests/ (headroom.mpi/1), as on a cluster of hpc6a.48xlarge where all is well; every test breaks one
// thing.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/errors.hpp"
#include "models/files.hpp"
#include "models/random.hpp"
#include "models/validate/child_process.hpp"
#include "models/validate/expectation.hpp"
#include "models/validate/heat_map.hpp"
#include "models/validate/slurm_job.hpp"
#include "models/validate/validation.hpp"
#include "models/validate/validation_report.hpp"
#include "tests/unit/temp_folder.hpp"

namespace headroom::validate {
namespace {

using Json = nlohmann::ordered_json;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::string host_name(int i) { return "ip-10-0-0-" + std::to_string(i + 1); }

Json counters(std::int64_t tx, std::int64_t rx) {
  return {{"tx_bytes", {{"before", 1000}, {"after", 1000 + tx}}}, {"rx_bytes", {{"before", 500}, {"after", 500 + rx}}}};
}

Json rank_json(int i, std::int64_t sent, std::int64_t received) {
  return {
      {"rank", i},
      {"host", host_name(i)},
      {"boot_id", "boot-" + std::to_string(i)},
      {"network_namespace", "4026531840"},
      {"shared_memory_group", i},
      {"instance_id", "i-000" + std::to_string(i)},
      {"instance_type", "hpc6a.48xlarge"},
      {"availability_zone", "use2-az2"},
      {"pid", 100 + i},
      {"cpus", "0-95"},
      {"providers", {"efa"}},
      {"fabric",
       {{"libfabric_loaded", true},
        {"open_devices", {"/dev/infiniband/uverbs0"}},
        {"mapped_devices", {"/dev/infiniband/uverbs0"}}}},
      {"devices",
       {{{"name", "rdmap0s6"}, {"driver", "efa"}, {"port", 1}, {"counters", counters(sent + 4096, received + 4096)}}}},
      {"sent_bytes", sent},
      {"received_bytes", received}};
}

Json document(const std::string& test, int hosts, Json result) {
  Json json{{"schema", "headroom.mpi/1"},
            {"test", test},
            {"started_utc", "2026-11-20T21:30:00Z"},
            {"elapsed_s", 1.5},
            {"mpi", {{"vendor", "openmpi"}, {"library", "Open MPI v4.1.6"}, {"standard", "3.1"}}},
            {"arguments", Json::object()},
            {"ranks", Json::array()}};
  for (int i = 0; i < hosts; ++i) json["ranks"].push_back(rank_json(i, 1 << 20, 1 << 20));
  json["result"] = std::move(result);
  return json;
}

Json latency(double value) {
  return {{"min", value}, {"p50", value}, {"p95", value}, {"p99", value}, {"max", value}, {"mean", value}};
}

// Documents of a cluster where all is well, of one run.
struct Cluster {
  explicit Cluster(int count = 4) : hosts(count) {
    hello = document("hello", hosts,
                     {{"ranks", hosts},
                      {"hosts", hosts},
                      {"asked", {{"hosts", hosts}, {"per_host", 1}}},
                      {"layout_ok", true},
                      {"problems", Json::array()}});
    const Json sizes = {
        {{"bytes", 0}, {"iterations", 10}, {"latency_us", latency(15.1)}, {"bandwidth_mb_s", 0}},
        {{"bytes", 8}, {"iterations", 10}, {"latency_us", latency(15.7)}, {"bandwidth_mb_s", 0.5}},
        {{"bytes", 1048576}, {"iterations", 10}, {"latency_us", latency(262)}, {"bandwidth_mb_s", 4002.2}}};
    pingpong = document("pingpong", hosts,
                        {{"pairs",
                          {{{"a", 0},
                            {"b", hosts - 1},
                            {"warmup", 10},
                            {"errors", 0},
                            {"sizes", sizes},
                            {"streaming", {{{"bytes", 1048576}, {"window", 64}, {"bandwidth_mb_s", 11000}}}}}}}});
    Json pairs = Json::array();
    for (int a = 0; a < hosts; ++a) {
      for (int b = a + 1; b < hosts; ++b) {
        pairs.push_back({{"a", a},
                         {"b", b},
                         {"round", 0},
                         {"latency_us", 13 + (a + b) % 3},
                         {"bandwidth_mb_s", 4000 - a - b},
                         {"retested", false}});
      }
    }
    allpairs = document("allpairs", hosts,
                        {{"hosts", hosts},
                         {"latency_bytes", 8},
                         {"bandwidth_bytes", 1048576},
                         {"pairs", pairs},
                         {"suspects", Json::array()}});
    allreduce = document("allreduce", hosts,
                         {{"ranks", hosts},
                          {"sizes", {{{"bytes", 8}, {"iterations", 10}, {"latency_us", latency(40)}}}},
                          {"errors", 0}});
    for (int i = 0; i < hosts; ++i) log += "[" + host_name(i) + ":17] mtl_ofi_component.c:337: mtl:ofi:prov: efa\n";
  }

  Evidence evidence() const {
    Evidence evidence;
    for (const Json* json : {&hello, &pingpong, &allpairs, &allreduce}) {
      const std::string name = json->at("test").get<std::string>() + ".json";
      evidence.documents.push_back(read_program_output(json->dump(1), name).document.value());
    }
    evidence.logs.push_back(read_launch_log(log, "mpi.log"));
    return evidence;
  }
  Validation judged(Demand demand = {}) const { return judge(demand, evidence()); }
  std::vector<Json*> all() { return {&hello, &pingpong, &allpairs, &allreduce}; }
  void each_rank(const std::function<void(Json& rank, int i)>& change) {
    for (Json* json : all()) {
      for (std::size_t i = 0; i < json->at("ranks").size(); ++i) change(json->at("ranks")[i], static_cast<int>(i));
    }
  }
  Json& pair(int a, int b) {
    for (Json& pair : allpairs["result"]["pairs"]) {
      if (pair["a"] == a && pair["b"] == b) return pair;
    }
    throw std::runtime_error("no such pair");
  }

  int hosts;
  Json hello, pingpong, allpairs, allreduce;
  std::string log;
};

const Requirement& find(const Validation& validation, const std::string& id) {
  for (const Requirement& r : validation.requirements) {
    if (r.id == id) return r;
  }
  throw std::runtime_error("no requirement " + id);
}

std::set<std::string> not_met(const Validation& validation) {
  std::set<std::string> ids;
  for (const Requirement& r : validation.requirements) {
    if (r.verdict != Verdict::pass) ids.insert(r.id);
  }
  return ids;
}

std::string all_evidence(const Requirement& r) {
  std::string text = r.cause;
  for (const std::string& sentence : r.evidence) text += "\n" + sentence;
  return text;
}

TEST(Validate, AGoodClusterPasses) {
  const Validation validation = Cluster().judged();
  EXPECT_THAT(not_met(validation), ElementsAre());
  EXPECT_EQ(validation.verdict, Verdict::pass);
  EXPECT_EQ(validation.instance_type, "hpc6a.48xlarge");
  EXPECT_EQ(validation.hosts.size(), 4u);
  EXPECT_EQ(validation.pairs.size(), 6u);
  EXPECT_EQ(validation.requirements.size(), 13u);
}

TEST(Validate, WhatIsNotMetHasACauseAndARemedy) {
  Cluster cluster;
  cluster.log.clear();
  cluster.each_rank([](Json& rank, int i) {
    rank["providers"] = Json::array();
    rank["devices"] = Json::array();
    rank["boot_id"] = "boot-" + std::to_string(i / 2);
    rank.erase("instance_type");
  });
  cluster.pingpong["result"]["pairs"][0]["errors"] = 3;
  const Validation validation = cluster.judged();
  EXPECT_EQ(validation.verdict, Verdict::fail);
  for (const Requirement& r : validation.requirements) {
    if (r.verdict == Verdict::pass) continue;
    EXPECT_FALSE(r.cause.empty()) << r.id;
    EXPECT_FALSE(r.remedy.empty()) << r.id;
  }
}

TEST(Validate, TwoNamesOfOneMachineAreNotTwoHosts) {
  Cluster cluster;
  cluster.each_rank([](Json& rank, int i) {
    if (i == 3) rank["boot_id"] = "boot-2";
  });
  const Requirement r = find(cluster.judged(), "distinct-hosts");
  EXPECT_EQ(r.verdict, Verdict::fail);
  EXPECT_THAT(r.hosts, UnorderedElementsAre(host_name(2), host_name(3)));
  EXPECT_THAT(all_evidence(r), HasSubstr("one machine"));
}

TEST(Validate, NamesOfSlurmsNodesAreClaims) {
  Cluster cluster;
  cluster.each_rank([](Json& rank, int i) {
    rank["host"] = "vm";
    rank["node"] = "n" + std::to_string(i + 1);
    rank["boot_id"] = "one";
  });
  const Validation validation = cluster.judged();
  EXPECT_THAT(find(validation, "distinct-hosts").hosts, ElementsAre("n1", "n2", "n3", "n4"));
  EXPECT_EQ(find(validation, "layout").verdict, Verdict::pass);
}

TEST(Validate, NamespacesCountAsHostsOnlyWhenAsked) {
  Cluster cluster;
  cluster.each_rank([](Json& rank, int i) {
    rank["boot_id"] = "one";
    rank["network_namespace"] = std::to_string(i);
  });
  Demand demand;
  EXPECT_EQ(find(cluster.judged(demand), "distinct-hosts").verdict, Verdict::fail);
  demand.namespaces_are_hosts = true;
  EXPECT_EQ(find(cluster.judged(demand), "distinct-hosts").verdict, Verdict::pass);
}

TEST(Validate, SharedMemoryAcrossHostNamesIsOneHost) {
  Cluster cluster;
  cluster.each_rank([](Json& rank, int i) {
    rank.erase("boot_id");
    if (i == 1) rank["shared_memory_group"] = 0;
  });
  const Requirement r = find(cluster.judged(), "distinct-hosts");
  EXPECT_EQ(r.verdict, Verdict::fail);
  EXPECT_THAT(r.hosts, UnorderedElementsAre(host_name(0), host_name(1)));
}

TEST(Validate, WithoutBootIdsNobodyKnows) {
  Cluster cluster;
  cluster.each_rank([](Json& rank, int) { rank.erase("boot_id"); });
  EXPECT_EQ(find(cluster.judged(), "distinct-hosts").verdict, Verdict::inconclusive);
}

TEST(Validate, FewerHostsThanAskedFor) {
  Demand demand;
  demand.hosts = 5;
  const Validation validation = Cluster(4).judged(demand);
  EXPECT_EQ(find(validation, "distinct-hosts").verdict, Verdict::fail);
  EXPECT_THAT(find(validation, "layout").cause, HasSubstr("4 hosts in place of 5"));
}

TEST(Validate, RanksPiledOnOneHost) {
  Cluster cluster(3);
  Json extra = rank_json(0, 1, 1);
  extra["rank"] = 3;
  cluster.hello["ranks"].push_back(extra);
  cluster.hello["result"]["ranks"] = 4;
  const Requirement r = find(cluster.judged(), "layout");
  EXPECT_EQ(r.verdict, Verdict::fail);
  EXPECT_THAT(r.hosts, ElementsAre(host_name(0)));
}

TEST(Validate, AnotherProviderFails) {
  Cluster cluster;
  cluster.log = "[" + host_name(1) + ":9] mtl_ofi_component.c:337: mtl:ofi:prov: tcp;ofi_rxm\n";
  const Requirement r = find(cluster.judged(), "provider");
  EXPECT_EQ(r.verdict, Verdict::fail);
  EXPECT_THAT(r.cause, HasSubstr("tcp;ofi_rxm"));
  EXPECT_THAT(r.hosts, ElementsAre(host_name(1)));
}

TEST(Validate, ABtlOverTcpBetweenHostsIsNotEfa) {
  Cluster cluster;
  cluster.log += "[ip-10-0-0-1:17] mca: bml: Using tcp btl for send to [[1,1],1] on node ip-10-0-0-2\n";
  EXPECT_EQ(find(cluster.judged(), "provider").verdict, Verdict::fail);
}

TEST(Validate, SharedMemoryWithinAHostIsFine) {
  Cluster cluster;
  cluster.log += "[ip-10-0-0-1:17] mca: bml: Using vader btl for send to [[1,1],1] on node ip-10-0-0-1.ec2.internal\n";
  EXPECT_EQ(find(cluster.judged(), "provider").verdict, Verdict::pass);
}

TEST(Validate, AddressesAreNotCutAtTheirDots) {
  Cluster cluster;
  cluster.log += "[10.0.0.1:17] mca: bml: Using vader btl for send to [[1,1],1] on node 10.0.0.2\n";
  EXPECT_EQ(find(cluster.judged(), "provider").verdict, Verdict::fail);
}

TEST(Validate, RanksWithoutAnRdmaDeviceDoNotUseEfaWhateverTheLogSays) {
  Cluster cluster;
  cluster.each_rank([](Json& rank, int i) {
    if (i != 2) return;
    rank["providers"] = Json::array();
    rank["fabric"]["open_devices"] = Json::array();
    rank["fabric"]["mapped_devices"] = Json::array();
  });
  const Requirement r = find(cluster.judged(), "provider");
  EXPECT_EQ(r.verdict, Verdict::fail);
  EXPECT_THAT(r.hosts, ElementsAre(host_name(2)));
}

TEST(Validate, WithoutProviderLinesTheQueuesOfTheRanksTell) {
  Cluster cluster;
  cluster.log = "hello from a prolog\n";
  EXPECT_EQ(find(cluster.judged(), "provider").verdict, Verdict::pass);
  cluster.each_rank([](Json& rank, int) { rank["providers"] = Json::array(); });
  const Validation validation = cluster.judged();
  EXPECT_EQ(find(validation, "provider").verdict, Verdict::inconclusive);
  EXPECT_EQ(validation.verdict, Verdict::inconclusive);
}

TEST(Validate, EveryHostHasToTell) {
  Cluster cluster;
  cluster.each_rank([](Json& rank, int) { rank["providers"] = Json::array(); });
  EXPECT_EQ(find(cluster.judged(), "provider").verdict, Verdict::pass) << "all four hosts are in the log";
  cluster.log = "[ip-10-0-0-1:17] mtl_ofi_component.c:337: mtl:ofi:prov: efa\n";
  const Requirement r = find(cluster.judged(), "provider");
  EXPECT_EQ(r.verdict, Verdict::inconclusive);
  EXPECT_THAT(r.hosts, ElementsAre(host_name(1), host_name(2), host_name(3)));
  cluster.log = "[0] MPI startup(): libfabric provider: efa\n";
  EXPECT_EQ(find(cluster.judged(), "provider").verdict, Verdict::pass) << "rank 0 speaks for all";
}

TEST(Validate, MpichOnUcxIsNotEfa) {
  Cluster cluster;
  cluster.log = "==== UCX netmod Capability ====\nnum_vnis: 1\n";
  EXPECT_EQ(find(cluster.judged(), "provider").verdict, Verdict::fail);
}

TEST(Validate, CountersThatStandStill) {
  Cluster cluster;
  cluster.each_rank([](Json& rank, int i) {
    if (i == 1) rank["devices"][0]["counters"] = counters(100, 100);
  });
  const Requirement r = find(cluster.judged(), "counters");
  EXPECT_EQ(r.verdict, Verdict::fail);
  EXPECT_THAT(r.hosts, ElementsAre(host_name(1)));
}

TEST(Validate, OneDirectionIsNotEnough) {
  Cluster cluster;
  cluster.each_rank([](Json& rank, int i) {
    if (i == 1) rank["devices"][0]["counters"]["rx_bytes"]["after"] = 500;
  });
  EXPECT_EQ(find(cluster.judged(), "counters").verdict, Verdict::fail);
}

TEST(Validate, BytesOfRdmaReadsCountWhereTheyAreApart) {
  Cluster cluster;
  cluster.each_rank([](Json& rank, int) {
    rank["devices"][0]["counters"] = counters(100, 100);
    rank["devices"][0]["counters"]["rdma_read_resp_bytes"] = {{"before", 0}, {"after", 2 << 20}};
    rank["devices"][0]["counters"]["rdma_read_bytes"] = {{"before", 0}, {"after", 2 << 20}};
  });
  EXPECT_EQ(find(cluster.judged(), "counters").verdict, Verdict::pass);
}

TEST(Validate, ACounterThatWentBackwardsSaysNothing) {
  Cluster cluster;
  cluster.each_rank(
      [](Json& rank, int) { rank["devices"][0]["counters"]["tx_bytes"]["before"] = std::int64_t{1} << 40; });
  EXPECT_EQ(find(cluster.judged(), "counters").verdict, Verdict::inconclusive);
}

TEST(Validate, RanksOfOneHostReadTheSameDevices) {
  // Two ranks a host: each reads the device's counters, and only bytes that leave the host have to be in them.
  Cluster cluster(2);
  for (Json* json : cluster.all()) {
    Json& ranks = json->at("ranks");
    ranks = Json::array();
    for (int i = 0; i < 4; ++i) {
      Json rank = rank_json(i / 2, 1000, 1000);
      rank["rank"] = i;
      rank["sent_bytes_off_host"] = 600;
      rank["received_bytes_off_host"] = 600;
      rank["devices"][0]["counters"] = counters(i % 2 == 0 ? 700 : 1300, 1300);
      ranks.push_back(rank);
    }
  }
  cluster.hello["result"]["ranks"] = 4;
  EXPECT_EQ(find(cluster.judged(), "counters").verdict, Verdict::pass);
  cluster.each_rank([](Json& rank, int) { rank["devices"][0]["counters"] = counters(1100, 1300); });
  EXPECT_EQ(find(cluster.judged(), "counters").verdict, Verdict::fail) << "1100 of 1200 bytes";
  cluster.each_rank([](Json& rank, int) { rank.erase("sent_bytes_off_host"); });
  EXPECT_EQ(find(cluster.judged(), "counters").verdict, Verdict::inconclusive);
}

TEST(Validate, InterfacesAgainstTheCatalog) {
  Cluster cluster;
  cluster.each_rank([](Json& rank, int) { rank["instance_type"] = "hpc7a.96xlarge"; });  // two EFA interfaces
  const Requirement r = find(cluster.judged(), "interfaces");
  EXPECT_EQ(r.verdict, Verdict::fail);
  EXPECT_EQ(r.hosts.size(), 4u);
  Demand demand;
  demand.interfaces = 1;
  EXPECT_EQ(find(cluster.judged(demand), "interfaces").verdict, Verdict::pass);
}

TEST(Validate, OtherRdmaDevicesAreNoEfa) {
  Cluster cluster;
  cluster.each_rank([](Json& rank, int) { rank["devices"][0]["driver"] = "mlx5_core"; });
  const Validation validation = cluster.judged();
  EXPECT_EQ(find(validation, "interfaces").verdict, Verdict::fail);
  EXPECT_EQ(find(validation, "counters").verdict, Verdict::fail);
}

TEST(Validate, AnUnknownTypeNeverPasses) {
  Cluster cluster;
  cluster.each_rank([](Json& rank, int) { rank["instance_type"] = "x99.48xlarge"; });
  const Validation validation = cluster.judged();
  EXPECT_EQ(validation.verdict, Verdict::inconclusive);
  for (const char* id : {"latency", "bandwidth", "interfaces"}) {
    EXPECT_EQ(find(validation, id).verdict, Verdict::inconclusive) << id;
  }
  Demand demand;
  demand.interfaces = 1;
  demand.max_latency_us = 20;
  demand.min_bandwidth_mb_s = 3000;
  EXPECT_EQ(cluster.judged(demand).verdict, Verdict::pass) << "what the user expects counts";
}

TEST(Validate, ATypeInTheCatalogThatNobodyMeasuredNeverPasses) {
  Cluster cluster;
  cluster.each_rank([](Json& rank, int) { rank["instance_type"] = "hpc7g.16xlarge"; });
  const Validation validation = cluster.judged();
  EXPECT_EQ(find(validation, "interfaces").verdict, Verdict::pass);
  EXPECT_EQ(find(validation, "latency").verdict, Verdict::inconclusive);
  EXPECT_EQ(validation.verdict, Verdict::inconclusive);
}

TEST(Validate, LatencyAndBandwidthBeyondTheTolerance) {
  Cluster cluster;
  Json& sizes = cluster.pingpong["result"]["pairs"][0]["sizes"];
  sizes[1]["latency_us"] = latency(25.8);  // 15.7 and 10
  sizes[2]["bandwidth_mb_s"] = 3177;       // 1 MiB in 264 us, less 20 %
  const Validation validation = cluster.judged();
  EXPECT_EQ(find(validation, "latency").verdict, Verdict::fail);
  EXPECT_THAT(find(validation, "latency").pairs, ElementsAre(Pair(host_name(0), host_name(3))));
  EXPECT_EQ(find(validation, "bandwidth").verdict, Verdict::fail);
  sizes[1]["latency_us"] = latency(25.6);
  sizes[2]["bandwidth_mb_s"] = 3178;
  EXPECT_EQ(cluster.judged().verdict, Verdict::pass);
}

TEST(Validate, SharedMemorysLatencyBetweenTwoHostsIsRefused) {
  Cluster cluster;
  cluster.pingpong["result"]["pairs"][0]["sizes"][1]["latency_us"] = latency(0.46);
  const Validation validation = cluster.judged();
  const Requirement r = find(validation, "plausible");
  EXPECT_EQ(r.verdict, Verdict::fail);
  EXPECT_THAT(r.cause, HasSubstr("shared memory"));
  EXPECT_EQ(validation.verdict, Verdict::fail);
}

TEST(Validate, MoreThanTheNetworkCarriesIsRefused) {
  Cluster cluster;
  cluster.pingpong["result"]["pairs"][0]["streaming"][0]["bandwidth_mb_s"] = 14'000;  // 112 Gb/s
  EXPECT_EQ(find(cluster.judged(), "plausible").verdict, Verdict::fail);
}

TEST(Validate, ASlowHostIsNamedAndNotItsPairs) {
  Cluster cluster;
  for (int a = 0; a < 3; ++a) cluster.pair(a, 3)["latency_us"] = 80;
  const Requirement r = find(cluster.judged(), "uniform");
  EXPECT_EQ(r.verdict, Verdict::fail);
  EXPECT_THAT(r.hosts, ElementsAre(host_name(3)));
  EXPECT_TRUE(r.pairs.empty());
}

TEST(Validate, OfEquallyManySlowPairsTheSlowestTell) {
  Cluster cluster(3);
  cluster.pair(0, 1)["latency_us"] = 30;  // noise
  cluster.pair(0, 2)["latency_us"] = 13;
  cluster.pair(1, 2)["bandwidth_mb_s"] = 5;
  EXPECT_EQ(find(cluster.judged(), "uniform").hosts, std::vector<std::string>{host_name(1)});
  cluster.pair(0, 2)["bandwidth_mb_s"] = 5;
  const Requirement r = find(cluster.judged(), "uniform");
  ASSERT_FALSE(r.hosts.empty());
  EXPECT_EQ(r.hosts.front(), host_name(2));
}

TEST(Validate, ASlowPairIsNamed) {
  Cluster cluster(6);
  cluster.pair(1, 4)["bandwidth_mb_s"] = 900;
  const Validation validation = cluster.judged();
  const Requirement r = find(validation, "uniform");
  EXPECT_EQ(r.verdict, Verdict::fail);
  EXPECT_TRUE(r.hosts.empty());
  EXPECT_THAT(r.pairs, ElementsAre(Pair(host_name(1), host_name(4))));
  EXPECT_EQ(
      std::count_if(validation.pairs.begin(), validation.pairs.end(), [](const PairLatency& p) { return p.slow; }), 1);
}

TEST(Validate, APairThatWasOnlySlowInCompanyIsNot) {
  Cluster cluster;
  cluster.pair(0, 1)["latency_us"] = 90;
  cluster.pair(0, 1)["retested"] = true;
  cluster.pair(0, 1)["alone"] = {{"latency_us", 14}, {"bandwidth_mb_s", 4000}};
  EXPECT_EQ(cluster.judged().verdict, Verdict::pass);
}

TEST(Validate, TheNetworkTreesTwoModesAreNotSlow) {
  Cluster cluster(8);
  for (int a = 0; a < 8; ++a) {
    for (int b = a + 1; b < 8; ++b) cluster.pair(a, b)["latency_us"] = a / 4 == b / 4 ? 12.3 : 16.8;
  }
  EXPECT_EQ(find(cluster.judged(), "uniform").verdict, Verdict::pass);
}

TEST(Validate, PayloadErrorsFail) {
  Cluster cluster;
  cluster.allreduce["result"]["errors"] = 2;
  EXPECT_EQ(find(cluster.judged(), "payload").verdict, Verdict::fail);
}

TEST(Validate, HelloSaysInItsLogThatAMessageChanged) {
  Cluster cluster;
  cluster.log += "rank 1 (ip-10-0-0-2): the message from rank 0 (ip-10-0-0-1) is not what was sent, from byte 512 on\n";
  const Requirement r = find(cluster.judged(), "payload");
  EXPECT_EQ(r.verdict, Verdict::fail);
  EXPECT_THAT(all_evidence(r), HasSubstr("ip-10-0-0-2"));
}

TEST(Validate, SeveralZonesOrTypes) {
  Cluster cluster;
  cluster.each_rank([](Json& rank, int i) {
    if (i == 0) rank["availability_zone"] = "use2-az1";
  });
  EXPECT_EQ(find(cluster.judged(), "instances").verdict, Verdict::fail);
  Cluster mixed;
  mixed.each_rank([](Json& rank, int i) {
    if (i == 0) rank["instance_type"] = "c5n.18xlarge";
  });
  EXPECT_EQ(find(mixed.judged(), "instances").verdict, Verdict::fail);
  Demand demand;
  demand.instance_type = "c5n.18xlarge";
  EXPECT_EQ(find(Cluster().judged(demand), "instances").verdict, Verdict::fail) << "the hosts say something else";
}

TEST(Validate, AFaultOnPurposeIsNoMeasurement) {
  Cluster cluster;
  cluster.hello["test_fault"] = "slow:0:100";
  const Validation validation = cluster.judged();
  EXPECT_EQ(find(validation, "completed").verdict, Verdict::inconclusive);
  EXPECT_EQ(validation.verdict, Verdict::inconclusive);
}

ProgramRun made(const std::string& test, int status) {
  ProgramRun run;
  run.test = test;
  run.status = status;
  run.log_file = test + ".log";
  run.command = "mpirun " + test;
  run.time_limit_s = 60;
  return run;
}

TEST(Validate, AHangAfterAGoodStartIsTheSecurityGroup) {
  Cluster cluster;
  Demand demand;
  demand.tests = {"hello", "pingpong"};
  Evidence evidence = cluster.evidence();
  evidence.documents.resize(1);
  ProgramRun hanging = made("pingpong", 137);
  hanging.timed_out = true;
  ProgramRun tcp = made("pingpong", 0);
  tcp.purpose = Purpose::over_tcp;
  ProgramRun stuck = made("pingpong", 4);
  stuck.purpose = Purpose::one_pair;
  stuck.hosts = {host_name(0), host_name(2)};
  ProgramRun through = made("pingpong", 0);
  through.purpose = Purpose::one_pair;
  through.hosts = {host_name(0), host_name(1)};
  evidence.runs = {made("hello", 0), hanging, tcp, through, stuck};
  evidence.logs.push_back(read_launch_log(
      "pingpong: rank 2 (ip-10-0-0-3): no progress for 60 s: ping-pong of 8 bytes with rank 0 (ip-10-0-0-1)\n",
      "pingpong.log"));
  const Validation validation = judge(demand, evidence);
  const Requirement r = find(validation, "no-hang");
  EXPECT_EQ(r.verdict, Verdict::fail);
  EXPECT_THAT(r.cause, HasSubstr("security group"));
  EXPECT_THAT(r.cause, HasSubstr("TCP gets through"));
  EXPECT_THAT(r.cause, HasSubstr(host_name(0) + " - " + host_name(2)));
  EXPECT_THAT(r.remedy, HasSubstr("PCS-52"));
  EXPECT_THAT(r.pairs, ElementsAre(Pair(host_name(0), host_name(2))));
  EXPECT_TRUE(r.hosts.empty()) << "the pair is named";
  EXPECT_EQ(find(validation, "completed").verdict, Verdict::inconclusive);
}

TEST(Validate, AHangBeforeAnythingStartedIsTheLauncher) {
  Demand demand;
  demand.tests = {"hello"};
  Evidence evidence;
  ProgramRun hanging = made("hello", 137);
  hanging.timed_out = true;
  evidence.runs = {hanging};
  evidence.logs = {read_launch_log("", "hello.log")};
  const Requirement r = find(judge(demand, evidence), "no-hang");
  EXPECT_EQ(r.verdict, Verdict::fail);
  EXPECT_THAT(r.cause, Not(HasSubstr("security group")));
  EXPECT_THAT(r.remedy, HasSubstr("ssh"));
}

TEST(Validate, NoEfaHereSaysWhy) {
  Demand demand;
  demand.tests = {"hello", "pingpong"};
  Evidence evidence;
  evidence.runs = {made("hello", 1)};
  evidence.logs = {read_launch_log("[vm:12] PML cm cannot be selected\n", "hello.log")};
  Json hello = Cluster(2).hello;
  for (Json& rank : hello["ranks"]) rank["devices"] = Json::array();
  evidence.fallback = read_program_output(hello.dump(), "hello-as-is.json").document;
  const Validation validation = judge(demand, evidence);
  EXPECT_EQ(validation.verdict, Verdict::fail);
  EXPECT_EQ(find(validation, "provider").verdict, Verdict::fail);
  EXPECT_THAT(find(validation, "completed").cause, HasSubstr("libfabric offers Open MPI no provider"));
  EXPECT_EQ(find(validation, "interfaces").verdict, Verdict::fail);
  EXPECT_EQ(find(validation, "layout").verdict, Verdict::pass) << "what hello saw without EFA still counts";
}

TEST(Validate, NothingAtAllIsInconclusive) {
  const Validation validation = judge(Demand{}, Evidence{});
  EXPECT_EQ(validation.verdict, Verdict::inconclusive);
  for (const Requirement& r : validation.requirements) EXPECT_NE(r.verdict, Verdict::pass) << r.id;
}

TEST(Validate, DocumentsOfTwoRunsAreRefused) {
  Cluster one;
  Cluster other;
  other.each_rank([](Json& rank, int i) { rank["boot_id"] = "later-" + std::to_string(i); });
  one.pingpong = other.pingpong;
  EXPECT_THROW(one.judged(), InputError);
  Cluster elsewhere;
  elsewhere.each_rank([](Json& rank, int i) { rank["host"] = "ip-10-9-9-" + std::to_string(i); });
  Cluster mixed;
  mixed.allpairs = elsewhere.allpairs;
  try {
    mixed.judged();
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("allpairs.json"));
    EXPECT_THAT(error.what(), HasSubstr("one run"));
  }
}

TEST(Validate, TestsOnSomeOfTheHostsAreOneRun) {
  Cluster cluster(4);
  cluster.pingpong = Cluster(2).pingpong;
  EXPECT_EQ(cluster.judged().verdict, Verdict::pass);
}

// --- expectations ---

TEST(ValidateExpectation, EveryRowHasASourceAndEfaTypesAreInTheCatalog) {
  const std::string types = expected_types(Transport::efa);
  EXPECT_THAT(types, HasSubstr("hpc6a.48xlarge"));
  for (const char* type :
       {"c5n.18xlarge", "hpc6a.48xlarge", "p5.48xlarge", "p3dn.24xlarge", "p5en.48xlarge", "p6-b200.48xlarge"}) {
    for (const char* mpi : {"openmpi", "intelmpi", "mpich"}) {
      const auto expectation = find_expectation(type, Transport::efa, mpi);
      ASSERT_TRUE(expectation) << type;
      EXPECT_FALSE(expectation->source.empty());
      ASSERT_TRUE(expectation->latency_us);
      EXPECT_GE(*expectation->latency_us, 2) << "shared memory is no baseline";
    }
  }
  EXPECT_FALSE(find_expectation("hpc7g.16xlarge", Transport::efa, "openmpi"));
  EXPECT_FALSE(find_expectation("", Transport::efa, "openmpi"));
  EXPECT_NE(*find_expectation("c5n.18xlarge", Transport::efa, "openmpi")->latency_us,
            *find_expectation("c5n.18xlarge", Transport::efa, "intelmpi")->latency_us);
}

TEST(ValidateExpectation, AgreesWithTheOsuFilesItCites) {
  const char* shared = std::getenv("HEADROOM_SHARED");
  if (shared == nullptr) GTEST_SKIP() << "HEADROOM_SHARED is not set";
  const struct {
    const char* folder;
    const char* type;
    const char* mpi;
  } cases[] = {{"osu-alinux2-c5n.18xlarge-openmpi", "c5n.18xlarge", "openmpi"},
               {"osu-alinux2-c5n.18xlarge-intelmpi", "c5n.18xlarge", "intelmpi"},
               {"osu-alinux2-p5.48xlarge-openmpi", "p5.48xlarge", "openmpi"}};
  for (const auto& one : cases) {
    std::istringstream text(read_file(std::string(shared) + "/data/efa/" + one.folder + "/osu_latency"));
    const auto expectation = find_expectation(one.type, Transport::efa, one.mpi);
    ASSERT_TRUE(expectation);
    std::string line;
    int seen = 0;
    while (std::getline(text, line)) {
      double bytes = -1;
      double value = 0;
      std::istringstream numbers(line);
      if (!(numbers >> bytes >> value)) continue;
      if (bytes <= 8) {
        EXPECT_LT(value, expectation->latency_limit_us()) << one.folder;
        EXPECT_NEAR(value, *expectation->latency_us, 0.08 * value) << one.folder;
        ++seen;
      }
      if (bytes == 1048576) {
        EXPECT_NEAR(bytes / value, *expectation->bandwidth_mb_s, 0.01 * bytes / value) << one.folder;
        ++seen;
      }
    }
    EXPECT_GE(seen, 3) << one.folder;
  }
}

// --- documents ---

std::string refusal(const std::string& text) {
  try {
    read_program_output(text, "x.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ValidateDocument, PrintedLinesAroundItAreKeptApart) {
  const std::string text = "[0] MPI startup(): libfabric provider: efa\n" + Cluster(2).hello.dump(2) + "\nbye\n";
  const ProgramOutput output = read_program_output(text, "x");
  ASSERT_TRUE(output.document);
  EXPECT_EQ(output.document->ranks.size(), 2u);
  EXPECT_EQ(output.rest, "[0] MPI startup(): libfabric provider: efa\n\nbye\n");
  EXPECT_THAT(refusal("prolog\n{\"schema\": 3}"), HasSubstr("x.json:2"));
}

TEST(ValidateDocument, EveryCutIsRefused) {
  const std::string text = Cluster(3).pingpong.dump(1);
  for (std::size_t length = 1; length < text.size(); length += 7) {
    EXPECT_NE(refusal(text.substr(0, length)), "accepted") << length;
  }
}

TEST(ValidateDocument, WhatContradictsItselfIsRefused) {
  const auto with = [](const std::function<void(Cluster&)>& change) {
    Cluster cluster(3);
    change(cluster);
    std::string all;
    for (Json* json : cluster.all()) {
      const std::string said = refusal(json->dump(1));
      if (said != "accepted") all += said;
    }
    return all;
  };
  EXPECT_EQ(with([](Cluster&) {}), "");
  EXPECT_THAT(with([](Cluster& c) { c.hello["schema"] = "headroom.mpi/2"; }), HasSubstr("expected \"headroom.mpi/1\""));
  EXPECT_THAT(with([](Cluster& c) { c.hello.erase("schema"); }), HasSubstr("schema"));
  EXPECT_THAT(with([](Cluster& c) { c.hello["test"] = "osu"; }), HasSubstr("expected hello, pingpong"));
  EXPECT_THAT(with([](Cluster& c) { c.hello["ranks"] = Json::array(); }), HasSubstr("no rank"));
  EXPECT_THAT(with([](Cluster& c) { c.hello["ranks"][1]["rank"] = 0; }), HasSubstr("ranks[1].rank"));
  EXPECT_THAT(with([](Cluster& c) { c.hello["result"]["ranks"] = 9; }), HasSubstr("result.ranks"));
  EXPECT_THAT(with([](Cluster& c) { c.pingpong["result"]["pairs"][0]["b"] = 3; }), HasSubstr("3 ranks"));
  EXPECT_THAT(with([](Cluster& c) { c.pingpong["result"]["pairs"][0]["b"] = 0; }), HasSubstr("expected two"));
  EXPECT_THAT(with([](Cluster& c) { c.allpairs["result"]["pairs"].push_back(c.allpairs["result"]["pairs"][0]); }),
              HasSubstr("each once"));
  EXPECT_THAT(with([](Cluster& c) { c.allpairs["result"]["pairs"][0]["latency_us"] = -1; }),
              HasSubstr("a number from 0"));
  EXPECT_THAT(with([](Cluster& c) { c.allpairs["result"]["pairs"][0]["latency_us"] = nullptr; }), HasSubstr("missing"));
  EXPECT_THAT(with([](Cluster& c) { c.allreduce["result"] = 5; }), HasSubstr("an object"));
  EXPECT_THAT(with([](Cluster& c) { c.allreduce["ranks"][0]["devices"][0]["counters"]["tx_bytes"] = 7; }),
              HasSubstr("counters.tx_bytes"));
}

TEST(ValidateDocument, DamageAnywhereIsAnErrorOrADocument) {
  const std::string text = Cluster(3).allpairs.dump();
  Substream random(7, headroom::Purpose::swarm, 0);
  for (int i = 0; i < 3000; ++i) {
    std::string damaged = text;
    for (int k = 0; k < 3; ++k) {
      const auto at = static_cast<std::size_t>(random.next() % damaged.size());
      if (random.next() % 2 == 0) {
        damaged[at] = static_cast<char>(random.next() % 256);
      } else {
        damaged.erase(at, 1 + random.next() % 9);
      }
    }
    try {
      const ProgramOutput output = read_program_output(damaged, "x.json");
      Evidence evidence;
      if (output.document) evidence.documents.push_back(*output.document);
      evidence.logs.push_back(read_launch_log(output.rest, "x.json"));
      const Validation validation = judge(Demand{}, evidence);
      EXPECT_NE(validation.verdict, Verdict::pass);
      EXPECT_TRUE(Json::accept(validation_json(validation)));
    } catch (const InputError&) {
      // said with its place
    }
  }
}

// --- logs ---

std::vector<std::string> uses_in(const std::string& text) {
  std::vector<std::string> names;
  for (const TransportUse& use : read_launch_log(text, "log").uses)
    names.push_back(use.name + "@" + use.host + ">" + use.peer);
  return names;
}

TEST(ValidateLog, OpenMpi) {
  EXPECT_THAT(
      uses_in("[n1:2182] ../../ompi/mca/mtl/ofi/mtl_ofi_component.c:583: mtl:ofi:provider_include = \"tcp\"\n"
              "[n1:2182] ../../ompi/mca/mtl/ofi/mtl_ofi_component.c:337: mtl:ofi:prov: tcp;ofi_rxm\n"
              "[n1:2182] ../../ompi/mca/mtl/ofi/mtl_ofi_component.c:365: mtl:ofi:provider: eth0\n"
              "[n1:2182] ../../ompi/mca/mtl/ofi/mtl_ofi_component.c:329: mtl:ofi: \"tcp;ofi_rxm\" in exclude list\n"),
      ElementsAre("tcp;ofi_rxm@n1>"));
  EXPECT_THAT(uses_in("[ip-10-0-0-1:9] mtl_ofi_component.c:362: mtl:ofi:provider: rdmap0s31-rdm\n"),
              ElementsAre("efa@ip-10-0-0-1>"));
  EXPECT_THAT(uses_in("[a:9] x.c:1: mtl:ofi:provider: efa\n[a:9] x.c:2: mtl:ofi:provider:domain: efa_0-rdm\n"),
              ElementsAre("efa@a>"));
  EXPECT_THAT(uses_in("[a:9] x.c:1: mtl:ofi:prov: none\n"), ElementsAre());
  EXPECT_THAT(uses_in("[n1:17] mca: bml: Using self btl for send to [[25431,1],0] on node n1\n"
                      "[n1:17] mca: bml: Using tcp btl for send to [[25431,1],3] on node n4\n"),
              ElementsAre("tcp@n1>n4"));
}

TEST(ValidateLog, IntelMpiAndMpich) {
  EXPECT_THAT(
      uses_in("[0] MPI startup(): libfabric version: 1.10.1-impi\n[0] MPI startup(): libfabric provider: efa\r\n"),
      ElementsAre("efa@>"));
  EXPECT_THAT(uses_in("libfabric provider: sockets - 10.0.0.0/24\n"), ElementsAre("sockets@>"));
  EXPECT_THAT(uses_in("[0] MPI startup(): libfabric provider: tcp;ofi_rxm\n"), ElementsAre("tcp;ofi_rxm@>"));
}

TEST(ValidateLog, TroublesAreExplainedOnce) {
  const LaunchLog log = read_launch_log(
      "mpirun has detected an attempt to run as root.\nmpirun has detected an attempt to run as root.\nsome noise "
      "\xff\xfe\n",
      "log");
  ASSERT_EQ(log.troubles.size(), 1u);
  EXPECT_THAT(log.troubles[0].remedy, HasSubstr("OMPI_ALLOW_RUN_AS_ROOT"));
}

TEST(ValidateLog, AHugeLogIsRead) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "[n1:1] mca: bml: Using tcp btl for send to [[1,1],1] on node n2\n";
  text += std::string(5'000'000, 'x');
  EXPECT_EQ(read_launch_log(text, "log").uses.size(), 1u);
}

// --- reports ---

TEST(ValidateReport, JsonSaysItAll) {
  Cluster cluster;
  for (int a = 0; a < 3; ++a) cluster.pair(a, 3)["latency_us"] = 80;
  const Json json = Json::parse(validation_json(cluster.judged()));
  EXPECT_EQ(json["schema"], "headroom.validation/1");
  EXPECT_EQ(json["verdict"], "FAIL");
  EXPECT_EQ(json["hosts"].size(), 4u);
  EXPECT_EQ(json["pairs"].size(), 6u);
  bool found = false;
  for (const Json& r : json["requirements"]) {
    EXPECT_THAT(r["verdict"].get<std::string>(), AnyOf("PASS", "FAIL", "INCONCLUSIVE"));
    if (r["id"] != "uniform") continue;
    found = true;
    EXPECT_EQ(r["hosts"], Json::array({host_name(3)}));
  }
  EXPECT_TRUE(found);
}

TEST(ValidateReport, XmlHoldsWhateverALogSays) {
  EXPECT_EQ(xml_text("a<b>&\"c\"\x01\xff ü"), "a&lt;b&gt;&amp;&quot;c&quot;\xef\xbf\xbd\xef\xbf\xbd ü");
  EXPECT_EQ(xml_text("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd") << "a surrogate is no character";
  Cluster cluster;
  cluster.log += "[a<b&c:1] x.c:1: mtl:ofi:prov: verbs\"\x02\n";
  const std::string junit = validation_junit(cluster.judged());
  EXPECT_THAT(junit, HasSubstr("tests=\"13\" failures=\"1\""));
  EXPECT_THAT(junit, HasSubstr("a&lt;b&amp;c"));
  EXPECT_EQ(junit.find('\x02'), std::string::npos);
}

// Hosts on so many leaves in turn, the last leaf first in the file.
TopologyFile tree(int hosts, int leaves) {
  Json instances = Json::array();
  for (int i = hosts - 1; i >= 0; --i) {
    instances.push_back({{"InstanceId", "i-000" + std::to_string(i)},
                         {"ZoneId", "use2-az2"},
                         {"NetworkNodes", {"nn-1", "nn-2", "nn-leaf-" + std::to_string(i % leaves)}}});
  }
  return parse_topology(Json{{"Instances", instances}}.dump(), "tree.json");
}

TEST(ValidateHeatMap, HostsBelowOneNetworkNodeStandTogether) {
  const Validation validation = Cluster(6).judged();
  EXPECT_THAT(heat_map_order(validation, std::nullopt), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(heat_map_order(validation, tree(6, 2)), ElementsAre(1, 3, 5, 0, 2, 4));
  EXPECT_THAT(heat_map_order(validation, tree(3, 2)), ElementsAre(0, 2, 1, 3, 4, 5)) << "unknown ones last";
  const std::string svg = heat_map_svg(validation, tree(6, 2));
  EXPECT_EQ(svg.rfind("<svg", 0), 0u);
  EXPECT_THAT(svg, HasSubstr("order of the network tree"));
  std::size_t cells = 0;
  for (std::size_t at = svg.find(" us, "); at != std::string::npos; at = svg.find(" us, ", at + 1)) ++cells;
  EXPECT_EQ(cells, 30u);
}

// --- processes ---

ChildCommand command_in(const TempFolder& folder, const std::string& script, double limit_s) {
  ChildCommand command;
  command.arguments = {"/bin/sh", "-c", script};
  command.out_file = folder.file("out");
  command.log_file = folder.file("log");
  command.time_limit_s = limit_s;
  return command;
}

bool alive(const std::string& pid_file) {
  const std::string text = read_file(pid_file);
  return kill(static_cast<pid_t>(std::stol(text)), 0) == 0;
}

TEST(ValidateChild, OutputStatusAndEnvironment) {
  const TempFolder folder;
  const std::atomic<bool> stop{false};
  ChildCommand command = command_in(folder, "echo $HEADROOM_TEST_X; echo oops >&2; exit 7", 20);
  command.environment = {{"HEADROOM_TEST_X", "a b"}};
  const ChildResult result = run_child(command, stop);
  EXPECT_EQ(result.status, 7);
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(read_file(command.out_file), "a b\n");
  EXPECT_EQ(read_file(command.log_file), "oops\n");
  command.arguments = {"/no/such/program"};
  EXPECT_EQ(run_child(command, stop).status, 127);
  EXPECT_THAT(read_file(command.log_file), HasSubstr("cannot be started"));
}

TEST(ValidateChild, ATimeLimitEndsEverythingItStarted) {
  const TempFolder folder;
  const std::atomic<bool> stop{false};
  // A grandchild in a session of its own, as mpirun's ranks are in groups of their own.
  const std::string script = "setsid sh -c 'echo $$ >" + folder.file("pid") + "; sleep 1000' & sleep 1000";
  const ChildResult result = run_child(command_in(folder, script, 0.5), stop);
  EXPECT_TRUE(result.timed_out);
  EXPECT_LT(result.elapsed_s, 8);
  EXPECT_FALSE(alive(folder.file("pid")));
}

TEST(ValidateChild, WhatAProgramLeavesBehindIsEnded) {
  const TempFolder folder;
  const std::atomic<bool> stop{false};
  const std::string script = "setsid sh -c 'echo $$ >" + folder.file("pid") + "; exec sleep 1000' & while ! [ -s " +
                             folder.file("pid") + " ]; do sleep 0.01; done";
  const ChildResult result = run_child(command_in(folder, script, 20), stop);
  EXPECT_EQ(result.status, 0);
  EXPECT_FALSE(alive(folder.file("pid")));
}

TEST(ValidateChild, AnInterruptionEndsIt) {
  const TempFolder folder;
  std::atomic<bool> stop{false};
  std::thread user([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    stop.store(true);
  });
  const ChildResult result = run_child(command_in(folder, "sleep 1000", 1000), stop);
  user.join();
  EXPECT_TRUE(result.interrupted);
  EXPECT_FALSE(result.timed_out);
  EXPECT_LT(result.elapsed_s, 8);
}

// --- launching ---

LaunchOptions on_hosts(std::vector<std::string> hosts) {
  LaunchOptions options;
  options.host_count = static_cast<std::int64_t>(hosts.size());
  options.hosts = std::move(hosts);
  options.programs = "/opt/it's here";
  options.tests = {"hello", "pingpong"};
  options.folder = "/shared/out dir";
  options.tasks_per_node = 2;
  return options;
}

TEST(ValidateLaunch, DialectsOfMpirun) {
  const LaunchOptions options = on_hosts({"a", "b"});
  const std::string open = shell_words(launch_arguments(options, Launcher::openmpi, "hello", options.hosts, 2, 2));
  EXPECT_THAT(open,
              HasSubstr("--host a:2,b:2 -n 4 --map-by ppr:2:node -x FI_PROVIDER '/opt/it'\\''s here/hello' --json"));
  const std::string hydra = shell_words(launch_arguments(options, Launcher::hydra, "hello", options.hosts, 2, 2));
  EXPECT_THAT(hydra, HasSubstr("-hosts a,b -n 4 -ppn 2 "));
  EXPECT_EQ(ranks_per_host(options, "hello"), 2);
  EXPECT_EQ(ranks_per_host(options, "pingpong"), 1) << "bytes are counted where every rank has a host of its own";
  EXPECT_EQ(ranks_per_host(on_hosts({"a"}), "pingpong"), 2);
}

TEST(ValidateLaunch, TheJobScriptIsOne) {
  const TempFolder folder;
  SlurmOptions slurm;
  slurm.nodes = 4;
  for (const Transport transport : {Transport::efa, Transport::tcp, Transport::shm}) {
    for (const bool srun : {false, true}) {
      LaunchOptions options = on_hosts({});
      options.host_count = 4;
      options.transport = transport;
      slurm.srun = srun;
      const std::string script = job_script(slurm, options, Launcher::openmpi);
      const std::atomic<bool> stop{false};
      const std::string file = folder.write("job.sh", script);
      EXPECT_EQ(run_child(command_in(folder, "bash -n " + file, 20), stop).status, 0) << script;
      EXPECT_THAT(script, HasSubstr("cd '/shared/out dir'"));
      EXPECT_EQ(script.find("pingpong-over-tcp") != std::string::npos, transport == Transport::efa);
      EXPECT_EQ(script.find("srun --mpi=pmix --nodes=4 --ntasks=8") != std::string::npos, srun);
    }
  }
}

}  // namespace
}  // namespace headroom::validate
