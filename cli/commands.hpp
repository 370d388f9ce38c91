// What each command of `headroom` does. Every function returns the exit status and throws InputError,
// EnvironmentError or Bug otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/types.hpp"

namespace headroom {

struct Output {
  std::string format = "table";
  bool quiet = false;
  bool color = false;
};

// "auto" means: on a terminal, unless NO_COLOR is set or the terminal is dumb.
bool use_color(const std::string& choice);

struct RunArguments {
  std::string scenario;
  std::string out;
  bool events = false;  // events.jsonl and scheduler.jsonl, too
  std::optional<std::uint64_t> seed;
  std::vector<std::string> set;
  std::optional<std::string> trace;
  std::string journal;
  std::optional<std::uint64_t> max_jobs;
  std::vector<std::string> sbatch;  // job scripts
  double timeline_step_s = 60;
  std::vector<std::string> at;    // as parse_moment takes them
  std::vector<std::string> show;  // "queue", "nodes"; empty: both
};

// A time of --at: seconds, or a duration such as 90s, 15m, 2h, 7d. Nothing when it is none.
std::optional<Time> parse_moment(const std::string& text);

struct CheckArguments {
  std::string policy;
  std::optional<std::uint64_t> seed;
  std::uint64_t cases = 500;
  // of a swarm
  std::optional<double> minutes;
  bool prints = false;
};

struct DesignArguments {
  std::vector<std::string> files;      // and folders
  std::optional<std::string> edition;  // of the PCS rules
  bool strict = false;
};

struct TheoryArguments {
  std::uint64_t replications = 40;
  std::optional<std::uint64_t> jobs;
  std::uint64_t seed = 1;
  double run_time_factor = 1;
};

struct CatalogArguments {
  std::string filter;
  std::string region = "us-east-1";
};

// One of hosts, slurm and from is given.
struct ValidateArguments {
  std::vector<std::string> hosts;
  std::string hostfile;
  std::string mpirun = "mpirun";
  bool slurm = false;
  std::optional<std::int64_t> nodes;
  std::string partition;
  std::optional<std::int64_t> tasks_per_node;
  std::string job_time_limit;       // as sbatch takes it
  std::string launcher = "mpirun";  // in the job: mpirun, srun, srun:PLUGIN
  std::vector<std::string> sbatch;  // further options
  double queue_limit_s = 1800;
  std::vector<std::string> from;
  std::string expect = "efa";
  bool as_is = false;
  std::string instance_type;
  std::optional<std::int64_t> interfaces;
  std::optional<double> max_latency_us;
  std::optional<double> min_bandwidth_mb_s;
  std::optional<double> slow_factor;
  bool namespaces_are_hosts = false;
  std::string programs;
  std::vector<std::string> tests;
  std::optional<std::int64_t> max_bytes;
  double time_limit_s = 300;  // of one program
  bool imds = false;
  std::string out;
  std::string junit;
  std::string heat_map;
  std::string topology;
};

// Whether mpirun, ssh and a shell would take it for nothing but a host's name or address.
bool is_host_name(const std::string& text);

struct CalibrateArguments {
  std::vector<std::string> files;
  std::string instance_type;
  std::string transport;
  std::optional<std::int64_t> claimed_hosts;
  std::vector<std::string> topology;  // files
  std::string out;
  double confidence = 0.95;
};

struct TopologyArguments {
  std::vector<std::string> files;
  bool slurm = false;     // topology.conf
  std::string nodes;      // file with names of nodes
  bool scenario = false;  // a fragment of one
};

int run_scenario(const RunArguments& arguments, const Output& output);
int replay_journal(const std::string& journal, const Output& output);
int check_design_files(const DesignArguments& arguments, const Output& output);
int check_policy(const CheckArguments& arguments, const Output& output);
int run_swarm(const CheckArguments& arguments, const Output& output);
int check_recorded_runs(const std::vector<std::string>& files, const Output& output);
int check_queueing_theory(const TheoryArguments& arguments, const Output& output);
int calibrate_boot_times(const CalibrateArguments& arguments, const Output& output);
int calibrate_network(const CalibrateArguments& arguments, const Output& output);
int show_trace_info(const std::string& log, const Output& output);
int print_text(const std::string& text);
int validate_cluster(const ValidateArguments& arguments, const Output& output);
int show_topology(const TopologyArguments& arguments, const Output& output);
int show_catalog(const CatalogArguments& arguments, const Output& output);

}  // namespace headroom
