// Which unit test shows what a parameter does, and in which recorded run of a real Slurm it counts.
#pragma once

#include "models/policies/slurm/conf.hpp"

namespace headroom::slurm {

// The parameter with its proof and run, where there are any.
Parameter with_evidence(Parameter parameter);

}  // namespace headroom::slurm
