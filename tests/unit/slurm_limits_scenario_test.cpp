// Accounts, QOS and limits from a scenario to the report, and in recorded runs.
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/check/slurm_run.hpp"
#include "models/errors.hpp"
#include "models/policies/registry.hpp"
#include "models/simulation.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A pool of 4 nodes of one core each; `scheduler` and `jobs` are members of theirs.
std::string pool(const std::string& scheduler, const std::string& jobs) {
  return R"({
  "pool": {"processors": 4},
  "scheduler": {"policy": "slurm", )" +
         scheduler + R"(},
  "workload": {"jobs": [)" +
         jobs + "]}}";
}

std::string errors_of(const std::string& text) {
  try {
    check_policies(parse_scenario(text, "s.json"));
    return {};
  } catch (const InputError& error) {
    return error.what();
  }
}

constexpr const char* kAccounting = R"("slurm": {"AccountingStorageType": "accounting_storage/slurmdbd",
    "AccountingStorageEnforce": "limits,qos"},
    "slurmAccounts": {"a": {"MaxSubmitJobs": 2}, "b": {"GrpTRES": "cpu=1", "qos": "normal,deny"}},
    "slurmUsers": {"ada": {"account": "a,b"}},
    "slurmQos": {"deny": {"MaxTRESPerJob": "cpu=2", "Flags": "DenyOnLimit"}})";

TEST(SlurmLimitsScenario, RejectsAndHoldsBack) {
  const Scenario scenario = parse_scenario(pool(kAccounting, R"(
    {"id": "1", "user": "ada", "runTime": 100},
    {"id": "2", "user": "ada", "runTime": 100},
    {"id": "3", "user": "ada", "runTime": 100},
    {"id": "4", "user": "ada", "account": "b", "runTime": 100},
    {"id": "5", "user": "ada", "account": "b", "runTime": 100},
    {"id": "6", "user": "ada", "account": "b", "qos": "deny", "cpus": 3, "runTime": 100},
    {"id": "7", "user": "ada", "qos": "deny", "runTime": 100},
    {"id": "8", "user": "bob", "runTime": 100})"),
                                           "s.json");
  const Design design = make_design(scenario);
  const SimulationResult result = simulate(scenario, design, load_workload(scenario, design));
  const auto& jobs = result.record.jobs();
  EXPECT_EQ(jobs[0].state, JobState::completed);
  EXPECT_EQ(jobs[1].state, JobState::completed);
  EXPECT_EQ(jobs[4].state, JobState::completed);
  EXPECT_GE(jobs[4].start, jobs[3].end) << "one CPU for both";
  const std::pair<std::size_t, Rejection> rejected[] = {
      {2, Rejection::limits}, {5, Rejection::limits}, {6, Rejection::qos}, {7, Rejection::account}};
  for (const auto& [j, why] : rejected) {
    EXPECT_EQ(jobs[j].state, JobState::rejected) << j;
    EXPECT_EQ(jobs[j].rejection, why) << j;
  }
}

TEST(SlurmLimitsScenario, SaysWhatIsNotThere) {
  EXPECT_EQ(errors_of(pool(kAccounting, R"({"id": "1", "user": "ada", "runTime": 1})")), "");
  EXPECT_EQ(errors_of(pool(R"("slurm": {"AccountingStorageEnforce": "limits"})", R"({"id": "1", "runTime": 1})")),
            "s.json:3: scheduler: AccountingStorageEnforce needs accounting");
  EXPECT_EQ(errors_of(pool(R"("slurmPartitions": {"pool": {"QOS": "x"}})", R"({"id": "1", "runTime": 1})")),
            "s.json:3: scheduler: partition pool: QOS: no QOS x");
  EXPECT_EQ(errors_of(pool(R"("slurmPartitions": {"pool": {"AllowAccounts": "x"}})", R"({"id": "1", "runTime": 1})")),
            "s.json:3: scheduler: partition pool: AllowAccounts: no account x");
  EXPECT_THAT(errors_of(pool(R"("slurmPartitions": {"pool": {"AllowGroups": "x"}})", R"({"id": "1", "runTime": 1})")),
              HasSubstr("s.json:3: scheduler.slurmPartitions.pool.AllowGroups: is not followed"));
  EXPECT_THAT(errors_of(pool(R"("slurm": {"EnforcePartLimits": "SOME"})", R"({"id": "1", "runTime": 1})")),
              HasSubstr("found \"SOME\", expected NO, ANY or ALL"));
}

