#include "mpi-tests/common/evidence.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headroom::mpi {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

// A file system root with what a test puts there.
class Root {
 public:
  Root() {
    std::string pattern = (fs::temp_directory_path() / "headroom-sysfs-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  Root(const Root&) = delete;
  Root& operator=(const Root&) = delete;
  ~Root() { fs::remove_all(path_); }

  const fs::path& path() const { return path_; }
  void file(const std::string& name, const std::string& text) const {
    fs::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name) << text;
  }
  void link(const std::string& name, const std::string& target) const {
    fs::create_directories((path_ / name).parent_path());
    fs::create_symlink(target, path_ / name);
  }

 private:
  fs::path path_;
};

TEST(MpiEvidence, ReadsTheCountersOfEveryPort) {
  const Root root;
  const std::string efa = "sys/class/infiniband/rdmap0s6";
  root.file(efa + "/ports/1/hw_counters/tx_bytes", "18446744073709551615\n");
  root.file(efa + "/ports/1/hw_counters/rx_bytes", "42\n");
  root.file(efa + "/ports/1/hw_counters/lifespan", "10\n");
  root.file(efa + "/ports/1/hw_counters/broken", "many\n");
  root.file(efa + "/ports/1/state", "4: ACTIVE\n");
  root.link(efa + "/device/driver", "../../../../bus/pci/drivers/efa");
  root.file("sys/class/infiniband/mlx5_0/ports/10/hw_counters/out_of_buffer", "0");
  root.file("sys/class/infiniband/mlx5_0/ports/2/lid", "0x0");
  root.file("sys/class/infiniband/mlx5_0/ports/readme/lid", "no port");
  const std::vector<DevicePort> ports = read_device_ports(root.path());
  ASSERT_EQ(ports.size(), 3U);
  EXPECT_EQ(ports[0].name, "mlx5_0");
  EXPECT_EQ(ports[0].driver, "");
  EXPECT_EQ(ports[0].port, 2);
  EXPECT_THAT(ports[0].counters, IsEmpty());
  EXPECT_EQ(ports[1].port, 10);
  EXPECT_EQ(ports[2].name, "rdmap0s6");
  EXPECT_EQ(ports[2].driver, "efa");
  EXPECT_THAT(ports[2].counters, ElementsAre(Pair("rx_bytes", 42U), Pair("tx_bytes", 18446744073709551615U)));
}

TEST(MpiEvidence, NoDevicesAreNoError) {
  const Root root;
  EXPECT_THAT(read_device_ports(root.path()), IsEmpty());
  EXPECT_THAT(read_device_ports(root.path() / "absent"), IsEmpty());
}

TEST(MpiEvidence, KnowsAnInstanceByItsFirmware) {
  const Root root;
  const std::string dmi = "sys/devices/virtual/dmi/id/";
  root.file(dmi + "sys_vendor", "Amazon EC2\n");
  root.file(dmi + "board_asset_tag", "i-04927897a9ce3c143\n");
  root.file(dmi + "product_name", "hpc7g.16xlarge\n");
  const Instance instance = instance_from_dmi(root.path());
  EXPECT_EQ(instance.id, "i-04927897a9ce3c143");
  EXPECT_EQ(instance.type, "hpc7g.16xlarge");
  EXPECT_EQ(instance.zone, "");
  root.file(dmi + "sys_vendor", "LENOVO\n");
  EXPECT_EQ(instance_from_dmi(root.path()).id, "");
  root.file(dmi + "sys_vendor", "Amazon EC2\n");
  root.file(dmi + "board_asset_tag", "No Asset Tag\n");
  EXPECT_EQ(instance_from_dmi(root.path()).id, "");
  EXPECT_EQ(instance_from_dmi(root.path() / "absent").type, "");
}

constexpr const char* kMaps =
    "55d0c0000000-55d0c0021000 r--p 00000000 fd:00 131 /home/ec2-user/mpi tests/pingpong\n"
    "7f1000000000-7f1000021000 rw-p 00000000 00:00 0 \n"
    "7f1100000000-7f1100021000 r-xp 00000000 fd:00 132 /opt/amazon/efa/lib64/libfabric.so.1.25.0\n"
    "7f1100021000-7f1100031000 r--p 00000000 fd:00 132 /opt/amazon/efa/lib64/libfabric.so.1.25.0\n"
    "7f1200000000-7f1200021000 r-xp 00000000 fd:00 133 /usr/lib64/libefa.so.1.3.54.0\n"
    "7f1300000000-7f1300001000 -w-s 00000000 00:06 400 /dev/infiniband/uverbs0\n"
    "7f1300001000-7f1300002000 -w-s 00001000 00:06 400 /dev/infiniband/uverbs0\n"
    "7f1400000000-7f1400001000 r-xp 00000000 fd:00 134 /opt/amazon/openmpi/lib64/openmpi/mca_mtl_ofi.so\n"
    "7f1400001000-7f1400002000 r-xp 00000000 fd:00 135 /opt/amazon/openmpi/lib64/openmpi/mca_coll_tuned.so\n"
    "7ffd00000000-7ffd00021000 rw-p 00000000 00:00 0 [stack]";

TEST(MpiEvidence, SeesWhatAProcessHoldsOnTo) {
  const Fabric fabric = fabric_from(kMaps, {"/dev/pts/0", "socket:[17]", "/dev/infiniband/uverbs1",
                                            "/dev/infiniband/uverbs0", "/dev/infiniband/uverbs0", "/dev/shm/vader"});
  EXPECT_TRUE(fabric.libfabric_loaded);
  EXPECT_THAT(fabric.open_devices, ElementsAre("/dev/infiniband/uverbs0", "/dev/infiniband/uverbs1"));
  EXPECT_THAT(fabric.mapped_devices, ElementsAre("/dev/infiniband/uverbs0"));
  EXPECT_THAT(fabric.libraries, ElementsAre("libefa.so.1.3.54.0", "libfabric.so.1.25.0"));
  EXPECT_THAT(fabric.mpi_components, ElementsAre("mtl_ofi"));
  const Fabric nothing = fabric_from("", {});
  EXPECT_FALSE(nothing.libfabric_loaded);
  EXPECT_THAT(nothing.libraries, IsEmpty());
}

TEST(MpiEvidence, AProviderIsUsedWhenItsDeviceHasQueues) {
  const Root root;
  root.link("sys/class/infiniband_verbs/uverbs0/device/driver", "../../../bus/pci/drivers/efa");
  root.link("sys/class/infiniband_verbs/uverbs1/device/driver", "../../../bus/pci/drivers/mlx5_core");
  Fabric fabric = fabric_from(kMaps, {"/dev/infiniband/uverbs0"});
  EXPECT_THAT(providers(fabric, root.path()), ElementsAre("efa"));
  fabric.mapped_devices.push_back("/dev/infiniband/uverbs1");
  EXPECT_THAT(providers(fabric, root.path()), ElementsAre("efa", "verbs"));
  // Only opened, as libfabric does when it looks for devices.
  fabric.mapped_devices.clear();
  EXPECT_THAT(providers(fabric, root.path()), IsEmpty());
  // Queues, but not libfabric's.
  fabric = fabric_from(kMaps, {});
  fabric.libfabric_loaded = false;
  EXPECT_THAT(providers(fabric, root.path()), IsEmpty());
}

TEST(MpiEvidence, ThisProcessHasAKernelAndProcessors) {
  EXPECT_EQ(boot_id().size(), 36U);
  EXPECT_FALSE(network_namespace().empty());
  EXPECT_FALSE(allowed_cpus().empty());
  EXPECT_FALSE(fabric_of_this_process().libfabric_loaded);
}

}  // namespace
}  // namespace headroom::mpi
