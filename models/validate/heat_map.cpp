#include "models/validate/heat_map.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "models/validate/validation_report.hpp"

namespace headroom::validate {
namespace {

constexpr std::size_t kMostLabelled = 96;   // hosts; more would not be read
constexpr std::size_t kMostNumbers = 16;    // hosts up to which every cell shows its number
constexpr std::size_t kMostTooltips = 128;  // hosts up to which every cell has one
constexpr double kPicture = 720;            // side of the matrix, px

struct Colour {
  double red;
  double green;
  double blue;
};

// From fast to slow: light to dark in one hue after the other, so that it reads in grey, too.
constexpr std::array<Colour, 5> kScale{{{252, 253, 191}, {254, 176, 120}, {241, 96, 93}, {140, 41, 129}, {40, 11, 84}}};

struct Shade {
  std::string fill;
  std::string ink;
};

Shade shade(double position) {
  const double place = std::clamp(position, 0.0, 1.0) * static_cast<double>(kScale.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), kScale.size() - 2);
  const double part = place - static_cast<double>(below);
  const auto mix = [&](double from, double to) { return std::lround(from + (to - from) * part); };
  const Colour& a = kScale[below];
  const Colour& b = kScale[below + 1];
  return {fmt::format("#{:02x}{:02x}{:02x}", mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue)),
          position > 0.45 ? "#ffffff" : "#222222"};
}

// Leaves are numbered so that those below one network node are neighbours.
LeafId leaf_of(const HostFacts& host, const std::optional<TopologyFile>& topology) {
  const TopologyInstance* const instance = topology ? topology->find(host.instance_id) : nullptr;
  return instance != nullptr ? instance->leaf : kNoLeaf;
}

}  // namespace

std::vector<std::size_t> heat_map_order(const Validation& validation, const std::optional<TopologyFile>& topology) {
  std::vector<std::size_t> order(validation.hosts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return leaf_of(validation.hosts[a], topology) < leaf_of(validation.hosts[b], topology);  // unknown ones last
  });
  return order;
}

