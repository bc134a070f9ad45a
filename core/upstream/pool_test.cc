#include "core/upstream/pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/arena.h"
#include "core/base/random.h"
#include "core/config/cluster.pb.h"
#include "core/event/loop.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"
#include "core/upstream/cluster.h"
#include "tests/support/dead_ports.h"
#include "tests/support/driver.h"
#include "tests/support/multiplex_codec.h"
#include "tests/support/scripted_upstream.h"

namespace sluice {
namespace {

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// Sends a GET as soon as it can, and notes what comes of it.
class Waiter final : public UpstreamEvents {
 public:
  Waiter() : request(*this), head_(arena_), response_(arena_) {
    head_.SetMethod("GET");
    head_.path = "/";
    head_.headers.Set(HeaderId::kHost, "a");
  }

  bool over() const { return ended || failed > 0; }
  void Send() { request.SendHead(head_, true); }

  UpstreamRequest request;
  int ready = 0;
  int failed = 0;
  bool ended = false;
  Error error;
  std::string body;
  std::function<void()> then;  // at the end

 private:
  void OnUpstreamReady() override {
    ++ready;
    Send();
  }
  ResponseHead& OnUpstreamBegin() override {
    response_.headers.Clear();
    return response_;
  }
  void OnUpstreamInformational() override {}
  void OnUpstreamHead(bool) override {}
  void OnUpstreamBody(Slice data) override { body += data.view(); }
  void OnUpstreamTrailers(Headers&) override {}
  void OnUpstreamEnd() override {
    ended = true;
    if (then) then();
  }
  void OnUpstreamFailed(const Error& failure) override {
    ++failed;
    error = failure;
  }
  void OnUpstreamWritable() override {}

  Arena arena_;
  RequestHead head_;
  ResponseHead response_;
};

class PoolTest : public testing::Test {
 protected:
  PoolTest() {
    config::Cluster config;
    config.set_name("api");
    config.add_endpoints()->set_address(upstream_.text());
    config.mutable_endpoints(0)->set_weight(1);
    cluster_ = std::move(*Cluster::Create(config, *loop_, directory_));
    settings_ = std::make_unique<ClusterSettings>(cluster_->settings());
    settings_->connect_timeout = 3 * kSecond;
    settings_->pool = PoolLimits();
    group_ = std::make_unique<PoolGroup>(*loop_, settings_->limits);
    stats_ = settings_->stats.Bind(segment_->worker_row(0));
  }

