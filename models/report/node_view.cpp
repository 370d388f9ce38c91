#include "models/report/node_view.hpp"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "models/policies/slurm/slurm.hpp"
#include "models/report/queue_view.hpp"
#include "models/scenario/document.hpp"

namespace headroom {
namespace {

// What sinfo prints of a state, its full name, and Slurm's number of it: by these numbers sinfo sorts.
struct Word {
  std::string_view text;
  std::string_view name;
  std::int64_t number;
};
constexpr std::array<Word, 8> kBases = {{{"down", "DOWN", 1},
                                         {"idle", "IDLE", 2},
                                         {"alloc", "ALLOCATED", 3},
                                         {"mix", "MIXED", 5},
                                         {"drain", "DRAINED", 0x202},
                                         {"drng", "DRAINING", 0x203},
                                         {"comp", "COMPLETING", 0x403},
                                         {"plnd", "PLANNED", 0x20'0002}}};
constexpr std::array<Word, 6> kFlags = {{{"*", "NOT_RESPONDING", 0x800},
                                         {"~", "POWERED_DOWN", 0x1000},
                                         {"#", "POWERING_UP", 0x4000},
                                         {"%", "POWERING_DOWN", 0x4'0000},
                                         {"-", "PLANNED", 0x20'0000},
                                         {"!", "POWER_DOWN", 0x80'0000}}};

std::vector<const Word*> words_of(std::string_view state) {
  std::vector<const Word*> words;
  for (const Word& base : kBases) {
    if (state.substr(0, base.text.size()) != base.text) continue;
    words.push_back(&base);
    for (const Word& flag : kFlags) {
      if (state.substr(base.text.size()) == flag.text) words.push_back(&flag);
    }
    break;
  }
  return words;
}

// slurmctld's table as it would be under this policy: what holds the nodes, and nothing that only slurmctld knows.
slurm::NodeTable table_of(const Moment& moment) {
  const Cluster& cluster = moment.cluster;
  slurm::NodeTable table(cluster, slurm::Conf{}, moment.design.node_names());
  for (slurm::Index n = 0; n < table.size(); ++n) {
    table[n].down = cluster.is_down(table[n].id);
  }
  for (std::uint32_t j = 0; j < moment.jobs.size(); ++j) {
    const JobState state = moment.jobs.state(JobId{j});
    if (state == JobState::pending || is_final(state)) continue;
    for (const NodeShare& share : cluster.shares(JobId{j})) {
      table.held.take(table.of(share.node), cluster.cores(share.node), share.cores, 0);
    }
  }
  return table;
}

}  // namespace

std::int64_t state_rank(std::string_view state) {
  std::int64_t rank = 0;
  for (const Word* word : words_of(state)) rank += word->number;
  return rank;
}

std::vector<NodeRow> node_rows(const Moment& moment) {
  const bool known = moment.slurm != nullptr && moment.slurm->nodes != nullptr;
  std::optional<slurm::NodeTable> made;
  if (!known) made.emplace(table_of(moment));
  const slurm::NodeTable& table = known ? *moment.slurm->nodes : *made;

  std::vector<std::string> states;
  for (slurm::Index n = 0; n < table.size(); ++n) states.push_back(slurm::sinfo_state(moment.cluster, table, n));
  std::vector<NodeRow> rows;
  for (std::uint32_t q = 0; q < moment.cluster.spec().queues.size(); ++q) {
    std::map<std::pair<std::int64_t, std::string>, std::vector<std::string>> names;
    table.partition(QueueId{q}).for_each([&](slurm::Index n) {
      names[{-state_rank(states[n]), states[n]}].push_back(table[n].name);
    });
    std::string limit = "infinite";
    if (known && moment.slurm->conf.partitions[q].max_time) {
      limit = slurm_duration(*moment.slurm->conf.partitions[q].max_time);
    }
    for (auto& [key, list] : names) {
      const auto count = static_cast<std::int32_t>(list.size());
      rows.push_back({QueueId{q}, limit, count, key.second, slurm::compress_hostlist(std::move(list))});
    }
  }
  return rows;
}

std::string node_table(const std::vector<NodeRow>& rows, const Design& design) {
  // The first queue is the one of jobs that name none.
  const auto partition = [&](QueueId queue) {
    return design.queue_names[index(queue)] + (index(queue) == 0 ? "*" : "");
  };
  std::size_t width = 9;
  for (const NodeRow& row : rows) width = std::max(width, partition(row.queue).size());
  std::string out = fmt::format("{:<{}} {:>5} {:>10} {:>6} {:>6} {}\n", "PARTITION", width, "AVAIL", "TIMELIMIT",
                                "NODES", "STATE", "NODELIST");
  for (const NodeRow& row : rows) {
    out += fmt::format("{:<{}} {} {} {} {} {}\n", partition(row.queue), width, right_justified("up", 5),
                       right_justified(row.time_limit, 10), right_justified(std::to_string(row.nodes), 6),
                       right_justified(row.state, 6), row.node_list);
  }
  return out;
}

std::string node_json(const std::vector<NodeRow>& rows, const Design& design) {
  constexpr std::size_t kWhole = std::string::npos;
  std::string out;
  for (const NodeRow& row : rows) {
    std::string words;
    for (const Word* word : words_of(row.state)) {
      words += fmt::format("{}\"{}\"", words.empty() ? "" : ", ", word->name);
    }
    out += fmt::format(
        "{}\n      {{\"partition\": {}, \"default\": {}, \"available\": \"up\", \"time_limit\": \"{}\", \"nodes\": {}, "
        "\"state\": [{}], \"node_list\": {}}}",
        out.empty() ? "" : ",", quote(design.queue_names[index(row.queue)], kWhole), index(row.queue) == 0,
        row.time_limit, row.nodes, words, quote(row.node_list, kWhole));
  }
  return "[" + out + "]";
}

}  // namespace headroom
