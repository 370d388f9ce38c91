#include "models/check/recorded_run.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "models/errors.hpp"
#include "models/files.hpp"
#include "models/policies/slurm/known_names.hpp"
#include "models/policies/slurm/resources.hpp"
#include "models/policies/slurm/topology.hpp"
#include "models/scenario/sbatch_syntax.hpp"

namespace headroom {
namespace {

using Json = nlohmann::json;

// A value and where it stands in the file: "runs[0].jobs[3]".
class At {
 public:
  At(const std::string& file, const Json& value, std::string path)
      : file_(&file), value_(&value), path_(std::move(path)) {}

  [[noreturn]] void refuse(const std::string& what) const {
    throw InputError(fmt::format("{}: {}: {}", *file_, path_.empty() ? "the file" : path_, what));
  }
  bool has(const char* key) const { return value_->is_object() && value_->contains(key) && !value_->at(key).is_null(); }
  At operator[](const char* key) const {
    const std::string path = path_.empty() ? key : path_ + "." + key;
    if (!value_->is_object()) refuse("an object was expected");
    if (!has(key)) refuse(fmt::format("\"{}\" is missing", key));
    return {*file_, value_->at(key), path};
  }
  At at(std::size_t i) const {
    if (!value_->is_array() || i >= value_->size()) refuse(fmt::format("an array of more than {} was expected", i));
    return {*file_, value_->at(i), fmt::format("{}[{}]", path_, i)};
  }
  std::size_t size() const {
    if (!value_->is_array()) refuse("an array was expected");
    return value_->size();
  }
  std::string text() const {
    if (value_->is_string()) return value_->get<std::string>();
    if (value_->is_number() || value_->is_boolean()) return value_->dump();
    refuse("a string was expected");
  }
  double number() const {
    if (!value_->is_number()) refuse("a number was expected");
    return value_->get<double>();
  }
  std::int32_t count() const {
    const double n = number();
    if (n < 0 || n > 1e9 || n != std::floor(n)) refuse("a whole number from 0 to 10^9 was expected");
    return static_cast<std::int32_t>(n);
  }
  bool flag(const char* key) const {
    return has(key) && (*this)[key].value_->is_boolean() && (*this)[key].value_->get<bool>();
  }
  // Seconds, as the recorder writes them, to the millisecond.
  Time time() const {
    const double s = number();
    if (!(std::abs(s) < 1e9)) refuse("seconds were expected");
    return std::llround(s * 1000) * 1000;
  }
  std::map<std::string, At> members() const {
    std::map<std::string, At> all;
    for (const auto& [key, value] : value_->items()) all.emplace(key, At(*file_, value, path_ + "." + key));
    return all;
  }
  std::size_t size_of_members() const { return value_->is_object() ? value_->size() : 0; }
  // Itself with the members of another on top; kept in `store`.
  At with(const At& other, std::deque<Json>& store) const {
    Json& merged = store.emplace_back(*value_);
    merged.update(*other.value_);
    merged.erase("het");
    return {*file_, merged, other.path_};
  }
  bool is_number() const { return value_->is_number(); }

 private:
  const std::string* file_;
  const Json* value_;
  std::string path_;
};

// Settings on which no decision depends.
bool decides_nothing(std::string_view name) { return slurm::use_of("slurm.conf", name) == slurm::Use::no_effect; }

std::vector<std::pair<std::string, std::string>> settings_of(std::string_view line) {
  std::vector<std::pair<std::string, std::string>> settings;
  while (!line.empty()) {
    const auto begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) break;
    line = line.substr(begin);
    const auto end = std::min(line.find_first_of(" \t"), line.size());
    const std::string_view word = line.substr(0, end);
    line = line.substr(end);
    const auto equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    settings.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return settings;
}

struct ConfNode {
  std::string name;
  std::int32_t cpus = 1;
  std::int32_t memory = 0;
  std::int32_t weight = 1;
  bool cloud = false;
  slurm::NodeSettings settings;
};

struct ConfText {
  std::vector<ConfNode> nodes;
  std::vector<std::vector<std::string>> partition_nodes;
  std::string default_partition;
};

// The users of these groups.
std::vector<std::string> users_of(const At& input, std::string_view groups) {
  std::vector<std::string> users;
  while (!groups.empty()) {
    const auto comma = std::min(groups.find(','), groups.size());
    const std::string group(groups.substr(0, comma));
    groups.remove_prefix(std::min(comma + 1, groups.size()));
    if (!input.has("groups") || !input["groups"].has(group.c_str())) continue;
    const At members = input["groups"][group.c_str()];
    for (std::size_t i = 0; i < members.size(); ++i) users.push_back(members.at(i).text());
  }
  return users;
}

ConfText read_conf(const At& input, const At& run, RecordedRun& out) {
  const At at = run["slurm_conf"];
  const std::string text = at.text();
  ConfText conf;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = std::string_view(text).substr(begin, end - begin);
    begin = end + 1;
    if (line.empty() || line[0] == '#') continue;
    const auto settings = settings_of(line);
    if (settings.empty()) continue;
    if (settings[0].first == "NodeName") {
      const auto names = slurm::expand_hostlist(settings[0].second);
      if (names.empty()) at.refuse("NodeName=" + settings[0].second + " is no host list");
      ConfNode node;
      for (const auto& [name, value] : settings) {
        const auto number = static_cast<std::int32_t>(std::strtol(value.c_str(), nullptr, 10));
        if (name == "CPUs") node.cpus = number;
        if (name == "RealMemory") node.memory = number;
        if (name == "Weight") node.weight = number;
        if (name == "State") node.cloud = value == "CLOUD";
        if (name != "Feature" && name != "Features" && name != "Gres" && !name.ends_with("SpecCount") &&
            !name.ends_with("SpecLimit")) {
          continue;
        }
        const std::string problem = slurm::set(node.settings, name, value);
        if (!problem.empty()) out.not_followed.push_back(fmt::format("{}={} {}", name, value, problem));
      }
      if (node.cpus < 1) at.refuse("NodeName=" + settings[0].second + " has no CPUs");
      for (const std::string& name : names) {
        node.name = name;
        conf.nodes.push_back(node);
      }
    } else if (settings[0].first == "PartitionName") {
      slurm::Partition partition;
      partition.name = settings[0].second;
      conf.partition_nodes.emplace_back();
      for (std::size_t i = 1; i < settings.size(); ++i) {
        const auto& [name, value] = settings[i];
        if (name == "Nodes") {
          conf.partition_nodes.back() = slurm::expand_hostlist(value);
        } else if (name == "AllowGroups" && value != "ALL") {
          partition.allow_groups = true;
          partition.allowed_users = users_of(input, value);
        } else if (name == "Default") {
          if (value == "YES") conf.default_partition = partition.name;
        } else {
          const std::string problem = slurm::set(partition, name, value);
          if (!problem.empty()) out.not_followed.push_back(fmt::format("{}={} {}", name, value, problem));
        }
      }
      out.conf.partitions.push_back(std::move(partition));
    } else if (!decides_nothing(settings[0].first)) {
      // A value may hold blanks and equal signs.
      const auto equals = line.find('=');
      const std::string_view name = line.substr(0, equals);
      const std::string_view value = line.substr(equals + 1);
      const std::string problem = slurm::set(out.conf, name, value);
      if (!problem.empty()) out.not_followed.push_back(fmt::format("{}={} {}", name, value, problem));
    }
  }
  if (conf.nodes.empty() || conf.partition_nodes.empty()) at.refuse("NodeName= and PartitionName= lines were expected");
  std::sort(conf.nodes.begin(), conf.nodes.end(),
            [](const ConfNode& a, const ConfNode& b) { return slurm::name_before(a.name, b.name); });
  return conf;
}

void build_cluster(const At& run, const ConfText& conf, RecordedRun& out) {
  std::map<std::string, GroupId> of;
  for (const ConfNode& node : conf.nodes) {
    of[node.name] = GroupId{static_cast<std::uint32_t>(out.node_names.size())};
    out.conf.node_settings.push_back(node.settings);
    out.node_names.push_back(node.name);
    out.cluster.groups.push_back(
        {1, node.cpus, node.cloud ? Supply::dynamic : Supply::permanent, node.weight, 0, node.memory});
  }
  for (const auto& names : conf.partition_nodes) {
    QueueSpec queue;
    for (const std::string& name : names) {
      const auto at = of.find(name);
      if (at == of.end()) run["slurm_conf"].refuse("a partition has node " + name + ", which there is not");
      queue.groups.push_back(at->second);
    }
    out.cluster.queues.push_back(std::move(queue));
  }
  out.cluster.memory_counts = out.conf.memory;
}

// Reads one run.
class RunReader {
 public:
  RunReader(const At& file, const At& run, RecordedRun& out)
      : input_(file["input"]), run_(run), out_(out), shift_(-run["slurmctld_start"].time()) {}

