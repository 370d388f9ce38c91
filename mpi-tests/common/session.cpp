#include "mpi-tests/common/session.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <filesystem>
#include <limits>
#include <set>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <unistd.h>

#include "mpi-tests/common/evidence.hpp"
#include "mpi-tests/common/instance_metadata.hpp"
#include "mpi-tests/common/json.hpp"

// MPI libraries keep memory until the process is gone, much of it in plug-ins that are unloaded by then, so that no
// suppression by name finds it. Leaks of our own would drown in that: under AddressSanitizer these programs do not
// look.
#if defined(__SANITIZE_ADDRESS__)
extern "C" const char* __asan_default_options();
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
#endif

extern "C" char** environ;

namespace headroom::mpi {

namespace {

constexpr int kPayloadTag = 1;
constexpr int kSteeringTag = 2;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

int count_of(std::size_t bytes) {
  if (bytes > static_cast<std::size_t>(std::numeric_limits<int>::max()))
    throw std::length_error("a message of over 2 GiB");
  return static_cast<int>(bytes);
}

std::filesystem::path sysfs_root() {
  const std::string root = environment("HEADROOM_SYSFS_ROOT");
  return root.empty() ? "/" : root;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

// The text of rank 0 on every rank.
std::string broadcast(std::string text) {
  int length = count_of(text.size());
  MPI_Bcast(&length, 1, MPI_INT, 0, MPI_COMM_WORLD);
  text.resize(static_cast<std::size_t>(length));
  MPI_Bcast(text.data(), length, MPI_CHAR, 0, MPI_COMM_WORLD);
  return text;
}

// Every rank's text (cut at 255 bytes) on every rank.
std::vector<std::string> share(const std::string& text, int size) {
  constexpr std::size_t kWidth = 256;
  std::vector<char> all(kWidth * static_cast<std::size_t>(size));
  std::array<char, kWidth> mine{};
  std::copy_n(text.begin(), std::min(text.size(), kWidth - 1), mine.begin());
  MPI_Allgather(mine.data(), kWidth, MPI_CHAR, all.data(), kWidth, MPI_CHAR, MPI_COMM_WORLD);
  std::vector<std::string> texts;
  for (int rank = 0; rank < size; ++rank) texts.emplace_back(all.data() + kWidth * static_cast<std::size_t>(rank));
  return texts;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> buffer{};
  std::strftime(buffer.data(), buffer.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return buffer.data();
}

void write_list(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

// The library as it is at run time: MPICH's programs run on Intel MPI's library and the other way round.
void write_mpi(JsonWriter& json) {
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> buffer{};
  int length = 0;
  MPI_Get_library_version(buffer.data(), &length);
  std::string library(buffer.data(), static_cast<std::size_t>(std::max(length, 0)));
  while (!library.empty() && library.back() == '\0') library.pop_back();
  library.erase(std::min(library.find('\n'), library.size()));
  std::replace(library.begin(), library.end(), '\t', ' ');
  const auto begins = [&](std::string_view prefix) { return library.compare(0, prefix.size(), prefix) == 0; };
  const char* vendor = begins("Open MPI") ? "openmpi"
                       : begins("Intel")  ? "intelmpi"
                       : begins("MPICH")  ? "mpich"
                                          : "other";
  int version = 0;
  int subversion = 0;
  MPI_Get_version(&version, &subversion);
  json.key("mpi")
      .begin_object()
      .member("vendor", vendor)
      .member("library", library)
      .member("standard", std::to_string(version) + "." + std::to_string(subversion))
      .member("timer_resolution_s", MPI_Wtick())
      .end_object();
}

// What steers MPI, libfabric and Slurm. What mpirun passes to its own children (OMPI_MCA_orte_* and the like) says
// nothing and changes from run to run.
void write_environment(JsonWriter& json) {
  constexpr std::array<std::string_view, 6> kPrefixes = {"FI_",   "OMPI_MCA_", "I_MPI_",
                                                         "MPIR_", "UCX_",      "HEADROOM_MPI_"};
  constexpr std::array<std::string_view, 6> kInternal = {"OMPI_MCA_orte", "OMPI_MCA_ess",     "OMPI_MCA_pmix",
                                                         "OMPI_MCA_prte", "OMPI_MCA_initial", "OMPI_MCA_shmem"};
  const std::set<std::string_view> names = {"SLURM_JOB_ID", "SLURM_JOB_NODELIST", "SLURM_NNODES", "SLURM_NTASKS",
                                            "SLURM_JOB_PARTITION"};
  const auto begins = [](std::string_view text) {
    return [text](std::string_view prefix) { return text.substr(0, prefix.size()) == prefix; };
  };
  std::vector<std::pair<std::string, std::string>> chosen;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view line = *entry;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, equals);
    const bool wanted = names.count(name) > 0 || std::any_of(kPrefixes.begin(), kPrefixes.end(), begins(name));
    if (!wanted || std::any_of(kInternal.begin(), kInternal.end(), begins(name))) continue;
    chosen.emplace_back(name, line.substr(equals + 1));
  }
  std::sort(chosen.begin(), chosen.end());
  json.key("environment").begin_object();
  for (const auto& [name, value] : chosen) json.member(name, value);
  json.end_object();
}

struct Identity {
  Instance instance;
  std::string metadata_problem;
};

// Whoever set the variables knows best; then the metadata service, then the firmware.
Identity identify(bool ask_metadata) {
  Identity identity;
  identity.instance = instance_from_dmi(sysfs_root());
  if (ask_metadata) {
    const Instance told = instance_from_metadata(1.0, identity.metadata_problem);
    if (!told.id.empty()) identity.instance.id = told.id;
    if (!told.type.empty()) identity.instance.type = told.type;
    if (!told.zone.empty()) identity.instance.zone = told.zone;
  }
  if (const std::string id = environment("HEADROOM_INSTANCE_ID"); !id.empty()) identity.instance.id = id;
  if (const std::string type = environment("HEADROOM_INSTANCE_TYPE"); !type.empty()) identity.instance.type = type;
  if (const std::string zone = environment("HEADROOM_INSTANCE_ZONE"); !zone.empty()) identity.instance.zone = zone;
  return identity;
}

void write_devices(JsonWriter& json, const std::vector<DevicePort>& before, const std::vector<DevicePort>& after) {
  json.key("devices").begin_array();
  for (const DevicePort& port : after) {
    json.begin_object().member("name", port.name);
    if (!port.driver.empty()) json.member("driver", port.driver);
    json.member("port", port.port).key("counters").begin_object();
    const auto old = std::find_if(before.begin(), before.end(), [&](const DevicePort& other) {
      return other.name == port.name && other.port == port.port;
    });
    for (const auto& [name, value] : port.counters) {
      // A counter that was not there before has no difference.
      if (old == before.end() || old->counters.count(name) == 0) continue;
      json.key(name).begin_object().member("before", old->counters.at(name)).member("after", value).end_object();
    }
    json.end_object().end_object();
  }
  json.end_array();
}

void write_optional(JsonWriter& json, std::string_view name, const std::string& text) {
  if (!text.empty()) json.member(name, text);
}

// A file that appears whole or not at all. That it can be written is tried at once, so that a run of an hour does not
// end with "no such folder".
class Document {
 public:
  // Empty path: standard output.
  explicit Document(std::string path) : path_(std::move(path)), part_(path_ + ".part-" + std::to_string(getpid())) {
    if (path_.empty()) return;
    std::error_code error;
    if (std::filesystem::is_directory(path_, error)) {
      problem_ = path_ + ": " + std::strerror(EISDIR);
    } else if (std::FILE* file = std::fopen(part_.c_str(), "w"); file != nullptr) {
      std::fclose(file);
      std::remove(part_.c_str());
    } else {
      problem_ = path_ + ": " + std::strerror(errno);
    }
  }

  const std::string& problem() const { return problem_; }

  void write(const std::string& text) {
    if (path_.empty()) {
      if (!put(text, stdout)) problem_ = std::string("standard output: ") + std::strerror(errno);
      return;
    }
    std::FILE* file = std::fopen(part_.c_str(), "w");
    bool whole = file != nullptr && put(text, file);
    if (file != nullptr) whole = std::fclose(file) == 0 && whole;
    if (whole && std::rename(part_.c_str(), path_.c_str()) == 0) return;
    problem_ = path_ + ": " + std::strerror(errno);
    std::remove(part_.c_str());
  }

 private:
  static bool put(const std::string& text, std::FILE* file) {
    return std::fwrite(text.data(), 1, text.size(), file) == text.size() && std::fflush(file) == 0;
  }

  std::string path_;
  std::string part_;
  std::string problem_;
};

int end(int status) {
  MPI_Finalize();
  return status;
}

}  // namespace

Session::Session(const std::string& program, int rank, int size, double stall_limit_s)
    : rank_(rank), watch_(program + ": rank " + std::to_string(rank) + " (" + host_name() + ")") {
  watch_.limit(stall_limit_s);
  watch_.doing("the first messages between all ranks");
  MPI_Comm shared = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &shared);
  int lowest = rank;
  MPI_Bcast(&lowest, 1, MPI_INT, 0, shared);
  MPI_Comm_free(&shared);
  groups_.resize(static_cast<std::size_t>(size));
  MPI_Allgather(&lowest, 1, MPI_INT, groups_.data(), 1, MPI_INT, MPI_COMM_WORLD);
  const std::string node = environment("SLURMD_NODENAME");
  names_ = share(node.empty() ? host_name() : node, size);
  boot_ids_ = share(boot_id(), size);
}

std::string Session::describe(int rank) const {
  return "rank " + std::to_string(rank) + " (" + names_[static_cast<std::size_t>(rank)] + ")";
}

int Session::groups_count() const { return static_cast<int>(std::set<int>(groups_.begin(), groups_.end()).size()); }

void Session::count_sent(std::size_t bytes, int receiver) {
  traffic_.sent += static_cast<std::int64_t>(bytes);
  if (groups_[static_cast<std::size_t>(receiver)] != groups_[static_cast<std::size_t>(rank_)]) {
    traffic_.sent_off_host += static_cast<std::int64_t>(bytes);
  }
}

void Session::count_received(std::size_t bytes, int sender) {
  traffic_.received += static_cast<std::int64_t>(bytes);
  if (groups_[static_cast<std::size_t>(sender)] != groups_[static_cast<std::size_t>(rank_)]) {
    traffic_.received_off_host += static_cast<std::int64_t>(bytes);
  }
}

void Session::send(std::span<const std::byte> message, int receiver) {
  if (faults_.loses(rank_, receiver)) return;
  MPI_Send(message.data(), count_of(message.size()), MPI_BYTE, receiver, kPayloadTag, MPI_COMM_WORLD);
  count_sent(message.size(), receiver);
}

void Session::receive(std::span<std::byte> message, int sender) {
  MPI_Recv(message.data(), count_of(message.size()), MPI_BYTE, sender, kPayloadTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  count_received(message.size(), sender);
  watch_.progress();
}

MPI_Request Session::begin_send(std::span<const std::byte> message, int receiver) {
  MPI_Request request = MPI_REQUEST_NULL;
  if (faults_.loses(rank_, receiver)) return request;
  MPI_Isend(message.data(), count_of(message.size()), MPI_BYTE, receiver, kPayloadTag, MPI_COMM_WORLD, &request);
  count_sent(message.size(), receiver);
  return request;
}

MPI_Request Session::begin_receive(std::span<std::byte> message, int sender) {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Irecv(message.data(), count_of(message.size()), MPI_BYTE, sender, kPayloadTag, MPI_COMM_WORLD, &request);
  count_received(message.size(), sender);
  return request;
}

void Session::steer(std::int64_t number, int receiver) {
  if (faults_.loses(rank_, receiver)) return;
  MPI_Send(&number, 1, MPI_INT64_T, receiver, kSteeringTag, MPI_COMM_WORLD);
}

std::int64_t Session::steered(int sender) {
  std::int64_t number = 0;
  MPI_Recv(&number, 1, MPI_INT64_T, sender, kSteeringTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  watch_.progress();
  return number;
}

void Session::delay(int receiver) const {
  const std::int64_t microseconds = faults_.delay_us(rank_, receiver);
  if (microseconds > 0) std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
}

void Session::report_wrong(const std::string& what) {
  ++wrong_messages_;
  if (wrong_messages_ > 3) return;  // the count is in the result
  std::fprintf(stderr, "%s: %s\n", describe(rank_).c_str(), what.c_str());
}

void Session::quiet_barrier(MPI_Comm communicator) {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Ibarrier(communicator, &request);
  watch_.doing("");  // others may measure for as long as it takes
  auto nap = std::chrono::microseconds(20);
  for (int over = 0;;) {
    MPI_Test(&request, &over, MPI_STATUS_IGNORE);
    if (over != 0) return;
    std::this_thread::sleep_for(nap);
    nap = std::min(nap * 2, std::chrono::microseconds(1000));
  }
}

std::vector<std::string> Session::collect(const std::string& text) const {
  const std::size_t ranks = rank_ == 0 ? names_.size() : 0;
  const int length = count_of(text.size());
  std::vector<int> lengths(ranks);
  MPI_Gather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, 0, MPI_COMM_WORLD);
  std::vector<int> starts(ranks);
  std::size_t total = 0;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    starts[rank] = count_of(total);
    total += static_cast<std::size_t>(lengths[rank]);
  }
  std::string all(total, '\0');
  MPI_Gatherv(text.data(), length, MPI_CHAR, all.data(), lengths.data(), starts.data(), MPI_CHAR, 0, MPI_COMM_WORLD);
  std::vector<std::string> texts;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    texts.push_back(all.substr(static_cast<std::size_t>(starts[rank]), static_cast<std::size_t>(lengths[rank])));
  }
  return texts;
}

