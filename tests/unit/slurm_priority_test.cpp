// priority/multifactor: its factors worked out by hand, when what was used is charged and decays, and whole recorded
// runs of a real Slurm, of which sprio and sshare were asked: the same jobs at the same times, and the same answers.
#include <cmath>
#include <fstream>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "models/policies/slurm/jobs.hpp"
#include "models/policies/slurm/settings.hpp"

namespace headroom::slurm {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr Second kZero = 946'684'800;  // the wall clock at time 0

// Job records of a cluster of equal nodes in one queue or several that share them. slurmctld starts at time 0.
class Desk {
 public:
  Conf conf;
  Accounting accounting;
  JobTable table;
  std::int32_t nodes_of_cluster = 4;
  std::int32_t cpus = 4;
  std::int32_t memory = 4000;

  Desk() {
    conf.multifactor = conf.accounting = true;
    conf.priority_calc_period = 60;
    conf.partitions.resize(1);
    accounting.qos.resize(1);
    accounting.qos[0].name = "normal";
  }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  void set(const std::string& name, const std::string& value) {
    const std::string problem = slurm::set(conf, name, value);
    ASSERT_EQ(problem, "") << name;
  }
  Account& account(const std::string& name, const std::string& parent = "root") {
    Account& a = accounting.accounts.emplace_back();
    a.name = name;
    a.parent = parent;
    return a;
  }
  User& user(const std::string& name, const std::string& account) {
    User& u = accounting.users.emplace_back();
    u.name = name;
    u.accounts = {account};
    return u;
  }
  JobList& jobs() {
    if (jobs_ == nullptr) {
      ClusterSpec spec;
      spec.groups.push_back({nodes_of_cluster, cpus, Supply::permanent, 1, 0, memory});
      std::vector<std::string> names;
      for (std::int32_t n = 1; n <= nodes_of_cluster; ++n) names.push_back(fmt::format("n{:02}", n));
      spec.queues.assign(conf.partitions.size(), {{GroupId{0}}});
      cluster_ = std::make_unique<Cluster>(spec);
      nodes_ = std::make_unique<NodeTable>(*cluster_, conf, names);
      associations_ = std::make_unique<Associations>(accounting);
      jobs_ = std::make_unique<JobList>(conf, *associations_, asks);
      jobs_->multifactor().start(conf.phases.start);
    }
    return *jobs_;
  }
  // Everything that slurmctld's thread did until then.
  void at(double s) { jobs().catch_up(static_cast<Time>(s * kSecond + 0.5), *nodes_); }

  JobId submit(double s, std::uint32_t user, JobRequest request, JobTerms terms = {}, const Asks& ask = {}) {
    at(s);
    if (!(ask == Asks{})) {
      asks.push_back(ask);
      terms.asks = static_cast<std::uint32_t>(asks.size());
    }
    request.user = user;
    if (request.limit == 0) request.limit = kHour;
    const JobId id = table.add(request, &terms);
    jobs().submit(id, table, second(s), *nodes_);
    jobs().queue(id, table);
    return id;
  }
  void start(double s, JobId id, std::vector<Selector::Share> shares, bool runs = true) {
    at(s);
    Job& job = jobs()[id];
    job.start = second(s);
    job.end = job.start + job.limit;
    job.shares = std::move(shares);
    table.move(id, JobState::running);
    jobs().started(id, table);
    const Selector selector(*nodes_, conf);
    TresCounts held;
    for (const Selector::Share& share : job.shares) {
      held[Tres::cpu] += share.cpus;
      held[Tres::mem] += selector.memory_of(job.ask, share);
      ++held[Tres::node];
    }
    jobs().multifactor().started(job, held, runs);
  }
  void end(double s, JobId id) {
    at(s);
    jobs().multifactor().stopped(jobs()[id], second(s));
    jobs().released(id, table);
    table.move(id, JobState::completed);
  }
  Second second(double s) const { return conf.phases.second(static_cast<Time>(std::floor(s * kSecond + 0.5))); }
  std::uint32_t priority(JobId id) { return jobs()[id].priority; }
  PriorityFactors factors(JobId id) { return jobs().multifactor().weighed(jobs()[id], *nodes_); }
  Fairshare& shares() { return jobs().multifactor().fairshare(); }
  std::uint32_t association(const std::string& account, const std::string& user) {
    jobs();  // they are made when they are first asked for
    for (std::uint32_t a = 0; a < associations_->size(); ++a) {
      const Association& each = (*associations_)[a];
      if (associations_->account_name(each.account) == account && each.user == user) return a;
    }
    throw std::out_of_range(account + "/" + user);
  }
  const Shareholder& holder(const std::string& account, const std::string& user) {
    return shares().holders()[association(account, user)];
  }
  double used(const std::string& account, const std::string& user = "") { return holder(account, user).usage.billing; }

