#include "models/network/topology_file.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "models/files.hpp"
#include "models/scenario/document.hpp"

namespace headroom {
namespace {

using Kind = JsonValue::Kind;

// Depths of zones and of the network nodes right below them: the region is at 0.
constexpr std::uint32_t kZoneDepth = 1;
constexpr std::size_t kMostLayers = 16;  // EC2 has 3 or 4

// The end of the JSON value that begins at `from`; the text's where it has no end, or is neither object nor array.
std::size_t end_of_value(std::string_view text, std::size_t from) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = from; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth <= 1) return i + 1;
      --depth;
    } else if (depth == 0) {
      break;
    }
  }
  return text.size();
}

// What may stand in a configuration file, and on a terminal.
bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == ':';
  });
}

void shift_lines(JsonValue& value, std::int32_t lines) {
  value.where.line += lines;
  value.key_line += lines;
  for (JsonValue& item : value.items) shift_lines(item, lines);
}

class Reader {
 public:
  explicit Reader(std::vector<std::string> sources) : problems_(sources), sources_(std::move(sources)) {
    nodes_.push_back({"region", NetworkNode::kRoot});
    seen_.push_back({});
  }

  void read(std::string_view text, std::int32_t source) {
    const std::size_t before = found_.size();
    bool any = false;
    bool more = false;
    Where last;
    std::int32_t lines = 0;
    std::size_t counted = 0;
    for (std::size_t at = text.find_first_not_of(kBlank); at != std::string_view::npos && !problems_.full();) {
      lines += static_cast<std::int32_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(counted),
                                                    text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
      counted = at;
      const std::size_t end = end_of_value(text, at);
      const auto page = read_page(text.substr(at, end - at), source, lines);
      if (!page) return;
      any = true;
      const JsonValue* token = page->find("NextToken");
      more = token != nullptr && token->kind == Kind::string && !token->text.empty();
      if (more) last = token->where;
      at = text.find_first_not_of(kBlank, end);
    }
    if (problems_.full()) return;
    if (!any) {
      problems_.add({source, 0}, "", "empty; expected what `aws ec2 describe-instance-topology` prints");
    } else if (found_.size() == before && problems_.empty()) {
      problems_.add({source, 0}, "Instances",
                    "has no instances: EC2 tells of running instances of certain types only (ec2-instance-topology)");
    }
    if (more) remark(last, "NextToken: the answer goes on in a page that is not here");
  }

  TopologyFile finish() {
    hang_instances();
    if (!problems_.empty()) problems_.raise();
    remark_zones();
    remark_layers();
    TopologyFile out;
    nodes_.front().name = region();
    out.network = std::make_shared<const NetworkTopology>(std::move(nodes_));
    std::vector<LeafId> leaf_of(out.network->size(), kNoLeaf);
    for (std::uint32_t l = 0; l < out.network->leaf_count(); ++l) leaf_of[out.network->node_of(LeafId{l})] = LeafId{l};
    for (Found& found : found_) {
      found.instance.leaf = leaf_of[found.node];
      ensure(found.instance.leaf != kNoLeaf, "every instance hangs on a leaf");
      found.instance.place = problems_.place(found.where, "");
      out.instances.push_back(std::move(found.instance));
    }
    out.by_id.resize(out.instances.size());
    std::iota(out.by_id.begin(), out.by_id.end(), 0u);
    std::sort(out.by_id.begin(), out.by_id.end(),
              [&](std::uint32_t a, std::uint32_t b) { return out.instances[a].id < out.instances[b].id; });
    out.remarks = std::move(remarks_);
    return out;
  }

 private:
  static constexpr std::string_view kBlank = " \t\r\n";

  struct Found {
    TopologyInstance instance;
    std::uint32_t node = 0;
    Where where;
  };

  void remark(Where where, std::string_view text) {
    remarks_.push_back(fmt::format("{}: {}", problems_.place(where, ""), text));
  }

