// EASY with other orders and with guessed run times against a program written straight from the descriptions, which
// knows what a policy may not know: when jobs really end. It shares nothing with the engine but the input.
#include "models/policies/ordered_backfill.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "models/report/run_record.hpp"
#include "models/simulated_world.hpp"
#include "models/workload/swf.hpp"
#include "tests/unit/draw.hpp"
#include "tests/unit/temp_folder.hpp"

namespace headroom {
namespace {

using Options = OrderedBackfill::Options;

struct PlainJob {
  std::int64_t submit, run, limit;  // seconds; limit > 0
  std::int32_t width;
  std::uint32_t user;
};

struct Instance {
  std::int32_t processors = 0;
  std::vector<PlainJob> jobs;  // by submit
};

std::string text_of(const Instance& instance) {
  std::string text = std::to_string(instance.processors) + " processors; (submit, width, run, limit, user):";
  for (const PlainJob& j : instance.jobs) {
    text += " (" + std::to_string(j.submit) + ", " + std::to_string(j.width) + ", " + std::to_string(j.run) + ", " +
            std::to_string(j.limit) + ", " + std::to_string(j.user) + ")";
  }
  return text;
}

// One machine, one queue. At one instant: guesses that prove too short, submissions, ends in the order of the starts;
// per event, the scheduler runs after each submission and each end.
class NaiveMachine {
 public:
  NaiveMachine(const Instance& instance, const Options& options, bool per_event)
      : jobs_(instance.jobs),
        processors_(instance.processors),
        options_(options),
        per_event_(per_event),
        start_(jobs_.size(), -1),
        first_guess_(jobs_.size()),
        guess_(jobs_.size()) {}

  std::vector<std::int64_t> start_times() {
    while (next_ < jobs_.size() || !running_.empty()) {
      std::int64_t now = next_ < jobs_.size() ? jobs_[next_].submit : INT64_MAX;
      for (const std::size_t j : running_) now = std::min(now, end_of(j));
      now_ = now;
      for (const std::size_t j : running_) {
        while (start_[j] + guess_[j] <= now_ && start_[j] + guess_[j] < end_of(j)) lengthen(j);
      }
      if (per_event_) {
        one_event();
      } else {
        while (next_ < jobs_.size() && jobs_[next_].submit == now_) waiting_.push_back(next_++);
        const std::vector<std::size_t> were_running = running_;
        for (const std::size_t j : were_running) {
          if (end_of(j) == now_) end(j);
        }
        for (const std::size_t j : waiting_) predict_once(j);
        pass();
      }
    }
    return start_;
  }

 private:
  std::int64_t end_of(std::size_t j) const { return start_[j] + std::min(jobs_[j].run, jobs_[j].limit); }

  void one_event() {
    if (next_ < jobs_.size() && jobs_[next_].submit == now_) {
      predict_once(next_);
      waiting_.push_back(next_++);
      return pass();
    }
    for (const std::size_t j : running_) {
      if (end_of(j) != now_) continue;
      end(j);
      return pass();
    }
  }

  void end(std::size_t j) {
    running_.erase(std::find(running_.begin(), running_.end(), j));
    history_[jobs_[j].user].push_back(std::min(jobs_[j].run, jobs_[j].limit));
  }

  void predict_once(std::size_t j) {
    if (guess_[j] > 0) return;
    guess_[j] = jobs_[j].limit;
    const std::vector<std::int64_t>& runs = history_[jobs_[j].user];
    if (options_.guesses && runs.size() >= 2) {
      const std::int64_t mean = (runs[runs.size() - 1] + runs[runs.size() - 2]) / 2;
      guess_[j] = std::min(std::max<std::int64_t>(mean, 1), jobs_[j].limit);
    }
    first_guess_[j] = guess_[j];
  }
  void lengthen(std::size_t j) {
    for (const std::int64_t minutes : {1, 5, 15, 30, 60, 120, 300, 600, 1200, 3000, 6000}) {
      const std::int64_t longer = std::min(first_guess_[j] + 60 * minutes, jobs_[j].limit);
      if (longer <= guess_[j]) continue;
      guess_[j] = longer;
      return;
    }
    guess_[j] = jobs_[j].limit;
  }

