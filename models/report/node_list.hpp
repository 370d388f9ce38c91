// Names of a job's nodes in Slurm's compressed form: compute-[1-3,7].
#pragma once

#include <string>

#include "models/report/run_record.hpp"
#include "models/scenario/design.hpp"

namespace headroom {

class NodeLists {
 public:
  explicit NodeLists(const Design& design);
  void append(std::string& out, std::span<const HeldShare> shares) const;

 private:
  const Design& design_;
  std::vector<std::uint32_t> group_first_;  // nodes of a group have successive ids
};

}  // namespace headroom
