// Changes that the command line makes to a scenario before it is checked. Hides the path language of --set
// and how each change stays recognisable in messages.
#pragma once

#include <string>
#include <vector>

#include "models/scenario/document.hpp"
#include "models/scenario/scenario.hpp"

namespace headroom {

// The sources of Problems: the file (what messages call it), then one for each override; scripts of sbatch come last.
std::vector<std::string> problem_sources(const std::string& file, const ScenarioOverrides& overrides);

// Applies them in their order: every `set`, then the jobs of scripts, seed, trace, max_jobs. When that changes the
// scenario, an `expect` that the file wrote is removed: it was the answer to another question. What a user should know
// of the scripts goes to `notes`.
void apply_overrides(JsonValue& root, const ScenarioOverrides& overrides, Problems& problems,
                     std::vector<std::string>& notes);

}  // namespace headroom
