// The instance metadata service of EC2 (IMDSv2): http://169.254.169.254, or what AWS_EC2_METADATA_SERVICE_ENDPOINT
// names (the SDKs' variable; http://ADDRESS[:PORT] with a numeric address).
#pragma once

#include <string>

#include "mpi-tests/common/evidence.hpp"

namespace headroom::mpi {

// Asks for id, type and zone; `timeout_s` is for all of it. What does not answer in time stays empty, and `problem`
// says why.
Instance instance_from_metadata(double timeout_s, std::string& problem);

}  // namespace headroom::mpi
