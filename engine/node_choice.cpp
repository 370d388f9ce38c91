#include "engine/node_choice.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace headroom {
namespace {

constexpr std::int64_t pairs_of(std::int64_t nodes) { return nodes * (nodes - 1) / 2; }

// Whether the union of the first two sets has the first candidate that is not in both unions.
bool first_ones(const std::uint64_t* a, const std::uint64_t* b, const std::uint64_t* c, const std::uint64_t* d,
                std::size_t words) {
  for (std::size_t w = 0; w < words; ++w) {
    const std::uint64_t ab = a[w] | b[w];
    const std::uint64_t cd = c[w] | d[w];
    if (ab != cd) return ab > cd;
  }
  return false;
}

constexpr std::uint64_t bit_of(std::size_t position) { return std::uint64_t{1} << (63 - position % 64); }

}  // namespace

void NodeChooser::choose(std::span<const LeafId> taken, std::span<const LeafId> candidates, std::size_t count,
                         std::vector<std::uint32_t>& out) {
  ensure(count <= candidates.size(), "nodes are chosen among enough of them");
  out.clear();
  if (choice_ == NodeChoice::order || count == candidates.size()) {
    out.resize(count);
    std::iota(out.begin(), out.end(), 0u);
    return;
  }
  look_at(taken, candidates);
  if (count >= ranked_.size()) {
    out = ranked_;
    for (std::uint32_t i = 0; out.size() < count; ++i) {
      if (candidates[i] == kNoLeaf) out.push_back(i);
    }
  } else if (count == 0) {
    return;
  } else if (choice_ == NodeChoice::tree) {
    choose_by_tree(static_cast<std::int64_t>(count), out);
  } else if (count == 1 && taken_ == 0) {  // a node alone is as near to itself everywhere
    out.push_back(*std::min_element(ranked_.begin(), ranked_.end()));
  } else {
    choose_compact(static_cast<std::int64_t>(count), out);
  }
  std::sort(out.begin(), out.end());
  ensure(out.size() == count, "as many nodes are chosen as are asked for");
}

void NodeChooser::look_at(std::span<const LeafId> taken, std::span<const LeafId> candidates) {
  words_ = (candidates.size() + 63) / 64;
  ranked_.clear();
  for (std::uint32_t i = 0; i < candidates.size(); ++i) {
    if (candidates[i] != kNoLeaf) ranked_.push_back(i);
  }
  std::stable_sort(ranked_.begin(), ranked_.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return candidates[a] < candidates[b]; });
  std::vector<LeafId> held;
  std::copy_if(taken.begin(), taken.end(), std::back_inserter(held), [](LeafId leaf) { return leaf != kNoLeaf; });
  std::sort(held.begin(), held.end());
  taken_ = static_cast<std::int64_t>(held.size());
  leaves_.clear();
  auto next = held.begin();
  for (std::size_t i = 0; i < ranked_.size() || next != held.end();) {
    const bool of_held = i == ranked_.size() || (next != held.end() && *next < candidates[ranked_[i]]);
    const LeafId leaf = of_held ? *next : candidates[ranked_[i]];
    Leaf made;
    made.leaf = leaf;
    made.node = network_->node_of(leaf);
    made.depth = network_->depth(made.node);
    made.first = i;
    for (; next != held.end() && *next == leaf; ++next) ++made.taken;
    for (; i < ranked_.size() && candidates[ranked_[i]] == leaf; ++i) ++made.free;
    leaves_.push_back(made);
  }
}

// --- compact --------------------------------------------------------------------------------------------------------

