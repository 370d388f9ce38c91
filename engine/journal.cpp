#include "engine/journal.hpp"

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace headroom {
namespace {

constexpr std::size_t kBlock = std::size_t{64} << 10;

// Numbers are stored with seven bits a byte, low bits first; the high bit says that more follow.
constexpr std::size_t kLongestNumber = 10;
void put(char*& out, std::uint64_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
}

// What the last number of a request says besides `exclusive`.
constexpr std::uint64_t kExclusive = 1;
constexpr std::uint64_t kShape = 2;  // spread and memory follow
constexpr std::uint64_t kTerms = 4;  // terms follow, after the shape
constexpr std::uint64_t kStays = 8;  // it is not requeued
constexpr std::size_t kTermNumbers = 14;
constexpr std::size_t kDependencyNumbers = 3;

// Small numbers of either sign become small numbers.
std::uint64_t fold_sign(std::int32_t value) {
  const auto wide = static_cast<std::int64_t>(value);
  return (static_cast<std::uint64_t>(wide) << 1) ^ static_cast<std::uint64_t>(wide >> 63);
}
std::int32_t unfold_sign(std::uint32_t value) {
  return static_cast<std::int32_t>(value >> 1) ^ -static_cast<std::int32_t>(value & 1);
}

void put(char*& out, const JobTerms& t) {
  put(out, static_cast<std::uint64_t>(t.tasks));
  put(out, static_cast<std::uint64_t>(t.tasks_per_node));
  put(out, static_cast<std::uint64_t>(t.cpus_per_task));
  put(out, t.priority);
  put(out, fold_sign(t.nice));
  put(out, static_cast<std::uint64_t>(t.begin));
  put(out, (t.held ? 1u : 0u) | (t.requeue ? 2u : 0u) | (t.any_dependency ? 4u : 0u) | (t.asks > 0 ? 8u : 0u));
  if (t.asks > 0) put(out, t.asks);
  put(out, t.name);
  put(out, static_cast<std::uint64_t>(t.array_tasks));
  put(out, number(t.array));
  put(out, static_cast<std::uint64_t>(t.array_task));
  put(out, static_cast<std::uint64_t>(t.array_limit));
  put(out, t.dependencies.size());
  for (const Dependency& d : t.dependencies) {
    put(out, static_cast<std::uint64_t>(d.kind));
    put(out, number(d.job));
    put(out, static_cast<std::uint64_t>(d.delay));
  }
}

std::string hexadecimal(std::uint64_t digest) {
  std::string text(16, '0');
  for (std::size_t i = 0; i < 16; ++i) text[i] = "0123456789abcdef"[(digest >> (60 - 4 * i)) & 15];
  return text;
}

}  // namespace

std::string digest_of(std::string_view bytes) { return hexadecimal(XXH3_64bits(bytes.data(), bytes.size())); }

class Journal::Hash {
 public:
  Hash() : state_(XXH3_createState()) {
    ensure(state_ != nullptr, "there is memory for a hash");
    XXH3_64bits_reset(state_);
  }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;
  ~Hash() { XXH3_freeState(state_); }
  void update(std::string_view bytes) { XXH3_64bits_update(state_, bytes.data(), bytes.size()); }
  std::uint64_t digest() const { return XXH3_64bits_digest(state_); }

 private:
  XXH3_state_t* state_;
};

Journal::Journal(JournalSink* sink) : sink_(sink), buffer_(kBlock), hash_(std::make_unique<Hash>()) {}

Journal::~Journal() = default;

void Journal::append(Time now, const News& news, const Commands& commands) {
  // Room for the longest form of this step, so that no number has to look.
  std::size_t numbers = 3 + 12 * news.stimuli.size() + 4 * commands.list.size() + 2 * commands.shares.size();
  for (const JobRequest& r : news.arrivals) {
    if (r.terms == 0) continue;
    ensure(r.terms <= news.terms.size(), "a request's terms come with it");
    numbers += kTermNumbers + kDependencyNumbers * news.terms[r.terms - 1].dependencies.size();
  }
  if (buffer_.size() - used_ < numbers * kLongestNumber) {
    flush();
    buffer_.resize(std::max(buffer_.size(), numbers * kLongestNumber));
  }
  char* out = buffer_.data() + used_;
  put(out, static_cast<std::uint64_t>(now - last_));
  last_ = now;
  put(out, news.stimuli.size());
  std::size_t arrival = 0;
  for (const Stimulus& s : news.stimuli) {
    put(out, static_cast<std::uint64_t>(s.kind));
    put(out, s.subject);
    if (s.kind == Stimulus::Kind::job_arrived) {
      const JobRequest& r = news.arrivals[arrival++];
      put(out, static_cast<std::uint64_t>(now - r.submit));
      put(out, static_cast<std::uint64_t>(r.limit));
      put(out, number(r.queue));
      put(out, r.user);
      put(out, static_cast<std::uint64_t>(r.nodes));
      put(out, static_cast<std::uint64_t>(r.cores));
      const bool shape = r.spread || r.memory_unit != MemoryUnit::whole;
      put(out, (r.exclusive ? kExclusive : 0) | (shape ? kShape : 0) | (r.terms > 0 ? kTerms : 0) |
                   (r.requeue ? 0 : kStays));
      if (shape) {
        put(out, r.spread ? 1 : 0);
        put(out, static_cast<std::uint64_t>(r.memory_unit));
        put(out, r.memory_unit == MemoryUnit::whole ? 0 : static_cast<std::uint64_t>(r.memory));
      }
      if (r.terms > 0) put(out, news.terms[r.terms - 1]);
    } else {
      put(out, s.detail);
    }
  }
  put(out, commands.list.size());
  for (const Command& c : commands.list) {
    put(out, static_cast<std::uint64_t>(c.kind));
    put(out, c.subject);
    put(out, c.detail);
    put(out, c.share_count);
    for (const NodeShare& share : commands.shares_of(c)) {
      put(out, number(share.node));
      put(out, static_cast<std::uint64_t>(share.cores));
    }
  }
  used_ = static_cast<std::size_t>(out - buffer_.data());
  ++steps_;
}

void Journal::flush() {
  const std::string_view bytes(buffer_.data(), used_);
  hash_->update(bytes);
  if (sink_ != nullptr) sink_->write(bytes);
  used_ = 0;
}

std::string Journal::finish() {
  flush();
  return hexadecimal(hash_->digest());
}

bool JournalReader::number(std::uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(bytes_[at_++]);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

template <class T>
bool JournalReader::number_as(T& value, std::uint64_t limit) {
  std::uint64_t wide = 0;
  if (!number(wide) || wide > limit) return false;
  value = static_cast<T>(wide);
  return true;
}

bool JournalReader::terms(JobTerms& t) {
  std::uint32_t nice = 0;
  std::uint8_t flags = 0;
  std::uint32_t array = 0;
  std::uint64_t count = 0;
  if (!number_as(t.tasks) || !number_as(t.tasks_per_node) || !number_as(t.cpus_per_task) || !number_as(t.priority) ||
      !number_as(nice) || !number_as(t.begin) || !number_as(flags, 15) || ((flags & 8) != 0 && !number_as(t.asks)) ||
      !number_as(t.name) || !number_as(t.array_tasks) || !number_as(array) || !number_as(t.array_task) ||
      !number_as(t.array_limit) || !number_as(count, bytes_.size() - at_)) {
    return false;
  }
  t.nice = unfold_sign(nice);
  t.held = (flags & 1) != 0;
  t.requeue = (flags & 2) != 0;
  t.any_dependency = (flags & 4) != 0;
  t.array = JobId{array};
  for (; count > 0; --count) {
    Dependency d;
    std::uint8_t kind = 0;
    std::uint32_t job = 0;
    if (!number_as(kind, static_cast<std::uint64_t>(Dependency::Kind::singleton)) || !number_as(job) ||
        !number_as(d.delay)) {
      return false;
    }
    d.kind = static_cast<Dependency::Kind>(kind);
    d.job = JobId{job};
    t.dependencies.push_back(d);
  }
  return true;
}

JournalReader::Result JournalReader::next(Time& now, News& news, Commands& commands) {
  if (at_ == bytes_.size()) return Result::end;
  constexpr auto kMaxTime = static_cast<std::uint64_t>(kNever);
  const std::size_t left = bytes_.size() - at_;  // no list is longer than the bytes that hold it
  std::uint64_t count = 0;
  Time passed = 0;
  if (!number_as(passed, kMaxTime - static_cast<std::uint64_t>(last_))) return Result::corrupt;
  now = last_ += passed;
  news.clear();
  if (!number(count) || count > left) return Result::corrupt;
  for (; count > 0; --count) {
    Stimulus s{};
    std::uint8_t kind = 0;
    if (!number_as(kind, kStimulusKinds - 1) || !number_as(s.subject)) return Result::corrupt;
    s.kind = static_cast<Stimulus::Kind>(kind);
    if (s.kind == Stimulus::Kind::job_arrived) {
      JobRequest r;
      Time age = 0;
      std::uint32_t queue = 0;
      std::uint8_t flags = 0;
      if (!number_as(age, static_cast<std::uint64_t>(now)) || !number_as(r.limit, kMaxTime) || !number_as(queue) ||
          !number_as(r.user) || !number_as(r.nodes) || !number_as(r.cores) ||
          !number_as(flags, kExclusive | kShape | kTerms | kStays)) {
        return Result::corrupt;
      }
      r.submit = now - age;
      r.queue = QueueId{queue};
      r.exclusive = (flags & kExclusive) != 0;
      r.requeue = (flags & kStays) == 0;
      if ((flags & kShape) != 0) {
        std::uint8_t spread = 0;
        std::uint8_t unit = 0;
        constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max());
        if (!number_as(spread, 1) || !number_as(unit, 2) || !number_as(r.memory, unit == 0 ? 0 : kMost)) {
          return Result::corrupt;
        }
        r.spread = spread != 0;
        r.memory_unit = static_cast<MemoryUnit>(unit);
      }
      if ((flags & kTerms) != 0) {
        if (!terms(news.terms.emplace_back())) return Result::corrupt;
        r.terms = static_cast<std::uint32_t>(news.terms.size());
      }
      news.arrivals.push_back(r);
    } else if (!number_as(s.detail)) {
      return Result::corrupt;
    }
    news.stimuli.push_back(s);
  }
  commands.clear();
  if (!number(count) || count > left) return Result::corrupt;
  for (; count > 0; --count) {
    Command c{};
    std::uint8_t kind = 0;
    std::uint64_t shares = 0;
    if (!number_as(kind, kCommandKinds - 1) || !number_as(c.subject) || !number_as(c.detail) || !number(shares) ||
        shares > left) {
      return Result::corrupt;
    }
    c.kind = static_cast<Command::Kind>(kind);
    c.first_share = static_cast<std::uint32_t>(commands.shares.size());
    c.share_count = static_cast<std::uint32_t>(shares);
    for (; shares > 0; --shares) {
      std::uint32_t node = 0;
      std::int32_t cores = 0;
      if (!number_as(node) || !number_as(cores)) return Result::corrupt;
      commands.shares.push_back({NodeId{node}, cores});
    }
    commands.list.push_back(c);
  }
  return Result::step;
}

}  // namespace headroom
