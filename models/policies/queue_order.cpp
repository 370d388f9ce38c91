#include "models/policies/queue_order.hpp"

#include <algorithm>
#include <bit>

namespace headroom {

std::int64_t log2_scaled(std::uint64_t x) {
  ensure(x > 0, "a logarithm is of something positive");
  constexpr int kDigits = 32;
  const int whole = 63 - std::countl_zero(x);
  // The fraction digit by digit: squaring a number in [1, 2) doubles its logarithm.
  std::uint64_t m = x << (63 - whole);  // x / 2^whole, times 2^63
  std::int64_t result = whole;
  for (int digit = 0; digit < kDigits; ++digit) {
    const unsigned __int128 square = static_cast<unsigned __int128>(m) * m;
    const bool one = (square >> 127) != 0;
    m = static_cast<std::uint64_t>(square >> (one ? 64 : 63));
    result = 2 * result + (one ? 1 : 0);
  }
  return result;
}

Priority::Priority(QueueOrder order, const JobRequest& request, Time first_submit)
    : order_(order), submit_(request.submit), requested_(static_cast<double>(request.limit)) {
  const std::int64_t processors = std::int64_t{std::max(request.nodes, 1)} * request.cores;
  processors_ = static_cast<double>(processors);
  // Times are in microseconds; a factor common to all jobs changes no order.
  switch (order) {
    case QueueOrder::fcfs:
      break;
    case QueueOrder::sjf:
      fixed_ = requested_;
      break;
    case QueueOrder::wfp3:
      break;
    case QueueOrder::unicef:
      logarithm_ = static_cast<double>(log2_scaled(static_cast<std::uint64_t>(processors)));
      break;
    case QueueOrder::f1: {
      // log10 is log2 times a number common to all.
      static const std::int64_t kLog2Second = log2_scaled(std::uint64_t{kSecond});
      const auto log2_seconds = [](Time t) {
        return static_cast<double>(log2_scaled(static_cast<std::uint64_t>(t)) - kLog2Second);
      };
      const double size = log2_seconds(request.limit) * processors_;
      const double age = 870 * log2_seconds(std::max(request.submit - first_submit, kSecond));
      fixed_ = size + age;
      break;
    }
  }
}

double Priority::at(Time now) const {
  if (order_ != QueueOrder::wfp3 && order_ != QueueOrder::unicef) return fixed_;
  const auto waited = static_cast<double>(now - submit_);
  if (order_ == QueueOrder::wfp3) {
    const double share = waited / requested_;
    return -(share * share * share * processors_);
  }
  constexpr double kMoment = 1e-14;                               // 10^-20 s
  return -(std::max(waited, kMoment) / requested_ / logarithm_);  // by zero: before all others
}

}  // namespace headroom
