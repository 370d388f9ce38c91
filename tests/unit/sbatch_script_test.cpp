// Job scripts become the jobs that sbatch would submit; what is not followed is refused where it stands.
#include "models/workload/sbatch_script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models/errors.hpp"
#include "models/scenario/scenario.hpp"

namespace headroom {
namespace {

using testing::AllOf;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string cluster(const std::string& workload = "", const std::string& policy = "slurm") {
  const bool memory = policy == "slurm";
  return R"({"cluster": {"name": "abc", "size": "SMALL", "scheduler": {"type": "SLURM", "version": "25.05"},
    "slurmConfiguration": {)" +
         std::string(memory ? R"("slurmCustomSettings": [
      {"parameterName": "SelectTypeParameters", "parameterValue": "CR_CPU_Memory"}])"
                            : "") +
         R"(}},
    "computeNodeGroups": [{"name": "grp", "slurmConfiguration": {},
      "scalingConfiguration": {"minInstanceCount": 0, "maxInstanceCount": 4},
      "instanceConfigs": [{"instanceType": "c6i.xlarge"}]}],
    "queues": [{"name": "que", "computeNodeGroupConfigurations": [{"computeNodeGroupId": "grp"}]},
               {"name": "other", "computeNodeGroupConfigurations": [{"computeNodeGroupId": "grp"}]}],
    "scheduler": {"policy": ")" +
         policy + R"("})" + workload + "}";
}

Scenario scenario_of(const std::vector<SbatchScript>& scripts, const std::string& json = cluster()) {
  ScenarioOverrides overrides;
  overrides.sbatch = scripts;
  return parse_scenario(json, "s.json", overrides);
}

// A script that runs for a minute, unless it says otherwise.
SbatchScript script(const std::string& options, const std::string& name = "job.sh") {
  return {name, "#!/bin/sh\n#HEADROOM runTime=60\n#SBATCH " + options + "\nhostname\n"};
}

std::vector<InlineJob> jobs_of(const std::vector<SbatchScript>& scripts, const std::string& json = cluster()) {
  return scenario_of(scripts, json).workload.jobs;
}
InlineJob job_of(const std::string& options) {
  const std::vector<InlineJob> jobs = jobs_of({script(options)});
  return jobs.size() == 1 ? jobs[0] : InlineJob{};
}

