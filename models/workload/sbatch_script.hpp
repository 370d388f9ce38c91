// Job scripts as users hand them to sbatch, made into jobs of a scenario. Hides which lines of a script sbatch reads,
// how it splits them into options (recorded: sbatch 22.05 -vv), and what becomes of each option: one table says so for
// the parser and for docs/slurm-options.md.
//
// What sbatch cannot know is said by comments of the form `#HEADROOM runTime=1h user=ann` (sbatch_notes()).
//
// Promises: an option that a schedule may depend on is followed or refused by file, line and name; what is ignored is
// listed.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/scenario/document.hpp"

namespace headroom {

enum class SbatchUse : std::uint8_t { job, ignored, refused };

struct SbatchOption {
  enum class Argument : std::uint8_t { none, required, optional };
  std::string_view name;  // without "--"
  char letter;            // of the short form; 0: there is none
  Argument argument;
  SbatchUse use;
  std::string_view key;  // the key of workload.jobs[] that it becomes
  // Fills `out`, the value of `key` (nothing: none), and returns what is wrong with `value`, "" if nothing. Of
  // an option that is ignored: refuses values that would matter. Null: any value is fine.
  std::string (*read)(std::string_view value, JsonValue& out);
  std::string_view help;   // what it comes to; of the others why nothing depends on it, or why it is refused
  std::string_view proof;  // the unit test
};

// The options of sbatch 25.05, with those of 22.05 that are gone; by name.
std::span<const SbatchOption> sbatch_options();
// Whether jobs can have the key that the option becomes: what scenarios do not have yet, scripts cannot ask for.
bool is_followed(const SbatchOption& option);

// The words of #HEADROOM comments.
struct SbatchNote {
  std::string_view name;
  std::string_view fallback;
  std::string_view help;
};
std::span<const SbatchNote> sbatch_notes();

// A script: what messages call it, and its text.
using SbatchScript = std::pair<std::string, std::string>;

// Adds the jobs of `scripts` to workload.jobs of the scenario `root`, in their order, after those that are there;
// workload is made where there is none. Script i is source `first_source` + i of `problems`. What a user should know
// (ignored options, run times that were not given) goes to `notes`, a line each.
void add_sbatch_jobs(JsonValue& root, std::span<const SbatchScript> scripts, int first_source, Problems& problems,
                     std::vector<std::string>& notes);

}  // namespace headroom
