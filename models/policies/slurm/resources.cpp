#include "models/policies/slurm/resources.hpp"

#include <algorithm>

#include "models/policies/slurm/settings.hpp"

namespace headroom::slurm {
namespace {

std::string parse_all_gres(const Asks& asks, std::vector<GresRequest>& requests, std::string_view* key = nullptr) {
  const auto of = [&](std::string_view name, std::string_view text, std::string_view fallback,
                      std::int32_t GresRequest::*in) {
    if (key != nullptr) *key = name;
    return parse_gres(text, fallback, in, requests);
  };
  std::string problem = of("gres", asks.gres, "", &GresRequest::per_node);
  if (problem.empty()) problem = of("gpus", asks.gpus, "gpu", &GresRequest::per_job);
  if (problem.empty()) problem = of("gpusPerTask", asks.gpus_per_task, "gpu", &GresRequest::per_task);
  if (problem.empty()) problem = of("gpusPerSocket", asks.gpus_per_socket, "gpu", &GresRequest::per_socket);
  return problem;
}

// A product of what a job may ask for, of which nobody has as much; sums of them are still numbers.
std::int32_t product(std::int64_t a, std::int64_t b) {
  constexpr std::int64_t kPlenty = 1'000'000'000;
  return static_cast<std::int32_t>(std::min(std::min(a, kMost) * std::min(b, kMost), kPlenty));
}

}  // namespace

std::string parse_switches(std::string_view text, std::int32_t& count, Second& wait) {
  const auto at = text.find('@');
  wait = kUnlimited;
  const auto number = integer(text.substr(0, at));
  const auto time =
      at == std::string_view::npos ? std::optional<Second>(kUnlimited) : parse_duration(text.substr(at + 1));
  if (!number || *number < 1 || *number > kMost || !time) {
    return wrong(text, "COUNT or COUNT@TIME, such as 1 or 1@60 (minutes)");
  }
  count = static_cast<std::int32_t>(*number);
  wait = *time;
  return {};
}

void add_gpus_per_node(std::string_view text, Asks& asks) {
  while (!text.empty()) {
    const auto comma = text.find(',');
    asks.gres += (asks.gres.empty() ? "gpu:" : ",gpu:") + std::string(text.substr(0, comma));
    text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
  }
}

AskProblem check(const Asks& asks, const Version& version) {
  std::string problem;
  Constraint constraint;
  if (problem = parse_constraint(asks.constraint, constraint); !problem.empty()) return {"constraint", problem};
  std::vector<GresRequest> requests;
  std::string_view key;
  if (problem = parse_all_gres(asks, requests, &key); !problem.empty()) return {key, problem};
  LicenseList licenses;
  problem = parse_licenses(asks.licenses, version.alternative_licenses(), licenses);
  if (!problem.empty()) return {"licenses", problem};
  std::int32_t count = 0;
  Second wait = 0;
  if (!asks.switches.empty()) problem = parse_switches(asks.switches, count, wait);
  if (!problem.empty()) return {"switches", problem};
  for (const auto& [name, list] : {std::pair("nodelist", &asks.nodelist), std::pair("exclude", &asks.exclude)}) {
    if (!list->empty() && expand_hostlist(*list).empty()) {
      return {name, wrong(*list, "a node or a list such as compute-1-[1-3]")};
    }
  }
  if (problem = parse_constraint(asks.prefer, constraint); !problem.empty()) return {"prefer", problem};
  const bool by_gpu = asks.cpus_per_gpu + asks.memory_per_gpu > 0;
  const bool gpus = std::any_of(requests.begin(), requests.end(), [](const GresRequest& r) { return r.is_gpu(); });
  if (by_gpu && !gpus && asks.tasks_per_gpu == 0) {
    return {asks.cpus_per_gpu > 0 ? "cpusPerGpu" : "memoryPerGpu", "the job asks for no GPUs"};
  }
  if (asks.tasks_per_gpu > 0 && !asks.gpus_per_task.empty()) return {"tasksPerGpu", "not together with gpusPerTask"};
  if (!asks.gpus_per_socket.empty() && asks.sockets_per_node == 0) {
    return {"gpusPerSocket", "needs socketsPerNode, as in Slurm"};
  }
  if (asks.gpus_per_socket.empty() && asks.sockets_per_node > 0) {
    return {"socketsPerNode", "only together with gpusPerSocket: where a node's CPUs are is not modelled"};
  }
  return {"", ""};
}

void set_default_memory(const Conf& conf, Asks& asks, JobRequest& request) {
  if (!conf.memory || request.memory_unit != MemoryUnit::whole) return;
  const Partition& partition = conf.partitions[index(request.queue)];
  const bool gpus = !asks.gpus.empty() || !asks.gpus_per_task.empty() || !asks.gpus_per_socket.empty() ||
                    asks.tasks_per_gpu > 0 || ("," + asks.gres).find(",gpu") != std::string::npos;
  if (gpus && asks.memory_per_gpu == 0) {
    asks.memory_per_gpu = partition.def_mem_per_gpu > 0 ? partition.def_mem_per_gpu : conf.def_mem_per_gpu;
  }
  if (asks.memory_per_gpu > 0) {
    // The books of it are the policy's: how many GPUs a node gives is not known yet.
    request.memory_unit = MemoryUnit::per_node;
    request.memory = 0;
    return;
  }
  const std::pair<MemoryUnit, std::int32_t> defaults[] = {{MemoryUnit::per_node, partition.def_mem_per_node},
                                                          {MemoryUnit::per_core, partition.def_mem_per_cpu},
                                                          {MemoryUnit::per_node, conf.def_mem_per_node},
                                                          {MemoryUnit::per_core, conf.def_mem_per_cpu}};
  for (const auto& [unit, amount] : defaults) {
    if (amount <= 0) continue;
    request.memory_unit = unit;
    request.memory = amount;
    return;
  }
}

Resources::Resources(const Conf& conf) : conf_(conf), licenses_(conf.licenses) {}

bool Resources::describe(Job& job, const Asks& asks, std::int32_t tasks, const NodeTable& nodes, Second now) {
  const Partition& partition = conf_.partitions[index(job.queue)];
  if (asks.core_spec >= 0 && conf_.allow_spec_resources) {
    job.ask.core_spec = asks.core_spec;
    job.ask.whole_nodes = job.asked_whole = true;
    job.ask.sharing = sharing_in(conf_, job.queue, true, asks.oversubscribe);
  }
  Needs needs;
  needs.contiguous = asks.contiguous;
  needs.spread = asks.spread_job;
  bool known = true;
  if (!asks.constraint.empty()) {
    Constraint constraint;
    known = parse_constraint(asks.constraint, constraint).empty() && resolve(constraint, nodes, needs.features);
    needs.constrained = known && !constraint.terms.empty();
  }
  known = known && name_nodes(asks, tasks, nodes, job, needs);
  known = known && describe_gres(asks, nodes, partition, job.ask, needs);
  LicenseList licenses;
  known = known && parse_licenses(asks.licenses, conf_.version.alternative_licenses(), licenses).empty() &&
          licenses_.resolve(licenses, needs.licenses);
  if (!asks.switches.empty()) {
    Second wait = 0;
    known = known && parse_switches(asks.switches, needs.switches, wait).empty();
    needs.switches_until = now + std::min(wait, conf_.max_switch_wait);
  }
  if (!known || !describe_preference(asks, nodes, needs, job)) return false;
  const bool places = needs.places() || (needs.switches > 0 && !conf_.topology.empty());
  if (!places && needs.licenses.empty()) return true;
  needs_.push_back(std::move(needs));
  job.needs = &needs_.back();
  if (places) job.ask.needs = job.needs;
  return true;
}

void Resources::settle_owner(Job& job, const Asks& asks, const NodeTable& nodes) {
  const Partition& partition = conf_.partitions[index(job.queue)];
  job.owns_nodes = !job.ask.whole_nodes && (asks.exclusive_user || partition.exclusive_user);
  if (job.owns_nodes && owners_.empty()) owners_.resize(nodes.size());
}

// --prefer. False: it names a feature that no node has.
bool Resources::describe_preference(const Asks& asks, const NodeTable& nodes, const Needs& needs, Job& job) {
  if (asks.prefer.empty()) return true;
  Needs wish = needs;
  Constraint constraint;
  const bool known = parse_constraint(asks.prefer, constraint).empty() && resolve(constraint, nodes, wish.features);
  if (!known) return conf_.ignore_prefer_validation;
  wish.constrained = !constraint.terms.empty();
  needs_.push_back(std::move(wish));
  job.preferred = &needs_.back();
  return true;
}

// --nodelist and --exclude. False: no such nodes, one that is in both, or more than it wants.
bool Resources::name_nodes(const Asks& asks, std::int32_t tasks, const NodeTable& nodes, const Job& job, Needs& needs) {
  if (!asks.nodelist.empty()) {
    const auto named = named_nodes(asks, tasks, nodes);
    if (!named || (job.asked_max > 0 && named->count() > job.asked_max)) return false;
    needs.required = *named;
  }
  if (asks.exclude.empty()) return true;
  const auto excluded = nodes.named(asks.exclude);
  if (!excluded || (needs.names_nodes() && excluded->overlaps(needs.required))) return false;
  needs.excluded = *excluded;
  return true;
}

// Counts by job, by node and by task that do not go together are refused; where one says how many nodes or tasks the
// others mean, it does.
bool Resources::describe_gres(const Asks& asks, const NodeTable& nodes, const Partition& partition, Ask& ask,
                              Needs& needs) const {
  if (!parse_all_gres(asks, needs.gres).empty()) return false;
  const bool gpus = std::any_of(needs.gres.begin(), needs.gres.end(), [](const auto& r) { return r.is_gpu(); });
  if (asks.tasks_per_gpu > 0 && !gpus) {
    // Then the tasks say how many GPUs.
    if (ask.tasks % asks.tasks_per_gpu != 0) return false;
    GresRequest& request = needs.gres.emplace_back();
    request.name = "gpu";
    request.per_job = ask.tasks / asks.tasks_per_gpu;
  }
  describe_gpus(asks, partition, ask, needs);
  for (const GresRequest& request : needs.gres) {
    const auto& pools = nodes.pools();
    const bool there = std::any_of(pools.begin(), pools.end(), [&](const GresPool& p) { return request.takes(p); });
    if (!there) return false;
    if (request.per_job > 0 && request.per_node > 0) {
      if (request.per_job % request.per_node != 0) return false;
      const std::int32_t on = request.per_job / request.per_node;
      if (ask.max_nodes > 0 && ask.max_nodes < on) return false;
      ask.min_nodes = std::max(ask.min_nodes, on);
      ask.max_nodes = std::max(ask.max_nodes, on);
    }
    if (request.per_job > 0 && request.per_task > 0) {
      if (request.per_job % request.per_task != 0) return false;
      const std::int32_t tasks = request.per_job / request.per_task;
      if (ask.tasks > 1 && ask.tasks != tasks) return false;
      ask.tasks = tasks;
      ask.cpus = product(tasks, ask.cpus_per_task);
    }
    if (request.per_node > 0 && request.per_task > request.per_node) return false;
    if (request.per_node > 0 && request.per_task > 0) {
      if (request.per_node % request.per_task != 0) return false;
      const std::int32_t tasks = request.per_node / request.per_task;
      if (ask.tasks_per_node > 0 && ask.tasks_per_node != tasks) return false;
      ask.tasks_per_node = tasks;
      ask.tasks = std::max(ask.tasks, product(tasks, ask.min_nodes));
      ask.cpus = product(ask.tasks, ask.cpus_per_task);
    }
    if (request.per_socket > 0 && asks.sockets_per_node == 0) return false;
    if (request.per_socket > 0 && request.per_node > 0 && request.per_socket != request.per_node) return false;
    if (request.tasks_each > 0 && request.per_task > 0) return false;
    if (request.per_job > 0 && ask.min_nodes > request.per_job) return false;  // one for each node at least
  }
  for (const GresRequest& request : needs.gres) {
    if (request.cpus_each == 0) continue;
    const std::int32_t tasks = std::max(ask.tasks_per_node, 1);
    const std::int32_t own = request.per_node > 0     ? request.per_node
                             : request.per_socket > 0 ? request.per_socket
                             : request.per_task > 0   ? product(request.per_task, ask.tasks_per_node)
                                                      : 1;
    needs.gres_cpus_per_node = std::max(needs.gres_cpus_per_node, product(own, request.cpus_each));
    const std::int64_t all = request.total(ask.min_nodes, std::int64_t{tasks} * ask.min_nodes);
    needs.gres_cpus = std::max(needs.gres_cpus, product(all, request.cpus_each));
  }
  // Those of a type first: what is left is anybody's.
  std::stable_sort(needs.gres.begin(), needs.gres.end(),
                   [](const GresRequest& a, const GresRequest& b) { return a.type.empty() < b.type.empty(); });
  return true;
}

// What goes with each GPU, as the job says, or else as the partition and slurm.conf do.
void Resources::describe_gpus(const Asks& asks, const Partition& partition, Ask& ask, Needs& needs) const {
  const std::int32_t default_cpus = partition.def_cpu_per_gpu > 0 ? partition.def_cpu_per_gpu : conf_.def_cpu_per_gpu;
  for (GresRequest& request : needs.gres) {
    if (!request.is_gpu()) continue;
    request.per_socket = product(request.per_socket, std::max(asks.sockets_per_node, 1));
    request.tasks_each = asks.tasks_per_gpu;
    request.memory_each = needs.memory_per_gpu = asks.memory_per_gpu;
    if (asks.memory_per_gpu > 0) {
      ask.memory_unit = MemoryUnit::per_node;
      ask.memory = 0;
    }
    request.cpus_each = asks.cpus_per_gpu;
    // A job that says how many CPUs its tasks have gets no default.
    if (request.cpus_each == 0 && request.tasks_each == 0 && ask.cpus_per_task == 1) request.cpus_each = default_cpus;
    if (request.cpus_each > 0 && request.per_task > 0) {
      ask.cpus_per_task = std::max(ask.cpus_per_task, product(request.cpus_each, request.per_task));
      ask.cpus = product(ask.tasks, ask.cpus_per_task);
    }
    if (request.tasks_each > 0) {
      ask.tasks = std::max(ask.tasks, product(request.tasks_each, request.total(ask.min_nodes, ask.tasks)));
      ask.cpus = product(ask.tasks, ask.cpus_per_task);
    }
  }
}

void Resources::keep_to_owner(const Job& job, const JobList& jobs, NodeBits& nodes) const {
  if (owners_.empty()) return;
  if (job.owns_nodes) {
    for (const JobId id : jobs.active()) {
      if (jobs[id].user != job.user) nodes.remove(jobs[id].nodes);
    }
    return;
  }
  for (Index n = 0; n < owners_.size(); ++n) {
    if (owners_[n].jobs > 0 && owners_[n].user != job.user) nodes.reset(n);
  }
}

void Resources::begin(Job& job, NodeTable& nodes) {
  if (job.owns_nodes) {
    for (const Selector::Share& share : job.shares) {
      owners_[share.node].user = job.user;
      ++owners_[share.node].jobs;
    }
  }
  if (job.needs != nullptr) job.licenses = licenses_.take(job.needs->licenses);
  for (const GresShare& share : job.gres) nodes.held.gres[share.pool] += share.count;
}

std::vector<GresShare> Resources::gres_of(const Job& job, std::vector<Selector::Share>& shares,
                                          const NodeTable& nodes) const {
  const std::vector<GresPool>& pools = nodes.pools();
  std::vector<GresShare> all;
  if (pools.empty() || (!job.ask.whole_nodes && job.needs == nullptr)) return all;
  const auto take = [&](Selector::Share& share, std::size_t pool, std::int32_t count) {
    if (count <= 0) return;
    all.push_back({share.node, static_cast<std::uint32_t>(pool), count});
    if (pools[pool].name == "gpu") share.gpus += count;
  };
  for (Selector::Share& share : shares) share.gpus = 0;
  if (job.ask.whole_nodes) {
    for (Selector::Share& share : shares) {
      for (std::size_t p = nodes.first_pool(share.node); p < nodes.first_pool(share.node + 1); ++p) {
        take(share, p, pools[p].count - nodes.held.gres[p]);
      }
    }
    return all;
  }
  // Two requests may be for one pool.
  const auto taken = [&](std::size_t pool) {
    std::int32_t sum = nodes.held.gres[pool];
    for (const GresShare& share : all) sum += share.pool == pool ? share.count : 0;
    return sum;
  };
  for (const GresRequest& request : job.needs->gres) {
    std::int32_t left = request.per_job;
    for (std::size_t s = 0; s < shares.size(); ++s) {
      const Index n = shares[s].node;
      const auto after = static_cast<std::int32_t>(shares.size() - s) - 1;
      const std::int32_t tasks = std::max(shares[s].cpus / job.ask.cpus_per_task, 1);
      std::int32_t count = std::max({request.per_node, request.per_socket, request.per_task * tasks});
      // Of a number for the job each node has one at least, the first ones what they can.
      if (request.per_job > 0 && count == 0) count = std::max(left - after, 1);
      for (std::size_t p = nodes.first_pool(n); p < nodes.first_pool(n + 1) && count > 0; ++p) {
        if (!request.takes(pools[p])) continue;
        const std::int32_t some = std::min(count, pools[p].count - taken(p));
        take(shares[s], p, some);
        count -= some;
        left -= some;
      }
    }
  }
  return all;
}

void Resources::end(Job& job, NodeTable& nodes) {
  for (const GresShare& share : job.gres) nodes.held.gres[share.pool] -= share.count;
  job.gres.clear();
  licenses_.give_back(job.licenses);
  job.licenses = {};
  if (!job.owns_nodes) return;
  for (const Selector::Share& share : job.shares) --owners_[share.node].jobs;
}

}  // namespace headroom::slurm