  std::vector<Asks> asks;

 private:
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<NodeTable> nodes_;
  std::unique_ptr<Associations> associations_;
  std::unique_ptr<JobList> jobs_;
};

JobRequest cpus(std::int32_t count) {
  JobRequest request;
  request.cores = count;
  return request;
}

// --- recorded runs ---------------------------------------------------------------------------------------------------

std::string text_of(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

template <class Of>
void read_settings(Of& of, const json& row) {
  for (const auto& [key, value] : row.items()) {
    std::string name = key;
    std::erase(name, '_');
    if (name == "name" || name == "limits" || name == "defaultaccount") continue;
    const std::string problem = set(of, name, text_of(value));
    ASSERT_EQ(problem, "") << key;
  }
}

// Plays the jobs of a recording and compares what is shown at the times of its views. The thread's first calculation
// was so many seconds after slurmctld's start.
void play(const std::string& name, Second thread_s = 0) {
  std::ifstream file(HEADROOM_SOURCE_DIR "/tests/data/recorded/" + name + ".json");
  ASSERT_TRUE(file) << name;
  const json recording = json::parse(file);
  const json& run = recording["runs"][0];
  Desk desk;
  desk.conf.version.number = 2205;
  desk.conf.partitions.clear();
  desk.accounting.qos.clear();
  const json& group = recording["input"]["cluster"]["node_groups"][0];
  desk.nodes_of_cluster = group["count"];
  desk.cpus = group["cpus"];
  desk.memory = group["mem_mb"];
  std::map<std::string, std::uint32_t> queues;
  for (const json& p : recording["input"]["cluster"]["partitions"]) {
    Partition& partition = desk.conf.partitions.emplace_back();
    queues[p["name"]] = static_cast<std::uint32_t>(queues.size());
    const json options = p.value("options", json::object());
    for (const auto& [key, value] : options.items()) {
      ASSERT_EQ(set(partition, key, text_of(value)), "") << key;
    }
  }
  for (const auto& [key, value] : recording["input"]["cluster"]["slurm_conf"].items()) {
    ASSERT_EQ(set(desk.conf, key, text_of(value)), "") << key;
  }
  const json none = {{"qos", json::array()}, {"accounts", json::array()}, {"users", json::array()}};
  const json accounting = recording["input"].value("accounting", none);
  desk.conf.accounting = recording["input"].contains("accounting");
  desk.accounting.qos.emplace_back().name = "normal";
  for (const json& row : accounting["qos"]) {
    auto known = std::find_if(desk.accounting.qos.begin(), desk.accounting.qos.end(),
                              [&](const Qos& q) { return q.name == row["name"]; });
    if (known == desk.accounting.qos.end()) {
      desk.accounting.qos.emplace_back().name = row["name"];
      known = desk.accounting.qos.end() - 1;
    }
    read_settings(*known, row);
  }
  for (const json& row : accounting["accounts"]) {
    desk.account(row["name"]);
    read_settings(desk.accounting.accounts.back(), row);
  }
  std::map<std::string, std::uint32_t> users;
  for (const json& row : accounting["users"]) {
    users[row["name"]] = static_cast<std::uint32_t>(users.size());
    desk.user(row["name"], row["account"]);
    read_settings(desk.accounting.users.back(), row);
  }
  // Times are from slurmctld's start.
  const double zero = -run["slurmctld_start"].get<double>();
  desk.conf.phases.epoch = kZero;
  desk.conf.phases.start = thread_s * kSecond;

  enum class What { submit, start, configured, end, view };
  struct Event {
    double at;
    What what;
    std::size_t which;
  };
  std::vector<Event> events;
  const json& jobs = run["jobs"];
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    events.push_back({jobs[j]["submit_done"].get<double>() + zero, What::submit, j});
    for (const json& alloc : jobs[j]["alloc"]) events.push_back({alloc[0].get<double>() + zero, What::start, j});
    const json log = jobs[j].value("log", json::array());
    for (const json& line : log) {
      const What what = line[1] == "config_complete" ? What::configured : What::end;
      events.push_back({line[0].get<double>() + zero, what, j});
    }
  }
  for (std::size_t v = 0; v < run["views"].size(); ++v) {
    events.push_back({run["views"][v]["t"].get<double>() + zero, What::view, v});
  }
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.at < b.at; });

  std::map<std::string, JobId> ids;
  const auto job_input = [&](const std::string& id) {
    for (const json& j : recording["input"]["jobs"]) {
      if (j["id"] == id.substr(0, id.find('['))) return j;
    }
    throw std::out_of_range(id);
  };
  std::size_t compared = 0;
  for (const Event& event : events) {
    if (event.what == What::view) {
      const json& view = run["views"][event.which];
      SCOPED_TRACE(fmt::format("{} at {}", name, view["t"].get<double>()));
      desk.at(event.at);
      std::map<std::string, std::size_t> column;
      const json& columns = run["views_columns"]["sprio"];
      for (std::size_t c = 0; c < columns.size(); ++c) column[columns[c]] = c;
      for (const json& row : view["sprio"]) {
        const std::string id = row[0];
        ASSERT_TRUE(ids.contains(id)) << id;
        const PriorityFactors f = desk.factors(ids[id]);
        EXPECT_EQ(desk.priority(ids[id]), row[column["priority"]].get<std::uint32_t>()) << id;
        const std::pair<const char*, double> shown[] = {
            {"age", f.age},          {"assoc", f.association},   {"fairshare", f.fairshare},
            {"jobsize", f.job_size}, {"partition", f.partition}, {"qos", f.qos},
            {"nice", f.nice}};
        for (const auto& [what, value] : shown) {
          if (column.contains(what)) {
            EXPECT_EQ(fmt::format("{:.0f}", value), row[column[what]].dump()) << id << " " << what;
          }
        }
        if (column.contains("tres")) {
          EXPECT_EQ(fmt::format("cpu={:.0f},mem={:.0f}", f.tres[0], f.tres[1]), row[column["tres"]]) << id;
        }
        ++compared;
      }
      if (!view.contains("sshare")) continue;
      desk.shares().measure_users();
      for (const json& row : view["sshare"]) {
        const std::string account = row[0];
        const std::string user = row[1];
        SCOPED_TRACE(account + "/" + user);
        const std::uint32_t at = desk.association(account, user);
        const Shareholder& h = desk.shares().holders()[at];
        EXPECT_NEAR(h.norm_shares, row[3].get<double>(), 1e-6);
        EXPECT_EQ(static_cast<std::uint64_t>(h.usage.billing), row[4].get<std::uint64_t>());
        if (account != "root") {
          EXPECT_NEAR(h.norm_usage, row[5].get<double>(), 1e-6);
          EXPECT_NEAR(h.effective_usage, row[6].get<double>(), 1e-6);
        }
        if (row[7].is_number()) {
          EXPECT_NEAR(desk.shares().shown_factor(at), row[7].get<double>(), 1e-6);
        }
        if (row[8].is_number() && desk.conf.priority_flags.fair_tree()) {
          EXPECT_NEAR(h.level, row[8].get<double>(), 1e-6);
        }
        ++compared;
      }
      continue;
    }
    const json& job = jobs[event.which];
    const std::string id = job["id"];
    const json input = job_input(id);
    const std::string first = input["id"];
    if (event.what == What::submit) {
      JobRequest request = cpus(input.value("ntasks", 1));
      request.nodes = input.value("nodes", 0);
      request.spread = request.nodes > 0;
      if (request.nodes > request.cores) request.cores = request.nodes;
      request.exclusive = input.value("exclusive", false);
      request.queue = QueueId{queues.at(input.value("partition", queues.begin()->first))};
      request.limit = input["time_limit_min"].get<Time>() * kMinute;
      if (input.contains("mem_mb")) {
        request.memory_unit = MemoryUnit::per_node;
        request.memory = input["mem_mb"];
      } else if (input.contains("mem_per_cpu_mb")) {
        request.memory_unit = MemoryUnit::per_core;
        request.memory = input["mem_per_cpu_mb"];
      }
      JobTerms terms;
      terms.nice = input.value("nice", 0);
      Asks asks;
      asks.account = input.value("account", "");
      asks.qos = input.value("qos", "");
      ids[first] = ids[id] =
          desk.submit(event.at, input.contains("user") ? users.at(input["user"]) : 0, request, terms, asks);
      // What its test at submission found: whole nodes.
      if (request.exclusive) desk.jobs()[ids[id]].tested_cpus = request.nodes * desk.cpus;
      // Eligible at the first pass that sees an array.
      if (input.contains("array")) desk.jobs()[ids[id]].eligible += 1;
    } else if (event.what == What::start) {
      const std::vector<std::string> names = expand_hostlist(job["alloc"][0][2].get<std::string>());
      const json& count = job["alloc"][0][3];
      std::int32_t all = count.is_number() ? count.get<std::int32_t>() : input.value("ntasks", 1);
      std::vector<Selector::Share> shares;
      for (const std::string& node : names) {
        const auto each = std::min(all, names.size() > 1 ? desk.cpus : all);
        shares.push_back({static_cast<Index>(std::stoi(node.substr(1)) - 1), each});
        all -= each;
      }
      const json log = job.value("log", json::array());
      desk.start(event.at, ids[id], shares, log.empty() || log[0][1] != "config_complete");
    } else if (event.what == What::configured) {
      desk.at(event.at);
      desk.jobs()[ids[id]].start = desk.second(event.at);
      desk.jobs().multifactor().configured(ids[id]);
    } else {
      desk.end(event.at, ids[id]);
    }
  }
  EXPECT_GT(compared, 10u);
}

