#include "models/check/rules/rule.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "engine/types.hpp"

namespace headroom::rules {
namespace {

using enum Severity;
using enum Basis;

constexpr std::string_view kInvalid = "ValidationException";
constexpr std::string_view kConflict = "ConflictException";
constexpr std::string_view kNotFound = "ResourceNotFoundException";

// clang-format off
constexpr Rule kRules[] = {
  {"PCS-1", error, kInvalid, "Name of a cluster: letters, digits, hyphens, a letter first, 3 to 40 characters; unique in its account and Region.",
   files, "clusters, scenarios; the same name twice: ConflictException", "Choose another name."},
  {"PCS-2", error, kInvalid, "The scheduler is Slurm, in a version of the edition.",
   files, "clusters, updates of clusters, scenarios", "Use SLURM in a version that the edition has."},
  {"PCS-3", error, "", "SMALL has up to 32 instances and 256 jobs, MEDIUM 512 and 8192, LARGE 2048 and 16384; fixed at creation.",
   files, "clusters with their node groups, updates of clusters, scenarios; the limit of jobs: the engine, in a run",
   "Lower maxInstanceCount of the groups, or create a larger cluster."},
  {"PCS-4", error, kConflict, "One cluster at most is CREATING in an account and Region; the default quota is 5 clusters.",
   files, "clusters as get-cluster and list-clusters print them; over the quota: a warning, ServiceQuotaExceededException",
   "Wait until the other cluster is ACTIVE."},
  {"PCS-5", error, kInvalid, "A cluster has one subnet, with a free address, in a common zone and a VPC of default tenancy, and a security group.",
   files, "clusters; with describe-subnets and describe-vpcs also the subnet's zone, free addresses and tenancy",
   "Give exactly one subnet and at least one security group."},
  {"PCS-6", error, kInvalid, "scaleDownIdleTimeInSeconds is 1 to 10000000; in edition 2026-08 also of node groups, where -1 takes the cluster's.",
   files, "clusters, node groups, their updates, scenarios", "Give a number of seconds in these bounds."},
  {"PCS-7", error, kInvalid, "Custom Slurm settings of a cluster are those that the edition has; SelectTypeParameters is CR_CPU or CR_CPU_Memory; Prolog and Epilog are directories.",
   files, "clusters, updates of clusters, scenarios", "Use a setting and a value that PCS takes."},
  {"PCS-8", error, kConflict, "A cluster is deleted only when it has no queues and no compute node groups.",
   files, "a cluster that is DELETING beside groups or queues that are not", "Delete the cluster's queues and groups first."},
  {"PCS-9", error, kConflict, "Node groups and queues are created on an ACTIVE cluster only.",
   files, "create-compute-node-group and create-queue input beside the cluster as get-cluster prints it", "Wait until the cluster is ACTIVE."},
  {"PCS-10", error, kInvalid, "Name of a compute node group: letters, digits, hyphens, a letter first, 3 to 25 characters; unique in the cluster.",
   files, "node groups, scenarios; the same name twice: ConflictException", "Choose another name."},
  {"PCS-11", error, kInvalid, "A group is static (minimum = maximum > 0) or dynamic (minimum 0 < maximum); a mix needs edition 2026-08.",
   files, "node groups, their updates, scenarios", "Make both counts equal (static), or the minimum 0 (dynamic)."},
  {"PCS-12", error, kInvalid, "All instance types of a group have the same architecture, vCPUs and GPUs.",
   files, "node groups, scenarios; facts from the catalog of instance types", "Put types that differ into groups of their own."},
  {"PCS-13", error, kInvalid, "Name and instance types of a group do not change after its creation.",
   files, "update-compute-node-group input", "Create another group and move the queues to it."},
  {"PCS-14", error, kInvalid, "The purchase option is ONDEMAND or SPOT (2026-08 also CAPACITY_BLOCK, INTERRUPTIBLE_CAPACITY_RESERVATION), spotOptions names a Spot allocation strategy.",
   files, "node groups, their updates, scenarios; types never sold as Spot from the catalog; spotOptions without SPOT: a warning", "Choose one that the edition has."},
  {"PCS-15", warning, "", "Nodes of a group in several subnets have no EFA between them, and latency between them may rise.",
   files, "node groups, scenarios; with an EFA launch template it is PCS-51, an error", "Give one subnet where nodes talk much to each other."},
  {"PCS-16", error, kInvalid, "Slurm settings of a group are those that the edition has; Weight is a number, RealMemory at most what the instances have and used with CR_CPU_Memory.",
   files, "node groups, their updates, scenarios; RealMemory without CR_CPU_Memory: a warning", "Give a whole number, as a string."},
  {"PCS-17", error, "", "ThreadsPerCore is 1: a node offers its physical cores.",
   run, "the engine; a launch template that says otherwise is PCS-40", ""},
  {"PCS-18", error, kConflict, "A group is ACTIVE before a queue may use it.",
   files, "queues beside the groups as get-compute-node-group prints them", "Wait until the group is ACTIVE."},
  {"PCS-19", error, "", "An update of a group replaces running nodes when they are idle.", run, "operations of a scenario", ""},
  {"PCS-20", error, "", "A lower maximum removes nodes; jobs on them return to their queues.", run, "operations of a scenario", ""},
  {"PCS-21", error, kConflict, "A group is removed from every queue before it is deleted.",
   files, "a group that is DELETING beside a queue that names it; operations of a scenario: in a run", "Update the queue without the group first."},
  {"PCS-22", error, kInvalid, "Spot needs the account's service-linked role for EC2 Spot.", none, "no file of a design shows the account's roles", ""},
  {"PCS-23", error, "", "Nodes are named GROUP-1 and so on; one being launched is CF.", run, "views and tables of a run", ""},
  {"PCS-24", error, "", "An instance that reboots or stops is replaced, its job requeued.", run, "faults of a scenario", ""},
  {"PCS-25", warning, "", "A group in no queue is a login group: static and on demand.",
   files, "node groups beside the queues of their cluster, scenarios; static groups keep their instances: in a run",
   "Add the group to a queue, or make it static and ONDEMAND."},
  {"PCS-26", error, kInvalid, "The name of the instance profile's role starts with AWSPCS, or its path contains /aws-pcs/.",
   files, "node groups, their updates; the role's permissions cannot be told", "Rename the role, or give it the path /aws-pcs/."},
  {"PCS-30", error, kInvalid, "Name of a queue as of a group; its groups are named by id, and exist; its Slurm settings are those that the edition has.",
   files, "queues, their updates, scenarios; an unknown group: ResourceNotFoundException", "Name groups by the id that get-compute-node-group prints."},
  {"PCS-31", error, "", "An update of a queue leaves running jobs alone.", run, "operations of a scenario", ""},
  {"PCS-32", error, "", "Deleting a queue ends its jobs.", run, "operations of a scenario", ""},
  {"PCS-33", warning, "", "A job that no group of its queue could ever hold does not run.",
   files, "workload.jobs of a scenario whose nodes are more than the queue's groups have; every job in a run", "Ask for fewer nodes, or raise maxInstanceCount."},
  {"PCS-40", warning, "", "What the service manages is ignored in a launch template: InstanceRequirements, InstanceType, IamInstanceProfile, DisableApiTermination, DisableApiStop, HibernationOptions, ElasticGpuSpecifications, ElasticInferenceAccelerators, ThreadsPerCore.",
   files, "launch templates", "Remove it; the node group says what the service needs."},
  {"PCS-41", error, "", "UserData is a MIME multi-part archive, in base64.", files, "launch templates",
   "Put the script into a part of a multipart/mixed archive, and encode that in base64."},
  {"PCS-42", error, "", "No security groups by name; SecurityGroupIds only without NetworkInterfaces; otherwise Groups on every interface.", files, "launch templates",
   "List ids of security groups: in SecurityGroupIds, or with NetworkInterfaces in Groups of each."},
  {"PCS-43", error, "", "Of the interfaces one has DeviceIndex 0 and the others 1, each has its own NetworkCardIndex, all have one SubnetId, the group's.",
   files, "launch templates, with node groups also the subnet; cards out of sequence: a warning", "Number the interfaces and give all of them the group's subnet."},
  {"PCS-44", error, "", "A launch template names a group of capacity reservations, not one reservation; Capacity Blocks need edition 2026-08.", files, "launch templates",
   "Put the reservation into a group and name it in CapacityReservationTarget.CapacityReservationResourceGroupArn."},
  {"PCS-45", error, "", "Launch templates named pcs-*-do-not-delete belong to the service.", files, "launch templates, node groups that use them", "Use a launch template of your own."},
  {"PCS-46", error, "", "The AMI comes from the group or from its launch template.", files, "node groups with their launch templates", "Give amiId on the group, or ImageId in the launch template."},
  {"PCS-47", warning, "", "Security groups let members talk to each other: on all ports, or at least 6817, 6818 and 60001-63000.",
   files, "clusters and launch templates with describe-security-groups that holds all of their groups", "Add a rule that lets the group's members reach each other."},
  {"PCS-50", error, "", "Every instance type of an EFA group supports EFA.", files, "node groups with their launch templates; facts from the catalog", "Use types that `headroom catalog` lists with EFA."},
  {"PCS-51", error, kInvalid, "EFA works inside one subnet only.", files, "node groups with EFA launch templates", "Give the group one subnet."},
  {"PCS-52", error, "", "Every EFA interface has a security group that allows all traffic from and to itself.",
   files, "launch templates; the rules of the groups with describe-security-groups", "Add the EFA security group to Groups of every EFA interface."},
  {"PCS-53", error, "", "One EFA at most on a network card, and no more than the instance type takes.", files, "launch templates; with node groups also the number; facts from the catalog",
   "Give each EFA interface a card of its own, and no more of them than the type has."},
  {"PCS-54", warning, "", "An EFA group has a cluster placement group of its own.", files, "launch templates, node groups, placement groups", "Create a cluster placement group and name it in Placement."},
  {"PCS-55", error, "", "A placement group is a cluster in one zone, at most 7 partitions in a zone, or spread over at most 7 instances in a zone.",
   files, "placement groups, with the node groups that use them", "Lower the counts, or choose another strategy."},
  {"PCS-56", warning, "", "The AMI of an EFA group carries the EFA driver.", files, "node groups with EFA launch templates; known of PCS sample AMIs in describe-images, and where UserData installs EFA",
   "Use an AMI with the EFA driver, and hand over `aws ec2 describe-images` of it."},
  {"PCS-60", error, "", "Open capacity reservations serve any matching launch, targeted ones only through their group.", run, "the simulated EC2", ""},
  {"PCS-61", error, "", "A reservation is billed used or not.", run, "costs of a run", ""},
  {"PCS-62", error, "", "EC2 quotas and throttling apply to the account.", run, "the simulated EC2", ""},
  {"PCS-70", error, "", "Capacity metrics each minute.", run, "what a run writes", ""},
  {"PCS-71", error, "", "Scheduler log records are JSON.", run, "what a run writes", ""},
  {"PCS-72", error, "", "A scaling event for each transition of an instance.", run, "what a run writes", ""},
  {"api-shape", error, kInvalid, "A file has the members, types and values that the API has.", files, "clusters, node groups, queues and EC2 files", "Give what the API expects."},
  {"api-reference", error, kNotFound, "What a file names exists.", files, "versions of launch templates that describe-launch-template-versions does not list", "Name one that exists."},
  {"instance-type", warning, "", "Instance types are in the catalog.", files, "node groups; scenarios, where it is an error: a run needs its facts; nothing else is checked of an unknown type", "See `headroom catalog`."},
  {"scenario", error, "", "A scenario is one that `headroom run` takes.", files, "scenarios", "See docs/scenario.md."},
};
// clang-format on

}  // namespace

std::string_view name_of(Severity severity) { return severity == error ? "error" : "warning"; }

std::span<const Rule> all_rules() { return kRules; }

bool is_rule(std::string_view id) {
  return std::any_of(std::begin(kRules), std::end(kRules), [&](const Rule& rule) { return rule.id == id; });
}

const Rule& rule_named(std::string_view id) {
  const auto* const found =
      std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& rule) { return rule.id == id; });
  ensure(found != std::end(kRules), "a rule stands in the table");
  return *found;
}

std::string rules_markdown() {
  std::string text = "| rule | what | severity | the API answers | checked from |\n|---|---|---|---|---|\n";
  for (const Rule& rule : kRules) {
    const std::string_view by = rule.basis == files ? ""
                                : rule.basis == run ? "not from files; a run: "
                                                    : "not decidable: ";
    text += fmt::format("| `{}` | {} | {} | {} | {}{} |\n", rule.id, rule.title,
                        rule.basis == files ? name_of(rule.severity) : "-",
                        rule.exception.empty() ? "-" : rule.exception, by, rule.how);
  }
  return text;
}

}  // namespace headroom::rules
