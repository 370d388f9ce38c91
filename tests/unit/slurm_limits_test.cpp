// Who may run: limits of associations and QOS, who pays for a job, and what partitions take. Expected times follow by
// hand: passes are 3 s apart, backfill looks 12 ms after whole seconds each 30 s, time limits are looked at each 30 s.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/draw.hpp"
#include "tests/unit/slurm_bench.hpp"

namespace headroom::slurm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Settings = std::vector<std::pair<std::string, std::string>>;

template <class Of>
void give(Of& of, const Settings& settings) {
  for (const auto& [name, value] : settings) ASSERT_EQ(set(of, name, value), "") << name;
}

// Accounts, users and QOS over nodes n1, n2 ... of 4 CPUs in one partition.
struct Limited : SlurmBench {
  explicit Limited(std::int32_t nodes = 4, const std::string& enforce = "associations,limits,qos") {
    partition({fixed("n", nodes, 4)});
    give(conf, {{"AccountingStorageType", "accounting_storage/slurmdbd"}, {"AccountingStorageEnforce", enforce}});
    add_qos("normal", {});
  }
  void add_account(const std::string& name, const Settings& settings = {}) {
    accounting.accounts.emplace_back().name = name;
    give(accounting.accounts.back(), settings);
  }
  std::uint32_t add_user(const std::string& name, const Settings& settings) {
    accounting.users.emplace_back().name = name;
    give(accounting.users.back(), settings);
    return static_cast<std::uint32_t>(accounting.users.size() - 1);
  }
  void add_qos(const std::string& name, const Settings& settings) {
    accounting.qos.emplace_back().name = name;
    give(accounting.qos.back(), settings);
  }
};

// One limit: of whom ("account", "user" or "qos"), and the reason that it gives.
struct Case {
  std::string of;
  std::string name;
  std::string value;
  std::string reason;
};

std::ostream& operator<<(std::ostream& out, const Case& c) { return out << c.of << " " << c.name << "=" << c.value; }

// Users u (0) and v (1) in account a, u also in b; their jobs have QOS q.
Limited with(const Case& c, const Settings& more_of_qos = {}) {
  Limited b;
  b.add_account("a", {{"qos", "q"}});
  b.add_account("b", {{"qos", "q"}});
  b.add_user("u", {{"account", "a,b"}});
  b.add_user("v", {{"account", "a"}});
  b.add_qos("q", more_of_qos);
  if (c.of == "account") give(b.accounting.accounts[0], {{c.name, c.value}});
  if (c.of == "user") give(b.accounting.users[0], {{c.name, c.value}});
  if (c.of == "qos") give(b.accounting.qos[1], {{c.name, c.value}});
  return b;
}

// --- limits of what jobs hold together ---

class SlurmLimitOfUse : public testing::TestWithParam<Case> {};

TEST_P(SlurmLimitOfUse, HoldsTheSecondJobBackUntilTheFirstIsGone) {
  Limited b = with(GetParam());
  b.conf.memory = true;
  b.job(0.5, 20.3).cpus(3).memory(100);
  b.job(0.6, 20.3).cpus(3).memory(100);
  b.job(0.7, 20.3).cpus(1).memory(1).user(1).account("none");  // rejected: no concern of the limit
  const Story s = b.run();
  EXPECT_EQ(s[0].allocated, 3);
  EXPECT_EQ(s.reason(1, 10), GetParam().reason);
  EXPECT_EQ(s[1].allocated, 24) << "the first ends at 23.3";
  EXPECT_EQ(s[2].rejection, Rejection::account);
}

INSTANTIATE_TEST_SUITE_P(All, SlurmLimitOfUse,
                         testing::Values(Case{"account", "GrpTRES", "cpu=5", "AssocGrpCpuLimit"},
                                         Case{"account", "GrpTRES", "mem=150", "AssocGrpMemLimit"},
                                         Case{"account", "GrpTRES", "node=1", "AssocGrpNodeLimit"},
                                         Case{"account", "GrpTRES", "billing=5", "AssocGrpBilling"},
                                         Case{"account", "GrpTRESRunMins", "cpu=359", "AssocGrpCPURunMinutesLimit"},
                                         Case{"account", "GrpTRESRunMins", "node=119", "AssocGrpNodeRunMinutes"},
                                         Case{"account", "GrpJobs", "1", "AssocGrpJobsLimit"},
                                         Case{"account", "MaxJobs", "1", "AssocMaxJobsLimit"},
                                         Case{"user", "GrpTRES", "cpu=5", "AssocGrpCpuLimit"},
                                         Case{"user", "GrpJobs", "1", "AssocGrpJobsLimit"},
                                         Case{"user", "MaxJobs", "1", "AssocMaxJobsLimit"},
                                         Case{"qos", "GrpTRES", "cpu=5", "QOSGrpCpuLimit"},
                                         Case{"qos", "GrpTRES", "mem=150", "QOSGrpMemLimit"},
                                         Case{"qos", "GrpTRES", "node=1", "QOSGrpNodeLimit"},
                                         Case{"qos", "GrpTRES", "billing=5", "QOSGrpBilling"},
                                         Case{"qos", "GrpTRESRunMins", "cpu=359", "QOSGrpCPURunMinutesLimit"},
                                         Case{"qos", "GrpTRESRunMins", "mem=10000", "QOSGrpMemoryRunMinutes"},
                                         Case{"qos", "GrpJobs", "1", "QOSGrpJobsLimit"},
                                         Case{"qos", "MaxJobsPerUser", "1", "QOSMaxJobsPerUserLimit"},
                                         Case{"qos", "MaxJobsPerAccount", "1", "MaxJobsPerAccount"},
                                         Case{"qos", "MaxTRESPerUser", "cpu=5", "QOSMaxCpuPerUserLimit"},
                                         Case{"qos", "MaxTRESPerUser", "mem=150", "QOSMaxMemoryPerUser"},
                                         Case{"qos", "MaxTRESPerUser", "node=1", "QOSMaxNodePerUserLimit"},
                                         Case{"qos", "MaxTRESPerAccount", "cpu=5", "MaxCpuPerAccount"},
                                         Case{"qos", "MaxTRESPerAccount", "node=1", "MaxNodePerAccount"}));

