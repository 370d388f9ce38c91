#include "models/pcs/service.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace headroom {
namespace {

constexpr std::array<std::string_view, 9> kActions = {"CreateCluster",
                                                      "UpdateCluster",
                                                      "DeleteCluster",
                                                      "CreateComputeNodeGroup",
                                                      "UpdateComputeNodeGroup",
                                                      "DeleteComputeNodeGroup",
                                                      "CreateQueue",
                                                      "UpdateQueue",
                                                      "DeleteQueue"};


// By name, or else by id.
template <class Map>
auto find_in(Map& map, const std::string& identifier) -> decltype(&*map.begin()) {
  if (const auto found = map.find(identifier); found != map.end()) return &*found;
  for (auto& each : map) {
    if (!each.second.id.empty() && each.second.id == identifier) return &each;
  }
  return nullptr;
}

// An update may be tried again after one that failed, and a deletion after any failure.
bool may_update(ResourceState state) { return state == ResourceState::active || state == ResourceState::update_failed; }
bool may_delete(ResourceState state) {
  return may_update(state) || state == ResourceState::create_failed || state == ResourceState::delete_failed;
}

// Of work that is over. Returns whether the resource is gone.
template <class Resource, class Made>
bool settle_one(Resource& resource, Time now, Made made) {
  if (resource.until > now) return false;
  resource.until = kNever;
  resource.state = resource.then;
  if (resource.state == ResourceState::active) resource.made = true;
  made(resource.state == ResourceState::active);
  return resource.state == ResourceState::deleted;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::string_view state_name(ResourceState state) {
  switch (state) {
    case ResourceState::creating:
      return "CREATING";
    case ResourceState::active:
      return "ACTIVE";
    case ResourceState::updating:
      return "UPDATING";
    case ResourceState::deleting:
      return "DELETING";
    case ResourceState::create_failed:
      return "CREATE_FAILED";
    case ResourceState::update_failed:
      return "UPDATE_FAILED";
    case ResourceState::delete_failed:
      return "DELETE_FAILED";
    case ResourceState::deleted:
      return "DELETED";
  }
  return "";
}

std::string_view action_name(ServiceAction action) { return kActions[static_cast<std::size_t>(action)]; }

std::optional<ServiceAction> action_named(std::string_view name) {
  const auto* const found = std::find(kActions.begin(), kActions.end(), name);
  if (found == kActions.end()) return std::nullopt;
  return static_cast<ServiceAction>(found - kActions.begin());
}

std::string_view error_name(ApiError error) {
  switch (error) {
    case ApiError::none:
      return "";
    case ApiError::validation:
      return "ValidationException";
    case ApiError::conflict:
      return "ConflictException";
    case ApiError::resource_not_found:
      return "ResourceNotFoundException";
    case ApiError::service_quota_exceeded:
      return "ServiceQuotaExceededException";
  }
  return "";
}

Service::Service(const ServiceOptions& options, const std::string& cluster, const std::string& id,
                 std::int32_t instance_limit, Time idle_time)
    : options_(options), simulated_(cluster), start_idle_time_(idle_time) {
  ClusterEntry& entry = clusters_[cluster];
  entry.made = true;
  entry.id = id;
  entry.instance_limit = instance_limit;
  entry.idle_time = entry.next_idle_time = idle_time;
}

void Service::add_group(const std::string& name, const std::string& id, ServiceCall::Scaling scaling,
                        std::optional<Time> idle_time) {
  ClusterEntry& cluster = clusters_.at(simulated_);
  Group& group = cluster.groups[name];
  group.id = id;
  group.made = true;
  group.scaling = group.next_scaling = scaling;
  group.idle_time = group.next_idle_time = idle_time.value_or(ServiceCall::kInherit);
  group_number_[name] = GroupId{static_cast<std::uint32_t>(known_groups_.size())};
  known_groups_.push_back({idle_time.value_or(cluster.idle_time), scaling.maximum});
}

void Service::add_queue(const std::string& name, const std::string& id, const std::vector<GroupId>& groups) {
  Queue& queue = clusters_.at(simulated_).queues[name];
  queue.id = id;
  queue.made = true;
  for (const auto& [group, number] : group_number_) {
    if (std::find(groups.begin(), groups.end(), number) != groups.end()) queue.groups.push_back(group);
  }
  queue.next_groups = queue.groups;
  queue_number_[name] = QueueId{static_cast<std::uint32_t>(queue_number_.size())};
}

ServiceAnswer Service::answer(const ServiceCall& call) {
  ensure(call.at >= now_, "calls come in the order of time");
  now_ = call.at;
  advance(call.at);
  ServiceAnswer answer{call.at, call.action, call.target, ApiError::none, {}, {}};
  const auto* const cluster = find_in(clusters_, call.cluster.empty() ? simulated_ : call.cluster);
  const bool is_ours = call.cluster.empty() || (cluster != nullptr && is_simulated(cluster->first));
  if (call.action == ServiceAction::create_queue && call.violations.empty() && is_ours) {
    // A name that jobs may use, whatever becomes of it.
    const QueueId next{static_cast<std::uint32_t>(queue_number_.size())};
    answer.number = headroom::number(queue_number_.emplace(call.target, next).first->second);
  }
  Refusal refusal = act(call, answer);
  answer.error = refusal.error;
  answer.rule = std::move(refusal.rule);
  answer.message = std::move(refusal.message);
  return answer;
}

std::vector<TimedChange> Service::changes() const {
  std::vector<TimedChange> sorted = changes_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const TimedChange& a, const TimedChange& b) { return a.at < b.at; });
  return sorted;
}