  // By guesses: a job whose guess is over holds nothing, even if its end is not yet known.
  std::int32_t free_at(std::int64_t t) const {
    std::int32_t free = processors_;
    for (const std::size_t j : running_) {
      if (t < start_[j] + guess_[j]) free -= jobs_[j].width;
    }
    return free;
  }

  void start(std::size_t j) {
    start_[j] = now_;
    running_.push_back(j);
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), j));
  }

  // The formulas, as they are printed.
  long double value(std::size_t j) const {
    const PlainJob& job = jobs_[j];
    const auto n = static_cast<long double>(job.width);
    const auto r = static_cast<long double>(job.limit);
    const auto w = static_cast<long double>(now_ - job.submit);
    const auto s = static_cast<long double>(job.submit - jobs_.front().submit);
    switch (options_.order) {
      case QueueOrder::fcfs:
        return 0;
      case QueueOrder::sjf:
        return r;
      case QueueOrder::wfp3:
        return -(w / r) * (w / r) * (w / r) * n;
      case QueueOrder::unicef:
        return job.width == 1 ? -1e30L : -(w + 1e-20L) / (std::log2(n) * r);
      case QueueOrder::f1:
        return std::log10(r) * n + 870 * std::log10(std::max(s, 1.0L));
    }
    return 0;
  }
  // Values that differ by rounding only are equal.
  bool goes_before(std::size_t a, std::size_t b) const {
    const long double x = value(a);
    const long double y = value(b);
    if (std::abs(x - y) > 1e-12L * std::max(std::abs(x), std::abs(y))) return x < y;
    return a < b;
  }

  void pass() {
    const auto before = [this](std::size_t a, std::size_t b) { return goes_before(a, b); };
    while (!waiting_.empty()) {
      const std::size_t head = *std::min_element(waiting_.begin(), waiting_.end(), before);
      if (jobs_[head].width > free_at(now_)) break;
      start(head);
    }
    if (waiting_.empty() || !options_.backfills) return;
    const std::size_t head = *std::min_element(waiting_.begin(), waiting_.end(), before);
    // The first time by which enough running jobs will have ended.
    std::vector<std::int64_t> times;
    for (const std::size_t j : running_) times.push_back(start_[j] + guess_[j]);
    std::sort(times.begin(), times.end());
    const std::int64_t shadow = *std::find_if(
        times.begin(), times.end(), [&](std::int64_t t) { return t > now_ && free_at(t) >= jobs_[head].width; });
    std::int32_t extra = free_at(shadow) - jobs_[head].width;
    std::vector<std::size_t> others = waiting_;
    std::sort(others.begin(), others.end(), [&](std::size_t a, std::size_t b) {
      if (!options_.shortest_first) return goes_before(a, b);
      return guess_[a] != guess_[b] ? guess_[a] < guess_[b] : a < b;
    });
    for (const std::size_t j : others) {
      if (j == head || jobs_[j].width > free_at(now_)) continue;
      if (now_ + guess_[j] > shadow) {
        if (jobs_[j].width > extra) continue;
        extra -= jobs_[j].width;
      }
      start(j);
    }
  }

  const std::vector<PlainJob>& jobs_;
  std::int32_t processors_;
  Options options_;
  bool per_event_;
  std::int64_t now_ = 0;
  std::size_t next_ = 0;              // to be submitted
  std::vector<std::size_t> waiting_;  // in order of submission
  std::vector<std::size_t> running_;  // in order of start
  std::vector<std::int64_t> start_;
  std::vector<std::int64_t> first_guess_;
  std::vector<std::int64_t> guess_;
  std::map<std::uint32_t, std::vector<std::int64_t>> history_;  // by user
};

Workload workload_of(const Instance& instance) {
  Workload workload;
  for (const PlainJob& j : instance.jobs) {
    WorkloadJob job;
    job.request.submit = j.submit * kSecond;
    job.request.limit = j.limit * kSecond;
    job.request.cores = j.width;
    job.request.user = j.user;
    job.run_time = j.run * kSecond;
    workload.jobs.push_back(job);
  }
  return workload;
}

