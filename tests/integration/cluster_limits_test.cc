// The limits of a cluster over real sockets: what is beyond each of them waits, or is refused.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/strings.h"
#include "tests/support/cancel_loop.h"
#include "tests/support/factory_kind.h"
#include "tests/support/proxy_fixture.h"
#include "tests/support/scripted_filter.h"

namespace sluice::test {
namespace {

class ClusterLimitsTest : public ProxyFixture {
 protected:
  void TearDown() override {
    clients_.clear();
    ProxyFixture::TearDown();
  }
  void StartWith(std::string_view limits, std::string_view route = "timeout: 15s",
                 std::string_view cluster = "pool: {}") {
    Start(
        {.route = std::string(route), .cluster = StrCat({"limits: { ", limits, " }, ", cluster})});
    upstream_.Others().AwaitRequest().Hold().Send(kOk).Repeat();
  }
  RawClient& Send(std::string_view request) {
    clients_.push_back(std::make_unique<RawClient>(driver_, port()));
    clients_.back()->Send(request);
    return *clients_.back();
  }
  // A request that has come to the upstream.
  RawClient& SendThrough(std::string_view request = {}) {
    const size_t before = upstream_.request_count();
    RawClient& client = Send(request.empty() ? std::string_view(get_) : request);
    EXPECT_TRUE(upstream_.WaitForRequests(before + 1));
    return client;
  }
  // One that waits.
  RawClient& SendAndSettle() {
    RawClient& client = Send(get_);
    driver_.RunRounds(20);
    return client;
  }
  const ClusterLimits& limits() { return rig_->cluster().limits(); }
  uint64_t overflow(ClusterLimit limit) {
    return rig_->cluster().stats().overflow[static_cast<size_t>(limit)].value();
  }
  void ExpectRefused(std::string_view request, std::string_view limit) {
    const size_t before = ended_.size();
    const HttpText response = Ask(request);
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.Header("x-sluice-overloaded"), "1");
    EXPECT_NE(response.Header("retry-after"), "");
    const EndedRequest ended = Ended(before + 1);
    EXPECT_EQ(ended.flags, "UO");
    EXPECT_EQ(ended.details, StrCat({"overflow{", limit, "}"}));
  }
  void ReleaseAll() {
    for (size_t i = 0; i < upstream_.connection_count(); ++i) {
      for (int j = 0; j < 10; ++j) upstream_.connection(i).Release();
    }
  }
  // Requests of the path /high have that priority.
  void MarkHigh() {
    script_.request_headers = [](FilterContext& context, bool) {
      if (context.info().request->path == "/high") context.info().priority = RequestPriority::kHigh;
      return Verdict::Continue();
    };
    kind_ = std::make_unique<FactoryKind>(
        "mark", [this] { return std::make_unique<ScriptedFactory>("mark", script_, log_); });
    AddFilter(*kind_);
  }

