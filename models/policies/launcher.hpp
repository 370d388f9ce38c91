// How a scaler asks the cloud for instances, and what it does when the cloud says no. Hides requests, their sizes and
// repetitions; promises that every node it was given either gets an instance, or is given back to the scheduler with
// the jobs that waited for it.
//
// AWS says of PCS (scaling at the level of jobs): a job starts only with its full allocation; what it needs is launched
// all at once, or incrementally where a job is larger than a request can be; if capacity is short, what was launched
// may be released, and the job stays pending and is looked at again. It publishes no size of a request, no interval and
// no time-out: the defaults are those of AWS ParallelCluster, where it has one.
#pragma once

#include <deque>

#include "engine/scaling.hpp"

namespace headroom {

class Launcher {
 public:
  struct Options {
    bool incremental = false;               // of every job what can be got is kept, and the rest is asked for again
    std::int32_t request_size = 500;        // instances of one request at most
    Time retry_interval = kMinute;          // until what was refused is asked for again
    Time capacity_timeout = 600 * kSecond;  // a group without capacity takes no jobs for so long
    Time boot_timeout = kNever;             // a node that is not ready by then gets another instance
    Time first_backoff = kSecond;           // after a throttled request, doubled each time
    Time most_backoff = 300 * kSecond;
  };
  explicit Launcher(const Options& options) : options_(options) {}

  // Asks for instances for these nodes, each powered down, or powering up without one.
  void launch(const View& view, std::vector<NodeId> nodes, ScalePlan& plan);
  // Deals with refusals, with instances that are lost or unhealthy, and with budgets.
  void hear(const View& view, std::span<const Stimulus> news, ScalePlan& plan);
  // Repeats what is due, and gives up what boots for too long.
  void retry(const View& view, ScalePlan& plan);
  // When retry() has something to do next.
  Time next_retry() const;
  // While requests are throttled, nothing more need be asked for until then; kNever: they are not.
  Time pauses_until() const;

 private:
  // Both are void when the node was launched again, or got what it waited for.
  struct Retry {
    Time at;
    NodeId node;
    std::uint32_t launch;  // the node's how-manieth
  };
  struct Boot {
    Time until;
    NodeId node;
    std::uint32_t launch;
  };
  void meet(const View& view);
  void request(const View& view, std::span<const NodeId> nodes, LaunchReason why, bool all_or_nothing, ScalePlan& plan);
  void retry_at(Time at, NodeId node);
  void throttle(NodeId node, Time now);
  Time next_backoff() const;
  void back_off(NodeId node, Time now);
  bool holds_on(const View& view, NodeId node) const;
  void refuse(const View& view, std::vector<NodeId> nodes, ScalePlan& plan);
  void release_partners(const View& view, const std::vector<NodeId>& failed, ScalePlan& plan);
  void fail(const View& view, std::vector<NodeId> nodes, EndReason why, Time until, Withdrawal::Why told,
            ScalePlan& plan);
  void stop(const View& view, bool stops, ScalePlan& plan);

  Options options_;
  std::vector<Retry> retries_;
  std::deque<Boot> boots_;               // by time
  std::vector<std::uint32_t> launches_;  // by node
  std::vector<std::uint32_t> attempts_;  // by node: starts in a row that failed
  std::vector<Retry> throttled_;
  Time throttled_at_ = 0;  // the last of them
  Time backoff_ = 0;       // before the last wave of requests; 0: it was not throttled
  Time asked_at_ = kNever;
  std::size_t asked_ = 0;  // nodes that were asked for in it, and since
  bool stopped_ = false;
  std::vector<NodeId> stopped_nodes_;  // held back for that
};

}  // namespace headroom
