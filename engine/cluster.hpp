// The cluster: node groups, queues, nodes and what is free on them, now and later. Hides the books (who holds which
// cores of which node until when) and promises that they always add up. Policies see it const; only the controller
// changes it. A rigid machine of the literature ("pool") is a cluster of one permanent node with N cores.
#pragma once

#include <array>
#include <bit>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/jobs.hpp"
#include "engine/node_choice.hpp"
#include "engine/pending.hpp"
#include "engine/profile.hpp"
#include "engine/topology.hpp"

namespace headroom {

// Where a group's nodes come from (PCS-11).
enum class Supply : std::uint8_t {
  permanent,  // hardware that is simply there: never launched, never billed
  fixed,      // static group: instances kept from the start to the end
  dynamic,    // launched when jobs need them, terminated when idle
};

struct NodeGroupSpec {
  std::int32_t nodes = 0;  // maxInstanceCount
  std::int32_t cores = 1;  // physical cores of each node: ThreadsPerCore is 1 (PCS-17)
  Supply supply = Supply::dynamic;
  std::int32_t weight = 1;    // lower is chosen first (PCS-16)
  std::int32_t kept = 0;      // of a dynamic group: its first nodes are kept as in a static one (minInstanceCount)
  std::int32_t memory = 0;    // MiB of each node that jobs may have; counts only with ClusterSpec::memory_counts
  std::int32_t present = -1;  // nodes that are there at the start, where changes make the group larger; -1: all
};

struct QueueSpec {
  std::vector<GroupId> groups;  // at the start
  bool open = true;             // takes jobs at the start
};

// What an administrator changes while the cluster runs (PCS-18 to 21, 31, 32). Groups and queues that are created later
// are in the spec from the start, without nodes, and closed; `NodeGroupSpec::nodes` is the most that a group ever has.
// A group whose size changes is dynamic, and `kept` says how many of its nodes are kept: all, where it is static. What
// was deleted may come again as if it were new: a group by `resize`, a queue by `serve` (unless it has no groups) and
// `open`.
struct ClusterChange {
  enum class Kind : std::uint8_t {
    resize,        // of group: nodes and kept ones from now on; nodes beyond lose their jobs, which wait again (PCS-20)
    replace,       // of group: instances that were launched before are replaced when they are idle (PCS-19)
    idle_time,     // of group
    serve,         // of queue: its groups from now on
    open,          // of queue: it takes jobs
    close,         // of queue: it takes no new jobs (PCS-31)
    delete_queue,  // it is closed; its running jobs are terminated, pending ones cancelled (PCS-32)
    delete_group,  // its instances are terminated, jobs on them cancelled (PCS-21)
  };
  Kind kind{};
  GroupId group{0};
  QueueId queue{0};
  std::int32_t nodes = 0;
  std::int32_t kept = 0;
  Time idle_time = 0;
  std::vector<GroupId> groups = {};
  bool operator==(const ClusterChange&) const = default;
};

struct ClusterSpec {
  std::vector<NodeGroupSpec> groups;
  std::vector<QueueSpec> queues;
  std::int32_t instance_limit = std::numeric_limits<std::int32_t>::max();  // PCS-3
  std::int32_t job_limit = std::numeric_limits<std::int32_t>::max();       // PCS-3, active + queued
  Time suspend_timeout = 0;                              // from taking a node down until it may be used again
  bool memory_counts = false;                            // memory is given out like cores (CR_CPU_Memory)
  std::vector<ClusterChange> changes = {};               // that the run may bring (Stimulus::cluster_changed)
  std::shared_ptr<const NetworkTopology> topology = {};  // null: nothing is known of the network
  NodeChoice node_choice = NodeChoice::order;  // of jobs that ask for a number of nodes, where the network is known
};

enum class NodeState : std::uint8_t {
  up,             // idle, mix or alloc
  powering_up,    // alloc#: instance launched, node not registered yet
  powered_down,   // idle~: no instance; may be allocated, which asks for one
  powering_down,  // idle%: not to be used until the instance is gone
};

// Cores held by one job on some nodes for some time: a running job's, or a reservation of a pending one. A reservation
// by number (Cluster::counts) has no shares, but a number of cores in a queue. A running job's begins when the job
// does.
struct Claim {
  enum class Kind : std::uint8_t { none, reserved, allocated };
  Time from = 0;
  Time until = 0;
  std::uint32_t first_share = 0;
  std::uint32_t share_count = 0;
  std::int32_t cores = 0;
  QueueId queue{0};
  Kind kind = Kind::none;
  MemoryUnit memory_unit = MemoryUnit::whole;
  std::int32_t memory = 0;
};

// A set of nodes of one group, as bits.
class NodeSet {
 public:
  explicit NodeSet(std::size_t nodes) : words_((nodes + 63) / 64) {}
  void set(std::size_t i, bool in) {
    const std::uint64_t bit = std::uint64_t{1} << (i % 64);
    if (in) {
      words_[i / 64] |= bit;
    } else {
      words_[i / 64] &= ~bit;
    }
  }
  // Calls `visit(i)` for each member in ascending order until it returns false; false if it did.
  template <class Visit>
  bool for_each(Visit visit) const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      for (std::uint64_t word = words_[w]; word != 0; word &= word - 1) {
        if (!visit(w * 64 + static_cast<std::size_t>(std::countr_zero(word)))) return false;
      }
    }
    return true;
  }

 private:
  std::vector<std::uint64_t> words_;
};

