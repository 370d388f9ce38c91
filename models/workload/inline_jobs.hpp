// The jobs written into a scenario (workload.jobs), turned into requests with sbatch's meaning of the
// options.
#pragma once

#include <string>
#include <vector>

#include "models/scenario/scenario.hpp"
#include "models/workload/workload.hpp"

namespace headroom {

// Requested time of a job that gives none: sbatch's would be unlimited.
inline constexpr Time kNoTimeLimit = 365 * 24 * kHour;

// Jobs by submit time, then as written; job_names is parallel to jobs, and WorkloadJob::number is the
// position as written (from 1), which is also the name of a job without id. `queue_names` in the order of
// QueueId; a job without queue goes to the first.
//
//   nodes given                    that many nodes with tasks_per_node cores each (1); with cpus as well,
//                                  ceil(cpus / nodes) cores each
//   cpus and tasks_per_node        ceil(cpus / tasks_per_node) nodes
//   tasks_per_node alone           one node
//   cpus alone, or nothing         cpus (1) cores wherever they are
//
// exclusive is passed on: without nodes, as many whole nodes as the cores take.
//
// `for_slurm`: the layout is sbatch's to the letter (tasks, or cpus as tasks of one core, are spread over the nodes,
// which need not get equal shares), and what else sbatch takes becomes the jobs' terms. An array becomes its tasks,
// named ID_n, which come together.
//
// Throws InputError `file:line: ...` for an id that comes twice, an unknown queue, cpus that do not fit
// on nodes x tasks_per_node, and a dependency on a job that is not there before.
Workload inline_workload(const std::vector<InlineJob>& jobs, const std::vector<std::string>& queue_names,
                         const std::string& file, bool for_slurm = false);

}  // namespace headroom
