// The test programs as a job of Slurm: one batch job that runs them one after the other over its nodes. Hides the job
// script, sbatch, squeue and scancel. Promises that the job does not outlive the call: it is cancelled on a time-out
// and when the user interrupts.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "models/validate/launch.hpp"

namespace headroom::validate {

struct SlurmOptions {
  std::int64_t nodes = 2;
  std::string partition;            // empty: Slurm's default
  std::string time_limit;           // as sbatch takes it; empty: what the tests can take at most
  bool srun = false;                // start ranks with srun in place of mpirun
  std::string mpi = "pmix";         // srun --mpi
  std::vector<std::string> sbatch;  // further options of sbatch
  double queue_limit_s = 1800;      // how long the job may wait; nodes of an elastic cluster boot for minutes
};

struct SlurmJob {
  std::string id;
  std::string nodes;  // as Slurm writes them
  std::string state;  // the last one seen
  std::vector<ProgramRun> runs;
};

// The script; the nodes of the job have to see options.folder and options.programs under the same names.
std::string job_script(const SlurmOptions& slurm, const LaunchOptions& options, Launcher launcher);

// Throws EnvironmentError when the job is refused, does not start in time, or leaves nothing behind.
SlurmJob run_with_slurm(const SlurmOptions& slurm, const LaunchOptions& options, const std::atomic<bool>& stop,
                        const std::function<void(const std::string&)>& report);

}  // namespace headroom::validate
