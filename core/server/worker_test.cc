#include "core/server/worker.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "core/base/clock.h"
#include "core/server/connection_limit.h"
#include "core/server/echo.h"
#include "core/server/generation.h"
#include "core/stats/directory.h"
#include "core/stats/histogram_snapshot.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"
#include "tests/support/driver.h"
#include "tests/support/raw_client.h"

namespace sluice {
namespace {

// Two workers, threads of their own; the test's thread is the main thread.
class WorkerTest : public testing::Test, private WorkerEvents {
 protected:
  WorkerTest() {
    auto settings = std::make_unique<ListenerSettings>();
    settings->name = "web";
    settings->stats = StatsScope(directory_, {{"listener", "web"}}).Group<ListenerStats>();
    generation_.Add(
        ListenPlace{*Address::Parse("127.0.0.1:0"), {}}, std::move(settings),
        [](const ListenerSettings& listener, ProxyWorker& worker, ProxyGeneration& scope) {
          return std::make_unique<ListenerRuntime>(listener, worker, scope,
                                                   std::make_unique<EchoFactory>("echo"));
        });
    sockets_ = OpenListenSockets(*Address::Parse("127.0.0.1:0"), kWorkers).value();
    for (uint32_t i = 0; i < kWorkers; ++i) {
      groups_.push_back(
          StatsScope(directory_, {{"worker", i == 0 ? "0" : "1"}}).Group<WorkerStats>());
    }
    for (uint32_t i = 0; i < kWorkers; ++i) {
      workers_.push_back(
          Worker::Create(i, clock_, Worker::Environment{*loop_, *this, status_, connections_, lag_},
                         segment_->worker_row(i), groups_[i])
              .value());
      EXPECT_TRUE(workers_.back()->Start());
    }
  }

  void StartAccepting() {
    for (uint32_t i = 0; i < kWorkers; ++i) {
      workers_[i]->Use(generation_, {{&limit_, {sockets_.fds[i].get()}}});
    }
    ASSERT_TRUE(driver_.RunUntil([this] { return accepting_ == kWorkers; }, "all to accept"));
  }
  bool WaitUntilDrained() {
    return driver_.RunUntil([this] { return drained_ == kWorkers; }, "all to be drained");
  }
  int64_t Gauge(std::string_view name, std::string_view worker) {
    const StatsReader reader(*segment_);
    return reader.gauge(*reader.Find(name, {{"worker", worker}}));
  }

  static constexpr uint32_t kWorkers = 2;
  SystemClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  test::Driver driver_{loop_.get()};
  std::unique_ptr<StatsSegment> segment_ =
      StatsSegment::Create(StatsOptions{.workers = kWorkers}).value();
  StatsDirectory directory_{*segment_};
  ServerStatus status_;
  ConnectionLimit connections_{100};
  LagPeak lag_;
  ConnectionLimit limit_{0};
  Generation generation_;
  ListenSockets sockets_;
  std::vector<StatsGroup<WorkerStats>> groups_;
  std::vector<std::unique_ptr<Worker>> workers_;
  uint32_t accepting_ = 0;
  uint32_t stopped_ = 0;
  uint32_t drained_ = 0;
  uint32_t room_wanted_ = 0;
  uint32_t released_ = 0;

