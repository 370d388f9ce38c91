// Journals as files (docs/journal.md): the scenario before the steps, an end mark behind them.
#pragma once

#include <string>
#include <string_view>

#include "engine/journal.hpp"
#include "models/files.hpp"

namespace headroom {

// A journal on its way to a file.
class JournalFile final : public JournalSink {
 public:
  // `scenario`: the effective JSON (Scenario::text).
  JournalFile(const std::string& path, const std::string& scenario);
  void write(std::string_view bytes) override { file_.write(bytes); }
  // `interrupted`: the run was ended before its end, so the core had more to do.
  void commit(const std::string& digest, std::uint64_t steps, bool interrupted);

 private:
  std::string scenario_digest_;
  WholeFile file_;
};

// The parts of a journal file, as views of its bytes.
struct JournalParts {
  std::string_view scenario;
  std::string_view steps;
  std::string digest;  // as recorded
  std::uint64_t step_count = 0;
  bool interrupted = false;
};

// `name` is for messages. Throws InputError for bytes that are no whole journal.
JournalParts split_journal(std::string_view bytes, const std::string& name);

}  // namespace headroom
