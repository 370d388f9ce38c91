#include "mpi-tests/common/faults.hpp"

#include <charconv>
#include <system_error>
#include <vector>

#include "mpi-tests/common/options.hpp"

namespace headroom::mpi {

namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

}  // namespace

Faults::Faults(const std::string& text) : text_(text) {
  if (text.empty()) return;
  const auto wrong = [&] {
    return UsageError("HEADROOM_MPI_FAULT: found \"" + text +
                      "\", expected corrupt:RANK, slow:A-B:MICROSECONDS, slow:RANK:MICROSECONDS or mute:A-B");
  };
  const auto number = [&](const std::string& digits) {
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 0) throw wrong();
    return value;
  };
  const std::vector<std::string> parts = split(text, ':');
  const std::vector<std::string> ranks = parts.size() > 1 ? split(parts[1], '-') : std::vector<std::string>();
  if (parts[0] == "corrupt" && parts.size() == 2 && ranks.size() == 1) {
    corrupt_ = number(ranks[0]);
  } else if (parts[0] == "slow" && parts.size() == 3 && (ranks.size() == 1 || ranks.size() == 2)) {
    slow_a_ = number(ranks[0]);
    if (ranks.size() == 2) slow_b_ = number(ranks[1]);
    slow_us_ = number(parts[2]);
  } else if (parts[0] == "mute" && parts.size() == 2 && ranks.size() == 2) {
    mute_from_ = number(ranks[0]);
    mute_to_ = number(ranks[1]);
  } else {
    throw wrong();
  }
}

std::int64_t Faults::delay_us(int sender, int receiver) const {
  if (slow_a_ < 0) return 0;
  if (slow_b_ < 0) return sender == slow_a_ || receiver == slow_a_ ? slow_us_ : 0;
  const bool pair = (sender == slow_a_ && receiver == slow_b_) || (sender == slow_b_ && receiver == slow_a_);
  return pair ? slow_us_ : 0;
}

}  // namespace headroom::mpi
