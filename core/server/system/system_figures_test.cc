#include "core/server/system/system_figures.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>

#include "core/base/clock.h"
#include "core/base/strings.h"
#include "core/net/listen_socket.h"
#include "core/net/socket.h"
#include "core/stats/directory.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

// Figures of a /proc and a cgroup of the test's own.
class SystemFiguresTest : public testing::Test {
 protected:
  SystemFiguresTest() {
    for (const char* name : {"self", "net", "pressure", "cgroup", "cgroup/web"}) {
      EXPECT_EQ(mkdir(folder_.Path(name).c_str(), 0700), 0);
    }
    sources_.proc = folder_.path();
    sources_.sockets = [this] { return sockets_; };
    sources_.log_paths = [this] { return log_paths_; };
    segment_ = std::move(*StatsSegment::Create({}));
    directory_ = std::make_unique<StatsDirectory>(*segment_);
    loop_ = std::move(*Loop::Create(clock_));
  }

  void WriteCgroup() {
    folder_.Write("self/cgroup", "0::/web\n");
    folder_.Write("self/mountinfo",
                  StrCat({"30 23 0:26 / ", folder_.Path("cgroup"), " rw - cgroup2 cgroup2 rw\n"}));
  }
  void WriteCpuStat(std::string_view throttled) {
    folder_.Write("cgroup/web/cpu.stat", StrCat({"usage_usec 5000000\nnr_periods 9\nnr_throttled ",
                                                 throttled, "\nthrottled_usec 2500000\n"}));
  }

  SystemFigures& Start() {
    figures_ = std::make_unique<SystemFigures>(*loop_, *directory_, sources_);
    return *figures_;
  }
  // Another process' figures in the same metrics.
  std::unique_ptr<SystemFigures> StartAnother() {
    return std::make_unique<SystemFigures>(*loop_, *directory_, sources_);
  }
  void PassTime(Nanos time) {
    clock_.Advance(time);
    loop_->RunOnce(0);
  }

  bool Shown(std::string_view name, const LabelList& labels = {}) {
    return StatsReader(*segment_).Find(name, labels).has_value();
  }
  int64_t Value(std::string_view name, const LabelList& labels = {}) {
    const StatsReader reader(*segment_);
    const std::optional<SeriesId> id = reader.Find(name, labels);
    if (!id) return -1;
    return name.ends_with("_total") ? static_cast<int64_t>(reader.counter(*id)) : reader.gauge(*id);
  }

  test::TempFolder folder_;
  FakeClock clock_;
  SystemSources sources_;
  std::vector<ListeningSocket> sockets_;
  std::vector<std::string> log_paths_;
  std::unique_ptr<StatsSegment> segment_;
  std::unique_ptr<StatsDirectory> directory_;
  std::unique_ptr<Loop> loop_;
  std::unique_ptr<SystemFigures> figures_;
};

int64_t CpuMicros() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 + usage.ru_utime.tv_usec +
         usage.ru_stime.tv_usec;
}

TEST_F(SystemFiguresTest, WhatTheMachineDoesNotSayHasNoMetric) {
  SystemFigures& figures = Start();
  figures.SetServing(true);
  figures.SampleAll();
  EXPECT_FALSE(Shown("sluice_process_resident_memory_bytes"));
  EXPECT_FALSE(Shown("sluice_cgroup_memory_bytes"));
  EXPECT_FALSE(Shown("sluice_cgroup_cpu_throttled_seconds_total"));
  EXPECT_FALSE(
      Shown("sluice_host_pressure_seconds_total", {{"resource", "cpu"}, {"stall", "some"}}));
  EXPECT_FALSE(Shown("sluice_host_listen_overflows_total"));
  EXPECT_FALSE(Shown("sluice_host_log_volume_size_bytes"));
  EXPECT_TRUE(Shown("sluice_process_max_fds"));  // no file says that
}

TEST_F(SystemFiguresTest, ThisProcess) {
  sources_.proc = "/proc";
  const int64_t before = CpuMicros();
  SystemFigures& figures = Start();
  const int64_t cpu = Value("sluice_process_cpu_seconds_total", {{"mode", "user"}}) +
                      Value("sluice_process_cpu_seconds_total", {{"mode", "system"}});
  EXPECT_GE(cpu, before);  // all of it: the process' first figures begin with it
  EXPECT_LE(cpu, CpuMicros());
  EXPECT_GT(Value("sluice_process_resident_memory_bytes"), 100 * 1024);
  EXPECT_GE(Value("sluice_process_peak_resident_memory_bytes"), 100 * 1024);
  EXPECT_GE(Value("sluice_process_virtual_memory_bytes"),
            Value("sluice_process_resident_memory_bytes"));
  EXPECT_GE(Value("sluice_process_threads"), 1);
  EXPECT_GE(Value("sluice_process_context_switches_total", {{"kind", "voluntary"}}), 0);
  const int64_t fds = Value("sluice_process_open_fds");
  const Fd fd(dup(STDERR_FILENO));
  figures.SampleAll();
  EXPECT_EQ(Value("sluice_process_open_fds"), fds + 1);
  EXPECT_GT(Value("sluice_process_max_fds"), fds);
}

