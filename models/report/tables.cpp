#include "models/report/tables.hpp"

#include <algorithm>
#include <array>

#include "models/report/format.hpp"
#include "models/report/network_view.hpp"
#include "models/report/node_list.hpp"
#include "models/report/scaling_event.hpp"
#include "models/report/state_name.hpp"
#include "models/report/stretch.hpp"

namespace headroom {
namespace {

constexpr std::size_t kBlock = std::size_t{64} << 10;

void append_time(std::string& out, Time t) {
  if (t != kNever) append_seconds(out, t);
}

// What is not known, and distances of what has none, stay empty.
void append_locality(std::string& out, const Locality& locality) {
  out.push_back(',');
  if (locality.leaves > 0) append_number(out, std::int64_t{locality.leaves});
  out.push_back(',');
  if (locality.pairs > 0) append_number(out, std::int64_t{locality.diameter_hops});
  out.push_back(',');
  if (locality.pairs > 0) {
    append_number(out, static_cast<double>(locality.pair_hops) / static_cast<double>(locality.pairs));
  }
}

}  // namespace

std::string jobs_csv(const RunRecord& record, const RunContext& context) {
  const Design& design = context.design;
  const Workload& workload = context.workload;
  const NodeLists node_lists(design);
  std::string out =
      "job_id,user,queue,nodes,cpus,submit_s,eligible_s,start_s,end_s,wait_s,run_s,bounded_slowdown,state,requeues,"
      "node_list,cost_usd,reason,allocated_s,preempted,lost_core_hours,boot_cost_usd,lost_cost_usd";
  const NetworkTopology* const topology = design.spec.topology.get();
  if (topology != nullptr) out += ",leaves,diameter_hops,mean_hops";
  const auto effects = placement_effects(record, context);
  if (!effects.empty()) out += ",stretch,transport";
  out.push_back('\n');
  out.reserve(record.jobs().size() * 96);
  const std::vector<double> lost = lost_core_seconds(record);
  const Bill bill(record, design);
  const std::vector<JobCost> lost_costs = bill.lost_attempts_cost();
  for (std::size_t j = 0; j < record.jobs().size(); ++j) {
    const JobRecord& job = record.jobs()[j];
    const bool ran = job.start != kNever;
    const std::span<const HeldShare> shares = ran ? record.shares_of(job) : std::span<const HeldShare>();
    if (workload.job_names.empty()) {
      append_number(out, static_cast<std::int64_t>(workload.jobs[j].number));
    } else {
      append_csv_text(out, workload.job_names[j]);
    }
    out.push_back(',');
    append_csv_text(out, workload.user_names[job.request.user]);
    out.push_back(',');
    append_csv_text(out, design.queue_names[index(job.request.queue)]);
    out.push_back(',');
    // What it got; of a job that never ran, what it asked for.
    std::int64_t cores = 0;
    for (const HeldShare& s : shares) cores += s.cores;
    if (shares.empty())
      cores = std::int64_t{job.request.cores} * std::max(job.request.spread ? 1 : job.request.nodes, 1);
    append_number(out, shares.empty() ? std::int64_t{job.request.nodes} : static_cast<std::int64_t>(shares.size()));
    out.push_back(',');
    append_number(out, cores);
    out.push_back(',');
    append_seconds(out, job.request.submit);
    out.push_back(',');
    append_seconds(out, job.request.submit);  // eligible: nothing holds a job back yet but its queue
    out.push_back(',');
    append_time(out, job.start);
    out.push_back(',');
    append_time(out, job.end);
    out.push_back(',');
    if (ran) append_seconds(out, job.start - job.request.submit);
    out.push_back(',');
    if (ran && job.end != kNever) {
      append_seconds(out, job.end - job.start);
      out.push_back(',');
      append_number(out, bounded_slowdown(job.start - job.request.submit, job.end - job.start));
    } else {
      out.push_back(',');
    }
    out.push_back(',');
    out += state_name(job.state);
    out.push_back(',');
    append_number(out, std::int64_t{job.requeues});
    out.push_back(',');
    std::string list;
    node_lists.append(list, shares);
    append_csv_text(out, list);
    out.push_back(',');
    JobCost cost = bill.job_cost(job);
    if (!lost_costs.empty()) cost += lost_costs[j];
    append_usd(out, cost.run);
    out.push_back(',');
    if (job.state == JobState::rejected) out += rejection_name(job.rejection);
    out.push_back(',');
    append_time(out, job.allocated);
    out.push_back(',');
    append_number(out, std::int64_t{job.preemptions});
    out.push_back(',');
    append_number(out, lost.empty() ? 0.0 : lost[j] / 3600);
    for (const MicroUsd part : {cost.boot, cost.lost}) {
      out.push_back(',');
      append_usd(out, part);
    }
    if (topology != nullptr) append_locality(out, ran ? locality_of(*topology, leaves_of(record, job)) : Locality{});
    if (!effects.empty()) {
      out.push_back(',');
      if (effects[j]) append_number(out, effects[j]->stretch);
      out.push_back(',');
      if (effects[j]) out += transport_name(effects[j]->transport);
    }
    out.push_back('\n');
  }
  return out;
}

std::string nodes_csv(const RunRecord& record, const RunContext& context) {
  const Design& design = context.design;
  const std::vector<InstanceUse> uses = Bill(record, design).instance_use(busy_periods(record));
  const std::vector<std::string> names = design.node_names();
  std::string out =
      "node,instance_id,instance_type,node_group,zone,placement_group,purchase,launch_s,running_s,ready_s,end_s,"
      "end_reason,busy_s,idle_s,cost_usd,subnet,reservation,loss,busy_usd,boot_usd,idle_usd,failed_usd";
  const NetworkTopology* const topology = design.spec.topology.get();
  out += topology != nullptr ? ",network_node\n" : "\n";
  std::uint64_t number_of_instance = 0;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const InstanceRecord& instance = record.instances()[i];
    if (instance.refused) continue;
    const GroupFacts& group = design.groups[index(instance.group)];
    const Offer* const offer = offer_of(instance, design);
    out += names[index(instance.node)];
    out.push_back(',');
    append_instance_id(out, ++number_of_instance);
    out.push_back(',');
    out += offer == nullptr ? group.type.name : offer->type.name;
    out.push_back(',');
    out += group.name;
    out.push_back(',');
    append_csv_text(out, offer == nullptr ? group.zone : offer->zone);
    out.push_back(',');
    append_csv_text(out, group.placement_group);
    out.push_back(',');
    out += purchase_name(group.purchase);
    out.push_back(',');
    append_seconds(out, instance.launch);
    out.push_back(',');
    append_time(out, instance.running);
    out.push_back(',');
    append_time(out, instance.ready);
    out.push_back(',');
    append_seconds(out, uses[i].end);
    out.push_back(',');
    out += instance.is_over() ? end_reason_name(instance) : "END_OF_RUN";
    out.push_back(',');
    append_seconds(out, uses[i].busy);
    out.push_back(',');
    const Time ready = std::min(instance.ready, uses[i].end);
    append_seconds(out, uses[i].end - ready - uses[i].busy);
    out.push_back(',');
    append_usd(out, uses[i].cost);
    out.push_back(',');
    if (offer != nullptr) append_csv_text(out, offer->subnet);
    out.push_back(',');
    if (instance.reservation > 0) append_csv_text(out, design.reservations[instance.reservation - 1].id);
    out.push_back(',');
    if (instance.loss) out += loss_name(*instance.loss);
    const CostSplit& split = uses[i].split;
    for (const MicroUsd part : {split.busy, split.boot, split.idle, split.failed}) {
      out.push_back(',');
      append_usd(out, part);
    }
    if (topology != nullptr) {
      out.push_back(',');
      if (instance.leaf != kNoLeaf) append_csv_text(out, topology->name(instance.leaf));
    }
    out.push_back('\n');
  }
  return out;
}