// What is just enough is enough.
class SlurmLimitJustEnough : public testing::TestWithParam<Case> {};

TEST_P(SlurmLimitJustEnough, LetsBothRun) {
  Limited b = with(GetParam());
  b.job(0.5, 20.3).cpus(3);
  b.job(0.6, 20.3).cpus(3);
  const Story s = b.run();
  EXPECT_EQ(s[1].allocated, 3);
}

INSTANTIATE_TEST_SUITE_P(
    All, SlurmLimitJustEnough,
    testing::Values(Case{"account", "GrpTRES", "cpu=6", ""}, Case{"account", "GrpJobs", "2", ""},
                    Case{"account", "MaxJobs", "2", ""}, Case{"account", "GrpTRESRunMins", "cpu=360", ""},
                    Case{"qos", "MaxTRESPerUser", "cpu=6,node=2", ""}, Case{"qos", "MaxJobsPerUser", "2", ""},
                    Case{"qos", "MaxTRESPerJob", "cpu=3", ""}, Case{"qos", "MaxTRESPerNode", "cpu=3", ""},
                    Case{"qos", "MinTRESPerJob", "cpu=3", ""}, Case{"account", "MaxWallDurationPerJob", "60", ""},
                    Case{"account", "MaxTRESMinsPerJob", "cpu=180", ""}));

TEST(SlurmLimits, CountUsersAndAccountsApart) {
  Limited b = with({"qos", "MaxJobsPerUser", "1", ""});
  b.job(0.5, 20.3);
  b.job(0.6, 20.3).user(1);
  b.job(0.7, 20.3).account("b");
  Story s = b.run();
  EXPECT_EQ(s[1].allocated, 3) << "another user";
  EXPECT_EQ(s[2].allocated, 24) << "the same user in another account";

  Limited c = with({"qos", "MaxTRESPerAccount", "cpu=1", ""});
  c.job(0.5, 20.3);
  c.job(0.6, 20.3).user(1);
  c.job(0.7, 20.3).account("b");
  s = c.run();
  EXPECT_EQ(s[1].allocated, 24);
  EXPECT_EQ(s[2].allocated, 3);

  Limited d = with({"account", "MaxJobs", "1", ""});
  d.job(0.5, 20.3);
  d.job(0.6, 20.3).user(1);
  s = d.run();
  EXPECT_EQ(s[1].allocated, 3) << "MaxJobs of an account is of each of its users";
}

TEST(SlurmLimits, OfAnAccountHoldForThoseBelowIt) {
  Limited b;
  b.add_account("child", {{"parent", "top"}});
  b.add_account("other", {{"parent", "top"}});
  b.add_account("top", {{"GrpTRES", "cpu=3"}, {"MaxTRESPerJob", "cpu=2"}});
  b.add_user("u", {{"account", "child,other"}});
  b.job(0.5, 20.3).cpus(2);
  b.job(0.6, 20.3).cpus(2).account("other");
  b.job(0.7, 20.3).cpus(3).account("other");
  const Story s = b.run();
  EXPECT_EQ(s.reason(1, 5), "AssocGrpCpuLimit");
  EXPECT_EQ(s[1].allocated, 24);
  EXPECT_EQ(s.reason(2, 5), "AssocMaxCpuPerJobLimit") << "handed down, and looked at before what is above";
  EXPECT_TRUE(s[2].allocations.empty());
}

// A node that several jobs share counts once.
TEST(SlurmLimits, CountNodesOnce) {
  for (const Case& c : {Case{"account", "GrpTRES", "node=1", ""}, Case{"qos", "GrpTRES", "node=1", ""},
                        Case{"qos", "MaxTRESPerUser", "node=1", ""}, Case{"qos", "MaxTRESPerAccount", "node=1", ""}}) {
    Limited b = with(c);
    b.job(0.5, 20.3).cpus(2);
    b.job(0.6, 30.3).cpus(2);
    b.job(0.7, 20.3).cpus(3);
    const Story s = b.run();
    EXPECT_THAT(s[1].allocations, ElementsAre("3.000 n1")) << c;
    EXPECT_EQ(s[2].allocated, 34) << c << ": the node is given back with the last job on it";
  }
}

// --- limits of one job ---

class SlurmLimitOfAJob : public testing::TestWithParam<Case> {};

TEST_P(SlurmLimitOfAJob, KeepsItWaiting) {
  Limited b = with(GetParam());
  b.conf.memory = true;
  b.job(0.5, 20.3).cpus(4).memory(100);
  b.job(0.6, 20.3).cpus(1).memory(1).account("b");
  const Story s = b.run();
  EXPECT_EQ(s.reason(0, 100), GetParam().reason);
  EXPECT_TRUE(s[0].allocations.empty());
  if (GetParam().of != "qos") {
    EXPECT_EQ(s[1].allocated, 3) << "nor does it keep others waiting";
  }
}

TEST_P(SlurmLimitOfAJob, RejectsItWhereTheQosSaysSo) {
  Limited b = with(GetParam(), {{"Flags", "DenyOnLimit"}});
  b.conf.memory = true;
  b.job(0.5, 20.3).cpus(4).memory(100);
  const Story s = b.run();
  EXPECT_EQ(s[0].rejection, Rejection::limits);
}

