#include "models/report/priority_view.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "models/policies/registry.hpp"
#include "models/policies/slurm/slurm.hpp"
#include "models/report/queue_view.hpp"
#include "models/scenario/document.hpp"

namespace headroom {
namespace {

// The job records with the calculations that slurmctld's thread has made until then and that nobody needed so far.
std::optional<slurm::JobList> jobs_at(const Moment& moment) {
  if (moment.slurm == nullptr || moment.slurm->nodes == nullptr || !moment.slurm->conf.multifactor) return std::nullopt;
  std::optional<slurm::JobList> jobs(moment.slurm->jobs);
  jobs->catch_up(moment.at, *moment.slurm->nodes);
  return jobs;
}

// "cpu=250,mem=25"
std::string resources(const slurm::PriorityFactors& factors) {
  std::string text;
  for (std::size_t t = 0; t < slurm::kTres; ++t) {
    if (factors.tres[t] == 0) continue;
    text += fmt::format("{}{}={:.0f}", text.empty() ? "" : ",", slurm::tres_name(static_cast<slurm::Tres>(t)),
                        factors.tres[t]);
  }
  return text;
}

std::string raw_shares(const slurm::Association& association) {
  if (association.above == slurm::kNobody) return "";
  return association.by_parent() ? "parent" : std::to_string(association.shares);
}

std::string lacks(const Scenario& scenario, bool shares) {
  if (scenario.scheduler.policy != "slurm") return "scheduler.policy slurm";
  const slurm::Conf conf = slurm_conf(scenario);
  if (!conf.multifactor) return "PriorityType priority/multifactor";
  return shares && !conf.accounting ? "accounting (AccountingStorageType accounting_storage/slurmdbd)" : "";
}

}  // namespace

std::string lacks_for_priorities(const Scenario& scenario) { return lacks(scenario, false); }
std::string lacks_for_shares(const Scenario& scenario) { return lacks(scenario, true); }

std::vector<PriorityRow> priority_rows(const Moment& moment) {
  std::vector<PriorityRow> rows;
  std::optional<slurm::JobList> jobs = jobs_at(moment);
  if (!jobs) return rows;
  const slurm::Conf& conf = moment.slurm->conf;
  const slurm::Second now = conf.phases.second(moment.at);
  std::set<JobId> arrays;  // whose waiting tasks have their line
  for (std::uint32_t j = 0; j < jobs->size() && j < moment.jobs.size(); ++j) {
    const JobId id{j};
    const slurm::Job& job = (*jobs)[id];
    const JobState state = moment.jobs.state(id);
    const bool runs = state == JobState::running || state == JobState::configuring;
    if (state != JobState::pending && !(runs && conf.priority_flags.calculate_running)) continue;
    const slurm::Second since = conf.priority_flags.accrue_always ? job.submit : job.eligible;
    if (since == 0 || since > now || job.priority == 0) continue;
    const JobTerms& terms = moment.jobs.terms(id);
    const bool task = terms.array_tasks > 0;
    const bool split = task && (state != JobState::pending || moment.record.jobs()[j].requeues > 0);
    if (task && !split && !arrays.insert(terms.array).second) continue;
    PriorityRow& row = rows.emplace_back();
    row.id = std::to_string(moment.workload.jobs[index(task ? terms.array : id)].number);
    if (split) row.id += "_" + std::to_string(terms.array_task);
    row.queue = job.queue;
    row.user = moment.workload.user_names[moment.jobs.request(id).user];
    row.priority = job.priority;
    if (!job.fixed_priority) row.factors = jobs->multifactor().weighed(job, *moment.slurm->nodes);
  }
  return rows;
}

std::string priority_table(const std::vector<PriorityRow>& rows, const Design& design) {
  const auto line = [](std::string_view id, std::string_view queue, std::string_view user, const auto& columns,
                       std::string_view nice, std::string_view tres) {
    std::string text = fmt::format("{} {:<9} {}", right_justified(id, 15), queue, right_justified(user, 8));
    for (const std::string& column : columns) text += " " + right_justified(column, 10);
    return text + fmt::format(" {} {}\n", right_justified(nice, 11), right_justified(tres, 20));
  };
  std::string out =
      line("JOBID", "PARTITION", "USER",
           std::vector<std::string>{"PRIORITY", "SITE", "AGE", "ASSOC", "FAIRSHARE", "JOBSIZE", "PARTITION", "QOS"},
           "NICE", "TRES");
  for (const PriorityRow& row : rows) {
    const slurm::PriorityFactors& f = row.factors;
    std::vector<std::string> columns{std::to_string(row.priority), "0"};
    for (const double x : {f.age, f.association, f.fairshare, f.job_size, f.partition, f.qos}) {
      columns.push_back(fmt::format("{:.0f}", x));
    }
    out += line(row.id, design.queue_names[index(row.queue)], row.user, columns, std::to_string(f.nice), resources(f));
  }
  return out;
}

std::string priority_json(const std::vector<PriorityRow>& rows, const Design& design) {
  constexpr std::size_t kWhole = std::string::npos;
  std::string out;
  for (const PriorityRow& row : rows) {
    const slurm::PriorityFactors& f = row.factors;
    std::string tres;
    for (std::size_t t = 0; t < slurm::kTres; ++t) {
      if (f.tres[t] == 0) continue;
      tres += fmt::format("{}{}: {:.6f}", tres.empty() ? "" : ", ",
                          quote(slurm::tres_name(static_cast<slurm::Tres>(t)), kWhole), f.tres[t]);
    }
    out += fmt::format(
        "{}\n      {{\"job_id\": {}, \"partition\": {}, \"user\": {}, \"priority\": {}, \"site\": 0, \"age\": {:.6f}, "
        "\"association\": {:.6f}, \"fairshare\": {:.6f}, \"job_size\": {:.6f}, \"partition_factor\": {:.6f}, "
        "\"qos\": {:.6f}, \"nice\": {}, \"tres\": {{{}}}}}",
        out.empty() ? "" : ",", quote(row.id, kWhole), quote(design.queue_names[index(row.queue)], kWhole),
        quote(row.user, kWhole), row.priority, f.age, f.association, f.fairshare, f.job_size, f.partition, f.qos,
        f.nice, tres);
  }
  return "[" + out + "]";
}

std::vector<ShareRow> share_rows(const Moment& moment) {
  std::vector<ShareRow> rows;
  std::optional<slurm::JobList> jobs = jobs_at(moment);
  if (!jobs || !moment.slurm->conf.accounting) return rows;
  slurm::Fairshare& shares = jobs->multifactor().fairshare();
  const bool fair_tree = moment.slurm->conf.priority_flags.fair_tree();
  shares.measure_users();
  const slurm::Associations& associations = moment.slurm->associations;
  for (std::uint32_t a = 0; a < associations.size(); ++a) {
    const slurm::Association& association = associations[a];
    const slurm::Shareholder& holder = shares.holders()[a];
    ShareRow& row =
        rows.emplace_back(ShareRow{association, associations.account_name(association.account), holder, "", ""});
    if (!fair_tree || association.is_user()) row.factor = fmt::format("{:.6f}", shares.shown_factor(a));
    if (fair_tree && !association.by_parent() && association.above != slurm::kNobody) {
      row.level = std::isfinite(holder.level) ? fmt::format("{:.6f}", holder.level) : "inf";
    }
  }
  return rows;
}

std::string share_table(const std::vector<ShareRow>& rows, bool fair_tree) {
  const auto line = [fair_tree](std::string_view account, std::string_view user, std::string_view raw,
                                std::string_view norm, std::string_view used, std::string_view norm_used,
                                std::string_view effective, std::string_view factor, std::string_view level) {
    std::string text =
        fmt::format("{:<20.20} {} {} {} {} {} {} {} ", account, right_justified(user, 10), right_justified(raw, 10),
                    right_justified(norm, 11), right_justified(used, 11), right_justified(norm_used, 11),
                    right_justified(effective, 13), right_justified(factor, 10));
    if (fair_tree) text += right_justified(level, 10) + " ";
    return text + "\n";
  };
  std::string out = line("Account", "User", "RawShares", "NormShares", "RawUsage", "NormUsage", "EffectvUsage",
                         "FairShare", "LevelFS");
  for (const int width : {20, 10, 10, 11, 11, 11, 13, 10, 10}) {
    out += std::string(static_cast<std::size_t>(width), '-') + " ";
  }
  if (!fair_tree) out.resize(out.size() - 11);  // without LevelFS
  out += "\n";
  for (const ShareRow& row : rows) {
    const slurm::Association& a = row.association;
    const slurm::Shareholder& h = row.holder;
    const bool root = a.above == slurm::kNobody;
    out += line(std::string(a.depth, ' ') + row.account, a.user, raw_shares(a), fmt::format("{:.6f}", h.norm_shares),
                std::to_string(static_cast<std::uint64_t>(h.usage.billing)),
                root ? "" : fmt::format("{:.6f}", h.norm_usage), fmt::format("{:.6f}", h.effective_usage), row.factor,
                row.level);
  }
  return out;
}

std::string share_json(const std::vector<ShareRow>& rows) {
  constexpr std::size_t kWhole = std::string::npos;
  std::string out;
  for (const ShareRow& row : rows) {
    const slurm::Association& a = row.association;
    const slurm::Shareholder& h = row.holder;
    out += fmt::format(
        "{}\n      {{\"account\": {}, \"user\": {}, \"raw_shares\": {}, \"norm_shares\": {:.6f}, \"raw_usage\": "
        "{:.6f}, "
        "\"norm_usage\": {:.6f}, \"effective_usage\": {:.6f}, \"fairshare\": {}, \"level_fs\": {}}}",
        out.empty() ? "" : ",", quote(row.account, kWhole), quote(a.user, kWhole), quote(raw_shares(a), kWhole),
        h.norm_shares, h.usage.billing, h.norm_usage, h.effective_usage, row.factor.empty() ? "null" : row.factor,
        row.level.empty()    ? "null"
        : row.level == "inf" ? "\"inf\""
                             : row.level);
  }
  return "[" + out + "]";
}

}  // namespace headroom
