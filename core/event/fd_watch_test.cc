#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/clock.h"
#include "core/event/loop.h"

namespace sluice {
namespace {

constexpr uint32_t kReadable = FdWatch::kReadable;
constexpr uint32_t kWritable = FdWatch::kWritable;
constexpr uint32_t kPeerClosed = FdWatch::kPeerClosed;
constexpr uint32_t kFailed = FdWatch::kFailed;

// Notes what it is told.
struct Ear final : FdWatch::Handler {
  explicit Ear(Loop& loop) : watch(loop, *this) {}
  void OnReady(uint32_t ready) override {
    events.push_back(ready);
    if (on_ready) on_ready();
  }
  std::vector<uint32_t> events;
  std::function<void()> on_ready;
  FdWatch watch;
};

using Events = std::vector<uint32_t>;

struct Pair {
  Pair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0); }
  ~Pair() {
    CloseNear();
    CloseFar();
  }
  void CloseNear() {
    if (fds[0] >= 0) close(fds[0]);
    fds[0] = -1;
  }
  void CloseFar() {
    if (fds[1] >= 0) close(fds[1]);
    fds[1] = -1;
  }
  int near() const { return fds[0]; }
  void Say(const std::string& text) const {
    EXPECT_EQ(write(fds[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string Hear(size_t most = 100) const {
    std::string text(most, '\0');
    const ssize_t n = read(fds[0], text.data(), most);
    text.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return text;
  }
  void FillNear() const {
    const std::string block(4096, 'x');
    while (write(fds[0], block.data(), block.size()) > 0) {
    }
  }
  void DrainFar() const {
    char block[4096];
    while (read(fds[1], block, sizeof(block)) > 0) {
    }
  }
  int fds[2];
};

class FdWatchTest : public testing::Test {
 protected:
  // What `ear` is told in the next few turns.
  Events Told(Ear& ear) {
    for (int i = 0; i < 3; ++i) loop->RunOnce(0);
    return std::exchange(ear.events, {});
  }

  FakeClock clock;
  std::unique_ptr<Loop> loop = Loop::Create(clock).value();
  Pair pair;
};

TEST_F(FdWatchTest, ReadableIsSaidOncePerArrival) {
  Ear ear(*loop);
  ASSERT_TRUE(ear.watch.Start(pair.near(), false));
  EXPECT_EQ(Told(ear), Events{});
  pair.Say("one");
  EXPECT_EQ(Told(ear), Events{kReadable});  // and not again, though nobody read it
  pair.Say("two");
  EXPECT_EQ(Told(ear), Events{kReadable});
  EXPECT_EQ(pair.Hear(), "onetwo");
  EXPECT_EQ(Told(ear), Events{});
}

TEST_F(FdWatchTest, WhatWaitedBeforeTheStartIsSaid) {
  pair.Say("early");
  Ear ear(*loop);
  ASSERT_TRUE(ear.watch.Start(pair.near(), false));
  EXPECT_EQ(Told(ear), Events{kReadable});
}

TEST_F(FdWatchTest, WritableIsSaidOnlyIfAsked) {
  Ear ear(*loop);
  ASSERT_TRUE(ear.watch.Start(pair.near(), true));
  EXPECT_EQ(Told(ear), Events{kWritable});
  pair.FillNear();
  EXPECT_EQ(Told(ear), Events{});
  pair.DrainFar();
  EXPECT_EQ(Told(ear), Events{kWritable});
  ear.watch.Stop();
  ASSERT_TRUE(ear.watch.Start(pair.near(), false));
  EXPECT_EQ(Told(ear), Events{});
}

TEST_F(FdWatchTest, WritableMayBeAskedForLater) {
  Ear ear(*loop);
  ear.watch.WatchWritable();  // not started: nothing
  ASSERT_TRUE(ear.watch.Start(pair.near(), false));
  pair.FillNear();
  ear.watch.WatchWritable();
  ear.watch.WatchWritable();
  EXPECT_EQ(Told(ear), Events{});
  pair.DrainFar();
  EXPECT_EQ(Told(ear), Events{kWritable});
}

TEST_F(FdWatchTest, ThePeersEndIsTold) {
  Ear ear(*loop);
  ASSERT_TRUE(ear.watch.Start(pair.near(), false));
  pair.Say("last");
  shutdown(pair.fds[1], SHUT_WR);
  EXPECT_EQ(Told(ear), Events{kReadable | kPeerClosed});
  pair.CloseFar();
  const Events events = Told(ear);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0] & kFailed, kFailed);
  EXPECT_EQ(pair.Hear(), "last");
}

TEST_F(FdWatchTest, AResetIsAFailure) {
  const int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(listening, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listening, 1), 0);
  ASSERT_EQ(getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(connect(client, reinterpret_cast<sockaddr*>(&address), size), 0);
  const int server = accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  ASSERT_GE(server, 0);
  Ear ear(*loop);
  ASSERT_TRUE(ear.watch.Start(server, false));
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  close(client);
  while (ear.events.empty()) loop->RunOnce(-1);
  EXPECT_EQ(ear.events[0] & kFailed, kFailed);
  ear.watch.Stop();
  close(server);
  close(listening);
}

TEST_F(FdWatchTest, NothingAfterStop) {
  Ear ear(*loop);
  ASSERT_TRUE(ear.watch.Start(pair.near(), true));
  EXPECT_TRUE(ear.watch.started());
  pair.Say("x");
  ear.watch.Stop();
  EXPECT_FALSE(ear.watch.started());
  ear.watch.Stop();
  EXPECT_EQ(Told(ear), Events{});
}

TEST_F(FdWatchTest, StopBeforeCloseIsEnoughWhenTheFdIsClosed) {
  Ear ear(*loop);
  ASSERT_TRUE(ear.watch.Start(pair.near(), true));
  ear.watch.StopBeforeClose();
  pair.CloseNear();
  Pair other;  // takes the fd's number
  other.Say("x");
  EXPECT_EQ(Told(ear), Events{});
  ASSERT_TRUE(ear.watch.Start(other.near(), false));
  EXPECT_EQ(Told(ear), Events{kReadable});
}

// As between fork and exec of a child: it has the file still, and so has epoll.
TEST_F(FdWatchTest, WhatIsSaidOfAFileThatLivesOnElsewhereIsSaidToNobody) {
  auto gone = std::make_unique<Ear>(*loop);
  ASSERT_TRUE(gone->watch.Start(pair.near(), true));
  const int elsewhere = dup(pair.near());
  const int number = pair.near();
  gone->watch.StopBeforeClose();
  pair.CloseNear();
  gone.reset();
  pair.Say("x");
  loop->RunOnce(0);
  Pair other;
  ASSERT_EQ(other.near(), number);
  Ear ear(*loop);
  ASSERT_TRUE(ear.watch.Start(other.near(), false));
  pair.Say("y");
  EXPECT_EQ(Told(ear), Events{});
  other.Say("z");
  EXPECT_EQ(Told(ear), Events{kReadable});
  close(elsewhere);
}

TEST_F(FdWatchTest, ListeningIsLevelTriggered) {
  Ear ear(*loop);
  ASSERT_TRUE(ear.watch.StartListening(pair.near()));
  pair.Say("x");
  EXPECT_EQ(Told(ear), (Events{kReadable, kReadable, kReadable}));
  pair.Hear();
  EXPECT_EQ(Told(ear), Events{});
}

TEST_F(FdWatchTest, ListeningToASharedOneIsLevelTriggeredToo) {
  Ear ear(*loop);
  pair.Say("x");  // before it is watched
  ASSERT_TRUE(ear.watch.StartListening(pair.near(), true));
  EXPECT_EQ(Told(ear), (Events{kReadable, kReadable, kReadable}));
  pair.Hear();
  EXPECT_EQ(Told(ear), Events{});
}

// A thread whose loop waits for a socket that others wait for as well.
class Waiter final : FdWatch::Handler {
 public:
  Waiter(Clock& clock, int fd, std::atomic<int>& woken)
      : loop_(Loop::Create(clock).value()), watch_(*loop_, *this), woken_(woken) {
    EXPECT_TRUE(watch_.StartListening(fd, true));
    thread_ = std::thread([this] {
      id_.store(gettid());
      loop_->Run();
      watch_.Stop();
    });
  }
  ~Waiter() {
    loop_->Post([this] { loop_->Stop(); });
    thread_.join();
  }

  void AwaitSleep() const {
    std::string state;
    while (state != "S") {
      std::ifstream stat("/proc/self/task/" + std::to_string(id_.load()) + "/stat");
      std::string word;
      stat >> word >> word >> state;  // the name has no blanks
      std::this_thread::yield();
    }
  }
  // All that woke it before this call has been told when it returns.
  void AwaitTurn() {
    std::promise<void> done;
    loop_->Post([&done] { done.set_value(); });
    done.get_future().wait();
  }

 private:
  void OnReady(uint32_t) override {
    ++woken_;
    watch_.Stop();
  }

  std::unique_ptr<Loop> loop_;
  FdWatch watch_;
  std::atomic<int>& woken_;
  std::atomic<pid_t> id_{0};
  std::thread thread_;
};

TEST_F(FdWatchTest, OneOfThoseThatShareASocketIsWoken) {
  SystemClock system_clock;
  std::atomic<int> woken{0};
  std::vector<std::unique_ptr<Waiter>> waiters;
  for (int i = 0; i < 4; ++i) {
    waiters.push_back(std::make_unique<Waiter>(system_clock, pair.near(), woken));
  }
  for (const auto& waiter : waiters) waiter->AwaitSleep();
  pair.Say("x");
  for (const auto& waiter : waiters) waiter->AwaitTurn();
  EXPECT_EQ(woken.load(), 1);
}

TEST_F(FdWatchTest, AnFdThatCannotBeWatchedIsAnError) {
  Ear ear(*loop);
  const Result<void> started = ear.watch.Start(-1, false);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().detail, "epoll_ctl: Bad file descriptor");
  EXPECT_FALSE(ear.watch.started());
  EXPECT_TRUE(ear.watch.Start(pair.near(), false));
}

TEST_F(FdWatchTest, TasksRunBetweenTheEventsOfATurn) {
  Pair other;
  Ear first(*loop);
  Ear second(*loop);
  std::vector<std::string> order;
  struct Job {
    void Run() { order->push_back("task"); }
    std::vector<std::string>* order;
    Task task{Callback::To<&Job::Run>(this)};
  } job{.order = &order};
  first.on_ready = second.on_ready = [&] {
    order.push_back("event");
    loop->Defer(job.task);
  };
  ASSERT_TRUE(first.watch.Start(pair.near(), false));
  ASSERT_TRUE(second.watch.Start(other.near(), false));
  pair.Say("x");
  other.Say("x");
  loop->RunOnce(0);
  EXPECT_EQ(order, (std::vector<std::string>{"event", "task", "event", "task"}));
}

// Two fds are ready in one turn, and whoever is told first does something to the other: the event
// that was fetched already must not reach it.
class StaleEvents : public FdWatchTest {
 protected:
  void SetUp() override {
    for (int i = 0; i < 2; ++i) {
      ears[i] = std::make_unique<Ear>(*loop);
      ASSERT_TRUE(ears[i]->watch.Start(pairs[i].near(), false));
      ears[i]->on_ready = [this, i] {
        if (told++ == 0) first_told(1 - i);
      };
      pairs[i].Say("x");
    }
  }

