#include "engine/cluster.hpp"

#include <algorithm>

namespace headroom {

Cluster::Cluster(const ClusterSpec& spec) : spec_(spec) {
  std::size_t nodes = 0;
  for (std::size_t g = 0; g < spec_.groups.size(); ++g) {
    const NodeGroupSpec& group = spec_.groups[g];
    group_first_.push_back(NodeId{static_cast<std::uint32_t>(nodes)});
    const auto count = static_cast<std::size_t>(group.nodes);
    const NodeSet none(count);
    with_room_.push_back({none, none, none});
    for (std::size_t i = 0; i < count; ++i) {
      node_group_.push_back(GroupId{static_cast<std::uint32_t>(g)});
      node_state_.push_back(group.supply == Supply::permanent ? NodeState::up : NodeState::powered_down);
    }
    nodes += count;
    ensure(group.present <= group.nodes, "a group has at most all of its nodes at the start");
    group_present_.push_back(group.present < 0 ? group.nodes : group.present);
    group_kept_.push_back(group.supply == Supply::fixed ? group_present_.back() : group.kept);
  }
  group_queues_.resize(spec_.groups.size());
  serves_.resize(spec_.groups.size() * spec_.queues.size());
  for (std::size_t q = 0; q < spec_.queues.size(); ++q) {
    queue_groups_.emplace_back();
    queue_open_.push_back(spec_.queues[q].open ? 1 : 0);
    sort_groups(QueueId{static_cast<std::uint32_t>(q)}, spec_.queues[q].groups);
    std::int32_t cores = 0;
    for (const GroupId g : queue_groups_[q]) {
      group_queues_[index(g)].push_back(QueueId{static_cast<std::uint32_t>(q)});
      serves_[index(g) * spec_.queues.size() + q] = 1;
      cores += spec_.groups[index(g)].nodes * spec_.groups[index(g)].cores;
    }
    queue_profile_.emplace_back(cores);
  }
  one_node_ = nodes == 1 && spec_.queues.size() == 1 && spec_.groups.front().supply == Supply::permanent;
  counts_ = !one_node_;
  for (std::size_t q = 0; q < spec_.queues.size(); ++q) {
    for (const GroupId g : queue_groups_[q]) {
      counts_ &= group_queues_[index(g)].size() == 1;
      alike_ &= spec_.groups[index(g)].cores == spec_.groups[index(queue_groups_[q].front())].cores;
    }
  }
  node_leaf_.resize(nodes, kNoLeaf);
  node_in_use_.resize(nodes);
  node_memory_in_use_.resize(nodes);
  node_down_.resize(nodes);
  node_jobs_.resize(nodes);
  node_reserved_.resize(nodes);
  idle_since_.resize(nodes);
  down_until_.resize(nodes);
  out_until_.resize(nodes);
  for (std::size_t n = 0; n < nodes; ++n) {
    const NodeId node{static_cast<std::uint32_t>(n)};
    if (is_kept(node)) wanted_.push_back(node);
    refresh(node);
  }
  if (!free_cores_decide()) make_node_profiles();
  chooses_ = spec_.topology != nullptr && spec_.node_choice != NodeChoice::order && !one_node_;
  if (chooses_) chooser_.emplace(*spec_.topology, spec_.node_choice);
  for (std::uint32_t n = 0; n < nodes; ++n) {
    if (!is_present(NodeId{n})) set_down(NodeId{n}, 0);
  }
}

void Cluster::sort_groups(QueueId queue, std::span<const GroupId> groups) {
  std::vector<GroupId>& own = queue_groups_[index(queue)];
  own.assign(groups.begin(), groups.end());
  std::stable_sort(own.begin(), own.end(), [this](GroupId a, GroupId b) {
    return spec_.groups[index(a)].weight < spec_.groups[index(b)].weight;
  });
}

// --- where and when -------------------------------------------------------------------------------------------------

bool Cluster::can_ever_hold(const JobRequest& request) const {
  std::int64_t nodes = 0;
  std::int64_t cores = 0;
  for (const GroupId g : queue_groups_[index(request.queue)]) {
    const NodeGroupSpec& group = spec_.groups[index(g)];
    if (request.nodes == 0 || request.spread || group.cores >= request.cores) nodes += present(g);
    cores += std::int64_t{present(g)} * group.cores;
  }
  if (request.nodes == 0) return cores >= request.cores;
  return nodes >= request.nodes && (!request.spread || cores >= request.cores);
}

std::int32_t Cluster::least_cores(const JobRequest& request) const {
  // A request that fits nowhere, too, is given a number, below the one with which PendingQueue marks its holes.
  const auto bounded = [](std::int64_t cores) {
    return static_cast<std::int32_t>(
        std::min<std::int64_t>(cores, std::numeric_limits<std::int32_t>::max() - std::int32_t{1}));
  };
  if (one_node_ && request.exclusive) return spec_.groups.front().cores;
  const std::vector<GroupId>& groups = queue_groups_[index(request.queue)];
  if (request.nodes == 0 && request.exclusive && counts_ && !groups.empty()) {
    const std::int64_t cores = spec_.groups[index(groups.front())].cores;
    return bounded((request.cores + cores - 1) / cores * cores);
  }
  if (request.nodes == 0 || request.spread) return bounded(request.cores);
  if (!request.exclusive) return bounded(std::int64_t{request.nodes} * request.cores);
  std::int32_t least = std::numeric_limits<std::int32_t>::max();
  for (const GroupId g : groups) {
    const std::int32_t cores = spec_.groups[index(g)].cores;
    if (cores >= request.cores) least = std::min(least, cores);
  }
  return bounded(std::int64_t{request.nodes} * least);
}

namespace {

// Collects shares until a request is satisfied.
class Gather {
 public:
  Gather(const JobRequest& request, std::vector<NodeShare>& out)
      : request_(request), out_(out), left_(request.nodes > 0 ? request.nodes : request.cores) {
    out_.clear();
  }
  // Whether a node with `free` of its `cores` can take part.
  bool suits(std::int32_t free, std::int32_t cores) const {
    if (request_.exclusive && free < cores) return false;
    return free > 0 && (request_.nodes == 0 || free >= request_.cores);
  }
  void take(NodeId node, std::int32_t free, std::int32_t cores) {
    const std::int32_t used = request_.nodes > 0 ? request_.cores : std::min(free, left_);
    out_.push_back({node, request_.exclusive ? cores : used});
    left_ -= request_.nodes > 0 ? 1 : used;
  }
  bool done() const { return left_ <= 0; }

