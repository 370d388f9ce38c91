// Output files that appear whole or not at all: each is written beside its place and moved there at the end.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "engine/journal.hpp"
#include "models/report/summary.hpp"

namespace headroom {

// One file under way. Without commit() nothing is left of it. Throws EnvironmentError when the disk does not play
// along.
class WholeFile {
 public:
  explicit WholeFile(std::string path);
  WholeFile(const WholeFile&) = delete;
  WholeFile& operator=(const WholeFile&) = delete;
  ~WholeFile();

  void write(std::string_view bytes);
  void commit();

 private:
  [[noreturn]] void fail(const char* what) const;
  std::string path_;
  std::string part_;
  std::FILE* file_ = nullptr;
};

// A journal on its way to a file.
class JournalFile final : public JournalSink {
 public:
  JournalFile(const std::string& path, const Scenario& scenario);
  void write(std::string_view bytes) override { file_.write(bytes); }
  void commit(const std::string& digest, std::uint64_t steps, bool interrupted);

 private:
  const Scenario& scenario_;
  WholeFile file_;
};

// The folder, made if need be. Throws EnvironmentError when that cannot be.
void make_run_directory(const std::string& folder);

// Writes summary.json, jobs.csv, nodes.csv and timeline.csv.
void write_run_directory(const std::string& folder, const Summary& summary, const RunRecord& record,
                         const RunContext& context, Time timeline_step);

// The whole content of a file. Throws InputError when it cannot be read.
std::string read_file(const std::string& path);

}  // namespace headroom