ResourceState Service::group_state(const std::string& name) const {
  const auto cluster = clusters_.find(simulated_);
  if (cluster == clusters_.end()) return ResourceState::deleted;
  const auto found = cluster->second.groups.find(name);
  return found == cluster->second.groups.end() ? ResourceState::deleted : found->second.state;
}

ResourceState Service::queue_state(const std::string& name) const {
  const auto cluster = clusters_.find(simulated_);
  if (cluster == clusters_.end()) return ResourceState::deleted;
  const auto found = cluster->second.queues.find(name);
  return found == cluster->second.queues.end() ? ResourceState::deleted : found->second.state;
}

// --- states ---------------------------------------------------------------------------------------------------------

void Service::advance(Time now) {
  for (auto it = clusters_.begin(); it != clusters_.end();) {
    ClusterEntry& cluster = it->second;
    settle(cluster, now);
    const bool gone = settle_one(cluster, now, [&](bool made) {
      if (made) cluster.idle_time = cluster.next_idle_time;
    });
    simulated_is_gone_ = simulated_is_gone_ || (gone && it->first == simulated_);
    it = gone ? clusters_.erase(it) : std::next(it);
  }
}

void Service::settle(ClusterEntry& cluster, Time now) {
  for (auto it = cluster.groups.begin(); it != cluster.groups.end();) {
    Group& group = it->second;
    const bool gone = settle_one(group, now, [&](bool made) {
      if (made) {
        group.scaling = group.next_scaling;
        group.idle_time = group.next_idle_time;
      } else {
        group.next_scaling = group.scaling;
        group.next_idle_time = group.idle_time;
      }
    });
    it = gone ? cluster.groups.erase(it) : std::next(it);
  }
  for (auto it = cluster.queues.begin(); it != cluster.queues.end();) {
    Queue& queue = it->second;
    const bool gone = settle_one(queue, now, [&](bool made) {
      if (made) {
        queue.groups = queue.next_groups;
        queue.open = true;
      } else {
        queue.next_groups = queue.groups;
      }
    });
    it = gone ? cluster.queues.erase(it) : std::next(it);
  }
}

void Service::begin_work(Resource& resource, ServiceAnswer& answer, ResourceState state, Time duration,
                         ResourceState then) {
  resource.state = state;
  resource.then = then;
  resource.until = answer.at + duration;
  answer.transitions = {{answer.at, state}, {resource.until, then}};
}

// --- calls ----------------------------------------------------------------------------------------------------------

