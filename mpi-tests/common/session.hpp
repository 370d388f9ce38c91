// What the four programs have in common: MPI's beginning and end, the command line, messages that are counted, the
// facts of every rank, and the one document that rank 0 writes. A program is its options and a body.
//
// Promises: arguments are read on rank 0 and are the same everywhere; a wrong argument is one message, not one per
// rank; every rank ends with the same status, after MPI_Finalize: 0 fine; 1 a check failed (payload, layout); 2 usage;
// 4 the environment failed (nothing moves any more, the output cannot be written).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <mpi.h>

#include "mpi-tests/common/faults.hpp"
#include "mpi-tests/common/options.hpp"
#include "mpi-tests/common/stall_watch.hpp"

#ifndef HEADROOM_MPI_VERSION  // built by hand, without CMake
#define HEADROOM_MPI_VERSION "unversioned"
#endif

namespace headroom::mpi {

// Payload bytes to and from other ranks. Messages without payload and those that steer a test are not counted, so what
// the network carried is a little more.
struct Traffic {
  std::int64_t sent = 0;
  std::int64_t received = 0;
  std::int64_t sent_off_host = 0;  // to ranks of other shared-memory groups: what no shared memory can have carried
  std::int64_t received_off_host = 0;
};

struct Program;

struct Outcome {
  std::string result;   // JSON, on rank 0
  std::string text;     // for a terminal, on rank 0
  bool failed = false;  // on any rank: status 1
};

class Session {
 public:
  int rank() const { return rank_; }
  int size() const { return static_cast<int>(names_.size()); }
  double elapsed_s() const { return MPI_Wtime() - start_; }
  // By rank: the lowest rank with which it shares memory (MPI_COMM_TYPE_SHARED).
  const std::vector<int>& groups() const { return groups_; }
  // By rank: Slurm's name of the node, else the host's.
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<std::string>& boot_ids() const { return boot_ids_; }
  std::string describe(int rank) const;  // "rank 3 (ip-10-0-0-7)"
  const Faults& faults() const { return faults_; }
  StallWatch& watch() { return watch_; }
  Traffic& traffic() { return traffic_; }
  int groups_count() const;

  // One payload message; counted. The requests of the non-blocking ones are the caller's to wait for.
  void send(std::span<const std::byte> message, int receiver);
  void receive(std::span<std::byte> message, int sender);
  MPI_Request begin_send(std::span<const std::byte> message, int receiver);
  MPI_Request begin_receive(std::span<std::byte> message, int sender);
  // A number that steers the test; not counted, and in order with itself only.
  void steer(std::int64_t number, int receiver);
  std::int64_t steered(int sender);

  // Sleeps where the faults say that messages to `receiver` are slow.
  void delay(int receiver) const;
  // Counts a payload that is not what it should be, and says so on stderr: "rank 3 (ip-10-0-0-7): WHAT".
  void report_wrong(const std::string& what);
  std::int64_t wrong_messages() const { return wrong_messages_; }

  // A barrier whose waiting ranks sleep: ranks that have nothing to do leave the processors to those that measure.
  void quiet_barrier(MPI_Comm communicator = MPI_COMM_WORLD);
  // The texts of all ranks, by rank, on rank 0; empty elsewhere.
  std::vector<std::string> collect(const std::string& text) const;

 private:
  friend int run(int argc, char** argv, const Program& program);
  Session(const std::string& program, int rank, int size, double stall_limit_s);

  double start_ = MPI_Wtime();
  int rank_ = 0;
  std::vector<int> groups_;
  std::vector<std::string> names_;
  std::vector<std::string> boot_ids_;
  Faults faults_;
  StallWatch watch_;
  Traffic traffic_;
  std::int64_t wrong_messages_ = 0;

  void count_sent(std::size_t bytes, int receiver);
  void count_received(std::size_t bytes, int sender);
};

struct Program {
  std::string name;
  std::string purpose;  // for --help
  int least_ranks = 1;
  std::function<void(Options&)> declare;
  // After parsing, on every rank: what is wrong with the options together. Throws UsageError.
  std::function<void(int ranks)> check;
  std::function<Outcome(Session&)> body;
};

// The whole of main(). Returns the exit status.
int run(int argc, char** argv, const Program& program);

}  // namespace headroom::mpi