TEST(SlurmPriorityRecorded, ClassicFairShare) { play("s01-fairshare-classic.v2205"); }
TEST(SlurmPriorityRecorded, Weights) { play("s03-priority-weights.v2205"); }
TEST(SlurmPriorityRecorded, FairTree) { play("s02-fair-tree.v2205"); }
// Limits are not enforced: of a job only what it used until the last calculation counts. UsageFactor, fairshare=parent.
TEST(SlurmPriorityRecorded, UsageIsChargedWhileJobsRun) { play("p01-usage-charged.v2205", 1); }
// Nodes boot until long after the jobs got them.
TEST(SlurmPriorityRecorded, FairTreeOnNodesThatBoot) { play("p03-fair-tree-booting.v2205", 1); }
TEST(SlurmPriorityRecorded, FavorSmall) { play("s04-favor-small.v2205"); }
TEST(SlurmPriorityRecorded, TiesAndBillingWeights) { play("p02-fair-tree-ties.v2205"); }

// --- by hand ---------------------------------------------------------------------------------------------------------

TEST(SlurmPriority, QosAndAssociationsAreDividedByTheGreatest) {
  for (const bool normal : {true, false}) {
    Desk desk;
    desk.conf.weight_qos = 3000;
    desk.conf.weight_assoc = 1000;
    if (!normal) desk.set("PriorityFlags", "NO_NORMAL_QOS,NO_NORMAL_ASSOC");
    desk.accounting.qos[0].priority = 40;
    Qos& high = desk.accounting.qos.emplace_back();
    high.name = "high";
    high.priority = 100;
    desk.account("a").priority = 5;
    desk.user("x", "a");
    desk.user("y", "a").priority = 20;
    desk.user("z", "a").default_qos = "high";
    EXPECT_EQ(desk.priority(desk.submit(1, 0, cpus(1))), normal ? 1200u + 250u : 120000u + 5000u);
    EXPECT_EQ(desk.priority(desk.submit(1, 1, cpus(1))), normal ? 1200u + 1000u : 120000u + 20000u);
    EXPECT_EQ(desk.priority(desk.submit(1, 2, cpus(1))), normal ? 3000u + 250u : 300000u + 5000u);
    Asks asks;
    asks.qos = "high";
    EXPECT_EQ(desk.priority(desk.submit(1, 0, cpus(1), {}, asks)), normal ? 3000u + 250u : 300000u + 5000u);
    EXPECT_EQ(desk.priority(desk.submit(1, 9, cpus(1))), 1u) << "a user that slurmdbd does not know";
  }
}