std::vector<std::int64_t> engine_start_times(const Instance& instance, const Options& options, bool per_event) {
  ClusterSpec spec;
  spec.groups.push_back({1, instance.processors, Supply::permanent, 1});
  spec.queues.push_back({{GroupId{0}}});
  const Workload workload = workload_of(instance);
  Controller controller(spec, std::make_unique<OrderedBackfill>(options), nullptr);
  SimulatedWorld world(workload, SimulatedCloud({}, 1), per_event ? SameInstant::per_event : SameInstant::batched, 0);
  RunRecord record(1);
  run(world, controller, record);
  std::vector<std::int64_t> starts;
  for (const JobRecord& job : record.jobs()) starts.push_back(job.start == kNever ? -1 : job.start / kSecond);
  return starts;
}

struct Case {
  const char* name;
  Options options;
};

constexpr Case kCases[] = {
    {"EasySjbf", {.shortest_first = true}},
    {"EasyPlusPlus", {.shortest_first = true, .guesses = true}},
    {"EasyGuesses", {.guesses = true}},
    {"Easy", {}},
    {"FcfsSjf", {.order = QueueOrder::sjf, .backfills = false}},
    {"FcfsWfp3", {.order = QueueOrder::wfp3, .backfills = false}},
    {"FcfsUnicef", {.order = QueueOrder::unicef, .backfills = false}},
    {"FcfsF1", {.order = QueueOrder::f1, .backfills = false}},
    {"EasySjf", {.order = QueueOrder::sjf}},
    {"EasyWfp3", {.order = QueueOrder::wfp3}},
    {"EasyUnicef", {.order = QueueOrder::unicef}},
    {"EasyF1", {.order = QueueOrder::f1}},
    {"EasySjbfF1", {.order = QueueOrder::f1, .shortest_first = true}},
    {"EasySjbfWfp3", {.order = QueueOrder::wfp3, .shortest_first = true}},
};

class Ordered : public testing::TestWithParam<std::tuple<Case, bool>> {
 protected:
  bool agree(const Instance& instance) const {
    const auto [tested, per_event] = GetParam();
    const std::vector<std::int64_t> expected = NaiveMachine(instance, tested.options, per_event).start_times();
    const std::vector<std::int64_t> found = engine_start_times(instance, tested.options, per_event);
    EXPECT_EQ(found, expected) << text_of(instance);
    return found == expected;
  }
};

// Times of a few seconds, so that most instants see several events; requested times of minutes, so that guesses are
// corrected several times.
Instance draw_instance(std::uint64_t seed, std::int64_t most_jobs) {
  Draw draw(seed);
  Instance instance;
  instance.processors = draw.small(1, 7);  // of whose logarithms none is a sum of others
  const std::int64_t count = draw.between(1, most_jobs);
  // Requested times are primes: powers of each other would make values of F1 equal but for rounding.
  const std::vector<std::int64_t> limits =
      draw.one_in(2) ? std::vector<std::int64_t>{2, 3, 5, 7, 11} : std::vector<std::int64_t>{3, 67, 401, 907, 2003};
  const std::int64_t gap = draw.between(0, draw.one_in(2) ? 4 : limits.back() / 4);
  const bool repeats = draw.one_in(2);
  std::int64_t submit = draw.between(0, 2);
  for (std::int64_t i = 0; i < count; ++i) {
    PlainJob job{};
    submit += draw.one_in(2) ? 0 : draw.between(0, gap);
    job.submit = submit;
    job.width = draw.small(1, draw.one_in(2) ? instance.processors : (instance.processors + 1) / 2);
    job.limit = limits[draw.below(limits.size())];
    const std::int64_t longest = draw.one_in(2) ? job.limit + 1 : std::min<std::int64_t>(job.limit, 3);
    job.run = draw.one_in(4) ? job.limit : draw.between(0, longest);                // more than the limit: killed
    if (repeats && draw.one_in(2)) job.run = std::min<std::int64_t>(2, job.limit);  // guesses that are right
    job.user = static_cast<std::uint32_t>(draw.below(2));
    instance.jobs.push_back(job);
  }
  return instance;
}

