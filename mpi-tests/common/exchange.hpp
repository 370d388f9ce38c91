// The two measurements between a pair of ranks: ping-pong and stream. Both ranks of the pair make the same calls in the
// same order; the first one, the leader, decides how often, holds the clock and gets the results. Every message is
// checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "mpi-tests/common/session.hpp"

namespace headroom::mpi {

// How much of it. The number of iterations is what `seconds` allow for, judged by the warm-up: a slow link ends too.
struct Effort {
  std::int64_t warmup = 10;
  std::int64_t iterations = 1000;  // at most
  double seconds = 0.2;            // to aim at; one iteration happens in any case
};

struct Samples {
  std::int64_t messages = 0;  // those before the measurement included
  std::int64_t window = 1;    // messages of one sample
  std::vector<double> seconds;
};

class Exchange {
 public:
  // This rank is one of the two.
  Exchange(Session& session, int leader, int follower);
  bool leads() const;

  // Leader: tells the other whether to go on; follower: is told.
  bool agree(bool go_on);

  // Round trips: a message of `bytes` there and one back. The other side is known to wait when the clock starts, and
  // messages are filled and checked while it stands still.
  Samples ping_pong(std::int64_t bytes, const Effort& effort);

  // Windows: up to `window` messages of `bytes` under way at once, then an empty answer. Only the leader's are payload.
  // A window has no more than 64 MiB, and no more messages than a third of the time allows for, but two in any case.
  Samples stream(std::int64_t bytes, std::int64_t window, const Effort& effort);

  // How long one iteration of the last measurement took, checks included. Leader only.
  double last_cost_s() const { return last_cost_s_; }

  // Messages that were not what was sent, on both sides, since the beginning. To be called by both; complete on the
  // leader.
  std::int64_t wrong_messages();

 private:
  template <class Batch>
  Samples measure(const Effort& effort, const Batch& batch);
  std::int64_t decide(std::int64_t count);
  std::int64_t affordable(double seconds, std::int64_t most) const;
  bool check(std::span<const std::byte> message, std::int64_t iteration, int slot);
  void prepare(std::span<std::byte> message, std::int64_t iteration, int slot) const;

  Session& session_;
  int leader_;
  int peer_;
  std::int64_t iteration_ = 0;  // goes on over all measurements, so that no two messages are alike
  std::int64_t wrong_messages_before_;
  double last_cost_s_ = 0;
  std::vector<std::byte> out_;
  std::vector<std::byte> in_;
};

}  // namespace headroom::mpi
