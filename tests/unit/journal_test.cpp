#include "engine/journal.hpp"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "tests/unit/draw.hpp"

namespace headroom {
namespace {

using Result = JournalReader::Result;

struct Step {
  Time now = 0;
  News news;
  Commands commands;
};

class Bytes final : public JournalSink {
 public:
  void write(std::string_view bytes) override {
    text += bytes;
    ++blocks;
  }
  std::string text;
  int blocks = 0;
};

std::uint32_t draw_number(Draw& draw) {
  switch (draw.below(4)) {
    case 0:
      return static_cast<std::uint32_t>(draw.below(3));
    case 1:
      return static_cast<std::uint32_t>(draw.between(126, 130));  // around the border of one byte
    case 2:
      return std::numeric_limits<std::uint32_t>::max();
    default:
      return static_cast<std::uint32_t>(draw.below(1'000'000));
  }
}

std::int32_t draw_cores(Draw& draw) {
  return draw.one_in(8) ? std::numeric_limits<std::int32_t>::max() : draw.small(0, 300);
}

Time draw_time(Draw& draw) { return draw.one_in(4) ? 0 : draw.one_in(8) ? kNever : draw.between(1, 100 * kHour); }

JobTerms draw_terms(Draw& draw) {
  JobTerms t;
  if (draw.one_in(4)) return t;  // those of a job that says nothing
  t.tasks = draw_cores(draw);
  t.tasks_per_node = draw_cores(draw);
  t.cpus_per_task = draw_cores(draw);
  t.priority = draw_number(draw);
  t.nice = draw.one_in(4)   ? std::numeric_limits<std::int32_t>::min()
           : draw.one_in(4) ? std::numeric_limits<std::int32_t>::max()
                            : draw.small(-200, 200);
  t.begin = draw_time(draw);
  t.held = draw.one_in(2);
  t.requeue = draw.one_in(2);
  t.any_dependency = draw.one_in(2);
  t.name = draw_number(draw);
  t.array_tasks = draw_cores(draw);
  t.array = JobId{draw_number(draw)};
  t.array_task = draw_cores(draw);
  t.array_limit = draw_cores(draw);
  t.dependencies.resize(draw.one_in(20) ? 100 : draw.below(4));
  for (Dependency& d : t.dependencies) {
    d = {static_cast<Dependency::Kind>(draw.below(6)), JobId{draw_number(draw)}, draw_time(draw)};
  }
  return t;
}

std::vector<Step> draw_steps(std::uint64_t seed, std::size_t most) {
  Draw draw(seed);
  std::vector<Step> steps(draw.below(most + 1));
  Time now = draw.one_in(2) ? 0 : draw.between(0, 900'000'000 * kSecond);
  for (Step& step : steps) {
    step.now = now;
    for (std::size_t n = draw.below(5); n > 0; --n) {
      Stimulus s{static_cast<Stimulus::Kind>(draw.below(kStimulusKinds)), draw_number(draw), draw_number(draw)};
      if (s.kind == Stimulus::Kind::job_arrived) {
        s.detail = 0;  // arrivals have none
        JobRequest r;
        r.submit = draw.one_in(2) ? now : draw.between(0, now);
        r.limit = draw.one_in(8) ? kNever : draw.between(1, 100 * kHour);
        r.queue = QueueId{draw_number(draw)};
        r.user = draw_number(draw);
        r.nodes = draw_cores(draw);
        r.cores = draw_cores(draw);
        r.exclusive = draw.one_in(2);
        r.requeue = draw.one_in(2);
        if (draw.one_in(2)) {
          r.spread = draw.one_in(2);
          r.memory_unit = static_cast<MemoryUnit>(draw.below(3));
          // Where it is counted by whole nodes no number belongs to it.
          if (r.memory_unit != MemoryUnit::whole) r.memory = draw_cores(draw);
        }
        if (draw.one_in(2)) {
          step.news.terms.push_back(draw_terms(draw));
          r.terms = static_cast<std::uint32_t>(step.news.terms.size());
        }
        step.news.arrivals.push_back(r);
      }
      step.news.stimuli.push_back(s);
    }
    for (std::size_t n = draw.below(4); n > 0; --n) {
      std::vector<NodeShare> shares(draw.one_in(10) ? 200 : draw.below(4));
      for (NodeShare& s : shares) s = {NodeId{draw_number(draw)}, draw_cores(draw)};
      step.commands.add(static_cast<Command::Kind>(draw.below(kCommandKinds)), draw_number(draw), draw_number(draw),
                        shares);
    }
    now += draw.one_in(3) ? 0 : draw.between(0, 1000 * kSecond);
  }
  return steps;
}

std::string digest_of(const std::vector<Step>& steps, Bytes* bytes = nullptr) {
  Journal journal(bytes);
  for (const Step& s : steps) journal.append(s.now, s.news, s.commands);
  return journal.finish();
}

std::string encoded(const std::vector<Step>& steps) {
  Bytes bytes;
  digest_of(steps, &bytes);
  return bytes.text;
}

bool same_request(const JobRequest& a, const JobRequest& b) {
  return a.submit == b.submit && a.limit == b.limit && a.queue == b.queue && a.user == b.user && a.nodes == b.nodes &&
         a.cores == b.cores && a.exclusive == b.exclusive && a.requeue == b.requeue && a.spread == b.spread &&
         a.memory_unit == b.memory_unit && a.memory == b.memory && a.terms == b.terms;
}

void expect_same(const Step& a, const Step& b) {
  EXPECT_EQ(a.now, b.now);
  EXPECT_EQ(a.news.stimuli, b.news.stimuli);
  EXPECT_TRUE(std::equal(a.news.arrivals.begin(), a.news.arrivals.end(), b.news.arrivals.begin(), b.news.arrivals.end(),
                         same_request));
  EXPECT_EQ(a.news.terms, b.news.terms);
  ASSERT_EQ(a.commands.list.size(), b.commands.list.size());
  for (std::size_t i = 0; i < a.commands.list.size(); ++i) {
    const Command& x = a.commands.list[i];
    const Command& y = b.commands.list[i];
    EXPECT_TRUE(x.kind == y.kind && x.subject == y.subject && x.detail == y.detail);
    const auto p = a.commands.shares_of(x);
    const auto q = b.commands.shares_of(y);
    EXPECT_TRUE(std::equal(p.begin(), p.end(), q.begin(), q.end()));
  }
}

// Reads to the end or to the first damage; no step is longer than the bytes it came from.
std::pair<Result, std::size_t> read_all(std::string_view bytes) {
  JournalReader reader(bytes);
  Step step;
  std::size_t steps = 0;
  for (;;) {
    const Result result = reader.next(step.now, step.news, step.commands);
    std::size_t dependencies = 0;
    for (const JobTerms& t : step.news.terms) dependencies += t.dependencies.size();
    EXPECT_LE(step.news.stimuli.size() + step.news.terms.size() + dependencies + step.commands.list.size() +
                  step.commands.shares.size(),
              bytes.size());
    if (result != Result::step) return {result, steps};
    EXPECT_LE(++steps, bytes.size());
    EXPECT_EQ(step.news.arrivals.size(), static_cast<std::size_t>(std::count_if(
                                             step.news.stimuli.begin(), step.news.stimuli.end(),
                                             [](const Stimulus& s) { return s.kind == Stimulus::Kind::job_arrived; })));
    EXPECT_GE(step.now, 0);
    for (const JobRequest& r : step.news.arrivals) EXPECT_LE(r.terms, step.news.terms.size());
    if (steps > bytes.size()) return {result, steps};
  }
}

TEST(Journal, ReadsBackWhatWasWritten) {
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const std::vector<Step> steps = draw_steps(seed, 20);
    const std::string bytes = encoded(steps);
    JournalReader reader(bytes);
    for (const Step& expected : steps) {
      Step step;
      ASSERT_EQ(reader.next(step.now, step.news, step.commands), Result::step);
      expect_same(step, expected);
    }
    Step step;
    EXPECT_EQ(reader.next(step.now, step.news, step.commands), Result::end);
    EXPECT_EQ(reader.next(step.now, step.news, step.commands), Result::end) << "and stays there";
  }
}

TEST(Journal, WritesBlocksAndLosesNothingBetweenThem) {
  std::vector<Step> steps;
  for (std::uint64_t seed = 1; seed <= 400; ++seed) {
    for (Step& s : draw_steps(seed, 20)) {
      if (!steps.empty()) {
        const Time later_by = std::max<Time>(0, steps.back().now - s.now);
        s.now += later_by;
      }
      steps.push_back(std::move(s));
    }
  }
  // One step that is longer than a block.
  Step huge;
  huge.now = steps.back().now;
  huge.commands.add(Command::Kind::start_job, 1, 0, std::vector<NodeShare>(100'000, NodeShare{NodeId{1'000'000}, 96}));
  steps.insert(steps.begin() + static_cast<std::ptrdiff_t>(steps.size() / 2), huge);
  steps[steps.size() / 2].now = steps[steps.size() / 2 - 1].now;
  steps.push_back(huge);
  Bytes bytes;
  digest_of(steps, &bytes);
  EXPECT_GT(bytes.blocks, 3);
  const auto [result, count] = read_all(bytes.text);
  EXPECT_EQ(result, Result::end);
  EXPECT_EQ(count, steps.size());
}

TEST(Journal, HasOneDigestForOneRunWithOrWithoutASink) {
  const std::vector<Step> steps = draw_steps(7, 40);
  ASSERT_FALSE(steps.empty());
  Bytes bytes;
  const std::string digest = digest_of(steps, &bytes);
  EXPECT_EQ(digest.size(), 16u);
  EXPECT_EQ(digest.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_EQ(digest_of(steps), digest);
  Journal journal;
  for (const Step& s : steps) journal.append(s.now, s.news, s.commands);
  EXPECT_EQ(journal.steps(), steps.size());
}

// News may share terms between arrivals; the journal writes them for each.
TEST(Journal, WritesTermsForEveryJobThatHasThem) {
  Step step;
  step.news.terms.emplace_back();
  step.news.terms[0].dependencies.resize(1000, {Dependency::Kind::singleton, JobId{4'000'000'000}, kNever});
  for (std::uint32_t job = 0; job < 100; ++job) {
    step.news.stimuli.push_back({Stimulus::Kind::job_arrived, job, 0});
    step.news.arrivals.emplace_back().terms = 1;
  }
  const std::string bytes = encoded({step});
  JournalReader reader(bytes);
  Step read;
  ASSERT_EQ(reader.next(read.now, read.news, read.commands), Result::step);
  ASSERT_EQ(read.news.terms.size(), 100u);
  for (std::uint32_t job = 0; job < 100; ++job) {
    EXPECT_EQ(read.news.arrivals[job].terms, job + 1);
    EXPECT_EQ(read.news.terms[job], step.news.terms[0]);
  }
  step.news.arrivals[3].terms = 2;
  EXPECT_THROW(encoded({step}), Bug) << "terms that are not there";
}

// What a job without shape and terms is written as has not changed: digests of old runs stay.
TEST(Journal, WritesPlainRequestsInSevenNumbers) {
  Step step;
  step.now = 5;
  step.news.stimuli = {{Stimulus::Kind::job_arrived, 1, 0}};
  JobRequest r;
  r.submit = 3;
  r.limit = 4;
  r.queue = QueueId{5};
  r.user = 6;
  r.nodes = 7;
  r.cores = 8;
  r.exclusive = true;
  step.news.arrivals = {r};
  EXPECT_EQ(encoded({step}), std::string("\5\1\0\1\2\4\5\6\7\10\1\0", 12));
  // docs/journal.md: flags, shape, terms.
  step.news.arrivals[0].memory_unit = MemoryUnit::per_core;
  step.news.arrivals[0].memory = 9;
  EXPECT_EQ(encoded({step}), std::string("\5\1\0\1\2\4\5\6\7\10\3\0\2\11\0", 15));
  step.news.arrivals[0].terms = 1;
  JobTerms& t = step.news.terms.emplace_back();
  t = {.tasks = 11,
       .tasks_per_node = 12,
       .cpus_per_task = 13,
       .priority = 14,
       .nice = -8,
       .begin = 16,
       .held = true,
       .requeue = true,
       .any_dependency = false,
       .name = 17,
       .array_tasks = 18,
       .array = JobId{19},
       .array_task = 20,
       .array_limit = 21,
       .dependencies = {{Dependency::Kind::after, JobId{22}, 23}}};
  EXPECT_EQ(encoded({step}), std::string("\5\1\0\1\2\4\5\6\7\10\7\0\2\11"
                                         "\13\14\15\16\17\20\3\21\22\23\24\25\1\0\26\27\0",
                                         31));
}

// The digest of no steps at all is XXH3's of nothing: a fact about the hash, not about us.
TEST(Journal, HashesWithXxh3) { EXPECT_EQ(digest_of({}), "2d06800538d394c2"); }

TEST(Journal, ChangesItsDigestWithAnythingThatChanges) {
  Step base;
  base.now = 100;
  base.news.stimuli = {{Stimulus::Kind::job_arrived, 3, 0}, {Stimulus::Kind::job_finished, 1, 2}};
  JobRequest r;
  r.submit = 90;
  r.limit = 500;
  r.queue = QueueId{1};
  r.user = 4;
  r.nodes = 2;
  r.cores = 8;
  base.news.arrivals = {r};
  base.commands.add(Command::Kind::start_job, 3, 1, std::vector<NodeShare>{{NodeId{5}, 8}, {NodeId{6}, 8}});
  base.commands.add(Command::Kind::reject_job, 4, 1, {});

  std::map<std::string, std::string> digests;  // what was changed, by digest
  const auto with = [&](const std::string& what, const auto& change) {
    Step step = base;
    change(step);
    const auto [other, is_new] = digests.emplace(digest_of({step}), what);
    EXPECT_TRUE(is_new) << what << " has the digest of " << other->second;
  };
  with("nothing", [](Step&) {});
  with("time", [](Step& s) { ++s.now, ++s.news.arrivals[0].submit; });
  with("stimulus kind", [](Step& s) { s.news.stimuli[1].kind = Stimulus::Kind::node_ready; });
  with("stimulus subject", [](Step& s) { ++s.news.stimuli[1].subject; });
  with("stimulus detail", [](Step& s) { ++s.news.stimuli[1].detail; });
  with("arriving job", [](Step& s) { ++s.news.stimuli[0].subject; });
  with("order of news", [](Step& s) { std::swap(s.news.stimuli[0], s.news.stimuli[1]); });
  with("one stimulus less", [](Step& s) { s.news.stimuli.pop_back(); });
  with("submit", [](Step& s) { ++s.news.arrivals[0].submit; });
  with("limit", [](Step& s) { ++s.news.arrivals[0].limit; });
  with("queue", [](Step& s) { s.news.arrivals[0].queue = QueueId{2}; });
  with("user", [](Step& s) { ++s.news.arrivals[0].user; });
  with("nodes", [](Step& s) { ++s.news.arrivals[0].nodes; });
  with("cores", [](Step& s) { ++s.news.arrivals[0].cores; });
  with("exclusive", [](Step& s) { s.news.arrivals[0].exclusive = true; });
  with("requeue", [](Step& s) { s.news.arrivals[0].requeue = false; });
  with("spread", [](Step& s) { s.news.arrivals[0].spread = true; });
  with("memory of a node", [](Step& s) { s.news.arrivals[0].memory_unit = MemoryUnit::per_node; });
  with("memory of a core", [](Step& s) { s.news.arrivals[0].memory_unit = MemoryUnit::per_core; });
  with("memory", [](Step& s) {
    s.news.arrivals[0].memory_unit = MemoryUnit::per_core;
    s.news.arrivals[0].memory = 1;
  });
  const auto with_terms = [&](const std::string& what, const auto& change) {
    with(what, [&](Step& s) {
      s.news.arrivals[0].terms = 1;
      JobTerms& terms = s.news.terms.emplace_back();
      terms.dependencies.resize(1);
      change(terms);
    });
  };
  with_terms("terms", [](JobTerms&) {});
  with_terms("tasks", [](JobTerms& t) { t.tasks = 1; });
  with_terms("tasks per node", [](JobTerms& t) { t.tasks_per_node = 1; });
  with_terms("cores per task", [](JobTerms& t) { t.cpus_per_task = 2; });
  with_terms("priority", [](JobTerms& t) { t.priority = 1; });
  with_terms("nice", [](JobTerms& t) { t.nice = 1; });
  with_terms("nice below 0", [](JobTerms& t) { t.nice = -1; });
  with_terms("begin", [](JobTerms& t) { t.begin = 1; });
  with_terms("held", [](JobTerms& t) { t.held = true; });
  with_terms("requeue", [](JobTerms& t) { t.requeue = false; });
  with_terms("any dependency", [](JobTerms& t) { t.any_dependency = true; });
  with_terms("name", [](JobTerms& t) { t.name = 1; });
  with_terms("array tasks", [](JobTerms& t) { t.array_tasks = 1; });
  with_terms("array", [](JobTerms& t) { t.array = JobId{1}; });
  with_terms("array task", [](JobTerms& t) { t.array_task = 1; });
  with_terms("array limit", [](JobTerms& t) { t.array_limit = 1; });
  with_terms("no dependency", [](JobTerms& t) { t.dependencies.clear(); });
  with_terms("dependency's kind", [](JobTerms& t) { t.dependencies[0].kind = Dependency::Kind::singleton; });
  with_terms("dependency's job", [](JobTerms& t) { t.dependencies[0].job = JobId{1}; });
  with_terms("dependency's delay", [](JobTerms& t) { t.dependencies[0].delay = 1; });
  with("command kind", [](Step& s) { s.commands.list[0].kind = Command::Kind::allocate_job; });
  with("command subject", [](Step& s) { ++s.commands.list[0].subject; });
  with("command detail", [](Step& s) { ++s.commands.list[0].detail; });
  with("share's node", [](Step& s) { s.commands.shares[1].node = NodeId{7}; });
  with("share's cores", [](Step& s) { ++s.commands.shares[1].cores; });
  with("one share less", [](Step& s) { --s.commands.list[0].share_count; });
  with("one command less", [](Step& s) { s.commands.list.pop_back(); });
  // Two steps are not one.
  EXPECT_TRUE(digests.emplace(digest_of({base, base}), "twice").second);
  Step empty;
  empty.now = base.now;
  EXPECT_TRUE(digests.emplace(digest_of({base, empty}), "an empty step").second);
}

TEST(Journal, ReadsAnyTruncationAsFewerStepsOrDamage) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const std::vector<Step> steps = draw_steps(seed, 6);
    const std::string bytes = encoded(steps);
    // Where steps end.
    std::vector<std::size_t> ends{0};
    for (std::size_t n = 1; n <= steps.size(); ++n) {
      ends.push_back(encoded({steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(n)}).size());
    }
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      const std::string cut = bytes.substr(0, size);  // a copy: reading behind its end is an error that tools see
      const auto [result, count] = read_all(cut);
      const auto end = std::upper_bound(ends.begin(), ends.end(), size) - 1;
      ASSERT_EQ(count, static_cast<std::size_t>(end - ends.begin())) << "seed " << seed << ", size " << size;
      ASSERT_EQ(result, *end == size ? Result::end : Result::corrupt) << "seed " << seed << ", size " << size;
    }
  }
}

TEST(Journal, SurvivesAnyDamage) {
  int corrupt = 0;
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    Draw draw(seed);
    std::string bytes = encoded(draw_steps(seed % 100, 6));
    for (std::size_t flips = 1 + draw.below(4); flips > 0 && !bytes.empty(); --flips) {
      char& byte = bytes[draw.below(bytes.size())];
      byte = draw.one_in(3) ? static_cast<char>(draw.between(0, 255))
                            : static_cast<char>(static_cast<unsigned char>(byte) ^ (1u << draw.below(8)));
    }
    corrupt += read_all(bytes).first == Result::corrupt ? 1 : 0;
  }
  EXPECT_GT(corrupt, 5000) << "damage is found more often than not";
}

TEST(Journal, SurvivesNoise) {
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    Draw draw(seed);
    std::string bytes(draw.below(200), '\0');
    for (char& byte : bytes) byte = static_cast<char>(draw.one_in(2) ? draw.between(0, 3) : draw.between(0, 255));
    read_all(bytes);
  }
}

// Damage is found, or what was read means just the bytes that were there: written again, it reads the same.
TEST(Journal, ReadsDamagedStepsAsCorruptOrAsWhatTheySay) {
  int read_as_steps = 0;
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Draw draw(seed);
    std::string bytes = encoded(draw_steps(seed % 50, 4));
    if (bytes.empty()) continue;
    char& byte = bytes[draw.below(bytes.size())];
    byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1u << draw.below(8)));
    std::vector<Step> steps;
    JournalReader reader(bytes);
    Result result{};
    for (;;) {
      Step step;
      result = reader.next(step.now, step.news, step.commands);
      if (result != Result::step) break;
      steps.push_back(std::move(step));
    }
    if (result == Result::corrupt) continue;
    ++read_as_steps;
    const std::string again = encoded(steps);
    JournalReader repeated(again);
    for (const Step& expected : steps) {
      Step step;
      ASSERT_EQ(repeated.next(step.now, step.news, step.commands), Result::step);
      expect_same(step, expected);
    }
  }
  EXPECT_GT(read_as_steps, 500) << "numbers that are others, but numbers";
}