  Pool& NewPool() { return NewPool(upstream_.address()); }
  Pool& NewPool(const Address& address) {
    pool_ = std::make_unique<Pool>(*loop_, random_, *settings_, stats_, *group_, address);
    return *pool_;
  }
  // Of an endpoint's connections.
  SharedGauge NewGauge(std::string_view endpoint) {
    return directory_.SharedGauge({"connections", "Of the endpoint."}, {{"endpoint", endpoint}});
  }
  // Takes a connection of the pool's, or a new one.
  void Start(Waiter& waiter, bool fresh_only = false) {
    if (!fresh_only && waiter.request.TryStart(*pool_)) return waiter.Send();
    waiter.request.Start(*pool_, nullptr, nullptr, fresh_only);
  }
  void Await(const Waiter& waiter) {
    driver_.RunUntil([&] { return waiter.over(); }, "an end");
    driver_.RunRounds(2);
  }
  // One exchange; returns the connection's id.
  uint64_t Ask() {
    Waiter waiter;
    Start(waiter);
    Await(waiter);
    EXPECT_TRUE(waiter.ended) << waiter.error.detail;
    return waiter.request.connection_id();
  }
  void Advance(Nanos by) {
    clock_.Advance(by);
    driver_.RunRounds(2);
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  test::Driver driver_{loop_.get()};
  test::ScriptedUpstream upstream_{driver_};
  std::unique_ptr<StatsSegment> segment_ = std::move(*StatsSegment::Create({}));
  StatsDirectory directory_{*segment_};
  Random random_{1};
  std::unique_ptr<Cluster> cluster_;
  std::unique_ptr<ClusterSettings> settings_;
  ClusterStats stats_;
  std::unique_ptr<PoolGroup> group_;
  std::unique_ptr<Pool> pool_;
};

TEST_F(PoolTest, TheLastUsedIsTakenFirst) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk).AwaitRequest().Send(kOk);
  upstream_.Next().AwaitRequest().Hold().Send(kOk).AwaitRequest().Send(kOk);
  NewPool();
  Waiter waiters[2];
  for (Waiter& waiter : waiters) Start(waiter);
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  for (const size_t i : {1U, 0U}) {
    upstream_.connection(i).Release();
    driver_.RunUntil([&] { return stats_.connections_idle.value() == (i == 1 ? 1 : 2); }, "idle");
  }
  const uint64_t last = Ask();
  EXPECT_EQ(upstream_.connection(0).requests().size(), 2U);
  EXPECT_EQ(upstream_.connection(1).requests().size(), 1U);
  EXPECT_TRUE(last == waiters[0].request.connection_id() ||
              last == waiters[1].request.connection_id());
  EXPECT_EQ(stats_.connections_reused.value(), 1U);
}

TEST_F(PoolTest, WhoeverLeavesWhileConnectingLeavesTheConnection) {
  upstream_.AlwaysAnswer(kOk);
  NewPool();
  {
    Waiter waiter;
    Start(waiter);
    EXPECT_TRUE(waiter.request.waiting());
    EXPECT_FALSE(pool_->empty());
    waiter.request.Cancel();
    EXPECT_FALSE(waiter.request.waiting());
    driver_.RunUntil([&] { return stats_.connections_idle.value() == 1; }, "connected");
    EXPECT_EQ(waiter.ready, 0);
  }
  Ask();
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

TEST_F(PoolTest, WhoeverLeavesInFlightTakesTheConnectionAlong) {
  upstream_.Next().AwaitRequest().Hold();
  NewPool();
  Waiter waiter;
  Start(waiter);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  waiter.request.Cancel();
  EXPECT_EQ(stats_.connections_active.value(), 0);
  EXPECT_TRUE(driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "closed"));
  EXPECT_EQ(waiter.failed, 0);
  EXPECT_TRUE(pool_->empty());
}

TEST_F(PoolTest, AFreshOneIsNotAUsedOne) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  upstream_.AlwaysAnswer(kOk);
  NewPool();
  Waiter first;
  Start(first);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  Waiter fresh;
  Start(fresh, true);
  upstream_.connection(0).Release();
  Await(first);
  Await(fresh);
  EXPECT_FALSE(fresh.request.reused());
  EXPECT_NE(fresh.request.connection_id(), first.request.connection_id());
}

TEST_F(PoolTest, ASocketThatCannotStartIsToldOfLater) {
  Pool& pool = NewPool(Address::Parse("unix:/nowhere/at/all").value());
  Waiter told;
  Waiter leaves;
  Start(told);
  Start(leaves);
  EXPECT_EQ(told.failed, 0);  // not inside the call
  EXPECT_FALSE(pool.empty());
  leaves.request.Cancel();
  driver_.RunRounds(1);
  EXPECT_EQ(told.failed, 1);
  EXPECT_EQ(told.error.retry, Retry::kSafe);
  EXPECT_EQ(told.error.side, Side::kUpstream);
  EXPECT_EQ(leaves.failed, 0);
  EXPECT_EQ(stats_.connect_failures.value(), 2U);
  EXPECT_TRUE(pool.empty());
}

TEST_F(PoolTest, ARefusedConnectIsSafeToRepeat) {
  const test::RefusingPort refusing;
  NewPool(refusing.address());
  Waiter waiter;
  Start(waiter);
  Await(waiter);
  EXPECT_EQ(waiter.failed, 1);
  EXPECT_EQ(waiter.error.retry, Retry::kSafe);
  EXPECT_TRUE(pool_->empty());
  EXPECT_EQ(stats_.connections_active.value(), 0);
}

