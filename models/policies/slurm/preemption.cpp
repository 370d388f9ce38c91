#include "models/policies/slurm/preemption.hpp"

#include <algorithm>
#include <limits>

namespace headroom::slurm {

const Qos* Preemption::qos_of(const Job& job) const {
  return job.payer.qos == kNobody ? nullptr : &associations_.qos()[job.payer.qos];
}

// What happens to the job if it is to make way. One that may not be requeued is cancelled instead.
PreemptMode Preemption::mode_of(const Job& job, const Qos* qos, const JobTable& table) const {
  PreemptMode mode = conf_.preempt_mode;
  if (conf_.preempt == Preempt::qos && qos != nullptr && qos->preempt_mode) mode = *qos->preempt_mode;
  const Partition& partition = conf_.partitions[index(job.queue)];
  if (conf_.preempt == Preempt::partition_prio && partition.preempt_mode) mode = *partition.preempt_mode;
  if (mode == PreemptMode::requeue && !table.terms(job.id).requeue) mode = PreemptMode::cancel;
  return mode;
}

bool Preemption::may_push(const Job& job, const Job& other, const JobTable& table, Second now) const {
  const Qos* const qos = qos_of(other);
  if (conf_.preempt == Preempt::qos) {
    const Qos* const own = qos_of(job);
    if (own == nullptr || qos == nullptr) return false;
    if (std::find(own->preempts.begin(), own->preempts.end(), qos->name) == own->preempts.end()) return false;
  } else if (conf_.partitions[index(other.queue)].priority_tier >= conf_.partitions[index(job.queue)].priority_tier) {
    return false;
  }
  if (mode_of(other, qos, table) == PreemptMode::off) return false;
  const bool own_time = conf_.preempt == Preempt::qos && qos->preempt_exempt_time.has_value();
  if (other.start + (own_time ? *qos->preempt_exempt_time : conf_.preempt_exempt_time) > now) return false;
  return conf_.preempt_min_exempt_priority == 0 || other.priority <= conf_.preempt_min_exempt_priority;
}

// In the order in which they are asked: of the lowest QOS (or PriorityTier) first, of these those on the fewest nodes;
// or, with youngest_first, those that started last. A heterogeneous job is one of them if all its components may be
// pushed, and goes by its first.
std::vector<Preemption::Candidate> Preemption::candidates(const Job& job, const NodeBits& allowed, const JobList& jobs,
                                                          const JobTable& table, Second now) const {
  std::vector<Candidate> found;
  const Qos* const own = qos_of(job);
  if (conf_.preempt == Preempt::qos && (own == nullptr || own->preempts.empty())) return found;
  const auto on_allowed = [&](JobId id) { return jobs[id].nodes.overlaps(allowed); };
  std::vector<JobId> active;
  for (const JobId id : jobs.active()) {
    const bool may_go = jobs[id].components > 0 || (on_allowed(id) && may_push(job, jobs[id], table, now));
    if (may_go) active.push_back(id);
  }
  std::sort(active.begin(), active.end(), [&](JobId a, JobId b) { return jobs[a].record < jobs[b].record; });
  std::vector<JobId> leaders;  // of those that were looked at
  for (const JobId id : active) {
    const Job& other = jobs[id];
    std::vector<JobId> all;
    if (other.components == 0) {
      all = {id};
    } else {
      if (std::find(leaders.begin(), leaders.end(), other.leader) != leaders.end()) continue;
      leaders.push_back(other.leader);
      for (const JobId each : active) {
        if (jobs[each].components > 0 && jobs[each].leader == other.leader) all.push_back(each);
      }
      const auto may_go = [&](JobId each) { return may_push(job, jobs[each], table, now); };
      if (std::none_of(all.begin(), all.end(), on_allowed) || !std::all_of(all.begin(), all.end(), may_go)) continue;
    }
    const Qos* const qos = qos_of(other);
    const std::int32_t tier = conf_.partitions[index(other.queue)].priority_tier;
    std::uint64_t rank = conf_.preempt == Preempt::qos ? qos->priority & 0xffff : static_cast<std::uint64_t>(tier);
    rank = (rank << 16) | static_cast<std::uint64_t>(std::min<std::size_t>(other.shares.size(), 0xffff));
    if (conf_.preempt_youngest_first) rank = ~static_cast<std::uint64_t>(other.start);
    PreemptMode mode = mode_of(other, qos, table);
    for (const JobId each : all) {
      if (!table.terms(each).requeue && mode == PreemptMode::requeue) mode = PreemptMode::cancel;
    }
    found.push_back({std::move(all), mode, rank, 0});
  }
  std::stable_sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) { return a.rank < b.rank; });
  return found;
}

