// A token bucket as EC2 throttles API calls with: it starts full, holds at most its size, and is filled at a steady
// rate. Exact: tokens are counted in millionths of a millionth, time in microseconds.
#pragma once

#include <algorithm>

#include "engine/types.hpp"

namespace headroom {

class TokenBucket {
 public:
  // Tokens; `micro_per_second`: millionths of a token that come each second.
  struct Rate {
    std::int64_t size = 0;
    std::int64_t micro_per_second = 0;
    bool operator==(const Rate&) const = default;
  };
  static constexpr std::int64_t kMostTokens = 1'000'000;

  explicit TokenBucket(Rate rate) : rate_(rate), level_(rate.size * kToken) {
    ensure(rate.size > 0 && rate.size <= kMostTokens && rate.micro_per_second >= 0, "a bucket has a size and a rate");
  }

  std::size_t most_tokens() const { return static_cast<std::size_t>(rate_.size); }

  // The first moment from `now` on at which `tokens` are there; kNever if the bucket never holds so many.
  Time when(std::int64_t tokens, Time now) const {
    if (tokens > rate_.size) return kNever;
    const Time from = std::max(now, filled_);
    const std::int64_t missing = tokens * kToken - level_;
    if (missing <= 0) return from;
    if (rate_.micro_per_second == 0) return kNever;
    return std::max(from, later(filled_, (missing + rate_.micro_per_second - 1) / rate_.micro_per_second));
  }

  // They must be there; a bucket that was used for a later time is not used for an earlier one.
  void take(std::int64_t tokens, Time now) {
    ensure(when(tokens, now) == now, "tokens are taken when they are there");
    const __int128 gained = static_cast<__int128>(now - filled_) * rate_.micro_per_second;
    level_ = static_cast<std::int64_t>(std::min<__int128>(level_ + gained, rate_.size * kToken)) - tokens * kToken;
    filled_ = now;
  }

 private:
  static constexpr std::int64_t kToken = 1'000'000'000'000;
  Rate rate_;
  std::int64_t level_;  // at filled_
  Time filled_ = 0;
};

}  // namespace headroom
