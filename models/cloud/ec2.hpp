// Amazon EC2 as its callers see it: a request for instances is granted as a whole, in part or not at all, with EC2's
// error codes. Hides the books of pools, quotas, hardware, placement groups, reservations, addresses and token buckets,
// and which offer a fleet takes. Pure: equal calls give equal answers. Times of calls never go back. docs/cloud.md
// tells the rules.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/news.hpp"
#include "models/cloud/allocation.hpp"
#include "models/cloud/capacity_pool.hpp"
#include "models/cloud/capacity_reservation.hpp"
#include "models/cloud/fabric.hpp"
#include "models/cloud/placement_group.hpp"
#include "models/cloud/quota.hpp"
#include "models/cloud/spot_prices.hpp"
#include "models/cloud/token_bucket.hpp"

namespace headroom {

// What a node group asks for.
struct Fleet {
  Purchase purchase = Purchase::on_demand;
  AllocationStrategy strategy = AllocationStrategy::lowest_price;
  std::vector<Offer> offers;
  std::string placement_group;  // empty: none
  ReservationUse reservations;
};

// What a node is launched for, where that is known: its job and the job's queue.
struct LaunchPurpose {
  static constexpr std::uint32_t kUnknown = ~0u;
  std::uint32_t job = kUnknown;
  std::uint32_t queue = kUnknown;
};

struct Ec2Settings {
  // Requests of the account and, for some actions, the instances they are about. Nothing: no such bucket.
  struct Throttling {
    std::optional<TokenBucket::Rate> launch_requests, launch_instances, terminate_requests, terminate_instances;
  };
  // A time in which the API does not work: a share of launches is refused so. Terminations are tried until they work,
  // which is when it is over if nothing works.
  struct BrownOut {
    Time from = 0;
    Time until = 0;
    Refusal refusal = Refusal::internal_error;
    double share = 1;
  };

  std::vector<Fleet> fleets;  // by node group; none: every request is granted its first offer
  std::vector<CapacityRule> capacity;
  std::vector<FabricSite> fabrics;  // where an offer has none, nobody knows what its instances land on
  std::vector<PlacementGroupDesign> placement_groups;
  PlacementScope placement_scope = PlacementScope::group;
  std::vector<CapacityReservation> reservations;
  std::map<std::string, std::int64_t> free_addresses;  // by subnet, those that have a limit
  QuotaLimits quotas;
  Throttling throttling;
  std::vector<BrownOut> brown_outs;
  SpotPrices spot_prices;
  bool run_instances = false;      // RunInstances, which takes one offer; otherwise CreateFleet (instant)
  Distribution api_latency;        // from the command to EC2's answer
  Distribution consistency_delay;  // from the answer until the instance's id is known everywhere
  std::uint64_t seed = 1;
  Time origin = 0;  // the run's start: all other times here count from it
};

class Ec2 {
 public:
  struct Grant {
    std::uint32_t offer = 0;        // position in the offers of its group
    std::uint32_t reservation = 0;  // 1 + position of the capacity reservation that it uses; 0: none
    Time known = 0;                 // from then on calls about it work
    Time taken_back = kNever;       // when its reservation ends it
    LeafId leaf = kNoLeaf;          // what it lands on, where that is known
  };
  // The first nodes of the request, so many as there are grants, get an instance; the others get `refusal`.
  struct Answer {
    Time at = 0;
    std::vector<Grant> grants;
    Refusal refusal = Refusal::insufficient_instance_capacity;
  };

  // Grants everything.
  Ec2() = default;
  explicit Ec2(Ec2Settings settings);

  // One request of a group for as many instances as there are nodes. `all_or_nothing`: none rather than some.
  // `purposes`: of each node, or empty.
  Answer launch(GroupId group, std::span<const NodeShare> nodes, bool all_or_nothing, Time now,
                std::span<const LaunchPurpose> purposes = {});
  // One request; when each instance is terminated. A call that is throttled, or that EC2 does not know the instance
  // for yet, is made again until it works.
  std::vector<Time> terminate(std::span<const NodeShare> nodes, Time now);
  // The node's instance is gone, although nobody asked for it.
  void gone(NodeId node, Time now);

