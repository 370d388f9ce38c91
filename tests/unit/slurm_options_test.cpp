// The tables of Slurm's settings: each says what becomes of it, once, and names a test that is there.
#include <filesystem>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/policies/slurm/accounting.hpp"
#include "models/policies/slurm/known_names.hpp"
#include "models/workload/sbatch_script.hpp"

namespace headroom::slurm {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::set<std::string> names_of_tests() {
  std::set<std::string> names;
  const testing::UnitTest& all = *testing::UnitTest::GetInstance();
  for (int s = 0; s < all.total_test_suite_count(); ++s) {
    const testing::TestSuite& suite = *all.GetTestSuite(s);
    for (int t = 0; t < suite.total_test_count(); ++t) {
      // Of tests with parameters the name without them: All/Suite.Test/0.
      const std::string of = suite.name();
      const std::string name = suite.GetTestInfo(t)->name();
      names.insert(of.substr(of.find('/') + 1) + "." + name.substr(0, name.find('/')));
    }
  }
  return names;
}

std::vector<Parameter> every_parameter() {
  std::vector<Parameter> all;
  for (const auto list : {parameters(), accounting_parameters(), known_names()}) {
    all.insert(all.end(), list.begin(), list.end());
  }
  return all;
}

TEST(SlurmOptions, AreProvedByTestsThatAreThere) {
  const std::set<std::string> tests = names_of_tests();
  for (const Parameter& p : every_parameter()) {
    SCOPED_TRACE(std::string(p.where) + " " + std::string(p.name));
    if (!p.proof.empty()) {
      EXPECT_TRUE(tests.contains(std::string(p.proof))) << p.proof;
    }
    if (p.use == Use::implemented) {
      EXPECT_FALSE(p.proof.empty()) << "nothing shows it; add a line to evidence.cpp";
    }
  }
  for (const SbatchOption& option : sbatch_options()) {
    EXPECT_TRUE(tests.contains(std::string(option.proof))) << option.name << ": " << option.proof;
  }
}

TEST(SlurmOptions, NameRecordedRunsThatThereAre) {
  // Those of docs/slurm-runs.md that are published beside the project, and all in tests/data/recorded.
  std::set<std::string> runs = {"a_fifo_static",    "b_backfill_static", "b3_backfill_fast", "c_cloud_zero",
                                "d_weights_shared", "e_excl_mem",        "f_deps_arrays_mf", "g_failures",
                                "i_timelimit",      "l_age_dbd"};
  const std::filesystem::path folder = std::filesystem::path(HEADROOM_SOURCE_DIR) / "tests" / "data" / "recorded";
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    runs.insert(name.substr(0, name.find('.')));
  }
  for (const Parameter& p : every_parameter()) {
    if (!p.run.empty()) {
      EXPECT_TRUE(runs.contains(std::string(p.run))) << p.where << " " << p.name << ": " << p.run;
    }
  }
}

TEST(SlurmOptions, UsageThresholdIsRefusedUnlessItIsNone) {
  Qos qos;
  EXPECT_EQ(set(qos, "UsageThreshold", "-1"), "");
  EXPECT_THAT(set(qos, "UsageThreshold", "0.2"), HasSubstr("is not followed: found \"0.2\", expected -1"));
}

TEST(SlurmOptions, SayOnceWhatBecomesOfThem) {
  std::map<std::pair<std::string_view, std::string>, int> times;
  for (const Parameter& p : every_parameter()) {
    std::string name(p.name);
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(++times[std::make_pair(p.where, name)], 1)
        << p.where << " " << p.name << ": what has a setter has no line in known_names.cpp";
    EXPECT_FALSE(p.help.empty()) << p.name;
    EXPECT_THAT(std::string(p.help), testing::EndsWith(".")) << p.name;
    EXPECT_EQ(std::string(p.help).find('|'), std::string::npos) << p.name << " would break the table";
  }
}

TEST(SlurmOptions, WithoutEffectAreTakenAndTheRefusedAreNamed) {
  const auto problem_of = [](const Parameter& p) {
    Conf conf;
    Partition partition;
    Account account;
    User user;
    Qos qos;
    ReservationSettings reservation;
    if (p.where == "reservation") return set(reservation, p.name, "1");
    if (p.where == "reservation flag") return set(reservation, "Flags", p.name);
    if (p.where == "SchedulerParameters") return set(conf, p.where, std::string(p.name) + "=1");
    if (p.where == "SlurmctldParameters") return set(conf, p.where, std::string(p.name) + "=1");
    if (p.where == "slurm.conf") return set(conf, p.name, "1");
    if (p.where == "partition") return set(partition, p.name, "1");
    if (p.where == "account") return set(account, p.name, "1");
    if (p.where == "user") return set(user, p.name, "1");
    return set(qos, p.name, "1");
  };
  for (const Parameter& p : known_names()) {
    if (p.where == "node") continue;  // scenario.cpp takes them
    if (p.use != Use::refused) {
      EXPECT_EQ(problem_of(p), "") << p.name;
    } else {
      EXPECT_THAT(problem_of(p), HasSubstr("is not followed: " + std::string(p.help))) << p.name;
    }
  }
}

TEST(SlurmOptions, TheRefusedDoNotEndAList) {
  Conf conf;
  EXPECT_EQ(set(conf, "SchedulerParameters", "bf_hetjob_prio=min,bf_interval=45"), "");
  EXPECT_EQ(conf.bf_interval, 45) << "what has no effect is passed over";
  EXPECT_THAT(set(conf, "SchedulerParameters", "bf_interval=46,BF_Busy_Nodes"),
              HasSubstr("\"BF_Busy_Nodes\" is not followed"));
}

TEST(SlurmOptions, AreSuggestedWhereTheyAreNear) {
  Conf conf;
  Partition partition;
  Account account;
  Qos qos;
  EXPECT_EQ(set(conf, "SchedulerParameters", "bf_bussy_nodes"),
            "\"bf_bussy_nodes\" is not followed; did you mean \"bf_busy_nodes\"?")
      << "also one that is refused";
  EXPECT_EQ(set(conf, "RequeExit", "1"), "is not followed; did you mean \"RequeueExit\"?");
  EXPECT_EQ(set(partition, "AlowQos", "x"), "is not followed; did you mean \"AllowQos\"?");
  EXPECT_EQ(set(account, "GrpSubmt", "1"), "is not followed; did you mean \"GrpSubmit\"?")
      << "a spelling of GrpSubmitJobs";
  EXPECT_EQ(set(qos, "MaxTRESPB", "cpu=1"), "is not followed; did you mean \"MaxTRESPJ\"?");
  EXPECT_EQ(set(conf, "Frobnicate", "1"),
            "is not followed: no setting of slurm.conf has this name (docs/slurm-options.md)");
}

TEST(SlurmOptions, TellTheirUse) {
  EXPECT_EQ(use_of("slurm.conf", "suspendtime"), Use::implemented);
  EXPECT_EQ(use_of("SchedulerParameters", "bf_continue"), Use::no_effect) << "one with a setter";
  EXPECT_EQ(use_of("slurm.conf", "Prolog"), Use::no_effect);
  EXPECT_EQ(use_of("partition", "LLN"), Use::refused);
  EXPECT_EQ(use_of("partition", "Prolog"), std::nullopt);
  EXPECT_EQ(use_of("QOS", "MaxTRESPerUser"), Use::implemented);
}

}  // namespace
}  // namespace headroom::slurm
