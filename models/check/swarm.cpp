#include "models/check/swarm.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "models/errors.hpp"
#include "models/policies/registry.hpp"
#include "models/random.hpp"
#include "models/report/stretch.hpp"
#include "models/report/tables.hpp"
#include "models/simulation.hpp"
#include "models/workload/load.hpp"

namespace headroom {
namespace {

using Json = nlohmann::ordered_json;

// Draws of one case.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : stream_(seed, Purpose::swarm, 0) {}
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(stream_.below(static_cast<std::uint64_t>(high - low + 1)));
  }
  bool one_in(std::uint64_t n) { return stream_.below(n) == 0; }
  template <class T>
  const T& any_of(const std::vector<T>& list) {
    return list[stream_.below(list.size())];
  }

 private:
  Substream stream_;
};

// Instance types that may be in one group.
const std::vector<std::vector<std::string>> kTypes = {
    {"c6i.xlarge", "m6i.xlarge", "r6i.xlarge"}, {"c6i.2xlarge", "m6i.2xlarge"}, {"c6g.xlarge", "m6g.xlarge"}};
constexpr std::int64_t kLastSubmit = 2 * 3600;
constexpr std::int64_t kDrain = 8 * 3600;

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : dice_(seed), seed_(seed) {}

  Json scenario() {
    newer_ = dice_.one_in(2);
    Json s;
    s["name"] = fmt::format("swarm-{}", seed_);
    s["seed"] = seed_;
    s["pcsEdition"] = newer_ ? "2026-08" : "2024-12";
    s["stallLimit"] = "2d";
    s["cluster"] = {{"clusterName", "swarm"},
                    {"scheduler", {{"type", "SLURM"}, {"version", newer_ ? "25.05" : "24.05"}}},
                    {"size", "SMALL"},
                    {"slurmConfiguration", {{"scaleDownIdleTimeInSeconds", dice_.between(30, 900)}}}};
    groups(s);
    queues(s);
    s["subnets"] = {{"subnet-a", {{"availabilityZone", "us-east-1a"}}},
                    {"subnet-b", {{"availabilityZone", "us-east-1b"}}}};
    if (dice_.one_in(4)) s["subnets"]["subnet-a"]["freeAddresses"] = dice_.between(0, 12);
    policy_ =
        dice_.any_of<std::string>({"easy", "easy", "fcfs", "conservative", "easy-sjbf", "easy++", "slurm", "slurm"});
    s["scheduler"] = {{"policy", policy_}};
    if (policy_ != "slurm" && dice_.one_in(3)) s["scheduler"]["sameInstant"] = "per-event";
    scaler(s);
    cloud(s);
    jobs(s);
    operations(s);
    faults(s);
    if (dice_.one_in(4)) {
      s["budgets"] = Json::array({{{"name", "all"},
                                   {"usd", 0.01 * static_cast<double>(dice_.between(1, 500))},
                                   {"period", dice_.any_of<std::string>({"run", "24h", "2h"})},
                                   {"actions", {{{"atPercent", 100}, {"action", "stop-launching"}}}}}});
    }
    network(s);
    communication(s);
    return s;
  }

 private:
  void groups(Json& s) {
    const std::int64_t count = dice_.between(1, 3);
    for (std::int64_t g = 1; g <= count; ++g) {
      const std::vector<std::string>& types = dice_.any_of(kTypes);
      Json group;
      group["computeNodeGroupName"] = fmt::format("group-{}", g);
      const std::int64_t most = dice_.between(1, 8);
      const bool is_static = dice_.one_in(4);
      const std::int64_t least = is_static ? most : newer_ && dice_.one_in(4) ? dice_.between(0, most) : 0;
      group["scalingConfiguration"] = {{"minInstanceCount", least}, {"maxInstanceCount", most}};
      group["instanceConfigs"] = Json::array({{{"instanceType", types.front()}}});
      for (std::size_t t = 1; t < types.size() && dice_.one_in(2); ++t) {
        group["instanceConfigs"].push_back({{"instanceType", types[t]}});
      }
      group["subnetIds"] = Json::array({"subnet-a"});
      if (dice_.one_in(3)) group["subnetIds"].push_back("subnet-b");
      if (!is_static && dice_.one_in(3)) {
        group["purchaseOption"] = "SPOT";
        group["spotOptions"] = {{"allocationStrategy", dice_.any_of<std::string>({"lowest-price", "capacity-optimized",
                                                                                  "price-capacity-optimized"})}};
      }
      group["slurmConfiguration"] = {
          {"slurmCustomSettings",
           Json::array({{{"parameterName", "Weight"}, {"parameterValue", std::to_string(dice_.between(1, 3))}}})}};
      groups_.push_back({group["computeNodeGroupName"], most, is_static});
      s["computeNodeGroups"].push_back(group);
    }
  }

  void queues(Json& s) {
    const std::int64_t count = dice_.between(1, 2);
    for (std::int64_t q = 1; q <= count; ++q) {
      Json configurations = Json::array();
      for (const Group& group : groups_) {
        if (dice_.one_in(2)) configurations.push_back({{"computeNodeGroupId", group.name}});
      }
      if (configurations.empty()) configurations.push_back({{"computeNodeGroupId", dice_.any_of(groups_).name}});
      const std::string name = fmt::format("queue-{}", q);
      s["queues"].push_back({{"queueName", name}, {"computeNodeGroupConfigurations", configurations}});
      queues_.push_back(name);
    }
  }

  void scaler(Json& s) {
    Json scaler = Json::object();
    if (policy_ != "slurm") {
      if (dice_.one_in(3)) scaler["interval"] = dice_.between(1, 60);
      scaler["bootTimeout"] = dice_.between(300, 1800);
    }
    scaler["suspendTimeout"] = dice_.between(1, 200);
    if (dice_.one_in(2)) scaler["launching"] = "incremental";
    if (dice_.one_in(2)) scaler["requestSize"] = dice_.between(1, 5);
    scaler["retryInterval"] = dice_.between(5, 200);
    if (dice_.one_in(2)) scaler["capacityTimeout"] = dice_.between(0, 900);
    s["scaler"] = scaler;
  }

  void cloud(Json& s) {
    Json cloud = {{"boot", {{"pending", {{"uniform", {5, 20}}}}, {"bootstrap", {{"uniform", {20, 200}}}}}}};
    cloud["controllerUsdPerHour"] = 0.5;
    cloud["nodeManagementUsdPerHour"] = 0.01;
    for (const std::vector<std::string>& types : kTypes) {
      for (const std::string& type : types) {
        if (!dice_.one_in(3)) continue;
        Json pool = {{"instanceType", type}, {"limit", dice_.between(0, 6)}};
        if (dice_.one_in(2)) pool["availabilityZone"] = dice_.one_in(2) ? "us-east-1a" : "us-east-1b";
        if (dice_.one_in(2)) {
          pool["schedule"] = Json::array({{{"at", dice_.between(0, 3600)}, {"limit", dice_.between(0, 6)}},
                                          {{"at", dice_.between(3601, 9000)}, {"limit", dice_.between(0, 6)}}});
        }
        cloud["capacity"].push_back(pool);
      }
    }
    if (dice_.one_in(3)) {
      cloud["quotas"] = {{"onDemand", {{"standard", dice_.between(4, 60)}}},
                         {"spot", {{"standard", dice_.between(4, 60)}}}};
    }
    if (dice_.one_in(3)) {
      cloud["throttling"] = {{"buckets",
                              {{"RunInstances", {{"size", dice_.between(1, 5)}, {"refillPerSecond", 0.1}}},
                               {"CreateFleet", {{"size", dice_.between(1, 5)}, {"refillPerSecond", 0.05}}}}}};
      cloud["launchApi"] = dice_.one_in(2) ? "RunInstances" : "CreateFleet";
    }
    if (dice_.one_in(3)) cloud["apiLatency"] = {{"uniform", {0, 5}}};
    if (dice_.one_in(2)) cloud["spot"] = {{"interruption", {{"default", dice_.between(600, 20000)}}}};
    if (dice_.one_in(3)) {
      cloud["failures"] = {{"timeToFailure", {{"weibull", {{"scale", dice_.between(2000, 40000)}, {"shape", 1.5}}}}},
                           {"effect", dice_.any_of<std::string>({"hardware", "reboot", "health-check"})},
                           {"failedStarts", 0.1},
                           {"bootFailures", 0.05},
                           {"slowBoots", {{"probability", 0.1}, {"factor", 4}}}};
    }
    s["cloud"] = cloud;
  }

  void jobs(Json& s) {
    const std::int64_t count = dice_.between(1, 40);
    Json jobs = Json::array();
    for (std::int64_t j = 0; j < count; ++j) {
      Json job = {{"submit", dice_.between(0, kLastSubmit)},
                  {"queue", dice_.any_of(queues_)},
                  {"user", dice_.one_in(2) ? "ann" : "bob"},
                  {"timeLimit", dice_.between(60, 4000)},
                  {"runTime", dice_.between(0, 4000)}};
      if (dice_.one_in(2)) {
        job["nodes"] = dice_.between(1, 5);
        if (dice_.one_in(2)) job["exclusive"] = true;
      } else {
        job["cpus"] = dice_.between(1, 8);
      }
      if (dice_.one_in(4)) job["checkpointInterval"] = dice_.between(30, 600);
      jobs.push_back(job);
    }
    s["workload"] = {{"jobs", jobs}};
  }

  void operations(Json& s) {
    Json all = Json::array();
    for (std::int64_t i = dice_.between(0, 4); i > 0; --i) {
      const std::int64_t at = dice_.between(100, 9000);
      const Group& group = dice_.any_of(groups_);
      switch (dice_.between(0, 3)) {
        case 0: {
          const std::int64_t most = dice_.between(1, 10);
          all.push_back({{"at", at},
                         {"action", "UpdateComputeNodeGroup"},
                         {"computeNodeGroupIdentifier", group.name},
                         {"scalingConfiguration",
                          {{"minInstanceCount", dice_.one_in(4) ? most : 0}, {"maxInstanceCount", most}}}});
          break;
        }
        case 1:
          all.push_back({{"at", at},
                         {"action", "UpdateComputeNodeGroup"},
                         {"computeNodeGroupIdentifier", group.name},
                         {"amiId", "ami-0123456789abcdef0"}});
          break;
        case 2:
          all.push_back({{"at", at},
                         {"action", "UpdateQueue"},
                         {"queueIdentifier", dice_.any_of(queues_)},
                         {"computeNodeGroupConfigurations", Json::array({{{"computeNodeGroupId", group.name}}})}});
          break;
        default:
          all.push_back({{"at", at}, {"action", "DeleteQueue"}, {"queueIdentifier", dice_.any_of(queues_)}});
          break;
      }
    }
    if (dice_.one_in(2)) {  // drain: everything goes
      for (const std::string& queue : queues_) {
        all.push_back({{"at", kDrain}, {"action", "DeleteQueue"}, {"queueIdentifier", queue}});
      }
      for (const Group& group : groups_) {
        all.push_back(
            {{"at", kDrain + 3600}, {"action", "DeleteComputeNodeGroup"}, {"computeNodeGroupIdentifier", group.name}});
      }
    }
    if (!all.empty()) s["operations"] = all;
  }

  void faults(Json& s) {
    Json all = Json::array();
    for (std::int64_t i = dice_.between(0, 5); i > 0; --i) {
      const std::int64_t at = dice_.between(50, 10000);
      const Group& group = dice_.any_of(groups_);
      const std::string node = fmt::format("{}-{}", group.name, dice_.between(1, group.most));
      switch (dice_.between(0, 4)) {
        case 0:
          all.push_back({{"at", at},
                         {"fault", "zone-outage"},
                         {"availabilityZone", "us-east-1a"},
                         {"for", dice_.between(60, 4000)}});
          break;
        case 1:
          all.push_back(
              {{"at", at}, {"fault", "capacity-drought"}, {"instanceType", "c6i.*"}, {"for", dice_.between(60, 4000)}});
          break;
        case 2:
          all.push_back({{"at", at}, {"fault", "api-brownout"}, {"for", dice_.between(60, 4000)}});
          break;
        default:
          all.push_back(
              {{"at", at},
               {"fault", dice_.any_of<std::string>({"instance-reboot", "instance-stop", "health-check",
                                                    "scheduled-event", "hardware-failure", "instance-terminate"})},
               {"node", node}});
          break;
      }
    }
    if (!all.empty()) s["faults"] = all;
  }

  // Drawn last, so that it changes nothing else of a case.
  void network(Json& s) {
    if (!dice_.one_in(2)) return;
    Json fabric = {{"instanceType", dice_.any_of<std::string>({"*", "*", "c6i.*"})},
                   {"layers", Json::array({1, dice_.between(1, 3), dice_.between(1, 4)})},
                   {"slotsPerLeaf", dice_.between(1, 6)},
                   {"occupied", 0.1 * static_cast<double>(dice_.between(0, 8))},
                   {"correlation", 0.25 * static_cast<double>(dice_.between(0, 4))},
                   {"holdTime", dice_.between(60, 20000)},
                   {"segmentLayer", dice_.between(1, 3)},
                   {"fill", dice_.any_of<std::string>({"random", "packed"})}};
    if (dice_.one_in(3)) fabric["availabilityZone"] = "us-east-1a";
    s["network"]["fabrics"] = Json::array({fabric});
    s["network"]["placementScope"] = dice_.any_of<std::string>({"group", "queue", "job"});
    if (s["scheduler"]["policy"] != "slurm") {
      s["scheduler"]["nodeChoice"] = dice_.any_of<std::string>({"order", "compact", "tree"});
    }
    s["placementGroups"] = {{"cluster", Json::object()},
                            {"parts", {{"strategy", "partition"}, {"partitionCount", dice_.between(1, 7)}}},
                            {"spread", {{"strategy", "spread"}}}};
    for (const char* name : {"cluster", "parts", "spread"}) {
      s["launchTemplates"][fmt::format("lt-{}", name)] = {{"Placement", {{"GroupName", name}}}};
    }
    for (Json& group : s["computeNodeGroups"]) {
      const std::string id = dice_.any_of<std::string>({"", "lt-cluster", "lt-cluster", "lt-parts", "lt-spread"});
      if (!id.empty()) group["customLaunchTemplate"] = {{"id", id}, {"version", "1"}};
    }
  }

  // Drawn after the network, so that it changes nothing else either.
  void communication(Json& s) {
    if (!dice_.one_in(2)) return;
    for (const char* pattern : {"latency", "bandwidth", "allreduce", "all-to-all"}) {
      s["workload"]["communication"].push_back({{"ofJobs", 0.25},
                                                {"pattern", pattern},
                                                {"share", 0.1 * static_cast<double>(dice_.between(0, 10))},
                                                {"messageBytes", std::int64_t{1} << dice_.between(0, 22)},
                                                {"ranksPerNode", dice_.between(1, 8)}});
    }
  }

  struct Group {
    std::string name;
    std::int64_t most;
    bool is_static;
  };
  Dice dice_;
  std::uint64_t seed_;
  bool newer_ = false;
  std::string policy_;
  std::vector<Group> groups_;
  std::vector<std::string> queues_;
};

