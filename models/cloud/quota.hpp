// EC2's service quotas of an account in a Region: vCPUs by group of families, on demand and as Spot apart, and
// instances. Unlimited where a scenario says nothing, although AWS's own defaults are low (docs/cloud.md).
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <string_view>

#include "engine/news.hpp"

namespace headroom {

// Which families share a quota.
enum class QuotaFamily : std::uint8_t { standard, hpc, p, g, f, inf, trn, dl, x, high_memory };
inline constexpr std::array<std::string_view, 10> kQuotaFamilies = {"standard", "hpc", "p",  "g", "f",
                                                                    "inf",      "trn", "dl", "x", "high-memory"};
// Of an instance type: c6i.large is standard, gr6.xlarge is g, u-6tb1.metal is high-memory.
QuotaFamily quota_family(std::string_view type);

struct QuotaLimits {
  using Vcpus = std::array<std::optional<std::int64_t>, kQuotaFamilies.size()>;
  Vcpus on_demand = {};
  Vcpus spot = {};
  std::optional<std::int64_t> instances = {};
  Time terminated_for = 0;  // so long a terminated instance counts as one
  bool any() const;
};

// What of them is in use. An instance counts from its launch on: were those that are pending not counted, two requests
// in a row could exceed a quota.
class Quota {
 public:
  explicit Quota(const QuotaLimits& limits) : limits_(limits) {}

  // What stands against one more of these; nothing: it may be launched.
  std::optional<Refusal> refusal(bool spot, QuotaFamily family, std::int64_t vcpus) const;
  std::optional<Refusal> instance_refusal(Time now);

  void take(bool spot, QuotaFamily family, std::int64_t vcpus) {
    used(spot)[static_cast<std::size_t>(family)] += vcpus;
  }
  void give_back(bool spot, QuotaFamily family, std::int64_t vcpus) { take(spot, family, -vcpus); }
  void take_instance() { ++instances_; }
  void give_back_instance(Time now);
  // As if it had never been.
  void undo_instance() { --instances_; }

 private:
  using Used = std::array<std::int64_t, kQuotaFamilies.size()>;
  Used& used(bool spot) { return spot ? spot_ : on_demand_; }

  QuotaLimits limits_;
  Used on_demand_ = {};
  Used spot_ = {};
  std::int64_t instances_ = 0;
  std::deque<Time> terminated_;  // when they no longer count, ascending
};

}  // namespace headroom