TEST_F(PoolTest, AConnectHasItsTime) {
  const test::SilentPort silent;
  NewPool(silent.address());
  Waiter waiter;
  Start(waiter);
  Advance(2900 * kMillisecond);
  EXPECT_EQ(waiter.failed, 0);
  Advance(200 * kMillisecond);
  EXPECT_EQ(waiter.failed, 1);
  EXPECT_EQ(waiter.error.code, Code::kTimeout);
  EXPECT_EQ(stats_.connect_timeouts.value(), 1U);
}

TEST_F(PoolTest, IdleConnectionsAreSweptWhenTheirTimeIsUp) {
  upstream_.AlwaysAnswer(kOk);
  settings_->pool.idle_timeout = 10 * kSecond;
  NewPool();
  Waiter waiters[2];
  for (Waiter& waiter : waiters) Start(waiter);
  for (Waiter& waiter : waiters) Await(waiter);
  EXPECT_EQ(stats_.connections_idle.value(), 2);
  Advance(6 * kSecond);
  Ask();  // one of them is used again
  Advance(6 * kSecond);
  EXPECT_EQ(stats_.connections_idle.value(), 1);
  EXPECT_EQ(stats_.connections_expired.value(), 1U);
  Advance(6 * kSecond);
  EXPECT_EQ(stats_.connections_idle.value(), 0);
  EXPECT_TRUE(pool_->empty());
}

TEST_F(PoolTest, WhatTheUpstreamSaysOfItsPatienceCounts) {
  upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nok");
  NewPool();
  Ask();
  Advance(3900 * kMillisecond);
  EXPECT_EQ(stats_.connections_idle.value(), 1);
  Advance(200 * kMillisecond);
  EXPECT_EQ(stats_.connections_idle.value(), 0);
}

TEST_F(PoolTest, AnUpstreamThatWillNotWaitIsNotAskedAgain) {
  NewPool();
  size_t connections = 0;
  for (const char* said :
       {"timeout=0", "Timeout = 0", "max=0", "timeout=5, max=0", "max=0, timeout=5", "timeout=-1",
        "timeout=soon", "timeout=", "timeout=99999999999999999999"}) {
    upstream_.AlwaysAnswer(std::string("HTTP/1.1 200 OK\r\nKeep-Alive: ") + said +
                           "\r\nContent-Length: 2\r\n\r\nok");
    Ask();
    EXPECT_EQ(upstream_.connection_count(), ++connections) << said;
    EXPECT_TRUE(pool_->empty()) << said;
  }
}

TEST_F(PoolTest, TheIdleBeyondTheLimitAreClosedOldestFirst) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk).AwaitRequest().Send(kOk);
  upstream_.Next().AwaitRequest().Hold().Send(kOk).AwaitRequest().Send(kOk);
  settings_->pool.idle = 1;
  NewPool();
  Waiter waiters[2];
  for (Waiter& waiter : waiters) Start(waiter);
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  upstream_.connection(0).Release();
  driver_.RunUntil([&] { return stats_.connections_idle.value() == 1; }, "the first");
  upstream_.connection(1).Release();
  EXPECT_TRUE(driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "the oldest"));
  EXPECT_EQ(stats_.connections_active.value(), 1);
  Ask();
  EXPECT_EQ(upstream_.connection(1).requests().size(), 2U);
}

TEST_F(PoolTest, AConnectionIsReplacedAfterItsRequestsAndItsAge) {
  upstream_.AlwaysAnswer(kOk);
  settings_->pool.max_requests = 2;
  settings_->pool.max_age = 100 * kSecond;
  settings_->pool.idle_timeout = 1000 * kSecond;
  NewPool();
  const uint64_t first = Ask();
  EXPECT_EQ(Ask(), first);
  EXPECT_EQ(stats_.connections_active.value(), 0);
  const uint64_t second = Ask();
  EXPECT_NE(second, first);
  Advance(121 * kSecond);  // the age is spread by a fifth
  EXPECT_NE(Ask(), second);
}

