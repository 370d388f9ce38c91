// Laws of boot times: found again from samples, as often as the intervals say; records read and refused.
#include "models/calibrate/boot_fit.hpp"

#include <cmath>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/calibrate/boot_calibration.hpp"
#include "models/errors.hpp"
#include "models/scenario/scenario.hpp"

namespace headroom {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using Law = Distribution::Kind;

Durations samples(const Distribution& law, int count, std::uint64_t seed, Time tick = kSecond) {
  Durations durations;
  Substream stream(seed, Purpose::property_suite, 11);
  for (int i = 0; i < count; ++i) durations.complete.push_back(law.sample(stream, tick));
  return durations;
}

const Distribution kBootstrap{.kind = Law::lognormal, .a = 72, .b = 12};

const LawFit& law_of(const BootFit& fit, Law kind) {
  for (const LawFit& each : fit.laws) {
    if (each.law.kind == kind && each.law.maximum == Distribution{}.maximum) return each;
  }
  throw std::logic_error("no such law");
}

// Repetitions of the distance's test make fits slow; more than it takes are not tried.
constexpr int kRepetitions = 200;

TEST(BootFit, HoldsPlantedParameters95TimesIn100) {
  const struct {
    Distribution law;
    int count;
  } planted[] = {
      {kBootstrap, 60}, {{.kind = Law::weibull, .a = 80, .b = 6}, 60}, {{.kind = Law::exponential, .a = 90}, 40}};
  for (const auto& [law, count] : planted) {
    int held[2] = {0, 0};
    for (int r = 0; r < kRepetitions; ++r) {
      Durations durations = samples(law, count, static_cast<std::uint64_t>(r) + 1);
      durations.censored.push_back(0);  // says nothing, and spares the test of the distance
      const BootFit fit = fit_boot(durations);
      const LawFit& found = law_of(fit, law.kind);
      const double values[] = {law.a, law.b};
      for (std::size_t p = 0; p < found.parameters.size(); ++p) {
        const Estimate& estimate = found.parameters[p].estimate;
        held[p] += estimate.low <= values[p] && values[p] <= estimate.high ? 1 : 0;
      }
    }
    // 190 of 200 with a standard deviation of 3.1; the band is three of them.
    for (int p = 0; p < (law.kind == Law::exponential ? 1 : 2); ++p) {
      EXPECT_GE(held[p], 181) << law_name(law) << " " << p;
      EXPECT_LE(held[p], 199) << law_name(law) << " " << p;
    }
  }
}

TEST(BootFit, ChoosesTheLawThatWasPlanted) {
  const Distribution planted[] = {kBootstrap,
                                  {.kind = Law::weibull, .a = 80, .b = 1.5},
                                  {.kind = Law::uniform, .a = 60, .b = 90},
                                  {.kind = Law::exponential, .a = 90},
                                  // the default of cloud.boot.bootstrap
                                  {.kind = Law::lognormal, .a = 71.9, .b = 12.2, .minimum = 56, .maximum = 104}};
  for (const Distribution& law : planted) {
    const BootFit fit = fit_boot(samples(law, 1500, 4));
    EXPECT_EQ(law_name(fit.laws.front().law), law_name(law)) << law_json(fit.laws.front().law);
    ASSERT_TRUE(fit.laws.front().p_value.has_value());
    EXPECT_GT(*fit.laws.front().p_value, 0.01) << law_name(law);
    EXPECT_LT(fit.laws.front().distance, 0.05);
    EXPECT_LT(fit.laws.front().aic, fit.laws.back().aic);
  }
}

TEST(BootFit, ALawThatItIsNotHasASmallPValue) {
  // Half of the boots take twice as long: two kinds of nodes in one heap.
  Durations durations = samples(kBootstrap, 300, 5);
  for (std::size_t i = 0; i < 150; ++i) durations.complete[i] *= 2;
  const BootFit fit = fit_boot(durations);
  for (const LawFit& each : fit.laws) {
    ASSERT_TRUE(each.p_value.has_value());
    EXPECT_LE(*each.p_value, 0.03) << law_name(each.law);
  }
}

TEST(BootFit, ACutLawIsFoundWithItsRange) {
  const LawFit fit =
      fit_boot(samples({.kind = Law::lognormal, .a = 71.9, .b = 12.2, .minimum = 56, .maximum = 104}, 2000, 12))
          .laws.front();
  EXPECT_EQ(fit.law.minimum, 56);
  EXPECT_EQ(fit.law.maximum, 104);
  EXPECT_LE(fit.parameters[0].estimate.low, 71.9);
  EXPECT_GE(fit.parameters[0].estimate.high, 71.9);
  EXPECT_LE(fit.parameters[1].estimate.low, 12.2);
  EXPECT_GE(fit.parameters[1].estimate.high, 12.2);
  EXPECT_THAT(law_json(fit.law), HasSubstr("\"min\": 56, \"max\": 104"));
  EXPECT_NEAR(share_up_to(fit.law, 104 * kSecond, kSecond), 1, 1e-12);
  EXPECT_EQ(share_up_to(fit.law, 55 * kSecond, kSecond), 0);
}

TEST(BootFit, AllAlikeIsAConstant) {
  const BootFit fit = fit_boot({{kSecond * 17, kSecond * 17, kSecond * 17}, {}});
  ASSERT_EQ(fit.laws.size(), 1u);
  EXPECT_EQ(law_json(fit.laws[0].law), "17");
  EXPECT_EQ(fit.laws[0].aic, 2);
}

TEST(BootFit, WholeSecondsAreWhatIsLikely) {
  // The default of cloud.boot.pending: 16, 17 or 18 s alike.
  const BootFit fit = fit_boot(samples({.kind = Law::uniform, .a = 16, .b = 18}, 200, 6));
  EXPECT_EQ(law_json(fit.laws.front().law), "{\"uniform\": [16, 18]}");
  EXPECT_NEAR(fit.laws.front().log_likelihood, -200 * std::log(3.0), 1e-9);
  EXPECT_EQ(fit.tick, kSecond);
  const BootFit finer = fit_boot({{16'400'000, 17'800'000, 17'100'000}, {}});
  EXPECT_EQ(finer.tick, 100'000);
}

// Boots that are cut off at 80 s by a scale-down: without them the mean would be far too low.
TEST(BootFit, CensoredDurationsCount) {
  Durations all = samples(kBootstrap, 400, 8);
  Durations seen;
  for (const Time time : all.complete)
    (time <= 80 * kSecond ? seen.complete : seen.censored).push_back(std::min(time, 80 * kSecond));
  const LawFit fit = law_of(fit_boot(seen), Law::lognormal);
  EXPECT_LE(fit.parameters[0].estimate.low, 72);
  EXPECT_GE(fit.parameters[0].estimate.high, 72);
  EXPECT_LE(fit.parameters[1].estimate.low, 12);
  EXPECT_GE(fit.parameters[1].estimate.high, 12);
  EXPECT_FALSE(fit.p_value.has_value());
  EXPECT_LT(fit.distance, 0.08);
  Durations blind{seen.complete, {}};
  EXPECT_LT(law_of(fit_boot(blind), Law::lognormal).parameters[0].estimate.high, 72);
}

TEST(BootFit, AMillionBootsAreQuick) {
  const BootFit fit = fit_boot(samples(kBootstrap, 1'000'000, 9));
  EXPECT_EQ(law_name(fit.laws.front().law), "lognormal");
  EXPECT_NEAR(fit.laws.front().parameters[0].estimate.value, 72, 0.1);
  EXPECT_NEAR(fit.laws.front().parameters[1].estimate.value, 12, 0.1);
}

TEST(BootFit, OneBootIsTooLittle) { EXPECT_THROW(fit_boot({{kSecond}, {kSecond}}), InputError); }

// boot-times section 2a: 60 CPU samples of ParallelCluster's start-up tests, c5.large and m5.12xlarge.
TEST(BootFit, ParallelClusterSamplesHaveTheMeanStated) {
  Durations durations;
  for (const int seconds : {92, 86, 70, 102, 104, 101, 89, 100, 87, 70, 58, 59, 58, 57, 60, 70, 71, 58, 60, 61,
                            72, 67, 82, 73,  79,  64,  59, 58,  56, 63, 59, 74, 69, 61, 64, 69, 68, 56, 66, 60,
                            71, 72, 83, 71,  84,  69,  75, 68,  61, 79, 80, 83, 84, 73, 80, 70, 71, 69, 68, 72}) {
    durations.complete.push_back(seconds * kSecond);
  }
  const BootFit fit = fit_boot(durations);
  const LawFit& whole = law_of(fit, Law::lognormal);
  EXPECT_NEAR(whole.parameters[0].estimate.value, 71.9, 0.2);
  EXPECT_NEAR(whole.parameters[1].estimate.value, 12, 0.6);
  // None is below 56 s, and many are close to it: that is worth its price.
  EXPECT_EQ(law_name(fit.laws.front().law), "lognormal cut");
  EXPECT_EQ(fit.laws.front().law.minimum, 56);
}

// --- Records ---

class BootRecordTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ =
        (std::filesystem::temp_directory_path() /
         fmt::format("headroom-boot-{}-{}", ::getpid(), testing::UnitTest::GetInstance()->current_test_info()->name()))
            .string();
  }
  void TearDown() override { std::filesystem::remove(path_); }
  const std::string& file(const std::string& text) {
    std::ofstream(path_, std::ios::trunc) << text;
    return path_;
  }
  std::string error_of(const std::string& text) {
    try {
      read_boot_records(file(text));
      return "no error";
    } catch (const InputError& error) {
      return error.what();
    }
  }
  std::string path_;
};