namespace {

std::string facts_of(const Session& session, const Traffic& traffic, const Identity& identity,
                     const std::vector<DevicePort>& before, const std::vector<DevicePort>& after) {
  const auto me = static_cast<std::size_t>(session.rank());
  JsonWriter json;
  json.begin_object().member("rank", session.rank()).member("host", host_name());
  write_optional(json, "node", environment("SLURMD_NODENAME"));
  write_optional(json, "boot_id", session.boot_ids()[me]);
  write_optional(json, "network_namespace", network_namespace());
  json.member("shared_memory_group", session.groups()[me]);
  write_optional(json, "instance_id", identity.instance.id);
  write_optional(json, "instance_type", identity.instance.type);
  write_optional(json, "availability_zone", identity.instance.zone);
  write_optional(json, "instance_metadata_problem", identity.metadata_problem);
  json.member("pid", getpid());
  write_optional(json, "cpus", allowed_cpus());
  const Fabric fabric = fabric_of_this_process();
  write_list(json, "providers", providers(fabric, sysfs_root()));
  json.key("fabric").begin_object().member("libfabric_loaded", fabric.libfabric_loaded);
  write_list(json, "open_devices", fabric.open_devices);
  write_list(json, "mapped_devices", fabric.mapped_devices);
  write_list(json, "libraries", fabric.libraries);
  write_list(json, "mpi_components", fabric.mpi_components);
  write_optional(json, "provider_asked", environment("FI_PROVIDER"));
  json.end_object();
  write_devices(json, before, after);
  json.member("sent_bytes", traffic.sent)
      .member("received_bytes", traffic.received)
      .member("sent_bytes_off_host", traffic.sent_off_host)
      .member("received_bytes_off_host", traffic.received_off_host)
      .end_object();
  return json.text();
}

}  // namespace

