#include "models/workload/byte_source.hpp"

#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <gtest/gtest.h>

#include "models/errors.hpp"
#include "tests/unit/temp_folder.hpp"

namespace headroom {
namespace {

std::string gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  std::string in = text;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3);
  EXPECT_FALSE(ZSTD_isError(size));
  out.resize(size);
  return out;
}

std::vector<std::string> lines_of(const std::string& path, const std::string& shown_name = {}) {
  LineReader reader(path, shown_name);
  std::vector<std::string> lines;
  std::string_view line;
  while (reader.next(line)) {
    EXPECT_EQ(line.data()[line.size()], '\n');
    lines.emplace_back(line);
    EXPECT_EQ(reader.line_number(), lines.size());
  }
  EXPECT_FALSE(reader.next(line)) << "the end stays the end";
  return lines;
}

std::string failure_of(const std::string& path, const std::string& shown_name = "log") {
  try {
    lines_of(path, shown_name);
  } catch (const InputError& error) {
    return error.what();
  }
  return "no failure";
}

using Lines = std::vector<std::string>;

std::string numbered_lines(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    text += "line " + std::to_string(i) + " " + std::string(static_cast<std::size_t>(i % 97), 'x') + "\n";
  }
  return text;
}

TEST(LineReader, SplitsLines) {
  const TempFolder folder;
  EXPECT_EQ(lines_of(folder.write("a", "")), Lines{});
  EXPECT_EQ(lines_of(folder.write("b", "\n")), Lines{""});
  EXPECT_EQ(lines_of(folder.write("c", "one\n\ntwo\n")), (Lines{"one", "", "two"}));
  EXPECT_EQ(lines_of(folder.write("d", "one\nno end")), (Lines{"one", "no end"}));
  EXPECT_EQ(lines_of(folder.write("e", "one\r\n\r\ntwo\r\nend\r")), (Lines{"one", "", "two", "end"}));
  EXPECT_EQ(lines_of(folder.write("f", "a\rb\n")), (Lines{"a\rb"}));
  EXPECT_EQ(lines_of(folder.write("g", "\xef\xbb\xbfmarked\n")), Lines{"marked"});
  EXPECT_EQ(lines_of(folder.write("h", std::string("nul\0byte\n", 9))), (Lines{std::string("nul\0byte", 8)}));
}