TEST_F(PoolTest, AnIdleConnectionThatTheUpstreamClosesIsDropped) {
  upstream_.Next().AwaitRequest().Send(kOk).Hold().Close();
  upstream_.Next().AwaitRequest().Send(kOk).Hold().Send("HTTP/1.1 408 Late\r\n\r\n");
  NewPool();
  for (size_t i = 0; i < 2; ++i) {
    Ask();
    EXPECT_EQ(stats_.connections_idle.value(), 1);
    upstream_.connection(i).Release();
    driver_.RunUntil([&] { return stats_.connections_idle.value() == 0; }, "dropped");
    EXPECT_EQ(stats_.connections_closed_idle.value(), i + 1);
    EXPECT_EQ(stats_.connections_active.value(), 0);
  }
}

TEST_F(PoolTest, DrainingClosesTheIdleNowAndTheBusyLater) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  upstream_.Next().AwaitRequest().Send(kOk);
  NewPool();
  Waiter busy;
  Start(busy);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  Ask();
  EXPECT_EQ(stats_.connections_idle.value(), 1);
  pool_->Drain();
  EXPECT_EQ(stats_.connections_idle.value(), 0);
  EXPECT_EQ(stats_.connections_active.value(), 1);
  upstream_.connection(0).Release();
  Await(busy);
  EXPECT_EQ(busy.body, "ok");
  EXPECT_TRUE(pool_->empty());
}

TEST_F(PoolTest, AConnectionThatNamesItsClientServesNoOther) {
  for (int i = 0; i < 4; ++i) upstream_.Next().AwaitText("\r\n\r\n").Send(kOk);
  settings_->proxy_protocol = ProxyProtocolVersion::kV1;
  NewPool();
  const Address local = Address::Parse("192.0.2.9:80").value();
  const Address clients[] = {Address::Parse("192.0.2.1:1001").value(),
                             Address::Parse("192.0.2.2:1002").value(),
                             Address::Parse("192.0.2.3:1003").value()};
  Waiter waiters[3];
  Waiter nobody;
  for (size_t i = 0; i < 3; ++i) waiters[i].request.Start(*pool_, &clients[i], &local, false);
  nobody.request.Start(*pool_, nullptr, nullptr, false);
  // The connection that was started for it is of no use to the others.
  waiters[0].request.Cancel();
  Await(waiters[1]);
  Await(waiters[2]);
  Await(nobody);
  std::vector<std::string> told;
  for (size_t i = 0; i < upstream_.connection_count(); ++i) {
    const std::string& bytes = upstream_.connection(i).received();
    if (bytes.find("GET") != std::string::npos) told.push_back(bytes.substr(0, bytes.find("\r\n")));
  }
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told,
            (std::vector<std::string>{"PROXY TCP4 192.0.2.2 192.0.2.9 1002 80",
                                      "PROXY TCP4 192.0.2.3 192.0.2.9 1003 80", "PROXY UNKNOWN"}));
  EXPECT_EQ(stats_.connections_idle.value(), 0);
  EXPECT_EQ(stats_.connections_active.value(), 0);
}

TEST_F(PoolTest, WhatIdlesElsewhereMakesRoom) {
  settings_->limits.normal.connections = 2;
  test::ScriptedUpstream other(driver_);
  other.AlwaysAnswer(kOk);
  upstream_.Others().AwaitRequest().Hold().Send(kOk).Repeat();
  NewPool(other.address());
  Ask();
  const std::unique_ptr<Pool> idle = std::move(pool_);
  NewPool();
  Waiter waiters[3];
  Start(waiters[0]);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  EXPECT_EQ(idle->connections(), 1U) << "there was room yet";
  Start(waiters[1]);
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  EXPECT_EQ(idle->connections(), 0U);
  EXPECT_EQ(settings_->limits.connections.value(), 2U);
  Start(waiters[2]);
  driver_.RunRounds(5);
  EXPECT_EQ(pool_->connections(), 2U);
  for (size_t i = 0; i < 2; ++i) upstream_.connection(i).Release();
  driver_.RunUntil([&] { return upstream_.request_count() == 3; }, "the third");
  for (size_t i = 0; i < 2; ++i) upstream_.connection(i).Release();
  for (const Waiter& waiter : waiters) Await(waiter);
  EXPECT_TRUE(waiters[2].ended);
}