  void read(const std::string& version, bool exact_clock) {
    out_.zero = shift_;
    out_.conf.version.number = version_number(version);
    if (run_.has("recorded_until")) out_.until = shifted(run_["recorded_until"]);
    out_.disturbed = run_.has("quality") && run_["quality"].flag("disturbed");
    conf_ = read_conf(input_, run_, out_);
    build_cluster(run_, conf_, out_);
    if (input_.has("accounting")) read_accounting(input_["accounting"]);
    read_switches();
    read_boots();
    read_prolog();
    read_passes();
    read_jobs();
    read_events();
    out_.conf.user_names.resize(users_.size());
    for (const auto& [name, number] : users_) out_.conf.user_names[number] = name;
    read_power();
    set_clock(exact_clock);
  }

 private:
  Time shifted(const At& at) const { return at.time() + shift_; }

  int version_number(const std::string& version) const {
    int year = 0;
    int month = 0;
    if (std::sscanf(version.c_str(), "%d.%d", &year, &month) != 2) input_.refuse("no version of Slurm: " + version);
    return year * 100 + month;
  }

  std::uint32_t node(const std::string& name, const At& at) const {
    const auto found = std::find(out_.node_names.begin(), out_.node_names.end(), name);
    if (found == out_.node_names.end()) at.refuse("no node " + name);
    return static_cast<std::uint32_t>(found - out_.node_names.begin());
  }

  // topology.conf
  void read_switches() {
    const At cluster = input_["cluster"];
    if (!cluster.has("topology_conf")) return;
    const At lines = cluster["topology_conf"];
    for (std::size_t l = 0; l < lines.size(); ++l) {
      const auto settings = settings_of(lines.at(l).text());
      if (settings.empty() || settings[0].first != "SwitchName") lines.at(l).refuse("SwitchName= was expected");
      slurm::SwitchSettings& one = out_.conf.topology.emplace_back();
      one.name = settings[0].second;
      for (std::size_t i = 1; i < settings.size(); ++i) {
        const std::string problem = slurm::set(one, settings[i].first, settings[i].second);
        if (!problem.empty()) lines.at(l).refuse(problem);
      }
    }
    const std::string problem = slurm::Topology::check(out_.conf.topology, out_.node_names);
    if (!problem.empty()) lines.refuse(problem);
  }

  // How long each launch took, in order; kNever: the node did not come.
  void read_boots() {
    constexpr double kRegisters = 0.05;  // from the daemon's start, seen in recorded runs
    std::map<std::string, double> delay;
    const At cluster = input_["cluster"];
    for (std::size_t g = 0; g < cluster["node_groups"].size(); ++g) {
      const At group = cluster["node_groups"].at(g);
      if (group.has("boot_delay_s")) delay[group["name"].text()] = group["boot_delay_s"].number();
    }
    for (std::uint32_t n = 0; n < out_.node_names.size(); ++n) {
      SimulatedCloud::Boot boot{{Distribution::Kind::constant, 0}, {Distribution::Kind::constant, kRegisters}};
      if (run_["nodes"].has(out_.node_names[n].c_str())) {
        const At record = run_["nodes"][out_.node_names[n].c_str()];
        if (const auto d = delay.find(record["group"].text()); d != delay.end()) boot.bootstrap.a += d->second;
        SimulatedCloud::BootFault recorded{NodeId{n}, 0, {}};
        Time resumed = kNever;  // not
        for (std::size_t e = 0; e < record["events"].size(); ++e) {
          const At event = record["events"].at(e);
          const std::string what = event.at(1).text();
          if (what == "resume") {
            if (resumed != kNever) recorded.times.push_back(kNever);
            resumed = event.at(0).time();
          } else if (what == "now_responding" && resumed != kNever) {
            recorded.times.push_back(event.at(0).time() - resumed);
            resumed = kNever;
          }
        }
        if (resumed != kNever) recorded.times.push_back(kNever);
        if (!recorded.times.empty()) out_.faults.push_back(std::move(recorded));
      }
      out_.boots.push_back(boot);
    }
  }

