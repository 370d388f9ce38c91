// What EC2 has of one instance type in one zone, on demand and as Spot apart. Hides how a limit moves over time: by
// steps (a schedule, a recorded series) or at random. AWS publishes no capacities, so every limit is an input.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/cloud/steps.hpp"
#include "models/random.hpp"

namespace headroom {

// Instances of one pool; nothing: no limit.
using CapacityLimit = std::optional<std::int64_t>;

// A limit that reverts to its mean: an autoregressive process of first order in thousandths of an instance, drawn every
// `step`, whose draws forget each other over `correlation`.
struct RandomCapacity {
  double mean = 0;
  double sd = 0;
  Time correlation = 0;
  Time step = 0;
};

// A limit of each pool that it names.
struct CapacityRule {
  std::string instance_type = "*";  // "c6i.large", "c6i.*" or "*"
  std::string zone = {};            // empty: any
  bool on_demand = true;
  bool spot = true;
  Steps<CapacityLimit> limit = {};
  std::optional<RandomCapacity> random = {};  // in place of `limit`
};

// Whether `pattern` ("c6i.*", "*") means the type.
bool matches_type(std::string_view pattern, std::string_view type);

class CapacityPool {
 public:
  // `rules`: all there are; of those that name this pool, the lowest limit holds. They outlive the pool.
  CapacityPool(const std::string& type, const std::string& zone, bool spot, const std::vector<CapacityRule>& rules,
               std::uint64_t seed);

  bool is(const std::string& type, const std::string& zone, bool spot) const {
    return type == type_ && zone == zone_ && spot == spot_;
  }
  bool limited() const { return !limits_.empty(); }
  // What may still be launched at `now`, counted from the run's start; nothing: no limit. A limit below what is in use
  // takes nothing away. Times never go back.
  CapacityLimit spare(Time now);

  void take() { ++in_use_; }
  void give_back() { --in_use_; }
  std::int64_t in_use() const { return in_use_; }

 private:
  // The random limit of one rule.
  struct Walk {
    RandomCapacity law;
    Substream stream;
    std::int64_t keeps = 0;      // of the distance to the mean, in billionths, from one draw to the next
    std::int64_t deviation = 0;  // thousandths: standard deviation of what is drawn in each step
    std::int64_t value = 0;      // thousandths
    std::int64_t steps = 0;      // drawn so far
    std::int64_t at(Time now);
  };
  struct Limit {
    const CapacityRule* rule;
    std::optional<Walk> walk;
  };

  std::string type_;
  std::string zone_;
  bool spot_;
  std::vector<Limit> limits_;
  std::int64_t in_use_ = 0;
};

}  // namespace headroom