int run(int argc, char** argv, const Program& program) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  int rank = 0;
  int size = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);

  try {
    bool help = false;
    bool version = false;
    bool as_json = false;
    bool imds = false;
    std::string output;
    double stall_limit_s = 300;
    Options options;
    program.declare(options);
    options.flag("json", as_json, "JSON to standard output (docs/mpi-tests.md)");
    options.text("output", "FILE", output, "JSON to this file, whole or not at all");
    options.flag("imds", imds, "ask EC2's metadata service who this instance is");
    options.seconds("stall-limit", stall_limit_s, 0, "end with status 4 when nothing moves for so long; 0: never");
    options.flag("help", help, "this text");
    options.flag("version", version, "the version");

    // The very first messages may hang, before rank 0's arguments are known here: this one is taken from one's own.
    const std::string_view stall_option = "--stall-limit";
    for (int i = 1; i < argc; ++i) {
      const std::string argument = argv[i];
      if (argument.compare(0, stall_option.size(), stall_option) != 0) continue;
      const bool joined = argument.size() > stall_option.size();
      const char* value = joined ? argument.c_str() + stall_option.size() + 1 : i + 1 < argc ? argv[i + 1] : "";
      if (const double seconds = std::atof(value); seconds > 0) stall_limit_s = seconds;
    }

    Session session(program.name, rank, size, stall_limit_s);
    // Launchers may give ranks different arguments and environments; rank 0's count.
    std::string joined;
    for (int i = 1; i < argc; ++i) joined += std::string(argv[i]) + '\0';
    joined = broadcast(joined);
    const std::string fault = broadcast(environment("HEADROOM_MPI_FAULT"));
    try {
      std::vector<std::string> arguments;
      for (std::size_t at = 0; at < joined.size();) {
        arguments.emplace_back(joined.c_str() + at);
        at += arguments.back().size() + 1;
      }
      options.parse(arguments);
      session.faults_ = Faults(fault);
      if (!help && !version) {
        if (size < program.least_ranks) {
          throw UsageError("needs at least " + std::to_string(program.least_ranks) + " ranks, and there is " +
                           std::to_string(size) +
                           " (started with another MPI's mpirun, or with srun without --mpi=pmix?)");
        }
        if (program.check) program.check(size);
      }
    } catch (const UsageError& error) {
      if (rank == 0) std::fprintf(stderr, "%s: %s\n", program.name.c_str(), error.what());
      return end(2);
    }
    if (help || version) {
      if (rank == 0 && help) {
        std::printf("usage: mpirun -n N %s [OPTION]...\n\n%s\n\n%s\n", program.name.c_str(), program.purpose.c_str(),
                    options.help().c_str());
        std::printf(
            "Exit status: 0 fine; 1 a check failed; 2 usage; 4 nothing moved, or the output cannot be written.\n");
      } else if (rank == 0) {
        std::printf("%s %s\n", program.name.c_str(), HEADROOM_MPI_VERSION);
      }
      return end(0);
    }
    Document document(rank == 0 ? output : "");
    int writable = document.problem().empty() ? 1 : 0;
    MPI_Bcast(&writable, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (writable == 0) {
      if (rank == 0) std::fprintf(stderr, "%s: %s\n", program.name.c_str(), document.problem().c_str());
      return end(4);
    }
    session.watch_.limit(stall_limit_s);
    if (rank == 0 && !fault.empty()) {
      std::fprintf(stderr, "%s: HEADROOM_MPI_FAULT=%s: this is a test, not a measurement\n", program.name.c_str(),
                   fault.c_str());
    }

    const std::string started = utc_now();
    // One rank of each host asks the metadata service, which allows few questions a second.
    const bool leads = session.groups_[static_cast<std::size_t>(rank)] == rank;
    Identity identity = identify(imds && leads);
    if (imds) {
      const std::vector<std::string> ids = share(identity.instance.id, size);
      const std::vector<std::string> types = share(identity.instance.type, size);
      const std::vector<std::string> zones = share(identity.instance.zone, size);
      const auto leader = static_cast<std::size_t>(session.groups_[static_cast<std::size_t>(rank)]);
      identity.instance = {ids[leader], types[leader], zones[leader]};
    }
    const std::vector<DevicePort> before = read_device_ports(sysfs_root());
    session.quiet_barrier();

    Outcome outcome = program.body(session);

    session.quiet_barrier();
    // The kernel answers from its memory for 10 ms (RDMA_HW_STATS_DEFAULT_LIFESPAN): by then the counters have seen
    // all.
    if (!before.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const std::vector<DevicePort> after = read_device_ports(sysfs_root());
    session.watch_.doing("the results of all ranks");
    const std::vector<std::string> facts =
        session.collect(facts_of(session, session.traffic_, identity, before, after));
    int failed = outcome.failed || session.wrong_messages_ > 0 ? 1 : 0;
    MPI_Allreduce(MPI_IN_PLACE, &failed, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);

    int status = failed != 0 ? 1 : 0;
    if (rank == 0) {
      JsonWriter json;
      json.begin_object()
          .member("schema", "headroom.mpi/1")
          .member("test", program.name)
          .member("program_version", HEADROOM_MPI_VERSION)
          .member("started_utc", started)
          .member("elapsed_s", session.elapsed_s());
      if (!fault.empty()) json.member("test_fault", fault);
      write_mpi(json);
      json.key("arguments");
      options.write(json);
      json.key("ranks").begin_array();
      for (const std::string& text : facts) json.raw(text);
      json.end_array();
      write_environment(json);
      json.raw_member("result", outcome.result).end_object();
      if (as_json || !output.empty()) document.write(json.text() + "\n");
      if (!as_json && document.problem().empty()) {
        Document terminal("");
        terminal.write(outcome.text);
        if (!terminal.problem().empty()) {
          std::fprintf(stderr, "%s: %s\n", program.name.c_str(), terminal.problem().c_str());
          status = 4;
        }
      }
      if (!document.problem().empty()) {
        std::fprintf(stderr, "%s: %s\n", program.name.c_str(), document.problem().c_str());
        status = 4;
      }
    }
    MPI_Bcast(&status, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return end(status);
  } catch (const std::exception& error) {
    // One rank alone cannot end in order: the others wait for it.
    std::fprintf(stderr, "%s: rank %d: %s\n", program.name.c_str(), rank, error.what());
    MPI_Abort(MPI_COMM_WORLD, 4);
    return 4;
  }
}

}  // namespace headroom::mpi