 private:
  const JobRequest& request_;
  std::vector<NodeShare>& out_;
  std::int32_t left_;  // nodes, or cores when any number of nodes will do
};

}  // namespace

Room Cluster::room(QueueId queue, Time now) const {
  Room room;
  if (free_cores_decide()) {
    // All that is free until the free cores next drop, and what is left then for ever.
    const CapacityProfile& profile = queue_profile_[index(queue)];
    room.short_cores = profile.free_at(now);
    const Time drop = profile.first_below(now, room.short_cores, room.long_cores);
    room.short_limit = drop == kNever ? kNever : drop - now;
    return room;
  }
  // The same over the nodes that have something free: their first drop is the first reservation on one of them.
  Time drop = kNever;
  std::int32_t lost = 0;
  for (const GroupId g : queue_groups_[index(queue)]) {
    const std::int32_t cores = spec_.groups[index(g)].cores;
    const std::uint32_t first = number(group_first_[index(g)]);
    for (const NodeSet& nodes : with_room_[index(g)]) {
      nodes.for_each([&](std::size_t i) {
        const std::size_t n = first + i;
        const std::int32_t free = cores - node_in_use_[n];
        room.short_cores += free;
        if (node_reserved_[n] == 0) return true;
        std::int32_t left = 0;
        const Time t = node_profile_[n].first_below(now, free, left);
        if (t < drop) {
          drop = t;
          lost = 0;
        }
        if (t == drop && t != kNever) lost += free - left;
        return true;
      });
    }
  }
  room.short_limit = drop == kNever ? kNever : drop - now;
  room.long_cores = room.short_cores - lost;
  return room;
}

bool Cluster::place(const JobRequest& request, Time now, std::vector<NodeShare>& out) const {
  if (one_node_) return place_at(request, now, out);
  const Time until = later(now, request.limit);
  if (by_number(request) && !queue_profile_[index(request.queue)].fits(now, until, least_cores(request))) return false;
  if (chooses_ && request.nodes > 0) return choose(request, now, until, out);
  Gather gather(request, out);
  for (std::size_t state = 0; state < 3; ++state) {
    for (const GroupId g : queue_groups_[index(request.queue)]) {
      const std::int32_t cores = spec_.groups[index(g)].cores;
      const std::uint32_t first = number(group_first_[index(g)]);
      with_room_[index(g)][state].for_each([&](std::size_t i) {
        const std::size_t n = first + i;
        std::int32_t free = cores - node_in_use_[n];
        if (!gather.suits(free, cores)) return true;
        if (node_reserved_[n] > 0) {  // else what is free now stays free
          free = std::min(free, node_profile_[n].min_free(now, until));
          if (!gather.suits(free, cores)) return true;
        }
        gather.take(NodeId{static_cast<std::uint32_t>(n)}, free, cores);
        return !gather.done();
      });
      if (gather.done()) return true;
    }
  }
  return false;
}

bool Cluster::place_at(const JobRequest& request, Time from, std::vector<NodeShare>& out) const {
  const Time until = later(from, request.limit);
  if (one_node_) {
    const std::int32_t cores = request.exclusive ? spec_.groups.front().cores : request.cores;
    out.assign(1, {NodeId{0}, cores});
    return queue_profile_.front().fits(from, until, cores);
  }
  if (chooses_ && request.nodes > 0) return choose_at(request, from, until, out);
  // Nodes that are in use now first: those that are free can be used by others until then.
  Gather gather(request, out);
  for (const bool busy : {true, false}) {
    for (const GroupId g : queue_groups_[index(request.queue)]) {
      const NodeGroupSpec& group = spec_.groups[index(g)];
      const std::uint32_t first = number(group_first_[index(g)]);
      for (std::uint32_t n = first; n < first + static_cast<std::uint32_t>(group.nodes); ++n) {
        if ((node_in_use_[n] > 0 || node_state_[n] == NodeState::powering_down) != busy) continue;
        const std::int32_t free = node_profile_[n].min_free(from, until);
        if (!gather.suits(free, group.cores)) continue;
        gather.take(NodeId{n}, free, group.cores);
        if (gather.done()) return true;
      }
    }
  }
  return false;
}

bool Cluster::choose(const JobRequest& request, Time now, Time until, std::vector<NodeShare>& out) const {
  const Gather gather(request, out);
  const std::vector<GroupId>& groups = queue_groups_[index(request.queue)];
  for (std::size_t state = 0; state < 3; ++state) {
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const NodeGroupSpec& group = spec_.groups[index(groups[g])];
      const std::uint32_t first = number(group_first_[index(groups[g])]);
      with_room_[index(groups[g])][state].for_each([&](std::size_t i) {
        const std::size_t n = first + i;
        std::int32_t free = group.cores - node_in_use_[n];
        if (node_reserved_[n] > 0) free = std::min(free, node_profile_[n].min_free(now, until));
        if (gather.suits(free, group.cores)) alike_nodes_.push_back(NodeId{static_cast<std::uint32_t>(n)});
        return true;
      });
      const bool more = g + 1 < groups.size() && spec_.groups[index(groups[g + 1])].weight == group.weight;
      if (!more && take_alike(request, out)) return true;
    }
  }
  return false;
}

