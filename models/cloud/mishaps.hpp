// What befalls instances: Spot interruptions, starts and boots that fail, hosts that die, and what the scenario says is
// to break at a certain time. Hides the laws and the draws. Promises: what befalls a launch depends on the seed, its
// number and its own facts only, so one mishap more or less shifts nothing elsewhere. Pure: it only foretells; whether
// the instance is still there by then is SimulatedCloud's affair.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "engine/news.hpp"
#include "models/random.hpp"

namespace headroom {

// How instances fail at random.
struct Failures {
  enum class Effect : std::uint8_t { hardware_failure, reboot, health_check };
  std::optional<Distribution> time_to_failure = {};  // from running; nothing: they do not
  Effect effect = Effect::hardware_failure;
  // Shares of launches, from 0 to 1.
  double failed_starts = 0;  // go from pending to terminated
  double boot_failures = 0;  // run, but their nodes never register
  double slow_boots = 0;     // of those that do: their bootstrap takes `slow_factor` times as long
  double slow_factor = 1;
};

class Mishaps {
 public:
  // What one group's instances are: by offer. Instances that were not bought as Spot are not interrupted.
  struct Offered {
    std::string zone = {};            // empty: not known
    double mean_to_interruption = 0;  // seconds from running to the notice, exponential; 0: never
  };
  struct Group {
    Failures failures = {};
    std::vector<Offered> offers = {};
  };
  // At that time it befalls the instance that the node has then.
  struct Strike {
    enum class Kind : std::uint8_t {
      reboot,
      stop,
      health_check,
      scheduled_event,
      hardware_failure,
      termination,
      interruption
    };
    Time at = 0;
    NodeId node{0};
    Kind kind{};
  };
  // At that time all instances in the zone are lost.
  struct Outage {
    Time at = 0;
    std::string zone = {};
  };
  struct Plan {
    std::uint64_t seed = 1;
    std::vector<Group> groups = {};    // by GroupId; missing ones have none
    Time notice = 120 * kSecond;       // from the interruption notice to the loss
    Time rebalance_lead = 0;           // from the rebalance recommendation to the notice
    std::vector<Strike> strikes = {};  // in any order
    std::vector<Outage> outages = {};
  };

  struct Launch {
    std::uint64_t number = 0;  // of all launches, from 0
    GroupId group{0};
    NodeId node{0};
    std::uint32_t offer = 0;
    Time at = 0;               // granted
    Time running = 0;          // EC2 state pending -> running, if it starts
    Time taken_back = kNever;  // when its reservation ends it
  };
  struct Foreseen {
    Time at = 0;
    Stimulus stimulus = {};
    bool operator==(const Foreseen&) const = default;
  };
  // What befalls one launch.
  struct Fate {
    bool starts = true;               // otherwise it never runs: its loss is foreseen for the time when it should
    bool boots = true;                // otherwise its node never registers
    double slowness = 1;              // so many times as long its bootstrap takes
    std::vector<Foreseen> news = {};  // in the order in which they are told; a loss is the last
  };

  Mishaps() = default;
  explicit Mishaps(Plan plan);

  Fate fate_of(const Launch& launch) const;

  // The last time of a strike or an outage; -1: there is none. What befalls instances at random goes on for ever.
  Time last_planned() const;

 private:
  const Group* group(GroupId id) const;
  void interrupt(const Launch& launch, Time notice, std::vector<Foreseen>& news) const;
  void strike(const Launch& launch, const Strike& strike, std::vector<Foreseen>& news) const;

  Plan plan_;  // strikes by node, then time
};

// The mean time to an interruption under a band of the Spot Advisor ("<5%", "5-10%", "10-15%", "15-20%", ">20%": the
// share of instances interrupted in a month), in seconds. The band's upper edge b counts, as a hazard -ln(1 - b) / 720
// h that does not change; the last band, which has none, is taken to end at 30 %. 0 for other texts.
double mean_to_interruption(std::string_view band);

}  // namespace headroom
