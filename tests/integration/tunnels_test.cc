// CONNECT and Upgrade: tunnels where a route allows them, and what becomes of the request
// elsewhere.
#include <gtest/gtest.h>

#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

class Tunnels : public ProxyFixture {
 protected:
  static constexpr std::string_view kUpgrade =
      "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Key: x\r\n\r\n";
  static constexpr std::string_view kSwitching =
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  static constexpr std::string_view kConnect =
      "CONNECT b.test:443 HTTP/1.1\r\nHost: b.test:443\r\n\r\n";

  void StartConnect(std::string_view upgrades = "[connect]") {
    StartYaml(
        "listeners: [{ name: web, listen: '127.0.0.1:0',"
        "  routes: [{ match: { methods: [CONNECT] }, cluster: api, upgrades: " +
        std::string(upgrades) +
        " }] }]\n"
        "clusters: [{ name: api, endpoints: [$UP] }]\n");
  }
  // The client's connection, when the tunnel stands.
  std::unique_ptr<RawClient> Open() {
    auto client = std::make_unique<RawClient>(driver_, port());
    client->Send(kUpgrade);
    EXPECT_EQ(client->ReadResponse().status, 101);
    return client;
  }
};

TEST_F(Tunnels, AnUpgradeIsATunnelBothWays) {
  upstream_.Next().AwaitRequest().Send(kSwitching).AwaitText("ping").Send("pong\0\r\n\r\n");
  Start({.route = "upgrades: [websocket]"});
  RawClient client(driver_, port());
  client.Send(kUpgrade);
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 101);
  EXPECT_EQ(response.Header("upgrade"), "websocket");
  EXPECT_EQ(response.Header("connection"), "upgrade");
  const HttpText& request = LastRequest();
  EXPECT_EQ(request.Header("upgrade"), "websocket");
  EXPECT_EQ(request.Header("connection"), "upgrade");
  EXPECT_EQ(request.Header("sec-websocket-key"), "x");
  client.Send("ping");
  EXPECT_EQ(client.Read(4), "pong");
  const std::string big(2 * 1024 * 1024, 'b');
  client.Send(big + "end.");
  WaitForUpstream("end.");
  upstream_.connection(0).Send(big + "END.");
  EXPECT_EQ(client.ReadThrough("END.").size(), big.size() + 4);
  EXPECT_EQ(rig_->stats().tunnels.value(), 1U);
}

TEST_F(Tunnels, NobodySwitchesToWhatWasNotAskedFor) {
  for (const std::string_view upgrade : {"Upgrade: h2c\r\n", ""}) {
    upstream_.Next().AwaitRequest().Send("HTTP/1.1 101 S\r\nConnection: Upgrade\r\n" +
                                         std::string(upgrade) + "\r\n");
  }
  Start({.route = "upgrades: [websocket]"});
  for (int i = 0; i < 2; ++i) {
    RawClient client(driver_, port());
    client.Send(kUpgrade);
    EXPECT_EQ(client.ReadResponse().status, 502);
  }
}

TEST_F(Tunnels, BytesRightBehindTheHeadsArePartOfTheTunnel) {
  upstream_.Next().AwaitRequest().Send(std::string(kSwitching) + "hello");
  Start({.route = "upgrades: [websocket]"});
  RawClient client(driver_, port());
  client.Send(std::string(kUpgrade) + "GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 101);
  EXPECT_EQ(client.Read(5), "hello");
  WaitForUpstream("\r\n\r\nGET / HTTP/1.1\r\n\r\n");
}

TEST_F(Tunnels, TheClientsEndIsPassedOn) {
  upstream_.Next().AwaitRequest().Send(kSwitching).AwaitText("bye").AwaitEnd().Send("late").Close();
  Start({.route = "upgrades: [websocket]"});
  const auto client = Open();
  client->Send("bye");
  client->HalfClose();
  EXPECT_EQ(client->Read(4), "late");
  EXPECT_TRUE(client->WaitForEnd());
  EXPECT_FALSE(client->peer_reset());
  EXPECT_TRUE(upstream_.connection(0).peer_closed());
  EXPECT_EQ(Ended(1).flags, "-");
}

TEST_F(Tunnels, TheUpstreamsEndIsPassedOn) {
  upstream_.Next().AwaitRequest().Send(std::string(kSwitching) + "last").HalfClose();
  Start({.route = "upgrades: [websocket]"});
  const auto client = Open();
  EXPECT_EQ(client->Read(4), "last");
  EXPECT_TRUE(client->WaitForEnd());
  EXPECT_FALSE(client->peer_reset());
}

TEST_F(Tunnels, TheUpstreamsEndLeavesTheOtherWayOpen) {
  upstream_.Next()
      .AwaitRequest()
      .Send(std::string(kSwitching) + "last")
      .HalfClose()
      .AwaitText("end.")
      .AwaitEnd();
  Start({.route = "upgrades: [websocket]"});
  const auto client = Open();
  EXPECT_EQ(client->Read(4), "last");
  driver_.RunUntil([&] { return client->peer_closed(); }, "the upstream's end");
  for (int i = 0; i < 2; ++i) {
    client->Send(std::string(2 * 1024 * 1024, 'b') + (i == 0 ? "more." : "end."));
    WaitForUpstream(i == 0 ? "more." : "end.");
  }
  EXPECT_EQ(rig_->stats().requests_active.value(), 1);
  EXPECT_FALSE(upstream_.connection(0).ended());
  client->HalfClose();
  driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "the client's end");
  EXPECT_FALSE(upstream_.connection(0).peer_reset());
  EXPECT_EQ(Ended(1).flags, "-");
  EXPECT_FALSE(client->peer_reset());
}