std::string errors_of(const std::vector<SbatchScript>& scripts, const std::string& json = cluster()) {
  try {
    scenario_of(scripts, json);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}
std::string error_of(const std::string& options) { return errors_of({script(options)}); }
std::string error_of_text(const std::string& text) { return errors_of({{"job.sh", text}}); }

std::vector<std::string> ids(const std::vector<InlineJob>& jobs) {
  std::vector<std::string> list;
  for (const InlineJob& job : jobs) list.push_back(job.id);
  return list;
}

// --- Which options a script has ---

// Recorded with sbatch 22.05 -vv.
TEST(SbatchScript, IsReadUpToTheFirstCommand) {
  const auto nodes = [](const std::string& body) {
    const auto jobs = jobs_of({{"j", "#!/bin/sh\n#HEADROOM runTime=60\n" + body}});
    return jobs.at(0).nodes;
  };
  EXPECT_EQ(nodes("#SBATCH -N 4\nhostname\n#SBATCH -N 2\n"), 4);
  EXPECT_EQ(nodes("\n  # a comment\n   \n#SBATCH -N 3\n"), 3) << "blank lines and comments are no commands";
  EXPECT_EQ(nodes("#SBATCH--nodes=2\n"), 2);
  EXPECT_EQ(nodes("  #SBATCH -N 2\n# SBATCH -N 3\n##SBATCH -N 4\n"), 0) << "these are comments";
  EXPECT_EQ(nodes("#SBATCH -N\n#SBATCH 3"), 3) << "lines are one list of words; the last needs no end";
  EXPECT_EQ(nodes("#SBATCH -N 3 # -N 2\n"), 3);
  EXPECT_EQ(nodes("#SBATCH -N 3 --nodes=2\n"), 2) << "the last holds";
}

TEST(SbatchScript, IsSplitIntoWords) {
  EXPECT_EQ(job_of("--job-name=\"a b\"").id, "a b");
  EXPECT_EQ(job_of("-J 'a \"b'").id, "a \"b");
  EXPECT_EQ(job_of("-J a\\ b\\#c").id, "a b#c");
  EXPECT_EQ(job_of("-J x#y").id, "x") << "a comment begins even within a word";
  EXPECT_EQ(job_of("-J \"x#y\"").id, "x#y");
  EXPECT_EQ(job_of("-J \"\" -H").id, "-H") << "an empty word is none";
  EXPECT_EQ(error_of("--comment=\"a b"), "job.sh:3: #SBATCH: found no \" that ends the quotation");
}

TEST(SbatchScript, TakesTheFormsOfGetopt) {
  EXPECT_EQ(job_of("-N 4").nodes, 4);
  EXPECT_EQ(job_of("-N4").nodes, 4);
  EXPECT_EQ(job_of("--nodes 4").nodes, 4);
  EXPECT_EQ(job_of("--nodes=4").nodes, 4);
  EXPECT_EQ(job_of("--part=other").queue, "other");
  EXPECT_TRUE(job_of("-HvQN2").hold);
  EXPECT_EQ(job_of("-HvQN2").nodes, 2);
  EXPECT_EQ(error_of("-N=4"), "job.sh:3: --nodes: found \"=4\", expected a number of nodes such as 4");
  EXPECT_EQ(error_of("--no 4"),
            "job.sh:3: #SBATCH: \"--no\" is ambiguous: --no-kill, --no-requeue, --nodefile, --nodelist, --nodes");
  EXPECT_EQ(error_of("--hold=1"), "job.sh:3: --hold: takes no value");
  EXPECT_EQ(error_of("-N"), "job.sh:3: --nodes: needs a value");
  EXPECT_EQ(error_of("--nodes"), "job.sh:3: --nodes: needs a value");
  EXPECT_EQ(error_of("-z"), "job.sh:3: \"-z\": sbatch has no such option");
  EXPECT_EQ(error_of("-N 4 foo"), "job.sh:3: #SBATCH: found \"foo\", expected an option such as --nodes=4");
  EXPECT_EQ(error_of("-- -N4"), "job.sh:3: #SBATCH: found \"--\", expected an option such as --nodes=4");
}

TEST(SbatchScript, SuggestsTheNearestOption) {
  EXPECT_EQ(error_of("--ntask-per-node=4"),
            "job.sh:3: #SBATCH: \"--ntask-per-node\" is no option of sbatch; did you mean \"ntasks-per-node\"?");
  EXPECT_EQ(error_of("--cpus_per_task=4"),
            "job.sh:3: #SBATCH: \"--cpus_per_task\" is no option of sbatch; did you mean \"cpus-per-task\"?");
  EXPECT_THAT(error_of("--frobnicate"), HasSubstr("docs/slurm-options.md"));
}

TEST(SbatchScript, RefusesWhatIsNoScript) {
  EXPECT_EQ(error_of_text(""), "job.sh:1: is empty, expected a job script");
  EXPECT_THAT(error_of_text("#SBATCH -N 1\n"), HasSubstr("expected #! and an interpreter in the first line"));
  EXPECT_THAT(error_of_text("#!/bin/sh\r\n#SBATCH -N 1\r\n"), HasSubstr("DOS line breaks"));
  EXPECT_THAT(error_of_text(std::string("#!/bin/sh\n\0", 11)), HasSubstr("NUL"));
  EXPECT_THAT(error_of_text("#!/bin/sh\n" + std::string(4u << 20, 'x')), HasSubstr("larger than 4 MiB"));
  EXPECT_THAT(error_of("--job-name=\xff"), HasSubstr("job.sh:3: --job-name: expected UTF-8"));
  EXPECT_THAT(error_of("-J a\x01z"), HasSubstr("no control characters"));
}

TEST(SbatchScript, RefusesLinesForOtherSchedulers) {
  EXPECT_THAT(error_of_text("#!/bin/sh\n#HEADROOM runTime=1\n#PBS -l nodes=4\n"),
              HasSubstr("job.sh:3: #PBS: sbatch takes these options too; they are not followed"));
  EXPECT_EQ(jobs_of({{"j", "#!/bin/sh\n#HEADROOM runTime=1\n#PBS -l nodes=4\n#SBATCH --ignore-pbs\n"}})[0].nodes, 0);
}

TEST(SbatchScript, MakesComponentsOfAHeterogeneousJob) {
  const SbatchScript script{"het", R"(#!/bin/sh
#HEADROOM runTime=60 user=ann count=2 every=10s
#SBATCH --job-name=pair --nodes=2 -t 5
#SBATCH hetjob
#SBATCH -n 3 -p other
#SBATCH hetjob
#SBATCH --exclusive
srun hostname
)"};
  const std::vector<InlineJob> jobs = jobs_of({script});
  ASSERT_EQ(jobs.size(), 6u);
  const char* const ids[] = {"pair-1", "pair-1+1", "pair-1+2", "pair-2", "pair-2+1", "pair-2+2"};
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    EXPECT_EQ(jobs[j].id, ids[j]);
    EXPECT_EQ(jobs[j].name, "pair");
    EXPECT_EQ(jobs[j].user, "ann");
    EXPECT_EQ(jobs[j].run_time, 60 * kSecond);
    EXPECT_EQ(jobs[j].submit, j < 3 ? 0 : 10 * kSecond);
    EXPECT_EQ(jobs[j].asks.components, 3);
    EXPECT_EQ(jobs[j].asks.component, static_cast<std::int32_t>(j % 3));
  }
  EXPECT_EQ(jobs[0].nodes, 2);
  EXPECT_EQ(jobs[0].time_limit, 5 * kMinute);
  EXPECT_EQ(jobs[1].nodes, 0) << "its options are its own";
  EXPECT_EQ(jobs[1].cpus, 3);
  EXPECT_EQ(jobs[1].queue, "other");
  EXPECT_EQ(jobs[1].time_limit, 0);
  EXPECT_FALSE(jobs[1].exclusive);
  EXPECT_TRUE(jobs[2].exclusive);
  EXPECT_THAT(error_of("-N 1 hetjob"),
              HasSubstr("job.sh:3: #SBATCH: found \"hetjob\", expected it on a line of its own"));
  EXPECT_THAT(error_of("-a 1-3\n#SBATCH hetjob\n#SBATCH -N 1"), HasSubstr("array"));
  EXPECT_THAT(error_of("-N 1\n#SBATCH hetjob\n#SBATCH --nonsense"), HasSubstr("job.sh:5: #SBATCH: \"--nonsense\""));
}

