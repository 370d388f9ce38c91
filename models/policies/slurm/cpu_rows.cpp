#include "models/policies/slurm/cpu_rows.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace headroom::slurm {
namespace {

bool lets_share(const Partition& partition) { return partition.max_share > 1 || partition.force_share; }

bool serves(const ClusterSpec& spec, std::size_t queue, GroupId group) {
  const std::vector<GroupId>& groups = spec.queues[queue].groups;
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

// With FORCE:1 jobs share CPUs only with those of other partitions.
bool rows_matter(const Conf& conf, const ClusterSpec& spec) {
  const std::size_t count = std::min(conf.partitions.size(), spec.queues.size());
  for (std::size_t p = 0; p < count; ++p) {
    if (conf.partitions[p].max_share > 1) return true;
    if (!conf.partitions[p].force_share) continue;
    for (std::size_t q = 0; q < count; ++q) {
      const std::vector<GroupId>& groups = spec.queues[p].groups;
      if (q != p && std::any_of(groups.begin(), groups.end(), [&](GroupId g) { return serves(spec, q, g); }))
        return true;
    }
  }
  return false;
}

}  // namespace

Sharing sharing_in(const Conf& conf, QueueId queue, bool whole_nodes, bool oversubscribe) {
  const Partition& partition = conf.partitions[index(queue)];
  Sharing sharing;
  sharing.queue = queue;
  sharing.forced = partition.force_share;
  // Where all jobs share, whole nodes need not be idle.
  sharing.alone = whole_nodes && (partition.max_share == 1 || !partition.force_share);
  sharing.shares = !sharing.alone && lets_share(partition) && (partition.force_share || oversubscribe);
  return sharing;
}

std::int32_t jobs_per_core(const Conf& conf, const ClusterSpec& spec, GroupId group) {
  std::int64_t jobs = 0;
  for (std::size_t p = 0; p < std::min(conf.partitions.size(), spec.queues.size()); ++p) {
    if (lets_share(conf.partitions[p]) && serves(spec, p, group)) jobs += conf.partitions[p].max_share;
  }
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(jobs, 1, std::numeric_limits<std::int32_t>::max()));
}

CpuRows::CpuRows(const Conf& conf, const ClusterSpec& spec, const std::vector<std::int32_t>& cpus) {
  if (!rows_matter(conf, spec)) return;
  for (const std::int32_t count : cpus) {
    first_cpu_.push_back(static_cast<Index>(node_of_.size()));
    node_of_.insert(node_of_.end(), static_cast<std::size_t>(count), static_cast<Index>(first_cpu_.size() - 1));
  }
  first_cpu_.push_back(static_cast<Index>(node_of_.size()));
  apart_.resize(cpus.size());
  in_use_ = NodeBits(node_of_.size());
  tiers_preempt_ = conf.preempt == Preempt::partition_prio;
  qos_preempts_ = conf.preempt == Preempt::qos;
  for (const Partition& partition : conf.partitions) {
    Rows& rows = partitions_.emplace_back();
    rows.most = static_cast<std::size_t>(partition.max_share);
    rows.many = partition.max_share > 1;
    rows.node_jobs.resize(cpus.size());
  }
  by_tier_.resize(partitions_.size());
  follow(conf);
}

void CpuRows::follow(const Conf& conf) {
  for (std::size_t p = 0; p < partitions_.size(); ++p) {
    partitions_[p].tier = conf.partitions[p].priority_tier;
    partitions_[p].off = conf.partitions[p].preempt_mode == PreemptMode::off;
  }
  std::iota(by_tier_.begin(), by_tier_.end(), 0);
  std::stable_sort(by_tier_.begin(), by_tier_.end(),
                   [this](std::size_t a, std::size_t b) { return partitions_[a].tier > partitions_[b].tier; });
}

std::int32_t CpuRows::count(const NodeBits& cpus, Index node) const {
  std::int32_t sum = 0;
  for (Index cpu = first_cpu_[node]; cpu < first_cpu_[node + 1]; ++cpu) sum += cpus.test(cpu) ? 1 : 0;
  return sum;
}

std::int32_t CpuRows::in_use(Index node, QueueId queue) const {
  NodeBits cpus(node_of_.size());
  add_all(partitions_[index(queue)], cpus);
  return count(cpus, node);
}

void CpuRows::add_all(const Rows& rows, NodeBits& cpus) const {
  for (const Row& row : rows.of) cpus |= row.cpus;
}

void CpuRows::remove_unusable(const Sharing& job, NodeBits& nodes) const {
  for (Index n = 0; n < apart_.size(); ++n) {
    bool unusable = job.shares && apart_[n] > 0;
    for (std::size_t p = 0; p < partitions_.size() && !job.shares && !unusable; ++p) {
      unusable = partitions_[p].many && p != index(job.queue) && partitions_[p].node_jobs[n] > 0;
    }
    if (unusable) nodes.reset(n);
  }
}

