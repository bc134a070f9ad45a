// Connections to upstreams: kept, shared out, given up, and what happens when one fails.
#include <gtest/gtest.h>

#include "tests/support/dead_ports.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

class Pools : public ProxyFixture {
 protected:
  ClusterStats& stats() { return rig_->cluster().stats(); }
  void WaitForEnd(size_t connection) {
    driver_.RunUntil([&] { return upstream_.connection(connection).ended(); },
                     "the upstream's connection closed");
  }
  // Leaves `count` idle connections: so many requests at a time.
  void FillPool(size_t count) {
    std::vector<std::unique_ptr<RawClient>> clients;
    for (size_t i = 0; i < count; ++i) {
      upstream_.Next().AwaitRequest().Hold().Send(kOk).AwaitRequest().Send(kOk).AwaitRequest().Send(
          kOk);
      clients.push_back(std::make_unique<RawClient>(driver_, port()));
      clients.back()->Send(Get("/"));
      driver_.RunUntil([&] { return upstream_.request_count() == i + 1; }, "a request");
    }
    for (size_t i = 0; i < count; ++i) {
      upstream_.connection(i).Release();
      EXPECT_EQ(clients[i]->ReadResponse().status, 200);
    }
  }
};

TEST_F(Pools, TheConnectionUsedLastIsUsedNext) {
  Start();
  FillPool(3);
  EXPECT_EQ(stats().connections_idle.value(), 3);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(upstream_.connection(0).requests().size(), 1U);
  EXPECT_EQ(upstream_.connection(1).requests().size(), 1U);
  EXPECT_EQ(upstream_.connection(2).requests().size(), 3U);
  EXPECT_EQ(stats().connections_reused.value(), 2U);
}

TEST_F(Pools, AnAddressThatReturnsHasItsPoolStill) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  const WorkerEndpoint* endpoint = rig_->cluster().Pick();
  const auto all = std::make_shared<EndpointSet>(rig_->endpoints());
  rig_->cluster().Update(std::make_shared<EndpointSet>());
  EXPECT_EQ(rig_->cluster().Pick(), nullptr);
  rig_->cluster().Update(all);
  EXPECT_EQ(rig_->cluster().Pick(), endpoint);
  upstream_.connection(0).Release();
  EXPECT_EQ(client.ReadResponse().status, 200);
  WaitForEnd(0);  // it was told to drain
  rig_->cluster().Update(std::make_shared<EndpointSet>());
  rig_->cluster().Update(all);
  ASSERT_NE(rig_->cluster().Pick(), nullptr);
}

TEST_F(Pools, AnAddressMayTakeAnotherName) {
  Start();
  const auto renamed = std::make_shared<EndpointSet>(rig_->endpoints());
  renamed->endpoints[0].hostname = "b.test";
  rig_->cluster().Update(renamed);
  EXPECT_EQ(rig_->cluster().Pick()->hostname, "b.test");
}

TEST_F(Pools, NoMoreThanTheIdleLimitAreKept) {
  Start({.cluster = "pool: { idle: 2 }"});
  FillPool(3);
  WaitForEnd(0);  // the one idle for longest
  EXPECT_EQ(stats().connections_idle.value(), 2);
  EXPECT_EQ(stats().connections_expired.value(), 1U);
}

TEST_F(Pools, NoneIsKeptWhenConfigured) {
  upstream_.AlwaysAnswer(kOk);
  Start({.cluster = "pool: { idle: 0 }"});
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(Ask(Get("/")).status, 200);
    EXPECT_EQ(upstream_.connection_count(), i + 1);
    WaitForEnd(i);
  }
}

TEST_F(Pools, IdleTimeout) {
  upstream_.AlwaysAnswer(kOk);
  Start({.cluster = "pool: { idle_timeout: 5s }"});
  EXPECT_EQ(Ask(Get("/")).status, 200);
  Advance(4 * kSecond);
  EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(upstream_.connection_count(), 1U);
  Advance(4 * kSecond);
  EXPECT_FALSE(upstream_.connection(0).ended());
  Advance(1100 * kMillisecond);
  WaitForEnd(0);
  EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(upstream_.connection_count(), 2U);
}