// --- What becomes of each ---

TEST(SbatchScript, MakesAJobOfEachOption) {
  const InlineJob job =
      job_of("-A acc -q high -a 1-5:2%2 -H --no-requeue -n 6 -c 2 --ntasks-per-node=3 -N 2 --exclusive -p other");
  EXPECT_EQ(job.asks.account, "acc");
  EXPECT_EQ(job.asks.qos, "high");
  EXPECT_EQ(job.array, (ArraySpec{{1, 3, 5}, 2}));
  EXPECT_TRUE(job.hold);
  EXPECT_FALSE(job.requeue);
  EXPECT_TRUE(job_of("--no-requeue --requeue").requeue);
  EXPECT_EQ(job.tasks, 6);
  EXPECT_EQ(job.cpus_per_task, 2);
  EXPECT_EQ(job.tasks_per_node, 3);
  EXPECT_EQ(job_of("--tasks-per-node=3").tasks_per_node, 3);
  EXPECT_EQ(job.nodes, 2);
  EXPECT_TRUE(job.exclusive);
  EXPECT_EQ(job.queue, "other");
  const InlineJob gpus = job_of("-G 4 --cpus-per-gpu=2 --ntasks-per-gpu=3");
  EXPECT_EQ(gpus.asks.cpus_per_gpu, 2);
  EXPECT_EQ(gpus.asks.tasks_per_gpu, 3);
  const InlineJob sockets = job_of("--gpus-per-socket=2 --sockets-per-node=1");
  EXPECT_EQ(sockets.asks.gpus_per_socket, "2");
  EXPECT_EQ(sockets.asks.sockets_per_node, 1);
  EXPECT_EQ(job_of("--prefer=fast").asks.prefer, "fast");
  EXPECT_EQ(job.run_time, 60 * kSecond);
  EXPECT_EQ(job.time_limit, 0);
  EXPECT_EQ(job.file, "job.sh");
  // What scenarios do not have yet is refused; what they have is taken, whoever adds it.
  for (const SbatchOption& option : sbatch_options()) {
    if (option.use != SbatchUse::job || is_followed(option)) continue;
    EXPECT_THAT(
        error_of("--" + std::string(option.name) + (option.argument == SbatchOption::Argument::none ? "" : "=1")),
        HasSubstr("--" + std::string(option.name) + ": "))
        << option.name;
  }
}

