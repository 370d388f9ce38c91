// What sbatch can ask for beyond what the core knows of a job (JobRequest, JobTerms): who pays, of what quality, and on
// what kind of node. Texts are as sbatch takes them; they are parsed, and refused, where they are read.
#pragma once

#include <cstdint>
#include <string>

namespace headroom::slurm {

struct Asks {
  std::string account;                // --account; "": the user's default
  std::string qos;                    // --qos; "": the association's default
  std::string constraint;             // --constraint
  std::string gres;                   // --gres, --gpus-per-node
  std::string gpus;                   // --gpus: of the job
  std::string gpus_per_task;          // --gpus-per-task
  std::string gpus_per_socket;        // --gpus-per-socket
  std::string licenses;               // --licenses
  std::string reservation;            // --reservation
  bool contiguous = false;            // --contiguous
  bool spread_job = false;            // --spread-job
  std::string switches;               // --switches=COUNT[@TIME]
  std::int32_t core_spec = -1;        // --core-spec; -1: not given
  std::int32_t sockets_per_node = 0;  // --sockets-per-node; this and the next three: 0: not given
  std::int32_t cpus_per_gpu = 0;      // --cpus-per-gpu
  std::int32_t tasks_per_gpu = 0;     // --ntasks-per-gpu
  std::int32_t memory_per_gpu = 0;    // --mem-per-gpu, in MiB
  bool exclusive_user = false;        // --exclusive=user
  bool oversubscribe = false;         // --oversubscribe
  bool overcommit = false;            // --overcommit
  bool operator==(const Asks&) const = default;
};

}  // namespace headroom::slurm