  // One value of the file, `lines` below its beginning. Nothing when what follows makes no sense.
  std::optional<JsonValue> read_page(std::string_view text, std::int32_t source, std::int32_t lines) {
    Problems own(sources_);
    std::optional<JsonValue> page = read_json(text, source, own);
    for (const Problems::Problem& problem : own.all()) {
      Where where = problem.where;
      where.line += lines;
      problems_.add(where, problem.path, problem.text, problem.where.line > 1 || lines == 0 ? problem.column : 0);
    }
    if (!page) return std::nullopt;
    shift_lines(*page, lines);
    const JsonValue* instances = page->kind == Kind::array ? &*page : page->find("Instances");
    if (instances == nullptr) {
      problems_.add(page->where, "",
                    fmt::format("found {} without Instances; expected what `aws ec2 describe-instance-topology` prints",
                                describe_found(*page)));
      return std::nullopt;
    }
    if (instances->kind != Kind::array) {
      problems_.add(instances->where, "Instances",
                    fmt::format("found {}; expected an array", describe_found(*instances)));
      return std::nullopt;
    }
    for (std::size_t i = 0; i < instances->items.size() && !problems_.full(); ++i) {
      read_instance(instances->items[i], fmt::format("Instances[{}]", i));
    }
    return page;
  }

  // "" when it is absent, or null.
  std::string text_of(const JsonValue& object, const std::string& path, std::string_view key, bool required) {
    const JsonValue* value = object.find(key);
    const std::string at = fmt::format("{}.{}", path, key);
    if (value == nullptr || value->kind == Kind::null) {
      if (required) problems_.add(object.where, at, "is missing; expected a string");
      return {};
    }
    if (value->kind != Kind::string || !is_name(value->text)) {
      problems_.add(value->where, at,
                    fmt::format("found {}; expected a name of letters, digits, - _ . and :", describe_found(*value)));
      return {};
    }
    return value->text;
  }

