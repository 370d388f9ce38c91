// A folder for the files of one test, removed with it; and the real logs, where there are any.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace headroom {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "headroom-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data()) != nullptr ? pattern : ".";
  }
  ~TempFolder() {
    std::error_code ignored;
    if (path_ != ".") {
      std::filesystem::remove_all(path_, ignored);
    }
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(file(name), std::ios::binary) << content;
    return file(name);
  }

 private:
  std::string path_;
};

// The path of a real log in one of the folders of HEADROOM_TRACES; empty if it is not there.
inline std::string real_trace(const std::string& name) {
  const char* folders = std::getenv("HEADROOM_TRACES");
  std::istringstream list(folders == nullptr ? "" : folders);
  for (std::string folder; std::getline(list, folder, ':');) {
    if (const std::string path = folder + "/" + name; !folder.empty() && std::filesystem::exists(path)) {
      return path;
    }
  }
  return {};
}

}  // namespace headroom
