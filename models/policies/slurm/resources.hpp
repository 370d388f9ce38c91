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

class Resources {
 public:
  explicit Resources(const Conf& conf);

  // A job arrives at `now`: what it asks for becomes part of its record. False if there is no such thing.
  bool describe(Job& job, const Asks& asks, const NodeTable& nodes, Second now);

  bool licenses_free(const Job& job) const {
    return job.needs == nullptr || LicenseBooks::enough(job.needs->licenses, licenses_.free());
  }
  const LicenseBooks& licenses() const { return licenses_; }

  bool has_owners() const { return !owners_.empty(); }
  // Takes out the nodes that belong to other users, or that it would have to share with some.
  void keep_to_owner(const Job& job, const JobList& jobs, NodeBits& nodes) const;

  // A job with shares begins, or gives back what it holds.
  void begin(Job& job, NodeTable& nodes);
  void end(Job& job, NodeTable& nodes);

 private:
  struct Owner {
    std::uint32_t user = 0;
    std::int32_t jobs = 0;
  };
  bool describe_gres(const Asks& asks, const NodeTable& nodes, Ask& ask, Needs& needs) const;
  void take_gres(Job& job, NodeTable& nodes) const;

  const Conf& conf_;
  LicenseBooks licenses_;
  std::deque<Needs> needs_;    // of jobs that have some
  std::vector<Owner> owners_;  // by node; empty: no job minds
};

}  // namespace headroom::slurm
