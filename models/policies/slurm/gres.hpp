// Generic resources (GRES): what slurm.conf says that a node has, and what sbatch asks for, in their own notation
// (NAME[:TYPE][:COUNT], several joined by commas). GPUs are those of the name gpu.
#pragma once

#include <algorithm>
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
  std::string type;             // "": any
  std::int32_t per_node = 0;    // --gres, --gpus-per-node
  std::int32_t per_job = 0;     // --gpus
  std::int32_t per_task = 0;    // --gpus-per-task
  std::int32_t per_socket = 0;  // --gpus-per-socket: on all sockets that it asks for of a node
  // What comes with each of them; 0: not said.
  std::int32_t cpus_each = 0;    // --cpus-per-gpu, DefCpuPerGPU
  std::int32_t tasks_each = 0;   // --ntasks-per-gpu
  std::int32_t memory_each = 0;  // MiB: --mem-per-gpu, DefMemPerGPU
  bool takes(const GresPool& pool) const { return pool.name == name && (type.empty() || pool.type == type); }
  bool is_gpu() const { return name == "gpu"; }
  // So many in all, as far as it is known before nodes are chosen.
  std::int64_t total(std::int64_t nodes, std::int64_t tasks) const {
    if (per_job > 0) return per_job;
    return per_node + per_socket > 0 ? (per_node > 0 ? per_node : per_socket) * nodes : per_task * tasks;
  }
  // CPUs that go with each: a task has some.
  std::int32_t cpus_with(std::int32_t cpus_per_task) const {
    const std::int64_t of_tasks = std::int64_t{tasks_each} * cpus_per_task;
    return cpus_each > 0 ? cpus_each : static_cast<std::int32_t>(std::min<std::int64_t>(of_tasks, 1'000'000'000));
  }
  bool operator==(const GresRequest&) const = default;
};

// Return what is wrong with the text, "" if nothing. `fallback` is the name where the notation has none
// (--gpus=a100:2).
std::string parse_node_gres(std::string_view text, std::vector<GresPool>& pools);
std::string parse_gres(std::string_view text, std::string_view fallback, std::int32_t GresRequest::*in,
                       std::vector<GresRequest>& requests);

}  // namespace headroom::slurm
