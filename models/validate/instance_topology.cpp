#include "models/validate/instance_topology.hpp"

#include "models/scenario/document.hpp"

namespace headroom::validate {

std::size_t InstanceTopology::hops(const std::string& a, const std::string& b) const {
  const auto first = network_nodes.find(a);
  const auto second = network_nodes.find(b);
  if (first == network_nodes.end() || second == network_nodes.end()) return 0;
  const std::vector<std::string>& up = first->second;
  const std::vector<std::string>& down = second->second;
  if (up.size() != down.size()) return 0;
  std::size_t shared = 0;
  while (shared < up.size() && up[shared] == down[shared]) ++shared;
  return 2 * (up.size() - shared + 1);
}

InstanceTopology read_instance_topology(std::string_view text, const std::string& source) {
  Problems problems({source});
  const std::optional<JsonValue> root = read_json(text, 0, problems);
  if (!root) problems.raise();
  InstanceTopology topology;
  const JsonValue* instances = root->find("Instances");
  if (instances == nullptr || instances->kind != JsonValue::Kind::array) {
    problems.add(root->where, "Instances",
                 "expected the list that aws ec2 describe-instance-topology --output json prints");
    problems.raise();
  }
  for (std::size_t i = 0; i < instances->items.size() && !problems.full(); ++i) {
    const JsonValue& instance = instances->items[i];
    const std::string path = "Instances[" + std::to_string(i) + "]";
    const JsonValue* id = instance.find("InstanceId");
    const JsonValue* nodes = instance.find("NetworkNodes");
    if (id == nullptr || id->kind != JsonValue::Kind::string) {
      problems.add(instance.where, path + ".InstanceId", "expected an instance's id");
      continue;
    }
    if (nodes == nullptr || nodes->kind != JsonValue::Kind::array || nodes->items.empty()) {
      problems.add(instance.where, path + ".NetworkNodes", "expected a list of network nodes");
      continue;
    }
    std::vector<std::string> path_down;
    for (const JsonValue& node : nodes->items) {
      if (node.kind != JsonValue::Kind::string) {
        problems.add(node.where, path + ".NetworkNodes", describe_found(node) + ": expected a network node's id");
      }
      path_down.push_back(node.text);
    }
    if (!topology.network_nodes.emplace(id->text, std::move(path_down)).second) {
      problems.add(instance.where, path + ".InstanceId", quote(id->text) + ": given twice");
    }
  }
  if (!problems.empty()) problems.raise();
  return topology;
}

}  // namespace headroom::validate
