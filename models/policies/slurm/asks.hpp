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
  std::string prefer;                 // --prefer: before that, if possible
  std::string nodelist;               // --nodelist: all of these, and others if it takes more
  std::string exclude;                // --exclude
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
  // Components of a heterogeneous job are jobs of their own that arrive together, in ascending order.
  std::int32_t components = 0;  // of the whole job; 0: it is none
  std::int32_t component = 0;   // this one's number; 0 leads
  std::int32_t min_nodes = 0;   // --nodes=MIN-MAX; 0: the request says how many
  std::int32_t max_nodes = 0;   // of that
  bool use_min_nodes = false;   // --use-min-nodes
  std::string partitions;       // --partition of several: their names, the request's queue among them
  std::int64_t deadline = 0;    // --deadline: seconds after the submission; 0: none
  std::int64_t time_min = 0;    // --time-min, seconds; 0: not given
  bool operator==(const Asks&) const = default;
};

}  // namespace headroom::slurm
