#include "models/scenario/document.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "models/errors.hpp"

namespace headroom {
namespace {

using Kind = JsonValue::Kind;

// Follows the position of the characters the JSON lexer has taken. The lexer reads one character past a
// number, so the position kept is that of the last character that is not a blank.
struct Cursor {
  int line = 1;
  int column = 0;
  int token_line = 1;
  int token_column = 1;

  void advance_over(char c) {
    ++column;
    if (c == '\n') {
      ++line;
      column = 0;
    } else if (c != ' ' && c != '\t' && c != '\r') {
      token_line = line;
      token_column = column;
    }
  }
};

class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, Cursor* cursor) : at_(at), cursor_(cursor) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    cursor_->advance_over(*at_++);
    return *this;
  }
  CountingIterator operator++(int) {
    const CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  Cursor* cursor_;
};

std::string replace_first(std::string text, std::string_view from, std::string_view to) {
  if (const auto at = text.find(from); at != std::string::npos) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// The library's sentence without its prefix, and with the comma it forgets to expect.
std::string syntax_error_text(const std::string& what) {
  std::string text = what;
  if (const auto bracket = text.find("] "); text.starts_with("[json") && bracket != std::string::npos) {
    text.erase(0, bracket + 2);
  }
  static constexpr std::string_view kMarker = "syntax error while parsing ";
  if (const auto at = text.find(kMarker); at != std::string::npos) {
    text.erase(0, at + kMarker.size());
    text.insert(0, "not JSON: in ");
    text = replace_first(std::move(text), " - ", ": ");
  }
  // "last read" repeats raw input of any length and encoding.
  if (const auto at = text.find("; last read: '"); at != std::string::npos) {
    const auto begin = at + std::string_view("; last read: '").size();
    const auto expected = text.rfind("'; expected ");
    const auto end = expected != std::string::npos && expected >= begin ? expected : text.size() - 1;
    const std::string read = quote(text.substr(begin, end - begin));
    text = fmt::format("{} at {}{}", text.substr(0, at), read,
                       expected != std::string::npos && expected >= begin ? text.substr(end + 1) : "");
  }
  if (text.ends_with("expected '}'")) {
    text = text.substr(0, text.size() - 3) + "',' or '}'";
  } else if (text.ends_with("expected ']'")) {
    text = text.substr(0, text.size() - 3) + "',' or ']'";
  }
  return text;
}

// Builds the tree. Only the innermost open container grows, so pointers to the open ones stay valid.
class TreeBuilder : public nlohmann::json_sax<nlohmann::ordered_json> {
 public:
  TreeBuilder(const Cursor& cursor, int source, Problems& problems)
      : cursor_(cursor), source_(source), problems_(problems) {}

  bool null() override { return add(Kind::null) != nullptr; }
  bool boolean(bool value) override {
    JsonValue* made = add(Kind::boolean);
    if (made != nullptr) made->truth = value;
    return made != nullptr;
  }
  bool number_integer(number_integer_t value) override { return add_integer(value); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return add_number(static_cast<double>(value));
    }
    return add_integer(static_cast<std::int64_t>(value));
  }
  bool number_float(number_float_t value, const string_t&) override { return add_number(value); }
  bool string(string_t& value) override {
    JsonValue* made = add(Kind::string);
    if (made != nullptr) made->text = std::move(value);
    return made != nullptr;
  }
  bool binary(binary_t&) override { return false; }  // not in JSON text

  bool start_object(std::size_t) override { return open(Kind::object); }
  bool start_array(std::size_t) override { return open(Kind::array); }
  bool key(string_t& value) override {
    key_ = std::move(value);
    key_line_ = cursor_.token_line;
    return true;
  }
  bool end_object() override {
    report_duplicates(*open_.back());
    open_.pop_back();
    return true;
  }
  bool end_array() override {
    open_.pop_back();
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) override {
    fail(syntax_error_text(error.what()));
    return false;
  }

  JsonValue take() { return std::move(root_); }

 private:
  void fail(std::string_view text) { problems_.add({source_, cursor_.token_line}, "", text, cursor_.token_column); }

  JsonValue* add(Kind kind) {
    if (++values_ > kMostValues) {
      fail(fmt::format("more than {} values", kMostValues));
      return nullptr;
    }
    JsonValue* made = &root_;
    if (!open_.empty()) {
      made = &open_.back()->items.emplace_back();
      if (open_.back()->kind == Kind::object) {
        made->key = std::move(key_);
        made->key_line = key_line_;
      }
    }
    made->kind = kind;
    made->where = {source_, cursor_.token_line};
    return made;
  }
  bool add_integer(std::int64_t value) {
    JsonValue* made = add(Kind::integer);
    if (made == nullptr) return false;
    made->integer = value;
    made->number = static_cast<double>(value);
    return true;
  }
  bool add_number(double value) {
    JsonValue* made = add(Kind::number);
    if (made != nullptr) made->number = value;
    return made != nullptr;
  }
  bool open(Kind kind) {
    if (open_.size() >= kDeepestNesting) {
      fail(fmt::format("nested deeper than {} levels", kDeepestNesting));
      return false;
    }
    JsonValue* made = add(kind);
    if (made != nullptr) open_.push_back(made);
    return made != nullptr;
  }

  std::string path_of_open() const {
    std::string path;
    for (std::size_t i = 1; i < open_.size(); ++i) {
      if (open_[i - 1]->kind == Kind::array) {
        path += fmt::format("[{}]", open_[i - 1]->items.size() - 1);
      } else {
        path += (path.empty() ? "" : ".") + open_[i]->key;
      }
    }
    return path;
  }

  void report_duplicates(const JsonValue& object) {
    std::vector<const JsonValue*> members;
    members.reserve(object.items.size());
    for (const JsonValue& member : object.items) members.push_back(&member);
    std::stable_sort(members.begin(), members.end(),
                     [](const JsonValue* a, const JsonValue* b) { return a->key < b->key; });
    for (std::size_t i = 1; i < members.size() && !problems_.full(); ++i) {
      if (members[i]->key != members[i - 1]->key) continue;
      const std::string path = path_of_open();
      problems_.add({source_, members[i]->key_line}, path.empty() ? members[i]->key : path + "." + members[i]->key,
                    fmt::format("given twice, first in line {}", members[i - 1]->key_line));
    }
  }

  const Cursor& cursor_;
  int source_;
  Problems& problems_;
  JsonValue root_;
  std::vector<JsonValue*> open_;
  std::string key_;
  int key_line_ = 0;
  std::size_t values_ = 0;
};

