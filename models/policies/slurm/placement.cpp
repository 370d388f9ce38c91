#include "models/policies/slurm/placement.hpp"

#include <algorithm>
#include <limits>

namespace headroom::slurm {
namespace {

// Among nodes of one weight those with more of the GPUs that a job could use come first; they have so many places below
// a weight.
constexpr std::uint64_t kMostNear = 0xff;

}  // namespace

bool Placement::pick(const Ask& ask, const NodeBits& candidates, const Holdings& held, const Ranking& rank, bool clip,
                     bool whole, bool starts, Second now, std::vector<Selector::Share>& out) {
  static const Needs kNothing;
  held_ = &held;
  rank_ = &rank;
  needs_ = ask.needs != nullptr ? ask.needs : &kNothing;
  clip_ = clip;
  whole_ = whole;
  now_ = now;
  NodeBits nodes = candidates;
  if (needs_->excludes_nodes()) nodes.remove(needs_->excluded);
  const NodeBits nobody(table_.size());
  const NodeBits& named_nodes = needs_->names_nodes() ? needs_->required : nobody;
  if (!named_nodes.within(nodes)) return false;
  const auto finish = [&](bool found) {
    if (found) out = chosen_;
    return found;
  };
  if (!needs_->constrained) return finish(place(ask, nodes, named_nodes));
  const FeatureNeed& features = needs_->features;
  nodes &= features.allowed;
  if (!named_nodes.within(nodes)) return false;
  if (features.counts.empty() && !features.options.empty()) {
    for (const NodeBits& option : features.options) {
      NodeBits these = nodes;
      these &= option;
      if (named_nodes.within(these) && place(ask, these, named_nodes)) return finish(true);
    }
    return false;
  }
  if (features.counts.empty() || !starts) return finish(place(ask, nodes, named_nodes));
  if (!features.options.empty()) {
    NodeBits any(table_.size());
    for (const NodeBits& option : features.options) any |= option;
    nodes &= any;
  }
  // So many nodes of each, with a CPU at least; then the rest around them.
  NodeBits required = named_nodes;
  for (const FeatureNeed::Count& count : features.counts) {
    NodeBits these = nodes;
    these &= count.nodes;
    if (count.apart) these.remove(required);
    Ask some = ask;
    some.min_nodes = count.count;
    if (some.max_nodes > 0) some.max_nodes = std::max(some.max_nodes, count.count);
    some.cpus = count.count;
    some.wanted_nodes = count.count;
    if (some.tasks_per_node > 0) some.tasks = count.count * some.tasks_per_node;
    if (!place(some, these, nobody)) return false;
    for (const Selector::Share& share : chosen_) required.set(share.node);
  }
  Ask all = ask;
  const std::int32_t named = required.count();
  all.min_nodes = std::max(ask.min_nodes, named);
  all.cpus = std::max(ask.cpus, named);
  if (ask.max_nodes > 0 && all.min_nodes > ask.max_nodes) return false;
  return finish(place(all, nodes, required));
}

void Placement::remove_useless(const Ask& ask, NodeBits& nodes) {
  static const Needs kNothing;
  if (nothing_.jobs.empty()) nothing_ = Holdings(table_.size(), table_.pools().size());
  held_ = &nothing_;
  needs_ = ask.needs != nullptr ? ask.needs : &kNothing;
  clip_ = false;
  whole_ = ask.whole_nodes;
  requests_ = needs_->gres.size();
  gres_.resize(std::max<std::size_t>(requests_, 1));
  if (needs_->constrained) nodes &= needs_->features.allowed;
  if (needs_->excludes_nodes()) nodes.remove(needs_->excluded);
  NodeBits useless(table_.size());
  nodes.for_each([&](Index n) {
    std::uint64_t near = 0;
    if (offer(ask, n, false, near, gres_.data()) == 0) useless.set(n);
  });
  nodes.remove(useless);
}

bool Placement::place(const Ask& ask, const NodeBits& nodes, const NodeBits& required) {
  // At first with as many CPUs beside each GPU as make an even share.
  const bool together = needs_->counts_gres() && version_.evens_gres();
  if (place_once(ask, nodes, required, together)) return true;
  if (!find_sites(ask, nodes, required, false)) return false;
  // Then without the nodes that have least to offer, which may be in the way where the number of nodes is given.
  NodeBits left(table_.size());
  std::vector<std::pair<Index, std::int32_t>> amounts;
  std::int32_t most = 0;
  for (const Site& site : sites_) {
    std::int32_t amount = site.cpus;
    for (std::size_t r = 0; r < requests_; ++r) amount += needs_->gres[r].is_gpu() ? gres_at(site)[r] : 0;
    left.set(site.node);
    amounts.emplace_back(site.node, amount);
    most = std::max(most, amount);
  }
  auto nodes_left = static_cast<std::int32_t>(sites_.size());
  if (nodes_left <= min_nodes_) return together && place_once(ask, left, required, false);
  for (std::int32_t amount = 1; amount < most; ++amount) {
    bool changed = amount == 1 && together;
    for (const auto& [node, offered] : amounts) {
      if (offered > amount || !left.test(node) || required.test(node)) continue;
      left.reset(node);
      changed = true;
      if (--nodes_left <= min_nodes_) break;
    }
    if (!changed) continue;
    if (place_once(ask, left, required, false)) return true;
    if (nodes_left <= min_nodes_) break;
  }
  return false;
}

bool Placement::place_once(const Ask& ask, const NodeBits& nodes, const NodeBits& required, bool together) {
  min_nodes_ = ask.min_nodes;
  if (ask.tasks_per_node > 0) {
    min_nodes_ = std::max(min_nodes_, (ask.tasks + ask.tasks_per_node - 1) / ask.tasks_per_node);
  }
  req_nodes_ = ask.wanted_nodes > 0 ? ask.wanted_nodes : ask.max_nodes > 0 ? ask.max_nodes : ask.min_nodes;
  cpus_left_ = ask.cpus;
  nodes_left_ = needs_->counts_gres() ? std::min(min_nodes_, req_nodes_) : std::max(min_nodes_, req_nodes_);
  min_left_ = min_nodes_;
  most_left_ = ask.max_nodes > 0 ? ask.max_nodes : std::numeric_limits<std::int32_t>::max();
  if (ask.most_nodes > 0) most_left_ = std::min(most_left_, ask.most_nodes);
  if (ask.tasks_given && ask.tasks > 1) most_left_ = std::min(most_left_, std::max(ask.tasks, min_nodes_));
  const std::int64_t on_all = std::int64_t{needs_->gres_cpus_per_node} * std::max(nodes_left_, 1);
  constexpr std::int64_t kPlenty = 1'000'000'000;
  most_cpus_ = std::max({ask.cpus, static_cast<std::int32_t>(std::min(on_all, kPlenty)), needs_->gres_cpus});
  least_cpus_ = std::max(ask.cpus_per_node(), needs_->gres_cpus_per_node);
  requests_ = needs_->gres.size();
  total_gres_.assign(requests_, 0);
  chosen_.clear();
  if (!find_sites(ask, nodes, required, together)) return false;
  if (std::ssize(sites_) < min_nodes_) return false;
  std::int64_t all_cpus = 0;
  for (const Site& site : sites_) all_cpus += site.cpus;
  if (all_cpus < ask.cpus) return false;
  if (needs_->spread) most_left_ = std::min(most_left_, std::max(ask.tasks, 1));
  if (!required.none()) {
    for (Site& site : sites_) {
      if (site.required && most_left_ > 0) take(site);
    }
    if (done() && !needs_->spread) return true;
    if (most_left_ <= 0 && !done()) return false;
  }
  if (needs_->spread) return spread(ask);
  if (topology_ != nullptr && !needs_->contiguous) return by_switches();
  return consecutive();
}

// False if a node that must be among them has nothing to offer.
bool Placement::find_sites(const Ask& ask, const NodeBits& nodes, const NodeBits& required, bool together) {
  sites_.clear();
  gres_.clear();
  bool all = true;
  nodes.for_each([&](Index n) {
    const bool named = required.test(n);
    std::uint64_t near = 0;
    gres_.resize((sites_.size() + 1) * requests_);
    const std::int32_t cpus = offer(ask, n, together, near, gres_.data() + sites_.size() * requests_);
    all &= cpus > 0 || !named;
    if (cpus == 0) return;
    const std::uint64_t weight = rank_->of[n] * (kMostNear + 1) + kMostNear - near;
    sites_.push_back({n, cpus, weight, named, false});
  });
  return all;
}

// CPUs that the node could give, and into `gres` how much it has of each request; 0 if it is of no use.
std::int32_t Placement::offer(const Ask& ask, Index n, bool together, std::uint64_t& near, std::int32_t* gres) const {
  std::int32_t cpus = selector_.offer(ask, n, held_->cpus_of(n), held_->memory_of(n), clip_, whole_);
  if (cpus == 0 || requests_ == 0) return cpus;
  constexpr std::int32_t kAny = std::numeric_limits<std::int32_t>::max();
  const std::int32_t fit = cpus / ask.cpus_per_task;
  std::int32_t least_tasks = 1;
  std::int32_t most_tasks = kAny;
  if (ask.tasks_per_node > 0) {
    least_tasks = most_tasks = ask.tasks_per_node;
  } else if (tasks_go_with_gres()) {
    least_tasks = most_tasks = std::max(ask.tasks / std::max(ask.min_nodes, 1), 1);
  } else if (ask.max_nodes == 1) {
    least_tasks = most_tasks = std::max(ask.tasks, 1);
  } else if (ask.tasks == 1 || (ask.tasks == ask.min_nodes && ask.tasks == ask.max_nodes)) {
    most_tasks = 1;
  }
  most_tasks = version_.clips_tasks_beside_gres() ? std::min(most_tasks, fit) : fit;
  if (fit < least_tasks) return 0;
  const std::int32_t step = least_tasks;
  bool by_tasks = true;
  for (std::size_t r = 0; r < requests_; ++r) {
    const GresRequest& request = needs_->gres[r];
    std::int32_t total = 0;
    std::int32_t free = 0;
    for (std::size_t p = table_.first_pool(n); p < table_.first_pool(n + 1); ++p) {
      if (!request.takes(table_.pools()[p])) continue;
      total += table_.pools()[p].count;
      free += table_.pools()[p].count - held_->gres_of(n, p);
    }
    std::int32_t least = std::max({request.per_node, request.per_socket, 1});
    least = std::max(least, request.per_task * std::max(ask.tasks_per_node, 1));
    if (whole_) least = std::max(least, total);
    const std::int32_t unfiltered = free;
    // At most so many on the node: as it asks, and as there are CPUs and memory to go with them.
    std::int32_t most = whole_                 ? kAny
                        : request.per_node > 0 ? request.per_node
                        : request.per_job > 0  ? request.per_job
                                               : kAny;
    const std::int32_t cpus_each = request.cpus_with(ask.cpus_per_task);
    if (request.memory_each > 0 && selector_.counts_memory()) {
      free = std::min(free, (table_[n].memory - held_->memory_of(n)) / request.memory_each);
      most = std::min(most, free);
    }
    if (cpus_each > 0) {
      if (!whole_ || request.tasks_each == 0) most = std::min(most, cpus / cpus_each);
      if (table_[n].cpus / cpus_each < std::max({request.per_node, request.per_task, request.per_socket, 1})) return 0;
    }
    if (free < least || most < least) return 0;
    if (request.is_gpu()) near = std::min(kMostNear, near + static_cast<std::uint64_t>(std::min(unfiltered, most)));
    std::int32_t usable = free;
    if (cpus_each > 0) {
      usable = std::min({usable, most, cpus / cpus_each});
      if (usable < least) return 0;
      if (request.tasks_each > 0 && version_.clips_tasks_beside_gres()) {
        most_tasks = std::min(most_tasks, usable * request.tasks_each);
      }
    }
    if (together && request.per_job > 0 && cpus_each == 0) {
      // CPUs for each: where tasks and resources divide evenly.
      std::int32_t even = 0;
      if (ask.tasks % request.per_job == 0) {
        even = ask.tasks / request.per_job * ask.cpus_per_task;
      } else if (request.per_job % ask.tasks == 0 && ask.cpus_per_task % (request.per_job / ask.tasks) == 0) {
        even = ask.cpus_per_task / (request.per_job / ask.tasks);
      }
      if (even > 0) {
        usable = std::min(usable, std::min(cpus / even, request.per_job));
        if (usable < least) return 0;
        const std::int32_t tasks = even * usable / ask.cpus_per_task;
        most_tasks = std::min(most_tasks, std::max(tasks, least_tasks));
        free = std::min(free, std::max(cpus / even, 1));
      }
    }
    if (request.per_task > 0) most_tasks = std::min(most_tasks, usable / request.per_task);
    most_tasks = most_tasks / step * step;
    if (most_tasks < least_tasks) return 0;
    if (cpus_each > 0) {
      // CPUs that nothing needs are not offered.
      const std::int32_t with = request.per_node > 0     ? request.per_node
                                : request.per_socket > 0 ? request.per_socket
                                : request.per_task > 0   ? request.per_task * most_tasks
                                                         : usable;
      const std::int32_t needed = std::max(std::min(most_tasks, fit) * ask.cpus_per_task, with * cpus_each);
      if (needed > cpus) return 0;
      if (!whole_) cpus = needed;
      free = std::min(free, cpus / cpus_each);
      by_tasks &= request.cpus_each == 0;
    }
    gres[r] = free;
  }
  if (whole_ || !by_tasks) return cpus;
  return std::min(
      cpus, static_cast<std::int32_t>(std::min<std::int64_t>(std::int64_t{most_tasks} * ask.cpus_per_task, kAny)));
}

bool Placement::tasks_go_with_gres() const {
  return std::any_of(needs_->gres.begin(), needs_->gres.end(), [](const GresRequest& r) { return r.tasks_each > 0; });
}

bool Placement::gres_met() const {
  for (std::size_t r = 0; r < requests_; ++r) {
    if (total_gres_[r] < needs_->gres[r].per_job) return false;
  }
  return true;
}

bool Placement::gres_suffices(const std::int32_t* more) const {
  for (std::size_t r = 0; r < requests_; ++r) {
    if (total_gres_[r] + more[r] < needs_->gres[r].per_job) return false;
  }
  return true;
}

// The job gets the node; CPUs are left for those that are still to come.
void Placement::take(Site& site) {
  std::int32_t cpus = site.cpus;
  if (!whole_) {
    const std::int64_t most = most_cpus_ - std::max(min_left_ - 1, 0);
    if (cpus > most) cpus = static_cast<std::int32_t>(std::max<std::int64_t>(most, least_cpus_));
  }
  const std::int32_t* const gres = gres_at(site);
  std::int32_t gres_cpus = 0;
  for (std::size_t r = 0; r < requests_; ++r) {
    const GresRequest& request = needs_->gres[r];
    if (request.per_job == 0) continue;
    std::int32_t more = gres[r];
    if (request.cpus_each > 0) {
      more = std::min(more, cpus / request.cpus_each);
      gres_cpus = std::max(gres_cpus, more * request.cpus_each);
    }
    if (request.per_job > total_gres_[r]) more = std::min(more, request.per_job - total_gres_[r]);
    total_gres_[r] += std::max({more, request.per_node, 1});
  }
  if (gres_cpus > 0 && !whole_) cpus = gres_cpus;
  site.chosen = true;
  chosen_.push_back({site.node, cpus});
  --nodes_left_;
  --min_left_;
  --most_left_;
  cpus_left_ -= cpus;
  most_cpus_ -= cpus;
}

// Whole runs of neighbours of the lowest weight, the tightest that suffices; for the last node the tightest.
bool Placement::consecutive() {
  const bool contiguous = needs_->contiguous;
  std::vector<Run> runs;
  bool open = false;
  for (std::size_t i = 0; i < sites_.size(); ++i) {
    const Site& site = sites_[i];
    const bool gap = i > 0 && site.node != sites_[i - 1].node + 1;
    const bool other = open && !contiguous && runs.back().nodes > 0 && runs.back().weight != site.weight;
    if (!open || gap || other) {
      if (open && runs.back().nodes == 0) runs.pop_back();
      runs.emplace_back().gres.assign(requests_, 0);
      open = true;
    }
    Run& run = runs.back();
    if (site.required) {
      if (run.required == kNone) run.required = i;
      continue;
    }
    if (run.nodes == 0) run.first = i;
    run.last = i;
    ++run.nodes;
    run.cpus += site.cpus;
    run.weight = site.weight;
    for (std::size_t r = 0; r < requests_; ++r) run.gres[r] += gres_at(site)[r];
  }
  if (open && runs.back().nodes == 0) runs.pop_back();

  while (most_left_ > 0) {
    Run* best = nullptr;
    bool best_suffices = false;
    for (Run& run : runs) {
      if (run.nodes == 0) continue;
      const bool suffices = run.cpus >= cpus_left_ && enough_nodes(run.nodes) && gres_suffices(run.gres.data());
      bool better = best == nullptr || (best->required == kNone && run.required != kNone) || run.weight < best->weight;
      if (!better && run.weight == best->weight) {
        better =
            (suffices && !best_suffices) || (suffices && run.cpus < best->cpus) || (!suffices && run.cpus > best->cpus);
      }
      if (!better) better = contiguous && suffices && !best_suffices;
      if (!better) continue;
      best = &run;
      best_suffices = suffices;
    }
    if (best == nullptr || (contiguous && !best_suffices)) break;
    const auto usable = [&](std::size_t i) {
      return !sites_[i].required && !sites_[i].chosen && !(most_left_ == 1 && sites_[i].cpus < cpus_left_);
    };
    if (best->required != kNone) {
      // Upwards from the nodes that must be among them, then downwards.
      for (std::size_t i = best->required; i <= best->last && most_left_ > 0 && !done(); ++i) {
        if (!sites_[i].required && !sites_[i].chosen) take(sites_[i]);
      }
      for (std::size_t i = best->required; i-- > best->first && most_left_ > 0 && !done();) {
        if (!sites_[i].required && !sites_[i].chosen) take(sites_[i]);
      }
    } else {
      std::size_t fit = kNone;
      if (nodes_left_ <= 1) {
        for (std::size_t i = best->first; i <= best->last; ++i) {
          if (sites_[i].required || sites_[i].cpus < cpus_left_ || !gres_suffices(gres_at(sites_[i]))) continue;
          if (fit != kNone && sites_[i].cpus >= sites_[fit].cpus) continue;
          fit = i;
          if (sites_[i].cpus == cpus_left_) break;
        }
      }
      const std::size_t first = fit != kNone ? fit : best->first;
      const std::size_t last = fit != kNone ? fit : best->last;
      for (std::size_t i = first; i <= last && most_left_ > 0 && !done(); ++i) {
        if (usable(i)) take(sites_[i]);
      }
    }
    if (done()) return true;
    best->nodes = 0;
  }
  return cpus_left_ <= 0 && gres_met() && enough_nodes(0);
}

// The nodes of the lowest weight one after the other, as many as it may have; its tasks go to them in turn.
bool Placement::spread(const Ask& ask) {
  std::vector<std::size_t> order(sites_.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [this](std::size_t a, std::size_t b) { return sites_[a].weight < sites_[b].weight; });
  for (const std::size_t i : order) {
    if (most_left_ <= 0) break;
    if (!sites_[i].chosen) take(sites_[i]);
  }
  if (cpus_left_ > 0 || min_left_ > 0 || !gres_met()) return false;
  if (whole_) return true;
  std::sort(chosen_.begin(), chosen_.end(), [](const auto& a, const auto& b) { return a.node < b.node; });
  std::vector<std::int32_t> tasks(chosen_.size());
  for (std::int32_t left = std::max(ask.tasks, 1), last = 0; left > 0 && left != last;) {
    last = left;
    for (std::size_t i = 0; i < chosen_.size() && left > 0; ++i) {
      if ((tasks[i] + 1) * ask.cpus_per_task > chosen_[i].cpus) continue;
      ++tasks[i];
      --left;
    }
  }
  for (std::size_t i = 0; i < chosen_.size(); ++i) chosen_[i].cpus = std::max(tasks[i], 1) * ask.cpus_per_task;
  return true;
}

// As few leaves as possible below the highest switch of the nodes of the lowest weight; the leaf that suffices and has
// the fewest nodes first, or else the one with the most.
bool Placement::by_switches() {
  const std::size_t switches = topology_->size();
  NodeBits usable(table_.size());
  NodeBits required(table_.size());
  for (const Site& site : sites_) {
    usable.set(site.node);
    if (site.required) required.set(site.node);
  }
  std::vector<NodeBits> below;
  std::vector<std::int32_t> nodes(switches);
  std::vector<std::int64_t> cpus(switches);
  for (std::size_t s = 0; s < switches; ++s) {
    below.push_back(topology_->nodes(s));
    below[s] &= usable;
    nodes[s] = below[s].count();
    for (const Site& site : sites_) {
      if (below[s].test(site.node)) cpus[s] += site.cpus;
    }
  }
  std::vector<std::uint64_t> weights;
  for (const Site& site : sites_) weights.push_back(site.weight);
  std::sort(weights.begin(), weights.end());
  weights.erase(std::unique(weights.begin(), weights.end()), weights.end());
  const bool named = !required.none();
  std::vector<char> used(switches);
  std::size_t top = kNone;
  std::uint64_t top_weight = 0;
  for (std::size_t s = 0; s < switches; ++s) {
    if (named) {
      if (!below[s].overlaps(required)) continue;
      used[s] = 1;
      if (top == kNone || topology_->level(s) > topology_->level(top)) top = s;
      continue;
    }
    if (!enough_nodes(nodes[s]) || cpus_left_ > cpus[s]) continue;
    std::uint64_t lowest = ~std::uint64_t{0};
    for (const Site& site : sites_) {
      if (below[s].test(site.node)) lowest = std::min(lowest, site.weight);
    }
    if (top == kNone || (topology_->level(s) >= topology_->level(top) && lowest <= top_weight)) {
      top = s;
      top_weight = lowest;
    }
  }
  if (top == kNone || !required.within(below[top])) return false;

  // Nodes of the lowest weights that are enough; those of all weights but the last are taken anyhow.
  NodeBits best(table_.size());
  NodeBits before(table_.size());
  std::int32_t best_nodes = 0;
  std::int64_t best_cpus = 0;
  std::vector<std::int32_t> best_gres(requests_);
  bool sufficient = false;
  for (const std::uint64_t weight : weights) {
    if (best_nodes > 0) before |= best;
    for (const Site& site : sites_) {
      if (site.weight != weight || site.required || !below[top].test(site.node)) continue;
      best.set(site.node);
      ++best_nodes;
      best_cpus += site.cpus;
      for (std::size_t r = 0; r < requests_; ++r) best_gres[r] += gres_at(site)[r];
    }
    const bool rest = best_cpus >= cpus_left_ && gres_suffices(best_gres.data());
    sufficient |= rest && enough_nodes(best_nodes);
    if (rest && best_nodes >= nodes_left_) break;
  }
  if (!sufficient) return false;
  const auto take_of = [&](const NodeBits& these) {
    std::int32_t taken = 0;
    for (Site& site : sites_) {
      if (most_left_ <= 0 || done()) break;
      if (site.chosen || !these.test(site.node)) continue;
      take(site);
      ++taken;
    }
    return taken;
  };
  const auto found = [&] {
    if (needs_->switches == 0 || now_ >= needs_->switches_until || held_->imagined) return true;
    NodeBits mine(table_.size());
    for (const Selector::Share& share : chosen_) mine.set(share.node);
    std::int32_t leaves = 0;
    for (std::size_t s = 0; s < switches; ++s) leaves += topology_->is_leaf(s) && topology_->nodes(s).overlaps(mine);
    return leaves <= needs_->switches;
  };
  const auto left = [&](std::int32_t taken, std::size_t s) {
    for (;; s = topology_->parent(s)) {
      nodes[s] = std::max(nodes[s] - taken, 0);
      if (topology_->parent(s) == s) break;
    }
  };
  if (!before.none()) {
    take_of(before);
    if (done()) return found();
    if (most_left_ <= 0) return false;
    for (std::size_t s = 0; s < switches; ++s) used[s] |= static_cast<char>(below[s].overlaps(before));
  }
  best |= required;
  for (std::size_t s = 0; s < switches; ++s) {
    below[s] &= below[top];
    below[s] &= best;
    nodes[s] = below[s].count();
  }
  if (named || !before.none()) {
    std::int32_t taken = 0;
    for (std::size_t s = 0; s < switches; ++s) {
      if (!used[s] || !topology_->is_leaf(s)) continue;
      taken += take_of(below[s]);
      if (done()) return found();
      left(taken, s);
    }
  }
  std::vector<std::int32_t> distance(switches);
  const auto add_distance = [&](std::size_t from) {
    for (std::size_t s = 0; s < switches; ++s) {
      distance[s] = std::min(distance[s] + topology_->distance(from, s), Topology::kNotConnected);
    }
  };
  for (std::size_t s = 0; s < switches; ++s) {
    if (used[s]) add_distance(s);
  }
  for (std::int32_t last = nodes_left_ + 1; last != nodes_left_;) {
    last = nodes_left_;
    const std::size_t s = best_switch(used, nodes, cpus, distance);
    if (s == kNone) break;
    add_distance(s);
    take_of(below[s]);
    if (done()) return found();
    left(nodes[s], s);
    nodes[s] = 0;
  }
  return min_left_ <= 0 && cpus_left_ <= 0 && gres_met() && found();
}

std::size_t Placement::best_switch(const std::vector<char>& used, const std::vector<std::int32_t>& nodes,
                                   const std::vector<std::int64_t>& cpus,
                                   const std::vector<std::int32_t>& distance) const {
  std::size_t best = kNone;
  for (std::size_t s = 0; s < topology_->size(); ++s) {
    if (used[s] || !topology_->is_leaf(s) || nodes[s] == 0 || distance[s] >= Topology::kNotConnected) continue;
    if (best == kNone || better_switch(s, best, nodes, cpus, distance)) best = s;
  }
  return best;
}

bool Placement::better_switch(std::size_t i, std::size_t best, const std::vector<std::int32_t>& nodes,
                              const std::vector<std::int64_t>& cpus, const std::vector<std::int32_t>& distance) const {
  const bool nearer = distance[i] < distance[best];
  const bool as_near = distance[i] == distance[best];
  std::size_t a = i;
  std::size_t b = best;
  bool fits = false;
  int order = 0;
  for (;;) {
    fits = nodes[a] >= nodes_left_ && cpus[a] >= cpus_left_;
    const bool other = nodes[b] >= nodes_left_ && cpus[b] >= cpus_left_;
    if (fits && other && nodes[a] != nodes[b]) {
      order = nodes[a] < nodes[b] ? 1 : -1;
    } else if (fits != other) {
      order = fits ? 1 : -1;
    }
    if (order != 0) break;
    const std::size_t up_a = topology_->parent(a);
    const std::size_t up_b = topology_->parent(b);
    if ((fits && other) || (up_a == a && up_b == b) || up_a == up_b) break;
    a = up_a;
    b = up_b;
  }
  if (order == 0 && nodes[a] != nodes[b]) order = nodes[a] > nodes[b] ? 1 : -1;
  if (order == 0 && topology_->level(a) != topology_->level(b)) {
    order = topology_->level(a) < topology_->level(b) ? 1 : -1;
  }
  return (nearer && fits) || (as_near && order > 0);
}

}  // namespace headroom::slurm
