// Every time-out of the proxy, with time moved by hand: not before its moment, and then as it
// should be answered.
#include <gtest/gtest.h>

#include "core/base/strings.h"
#include "tests/support/dead_ports.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

class Timeouts : public ProxyFixture {
 protected:
  static constexpr std::string_view kPostHead =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n";

  // Nothing happens shortly before `time` from now on, and then a response comes.
  HttpText ResponseAt(RawClient& client, Nanos time) {
    Advance(time - 10 * kMillisecond);
    EXPECT_EQ(client.received(), "");
    EXPECT_FALSE(client.ended());
    Advance(20 * kMillisecond);
    return client.ReadResponse();
  }
};

TEST_F(Timeouts, HeadIs408) {
  Start();
  RawClient client(driver_, port());
  client.Send("GET / HTTP/1.1\r\nHost:");
  driver_.RunRounds(10);
  const HttpText response = ResponseAt(client, 10 * kSecond);
  EXPECT_EQ(response.status, 408);
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_FALSE(client.peer_reset());
  EXPECT_EQ(Ended(1).details, "request_header_timeout");
  EXPECT_EQ(rig_->stats().head_timeouts.value(), 1U);
}

TEST_F(Timeouts, HeadIsCountedFromItsFirstByteHoweverItTrickles) {
  Start({.listener = "timeouts: { head: 5s }"});
  RawClient client(driver_, port());
  for (const char* piece : {"GET ", "/ HT", "TP/1", ".1\r\n"}) {
    client.Send(piece);
    driver_.RunRounds(5);
    EXPECT_EQ(client.received(), "");
    Advance(1300 * kMillisecond);
  }
  EXPECT_EQ(client.ReadResponse().status, 408);
}

TEST_F(Timeouts, HeadOfALaterRequest) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().status, 200);
  Advance(30 * kSecond);
  client.Send("GET / H");
  driver_.RunRounds(10);
  Advance(9900 * kMillisecond);
  EXPECT_EQ(client.unread(), "");
  Advance(200 * kMillisecond);
  EXPECT_EQ(client.ReadResponse().status, 408);
}

TEST_F(Timeouts, RequestBodyIdleIs408) {
  Start();
  RawClient client(driver_, port());
  client.Send(std::string(kPostHead) + "01");
  WaitForUpstream("\r\n\r\n01");
  Advance(50 * kSecond);
  client.Send("2");
  WaitForUpstream("\r\n\r\n012");
  const HttpText response = ResponseAt(client, 60 * kSecond);
  EXPECT_EQ(response.status, 408);
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_FALSE(client.peer_reset());
  WaitForUpstreamEnd();
  EXPECT_EQ(Ended(1).details, "request_body_idle_timeout");
  EXPECT_EQ(rig_->stats().body_timeouts.value(), 1U);
}

TEST_F(Timeouts, RequestBodyIdleShorterThanTheRest) {
  Start({.listener = "timeouts: { body_idle: 2s }"});
  RawClient client(driver_, port());
  client.Send(kPostHead);
  WaitForUpstream("\r\n\r\n");
  EXPECT_EQ(ResponseAt(client, 2 * kSecond).status, 408);
}

TEST_F(Timeouts, BodyIdleCountsWhenTheProxyWaitsAgain) {
  // While the upstream's connect is under way nobody wants the body.
  SilentPort silent;
  StartYaml(
      "listeners: [{ name: web, listen: '127.0.0.1:0', timeouts: { body_idle: 2s },"
      "  routes: [{ match: { prefix: / }, cluster: api }] }]\n"
      "clusters: [{ name: api, connect_timeout: 3s, endpoints: ['" +
      silent.address().ToString() + "', $UP] }]\n");
  bool met_silent = false;
  for (size_t i = 0; i < 2; ++i) {  // whichever comes first, one of two requests meets it
    RawClient client(driver_, port());
    client.Send(kPostHead);
    driver_.RunRounds(20);
    if (upstream_.connection_count() == i) {
      met_silent = true;
      Advance(2100 * kMillisecond);
      EXPECT_EQ(client.received(), "");
      Advance(kSecond);
      driver_.RunUntil([&] { return upstream_.connection_count() == i + 1; }, "the second try");
      driver_.RunRounds(10);
    }
    EXPECT_EQ(ResponseAt(client, 2 * kSecond).status, 408);
  }
  EXPECT_TRUE(met_silent);
}

TEST_F(Timeouts, StreamIdleBeforeTheResponseIs504) {
  Start({.route = "timeout: 0s"});
  RawClient client(driver_, port());
  client.Send(Get("/"));
  WaitForUpstream("\r\n\r\n");
  EXPECT_EQ(ResponseAt(client, 300 * kSecond).status, 504);
  EXPECT_EQ(Ended(1).flags, "SI");
  EXPECT_EQ(Ended(1).details, "stream_idle_timeout");
  WaitForUpstreamEnd();
}