// Books of its own, kept from news and commands alone.
class Watch {
 public:
  Watch(const Design& design, SwarmReport& report) : design_(design), report_(report) {
    for (const NodeGroupSpec& group : design.spec.groups) {
      for (std::int32_t i = 0; i < group.nodes; ++i) {
        cores_of_.push_back(group.cores);
        group_of_.push_back(static_cast<std::uint32_t>(first_.size()));
      }
      first_.push_back(static_cast<std::uint32_t>(nodes_.size()));
      nodes_.resize(nodes_.size() + static_cast<std::size_t>(group.nodes));
      present_.push_back(group.present < 0 ? group.nodes : group.present);
    }
  }

  void append(Time now, const News& news, const Commands& commands, const Controller& controller) {
    if (now > now_) check_instant();
    now_ = now;
    for (const Stimulus& s : news.stimuli) hear(s);
    for (const Command& c : commands.list) obey(c, commands.shares_of(c));
    std::int64_t instances = 0;
    std::vector<std::int64_t> of_group(first_.size());
    for (std::size_t n = 0; n < nodes_.size(); ++n) {
      instances += nodes_[n].exists ? 1 : 0;
      of_group[group_of_[n]] += nodes_[n].exists ? 1 : 0;
      ensure(nodes_[n].cores_held <= cores_of_[n], "no node gives more cores than it has");
    }
    ensure(instances <= design_.spec.instance_limit, "the cluster's instance limit holds [PCS-3]");
    for (std::size_t g = 0; g < of_group.size(); ++g) {
      ensure(of_group[g] <= present_[g], "a group has at most as many instances as its maximum [PCS-20]");
    }
    ensure(controller.active_jobs() == active_, "every job that came and has not ended is in the core's books");
    if (++steps_ % 64 == 0) controller.cluster().audit();
  }

