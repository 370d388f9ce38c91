// Who makes way: which running jobs a waiting one may push aside (PreemptType), which of them it takes, and what
// becomes of those. Sources: slurm.conf(5), Preempt*; recorded runs (docs/slurm-runs.md).
#pragma once

#include <vector>

#include "models/policies/slurm/accounting.hpp"
#include "models/policies/slurm/jobs.hpp"
#include "models/policies/slurm/limits.hpp"
#include "models/policies/slurm/select.hpp"

namespace headroom::slurm {

class Preemption {
 public:
  Preemption(const Conf& conf, const Associations& associations) : conf_(conf), associations_(associations) {}

  bool enabled() const { return conf_.preempt != Preempt::none; }

  struct Victim {
    JobId job;
    PreemptMode mode;  // cancel or requeue
    Second grace;      // how long it may still run
  };
  // The jobs that make room for `job` on the nodes `allowed`: none if there are none, or if even all of them would not
  // be enough. `held` is what all running jobs hold; `chosen` becomes the nodes that it would get.
  std::vector<Victim> victims(const Job& job, const NodeBits& allowed, const Holdings& held, const Ranking& rank,
                              const JobList& jobs, const JobTable& table, Second now, Selector& selector,
                              NodeBits& chosen) const;
  // All that could be asked to make way for it on these nodes, by number.
  std::vector<JobId> preemptable(const Job& job, const NodeBits& allowed, const JobList& jobs, const JobTable& table,
                                 Second now) const;

 private:
  struct Candidate {
    std::vector<JobId> jobs;  // one, or the components of a heterogeneous job: they go together
    PreemptMode mode;
    std::uint64_t rank;      // lower ones make way first
    std::int32_t on_chosen;  // nodes of it that the waiting job would get
  };
  bool may_push(const Job& job, const Job& other, const JobTable& table, Second now) const;
  std::vector<Candidate> candidates(const Job& job, const NodeBits& allowed, const JobList& jobs, const JobTable& table,
                                    Second now) const;
  const Qos* qos_of(const Job& job) const;
  PreemptMode mode_of(const Job& job, const Qos* qos, const JobTable& table) const;

  const Conf& conf_;
  const Associations& associations_;
};

}  // namespace headroom::slurm
