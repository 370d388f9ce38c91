// Every rank says who and where it is; a ring of messages proves that they reach each other; the layout that was asked
// for is held against what is there.
#include <cstddef>
#include <string>
#include <vector>

#include <mpi.h>

#include "mpi-tests/common/json.hpp"
#include "mpi-tests/common/layout.hpp"
#include "mpi-tests/common/payload.hpp"
#include "mpi-tests/common/session.hpp"

namespace headroom::mpi {
namespace {

struct Arguments {
  std::int64_t expect_hosts = 0;
  std::int64_t expect_per_host = 0;
  std::int64_t bytes = 1024;
};

// One message to the next rank after that from the one before; rank 0 begins. When one does not arrive, all wait.
void ring(Session& session, std::int64_t bytes) {
  const int next = (session.rank() + 1) % session.size();
  const int before = (session.rank() + session.size() - 1) % session.size();
  if (session.size() < 2) return;
  std::vector<std::byte> out(static_cast<std::size_t>(bytes));
  std::vector<std::byte> in(out.size());
  fill(out, {1, session.rank(), 0});
  if (!out.empty() && session.faults().corrupts(session.rank(), 1)) out[out.size() / 2] ^= std::byte{0x10};
  if (session.rank() == 0) {
    session.delay(next);
    session.send(out, next);
  }
  session.watch().doing("a message from " + session.describe(before));
  session.receive(in, before);
  if (const auto at = first_difference(in, {1, before, 0})) {
    session.report_wrong("the message from " + session.describe(before) + " is not what was sent, from byte " +
                         std::to_string(*at) + " on");
  }
  if (session.rank() != 0) {
    session.delay(next);
    session.send(out, next);
  }
}

Outcome hello(Session& session, const Arguments& arguments) {
  ring(session, arguments.bytes);
  const Layout layout = layout_of(session.boot_ids(), session.names());
  const Layout::Asked asked{arguments.expect_hosts, arguments.expect_per_host};
  const std::vector<std::string> problems = problems_of(layout, session.names(), asked);

  Outcome outcome;
  const bool is_asked = asked.hosts > 0 || asked.per_host > 0;
  outcome.failed = is_asked && !problems.empty();
  JsonWriter json;
  json.begin_object()
      .member("ranks", session.size())
      .member("hosts", layout.hosts())
      .member("shared_memory_groups", session.groups_count())
      .key("ranks_per_host")
      .begin_array();
  for (const std::vector<int>& ranks : layout.ranks_by_host) json.value(ranks.size());
  json.end_array();
  if (is_asked) {
    json.key("asked").begin_object();
    if (asked.hosts > 0 && asked.per_host > 0) json.member("ranks", asked.hosts * asked.per_host);
    if (asked.hosts > 0) json.member("hosts", asked.hosts);
    if (asked.per_host > 0) json.member("per_host", asked.per_host);
    json.end_object();
  }
  json.member("layout_ok", problems.empty()).key("problems").begin_array();
  for (const std::string& problem : problems) json.value(problem);
  json.end_array().end_object();
  outcome.result = json.text();

  for (int rank = 0; rank < session.size(); ++rank) {
    outcome.text += "Hello from " + session.describe(rank) + " of " + std::to_string(session.size()) + "\n";
  }
  outcome.text += "# ranks: " + std::to_string(session.size()) + ", hosts: " + std::to_string(layout.hosts()) + "\n";
  for (const std::string& problem : problems) outcome.text += "# problem: " + problem + "\n";
  return outcome;
}

}  // namespace
}  // namespace headroom::mpi

int main(int argc, char** argv) {
  using namespace headroom::mpi;
  Arguments arguments;
  Program program;
  program.name = "hello";
  program.purpose = "Every rank says where it is; messages go round; the layout asked for is checked.";
  program.declare = [&](Options& options) {
    options.count("expect-hosts", arguments.expect_hosts, 0, 1'000'000, "the number of distinct hosts; 0: any");
    options.count("expect-per-host", arguments.expect_per_host, 0, 1'000'000, "the number of ranks on each; 0: any");
    options.bytes("bytes", arguments.bytes, 0, std::int64_t{1} << 30, "the size of the messages that go round");
  };
  program.body = [&](Session& session) { return hello(session, arguments); };
  return run(argc, argv, program);
}
