#include "models/report/scaling_event.hpp"

#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/report/scheduler_log.hpp"
#include "tests/unit/run_story.hpp"

namespace headroom {
namespace {

using Json = nlohmann::json;
using Kind = Stimulus::Kind;

std::vector<Json> records_of(const std::string& lines) {
  std::vector<Json> records;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) records.push_back(Json::parse(line));
  return records;
}

std::vector<Json> events_of(const RunStory& story) {
  std::string text;
  write_events_jsonl(story.record, story.context(), [&](std::string_view block) { text += block; });
  return records_of(text);
}

// "0 LAUNCHED SCHEDULER_REQUESTED compute-1"
std::vector<std::string> told(const std::vector<Json>& events) {
  std::vector<std::string> all;
  for (const Json& e : events) {
    all.push_back(e.at("time_s").dump() + " " + e.at("status").get<std::string>() + " " +
                  e.at("reason").get<std::string>() + " " + e.at("node_id").get<std::string>());
  }
  return all;
}

TEST(ScalingEvents, FollowAnInstanceFromLaunchToTermination) {
  RunStory story;
  const std::uint32_t other = story.offer("test.xlarge", "b", 1);
  story.launch(0, LaunchReason::maintain_min_capacity);
  story.launch(1);
  story.at(0);
  story.hear(Kind::instance_launched, 0, other);
  story.refuse(1, Refusal::insufficient_instance_capacity);
  story.at(1);
  story.running(0);
  story.at(20);
  story.ready(0);
  story.at(90);
  story.hear(Kind::instance_impaired, 0, static_cast<std::uint32_t>(Impairment::health_check_failed));
  story.terminate(0, EndReason::unhealthy_node);
  story.at(100);
  const std::vector<Json> events = events_of(story);
  EXPECT_EQ(told(events), (std::vector<std::string>{
                              "0 LAUNCHED MAINTAIN_MIN_CAPACITY compute-1",
                              "1 LAUNCH_FAILED INSUFFICIENT_CAPACITY compute-2",
                              "90 REGISTERED REGISTER_SUCCESS compute-1",
                              "90 ACTIVE BOOTSTRAP_SUCCESS compute-1",
                              "100 PENDING_REPLACEMENT EC2_HEALTH_CHECK_FAILED compute-1",
                              "100 TERMINATED UNHEALTHY_NODE compute-1",
                          }));
  EXPECT_EQ(events[0].at("details"), (Json{{"instance_id", "i-00000000000000001"},
                                           {"ec2_error_code", nullptr},
                                           {"instance_type", "test.xlarge"},
                                           {"subnet_id", "subnet-b"}}));
  EXPECT_EQ(events[1].at("details"), (Json{{"instance_id", nullptr},
                                           {"ec2_error_code", "InsufficientInstanceCapacity"},
                                           {"instance_type", nullptr},
                                           {"subnet_id", nullptr}}));
  EXPECT_EQ(events[0].at("event_timestamp"), 0);
  EXPECT_EQ(events[5].at("node_group"), "compute");
}

TEST(ScalingEvents, TellWhyInstancesEnd) {
  const std::pair<EndReason, const char*> reasons[] = {
      {EndReason::scheduler_requested, "SCHEDULER_REQUESTED"},
      {EndReason::unhealthy_node, "UNHEALTHY_NODE"},
      {EndReason::bootstrap_failed, "BOOTSTRAP_FAILED"},
      {EndReason::replacement_requested, "REPLACEMENT_REQUESTED"},
      {EndReason::node_group_update, "SCHEDULER_REQUESTED"},
      {EndReason::node_group_deletion, "NODE_GROUP_DELETION"},
  };
  for (const auto& [reason, name] : reasons) {
    RunStory story;
    story.launch(0);
    story.at(0);
    story.terminate(0, reason);
    story.at(1);
    EXPECT_EQ(told(events_of(story)).back(), std::string("1 TERMINATED ") + name + " compute-1");
  }
  RunStory story;
  story.launch(0);
  story.at(0);
  story.lose(0, Loss::spot_interruption);
  story.at(1);
  EXPECT_EQ(told(events_of(story)).back(), "1 TERMINATED EXTERNALLY_TERMINATED compute-1");
}

TEST(ScalingEvents, TellWhyLaunchesFail) {
  const std::pair<Refusal, const char*> reasons[] = {
      {Refusal::insufficient_instance_capacity, "INSUFFICIENT_CAPACITY"},
      {Refusal::insufficient_reserved_instance_capacity, "INSUFFICIENT_CAPACITY"},
      {Refusal::reservation_capacity_exceeded, "INSUFFICIENT_CAPACITY"},
      {Refusal::max_spot_instance_count_exceeded, "LIMIT_EXCEEDED"},
      {Refusal::spot_max_price_too_low, "LAUNCH_ERROR"},
      {Refusal::unsupported, "LAUNCH_ERROR"},
      {Refusal::unfulfillable_capacity, "INSUFFICIENT_CAPACITY"},
      {Refusal::vcpu_limit_exceeded, "LIMIT_EXCEEDED"},
      {Refusal::instance_limit_exceeded, "LIMIT_EXCEEDED"},
      {Refusal::insufficient_free_addresses_in_subnet, "INSUFFICIENT_CAPACITY"},
      {Refusal::request_limit_exceeded, "LIMIT_EXCEEDED"},
      {Refusal::internal_error, "LAUNCH_ERROR"},
  };
  static_assert(std::size(reasons) == kRefusals);
  for (const auto& [refusal, reason] : reasons) {
    RunStory story;
    story.launch(0);
    story.at(0);
    story.refuse(0, refusal);
    story.at(0);
    const std::vector<Json> events = events_of(story);
    ASSERT_EQ(events.size(), 1u) << "a launch that is refused is no launch";
    EXPECT_EQ(events[0].at("reason"), reason);
    EXPECT_EQ(events[0].at("details").at("ec2_error_code"), refusal_code(refusal));
  }
}

TEST(ScalingEvents, MarkTheInstancesOfAnUpdatedGroup) {
  RunStory story({"compute", "other"});
  ClusterChange change;
  change.kind = ClusterChange::Kind::replace;
  change.group = GroupId{1};
  story.design.spec.changes = {change};
  story.launch(0);
  story.launch(8);
  story.launch(9);
  story.at(0);
  story.terminate(9);
  story.at(5);
  story.hear(Kind::cluster_changed, 0);
  story.at(10);
  EXPECT_EQ(told(events_of(story)).back(), "10 PENDING_REPLACEMENT NODE_GROUP_UPDATE other-1");
  EXPECT_EQ(events_of(story).size(), 5u);
}

TEST(SchedulerLog, HasTheFieldsOfPcsAndTheRun) {
  RunStory story = one_job_story();
  story.scenario.cluster.name = "demo";
  story.scenario.scheduler.slurm_version = 2311;
  std::string text;
  write_scheduler_jsonl(story.record, story.context(), [&](std::string_view block) { text += block; });
  const std::vector<Json> records = records_of(text);
  std::vector<std::string> messages;
  for (const Json& r : records) messages.push_back(r.at("message"));
  EXPECT_EQ(messages,
            (std::vector<std::string>{
                "[1970-01-01T00:00:00.000+00:00] _slurm_rpc_submit_batch_job: JobId=1\n",
                "[1970-01-01T00:00:00.000+00:00] power_save: waking nodes compute-1\n",
                "[1970-01-01T00:00:00.000+00:00] sched: Allocate JobId=1 NodeList=compute-1 #CPUs=4 Partition=batch\n",
                "[1970-01-01T00:01:00.000+00:00] Node compute-1 now responding\n",
                "[1970-01-01T00:01:00.000+00:00] prolog_running_decr: Configuration for JobId=1 is complete\n",
                "[1970-01-01T00:02:30.000+00:00] _job_complete: JobId=1 COMPLETED\n",
                "[1970-01-01T00:03:30.000+00:00] power_save: suspending nodes compute-1\n",
            }));
  Json first = records.front();
  first.erase("message");
  EXPECT_EQ(first, (Json{{"resource_id", "demo"},
                         {"resource_type", "PCS_CLUSTER"},
                         {"event_timestamp", 0},
                         {"log_level", "info"},
                         {"log_name", "slurmctld"},
                         {"scheduler_type", "slurm"},
                         {"scheduler_major_version", "23.11"},
                         {"scheduler_patch_version", "0"},
                         {"node_type", "controller_primary"}}));
}

TEST(SchedulerLog, TellsRequeuesAndLostNodes) {
  RunStory story = requeue_story();
  story.lose(2, Loss::hardware_failure);
  story.at(1'700'000'000);
  std::string text;
  write_scheduler_jsonl(story.record, story.context(), [&](std::string_view block) { text += block; });
  std::size_t requeues = 0;
  for (std::size_t at = 0; (at = text.find("Requeuing JobId=1", at)) != std::string::npos; ++at) ++requeues;
  EXPECT_EQ(requeues, 2u);
  const Json last = records_of(text).back();
  EXPECT_EQ(last.at("log_level"), "error");
  EXPECT_EQ(last.at("event_timestamp"), 1'700'000'000);
  EXPECT_EQ(last.at("message"), "[2023-11-14T22:13:20.000+00:00] Nodes compute-3 not responding, setting DOWN\n");
}

}  // namespace
}  // namespace headroom
