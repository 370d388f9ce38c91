// Which nodes a job gets: Slurm's select/cons_tres with CR_CPU or CR_CPU_Memory, on a flat topology. Nodes of the
// lowest rank first; within one rank whole runs of neighbours in the table, the tightest run that suffices; for the
// last missing node the one with the fewest sufficient CPUs.
#pragma once

#include <vector>

#include "models/policies/slurm/nodes.hpp"

namespace headroom::slurm {

// What a job asks for, in the terms of slurmctld's job record.
struct Ask {
  std::int32_t min_nodes = 1;
  std::int32_t max_nodes = 0;   // 0: any
  std::int32_t most_nodes = 0;  // what limits leave; 0: any
  std::int32_t cpus = 1;        // in total, at least
  std::int32_t tasks = 1;
  std::int32_t tasks_per_node = 0;  // 0: any
  std::int32_t cpus_per_task = 1;
  bool whole_nodes = false;  // --exclusive
  MemoryUnit memory_unit = MemoryUnit::whole;
  std::int32_t memory = 0;

  // CPUs that every node has to give.
  std::int32_t cpus_per_node() const { return std::max(tasks_per_node, 1) * cpus_per_task; }
};

class Selector {
 public:
  struct Share {
    Index node;
    std::int32_t cpus;
  };
  Selector(const NodeTable& table, const Conf& conf)
      : table_(table), memory_counts_(conf.memory), offers_whole_tasks_(conf.version.offers_whole_tasks()) {}

  // The best nodes for `ask` among `candidates`, given what is held and each node's rank; false if there are not
  // enough. The nodes come in the order in which they are chosen. `clip`: a node gives no more CPUs than
  // --ntasks-per-node takes. `whole`: as if the job took whole nodes.
  bool pick(const Ask& ask, const NodeBits& candidates, const Holdings& held, const Ranking& rank, bool clip,
            bool whole, std::vector<Share>& out);
  // The same when only the nodes are of interest.
  bool pick(const Ask& ask, const NodeBits& candidates, const Holdings& held, const Ranking& rank, bool clip,
            bool whole, NodeBits& out);

  // CPUs that the node could give to the job, while so much of it is held; 0 if too few.
  std::int32_t offer(const Ask& ask, Index n, std::int32_t held_cpus, std::int32_t held_memory, bool clip,
                     bool whole) const;

  // MiB that a job that asked so holds on a node of which it has this share.
  std::int32_t memory_of(const Ask& ask, const Share& share) const;

  // Takes out the nodes that have nothing to offer even when nothing of them is held.
  void remove_too_small(const Ask& ask, NodeBits& nodes) const;

  // Whether all these nodes have the same size, and a node of which something is held has nothing to offer to the job:
  // then only Holdings::idle is looked at.
  bool only_idle(const Ask& ask, const NodeBits& nodes) const;

 private:
  struct Run {  // neighbours in the table of one rank
    Index first;
    Index last;
    std::int32_t nodes;
    std::int32_t cpus;
    std::uint64_t rank;
  };
  template <class Take>
  bool choose(const Ask& ask, const NodeBits& candidates, const Holdings& held, const Ranking& rank, bool clip,
              bool whole, Take take);
  static void distribute(const Ask& ask, std::vector<Share>& shares);

  const NodeTable& table_;
  bool memory_counts_;
  bool offers_whole_tasks_;
  // scratch
  std::vector<std::int32_t> offer_;  // by node
  NodeBits usable_;
  NodeBits partial_;  // of the usable ones, those of which something is held
  std::vector<Run> runs_;
};

}  // namespace headroom::slurm