TEST_F(Pools, TheUpstreamsKeepAliveTimeoutIsHonoured) {
  upstream_.AlwaysAnswer(
      "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=10, max=100\r\nContent-Length: 2\r\n\r\nok");
  Start();
  EXPECT_EQ(Ask(Get("/")).status, 200);
  Advance(7900 * kMillisecond);
  EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(upstream_.connection_count(), 1U);
  Advance(8100 * kMillisecond);  // beyond 80% of what it said
  EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(upstream_.connection_count(), 2U);
  WaitForEnd(0);
}

TEST_F(Pools, MaxRequests) {
  upstream_.AlwaysAnswer(kOk);
  Start({.cluster = "pool: { max_requests: 2 }"});
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(upstream_.connection_count(), 3U);
  WaitForEnd(0);
  WaitForEnd(1);
  EXPECT_EQ(upstream_.connection(0).requests().size(), 2U);
}

TEST_F(Pools, MaxAge) {
  upstream_.AlwaysAnswer(kOk);
  Start({.cluster = "pool: { max_age: 10s }"});
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(Ask(Get("/")).status, 200);
    Advance(kSecond);
  }
  EXPECT_EQ(upstream_.connection_count(), 1U);
  Advance(5100 * kMillisecond);  // 12.1 s: the spread is 20%
  EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(upstream_.connection_count(), 2U);
  WaitForEnd(0);
}

TEST_F(Pools, AnIdleConnectionThatTheUpstreamClosesIsDroppedAtOnce) {
  for (const bool reset : {false, true}) {
    Script& script = upstream_.Next().AwaitRequest().Send(kOk).Hold();
    reset ? script.Reset() : script.Close();
  }
  Start();
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(Ask(Get("/")).status, 200);
    EXPECT_EQ(stats().connections_idle.value(), 1);
    upstream_.connection(i).Release();
    driver_.RunUntil([&] { return stats().connections_idle.value() == 0; }, "the drop");
    EXPECT_EQ(stats().connections_closed_idle.value(), i + 1);
  }
  upstream_.AlwaysAnswer(kOk);
  EXPECT_EQ(Ask(Post("/", "body")).status, 200);
  EXPECT_EQ(stats().stale_retries.value(), 0U);
}

