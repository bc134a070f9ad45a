// The proxy over transports that are as difficult as TLS may be, on either side and on both: it
// must neither hang, nor lose, reorder or repeat a byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/base/strings.h"
#include "core/event/loop.h"
#include "tests/support/contrary_transport.h"
#include "tests/support/driver.h"
#include "tests/support/multiplex_codec.h"
#include "tests/support/multiplex_peer.h"
#include "tests/support/proxy_rig.h"
#include "tests/support/raw_client.h"
#include "tests/support/scripted_upstream.h"

namespace sluice::test {
namespace {

enum class Where { kDownstream, kUpstream, kBoth };

std::string Pattern(size_t size, size_t seed) {
  std::string text(size, ' ');
  for (size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 26 + seed) % 26);
  return text;
}

class ContraryTransportTest : public ::testing::TestWithParam<Where> {
 protected:
  void Start(std::string_view upstream, bool multiplexed = false) {
    ProxyRig::Seams seams;
    const bool down = GetParam() != Where::kUpstream;
    const bool up = GetParam() != Where::kDownstream;
    seams.listener = [=](ListenerSettings& settings) {
      if (down) settings.new_transport = NewContraryTransport;
      if (multiplexed) settings.new_codec = NewMultiplexServerCodec;
    };
    seams.cluster = [=](ClusterSettings& settings) {
      if (up) settings.new_transport = NewContraryTransport;
      if (multiplexed) settings.new_codec = NewMultiplexClientCodec;
    };
    rig_ = std::make_unique<ProxyRig>(
        *loop_, clock_,
        StrCat({"listeners:\n  - { name: web, listen: 127.0.0.1:0, routes: [{ match: { prefix: / }",
                ", upgrades: [websocket], cluster: api }] }\nclusters: [{ name: api, endpoints: [",
                upstream, "] }]\n"}),
        seams);
  }
  void TearDown() override {
    if (rig_ == nullptr) return;
    EXPECT_TRUE(driver_.RunUntil([this] { return rig_->Quiet(); }, "rest")) << rig_->NotQuiet();
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = std::move(*Loop::Create(clock_));
  Driver driver_{loop_.get()};
  ScriptedUpstream upstream_{driver_};
  ContraryNetwork network_{driver_};
  std::unique_ptr<ProxyRig> rig_;
};

TEST_P(ContraryTransportTest, CarriesRequestsOneAfterAnother) {
  upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  Start(upstream_.text());
  RawClient client(driver_, rig_->port());
  for (int i = 0; i < 5; ++i) {
    client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().body, "ok");
  }
  EXPECT_EQ(upstream_.connection_count(), 1U);
  client.Reset();
  // It has been contrary indeed.
  EXPECT_GT(network_.reads_that_wanted_to_write, 5);
  EXPECT_GT(network_.writes_that_wanted_to_read, 5);
}

TEST_P(ContraryTransportTest, CarriesBodiesBothWays) {
  const std::string up = Pattern(6000, 1);
  const std::string down = Pattern(7000, 2);
  upstream_.AlwaysAnswer(StrCat({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1b58\r\n",
                                 down, "\r\n0\r\nx-t: 1\r\n\r\n"}));
  Start(upstream_.text());
  RawClient client(driver_, rig_->port());
  for (int i = 0; i < 2; ++i) {
    client.Send(StrCat({"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6000\r\n\r\n", up}));
    const HttpText response = client.ReadResponse();
    EXPECT_EQ(response.body, down);
    EXPECT_EQ(response.trailers.size(), 1U);
  }
  for (const HttpText& request : upstream_.connection(0).requests()) EXPECT_EQ(request.body, up);
  client.Close();
}

TEST_P(ContraryTransportTest, AnswersPipelinedRequestsInOrder) {
  for (int i = 0; i < 3; ++i) {
    upstream_.Next()
        .AwaitRequest()
        .Send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
        .AwaitRequest()
        .Send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2");
  }
  Start(upstream_.text());
  RawClient client(driver_, rig_->port());
  client.Send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().body, "1");
  EXPECT_EQ(client.ReadResponse().body, "2");
  client.Close();
}

TEST_P(ContraryTransportTest, AResponseThatEndsWithItsConnectionIsWhole) {
  const std::string body = Pattern(3000, 3);
  upstream_.Next().AwaitRequest().Send(StrCat({"HTTP/1.1 200 OK\r\n\r\n", body})).Close();
  Start(upstream_.text());
  RawClient client(driver_, rig_->port());
  client.Send("GET / HTTP/1.0\r\n\r\n");
  const std::string all = client.ReadToEnd();
  EXPECT_EQ(all.substr(all.find("\r\n\r\n") + 4), body);
}