TEST_P(Ordered, StartsEveryJobOfARandomInstanceAtTheSameTime) {
  int failures = 0;
  for (std::uint64_t seed = 1; seed <= 4000 && failures < 3; ++seed) {
    // The smallest come first: what fails is then easy to follow by hand.
    if (!agree(draw_instance(seed, 3 + static_cast<std::int64_t>(seed) * 37 / 4000))) ++failures;
  }
}

TEST_P(Ordered, StartsEveryJobOfARealLogAtTheSameTime) {
  struct Log {
    const char* file;
    std::int32_t processors;  // few, so that jobs wait
  };
  for (const Log& log : {Log{"HPC2N-2002-2.2-cln.swf.zst", 64}, Log{"NASA-iPSC-1993-3.1-cln.swf.zst", 32}}) {
    const std::string path = real_trace(log.file);
    if (path.empty()) GTEST_SKIP() << log.file << " is in no folder of HEADROOM_TRACES";
    TraceFilter filter;
    filter.max_processors = log.processors;
    Instance instance{log.processors, {}};
    for (const WorkloadJob& job : read_swf(path, {}, {}, filter, {}, 2000).jobs) {
      const JobRequest& r = job.request;
      instance.jobs.push_back({r.submit / kSecond, job.run_time / kSecond, r.limit / kSecond, r.cores, r.user});
    }
    ASSERT_EQ(instance.jobs.size(), 2000u);
    const auto [tested, per_event] = GetParam();
    EXPECT_EQ(engine_start_times(instance, tested.options, per_event),
              NaiveMachine(instance, tested.options, per_event).start_times())
        << log.file;
  }
}

INSTANTIATE_TEST_SUITE_P(Rigid, Ordered, testing::Combine(testing::ValuesIn(kCases), testing::Bool()),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) +
                                  (std::get<1>(test.param) ? "PerEvent" : "Batched");
                         });

// --- by hand --------------------------------------------------------------------------------------------------------

// Four processors. Job 0 holds three of them to 10, job 1 needs all four: it waits for 10. Beside job 0 there is one
// processor, for jobs that are over by then: EASY tries job 2 (8 s) first, SJBF job 4 (2 s), then job 3 (3 s), and job
// 2 has to wait, as at 6 it would delay job 1.
TEST(OrderedBackfill, TriesTheShortestFirst) {
  const Instance instance{4, {{0, 10, 10, 3, 0}, {1, 5, 5, 4, 0}, {1, 8, 8, 1, 0}, {1, 3, 3, 1, 0}, {1, 2, 2, 1, 0}}};
  EXPECT_EQ(engine_start_times(instance, {}, false), (std::vector<std::int64_t>{0, 10, 1, 15, 15}));
  EXPECT_EQ(engine_start_times(instance, {.shortest_first = true}, false),
            (std::vector<std::int64_t>{0, 10, 15, 3, 1}));
}

// Two processors. The user's first jobs run for 4 and 7 of 3600 s, so job 2 is taken to run for (4 + 7) / 2 = 5 s, from
// 10 to 15, and so are jobs 3 and 4. Job 3 needs both processors: at 15, it is thought. So job 4, of 5 s too, passes it
// at 10. Job 2 outlives its guess and gets a minute more, to 75. At 16 job 5 comes: it is taken to run for (7 + 1) / 2
// = 4 s, as job 4 ended after 1 s, and passes job 3 at once.
TEST(OrderedBackfill, GuessesAndCorrectsRunTimes) {
  const Instance instance{2,
                          {{0, 4, 3600, 1, 0},
                           {0, 7, 3600, 1, 0},
                           {10, 30, 3600, 1, 0},
                           {10, 10, 3600, 2, 0},
                           {10, 1, 3600, 1, 0},
                           {16, 20, 3600, 1, 0},
                           {17, 1, 3600, 1, 1}}};
  EXPECT_EQ(engine_start_times(instance, {.shortest_first = true, .guesses = true}, true),
            (std::vector<std::int64_t>{0, 0, 10, 40, 10, 16, 50}));
  // As requested, job 2 would hold its processor to 3610: job 4 ends by then, job 5 does not.
  EXPECT_EQ(engine_start_times(instance, {.shortest_first = true}, true),
            (std::vector<std::int64_t>{0, 0, 10, 40, 10, 50, 50}));
}

}  // namespace
}  // namespace headroom