  void read_instance(const JsonValue& value, const std::string& path) {
    if (value.kind != Kind::object) {
      problems_.add(value.where, path, fmt::format("found {}; expected an instance's object", describe_found(value)));
      return;
    }
    const std::size_t problems = problems_.all().size();
    Found found;
    found.where = value.where;
    TopologyInstance& instance = found.instance;
    instance.id = text_of(value, path, "InstanceId", true);
    instance.type = text_of(value, path, "InstanceType", false);
    const JsonValue* group = value.find("GroupName");
    const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; };
    if (group != nullptr && group->kind == Kind::string &&
        std::none_of(group->text.begin(), group->text.end(), is_control)) {
      instance.group = group->text;  // users choose it: blanks may be in it
    } else if (group != nullptr && group->kind != Kind::null) {
      problems_.add(group->where, path + ".GroupName",
                    fmt::format("found {}; expected a string", describe_found(*group)));
    }
    instance.capacity_block = text_of(value, path, "CapacityBlockId", false);
    instance.zone = text_of(value, path, "AvailabilityZone", false);
    if (instance.zone.empty()) instance.zone = text_of(value, path, "ZoneId", true);
    const JsonValue* layers = value.find("NetworkNodes");
    if (layers == nullptr || layers->kind == Kind::null || (layers->kind == Kind::array && layers->items.empty())) {
      problems_.add(layers == nullptr ? value.where : layers->where, path + ".NetworkNodes",
                    fmt::format("of {}: are missing; expected the network nodes above it, the last one the nearest",
                                quote(instance.id)));
    } else if (layers->kind != Kind::array) {
      problems_.add(layers->where, path + ".NetworkNodes",
                    fmt::format("found {}; expected an array of strings", describe_found(*layers)));
    }
    if (layers != nullptr && layers->kind == Kind::array && layers->items.size() > kMostLayers) {
      problems_.add(layers->where, path + ".NetworkNodes",
                    fmt::format("found {}; expected at most {}", layers->items.size(), kMostLayers));
    }
    if (problems_.all().size() > problems) return;
    const auto [first, is_new] = ids_.emplace(instance.id, value.where);
    if (!is_new) {
      problems_.add(
          value.where, path + ".InstanceId",
          fmt::format("{} is given twice, first in {}", quote(instance.id), problems_.place(first->second, "")));
      return;
    }
    if (!hang(found, *layers, path + ".NetworkNodes")) return;
    found_.push_back(std::move(found));
  }

  // Finds or makes the nodes above the instance. False if they contradict what is known.
  bool hang(Found& found, const JsonValue& layers, const std::string& path) {
    const auto [zone, new_zone] = zones_.emplace(found.instance.zone, nodes_.size());
    if (new_zone) {
      nodes_.push_back({found.instance.zone, 0});
      seen_.push_back(found.where);
    }
    std::uint32_t above = static_cast<std::uint32_t>(zone->second);
    for (const JsonValue& name : layers.items) {
      if (name.kind != Kind::string || !is_name(name.text)) {
        problems_.add(name.where, path, fmt::format("found {}; expected a network node's name", describe_found(name)));
        return false;
      }
      const auto [at, is_new] = names_.emplace(name.text, nodes_.size());
      if (is_new) {
        nodes_.push_back({name.text, above});
        seen_.push_back(name.where);
      }
      const auto node = static_cast<std::uint32_t>(at->second);
      if (nodes_[node].parent != above) {
        problems_.add(name.where, path,
                      fmt::format("{} is below {} here and below {} in {}; expected a tree", quote(name.text),
                                  quote(nodes_[above].name), quote(nodes_[nodes_[node].parent].name),
                                  problems_.place(seen_[node], "")));
        return false;
      }
      above = node;
    }
    found.node = above;
    return true;
  }

  // No instance on a node that has others below it.
  void hang_instances() {
    std::vector<std::uint32_t> child(nodes_.size());  // one of those below, 0: none
    for (std::uint32_t n = 1; n < nodes_.size(); ++n) child[nodes_[n].parent] = n;
    for (const Found& found : found_) {
      if (child[found.node] == 0 || problems_.full()) continue;
      problems_.add(found.where, "NetworkNodes",
                    fmt::format("{} hangs on {}, which is above {} in {}; expected the last layer",
                                quote(found.instance.id), quote(nodes_[found.node].name),
                                quote(nodes_[child[found.node]].name), problems_.place(seen_[child[found.node]], "")));
    }
  }

  void remark_zones() {
    if (zones_.size() < 2) return;
    const auto other = std::find_if(found_.begin(), found_.end(), [&](const Found& found) {
      return found.instance.zone != found_.front().instance.zone;
    });
    remark(other->where, fmt::format("{} is in zone {}, the first instance in {}: EFA does not cross zones",
                                     other->instance.id, other->instance.zone, found_.front().instance.zone));
  }

  std::uint32_t depth(std::uint32_t node) const {
    std::uint32_t depth = 0;
    for (; nodes_[node].parent != NetworkNode::kRoot; node = nodes_[node].parent) ++depth;
    return depth;
  }

  void remark_layers() {
    const std::uint32_t usual = depth(found_.front().node);
    for (const Found& found : found_) {
      const std::uint32_t own = depth(found.node);
      if (own == usual) continue;
      remark(found.where, fmt::format("{} is below {} network nodes, the first instance below {}", found.instance.id,
                                      own - kZoneDepth, usual - kZoneDepth));
      return;
    }
  }

  // A zone's name is that of its region and letters; "network" if they do not agree.
  std::string region() const {
    std::string region;
    for (const auto& [name, node] : zones_) {
      const std::size_t end = name.find_last_not_of("abcdefghijklmnopqrstuvwxyz");
      const std::string own = end == std::string::npos ? name : name.substr(0, end + 1);
      if (region.empty()) region = own;
      if (own != region) return "network";
    }
    return region;
  }

  Problems problems_;
  std::vector<std::string> sources_;
  std::vector<NetworkNode> nodes_;
  std::vector<Where> seen_;  // where each node was named first
  std::map<std::string, std::size_t> zones_;
  std::map<std::string, std::size_t> names_;
  std::map<std::string, Where> ids_;
  std::vector<Found> found_;
  std::vector<std::string> remarks_;
};

}  // namespace

const TopologyInstance* TopologyFile::find(std::string_view id) const {
  const auto at = std::lower_bound(by_id.begin(), by_id.end(), id,
                                   [&](std::uint32_t i, std::string_view wanted) { return instances[i].id < wanted; });
  return at != by_id.end() && instances[*at].id == id ? &instances[*at] : nullptr;
}

TopologyFile read_topology(std::span<const std::string> paths) {
  Reader reader({paths.begin(), paths.end()});
  for (std::size_t i = 0; i < paths.size(); ++i) reader.read(read_file(paths[i]), static_cast<std::int32_t>(i));
  return reader.finish();
}

TopologyFile parse_topology(std::string_view text, const std::string& name) {
  Reader reader({name});
  reader.read(text, 0);
  return reader.finish();
}

std::uint32_t network_layers(const NetworkTopology& network, LeafId leaf) {
  return network.depth(network.node_of(leaf)) - kZoneDepth;
}

}  // namespace headroom
