#include "models/validate/launch.hpp"

#include <algorithm>

#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/errors.hpp"
#include "models/files.hpp"
#include "models/validate/child_process.hpp"
#include "models/validate/launch_log.hpp"
#include "models/validate/mpi_document.hpp"

namespace headroom::validate {
namespace {

constexpr double kVersionLimitS = 30;
constexpr double kPairLimitS = 20;  // hello and the first messages take a second or two
constexpr std::size_t kMostPairs = 16;

std::vector<std::string> program_arguments(const LaunchOptions& options, const std::string& test, std::int64_t hosts) {
  // The programs' own watch says who waits for whom, if it comes before the time limit.
  const double stall_limit_s = std::max(1.0, std::min(60.0, options.time_limit_s / 2));
  std::vector<std::string> arguments{options.programs + "/" + test, "--json", "--stall-limit",
                                     fmt::format("{:g}", stall_limit_s)};
  if (options.imds) arguments.emplace_back("--imds");
  // hello is not told the layout: it would end with an error, and what it finds is judged anyway.
  if (test == "pingpong" || test == "allreduce") {
    arguments.insert(arguments.end(), {"--max-bytes", fmt::format("{}", options.largest_bytes)});
  } else if (test == "allpairs" && hosts == 1) {
    arguments.emplace_back("--every-rank");
  }
  return arguments;
}

bool safe_in_shell(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_-./:,=+@%").find(c) != std::string_view::npos;
}

}  // namespace

bool holds_document(const std::string& file) {
  try {
    return read_program_output(read_file(file), file).document.has_value();
  } catch (const InputError&) {
    return false;
  }
}

bool shows_stall(const std::string& log_file) { return !read_launch_log(read_file(log_file), log_file).stalls.empty(); }

std::string shell_words(const std::vector<std::string>& arguments) {
  std::string words;
  for (const std::string& argument : arguments) {
    if (!words.empty()) words += ' ';
    if (!argument.empty() && std::all_of(argument.begin(), argument.end(), safe_in_shell)) {
      words += argument;
      continue;
    }
    words += '\'';
    for (const char c : argument) words += c == '\'' ? std::string("'\\''") : std::string(1, c);
    words += '\'';
  }
  return words;
}

std::vector<std::pair<std::string, std::string>> transport_environment(Transport transport, bool as_is) {
  std::vector<std::pair<std::string, std::string>> environment{
      // Open MPI: "mtl:ofi:prov: efa" and "Using tcp btl for send to"; Intel MPI and MPICH: "libfabric provider: efa"
      {"OMPI_MCA_opal_common_ofi_verbose", "1"}, {"OMPI_MCA_mtl_base_verbose", "1"},
      {"OMPI_MCA_btl_base_verbose", "1"},        {"I_MPI_DEBUG", "5"},
      {"MPIR_CVAR_DEBUG_SUMMARY", "1"},
  };
  if (as_is) return environment;
  const auto set = [&](std::string name, std::string value) {
    environment.emplace_back(std::move(name), std::move(value));
  };
  switch (transport) {
    case Transport::efa:
      set("OMPI_MCA_pml",
          "cm");  // Open MPI's btl/ofi over EFA gets half the bandwidth of its mtl/ofi (ompi issue 11005)
      set("OMPI_MCA_mtl", "ofi");
      set("OMPI_MCA_mtl_ofi_provider_include", "efa");          // 4.0
      set("OMPI_MCA_opal_common_ofi_provider_include", "efa");  // 4.1 and later
      set("FI_PROVIDER", "efa");
      set("I_MPI_FABRICS", "shm:ofi");
      set("I_MPI_OFI_PROVIDER", "efa");
      break;
    case Transport::tcp:
      set("OMPI_MCA_pml", "ob1");
      set("OMPI_MCA_btl", "tcp,self");
      set("FI_PROVIDER", "tcp");
      set("I_MPI_FABRICS", "ofi");
      set("I_MPI_OFI_PROVIDER", "tcp");
      break;
    case Transport::shm:
      set("OMPI_MCA_pml", "ob1");
      set("OMPI_MCA_btl", "vader,self");  // 5.x knows sm by this name, too
      set("I_MPI_FABRICS", "shm");
      break;
  }
  return environment;
}

std::vector<std::string> launch_arguments(const LaunchOptions& options, Launcher launcher, const std::string& test,
                                          const std::vector<std::string>& hosts, std::int64_t host_count,
                                          std::int64_t per_host) {
  std::vector<std::string> arguments{options.mpirun};
  const std::string ranks = fmt::format("{}", host_count * per_host);
  if (launcher == Launcher::openmpi) {
    if (!hosts.empty()) {
      std::string slots;
      for (const std::string& host : hosts) slots += fmt::format("{}{}:{}", slots.empty() ? "" : ",", host, per_host);
      arguments.insert(arguments.end(), {"--host", slots});
    }
    arguments.insert(arguments.end(), {"-n", ranks, "--map-by", fmt::format("ppr:{}:node", per_host)});
    // OMPI_MCA_* goes to the ranks by itself.
    if (!options.as_is && options.transport != Transport::shm) arguments.insert(arguments.end(), {"-x", "FI_PROVIDER"});
  } else {
    if (!hosts.empty()) arguments.insert(arguments.end(), {"-hosts", fmt::format("{}", fmt::join(hosts, ","))});
    arguments.insert(arguments.end(), {"-n", ranks, "-ppn", fmt::format("{}", per_host)});
  }
  const std::vector<std::string> program = program_arguments(options, test, host_count);
  arguments.insert(arguments.end(), program.begin(), program.end());
  return arguments;
}

std::int64_t ranks_per_host(const LaunchOptions& options, const std::string& test) {
  const bool one_host = options.host_count == 1;
  const bool measures_pairs = test == "pingpong" || test == "allpairs";
  return measures_pairs && !one_host ? 1 : options.tasks_per_node;
}

Launcher identify_launcher(const std::string& mpirun, const std::string& folder, const std::atomic<bool>& stop) {
  ChildCommand command;
  command.arguments = {mpirun, "--version"};
  command.out_file = folder + "/mpirun-version.txt";
  command.log_file = folder + "/mpirun-version.log";
  command.time_limit_s = kVersionLimitS;
  const ChildResult result = run_child(command, stop);
  const std::string text = read_file(command.out_file) + read_file(command.log_file);
  if (result.status == 127) {
    throw EnvironmentError(
        fmt::format("{}: cannot be started: is MPI installed and in PATH (module load openmpi)?", mpirun));
  }
  // "mpirun (Open MPI) 4.1.4"; "HYDRA build details:"; "Intel(R) MPI Library for Linux* OS"
  if (text.find("Open MPI") != std::string::npos || text.find("OpenRTE") != std::string::npos) return Launcher::openmpi;
  if (text.find("HYDRA") != std::string::npos || text.find("Intel(R) MPI") != std::string::npos) return Launcher::hydra;
  throw EnvironmentError(fmt::format("{} --version: {}: expected Open MPI, MPICH or Intel MPI", mpirun,
                                     text.empty() ? "printed nothing" : last_lines(text.substr(0, 400), 1)));
}

std::vector<ProgramRun> run_with_mpirun(const LaunchOptions& options, const std::atomic<bool>& stop,
                                        const std::function<void(const std::string&)>& report) {
  const Launcher launcher = identify_launcher(options.mpirun, options.folder, stop);
  std::vector<ProgramRun> runs;

  const auto run = [&](const std::string& test, Purpose purpose, const std::vector<std::string>& hosts,
                       std::int64_t per_host, Transport transport, bool as_is, double limit_s,
                       const std::string& name) {
    LaunchOptions own = options;
    own.transport = transport;
    own.as_is = as_is;
    own.time_limit_s = limit_s;
    if (purpose != Purpose::test) own.largest_bytes = 8;
    ChildCommand command;
    command.arguments = launch_arguments(own, launcher, test, hosts, static_cast<std::int64_t>(hosts.size()), per_host);
    command.environment = transport_environment(transport, as_is);
    command.out_file = options.folder + "/" + name + ".json";
    command.log_file = options.folder + "/" + name + ".log";
    command.time_limit_s = limit_s;
    ProgramRun made;
    made.test = test;
    made.purpose = purpose;
    if (purpose == Purpose::one_pair) made.hosts = hosts;
    made.command = shell_words(command.arguments);
    made.out_file = command.out_file;
    made.log_file = command.log_file;
    made.time_limit_s = limit_s;
    report(fmt::format("{}: {}", name, made.command));
    const ChildResult result = run_child(command, stop);
    made.status = result.status;
    made.timed_out = result.timed_out;
    made.interrupted = result.interrupted;
    made.elapsed_s = result.elapsed_s;
    made.stalled = result.status != 0 && shows_stall(made.log_file);
    made.reported = result.status == 1 && holds_document(made.out_file);
    runs.push_back(made);
    return made;
  };

  for (const std::string& test : options.tests) {
    const ProgramRun made = run(test, Purpose::test, options.hosts, ranks_per_host(options, test), options.transport,
                                options.as_is, options.time_limit_s, test);
    if (made.interrupted || stop.load()) return runs;
    if (!failed(made)) continue;
    if (hung(made) && options.hosts.size() > 1) {
      if (options.transport == Transport::efa && !options.as_is) {
        if (run(test, Purpose::over_tcp, options.hosts, 1, Transport::tcp, false, kPairLimitS, test + "-over-tcp")
                .interrupted) {
          return runs;
        }
      }
      for (std::size_t i = 1; i < std::min(options.hosts.size(), kMostPairs + 1) && options.hosts.size() > 2; ++i) {
        if (run("pingpong", Purpose::one_pair, {options.hosts[0], options.hosts[i]}, 1, options.transport,
                options.as_is, std::min(kPairLimitS, options.time_limit_s), fmt::format("pair-{}", i))
                .interrupted) {
          return runs;
        }
      }
      return runs;  // the other tests would hang, too
    }
    if (test == "hello") {
      if (!options.as_is && !hung(made)) {
        run(test, Purpose::as_is, options.hosts, options.tasks_per_node, options.transport, true, options.time_limit_s,
            "hello-as-is");
      }
      return runs;
    }
  }
  return runs;
}

}  // namespace headroom::validate