INSTANTIATE_TEST_SUITE_P(
    All, SlurmLimitOfAJob,
    testing::Values(Case{"account", "MaxTRESPerJob", "cpu=3", "AssocMaxCpuPerJobLimit"},
                    Case{"account", "MaxTRESPerJob", "mem=99", "AssocMaxMemPerJob"},
                    Case{"account", "MaxTRESPerNode", "cpu=3", "AssocMaxCpuPerNode"},
                    Case{"account", "MaxTRESMinsPerJob", "cpu=239", "AssocMaxCpuMinutesPerJobLimit"},
                    Case{"account", "MaxTRESMinsPerJob", "node=59", "AssocMaxNodeMinutesPerJob"},
                    Case{"account", "MaxWallDurationPerJob", "59", "AssocMaxWallDurationPerJobLimit"},
                    Case{"account", "GrpTRES", "cpu=3", "AssocGrpCpuLimit"},
                    Case{"account", "GrpTRESRunMins", "cpu=239", "AssocGrpCPURunMinutesLimit"},
                    Case{"user", "MaxTRESPerJob", "billing=3", "AssocMaxBillingPerJob"},
                    Case{"qos", "MaxTRESPerJob", "cpu=3", "QOSMaxCpuPerJobLimit"},
                    Case{"qos", "MaxTRESPerJob", "mem=99", "QOSMaxMemoryPerJob"},
                    Case{"qos", "MaxTRESPerNode", "cpu=3", "QOSMaxCpuPerNode"},
                    Case{"qos", "MaxTRESPerUser", "cpu=3", "QOSMaxCpuPerUserLimit"},
                    Case{"qos", "MaxTRESPerAccount", "cpu=3", "MaxCpuPerAccount"},
                    Case{"qos", "MaxTRESMinsPerJob", "cpu=239", "QOSMaxCpuMinutesPerJobLimit"},
                    Case{"qos", "MaxWallDurationPerJob", "59", "QOSMaxWallDurationPerJobLimit"},
                    Case{"qos", "MinTRESPerJob", "cpu=5", "QOSMinCpuNotSatisfied"},
                    Case{"qos", "GrpTRES", "cpu=3", "QOSGrpCpuLimit"}));

TEST(SlurmLimits, GiveTheTimeOfAJobThatGivesNone) {
  Limited b = with({"account", "MaxWallDurationPerJob", "1", ""});
  b.job(0.5, 500).job.request.limit = kUnlimited * kSecond;
  const Story s = b.run();
  EXPECT_EQ(s[0].allocated, 3);
  EXPECT_NEAR(s[0].ended, 90, 1) << "over its minute at the check at 90 s";
}

// Wider than any limit of nodes allows it to be: -N that is too many waits, -n takes what there is.
// What is on nodes of the group already costs its limit nothing, so these come first.
TEST(SlurmLimits, OfNodesMakeAGroupStayTogether) {
  for (const char* const of : {"account", "qos"}) {
    Limited b = with({of, "GrpTRES", "node=2", ""});
    b.add_qos("free", {});
    give(b.accounting.accounts[1], {{"qos", "free"}});
    b.job(0, 20).nodes(2, 4).account("b").qos("free");
    b.job(0.1, 100).cpus(2).account("a").qos("q");
    b.job(27.1, 10).nodes(2, 1).account("a").qos("q");
    const Story s = b.run();
    EXPECT_THAT(s[1].allocations, ElementsAre("3.000 n3")) << of;
    EXPECT_THAT(s[2].allocations, ElementsAre("28.000 n[3-4]")) << of;
  }
}

TEST(SlurmLimits, OfNodesBoundTheChoice) {
  Limited b = with({"qos", "GrpTRES", "node=2", ""});
  b.job(0.5, 1000.3).cpus(2).account("a");
  b.job(0.6, 1000.3).nodes(3, 1);
  b.job(0.7, 20.3).nodes(1, 3);
  const Story s = b.run();
  EXPECT_EQ(s.reason(1, 10), "QOSGrpNodeLimit");
  EXPECT_TRUE(s[1].allocations.empty());
  EXPECT_EQ(s[2].allocated, 3);
}

// --- limits of what is submitted ---

class SlurmLimitOfSubmission : public testing::TestWithParam<Case> {};

TEST_P(SlurmLimitOfSubmission, RejectsTheThirdJobUntilOneIsGone) {
  Limited b = with(GetParam());
  b.job(0.5, 20.3);
  b.job(0.6, 1000.3).cpus(16);
  b.job(0.7, 20.3);
  b.job(23.2, 20.3);
  b.job(23.4, 20.3);
  b.ask(100, 1, JobAction::cancel);
  b.job(101, 20.3);
  const Story s = b.run();
  EXPECT_EQ(s[2].rejection, Rejection::limits);
  EXPECT_EQ(s[3].rejection, Rejection::limits);
  EXPECT_EQ(s[4].rejection, std::nullopt) << "the first ended at 23.3";
  EXPECT_EQ(s[5].rejection, std::nullopt) << "the second was cancelled";
}

TEST_P(SlurmLimitOfSubmission, CountsEveryTaskOfAnArray) {
  Limited b = with(GetParam());
  b.job(0.5, 20.3);
  b.array(2, 0);
  b.job(30, 20.3);
  b.array(3, 0);
  const Story s = b.run();
  for (std::uint32_t t = 0; t < 2; ++t) EXPECT_EQ(s[t].rejection, std::nullopt);
  for (std::uint32_t t = 2; t < 5; ++t) EXPECT_EQ(s[t].rejection, Rejection::limits) << "as one, not the third alone";
}

INSTANTIATE_TEST_SUITE_P(All, SlurmLimitOfSubmission,
                         testing::Values(Case{"account", "MaxSubmitJobs", "2", ""},
                                         Case{"account", "GrpSubmitJobs", "2", ""},
                                         Case{"user", "MaxSubmitJobs", "2", ""}, Case{"user", "GrpSubmitJobs", "2", ""},
                                         Case{"qos", "GrpSubmitJobs", "2", ""},
                                         Case{"qos", "MaxSubmitJobsPerUser", "2", ""},
                                         Case{"qos", "MaxSubmitJobsPerAccount", "2", ""}));

// --- whose limit comes first ---

TEST(SlurmLimits, OfTheQosComeBeforeThoseOfTheAssociation) {
  Limited b = with({"account", "GrpTRES", "cpu=1", ""}, {{"GrpTRES", "cpu=4"}});
  b.job(0.5, 20.3).cpus(4);
  b.job(0.6, 20.3).cpus(1);
  const Story s = b.run();
  EXPECT_EQ(s[0].allocated, 3) << "more than the account's, whose limit the QOS hides";
  EXPECT_EQ(s.reason(1, 5), "QOSGrpCpuLimit");
}