class Cluster {
 public:
  explicit Cluster(const ClusterSpec& spec);

  // --- facts ---
  const ClusterSpec& spec() const { return spec_; }
  std::size_t node_count() const { return node_group_.size(); }
  bool serves(GroupId group, QueueId queue) const {
    return serves_[index(group) * spec_.queues.size() + index(queue)] != 0;
  }
  GroupId group_of(NodeId node) const { return node_group_[index(node)]; }
  NodeId first_node(GroupId group) const { return group_first_[index(group)]; }
  std::int32_t cores(NodeId node) const { return spec_.groups[index(group_of(node))].cores; }
  NodeState state(NodeId node) const { return node_state_[index(node)]; }
  bool is_down(NodeId node) const { return node_down_[index(node)] != 0; }
  std::int32_t memory(NodeId node) const { return spec_.groups[index(group_of(node))].memory; }
  // Cores that some job has; one that several jobs share counts once.
  std::int32_t cores_in_use(NodeId node) const { return node_in_use_[index(node)]; }
  std::int32_t jobs_on(NodeId node) const { return node_jobs_[index(node)]; }
  Time idle_since(NodeId node) const { return idle_since_[index(node)]; }
  // The last network node on which the node's instance hangs; kNoLeaf while it has none, or nobody said.
  LeafId leaf(NodeId node) const { return node_leaf_[index(node)]; }
  std::int32_t instances() const { return instances_; }
  // Nodes that the group has now (maxInstanceCount): the first so many of NodeGroupSpec::nodes.
  std::int32_t present(GroupId group) const { return group_present_[index(group)]; }
  bool is_present(NodeId node) const {
    return number(node) - number(first_node(group_of(node))) < static_cast<std::uint32_t>(present(group_of(node)));
  }
  // Whether the node's instance stays when it is idle: of a static group, or among the first of one with a minimum.
  bool is_kept(NodeId node) const {
    const GroupId group = group_of(node);
    return number(node) - number(first_node(group)) < static_cast<std::uint32_t>(group_kept_[index(group)]);
  }
  bool is_open(QueueId queue) const { return queue_open_[index(queue)] != 0; }
  // Nodes without an instance that a job holds, or that a static group must keep (unless it was taken down on purpose);
  // none that are down; ascending by request.
  std::span<const NodeId> wanted() const { return wanted_; }

  // --- where and when a request fits ---
  // True while a reservation is for a number of cores and not for certain nodes, which leaves the most room for others.
  // The free cores of a queue decide whether a job fits, now and later, as long as all jobs take whole nodes that are
  // alike, or all take cores wherever they are, and no two queues share a group. The first job of another kind ends
  // that for good.
  bool counts() const { return counts_; }
  // Whether free_cores() alone decides.
  bool free_cores_decide() const { return one_node_ || counts_; }