// Root is let in whether slurmdbd knows it or not; users are known by their numbers before there is a workload.
TEST(SlurmLimitsScenario, KnowsUsersByName) {
  const char* const accounts = R"("slurm": {"AccountingStorageType": "accounting_storage/slurmdbd"},
    "slurmAccounts": {"a": {}}, "slurmUsers": {"ada": {"account": "a"}}, )";
  for (const char* known : {"", accounts}) {
    const Scenario scenario =
        parse_scenario(pool(std::string(known) + R"("slurmPartitions": {"pool": {"RootOnly": "YES"}})", R"(
      {"id": "1", "submit": 20, "user": "bob", "runTime": 100},
      {"id": "2", "submit": 10, "user": "ada", "runTime": 100},
      {"id": "3", "submit": 5, "user": "root", "runTime": 100},
      {"id": "4", "submit": 5, "runTime": 100})"),
                       "s.json");
    const Design design = make_design(scenario);
    const Workload workload = load_workload(scenario, design);
    EXPECT_EQ(user_names(scenario), workload.user_names);
    const SimulationResult result = simulate(scenario, design, workload);
    for (std::size_t j = 0; j < workload.jobs.size(); ++j) {
      const bool root = workload.user_names[workload.jobs[j].request.user] == "root";
      EXPECT_EQ(result.record.jobs()[j].state, root ? JobState::completed : JobState::rejected) << j;
    }
  }
}

// A recorded run of two jobs, the second of which waits for a limit; `why` is what squeue said of it.
RunComparison replayed(const std::string& why) {
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "headroom-limits.v2505x.json";
  std::ofstream(path) << R"({"schema": "slurm-golden/1", "scenario": "limits", "slurm_version": "25.05.8",
    "input": {"cluster": {"node_groups": [{"name": "n"}]},
      "jobs": [{"id": "a", "submit_s": 0, "runtime_s": 20, "ntasks": 2, "time_limit_min": 2, "user": "u", "qos": "q"},
               {"id": "b", "submit_s": 0, "runtime_s": 20, "ntasks": 2, "time_limit_min": 2, "user": "u"},
               {"id": "r", "submit_s": 0, "runtime_s": 20, "ntasks": 1, "time_limit_min": 2},
               {"id": "x", "submit_s": 0, "runtime_s": 20, "ntasks": 1, "time_limit_min": 2, "user": "nobody"}],
      "accounting": {"accounts": [{"name": "acc", "limits": {"grptres": "cpu=3"}}],
        "users": [{"name": "u", "account": "acc"}], "qos": [{"name": "q", "limits": {"maxwall": 3}}]}},
    "runs": [{"t0_unix": 1000000020, "slurmctld_start": 0, "recorded_until": 50,
      "slurm_conf": "AccountingStorageType=accounting_storage/slurmdbd\nAccountingStorageEnforce=limits\nNodeName=n[1-2] CPUs=4\nPartitionName=p Nodes=n[1-2] Default=YES State=UP\n",
      "nodes": {},
      "jobs": [
        {"id": "a", "state": "COMPLETED", "submit_done": 0.5, "start": 3, "end": 23, "alloc": [[3, "main", "n1", 2]],
         "log": [[23.1, "job_complete done"]]},
        {"id": "b", "state": "RUNNING", "submit_done": 0.6, "start": 24, "end": null,
         "alloc": [[24, "main", "n2", 2]], "reasons": [[4.1, "PENDING", ")" +
                             why + R"("], [24.1, "RUNNING", "None"]]},
        {"id": "r", "state": "COMPLETED", "submit_done": 0.7, "start": 3, "end": 23, "alloc": [[3, "main", "n1", 1]],
         "log": [[23.1, "job_complete done"]]},
        {"id": "x", "state": "REJECTED"}]}]})";
  const SlurmRunReport report = check_slurm_runs({path.string()});
  std::filesystem::remove(path);
  return report.runs.at(0);
}

TEST(SlurmLimitsRecorded, AreReplayedWithTheirReasons) {
  RunComparison c = replayed("AssocGrpCpuLimit");
  EXPECT_THAT(c.not_followed, IsEmpty());
  EXPECT_EQ(c.reasons, 1u);
  EXPECT_EQ(c.same_reasons, 1u);
  EXPECT_THAT(c.reason_differences, IsEmpty());
  ASSERT_EQ(c.differences.size(), 1u) << "root's job is beside the user's, whose nodes the record has elsewhere";
  EXPECT_EQ(c.differences[0].id, "b");

  c = replayed("Resources");
  EXPECT_EQ(c.same_reasons, 0u);
  EXPECT_THAT(c.reason_differences, ElementsAre("b at 4.1: expected Resources, happened AssocGrpCpuLimit"));
}

}  // namespace
}  // namespace headroom