// The diameter is 2 (depth of the deepest leaf - depth of the deepest node above all + 1): parts of the tree in which
// that is least.
std::vector<NodeChooser::Part> NodeChooser::tightest_parts(std::int64_t count) const {
  std::vector<std::uint32_t> depths;
  std::uint32_t least_deep = 0;
  for (const Leaf& leaf : leaves_) {
    depths.push_back(leaf.depth);
    if (leaf.taken > 0) least_deep = std::max(least_deep, leaf.depth);
  }
  std::sort(depths.begin(), depths.end());
  depths.erase(std::unique(depths.begin(), depths.end()), depths.end());

  std::vector<Part> parts;
  std::uint32_t least_height = std::numeric_limits<std::uint32_t>::max();
  std::vector<std::int64_t> free(network_->size());
  std::vector<std::int64_t> taken(network_->size());
  std::vector<std::uint32_t> seen;
  for (const std::uint32_t deepest : depths) {
    if (deepest < least_deep) continue;
    for (const std::uint32_t node : seen) free[node] = taken[node] = 0;
    seen.clear();
    for (const Leaf& leaf : leaves_) {
      if (leaf.depth > deepest) continue;
      for (std::uint32_t node = leaf.node; node != NetworkNode::kRoot; node = network_->parent(node)) {
        if (free[node] == 0 && taken[node] == 0) seen.push_back(node);
        free[node] += leaf.free;
        taken[node] += leaf.taken;
      }
    }
    for (const std::uint32_t node : seen) {
      const std::uint32_t height = deepest - network_->depth(node);
      if (taken[node] < taken_ || free[node] < count || height > least_height) continue;
      if (height < least_height) parts.clear();
      least_height = height;
      parts.push_back({node, deepest});
    }
  }
  return parts;
}

void NodeChooser::enter(const Part& part, std::int64_t count) {
  depths_.clear();
  std::vector<std::int64_t> free;
  for (Leaf& leaf : leaves_) {
    leaf.stride = 0;
    if (!is_in(leaf, part)) continue;
    const auto at = std::lower_bound(depths_.begin(), depths_.end(), leaf.depth,
                                     [](const Depth& d, std::uint32_t depth) { return d.depth < depth; });
    const auto position = at - depths_.begin();
    if (at == depths_.end() || at->depth != leaf.depth) {
      depths_.insert(at, Depth{.depth = leaf.depth});
      free.insert(free.begin() + position, 0);
    }
    depths_[static_cast<std::size_t>(position)].taken += leaf.taken;
    free[static_cast<std::size_t>(position)] += leaf.free;
  }
  std::size_t stride = 1;
  for (std::size_t d = 0; d < depths_.size() && stride <= kMostStates; ++d) {
    depths_[d].stride = stride;
    depths_[d].numbers = static_cast<std::size_t>(std::min(free[d], count)) + 1;
    stride *= depths_[d].numbers;
  }
  if (depths_.size() > 1 && stride > kMostStates) {  // as if all were equally deep
    const std::int64_t all = std::accumulate(free.begin(), free.end(), std::int64_t{0});
    depths_ = {Depth{part.deepest, taken_, 1, static_cast<std::size_t>(std::min(all, count)) + 1}};
  }
  for (Leaf& leaf : leaves_) {
    if (!is_in(leaf, part)) continue;
    leaf.stride = depths_.front().stride;
    for (const Depth& d : depths_) {
      if (d.depth == leaf.depth) leaf.stride = d.stride;
    }
  }
}

// Pairs of nodes on leaves above the deepest, once for each level that both are above: their way is so much shorter.
std::int64_t NodeChooser::shallow_pairs(std::size_t at) const {
  std::int64_t pairs = 0;
  std::int64_t nodes = 0;
  for (std::size_t d = 0; d + 1 < depths_.size(); ++d) {
    nodes += depths_[d].taken + static_cast<std::int64_t>(at / depths_[d].stride % depths_[d].numbers);
    pairs += pairs_of(nodes) * std::int64_t{depths_[d + 1].depth - depths_[d].depth};
  }
  return pairs;
}

void NodeChooser::choose_compact(std::int64_t count, std::vector<std::uint32_t>& out) {
  std::int64_t least_hops = std::numeric_limits<std::int64_t>::max();
  std::vector<std::uint64_t> best;
  for (const Part& part : tightest_parts(count)) {
    enter(part, count);
    const Table table = solve(part.node, 0, leaves_.size(), count);
    const std::int64_t below = pairs_of(taken_ + count);
    const std::int64_t height = std::int64_t{part.deepest} - network_->depth(part.node) + 1;
    const std::vector<std::uint64_t> none(words_);
    for (const std::vector<State>* states : {&table.whole, &table.parted}) {
      for (const State& state : *states) {
        if (state.nodes != count) continue;
        // `solve` counts the pairs below the part's own node, too: those are all.
        const std::int64_t hops = below * (height + 1) - state.score - shallow_pairs(state.at);
        const std::uint64_t* bits = table.bits.data() + state.bits;
        if (hops > least_hops) continue;
        if (hops == least_hops && !first_ones(bits, none.data(), best.data(), none.data(), words_)) continue;
        least_hops = hops;
        best.assign(bits, bits + words_);
      }
    }
  }
  ensure(!best.empty(), "among enough candidates there is a choice");
  for (const std::uint32_t position : ranked_) {
    if ((best[position / 64] & bit_of(position)) != 0) out.push_back(position);
  }
}