TEST_F(Tunnels, WhatTheClientSaysLastIsNotCutOff) {
  upstream_.Next().AwaitRequest().Send(kSwitching).HalfClose().Stall().AwaitEnd();
  Start({.route = "upgrades: [websocket]"});
  const auto client = Open();
  driver_.RunUntil([&] { return client->peer_closed(); }, "the upstream's end");
  const std::string big(16 * 1024 * 1024, 'b');
  client->Send(big);
  client->HalfClose();
  driver_.RunRounds(200);
  const size_t head = upstream_.connection(0).received().size();
  upstream_.connection(0).Release();
  driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "the client's end");
  EXPECT_FALSE(upstream_.connection(0).peer_reset());
  EXPECT_GE(upstream_.connection(0).received().size(), head);
  EXPECT_TRUE(upstream_.connection(0).received().ends_with(big));
}

TEST_F(Tunnels, AClientThatEndsWithItsRequestHasEndedItsWay) {
  upstream_.Next().AwaitRequest().Send(kSwitching).AwaitEnd().Send("late").Close();
  Start({.route = "upgrades: [websocket]"});
  RawClient client(driver_, port());
  client.Send(kUpgrade);
  client.HalfClose();
  EXPECT_EQ(client.ReadResponse().status, 101);
  EXPECT_EQ(client.Read(4), "late");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_FALSE(client.peer_reset());
}

TEST_F(Tunnels, AResetBehindTheUpstreamsEndTakesNothingFromTheClient) {
  upstream_.Next()
      .AwaitRequest()
      .Send(std::string(kSwitching) + "last")
      .HalfClose()
      .AwaitText("x")
      .Reset();
  Start({.route = "upgrades: [websocket]"});
  const auto client = Open();
  EXPECT_EQ(client->Read(4), "last");
  client->Send("x");
  EXPECT_EQ(Ended(1).flags, "UC");
  EXPECT_FALSE(client->peer_reset());
  EXPECT_TRUE(client->WaitForEnd());
}

TEST_F(Tunnels, ATunnelThatIsHalfOpenHasItsLimitsToo) {
  upstream_.AlwaysAnswer(kSwitching);
  Start({.route = "upgrades: [websocket], idle_timeout: 20s"});
  for (size_t i = 0; i < 2; ++i) {
    const bool upstream_ends = i == 0;
    const auto client = Open();
    if (upstream_ends) {
      upstream_.connection(i).HalfClose();
      driver_.RunUntil([&] { return client->peer_closed(); }, "the upstream's end");
    } else {
      client->HalfClose();
      driver_.RunUntil([&] { return upstream_.connection(i).peer_closed(); }, "the client's end");
    }
    Advance(15 * kSecond);
    upstream_ends ? client->Send("x") : upstream_.connection(i).Send("x");
    driver_.RunRounds(5);
    Advance(15 * kSecond);
    EXPECT_EQ(rig_->stats().requests_active.value(), 1);
    Advance(6 * kSecond);
    EXPECT_EQ(Ended(i + 1).flags, "SI");
    driver_.RunUntil([&] { return upstream_.connection(i).ended(); }, "the upstream's end");
  }
}

TEST_F(Tunnels, TheDrainDeadlineEndsATunnelThatIsHalfOpen) {
  upstream_.AlwaysAnswer(kSwitching);
  Start({.route = "upgrades: [websocket]"});
  const auto client = Open();
  upstream_.connection(0).HalfClose();
  driver_.RunUntil([&] { return client->peer_closed(); }, "the upstream's end");
  rig_->Drain();
  driver_.RunRounds(20);
  EXPECT_EQ(rig_->connection_count(), 1U);
  rig_.reset();  // it aborts what is left
  driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "the end");
}

TEST_F(Tunnels, AResetEndsBothSides) {
  upstream_.Next().AwaitRequest().Send(kSwitching);
  upstream_.Next().AwaitRequest().Send(kSwitching);
  Start({.route = "upgrades: [websocket]"});
  auto client = Open();
  client->Reset();
  driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "the upstream's end");
  client = Open();
  upstream_.connection(1).Reset();
  EXPECT_TRUE(client->WaitForEnd());
}

