// FCFS, EASY and conservative backfilling, on a rigid machine and on whole nodes, against programs written
// straight from the papers, with one loop over seconds where the engine has a profile. They share nothing with
// the engine but the input.
#include "models/policies/backfill.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "models/report/run_record.hpp"
#include "models/simulated_world.hpp"
#include "tests/unit/draw.hpp"

namespace headroom {
namespace {

enum class Discipline : std::uint8_t { fcfs, easy, conservative, uncompressed };

struct PlainJob {
  std::int64_t submit, run, limit;  // seconds; limit > 0
  std::int32_t width;
};

struct Instance {
  std::int32_t processors = 0;
  std::vector<PlainJob> jobs;  // by submit
};

std::string text_of(const Instance& instance) {
  std::string text = std::to_string(instance.processors) + " processors; (submit, width, run, limit):";
  for (const PlainJob& j : instance.jobs) {
    text += " (" + std::to_string(j.submit) + ", " + std::to_string(j.width) + ", " + std::to_string(j.run) + ", " +
            std::to_string(j.limit) + ")";
  }
  return text;
}

// One machine, one queue, one event after the other. A job ends at its requested time at the latest.
class NaiveMachine {
 public:
  NaiveMachine(const Instance& instance, Discipline discipline, bool per_event)
      : jobs_(instance.jobs),
        processors_(instance.processors),
        discipline_(discipline),
        per_event_(per_event),
        start_(jobs_.size(), kNot),
        ended_(jobs_.size(), false),
        reserved_(jobs_.size(), kNot) {}

  std::vector<std::int64_t> start_times() {
    while (next_ < jobs_.size() || running() > 0 || !waiting_.empty()) {
      now_ = kFar;
      if (next_ < jobs_.size()) now_ = jobs_[next_].submit;
      for (const std::size_t j : started_) {
        if (!ended_[j]) now_ = std::min(now_, end_of(j));
      }
      if (discipline_ == Discipline::uncompressed) {  // reservations begin by themselves
        for (const std::size_t j : waiting_) now_ = std::min(now_, reserved_[j]);
      }
      if (per_event_) {
        one_event();
      } else {
        all_events();
      }
    }
    return start_;
  }

 private:
  static constexpr std::int64_t kNot = -1;
  static constexpr std::int64_t kFar = 1'000'000'000;

  std::size_t running() const {
    return static_cast<std::size_t>(
        std::count_if(started_.begin(), started_.end(), [&](std::size_t j) { return !ended_[j]; }));
  }
  std::int64_t end_of(std::size_t j) const { return start_[j] + std::min(jobs_[j].run, jobs_[j].limit); }

  // Submissions first, then ends in the order in which the jobs started; the scheduler runs after each.
  void one_event() {
    if (next_ < jobs_.size() && jobs_[next_].submit == now_) {
      const std::size_t j = next_++;
      waiting_.push_back(j);
      const bool fits_at_once = jobs_[j].width <= free_of_running_at(now_);
      switch (discipline_) {
        case Discipline::fcfs:
          pass_fcfs();
          break;
        case Discipline::easy:
          if (fits_at_once) pass_easy();
          break;
        case Discipline::conservative:
          // Windows are looked at anew only when cores came free: here those of a job whose requested time is
          // over.
          pass_conservative(fits_at_once && some_estimate_is_over());
          break;
        case Discipline::uncompressed:
          pass_uncompressed();
          break;
      }
      return;
    }
    for (const std::size_t j : started_) {
      if (ended_[j] || end_of(j) != now_) continue;
      ended_[j] = true;
      pass(true);
      return;
    }
    pass(false);
  }

  void all_events() {
    for (; next_ < jobs_.size() && jobs_[next_].submit == now_; ++next_) waiting_.push_back(next_);
    bool some_ended = false;
    for (const std::size_t j : started_) {
      if (ended_[j] || end_of(j) != now_) continue;
      ended_[j] = true;
      some_ended = true;
    }
    pass(some_ended);
  }

  void pass(bool some_ended) {
    switch (discipline_) {
      case Discipline::fcfs:
        pass_fcfs();
        break;
      case Discipline::easy:
        pass_easy();
        break;
      case Discipline::conservative:
        pass_conservative(some_ended);
        break;
      case Discipline::uncompressed:
        pass_uncompressed();
        break;
    }
  }

