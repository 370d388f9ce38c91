// What slurmdbd knows: accounts in a tree, users in accounts (associations), qualities of service, and their limits.
// Names and meanings follow sacctmgr(1); a name or value that is not followed is refused by name.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/policies/slurm/conf.hpp"

namespace headroom::slurm {

// Resources that are counted (TRES): CPUs, MiB, nodes, billing units, GPUs.
enum class Tres : std::uint8_t { cpu, mem, node, billing, gpu };
inline constexpr std::size_t kTres = 5;

// So much of each; a limit of kNoLimit is none.
inline constexpr std::int64_t kNoLimit = -1;
struct TresCounts {
  std::array<std::int64_t, kTres> of{};

  static TresCounts no_limits() {
    TresCounts counts;
    counts.of.fill(kNoLimit);
    return counts;
  }
  std::int64_t& operator[](Tres t) { return of[static_cast<std::size_t>(t)]; }
  std::int64_t operator[](Tres t) const { return of[static_cast<std::size_t>(t)]; }
  bool operator==(const TresCounts&) const = default;
};

// Limits of an association or a QOS; each has some of them. Times are in seconds, TRES-minutes in TRES-seconds.
struct Limits {
  TresCounts grp_tres = TresCounts::no_limits();           // GrpTRES: of all its running jobs together
  TresCounts grp_tres_secs = TresCounts::no_limits();      // GrpTRESMins: used so far
  TresCounts grp_tres_run_secs = TresCounts::no_limits();  // GrpTRESRunMins: that running jobs may still use
  TresCounts max_tres_job = TresCounts::no_limits();       // MaxTRESPerJob
  TresCounts max_tres_node = TresCounts::no_limits();      // MaxTRESPerNode
  TresCounts max_tres_secs_job = TresCounts::no_limits();  // MaxTRESMinsPerJob: size times requested time
  TresCounts min_tres_job = TresCounts::no_limits();       // MinTRESPerJob (QOS)
  TresCounts max_tres_user = TresCounts::no_limits();      // MaxTRESPerUser (QOS)
  TresCounts max_tres_account = TresCounts::no_limits();   // MaxTRESPerAccount (QOS)
  std::int64_t grp_jobs = kNoLimit;                        // running
  std::int64_t grp_submit_jobs = kNoLimit;                 // pending and running
  std::int64_t grp_wall = kNoLimit;                        // run time so far
  std::int64_t max_jobs = kNoLimit;                        // association: MaxJobs; of one user of it
  std::int64_t max_submit_jobs = kNoLimit;                 // association: MaxSubmitJobs
  std::int64_t max_jobs_user = kNoLimit;                   // QOS: MaxJobsPerUser
  std::int64_t max_submit_user = kNoLimit;                 // QOS: MaxSubmitJobsPerUser
  std::int64_t max_jobs_account = kNoLimit;                // QOS: MaxJobsPerAccount
  std::int64_t max_submit_account = kNoLimit;              // QOS: MaxSubmitJobsPerAccount
  std::int64_t max_wall = kNoLimit;                        // MaxWallDurationPerJob
  std::int64_t min_prio_thresh = kNoLimit;                 // MinPrioThreshold: below it no reservation by backfill
};

inline constexpr std::int64_t kParentShares = -1;  // fairshare=parent

struct Account {
  std::string name;
  std::string parent = "root";
  std::int64_t shares = 1;  // fairshare=
  std::uint32_t priority = 0;
  std::string default_qos;
  std::vector<std::string> qos;  // empty: as the parent
  Limits limits;
};

// A user in an account.
struct User {
  std::string name;
  std::vector<std::string> accounts;  // the first is the default
  std::int64_t shares = 1;
  std::uint32_t priority = 0;
  std::string default_qos;
  std::vector<std::string> qos;  // empty: as the account
  Limits limits;
};

struct Qos {
  std::string name;
  std::uint32_t priority = 0;
  std::vector<std::string> preempts;        // Preempt: QOS whose jobs make way
  std::optional<PreemptMode> preempt_mode;  // of its own jobs; none: the cluster's
  Second grace_time = 0;
  std::optional<Second> preempt_exempt_time;
  double usage_factor = 1;
  double limit_factor = 1;  // of an association's GrpTRES, MaxTRESPerJob and MaxTRESPerNode
  // Flags
  bool deny_on_limit = false;
  bool no_reserve = false;
  bool partition_max_nodes = false;
  bool partition_min_nodes = false;
  bool partition_time_limit = false;
  bool override_partition_qos = false;
  bool require_reservation = false;
  bool no_decay = false;
  Limits limits;
};

// Every user has an association in each of its accounts; accounts and QOS are named.
struct Accounting {
  std::vector<Account> accounts;  // without root
  std::vector<User> users;        // in the order of the workload's numbers of users
  std::vector<Qos> qos;           // "normal" is first, whether it was named or not

  bool present() const { return !accounts.empty() || !users.empty() || qos.size() > 1; }
};

// "" if the setting was taken, else what is wrong with it.
std::string set(Account& account, std::string_view name, std::string_view value);
std::string set(User& user, std::string_view name, std::string_view value);
std::string set(Qos& qos, std::string_view name, std::string_view value);

// What names that are not there the parts refer to: "account physics: no parent astro"; "" if all are there.
std::string check(const Accounting& accounting);
// The same of a partition's QOS and lists.
std::string check(const Partition& partition, const Accounting& accounting);

// Those that slurmdbd knows come first; "" if nothing says it.
std::string user_name(const Conf& conf, const Accounting& accounting, std::uint32_t user);

// "cpu=10,mem=4G,gres/gpu=2" onto `counts` (others keep what they have); -1 takes a limit away. Memory in MiB.
std::string parse_tres(std::string_view text, TresCounts& counts);

// "gres/gpu"; none: no such resource is followed.
std::optional<Tres> tres_named(std::string_view name);
std::string_view tres_name(Tres t);

// The settings of accounts, users and QOS, for the documents: Parameter::where is "account", "user" or "QOS".
std::span<const Parameter> accounting_parameters();

}  // namespace headroom::slurm