nlohmann::ordered_json library_value(const JsonValue& value) {
  using Json = nlohmann::ordered_json;
  switch (value.kind) {
    case Kind::null:
      return nullptr;
    case Kind::boolean:
      return value.truth;
    case Kind::integer:
      return value.integer;
    case Kind::number:
      return value.number;
    case Kind::string:
      return value.text;
    case Kind::array: {
      Json array = Json::array();
      for (const JsonValue& element : value.items) array.push_back(library_value(element));
      return array;
    }
    case Kind::object:
      break;
  }
  Json object = Json::object();
  // Keys are unique, so they need not be looked up (ordered_json's own insertion is linear in the members).
  auto& members = object.get_ref<Json::object_t&>();
  members.reserve(value.items.size());
  for (const JsonValue& member : value.items) {
    static_cast<std::vector<Json::object_t::value_type>&>(members).emplace_back(member.key, library_value(member));
  }
  return object;
}

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  const auto found = std::find_if(items.begin(), items.end(), [&](const JsonValue& m) { return m.key == name; });
  return kind == Kind::object && found != items.end() ? &*found : nullptr;
}

JsonValue* JsonValue::find(std::string_view name) { return const_cast<JsonValue*>(std::as_const(*this).find(name)); }

std::string Problems::place(Where where, std::string_view path, int column) const {
  const std::string& source = sources_[static_cast<std::size_t>(where.source)];
  std::string line = source;
  if (where.line > 0) line += fmt::format(":{}", where.line);  // of the file, or of a job script
  if (where.line > 0 && column > 0) line += fmt::format(":{}", column);
  if (where.source == 0) {
    // the file's name is no key
  } else if (source.ends_with(" " + std::string(path)) || source == "--" + std::string(path)) {
    path = {};  // "--set seed" has named it already
  }
  if (!path.empty()) {
    line += ": ";
    line += path;
  }
  return line;
}

void Problems::add(Where where, std::string_view path, std::string_view text, int column) {
  if (full()) return;
  all_.push_back({where, std::string(path), std::string(text), column});
}

void Problems::raise() const {
  std::vector<const Problem*> order;
  for (const Problem& problem : all_) order.push_back(&problem);
  std::stable_sort(order.begin(), order.end(), [](const Problem* a, const Problem* b) {
    return std::pair(a->where.source, a->where.line) < std::pair(b->where.source, b->where.line);
  });
  std::string text;
  for (std::size_t i = 0; i < order.size() && i < kShown; ++i) {
    if (i > 0) text += '\n';
    text += place(order[i]->where, order[i]->path, order[i]->column) + ": " + order[i]->text;
  }
  if (order.size() > kShown) {
    text += fmt::format("\n{}: {}{} more problems", sources_[0], full() ? "at least " : "", order.size() - kShown);
  }
  throw InputError(text);
}

std::optional<JsonValue> read_json(std::string_view text, int source, Problems& problems) {
  if (text.size() > kLargestDocument) {
    problems.add({source, 0}, "", fmt::format("larger than {} MiB", kLargestDocument >> 20));
    return std::nullopt;
  }
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    problems.add({source, 0}, "", "empty; expected JSON");
    return std::nullopt;
  }
  Cursor cursor;
  TreeBuilder builder(cursor, source, problems);
  const CountingIterator begin(text.data(), &cursor);
  const CountingIterator end(text.data() + text.size(), &cursor);
  // A duplicate key is reported, but the rest can still be checked.
  if (!nlohmann::ordered_json::sax_parse(begin, end, &builder)) return std::nullopt;
  return builder.take();
}

std::string dump_json(const JsonValue& value) {
  return library_value(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string quote(std::string_view text, std::size_t longest) {
  const bool cut = text.size() > longest;
  if (cut) {
    std::size_t length = longest;
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0u) == 0x80u) --length;
    text = text.substr(0, length);
  }
  const nlohmann::json string = std::string(text);
  return string.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + (cut ? "..." : "");
}

std::string describe_found(const JsonValue& value) {
  switch (value.kind) {
    case Kind::array:
      return "an array";
    case Kind::object:
      return "an object";
    case Kind::string:
      return quote(value.text);
    default:
      return dump_json(value);
  }
}

bool is_utf8(std::string_view text) {
  try {
    static_cast<void>(nlohmann::json(std::string(text)).dump());
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

}  // namespace headroom