Service::Refusal Service::act(const ServiceCall& call, ServiceAnswer& answer) {
  if (!call.violations.empty()) {
    return {ApiError::validation, call.violations.front().rule, call.violations.front().message};
  }
  if (call.action == ServiceAction::create_cluster) return create_cluster(call, answer);
  Clusters::value_type* const cluster = find_in(clusters_, call.cluster.empty() ? simulated_ : call.cluster);
  if (cluster == nullptr) {
    return {ApiError::resource_not_found, "PCS-9",
            fmt::format("there is no cluster {}", call.cluster.empty() ? simulated_ : call.cluster)};
  }
  if (call.action == ServiceAction::update_cluster) return update_cluster(*cluster, call, answer);
  if (call.action == ServiceAction::delete_cluster) return delete_cluster(*cluster, call, answer);
  if (cluster->second.state != ResourceState::active) {
    return {ApiError::conflict, "PCS-9",
            fmt::format("the cluster {} is {}, not ACTIVE", cluster->first, state_name(cluster->second.state))};
  }
  switch (call.action) {
    case ServiceAction::create_group:
      return create_group(*cluster, call, answer);
    case ServiceAction::update_group:
      return update_group(*cluster, call, answer);
    case ServiceAction::delete_group:
      return delete_group(*cluster, call, answer);
    case ServiceAction::create_queue:
      return create_queue(*cluster, call, answer);
    case ServiceAction::update_queue:
      return update_queue(*cluster, call, answer);
    default:
      return delete_queue(*cluster, call, answer);
  }
}

Service::Refusal Service::create_cluster(const ServiceCall& call, ServiceAnswer& answer) {
  if (clusters_.count(call.target) > 0) {
    return {ApiError::conflict, "PCS-1", fmt::format("there is a cluster {} already", call.target)};
  }
  for (const auto& [name, cluster] : clusters_) {
    if (cluster.state != ResourceState::creating) continue;
    return {ApiError::service_quota_exceeded, "PCS-4",
            fmt::format("the cluster {} is CREATING; one at a time is created", name)};
  }
  if (static_cast<std::int32_t>(clusters_.size()) >= options_.clusters) {
    return {ApiError::service_quota_exceeded, "PCS-4",
            fmt::format("there are {} clusters, as many as the quota allows", clusters_.size())};
  }
  ClusterEntry& cluster = clusters_[call.target];
  cluster.instance_limit = call.instance_limit;
  begin_work(cluster, answer, ResourceState::creating, options_.cluster.create,
             call.fails ? ResourceState::create_failed : ResourceState::active);
  return {};
}

Service::Refusal Service::update_cluster(Clusters::value_type& entry, const ServiceCall& call, ServiceAnswer& answer) {
  auto& [name, cluster] = entry;
  answer.target = name;
  if (!options_.has_update_cluster) {
    return {ApiError::validation, "", "edition 2024-12 has no UpdateCluster"};
  }
  if (!may_update(cluster.state)) {
    return {ApiError::conflict, "PCS-9", fmt::format("the cluster {} is {}", name, state_name(cluster.state))};
  }
  Refusal refusal;
  const auto check = [&](const Kind& kind, const auto& children) {
    for (const auto& [child, resource] : children) {
      if (resource.state == ResourceState::active || refusal.error != ApiError::none) continue;
      refusal = {ApiError::conflict, "PCS-9",
                 fmt::format("the {} {} is {}, not ACTIVE", kind.name, child, state_name(resource.state))};
    }
  };
  check(kGroup, cluster.groups);
  check(kQueue, cluster.queues);
  if (refusal.error != ApiError::none) return refusal;
  begin_work(cluster, answer, ResourceState::updating, options_.cluster.update,
             call.fails ? ResourceState::update_failed : ResourceState::active);
  cluster.next_idle_time = cluster.idle_time;
  if (!call.idle_time || call.fails) return {};
  cluster.next_idle_time = *call.idle_time;
  if (!is_simulated(name)) return {};
  for (const auto& [child, group] : cluster.groups) {
    if (group.idle_time != ServiceCall::kInherit) continue;
    tell_idle_time(cluster.until, group_number_.at(child), *call.idle_time);
  }
  return {};
}

