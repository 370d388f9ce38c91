#include "mpi-tests/common/payload.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace headroom::mpi {
namespace {

std::vector<std::byte> message(std::size_t bytes, const Stamp& stamp) {
  std::vector<std::byte> result(bytes);
  fill(result, stamp);
  return result;
}

TEST(MpiPayload, EveryWrongByteIsFoundWhereItIs) {
  for (const std::size_t bytes : {1U, 2U, 7U, 8U, 9U, 31U, 4096U}) {
    std::vector<std::byte> text = message(bytes, {5, 1, 0});
    EXPECT_FALSE(first_difference(text, {5, 1, 0}));
    for (std::size_t at = 0; at<bytes; at += bytes> 64 ? 97 : 1) {
      text[at] ^= std::byte{1};
      EXPECT_EQ(first_difference(text, {5, 1, 0}), at) << bytes << " bytes";
      text[at] ^= std::byte{1};
    }
  }
  EXPECT_FALSE(first_difference({}, {5, 1, 0}));
}

TEST(MpiPayload, AnotherMessageIsNotTheMessage) {
  const std::vector<std::byte> text = message(64, {5, 1, 2});
  EXPECT_TRUE(first_difference(text, {5, 2, 2})) << "another sender";
  EXPECT_TRUE(first_difference(text, {5, 1, 3})) << "another place in the window";
  EXPECT_TRUE(first_difference(message(128, {5, 1, 2}), {6, 1, 2})) << "another iteration";
  std::vector<std::byte> cut = message(128, {5, 1, 2});
  cut.resize(64);
  EXPECT_TRUE(first_difference(cut, {5, 1, 2})) << "the beginning of a longer message";
  EXPECT_TRUE(first_difference(std::vector<std::byte>(64), {5, 1, 2})) << "nothing was written";
}

TEST(MpiPayload, AnOldByteIsSeen) {
  for (int iteration = 0; iteration < 1000; ++iteration) {
    EXPECT_TRUE(first_difference(message(1, {iteration, 3, 0}), {iteration + 1, 3, 0})) << iteration;
  }
}

}  // namespace
}  // namespace headroom::mpi
