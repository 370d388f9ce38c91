// The pending jobs of one queue, in order of submission. Answers "the first job in order that may fit" by blocks,
// without walking the queue: a deep queue behind a blocked head costs a pass next to nothing.
#pragma once

#include <vector>

#include "engine/types.hpp"

namespace headroom {

// What may start now: `short_cores` for jobs of at most `short_limit`, `long_cores` for any.
struct Room {
  std::int32_t short_cores = 0;
  Time short_limit = 0;
  std::int32_t long_cores = 0;
};

class PendingQueue {
 public:
  // A place in the queue. Stays valid until settle(), also while jobs are taken out.
  using Position = std::uint32_t;
  static constexpr Position kEnd = std::numeric_limits<Position>::max();

  // Appends a job that takes at least `cores` cores for at most `limit`. Jobs come in ascending order.
  void push(JobId job, std::int32_t cores, Time limit);
  // A job that was here before waits again, in its old place. Positions change.
  void put_back(JobId job, std::int32_t cores, Time limit);
  void remove(JobId job);

  bool empty() const { return live_ == 0; }
  std::size_t size() const { return live_; }
  Position front() const { return next(0); }
  Position end_position() const { return static_cast<Position>(ids_.size()); }

  // The first job at or after `from`; kEnd if none.
  Position next(Position from) const;
  // The first job at or after `from` and before `until` that fits in `room`; kEnd if none.
  Position find(Position from, const Room& room, Position until = kEnd) const;

  JobId job_at(Position p) const { return JobId{ids_[p]}; }
  std::int32_t cores_at(Position p) const { return cores_[p]; }
  // Where `job` stands or would stand, whether it still waits or not.
  Position position_of(JobId job) const;

  // Drops the holes that removed jobs left. Returns true when positions changed.
  bool settle();

 private:
  static constexpr std::size_t kBlock = 64;
  static constexpr std::int32_t kGone = std::numeric_limits<std::int32_t>::max();
  void summarize(std::size_t block);
  void rebuild();

  std::vector<std::uint32_t> ids_;   // ascending
  std::vector<std::int32_t> cores_;  // kGone: taken out
  std::vector<Time> limits_;
  struct Summary {
    std::int32_t min_cores;  // over the block's remaining jobs
    Time min_limit;
  };
  std::vector<Summary> blocks_;
  std::size_t live_ = 0;
  Position head_ = 0;  // no job before it
};

}  // namespace headroom
