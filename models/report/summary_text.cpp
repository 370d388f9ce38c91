// The summary as JSON (docs/output.md), as a table for people, as CSV for scripts.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "models/report/format.hpp"
#include "models/report/operations_view.hpp"
#include "models/report/summary.hpp"

namespace headroom {
namespace {

using Json = nlohmann::ordered_json;

double seconds(Time t) { return static_cast<double>(t) / static_cast<double>(kSecond); }
double usd(MicroUsd amount) { return static_cast<double>(amount) / 1e6; }

Json json_of(const Spread& s) {
  if (s.count == 0) {
    const Json none;
    return {{"mean", none}, {"p50", none}, {"p90", none}, {"p95", none}, {"p99", none}, {"max", none}};
  }
  return {{"mean", s.mean}, {"p50", s.p50}, {"p90", s.p90}, {"p95", s.p95}, {"p99", s.p99}, {"max", s.max}};
}

Json json_of(const HourSplit& h) {
  return {{"total", h.total}, {"busy", h.busy}, {"idle", h.idle}, {"boot", h.boot}, {"failed", h.failed}};
}

Json json_of(const CostSplit& c) {
  return {{"busy", usd(c.busy)}, {"boot", usd(c.boot)}, {"idle", usd(c.idle)}, {"failed", usd(c.failed)}};
}

void add_job_costs(Json& j, const JobCost& cost) {
  j["cost_usd"] = usd(cost.run);
  j["boot_cost_usd"] = usd(cost.boot);
  j["lost_cost_usd"] = usd(cost.lost);
}

Json json_of(const BudgetSummary& budget, const std::string& name) {
  Json j = {
      {"name", name}, {"usd", usd(budget.amount)}, {"stopped_s", seconds(budget.stopped)}, {"actions", Json::array()}};
  for (const BudgetSummary::Action& action : budget.taken) {
    j["actions"].push_back({{"time_s", seconds(action.at)},
                            {"at_percent", action.percent},
                            {"action", action.stops ? "stop-launching" : "alert"}});
  }
  return j;
}

Json json_of(const StretchSummary& s) {
  return {{"jobs", s.stretch.count}, {"mean", s.stretch.mean}, {"p95", s.stretch.p95},
          {"max", s.stretch.max},    {"over_tcp", s.over_tcp}, {"timed_out", s.timed_out}};
}

Json json_of(const PreemptionCounts& p) {
  return {{"requeued", p.requeued}, {"cancelled", p.cancelled}, {"lost_core_hours", p.lost_core_hours}};
}

Json json_of(const std::map<std::string, PreemptionCounts>& parts) {
  Json j = Json::object();
  for (const auto& [name, counts] : parts) j[name] = json_of(counts);
  return j;
}

Json json_of(const NetworkSummary& n) {
  Json j = {{"jobs", n.jobs},
            {"pairs", Json::object()},
            {"pair_share", Json::object()},
            {"jobs_by_leaves", Json::object()},
            {"jobs_by_diameter", Json::object()}};
  for (const auto& [hops, pairs] : n.pairs_by_hops) {
    j["pairs"][std::to_string(hops)] = pairs;
    j["pair_share"][std::to_string(hops)] = static_cast<double>(pairs) / static_cast<double>(n.pairs());
  }
  for (const auto& [leaves, jobs] : n.jobs_by_leaves) j["jobs_by_leaves"][std::to_string(leaves)] = jobs;
  for (const auto& [hops, jobs] : n.jobs_by_diameter) j["jobs_by_diameter"][std::to_string(hops)] = jobs;
  return j;
}

Json json_of(const Summary& s, const RunRecord& record, const RunContext& context) {
  Json j;
  j["schema"] = "headroom.summary/1";
  j["headroom"] = HEADROOM_VERSION;
  j["scenario"] = context.scenario.name;
  j["seed"] = context.scenario.seed;
  j["policy"] = context.scenario.scheduler.policy;
  j["digest"] = context.digest;
  if (context.interrupted) j["interrupted"] = true;
  j["workload"] = {{"source", context.workload.source},
                   {"records", context.workload.records},
                   {"dropped", context.workload.dropped},
                   {"adjustments", Json::array()}};
  for (const Adjustment& a : context.workload.adjustments) {
    j["workload"]["adjustments"].push_back({{"what", a.what}, {"jobs", a.jobs}});
  }
  j["jobs"] = {{"submitted", s.jobs.submitted},
               {"completed", s.jobs.completed},
               {"failed", s.jobs.failed},
               {"timed_out", s.jobs.timed_out},
               {"node_failed", s.jobs.node_failed},
               {"cancelled", s.jobs.cancelled},
               {"rejected", s.jobs.rejected},
               {"requeues", s.jobs.requeues},
               {"lost_core_hours", s.jobs.lost_core_hours},
               {"unfinished", s.jobs.unfinished}};
  j["jobs"]["rejected_by_reason"] = Json::object();
  constexpr std::size_t kAlways = 3;  // the other reasons are policy slurm's
  for (std::size_t r = 0; r < kRejections; ++r) {
    if (r >= kAlways && s.jobs.rejected_by_reason[r] == 0) continue;
    j["jobs"]["rejected_by_reason"][std::string(rejection_name(static_cast<Rejection>(r)))] =
        s.jobs.rejected_by_reason[r];
  }
  if (s.preemption) {
    j["preemption"] = json_of(s.preemption->all);
    j["preemption"]["by_queue"] = json_of(s.preemption->by_queue);
    j["preemption"]["by_qos"] = json_of(s.preemption->by_qos);
  }
  j["wait_s"] = json_of(s.wait_s);
  j["boot_wait_s"] = json_of(s.boot_wait_s);
  j["bounded_slowdown"] = json_of(s.bounded_slowdown);
  j["makespan_s"] = s.makespan_s;
  j["utilization"] = s.utilization;
  j["nodes"] = {{"peak", s.nodes_peak},
                {"launched", s.nodes_launched},
                {"terminated", s.nodes_terminated},
                {"launch_failures", s.launch_failure_count()},
                {"interruptions", s.interruptions()}};
  j["launch_failures"] = s.launch_failures;
  j["losses"] = s.losses;
  j["instance_hours"] = json_of(s.instance_hours);
  j["cost_usd"] = {{"total", usd(s.total_cost())},
                   {"instances", usd(s.instances_cost)},
                   {"reservations", usd(s.reservations_cost)},
                   {"controller", usd(s.controller_cost)},
                   {"management", usd(s.management_cost)},
                   {"committed", usd(s.committed_cost)}};
  j["cost_usd"].update(json_of(s.instances_split));
  if (!s.budgets.empty()) {
    j["budgets"] = Json::array();
    for (const auto& [name, budget] : s.budgets) j["budgets"].push_back(json_of(budget, name));
  }
  if (s.network) j["network"] = json_of(*s.network);
  for (const auto& [name, stretch] : s.stretch) j["network"]["stretch"][name] = json_of(stretch);
  j["by_queue"] = Json::object();
  for (const auto& [name, q] : s.by_queue) {
    j["by_queue"][name] = {{"jobs", q.jobs},
                           {"wait_mean_s", q.wait_mean_s},
                           {"wait_max_s", q.wait_max_s},
                           {"bounded_slowdown_mean", q.bounded_slowdown_mean},
                           {"core_hours", q.core_hours}};
    add_job_costs(j["by_queue"][name], q.cost);
  }
  j["by_node_group"] = Json::object();
  for (const auto& [name, g] : s.by_node_group) {
    j["by_node_group"][name] = {
        {"instance_type", g.instance_type},     {"launched", g.launched},          {"peak", g.peak},
        {"instance_hours", json_of(g.hours)},   {"cost_usd", usd(g.cost)},         {"cost_split_usd", json_of(g.split)},
        {"launch_failures", g.launch_failures}, {"interruptions", g.interruptions}};
    if (s.network) j["by_node_group"][name]["efa_interfaces"] = g.efa_interfaces;
  }
  j["by_user"] = Json::object();
  for (const auto& [name, u] : s.by_user) {
    if (u.jobs == 0 && u.cost.lost == 0 && u.cost.boot == 0) continue;
    j["by_user"][name] = {{"jobs", u.jobs}, {"wait_mean_s", u.wait_mean_s}, {"core_hours", u.core_hours}};
    add_job_costs(j["by_user"][name], u.cost);
  }
  if (const std::vector<ServiceAnswer>& answers = context.scenario.answers; !answers.empty()) {
    j["operations"] = Json::parse(operations_json(answers, run_origin(context.workload)));
  }
  const double jobs_per_s = context.wall_s > 0 ? static_cast<double>(record.jobs().size()) / context.wall_s : 0;
  j["engine"] = {{"steps", record.steps()},
                 {"events", record.events()},
                 {"wall_s", context.wall_s},
                 {"jobs_per_s", jobs_per_s},
                 {"peak_rss_mib", context.peak_rss_mib}};
  return j;
}

// 93784 s -> "1d 02:03:04".
std::string duration(double seconds) {
  const auto s = static_cast<std::int64_t>(seconds + 0.5);
  if (s < 86400) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}d {:02}:{:02}:{:02}", s / 86400, s / 3600 % 24, s / 60 % 60, s % 60);
}

// 1234567.8 -> "1,234,567.8"
std::string grouped(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  const std::size_t end = std::min(text.find('.'), text.size());
  for (std::size_t i = end; i > 3 && text[i - 4] != '-'; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

std::string count(std::uint64_t n) { return grouped(static_cast<double>(n), 0); }

}  // namespace

std::string summary_json(const Summary& summary, const RunRecord& record, const RunContext& context) {
  return json_of(summary, record, context).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string summary_csv(const Summary& summary, const RunRecord& record, const RunContext& context) {
  std::string out = "metric,value\n";
  Json tree = json_of(summary, record, context);
  for (const char* counts : {"launch_failures", "losses"}) {
    if (tree[counts].empty()) tree.erase(counts);
  }
  if (summary.network && summary.network->jobs == 0) {
    for (const char* counts : {"pairs", "pair_share", "jobs_by_leaves", "jobs_by_diameter"}) {
      tree["network"].erase(counts);
    }
  }
  const Json flat = tree.flatten();
  for (const auto& [pointer, value] : flat.items()) {
    std::string name = pointer.substr(1);
    std::replace(name.begin(), name.end(), '/', '.');
    append_csv_text(out, name);
    out.push_back(',');
    append_csv_text(out, value.is_string() ? value.get<std::string>() : value.dump());
    out.push_back('\n');
  }
  return out;
}

std::string summary_table(const Summary& s, const RunContext& context) {
  std::string out;
  const auto line = [&out](std::string_view label, const std::string& value) {
    out += fmt::format("  {:<18} {}\n", label, value);
  };
  const Scenario& scenario = context.scenario;
  out += fmt::format("{}{}\n", scenario.name.empty() ? "scenario" : scenario.name,
                     context.interrupted ? "  (interrupted: what happened so far)" : "");
  line("workload", context.workload.source);
  line("policy", fmt::format("{}, seed {}", scenario.scheduler.policy, scenario.seed));
  std::string jobs = fmt::format("{} submitted: {} completed", count(s.jobs.submitted), count(s.jobs.completed));
  const std::pair<std::uint64_t, const char*> others[] = {
      {s.jobs.failed, "failed"},       {s.jobs.timed_out, "timed out"}, {s.jobs.node_failed, "lost with a node"},
      {s.jobs.cancelled, "cancelled"}, {s.jobs.rejected, "rejected"},   {s.jobs.unfinished, "unfinished"}};
  for (const auto& [n, what] : others) {
    if (n > 0) jobs += fmt::format(", {} {}", count(n), what);
  }
  line("jobs", jobs);
  for (std::size_t r = 0; r < kRejections; ++r) {
    if (s.jobs.rejected_by_reason[r] == 0) continue;
    line("  rejected",
         fmt::format("{} {}", count(s.jobs.rejected_by_reason[r]), rejection_text(static_cast<Rejection>(r))));
  }
  if (s.jobs.requeues > 0) {
    line("requeues", fmt::format("{}, {} core hours lost", count(s.jobs.requeues), grouped(s.jobs.lost_core_hours, 1)));
  }
  if (s.preemption) {
    const PreemptionCounts& p = s.preemption->all;
    line("preemptions", fmt::format("{} requeued, {} cancelled, {} core hours lost", count(p.requeued),
                                    count(p.cancelled), grouped(p.lost_core_hours, 1)));
  }
  for (const ServiceAnswer& answer : scenario.answers) {
    if (answer.accepted()) continue;
    line("refused", fmt::format("{} {} at {}: {}", action_name(answer.action), answer.target,
                                duration(static_cast<double>(run_origin(context.workload) + answer.at) / 1e6),
                                refusal_text(answer)));
  }
  line("makespan", duration(s.makespan_s));
  line("core utilization", fmt::format("{:.1f} %", 100 * s.utilization));
  out += fmt::format("\n  {:<18} {:>14} {:>14} {:>14} {:>14} {:>14} {:>14}\n", "", "mean", "median", "p90", "p95",
                     "p99", "max");
  const auto spread = [&out](std::string_view label, const Spread& v, auto text) {
    if (v.count == 0) {
      out += fmt::format("  {:<18} no job ran\n", label);
      return;
    }
    out += fmt::format("  {:<18} {:>14} {:>14} {:>14} {:>14} {:>14} {:>14}\n", label, text(v.mean), text(v.p50),
                       text(v.p90), text(v.p95), text(v.p99), text(v.max));
  };
  // Short waits are told in seconds, the whole row alike.
  const bool short_waits = s.wait_s.max < 600;
  spread("wait", s.wait_s, [=](double v) { return short_waits ? fmt::format("{:.1f} s", v) : duration(v); });
  if (!context.design.is_pool)
    spread("  of it for boots", s.boot_wait_s, [](double v) { return fmt::format("{:.1f} s", v); });
  spread("bounded slowdown", s.bounded_slowdown, [](double v) { return grouped(v, 2); });
  if (!context.design.is_pool) {
    const HourSplit& h = s.instance_hours;
    const double total = h.total > 0 ? h.total : 1;
    out += "\n";
    line("instances", fmt::format("{} launched, {} terminated, at most {} at a time", count(s.nodes_launched),
                                  count(s.nodes_terminated), count(s.nodes_peak)));
    for (const auto& [code, n] : s.launch_failures) line("  refused", fmt::format("{} launches: {}", count(n), code));
    for (const auto& [cause, n] : s.losses) line("  lost", fmt::format("{} instances: {}", count(n), cause));
    std::string hours = fmt::format("{}: {:.1f} % busy, {:.1f} % idle, {:.1f} % boot", grouped(h.total, 2),
                                    100 * h.busy / total, 100 * h.idle / total, 100 * h.boot / total);
    if (h.failed > 0) hours += fmt::format(", {:.1f} % failed", 100 * h.failed / total);
    line("instance hours", hours);
    std::string cost =
        fmt::format("{} USD: instances {}", grouped(usd(s.total_cost()), 2), grouped(usd(s.instances_cost), 2));
    if (s.reservations_cost > 0) cost += fmt::format(", unused reservations {}", grouped(usd(s.reservations_cost), 2));
    if (s.committed_cost > 0) cost += fmt::format(", unused commitments {}", grouped(usd(s.committed_cost), 2));
    line("cost", cost + fmt::format(", controller {}, node management {}", grouped(usd(s.controller_cost), 2),
                                    grouped(usd(s.management_cost), 2)));
    if (s.instances_split.failed > 0) {
      const CostSplit& split = s.instances_split;
      line("  of instances",
           fmt::format("busy {}, idle {}, boot {}, failed {}", grouped(usd(split.busy), 2), grouped(usd(split.idle), 2),
                       grouped(usd(split.boot), 2), grouped(usd(split.failed), 2)));
    }
    for (const auto& [name, budget] : s.budgets) {
      std::string told;
      constexpr std::size_t kShown = 4;
      for (std::size_t i = 0; i < std::min(kShown, budget.taken.size()); ++i) {
        const BudgetSummary::Action& action = budget.taken[i];
        told += fmt::format("{} {} % at {}{}", told.empty() ? ":" : ",", action.percent, duration(seconds(action.at)),
                            action.stops ? ", launching stopped" : "");
      }
      if (budget.taken.size() > kShown) told += fmt::format(", {} more", count(budget.taken.size() - kShown));
      if (budget.stopped > 0) told += fmt::format("; nothing launched for {}", duration(seconds(budget.stopped)));
      line("budget", fmt::format("{}, {} USD{}", name, grouped(usd(budget.amount), 2), told.empty() ? ": kept" : told));
    }
    out += fmt::format("\n  {:<18} {:<16} {:>9} {:>6} {:>14} {:>7} {:>7} {:>7} {:>14}\n", "node group", "type",
                       "launched", "peak", "hours", "busy %", "idle %", "boot %", "USD");
    for (const auto& [name, g] : s.by_node_group) {
      const double all = g.hours.total > 0 ? g.hours.total : 1;
      out +=
          fmt::format("  {:<18} {:<16} {:>9} {:>6} {:>14} {:>7.1f} {:>7.1f} {:>7.1f} {:>14}\n", name, g.instance_type,
                      count(g.launched), count(g.peak), grouped(g.hours.total, 2), 100 * g.hours.busy / all,
                      100 * g.hours.idle / all, 100 * g.hours.boot / all, grouped(usd(g.cost), 2));
    }
  }
  if (s.network && s.network->jobs > 0) {
    out += "\n";
    const NetworkSummary& n = *s.network;
    line("network", fmt::format("{} jobs on two nodes or more", count(n.jobs)));
    for (const auto& [hops, pairs] : n.pairs_by_hops) {
      line(fmt::format("  {} hops", hops),
           fmt::format("{:.1f} % of the pairs of their nodes; the largest distance in {} jobs",
                       100 * static_cast<double>(pairs) / static_cast<double>(n.pairs()),
                       count(n.jobs_by_diameter.count(hops) > 0 ? n.jobs_by_diameter.at(hops) : 0)));
    }
    std::uint64_t leaves = 0;
    for (const auto& [each, of_jobs] : n.jobs_by_leaves) leaves += each * of_jobs;
    line("  last nodes",
         fmt::format("{:.1f} a job, {} to {}", static_cast<double>(leaves) / static_cast<double>(n.jobs),
                     n.jobs_by_leaves.begin()->first, n.jobs_by_leaves.rbegin()->first));
  }
  if (!s.stretch.empty()) {
    out += fmt::format("\n  {:<18} {:>9} {:>9} {:>9} {:>9} {:>9} {:>10}\n", "run time by place", "jobs", "mean", "p95",
                       "max", "over TCP", "timed out");
    for (const auto& [name, p] : s.stretch) {
      out += fmt::format("  {:<18} {:>9} {:>9.4f} {:>9.4f} {:>9.4f} {:>9} {:>10}\n", name, count(p.stretch.count),
                         p.stretch.mean, p.stretch.p95, p.stretch.max, count(p.over_tcp), count(p.timed_out));
    }
  }
  if (s.by_queue.size() > 1) {
    out +=
        fmt::format("\n  {:<18} {:>9} {:>14} {:>14} {:>14}\n", "queue", "jobs", "mean wait", "max wait", "core hours");
    for (const auto& [name, q] : s.by_queue) {
      out += fmt::format("  {:<18} {:>9} {:>14} {:>14} {:>14}\n", name, count(q.jobs), duration(q.wait_mean_s),
                         duration(q.wait_max_s), grouped(q.core_hours, 1));
    }
  }
  if (s.preemption && s.preemption->all.requeued + s.preemption->all.cancelled > 0) {
    const auto parts = [&out](std::string_view what, const std::map<std::string, PreemptionCounts>& all) {
      if (all.empty()) return;
      out += fmt::format("\n  {:<18} {:>9} {:>14} {:>14}\n", what, "requeued", "cancelled", "lost hours");
      for (const auto& [name, p] : all) {
        out += fmt::format("  {:<18} {:>9} {:>14} {:>14}\n", name, count(p.requeued), count(p.cancelled),
                           grouped(p.lost_core_hours, 1));
      }
    };
    parts("preempted of queue", s.preemption->by_queue);
    parts("preempted of QOS", s.preemption->by_qos);
  }
  if (!context.workload.adjustments.empty()) {
    out += fmt::format("\n  {} records in the workload, {} of them dropped; what was dropped or repaired, and why:\n",
                       count(context.workload.records), count(context.workload.dropped));
    for (const Adjustment& a : context.workload.adjustments) {
      out += fmt::format("  {:>10}  {}\n", count(a.jobs), a.what);
    }
  }
  out += "\n";
  line("digest", context.digest);
  return out;
}

}  // namespace headroom