const std::string kHeading = "node,instance_type,node_group,launch_s,running_s,ready_s,end_s,end_reason\n";

TEST_F(BootRecordTest, ReadsNodesCsv) {
  const BootRecords read = read_boot_records(file(kHeading + "a-1,c6i.xlarge,a,0,16,89,1039,SCHEDULER_REQUESTED\n"
                                                             "\"a-2\",c6i.xlarge,a,10.5,27,,300,BOOTSTRAP_FAILED\n"
                                                             "a-3,c6i.xlarge,a,10,27,,100,END_OF_RUN\n"
                                                             "a-4,c6i.xlarge,a,10,,,20,END_OF_RUN\n"
                                                             "a-5,c6i.xlarge,a,10,,,,\n"));
  ASSERT_EQ(read.stages.size(), 7u);
  EXPECT_EQ(read.stages[0].stage, BootStage::Stage::pending);
  EXPECT_EQ(read.stages[0].time, 16 * kSecond);
  EXPECT_EQ(read.stages[1].stage, BootStage::Stage::bootstrap);
  EXPECT_EQ(read.stages[1].time, 73 * kSecond);
  EXPECT_EQ(read.stages[2].time, 16'500'000);
  EXPECT_EQ(read.stages[3].outcome, BootStage::Outcome::failed);
  EXPECT_EQ(read.stages[5].outcome, BootStage::Outcome::censored);
  EXPECT_EQ(read.stages[5].time, 73 * kSecond);
  EXPECT_EQ(read.stages[6].outcome, BootStage::Outcome::censored);
  EXPECT_EQ(read.stages[6].time, 10 * kSecond);
}

