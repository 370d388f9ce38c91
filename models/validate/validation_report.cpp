#include "models/validate/validation_report.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace headroom::validate {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kTableWidth = 118;

std::string headline(const Validation& validation) {
  std::string text = fmt::format("{}: MPI over {}", name_of(validation.verdict), transport_name(validation.transport));
  if (!validation.hosts.empty()) {
    text += fmt::format(", {} host{}", validation.hosts.size(), validation.hosts.size() == 1 ? "" : "s");
  }
  if (!validation.instance_type.empty()) text += ", " + validation.instance_type;
  return text;
}

// Length of the character that begins at `i`; 0 when it is no valid UTF-8 (RFC 3629).
std::size_t character_length(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t at) { return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u; };
  const unsigned first = byte(i);
  std::size_t length = 1;
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) {
    length = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    length = 3;
  } else if (first >= 0xf0 && first <= 0xf4) {
    length = 4;
  } else {
    return 0;
  }
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(i + k) & 0xc0u) != 0x80u) return 0;
  }
  const unsigned second = byte(i + 1);
  if (first == 0xe0 && second < 0xa0) return 0;  // longer than needed
  if (first == 0xed && second > 0x9f) return 0;  // surrogates
  if (first == 0xf0 && second < 0x90) return 0;
  if (first == 0xf4 && second > 0x8f) return 0;
  return length;
}

// Control characters and broken bytes become '?', so that a log cannot steer a terminal.
std::string printable(std::string_view text) {
  std::string clean;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_length(text, i);
    const auto first = static_cast<unsigned char>(text[i]);
    const bool control = first < 0x20 || first == 0x7f ||
                         (first == 0xc2 && length == 2 && static_cast<unsigned char>(text[i + 1]) < 0xa0);
    if (length == 0 || control) {
      clean += '?';
    } else {
      clean += text.substr(i, length);
    }
    i += std::max<std::size_t>(length, 1);
  }
  return clean;
}

// Words in lines of at most kTableWidth, every line after the first indented.
void append_wrapped(std::string& out, std::string_view label, std::string_view text) {
  const std::string clean = printable(text);
  constexpr std::size_t kIndent = 22;
  std::string line = fmt::format("{:>{}}", label, kIndent - 1);
  line += ' ';
  bool fresh = true;
  std::size_t i = 0;
  while (i < clean.size()) {
    const std::size_t end = std::min(clean.find(' ', i), clean.size());
    const std::string word = clean.substr(i, end - i);
    if (!fresh && line.size() + 1 + word.size() > kTableWidth) {
      out += line + "\n";
      line = std::string(kIndent, ' ');
      fresh = true;
    }
    if (!fresh) line += ' ';
    line += word;
    fresh = false;
    i = end + 1;
  }
  out += line + "\n";
}

Json host_json(const HostFacts& host) {
  Json json{{"name", host.name}, {"ranks", host.ranks}};
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) json[key] = value;
  };
  add("bootId", host.boot_id);
  add("instanceId", host.instance_id);
  add("instanceType", host.instance_type);
  add("availabilityZone", host.availability_zone);
  return json;
}

std::string all_text(const Requirement& r) {
  std::string text;
  for (const std::string& sentence : r.evidence) text += sentence + "\n";
  if (!r.cause.empty()) text += "cause: " + r.cause + "\n";
  if (!r.remedy.empty()) text += "remedy: " + r.remedy + "\n";
  return text;
}

}  // namespace

std::string validation_table(const Validation& validation) {
  std::string out;
  for (const Requirement& r : validation.requirements) {
    out += fmt::format("{:<13} {:<15} {}\n", name_of(r.verdict), r.id, r.title);
    for (const std::string& sentence : r.evidence) append_wrapped(out, "", sentence);
    if (r.verdict == Verdict::pass) continue;
    if (r.verdict == Verdict::inconclusive && !r.required) append_wrapped(out, "", "(not needed for the verdict)");
    append_wrapped(out, "cause:", r.cause);
    append_wrapped(out, "remedy:", r.remedy);
  }
  out += "\n" + printable(headline(validation)) + "\n";
  return out;
}

