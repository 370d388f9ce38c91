// Lines of a text file, compressed or not. Hides where the bytes come from (file, pipe, standard input), the
// decompressors (gzip and zstd, told by their magic numbers and not by the name; members and frames may
// follow one another) and the buffering. Memory stays below 4 MiB however large the input is.
//
// Every failure is an InputError that starts with the shown name: no such file, a directory, not readable,
// corrupt or truncated compressed data (with the number of lines read so far), a line longer than
// kLongestLine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace headroom {

class Decoder;

class LineReader {
 public:
  static constexpr std::size_t kLongestLine = std::size_t{1} << 20;  // bytes, without the line's end

  // `path` "-" is standard input. `shown_name` stands for the path in messages; empty: the path itself.
  explicit LineReader(const std::string& path, std::string shown_name = {});
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // The next line without its end ("\n" or "\r\n"; a last line needs none); false at the end of the input.
  // The view lasts until the next call, and the byte behind it is readable and '\n', so that a parser needs
  // no other bound.
  bool next(std::string_view& line) {
    auto* newline = static_cast<char*>(std::memchr(begin_, '\n', static_cast<std::size_t>(end_ - begin_)));
    if (newline == nullptr) [[unlikely]] {
      newline = refill();
      if (newline == nullptr) {
        return false;
      }
    }
    const char* const start = begin_;
    begin_ = newline + 1;
    if (newline != start && newline[-1] == '\r') {
      *--newline = '\n';
    }
    const auto size = static_cast<std::size_t>(newline - start);
    if (size > kLongestLine) [[unlikely]] {
      fail_long_line();
    }
    ++line_number_;
    line = std::string_view(start, size);
    return true;
  }

  std::uint64_t line_number() const { return line_number_; }  // of the line given last, from 1
  const std::string& shown_name() const { return shown_name_; }

 private:
  char* refill();  // reads on until [begin_, end_) holds a newline, which it returns; nullptr at the end
  [[noreturn]] void fail_long_line() const;

  std::string shown_name_;
  std::unique_ptr<Decoder> decoder_;
  std::vector<char> buffer_;
  char* begin_ = nullptr;  // [begin_, end_) is read but not yet given out
  char* end_ = nullptr;
  std::uint64_t line_number_ = 0;
};

}  // namespace headroom
