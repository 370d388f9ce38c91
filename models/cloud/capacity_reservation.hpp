// Capacity that is paid for in advance: On-Demand Capacity Reservations, Capacity Blocks, and reservations that their
// owner lends and may take back (interruptible).
#pragma once

#include <algorithm>
#include <string>

#include "engine/types.hpp"
#include "models/cloud/offer.hpp"

namespace headroom {

struct CapacityReservation {
  enum class Kind : std::uint8_t { on_demand, capacity_block, interruptible };
  std::string id;
  Kind kind = Kind::on_demand;
  std::string instance_type;
  std::string zone;
  std::int64_t instances = 0;
  std::int64_t vcpus = 0;  // of each instance
  bool open = true;        // any matching launch uses it; otherwise only one that names it or its group (PCS-60)
  std::string group;       // the resource group it is in
  std::string placement_group;
  Time start = 0;  // from the run's start
  Time end = kNever;
  MicroUsd price_per_hour = 0;  // of each instance, used or not (PCS-61)
  MicroUsd upfront = 0;         // for all of it, at its start; then price_per_hour is 0

  // EC2 begins to terminate the instances of a Capacity Block half an hour before its end.
  static constexpr Time kBlockEndsEarly = 30 * kMinute;
  Time usable_until() const { return kind == Kind::capacity_block && end != kNever ? end - kBlockEndsEarly : end; }
  bool active(Time now) const { return now >= start && now < usable_until(); }
  // What it costs up to `until`, whether used or not. Times from the run's start. Rounded once.
  MicroUsd cost_until(Time until) const {
    if (until <= start) return 0;
    constexpr __int128 kHourWide = kHour;
    const __int128 held = static_cast<__int128>(std::min(until, end) - start) * instances;
    return upfront + static_cast<MicroUsd>((price_per_hour * held + kHourWide / 2) / kHourWide);
  }
};

// What a launch template says about reservations (CapacityReservationSpecification).
struct ReservationUse {
  enum class Preference : std::uint8_t { open, none, only };
  Preference preference = Preference::open;
  std::string group;  // resource group whose reservations are used first; on-demand capacity follows
  std::string id;     // this one and nothing else
  bool operator==(const ReservationUse&) const = default;
};

}  // namespace headroom