// Other policies know cores, not tasks: where a task is one core it is said so.
TEST(SbatchScript, SaysTasksOfOneCoreAsCores) {
  EXPECT_EQ(job_of("-n 6").cpus, 6);
  EXPECT_EQ(job_of("-n 6 -c 1").cpus, 6);
  EXPECT_EQ(job_of("-n 6 -c 1").cpus_per_task, 0);
  const auto jobs = jobs_of({script("-n 6 -J six -p other --time=5")}, cluster("", "easy"));
  EXPECT_EQ(jobs[0].cpus, 6);
  EXPECT_EQ(jobs[0].id, "six");
  EXPECT_TRUE(scenario_of({script("-n 6 -J six")}, cluster("", "easy")).policy_keys.empty())
      << "nothing that only slurm knows";
}

TEST(SbatchScript, ReadsTimes) {
  const auto limit = [](const std::string& time) { return job_of("--time=" + time).time_limit / kSecond; };
  EXPECT_EQ(limit("30"), 1800);
  EXPECT_EQ(limit("30:15"), 1815);
  EXPECT_EQ(limit("1:30:15"), 5415);
  EXPECT_EQ(limit("2-1"), 176400);
  EXPECT_EQ(limit("2-1:30"), 178200);
  EXPECT_EQ(limit("2-1:30:15"), 178215);
  EXPECT_EQ(limit("0"), 3650 * 86400) << "none, which is more than any partition allows";
  EXPECT_EQ(limit("UNLIMITED"), 3650 * 86400);
  EXPECT_EQ(job_of("--time-min=30:15").asks.time_min, 1860) << "in whole minutes";
  EXPECT_THAT(error_of("--time-min=UNLIMITED"), HasSubstr("--time-min: found \"UNLIMITED\", expected minutes"));
  for (const char* const wrong : {"1:2:3:4", "soon", "-", "1-2:3:4:5", "1.5"}) {
    EXPECT_THAT(error_of(std::string("--time=") + wrong), HasSubstr("expected minutes, MM:SS, HH:MM:SS, D-HH"))
        << wrong;
  }
}

TEST(SbatchScript, ReadsMemory) {
  EXPECT_EQ(job_of("--mem=4G").memory_per_node, 4096);
  EXPECT_EQ(job_of("--mem=2GB").memory_per_node, 2048);
  EXPECT_EQ(job_of("--mem=3000").memory_per_node, 3000);
  EXPECT_EQ(job_of("--mem=1500K").memory_per_node, 2) << "rounded up";
  EXPECT_EQ(job_of("--mem=1t").memory_per_node, 1 << 20);
  EXPECT_EQ(job_of("--mem-per-cpu=500M").memory_per_cpu, 500);
  EXPECT_EQ(job_of("--mem-per-gpu=2G -G 1").asks.memory_per_gpu, 2048);
  for (const char* const wrong : {"1.5G", "1x", "G", "4096T", "", "B"}) {
    EXPECT_THAT(error_of(std::string("--mem=") + wrong), HasSubstr("job.sh:3: --mem: found")) << wrong;
  }
  EXPECT_THAT(error_of("--mem=0"), HasSubstr("all of a node's memory is not followed"));
  EXPECT_THAT(error_of("--mem=1G --mem-per-cpu=1G"), HasSubstr("not together with memoryPerNode"));
}