TEST(SlurmPriority, DefaultQosOfAnAccountAbove) {
  Desk desk;
  desk.conf.weight_qos = 100;
  Qos& low = desk.accounting.qos.emplace_back();
  low.name = "low";
  low.priority = 7;
  desk.account("a").default_qos = "low";
  desk.account("b", "a");
  desk.user("x", "b");
  EXPECT_EQ(desk.priority(desk.submit(1, 0, cpus(1))), 100u);
}

TEST(SlurmPriority, TresAreSharesOfThePartition) {
  Desk desk;
  desk.conf.memory = true;
  desk.set("PriorityWeightTRES", "cpu=1000,Mem=500,node=40");
  JobRequest request = cpus(6);
  request.nodes = 3;
  request.spread = true;
  request.memory_unit = MemoryUnit::per_core;
  request.memory = 100;
  const JobId job = desk.submit(1, 0, request);
  // 6/16 of 1000, 600/16000 of 500, 3/4 of 40.
  EXPECT_EQ(desk.priority(job), 375u + 18u + 30u);
  request.memory_unit = MemoryUnit::whole;
  EXPECT_EQ(desk.priority(desk.submit(1, 0, request)), 375u + 375u + 30u) << "none given: all of its nodes'";

  Desk raw;
  raw.set("PriorityWeightTRES", "CPU=10,Mem=1000");
  raw.set("PriorityFlags", "NO_NORMAL_TRES");
  EXPECT_EQ(raw.priority(raw.submit(1, 0, cpus(6))), 60u) << "memory is no resource with CR_CPU";
}

