#include "models/network/node_names.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "models/files.hpp"
#include "models/scenario/document.hpp"

namespace headroom {
namespace {

using Kind = JsonValue::Kind;

class Reader {
 public:
  explicit Reader(const std::string& name) : problems_({name}) {}

  void add(Where where, const std::string& path, const std::string& id, const std::string& name) {
    const bool is_name = std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
             c == '.';
    });
    if (id.empty() || name.empty() || !is_name) {
      problems_.add(where, path, fmt::format("found {} for {}; expected a node's name", quote(name), quote(id)));
      return;
    }
    if (const auto [at, is_new] = names_.emplace(id, name); !is_new) {
      problems_.add(where, path, fmt::format("{} is given twice, before as {}", quote(id), quote(at->second)));
    } else if (const auto [owner, first] = owners_.emplace(name, id); !first) {
      problems_.add(where, path, fmt::format("{} is the name of {}, too", quote(name), quote(owner->second)));
    }
  }

  void read_lines(std::string_view text) {
    std::int32_t line = 0;
    while (!text.empty() && !problems_.full()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view rest = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      ++line;
      rest = rest.substr(0, rest.find('#'));
      std::vector<std::string> words;
      for (;;) {
        const std::size_t begin = rest.find_first_not_of(" \t\r");
        if (begin == std::string_view::npos) break;
        rest.remove_prefix(begin);
        const std::size_t length = std::min(rest.find_first_of(" \t\r"), rest.size());
        words.emplace_back(rest.substr(0, length));
        rest.remove_prefix(length);
      }
      if (words.empty()) continue;
      if (words.size() != 2 || !words[0].starts_with("i-")) {
        problems_.add({0, line}, "",
                      fmt::format("found {}; expected INSTANCE-ID NAME, such as \"i-0123456789abcdef0 compute-1\"",
                                  quote(fmt::format("{}{}", words[0], words.size() > 1 ? " " + words[1] : ""))));
        continue;
      }
      add({0, line}, "", words[0], words[1]);
    }
  }

  void read_answer(std::string_view text) {
    const auto root = read_json(text, 0, problems_);
    if (!root) return;
    const JsonValue* reservations = root->find("Reservations");
    if (reservations == nullptr || reservations->kind != Kind::array) {
      problems_.add(root->where, "Reservations", "is missing; expected what `aws ec2 describe-instances` prints");
      return;
    }
    for (std::size_t r = 0; r < reservations->items.size(); ++r) {
      const JsonValue* instances = reservations->items[r].find("Instances");
      for (std::size_t i = 0; instances != nullptr && i < instances->items.size() && !problems_.full(); ++i) {
        const JsonValue& instance = instances->items[i];
        const std::string path = fmt::format("Reservations[{}].Instances[{}]", r, i);
        const JsonValue* id = instance.find("InstanceId");
        const JsonValue* name = instance.find("PrivateDnsName");
        if (id == nullptr || id->kind != Kind::string) {
          problems_.add(instance.where, path + ".InstanceId", "is missing; expected a string");
          continue;
        }
        // One that is terminated has none any more.
        if (name == nullptr || name->kind != Kind::string || name->text.empty()) continue;
        add(name->where, path + ".PrivateDnsName", id->text, name->text.substr(0, name->text.find('.')));
      }
    }
  }

  NodeNames finish() {
    if (problems_.empty() && names_.empty()) {
      problems_.add({0, 0}, "", "names no node; expected lines \"INSTANCE-ID NAME\", or describe-instances' answer");
    }
    if (!problems_.empty()) problems_.raise();
    return std::move(names_);
  }

 private:
  Problems problems_;
  NodeNames names_;
  std::map<std::string, std::string> owners_;
};

// A name's number behind its prefix: as many digits as fit, from the end.
struct Numbered {
  std::string prefix;
  std::size_t digits = 0;  // 0: it has no number
  std::uint64_t number = 0;
  auto operator<=>(const Numbered&) const = default;
};

Numbered split(const std::string& name) {
  constexpr std::size_t kMostDigits = 18;
  Numbered out;
  while (out.digits < std::min(kMostDigits, name.size())) {
    const char c = name[name.size() - out.digits - 1];
    if (c < '0' || c > '9') break;
    ++out.digits;
  }
  out.prefix = name.substr(0, name.size() - out.digits);
  std::from_chars(name.data() + out.prefix.size(), name.data() + name.size(), out.number);
  // Without zeros before it the number of digits says nothing: compute-9 and compute-10 go together.
  if (out.digits > 0 && name[out.prefix.size()] != '0') out.digits = 1;
  return out;
}

}  // namespace

NodeNames parse_node_names(std::string_view text, const std::string& name) {
  Reader reader(name);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && text[first] == '{') {
    reader.read_answer(text);
  } else {
    reader.read_lines(text);
  }
  return reader.finish();
}

NodeNames read_node_names(const std::string& path) { return parse_node_names(read_file(path), path); }

std::string hostlist(std::vector<std::string> names) {
  std::vector<Numbered> all;
  for (const std::string& name : names) all.push_back(split(name));
  std::sort(all.begin(), all.end());
  std::string out;
  for (std::size_t i = 0; i < all.size();) {
    std::size_t end = i + 1;
    while (end < all.size() && all[i].digits > 0 && all[end].prefix == all[i].prefix &&
           all[end].digits == all[i].digits) {
      ++end;
    }
    if (!out.empty()) out += ',';
    out += all[i].prefix;
    if (all[i].digits == 0) {
      i = end;
      continue;
    }
    const auto text = [](const Numbered& n) { return fmt::format("{:0{}}", n.number, n.digits); };
    if (end == i + 1) {
      out += text(all[i]);
    } else {
      out += '[';
      for (std::size_t from = i; from < end;) {
        std::size_t to = from;
        while (to + 1 < end && all[to + 1].number == all[to].number + 1) ++to;
        out += (from == i ? "" : ",") + text(all[from]);
        if (to > from) out += "-" + text(all[to]);
        from = to + 1;
      }
      out += ']';
    }
    i = end;
  }
  return out;
}

}  // namespace headroom
