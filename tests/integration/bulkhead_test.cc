// Bulkheads of routes and clusters: who is let in, who waits, who is refused, and what the client
// and the log see of it; and what is given up while something runs short.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/base/strings.h"
#include "core/config/route_table.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

constexpr std::string_view kTrusted =
    "forwarded: { trusted_cidrs: [127.0.0.0/8], priority: x-importance }";

class Bulkheads : public ProxyFixture {
 protected:
  // The one route has this bulkhead; each upstream connection holds its request until it is
  // released.
  void StartWith(std::string_view bulkhead, std::string_view route = {},
                 std::string_view listener = kTrusted) {
    Start({.listener = std::string(listener),
           .route = StrCat({"bulkhead: ", bulkhead, route.empty() ? "" : ", ", route})});
    HoldAll();
  }
  void HoldAll() { upstream_.Others() = Script().AwaitRequest().Hold().Send(kOk).Repeat(); }

  Bulkhead* of_route() {
    const RouteTable& routes = *rig_->runtime().settings.routes;
    return rig_->runtime().bulkhead(&routes.hosts()[0]->routes()[0]);
  }
  Bulkhead* of_cluster() { return rig_->cluster().bulkhead(); }
  uint64_t active() { return of_route()->settings().active.value(); }
  uint64_t waiting() { return of_route()->settings().waiting.value(); }
  uint64_t refused(BulkheadStats::Refusal why) { return of_route()->stats().refused[why].value(); }

  // Sends it on a connection of its own, and waits until it is at its place.
  std::unique_ptr<RawClient> Send(std::string_view request) {
    auto client = std::make_unique<RawClient>(driver_, port());
    client->Send(request);
    return client;
  }
  std::unique_ptr<RawClient> SendAndWait(std::string_view request) {
    const uint64_t before = active() + waiting();
    auto client = Send(request);
    driver_.RunUntil([&] { return active() + waiting() > before; }, "the request at the bulkhead");
    return client;
  }
  static std::string GetAs(std::string_view target, std::string_view priority) {
    return Get(target, StrCat({"X-Importance: ", priority, "\r\n"}));
  }
};

void ExpectRefused(const HttpText& response) {
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.Header("x-sluice-overloaded"), "1");
  const std::string wait(response.Header("retry-after").value_or(std::string("none")));
  EXPECT_TRUE(wait == "1" || wait == "2" || wait == "3") << wait;
}

TEST_F(Bulkheads, WhoFindsNoRoomIsRefused) {
  StartWith("1");
  const auto first = SendAndWait(Get("/first"));
  ExpectRefused(Ask(Get("/second")));
  const EndedRequest ended = Ended(1);
  EXPECT_EQ(ended.flags, "UO");
  EXPECT_EQ(ended.details, "bulkhead_full");
  EXPECT_EQ(ended.attempts, 0U);
  EXPECT_EQ(refused(BulkheadStats::kFull), 1U);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  upstream_.connection(0).Release();
  EXPECT_EQ(first->ReadResponse().status, 200);
  upstream_.connection(0).Release();
  EXPECT_EQ(Ask(Get("/third")).status, 200);
}

TEST_F(Bulkheads, WhoWaitsIsForwardedWhenItIsItsTurn) {
  StartWith("{ requests: 1, queue: 2 }");
  const auto first = SendAndWait(Get("/first"));
  const auto second = SendAndWait(Post("/second", "the body waits, too"));
  EXPECT_EQ(waiting(), 1U);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  EXPECT_EQ(upstream_.request_count(), 1U);
  upstream_.connection(0).Release();
  upstream_.connection(0).Release();
  EXPECT_EQ(first->ReadResponse().status, 200);
  EXPECT_EQ(second->ReadResponse().status, 200);
  EXPECT_EQ(LastRequest().body, "the body waits, too");
  EXPECT_EQ(Ended(2).flags, "-");
}