  void read_prolog() {
    const At cluster = input_["cluster"];
    if (!cluster.has("prolog_fails")) return;
    for (const auto& [name, times] : cluster["prolog_fails"].members()) {
      out_.conf.prolog_fails.resize(out_.node_names.size());
      out_.conf.prolog_fails[node(name, times)] = times.count();
    }
  }

  void read_passes() {
    if (run_.has("sched_passes")) {
      for (std::size_t i = 0; i < run_["sched_passes"].size(); ++i) {
        const At pass = run_["sched_passes"].at(i);
        out_.main_passes.push_back({shifted(pass.at(0)), pass.at(1).text() == "full"});
      }
    }
    if (run_.has("backfill_passes")) {
      for (std::size_t i = 0; i < run_["backfill_passes"].size(); ++i) {
        out_.backfill_passes.push_back(shifted(run_["backfill_passes"].at(i)));
      }
    }
  }

  // --- accounts, users and QOS ---

  // Settings under sacctmgr's names; those of limits stand apart.
  template <class Of>
  void read_settings(const At& at, Of& of) {
    const auto take = [&](const At& members) {
      for (const auto& [name, value] : members.members()) {
        if (name == "name" || name == "limits") continue;
        std::string setting = name;  // grace_time is sacctmgr's GraceTime
        setting.erase(std::remove(setting.begin(), setting.end(), '_'), setting.end());
        const std::string problem = slurm::set(of, setting, value.text());
        if (!problem.empty())
          out_.not_followed.push_back(fmt::format("{} {}: {} {}", of.name, name, value.text(), problem));
      }
    };
    take(at);
    if (at.has("limits")) take(at["limits"]);
  }

  void read_accounting(const At& at) {
    slurm::Accounting& all = out_.accounting;
    for (std::size_t i = 0; at.has("accounts") && i < at["accounts"].size(); ++i) {
      slurm::Account& account = all.accounts.emplace_back();
      account.name = at["accounts"].at(i)["name"].text();
      read_settings(at["accounts"].at(i), account);
    }
    for (std::size_t i = 0; at.has("users") && i < at["users"].size(); ++i) {
      slurm::User user;
      user.name = at["users"].at(i)["name"].text();
      read_settings(at["users"].at(i), user);
      const auto same =
          std::find_if(all.users.begin(), all.users.end(), [&](const auto& other) { return other.name == user.name; });
      if (same == all.users.end()) {
        all.users.push_back(std::move(user));
      } else {
        same->accounts.insert(same->accounts.end(), user.accounts.begin(), user.accounts.end());
        // A user's settings are the same in all of its accounts here.
        if (at["users"].at(i).size_of_members() > 2) out_.not_followed.push_back(user.name + " in " + user.accounts[0]);
      }
    }
    slurm::User& root = all.users.emplace_back();  // slurmdbd makes one
    root.name = "root";
    root.accounts = {"root"};
    const At* normal = nullptr;
    std::vector<At> qos;
    for (std::size_t i = 0; at.has("qos") && i < at["qos"].size(); ++i) qos.push_back(at["qos"].at(i));
    for (const At& each : qos) {
      if (each["name"].text() == "normal") normal = &each;
    }
    all.qos.emplace_back().name = "normal";
    if (normal != nullptr) read_settings(*normal, all.qos.front());
    for (const At& each : qos) {
      if (&each == normal) continue;
      slurm::Qos& entry = all.qos.emplace_back();
      entry.name = each["name"].text();
      read_settings(each, entry);
    }
    if (const std::string problem = slurm::check(all); !problem.empty()) at.refuse(problem);
    for (std::uint32_t u = 0; u < all.users.size(); ++u) users_.emplace(all.users[u].name, u);
  }

  // --- jobs ---

  struct Task {
    std::string id;  // "a[3]"
    At input;
    At record;
    Time submit;
    std::int64_t position;  // in the input
    std::string array;      // its id; empty: no array
    std::int32_t number = 0;
    std::int32_t limit = 0;
    std::int32_t components = 0;  // of its heterogeneous job
    std::int32_t component = 0;
  };

  void read_jobs() {
    std::map<std::string, At> records;
    for (std::size_t j = 0; j < run_["jobs"].size(); ++j) {
      const At record = run_["jobs"].at(j);
      const std::string id = record["id"].text();
      records.emplace(id, record);
      // Tasks that were never split off have one record: "a[3-9%4]".
      const auto open = id.find('[');
      if (open == std::string::npos || id.find_first_of("-,%", open) == std::string::npos) continue;
      std::string problem;
      const auto array = parse_array(id.substr(open + 1, id.size() - open - 2), problem);
      if (!array) record["id"].refuse(problem);
      for (const std::int32_t task : array->tasks)
        records.emplace(fmt::format("{}[{}]", id.substr(0, open), task), record);
    }
    std::map<std::string, Time> rejected;
    for (std::size_t e = 0; run_.has("events") && e < run_["events"].size(); ++e) {
      const At event = run_["events"].at(e);
      if (event["event"].text() == "submit_rejected") rejected[event["job"].text()] = shifted(event["t"]);
    }
    std::vector<Task> tasks;
    for (std::size_t j = 0; j < input_["jobs"].size(); ++j) {
      const At input = input_["jobs"].at(j);
      const std::string id = input["id"].text();
      const auto add = [&](const std::string& name, const std::string& array, std::int32_t number, std::int32_t limit) {
        const auto record = records.find(name);
        if (record == records.end()) run_["jobs"].refuse("no job " + name);
        Time submit = shift_ + input["submit_s"].time() + 100'000;
        if (record->second.has("submit_done")) {
          submit = shifted(record->second["submit_done"]);
        } else if (const auto at = rejected.find(id); at != rejected.end()) {
          submit = at->second;
        }
        tasks.push_back({name, input, record->second, submit, static_cast<std::int64_t>(j), array, number, limit});
      };
      if (input.has("het")) {
        const At het = input["het"];
        for (std::size_t c = 0; c < het.size(); ++c) {
          add(fmt::format("{}+{}", id, c), "", 0, 0);
          Task& task = tasks.back();
          task.input = input.with(het.at(c), merged_);
          task.components = static_cast<std::int32_t>(het.size());
          task.component = static_cast<std::int32_t>(c);
        }
        continue;
      }
      if (!input.has("array")) {
        add(id, "", 0, 0);
        continue;
      }
      std::string problem;
      const auto array = parse_array(input["array"].text(), problem);
      if (!array) input["array"].refuse(problem);
      for (const std::int32_t task : array->tasks) add(fmt::format("{}[{}]", id, task), id, task, array->limit);
    }
    std::stable_sort(tasks.begin(), tasks.end(), [](const Task& a, const Task& b) {
      return a.submit != b.submit ? a.submit < b.submit : a.position < b.position;
    });
    std::map<std::string, std::uint32_t> first;  // of a job or of an array's tasks
    std::map<std::string, std::int32_t> size;
    for (std::size_t j = 0; j < tasks.size(); ++j) {
      const std::string id = tasks[j].input["id"].text();
      first.emplace(id, static_cast<std::uint32_t>(j));
      ++size[id];
    }
    first_ = first;
    for (const Task& task : tasks) read_job(task, size);
  }

