// How a scaler asks the cloud for instances, and what it does when the cloud says no. Hides requests, their sizes and
// repetitions; promises that every node it was given either gets an instance, or is given back to the scheduler with the
// jobs that waited for it.
//
// AWS says of PCS (scaling at the level of jobs): a job starts only with its full allocation; what it needs is launched all
// at once, or incrementally where a job is larger than a request can be; if capacity is short, what was launched may be
// released, and the job stays pending and is looked at again. It publishes no size of a request, no interval and no
// time-out: the defaults are those of AWS ParallelCluster, where it has one.
#pragma once

#include "engine/policy.hpp"

namespace headroom {

class Launcher {
 public:
  struct Options {
    bool incremental = false;           // of every job what can be got is kept, and the rest is asked for again
    std::int32_t request_size = 500;    // instances of one request at most
    Time retry_interval = kMinute;      // until what was refused is asked for again
    Time capacity_timeout = 600 * kSecond;  // a group without capacity takes no jobs for so long
    Time boot_timeout = kNever;         // a node that is not ready by then gets another instance
    Time first_backoff = kSecond;       // after a throttled request, doubled each time
    Time most_backoff = 300 * kSecond;
  };
  explicit Launcher(const Options& options) : options_(options) {}

  // Asks for instances for these nodes, each powered down, or powering up without one.
  void launch(const View& view, std::vector<NodeId> nodes, ScalePlan& plan);
  // Deals with refusals, with instances that are lost or unhealthy, and with budgets.
  void hear(const View& view, std::span<const Stimulus> news, ScalePlan& plan);
  // Repeats what is due. Returns when it wants to be called at the latest.
  Time retry(const View& view, ScalePlan& plan);
  // False while a budget is used up.
  bool may_launch() const { return !stopped_; }

 private:
  struct Retry {
    Time at;
    NodeId node;
  };
  struct Boot {
    Time until;
    NodeId node;
    std::uint32_t launch;  // the node's how-manieth
  };
  void meet(const View& view);
  void request(const View& view, std::span<const NodeId> nodes, LaunchReason why, bool all_or_nothing, ScalePlan& plan);
  void try_again(NodeId node, Time now);
  bool holds_on(const View& view, NodeId node) const;
  void refuse(const View& view, std::vector<NodeId> nodes, ScalePlan& plan);
  void release_partners(const View& view, const std::vector<NodeId>& failed, ScalePlan& plan);
  void fail(const View& view, std::vector<NodeId> nodes, EndReason why, Time until, Withdrawal::Why told,
            ScalePlan& plan);
  void stop(const View& view, bool stops, ScalePlan& plan);

  Options options_;
  std::vector<Retry> retries_;
  std::vector<Boot> boots_;                // by time
  std::vector<std::uint32_t> launches_;    // by node
  std::vector<std::uint32_t> attempts_;    // by node: requests in a row that were throttled, or starts that failed
  bool stopped_ = false;
  std::vector<NodeId> stopped_nodes_;      // held back for that
};

}  // namespace headroom
