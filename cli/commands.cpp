#include "cli/commands.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>

#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/check/property_suite.hpp"
#include "models/check/rules/design_check.hpp"
#include "models/check/slurm_run.hpp"
#include "models/check/swarm.hpp"
#include "models/check/theory.hpp"
#include "models/cloud/catalog.hpp"
#include "models/errors.hpp"
#include "models/files.hpp"
#include "models/journal_file.hpp"
#include "models/policies/registry.hpp"
#include "models/policies/slurm/slurm.hpp"
#include "models/report/format.hpp"
#include "models/report/network_view.hpp"
#include "models/report/node_view.hpp"
#include "models/report/operations_view.hpp"
#include "models/report/priority_view.hpp"
#include "models/report/queue_view.hpp"
#include "models/report/run_directory.hpp"
#include "models/report/tables.hpp"
#include "models/scenario/document.hpp"
#include "models/scenario/options.hpp"
#include "models/simulation.hpp"
#include "models/workload/load.hpp"
#include "models/workload/trace_info.hpp"

namespace headroom {
namespace {

// A spreadsheet's patience, four times: beyond it the timeline gets coarser.
constexpr std::int64_t kMostTimelineRows = 4'000'000;

std::atomic<bool> stop_requested{false};

// The run ends after the step under way and what it has is written; further signals change nothing.
void request_stop(int) { stop_requested.store(true); }

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw EnvironmentError("stdout: writing failed");
  }
}

// That a file can be made there, short of making it.
void check_writable(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) throw EnvironmentError(path + ": is a directory, expected a file");
  const fs::path folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  if (!fs::is_directory(folder, ignored) || access(folder.c_str(), W_OK) != 0) {
    throw EnvironmentError(path + ": cannot be written: " + folder.string() +
                           " is not a folder that can be written to");
  }
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double peak_rss_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

std::string failures_json(const std::vector<PropertyFailure>& failures) {
  std::string text;
  for (const PropertyFailure& f : failures) {
    text += fmt::format("{}{{\"seed\": {}, \"what\": {}}}", text.empty() ? "" : ", ", f.seed,
                        quote(f.what, std::string::npos));
  }
  return text;
}

// With the command that runs each of them again.
void tell_failures(const std::vector<PropertyFailure>& failures, std::string_view check) {
  for (const PropertyFailure& f : failures) {
    fmt::print(stderr, "seed {}: {}\n  again: headroom check {} --seed {}\n", f.seed, f.what, check, f.seed);
  }
}

// The first line, bold where that is wanted.
std::string with_heading(const std::string& table, bool color) {
  const std::size_t end = table.find('\n');
  return color && end != std::string::npos ? "\033[1m" + table.substr(0, end) + "\033[0m" + table.substr(end) : table;
}

// A line on a terminal, renewed a few times a second: rate, simulated time, time left.
class ProgressLine {
 public:
  ProgressLine(const Workload& workload, bool wanted) : jobs_(workload.jobs.size()), shown_(wanted && isatty(2) == 1) {}
  ~ProgressLine() {
    if (printed_) fmt::print(stderr, "\r\033[K");
  }
  void operator()(Time now, std::size_t submitted) {
    if (!shown_) return;
    const double passed = seconds_since(start_);
    if (passed - last_ < 0.2) return;
    last_ = passed;
    printed_ = true;
    const double rate = static_cast<double>(submitted) / passed;
    fmt::print(stderr, "\r\033[Kday {:.1f}: {} of {} jobs submitted, {:.0f} jobs/s, {:.0f} s left",
               static_cast<double>(now) / (24.0 * static_cast<double>(kHour)), submitted, jobs_, rate,
               rate > 0 ? static_cast<double>(jobs_ - submitted) / rate : 0.0);
    std::fflush(stderr);
  }

