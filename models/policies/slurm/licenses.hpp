// Licences: how many there are (Licenses of slurm.conf), how many of them jobs hold. A job takes all it asks for, or
// one of several that are joined by "|". Those of a license server are named NAME@SERVER.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace headroom::slurm {

struct License {
  std::string name;
  std::int32_t count = 1;
  bool operator==(const License&) const = default;
};

struct LicenseList {
  std::vector<License> list;
  bool any = false;  // one of them will do
};

// NAME[:COUNT], joined by "," or ";" (all), or by "|" (any; only where `alternatives`). Returns what is wrong.
std::string parse_licenses(std::string_view text, bool alternatives, LicenseList& out);

// What one job takes: positions in the books and counts.
struct LicenseNeed {
  std::vector<std::pair<std::uint32_t, std::int32_t>> of;
  bool any = false;
  bool empty() const { return of.empty(); }  // as of nearly all jobs
};

// So many of each are free; a value, so that plans can work on a copy.
using LicenseCounts = std::vector<std::int32_t>;

class LicenseBooks {
 public:
  LicenseBooks() = default;
  explicit LicenseBooks(std::vector<License> all);

  // False if one of them does not exist, or not so many times.
  bool resolve(const LicenseList& asked, LicenseNeed& need) const;
  const LicenseCounts& free() const { return free_; }
  LicenseCounts all() const;

  static bool enough(const LicenseNeed& need, const LicenseCounts& free);
  // Of several alternatives the first of which there are enough; says which it was.
  static LicenseNeed take(const LicenseNeed& need, LicenseCounts& free);
  LicenseNeed take(const LicenseNeed& need) { return take(need, free_); }
  void give_back(const LicenseNeed& held) {
    for (const auto& [license, count] : held.of) free_[license] += count;
  }

 private:
  std::vector<License> all_;
  LicenseCounts free_;
};

}  // namespace headroom::slurm