bool Cluster::choose_at(const JobRequest& request, Time from, Time until, std::vector<NodeShare>& out) const {
  const Gather gather(request, out);
  const std::vector<GroupId>& groups = queue_groups_[index(request.queue)];
  for (const bool busy : {true, false}) {
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const NodeGroupSpec& group = spec_.groups[index(groups[g])];
      const std::uint32_t first = number(group_first_[index(groups[g])]);
      for (std::uint32_t n = first; n < first + static_cast<std::uint32_t>(group.nodes); ++n) {
        if ((node_in_use_[n] > 0 || node_state_[n] == NodeState::powering_down) != busy) continue;
        if (gather.suits(node_profile_[n].min_free(from, until), group.cores)) alike_nodes_.push_back(NodeId{n});
      }
      const bool more = g + 1 < groups.size() && spec_.groups[index(groups[g + 1])].weight == group.weight;
      if (!more && take_alike(request, out)) return true;
    }
  }
  return false;
}

// Takes those of alike_nodes_ that are best beside what `out` has, and forgets them. Whether that is enough.
bool Cluster::take_alike(const JobRequest& request, std::vector<NodeShare>& out) const {
  const std::size_t count = std::min(static_cast<std::size_t>(request.nodes) - out.size(), alike_nodes_.size());
  taken_leaves_.clear();
  candidate_leaves_.clear();
  for (const NodeShare& share : out) taken_leaves_.push_back(leaf(share.node));
  for (const NodeId node : alike_nodes_) candidate_leaves_.push_back(leaf(node));
  chooser_->choose(taken_leaves_, candidate_leaves_, count, chosen_);
  for (const std::uint32_t i : chosen_) {
    out.push_back({alike_nodes_[i], request.exclusive ? cores(alike_nodes_[i]) : request.cores});
  }
  alike_nodes_.clear();
  return out.size() == static_cast<std::size_t>(request.nodes);
}

Time Cluster::earliest(const JobRequest& request, Time not_before, std::vector<NodeShare>& out, Time before) const {
  const CapacityProfile& queue = queue_profile_[index(request.queue)];
  const std::int32_t cores = least_cores(request);
  Time t = queue.earliest_fit(not_before, request.limit, cores);
  if (one_node_ || by_number(request)) {
    out.clear();
    if (one_node_) out.push_back({NodeId{0}, cores});
    return t < before ? t : kNever;
  }
  ensure(!node_profile_.empty(), "a job is asked about after it arrived");
  while (t < before && !place_at(request, t, out)) {
    t = next_start(request, t);
    if (t < before) t = queue.earliest_fit(t, request.limit, cores);
  }
  return t < before ? t : kNever;
}

// The next time after `after` worth a look, the request not fitting at `after`.
Time Cluster::next_start(const JobRequest& request, Time after) const {
  starts_.clear();
  for (const GroupId g : queue_groups_[index(request.queue)]) {
    const NodeGroupSpec& group = spec_.groups[index(g)];
    const std::uint32_t first = number(group_first_[index(g)]);
    for (std::uint32_t n = first; n < first + static_cast<std::uint32_t>(group.nodes); ++n) {
      const CapacityProfile& profile = node_profile_[n];
      if (request.nodes == 0) {
        starts_.push_back(profile.next_change(after));
      } else if (group.cores >= request.cores) {
        starts_.push_back(profile.earliest_fit(after, request.limit, request.exclusive ? group.cores : request.cores));
      }
    }
  }
  // As many nodes as the request has must be free at one time: not before the last of the first `nodes` of them.
  const auto rank = static_cast<std::size_t>(std::max(request.nodes, 1)) - 1;
  if (rank >= starts_.size()) return kNever;
  const auto nth = starts_.begin() + static_cast<std::ptrdiff_t>(rank);
  std::nth_element(starts_.begin(), nth, starts_.end());
  return *nth;
}

