// Limits of associations and QOS: what has been charged to whom, and whether a job may be submitted or start. Hides how
// limits of a partition's QOS, a job's QOS and associations come before each other. Every event is charged in the depth
// of the account tree, however many jobs there are.
//
// Source: slurmctld's acct_policy.c (reasons, and the order of checks), and recorded runs (docs/slurm-runs.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/news.hpp"
#include "models/policies/slurm/associations.hpp"
#include "models/policies/slurm/nodes.hpp"

namespace headroom::slurm {

class Multifactor;
struct Usage;

// Which limit holds a job back.
struct Hold {
  enum class Limit : std::uint8_t {
    none,
    grp_tres,
    grp_tres_mins,
    grp_tres_run_mins,
    max_tres_job,
    max_tres_node,
    max_tres_mins_job,
    max_tres_user,
    max_tres_account,
    min_tres_job,
    grp_jobs,
    grp_submit_jobs,
    grp_wall,
    max_jobs,  // of an association; of a QOS: of a user
    max_submit_jobs,
    max_jobs_account,
    max_submit_account,
    max_wall,
  };
  Limit limit = Limit::none;
  bool of_qos = false;  // not of an association
  Tres tres = Tres::cpu;

  explicit operator bool() const { return limit != Limit::none; }
  bool operator==(const Hold&) const = default;
};

// squeue's %r.
std::string hold_text(Hold hold);

// What a job asks for, as far as limits are concerned; of a job that starts, what it gets.
struct Demand {
  TresCounts tres;
  Second limit = 0;  // requested time
  NodeBits nodes;    // the chosen ones; none yet: its size is 0
};

class LimitBook {
 public:
  // What was used is in the books of priority/multifactor, which alone keeps account of it.
  LimitBook(const Conf& conf, const Associations& associations, const Multifactor& multifactor);

  // --- at submission ---

  // A job of `user` is known from now on. What is wrong with who pays, if AccountingStorageEnforce says that it
  // matters.
  std::optional<Rejection> identify(JobId job, std::uint32_t user, Payer payer, QueueId queue);
  // The limits of partitions' QOS hold as conf has them now: for jobs that come, and for others as they enter.
  void follow();
  // A waiting job is looked at as one of this queue.
  void enter(JobId job, QueueId queue);
  // The requested time of a job that gives none, where a limit says so.
  std::optional<Second> default_limit(JobId job) const;
  // Whether so many such jobs (the tasks of an array) may be submitted.
  Hold at_submission(JobId job, const Demand& demand, std::int32_t jobs) const;
  // The most nodes that limits let the job have; 0: any. `hold`: by which limit.
  std::int32_t most_nodes(JobId job, Hold& hold) const;

  // --- before a start ---

  // What is known before nodes are chosen.
  Hold before_choice(JobId job, Second limit) const;
  // And what only then.
  Hold after_choice(JobId job, const Demand& demand) const;
  // Nodes that cost the job's limits of nodes nothing more, because others of its group have them already.
  NodeBits paid_nodes(JobId job, std::size_t nodes) const;
  // Whether a running job is to end because a limit was used up meanwhile.
  bool used_up(JobId job, Second start, Second now) const;
  // Priority below which the job gets no reservation (MinPrioThreshold); none: as bf_min_prio_reserve says.
  std::optional<std::uint32_t> reserve_threshold(JobId job) const;

  // --- what happens ---

  void submitted(JobId job);
  void started(JobId job, const Demand& demand, Second now,
               bool runs);                  // or waits for its nodes, which counts as no use
  void given(JobId job, Second more);       // requested time while it holds nodes; less, if negative
  void config_done(JobId job, Second now);  // a job that waited for its nodes runs
  void stopped(JobId job, Second now);      // no longer holds nodes
  void left(JobId job);                     // neither waits nor runs any more
  // Of what running jobs may still use, what they used until now is taken off. Slurm: every PriorityCalcPeriod.
  void account(Second now);

  // --- the books ---

  // What jobs hold now, for whoever checks it.
  struct Use {
    std::int64_t jobs = 0;                 // running
    std::int64_t submitted = 0;            // pending and running
    TresCounts tres;                       // of running jobs
    TresCounts run_secs;                   // that running jobs may still use
    std::vector<std::uint32_t> node_jobs;  // running jobs by node: a node that several jobs share counts once
  };
  const Use& of_association(std::uint32_t association) const { return of_association_[association]; }
  const Use& of_qos(std::uint32_t qos) const { return of_qos_[qos].all; }
  // Of a user's, or an account's, jobs of one QOS.
  struct Part {
    std::int64_t jobs = 0;
    std::int64_t submitted = 0;
    TresCounts tres;
    std::vector<std::uint32_t> node_jobs;
  };
  const Part& of_user(std::uint32_t qos, std::uint32_t user) const { return part(of_qos_[qos].users, user); }
  const Part& of_account(std::uint32_t qos, std::uint32_t account) const {
    return part(of_qos_[qos].accounts, account);
  }

 private:
  struct Charge {
    std::uint32_t association = kNobody;
    std::uint32_t qos = kNobody;     // the job's own
    std::uint32_t first = kNobody;   // whose limits come first, of the partition's and the job's own
    std::uint32_t second = kNobody;  // and then
    std::uint32_t user = 0;
    std::uint32_t account = 0;
    bool submitted = false;
    bool running = false;  // holds nodes
    bool runs = false;     // not while they boot
    TresCounts tres;
    NodeBits nodes;
    Second run_left = 0;         // of its requested time
    Second counted_from = 0;     // what it uses is counted from then on
    std::size_t running_at = 0;  // its place in running_
  };
  struct QosUse {
    Use all;
    std::vector<Part> users;
    std::vector<Part> accounts;
  };
  static const Part& part(const std::vector<Part>& parts, std::uint32_t at);
  static Part& grown(std::vector<Part>& parts, std::uint32_t at);
  template <class Visit>
  void each_qos(const Charge& charge, Visit visit) const;
  template <class Change, class ChangePart>
  void charge(const Charge& charge, Change change, ChangePart change_part);
  Hold qos_at_submission(const Charge& c, std::uint32_t q, const Demand& demand, std::int32_t jobs, bool strict,
                         Limits& seen) const;
  Hold qos_before_choice(const Charge& c, std::uint32_t q, Second limit, Limits& seen) const;
  Hold qos_after_choice(const Charge& c, std::uint32_t q, const Demand& demand, Limits& seen) const;
  void set_queue(Charge& charge, QueueId queue) const;
  double limit_factor(const Charge& c) const;
  const Usage& used_by(std::uint32_t association) const;
  void count(Charge& charge, Second now);

  const Conf& conf_;
  const Associations& associations_;
  const Multifactor& multifactor_;
  std::vector<std::uint32_t> partition_qos_;  // by queue
  std::vector<Charge> charges_;               // by JobId
  std::vector<Use> of_association_;
  std::vector<QosUse> of_qos_;
  std::vector<JobId> running_;
  std::optional<Second> accounted_;
};

}  // namespace headroom::slurm
