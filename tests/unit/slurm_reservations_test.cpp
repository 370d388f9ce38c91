// Reservations: what is asked for and refused, who may use them, and who keeps away. Cases are those of recorded runs
// s33, s34, s35 and s51, made small.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/slurm_bench.hpp"

namespace headroom::slurm {
namespace {

using testing::HasSubstr;

TEST(SlurmReservation, IsReadAsScontrolTakesIt) {
  ReservationSettings r;
  EXPECT_EQ(set(r, "StartTime", "now+2minutes"), "");
  EXPECT_EQ(*r.start, 120);
  EXPECT_EQ(set(r, "starttime", "now+40"), "");
  EXPECT_EQ(*r.start, 40);
  EXPECT_EQ(set(r, "Duration", "2"), "");
  EXPECT_EQ(*r.duration, 120);
  EXPECT_EQ(set(r, "Flags", "maint,ignore_jobs,PURGE_COMP=00:00:20"), "");
  EXPECT_TRUE(r.flags.maint && r.flags.ignore_jobs && r.flags.purge_comp);
  EXPECT_EQ(r.purge_after, 20);
  EXPECT_EQ(set(r, "CoreCnt", "1,2"), "");
  EXPECT_THAT(set(r, "StartTime", "2026-01-01"), HasSubstr("now+COUNT"));
  EXPECT_EQ(set(r, "Flags", "first_cores,replace_down"), "") << "without effect";
  EXPECT_THAT(set(r, "Flags", "REPLACE"), HasSubstr("not followed: Nodes that its jobs hold"));
  EXPECT_THAT(set(r, "Flags", "SPEC_NODES"), HasSubstr("not followed: Slurm shows it"));
  EXPECT_THAT(set(r, "Flags", "MAGNETTIC"), HasSubstr("did you mean \"MAGNETIC\"?"));
  EXPECT_THAT(set(r, "Flags", "MAINT=5"), HasSubstr("expected a flag, or PURGE_COMP=TIME"));
  EXPECT_THAT(set(r, "BurstBuffer", "x"), HasSubstr("not followed: Burst buffers are not modelled."));
  EXPECT_THAT(set(r, "Dration", "2"), HasSubstr("did you mean \"Duration\"?"));
}

// Four nodes of 4 CPUs, users u0 and u1.
class ReservationBench : public SlurmBench {
 public:
  ReservationBench() {
    partition({fixed("n", 4, 4)});
    for (const char* name : {"u0", "u1"}) accounting.users.emplace_back().name = name;
  }
  void reserve(const std::string& name, const std::vector<std::pair<std::string, std::string>>& settings) {
    ReservationRequest& request = conf.reservations.emplace_back();
    request.at = kSecond / 10;
    request.what.name = name;
    for (const auto& [key, value] : settings) EXPECT_EQ(set(request.what, key, value), "") << key;
  }
  Draft& job_of(std::uint32_t user, double submit_s, const std::string& reservation = "") {
    Draft& draft = job(submit_s, 20).user(user).nodes(1, 4).minutes(1);
    draft.asks.reservation = reservation;
    return draft;
  }
};

TEST(SlurmReservation, KeepsItsNodesForItsUsers) {
  ReservationBench b;
  b.reserve("r", {{"Users", "u1"}, {"StartTime", "now+40"}, {"Duration", "2"}, {"Nodes", "n[1-3]"}});
  b.job_of(0, 1);              // its limit reaches into it: not on n1
  b.job_of(1, 2, "r");         // waits for it
  b.job_of(0, 3, "r");         // not for this user
  b.job_of(1, 3, "none");      // there is none
  b.job_of(0, 4).nodes(2, 4);  // too few are left
  const Story s = b.run();
  ASSERT_EQ(s[0].allocations.size(), 1u);
  EXPECT_THAT(s[0].allocations[0], HasSubstr("n4"));
  EXPECT_EQ(s.reason(1, 5), "Reservation");
  EXPECT_GE(s[1].allocated, 40);
  EXPECT_LE(s[1].allocated, 46);
  EXPECT_EQ(s[2].rejection, Rejection::reservation);
  EXPECT_EQ(s[3].rejection, Rejection::reservation);
  EXPECT_EQ(s.reason(4, 5), "ReqNodeNotAvail, May be reserved for other job");
  EXPECT_GE(s[4].allocated, 160);
}

TEST(SlurmReservation, HoldsAJobThatIsTooWideForIt) {
  ReservationBench b;
  b.reserve("r", {{"Users", "u1"}, {"Duration", "2"}, {"NodeCnt", "2"}});
  b.job_of(1, 2, "r").nodes(3, 1);
  const Story s = b.run();
  EXPECT_EQ(s.reason(0, 10), "BadConstraints");
  EXPECT_EQ(s[0].state, JobState::pending);
}

TEST(SlurmReservation, FlexLetsItsJobsStartBefore) {
  ReservationBench b;
  b.reserve("r", {{"Users", "u1"}, {"StartTime", "now+300"}, {"Duration", "2"}, {"Nodes", "n1"}, {"Flags", "FLEX"}});
  b.job_of(1, 2, "r");
  const Story s = b.run();
  EXPECT_LE(s[0].allocated, 6);
  EXPECT_THAT(s[0].allocations[0], HasSubstr("n1"));
}

TEST(SlurmReservation, DrawsJobsInIfItIsMagnetic) {
  ReservationBench b;
  b.reserve("r", {{"Users", "u1"}, {"Duration", "9"}, {"Nodes", "n3"}, {"Flags", "MAGNETIC"}});
  b.job_of(1, 2);
  b.job_of(0, 2.5);
  const Story s = b.run();
  EXPECT_THAT(s[0].allocations[0], HasSubstr("n3"));
  EXPECT_THAT(s[1].allocations[0], HasSubstr("n4")) << "the tightest run of neighbours";
}

TEST(SlurmReservation, OfCoresLeavesTheOthers) {
  ReservationBench b;
  b.reserve("r", {{"Users", "u1"}, {"Duration", "2"}, {"Nodes", "n[1-4]"}, {"CoreCnt", "3,3,3,3"}});
  b.job_of(0, 1).nodes(1, 1);
  b.job_of(0, 2).nodes(1, 2);
  b.job_of(1, 3, "r").nodes(1, 3);
  const Story s = b.run();
  EXPECT_LE(s[0].allocated, 6);
  EXPECT_GE(s[1].allocated, 120) << "no node has two left";
  EXPECT_LE(s[2].allocated, 9);
}

TEST(SlurmReservation, OfLicensesLeavesTheOthers) {
  ReservationBench b;
  b.conf.licenses = {{"lic", 4}};
  b.reserve("r", {{"Users", "u1"}, {"Duration", "2"}, {"Licenses", "lic:3"}, {"Flags", "LICENSE_ONLY"}});
  b.job_of(0, 2).asks.licenses = "lic:2";
  b.job_of(0, 3).asks.licenses = "lic:1";
  b.job_of(1, 4, "r").asks.licenses = "lic:3";
  const Story s = b.run();
  EXPECT_EQ(s.reason(0, 30), "Licenses");
  EXPECT_GE(s[0].allocated, 120);
  EXPECT_LE(s[1].allocated, 9);
  EXPECT_LE(s[2].allocated, 9);
}

// Jobs in it wait beside those of others: `held` says what becomes of them when it is over.
Story with_one_that_waits(const std::string& flags, const std::string& over_run) {
  ReservationBench b;
  EXPECT_EQ(set(b.conf, "ResvOverRun", over_run), "");
  b.reserve("r", {{"Users", "u1"}, {"Duration", "1"}, {"Nodes", "n1"}, {"Flags", flags}});
  b.job(1, 300).user(1).nodes(1, 4).minutes(20).asks.reservation = "r";
  b.job_of(1, 2, "r");
  return b.run();
}

TEST(SlurmReservation, EndsItsJobsWhenItIsOver) {
  const Story s = with_one_that_waits("IGNORE_JOBS", "0");
  EXPECT_EQ(s[0].state, JobState::timed_out);
  EXPECT_GE(s[0].ended, 60);
  EXPECT_LE(s[0].ended, 92) << "at the next look at time limits";
  const Story later = with_one_that_waits("IGNORE_JOBS", "2");
  EXPECT_EQ(later[0].state, JobState::timed_out);
  EXPECT_GE(later[0].ended, 180);
  EXPECT_LE(later[0].ended, 212);
  EXPECT_EQ(with_one_that_waits("IGNORE_JOBS", "UNLIMITED")[0].state, JobState::completed);
  EXPECT_EQ(with_one_that_waits("FLEX", "0")[0].state, JobState::completed);
}

TEST(SlurmReservation, HoldsTheJobsThatWaitForItOrLetsThemGo) {
  const Story held = with_one_that_waits("IGNORE_JOBS", "0");
  EXPECT_EQ(held[1].state, JobState::pending);
  EXPECT_EQ(held.reason(1, 30), "Resources");
  EXPECT_EQ(held.reason(1, 200), "Reservation r was deleted");
  const Story free = with_one_that_waits("NO_HOLD_JOBS_AFTER_END", "0");
  EXPECT_EQ(free[1].state, JobState::completed) << "in no reservation";
  EXPECT_GE(free[1].allocated, 60);
  EXPECT_EQ(with_one_that_waits("NO_HOLD_JOBS_AFTER", "0")[1].state, JobState::completed);
}

TEST(SlurmReservation, IsNotDeletedWhileItIsInUse) {
  for (const bool used : {true, false}) {
    ReservationBench b;
    b.reserve("r", {{"Users", "u1"}, {"Duration", "20"}, {"Nodes", "n[1-4]"}});
    if (used) b.job_of(1, 1, "r").minutes(1);
    b.job_of(0, 2);
    ReservationRequest& request = b.conf.reservations.emplace_back();
    request.at = 10 * kSecond;
    request.kind = ReservationRequest::Kind::remove;
    request.what.name = "r";
    const Story s = b.run();
    if (used) {
      EXPECT_GE(s[1].allocated, 1200);
    } else {
      EXPECT_LE(s[0].allocated, 16);
    }
  }
}

TEST(SlurmReservation, IsOfAccountsAndThoseBelowThem) {
  ReservationBench b;
  b.conf.accounting = true;
  for (const char* name : {"top", "sub", "other"}) b.accounting.accounts.emplace_back().name = name;
  b.accounting.accounts[1].parent = "top";
  b.accounting.users[0].accounts = {"sub"};
  b.accounting.users[1].accounts = {"other"};
  b.accounting.qos.emplace_back().name = "normal";
  b.reserve("r", {{"Accounts", "top"}, {"Duration", "2"}, {"Nodes", "n1"}});
  b.job_of(0, 1, "r");
  b.job_of(1, 2, "r");
  const Story s = b.run();
  EXPECT_THAT(s[0].allocations, testing::ElementsAre(HasSubstr("n1")));
  EXPECT_EQ(s[1].rejection, Rejection::reservation);
}

TEST(SlurmReservation, TakesNodesOfItsPartition) {
  for (const bool all : {true, false}) {
    SlurmBench b;
    b.accounting.users.emplace_back().name = "u0";
    const std::uint32_t n = b.fixed("n", 2, 4);
    const std::uint32_t m = b.fixed("m", 2, 4);
    b.partition({n}).name = "a";
    b.partition({m}).name = "b";
    ReservationRequest& request = b.conf.reservations.emplace_back();
    request.what.name = "r";
    using Setting = std::pair<const char*, const char*>;
    for (const auto& [key, value] : {Setting{"Users", "u0"}, Setting{"Duration", "9"}, Setting{"PartitionName", "b"},
                                     all ? Setting{"Flags", "PART_NODES"} : Setting{"NodeCnt", "1"}}) {
      EXPECT_EQ(set(request.what, key, value), "");
    }
    b.job(1, 20).nodes(1, 4).minutes(1).partition(0);
    b.job(2, 20).nodes(1, 4).minutes(1).partition(1);
    const Story s = b.run();
    EXPECT_LE(s[0].allocated, 6) << "nothing of the first";
    if (all) {
      EXPECT_GE(s[1].allocated, 540);
      EXPECT_EQ(s.reason(1, 10), "ReqNodeNotAvail, Reserved for maintenance");
    } else {
      EXPECT_THAT(s[1].allocations, testing::ElementsAre(HasSubstr("m2")));
    }
  }
}

TEST(SlurmReservation, OfAnyNodesIsOneOfLicences) {
  ReservationBench b;
  b.conf.licenses = {{"lic", 1}};
  b.reserve("r", {{"Users", "u1"}, {"Duration", "9"}, {"Licenses", "lic:1"}, {"Flags", "ANY_NODES"}});
  b.reserve("no", {{"Users", "u1"}, {"Duration", "9"}, {"NodeCnt", "1"}, {"Flags", "ANY_NODES"}});
  b.reserve("much", {{"Users", "u1"}, {"Duration", "9"}, {"Licenses", "lic:1"}, {"Flags", "ANY_NODES"}});
  b.job_of(1, 1, "r").nodes(4, 4).asks.licenses = "lic";
  b.job_of(1, 2, "no");
  b.job_of(1, 3, "much");
  const Story s = b.run();
  EXPECT_THAT(s[0].allocations, testing::ElementsAre(HasSubstr("n[1-4]")));
  EXPECT_EQ(s[1].rejection, Rejection::reservation) << "refused";
  EXPECT_EQ(s[2].rejection, Rejection::reservation) << "the licence is reserved already";
}

TEST(SlurmReservation, LiesOnNodesInUseOrReservedOnlyIfItMay) {
  ReservationBench b;
  const auto reserve = [&](double at, const char* name, const char* nodes, const char* flags) {
    b.reserve(name, {{"Users", "u1"}, {"Duration", "9"}, {"Nodes", nodes}, {"Flags", flags}});
    b.conf.reservations.back().at = from_seconds(at);
  };
  b.job_of(0, 0.5).nodes(1, 4).minutes(5);  // on n1
  reserve(5, "first", "n2", "");
  reserve(6, "busy", "n1", "");
  reserve(7, "ignore", "n1", "IGNORE_JOBS");
  reserve(8, "clash", "n2", "");
  reserve(9, "overlap", "n2", "OVERLAP");
  reserve(10, "maint", "n2", "MAINT");
  for (const char* name : {"first", "busy", "ignore", "clash", "overlap", "maint"}) b.job_of(1, 20, name).minutes(1);
  const Story s = b.run();
  EXPECT_EQ(s[2].rejection, Rejection::reservation);
  EXPECT_EQ(s[4].rejection, Rejection::reservation);
  for (const std::uint32_t there : {1u, 3u, 5u, 6u}) EXPECT_FALSE(s[there].rejection) << there;
  EXPECT_EQ(s.reason(1, 30), "ReqNodeNotAvail, Reserved for maintenance") << "the others have its node too";
  EXPECT_LE(s[6].allocated, 31);
}

TEST(SlurmReservation, ShowsInTheStatesOfNodes) {
  ReservationBench b;
  const auto reserve = [&](const char* name, const char* nodes, const char* flags) {
    b.reserve(name, {{"Users", "u1"}, {"StartTime", "now+30"}, {"Duration", "1"}, {"Nodes", nodes}, {"Flags", flags}});
  };
  reserve("r", "n1", "");
  reserve("m", "n2", "MAINT");
  b.job(1, 200).user(0).nodes(1, 4).minutes(9);  // so that there is something to look at
  const Story s = b.run();
  EXPECT_EQ(s.node("n1", 20), "idle");
  EXPECT_EQ(s.node("n1", 40), "resv");
  EXPECT_EQ(s.node("n2", 40), "maint");
  EXPECT_EQ(s.node("n1", 120), "idle");
  EXPECT_EQ(s.node("n2", 120), "idle");
}

TEST(SlurmReservation, EndsEarlyWhereNobodyUsesIt) {
  ReservationBench b;
  b.reserve("r", {{"Users", "u1"}, {"Duration", "20"}, {"Nodes", "n[1-4]"}, {"Flags", "PURGE_COMP=00:00:20"}});
  b.job_of(1, 1, "r");
  b.job_of(0, 2);
  const Story s = b.run();
  EXPECT_GE(s[1].allocated, s[0].ended + 20);
  EXPECT_LE(s[1].allocated, s[0].ended + 90) << "two looks every 30 s, and a pass";
}

TEST(SlurmReservation, FloatsBeforeTheJobsOfOthers) {
  ReservationBench b;
  b.reserve(
      "r", {{"Users", "u1"}, {"StartTime", "now+90"}, {"Duration", "9"}, {"Nodes", "n[1-4]"}, {"Flags", "TIME_FLOAT"}});
  b.job_of(0, 1);             // a minute: over before
  b.job_of(0, 2).minutes(3);  // not
  b.job_of(1, 3, "r");
  const Story s = b.run();
  EXPECT_LE(s[0].allocated, 6);
  EXPECT_TRUE(s[1].allocations.empty());
  EXPECT_EQ(s[2].rejection, Rejection::reservation) << "nobody may use it";
}

TEST(SlurmReservation, ReplacesNodesThatCannotBeUsedIfItMay) {
  for (const char* flags : {"", "REPLACE_DOWN", "STATIC_ALLOC"}) {
    ReservationBench b;
    b.reserve("r", {{"Users", "u1"}, {"StartTime", "now+60"}, {"Duration", "20"}, {"NodeCnt", "1"}, {"Flags", flags}});
    b.ask(5, "n1", NodeAction::drain);
    b.job(1, 50).user(0).nodes(1, 4).minutes(9);  // on n2
    b.job_of(1, 2, "r");
    const Story s = b.run();
    if (std::string(flags) == "STATIC_ALLOC") {
      EXPECT_TRUE(s[1].allocations.empty());
    } else {
      EXPECT_THAT(s[1].allocations, testing::ElementsAre(HasSubstr("n3"))) << flags;
    }
  }
}

TEST(SlurmReservation, ComesAgain) {
  constexpr Second kHourS = 3600;
  constexpr Second kDayS = 86400;
  // An hour on a Friday that is over, seen at once: how far it has moved.
  constexpr Second kFriday = 946'598'400;  // 31 December 1999, 0:00 UTC
  const auto moved = [&](const char* flags, Second start) {
    Conf conf;
    ReservationRequest& request = conf.reservations.emplace_back();
    request.what.name = "r";
    for (const auto& [key, value] :
         {std::pair("Users", "u"), std::pair("Duration", "60"), std::pair("Nodes", "n1"), std::pair("Flags", flags)}) {
      EXPECT_EQ(set(request.what, key, value), "");
    }
    ClusterSpec spec;
    spec.groups.push_back({1, 4, Supply::permanent, 1, 0, 4000});
    spec.queues.push_back({{GroupId{0}}});
    conf.partitions.resize(1);
    State state(conf, {"n1"});
    const Cluster cluster(spec);
    state.meet(cluster, 0);
    Reservations& reservations = state.reservations;
    EXPECT_TRUE(reservations.carry_out(start, cluster, *state.nodes, state.jobs, JobTable()));
    (void)reservations.notice(start + kHourS);
    return reservations[0].start - start;
  };
  EXPECT_EQ(moved("", kFriday), 0);
  EXPECT_EQ(moved("HOURLY", kFriday), kHourS);
  EXPECT_EQ(moved("DAILY", kFriday), kDayS);
  EXPECT_EQ(moved("WEEKLY", kFriday), 7 * kDayS);
  EXPECT_EQ(moved("WEEKDAY", kFriday), 3 * kDayS) << "to Monday";
  EXPECT_EQ(moved("WEEKDAY", kFriday + kDayS), 2 * kDayS) << "a Saturday";
  EXPECT_EQ(moved("WEEKDAY", kFriday + 3 * kDayS), kDayS) << "a Monday";
  EXPECT_EQ(moved("WEEKEND", kFriday), kDayS) << "to Saturday";
  EXPECT_EQ(moved("WEEKEND", kFriday + kDayS), kDayS) << "to Sunday";
  EXPECT_EQ(moved("WEEKEND", kFriday + 2 * kDayS), 6 * kDayS) << "from Sunday";
}

TEST(SlurmReservation, ThatComesAgainDoesNotOverlapItself) {
  ReservationBench b;
  b.reserve("day",
            {{"Users", "u1"}, {"StartTime", "now+1hours"}, {"Duration", "60"}, {"Nodes", "n1"}, {"Flags", "DAILY"}});
  b.reserve("clash", {{"Users", "u1"}, {"StartTime", "now+49hours"}, {"Duration", "60"}, {"Nodes", "n1"}});
  b.reserve("beside", {{"Users", "u1"}, {"StartTime", "now+51hours"}, {"Duration", "60"}, {"Nodes", "n1"}});
  for (const char* name : {"day", "clash", "beside"}) b.job_of(1, 1, name);
  const Story s = b.run();
  EXPECT_FALSE(s[0].rejection);
  EXPECT_EQ(s[1].rejection, Rejection::reservation);
  EXPECT_FALSE(s[2].rejection);
}

TEST(SlurmReservation, MayBeNeededForAPartition) {
  ReservationBench b;
  EXPECT_EQ(set(b.conf.partitions[0], "ReqResv", "YES"), "");
  b.reserve("r", {{"Users", "u1"}, {"Duration", "9"}, {"Nodes", "n1"}});
  b.job_of(1, 1);
  b.job_of(1, 2, "r");
  const Story s = b.run();
  EXPECT_EQ(s[0].rejection, Rejection::partition);
  EXPECT_THAT(s[1].allocations, testing::ElementsAre(HasSubstr("n1")));
}

TEST(SlurmReservation, MagneticOnesGetNoPlaceInThePlanUnlessToldSo) {
  for (const bool slot : {false, true}) {
    ReservationBench b;
    if (slot) {
      EXPECT_EQ(set(b.conf, "SchedulerParameters", "bf_allow_magnetic_slot"), "");
    }
    b.reserve("r", {{"Users", "u1"}, {"Duration", "60"}, {"Nodes", "n1"}, {"Flags", "MAGNETIC"}});
    b.job(0.5, 1000).user(1).nodes(1, 2).minutes(20).asks.reservation = "r";
    for (int i = 0; i < 3; ++i) b.job(1, 2000).user(0).nodes(1, 4).minutes(50);
    b.job_of(1, 2);                               // drawn in, when the first is over
    b.job_of(1, 3, "r").nodes(1, 2).minutes(50);  // fits beside the first
    const Story s = b.run();
    if (slot) {
      EXPECT_GE(s[5].allocated, 1000) << "it would be in the way";
    } else {
      EXPECT_LE(s[5].allocated, 31);
    }
  }
}

// One that let it start before and run on after it.
TEST(SlurmReservation, IsGoneForAJobThatIsRequeued) {
  for (const bool hold : {true, false}) {
    ReservationBench b;
    const std::string flags = hold ? "FLEX" : "FLEX,NO_HOLD_JOBS_AFTER_END";
    b.reserve("r", {{"Users", "u1"}, {"Duration", "1"}, {"Nodes", "n1"}, {"Flags", flags}});
    b.job(2, 400).user(1).nodes(1, 4).minutes(20).asks.reservation = "r";
    b.ask(200, 0, JobAction::requeue);
    const Story s = b.run();
    EXPECT_EQ(s.reason(0, 210), hold ? "Reservation r was deleted" : "BeginTime");
    EXPECT_EQ(s[0].state, hold ? JobState::pending : JobState::completed);
    EXPECT_EQ(s[0].allocations.size(), hold ? 1u : 2u);
  }
}

}  // namespace
}  // namespace headroom::slurm