TEST_F(Timeouts, StreamIdleOfTheRouteShorterThanEverythingElse) {
  Start({.route = "timeout: 0s, idle_timeout: 2s"});
  RawClient client(driver_, port());
  client.Send(Get("/"));
  WaitForUpstream("\r\n\r\n");
  EXPECT_EQ(ResponseAt(client, 2 * kSecond).status, 504);
}

TEST_F(Timeouts, StreamIdleOfTheListenerShorterThanKeepAlive) {
  Start({.listener = "timeouts: { stream_idle: 2s }", .route = "timeout: 0s"});
  RawClient client(driver_, port());
  client.Send(Get("/"));
  WaitForUpstream("\r\n\r\n");
  EXPECT_EQ(ResponseAt(client, 2 * kSecond).status, 504);
}

TEST_F(Timeouts, StreamIdleWithinTheRequestIs408) {
  Start({.listener = "timeouts: { body_idle: 0s, stream_idle: 5s }"});
  RawClient client(driver_, port());
  client.Send(kPostHead);
  WaitForUpstream("\r\n\r\n");
  EXPECT_EQ(ResponseAt(client, 5 * kSecond).status, 408);
  EXPECT_EQ(Ended(1).flags, "SI");
}

TEST_F(Timeouts, StreamIdleWithinTheResponseResets) {
  upstream_.Next()
      .AwaitRequest()
      .Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n012")
      .Hold()
      .Send("345");
  Start({.route = "timeout: 0s"});
  RawClient client(driver_, port());
  client.Send(Get("/"));
  client.ReadThrough("012");
  Advance(200 * kSecond);
  upstream_.connection(0).Release();
  client.ReadThrough("345");
  Advance(290 * kSecond);
  EXPECT_FALSE(client.ended());
  Advance(11 * kSecond);
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_TRUE(client.peer_reset());
  EXPECT_EQ(Ended(1).flags, "SI");
  WaitForUpstreamEnd();
}

TEST_F(Timeouts, AnIdleConnectionIsClosedInOrder) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  RawClient silent(driver_, port());
  RawClient client(driver_, port());
  driver_.RunRounds(5);
  Advance(40 * kSecond);
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().status, 200);
  Advance(21 * kSecond);
  EXPECT_TRUE(silent.WaitForEnd());
  EXPECT_TRUE(silent.peer_closed());
  EXPECT_EQ(silent.received(), "");
  EXPECT_FALSE(client.ended());
  Advance(40 * kSecond);
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_TRUE(client.peer_closed());
  EXPECT_EQ(client.unread(), "");
  EXPECT_EQ(rig_->stats().connections_closed_idle.value(), 2U);
}

TEST_F(Timeouts, ConnectIs503) {
  SilentPort silent;
  StartTo(silent.address());
  RawClient client(driver_, port());
  client.Send(Get("/"));
  driver_.RunRounds(10);
  EXPECT_EQ(ResponseAt(client, 3 * kSecond).status, 503);
  EXPECT_EQ(Ended(1).flags, "UF");
  EXPECT_EQ(Ended(1).attempts, 1U);  // there is no next endpoint to go to
  EXPECT_EQ(rig_->cluster().stats().connect_timeouts.value(), 1U);
  // The connection goes on.
  client.Send(Get("/"));
  driver_.RunRounds(10);
  Advance(3100 * kMillisecond);
  EXPECT_EQ(client.ReadResponse().status, 503);
}

