#include "models/report/run_directory.hpp"

#include <cerrno>
#include <filesystem>

#include <unistd.h>

#include "models/errors.hpp"
#include "models/files.hpp"
#include "models/report/scaling_event.hpp"
#include "models/report/scheduler_log.hpp"
#include "models/report/tables.hpp"

namespace headroom {

namespace fs = std::filesystem;

void make_run_directory(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && ::access(folder.c_str(), W_OK | X_OK) != 0) error.assign(errno, std::generic_category());
  if (error) throw EnvironmentError(folder + ": cannot be used as a folder for results: " + error.message());
}

void write_run_directory(const std::string& folder, const Summary& summary, const RunRecord& record,
                         const RunContext& context, Time timeline_step, bool events) {
  const auto write = [&folder](const char* name, const std::string& text) {
    WholeFile file((fs::path(folder) / name).string());
    file.write(text);
    file.commit();
  };
  write("jobs.csv", jobs_csv(record, context));
  write("nodes.csv", nodes_csv(record, context));
  const auto stream = [&folder](const char* name, const auto& write_rows) {
    WholeFile file((fs::path(folder) / name).string());
    write_rows([&file](std::string_view rows) { file.write(rows); });
    file.commit();
  };
  stream("timeline.csv", [&](const auto& rows) { write_timeline_csv(record, context, timeline_step, rows); });
  if (events) {
    stream("events.jsonl", [&](const auto& rows) { write_events_jsonl(record, context, rows); });
    stream("scheduler.jsonl", [&](const auto& rows) { write_scheduler_jsonl(record, context, rows); });
  }
  write("summary.json", summary_json(summary, record, context));  // last: where it is, the rest is too
}

}  // namespace headroom
