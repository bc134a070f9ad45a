// Outlier detection over real sockets: what of a try counts as which failure, and where requests go
// when an endpoint is ejected. The rules themselves: core/upstream/outlier.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/strings.h"
#include "core/upstream/outlier/outlier_detector.h"
#include "tests/support/cancel_loop.h"
#include "tests/support/dead_ports.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

constexpr std::string_view kBad = "HTTP/1.1 500 Bad\r\nContent-Length: 1\r\n\r\nB";

class Outliers : public ProxyFixture {
 protected:
  void SetUp() override {
    upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nU");
    other_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nO");
  }
  // A cluster of these endpoints, with outlier_detection's fields in a flow map. Panic would use
  // ejected endpoints; DNS and such do not matter here.
  void StartCluster(const std::string& endpoints, const std::string& detection,
                    const std::string& route = "") {
    StartYaml(StrCat({"listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, ",
                      "cluster: api", route.empty() ? "" : ", ", route,
                      " }] }]\nclusters: [{ name: api, balance: { panic_threshold: 0% }, ",
                      "endpoints: [", endpoints, "], outlier_detection: ", detection, " }]\n"}));
  }
  std::string Who(int times) {
    std::string who;
    for (int i = 0; i < times; ++i) who += Ask(Get("/")).body.substr(0, 1);
    return who;
  }
  // The main thread hears of it.
  void Look() { Advance(OutlierDetector::kLookEvery + kMillisecond); }
  bool Ejected(size_t endpoint) {
    return HasFault(rig_->endpoints().endpoints[endpoint].faults, EndpointFault::kEjected);
  }
};

TEST_F(Outliers, AnEndpointThatFailsIsLeftAloneForAWhile) {
  upstream_.AlwaysAnswer(kBad);
  StartCluster("\"$UP\", \"$OTHER\"", "{ ejection_time: 30s }");
  EXPECT_EQ(Who(9).size(), 9u);
  Look();
  const int failed = static_cast<int>(upstream_.request_count());
  ASSERT_TRUE(failed == 4 || failed == 5);
  if (failed == 4) {
    EXPECT_FALSE(Ejected(0) || Ejected(1));
    Who(1);
    Look();
  }
  EXPECT_EQ(upstream_.request_count(), 5u);
  EXPECT_EQ(Who(20), std::string(20, 'O'));
  Advance(29 * kSecond);
  EXPECT_EQ(Who(4), "OOOO");
  EXPECT_EQ(upstream_.request_count(), 5u);
  Advance(kSecond + kMillisecond);
  const std::string both = Who(4);
  EXPECT_NE(both.find('B'), std::string::npos) << both;
  EXPECT_NE(both.find('O'), std::string::npos) << both;
}

TEST_F(Outliers, TheOnlyEndpointIsNeverEjected) {
  upstream_.AlwaysAnswer(kBad);
  StartCluster("\"$UP\"", "{ consecutive_5xx: 1, max_ejection_percent: 100% }");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Ask(Get("/")).status, 500);
    Look();
  }
  EXPECT_EQ(upstream_.request_count(), 3u);
}

TEST_F(Outliers, NotAllAreEjected) {
  upstream_.AlwaysAnswer(kBad);
  other_.AlwaysAnswer(kBad);
  StartCluster("\"$UP\", \"$OTHER\"", "{ consecutive_5xx: 1 }");
  Who(4);
  Look();
  EXPECT_NE(Ejected(0), Ejected(1)) << "10% of two, but at least one";
  EXPECT_EQ(Ask(Get("/")).status, 500);
}

// A connect that failed is not repeated at once where that is known to fail too.
TEST_F(Outliers, AnEjectedEndpointIsNoOtherOneToConnectTo) {
  const RefusingPort first;
  const RefusingPort second;
  StartCluster(
      StrCat({"'", first.address().ToString(), "', '", second.address().ToString(), "'"}),
      "{ consecutive_5xx: 0, consecutive_local_origin_failure: 1, max_ejection_percent: 50% }");
  EXPECT_EQ(Ask(Get("/")).status, 503);
  EXPECT_EQ(Ended(1).attempts, 2u);
  Look();
  EXPECT_NE(Ejected(0), Ejected(1));
  EXPECT_EQ(Ask(Get("/")).status, 503);
  EXPECT_EQ(Ended(2).attempts, 1u);
  EXPECT_EQ(rig_->cluster().stats().connect_retries.value(), 1u);
}

