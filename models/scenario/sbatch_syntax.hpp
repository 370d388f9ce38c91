// The small languages of sbatch: --array and --dependency. Hides how they are written; job ids stay as written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/news.hpp"

namespace headroom {

inline constexpr std::int32_t kMostArrayTasks = 100'000;
inline constexpr std::int32_t kLargestArrayTask = 4'000'000;  // as MaxArraySize allows at most

struct ArraySpec {
  std::vector<std::int32_t> tasks;  // ascending
  std::int32_t limit = 0;           // at most so many at a time; 0: any
  bool operator==(const ArraySpec&) const = default;
};

// 0-9, 1,3,5-9:2, 0-99%10. None, and what is wrong in `problem`, for anything else.
std::optional<ArraySpec> parse_array(std::string_view text, std::string& problem);

struct NamedDependency {
  Dependency::Kind kind = Dependency::Kind::after_ok;
  std::string job;  // its id; empty for singleton
  Time delay = 0;   // of after
  bool operator==(const NamedDependency&) const = default;
};

struct DependencySpec {
  std::vector<NamedDependency> list;
  bool any = false;  // joined by "?": one is enough
  bool operator==(const DependencySpec&) const = default;
};

// afterok:a:b,after:c+10,singleton; with ? for , one of them is enough. None, and what is wrong, for anything else.
std::optional<DependencySpec> parse_dependency(std::string_view text, std::string& problem);

// sbatch --nodes=MIN-MAX (or N, which is both). None, with `problem` said, if it is not well formed.
std::optional<std::pair<std::int32_t, std::int32_t>> parse_nodes(std::string_view text, std::string& problem);

}  // namespace headroom