TEST(SlurmLimits, OfEitherKindHideOnlyTheirOwn) {
  Limited b = with({"account", "GrpJobs", "1", ""}, {{"GrpTRES", "cpu=4"}});
  b.job(0.5, 20.3).cpus(1);
  b.job(0.6, 20.3).cpus(1);
  const Story s = b.run();
  EXPECT_EQ(s.reason(1, 5), "AssocGrpJobsLimit");
}

TEST(SlurmLimits, OfThePartitionsQosComeFirst) {
  for (const bool over : {false, true}) {
    Limited b = with({"qos", "GrpTRES", "cpu=4", ""});
    b.add_qos("p", {{"GrpTRES", "cpu=2"}});
    if (over) give(b.accounting.qos[1], {{"Flags", "OverPartQOS"}});
    give(b.conf.partitions[0], {{"QOS", "p"}});
    b.job(0.5, 20.3).cpus(2);
    b.job(0.6, 20.3).cpus(2);
    b.job(0.7, 20.3).cpus(2);
    const Story s = b.run();
    EXPECT_EQ(s[0].allocated, 3);
    EXPECT_EQ(s[1].allocated, over ? 3 : 24) << over;
    EXPECT_EQ(s.reason(2, 5), "QOSGrpCpuLimit");
  }
}

TEST(SlurmLimits, OfAnAssociationGrowWithTheQosLimitFactor) {
  Limited b = with({"account", "GrpTRES", "cpu=2", ""}, {{"LimitFactor", "2"}});
  b.job(0.5, 20.3).cpus(4);
  b.job(0.6, 20.3).cpus(1);
  const Story s = b.run();
  EXPECT_EQ(s[0].allocated, 3);
  EXPECT_EQ(s.reason(1, 5), "AssocGrpCpuLimit");
}

// --- AccountingStorageEnforce ---

TEST(SlurmEnforce, NothingThatIsNotNamed) {
  for (const std::string enforce : {"none", "associations", "qos"}) {
    Limited b(4, enforce);
    b.add_account("a", {{"GrpTRES", "cpu=1"}, {"MaxSubmitJobs", "1"}});
    b.add_user("u", {{"account", "a"}});
    b.job(0.5, 20.3).cpus(4);
    b.job(0.6, 20.3).cpus(4);
    const Story s = b.run();
    EXPECT_EQ(s[0].allocated, 3) << enforce;
    EXPECT_EQ(s[1].allocated, 3) << enforce;
  }
}

TEST(SlurmEnforce, AssociationsRejectsStrangers) {
  for (const std::string enforce : {"none", "associations", "limits", "qos", "safe", "all"}) {
    Limited b(4, enforce);
    b.add_account("a");
    b.add_account("b");
    b.add_user("u", {{"account", "a"}});
    b.job(0.5, 20.3);
    b.job(0.6, 20.3).user(1);
    b.job(0.7, 20.3).account("b");
    const Story s = b.run();
    EXPECT_EQ(s[0].rejection, std::nullopt);
    const auto expected = enforce == "none" ? std::nullopt : std::optional(Rejection::account);
    EXPECT_EQ(s[1].rejection, expected) << enforce << ": unknown user";
    EXPECT_EQ(s[2].rejection, expected) << enforce << ": not in this account";
  }
}

TEST(SlurmEnforce, QosRejectsWhatOneMayNotHave) {
  for (const std::string enforce : {"associations", "qos"}) {
    Limited b(4, enforce);
    b.add_qos("high", {});
    b.add_account("a");
    b.add_account("c", {{"qos", "high"}});
    b.add_user("u", {{"account", "a,c"}});
    b.job(0.5, 20.3).qos("high");
    b.job(0.6, 20.3).qos("high").account("c");
    b.job(0.7, 20.3).qos("normal").account("c");
    b.job(0.8, 20.3).qos("nothing");
    b.job(0.9, 20.3).account("c");  // its only one
    const Story s = b.run();
    const auto expected = enforce == "qos" ? std::optional(Rejection::qos) : std::nullopt;
    EXPECT_EQ(s[0].rejection, expected) << "normal is all that root hands down";
    EXPECT_EQ(s[1].rejection, std::nullopt);
    EXPECT_EQ(s[2].rejection, expected);
    EXPECT_EQ(s[3].rejection, expected);
    EXPECT_EQ(s[4].rejection, std::nullopt);
  }
}

TEST(SlurmEnforce, FindsTheDefaultQos) {
  Limited b;
  b.add_qos("one", {{"GrpJobs", "0"}});
  b.add_account("a", {{"qos", "normal,one"}});
  b.add_account("d", {{"qos", "normal,one"}, {"DefaultQOS", "one"}});
  b.add_account("only", {{"qos", "one"}});
  b.add_user("u", {{"account", "a,d,only"}});
  b.job(0.5, 20.3);
  b.job(0.6, 20.3).account("d");
  b.job(0.7, 20.3).account("only");
  b.job(0.8, 20.3).account("d").qos("normal");
  const Story s = b.run();
  EXPECT_EQ(s[0].allocated, 3) << "normal";
  EXPECT_EQ(s.reason(1, 5), "QOSGrpJobsLimit");
  EXPECT_EQ(s.reason(2, 5), "QOSGrpJobsLimit");
  EXPECT_EQ(s[3].allocated, 3);
}

TEST(SlurmEnforce, RefusesOtherWords) {
  Qos qos;
  EXPECT_NE(set(qos, "Flags", "DenyOnLimit,EnforceUsageThreshold"), "") << "not followed";
  Conf conf;
  EXPECT_NE(set(conf, "AccountingStorageEnforce", "limits,wckeys"), "");
  EXPECT_EQ(set(conf, "AccountingStorageEnforce", "safe,QOS"), "");
  EXPECT_TRUE(conf.enforce.associations && conf.enforce.limits && conf.enforce.qos && conf.enforce.safe);
  EXPECT_EQ(set(conf, "AccountingStorageEnforce", "associations"), "");
  EXPECT_FALSE(conf.enforce.limits || conf.enforce.qos || conf.enforce.safe);
}

// --- what a blocked job does to those behind it ---