TEST(SbatchScript, ReadsNumbers) {
  EXPECT_EQ(job_of("-N 2k").nodes, 2048);
  EXPECT_EQ(job_of("-N 3-3").nodes, 3);
  EXPECT_THAT(error_of("-N 4-2"), HasSubstr("the smaller number first"));
  EXPECT_THAT(error_of("-N 0"), HasSubstr("a number of nodes"));
  EXPECT_THAT(error_of("-n 0"), HasSubstr("job.sh:3: --ntasks: found \"0\", expected a whole number from 1 on"));
  EXPECT_THAT(error_of("-c 2147483648"), HasSubstr("--cpus-per-task: found"));
  EXPECT_EQ(job_of("--nice").nice, 100);
  EXPECT_EQ(job_of("--nice=-5").nice, -5);
  EXPECT_THAT(error_of("--nice=lots"), HasSubstr("--nice: found \"lots\""));
  EXPECT_EQ(job_of("--priority=77").priority, 77u);
  EXPECT_THAT(error_of("--priority=TOP"), HasSubstr("TOP is not followed"));
}

TEST(SbatchScript, ReadsBegin) {
  const auto begin = [](const std::string& time) { return job_of("--begin=" + time).begin / kSecond; };
  EXPECT_EQ(begin("now"), 0);
  EXPECT_EQ(begin("now+60"), 60);
  EXPECT_EQ(begin("now+1hour"), 3600);
  EXPECT_EQ(begin("now+2minutes"), 120);
  EXPECT_EQ(begin("now+3days"), 3 * 86400);
  EXPECT_EQ(begin("now+1week"), 7 * 86400);
  for (const char* const wrong :
       {"16:00", "2026-01-20T12:34:00", "tomorrow", "now+3fortnights", "now-5", "now+", "now+99999weeks"}) {
    EXPECT_THAT(error_of(std::string("--begin=") + wrong), HasSubstr(std::string("--begin: found \"") + wrong + "\""))
        << wrong;
  }
}

TEST(SbatchScript, ReadsNodesByName) {
  EXPECT_EQ(job_of("-w cpu-[1-2],cpu-4").asks.nodelist, "cpu-[1-2],cpu-4");
  EXPECT_EQ(job_of("--exclude=cpu-3").asks.exclude, "cpu-3");
  EXPECT_EQ(
      error_of("-w ./nodes"),
      "job.sh:3: --nodelist: found \"./nodes\", expected a node or a list such as compute-1-[1-3]; files of nodes are "
      "not read");
  EXPECT_THAT(error_of("-x cpu-[1-"), HasSubstr("--exclude: found \"cpu-[1-\", expected a node or a list"));
}

TEST(SbatchScript, ReadsExclusive) {
  EXPECT_TRUE(job_of("--exclusive").exclusive);
  EXPECT_FALSE(job_of("--exclusive=user").exclusive) << "only of its user";
  EXPECT_THAT(error_of("--exclusive=mcs"), HasSubstr("this form is not followed"));
  EXPECT_THAT(error_of("--exclusive=foo"), HasSubstr("--exclusive: found \"foo\", expected nothing or user"));
}

TEST(SbatchScript, ReadsThePartition) {
  EXPECT_EQ(job_of("-N 1").queue, "que") << "the first";
  EXPECT_EQ(error_of("-p fast"), "job.sh:3: workload.jobs[0].queue: unknown queue \"fast\"; known: \"other\", \"que\"");
}

TEST(SbatchScript, ListsWhatItIgnores) {
  EXPECT_THAT(scenario_of({script("-o out.txt --mail-type=END"), script("-e err.txt", "b.sh")}).notes,
              ElementsAre("ignored, as no schedule depends on it: --error, --mail-type, --output"));
  for (const SbatchOption& option : sbatch_options()) {
    if (option.use != SbatchUse::ignored) continue;
    const bool plain = option.argument != SbatchOption::Argument::required;
    const std::string value = option.read == nullptr                 ? "x"
                              : option.name == "hint"                ? "nomultithread"
                              : option.name == "kill-on-invalid-dep" ? "no"
                                                                     : "1";
    EXPECT_THAT(scenario_of({script("--" + std::string(option.name) + (plain ? "" : "=" + value))}).notes,
                ElementsAre("ignored, as no schedule depends on it: --" + std::string(option.name)));
  }
}

