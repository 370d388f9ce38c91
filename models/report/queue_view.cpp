#include "models/report/queue_view.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "models/policies/queue_order.hpp"
#include "models/policies/slurm/slurm.hpp"
#include "models/report/state_name.hpp"
#include "models/scenario/document.hpp"

namespace headroom {
namespace {

std::int64_t whole_seconds(Time t) { return (t - (t % kSecond + kSecond) % kSecond) / kSecond; }

bool holds_nodes(JobState state) {
  return state == JobState::configuring || state == JobState::running || state == JobState::completing;
}

std::int32_t divide_up(std::int32_t a, std::int32_t b) { return a / b + static_cast<std::int32_t>(a % b != 0); }

// The nodes that a pending job takes at least: what it asked for, or what its cores come to on the largest nodes.
std::int32_t least_nodes(const Moment& moment, JobId job) {
  const JobRequest& request = moment.jobs.request(job);
  std::int32_t nodes = std::max(request.nodes, 1);
  std::int32_t cores = request.nodes > 0 && !request.spread ? 0 : request.cores;
  if (moment.slurm != nullptr) {
    const slurm::Ask& ask = moment.slurm->jobs[job].ask;
    nodes = ask.min_nodes;
    cores = ask.cpus;
  }
  std::int32_t largest = 1;
  const ClusterSpec& spec = moment.cluster.spec();
  for (const GroupId group : spec.queues[index(request.queue)].groups) {
    largest = std::max(largest, spec.groups[index(group)].cores);
  }
  return std::max(nodes, divide_up(cores, largest));
}

// Jobs that wait or hold nodes, in the order in which the policy serves them.
std::vector<JobId> by_priority(const Moment& moment) {
  std::vector<JobId> jobs;
  for (std::uint32_t j = 0; j < moment.jobs.size(); ++j) {
    const JobState state = moment.jobs.state(JobId{j});
    if (state == JobState::pending || holds_nodes(state)) jobs.push_back(JobId{j});
  }
  if (moment.slurm != nullptr) {
    const slurm::State& state = *moment.slurm;
    std::stable_sort(jobs.begin(), jobs.end(), [&](JobId a, JobId b) {
      const slurm::Job& x = state.jobs[a];
      const slurm::Job& y = state.jobs[b];
      const std::int32_t tier_x = state.conf.partitions[index(x.queue)].priority_tier;
      const std::int32_t tier_y = state.conf.partitions[index(y.queue)].priority_tier;
      return tier_x != tier_y ? tier_x > tier_y : x.priority > y.priority;
    });
  } else if (const QueueOrder order = moment.scenario.scheduler.order; order != QueueOrder::fcfs) {
    std::vector<std::pair<double, JobId>> keys;
    for (const JobId job : jobs) {
      const Priority priority(order, moment.jobs.request(job), moment.jobs.request(JobId{0}).submit);
      keys.emplace_back(priority.at(moment.at), job);
    }
    std::sort(keys.begin(), keys.end());
    std::transform(keys.begin(), keys.end(), jobs.begin(), [](const auto& key) { return key.second; });
  }
  return jobs;
}

// Tasks of one array that have not been started are one record in slurmctld.
bool in_array_record(const Moment& moment, JobId job) {
  return moment.jobs.state(job) == JobState::pending && moment.jobs.terms(job).array_tasks > 0 &&
         moment.record.jobs()[index(job)].requeues == 0;
}

QueueRow row_of(const Moment& moment, JobId job) {
  const JobRequest& request = moment.jobs.request(job);
  const JobTerms& terms = moment.jobs.terms(job);
  const JobRecord& record = moment.record.jobs()[index(job)];
  const JobId named = terms.array_tasks > 0 ? terms.array : job;
  const Workload& workload = moment.workload;
  QueueRow row;
  row.job = job;
  row.id = std::to_string(workload.jobs[index(named)].number);
  row.name = workload.job_names.empty() ? row.id : workload.job_names[index(job)];
  if (terms.array_tasks > 0) {
    const std::string task = std::to_string(terms.array_task);
    for (const std::string& suffix : {"_" + task, "[" + task + "]"}) {
      if (row.name.size() > suffix.size() && row.name.ends_with(suffix)) {
        row.name.resize(row.name.size() - suffix.size());
        break;
      }
    }
    row.id += "_" + task;
  }
  row.queue = request.queue;
  row.user = workload.user_names[request.user];
  row.state = moment.jobs.state(job);
  if (!holds_nodes(row.state)) {
    row.nodes = least_nodes(moment, job);
    return row;
  }
  const Time start = record.start != kNever ? record.start : record.allocated;
  const Time end = row.state == JobState::completing ? record.end : moment.at;
  row.elapsed_s = whole_seconds(end) - whole_seconds(start);
  std::vector<std::string> names;
  for (const NodeShare& share : moment.cluster.shares(job)) names.push_back(moment.design.node_name(share.node));
  row.nodes = static_cast<std::int32_t>(names.size());
  row.node_list = slurm::compress_hostlist(std::move(names));
  return row;
}

}  // namespace

std::vector<QueueRow> queue_rows(const Moment& moment) {
  std::vector<QueueRow> rows;
  std::map<JobId, std::pair<std::size_t, std::vector<std::int32_t>>> arrays;  // by first task: row, tasks that wait
  std::vector<char> blocked(moment.cluster.spec().queues.size());
  for (const JobId job : by_priority(moment)) {
    const JobTerms& terms = moment.jobs.terms(job);
    if (in_array_record(moment, job)) {
      const auto [entry, is_new] = arrays.try_emplace(terms.array, rows.size(), std::vector<std::int32_t>{});
      entry->second.second.push_back(terms.array_task);
      if (!is_new) continue;
    }
    QueueRow& row = rows.emplace_back(row_of(moment, job));
    if (row.state != JobState::pending) continue;
    char& head_seen = blocked[index(row.queue)];
    if (moment.slurm != nullptr) {
      row.reason = slurm::reason_text(moment.slurm->jobs[job]);
    } else {
      row.reason = head_seen == 0 ? "Resources" : "Priority";
    }
    head_seen = 1;
  }
  for (auto& [array, entry] : arrays) {
    rows[entry.first].id = std::to_string(moment.workload.jobs[index(array)].number) + "_[" +
                           task_list(std::move(entry.second), moment.jobs.terms(array).array_limit) + "]";
  }
  const std::vector<std::string>& queues = moment.design.queue_names;
  std::stable_sort(rows.begin(), rows.end(), [&](const QueueRow& a, const QueueRow& b) {
    if (a.queue != b.queue) return queues[index(a.queue)] < queues[index(b.queue)];
    return compact_state(a.state) < compact_state(b.state);
  });
  return rows;
}

std::string queue_table(const std::vector<QueueRow>& rows, const Design& design) {
  std::string out = fmt::format("{:>18} {:>9} {:>8} {:>8} {:>2} {:>10} {:>6} {}\n", "JOBID", "PARTITION", "NAME",
                                "USER", "ST", "TIME", "NODES", "NODELIST(REASON)");
  for (const QueueRow& row : rows) {
    out +=
        fmt::format("{} {} {} {} {} {} {} {}\n", right_justified(row.id, 18),
                    right_justified(design.queue_names[index(row.queue)], 9), right_justified(row.name, 8),
                    right_justified(row.user, 8), right_justified(compact_state(row.state), 2),
                    right_justified(slurm_duration(row.elapsed_s), 10), right_justified(std::to_string(row.nodes), 6),
                    row.state == JobState::pending ? "(" + row.reason + ")" : row.node_list);
  }
  return out;
}

std::string queue_json(const std::vector<QueueRow>& rows, const Design& design) {
  constexpr std::size_t kWhole = std::string::npos;
  std::string out;
  for (const QueueRow& row : rows) {
    out += fmt::format(
        "{}\n      {{\"job_id\": {}, \"partition\": {}, \"name\": {}, \"user\": {}, \"state\": \"{}\", \"elapsed_s\": "
        "{}, "
        "\"nodes\": {}, \"node_list\": {}, \"reason\": {}}}",
        out.empty() ? "" : ",", quote(row.id, kWhole), quote(design.queue_names[index(row.queue)], kWhole),
        quote(row.name, kWhole), quote(row.user, kWhole), state_name(row.state), row.elapsed_s, row.nodes,
        quote(row.node_list, kWhole), quote(row.reason, kWhole));
  }
  return "[" + out + "]";
}

std::string_view compact_state(JobState state) {
  switch (state) {
    case JobState::pending:
      return "PD";
    case JobState::configuring:
      return "CF";
    case JobState::running:
      return "R";
    case JobState::completing:
      return "CG";
    default:
      return "";
  }
}

std::string slurm_duration(std::int64_t seconds) {
  const std::int64_t days = seconds / 86400;
  const std::int64_t hours = seconds / 3600 % 24;
  const std::int64_t minutes = seconds / 60 % 60;
  if (days > 0) return fmt::format("{}-{:02}:{:02}:{:02}", days, hours, minutes, seconds % 60);
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, seconds % 60);
  return fmt::format("{}:{:02}", minutes, seconds % 60);
}

