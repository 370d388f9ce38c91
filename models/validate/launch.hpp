// The test programs on a list of hosts, with mpirun: which program with which arguments, on how many ranks, with which
// environment, and what follows when one fails or hangs. Hides the dialects of mpirun (Open MPI; Hydra of MPICH and
// Intel MPI). Promises a time limit for every run, that nothing is left running, and that whatever happens to the
// programs is in the result; what throws (EnvironmentError) is only a machine on which nothing can be started.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/network/link_model.hpp"

namespace headroom::validate {

struct LaunchOptions {
  std::vector<std::string> hosts;  // empty under Slurm: the nodes of the job
  std::int64_t host_count = 0;     // of the job; otherwise hosts.size()
  std::string mpirun = "mpirun";
  std::string programs;  // folder
  std::vector<std::string> tests;
  Transport transport = Transport::efa;
  bool as_is = false;  // take what MPI chooses by itself
  std::int64_t tasks_per_node = 1;
  double time_limit_s = 300;  // of one program
  std::int64_t largest_bytes = 4 << 20;
  bool imds = false;   // ask the instance metadata service who the host is
  std::string folder;  // for output and logs
};

// Why a program was run.
enum class Purpose : std::uint8_t {
  test,
  as_is,     // hello did not start over the transport asked for: does it start at all?
  over_tcp,  // a test hung: does TCP get through?
  one_pair,  // a test hung: between these two hosts, too?
};

struct ProgramRun {
  std::string test;
  Purpose purpose = Purpose::test;
  std::vector<std::string> hosts;  // of one_pair
  std::string command;             // for the user
  int status = 0;
  bool ran = true;  // false: the job ended before
  bool timed_out = false;
  bool interrupted = false;
  bool stalled = false;   // its own watch ended it: no message arrived for too long
  bool reported = false;  // exit status 1 with a document: it ended, and says what is wrong
  double elapsed_s = 0;
  double time_limit_s = 0;
  std::string out_file;  // its stdout, with the document
  std::string log_file;  // its stderr
};

inline bool hung(const ProgramRun& run) { return run.ran && (run.timed_out || run.stalled); }
inline bool failed(const ProgramRun& run) { return !run.ran || run.timed_out || (run.status != 0 && !run.reported); }

enum class Launcher : std::uint8_t { openmpi, hydra };

// Environment of the programs: what chooses the transport (unless as_is), and what makes MPI libraries say which one
// they use.
std::vector<std::pair<std::string, std::string>> transport_environment(Transport transport, bool as_is);

// Arguments that start `test` on `hosts` (empty: on the nodes of the Slurm job), `per_host` ranks on each.
std::vector<std::string> launch_arguments(const LaunchOptions& options, Launcher launcher, const std::string& test,
                                          const std::vector<std::string>& hosts, std::int64_t host_count,
                                          std::int64_t per_host);

// Ranks on each host for this test: latency and bandwidth are measured with one, where there are two hosts.
std::int64_t ranks_per_host(const LaunchOptions& options, const std::string& test);

// Runs the program's --version. EnvironmentError when it cannot be started.
Launcher identify_launcher(const std::string& mpirun, const std::string& folder, const std::atomic<bool>& stop);

// `report` gets one sentence for the user now and then.
std::vector<ProgramRun> run_with_mpirun(const LaunchOptions& options, const std::atomic<bool>& stop,
                                        const std::function<void(const std::string&)>& report);

// Whether the output holds a document. A program that ends with 1 has found something wrong, and says what in its
// document; mpirun ends with 1 for reasons of its own.
bool holds_document(const std::string& out_file);

// Whether the programs' own watch has ended them.
bool shows_stall(const std::string& log_file);

// The command as one would type it.
std::string shell_words(const std::vector<std::string>& arguments);

}  // namespace headroom::validate