 private:
  static constexpr std::uint32_t kNone = ~0u;
  // What an offer of a fleet draws on.
  struct Source {
    std::uint32_t pool = kNone;
    std::uint32_t fabric = kNone;
    std::uint32_t subnet = kNone;  // none: it has no limit
    QuotaFamily family{};
    std::int64_t vcpus = 0;
  };
  struct Held {
    bool exists = false;
    std::uint32_t fleet = 0;
    std::uint32_t offer = 0;
    std::uint32_t reservation = kNone;  // that it fills; otherwise it draws on its pool and its quota
    std::uint32_t tag = 0;              // of its placement group
    Fabric::Slot slot = Fabric::kNoSlot;
    Time known = 0;
    Time leaves = kNever;
  };
  // The hardware of a capacity reservation.
  struct Reserved {
    std::uint32_t fabric = kNone;
    std::uint32_t placement = kNone;      // the group that it is inside
    std::vector<LeafId> leaves = {};      // on which it may be
    std::vector<Fabric::Slot> idle = {};  // that it has and no instance uses
    std::uint32_t searches = 0;
    bool begun = false;
    bool ended = false;
  };
  // A reservation begins or ends.
  struct Turn {
    Time at = 0;
    bool begins = false;  // after those that end then
    std::uint32_t reservation = 0;
    auto operator<=>(const Turn&) const = default;
  };

  bool grants_all() const;
  std::optional<Refusal> throttled(std::uint64_t request, std::int64_t instances, Time now);
  bool enforceable(const Fleet& fleet, std::size_t instances) const;
  std::vector<Candidate> candidates(std::uint32_t fleet, std::int64_t count, Time now);
  // Nothing: the node got an instance.
  std::optional<Refusal> take(std::uint32_t fleet, std::uint32_t offer, NodeId node, std::uint32_t tag, Time now);
  std::uint32_t tag_of(std::uint32_t fleet, const LaunchPurpose& purpose) const;
  PlacementGroup& placement_group(std::uint32_t fleet, std::uint32_t tag);
  std::uint32_t fabric_for(const std::string& type, const std::string& zone) const;
  // The reservation that it uses, kNone for ordinary capacity, or why there is none.
  std::variant<std::uint32_t, Refusal> reservation_for(const Fleet& fleet, const Offer& offer, Time now) const;
  bool has_room(std::uint32_t reservation) const;
  Substream landing_of(NodeId node);
  void begin(std::uint32_t reservation, Time now);
  void end(std::uint32_t reservation);
  void find_missing(std::uint32_t reservation, Time now);
  void leave_until(Time now);
  void fill(std::uint32_t fleet, std::span<const Candidate> order, std::span<const NodeShare> nodes,
            std::span<const LaunchPurpose> purposes, Time now, Answer& answer);
  Held& held(NodeId node);
  void release(NodeId node, Time now, bool undo = false);
  void settle(Time now);

  std::shared_ptr<const Ec2Settings> settings_;  // null: it grants everything
  std::vector<CapacityPool> pools_;
  std::vector<std::vector<Source>> sources_;  // by fleet and offer
  std::vector<Fabric> fabrics_;
  // By design and tag: a job's or a queue's, 0 where all share it. Those that are not there are empty.
  std::map<std::pair<std::uint32_t, std::uint32_t>, PlacementGroup> placement_groups_;
  std::vector<std::uint32_t> placement_of_;  // by fleet: the design
  std::vector<std::int64_t> addresses_;      // left, by subnet with a limit
  std::vector<std::int64_t> filled_;         // instances in each reservation
  std::vector<Reserved> reserved_;           // by reservation
  std::vector<Turn> turns_;                  // that are still to come, the last one first
  Quota quota_{QuotaLimits{}};
  std::optional<TokenBucket> launch_requests_, launch_instances_, terminate_requests_, terminate_instances_;
  std::vector<Held> held_;               // by node
  std::vector<std::uint32_t> landings_;  // by node: how often hardware was looked for
  std::multimap<Time, NodeId> leaving_;  // by the time of termination
  std::uint64_t requests_ = 0;
};

}  // namespace headroom
