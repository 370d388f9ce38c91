#include "models/policies/slurm/nodes.hpp"

#include <algorithm>
#include <numeric>

namespace headroom::slurm {

NodeTable::NodeTable(const Cluster& cluster, const Conf& conf, const std::vector<std::string>& names) {
  const std::size_t count = cluster.node_count();
  std::vector<std::uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return name_before(names[a], names[b]); });
  of_.resize(count);
  static const NodeSettings kNothing;
  std::vector<const NodeSettings*> settings_of;
  const ClusterSpec& spec = cluster.spec();
  for (const std::uint32_t n : order) {
    of_[n] = static_cast<Index>(nodes_.size());
    Node node;
    node.id = NodeId{n};
    node.name = names[n];
    const NodeGroupSpec& group = spec.groups[index(cluster.group_of(node.id))];
    const std::size_t g = index(cluster.group_of(node.id));
    const NodeSettings& settings = g < conf.node_settings.size() ? conf.node_settings[g] : kNothing;
    node.core_spec = std::min(settings.core_spec, group.cores - 1);
    node.cpus = group.cores - node.core_spec;
    node.memory = std::max(group.memory - settings.mem_spec, 0);
    for (const std::string& feature : settings.features) {
      features_.try_emplace(feature, count).first->second.set(of_[n]);
    }
    first_pool_.push_back(pools_.size());
    pools_.insert(pools_.end(), settings.gres.begin(), settings.gres.end());
    settings_of.push_back(&settings);
    node.weight = group.weight;
    node.excepted = std::find(conf.suspend_exc_nodes.begin(), conf.suspend_exc_nodes.end(), node.name) !=
                    conf.suspend_exc_nodes.end();
    node.can_suspend = group.supply == Supply::dynamic && !cluster.is_kept(node.id) && !node.excepted;
    total_cpus_ += group.cores;
    node.down = node.withdrawn = cluster.is_down(node.id);
    nodes_.push_back(std::move(node));
  }
  first_pool_.push_back(pools_.size());
  fill_partitions(cluster);
  for (Index n = 0; n < count; ++n) {
    // A partition's own times go before the global ones; of several the largest.
    const auto largest = [&](std::optional<Second> Partition::*own, Second global) {
      std::optional<Second> time;
      for (std::size_t q = 0; q < partitions_.size() && q < conf.partitions.size(); ++q) {
        if (!partitions_[q].test(n) || !(conf.partitions[q].*own)) continue;
        time = std::max(time.value_or(0), *(conf.partitions[q].*own));
      }
      return time.value_or(global);
    };
    constexpr Second kFar = kUnlimited * 100;
    Second suspend_time = conf.suspend_time.value_or(kFar);
    if (const std::size_t group = index(cluster.group_of(nodes_[n].id)); group < conf.group_suspend_time.size()) {
      suspend_time = conf.group_suspend_time[group].value_or(suspend_time);
    }
    nodes_[n].suspend_time = largest(&Partition::suspend_time, suspend_time);
    nodes_[n].suspend_timeout = largest(&Partition::suspend_timeout, conf.suspend_timeout);
    nodes_[n].resume_timeout = largest(&Partition::resume_timeout, conf.resume_timeout);
    nodes_[n].can_suspend &= nodes_[n].suspend_time < kFar;
  }
  held = Holdings(count, pools_.size());
  exclusive = NodeBits(count);
  completing_ = NodeBits(count);
  std::vector<Index> first;  // of each kind
  std::vector<Index> lines;  // and of each line
  for (Index n = 0; n < count; ++n) {
    std::size_t kind = 0;
    while (kind < first.size() &&
           (nodes_[first[kind]].cpus != nodes_[n].cpus || nodes_[first[kind]].memory != nodes_[n].memory)) {
      ++kind;
    }
    if (kind == first.size()) {
      first.push_back(n);
      kinds_.emplace_back(count);
    }
    kinds_[kind].set(n);
    kind_.push_back(static_cast<std::uint32_t>(kind));
    const auto same_line = [&](Index other) { return kind_[other] == kind && *settings_of[other] == *settings_of[n]; };
    const auto line = std::find_if(lines.begin(), lines.end(), same_line);
    line_.push_back(static_cast<std::uint32_t>(line - lines.begin()));
    if (line == lines.end()) lines.push_back(n);
  }
}

void NodeTable::fill_partitions(const Cluster& cluster) {
  partitions_.assign(cluster.spec().queues.size(), NodeBits(nodes_.size()));
  for (std::uint32_t q = 0; q < partitions_.size(); ++q) {
    for (Index n = 0; n < nodes_.size(); ++n) {
      const NodeId id = nodes_[n].id;
      if (cluster.serves(cluster.group_of(id), QueueId{q}) && cluster.is_present(id)) partitions_[q].set(n);
    }
  }
}