 private:
  std::size_t jobs_;
  bool shown_;
  bool printed_ = false;
  double last_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// What squeue and sinfo would print at the times of --at.
class Views {
 public:
  Views(const RunArguments& arguments, const Output& output) : output_(output) {
    for (const std::string& text : arguments.at) times_.push_back(parse_moment(text).value());
    std::sort(times_.begin(), times_.end());
    times_.erase(std::unique(times_.begin(), times_.end()), times_.end());
    const std::vector<std::string>& show = arguments.show;
    const auto shown = [&](const char* what) { return std::find(show.begin(), show.end(), what) != show.end(); };
    queue_ = show.empty() || shown("queue");
    nodes_ = show.empty() || shown("nodes");
    priority_ = shown("priority");
    shares_ = shown("shares");
    operations_ = shown("operations");
    network_ = shown("network");
  }
  const std::vector<Time>& times() const { return times_; }

  // Throws InputError where a view has nothing to show.
  void check(const Scenario& scenario) const {
    const std::pair<const char*, std::string> needs[] = {
        {"priority", priority_ ? lacks_for_priorities(scenario) : ""},
        {"shares", shares_ ? lacks_for_shares(scenario) : ""},
        {"operations", operations_ && scenario.answers.empty() ? "calls of the PCS API among the operations" : ""},
        {"network", network_ && scenario.network.fabrics.empty() ? "network.fabrics" : ""}};
    for (const auto& [view, lacks] : needs) {
      if (!lacks.empty()) throw InputError(fmt::format("--show {}: only with {}", view, lacks));
    }
  }

  void look(const Moment& moment) {
    std::string seconds;
    append_seconds(seconds, moment.at);
    if (moment.over && over_from_.empty() && moment.at > moment.record.end()) over_from_ = seconds;
    if (output_.format == "json") {
      text_ += fmt::format("{}\n    {{\"time_s\": {}, \"over\": {}", text_.empty() ? "" : ",", seconds, moment.over);
      if (queue_) text_ += ", \"queue\": " + queue_json(queue_rows(moment), moment.design);
      if (nodes_) text_ += ", \"nodes\": " + node_json(node_rows(moment), moment.design);
      if (priority_) text_ += ", \"priority\": " + priority_json(priority_rows(moment), moment.design);
      if (shares_) text_ += ", \"shares\": " + share_json(share_rows(moment));
      if (operations_) {
        const Time origin = run_origin(moment.workload);
        text_ += ", \"operations\": " + operations_json(moment.scenario.answers, origin, moment.at);
      }
      if (network_) text_ += ", \"network\": " + network_json(network_rows(moment), moment);
      text_ += "}";
      return;
    }
    if (!text_.empty()) text_ += "\n";
    if (times_.size() > 1) text_ += fmt::format("At {} ({} s):\n", slurm_duration(moment.at / kSecond), seconds);
    const char* gap = "";
    const auto add = [&](const std::string& table) {
      text_ += gap + with_heading(table, output_.color);
      gap = "\n";
    };
    if (queue_) add(queue_table(queue_rows(moment), moment.design));
    if (nodes_) add(node_table(node_rows(moment), moment.design));
    if (priority_) add(priority_table(priority_rows(moment), moment.design));
    if (shares_) {
      const bool fair_tree = moment.slurm == nullptr || moment.slurm->conf.priority_flags.fair_tree();
      add(share_table(share_rows(moment), fair_tree));
    }
    if (network_) add(network_table(network_rows(moment), moment));
    if (operations_) add(operations_table(moment.scenario.answers, run_origin(moment.workload), moment.at));
  }

  void finish(const Scenario& scenario, const SimulationResult& result) const {
    if (output_.format == "json") {
      print(fmt::format("{{\"schema\": \"headroom.views/1\", \"scenario\": {}, \"views\": [{}]}}\n",
                        quote(scenario.name, std::string::npos), text_));
    } else {
      print(text_);
    }
    if (over_from_.empty() || output_.quiet) return;
    std::string end;
    append_seconds(end, result.record.end());
    fmt::print(stderr, "--at {}: the run is over at {} s; shown is how it ends\n", over_from_, end);
  }

 private:
  const Output& output_;
  std::vector<Time> times_;
  bool queue_;
  bool nodes_;
  bool priority_;
  bool shares_;
  bool operations_;
  bool network_;
  std::string text_;
  std::string over_from_;  // the first time after the end of the run, in seconds
};

}  // namespace