std::string validation_json(const Validation& validation) {
  Json json;
  json["schema"] = "headroom.validation/1";
  json["verdict"] = name_of(validation.verdict);
  json["expect"] = transport_name(validation.transport);
  json["instanceType"] = validation.instance_type.empty() ? Json(nullptr) : Json(validation.instance_type);
  json["mpi"] = validation.mpi;
  json["hosts"] = Json::array();
  for (const HostFacts& host : validation.hosts) json["hosts"].push_back(host_json(host));
  json["requirements"] = Json::array();
  for (const Requirement& r : validation.requirements) {
    Json one{{"id", r.id},
             {"title", r.title},
             {"verdict", name_of(r.verdict)},
             {"required", r.required},
             {"evidence", r.evidence}};
    if (!r.cause.empty()) one["cause"] = r.cause;
    if (!r.remedy.empty()) one["remedy"] = r.remedy;
    if (!r.hosts.empty()) one["hosts"] = r.hosts;
    if (!r.pairs.empty()) {
      one["pairs"] = Json::array();
      for (const auto& [a, b] : r.pairs) one["pairs"].push_back(Json::array({a, b}));
    }
    json["requirements"].push_back(std::move(one));
  }
  json["pairs"] = Json::array();
  for (const PairLatency& pair : validation.pairs) {
    json["pairs"].push_back({{"a", validation.hosts[pair.a].name},
                             {"b", validation.hosts[pair.b].name},
                             {"latency_us", pair.latency_us},
                             {"bandwidth_mb_s", pair.bandwidth_mb_s},
                             {"slow", pair.slow}});
  }
  json["sources"] = validation.sources;
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string xml_text(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_length(text, i);
    if (length == 0) {
      out += "\xef\xbf\xbd";  // U+FFFD
      ++i;
      continue;
    }
    const std::string_view character = text.substr(i, length);
    i += length;
    const auto first = static_cast<unsigned char>(character[0]);
    if (character == "<") {
      out += "&lt;";
    } else if (character == ">") {
      out += "&gt;";
    } else if (character == "&") {
      out += "&amp;";
    } else if (character == "\"") {
      out += "&quot;";
    } else if (character == "\n") {
      out += "&#10;";
    } else if (character == "\t") {
      out += "&#9;";
    } else if (first < 0x20 || character == "\xef\xbf\xbe" || character == "\xef\xbf\xbf") {
      out += "\xef\xbf\xbd";
    } else {
      out += character;
    }
  }
  return out;
}

std::string validation_junit(const Validation& validation) {
  std::size_t failures = 0;
  std::size_t skipped = 0;
  for (const Requirement& r : validation.requirements) {
    failures += r.verdict == Verdict::fail ? 1 : 0;
    skipped += r.verdict == Verdict::inconclusive ? 1 : 0;
  }
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  const std::string counts = fmt::format("tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\"",
                                         validation.requirements.size(), failures, skipped);
  out += fmt::format("<testsuites {}>\n", counts);
  out += fmt::format("  <testsuite name=\"headroom validate {}\" {}>\n", transport_name(validation.transport), counts);
  out +=
      fmt::format("    <properties>\n      <property name=\"verdict\" value=\"{}\"/>\n", name_of(validation.verdict));
  if (!validation.instance_type.empty()) {
    out += fmt::format("      <property name=\"instanceType\" value=\"{}\"/>\n", xml_text(validation.instance_type));
  }
  out += fmt::format("      <property name=\"mpi\" value=\"{}\"/>\n    </properties>\n", xml_text(validation.mpi));
  for (const Requirement& r : validation.requirements) {
    out += fmt::format("    <testcase classname=\"headroom.validate.{}\" name=\"{}\">\n",
                       transport_name(validation.transport), xml_text(r.id));
    if (r.verdict == Verdict::fail) {
      out += fmt::format("      <failure message=\"{}\">{}</failure>\n", xml_text(r.cause), xml_text(all_text(r)));
    } else if (r.verdict == Verdict::inconclusive) {
      out += fmt::format("      <skipped message=\"{}\"/>\n", xml_text("inconclusive: " + r.cause));
      out += fmt::format("      <system-out>{}</system-out>\n", xml_text(all_text(r)));
    } else if (!r.evidence.empty()) {
      out += fmt::format("      <system-out>{}</system-out>\n", xml_text(all_text(r)));
    }
    out += "    </testcase>\n";
  }
  out += "  </testsuite>\n</testsuites>\n";
  return out;
}

}  // namespace headroom::validate
