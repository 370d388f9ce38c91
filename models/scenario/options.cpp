#include "models/scenario/options.hpp"

#include <algorithm>

namespace headroom {
namespace {

using enum OptionType;
using enum OptionUse;

constexpr std::int64_t kMaxCount = std::numeric_limits<std::int32_t>::max();

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
   .choices = "ONDEMAND",
   .later_choices = "SPOT|CAPACITY_BLOCK|INTERRUPTIBLE_CAPACITY_RESERVATION",
   .help = "How instances are bought (PCS-14)."},
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
  {.path = "computeNodeGroups[].spotOptions", .type = object, .use = ignored, .help = kApiPrints},
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
  {.path = "launchTemplates", .type = map,
   .help = "Launch templates by id. Where it is given, it must hold every template named."},
  {.path = "launchTemplates.*", .type = free,
   .help = "EC2 LaunchTemplateData. Placement.GroupName is read (PCS-54); the rest has no effect."},
  {.path = "placementGroups", .type = map,
   .help = "Placement groups by name. Where it is given, it must hold every placement group named."},
  {.path = "placementGroups.*", .type = object, .help = "One placement group."},
  {.path = "placementGroups.*.strategy", .type = choice, .fallback = "\"cluster\"", .choices = "cluster",
   .later_choices = "partition|spread",
   .help = "How EC2 places its instances (PCS-55); no effect on time yet."},
  {.path = "placementGroups.*.partitionCount", .type = integer, .use = unsupported},
  {.path = "placementGroups.*.spreadLevel", .type = string, .use = unsupported},
  {.path = "capacityReservations", .type = array, .use = unsupported},

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
  {.path = "cloud.capacity", .type = object, .use = unsupported},
  {.path = "cloud.spot", .type = object, .use = unsupported},
  {.path = "cloud.throttling", .type = object, .use = unsupported},
  {.path = "cloud.quotas", .type = object, .use = unsupported},
  {.path = "network", .type = object, .use = unsupported},

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
  {.path = "faults", .type = array, .help = "What breaks. Policy slurm only."},
  {.path = "faults[]", .type = object, .help = "One fault."},
  {.path = "faults[].fault", .type = choice, .required = true, .choices = "node-lost|node-back|boot-failure",
   .later_choices = "instance-reboot",
   .help = "The node's slurmd and its jobs die unheard; slurmd answers again; instances of the node never get ready."},
  {.path = "faults[].at", .type = duration, .maximum = kMaxSeconds,
   .help = "When, from the start of the run; not of boot-failure, required otherwise."},
  {.path = "faults[].node", .type = string, .required = true, .minimum = 1,
   .help = "The node, or a list such as compute-1-[1-3]."},
  {.path = "faults[].times", .type = integer, .minimum = 1, .maximum = 1'000'000,
   .help = "Of boot-failure: only the first so many boots fail. Default: all."},
  {.path = "expect", .type = object,
   .help = "What the run must give. Dropped when the command line changes the scenario."},
  {.path = "expect.digest", .type = string, .fallback = "\"\"", .help = "Digest of the run's journal."},
};
// clang-format on

constexpr ExactlyOne kExactlyOne[] = {
    {"cluster", {"clusterName", "name"}},
    {"computeNodeGroups[]", {"computeNodeGroupName", "name"}},
    {"queues[]", {"queueName", "name"}},
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
