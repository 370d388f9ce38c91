// --array and --dependency: what sbatch takes, and what it does not.
#include "models/scenario/sbatch_syntax.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headroom {
namespace {

using Kind = Dependency::Kind;
using testing::HasSubstr;

std::vector<std::int32_t> tasks_of(const std::string& text) {
  std::string problem;
  const auto array = parse_array(text, problem);
  EXPECT_TRUE(array) << text << ": " << problem;
  return array ? array->tasks : std::vector<std::int32_t>();
}

TEST(SbatchArray, NamesItsTasksInAscendingOrder) {
  EXPECT_EQ(tasks_of("0-3"), (std::vector<std::int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(tasks_of("7"), (std::vector<std::int32_t>{7}));
  EXPECT_EQ(tasks_of("1,3,5-9:2"), (std::vector<std::int32_t>{1, 3, 5, 7, 9}));
  EXPECT_EQ(tasks_of("9,1,4-6,5"), (std::vector<std::int32_t>{1, 4, 5, 6, 9}));
  EXPECT_EQ(tasks_of("0-10:4"), (std::vector<std::int32_t>{0, 4, 8}));
  EXPECT_EQ(tasks_of("3-3"), (std::vector<std::int32_t>{3}));
}

TEST(SbatchArray, MayLimitHowManyRun) {
  std::string problem;
  EXPECT_EQ(parse_array("0-99%10", problem)->limit, 10);
  EXPECT_EQ(parse_array("0-9", problem)->limit, 0);
}

TEST(SbatchArray, RefusesAnythingElse) {
  for (const char* text :
       {"",   ",",     "1,",  "a",           "1-",      "-1",   "3-1",   "1-5:0",   "5:2", "1%0", "1%",
        "%3", "1%2%3", "1 2", "99999999999", "4000001", "1--2", "1-2-3", "1-4:1:1", "+1",  "0x1"}) {
    std::string problem;
    EXPECT_FALSE(parse_array(text, problem)) << text;
    EXPECT_THAT(problem, HasSubstr("expected numbers up to 4000000")) << text;
  }
  std::string problem;
  EXPECT_FALSE(parse_array("0-4000000", problem));
  EXPECT_EQ(problem, "more than 100000 tasks");
}

TEST(SbatchDependency, NamesKindsAndJobs) {
  std::string problem;
  const auto all = parse_dependency("afterok:a:b,afterany:c,singleton", problem);
  ASSERT_TRUE(all) << problem;
  EXPECT_FALSE(all->any);
  EXPECT_EQ(
      all->list,
      (std::vector<NamedDependency>{
          {Kind::after_ok, "a", 0}, {Kind::after_ok, "b", 0}, {Kind::after_any, "c", 0}, {Kind::singleton, "", 0}}));
  const auto any = parse_dependency("afternotok:a?aftercorr:b", problem);
  ASSERT_TRUE(any) << problem;
  EXPECT_TRUE(any->any);
  EXPECT_EQ(any->list, (std::vector<NamedDependency>{{Kind::after_not_ok, "a", 0}, {Kind::after_corr, "b", 0}}));
}

TEST(SbatchDependency, MayWaitSomeMinutesAfterAStart) {
  std::string problem;
  const auto spec = parse_dependency("after:a+10:b", problem);
  ASSERT_TRUE(spec) << problem;
  EXPECT_EQ(spec->list, (std::vector<NamedDependency>{{Kind::after, "a", 10 * kMinute}, {Kind::after, "b", 0}}));
  // Of other kinds a + is part of the name.
  EXPECT_EQ(parse_dependency("afterok:a+10", problem)->list.at(0).job, "a+10");
}

TEST(SbatchDependency, RefusesAnythingElse) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "\"\" is no kind of dependency"},
      {"afterokay:a", "\"afterokay\" is no kind of dependency; did you mean \"afterok\"?"},
      {"expand:a", "expected after, afterany, afterok, afternotok, aftercorr or singleton"},
      {"afterok", "expected afterok:JOB"},
      {"afterok:", "expected a job after afterok:"},
      {"afterok:a::b", "expected a job after afterok:"},
      {"afterok:a,", "\"\" is no kind of dependency"},
      {"singleton:a", "singleton names no job"},
      {"after:a+", "expected after:JOB+MINUTES"},
      {"after:a+x", "expected after:JOB+MINUTES"},
      {"after:a+-1", "expected after:JOB+MINUTES"},
      {"after:+1", "expected a job after after:"},
      {"afterok:a,afterok:b?afterok:c", "not both"},
  };
  for (const auto& [text, expected] : cases) {
    std::string problem;
    EXPECT_FALSE(parse_dependency(text, problem)) << text;
    EXPECT_THAT(problem, HasSubstr(expected)) << text;
  }
}

}  // namespace
}  // namespace headroom