TEST_F(PoolTest, WhatIdlesElsewhereIsNoRoomAtAFullEndpoint) {
  settings_->limits.normal.connections = 2;
  settings_->limits.connections_per_endpoint = 1;
  test::ScriptedUpstream other(driver_);
  other.AlwaysAnswer(kOk);
  upstream_.Others().AwaitRequest().Hold().Send(kOk).Repeat();
  NewPool(other.address()).set_endpoint_connections(NewGauge("other"));
  Ask();
  const std::unique_ptr<Pool> idle = std::move(pool_);
  NewPool().set_endpoint_connections(NewGauge("full"));
  Waiter waiters[2];
  Start(waiters[0]);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  Start(waiters[1]);
  for (int i = 0; i < 10; ++i) Advance(kMillisecond);
  EXPECT_EQ(idle->connections(), 1U);
  EXPECT_EQ(pool_->connections(), 1U);
  EXPECT_EQ(settings_->limits.connections.value(), 2U);
  for (int i = 0; i < 2; ++i) upstream_.connection(0).Release();
  for (const Waiter& waiter : waiters) Await(waiter);
}

// A fresh one is wanted, and the one that idles is all that the endpoint may have.
TEST_F(PoolTest, WhatIdlesMakesRoomAtAFullEndpoint) {
  settings_->limits.connections_per_endpoint = 2;
  upstream_.AlwaysAnswer(kOk);
  const SharedGauge connections = NewGauge("full");
  connections.Add();  // another worker's
  NewPool().set_endpoint_connections(connections);
  const uint64_t first = Ask();
  Waiter fresh;
  Start(fresh, true);
  Await(fresh);
  EXPECT_NE(fresh.request.connection_id(), first);
  EXPECT_EQ(connections.value(), 2U);
}

TEST_F(PoolTest, RoomThatIsMadeElsewhereIsFound) {
  settings_->limits.normal.connections = 2;
  settings_->limits.connections.Add();  // another worker's
  upstream_.Others().AwaitRequest().Hold().Send(kOk).Repeat();
  NewPool();
  Waiter waiters[2];
  for (Waiter& waiter : waiters) Start(waiter);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  for (int i = 0; i < 10; ++i) Advance(kMillisecond);
  EXPECT_EQ(pool_->connections(), 1U);
  EXPECT_EQ(settings_->limits.starving[0].value(), 1U);
  settings_->limits.connections.Sub();
  for (int i = 0; i < 7; ++i) Advance(kMillisecond);
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  for (int i = 0; i < 7; ++i) Advance(kMillisecond);
  EXPECT_EQ(settings_->limits.starving[0].value(), 0U);
  for (size_t i = 0; i < 2; ++i) upstream_.connection(i).Release();
  for (const Waiter& waiter : waiters) Await(waiter);
}

// It carries nothing any more, yet it cannot be closed before its callback ends.
TEST_F(PoolTest, WhatIsReadNowMakesRoomAfterwards) {
  settings_->new_codec = test::NewMultiplexClientCodec;
  settings_->limits.normal.connections = 1;
  std::string answer;
  test::AppendFrame(1, test::FrameType::kHeadEnd, "200\n", answer);
  upstream_.Others().AwaitText("GET").Send(answer);
  NewPool();
  Waiter first;
  Waiter fresh;
  first.then = [&] { Start(fresh, true); };
  Start(first);
  Await(first);
  EXPECT_TRUE(fresh.request.waiting());
  EXPECT_EQ(pool_->connections(), 1U);
  Advance(PoolGroup::kLookEvery);
  Await(fresh);
  EXPECT_TRUE(fresh.ended);
  EXPECT_NE(fresh.request.connection_id(), first.request.connection_id());
  EXPECT_EQ(upstream_.connection_count(), 2U);
}