  Pair pairs[2];
  std::unique_ptr<Ear> ears[2];
  int told = 0;
  std::function<void(int other)> first_told;
};

TEST_F(StaleEvents, OfAStoppedWatch) {
  first_told = [this](int other) { ears[other]->watch.Stop(); };
  loop->RunOnce(0);
  EXPECT_EQ(told, 1);
}

TEST_F(StaleEvents, OfADestroyedWatch) {
  first_told = [this](int other) { ears[other].reset(); };
  loop->RunOnce(0);
  EXPECT_EQ(told, 1);
}

TEST_F(StaleEvents, OfAWatchInWhosePlaceANewOneStands) {
  alignas(Ear) unsigned char place[sizeof(Ear)];
  Ear* const old = new (place) Ear(*loop);
  Pair quiet;
  ears[1].reset();
  ASSERT_TRUE(old->watch.Start(pairs[1].near(), false));
  pairs[0].Say("again");
  Ear* young = nullptr;
  bool young_told = false;
  const auto replace = [&] {
    if (young != nullptr) return;
    old->~Ear();
    young = new (place) Ear(*loop);
    young->on_ready = [&] { young_told = true; };
    ASSERT_TRUE(young->watch.Start(quiet.near(), false));
  };
  ears[0]->on_ready = replace;
  loop->RunOnce(0);
  ASSERT_NE(young, nullptr);
  EXPECT_FALSE(young_told);
  young->~Ear();
}

TEST_F(StaleEvents, OfAWatchThatWatchesAnotherFdByNow) {
  Pair quiet;
  first_told = [&](int other) {
    ears[other]->watch.Stop();
    ASSERT_TRUE(ears[other]->watch.Start(quiet.near(), false));
  };
  loop->RunOnce(0);
  loop->RunOnce(0);
  EXPECT_EQ(told, 1);
  quiet.Say("x");
  loop->RunOnce(0);
  EXPECT_EQ(told, 2);
}

}  // namespace
}  // namespace sluice
