// A design as rules see it: clusters, node groups, queues, launch templates and what EC2 printed, wherever in the files
// they stand. Hides the shapes of the files - a scenario, input and output of the PCS API, with or without the
// outermost key, EC2 - and who refers to whom. Promises that every Part may be absent or of a wrong type without harm.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/check/rules/part.hpp"
#include "models/check/rules/violation.hpp"
#include "models/scenario/options.hpp"

namespace headroom::rules {

enum class Shape : std::uint8_t {
  create,    // input of a create call
  update,    // input of an update call: what is absent stays as it is
  got,       // as a get call prints it
  listed,    // a line of a list call: name, id and status only
  scenario,  // part of a scenario: the API's shape, but only what a run needs
};

// A cluster, a compute node group or a queue.
struct Resource {
  Shape shape{};
  Part part;
  Part name_at;
  std::string name;
  std::string id;
  std::string status;                // "": not told
  std::string cluster;               // of a group or queue: the cluster's name or id, "" where not told
  const OptionNode* keys = nullptr;  // its place in the table of options: the members that the API has
  bool names(std::string_view identifier) const {
    return !identifier.empty() && (identifier == name || identifier == id);
  }
};

struct LaunchTemplate {
  Part data;
  Part name_at;
  std::string name;
  std::string id;
  std::string stem;                     // of its file's name
  std::optional<std::int64_t> version;  // none: the only one
  bool is_default = false;
  bool is_input = false;  // of CreateLaunchTemplate: somebody is about to make it
};

struct Design {
  std::optional<Part> scenario;       // the root, if this is one
  std::optional<bool> newer_edition;  // said, not inferred: 2026-08 or 2024-12
  std::vector<Resource> clusters;
  std::vector<Resource> groups;
  std::vector<Resource> queues;
  std::vector<LaunchTemplate> templates;
  // By id; placement groups by name, too.
  std::map<std::string, Part, std::less<>> security_groups;
  std::map<std::string, Part, std::less<>> subnets;
  std::map<std::string, Part, std::less<>> vpcs;
  std::map<std::string, Part, std::less<>> placement_groups;
  std::map<std::string, Part, std::less<>> images;
};

// Adds what the file holds. Nothing is added, and the answer says what was expected, when its keys are not known; the
// answer is empty otherwise. What a known file lacks goes to `violations` (api-shape).
std::string add_file(Design& design, const Part& root, std::string_view stem, Violations& violations);
bool is_scenario(const JsonValue& root);
// A scenario is a design of its own; `known` is what EC2 printed into other files.
Design scenario_design(const Part& root, const Design& known);

// Whether the newer edition of PCS's rules holds for a cluster, and what belongs to it.
bool is_newer(const Design& design, const Resource* cluster);

// Who refers to whom; built once, when all files are added.
class Links {
 public:
  explicit Links(const Design& design);
  const Resource* cluster_of(const Resource& resource) const;  // nullptr: not in the files
  // Groups whose name or id the queue gives, and those which it gives that are not in the files.
  const Resource* group_named(const Resource& queue, const std::string& identifier) const;
  std::vector<const Resource*> groups_of(const Resource& cluster) const;
  std::vector<const Resource*> queues_of(const Resource& group) const;
  // The version that the group names; nullptr: not in the files, or none is named.
  const LaunchTemplate* template_of(const Resource& group) const;
  // Groups that use it.
  std::vector<const Resource*> users_of(const LaunchTemplate& launch_template) const;
  std::vector<const LaunchTemplate*> versions_of(const Resource& group) const;

 private:
  const Design& design_;
  std::map<std::string, std::vector<const Resource*>, std::less<>> clusters_;  // by name and by id
  std::map<std::string, std::vector<const Resource*>, std::less<>> groups_;
  std::map<const Resource*, std::vector<const Resource*>> groups_of_;
  std::map<const Resource*, std::vector<const Resource*>> queues_of_;
  std::map<std::string, std::vector<const LaunchTemplate*>, std::less<>> templates_;  // by id, name and stem
  std::map<const LaunchTemplate*, std::vector<const Resource*>> users_of_;
};

// Zones of the group's subnets that are known, each once.
std::vector<std::string> zones_of(const Design& design, const Resource& group);
bool is_efa(const Part& network_interface);
bool has_efa(const LaunchTemplate& launch_template);

}  // namespace headroom::rules
