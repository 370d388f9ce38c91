// Files that appear whole or not at all: written beside their place and moved there at the end.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

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

// The whole content of a file. Throws InputError when it cannot be read.
std::string read_file(const std::string& path);

}  // namespace headroom
