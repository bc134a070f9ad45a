#include "core/server/system/kernel_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice {
namespace {

using testing::IsEmpty;

TEST(KernelText, NumbersByTheirKey) {
  constexpr std::string_view kText =
      "usage_usec 120\nnr_throttled 7\nVmHWM:\t    1640 kB\nMemTotal:  8 kB\nlast 9";
  EXPECT_EQ(NumberOf(kText, "usage_usec"), 120u);
  EXPECT_EQ(NumberOf(kText, "nr_throttled"), 7u);
  EXPECT_EQ(NumberOf(kText, "VmHWM"), 1640u * 1024);
  EXPECT_EQ(NumberOf(kText, "MemTotal"), 8192u);
  EXPECT_EQ(NumberOf(kText, "last"), 9u);
  EXPECT_EQ(NumberOf(kText, "usage"), std::nullopt);
  EXPECT_EQ(NumberOf("", "usage"), std::nullopt);
}

TEST(KernelText, NumbersThatAreNoneAreNothing) {
  for (const std::string_view text : {"key", "key ", "key x", "key -1", "key 1x", "key\n12",
                                      "key 99999999999999999999", "key 18446744073709551615 kB"}) {
    EXPECT_EQ(NumberOf(text, "key"), std::nullopt) << text;
  }
}

TEST(KernelText, NumbersInGroups) {
  constexpr std::string_view kText =
      "Ip: Forwarding OutSegs\nIp: 1 2\n"
      "Tcp: RtoMin MaxConn OutSegs RetransSegs\nTcp: 200 -1 524 16\n"
      "Udp: OutSegs\nUdp: 3\n";
  EXPECT_EQ(NumberInGroup(kText, "Tcp:", "OutSegs"), 524u);
  EXPECT_EQ(NumberInGroup(kText, "Tcp:", "RetransSegs"), 16u);
  EXPECT_EQ(NumberInGroup(kText, "Udp:", "OutSegs"), 3u);
  EXPECT_EQ(NumberInGroup(kText, "Tcp:", "MaxConn"), std::nullopt);
  EXPECT_EQ(NumberInGroup(kText, "Tcp:", "InSegs"), std::nullopt);
  EXPECT_EQ(NumberInGroup(kText, "Sctp:", "OutSegs"), std::nullopt);
  EXPECT_EQ(NumberInGroup("Tcp: A B\n", "Tcp:", "A"), std::nullopt);
  EXPECT_EQ(NumberInGroup("Tcp: A B\nTcp: 1", "Tcp:", "B"), std::nullopt);
  EXPECT_EQ(NumberInGroup("Tcp: A B\nUdp: 1 2\n", "Tcp:", "B"), std::nullopt);
}

TEST(KernelText, OneNumberOrMax) {
  EXPECT_EQ(OnlyNumber("4096\n"), 4096u);
  EXPECT_EQ(OnlyNumber("max\n"), std::nullopt);
  EXPECT_EQ(OnlyNumber(""), std::nullopt);
}

TEST(KernelText, Pressure) {
  constexpr std::string_view kText =
      "some avg10=0.06 avg60=2.23 avg300=2.58 total=12397611866\n"
      "full avg10=0.00 avg60=0.00 avg300=0.00 total=4\n";
  EXPECT_EQ(PressureTotal(kText, "some"), 12397611866u);
  EXPECT_EQ(PressureTotal(kText, "full"), 4u);
  EXPECT_EQ(PressureTotal("some avg10=0.06 total=1", "full"), std::nullopt);
  EXPECT_EQ(PressureTotal("some avg10=0.06\n", "some"), std::nullopt);
  EXPECT_EQ(PressureTotal("some total=", "some"), std::nullopt);
}

TEST(KernelText, ProcessStat) {
  const std::string rest =
      " S 17195 17195 9939 0 -1 4194304 123 0 0 0 11 12 0 0 20 0 5 0 2202498 3133440 366 18446\n";
  for (const char* name : {"(sluice)", "(a b)", "(a) R 1 (b)", "())"}) {
    const std::optional<ProcessStat> stat = ParseProcessStat(std::string("17197 ") + name + rest);
    ASSERT_TRUE(stat) << name;
    EXPECT_EQ(stat->threads, 5u);
    EXPECT_EQ(stat->virtual_bytes, 3133440u);
    EXPECT_EQ(stat->resident_pages, 366u);
  }
  EXPECT_FALSE(ParseProcessStat(""));
  EXPECT_FALSE(ParseProcessStat("17197 sluice S 1"));
  EXPECT_FALSE(ParseProcessStat("17197 (sluice) S 1 2 3"));
}

TEST(KernelText, CpuMax) {
  const std::optional<CpuMax> half = ParseCpuMax("50000 100000\n");
  ASSERT_TRUE(half);
  EXPECT_EQ(half->quota, 50000u);
  EXPECT_EQ(half->period, 100000u);
  const std::optional<CpuMax> all = ParseCpuMax("max 100000\n");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->quota, std::nullopt);
  for (const std::string_view text : {"", "max", "50000", "50000 0", "x 100000"}) {
    EXPECT_FALSE(ParseCpuMax(text)) << text;
  }
}