Service::Refusal Service::delete_cluster(Clusters::value_type& entry, const ServiceCall& call, ServiceAnswer& answer) {
  auto& [name, cluster] = entry;
  answer.target = name;
  if (!may_delete(cluster.state)) {
    return {ApiError::conflict, "PCS-9", fmt::format("the cluster {} is {}", name, state_name(cluster.state))};
  }
  if (!cluster.queues.empty() || !cluster.groups.empty()) {
    return {ApiError::conflict, "PCS-8",
            fmt::format("the cluster {} has {} queues and {} compute node groups", name, cluster.queues.size(),
                        cluster.groups.size())};
  }
  begin_work(cluster, answer, ResourceState::deleting, options_.cluster.remove,
             call.fails ? ResourceState::delete_failed : ResourceState::deleted);
  return {};
}

// What the groups may have all together, also while one of them shrinks.
Service::Refusal Service::check_limit(const ClusterEntry& cluster, const std::string& group,
                                      std::int32_t maximum) const {
  std::int64_t others = 0;
  for (const auto& [name, each] : cluster.groups) {
    if (name != group) others += std::max(each.scaling.maximum, each.next_scaling.maximum);
  }
  if (others + maximum <= cluster.instance_limit) return {};
  return {ApiError::service_quota_exceeded, "PCS-3",
          fmt::format("maxInstanceCount {} and {} of the other compute node groups are over the {} instances of the "
                      "cluster's size",
                      maximum, others, cluster.instance_limit)};
}

Service::Refusal Service::create_group(Clusters::value_type& entry, const ServiceCall& call, ServiceAnswer& answer) {
  auto& [cluster_name, cluster] = entry;
  if (cluster.groups.count(call.target) > 0) {
    return {ApiError::conflict, "PCS-10", fmt::format("there is a compute node group {} already", call.target)};
  }
  if (static_cast<std::int32_t>(cluster.groups.size()) >= options_.groups) {
    return {ApiError::service_quota_exceeded, "",
            fmt::format("there are {} compute node groups, as many as the quota allows", cluster.groups.size())};
  }
  const ServiceCall::Scaling scaling = call.scaling.value_or(ServiceCall::Scaling{});
  if (Refusal refusal = check_limit(cluster, call.target, scaling.maximum); refusal.error != ApiError::none) {
    return refusal;
  }
  Group& group = cluster.groups[call.target];
  group.next_scaling = scaling;
  group.next_idle_time = call.idle_time.value_or(ServiceCall::kInherit);
  begin_work(group, answer, ResourceState::creating, options_.group.create,
             call.fails ? ResourceState::create_failed : ResourceState::active);
  if (call.fails || !is_simulated(cluster_name)) return {};
  const GroupId next{static_cast<std::uint32_t>(known_groups_.size())};
  const auto [known, is_new] = group_number_.emplace(call.target, next);
  answer.number = headroom::number(known->second);
  // A group that is new to the simulation has the idle time that the cluster had at the start, until it is told
  // another.
  const bool inherits = group.next_idle_time == ServiceCall::kInherit;
  if (is_new) known_groups_.push_back({start_idle_time_, 0});
  change(
      group.until,
      {.kind = ClusterChange::Kind::resize, .group = known->second, .nodes = scaling.maximum, .kept = scaling.minimum});
  std::int32_t& most = known_groups_[index(known->second)].most;
  most = std::max(most, scaling.maximum);
  tell_idle_time(group.until, known->second, inherits ? cluster.idle_time : group.next_idle_time);
  return {};
}

// That there is what a call is about, in a state that allows it.
template <class Entry>
Service::Refusal Service::check_target(const Entry* found, const Kind& kind, const std::string& cluster,
                                       const ServiceCall& call, bool (*allows)(ResourceState), ServiceAnswer& answer) {
  if (found == nullptr) {
    return {ApiError::resource_not_found, std::string(kind.rule),
            fmt::format("there is no {} {} in the cluster {}", kind.name, call.target, cluster)};
  }
  answer.target = found->first;
  if (allows(found->second.state)) return {};
  return {ApiError::conflict, "PCS-9",
          fmt::format("the {} {} is {}", kind.name, found->first, state_name(found->second.state))};
}

