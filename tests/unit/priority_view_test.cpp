// The year of scenarios/fair-share.json, and what sprio and sshare would print of a small one at any time.
#include "models/report/priority_view.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/simulation.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Users always want more than the shares of their accounts, physics 50, biology 30 (1 and 2 of 3 for bob and cid) and
// history 20: over a year with a half-life of a week they get within half a per cent of them.
TEST(FairShareYear, CpuTimeComesOutAsTheShares) {
  const Scenario scenario = load_scenario(HEADROOM_SOURCE_DIR "/scenarios/fair-share.json");
  const Design design = make_design(scenario);
  const Workload workload = load_workload(scenario, design);
  constexpr Time kYear = Time{365} * 24 * kHour;
  SimulationOptions options;
  options.looks = {kYear};
  options.end_after_looks = true;
  std::array<double, 4> hours{};
  options.look = [&](const Moment& moment) {
    for (const JobRecord& job : moment.record.jobs()) {
      if (job.start == kNever) continue;
      hours.at(job.request.user) += static_cast<double>(std::min(job.end, kYear) - job.start) / kHour;
    }
  };
  simulate(scenario, design, workload, options);
  ASSERT_THAT(workload.user_names, ElementsAre("ada", "bob", "cid", "dot"));
  const double all = hours[0] + hours[1] + hours[2] + hours[3];
  EXPECT_GT(all, 0.99 * 16 * 365 * 24) << "nothing is left idle";
  EXPECT_NEAR(hours[0] / all, 0.5, 0.005);
  EXPECT_NEAR((hours[1] + hours[2]) / all, 0.3, 0.005);
  EXPECT_NEAR(hours[3] / all, 0.2, 0.005);
  EXPECT_NEAR(hours[1] / all, 0.1, 0.005);
}

// Who used less goes first, from the next calculation on: every minute.
TEST(FairShare, DecidesFromTheNextCalculationOn) {
  for (const int first_ends : {50, 100}) {
    const Scenario scenario = parse_scenario(R"({
      "name": "turns", "pool": {"processors": 1},
      "scheduler": {"policy": "slurm",
        "slurm": {"AccountingStorageType": "accounting_storage/slurmdbd", "PriorityType": "priority/multifactor",
                  "PriorityCalcPeriod": 1, "PriorityWeightFairshare": 1000},
        "slurmAccounts": {"a": {}}, "slurmUsers": {"x": {"account": "a"}, "y": {"account": "a"}}},
      "workload": {"jobs": [
        {"user": "x", "submit": 0, "cpus": 1, "timeLimit": "1h", "runTime": )" +
                                                 std::to_string(first_ends) +
                                                 R"(},
        {"user": "x", "submit": 10, "cpus": 1, "timeLimit": "1h", "runTime": 600},
        {"user": "y", "submit": 20, "cpus": 1, "timeLimit": "1h", "runTime": 600}]}})",
                                             "turns.json");
    const Design design = make_design(scenario);
    const SimulationResult result = simulate(scenario, design, load_workload(scenario, design));
    const bool y_first = result.record.jobs()[2].start < result.record.jobs()[1].start;
    EXPECT_EQ(y_first, first_ends == 100) << first_ends;
  }
}

// Two processors and users of two accounts; calculations every minute from time 0.
Scenario small(const std::string& flags = "") {
  return parse_scenario(R"({
    "name": "small", "pool": {"processors": 2},
    "scheduler": {"policy": "slurm",
      "slurm": {"AccountingStorageType": "accounting_storage/slurmdbd", "PriorityType": "priority/multifactor",
                "PriorityDecayHalfLife": 0, "PriorityCalcPeriod": 1,
                "PriorityWeightAge": 6000, "PriorityMaxAge": "0:10:00", "PriorityWeightFairshare": 1000,
                "PriorityWeightJobSize": 100, "PriorityWeightQOS": 10, "PriorityWeightTRES": "cpu=50",
                "PriorityFlags": ")" +
                            flags + R"("},
      "slurmAccounts": {"b": {"fairshare": 2}, "a": {}},
      "slurmUsers": {"x": {"account": "a"}, "y": {"account": "b"}},
      "slurmQos": {"normal": {"priority": 3}, "high": {"priority": 6}}},
    "workload": {"jobs": [
      {"user": "x", "submit": 0, "cpus": 2, "timeLimit": "1h", "runTime": 600},
      {"user": "x", "submit": 10, "cpus": 1, "timeLimit": "1h", "runTime": 600},
      {"user": "y", "submit": 20, "cpus": 2, "timeLimit": "1h", "runTime": 600, "nice": 7, "qos": "high"},
      {"user": "z", "submit": 30, "cpus": 1, "timeLimit": "1h", "runTime": 600, "array": "4-6"},
      {"user": "y", "submit": 40, "cpus": 1, "timeLimit": "1h", "runTime": 600, "priority": 77},
      {"user": "y", "submit": 40, "cpus": 1, "timeLimit": "1h", "runTime": 600, "hold": true}]}})",
                        "small.json");
}

struct Shown {
  std::string priorities;
  std::string shares;
  std::string json;
};

