#include "engine/jobs.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace headroom {
namespace {

constexpr JobState kStates[] = {JobState::pending,     JobState::configuring, JobState::running,   JobState::completing,
                                JobState::completed,   JobState::failed,      JobState::cancelled, JobState::timed_out,
                                JobState::node_failed, JobState::rejected};

// A way from the beginning to every state.
std::vector<JobState> way_to(JobState state) {
  switch (state) {
    case JobState::pending:
      return {};
    case JobState::configuring:
      return {JobState::configuring};
    case JobState::running:
      return {JobState::configuring, JobState::running};
    case JobState::rejected:
      return {JobState::rejected};
    case JobState::cancelled:
      return {JobState::cancelled};
    default:
      return {JobState::running, state};
  }
}

const std::set<std::pair<JobState, JobState>>& allowed() {
  static const std::set<std::pair<JobState, JobState>> kAllowed = {
      {JobState::pending, JobState::configuring},
      {JobState::pending, JobState::running},
      {JobState::pending, JobState::cancelled},
      {JobState::pending, JobState::rejected},
      {JobState::configuring, JobState::running},
      {JobState::configuring, JobState::cancelled},
      {JobState::running, JobState::completed},
      {JobState::running, JobState::failed},
      {JobState::running, JobState::cancelled},
      {JobState::running, JobState::timed_out},
      // Requeued.
      {JobState::configuring, JobState::pending},
      {JobState::running, JobState::pending},
      {JobState::completing, JobState::pending},
      // Told to end.
      {JobState::running, JobState::completing},
      {JobState::completing, JobState::completed},
      {JobState::completing, JobState::failed},
      {JobState::completing, JobState::cancelled},
      {JobState::completing, JobState::timed_out},
      {JobState::completing, JobState::node_failed},
      // Over at once, whether the nodes boot or not.
      {JobState::configuring, JobState::timed_out},
      {JobState::configuring, JobState::node_failed},
      {JobState::running, JobState::node_failed},
  };
  return kAllowed;
}

TEST(JobTable, MovesJobsAsTheStateMachineAllowsAndNoOtherWay) {
  for (const JobState from : kStates) {
    for (const JobState to : kStates) {
      SCOPED_TRACE("from " + std::to_string(static_cast<int>(from)) + " to " + std::to_string(static_cast<int>(to)));
      JobTable jobs;
      const JobId job = jobs.add({});
      for (const JobState state : way_to(from)) jobs.move(job, state);
      ASSERT_EQ(jobs.state(job), from);
      if (allowed().contains({from, to})) {
        EXPECT_NO_THROW(jobs.move(job, to));
        EXPECT_EQ(jobs.state(job), to);
      } else {
        EXPECT_THROW(jobs.move(job, to), Bug);
        EXPECT_EQ(jobs.state(job), from) << "a refused move changes nothing";
      }
    }
  }
}

TEST(JobTable, EndsInStatesThatNothingLeaves) {
  for (const JobState from : kStates) {
    const bool leaves = std::any_of(allowed().begin(), allowed().end(), [&](const auto& p) { return p.first == from; });
    EXPECT_EQ(is_final(from), !leaves) << static_cast<int>(from);
  }
}

TEST(JobTable, ReachesOneFinalStateForEachOutcome) {
  EXPECT_EQ(state_after(Outcome::completed), JobState::completed);
  EXPECT_EQ(state_after(Outcome::failed), JobState::failed);
  EXPECT_EQ(state_after(Outcome::cancelled), JobState::cancelled);
  EXPECT_EQ(state_after(Outcome::timed_out), JobState::timed_out);
  EXPECT_EQ(state_after(Outcome::node_failed), JobState::node_failed);
  EXPECT_EQ(state_after(Outcome::preempted), JobState::cancelled);
  std::set<JobState> states;
  for (std::uint32_t outcome = 0; outcome < kOutcomes; ++outcome) {
    const JobState state = state_after(static_cast<Outcome>(outcome));
    EXPECT_TRUE(is_final(state));
    EXPECT_EQ(states.insert(state).second, outcome != static_cast<std::uint32_t>(Outcome::preempted)) << outcome;
  }
}

// A request's terms are numbered within the news that brought it; the table numbers them through the run.
TEST(JobTable, KeepsTermsWhateverTheirNumberInTheNews) {
  JobTable jobs;
  for (std::uint32_t i = 0; i < 60; ++i) {
    JobRequest request;
    JobTerms terms;
    terms.priority = 1000 + i;
    terms.dependencies.resize(i % 4);
    request.terms = i % 3 == 0 ? 0 : 1 + i % 2;
    EXPECT_EQ(jobs.add(request, i % 3 == 0 ? nullptr : &terms), JobId{i});
  }
  for (std::uint32_t i = 0; i < 60; ++i) {
    const JobTerms& terms = jobs.terms(JobId{i});
    if (i % 3 == 0) {
      EXPECT_EQ(terms, JobTerms()) << i;
      EXPECT_EQ(jobs.request(JobId{i}).terms, 0u);
    } else {
      EXPECT_EQ(terms.priority, 1000 + i);
      EXPECT_EQ(terms.dependencies.size(), i % 4);
    }
  }
  JobRequest numbered;
  numbered.terms = 5;
  EXPECT_EQ(jobs.terms(jobs.add(numbered)), JobTerms()) << "a number without terms means nothing";
}

TEST(JobTable, NumbersJobsInOrderAndKeepsTheirRequests) {
  JobTable jobs;
  for (std::uint32_t i = 0; i < 100; ++i) {
    JobRequest request;
    request.user = i * 3;
    request.limit = i * kSecond;
    EXPECT_EQ(jobs.add(request), JobId{i});
  }
  EXPECT_EQ(jobs.size(), 100u);
  jobs.move(JobId{40}, JobState::running);
  EXPECT_EQ(jobs.request(JobId{40}).user, 120u);
  EXPECT_EQ(jobs.request(JobId{40}).limit, 40 * kSecond);
  EXPECT_EQ(jobs.state(JobId{39}), JobState::pending);
  EXPECT_EQ(jobs.state(JobId{40}), JobState::running);
}

}  // namespace
}  // namespace headroom