  const std::string get_ = Get("/");
  sluice::Script script_;
  std::vector<std::string> log_;
  std::unique_ptr<FactoryKind> kind_;
  std::vector<std::unique_ptr<RawClient>> clients_;
};

TEST_F(ClusterLimitsTest, Requests) {
  StartWith("requests: 2");
  SendThrough();
  SendThrough();
  ExpectRefused(get_, "requests");
  EXPECT_EQ(limits().requests.value(), 2U);
  EXPECT_EQ(overflow(ClusterLimit::kRequests), 1U);
  ReleaseAll();
  EXPECT_EQ(clients_[0]->ReadResponse().status, 200);
  EXPECT_EQ(clients_[1]->ReadResponse().status, 200);
  EXPECT_EQ(limits().requests.value(), 0U);
  RawClient& next = SendThrough();
  ReleaseAll();
  EXPECT_EQ(next.ReadResponse().status, 200);
}

TEST_F(ClusterLimitsTest, AClientThatGoesGivesItsPlaceBack) {
  StartWith("requests: 1");
  SendThrough().Reset();
  Ended(1);
  EXPECT_EQ(limits().requests.value(), 0U);
}

TEST_F(ClusterLimitsTest, HighPrioritiesHaveTheirOwn) {
  MarkHigh();
  StartWith("requests: 1, high: { requests: 2 }");
  SendThrough();
  ExpectRefused(get_, "requests");
  SendThrough(Get("/high"));
  ExpectRefused(Get("/high"), "requests");
}

// Beyond the limit a request waits for the connections there are.
TEST_F(ClusterLimitsTest, Connections) {
  StartWith("connections: 2");
  SendThrough();
  SendThrough();
  RawClient& third = SendAndSettle();
  EXPECT_EQ(upstream_.connection_count(), 2U);
  EXPECT_EQ(limits().connections.value(), 2U);
  EXPECT_EQ(limits().pending.value(), 1U);
  EXPECT_EQ(overflow(ClusterLimit::kConnections), 1U);
  ReleaseAll();
  EXPECT_EQ(third.ReadResponse().status, 200);
  EXPECT_EQ(upstream_.connection_count(), 2U);
  EXPECT_EQ(limits().pending.value(), 0U);
}

// The one that waits gets a new connection when one is closed.
TEST_F(ClusterLimitsTest, AConnectionThatClosesMakesRoom) {
  StartWith("connections: 1");
  RawClient& first = SendThrough();
  RawClient& second = SendAndSettle();
  RawClient& third = SendAndSettle();
  first.Reset();
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  EXPECT_EQ(limits().connections.value(), 1U);
  upstream_.connection(1).Release();
  EXPECT_EQ(second.ReadResponse().status, 200);
  upstream_.connection(1).Release();
  EXPECT_EQ(third.ReadResponse().status, 200);
  EXPECT_EQ(upstream_.connection_count(), 2U);
}

// The endpoint was not even asked.
TEST_F(ClusterLimitsTest, TimeThatEndsInTheQueueIsNotTheEndpointsFault) {
  StartWith("connections: 1", "timeout: 1s");
  Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");  // its time begins later
  ASSERT_TRUE(upstream_.WaitForConnections(1));
  driver_.RunRounds(20);
  RawClient& second = SendAndSettle();
  EXPECT_EQ(limits().pending.value(), 1U);
  Advance(kSecond + kMillisecond);
  EXPECT_EQ(second.ReadResponse().status, 504);
  EXPECT_EQ(upstream_.connection_count(), 1U);
  uint64_t failures = 0;
  rig_->cluster().ForEachEndpoint(
      [&](const WorkerEndpoint& endpoint) { failures += endpoint.stats.failures.value(); });
  EXPECT_EQ(failures, 0U);
}

TEST_F(ClusterLimitsTest, EachClientsOwnConnection) {
  StartWith("connections: 1", "timeout: 15s", "proxy_protocol: v1");
  upstream_.Others() = Script();
  Send(get_);
  ASSERT_TRUE(upstream_.WaitForConnections(1));
  SendAndSettle();
  SendAndSettle();
  EXPECT_EQ(upstream_.connection_count(), 1U);
  clients_[0]->Reset();
  ASSERT_TRUE(upstream_.WaitForConnections(2));
  clients_[1]->Reset();
  ASSERT_TRUE(upstream_.WaitForConnections(3));
  driver_.RunRounds(10);
  EXPECT_EQ(limits().connections.value(), 1U);
  clients_[2]->Reset();
}

TEST_F(ClusterLimitsTest, ConnectionsPerEndpoint) {
  StartYaml(
      "listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, cluster: api }] }]\n"
      "clusters: [{ name: api, limits: { connections_per_endpoint: 1 }, "
      "endpoints: [\"$UP\", \"$OTHER\"] }]\n");
  for (ScriptedUpstream* each : {&upstream_, &other_}) {
    each->Others().AwaitRequest().Hold().Send(kOk).Repeat();
  }
  for (int i = 0; i < 4; ++i) SendAndSettle();
  EXPECT_EQ(upstream_.connection_count(), 1U);
  EXPECT_EQ(other_.connection_count(), 1U);
  EXPECT_EQ(overflow(ClusterLimit::kConnectionsPerEndpoint), 2U);
  EXPECT_EQ(rig_->endpoints().endpoints[0].connections.value(), 1U);
  EXPECT_EQ(limits().connections.value(), 2U);
  for (ScriptedUpstream* each : {&upstream_, &other_}) {
    for (int i = 0; i < 2; ++i) each->connection(0).Release();
  }
  for (const auto& client : clients_) EXPECT_EQ(client->ReadResponse().status, 200);
}

TEST_F(ClusterLimitsTest, Pending) {
  StartWith("connections: 1, pending: 2");
  SendThrough();
  SendAndSettle();
  SendAndSettle();
  ExpectRefused(get_, "pending");
  EXPECT_EQ(overflow(ClusterLimit::kPending), 1U);
  clients_[1]->Reset();
  Ended(2);
  EXPECT_EQ(limits().pending.value(), 1U);
  ReleaseAll();
  EXPECT_EQ(clients_[2]->ReadResponse().status, 200);
}

TEST_F(ClusterLimitsTest, HighPrioritiesMayConnectWhereOthersWait) {
  MarkHigh();
  StartWith("connections: 1, pending: 1, high: { connections: 2, pending: 2 }");
  SendThrough();
  SendAndSettle();
  ExpectRefused(get_, "pending");
  RawClient& high = Send(Get("/high"));
  ASSERT_TRUE(upstream_.WaitForConnections(2));
  ReleaseAll();
  driver_.RunRounds(20);
  ReleaseAll();
  EXPECT_EQ(high.ReadResponse().status, 200);
  EXPECT_EQ(clients_[1]->ReadResponse().status, 200);
}

TEST_F(ClusterLimitsTest, Retries) {
  Start({.route = "retries: { on: [5xx], back_off: { base: 100ms, max: 100ms, jitter: none } }",
         .cluster = "limits: { retries: 1 }"});
  upstream_.AlwaysAnswer("HTTP/1.1 500 X\r\nContent-Length: 3\r\n\r\nbad");
  SendThrough();
  driver_.RunUntil([&] { return limits().retries.value() == 1; }, "the wait for the second try");
  EXPECT_EQ(Ask(get_).body, "bad") << "passed on as it is";
  EXPECT_EQ(Ended(1).attempts, 1U);
  EXPECT_EQ(overflow(ClusterLimit::kRetries), 1U);
  Advance(100 * kMillisecond);
  EXPECT_EQ(clients_[0]->ReadResponse().status, 500);
  EXPECT_EQ(Ended(2).attempts, 2U);
  EXPECT_EQ(limits().retries.value(), 0U);
}

TEST_F(ClusterLimitsTest, AFallbackStandsInForALimit) {
  StartWith("requests: 1", "fallbacks: [{ on: [limit], respond: { status: 200, body: later } }]");
  SendThrough();
  const HttpText response = Ask(get_);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "later");
  EXPECT_EQ(response.Header("x-sluice-fallback"), "limit");
  EXPECT_EQ(limits().requests.value(), 1U);
}

