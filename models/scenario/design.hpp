// A scenario made concrete: the cluster as the engine sees it, and what each node group is made of and costs.
#pragma once

#include <string>
#include <vector>

#include "engine/cluster.hpp"
#include "models/cloud/capacity_reservation.hpp"
#include "models/cloud/offer.hpp"
#include "models/cloud/simulated_cloud.hpp"
#include "models/cloud/spot_prices.hpp"
#include "models/scenario/scenario.hpp"

namespace headroom {

struct GroupFacts {
  std::string name;
  InstanceType type;  // of a pool: no type, its name is empty
  MicroUsd price_per_hour = 0;
  std::string zone;
  std::string placement_group;
  Purchase purchase = Purchase::on_demand;
  // EFA interfaces that its launch template asks for, and whether its nodes can talk over them: all types have so many,
  // and there is one subnet (PCS-50, PCS-51, PCS-53; the rules tell what is wrong, docs/check.md).
  std::int32_t efa_interfaces = 0;
  bool efa = false;
  std::vector<Offer> offers = {};  // the first one's type, price and zone are those above; of a pool: none
};

// So many instances of a type are paid for at this rate, used or not, throughout the run: a savings plan, or reserved
// instances. Instances on demand use them first.
struct Commitment {
  std::string instance_type;
  std::int64_t instances = 0;
  MicroUsd price_per_hour = 0;  // of each
};

struct Design {
  ClusterSpec spec;
  std::vector<GroupFacts> groups;
  std::vector<std::string> queue_names;
  std::vector<SimulatedCloud::Boot> boots;  // by group
  std::vector<CapacityReservation> reservations;
  std::vector<FabricSite> fabrics;  // whose tree is spec.topology
  SpotPrices spot_prices;
  std::vector<Commitment> committed;
  MicroUsd controller_per_hour = 0;
  MicroUsd management_per_hour = 0;  // for each instance
  bool is_pool = false;
  bool pool_of_nodes = false;  // the pool is nodes of one processor, for a policy that schedules nodes

  std::string node_name(NodeId node) const;  // <group>-<n>, n from 1 (PCS-23); of a pool that is one node: pool
  std::vector<std::string> node_names() const;
};

// Throws InputError: unknown instance types, types that are not sold as Spot, no price in the region, types that do not
// go together (PCS-12), a RealMemory that they do not have.
Design make_design(const Scenario& scenario);

// That the catalog has no such type, and the nearest that it has.
std::string unknown_instance_type(std::string_view name);

// What is paid whatever instances there are: the controller, reservations, commitments.
struct Charge {
  Time from = 0;
  Time until = kNever;
  MicroUsd per_hour = 0;
  MicroUsd at_once = 0;  // at `from`
};
std::vector<Charge> charges_of(const Design& design, Time begin);

// `price_per_hour` for `duration`, rounded to the nearest millionth.
MicroUsd cost_of(MicroUsd price_per_hour, Time duration);

}  // namespace headroom
