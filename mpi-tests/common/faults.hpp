// Faults on purpose, for tests of these programs and of what reads their output: a check that cannot fail proves
// nothing. They are asked for in the environment variable HEADROOM_MPI_FAULT, are announced on stderr, and stand in the
// JSON as "test_fault", so that nobody takes such a result for a measurement.
//
//   corrupt:RANK         every tenth message from this rank, the second first, has one wrong byte
//   slow:A-B:MICROSECONDS    messages between ranks A and B are sent so much later
//   slow:RANK:MICROSECONDS   messages from and to this rank
//   mute:A-B             nothing that rank A sends arrives at rank B: a security group that is open one way only
#pragma once

#include <cstdint>
#include <string>

namespace headroom::mpi {

class Faults {
 public:
  Faults() = default;
  // Throws UsageError when the text is none of the above. Empty: no fault.
  explicit Faults(const std::string& text);

  const std::string& text() const { return text_; }
  bool corrupts(int sender, std::int64_t iteration) const { return corrupt_ == sender && iteration % 10 == 1; }
  std::int64_t delay_us(int sender, int receiver) const;
  bool loses(int sender, int receiver) const { return mute_from_ == sender && mute_to_ == receiver; }

 private:
  std::string text_;
  int corrupt_ = -1;
  int slow_a_ = -1;
  int slow_b_ = -1;  // -1: everybody
  std::int64_t slow_us_ = 0;
  int mute_from_ = -1;
  int mute_to_ = -1;
};

}  // namespace headroom::mpi
