// Future events of a simulation in one total order: (time, band, sequence). The band is the stimulus' kind, so at one
// instant ends of jobs come before news of instances; within a band, what was scheduled first comes first.
#pragma once

#include <vector>

#include "engine/news.hpp"

namespace headroom {

// What befalls an instance without anybody having asked for it.
inline bool is_mishap(const Stimulus& s) {
  return s.kind == Stimulus::Kind::instance_lost || s.kind == Stimulus::Kind::instance_impaired ||
         s.kind == Stimulus::Kind::spot_warned;
}

// A heap with four children a node: half the depth of a binary one, and the children of a node share two cache lines.
class EventQueue {
 public:
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  // Whether nothing but mishaps of instances is to come, if anything.
  bool only_mishaps() const { return mishaps_ == heap_.size(); }
  Time next_time() const { return heap_.empty() ? kNever : heap_.front().time; }
  const Stimulus& next() const { return heap_.front().stimulus; }

  void push(Time time, const Stimulus& stimulus) {
    // Eight bits of band and 56 of sequence: enough for a billion events a second for two years.
    const Event event{time, (static_cast<std::uint64_t>(stimulus.kind) << 56) | sequence_++, stimulus};
    if (is_mishap(stimulus)) ++mishaps_;
    std::size_t i = heap_.size();
    heap_.push_back(event);
    while (i > 0) {
      const std::size_t parent = (i - 1) / 4;
      if (!before(event, heap_[parent])) break;
      heap_[i] = heap_[parent];
      i = parent;
    }
    heap_[i] = event;
  }

  void pop() {
    if (is_mishap(heap_.front().stimulus)) --mishaps_;
    const Event last = heap_.back();
    heap_.pop_back();
    const std::size_t size = heap_.size();
    if (size == 0) return;
    std::size_t i = 0;
    for (;;) {
      std::size_t child = 4 * i + 1;
      if (child >= size) break;
      const std::size_t end = child + 4 < size ? child + 4 : size;
      for (std::size_t c = child + 1; c < end; ++c) {
        if (before(heap_[c], heap_[child])) child = c;
      }
      if (!before(heap_[child], last)) break;
      heap_[i] = heap_[child];
      i = child;
    }
    heap_[i] = last;
  }

 private:
  struct Event {
    Time time;
    std::uint64_t order;
    Stimulus stimulus;
  };
  static bool before(const Event& a, const Event& b) { return a.time != b.time ? a.time < b.time : a.order < b.order; }

  std::vector<Event> heap_;
  std::size_t mishaps_ = 0;
  std::uint64_t sequence_ = 0;
};

}  // namespace headroom
