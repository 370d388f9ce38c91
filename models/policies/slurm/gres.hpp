// Generic resources (GRES): what slurm.conf says that a node has, and what sbatch asks for, in their own notation
// (NAME[:TYPE][:COUNT], several joined by commas). GPUs are those of the name gpu.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headroom::slurm {

// So many of one name and type on a node. Counts only: which device a job gets decides nothing here.
struct GresPool {
  std::string name;
  std::string type;  // "": none
  std::int32_t count = 0;
  bool operator==(const GresPool&) const = default;
};

// What a job asks for of one name and type; 0: not in these terms.
struct GresRequest {
  std::string name;
  std::string type;           // "": any
  std::int32_t per_node = 0;  // --gres, --gpus-per-node
  std::int32_t per_job = 0;   // --gpus
  std::int32_t per_task = 0;  // --gpus-per-task
  bool takes(const GresPool& pool) const { return pool.name == name && (type.empty() || pool.type == type); }
  bool is_gpu() const { return name == "gpu"; }
  bool operator==(const GresRequest&) const = default;
};

// Return what is wrong with the text, "" if nothing. `fallback` is the name where the notation has none
// (--gpus=a100:2).
std::string parse_node_gres(std::string_view text, std::vector<GresPool>& pools);
std::string parse_gres(std::string_view text, std::string_view fallback, std::int32_t GresRequest::*in,
                       std::vector<GresRequest>& requests);

}  // namespace headroom::slurm
