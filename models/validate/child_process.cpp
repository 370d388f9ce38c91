#include "models/validate/child_process.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "models/errors.hpp"

// NOLINTNEXTLINE: POSIX wants it declared
extern char** environ;

namespace headroom::validate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kGraceS = 10;  // for mpirun to end its ranks on all hosts

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void pause_ms(long ms) {
  timespec span{ms / 1000, (ms % 1000) * 1'000'000};
  nanosleep(&span, nullptr);  // a signal may cut it short: the loops look again
}

[[noreturn]] void fail(const std::string& what) { throw EnvironmentError(what + ": " + std::strerror(errno)); }

class File {
 public:
  File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (fd_ < 0) fail(path + ": cannot be opened");
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { close(fd_); }
  int fd() const { return fd_; }

 private:
  int fd_;
};

// Processes whose parent is this one: with the subreaper set, also those that a program left behind.
std::vector<pid_t> children() {
  std::vector<pid_t> pids;
  std::ifstream list("/proc/self/task/" + std::to_string(getpid()) + "/children");
  pid_t pid = 0;
  while (list >> pid) pids.push_back(pid);
  return pids;
}

// Ends what a program that is over has left behind: first politely, then not.
void sweep_leftovers() {
  for (const int signal_number : {SIGTERM, SIGKILL}) {
    const Clock::time_point start = Clock::now();
    while (true) {
      while (waitpid(-1, nullptr, WNOHANG) > 0) {
      }
      const std::vector<pid_t> left = children();
      if (left.empty()) return;
      if (seconds_since(start) > 2) break;
      for (const pid_t pid : left) kill(pid, signal_number);
      pause_ms(20);
    }
  }
}

// The caller's environment with additions, as execvpe takes it.
class Environment {
 public:
  explicit Environment(const std::vector<std::pair<std::string, std::string>>& additions) {
    std::map<std::string, std::string> all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string text = *entry;
      const std::size_t equals = text.find('=');
      if (equals != std::string::npos) all[text.substr(0, equals)] = text.substr(equals + 1);
    }
    for (const auto& [name, value] : additions) all[name] = value;
    for (const auto& [name, value] : all) texts_.push_back(name + "=" + value);
    for (std::string& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
  }
  char** data() { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

int exit_status(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

}  // namespace

ChildResult run_child(const ChildCommand& command, const std::atomic<bool>& stop) {
  const File out(command.out_file, O_WRONLY | O_CREAT | O_TRUNC);
  const File log(command.log_file, O_WRONLY | O_CREAT | O_TRUNC);
  const File nothing("/dev/null", O_RDONLY);
  std::vector<std::string> texts = command.arguments;
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  Environment environment(command.environment);
  prctl(PR_SET_CHILD_SUBREAPER, 1);

  const Clock::time_point start = Clock::now();
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) fail("no process can be made");
  if (pid == 0) {  // nothing but async-signal-safe calls from here
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);  // should we be killed without a chance to clean up
    if (getppid() != parent) _exit(127);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    if (dup2(nothing.fd(), 0) < 0 || dup2(out.fd(), 1) < 0 || dup2(log.fd(), 2) < 0) _exit(127);
    if (!command.folder.empty() && chdir(command.folder.c_str()) != 0) _exit(127);
    execvpe(arguments[0], arguments.data(), environment.data());
    const char* why = std::strerror(errno);
    const char between[] = ": cannot be started: ";
    static_cast<void>(!write(2, arguments[0], std::strlen(arguments[0])));
    static_cast<void>(!write(2, between, sizeof between - 1));
    static_cast<void>(!write(2, why, std::strlen(why)));
    static_cast<void>(!write(2, "\n", 1));
    _exit(127);
  }
  setpgid(pid, pid);  // whoever of the two is first

  ChildResult result;
  int wait_status = 0;
  Clock::time_point asked_to_end;
  bool ending = false;
  bool killed = false;
  long nap_ms = 2;
  while (true) {
    siginfo_t ended{};
    const int looked = waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOHANG | WNOWAIT);
    if (looked < 0 && errno != EINTR) fail("a process was lost");
    if (looked == 0 && ended.si_pid == pid) break;
    if (!ending && (stop.load() || seconds_since(start) > command.time_limit_s)) {
      result.interrupted = stop.load();
      result.timed_out = !result.interrupted;
      ending = true;
      asked_to_end = Clock::now();
      kill(-pid, SIGTERM);
    } else if (ending && !killed && seconds_since(asked_to_end) > kGraceS) {
      killed = true;
      kill(-pid, SIGKILL);
    }
    pause_ms(nap_ms);
    nap_ms = std::min(2 * nap_ms, 50L);
  }
  result.elapsed_s = seconds_since(start);
  kill(-pid, SIGKILL);  // what is left of its group; not yet reaped, so the number is still its own
  waitpid(pid, &wait_status, 0);
  result.status = exit_status(wait_status);
  sweep_leftovers();
  return result;
}

}  // namespace headroom::validate