TEST_F(ClusterLimitsTest, AreThereByDefault) {
  Start();
  EXPECT_EQ(limits().normal.connections, 1024U);
  EXPECT_EQ(limits().normal.pending, 1024U);
  EXPECT_EQ(limits().normal.requests, 1024U);
  EXPECT_EQ(limits().normal.retries, 0U);
  EXPECT_EQ(limits().high.requests, 1024U);
}

// Three at a limit of one: whoever goes, whenever, leaves nothing counted and nobody waiting for
// ever.
TEST_F(ClusterLimitsTest, CancelLoop) {
  StartWith("connections: 1");
  upstream_.AlwaysAnswer(kOk);
  std::vector<std::unique_ptr<RawClient>> three;
  for (const size_t victim : {0U, 1U, 2U}) {
    const int turns = CancelLoop(
        [&] {
          three.clear();
          for (int i = 0; i < 3; ++i) {
            three.push_back(std::make_unique<RawClient>(driver_, port()));
            three.back()->SendInPieces(get_, 9);
          }
        },
        [&] {
          driver_.RunRounds(1);
          return std::all_of(three.begin(), three.end(),
                             [](const auto& client) { return client->received().ends_with("ok"); });
        },
        [&] {
          three[victim]->Reset();
          for (size_t i = 0; i < 3; ++i) {
            if (i == victim) continue;
            EXPECT_EQ(three[i]->ReadResponse().status, 200);
          }
        },
        [&]() -> std::string {
          for (const auto& client : three) client->Reset();
          for (int i = 0; i < 1000 && !rig_->Quiet(); ++i) driver_.RunRounds(1);
          const std::string rest = rig_->NotQuiet();
          if (!rest.empty()) return rest;
          if (limits().pending.value() > 0) return "pending";
          return limits().requests.value() > 0 ? "requests" : "";
        });
    EXPECT_GT(turns, 3);
  }
}

// The permit of a retry is held while there is a retry, not as long as its answer takes.
TEST_F(ClusterLimitsTest, ARetryThatWasAnsweredIsNoneAnyMore) {
  Start({.route = "retries: { on: [5xx], back_off: { base: 1ms, max: 1ms } }",
         .cluster = "limits: { retries: 1 }"});
  constexpr std::string_view kBusy = "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n";
  constexpr std::string_view kBegun = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart";
  upstream_.Others() = Script().AwaitRequest().Send(kBusy).AwaitRequest().Send(kBegun);
  for (uint64_t i = 1; i <= 2; ++i) {
    RawClient& client = Send(get_);
    driver_.RunUntil([&] { return rig_->cluster().stats().retries.value() == i; }, "the retry");
    Advance(5 * kMillisecond);
    driver_.RunUntil([&] { return client.received().find("part") != std::string::npos; }, "a part");
  }
  EXPECT_EQ(overflow(ClusterLimit::kRetries), 0U);
}

}  // namespace
}  // namespace sluice::test
