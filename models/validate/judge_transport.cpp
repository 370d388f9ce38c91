#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/cloud/catalog.hpp"
#include "models/validate/judge.hpp"

namespace headroom::validate {
namespace {

// "ip-10-0-0-1.ec2.internal" and "ip-10-0-0-1" are one name.
std::string_view short_name(std::string_view host) {
  const bool address = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return address ? host : host.substr(0, host.find('.'));
}

const std::string kNoHost = "a host that the line does not name";

enum class Family : std::uint8_t { efa, tcp, shm, other };

// What carries messages, by the names that MPI libraries print.
Family family(const TransportUse& use) {
  const std::string_view core = std::string_view(use.name).substr(0, use.name.find(';'));
  if (use.layer == TransportUse::Layer::btl) {
    return core == "tcp" ? Family::tcp : core == "vader" || core == "sm" ? Family::shm : Family::other;
  }
  if (core == "efa") return Family::efa;
  if (core == "shm" || core == "sm2") return Family::shm;
  return core == "tcp" || core == "net" || core == "sockets" || core == "udp" ? Family::tcp : Family::other;
}

struct Moved {
  double sent = 0;  // bytes that ranks sent to other hosts
  double tx = 0;    // bytes that the devices counted
  double received = 0;
  double rx = 0;
  double retransmitted = 0;
  bool known = true;
  bool backwards = false;
};

// What the EFA devices of one host counted while its ranks ran. All of them read the same devices: the first and the
// last look count.
void count_devices(const std::vector<const Rank*>& ranks, Moved& here) {
  std::map<std::tuple<std::string, std::int64_t, std::string>, std::pair<std::int64_t, std::int64_t>> looks;
  for (const Rank* rank : ranks) {
    for (const Device& device : rank->devices) {
      if (device.driver != "efa") continue;
      if (device.find("tx_bytes") == nullptr || device.find("rx_bytes") == nullptr) here.known = false;
      for (const Counter& counter : device.counters) {
        if (counter.after < counter.before) here.backwards = true;
        const auto [look, is_new] =
            looks.emplace(std::tuple(device.name, device.port, counter.name), std::pair(counter.before, counter.after));
        look->second.first = std::min(look->second.first, counter.before);
        look->second.second = std::max(look->second.second, counter.after);
      }
    }
  }
  std::map<std::pair<std::string, std::int64_t>, std::map<std::string, double>> ports;
  for (const auto& [key, look] : looks) {
    const auto& [device, port, name] = key;
    ports[{device, port}][name] = std::max(0.0, static_cast<double>(look.second) - static_cast<double>(look.first));
  }
  for (auto& [port, by] : ports) {
    // RDMA reads and writes have counters of their own beside those of all packets.
    here.tx += std::max(by["tx_bytes"], by["send_bytes"] + by["rdma_read_resp_bytes"] + by["rdma_write_bytes"]);
    here.rx += std::max(by["rx_bytes"], by["recv_bytes"] + by["rdma_read_bytes"] + by["rdma_write_recv_bytes"]);
    here.retransmitted += by["retrans_bytes"];
  }
}

}  // namespace

bool Judge::within_host(const TransportUse& use) const {
  if (use.peer.empty() || use.host.empty()) return false;
  if (short_name(use.host) == short_name(use.peer)) return true;
  std::set<std::string_view> nodes;
  for (const MpiDocument& document : evidence_.documents) {
    for (const Rank& rank : document.ranks) {
      if (short_name(rank.host) == short_name(use.host) && !rank.node.empty()) nodes.insert(rank.node);
    }
  }
  return nodes.size() == 1 && *nodes.begin() == use.peer;
}

Requirement Judge::provider() const {
  Requirement r = requirement("provider");
  const Family wanted = demand_.transport == Transport::efa   ? Family::efa
                        : demand_.transport == Transport::tcp ? Family::tcp
                                                              : Family::shm;
  std::map<std::string, std::set<std::string>> good;  // what the log says, by name: on which hosts
  std::map<std::string, std::set<std::string>> bad;
  for (const LaunchLog& log : evidence_.logs) {
    for (const TransportUse& use : log.uses) {
      const Family found = family(use);
      // Over any network ranks of one host may well share memory.
      if (between_hosts() && use.layer == TransportUse::Layer::btl && within_host(use) && found != wanted) continue;
      if (between_hosts() && use.layer == TransportUse::Layer::libfabric && found == Family::shm) continue;
      if (use.layer == TransportUse::Layer::netmod) {
        // It does not say what UCX takes in its turn; EFA it is not.
        if (demand_.transport == Transport::efa) bad["MPICH's netmod " + use.name].insert("every host");
        continue;
      }
      const std::string name =
          use.layer == TransportUse::Layer::btl ? "Open MPI's btl " + use.name : "libfabric provider " + use.name;
      (found == wanted ? good : bad)[name].insert(use.host.empty() ? kNoHost : use.host);
    }
  }
  for (const auto* side : {&good, &bad}) {
    for (const auto& [name, on] : *side)
      r.evidence.push_back(fmt::format("log: {} on {}", name, listed({on.begin(), on.end()})));
  }
  std::size_t ranks = 0;
  std::size_t named = 0;     // ranks of which the document names the provider
  std::size_t by_parts = 0;  // ranks whose plug-ins leave one way only
  std::set<std::string> other_providers;
  std::set<std::string> without_device;
  for (const MpiDocument& document : evidence_.documents) {
    if (document.ranks.size() < 2) continue;
    for (const Rank& rank : document.ranks) {
      ++ranks;
      const auto has = [](const std::vector<std::string>& list, std::string_view what) {
        return std::find(list.begin(), list.end(), what) != list.end();
      };
      bool matches = false;
      for (const std::string& name : rank.providers) {
        const TransportUse use{TransportUse::Layer::libfabric, name, "", ""};
        if (family(use) == wanted) {
          matches = true;
        } else if (family(use) != Family::shm) {
          other_providers.insert(name);
        }
      }
      named += matches ? 1 : 0;
      const bool idle = rank.sent_bytes == 0 && rank.received_bytes == 0;
      if (demand_.transport == Transport::efa && rank.fabric_known && rank.open_devices.empty() &&
          rank.mapped_devices.empty() && !idle) {
        without_device.insert(rank.claimed_host());
      }
      const bool tcp = has(rank.mpi_components, "btl_tcp");
      const bool memory = has(rank.mpi_components, "btl_vader") || has(rank.mpi_components, "btl_sm");
      const bool more = has(rank.mpi_components, "mtl_ofi") || has(rank.mpi_components, "btl_ofi") ||
                        has(rank.mpi_components, "btl_openib") || has(rank.mpi_components, "pml_ucx") ||
                        has(rank.mpi_components, "mtl_psm2");
      if (demand_.transport == Transport::tcp && tcp && !memory && !more) ++by_parts;
      if (demand_.transport == Transport::shm && memory && !tcp && !more) ++by_parts;
    }
  }
  if (named > 0) r.evidence.push_back(fmt::format("{} of {} ranks have queues of this provider", named, ranks));
  if (by_parts > 0)
    r.evidence.push_back(
        fmt::format("{} of {} ranks have loaded this transport of Open MPI and no other", by_parts, ranks));
  const auto hosts_of = [](const std::map<std::string, std::set<std::string>>& uses) {
    std::set<std::string> hosts;
    for (const auto& [name, on] : uses) hosts.insert(on.begin(), on.end());
    return hosts;
  };
  const std::string remedy =
      demand_.transport == Transport::efa
          ? "Force it, so that a job fails where it would be slow: OMPI_MCA_pml=cm OMPI_MCA_mtl=ofi FI_PROVIDER=efa "
            "(Open MPI), "
            "I_MPI_OFI_PROVIDER=efa (Intel MPI); fi_info -p efa must list a device on every host."
      : demand_.transport == Transport::tcp
          ? "Force it: OMPI_MCA_pml=ob1 OMPI_MCA_btl=tcp,self (Open MPI), FI_PROVIDER=tcp (libfabric)."
          : "Force it: OMPI_MCA_pml=ob1 OMPI_MCA_btl=vader,self (Open MPI), I_MPI_FABRICS=shm (Intel MPI).";
  if (!bad.empty()) {
    const std::set<std::string> hosts = hosts_of(bad);
    r.hosts.assign(hosts.begin(), hosts.end());
    std::vector<std::string> names;
    for (const auto& [name, on] : bad) names.push_back(name);
    conclude(r, Verdict::fail, fmt::format("MPI sends with {}", listed(names)), remedy);
  } else if (!other_providers.empty()) {
    conclude(r, Verdict::fail,
             fmt::format("ranks have queues of {}", listed({other_providers.begin(), other_providers.end()})), remedy);
  } else if (!without_device.empty()) {
    r.hosts.assign(without_device.begin(), without_device.end());
    conclude(r, Verdict::fail, "ranks hold no RDMA device open on " + listed(r.hosts), remedy);
  } else if (!good.empty() || (ranks > 0 && (named == ranks || by_parts == ranks))) {
    // Intel MPI and MPICH speak for all of their ranks, Open MPI's processes each for themselves.
    std::set<std::string> silent;
    if (named < ranks && by_parts < ranks) {
      std::set<std::string> spoke;
      for (const std::string& host : hosts_of(good)) spoke.insert(std::string(short_name(host)));
      for (const MpiDocument& document : evidence_.documents) {
        for (const Rank& rank : document.ranks) {
          if (spoke.count(kNoHost) == 0 && spoke.count(std::string(short_name(rank.host))) == 0)
            silent.insert(rank.claimed_host());
        }
      }
    }
    if (!silent.empty()) {
      r.hosts.assign(silent.begin(), silent.end());
      conclude(r, Verdict::inconclusive, "nothing shows how MPI sends from " + listed(r.hosts), remedy);
    } else if (evidence_.documents.empty()) {
      conclude(r, Verdict::inconclusive, "the provider was chosen, but no program came to its end", remedy);
    } else {
      conclude(r, Verdict::pass);
    }
  } else if (launched() && started_only_as_is()) {
    const std::vector<Trouble> known = troubles();
    conclude(r, Verdict::fail,
             known.empty() ? fmt::format("MPI does not start over {}, but it does when left to choose",
                                         transport_name(demand_.transport))
                           : known.front().cause,
             known.empty() ? remedy : known.front().remedy);
  } else {
    conclude(r, Verdict::inconclusive, "nothing shows how MPI sent its messages",
             "Keep the logs of runs with OMPI_MCA_opal_common_ofi_verbose=1 OMPI_MCA_mtl_base_verbose=1 "
             "OMPI_MCA_btl_base_verbose=1 "
             "(Open MPI), I_MPI_DEBUG=5 (Intel MPI) or MPIR_CVAR_DEBUG_SUMMARY=1 (MPICH), and give them, too.");
  }
  return r;
}

// Names of the EFA devices of every host, from whatever document has them.
std::map<std::string, std::optional<std::set<std::string>>> Judge::efa_devices() const {
  std::map<std::string, std::optional<std::set<std::string>>> devices;
  const auto look = [&](const MpiDocument& document) {
    for (const Rank& rank : document.ranks) {
      auto& here = devices[rank.claimed_host()];
      if (!rank.devices_known) continue;
      if (!here) here.emplace();
      for (const Device& device : rank.devices) {
        if (device.driver == "efa") here->insert(device.name);
      }
    }
  };
  for (const MpiDocument& document : evidence_.documents) look(document);
  if (evidence_.fallback) look(*evidence_.fallback);
  return devices;
}

Requirement Judge::interfaces() const {
  Requirement r = requirement("interfaces");
  const auto devices = efa_devices();
  if (devices.empty()) return without_ranks(r.id);
  std::vector<std::string> unknown;
  std::map<std::size_t, std::vector<std::string>> by_count;
  for (const auto& [host, names] : devices) {
    if (names) {
      by_count[names->size()].push_back(host);
    } else {
      unknown.push_back(host);
    }
  }
  for (const auto& [count, on] : by_count)
    r.evidence.push_back(fmt::format("{} on {}", plural(count, "EFA interface"), listed(on)));
  std::optional<std::int64_t> expected = demand_.interfaces;
  std::string by = "asked for";
  const std::optional<InstanceType> type = find_instance_type(result_.instance_type);
  if (!expected && type) {
    expected = type->efa_interfaces;
    by = "the catalog's number for " + type->name;
  }
  if (const auto none = by_count.find(0); none != by_count.end()) {
    r.hosts = none->second;
    conclude(r, Verdict::fail,
             type && type->efa_interfaces == 0 ? fmt::format("{} has no EFA", type->name)
                                               : "there is no EFA device on " + listed(r.hosts),
             "Use an instance type with EFA and a launch template with interfaces of type efa (PCS-50, PCS-52); the "
             "AMI needs the EFA "
             "driver (PCS-56).");
    return r;
  }
  if (!expected) {
    conclude(r, Verdict::inconclusive,
             result_.instance_type.empty() ? std::string("the instance type is not known")
                                           : fmt::format("{} is not in the catalog", result_.instance_type),
             "Give --instance-type or --interfaces.");
    return r;
  }
  r.evidence.push_back(fmt::format("expected {}: {}", *expected, by));
  for (const auto& [count, on] : by_count) {
    if (static_cast<std::int64_t>(count) != *expected) r.hosts.insert(r.hosts.end(), on.begin(), on.end());
  }
  if (!r.hosts.empty()) {
    conclude(r, Verdict::fail, fmt::format("not {} EFA interfaces on {}", *expected, listed(r.hosts)),
             "Ask for one EFA interface on every network card in the launch template (PCS-53), or give --interfaces "
             "when fewer are meant.");
  } else if (!unknown.empty()) {
    conclude(r, Verdict::inconclusive, "the devices are not known of " + listed(unknown),
             "Let the programs read /sys/class/infiniband.");
  } else {
    conclude(r, Verdict::pass);
  }
  return r;
}

Requirement Judge::counters() const {
  Requirement r = requirement("counters");
  // By host and document: what is too much in one test must not hide what is missing in another.
  std::map<std::pair<std::string, const MpiDocument*>, Moved> moved;
  std::set<std::string> all_hosts;
  std::vector<std::string> passed_over;
  for (const MpiDocument& document : evidence_.documents) {
    if (document.ranks.size() < 2) continue;
    std::map<std::string, std::vector<const Rank*>> by_host;
    for (const Rank& rank : document.ranks) by_host[rank.claimed_host()].push_back(&rank);
    // What goes to ranks of the same host need not reach a device: it has to be known apart.
    const bool apart = std::all_of(document.ranks.begin(), document.ranks.end(), [](const Rank& rank) {
      return rank.sent_off_host_bytes.has_value() && rank.received_off_host_bytes.has_value();
    });
    if (by_host.size() != document.ranks.size() && !apart) {
      passed_over.push_back(document.test);
      continue;
    }
    for (const auto& [host, ranks] : by_host) {
      Moved& here = moved[{host, &document}];
      all_hosts.insert(host);
      for (const Rank* rank : ranks) {
        const std::optional<std::int64_t>& sent = apart ? rank->sent_off_host_bytes : rank->sent_bytes;
        const std::optional<std::int64_t>& received = apart ? rank->received_off_host_bytes : rank->received_bytes;
        here.known = here.known && sent && received && rank->devices_known;
        here.sent += static_cast<double>(sent.value_or(0));
        here.received += static_cast<double>(received.value_or(0));
      }
      count_devices(ranks, here);
    }
  }
  if (!passed_over.empty()) {
    r.evidence.push_back("several ranks on a host and bytes not known apart, so not counted: " + listed(passed_over));
  }
  double sent = 0;
  double tx = 0;
  std::set<std::string> unknown;
  std::set<std::string> short_of;
  for (const auto& [key, here] : moved) {
    const std::string& host = key.first;
    const std::string& test = key.second->test;
    sent += here.sent;
    tx += here.tx;
    if (!here.known) {
      unknown.insert(host);
    } else if (here.backwards) {
      unknown.insert(host);
      r.evidence.push_back(
          fmt::format("{}: a counter of {} went backwards, as after a reset of the driver", test, host));
    } else if (here.tx < here.sent || here.rx < here.received) {
      if (short_of.insert(host).second && short_of.size() <= kListed) {
        r.evidence.push_back(
            fmt::format("{}: {} sent {:.0f} bytes, its devices counted {:.0f}; received {:.0f}, counted {:.0f}", test,
                        host, here.sent, here.tx, here.received, here.rx));
      }
    }
    if (here.retransmitted > 0.01 * here.tx) {
      r.evidence.push_back(
          fmt::format("{}: {} sent {:.1f} % again", test, host, 100 * here.retransmitted / std::max(here.tx, 1.0)));
    }
  }
  r.hosts.assign(short_of.begin(), short_of.end());
  if (!moved.empty()) {
    r.evidence.insert(r.evidence.begin(),
                      fmt::format("{} hosts sent {:.0f} bytes to each other; their EFA devices counted {:.0f}",
                                  all_hosts.size(), sent, tx));
  }
  if (!r.hosts.empty()) {
    conclude(r, Verdict::fail, "messages went another way than over the EFA devices of " + listed(r.hosts),
             "Force EFA (OMPI_MCA_mtl=ofi FI_PROVIDER=efa); ranks that really share a machine need "
             "FI_EFA_ENABLE_SHM_TRANSFER=0 to be counted.");
  } else if (moved.empty()) {
    conclude(r, Verdict::inconclusive, "no test ran over several hosts", "Run pingpong or allpairs.");
  } else if (!unknown.empty()) {
    conclude(r, Verdict::inconclusive, "bytes or counters are not known of " + listed({unknown.begin(), unknown.end()}),
             "Let the programs read /sys/class/infiniband/*/ports/*/hw_counters.");
  } else if (sent <= 0) {
    conclude(r, Verdict::inconclusive, "nothing was sent between hosts", "Run pingpong or allpairs.");
  } else {
    conclude(r, Verdict::pass);
  }
  return r;
}

}  // namespace headroom::validate
