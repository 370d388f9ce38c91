// JSON text as a tree that remembers where every value was written. Hides the JSON library: its parser, its
// wording of syntax errors, and how positions are followed through it. Promises that any bytes give either a
// tree or problems that name file, line and column; never a crash, never a stack that grows with the text's
// nesting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace headroom {

// A place in the input: a line of the file, or one of the changes that the command line makes to it.
struct Where {
  std::int32_t source = 0;  // index into the sources of Problems; 0 is the file
  std::int32_t line = 0;    // from 1; 0 where lines mean nothing
};

struct JsonValue {
  enum class Kind : std::uint8_t { null, boolean, integer, number, string, array, object };
  Kind kind = Kind::null;
  bool truth = false;
  std::int32_t key_line = 0;  // the line of `key`; where.line is the line the value begins on
  Where where;
  std::int64_t integer = 0;
  double number = 0;             // of integers too
  std::string key;               // in an object
  std::string text;              // of strings
  std::vector<JsonValue> items;  // elements, or members in the order written

  const JsonValue* find(std::string_view name) const;  // the member; nullptr when there is none
  JsonValue* find(std::string_view name);
};

// Everything found wrong with one input, so that a user can mend it in one go.
class Problems {
 public:
  // How messages name the places: the file, then one entry for each change ("--set seed").
  explicit Problems(std::vector<std::string> sources) : sources_(std::move(sources)) {}

  // `path` is the key's place in the document, empty for the document itself.
  void add(Where where, std::string_view path, std::string_view text, int column = 0);
  // How messages name a place: "s.json:12: a.b".
  std::string place(Where where, std::string_view path, int column = 0) const;
  const std::string& source(Where where) const { return sources_[static_cast<std::size_t>(where.source)]; }
  bool empty() const { return all_.empty(); }
  bool full() const { return all_.size() >= kKept; }  // further ones are not kept: stop looking
  // Throws InputError: one problem a line in the order of the file's lines, the first kShown of them.
  [[noreturn]] void raise() const;

  static constexpr std::size_t kShown = 20;
  static constexpr std::size_t kKept = 200;

  struct Problem {
    Where where;
    std::string path;
    std::string text;
    int column = 0;
  };
  const std::vector<Problem>& all() const { return all_; }

 private:
  std::vector<std::string> sources_;
  std::vector<Problem> all_;
};

inline constexpr std::size_t kLargestDocument = 16u << 20;  // bytes
inline constexpr std::size_t kMostValues = 2'000'000;
inline constexpr std::size_t kDeepestNesting = 64;

// One JSON value (RFC 8259), all of `text`. Nothing when there was a problem. A key given twice is a problem.
std::optional<JsonValue> read_json(std::string_view text, int source, Problems& problems);

// Compact JSON, members in their order; the same bytes on every platform.
std::string dump_json(const JsonValue& value);

// What was found, for messages: `-1`, `"abc"`, `an object`. Long values are cut.
std::string describe_found(const JsonValue& value);

// `text` as a JSON string, cut after `longest` bytes: safe to print whatever it holds.
std::string quote(std::string_view text, std::size_t longest = 60);

bool is_utf8(std::string_view text);

}  // namespace headroom