TEST_F(Outliers, ResetsFailedConnectsAndTimeoutsAreTheEndpointsToo) {
  const std::string detection =
      "{ consecutive_5xx: 0, consecutive_local_origin_failure: 2, max_ejection_percent: 50% }";
  const RefusingPort refusing;
  StartCluster(StrCat({"'", refusing.address().ToString(), "', \"$OTHER\""}), detection);
  Who(6);
  Look();
  EXPECT_TRUE(Ejected(0)) << "not connected";

  ScriptedUpstream resetting(driver_);
  resetting.Others().AwaitRequest().Reset();
  rig_.reset();
  StartCluster(StrCat({"'", resetting.text(), "', \"$OTHER\""}), detection);
  Who(6);
  Look();
  EXPECT_TRUE(Ejected(0)) << "reset";

  ScriptedUpstream silent(driver_);
  rig_.reset();
  StartCluster(StrCat({"'", silent.text(), "', \"$OTHER\""}), detection, "timeout: 200ms");
  for (size_t waited = 0; waited < 2;) {
    RawClient client(driver_, port());
    client.Send(Get("/"));
    const size_t before = silent.request_count();
    driver_.RunUntil([&] { return silent.connection_count() > waited || client.received() != ""; },
                     "a request somewhere");
    if (silent.connection_count() > waited) {
      ++waited;
      ASSERT_EQ(before, 0u);
      Advance(300 * kMillisecond);
    }
    client.ReadResponse();
  }
  Look();
  EXPECT_TRUE(Ejected(0)) << "timed out";
}

// Streams that break off say nothing of how requests fare; those that begin do.
TEST_F(Outliers, StreamsAreJudgedByTheirHeads) {
  ScriptedUpstream stream(driver_);
  for (int i = 0; i < 3; ++i) {
    stream.Next()
        .AwaitRequest()
        .Send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata")
        .Hold()
        .Reset();
    stream.Next().AwaitRequest().Send(kBad).Close();
  }
  StartCluster(StrCat({"'", stream.text(), "', '", stream.text(), "'"}),
               "{ consecutive_5xx: 2, consecutive_local_origin_failure: 1 }");
  std::vector<std::unique_ptr<RawClient>> clients;
  for (size_t i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<RawClient>(driver_, port()));
    RawClient& client = *clients.back();
    client.Send(Get("/"));
    const std::string_view awaited = i % 2 == 0 ? "data" : "\r\n\r\nB";
    driver_.RunUntil([&] { return client.received().find(awaited) != std::string::npos; }, "it");
  }
  Look();
  EXPECT_FALSE(Ejected(0)) << "a stream between two failures";
  for (const size_t i : {0, 2, 4}) {
    stream.connection(i).Release();
    driver_.RunUntil([&] { return clients[i]->ended(); }, "the end of it");
  }
  Look();
  EXPECT_FALSE(Ejected(0)) << "that they break off";
}

TEST_F(Outliers, GatewayFailuresCountApart) {
  upstream_.AlwaysAnswer("HTTP/1.1 503 No\r\nContent-Length: 1\r\n\r\nB");
  other_.AlwaysAnswer(kBad);
  StartCluster("\"$UP\", \"$OTHER\"",
               "{ consecutive_5xx: 0, consecutive_gateway_failure: 3, max_ejection_percent: 50% }");
  Who(10);
  Look();
  EXPECT_TRUE(Ejected(0));
  EXPECT_FALSE(Ejected(1)) << "500 is none";
}

// What ends because its client went, before any answer, says nothing.
TEST_F(Outliers, AClientThatGoesIsNoFailure) {
  ScriptedUpstream slow(driver_);
  StartCluster(StrCat({"'", slow.text(), "', '", slow.text(), "'"}),
               "{ consecutive_5xx: 1, consecutive_local_origin_failure: 1 }");
  for (size_t i = 1; i <= 4; ++i) {
    RawClient client(driver_, port());
    client.Send(Get("/"));
    ASSERT_TRUE(slow.WaitForConnections(i));
    client.Reset();
    driver_.RunUntil([&] { return rig_->Quiet(); }, "the request's end");
  }
  Look();
  EXPECT_FALSE(Ejected(0));
}

