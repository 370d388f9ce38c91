// What a job asks for beyond CPUs, memory and so many nodes, resolved against the cluster.
#pragma once

#include <vector>

#include "models/policies/slurm/features.hpp"
#include "models/policies/slurm/gres.hpp"
#include "models/policies/slurm/licenses.hpp"

namespace headroom::slurm {

struct Needs {
  bool constrained = false;
  FeatureNeed features;
  NodeBits required;  // --nodelist: its nodes are among those that it gets; empty: none are named
  NodeBits excluded;  // --exclude; empty: none are
  std::vector<GresRequest> gres;
  bool contiguous = false;
  bool spread = false;
  std::int32_t switches = 0;  // leaves at most; 0: any
  Second switches_until = 0;  // the wall clock's second from which on any will do
  LicenseNeed licenses;
  // CPUs that its GPUs need on a node, and in all; 0: they need none.
  std::int32_t gres_cpus_per_node = 0;
  std::int32_t gres_cpus = 0;
  std::int32_t memory_per_gpu = 0;  // MiB; 0: memory does not go by GPUs

  bool counts_gres() const {
    for (const GresRequest& r : gres) {
      if (r.per_job > 0) return true;
    }
    return false;
  }
  std::int64_t gpus(std::int64_t nodes, std::int64_t tasks) const {
    std::int64_t sum = 0;
    for (const GresRequest& r : gres) sum += r.is_gpu() ? r.total(nodes, tasks) : 0;
    return sum;
  }
  // Whether it matters to the choice of nodes.
  bool places() const {
    return constrained || !gres.empty() || contiguous || spread || names_nodes() || excludes_nodes();
  }
  bool names_nodes() const { return required.size() > 0; }
  bool excludes_nodes() const { return excluded.size() > 0; }
};

// So many of a pool of a node that a job holds.
struct GresShare {
  Index node;
  std::uint32_t pool;
  std::int32_t count;
};

}  // namespace headroom::slurm
