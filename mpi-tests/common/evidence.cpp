#include "mpi-tests/common/evidence.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include <sys/stat.h>

namespace headroom::mpi {

namespace fs = std::filesystem;

namespace {

// The names in a folder, sorted; none when it is not there.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

template <class Integer>
bool parse(std::string_view text, Integer& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

std::string driver_of(const fs::path& device) {
  std::error_code error;
  const fs::path target = fs::read_symlink(device / "device" / "driver", error);
  return error ? std::string() : target.filename().string();
}

void add_once(std::vector<std::string>& list, std::string_view text) {
  if (std::find(list.begin(), list.end(), text) == list.end()) list.emplace_back(text);
}

bool is_device(std::string_view path) {
  // InfiniBand verbs (EFA too), Omni-Path, Slingshot, and the copy helpers of shared memory.
  for (const std::string_view prefix : {"/dev/infiniband/", "/dev/hfi1", "/dev/cxi", "/dev/xpmem", "/dev/knem"}) {
    if (path.substr(0, prefix.size()) == prefix) return true;
  }
  return false;
}

bool is_transport(std::string_view library) {
  for (const std::string_view prefix :
       {"libfabric.so", "libefa", "libibverbs.so", "librdmacm.so", "libucp.so", "libpsm2.so", "libtcp-fi.so",
        "libsockets-fi.so", "libverbs-", "libshm-fi.so", "librxm-fi.so", "libnccl-net"}) {
    if (library.substr(0, prefix.size()) == prefix) return true;
  }
  return false;
}

bool is_instance_id(std::string_view text) {
  if (text.size() < 10 || text.substr(0, 2) != "i-") return false;
  return text.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos;
}

}  // namespace

std::string first_line(const fs::path& file) {
  std::ifstream stream(file);
  std::string line;
  std::getline(stream, line);
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
  return line;
}

std::vector<DevicePort> read_device_ports(const fs::path& root) {
  std::vector<DevicePort> result;
  const fs::path devices = root / "sys/class/infiniband";
  for (const std::string& name : names_in(devices)) {
    for (const std::string& port : names_in(devices / name / "ports")) {
      DevicePort entry;
      entry.name = name;
      entry.driver = driver_of(devices / name);
      if (!parse(port, entry.port)) continue;
      const fs::path counters = devices / name / "ports" / port / "hw_counters";
      for (const std::string& counter : names_in(counters)) {
        std::uint64_t value = 0;
        // `lifespan` says for how many ms the kernel answers from its memory.
        if (counter != "lifespan" && parse(first_line(counters / counter), value))
          entry.counters.emplace(counter, value);
      }
      result.push_back(std::move(entry));
    }
  }
  std::stable_sort(result.begin(), result.end(), [](const DevicePort& one, const DevicePort& other) {
    return one.name != other.name ? one.name < other.name : one.port < other.port;
  });
  return result;
}

Instance instance_from_dmi(const fs::path& root) {
  const fs::path folder = root / "sys/devices/virtual/dmi/id";
  Instance instance;
  // Other clouds and machines use these fields for other things.
  if (first_line(folder / "sys_vendor") != "Amazon EC2") return instance;
  if (const std::string tag = first_line(folder / "board_asset_tag"); is_instance_id(tag)) instance.id = tag;
  if (const std::string name = first_line(folder / "product_name"); name.find('.') != std::string::npos) {
    instance.type = name;
  }
  return instance;
}

Fabric fabric_from(std::string_view maps, const std::vector<std::string>& links) {
  Fabric fabric;
  for (const std::string& link : links) {
    if (is_device(link)) add_once(fabric.open_devices, link);
  }
  while (!maps.empty()) {
    const std::size_t end = maps.find('\n');
    const std::string_view line = maps.substr(0, end);
    maps.remove_prefix(end == std::string_view::npos ? maps.size() : end + 1);
    // address perms offset dev inode path; the path is the only field that begins with a slash.
    const std::size_t slash = line.find('/');
    if (slash == std::string_view::npos) continue;
    const std::string_view path = line.substr(slash);
    const std::string_view file = path.substr(path.rfind('/') + 1);
    if (is_device(path)) add_once(fabric.mapped_devices, path);
    if (is_transport(file)) add_once(fabric.libraries, file);
    if (file.substr(0, 13) == "libfabric.so.") fabric.libfabric_loaded = true;
    if (file.substr(0, 4) == "mca_" && file.size() > 7 && file.substr(file.size() - 3) == ".so") {
      const std::string_view component = file.substr(4, file.size() - 7);
      for (const std::string_view framework : {"pml_", "mtl_", "btl_", "bml_", "osc_"}) {
        if (component.substr(0, framework.size()) == framework) add_once(fabric.mpi_components, component);
      }
    }
  }
  for (std::vector<std::string>* list :
       {&fabric.open_devices, &fabric.mapped_devices, &fabric.libraries, &fabric.mpi_components}) {
    std::sort(list->begin(), list->end());
  }
  return fabric;
}

Fabric fabric_of_this_process() {
  std::ifstream stream("/proc/self/maps");
  const std::string maps{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  std::vector<std::string> links;
  for (const std::string& name : names_in("/proc/self/fd")) {
    std::error_code error;
    const fs::path target = fs::read_symlink(fs::path("/proc/self/fd") / name, error);
    if (!error) links.push_back(target.string());
  }
  return fabric_from(maps, links);
}

std::vector<std::string> providers(const Fabric& fabric, const fs::path& root) {
  std::vector<std::string> result;
  if (!fabric.libfabric_loaded) return result;
  for (const std::string& device : fabric.mapped_devices) {
    const std::string driver = driver_of(root / "sys/class/infiniband_verbs" / fs::path(device).filename());
    if (driver == "efa") add_once(result, "efa");
    if (driver == "mlx5_core") add_once(result, "verbs");
  }
  return result;
}

std::string boot_id() { return first_line("/proc/sys/kernel/random/boot_id"); }

std::string network_namespace() {
  struct stat status {};
  return stat("/proc/self/ns/net", &status) == 0 ? std::to_string(status.st_ino) : std::string();
}

std::string allowed_cpus() {
  std::ifstream stream("/proc/self/status");
  constexpr std::string_view kKey = "Cpus_allowed_list:";
  for (std::string line; std::getline(stream, line);) {
    if (line.compare(0, kKey.size(), kKey) != 0) continue;
    const std::size_t start = line.find_first_not_of(" \t", kKey.size());
    return start == std::string::npos ? std::string() : line.substr(start);
  }
  return "";
}

}  // namespace headroom::mpi
