#include "mpi-tests/common/json.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace headroom::mpi {
namespace {

std::string quoted(std::string_view text) {
  JsonWriter json;
  json.value(text);
  return json.text();
}

TEST(MpiJson, SeparatesMembersAndElements) {
  JsonWriter json;
  json.begin_object().member("a", 1).key("b").begin_array().value(true).value("x").begin_object().end_object();
  json.end_array().member("c", 2.5).raw_member("d", "[]").end_object();
  EXPECT_EQ(json.text(), R"({"a":1,"b":[true,"x",{}],"c":2.5,"d":[]})");
}

TEST(MpiJson, EscapesWhatJsonForbids) {
  EXPECT_EQ(quoted("a\"b\\c\n\t\x01\x7f"), "\"a\\\"b\\\\c\\u000a\\u0009\\u0001\\u007f\"");
  EXPECT_EQ(quoted(std::string_view("a\0b", 3)), "\"a\\u0000b\"");
}

TEST(MpiJson, ReplacesBytesThatAreNoUtf8) {
  EXPECT_EQ(quoted("gr\xC3\xBC\xC3\x9F"), "\"gr\xC3\xBC\xC3\x9F\"");
  EXPECT_EQ(quoted("\xF0\x9F\x98\x80"), "\"\xF0\x9F\x98\x80\"");
  const std::string mark = "\xEF\xBF\xBD";
  EXPECT_EQ(quoted("a\xFF"), "\"a" + mark + "\"");
  EXPECT_EQ(quoted("\xC3"), "\"" + mark + "\"");                                   // cut off
  EXPECT_EQ(quoted("\xC0\xAF"), "\"" + mark + mark + "\"");                        // overlong
  EXPECT_EQ(quoted("\xED\xA0\x80"), "\"" + mark + mark + mark + "\"");             // a surrogate
  EXPECT_EQ(quoted("\xF4\x90\x80\x80"), "\"" + mark + mark + mark + mark + "\"");  // beyond U+10FFFF
}

TEST(MpiJson, HasNoNumbersThatJsonLacks) {
  JsonWriter json;
  json.begin_array().value(std::numeric_limits<double>::infinity()).value(std::numeric_limits<double>::quiet_NaN());
  json.value(1e-9).value(std::int64_t{9'007'199'254'740'993}).end_array();
  EXPECT_EQ(json.text(), "[null,null,1e-09,9007199254740993]");
}

}  // namespace
}  // namespace headroom::mpi
