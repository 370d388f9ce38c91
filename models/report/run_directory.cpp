#include "models/report/run_directory.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include "models/errors.hpp"
#include "models/report/tables.hpp"
#include "models/simulation.hpp"

namespace headroom {

namespace fs = std::filesystem;

WholeFile::WholeFile(std::string path)
    : path_(std::move(path)),
      part_(path_ + ".part" + std::to_string(::getpid())),
      file_(std::fopen(part_.c_str(), "wb")) {
  if (file_ == nullptr) fail("cannot be written");
}

WholeFile::~WholeFile() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  std::remove(part_.c_str());
}

void WholeFile::fail(const char* what) const {
  throw EnvironmentError(path_ + ": " + what + ": " + std::strerror(errno));
}

void WholeFile::write(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) fail("writing failed");
}

void WholeFile::commit() {
  const bool flushed = std::fclose(file_) == 0;
  file_ = nullptr;
  if (!flushed || std::rename(part_.c_str(), path_.c_str()) != 0) {
    const int why = errno;
    std::remove(part_.c_str());
    errno = why;
    fail("writing failed");
  }
}

JournalFile::JournalFile(const std::string& path, const Scenario& scenario) : scenario_(scenario), file_(path) {
  file_.write(journal_header(scenario));
}

void JournalFile::commit(const std::string& digest, std::uint64_t steps, bool interrupted) {
  file_.write(journal_trailer(scenario_, digest, steps, interrupted));
  file_.commit();
}

void make_run_directory(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && ::access(folder.c_str(), W_OK | X_OK) != 0) error.assign(errno, std::generic_category());
  if (error) throw EnvironmentError(folder + ": cannot be used as a folder for results: " + error.message());
}

void write_run_directory(const std::string& folder, const Summary& summary, const RunRecord& record,
                         const RunContext& context, Time timeline_step) {
  const auto write = [&folder](const char* name, const std::string& text) {
    WholeFile file((fs::path(folder) / name).string());
    file.write(text);
    file.commit();
  };
  write("jobs.csv", jobs_csv(record, context));
  write("nodes.csv", nodes_csv(record, context));
  WholeFile timeline((fs::path(folder) / "timeline.csv").string());
  write_timeline_csv(record, context, timeline_step, [&timeline](std::string_view rows) { timeline.write(rows); });
  timeline.commit();
  write("summary.json", summary_json(summary, record, context));  // last: where it is, the rest is too
}

std::string read_file(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) throw InputError(path + ": is a directory, expected a file");
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) throw InputError(path + ": cannot be read: " + std::strerror(errno));
  std::string content;
  char block[1 << 16];
  std::size_t n = 0;
  while ((n = std::fread(block, 1, sizeof block, file)) > 0) content.append(block, n);
  const bool failed = std::ferror(file) != 0;
  std::fclose(file);
  if (failed) throw InputError(path + ": cannot be read");
  return content;
}

}  // namespace headroom
