// What preemption cost, from a scenario to the reports.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/report/tables.hpp"
#include "models/simulation.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Reports {
  Summary summary;
  nlohmann::json json;
  std::string table;
  std::string jobs;
};

// A pool of 4 nodes of one core each, on which jobs of QOS high push those of QOS low aside.
Reports reports_of(const std::string& jobs, const std::string& operations = "", const std::string& mode = "requeue") {
  const Scenario scenario = parse_scenario(R"({
  "pool": {"processors": 4},
  "scheduler": {"policy": "slurm",
    "slurm": {"AccountingStorageType": "accounting_storage/slurmdbd", "PriorityType": "priority/multifactor",
              "PreemptType": ")" + std::string(mode.empty() ? "preempt/none" : "preempt/qos") +
                                               R"(", "PreemptMode": ")" + (mode.empty() ? "off" : mode) + R"("},
    "slurmAccounts": {"a": {"qos": "low,high"}},
    "slurmUsers": {"ada": {"account": "a", "DefaultQOS": "low"}},
    "slurmQos": {"low": {"Priority": 1}, "high": {"Priority": 9, "Preempt": "low"}}},
  "workload": {"jobs": [)" + jobs + "]},\n  \"operations\": [" +
                                               operations + "]}",
                                           "s.json");
  const Design design = make_design(scenario);
  const Workload workload = load_workload(scenario, design);
  const SimulationResult result = simulate(scenario, design, workload);
  const RunContext context{scenario, design, workload, result.digest};
  const Summary summary = summarize(result.record, context);
  return {summary, nlohmann::json::parse(summary_json(summary, result.record, context)),
          summary_table(summary, context), jobs_csv(result.record, context)};
}

// The row of a job: from its state on.
std::string end_of_row(const std::string& csv, const std::string& id) {
  const std::size_t at = csv.find("\n" + id + ",");
  const std::string row = csv.substr(at + 1, csv.find('\n', at + 1) - at - 1);
  return row.substr(row.rfind("COMPLETED,"));
}

TEST(SlurmPreemptionReport, CountsRequeuesAndCancels) {
  // From 3 s on they run. At 60 one of them makes way; at 180, when what was requeued by hand may start again, the
  // other.
  const Reports r = reports_of(R"(
    {"id": "again", "user": "ada", "cpus": 2, "runTime": 600, "timeLimit": 900},
    {"id": "lost", "user": "ada", "cpus": 1, "runTime": 600, "timeLimit": 900, "requeue": false},
    {"id": "byHand", "user": "ada", "qos": "high", "cpus": 1, "runTime": 600, "timeLimit": 900},
    {"id": "pushes", "user": "ada", "qos": "high", "cpus": 3, "submit": 60, "runTime": 300, "timeLimit": 400})",
                               R"({"at": 30, "action": "requeue", "job": "byHand"})");
  ASSERT_TRUE(r.summary.preemption.has_value());
  const PreemptionSummary& p = *r.summary.preemption;
  EXPECT_EQ(p.all.requeued, 1u);
  EXPECT_EQ(p.all.cancelled, 1u);
  EXPECT_EQ(r.summary.jobs.requeues, 2u) << "the one by hand is no preemption";
  EXPECT_NEAR(p.all.lost_core_hours, (2 * 57 + 177) / 3600.0, 1e-6);
  EXPECT_EQ(p.by_qos.size(), 1u);
  EXPECT_EQ(p.by_qos.at("low").requeued, 1u);
  EXPECT_EQ(p.by_queue.at("pool").cancelled, 1u);
  EXPECT_EQ(r.json["preemption"]["requeued"], 1);
  EXPECT_EQ(r.json["preemption"]["by_qos"]["low"]["cancelled"], 1);
  EXPECT_EQ(r.json["preemption"]["lost_core_hours"], p.all.lost_core_hours);
  EXPECT_THAT(r.table, HasSubstr("1 requeued, 1 cancelled, 0.1 core hours lost"));
  EXPECT_THAT(r.table, HasSubstr("preempted of QOS"));
  // preempted, lost_core_hours
  EXPECT_THAT(r.jobs, HasSubstr("preempted,lost_core_hours,"));
  EXPECT_THAT(r.jobs, testing::ContainsRegex("again,.*,COMPLETED,1,.*,1,0.03"));
  EXPECT_THAT(r.jobs, testing::ContainsRegex("lost,.*,CANCELLED,0,.*,1,0.04"));
  EXPECT_THAT(r.jobs, testing::ContainsRegex("byHand,.*,COMPLETED,1,.*,0,0.00"));
  EXPECT_THAT(end_of_row(r.jobs, "pushes"), testing::EndsWith(",0,0,0.000000,0.000000"));
}

TEST(SlurmPreemptionReport, SaysNothingWhereNobodyMakesWay) {
  const std::string job = R"({"id": "1", "user": "ada", "cpus": 1, "runTime": 60})";
  const Reports off = reports_of(job, "", "");
  EXPECT_FALSE(off.summary.preemption.has_value());
  EXPECT_FALSE(off.json.contains("preemption"));
  EXPECT_THAT(off.table, Not(HasSubstr("preempt")));
  const Reports on = reports_of(job);
  EXPECT_EQ(on.json["preemption"]["requeued"], 0);
  EXPECT_THAT(on.table, HasSubstr("0 requeued, 0 cancelled"));
  EXPECT_THAT(on.table, Not(HasSubstr("preempted of")));
}

TEST(SlurmPreemptionReport, OneCancelledByItsUserIsNoPreemption) {
  const Reports r = reports_of(R"({"id": "1", "user": "ada", "cpus": 4, "runTime": 600, "timeLimit": 900},
    {"id": "2", "user": "ada", "qos": "high", "cpus": 4, "submit": 100, "runTime": 60, "timeLimit": 900})",
                               R"({"at": 60, "action": "cancel", "job": "1"})", "cancel");
  EXPECT_EQ(r.summary.preemption->all.cancelled, 0u);
  EXPECT_EQ(r.summary.preemption->all.lost_core_hours, 0);
  EXPECT_EQ(r.summary.jobs.cancelled, 1u);
}

}  // namespace
}  // namespace headroom
