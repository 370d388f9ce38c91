#include <cstdio>
#include <optional>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "models/errors.hpp"
#include "models/network/topology_report.hpp"

namespace headroom {

int show_topology(const TopologyArguments& arguments, const Output& output) {
  const TopologyFile file = read_topology(arguments.files);
  std::vector<std::string> remarks = file.remarks;
  std::string out;
  if (arguments.slurm) {
    std::optional<NodeNames> names;
    if (!arguments.nodes.empty()) names = read_node_names(arguments.nodes);
    out = slurm_topology(file, names ? &*names : nullptr, remarks);
  } else if (arguments.scenario) {
    out = fabrics_json(file);
  } else if (output.format == "json") {
    out = topology_json(file);
  } else if (output.format == "csv") {
    out = topology_csv(file);
  } else {
    out = topology_text(file);
  }
  if (!output.quiet) {
    for (const std::string& remark : remarks) fmt::print(stderr, "{}\n", remark);
  }
  return print_text(out);
}

}  // namespace headroom