  void read_job(const Task& task, const std::map<std::string, std::int32_t>& sizes) {
    const At& input = task.input;
    const auto number = [&](const char* key, std::int32_t otherwise) {
      return input.has(key) ? input[key].count() : otherwise;
    };
    WorkloadJob job;
    JobRequest& request = job.request;
    JobTerms terms;
    request.submit = task.submit;
    std::string partition = conf_.default_partition;
    slurm::Asks asks;
    if (input.has("partition")) partition = input["partition"].text();
    if (const auto comma = partition.find(','); comma != std::string::npos) {
      asks.partitions = partition;
      partition.resize(comma);
    }
    std::size_t q = 0;
    while (q < out_.conf.partitions.size() && out_.conf.partitions[q].name != partition) ++q;
    if (q == out_.conf.partitions.size()) input.refuse("no partition " + partition);
    request.queue = QueueId{static_cast<std::uint32_t>(q)};
    terms.cpus_per_task = std::max(number("cpus_per_task", 1), 1);
    terms.tasks = number("ntasks", 0);
    terms.tasks_per_node = number("ntasks_per_node", 0);
    if (input.has("nodes") && !input["nodes"].is_number()) {
      std::string problem;
      const auto range = parse_nodes(input["nodes"].text(), problem);
      if (!range) input["nodes"].refuse(problem);
      std::tie(asks.min_nodes, asks.max_nodes) = *range;
      // sbatch warns of more nodes than tasks, and takes fewer.
      if (terms.tasks > 0 && terms.tasks < asks.min_nodes) asks.min_nodes = asks.max_nodes = terms.tasks;
    } else {
      request.nodes = number("nodes", 0);
    }
    // As many tasks as nodes, where nothing was said.
    if (request.nodes > 0 && terms.tasks_per_node == 0 && terms.tasks == 0) {
      terms.tasks = request.nodes;
    }
    if (request.nodes > 0 && terms.tasks_per_node == 0 && terms.tasks > 0) {
      request.cores = terms.tasks * terms.cpus_per_task;
      request.spread = request.nodes > 1;
    } else if (request.nodes > 0) {
      request.cores = std::max(terms.tasks_per_node, 1) * terms.cpus_per_task;
    } else {
      const std::int32_t tasks = terms.tasks > 0 ? terms.tasks : std::max(asks.min_nodes, 1);
      request.cores = tasks * terms.cpus_per_task;
    }
    request.exclusive = input.flag("exclusive");
    if (input.has("mem_mb")) {
      request.memory_unit = MemoryUnit::per_node;
      request.memory = input["mem_mb"].count();
    } else if (input.has("mem_per_cpu_mb")) {
      request.memory_unit = MemoryUnit::per_core;
      request.memory = input["mem_per_cpu_mb"].count();
    }
    read_asks(input, asks);
    slurm::set_default_memory(out_.conf, asks, request);
    request.limit = input.has("time_limit_min") ? std::llround(input["time_limit_min"].number() * 60) * kSecond
                                                : slurm::kUnlimited * kSecond;
    terms.priority = static_cast<std::uint32_t>(number("priority", 0));
    if (input.has("nice")) terms.nice = static_cast<std::int32_t>(input["nice"].number());
    if (input.has("begin_s")) terms.begin = input["begin_s"].time();
    terms.held = input.flag("hold");
    terms.requeue = !input.flag("no_requeue");
    if (!task.array.empty()) {
      terms.array = JobId{first_.at(task.array)};
      terms.array_tasks = sizes.at(task.array);
      terms.array_task = task.number;
      terms.array_limit = task.limit;
    }
    // sbatch was given the id as the name, where it was given no other.
    const std::string name = input[input.has("name") ? "name" : "id"].text();
    terms.name = names_.emplace(name, static_cast<std::uint32_t>(names_.size()) + 1).first->second;
    if (input.has("dependency")) read_dependencies(input["dependency"], terms);
    const std::string user = input.has("user") ? input["user"].text() : "root";
    request.user = users_.emplace(user, static_cast<std::uint32_t>(users_.size())).first->second;
    asks.components = task.components;
    asks.component = task.component;
    if (input.has("deadline_s")) {
      asks.deadline = input["deadline_s"].time() / kSecond;
    }
    if (input.has("time_min")) asks.time_min = input["time_min"].time() * 60 / kSecond;
    asks.use_min_nodes = input.flag("use_min_nodes");
    if (input.has("account")) asks.account = input["account"].text();
    if (input.has("qos")) asks.qos = input["qos"].text();
    if (asks.overcommit) {
      request.cores = 1;
      request.spread = false;
      terms.tasks = terms.tasks_per_node = 0;
    }
    if (!(asks == slurm::Asks{})) {
      out_.asks.push_back(asks);
      terms.asks = static_cast<std::uint32_t>(out_.asks.size());
    }

    const At& record = task.record;
    RecordedJob expected;
    expected.id = task.id;
    expected.state = record["state"].text();
    if (record.has("start")) expected.start = shifted(record["start"]);
    if (record.has("end")) expected.end = shifted(record["end"]);
    for (std::size_t i = 0; record.has("reasons") && i < record["reasons"].size(); ++i) {
      const At row = record["reasons"].at(i);
      expected.reasons.emplace_back(shifted(row.at(0)), row.at(1).text() == "PENDING" ? row.at(2).text() : "");
    }
    Time began = kNever;
    for (std::size_t a = 0; record.has("alloc") && a < record["alloc"].size(); ++a) {
      const At alloc = record["alloc"].at(a);
      expected.allocations.push_back(
          {shifted(alloc.at(0)), alloc.at(1).text() == "backfill", slurm::expand_hostlist(alloc.at(2).text())});
      began = expected.allocations.back().at;
    }
    // How long its processes lived after Slurm said start, and how long until they were gone once told to end. A few
    // milliseconds pass between the end of the job and the message that its nodes are clean.
    constexpr Time kEpilog = 5'000;
    job.run_time = input["runtime_s"].time() + 40'000;
    for (std::size_t l = 0; record.has("log") && l < record["log"].size(); ++l) {
      const std::string what = record["log"].at(l).at(1).text();
      const Time at = shifted(record["log"].at(l).at(0));
      if (what == "config_complete" && began != kNever) began = std::max(began, at);
      if (what == "config_complete" || what.starts_with("Time limit exhausted")) ticks_.push_back(at);
      if (what == "job_complete done" && began != kNever && at >= began) job.run_time = at - began + kEpilog;
    }
    // What was told to make way still ran then.
    for (std::size_t l = 0; record.has("log") && l < record["log"].size(); ++l) {
      if (!record["log"].at(l).at(1).text().starts_with("preempted: ")) continue;
      const Time told = shifted(record["log"].at(l).at(0));
      Time since = kNever;
      for (const RecordedAllocation& a : expected.allocations) {
        if (a.at <= told) since = a.at;
      }
      if (since != kNever) job.run_time = std::max(job.run_time, told - since + kEpilog);
    }
    if (input.has("exit_code") && input["exit_code"].count() != 0) job.outcome = Outcome::failed;
    job.stop_time = stop_time(record, expected);
    job.number = out_.workload.jobs.size() + 1;
    request.terms = static_cast<std::uint32_t>(out_.workload.terms.size()) + 1;
    out_.workload.terms.push_back(std::move(terms));
    out_.workload.jobs.push_back(job);
    out_.workload.job_names.push_back(expected.id);
    out_.jobs.push_back(std::move(expected));
  }