  // By requested times: a job whose requested time is over holds nothing, even if its end is not yet known.
  std::int32_t free_of_running_at(std::int64_t t) const {
    std::int32_t free = processors_;
    for (const std::size_t j : started_) {
      if (!ended_[j] && t < start_[j] + jobs_[j].limit) free -= jobs_[j].width;
    }
    return free;
  }
  // With reservations, where there are any.
  std::int32_t free_at(std::int64_t t) const {
    std::int32_t free = free_of_running_at(t);
    for (const std::size_t j : waiting_) {
      if (reserved_[j] != kNot && reserved_[j] <= t && t < reserved_[j] + jobs_[j].limit) free -= jobs_[j].width;
    }
    return free;
  }
  bool some_estimate_is_over() const {
    return std::any_of(started_.begin(), started_.end(),
                       [&](std::size_t j) { return !ended_[j] && start_[j] + jobs_[j].limit <= now_; });
  }

  void start(std::size_t j) {
    start_[j] = now_;
    started_.push_back(j);
    waiting_.erase(std::find(waiting_.begin(), waiting_.end(), j));
  }

  void pass_fcfs() {
    while (!waiting_.empty() && jobs_[waiting_.front()].width <= free_at(now_)) start(waiting_.front());
  }

  void pass_easy() {
    pass_fcfs();
    if (waiting_.empty()) return;
    const std::int32_t head_width = jobs_[waiting_.front()].width;
    std::int64_t shadow = now_;
    while (free_at(shadow) < head_width) ++shadow;
    std::int32_t extra = free_at(shadow) - head_width;
    const std::vector<std::size_t> others(waiting_.begin() + 1, waiting_.end());
    for (const std::size_t j : others) {
      const PlainJob& job = jobs_[j];
      if (job.width > free_at(now_)) continue;
      if (now_ + job.limit <= shadow) {
        start(j);
      } else if (job.width <= extra) {
        extra -= job.width;
        start(j);
      }
    }
  }

  // Every job without a reservation gets one, in order; `everything`: all others are fitted anew in the same
  // way.
  void pass_conservative(bool everything) {
    const std::vector<std::size_t> all = waiting_;
    for (const std::size_t j : all) {
      if (!everything && reserved_[j] != kNot) continue;
      reserved_[j] = kNot;
      std::int64_t at = now_;
      while (!fits(j, at)) ++at;
      if (at == now_) {
        start(j);
      } else {
        reserved_[j] = at;
      }
    }
  }
  // A new job gets the earliest time there is; that is when it starts.
  void pass_uncompressed() {
    const std::vector<std::size_t> all = waiting_;
    for (const std::size_t j : all) {
      for (std::int64_t at = now_; reserved_[j] == kNot; ++at) {
        if (fits(j, at)) reserved_[j] = at;
      }
      if (reserved_[j] == now_) start(j);
    }
  }
  bool fits(std::size_t j, std::int64_t at) const {
    for (std::int64_t t = at; t < at + jobs_[j].limit; ++t) {
      if (free_at(t) < jobs_[j].width) return false;
    }
    return true;
  }

