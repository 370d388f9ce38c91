#include "models/report/bill.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace headroom {
namespace {

using Wide = __int128;  // millionths of a dollar x microseconds an hour

MicroUsd rounded(Wide amount) { return static_cast<MicroUsd>((amount + kHour / 2) / kHour); }

Wide overlap(const Bill::Rate& rate, Time from, Time until) {
  const Time begin = std::max(rate.from, from);
  const Time end = std::min(rate.until, until);
  return begin < end ? static_cast<Wide>(rate.per_hour) * (end - begin) : 0;
}

// How long an instance that ran so long is billed for.
Time billed(Time ran) { return std::max(kMinute, (ran + kSecond - 1) / kSecond * kSecond); }

}  // namespace

CostSplit& CostSplit::operator+=(const CostSplit& other) {
  busy += other.busy;
  boot += other.boot;
  idle += other.idle;
  failed += other.failed;
  return *this;
}

JobCost& JobCost::operator+=(const JobCost& other) {
  run += other.run;
  boot += other.boot;
  lost += other.lost;
  return *this;
}

MicroUsd instance_cost(MicroUsd price_per_hour, Time running, Time end) {
  return cost_of(price_per_hour, billed(end - running));
}

const Offer* offer_of(const InstanceRecord& instance, const Design& design) {
  const std::vector<Offer>& offers = design.groups[index(instance.group)].offers;
  return instance.offer < offers.size() ? &offers[instance.offer] : nullptr;
}

std::string_view purchase_name(Purchase purchase) {
  switch (purchase) {
    case Purchase::on_demand:
      return "ONDEMAND";
    case Purchase::spot:
      return "SPOT";
    case Purchase::capacity_block:
      return "CAPACITY_BLOCK";
    case Purchase::interruptible:
      return "INTERRUPTIBLE_CAPACITY_RESERVATION";
  }
  return "";
}

Bill::Bill(const RunRecord& record, const Design& design) : record_(record), design_(design) {
  commit_rates();
  first_rate_.reserve(record.instances().size() + 1);
  for (std::size_t i = 0; i < record.instances().size(); ++i) {
    first_rate_.push_back(rates_.size());
    add_rates(i);
  }
  first_rate_.push_back(rates_.size());
}

Time Bill::end(std::size_t instance) const {
  const InstanceRecord& i = record_.instances()[instance];
  return i.is_over() ? i.end : record_.end();
}

void Bill::add_rates(std::size_t instance) {
  const InstanceRecord& i = record_.instances()[instance];
  if (i.refused || i.running == kNever) return;
  const Time until = end(instance);
  const GroupFacts& group = design_.groups[index(i.group)];
  const Offer* const offer = offer_of(i, design_);
  const MicroUsd on_demand = offer == nullptr ? group.price_per_hour : offer->price_per_hour;
  const Time begin = record_.begin();
  if (i.reservation > 0) {
    const CapacityReservation& reservation = design_.reservations[i.reservation - 1];
    const Time over = std::min(until, later(begin, reservation.end));
    rates_.push_back({i.running, std::max(over, i.running), reservation.price_per_hour, true});
    if (over < until) rates_.push_back({std::max(over, i.running), until, on_demand, false});
    return;
  }
  if (group.purchase == Purchase::spot && offer != nullptr) {
    // EC2 bills nothing of an instance that it takes back within its first hour.
    const bool free = i.loss == Loss::spot_interruption && until - i.running < kHour;
    Time hour = i.running;
    do {
      const Time next = std::min(until, later(hour, kHour));
      const MicroUsd price = free ? 0 : design_.spot_prices.price_at(*offer, hour - begin);
      const bool first = hour == i.running;
      if (!first && rates_.back().per_hour == price) {
        rates_.back().until = next;
      } else {
        rates_.push_back({hour, next, price, false});
      }
      hour = next;
    } while (hour < until);
    return;
  }
  const Cover cover = covers_.empty() ? Cover{} : covers_[instance];
  const Time from = std::min(cover.from, until);
  if (i.running < from || cover.from == kNever) rates_.push_back({i.running, from, on_demand, false});
  if (from < until) rates_.push_back({from, until, cover.per_hour, true});
}

