// The control plane of AWS PCS: clusters, compute node groups and queues with their states, and what the API answers to
// calls that create, update and delete them. Hides the states and who stands in whose way. Promises that what follows
// for the cluster that is simulated comes as changes with times, and that they never tell of what is not there: it
// needs no jobs, so that all of it is known before a run begins.
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cluster.hpp"

namespace headroom {

// As the API names them. It has SUSPENDING, SUSPENDED and RESUMING, too, but no call leads there.
enum class ResourceState : std::uint8_t {
  creating,
  active,
  updating,
  deleting,
  create_failed,
  update_failed,
  delete_failed,
  deleted,
};
std::string_view state_name(ResourceState state);  // "CREATING"

enum class ServiceAction : std::uint8_t {
  create_cluster,
  update_cluster,
  delete_cluster,
  create_group,
  update_group,
  delete_group,
  create_queue,
  update_queue,
  delete_queue,
};
std::string_view action_name(ServiceAction action);  // "CreateCluster"
std::optional<ServiceAction> action_named(std::string_view name);

enum class ApiError : std::uint8_t {
  none,
  validation,
  conflict,
  resource_not_found,
  service_quota_exceeded,
};
std::string_view error_name(ApiError error);  // "ConflictException"; "" of none

// How long the service takes, and how many things it allows. AWS publishes no times but "several minutes".
struct ServiceOptions {
  struct Times {
    Time create = 0, update = 0, remove = 0;
  };
  static constexpr std::int32_t kNone = std::numeric_limits<std::int32_t>::max();
  Times cluster, group, queue;
  std::int32_t clusters = 5;        // in the account and Region (PCS-4)
  std::int32_t groups = kNone;      // in a cluster
  std::int32_t queues = kNone;      // in a cluster
  bool has_update_cluster = false;  // edition 2026-08
};

// A rule that a request breaks by itself, whatever is there.
struct Violation {
  std::string rule;  // "PCS-11"
  std::string message;
};

// One call. What it does not say stays as it is.
struct ServiceCall {
  struct Scaling {
    std::int32_t minimum = 0;  // minInstanceCount
    std::int32_t maximum = 0;
    bool operator==(const Scaling&) const = default;
  };
  static constexpr Time kInherit = -1;

  Time at = 0;  // from the start of the run
  ServiceAction action{};
  std::string cluster;                     // by name or id; empty: the one that is simulated
  std::string target;                      // the name of what is made; name or id of what is meant
  std::vector<Violation> violations = {};  // found in the request
  bool fails = false;                      // the work that is accepted ends in a failure
  std::optional<Scaling> scaling = {};     // of a group
  std::optional<Time> idle_time = {};      // of a cluster or a group; kInherit: the cluster's
  bool replaces = false;                   // of a group: something that running nodes have from their launch
  std::optional<std::vector<std::string>> groups = {};  // of a queue, by name or id
  std::int32_t instance_limit = 0;                      // of a new cluster: its size's (PCS-3)
};

struct ServiceAnswer {
  struct Transition {
    Time at;
    ResourceState state;
    bool operator==(const Transition&) const = default;
  };
  Time at = 0;  // from the start of the run
  ServiceAction action{};
  std::string target;  // its name where it is known, otherwise as the call has it
  ApiError error = ApiError::none;
  std::string rule;                          // of a refusal: "PCS-21"; empty: no numbered rule
  std::string message;                       // of a refusal
  std::vector<Transition> transitions = {};  // of the target, if the call is accepted
  // Of a call that makes a group or a queue in the simulated cluster: its number there. A queue has one also when the
  // call is refused, because jobs may name it.
  std::optional<std::uint32_t> number = {};

  bool accepted() const { return error == ApiError::none; }
  bool operator==(const ServiceAnswer&) const = default;
};

struct TimedChange {
  Time at = 0;  // from the start of the run
  ClusterChange change;
  bool operator==(const TimedChange&) const = default;
};

class Service {
 public:
  // `cluster` is the one that is simulated; it is ACTIVE.
  Service(const ServiceOptions& options, const std::string& cluster, const std::string& id, std::int32_t instance_limit,
          Time idle_time);

  // What is there at the start, ACTIVE; numbers are in the order of these calls.
  void add_group(const std::string& name, const std::string& id, ServiceCall::Scaling scaling,
                 std::optional<Time> idle_time);
  void add_queue(const std::string& name, const std::string& id, const std::vector<GroupId>& groups);

  // Calls come in the order of time.
  ServiceAnswer answer(const ServiceCall& call);

