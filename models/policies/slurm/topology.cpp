#include "models/policies/slurm/topology.hpp"

#include <algorithm>
#include <map>

#include "models/errors.hpp"
#include "models/policies/slurm/settings.hpp"

namespace headroom::slurm {
namespace {

// The parent of each switch, its own number at the top. `problem` says what is wrong.
std::vector<std::size_t> parents(const std::vector<SwitchSettings>& settings, std::string& problem) {
  std::map<std::string, std::size_t> of;
  std::vector<std::size_t> parent;
  for (std::size_t s = 0; s < settings.size(); ++s) {
    of.emplace(settings[s].name, s);
    parent.push_back(s);
  }
  for (std::size_t s = 0; s < settings.size() && problem.empty(); ++s) {
    if (settings[s].switches.empty()) continue;
    const std::vector<std::string> below = expand_hostlist(settings[s].switches);
    if (below.empty()) problem = settings[s].name + ": Switches " + wrong(settings[s].switches, "a list of switches");
    for (const std::string& name : below) {
      const auto at = of.find(name);
      if (at == of.end()) {
        problem = settings[s].name + ": there is no switch " + quote(name);
      } else if (parent[at->second] != at->second || at->second == s) {
        problem = quote(name) + " is below two switches, or below itself";
      } else {
        parent[at->second] = s;
      }
      if (!problem.empty()) break;
    }
  }
  for (std::size_t s = 0; s < settings.size() && problem.empty(); ++s) {
    std::size_t at = s;
    for (std::size_t steps = 0; parent[at] != at; at = parent[at]) {
      if (++steps > settings.size()) {
        problem = quote(settings[s].name) + " is above itself";
        break;
      }
    }
  }
  return parent;
}

}  // namespace

std::string Topology::check(const std::vector<SwitchSettings>& settings, const std::vector<std::string>& node_names) {
  for (const SwitchSettings& s : settings) {
    if (s.nodes.empty() == s.switches.empty()) return s.name + ": Nodes or Switches was expected, one of the two";
    if (s.nodes.empty()) continue;
    const std::vector<std::string> nodes = expand_hostlist(s.nodes);
    if (nodes.empty()) return s.name + ": Nodes " + wrong(s.nodes, "a list of nodes such as n[01-04]");
    for (const std::string& name : nodes) {
      if (std::find(node_names.begin(), node_names.end(), name) == node_names.end()) {
        return s.name + ": there is no node " + quote(name);
      }
    }
  }
  std::string problem;
  parents(settings, problem);
  return problem;
}

Topology::Topology(const std::vector<SwitchSettings>& settings, const NodeTable& table) {
  std::string problem;
  parent_ = parents(settings, problem);
  ensure(problem.empty(), "the topology was checked");
  level_.assign(settings.size(), 0);
  nodes_.assign(settings.size(), NodeBits(table.size()));
  for (std::size_t s = 0; s < settings.size(); ++s) {
    if (settings[s].nodes.empty()) continue;
    const std::vector<std::string> names = expand_hostlist(settings[s].nodes);
    for (Index n = 0; n < table.size(); ++n) {
      if (std::find(names.begin(), names.end(), table[n].name) != names.end()) nodes_[s].set(n);
    }
    std::int32_t level = 0;
    for (std::size_t at = s; parent_[at] != at;) {
      at = parent_[at];
      level_[at] = std::max(level_[at], ++level);
      nodes_[at] |= nodes_[s];
    }
  }
  distance_.assign(size() * size(), kNotConnected);
  for (std::size_t a = 0; a < size(); ++a) {
    std::int32_t up = 0;
    for (std::size_t above = a;; above = parent_[above], ++up) {
      for (std::size_t b = 0; b < size(); ++b) {
        std::int32_t down = 0;
        std::size_t at = b;
        while (at != above && parent_[at] != at) {
          at = parent_[at];
          ++down;
        }
        if (at == above) distance_[a * size() + b] = std::min(distance_[a * size() + b], up + down);
      }
      if (parent_[above] == above) break;
    }
  }
}

}  // namespace headroom::slurm