// --- books ----------------------------------------------------------------------------------------------------------

void Cluster::advance(Time now) {
  ensure(now == now_ || overdrawn_ == 0, "no node is oversubscribed when time moves on");
  now_ = now;
  for (CapacityProfile& profile : queue_profile_) profile.advance(now);
}

bool Cluster::occupy_queues(GroupId group, Time from, Time until, std::int32_t cores) {
  bool fits = true;
  for (const QueueId q : group_queues_[index(group)]) {
    fits &= queue_profile_[index(q)].occupy(from, until, cores) >= 0;
  }
  return fits;
}

bool Cluster::occupy(NodeId node, Time from, Time until, std::int32_t cores) {
  if (free_cores_decide() || from >= until) return true;
  CapacityProfile& profile = node_profile_[index(node)];
  return profile.occupy(from, until, cores) >= 0;
}

// What is free on a node changed by something other than time: keep the sets of nodes with room.
void Cluster::refresh(NodeId node) {
  const GroupId group = group_of(node);
  const std::size_t i = index(node) - index(group_first_[index(group)]);
  const bool room = node_in_use_[index(node)] < cores(node) && !is_down(node);
  for (std::size_t s = 0; s < 3; ++s) {
    with_room_[index(group)][s].set(i, room && s == static_cast<std::size_t>(state(node)));
  }
}

std::uint32_t Cluster::store_shares(std::span<const NodeShare> shares) {
  const auto size_class = static_cast<std::size_t>(std::bit_width(shares.size() - 1));
  std::vector<std::uint32_t>& slots = free_slots_[size_class];
  std::uint32_t first = 0;
  if (slots.empty()) {
    first = static_cast<std::uint32_t>(share_store_.size());
    share_store_.resize(share_store_.size() + (std::size_t{1} << size_class));
  } else {
    first = slots.back();
    slots.pop_back();
  }
  std::copy(shares.begin(), shares.end(), share_store_.begin() + first);
  return first;
}

Cluster::Kind Cluster::kind_of(const JobRequest& request) const {
  if (request.nodes == 0 && !request.exclusive) return Kind::loose_cores;
  if (request.nodes > 0 && request.spread) return Kind::nodes_and_cores;
  const std::vector<GroupId>& groups = queue_groups_[index(request.queue)];
  const bool whole = request.exclusive || groups.empty() || request.cores == spec_.groups[index(groups.front())].cores;
  return whole && alike_ ? Kind::whole_nodes : Kind::nodes_and_cores;
}

bool Cluster::admit(const JobRequest& request) {
  if (!counts_) return false;
  const Kind kind = kind_of(request);
  if (kind_ == Kind::none) kind_ = kind;
  counts_ = kind == kind_ && kind != Kind::nodes_and_cores;
  if (!counts_) make_node_profiles();
  return !counts_;
}

// From here on each node's own free cores matter over time.
void Cluster::make_node_profiles() {
  for (std::uint32_t n = 0; n < node_count(); ++n) {
    node_profile_.emplace_back(cores(NodeId{n}), now_);
    Time out_until = now_;
    if (node_state_[n] == NodeState::powering_down) out_until = down_until_[n];
    if (is_down(NodeId{n})) out_until = std::max(out_until, out_until_[n]);
    if (out_until > now_) occupy(NodeId{n}, now_, out_until, cores(NodeId{n}) - node_in_use_[n]);
  }
  for (std::uint32_t j = 0; j < claims_.size(); ++j) {
    const Claim& claim = claims_[j];
    if (claim.kind != Claim::Kind::allocated || shared_cores_.count(JobId{j}) > 0) continue;
    for (std::uint32_t i = 0; i < claim.share_count; ++i) {
      const NodeShare& share = share_store_[claim.first_share + i];
      occupy(share.node, now_, claim.until, share.cores);
    }
  }
  for (std::uint32_t n = 0; n < first_core_.size(); ++n) {
    const std::int32_t shared = cores_shared(NodeId{n});
    if (shared > 0) occupy(NodeId{n}, now_, kNever, shared);
  }
}

bool Cluster::reserve_cores(JobId job, Time from, Time until, const JobRequest& request) {
  Claim& claim = claims_[index(job)];
  ensure(claim.kind == Claim::Kind::none && counts_, "a job holds one claim, of the kind that is in use");
  const std::int32_t cores = least_cores(request);
  claim.from = from;
  claim.until = until;
  claim.share_count = 0;
  claim.cores = cores;
  claim.queue = request.queue;
  claim.kind = Claim::Kind::reserved;
  return queue_profile_[index(request.queue)].occupy(from, until, cores) >= 0;
}

std::int64_t Cluster::memory_of(const Claim& claim, const NodeShare& share) const {
  switch (claim.memory_unit) {
    case MemoryUnit::whole:
      return memory(share.node);
    case MemoryUnit::per_node:
      return claim.memory;
    case MemoryUnit::per_core:
      return std::int64_t{claim.memory} * share.cores;
  }
  return 0;
}