  // 300M, 2G, 300.
  static std::int32_t mebibytes(const At& at) {
    const std::string text = at.text();
    std::size_t end = 0;
    const long number = std::strtol(text.c_str(), nullptr, 10);
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    const std::string unit = text.substr(end);
    if (end == 0 || number > 1'000'000 || (!unit.empty() && unit != "M" && unit != "G")) at.refuse("no size: " + text);
    return static_cast<std::int32_t>(unit == "G" ? number * 1024 : number);
  }

  // What sbatch was asked for beyond CPUs, memory and nodes.
  void read_asks(const At& input, slurm::Asks& asks) {
    const auto text = [&](const char* key) { return input.has(key) ? input[key].text() : std::string(); };
    asks.constraint = text("constraint");
    asks.gres = text("gres");
    asks.gpus = text("gpus");
    asks.gpus_per_task = text("gpus_per_task");
    asks.prefer = text("prefer");
    asks.nodelist = text("nodelist");
    asks.exclude = text("exclude");
    asks.licenses = text("licenses");
    asks.reservation = text("reservation");
    asks.switches = text("switches");
    slurm::add_gpus_per_node(text("gpus_per_node"), asks);
    asks.contiguous = input.flag("contiguous");
    asks.spread_job = input.flag("spread_job");
    asks.oversubscribe = input.flag("oversubscribe");
    asks.overcommit = input.flag("overcommit");
    asks.exclusive_user = text("exclusive") == "user";
    if (input.has("core_spec")) asks.core_spec = input["core_spec"].count();
    asks.gpus_per_socket = text("gpus_per_socket");
    const auto count = [&](const char* key) { return input.has(key) ? input[key].count() : 0; };
    asks.sockets_per_node = count("sockets_per_node");
    asks.cpus_per_gpu = count("cpus_per_gpu");
    asks.tasks_per_gpu = count("ntasks_per_gpu");
    if (input.has("mem_per_gpu")) asks.memory_per_gpu = mebibytes(input["mem_per_gpu"]);
    static const std::set<std::string_view> kKnown = {"account",
                                                      "array",
                                                      "begin_s",
                                                      "constraint",
                                                      "contiguous",
                                                      "core_spec",
                                                      "cpus_per_gpu",
                                                      "cpus_per_task",
                                                      "deadline_s",
                                                      "dependency",
                                                      "exclude",
                                                      "exclusive",
                                                      "exit_code",
                                                      "gpus",
                                                      "gpus_per_node",
                                                      "gpus_per_socket",
                                                      "gpus_per_task",
                                                      "gres",
                                                      "het",
                                                      "hold",
                                                      "id",
                                                      "ignore_term",
                                                      "licenses",
                                                      "mem_mb",
                                                      "mem_per_cpu_mb",
                                                      "mem_per_gpu",
                                                      "name",
                                                      "nice",
                                                      "no_requeue",
                                                      "nodelist",
                                                      "nodes",
                                                      "ntasks",
                                                      "ntasks_per_gpu",
                                                      "ntasks_per_node",
                                                      "overcommit",
                                                      "oversubscribe",
                                                      "partition",
                                                      "prefer",
                                                      "priority",
                                                      "qos",
                                                      "reservation",
                                                      "runtime_s",
                                                      "sockets_per_node",
                                                      "spread_job",
                                                      "submit_s",
                                                      "switches",
                                                      "time_limit_min",
                                                      "time_min",
                                                      "use_min_nodes",
                                                      "user"};
    for (const auto& [key, value] : input.members()) {
      if (!kKnown.contains(key)) out_.not_followed.push_back(fmt::format("job {}: {}", input["id"].text(), key));
    }
  }