std::string heat_map_svg(const Validation& validation, const std::optional<TopologyFile>& topology) {
  const std::vector<std::size_t> order = heat_map_order(validation, topology);
  std::vector<std::size_t> place(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = i;
  const std::size_t n = order.size();

  // Several pairs of ranks on the same two hosts: the slowest counts.
  std::map<std::pair<std::size_t, std::size_t>, PairLatency> cells;
  for (const PairLatency& pair : validation.pairs) {
    if (pair.a == pair.b) continue;
    const auto key = std::minmax(place[pair.a], place[pair.b]);
    const auto [cell, is_new] = cells.emplace(key, pair);
    if (!is_new) {
      const bool slow = cell->second.slow || pair.slow;
      if (pair.latency_us > cell->second.latency_us) cell->second = pair;
      cell->second.slow = slow;
    }
  }
  std::vector<double> values;
  for (const auto& [key, pair] : cells) values.push_back(pair.latency_us);
  std::sort(values.begin(), values.end());

  std::size_t longest = 4;
  for (const HostFacts& host : validation.hosts)
    longest = std::max(longest, std::min<std::size_t>(host.name.size(), 24));
  const bool labelled = n <= kMostLabelled;
  const double cell = n > 0 ? std::clamp(kPicture / static_cast<double>(n), 2.0, 64.0) : 0;
  const double font = std::clamp(cell * 0.7, 5.0, 12.0);
  const double left = labelled ? 24 + static_cast<double>(longest) * font * 0.62 : 24;
  const double top = 78;
  const double side = cell * static_cast<double>(n);
  const double below = labelled ? static_cast<double>(longest) * font * 0.62 * 0.72 + 26 : 20;
  const double width = std::max(left + side + 120, 660.0);
  const double height = top + std::max(side, 120.0) + below + 20;

  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "font-family=\"sans-serif\">\n<title>Latency between hosts</title>\n<rect width=\"100%\" height=\"100%\" "
      "fill=\"#ffffff\"/>\n",
      width, height);
  const auto say = [&](double x, double y, double size, std::string_view attributes, std::string_view what) {
    out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{:.1f}\" fill=\"#222222\" {}>{}</text>\n", x, y,
                       size, attributes, xml_text(what));
  };
  say(16, 26, 17, "font-weight=\"bold\"", "Latency between hosts, one way");
  const bool ordered = std::any_of(validation.hosts.begin(), validation.hosts.end(),
                                   [&](const HostFacts& host) { return leaf_of(host, topology) != kNoLeaf; });
  say(16, 46, 12, "",
      fmt::format(
          "MPI over {}{}{}, {} hosts, {}", transport_name(validation.transport),
          validation.instance_type.empty() ? "" : " on ", validation.instance_type, n,
          ordered ? "in the order of the network tree: lines part network nodes" : "in the order of their ranks"));
  if (values.empty()) {
    say(16, 70, 12, "", "no pair of hosts was measured (allpairs)");
    return out + "</svg>\n";
  }
  say(16, 64, 12, "", "framed: slower than the others by the measure of the requirement \"uniform\"");

  // From the fastest to twice the fast quarter: beyond that it is dark, however slow.
  const double fast = values.front();
  const double usual = values[(values.size() - 1) / 4];
  const double dark = std::max(2 * usual, fast + 0.001);
  const auto position = [&](double value) { return (value - fast) / (dark - fast); };

  std::string frames;
  for (const auto& [key, pair] : cells) {
    const Shade colours = shade(position(pair.latency_us));
    for (const auto& [row, column] : {key, std::pair(key.second, key.first)}) {
      const double x = left + static_cast<double>(column) * cell;
      const double y = top + static_cast<double>(row) * cell;
      out += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"", x, y, cell,
                         cell, colours.fill);
      if (n <= kMostTooltips) {
        out += fmt::format("><title>{} - {}: {:.1f} us, {:.0f} MB/s</title></rect>\n",
                           xml_text(validation.hosts[order[row]].name), xml_text(validation.hosts[order[column]].name),
                           pair.latency_us, pair.bandwidth_mb_s);
      } else {
        out += "/>\n";
      }
      if (n <= kMostNumbers) {
        out += fmt::format(
            "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{:.1f}\" fill=\"{}\" text-anchor=\"middle\" "
            "dominant-baseline=\"central\">{:.{}f}</text>\n",
            x + cell / 2, y + cell / 2, std::min(font, 11.0), colours.ink, pair.latency_us,
            pair.latency_us < 100 ? 1 : 0);
      }
      if (pair.slow) {
        frames += fmt::format(
            "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"none\" stroke=\"#00a5cf\" "
            "stroke-width=\"{:.1f}\"/>\n",
            x, y, cell, cell, std::clamp(cell / 12, 0.8, 3.0));
      }
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    const double at = static_cast<double>(i) * cell;
    out += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"#e6e6e6\"/>\n",
                       left + at, top + at, cell, cell);
    if (!labelled) continue;
    std::string name = validation.hosts[order[i]].name;
    if (name.size() > 24) name = name.substr(0, 23) + "~";
    out += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{:.1f}\" fill=\"#222222\" text-anchor=\"end\" "
        "dominant-baseline=\"central\">{}</text>\n",
        left - 6, top + at + cell / 2, font, xml_text(name));
    const double x = left + at + cell / 2;
    const double y = top + side + 10;
    out += fmt::format(
        "<text x=\"{0:.1f}\" y=\"{1:.1f}\" font-size=\"{2:.1f}\" fill=\"#222222\" text-anchor=\"end\" "
        "transform=\"rotate(-45 {0:.1f} {1:.1f})\">{3}</text>\n",
        x, y, font, xml_text(name));
  }
  out += frames;
  for (std::size_t i = 1; i < n; ++i) {
    const LeafId before = leaf_of(validation.hosts[order[i - 1]], topology);
    if (!ordered || before == leaf_of(validation.hosts[order[i]], topology)) continue;
    const double at = static_cast<double>(i) * cell;
    out += fmt::format(
        "<path d=\"M{0:.1f} {1:.1f}V{2:.1f}M{3:.1f} {4:.1f}H{5:.1f}\" stroke=\"#222222\" stroke-width=\"1.5\"/>\n",
        left + at, top - 6, top + side, left - 6, top + at, left + side);
  }
  // The scale.
  constexpr std::size_t kSteps = 40;
  const double bar = std::clamp(side, 120.0, 260.0);
  const double bar_x = left + side + 24;
  for (std::size_t i = 0; i < kSteps; ++i) {
    const double part = static_cast<double>(i) / static_cast<double>(kSteps - 1);
    out += fmt::format("<rect x=\"{:.1f}\" y=\"{:.2f}\" width=\"16\" height=\"{:.2f}\" fill=\"{}\"/>\n", bar_x,
                       top + bar * static_cast<double>(i) / static_cast<double>(kSteps),
                       bar / static_cast<double>(kSteps) + 0.5, shade(part).fill);
  }
  say(bar_x + 22, top + 10, 11, "", fmt::format("{:.1f} us", fast));
  say(bar_x + 22, top + bar, 11, "", fmt::format("{:.1f}{} us", dark, values.back() > dark ? "+" : ""));
  if (values.back() > dark) say(bar_x, top + bar + 18, 11, "", fmt::format("slowest {:.0f} us", values.back()));
  return out + "</svg>\n";
}

}  // namespace headroom::validate
