// The nodes as slurmctld has them: in the order of their names, with what jobs hold of them and the flags that sinfo
// shows. Whether a node has power is the cluster's to know; the rest is here.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/cluster.hpp"
#include "models/policies/slurm/conf.hpp"
#include "models/policies/slurm/cpu_rows.hpp"
#include "models/policies/slurm/node_bits.hpp"

namespace headroom::slurm {

// What jobs hold of each node; a value, so that plans can work on a copy. Of idle nodes only `idle` is looked at.
struct Holdings {
  std::vector<std::int32_t> cpus;  // that some job has
  std::vector<std::int32_t> memory;
  std::vector<std::int32_t> jobs;
  NodeBits idle;                   // without a job
  NodeBits shared;                 // with several
  NodeBits full;                   // without a free CPU
  std::vector<std::int32_t> gres;  // by pool (NodeTable::pools)
  bool imagined = false;           // an empty cluster: could a job ever run?
  CpuRows rows;                    // which CPUs, where jobs may share them

  explicit Holdings(std::size_t nodes = 0, std::size_t pools = 0)
      : cpus(nodes), memory(nodes), jobs(nodes), idle(nodes, true), shared(nodes), full(nodes), gres(pools) {}
  // `size`: CPUs of the node.
  void take(Index n, std::int32_t size, std::int32_t more_cpus, std::int32_t more_memory) {
    cpus[n] += more_cpus;
    memory[n] += more_memory;
    idle.reset(n);
    if (++jobs[n] > 1) shared.set(n);
    if (cpus[n] >= size) full.set(n);
  }
  void give_back(Index n, std::int32_t less_cpus, std::int32_t less_memory) {
    cpus[n] -= less_cpus;
    memory[n] -= less_memory;
    if (--jobs[n] == 0) idle.set(n);
    if (jobs[n] == 1) shared.reset(n);
    full.reset(n);
  }
  std::int32_t cpus_of(Index n) const { return idle.test(n) ? 0 : cpus[n]; }
  std::int32_t memory_of(Index n) const { return idle.test(n) ? 0 : memory[n]; }
  std::int32_t gres_of(Index n, std::size_t pool) const { return idle.test(n) ? 0 : gres[pool]; }
};

// The order in which nodes are taken: lower ranks first; nodes of one rank are alike.
struct Ranking {
  std::vector<std::uint64_t> of;
  struct Class {
    std::uint64_t rank;
    NodeBits nodes;
  };
  std::vector<Class> classes;  // ascending

  void assign(std::vector<std::uint64_t> ranks);
};

// Why a node is down whose instance did not register in time.
inline constexpr std::string_view kResumeTimedOut = "ResumeTimeout reached";

struct Node {
  NodeId id{0};
  std::string name;
  std::int32_t cpus = 0;
  std::int32_t memory = 0;     // MiB; both are what jobs may have
  std::int32_t core_spec = 0;  // CPUs beyond these that jobs do not get
  std::int32_t weight = 1;
  Second suspend_time = 0;  // as of its partitions and slurm.conf
  Second suspend_timeout = 0;
  Second resume_timeout = 0;
  bool can_suspend = false;  // it has an instance that comes and goes
  bool excepted = false;     // SuspendExcNodes

  std::int32_t completing = 0;  // jobs whose processes are told to end
  Second last_busy = 0;         // when the last job ended, or the node came up; 0: it is not up
  Second resumed = 0;           // when its resume was asked for
  Second suspended = 0;
  Second last_response = 0;
  bool answers = true;      // its daemon does
  bool no_respond = false;  // slurmctld has noticed that it does not
  bool down = false;
  bool was_down = false;   // and has not registered since: the backfill thread leaves it out
  bool withdrawn = false;  // down because the service took it out of use
  bool drain = false;
  bool planned = false;
  bool reserved = false;    // by a reservation that has begun
  bool maintained = false;  // by one with MAINT
  bool power_down_asked = false;
  bool power_up_asked = false;
  bool power_cycle = false;  // told to power down when it had no power: out of use for SuspendTimeout all the same
  std::string reason;        // why it is down or drained
};

class NodeTable {
 public:
  // `names` by NodeId.
  NodeTable(const Cluster& cluster, const Conf& conf, const std::vector<std::string>& names);