  // From the end of a killed job until slurmctld passed over the queue because its processes were gone.
  Time stop_time(const At& record, const RecordedJob& expected) const {
    constexpr Time kAtOnce = 30'000;
    constexpr Time kPoll = kSecond;  // squeue was looked at about so often
    if (const Time time = way_time(record); time != kNever) return time;
    if (expected.end == kNever || !record.has("timeline")) return kAtOnce;
    Time gone_by = kNever;
    bool completing = false;
    for (std::size_t i = 0; i < record["timeline"].size(); ++i) {
      const At row = record["timeline"].at(i);
      const Time at = shifted(row.at(0));
      if (row.at(1).text() == "COMPLETING") {
        completing = true;
      } else if (completing) {
        gone_by = at;
        break;
      } else if (at >= expected.end) {
        gone_by = at;
        break;
      }
    }
    if (gone_by == kNever) return kAtOnce;
    const Time told = cancelled_at(expected.id).value_or(expected.end);  // the end is known in whole seconds
    const Time after = completing ? gone_by - kPoll : told;
    for (const auto& [pass, full] : out_.main_passes) {
      if (pass > after && pass <= gone_by && pass % kSecond > 2'000 && pass > told) return pass - told - 1000;
    }
    return completing ? std::max<Time>(gone_by - 440'000 - told, kAtOnce) : kAtOnce;
  }

  std::optional<Time> cancelled_at(const std::string& job) const {
    for (std::size_t e = 0; run_.has("events") && e < run_["events"].size(); ++e) {
      const At event = run_["events"].at(e);
      if (event["event"].text() == "scancel" && event["job"].text() == job) return shifted(event["t"]);
    }
    return std::nullopt;
  }

  // From when the job was told to make way until it was gone; kNever if it was not, or that is not known.
  Time way_time(const At& record) const {
    Time told = kNever;
    for (std::size_t i = 0; record.has("log") && i < record["log"].size(); ++i) {
      const At row = record["log"].at(i);
      const std::string what = row.at(1).text();
      if (what.starts_with("preempted: ")) told = row.at(0).time();
      if (what == "requeue" && told != kNever) return std::max<Time>(row.at(0).time() - told - 1000, kSecond / 1000);
    }
    if (told == kNever || !record.has("reasons")) return kNever;
    // Otherwise it was gone between two looks of squeue, and most likely a pass followed at once.
    constexpr Time kLook = kSecond / 2;
    bool completing = false;
    for (std::size_t i = 0; i < record["reasons"].size(); ++i) {
      const At row = record["reasons"].at(i);
      const Time seen = row.at(0).time();
      if (seen < told) continue;
      if (row.at(1).text() == "COMPLETING") {
        completing = true;
        continue;
      }
      const Time after = std::max(seen - kLook, told);
      for (const auto& [pass, full] : out_.main_passes) {
        const Time at = pass - shift_;
        if (at > after && at <= seen) return std::max<Time>(at - told - 1000, kSecond / 1000);
      }
      return completing ? seen - told : kNever;
    }
    return kNever;
  }

  void read_dependencies(const At& at, JobTerms& terms) const {
    std::string problem;
    const auto spec = parse_dependency(at.text(), problem);
    if (!spec) at.refuse(problem);
    terms.any_dependency = spec->any;
    for (const NamedDependency& named : spec->list) {
      Dependency dependency{named.kind, JobId{0}, named.delay};
      if (named.kind != Dependency::Kind::singleton) {
        const auto job = first_.find(named.job);
        if (job == first_.end()) at.refuse("no job " + named.job);
        dependency.job = JobId{job->second};
      }
      terms.dependencies.push_back(dependency);
    }
  }

  // --- what happened to the cluster ---

  void read_events() {
    for (std::size_t e = 0; run_.has("events") && e < run_["events"].size(); ++e) {
      const At event = run_["events"].at(e);
      const std::string what = event["event"].text();
      if (what == "submit_rejected" || event.has("skipped")) continue;
      const Time at = shifted(event["t"]);
      const auto add = [&](Stimulus::Kind kind, std::uint32_t subject, std::uint32_t detail) {
        out_.disturbances.push_back({at, {kind, subject, detail}});
      };
      if (what == "kill_node") {
        add(Stimulus::Kind::node_lost, node(event["node"].text(), event["node"]), 0);
      } else if (what == "start_slurmd") {
        add(Stimulus::Kind::node_back, node(event["node"].text(), event["node"]), 0);
      } else if (what == "scancel") {
        for (const std::uint32_t job : jobs_named(event["job"].text(), event["job"])) {
          add(Stimulus::Kind::job_asked, job, static_cast<std::uint32_t>(JobAction::cancel));
        }
      } else if (what == "scontrol") {
        // What slurmctld refused did nothing, except that a running job that cannot be held is marked all the same.
        const bool refused = event.has("rc") && event["rc"].number() != 0;
        // Whether a reservation can be had is the policy's to say.
        const bool reserves = event["args"].at(0).text() == "create" ||
                              (event["args"].size() > 1 && event["args"].at(1).text().starts_with("reservationname="));
        if (!refused || reserves || event["args"].at(0).text() == "hold") read_scontrol(event, add);
      } else {
        event["event"].refuse("no event: " + what);
      }
    }
    std::stable_sort(out_.disturbances.begin(), out_.disturbances.end(),
                     [](const Disturbance& a, const Disturbance& b) { return a.at < b.at; });
  }

  std::vector<std::uint32_t> jobs_named(const std::string& id, const At& at) const {
    std::vector<std::uint32_t> jobs;
    for (std::uint32_t j = 0; j < out_.jobs.size(); ++j) {
      const std::string& name = out_.jobs[j].id;
      if (name == id || name == id + "+0" || name.starts_with(id + "[")) jobs.push_back(j);
    }
    if (jobs.empty()) at.refuse("no job " + id);
    return jobs;
  }

  // scontrol update jobid= or partitionname=; of a partition `jobs` is one of any number.
  bool read_update(const At& args, std::vector<std::uint32_t>& jobs) {
    const auto setting = [&](std::size_t i) {
      const std::string word = args.at(i).text();
      const auto equals = word.find('=');
      if (equals == std::string::npos) args.refuse("scontrol update: NAME=VALUE was expected, not " + word);
      std::string name = word.substr(0, equals);
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      return std::pair(name, word.substr(equals + 1));
    };
    const auto [what, which] = setting(1);
    slurm::Update update;
    if (what == "jobid" || what == "jobname") {
      jobs = jobs_named(which, args);
    } else if (what == "partitionname" || what == "partition") {
      for (std::uint32_t q = 0; q < out_.conf.partitions.size(); ++q) {
        if (out_.conf.partitions[q].name == which) update.partition = QueueId{q};
      }
      if (!update.partition) args.refuse("no partition " + which);
      jobs = {0};
    } else {
      return false;
    }
    for (std::size_t i = 2; i < args.size(); ++i) {
      const auto [name, value] = setting(i);
      const std::string problem = update.partition
                                      ? slurm::set(update, out_.conf.partitions[index(*update.partition)], name, value)
                                      : slurm::set(update.change, name, value);
      if (!problem.empty()) args.refuse("scontrol update " + args.at(i).text() + ": " + problem);
    }
    out_.updates.push_back(std::move(update));
    return true;
  }

  // scontrol create, update or delete of a reservation. False: it is something else.
  bool read_reservation(const At& event) {
    using Kind = slurm::ReservationRequest::Kind;
    const At args = event["args"];
    const std::string verb = args.at(0).text();
    slurm::ReservationRequest request;
    request.at = shifted(event["t"]);
    request.kind = verb == "create" ? Kind::create : verb == "delete" ? Kind::remove : Kind::update;
    for (std::size_t i = 1; i < args.size(); ++i) {
      const std::string word = args.at(i).text();
      const auto equals = word.find('=');
      if (equals == std::string::npos) {
        if (word != "reservation") return false;
        continue;
      }
      const std::string name = word.substr(0, equals);
      if (name == "reservationname") {
        request.what.name = word.substr(equals + 1);
        continue;
      }
      if (request.what.name.empty()) return false;
      const std::string problem = slurm::set(request.what, name, word.substr(equals + 1));
      if (problem.empty()) continue;
      out_.not_followed.push_back(
          fmt::format("scontrol {} reservation {}: {} {}", verb, request.what.name, name, problem));
      return true;
    }
    if (request.what.name.empty()) return false;
    out_.conf.reservations.push_back(std::move(request));
    return true;
  }

  template <class Add>
  void read_scontrol(const At& event, Add add) {
    const At args = event["args"];
    const std::string verb = args.at(0).text();
    static const std::map<std::string, JobAction> kJobVerbs = {
        {"hold", JobAction::hold}, {"release", JobAction::release}, {"requeue", JobAction::requeue}};
    if (const auto action = kJobVerbs.find(verb); action != kJobVerbs.end()) {
      std::string id = args.at(1).text();
      if (id.starts_with("jobname=")) id = id.substr(8);
      for (const std::uint32_t job : jobs_named(id, args)) {
        add(Stimulus::Kind::job_asked, job, static_cast<std::uint32_t>(action->second));
      }
      return;
    }
    std::vector<std::uint32_t> jobs;
    if (verb == "update" && args.size() > 1 && read_update(args, jobs)) {
      for (const std::uint32_t job : jobs) {
        add(Stimulus::Kind::updated, static_cast<std::uint32_t>(out_.updates.size()) - 1, job);
      }
      return;
    }
    if (read_reservation(event)) return;
    if (verb != "update") args.refuse("scontrol " + verb + " is not followed");
    std::vector<std::string> nodes;
    std::optional<NodeAction> action;
    static const std::map<std::string, NodeAction> kStates = {
        {"resume", NodeAction::resume},     {"idle", NodeAction::resume}, {"power_down", NodeAction::power_down},
        {"power_up", NodeAction::power_up}, {"down", NodeAction::down},   {"drain", NodeAction::drain}};
    for (std::size_t i = 1; i < args.size(); ++i) {
      std::string word = args.at(i).text();
      std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
      if (word.starts_with("nodename=")) {
        nodes = slurm::expand_hostlist(args.at(i).text().substr(9));
      } else if (word.starts_with("state=")) {
        const auto state = kStates.find(word.substr(6));
        if (state == kStates.end()) args.refuse("scontrol update " + word + " is not followed");
        action = state->second;
      } else if (!word.starts_with("reason=")) {
        args.refuse("scontrol update " + word + " is not followed");
      }
    }
    if (nodes.empty() || !action) args.refuse("scontrol update: nodename= and state= were expected");
    for (const std::string& name : nodes) {
      add(Stimulus::Kind::node_asked, node(name, args), static_cast<std::uint32_t>(*action));
    }
  }

  void read_power() {
    for (std::uint32_t n = 0; n < out_.node_names.size(); ++n) {
      if (!run_["nodes"].has(out_.node_names[n].c_str())) continue;
      const At events = run_["nodes"][out_.node_names[n].c_str()]["events"];
      bool powered = false;
      for (std::size_t e = 0; e < events.size(); ++e) {
        const std::string what = events.at(e).at(1).text();
        using Kind = RecordedPower::Kind;
        static const std::map<std::string, Kind> kKinds = {
            {"resume", Kind::resume}, {"suspend", Kind::suspend}, {"resume_timeout", Kind::resume_timeout}};
        const auto kind = kKinds.find(what);
        if (kind == kKinds.end()) continue;
        // A node without power that is told to power down goes through the motions; there is no instance to end.
        const bool motions = kind->second == Kind::suspend && !powered;
        powered = kind->second == Kind::resume;
        if (!motions) out_.power.push_back({shifted(events.at(e).at(0)), kind->second, n});
      }
    }
    std::stable_sort(out_.power.begin(), out_.power.end(),
                     [](const RecordedPower& a, const RecordedPower& b) { return a.at < b.at; });
  }

  // --- the clocks of slurmctld's threads ---

  // Decisions of one look are up to some milliseconds apart; it began with the first.
  static std::vector<Time> looks_of(std::vector<Time> times) {
    std::sort(times.begin(), times.end());
    std::vector<Time> looks;
    for (const Time t : times) {
      if (looks.empty() || t - looks.back() > kSecond / 2) looks.push_back(t);
    }
    return looks;
  }

  // A thread's drift may change while it runs: its looks are whole numbers of seconds apart, and for each of these up
  // to `most_drift` more. The longest sequence of such; of the longest the one that begins latest.
  static slurm::Rhythm uneven_rhythm_of(std::vector<Time> times, Time most_drift) {
    const std::vector<Time> looks = looks_of(std::move(times));
    slurm::Rhythm rhythm;
    if (looks.empty()) return rhythm;
    std::vector<std::size_t> length(looks.size(), 1);
    std::vector<std::size_t> before(looks.size(), looks.size());
    std::size_t last = 0;
    for (std::size_t i = 0; i < looks.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const Time gap = looks[i] - looks[j];
        const Time seconds = gap / kSecond;
        if (seconds == 0 || gap % kSecond > seconds * most_drift || length[j] + 1 < length[i]) continue;
        length[i] = length[j] + 1;
        before[i] = j;
      }
      if (length[i] >= length[last]) last = i;
    }
    std::vector<Time> drifts;
    for (std::size_t i = last; i < looks.size(); i = before[i]) {
      rhythm.seen.push_back(looks[i]);
      if (before[i] == looks.size()) break;
      const Time gap = looks[i] - looks[before[i]];
      drifts.push_back(gap % kSecond / (gap / kSecond));
    }
    std::reverse(rhythm.seen.begin(), rhythm.seen.end());
    if (!drifts.empty()) {
      std::nth_element(drifts.begin(), drifts.begin() + static_cast<std::ptrdiff_t>(drifts.size() / 2), drifts.end());
      rhythm.drift = drifts[drifts.size() / 2];
    }
    rhythm.offset = rhythm.seen.front() % (kSecond + rhythm.drift);
    return rhythm;
  }

  // The rhythm of a thread that was seen at some times: a few of them are far off (passes that something else set off),
  // most are within some milliseconds.
  static slurm::Rhythm rhythm_of(std::vector<Time> times, slurm::Rhythm otherwise, Time most_drift, bool keep_all) {
    const std::vector<Time> looks = looks_of(std::move(times));
    if (looks.empty()) return otherwise;
    constexpr Time kNear = 40'000;
    slurm::Rhythm best = otherwise;
    std::size_t most = 0;
    Time least = 0;
    for (Time drift = 0; drift <= (looks.size() > 1 ? most_drift : 0); drift += 20) {
      const Time step = kSecond + drift;
      for (const Time reference : looks) {
        const Time offset = reference % step;
        std::size_t near = 0;
        Time sum = 0;
        for (const Time t : looks) {
          const Time off = ((t - offset) % step + step) % step;
          const Time error = std::min(off, step - off);
          if (error > kNear) continue;
          ++near;
          sum += error;
        }
        if (near < most || (near == most && sum >= least)) continue;
        most = near;
        least = sum;
        best.offset = offset;
        best.drift = drift;
      }
    }
    const Time step = kSecond + best.drift;
    for (const Time t : looks) {
      const Time off = ((t - best.offset) % step + step) % step;
      if (keep_all || std::min(off, step - off) <= kNear) best.seen.push_back(t);
    }
    return best;
  }

  // The same for a thread whose deeds were written down some time after it did them, sometimes much later: its looks
  // are before them.
  static slurm::Rhythm rhythm_before(std::vector<Time> times, slurm::Rhythm otherwise) {
    std::sort(times.begin(), times.end());
    times.erase(std::unique(times.begin(), times.end()), times.end());
    if (times.empty()) return otherwise;
    constexpr Time kMostDrift = 1'000;
    constexpr Time kProgram = 10'000;  // from the thread's look to the start of the program that writes
    slurm::Rhythm best = otherwise;
    Time least = kNever;
    for (Time drift = 0; drift <= (times.size() > 2 ? kMostDrift : 0); drift += 20) {
      const Time step = kSecond + drift;
      for (const Time reference : times) {
        Time sum = 0;
        for (const Time t : times) sum += std::min<Time>(((t - reference) % step + step) % step, 100'000);
        if (sum >= least) continue;
        least = sum;
        best.offset = ((reference - kProgram) % step + step) % step;
        best.drift = drift;
      }
    }
    return best;
  }

  void set_clock(bool exact_clock) {
    slurm::Phases& phases = out_.conf.phases;
    phases.epoch = static_cast<slurm::Second>(std::floor(run_["t0_unix"].number() + run_["slurmctld_start"].number()));
    std::vector<Time> ticks = ticks_;
    std::vector<Time> backfills = out_.backfill_passes;
    std::vector<Time> scans;
    for (const RecordedJob& job : out_.jobs) {
      for (const RecordedAllocation& a : job.allocations) {
        if (!a.by_backfill) ticks.push_back(a.at);
        if (a.by_backfill && out_.backfill_passes.empty()) backfills.push_back(a.at);
      }
    }
    for (const RecordedPower& p : out_.power) {
      if (p.kind != RecordedPower::Kind::resume_timeout) scans.push_back(p.at);  // which is not a program's
    }
    phases.backfill = rhythm_of(backfills, phases.backfill, 100, true);
    phases.power = rhythm_before(scans, phases.power);
    if (exact_clock) {
      out_.clock = RecordedClock::exact;
    } else if (!out_.main_passes.empty()) {
      out_.clock = RecordedClock::passes;
      phases.passes = out_.main_passes;
      phases.backfills = out_.backfill_passes;
      for (const slurm::Phases::Pass& pass : out_.main_passes) ticks.push_back(pass.at);
    } else if (out_.conf.version.number < 2302) {
      out_.clock = RecordedClock::drifting;
    }
    // The main loop looks at limits, too.
    if (!exact_clock && out_.conf.version.number < 2302) phases.main = rhythm_of(ticks, phases.main, 10'000, false);
    if (out_.clock == RecordedClock::drifting) {
      slurm::Rhythm uneven = uneven_rhythm_of(ticks, 15'000);
      if (uneven.seen.size() > phases.main.seen.size()) out_.uneven_main = std::move(uneven);
    }
    // Rhythms count from the start of the loops, which takes its time where slurmdbd is asked first.
    if (run_.has("loops_start")) {
      phases.start = shifted(run_["loops_start"]);
      for (slurm::Rhythm* rhythm : {&phases.main, &phases.backfill, &phases.power}) {
        const Time step = kSecond + rhythm->drift;
        rhythm->offset = ((rhythm->offset - phases.start) % step + step) % step;
      }
    }
  }

  At input_;
  At run_;
  RecordedRun& out_;
  Time shift_;
  ConfText conf_;
  std::deque<Json> merged_;  // components of heterogeneous jobs with what is said of all of them
  std::map<std::string, std::uint32_t> first_;
  std::map<std::string, std::uint32_t> names_;  // numbers of jobs' names
  std::map<std::string, std::uint32_t> users_;  // those that slurmdbd knows first
  std::vector<Time> ticks_;                     // times at which the main loop was seen at work
};

}  // namespace

Recording read_recording(const std::string& file) {
  Json json;
  try {
    json = Json::parse(read_file(file));
  } catch (const Json::parse_error& error) {
    throw InputError(fmt::format("{}: not JSON: {}", file, error.what()));
  }
  const At root(file, json, "");
  Recording recording;
  recording.file = file;
  if (!root.has("schema") || root["schema"].text() != "slurm-golden/1") {
    root.refuse("a recorded run was expected (\"schema\": \"slurm-golden/1\")");
  }
  recording.scenario = root["scenario"].text();
  recording.version = root["slurm_version"].text();
  if (const auto digit = recording.version.find_first_of("0123456789"); digit != std::string::npos) {
    recording.version = recording.version.substr(digit);
  }
  // A preloaded time() that reads the exact clock leaves no trace in the record but the file's name.
  const std::string name = file.substr(file.rfind('/') + 1);
  const bool exact_clock = name.find(".v2505x.") != std::string::npos;
  for (std::size_t r = 0; r < root["runs"].size(); ++r) {
    RecordedRun& run = recording.runs.emplace_back();
    run.name = fmt::format("{} {}{}, run {}", recording.scenario, recording.version,
                           exact_clock ? " (exact clock)" : "", r + 1);
    RunReader(root, root["runs"].at(r), run).read(recording.version, exact_clock);
  }
  return recording;
}

}  // namespace headroom
