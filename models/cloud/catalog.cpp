#include "models/cloud/catalog.hpp"

#include <array>
#include <charconv>

#include <fmt/format.h>

#include "engine/types.hpp"

extern const unsigned char kCatalogBytes[];
extern const unsigned long kCatalogSize;

namespace headroom {
namespace {

constexpr std::size_t kColumns = 12;

std::string_view text() { return {reinterpret_cast<const char*>(kCatalogBytes), kCatalogSize}; }

// The rows without the comment lines and the header row.
std::string_view rows() {
  std::string_view all = text();
  while (all.starts_with('#') || all.starts_with("name,")) all.remove_prefix(all.find('\n') + 1);
  return all;
}

std::string_view take(std::string_view& from, char separator) {
  const std::size_t at = from.find(separator);
  const std::string_view word = from.substr(0, at);
  from.remove_prefix(at == std::string_view::npos ? from.size() : at + 1);
  return word;
}

template <class T>
T to_number(std::string_view word) {
  T value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  ensure(error == std::errc{} && end != word.data(), "the compiled catalog is well formed");
  return value;
}

InstanceType parse(std::string_view line) {
  std::array<std::string_view, kColumns> c;
  for (std::string_view& word : c) word = take(line, ',');
  InstanceType t;
  t.name = c[0];
  t.arch = c[1];
  t.vcpus = to_number<std::int32_t>(c[2]);
  t.cores = to_number<std::int32_t>(c[3]);
  t.memory_mib = to_number<std::int64_t>(c[5]);
  t.gpus = to_number<std::int32_t>(c[6]);
  t.gpu_model = c[7];
  t.efa_interfaces = to_number<std::int32_t>(c[8]);
  t.network_gbps = to_number<double>(c[9]);
  t.spot = c[10] == "1";
  while (!c[11].empty()) {
    std::string_view price = take(c[11], ';');
    const std::string_view region = take(price, '=');
    t.usd_per_hour.emplace_back(region, to_number<double>(price));  // a letter behind the price tells its quality
  }
  return t;
}

}  // namespace

std::optional<double> InstanceType::price_usd_per_hour(std::string_view region) const {
  for (const auto& [name_of_region, usd] : usd_per_hour) {
    if (name_of_region == region) return usd;
  }
  return std::nullopt;
}

std::optional<InstanceType> find_instance_type(std::string_view name) {
  if (name.find(',') != std::string_view::npos) return std::nullopt;  // no part of a row
  // Only the line asked for is parsed: reading all of them would take longer than a small replay.
  for (std::string_view left = rows(); !left.empty();) {
    const std::string_view line = take(left, '\n');
    if (line.size() > name.size() && line[name.size()] == ',' && line.starts_with(name)) return parse(line);
  }
  return std::nullopt;
}

std::vector<InstanceType> all_instance_types() {
  std::vector<InstanceType> all;
  for (std::string_view left = rows(); !left.empty();) all.push_back(parse(take(left, '\n')));
  return all;
}

std::string why_not_together(const InstanceType& a, const InstanceType& b) {
  if (a.arch == b.arch && a.vcpus == b.vcpus && a.gpus == b.gpus) return {};
  return fmt::format(
      "{} ({}, {} vCPUs, {} GPUs) and {} ({}, {} vCPUs, {} GPUs) cannot be in one group: architecture, "
      "vCPUs and GPUs must be the same",
      a.name, a.arch, a.vcpus, a.gpus, b.name, b.arch, b.vcpus, b.gpus);
}

}  // namespace headroom
