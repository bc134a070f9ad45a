// A second try beside a first one that takes long: when it begins, who wins, what becomes of the
// other.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/base/strings.h"
#include "core/upstream/endpoint_groups.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

class Hedging : public ProxyFixture {
 protected:
  // The first try goes to upstream_, the second one to other_.
  void StartHedged(std::string_view route = "hedge: { after: 50ms }",
                   std::string_view cluster = "connect_timeout: 10s") {
    StartYaml(
        StrCat({"listeners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: /, cluster: "
                "api, ",
                route, " }] }]\nclusters: [{ name: api, ", cluster,
                ", endpoints: [$UP, { address: $OTHER, priority: 1 }] }]\n"}));
  }
  ClusterStats& stats() { return rig_->cluster().stats(); }
  // Until the first try is where it does not answer.
  void SendAndWait(RawClient& client, std::string_view request) {
    client.Send(request);
    ASSERT_TRUE(upstream_.WaitForRequests(1));
  }
};

TEST_F(Hedging, TheSecondAnswersFirst) {
  StartHedged();
  upstream_.Next().AwaitRequest().AwaitEnd();
  other_.AlwaysAnswer(kOk);
  RawClient client(driver_, port());
  SendAndWait(client, Get("/a"));
  Advance(49 * kMillisecond);
  EXPECT_EQ(stats().hedges.value(), 0U);
  Advance(3 * kMillisecond);
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ok");
  EXPECT_EQ(response.Header("x-sluice-attempt-count"), "2");
  EXPECT_EQ(LastRequest(other_).Header("x-sluice-attempt-count"), "2");
  EXPECT_EQ(stats().hedges.value(), 1U);
  EXPECT_EQ(stats().hedges_won.value(), 1U);
  const EndedRequest ended = Ended(1);
  EXPECT_EQ(ended.upstream, other_.text());
  EXPECT_EQ(ended.attempts, 2U);
  EXPECT_EQ(ended.flags, "-");
  // The loser is cancelled.
  WaitForUpstreamEnd();
}

TEST_F(Hedging, TheFirstAnswersAfterAll) {
  StartHedged();
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  other_.Next().AwaitRequest().AwaitEnd();
  RawClient client(driver_, port());
  SendAndWait(client, Get("/"));
  Advance(52 * kMillisecond);
  ASSERT_TRUE(other_.WaitForRequests(1));
  upstream_.connection(0).Release();
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_EQ(stats().hedges_won.value(), 0U);
  EXPECT_EQ(Ended(1).upstream, upstream_.text());
  driver_.RunUntil([&] { return other_.connection(0).ended(); }, "the loser's end");
}

TEST_F(Hedging, AQuickAnswerNeedsNoSecond) {
  StartHedged();
  upstream_.AlwaysAnswer(kOk);
  EXPECT_EQ(Ask(Get("/")).status, 200);
  Advance(kSecond);
  EXPECT_EQ(stats().hedges.value(), 0U);
  EXPECT_EQ(other_.connection_count(), 0U);
}

TEST_F(Hedging, ABadAnswerIsLeftToTheOther) {
  StartHedged();
  upstream_.Next().AwaitRequest().Hold().Send("HTTP/1.1 500 X\r\nContent-Length: 3\r\n\r\nbad");
  other_.Next().AwaitRequest().Hold().Send(kOk);
  RawClient client(driver_, port());
  SendAndWait(client, Get("/"));
  Advance(52 * kMillisecond);
  ASSERT_TRUE(other_.WaitForRequests(1));
  upstream_.connection(0).Release();
  driver_.RunUntil([&] { return stats().responses[5].value() == 1; }, "the bad answer");
  other_.connection(0).Release();
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

TEST_F(Hedging, TheLastBadAnswerIsTheAnswer) {
  StartHedged();
  upstream_.Next().AwaitRequest().Hold().Send("HTTP/1.1 500 X\r\nContent-Length: 3\r\n\r\nbad");
  other_.Next().AwaitRequest().Send(
      "HTTP/1.1 502 Y\r\nX-From: other\r\nContent-Length: 2\r\n\r\nno");
  RawClient client(driver_, port());
  SendAndWait(client, Get("/"));
  Advance(52 * kMillisecond);
  driver_.RunUntil([&] { return stats().responses[5].value() == 1; }, "the bad answer");
  upstream_.connection(0).Release();
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body, "bad");
  EXPECT_FALSE(response.Header("x-from")) << "nothing of the other's head is left";
}

