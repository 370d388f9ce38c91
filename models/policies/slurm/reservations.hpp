// Reservations: nodes, cores and licences that are kept for some users or accounts for some time. Which of them a job
// may use, and from when on. Jobs in none keep away from what is reserved until their limit would be over.
//
// Source: scontrol(1), slurmctld's reservation.c as of 22.05 as it behaves, recorded runs s33 to s35, s48 and s51.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/policies/slurm/accounting.hpp"
#include "models/policies/slurm/jobs.hpp"
#include "models/policies/slurm/licenses.hpp"

namespace headroom::slurm {

struct Reservation {
  std::string name;
  ReservationSettings::Flags flags;
  Second purge_after = 0;  // of PURGE_COMP
  Second start = 0;        // the wall clock's second; of TIME_FLOAT: from any time on
  Second end = 0;
  Second duration = 0;
  std::vector<std::string> users;  // empty: no matter
  std::vector<std::string> accounts;
  NodeBits nodes;
  bool has_nodes = false;
  bool named_nodes = false;
  bool all_nodes = false;  // it was asked for ALL
  bool whole_nodes = true;
  std::vector<std::int32_t> cpus;  // by node; empty: whole nodes
  std::optional<QueueId> partition;
  LicenseNeed licenses;
  bool gone = false;
  bool begun = false;  // slurmctld has noticed
  Second idle_since = 0;
  Second last_end = 0;  // of one that recurs: when it was last over
};

class Reservations {
 public:
  Reservations(const Conf& conf, const Accounting& accounting);

  // False: there is none and never will be, and nothing needs to be asked here.
  bool any() const { return !conf_.reservations.empty(); }
  const Reservation& operator[](std::int32_t r) const { return all_[static_cast<std::size_t>(r)]; }
  // As requests for them come; jobs know reservations by their place in it.
  const std::vector<Reservation>& all() const { return all_; }

  // When the next of the given requests comes.
  Time next_request() const;
  // Carries out the next request, which came at `second`. True if it changed something.
  bool carry_out(Second second, const Cluster& cluster, const NodeTable& nodes, const JobList& jobs,
                 const JobTable& table);
  // What slurmctld looks at every 5 s. True if one began since.
  bool notice(Second now);
  // And every 30 s: gives up those that are over, or whose jobs are, and replaces nodes that cannot be used. Returns
  // those that are gone now.
  std::vector<std::int32_t> look_after(Second now, const Cluster& cluster, const NodeTable& nodes, const JobList& jobs,
                                       const JobTable& table);
  // The job no longer asks to be in one.
  void forget(JobId job) { askers_[index(job)].asked = -1; }
  // Why the last request was refused, in scontrol's words; "" if it was not.
  const std::string& refused() const { return refused_; }

  // A job arrives; false if it may not have what it asks for.
  bool admit(Job& job, const std::string& asked, const std::string& account);
  // In which it asked to be; -1: in none.
  std::int32_t asked(JobId job) const { return index(job) < askers_.size() ? askers_[index(job)].asked : -1; }
  // Those that draw in a job which asked for none.
  void drawing(const Job& job, std::vector<std::int32_t>& out) const;
  // Whether the job's reservation ended so long ago that it may not run on.
  bool over(const Job& job, Second now) const;
  // Whether the job's reservation lets it start now.
  bool usable(const Job& job, Second now) const;

  enum class Answer : std::uint8_t {
    yes,
    not_now,      // its reservation is not usable at the time
    taken,        // others have all of it
    busy,         // others have a node that it named and wants for itself
    maintenance,  // of its whole partition, and it has no part in it
  };
  struct Access {
    Answer answer = Answer::yes;
    NodeBits nodes;                     // that it may have
    bool overlap = false;               // something was taken out
    std::vector<std::int32_t> kept;     // CPUs by node that it may never have; empty: none
    std::vector<std::int32_t> blocked;  // of them those that nobody holds
  };
  // What of the cluster the job may have if it starts at `when`. `move`: a job in no reservation may start later, when
  // licences or its partition are free again; `when` becomes that.
  Access test(const Job& job, Second& when, bool move, Second now, const NodeTable& nodes, const JobList& jobs,
              const LicenseBooks& licenses) const;
  // Whether others' reservations leave it the licences it needs.
  bool licenses_free(const Job& job, Second when, const LicenseBooks& licenses) const;
  // Whether the end of a running job leaves room for the other, if they share a node: cores are kept apart.
  bool makes_room(const Job& running, const Job& job) const;
  // The first end of one from `from` on, rounded up; 0: there is none.
  Second next_end(Second from, Second resolution) const;

 private:
  struct Asker {
    std::int32_t asked = -1;
    std::string account;
  };
  struct Span {
    Second start;
    Second end;
  };
  Span span(const Reservation& r, Second now) const;
  bool create(const ReservationSettings& what, Second now, const Cluster& cluster, const NodeTable& nodes,
              const JobList& jobs);
  bool update(const ReservationSettings& what, Second now, const Cluster& cluster, const NodeTable& nodes,
              const JobList& jobs);
  bool overlaps(const Reservation& r, const NodeBits& nodes, Second now) const;
  NodeBits busy(const Reservation& r, const JobList& jobs) const;
  bool choose(Reservation& r, const ReservationSettings& what, Second now, const Cluster& cluster,
              const NodeTable& nodes, const JobList& jobs);
  void replace_down(Reservation& r, Second now, const Cluster& cluster, const NodeTable& nodes);
  void advance(Reservation& r, Second now) const;
  bool may_use(const Job& job, const Reservation& r) const;
  bool in_use(std::int32_t r, const JobList& jobs, const JobTable& table) const;
  Second duration_of(const Job& job) const;
  bool keeps_to_cores(const Job& job) const;
  std::vector<std::int32_t> held_inside(std::size_t r, const NodeTable& nodes, const JobList& jobs) const;
  std::int32_t find(const std::string& name) const;

  const Conf& conf_;
  const Accounting& accounting_;
  LicenseBooks license_names_;
  std::vector<Reservation> all_;
  std::size_t next_ = 0;  // of the requests
  std::vector<Asker> askers_;
  std::string refused_;
};

}  // namespace headroom::slurm