void Cluster::let_share(GroupId group, std::int32_t jobs) {
  ensure(claims_.empty(), "whether jobs share cores is known from the beginning");
  if (jobs_per_core_.empty()) {
    jobs_per_core_.assign(spec_.groups.size(), 1);
    std::size_t cores_before = 0;
    for (std::uint32_t n = 0; n < node_count(); ++n) {
      first_core_.push_back(cores_before);
      cores_before += static_cast<std::size_t>(cores(NodeId{n}));
    }
    core_jobs_.resize(cores_before);
  }
  jobs_per_core_[index(group)] = jobs;
}

// A job gets the first of `cores`, those of its share of a node; they are taken off the list. Returns how many of them
// nobody had.
std::int32_t Cluster::share(NodeShare share, std::span<const NodeShare>& cores) {
  ensure(!jobs_per_core_.empty() && cores.size() >= static_cast<std::size_t>(share.cores), "cores are shared by name");
  const std::int32_t most = jobs_per_core_[index(group_of(share.node))];
  std::int32_t fresh = 0;
  std::int32_t last = -1;
  for (const NodeShare& core : cores.first(static_cast<std::size_t>(share.cores))) {
    ensure(core.node == share.node && core.cores > last && core.cores < this->cores(share.node),
           "the cores that a job shares are those of its nodes, in order");
    last = core.cores;
    std::int32_t& jobs = core_jobs_[first_core_[index(core.node)] + static_cast<std::size_t>(core.cores)];
    fresh += jobs == 0 ? 1 : 0;
    ensure(++jobs <= most, "no core has more jobs than may share it");
  }
  cores = cores.subspan(static_cast<std::size_t>(share.cores));
  return fresh;
}

// Cores of a node that some job has which may share them.
std::int32_t Cluster::cores_shared(NodeId node) const {
  const auto first = core_jobs_.begin() + static_cast<std::ptrdiff_t>(first_core_[index(node)]);
  return static_cast<std::int32_t>(
      std::count_if(first, first + cores(node), [](std::int32_t jobs) { return jobs > 0; }));
}

// The job gives them back. Returns how many of them nobody has any more.
std::int32_t Cluster::unshare(NodeShare share, std::span<const NodeShare>& cores) {
  std::int32_t freed = 0;
  for (const NodeShare& core : cores.first(static_cast<std::size_t>(share.cores))) {
    freed += --core_jobs_[first_core_[index(core.node)] + static_cast<std::size_t>(core.cores)] == 0 ? 1 : 0;
  }
  cores = cores.subspan(static_cast<std::size_t>(share.cores));
  return freed;
}

bool Cluster::make_claim(JobId job, Claim::Kind kind, Time from, Time until, std::span<const NodeShare> shares,
                         const JobRequest& request, std::span<const NodeShare> shared) {
  Claim& claim = claims_[index(job)];
  ensure(claim.kind == Claim::Kind::none && !shares.empty(), "a job holds one claim, on at least one node");
  ensure(shared.empty() || (kind == Claim::Kind::allocated && until == kNever),
         "cores are shared by jobs whose end is not known");
  if (!shared.empty()) shared_cores_[job].assign(shared.begin(), shared.end());
  const bool alone = shared.empty();
  claim.memory_unit = request.memory_unit;
  claim.memory = request.memory;
  bool fits = true;
  GroupId group = group_of(shares.front().node);
  std::int32_t group_cores = 0;
  for (const NodeShare& share : shares) {
    const std::size_t n = index(share.node);
    ensure(share.cores > 0 && share.cores <= cores(share.node), "a share is a part of its node");
    const std::int32_t taken = alone ? share.cores : this->share(share, shared);
    if (!free_cores_decide()) {
      node_profile_[n].advance(now_);
      fits &= occupy(share.node, from, until, taken);
    }
    if (kind == Claim::Kind::allocated) {
      const bool was_overdrawn = node_in_use_[n] > cores(share.node);
      node_in_use_[n] += taken;
      overdrawn_ += (node_in_use_[n] > cores(share.node)) - was_overdrawn;
      ++node_jobs_[n];
      if (spec_.memory_counts) {
        node_memory_in_use_[n] += memory_of(claim, share);
        ensure(node_memory_in_use_[n] <= memory(share.node), "no node gives more memory than it has");
      }
      if (node_state_[n] == NodeState::powered_down && node_jobs_[n] == 1) want(share.node);
      refresh(share.node);
    } else {
      ++node_reserved_[n];
    }
    if (group_of(share.node) != group) {
      fits &= occupy_queues(group, from, until, group_cores);
      group = group_of(share.node);
      group_cores = 0;
    }
    group_cores += taken;
  }
  ensure(shared.empty(), "a job shares cores of its own nodes");
  fits &= occupy_queues(group, from, until, group_cores);
  claim.from = from;
  claim.until = until;
  claim.first_share = store_shares(shares);
  claim.share_count = static_cast<std::uint32_t>(shares.size());
  claim.kind = kind;
  return fits;
}

