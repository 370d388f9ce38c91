#include "models/report/scheduler_log.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "models/report/format.hpp"
#include "models/report/node_list.hpp"
#include "models/report/state_name.hpp"
#include "models/scenario/document.hpp"

namespace headroom {
namespace {

constexpr std::size_t kBlock = std::size_t{64} << 10;

// In the order in which they are written at one instant.
enum class What : std::uint8_t {
  submitted,
  rejected,
  ended,
  requeued,
  node_lost,
  node_back,
  node_ready,
  node_gone,
  node_down,
  node_up,
  allocated,
  started,
};

struct Entry {
  Time at;
  What what;
  bool lost;              // of an attempt that was lost: `subject` is its position
  std::uint32_t subject;  // job, instance or notice
};

std::vector<Entry> entries_of(const RunRecord& record, const Design& design) {
  std::vector<Entry> entries;
  const auto add = [&](Time at, What what, std::size_t subject, bool lost = false) {
    if (at != kNever) entries.push_back({at, what, lost, static_cast<std::uint32_t>(subject)});
  };
  const auto add_attempt = [&](const JobRecord& job, std::size_t subject, bool lost) {
    add(job.allocated, What::allocated, subject, lost);
    add(job.start, What::started, subject, lost);
  };
  for (std::size_t j = 0; j < record.jobs().size(); ++j) {
    const JobRecord& job = record.jobs()[j];
    add(job.request.submit, job.state == JobState::rejected ? What::rejected : What::submitted, j);
    add_attempt(job, j, false);
    if (is_final(job.state) && job.state != JobState::rejected) add(job.end, What::ended, j);
  }
  for (std::size_t a = 0; a < record.lost_attempts().size(); ++a) {
    add_attempt(record.lost_attempts()[a].job, a, true);
    add(record.lost_attempts()[a].job.freed, What::requeued, a, true);
  }
  if (design.is_pool) return entries;
  for (std::size_t i = 0; i < record.instances().size(); ++i) {
    const InstanceRecord& instance = record.instances()[i];
    if (instance.refused) continue;
    add(instance.launch, What::node_up, i);
    add(instance.ready, What::node_ready, i);
    add(instance.end, instance.loss ? What::node_gone : What::node_down, i);
  }
  for (std::size_t n = 0; n < record.notices().size(); ++n) {
    const Notice& notice = record.notices()[n];
    if (notice.news.kind == Stimulus::Kind::node_lost) add(notice.at, What::node_lost, n);
    if (notice.news.kind == Stimulus::Kind::node_back) add(notice.at, What::node_back, n);
  }
  return entries;
}

// 2024-07-17T15:42:58.614+00:00
std::string stamp_of(Time t) {
  const std::chrono::sys_days day{std::chrono::days{t / (24 * kHour)}};
  const std::chrono::year_month_day date{day};
  const Time rest = t % (24 * kHour);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+00:00", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), rest / kHour,
                     rest / kMinute % 60, rest / kSecond % 60, rest / (kSecond / 1000) % 1000);
}

}  // namespace

void write_scheduler_jsonl(const RunRecord& record, const RunContext& context,
                           const std::function<void(std::string_view)>& write) {
  constexpr std::size_t kWhole = std::string::npos;
  const Design& design = context.design;
  const Workload& workload = context.workload;
  const Scenario& scenario = context.scenario;
  const NodeLists node_lists(design);
  const std::vector<std::string> names = design.node_names();

  const auto job_name = [&](std::size_t job) {
    return workload.job_names.empty() ? std::to_string(workload.jobs[job].number) : workload.job_names[job];
  };
  const auto allocation = [&](const JobRecord& job, std::size_t id) {
    std::string nodes;
    node_lists.append(nodes, record.shares_of(job));
    std::int64_t cores = 0;
    for (const HeldShare& share : record.shares_of(job)) cores += share.cores;
    const std::string& partition = design.queue_names[index(job.request.queue)];
    if (nodes.empty()) return fmt::format("sched: Allocate JobId={} Partition={}", job_name(id), partition);
    return fmt::format("sched: Allocate JobId={} NodeList={} #CPUs={} Partition={}", job_name(id), nodes, cores,
                       partition);
  };
  const auto message = [&](const Entry& entry) -> std::string {
    const std::size_t job = entry.lost ? index(record.lost_attempts()[entry.subject].id) : entry.subject;
    switch (entry.what) {
      case What::submitted:
        return fmt::format("_slurm_rpc_submit_batch_job: JobId={}", job_name(job));
      case What::rejected:
        return fmt::format("_slurm_rpc_submit_batch_job: {}", rejection_text(record.jobs()[job].rejection));
      case What::allocated:
        return allocation(entry.lost ? record.lost_attempts()[entry.subject].job : record.jobs()[job], job);
      case What::started:
        return fmt::format("prolog_running_decr: Configuration for JobId={} is complete", job_name(job));
      case What::ended:
        return fmt::format("_job_complete: JobId={} {}", job_name(job), state_name(record.jobs()[job].state));
      case What::requeued:
        return fmt::format("Requeuing JobId={}", job_name(job));
      case What::node_lost:
        return fmt::format("Nodes {} not responding", names[record.notices()[entry.subject].news.subject]);
      case What::node_back:
        return fmt::format("Node {} now responding", names[record.notices()[entry.subject].news.subject]);
      case What::node_up:
      case What::node_ready:
      case What::node_down:
      case What::node_gone: {
        const std::string& node = names[index(record.instances()[entry.subject].node)];
        if (entry.what == What::node_up) return fmt::format("power_save: waking nodes {}", node);
        if (entry.what == What::node_ready) return fmt::format("Node {} now responding", node);
        if (entry.what == What::node_down) return fmt::format("power_save: suspending nodes {}", node);
        return fmt::format("Nodes {} not responding, setting DOWN", node);
      }
    }
    return {};
  };
  const std::string head =
      fmt::format("{{\"resource_id\": {}, \"resource_type\": \"PCS_CLUSTER\", \"event_timestamp\": ",
                  quote(design.is_pool ? design.groups.front().name : scenario.cluster.name, kWhole));
  const std::int32_t version = scenario.scheduler.slurm_version;
  const std::string tail = fmt::format(
      "\", \"log_name\": \"slurmctld\", \"scheduler_type\": \"slurm\", \"scheduler_major_version\": "
      "\"{:02}.{:02}\", \"scheduler_patch_version\": \"0\", \"node_type\": \"controller_primary\", "
      "\"message\": ",
      version / 100, version % 100);

  std::vector<Entry> entries = entries_of(record, design);
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.at != b.at ? a.at < b.at : a.what < b.what; });
  std::string out;
  for (const Entry& entry : entries) {
    const bool error = entry.what == What::node_lost || entry.what == What::node_gone;
    out += head;
    append_number(out, std::int64_t{entry.at / kSecond});
    out += ", \"log_level\": \"";
    out += error ? "error" : "info";
    out += tail;
    out += quote(fmt::format("[{}] {}\n", stamp_of(entry.at), message(entry)), kWhole);
    out += "}\n";
    if (out.size() > kBlock) {
      write(out);
      out.clear();
    }
  }
  write(out);
}

}  // namespace headroom
