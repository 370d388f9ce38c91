// The rules themselves, by what they are about. Every function adds what it finds wrong in one design and never fails.
#pragma once

#include "models/check/rules/design.hpp"
#include "models/check/rules/violation.hpp"
#include "models/scenario/pcs_limits.hpp"

namespace headroom::rules {

void check_clusters(const Design& design, const Links& links, Violations& violations);          // PCS-1 to 9
void check_groups(const Design& design, const Links& links, Violations& violations);            // PCS-10 to 26, 50
void check_queues(const Design& design, const Links& links, Violations& violations);            // PCS-18, 21, 30, 33
void check_launch_templates(const Design& design, const Links& links, Violations& violations);  // PCS-40 to 56

// Of any of the three resources of the API.

// Members that the API does not have, wrong types, and (`required`, in create input) members that are missing.
void check_shape(const Resource& resource, std::span<const std::string_view> required, Violations& violations);
void check_names(const std::vector<Resource>& resources, const Links& links, std::size_t longest, std::string_view rule,
                 Violations& violations);

// Custom Slurm settings by name, each once; unknown and repeated ones are violations of `rule`.
std::map<std::string, Part> check_settings(const Part& slurm_configuration, std::span<const CustomSetting> known,
                                           bool newer, std::string_view rule, Violations& violations);
// scaleDownIdleTimeInSeconds (PCS-6).
void check_idle_time(const Part& at, std::int64_t least, Violations& violations);

}  // namespace headroom::rules