TEST(SlurmPriority, JobSizeRelativeToTime) {
  Desk desk;
  desk.conf.weight_job_size = 100000;
  desk.set("PriorityFlags", "SMALL_RELATIVE_TO_TIME");
  JobRequest request = cpus(2);
  request.limit = 10 * kMinute;
  EXPECT_EQ(desk.priority(desk.submit(1, 0, request)), 2500u) << "a node's 4 CPUs of 16 for 10 minutes";
  request.cores = 8;
  EXPECT_EQ(desk.priority(desk.submit(1, 0, request)), 5000u);
  desk.conf.favor_small = true;
  EXPECT_EQ(desk.priority(desk.submit(1, 0, request)), 95000u);
  request.limit = kUnlimited * kSecond;
  EXPECT_EQ(desk.priority(desk.submit(1, 0, request)), 99999u) << "no limit: next to nothing";
}

TEST(SlurmPriority, AgeAccruesAlways) {
  for (const bool always : {false, true}) {
    Desk desk;
    desk.conf.weight_age = 6000;
    desk.conf.priority_max_age = 600;
    if (always) desk.set("PriorityFlags", "ACCRUE_ALWAYS");
    JobTerms terms;
    terms.begin = 90 * kSecond;
    const JobId job = desk.submit(10, 0, cpus(1), terms);
    desk.at(60);
    EXPECT_EQ(desk.priority(job), always ? 500u : 1u);
    desk.at(120);
    EXPECT_EQ(desk.priority(job), always ? 1100u : 200u);
  }
}

TEST(SlurmPriority, PartitionFactorAsItIs) {
  Desk desk;
  desk.conf.weight_partition = 10;
  desk.conf.partitions.resize(2);
  desk.conf.partitions[0].priority_job_factor = 30;
  desk.conf.partitions[1].priority_job_factor = 60;
  EXPECT_EQ(desk.priority(desk.submit(1, 0, cpus(1))), 5u);
  desk.set("PriorityFlags", "no_normal_all");
  EXPECT_EQ(desk.priority(desk.submit(1, 0, cpus(1))), 300u);
}