TEST_F(Bulkheads, AWaitHasALimit) {
  StartWith("{ requests: 1, queue: { requests: 2, wait: 20ms } }");
  const auto first = SendAndWait(Get("/first"));
  const auto second = SendAndWait(Get("/second"));
  for (int i = 0; i < 23; ++i) Advance(kMillisecond);
  ExpectRefused(second->ReadResponse());
  EXPECT_EQ(Ended(1).details, "queue_timeout");
  EXPECT_EQ(Ended(1).flags, "UO");
  EXPECT_EQ(refused(BulkheadStats::kTimeout), 1U);
}

TEST_F(Bulkheads, TheRouteTimeoutCountsInTheQueue) {
  StartWith("{ requests: 1, queue: { requests: 2, wait: 1s } }", "timeout: 30ms");
  const auto first = SendAndWait(Get("/first"));
  Advance(20 * kMillisecond);
  const auto second = SendAndWait(Get("/second"));
  Advance(12 * kMillisecond);
  EXPECT_EQ(first->ReadResponse().status, 504);
  Advance(kMillisecond);
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  Advance(18 * kMillisecond);
  EXPECT_EQ(second->ReadResponse().status, 504) << "30 ms in all";
  EXPECT_EQ(Ended(2).details, "upstream_response_timeout");
}