void Cluster::end_claim(JobId job, Time now) {
  Claim& claim = claims_[index(job)];
  ensure(claim.kind != Claim::Kind::none, "only a claim that exists can end");
  const Time from = std::max(now, claim.from);
  if (claim.share_count == 0) {
    if (from < claim.until) queue_profile_[index(claim.queue)].occupy(from, claim.until, -claim.cores);
    claim.kind = Claim::Kind::none;
    return;
  }
  const auto sharing = shared_cores_.empty() ? shared_cores_.end() : shared_cores_.find(job);
  const bool alone = sharing == shared_cores_.end();
  std::span<const NodeShare> shared;
  if (!alone) shared = sharing->second;
  GroupId group = group_of(share_store_[claim.first_share].node);
  std::int32_t group_cores = 0;
  const auto give_back = [&] {
    if (from < claim.until) occupy_queues(group, from, claim.until, -group_cores);
  };
  for (std::uint32_t i = 0; i < claim.share_count; ++i) {
    const NodeShare share = share_store_[claim.first_share + i];
    const std::size_t n = index(share.node);
    const std::int32_t freed = alone ? share.cores : unshare(share, shared);
    occupy(share.node, from, claim.until, -freed);
    // What a job gives back of a node that is out of use stays out of use.
    if (is_down(share.node) && claim.kind == Claim::Kind::allocated) out_of_use(share.node, now, out_until_[n], freed);
    if (claim.kind == Claim::Kind::allocated) {
      const bool was_overdrawn = node_in_use_[n] > cores(share.node);
      node_in_use_[n] -= freed;
      if (spec_.memory_counts) node_memory_in_use_[n] -= memory_of(claim, share);
      overdrawn_ += (node_in_use_[n] > cores(share.node)) - was_overdrawn;
      if (--node_jobs_[n] == 0) {
        idle_since_[n] = now;
        // Nobody waits for the node any more; a static group does.
        if (node_state_[n] == NodeState::powered_down && !is_kept(share.node)) std::erase(wanted_, share.node);
      }
      refresh(share.node);
    } else {
      --node_reserved_[n];
    }
    if (group_of(share.node) != group) {
      give_back();
      group = group_of(share.node);
      group_cores = 0;
    }
    group_cores += freed;
  }
  give_back();
  if (!alone) shared_cores_.erase(sharing);
  free_slots_[static_cast<std::size_t>(std::bit_width(claim.share_count - 1u))].push_back(claim.first_share);
  claim.kind = Claim::Kind::none;
}

bool Cluster::extend_claim(JobId job, Time until) {
  Claim& claim = claims_[index(job)];
  ensure(claim.kind == Claim::Kind::allocated && until >= claim.until, "a claim is only ever made longer");
  if (until == claim.until) return true;
  const Time from = std::max(now_, claim.until);  // a live world may be late
  bool fits = true;
  for (std::uint32_t i = 0; i < claim.share_count; ++i) {
    const NodeShare share = share_store_[claim.first_share + i];
    fits &= occupy(share.node, from, until, share.cores);
    fits &= occupy_queues(group_of(share.node), from, until, share.cores);
  }
  claim.until = until;
  return fits;
}

bool Cluster::restart_claim(JobId job) {
  Claim& claim = claims_[index(job)];
  const bool fits = extend_claim(job, later(now_, claim.until - claim.from));
  claim.from = now_;
  return fits;
}

// --- power ----------------------------------------------------------------------------------------------------------

void Cluster::launch(NodeId node) {
  NodeState& state = node_state_[index(node)];
  ensure(state == NodeState::powered_down, "only a powered-down node is launched");
  state = NodeState::powering_up;
  ++instances_;
  ensure(instances_ <= spec_.instance_limit, "the cluster's instance limit holds [PCS-3]");
  node_leaf_[index(node)] = kNoLeaf;
  std::erase(wanted_, node);
  refresh(node);
}

void Cluster::placed(NodeId node, LeafId leaf) {
  ensure(spec_.topology != nullptr && index(leaf) < spec_.topology->leaf_count(), "an instance is in the topology");
  node_leaf_[index(node)] = leaf;
}

void Cluster::ready(NodeId node, Time now) {
  NodeState& state = node_state_[index(node)];
  ensure(state == NodeState::powering_up, "only a node that was launched becomes ready");
  state = NodeState::up;
  idle_since_[index(node)] = now;
  refresh(node);
}

bool Cluster::power_down(NodeId node, Time now, Time until) {
  const std::size_t n = index(node);
  ensure(node_state_[n] == NodeState::up && node_jobs_[n] == 0, "only an idle node is taken down");
  node_state_[n] = NodeState::powering_down;
  node_leaf_[n] = kNoLeaf;
  down_until_[n] = now;
  refresh(node);
  return keep_down(node, until);
}