TEST(KernelText, Interfaces) {
  const std::vector<InterfaceTraffic> all = ParseInterfaces(
      "Inter-|   Receive                         |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
      "    lo: 15816 5291 0 274 0 0 0 0 15816 5291 0 0 0 0 0 0\n"
      "eth0:0:28175 818 1 2 0 0 0 0 49612 578 3 4 0 0 0 0\n"
      "  eth1: 1 2 3\n");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "lo");
  EXPECT_EQ(all[0].received_drops, 274u);
  EXPECT_EQ(all[1].name, "eth0:0");
  EXPECT_EQ(all[1].received_bytes, 28175u);
  EXPECT_EQ(all[1].received_drops, 2u);
  EXPECT_EQ(all[1].sent_bytes, 49612u);
  EXPECT_EQ(all[1].sent_drops, 4u);
  EXPECT_THAT(ParseInterfaces(""), IsEmpty());
}

// As `cat` shows them on machines of different kinds.
TEST(KernelText, CgroupFolder) {
  constexpr std::string_view kOnlyV2 =
      "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
  EXPECT_EQ(CgroupFolder("0::/system.slice/sluice.service\n", kOnlyV2),
            "/sys/fs/cgroup/system.slice/sluice.service");
  EXPECT_EQ(CgroupFolder("0::/\n", kOnlyV2), "/sys/fs/cgroup");

  constexpr std::string_view kBoth =
      "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
      "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(CgroupFolder("9:name=systemd:/\n4:memory:/x\n0::/a\n", kBoth),
            "/sys/fs/cgroup/unified/a");

  // A container without a cgroup namespace sees its own part at the mount.
  constexpr std::string_view kPart =
      "41 31 0:38 /docker/ab /sys/fs/cgroup rw - cgroup2 cgroup rw\n";
  EXPECT_EQ(CgroupFolder("0::/docker/ab\n", kPart), "/sys/fs/cgroup");
  EXPECT_EQ(CgroupFolder("0::/docker/ab/inner\n", kPart), "/sys/fs/cgroup/inner");
  EXPECT_EQ(CgroupFolder("0::/docker/abc\n", kPart), "/sys/fs/cgroup");
  EXPECT_EQ(CgroupFolder("0::/../other\n", kOnlyV2), "/sys/fs/cgroup");

  EXPECT_EQ(CgroupFolder("0::/a\n", "41 31 0:38 / /odd\\040name rw - cgroup2 cgroup2 rw\n"),
            "/odd name/a");
}

TEST(KernelText, NoCgroupFolder) {
  constexpr std::string_view kMount = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  EXPECT_EQ(CgroupFolder("4:memory:/x\n", kMount), "");
  EXPECT_EQ(CgroupFolder("0::/a\n", "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"),
            "");
  EXPECT_EQ(CgroupFolder("0::a\n", kMount), "");
  EXPECT_EQ(CgroupFolder("", ""), "");
  EXPECT_EQ(CgroupFolder("0::/a\n", "30 23 - cgroup2\n"), "");
}

}  // namespace
}  // namespace sluice