// The second group is another worker's.
TEST_F(PoolTest, WhatIdlesMakesRoomForOtherWorkersToo) {
  settings_->limits.normal.connections = 2;
  test::ScriptedUpstream other(driver_);
  other.AlwaysAnswer(kOk);
  NewPool(other.address());
  Ask();
  Advance(kSecond);
  EXPECT_EQ(pool_->connections(), 1U);
  upstream_.Others().AwaitRequest().Hold().Send(kOk).Repeat();
  PoolGroup group(*loop_, settings_->limits);
  Pool pool(*loop_, random_, *settings_, stats_, group, upstream_.address());
  Waiter waiters[2];
  for (Waiter& waiter : waiters) waiter.request.Start(pool, nullptr, nullptr, false);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  settings_->limits.pending.Add();
  EXPECT_EQ(pool.connections(), 1U);
  Advance(PoolGroup::kYieldEvery);
  EXPECT_EQ(pool_->connections(), 0U);
  Advance(PoolGroup::kLookEvery);
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  settings_->limits.pending.Sub();
  for (size_t i = 0; i < 2; ++i) upstream_.connection(i).Release();
  for (const Waiter& waiter : waiters) Await(waiter);
}

// Connections to others would not help it.
TEST_F(PoolTest, WhoWaitsForAnEndpointTakesNoneOfOthers) {
  settings_->limits.connections_per_endpoint = 2;
  test::ScriptedUpstream other(driver_);
  other.AlwaysAnswer(kOk);
  upstream_.Next().AwaitRequest().Send(kOk);
  upstream_.Others().AwaitRequest().Hold().Send(kOk).Repeat();
  const SharedGauge wanted = NewGauge("wanted");
  NewPool().set_endpoint_connections(wanted);
  Ask();
  const std::unique_ptr<Pool> same = std::move(pool_);
  NewPool(other.address()).set_endpoint_connections(NewGauge("other"));
  Ask();
  PoolGroup group(*loop_, settings_->limits);
  Pool pool(*loop_, random_, *settings_, stats_, group, upstream_.address());
  pool.set_endpoint_connections(wanted);
  Waiter waiters[2];
  for (Waiter& waiter : waiters) waiter.request.Start(pool, nullptr, nullptr, false);
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  for (int i = 0; i < 2; ++i) settings_->limits.pending.Add();
  EXPECT_EQ(wanted.value(), 2U);
  EXPECT_EQ(settings_->limits.starving[0].value(), 0U);
  EXPECT_EQ(settings_->limits.starving[1].value(), 1U);
  Advance(PoolGroup::kYieldEvery);
  EXPECT_EQ(same->connections(), 0U);
  EXPECT_EQ(pool_->connections(), 1U);
  Advance(PoolGroup::kLookEvery);
  ASSERT_TRUE(upstream_.WaitForRequests(3));
  for (int i = 0; i < 2; ++i) settings_->limits.pending.Sub();
  for (size_t i = 1; i < 3; ++i) upstream_.connection(i).Release();
  for (const Waiter& waiter : waiters) Await(waiter);
  Advance(PoolGroup::kYieldEvery);
  EXPECT_EQ(settings_->limits.starving[1].value(), 0U);
  EXPECT_EQ(pool_->connections(), 1U);
}

TEST_F(PoolTest, APoolThatEndsClosesWhatIsIdle) {
  upstream_.AlwaysAnswer(kOk);
  NewPool();
  Ask();
  {
    Waiter waiter;
    waiter.request.Start(*pool_, nullptr, nullptr, true);  // still connecting
    pool_.reset();
    EXPECT_FALSE(waiter.request.waiting());
  }
  EXPECT_EQ(stats_.connections_active.value(), 0);
  EXPECT_TRUE(driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "closed"));
}

}  // namespace
}  // namespace sluice
