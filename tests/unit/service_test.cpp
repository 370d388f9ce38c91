// The control plane of PCS: what each call is answered in each state, by a table, and what follows for the cluster,
// with times.
#include "models/pcs/service.hpp"

#include <ostream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headroom {
namespace {

using enum ServiceAction;
using Kind = ClusterChange::Kind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kIdle = 600 * kSecond;

ServiceOptions options() {
  ServiceOptions options;
  options.cluster = {300 * kSecond, 200 * kSecond, 100 * kSecond};
  options.group = {60 * kSecond, 50 * kSecond, 40 * kSecond};
  options.queue = {30 * kSecond, 20 * kSecond, 10 * kSecond};
  options.has_update_cluster = true;
  return options;
}

// A cluster of 32 instances: group a (0 to 4) in queue q, group b (2 to 2) in none.
Service service(const ServiceOptions& with = options()) {
  Service s(with, "main", "pcs_main", 32, kIdle);
  s.add_group("a", "pcs_a", {0, 4}, std::nullopt);
  s.add_group("b", "", {2, 2}, std::nullopt);
  s.add_queue("q", "pcs_q", {GroupId{0}});
  return s;
}

ServiceCall call(double at_s, ServiceAction action, const std::string& target) {
  ServiceCall c;
  c.at = static_cast<Time>(at_s * 1e6);
  c.action = action;
  c.target = target;
  if (action == create_group) c.scaling = {0, 8};
  if (action == create_cluster) c.instance_limit = 32;
  return c;
}
ServiceCall sized(ServiceCall c, std::int32_t minimum, std::int32_t maximum) {
  c.scaling = {minimum, maximum};
  return c;
}
ServiceCall over(ServiceCall c, std::vector<std::string> groups) {
  c.groups = std::move(groups);
  return c;
}
ServiceCall in(ServiceCall c, const std::string& cluster) {
  c.cluster = cluster;
  return c;
}
ServiceCall failing(ServiceCall c) {
  c.fails = true;
  return c;
}
ServiceCall idle(ServiceCall c, Time time) {
  c.idle_time = time;
  return c;
}

// "ok", or the exception and the rule.
std::string verdict(const ServiceAnswer& answer) {
  if (answer.accepted()) return "ok";
  EXPECT_NE(answer.message, "");
  return std::string(error_name(answer.error)) + (answer.rule.empty() ? "" : " " + answer.rule);
}

struct Story {
  std::string name;
  std::vector<std::pair<ServiceCall, std::string>> calls;
};
void PrintTo(const Story& story, std::ostream* out) { *out << story.name; }

class ServiceAnswers : public ::testing::TestWithParam<Story> {};

TEST_P(ServiceAnswers, AreWhatTheApiWouldSay) {
  Service s = service();
  for (const auto& [each, expected] : GetParam().calls) {
    EXPECT_EQ(verdict(s.answer(each)), expected)
        << action_name(each.action) << " " << each.target << " at " << each.at / kSecond;
  }
}

const std::string kConflict = "ConflictException ";
const std::string kMissing = "ResourceNotFoundException ";
const std::string kQuota = "ServiceQuotaExceededException";

INSTANTIATE_TEST_SUITE_P(
    All, ServiceAnswers,
    ::testing::Values(Story{"AGroupHasToBeActiveForAQueue",
                            {{call(0, create_group, "c"), "ok"},
                             {over(call(59, create_queue, "r"), {"c"}), kConflict + "PCS-18"},
                             {over(call(60, create_queue, "r"), {"c"}), "ok"},
                             {over(call(61, update_queue, "q"), {"a", "d"}), kMissing + "PCS-30"}}},
                      Story{"AGroupInAQueueCannotBeDeleted",
                            {{call(0, delete_group, "a"), kConflict + "PCS-21"},
                             {over(call(1, update_queue, "q"), {"b"}), "ok"},
                             {call(2, delete_group, "a"), kConflict + "PCS-21"},
                             {call(3, delete_group, "b"), kConflict + "PCS-21"},
                             {call(21, delete_group, "pcs_a"), "ok"},
                             {call(22, delete_group, "a"), kConflict + "PCS-9"},
                             {call(61, delete_group, "a"), kMissing + "PCS-10"}}},
                      Story{"NamesAreUniqueUntilTheResourceIsGone",
                            {{call(0, create_group, "b"), kConflict + "PCS-10"},
                             {call(0, delete_group, "b"), "ok"},
                             {call(39, create_group, "b"), kConflict + "PCS-10"},
                             {call(40, create_group, "b"), "ok"},
                             {call(40, create_queue, "q"), kConflict + "PCS-30"},
                             {call(41, delete_queue, "q"), "ok"},
                             {call(51, create_queue, "q"), "ok"}}},
                      Story{"InstancesOfAllGroupsAreLimitedByTheSize",
                            {{sized(call(0, create_group, "c"), 0, 27), kQuota + " PCS-3"},
                             {sized(call(0, create_group, "c"), 0, 26), "ok"},
                             {sized(call(70, update_group, "a"), 0, 5), kQuota + " PCS-3"},
                             {sized(call(70, update_group, "a"), 0, 2), "ok"},
                             {sized(call(80, update_group, "c"), 0, 27), kQuota + " PCS-3"},
                             {sized(call(120, update_group, "c"), 0, 28), "ok"},
                             {call(200, delete_group, "b"), "ok"},
                             {sized(call(201, create_group, "d"), 1, 1), kQuota + " PCS-3"},
                             {sized(call(240, create_group, "d"), 2, 2), "ok"}}},
                      Story{"OneThingAtATimeIsDoneToAResource",
                            {{call(0, update_group, "a"), "ok"},
                             {call(49, update_group, "a"), kConflict + "PCS-9"},
                             {call(50, update_group, "a"), "ok"},
                             {call(60, update_queue, "q"), "ok"},
                             {call(61, delete_queue, "q"), kConflict + "PCS-9"},
                             {call(80, delete_queue, "q"), "ok"},
                             {call(81, update_queue, "q"), kConflict + "PCS-9"},
                             {call(90, update_queue, "q"), kMissing + "PCS-30"}}},
                      Story{"AClusterIsDeletedWhenItIsEmpty",
                            {{call(0, delete_cluster, "main"), kConflict + "PCS-8"},
                             {call(1, delete_queue, "q"), "ok"},
                             {call(11, delete_group, "a"), "ok"},
                             {call(12, delete_group, "b"), "ok"},
                             {call(51, delete_cluster, "main"), kConflict + "PCS-8"},
                             {call(52, delete_cluster, "main"), "ok"},
                             {call(53, create_group, "c"), kConflict + "PCS-9"},
                             {call(53, delete_cluster, "main"), kConflict + "PCS-9"},
                             {call(152, delete_cluster, "main"), kMissing + "PCS-9"},
                             {call(152, create_queue, "r"), kMissing + "PCS-9"}}},
                      Story{"OneClusterIsCreatedAtATime",
                            {{call(0, create_cluster, "main"), kConflict + "PCS-1"},
                             {call(0, create_cluster, "second"), "ok"},
                             {call(1, create_cluster, "third"), kQuota + " PCS-4"},
                             {in(call(1, create_group, "a"), "second"), kConflict + "PCS-9"},
                             {call(300, create_cluster, "third"), "ok"},
                             {in(call(300, create_group, "a"), "second"), "ok"},
                             {in(sized(call(300, create_group, "e"), 0, 25), "second"), kQuota + " PCS-3"},
                             {in(call(300, delete_queue, "q"), "second"), kMissing + "PCS-30"},
                             {in(call(300, delete_queue, "q"), "pcs_main"), "ok"},
                             {call(600, create_cluster, "fourth"), "ok"},
                             {call(900, create_cluster, "fifth"), "ok"},
                             {call(1200, create_cluster, "sixth"), kQuota + " PCS-4"}}},
                      Story{"AnUpdateOfTheClusterWantsAllActive",
                            {{call(0, update_group, "a"), "ok"},
                             {call(49, update_cluster, "main"), kConflict + "PCS-9"},
                             {call(50, update_cluster, "main"), "ok"},
                             {call(51, update_cluster, "main"), kConflict + "PCS-9"},
                             {call(51, update_group, "a"), kConflict + "PCS-9"},
                             {call(250, update_group, "a"), "ok"}}},
                      Story{"WhatFailedIsMendedOrDeleted",
                            {{failing(call(0, create_group, "c")), "ok"},
                             {call(60, update_group, "c"), kConflict + "PCS-9"},
                             {over(call(60, update_queue, "q"), {"c"}), kConflict + "PCS-18"},
                             {call(60, update_cluster, "main"), kConflict + "PCS-9"},
                             {failing(call(60, delete_group, "c")), "ok"},
                             {call(100, delete_group, "c"), "ok"},
                             {failing(call(140, update_queue, "q")), "ok"},
                             {call(160, update_queue, "q"), "ok"}}}),
    [](const auto& each) { return each.param.name; });

TEST(Service, RefusesWhatTheRequestItselfBreaksFirst) {
  Service s = service();
  ServiceCall c = call(0, create_group, "a");
  c.violations = {{"PCS-11", "the minimum is over the maximum"}, {"PCS-10", "a bad name"}};
  const ServiceAnswer answer = s.answer(c);
  EXPECT_EQ(verdict(answer), "ValidationException PCS-11");
  EXPECT_EQ(answer.message, "the minimum is over the maximum");
  EXPECT_THAT(answer.transitions, IsEmpty());
}

TEST(Service, HasNoUpdateClusterInTheOlderEdition) {
  ServiceOptions older = options();
  older.has_update_cluster = false;
  Service s = service(older);
  EXPECT_EQ(verdict(s.answer(call(0, update_cluster, "main"))), "ValidationException");
}

TEST(Service, HasQuotasOfGroupsAndQueues) {
  ServiceOptions tight = options();
  tight.groups = 3;
  tight.queues = 2;
  Service s = service(tight);
  EXPECT_EQ(verdict(s.answer(call(0, create_group, "c"))), "ok");
  EXPECT_EQ(verdict(s.answer(call(0, create_group, "d"))), kQuota);
  EXPECT_EQ(verdict(s.answer(call(0, create_queue, "r"))), "ok");
  EXPECT_EQ(verdict(s.answer(call(0, create_queue, "t"))), kQuota);
}

TEST(Service, SaysWhenStatesChange) {
  Service s = service();
  using State = ResourceState;
  using Transition = ServiceAnswer::Transition;
  EXPECT_THAT(s.answer(call(5, create_group, "c")).transitions,
              ElementsAre(Transition{5 * kSecond, State::creating}, Transition{65 * kSecond, State::active}));
  EXPECT_EQ(s.group_state("c"), State::creating);
  EXPECT_THAT(s.answer(failing(call(6, update_group, "a"))).transitions,
              ElementsAre(Transition{6 * kSecond, State::updating}, Transition{56 * kSecond, State::update_failed}));
  EXPECT_THAT(s.answer(call(65, delete_queue, "pcs_q")).transitions,
              ElementsAre(Transition{65 * kSecond, State::deleting}, Transition{75 * kSecond, State::deleted}));
  EXPECT_EQ(s.group_state("c"), State::active);
  EXPECT_EQ(s.group_state("a"), State::update_failed);
  EXPECT_EQ(s.queue_state("q"), State::deleting);
  EXPECT_EQ(s.queue_state("r"), State::deleted);
}

// --- what follows for the cluster ---

TimedChange at(double time_s, ClusterChange change) { return {static_cast<Time>(time_s * 1e6), std::move(change)}; }
constexpr GroupId kA{0}, kB{1}, kC{2};
constexpr QueueId kQ{0}, kR{1};

// All are accepted.
std::vector<TimedChange> changes_of(const std::vector<ServiceCall>& calls) {
  Service s = service();
  for (const ServiceCall& each : calls) EXPECT_EQ(verdict(s.answer(each)), "ok") << each.at / kSecond;
  return s.changes();
}

TEST(ServiceChanges, AGroupIsThereWhenItIsActive) {
  EXPECT_THAT(changes_of({sized(call(0, create_group, "c"), 2, 8)}),
              ElementsAre(at(60, {.kind = Kind::resize, .group = kC, .nodes = 8, .kept = 2})));
}

TEST(ServiceChanges, AnUpdateOfAGroupCountsFromItsEnd) {
  ServiceCall update = sized(call(10, update_group, "a"), 1, 3);
  update.replaces = true;
  update.idle_time = 60 * kSecond;
  EXPECT_THAT(changes_of({update}),
              ElementsAre(at(60, {.kind = Kind::resize, .group = kA, .nodes = 3, .kept = 1}),
                          at(60, {.kind = Kind::idle_time, .group = kA, .idle_time = 60 * kSecond}),
                          at(60, {.kind = Kind::replace, .group = kA})));
  EXPECT_THAT(changes_of({sized(call(0, update_group, "a"), 0, 4)}), IsEmpty()) << "as it was";
}

TEST(ServiceChanges, AQueueTakesNoJobsWhileItIsUpdated) {
  EXPECT_THAT(changes_of({over(call(10, update_queue, "q"), {"b", "pcs_a"})}),
              ElementsAre(at(10, {.kind = Kind::close, .queue = kQ}),
                          at(30, {.kind = Kind::serve, .queue = kQ, .groups = {kA, kB}}),
                          at(30, {.kind = Kind::open, .queue = kQ})));
  EXPECT_THAT(changes_of({call(10, update_queue, "q")}),
              ElementsAre(at(10, {.kind = Kind::close, .queue = kQ}), at(30, {.kind = Kind::open, .queue = kQ})));
}

TEST(ServiceChanges, AQueueIsServedAndOpenWhenItIsActive) {
  EXPECT_THAT(changes_of({over(call(0, create_queue, "r"), {"a"})}),
              ElementsAre(at(30, {.kind = Kind::serve, .queue = kR, .groups = {kA}}),
                          at(30, {.kind = Kind::open, .queue = kR})));
}

TEST(ServiceChanges, DeletionsCountFromTheCall) {
  EXPECT_THAT(changes_of({call(0, delete_queue, "q"), call(10, delete_group, "a"), call(20, delete_group, "b")}),
              ElementsAre(at(0, {.kind = Kind::delete_queue, .queue = kQ}), at(0, {.kind = Kind::replace, .group = kA}),
                          at(10, {.kind = Kind::delete_group, .group = kA}),
                          at(20, {.kind = Kind::delete_group, .group = kB})));
}

TEST(ServiceChanges, NodesOfAGroupThatAnotherQueueHasStayWhenAQueueIsDeleted) {
  EXPECT_THAT(
      changes_of({over(call(0, create_queue, "r"), {"a"}), call(40, delete_queue, "q")}),
      ElementsAre(at(30, {.kind = Kind::serve, .queue = kR, .groups = {kA}}), at(30, {.kind = Kind::open, .queue = kR}),
                  at(40, {.kind = Kind::delete_queue, .queue = kQ})));
}

TEST(ServiceChanges, AClustersIdleTimeIsThatOfGroupsWithoutTheirOwn) {
  EXPECT_THAT(
      changes_of({idle(call(0, update_group, "a"), 30 * kSecond), idle(call(50, update_cluster, "main"), 60 * kSecond),
                  sized(call(250, create_group, "c"), 0, 1),
                  idle(call(250, update_group, "a"), ServiceCall::kInherit)}),
      ElementsAre(at(50, {.kind = Kind::idle_time, .group = kA, .idle_time = 30 * kSecond}),
                  at(250, {.kind = Kind::idle_time, .group = kB, .idle_time = 60 * kSecond}),
                  at(300, {.kind = Kind::idle_time, .group = kA, .idle_time = 60 * kSecond}),
                  at(310, {.kind = Kind::resize, .group = kC, .nodes = 1}),
                  at(310, {.kind = Kind::idle_time, .group = kC, .idle_time = 60 * kSecond})));
}

TEST(ServiceChanges, WhatFailsChangesNothing) {
  ServiceCall update = sized(call(0, update_group, "a"), 0, 9);
  update.replaces = true;
  EXPECT_THAT(changes_of({failing(over(call(0, create_queue, "r"), {"a"})), failing(update),
                          failing(call(0, create_group, "c")), failing(call(0, delete_group, "b")),
                          failing(idle(call(50, update_group, "a"), 1)), call(60, delete_group, "c"),
                          call(60, delete_queue, "r")}),
              IsEmpty())
      << "also when what never came to be is deleted";
  EXPECT_THAT(changes_of({failing(over(call(0, update_queue, "q"), {"b"})), call(20, update_queue, "q")}),
              ElementsAre(at(0, {.kind = Kind::close, .queue = kQ}), at(40, {.kind = Kind::open, .queue = kQ})))
      << "but a queue takes no jobs until it is ACTIVE (PCS-33)";
  EXPECT_THAT(changes_of({failing(call(0, delete_queue, "q")), call(10, delete_queue, "q")}),
              ElementsAre(at(0, {.kind = Kind::close, .queue = kQ}), at(10, {.kind = Kind::delete_queue, .queue = kQ}),
                          at(10, {.kind = Kind::replace, .group = kA})));
}

TEST(ServiceChanges, AnotherClusterIsAnsweredOnly) {
  EXPECT_THAT(
      changes_of({call(0, create_cluster, "second"), in(call(300, create_group, "a"), "second"),
                  in(over(call(360, create_queue, "q"), {"a"}), "second"),
                  in(over(call(390, update_queue, "q"), {}), "second"), in(call(420, delete_queue, "q"), "second"),
                  in(idle(call(450, update_cluster, "second"), 1), "second"),
                  in(call(650, delete_group, "a"), "second")}),
      IsEmpty());
}

TEST(ServiceChanges, WhatIsMadeAgainHasItsOldNumber) {
  Service s = service();
  EXPECT_EQ(s.answer(call(0, create_group, "c")).number, number(kC));
  EXPECT_EQ(s.answer(call(60, delete_group, "c")).number, std::nullopt);
  EXPECT_EQ(s.answer(sized(call(100, create_group, "c"), 0, 3)).number, number(kC));
  EXPECT_EQ(s.answer(failing(call(100, create_group, "d"))).number, std::nullopt) << "it never has a node";
  EXPECT_EQ(s.answer(over(call(100, create_queue, "r"), {"d"})).number, number(kR)) << "refused, but jobs may name it";
  EXPECT_EQ(s.answer(over(call(100, create_queue, "t"), {"a"})).number, 2u);
  EXPECT_EQ(s.answer(call(100, create_queue, "q")).number, number(kQ));
  EXPECT_EQ(s.most_nodes(kC), 8);
  EXPECT_EQ(s.most_nodes(kA), 4);
}

}  // namespace
}  // namespace headroom
