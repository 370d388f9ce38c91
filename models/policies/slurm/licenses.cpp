#include "models/policies/slurm/licenses.hpp"

#include <algorithm>

#include "models/policies/slurm/settings.hpp"

namespace headroom::slurm {

std::string parse_licenses(std::string_view text, bool alternatives, LicenseList& out) {
  constexpr std::int64_t kMostLicenses = 1'000'000;
  const std::string_view whole = text;
  out = {};
  if (text.empty()) return {};
  const auto refuse = [&] {
    return wrong(whole,
                 alternatives ? "NAME[:COUNT], joined by \",\" (all) or \"|\" (any)" : "NAME[:COUNT], joined by \",\"");
  };
  bool all = false;
  for (;;) {
    const auto end = text.find_first_of(",;|");
    const std::string_view entry = text.substr(0, end);
    const auto colon = entry.find(':');
    License license{std::string(entry.substr(0, colon)), 1};
    if (license.name.empty() || license.name.find_first_of(" \t*") != std::string::npos) return refuse();
    if (colon != std::string_view::npos) {
      const auto count = integer(entry.substr(colon + 1));
      if (!count || *count < 0 || *count > kMostLicenses) return refuse();
      license.count = static_cast<std::int32_t>(*count);
    }
    const auto at =
        std::find_if(out.list.begin(), out.list.end(), [&](const License& l) { return l.name == license.name; });
    if (at == out.list.end()) {
      out.list.push_back(std::move(license));
    } else {
      at->count += license.count;
    }
    if (end == std::string_view::npos) break;
    (text[end] == '|' ? out.any : all) = true;
    text = text.substr(end + 1);
  }
  if (out.any && (all || !alternatives)) return refuse();
  return {};
}

LicenseBooks::LicenseBooks(std::vector<License> all) : all_(std::move(all)) {
  for (const License& license : all_) free_.push_back(license.count);
}

bool LicenseBooks::resolve(const LicenseList& asked, LicenseNeed& need) const {
  need.any = asked.any;
  for (const License& license : asked.list) {
    const auto at = std::find_if(all_.begin(), all_.end(), [&](const License& l) { return l.name == license.name; });
    if (at == all_.end() || at->count < license.count) return false;
    need.of.emplace_back(static_cast<std::uint32_t>(at - all_.begin()), license.count);
  }
  return true;
}

LicenseCounts LicenseBooks::all() const {
  LicenseCounts counts;
  for (const License& license : all_) counts.push_back(license.count);
  return counts;
}

bool LicenseBooks::enough(const LicenseNeed& need, const LicenseCounts& free) {
  const auto fits = [&](const auto& one) { return free[one.first] >= one.second; };
  return need.any && !need.of.empty() ? std::any_of(need.of.begin(), need.of.end(), fits)
                                      : std::all_of(need.of.begin(), need.of.end(), fits);
}

LicenseNeed LicenseBooks::take(const LicenseNeed& need, LicenseCounts& free) {
  LicenseNeed taken;
  for (const auto& one : need.of) {
    if (need.any && free[one.first] < one.second) continue;
    free[one.first] -= one.second;
    taken.of.push_back(one);
    if (need.any) break;
  }
  return taken;
}

}  // namespace headroom::slurm
