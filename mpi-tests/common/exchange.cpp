#include "mpi-tests/common/exchange.hpp"

#include <algorithm>
#include <string>

#include "mpi-tests/common/payload.hpp"

namespace headroom::mpi {

Exchange::Exchange(Session& session, int leader, int follower)
    : session_(session),
      leader_(leader),
      peer_(session.rank() == leader ? follower : leader),
      wrong_messages_before_(session.wrong_messages()) {}

bool Exchange::leads() const { return session_.rank() == leader_; }

std::int64_t Exchange::decide(std::int64_t count) {
  if (!leads()) return session_.steered(peer_);
  session_.steer(count, peer_);
  return count;
}

bool Exchange::agree(bool go_on) {
  session_.watch().doing("the next step with " + session_.describe(peer_));
  return decide(go_on ? 1 : 0) != 0;
}

void Exchange::prepare(std::span<std::byte> message, std::int64_t iteration, int slot) const {
  fill(message, {iteration, session_.rank(), slot});
  if (!message.empty() && session_.faults().corrupts(session_.rank(), iteration)) {
    message[message.size() / 2] ^= std::byte{0x10};
  }
}

bool Exchange::check(std::span<const std::byte> message, std::int64_t iteration, int slot) {
  const auto difference = first_difference(message, {iteration, peer_, slot});
  if (difference) {
    session_.report_wrong("message " + std::to_string(iteration) + " of " + std::to_string(message.size()) +
                          " bytes from " + session_.describe(peer_) + " is not what was sent, from byte " +
                          std::to_string(*difference) + " on");
  }
  return !difference;
}

// How many iterations like the last one there is time for.
std::int64_t Exchange::affordable(double seconds, std::int64_t most) const {
  const double count = seconds / std::max(last_cost_s_, 1e-9);
  return count < static_cast<double>(most) ? std::max(static_cast<std::int64_t>(count), std::int64_t{0}) : most;
}

// One iteration, then the warm-up, then as many as the time allows for.
template <class Batch>
Samples Exchange::measure(const Effort& effort, const Batch& batch) {
  Samples samples;
  std::int64_t total = 0;
  const auto timed = [&](std::int64_t count) {
    const double start = MPI_Wtime();
    std::vector<double> seconds = batch(count);
    last_cost_s_ = (MPI_Wtime() - start) / static_cast<double>(count);
    total += count;
    return seconds;
  };
  if (leads()) {
    timed(decide(1));
    if (const std::int64_t count = affordable(effort.seconds / 4, effort.warmup - 1); count > 0) timed(decide(count));
    samples.seconds = timed(decide(std::max(affordable(effort.seconds, effort.iterations), std::int64_t{1})));
    decide(0);
  } else {
    while (const std::int64_t count = decide(0)) timed(count);
  }
  samples.messages = total;
  return samples;
}

Samples Exchange::ping_pong(std::int64_t bytes, const Effort& effort) {
  const auto length = static_cast<std::size_t>(bytes);
  out_.resize(std::max(out_.size(), length));
  in_.resize(std::max(in_.size(), length));
  const std::span<std::byte> out(out_.data(), length);
  const std::span<std::byte> in(in_.data(), length);
  session_.watch().doing("ping-pong of " + std::to_string(bytes) + " bytes with " + session_.describe(peer_));
  return measure(effort, [&](std::int64_t count) {
    std::vector<double> seconds;
    if (leads()) seconds.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i, ++iteration_) {
      prepare(out, iteration_, 0);
      if (leads()) {
        session_.steered(peer_);  // the other one is ready
        const double start = MPI_Wtime();
        session_.delay(peer_);
        session_.send(out, peer_);
        session_.receive(in, peer_);
        seconds.push_back(MPI_Wtime() - start);
      } else {
        session_.steer(1, peer_);
        session_.receive(in, peer_);
        session_.delay(peer_);
        session_.send(out, peer_);
      }
      check(in, iteration_, 0);
    }
    return seconds;
  });
}

Samples Exchange::stream(std::int64_t bytes, std::int64_t window, const Effort& effort) {
  constexpr std::int64_t kMostBytes = std::int64_t{64} << 20;
  const auto length = static_cast<std::size_t>(bytes);
  std::vector<std::byte>& buffer = leads() ? out_ : in_;
  std::vector<MPI_Request> requests;
  std::int64_t size = 1;  // of the window
  const auto slot = [&](std::int64_t i) {
    return std::span<std::byte>(buffer.data() + length * static_cast<std::size_t>(i), length);
  };
  session_.watch().doing("stream of " + std::to_string(bytes) + " bytes with " + session_.describe(peer_));
  const auto batch = [&](std::int64_t count) {
    std::vector<double> seconds;
    requests.resize(static_cast<std::size_t>(size));
    buffer.resize(std::max(buffer.size(), length * static_cast<std::size_t>(size)));
    for (std::int64_t round = 0; round < count; ++round, ++iteration_) {
      if (leads()) {
        for (std::int64_t i = 0; i < size; ++i) prepare(slot(i), iteration_, static_cast<int>(i));
        session_.steered(peer_);  // all receives are posted
        const double start = MPI_Wtime();
        session_.delay(peer_);
        for (std::int64_t i = 0; i < size; ++i) {
          requests[static_cast<std::size_t>(i)] = session_.begin_send(slot(i), peer_);
        }
        MPI_Waitall(static_cast<int>(size), requests.data(), MPI_STATUSES_IGNORE);
        session_.receive({}, peer_);
        seconds.push_back(MPI_Wtime() - start);
      } else {
        for (std::int64_t i = 0; i < size; ++i) {
          requests[static_cast<std::size_t>(i)] = session_.begin_receive(slot(i), peer_);
        }
        session_.steer(1, peer_);
        MPI_Waitall(static_cast<int>(size), requests.data(), MPI_STATUSES_IGNORE);
        session_.send({}, peer_);
        for (std::int64_t i = 0; i < size; ++i) check(slot(i), iteration_, static_cast<int>(i));
      }
    }
    return seconds;
  };
  // A single message tells how large a window a slow link can take.
  const double start = MPI_Wtime();
  batch(1);
  last_cost_s_ = MPI_Wtime() - start;
  const std::int64_t most = bytes == 0 ? window : std::min(window, std::max(kMostBytes / bytes, std::int64_t{2}));
  size = decide(std::max(affordable(effort.seconds / 3, most), std::min(most, std::int64_t{2})));
  Samples samples = measure(effort, batch);
  samples.window = size;
  samples.messages = samples.messages * size + 1;
  return samples;
}

std::int64_t Exchange::wrong_messages() {
  session_.watch().doing("the count of wrong messages of " + session_.describe(peer_));
  const std::int64_t mine = session_.wrong_messages() - wrong_messages_before_;
  if (leads()) return mine + session_.steered(peer_);
  session_.steer(mine, peer_);
  return mine;
}

}  // namespace headroom::mpi