  std::size_t size() const { return nodes_.size(); }
  Node& operator[](Index n) { return nodes_[n]; }
  const Node& operator[](Index n) const { return nodes_[n]; }
  Index of(NodeId id) const { return of_[index(id)]; }
  const NodeBits& partition(QueueId queue) const { return partitions_[index(queue)]; }
  // Partitions have the nodes that their groups have now.
  void fill_partitions(const Cluster& cluster);
  std::int64_t total_cpus() const { return total_cpus_; }

  NodeState power(const Cluster& cluster, Index n) const { return cluster.state(nodes_[n].id); }
  // Whether jobs may be given the node (slurmctld's avail_node_bitmap).
  bool available(const Cluster& cluster, Index n) const {
    const Node& node = nodes_[n];
    return !node.down && !node.drain && !node.no_respond && !node.power_cycle &&
           power(cluster, n) != NodeState::powering_down;
  }
  NodeBits available(const Cluster& cluster) const;
  // Nodes with jobs whose processes are told to end.
  const NodeBits& completing() const { return completing_; }
  void add_completing(Index n, std::int32_t jobs) {
    nodes_[n].completing += jobs;
    nodes_[n].completing > 0 ? completing_.set(n) : completing_.reset(n);
  }
  bool free_of_jobs(Index n) const { return held.jobs[n] == 0 && nodes_[n].completing == 0; }

  // `start`: a job is to start; otherwise it is tested when it could, and nodes that boot are like those that are up.
  std::uint64_t rank(const Cluster& cluster, Index n, const Version& version, bool start) const;
  // For starts under 22.05, where of the powered-down nodes those are taken last beside which others of their kind,
  // weight and partition have power.
  std::vector<std::uint64_t> rank_in(QueueId queue, const Cluster& cluster, const Version& version) const;

  // The nodes of a list such as n[01-03]; none if it is ill-formed or names one that is not there.
  std::optional<NodeBits> named(const std::string& list) const;
  // Nodes with as many CPUs and as much memory as this one.
  const NodeBits& like(Index n) const { return kinds_[kind_[n]]; }
  // The nodes with this feature; null: there are none.
  const NodeBits* feature(const std::string& name) const {
    const auto at = features_.find(name);
    return at == features_.end() ? nullptr : &at->second;
  }
  // Generic resources of all nodes, in the order of the nodes; those of one node are pools first_pool(n) to
  // first_pool(n + 1).
  const std::vector<GresPool>& pools() const { return pools_; }
  std::size_t first_pool(Index n) const { return first_pool_[n]; }
  // Nodes of one number could be named by one line of slurm.conf.
  std::uint32_t line(Index n) const { return line_[n]; }
  // Of every kind its nodes.
  const std::vector<NodeBits>& kinds() const { return kinds_; }

  Holdings held;
  NodeBits exclusive;  // held by a job that has its nodes alone

 private:
  std::vector<Node> nodes_;
  std::vector<Index> of_;
  std::vector<NodeBits> partitions_;
  std::vector<NodeBits> kinds_;
  std::vector<std::uint32_t> kind_;
  std::vector<std::uint32_t> line_;  // nodes that one line of slurm.conf could name: kind and settings
  std::map<std::string, NodeBits> features_;
  std::vector<GresPool> pools_;
  std::vector<std::size_t> first_pool_;
  NodeBits completing_;
  std::int64_t total_cpus_ = 0;
};

// The state as sinfo prints it: "idle~", "mix#", "alloc", "comp", "plnd", "down*", "drng" ...
std::string sinfo_state(const Cluster& cluster, const NodeTable& table, Index n);

}  // namespace headroom::slurm