  // Where a daemon gives up a boot, it hears of that in one more step of the same instant.
  void check_instant() {
    for (const std::uint32_t job : lost_now_) {
      ensure(left_now_.count(job) > 0, "no job stays on a node that lost its instance");
    }
    lost_now_.clear();
    left_now_.clear();
  }

 private:
  struct Node {
    bool exists = false;  // it has an instance
    bool ready = false;
    LeafId leaf = kNoLeaf;
    std::int64_t cores_held = 0;
    std::set<std::uint32_t> jobs;
  };

  void hear(const Stimulus& s) {
    switch (s.kind) {
      case Stimulus::Kind::job_arrived:
        ++active_;
        break;
      case Stimulus::Kind::job_finished:
        leave(s.subject);
        ended_.insert(s.subject);
        --active_;
        break;
      case Stimulus::Kind::node_ready:
        ensure(nodes_[s.subject].exists && !nodes_[s.subject].ready, "a node is ready once, with an instance");
        nodes_[s.subject].ready = true;
        break;
      case Stimulus::Kind::launch_refused:
        ++report_.refusals;
        ensure(nodes_[s.subject].exists && !nodes_[s.subject].ready, "what is refused was asked for");
        nodes_[s.subject].exists = false;
        break;
      case Stimulus::Kind::instance_lost:
        ++report_.losses;
        ensure(nodes_[s.subject].exists, "what is lost was there");
        if (nodes_[s.subject].ready) lose_jobs_of(s.subject);
        nodes_[s.subject].exists = nodes_[s.subject].ready = false;
        break;
      case Stimulus::Kind::instance_placed:
        ++report_.placed;
        ensure(nodes_[s.subject].exists, "what lands is there");
        ensure(design_.spec.topology != nullptr && s.detail < design_.spec.topology->leaf_count(),
               "an instance lands in the network");
        land(s.subject, LeafId{s.detail});
        break;
      case Stimulus::Kind::instance_impaired:
        ++report_.impairments;
        ensure(nodes_[s.subject].exists, "what is impaired is there");
        if (static_cast<Impairment>(s.detail) != Impairment::scheduled_event && nodes_[s.subject].ready) {
          lose_jobs_of(s.subject);
        }
        break;
      case Stimulus::Kind::cluster_changed: {
        ++report_.changes;
        const ClusterChange& change = design_.spec.changes[s.subject];
        if (change.kind == ClusterChange::Kind::resize) present_[index(change.group)] = change.nodes;
        if (change.kind == ClusterChange::Kind::delete_group) present_[index(change.group)] = 0;
        break;
      }
      default:
        break;
    }
  }