TEST(SlurmLimits, DoNotCloseThePartition) {
  for (const bool stop : {false, true}) {
    Limited b = with({"account", "GrpTRES", "cpu=4", ""});
    b.conf.assoc_limit_stop = stop;
    b.conf.backfill = false;
    b.job(0.5, 40.3).cpus(3);
    b.job(0.6, 20.3).cpus(2);
    b.job(0.7, 20.3).cpus(2).account("b");
    const Story s = b.run();
    EXPECT_EQ(s[0].allocated, 3);
    EXPECT_EQ(s.reason(1, 5), "AssocGrpCpuLimit");
    EXPECT_EQ(s[2].allocated, stop ? 44 : 3);
    if (stop) {
      EXPECT_EQ(s.reason(2, 5), "Priority");
    }
  }
}

TEST(SlurmLimits, LeaveNoReservation) {
  for (const bool stop : {false, true}) {
    Limited b(2);
    b.conf.assoc_limit_stop = stop;
    b.add_account("a", {{"GrpTRES", "cpu=4"}});
    b.add_account("b");
    b.add_user("u", {{"account", "a,b"}});
    b.job(0.5, 1000.3).cpus(4);
    b.job(0.6, 1000.3).cpus(4).priority(1);
    const Story s = b.run();
    const bool planned =
        std::any_of(s.planned.begin(), s.planned.end(), [](const auto& p) { return p.job == 1 && p.at < 900; });
    EXPECT_EQ(planned, stop);
  }
}

TEST(SlurmLimits, HaveTheirOwnThresholdForReservations) {
  for (const std::string threshold : {"-1", "50"}) {
    Limited b = with({"qos", "MinPrioThreshold", threshold, ""});
    b.conf.bf_min_prio_reserve = 5;
    b.job(0.5, 300.3).nodes(3, 4);
    b.job(0.6, 300.3).nodes(4, 4).priority(10);
    b.job(0.7, 1000.3).cpus(1).priority(1).minutes(60);
    const Story s = b.run();
    EXPECT_EQ(s[2].allocated < 10, threshold == "50") << "the wide one keeps the last node, if it is worth it";
  }
}

// --- what was used so far ---

Limited with_usage(const Case& c, const std::string& enforce) {
  Limited b = with(c);
  give(b.conf, {{"AccountingStorageEnforce", enforce},
                {"PriorityType", "priority/multifactor"},
                {"PriorityCalcPeriod", "1"},
                {"PriorityDecayHalfLife", "0"}});
  return b;
}

class SlurmLimitOfUsage : public testing::TestWithParam<Case> {};

// Used up when the second job ended at 91.3 s, seen at the next check.
TEST_P(SlurmLimitOfUsage, EndsWhatRunsAndStartsNothingMore) {
  Limited b = with_usage(GetParam(), "limits");
  b.job(0.5, 1000.3).cpus(4);
  b.job(70.5, 20.3).cpus(1);
  b.job(130.5, 20.3).cpus(1);
  const Story s = b.run();
  EXPECT_EQ(s[0].allocated, 3);
  EXPECT_EQ(s[0].state, JobState::timed_out);
  EXPECT_NEAR(s[0].ended, 120, 1) << "57 s of the first were counted at 60 s";
  EXPECT_EQ(s[1].allocated, 71) << "not used up yet";
  EXPECT_EQ(s.reason(2, 500), GetParam().reason);
}

class SlurmSafeLimit : public testing::TestWithParam<Case> {};

TEST_P(SlurmSafeLimit, StartsNothingThatMightUseItUp) {
  Limited b = with_usage(GetParam(), "safe");
  b.job(0.5, 20.3).cpus(4).minutes(1);
  b.job(0.6, 20.3).cpus(4).minutes(1);
  b.job(0.7, 20.3).cpus(4).minutes(2);
  const Story s = b.run();
  EXPECT_EQ(s[0].allocated, 3);
  const bool wall = GetParam().name == "GrpWall";
  EXPECT_EQ(s[1].allocated, wall ? 3 : 24) << "wall time does not look at what may still be used";
  EXPECT_EQ(s.reason(2, 5), GetParam().reason);
  EXPECT_TRUE(s[2].allocations.empty());
}

INSTANTIATE_TEST_SUITE_P(All, SlurmSafeLimit,
                         testing::Values(Case{"account", "GrpTRESMins", "cpu=5", "AssocGrpCPUMinutesLimit"},
                                         Case{"user", "GrpTRESMins", "node=1", "AssocGrpNodeMinutes"},
                                         Case{"qos", "GrpTRESMins", "cpu=5", "QOSGrpCPUMinutesLimit"},
                                         Case{"account", "GrpWall", "1", "AssocGrpWallLimit"},
                                         Case{"qos", "GrpWall", "1", "QOSGrpWallLimit"}));
INSTANTIATE_TEST_SUITE_P(All, SlurmLimitOfUsage,
                         testing::Values(Case{"account", "GrpTRESMins", "cpu=4", "AssocGrpCPUMinutesLimit"},
                                         Case{"user", "GrpTRESMins", "node=1", "AssocGrpNodeMinutes"},
                                         Case{"qos", "GrpTRESMins", "cpu=4", "QOSGrpCPUMinutesLimit"},
                                         Case{"account", "GrpWall", "1", "AssocGrpWallLimit"},
                                         Case{"qos", "GrpWall", "1", "QOSGrpWallLimit"}));

TEST(SlurmLimits, OfUsageDecay) {
  Limited b = with_usage({"account", "GrpTRESMins", "cpu=1", ""}, "limits");
  b.conf.decay_half_life = 300;
  b.job(0.5, 30.3).cpus(4);
  b.job(70.5, 20.3).cpus(1);
  const Story s = b.run();
  // 121 CPU-seconds, which count as 113 when they end (each decays since its use began); then 0.87 of it each minute.
  EXPECT_EQ(s.reason(1, 290), "AssocGrpCPUMinutesLimit") << "65";
  EXPECT_EQ(s[1].allocated, 300) << "57: less than a minute";
}

// --- what partitions take ---

