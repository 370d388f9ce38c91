#include "models/scenario/communication_section.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "models/cloud/catalog.hpp"
#include "models/scenario/design.hpp"

namespace headroom {
namespace {

constexpr std::size_t kMostRules = 1000;
constexpr double kLeastBandwidth = 1e-6;  // GB/s: with less, times would not be numbers

void add(Problems& problems, const Section& section, std::string_view key, std::string_view text) {
  problems.add(section.where(key), section.path_of(key), text);
}

void check_bandwidth(const Section& section, std::string_view key, Problems& problems) {
  const std::optional<double> found = section.number(key);
  if (found && *found > 0 && *found < kLeastBandwidth) {
    add(problems, section, key, fmt::format("found {}, expected at least {} GB/s", *found, kLeastBandwidth));
  }
}

Link read_link(const Section& section, Transport transport, Problems& problems) {
  Link link;
  const std::vector<Section> segments = section.elements("segments");
  for (std::size_t i = 0; i < segments.size(); ++i) {
    LinkSegment& segment = link.segments.emplace_back();
    segment.latency_us = segments[i].number("latency_us").value_or(0);
    segment.bandwidth_gb_s = segments[i].number("bandwidth_gb_s").value_or(1);
    check_bandwidth(segments[i], "bandwidth_gb_s", problems);
    const bool last = i + 1 == segments.size();
    if (const std::optional<std::int64_t> up_to = segments[i].integer("upTo")) {
      if (last) add(problems, segments[i], "upTo", "the last segment holds for all longer messages: expected none");
      if (i > 0 && *up_to <= link.segments[i - 1].up_to) {
        add(problems, segments[i], "upTo", "is not over that of the segment before it");
      }
      if (!last) segment.up_to = *up_to;
    } else if (!last && !segments[i].has("upTo")) {
      problems.add(segments[i].where(), segments[i].path_of("upTo"), "missing; only the last segment has none");
    }
  }
  const bool between_nodes = transport != Transport::shm;
  link.per_hop_us = section.number("perHop_us").value_or(between_nodes ? kPerHop : 0);
  link.gap_us = section.number("gap_us").value_or(between_nodes ? kGap : 0);
  link.streaming_gb_s = section.number("streaming_gb_s").value_or(0);
  check_bandwidth(section, "streaming_gb_s", problems);
  link.source = section.string("source").value_or("");
  return link;
}

NetworkModelOptions::Links read_links(const Section& section, Problems& problems) {
  NetworkModelOptions::Links links;
  for (const Transport transport : {Transport::efa, Transport::tcp, Transport::shm}) {
    const Section child = section.child(transport_name(transport));
    if (!child.present()) continue;
    Link link = read_link(child, transport, problems);
    if (!link.segments.empty()) links[static_cast<std::size_t>(transport)] = std::move(link);
  }
  return links;
}

void refuse_in_pool(const Section& section, bool pool, Problems& problems) {
  if (pool) problems.add(section.where(), section.path(), "not in a pool: it has no nodes that could be apart");
}

}  // namespace

NetworkModelOptions read_network_model(const Section& model, Problems& problems) {
  NetworkModelOptions options;
  if (!model.present()) return options;
  options.general = read_links(model, problems);
  for (const auto& [type, links] : model.members("types")) {
    if (problems.full()) break;
    if (!find_instance_type(type)) problems.add(links.where(), links.path(), unknown_instance_type(type));
    options.types[type] = read_links(links, problems);
  }
  options.uplink = model.number("uplink").value_or(1);
  options.between_zones_us = model.number("betweenZones_us").value_or(0);
  return options;
}

CommunicationProfile read_communication(const Section& section, bool pool, Problems& problems) {
  refuse_in_pool(section, pool, problems);
  CommunicationProfile profile;
  const std::string pattern = section.string("pattern").value_or("none");
  const auto* const found = std::find(std::begin(kPatternNames), std::end(kPatternNames), pattern);
  if (found != std::end(kPatternNames)) profile.pattern = static_cast<Pattern>(found - std::begin(kPatternNames));
  profile.share = section.number("share").value_or(0);
  profile.message_bytes = section.integer("messageBytes").value_or(0);
  profile.ranks_per_node = section.count("ranksPerNode").value_or(1);
  if (profile.pattern != Pattern::none && !section.has("share")) {
    problems.add(section.where(), section.path_of("share"),
                 fmt::format("missing; pattern {} needs it, a number from 0 to 1", quote(pattern)));
  }
  if (profile.pattern == Pattern::none) {
    for (const std::string_view key : {"share", "messageBytes", "ranksPerNode"}) {
      if (section.has(key)) add(problems, section, key, "not with pattern \"none\"");
    }
  }
  profile.name = section.string("name").value_or(
      profile.pattern == Pattern::none ? pattern : fmt::format("{}-{}", pattern, profile.message_bytes));
  return profile;
}

std::vector<CommunicationRule> read_communication_rules(const Section& workload, bool pool, Problems& problems) {
  std::vector<CommunicationRule> rules;
  const std::vector<Section> sections = workload.elements("communication");
  for (const Section& section : sections) {
    if (problems.full()) break;
    CommunicationRule& rule = rules.emplace_back();
    rule.of_jobs = section.number("ofJobs").value_or(0);
    rule.min_nodes = section.count("minNodes").value_or(1);
    if (const auto most = section.count("maxNodes")) {
      rule.max_nodes = *most;
      if (rule.max_nodes < rule.min_nodes) add(problems, section, "maxNodes", "is less than minNodes");
    }
    rule.profile = read_communication(section, pool, problems);
  }
  if (rules.size() > kMostRules) {
    add(problems, workload, "communication",
        fmt::format("found {} of them, expected at most {}", rules.size(), kMostRules));
    return rules;
  }
  // At the first width of any rule as many of them hold as anywhere.
  for (std::size_t r = 0; r < rules.size(); ++r) {
    double sum = 0;
    for (const CommunicationRule& rule : rules) {
      if (rule.min_nodes <= rules[r].min_nodes && rules[r].min_nodes <= rule.max_nodes) sum += rule.of_jobs;
    }
    if (sum <= 1 + 1e-9) continue;
    problems.add(
        sections[r].where(), sections[r].path(),
        fmt::format("of jobs with {} nodes the shares add up to {:.4g}, expected 1 at most", rules[r].min_nodes, sum));
    break;
  }
  return rules;
}

}  // namespace headroom
