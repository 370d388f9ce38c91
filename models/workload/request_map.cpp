#include "models/workload/request_map.hpp"

#include <algorithm>

#include "models/errors.hpp"

namespace headroom {

namespace {

QueueId queue_named(const std::string& name, const std::vector<std::string>& queue_names) {
  const auto found = std::find(queue_names.begin(), queue_names.end(), name);
  if (found == queue_names.end()) {
    throw InputError("workload.map: found queue \"" + name + "\", expected one of the scenario's queues");
  }
  return static_cast<QueueId>(found - queue_names.begin());
}

}  // namespace

RequestMap::RequestMap(const TraceMap& map, const std::vector<std::string>& queue_names)
    : per_unit_(map.processors_per_unit), whole_nodes_(map.unit == TraceMap::Unit::node) {
  ensure(per_unit_ > 0, "processors per unit are positive");
  if (queue_names.empty()) {
    return;
  }
  if (!map.queue.empty()) {
    default_queue_ = queue_named(map.queue, queue_names);
  }
  for (const auto& [number, name] : map.queues) {
    queues_.emplace_back(number, queue_named(name, queue_names));
  }
}

}  // namespace headroom
