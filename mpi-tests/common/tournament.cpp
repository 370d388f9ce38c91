#include "mpi-tests/common/tournament.hpp"

#include <algorithm>

namespace headroom::mpi {

std::vector<Round> round_robin(int players) {
  if (players < 2) return {};
  const int seats = players + players % 2;  // an odd number gets a ghost: who meets it rests
  const int moving = seats - 1;
  std::vector<Round> rounds(static_cast<std::size_t>(moving));
  for (int number = 0; number < moving; ++number) {
    Round& round = rounds[static_cast<std::size_t>(number)];
    const auto meet = [&](int a, int b) {
      if (std::max(a, b) < players) round.emplace_back(std::min(a, b), std::max(a, b));
    };
    // Player `moving` keeps its seat; the others sit in a circle and meet across it.
    meet(number, moving);
    for (int step = 1; step < seats / 2; ++step) {
      meet((number + step) % moving, (number - step + moving) % moving);
    }
    std::sort(round.begin(), round.end());
  }
  return rounds;
}

}  // namespace headroom::mpi