std::optional<Time> parse_moment(const std::string& text) {
  const std::optional<Time> time = parse_duration(text);
  return time ? time : parse_duration(text + "s");
}

bool use_color(const std::string& choice) {
  if (choice != "auto") return choice == "always";
  const char* term = std::getenv("TERM");
  return isatty(1) == 1 && std::getenv("NO_COLOR") == nullptr && term != nullptr && std::string_view(term) != "dumb";
}

int print_text(const std::string& text) {
  print(text);
  return 0;
}

int run_scenario(const RunArguments& arguments, const Output& output) {
  ScenarioOverrides overrides;
  for (const std::string& text : arguments.set) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw InputError(fmt::format("--set {}: expected KEY=VALUE", text));
    }
    overrides.set.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  overrides.seed = arguments.seed;
  overrides.trace = arguments.trace;
  if (arguments.trace && *arguments.trace != "-" && std::filesystem::exists(*arguments.trace)) {
    overrides.trace = std::filesystem::absolute(*arguments.trace).string();  // as a shell user means it
  }
  overrides.max_jobs = arguments.max_jobs;
  for (const std::string& script : arguments.sbatch) overrides.sbatch.emplace_back(script, read_file(script));

  const Scenario scenario = load_scenario(arguments.scenario, overrides);
  check_policies(scenario);  // before a long log is read
  if (!output.quiet) {
    for (const std::string& note : scenario.notes) fmt::print(stderr, "{}\n", note);
  }
  Views views(arguments, output);
  views.check(scenario);
  const Design design = make_design(scenario);
  // Places for results that cannot be used are found before the work is done.
  if (!arguments.out.empty()) make_run_directory(arguments.out);
  if (!arguments.journal.empty()) check_writable(arguments.journal);

  const auto start = std::chrono::steady_clock::now();
  const Workload workload = load_workload(scenario, design);
  // Until here a signal ends the program, and there is nothing to clean up.
  std::signal(SIGINT, request_stop);
  std::signal(SIGTERM, request_stop);
  std::unique_ptr<JournalFile> journal;
  if (!arguments.journal.empty()) journal = std::make_unique<JournalFile>(arguments.journal, scenario.text);
  SimulationOptions options;
  options.journal = journal.get();
  options.stop = &stop_requested;
  auto progress = std::make_unique<ProgressLine>(workload, !output.quiet);
  options.progress = [&](Time now, std::size_t submitted) { (*progress)(now, submitted); };
  // Views alone need the run no longer than until the last of them.
  const bool viewed = !views.times().empty();
  options.looks = views.times();
  options.look = [&](const Moment& moment) { views.look(moment); };
  options.end_after_looks = viewed && arguments.out.empty() && arguments.journal.empty();
  const SimulationResult result = simulate(scenario, design, workload, options);
  const double wall_s = seconds_since(start);
  progress.reset();

  const bool interrupted = stop_requested.load();
  if (options.end_after_looks) {
    views.finish(scenario, result);
    if (!interrupted) return 0;
    fmt::print(stderr, "interrupted: times that were not reached are not shown\n");
    return 5;
  }
  if (journal) journal->commit(result.digest, result.record.steps(), interrupted);
  const RunContext context{scenario, design, workload, result.digest, interrupted, wall_s, peak_rss_mib()};
  const Summary summary = summarize(result.record, context);
  if (!arguments.out.empty()) {
    const auto wanted = static_cast<Time>(arguments.timeline_step_s * static_cast<double>(kSecond));
    const Time step = timeline_step_for(result.record, wanted, kMostTimelineRows);
    if (step != wanted) {
      std::string seconds;
      append_seconds(seconds, step);
      fmt::print(stderr, "timeline.csv: a row every {} s, so that it has at most {} rows\n", seconds,
                 kMostTimelineRows);
    }
    write_run_directory(arguments.out, summary, result.record, context, step, arguments.events);
    if (!output.quiet)
      fmt::print(stderr, "wrote {}/: summary.json, jobs.csv, nodes.csv, timeline.csv{}\n", arguments.out,
                 arguments.events ? ", events.jsonl, scheduler.jsonl" : "");
  }
  if (!output.quiet) {
    fmt::print(stderr, "{} jobs in {:.3f} s: {:.0f} jobs/s\n", workload.jobs.size(), wall_s,
               static_cast<double>(workload.jobs.size()) / wall_s);
  }
  if (viewed) {
    views.finish(scenario, result);
  } else if (output.format == "json") {
    print(summary_json(summary, result.record, context));
  } else if (output.format == "csv") {
    print(summary_csv(summary, result.record, context));
  } else {
    print(with_heading(summary_table(summary, context), output.color));
  }
  if (result.stalled && !output.quiet) {
    fmt::print(stderr,
               "the run ended at its stallLimit: instances were asked for in vain for so long; jobs that wait are "
               "unfinished\n");
  }
  if (interrupted) {
    fmt::print(stderr, "interrupted: the results above are of the part that was simulated\n");
    return 5;
  }
  if (!scenario.expected_digest.empty() && scenario.expected_digest != result.digest) {
    fmt::print(stderr, "{}: expect.digest: the run's digest is {}, expected {}\n", scenario.file, result.digest,
               scenario.expected_digest);
    return 1;
  }
  return 0;
}

