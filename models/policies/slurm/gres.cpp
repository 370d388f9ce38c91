#include "models/policies/slurm/gres.hpp"

#include <algorithm>

#include "models/policies/slurm/settings.hpp"

namespace headroom::slurm {
namespace {

constexpr std::int32_t kMostGres = 1'000'000;

bool word(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '/';
  });
}

// One entry of a list. With `fallback` the name is left out.
bool parse_entry(std::string_view text, std::string_view fallback, GresPool& out) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto colon = text.find(':');
    parts.push_back(text.substr(0, colon));
    if (colon == std::string_view::npos) break;
    text = text.substr(colon + 1);
  }
  out.count = 1;
  const auto number = integer(parts.back());
  if (number) {
    if (*number < 0 || *number > kMostGres) return false;
    out.count = static_cast<std::int32_t>(*number);
    parts.pop_back();
  } else if (!fallback.empty()) {
    return false;
  }
  if (!fallback.empty()) parts.insert(parts.begin(), fallback);
  if (parts.empty() || parts.size() > 2) return false;
  if (!std::all_of(parts.begin(), parts.end(), word)) return false;
  out.name = parts[0];
  out.type = parts.size() == 2 ? parts[1] : std::string_view();
  return true;
}

template <class Take>
std::string parse_list(std::string_view text, std::string_view fallback, Take take) {
  const std::string_view whole = text;
  for (;;) {
    const auto comma = text.find(',');
    GresPool entry;
    if (!parse_entry(text.substr(0, comma), fallback, entry)) {
      return wrong(whole, fallback.empty() ? "NAME[:TYPE][:COUNT] such as gpu:2 or gpu:a100:8, joined by \",\""
                                           : "[TYPE:]COUNT such as 2 or a100:2, joined by \",\"");
    }
    take(entry);
    if (comma == std::string_view::npos) return {};
    text = text.substr(comma + 1);
  }
}

}  // namespace

std::string parse_node_gres(std::string_view text, std::vector<GresPool>& pools) {
  pools.clear();
  if (text.empty() || same(text, "none")) return {};
  return parse_list(text, "", [&](const GresPool& entry) {
    const auto at = std::find_if(pools.begin(), pools.end(),
                                 [&](const GresPool& p) { return p.name == entry.name && p.type == entry.type; });
    if (at != pools.end()) {
      at->count += entry.count;
    } else if (entry.count > 0) {
      pools.push_back(entry);
    }
  });
}

std::string parse_gres(std::string_view text, std::string_view fallback, std::int32_t GresRequest::*in,
                       std::vector<GresRequest>& requests) {
  if (text.empty() || same(text, "none")) return {};
  return parse_list(text, fallback, [&](const GresPool& entry) {
    if (entry.count == 0) return;
    auto at = std::find_if(requests.begin(), requests.end(),
                           [&](const GresRequest& r) { return r.name == entry.name && r.type == entry.type; });
    if (at == requests.end()) {
      at = requests.insert(requests.end(), GresRequest{});
      at->name = entry.name;
      at->type = entry.type;
    }
    (*at).*in += entry.count;
  });
}

}  // namespace headroom::slurm