TEST_F(Tunnels, AnIdleTunnelEnds) {
  upstream_.Next().AwaitRequest().Send(kSwitching);
  Start({.route = "upgrades: [websocket], idle_timeout: 20s, timeout: 5s"});
  const auto client = Open();
  for (int i = 0; i < 3; ++i) {  // beyond the route's timeout, which is not the tunnel's
    Advance(15 * kSecond);
    EXPECT_FALSE(client->ended());
    client->Send("still here");
    driver_.RunRounds(5);
    Advance(15 * kSecond);
    EXPECT_FALSE(client->ended());
    upstream_.connection(0).Send("me too");
    driver_.RunRounds(5);
  }
  Advance(21 * kSecond);
  EXPECT_TRUE(client->WaitForEnd());
  EXPECT_EQ(Ended(1).flags, "SI");
  driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "the upstream's end");
}

TEST_F(Tunnels, AnUpgradeThatTheRouteDoesNotAllowIsDropped) {
  upstream_.AlwaysAnswer(kOk);
  Start({.route = "upgrades: [other]"});
  RawClient client(driver_, port());
  client.Send(kUpgrade);
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(LastRequest().Header("upgrade"), std::nullopt);
  EXPECT_EQ(LastRequest().Header("connection"), std::nullopt);
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(Tunnels, AnH2cUpgradeOnAPostIsDroppedAndTheBodyForwarded) {
  upstream_.AlwaysAnswer(kOk);
  Start({.route = "upgrades: [websocket]"});
  EXPECT_EQ(
      Ask(Post("/", "body",
               "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAM\r\n"))
          .status,
      200);
  EXPECT_EQ(LastRequest().body, "body");
  EXPECT_EQ(LastRequest().Header("upgrade"), std::nullopt);
  EXPECT_EQ(LastRequest().Header("connection"), std::nullopt);
  EXPECT_EQ(LastRequest().Header("http2-settings"), std::nullopt);
}

TEST_F(Tunnels, AnAllowedUpgradeWithABodyIs400) {
  Start({.route = "upgrades: [websocket]"});
  const std::string fields = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
  for (const std::string& request :
       {Post("/", "body", fields), "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" +
                                       fields + "\r\n0\r\n\r\n"}) {
    RawClient client(driver_, port());
    client.Send(request);
    const HttpText response = client.ReadResponse();
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.Header("connection"), "close");
    EXPECT_TRUE(client.WaitForEnd());
    EXPECT_FALSE(client.peer_reset());
  }
  EXPECT_EQ(upstream_.connection_count(), 0U);
}

TEST_F(Tunnels, AnUpstreamThatDoesNotSwitchAnswersAsUsual) {
  upstream_.AlwaysAnswer(kOk);
  Start({.route = "upgrades: [websocket]"});
  RawClient client(driver_, port());
  for (int i = 0; i < 2; ++i) {
    client.Send(kUpgrade);
    EXPECT_EQ(client.ReadResponse().body, "ok");
  }
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

TEST_F(Tunnels, ConnectIsATunnel) {
  upstream_.Next()
      .AwaitRequest()
      .Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 no\r\n\r\n")
      .AwaitText("ping")
      .Send("pong");
  StartConnect();
  RawClient client(driver_, port());
  client.Send(kConnect);
  const HttpText response = client.ReadResponse(HttpTextKind::kResponseToConnect);
  EXPECT_EQ(response.status, 200);
  // RFC 9110 9.3.6: framing fields would mean nothing, and are not sent.
  EXPECT_EQ(response.Header("content-length"), std::nullopt);
  EXPECT_EQ(response.Header("transfer-encoding"), std::nullopt);
  EXPECT_EQ(client.ReadThrough("\r\n\r\n"), "HTTP/1.1 500 no\r\n\r\n");
  EXPECT_EQ(LastRequest().start_line, "CONNECT b.test:443 HTTP/1.1");
  client.Send("ping");
  EXPECT_EQ(client.Read(4), "pong");
}

TEST_F(Tunnels, ConnectThatTheUpstreamRefusesIsAnOrdinaryAnswer) {
  upstream_.Next().AwaitRequest().Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  StartConnect();
  RawClient client(driver_, port());
  client.Send(kConnect);
  const HttpText response = client.ReadResponse(HttpTextKind::kResponseToConnect);
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.body, "no");
}

TEST_F(Tunnels, ConnectThatTheRouteDoesNotAllowIsRefused) {
  StartConnect("[websocket]");
  RawClient client(driver_, port());
  client.Send(kConnect);
  EXPECT_EQ(client.ReadResponse(HttpTextKind::kResponseToConnect).status, 405);
  EXPECT_EQ(upstream_.connection_count(), 0U);
}

}  // namespace
}  // namespace sluice::test