  void obey(const Command& c, std::span<const NodeShare> shares) {
    switch (c.kind) {
      case Command::Kind::reject_job:
        --active_;
        break;
      case Command::Kind::allocate_job:
        hold(c.subject, shares);
        break;
      case Command::Kind::start_job:
        if (held_.count(c.subject) == 0) hold(c.subject, shares);
        for (const NodeShare& s : shares) {
          ensure(nodes_[index(s.node)].ready, "a job starts when all its nodes are ready");
          ensure(nodes_[index(s.node)].jobs.count(c.subject) > 0, "a job starts on the nodes that it was given");
        }
        break;
      case Command::Kind::requeue_job:
        ++report_.requeues;
        leave(c.subject);
        // A policy that judges how a job ended may let it wait again.
        if (ended_.erase(c.subject) > 0) ++active_;
        break;
      case Command::Kind::end_job:
        // Under a policy that judges how a job ended, it has left already.
        if (ended_.insert(c.subject).second) {
          leave(c.subject);
          --active_;
        }
        break;
      case Command::Kind::launch_instances:
        for (const NodeShare& s : shares) {
          ensure(!nodes_[index(s.node)].exists, "a node has one instance at a time");
          nodes_[index(s.node)].exists = true;
          nodes_[index(s.node)].ready = false;
          nodes_[index(s.node)].leaf = kNoLeaf;
        }
        break;
      case Command::Kind::terminate_instances:
        for (const NodeShare& s : shares) {
          ensure(nodes_[index(s.node)].exists, "what is terminated was there");
          nodes_[index(s.node)].exists = nodes_[index(s.node)].ready = false;
          lose_jobs_of(number(s.node));
        }
        break;
      case Command::Kind::stop_job:
      case Command::Kind::share_cores:
      case Command::Kind::move_job:
        break;
    }
  }

