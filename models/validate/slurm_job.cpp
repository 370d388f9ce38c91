#include "models/validate/slurm_job.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iterator>

#include <sys/stat.h>
#include <time.h>

#include <fmt/format.h>

#include "models/errors.hpp"
#include "models/files.hpp"
#include "models/validate/child_process.hpp"
#include "models/validate/launch_log.hpp"

namespace headroom::validate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kToolLimitS = 60;      // of sbatch, squeue, scancel
constexpr double kFilesLimitS = 60;     // for a shared file system to show what the job wrote
constexpr double kHopelessLimitS = 20;  // Slurm corrects itself sometimes
constexpr double kProbeLimitS = 20;
constexpr int kStatusOfTimeout = 124;  // of timeout(1)
constexpr int kStatusOfKill = 137;     // of timeout -k

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Looks at `stop` often, whatever the length.
void wait(double span_s, const std::atomic<bool>& stop) {
  const Clock::time_point start = Clock::now();
  while (!stop.load() && seconds_since(start) < span_s) {
    const timespec nap{0, 50'000'000};
    nanosleep(&nap, nullptr);
  }
}

struct Tool {
  int status = 0;
  std::string out;
  std::string log;
};

// One of Slurm's commands, not to be interrupted: what it says is needed even then.
Tool call(const std::string& folder, std::vector<std::string> arguments) {
  static const std::atomic<bool> never{false};
  ChildCommand command;
  const std::string name = folder + "/" + arguments.front();
  command.arguments = std::move(arguments);
  command.out_file = name + ".out";
  command.log_file = name + ".err";
  command.time_limit_s = kToolLimitS;
  const ChildResult result = run_child(command, never);
  return {result.timed_out ? kStatusOfTimeout : result.status, read_file(command.out_file),
          read_file(command.log_file)};
}

std::vector<std::string> rank_arguments(const SlurmOptions& slurm, const LaunchOptions& options, Launcher launcher,
                                        const std::string& test) {
  const std::int64_t per_host = ranks_per_host(options, test);
  std::vector<std::string> arguments = launch_arguments(options, launcher, test, {}, slurm.nodes, per_host);
  if (!slurm.srun) return arguments;
  const auto program = std::find(arguments.begin(), arguments.end(), options.programs + "/" + test);
  std::vector<std::string> with_srun{"srun", "--mpi=" + slurm.mpi, fmt::format("--nodes={}", slurm.nodes),
                                     fmt::format("--ntasks={}", slurm.nodes * per_host),
                                     fmt::format("--ntasks-per-node={}", per_host)};
  with_srun.insert(with_srun.end(), program, arguments.end());
  return with_srun;
}

// With its own environment, so that nothing of it is left for the next run.
std::string run_line(const std::string& name, double limit_s, Transport transport, bool as_is,
                     const std::vector<std::string>& arguments) {
  std::vector<std::string> words{"env"};
  for (const auto& [variable, value] : transport_environment(transport, as_is)) words.push_back(variable + "=" + value);
  words.insert(words.end(), arguments.begin(), arguments.end());
  return fmt::format("run {} {:.0f} {}\n", name, std::ceil(limit_s), shell_words(words));
}

std::string one_line(const std::string& text) { return last_lines(text, 3); }

// State, reason and nodes of the job; an empty state when Slurm no longer knows it.
struct JobView {
  std::string state;
  std::string reason;
  std::string nodes;
  bool answered = true;
};

JobView look(const std::string& folder, const std::string& id) {
  const Tool squeue = call(folder, {"squeue", "--noheader", "--states=all", "--jobs=" + id, "--format=%T|%r|%N"});
  JobView view;
  if (squeue.status != 0) {
    view.answered = squeue.log.find("Invalid job id") != std::string::npos;
    return view;
  }
  const std::string line = squeue.out.substr(0, squeue.out.find('\n'));
  const std::size_t first = line.find('|');
  const std::size_t second = first == std::string::npos ? first : line.find('|', first + 1);
  if (second == std::string::npos) return view;
  view.state = line.substr(0, first);
  view.reason = line.substr(first + 1, second - first - 1);
  view.nodes = line.substr(second + 1);
  return view;
}

