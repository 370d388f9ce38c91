#include "models/policies/slurm/select.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "models/policies/slurm/placement.hpp"

namespace headroom::slurm {

Selector::Selector(const NodeTable& table, const Conf& conf)
    : table_(table), memory_counts_(conf.memory), offers_whole_tasks_(conf.version.offers_whole_tasks()) {
  if (!conf.topology.empty()) topology_ = std::make_unique<Topology>(conf.topology, table);
  placement_ = std::make_unique<Placement>(*this, table, topology_.get(), conf.version);
}

Selector::~Selector() = default;

std::int32_t Selector::offer(const Ask& ask, Index n, std::int32_t held_cpus, std::int32_t held_memory, bool clip,
                             bool whole) const {
  const Node& node = table_[n];
  const std::int32_t cpus_of_node = ask.core_spec < 0 ? node.cpus : node.cpus + node.core_spec - ask.core_spec;
  std::int32_t free = cpus_of_node - held_cpus;
  // A node of more CPUs than a partition may have of it is no node for a job that takes all of them.
  if (whole && ask.most_cpus > 0 && free > ask.most_cpus) return 0;
  if (ask.most_cpus > 0) free = std::min(free, ask.most_cpus - std::min((*ask.partition_cpus)[n], held_cpus));
  if (free <= 0 || (whole && held_cpus > 0)) return 0;
  std::int32_t tasks = free;
  if (ask.tasks_per_node > 0 && clip) tasks = std::min(tasks, ask.tasks_per_node);
  std::int32_t cpus = tasks;
  if (ask.cpus_per_task > 1) {
    const std::int32_t fit = std::min(tasks, free / ask.cpus_per_task) * ask.cpus_per_task;
    cpus = offers_whole_tasks_ || fit == 0 ? fit : free;
  }
  if (whole) cpus = free;
  std::int32_t least = ask.cpus_per_node();
  if (ask.tasks_per_node == 0 && ask.max_nodes == 1) least = std::max(ask.tasks, 1) * ask.cpus_per_task;
  if (cpus < least) return 0;
  if (!memory_counts_) return cpus;
  const std::int64_t free_memory = node.memory - held_memory;
  switch (ask.memory_unit) {
    case MemoryUnit::whole:
      return held_memory > 0 ? 0 : cpus;
    case MemoryUnit::per_node:
      return ask.memory > free_memory ? 0 : cpus;
    case MemoryUnit::per_core: {
      const std::int64_t fit = ask.memory > 0 ? free_memory / ask.memory : cpus;
      if (whole) return fit < cpus ? 0 : cpus;
      cpus = static_cast<std::int32_t>(std::min<std::int64_t>(cpus, fit));
      cpus -= cpus % ask.cpus_per_task;
      return cpus < least ? 0 : cpus;
    }
  }
  return 0;
}

std::int32_t Selector::memory_of(const Ask& ask, const Share& share) const {
  if (!memory_counts_) return 0;
  if (ask.needs != nullptr && ask.needs->memory_per_gpu > 0) return ask.needs->memory_per_gpu * share.gpus;
  switch (ask.memory_unit) {
    case MemoryUnit::whole:
      return table_[share.node].memory;
    case MemoryUnit::per_node:
      return ask.memory;
    case MemoryUnit::per_core:
      return ask.memory * share.cpus;
  }
  return 0;
}

void Selector::remove_too_small(const Ask& ask, NodeBits& nodes) const {
  if (is_special(ask)) return placement_->remove_useless(ask, nodes);
  for (const NodeBits& kind : table_.kinds()) {
    if (offer(ask, kind.first(), 0, 0, false, ask.whole_nodes) == 0) nodes.remove(kind);
  }
}

bool Selector::only_idle(const Ask& ask, const NodeBits& nodes) const {
  if (is_special(ask) || ask.sharing.shares) return false;
  const Index some = nodes.first();
  if (some == NodeBits::kNone || !nodes.within(table_.like(some))) return false;
  if (ask.whole_nodes || (memory_counts_ && ask.memory_unit == MemoryUnit::whole)) return true;
  std::int32_t least = ask.cpus_per_node();
  if (ask.tasks_per_node == 0 && ask.max_nodes == 1) least = std::max(ask.tasks, 1) * ask.cpus_per_task;
  return least >= table_[some].cpus;
}

bool Selector::pick(const Ask& ask, const NodeBits& candidates, const Holdings& held, const Ranking& rank, bool clip,
                    bool whole, std::vector<Share>& out) {
  if (held.rows.any()) return pick_in_rows(ask, candidates, held, rank, clip, whole, out);
  out.clear();
  const auto take = [&](Index first, Index last, std::int32_t cpus) {
    for (Index n = first; n <= last; ++n) out.push_back({n, cpus});
  };
  bool found = !is_special(ask) && choose(ask, candidates, held, rank, clip, whole, take);
  if (!found && (is_special(ask) || may_leave_out_)) {
    found = placement_->pick(ask, candidates, held, rank, clip, whole, true, now_, out);
  }
  if (!found) return false;
  if (!whole && ask.cpus_per_task > 1) distribute(ask, out);
  return true;
}

// Tasks go to the nodes in turn, in the order of the table, as long as a node has all the CPUs of one left; when none
// has, the last tasks share what there is. What no task got, the job does not get.
void Selector::distribute(const Ask& ask, std::vector<Share>& shares) {
  std::sort(shares.begin(), shares.end(), [](const Share& a, const Share& b) { return a.node < b.node; });
  std::vector<std::int32_t> given(shares.size());
  std::int32_t tasks = ask.cpus / ask.cpus_per_task;
  for (std::int32_t least = ask.cpus_per_task; tasks > 0 && least > 0;) {
    bool room = false;
    for (std::size_t i = 0; i < shares.size() && tasks > 0; ++i) {
      if (shares[i].cpus - given[i] < least) continue;
      given[i] = std::min(given[i] + ask.cpus_per_task, shares[i].cpus);
      room = true;
      --tasks;
    }
    if (!room) least = least > 1 ? 1 : 0;
  }
  for (std::size_t i = 0; i < shares.size(); ++i) shares[i].cpus = given[i];
}

bool Selector::pick(const Ask& ask, const NodeBits& candidates, const Holdings& held, const Ranking& rank, bool clip,
                    bool whole, NodeBits& out) {
  if (held.rows.any()) return pick_in_rows(ask, candidates, held, rank, clip, whole, out);
  out.clear();
  if (!is_special(ask)) {
    const bool found = choose(ask, candidates, held, rank, clip, whole,
                              [&](Index first, Index last, std::int32_t) { out.set(first, last); });
    if (found || !may_leave_out_) return found;
    out.clear();
  }
  if (!placement_->pick(ask, candidates, held, rank, clip, whole, false, now_, shares_)) return false;
  for (const Share& share : shares_) out.set(share.node);
  return true;
}

// CPUs that nobody has come first, for all jobs; then for those that may share the CPUs that some have.
template <class Out>
bool Selector::pick_in_rows(const Ask& ask, const NodeBits& candidates, const Holdings& held, const Ranking& rank,
                            bool clip, bool whole, Out& out) {
  NodeBits usable = candidates;
  held.rows.remove_unusable(ask.sharing, usable);
  const auto fits_beside = [&](const NodeBits& taken) {
    taken_ = taken;
    see(held, taken);
    return pick(ask, usable, seen_, rank, clip, whole, out);
  };
  return fits_beside(held.rows.in_use()) || (ask.sharing.shares && held.rows.find(ask.sharing, fits_beside));
}

// What is held as it looks to a job to which only these CPUs are taken. Memory and the rest are not shared.
void Selector::see(const Holdings& held, const NodeBits& taken) {
  seen_.memory = held.memory;
  seen_.jobs = held.jobs;
  seen_.idle = held.idle;
  seen_.shared = held.shared;
  seen_.gres = held.gres;
  seen_.cpus.resize(table_.size());
  seen_.full = held.full;
  seen_.full.clear();
  for (Index n = 0; n < table_.size(); ++n) {
    if (held.idle.test(n)) continue;
    // CPUs that are in no row are reserved ones.
    seen_.cpus[n] = held.rows.count(taken, n) + held.cpus[n] - held.rows.in_use(n);
    if (seen_.cpus[n] >= table_[n].cpus) seen_.full.set(n);
  }
}

// Calls take(first, last, cpus) for the nodes it chooses: cpus of each.
template <class Take>
bool Selector::choose(const Ask& ask, const NodeBits& candidates, const Holdings& held, const Ranking& rank, bool clip,
                      bool whole, Take take) {
  std::int32_t min_nodes = ask.min_nodes;
  if (ask.tasks_per_node > 0) {
    min_nodes = std::max(min_nodes, (ask.tasks + ask.tasks_per_node - 1) / ask.tasks_per_node);
  }
  const std::int32_t req_nodes = ask.max_nodes > 0 && !ask.use_min_nodes ? ask.max_nodes : ask.min_nodes;

  may_leave_out_ = false;
  // Runs of neighbours that can give something. Where all nodes have one size, the idle ones offer the same (`alike`),
  // and only those of which something is held are looked at one by one.
  runs_.clear();
  offer_.resize(table_.size());
  const Index some = candidates.first();
  if (some == NodeBits::kNone) return false;
  const bool one_size = candidates.within(table_.like(some));
  std::int32_t alike = 0;
  std::int32_t usable = 0;
  std::int64_t cpus_in_all = 0;
  if (one_size) {
    usable_ = candidates;
    usable_ &= held.idle;
    const Index idle = usable_.first();
    if (idle != NodeBits::kNone) alike = offer(ask, idle, 0, 0, clip, whole);
    if (alike == 0) usable_.clear();
    usable = usable_.count();
    cpus_in_all = std::int64_t{usable} * alike;
    partial_ = candidates;
    if (only_idle(ask, candidates)) {
      partial_.clear();
    } else {
      partial_.remove(held.idle).remove(held.full);
    }
    partial_.for_each([&](Index n) {
      offer_[n] = offer(ask, n, held.cpus_of(n), held.memory_of(n), clip, whole);
      if (offer_[n] == 0) return partial_.reset(n);
      usable_.set(n);
      ++usable;
      cpus_in_all += offer_[n];
    });
    if (usable < min_nodes || cpus_in_all < ask.cpus) return false;
    for (const Ranking::Class& c : rank.classes) {
      NodeBits::for_each_common_run(usable_, c.nodes, [&](Index first, Index last) {
        const auto nodes = static_cast<std::int32_t>(last - first + 1);
        runs_.push_back({first, last, nodes, nodes * alike, c.rank});
      });
    }
    partial_.for_each([&](Index n) {
      for (Run& run : runs_) {
        if (n >= run.first && n <= run.last) run.cpus += offer_[n] - alike;
      }
    });
  } else {
    Index expected = 0;
    candidates.for_each([&](Index n) {
      const std::int32_t cpus = offer(ask, n, held.cpus_of(n), held.memory_of(n), clip, whole);
      offer_[n] = cpus;
      if (cpus == 0) return;
      ++usable;
      cpus_in_all += cpus;
      if (runs_.empty() || n != expected || runs_.back().rank != rank.of[n]) runs_.push_back({n, n, 0, 0, rank.of[n]});
      Run& run = runs_.back();
      run.last = n;
      ++run.nodes;
      run.cpus += cpus;
      expected = n + 1;
    });
    if (usable < min_nodes || cpus_in_all < ask.cpus) return false;
  }
  const auto offered = [&](Index n) { return one_size && !partial_.test(n) ? alike : offer_[n]; };

  std::int32_t cpus_left = ask.cpus;
  std::int32_t nodes_left = std::max(min_nodes, req_nodes);
  std::int32_t min_left = min_nodes;
  std::int32_t most_left = ask.max_nodes > 0 ? ask.max_nodes : std::numeric_limits<std::int32_t>::max();
  if (ask.most_nodes > 0) most_left = std::min(most_left, ask.most_nodes);
  if (ask.tasks_given && ask.tasks > 1) most_left = std::min(most_left, std::max(ask.tasks, min_nodes));
  std::int64_t most_cpus = ask.cpus;
  const std::int32_t at_most = most_left;
  const auto enough_nodes = [&](std::int32_t nodes) {
    return nodes >= (req_nodes > min_nodes ? nodes_left + min_nodes - req_nodes : nodes_left);
  };
  bool done = false;
  while (!runs_.empty() && most_left > 0) {
    const Run* best = nullptr;
    bool best_suffices = false;
    std::size_t at = 0;
    for (std::size_t r = 0; r < runs_.size(); ++r) {
      const Run& run = runs_[r];
      if (run.nodes == 0) continue;
      const bool suffices = run.cpus >= cpus_left && enough_nodes(run.nodes);
      const bool better =
          best == nullptr || run.rank < best->rank ||
          (run.rank == best->rank && ((suffices && !best_suffices) || (suffices && run.cpus < best->cpus) ||
                                      (!suffices && run.cpus > best->cpus)));
      if (!better) continue;
      best = &run;
      best_suffices = suffices;
      at = r;
    }
    if (best == nullptr) break;
    const Run run = *best;
    Index first = run.first;
    Index last = run.last;
    // No node of one size offers more than an idle one, if there is any.
    const bool hopeless = one_size && alike > 0 && cpus_left > alike;
    if (nodes_left <= 1 && !hopeless) {
      // One node may do: the one with the fewest CPUs that suffices.
      Index fit = 0;
      std::int32_t fewest = 0;
      for (Index n = run.first; n <= run.last; ++n) {
        const std::int32_t cpus = offered(n);
        if (cpus < cpus_left || (fewest > 0 && cpus >= fewest)) continue;
        fit = n;
        fewest = cpus;
        if (fewest == cpus_left) break;
      }
      if (fewest > 0) first = last = fit;
    }
    if (one_size && partial_.none() && (whole || ask.cpus_per_node() >= alike)) {
      // All give the same: as many as it takes.
      std::int32_t nodes = std::max(nodes_left, (cpus_left + alike - 1) / alike);
      nodes = std::min({nodes, run.nodes, most_left});
      if (nodes == most_left && cpus_left - (most_left - 1) * alike > alike) --nodes;
      if (nodes > 0) {
        take(first, first + static_cast<Index>(nodes) - 1, alike);
        nodes_left -= nodes;
        min_left -= nodes;
        most_left -= nodes;
        cpus_left -= nodes * alike;
        most_cpus -= std::int64_t{nodes} * alike;
      }
      first = last + 1;
    }
    for (Index n = first; n <= last; ++n) {
      if (most_left == 0 || (nodes_left <= 0 && cpus_left <= 0)) break;
      std::int32_t cpus = offered(n);
      if ((most_left == 1 && cpus < cpus_left)) continue;
      if (!whole) {
        // Leave a CPU for every node that is still to come.
        const std::int64_t most = most_cpus - std::max(min_left - 1, 0);
        if (cpus > most) cpus = static_cast<std::int32_t>(std::max<std::int64_t>(most, ask.cpus_per_node()));
      }
      take(n, n, cpus);
      --nodes_left;
      --min_left;
      --most_left;
      cpus_left -= cpus;
      most_cpus -= cpus;
    }
    if (nodes_left <= 0 && cpus_left <= 0) {
      done = true;
      break;
    }
    runs_[at].nodes = 0;
    runs_[at].cpus = 0;
  }
  if (done || (cpus_left <= 0 && enough_nodes(0))) return true;
  // Where the number of nodes is bounded, those with little to offer may have been in the way, if those with the most
  // to offer are enough.
  if (usable <= min_nodes || (one_size && partial_.none())) return false;
  std::int32_t others = std::min(at_most, usable);
  std::int64_t most = 0;
  offers_.clear();
  if (one_size) {
    partial_.for_each([&](Index n) { offers_.push_back(offer_[n]); });
    const std::int32_t idle = std::min(usable - static_cast<std::int32_t>(offers_.size()), others);
    most = std::int64_t{idle} * alike;
    others -= idle;
  } else {
    candidates.for_each([&](Index n) { offers_.push_back(offer_[n]); });
  }
  const auto end = offers_.begin() + std::min<std::ptrdiff_t>(others, std::ssize(offers_));
  std::nth_element(offers_.begin(), end, offers_.end(), std::greater<>());
  may_leave_out_ = std::accumulate(offers_.begin(), end, most) >= ask.cpus;
  return false;
}

}  // namespace headroom::slurm