int replay_journal(const std::string& journal, const Output& output) {
  const ReplayResult result = replay(read_file(journal), journal);
  if (output.format == "json") {
    print(
        fmt::format("{{\"schema\": \"headroom.replay/1\", \"agrees\": {}, \"steps\": {}, \"digest\": \"{}\", "
                    "\"recorded_digest\": {}, \"first_difference\": {}}}\n",
                    result.agrees(), result.steps, result.digest, quote(result.recorded_digest),
                    quote(result.first_difference, std::string::npos)));
  } else {
    print(fmt::format("{}: {} steps, digest {}, recorded {}: {}\n", journal, result.steps, result.digest,
                      result.recorded_digest, result.agrees() ? "they agree" : "THEY DIFFER"));
    if (!result.first_difference.empty()) print(fmt::format("  {}\n", result.first_difference));
  }
  return result.agrees() ? 0 : 1;
}

int check_design_files(const DesignArguments& arguments, const Output& output) {
  const rules::DesignReport report = rules::check_design(arguments.files, arguments.edition);
  print(output.format == "json"    ? rules::design_json(report)
        : output.format == "sarif" ? rules::design_sarif(report, arguments.strict)
                                   : rules::design_text(report));
  for (const auto& each : report.file_errors) {
    fmt::print(stderr, "{}{}: {}\n", each.file, each.line > 0 ? fmt::format(":{}", each.line) : "", each.text);
  }
  return report.exit_status(arguments.strict);
}

int check_policy(const CheckArguments& arguments, const Output& output) {
  const PolicyEntry& policy = scheduler_policy(arguments.policy, "--policy");
  const std::uint64_t first = arguments.seed.value_or(1);
  const std::uint64_t cases = arguments.seed ? 1 : arguments.cases;
  const PropertyReport report = check_properties(policy, first, cases);
  const bool fine = report.failures.empty();
  if (output.format == "json") {
    print(
        fmt::format("{{\"schema\": \"headroom.check-policy/1\", \"policy\": \"{}\", \"cases\": {}, \"jobs\": {}, "
                    "\"failures\": [{}]}}\n",
                    policy.name, report.cases, report.jobs, failures_json(report.failures)));
  } else {
    print(fmt::format("policy {}: {} cases, {} jobs, {} steps: {}\n", policy.name, report.cases, report.jobs,
                      report.steps, fine ? "every promise kept" : fmt::format("{} FAILED", report.failures.size())));
    for (const std::string& promise : report.promises) print(fmt::format("  {}\n", promise));
  }
  tell_failures(report.failures, fmt::format("--policy {}", policy.name));
  return fine ? 0 : 1;
}