  // A leaf takes so many instances. One that leaves does so at once here, and in the cloud when the call works.
  void land(std::uint32_t node, LeafId leaf) {
    nodes_[node].leaf = leaf;
    std::map<LeafId, std::int64_t> on;
    for (const Node& each : nodes_) on[each.leaf] += each.exists ? 1 : 0;
    const auto site = std::find_if(design_.fabrics.begin(), design_.fabrics.end(), [&](const FabricSite& each) {
      return leaf >= each.first_leaf && number(leaf) < number(each.first_leaf) + each.design.leaf_count();
    });
    ensure(site != design_.fabrics.end() && on[leaf] <= site->design.slots_per_leaf,
           "a network node takes so many instances as it has slots");
  }
  void hold(std::uint32_t job, std::span<const NodeShare> shares) {
    ensure(held_.count(job) == 0, "a job is in one place");
    held_[job].assign(shares.begin(), shares.end());
    for (const NodeShare& s : shares) {
      nodes_[index(s.node)].cores_held += s.cores;
      nodes_[index(s.node)].jobs.insert(job);
    }
  }
  // They have to leave it at once.
  void lose_jobs_of(std::uint32_t node) {
    lost_now_.insert(lost_now_.end(), nodes_[node].jobs.begin(), nodes_[node].jobs.end());
  }
  void leave(std::uint32_t job) {
    left_now_.insert(job);
    const auto held = held_.find(job);
    if (held == held_.end()) return;
    for (const NodeShare& s : held->second) {
      nodes_[index(s.node)].cores_held -= s.cores;
      nodes_[index(s.node)].jobs.erase(job);
    }
    held_.erase(held);
  }

