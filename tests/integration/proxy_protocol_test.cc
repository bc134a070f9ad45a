// The PROXY protocol, from clients and to upstreams.
#include <gtest/gtest.h>

#include "core/net/proxy_protocol.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

class ProxyProtocol : public ProxyFixture {
 protected:
  static constexpr std::string_view kV1 = "PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\r\n";

  static Address Ip(std::string_view text) { return *Address::Parse(text); }
  static std::string V2() {
    char out[kMaxWrittenProxyHeader];
    return {out, WriteProxyHeaderV2(Ip("[2001:db8::1]:40000"), Ip("[2001:db8::2]:443"), out)};
  }
  // A connection without a header, or with a bad one, ends without an answer.
  void ExpectDropped(const std::string& bytes) {
    const uint64_t before = rig_->stats().proxy_protocol_errors.value();
    RawClient client(driver_, port());
    client.Send(bytes);
    EXPECT_TRUE(client.WaitForEnd());
    EXPECT_EQ(client.received(), "");
    EXPECT_EQ(rig_->stats().proxy_protocol_errors.value(), before + 1);
  }
};

TEST_F(ProxyProtocol, BothVersionsTellTheClient) {
  upstream_.AlwaysAnswer(kOk);
  Start({.listener = "proxy_protocol: on"});
  EXPECT_EQ(Ask(std::string(kV1) + Get("/")).status, 200);
  EXPECT_EQ(LastRequest().Header("x-forwarded-for"), "192.0.2.1");
  EXPECT_EQ(Ended(1).client_ip, "192.0.2.1");
  EXPECT_EQ(Ask(V2() + Get("/")).status, 200);
  EXPECT_EQ(LastRequest().Header("x-forwarded-for"), "2001:db8::1");
}

TEST_F(ProxyProtocol, ByteByByteAndForAllRequestsOfTheConnection) {
  upstream_.AlwaysAnswer(kOk);
  Start({.listener = "proxy_protocol: on"});
  for (const std::string& header : {std::string(kV1), V2()}) {
    RawClient client(driver_, port());
    client.SendByteByByte(header + Get("/") + Get("/"));
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(client.ReadResponse().status, 200);
      EXPECT_NE(LastRequest().Header("x-forwarded-for"), "127.0.0.1");
    }
  }
}

TEST_F(ProxyProtocol, ConnectionsOfTheSenderItselfKeepTheirAddress) {
  upstream_.AlwaysAnswer(kOk);
  Start({.listener = "proxy_protocol: on"});
  EXPECT_EQ(Ask("PROXY UNKNOWN\r\n" + Get("/")).status, 200);
  EXPECT_EQ(LastRequest().Header("x-forwarded-for"), "127.0.0.1");
}

TEST_F(ProxyProtocol, TrustGoesByWhoConnected) {
  upstream_.AlwaysAnswer(kOk);
  Start({.listener = "proxy_protocol: on, forwarded: { trusted_cidrs: [127.0.0.0/8] }"});
  EXPECT_EQ(Ask(std::string(kV1) + Get("/", "X-Request-Id: mine\r\n")).status, 200);
  EXPECT_EQ(LastRequest().Header("x-request-id"), "mine");
}

TEST_F(ProxyProtocol, AMissingOrBadHeaderEndsTheConnection) {
  Start({.listener = "proxy_protocol: on"});
  ExpectDropped(Get("/"));
  ExpectDropped("PROXY TCP4 192.0.2.1 198.51.100.2 40000\r\n");
  ExpectDropped("PROXY TCP4 192.0.2.1 198.51.100.2 40000 443\n");
  ExpectDropped("PROXY " + std::string(200, 'x'));
  std::string v2 = V2();
  v2[12] = '\x31';  // version 3
  ExpectDropped(v2);
  EXPECT_EQ(upstream_.connection_count(), 0U);
}

TEST_F(ProxyProtocol, AHeaderThatDoesNotComeIsNotWaitedForForever) {
  Start({.listener = "proxy_protocol: on"});
  RawClient client(driver_, port());
  client.Send("PROXY TCP4 192");
  driver_.RunRounds(5);
  Advance(9900 * kMillisecond);
  EXPECT_FALSE(client.ended());
  Advance(200 * kMillisecond);
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(client.received(), "");
}

TEST_F(ProxyProtocol, OptionalTakesBoth) {
  upstream_.AlwaysAnswer(kOk);
  Start({.listener = "proxy_protocol: optional"});
  EXPECT_EQ(Ask(std::string(kV1) + Get("/")).status, 200);
  EXPECT_EQ(LastRequest().Header("x-forwarded-for"), "192.0.2.1");
  EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(LastRequest().Header("x-forwarded-for"), "127.0.0.1");
  EXPECT_EQ(Ask(Post("/", "body")).status, 200);  // begins as the header would
  ExpectDropped("PROXY TCP4 nonsense\r\n" + Get("/"));
}

TEST_F(ProxyProtocol, OffTakesNone) {
  Start();
  RawClient client(driver_, port());
  client.Send(std::string(kV1) + Get("/"));
  EXPECT_GE(client.ReadResponse().status, 400);
  EXPECT_TRUE(client.WaitForEnd());
}

TEST_F(ProxyProtocol, UpstreamsAreToldInVersion1) {
  upstream_.Next().AwaitText("\r\n").AwaitRequest().Send(kOk).AwaitEnd();
  upstream_.Next().AwaitText("\r\n").AwaitRequest().Send(kOk).AwaitEnd();
  Start({.listener = "proxy_protocol: on", .cluster = "proxy_protocol: v1"});
  RawClient client(driver_, port());
  client.Send(std::string(kV1) + Get("/") + Get("/"));
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(client.ReadResponse().status, 200);
    EXPECT_TRUE(upstream_.connection(i).received().starts_with(kV1));
  }
  // Such a connection is one client's and is not kept.
  EXPECT_EQ(upstream_.connection_count(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    driver_.RunUntil([&] { return upstream_.connection(i).ended(); }, "the connection closed");
  }
}

TEST_F(ProxyProtocol, UpstreamsAreToldInVersion2) {
  upstream_.Next().AwaitText("GET ").AwaitText("\r\n\r\n").Send(kOk);
  Start({.listener = "proxy_protocol: on", .cluster = "proxy_protocol: v2"});
  EXPECT_EQ(Ask(V2() + Get("/")).status, 200);
  ProxyHeader header;
  const ProxyHeaderResult parsed = ParseProxyHeader(upstream_.connection(0).received(), header);
  ASSERT_EQ(parsed.status, ProxyHeaderResult::Status::kDone);
  EXPECT_EQ(header.source.ToString(), "[2001:db8::1]:40000");
  EXPECT_EQ(header.destination.ToString(), "[2001:db8::2]:443");
  EXPECT_TRUE(upstream_.connection(0).received().substr(parsed.size).starts_with("GET / "));
}

TEST_F(ProxyProtocol, UpstreamsAreToldThePlainClientsAddress) {
  upstream_.Next().AwaitText("\r\n").AwaitRequest().Send(kOk);
  Start({.cluster = "proxy_protocol: v1"});
  EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_TRUE(upstream_.connection(0).received().starts_with("PROXY TCP4 127.0.0.1 127.0.0.1 "));
}

}  // namespace
}  // namespace sluice::test
