// Names of Slurm's settings that no setter of conf.cpp and accounting.cpp takes: those that are accepted because no
// schedule depends on them, and those that are refused by name, with the reason. Who makes one of the latter followed
// adds its setter and takes its line out here.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "models/policies/slurm/conf.hpp"

namespace headroom::slurm {

// In the order of `where`, then name. Parameter::help is the reason.
std::span<const Parameter> known_names();

// The entry; null: Slurm 25.05 has no such name, or it is among those that have a setter.
const Parameter* find_known_name(std::string_view where, std::string_view name);

// What becomes of a setting, wherever it is known; none: nobody knows it.
std::optional<Use> use_of(std::string_view where, std::string_view name);

}  // namespace headroom::slurm
