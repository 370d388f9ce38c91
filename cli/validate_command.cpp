#include <algorithm>
#include <atomic>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include <unistd.h>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "models/errors.hpp"
#include "models/files.hpp"
#include "models/validate/heat_map.hpp"
#include "models/validate/launch.hpp"
#include "models/validate/slurm_job.hpp"
#include "models/validate/validation.hpp"
#include "models/validate/validation_report.hpp"

namespace headroom {
namespace {

namespace fs = std::filesystem;
using validate::Demand;
using validate::Evidence;
using validate::ProgramRun;
using validate::Purpose;

std::atomic<bool> stop_requested{false};

// The run under way is ended, and what there is so far is judged.
void request_stop(int) { stop_requested.store(true); }

void write_whole(const std::string& path, const std::string& text) {
  WholeFile file(path);
  file.write(text);
  file.commit();
}

// Files that are to be written at the end must not fail then, after an hour on a cluster.
void check_writable(const std::string& path) {
  if (path.empty()) return;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) throw EnvironmentError(path + ": is a directory, expected a file");
  const fs::path folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  if (!fs::is_directory(folder, ignored) || access(folder.c_str(), W_OK) != 0) {
    throw EnvironmentError(path + ": cannot be written: " + folder.string() +
                           " is not a folder that can be written to");
  }
}

// Where output and logs of the programs go: --out, or a folder that goes away in the end.
class Folder {
 public:
  // Under Slurm the nodes have to see it, so it is made in the current folder.
  Folder(const std::string& out, bool shared) {
    std::error_code error;
    if (!out.empty()) {
      fs::create_directories(out, error);
      if (error || !fs::is_directory(out)) throw EnvironmentError(out + ": cannot be made a folder");
      path_ = fs::absolute(out).lexically_normal().string();
      while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
      if (access(path_.c_str(), W_OK) != 0) throw EnvironmentError(out + ": cannot be written to");
      remove_documents();
      return;
    }
    std::string pattern =
        ((shared ? fs::current_path() : fs::temp_directory_path()) / "headroom-validate-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
      throw EnvironmentError(pattern + ": cannot be made; give a folder with --out");
    path_ = pattern;
    temporary_ = true;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    if (temporary_) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  // Those of an earlier run, which would be taken for this one's: hello.json, pingpong.log, ...
  void remove_documents() const {
    for (const fs::directory_entry& entry : fs::directory_iterator(path_)) {
      const std::string stem = entry.path().stem().string();
      const std::string kind = entry.path().extension().string();
      const std::string program = stem.substr(0, stem.find('-'));
      const bool document = kind == ".json" || kind == ".log" || kind == ".part";
      const bool ours = program == "hello" || program == "pingpong" || program == "allpairs" || program == "allreduce";
      std::error_code ignored;
      if (document && ours) fs::remove(entry.path(), ignored);
    }
  }

  std::string path_;
  bool temporary_ = false;
};

// The folder mpi-tests beside the binary.
std::string default_programs() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return error ? std::string("mpi-tests") : (self.parent_path() / "mpi-tests").string();
}

void check_programs(const std::string& folder, const std::vector<std::string>& tests) {
  for (const std::string& test : tests) {
    const std::string program = folder + "/" + test;
    std::error_code ignored;
    if (access(program.c_str(), X_OK) != 0 || fs::is_directory(program, ignored)) {
      throw EnvironmentError(program +
                             ": no such program: build with an MPI installed, or name the folder with --programs");
    }
  }
}

// One host a line; "slots=4" and the like behind it is passed over, as are comments.
std::vector<std::string> read_hostfile(const std::string& path) {
  const std::string text = read_file(path);
  std::vector<std::string> hosts;
  std::set<std::string> seen;
  std::size_t line_number = 0;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    ++line_number;
    line.resize(std::min(line.find('#'), line.size()));
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos) continue;
    const std::string host = line.substr(first, line.find_first_of(" \t\r", first) - first);
    if (!is_host_name(host)) {
      throw InputError(fmt::format("{}:{}: {}: expected the name or address of a host", path, line_number,
                                   validate::shell_words({host})));
    }
    if (!seen.insert(host).second) throw InputError(fmt::format("{}:{}: {}: given twice", path, line_number, host));
    hosts.push_back(host);
  }
  if (hosts.empty()) throw InputError(path + ": no host in it");
  return hosts;
}

Evidence evidence_of_files(const std::vector<std::string>& files) {
  Evidence evidence;
  for (const std::string& file : files) {
    const std::string text = read_file(file);
    // --out leaves the verdict beside the documents, and a shell's * takes both.
    static constexpr std::size_t kBegin = 200;
    if (std::string_view(text).substr(0, kBegin).find("\"headroom.validation/1\"") != std::string_view::npos) {
      fmt::print(stderr, "{}: left out: a verdict, no measurement\n", file);
      continue;
    }
    validate::ProgramOutput output = validate::read_program_output(text, file);
    evidence.logs.push_back(validate::read_launch_log(output.rest, file));
    if (output.document) evidence.documents.push_back(std::move(*output.document));
  }
  if (evidence.documents.empty()) {
    // Logs alone can tell of a hang or of a transport, so this is no error; but something has to be known in them.
    const bool anything = std::any_of(evidence.logs.begin(), evidence.logs.end(), [](const validate::LaunchLog& log) {
      return !log.uses.empty() || !log.stalls.empty() || !log.troubles.empty();
    });
    if (!anything) {
      throw InputError(fmt::format(
          "{}: neither a document of the MPI programs (\"schema\": \"headroom.mpi/1\") nor a known line of an "
          "MPI library in it",
          files.front()));
    }
  }
  return evidence;
}

