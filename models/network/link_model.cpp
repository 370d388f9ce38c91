#include "models/network/link_model.hpp"

#include <algorithm>

#include "engine/types.hpp"

namespace headroom {
namespace {

constexpr std::int64_t kNoBound = std::numeric_limits<std::int64_t>::max();

const Link& find_default(std::string_view type, Transport transport) {
  const Link* general = nullptr;
  for (const DefaultLink& each : default_links()) {
    if (each.transport != transport) continue;
    if (each.type == type) return each.link;
    if (each.type.empty()) general = &each.link;
  }
  ensure(general != nullptr, "every transport has a default");
  return *general;
}

}  // namespace

std::optional<Transport> transport_named(std::string_view name) {
  for (const Transport transport : {Transport::efa, Transport::tcp, Transport::shm}) {
    if (name == transport_name(transport)) return transport;
  }
  return std::nullopt;
}

std::string_view transport_name(Transport transport) {
  switch (transport) {
    case Transport::efa:
      return "efa";
    case Transport::tcp:
      return "tcp";
    case Transport::shm:
      return "shm";
  }
  return "";
}

const std::vector<DefaultLink>& default_links() {
  // Latencies are those at 2 hops. Where a source's pair was is not known but for hpc6a; others count as 2 hops.
  // Medians of osu_latency, which are those of pairs at 4 hops: 15.7 us up to 8 B, 16.3 behind the inline limit,
  // 20.2 at 8 KB, 25.7 at 64 KB, 60-75 (67.5 taken) at 128 KB, 261.5 at 1 MB, 967 at 4 MB; less 2.7 us. Lines
  // through these points.
  static const std::vector<LinkSegment> hpc6a = {
      {8, 13.0, 10.0}, {8192, 13.6, 2.1}, {65536, 16.7, 10.43}, {1048576, 37.1, 4.73}, {kNoBound, 23.6, 4.46}};
  static const std::vector<DefaultLink> kLinks = {
      {"",
       Transport::efa,
       {hpc6a, kPerHop, kGap, 0,
        "hpc6a.48xlarge, Open MPI 4, osu_latency and osu_bw (performance-study; boot-times 5a-5c); for other types "
        "inferred"}},
      {"hpc6a.48xlarge",
       Transport::efa,
       {hpc6a, kPerHop, kGap, 12.04, "osu_latency and osu_bw, Open MPI 4 (performance-study; boot-times 5a-5c)"}},
      // 17.2 us up to 512 B, 17.99 at 1 KB, 26.51 at 8 KB, 29.28 at 16 KB, 41.12 at 64 KB, 95.1 at 128 KB, 440 at 1 MB,
      // 1660 at 4 MB.
      {"c5n.18xlarge",
       Transport::efa,
       {{{512, 17.2, 2.0}, {8192, 16.8, 0.84}, {65536, 25.3, 4.15}, {kNoBound, 44.6, 2.6}},
        kPerHop,
        kGap,
        9.1,
        "osu_latency, Open MPI, Amazon Linux 2 (aws-parallelcluster test_osu baselines; boot-times 5a); streaming "
        "from aws-mpi-benchmark 3d6207f; hops and gap inferred"}},
      // 20.4 us at 0 B, 22.1 at 2 KB, 24.7 at 8 KB, 30.2 at 16 KB, 62.5 at 64 KB, 138 at 128 KB, 561 at 1 MB, 2080 at
      // 4 MB.
      {"p5.48xlarge",
       Transport::efa,
       {{{4, 20.5, 10.0}, {2048, 21.8, 10.0}, {8192, 21.2, 2.3}, {65536, 20.4, 1.55}, {kNoBound, 54.6, 2.07}},
        kPerHop,
        kGap,
        9.35,
        "osu_latency and half of osu_bibw, Open MPI (aws-parallelcluster test_osu baselines; boot-times 5a); hops and "
        "gap inferred"}},
      // 22.2 us at 0 B, 454 at 1 MB: two points.
      {"p3dn.24xlarge",
       Transport::efa,
       {{{kNoBound, 22.2, 2.43}},
        kPerHop,
        kGap,
        0,
        "two points of osu_latency (performance-study, EKS; boot-times 5a); hops and gap inferred"}},
      // 34.9 us up to 8 B, 57.8 at 1 KB, 49.1 at 8 KB, 91.6 at 64 KB, 620 at 1 MB, 2820 at 4 MB. That is ping-pong: one
      // flow that sends all the time gets kFlowInGroup.
      {"",
       Transport::tcp,
       {{{64, 34.9, 10.0}, {8192, 53.0, 10.0}, {65536, 43.0, 1.35}, {kNoBound, 48.3, 1.51}},
        kPerHop,
        kGap,
        0,
        "c5n.18xlarge, Intel MPI 2019.4 over TCP, osu_latency (aws-mpi-benchmark 3d6207f; boot-times 5a); for other "
        "types, hops and gap inferred"}},
      {"",
       Transport::shm,
       {{{kNoBound, 0.47, 5.0}},
        0,
        0,
        5.0,
        "0.46-0.49 us at 8 B: baselines of test_osu with both ranks on one host (users.md 4); bandwidth inferred"}},
  };
  return kLinks;
}

double Link::one_way_us(std::int64_t bytes, std::int32_t hops) const {
  const auto segment = std::find_if(segments.begin(), std::prev(segments.end()),
                                    [bytes](const LinkSegment& each) { return bytes <= each.up_to; });
  return segment->latency_us + static_cast<double>(std::max(hops - 2, 0)) * per_hop_us +
         static_cast<double>(bytes) / (segment->bandwidth_gb_s * 1e3);
}

Link LinkModel::link(const InstanceType& type, Transport transport) const {
  const auto t = static_cast<std::size_t>(transport);
  const auto own = options_.types.find(type.name);
  Link link;
  if (own != options_.types.end() && own->second[t]) {
    link = *own->second[t];
  } else if (options_.general[t]) {
    link = *options_.general[t];
  } else {
    link = find_default(type.name, transport);
  }
  if (link.streaming_gb_s == 0) {
    const double line_rate = type.network_gbps / 8;
    link.streaming_gb_s =
        line_rate > 0 && transport != Transport::shm ? line_rate : link.segments.back().bandwidth_gb_s;
  }
  return link;
}

}  // namespace headroom
