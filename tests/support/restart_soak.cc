#include "tests/support/restart_soak.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <string_view>
#include <thread>
#include <vector>

#include "tests/support/blocking_socket.h"
#include "tests/support/loaded_proxy.h"
#include "tests/support/process_figures.h"

namespace sluice::test {
namespace {

// Processes differ by how the heap fell out: by what the kernel had for a page, and which arenas
// threads met. Measured: up to 1.5 MB between two that did the same.
constexpr int64_t kPlainMarginKb = 4096;
#if defined(SLUICE_SANITIZE)
constexpr int64_t kResidentMarginKb = 100 * kPlainMarginKb;  // ASan keeps what was freed
#else
constexpr int64_t kResidentMarginKb = kPlainMarginKb;
#endif
// Of the growth over a whole run, by the slope of its samples.
constexpr auto kGrowthKb = static_cast<double>(kResidentMarginKb);
constexpr double kGrowthFds = 4;

// A body that comes as long as the test goes on.
class Download {
 public:
  explicit Download(const Address& server) : thread_([this, server] { Run(server); }) {}
  ~Download() { Wait(); }
  void Wait() {
    if (thread_.joinable()) thread_.join();
  }
  const std::string& failure() const { return failure_; }  // after Wait
  const PatternSum& sum() const { return sum_; }
  uint64_t received() const { return received_; }

