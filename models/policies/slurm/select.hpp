// Which nodes a job gets: Slurm's select/cons_tres with CR_CPU or CR_CPU_Memory, on a flat topology. Nodes of the
// lowest rank first; within one rank whole runs of neighbours in the table, the tightest run that suffices; for the
// last missing node the one with the fewest sufficient CPUs.
#pragma once

#include <memory>
#include <vector>

#include "models/policies/slurm/nodes.hpp"

namespace headroom::slurm {

struct Needs;
class Placement;
class Topology;

// What a job asks for, in the terms of slurmctld's job record.
struct Ask {
  std::int32_t min_nodes = 1;
  std::int32_t max_nodes = 0;   // 0: any
  std::int32_t most_nodes = 0;  // what limits leave; 0: any
  std::int32_t cpus = 1;        // in total, at least
  std::int32_t tasks = 1;
  bool tasks_given = true;          // then it gets no more nodes than tasks
  std::int32_t tasks_per_node = 0;  // 0: any
  std::int32_t cpus_per_task = 1;
  bool whole_nodes = false;  // --exclusive
  Sharing sharing;
  MemoryUnit memory_unit = MemoryUnit::whole;
  std::int32_t memory = 0;
  const Needs* needs = nullptr;                               // what else it asks of nodes
  std::int32_t core_spec = -1;                                // CPUs that it leaves to the system; -1: as the nodes say
  bool use_min_nodes = false;                                 // no more of a range than it takes
  std::int32_t most_cpus = 0;                                 // of a node, for all jobs of its partition; 0: any
  const std::vector<std::int32_t>* partition_cpus = nullptr;  // by node: that these have now, where that counts
  std::int32_t wanted_nodes = 0;                              // so many if possible; 0: max_nodes, or else min_nodes

  // CPUs that every node has to give.
  std::int32_t cpus_per_node() const { return std::max(tasks_per_node, 1) * cpus_per_task; }
};

class Selector {
 public:
  struct Share {
    Index node;
    std::int32_t cpus;
    std::int32_t gpus = 0;  // known once the job has the node
  };
  Selector(const NodeTable& table, const Conf& conf);
  ~Selector();
  Selector(const Selector&) = delete;
  Selector& operator=(const Selector&) = delete;

  // The wall clock's second, for jobs that wait for some switches for so long.
  void set_now(Second now) { now_ = now; }

  // The best nodes for `ask` among `candidates`, given what is held and each node's rank; false if there are not
  // enough. The nodes come in the order in which they are chosen. `clip`: a node gives no more CPUs than
  // --ntasks-per-node takes. `whole`: as if the job took whole nodes.
  bool pick(const Ask& ask, const NodeBits& candidates, const Holdings& held, const Ranking& rank, bool clip,
            bool whole, std::vector<Share>& out);
  // The same when only the nodes are of interest, to test when it could start.
  bool pick(const Ask& ask, const NodeBits& candidates, const Holdings& held, const Ranking& rank, bool clip,
            bool whole, NodeBits& out);

  // Where jobs may share CPUs: those that a job with these shares does not get, of the last that were picked.
  const NodeBits& taken() const { return taken_; }

  // CPUs that the node could give to the job, while so much of it is held; 0 if too few.
  std::int32_t offer(const Ask& ask, Index n, std::int32_t held_cpus, std::int32_t held_memory, bool clip,
                     bool whole) const;

  bool counts_memory() const { return memory_counts_; }

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
  template <class Out>
  bool pick_in_rows(const Ask& ask, const NodeBits& candidates, const Holdings& held, const Ranking& rank, bool clip,
                    bool whole, Out& out);
  void see(const Holdings& held, const NodeBits& taken);
  // Sets may_leave_out_ where it fails.
  template <class Take>
  bool choose(const Ask& ask, const NodeBits& candidates, const Holdings& held, const Ranking& rank, bool clip,
              bool whole, Take take);
  static void distribute(const Ask& ask, std::vector<Share>& shares);
  // Whether CPUs, memory and the order of nodes are not all there is to it.
  bool is_special(const Ask& ask) const { return ask.needs != nullptr || ask.core_spec >= 0 || topology_ != nullptr; }

  const NodeTable& table_;
  bool memory_counts_;
  bool offers_whole_tasks_;
  std::unique_ptr<Topology> topology_;  // null: flat
  std::unique_ptr<Placement> placement_;
  Second now_ = 0;
  bool may_leave_out_ = false;  // with fewer nodes to choose from there might be enough of them
  // scratch
  std::vector<std::int32_t> offer_;  // by node
  NodeBits usable_;
  NodeBits partial_;  // of the usable ones, those of which something is held
  std::vector<Run> runs_;
  std::vector<std::int32_t> offers_;
  std::vector<Share> shares_;
  NodeBits taken_;
  Holdings seen_;  // what is held, to one way of sharing CPUs; it has no rows itself
};

}  // namespace headroom::slurm
