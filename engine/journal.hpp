// The journal: the only record of a run, one entry a step (time, news, commands), and its digest. Two runs with equal
// digests did the same things at the same times. docs/journal.md states the bytes.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/news.hpp"

namespace headroom {

// XXH3, 64 bits, as 16 hexadecimal digits: what all digests are.
std::string digest_of(std::string_view bytes);

// Where encoded steps go; called with blocks of some 64 KiB.
class JournalSink {
 public:
  virtual ~JournalSink() = default;
  virtual void write(std::string_view bytes) = 0;
};

class Journal {
 public:
  explicit Journal(JournalSink* sink = nullptr);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  void append(Time now, const News& news, const Commands& commands);

  // Hands the rest to the sink and returns the digest of all steps.
  std::string finish();

  std::uint64_t steps() const { return steps_; }

 private:
  class Hash;
  void flush();

  JournalSink* sink_;
  std::vector<char> buffer_;
  std::size_t used_ = 0;
  std::unique_ptr<Hash> hash_;
  Time last_ = 0;
  std::uint64_t steps_ = 0;
};

// Reads steps back. A step that is cut short or not well formed reads as `corrupt`; nothing is thrown.
class JournalReader {
 public:
  enum class Result : std::uint8_t { step, end, corrupt };
  explicit JournalReader(std::string_view bytes) : bytes_(bytes) {}
  Result next(Time& now, News& news, Commands& commands);

 private:
  bool number(std::uint64_t& value);
  bool terms(JobTerms& terms);
  template <class T>
  bool number_as(T& value, std::uint64_t limit = static_cast<std::uint64_t>(std::numeric_limits<T>::max()));

  std::string_view bytes_;
  std::size_t at_ = 0;
  Time last_ = 0;
};

}  // namespace headroom