  // True if the queue's groups, as large as they are now, could hold the request were they empty (PCS-33).
  bool can_ever_hold(const JobRequest& request) const;
  // True if that is no longer so because groups became smaller, or left the queue.
  bool is_too_small_for(const JobRequest& request) const { return changed_ && !can_ever_hold(request); }
  // The least number of cores that the request takes anywhere.
  std::int32_t least_cores(const JobRequest& request) const;
  // Free cores of all nodes of a queue over time: what backfilling looks at first. Necessary for a fit, and for a
  // machine of one node sufficient.
  const CapacityProfile& free_cores(QueueId queue) const { return queue_profile_[index(queue)]; }
  // What place() may find now on the queue's nodes: necessary for a fit; where free_cores_decide(), sufficient as long
  // as there is at most one reservation.
  Room room(QueueId queue, Time now) const;
  // The nodes on which `request` could hold its cores throughout [now, now + limit), in the order in which they are
  // preferred: up, powering up, powered down; lower weight first; then by name. False if there are not enough. A node
  // choice other than by order decides which nodes of the last state and weight that are needed: weight comes before
  // topology, as with Slurm (slurmctld takes all nodes of lower weights, then looks at switches).
  bool place(const JobRequest& request, Time now, std::vector<NodeShare>& out) const;
  // Both are for requests of jobs that have arrived.
  // The first time >= not_before at which the request fits for its whole limit, and nodes for a reservation then (none
  // while counts()); kNever if there is no such time before `before`.
  Time earliest(const JobRequest& request, Time not_before, std::vector<NodeShare>& out, Time before = kNever) const;

  // Adds up all claims anew and compares with the books. Costs as much as there are jobs and nodes. Throws Bug.
  void audit() const;

  const Claim& claim(JobId job) const { return claims_[index(job)]; }
  std::span<const NodeShare> shares(JobId job) const {
    const Claim& c = claims_[index(job)];
    return std::span(share_store_).subspan(c.first_share, c.share_count);
  }

 private:
  friend class Controller;

  // --- changes, by the controller alone ---
  void advance(Time now);  // nothing before `now` is asked for any more
  void add_job() { claims_.emplace_back(); }
  // From the beginning: jobs that name their cores may share them, so many at most a core of this group.
  void let_share(GroupId group, std::int32_t jobs);
  // A job joins its queue. Returns whether reservations have to be made anew: the request ended counts().
  bool admit(const JobRequest& request);
  // False if the claim collides with another one (its books are right all the same). `cores`: those that the job may
  // share, by their numbers, in the order of the shares; empty: it has its cores alone.
  bool make_claim(JobId job, Claim::Kind kind, Time from, Time until, std::span<const NodeShare> shares,
                  const JobRequest& request, std::span<const NodeShare> cores);
  bool reserve_cores(JobId job, Time from, Time until, const JobRequest& request);
  void end_claim(JobId job, Time now);
  bool extend_claim(JobId job, Time until);
  bool restart_claim(JobId job);  // from now on, for as long as it was made for
  void launch(NodeId node);
  void placed(NodeId node, LeafId leaf);
  void ready(NodeId node, Time now);
  // Takes a node out of use until `until`. False if that collides with a reservation.
  bool power_down(NodeId node, Time now, Time until);
  bool keep_down(NodeId node, Time until);
  void powered_down(NodeId node, Time now);
  // A node that is up or powering up has no instance any more: it is powered down. Jobs on it stay for the moment.
  void lose_instance(NodeId node, Time now);
  // A node without an instance is to have another one, if somebody wants it.
  void want_again(NodeId node);
  void unwant(NodeId node) { std::erase(wanted_, node); }
  // Takes what is free of a node out of use until `until`, and what jobs hold of it as they give it back. False if that
  // collides with a reservation. At `until` at the latest the node is set usable.
  bool set_down(NodeId node, Time now, Time until = kNever);
  void set_usable(NodeId node, Time now);
  // Whether nodes are present is what differs: those that are not have to be down, and those that are again, usable.
  void resize(GroupId group, std::int32_t nodes, std::int32_t kept);
  // The queue has these groups from now on. Ends counts() for good.
  void serve(QueueId queue, std::span<const GroupId> groups);
  void set_open(QueueId queue, bool open) { queue_open_[index(queue)] = open ? 1 : 0; }
  void check(Time now) const;

