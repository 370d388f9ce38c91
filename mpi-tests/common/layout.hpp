// Which ranks run on one host. A host is one running kernel, whatever names it has: two node names of one machine,
// containers and network namespaces share its boot id, and messages between them prove nothing about a network.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace headroom::mpi {

struct Layout {
  struct Asked {
    std::int64_t hosts = 0;  // 0: nothing asked
    std::int64_t per_host = 0;
  };
  std::vector<std::vector<int>> ranks_by_host;  // in the order of their lowest ranks
  std::size_t hosts() const { return ranks_by_host.size(); }
};

// By rank: boot id (empty where it cannot be read: then the name decides) and name.
Layout layout_of(const std::vector<std::string>& boot_ids, const std::vector<std::string>& names);

// What differs from what was asked, and hosts that go by several names; sentences.
std::vector<std::string> problems_of(const Layout& layout, const std::vector<std::string>& names,
                                     const Layout::Asked& asked);

}  // namespace headroom::mpi
