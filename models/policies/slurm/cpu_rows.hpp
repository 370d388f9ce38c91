// Which CPUs jobs have, where OverSubscribe lets jobs have them together: select/cons_tres's rows. A partition has as
// many rows as jobs may share a CPU, and a job is in the first row in which its CPUs are free. Jobs of different
// partitions are in different rows, so they may share CPUs, too, if both may share at all.
//
// Source: select/cons_tres as it behaves, slurm.conf(5), recorded run s13.
#pragma once

#include <span>
#include <vector>

#include "engine/cluster.hpp"
#include "models/policies/slurm/conf.hpp"
#include "models/policies/slurm/node_bits.hpp"

namespace headroom::slurm {

// How a job may have CPUs that others have.
struct Sharing {
  QueueId queue{0};     // in whose rows it is
  bool shares = false;  // it may have them together with other jobs that may
  bool forced = false;  // whether it asks for it or not
  bool alone = false;   // it takes whole nodes, and only those on which nobody is
};

// What a partition makes of a job that asks for whole nodes, or to share.
Sharing sharing_in(const Conf& conf, QueueId queue, bool whole_nodes, bool oversubscribe);

// How many jobs may have a core of the group together; 1: none may.
std::int32_t jobs_per_core(const Conf& conf, const ClusterSpec& spec, GroupId group);

class CpuRows {
 public:
  CpuRows() = default;
  // `cpus` by node, those that jobs do not get included. Where no partition lets jobs share, nothing is kept.
  CpuRows(const Conf& conf, const ClusterSpec& spec, const std::vector<std::int32_t>& cpus);
  bool any() const { return !partitions_.empty(); }
  // Tiers and modes of preemption changed.
  void follow(const Conf& conf);

  // Sets of CPUs are of all nodes, one node's after the other's. All that some job has:
  const NodeBits& in_use() const { return in_use_; }
  std::int32_t in_use(Index node) const { return count(in_use_, node); }
  std::int32_t in_use(Index node, QueueId queue) const;  // by jobs of this partition
  std::int32_t count(const NodeBits& cpus, Index node) const;

  // Takes out the nodes where the job cannot be, whatever CPUs are free: one that shares not beside jobs that do not,
  // one that does not share not beside jobs of other partitions that let jobs share.
  void remove_unusable(const Sharing& job, NodeBits& nodes) const;

  // For a job that may share: tries one set of CPUs after the other that are not to be given to it, until it fits
  // beside them.
  template <class Fits>
  bool find(const Sharing& job, Fits fits) const;

  // The job gets so many CPUs of each node (ascending), the first that are not in `taken`. `changed`: how many of them
  // nobody had, by its nodes.
  struct Part {
    Index node;
    std::int32_t cpus;
  };
  void take(JobId job, const Sharing& how, std::span<const Part> parts, const NodeBits& taken,
            std::vector<std::int32_t>& changed);
  // It no longer has them. `changed`: how many of them nobody has any more, by its nodes.
  void give_back(JobId job, std::vector<std::int32_t>& changed);

  // A job's CPUs, ascending: the node, and the number there.
  struct Cpu {
    Index node;
    std::int32_t number;
  };
  std::vector<Cpu> cpus_of(JobId job) const;

 private:
  struct Held {
    JobId job;
    bool shares;
    std::vector<Index> cpus;  // ascending
  };
  struct Row {
    NodeBits cpus;
    std::vector<Held> jobs;
  };
  struct Rows {
    std::size_t most = 1;
    std::int32_t tier = 1;
    bool off = false;     // PreemptMode=OFF
    bool many = false;    // it lets jobs share
    std::vector<Row> of;  // those that were ever used
    std::vector<std::int32_t> node_jobs;
  };
  void add_all(const Rows& rows, NodeBits& cpus) const;
  static void sort(std::vector<Row>& rows);
  static bool fits(const Held& held, const Row& row);
  bool put(Rows& rows, Held& held) const;
  void pack(Rows& rows) const;
  // By the nodes of these CPUs: for how many of them visit(CPU) says true.
  template <class Visit>
  void by_node(const std::vector<Index>& cpus, std::vector<std::int32_t>& sums, Visit visit) const;

  std::vector<Index> first_cpu_;  // by node, and the number of all
  std::vector<Index> node_of_;    // by CPU
  // By queue. slurmctld sorts a partition's rows when it looks for room in them: that changes nothing that is held.
  mutable std::vector<Rows> partitions_;
  std::vector<std::size_t> by_tier_;  // partitions, the highest tier first
  std::vector<std::int32_t> apart_;   // by node: jobs that do not share
  NodeBits in_use_;
  bool tiers_preempt_ = false;  // PreemptType=preempt/partition_prio
  bool qos_preempts_ = false;   // PreemptType=preempt/qos: rows stay in their order
};

template <class Fits>
bool CpuRows::find(const Sharing& job, Fits fits) const {
  Rows& mine = partitions_[index(job.queue)];
  NodeBits never(node_of_.size());
  if (tiers_preempt_) {
    for (const Rows& rows : partitions_) {
      if (rows.tier > mine.tier || rows.off) add_all(rows, never);
    }
  }
  // CPUs that jobs of lower tiers have, if it must be.
  NodeBits taken = never;
  for (const Rows& rows : partitions_) {
    if (rows.tier == mine.tier) add_all(rows, taken);
  }
  if (fits(taken)) {
    for (const std::size_t p : by_tier_) {
      if (partitions_[p].tier >= mine.tier) continue;
      NodeBits more = taken;
      add_all(partitions_[p], more);
      if (!fits(more)) return fits(taken);
      taken = more;
    }
    return true;
  }
  if (!qos_preempts_) sort(mine.of);
  for (const Row& row : mine.of) {
    taken = never;
    taken |= row.cpus;
    if (fits(taken)) return true;
  }
  return mine.of.size() < mine.most && fits(never);
}

}  // namespace headroom::slurm
