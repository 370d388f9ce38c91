// The `headroom` command: its arguments, and nothing else. What each command does is in commands.cpp.
#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "engine/types.hpp"
#include "models/errors.hpp"
#include "models/policies/registry.hpp"

int main(int argc, char** argv) {
  using namespace headroom;

  CLI::App app{
      "Headroom replays workloads on elastic HPC clusters: Slurm-like queues, AWS PCS node groups, a cloud with\n"
      "boot times and prices. Data goes to stdout, messages to stderr."};
  app.name("headroom");
  app.set_version_flag("--version", std::string("headroom ") + HEADROOM_VERSION);
  app.require_subcommand(1);
  app.fallthrough();
  app.footer("Exit status: 0 fine, 1 a check failed, 2 usage, 3 bad input, 4 the environment failed, 5 inconclusive.");

  Output output;
  std::string color = "auto";
  std::string format = "table";
  const auto add_output = [&](CLI::App* command, const std::string& formats) {
    command->add_option("--format", format, "Form of what goes to stdout")
        ->check(CLI::IsMember(CLI::detail::split(formats, '|')))
        ->type_name(formats)
        ->capture_default_str();
    command->add_option("--color", color, "Emphasis in tables")
        ->check(CLI::IsMember({"auto", "always", "never"}))
        ->type_name("auto|always|never")
        ->capture_default_str();
    command->add_flag("--quiet", output.quiet, "No messages and no progress on stderr");
  };

  // CLI11's own conversion takes "-3" for a large number, and its range checks print 300 digits.
  const auto whole_number = [](std::uint64_t least, std::uint64_t most = 999'999'999'999'999'999) {
    return [least, most](const std::string& text) {
      const bool digits =
          !text.empty() && text.size() <= 18 && text.find_first_not_of("0123456789") == std::string::npos;
      if (digits && std::stoull(text) >= least && std::stoull(text) <= most) return std::string();
      return fmt::format("{}: expected a whole number from {} to {}", text, least, most);
    };
  };
  const auto decimal = [](const std::string& what, double least, double most) {
    return [what, least, most](const std::string& text) {
      const std::string problem = fmt::format("{}: expected {} from {} to {}", text, what, least, most);
      try {
        std::size_t used = 0;
        const double number = std::stod(text, &used);
        return used == text.size() && number >= least && number <= most ? std::string() : problem;
      } catch (const std::exception&) {
        return problem;
      }
    };
  };

  std::function<int()> action;

  RunArguments run;
  CLI::App* run_command = app.add_subcommand("run", "Simulate a scenario");
  run_command->add_option("SCENARIO", run.scenario, "Scenario file (docs/scenario.md)")->required();
  CLI::Option* out_option =
      run_command->add_option("--out", run.out, "Folder for summary.json, jobs.csv, nodes.csv, timeline.csv")
          ->type_name("DIR");
  run_command
      ->add_flag("--events", run.events,
                 "With --out, events.jsonl and scheduler.jsonl too: PCS's scaling and scheduler logs")
      ->needs(out_option);
  run_command->add_option("--seed", run.seed, "Seed in place of the scenario's")
      ->type_name("N")
      ->check(whole_number(0));
  run_command->add_option("--set", run.set, "Change one option of the scenario; may be given several times")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  CLI::Option* trace_option =
      run_command->add_option("--trace", run.trace, "Log in place of the scenario's workload (- for stdin)")
          ->type_name("FILE");
  run_command
      ->add_option("--sbatch", run.sbatch,
                   "Job scripts with #SBATCH options, submitted after the scenario's own jobs (docs/sbatch.md)")
      ->type_name("FILE")
      ->excludes(trace_option);
  run_command->add_option("--journal", run.journal, "Record every step in this file, for headroom replay")
      ->type_name("FILE");
  run_command->add_option("--max-jobs", run.max_jobs, "Only the first N jobs, in the order of the log or the scenario")
      ->type_name("N")
      ->check(whole_number(1));
  run_command->add_option("--timeline-step", run.timeline_step_s, "Seconds between rows of timeline.csv")
      ->type_name("SECONDS")
      ->check(decimal("seconds", 1, 1'000'000'000))
      ->capture_default_str();
  CLI::Option* at_option =
      run_command
          ->add_option("--at", run.at,
                       "Instead of the summary, the queue and the nodes at this time, as squeue and sinfo print them; "
                       "for several times 1h,2h or --at again (docs/views.md)")
          ->type_name("TIME")
          ->delimiter(',')
          ->take_all()
          ->allow_extra_args(false)
          ->check([](const std::string& text) {
            if (parse_moment(text)) return std::string();
            return fmt::format("{}: expected seconds, or a duration such as 90s, 15m, 2h, 7d, from 0 on",
                               text.empty() ? "\"\"" : text);
          });
  run_command->add_option("--show", run.show, "Of --at: only these; priority and shares as sprio and sshare print them")
      ->type_name("queue,nodes,priority,shares,operations")
      ->delimiter(',')
      ->take_all()
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"queue", "nodes", "priority", "shares", "operations"}))
      ->needs(at_option);
  add_output(run_command, "table|json|csv");
  run_command->footer(
      "Example:\n  headroom run scenarios/tutorial.json --out out\n"
      "  headroom run scenarios/lublin-on-pcs.json --set cluster.slurmConfiguration.scaleDownIdleTimeInSeconds=300\n"
      "  headroom run scenarios/tutorial.json --at 5m,410 --show queue,nodes");
  run_command->callback([&] {
    if (!run.at.empty() && format == "csv")
      throw CLI::ValidationError("--format", "csv is not for --at: table or json");
    action = [&] { return run_scenario(run, output); };
  });

  std::string journal;
  CLI::App* replay_command = app.add_subcommand("replay", "Re-drive a recorded run through the core and compare");
  replay_command->add_option("JOURNAL", journal, "File written by headroom run --journal")->required();
  add_output(replay_command, "table|json");
  replay_command->footer("Example:\n  headroom run scenarios/tutorial.json --journal j.hrj && headroom replay j.hrj");
  replay_command->callback([&] { action = [&] { return replay_journal(journal, output); }; });

  CheckArguments check;
  TheoryArguments theory;
  bool against_theory = false;
  CLI::App* check_command = app.add_subcommand(
      "check", "Hold a design to the rules of PCS, or a policy to promises, recorded runs or theory");
  DesignArguments design;
  CLI::Option* design_option =
      check_command
          ->add_option(
              "FILE", design.files,
              "Scenarios, PCS API JSON, EC2 launch templates, or folders of them: one design that is held to the "
              "rules of AWS PCS (docs/check.md)")
          ->type_name("");
  std::string policies;
  for (const PolicyEntry& entry : scheduler_policies()) {
    policies += fmt::format("\n  {:<14} {}", entry.name, entry.summary);
  }
  CLI::Option* policy_option =
      check_command->add_option("--policy", check.policy, "Registered policy to hold to its promises")
          ->type_name("NAME")
          ->excludes(design_option);
  CLI::Option* theory_option =
      check_command
          ->add_flag("--theory", against_theory,
                     "Compare queues of Poisson arrivals with Erlang C and Pollaczek-Khinchine (docs/theory.md)")
          ->excludes(policy_option)
          ->excludes(design_option);
  std::vector<std::string> recordings;
  CLI::Option* slurm_option =
      check_command
          ->add_option("--slurm-run", recordings,
                       "Recorded runs of a real Slurm that the policy slurm has to follow (docs/slurm-runs.md)")
          ->type_name("FILE...")
          ->excludes(policy_option)
          ->excludes(theory_option)
          ->excludes(design_option);
  bool swarms = false;
  CLI::Option* swarm_option =
      check_command
          ->add_flag("--swarm", swarms,
                     "Run random scenarios in which everything goes wrong, and check what must hold (docs/swarm.md)")
          ->excludes(policy_option)
          ->excludes(theory_option)
          ->excludes(slurm_option)
          ->excludes(design_option);
  check_command
      ->add_option("--minutes", check.minutes, "Of a swarm: as many cases as so many minutes take, in place of --cases")
      ->type_name("N")
      ->check(decimal("minutes", 0.01, 100'000))
      ->needs(swarm_option);
  check_command->add_flag("--print", check.prints, "Of a swarm: print the scenario of the case --seed, and run nothing")
      ->needs(swarm_option);
  check_command
      ->add_option("--edition", design.edition,
                   "Of a design: edition of the rules; default: what the version of Slurm says")
      ->check(CLI::IsMember({"2024-12", "2026-08"}))
      ->type_name("2024-12|2026-08")
      ->needs(design_option);
  check_command->add_flag("--strict", design.strict, "Of a design: exit status 1 for warnings, too")
      ->needs(design_option);
  check_command
      ->add_option("--seed", check.seed,
                   "Of a policy or a swarm: only the case with this seed; of theory: the first seed (1)")
      ->type_name("N")
      ->check(whole_number(0));
  CLI::Option* cases_option =
      check_command->add_option("--cases", check.cases, "Of a policy or a swarm: number of random cases")
          ->type_name("N")
          ->check(whole_number(1))
          ->capture_default_str();
  check_command->add_option("--replications", theory.replications, "Of theory: runs of each queue")
      ->type_name("N")
      ->check(whole_number(2, 10'000))
      ->needs(theory_option)
      ->capture_default_str();
  check_command
      ->add_option("--jobs", theory.jobs, "Of theory: jobs of a run; default: what narrow intervals take, by queue")
      ->type_name("N")
      ->check(whole_number(1000, 10'000'000))
      ->needs(theory_option);
  check_command
      ->add_option("--run-time-factor", theory.run_time_factor,
                   "Of theory: simulate run times so many times as long as theory is told, to see it fail")
      ->type_name("X")
      ->check(decimal("a factor", 0.01, 100))
      ->needs(theory_option)
      ->capture_default_str();
  add_output(check_command, "table|json|sarif");
  check_command->footer("Policies:" + policies +
                        "\n\nExamples:\n  headroom check cluster.json node-group.json queue.json launch-template.json\n"
                        "  headroom check --format sarif designs/ >design.sarif\n  headroom check --policy easy\n  "
                        "headroom check --theory\n  headroom check --swarm --minutes 10\n"
                        "  headroom check --slurm-run c_cloud_zero.v2505x.json\n"
                        "  headroom check --theory --run-time-factor 1.05   # exit status 1: the check can fail");
  check_command->callback([&] {
    if (design_option->empty() && policy_option->empty() && !against_theory && slurm_option->empty() && !swarms) {
      throw CLI::RequiredError("check: one of FILE..., --policy, --slurm-run, --swarm and --theory");
    }
    if (!design_option->empty()) {
      action = [&] { return check_design_files(design, output); };
      return;
    }
    if (format == "sarif") throw CLI::ValidationError("--format", "sarif is for designs (FILE...): table or json");
    if (!cases_option->empty() && policy_option->empty() && !swarms) {
      throw CLI::ValidationError("--cases", "--cases is for a policy or a swarm");
    }
    if (swarms) {
      action = [&] { return run_swarm(check, output); };
      return;
    }
    if (!slurm_option->empty()) {
      action = [&] { return check_recorded_runs(recordings, output); };
      return;
    }
    if (!against_theory) {
      action = [&] { return check_policy(check, output); };
    } else {
      theory.seed = check.seed.value_or(theory.seed);
      action = [&] { return check_queueing_theory(theory, output); };
    }
  });

  CalibrateArguments calibration;
  CLI::App* calibrate_command =
      app.add_subcommand("calibrate", "Fit the network model to measured latencies, or boot times to logs");
  calibrate_command
      ->add_option("FILE", calibration.files,
                   "Output of pingpong and allpairs (JSON), osu_latency, osu_bw, osu_bibw, IMB PingPong, fi_pingpong; "
                   "- for stdin (docs/calibrate.md)")
      ->required()
      ->type_name("");
  bool boots = false;
  CLI::Option* boot_option = calibrate_command->add_flag(
      "--boot", boots, "Of boot times: FILE is nodes.csv or events.jsonl of a run, or a scaling log of PCS");
  calibrate_command
      ->add_option("--instance-type", calibration.instance_type, "What it was measured on, where files do not say")
      ->type_name("TYPE")
      ->excludes(boot_option);
  calibrate_command
      ->add_option("--transport", calibration.transport, "What carried the messages, where files do not say")
      ->type_name("efa|tcp|shm")
      ->excludes(boot_option)
      ->check(CLI::IsMember({"efa", "tcp", "shm"}));
  calibrate_command
      ->add_option("--claims-hosts", calibration.claimed_hosts,
                   "On how many hosts the two ranks of text were; default: 2, with --transport shm 1")
      ->type_name("1|2")
      ->excludes(boot_option)
      ->check(CLI::IsMember({"1", "2"}));
  calibrate_command
      ->add_option("--topology", calibration.topology,
                   "Output of aws ec2 describe-instance-topology, to fit the latency of each hop")
      ->type_name("FILE")
      ->excludes(boot_option)
      ->take_all()
      ->allow_extra_args(false);
  calibrate_command->add_option("--confidence", calibration.confidence, "Of each interval by itself")
      ->type_name("P")
      ->check(decimal("a probability", 0.5, 0.9999))
      ->capture_default_str();
  calibrate_command->add_option("--out", calibration.out, "Write what a scenario takes here")
      ->type_name("FRAGMENT.json");
  add_output(calibrate_command, "table|json");
  calibrate_command->footer(
      "Examples:\n  headroom calibrate osu_latency osu_bw --instance-type c5n.18xlarge --transport efa --out efa.json\n"
      "  headroom calibrate --boot out/nodes.csv --out boot.json");
  calibrate_command->callback([&] {
    action = [&] {
      return boots ? calibrate_boot_times(calibration, output) : calibrate_network(calibration, output);
    };
  });

  CLI::App* trace_command = app.add_subcommand("trace", "Workload logs");
  trace_command->require_subcommand(1);
  std::string log;
  CLI::App* info_command = trace_command->add_subcommand("info", "Facts about a log in SWF, plain, .gz or .zst");
  info_command->add_option("FILE", log, "Log (- for stdin)")->required();
  add_output(info_command, "table|json");
  info_command->footer("Example:\n  headroom trace info KTH-SP2-1996-2.swf.zst");
  info_command->callback([&] { action = [&] { return show_trace_info(log, output); }; });

  CatalogArguments catalog;
  CLI::App* catalog_command = app.add_subcommand("catalog", "EC2 instance types: cores, memory, EFA, price");
  catalog_command->add_option("FILTER", catalog.filter, "Only types whose name contains this text");
  catalog_command->add_option("--region", catalog.region, "Region of the prices")
      ->type_name("NAME")
      ->capture_default_str();
  add_output(catalog_command, "table|json|csv");
  catalog_command->footer("Example:\n  headroom catalog hpc --region us-east-2");
  catalog_command->callback([&] { action = [&] { return show_catalog(catalog, output); }; });

  std::string shell;
  CLI::App* completion_command = app.add_subcommand("completion", "Print a completion script for a shell");
  completion_command->add_option("SHELL", shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  completion_command->footer("Example:\n  source <(headroom completion bash)");
  completion_command->callback([&] { action = [&] { return print_text(completion_script(app, shell)); }; });

  if (argc > 1 && argv[1][0] != '-') {
    std::vector<std::string> known;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      known.push_back(command->get_name());
    }
    if (std::find(known.begin(), known.end(), argv[1]) == known.end()) {
      fmt::print(stderr, "headroom: no command \"{}\"; commands: {}\n", argv[1], fmt::join(known, ", "));
      return 2;
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    if (status != 0) return 2;
    if (std::cout.flush()) return 0;
    fmt::print(stderr, "stdout: writing failed\n");
    return 4;
  }
  output.format = format;
  output.color = use_color(color);
  try {
    return action();
  } catch (const InputError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 3;
  } catch (const EnvironmentError& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 4;
  } catch (const Bug& bug) {
    fmt::print(stderr,
               "headroom: stopped by its own checks: {}\nA bug of the policy or of headroom; of the latter please "
               "report the command.\n",
               bug.what());
    return 4;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "headroom: out of memory\n");
    return 4;
  } catch (const std::exception& error) {
    fmt::print(stderr, "headroom: {}\n", error.what());
    return 4;
  }
}