TEST(CountFds, ByNameAndBySize) {
  const std::optional<uint64_t> by_name = CountFds("/proc/self/fd");
  ASSERT_TRUE(by_name);
  // Where the kernel says it at once, it says the same.
  EXPECT_EQ(CountedFds("/proc/self/fd").value_or(*by_name), *by_name);
  EXPECT_FALSE(CountFds("/nowhere"));
  EXPECT_FALSE(CountedFds("/nowhere"));
}

TEST_F(SystemFiguresTest, ProcessCountersGoOnFromThoseOfTheProcessBefore) {
  Start();
  const LabelList user = {{"mode", "user"}};
  const int64_t first = Value("sluice_process_cpu_seconds_total", user);
  const std::unique_ptr<SystemFigures> next = StartAnother();  // it took as much by now
  EXPECT_GE(Value("sluice_process_cpu_seconds_total", user), 2 * first);
}

TEST_F(SystemFiguresTest, Cgroup) {
  WriteCgroup();
  WriteCpuStat("3");
  folder_.Write("cgroup/web/cpu.max", "50000 100000\n");
  folder_.Write("cgroup/web/memory.current", "1048576\n");
  folder_.Write("cgroup/web/memory.max", "2097152\n");
  folder_.Write("cgroup/web/memory.high", "max\n");
  folder_.Write("cgroup/web/memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\n");
  folder_.Write("cgroup/web/memory.pressure",
                "some avg10=0.00 total=70\nfull avg10=0.00 total=7\n");
  SystemFigures& figures = Start();
  figures.SetServing(true);
  EXPECT_EQ(Value("sluice_cgroup_cpu_quota_seconds"), 50000);
  EXPECT_EQ(Value("sluice_cgroup_cpu_quota_period_seconds"), 100000);
  EXPECT_EQ(Value("sluice_cgroup_memory_bytes"), 1048576);
  EXPECT_EQ(Value("sluice_cgroup_memory_max_bytes"), 2097152);
  EXPECT_FALSE(Shown("sluice_cgroup_memory_high_bytes"));
  // Counted before Sluice served: not ours.
  EXPECT_EQ(Value("sluice_cgroup_cpu_throttled_periods_total"), 0);
  EXPECT_EQ(Value("sluice_cgroup_memory_events_total", {{"event", "oom_kill"}}), 0);

  WriteCpuStat("8");
  folder_.Write("cgroup/web/memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 5\n");
  folder_.Write("cgroup/web/memory.pressure",
                "some avg10=0.00 total=90\nfull avg10=0.00 total=8\n");
  folder_.Write("cgroup/web/memory.max", "max\n");
  folder_.Write("cgroup/web/memory.current", "rubbish\n");
  figures.SampleAll();
  EXPECT_EQ(Value("sluice_cgroup_cpu_throttled_periods_total"), 5);
  EXPECT_EQ(Value("sluice_cgroup_memory_events_total", {{"event", "oom_kill"}}), 1);
  EXPECT_EQ(Value("sluice_cgroup_memory_events_total", {{"event", "oom"}}), 0);
  const LabelList some = {{"resource", "memory"}, {"stall", "some"}};
  EXPECT_EQ(Value("sluice_cgroup_pressure_seconds_total", some), 20);
  EXPECT_EQ(Value("sluice_cgroup_memory_max_bytes"), 0);
  EXPECT_EQ(Value("sluice_cgroup_memory_bytes"), 1048576);
}

TEST_F(SystemFiguresTest, TheCheapOnesOnceASecondTheRestOnceInTen) {
  WriteCgroup();
  WriteCpuStat("0");
  folder_.Write("meminfo", "MemTotal: 1 kB\n");
  Start().SetServing(true);
  WriteCpuStat("2");
  folder_.Write("meminfo", "MemTotal: 2 kB\n");
  PassTime(SystemFigures::kEvery / 2);
  EXPECT_EQ(Value("sluice_cgroup_cpu_throttled_periods_total"), 0);
  PassTime(SystemFigures::kEvery);
  EXPECT_EQ(Value("sluice_cgroup_cpu_throttled_periods_total"), 2);
  EXPECT_EQ(Value("sluice_host_memory_bytes"), 1024);
  for (int i = 0; i < SystemFigures::kAllEvery; ++i) PassTime(SystemFigures::kEvery + kMillisecond);
  EXPECT_EQ(Value("sluice_host_memory_bytes"), 2048);
}

