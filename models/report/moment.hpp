// A run as it stands at one time: what the tables of queue and nodes are made from. Looking changes nothing.
#pragma once

#include "engine/cluster.hpp"
#include "models/report/run_record.hpp"
#include "models/scenario/design.hpp"
#include "models/workload/workload.hpp"

namespace headroom {

namespace slurm {
struct State;
}

struct Moment {
  Time at;
  bool over;  // nothing happens any more, at or after this time
  const JobTable& jobs;
  const Cluster& cluster;
  const RunRecord& record;
  const slurm::State* slurm;  // what slurmctld knows; null: another policy decides, or nothing has happened yet
  const Scenario& scenario;
  const Design& design;
  const Workload& workload;
};

}  // namespace headroom
