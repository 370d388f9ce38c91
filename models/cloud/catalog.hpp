// The instance catalog: facts of EC2 instance types and their on-demand prices, compiled in. Sources and gaps stand at
// the head of catalog.csv.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace headroom {

struct InstanceType {
  std::string name;
  std::string arch;  // x86_64 or arm64
  std::int32_t vcpus = 0;
  std::int32_t cores = 0;  // physical: what a PCS node offers (PCS-17)
  std::int64_t memory_mib = 0;
  std::int32_t gpus = 0;
  std::string gpu_model;
  std::int32_t efa_interfaces = 0;  // 0: no EFA
  double network_gbps = 0;          // baseline
  bool spot = false;
  std::vector<std::pair<std::string, double>> usd_per_hour;  // on demand, Linux, by region

  std::optional<double> price_usd_per_hour(std::string_view region) const;
};

// Nothing if there is no such type.
std::optional<InstanceType> find_instance_type(std::string_view name);

// Why a compute node group cannot have both (PCS-12), as part of a sentence; "" if it can.
std::string why_not_together(const InstanceType& a, const InstanceType& b);

// All types in byte order of their names.
std::vector<InstanceType> all_instance_types();

}  // namespace headroom
