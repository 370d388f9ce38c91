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
      ->type_name("queue,nodes,priority,shares,operations,network")
      ->delimiter(',')
      ->take_all()
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"queue", "nodes", "priority", "shares", "operations", "network"}))
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
    action = [&] { return boots ? calibrate_boot_times(calibration, output) : calibrate_network(calibration, output); };
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

  ValidateArguments validate;
  CLI::App* validate_command = app.add_subcommand(
      "validate",
      "Prove that MPI and EFA work on a real cluster: every pair of hosts, and how fast (docs/validate.md)");
  const auto named = [](const std::string& text) {
    return is_host_name(text) ? std::string() : fmt::format("{}: expected the name or address of a host", text);
  };
  const auto duration = [](const std::string& text) {
    const auto time = parse_moment(text);
    return time && *time >= kSecond && *time <= 7 * 86'400 * kSecond
               ? std::string()
               : fmt::format("{}: expected from 1 s to 7 days: seconds, or a duration such as 90s, 15m, 2h", text);
  };
  CLI::Option* hosts_option = validate_command->add_option("--hosts", validate.hosts, "Run on these hosts with mpirun")
                                  ->type_name("A,B,...")
                                  ->delimiter(',')
                                  ->take_all()
                                  ->allow_extra_args(false)
                                  ->check(named);
  CLI::Option* hostfile_option =
      validate_command->add_option("--hostfile", validate.hostfile, "The same with the hosts in a file, one a line")
          ->type_name("FILE")
          ->excludes(hosts_option);
  CLI::Option* on_slurm =
      validate_command->add_flag("--slurm", validate.slurm, "Run as a job of Slurm: sbatch, wait, read")
          ->excludes(hosts_option)
          ->excludes(hostfile_option);
  CLI::Option* from_option =
      validate_command
          ->add_option("--from", validate.from, "Judge recorded JSON documents and logs of the programs; run nothing")
          ->type_name("FILE...")
          ->excludes(hosts_option)
          ->excludes(hostfile_option)
          ->excludes(on_slurm);
  validate_command->add_option("--expect", validate.expect, "What messages between ranks are to go over")
      ->check(CLI::IsMember({"efa", "tcp", "shm"}))
      ->type_name("efa|tcp|shm")
      ->capture_default_str();
  validate_command->add_flag("--as-is", validate.as_is, "Do not force MPI to that: judge what it chooses by itself")
      ->excludes(from_option);
  validate_command
      ->add_option("--instance-type", validate.instance_type, "EC2 instance type; default: what the hosts say they are")
      ->type_name("TYPE");
  validate_command->add_option("--tests", validate.tests, "Programs to run; of --from, programs that must be there")
      ->type_name("hello,pingpong,allpairs,allreduce")
      ->delimiter(',')
      ->take_all()
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"hello", "pingpong", "allpairs", "allreduce"}));
  validate_command
      ->add_option("--programs", validate.programs, "Folder of the programs; default: mpi-tests beside headroom")
      ->type_name("DIR");
  validate_command->add_option("--mpirun", validate.mpirun, "mpirun of Open MPI, MPICH or Intel MPI")
      ->type_name("PATH")
      ->capture_default_str();
  validate_command
      ->add_option("--nodes", validate.nodes,
                   "With --slurm, nodes of the job (2); with --from, hosts that were asked for")
      ->type_name("N")
      ->check(whole_number(1, 100'000));
  validate_command
      ->add_option("--tasks-per-node", validate.tasks_per_node,
                   "Ranks on each host of hello and allreduce (1; 2 on one host)")
      ->type_name("K")
      ->check(whole_number(1, 10'000));
  validate_command->add_option("--partition", validate.partition, "Slurm's partition (a queue of PCS)")
      ->type_name("NAME")
      ->needs(on_slurm);
  validate_command
      ->add_option("--time-limit", validate.job_time_limit, "Time limit of the job as sbatch takes it; default: enough")
      ->type_name("TIME")
      ->needs(on_slurm);
  validate_command->add_option("--launcher", validate.launcher, "In the job, how ranks are started")
      ->type_name("mpirun|srun[:PLUGIN]")
      ->check([](const std::string& text) {
        const bool plugin = text.rfind("srun:", 0) == 0 && text.size() > 5 && is_host_name(text.substr(5));
        return text == "mpirun" || text == "srun" || plugin
                   ? std::string()
                   : fmt::format("{}: expected mpirun, srun or srun:PLUGIN", text);
      })
      ->needs(on_slurm)
      ->capture_default_str();
  validate_command
      ->add_option("--sbatch-option", validate.sbatch, "Another option for sbatch, such as --sbatch-option=--account=x")
      ->type_name("OPTION")
      ->take_all()
      ->allow_extra_args(false)
      ->needs(on_slurm);
  std::string queue_timeout = "30m";
  validate_command->add_option("--queue-timeout", queue_timeout, "How long the job may wait for its nodes")
      ->type_name("DURATION")
      ->check(duration)
      ->needs(on_slurm)
      ->capture_default_str();
  std::string timeout = "5m";
  validate_command->add_option("--timeout", timeout, "After how long a program that does not end is cut off: it hangs")
      ->type_name("DURATION")
      ->check(duration)
      ->excludes(from_option)
      ->capture_default_str();
  validate_command->add_option("--max-bytes", validate.max_bytes, "Longest message of pingpong and allreduce (4194304)")
      ->type_name("N")
      ->check(whole_number(8, 1u << 30))
      ->excludes(from_option);
  validate_command
      ->add_flag("--imds", validate.imds, "The programs ask the instance metadata service who their host is")
      ->excludes(from_option);
  validate_command
      ->add_option("--interfaces", validate.interfaces, "EFA interfaces of a host; default: the catalog's number")
      ->type_name("N")
      ->check(whole_number(1, 1000));
  validate_command
      ->add_option("--max-latency-us", validate.max_latency_us,
                   "Latency up to 8 bytes that is good enough; default: by type")
      ->type_name("X")
      ->check(decimal("microseconds", 0.001, 1'000'000'000));
  validate_command
      ->add_option("--min-bandwidth-mb-s", validate.min_bandwidth_mb_s,
                   "Bandwidth of ping-pong with 1 MiB that is good enough; default: by type")
      ->type_name("X")
      ->check(decimal("MB/s", 0.001, 1'000'000'000));
  validate_command
      ->add_option("--slow-factor", validate.slow_factor,
                   "How many times slower than the fast quarter of all pairs is slow (efa 1.5, tcp 2, shm 4)")
      ->type_name("X")
      ->check(decimal("a factor", 1.01, 1000));
  validate_command->add_flag("--namespaces-are-hosts", validate.namespaces_are_hosts,
                             "Count network namespaces of one kernel as hosts: for trying this command out");
  validate_command
      ->add_option("--out", validate.out, "Folder that keeps documents and logs of the programs, and validation.json")
      ->type_name("DIR")
      ->excludes(from_option);
  validate_command->add_option("--junit", validate.junit, "Write the verdicts as JUnit XML")->type_name("FILE");
  CLI::Option* heat_map_option =
      validate_command->add_option("--heat-map", validate.heat_map, "Draw the latency of every pair of hosts")
          ->type_name("FILE.svg");
  validate_command
      ->add_option("--topology", validate.topology, "Output of aws ec2 describe-instance-topology: orders the heat map")
      ->type_name("FILE")
      ->needs(heat_map_option);
  add_output(validate_command, "table|json");
  validate_command->footer(
      "Examples:\n  headroom validate --slurm --nodes 4 --partition hpc --heat-map latency.svg\n"
      "  headroom validate --hosts ip-10-0-0-1,ip-10-0-0-2 --junit validate.xml\n"
      "  headroom validate --hosts localhost --expect shm   # tries the command itself\n"
      "  headroom validate --from out/*.json out/*.log --instance-type hpc6a.48xlarge");
  validate_command->callback([&] {
    if (hosts_option->empty() && hostfile_option->empty() && !validate.slurm && from_option->empty()) {
      throw CLI::RequiredError("validate: one of --hosts, --hostfile, --slurm and --from");
    }
    if (!hosts_option->empty() || !hostfile_option->empty()) {
      if (validate.nodes) throw CLI::ValidationError("--nodes", "--nodes is for --slurm and --from");
    }
    if (validate.hosts.size() == 1 && validate.tasks_per_node == 1) {
      throw CLI::ValidationError("--tasks-per-node", "one rank on one host has nobody to talk to");
    }
    for (const std::vector<std::string>* list : {&validate.hosts, &validate.tests}) {
      for (std::size_t i = 0; i < list->size(); ++i) {
        if (std::find(list->begin(), list->begin() + static_cast<std::ptrdiff_t>(i), (*list)[i]) !=
            list->begin() + static_cast<std::ptrdiff_t>(i)) {
          throw CLI::ValidationError("validate", fmt::format("{}: given twice", (*list)[i]));
        }
      }
    }
    validate.time_limit_s = static_cast<double>(parse_moment(timeout).value()) / static_cast<double>(kSecond);
    validate.queue_limit_s = static_cast<double>(parse_moment(queue_timeout).value()) / static_cast<double>(kSecond);
    action = [&] { return validate_cluster(validate, output); };
  });

  TopologyArguments topology;
  CLI::App* topology_command = app.add_subcommand(
      "topology", "The network between instances, from what aws ec2 describe-instance-topology printed");
  topology_command->add_option("FILE", topology.files, "JSON that the command printed, its pages one after the other")
      ->required()
      ->type_name("");
  CLI::Option* slurm_topology_option =
      topology_command->add_flag("--slurm", topology.slurm, "Print a topology.conf for Slurm's topology/tree");
  topology_command
      ->add_option(
          "--nodes", topology.nodes,
          "With --slurm, the nodes' names: lines \"INSTANCE-ID NAME\", or what aws ec2 describe-instances printed")
      ->type_name("FILE")
      ->needs(slurm_topology_option);
  topology_command
      ->add_flag("--scenario", topology.scenario, "Print a scenario's network.fabrics with layers and leaves as seen")
      ->excludes(slurm_topology_option);
  add_output(topology_command, "table|json|csv");
  topology_command->footer(
      "Example:\n  aws ec2 describe-instance-topology --group-names my-group >topology.json\n"
      "  headroom topology topology.json\n  headroom topology topology.json --slurm --nodes names.txt >topology.conf");
  topology_command->callback([&] {
    if ((topology.slurm || topology.scenario) && format != "table") {
      throw CLI::ValidationError("--format", "is not for --slurm and --scenario");
    }
    action = [&] { return show_topology(topology, output); };
  });

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