// A calculation 60 s after the start of slurmctld, and so on; half-life so that a second leaves 0.99.
void one_user(Desk& desk) {
  desk.account("a");
  desk.user("x", "a");
  desk.conf.decay_half_life = 0;
}

TEST(SlurmPriority, UsageCountsAtCalculationsAndAtTheEnd) {
  for (const bool enforced : {false, true}) {
    Desk desk;
    one_user(desk);
    if (enforced) desk.set("AccountingStorageEnforce", "limits");
    const JobId job = desk.submit(1, 0, cpus(3));
    desk.start(20, job, {{0, 3}});
    desk.at(59);
    EXPECT_EQ(desk.used("a"), 0);
    desk.at(60);
    EXPECT_EQ(desk.used("a"), 3 * 40);
    desk.at(179);
    EXPECT_EQ(desk.used("a", "x"), 3 * 100);
    desk.end(200, job);
    desk.at(400);
    EXPECT_EQ(desk.used("a", "x"), enforced ? 3 * 180 : 3 * 160) << "180 to 200 counts only where limits are enforced";
    EXPECT_EQ(desk.holder("a", "x").usage.wall, enforced ? 180 : 160);
  }
}

TEST(SlurmPriority, UsageDecays) {
  Desk desk;
  one_user(desk);
  desk.conf.decay_half_life = 60;
  const double second = 1 - 0.693 / 60;
  const JobId job = desk.submit(1, 0, cpus(1));
  desk.start(20, job, {{0, 1}});
  desk.at(60);
  EXPECT_NEAR(desk.used("a"), 40 * std::pow(second, 40), 1e-9);
  desk.at(120);
  const double used = 40 * std::pow(second, 100) + 60 * std::pow(second, 60);
  EXPECT_NEAR(desk.used("a"), used, 1e-9);
  desk.end(130, job);
  // Nothing runs and nothing waits: years at once.
  desk.at(120 + 60 * 10);
  EXPECT_NEAR(desk.used("a"), used * std::pow(second, 600), 1e-12);
  desk.at(3.0e7);
  EXPECT_LT(desk.used("a"), 1e-300);
}

// The same whether somebody looks every minute or only in the end.
TEST(SlurmPriority, LongPausesAreWorkedOutAtOnce) {
  double used[2] = {};
  for (const bool often : {false, true}) {
    Desk desk;
    one_user(desk);
    desk.conf.decay_half_life = 3600;
    desk.set("AccountingStorageEnforce", "safe");
    const JobId job = desk.submit(5, 0, cpus(2));
    desk.start(20, job, {{0, 2}});
    desk.end(50, job);
    for (double s = 60; often && s < 7000; s += 7) desk.at(s);
    desk.at(7010);
    used[often ? 1 : 0] = desk.used("a");
    const JobId next = desk.submit(7019, 0, cpus(1));
    desk.start(7019, next, {{0, 1}});
    desk.at(7020);
    EXPECT_NEAR(desk.used("a"), used[often ? 1 : 0] * std::pow(1 - 0.693 / 3600, 60) + std::pow(1 - 0.693 / 3600, 1),
                1e-9)
        << "calculations stay at whole minutes after the start";
  }
  EXPECT_NEAR(used[0], used[1], 1e-9);
  EXPECT_NEAR(used[0], 60 * std::pow(1 - 0.693 / 3600, 30 + 6960), 1e-9);
}

TEST(SlurmPriority, UsageFactorAndNoDecayOfAQos) {
  Desk desk;
  one_user(desk);
  desk.conf.decay_half_life = 60;
  Qos& dear = desk.accounting.qos.emplace_back();
  dear.name = "dear";
  dear.usage_factor = 2.5;
  dear.no_decay = true;
  Asks asks;
  asks.qos = "dear";
  const JobId job = desk.submit(1, 0, cpus(2), {}, asks);
  desk.start(30, job, {{0, 2}});
  desk.at(60);
  EXPECT_NEAR(desk.used("a"), 2.5 * 2 * 30 * std::pow(1 - 0.693 / 60, 30), 1e-9);
  EXPECT_NEAR(desk.jobs().multifactor().used(1).billing, 150, 1e-9);
  EXPECT_NEAR(desk.jobs().multifactor().used(1).wall, 75, 1e-9);
  desk.at(120);
  EXPECT_NEAR(desk.jobs().multifactor().used(1).billing, 450, 1e-9) << "does not decay";
  EXPECT_EQ(desk.jobs().multifactor().used(0).billing, 0);
}