  const Design& design_;
  SwarmReport& report_;
  std::vector<std::uint32_t> first_;
  std::vector<std::uint32_t> group_of_;
  std::vector<std::int32_t> cores_of_;
  std::vector<std::int32_t> present_;
  std::vector<Node> nodes_;
  std::map<std::uint32_t, std::vector<NodeShare>> held_;
  std::set<std::uint32_t> ended_;
  std::vector<std::uint32_t> lost_now_;  // jobs whose node lost its instance at this instant
  std::set<std::uint32_t> left_now_;
  Time now_ = 0;
  std::size_t active_ = 0;
  std::uint64_t steps_ = 0;
};

class Bytes final : public JournalSink {
 public:
  void write(std::string_view bytes) override { text += bytes; }
  std::string text;
};

// Rows of timeline.csv.
void check_metrics(const RunRecord& record, const RunContext& context) {
  std::string text;
  write_timeline_csv(record, context, kMinute, [&text](std::string_view part) { text += part; });
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::vector<double> row;
    std::istringstream cells(line);
    for (std::string cell; std::getline(cells, cell, ',');) row.push_back(std::stod(cell));
    ensure(row.size() >= 9, "a row of metrics is whole");
    const double actual = row[1], desired = row[2], idle = row[3], utilized = row[4], pending = row[5];
    ensure(actual == idle + utilized && desired == actual + pending, "metrics add up in every minute [PCS-70]");
    ensure(idle >= 0 && utilized >= 0 && pending >= 0, "metrics count instances [PCS-70]");
    ensure(desired <= context.design.spec.instance_limit, "metrics stay within the cluster's size [PCS-3]");
  }
}

// Reports find what the world did.
void check_run_times(const RunRecord& record, const RunContext& context, SwarmReport& report) {
  const auto effects = placement_effects(record, context);
  for (std::size_t j = 0; j < record.jobs().size(); ++j) {
    const JobRecord& job = record.jobs()[j];
    if (job.state != JobState::completed || job.requeues > 0) continue;
    const double stretch = effects.empty() ? 1 : effects[j].value().stretch;
    const auto expected = std::llround(static_cast<double>(context.workload.jobs[j].run_time) * stretch);
    ensure(run_time(job) == expected, "a job runs as long as where it runs makes it");
    report.stretched += stretch > 1 ? 1 : 0;
  }
}

