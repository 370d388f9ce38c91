// What a backfill cycle has promised so far: from when to when which nodes are free of reservations (slurmctld's node
// space). Running jobs are not in it; nodes are reserved whole.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "models/policies/slurm/licenses.hpp"
#include "models/policies/slurm/nodes.hpp"

namespace headroom::slurm {

class PlanMap {
 public:
  struct Slot {
    Second begin;
    Second end;
    NodeBits free;
    LicenseCounts licenses = {};  // empty: they are not planned
  };

  void reset(Second begin, Second end, const NodeBits& free, const LicenseCounts& licenses = {}) {
    slots_.clear();
    slots_.push_back({begin, end, free, licenses});
    records_ = 1;
    from_begin_ = false;
  }
  const std::vector<Slot>& slots() const { return slots_; }
  // Records of slurmctld's table that are in use. Those of slots that became one stay lost until the next cycle.
  std::int32_t records() const { return records_; }

  // Takes `nodes`, and what `licenses` says, out of [start, end); at least one `resolution` long.
  void reserve(Second start, Second end, const NodeBits& nodes, Second resolution, const LicenseNeed& licenses = {}) {
    start = std::max(start, slots_.front().begin);
    end = std::max(end, start + resolution);
    if (start >= slots_.back().end) return;
    if (start == slots_.front().begin && !std::exchange(from_begin_, true)) ++records_;  // an empty one before it
    const std::size_t first = split(start);
    std::size_t last = slots_.size();
    if (end < slots_.back().end) last = split(end);
    for (std::size_t i = first; i < last; ++i) {
      slots_[i].free.remove(nodes);
      if (!slots_[i].licenses.empty()) LicenseBooks::take(licenses, slots_[i].licenses);
    }
    // Two neighbours that do not differ become one; slurmctld looks for one such pair only.
    const std::size_t from = first < 2 ? 1 : first - 1;
    for (std::size_t i = from; i <= last && i < slots_.size(); ++i) {
      if (slots_[i].free != slots_[i - 1].free || slots_[i].licenses != slots_[i - 1].licenses) continue;
      slots_[i - 1].end = slots_[i].end;
      slots_.erase(slots_.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
  }

  // The position of the first slot that is not over at `time`.
  std::size_t slot_after(Second time) const {
    const auto at = std::partition_point(slots_.begin(), slots_.end(), [&](const Slot& s) { return s.end <= time; });
    return static_cast<std::size_t>(at - slots_.begin());
  }

  // Whether some of `nodes`, or too many licences, are reserved at some time in [start, end).
  bool overlaps(const NodeBits& nodes, Second start, Second end, const LicenseNeed& licenses = {}) const {
    for (std::size_t i = slot_after(start); i < slots_.size() && slots_[i].begin < end; ++i) {
      if (!nodes.within(slots_[i].free)) return true;
      if (!slots_[i].licenses.empty() && !LicenseBooks::enough(licenses, slots_[i].licenses)) return true;
    }
    return false;
  }

 private:
  // Makes a slot begin at `time` and returns its position.
  std::size_t split(Second time) {
    const std::size_t i = slot_after(time);
    if (i == slots_.size() || slots_[i].begin == time) return i;
    ++records_;
    slots_.insert(slots_.begin() + static_cast<std::ptrdiff_t>(i), slots_[i]);
    slots_[i].end = time;
    slots_[i + 1].begin = time;
    return i + 1;
  }

  std::vector<Slot> slots_;
  std::int32_t records_ = 0;
  bool from_begin_ = false;  // a reservation began with the first slot
};

}  // namespace headroom::slurm