TEST(SbatchScript, RefusesWhatIsNotFollowed) {
  EXPECT_EQ(error_of("-F nodes.txt"),
            "job.sh:3: --nodefile: is not followed. Files of nodes are not read; use --nodelist.");
  for (const SbatchOption& option : sbatch_options()) {
    if (option.use != SbatchUse::refused) continue;
    const bool plain = option.argument != SbatchOption::Argument::required;
    EXPECT_EQ(error_of("--" + std::string(option.name) + (plain ? "" : "=1")),
              "job.sh:3: --" + std::string(option.name) + ": is not followed. " + std::string(option.help));
  }
}

TEST(SbatchScript, RefusesValuesThatWouldMatter) {
  EXPECT_THAT(error_of("--hint=compute_bound"), HasSubstr("expected nomultithread"));
  EXPECT_THAT(error_of("--threads-per-core=2"), HasSubstr("nodes have one thread a core"));
  EXPECT_THAT(error_of("--ntasks-per-core=2"), HasSubstr("nodes have one thread a core"));
  EXPECT_THAT(error_of("--kill-on-invalid-dep=yes"), HasSubstr("expected no"));
}

TEST(SbatchScript, OptionsAreInTheirOrderAndOnceOnly) {
  std::vector<std::string> names;
  std::string letters;
  for (const SbatchOption& option : sbatch_options()) {
    names.emplace_back(option.name);
    if (option.letter != 0) {
      EXPECT_EQ(letters.find(option.letter), std::string::npos) << option.letter;
      letters += option.letter;
    }
    EXPECT_EQ(option.use == SbatchUse::job, !option.key.empty()) << option.name;
  }
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

// --- What sbatch cannot know ---

TEST(SbatchScript, IsToldWhatSbatchCannotKnow) {
  const auto jobs = jobs_of({{"a/b/job.sh",
                              "#!/bin/sh\n#HEADROOM runTime=1h user=ann exitCode=3\n"
                              "#HEADROOM submit=10m stopTime=5 # as measured\n#SBATCH -N 1\n"}});
  ASSERT_EQ(jobs.size(), 1u);
  EXPECT_EQ(jobs[0].id, "job.sh");
  EXPECT_EQ(jobs[0].run_time, kHour);
  EXPECT_EQ(jobs[0].user, "ann");
  EXPECT_EQ(jobs[0].exit_code, 3);
  EXPECT_EQ(jobs[0].submit, 10 * kMinute);
  EXPECT_EQ(jobs[0].stop_time, 5 * kSecond);
  const auto error = [](const std::string& note) {
    return errors_of({{"j", "#!/bin/sh\n#SBATCH -t 5\n#HEADROOM " + note + "\n"}});
  };
  EXPECT_EQ(error("runtime=5"), "j:3: #HEADROOM runtime: unknown word; did you mean \"runTime\"?");
  EXPECT_THAT(error("zzzzzz=5"), HasSubstr("known: runTime, submit, user, exitCode, stopTime, count, every"));
  EXPECT_EQ(error("runTime"), "j:3: #HEADROOM runTime: expected runTime=VALUE");
  EXPECT_THAT(error("runTime=soon"), HasSubstr("j:3: workload.jobs[0].runTime: found \"soon\", expected"));
  EXPECT_THAT(error("exitCode=256"), HasSubstr("j:3: workload.jobs[0].exitCode: found 256"));
  EXPECT_THAT(error("submit=soon"), HasSubstr("j:3: #HEADROOM submit: found \"soon\", expected seconds"));
  EXPECT_THAT(error("count=0"), HasSubstr("j:3: #HEADROOM count: found \"0\""));
  EXPECT_THAT(error("count=50000 every=100000d"), HasSubstr("later than a scenario can say"));
  EXPECT_THAT(errors_of({{"j", "#!/bin/sh\n#SBATCH -t 5\nhostname\n#HEADROOM runTime=5\n"}}),
              HasSubstr("j:4: #HEADROOM: stands after the first command (line 3)"));
}

TEST(SbatchScript, RunsForItsTimeLimitWhereNothingElseIsSaid) {
  const Scenario scenario = scenario_of({{"j", "#!/bin/sh\n#SBATCH -t 5\n"}});
  EXPECT_EQ(scenario.workload.jobs[0].run_time, 5 * kMinute);
  EXPECT_THAT(scenario.notes,
              ElementsAre("j: no #HEADROOM runTime; the job is taken to run for its time limit, 300 s"));
  EXPECT_THAT(errors_of({{"j", "#!/bin/sh\n"}}), HasSubstr("j:1: nothing says how long the job runs"));
  EXPECT_THAT(errors_of({{"j", "#!/bin/sh\n#SBATCH -t 0\n"}}), HasSubstr("nothing says how long the job runs"));
  std::vector<SbatchScript> many(13, {"j", "#!/bin/sh\n#SBATCH -t 5\nhostname\n"});
  EXPECT_EQ(scenario_of(many).notes.size(), 11u);
  EXPECT_EQ(scenario_of(many).notes.back(), "... and 3 more of this kind");
}

TEST(SbatchScript, TellsOfOptionsThatNobodyReads) {
  EXPECT_THAT(scenario_of({{"j", "#!/bin/sh\n#HEADROOM runTime=5\nhostname\n#SBATCH -N 4\n"}}).notes,
              ElementsAre("j:4: #SBATCH after the first command (line 3) is a comment, to sbatch too"));
}

TEST(SbatchScript, IsSubmittedSeveralTimes) {
  const auto jobs = jobs_of({{"j", "#!/bin/sh\n#HEADROOM runTime=5 submit=1m count=3 every=0.5\n"}});
  EXPECT_THAT(ids(jobs), ElementsAre("j-1", "j-2", "j-3"));
  EXPECT_EQ(jobs[0].submit, kMinute);
  EXPECT_EQ(jobs[1].submit, kMinute + kSecond / 2);
  EXPECT_EQ(jobs[2].submit, kMinute + kSecond);
  EXPECT_EQ(jobs[2].name, "j");
  EXPECT_THAT(errors_of({{"j", "#!/bin/sh\n#HEADROOM runTime=5 count=30000\n"},
                         {"k", "#!/bin/sh\n#HEADROOM runTime=5 count=30000\n"}}),
              HasSubstr("60000 jobs, expected at most 50000"));
}

// --- In a scenario ---

TEST(SbatchScript, NamesJobsAfterTheirFiles) {
  EXPECT_THAT(ids(jobs_of({script("-N 1", "x/a.sh"), script("-J b", "x/b.sh"), script("-N 1", "y/a.sh")})),
              ElementsAre("a.sh-1", "b", "a.sh-2"));
}

TEST(SbatchScript, DependsOnJobsByName) {
  const auto jobs = jobs_of({script("-J first", "a.sh"), script("-d afterok:first", "b.sh")});
  ASSERT_EQ(jobs[1].dependency.list.size(), 1u);
  EXPECT_EQ(jobs[1].dependency.list[0].job, "first");
  EXPECT_EQ(errors_of({script("-d afterok:first", "b.sh"), script("-J first", "a.sh")}),
            "b.sh:3: workload.jobs[0].dependency: \"first\" is not submitted before this job");
  EXPECT_EQ(error_of("-d afterok:4711"), "job.sh:3: workload.jobs[0].dependency: no job has the id \"4711\"");
  EXPECT_THAT(error_of("-d aftrok:x"), HasSubstr("job.sh:3: workload.jobs[0].dependency: \"aftrok\" is no kind"));
  EXPECT_THAT(errors_of({script("-J a"), script("-J a"), script("-d afterok:a", "c.sh")}),
              HasSubstr("c.sh:3: --dependency: 2 jobs are named \"a\", expected one of a-1 to a-2"));
  const auto one_by_one = jobs_of({script("-J a -d singleton"), script("-J a -d singleton")});
  EXPECT_EQ(one_by_one[0].name, "a");
  EXPECT_EQ(one_by_one[1].name, "a") << "the name is the same, the id is not";
}

TEST(SbatchScript, JoinsTheJobsOfAScenario) {
  const std::string own =
      R"(, "workload": {"jobs": [{"id": "own", "runTime": 5}]}, "expect": {"digest": "0123456789abcdef"})";
  const Scenario scenario = scenario_of({script("-N 2 -d afterok:own")}, cluster(own));
  EXPECT_THAT(ids(scenario.workload.jobs), ElementsAre("own", "job.sh"));
  EXPECT_EQ(scenario.expected_digest, "") << "it was the answer to another question";
  const Scenario again = parse_scenario(scenario.text, "journal");
  EXPECT_EQ(again.text, scenario.text) << "a journal needs no scripts";
  EXPECT_EQ(again.workload.jobs[1].nodes, 2);
  EXPECT_THAT(again.notes, IsEmpty());
  EXPECT_THAT(errors_of({script("-J own")}, cluster(own)), HasSubstr("\"own\" names another job already"));
  EXPECT_THAT(errors_of({script("-N 1")}, cluster(R"(, "workload": {"generator": "lublin"})")),
              HasSubstr("s.json:9: workload.generator: not together with --sbatch"));
  EXPECT_THAT(errors_of({script("-N 1")}, cluster(R"(, "workload": {"trace": "x.swf"})")),
              HasSubstr("workload.trace: not together with --sbatch"));
}

TEST(SbatchScript, FollowsChangesOfTheCommandLine) {
  ScenarioOverrides overrides;
  overrides.set = {{"scheduler.policy", "slurm"}};
  overrides.seed = 7;
  overrides.sbatch = {script("-p fast", "a.sh"), script("-N 0", "b.sh")};
  try {
    parse_scenario(cluster("", "easy"), "s.json", overrides);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("a.sh:3: workload.jobs[0].queue"), HasSubstr("b.sh:3: --nodes")));
  }
  overrides.sbatch = {script("-J named", "a.sh")};
  EXPECT_EQ(parse_scenario(cluster("", "easy"), "s.json", overrides).workload.jobs[0].name, "named")
      << "the policy is the one that --set says";
}