TEST(LineReader, ReadsCompressedFilesWhateverTheirName) {
  const TempFolder folder;
  const std::string text = numbered_lines(30'000);  // some refills of every buffer
  const Lines expected = lines_of(folder.write("plain.gz", text));
  ASSERT_EQ(expected.size(), 30'000u);
  EXPECT_EQ(expected[12'345].substr(0, 11), "line 12345 ");
  EXPECT_EQ(lines_of(folder.write("a.txt", gzip(text))), expected);
  EXPECT_EQ(lines_of(folder.write("b.txt", zstd(text))), expected);
}

TEST(LineReader, ReadsConcatenatedMembersAndFrames) {
  const TempFolder folder;
  const Lines expected{"one", "two", "three"};
  EXPECT_EQ(lines_of(folder.write("a", gzip("one\ntw") + gzip("") + gzip("o\nthree\n"))), expected);
  EXPECT_EQ(lines_of(folder.write("b", zstd("one\ntw") + zstd("") + zstd("o\nthree"))), expected);
  // A skippable frame (as pzstd writes) may stand first.
  const std::string skippable("\x50\x2a\x4d\x18\x04\x00\x00\x00kept", 12);
  EXPECT_EQ(lines_of(folder.write("c", skippable + zstd("one\ntwo\n") + skippable + zstd("three\n"))), expected);
  // Block devices pad with zeros.
  EXPECT_EQ(lines_of(folder.write("d", gzip("one\ntwo\nthree\n") + std::string(4096, '\0'))), expected);
  EXPECT_EQ(lines_of(folder.write("e", gzip(""))), Lines{});
  EXPECT_EQ(lines_of(folder.write("f", zstd(""))), Lines{});
}

TEST(LineReader, ReadsPipes) {
  const TempFolder folder;
  const std::string pipe = folder.file("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  // In pieces of one byte: a magic number may arrive byte by byte.
  const std::string data = zstd("one\ntwo\n");
  std::thread writer([&] {
    std::ofstream out(pipe, std::ios::binary);
    for (const char c : data) {
      out << c << std::flush;
    }
  });
  const Lines lines = lines_of(pipe);
  writer.join();
  EXPECT_EQ(lines, (Lines{"one", "two"}));
}

TEST(LineReader, NamesFilesThatCannotBeRead) {
  const TempFolder folder;
  EXPECT_EQ(failure_of(folder.file("absent"), "kth.swf"), "kth.swf: no such file");
  EXPECT_EQ(failure_of(folder.path(), "kth.swf"), "kth.swf: is a directory, expected a file");
  EXPECT_EQ(failure_of(folder.file("absent"), ""), folder.file("absent") + ": no such file");
  EXPECT_EQ(failure_of(folder.write("f", "x") + "/below"), "log: cannot be read: Not a directory");
  if (::geteuid() != 0) {
    ::chmod(folder.write("secret", "x").c_str(), 0);
    EXPECT_EQ(failure_of(folder.file("secret")), "log: cannot be read: Permission denied");
  }
  EXPECT_EQ(failure_of(folder.write("b", "BZh91AY")),
            "log: is compressed with bzip2, expected plain text, gzip or zstd");
  EXPECT_EQ(failure_of(folder.write("x", std::string("\xfd"
                                                     "7zXZ\0\0",
                                                     7))),
            "log: is compressed with xz, expected plain text, gzip or zstd");
}

TEST(LineReader, TellsTruncatedAndCorruptData) {
  const TempFolder folder;
  const std::string text = numbered_lines(30'000);
  for (const bool with_zstd : {false, true}) {
    const std::string data = with_zstd ? zstd(text) : gzip(text);
    const std::string name = with_zstd ? "zstd" : "gzip";
    // Wherever it is cut: before the header is complete, in the middle, before the last byte.
    for (const std::size_t size : {std::size_t{4}, std::size_t{7}, data.size() / 2, data.size() - 1}) {
      const std::string failure = failure_of(folder.write("cut", data.substr(0, size)));
      EXPECT_EQ(failure.rfind("log: " + name + " data ends early after ", 0), 0u) << size << ": " << failure;
    }
    EXPECT_EQ(failure_of(folder.write("short", data.substr(0, 4))), "log: " + name + " data ends early after 0 lines");
    const std::string half = failure_of(folder.write("half", data.substr(0, data.size() / 2)));
    const int lines = std::stoi(half.substr(half.find("after ") + 6));
    EXPECT_GT(lines, 5'000) << half;
    EXPECT_LT(lines, 25'000) << half;

    std::string bad = data;
    for (std::size_t i = bad.size() / 2; i < bad.size() / 2 + 64; ++i) {
      bad[i] = static_cast<char>(~bad[i]);
    }
    const std::string failure = failure_of(folder.write("bad", bad));
    EXPECT_EQ(failure.rfind("log: corrupt " + name + " data (", 0), 0u) << failure;
    const std::string trailing = failure_of(folder.write("trailing", data + "something else"));
    EXPECT_EQ(trailing.rfind("log: corrupt " + name + " data (", 0), 0u) << trailing;
    EXPECT_NE(trailing.find(" after 30000 lines"), std::string::npos) << trailing;
  }
}

TEST(LineReader, LimitsTheLengthOfALine) {
  const TempFolder folder;
  const std::string longest(LineReader::kLongestLine, 'x');
  EXPECT_EQ(lines_of(folder.write("a", "a\n" + longest + "\nb\n")), (Lines{"a", longest, "b"}));
  EXPECT_EQ(lines_of(folder.write("b", longest + "\r\n" + longest)), (Lines{longest, longest}));
  EXPECT_EQ(failure_of(folder.write("c", "a\nb\n" + longest + "x\nc\n")), "log:3: line longer than 1 MiB");
  EXPECT_EQ(failure_of(folder.write("d", longest + "x")), "log:1: line longer than 1 MiB");
}

// 200 MB in one line are a few kB of zstd: refused after the first MiB, not unpacked into memory.
TEST(LineReader, RefusesACompressedBomb) {
  const TempFolder folder;
  std::string data;
  for (int i = 0; i < 50; ++i) {
    static const std::string frame = zstd(std::string(4'000'000, '\0'));
    data += frame;
  }
  EXPECT_LT(data.size(), 100'000u);
  EXPECT_EQ(failure_of(folder.write("bomb", "")), "no failure");
  EXPECT_EQ(failure_of(folder.write("bomb", data)), "log:1: line longer than 1 MiB");
}

}  // namespace
}  // namespace headroom
