#include "mpi-tests/common/options.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mpi-tests/common/faults.hpp"

namespace headroom::mpi {
namespace {

using ::testing::HasSubstr;

struct MpiOptions : ::testing::Test {
  bool fast = false;
  std::int64_t count = 10;
  std::int64_t bytes = 4096;
  double limit_s = 60;
  std::string pairs = "ends";
  Options options;

  MpiOptions() {
    options.flag("fast", fast, "be quick");
    options.count("count", count, 1, 100, "how many");
    options.bytes("max-bytes", bytes, 0, std::int64_t{1} << 30, "how large");
    options.seconds("time-limit", limit_s, 0, "how long");
    options.text("pairs", "PAIRS", pairs, "who");
  }
  std::string error_of(const std::vector<std::string>& arguments) const {
    try {
      options.parse(arguments);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(MpiOptions, TakesValuesInBothForms) {
  options.parse({"--fast", "--count", "7", "--max-bytes=64K", "--time-limit=1.5", "--pairs", "0-1"});
  EXPECT_TRUE(fast);
  EXPECT_EQ(count, 7);
  EXPECT_EQ(bytes, 65536);
  EXPECT_EQ(limit_s, 1.5);
  EXPECT_EQ(pairs, "0-1");
  JsonWriter json;
  options.write(json);
  EXPECT_EQ(json.text(), R"({"fast":true,"count":7,"max-bytes":65536,"time-limit":1.5,"pairs":"0-1"})");
}

TEST_F(MpiOptions, SaysWhatIsWrong) {
  EXPECT_THAT(error_of({"--cuont", "7"}), HasSubstr("unknown option \"--cuont\""));
  EXPECT_THAT(error_of({"7"}), HasSubstr("unexpected argument \"7\""));
  EXPECT_THAT(error_of({"--"}), HasSubstr("unexpected argument"));
  EXPECT_THAT(error_of({""}), HasSubstr("unexpected argument"));
  EXPECT_EQ(error_of({"--count"}), "--count: needs a value");
  EXPECT_EQ(error_of({"--fast=yes"}), "--fast: takes no value");
  EXPECT_EQ(error_of({"--count", "0"}), "--count: found \"0\", expected a whole number from 1 to 100");
  for (const char* wrong : {"", "x", "1.5", "99999999999999999999", "7 ", "-1"}) {
    EXPECT_THAT(error_of({"--count", wrong}), HasSubstr("--count: found")) << wrong;
  }
  for (const char* wrong : {"", "K", "-1", "1T", "1.5M", "9999999999G", "2G"}) {
    EXPECT_THAT(error_of({"--max-bytes", wrong}), HasSubstr("--max-bytes: found")) << wrong;
  }
  for (const char* wrong : {"", "nan", "inf", "-1", "1s"}) {
    EXPECT_THAT(error_of({"--time-limit", wrong}), HasSubstr("--time-limit: found")) << wrong;
  }
  EXPECT_EQ(error_of({"--pairs="}), "--pairs: is empty");
}

TEST_F(MpiOptions, HelpNamesEveryOptionAndItsDefault) {
  EXPECT_THAT(options.help(), HasSubstr("--max-bytes BYTES           how large (4K)\n"));
  EXPECT_THAT(options.help(), HasSubstr("--fast                      be quick\n"));
}

TEST(MpiFaults, AreWhatTheTextSays) {
  EXPECT_FALSE(Faults().corrupts(0, 1));
  EXPECT_TRUE(Faults("corrupt:2").corrupts(2, 1));
  EXPECT_FALSE(Faults("corrupt:2").corrupts(1, 1));
  const Faults pair("slow:1-2:500");
  EXPECT_EQ(pair.delay_us(1, 2), 500);
  EXPECT_EQ(pair.delay_us(2, 1), 500);
  EXPECT_EQ(pair.delay_us(1, 3), 0);
  const Faults node("slow:3:70");
  EXPECT_EQ(node.delay_us(0, 3), 70);
  EXPECT_EQ(node.delay_us(3, 0), 70);
  EXPECT_EQ(node.delay_us(0, 1), 0);
  EXPECT_TRUE(Faults("mute:0-1").loses(0, 1));
  EXPECT_FALSE(Faults("mute:0-1").loses(1, 0));
  for (const char* wrong : {"corrupt", "corrupt:", "corrupt:x", "corrupt:-1", "slow:1", "slow:1-2-3:5", "slow:1:x",
                            "mute:1", "mute:1-2:3", "stop:1", ":"}) {
    EXPECT_THROW(Faults{wrong}, UsageError) << wrong;
  }
}

}  // namespace
}  // namespace headroom::mpi
