// What a log's processors and queue numbers mean on the simulated cluster: TraceMap applied to one job at a
// time. Shared by everything whose jobs are a plain number of processors (SWF, generators).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "engine/news.hpp"
#include "models/scenario/scenario.hpp"

namespace headroom {

class RequestMap {
 public:
  // `queue_names` in the order of QueueId; empty (a pool): every job goes to queue 0. Throws InputError for a
  // queue name that is not among them.
  RequestMap(const TraceMap& map, const std::vector<std::string>& queue_names);

  // Sets nodes, cores, exclusive and queue. `processors` > 0. Unit core: processors / processors_per_unit
  // cores in total, rounded up; unit node: as many whole nodes.
  void fill(JobRequest& request, std::int64_t processors, std::int64_t log_queue) const {
    const std::int64_t units = per_unit_ == 1 ? processors : (processors + per_unit_ - 1) / per_unit_;
    const auto count = static_cast<std::int32_t>(units);
    request.nodes = whole_nodes_ ? count : 0;
    request.cores = whole_nodes_ ? 1 : count;
    request.exclusive = whole_nodes_;
    request.queue = default_queue_;
    for (const auto& [number, queue] : queues_) {
      if (number == log_queue) {
        request.queue = queue;
        break;
      }
    }
  }

  // Whether map.queues says where jobs of this queue number go; true when it says nothing of any.
  bool knows_queue(std::int64_t log_queue) const {
    return queues_.empty() || std::any_of(queues_.begin(), queues_.end(),
                                          [log_queue](const auto& entry) { return entry.first == log_queue; });
  }

 private:
  std::int64_t per_unit_ = 1;
  bool whole_nodes_ = false;
  QueueId default_queue_{0};
  std::vector<std::pair<std::int64_t, QueueId>> queues_;  // a handful: the first match counts
};

}  // namespace headroom