TEST(SlurmAccess, GoesByAccountAndQos) {
  struct Rule {
    const char* name;
    const char* value;
    bool a;
    bool high;
    const char* reason;
  };
  for (const Rule& rule :
       {Rule{"AllowAccounts", "b", false, true, "Job's account not permitted to use this partition (p allows b not a)"},
        Rule{"AllowAccounts", "a,b", true, true, ""}, Rule{"AllowAccounts", "ALL", true, true, ""},
        Rule{"DenyAccounts", "a", false, true,
             "Job's account not permitted to use this partition (p denies a including a)"},
        Rule{"AllowQos", "high", false, true,
             "Job's QOS not permitted to use this partition (p allows high not normal)"},
        Rule{"DenyQos", "high", true, false,
             "Job's QOS not permitted to use this partition (p denies high including high)"}}) {
    for (const std::string enforce : {"NO", "ANY", "ALL"}) {
      Limited b;
      b.add_qos("high", {});
      b.add_account("a");
      b.add_account("b", {{"qos", "high"}});
      b.add_user("u", {{"account", "a,b"}});
      b.conf.partitions[0].name = "p";
      give(b.conf.partitions[0], {{rule.name, rule.value}});
      give(b.conf, {{"EnforcePartLimits", enforce}});
      b.job(0.5, 20.3);
      b.job(0.6, 20.3).account("b");
      const Story s = b.run();
      const bool allowed[] = {rule.a, rule.high};
      for (std::uint32_t j = 0; j < 2; ++j) {
        const std::string what = std::string(rule.name) + "=" + rule.value + ", " + enforce;
        const bool account = std::string(rule.name).ends_with("Accounts");
        if (allowed[j]) {
          EXPECT_EQ(s[j].allocated, 3) << what;
        } else if (enforce == "NO") {
          EXPECT_EQ(s.reason(j, 0.6), rule.reason) << what;
          EXPECT_EQ(s.reason(j, 200), rule.reason) << what;
          EXPECT_TRUE(s[j].allocations.empty()) << what;
        } else {
          EXPECT_EQ(s[j].rejection, account ? Rejection::account : Rejection::qos) << what;
        }
      }
    }
  }
}

TEST(SlurmAccess, RejectsWhatIsTooLongOrWideIfToldTo) {
  for (const std::string enforce : {"NO", "ANY", "ALL"}) {
    Limited b;
    b.add_qos("free", {{"Flags", "PartitionTimeLimit,PartitionMaxNodes,PartitionMinNodes"}});
    b.add_account("a", {{"qos", "normal,free"}});
    b.add_user("u", {{"account", "a"}});
    give(b.conf.partitions[0], {{"MaxTime", "30"}, {"MaxNodes", "3"}, {"MinNodes", "2"}});
    give(b.conf, {{"EnforcePartLimits", enforce}});
    b.job(0.5, 20.3).nodes(2, 1).minutes(31);
    b.job(0.6, 20.3).nodes(4, 1).minutes(30);
    b.job(0.7, 20.3).nodes(1, 1).minutes(30);
    b.job(0.8, 20.3).nodes(2, 1).minutes(30);
    b.job(10, 20.3).nodes(4, 1).minutes(31).qos("free");
    b.job(40, 20.3).nodes(1, 1).minutes(31).qos("free");
    const Story s = b.run();
    const char* reasons[] = {"PartitionTimeLimit", "PartitionNodeLimit", "PartitionNodeLimit"};
    for (std::uint32_t j = 0; j < 3; ++j) {
      if (enforce == "NO") {
        EXPECT_EQ(s.reason(j, 100), reasons[j]);
        EXPECT_EQ(s[j].rejection, std::nullopt);
      } else {
        EXPECT_EQ(s[j].rejection, Rejection::partition) << enforce << " " << j;
      }
    }
    EXPECT_EQ(s[3].allocated, 3);
    EXPECT_EQ(s[4].allocated, 10) << "its QOS frees it";
    EXPECT_THAT(s[5].allocations, ElementsAre("40.000 n1"));
  }
}

TEST(SlurmLimits, FollowTheQosThatAPartitionGets) {
  Limited b;
  b.add_account("a");
  b.add_user("u", {{"account", "a"}});
  b.add_qos("one", {{"GrpJobs", "1"}});
  b.job(0, 100).cpus(4);
  b.job(10, 100).cpus(1).begin(30);
  b.job(10.1, 100).cpus(1).begin(30);
  b.update_partition(5.1, 0, "QOS", "one");
  b.job(200, 100).cpus(1);
  b.job(200.1, 100).cpus(1);
  b.update_partition(240.1, 0, "QOS", "N/A");
  const Story s = b.run();
  EXPECT_LT(s[1].started, 70) << "the job from before does not count";
  EXPECT_EQ(s.reason(2, 80), "QOSGrpJobsLimit");
  EXPECT_GT(s[2].started, 150);
  EXPECT_EQ(s.reason(4, 230), "QOSGrpJobsLimit");
  EXPECT_LT(s[4].started, 250) << "the limit is gone";
}

TEST(SlurmLimits, FollowARunningJobsNewTimeLimit) {
  Limited b;
  b.add_account("a", {{"GrpTRESRunMins", "cpu=60"}});
  b.add_user("u", {{"account", "a"}});
  b.job(0, 1200).cpus(1).minutes(50);
  b.job(10, 10).cpus(1).minutes(30);
  b.update(60.1, 0, "TimeLimit", "25");
  const Story s = b.run();
  EXPECT_EQ(s.reason(1, 40), "AssocGrpCPURunMinutesLimit");
  EXPECT_LT(s[1].started, 100);
  EXPECT_EQ(s[0].state, JobState::completed);
}

TEST(SlurmAccess, GoesByStateAndRoot) {
  Limited b;
  b.add_account("a");
  b.add_user("u", {{"account", "a"}});
  b.add_user("root", {{"account", "root"}});
  for (const char* state : {"DOWN", "DRAIN", "INACTIVE"}) give(b.partition({0}), {{"State", state}});
  give(b.partition({0}), {{"RootOnly", "YES"}});
  for (std::uint32_t q = 0; q < 5; ++q) b.job(0.5, 20.3).partition(q);
  b.job(0.6, 20.3).partition(4).user(1);
  const Story s = b.run();
  EXPECT_EQ(s[0].allocated, 3);
  EXPECT_EQ(s.reason(1, 100), "PartitionDown");
  EXPECT_TRUE(s[1].allocations.empty());
  for (const std::uint32_t j : {2u, 3u, 4u}) EXPECT_EQ(s[j].rejection, Rejection::partition) << j;
  EXPECT_EQ(s[5].allocated, 3);
}

