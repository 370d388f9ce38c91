// Amazon EC2 as its callers see it: a request for instances is granted, in part or as a whole, or refused with an error
// code. Hides pools, quotas and buckets. Pure: the same calls give the same answers. Times never go back.
#pragma once

#include <span>
#include <vector>

#include "engine/news.hpp"

namespace headroom {

class Ec2 {
 public:
  struct Grant {
    std::uint32_t offer = 0;        // position in the offers of its group
    std::uint32_t reservation = 0;  // 1 + position of the capacity reservation that it uses; 0: none
  };
  // The first nodes of the request, so many as there are grants, get an instance; the others get `refusal`.
  struct Answer {
    std::vector<Grant> grants;
    Refusal refusal = Refusal::insufficient_instance_capacity;
  };

  // One request of a group for as many instances as there are nodes. `all_or_nothing`: none rather than some.
  Answer launch(GroupId, std::span<const NodeShare> nodes, bool /*all_or_nothing*/, Time /*now*/) {
    return {std::vector<Grant>(nodes.size()), {}};
  }
  // One request; the time at which the instances are terminated.
  Time terminate(std::span<const NodeShare>, Time now) { return now; }
};

}  // namespace headroom
