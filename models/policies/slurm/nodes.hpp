// The nodes as slurmctld has them: in the order of their names, with what jobs hold of them and the flags that sinfo
// shows. Whether a node has power is the cluster's to know; the rest is here.
#pragma once

#include <bit>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/cluster.hpp"
#include "models/policies/slurm/conf.hpp"

namespace headroom::slurm {

// A node's place in the table.
using Index = std::uint32_t;

// A set of nodes, as bits.
class NodeBits {
 public:
  NodeBits() = default;
  explicit NodeBits(std::size_t nodes, bool all = false) : words_((nodes + 63) / 64, all ? ~std::uint64_t{0} : 0) {
    if (all && nodes % 64 != 0) words_.back() = (std::uint64_t{1} << (nodes % 64)) - 1;
  }
  std::size_t size() const { return words_.size() * 64; }  // room, at least
  bool test(Index n) const { return (words_[n / 64] >> (n % 64) & 1) != 0; }
  void set(Index n) { words_[n / 64] |= std::uint64_t{1} << (n % 64); }
  void reset(Index n) { words_[n / 64] &= ~(std::uint64_t{1} << (n % 64)); }
  void clear() { words_.assign(words_.size(), 0); }
  NodeBits& operator&=(const NodeBits& other) {
    for (std::size_t w = 0; w < words_.size(); ++w) words_[w] &= other.words_[w];
    return *this;
  }
  NodeBits& operator|=(const NodeBits& other) {
    for (std::size_t w = 0; w < words_.size(); ++w) words_[w] |= other.words_[w];
    return *this;
  }
  NodeBits& remove(const NodeBits& other) {
    for (std::size_t w = 0; w < words_.size(); ++w) words_[w] &= ~other.words_[w];
    return *this;
  }
  bool overlaps(const NodeBits& other) const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      if ((words_[w] & other.words_[w]) != 0) return true;
    }
    return false;
  }
  // Whether all of these are among the others.
  bool within(const NodeBits& other) const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      if ((words_[w] & ~other.words_[w]) != 0) return false;
    }
    return true;
  }
  std::int32_t count() const {
    int sum = 0;
    for (const std::uint64_t w : words_) sum += ones(w);
    return sum;
  }
  std::int32_t count_common(const NodeBits& other) const {
    int sum = 0;
    for (std::size_t w = 0; w < words_.size(); ++w) sum += ones(words_[w] & other.words_[w]);
    return sum;
  }
  // Sets all from `first` to `last`.
  void set(Index first, Index last) {
    for (std::size_t w = first / 64; w <= last / 64; ++w) {
      std::uint64_t mask = ~std::uint64_t{0};
      if (w == first / 64) mask &= ~std::uint64_t{0} << (first % 64);
      if (w == last / 64) mask &= ~std::uint64_t{0} >> (63 - last % 64);
      words_[w] |= mask;
    }
  }
  // Calls visit(index) in ascending order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      for (std::uint64_t word = words_[w]; word != 0; word &= word - 1) {
        visit(static_cast<Index>(w * 64 + static_cast<std::size_t>(std::countr_zero(word))));
      }
    }
  }
  bool none() const { return first() == kNone; }
  static constexpr Index kNone = ~Index{0};
  // The lowest member; kNone: there is none.
  Index first() const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      if (words_[w] != 0) return static_cast<Index>(w * 64 + static_cast<std::size_t>(std::countr_zero(words_[w])));
    }
    return kNone;
  }
  // Calls visit(first, last) for each run of neighbours that are in both sets, in ascending order.
  template <class Visit>
  static void for_each_common_run(const NodeBits& a, const NodeBits& b, Visit visit) {
    const std::size_t end = a.words_.size() * 64;
    // The first position from `at` on that is in both sets, or, with `same` all ones, that is not.
    const auto next = [&](std::size_t at, std::uint64_t same) {
      while (at < end) {
        const std::uint64_t word = ((a.words_[at / 64] & b.words_[at / 64]) ^ same) >> (at % 64);
        if (word != 0) return at + static_cast<std::size_t>(std::countr_zero(word));
        at = (at / 64 + 1) * 64;
      }
      return end;
    };
    for (std::size_t at = next(0, 0); at < end; at = next(at, 0)) {
      const std::size_t stop = next(at, ~std::uint64_t{0});
      visit(static_cast<Index>(at), static_cast<Index>(stop - 1));
      at = stop;
      if (at >= end) break;
    }
  }
  bool operator==(const NodeBits&) const = default;
  // Adds those of `nodes` that are not in `others`.
  void add_beyond(const NodeBits& nodes, const NodeBits& others) {
    for (std::size_t w = 0; w < words_.size(); ++w) words_[w] |= nodes.words_[w] & ~others.words_[w];
  }
  // Calls visit(index) for those in both sets, ascending; it may change either set at that index.
  template <class Visit>
  static void for_each_common(const NodeBits& a, const NodeBits& b, Visit visit) {
    for (std::size_t w = 0; w < a.words_.size(); ++w) {
      for (std::uint64_t word = a.words_[w] & b.words_[w]; word != 0; word &= word - 1) {
        visit(static_cast<Index>(w * 64 + static_cast<std::size_t>(std::countr_zero(word))));
      }
    }
  }
  // Whether some node is in `a` and `b`, but not in both `c` and `d`.
  static bool beyond(const NodeBits& a, const NodeBits& b, const NodeBits& c, const NodeBits& d) {
    for (std::size_t w = 0; w < a.words_.size(); ++w) {
      if ((a.words_[w] & b.words_[w] & ~(c.words_[w] & d.words_[w])) != 0) return true;
    }
    return false;
  }

 private:
  // std::popcount is a call where the instruction cannot be taken for granted.
  static int ones(std::uint64_t x) {
    x -= (x >> 1) & 0x5555555555555555;
    x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return static_cast<int>((x * 0x0101010101010101) >> 56);
  }

  std::vector<std::uint64_t> words_;
};

// What jobs hold of each node; a value, so that plans can work on a copy. Of idle nodes only `idle` is looked at.
struct Holdings {
  std::vector<std::int32_t> cpus;
  std::vector<std::int32_t> memory;
  std::vector<std::int32_t> jobs;
  NodeBits idle;                   // without a job
  NodeBits shared;                 // with several
  NodeBits full;                   // without a free CPU
  std::vector<std::int32_t> gres;  // by pool (NodeTable::pools)
  bool imagined = false;           // an empty cluster: could a job ever run?

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

  std::int32_t completing = 0;  // jobs whose processes are told to end
  Second last_busy = 0;         // when the last job ended, or the node came up; 0: it is not up
  Second resumed = 0;           // when its resume was asked for
  Second suspended = 0;
  Second last_response = 0;
  bool answers = true;      // its daemon does
  bool no_respond = false;  // slurmctld has noticed that it does not
  bool down = false;
  bool was_down = false;  // and has not registered since: the backfill thread leaves it out
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