  const std::vector<PlainJob>& jobs_;
  std::int32_t processors_;
  Discipline discipline_;
  bool per_event_;
  std::int64_t now_ = 0;
  std::size_t next_ = 0;              // to be submitted
  std::vector<std::size_t> waiting_;  // in order of submission
  std::vector<std::size_t> started_;  // in order of start
  std::vector<std::int64_t> start_;
  std::vector<bool> ended_;
  std::vector<std::int64_t> reserved_;
};

std::unique_ptr<Backfill> make_policy(Discipline discipline) {
  switch (discipline) {
    case Discipline::fcfs:
      return std::make_unique<Backfill>(0, true);
    case Discipline::easy:
      return std::make_unique<Backfill>(1, false);
    case Discipline::conservative:
    case Discipline::uncompressed:
      break;
  }
  return std::make_unique<Backfill>(Backfill::kAll, false, discipline == Discipline::conservative);
}

// A processor of the instance is a core of one machine, or a whole node of four cores.
enum class Unit : std::uint8_t { core, node };

std::vector<std::int64_t> engine_start_times(const Instance& instance, Discipline discipline, bool per_event,
                                             Unit unit = Unit::core) {
  ClusterSpec spec;
  if (unit == Unit::core) {
    spec.groups.push_back({1, instance.processors, Supply::permanent, 1});
  } else {
    spec.groups.push_back({instance.processors, 4, Supply::permanent, 1});
  }
  spec.queues.push_back({{GroupId{0}}});
  Workload workload;
  for (const PlainJob& j : instance.jobs) {
    WorkloadJob job;
    job.request.submit = j.submit * kSecond;
    job.request.limit = j.limit * kSecond;
    job.request.cores = unit == Unit::core ? j.width : 1;
    job.request.nodes = unit == Unit::core ? 0 : j.width;
    job.request.exclusive = unit == Unit::node;
    job.run_time = j.run * kSecond;
    workload.jobs.push_back(job);
  }
  Controller controller(spec, make_policy(discipline), nullptr);
  SimulatedWorld world(workload, SimulatedCloud({}, 1), per_event ? SameInstant::per_event : SameInstant::batched, 0);
  RunRecord record(controller.cluster().node_count());
  run(world, controller, record);
  std::vector<std::int64_t> starts;
  for (const JobRecord& job : record.jobs()) starts.push_back(job.start == kNever ? -1 : job.start / kSecond);
  return starts;
}

struct Case {
  Discipline discipline;
  bool per_event;
  Unit unit = Unit::core;
};

class BackfillAgainstThePapers : public testing::TestWithParam<Case> {
 protected:
  bool agree(const Instance& instance) const {
    const auto [discipline, per_event, unit] = GetParam();
    const std::vector<std::int64_t> expected = NaiveMachine(instance, discipline, per_event).start_times();
    const std::vector<std::int64_t> found = engine_start_times(instance, discipline, per_event, unit);
    EXPECT_EQ(found, expected) << text_of(instance);
    return found == expected;
  }
};

// Times of a few seconds, so that most instants see several events; and longer ones.
Instance draw_instance(std::uint64_t seed, std::int64_t most_jobs) {
  Draw draw(seed);
  Instance instance;
  instance.processors = draw.small(1, 8);
  const std::int64_t count = draw.between(1, most_jobs);
  const std::int64_t longest = draw.one_in(3) ? 20 : draw.between(1, 5);
  const std::int64_t gap = draw.between(0, 4);
  std::int64_t submit = draw.between(0, 2);
  for (std::int64_t i = 0; i < count; ++i) {
    PlainJob job{};
    submit += draw.one_in(2) ? 0 : draw.between(0, gap);
    job.submit = submit;
    job.width = draw.small(1, draw.one_in(2) ? instance.processors : (instance.processors + 1) / 2);
    job.limit = draw.between(1, longest);
    job.run = draw.one_in(3) ? job.limit : draw.between(0, job.limit + 1);  // more than the limit: killed
    instance.jobs.push_back(job);
  }
  return instance;
}

TEST_P(BackfillAgainstThePapers, StartsEveryJobOfARandomInstanceAtTheSameTime) {
  constexpr std::uint64_t kInstances = 10'000;
  int failures = 0;
  for (std::uint64_t seed = 1; seed <= kInstances && failures < 3; ++seed) {
    // The smallest come first: what fails is then easy to follow by hand.
    if (!agree(draw_instance(seed, 3 + static_cast<std::int64_t>(seed * 22 / kInstances)))) ++failures;
  }
}

// Under sanitizers, only every so many of the sets of more than 100 000 instances. No divisor of the grids' sizes, so
// that it meets every kind of job in every place.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kStrideOfLargeSets = 17;
#else
constexpr std::size_t kStrideOfLargeSets = 1;
#endif

// All instances of 1 to `most_jobs` jobs on three processors with the given run times, requested times and gaps between
// submissions, of all widths.
struct Grid {
  std::size_t most_jobs;
  std::vector<std::pair<std::int64_t, std::int64_t>> run_and_limit;
  std::vector<std::int64_t> gaps;
  std::size_t instances;  // (3 * run_and_limit)^jobs * gaps^(jobs - 1), summed over the numbers of jobs

