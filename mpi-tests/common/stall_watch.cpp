#include "mpi-tests/common/stall_watch.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include <unistd.h>

namespace headroom::mpi {

namespace {
using Clock = std::chrono::steady_clock;
}

StallWatch::StallWatch(std::string who) : who_(std::move(who)), thread_([this] { watch(); }) {}

StallWatch::~StallWatch() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void StallWatch::limit(double seconds) {
  const std::lock_guard lock(mutex_);
  limit_s_ = seconds;
  wake_.notify_all();
}

void StallWatch::doing(std::string what) {
  const std::lock_guard lock(mutex_);
  what_ = std::move(what);
  progress();
}

void StallWatch::watch() {
  std::unique_lock lock(mutex_);
  std::uint64_t seen = 0;
  Clock::time_point since = Clock::now();
  while (!over_) {
    // Rarely, so that the measurement does not notice; four times within the limit, so that the limit is one.
    const double nap_s = limit_s_ > 0 ? std::clamp(limit_s_ / 4, 0.05, 5.0) : 3600;
    wake_.wait_for(lock, std::chrono::duration<double>(nap_s));
    const std::uint64_t moves = moves_.load(std::memory_order_relaxed);
    if (moves != seen || what_.empty() || limit_s_ <= 0) {
      seen = moves;
      since = Clock::now();
      continue;
    }
    if (std::chrono::duration<double>(Clock::now() - since).count() < limit_s_) continue;
    std::fprintf(stderr, "%s: no progress for %g s: %s\n", who_.c_str(), limit_s_, what_.c_str());
    std::fflush(stderr);
    // The first rank that goes takes all others with it; the pattern of who waits for whom is what tells.
    wake_.wait_for(lock, std::chrono::seconds(2), [this] { return over_; });
    if (!over_) _exit(4);
  }
}

}  // namespace headroom::mpi