void Ranking::assign(std::vector<std::uint64_t> ranks) {
  of = std::move(ranks);
  classes.clear();
  for (Index n = 0; n < of.size(); ++n) {
    auto at = std::find_if(classes.begin(), classes.end(), [&](const Class& c) { return c.rank == of[n]; });
    if (at == classes.end()) at = classes.insert(classes.end(), {of[n], NodeBits(of.size())});
    at->nodes.set(n);
  }
  std::sort(classes.begin(), classes.end(), [](const Class& a, const Class& b) { return a.rank < b.rank; });
}

std::optional<NodeBits> NodeTable::named(const std::string& list) const {
  const std::vector<std::string> names = expand_hostlist(list);
  if (names.empty()) return std::nullopt;
  NodeBits bits(nodes_.size());
  for (const std::string& name : names) {
    // They are in Slurm's order.
    const auto at = std::lower_bound(nodes_.begin(), nodes_.end(), name,
                                     [](const Node& node, const std::string& n) { return name_before(node.name, n); });
    if (at == nodes_.end() || at->name != name) return std::nullopt;
    bits.set(static_cast<Index>(at - nodes_.begin()));
  }
  return bits;
}

NodeBits NodeTable::available(const Cluster& cluster) const {
  NodeBits bits(nodes_.size());
  for (Index n = 0; n < nodes_.size(); ++n) {
    if (available(cluster, n)) bits.set(n);
  }
  return bits;
}

namespace {

constexpr unsigned kClass = 40;  // of a rank; below it the weight

}  // namespace

std::uint64_t NodeTable::rank(const Cluster& cluster, Index n, const Version& version, bool start) const {
  const auto weight = static_cast<std::uint64_t>(nodes_[n].weight);
  switch (power(cluster, n)) {
    case NodeState::powered_down:
    case NodeState::powering_down:
      return (std::uint64_t{2} << kClass) | (version.weights_powered_down() ? weight : 0);
    case NodeState::powering_up:
      return (start && version.prefers_up_to_powering_up() ? std::uint64_t{1} << kClass : 0) | weight;
    case NodeState::up:
      break;
  }
  return weight;
}

std::vector<std::uint64_t> NodeTable::rank_in(QueueId queue, const Cluster& cluster, const Version& version) const {
  std::vector<std::uint64_t> ranks(nodes_.size());
  std::vector<std::pair<std::uint32_t, std::int32_t>> powered;  // kinds and weights of which there are nodes with power
  const auto has_power = [&](Index n) {
    const NodeState state = power(cluster, n);
    return state == NodeState::powering_up || state == NodeState::up;
  };
  const auto kind = [&](Index n) { return std::pair(line_[n], nodes_[n].weight); };
  const NodeBits& partition = partitions_[index(queue)];
  partition.for_each([&](Index n) {
    if (has_power(n) && std::find(powered.begin(), powered.end(), kind(n)) == powered.end()) powered.push_back(kind(n));
  });
  partition.for_each([&](Index n) {
    ranks[n] = rank(cluster, n, version, true);
    if (!has_power(n) && std::find(powered.begin(), powered.end(), kind(n)) != powered.end()) {
      ranks[n] = std::uint64_t{3} << kClass;
    }
  });
  return ranks;
}

std::string sinfo_state(const Cluster& cluster, const NodeTable& table, Index n) {
  const Node& node = table[n];
  const NodeState power = cluster.state(node.id);
  const bool powering_down = power == NodeState::powering_down || node.power_cycle;
  std::string text;
  if (node.down) {
    text = "down";
  } else if (node.drain) {
    text = !table.free_of_jobs(n) ? "drng" : "drain";
  } else if (node.completing > 0) {
    text = "comp";
  } else if (table.held.jobs[n] == 0) {
    text = node.planned && power == NodeState::up ? "plnd" : "idle";
    if (node.reserved && power == NodeState::up && !powering_down) text = node.maintained ? "maint" : "resv";
  } else {
    text = table.held.cpus[n] < node.cpus ? "mix" : "alloc";
    if (text == "mix" && node.planned && power == NodeState::up) return "mix-";
  }
  if (powering_down) return text + "%";
  if (node.power_down_asked) return text + "!";
  if (power == NodeState::powered_down) return text + "~";
  if (power == NodeState::powering_up) return text + "#";
  if (node.no_respond) return text + "*";
  return text;
}

}  // namespace headroom::slurm