bool is_waiting(const std::string& state) {
  return state == "PENDING" || state == "CONFIGURING" || state == "REQUEUED" || state == "REQUEUE_HOLD" ||
         state == "SUSPENDED" || state == "RESV_DEL_HOLD" || state == "SPECIAL_EXIT" || state == "REQUEUE_FED";
}
bool is_running(const std::string& state) {
  return state == "RUNNING" || state == "COMPLETING" || state == "STAGE_OUT" || state == "SIGNALING" ||
         state == "STOPPED";
}

// What no waiting mends, as long as nobody changes the job or the cluster.
bool is_hopeless(const std::string& reason) {
  static constexpr std::string_view kReasons[] = {"PartitionConfig",
                                                  "PartitionNodeLimit",
                                                  "PartitionTimeLimit",
                                                  "PartitionInactive",
                                                  "BadConstraints",
                                                  "AccountNotAllowed",
                                                  "QOSNotAllowed",
                                                  "InvalidAccount",
                                                  "InvalidQOS",
                                                  "JobHeldUser",
                                                  "JobHeldAdmin",
                                                  "DependencyNeverSatisfied",
                                                  "LaunchFailedRequeuedHeld"};
  return std::find(std::begin(kReasons), std::end(kReasons), reason) != std::end(kReasons);
}

// "status seconds", as the script writes it when a program is over.
ProgramRun read_run(const LaunchOptions& options, const std::string& test, Purpose purpose, const std::string& name,
                    double limit_s, const std::string& command) {
  ProgramRun run;
  run.test = test;
  run.purpose = purpose;
  run.command = command;
  run.time_limit_s = limit_s;
  run.out_file = options.folder + "/" + name + ".json";
  run.log_file = options.folder + "/" + name + ".log";
  run.ran = false;
  if (std::filesystem::exists(options.folder + "/" + name + ".status")) {
    const std::string text = read_file(options.folder + "/" + name + ".status");
    char* end = nullptr;
    run.status = static_cast<int>(std::strtol(text.c_str(), &end, 10));
    run.ran = end != text.c_str();
    run.elapsed_s = std::strtod(end, nullptr);
    run.timed_out = run.status == kStatusOfTimeout || run.status == kStatusOfKill;
    run.stalled = run.status != 0 && std::filesystem::exists(run.log_file) && shows_stall(run.log_file);
    run.reported = run.status == 1 && holds_document(run.out_file);
  }
  return run;
}

}  // namespace

std::string job_script(const SlurmOptions& slurm, const LaunchOptions& options, Launcher launcher) {
  std::string script =
      "#!/bin/bash\n"
      "# Written by headroom validate: runs the test programs over the nodes of this job.\n";
  script += "cd " + shell_words({options.folder}) + " || exit 1\n";
  script += R"sh(run() {  # NAME SECONDS COMMAND...; sets result (0: it came to its end) and hung
  local name=$1 limit=$2 begin=$SECONDS status
  shift 2
  timeout --kill-after=10 "$limit" "$@" >"$name.json" 2>"$name.log" </dev/null
  status=$?
  result=$status hung=0
  # 1 with a document: it ended, and says what is wrong.
  if ((status == 1)) && grep -q '"headroom.mpi/1"' "$name.json"; then result=0; fi
  # Of timeout; of the program's own watch.
  if ((status == 124 || status == 137)); then hung=1; fi
  if ((status != 0)) && grep -q '): no progress for ' "$name.log"; then hung=1; fi
  echo "$status $((SECONDS - begin))" >"$name.status"
}
# Whatever happens, the one who waits sees that no more will come.
trap ': >finished' EXIT
)sh";
  for (const std::string& test : options.tests) {
    script += run_line(test, options.time_limit_s, options.transport, options.as_is,
                       rank_arguments(slurm, options, launcher, test));
    // What hangs once would hang again; over TCP it may not, and that tells.
    script += "if ((hung)); then\n";
    if (options.transport == Transport::efa && !options.as_is) {
      LaunchOptions over_tcp = options;
      over_tcp.transport = Transport::tcp;
      over_tcp.largest_bytes = 8;
      over_tcp.time_limit_s = kProbeLimitS;
      script += run_line(test + "-over-tcp", kProbeLimitS, Transport::tcp, false,
                         rank_arguments(slurm, over_tcp, launcher, test));
    }
    script += "exit 0\nfi\n";
    if (test != "hello") continue;
    script += "if ((result != 0)); then\n";
    if (!options.as_is) {
      LaunchOptions as_is = options;
      as_is.as_is = true;
      script += run_line("hello-as-is", options.time_limit_s, options.transport, true,
                         rank_arguments(slurm, as_is, launcher, test));
    }
    script += "exit 0\nfi\n";
  }
  return script;
}