 private:
  void Run(const Address& server) {
    BlockingSocket socket;
    std::string piece;
    bool good =
        socket.Connect(server) &&
        socket.Send("GET /download HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
    size_t end = std::string::npos;
    while (good && end == std::string::npos) {
      good = socket.Receive(piece);
      end = piece.find("\r\n\r\n");
    }
    if (good) piece.erase(0, end + 4);
    while (good) {
      sum_.Add(piece);
      received_ = sum_.size();
      piece.clear();
      good = socket.Receive(piece);
    }
    if (socket.error() != "the peer closed") failure_ = socket.error();
  }

  PatternSum sum_;
  std::string failure_;
  std::atomic<uint64_t> received_{0};
  std::thread thread_;
};

uint64_t SumOfPattern(uint64_t size) {
  PatternSum sum;
  std::string piece(1 << 20, '\0');
  for (uint64_t at = 0; at < size; at += piece.size()) {
    piece.resize(std::min<uint64_t>(piece.size(), size - at));
    for (size_t i = 0; i < piece.size(); ++i) piece[i] = PatternSum::At(at + i);
    sum.Add(piece);
  }
  return sum.sum();
}

}  // namespace

void SoakRestarts(const std::string& binary, int restarts) {
  LoadedProxy proxy(binary, 0);
  ASSERT_TRUE(proxy.Start());
  const LoadedProxy::Figures first = proxy.Look();
  ASSERT_TRUE(proxy.StartLoad());
  std::vector<double> resident;
  for (int i = 1; i <= restarts; ++i) {
    // All of them are this process', and its alone.
    ASSERT_TRUE(
        proxy.driver().RunUntil([&] { return proxy.load().open_sockets() == 5; }, "WebSockets"));
    const uint64_t ended = proxy.load().ended_sockets();
    // Before the command: on a slow machine it ends no sooner than the drain does.
    const uint64_t echoes = proxy.load().echoes();
    ASSERT_TRUE(proxy.Command("restart")) << "restart " << i;
    // The old one ends none of them before its deadline, and answers them until then.
    ASSERT_TRUE(proxy.driver().RunUntil(
        [&] {
          return proxy.CountInLog("the drain timeout is over: closing 5 connections") ==
                 static_cast<size_t>(i);
        },
        "the deadline"))
        << proxy.log();
    EXPECT_GT(proxy.load().echoes(), echoes);
    ASSERT_TRUE(proxy.driver().RunUntil([&] { return proxy.load().ended_sockets() == ended + 5; },
                                        "the WebSockets' end"));
    const int pid = proxy.AwaitOneProcess();
    resident.push_back(static_cast<double>(ResidentKilobytesOf(pid)));
    if (testing::Test::HasFailure()) return;
  }
  proxy.StopLoadAndCheck();
  // One that was restarted into, and has served a load, against the first, which had not: what
  // buffers and connections took stays with the allocator. Between them, the last two thirds.
  const LoadedProxy::Figures last = proxy.Look();
  EXPECT_EQ(last.fds, first.fds);
  EXPECT_EQ(last.supervisor_fds, first.supervisor_fds);
  EXPECT_LE(last.supervisor_kb, first.supervisor_kb + 512);
  const auto [least, most] = std::minmax_element(resident.begin(), resident.end());
  EXPECT_LE(*most - *least, static_cast<double>(kResidentMarginKb));
  std::printf(
      "%d restarts: %zu + %zu requests counted, %zu of wrk, %zu WebSockets; RSS idle %ld "
      "-> %ld KB, under load %.0f..%.0f KB, slope %.1f KB a restart; fds %ld -> %ld\n",
      restarts, static_cast<size_t>(proxy.load().fresh()), static_cast<size_t>(proxy.load().kept()),
      static_cast<size_t>(proxy.wrk_requests()), static_cast<size_t>(proxy.load().opened_sockets()),
      static_cast<long>(first.resident_kb), static_cast<long>(last.resident_kb), *least, *most,
      SlopeOf(resident), static_cast<long>(first.fds), static_cast<long>(last.fds));
  proxy.StopAndCheck();
}

void SoakReloads(const std::string& binary, int reloads, uint64_t download_size) {
  LoadedProxy proxy(binary, download_size);
  ASSERT_TRUE(proxy.Start());
  const LoadedProxy::Figures first = proxy.Look();
  ASSERT_TRUE(proxy.StartLoad());
  Download download(proxy.Where("sockets"));
  const uint64_t opened = proxy.load().opened_sockets();
  const uint64_t step = download_size / static_cast<uint64_t>(reloads + 1);
  uint64_t granted = 0;
  std::vector<double> resident;
  std::vector<double> fds;
  for (int i = 0; i < reloads; ++i) {
    if (i % 2 == 0) {
      proxy.WriteConfig(
          "  - { name: extra, listen: 127.0.0.1:0, filters: [{ cors: { origins: [\"*\"] } }], "
          "routes: [{ match: { prefix: / }, cluster: more }] }\n",
          "  - { name: more, endpoints: [127.0.0.1:1] }\n",
          "{ headers: { request: { set: { x-reload: two } } } }",
          "{ match: { path: /more }, cluster: more }, ");
    } else {
      proxy.WriteConfig();
    }
    ASSERT_TRUE(proxy.Command("reload")) << "reload " << i;
    granted += step;
    proxy.upstream().Grant(step);
    ASSERT_TRUE(
        proxy.driver().RunUntil([&] { return download.received() >= granted; }, "the download"));
    const int pid = proxy.AwaitOneProcess();
    resident.push_back(static_cast<double>(ResidentKilobytesOf(pid)));
    fds.push_back(static_cast<double>(OpenFdsOf(pid)));
    if (testing::Test::HasFailure()) return;
  }
  proxy.upstream().Grant(download_size - granted);
  download.Wait();
  EXPECT_EQ(download.failure(), "");
  EXPECT_EQ(download.sum().size(), download_size);
  EXPECT_EQ(download.sum().sum(), SumOfPattern(download_size));
  // Not one of them was ended.
  EXPECT_EQ(proxy.load().opened_sockets(), opened);
  proxy.StopLoadAndCheck();
  const LoadedProxy::Figures last = proxy.Look();
  EXPECT_EQ(last.pid, first.pid);
  EXPECT_EQ(last.fds, first.fds);
  // The first third fills pools and the allocator.
  const auto warm = static_cast<ptrdiff_t>(resident.size() / 3);
  resident.erase(resident.begin(), resident.begin() + warm);
  fds.erase(fds.begin(), fds.begin() + warm);
  const auto samples = static_cast<double>(resident.size());
  std::printf(
      "%d reloads: %zu + %zu requests counted, %zu of wrk; RSS %.0f -> %.0f KB, slope %.3f "
      "KB a reload; fds %.0f -> %.0f, slope %.4f\n",
      reloads, static_cast<size_t>(proxy.load().fresh()), static_cast<size_t>(proxy.load().kept()),
      static_cast<size_t>(proxy.wrk_requests()), resident.front(), resident.back(),
      SlopeOf(resident), fds.front(), fds.back(), SlopeOf(fds));
  EXPECT_LE(SlopeOf(resident) * samples, kGrowthKb);
  EXPECT_LE(SlopeOf(fds) * samples, kGrowthFds);
  proxy.StopAndCheck();
}

}  // namespace sluice::test
