// What sbatch can ask for beyond what the core knows of a job (JobRequest, JobTerms): who pays, of what quality, and on
// what kind of node. Texts are as sbatch takes them; they are parsed, and refused, where they are read.
#pragma once

#include <cstdint>
#include <string>

namespace headroom::slurm {

struct Asks {
  std::string account;          // --account; "": the user's default
  std::string qos;              // --qos; "": the association's default
  std::string constraint;       // --constraint
  std::string gres;             // --gres, --gpus-per-node
  std::string gpus;             // --gpus: of the job
  std::string gpus_per_task;    // --gpus-per-task
  std::string licenses;         // --licenses
  std::string reservation;      // --reservation
  bool contiguous = false;      // --contiguous
  bool spread_job = false;      // --spread-job
  std::string switches;         // --switches=COUNT[@TIME]
  std::int32_t core_spec = -1;  // --core-spec; -1: not given
  bool exclusive_user = false;  // --exclusive=user
  bool oversubscribe = false;   // --oversubscribe
  bool overcommit = false;      // --overcommit
  // Components of a heterogeneous job are jobs of their own that arrive together, in ascending order.
  std::int32_t components = 0;  // of the whole job; 0: it is none
  std::int32_t component = 0;   // this one's number; 0 leads
  bool operator==(const Asks&) const = default;
};

}  // namespace headroom::slurm
