#include "models/files.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <unistd.h>

#include "models/errors.hpp"

namespace headroom {

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

std::string read_file(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw InputError(path + ": is a directory, expected a file");
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