TEST(SlurmAccess, BoundsMemory) {
  for (const std::string enforce : {"NO", "ALL"}) {
    SlurmBench b;
    b.partition({b.fixed("n", 1, 4)});
    b.conf.memory = true;
    give(b.conf, {{"EnforcePartLimits", enforce}});
    give(b.conf.partitions[0], {{"MaxMemPerNode", "1000"}});
    b.job(0.5, 20.3).memory(1000);
    b.job(0.6, 20.3).memory(1001);
    const Story s = b.run();
    EXPECT_EQ(s[0].allocated, 3);
    if (enforce == "NO") {
      EXPECT_EQ(s.reason(1, 100), "MaxMemPerLimit");
    } else {
      EXPECT_EQ(s[1].rejection, Rejection::partition);
    }
  }
}

TEST(SlurmAccess, HasItsOwnOverTimeLimit) {
  SlurmBench b;
  b.partition({b.fixed("n", 1, 4)});
  b.partition({0});
  b.conf.over_time_limit = 60;
  give(b.conf.partitions[1], {{"OverTimeLimit", "0"}});
  b.job(0.5, 500).minutes(1);
  b.job(0.6, 500).minutes(1).partition(1);
  const Story s = b.run();
  EXPECT_NEAR(s[0].ended, 150, 1);
  EXPECT_NEAR(s[1].ended, 90, 1);
}

TEST(SlurmAccess, PowersDownNodesThatAreIdle) {
  for (const int version : {2205, 2302, 2505}) {
    SlurmBench b;
    b.conf.version.number = version;
    b.conf.suspend_time = 3000;
    b.partition({b.cloud("n", 1, 4, 10)});
    give(b.conf.partitions[0], {{"PowerDownOnIdle", "YES"}});
    b.job(0.5, 20.3).cpus(1);
    b.job(0.6, 50.3).cpus(1);
    const Story s = b.run();
    const double ended = std::max(s[0].ended, s[1].ended);
    const bool at_once = std::any_of(s.nodes.at("n1").begin(), s.nodes.at("n1").end(), [&](const auto& line) {
      return line.first > s[0].ended && line.first < ended + 15 && line.second.find('%') != std::string::npos;
    });
    const bool too_early = std::any_of(s.nodes.at("n1").begin(), s.nodes.at("n1").end(), [&](const auto& line) {
      return line.first > s[0].started && line.first < ended && line.second.find('%') != std::string::npos;
    });
    EXPECT_EQ(at_once, version >= 2302) << version;
    EXPECT_FALSE(too_early) << version;
  }
}

TEST(SlurmAccess, NamesAreChecked) {
  Accounting accounting;
  accounting.qos.emplace_back().name = "normal";
  accounting.accounts.emplace_back().name = "a";
  Partition partition;
  partition.name = "p";
  EXPECT_EQ(check(partition, accounting), "");
  give(partition, {{"AllowAccounts", "a,x"}});
  EXPECT_EQ(check(partition, accounting), "partition p: AllowAccounts: no account x");
  give(partition, {{"AllowAccounts", "a"}, {"DenyQos", "y"}});
  EXPECT_EQ(check(partition, accounting), "partition p: DenyQos: no QOS y");
  give(partition, {{"DenyQos", "normal"}, {"QOS", "z"}});
  EXPECT_EQ(check(partition, accounting), "partition p: QOS: no QOS z");
  EXPECT_NE(set(partition, "AllowGroups", "g"), "") << "there are no groups";
}

// --- the books ---

TEST(SlurmLimits, FollowRequeuedJobs) {
  Limited b = with({"account", "GrpTRES", "cpu=4", ""});
  give(b.accounting.accounts[0], {{"MaxSubmitJobs", "2"}});
  b.job(0.5, 40.3).cpus(4);
  b.job(0.6, 40.3).cpus(4);
  b.ask(10.5, 0, JobAction::requeue);
  b.job(20, 20.3);
  const Story s = b.run();
  EXPECT_EQ(s[1].allocated, 30.012) << "what was requeued holds nothing";
  EXPECT_EQ(s[2].rejection, Rejection::limits) << "it still counts as submitted";
  EXPECT_EQ(s[0].state, JobState::completed);
  EXPECT_EQ(s[1].state, JobState::completed);
}