TEST_F(SystemFiguresTest, TheMachinesCountersAreAddedByTheProcessThatServes) {
  const auto overflow = [this](std::string_view count) {
    folder_.Write("net/netstat",
                  StrCat({"TcpExt: ListenOverflows ListenDrops\nTcpExt: ", count, " 0\n"}));
  };
  const auto value = [this] { return Value("sluice_host_listen_overflows_total"); };
  overflow("100");
  SystemFigures& first = Start();
  overflow("110");
  first.SetServing(true);
  EXPECT_EQ(value(), 0);
  overflow("111");
  const std::unique_ptr<SystemFigures> next = StartAnother();
  overflow("115");
  next->SampleAll();
  first.SampleAll();
  EXPECT_EQ(value(), 5);

  first.SetServing(false);
  next->SetServing(true);
  overflow("118");
  next->SampleAll();
  first.SampleAll();
  EXPECT_EQ(value(), 8);

  overflow("2");  // began anew
  next->SampleAll();
  EXPECT_EQ(value(), 8);
  overflow("3");
  next->SampleAll();
  EXPECT_EQ(value(), 9);
}

TEST_F(SystemFiguresTest, InterfacesComeAndGo) {
  const auto sent = [this] {
    return Value("sluice_host_network_bytes_total", {{"direction", "sent"}});
  };
  const std::string loopback = "lo: 9 0 0 0 0 0 0 0 999 0 0 0 0 0 0 0\n";
  const std::string other = "veth1: 0 0 0 0 0 0 0 0 5000 0 0 0 0 0 0 0\n";
  folder_.Write("net/dev", loopback + "eth0: 1 0 0 0 0 0 0 0 100 0 0 0 0 0 0 0\n" + other);
  SystemFigures& figures = Start();
  figures.SetServing(true);
  EXPECT_EQ(sent(), 0);
  folder_.Write("net/dev", "eth0: 1 0 0 0 0 0 0 0 150 0 0 0 0 0 0 0\n");
  figures.SampleAll();
  EXPECT_EQ(sent(), 50);
  folder_.Write("net/dev", "eth0: 1 0 0 0 0 0 0 0 170 0 0 0 0 0 0 0\n" + other);
  figures.SampleAll();
  EXPECT_EQ(sent(), 70);
}

TEST_F(SystemFiguresTest, TheDiskOfTheLogs) {
  log_paths_ = {"", "/dev/stdout", folder_.Path("access.log"), "/nowhere/at/all.log"};
  Start();
  EXPECT_GT(Value("sluice_host_log_volume_size_bytes"), 0);
  EXPECT_LE(Value("sluice_host_log_volume_available_bytes"),
            Value("sluice_host_log_volume_size_bytes"));
}

TEST_F(SystemFiguresTest, AcceptQueuesByListener) {
  ListenOptions options;
  options.backlog = 1;
  Result<Address> any = Address::Parse("127.0.0.1:0");
  ASSERT_TRUE(any);
  Result<ListenSockets> sockets = OpenListenSockets(*any, 1, options);
  ASSERT_TRUE(sockets);
  sockets_ = {{"web", sockets->fds[0].get()}, {"none", STDERR_FILENO}};
  SystemFigures& figures = Start();
  figures.SetServing(true);
  const LabelList web = {{"listener", "web"}};
  EXPECT_EQ(Value("sluice_downstream_accept_queue_connections", web), 0);
  EXPECT_EQ(Value("sluice_downstream_accept_queue_limit", web), 1);
  EXPECT_FALSE(Shown("sluice_downstream_accept_queue_limit", {{"listener", "none"}}));

  // One more fits than the limit says; the next is turned away, and tries again by itself.
  std::vector<Fd> clients;
  for (int i = 0; i < 3; ++i) {
    Fd client(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_storage address{};
    const socklen_t size = sockets->address.ToSockaddr(address);
    connect(client.get(), reinterpret_cast<const sockaddr*>(&address), size);
    clients.push_back(std::move(client));
  }
  while (Value("sluice_downstream_accept_queue_drops_total", web) == 0) figures.SampleAll();
  EXPECT_EQ(Value("sluice_downstream_accept_queue_connections", web), 2);

  sockets_.clear();
  figures.SampleAll();
  EXPECT_EQ(Value("sluice_downstream_accept_queue_connections", web), 0);
  EXPECT_EQ(Value("sluice_downstream_accept_queue_limit", web), 0);
}

}  // namespace
}  // namespace sluice
