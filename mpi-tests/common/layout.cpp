#include "mpi-tests/common/layout.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace headroom::mpi {

Layout layout_of(const std::vector<std::string>& boot_ids, const std::vector<std::string>& names) {
  Layout layout;
  std::map<std::pair<bool, std::string>, std::size_t> known;
  for (std::size_t rank = 0; rank < names.size(); ++rank) {
    const bool by_name = boot_ids[rank].empty();
    const auto [place, is_new] =
        known.try_emplace({by_name, by_name ? names[rank] : boot_ids[rank]}, layout.ranks_by_host.size());
    if (is_new) layout.ranks_by_host.emplace_back();
    layout.ranks_by_host[place->second].push_back(static_cast<int>(rank));
  }
  return layout;
}

std::vector<std::string> problems_of(const Layout& layout, const std::vector<std::string>& names,
                                     const Layout::Asked& asked) {
  std::vector<std::string> problems;
  const auto named = [&](int rank) { return names[static_cast<std::size_t>(rank)]; };
  if (asked.hosts > 0 && layout.hosts() != static_cast<std::size_t>(asked.hosts)) {
    problems.push_back("hosts: " + std::to_string(asked.hosts) + " asked for, " + std::to_string(layout.hosts()) +
                       " found");
  }
  for (const std::vector<int>& ranks : layout.ranks_by_host) {
    if (asked.per_host > 0 && ranks.size() != static_cast<std::size_t>(asked.per_host)) {
      problems.push_back("ranks on " + named(ranks.front()) + ": " + std::to_string(asked.per_host) + " asked for, " +
                         std::to_string(ranks.size()) + " found");
    }
    const auto other =
        std::find_if(ranks.begin(), ranks.end(), [&](int rank) { return named(rank) != named(ranks.front()); });
    if (other != ranks.end()) {
      problems.push_back("rank " + std::to_string(ranks.front()) + " on " + named(ranks.front()) + " and rank " +
                         std::to_string(*other) + " on " + named(*other) +
                         " share one kernel (boot id): two names, one host");
    }
  }
  return problems;
}

}  // namespace headroom::mpi
