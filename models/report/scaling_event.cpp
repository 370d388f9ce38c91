#include "models/report/scaling_event.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "models/report/format.hpp"
#include "models/scenario/document.hpp"

namespace headroom {
namespace {

constexpr std::size_t kBlock = std::size_t{64} << 10;

// In the order in which one instance passes through them.
enum class Status : std::uint8_t { launch_failed, launched, registered, active, pending_replacement, terminated };

std::string_view status_name(Status status) {
  switch (status) {
    case Status::launch_failed:
      return "LAUNCH_FAILED";
    case Status::launched:
      return "LAUNCHED";
    case Status::registered:
      return "REGISTERED";
    case Status::active:
      return "ACTIVE";
    case Status::pending_replacement:
      return "PENDING_REPLACEMENT";
    case Status::terminated:
      return "TERMINATED";
  }
  return "";
}

struct Event {
  Time at;
  Status status;
  std::uint32_t subject;  // instance; of launch_failed: position among the launch failures
  std::string_view reason;
};

std::string_view refusal_reason(Refusal refusal) {
  switch (refusal) {
    case Refusal::insufficient_instance_capacity:
    case Refusal::insufficient_reserved_instance_capacity:
    case Refusal::reservation_capacity_exceeded:
    case Refusal::unfulfillable_capacity:
    case Refusal::insufficient_free_addresses_in_subnet:
      return "INSUFFICIENT_CAPACITY";
    case Refusal::max_spot_instance_count_exceeded:
    case Refusal::vcpu_limit_exceeded:
    case Refusal::instance_limit_exceeded:
    case Refusal::request_limit_exceeded:
      return "LIMIT_EXCEEDED";
    case Refusal::spot_max_price_too_low:
    case Refusal::unsupported:
    case Refusal::internal_error:
      return "LAUNCH_ERROR";
  }
  return "";
}

// Why an instance is to be replaced; empty: it is not, it only hears of it.
std::string_view impairment_reason(Impairment impairment) {
  return impairment == Impairment::scheduled_event ? "EC2_SCHEDULED_EVENT" : "EC2_HEALTH_CHECK_FAILED";
}

std::vector<Event> events_of(const RunRecord& record, const Design& design) {
  std::vector<Event> events;
  const std::vector<InstanceRecord>& instances = record.instances();
  for (std::uint32_t i = 0; i < instances.size(); ++i) {
    const InstanceRecord& instance = instances[i];
    if (instance.refused) continue;
    events.push_back({instance.launch, Status::launched, i,
                      instance.launch_reason == LaunchReason::maintain_min_capacity ? "MAINTAIN_MIN_CAPACITY"
                                                                                    : "SCHEDULER_REQUESTED"});
    if (instance.ready != kNever) {
      events.push_back({instance.ready, Status::registered, i, "REGISTER_SUCCESS"});
      events.push_back({instance.ready, Status::active, i, "BOOTSTRAP_SUCCESS"});
    }
    if (instance.is_over()) events.push_back({instance.end, Status::terminated, i, end_reason_name(instance)});
  }
  for (std::uint32_t f = 0; f < record.launch_failures().size(); ++f) {
    const LaunchFailure& failure = record.launch_failures()[f];
    events.push_back({failure.at, Status::launch_failed, f, refusal_reason(failure.refusal)});
  }
  for (const Notice& notice : record.notices()) {
    if (notice.news.kind == Stimulus::Kind::instance_impaired && notice.instance != HeldShare::kPermanent) {
      events.push_back({notice.at, Status::pending_replacement, notice.instance,
                        impairment_reason(static_cast<Impairment>(notice.news.detail))});
    }
    if (notice.news.kind != Stimulus::Kind::cluster_changed) continue;
    const ClusterChange& change = design.spec.changes[notice.news.subject];
    if (change.kind != ClusterChange::Kind::replace) continue;
    for (std::uint32_t i = 0; i < instances.size(); ++i) {
      const InstanceRecord& instance = instances[i];
      if (instance.refused || instance.group != change.group) continue;
      if (instance.launch < notice.at && notice.at < instance.end) {
        events.push_back({notice.at, Status::pending_replacement, i, "NODE_GROUP_UPDATE"});
      }
    }
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const Event& a, const Event& b) { return a.at != b.at ? a.at < b.at : a.status < b.status; });
  return events;
}

}  // namespace

std::string_view end_reason_name(const InstanceRecord& instance) {
  if (instance.loss) return "EXTERNALLY_TERMINATED";
  switch (instance.end_reason) {
    case EndReason::scheduler_requested:
    case EndReason::node_group_update:  // AWS publishes no reason for nodes beyond a lower maximum
      return "SCHEDULER_REQUESTED";
    case EndReason::unhealthy_node:
      return "UNHEALTHY_NODE";
    case EndReason::bootstrap_failed:
      return "BOOTSTRAP_FAILED";
    case EndReason::replacement_requested:
      return "REPLACEMENT_REQUESTED";
    case EndReason::node_group_deletion:
      return "NODE_GROUP_DELETION";
  }
  return "";
}

void append_instance_id(std::string& out, std::uint64_t number) {
  std::array<char, 17> id{};
  for (std::size_t k = id.size(); k > 0; --k, number >>= 4) id[k - 1] = "0123456789abcdef"[number & 15];
  out += "i-";
  out.append(id.data(), id.size());
}

void write_events_jsonl(const RunRecord& record, const RunContext& context,
                        const std::function<void(std::string_view)>& write) {
  const Design& design = context.design;
  if (design.is_pool) return;
  constexpr std::size_t kWhole = std::string::npos;
  const std::vector<std::string> names = design.node_names();
  std::vector<std::string> groups;
  for (const GroupFacts& group : design.groups) groups.push_back(quote(group.name, kWhole));
  const std::string cluster = quote(context.scenario.cluster.name, kWhole);
  std::vector<std::uint64_t> numbers;  // of instances that existed
  std::uint64_t existed = 0;
  for (const InstanceRecord& instance : record.instances()) numbers.push_back(instance.refused ? 0 : ++existed);

  std::string out;
  for (const Event& event : events_of(record, design)) {
    const bool failed = event.status == Status::launch_failed;
    const LaunchFailure* const failure = failed ? &record.launch_failures()[event.subject] : nullptr;
    const InstanceRecord* const instance = failed ? nullptr : &record.instances()[event.subject];
    const Offer* const offer = failed ? nullptr : offer_of(*instance, design);
    const GroupId group = failed ? failure->group : instance->group;
    std::string seconds;
    append_seconds(seconds, event.at);
    std::string id = "null";
    if (!failed) {
      id = "\"";
      append_instance_id(id, numbers[event.subject]);
      id += "\"";
    }
    out += fmt::format(
        "{{\"time_s\": {}, \"event_timestamp\": {}, \"cluster\": {}, \"node_group\": {}, \"node_id\": \"{}\", "
        "\"status\": \"{}\", \"reason\": \"{}\", \"details\": {{\"instance_id\": {}, \"ec2_error_code\": {}, "
        "\"instance_type\": {}, \"subnet_id\": {}}}}}\n",
        seconds, event.at / kSecond, cluster, groups[index(group)],
        names[index(failed ? failure->node : instance->node)], status_name(event.status), event.reason, id,
        failed ? fmt::format("\"{}\"", refusal_code(failure->refusal)) : "null",
        offer == nullptr ? "null" : quote(offer->type.name, kWhole),
        offer == nullptr || offer->subnet.empty() ? "null" : quote(offer->subnet, kWhole));
    if (out.size() > kBlock) {
      write(out);
      out.clear();
    }
  }
  write(out);
}

}  // namespace headroom