Service::Refusal Service::update_group(Clusters::value_type& entry, const ServiceCall& call, ServiceAnswer& answer) {
  auto& [cluster_name, cluster] = entry;
  auto* found = find_in(cluster.groups, call.target);
  if (Refusal refusal = check_target(found, kGroup, cluster_name, call, may_update, answer);
      refusal.error != ApiError::none) {
    return refusal;
  }
  auto& [name, group] = *found;
  const ServiceCall::Scaling scaling = call.scaling.value_or(group.scaling);
  if (Refusal refusal = check_limit(cluster, name, scaling.maximum); refusal.error != ApiError::none) return refusal;
  begin_work(group, answer, ResourceState::updating, options_.group.update,
             call.fails ? ResourceState::update_failed : ResourceState::active);
  group.next_scaling = scaling;
  group.next_idle_time = call.idle_time.value_or(group.idle_time);
  if (call.fails || !is_simulated(cluster_name)) return {};
  const GroupId number = group_number_.at(name);
  // Changes become effective when the group is ACTIVE again (PCS-19).
  if (scaling != group.scaling) {
    change(group.until,
           {.kind = ClusterChange::Kind::resize, .group = number, .nodes = scaling.maximum, .kept = scaling.minimum});
    std::int32_t& most = known_groups_[index(number)].most;
    most = std::max(most, scaling.maximum);
  }
  tell_idle_time(group.until, number,
                 group.next_idle_time == ServiceCall::kInherit ? cluster.idle_time : group.next_idle_time);
  if (call.replaces) change(group.until, {.kind = ClusterChange::Kind::replace, .group = number});
  return {};
}

Service::Refusal Service::delete_group(Clusters::value_type& entry, const ServiceCall& call, ServiceAnswer& answer) {
  auto& [cluster_name, cluster] = entry;
  auto* found = find_in(cluster.groups, call.target);
  if (Refusal refusal = check_target(found, kGroup, cluster_name, call, may_delete, answer);
      refusal.error != ApiError::none) {
    return refusal;
  }
  auto& [name, group] = *found;
  for (const auto& [queue_name, queue] : cluster.queues) {
    if (!has(queue.groups, name) && !has(queue.next_groups, name)) continue;
    return {ApiError::conflict, "PCS-21",
            fmt::format("the compute node group {} is in the queue {}", name, queue_name)};
  }
  begin_work(group, answer, ResourceState::deleting, options_.group.remove,
             call.fails ? ResourceState::delete_failed : ResourceState::deleted);
  if (!call.fails && group.made && is_simulated(cluster_name)) {
    change(call.at, {.kind = ClusterChange::Kind::delete_group, .group = group_number_.at(name)});
  }
  return {};
}

Service::Refusal Service::groups_of(const ClusterEntry& cluster, const ServiceCall& call,
                                    std::vector<std::string>& names) const {
  for (const std::string& identifier : *call.groups) {
    const auto* const found = find_in(cluster.groups, identifier);
    if (found == nullptr) {
      return {ApiError::resource_not_found, "PCS-30", fmt::format("there is no compute node group {}", identifier)};
    }
    if (has(names, found->first)) {
      return {ApiError::validation, "PCS-30", fmt::format("the compute node group {} is given twice", found->first)};
    }
    if (found->second.state != ResourceState::active) {
      return {
          ApiError::conflict, "PCS-18",
          fmt::format("the compute node group {} is {}, not ACTIVE", found->first, state_name(found->second.state))};
    }
    names.push_back(found->first);
  }
  return {};
}

Service::Refusal Service::create_queue(Clusters::value_type& entry, const ServiceCall& call, ServiceAnswer& answer) {
  auto& [cluster_name, cluster] = entry;
  if (cluster.queues.count(call.target) > 0) {
    return {ApiError::conflict, "PCS-30", fmt::format("there is a queue {} already", call.target)};
  }
  if (static_cast<std::int32_t>(cluster.queues.size()) >= options_.queues) {
    return {ApiError::service_quota_exceeded, "",
            fmt::format("there are {} queues, as many as the quota allows", cluster.queues.size())};
  }
  std::vector<std::string> groups;
  if (call.groups) {
    if (Refusal refusal = groups_of(cluster, call, groups); refusal.error != ApiError::none) return refusal;
  }
  Queue& queue = cluster.queues[call.target];
  queue.open = false;
  queue.next_groups = std::move(groups);
  begin_work(queue, answer, ResourceState::creating, options_.queue.create,
             call.fails ? ResourceState::create_failed : ResourceState::active);
  if (!call.fails && is_simulated(cluster_name)) serve(queue.until, call.target, queue);
  return {};
}

