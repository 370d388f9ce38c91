// A value in one of the files, and where it stands. Hides that it may be absent or of another type: reads give nothing
// then, and what is below it is absent, too, so that rules need not ask. Refers to the file's tree.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/scenario/document.hpp"

namespace headroom::rules {

struct Part {
  const JsonValue* value = nullptr;  // nullptr: absent
  std::size_t file = 0;
  int line = 0;      // of the value; of what would hold it where it is absent
  std::string path;  // "scalingConfiguration.minInstanceCount"; empty: the whole file

  explicit operator bool() const { return value != nullptr; }
  bool is(JsonValue::Kind kind) const { return value != nullptr && value->kind == kind; }
  bool is_object() const { return is(JsonValue::Kind::object); }

  Part child(std::string_view key) const;
  std::vector<Part> elements() const;  // of an array
  std::vector<Part> members() const;   // of an object; value->key is the name

  std::optional<std::string> text() const;
  std::optional<std::int64_t> integer() const;
  std::string text_or(std::string_view otherwise) const;
  std::vector<std::string> texts() const;  // the strings of an array
};

}  // namespace headroom::rules
