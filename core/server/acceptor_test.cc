#include "core/server/acceptor.h"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/net/listen_socket.h"
#include "core/server/echo.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"
#include "tests/support/driver.h"
#include "tests/support/raw_client.h"

namespace sluice {
namespace {

using test::RawClient;

constexpr std::string_view kPlain = "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kSlow = "GET /delay/5s HTTP/1.1\r\nHost: a\r\n\r\n";

// An echo server behind one acceptor, on a clock that stands still.
class AcceptorTest : public testing::Test, protected AcceptorOwner {
 protected:
  // 0: no limit.
  void Start(uint32_t listener_limit, uint32_t overall_limit = 0,
             std::string_view address = "127.0.0.1:0", bool essential = false) {
    auto settings = std::make_unique<ListenerSettings>();
    settings->name = "web";
    settings->stats = StatsScope(*directory_, {{"listener", "web"}}).Group<ListenerStats>();
    settings_ = std::move(settings);
    runtime_ = std::make_unique<ListenerRuntime>(*settings_, worker_, scope_,
                                                 std::make_unique<EchoFactory>("echo"));
    listener_limit_.emplace(listener_limit);
    overall_limit_.emplace(overall_limit);
    AcceptorOwner& owner = *this;
    acceptor_ = std::make_unique<Acceptor>(
        owner, *runtime_, AcceptorLimits{*listener_limit_, *overall_limit_, essential});
    sockets_ = OpenListenSockets(*Address::Parse(address), 1).value();
    ASSERT_TRUE(acceptor_->Start(sockets_.fds[0].get()));
  }

  ~AcceptorTest() override {
    acceptor_->Abort();
    EXPECT_TRUE(driver_.RunUntil([this] { return acceptor_->empty(); }, "the end of all"));
    EXPECT_EQ(count_, 0);
    EXPECT_EQ(listener_limit_->active(), 0U);
    EXPECT_EQ(runtime_->stats.connections_active.value(), 0);
    acceptor_.reset();
    loop_->RunOnce(0);
  }

  // Sends a request, and takes its answer.
  void Exchange(RawClient& client) {
    client.Send(kPlain);
    EXPECT_EQ(client.ReadResponse().body, "ok\n");
  }
  // Lets time pass until a client that waits has looked for room.
  void PassRetry() {
    clock_.Advance(Acceptor::kRetry + 2 * kMillisecond);
    driver_.RunRounds(5);
  }
  // A client whose request is under way at the server.
  std::unique_ptr<RawClient> BusyClient() {
    const uint64_t before = runtime_->stats.requests.value();
    auto client = NewClient();
    client->Send(kSlow);
    driver_.RunUntil([&] { return runtime_->stats.requests.value() == before + 1; }, "a request");
    return client;
  }
  std::unique_ptr<RawClient> NewClient() {
    return std::make_unique<RawClient>(driver_, sockets_.address);
  }
  ListenerStats& stats() { return runtime_->stats; }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  test::Driver driver_{loop_.get()};
  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create(StatsOptions{}).value();
  std::unique_ptr<StatsDirectory> directory_ = std::make_unique<StatsDirectory>(*segment_);
  ServerStatus status_;
  ProxyWorker worker_{*loop_, directory_->main_row(), status_, 0};
  std::unique_ptr<const ListenerSettings> settings_;
  ProxyGeneration scope_{*loop_};
  std::unique_ptr<ListenerRuntime> runtime_;
  std::optional<ConnectionLimit> listener_limit_;
  std::optional<ConnectionLimit> overall_limit_;
  ListenSockets sockets_;
  std::unique_ptr<Acceptor> acceptor_;
  int count_ = 0;
  int room_wanted_ = 0;