// Counts that promise more than the bytes can hold; believing them would ask for terabytes.
TEST(Journal, BelievesNoHugeCounts) {
  const std::string huge = "\xff\xff\xff\xff\xff\xff\xff\xff\x7f";
  const std::string wide_shares = "\xff\xff\xff\xff\x0f";
  const std::string time(1, '\0');
  const std::string none(1, '\0');
  const std::string one(1, '\1');
  // An arrival with terms, up to the number of dependencies.
  const std::string terms = one + std::string("\0\0\0\1\0\0\0\1\4", 9) + std::string(12, '\0');
  for (const std::string& bytes : {
           time + huge,                                          // stimuli
           time + none + huge,                                   // commands
           time + none + one + std::string("\0\0\0", 3) + huge,  // shares
           time + none + one + std::string("\0\0\0", 3) + wide_shares,
           time + terms + huge,                      // dependencies
           huge + "\xff",                            // a number that does not end
           huge + none + none + "\1" + none + none,  // a time after which nothing is left
       }) {
    Step step;
    JournalReader reader(bytes);
    Result result = reader.next(step.now, step.news, step.commands);
    if (result == Result::step) result = reader.next(step.now, step.news, step.commands);
    EXPECT_EQ(result, Result::corrupt);
    EXPECT_LT(step.news.stimuli.capacity() + step.commands.list.capacity() + step.commands.shares.capacity(), 100u);
  }
}

}  // namespace
}  // namespace headroom
