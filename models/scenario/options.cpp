#include "models/scenario/options.hpp"

#include <algorithm>

namespace headroom {
namespace {

using enum OptionType;
using enum OptionUse;

constexpr std::int64_t kMaxCount = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMaxMessageBytes = 1'000'000'000'000;

constexpr std::string_view kApiPrints = "Accepted because the PCS API prints or takes it; no effect.";

// clang-format off
constexpr Option kOptions[] = {
  {.path = "", .type = object, .help = "A Headroom scenario: one run's complete input."},
  {.path = "$schema", .type = string, .help = "Where an editor finds the JSON Schema; no effect."},
  {.path = "name", .type = string, .fallback = "\"\"", .help = "Title of the run in summaries and reports."},
  {.path = "description", .type = string, .help = "What the scenario shows; no effect."},
  {.path = "seed", .type = integer, .fallback = "1",
   .help = "Seed of every random draw: the same seed gives the same run."},
  {.path = "region", .type = string, .fallback = "\"us-east-1\"", .minimum = 1,
   .help = "AWS Region; decides prices and which instance types exist."},
  {.path = "pcsEdition", .type = choice, .fallback = "\"2024-12\"", .choices = "2024-12|2026-08",
   .help = "Edition of the PCS rules; they differ in PCS-2, PCS-6 and PCS-11."},

  {.path = "stallLimit", .type = duration, .fallback = "\"30d\"", .maximum = kMaxSeconds, .over_minimum = true,
   .help = "The run ends when instances were asked for in vain for so long: no node came up, no job started or ended, none "
           "runs and nothing else is foreseen; the jobs that wait then are pending."},

  {.path = "pool", .type = object,
   .help = "A classic machine instead of cluster, computeNodeGroups and queues: always on, one queue, no "
           "cost."},
  {.path = "pool.processors", .type = integer, .required = true, .minimum = 1, .maximum = 10'000'000,
   .help = "Processors of the machine."},

  {.path = "cluster", .type = object,
   .help = "The cluster as CreateCluster takes it or GetCluster prints it."},
  {.path = "cluster.clusterName", .type = string,
   .help = "Letters, digits, hyphen; starts with a letter; 3 to 40 characters (PCS-1)."},
  {.path = "cluster.name", .type = string, .help = "The same, as GetCluster prints it."},
  {.path = "cluster.id", .type = string, .help = "The cluster's id; operations may name it instead of the name."},
  {.path = "cluster.arn", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "cluster.status", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "cluster.createdAt", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "cluster.modifiedAt", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "cluster.networking", .type = object, .use = ignored, .help = kApiPrints},
  {.path = "cluster.endpoints", .type = array, .use = ignored, .help = kApiPrints},
  {.path = "cluster.errorInfo", .type = array, .use = ignored, .help = kApiPrints},
  {.path = "cluster.tags", .type = object, .use = ignored, .help = kApiPrints},
  {.path = "cluster.clientToken", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "cluster.scheduler", .type = object, .help = "The scheduler software (PCS-2)."},
  {.path = "cluster.scheduler.type", .type = choice, .required = true, .choices = "SLURM",
   .help = "PCS offers Slurm only (PCS-2)."},
  {.path = "cluster.scheduler.version", .type = string, .required = true,
   .help = "23.11 or 24.05; in edition 2026-08: 24.11, 25.05 or 25.11 (PCS-2)."},
  {.path = "cluster.size", .type = choice, .required = true, .choices = "SMALL|MEDIUM|LARGE",
   .help = "Up to 32, 512 or 2048 instances and 256, 8192 or 16384 jobs, active and queued (PCS-3)."},
  {.path = "cluster.slurmConfiguration", .type = object, .help = "Settings of the scheduler."},
  {.path = "cluster.slurmConfiguration.scaleDownIdleTimeInSeconds", .type = integer, .fallback = "600",
   .minimum = 1, .maximum = 10'000'000, .unit = "s",
   .help = "How long a dynamic node stays up idle (PCS-6)."},
  {.path = "cluster.slurmConfiguration.slurmCustomSettings", .type = array,
   .help = "What PCS lets users set of slurm.conf: SelectTypeParameters, CR_CPU or CR_CPU_Memory (PCS-7), and in edition "
           "2026-08 more, under policy slurm (docs/slurm.md). Prolog and Epilog have no effect; other names are refused."},
  {.path = "cluster.slurmConfiguration.slurmCustomSettings[]", .type = object, .help = "One setting."},
  {.path = "cluster.slurmConfiguration.slurmCustomSettings[].parameterName", .type = string, .required = true,
   .help = "SelectTypeParameters, Prolog, Epilog; in edition 2026-08 others."},
  {.path = "cluster.slurmConfiguration.slurmCustomSettings[].parameterValue", .type = string,
   .required = true,
   .help = "Its value."},
  {.path = "cluster.slurmConfiguration.slurmdbdCustomSettings", .type = array, .use = ignored,
   .help = kApiPrints},
  {.path = "cluster.slurmConfiguration.cgroupCustomSettings", .type = array, .use = ignored,
   .help = kApiPrints},
  {.path = "cluster.slurmConfiguration.accounting", .type = object, .help = "Accounting (slurmdbd)."},
  {.path = "cluster.slurmConfiguration.accounting.mode", .type = choice, .fallback = "\"NONE\"",
   .choices = "NONE|STANDARD",
   .help = "With STANDARD the age of a job counts in priority/multifactor; no effect under policies other than slurm."},
  {.path = "cluster.slurmConfiguration.accounting.defaultPurgeTimeInDays", .type = integer, .use = ignored,
   .help = kApiPrints},
  {.path = "cluster.slurmConfiguration.slurmRest", .type = object, .use = ignored, .help = kApiPrints},
  {.path = "cluster.slurmConfiguration.authKey", .type = object, .use = ignored, .help = kApiPrints},
  {.path = "cluster.slurmConfiguration.jwtAuth", .type = object, .use = ignored, .help = kApiPrints},

  {.path = "computeNodeGroups", .type = array, .minimum = 1,
   .help = "The compute node groups as CreateComputeNodeGroup takes them or GetComputeNodeGroup prints them. "
           "One in no queue is a login group (PCS-25)."},
  {.path = "computeNodeGroups[]", .type = object, .help = "One group."},
  {.path = "computeNodeGroups[].computeNodeGroupName", .type = string,
   .help = "Letters, digits, hyphen; starts with a letter; 3 to 25 characters; unique (PCS-10)."},
  {.path = "computeNodeGroups[].name", .type = string, .help = "The same, as GetComputeNodeGroup prints it."},
  {.path = "computeNodeGroups[].id", .type = string, .minimum = 1,
   .help = "The group's id; queues may name it instead of the name."},
  {.path = "computeNodeGroups[].scalingConfiguration", .type = object, .required = true,
   .help = "Static: equal and over zero. Dynamic: minimum 0. A mix needs edition 2026-08 (PCS-11)."},
  {.path = "computeNodeGroups[].scalingConfiguration.minInstanceCount", .type = integer, .required = true,
   .maximum = kMaxCount, .help = "Instances that are always kept (PCS-11, PCS-25)."},
  {.path = "computeNodeGroups[].scalingConfiguration.maxInstanceCount", .type = integer, .required = true,
   .maximum = kMaxCount,
   .help = "Instances at most; the sum over the groups is limited by the size (PCS-3)."},
  {.path = "computeNodeGroups[].instanceConfigs", .type = array, .required = true, .minimum = 1,
   .help = "The instance types; equal architecture, vCPUs and GPUs (PCS-12)."},
  {.path = "computeNodeGroups[].instanceConfigs[]", .type = object, .help = "One instance type."},
  {.path = "computeNodeGroups[].instanceConfigs[].instanceType", .type = string, .required = true,
   .minimum = 1,
   .help = "EC2 instance type, such as c6i.xlarge; `headroom catalog` lists them."},
  {.path = "computeNodeGroups[].subnetIds", .type = array,
   .help = "Subnets; the first one's zone is the nodes'."},
  {.path = "computeNodeGroups[].subnetIds[]", .type = string, .minimum = 1,
   .help = "A subnet id; it must be a key of subnets where that is given."},
  {.path = "computeNodeGroups[].purchaseOption", .type = choice, .fallback = "\"ONDEMAND\"",
   .choices = "ONDEMAND|SPOT|CAPACITY_BLOCK|INTERRUPTIBLE_CAPACITY_RESERVATION",
   .help = "How instances are bought (PCS-14); the last two need edition 2026-08 and a launch template that names the "
           "reservation."},
  {.path = "computeNodeGroups[].customLaunchTemplate", .type = object, .help = "The EC2 launch template."},
  {.path = "computeNodeGroups[].customLaunchTemplate.id", .type = string, .required = true, .minimum = 1,
   .help = "Its id; it must be a key of launchTemplates where that is given."},
  {.path = "computeNodeGroups[].customLaunchTemplate.version", .type = string, .help = "No effect."},
  {.path = "computeNodeGroups[].slurmConfiguration", .type = object,
   .help = "Settings of the group's nodes."},
  {.path = "computeNodeGroups[].slurmConfiguration.scaleDownIdleTimeInSeconds", .type = integer,
   .minimum = -1,
   .maximum = 10'000'000, .unit = "s",
   .help = "Edition 2026-08 (PCS-6): how long the group's nodes stay up idle; -1 takes the cluster's value."},
  {.path = "computeNodeGroups[].slurmConfiguration.slurmCustomSettings", .type = array,
   .help = "Weight: an integer from 0 to 2147483647, nodes of lower weight are chosen first, default 1 "
           "(PCS-16). RealMemory: MiB of each node that jobs may have, policy slurm only; default: 95 % of the smallest "
           "instance type's memory, ParallelCluster's share. Other names are refused."},
  {.path = "computeNodeGroups[].slurmConfiguration.slurmCustomSettings[]", .type = object,
   .help = "One setting."},
  {.path = "computeNodeGroups[].slurmConfiguration.slurmCustomSettings[].parameterName", .type = string,
   .required = true, .help = "Weight or RealMemory."},
  {.path = "computeNodeGroups[].slurmConfiguration.slurmCustomSettings[].parameterValue", .type = string,
   .required = true, .help = "Its value: a number written as a string, as in the API."},
  {.path = "computeNodeGroups[].arn", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "computeNodeGroups[].clusterId", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "computeNodeGroups[].clusterIdentifier", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "computeNodeGroups[].status", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "computeNodeGroups[].createdAt", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "computeNodeGroups[].modifiedAt", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "computeNodeGroups[].amiId", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "computeNodeGroups[].iamInstanceProfileArn", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "computeNodeGroups[].spotOptions", .type = object, .help = "How Spot Instances are bought; no effect on others."},
  {.path = "computeNodeGroups[].spotOptions.allocationStrategy", .type = choice,
   .fallback = "\"price-capacity-optimized\"", .choices = "lowest-price|capacity-optimized|price-capacity-optimized",
   .help = "Which of the group's offers is taken (PCS-14, docs/cloud.md)."},
  {.path = "computeNodeGroups[].nodeLifecycleActions", .type = object, .use = ignored, .help = kApiPrints},
  {.path = "computeNodeGroups[].errorInfo", .type = array, .use = ignored, .help = kApiPrints},
  {.path = "computeNodeGroups[].tags", .type = object, .use = ignored, .help = kApiPrints},
  {.path = "computeNodeGroups[].clientToken", .type = string, .use = ignored, .help = kApiPrints},

  {.path = "queues", .type = array, .minimum = 1,
   .help = "The queues as CreateQueue takes them or GetQueue prints them; the first is the default."},
  {.path = "queues[]", .type = object, .help = "One queue."},
  {.path = "queues[].queueName", .type = string,
   .help = "Letters, digits, hyphen; starts with a letter; 3 to 25 characters; unique (PCS-30)."},
  {.path = "queues[].name", .type = string, .help = "The same, as GetQueue prints it."},
  {.path = "queues[].computeNodeGroupConfigurations", .type = array, .fallback = "[]",
   .help = "The groups the queue may use (PCS-18, PCS-30); at least one queue has one."},
  {.path = "queues[].computeNodeGroupConfigurations[]", .type = object, .help = "One group."},
  {.path = "queues[].computeNodeGroupConfigurations[].computeNodeGroupId", .type = string, .required = true,
   .help = "A group by id or by name (PCS-30)."},
  {.path = "queues[].slurmConfiguration", .type = object, .help = "Settings of the queue."},
  {.path = "queues[].slurmConfiguration.slurmCustomSettings", .type = array,
   .help = "What PCS lets users set of a partition, in edition 2026-08, under policy slurm (docs/slurm.md)."},
  {.path = "queues[].slurmConfiguration.slurmCustomSettings[]", .type = object, .help = "One setting."},
  {.path = "queues[].slurmConfiguration.slurmCustomSettings[].parameterName", .type = string, .required = true,
   .help = "DefaultTime, MaxTime, OverSubscribe, PriorityJobFactor or PriorityTier."},
  {.path = "queues[].slurmConfiguration.slurmCustomSettings[].parameterValue", .type = string, .required = true,
   .help = "Its value."},
  {.path = "queues[].id", .type = string, .help = "The queue's id; operations may name it instead of the name."},
  {.path = "queues[].arn", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "queues[].clusterId", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "queues[].clusterIdentifier", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "queues[].status", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "queues[].createdAt", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "queues[].modifiedAt", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "queues[].errorInfo", .type = array, .use = ignored, .help = kApiPrints},
  {.path = "queues[].tags", .type = object, .use = ignored, .help = kApiPrints},
  {.path = "queues[].clientToken", .type = string, .use = ignored, .help = kApiPrints},

  {.path = "subnets", .type = map,
   .help = "Subnets by id. Where it is given, it must hold every subnet named."},
  {.path = "subnets.*", .type = object, .help = "One subnet."},
  {.path = "subnets.*.availabilityZone", .type = string, .required = true, .minimum = 1,
   .help = "Its zone, such as us-east-1a."},
  {.path = "subnets.*.freeAddresses", .type = integer, .maximum = kMaxCount,
   .help = "Addresses that are free at the start; an instance takes one. Default: no limit."},
  {.path = "launchTemplates", .type = map,
   .help = "Launch templates by id. Where it is given, it must hold every template named."},
  {.path = "launchTemplates.*", .type = free,
   .help = "EC2 LaunchTemplateData. Placement.GroupName (PCS-54), CapacityReservationSpecification (PCS-44) and which "
           "NetworkInterfaces are EFA are read; the rest has no effect."},
  {.path = "placementGroups", .type = map,
   .help = "Placement groups by name. Where it is given, it must hold every placement group named."},
  {.path = "placementGroups.*", .type = object, .help = "One placement group."},
  {.path = "placementGroups.*.strategy", .type = choice, .fallback = "\"cluster\"",
   .choices = "cluster|partition|spread",
   .help = "Cluster: one zone. Spread: at most 7 instances in a zone. Partition: any number (PCS-55)."},
  {.path = "placementGroups.*.partitionCount", .type = integer, .fallback = "7", .minimum = 1, .maximum = 7,
   .help = "Of strategy partition; no effect on a run (PCS-55)."},
  {.path = "placementGroups.*.spreadLevel", .type = choice, .fallback = "\"rack\"", .choices = "rack",
   .help = "Of strategy spread."},
  {.path = "placementGroups.*.capacity", .type = integer, .minimum = 1, .maximum = kMaxCount,
   .help = "Of strategy cluster: instances that it can hold. AWS publishes none; default: no limit."},
  {.path = "capacityReservations", .type = array,
   .help = "Capacity that is paid for in advance (PCS-60, PCS-61, docs/cloud.md)."},
  {.path = "capacityReservations[]", .type = object, .help = "One reservation."},
  {.path = "capacityReservations[].id", .type = string, .required = true, .minimum = 1, .help = "Its id."},
  {.path = "capacityReservations[].type", .type = choice, .fallback = "\"on-demand\"",
   .choices = "on-demand|capacity-block|interruptible",
   .help = "On-Demand Capacity Reservation, Capacity Block or interruptible one; the last two need edition 2026-08."},
  {.path = "capacityReservations[].instanceType", .type = string, .required = true, .minimum = 1, .help = "Its type."},
  {.path = "capacityReservations[].availabilityZone", .type = string, .required = true, .minimum = 1,
   .help = "Its zone."},
  {.path = "capacityReservations[].instanceCount", .type = integer, .required = true, .minimum = 1,
   .maximum = kMaxCount, .help = "Its instances; at most 64 of a Capacity Block."},
  {.path = "capacityReservations[].match", .type = choice, .choices = "open|targeted",
   .help = "Open: any launch that matches uses it; targeted: only one whose launch template names it or its group. "
           "Default: open; of the other two types targeted."},
  {.path = "capacityReservations[].group", .type = string, .minimum = 1,
   .help = "The resource group that it is in: the end of CapacityReservationResourceGroupArn."},
  {.path = "capacityReservations[].start", .type = duration, .fallback = "0", .maximum = kMaxSeconds,
   .help = "When it becomes active, from the start of the run."},
  {.path = "capacityReservations[].end", .type = duration, .maximum = kMaxSeconds,
   .help = "When it ends; default: never. Instances of a Capacity Block go half an hour before."},
  {.path = "capacityReservations[].placementGroup", .type = string, .minimum = 1,
   .help = "The cluster placement group that it is in; then only launches into that group use it."},
  {.path = "capacityReservations[].usdPerHour", .type = number, .maximum = 1'000'000, .unit = "USD/h",
   .help = "Price of each of its instances, used or not (PCS-61). Default: the on-demand price."},
  {.path = "capacityReservations[].upfrontUsd", .type = number, .maximum = 1'000'000'000, .unit = "USD",
   .help = "Price of all of it, paid at its start, in place of usdPerHour."},

  {.path = "scheduler", .type = object, .help = "How jobs are scheduled."},
  {.path = "scheduler.policy", .type = string, .fallback = "\"easy\"", .minimum = 1,
   .help = "Name of a registered scheduling policy."},
  {.path = "scheduler.order", .type = choice, .fallback = "\"fcfs\"", .choices = "fcfs|sjf|wfp3|unicef|f1",
   .help = "In what order a queue is served under fcfs, easy and easy-sjbf: by submission, or by a priority function."},
  {.path = "scheduler.compression", .type = boolean, .fallback = "true",
   .help = "Conservative backfilling only: whether reservations move forward when a job ends early."},
  {.path = "scheduler.sameInstant", .type = choice, .fallback = "\"batched\"", .choices = "batched|per-event",
   .help = "Whether news of one instant come to the policy together, or one by one as in the published EASY "
           "results."},
  {.path = "scheduler.nodeChoice", .type = choice, .fallback = "\"order\"", .choices = "order|compact|tree",
   .help = "Which nodes a job gets that asks for a number of them, where the network is known: the first ones, those "
           "nearest to each other, or as Slurm's topology/tree picks them (docs/topology.md). Not with policy slurm, "
           "which has slurmTopology."},
  {.path = "scheduler.slurmVersion", .type = choice, .choices = "22.05|23.11|24.05|24.11|25.05|25.11",
   .help = "Policy slurm: the version whose behaviour is followed; default: the cluster's, of a pool 25.05. PCS never "
           "ran 22.05."},
  {.path = "scheduler.slurm", .type = map,
   .help = "Policy slurm: parameters of slurm.conf by name, for what PCS does not let users set (docs/slurm.md)."},
  {.path = "scheduler.slurm.*", .type = scalar, .help = "The parameter's value; true and false are YES and NO."},
  {.path = "scheduler.slurmPartitions", .type = map,
   .help = "Policy slurm: the same for partitions, by queue; a pool's is named pool."},
  {.path = "scheduler.slurmPartitions.*", .type = map, .help = "Parameters of one partition by name."},
  {.path = "scheduler.slurmPartitions.*.*", .type = scalar, .help = "The parameter's value."},
  {.path = "scheduler.slurmNodes", .type = map,
   .help = "Policy slurm: the same for the nodes of a group, by the group's name (docs/slurm.md)."},
  {.path = "scheduler.slurmNodes.*", .type = map, .help = "Parameters of one group's nodes by name."},
  {.path = "scheduler.slurmNodes.*.*", .type = scalar, .help = "The parameter's value."},
  {.path = "scheduler.slurmTopology", .type = map,
   .help = "Policy slurm: the network as a tree of switches, by name; without it the network is flat."},
  {.path = "scheduler.slurmTopology.*", .type = map, .help = "A switch: Nodes of a leaf, or Switches below it."},
  {.path = "scheduler.slurmTopology.*.*", .type = scalar, .help = "A list such as compute-1-[1-4]."},
  {.path = "scheduler.slurmAccounts", .type = map,
   .help = "Policy slurm with accounting STANDARD: accounts by name, with their settings as sacctmgr has them "
           "(docs/slurm.md)."},
  {.path = "scheduler.slurmAccounts.*", .type = map, .help = "Settings of one account by name."},
  {.path = "scheduler.slurmAccounts.*.*", .type = scalar, .help = "The setting's value."},
  {.path = "scheduler.slurmUsers", .type = map, .help = "The same for users; account is required."},
  {.path = "scheduler.slurmUsers.*", .type = map, .help = "Settings of one user by name."},
  {.path = "scheduler.slurmUsers.*.*", .type = scalar, .help = "The setting's value."},
  {.path = "scheduler.slurmReservations", .type = map,
   .help = "Policy slurm only: reservations by name, as scontrol create reservation takes them: StartTime and EndTime "
           "(now+COUNT[UNIT], from the beginning), Duration, Nodes, NodeCnt, CoreCnt, Licenses, PartitionName, Users, "
           "Accounts, Flags (docs/slurm-options.md). They are made in this order before the first job; one that slurmctld "
           "would refuse is an error."},
  {.path = "scheduler.slurmReservations.*", .type = map, .help = "Settings of one reservation by name."},
  {.path = "scheduler.slurmReservations.*.*", .type = scalar, .help = "The setting's value."},
  {.path = "scheduler.slurmQos", .type = map, .help = "The same for qualities of service; normal is always there."},
  {.path = "scheduler.slurmQos.*", .type = map, .help = "Settings of one QOS by name."},
  {.path = "scheduler.slurmQos.*.*", .type = scalar, .help = "The setting's value."},

  {.path = "scaler", .type = object, .help = "How nodes are bought and given back."},
  {.path = "scaler.policy", .type = string, .fallback = "\"pcs\"", .minimum = 1,
   .help = "Name of a registered scaling policy. Under policy slurm, pcs is slurmctld's own power saving."},
  {.path = "scaler.interval", .type = duration, .fallback = "0", .maximum = 86'400,
   .help = "How often waiting jobs are looked at; 0: at once. AWS publishes no value. Not under policy slurm."},
  {.path = "scaler.suspendTimeout", .type = duration, .fallback = "120", .maximum = 86'400,
   .help = "From taking a node down until it may be used again (Slurm's SuspendTimeout; 120 s is "
           "ParallelCluster's)."},

  {.path = "scaler.launching", .type = choice, .fallback = "\"all-at-once\"", .choices = "all-at-once|incremental",
   .help = "What a job needs is launched all at once or not at all, or what can be got is kept and the rest asked for again. "
           "Jobs larger than requestSize are always launched incrementally."},
  {.path = "scaler.requestSize", .type = integer, .fallback = "500", .minimum = 1, .maximum = 100'000,
   .help = "Instances that one request asks for at most. AWS publishes no value; 500 is ParallelCluster's."},
  {.path = "scaler.retryInterval", .type = duration, .fallback = "60", .maximum = 86'400, .over_minimum = true,
   .help = "After a refusal for want of capacity: until it is asked for again. AWS publishes no value."},
  {.path = "scaler.capacityTimeout", .type = duration, .fallback = "600", .maximum = 604'800,
   .help = "A group without capacity takes no jobs for so long, so that they go to another one; 0: only the nodes that were "
           "refused, for retryInterval. AWS publishes no value; 600 s is ParallelCluster's."},
  {.path = "scaler.bootTimeout", .type = duration, .fallback = "1800", .maximum = 604'800, .over_minimum = true,
   .help = "A node that is not ready so long after its launch is given up: its instance is terminated, its jobs wait again. "
           "AWS publishes no value; 1800 s is ParallelCluster's. Policy slurm has ResumeTimeout instead."},

  {.path = "cloud", .type = object, .help = "The simulated cloud."},
  {.path = "cloud.boot", .type = object,
   .help = "Time from the launch call to a ready node = pending + bootstrap."},
  // Timed launches (brevdev/ec2-coldboot-research at 0f8ef4f): 17.8 s for m7i.large, 16.4 to 17.1 s in its
  // sweeps over t3, m6i, m7i, c7i, r7i and over five Regions. Samples are whole seconds, hence 16 to 18.
  {.path = "cloud.boot.pending", .type = distribution, .fallback = R"({"uniform": [16, 18]})",
   .help = "From the launch call until EC2 reports the instance running. Default: EC2 cold-boot measurements "
           "of 2026, 16.4 to 17.8 s, as whole seconds."},
  // Boot times in the tests of aws/aws-parallelcluster at 451cc53, file test_startup_time.py in
  // tests/integration-tests/tests/performance_tests: six operating systems, five samples for each type.
  // c5.large and m5.12xlarge: n = 60, mean 71.917 s, sd 12.162 s (of the sample), 56 to 104 s.
  // g4dn.xlarge: n = 30, mean 94.533 s, sd 16.279 s, 66 to 122 s.
  {.path = "cloud.boot.bootstrap", .type = distribution,
   .fallback = R"({"lognormal": {"mean": 71.9, "sd": 12.2, "min": 56, "max": 104}})",
   .help = "From running until the node takes jobs. Default: a log-normal law with the mean and spread of the 60 CPU "
           "samples (c5.large, m5.12xlarge) in the start-up tests of AWS ParallelCluster, within their range; they "
           "are taken to count from running. No figures for PCS are published."},
  {.path = "cloud.boot.bootstrapGpu", .type = distribution,
   .fallback = R"({"lognormal": {"mean": 94.5, "sd": 16.3, "min": 66, "max": 122}})",
   .help = "The same for instance types with GPUs. Default: the 30 g4dn.xlarge samples of the same tests."},
  {.path = "cloud.prices", .type = map, .help = "Prices by instance type, over the catalog's."},
  {.path = "cloud.prices.*", .type = number, .maximum = 1'000'000, .unit = "USD/h",
   .help = "Price of an instance."},
  {.path = "cloud.controllerUsdPerHour", .type = number, .fallback = "0", .maximum = 1'000'000,
   .unit = "USD/h",
   .help = "Fee for the cluster's controller; 0 is not AWS's price, it is a parameter to fill in."},
  {.path = "cloud.nodeManagementUsdPerHour", .type = number, .fallback = "0", .maximum = 1'000'000,
   .unit = "USD/h",
   .help = "Fee for each managed instance; 0 is not AWS's price, it is a parameter to fill in."},
  {.path = "cloud.committed", .type = array,
   .help = "Savings plans and reserved instances: paid for throughout the run, used or not; instances on demand use them "
           "first (docs/output.md)."},
  {.path = "cloud.committed[]", .type = object, .help = "One commitment."},
  {.path = "cloud.committed[].instanceType", .type = string, .required = true, .minimum = 1, .help = "Of what type."},
  {.path = "cloud.committed[].instanceCount", .type = integer, .required = true, .minimum = 1, .maximum = kMaxCount,
   .unit = "instances", .help = "How many."},
  {.path = "cloud.committed[].usdPerHour", .type = number, .required = true, .maximum = 1'000'000, .unit = "USD/h",
   .help = "What each of them costs."},
  {.path = "cloud.launchApi", .type = choice, .fallback = "\"CreateFleet\"", .choices = "CreateFleet|RunInstances",
   .help = "How instances are launched: by an instant fleet over all of a group's types and subnets, as PCS is seen to do, "
           "or by RunInstances, which takes one of them."},
  {.path = "cloud.onDemandAllocationStrategy", .type = choice, .fallback = "\"lowest-price\"",
   .choices = "lowest-price|prioritized",
   .help = "Which offer an on-demand fleet takes: the cheapest, or the first in the order of the scenario."},
  {.path = "cloud.spotAllocationStrategy", .type = choice,
   .choices = "lowest-price|capacity-optimized|capacity-optimized-prioritized|price-capacity-optimized|diversified",
   .help = "In place of all groups' spotOptions: EC2 has strategies that PCS does not offer."},
  {.path = "cloud.apiLatency", .type = distribution, .fallback = "0",
   .help = "From a launch command to EC2's answer. AWS publishes none."},
  {.path = "cloud.consistencyDelay", .type = distribution, .fallback = "0",
   .help = "From the answer until the instance's id is known everywhere: a node bootstraps no sooner, and is terminated no "
           "sooner. AWS publishes none."},
  {.path = "cloud.capacity", .type = array,
   .help = "Limits of EC2's capacity pools (docs/cloud.md). A pool is a type in a zone, on demand and as Spot apart; where "
           "several limits name it, the lowest holds. AWS publishes none; default: no limit."},
  {.path = "cloud.capacity[]", .type = object,
   .help = "The limit of each pool that it names: limit and schedule, or random, or series."},
  {.path = "cloud.capacity[].instanceType", .type = string, .fallback = "\"*\"", .minimum = 1,
   .help = "A type, a beginning such as c6i.*, or *."},
  {.path = "cloud.capacity[].availabilityZone", .type = string, .minimum = 1, .help = "A zone; default: each."},
  {.path = "cloud.capacity[].market", .type = choice, .choices = "on-demand|spot", .help = "Default: both."},
  {.path = "cloud.capacity[].limit", .type = integer, .maximum = kMaxCount,
   .help = "Instances of the cluster at once; before the first step of schedule. Default: no limit."},
  {.path = "cloud.capacity[].schedule", .type = array, .minimum = 1, .help = "How the limit changes."},
  {.path = "cloud.capacity[].schedule[]", .type = object, .help = "One step."},
  {.path = "cloud.capacity[].schedule[].at", .type = duration, .required = true, .maximum = kMaxSeconds,
   .help = "When, from the start of the run, or of the period."},
  {.path = "cloud.capacity[].schedule[].limit", .type = integer, .maximum = kMaxCount,
   .help = "From then on; default: no limit."},
  {.path = "cloud.capacity[].period", .type = duration, .maximum = kMaxSeconds, .over_minimum = true,
   .help = "After so long limit and schedule begin anew."},
  {.path = "cloud.capacity[].random", .type = object,
   .help = "A limit that wanders around its mean (autoregressive, of first order), each pool on its own."},
  {.path = "cloud.capacity[].random.mean", .type = number, .required = true, .maximum = 1'000'000,
   .help = "Its mean, in instances."},
  {.path = "cloud.capacity[].random.sd", .type = number, .required = true, .maximum = 1'000'000,
   .help = "Its standard deviation."},
  {.path = "cloud.capacity[].random.correlationTime", .type = duration, .required = true, .maximum = kMaxSeconds,
   .over_minimum = true, .help = "Over so long the correlation falls to 1/e."},
  {.path = "cloud.capacity[].random.step", .type = duration, .fallback = "60", .minimum = 1, .maximum = kMaxSeconds,
   .help = "How often it changes."},
  {.path = "cloud.capacity[].series", .type = string, .minimum = 1,
   .help = "A recorded limit: a CSV file beside the scenario with lines time_s,limit."},
  {.path = "cloud.spot", .type = object, .help = "Spot Instances: their market (docs/cloud.md), and how they are interrupted (docs/faults.md)."},
  {.path = "cloud.spot.prices", .type = array,
   .help = "Spot prices; the first entry that names a pool holds. Default: 0.35 of the on-demand price, the median saving of "
           "AWS's Spot Instance Advisor (us-west-2, June 2025)."},
  {.path = "cloud.spot.prices[]", .type = object, .help = "The price of each pool that it names."},
  {.path = "cloud.spot.prices[].instanceType", .type = string, .fallback = "\"*\"", .minimum = 1,
   .help = "A type, a beginning such as c6i.*, or *."},
  {.path = "cloud.spot.prices[].availabilityZone", .type = string, .minimum = 1, .help = "A zone; default: each."},
  {.path = "cloud.spot.prices[].factor", .type = number, .maximum = 100, .help = "Share of the on-demand price."},
  {.path = "cloud.spot.prices[].usdPerHour", .type = number, .maximum = 1'000'000, .unit = "USD/h",
   .help = "A price that stays."},
  {.path = "cloud.spot.prices[].series", .type = array, .minimum = 1,
   .help = "Prices that change; the first one also holds before its time."},
  {.path = "cloud.spot.prices[].series[]", .type = object, .help = "One step."},
  {.path = "cloud.spot.prices[].series[].at", .type = duration, .required = true, .maximum = kMaxSeconds,
   .help = "When, from the start of the run."},
  {.path = "cloud.spot.prices[].series[].usdPerHour", .type = number, .required = true, .maximum = 1'000'000,
   .unit = "USD/h", .help = "From then on."},
  {.path = "cloud.spot.interruption", .type = map,
   .help = "How often Spot Instances are interrupted, by instance type, family (c6i.*) or default; the first of these that "
           "is there counts. Without it they never are."},
  {.path = "cloud.spot.interruption.*", .type = choice_or_duration, .maximum = kMaxSeconds, .over_minimum = true,
   .choices = "<5%|5-10%|10-15%|15-20%|>20%|never",
   .help = "A band of the Spot Advisor, that is the share interrupted in a month, or the mean time from running to the "
           "notice. A band counts by its upper edge b as a hazard of -ln(1-b) in 720 h; >20% as 30 %, as no edge is "
           "published."},
  {.path = "cloud.spot.notice", .type = duration, .fallback = "120", .maximum = 86'400,
   .help = "From the interruption notice until the instance is gone; EC2: two minutes."},
  {.path = "cloud.spot.rebalanceLead", .type = duration, .fallback = "0", .maximum = 86'400,
   .help = "How long before the notice the rebalance recommendation comes, but not before the instance runs; EC2 may send both "
           "together."},
  {.path = "cloud.failures", .type = object,
   .help = "How instances fail at random (docs/faults.md). Each launch draws for itself."},
  {.path = "cloud.failures.timeToFailure", .type = distribution,
   .help = "From running until a failure. Default: no instance fails. Published figures for EC2: none."},
  {.path = "cloud.failures.effect", .type = choice, .fallback = "\"hardware\"", .choices = "hardware|reboot|health-check",
   .help = "What a failure is: the instance is gone, it is rebooted, or PCS finds it unhealthy (PCS-24)."},
  {.path = "cloud.failures.failedStarts", .type = number, .fallback = "0", .maximum = 1,
   .help = "Share of launches that go from pending to terminated (an EBS quota, a KMS key)."},
  {.path = "cloud.failures.bootFailures", .type = number, .fallback = "0", .maximum = 1,
   .help = "Share of launches whose instance runs, but whose node never registers."},
  {.path = "cloud.failures.slowBoots", .type = object, .help = "Boots that take longer than cloud.boot says."},
  {.path = "cloud.failures.slowBoots.probability", .type = number, .required = true, .maximum = 1,
   .help = "Share of launches."},
  {.path = "cloud.failures.slowBoots.factor", .type = number, .required = true, .minimum = 1, .maximum = 1000,
   .help = "So many times as long as drawn the bootstrap takes."},
  {.path = "cloud.failures.groups", .type = map,
   .help = "What differs for the instances of a compute node group, by its name; keys that are absent are as above."},
  {.path = "cloud.failures.groups.*", .type = object, .help = "One group."},
  {.path = "cloud.failures.groups.*.timeToFailure", .type = distribution,
   .help = "The same for the group's instances."},
  {.path = "cloud.failures.groups.*.effect", .type = choice, .choices = "hardware|reboot|health-check",
   .help = "The same for the group's instances."},
  {.path = "cloud.failures.groups.*.failedStarts", .type = number, .maximum = 1,
   .help = "The same for the group's instances."},
  {.path = "cloud.failures.groups.*.bootFailures", .type = number, .maximum = 1,
   .help = "The same for the group's instances."},
  {.path = "cloud.failures.groups.*.slowBoots", .type = object, .help = "The same for the group's instances."},
  {.path = "cloud.failures.groups.*.slowBoots.probability", .type = number, .required = true, .maximum = 1,
   .help = "The same for the group's instances."},
  {.path = "cloud.failures.groups.*.slowBoots.factor", .type = number, .required = true, .minimum = 1, .maximum = 1000,
   .help = "The same for the group's instances."},
  {.path = "cloud.throttling", .type = object,
   .help = "Token buckets of the EC2 API; {} means those that AWS documents (docs/cloud.md). Default: no throttling."},
  {.path = "cloud.throttling.buckets", .type = map,
   .help = "Of requests, by action: RunInstances, CreateFleet, TerminateInstances."},
  {.path = "cloud.throttling.buckets.*", .type = object, .help = "One bucket, in place of the documented one."},
  {.path = "cloud.throttling.buckets.*.size", .type = integer, .required = true, .minimum = 1, .maximum = 1'000'000,
   .help = "Tokens that it holds, and starts with."},
  {.path = "cloud.throttling.buckets.*.refillPerSecond", .type = number, .required = true, .maximum = 1'000'000,
   .help = "Tokens that come each second."},
  {.path = "cloud.throttling.resources", .type = map, .help = "Of instances, by action; CreateFleet has none by default."},
  {.path = "cloud.throttling.resources.*", .type = object, .help = "One bucket, in place of the documented one."},
  {.path = "cloud.throttling.resources.*.size", .type = integer, .required = true, .minimum = 1, .maximum = 1'000'000,
   .help = "Tokens that it holds, and starts with."},
  {.path = "cloud.throttling.resources.*.refillPerSecond", .type = number, .required = true, .maximum = 1'000'000,
   .help = "Tokens that come each second."},
  {.path = "cloud.quotas", .type = object,
   .help = "Service quotas of the account in the Region (PCS-62). Default: none, although AWS's own are low (docs/cloud.md)."},
  {.path = "cloud.quotas.onDemand", .type = map,
   .help = "vCPUs of on-demand instances and reservations by group of families: standard, hpc, p, g, f, inf, trn, dl, x, "
           "high-memory."},
  {.path = "cloud.quotas.onDemand.*", .type = integer, .maximum = kMaxCount, .help = "vCPUs at most."},
  {.path = "cloud.quotas.spot", .type = map, .help = "The same for Spot Instances."},
  {.path = "cloud.quotas.spot.*", .type = integer, .maximum = kMaxCount, .help = "vCPUs at most."},
  {.path = "cloud.quotas.instances", .type = integer, .maximum = kMaxCount, .help = "Instances at most."},
  {.path = "cloud.quotas.terminatedFor", .type = duration, .fallback = "0", .maximum = kMaxSeconds,
   .help = "So long a terminated instance still counts as one. AWS publishes no value."},

  {.path = "network", .type = object,
   .help = "The network between instances (docs/network.md). AWS publishes none of its numbers. Default: nothing is known of "
           "it."},
  {.path = "network.fabrics", .type = array, .fallback = "[]",
   .help = "The hardware that instances land on. Of several that take a type in a zone, the first counts."},
  {.path = "network.fabrics[]", .type = object,
   .help = "A tree of network nodes with slots for instances on the last of them."},
  {.path = "network.fabrics[].instanceType", .type = string, .required = true, .minimum = 1,
   .help = "A type, \"hpc6a.*\" or \"*\": all types that it means share the slots."},
  {.path = "network.fabrics[].availabilityZone", .type = string, .minimum = 1,
   .help = "Its zone; default: every zone of subnets has one like it."},
  {.path = "network.fabrics[].layers", .type = array, .required = true, .minimum = 1,
   .help = "From the top: network nodes of the first layer, then of each further one below each node of the layer above; up "
           "to 4 layers. EC2 has 3 or 4."},
  {.path = "network.fabrics[].layers[]", .type = integer, .minimum = 1, .maximum = 10'000, .help = "So many."},
  {.path = "network.fabrics[].slotsPerLeaf", .type = integer, .required = true, .minimum = 1, .maximum = 10'000,
   .help = "Instances that a network node of the last layer takes; a million slots in all."},
  {.path = "network.fabrics[].occupied", .type = number, .fallback = "0", .maximum = 1,
   .help = "The share of the slots that other customers hold, in the long run."},
  {.path = "network.fabrics[].correlation", .type = number, .fallback = "0", .maximum = 1,
   .help = "How much alike the slots of a leaf are: 0: others hold the same share of each; 1: they hold all of it or nothing. "
           "The share of a leaf is drawn once, from a Beta law with the mean `occupied`."},
  {.path = "network.fabrics[].holdTime", .type = duration, .fallback = "\"6h\"", .minimum = 60, .maximum = kMaxSeconds,
   .help = "For how long others hold a slot, on average (exponential)."},
  {.path = "network.fabrics[].segmentLayer", .type = integer, .minimum = 1, .maximum = 4,
   .help = "A cluster placement group is below one network node of this layer, 1 being the top; default: the one above the "
           "leaves."},
  {.path = "network.fabrics[].fill", .type = choice, .fallback = "\"random\"", .choices = "random|packed",
   .help = "How a cluster placement group takes slots there: any free one alike, or leaf by leaf."},
  {.path = "network.placementScope", .type = choice, .fallback = "\"group\"", .choices = "group|queue|job",
   .help = "Which launches share a cluster placement group: all that name it in their launch template (PCS), of these the ones "
           "for jobs of one queue (AWS ParallelCluster), or for one job (SOCA)."},
  {.path = "network.model", .type = object,
   .help = "What messages take between instances, where jobs have a communication; over the defaults (docs/network.md). "
           "`headroom calibrate` writes it."},
  {.path = "network.model.efa", .type = object, .help = "Over EFA, for types that `types` does not name."},
  {.path = "network.model.efa.segments", .type = array, .required = true, .minimum = 1,
   .help = "Lines through what messages take, one way, between instances on one last network node."},
  {.path = "network.model.efa.segments[]", .type = object, .help = "One line: latency_us + bytes / bandwidth_gb_s."},
  {.path = "network.model.efa.segments[].upTo", .type = integer, .maximum = kMaxMessageBytes, .unit = "bytes",
   .help = "It holds for messages up to this size; required of all but the last."},
  {.path = "network.model.efa.segments[].latency_us", .type = number, .required = true, .maximum = 10'000'000,
   .unit = "us", .help = "Of an empty message, as far as this line goes."},
  {.path = "network.model.efa.segments[].bandwidth_gb_s", .type = number, .required = true, .maximum = 1'000'000,
   .over_minimum = true, .unit = "GB/s", .help = "10^9 bytes a second."},
  {.path = "network.model.efa.perHop_us", .type = number, .maximum = 1'000'000, .unit = "us",
   .help = "For each hop beyond the two of one last network node. Default: 1.35, half of what lies between the two modes of "
           "latency of hpc6a; of shm 0."},
  {.path = "network.model.efa.gap_us", .type = number, .maximum = 1'000'000, .unit = "us",
   .help = "LogGP's g: between two messages that one interface sends. Default: 0.73; of shm 0."},
  {.path = "network.model.efa.streaming_gb_s", .type = number, .maximum = 1'000'000, .over_minimum = true, .unit = "GB/s",
   .help = "LogGP's 1/G: what one interface sends when messages follow one another. Default: the type's line rate."},
  {.path = "network.model.efa.source", .type = string, .required = true, .minimum = 1,
   .help = "Where the numbers are from; no effect."},
  {.path = "network.model.tcp", .help = "Over TCP. One flow gets no more than EC2 gives it, whatever this says.",
   .like = "network.model.efa"},
  {.path = "network.model.shm", .help = "Between processes of one instance.", .like = "network.model.efa"},
  {.path = "network.model.types", .type = map, .help = "The same by instance type."},
  {.path = "network.model.types.*", .type = object, .help = "One instance type."},
  {.path = "network.model.types.*.efa", .help = "Over EFA.", .like = "network.model.efa"},
  {.path = "network.model.types.*.tcp", .help = "Over TCP.", .like = "network.model.efa"},
  {.path = "network.model.types.*.shm", .help = "Between processes of one instance.", .like = "network.model.efa"},
  {.path = "network.model.uplink", .type = number, .fallback = "1", .minimum = 1, .maximum = 1000,
   .help = "Oversubscription of the links above last network nodes. Default: none, which AWS says of a cluster placement "
           "group; elsewhere it is inferred."},
  {.path = "network.model.betweenZones_us", .type = number, .fallback = "182", .maximum = 10'000'000, .unit = "us",
   .help = "One way, between Availability Zones. Default: what 1 MB took longer between two p3dn.24xlarge."},

  {.path = "workload", .type = object, .required = true,
   .help = "The jobs: exactly one of trace, generator and jobs."},
  {.path = "workload.trace", .type = string, .minimum = 1,
   .help = "A log file; looked up beside the scenario, then in the folders of HEADROOM_TRACES."},
  {.path = "workload.map", .type = object,
   .help = "How processors of a log or generator become a request; not with jobs."},
  {.path = "workload.map.unit", .type = choice, .fallback = "\"core\"", .choices = "core|node",
   .help = "What a processor stands for: a core, or a whole node taken exclusively."},
  {.path = "workload.map.processorsPerUnit", .type = integer, .fallback = "1", .minimum = 1,
   .maximum = kMaxCount,
   .help = "Processors of the log to one unit; rounded up."},
  {.path = "workload.map.queue", .type = string, .fallback = "\"\"",
   .help = "The queue of every job; empty: the first queue."},
  {.path = "workload.map.queues", .type = map, .help = "Queues by the log's queue number (SWF field 15)."},
  {.path = "workload.map.queues.*", .type = string, .minimum = 1, .help = "The queue of these jobs."},
  {.path = "workload.filter", .type = object, .help = "Which records of a log count; with trace only."},
  {.path = "workload.filter.noRequestedTime", .type = choice_or_duration, .fallback = "\"run-time\"",
   .maximum = kMaxJobSeconds, .over_minimum = true, .choices = "run-time|drop",
   .help = "A job without requested time: its run time is taken, it is dropped, or it gets this duration."},
  {.path = "workload.filter.overrun", .type = choice, .fallback = "\"kill\"", .choices = "kill|raise",
   .help = "A run time over the requested time: killed at the limit, or the request is raised to the run "
           "time."},
  {.path = "workload.filter.requestedTime", .type = choice, .fallback = "\"log\"", .choices = "log|run-time",
   .help = "What jobs ask for: the log's requested time, or just the time they will run, as if their users knew "
           "(clairvoyant), at least 1 s."},
  {.path = "workload.filter.minRunTime", .type = duration, .fallback = "0", .maximum = kMaxSeconds,
   .help = "Shorter jobs are dropped."},
  {.path = "workload.filter.maxProcessors", .type = integer, .fallback = "0", .maximum = kMaxCount,
   .help = "Wider jobs are dropped; 0: none."},
  {.path = "workload.maxJobs", .type = integer, .fallback = "0",
   .help = "Only the first so many jobs; 0: all. The same as --max-jobs."},
  {.path = "workload.checkpointInterval", .type = duration, .fallback = "0", .maximum = kMaxJobSeconds,
   .help = "Jobs that are requeued go on from their last whole interval of run time; 0: they begin anew. Writing and reading "
           "checkpoints takes no time of its own."},
  {.path = "workload.communication", .type = array, .minimum = 1,
   .help = "How jobs without a communication of their own communicate; drawn for each job (docs/network.md)."},
  {.path = "workload.communication[]", .type = object, .help = "Some of the jobs."},
  {.path = "workload.communication[].ofJobs", .type = number, .fallback = "1", .maximum = 1, .over_minimum = true,
   .help = "Share of the jobs of that width. What is left over has none."},
  {.path = "workload.communication[].minNodes", .type = integer, .fallback = "1", .minimum = 1, .maximum = kMaxCount,
   .help = "Of jobs with so many nodes at least; jobs that ask for cores: as many as they need of their queue's first "
           "group."},
  {.path = "workload.communication[].maxNodes", .type = integer, .minimum = 1, .maximum = kMaxCount,
   .help = "And so many at most. Default: no limit."},
  {.path = "workload.communication[].name", .type = string, .minimum = 1,
   .help = "Its name in reports; default: pattern and message size."},
  {.path = "workload.communication[].pattern", .type = choice, .required = true,
   .choices = "none|latency|bandwidth|allreduce|all-to-all", .help = "Who talks to whom (docs/network.md)."},
  {.path = "workload.communication[].share", .type = number, .maximum = 1,
   .help = "Share of the run time that is communication when all nodes are on one last network node; required unless the "
           "pattern is none."},
  {.path = "workload.communication[].messageBytes", .type = integer, .fallback = "8", .maximum = kMaxMessageBytes,
   .unit = "bytes", .help = "Of one message of one rank; of allreduce the vector's."},
  {.path = "workload.communication[].ranksPerNode", .type = integer, .fallback = "1", .minimum = 1, .maximum = 4096,
   .help = "Ranks of a node that communicate at the same time, and share its interface."},
  {.path = "workload.generator", .type = choice, .choices = "lublin|poisson",
   .help = "A synthetic workload: the model of Lublin and Feitelson (JPDC 63(11), 2003), or jobs of one width whose "
           "arrivals are a Poisson process."},
  {.path = "workload.jobCount", .type = integer, .fallback = "10000", .minimum = 1, .maximum = 10'000'000,
   .help = "Generator: number of jobs."},
  {.path = "workload.processors", .type = integer, .fallback = "128", .minimum = 1, .maximum = 1'000'000,
   .help = "Generator lublin: width of the modelled machine; the widest job takes all of it."},
  {.path = "workload.jobTypes", .type = boolean, .fallback = "true",
   .help = "Generator lublin: batch and interactive jobs are drawn from streams of their own."},
  {.path = "workload.meanInterarrival", .type = duration, .maximum = kMaxJobSeconds, .over_minimum = true,
   .help = "Generator poisson, required there: mean time between arrivals."},
  {.path = "workload.runTime", .type = distribution,
   .help = "Generator poisson, required there: run times, drawn to the microsecond."},
  {.path = "workload.processorsPerJob", .type = integer, .fallback = "1", .minimum = 1, .maximum = 1'000'000,
   .help = "Generator poisson: width of every job."},
  {.path = "workload.users", .type = map,
   .help = "Generator poisson: who submits the jobs, each drawn by its weight; one unknown user where nobody is named."},
  {.path = "workload.users.*", .type = number, .maximum = 1'000'000, .over_minimum = true,
   .help = "A user's weight."},
  {.path = "workload.estimateFactor", .type = number, .fallback = "1", .minimum = 1, .maximum = 1000,
   .help = "Generator: requested time = run time times this, rounded up to a minute."},
  {.path = "workload.loadFactor", .type = number, .fallback = "1", .maximum = 1000, .over_minimum = true,
   .help = "Generator: gaps between arrivals are divided by it."},
  {.path = "workload.jobs", .type = array, .help = "The jobs themselves. Names and meaning follow sbatch."},
  {.path = "workload.jobs[]", .type = object, .help = "One job."},
  {.path = "workload.jobs[].id", .type = string, .minimum = 1,
   .help = "Unique name of the job; default: its position, from 1."},
  {.path = "workload.jobs[].submit", .type = duration, .fallback = "0", .maximum = kMaxSeconds,
   .help = "When it is submitted, from the start of the run."},
  {.path = "workload.jobs[].queue", .type = string, .minimum = 1,
   .help = "Its queue; default: the first. Under policy slurm also several, as in \"a,b\". Not in a pool."},
  {.path = "workload.jobs[].user", .type = string, .fallback = "\"\"", .help = "Who submits it."},
  {.path = "workload.jobs[].nodes", .type = scalar,
   .help = "Nodes (sbatch --nodes), at least 1; default: as many as it takes. Under policy slurm also a range such as "
           "\"2-5\". Not in a pool."},
  {.path = "workload.jobs[].useMinNodes", .type = boolean, .fallback = "false",
   .help = "sbatch --use-min-nodes: of a range the smaller number of nodes, if it suffices. Policy slurm only."},
  {.path = "workload.jobs[].tasksPerNode", .type = integer, .minimum = 1, .maximum = kMaxCount,
   .help = "Tasks, that is cores, on each node (sbatch --ntasks-per-node); together with cpus: at most so "
           "many. Not in a pool."},
  {.path = "workload.jobs[].cpus", .type = integer, .minimum = 1, .maximum = kMaxCount,
   .help = "Cores in total (sbatch --ntasks), divided evenly over the nodes where these are given, rounded "
           "up; under policy slurm as sbatch does. Default: one on each node."},
  {.path = "workload.jobs[].tasks", .type = integer, .minimum = 1, .maximum = kMaxCount,
   .help = "Tasks in total (sbatch --ntasks), in place of cpus. Policy slurm only."},
  {.path = "workload.jobs[].cpusPerTask", .type = integer, .minimum = 1, .maximum = kMaxCount,
   .help = "Cores of each task (sbatch --cpus-per-task). Default: 1. Policy slurm only."},
  {.path = "workload.jobs[].memoryPerNode", .type = integer, .minimum = 1, .maximum = kMaxCount, .unit = "MiB",
   .help = "Memory on each node (sbatch --mem); default: DefMemPerNode, or else all of it. Policy slurm with "
           "CR_CPU_Memory only."},
  {.path = "workload.jobs[].memoryPerCpu", .type = integer, .minimum = 1, .maximum = kMaxCount, .unit = "MiB",
   .help = "Memory for each core, in place of memoryPerNode (sbatch --mem-per-cpu). Policy slurm with CR_CPU_Memory "
           "only."},
  {.path = "workload.jobs[].exclusive", .type = scalar, .fallback = "false",
   .help = "Takes whole nodes (sbatch --exclusive); not in a pool. \"user\": shares them with jobs of its user only "
           "(--exclusive=user); policy slurm only."},
  {.path = "workload.jobs[].timeLimit", .type = duration, .maximum = kMaxJobSeconds, .over_minimum = true,
   .help = "Requested time (sbatch --time): the job is killed at this run time. Default: none."},
  {.path = "workload.jobs[].runTime", .type = duration, .required = true, .maximum = kMaxJobSeconds,
   .help = "How long it really runs; policies do not see it."},
  {.path = "workload.jobs[].exitCode", .type = integer, .fallback = "0", .maximum = 255,
   .help = "How it really ends: other than 0, it has failed."},
  {.path = "workload.jobs[].checkpointInterval", .type = duration, .maximum = kMaxJobSeconds,
   .help = "The same for this job. Default: the workload's."},
  {.path = "workload.jobs[].communication", .type = object,
   .help = "How it communicates. Default: as the workload's communication says, else its run time does not depend on where "
           "it runs."},
  {.path = "workload.jobs[].communication.name", .type = string, .minimum = 1,
   .help = "Its name in reports; default: pattern and message size."},
  {.path = "workload.jobs[].communication.pattern", .type = choice, .required = true,
   .choices = "none|latency|bandwidth|allreduce|all-to-all", .help = "Who talks to whom (docs/network.md)."},
  {.path = "workload.jobs[].communication.share", .type = number, .maximum = 1,
   .help = "Share of the run time that is communication when all nodes are on one last network node; required unless the "
           "pattern is none."},
  {.path = "workload.jobs[].communication.messageBytes", .type = integer, .fallback = "8", .maximum = kMaxMessageBytes,
   .unit = "bytes", .help = "Of one message of one rank; of allreduce the vector's."},
  {.path = "workload.jobs[].communication.ranksPerNode", .type = integer, .fallback = "1", .minimum = 1, .maximum = 4096,
   .help = "Ranks of a node that communicate at the same time, and share its interface."},
  {.path = "workload.jobs[].stopTime", .type = duration, .fallback = "0", .maximum = kMaxJobSeconds,
   .help = "How long its processes take to go when they are told to end (SIGTERM); after KillWait they are gone. Policy "
           "slurm only."},
  {.path = "workload.jobs[].name", .type = string, .minimum = 1,
   .help = "sbatch --job-name, for the dependency singleton. Policy slurm only."},
  {.path = "workload.jobs[].dependency", .type = string, .minimum = 1,
   .help = "sbatch --dependency: after:ID[+MINUTES], afterany:ID, afterok:ID, afternotok:ID, aftercorr:ID (several with "
           ":), singleton; joined by \",\" (all) or \"?\" (any). IDs are ids of jobs submitted before. Policy slurm only."},
  {.path = "workload.jobs[].array", .type = string, .minimum = 1,
   .help = "sbatch --array: 0-9, 1,3,5-9:2, 0-99%10 (10 at a time). Task n of job ID is job ID_n. Policy slurm only."},
  {.path = "workload.jobs[].priority", .type = integer, .minimum = 1, .maximum = 4'294'967'294,
   .help = "sbatch --priority. Policy slurm only."},
  {.path = "workload.jobs[].nice", .type = integer, .minimum = -2'147'483'645, .maximum = 2'147'483'645,
   .help = "sbatch --nice: taken off the priority. Policy slurm only."},
  {.path = "workload.jobs[].begin", .type = duration, .maximum = kMaxJobSeconds,
   .help = "sbatch --begin: it may start so long after its submission. Policy slurm only."},
  {.path = "workload.jobs[].deadline", .type = duration, .maximum = kMaxJobSeconds, .over_minimum = true,
   .help = "sbatch --deadline: it is removed when it can no longer be over so long after its submission. Policy slurm "
           "only."},
  {.path = "workload.jobs[].timeMin", .type = duration, .maximum = kMaxJobSeconds, .over_minimum = true,
   .help = "sbatch --time-min: backfill may shorten its limit so far to start it sooner; with a deadline, what it needs at "
           "least. Policy slurm only."},
  {.path = "workload.jobs[].hold", .type = boolean, .fallback = "false",
   .help = "sbatch --hold: it waits until it is released (operations). Policy slurm only."},
  {.path = "workload.jobs[].requeue", .type = boolean,
   .help = "Whether it waits again when it loses a node (sbatch --requeue, --no-requeue). Default: JobRequeue, that is "
           "true."},
  {.path = "workload.jobs[].account", .type = string, .minimum = 1,
   .help = "sbatch --account; default: the user's first. Policy slurm only."},
  {.path = "workload.jobs[].qos", .type = string, .minimum = 1,
   .help = "sbatch --qos; default: the association's. Policy slurm only."},
  {.path = "workload.jobs[].constraint", .type = string, .minimum = 1,
   .help = "sbatch --constraint: features of its nodes: a&b, a|b, (a|b)&c, [a|b] (one of them for all nodes), [a*2&b*1] "
           "(so many nodes of each). Policy slurm only."},
  {.path = "workload.jobs[].gres", .type = string, .minimum = 1,
   .help = "sbatch --gres: generic resources on each node, NAME[:TYPE][:COUNT] joined by \",\". Policy slurm only."},
  {.path = "workload.jobs[].gpus", .type = scalar,
   .help = "sbatch --gpus: GPUs of the job, [TYPE:]COUNT. Policy slurm only."},
  {.path = "workload.jobs[].gpusPerNode", .type = scalar,
   .help = "sbatch --gpus-per-node: GPUs on each node, [TYPE:]COUNT. Policy slurm only."},
  {.path = "workload.jobs[].gpusPerTask", .type = scalar,
   .help = "sbatch --gpus-per-task: GPUs of each task, [TYPE:]COUNT. Policy slurm only."},
  {.path = "workload.jobs[].gpusPerSocket", .type = scalar,
   .help = "sbatch --gpus-per-socket: GPUs on each of so many sockets of a node (socketsPerNode), [TYPE:]COUNT. Policy "
           "slurm only."},
  {.path = "workload.jobs[].socketsPerNode", .type = integer, .minimum = 1, .maximum = 65533,
   .help = "sbatch --sockets-per-node, for gpusPerSocket only. Policy slurm only."},
  {.path = "workload.jobs[].cpusPerGpu", .type = integer, .minimum = 1, .maximum = 65533,
   .help = "sbatch --cpus-per-gpu: cores that come with each GPU. Policy slurm only."},
  {.path = "workload.jobs[].tasksPerGpu", .type = integer, .minimum = 1, .maximum = 65533,
   .help = "sbatch --ntasks-per-gpu: so many tasks for each GPU; without GPUs the tasks say how many of them. Policy "
           "slurm only."},
  {.path = "workload.jobs[].memoryPerGpu", .type = integer, .minimum = 1, .maximum = kMaxCount, .unit = "MiB",
   .help = "Memory for each GPU, in place of memoryPerNode (sbatch --mem-per-gpu); default: DefMemPerGPU. Policy slurm "
           "with CR_CPU_Memory only."},
  {.path = "workload.jobs[].prefer", .type = string, .minimum = 1,
   .help = "sbatch --prefer: features that its nodes have if they are free, in place of constraint; without them backfill alone "
           "starts it. Policy slurm only."},
  {.path = "workload.jobs[].nodelist", .type = string, .minimum = 1,
   .help = "sbatch --nodelist: nodes that it must have, such as compute-1-[1-3]; more are added if it takes more. Policy slurm "
           "only."},
  {.path = "workload.jobs[].exclude", .type = string, .minimum = 1,
   .help = "sbatch --exclude: nodes that it must not have. Policy slurm only."},
  {.path = "workload.jobs[].reservation", .type = string, .minimum = 1,
   .help = "sbatch --reservation: the reservation that it uses, one of scheduler.slurmReservations. Policy slurm only."},
  {.path = "workload.jobs[].licenses", .type = string, .minimum = 1,
   .help = "sbatch --licenses: NAME[:COUNT] joined by \",\"; from 25.05 on also by \"|\" (any). Policy slurm only."},
  {.path = "workload.jobs[].contiguous", .type = boolean, .fallback = "false",
   .help = "sbatch --contiguous: its nodes are neighbours. Policy slurm only."},
  {.path = "workload.jobs[].spreadJob", .type = boolean, .fallback = "false",
   .help = "sbatch --spread-job. Policy slurm only."},
  {.path = "workload.jobs[].switches", .type = scalar,
   .help = "sbatch --switches: COUNT[@MINUTES]: leaf switches at most, and how long it waits for that. Policy slurm only."},
  {.path = "workload.jobs[].coreSpec", .type = integer, .minimum = 0, .maximum = kMaxCount,
   .help = "sbatch --core-spec: cores of each node that it leaves to the system; it takes whole nodes. Without effect "
           "unless AllowSpecResourcesUsage is YES. Policy slurm only."},
  {.path = "workload.jobs[].oversubscribe", .type = boolean, .fallback = "false",
   .help = "sbatch --oversubscribe: it may have CPUs together with other such jobs. Without effect unless the "
           "partition's OverSubscribe is YES, and on a job that is exclusive. Policy slurm only."},
  {.path = "workload.jobs[].overcommit", .type = boolean, .fallback = "false",
   .help = "sbatch --overcommit: one core on each node, whatever its tasks. Policy slurm only."},
  {.path = "workload.jobs[].hetComponents", .type = integer, .minimum = 2, .maximum = 128,
   .help = "This job and those after it in the list, so many in all, are the components of one heterogeneous job, with one "
           "submit, user and runTime: they are submitted together and start together. Policy slurm only."},
  {.path = "workload.jobs[].het", .type = array, .use = unsupported},
  {.path = "workload.jobs[].efa", .type = boolean, .use = unsupported},

  {.path = "pcs", .type = object,
   .help = "The control plane: how long its work takes and how much it allows. AWS publishes no times but \"several "
           "minutes\"; these are parameters."},
  {.path = "pcs.createClusterTime", .type = duration, .fallback = "300", .maximum = 86'400, .help = "A cluster CREATING."},
  {.path = "pcs.updateClusterTime", .type = duration, .fallback = "300", .maximum = 86'400, .help = "A cluster UPDATING."},
  {.path = "pcs.deleteClusterTime", .type = duration, .fallback = "300", .maximum = 86'400, .help = "A cluster DELETING."},
  {.path = "pcs.createGroupTime", .type = duration, .fallback = "120", .maximum = 86'400,
   .help = "A compute node group CREATING."},
  {.path = "pcs.updateGroupTime", .type = duration, .fallback = "120", .maximum = 86'400,
   .help = "A compute node group UPDATING; what was updated counts from then on (PCS-19)."},
  {.path = "pcs.deleteGroupTime", .type = duration, .fallback = "120", .maximum = 86'400,
   .help = "A compute node group DELETING."},
  {.path = "pcs.createQueueTime", .type = duration, .fallback = "120", .maximum = 86'400, .help = "A queue CREATING."},
  {.path = "pcs.updateQueueTime", .type = duration, .fallback = "120", .maximum = 86'400,
   .help = "A queue UPDATING; it takes no new jobs meanwhile (PCS-31)."},
  {.path = "pcs.deleteQueueTime", .type = duration, .fallback = "120", .maximum = 86'400, .help = "A queue DELETING."},
  {.path = "pcs.clusterQuota", .type = integer, .fallback = "5", .minimum = 1, .maximum = kMaxCount,
   .help = "Clusters in the account and Region; AWS's default, adjustable (PCS-4)."},
  {.path = "pcs.groupQuota", .type = integer, .minimum = 1, .maximum = kMaxCount,
   .help = "Compute node groups in a cluster that CreateComputeNodeGroup allows. Default: 10 in edition 2026-08, AWS's; "
           "none before."},
  {.path = "pcs.queueQuota", .type = integer, .minimum = 1, .maximum = kMaxCount,
   .help = "Queues in a cluster that CreateQueue allows. Default: 10 in edition 2026-08, AWS's; none before."},

  {.path = "operations", .type = array,
   .help = "What users and operators ask for while the cluster runs, and calls of the PCS API (docs/operations.md)."},
  {.path = "operations[]", .type = object, .help = "One request."},
  {.path = "operations[].at", .type = duration, .required = true, .maximum = kMaxSeconds,
   .help = "When, from the start of the run."},
  {.path = "operations[].action", .type = choice, .required = true,
   .choices = "cancel|hold|release|requeue|resume|down|drain|power-down|power-up|update|CreateCluster|UpdateCluster|"
              "DeleteCluster|CreateComputeNodeGroup|UpdateComputeNodeGroup|DeleteComputeNodeGroup|CreateQueue|UpdateQueue|"
              "DeleteQueue",
   .help = "Of a job: scancel, scontrol hold, release, requeue. Of nodes: scontrol update state=RESUME, DOWN, DRAIN, "
           "POWER_DOWN, POWER_UP. Of a job or a queue: scontrol update of its settings. All of these: policy slurm only. "
           "The others are calls of the PCS API, for every policy but not with a pool."},
  {.path = "operations[].job", .type = string, .minimum = 1,
   .help = "The job, which has been submitted by then; of an array all tasks, or one (ID_n)."},
  {.path = "operations[].queue", .type = string, .minimum = 1, .help = "Of update: the partition."},
  {.path = "operations[].settings", .type = map,
   .help = "Of update: what changes. Of a job Nice, SiteFactor, Priority, TimeLimit, Partition; of a queue what "
           "scheduler.slurmPartitions takes."},
  {.path = "operations[].settings.*", .type = scalar, .help = "The new value; true and false are YES and NO."},
  {.path = "operations[].node", .type = string, .minimum = 1,
   .help = "The node, or a list such as compute-1-[1-3]."},
  {.path = "operations[].clusterIdentifier", .type = string, .minimum = 1,
   .help = "Of a call: the cluster by name or id. Default: the scenario's."},
  {.path = "operations[].computeNodeGroupIdentifier", .type = string, .minimum = 1,
   .help = "Of UpdateComputeNodeGroup and DeleteComputeNodeGroup: the group by name or id."},
  {.path = "operations[].queueIdentifier", .type = string, .minimum = 1,
   .help = "Of UpdateQueue and DeleteQueue: the queue by name or id."},
  {.path = "operations[].clusterName", .help = "Of CreateCluster. Another cluster is not simulated; its calls are answered.",
   .like = "cluster.clusterName"},
  {.path = "operations[].size", .help = "Of CreateCluster.", .like = "cluster.size"},
  {.path = "operations[].scheduler", .help = "Of CreateCluster. UpdateCluster: only as it is.", .like = "cluster.scheduler"},
  {.path = "operations[].networking", .help = kApiPrints, .like = "cluster.networking"},
  {.path = "operations[].computeNodeGroupName", .help = "Of CreateComputeNodeGroup.",
   .like = "computeNodeGroups[].computeNodeGroupName"},
  {.path = "operations[].scalingConfiguration",
   .help = "Of CreateComputeNodeGroup and UpdateComputeNodeGroup, as in computeNodeGroups.",
   .like = "computeNodeGroups[].scalingConfiguration"},
  {.path = "operations[].instanceConfigs", .help = "The same; an update of it is refused (PCS-13).",
   .like = "computeNodeGroups[].instanceConfigs"},
  {.path = "operations[].subnetIds", .help = "The same; an update of it is not followed.",
   .like = "computeNodeGroups[].subnetIds"},
  {.path = "operations[].purchaseOption", .help = "The same; an update of it is not followed.",
   .like = "computeNodeGroups[].purchaseOption"},
  {.path = "operations[].spotOptions", .type = free,
   .help = "The same. An update of a group that is bought on demand has no effect (PCS-14)."},
  {.path = "operations[].customLaunchTemplate", .help = "The same; an update replaces instances when they are idle (PCS-19).",
   .like = "computeNodeGroups[].customLaunchTemplate"},
  {.path = "operations[].amiId", .type = string, .help = "The same; an update replaces instances when they are idle."},
  {.path = "operations[].iamInstanceProfileArn", .type = string,
   .help = "The same; an update replaces instances when they are idle."},
  {.path = "operations[].nodeLifecycleActions", .type = free,
   .help = "The same; an update replaces instances when they are idle."},
  {.path = "operations[].queueName", .help = "Of CreateQueue.", .like = "queues[].queueName"},
  {.path = "operations[].computeNodeGroupConfigurations", .help = "Of CreateQueue and UpdateQueue, as in queues.",
   .like = "queues[].computeNodeGroupConfigurations"},
  {.path = "operations[].slurmConfiguration", .type = object,
   .help = "Of creations and updates, as in cluster, computeNodeGroups and queues."},
  {.path = "operations[].slurmConfiguration.scaleDownIdleTimeInSeconds",
   .help = "Of a group (edition 2026-08) or a cluster; UpdateCluster changes it for all groups without their own.",
   .like = "computeNodeGroups[].slurmConfiguration.scaleDownIdleTimeInSeconds"},
  {.path = "operations[].slurmConfiguration.slurmCustomSettings",
   .help = "As there. An update to other settings is not followed; of a group, the same ones again replace its instances.",
   .like = "computeNodeGroups[].slurmConfiguration.slurmCustomSettings"},
  {.path = "operations[].slurmConfiguration.slurmdbdCustomSettings", .type = array, .use = ignored, .help = kApiPrints},
  {.path = "operations[].slurmConfiguration.cgroupCustomSettings", .type = array, .use = ignored, .help = kApiPrints},
  {.path = "operations[].slurmConfiguration.accounting", .type = object, .use = ignored, .help = kApiPrints},
  {.path = "operations[].slurmConfiguration.slurmRest", .type = object, .use = ignored, .help = kApiPrints},
  {.path = "operations[].clientToken", .type = string, .use = ignored, .help = kApiPrints},
  {.path = "operations[].tags", .type = object, .use = ignored, .help = kApiPrints},
  {.path = "operations[].fails", .type = boolean, .fallback = "false",
   .help = "Of a call: the work ends in CREATE_FAILED, UPDATE_FAILED or DELETE_FAILED, and changes nothing."},
  {.path = "faults", .type = array, .help = "What breaks (docs/faults.md)."},
  {.path = "faults[]", .type = object, .help = "One fault."},
  {.path = "faults[].fault", .type = choice, .required = true,
   .choices = "node-lost|node-back|boot-failure|slow-boot|instance-reboot|instance-stop|health-check|scheduled-event|"
              "hardware-failure|instance-terminate|spot-interruption|zone-outage|capacity-drought|api-brownout",
   .help = "What happens. node-lost and node-back (the node's slurmd and its jobs die unheard; slurmd answers again): policy "
           "slurm only. The others: not with a pool."},
  {.path = "faults[].at", .type = duration, .maximum = kMaxSeconds,
   .help = "When, from the start of the run; not of boot-failure and slow-boot, required otherwise."},
  {.path = "faults[].node", .type = string, .minimum = 1,
   .help = "The node, or a list such as compute-1-[1-3], whose instance it befalls, if it has one then."},
  {.path = "faults[].group", .type = string, .minimum = 1, .help = "In place of node: all nodes of the compute node group."},
  {.path = "faults[].times", .type = integer, .minimum = 1, .maximum = 1'000'000,
   .help = "Of boot-failure and slow-boot: only the first so many boots of each node. Default: all."},
  {.path = "faults[].factor", .type = number, .minimum = 1, .maximum = 1000,
   .help = "Of slow-boot, required there: so many times as long the bootstrap takes."},
  {.path = "faults[].for", .type = duration, .maximum = kMaxSeconds, .over_minimum = true,
   .help = "Of zone-outage, capacity-drought and api-brownout, required there: how long it lasts."},
  {.path = "faults[].availabilityZone", .type = string, .minimum = 1,
   .help = "Of zone-outage, required there: every instance in the zone is lost, and it gives none meanwhile. Of "
           "capacity-drought: only there."},
  {.path = "faults[].instanceType", .type = string, .minimum = 1,
   .help = "Of capacity-drought, required there: an instance type, or a family such as c6i.*."},
  {.path = "faults[].limit", .type = integer, .fallback = "0", .maximum = kMaxCount,
   .help = "Of capacity-drought: so many instances of each type in each zone may be there; more are refused."},
  {.path = "faults[].share", .type = number, .fallback = "1", .maximum = 1,
   .help = "Of api-brownout: share of launch requests that is refused."},
  {.path = "faults[].error", .type = choice, .fallback = "\"RequestLimitExceeded\"",
   .choices = "RequestLimitExceeded|InternalError", .help = "Of api-brownout: the error code of refused requests."},
  {.path = "budgets", .type = array, .help = "What may be spent, and what happens when it is."},
  {.path = "budgets[]", .type = object, .help = "One budget."},
  {.path = "budgets[].name", .type = string, .required = true, .minimum = 1, .help = "Its name in reports."},
  {.path = "budgets[].usd", .type = number, .required = true, .maximum = 1'000'000'000, .over_minimum = true,
   .unit = "USD",
   .help = "How much: instances at the prices that stand, paid by the microsecond, fees, reservations and commitments."},
  {.path = "budgets[].period", .type = choice_or_duration, .fallback = "\"run\"", .minimum = 1, .maximum = kMaxSeconds,
   .choices = "run",
   .help = "For how long, from the start of the run; then it begins anew. run: for all of it."},
  {.path = "budgets[].actions", .type = array, .required = true, .minimum = 1, .help = "What happens."},
  {.path = "budgets[].actions[]", .type = object, .help = "One action."},
  {.path = "budgets[].actions[].atPercent", .type = integer, .fallback = "100", .minimum = 1, .maximum = 1000,
   .help = "When so much of it is spent."},
  {.path = "budgets[].actions[].action", .type = choice, .required = true, .choices = "alert|stop-launching",
   .help = "It is told; or no instance is launched any more until the period is over. Nodes that are there stay, and take "
           "jobs."},
  {.path = "expect", .type = object,
   .help = "What the run must give. Dropped when the command line changes the scenario."},
  {.path = "expect.digest", .type = string, .fallback = "\"\"", .help = "Digest of the run's journal."},
};
// clang-format on

constexpr ExactlyOne kExactlyOne[] = {
    {"cluster", {"clusterName", "name"}},         {"computeNodeGroups[]", {"computeNodeGroupName", "name"}},
    {"queues[]", {"queueName", "name"}},          {"cloud.spot.prices[]", {"factor", "usdPerHour", "series"}},
    {"workload", {"trace", "generator", "jobs"}},
};

// A last part "[]" or "*" or a key, and what is before it.
std::pair<std::string_view, std::string_view> split_last(std::string_view path) {
  if (path.ends_with("[]")) return {path.substr(0, path.size() - 2), "[]"};
  const auto dot = path.rfind('.');
  if (dot == std::string_view::npos) return {"", path};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

// Parents come before children, and options before those that are like them, so that it is there.
OptionNode& node_at(OptionNode& root, std::string_view path) {
  if (path.empty()) return root;
  const auto [parent, last] = split_last(path);
  const OptionNode* const node = node_at(root, parent).child(last);
  ensure(node != nullptr, "what an option refers to stands before it in the table");
  return const_cast<OptionNode&>(*node);
}

// Options that are like others, spelt out.
std::vector<Option> resolve_options() {
  std::vector<Option> options(std::begin(kOptions), std::end(kOptions));
  for (Option& option : options) {
    if (option.like.empty()) continue;
    const auto* const model = std::find_if(std::begin(kOptions), std::end(kOptions),
                                           [&](const Option& each) { return each.path == option.like; });
    ensure(model != std::end(kOptions), "an option is like one in the table");
    Option resolved = *model;
    resolved.path = option.path;
    resolved.help = option.help;
    resolved.like = option.like;
    resolved.required = false;
    resolved.fallback = {};
    option = resolved;
  }
  return options;
}

}  // namespace

std::span<const Option> scenario_options() {
  static const std::vector<Option> options = resolve_options();
  return options;
}

namespace {

OptionNode build_tree() {
  OptionNode root;
  root.option = &scenario_options()[0];
  for (const Option& option : scenario_options().subspan(1)) {
    const auto [parent, last] = split_last(option.path);
    OptionNode& node = node_at(root, parent);
    ensure(node.child(last) == nullptr, "an option stands once in the table");
    std::vector<OptionNode> children;
    if (!option.like.empty()) children = node_at(root, option.like).children;
    node.children.push_back({last, &option, std::move(children)});
  }
  return root;
}

}  // namespace

std::span<const ExactlyOne> exactly_one_groups() { return kExactlyOne; }

const OptionNode* OptionNode::child(std::string_view name) const {
  for (const OptionNode& node : children) {
    if (node.key == name) return &node;
  }
  return nullptr;
}

const OptionNode& option_tree() {
  static const OptionNode tree = build_tree();
  return tree;
}

std::vector<std::string_view> split_choices(std::string_view choices) {
  std::vector<std::string_view> parts;
  while (!choices.empty()) {
    const auto bar = choices.find('|');
    parts.push_back(choices.substr(0, bar));
    choices = bar == std::string_view::npos ? "" : choices.substr(bar + 1);
  }
  return parts;
}

}  // namespace headroom
