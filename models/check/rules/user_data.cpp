#include "models/check/rules/user_data.hpp"

#include <algorithm>
#include <cstdint>
#include <map>

#include <fmt/format.h>

#include "models/scenario/document.hpp"

namespace headroom::rules {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Takes the next line off `rest`, without its end.
std::string_view take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Header fields up to the blank line, which is taken, too; names in lower case. A line that is no field ends them.
std::map<std::string, std::string> take_headers(std::string_view& rest) {
  std::map<std::string, std::string> headers;
  std::string last;
  while (!rest.empty()) {
    std::string_view after = rest;
    const std::string_view line = take_line(after);
    const bool folded = line.starts_with(' ') || line.starts_with('\t');
    const auto colon = line.find(':');
    if (!line.empty() && !folded && colon == std::string_view::npos) break;
    rest = after;
    if (line.empty()) break;
    if (folded) {
      if (!last.empty()) headers[last] += " " + std::string(trim(line));
      continue;
    }
    last = lower(trim(line.substr(0, colon)));
    headers[last] = trim(line.substr(colon + 1));
  }
  return headers;
}

// boundary="..." of a Content-Type.
std::string boundary_of(const std::string& content_type) {
  const auto at = lower(content_type).find("boundary=");
  if (at == std::string::npos) return {};
  std::string_view value = std::string_view(content_type).substr(at + std::string_view("boundary=").size());
  if (value.starts_with('"')) {
    value.remove_prefix(1);
    return std::string(value.substr(0, value.find('"')));
  }
  return std::string(trim(value.substr(0, value.find(';'))));
}

}  // namespace

std::optional<std::string> decode_base64(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  std::size_t letters = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (value < 0 || padding > 0) return std::nullopt;
    bits = ((bits << 6) | static_cast<std::uint32_t>(value)) & 0xffffffu;
    if (++letters % 4 != 1) bytes += static_cast<char>((bits >> (6 - 2 * ((letters + 3) % 4))) & 0xffu);
  }
  if (padding > 2 || (letters + padding) % 4 != 0) return std::nullopt;
  return bytes;
}

std::string mime_problem(std::string_view archive) {
  if (archive.starts_with("\x1f\x8b")) return "is compressed (gzip); expected a MIME multi-part archive as text";
  std::string_view rest = archive;
  const auto headers = take_headers(rest);
  const auto type = headers.find("content-type");
  if (type == headers.end() || !lower(type->second).starts_with("multipart/")) {
    const std::string_view first = archive.substr(0, archive.find('\n'));
    return fmt::format(
        "begins with {}; expected the headers of a MIME multi-part archive (Content-Type: "
        "multipart/mixed; boundary=\"...\")",
        quote(first));
  }
  if (headers.count("mime-version") == 0) return "has no MIME-Version header; expected MIME-Version: 1.0";
  const std::string boundary = boundary_of(type->second);
  if (boundary.empty()) return "names no boundary in its Content-Type; expected boundary=\"...\"";
  std::size_t parts = 0;
  while (!rest.empty()) {
    const std::string_view line = trim(take_line(rest));
    if (line == "--" + boundary + "--") {
      return parts > 0 ? std::string() : fmt::format("has no part between the boundaries --{}", boundary);
    }
    if (line != "--" + boundary) continue;
    ++parts;
    const auto of_part = take_headers(rest);
    const auto kind = of_part.find("content-type");
    if (kind == of_part.end()) {
      return fmt::format(
          "says nothing of the type of part {}; expected Content-Type: text/cloud-config or "
          "text/x-shellscript, and a blank line after it",
          parts);
    }
    const std::string name = lower(trim(kind->second.substr(0, kind->second.find(';'))));
    // What cloud-init takes.
    static constexpr std::string_view kKnown[] = {"text/cloud-config",
                                                  "text/x-shellscript",
                                                  "text/cloud-boothook",
                                                  "text/part-handler",
                                                  "text/x-include-url",
                                                  "text/x-include-once-url",
                                                  "text/jinja2",
                                                  "text/cloud-config-archive",
                                                  "text/cloud-config-jsonp",
                                                  "text/upstart-job",
                                                  "text/plain",
                                                  "text/x-shellscript-per-boot",
                                                  "text/x-shellscript-per-instance",
                                                  "text/x-shellscript-per-once",
                                                  "multipart/mixed"};
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown)) {
      return fmt::format("has a part {} of type {}; expected text/cloud-config or text/x-shellscript", parts,
                         quote(name));
    }
  }
  return parts == 0 ? fmt::format("never has the boundary --{} that its header names", boundary)
                    : fmt::format("does not end with the closing boundary --{}--", boundary);
}

}  // namespace headroom::rules