std::string event_of_pcs(std::int64_t stamp_ms, const std::string& id, const std::string& status,
                         const std::string& reason) {
  return fmt::format(
      R"({{"resource_id": "pcs_abc", "resource_type": "PCS_CLUSTER", "event_timestamp": {}, "compute_node_group_id": "pcs_g",
"scheduler_node_id": "compute-1", "status_code": "{}", "reason_code": "{}", "description": "x",
"details": {{"instance_id": "{}", "instance_type": "c6i.xlarge"}}}})",
      stamp_ms, status, reason, id);
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text + "\n";
}

// Names and milliseconds as the AWS PCS User Guide prints them ("Scaling logs").
TEST_F(BootRecordTest, ReadsScalingLogsOfPcs) {
  const std::int64_t start = 1789179816460;
  const BootRecords read = read_boot_records(file(
      one_line(event_of_pcs(start, "i-1", "LAUNCHED", "SCHEDULER_REQUESTED")) +
      one_line(event_of_pcs(start, "i-2", "LAUNCHED", "SCHEDULER_REQUESTED")) +
      one_line(event_of_pcs(start, "i-3", "LAUNCHED", "SCHEDULER_REQUESTED")) +
      one_line(event_of_pcs(start + 89'500, "i-1", "ACTIVE", "BOOTSTRAP_SUCCESS")) +
      one_line(event_of_pcs(start + 100'000, "i-9", "ACTIVE", "BOOTSTRAP_SUCCESS")) +
      R"({"event_timestamp": 1, "status_code": "LAUNCH_FAILED", "reason_code": "INSUFFICIENT_CAPACITY", "details": {"ec2_error_code": "x"}})"
      "\n\n" +
      one_line(event_of_pcs(start + 900'000, "i-2", "TERMINATED", "BOOTSTRAP_FAILED"))));
  ASSERT_EQ(read.stages.size(), 3u);
  EXPECT_EQ(read.stages[0].time, 89'500'000);
  EXPECT_EQ(read.stages[0].group, "pcs_g");
  EXPECT_EQ(read.stages[0].type, "c6i.xlarge");
  EXPECT_EQ(read.stages[0].stage, BootStage::Stage::total);
  EXPECT_EQ(read.stages[1].outcome, BootStage::Outcome::failed);
  EXPECT_EQ(read.stages[2].outcome, BootStage::Outcome::censored);
  EXPECT_EQ(read.stages[2].time, 900 * kSecond);
  ASSERT_EQ(read.remarks.size(), 1u);
  EXPECT_THAT(read.remarks[0], HasSubstr("1 instances left out: their launch is not in the log"));
}

TEST_F(BootRecordTest, ReadsEventsOfARun) {
  const auto event = [](double at, const char* status) {
    return fmt::format(R"({{"time_s": {}, "event_timestamp": 0, "node_group": "g", "status": "{}", "reason": "", )"
                       R"("details": {{"instance_id": "i-1", "instance_type": null}}}})"
                       "\n",
                       at, status);
  };
  const BootRecords read =
      read_boot_records(file(event(11.02, "LAUNCHED") + event(100.02, "REGISTERED") + event(100.02, "ACTIVE")));
  ASSERT_EQ(read.stages.size(), 1u);
  EXPECT_EQ(read.stages[0].time, 89 * kSecond);
  EXPECT_EQ(read.stages[0].group, "g");
}

TEST_F(BootRecordTest, SaysFileAndLineOfWhatIsWrong) {
  const std::string launched = one_line(event_of_pcs(5000, "i-1", "LAUNCHED", "SCHEDULER_REQUESTED"));
  const std::pair<std::string, std::string> cases[] = {
      {"", "empty; expected nodes.csv or a scaling log"},
      {"\n\n", "empty; expected nodes.csv or a scaling log"},
      {"hello\n", ":1: neither nodes.csv"},
      {"node,launch_s,ready_s,end_s\n", ":1: no column running_s"},
      {kHeading + "a-1,c6i.xlarge,a,0,16\n", ":2: found 5 fields, the heading has 8: the file is cut or damaged"},
      {kHeading + "a-1,c6i.xlarge,a,,16,89,1039,X\n", ":2: launch_s: missing; expected seconds"},
      {kHeading + "a-1,c6i.xlarge,a,x,16,89,1039,X\n", ":2: launch_s: found \"x\", expected seconds"},
      {kHeading + "a-1,c6i.xlarge,a,0,nan,89,1039,X\n", ":2: running_s: found \"nan\", expected seconds"},
      {kHeading + "a-1,c6i.xlarge,a,20,16,89,1039,X\n", ":2: running_s: before launch_s"},
      {kHeading + "a-1,c6i.xlarge,a,0,16,9,1039,X\n", ":2: ready_s: before running_s"},
      {kHeading + "a-1,c6i.xlarge,a,0,,9,1039,X\n", ":2: ready_s: of an instance without running_s"},
      {"{\n", ":1: not JSON"},
      {launched + "{\"status\": \"ACTIVE\"\n", ":2: not JSON"},
      {"{\"message\": \"slurmctld\"}\n", ":1: status_code: missing; expected an event of a scaling log"},
      {"{\"status_code\": \"ACTIVE\", \"event_timestamp\": \"now\"}\n",
       ":1: event_timestamp: found \"now\", expected milliseconds since 1970"},
      {launched + launched, ":2: status_code: LAUNCHED a second time for instance \"i-1\""},
      {launched + one_line(event_of_pcs(4000, "i-1", "ACTIVE", "")),
       ":1: an instance that is active before it is launched"},
  };
  for (const auto& [text, error] : cases) EXPECT_THAT(error_of(text), HasSubstr(error)) << text;
}

// --- All of it ---

TEST_F(BootRecordTest, GpuTypesHaveALawOfTheirOwn) {
  std::string text = kHeading;
  for (int i = 0; i < 30; ++i) {
    text += fmt::format("a,c6i.xlarge,cpu,0,17,{},1000,X\nb,p5.48xlarge,gpu,0,16,{},1000,X\n", 80 + i % 7, 160 + i % 9);
  }
  text += "a,c6i.xlarge,cpu,0,17,,1000,BOOTSTRAP_FAILED\n";
  const BootCalibration calibration = calibrate_boot({file(text)}, 0.95);
  ASSERT_EQ(calibration.rows.size(), 4u);
  EXPECT_EQ(calibration.rows[1].group, "cpu");
  EXPECT_EQ(calibration.rows[1].failed, 1u);
  EXPECT_NEAR(calibration.rows[1].failed_share.value, 1.0 / 31, 1e-9);
  // Clopper and Pearson's interval of 1 in 31.
  EXPECT_NEAR(calibration.rows[1].failed_share.low, 0.00082, 0.00001);
  EXPECT_NEAR(calibration.rows[1].failed_share.high, 0.16702, 0.0001);
  const json fragment = json::parse(boot_calibration_fragment(calibration));
  const json& boot = fragment.at("cloud").at("boot");
  ASSERT_EQ(boot.size(), 3u);
  EXPECT_TRUE(boot.contains("bootstrapGpu"));
  EXPECT_EQ(json::parse(boot_calibration_json(calibration)).at("rows").size(), 4u);
  EXPECT_THAT(boot_calibration_text(calibration), HasSubstr("1 failed"));

  // A scenario takes it.
  json scenario = json::parse(std::ifstream(HEADROOM_SOURCE_DIR "/scenarios/tutorial.json"));
  scenario["cloud"]["boot"] = boot;
  scenario.erase("expect");
  const std::string path = file(scenario.dump());
  EXPECT_NO_THROW(load_scenario(path, {}));
}

TEST_F(BootRecordTest, TotalsKeepAPendingTime) {
  std::string text;
  for (int i = 0; i < 12; ++i) {
    const std::string id = fmt::format("i-{}", i);
    text += one_line(event_of_pcs(1000 * i, id, "LAUNCHED", "")) +
            one_line(event_of_pcs(1000 * i + 90'000 + 1000 * (i % 5), id, "ACTIVE", ""));
  }
  const BootCalibration calibration = calibrate_boot({file(text)}, 0.95);
  const json boot = json::parse(boot_calibration_fragment(calibration)).at("cloud").at("boot");
  EXPECT_EQ(boot.at("pending"), 17);
  EXPECT_TRUE(boot.contains("bootstrap"));
  EXPECT_THAT(calibration.remarks, testing::Contains(HasSubstr("17 s of each boot are taken as pending")));
  for (const auto& key : calibration.keys) {
    if (key.name == "bootstrap") {
      EXPECT_NEAR(key.row.fit->mean_s, 91.75 - 17, 0.3);
    }
  }
}

TEST_F(BootRecordTest, TooFewBootsAreAnError) {
  EXPECT_THROW(calibrate_boot({file(kHeading + "a,c6i.xlarge,cpu,0,17,80,1000,X\n")}, 0.95), InputError);
  EXPECT_THROW(calibrate_boot({file(kHeading)}, 0.95), InputError);
}

}  // namespace
}  // namespace headroom