int run_swarm(const CheckArguments& arguments, const Output& output) {
  const std::uint64_t first = arguments.seed.value_or(1);
  if (arguments.prints) return print_text(swarm_scenario(first));
  const auto start = std::chrono::steady_clock::now();
  const bool timed = arguments.minutes && !arguments.seed;
  const std::uint64_t cases = arguments.seed ? 1 : timed ? std::numeric_limits<std::uint64_t>::max() : arguments.cases;
  std::signal(SIGINT, request_stop);
  const SwarmReport report = check_swarm(
      first, cases, [&] { return stop_requested.load() || (timed && seconds_since(start) > 60 * *arguments.minutes); });
  const bool fine = report.failures.empty();
  if (output.format == "json") {
    print(fmt::format(
        "{{\"schema\": \"headroom.check-swarm/1\", \"cases\": {}, \"jobs\": {}, \"steps\": {}, "
        "\"refusals\": {}, \"losses\": {}, \"impairments\": {}, \"changes\": {}, \"requeues\": {}, "
        "\"drained\": {}, \"placed\": {}, \"stretched\": {}, \"failures\": [{}]}}\n",
        report.cases, report.jobs, report.steps, report.refusals, report.losses, report.impairments, report.changes,
        report.requeues, report.drained, report.placed, report.stretched, failures_json(report.failures)));
  } else {
    print(fmt::format("{} random scenarios, {} jobs, {} steps: {}\n", report.cases, report.jobs, report.steps,
                      fine ? "every promise kept" : fmt::format("{} FAILED", report.failures.size())));
    for (const std::string& promise : report.promises) print(fmt::format("  {}\n", promise));
    print(
        fmt::format("what went wrong in them: {} launches refused, {} instances lost, {} unhealthy, {} changes of "
                    "clusters, {} jobs requeued; {} clusters drained; {} instances on hardware that is known, {} jobs "
                    "that ran longer for it\n",
                    report.refusals, report.losses, report.impairments, report.changes, report.requeues, report.drained,
                    report.placed, report.stretched));
  }
  tell_failures(report.failures, "--swarm");
  return fine ? 0 : 1;
}

int check_recorded_runs(const std::vector<std::string>& files, const Output& output) {
  const SlurmRunReport report = check_slurm_runs(files);
  print(output.format == "json" ? slurm_run_json(report) : slurm_run_text(report));
  return report.passed() ? 0 : 1;
}

int check_queueing_theory(const TheoryArguments& arguments, const Output& output) {
  TheoryOptions options;
  options.replications = arguments.replications;
  options.jobs = arguments.jobs.value_or(0);
  options.first_seed = arguments.seed;
  options.run_time_factor = arguments.run_time_factor;
  const TheoryReport report = check_theory(theory_systems(), options);
  const Verdict verdict = overall_verdict(report.rows);
  if (output.format == "json") {
    std::string rows;
    for (const Comparison& row : report.rows) {
      rows += fmt::format(
          "{}\n  {{\"system\": \"{}\", \"quantity\": \"{}\", \"unit\": \"{}\", \"expected\": {:.6g}, "
          "\"measured\": {:.6g}, \"low\": {:.6g}, \"high\": {:.6g}, \"verdict\": \"{}\"}}",
          rows.empty() ? "" : ",", row.subject, row.quantity, row.unit, row.expected, row.measured, row.low, row.high,
          verdict_name(row.verdict));
    }
    print(fmt::format(
        "{{\"schema\": \"headroom.check-theory/1\", \"verdict\": \"{}\", \"replications\": {}, \"jobs\": {}, "
        "\"confidence\": {}, \"row_confidence\": {:.6f}, \"widest_interval\": {}, \"rows\": [{}]}}\n",
        verdict_name(verdict), options.replications, report.jobs, report.confidence, report.row_confidence,
        report.widest_interval, rows));
  } else {
    std::string table = fmt::format("{:<27} {:<14} {:<4} {:>9} {:>9} {:>9} {:>9}  {}\n", "system", "quantity", "unit",
                                    "theory", "measured", "low", "high", "verdict");
    for (const Comparison& row : report.rows) {
      table += fmt::format("{:<27} {:<14} {:<4} {:>9.4g} {:>9.4g} {:>9.4g} {:>9.4g}  {}\n", row.subject, row.quantity,
                           row.unit, row.expected, row.measured, row.low, row.high, verdict_name(row.verdict));
    }
    print(with_heading(table, output.color));
    std::size_t counts[3] = {};
    for (const Comparison& row : report.rows) ++counts[static_cast<std::size_t>(row.verdict)];
    print(fmt::format(
        "{} jobs in {} replications of each system; all intervals together hold with {:g} % confidence\n"
        "{} rows: {} agree, {} inconclusive (few jobs, or an interval of more than {:g} % of theory to each side), {} "
        "differ\n",
        report.jobs, options.replications, 100 * report.confidence, report.rows.size(), counts[0], counts[1],
        100 * report.widest_interval, counts[2]));
  }
  switch (verdict) {
    case Verdict::agrees:
      return 0;
    case Verdict::inconclusive:
      return 5;
    case Verdict::differs:
      break;
  }
  return 1;
}

