// The choice of nodes where more is asked than so many CPUs: features, generic resources, neighbours, the network.
// Slurm's own order, node by node; where nothing of it is asked, Selector does the same faster.
//
// Source: slurmctld's select/cons_tres and topology plugins as they behave, sbatch(1).
#pragma once

#include <vector>

#include "models/policies/slurm/needs.hpp"
#include "models/policies/slurm/select.hpp"
#include "models/policies/slurm/topology.hpp"

namespace headroom::slurm {

class Placement {
 public:
  // `topology`: null where the network is flat.
  Placement(const Selector& selector, const NodeTable& table, const Topology* topology, Version version)
      : selector_(selector), table_(table), topology_(topology), version_(version) {}

  // As Selector::pick. `starts`: the job is to start; otherwise when it could is tested, and numbers of nodes by
  // feature are not looked at. `now`: the wall clock's second.
  bool pick(const Ask& ask, const NodeBits& candidates, const Holdings& held, const Ranking& rank, bool clip,
            bool whole, bool starts, Second now, std::vector<Selector::Share>& out);

  // Takes out the nodes that have nothing to offer even when nothing of them is held.
  void remove_useless(const Ask& ask, NodeBits& nodes);

 private:
  struct Site {  // a node that has something to offer
    Index node;
    std::int32_t cpus;
    std::uint64_t weight;
    bool required;
    bool chosen;
  };
  struct Run {  // neighbours of one weight
    std::size_t first = 0;
    std::size_t last = 0;
    std::int32_t nodes = 0;
    std::int32_t cpus = 0;
    std::uint64_t weight = 0;
    std::size_t required = kNone;  // the first of them
    std::vector<std::int32_t> gres;
  };
  static constexpr std::size_t kNone = ~std::size_t{0};

  bool place(const Ask& ask, const NodeBits& nodes, const NodeBits& required);
  bool place_once(const Ask& ask, const NodeBits& nodes, const NodeBits& required, bool together);
  bool find_sites(const Ask& ask, const NodeBits& nodes, const NodeBits& required, bool together);
  std::int32_t offer(const Ask& ask, Index n, bool together, std::uint64_t& near, std::int32_t* gres) const;
  bool consecutive();
  bool spread(const Ask& ask);
  bool by_switches();
  std::size_t best_switch(const std::vector<char>& used, const std::vector<std::int32_t>& nodes,
                          const std::vector<std::int64_t>& cpus, const std::vector<std::int32_t>& distance) const;
  bool better_switch(std::size_t i, std::size_t best, const std::vector<std::int32_t>& nodes,
                     const std::vector<std::int64_t>& cpus, const std::vector<std::int32_t>& distance) const;
  void take(Site& site);
  bool done() const { return nodes_left_ <= 0 && cpus_left_ <= 0 && gres_met(); }
  bool tasks_go_with_gres() const;
  bool gres_met() const;
  bool gres_suffices(const std::int32_t* more) const;  // of each request so many more
  bool enough_nodes(std::int32_t nodes) const {
    return nodes >= (req_nodes_ > min_nodes_ ? nodes_left_ + min_nodes_ - req_nodes_ : nodes_left_);
  }
  const std::int32_t* gres_at(const Site& site) const {
    return gres_.data() + static_cast<std::size_t>(&site - sites_.data()) * requests_;
  }

  const Selector& selector_;
  const NodeTable& table_;
  const Topology* topology_;
  Version version_;
  Holdings nothing_;  // all nodes free; made when it is first needed
  // of the call under way
  const Holdings* held_ = nullptr;
  const Ranking* rank_ = nullptr;
  const Needs* needs_ = nullptr;
  bool clip_ = false;
  bool whole_ = false;
  Second now_ = 0;
  // of the placing under way
  std::vector<Site> sites_;  // in the order of the table
  std::size_t requests_ = 0;
  std::vector<std::int32_t> gres_;  // by site and request: what is free
  std::vector<std::int32_t> total_gres_;
  std::int32_t least_cpus_ = 1;
  std::int32_t min_nodes_ = 0;
  std::int32_t req_nodes_ = 0;
  std::int32_t cpus_left_ = 0;
  std::int32_t nodes_left_ = 0;
  std::int32_t min_left_ = 0;
  std::int32_t most_left_ = 0;
  std::int64_t most_cpus_ = 0;
  std::vector<Selector::Share> chosen_;
};

}  // namespace headroom::slurm
