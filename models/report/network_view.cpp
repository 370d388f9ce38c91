#include "models/report/network_view.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "models/policies/slurm/slurm.hpp"
#include "models/scenario/document.hpp"

namespace headroom {
namespace {

std::string job_name(const Moment& moment, JobId job) {
  const Workload& workload = moment.workload;
  return workload.job_names.empty() ? std::to_string(workload.jobs[index(job)].number) : workload.job_names[index(job)];
}

}  // namespace

std::vector<LeafId> leaves_of(const RunRecord& record, const JobRecord& job) {
  std::vector<LeafId> leaves;
  for (const HeldShare& share : record.shares_of(job)) {
    if (share.instance == HeldShare::kPermanent) continue;
    const LeafId leaf = record.instances()[share.instance].leaf;
    if (leaf != kNoLeaf) leaves.push_back(leaf);
  }
  return leaves;
}

std::map<std::int32_t, std::int64_t> pairs_by_hops(const NetworkTopology& topology, std::vector<LeafId> leaves) {
  std::sort(leaves.begin(), leaves.end());
  std::vector<std::pair<LeafId, std::int64_t>> counts;
  for (const LeafId leaf : leaves) {
    if (counts.empty() || counts.back().first != leaf) counts.emplace_back(leaf, 0);
    ++counts.back().second;
  }
  std::map<std::int32_t, std::int64_t> pairs;
  for (std::size_t a = 0; a < counts.size(); ++a) {
    const auto& [leaf, here] = counts[a];
    if (here > 1) pairs[topology.hops(leaf, leaf)] += here * (here - 1) / 2;
    for (std::size_t b = a + 1; b < counts.size(); ++b) {
      pairs[topology.hops(leaf, counts[b].first)] += here * counts[b].second;
    }
  }
  return pairs;
}

std::vector<NetworkRow> network_rows(const Moment& moment) {
  const NetworkTopology& topology = *moment.design.spec.topology;
  const Cluster& cluster = moment.cluster;
  std::map<LeafId, std::vector<NodeId>> nodes_on;
  for (std::uint32_t n = 0; n < cluster.node_count(); ++n) {
    if (const LeafId leaf = cluster.leaf(NodeId{n}); leaf != kNoLeaf) nodes_on[leaf].push_back(NodeId{n});
  }
  std::vector<std::vector<JobId>> jobs_on(cluster.node_count());
  for (std::uint32_t j = 0; j < moment.jobs.size(); ++j) {
    const JobState state = moment.jobs.state(JobId{j});
    if (state == JobState::pending || is_final(state)) continue;
    for (const NodeShare& share : cluster.shares(JobId{j})) jobs_on[index(share.node)].push_back(JobId{j});
  }

  // Leaves come in depth-first order: a network node is added before the first leaf below it.
  std::vector<NetworkRow> rows;
  std::vector<std::size_t> row_of(topology.size());  // 1 + its position
  for (const auto& [leaf, nodes] : nodes_on) {
    std::vector<JobId> jobs;
    std::vector<std::string> names;
    for (const NodeId node : nodes) {
      names.push_back(moment.design.node_name(node));
      jobs.insert(jobs.end(), jobs_on[index(node)].begin(), jobs_on[index(node)].end());
    }
    for (const std::uint32_t on_the_way : topology.path_to(leaf)) {
      if (row_of[on_the_way] == 0) {
        NetworkRow& row = rows.emplace_back();
        row.depth = topology.depth(on_the_way);
        row.name = topology.name(on_the_way);
        row_of[on_the_way] = rows.size();
      }
      NetworkRow& row = rows[row_of[on_the_way] - 1];
      row.instances += static_cast<std::int32_t>(nodes.size());
      row.jobs.insert(row.jobs.end(), jobs.begin(), jobs.end());
    }
    NetworkRow& own = rows[row_of[topology.node_of(leaf)] - 1];
    own.is_leaf = true;
    own.node_list = slurm::compress_hostlist(std::move(names));
  }
  for (NetworkRow& row : rows) {
    std::sort(row.jobs.begin(), row.jobs.end());
    row.jobs.erase(std::unique(row.jobs.begin(), row.jobs.end()), row.jobs.end());
  }
  return rows;
}

std::string network_table(const std::vector<NetworkRow>& rows, const Moment& moment) {
  constexpr std::size_t kShown = 6;  // jobs of a line
  std::size_t width = 12;
  for (const NetworkRow& row : rows) width = std::max(width, row.depth + row.name.size());
  std::string out =
      fmt::format("{:<{}} {:>9} {:>5} {}\n", "NETWORK NODE", width, "INSTANCES", "JOBS", "NODELIST (JOBS)");
  for (const NetworkRow& row : rows) {
    std::string leaf;
    if (row.is_leaf) {
      leaf = row.node_list;
      std::string names;
      for (std::size_t j = 0; j < std::min(kShown, row.jobs.size()); ++j) {
        names += (names.empty() ? "" : " ") + job_name(moment, row.jobs[j]);
      }
      if (row.jobs.size() > kShown) names += " ...";
      if (!names.empty()) leaf += " (" + names + ")";
    }
    std::string line = fmt::format("{:<{}} {:>9} {:>5} {}", std::string(row.depth, ' ') + row.name, width,
                                   row.instances, row.jobs.size(), leaf);
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  }
  return out;
}

std::string network_json(const std::vector<NetworkRow>& rows, const Moment& moment) {
  constexpr std::size_t kWhole = std::string::npos;
  std::string out;
  for (const NetworkRow& row : rows) {
    std::string jobs;
    for (const JobId job : row.jobs) jobs += (jobs.empty() ? "" : ", ") + quote(job_name(moment, job), kWhole);
    out += fmt::format(
        "{}\n      {{\"network_node\": {}, \"depth\": {}, \"leaf\": {}, \"instances\": {}, \"node_list\": {}, "
        "\"jobs\": "
        "[{}]}}",
        out.empty() ? "" : ",", quote(row.name, kWhole), row.depth, row.is_leaf, row.instances,
        quote(row.node_list, kWhole), jobs);
  }
  return "[" + out + "]";
}

}  // namespace headroom