std::string task_list(std::vector<std::int32_t> tasks, std::int32_t limit) {
  std::sort(tasks.begin(), tasks.end());
  std::string text;
  // Numbers at even distances are written with their step, unless there are few.
  const std::int32_t step = tasks.size() > 1 ? tasks[1] - tasks[0] : 1;
  bool even = step > 1 && tasks.back() - tasks.front() > 10;
  for (std::size_t i = 1; i < tasks.size() && even; ++i) even = tasks[i] - tasks[i - 1] == step;
  if (even) {
    text = fmt::format("{}-{}:{}", tasks.front(), tasks.back(), step);
  } else {
    for (std::size_t i = 0; i < tasks.size();) {
      std::size_t last = i;
      while (last + 1 < tasks.size() && tasks[last + 1] == tasks[last] + 1) ++last;
      text += fmt::format("{}{}", text.empty() ? "" : ",", tasks[i]);
      if (last > i) text += fmt::format("-{}", tasks[last]);
      i = last + 1;
    }
  }
  return limit > 0 ? fmt::format("{}%{}", text, limit) : text;
}

std::string right_justified(std::string_view text, std::size_t width) {
  // Not in the middle of a character.
  std::size_t bytes = 0;
  std::size_t columns = 0;
  while (bytes < text.size() && columns < width) {
    ++bytes;
    while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xc0) == 0x80) ++bytes;
    ++columns;
  }
  return std::string(width - columns, ' ').append(text.substr(0, bytes));
}

}  // namespace headroom