void run_case(std::uint64_t seed, SwarmReport& report) {
  const std::string text = swarm_scenario(seed);
  const Scenario scenario = parse_scenario(text, fmt::format("swarm-{}", seed));
  check_policies(scenario);
  const Design design = make_design(scenario);
  const Workload workload = load_workload(scenario, design);
  report.jobs += workload.jobs.size();

  Bytes bytes;
  Watch watch(design, report);
  SimulationOptions options;
  options.journal = &bytes;
  options.watch = [&](Time now, const News& news, const Commands& commands, const Controller& controller) {
    watch.append(now, news, commands, controller);
  };
  const SimulationResult result = simulate(scenario, design, workload, options);
  watch.check_instant();
  report.steps += result.record.steps();
  ensure(simulate(scenario, design, workload).digest == result.digest, "the same run twice has the same digest");

  const RunRecord& record = result.record;
  ensure(record.jobs().size() == workload.jobs.size(), "every job is accounted for");
  const RunContext context{scenario, design, workload, result.digest};
  const Summary summary = summarize(record, context);
  const JobCounts& j = summary.jobs;
  ensure(j.submitted == j.completed + j.failed + j.timed_out + j.node_failed + j.cancelled + j.rejected + j.unfinished,
         "every job is in one state");
  const auto has = [&](const char* key) { return text.find(key) != std::string::npos; };
  // slurmctld leaves a node down whose resume timed out (docs/slurm.md), unless it is of a static group.
  const bool gave_up =
      runs_slurm(scenario) &&
      std::any_of(record.instances().begin(), record.instances().end(), [](const InstanceRecord& each) {
        return each.end_reason == EndReason::bootstrap_failed && each.failed() && !each.loss;
      });
  const bool may_wait = gave_up || has("operations") || has("\"limit\"") || has("quotas") || has("budgets") ||
                        has("freeAddresses") || has("fabrics");
  ensure(j.unfinished == 0 || may_wait, "jobs wait at the end only where something keeps them from running");
  for (const JobRecord& job : record.jobs()) {
    const bool has_nodes = job.state == JobState::running || job.state == JobState::completing;
    ensure(!has_nodes || result.stalled, "no job is left running");
  }
  check_run_times(record, context, report);
  MicroUsd cost = 0;
  CostSplit split;
  for (const InstanceUse& use : Bill(record, design).instance_use(busy_periods(record))) {
    cost += use.cost;
    split += use.split;
  }
  MicroUsd of_groups = 0;
  for (const auto& [name, group] : summary.by_node_group) of_groups += group.cost;
  ensure(cost == summary.instances_cost && of_groups == cost && split.total() == cost, "cost is the sum of its parts");
  check_metrics(record, context);
  const bool drained = has("DeleteComputeNodeGroup");
  if (drained) {
    ++report.drained;
    for (const InstanceRecord& instance : record.instances()) {
      ensure(instance.refused || instance.end != kNever,
             "every instance is terminated when the cluster was told to drain");
    }
  }
}

}  // namespace

std::string swarm_scenario(std::uint64_t seed) { return Draw(seed).scenario().dump(2) + "\n"; }

SwarmReport check_swarm(std::uint64_t first_seed, std::uint64_t cases, const std::function<bool()>& stop) {
  SwarmReport report;
  report.promises = {"no job is lost, and none is in two places",
                     "no job stays on a node that lost its instance, and none starts on one that is not ready",
                     "limits of the cluster, its groups and its nodes hold",
                     "every instance is terminated when the cluster is told to drain",
                     "no network node has more instances than slots",
                     "jobs run as long as where they run makes them",
                     "cost is the sum of its parts, metrics add up in every minute",
                     "the same scenario has the same digest twice"};
  for (std::uint64_t seed = first_seed; report.cases < cases && !(stop && stop()); ++seed) {
    ++report.cases;
    try {
      run_case(seed, report);
    } catch (const Bug& bug) {
      report.failures.push_back({seed, bug.what()});
    } catch (const InputError& error) {
      report.failures.push_back({seed, std::string("a drawn scenario is refused: ") + error.what()});
    }
  }
  return report;
}

}  // namespace headroom