 private:
  void OnConnectionCount(int change) override {
    count_ += change;
    if (change < 0) acceptor_->OnRoom();
  }
  void OnRoomWanted(Acceptor& acceptor, bool overall) override {
    EXPECT_EQ(&acceptor, acceptor_.get());
    EXPECT_EQ(overall, overall_limit_->most() != 0);
    ++room_wanted_;
  }
};

TEST_F(AcceptorTest, AtTheLimitTheNextWaitsUntilOneEnds) {
  Start(1);
  auto busy = BusyClient();
  auto waiting = NewClient();
  waiting->Send(kPlain);
  ASSERT_TRUE(driver_.RunUntil([&] { return acceptor_->full(); }, "the limit"));
  PassRetry();
  EXPECT_EQ(waiting->received(), "");
  EXPECT_EQ(acceptor_->open(), 1U);
  EXPECT_EQ(count_, 1);
  EXPECT_EQ(stats().connections_limited.value(), 1U);

  busy->Reset();  // seen, and used, without time passing
  EXPECT_EQ(waiting->ReadResponse().body, "ok\n");
  EXPECT_EQ(stats().connections_closed_idle.value(), 0U);
}

TEST_F(AcceptorTest, WhileSomethingRunsShortClientsAreResetAsTheyCome) {
  Start(0);
  auto before = NewClient();
  Exchange(*before);
  status_.set_overloaded(OverloadStep::kRefuseConnections, true);
  auto refused = NewClient();
  EXPECT_TRUE(refused->WaitForEnd());
  EXPECT_EQ(refused->received(), "");
  EXPECT_EQ(stats().connections_refused.value(), 1U);
  EXPECT_EQ(stats().connections.value(), 1U);
  Exchange(*before);
  status_.set_overloaded(OverloadStep::kRefuseConnections, false);
  Exchange(*NewClient());
}

TEST_F(AcceptorTest, OperatorsAreNot) {
  Start(0, 0, "127.0.0.1:0", true);
  status_.set_overloaded(OverloadStep::kRefuseConnections, true);
  Exchange(*NewClient());
  EXPECT_EQ(stats().connections_refused.value(), 0U);
}

TEST_F(AcceptorTest, TheRestWaitsInTheKernel) {
  Start(1);
  auto busy = BusyClient();
  auto first = NewClient();
  auto second = NewClient();
  first->Send(kPlain);
  second->Send(kPlain);
  driver_.RunRounds(10);
  busy->Reset();
  // Each gets its answer, and is then idle: it makes room for the next.
  EXPECT_EQ(first->ReadResponse().body, "ok\n");
  const auto served = [&] {
    clock_.Advance(Acceptor::kRetry);
    return !second->received().empty();
  };
  ASSERT_TRUE(driver_.RunUntil(served, "the second to be served"));
  EXPECT_EQ(second->ReadResponse().body, "ok\n");
  EXPECT_TRUE(first->WaitForEnd());
}

TEST_F(AcceptorTest, TheOneThatIsIdleForLongestMakesRoom) {
  Start(2);
  auto older = NewClient();
  auto newer = NewClient();
  Exchange(*newer);
  Exchange(*older);
  Exchange(*newer);  // now it is `older` that has been idle for longest
  auto next = NewClient();
  Exchange(*next);
  EXPECT_TRUE(older->WaitForEnd());
  EXPECT_FALSE(newer->ended());
  EXPECT_EQ(stats().connections_closed_idle.value(), 1U);
  Exchange(*newer);
}

TEST_F(AcceptorTest, NothingIsClosedUnlessSomebodyWaits) {
  Start(2);
  auto first = NewClient();
  auto second = NewClient();
  Exchange(*first);
  Exchange(*second);
  PassRetry();
  EXPECT_FALSE(first->ended());
  EXPECT_FALSE(second->ended());
  EXPECT_EQ(stats().connections_limited.value(), 0U);
}

// Whoever has just connected is about to send its first request.
TEST_F(AcceptorTest, AConnectionThatHasJustComeIsNotClosedForAnother) {
  Start(1);
  auto fresh = NewClient();
  ASSERT_TRUE(driver_.RunUntil([&] { return acceptor_->open() == 1; }, "the first"));
  auto waiting = NewClient();
  waiting->Send(kPlain);
  ASSERT_TRUE(driver_.RunUntil([&] { return acceptor_->full(); }, "the limit"));
  PassRetry();
  EXPECT_FALSE(fresh->ended());
  Exchange(*fresh);
  PassRetry();
  EXPECT_EQ(waiting->ReadResponse().body, "ok\n");
  EXPECT_TRUE(fresh->WaitForEnd());
}

TEST_F(AcceptorTest, ClientsThatSaidNothingForASecondMakeRoom) {
  Start(2);
  auto older = NewClient();
  ASSERT_TRUE(driver_.RunUntil([&] { return acceptor_->open() == 1; }, "the first"));
  clock_.Advance(Acceptor::kSilentGrace / 2);
  driver_.RunRounds(2);
  auto newer = NewClient();
  ASSERT_TRUE(driver_.RunUntil([&] { return acceptor_->open() == 2; }, "the second"));
  auto waiting = NewClient();
  waiting->Send(kPlain);
  ASSERT_TRUE(driver_.RunUntil([&] { return acceptor_->full(); }, "the limit"));
  PassRetry();
  EXPECT_FALSE(older->ended());
  clock_.Advance(Acceptor::kSilentGrace / 2);
  EXPECT_EQ(waiting->ReadResponse().body, "ok\n");
  EXPECT_TRUE(older->WaitForEnd());
  EXPECT_FALSE(newer->ended());
  EXPECT_EQ(stats().connections_closed_silent.value(), 1U);
  EXPECT_EQ(stats().connections_closed_idle.value(), 0U);
}

// It would linger for two seconds.
TEST_F(AcceptorTest, OneThatIsAnsweredAndLingersMakesRoomBeforeAnIdleOne) {
  Start(2);
  auto idle = NewClient();
  Exchange(*idle);
  auto wrong = NewClient();
  wrong->Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\nbody");
  EXPECT_EQ(wrong->ReadResponse().status, 400);
  EXPECT_TRUE(wrong->WaitForEnd());
  EXPECT_EQ(acceptor_->open(), 2U);

  clock_.Advance(Acceptor::kLingerGrace);
  auto next = NewClient();
  Exchange(*next);
  EXPECT_FALSE(idle->ended());
  EXPECT_EQ(acceptor_->open(), 2U);
  EXPECT_EQ(stats().connections_closed_idle.value(), 0U);
}

TEST_F(AcceptorTest, OneThatWasJustAnsweredHasTheTimeToReadIt) {
  Start(1);
  auto wrong = NewClient();
  wrong->Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\nbody");
  EXPECT_EQ(wrong->ReadResponse().status, 400);
  auto waiting = NewClient();
  waiting->Send(kPlain);
  ASSERT_TRUE(driver_.RunUntil([&] { return acceptor_->full(); }, "the limit"));
  PassRetry();
  EXPECT_TRUE(acceptor_->full());
  clock_.Advance(Acceptor::kLingerGrace);
  EXPECT_EQ(waiting->ReadResponse().body, "ok\n");
}

// They do not outlive those that do ask.
TEST_F(AcceptorTest, ASilentOneThatIsOlderGoesBeforeAServedOne) {
  Start(2);
  auto silent = NewClient();
  ASSERT_TRUE(driver_.RunUntil([&] { return acceptor_->open() == 1; }, "the first"));
  clock_.Advance(Acceptor::kSilentGrace);
  driver_.RunRounds(2);
  auto served = NewClient();
  Exchange(*served);
  auto next = NewClient();
  Exchange(*next);
  EXPECT_TRUE(silent->WaitForEnd());
  EXPECT_FALSE(served->ended());
}

TEST_F(AcceptorTest, RoomThatAnotherWorkerMakesIsFoundByTheTimer) {
  Start(0, 1);
  overall_limit_->Acquire();  // the other worker's
  auto waiting = NewClient();
  waiting->Send(kPlain);
  ASSERT_TRUE(driver_.RunUntil([&] { return acceptor_->full(); }, "the limit"));
  EXPECT_GT(room_wanted_, 0);
  PassRetry();
  EXPECT_EQ(waiting->received(), "");
  overall_limit_->Release();
  PassRetry();
  EXPECT_EQ(waiting->ReadResponse().body, "ok\n");
  EXPECT_EQ(overall_limit_->active(), 1U);
}

TEST_F(AcceptorTest, DrainLetsWhatIsInFlightEndAndAcceptsNoMore) {
  Start(0);
  auto idle = NewClient();
  Exchange(*idle);
  auto busy = BusyClient();
  acceptor_->Drain();
  EXPECT_TRUE(idle->WaitForEnd());
  auto late = NewClient();  // the kernel takes it
  late->Send(kPlain);
  driver_.RunRounds(20);
  EXPECT_EQ(late->received(), "");
  EXPECT_EQ(acceptor_->open(), 1U);

  clock_.Advance(5 * kSecond + 2 * kMillisecond);
  const test::HttpText response = busy->ReadResponse();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_TRUE(busy->WaitForEnd());
  EXPECT_TRUE(driver_.RunUntil([&] { return acceptor_->empty(); }, "the end of the last"));
}

// The socket is closed next: what is in the kernel's queue then is reset.
TEST_F(AcceptorTest, DrainServesWhoeverIsConnected) {
  Start(0);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(NewClient());
    clients.back()->Send(kPlain);
  }
  auto silent = NewClient();
  ASSERT_EQ(acceptor_->open(), 0U);  // the loop has not turned since
  acceptor_->Drain();
  for (const auto& client : clients) EXPECT_EQ(client->ReadResponse().body, "ok\n");
  clock_.Advance(Acceptor::kLastRequestTime + 2 * kMillisecond);
  EXPECT_TRUE(silent->WaitForEnd());
  EXPECT_TRUE(driver_.RunUntil([&] { return acceptor_->empty(); }, "the end of the last"));
}

// It was taken out of the kernel's queue already: nobody else could answer it.
TEST_F(AcceptorTest, DrainServesTheOneThatWaits) {
  Start(1);
  auto busy = BusyClient();
  auto waiting = NewClient();
  waiting->Send(kPlain);
  ASSERT_TRUE(driver_.RunUntil([&] { return acceptor_->full(); }, "the limit"));
  acceptor_->Drain();
  EXPECT_EQ(waiting->ReadResponse().body, "ok\n");
  EXPECT_FALSE(acceptor_->full());
  // It is not waited for for long.
  clock_.Advance(Acceptor::kLastRequestTime + 2 * kMillisecond);
  EXPECT_TRUE(waiting->WaitForEnd());
  EXPECT_EQ(busy->received(), "");
}

// What epoll was told about a socket: a line "tfd: FD events: HEX ..." (proc(5)).
uint32_t WatchedEvents(int fd) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fdinfo")) {
    std::ifstream info(entry.path());
    for (std::string word; info >> word;) {
      int target = -1;
      std::string events;
      if (word == "tfd:" && info >> target >> word >> events && target == fd) {
        return static_cast<uint32_t>(std::stoul(events, nullptr, 16));
      }
    }
  }
  return 0;
}

TEST_F(AcceptorTest, AWorkersOwnSocketWakesIt) {
  Start(0);
  EXPECT_NE(WatchedEvents(sockets_.fds[0].get()), 0U);
  EXPECT_EQ(WatchedEvents(sockets_.fds[0].get()) & EPOLLEXCLUSIVE, 0U);
}

TEST_F(AcceptorTest, ASocketOfAllWorkersWakesOneOfThem) {
  Start(0, 0, "unix:@sluice-acceptor-test-" + std::to_string(getpid()));
  EXPECT_NE(WatchedEvents(sockets_.fds[0].get()) & EPOLLEXCLUSIVE, 0U);
}

TEST_F(AcceptorTest, AbortEndsEverything) {
  Start(1);
  auto busy = BusyClient();
  auto waiting = NewClient();
  ASSERT_TRUE(driver_.RunUntil([&] { return acceptor_->full(); }, "the limit"));
  acceptor_->Abort();
  EXPECT_TRUE(busy->WaitForEnd());
  EXPECT_TRUE(waiting->WaitForEnd());
  EXPECT_EQ(busy->received(), "");
}

}  // namespace
}  // namespace sluice