TEST_F(Pools, AnIdleConnectionThatBecomesReadableIsDropped) {
  upstream_.Next().AwaitRequest().Send(kOk).Hold().Send(
      "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
  upstream_.AlwaysAnswer(kOk);
  Start();
  EXPECT_EQ(Ask(Get("/")).status, 200);
  upstream_.connection(0).Release();
  WaitForEnd(0);
  EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(upstream_.connection_count(), 2U);
}

TEST_F(Pools, BytesBehindAResponseEndTheConnection) {
  upstream_.Next().AwaitRequest().Send(std::string(kOk) +
                                       "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
  upstream_.AlwaysAnswer(kOk);
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/") + Get("/"));
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_EQ(upstream_.connection_count(), 2U);
}

// The race: the upstream closes a connection while a request is on its way to it. The script reads
// the second request and closes without an answer.
class StaleConnections : public Pools {
 protected:
  void MakeStale(bool reset = false) {
    Script& script = upstream_.Next().AwaitRequest().Send(kOk).AwaitText("HTTP/1.1\r\n");
    reset ? script.Reset() : script.Close();
    upstream_.AlwaysAnswer(kOk);
    Start();
    EXPECT_EQ(Ask(Get("/first")).status, 200);
  }
};

TEST_F(StaleConnections, AnIdempotentRequestIsSentAgain) {
  MakeStale();
  EXPECT_EQ(Ask(Get("/again")).status, 200);
  EXPECT_EQ(upstream_.connection_count(), 2U);
  EXPECT_EQ(LastRequest().start_line, "GET /again HTTP/1.1");
  EXPECT_EQ(Ended(2).attempts, 2U);
  EXPECT_EQ(Ended(2).flags, "-");
  EXPECT_EQ(stats().stale_retries.value(), 1U);
}

TEST_F(StaleConnections, AlsoAfterAReset) {
  MakeStale(true);
  EXPECT_EQ(Ask(Get("/again")).status, 200);
  EXPECT_EQ(stats().stale_retries.value(), 1U);
}

TEST_F(StaleConnections, AnIdempotentRequestWithItsBodyHeldIsSentAgain) {
  MakeStale();
  EXPECT_EQ(Ask("PUT /again HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n")
                .status,
            200);
  EXPECT_EQ(LastRequest().body, "abc");
  EXPECT_EQ(LastRequest().trailers, (HttpText::Fields{{"X-T", "1"}}));
}

TEST_F(StaleConnections, APostIsNot) {
  MakeStale();
  EXPECT_EQ(Ask(Post("/again", "body")).status, 503);
  EXPECT_EQ(Ended(2).flags, "UC");
  EXPECT_EQ(Ended(2).attempts, 1U);
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

TEST_F(StaleConnections, APostOfWhichNoByteWasWrittenIs) {
  upstream_.Next().AwaitRequest().Send(kOk);
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/first"));
  EXPECT_EQ(client.ReadResponse().status, 200);
  upstream_.AlwaysAnswer(kOk);
  // In one round, the request first: the proxy writes before it hears of the reset.
  client.Send(Post("/again", "body"));
  upstream_.connection(0).Reset();
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(LastRequest().body, "body");
  EXPECT_EQ(stats().stale_retries.value(), 1U);
}

TEST_F(StaleConnections, APostWithAnIdempotencyKeyIs) {
  MakeStale();
  EXPECT_EQ(Ask(Post("/again", "body", "Idempotency-Key: 1\r\n")).status, 200);
  EXPECT_EQ(LastRequest().body, "body");
}

TEST_F(StaleConnections, ABodyTooLongToBeHeldIsNotSentAgain) {
  upstream_.Next().AwaitRequest().Send(kOk).AwaitText("end.").Close();
  upstream_.AlwaysAnswer(kOk);
  Start();
  EXPECT_EQ(Ask(Get("/first")).status, 200);
  const std::string body = std::string(300000, 'x') + "end.";
  EXPECT_EQ(Ask("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 300004\r\n\r\n" + body).status, 503);
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

TEST_F(StaleConnections, ABodyThatComesLaterFollowsTheSecondTry) {
  MakeStale();
  RawClient client(driver_, port());
  client.Send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\none");
  driver_.RunUntil([&] { return upstream_.connection_count() == 2; }, "the second try");
  client.Send("two");
  driver_.RunRounds(10);
  client.Send("end");
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(LastRequest().body, "onetwoend");
}

TEST_F(StaleConnections, OnlyOnce) {
  for (int i = 0; i < 2; ++i) {
    upstream_.Next().AwaitRequest().Hold().Send(kOk).AwaitText("HTTP/1.1\r\n").Close();
  }
  upstream_.Next().AwaitText("HTTP/1.1\r\n").Close();  // the fresh one of the second try
  Start();
  {
    RawClient first(driver_, port());
    RawClient second(driver_, port());
    first.Send(Get("/"));
    second.Send(Get("/"));
    driver_.RunUntil([&] { return upstream_.request_count() == 2; }, "two requests");
    upstream_.connection(0).Release();
    upstream_.connection(1).Release();
    EXPECT_EQ(first.ReadResponse().status, 200);
    EXPECT_EQ(second.ReadResponse().status, 200);
  }
  EXPECT_EQ(Ask(Get("/")).status, 503);
  EXPECT_EQ(Ended(3).attempts, 2U);
  // The second try took a connection of its own, not the other idle one.
  EXPECT_EQ(upstream_.connection_count(), 3U);
}

TEST_F(StaleConnections, NotOnAFreshConnection) {
  upstream_.Next().AwaitText("HTTP/1.1\r\n").Close();
  Start();
  EXPECT_EQ(Ask(Get("/")).status, 503);
  EXPECT_EQ(Ended(1).flags, "UC");
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

TEST_F(StaleConnections, NotAfterAByteOfTheResponse) {
  upstream_.Next().AwaitRequest().Send(kOk).AwaitText("HTTP/1.1\r\n").Send("HTTP").Close();
  Start();
  EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(Ask(Get("/")).status, 503);
  EXPECT_EQ(Ended(2).flags, "UC");
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

class Connects : public Pools {
 protected:
  void StartTwo(const std::string& first, const std::string& second) {
    StartYaml(
        "listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, cluster: api }] }]\n"
        "clusters: [{ name: api, endpoints: ['" +
        first + "', '" + second + "'] }]\n");
  }
};

TEST_F(Connects, ARefusedConnectMovesToTheNextEndpoint) {
  RefusingPort refusing;
  upstream_.AlwaysAnswer(kOk);
  StartTwo(refusing.address().ToString(), upstream_.text());
  for (int i = 0; i < 4; ++i) {
    RawClient client(driver_, port());
    client.Send(Post("/", "body", "Connection: close\r\n"));
    EXPECT_EQ(client.ReadResponse().status, 200);
    EXPECT_EQ(LastRequest().body, "body");
  }
  EXPECT_GT(stats().connect_retries.value(), 0U);
  EXPECT_EQ(stats().connect_failures.value(), stats().connect_retries.value());
}

TEST_F(Connects, OnlyOnce) {
  RefusingPort first;
  RefusingPort second;
  StartTwo(first.address().ToString(), second.address().ToString());
  RawClient client(driver_, port());
  client.Send(Get("/") + Get("/"));
  EXPECT_EQ(client.ReadResponse().status, 503);
  EXPECT_EQ(client.ReadResponse().status, 503);
  EXPECT_EQ(Ended(1).flags, "UF");
  EXPECT_EQ(Ended(1).attempts, 2U);
  EXPECT_TRUE(Ended(1).details.starts_with("upstream_reset_before_response_started"));
}

TEST_F(Connects, ToNobodyElseWhereThereIsNobodyElse) {
  RefusingPort refusing;
  StartTo(refusing.address());
  EXPECT_EQ(Ask(Get("/")).status, 503);
  EXPECT_EQ(Ended(1).attempts, 1U);
}

TEST_F(Connects, NoEndpointIs503) {
  // A name that nobody resolves yet.
  StartYaml(
      "listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, cluster: api }] }]\n"
      "clusters: [{ name: api, endpoints: ['unresolved.test:80'] }]\n");
  RawClient client(driver_, port());
  client.Send(Get("/") + Post("/", "body") + Get("/"));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.ReadResponse().status, 503);
  EXPECT_EQ(Ended(1).flags, "UH");
  EXPECT_EQ(Ended(1).details, "no_healthy_upstream");
  EXPECT_EQ(stats().no_endpoint.value(), 3U);
}

TEST_F(Connects, AWaitingRequestTakesAConnectionThatGetsFree) {
  // The pool's own connect hangs in the kernel's queue no longer than another request lasts.
  upstream_.Next().AwaitRequest().Hold().Send(kOk).AwaitRequest().Send(kOk);
  Start();
  RawClient first(driver_, port());
  first.Send(Get("/"));
  driver_.RunUntil([&] { return upstream_.request_count() == 1; }, "the first");
  upstream_.connection(0).Release();
  EXPECT_EQ(first.ReadResponse().status, 200);
  EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

TEST_F(Connects, AClientThatLeavesDuringTheConnectIsForgotten) {
  SilentPort silent;
  StartTo(silent.address());
  RawClient client(driver_, port());
  client.Send(Get("/"));
  driver_.RunRounds(10);
  client.Reset();
  EXPECT_EQ(Ended(1).flags, "DC");
  Advance(4 * kSecond);
}

}  // namespace
}  // namespace sluice::test