Service::Refusal Service::update_queue(Clusters::value_type& entry, const ServiceCall& call, ServiceAnswer& answer) {
  auto& [cluster_name, cluster] = entry;
  auto* found = find_in(cluster.queues, call.target);
  if (Refusal refusal = check_target(found, kQueue, cluster_name, call, may_update, answer);
      refusal.error != ApiError::none) {
    return refusal;
  }
  auto& [name, queue] = *found;
  std::vector<std::string> groups = queue.groups;
  if (call.groups) {
    groups.clear();
    if (Refusal refusal = groups_of(cluster, call, groups); refusal.error != ApiError::none) return refusal;
  }
  queue.next_groups = std::move(groups);
  begin_work(queue, answer, ResourceState::updating, options_.queue.update,
             call.fails ? ResourceState::update_failed : ResourceState::active);
  if (!is_simulated(cluster_name)) return {};
  if (queue.open) change(call.at, {.kind = ClusterChange::Kind::close, .queue = queue_number_.at(name)});
  queue.open = false;
  if (!call.fails) serve(queue.until, name, queue);
  return {};
}

Service::Refusal Service::delete_queue(Clusters::value_type& entry, const ServiceCall& call, ServiceAnswer& answer) {
  auto& [cluster_name, cluster] = entry;
  auto* found = find_in(cluster.queues, call.target);
  if (Refusal refusal = check_target(found, kQueue, cluster_name, call, may_delete, answer);
      refusal.error != ApiError::none) {
    return refusal;
  }
  auto& [name, queue] = *found;
  begin_work(queue, answer, ResourceState::deleting, options_.queue.remove,
             call.fails ? ResourceState::delete_failed : ResourceState::deleted);
  if (!queue.made || !is_simulated(cluster_name)) return {};
  const QueueId number = queue_number_.at(name);
  if (call.fails) {
    if (queue.open) change(call.at, {.kind = ClusterChange::Kind::close, .queue = number});
    queue.open = false;
    return {};
  }
  queue.open = false;
  change(call.at, {.kind = ClusterChange::Kind::delete_queue, .queue = number});
  // PCS terminates the nodes of groups that no other queue has (API reference, DeleteQueue); static ones come again.
  for (const std::string& group : queue.groups) {
    const bool elsewhere = std::any_of(cluster.queues.begin(), cluster.queues.end(), [&](const auto& other) {
      return other.first != found->first && (has(other.second.groups, group) || has(other.second.next_groups, group));
    });
    if (!elsewhere) change(call.at, {.kind = ClusterChange::Kind::replace, .group = group_number_.at(group)});
  }
  return {};
}

// --- changes --------------------------------------------------------------------------------------------------------

void Service::serve(Time at, const std::string& queue, const Queue& of) {
  ClusterChange change_of{.kind = ClusterChange::Kind::serve, .queue = queue_number_.at(queue)};
  for (const std::string& group : of.next_groups) change_of.groups.push_back(group_number_.at(group));
  std::sort(change_of.groups.begin(), change_of.groups.end());
  const QueueId number = change_of.queue;
  if (of.next_groups != of.groups) change(at, std::move(change_of));
  change(at, {.kind = ClusterChange::Kind::open, .queue = number});
}

void Service::tell_idle_time(Time at, GroupId group, Time idle_time) {
  KnownGroup& known = known_groups_[index(group)];
  if (known.idle_time == idle_time) return;
  known.idle_time = idle_time;
  change(at, {.kind = ClusterChange::Kind::idle_time, .group = group, .idle_time = idle_time});
}

}  // namespace headroom