// Commitments are used by the matching instances that run longest; one that is covered stays so. Who waits follows when
// one of them ends.
void Bill::commit_rates() {
  if (design_.committed.empty()) return;
  covers_.resize(record_.instances().size());
  std::map<std::string_view, std::vector<MicroUsd>> slots_of;
  for (const Commitment& c : design_.committed) {
    for (std::int64_t n = 0; n < c.instances; ++n) slots_of[c.instance_type].push_back(c.price_per_hour);
  }
  for (const auto& [type, slots] : slots_of) {
    struct Change {
      Time at;
      bool starts;  // at one time, ends come first
      std::size_t instance;
      auto operator<=>(const Change&) const = default;
    };
    std::vector<Change> changes;
    for (std::size_t i = 0; i < record_.instances().size(); ++i) {
      const InstanceRecord& instance = record_.instances()[i];
      const Offer* const offer = offer_of(instance, design_);
      if (offer == nullptr || offer->type.name != type || instance.running == kNever || instance.reservation > 0 ||
          design_.groups[index(instance.group)].purchase != Purchase::on_demand) {
        continue;
      }
      if (end(i) <= instance.running) continue;
      changes.push_back({instance.running, true, i});
      changes.push_back({end(i), false, i});
    }
    std::sort(changes.begin(), changes.end());
    std::set<std::size_t> free;  // slots
    for (std::size_t slot = 0; slot < slots.size(); ++slot) free.insert(slot);
    std::map<std::size_t, std::size_t> slot_of;  // by instance
    std::set<std::pair<Time, std::size_t>> waiting;
    for (const Change& change : changes) {
      if (change.starts) {
        waiting.insert({change.at, change.instance});
      } else if (const auto held = slot_of.find(change.instance); held != slot_of.end()) {
        free.insert(held->second);
        slot_of.erase(held);
      } else {
        waiting.erase({record_.instances()[change.instance].running, change.instance});
      }
      while (!free.empty() && !waiting.empty()) {
        const std::size_t instance = waiting.begin()->second;
        waiting.erase(waiting.begin());
        const std::size_t slot = *free.begin();
        free.erase(free.begin());
        slot_of[instance] = slot;
        covers_[instance] = {change.at, slots[slot]};
      }
    }
  }
}

MicroUsd Bill::prepaid_cost(std::size_t instance) const {
  Wide sum = 0;
  for (const Rate& rate : rates(instance)) {
    if (rate.prepaid) sum += overlap(rate, rate.from, rate.until);
  }
  return rounded(sum);
}

MicroUsd Bill::paid_cost(std::size_t instance) const {
  const std::span<const Rate> all = rates(instance);
  if (all.empty()) return 0;
  Wide sum = 0;
  for (const Rate& rate : all) {
    if (!rate.prepaid) sum += overlap(rate, rate.from, rate.until);
  }
  const Time ran = all.back().until - all.front().from;
  if (!all.back().prepaid) sum += static_cast<Wide>(all.back().per_hour) * (billed(ran) - ran);
  return rounded(sum);
}

MicroUsd Bill::cost_of_share(const HeldShare& share, Time from, Time until) const {
  if (share.instance == HeldShare::kPermanent) return 0;
  Wide sum = 0;
  for (const Rate& rate : rates(share.instance)) sum += overlap(rate, from, until);
  const GroupId group = record_.instances()[share.instance].group;
  return rounded(sum) * share.cores / design_.spec.groups[index(group)].cores;
}

MicroUsd Bill::attempt_cost(const JobRecord& job, Time until) const {
  if (job.start == kNever || until == kNever) return 0;
  MicroUsd cost = 0;
  for (const HeldShare& share : record_.shares_of(job)) cost += cost_of_share(share, job.start, until);
  return cost;
}

MicroUsd Bill::boot_cost(const JobRecord& job) const {
  const Time until = std::min(job.start, job.freed);
  if (job.allocated == kNever || until == kNever || job.allocated == until) return 0;
  MicroUsd cost = 0;
  for (const HeldShare& share : record_.shares_of(job)) {
    if (share.instance == HeldShare::kPermanent) continue;
    cost += cost_of_share(share, job.allocated, std::min(until, record_.instances()[share.instance].ready));
  }
  return cost;
}

JobCost Bill::job_cost(const JobRecord& job) const {
  return {.run = attempt_cost(job, job.end), .boot = boot_cost(job), .lost = 0};
}

std::vector<JobCost> Bill::lost_attempts_cost() const {
  std::vector<JobCost> costs;
  for (const LostAttempt& attempt : record_.lost_attempts()) {
    costs.resize(record_.jobs().size());
    const Time until = std::min(attempt.job.end, attempt.job.freed);
    costs[index(attempt.id)] += {.run = 0, .boot = boot_cost(attempt.job), .lost = attempt_cost(attempt.job, until)};
  }
  return costs;
}

std::vector<InstanceUse> Bill::instance_use(const std::vector<std::vector<Period>>& busy) const {
  // Core times, in cores x microseconds.
  struct Held {
    std::int64_t kept = 0;
    std::int64_t lost = 0;
  };
  std::vector<Held> held(record_.instances().size());
  const auto hold = [&](const JobRecord& job, std::int64_t Held::*kind) {
    const Time freed = job.freed == kNever ? record_.end() : job.freed;
    for (const HeldShare& share : record_.shares_of(job)) {
      if (share.instance == HeldShare::kPermanent) continue;
      const InstanceRecord& instance = record_.instances()[share.instance];
      const Time from = std::max(job.allocated, instance.ready);
      const Time until = std::min(freed, instance.end);
      if (from < until) held[share.instance].*kind += (until - from) * share.cores;
    }
  };
  for (const JobRecord& job : record_.jobs()) hold(job, &Held::kept);
  for (const LostAttempt& attempt : record_.lost_attempts()) hold(attempt.job, &Held::lost);

  std::vector<InstanceUse> uses(record_.instances().size());
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const InstanceRecord& instance = record_.instances()[i];
    InstanceUse& use = uses[i];
    use.end = end(i);
    for (const Period& p : busy[i]) use.busy += p.until - p.from;
    if (instance.refused || instance.running == kNever) continue;
    use.cost = cost(i);
    if (instance.failed()) {
      use.split.failed = use.cost;
      continue;
    }
    const std::int64_t cores = design_.spec.groups[index(instance.group)].cores;
    const Time ready = std::min(instance.ready, use.end);
    const std::int64_t all = (use.end - instance.running) * cores;
    if (all == 0) {
      use.split.boot = use.cost;
      continue;
    }
    // Jobs that have cores together do not have more than there are.
    const std::int64_t boot = (ready - instance.running) * cores;
    const std::int64_t kept = std::min(held[i].kept, all - boot);
    const std::int64_t lost = std::min(held[i].lost, all - boot - kept);
    const auto up_to = [&](std::int64_t amount) {
      return static_cast<MicroUsd>((static_cast<Wide>(use.cost) * amount + all / 2) / all);
    };
    use.split.boot = up_to(boot);
    use.split.busy = up_to(boot + kept) - up_to(boot);
    use.split.failed = up_to(boot + kept + lost) - up_to(boot + kept);
    use.split.idle = use.cost - up_to(boot + kept + lost);
  }
  return uses;
}

