// `headroom check FILE...`: holds a cluster's design to the rules of AWS PCS. Hides how files are read and recognised,
// and that a scenario's own parser speaks first and is not repeated. Promises one report of everything that is wrong,
// whatever the files hold.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/check/rules/violation.hpp"

namespace headroom::rules {

struct DesignReport {
  struct FileError {
    std::string file;
    int line = 0;  // 0: the file as a whole
    std::string text;
  };
  std::vector<std::string> files;      // that were read, as they were named
  std::vector<Violation> violations;   // in the order of files and lines
  std::vector<FileError> file_errors;  // files that are none: not readable, no JSON, of no known kind
  bool cut = false;                    // there are more violations than anybody reads

  std::size_t count(Severity severity) const;
  // 3 with a file error; 1 with an error, or a warning where these count (`strict`); 0 otherwise.
  int exit_status(bool strict) const;
};

// Scenarios, files of the PCS API and of EC2, and folders, of which the *.json files count. A scenario is a design by
// itself; all other files together are one. `edition` is of the rules for what is not a scenario: "2024-12" or
// "2026-08"; none: what the cluster's version of Slurm says.
DesignReport check_design(const std::vector<std::string>& paths, const std::optional<std::string>& edition);

std::string design_text(const DesignReport& report);
std::string design_json(const DesignReport& report);
// SARIF 2.1.0; `strict` as in exit_status.
std::string design_sarif(const DesignReport& report, bool strict);

}  // namespace headroom::rules