// Whatever stands in a script, it gives jobs or an error that names the script.
TEST(SbatchScript, SurvivesAnything) {
  static constexpr const char* kPieces[] = {
      "#!/bin/sh\n", "#SBATCH ",   "#HEADROOM ", "runTime=5 ", "-N ",        "--nodes=", "4",       "-",
      "--mem=",      "9999999999", "K",          "\"",         "'",          "\\",       " ",       "\n",
      "#",           "--array=",   "1-5%2",      "--begin=",   "now+",       "weeks ",   "-d ",     "afterok:",
      "count=3 ",    "every=1m ",  "submit=",    "=",          "-J x ",      "--",       "\t",      "\xc3\xa4",
      "\xff",        "--time=",    "1-2:3",      "hostname\n", "-HO",        "--nice",   "--switc", "user=ann ",
      "--exclusive", "=user ",     "-t 5 ",      "--export",   "--cpus-per", "-c 2 ",    "#PBS -l", "exitCode=300 "};
  std::uint64_t state = 1;
  const auto draw = [&](std::size_t below) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(state >> 33) % below;
  };
  int accepted = 0;
  for (int i = 0; i < 1500; ++i) {
    std::string text = draw(10) == 0 ? "" : "#!/bin/sh\n#SBATCH -t 5 ";
    for (std::size_t n = draw(9); n > 0; --n) text += kPieces[draw(std::size(kPieces))];
    try {
      accepted += scenario_of({{"job.sh", text}}).workload.jobs.empty() ? 0 : 1;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr("job.sh:")) << text;
    }
  }
  EXPECT_GT(accepted, 50);
  EXPECT_LT(accepted, 1450);
}

}  // namespace
}  // namespace headroom