TEST_F(Timeouts, RouteIs504) {
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  WaitForUpstream("\r\n\r\n");
  EXPECT_EQ(ResponseAt(client, 15 * kSecond).status, 504);
  EXPECT_EQ(Ended(1).flags, "UT");
  EXPECT_EQ(Ended(1).details, "upstream_response_timeout");
  EXPECT_EQ(rig_->cluster().stats().timeouts.value(), 1U);
  WaitForUpstreamEnd();
  // The client's connection is as good as before.
  upstream_.AlwaysAnswer(kOk);
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(Timeouts, RouteCountsFromTheRequestsEnd) {
  Start({.route = "timeout: 4s"});
  RawClient client(driver_, port());
  client.Send(kPostHead);
  WaitForUpstream("\r\n\r\n");
  for (int i = 0; i < 9; ++i) {
    Advance(3 * kSecond);
    client.Send("x");
    driver_.RunRounds(5);
  }
  EXPECT_EQ(client.received(), "");
  client.Send("x");
  WaitForUpstream("xxxxxxxxxx");
  EXPECT_EQ(ResponseAt(client, 4 * kSecond).status, 504);
}

// Whatever the request waits for: its body is not asked for meanwhile.
TEST_F(Timeouts, RouteCountsBeforeABodyIsAskedFor) {
  SilentPort silent;
  for (const std::string_view route : {"timeout: 1s", "retries: { per_try_timeout: 1s }"}) {
    SCOPED_TRACE(route);
    StartYaml(
        StrCat({"listeners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: /, cluster: "
                "api, ",
                route, " }] }]\nclusters: [{ name: api, connect_timeout: 10s, endpoints: [",
                silent.address().ToString(), "] }]\n"}));
    RawClient client(driver_, port());
    client.Send(Post("/", "its body"));
    driver_.RunUntil([&] { return rig_->cluster().stats().requests.value() == 1; }, "the try");
    EXPECT_EQ(ResponseAt(client, kSecond).status, 504);
    client.Close();
    rig_.reset();
  }
}

TEST_F(Timeouts, WhatIsLeftOfTheRoutesTimeIsTheUpstreams) {
  Start({.route = "timeout: 4s, retries: { on: [5xx], attempts: 2, back_off: { base: 3s, max: 3s, "
                  "jitter: none } }"});
  upstream_.Next().AwaitText("\r\n\r\n").Send("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n");
  upstream_.Others().AwaitText("\r\n\r\n").Hold();
  RawClient client(driver_, port());
  client.Send(kPostHead);
  driver_.RunUntil([&] { return rig_->cluster().stats().retries.value() == 1; }, "the refusal");
  Advance(3 * kSecond + 2 * kMillisecond);
  ASSERT_TRUE(upstream_.WaitForConnections(2));
  Advance(10 * kSecond);
  EXPECT_EQ(client.received(), "") << "the client takes its time";
  client.Send("xxxxxxxxxx");
  driver_.RunRounds(10);
  EXPECT_EQ(ResponseAt(client, 4 * kSecond).status, 504);
}

TEST_F(Timeouts, RouteWithinTheResponseResets) {
  upstream_.Next().AwaitRequest().Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n012");
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  client.ReadThrough("012");
  Advance(14 * kSecond);
  EXPECT_FALSE(client.ended());
  Advance(2 * kSecond);
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_TRUE(client.peer_reset());
  EXPECT_EQ(Ended(1).flags, "UT");
}

TEST_F(Timeouts, ATryIs504) {
  Start({.route = "retries: { per_try_timeout: 2s }"});
  RawClient client(driver_, port());
  client.Send(Get("/"));
  WaitForUpstream("\r\n\r\n");
  EXPECT_EQ(ResponseAt(client, 2 * kSecond).status, 504);
  EXPECT_EQ(Ended(1).flags, "UT");
  EXPECT_EQ(Ended(1).details, "upstream_per_try_timeout");
}

TEST_F(Timeouts, ATryMayAnswerSlowlyOnceItBegan) {
  upstream_.Next()
      .AwaitRequest()
      .Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
      .Hold()
      .Send("k");
  Start({.route = "retries: { per_try_timeout: 2s }"});
  RawClient client(driver_, port());
  client.Send(Get("/"));
  driver_.RunUntil([&] { return client.received().ends_with("\r\n\r\no"); }, "the beginning");
  Advance(10 * kSecond);
  upstream_.connection(0).Release();
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

TEST_F(Timeouts, EachTryHasItsOwnTime) {
  // One endpoint lets connects wait for 2 s; the try at the other begins then.
  SilentPort silent;
  StartYaml(
      "listeners: [{ name: web, listen: '127.0.0.1:0',"
      "  routes: [{ match: /, cluster: api, retries: { per_try_timeout: 3s } }] }]\n"
      "clusters: [{ name: api, connect_timeout: 2s, endpoints: ['" +
      silent.address().ToString() + "', $UP] }]\n");
  bool met_silent = false;
  for (size_t i = 0; i < 2; ++i) {
    RawClient client(driver_, port());
    client.Send(Get("/"));
    driver_.RunRounds(20);
    if (upstream_.connection_count() > i) {
      Advance(3100 * kMillisecond);
    } else {
      met_silent = true;
      Advance(2100 * kMillisecond);
      driver_.RunUntil([&] { return upstream_.connection_count() > i; }, "the second try");
      driver_.RunRounds(5);
      Advance(2900 * kMillisecond);
      EXPECT_EQ(client.received(), "");
      Advance(200 * kMillisecond);
    }
    EXPECT_EQ(client.ReadResponse().status, 504);
    EXPECT_EQ(Ended(i + 1).details, "upstream_per_try_timeout");
  }
  EXPECT_TRUE(met_silent);
}

}  // namespace
}  // namespace sluice::test
