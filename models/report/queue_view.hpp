// The queue at one time, as squeue prints it without options: format "%.18i %.9P %.8j %.8u %.2t %.10M %.6D %R", sorted
// by partition, state and falling priority (squeue(1)). Hides where reasons, states and the order come from: under
// policy slurm from what slurmctld knows, under any other from the order in which it serves the queue.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/report/moment.hpp"

namespace headroom {

// One line: a job, or the tasks of an array that have not been started yet.
struct QueueRow {
  JobId job;       // of an array's tasks the first
  std::string id;  // 12; of a task 12_3; of tasks that wait together 12_[3-9%2]
  QueueId queue{0};
  std::string name;  // of an array's task its array's
  std::string user;
  JobState state = JobState::pending;
  std::int64_t elapsed_s = 0;  // since it got its nodes (CF) or started (R); of CG: until it was told to end
  std::int32_t nodes = 0;      // of a pending job the least it can do with
  std::string node_list;
  std::string reason;  // of a pending job
};

std::vector<QueueRow> queue_rows(const Moment& moment);
std::string queue_table(const std::vector<QueueRow>& rows, const Design& design);
std::string queue_json(const std::vector<QueueRow>& rows, const Design& design);  // an array

// The parts, for tests.
std::string_view compact_state(JobState state);                              // PD CF R CG
std::string slurm_duration(std::int64_t seconds);                            // 0:07, 1:00:00, 2-03:04:05
std::string task_list(std::vector<std::int32_t> tasks, std::int32_t limit);  // 1,3-9%2; 0-20:4
std::string right_justified(std::string_view text, std::size_t width);       // cut to the width, as %.8j

}  // namespace headroom
