// What the placement of a job does to its run time. The run time of a workload is that of the reference placement: all
// nodes on one last network node, with EFA if their types have it. Elsewhere the share of it that is communication
// takes as much longer as the profile's pattern does there. Hides which transport the nodes can use and whose numbers
// count; the world and the reports ask the same function.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/network/communication.hpp"
#include "models/scenario/design.hpp"
#include "models/workload/workload.hpp"

namespace headroom {

class PlacementEffect {
 public:
  // `workload` outlives it.
  PlacementEffect(const Scenario& scenario, const Design& design, const Workload& workload);

  // A node of a job, in the order of its node list, and the instance that it has.
  struct Site {
    NodeId node;
    std::uint32_t offer = 0;  // which of its group's
    LeafId leaf = kNoLeaf;
  };
  struct Effect {
    double stretch = 1;  // run time over the reference run time
    Transport transport = Transport::shm;
  };

  // Whether where it runs matters to the job.
  bool concerns(JobId job) const { return workload_.jobs[index(job)].communication > 0; }
  Effect effect(JobId job, std::span<const Site> sites) const;

  // Between nodes: TCP where a type or a launch template has no EFA, where nodes are in several zones (PCS-51), where a
  // group spans several subnets (PCS gives it no EFA between nodes), or where types cannot exchange EFA traffic (ec2.md
  // 9). One node: shared memory.
  Transport transport(std::span<const Site> sites) const;

 private:
  // What an offer of a node group means for messages.
  struct Kind {
    std::uint32_t type = 0;   // of those that the design has
    std::uint32_t zone = 0;   // equal numbers: the same zone; 0: not known
    std::uint32_t group = 0;  // cluster placement group; 0: none
    bool type_has_efa = false;
    bool efa = false;        // as it is launched
    bool efa_alone = false;  // exchanges EFA traffic with its own type only
  };
  using TypeLinks = std::array<Link, kTransports>;

  const Kind& kind_of(const Site& site) const { return kinds_[group_of_[index(site.node)]][site.offer]; }
  // That of the first node whose zone is known: those of which it is not count as there.
  std::uint32_t known_zone(std::span<const Site> sites) const;
  Way way(Transport transport, std::span<const Site> sites) const;

  const Workload& workload_;
  std::shared_ptr<const NetworkTopology> topology_;
  double uplink_;
  double between_zones_us_;
  std::vector<std::uint32_t> group_of_;   // by node
  std::vector<std::vector<Kind>> kinds_;  // by group and offer
  std::vector<TypeLinks> types_;
};

}  // namespace headroom