Time timeline_step_for(const RunRecord& record, Time step, std::int64_t rows) {
  if (record.begin() == kNever) return step;
  const Time span = record.end() - record.begin();
  return step * std::max<Time>(1, (span / step + rows) / rows);
}

void write_timeline_csv(const RunRecord& record, const RunContext& context, Time step,
                        const std::function<void(std::string_view)>& write) {
  const Design& design = context.design;
  // Every quantity is a sum of changes at times; a sweep over them in order of time gives the rows.
  enum Quantity : std::uint8_t { actual, pending, utilized, queued, running_jobs, price, at_once };
  struct Change {
    Time time;
    Quantity quantity;
    std::int64_t by;
  };
  std::vector<Change> changes;
  const auto during = [&changes](Quantity quantity, Time from, Time until, std::int64_t by) {
    if (from == kNever || from >= until) return;
    changes.push_back({from, quantity, by});
    if (until != kNever) changes.push_back({until, quantity, -by});
  };
  for (const JobRecord& job : record.jobs()) {
    if (job.state == JobState::rejected) continue;
    during(queued, job.request.submit, std::min(job.start, job.end), 1);
    during(running_jobs, job.start, job.end, 1);
  }
  for (const LostAttempt& lost : record.lost_attempts()) {
    during(queued, lost.job.start, lost.job.freed, -1);  // it was running, or completing
    during(running_jobs, lost.job.start, std::min(lost.job.end, lost.job.freed), 1);
  }
  if (design.is_pool) {
    // A rigid machine counts its processors.
    const NodeGroupSpec& pool = design.spec.groups.front();
    changes.push_back({record.begin(), actual, std::int64_t{pool.nodes} * pool.cores});
    const auto hold = [&](const JobRecord& job) {
      for (const HeldShare& s : record.shares_of(job)) during(utilized, job.start, job.freed, s.cores);
    };
    for (const JobRecord& job : record.jobs()) hold(job);
    for (const LostAttempt& lost : record.lost_attempts()) hold(lost.job);
    const auto held = [](const JobRecord& job) { return Period{job.start, job.freed}; };
    for (const Period& p : shared_periods(record, held)) during(utilized, p.from, p.until, -1);
  } else {
    const Bill bill(record, design);
    for (std::size_t n = 0; n < record.instances().size(); ++n) {
      const InstanceRecord& i = record.instances()[n];
      if (i.refused) continue;
      during(pending, i.launch, std::min(i.ready, i.end), 1);
      during(actual, i.ready, i.end, 1);
      during(price, i.running, i.end, design.management_per_hour);
      for (const Bill::Rate& rate : bill.rates(n)) {
        // What is prepaid is paid anyway.
        if (!rate.prepaid) during(price, rate.from, rate.until, rate.per_hour);
      }
    }
    for (const std::vector<Period>& periods : busy_periods(record)) {
      for (const Period& p : periods) during(utilized, p.from, p.until, 1);
    }
    for (const Charge& charge : charges_of(design, record.begin())) {
      during(price, charge.from, charge.until, charge.per_hour);
      if (charge.at_once > 0) changes.push_back({charge.from, at_once, charge.at_once});
    }
  }
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.time < b.time; });

  std::string out =
      "time_s,ActualCapacity,DesiredCapacity,IdleCapacity,UtilizedCapacity,PendingCapacity,CapacityUtilization,"
      "queued_jobs,running_jobs,cost_usd\n";
  if (record.begin() == kNever) return write(out);
  std::array<std::int64_t, 7> now{};
  __int128 accrued = 0;  // millionths of a dollar x microseconds an hour
  Time accrued_until = record.begin();
  std::size_t next = 0;
  const Time last_row = record.begin() + (record.end() - record.begin() + step - 1) / step * step;
  for (Time t = record.begin(); t <= last_row; t += step) {
    for (; next < changes.size() && changes[next].time <= t; ++next) {
      accrued += static_cast<__int128>(now[price]) * (changes[next].time - accrued_until);
      accrued_until = changes[next].time;
      now[changes[next].quantity] += changes[next].by;
    }
    accrued += static_cast<__int128>(now[price]) * (std::min(t, record.end()) - std::min(accrued_until, record.end()));
    accrued_until = t;
    const std::int64_t total = now[actual];
    append_seconds(out, t);
    for (const std::int64_t value : {total, total + now[pending], total - now[utilized], now[utilized], now[pending]}) {
      out.push_back(',');
      append_number(out, value);
    }
    out.push_back(',');
    append_number(out, total > 0 ? static_cast<double>(now[utilized]) / static_cast<double>(total) : 0.0);
    out.push_back(',');
    append_number(out, now[queued]);
    out.push_back(',');
    append_number(out, now[running_jobs]);
    out.push_back(',');
    append_usd(out, static_cast<MicroUsd>((accrued + kHour / 2) / kHour) + now[at_once]);
    out.push_back('\n');
    if (out.size() > kBlock) {
      write(out);
      out.clear();
    }
  }
  write(out);
}

}  // namespace headroom
