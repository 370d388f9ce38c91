#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/cloud/catalog.hpp"
#include "models/validate/judge.hpp"

namespace headroom::validate {

Requirement Judge::completed() const {
  Requirement r = requirement("completed");
  std::vector<std::string> bad;
  std::string what;
  for (const ProgramRun& run : evidence_.runs) {
    if (run.purpose == Purpose::as_is && !failed(run)) {
      r.evidence.push_back(fmt::format("{} starts when MPI is left to choose the transport", run.test));
    }
    if (run.purpose != Purpose::test) continue;
    if (!failed(run)) {
      r.evidence.push_back(
          fmt::format("{}: ended {} after {:.1f} s", run.test, run.reported ? "with findings" : "well", run.elapsed_s));
    } else if (run.interrupted) {
      r.evidence.push_back(fmt::format("{}: interrupted", run.test));
      what = "the validation was interrupted";
    } else if (!run.ran) {
      bad.push_back(run.test);
      r.evidence.push_back(fmt::format("{}: the job ended before it was over", run.test));
    } else if (!hung(run)) {
      bad.push_back(run.test);
      r.evidence.push_back(
          fmt::format("{}: exit status {} after {:.1f} s: {}", run.test, run.status, run.elapsed_s, run.command));
    }
  }
  for (const auto& [test, why] : evidence_.unreadable) {
    bad.push_back(test);
    r.evidence.push_back(fmt::format("{}: its output cannot be read: {}", test, why));
  }
  std::vector<std::string> missing;
  for (const std::string& test : demand_.tests) {
    const bool there = std::any_of(evidence_.documents.begin(), evidence_.documents.end(),
                                   [&](const MpiDocument& d) { return d.test == test; });
    if (!there && std::find(bad.begin(), bad.end(), test) == bad.end()) missing.push_back(test);
  }
  if (!launched()) {
    for (const MpiDocument& document : evidence_.documents) {
      r.evidence.push_back(
          fmt::format("{}: a document of {}, {} ranks", document.source, document.test, document.ranks.size()));
    }
  }
  if (!missing.empty()) r.evidence.push_back(fmt::format("without a result: {}", listed(missing)));
  for (const MpiDocument& document : evidence_.documents) {
    if (!document.fault.empty()) {
      what = fmt::format("{} ran with a fault on purpose ({}): what it says is no measurement", document.test,
                         document.fault);
    }
  }
  const std::vector<Trouble> known = troubles();
  for (const Trouble& trouble : known) r.evidence.push_back("log: " + trouble.line);
  if (!bad.empty() && !known.empty()) {
    conclude(r, Verdict::fail, known.front().cause, known.front().remedy);
  } else if (!bad.empty()) {
    std::string said;
    for (const ProgramRun& run : evidence_.runs) {
      if (run.purpose == Purpose::test && failed(run) && !hung(run) && !run.interrupted) said = log_end(run.log_file);
    }
    if (!said.empty()) r.evidence.push_back("log: " + said);
    conclude(r, Verdict::fail, fmt::format("{} failed", listed(bad)),
             "Run the command above by hand; keep its output with --out.");
  } else if (!what.empty()) {
    conclude(r, Verdict::inconclusive, what, "Run it again to the end, without HEADROOM_MPI_FAULT.");
  } else if (!missing.empty()) {
    const bool any_hung = std::any_of(evidence_.runs.begin(), evidence_.runs.end(), hung);
    conclude(r, Verdict::inconclusive, fmt::format("no result of {}", listed(missing)),
             any_hung ? "See the requirement \"no-hang\"." : "Run these, too.");
  } else if (evidence_.documents.empty()) {
    conclude(r, Verdict::inconclusive, "there is no document of a test program",
             "Give the JSON that the programs of mpi-tests print.");
  } else {
    conclude(r, Verdict::pass);
  }
  return r;
}

std::string Judge::log_end(const std::string& file) const {
  for (const LaunchLog& log : evidence_.logs) {
    if (log.source == file) return log.end;
  }
  return {};
}

Requirement Judge::no_hang() const {
  Requirement r = requirement("no-hang");
  std::vector<std::string> hanging;
  for (const ProgramRun& run : evidence_.runs) {
    if (run.purpose != Purpose::test || !hung(run) || run.interrupted) continue;
    hanging.push_back(run.test);
    r.evidence.push_back(run.timed_out
                             ? fmt::format("{}: cut off after {:.0f} s", run.test, run.time_limit_s)
                             : fmt::format("{}: ended by its own watch after {:.1f} s", run.test, run.elapsed_s));
  }
  bool started = !evidence_.documents.empty();
  std::set<std::string> waiting;
  for (const LaunchLog& log : evidence_.logs) {
    started = started || !log.uses.empty() || !log.stalls.empty();
    for (std::size_t i = 0; i < log.stalls.size(); ++i) {
      if (i < kListed) r.evidence.push_back(log.stalls[i].line);
      waiting.insert(log.stalls[i].host);
    }
    if (!log.stalls.empty() && hanging.empty()) hanging.push_back(log.source);
  }
  std::vector<std::string> through;
  bool tcp_works = false;
  for (const ProgramRun& run : evidence_.runs) {
    if (run.purpose == Purpose::over_tcp) {
      tcp_works = !failed(run);
      r.evidence.push_back(fmt::format("{} over TCP: {}", run.test, tcp_works ? "works" : "does not work either"));
    }
    if (run.purpose != Purpose::one_pair) continue;
    if (failed(run)) {
      r.pairs.emplace_back(run.hosts.at(0), run.hosts.at(1));
    } else {
      through.push_back(run.hosts.at(0) + " - " + run.hosts.at(1));
    }
  }
  if (!through.empty()) r.evidence.push_back("pairs that get messages through: " + listed(through));
  std::vector<std::string> stuck;
  for (const auto& [a, b] : r.pairs) stuck.push_back(a + " - " + b);
  if (!stuck.empty()) r.evidence.push_back("pairs that do not: " + listed(stuck));
  if (!hanging.empty()) {
    if (r.pairs.empty()) r.hosts.assign(waiting.begin(), waiting.end());
    if (!started) {
      conclude(r, Verdict::fail, "the programs were not even started on every host within the time limit",
               "Check that every host answers and that ssh or Slurm can start programs there; give slow ones more "
               "time with --timeout.");
    } else if (demand_.transport == Transport::shm) {
      conclude(r, Verdict::fail, "the programs start, but messages between ranks of this host do not arrive",
               "Look for a full /dev/shm, and for more ranks than cores that all wait busily.");
    } else {
      conclude(r, Verdict::fail,
               fmt::format("the programs start on every host, but messages do not arrive{}{}: the sign of a security "
                           "group that does "
                           "not let all traffic through from and to itself, be it in one direction only",
                           stuck.empty() || through.empty() ? std::string() : " between " + listed(stuck),
                           tcp_works ? " over EFA, while TCP gets through" : ""),
               demand_.transport == Transport::efa
                   ? "Give every EFA interface one security group that allows all traffic "
                     "from itself and to itself, inbound and "
                     "outbound (PCS-52), and keep all instances in one subnet (PCS-51)."
                   : "Let all ports between the hosts through, both ways: a security group "
                     "that allows all traffic from and to "
                     "itself (PCS-52), no firewall on the hosts.");
    }
    return r;
  }
  const bool all_over = launched() && std::all_of(evidence_.runs.begin(), evidence_.runs.end(),
                                                  [](const ProgramRun& run) { return run.ran && !run.interrupted; });
  const bool any_messages = std::any_of(evidence_.documents.begin(), evidence_.documents.end(),
                                        [](const MpiDocument& d) { return d.ranks.size() > 1; });
  if (any_messages && (all_over || !launched())) {
    std::vector<std::string> ended;
    for (const MpiDocument& document : evidence_.documents) ended.push_back(document.test);
    r.evidence.push_back("ended with a result: " + listed(ended));
    conclude(r, Verdict::pass);
  } else {
    conclude(r, Verdict::inconclusive, "no program came so far as to send messages",
             "See the requirement \"completed\".");
  }
  return r;
}

}  // namespace headroom::validate
