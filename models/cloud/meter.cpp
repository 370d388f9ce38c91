#include "models/cloud/meter.hpp"

#include <algorithm>

namespace headroom {

Meter::Meter(const Design& design, const std::vector<Budget>& budgets, Time origin)
    : design_(&design), origin_(origin), now_(origin) {
  for (const Budget& budget : budgets) {
    budgets_.push_back({budget.actions, budget.amount, budget.period, later(origin, budget.period)});
  }
  if (budgets_.empty()) return;
  for (std::uint32_t g = 0; g < design.spec.groups.size(); ++g) {
    group_of_.insert(group_of_.end(), static_cast<std::size_t>(design.spec.groups[g].nodes), g);
  }
  instances_.resize(group_of_.size());
  for (const Commitment& c : design.committed) committed_[c.instance_type].instances += c.instances;
  for (const Charge& charge : charges_of(design, origin)) {
    changes_.insert({charge.from, {.by = charge.per_hour, .at_once = charge.at_once}});
    if (charge.until != kNever) changes_.insert({charge.until, {.by = -charge.per_hour}});
  }
  advance(origin);
}

Time Meter::next(Time horizon) {
  while (true) {
    Time tells = kNever;
    Time silent = changes_.empty() ? kNever : changes_.begin()->first;
    for (const Watched& budget : budgets_) {
      tells = std::min(tells, budget.allows ? now_ : crossing(budget));
      (budget.stopped ? tells : silent) = std::min(budget.stopped ? tells : silent, budget.period_end);
    }
    if (tells <= silent) return tells <= horizon ? tells : kNever;
    if (silent > horizon) return kNever;
    advance(silent);
  }
}

void Meter::tell(Time now, std::vector<Stimulus>& news) {
  advance(now);
  for (std::size_t b = 0; b < budgets_.size(); ++b) {
    Watched& budget = budgets_[b];
    const auto subject = static_cast<std::uint32_t>(b);
    if (budget.allows) news.push_back({Stimulus::Kind::budget_reached, subject, kBudgetAllows});
    budget.allows = false;
    while (crossing(budget) <= now) {
      const bool stops = budget.actions[budget.next++].stops;
      budget.stopped |= stops;
      news.push_back({Stimulus::Kind::budget_reached, subject, stops ? kBudgetStops : kBudgetAlert});
    }
  }
}

Time Meter::allows_again() const {
  Time time = kNever;
  for (const Watched& budget : budgets_) {
    if (budget.stopped) time = std::min(time, budget.period_end);
  }
  return time;
}

bool Meter::stops() const {
  return std::any_of(budgets_.begin(), budgets_.end(), [](const Watched& budget) { return budget.stopped; });
}

void Meter::told(const Stimulus& s, Time now) {
  switch (s.kind) {
    case Stimulus::Kind::instance_launched:
      instances_[s.subject].which = s.detail;
      break;
    case Stimulus::Kind::instance_running:
      start(NodeId{s.subject}, now);
      break;
    case Stimulus::Kind::instance_terminated:
      end(NodeId{s.subject}, now, false);
      break;
    case Stimulus::Kind::instance_lost:
      end(NodeId{s.subject}, now, static_cast<Loss>(s.detail) == Loss::spot_interruption);
      break;
    default:
      break;
  }
}

// The first time in its period at which the next action is due.
Time Meter::crossing(const Watched& budget) const {
  if (budget.next == budget.actions.size()) return kNever;
  const Wide goal = static_cast<Wide>(budget.amount) * budget.actions[budget.next].percent * (kHour / 100);
  const Wide missing = goal - (spent_ - budget.before);
  Time time = now_;
  if (missing > 0) {
    if (rate_ <= 0) return kNever;
    const Wide wait = (missing + rate_ - 1) / rate_;
    if (wait >= kNever - now_) return kNever;
    time = now_ + static_cast<Time>(wait);
  }
  return time < budget.period_end ? time : kNever;
}

// Lets time pass in which nothing happens but what is foreseen.
void Meter::advance(Time now) {
  while (now_ <= now) {
    Time until = changes_.empty() ? kNever : changes_.begin()->first;
    for (const Watched& budget : budgets_) until = std::min(until, budget.period_end);
    const Time step = std::min(until, now);
    spent_ += static_cast<Wide>(rate_) * (step - now_);
    now_ = step;
    if (until > now) return;
    for (Watched& budget : budgets_) {
      if (budget.period_end == step) roll(budget);
    }
    while (!changes_.empty() && changes_.begin()->first == step) {
      const Change change = changes_.begin()->second;
      changes_.erase(changes_.begin());
      apply(change, step);
    }
  }
}

void Meter::roll(Watched& budget) {
  budget.before = spent_;
  budget.period_end = later(budget.period_end, budget.length);
  budget.next = 0;
  budget.allows |= budget.stopped;
  budget.stopped = false;
}

void Meter::apply(const Change& change, Time now) {
  if (!change.of_node) {
    rate_ += change.by;
    spent_ += static_cast<Wide>(change.at_once) * kHour;
    return;
  }
  Instance& instance = instances_[index(change.node)];
  if (!instance.runs || instance.generation != change.generation) return;
  const Offer& offer = *offer_of(change.node);
  if (instance.which >> 16 != 0) {
    set_rate(instance, offer.price_per_hour);  // its reservation is over
    return;
  }
  set_rate(instance, design_->spot_prices.price_at(offer, now - origin_));
  changes_.insert({later(now, kHour), change});
}

void Meter::start(NodeId node, Time now) {
  advance(now);
  Instance& instance = instances_[index(node)];
  instance.runs = true;
  instance.since = now;
  ++instance.generation;
  rate_ += design_->management_per_hour;
  const Offer* const offer = offer_of(node);
  const Change change{.of_node = true, .node = node, .generation = instance.generation};
  if (offer == nullptr) {
    set_rate(instance, group_of(node).price_per_hour);
  } else if (const std::uint32_t reservation = instance.which >> 16; reservation != 0) {
    const Time over = later(origin_, design_->reservations[reservation - 1].end);
    if (now >= over) {
      set_rate(instance, offer->price_per_hour);
    } else if (over != kNever) {
      changes_.insert({over, change});
    }
  } else if (group_of(node).purchase == Purchase::spot) {
    set_rate(instance, design_->spot_prices.price_at(*offer, now - origin_));
    changes_.insert({later(now, kHour), change});
  } else {
    const auto committed = committed_.find(offer->type.name);
    instance.shares_commitments = committed != committed_.end() && group_of(node).purchase == Purchase::on_demand;
    const bool covered = instance.shares_commitments && ++committed->second.running <= committed->second.instances;
    set_rate(instance, covered ? 0 : offer->price_per_hour);
  }
}

// `free`: what it had in its first hour is not billed.
void Meter::end(NodeId node, Time now, bool free) {
  Instance& instance = instances_[index(node)];
  if (!instance.runs) return;
  advance(now);
  instance.runs = false;
  rate_ -= design_->management_per_hour;
  if (free && now - instance.since < kHour) spent_ -= static_cast<Wide>(instance.rate) * (now - instance.since);
  if (instance.shares_commitments) {
    // Those that are left use the commitments: who pays is one of them, whoever goes.
    Committed& committed = committed_.find(offer_of(node)->type.name)->second;
    if (committed.running-- > committed.instances) rate_ -= offer_of(node)->price_per_hour;
    instance.shares_commitments = false;
    instance.rate = 0;
    return;
  }
  set_rate(instance, 0);
}

void Meter::set_rate(Instance& instance, MicroUsd rate) {
  rate_ += rate - instance.rate;
  instance.rate = rate;
}

const Offer* Meter::offer_of(NodeId node) const {
  const std::vector<Offer>& offers = group_of(node).offers;
  const std::uint32_t offer = instances_[index(node)].which & 0xffff;
  return offer < offers.size() ? &offers[offer] : nullptr;
}

}  // namespace headroom