SlurmJob run_with_slurm(const SlurmOptions& slurm, const LaunchOptions& options, const std::atomic<bool>& stop,
                        const std::function<void(const std::string&)>& report) {
  const Launcher launcher = slurm.srun ? Launcher::openmpi : identify_launcher(options.mpirun, options.folder, stop);
  const std::string script = options.folder + "/job.sh";
  for (const char* old : {"finished", "slurm.out"}) std::filesystem::remove(options.folder + "/" + old);
  for (const std::string& test : options.tests) {
    for (const char* ending : {".status", "-over-tcp.status", "-as-is.status"}) {
      std::filesystem::remove(options.folder + "/" + test + ending);
    }
  }
  {
    WholeFile file(script);
    file.write(job_script(slurm, options, launcher));
    file.commit();
  }
  const double most_s =
      static_cast<double>(options.tests.size()) * (options.time_limit_s + 15) + options.time_limit_s + 120;
  std::vector<std::string> submit{
      "sbatch",
      "--parsable",
      "--job-name=headroom-validate",
      "--output=" + options.folder + "/slurm.out",
      fmt::format("--nodes={}", slurm.nodes),
      fmt::format("--ntasks-per-node={}", options.tasks_per_node),
      "--no-requeue",
      "--time=" + (slurm.time_limit.empty() ? fmt::format("{:.0f}", std::ceil(most_s / 60)) : slurm.time_limit)};
  if (!slurm.partition.empty()) submit.push_back("--partition=" + slurm.partition);
  submit.insert(submit.end(), slurm.sbatch.begin(), slurm.sbatch.end());
  submit.push_back(script);
  const Tool sbatch = call(options.folder, submit);
  if (sbatch.status == 127) throw EnvironmentError("sbatch: cannot be started: is this a machine of a Slurm cluster?");
  if (sbatch.status != 0) throw EnvironmentError("sbatch: " + one_line(sbatch.log));

  SlurmJob job;
  job.id = sbatch.out.substr(0, sbatch.out.find_first_of(";\n \t"));
  if (job.id.empty() || job.id.find_first_not_of("0123456789") != std::string::npos) {
    throw EnvironmentError(fmt::format("sbatch: {}: expected the number of the job", one_line(sbatch.out)));
  }
  report(fmt::format("job {} submitted: {}", job.id, shell_words(submit)));
  // From here on the job is cancelled unless it has ended by itself.
  struct Cancel {
    const std::string& folder;
    const std::string& id;
    bool over = false;
    ~Cancel() {
      if (over) return;
      try {
        call(folder, {"scancel", id});
      } catch (const std::exception&) {
        // there is nothing more to be done, and another error is on its way
      }
    }
  } cancel{options.folder, job.id};

  const Clock::time_point submitted = Clock::now();
  std::optional<Clock::time_point> running;
  double hopeless_since_s = -1;  // after submission; not hopeless: less than 0
  std::string said;
  int unanswered = 0;
  const std::string finished = options.folder + "/finished";
  while (true) {
    if (stop.load()) break;
    const JobView view = look(options.folder, job.id);
    if (!view.answered && ++unanswered > 30) {
      throw EnvironmentError(fmt::format("squeue no longer answers; job {} was cancelled", job.id));
    }
    if (view.answered) {
      unanswered = 0;
      if (!view.state.empty()) job.state = view.state;
      if (!view.nodes.empty()) job.nodes = view.nodes;
      const std::string now = is_waiting(view.state) ? fmt::format("{} ({})", view.state, view.reason) : view.state;
      if (now != said && !now.empty()) {
        report(fmt::format("job {}: {}{}", job.id, now, job.nodes.empty() ? "" : " on " + job.nodes));
        said = now;
      }
      if (!is_waiting(view.state) && !is_running(view.state)) break;  // ended, or forgotten
      if (is_waiting(view.state) && seconds_since(submitted) > slurm.queue_limit_s) {
        throw EnvironmentError(
            fmt::format("job {} has waited for {:.0f} s and is still {} ({}); it was cancelled: try fewer nodes, "
                        "another partition, or a longer --queue-timeout",
                        job.id, slurm.queue_limit_s, view.state, view.reason));
      }
      if (!is_waiting(view.state) || !is_hopeless(view.reason)) {
        hopeless_since_s = -1;
      } else if (hopeless_since_s < 0) {
        hopeless_since_s = seconds_since(submitted);
      } else if (seconds_since(submitted) - hopeless_since_s > kHopelessLimitS) {
        throw EnvironmentError(
            fmt::format("job {} cannot start: {}; it was cancelled: ask for other nodes, another partition or a "
                        "shorter time",
                        job.id, view.reason));
      }
      if (is_running(view.state) && !running) running = Clock::now();
    }
    if (running && seconds_since(*running) > most_s + 120) break;
    if (std::filesystem::exists(finished) && job.state == "RUNNING") {
      wait(0.2, stop);
    } else {
      // Slurm asks not to be asked often.
      wait(std::clamp(seconds_since(submitted) / 20, 0.5, 10.0), stop);
    }
  }
  cancel.over = !stop.load() && !is_running(job.state) && !is_waiting(job.state);

  const Clock::time_point ended = Clock::now();
  while (!stop.load() && !std::filesystem::exists(finished) && job.state == "COMPLETED" &&
         seconds_since(ended) < kFilesLimitS) {
    wait(0.5, stop);
  }
  const std::string& first = options.tests.front();
  if (!stop.load() && !std::filesystem::exists(options.folder + "/" + first + ".log")) {
    const std::string slurm_out = options.folder + "/slurm.out";
    throw EnvironmentError(
        fmt::format("job {} ended ({}) and left nothing in {}: the nodes have to see this folder under this name (give "
                    "a shared one with --out){}",
                    job.id, job.state.empty() ? "no longer known to Slurm" : job.state, options.folder,
                    std::filesystem::exists(slurm_out) ? ": " + one_line(read_file(slurm_out)) : ""));
  }
  for (const std::string& test : options.tests) {
    const std::string command = shell_words(rank_arguments(slurm, options, launcher, test));
    job.runs.push_back(read_run(options, test, Purpose::test, test, options.time_limit_s, command));
    job.runs.back().interrupted = stop.load() && !job.runs.back().ran;
    const ProgramRun over_tcp =
        read_run(options, test, Purpose::over_tcp, test + "-over-tcp", kProbeLimitS, command + "  # over TCP");
    const ProgramRun as_is =
        read_run(options, test, Purpose::as_is, test + "-as-is", options.time_limit_s, command + "  # as is");
    const ProgramRun made = job.runs.back();
    if (over_tcp.ran) job.runs.push_back(over_tcp);
    if (as_is.ran) job.runs.push_back(as_is);
    // The script stops there, too.
    if (failed(made) && (hung(made) || !made.ran || test == "hello")) break;
  }
  return job;
}

}  // namespace headroom::validate