TEST(SlurmPriority, BillingIsTheSumOrTheGreatest) {
  for (const bool greatest : {false, true}) {
    Desk desk;
    one_user(desk);
    desk.conf.memory = true;
    ASSERT_EQ(set(desk.conf.partitions[0], "TRESBillingWeights", "CPU=1.5,Mem=2G,node=0.5"), "");
    if (greatest) desk.set("PriorityFlags", "MAX_TRES");
    JobRequest request = cpus(2);
    request.memory_unit = MemoryUnit::per_node;
    request.memory = 3072;
    const JobId job = desk.submit(1, 0, request);
    desk.start(50, job, {{0, 2}});
    desk.at(60);
    EXPECT_NEAR(desk.used("a"), greatest ? 60 : 95, 1e-9) << "10 s of 3 + 6 + 0.5";
  }
}

// Jobs whose nodes boot are not charged until they run.
TEST(SlurmPriority, WaitingForNodesIsNotCharged) {
  Desk desk;
  one_user(desk);
  const JobId job = desk.submit(1, 0, cpus(2));
  desk.start(10, job, {{0, 2}}, false);
  desk.at(60);
  EXPECT_EQ(desk.used("a"), 0);
  desk.jobs()[job].start = desk.second(90);
  desk.jobs().multifactor().configured(job);
  desk.at(120);
  EXPECT_EQ(desk.used("a"), 60);
}

TEST(SlurmPriority, PrioritiesOnlyRiseWithIncrOnly) {
  for (const bool only : {false, true}) {
    Desk desk;
    one_user(desk);
    desk.account("b");
    desk.user("y", "b");
    desk.conf.weight_fairshare = 1200;
    if (only) desk.set("PriorityFlags", "INCR_ONLY");
    const JobId job = desk.submit(1, 0, cpus(4));
    const JobId waits = desk.submit(1, 0, cpus(4));
    const JobId other = desk.submit(1, 1, cpus(4));
    EXPECT_EQ(desk.priority(waits), 1200u) << "nobody used anything";
    desk.start(2, job, {{0, 4}});
    desk.at(60);
    EXPECT_EQ(desk.priority(waits), only ? 1200u : 400u) << "the last of three users, root among them";
    EXPECT_EQ(desk.priority(other), 1200u);
    EXPECT_EQ(desk.priority(job), 1200u) << "of running jobs nothing is worked out";
  }
}

TEST(SlurmPriority, RunningJobsTooWithCalculateRunning) {
  Desk desk;
  one_user(desk);
  desk.conf.weight_fairshare = 1000;
  desk.set("PriorityFlags", "CALCULATE_RUNNING");
  const JobId job = desk.submit(1, 0, cpus(4));
  desk.start(2, job, {{0, 4}});
  desk.at(60);
  EXPECT_EQ(desk.priority(job), 500u);
}

TEST(SlurmPriority, NothingIsRecalculatedWithoutSlurmdbd) {
  Desk desk;
  one_user(desk);
  desk.conf.accounting = false;
  desk.conf.weight_fairshare = desk.conf.weight_assoc = desk.conf.weight_qos = 1000;
  desk.accounting.qos[0].priority = 5;
  desk.conf.weight_partition = 10;
  const JobId job = desk.submit(1, 0, cpus(4));
  EXPECT_EQ(desk.priority(job), 10u);
  desk.start(2, job, {{0, 4}});
  desk.at(600);
  EXPECT_EQ(desk.used("a"), 0);
  EXPECT_EQ(desk.jobs().next_recalculation(), kNever);
}

