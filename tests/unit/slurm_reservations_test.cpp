// Reservations: what is asked for and refused, who may use them, and who keeps away. Cases are those of recorded runs
// s33, s34 and s35, made small.
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
  EXPECT_THAT(set(r, "Flags", "REPLACE"), HasSubstr("not followed"));
  EXPECT_THAT(set(r, "BurstBuffer", "x"), HasSubstr("not followed"));
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

}  // namespace
}  // namespace headroom::slurm
