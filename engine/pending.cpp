#include "engine/pending.hpp"

#include <algorithm>

namespace headroom {

void PendingQueue::push(JobId job, std::int32_t cores, Time limit) {
  ensure(ids_.empty() || ids_.back() < number(job), "jobs join a queue in order of arrival");
  ids_.push_back(number(job));
  cores_.push_back(cores);
  limits_.push_back(limit);
  ++live_;
  const std::size_t block = (ids_.size() - 1) / kBlock;
  if (block == blocks_.size()) {
    blocks_.push_back({cores, limit});
  } else {
    blocks_[block].min_cores = std::min(blocks_[block].min_cores, cores);
    blocks_[block].min_limit = std::min(blocks_[block].min_limit, limit);
  }
}

void PendingQueue::put_back(JobId job, std::int32_t cores, Time limit) {
  rebuild();
  const auto at = std::lower_bound(ids_.begin(), ids_.end(), number(job)) - ids_.begin();
  ensure(at == std::ssize(ids_) || ids_[static_cast<std::size_t>(at)] != number(job), "a job waits once");
  ids_.insert(ids_.begin() + at, number(job));
  cores_.insert(cores_.begin() + at, cores);
  limits_.insert(limits_.begin() + at, limit);
  ++live_;
  rebuild();
}

PendingQueue::Position PendingQueue::position_of(JobId job) const {
  return static_cast<Position>(std::lower_bound(ids_.begin() + head_, ids_.end(), number(job)) - ids_.begin());
}

void PendingQueue::remove(JobId job) {
  const Position p = position_of(job);
  ensure(p < ids_.size() && ids_[p] == number(job) && cores_[p] != kGone, "a job leaves the queue it waits in, once");
  const Summary& block = blocks_[p / kBlock];
  const bool is_least = cores_[p] == block.min_cores || limits_[p] == block.min_limit;
  cores_[p] = kGone;
  limits_[p] = kNever;
  --live_;
  if (is_least) summarize(p / kBlock);
  while (head_ < ids_.size() && cores_[head_] == kGone) ++head_;
}

void PendingQueue::summarize(std::size_t block) {
  const std::size_t end = std::min(ids_.size(), (block + 1) * kBlock);
  std::int32_t cores = kGone;
  Time limit = kNever;
  for (std::size_t i = block * kBlock; i < end; ++i) {
    cores = std::min(cores, cores_[i]);
    limit = std::min(limit, limits_[i]);
  }
  blocks_[block] = {cores, limit};
}

PendingQueue::Position PendingQueue::next(Position from) const {
  for (std::size_t i = std::max(from, head_); i < ids_.size(); ++i) {
    if (cores_[i] != kGone) return static_cast<Position>(i);
  }
  return kEnd;
}

PendingQueue::Position PendingQueue::find(Position from, const Room& room, Position until) const {
  const std::size_t end = std::min<std::size_t>(until, ids_.size());
  const auto fits = [&room](std::int32_t cores, Time limit) {
    return cores <= room.short_cores && (limit <= room.short_limit || cores <= room.long_cores);
  };
  std::size_t i = std::max(from, head_);
  while (i < end) {
    const std::size_t block = i / kBlock;
    const std::size_t block_end = std::min(end, (block + 1) * kBlock);
    if (fits(blocks_[block].min_cores, blocks_[block].min_limit)) {
      for (; i < block_end; ++i) {
        if (fits(cores_[i], limits_[i])) return static_cast<Position>(i);
      }
    }
    i = block_end;
  }
  return kEnd;
}

bool PendingQueue::settle() {
  if (ids_.size() < 2 * kBlock || ids_.size() < 2 * live_) return false;
  rebuild();
  return true;
}

void PendingQueue::rebuild() {
  std::size_t kept = 0;
  for (std::size_t i = head_; i < ids_.size(); ++i) {
    if (cores_[i] == kGone) continue;
    ids_[kept] = ids_[i];
    cores_[kept] = cores_[i];
    limits_[kept] = limits_[i];
    ++kept;
  }
  ids_.resize(kept);
  cores_.resize(kept);
  limits_.resize(kept);
  head_ = 0;
  blocks_.resize((kept + kBlock - 1) / kBlock);
  for (std::size_t b = 0; b < blocks_.size(); ++b) summarize(b);
}

}  // namespace headroom