// Small random clusters of users: at no time is a limit exceeded, the books are those of the jobs, and what fits its
// limits alone runs in the end.
TEST(SlurmLimits, HoldAtAnyTime) {
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    Draw draw(seed);
    Limited b(3);
    const auto below = [&](std::int32_t n) {
      return static_cast<std::int32_t>(draw.below(static_cast<std::size_t>(n)));
    };
    const auto maybe = [&](Settings& settings, const char* name, std::int32_t least, std::int32_t most,
                           const char* unit) {
      if (below(3) == 0) settings.emplace_back(name, unit + std::to_string(least + below(most - least + 1)));
    };
    Settings qos;
    maybe(qos, "GrpTRES", 3, 8, "cpu=");
    maybe(qos, "MaxTRESPerUser", 2, 6, "cpu=");
    maybe(qos, "MaxTRESPerAccount", 2, 6, "cpu=");
    maybe(qos, "GrpJobs", 1, 4, "");
    maybe(qos, "MaxJobsPerUser", 1, 3, "");
    maybe(qos, "MaxJobsPerAccount", 1, 3, "");
    maybe(qos, "GrpSubmitJobs", 4, 10, "");
    maybe(qos, "MaxSubmitJobsPerUser", 2, 8, "");
    b.add_qos("q", qos);
    for (const char* name : {"top", "a", "b"}) {
      Settings settings{{"qos", "normal,q"}};
      if (std::string(name) == "a") settings.emplace_back("parent", "top");
      maybe(settings, "GrpTRES", 3, 9, "cpu=");
      maybe(settings, "GrpJobs", 1, 4, "");
      maybe(settings, "MaxJobs", 1, 3, "");
      maybe(settings, "MaxTRESPerJob", 2, 4, "cpu=");
      maybe(settings, "GrpSubmitJobs", 4, 10, "");
      maybe(settings, "MaxSubmitJobs", 3, 8, "");
      b.add_account(name, settings);
    }
    for (const char* name : {"u", "v"}) b.add_user(name, {{"account", "a,b"}});
    if (below(4) == 0) give(b.conf.partitions[0], {{"QOS", "q"}});
    b.conf.assoc_limit_stop = below(4) == 0;
    const std::int32_t jobs = 4 + below(12);
    double at = 0.5;
    for (std::int32_t j = 0; j < jobs; ++j) {
      at += below(8);
      Draft& job = b.job(at, 5.3 + below(90)).cpus(1 + below(4)).minutes(1 + below(3));
      job.user(static_cast<std::uint32_t>(below(2))).account(below(2) == 0 ? "a" : "b");
      if (below(2) == 0) job.qos("q");
      if (below(8) == 0) b.ask(at + below(60), b.last(), below(2) == 0 ? JobAction::cancel : JobAction::requeue);
    }
    std::vector<bool> fits(static_cast<std::size_t>(jobs), true);
    std::vector<TresCounts> sizes(static_cast<std::size_t>(jobs));
    b.look = [&](const State& state, Time now) {
      const LimitBook& book = state.limits;
      const Associations& of = state.associations;
      std::vector<LimitBook::Use> uses(of.size());
      std::vector<LimitBook::Use> per_qos(2);
      std::vector<std::set<Index>> held(of.size());
      std::vector<LimitBook::Part> users(2);
      for (const JobId id : state.jobs.active()) {
        std::int64_t cpus = 0;
        for (const auto& share : state.jobs[id].shares) {
          cpus += share.cpus;
          for (std::uint32_t a = state.jobs[id].payer.association; a != kNobody; a = of[a].above)
            held[a].insert(share.node);
        }
        const auto add = [&](auto& use) {
          ++use.jobs;
          use.tres[Tres::cpu] += cpus;
        };
        for (std::uint32_t a = state.jobs[id].payer.association; a != kNobody; a = of[a].above) add(uses[a]);
        const bool counts = state.jobs[id].payer.qos == 1 || state.conf.partitions[0].qos == "q";
        if (!counts) continue;
        add(per_qos[1]);
        add(users[state.jobs[id].user]);
      }
      const Limits& q = state.accounting.qos[1].limits;
      const auto within = [](std::int64_t used, std::int64_t limit) { return limit == kNoLimit || used <= limit; };
      for (std::uint32_t a = 0; a < of.size(); ++a) {
        ASSERT_EQ(uses[a].jobs, book.of_association(a).jobs) << "seed " << seed << " at " << in_seconds(now);
        ASSERT_EQ(uses[a].tres[Tres::cpu], book.of_association(a).tres[Tres::cpu]) << "seed " << seed;
        ASSERT_EQ(held[a].size(), static_cast<std::size_t>(book.of_association(a).tres[Tres::node])) << "seed " << seed;
        const Limits& l = of[a].limits;
        // A QOS may hide these.
        if (q.grp_tres[Tres::cpu] == kNoLimit) {
          ASSERT_TRUE(within(uses[a].tres[Tres::cpu], l.grp_tres[Tres::cpu])) << "seed " << seed;
        }
        if (q.grp_jobs == kNoLimit) {
          ASSERT_TRUE(within(uses[a].jobs, l.grp_jobs)) << "seed " << seed;
        }
        if (q.grp_submit_jobs == kNoLimit) {
          ASSERT_TRUE(within(book.of_association(a).submitted, l.grp_submit_jobs)) << "seed " << seed;
        }
      }
      ASSERT_EQ(per_qos[1].jobs, book.of_qos(1).jobs) << "seed " << seed;
      ASSERT_TRUE(within(per_qos[1].tres[Tres::cpu], q.grp_tres[Tres::cpu])) << "seed " << seed;
      ASSERT_TRUE(within(per_qos[1].jobs, q.grp_jobs)) << "seed " << seed;
      ASSERT_TRUE(within(book.of_qos(1).submitted, q.grp_submit_jobs)) << "seed " << seed;
      for (std::uint32_t u = 0; u < 2; ++u) {
        ASSERT_EQ(users[u].jobs, book.of_user(1, u).jobs) << "seed " << seed;
        ASSERT_TRUE(within(users[u].tres[Tres::cpu], q.max_tres_user[Tres::cpu])) << "seed " << seed;
        ASSERT_TRUE(within(users[u].jobs, q.max_jobs_user)) << "seed " << seed;
        ASSERT_TRUE(within(book.of_user(1, u).submitted, q.max_submit_user)) << "seed " << seed;
      }
      // Alone, against books in which nothing is charged.
      const Multifactor unused(state.conf, state.associations);
      LimitBook empty(state.conf, state.associations, unused);
      for (std::uint32_t j = 0; j < state.jobs.size(); ++j) {
        const Job& job = state.jobs[JobId{j}];
        if (sizes[j][Tres::cpu] > 0) continue;
        Demand demand;
        demand.limit = job.limit;
        sizes[j][Tres::cpu] = demand.tres[Tres::cpu] = demand.tres[Tres::billing] = job.ask.cpus;
        demand.tres[Tres::node] = 1;
        (void)empty.identify(JobId{j}, job.user, job.payer, job.queue);
        fits[j] = !empty.before_choice(JobId{j}, job.limit) && !empty.after_choice(JobId{j}, demand);
      }
    };
    const Story s = b.run();
    if (HasFatalFailure()) return;
    for (std::uint32_t j = 0; j < s.jobs.size(); ++j) {
      if (s[j].rejection || s[j].state == JobState::cancelled) continue;
      const bool over = s[j].state == JobState::completed || s[j].state == JobState::timed_out;
      ASSERT_EQ(over, fits[j]) << "seed " << seed << ", job " << j << ": " << s.reason(j, 9999);
    }
  }
}

}  // namespace
}  // namespace headroom::slurm