  // What follows from all calls so far for the simulated cluster, in the order of time.
  std::vector<TimedChange> changes() const;
  // The most nodes that a group of it has at any time, also before and after changes.
  std::int32_t most_nodes(GroupId group) const { return known_groups_[index(group)].most; }

  // The state of a resource of the simulated cluster after the last call; `deleted` if there is none of this name.
  ResourceState group_state(const std::string& name) const;
  ResourceState queue_state(const std::string& name) const;

 private:
  struct Resource {
    std::string id;
    ResourceState state = ResourceState::active;
    ResourceState then = ResourceState::active;  // after work on it
    Time until = kNever;                         // the end of that
    bool made = false;                           // it has been ACTIVE
  };
  struct Group : Resource {
    ServiceCall::Scaling scaling, next_scaling;
    Time idle_time = ServiceCall::kInherit, next_idle_time = ServiceCall::kInherit;
  };
  struct Queue : Resource {
    std::vector<std::string> groups, next_groups;  // by name
    bool open = true;
  };
  struct ClusterEntry : Resource {
    std::int32_t instance_limit = 0;
    Time idle_time = 0, next_idle_time = 0;
    std::map<std::string, Group> groups;
    std::map<std::string, Queue> queues;
  };
  // What the simulation knows of a group, as long as the run lasts.
  struct KnownGroup {
    Time idle_time = 0;
    std::int32_t most = 0;
  };
  struct Refusal {
    ApiError error = ApiError::none;
    std::string rule;
    std::string message;
  };
  // What a call may be about, and the rule of its name.
  struct Kind {
    std::string_view name;
    std::string_view rule;
  };
  static constexpr Kind kGroup{"compute node group", "PCS-10"};
  static constexpr Kind kQueue{"queue", "PCS-30"};
  using Clusters = std::map<std::string, ClusterEntry>;

  template <class Entry>
  static Refusal check_target(const Entry* found, const Kind& kind, const std::string& cluster, const ServiceCall& call,
                              bool (*allows)(ResourceState), ServiceAnswer& answer);
  void advance(Time now);
  static void settle(ClusterEntry& cluster, Time now);
  void begin_work(Resource& resource, ServiceAnswer& answer, ResourceState state, Time duration, ResourceState then);
  bool is_simulated(const std::string& cluster) const { return !simulated_is_gone_ && cluster == simulated_; }

  Refusal act(const ServiceCall& call, ServiceAnswer& answer);
  Refusal create_cluster(const ServiceCall& call, ServiceAnswer& answer);
  Refusal update_cluster(Clusters::value_type& cluster, const ServiceCall& call, ServiceAnswer& answer);
  Refusal delete_cluster(Clusters::value_type& cluster, const ServiceCall& call, ServiceAnswer& answer);
  Refusal create_group(Clusters::value_type& cluster, const ServiceCall& call, ServiceAnswer& answer);
  Refusal update_group(Clusters::value_type& cluster, const ServiceCall& call, ServiceAnswer& answer);
  Refusal delete_group(Clusters::value_type& cluster, const ServiceCall& call, ServiceAnswer& answer);
  Refusal create_queue(Clusters::value_type& cluster, const ServiceCall& call, ServiceAnswer& answer);
  Refusal update_queue(Clusters::value_type& cluster, const ServiceCall& call, ServiceAnswer& answer);
  Refusal delete_queue(Clusters::value_type& cluster, const ServiceCall& call, ServiceAnswer& answer);
  Refusal check_limit(const ClusterEntry& cluster, const std::string& group, std::int32_t maximum) const;
  // Names of the groups that a queue asks for, into `names`.
  Refusal groups_of(const ClusterEntry& cluster, const ServiceCall& call, std::vector<std::string>& names) const;

  void change(Time at, ClusterChange change) { changes_.push_back({at, std::move(change)}); }
  void serve(Time at, const std::string& queue, const Queue& of);
  void tell_idle_time(Time at, GroupId group, Time idle_time);

  ServiceOptions options_;
  Time now_ = 0;
  std::string simulated_;  // its name
  bool simulated_is_gone_ = false;
  Time start_idle_time_;  // of it, at the start
  Clusters clusters_;
  std::map<std::string, GroupId> group_number_;  // in the simulated cluster, of all that ever were
  std::map<std::string, QueueId> queue_number_;
  std::vector<KnownGroup> known_groups_;
  std::vector<TimedChange> changes_;
};

}  // namespace headroom
