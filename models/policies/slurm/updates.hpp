// What `scontrol update` changes of jobs and of partitions. Hides the names and values that scontrol takes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/policies/slurm/conf.hpp"

namespace headroom::slurm {

struct JobChange {
  std::optional<std::int32_t> nice;
  std::optional<std::int32_t> site_factor;
  std::optional<std::uint32_t> priority;  // 0: held
  std::optional<Second> time_limit;
  std::vector<std::string> partitions;
};

// Of jobs (the news says of which one), or of a partition.
struct Update {
  JobChange change;
  std::optional<QueueId> partition;
  std::vector<std::pair<std::string, std::string>> settings;  // of the partition, under slurm.conf's names
};

// Set what scontrol calls `name`, in any case of letters. Return what is wrong with it, "" if nothing: not followed, or
// no such value.
std::string set(JobChange& change, std::string_view name, std::string_view value);
// The same for a partition of which `partition` is a copy.
std::string set(Update& update, const Partition& partition, std::string_view name, std::string_view value);

}  // namespace headroom::slurm
