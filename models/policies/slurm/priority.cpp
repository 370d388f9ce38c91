#include "models/policies/slurm/priority.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "models/policies/slurm/jobs.hpp"

namespace headroom::slurm {
namespace {

static_assert(std::tuple_size_v<TresWeights> == kTres);

constexpr Second kDay = 86400;
constexpr double kUnlimitedMinutes = 4294967295;  // what slurmctld divides by for a job without a limit

}  // namespace

std::uint32_t PriorityFactors::priority() const {
  double sum = age + association + fairshare + job_size + partition + qos;
  double resources = 0;
  for (const double each : tres) resources += each;
  sum += resources;
  sum += site;
  sum -= nice;
  return static_cast<std::uint32_t>(std::clamp(sum, 1.0, 4294967295.0));
}

Multifactor::Multifactor(const Conf& conf, const Associations& associations)
    : conf_(conf),
      associations_(associations),
      fairshare_(associations, {conf.priority_flags.fair_tree(), conf.priority_flags.depth_oblivious,
                                static_cast<double>(conf.fairshare_dampening)}),
      qos_used_(associations.qos().size()) {
  for (const Qos& qos : associations.qos()) most_qos_priority_ = std::max(most_qos_priority_, qos.priority);
  if (conf.decay_half_life > 0 && conf.decay_half_life < kUnlimited) {
    per_second_ = 1 - 0.693 / static_cast<double>(conf.decay_half_life);  // Slurm's ln 2
  }
}

// --- jobs -----------------------------------------------------------------------------------------------------------

void Multifactor::submitted(const Job& job) {
  charges_.resize(std::max<std::size_t>(charges_.size(), index(job.id) + 1));
  if (conf_.accounting && job.payer.association != kNobody) charges_[index(job.id)].payer = job.payer;
}

double Multifactor::billing_of(const TresCounts& tres, QueueId queue) const {
  const std::optional<TresWeights>& weights = conf_.partitions[index(queue)].billing_weights;
  if (!weights) return static_cast<double>(tres[Tres::cpu]);
  double sum = 0;
  double most = 0;
  for (std::size_t t = 0; t < kTres; ++t) {
    if (static_cast<Tres>(t) == Tres::billing) continue;
    const double weighted = static_cast<double>(tres.of[t]) * (*weights)[t];
    sum += weighted;
    most = std::max(most, weighted);
  }
  return conf_.priority_flags.max_tres ? most : sum;
}

void Multifactor::started(const Job& job, const TresCounts& held, bool runs) {
  if (!recalculates()) return;
  Charge& charge = charges_[index(job.id)];
  charge.holds = true;
  charge.runs = runs;
  charge.tres = held;
  charge.billing = billing_of(held, job.queue);
  charge.tres[Tres::billing] = static_cast<std::int64_t>(charge.billing);
}

void Multifactor::stopped(const Job& job, Second now) {
  if (!recalculates()) return;
  Charge& held = charges_[index(job.id)];
  if (held.holds && conf_.enforce.limits) charge(held, job.start, now);
  held.holds = held.runs = false;
}

// What a job asks for that holds nothing yet.
TresCounts Multifactor::asked(const Job& job, const NodeTable& nodes) const {
  TresCounts tres;
  const Ask& ask = job.ask;
  tres[Tres::cpu] = ask.cpus;
  tres[Tres::node] = ask.min_nodes;
  if (job.needs != nullptr) tres[Tres::gpu] = job.needs->gpus(ask.min_nodes, ask.tasks);
  if (conf_.memory && job.needs != nullptr && job.needs->memory_per_gpu > 0) {
    tres[Tres::mem] = job.needs->memory_per_gpu * tres[Tres::gpu];
  } else if (conf_.memory) {
    switch (ask.memory_unit) {
      case MemoryUnit::whole:
        if (const Index n = nodes.partition(job.queue).first(); n != NodeBits::kNone) {
          tres[Tres::mem] = std::int64_t{nodes[n].memory} * ask.min_nodes;
        }
        break;
      case MemoryUnit::per_node:
        tres[Tres::mem] = std::int64_t{ask.memory} * ask.min_nodes;
        break;
      case MemoryUnit::per_core:
        tres[Tres::mem] = std::int64_t{ask.memory} * ask.cpus;
        break;
    }
  }
  tres[Tres::billing] = static_cast<std::int64_t>(billing_of(tres, job.queue));
  return tres;
}

// All that a partition has.
const TresCounts& Multifactor::partition_tres(QueueId queue, const NodeTable& nodes) {
  partition_tres_.resize(conf_.partitions.size());
  std::optional<TresCounts>& known = partition_tres_[index(queue)];
  if (known) return *known;
  TresCounts& all = known.emplace();
  nodes.partition(queue).for_each([&](Index n) {
    all[Tres::cpu] += nodes[n].cpus;
    all[Tres::mem] += nodes[n].memory;
    ++all[Tres::node];
    for (std::size_t p = nodes.first_pool(n); p < nodes.first_pool(n + 1); ++p) {
      if (nodes.pools()[p].name == "gpu") all[Tres::gpu] += nodes.pools()[p].count;
    }
  });
  all[Tres::billing] = static_cast<std::int64_t>(billing_of(all, queue));
  return all;
}

PriorityFactors Multifactor::weigh(const Job& job, Second now, const NodeTable& nodes) {
  Charge& charge = charges_[index(job.id)];
  charge.weighed = now;
  charge.weighed_cpus = job.tested_cpus > 0 ? job.tested_cpus : job.ask.cpus;
  return factors(job, now, charge.weighed_cpus, nodes);
}

PriorityFactors Multifactor::weighed(const Job& job, const NodeTable& nodes) {
  const Charge& charge = charges_[index(job.id)];
  return factors(job, charge.weighed, charge.weighed_cpus, nodes);
}

PriorityFactors Multifactor::factors(const Job& job, Second now, std::int32_t cpu_count, const NodeTable& nodes) {
  const PriorityFlags& flags = conf_.priority_flags;
  const Charge& charge = charges_[index(job.id)];
  PriorityFactors f;
  if (conf_.accounting && conf_.weight_age > 0) {
    const Second since = flags.accrue_always ? job.submit : job.eligible;
    if (since > 0 && now > since) {
      const auto age = static_cast<double>(now - since) / static_cast<double>(conf_.priority_max_age);
      f.age = conf_.weight_age * std::min(age, 1.0);
    }
  }
  if (charge.payer.association != kNobody) {
    if (conf_.weight_assoc > 0) {
      const double own = associations_[charge.payer.association].priority;
      const double most = associations_.most_priority();
      f.association = conf_.weight_assoc * (flags.no_normal_assoc ? own : most > 0 ? own / most : 0);
    }
    if (conf_.weight_fairshare > 0) f.fairshare = conf_.weight_fairshare * fairshare_.factor(charge.payer.association);
  }
  if (conf_.weight_job_size > 0) {
    const auto all_nodes = static_cast<double>(nodes.size());
    const auto all_cpus = static_cast<double>(nodes.total_cpus());
    const double wide = job.ask.min_nodes;
    const double cpus = cpu_count;
    double size = 0;
    if (flags.small_relative_to_time) {
      const double minutes = job.limit >= kUnlimited ? kUnlimitedMinutes : static_cast<double>(job.limit / 60);
      size = std::max(wide * all_cpus / all_nodes, cpus) / minutes / all_cpus;
      if (conf_.favor_small) size = 1 - size;
    } else if (conf_.favor_small) {
      size = ((all_nodes - wide) / all_nodes + (all_cpus - cpus) / all_cpus) / 2;
    } else {
      size = (wide / all_nodes + cpus / all_cpus) / 2;
    }
    f.job_size = conf_.weight_job_size * std::clamp(size, 0.0, 1.0);
  }
  if (conf_.weight_partition > 0) {
    std::int32_t most = 1;
    for (const Partition& p : conf_.partitions) most = std::max(most, p.priority_job_factor);
    const auto own = static_cast<double>(conf_.partitions[index(job.queue)].priority_job_factor);
    f.partition = conf_.weight_partition * (flags.no_normal_part ? own : own / static_cast<double>(most));
  }
  if (conf_.weight_qos > 0 && charge.payer.qos != kNobody) {
    const double own = associations_.qos()[charge.payer.qos].priority;
    const double most = most_qos_priority_;
    f.qos = conf_.weight_qos * (flags.no_normal_qos ? own : most > 0 ? own / most : 0);
  }
  if (conf_.weight_tres) {
    const TresCounts own = charge.holds ? charge.tres : asked(job, nodes);
    const TresCounts all = flags.no_normal_tres ? TresCounts{} : partition_tres(job.queue, nodes);
    for (std::size_t t = 0; t < kTres; ++t) {
      const auto value = static_cast<double>(own.of[t]);
      const auto most = static_cast<double>(all.of[t]);
      f.tres[t] = (*conf_.weight_tres)[t] * (flags.no_normal_tres ? value : most > 0 ? value / most : 0);
    }
  }
  f.nice = job.nice;
  f.site = job.site_factor;
  return f;
}

// --- the thread -----------------------------------------------------------------------------------------------------

void Multifactor::start(Time now) {
  at_ = now;
  if (!recalculates()) return;
  const Second second = conf_.phases.second(now);
  last_reset_ = second;
  begin(second);
  finish(second);
}

double Multifactor::decay_over(Second seconds) {
  if (seconds != decay_seconds_) {
    decay_seconds_ = seconds;
    decay_power_ = std::pow(per_second_, static_cast<double>(seconds));
  }
  return decay_power_;
}

void Multifactor::decay(double factor) {
  fairshare_.decay(factor);
  for (std::size_t q = 0; q < qos_used_.size(); ++q) {
    if (!associations_.qos()[q].no_decay) qos_used_[q].scale(factor);
  }
}

void Multifactor::reset_if_due(Second now) {
  const UsageReset period = conf_.usage_reset;
  if (period == UsageReset::none || period == UsageReset::now) return;  // at the start nothing was used
  if (next_reset_ == 0) next_reset_ = next_reset(period, last_reset_, now);
  while (now >= next_reset_) {
    fairshare_.forget();
    for (Usage& used : qos_used_) used = {};
    last_reset_ = next_reset_;
    next_reset_ = next_reset(period, last_reset_, now);
  }
}

void Multifactor::begin(Second now) {
  reset_if_due(now);
  // Before anything decays or is added: what accounts are measured by is a period old.
  if (!conf_.priority_flags.fair_tree()) fairshare_.measure_accounts();
  if (last_ && now > *last_) decay(decay_over(now - *last_));
}

void Multifactor::charge(const Charge& to, Second start, Second end) {
  if (to.payer.association == kNobody) return;
  const auto seconds = static_cast<double>(std::max<Second>(end - std::max(start, last_.value_or(start)), 0));
  if (seconds == 0) return;
  const double factor = to.payer.qos != kNobody ? associations_.qos()[to.payer.qos].usage_factor : 1;
  Usage more;
  more.wall = seconds * factor;
  more.billing = seconds * to.billing * factor;
  for (std::size_t t = 0; t < kTres; ++t) more.tres[t] = more.wall * static_cast<double>(to.tres.of[t]);
  const bool keeps = to.payer.qos != kNobody && associations_.qos()[to.payer.qos].no_decay;
  if (keeps) qos_used_[to.payer.qos].add(more);
  // Slurm lets it decay as if all of it had been used when the time began.
  more.scale(decay_over(static_cast<Second>(seconds)));
  if (to.payer.qos != kNobody && !keeps) qos_used_[to.payer.qos].add(more);
  fairshare_.charge(to.payer.association, more);
}

void Multifactor::add_running(const Job& job, Second now) {
  const Charge& held = charges_[index(job.id)];
  if (held.runs) charge(held, job.start, now);
}

void Multifactor::finish(Second now) {
  if (conf_.priority_flags.fair_tree()) fairshare_.rank();
  last_ = now;
}

void Multifactor::rest(Time now) {
  const Time period = conf_.priority_calc_period * kSecond;
  if (!recalculates() || now < at_ + period) return;
  at_ += (now - at_) / period * period;
  const Second second = conf_.phases.second(at_);
  begin(second);
  finish(second);
}

Second next_reset(UsageReset period, Second last, Second now) {
  using namespace std::chrono;
  const sys_days day = floor<days>(sys_seconds(seconds(last)));
  const auto in_seconds = [](sys_days d) { return Second{sys_seconds(d).time_since_epoch().count()}; };
  const auto repeated = [now](Second next, Second every) {
    return next + every < now ? next + (now - next - 1) / every * every : next;
  };
  const year_month_day date = day;
  const auto first_of = [&](unsigned month_) {
    const year_month_day then = date.year() / month(month_) / 1;
    return in_seconds(sys_days(month_ <= 12 ? then : (date.year() + years(1)) / January / 1));
  };
  const unsigned present = static_cast<unsigned>(date.month());
  switch (period) {
    case UsageReset::daily:
      return repeated(in_seconds(day) + kDay, kDay);
    case UsageReset::weekly:  // on Sundays
      return repeated(in_seconds(day) + kDay * (7 - Second{weekday(day).c_encoding()}), 7 * kDay);
    case UsageReset::monthly:
      return first_of(present + 1);
    case UsageReset::quarterly:
      return first_of((present - 1) / 3 * 3 + 4);
    case UsageReset::yearly:
      return first_of(13);
    case UsageReset::none:
    case UsageReset::now:
      break;
  }
  return 0;
}

}  // namespace headroom::slurm
