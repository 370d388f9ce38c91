// Who meets whom: a round-robin tournament by the circle method. One player stays, the others move on by one seat a
// round.
#pragma once

#include <utility>
#include <vector>

namespace headroom::mpi {

using Round = std::vector<std::pair<int, int>>;  // disjoint pairs of players, the lower first, in ascending order

// For n players 0 ... n-1: n-1 rounds of n/2 pairs when n is even; n rounds of (n-1)/2 pairs when it is odd, one player
// resting in each. Every pair meets exactly once. No rounds for fewer than two players.
std::vector<Round> round_robin(int players);

}  // namespace headroom::mpi