MicroUsd Bill::unused_reservations() const {
  if (design_.reservations.empty() || record_.begin() == kNever) return 0;
  std::vector<MicroUsd> used(design_.reservations.size());
  for (std::size_t i = 0; i < record_.instances().size(); ++i) {
    const InstanceRecord& instance = record_.instances()[i];
    if (!instance.refused && instance.reservation > 0) used[instance.reservation - 1] += prepaid_cost(i);
  }
  MicroUsd unused = 0;
  for (std::size_t r = 0; r < used.size(); ++r) {
    const MicroUsd all = design_.reservations[r].cost_until(record_.end() - record_.begin());
    unused += std::max<MicroUsd>(0, all - used[r]);
  }
  return unused;
}

MicroUsd Bill::unused_commitments() const {
  if (design_.committed.empty() || record_.begin() == kNever) return 0;
  MicroUsd used = 0;
  for (std::size_t i = 0; i < record_.instances().size(); ++i) {
    if (!covers_.empty() && covers_[i].from != kNever) used += prepaid_cost(i);
  }
  Wide all = 0;
  for (const Commitment& c : design_.committed) {
    all += static_cast<Wide>(c.price_per_hour) * c.instances * (record_.end() - record_.begin());
  }
  return std::max<MicroUsd>(0, rounded(all) - used);
}

std::vector<Period> shared_periods(const RunRecord& record, const std::function<Period(const JobRecord&)>& of) {
  if (!record.shares_cores()) return {};
  struct Use {
    NodeShare core;
    Period period;
  };
  std::vector<Use> uses;
  const auto add = [&](const JobRecord& job) {
    const Period period = of(job);
    if (period.from == kNever || period.from >= period.until) return;
    for (const NodeShare& core : record.shared_cores_of(job)) uses.push_back({core, period});
  };
  for (const JobRecord& job : record.jobs()) add(job);
  for (const LostAttempt& lost : record.lost_attempts()) add(lost.job);
  std::sort(uses.begin(), uses.end(), [](const Use& a, const Use& b) {
    return std::tuple(a.core.node, a.core.cores, a.period.from) < std::tuple(b.core.node, b.core.cores, b.period.from);
  });
  std::vector<Period> again;
  Time covered = 0;  // the present core had a job until then
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const Period& period = uses[i].period;
    if (i == 0 || uses[i].core != uses[i - 1].core) covered = period.from;
    if (period.from < covered) again.push_back({period.from, std::min(period.until, covered)});
    covered = std::max(covered, period.until);
  }
  return again;
}

std::vector<std::vector<Period>> busy_periods(const RunRecord& record) {
  std::vector<std::vector<Period>> periods(record.instances().size());
  const auto add = [&](const JobRecord& job) {
    const Time freed = job.freed == kNever ? record.end() : job.freed;
    for (const HeldShare& share : record.shares_of(job)) {
      if (share.instance == HeldShare::kPermanent) continue;
      // A node is held from the allocation on, and counts as utilized from when it is there until it is terminated.
      const InstanceRecord& instance = record.instances()[share.instance];
      const Time from = std::max(job.allocated, instance.ready);
      const Time until = std::min(freed, instance.end);
      if (from < until) periods[share.instance].push_back({from, until});
    }
  };
  for (const JobRecord& job : record.jobs()) add(job);
  for (const LostAttempt& lost : record.lost_attempts()) add(lost.job);
  for (std::vector<Period>& list : periods) {
    std::sort(list.begin(), list.end(),
              [](const Period& a, const Period& b) { return a.from != b.from ? a.from < b.from : a.until < b.until; });
    std::size_t last = 0;
    for (std::size_t i = 1; i < list.size(); ++i) {
      if (list[i].from <= list[last].until) {
        list[last].until = std::max(list[last].until, list[i].until);
      } else {
        list[++last] = list[i];
      }
    }
    if (!list.empty()) list.resize(last + 1);
  }
  return periods;
}

}  // namespace headroom
