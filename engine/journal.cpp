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
  const std::size_t numbers = 3 + 9 * news.stimuli.size() + 4 * commands.list.size() + 2 * commands.shares.size();
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
      put(out, r.exclusive ? 1 : 0);
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
      std::uint8_t exclusive = 0;
      if (!number_as(age, static_cast<std::uint64_t>(now)) || !number_as(r.limit, kMaxTime) || !number_as(queue) ||
          !number_as(r.user) || !number_as(r.nodes) || !number_as(r.cores) || !number_as(exclusive, 1)) {
        return Result::corrupt;
      }
      r.submit = now - age;
      r.queue = QueueId{queue};
      r.exclusive = exclusive != 0;
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
