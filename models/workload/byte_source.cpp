#include "models/workload/byte_source.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "models/errors.hpp"

namespace headroom {

namespace {

// Both fit in a second-level cache together with what the parser touches.
constexpr std::size_t kInputBytes = 128 * 1024;
constexpr std::size_t kFirstBufferBytes = 256 * 1024;

std::string system_message(int error) { return std::system_category().message(error); }

bool starts_with(std::string_view bytes, std::string_view magic) { return bytes.substr(0, magic.size()) == magic; }

}  // namespace

// The decompressed bytes of a file. A failure met after some bytes were produced is kept for the next call,
// so that every line before it is still given out.
class Decoder {
 public:
  Decoder(const std::string& path, const std::string& shown_name) : input_(kInputBytes) {
    open_input(path, shown_name);
    choose_format(shown_name);
  }
  ~Decoder() {
    if (format_ == Format::gzip) {
      inflateEnd(&gzip_);
    }
    ZSTD_freeDStream(zstd_);
    close_input();
  }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // At most `size` bytes (> 0) to `to`; 0 at the end or on a failure, which error() then tells.
  std::size_t read(char* to, std::size_t size) {
    if (!error_.empty()) {
      return 0;
    }
    switch (format_) {
      case Format::plain:
        return read_plain(to, size);
      case Format::gzip:
        return read_gzip(to, size);
      case Format::zstd:
        return read_zstd(to, size);
    }
    return 0;
  }
  const std::string& error() const { return error_; }

 private:
  enum class Format : std::uint8_t { plain, gzip, zstd };

  void close_input() const {
    if (fd_ > STDIN_FILENO) {
      ::close(fd_);
    }
  }

  void open_input(const std::string& path, const std::string& shown_name) {
    if (path == "-") {
      fd_ = STDIN_FILENO;
      return;
    }
    fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd_ < 0) {
      const int error = errno;
      throw InputError(shown_name + ": " +
                       (error == ENOENT ? "no such file" : "cannot be read: " + system_message(error)));
    }
    struct stat status {};
    if (::fstat(fd_, &status) == 0 && S_ISDIR(status.st_mode)) {
      close_input();
      throw InputError(shown_name + ": is a directory, expected a file");
    }
  }

  // Looks at the first bytes. A destructor does not run for a constructor that throws: free by hand.
  void choose_format(const std::string& shown_name) {
    while (input_end_ < 6 && !at_end_) {
      fill();
    }
    if (!error_.empty()) {
      close_input();
      throw InputError(shown_name + ": " + error_);
    }
    const std::string_view head(input_.data(), input_end_);
    const bool skippable_zstd_frame = head.size() >= 4 && (static_cast<unsigned char>(head[0]) & 0xf0u) == 0x50u &&
                                      head.substr(1, 3) == "\x2a\x4d\x18";
    if (starts_with(head, "BZh") || starts_with(head, std::string_view("\xfd"
                                                                       "7zXZ",
                                                                       5))) {
      close_input();
      throw InputError(shown_name + ": is compressed with " + (head[0] == 'B' ? "bzip2" : "xz") +
                       ", expected plain text, gzip or zstd");
    }
    if (starts_with(head, "\x1f\x8b")) {
      // 16: a gzip header is expected, not zlib's own.
      if (inflateInit2(&gzip_, MAX_WBITS + 16) != Z_OK) {
        close_input();
        throw EnvironmentError("zlib: out of memory");
      }
      format_ = Format::gzip;
    } else if (skippable_zstd_frame || starts_with(head, "\x28\xb5\x2f\xfd")) {
      zstd_ = ZSTD_createDStream();
      if (zstd_ == nullptr) {
        close_input();
        throw EnvironmentError("libzstd: out of memory");
      }
      format_ = Format::zstd;
    } else if (starts_with(head, "\xef\xbb\xbf")) {
      input_begin_ = 3;  // a byte-order mark is no text
    }
  }

  // One read(2) behind the unread input; sets at_end_ or error_.
  void fill() {
    if (input_begin_ == input_end_) {
      input_begin_ = input_end_ = 0;
    }
    read_file(input_.data() + input_end_, input_.size() - input_end_, input_end_);
  }

  void read_file(char* to, std::size_t size, std::size_t& count) {
    ssize_t n = 0;
    do {
      n = ::read(fd_, to, size);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
      error_ = "cannot be read: " + system_message(errno);
    } else if (n == 0) {
      at_end_ = true;
    } else {
      count += static_cast<std::size_t>(n);
    }
  }

  std::size_t read_plain(char* to, std::size_t size) {
    if (input_begin_ < input_end_) {
      const std::size_t n = std::min(size, input_end_ - input_begin_);
      std::memcpy(to, input_.data() + input_begin_, n);
      input_begin_ += n;
      return n;
    }
    std::size_t n = 0;
    if (!at_end_) {
      read_file(to, size, n);
    }
    return n;
  }