// The part's leaves from number `first` to `last` - 1, which are those below `node`.
NodeChooser::Table NodeChooser::solve(std::uint32_t node, std::size_t first, std::size_t last,
                                      std::int64_t count) const {
  Table table;
  std::int64_t taken = 0;
  bool any = false;
  const auto add = [&](Table&& other) {
    table = any ? join(table, other, count) : std::move(other);
    any = true;
  };
  for (std::size_t i = first; i < last;) {
    if (leaves_[i].stride == 0) {
      ++i;
      continue;
    }
    if (leaves_[i].node == node) {
      taken += leaves_[i].taken;
      add(of_leaf(leaves_[i++], count));
      continue;
    }
    const std::uint32_t child = network_->ancestor(leaves_[i].leaf, network_->depth(node) + 1);
    const std::size_t begin = i;
    for (; i < last && network_->leaves_below(child).contains(leaves_[i].leaf); ++i) {
      if (leaves_[i].stride > 0) taken += leaves_[i].taken;
    }
    add(solve(child, begin, i, count));
  }
  for (std::vector<State>* states : {&table.whole, &table.parted}) {
    for (State& state : *states) state.score += pairs_of(taken + state.nodes);
  }
  return table;
}

NodeChooser::Table NodeChooser::of_leaf(const Leaf& leaf, std::int64_t count) const {
  Table table;
  std::vector<std::uint64_t> bits(words_);
  for (std::int64_t n = 0; n <= std::min(leaf.free, count); ++n) {
    if (n > 0) {
      const std::uint32_t position = ranked_[leaf.first + static_cast<std::size_t>(n) - 1];
      bits[position / 64] |= bit_of(position);
    }
    const bool is_whole = n == 0 || n == leaf.free;
    (is_whole ? table.whole : table.parted)
        .push_back({static_cast<std::size_t>(n) * leaf.stride, n, 0, table.bits.size()});
    table.bits.insert(table.bits.end(), bits.begin(), bits.end());
  }
  return table;
}

NodeChooser::Table NodeChooser::join(const Table& a, const Table& b, std::int64_t count) const {
  const auto last = [](const Table& t) {
    std::size_t at = t.whole.back().at;
    return t.parted.empty() ? at : std::max(at, t.parted.back().at);
  };
  const std::size_t size = last(a) + last(b) + 1;
  std::vector<Sum> whole(size);
  std::vector<Sum> parted(size);
  const auto add = [&](const std::vector<State>& from_a, const std::vector<State>& from_b, std::vector<Sum>& sums) {
    for (const State& s : from_a) {
      for (const State& t : from_b) {
        if (s.nodes + t.nodes > count) continue;
        Sum& sum = sums[s.at + t.at];
        const std::int64_t score = s.score + t.score;
        if (score < sum.score) continue;
        if (score == sum.score && !first_ones(a.bits.data() + s.bits, b.bits.data() + t.bits,
                                              a.bits.data() + sum.a->bits, b.bits.data() + sum.b->bits, words_)) {
          continue;
        }
        sum = {score, &s, &t};
      }
    }
  };
  add(a.whole, b.whole, whole);
  add(a.whole, b.parted, parted);
  add(a.parted, b.whole, parted);
  Table table;
  const auto is_there = [](const Sum& sum) { return sum.a != nullptr; };
  const auto sums_there =
      std::count_if(whole.begin(), whole.end(), is_there) + std::count_if(parted.begin(), parted.end(), is_there);
  table.bits.resize(static_cast<std::size_t>(sums_there) * words_);
  std::size_t next = 0;
  const auto keep = [&](const std::vector<Sum>& sums, std::vector<State>& states) {
    for (std::size_t at = 0; at < size; ++at) {
      const Sum& sum = sums[at];
      if (!is_there(sum)) continue;
      states.push_back({at, sum.a->nodes + sum.b->nodes, sum.score, next});
      const std::uint64_t* of_a = a.bits.data() + sum.a->bits;
      const std::uint64_t* of_b = b.bits.data() + sum.b->bits;
      for (std::size_t w = 0; w < words_; ++w) table.bits[next++] = of_a[w] | of_b[w];
    }
  };
  keep(whole, table.whole);
  keep(parted, table.parted);
  return table;
}