TEST_P(ContraryTransportTest, AnUpstreamThatCutsItsAnswerShows) {
  upstream_.Next()
      .AwaitRequest()
      .Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
      .Hold()
      .Reset();
  Start(upstream_.text());
  RawClient client(driver_, rig_->port());
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.ReadThrough("half");
  upstream_.connection(0).Release();
  client.WaitForEnd();
  EXPECT_TRUE(client.peer_reset());
}

TEST_P(ContraryTransportTest, AClientThatEndsItsSideGetsItsAnswer) {
  upstream_.Next().AwaitRequest().Hold().Send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  Start(upstream_.text());
  RawClient client(driver_, rig_->port());
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  client.HalfClose();
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  driver_.RunRounds(20);
  upstream_.connection(0).Release();
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_TRUE(client.WaitForEnd());
}

TEST_P(ContraryTransportTest, AClientThatEndsItsSideDuringItsAnswerGetsAllOfIt) {
  const std::string body = Pattern(3000, 6);
  upstream_.AlwaysAnswer(StrCat({"HTTP/1.1 200 OK\r\nContent-Length: 3000\r\n\r\n", body}));
  Start(upstream_.text());
  RawClient client(driver_, rig_->port());
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  // What is left of it then stands in the product's output.
  ASSERT_TRUE(driver_.RunUntil([&] { return !client.received().empty(); }, "its first bytes"));
  client.HalfClose();
  EXPECT_EQ(client.ReadResponse().body, body);
  EXPECT_TRUE(client.WaitForEnd());
}

TEST_P(ContraryTransportTest, AClientThatLeavesEndsItsRequest) {
  upstream_.Next().AwaitRequest().Hold().Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
  Start(upstream_.text());
  RawClient client(driver_, rig_->port());
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  client.Reset();
  driver_.RunRounds(20);
  // Such a transport may see it only when it writes.
  upstream_.connection(0).Release();
  EXPECT_TRUE(driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "given up"));
}

TEST_P(ContraryTransportTest, ARefusedRequestIsAnsweredAndTheConnectionEnds) {
  Start(upstream_.text());
  RawClient client(driver_, rig_->port());
  client.Send("GET / HTTP/1.1\r\nHost : a\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 400);
  EXPECT_TRUE(client.WaitForEnd());
  client.Close();
}

TEST_P(ContraryTransportTest, ATunnelCarriesBothWaysUntilBothEnd) {
  upstream_.Next()
      .AwaitText("\r\n\r\n")
      .Send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
      .AwaitBytes(2000)
      .Send(Pattern(2000, 5))
      .AwaitEnd()
      .Send("last")
      .Close();
  Start(upstream_.text());
  RawClient client(driver_, rig_->port());
  client.Send("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  EXPECT_EQ(client.ReadResponse(HttpTextKind::kResponseToHead).status, 101);
  client.Send(Pattern(2000, 4));
  EXPECT_EQ(client.Read(2000), Pattern(2000, 5));
  client.HalfClose();
  EXPECT_EQ(client.ReadToEnd(), "last");
}

TEST_P(ContraryTransportTest, CarriesManyStreams) {
  MultiplexUpstream upstream(driver_);
  upstream.EchoAlways();
  Start(upstream.text(), true);
  RawClient socket(driver_, rig_->port());
  MultiplexPeer client(driver_, socket);
  for (StreamId id = 1; id < 8; id += 2) {
    client.SendMessage(id, "POST / a\n", Pattern(1500 + 300 * id, id));
  }
  for (StreamId id = 1; id < 8; id += 2) {
    ASSERT_TRUE(driver_.RunUntil([&] { return client.stream(id).over(); }, "an end"));
    EXPECT_EQ(client.stream(id).body, Pattern(1500 + 300 * id, id));
  }
  EXPECT_EQ(upstream.connection_count(), 1U);
  socket.Reset();
  EXPECT_TRUE(driver_.RunUntil([this] { return rig_->Quiet(); }, "rest")) << rig_->NotQuiet();
}

INSTANTIATE_TEST_SUITE_P(Sides, ContraryTransportTest,
                         ::testing::Values(Where::kDownstream, Where::kUpstream, Where::kBoth),
                         [](const auto& parameter) {
                           switch (parameter.param) {
                             case Where::kDownstream:
                               return "Downstream";
                             case Where::kUpstream:
                               return "Upstream";
                             default:
                               return "Both";
                           }
                         });

}  // namespace
}  // namespace sluice::test