int show_trace_info(const std::string& log, const Output& output) {
  const TraceInfo info = trace_info(log);
  print(output.format == "json" ? trace_info_json(info) : with_heading(trace_info_text(info), output.color));
  return 0;
}

int show_catalog(const CatalogArguments& arguments, const Output& output) {
  std::string out;
  std::size_t shown = 0;
  if (output.format == "table") {
    out = fmt::format("{:<20} {:<7} {:>6} {:>6} {:>10} {:>5} {:>4} {:>8} {:>12}\n", "instance type", "arch", "vCPUs",
                      "cores", "MiB", "GPUs", "EFA", "Gbit/s", "USD/h");
  } else if (output.format == "csv") {
    out = "instance_type,arch,vcpus,cores,memory_mib,gpus,efa_interfaces,network_gbps,usd_per_hour\n";
  }
  const std::vector<InstanceType> types = all_instance_types();
  std::set<std::string> regions;
  for (const InstanceType& t : types) {
    for (const auto& [region, usd] : t.usd_per_hour) regions.insert(region);
  }
  if (regions.count(arguments.region) == 0) {
    throw InputError(fmt::format("--region: the catalog has no prices for {}; it has: {}", quote(arguments.region),
                                 fmt::join(regions, ", ")));
  }
  for (const InstanceType& t : types) {
    if (t.name.find(arguments.filter) == std::string::npos) continue;
    const std::optional<double> usd = t.price_usd_per_hour(arguments.region);
    std::string price;
    if (usd) append_number(price, *usd);
    if (output.format == "table") {
      out += fmt::format("{:<20} {:<7} {:>6} {:>6} {:>10} {:>5} {:>4} {:>8} {:>12}\n", t.name, t.arch, t.vcpus, t.cores,
                         t.memory_mib, t.gpus, t.efa_interfaces, t.network_gbps, usd ? price : "-");
    } else if (output.format == "csv") {
      out += fmt::format("{},{},{},{},{},{},{},{},{}\n", t.name, t.arch, t.vcpus, t.cores, t.memory_mib, t.gpus,
                         t.efa_interfaces, t.network_gbps, price);
    } else {
      out += fmt::format(
          "{}{{\"instance_type\": \"{}\", \"arch\": \"{}\", \"vcpus\": {}, \"cores\": {}, "
          "\"memory_mib\": {}, \"gpus\": {}, \"efa_interfaces\": {}, \"network_gbps\": {}, "
          "\"usd_per_hour\": {}}}",
          shown == 0 ? "[" : ",\n ", t.name, t.arch, t.vcpus, t.cores, t.memory_mib, t.gpus, t.efa_interfaces,
          t.network_gbps, usd ? price : "null");
    }
    ++shown;
  }
  if (shown == 0) throw InputError(fmt::format("no instance type contains {}", quote(arguments.filter)));
  if (output.format == "table") out = with_heading(out, output.color);
  print(output.format == "json" ? out + "]\n" : out);
  return 0;
}

}  // namespace headroom