TEST(SlurmPriority, OnlyWaitingJobsWakeTheThread) {
  Desk desk;
  one_user(desk);
  EXPECT_EQ(desk.jobs().next_recalculation(), kNever);
  const JobId job = desk.submit(61, 0, cpus(4));
  EXPECT_EQ(desk.jobs().next_recalculation(), 120 * kSecond);
  desk.start(62, job, {{0, 4}});
  EXPECT_EQ(desk.jobs().next_recalculation(), kNever);
}

// 2000-01-01 was a Saturday.
TEST(SlurmPriority, UsageIsForgottenByTheCalendar) {
  constexpr Second kDay = 86400;
  const Second noon = kZero + 40 * kDay + kDay / 2;  // 10 February, a Thursday
  EXPECT_EQ(next_reset(UsageReset::daily, noon, noon), kZero + 41 * kDay);
  EXPECT_EQ(next_reset(UsageReset::daily, noon, noon + 10 * kDay), kZero + 50 * kDay) << "the last one that is due";
  EXPECT_EQ(next_reset(UsageReset::weekly, noon, noon), kZero + 43 * kDay) << "Sunday, 13 February";
  EXPECT_EQ(next_reset(UsageReset::monthly, noon, noon), kZero + 60 * kDay) << "1 March of a leap year";
  EXPECT_EQ(next_reset(UsageReset::quarterly, noon, noon), kZero + 91 * kDay) << "1 April";
  EXPECT_EQ(next_reset(UsageReset::quarterly, noon + 300 * kDay, noon), kZero + 366 * kDay) << "1 January";
  EXPECT_EQ(next_reset(UsageReset::yearly, noon, noon), kZero + 366 * kDay);
  EXPECT_EQ(next_reset(UsageReset::monthly, kZero + 365 * kDay, noon), kZero + 366 * kDay) << "31 December";

  Desk desk;
  one_user(desk);
  desk.set("PriorityUsageResetPeriod", "DAILY");
  const JobId job = desk.submit(1, 0, cpus(1));
  desk.start(20, job, {{0, 1}});
  desk.at(86399);
  EXPECT_EQ(desk.used("a"), 86340 - 20);
  desk.at(86400);
  EXPECT_EQ(desk.used("a"), 60) << "forgotten, then what was used since the last calculation";
  desk.at(86400 + 60);
  EXPECT_EQ(desk.used("a"), 120);
}

TEST(SlurmPriority, SettingsAreRefusedByName) {
  Conf conf;
  Partition partition;
  EXPECT_THAT(set(conf, "PriorityFlags", "MAX_TRES,MAX_TRES_GRES"), HasSubstr("\"MAX_TRES_GRES\" is not followed"));
  EXPECT_THAT(set(conf, "PriorityFlags", "NO_FAIRTREE"), HasSubstr("NO_FAIR_TREE"));
  EXPECT_THAT(set(conf, "PriorityWeightTRES", "CPU=1,energy=3"), HasSubstr("\"energy\" is not followed"));
  EXPECT_THAT(set(conf, "PriorityWeightTRES", "CPU"), HasSubstr("a weight such as CPU=1.5"));
  EXPECT_THAT(set(partition, "TRESBillingWeights", "CPU=1,Mem=-1G"), HasSubstr("a weight"));
  EXPECT_THAT(set(conf, "PriorityUsageResetPeriod", "HOURLY"), HasSubstr("WEEKLY"));
  EXPECT_THAT(set(conf, "AccountingStorageEnforce", "limit"), HasSubstr("limits"));
  EXPECT_THAT(set(conf, "FairShareDampeningFactor", "0"), HasSubstr("1 to 65535"));
  EXPECT_EQ(set(conf, "PriorityFlags", "no_fair_tree,Depth_Oblivious"), "");
  EXPECT_FALSE(conf.priority_flags.fair_tree());
  EXPECT_EQ(set(conf, "AccountingStorageEnforce", "safe,qos"), "");
  EXPECT_TRUE(conf.enforce.limits && conf.enforce.associations && conf.enforce.qos && conf.enforce.safe);
  EXPECT_EQ(set(conf, "AccountingStorageEnforce", "associations"), "");
  EXPECT_TRUE(conf.enforce.associations && !conf.enforce.limits && !conf.enforce.qos);
}

}  // namespace
}  // namespace headroom::slurm
