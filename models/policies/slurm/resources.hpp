// What jobs ask for beyond CPUs, memory and so many nodes, and the books of it: licences, generic resources, nodes that
// belong to one user at a time. Which nodes a job gets is Selector's to say.
#pragma once

#include <deque>
#include <span>
#include <vector>

#include "models/policies/slurm/asks.hpp"
#include "models/policies/slurm/jobs.hpp"
#include "models/policies/slurm/needs.hpp"

namespace headroom::slurm {

// What is wrong with what a job asks for, by the keys of a scenario; of the first that is. "" if nothing.
struct AskProblem {
  std::string_view key;
  std::string text;
};
AskProblem check(const Asks& asks, const Version& version);

// --gpus-per-node=[TYPE:]COUNT, joined by ",", as --gres.
void add_gpus_per_node(std::string_view text, Asks& asks);

// --switches=COUNT[@TIME]. Returns what is wrong; `wait` is kUnlimited where no time is given.
std::string parse_switches(std::string_view text, std::int32_t& count, Second& wait);

// Memory of a job that asks for none, as its partition or slurm.conf say; by its GPUs if it has some.
void set_default_memory(const Conf& conf, Asks& asks, JobRequest& request);

class Resources {
 public:
  explicit Resources(const Conf& conf);

  // A job arrives at `now`: what it asks for becomes part of its record. False if there is no such thing.
  // `tasks`: of --ntasks, 0 if it was not given.
  bool describe(Job& job, const Asks& asks, std::int32_t tasks, const NodeTable& nodes, Second now);
  // Whether it is the only user's on its nodes: as its present partition says now.
  void settle_owner(Job& job, const Asks& asks, const NodeTable& nodes);

  bool licenses_free(const Job& job) const {
    return job.needs == nullptr || LicenseBooks::enough(job.needs->licenses, licenses_.free());
  }
  const LicenseBooks& licenses() const { return licenses_; }

  bool has_owners() const { return !owners_.empty(); }
  // Takes out the nodes that belong to other users, or that it would have to share with some.
  void keep_to_owner(const Job& job, const JobList& jobs, NodeBits& nodes) const;

  // What the job holds of generic resources if it gets these nodes (ascending); its GPUs are written into the shares.
  std::vector<GresShare> gres_of(const Job& job, std::vector<Selector::Share>& shares, const NodeTable& nodes) const;

  // A job with shares and Job::gres begins, or gives back what it holds.
  void begin(Job& job, NodeTable& nodes);
  void end(Job& job, NodeTable& nodes);

 private:
  struct Owner {
    std::uint32_t user = 0;
    std::int32_t jobs = 0;
  };
  bool describe_preference(const Asks& asks, const NodeTable& nodes, const Needs& needs, Job& job);
  static bool name_nodes(const Asks& asks, std::int32_t tasks, const NodeTable& nodes, const Job& job, Needs& needs);
  bool describe_gres(const Asks& asks, const NodeTable& nodes, const Partition& partition, Ask& ask,
                     Needs& needs) const;
  void describe_gpus(const Asks& asks, const Partition& partition, Ask& ask, Needs& needs) const;

  const Conf& conf_;
  LicenseBooks licenses_;
  std::deque<Needs> needs_;    // of jobs that have some
  std::vector<Owner> owners_;  // by node; empty: no job minds
};

}  // namespace headroom::slurm
