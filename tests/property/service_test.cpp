// What the control plane promises for random calls, with books of the test's own: what is there is never more than the
// cluster's size and quotas allow, nothing is changed that is not there, and a queue is served by groups that are.
#include "models/pcs/service.hpp"

#include <map>
#include <set>

#include <gtest/gtest.h>

#include "tests/unit/draw.hpp"

namespace headroom {
namespace {

using enum ServiceAction;

constexpr std::int32_t kLimit = 32;
constexpr std::int32_t kQuota = 4;

struct Case {
  ServiceOptions options;
  std::vector<ServiceCall> calls;
};

Case random_case(std::uint64_t seed) {
  Draw draw(seed);
  Case c;
  const auto time = [&] { return draw.between(0, 60) * kSecond; };
  c.options.cluster = {time(), time(), time()};
  c.options.group = {time(), time(), time()};
  c.options.queue = {time(), time(), time()};
  c.options.groups = c.options.queues = kQuota;
  c.options.has_update_cluster = draw.one_in(2);
  Time now = 0;
  for (std::int64_t left = draw.between(1, 60); left > 0; --left) {
    ServiceCall call;
    now += draw.one_in(3) ? 0 : draw.between(1, 90) * kSecond / 2;
    call.at = now;
    call.action =
        draw.one_in(12) ? static_cast<ServiceAction>(draw.below(3)) : static_cast<ServiceAction>(3 + draw.below(6));
    const auto name = [&] { return std::string(1, static_cast<char>('a' + static_cast<char>(draw.below(5)))); };
    const bool of_cluster = call.action <= delete_cluster;
    call.target = of_cluster ? std::vector{"main", "other", "third"}[draw.below(3)] : name();
    if (of_cluster && call.action != create_cluster) call.cluster = call.target;
    if (!of_cluster && draw.one_in(15)) call.cluster = "other";
    call.fails = draw.one_in(6);
    call.instance_limit = kLimit;
    if (call.action == create_group || draw.one_in(2)) {
      const std::int32_t most = draw.small(1, 20);
      call.scaling = {draw.one_in(3) ? most : 0, most};
    }
    if (draw.one_in(4)) call.idle_time = draw.one_in(2) ? ServiceCall::kInherit : draw.between(1, 3) * kSecond;
    if (of_cluster && call.idle_time == ServiceCall::kInherit) call.idle_time.reset();
    call.replaces = draw.one_in(3);
    if (draw.one_in(2)) {
      std::set<std::string> groups;
      for (std::size_t n = draw.below(3); n > 0; --n) groups.insert(name());
      call.groups.emplace(groups.begin(), groups.end());
    }
    c.calls.push_back(std::move(call));
  }
  return c;
}

struct Outcome {
  std::vector<ServiceAnswer> answers;
  std::vector<TimedChange> changes;
};

Outcome play(const Case& c) {
  Service service(c.options, "main", "", kLimit, 600 * kSecond);
  service.add_group("a", "", {0, 8}, std::nullopt);
  service.add_queue("a", "", {GroupId{0}});
  Outcome outcome;
  for (const ServiceCall& call : c.calls) outcome.answers.push_back(service.answer(call));
  outcome.changes = service.changes();
  return outcome;
}

// The cluster as the changes tell of it.
struct Books {
  std::map<GroupId, std::int32_t> nodes{{GroupId{0}, 8}};  // of groups that are there
  std::map<QueueId, std::set<GroupId>> serves{{QueueId{0}, {GroupId{0}}}};
  std::set<QueueId> open{QueueId{0}};

  void apply(const ClusterChange& change) {
    const bool there = nodes.count(change.group) > 0;
    switch (change.kind) {
      case ClusterChange::Kind::resize:
        EXPECT_GT(change.nodes, 0);
        EXPECT_LE(change.kept, change.nodes);
        nodes[change.group] = change.nodes;
        break;
      case ClusterChange::Kind::replace:
        EXPECT_TRUE(there);
        break;
      case ClusterChange::Kind::idle_time:
        EXPECT_TRUE(there);
        EXPECT_GT(change.idle_time, 0);
        break;
      case ClusterChange::Kind::serve:
        EXPECT_EQ(open.count(change.queue), 0u) << "while it takes no jobs";
        serves[change.queue] = {change.groups.begin(), change.groups.end()};
        EXPECT_EQ(serves[change.queue].size(), change.groups.size());
        break;
      case ClusterChange::Kind::open:
        EXPECT_TRUE(open.insert(change.queue).second) << "it was closed";
        serves[change.queue];
        break;
      case ClusterChange::Kind::close:
        EXPECT_EQ(open.erase(change.queue), 1u) << "it was open";
        break;
      case ClusterChange::Kind::delete_queue:
        EXPECT_EQ(serves.erase(change.queue), 1u) << "it was there";
        open.erase(change.queue);
        break;
      case ClusterChange::Kind::delete_group:
        EXPECT_EQ(nodes.erase(change.group), 1u) << "it was there";
        break;
    }
    std::int32_t sum = 0;
    for (const auto& [group, count] : nodes) sum += count;
    EXPECT_LE(sum, kLimit) << "PCS-3";
    EXPECT_LE(nodes.size(), static_cast<std::size_t>(kQuota));
    EXPECT_LE(serves.size(), static_cast<std::size_t>(kQuota));
    for (const auto& [queue, groups] : serves) {
      for (const GroupId group : groups) EXPECT_EQ(nodes.count(group), 1u) << "PCS-18, PCS-21";
    }
    for (const QueueId queue : open) EXPECT_EQ(serves.count(queue), 1u);
  }
};

TEST(ServiceProperty, ChangesNeverTellOfWhatIsNotThere) {
  std::size_t changes = 0;
  std::map<std::string, std::size_t> refused;
  for (std::uint64_t seed = 0; seed < 10'000 && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(seed);
    const Case c = random_case(seed);
    const Outcome outcome = play(c);
    EXPECT_EQ(outcome.answers.size(), c.calls.size());
    for (const ServiceAnswer& answer : outcome.answers) {
      EXPECT_EQ(answer.accepted(), answer.transitions.size() == 2);
      EXPECT_EQ(answer.accepted(), answer.message.empty());
      if (!answer.accepted()) ++refused[std::string(error_name(answer.error)) + " " + answer.rule];
    }
    Books books;
    Time last = 0;
    for (const TimedChange& each : outcome.changes) {
      EXPECT_GE(each.at, last);
      last = each.at;
      books.apply(each.change);
    }
    changes += outcome.changes.size();
    const Outcome again = play(c);
    EXPECT_EQ(again.answers, outcome.answers);
    EXPECT_EQ(again.changes, outcome.changes);
  }
  EXPECT_GT(changes, 50'000u);
  for (const char* rule : {"PCS-1", "PCS-8", "PCS-9", "PCS-10", "PCS-18", "PCS-21", "PCS-30"}) {
    EXPECT_GT(refused["ConflictException " + std::string(rule)], 0u) << rule;
  }
  EXPECT_GT(refused["ServiceQuotaExceededException PCS-3"], 0u);
  EXPECT_GT(refused["ServiceQuotaExceededException PCS-4"], 0u);
}

}  // namespace
}  // namespace headroom