 private:
  void OnWorkerUses(uint32_t, const Generation&, const Result<void>& result) override {
    EXPECT_TRUE(result);
    ++accepting_;
  }
  void OnWorkerReleases(uint32_t, const Generation&) override { ++released_; }
  void OnWorkerWantsRoom(uint32_t worker, std::string_view listener) override {
    ++room_wanted_;
    workers_[1 - worker]->MakeRoom(listener);
  }
  void OnWorkerStoppedAccepting(uint32_t) override { ++stopped_; }
  void OnWorkerDrained(uint32_t, uint32_t) override { ++drained_; }
};

TEST_F(WorkerTest, AllOfThemServe) {
  StartAccepting();
  // The kernel spreads connections by hash: of 64 each worker gets one, but for 1 in 2^63 times.
  std::vector<std::unique_ptr<test::RawClient>> clients;
  for (int i = 0; i < 64; ++i) {
    clients.push_back(std::make_unique<test::RawClient>(driver_, sockets_.address));
    clients.back()->Send("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(clients.back()->ReadResponse().body, "ok\n");
  }
  const int64_t first = Gauge("sluice_worker_connections_active", "0");
  const int64_t second = Gauge("sluice_worker_connections_active", "1");
  EXPECT_GT(first, 0);
  EXPECT_GT(second, 0);
  EXPECT_EQ(first + second, 64);
  EXPECT_EQ(connections_.active(), 64U);

  for (const auto& worker : workers_) worker->Drain(0);
  ASSERT_TRUE(WaitUntilDrained());
  EXPECT_EQ(connections_.active(), 0U);
  for (const auto& client : clients) EXPECT_TRUE(client->WaitForEnd());
}

TEST_F(WorkerTest, MeasuresHowLateItIsWhileItHasConnections) {
  StartAccepting();
  HistogramSnapshot lags;
  const auto measured = [this, &lags](std::string_view worker) {
    const StatsReader reader(*segment_);
    reader.histogram(*reader.Find("sluice_worker_loop_lag_seconds", {{"worker", worker}}), lags);
    return lags.count();
  };
  test::RawClient client(driver_, sockets_.address);
  EXPECT_TRUE(driver_.RunUntil([&] { return measured("0") + measured("1") >= 2; }, "two of them"));
  EXPECT_TRUE(measured("0") == 0 || measured("1") == 0);  // the idle one is left alone
}

TEST_F(WorkerTest, DrainsOnlyWhenTheLastRequestIsAnswered) {
  StartAccepting();
  test::RawClient client(driver_, sockets_.address);
  client.Send("POST /plain HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab");
  ASSERT_TRUE(driver_.RunUntil(
      [this] {
        const StatsReader reader(*segment_);
        return reader.gauge(
                   *reader.Find("sluice_downstream_requests_active", {{"listener", "web"}})) == 1;
      },
      "the request"));
  for (const auto& worker : workers_) worker->Drain(0);
  ASSERT_TRUE(driver_.RunUntil([this] { return drained_ == kWorkers - 1; }, "the idle worker"));
  // Whether idle or not, none of them looks at its sockets any more.
  ASSERT_TRUE(driver_.RunUntil([this] { return stopped_ == kWorkers; }, "both to stop accepting"));
  client.Send("c");
  EXPECT_EQ(client.ReadResponse().Header("connection"), "close");
  ASSERT_TRUE(WaitUntilDrained());
}

TEST_F(WorkerTest, AbortEndsWhatIsInFlight) {
  StartAccepting();
  test::RawClient client(driver_, sockets_.address);
  client.Send("GET /delay/5s HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(driver_.RunUntil([this] { return connections_.active() == 1; }, "the connection"));
  for (const auto& worker : workers_) worker->Abort();
  ASSERT_TRUE(WaitUntilDrained());
  EXPECT_TRUE(client.WaitForEnd());
}

// The kernel may give a client to a worker that has nothing it could close.
TEST_F(WorkerTest, AWorkerMakesRoomForTheClientOfAnother) {
  StartAccepting();
  while (connections_.active() < connections_.most() - 1) connections_.Acquire();
  // Each idle one makes room for the next. That all of them come to one worker happens once in 2^39
  // times.
  std::vector<std::unique_ptr<test::RawClient>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<test::RawClient>(driver_, sockets_.address));
    clients.back()->Send("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n");
    ASSERT_EQ(clients.back()->ReadResponse().body, "ok\n") << i;
  }
  EXPECT_GT(room_wanted_, 0U);
}

// As at an error during the start, or when the main thread leaves for another reason.
TEST_F(WorkerTest, GoesWithRequestsInFlight) {
  StartAccepting();
  test::RawClient client(driver_, sockets_.address);
  client.Send("GET /delay/5s HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(driver_.RunUntil([this] { return connections_.active() == 1; }, "the connection"));
  workers_.clear();
  EXPECT_EQ(connections_.active(), 0U);
  EXPECT_TRUE(client.WaitForEnd());
}

TEST_F(WorkerTest, DrainsWithoutEverAccepting) {
  for (const auto& worker : workers_) worker->Drain(0);
  EXPECT_TRUE(WaitUntilDrained());
}

}  // namespace
}  // namespace sluice
