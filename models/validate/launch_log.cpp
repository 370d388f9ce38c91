#include "models/validate/launch_log.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

namespace headroom::validate {
namespace {

constexpr std::size_t kLongestLine = 300;  // of what is repeated to the user

constexpr std::size_t kMostStalls = 1000;

// Names of libfabric's core providers (fi_provider(7)); a line of Open MPI may name a provider or a domain.
constexpr auto kProviders =
    std::to_array<std::string_view>({"efa", "tcp", "net", "sockets", "udp", "shm", "sm2", "verbs", "psm", "psm2",
                                     "psm3", "opx", "cxi", "gni", "bgq", "usnic", "mlx", "ucx", "lnx"});

struct KnownTrouble {
  std::string_view text;
  std::string_view cause;
  std::string_view remedy;
};

constexpr auto kTroubles = std::to_array<KnownTrouble>({
    {"PML cm cannot be selected", "libfabric offers Open MPI no provider of the kind that was asked for",
     "On an instance with EFA install the EFA driver and libfabric (fi_info -p efa must list a device); the launch "
     "template "
     "must ask for an interface of type efa (PCS-52, PCS-56)."},
    {"provider(s) not found", "libfabric offers the MPI library no provider of the kind that was asked for",
     "Install the EFA driver and libfabric (fi_info -p efa must list a device) and give the instances an EFA interface "
     "(PCS-52)."},
    {"OFI addrinfo() failed", "libfabric offers the MPI library no provider of the kind that was asked for",
     "Install the EFA driver and libfabric (fi_info -p efa must list a device) and give the instances an EFA interface "
     "(PCS-52)."},
    {"attempt to run as root", "Open MPI does not start as root unless it is told to",
     "Run as an ordinary user, or set OMPI_ALLOW_RUN_AS_ROOT=1 and OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 yourself."},
    {"not enough slots available", "mpirun was given fewer slots than ranks",
     "Give more hosts, or fewer ranks for each (--tasks-per-node)."},
    {"Permission denied (publickey", "mpirun cannot log in to a host with ssh",
     "Let the user log in to every host without a password, or validate through the scheduler: --slurm."},
    {"Host key verification failed", "mpirun cannot log in to a host with ssh: its key is not known",
     "Add the hosts' keys to known_hosts, or validate through the scheduler: --slurm."},
    {"Could not resolve hostname", "a host's name is not known", "Correct the name, or the name service."},
    {"Connection timed out", "a host does not answer",
     "Check that the host runs and that its security group lets ssh and MPI in."},
    {"No route to host", "a host cannot be reached",
     "Check that the host runs and that route tables and firewalls let MPI through."},
    {"was unable to find the specified executable", "the test programs are not where they were looked for on a host",
     "Put mpi-tests on a shared file system, or name the folder with --programs."},
    {"could not access or execute an executable", "the test programs are not where they were looked for on a host",
     "Put mpi-tests on a shared file system, or name the folder with --programs."},
    {"unable to access or execute", "the test programs are not where they were looked for on a host",
     "Put mpi-tests on a shared file system, or name the folder with --programs."},
    {"error while loading shared libraries", "a library that the test programs need is missing on a host",
     "Install the MPI that the programs were compiled with on every node, and load it in the job (module load, "
     "LD_LIBRARY_PATH)."},
    {"ORTE daemon has unexpectedly failed", "mpirun's daemon ended on a host",
     "Run mpirun with --mca plm_base_verbose 10 to see where and why."},
    {"unable to reliably start one or more daemons", "mpirun's daemon does not start on a host",
     "Check that MPI is installed at the same place on every host and that ssh or Slurm can start it."},
    {"unable to reach each other for MPI communications", "two ranks have no transport in common",
     "Look at what each host offers (ip address, fi_info) and at the MPI library's include and exclude lists."},
    {"launch failed: Unspecified error", "Slurm's own launch of MPI ranks (srun --mpi) fails",
     "Check that Slurm and the MPI library agree on PMIx (srun --mpi=list), or use --launcher mpirun."},
    {"not built with SLURM's PMI support", "the MPI library cannot be started by srun directly",
     "Use --launcher mpirun, or srun --mpi=pmix with a Slurm that has the PMIx plugin."},
    {"memlock", "memory cannot be locked for the network adapter",
     "Raise the limit of locked memory: ulimit -l unlimited, also for slurmd."},
    {"call to connect() to", "a TCP connection between two ranks was refused or timed out",
     "Let all ports between the hosts through: a security group that allows all traffic from and to itself (PCS-52)."},
});

bool is_provider(std::string_view name) {
  const std::string_view core = name.substr(0, name.find(';'));
  return std::find(kProviders.begin(), kProviders.end(), core) != kProviders.end();
}

// EFA's domains are called rdmap0s6-rdm (today's names of RDMA devices) or efa_0-rdm (older kernels).
bool is_efa_domain(std::string_view name) {
  return (name.starts_with("rdmap") || name.starts_with("efa_")) && (name.ends_with("-rdm") || name.ends_with("-dgrm"));
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::string_view first_word(std::string_view text) {
  text = trimmed(text);
  return text.substr(0, text.find_first_of(" \t,"));
}

// "[host:pid] ..." gives the host.
std::string host_of(std::string_view line) {
  if (!line.starts_with("[")) return {};
  const std::size_t close = line.find(']');
  const std::size_t colon = line.find(':');
  if (close == std::string_view::npos || colon == std::string_view::npos || colon > close) return {};
  const std::string_view pid = line.substr(colon + 1, close - colon - 1);
  if (pid.empty() || pid.find_first_not_of("0123456789") != std::string_view::npos) return {};
  return std::string(line.substr(1, colon - 1));
}

// What follows `marker` in the line; empty when it is not in it.
std::string_view after(std::string_view line, std::string_view marker) {
  const std::size_t at = line.find(marker);
  return at == std::string_view::npos ? std::string_view{} : trimmed(line.substr(at + marker.size()));
}

bool read_use(std::string_view line, TransportUse& use) {
  use.host = host_of(line);
  // Open MPI 4.x: the provider, then the domain under the second name; 5.x: the provider, then "provider:domain".
  if (const std::string_view name = after(line, "mtl:ofi:prov: "); !name.empty()) {
    use.name = std::string(name);
    return name != "none";
  }
  for (const std::string_view marker : {"mtl:ofi:provider: ", "mtl:ofi:provider:domain: "}) {
    const std::string_view name = after(line, marker);
    if (name.empty()) continue;
    if (is_efa_domain(name)) {
      use.name = "efa";
      return true;
    }
    use.name = std::string(name);
    return is_provider(name);
  }
  // Intel MPI ("[0] MPI startup(): libfabric provider: efa") and MPICH ("libfabric provider: sockets - 10.0.0.0/24").
  if (const std::string_view name = first_word(after(line, "libfabric provider: ")); !name.empty()) {
    use.name = std::string(name);
    return true;
  }
  if (line.find("==== UCX netmod Capability ====") != std::string_view::npos) {  // MPICH built upon UCX
    use.layer = TransportUse::Layer::netmod;
    use.name = "ucx";
    return true;
  }
  // "[n1:17] mca: bml: Using tcp btl for send to [[25688,1],0] on node n2"
  if (const std::string_view rest = after(line, "mca: bml: Using "); !rest.empty()) {
    use.layer = TransportUse::Layer::btl;
    use.name = std::string(first_word(rest));
    use.peer = std::string(after(rest, " on node "));
    return use.name != "self" && rest.find(" btl ") != std::string_view::npos;
  }
  return false;
}

}  // namespace

LaunchLog read_launch_log(std::string_view text, const std::string& source) {
  LaunchLog log;
  log.source = source;
  log.end = last_lines(text, 3);
  std::set<std::tuple<TransportUse::Layer, std::string, std::string, std::string>> seen;
  std::set<std::string_view> causes;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    // "pingpong: rank 3 (ip-10-0-0-7): no progress for 60 s: ping-pong of 8 bytes with rank 0 (ip-10-0-0-5)"
    if (const std::size_t at = line.find("): no progress for "); at != std::string_view::npos) {
      const std::size_t open = line.rfind('(', at);
      if (open != std::string_view::npos && log.stalls.size() < kMostStalls) {
        log.stalls.push_back(
            {std::string(line.substr(open + 1, at - open - 1)), std::string(trimmed(line).substr(0, kLongestLine))});
      }
    }
    if (line.find(" is not what was sent") != std::string_view::npos && log.changed_messages.size() < kMostStalls) {
      log.changed_messages.emplace_back(trimmed(line).substr(0, kLongestLine));
    }
    TransportUse use;
    if (read_use(line, use) && seen.emplace(use.layer, use.name, use.host, use.peer).second) {
      log.uses.push_back(std::move(use));
    }
    for (const KnownTrouble& known : kTroubles) {
      if (line.find(known.text) == std::string_view::npos || !causes.insert(known.cause).second) continue;
      log.troubles.push_back(
          {std::string(trimmed(line).substr(0, kLongestLine)), std::string(known.cause), std::string(known.remedy)});
    }
  }
  return log;
}

std::string last_lines(std::string_view text, std::size_t lines) {
  std::vector<std::string_view> kept;
  while (!text.empty() && kept.size() < lines) {
    const std::size_t at = text.rfind('\n');
    const std::string_view line = trimmed(at == std::string_view::npos ? text : text.substr(at + 1));
    // Rules of dashes around Open MPI's help texts say nothing.
    if (line.find_first_not_of('-') != std::string_view::npos) kept.push_back(line.substr(0, kLongestLine));
    text = at == std::string_view::npos ? std::string_view{} : text.substr(0, at);
  }
  std::string result;
  for (auto line = kept.rbegin(); line != kept.rend(); ++line) {
    if (!result.empty()) result += " | ";
    result += *line;
  }
  return result;
}

}  // namespace headroom::validate
