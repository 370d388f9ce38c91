// One program run to its end, or to its time limit. Hides fork, process groups and signals. Promises that when
// run_child() returns nothing that it started is left on this machine: on a time-out or an interruption the program's
// process group gets SIGTERM (mpirun and srun then end their ranks, on other machines too), and after a grace what is
// left of it SIGKILL, and so does every process that the program left behind, in whatever group it is; so the caller
// must have no other children.
#pragma once

#include <atomic>
#include <string>
#include <utility>
#include <vector>

namespace headroom::validate {

struct ChildResult {
  int status = 0;  // exit status; 128 + signal when a signal ended it; 127 when it could not be started
  bool timed_out = false;
  bool interrupted = false;
  double elapsed_s = 0;
};

struct ChildCommand {
  std::vector<std::string> arguments;                            // the program, looked up in PATH, and its arguments
  std::vector<std::pair<std::string, std::string>> environment;  // over the caller's own
  std::string folder;                                            // to run in; empty: the caller's
  std::string out_file;                                          // its stdout
  std::string log_file;                                          // its stderr
  double time_limit_s = 60;
};

// `stop` is looked at while the program runs. Throws EnvironmentError when files or processes cannot be made.
ChildResult run_child(const ChildCommand& command, const std::atomic<bool>& stop);

}  // namespace headroom::validate