bool Cluster::keep_down(NodeId node, Time until) {
  const std::size_t n = index(node);
  ensure(node_state_[n] == NodeState::powering_down, "only a node on its way down is kept down");
  if (until <= down_until_[n]) return true;
  const Time from = std::max({now_, down_until_[n], is_down(node) ? out_until_[n] : 0});
  if (is_down(node) && until <= out_until_[n]) {  // out of use already
    down_until_[n] = until;
    return true;
  }
  const bool on_node = occupy(node, from, until, cores(node));
  const bool in_queues = occupy_queues(group_of(node), from, until, cores(node));
  down_until_[n] = until;
  return on_node && in_queues;
}

// A node without an instance is to have one. One of a static group that lost its own may be wanted already.
void Cluster::want(NodeId node) {
  if (is_kept(node) && std::find(wanted_.begin(), wanted_.end(), node) != wanted_.end()) return;
  wanted_.push_back(node);
}

void Cluster::want_again(NodeId node) {
  const std::size_t n = index(node);
  if (node_state_[n] != NodeState::powered_down || is_down(node) || (node_jobs_[n] == 0 && !is_kept(node))) return;
  if (std::find(wanted_.begin(), wanted_.end(), node) == wanted_.end()) wanted_.push_back(node);
}

// Takes cores of a node out of the books of time, or puts them back (negative). False if that collides.
bool Cluster::out_of_use(NodeId node, Time from, Time until, std::int32_t amount) {
  if (from >= until) return true;
  const bool on_node = occupy(node, from, until, amount);
  const bool in_queues = occupy_queues(group_of(node), from, until, amount);
  return on_node && in_queues;
}

void Cluster::lose_instance(NodeId node, Time now) {
  const std::size_t n = index(node);
  ensure(node_state_[n] == NodeState::powering_up || node_state_[n] == NodeState::up,
         "only a node that has an instance, or waits for one, loses it");
  node_state_[n] = NodeState::powered_down;
  node_leaf_[n] = kNoLeaf;
  idle_since_[n] = now;
  --instances_;
  refresh(node);
}

bool Cluster::set_down(NodeId node, Time now, Time until) {
  const std::size_t n = index(node);
  ensure(node_down_[n] == 0, "a node is down once");
  node_down_[n] = 1;
  if (node_jobs_[n] == 0) idle_since_[n] = now;
  Time from = now;
  if (node_state_[n] == NodeState::powering_down) {  // out of use until then already
    from = std::max(now, down_until_[n]);
    until = std::max(until, from);
  }
  out_until_[n] = until;
  if (!node_profile_.empty()) node_profile_[n].advance(now_);
  const bool fits = out_of_use(node, from, until, cores(node) - node_in_use_[n]);
  if (node_state_[n] == NodeState::powered_down) unwant(node);
  refresh(node);
  return fits;
}

void Cluster::set_usable(NodeId node, Time now) {
  const std::size_t n = index(node);
  ensure(node_down_[n] != 0, "only a node that is down becomes usable");
  node_down_[n] = 0;
  // A node on its way down stays out of use until then.
  const Time from = node_state_[n] == NodeState::powering_down ? std::max(now, down_until_[n]) : now;
  out_of_use(node, from, out_until_[n], node_in_use_[n] - cores(node));
  want_again(node);
  refresh(node);
}

void Cluster::resize(GroupId group, std::int32_t nodes, std::int32_t kept) {
  ensure(0 <= kept && kept <= nodes && nodes <= spec_.groups[index(group)].nodes, "a group is as large as it may be");
  changed_ = true;
  const std::uint32_t first = number(first_node(group));
  group_present_[index(group)] = nodes;
  group_kept_[index(group)] = kept;
  for (std::uint32_t n = first; n < first + static_cast<std::uint32_t>(spec_.groups[index(group)].nodes); ++n) {
    if (node_jobs_[n] == 0 && !is_kept(NodeId{n})) unwant(NodeId{n});
    want_again(NodeId{n});
  }
}

void Cluster::serve(QueueId queue, std::span<const GroupId> groups) {
  ensure(!one_node_, "a rigid machine has one queue");
  changed_ = true;
  if (counts_) {
    counts_ = false;
    make_node_profiles();
  }
  for (std::size_t g = 0; g < spec_.groups.size(); ++g) {
    std::erase(group_queues_[g], queue);
    serves_[g * spec_.queues.size() + index(queue)] = 0;
  }
  sort_groups(queue, groups);
  std::int32_t cores_of_queue = 0;
  for (const GroupId g : groups) {
    group_queues_[index(g)].push_back(queue);
    std::sort(group_queues_[index(g)].begin(), group_queues_[index(g)].end());
    serves_[index(g) * spec_.queues.size() + index(queue)] = 1;
    cores_of_queue += spec_.groups[index(g)].nodes * spec_.groups[index(g)].cores;
  }
  // What is held of its nodes, and by number, anew.
  CapacityProfile profile(cores_of_queue, now_);
  const auto take = [&](NodeId node, Time from, Time until, std::int32_t amount) {
    from = std::max(from, now_);
    if (serves(group_of(node), queue) && from < until && amount != 0) profile.occupy(from, until, amount);
  };
  for (std::uint32_t n = 0; n < node_count(); ++n) {
    const NodeId node{n};
    Time out_until = now_;
    if (node_state_[n] == NodeState::powering_down) out_until = down_until_[n];
    if (is_down(node)) out_until = std::max(out_until, out_until_[n]);
    take(node, now_, out_until, cores(node) - node_in_use_[n]);
    if (!first_core_.empty()) take(node, now_, kNever, cores_shared(node));
  }
  for (std::uint32_t j = 0; j < claims_.size(); ++j) {
    const Claim& claim = claims_[j];
    if (claim.kind == Claim::Kind::none || shared_cores_.count(JobId{j}) > 0) continue;
    if (claim.share_count == 0 && claim.queue == queue && now_ < claim.until) {
      profile.occupy(std::max(now_, claim.from), claim.until, claim.cores);
    }
    for (std::uint32_t i = 0; i < claim.share_count; ++i) {
      const NodeShare& share = share_store_[claim.first_share + i];
      take(share.node, claim.from, claim.until, share.cores);
    }
  }
  queue_profile_[index(queue)] = std::move(profile);
}

