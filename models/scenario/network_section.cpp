#include "models/scenario/network_section.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace headroom {
namespace {

constexpr std::size_t kMostLayers = 4;
constexpr std::int64_t kMostSlots = 1'000'000;

FabricDesign read_fabric(const Section& section, const std::vector<SubnetDesign>& subnets, Problems& problems) {
  const auto add = [&](std::string_view key, std::string_view text) {
    problems.add(section.where(key), section.path_of(key), text);
  };
  FabricDesign fabric;
  fabric.instance_type = section.string("instanceType").value_or("*");
  const auto star = fabric.instance_type.find('*');
  if (star != std::string::npos && star + 1 != fabric.instance_type.size()) {
    add("instanceType",
        fmt::format("found {}, expected an instance type, a beginning and *, or *", quote(fabric.instance_type)));
  }
  fabric.zone = section.string("availabilityZone").value_or("");
  const bool known = std::any_of(subnets.begin(), subnets.end(), [&](const SubnetDesign& subnet) {
    return fabric.zone.empty() || subnet.zone == fabric.zone;
  });
  if (!known) {
    add("availabilityZone", fabric.zone.empty() ? "no zone is known; expected subnets with their zones"
                                                : fmt::format("no subnet is in {}", quote(fabric.zone)));
  }
  fabric.occupied = section.number("occupied").value_or(0);
  fabric.correlation = section.number("correlation").value_or(0);
  fabric.hold_time = section.duration("holdTime").value_or(kNever);
  fabric.fill = section.string("fill") == "packed" ? FabricDesign::Fill::packed : FabricDesign::Fill::random;

  std::int64_t slots = section.integer("slotsPerLeaf").value_or(1);
  fabric.slots_per_leaf = section.count("slotsPerLeaf").value_or(1);
  if (const JsonValue* const layers = section.find("layers"); layers != nullptr) {
    for (const JsonValue& layer : layers->items) {
      if (layer.kind != JsonValue::Kind::integer || layer.integer < 1 || layer.integer > kMostSlots) continue;
      fabric.layers.push_back(static_cast<std::int32_t>(layer.integer));
      slots = std::min(slots * layer.integer, kMostSlots + 1);
    }
  }
  if (fabric.layers.size() > kMostLayers) {
    add("layers", fmt::format("found {} layers, expected {} at most", fabric.layers.size(), kMostLayers));
  }
  if (slots > kMostSlots) add("layers", fmt::format("more than {} slots in all", kMostSlots));
  // What was refused stays small.
  if (fabric.layers.empty() || fabric.layers.size() > kMostLayers || slots > kMostSlots) fabric.layers = {1};
  const auto layers = static_cast<std::int32_t>(fabric.layers.size());
  fabric.segment_layer = section.count("segmentLayer").value_or(std::max(1, layers - 1));
  if (fabric.segment_layer > layers) {
    add("segmentLayer", fmt::format("found {}, but there are {} layers", fabric.segment_layer, layers));
    fabric.segment_layer = layers;
  }
  return fabric;
}

}  // namespace

std::int32_t read_efa_interfaces(const Section& launch_template, Problems& problems) {
  const JsonValue* const interfaces = launch_template.find("NetworkInterfaces");
  if (interfaces == nullptr) return 0;
  const std::string path = launch_template.path_of("NetworkInterfaces");
  if (interfaces->kind != JsonValue::Kind::array) {
    problems.add(interfaces->where, path, fmt::format("found {}, expected an array", describe_found(*interfaces)));
    return 0;
  }
  return static_cast<std::int32_t>(
      std::count_if(interfaces->items.begin(), interfaces->items.end(), [](const JsonValue& each) {
        const JsonValue* const type = each.kind == JsonValue::Kind::object ? each.find("InterfaceType") : nullptr;
        return type != nullptr && type->text.starts_with("efa");
      }));
}

void read_fabrics(const Section& network, const std::vector<SubnetDesign>& subnets,
                  const std::vector<ReservationDesign>& reservations, Problems& problems, NetworkOptions& options) {
  for (const Section& fabric : network.elements("fabrics")) {
    if (problems.full()) return;
    options.fabrics.push_back(read_fabric(fabric, subnets, problems));
  }
  const std::string scope = network.string("placementScope").value_or("");
  options.placement_scope = scope == "queue" ? PlacementScope::queue
                            : scope == "job" ? PlacementScope::job
                                             : PlacementScope::group;
  const auto inside = std::find_if(reservations.begin(), reservations.end(), [](const ReservationDesign& each) {
    return !each.reservation.placement_group.empty();
  });
  if (options.placement_scope != PlacementScope::group && inside != reservations.end()) {
    problems.add(
        network.where("placementScope"), network.path_of("placementScope"),
        fmt::format("found {}, but reservation {} is inside a placement group that all launches share; expected "
                    "\"group\"",
                    quote(scope), quote(inside->reservation.id)));
  }
}

}  // namespace headroom