  // The `code`-th one of `jobs` jobs; the first is submitted at 0.
  Instance instance(std::size_t jobs, std::size_t code) const {
    const auto next = [&code](std::size_t choices) {
      const std::size_t choice = code % choices;
      code /= choices;
      return choice;
    };
    Instance made{3, {}};
    std::int64_t submit = 0;
    for (std::size_t j = 0; j < jobs; ++j) {
      if (j > 0) submit += gaps[next(gaps.size())];
      const auto width = static_cast<std::int32_t>(next(3)) + 1;
      const auto& [run, limit] = run_and_limit[next(run_and_limit.size())];
      made.jobs.push_back({submit, run, limit, width});
    }
    return made;
  }
};

TEST_P(BackfillAgainstThePapers, StartsEveryJobOfAllTinyInstancesAtTheSameTime) {
  // Up to four jobs that end as requested or early; up to three that may also end at once or be killed.
  const Grid grids[] = {
      {4, {{1, 1}, {1, 2}, {2, 2}, {1, 3}, {3, 3}}, {0, 1, 2}, 1'397'940},
      {3, {{1, 1}, {1, 2}, {2, 2}, {1, 3}, {3, 3}, {2, 3}, {0, 1}, {2, 1}}, {0, 1, 2}, 126'168},
  };
  for (const Grid& grid : grids) {
    std::size_t instances = 0;
    std::size_t count = 1;
    int failures = 0;
    for (std::size_t jobs = 1; jobs <= grid.most_jobs; ++jobs) {
      count *= 3 * grid.run_and_limit.size() * (jobs > 1 ? grid.gaps.size() : 1);
      instances += count;
      const std::size_t stride = count > 100'000 ? kStrideOfLargeSets : 1;
      for (std::size_t code = 0; code < count && failures < 3; code += stride) {
        if (!agree(grid.instance(jobs, code))) ++failures;
      }
    }
    EXPECT_EQ(instances, grid.instances);
  }
}

// The processors that a head's reservation takes from now on are free for the question whether a new job fits
// at once: at 1 s the third job fits, so the scheduler runs, the second starts, the third gets the
// reservation, and the fourth must not delay it.
TEST(EasyPerEvent, RunsWhenANewJobFitsBesidesADueReservation) {
  const Instance instance{3, {{0, 1, 1, 3}, {0, 1, 1, 1}, {1, 1, 1, 3}, {1, 1, 3, 1}}};
  EXPECT_EQ(engine_start_times(instance, Discipline::easy, true), (std::vector<std::int64_t>{0, 1, 2, 3}));
}

// Of two processors one is held by a job that asked for 10 s and ends at 2 s; a job that needs both has to wait for 10
// s. With compression it moves to 2 s; without, it stays, and a job that comes at 3 s has room before it.
TEST(Conservative, CompressesOrNot) {
  const Instance instance{2, {{0, 2, 10, 1}, {1, 5, 5, 2}, {3, 4, 7, 1}}};
  EXPECT_EQ(engine_start_times(instance, Discipline::conservative, false), (std::vector<std::int64_t>{0, 2, 7}));
  EXPECT_EQ(engine_start_times(instance, Discipline::uncompressed, false), (std::vector<std::int64_t>{0, 10, 3}));
}

// Two submissions at 4 s, when a requested time is over whose end is not known yet: the first does not fit,
// the second does, and lets the fourth job pass.
TEST(EasyPerEvent, RunsWhenTheSecondOfTwoNewJobsFits) {
  const Instance instance{6, {{3, 1, 1, 1}, {3, 1, 2, 3}, {3, 3, 2, 5}, {3, 1, 1, 3}, {4, 2, 2, 6}, {4, 2, 2, 1}}};
  EXPECT_EQ(engine_start_times(instance, Discipline::easy, true), (std::vector<std::int64_t>{3, 3, 5, 4, 7, 4}));
}

std::string name_of(const testing::TestParamInfo<Case>& tested) {
  constexpr const char* kNames[] = {"Fcfs", "Easy", "Conservative", "Uncompressed"};
  return std::string(kNames[static_cast<int>(tested.param.discipline)]) +
         (tested.param.per_event ? "PerEvent" : "Batched") + (tested.param.unit == Unit::node ? "OnWholeNodes" : "");
}

INSTANTIATE_TEST_SUITE_P(Rigid, BackfillAgainstThePapers,
                         testing::Values(Case{Discipline::fcfs, false}, Case{Discipline::fcfs, true},
                                         Case{Discipline::easy, false}, Case{Discipline::easy, true},
                                         Case{Discipline::conservative, false}, Case{Discipline::conservative, true},
                                         Case{Discipline::uncompressed, false}, Case{Discipline::uncompressed, true}),
                         name_of);

// Event by event is for rigid machines only: nodes of a cluster are never given out twice within an instant.
INSTANTIATE_TEST_SUITE_P(Nodes, BackfillAgainstThePapers,
                         testing::Values(Case{Discipline::fcfs, false, Unit::node},
                                         Case{Discipline::easy, false, Unit::node},
                                         Case{Discipline::conservative, false, Unit::node}),
                         name_of);

}  // namespace
}  // namespace headroom
