// Jobs that say on which nodes: --nodelist, --exclude, --prefer; and --time-min, with which backfill finds them a place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/slurm_bench.hpp"

namespace headroom::slurm {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

// Four nodes of 4 CPUs.
class NamedBench : public SlurmBench {
 public:
  NamedBench() { partition({fixed("n", 4, 4)}); }
  Draft& job_on(double submit_s, std::int32_t cpus, const std::string& nodelist, const std::string& exclude = "") {
    Draft& draft = job(submit_s, 60).cpus(cpus).minutes(2);
    draft.terms.tasks = cpus;
    draft.asks.nodelist = nodelist;
    draft.asks.exclude = exclude;
    return draft;
  }
};

TEST(SlurmNamedNodes, AreAmongThoseThatItGets) {
  NamedBench b;
  b.job_on(1, 4, "n3");
  b.job_on(1.1, 6, "n2");        // more nodes than it names
  b.job_on(100, 1, "n[2,4]");    // sbatch takes as many as there are tasks
  b.job_on(200, 2, "n[2,4]");
  const Story s = b.run();
  EXPECT_THAT(s[0].allocations, ElementsAre(EndsWith(" n3")));
  EXPECT_THAT(s[1].allocations, ElementsAre(EndsWith(" n[1-2]")));
  EXPECT_THAT(s[2].allocations, ElementsAre(EndsWith(" n2")));
  EXPECT_THAT(s[3].allocations, ElementsAre(EndsWith(" n[2,4]")));
}

TEST(SlurmNamedNodes, AreLeftOut) {
  NamedBench b;
  b.job_on(1, 4, "", "n[1-2,4]");
  b.job_on(2, 4, "", "n[1-2,4]");
  const Story s = b.run();
  EXPECT_THAT(s[0].allocations, ElementsAre(EndsWith(" n3")));
  EXPECT_THAT(s[1].allocations, ElementsAre(HasSubstr(" n3")));
  EXPECT_GE(s[1].allocated, s[0].ended);
}

TEST(SlurmNamedNodes, ThatThereAreNotAreRejected) {
  NamedBench b;
  b.job_on(1, 4, "n9");
  b.job_on(1, 4, "", "n[3-5]");
  b.job_on(1, 4, "n1", "n[1-2]");                     // in both
  b.job_on(1, 4, "n[1-3]").job.request.nodes = 2;      // -N2
  b.job_on(1, 40, "n1");
  const Story s = b.run();
  for (const std::uint32_t j : {0u, 1u, 2u, 3u}) EXPECT_EQ(s[j].rejection, Rejection::resources) << j;
  EXPECT_EQ(s[4].rejection, Rejection::too_wide);
}

TEST(SlurmNamedNodes, KeepOthersOffTheseNodesOnly) {
  NamedBench b;
  b.job_on(1, 4, "n1");
  b.job_on(2, 4, "n1");  // waits
  b.job(3, 20).cpus(4).minutes(1);
  const Story s = b.run();
  EXPECT_EQ(s.reason(1, 10), "Resources");
  EXPECT_LE(s[2].allocated, 6) << "the partition is not closed";
}

TEST(SlurmNamedNodes, ThatCannotBeUsedAreSaid) {
  NamedBench b;
  b.ask(0.5, "n2", NodeAction::drain);
  b.ask(0.5, "n3", NodeAction::drain);
  b.ask(60, "n2", NodeAction::resume);
  b.job_on(1, 4, "n2");
  b.job_on(1.1, 4, "");
  const Story s = b.run();
  EXPECT_EQ(s.reason(0, 20), "ReqNodeNotAvail, UnavailableNodes:n2") << "of the two it names one";
  EXPECT_THAT(s[0].allocations, ElementsAre(HasSubstr(" n2")));
  EXPECT_GE(s[0].allocated, 60);
  EXPECT_LE(s[1].allocated, 6);
}

TEST(SlurmNamedNodes, AreTriedFirstIfTheyArePreferred) {
  for (const bool busy : {false, true}) {
    SlurmBench d;
    const std::uint32_t n = d.fixed("n", 2, 4);
    const std::uint32_t f = d.fixed("f", 1, 4, 5);  // would be taken last
    d.partition({n, f});
    d.conf.node_settings.resize(2);
    d.conf.node_settings[1].features = {"fast"};
    if (busy) {
      d.job(0.5, 600).cpus(4).minutes(20).asks.constraint = "fast";
    }
    d.job(1, 60).cpus(4).minutes(2).asks.prefer = "fast";
    const std::uint32_t one = d.last();
    d.job(2, 60).cpus(4).minutes(2).asks.prefer = "slow";
    const Story s = d.run();
    EXPECT_EQ(s[one + 1].rejection, Rejection::resources) << "no node has it";
    if (busy) {
      EXPECT_THAT(s[one].allocations, ElementsAre(HasSubstr("n1 backfill"))) << "passes wait for what it prefers";
      EXPECT_LE(s[one].allocated, 62);
    } else {
      EXPECT_THAT(s[one].allocations, ElementsAre(EndsWith(" f1")));
    }
  }
}

TEST(SlurmNamedNodes, APreferenceThatNobodyMeetsMayBePassedOver) {
  NamedBench b;
  EXPECT_EQ(set(b.conf, "SchedulerParameters", "ignore_prefer_validation"), "");
  b.job(1, 60).cpus(4).minutes(2).asks.prefer = "slow";
  EXPECT_LE(b.run()[0].allocated, 6);
}

TEST(SlurmTimeMin, ShortensAJobToFitInTheGap) {
  for (const std::int64_t least : {std::int64_t{0}, std::int64_t{240}}) {
    NamedBench b;
    for (int i = 0; i < 3; ++i) b.job(0.5, 3000).cpus(4).minutes(10);
    b.job(1, 60).nodes(4, 4).minutes(10);                       // has to wait for them all
    b.job(2, 3000).cpus(4).minutes(20).asks.time_min = least;  // fits before it if it is short
    const Story s = b.run();
    if (least == 0) {
      EXPECT_GE(s[4].allocated, s[3].allocated);
    } else {
      EXPECT_THAT(s[4].allocations[0], EndsWith("backfill"));
      EXPECT_LE(s[4].allocated, 61);
      EXPECT_EQ(s[4].state, JobState::timed_out);
      EXPECT_GT(s[4].ended - s[4].allocated, 400) << "as long as there is room, not only its least";
      EXPECT_LT(s[4].ended - s[4].allocated, 700);
    }
  }
}

TEST(SlurmTimeMin, EndsBeforeAReservation) {
  NamedBench b;
  b.accounting.users.emplace_back().name = "u";
  ReservationRequest& request = b.conf.reservations.emplace_back();
  request.what.name = "r";
  for (const auto& [key, value] : {std::pair("Users", "u"), std::pair("Duration", "60"), std::pair("Nodes", "n[1-4]"),
                                   std::pair("StartTime", "now+600")}) {
    EXPECT_EQ(set(request.what, key, value), "");
  }
  b.job(1, 3000).cpus(4).minutes(20).asks.time_min = 120;
  const Story s = b.run();
  EXPECT_LE(s[0].allocated, 61);
  EXPECT_EQ(s[0].state, JobState::timed_out);
  EXPECT_LE(s[0].ended, 631);
  EXPECT_GE(s[0].ended, 480);
}

TEST(SlurmBackfillBounds, TestsSoManyJobsOfAnAssociation) {
  NamedBench b;
  b.conf.accounting = true;
  for (const char* name : {"a", "b"}) b.accounting.accounts.emplace_back().name = name;
  b.accounting.users.emplace_back().name = "u";
  b.accounting.users[0].accounts = {"a", "b"};
  b.accounting.qos.emplace_back().name = "normal";
  EXPECT_EQ(set(b.conf, "SchedulerParameters", "bf_max_job_assoc=1,bf_interval=30"), "");
  b.job(0.5, 3000).nodes(2, 4).minutes(50).account("a");
  b.job(1, 60).nodes(4, 4).minutes(10).account("b");  // closes the partition
  b.job(2, 25).cpus(4).minutes(1).account("a");
  b.job(2, 25).cpus(4).minutes(1).account("a");
  const Story s = b.run();
  EXPECT_LE(s[2].allocated, 31);
  EXPECT_GE(s[3].allocated, 50) << "of a only one in each cycle";
}

TEST(SlurmMemoryBounds, OfSlurmConfHoldWhereThePartitionSaysNothing) {
  for (const bool own : {false, true}) {
    NamedBench b;
    b.conf.memory = true;
    EXPECT_EQ(set(b.conf, "MaxMemPerNode", "1000"), "");
    if (own) {
      EXPECT_EQ(set(b.conf.partitions[0], "MaxMemPerNode", "3000"), "");
    }
    b.job(1, 20).cpus(1).minutes(1).memory(2000);
    const Story s = b.run();
    if (own) {
      EXPECT_LE(s[0].allocated, 6);
    } else {
      EXPECT_EQ(s.reason(0, 10), "MaxMemPerLimit");
    }
  }
}

}  // namespace
}  // namespace headroom::slurm
