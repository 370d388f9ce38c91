// Ends a run that hangs and says where. Without it, a message that never arrives (a security group that lets EFA's
// traffic through one way only) is a job that runs into its time limit and says nothing.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace headroom::mpi {

// A thread that makes no MPI calls. When nothing has moved for the limit, it prints one line to stderr
//     pingpong: rank 3 (ip-10-0-0-7): no progress for 60 s: ping-pong of 8 bytes with rank 0 (ip-10-0-0-5)
// waits so long that other ranks can print theirs, and ends the process with status 4: the launcher ends the others.
class StallWatch {
 public:
  explicit StallWatch(std::string who);
  StallWatch(const StallWatch&) = delete;
  StallWatch& operator=(const StallWatch&) = delete;
  ~StallWatch();

  void limit(double seconds);  // 0: never
  // What this rank is about to wait for; empty: it has nothing to do and may wait as long as it takes.
  void doing(std::string what);
  // Something has arrived. Cheap.
  void progress() { moves_.fetch_add(1, std::memory_order_relaxed); }

 private:
  void watch();

  std::string who_;
  std::string what_;
  double limit_s_ = 300;
  std::atomic<std::uint64_t> moves_{0};
  bool over_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace headroom::mpi