template <class Visit>
void CpuRows::by_node(const std::vector<Index>& cpus, std::vector<std::int32_t>& sums, Visit visit) const {
  sums.clear();
  for (std::size_t i = 0; i < cpus.size(); ++i) {
    if (i == 0 || node_of_[cpus[i]] != node_of_[cpus[i - 1]]) sums.push_back(0);
    sums.back() += visit(cpus[i]) ? 1 : 0;
  }
}

// The rows with the most CPUs in use first.
void CpuRows::sort(std::vector<Row>& rows) {
  std::vector<std::int32_t> used;
  for (const Row& row : rows) used.push_back(row.cpus.count());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t j = i + 1; j < rows.size(); ++j) {
      if (used[j] <= used[i]) continue;
      std::swap(used[i], used[j]);
      std::swap(rows[i], rows[j]);
    }
  }
}

bool CpuRows::fits(const Held& held, const Row& row) {
  return std::none_of(held.cpus.begin(), held.cpus.end(), [&](Index cpu) { return row.cpus.test(cpu); });
}

bool CpuRows::put(Rows& rows, Held& held) const {
  std::size_t r = 0;
  while (r < rows.of.size() && !fits(held, rows.of[r])) ++r;
  if (r == rows.most) return false;
  if (r == rows.of.size()) rows.of.emplace_back().cpus = NodeBits(node_of_.size());
  for (const Index cpu : held.cpus) rows.of[r].cpus.set(cpu);
  rows.of[r].jobs.push_back(std::move(held));
  return true;
}

void CpuRows::take(JobId job, const Sharing& how, std::span<const Part> parts, const NodeBits& taken,
                   std::vector<std::int32_t>& changed) {
  Held held{job, how.shares, {}};
  Rows& rows = partitions_[index(how.queue)];
  for (const Part& part : parts) {
    std::int32_t left = part.cpus;
    for (Index cpu = first_cpu_[part.node]; left > 0 && cpu < first_cpu_[part.node + 1]; ++cpu) {
      if (taken.test(cpu)) continue;
      held.cpus.push_back(cpu);
      --left;
    }
    ensure(left == 0, "a node has the CPUs that a job is given");
    ++rows.node_jobs[part.node];
    if (!how.shares) ++apart_[part.node];
  }
  by_node(held.cpus, changed, [this](Index cpu) { return !in_use_.test(cpu); });
  for (const Index cpu : held.cpus) in_use_.set(cpu);
  ensure(put(rows, held), "a partition has a row for every job that it lets share");
}

void CpuRows::give_back(JobId job, std::vector<std::int32_t>& changed) {
  for (Rows& rows : partitions_) {
    for (Row& row : rows.of) {
      const auto at = std::find_if(row.jobs.begin(), row.jobs.end(), [job](const Held& h) { return h.job == job; });
      if (at == row.jobs.end()) continue;
      const Held held = std::move(*at);
      row.jobs.erase(at);
      for (const Index cpu : held.cpus) row.cpus.reset(cpu);
      by_node(held.cpus, changed, [this](Index cpu) {
        for (const Rows& others : partitions_) {
          for (const Row& other : others.of) {
            if (other.cpus.test(cpu)) return false;
          }
        }
        in_use_.reset(cpu);
        return true;
      });
      for (std::size_t i = 0; i < held.cpus.size(); ++i) {
        const Index node = node_of_[held.cpus[i]];
        if (i > 0 && node == node_of_[held.cpus[i - 1]]) continue;
        --rows.node_jobs[node];
        if (!held.shares) --apart_[node];
      }
      pack(rows);
      return;
    }
  }
  ensure(false, "a job gives back CPUs that it has");
}

// slurmctld puts the jobs that are left into as few rows as it can; if that fails they stay where they were.
void CpuRows::pack(Rows& rows) const {
  if (rows.most == 1 && !qos_preempts_) return;
  std::vector<Held> jobs;
  for (const Row& row : rows.of) jobs.insert(jobs.end(), row.jobs.begin(), row.jobs.end());
  std::stable_sort(jobs.begin(), jobs.end(), [](const Held& a, const Held& b) {
    return std::pair(a.cpus.front(), a.cpus.size()) < std::pair(b.cpus.front(), b.cpus.size());
  });
  Rows packed = rows;
  for (Row& row : packed.of) {
    row.cpus.clear();
    row.jobs.clear();
  }
  for (Held& held : jobs) {
    if (!put(packed, held)) return;
    sort(packed.of);
  }
  rows.of = std::move(packed.of);
}

std::vector<CpuRows::Cpu> CpuRows::cpus_of(JobId job) const {
  std::vector<Cpu> cpus;
  for (const Rows& rows : partitions_) {
    for (const Row& row : rows.of) {
      for (const Held& held : row.jobs) {
        if (held.job != job) continue;
        for (const Index cpu : held.cpus) {
          cpus.push_back({node_of_[cpu], static_cast<std::int32_t>(cpu - first_cpu_[node_of_[cpu]])});
        }
      }
    }
  }
  return cpus;
}

}  // namespace headroom::slurm
