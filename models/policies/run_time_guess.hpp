// How long jobs will run, guessed as in EASY++ (Tsafrir, Etsion, Feitelson, "Backfilling Using System-Generated
// Predictions Rather Than User Runtime Estimates", IEEE TPDS 18(6), 2007):
//   - the mean of the run times of the user's last two jobs that ended, in whole seconds (at least one), and at most
//   the
//     requested time, which is also the guess while fewer than two have ended. Made when the job is submitted;
//   - a job that outlives its guess gets 1, 5, 15, 30 min, 1, 2, 5, 10, 20, 50, 100 h more than the first guess, one
//     after the other, at most the requested time, and in the end the requested time.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "engine/news.hpp"

namespace headroom {

class RunTimeGuess {
 public:
  // A job of `user` ended after `run_time`.
  void learn(std::uint32_t user, Time run_time) {
    if (users_.size() <= user) users_.resize(user + 1);
    users_[user] = {run_time, users_[user].last};
  }
  Time first(const JobRequest& request) const {
    if (users_.size() <= request.user || users_[request.user].before == kNone) return request.limit;
    const Time mean = (users_[request.user].last + users_[request.user].before) / 2;
    return std::min(std::max(mean / kSecond, Time{1}) * kSecond, request.limit);
  }
  // The next guess after `guess` has turned out too short; longer, at most the limit.
  static Time next(Time first, Time guess, Time limit) {
    constexpr std::array<Time, 11> kMore = {kMinute,   5 * kMinute, 15 * kMinute, 30 * kMinute, kHour,      2 * kHour,
                                            5 * kHour, 10 * kHour,  20 * kHour,   50 * kHour,   100 * kHour};
    for (const Time more : kMore) {
      if (later(first, more) > guess) return std::min(later(first, more), limit);
    }
    return limit;
  }

 private:
  static constexpr Time kNone = -1;
  struct User {
    Time last = kNone;
    Time before = kNone;
  };
  std::vector<User> users_;
};

}  // namespace headroom
