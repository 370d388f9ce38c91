// The workload of a scenario, from whichever source it names.
#pragma once

#include "models/scenario/design.hpp"
#include "models/workload/workload.hpp"

namespace headroom {

// Where a log named in a scenario is: as given when that path exists (or is absolute, or "-"), beside the scenario,
// then in the folders of HEADROOM_TRACES. A log is also found when it is compressed otherwise (.swf, .swf.gz,
// .swf.zst). Throws InputError listing the places searched.
std::string find_trace(const std::string& name, const std::string& scenario_file);

// The users' names by their numbers in it. Those of a log, which only its file tells, are left out: they are numbers.
std::vector<std::string> user_names(const Scenario& scenario);

Workload load_workload(const Scenario& scenario, const Design& design);

}  // namespace headroom