Evidence evidence_of_runs(const std::vector<ProgramRun>& runs) {
  Evidence evidence;
  evidence.runs = runs;
  for (ProgramRun& run : evidence.runs) {
    std::error_code ignored;
    if (!fs::exists(run.out_file, ignored) || (run.purpose != Purpose::test && run.purpose != Purpose::as_is)) continue;
    const std::string log = fs::exists(run.log_file, ignored) ? read_file(run.log_file) : std::string();
    const std::string text = read_file(run.out_file);
    std::string rest = text;
    try {
      validate::ProgramOutput output = validate::read_program_output(text, run.out_file);
      rest = output.rest;
      if (output.document && run.purpose == Purpose::as_is) {
        evidence.fallback = std::move(output.document);
      } else if (output.document && !failed(run)) {
        evidence.documents.push_back(std::move(*output.document));
      } else if (output.document && run.status == 1) {
        run.reported = true;
        evidence.documents.push_back(std::move(*output.document));
      } else if (!failed(run)) {
        evidence.unreadable.emplace_back(run.test, "there is no document in it");
      }
    } catch (const InputError& error) {
      if (!failed(run)) evidence.unreadable.emplace_back(run.test, error.what());
    }
    if (run.purpose == Purpose::test)
      evidence.logs.push_back(validate::read_launch_log(rest + "\n" + log, run.log_file));
  }
  return evidence;
}

}  // namespace

bool is_host_name(const std::string& text) {
  // Nothing that a shell, mpirun or ssh would take for something else.
  return !text.empty() && text.size() <= 255 && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
         });
}

int validate_cluster(const ValidateArguments& arguments, const Output& output) {
  check_writable(arguments.junit);
  check_writable(arguments.heat_map);
  std::optional<TopologyFile> topology;
  if (!arguments.topology.empty()) topology = read_topology(std::span(&arguments.topology, 1));

  Demand demand;
  demand.transport = transport_named(arguments.expect).value();
  demand.instance_type = arguments.instance_type;
  demand.interfaces = arguments.interfaces;
  demand.max_latency_us = arguments.max_latency_us;
  demand.min_bandwidth_mb_s = arguments.min_bandwidth_mb_s;
  demand.slow_factor = arguments.slow_factor;
  demand.namespaces_are_hosts = arguments.namespaces_are_hosts;

  Evidence evidence;
  std::optional<Folder> folder;
  if (!arguments.from.empty()) {
    evidence = evidence_of_files(arguments.from);
    demand.tests = arguments.tests;
    if (arguments.nodes) demand.hosts = arguments.nodes;
    demand.tasks_per_node = arguments.tasks_per_node;
  } else {
    validate::LaunchOptions options;
    options.tests = arguments.tests.empty() ? std::vector<std::string>{"hello", "pingpong", "allpairs", "allreduce"}
                                            : arguments.tests;
    options.programs =
        fs::absolute(arguments.programs.empty() ? default_programs() : arguments.programs).lexically_normal().string();
    options.transport = demand.transport;
    options.as_is = arguments.as_is;
    options.mpirun = arguments.mpirun;
    options.time_limit_s = arguments.time_limit_s;
    options.imds = arguments.imds;
    if (arguments.max_bytes) options.largest_bytes = *arguments.max_bytes;
    if (!arguments.slurm) {
      options.hosts = arguments.hostfile.empty() ? arguments.hosts : read_hostfile(arguments.hostfile);
      options.host_count = static_cast<std::int64_t>(options.hosts.size());
    } else {
      options.host_count = arguments.nodes.value_or(2);
    }
    // One rank on one host has nobody to talk to.
    options.tasks_per_node = arguments.tasks_per_node.value_or(options.host_count == 1 ? 2 : 1);
    check_programs(options.programs, options.tests);
    folder.emplace(arguments.out, arguments.slurm);
    options.folder = folder->path();
    demand.tests = options.tests;
    demand.hosts = options.host_count;
    demand.tasks_per_node = options.tasks_per_node;

    std::signal(SIGINT, request_stop);
    std::signal(SIGTERM, request_stop);
    const auto report = [&](const std::string& sentence) {
      if (!output.quiet) fmt::print(stderr, "{}\n", sentence);
    };
    std::vector<ProgramRun> runs;
    if (arguments.slurm) {
      validate::SlurmOptions slurm;
      slurm.nodes = options.host_count;
      slurm.partition = arguments.partition;
      slurm.time_limit = arguments.job_time_limit;
      slurm.srun = arguments.launcher != "mpirun";
      if (slurm.srun && arguments.launcher.size() > 5) slurm.mpi = arguments.launcher.substr(5);  // srun:pmix
      slurm.sbatch = arguments.sbatch;
      slurm.queue_limit_s = arguments.queue_limit_s;
      runs = validate::run_with_slurm(slurm, options, stop_requested, report).runs;
    } else {
      runs = validate::run_with_mpirun(options, stop_requested, report);
    }
    evidence = evidence_of_runs(runs);
  }

  const validate::Validation validation = validate::judge(demand, evidence);
  const std::string json = validate::validation_json(validation);
  const std::string text = output.format == "json" ? json : validate::validation_table(validation);
  print_text(text);
  if (!arguments.junit.empty()) write_whole(arguments.junit, validate::validation_junit(validation));
  if (!arguments.heat_map.empty()) write_whole(arguments.heat_map, validate::heat_map_svg(validation, topology));
  if (folder && !arguments.out.empty()) write_whole(folder->path() + "/validation.json", json);
  if (stop_requested.load()) {
    fmt::print(stderr, "interrupted: judged is what had run until then\n");
    return validation.verdict == validate::Verdict::fail ? 1 : 5;
  }
  return validation.verdict == validate::Verdict::pass ? 0 : validation.verdict == validate::Verdict::fail ? 1 : 5;
}

}  // namespace headroom
