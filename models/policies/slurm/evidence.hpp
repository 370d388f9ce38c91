// Which unit test shows what a parameter does, and in which recorded run of a real Slurm it counts.
#pragma once

#include "models/policies/slurm/conf.hpp"

namespace headroom::slurm {

// The parameter with its proof and run, where there are any.
Parameter with_evidence(Parameter parameter);

// Settings of accounts, users and QOS that are read and checked, but that nothing follows yet: their proofs come with
// what follows them. Who does so replaces the line in evidence.cpp.
bool in_work(const Parameter& parameter);

}  // namespace headroom::slurm