  std::size_t read_gzip(char* to, std::size_t size) {
    for (;;) {
      if (input_begin_ == input_end_ && !at_end_) {
        fill();
        if (!error_.empty()) {
          return 0;
        }
      }
      if (member_ended_) {
        // Another member, or the zeros that tapes and block devices leave behind a file.
        if (input_begin_ == input_end_) {
          return 0;
        }
        if (input_[input_begin_] == '\0') {
          ++input_begin_;
          continue;
        }
        inflateReset(&gzip_);
        member_ended_ = false;
      }
      gzip_.next_in = reinterpret_cast<Bytef*>(input_.data() + input_begin_);
      gzip_.avail_in = static_cast<uInt>(input_end_ - input_begin_);
      gzip_.next_out = reinterpret_cast<Bytef*>(to);
      gzip_.avail_out = static_cast<uInt>(size);
      const int result = inflate(&gzip_, Z_NO_FLUSH);
      input_begin_ = input_end_ - gzip_.avail_in;
      const std::size_t n = size - gzip_.avail_out;
      if (result == Z_STREAM_END) {
        member_ended_ = true;
      } else if (result == Z_BUF_ERROR && n == 0 && at_end_) {
        error_ = "gzip data ends early";
        return 0;
      } else if (result != Z_OK && result != Z_BUF_ERROR) {
        error_ = std::string("corrupt gzip data (") + (gzip_.msg != nullptr ? gzip_.msg : "unknown reason") + ")";
        return n;
      }
      if (n > 0) {
        return n;
      }
    }
  }

  std::size_t read_zstd(char* to, std::size_t size) {
    for (;;) {
      if (input_begin_ == input_end_ && !at_end_) {
        fill();
        if (!error_.empty()) {
          return 0;
        }
      }
      const bool out_of_input = input_begin_ == input_end_;
      if (out_of_input && !frame_open_) {
        return 0;
      }
      ZSTD_inBuffer in{input_.data(), input_end_, input_begin_};
      ZSTD_outBuffer out{to, size, 0};
      const std::size_t result = ZSTD_decompressStream(zstd_, &out, &in);
      input_begin_ = in.pos;
      if (ZSTD_isError(result) != 0) {
        error_ = std::string("corrupt zstd data (") + ZSTD_getErrorName(result) + ")";
        return out.pos;
      }
      frame_open_ = result != 0;
      if (out.pos > 0) {
        return out.pos;
      }
      if (out_of_input && frame_open_) {
        error_ = "zstd data ends early";
        return 0;
      }
    }
  }

  int fd_ = -1;
  Format format_ = Format::plain;
  std::vector<char> input_;  // [input_begin_, input_end_) is read from the file but not yet decoded
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  bool at_end_ = false;
  std::string error_;
  z_stream gzip_{};
  bool member_ended_ = false;
  ZSTD_DStream* zstd_ = nullptr;
  bool frame_open_ = false;
};

LineReader::LineReader(const std::string& path, std::string shown_name)
    : shown_name_(shown_name.empty() ? (path == "-" ? "standard input" : path) : std::move(shown_name)),
      decoder_(std::make_unique<Decoder>(path, shown_name_)),
      buffer_(kFirstBufferBytes),
      begin_(buffer_.data()),
      end_(buffer_.data()) {}

LineReader::~LineReader() = default;

char* LineReader::refill() {
  auto kept = static_cast<std::size_t>(end_ - begin_);
  for (;;) {
    if (kept > kLongestLine + 1) {  // 1: a '\r' does not count
      fail_long_line();
    }
    std::memmove(buffer_.data(), begin_, kept);
    if (kept + 1 >= buffer_.size()) {
      buffer_.resize(2 * buffer_.size());
    }
    begin_ = buffer_.data();
    end_ = begin_ + kept;
    // One byte stays free for the newline that a last line may lack.
    const std::size_t n = decoder_->read(end_, buffer_.size() - 1 - kept);
    if (n == 0) {
      if (!decoder_->error().empty()) {
        throw InputError(shown_name_ + ": " + decoder_->error() + " after " + std::to_string(line_number_) +
                         (line_number_ == 1 ? " line" : " lines"));
      }
      if (kept == 0) {
        return nullptr;
      }
      *end_ = '\n';
      return end_++;
    }
    auto* const newline = static_cast<char*>(std::memchr(end_, '\n', n));
    kept += n;
    end_ += n;
    if (newline != nullptr) {
      return newline;
    }
  }
}

void LineReader::fail_long_line() const {
  throw InputError(shown_name_ + ":" + std::to_string(line_number_ + 1) + ": line longer than 1 MiB");
}

}  // namespace headroom