std::vector<JobId> Preemption::preemptable(const Job& job, const NodeBits& allowed, const JobList& jobs,
                                           const JobTable& table, Second now) const {
  std::vector<JobId> found;
  for (const Candidate& each : candidates(job, allowed, jobs, table, now)) {
    found.insert(found.end(), each.jobs.begin(), each.jobs.end());
  }
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<Preemption::Victim> Preemption::victims(const Job& job, const NodeBits& allowed, const Holdings& held,
                                                    const Ranking& rank, const JobList& jobs, const JobTable& table,
                                                    Second now, Selector& selector, NodeBits& chosen) const {
  std::vector<Candidate> order = candidates(job, allowed, jobs, table, now);
  const bool whole = job.ask.whole_nodes;
  std::vector<Selector::Share> shares;
  std::vector<std::int32_t> freed;
  // They are taken away one after the other until the job fits. Then those that really stand on the nodes it would get
  // are asked first, the others last, and it is tried again: perhaps fewer are enough.
  std::size_t taken = 0;
  for (std::int32_t turn = 0; turn <= conf_.preempt_reorder_count + 1; ++turn) {
    Holdings left = held;
    bool fits = false;
    for (taken = 0; taken < order.size() && !fits; ++taken) {
      for (const JobId id : order[taken].jobs) {
        const Job& other = jobs[id];
        if (left.rows.any()) left.rows.give_back(id, freed);
        for (std::size_t i = 0; i < other.shares.size(); ++i) {
          const Selector::Share& share = other.shares[i];
          const std::int32_t cpus = left.rows.any() ? freed[i] : share.cpus;
          left.give_back(share.node, cpus, selector.memory_of(other.ask, share));
        }
        for (const GresShare& gres : other.gres) left.gres[gres.pool] -= gres.count;
      }
      NodeBits usable = allowed;
      if (job.ask.sharing.alone) usable &= left.idle;
      fits = selector.pick(job.ask, usable, left, rank, true, whole, shares);
    }
    if (!fits) return {};
    chosen = allowed;
    chosen.clear();
    for (const Selector::Share& share : shares) chosen.set(share.node);
    if (taken == 1 || turn == conf_.preempt_reorder_count + 1 || turn + 1 >= std::ssize(order)) break;
    for (std::size_t i = 0; i < order.size(); ++i) {
      order[i].on_chosen = 0;
      for (const JobId id : order[i].jobs) order[i].on_chosen += i < taken ? jobs[id].nodes.count_common(chosen) : 0;
    }
    if (conf_.preempt_strict_order) {
      // It alone comes first.
      std::rotate(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(taken) - 1,
                  order.begin() + static_cast<std::ptrdiff_t>(taken));
    } else {
      order[taken - 1].on_chosen = std::numeric_limits<std::int32_t>::max();  // the one that made it possible
      std::stable_sort(order.begin(), order.end(),
                       [](const Candidate& a, const Candidate& b) { return a.on_chosen > b.on_chosen; });
    }
  }
  std::vector<Victim> victims;
  for (std::size_t i = 0; i < taken; ++i) {
    const auto on_chosen = [&](JobId id) { return jobs[id].nodes.overlaps(chosen); };
    if (std::none_of(order[i].jobs.begin(), order[i].jobs.end(), on_chosen)) continue;
    for (const JobId id : order[i].jobs) {
      const Job& other = jobs[id];
      const Qos* const qos = qos_of(other);
      const Second grace = conf_.preempt == Preempt::qos ? (qos == nullptr ? 0 : qos->grace_time)
                                                         : conf_.partitions[index(other.queue)].grace_time;
      victims.push_back({id, order[i].mode, grace});
    }
  }
  return victims;
}

}  // namespace headroom::slurm
