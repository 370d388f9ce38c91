#include "models/check/rules/part.hpp"

#include <cmath>

#include <fmt/format.h>

namespace headroom::rules {

using Kind = JsonValue::Kind;

Part Part::child(std::string_view key) const {
  Part part{value == nullptr ? nullptr : value->find(key), file, line,
            path.empty() ? std::string(key) : fmt::format("{}.{}", path, key)};
  if (part.is(Kind::null)) part.value = nullptr;  // as good as not given
  if (part.value != nullptr) part.line = part.value->where.line;
  return part;
}

std::vector<Part> Part::elements() const {
  std::vector<Part> parts;
  if (!is(Kind::array)) return parts;
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    const JsonValue& item = value->items[i];
    parts.push_back({&item, file, item.where.line, fmt::format("{}[{}]", path, i)});
  }
  return parts;
}

std::vector<Part> Part::members() const {
  std::vector<Part> parts;
  if (!is_object()) return parts;
  for (const JsonValue& item : value->items) {
    parts.push_back({&item, file, item.where.line, path.empty() ? item.key : path + "." + item.key});
  }
  return parts;
}

std::optional<std::string> Part::text() const { return is(Kind::string) ? std::optional(value->text) : std::nullopt; }

std::optional<std::int64_t> Part::integer() const {
  if (is(Kind::integer)) return value->integer;
  // 4.0 is an integer; beyond 2^53 a double no longer says which one.
  if (!is(Kind::number) || value->number != std::floor(value->number) || std::abs(value->number) > 0x1.0p53) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(value->number);
}

std::string Part::text_or(std::string_view otherwise) const { return text().value_or(std::string(otherwise)); }

std::vector<std::string> Part::texts() const {
  std::vector<std::string> all;
  for (const Part& element : elements()) {
    if (auto text = element.text()) all.push_back(*std::move(text));
  }
  return all;
}

}  // namespace headroom::rules