  std::int64_t memory_of(const Claim& claim, const NodeShare& share) const;
  std::int32_t share(NodeShare share, std::span<const NodeShare>& cores);
  std::int32_t unshare(NodeShare share, std::span<const NodeShare>& cores);
  std::int32_t cores_shared(NodeId node) const;
  void want(NodeId node);
  bool out_of_use(NodeId node, Time from, Time until, std::int32_t amount);
  bool occupy(NodeId node, Time from, Time until, std::int32_t cores);
  bool occupy_queues(GroupId group, Time from, Time until, std::int32_t cores);
  bool place_at(const JobRequest& request, Time from, std::vector<NodeShare>& out) const;
  // The same where nodes are chosen by their place in the network.
  bool choose(const JobRequest& request, Time now, Time until, std::vector<NodeShare>& out) const;
  bool choose_at(const JobRequest& request, Time from, Time until, std::vector<NodeShare>& out) const;
  bool take_alike(const JobRequest& request, std::vector<NodeShare>& out) const;
  Time next_start(const JobRequest& request, Time after) const;
  void make_node_profiles();
  void sort_groups(QueueId queue, std::span<const GroupId> groups);
  void refresh(NodeId node);
  std::uint32_t store_shares(std::span<const NodeShare> shares);

  ClusterSpec spec_;
  Time now_ = 0;
  bool one_node_ = false;  // a rigid machine: its queue's profile is its node's profile

  enum class Kind : std::uint8_t { none, whole_nodes, loose_cores, nodes_and_cores };
  Kind kind_of(const JobRequest& request) const;
  bool by_number(const JobRequest& request) const { return counts_ && kind_of(request) == kind_; }
  bool counts_ = false;
  bool alike_ = true;       // the nodes of each queue have the same number of cores
  Kind kind_ = Kind::none;  // of all requests so far

  std::vector<NodeId> group_first_;
  std::vector<std::vector<QueueId>> group_queues_;
  std::vector<std::uint8_t> serves_;                // by group and queue
  std::vector<std::array<NodeSet, 3>> with_room_;   // by group and state: nodes with a core not held now
  std::vector<std::vector<GroupId>> queue_groups_;  // by weight
  std::vector<CapacityProfile> queue_profile_;

  std::vector<std::int32_t> group_present_;
  std::vector<std::int32_t> group_kept_;
  std::vector<std::uint8_t> queue_open_;
  bool changed_ = false;  // groups or queues are not as they were designed

  std::vector<GroupId> node_group_;
  std::vector<NodeState> node_state_;
  std::vector<LeafId> node_leaf_;
  std::vector<std::int32_t> node_in_use_;  // cores held by jobs that have not ended
  std::vector<std::int64_t> node_memory_in_use_;
  std::vector<std::uint8_t> node_down_;
  std::vector<std::int32_t> node_jobs_;
  std::vector<std::int32_t> node_reserved_;  // reservations that touch the node
  std::vector<Time> idle_since_;
  std::vector<Time> down_until_;               // while powering down
  std::vector<Time> out_until_;                // while down: until then it is out of the books of time
  std::vector<CapacityProfile> node_profile_;  // empty while free_cores_decide()
  std::vector<NodeId> wanted_;

  std::vector<Claim> claims_;  // by job
  std::vector<NodeShare> share_store_;
  std::array<std::vector<std::uint32_t>, 32> free_slots_;  // by log2 of the size

  // Where jobs may share cores: by group how many jobs a core may have (1: it is no such group), by node where its
  // cores begin, by core how many jobs have it now; which ones a job has. All empty where no group is such.
  std::vector<std::int32_t> jobs_per_core_;
  std::vector<std::size_t> first_core_;
  std::vector<std::int32_t> core_jobs_;
  std::map<JobId, std::vector<NodeShare>> shared_cores_;

  std::int32_t instances_ = 0;
  std::int32_t overdrawn_ = 0;        // nodes with more cores in use than they have
  mutable std::vector<Time> starts_;  // scratch of next_start

  // Where nodes are chosen by their place; scratch of choose().
  bool chooses_ = false;
  mutable std::optional<NodeChooser> chooser_;
  mutable std::vector<NodeId> alike_nodes_;
  mutable std::vector<LeafId> taken_leaves_;
  mutable std::vector<LeafId> candidate_leaves_;
  mutable std::vector<std::uint32_t> chosen_;
};

}  // namespace headroom
