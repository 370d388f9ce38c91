// The nodes at one time, as sinfo prints them without options: format "%#P %.5a %.10l %.6D %.6t %N", one line for the
// nodes of a partition in one state, partitions in their order and states with the highest of Slurm's numbers first
// (sinfo(1)). The flags behind a state are sinfo's: ~ powered down, # powering up, % powering down, ! power down asked
// for, * not responding, - planned.
#pragma once

#include <string>
#include <vector>

#include "models/report/moment.hpp"

namespace headroom {

struct NodeRow {
  QueueId queue{0};
  std::string time_limit;  // the longest that jobs of the partition may ask for; "infinite"
  std::int32_t nodes = 0;
  std::string state;  // with its flag: "alloc#"
  std::string node_list;
};

std::vector<NodeRow> node_rows(const Moment& moment);
std::string node_table(const std::vector<NodeRow>& rows, const Design& design);
std::string node_json(const std::vector<NodeRow>& rows, const Design& design);  // an array

// Where a state of sinfo stands among others, for tests: higher comes first.
std::int64_t state_rank(std::string_view state);

}  // namespace headroom