TEST_F(Outliers, ASlowEndpointAmongQuickOnesIsEjected) {
  ScriptedUpstream slow(driver_);
  ScriptedUpstream quick(driver_);
  for (ScriptedUpstream* each : {&slow, &quick}) {
    each->Others().AwaitRequest().Hold().Send(kOk).Repeat();
  }
  StartCluster(StrCat({"'", slow.text(), "', '", quick.text(), "'"}),
               "{ latency_factor: 3, min_endpoints: 2, min_requests: 4, interval: 10s, "
               "success_rate_deviations: 0 }");
  Look();
  for (size_t i = 1; i <= 8; ++i) {
    const size_t before = slow.request_count();
    RawClient client(driver_, port());
    client.Send(Get("/"));
    driver_.RunUntil([&] { return slow.request_count() + quick.request_count() == i; },
                     "the request at an endpoint");
    const bool at_slow = slow.request_count() > before;
    Advance((at_slow ? 310 : 100) * kMillisecond);
    (at_slow ? slow : quick).connection(0).Release();
    EXPECT_EQ(client.ReadResponse().status, 200);
  }
  ASSERT_EQ(slow.request_count(), 4u);
  Look();
  EXPECT_FALSE(Ejected(0));
  Advance(10 * kSecond);
  EXPECT_TRUE(Ejected(0));
  EXPECT_FALSE(Ejected(1));
}

// Requests that an ejected endpoint has go on, and their ends harm nobody.
TEST_F(Outliers, RequestsAtAnEjectedEndpointGoOn) {
  ScriptedUpstream endpoint(driver_);
  endpoint.Next().AwaitRequest().Hold().Send(kOk);
  endpoint.Others().AwaitRequest().Send(kBad).Repeat();
  StartCluster(StrCat({"'", endpoint.text(), "', \"$OTHER\""}), "{ consecutive_5xx: 2 }");
  RawClient kept(driver_, port());
  kept.Send(Get("/"));
  RawClient second(driver_, port());
  second.Send(Get("/"));
  ASSERT_TRUE(endpoint.WaitForRequests(1));
  Who(5);
  Look();
  EXPECT_TRUE(Ejected(0));
  endpoint.connection(0).Release();
  driver_.RunUntil([&] { return kept.received() != "" && second.received() != ""; }, "both");
  EXPECT_EQ(kept.ReadResponse().status, 200);
  EXPECT_EQ(second.ReadResponse().status, 200);
  Look();
  EXPECT_TRUE(Ejected(0)) << "a success there does not take it back";
}

TEST_F(Outliers, WithoutTheBlockNothingIsCounted) {
  StartYaml(
      "listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, cluster: api }] }]\n"
      "clusters: [{ name: api, endpoints: [\"$UP\", \"$OTHER\"] }]\n");
  EXPECT_EQ(rig_->cluster().Pick()->outliers, nullptr);
}

// A client may go at any moment of a request whose endpoint is just being ejected.
TEST_F(Outliers, ClientsThatGoWhileAnEndpointIsEjected) {
  upstream_.AlwaysAnswer(kBad);
  StartCluster("\"$UP\", \"$OTHER\"", "{ consecutive_5xx: 1, ejection_time: 150ms }");
  std::unique_ptr<RawClient> client;
  const int turns = CancelLoop(
      [&] {
        client = std::make_unique<RawClient>(driver_, port());
        client->Send(Get("/"));
      },
      [&] {
        clock_.Advance(40 * kMillisecond);
        driver_.RunRounds(1);
        return client->received().ends_with("B") || client->received().ends_with("U") ||
               client->received().ends_with("O");
      },
      [&] { client->Reset(); },
      [&] {
        client.reset();
        driver_.RunUntil([&] { return rig_->Quiet(); }, "the proxy at rest");
        return rig_->NotQuiet();
      });
  EXPECT_GT(turns, 3);
}

}  // namespace
}  // namespace sluice::test