void Cluster::powered_down(NodeId node, Time now) {
  const std::size_t n = index(node);
  ensure(node_state_[n] == NodeState::powering_down, "only a node on its way down gets there");
  if (is_down(node)) {
    out_until_[n] = std::max(out_until_[n], down_until_[n]);
  } else {
    out_of_use(node, now, down_until_[n], -cores(node));
  }
  node_state_[n] = NodeState::powered_down;
  --instances_;
  refresh(node);
}

void Cluster::audit() const {
  std::vector<std::int32_t> in_use(node_count());
  std::vector<std::int32_t> jobs(node_count());
  std::vector<std::int32_t> reserved(node_count());
  std::vector<std::int32_t> node_free(node_count());
  std::vector<std::int64_t> memory_in_use(node_count());
  std::vector<std::int32_t> queue_free(spec_.queues.size());
  const auto take = [&](NodeId node, std::int32_t amount) {
    node_free[index(node)] -= amount;
    for (const QueueId q : group_queues_[index(group_of(node))]) queue_free[index(q)] -= amount;
  };
  for (std::size_t n = 0; n < node_count(); ++n) {
    const NodeId node{static_cast<std::uint32_t>(n)};
    take(node, -cores(node));
    const bool going_down = state(node) == NodeState::powering_down && now_ < down_until_[n];
    if (going_down || (is_down(node) && now_ < out_until_[n])) take(node, cores(node) - node_in_use_[n]);
  }
  std::vector<std::int32_t> core_jobs(core_jobs_.size());
  for (const auto& [job, cores_of_job] : shared_cores_) {
    ensure(claims_[index(job)].kind == Claim::Kind::allocated, "cores are shared by jobs that hold them");
    for (const NodeShare& core : cores_of_job) {
      ++core_jobs[first_core_[index(core.node)] + static_cast<std::size_t>(core.cores)];
    }
  }
  ensure(core_jobs == core_jobs_, "the cores' books add up");
  for (std::uint32_t n = 0; n < first_core_.size(); ++n) {
    const std::int32_t shared = cores_shared(NodeId{n});
    in_use[n] += shared;
    if (shared > 0) take(NodeId{n}, shared);
  }
  for (std::uint32_t j = 0; j < claims_.size(); ++j) {
    const Claim& claim = claims_[j];
    if (claim.kind == Claim::Kind::none) continue;
    const bool now = claim.from <= now_ && now_ < claim.until;
    const bool alone = shared_cores_.count(JobId{j}) == 0;
    if (claim.share_count == 0 && now) queue_free[index(claim.queue)] -= claim.cores;
    for (std::uint32_t i = 0; i < claim.share_count; ++i) {
      const NodeShare& share = share_store_[claim.first_share + i];
      const std::size_t n = index(share.node);
      if (claim.kind == Claim::Kind::allocated) {
        if (alone) in_use[n] += share.cores;
        if (spec_.memory_counts) memory_in_use[n] += memory_of(claim, share);
        ++jobs[n];
      } else {
        ++reserved[n];
      }
      if (now && alone) take(share.node, share.cores);
    }
  }
  ensure(in_use == node_in_use_ && jobs == node_jobs_ && reserved == node_reserved_, "the nodes' books add up");
  ensure(memory_in_use == node_memory_in_use_, "the nodes' memory adds up");
  for (std::size_t q = 0; q < queue_free.size(); ++q) {
    ensure(queue_free[q] == queue_profile_[q].free_at(now_), "the queues' free cores add up");
  }
  for (std::size_t n = 0; n < node_profile_.size(); ++n) {
    ensure(node_free[n] == node_profile_[n].free_at(now_), "the nodes' free cores add up");
  }
}

void Cluster::check(Time now) const {
  // Within an instant a machine of one node may count the cores of a job whose limit is over as free before the news of
  // its end has come: what is held by the books of time must fit even then.
  ensure(one_node_ ? queue_profile_.front().free_at(now) >= 0 : overdrawn_ == 0, "no node is oversubscribed");
  ensure(instances_ >= 0 && instances_ <= spec_.instance_limit, "the cluster's instance limit holds [PCS-3]");
}

}  // namespace headroom
