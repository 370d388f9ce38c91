#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/cloud/catalog.hpp"
#include "models/validate/judge.hpp"

namespace headroom::validate {

const MpiDocument* Judge::roll_call() const {
  const MpiDocument* best = nullptr;
  for (const MpiDocument& document : evidence_.documents) {
    if (best == nullptr || (document.test == "hello" && best->test != "hello")) best = &document;
  }
  return best != nullptr ? best : evidence_.fallback ? &*evidence_.fallback : nullptr;
}

Requirement Judge::distinct_hosts() const {
  Requirement r = requirement("distinct-hosts");
  if (roll_call() == nullptr) return without_ranks(r.id);
  std::map<std::string, std::set<std::string>> names;  // by machine
  std::set<std::string> claimed;
  std::set<std::string> unknown;
  std::map<std::string, std::set<std::string>> machines_of_id;  // by instance id
  std::map<std::string, std::set<std::string>> machines_of_name;
  std::set<std::string> sharing;
  std::vector<const MpiDocument*> documents;
  for (const MpiDocument& document : evidence_.documents) documents.push_back(&document);
  if (evidence_.fallback) documents.push_back(&*evidence_.fallback);
  for (const MpiDocument* document : documents) {
    std::map<std::int64_t, std::string> group_host;
    for (const Rank& rank : document->ranks) {
      const std::string& name = rank.claimed_host();
      claimed.insert(name);
      const std::string machine = hosts_.machine(rank);
      if (machine.empty()) {
        unknown.insert(name);
      } else {
        names[machine].insert(name);
        machines_of_name[name].insert(machine);
        if (!rank.instance_id.empty()) machines_of_id[rank.instance_id].insert(machine);
      }
      if (!rank.shared_memory_group) continue;
      const auto [first, is_new] = group_host.emplace(*rank.shared_memory_group, name);
      if (!is_new && first->second != name && !demand_.namespaces_are_hosts) {
        sharing.insert(first->second);
        sharing.insert(name);
      }
    }
  }
  r.evidence.push_back(fmt::format("{}, {} (boot_id{})", plural(claimed.size(), "host name"),
                                   plural(names.size(), "machine"),
                                   demand_.namespaces_are_hosts ? " and network namespace" : ""));
  std::set<std::string> guilty;
  for (const auto& [machine, here] : names) {
    if (here.size() < 2) continue;
    const std::vector<std::string> list(here.begin(), here.end());
    r.evidence.push_back(fmt::format("{} are one machine: boot_id {}", listed(list), machine));
    guilty.insert(here.begin(), here.end());
  }
  for (const auto& [name, machines] : machines_of_name) {
    if (machines.size() < 2) continue;
    r.evidence.push_back(fmt::format("{} is the name of {} machines", name, machines.size()));
    guilty.insert(name);
  }
  if (!sharing.empty()) {
    r.evidence.push_back("ranks share memory across " + listed({sharing.begin(), sharing.end()}));
    guilty.insert(sharing.begin(), sharing.end());
  }
  for (const auto& [id, machines] : machines_of_id) {
    if (machines.size() > 1)
      r.evidence.push_back(fmt::format("{} is the instance of {} machines", id, machines.size()));
  }
  const std::int64_t least = std::max<std::int64_t>(2, demand_.hosts.value_or(roll_call()->asked.hosts.value_or(2)));
  r.hosts.assign(guilty.begin(), guilty.end());
  if (!guilty.empty()) {
    conclude(r, Verdict::fail, "what is said to be several hosts is one machine, so messages never left it",
             "Give every node name its own instance: check NodeName and NodeAddr in slurm.conf, the host list, and "
             "the placement of "
             "ranks (--map-by ppr:N:node).");
  } else if (demand_.hosts == 1) {
    conclude(r, Verdict::fail, "one host was given, and this is about messages between hosts",
             "Name two hosts or more; on one there is only --expect shm.");
  } else if (static_cast<std::int64_t>(claimed.size()) < least) {
    conclude(r, Verdict::fail, fmt::format("ranks ran on {} of {} hosts", claimed.size(), least),
             "Place ranks on all hosts: check the host list, slots, and the mapping (--map-by ppr:N:node).");
  } else if (!unknown.empty()) {
    conclude(r, Verdict::inconclusive, "no boot_id from " + listed({unknown.begin(), unknown.end()}),
             "Let the programs read /proc/sys/kernel/random/boot_id on every host.");
  } else {
    conclude(r, Verdict::pass);
  }
  return r;
}

Requirement Judge::one_host() const {
  Requirement r = requirement("one-host");
  const MpiDocument* call = roll_call();
  if (call == nullptr) return without_ranks(r.id);
  std::set<std::string> machines;
  std::set<std::string> names;
  std::set<std::int64_t> groups;
  for (const Rank& rank : call->ranks) {
    names.insert(rank.claimed_host());
    if (!hosts_.machine(rank).empty()) machines.insert(hosts_.machine(rank));
    if (rank.shared_memory_group) groups.insert(*rank.shared_memory_group);
  }
  r.evidence.push_back(fmt::format("{}, {}, {}, {} that shares memory", plural(call->ranks.size(), "rank"),
                                   plural(names.size(), "host name"), plural(machines.size(), "machine"),
                                   plural(groups.size(), "group")));
  if (machines.size() > 1 || groups.size() > 1 || names.size() > 1) {
    r.hosts.assign(names.begin(), names.end());
    conclude(r, Verdict::fail, "ranks run on several hosts, or cannot share memory",
             "Give one host, or expect efa or tcp.");
  } else if (machines.empty() || groups.empty()) {
    conclude(r, Verdict::inconclusive, "neither a boot_id nor groups that share memory are known",
             "Use the programs of mpi-tests.");
  } else {
    conclude(r, Verdict::pass);
  }
  return r;
}

Requirement Judge::layout() const {
  Requirement r = requirement("layout");
  const MpiDocument* call = roll_call();
  if (call == nullptr) return without_ranks(r.id);
  std::map<std::string, std::int64_t> ranks;
  for (const Rank& rank : call->ranks) ++ranks[rank.claimed_host()];
  std::int64_t least = ranks.begin()->second;
  std::int64_t most = least;
  for (const auto& [name, count] : ranks) {
    least = std::min(least, count);
    most = std::max(most, count);
  }
  r.evidence.push_back(fmt::format("{}: {} on {}, {} on each", call->test, plural(call->ranks.size(), "rank"),
                                   plural(ranks.size(), "host"),
                                   least == most ? fmt::format("{}", least) : fmt::format("{} to {}", least, most)));
  const std::optional<std::int64_t> hosts = demand_.hosts ? demand_.hosts : call->asked.hosts;
  const bool per_host_holds = call->test == "hello" || call->test == "allreduce";
  const std::optional<std::int64_t> per_host =
      demand_.tasks_per_node && per_host_holds ? demand_.tasks_per_node : call->asked.per_host;
  std::vector<std::string> wrong;
  if (hosts && static_cast<std::int64_t>(ranks.size()) != *hosts) {
    wrong.push_back(fmt::format("{} hosts in place of {}", ranks.size(), *hosts));
  }
  for (const auto& [name, count] : ranks) {
    if (per_host && count != *per_host) {
      r.hosts.push_back(name);
      if (wrong.size() < kListed) wrong.push_back(fmt::format("{} ranks on {} in place of {}", count, name, *per_host));
    }
  }
  if (call->layout_ok == false && call->problems.empty()) wrong.push_back("hello found the layout wrong");
  // hello's own sentences count hosts its way: groups that share memory.
  for (const std::string& problem : call->problems) r.evidence.push_back("hello: " + problem);
  if (!wrong.empty()) {
    conclude(r, Verdict::fail, listed(wrong),
             "Correct the host list, the slots or the mapping of ranks (--map-by ppr:N:node, --ntasks-per-node).");
  } else if (call->layout_ok == false && (call->asked.hosts || call->asked.per_host) && !demand_.namespaces_are_hosts) {
    conclude(r, Verdict::fail, call->problems.front(),
             "Correct the host list, the slots or the mapping of ranks (--map-by ppr:N:node, --ntasks-per-node).");
  } else if (!hosts && !per_host) {
    conclude(r, Verdict::inconclusive, "it is not known what layout was asked for",
             "Run hello with --expect-hosts and --expect-per-host.");
    r.required = false;
  } else {
    conclude(r, Verdict::pass);
  }
  return r;
}

Requirement Judge::instances() const {
  Requirement r = requirement("instances");
  r.required = false;
  std::set<std::string> zones;
  std::vector<std::string> unknown;
  for (const HostFacts& host : hosts_.all()) {
    if (!host.availability_zone.empty()) zones.insert(host.availability_zone);
    if (host.instance_type.empty() || host.availability_zone.empty()) unknown.push_back(host.name);
  }
  const std::vector<std::string> zone_list(zones.begin(), zones.end());
  if (!types_.empty()) r.evidence.push_back("instance types: " + listed(types_));
  if (!zones.empty()) r.evidence.push_back("availability zones: " + listed(zone_list));
  if (zones.size() > 1) {
    conclude(r, Verdict::fail, "the hosts are in several zones, and EFA's traffic does not leave one",
             "Give the node group one subnet (PCS-51).");
  } else if (types_.size() > 1) {
    conclude(r, Verdict::fail, "the hosts are of several instance types", "Make the node group of one type (PCS-50).");
  } else if (!demand_.instance_type.empty() && !types_.empty() && types_.front() != demand_.instance_type) {
    conclude(r, Verdict::fail, fmt::format("the hosts are {}, not {}", types_.front(), demand_.instance_type),
             "Give the right --instance-type, or the node group the right instances.");
  } else if (hosts_.all().empty() || !unknown.empty()) {
    conclude(r, Verdict::inconclusive,
             hosts_.all().empty() ? std::string("no program told where its ranks ran")
                                  : "type or zone are not known of " + listed(unknown),
             "Run with --imds: then the programs ask the instance metadata service.");
  } else {
    conclude(r, Verdict::pass);
  }
  return r;
}

}  // namespace headroom::validate
