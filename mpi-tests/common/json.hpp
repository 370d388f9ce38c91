// Writes JSON. Hides commas and escapes. What it promises: the text is valid JSON in UTF-8 whatever bytes a host name
// or an environment variable holds (bytes that are no UTF-8 become U+FFFD), and a number that JSON lacks (NaN,
// infinity) is null.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

namespace headroom::mpi {

class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(bool flag);
  JsonWriter& value(double number);  // nine significant digits
  template <std::integral Integer>
  JsonWriter& value(Integer number) {
    return raw(std::to_string(number));
  }
  // A value that is JSON already.
  JsonWriter& raw(std::string_view json);

  template <class Value>
  JsonWriter& member(std::string_view name, const Value& content) {
    key(name);
    return value(content);
  }
  JsonWriter& raw_member(std::string_view name, std::string_view json) {
    key(name);
    return raw(json);
  }

  const std::string& text() const { return text_; }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();
  void quote(std::string_view text);
  std::string text_;
};

}  // namespace headroom::mpi