// --- tree -----------------------------------------------------------------------------------------------------------

// As slurmctld's topology/tree does, in the words of a network: leaves on which the job is already give what they have;
// then, again and again, the leaf that is nearest to those used so far, and of these the one that holds what is missing
// most tightly, or whose nearest node above that does. Of leaves below one such node the fullest of free nodes. What
// the job has already it counts as free, and what it takes beside that is off more than once, as slurmctld has it
// (models/policies/slurm/placement.cpp, which follows recorded runs).
void NodeChooser::choose_by_tree(std::int64_t count, std::vector<std::uint32_t>& out) const {
  std::vector<std::int64_t> free(network_->size());
  std::vector<char> used(network_->size());
  const auto above = [this](std::uint32_t node) {
    return network_->parent(node) == NetworkNode::kRoot ? node : network_->parent(node);
  };
  const auto give = [&](const Leaf& leaf) {
    const std::int64_t given = std::min(leaf.free, count);
    const auto first = ranked_.begin() + static_cast<std::ptrdiff_t>(leaf.first);
    out.insert(out.end(), first, first + given);
    count -= given;
    return given;
  };
  const auto take_off = [&](const Leaf& leaf, std::int64_t nodes) {
    for (std::uint32_t node = leaf.node; node != NetworkNode::kRoot; node = network_->parent(node)) {
      free[node] = std::max<std::int64_t>(free[node] - nodes, 0);
    }
  };
  for (const Leaf& leaf : leaves_) {
    for (std::uint32_t node = leaf.node; node != NetworkNode::kRoot; node = network_->parent(node)) {
      free[node] += leaf.free + leaf.taken;
      used[node] |= static_cast<char>(leaf.taken > 0);
    }
  }
  std::int64_t beside = 0;
  for (const Leaf& leaf : leaves_) {
    if (leaf.taken == 0) continue;
    beside += give(leaf);
    take_off(leaf, beside);
  }
  std::vector<std::int64_t> distance(leaves_.size());
  const auto use = [&](std::uint32_t from) {
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
      std::uint32_t a = from;
      std::uint32_t b = leaves_[i].node;
      for (; a != b; ++distance[i]) {
        std::uint32_t& deeper = network_->depth(a) > network_->depth(b) ? a : b;
        deeper = network_->parent(deeper);
      }
    }
  };
  for (std::uint32_t node = 0; node < network_->size(); ++node) {
    if (used[node] != 0) use(node);
  }
  const auto better = [&](std::size_t i, std::size_t best) {
    std::uint32_t a = leaves_[i].node;
    std::uint32_t b = leaves_[best].node;
    bool fits = false;
    std::int64_t order = 0;
    for (;;) {
      fits = free[a] >= count;
      const bool other = free[b] >= count;
      order = fits && other ? free[b] - free[a] : std::int64_t{fits} - std::int64_t{other};
      if (order != 0 || (fits && other) || above(a) == above(b)) break;
      a = above(a);
      b = above(b);
    }
    if (order == 0) order = free[a] - free[b];
    if (order == 0) order = std::int64_t{network_->depth(a)} - std::int64_t{network_->depth(b)};
    return (distance[i] < distance[best] && fits) || (distance[i] == distance[best] && order > 0);
  };
  std::vector<char> gave(leaves_.size());
  for (std::size_t i = 0; i < leaves_.size(); ++i) gave[i] = leaves_[i].taken > 0 || leaves_[i].free == 0;
  while (count > 0) {
    std::size_t best = leaves_.size();
    for (std::size_t i = 0; i < leaves_.size(); ++i) {
      if (gave[i] == 0 && (best == leaves_.size() || better(i, best))) best = i;
    }
    use(leaves_[best].node);
    give(leaves_[best]);
    take_off(leaves_[best], leaves_[best].free);
    gave[best] = 1;
  }
}

}  // namespace headroom
