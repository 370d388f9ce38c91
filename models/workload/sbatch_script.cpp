#include "models/workload/sbatch_script.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "models/policies/slurm/conf.hpp"
#include "models/scenario/options.hpp"
#include "models/scenario/sbatch_syntax.hpp"

namespace headroom {
namespace {

using Kind = JsonValue::Kind;
using Argument = SbatchOption::Argument;

constexpr std::size_t kLargestScript = 4u << 20;  // slurmctld's max_script_size
constexpr std::int64_t kMostCopies = 50'000;      // a journal holds them all as text, which has bounds

std::string found(std::string_view value, std::string_view expected) {
  return fmt::format("found {}, expected {}", quote(value), expected);
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void put(JsonValue& out, std::string_view text) {
  out.kind = Kind::string;
  out.text = text;
}
void put(JsonValue& out, std::int64_t number) {
  out.kind = Kind::integer;
  out.integer = number;
  out.number = static_cast<double>(number);
}
void put_truth(JsonValue& out, bool truth) {
  out.kind = Kind::boolean;
  out.truth = truth;
}

// --- How values are read ---

std::string text(std::string_view value, JsonValue& out) {
  if (value.empty()) return found(value, "some text");
  put(out, value);
  return {};
}

std::string yes(std::string_view, JsonValue& out) {
  put_truth(out, true);
  return {};
}

std::string no(std::string_view, JsonValue& out) {
  put_truth(out, false);
  return {};
}

std::string count(std::string_view value, JsonValue& out) {
  const auto number = whole(value);
  if (!number || *number < 1 || *number > std::numeric_limits<std::int32_t>::max()) {
    return found(value, "a whole number from 1 on");
  }
  put(out, *number);
  return {};
}

// 4, 2k, 4-4. One number is the least and the most.
std::string nodes(std::string_view value, JsonValue& out) {
  const auto number = [](std::string_view digits) -> std::optional<std::int64_t> {
    std::int64_t unit = 1;
    if (!digits.empty() && (digits.back() == 'k' || digits.back() == 'K')) unit = 1024;
    if (!digits.empty() && (digits.back() == 'm' || digits.back() == 'M')) unit = 1024 * 1024;
    if (unit > 1) digits.remove_suffix(1);
    const auto plain = whole(digits);
    if (!plain || *plain < 1 || *plain * unit > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
    return *plain * unit;
  };
  const auto dash = value.find('-');
  const auto least = number(value.substr(0, dash));
  const auto most = dash == std::string_view::npos ? least : number(value.substr(dash + 1));
  if (!least || !most) return found(value, "a number of nodes such as 4");
  if (*least > *most) return found(value, "the smaller number first");
  if (*least != *most) return text(fmt::format("{}-{}", *least, *most), out);
  put(out, *least);
  return {};
}

// 4G, 500M, 2000K, 3000: MiB, rounded up.
std::string memory(std::string_view value, JsonValue& out) {
  std::string_view digits = value;
  if (digits.size() > 2 && (digits.back() == 'B' || digits.back() == 'b')) digits.remove_suffix(1);
  std::int64_t times = 1;
  bool kib = false;
  constexpr std::string_view kUnits = "MGT";
  if (!digits.empty() && (digits.back() < '0' || digits.back() > '9')) {
    const char unit = static_cast<char>(digits.back() >= 'a' ? digits.back() - 'a' + 'A' : digits.back());
    const auto at = kUnits.find(unit);
    kib = unit == 'K';
    if (at == std::string_view::npos && !kib) return found(value, "a size such as 4G, 500M or 3000 (MiB)");
    for (std::size_t i = 0; at != std::string_view::npos && i < at; ++i) times *= 1024;
    digits.remove_suffix(1);
  }
  const auto number = whole(digits);
  if (!number || *number < 0 || *number > std::numeric_limits<std::int32_t>::max()) {
    return found(value, "a size such as 4G, 500M or 3000 (MiB)");
  }
  if (*number == 0) return found(value, "more than 0: all of a node's memory is not followed; give its size");
  const std::int64_t mib = kib ? (*number + 1023) / 1024 : *number * times;
  if (mib > std::numeric_limits<std::int32_t>::max()) return found(value, "less than 2048T");
  put(out, mib);
  return {};
}

std::string time_limit(std::string_view value, JsonValue& out) {
  const auto limit = slurm::parse_duration(value);
  if (!limit) return found(value, "minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM or D-HH:MM:SS");
  // Without a limit: the longest that a scenario can say.
  put(out, *limit == 0 || *limit >= slurm::kUnlimited ? kMaxJobSeconds : *limit);
  return {};
}

std::string begin(std::string_view value, JsonValue& out) {
  constexpr std::string_view kExpected = "now+COUNT[seconds|minutes|hours|days|weeks]: a scenario has no dates";
  if (!value.starts_with("now")) return found(value, kExpected);
  value.remove_prefix(3);
  if (value.empty()) return {};
  if (value.front() != '+') return found(fmt::format("now{}", value), kExpected);
  const auto digits = std::min(value.find_first_not_of("0123456789", 1), value.size());
  const auto number = whole(value.substr(1, digits - 1));
  const std::string_view unit = value.substr(digits);
  constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
      {"", 1},        {"seconds", 1},  {"second", 1},  {"minutes", 60},   {"minute", 60},  {"hours", 3600},
      {"hour", 3600}, {"days", 86400}, {"day", 86400}, {"weeks", 604800}, {"week", 604800}};
  const auto* const known =
      std::find_if(std::begin(kUnits), std::end(kUnits), [&](const auto& each) { return each.first == unit; });
  if (!number || known == std::end(kUnits) || *number > kMaxJobSeconds / known->second) {
    return found(fmt::format("now{}", value), kExpected);
  }
  put(out, *number * known->second);
  return {};
}

std::string nice(std::string_view value, JsonValue& out) {
  const auto number = value.empty() ? std::optional<std::int64_t>(100) : whole(value);
  constexpr std::int64_t kNicest = 2'147'483'645;
  if (!number || *number < -kNicest || *number > kNicest) {
    return found(value, fmt::format("a whole number from -{} to {}", kNicest, kNicest));
  }
  put(out, *number);
  return {};
}

std::string priority(std::string_view value, JsonValue& out) {
  const auto number = whole(value);
  if (!number || *number < 1 || *number > 4'294'967'294) {
    return found(value, "a whole number from 1 to 4294967294; TOP is not followed");
  }
  put(out, *number);
  return {};
}

std::string core_spec(std::string_view value, JsonValue& out) {
  const auto number = whole(value);
  if (!number || *number < 0 || *number > 65533) return found(value, "a whole number from 0 to 65533");
  put(out, *number);
  return {};
}

std::string exclusive(std::string_view value, JsonValue& out) {
  if (value == "mcs" || value == "topo") return found(value, "nothing or user: this form is not followed");
  if (!value.empty() && value != "user") return found(value, "nothing or user");
  if (value == "user") return text(value, out);
  put_truth(out, true);
  return {};
}

// Nodes offer cores (PCS sets ThreadsPerCore=1), so what asks for one thread of each changes nothing.
std::string one(std::string_view value, JsonValue&) {
  return value == "1" ? std::string() : found(value, "1: nodes have one thread a core");
}

std::string hint(std::string_view value, JsonValue&) {
  return value == "nomultithread" ? std::string() : found(value, "nomultithread: other hints are not followed");
}

std::string hosts(std::string_view value, JsonValue& out) {
  if (value.find('/') != std::string_view::npos || slurm::expand_hostlist(value).empty()) {
    return found(value, "a node or a list such as compute-1-[1-3]; files of nodes are not read");
  }
  return text(value, out);
}

std::string time_min(std::string_view value, JsonValue& out) {
  const auto least = slurm::parse_duration(value);
  if (!least || *least == 0 || *least >= slurm::kUnlimited) {
    return found(value, "minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM or D-HH:MM:SS");
  }
  put(out, *least);
  return {};
}

std::string never_kill(std::string_view value, JsonValue&) {
  return value == "no" ? std::string() : found(value, "no: jobs whose dependency never comes wait");
}

// --- The table ---

constexpr auto kNone = Argument::none;
constexpr auto kNeeds = Argument::required;
constexpr auto kMay = Argument::optional;
constexpr auto kJob = SbatchUse::job;
constexpr auto kIgnored = SbatchUse::ignored;
constexpr auto kRefused = SbatchUse::refused;

constexpr std::string_view kTakes = "SbatchScript.MakesAJobOfEachOption";
constexpr std::string_view kIgnores = "SbatchScript.ListsWhatItIgnores";
constexpr std::string_view kRefuses = "SbatchScript.RefusesWhatIsNotFollowed";

constexpr std::string_view kOutput = "Where output goes.";
constexpr std::string_view kAccounts = "Accounting only.";
constexpr std::string_view kLayout = "Sockets, cores and threads of a node are not modelled.";
constexpr std::string_view kNotSubmitted = "With it nothing is submitted.";
constexpr std::string_view kOnNode = "Happens on the node, while the job runs.";

// clang-format off
constexpr SbatchOption kOptions[] = {
  {"account", 'A', kNeeds, kJob, "account", text, "Who pays.", kTakes},
  {"acctg-freq", 0, kNeeds, kIgnored, "", nullptr, kAccounts, kIgnores},
  {"array", 'a', kNeeds, kJob, "array", text, "Task n of job ID is job ID_n; they all run for runTime.", kTakes},
  {"batch", 0, kNeeds, kRefused, "", nullptr, "Features of the batch host are not followed.", kRefuses},
  {"bb", 0, kNeeds, kRefused, "", nullptr, "Burst buffers delay starts; they are not modelled.", kRefuses},
  {"bbf", 0, kNeeds, kRefused, "", nullptr, "Burst buffers delay starts; they are not modelled.", kRefuses},
  {"begin", 'b', kNeeds, kJob, "begin", begin, "now and now+TIME; a scenario has no dates.", "SbatchScript.ReadsBegin"},
  {"chdir", 'D', kNeeds, kIgnored, "", nullptr, kOnNode, kIgnores},
  {"cluster-constraint", 0, kNeeds, kRefused, "", nullptr, "There is one cluster.", kRefuses},
  {"clusters", 'M', kNeeds, kRefused, "", nullptr, "There is one cluster.", kRefuses},
  {"comment", 0, kNeeds, kIgnored, "", nullptr, kAccounts, kIgnores},
  {"consolidate-segments", 0, kNone, kRefused, "", nullptr, "Block topologies are not followed.", kRefuses},
  {"constraint", 'C', kNeeds, kJob, "constraint", text, "Features that the nodes must have.", kTakes},
  {"container", 0, kNeeds, kIgnored, "", nullptr, kOnNode, kIgnores},
  {"container-id", 0, kNeeds, kIgnored, "", nullptr, kOnNode, kIgnores},
  {"contiguous", 0, kNone, kJob, "contiguous", yes, "Nodes that stand side by side.", kTakes},
  {"core-spec", 'S', kNeeds, kJob, "coreSpec", core_spec, "Cores of each node that are left to the system.", kTakes},
  {"cores-per-socket", 0, kNeeds, kRefused, "", nullptr, kLayout, kRefuses},
  {"cpu-freq", 0, kNeeds, kIgnored, "", nullptr, kOnNode, kIgnores},
  {"cpus-per-gpu", 0, kNeeds, kJob, "cpusPerGpu", count, "Cores that come with each GPU.", kTakes},
  {"cpus-per-task", 'c', kNeeds, kJob, "cpusPerTask", count, "Cores of each task.", kTakes},
  {"deadline", 0, kNeeds, kJob, "deadline", begin, "now+TIME; a scenario has no dates.", kTakes},
  {"delay-boot", 0, kNeeds, kRefused, "", nullptr, "Nodes are not booted anew for features.", kRefuses},
  {"dependency", 'd', kNeeds, kJob, "dependency", text, "Jobs go by their names (--job-name) instead of Slurm's numbers.",
   "SbatchScript.DependsOnJobsByName"},
  {"distribution", 'm', kNeeds, kRefused, "", nullptr, "How tasks are laid on nodes is Slurm's default here.", kRefuses},
  {"error", 'e', kNeeds, kIgnored, "", nullptr, kOutput, kIgnores},
  {"exclude", 'x', kNeeds, kJob, "exclude", hosts, "Nodes that it does not get.", "SbatchScript.ReadsNodesByName"},
  {"exclusive", 0, kMay, kJob, "exclusive", exclusive, "Whole nodes; =user: nodes with jobs of this user only.",
   "SbatchScript.ReadsExclusive"},
  {"export", 0, kNeeds, kIgnored, "", nullptr, "The environment.", kIgnores},
  {"export-file", 0, kNeeds, kIgnored, "", nullptr, "The environment.", kIgnores},
  {"extra", 0, kNeeds, kIgnored, "", nullptr, kAccounts, kIgnores},
  {"extra-node-info", 'B', kNeeds, kRefused, "", nullptr, kLayout, kRefuses},
  {"get-user-env", 0, kMay, kIgnored, "", nullptr, "The environment.", kIgnores},
  {"gid", 0, kNeeds, kIgnored, "", nullptr, "Groups are not modelled.", kIgnores},
  {"gpu-bind", 0, kNeeds, kIgnored, "", nullptr, kOnNode, kIgnores},
  {"gpu-freq", 0, kNeeds, kIgnored, "", nullptr, kOnNode, kIgnores},
  {"gpus", 'G', kNeeds, kJob, "gpus", text, "GPUs of the job.", kTakes},
  {"gpus-per-node", 0, kNeeds, kJob, "gpusPerNode", text, "GPUs on each node.", kTakes},
  {"gpus-per-socket", 0, kNeeds, kJob, "gpusPerSocket", text, "GPUs on each of --sockets-per-node sockets.", kTakes},
  {"gpus-per-task", 0, kNeeds, kJob, "gpusPerTask", text, "GPUs of each task.", kTakes},
  {"gres", 0, kNeeds, kJob, "gres", text, "Generic resources of each node.", kTakes},
  {"gres-flags", 0, kNeeds, kRefused, "", nullptr, "Which cores a GPU is bound to is not modelled.", kRefuses},
  {"help", 'h', kNone, kRefused, "", nullptr, kNotSubmitted, kRefuses},
  {"hint", 0, kNeeds, kIgnored, "", hint, "nomultithread: nodes have one thread a core; other hints are refused.",
   "SbatchScript.RefusesValuesThatWouldMatter"},
  {"hold", 'H', kNone, kJob, "hold", yes, "It waits until it is released (operations).", kTakes},
  {"ignore-pbs", 0, kNone, kIgnored, "", nullptr, "Lines with #PBS are comments; without it they are refused.",
   "SbatchScript.RefusesLinesForOtherSchedulers"},
  {"input", 'i', kNeeds, kIgnored, "", nullptr, kOnNode, kIgnores},
  {"job-name", 'J', kNeeds, kJob, "name", text, "The job's name, and its id in reports; default: the file's.",
   "SbatchScript.NamesJobsAfterTheirFiles"},
  {"kill-on-invalid-dep", 0, kNeeds, kIgnored, "", never_kill, "no, which is the default; yes is refused.",
   "SbatchScript.RefusesValuesThatWouldMatter"},
  {"licenses", 'L', kNeeds, kJob, "licenses", text, "Licenses of the cluster.", kTakes},
  {"mail-type", 0, kNeeds, kIgnored, "", nullptr, "Mail.", kIgnores},
  {"mail-user", 0, kNeeds, kIgnored, "", nullptr, "Mail.", kIgnores},
  {"mcs-label", 0, kNeeds, kRefused, "", nullptr, "Labels decide who shares nodes; they are not followed.", kRefuses},
  {"mem", 0, kNeeds, kJob, "memoryPerNode", memory, "Memory of each node; 0, all of it, is refused.", "SbatchScript.ReadsMemory"},
  {"mem-bind", 0, kNeeds, kIgnored, "", nullptr, kOnNode, kIgnores},
  {"mem-per-cpu", 0, kNeeds, kJob, "memoryPerCpu", memory, "Memory for each core.", "SbatchScript.ReadsMemory"},
  {"mem-per-gpu", 0, kNeeds, kJob, "memoryPerGpu", memory, "Memory for each GPU.", "SbatchScript.ReadsMemory"},
  {"mincpus", 0, kNeeds, kRefused, "", nullptr, "Use --ntasks-per-node or --cpus-per-task.", kRefuses},
  {"network", 0, kNeeds, kIgnored, "", nullptr, "No switch plug-in is modelled.", kIgnores},
  {"nice", 0, kMay, kJob, "nice", nice, "Taken off the priority; 100 where no number is given.", "SbatchScript.ReadsNumbers"},
  {"no-kill", 'k', kMay, kRefused, "", nullptr, "A job that loses a node does not go on with the others here.", kRefuses},
  {"no-requeue", 0, kNone, kJob, "requeue", no, "It fails when it loses a node.", kTakes},
  {"nodefile", 'F', kNeeds, kRefused, "", nullptr, "Files of nodes are not read; use --nodelist.", kRefuses},
  {"nodelist", 'w', kNeeds, kJob, "nodelist", hosts, "Nodes that it gets, others beside them if it takes more.",
   "SbatchScript.ReadsNodesByName"},
  {"nodes", 'N', kNeeds, kJob, "nodes", nodes, "So many nodes, or a range.", "SbatchScript.ReadsNumbers"},
  {"ntasks", 'n', kNeeds, kJob, "tasks", count, "Tasks of the job.", kTakes},
  {"ntasks-per-core", 0, kNeeds, kIgnored, "", one, "1: nodes have one thread a core; more is refused.",
   "SbatchScript.RefusesValuesThatWouldMatter"},
  {"ntasks-per-gpu", 0, kNeeds, kJob, "tasksPerGpu", count, "Tasks for each GPU.", kTakes},
  {"ntasks-per-node", 0, kNeeds, kJob, "tasksPerNode", count, "Tasks of each node; with --ntasks at most so many.", kTakes},
  {"ntasks-per-socket", 0, kNeeds, kRefused, "", nullptr, kLayout, kRefuses},
  {"ntasks-per-tres", 0, kNeeds, kRefused, "", nullptr, "Use --ntasks-per-gpu.", kRefuses},
  {"oom-kill-step", 0, kMay, kIgnored, "", nullptr, kOnNode, kIgnores},
  {"open-mode", 0, kNeeds, kIgnored, "", nullptr, kOutput, kIgnores},
  {"output", 'o', kNeeds, kIgnored, "", nullptr, kOutput, kIgnores},
  {"overcommit", 'O', kNone, kJob, "overcommit", yes, "Several tasks on a core.", kTakes},
  {"oversubscribe", 's', kNone, kJob, "oversubscribe", yes, "It may share nodes.", kTakes},
  {"parsable", 0, kNone, kIgnored, "", nullptr, kOutput, kIgnores},
  {"partition", 'p', kNeeds, kJob, "queue", text, "The queue, or several.", "SbatchScript.ReadsThePartition"},
  {"power", 0, kNeeds, kIgnored, "", nullptr, "Power capping is not modelled.", kIgnores},
  {"prefer", 0, kNeeds, kJob, "prefer", text, "Features that the nodes have if possible, before --constraint.", kTakes},
  {"priority", 0, kNeeds, kJob, "priority", priority, "The job's priority; TOP is refused.", "SbatchScript.ReadsNumbers"},
  {"profile", 0, kNeeds, kIgnored, "", nullptr, kAccounts, kIgnores},
  {"propagate", 0, kMay, kIgnored, "", nullptr, "The environment.", kIgnores},
  {"qos", 'q', kNeeds, kJob, "qos", text, "Quality of service.", kTakes},
  {"quiet", 'Q', kNone, kIgnored, "", nullptr, kOutput, kIgnores},
  {"reboot", 0, kNone, kRefused, "", nullptr, "Nodes are not rebooted for a job.", kRefuses},
  {"requeue", 0, kNone, kJob, "requeue", yes, "It waits again when it loses a node.", kTakes},
  {"reservation", 0, kNeeds, kJob, "reservation", text, "The reservation that it uses.", kTakes},
  {"resv-ports", 0, kMay, kIgnored, "", nullptr, kOnNode, kIgnores},
  {"segment", 0, kNeeds, kRefused, "", nullptr, "Block topologies are not followed.", kRefuses},
  {"share", 0, kNone, kJob, "oversubscribe", yes, "The old name of --oversubscribe.", kTakes},
  {"signal", 0, kNeeds, kIgnored, "", nullptr, "What a job makes of a signal is part of its runTime.", kIgnores},
  {"sockets-per-node", 0, kNeeds, kJob, "socketsPerNode", count, "For --gpus-per-socket only.", kTakes},
  {"spread-job", 0, kNone, kJob, "spreadJob", yes, "As many nodes as possible.", kTakes},
  {"spread-segments", 0, kNone, kRefused, "", nullptr, "Block topologies are not followed.", kRefuses},
  {"stepmgr", 0, kNone, kIgnored, "", nullptr, kOnNode, kIgnores},
  {"switches", 0, kNeeds, kJob, "switches", text, "At most so many switches, waiting so long for them.", kTakes},
  {"tasks-per-node", 0, kNeeds, kJob, "tasksPerNode", count, "Another name of --ntasks-per-node.", kTakes},
  {"test-only", 0, kNone, kRefused, "", nullptr, kNotSubmitted, kRefuses},
  {"thread-spec", 0, kNeeds, kRefused, "", nullptr, kLayout, kRefuses},
  {"threads-per-core", 0, kNeeds, kIgnored, "", one, "1: nodes have one thread a core; more is refused.",
   "SbatchScript.RefusesValuesThatWouldMatter"},
  {"time", 't', kNeeds, kJob, "timeLimit", time_limit, "All of Slurm's forms; 0 and UNLIMITED: none.", "SbatchScript.ReadsTimes"},
  {"time-min", 0, kNeeds, kJob, "timeMin", time_min, "So far backfill may shorten the limit.", "SbatchScript.ReadsTimes"},
  {"tmp", 0, kNeeds, kRefused, "", nullptr, "Disks of nodes are not modelled.", kRefuses},
  {"tres-bind", 0, kNeeds, kIgnored, "", nullptr, kOnNode, kIgnores},
  {"tres-per-task", 0, kNeeds, kRefused, "", nullptr, "Use --cpus-per-task and --gpus-per-task.", kRefuses},
  {"uid", 0, kNeeds, kRefused, "", nullptr, "Say #HEADROOM user=NAME.", kRefuses},
  {"usage", 0, kNone, kRefused, "", nullptr, kNotSubmitted, kRefuses},
  {"use-min-nodes", 0, kNone, kJob, "useMinNodes", yes, "The smaller number of a range of nodes, if it suffices.", kTakes},
  {"verbose", 'v', kNone, kIgnored, "", nullptr, kOutput, kIgnores},
  {"version", 'V', kNone, kRefused, "", nullptr, kNotSubmitted, kRefuses},
  {"wait", 'W', kNone, kIgnored, "", nullptr, "Whether sbatch waits; say with submit when the next script comes.", kIgnores},
  {"wait-all-nodes", 0, kNeeds, kRefused, "", nullptr, "Jobs start when all their nodes are up.", kRefuses},
  {"wckey", 0, kNeeds, kIgnored, "", nullptr, kAccounts, kIgnores},
  {"wrap", 0, kNeeds, kRefused, "", nullptr, "The script is the job.", kRefuses},
};

constexpr SbatchNote kNotes[] = {
  {"runTime", "--time", "How long it really runs, such as 90s, 15m, 2h, 7d. Default: the time limit, with a warning."},
  {"submit", "0", "When it is submitted, from the start of the run."},
  {"user", "", "Who submits it."},
  {"exitCode", "0", "How it really ends: other than 0, it has failed."},
  {"stopTime", "0", "How long its processes take to go when they are told to end. Policy slurm only."},
  {"count", "1", "The script is submitted so many times, as jobs NAME-1, NAME-2 ..."},
  {"every", "0", "Time between two of these submissions."},
};
// clang-format on

// --- A script ---

struct Word {
  std::string text;
  int line;
};

// As sbatch splits the rest of an #SBATCH line: blanks part words, except in quotes; a backslash takes the next
// character as it is; # begins a comment, even within a word. Empty words are none.
std::string split(std::string_view rest, int line, std::vector<Word>& words) {
  std::string word;
  char quoted = 0;
  bool escaped = false;
  const auto finish = [&] {
    if (!word.empty()) words.push_back({std::move(word), line});
    word.clear();
  };
  for (const char c : rest) {
    if (escaped) {
      word += c;
      escaped = false;
    } else if (c == '\\') {
      escaped = true;
    } else if (quoted != 0) {
      if (c == quoted) {
        quoted = 0;
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quoted = c;
    } else if (c == '#') {
      break;
    } else if (c == ' ' || c == '\t' || c == '\v' || c == '\f') {
      finish();
    } else {
      word += c;
    }
  }
  if (quoted != 0) return fmt::format("found no {} that ends the quotation", quoted == '"' ? "\"" : "'");
  finish();
  return {};
}

JsonValue named(std::string_view key, Where where) {
  JsonValue value;
  value.key = key;
  value.where = where;
  value.key_line = where.line;
  return value;
}

// Sets a member; one that was set before is replaced, as the last of several options holds.
JsonValue& member(JsonValue& object, std::string_view key, Where where) {
  if (JsonValue* const old = object.find(key)) {
    *old = named(key, where);
    return *old;
  }
  return object.items.emplace_back(named(key, where));
}

class Script {
 public:
  Script(const SbatchScript& script, int source, bool for_slurm, Problems& problems)
      : file_(script.first), text_(script.second), source_(source), for_slurm_(for_slurm), problems_(problems) {
    job_.kind = Kind::object;
    job_.where = at(1);
    const auto slash = file_.find_last_of('/');
    name_ = slash == std::string::npos ? file_ : file_.substr(slash + 1);
  }

  void read() {
    if (!looks_like_a_script())
      return put(member(job_, "runTime", at(1)), std::int64_t{0});  // so that nothing else is said of it
    std::vector<Word> options;
    std::vector<Word> notes;
    read_lines(options, notes);
    std::vector<std::vector<Word>> components = split_components(options);
    read_options(components.front());
    if (pbs_line_ > 0 && !ignore_pbs_) {
      add(pbs_line_, "#PBS", "sbatch takes these options too; they are not followed: write #SBATCH, or --ignore-pbs");
    }
    for (const Word& word : notes) read_note(word);
    if (every_ > 0 && copies_ - 1 > (kMaxSeconds * kSecond - submit_) / every_) {
      add(1, "#HEADROOM every", "the last submission is later than a scenario can say");
      copies_ = 1;
    }
    name_job();
    settle_tasks();
    settle_run_time();
    for (std::size_t c = 1; c < components.size(); ++c) read_component(components[c], notes);
    if (components.size() > 1) {
      put(member(job_, "hetComponents", at(separator_line_)), static_cast<std::int64_t>(components.size()));
    }
  }

  // The jobs, with their ids still to be given.
  std::int64_t copies() const { return copies_; }
  const std::string& name() const { return name_; }
  // Of a heterogeneous job its components; 1 of any other.
  std::size_t components() const { return 1 + others_.size(); }
  JsonValue job(std::int64_t copy, std::size_t component = 0) const {
    JsonValue job = component == 0 ? job_ : others_[component - 1];
    const Time submit = submit_ + copy * every_;
    JsonValue& value = member(job, "submit", submit_at_.line > 0 ? submit_at_ : at(1));
    if (submit % kSecond == 0) {
      put(value, submit / kSecond);
    } else {
      value.kind = Kind::number;
      value.number = static_cast<double>(submit) / static_cast<double>(kSecond);
    }
    return job;
  }

  const std::set<std::string_view>& ignored() const { return ignored_; }
  const std::vector<std::string>& warnings() const { return warnings_; }
  Where at(int line) const { return {source_, line}; }

 private:
  void add(int line, std::string_view path, std::string_view problem) { problems_.add(at(line), path, problem); }

  // sbatch's own tests.
  bool looks_like_a_script() {
    std::string problem;
    if (text_.size() > kLargestScript) {
      problem = "is larger than 4 MiB, the most that Slurm takes";
    } else if (text_.empty()) {
      problem = "is empty, expected a job script";
    } else if (!text_.starts_with("#!")) {
      problem = "does not look like a batch script: expected #! and an interpreter in the first line";
    } else if (text_.find('\0') != std::string::npos) {
      problem = "has a NUL character, expected a job script";
    } else if (text_.find("\r\n") != std::string::npos) {
      problem = "has DOS line breaks, which sbatch refuses; expected Unix ones (dos2unix)";
    }
    if (!problem.empty()) add(1, "", problem);
    return problem.empty();
  }

  // Options stand before the first command.
  void read_lines(std::vector<Word>& options, std::vector<Word>& notes) {
    int command = 0;
    int number = 0;
    for (std::string_view rest = text_; !rest.empty();) {
      ++number;
      const auto end = rest.find('\n');
      const std::string_view line = rest.substr(0, end);
      rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
      const bool sbatch = line.starts_with("#SBATCH");
      const bool note = line.starts_with("#HEADROOM");
      if (command > 0) {
        if (sbatch) {
          warnings_.push_back(fmt::format(
              "{}:{}: #SBATCH after the first command (line {}) is a comment, to sbatch too", file_, number, command));
        } else if (note) {
          add(number, "#HEADROOM",
              fmt::format("stands after the first command (line {}), expected before it", command));
        }
        continue;
      }
      if (line.starts_with("#PBS") && pbs_line_ == 0) pbs_line_ = number;
      if (sbatch || note) {
        const std::string_view words = line.substr(sbatch ? 7 : 9);
        const std::string problem = split(words, number, sbatch ? options : notes);
        if (!problem.empty()) add(number, sbatch ? "#SBATCH" : "#HEADROOM", problem);
        continue;
      }
      const auto first = line.find_first_not_of(" \t\v\f\r");
      if (first != std::string_view::npos && line[first] != '#') command = number;
    }
  }

  // What stands after a line `#SBATCH hetjob` is of the next component.
  std::vector<std::vector<Word>> split_components(const std::vector<Word>& words) {
    std::vector<std::vector<Word>> components(1);
    for (std::size_t w = 0; w < words.size(); ++w) {
      const bool separates = words[w].text == "hetjob" || words[w].text == "packjob";
      const bool alone = (w == 0 || words[w - 1].line != words[w].line) &&
                         (w + 1 == words.size() || words[w + 1].line != words[w].line);
      if (!separates || !alone) {
        components.back().push_back(words[w]);
        continue;
      }
      if (separator_line_ == 0) separator_line_ = words[w].line;
      components.emplace_back();
    }
    return components;
  }

  // A component has its own options. The script, its name and what the notes say are the whole job's.
  void read_component(const std::vector<Word>& options, const std::vector<Word>& notes) {
    const JsonValue first = job_;
    const std::string name = name_;
    job_ = JsonValue{};
    job_.kind = Kind::object;
    job_.where = first.where;
    read_options(options);
    settle_tasks();
    const auto take_over = [&](std::string_view key) {
      const JsonValue* const value = first.find(key);
      if (value != nullptr) member(job_, key, value->where) = *value;
    };
    if (job_.find("name") == nullptr) take_over("name");
    take_over("runTime");
    for (const Word& word : notes) take_over(std::string_view(word.text).substr(0, word.text.find('=')));
    others_.push_back(std::exchange(job_, first));
    name_ = name;
  }

  // As getopt_long does: long names may be cut short, letters may stand together, an argument may be the next word.
  void read_options(const std::vector<Word>& words) {
    for (std::size_t w = 0; w < words.size() && !problems_.full(); ++w) {
      const std::string_view word = words[w].text;
      const int line = words[w].line;
      const auto next_word = [&]() -> std::optional<std::string_view> {
        if (w + 1 >= words.size()) return std::nullopt;
        return words[++w].text;
      };
      if (word.starts_with("--") && word.size() > 2) {
        const auto equals = word.find('=');
        const std::string_view name = word.substr(0, equals);
        const SbatchOption* const option = find_long(name.substr(2), line);
        if (option == nullptr) return;  // whether it takes the next word is not known
        std::optional<std::string_view> value;
        if (equals != std::string_view::npos) value = word.substr(equals + 1);
        if (option->argument == kNone && value) {
          add(line, spelled(*option), "takes no value");
        } else if (option->argument == kNeeds && !value && !(value = next_word())) {
          add(line, spelled(*option), "needs a value");
        } else {
          take(*option, value.value_or(""), line);
        }
      } else if (word.starts_with("-") && word.size() > 1 && word != "--") {
        if (!read_letters(word.substr(1), line, next_word)) return;
      } else {
        const bool separates = word == "hetjob" || word == "packjob";
        add(line, "#SBATCH",
            fmt::format("found {}, expected {}", quote(word),
                        separates ? "it on a line of its own" : "an option such as --nodes=4"));
        return;
      }
    }
  }

  template <class NextWord>
  bool read_letters(std::string_view letters, int line, NextWord next_word) {
    while (!letters.empty()) {
      const char letter = letters.front();
      letters.remove_prefix(1);
      const auto* const option = std::find_if(std::begin(kOptions), std::end(kOptions),
                                              [&](const SbatchOption& each) { return each.letter == letter; });
      if (option == std::end(kOptions)) {
        add(line, quote(std::string{'-', letter}), "sbatch has no such option");
        return false;
      }
      if (option->argument == kNone) {
        take(*option, "", line);
        continue;
      }
      std::optional<std::string_view> value;
      if (!letters.empty() || option->argument == kMay) {
        value = letters;
      } else {
        value = next_word();
      }
      if (!value) {
        add(line, spelled(*option), "needs a value");
        return true;
      }
      take(*option, *value, line);
      return true;
    }
    return true;
  }

  const SbatchOption* find_long(std::string_view name, int line) {
    std::vector<const SbatchOption*> near;
    for (const SbatchOption& each : kOptions) {
      if (each.name == name) return &each;
      if (each.name.starts_with(name)) near.push_back(&each);
    }
    if (near.size() == 1) return near[0];
    const std::string shown = quote("--" + std::string(name));
    if (near.empty()) {
      std::vector<std::string_view> names;
      for (const SbatchOption& each : kOptions) names.push_back(each.name);
      add(line, "#SBATCH", fmt::format("{} is no option of sbatch;{}", shown, nearest(name, names)));
    } else {
      std::string all;
      for (const SbatchOption* each : near) all += fmt::format("{}--{}", all.empty() ? "" : ", ", each->name);
      add(line, "#SBATCH", fmt::format("{} is ambiguous: {}", shown, all));
    }
    return nullptr;
  }

  static std::string nearest(std::string_view name, std::span<const std::string_view> names) {
    std::string plain(name);  // underscores are a common slip
    std::replace(plain.begin(), plain.end(), '_', '-');
    if (std::find(names.begin(), names.end(), plain) != names.end()) return " did you mean \"" + plain + "\"?";
    const std::string hint = nearest_hint(name, names);
    return hint.empty() ? " docs/slurm-options.md lists them" : hint;
  }

  static std::string spelled(const SbatchOption& option) { return "--" + std::string(option.name); }

  void take(const SbatchOption& option, std::string_view value, int line) {
    if (option.use == kRefused) return add(line, spelled(option), fmt::format("is not followed. {}", option.help));
    if (!is_utf8(value)) return add(line, spelled(option), "expected UTF-8");
    JsonValue out = named(option.key, at(line));
    const std::string problem = option.read == nullptr ? std::string() : option.read(value, out);
    if (!problem.empty()) return add(line, spelled(option), problem);
    if (option.use == kIgnored) {
      ignore_pbs_ |= option.name == "ignore-pbs";
      ignored_.insert(option.name);
      return;
    }
    if (out.kind == Kind::null) return;
    const OptionNode& jobs = *option_tree().child("workload")->child("jobs")->child("[]");
    const OptionNode* const key = jobs.child(out.key);
    // --exclusive=user is a word where others are true or false.
    const bool no_words = key != nullptr && key->option->type == OptionType::boolean && out.kind == Kind::string;
    if (key == nullptr || key->option->use != OptionUse::read || no_words) {
      return add(line, spelled(option),
                 value.empty() ? "is not followed yet" : fmt::format("{} is not followed yet", value));
    }
    if (out.key == "name") name_ = out.text;
    member(job_, out.key, at(line)) = out;
  }

  void read_note(const Word& word) {
    const auto equals = word.text.find('=');
    const std::string name = word.text.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : word.text.substr(equals + 1);
    const auto refuse = [&](std::string_view problem) { add(word.line, "#HEADROOM " + printable(name), problem); };
    std::vector<std::string_view> names;
    for (const SbatchNote& each : kNotes) names.push_back(each.name);
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      const std::string hint = nearest_hint(name, names);
      std::string all;
      for (const std::string_view each : names) all += fmt::format("{}{}", all.empty() ? "" : ", ", each);
      return refuse(hint.empty() ? "unknown word; known: " + all : "unknown word;" + hint);
    }
    if (value.empty() || !is_utf8(value)) return refuse(fmt::format("expected {}=VALUE", name));
    if (name == "count") {
      const auto copies = whole(value);
      if (!copies || *copies < 1 || *copies > kMostCopies) {
        return refuse(found(value, fmt::format("a whole number from 1 to {}", kMostCopies)));
      }
      copies_ = *copies;
    } else if (name == "submit" || name == "every") {
      const bool bare = value.find_first_not_of("0123456789.") == std::string::npos;
      const auto time = parse_duration(bare ? value + "s" : value);
      if (!time) {
        return refuse(found(value, "seconds, or a duration such as 90s, 15m, 2h, 7d"));
      }
      (name == "submit" ? submit_ : every_) = *time;
      if (name == "submit") submit_at_ = at(word.line);
    } else {
      JsonValue& out = member(job_, name, at(word.line));
      const auto number = whole(value);
      if (number && name != "user") {
        put(out, *number);
      } else {
        put(out, value);
      }
    }
  }

  static std::string printable(std::string_view word) {
    const std::string safe = quote(word, 60);
    return safe.size() == word.size() + 2 ? std::string(word) : safe;
  }

  // Only policy slurm knows names; to the others they would be one more thing to refuse.
  void name_job() {
    if (!is_utf8(name_)) return add(1, "", "the file's name is not UTF-8; give --job-name");
    if (!for_slurm_) {
      std::erase_if(job_.items, [](const JsonValue& each) { return each.key == "name"; });
    } else if (job_.find("name") == nullptr) {
      put(member(job_, "name", at(1)), name_);
    }
  }

  // Tasks of one core are what every policy knows as cpus.
  void settle_tasks() {
    const JsonValue* const each = job_.find("cpusPerTask");
    JsonValue* const tasks = job_.find("tasks");
    if (each != nullptr && each->integer == 1) {
      std::erase_if(job_.items, [](const JsonValue& item) { return item.key == "cpusPerTask"; });
    } else if (each != nullptr) {
      return;
    }
    if (tasks != nullptr) job_.find("tasks")->key = "cpus";
  }

  void settle_run_time() {
    if (job_.find("runTime") != nullptr) return;
    const JsonValue* const limit = job_.find("timeLimit");
    if (limit == nullptr || limit->integer >= kMaxJobSeconds) {
      add(1, "", "nothing says how long the job runs: expected #HEADROOM runTime=TIME, or --time");
      return put(member(job_, "runTime", at(1)), std::int64_t{0});
    }
    const std::int64_t seconds = limit->integer;
    warnings_.push_back(
        fmt::format("{}: no #HEADROOM runTime; the job is taken to run for its time limit, {} s", file_, seconds));
    put(member(job_, "runTime", limit->where), seconds);
  }

  const std::string& file_;
  const std::string& text_;
  int source_;
  bool for_slurm_;
  Problems& problems_;
  JsonValue job_;
  std::vector<JsonValue> others_;  // the other components of a heterogeneous job
  int separator_line_ = 0;         // the first `#SBATCH hetjob`; 0: there is none
  std::string name_;
  std::int64_t copies_ = 1;
  Time submit_ = 0;
  Where submit_at_ = {};
  Time every_ = 0;
  int pbs_line_ = 0;
  bool ignore_pbs_ = false;
  std::set<std::string_view> ignored_;
  std::vector<std::string> warnings_;
};

// workload.jobs, made where it is not there; null, and a problem, where the workload comes from elsewhere.
JsonValue* job_list(JsonValue& root, Where where, Problems& problems) {
  JsonValue* workload = root.find("workload");
  if (workload == nullptr) {
    workload = &root.items.emplace_back(named("workload", where));
    workload->kind = Kind::object;
  }
  if (workload->kind != Kind::object) return nullptr;  // check_options says so
  for (const std::string_view source : {"trace", "generator"}) {
    if (const JsonValue* const other = workload->find(source)) {
      problems.add(other->where, fmt::format("workload.{}", source), "not together with --sbatch");
      return nullptr;
    }
  }
  JsonValue* jobs = workload->find("jobs");
  if (jobs == nullptr) {
    jobs = &workload->items.emplace_back(named("jobs", where));
    jobs->kind = Kind::array;
  }
  return jobs->kind == Kind::array ? jobs : nullptr;
}

constexpr std::size_t kWarningsShown = 10;

}  // namespace

std::span<const SbatchOption> sbatch_options() { return kOptions; }
std::span<const SbatchNote> sbatch_notes() { return kNotes; }

bool is_followed(const SbatchOption& option) {
  if (option.use != SbatchUse::job) return false;
  const OptionNode* const key = option_tree().child("workload")->child("jobs")->child("[]")->child(option.key);
  return key != nullptr && key->option->use == OptionUse::read;
}

void add_sbatch_jobs(JsonValue& root, std::span<const SbatchScript> scripts, int first_source, Problems& problems,
                     std::vector<std::string>& notes) {
  if (scripts.empty() || root.kind != Kind::object) return;
  const JsonValue* const scheduler = root.find("scheduler");
  const JsonValue* const policy = scheduler == nullptr ? nullptr : scheduler->find("policy");
  const bool for_slurm = policy != nullptr && policy->text == "slurm";
  JsonValue* const jobs = job_list(root, {first_source, 1}, problems);
  if (jobs == nullptr) return;

  std::vector<Script> read;
  read.reserve(scripts.size());
  std::map<std::string, std::int64_t> jobs_of;  // by name
  std::int64_t total = 0;
  for (std::size_t s = 0; s < scripts.size() && !problems.full(); ++s) {
    Script& script = read.emplace_back(scripts[s], first_source + static_cast<int>(s), for_slurm, problems);
    script.read();
    jobs_of[script.name()] += script.copies();
    total += script.copies() * static_cast<std::int64_t>(script.components());
  }
  if (total > kMostCopies) {
    return problems.add({first_source, 1}, "--sbatch", fmt::format("{} jobs, expected at most {}", total, kMostCopies));
  }
  std::map<std::string, std::int64_t> given;
  std::set<std::string_view> ignored;
  std::vector<std::string> warnings;
  for (const Script& script : read) {
    for (std::int64_t copy = 0; copy < script.copies(); ++copy) {
      const bool several = jobs_of[script.name()] > 1;
      const std::string name = several ? fmt::format("{}-{}", script.name(), ++given[script.name()]) : script.name();
      const std::size_t place = jobs->items.size();
      for (std::size_t c = 0; c < script.components(); ++c) {
        JsonValue& component = jobs->items.emplace_back(script.job(copy, c));
        JsonValue id = named("id", script.at(1));
        put(id, c == 0 ? name : fmt::format("{}+{}", name, c));
        component.items.insert(component.items.begin(), std::move(id));
      }
      const JsonValue& job = jobs->items[place];
      const JsonValue* const dependency = job.find("dependency");
      if (dependency == nullptr || copy > 0) continue;
      std::string problem;
      const auto spec = parse_dependency(dependency->text, problem);
      if (!spec) continue;  // the scenario's own check says so
      for (const NamedDependency& each : spec->list) {
        const auto same = jobs_of.find(each.job);
        if (same == jobs_of.end() || same->second < 2) continue;
        problems.add(dependency->where, "--dependency",
                     fmt::format("{} jobs are named {}, expected one of {}-1 to {}-{}", same->second, quote(each.job),
                                 each.job, each.job, same->second));
      }
    }
    ignored.insert(script.ignored().begin(), script.ignored().end());
    warnings.insert(warnings.end(), script.warnings().begin(), script.warnings().end());
  }
  for (std::size_t w = 0; w < warnings.size() && w < kWarningsShown; ++w) notes.push_back(warnings[w]);
  if (warnings.size() > kWarningsShown) {
    notes.push_back(fmt::format("... and {} more of this kind", warnings.size() - kWarningsShown));
  }
  if (!ignored.empty()) {
    std::string list;
    for (const std::string_view name : ignored) list += fmt::format("{}--{}", list.empty() ? "" : ", ", name);
    notes.push_back("ignored, as no schedule depends on it: " + list);
  }
}

}  // namespace headroom