TEST_F(Bulkheads, OnesTimeMayBeUpInTheQueue) {
  StartWith("{ requests: 1, queue: { requests: 2, wait: 1s } }", "timeout: 30ms");
  const auto first = SendAndWait("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
  const auto second = SendAndWait(Get("/second"));
  Advance(32 * kMillisecond);
  EXPECT_EQ(second->ReadResponse().status, 504);
  EXPECT_EQ(waiting(), 0U);
  EXPECT_EQ(refused(BulkheadStats::kTimeout), 1U);
  EXPECT_EQ(rig_->cluster().stats().timeouts.value(), 0U) << "nothing was asked of it";
  first->Reset();
}

TEST_F(Bulkheads, AClientThatLeavesWaitsNoMore) {
  StartWith("{ requests: 1, queue: 2 }");
  const auto first = SendAndWait(Get("/first"));
  auto second = SendAndWait(Get("/second"));
  second->Reset();
  driver_.RunUntil([&] { return waiting() == 0; }, "nobody to wait");
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  upstream_.connection(0).Release();
  EXPECT_EQ(first->ReadResponse().status, 200);
  EXPECT_EQ(upstream_.request_count(), 1U);
}

TEST_F(Bulkheads, PriorityComesFirst) {
  StartWith("{ requests: 1, queue: 2 }");
  const auto first = SendAndWait(Get("/first"));
  const auto low = SendAndWait(GetAs("/low", "low"));
  const auto normal = SendAndWait(Get("/normal"));
  const auto critical = Send(GetAs("/critical", "critical"));
  ExpectRefused(low->ReadResponse());
  EXPECT_EQ(Ended(1).details, "bulkhead_full");
  EXPECT_EQ(refused(BulkheadStats::kEvicted), 1U);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  for (int i = 0; i < 3; ++i) upstream_.connection(0).Release();
  EXPECT_EQ(first->ReadResponse().status, 200);
  EXPECT_EQ(critical->ReadResponse().status, 200);
  EXPECT_EQ(normal->ReadResponse().status, 200);
  EXPECT_EQ(upstream_.connection(0).requests().at(1).start_line, "GET /critical HTTP/1.1");
}

TEST_F(Bulkheads, APriorityOfTheRoute) {
  StartWith("{ requests: 2, reserve: 50% }", "priority: high", "http10: on");
  const auto first = SendAndWait(Get("/"));
  const auto second = SendAndWait(Get("/"));
  EXPECT_EQ(active(), 2U);
}

TEST_F(Bulkheads, AHeaderThatIsNotBelievedIsNoPriority) {
  StartWith("{ requests: 2, reserve: 50% }", "", "forwarded: { priority: x-importance }");
  const auto first = SendAndWait(Get("/"));
  ExpectRefused(Ask(GetAs("/", "critical")));
}

TEST_F(Bulkheads, EachConsumerHasItsOwn) {
  StartWith("{ requests: 1, per: { header: x-consumer } }");
  const auto a = SendAndWait(Get("/", "X-Consumer: a\r\n"));
  ExpectRefused(Ask(Get("/", "X-Consumer: a\r\n")));
  const auto b = SendAndWait(Get("/", "X-Consumer: b\r\n"));
  const auto c = SendAndWait(Get("/", "X-Consumer: c\r\n"));
  EXPECT_EQ(active(), 3U);
}

// What the route makes of the request says nothing of who sent it.
TEST_F(Bulkheads, TheConsumerIsThatOfTheRequestAsItCame) {
  StartWith("{ requests: 1, per: { header: x-consumer } }",
            "request_headers: { set: { x-consumer: us } }");
  const auto a = SendAndWait(Get("/", "X-Consumer: a\r\n"));
  const auto b = SendAndWait(Get("/", "X-Consumer: b\r\n"));
  EXPECT_EQ(active(), 2U);
  ExpectRefused(Ask(Get("/", "X-Consumer: a\r\n")));
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  EXPECT_EQ(LastRequest().Header("x-consumer"), "us");
}

TEST_F(Bulkheads, OfAClusterToo) {
  Start({.route = "bulkhead: 5", .cluster = "bulkhead: { requests: 1, queue: 1 }, "});
  HoldAll();
  const auto first = SendAndWait(Get("/first"));
  const auto second = SendAndWait(Get("/second"));
  EXPECT_EQ(of_cluster()->settings().active.value(), 1U);
  EXPECT_EQ(of_cluster()->settings().waiting.value(), 1U);
  EXPECT_EQ(active(), 2U) << "it waits inside of the route's";
  ExpectRefused(Ask(Get("/third")));
  EXPECT_EQ(active(), 2U) << "who is refused gives back what it had";
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  upstream_.connection(0).Release();
  upstream_.connection(0).Release();
  EXPECT_EQ(first->ReadResponse().status, 200);
  EXPECT_EQ(second->ReadResponse().status, 200);
}

TEST_F(Bulkheads, WaitingAtTheRouteThenAtTheCluster) {
  StartYaml(
      "listeners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: /a, cluster: api, "
      "bulkhead: { requests: 1, queue: 1 } }, { match: /, cluster: api }] }]\n"
      "clusters: [{ name: api, endpoints: [$UP], bulkhead: { requests: 2, queue: 4 } }]\n");
  HoldAll();
  const auto first = SendAndWait(Get("/a1"));
  const auto second = SendAndWait(Get("/a2"));
  const auto other = Send(Get("/other"));
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  const auto third = Send(Get("/third"));
  driver_.RunUntil([&] { return of_cluster()->settings().waiting.value() == 1; },
                   "one in the queue");
  // The first one leaves both: /third has the cluster's place, /a2 comes on to the cluster's queue.
  upstream_.connection(0).Release();
  EXPECT_EQ(first->ReadResponse().status, 200);
  ASSERT_TRUE(upstream_.WaitForRequests(3));
  EXPECT_EQ(waiting(), 0U);
  EXPECT_EQ(of_cluster()->settings().waiting.value(), 1U);
  for (size_t i = 0; i < 2; ++i) {
    for (int n = 0; n < 3; ++n) upstream_.connection(i).Release();
  }
  for (const auto& client : {&second, &other, &third}) {
    EXPECT_EQ((*client)->ReadResponse().status, 200);
  }
}

TEST_F(Bulkheads, ThePlaceIsKeptThroughRetries) {
  Start({.route = "bulkhead: 1, retries: { statuses: [500], attempts: 2 }"});
  upstream_.Others() = Script()
                           .AwaitRequest()
                           .Send("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")
                           .AwaitRequest()
                           .Hold()
                           .Send(kOk);
  const auto first = SendAndWait(Get("/"));
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  for (int i = 0; i < 30; ++i) Advance(10 * kMillisecond);
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  EXPECT_EQ(active(), 1U);
  upstream_.connection(0).Release();
  EXPECT_EQ(first->ReadResponse().status, 200);
}

TEST_F(Bulkheads, AFallbackAnswersInPlaceOfARefusal) {
  StartWith("1", "fallbacks: [{ on: [limit], respond: { status: 200, body: later } }]");
  const auto first = SendAndWait(Get("/first"));
  const HttpText response = Ask(Get("/second"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "later");
  EXPECT_EQ(response.Header("x-sluice-fallback"), "limit");
}

class BulkheadsWithFallback : public Bulkheads {
 protected:
  void StartWith(std::string_view route, std::string_view on) {
    StartYaml(
        StrCat({"listeners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: /, cluster: "
                "api, ",
                route, ", fallbacks: [{ ", on,
                ", cluster: spare }] }] }]\n"
                "clusters: [{ name: api, endpoints: [$UP] }, { name: spare, endpoints: "
                "[$OTHER], bulkhead: 1 }]\n"}));
    HoldAll();
    other_.Others() = Script().AwaitRequest().Hold().Send(kOk).Repeat();
  }
  uint64_t at_spare() { return rig_->cluster(1).bulkhead()->settings().active.value(); }
};

TEST_F(BulkheadsWithFallback, AnotherClusterHasABulkheadOfItsOwn) {
  StartWith("bulkhead: 1", "on: [limit]");
  const auto first = SendAndWait(Get("/first"));
  const auto second = Send(Post("/second", "its body"));
  ASSERT_TRUE(other_.WaitForRequests(1));
  EXPECT_EQ(active(), 1U);
  EXPECT_EQ(at_spare(), 1U);
  ExpectRefused(Ask(Get("/third")));
  other_.connection(0).Release();
  EXPECT_EQ(second->ReadResponse().status, 200);
  EXPECT_EQ(LastRequest(other_).body, "its body");
}

TEST_F(BulkheadsWithFallback, OneThatWaitedForTooLongIsNotInTheQueueAnyMore) {
  StartWith("timeout: 30ms, bulkhead: { requests: 1, queue: { requests: 1, wait: 1s } }",
            "on: [timeout]");
  const auto first = SendAndWait("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n");
  const auto second = SendAndWait(Get("/second"));
  Advance(32 * kMillisecond);
  ASSERT_TRUE(other_.WaitForRequests(1));
  EXPECT_EQ(waiting(), 0U);
  EXPECT_EQ(at_spare(), 1U);
  first->Reset();
  driver_.RunUntil([&] { return active() == 0; }, "room at the route");
  Advance(5 * kMillisecond);
  EXPECT_EQ(active(), 0U);
  other_.connection(0).Release();
  EXPECT_EQ(second->ReadResponse().status, 200);
}

TEST_F(BulkheadsWithFallback, WhatAnswersThereTellsTheRoutesLimitNothing) {
  StartWith("bulkhead: { requests: 1, adaptive: { at_least: 1, at_most: 100 } }", "on: [limit]");
  other_.AlwaysAnswer(kOk);
  const auto first = Send(Get("/first"));
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  // A hundred samples of it would be ten measurements.
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(of_route()->limit(), 1U);
  upstream_.connection(0).Release();
  EXPECT_EQ(first->ReadResponse().status, 200);
}

TEST_F(BulkheadsWithFallback, AlsoWhereAStatusLeadsThere) {
  StartWith("bulkhead: 5", "statuses: [500]");
  upstream_.AlwaysAnswer("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
  const auto first = Send(Get("/first"));
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  for (int i = 0; i < 5; ++i) Advance(kMillisecond);
  ASSERT_TRUE(other_.WaitForRequests(1));
  EXPECT_EQ(at_spare(), 1U);
  EXPECT_EQ(active(), 1U) << "the route's place is kept";
  const auto second = Send(Get("/second"));
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  for (int i = 0; i < 5; ++i) Advance(kMillisecond);
  ExpectRefused(second->ReadResponse());
  other_.connection(0).Release();
  EXPECT_EQ(first->ReadResponse().status, 200);
}

TEST_F(Bulkheads, AMirrorSeesOnlyThoseThatAreLetIn) {
  StartYaml(
      "listeners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: /, cluster: api, "
      "bulkhead: 1, mirror: { cluster: copy } }] }]\n"
      "clusters: [{ name: api, endpoints: [$UP] }, { name: copy, endpoints: [$OTHER] }]\n");
  HoldAll();
  other_.AlwaysAnswer(kOk);
  const auto first = SendAndWait(Get("/first"));
  ExpectRefused(Ask(Get("/second")));
  ASSERT_TRUE(other_.WaitForRequests(1));
  driver_.RunRounds(20);
  EXPECT_EQ(other_.request_count(), 1U);
}

TEST_F(Bulkheads, AnAdaptiveLimitFollowsResponses) {
  Start({.route = "bulkhead: { requests: 10, adaptive: { at_least: 1, at_most: 100 } }",
         .cluster = "bulkhead: { requests: 1, adaptive: { at_least: 1, at_most: 100 } }, "});
  upstream_.AlwaysAnswer(kOk);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(of_cluster()->limit(), 2U) << "1 + 2 * 0.2 * 4: 2.6";
  EXPECT_EQ(of_route()->limit(), 10U) << "which is not used";
}

TEST_F(Bulkheads, ATimeoutIsALongResponse) {
  Start({.route = "timeout: 1s, bulkhead: { requests: 50, adaptive: { at_least: 10 } }"});
  upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(of_route()->limit(), 50U);
  HoldAll();
  for (int i = 0; i < 10; ++i) {
    const auto client = SendAndWait(Get("/"));
    Advance(kSecond + 2 * kMillisecond);
    EXPECT_EQ(client->ReadResponse().status, 504);
  }
  EXPECT_LT(of_route()->limit(), 50U);
}

TEST_F(Bulkheads, WhatRunsShortCostsLowPriorityFirst) {
  Start({.listener = std::string(kTrusted)});
  upstream_.AlwaysAnswer(kOk);
  rig_->status().set_overloaded(OverloadStep::kShedLowPriority, true);
  ExpectRefused(Ask(GetAs("/", "low")));
  EXPECT_EQ(Ended(1).details, "overload");
  EXPECT_EQ(Ended(1).flags, "OM");
  EXPECT_EQ(rig_->stats().requests_shed.value(), 1U);
  EXPECT_EQ(Ask(Get("/")).status, 200);
  rig_->status().set_overloaded(OverloadStep::kShedLowPriority, false);
  EXPECT_EQ(Ask(GetAs("/", "low")).status, 200);
}

TEST_F(BulkheadsWithFallback, WhatRunsShortIsCountedOnceForARequest) {
  StartYaml(
      StrCat({"listeners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: /, cluster: api, "
              "priority: low, fallbacks: [{ cluster: spare }, { cluster: spare }] }] }]\n"
              "clusters: [{ name: api, endpoints: [$UP] }, { name: spare, endpoints: [$OTHER] }]"
              "\n"}));
  rig_->status().set_overloaded(OverloadStep::kShedLowPriority, true);
  ExpectRefused(Ask(Get("/")));
  EXPECT_EQ(rig_->stats().requests_shed.value(), 1U);
}

TEST_F(Bulkheads, WhatRunsShortEndsKeepAlive) {
  Start();
  upstream_.AlwaysAnswer(kOk);
  RawClient client(driver_, port());
  client.Send(Get("/"));
  EXPECT_FALSE(client.ReadResponse().Header("connection"));
  rig_->status().set_overloaded(OverloadStep::kStopKeepAlive, true);
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().Header("connection"), "close");
  EXPECT_TRUE(client.WaitForEnd());
}

}  // namespace
}  // namespace sluice::test