TEST_F(Hedging, ABrokenTryIsLeftToTheOther) {
  StartHedged();
  upstream_.Next().AwaitRequest().Hold().Reset();
  other_.Next().AwaitRequest().Hold().Send(kOk);
  RawClient client(driver_, port());
  SendAndWait(client, Get("/"));
  Advance(52 * kMillisecond);
  ASSERT_TRUE(other_.WaitForRequests(1));
  upstream_.connection(0).Release();
  driver_.RunUntil([&] { return stats().resets.value() == 1; }, "the reset");
  other_.connection(0).Release();
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

TEST_F(Hedging, ATryThatTimesOutIsLeftToTheOther) {
  StartHedged("hedge: { after: 50ms }, retries: { per_try_timeout: 100ms }");
  upstream_.Next().AwaitRequest().AwaitEnd();
  other_.Next().AwaitRequest().Hold().Send(kOk);
  RawClient client(driver_, port());
  SendAndWait(client, Get("/"));
  Advance(52 * kMillisecond);
  ASSERT_TRUE(other_.WaitForRequests(1));
  Advance(60 * kMillisecond);
  EXPECT_EQ(stats().per_try_timeouts.value(), 1U);
  other_.connection(0).Release();
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

TEST_F(Hedging, WhatBothFailIsRetried) {
  StartHedged("hedge: { after: 50ms }, retries: { on: [5xx], back_off: { base: 1ms, max: 1ms } }");
  constexpr std::string_view kBad = "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n";
  upstream_.Next().AwaitRequest().Hold().Send(kBad).AwaitRequest().Send(kOk);
  other_.Next().AwaitRequest().Send(kBad).AwaitRequest().Send(kOk);
  RawClient client(driver_, port());
  SendAndWait(client, Get("/"));
  Advance(52 * kMillisecond);
  driver_.RunUntil([&] { return stats().responses[5].value() == 1; }, "the bad answer");
  upstream_.connection(0).Release();
  driver_.RunUntil([&] { return stats().responses[5].value() == 2; }, "the other");
  Advance(5 * kMillisecond);
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_EQ(Ended(1).attempts, 3U);
}

// The retry has the second one's place by then.
TEST_F(Hedging, ARetryIsNoHedgeThatWon) {
  StartHedged("hedge: { after: 50ms }, retries: { on: [5xx], back_off: { base: 1ms, max: 1ms } }");
  constexpr std::string_view kBad = "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n";
  upstream_.Next().AwaitRequest().Hold().Send(kBad).AwaitRequest().Send(kOk);
  other_.Next().AwaitRequest().Hold().Send(kBad).AwaitRequest().Send(kOk);
  RawClient client(driver_, port());
  SendAndWait(client, Get("/"));
  Advance(52 * kMillisecond);
  ASSERT_TRUE(other_.WaitForRequests(1));
  upstream_.connection(0).Release();
  driver_.RunUntil([&] { return stats().responses[5].value() == 1; }, "the bad answer");
  other_.connection(0).Release();
  driver_.RunUntil([&] { return stats().responses[5].value() == 2; }, "the other");
  Advance(5 * kMillisecond);
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_EQ(stats().hedges.value(), 1U);
  EXPECT_EQ(stats().hedges_won.value(), 0U);
}

// Nobody is refused by it: the first one goes on.
TEST_F(Hedging, OneThatFindsNobodyIsNotCounted) {
  StartHedged();
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  RawClient client(driver_, port());
  SendAndWait(client, Get("/"));
  auto nobody = std::make_shared<EndpointSet>();
  GroupEndpoints(rig_->cluster().settings().balance, *nobody, nullptr);
  rig_->cluster().Update(nobody);
  Advance(100 * kMillisecond);
  EXPECT_EQ(stats().no_endpoint.value(), 0U);
  EXPECT_EQ(stats().hedges.value(), 0U);
  upstream_.connection(0).Release();
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(Hedging, OneThatFindsNoRoomIsNotCounted) {
  StartHedged("hedge: { after: 50ms }", "limits: { requests: 1 }");
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  RawClient client(driver_, port());
  SendAndWait(client, Get("/"));
  Advance(100 * kMillisecond);
  for (const Counter& each : stats().overflow) EXPECT_EQ(each.value(), 0U);
  EXPECT_EQ(stats().hedges.value(), 0U);
  upstream_.connection(0).Release();
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(Hedging, OnlyRequestsThatMayBeSentTwice) {
  StartHedged();
  upstream_.Next().AwaitRequest().Hold().Send(kOk).Repeat();
  for (const std::string& request :
       {Post("/", "body"), std::string("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n"),
        std::string("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx")}) {
    const size_t before = upstream_.request_count();
    RawClient client(driver_, port());
    client.Send(request);
    ASSERT_TRUE(upstream_.WaitForRequests(before + 1));
    Advance(100 * kMillisecond);
    upstream_.connection(0).Release();
    EXPECT_EQ(client.ReadResponse().status, 200);
  }
  EXPECT_EQ(stats().hedges.value(), 0U);
}

TEST_F(Hedging, OneEndpointIsNotAskedTwice) {
  Start({.route = "hedge: { after: 50ms }"});
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  RawClient client(driver_, port());
  SendAndWait(client, Get("/"));
  Advance(100 * kMillisecond);
  upstream_.connection(0).Release();
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(stats().hedges.value(), 0U);
}

TEST_F(Hedging, ItIsPaidForByTheBudget) {
  StartHedged("hedge: { after: 50ms }", "retry_budget: { percent: 0%, rate: 0/s }");
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  RawClient client(driver_, port());
  SendAndWait(client, Get("/"));
  Advance(100 * kMillisecond);
  upstream_.connection(0).Release();
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(stats().hedges.value(), 0U);
  EXPECT_EQ(stats().retries_refused[ClusterStats::kByBudget].value(), 1U);
}

TEST_F(Hedging, AfterAsLongAsMostTake) {
  StartHedged("hedge: { percentile: 90% }");
  upstream_.Next().AwaitRequest().Send(kOk).Repeat();
  upstream_.Others().AwaitRequest().AwaitEnd();
  other_.AlwaysAnswer(kOk);
  {
    // Too few are known: nobody is hedged.
    RawClient client(driver_, port());
    for (int i = 0; i < 60; ++i) {
      client.Send(Get("/"));
      ASSERT_EQ(client.ReadResponse().status, 200);
    }
  }
  EXPECT_EQ(stats().hedges.value(), 0U);
  upstream_.connection(0).Close();
  driver_.RunUntil([&] { return stats().connections_closed_idle.value() == 1; }, "the close");
  Advance(kSecond);
  RawClient client(driver_, port());
  client.Send(Get("/"));
  ASSERT_TRUE(upstream_.WaitForRequests(61));
  // They took no time: less than a millisecond is enough.
  Advance(3 * kMillisecond);
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_EQ(stats().hedges_won.value(), 1U);
}

// A body that comes slowly, or an error that comes at once, is not how long responses take.
TEST_F(Hedging, WhatTellsNothingOfTheTimeIsNotMeasured) {
  StartHedged("hedge: { percentile: 90% }");
  upstream_.Next().AwaitRequest().Send(kOk).Repeat();
  upstream_.Others().AwaitRequest().Send("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n").Repeat();
  other_.AlwaysAnswer(kOk);
  {
    RawClient client(driver_, port());
    for (int i = 0; i < 60; ++i) {
      client.Send(Post("/", "body"));
      ASSERT_EQ(client.ReadResponse().status, 200);
    }
  }
  upstream_.connection(0).Close();
  driver_.RunUntil([&] { return stats().connections_closed_idle.value() == 1; }, "the close");
  {
    RawClient client(driver_, port());
    for (int i = 0; i < 60; ++i) {
      client.Send(Get("/"));
      ASSERT_EQ(client.ReadResponse().status, 500);
    }
  }
  upstream_.connection(1).Close();
  driver_.RunUntil([&] { return stats().connections_closed_idle.value() == 2; }, "the close");
  upstream_.Others() = Script().AwaitRequest().Hold().Send(kOk);
  RawClient client(driver_, port());
  client.Send(Get("/"));
  ASSERT_TRUE(upstream_.WaitForRequests(121));
  Advance(3 * kSecond);
  EXPECT_EQ(stats().hedges.value(), 0U);
  upstream_.connection(2).Release();
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(Hedging, AClientThatLeavesTakesBothWithIt) {
  StartHedged();
  upstream_.Next().AwaitRequest().AwaitEnd();
  other_.Next().AwaitRequest().AwaitEnd();
  RawClient client(driver_, port());
  SendAndWait(client, Get("/"));
  Advance(52 * kMillisecond);
  ASSERT_TRUE(other_.WaitForRequests(1));
  client.Reset();
  EXPECT_EQ(Ended(1).flags, "DC");
  driver_.RunUntil([&] { return upstream_.connection(0).ended() && other_.connection(0).ended(); },
                   "the end of both");
  EXPECT_EQ(rig_->NotQuiet(), "");
}

TEST_F(Hedging, TheRoutesTimeEndsBoth) {
  StartHedged("hedge: { after: 50ms }, timeout: 1s");
  upstream_.Next().AwaitRequest().AwaitEnd();
  other_.Next().AwaitRequest().AwaitEnd();
  RawClient client(driver_, port());
  SendAndWait(client, Get("/"));
  Advance(52 * kMillisecond);
  ASSERT_TRUE(other_.WaitForRequests(1));
  Advance(kSecond);
  EXPECT_EQ(client.ReadResponse().status, 504);
}

}  // namespace
}  // namespace sluice::test
