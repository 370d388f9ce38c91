// Rules of AWS PCS that the parser of scenarios and the checker of designs (models/check/rules) both hold their input
// to. Every *_problem function answers "" when there is none, and otherwise what was found and what was expected, with
// the rule's id in brackets.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "models/scenario/scenario.hpp"

namespace headroom {

// Names of clusters, compute node groups and queues (PCS-1, PCS-10, PCS-30).
std::string name_problem(std::string_view name, std::size_t longest, std::string_view rule);

inline constexpr std::size_t kLongestClusterName = 40;  // PCS-1
inline constexpr std::size_t kLongestName = 25;         // of a group or a queue: PCS-10, PCS-30

// Versions of Slurm, the newest last, in edition 2026-08 (`newer`) or 2024-12 (PCS-2).
std::span<const std::string_view> slurm_versions(bool newer);
std::string version_problem(std::string_view version, bool newer);

struct SizeLimit {
  std::string_view name;
  ClusterSize size;
  ClusterLimits limits;
};
std::span<const SizeLimit> cluster_sizes();          // PCS-3, the smallest first
const SizeLimit* size_named(std::string_view name);  // nullptr if there is none
// `instances`: what the groups of the cluster may have together.
std::string size_problem(const SizeLimit& size, std::int64_t instances);

std::string scaling_problem(std::int64_t minimum, std::int64_t maximum, bool newer);  // PCS-11

// What PCS lets users set of slurm.conf, as the AWS PCS User Guide lists it (Slurm custom settings). 2024-12: three
// names for clusters (PCS-7), two for groups (PCS-16), none for queues. What becomes of each is slurm::use_of's to say.
struct CustomSetting {
  std::string_view name;
  bool older = false;  // of edition 2024-12, too
};
std::span<const CustomSetting> cluster_settings();
std::span<const CustomSetting> group_settings();
std::span<const CustomSetting> queue_settings();

}  // namespace headroom
