// What a process can say of itself and its host without being told: which instance it is, which network devices there
// are and what they have counted, which libraries and devices it holds. Read from /proc and sysfs; nothing here needs
// MPI or rights. What cannot be read is left empty: a missing fact is no error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace headroom::mpi {

// One port of an RDMA device: /sys/class/infiniband/NAME/ports/PORT/hw_counters.
struct DevicePort {
  std::string name;
  std::string driver;  // "efa" for Elastic Fabric Adapters: where the link device/driver points
  int port = 0;
  std::map<std::string, std::uint64_t> counters;
};

// All ports below root/sys/class/infiniband, by name and port. Names that are no counters (`lifespan`) are left out.
std::vector<DevicePort> read_device_ports(const std::filesystem::path& root);

struct Instance {
  std::string id;    // i-...
  std::string type;  // hpc6a.48xlarge
  std::string zone;  // use2-az2: an Availability Zone ID, the same in every account
};

// What the firmware tells on EC2's Nitro instances (root/sys/devices/virtual/dmi/id): id and type. Empty elsewhere.
Instance instance_from_dmi(const std::filesystem::path& root);

// Which transport this process holds on to.
struct Fabric {
  bool libfabric_loaded = false;
  // Device files that are open. libfabric's EFA provider opens every device when it looks for them, so this proves that
  // the provider is there, not that it is used.
  std::vector<std::string> open_devices;
  // Device files of which something is mapped: queues and doorbells, so a queue pair was made (rdma-core,
  // providers/efa: mmap on the file of the device for each queue). This is use.
  std::vector<std::string> mapped_devices;
  std::vector<std::string> libraries;       // of transports: libfabric.so.1, libefa.so.1, libucp.so.0, ...
  std::vector<std::string> mpi_components;  // Open MPI's plug-ins still loaded after the choice: mtl_ofi, btl_tcp, ...
};

// `maps` is the text of /proc/self/maps, `links` where the links in /proc/self/fd point.
Fabric fabric_from(std::string_view maps, const std::vector<std::string>& links);
Fabric fabric_of_this_process();

// The libfabric providers that the evidence shows in use: libfabric is loaded and has mapped queues of a device whose
// driver a provider stands for (efa: "efa"; mlx5_core: "verbs"). Providers over sockets (tcp) leave no such trace and
// are not named.
std::vector<std::string> providers(const Fabric& fabric, const std::filesystem::path& root);

std::string boot_id();            // equal on two processes = one running kernel
std::string network_namespace();  // the inode of the namespace
std::string allowed_cpus();       // "0-3,8"

// The first line of a small file without its end; empty when it cannot be read.
std::string first_line(const std::filesystem::path& file);

}  // namespace headroom::mpi
