// Who goes first at one time, as sprio and sshare print it: the factors of waiting jobs ("%.15i %9r %.8u %.10Y %.10S
// %.10A %.10B %.10F %.10J %.10P %.10Q %.11N %.20T", sprio -l) and the shares of accounts and users (sshare -l -a).
// Policy slurm with priority/multifactor only. Like the real ones they show what was worked out last: at the last
// PriorityCalcPeriod before, or since then when the job was submitted.
#pragma once

#include <string>
#include <vector>

#include "models/policies/slurm/priority.hpp"
#include "models/report/moment.hpp"

namespace headroom {

struct PriorityRow {
  std::string id;  // of an array's tasks that wait together the array's
  QueueId queue{0};
  std::string user;
  std::uint32_t priority = 0;
  slurm::PriorityFactors factors;
};

struct ShareRow {
  slurm::Association association;
  std::string account;
  slurm::Shareholder holder;
  std::string factor;  // the columns FairShare and LevelFS; empty where sshare leaves them out
  std::string level;
};

std::vector<PriorityRow> priority_rows(const Moment& moment);
std::string priority_table(const std::vector<PriorityRow>& rows, const Design& design);
std::string priority_json(const std::vector<PriorityRow>& rows, const Design& design);  // an array

std::vector<ShareRow> share_rows(const Moment& moment);
std::string share_table(const std::vector<ShareRow>& rows, bool fair_tree);
std::string share_json(const std::vector<ShareRow>& rows);  // an array

// What the scenario lacks for these views: "" if nothing.
std::string lacks_for_priorities(const Scenario& scenario);
std::string lacks_for_shares(const Scenario& scenario);

}  // namespace headroom
