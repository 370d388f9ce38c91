// The hold model (Jones, "An empirical comparison of priority-queue and event-set implementations", CACM 29(4), 1986):
// a queue of constant size, from which the next event is taken and put back later.
#include <benchmark/benchmark.h>

#include "models/clock/event_queue.hpp"
#include "models/random.hpp"

namespace headroom {
namespace {

Time increment(Substream& draw) { return static_cast<Time>(draw.below(2'000'000)); }

void fill(EventQueue& queue, std::int64_t size, Substream& draw) {
  for (std::int64_t i = 0; i < size; ++i) {
    queue.push(increment(draw), {Stimulus::Kind::job_finished, static_cast<std::uint32_t>(i), 0});
  }
}

// Events come out in order of time, those of one time in order of creation, and none is lost.
void prove(std::int64_t size) {
  Substream draw(1, Purpose::workload, 0);
  EventQueue queue;
  for (std::int64_t i = 0; i < size; ++i) {
    // Few different times: many ties.
    queue.push(static_cast<Time>(draw.below(1 + static_cast<std::uint64_t>(size) / 8)),
               {Stimulus::Kind::job_finished, static_cast<std::uint32_t>(i), 0});
  }
  Time last_time = -1;
  std::uint32_t last = 0;
  std::int64_t count = 0;
  for (; !queue.empty(); queue.pop(), ++count) {
    ensure(queue.next_time() > last_time || (queue.next_time() == last_time && queue.next().subject > last),
           "events come out in their total order");
    last_time = queue.next_time();
    last = queue.next().subject;
  }
  ensure(count == size, "no event is lost");
}

void event_queue_hold(benchmark::State& state) {
  prove(state.range(0));
  Substream draw(2, Purpose::workload, 0);
  EventQueue queue;
  fill(queue, state.range(0), draw);
  for (auto _ : state) {
    const Time now = queue.next_time();
    const Stimulus stimulus = queue.next();
    queue.pop();
    queue.push(now + increment(draw), stimulus);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(event_queue_hold)->Arg(1'000)->Arg(100'000)->Arg(1'000'000);

}  // namespace
}  // namespace headroom
