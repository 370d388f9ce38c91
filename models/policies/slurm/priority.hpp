// PriorityType=priority/multifactor: a job's priority is a sum of weighted factors. Hides where each factor comes from,
// and the books behind them: who used how much (fair share), and when slurmctld's thread that keeps these books runs.
// Which jobs there are and in what order is the job list's.
//
// Every PriorityCalcPeriod since slurmctld's start the thread lets what was used decay, adds what running jobs used
// since, and works out factors and priorities anew; in between a job's priority is worked out once, when it is
// submitted or released. Source: slurm.conf(5), Slurm's documentation of priority/multifactor, and recorded runs.
#pragma once

#include <optional>

#include "engine/policy.hpp"
#include "models/policies/slurm/fairshare.hpp"
#include "models/policies/slurm/nodes.hpp"

namespace headroom::slurm {

struct Job;

// Weighted, as sprio shows them.
struct PriorityFactors {
  double age = 0;
  double association = 0;
  double fairshare = 0;
  double job_size = 0;
  double partition = 0;
  double qos = 0;
  std::array<double, kTres> tres{};
  std::int32_t nice = 0;
  std::int32_t site = 0;

  std::uint32_t priority() const;  // their sum, truncated; 1 at least
};

class Multifactor {
 public:
  Multifactor(const Conf& conf, const Associations& associations);

  // Whether there is such a thread: only with slurmdbd.
  bool recalculates() const { return conf_.multifactor && conf_.accounting; }

  // --- jobs ---

  // A job is known from now on.
  void submitted(const Job& job);
  // It holds so much, and `runs`, or waits until its nodes are up.
  void started(const Job& job, const TresCounts& held, bool runs);
  void configured(JobId job) { charges_[index(job)].runs = true; }
  // It no longer holds them. What it used since the last calculation counts only where limits are enforced.
  void stopped(const Job& job, Second now);
  bool holds(JobId job) const { return charges_[index(job)].holds; }
  bool runs(JobId job) const { return charges_[index(job)].runs; }
  // What makes its priority as of `now`.
  PriorityFactors weigh(const Job& job, Second now, const NodeTable& nodes);
  // What did when that was last asked for, which is what sprio shows.
  PriorityFactors weighed(const Job& job, const NodeTable& nodes);

  // Billing units of these resources in the partition.
  double billing_of(const TresCounts& tres, QueueId queue) const;

  // --- the thread ---

  void start(Time now);
  Time last() const { return at_; }
  Time next() const { return at_ + conf_.priority_calc_period * kSecond; }
  // One calculation at `now`: begin, then add what each running job used, then finish. Under Fair Tree factors are
  // known after that; in the classic way a job's is worked out when it is asked for, so that it depends on the order of
  // jobs.
  void begin(Second now);
  void add_running(const Job& job, Second now);
  void finish(Second now);
  // Calculations up to the last one not after `now`, where no job waits or runs.
  void rest(Time now);
  void done(Time at) { at_ = at; }

  Fairshare& fairshare() { return fairshare_; }
  const Fairshare& fairshare() const { return fairshare_; }
  const Usage& used(std::size_t qos) const { return qos_used_[qos]; }

 private:
  // What a job is charged for.
  struct Charge {
    Payer payer;  // nobody without slurmdbd
    bool holds = false;
    bool runs = false;  // not while its nodes boot
    TresCounts tres;    // that it holds
    double billing = 0;
    Second weighed = 0;  // when, and with how many CPUs
    std::int32_t weighed_cpus = 0;
  };
  PriorityFactors factors(const Job& job, Second now, std::int32_t cpus, const NodeTable& nodes);
  void charge(const Charge& charge, Second start, Second end);
  TresCounts asked(const Job& job, const NodeTable& nodes) const;
  const TresCounts& partition_tres(QueueId queue, const NodeTable& nodes);
  void reset_if_due(Second now);
  double decay_over(Second seconds);
  void decay(double factor);

  const Conf& conf_;
  const Associations& associations_;
  Fairshare fairshare_;
  std::vector<Usage> qos_used_;
  std::uint32_t most_qos_priority_ = 0;
  std::vector<Charge> charges_;                            // by JobId
  std::vector<std::optional<TresCounts>> partition_tres_;  // by queue, where it was asked for
  Time at_ = 0;                                            // of the last calculation
  std::optional<Second> last_;                             // the same on the wall clock; none: there was none yet
  double per_second_ = 1;                                  // what is left after a second
  Second decay_seconds_ = 0;                               // of the power worked out last
  double decay_power_ = 1;
  Second last_reset_ = 0;
  Second next_reset_ = 0;
};

// When what was used is forgotten next, as of `now`; by UTC.
Second next_reset(UsageReset period, Second last, Second now);

}  // namespace headroom::slurm
