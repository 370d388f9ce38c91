// The latency between every two hosts as a picture (SVG), so that a slow host shows as a cross, a slow pair as a spot
// and the network tree as blocks. Hosts stand in the order of the network topology where it is known: those below one
// network node side by side, with lines between the network nodes.
#pragma once

#include <optional>
#include <string>

#include "models/network/topology_file.hpp"
#include "models/validate/validation.hpp"

namespace headroom::validate {

// Valid XML without scripts or outside references. Without any measured pair the picture says so.
std::string heat_map_svg(const Validation& validation, const std::optional<TopologyFile>& topology);

// Indices into validation.hosts in the order of the picture.
std::vector<std::size_t> heat_map_order(const Validation& validation, const std::optional<TopologyFile>& topology);

}  // namespace headroom::validate