std::vector<Shown> shown(const Scenario& scenario, std::vector<Time> times) {
  const Design design = make_design(scenario);
  const Workload workload = load_workload(scenario, design);
  std::vector<Shown> all;
  SimulationOptions options;
  options.looks = std::move(times);
  options.end_after_looks = true;
  options.look = [&](const Moment& moment) {
    all.push_back({priority_table(priority_rows(moment), design), share_table(share_rows(moment), true),
                   "[" + priority_json(priority_rows(moment), design) + "," + share_json(share_rows(moment)) + "]"});
  };
  simulate(scenario, design, workload, options);
  return all;
}

TEST(PriorityView, ShowsWhatWasWorkedOutLast) {
  const std::vector<Shown> views = shown(small(), {59 * kSecond, 60 * kSecond});
  // Until the first calculation everybody is as they were when they were submitted.
  EXPECT_EQ(
      views[0].priorities,
      "          JOBID PARTITION     USER   PRIORITY       SITE        AGE      ASSOC  FAIRSHARE    JOBSIZE  PARTITION"
      "        QOS        NICE                 TRES\n"
      "              2 pool             x       1080          0          0          0       1000         50          0"
      "          5           0               cpu=25\n"
      "              3 pool             y       1128          0          0          0       1000         75          0"
      "         10           7               cpu=50\n"
      "              4 pool             z         75          0          0          0          0         50          0"
      "          0           0               cpu=25\n"
      "              5 pool             y         77          0          0          0          0          0          0"
      "          0           0                     \n");
  // Then x has used something and ranks last of three.
  EXPECT_THAT(views[1].priorities,
              HasSubstr("              2 pool             x        913          0        500          0        333"
                        "         50          0          5           0               cpu=25\n"));
  EXPECT_THAT(views[1].priorities,
              HasSubstr("              3 pool             y       1528          0        400          0       1000"
                        "         75          0         10           7               cpu=50\n"));
}

TEST(PriorityView, ShowsSharesAsSshare) {
  const std::vector<Shown> views = shown(small(), {59 * kSecond, 60 * kSecond, 100 * kSecond});
  EXPECT_EQ(
      views[1].shares,
      "Account                    User  RawShares  NormShares    RawUsage   NormUsage  EffectvUsage  FairShare    "
      "LevelFS \n"
      "-------------------- ---------- ---------- ----------- ----------- ----------- ------------- ---------- "
      "---------- \n"
      "root                                          0.000000         114                  1.000000              "
      "         \n"
      " root                      root          1    0.250000           0    0.000000      0.000000   1.000000   "
      "     inf \n"
      " a                                       1    0.250000         114    1.000000      1.000000              "
      "0.250000 \n"
      "  a                           x          1    1.000000         114    1.000000      1.000000   0.333333   "
      "1.000000 \n"
      " b                                       2    0.500000           0    0.000000      0.000000              "
      "     inf \n"
      "  b                           y          1    1.000000           0    0.000000      0.000000   1.000000   "
      "     inf \n");
  EXPECT_EQ(views[2].shares, views[1].shares) << "until the next calculation nothing changes";
  EXPECT_THAT(views[0].shares, HasSubstr(" a                                       1    0.250000           0 "));
  const auto json = nlohmann::json::parse(views[1].json);
  EXPECT_EQ(json[0][0]["job_id"], "2");
  EXPECT_EQ(json[0][0]["priority"], 913);
  EXPECT_EQ(json[0][0]["tres"]["cpu"], 25.0);
  EXPECT_EQ(json[1][3]["user"], "x");
  EXPECT_EQ(json[1][3]["raw_usage"], 114.0);
  EXPECT_EQ(json[1][2]["fairshare"], nullptr);
  EXPECT_EQ(json[1][4]["level_fs"], "inf");
}

// A look works out what the thread would have done; the run does not know.
TEST(PriorityView, LooksChangeNothing) {
  const Scenario scenario = small("NO_FAIR_TREE");
  const Design design = make_design(scenario);
  const Workload workload = load_workload(scenario, design);
  const std::string digest = simulate(scenario, design, workload).digest;
  SimulationOptions options;
  for (Time t = 0; t < kHour; t += 7 * kSecond) options.looks.push_back(t);
  std::size_t lines = 0;
  options.look = [&](const Moment& moment) { lines += share_rows(moment).size() + priority_rows(moment).size(); };
  EXPECT_EQ(simulate(scenario, design, workload, options).digest, digest);
  EXPECT_GT(lines, 3000u);
}

TEST(PriorityView, SaysWhatIsLacking) {
  Scenario scenario = small();
  EXPECT_EQ(lacks_for_shares(scenario), "");
  std::erase_if(scenario.scheduler.slurm, [](const auto& s) { return s.first == "AccountingStorageType"; });
  EXPECT_EQ(lacks_for_priorities(scenario), "");
  EXPECT_THAT(lacks_for_shares(scenario), HasSubstr("accounting"));
  std::erase_if(scenario.scheduler.slurm, [](const auto& s) { return s.first == "PriorityType"; });
  EXPECT_EQ(lacks_for_priorities(scenario), "PriorityType priority/multifactor");
  scenario.scheduler.policy = "easy";
  EXPECT_EQ(lacks_for_priorities(scenario), "scheduler.policy slurm");
}

}  // namespace
}  // namespace headroom
