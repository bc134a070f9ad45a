// The proxy with many streams on each upstream connection, and with many on both sides: what HTTP/2
// will ask of it, over the tests' own multiplexed codec.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/strings.h"
#include "core/event/loop.h"
#include "tests/support/dead_ports.h"
#include "tests/support/driver.h"
#include "tests/support/multiplex_codec.h"
#include "tests/support/multiplex_peer.h"
#include "tests/support/proxy_rig.h"
#include "tests/support/raw_client.h"

namespace sluice::test {
namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

std::string Post(std::string_view body) {
  return StrCat({"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ", std::to_string(body.size()),
                 "\r\n\r\n", body});
}

class MultiplexUpstreamTest : public ::testing::Test {
 protected:
  void Start(bool both = false) {
    Start(StrCat({"endpoints: [", upstream_.text(), "], pool: { idle_timeout: 30s }"}), both);
  }
  void Start(std::string_view cluster, bool both) {
    ProxyRig::Seams seams;
    seams.cluster = [](ClusterSettings& settings) { settings.new_codec = NewMultiplexClientCodec; };
    if (both) {
      seams.listener = [](ListenerSettings& settings) {
        settings.new_codec = NewMultiplexServerCodec;
      };
    }
    rig_ = std::make_unique<ProxyRig>(
        *loop_, clock_,
        StrCat(
            {"listeners:\n  - { name: web, listen: 127.0.0.1:0, routes: [{ match: { prefix: / }",
             ", timeout: 10m, upgrades: [websocket], cluster: api }] }\nclusters: [{ name: api, ",
             cluster, " }]\n"}),
        seams);
  }
  void TearDown() override {
    for (const auto& client : clients_) client->Reset();
    if (rig_ == nullptr) return;
    EXPECT_TRUE(driver_.RunUntil([this] { return rig_->Quiet(); }, "rest")) << rig_->NotQuiet();
    uint64_t sum = 0;
    for (const Counter& responses : rig_->cluster().stats().responses) sum += responses.value();
    EXPECT_EQ(rig_->cluster().stats().requests.value(), sum);
  }
  RawClient& Connect() {
    clients_.push_back(std::make_unique<RawClient>(driver_, rig_->port()));
    return *clients_.back();
  }
  RawClient& Ask(std::string_view request) {
    RawClient& client = Connect();
    client.Send(request);
    return client;
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = std::move(*Loop::Create(clock_));
  Driver driver_{loop_.get()};
  MultiplexUpstream upstream_{driver_};
  std::unique_ptr<ProxyRig> rig_;
  std::vector<std::unique_ptr<RawClient>> clients_;
};

TEST_F(MultiplexUpstreamTest, RequestsOfManyClientsShareOneConnection) {
  Start();
  for (int i = 0; i < 5; ++i) Ask(kGet);
  MultiplexPeer& peer = upstream_.WaitForStreams(0, 5);
  driver_.RunRounds(5);
  EXPECT_EQ(upstream_.connection_count(), 1U);  // all waited for the first
  for (StreamId id = 5; id > 0; --id) {
    peer.SendMessage(id, "200\ncontent-length: 1", std::to_string(id));
  }
  std::string bodies;
  for (const auto& client : clients_) bodies += client->ReadResponse().body;
  EXPECT_EQ(bodies, "12345");
  Ask(kGet);
  upstream_.WaitForStreams(0, 6);
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

TEST_F(MultiplexUpstreamTest, MoreStreamsThanAConnectionTakesNeedAnother) {
  upstream_.EchoAlways();
  Start();
  for (size_t i = 0; i < kMultiplexStreams + 5; ++i) Ask(Post(std::to_string(i)));
  for (size_t i = 0; i < clients_.size(); ++i) {
    EXPECT_EQ(clients_[i]->ReadResponse().body, std::to_string(i));
  }
  EXPECT_EQ(upstream_.connection_count(), 2U);
}

TEST_F(MultiplexUpstreamTest, AStreamThatTheUpstreamResetsFailsAlone) {
  Start();
  for (int i = 0; i < 3; ++i) Ask(kGet);
  MultiplexPeer& peer = upstream_.WaitForStreams(0, 3);
  peer.SendReset(2);
  EXPECT_EQ(clients_[1]->ReadResponse().status, 503);
  peer.SendMessage(1, "200\n", "one");
  peer.SendHead(3, "200\n");
  peer.SendBody(3, "cut");
  EXPECT_EQ(clients_[0]->ReadResponse().body, "one");
  EXPECT_NE(clients_[2]->ReadThrough("cut"), "");
  peer.SendReset(3);
  EXPECT_TRUE(clients_[2]->WaitForEnd());
  EXPECT_TRUE(clients_[2]->peer_reset());
  EXPECT_FALSE(upstream_.sockets().connection(0).ended());
  EXPECT_EQ(rig_->cluster().stats().connections_active.value(), 1);
}

TEST_F(MultiplexUpstreamTest, AClientThatLeavesResetsItsStreamAlone) {
  Start();
  for (int i = 0; i < 3; ++i) Ask(kGet);
  MultiplexPeer& peer = upstream_.WaitForStreams(0, 3);
  clients_[1]->Reset();
  ASSERT_TRUE(driver_.RunUntil([&] { return peer.stream(2).reset; }, "the reset"));
  peer.SendMessage(2, "200\n", "late");  // nobody waits for it any more
  peer.SendMessage(1, "200\n", "one");
  peer.SendMessage(3, "200\n", "three");
  EXPECT_EQ(clients_[0]->ReadResponse().body, "one");
  EXPECT_EQ(clients_[2]->ReadResponse().body, "three");
  EXPECT_FALSE(upstream_.sockets().connection(0).ended());
}

TEST_F(MultiplexUpstreamTest, TheLastClientThatLeavesKeepsTheConnection) {
  Start();
  Ask(kGet);
  MultiplexPeer& peer = upstream_.WaitForStreams(0, 1);
  clients_[0]->Reset();
  ASSERT_TRUE(driver_.RunUntil([&] { return peer.stream(1).reset; }, "the reset"));
  Ask(kGet);
  upstream_.WaitForStreams(0, 2).SendMessage(2, "200\n", "two");
  EXPECT_EQ(clients_[1]->ReadResponse().body, "two");
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

TEST_F(MultiplexUpstreamTest, AConnectionThatIsLostFailsAllItsStreams) {
  Start();
  for (int i = 0; i < 4; ++i) Ask(Post("body"));
  MultiplexPeer& peer = upstream_.WaitForStreams(0, 4);
  peer.SendHead(4, "200\n");
  EXPECT_NE(clients_[3]->ReadThrough("\r\n\r\n"), "");
  upstream_.sockets().connection(0).Reset();
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(clients_[i]->ReadResponse().status, 503);
  EXPECT_TRUE(clients_[3]->WaitForEnd());
  EXPECT_EQ(rig_->cluster().stats().connections_active.value(), 0);
}

TEST_F(MultiplexUpstreamTest, ADrainingConnectionEndsWithItsStreams) {
  Start();
  Ask(kGet);
  Ask(kGet);
  MultiplexPeer& first = upstream_.WaitForStreams(0, 2);
  first.SendDrain();
  driver_.RunRounds(5);
  Ask(kGet);
  MultiplexPeer& second = upstream_.WaitForStreams(1, 1);
  second.SendMessage(1, "200\n", "second");
  EXPECT_EQ(clients_[2]->ReadResponse().body, "second");
  first.SendMessage(1, "200\n", "one");
  EXPECT_EQ(clients_[0]->ReadResponse().body, "one");
  EXPECT_FALSE(upstream_.sockets().connection(0).ended());
  clients_[1]->Reset();  // the last stream ends by our own reset
  ASSERT_TRUE(
      driver_.RunUntil([&] { return upstream_.sockets().connection(0).ended(); }, "closed"));
}

TEST_F(MultiplexUpstreamTest, AClientThatDoesNotReadHoldsItsStreamAlone) {
  Start();
  RawClient& slow = Ask(kGet);
  slow.SetReading(false);
  MultiplexPeer& peer = upstream_.WaitForStreams(0, 1);
  // More than the kernel takes for a client that does not read.
  const std::string large(8 * 1024 * 1024, 'l');
  peer.SendHead(1, "200\ncontent-length: 8388608\n");
  peer.SendBody(1, large);
  peer.SendEnd(1);
  size_t left = 0;
  ASSERT_TRUE(driver_.RunUntil(
      [&] {
        const size_t before = left;
        left = peer.stream(1).unsent();
        driver_.RunRounds(20);
        return before == left && left == peer.stream(1).unsent();
      },
      "everything is full"));
  EXPECT_GT(left, 1000000U);
  upstream_.peer(0).on_message = [&](StreamId id) { peer.SendMessage(id, "200\n", "quick"); };
  EXPECT_EQ(Ask(kGet).ReadResponse().body, "quick");
  slow.Reset();
  ASSERT_TRUE(driver_.RunUntil([&] { return peer.stream(1).reset; }, "given up"));
}

TEST_F(MultiplexUpstreamTest, BodiesLargerThanTheWindowsGoBothWays) {
  upstream_.EchoAlways();
  Start();
  std::vector<std::string> bodies;
  for (size_t i = 0; i < 6; ++i) {
    bodies.emplace_back(30000 + 777 * i, static_cast<char>('a' + i));
    Ask(Post(bodies.back()));
  }
  for (size_t i = 0; i < bodies.size(); ++i) EXPECT_EQ(clients_[i]->ReadResponse().body, bodies[i]);
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

TEST_F(MultiplexUpstreamTest, AnUpstreamThatGrantsNothingHoldsOneBodyAlone) {
  Start();
  const std::string body(8 * 1024 * 1024, 'u');
  RawClient& slow = Ask(StrCat({"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\n"}));
  MultiplexPeer& peer = upstream_.WaitForStreams(0, 1);
  peer.stream(1).grants = false;
  slow.Send(body);
  driver_.RunRounds(50);
  EXPECT_EQ(peer.stream(1).body.size(), 1000U);
  EXPECT_FALSE(slow.all_sent());
  peer.on_message = [&](StreamId id) {
    if (id != 1) peer.SendMessage(id, "200\n", "quick");
  };
  EXPECT_EQ(Ask(Post("small")).ReadResponse().body, "quick");
  // An answer now ends the exchange; the rest of the body is not wanted.
  peer.SendMessage(1, "200\ncontent-length: 5", "early");
  EXPECT_EQ(slow.ReadResponse().body, "early");
  ASSERT_TRUE(driver_.RunUntil([&] { return peer.stream(1).reset; }, "no more body"));
  EXPECT_FALSE(upstream_.sockets().connection(0).ended());
}

TEST_F(MultiplexUpstreamTest, AConnectThatFailsFailsAllThatWait) {
  const RefusingPort refusing;
  Start(StrCat({"endpoints: [", refusing.address().ToString(), "]"}), false);
  for (int i = 0; i < 4; ++i) Ask(kGet);
  for (const auto& client : clients_) EXPECT_EQ(client->ReadResponse().status, 503);
}

TEST_F(MultiplexUpstreamTest, WhoeverLeavesWhileConnectingLeavesTheOthersTheirConnection) {
  Start();
  Ask(kGet);
  Ask(kGet);
  clients_[0]->Reset();  // at once, or soon after
  upstream_.EchoAlways();
  EXPECT_EQ(clients_[1]->ReadResponse().status, 200);
}

TEST_F(MultiplexUpstreamTest, AnIdleConnectionIsClosedAndABusyOneIsNot) {
  Start();
  Ask(kGet);
  MultiplexPeer& peer = upstream_.WaitForStreams(0, 1);
  clock_.Advance(31 * kSecond);
  driver_.RunRounds(3);
  EXPECT_FALSE(upstream_.sockets().connection(0).ended());
  Ask(kGet);
  upstream_.WaitForStreams(0, 2);  // it takes more all that time
  peer.SendMessage(1, "200\n", "");
  peer.SendMessage(2, "200\n", "");
  EXPECT_EQ(clients_[0]->ReadResponse().status, 200);
  EXPECT_EQ(clients_[1]->ReadResponse().status, 200);
  clock_.Advance(29 * kSecond);
  driver_.RunRounds(3);
  EXPECT_FALSE(upstream_.sockets().connection(0).ended());
  clock_.Advance(2 * kSecond);
  ASSERT_TRUE(
      driver_.RunUntil([&] { return upstream_.sockets().connection(0).ended(); }, "closed"));
}

TEST_F(MultiplexUpstreamTest, ATunnelStandsBesideRequests) {
  Start();
  RawClient& client =
      Ask("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  MultiplexPeer& peer = upstream_.WaitForStreams(0, 1);
  ASSERT_TRUE(driver_.RunUntil([&] { return !peer.stream(1).head.empty(); }, "the head"));
  peer.SendHead(1, "101\nupgrade: websocket\n");
  EXPECT_EQ(client.ReadResponse(HttpTextKind::kResponseToHead).status, 101);
  client.Send(std::string(5000, 'u'));
  ASSERT_TRUE(driver_.RunUntil([&] { return peer.stream(1).body.size() == 5000; }, "up"));
  peer.SendBody(1, std::string(5000, 'd'));
  EXPECT_EQ(client.Read(5000), std::string(5000, 'd'));
  RawClient& other = Ask(kGet);
  upstream_.WaitForStreams(0, 2).SendMessage(2, "200\n", "two");
  EXPECT_EQ(other.ReadResponse().body, "two");
  client.HalfClose();
  ASSERT_TRUE(driver_.RunUntil([&] { return peer.stream(1).ended; }, "the client's end"));
  peer.SendBody(1, "last");
  peer.SendEnd(1);
  EXPECT_EQ(client.ReadToEnd(), "last");
}

TEST_F(MultiplexUpstreamTest, EachWayOfATunnelEndsByItself) {
  Start();
  RawClient& client =
      Ask("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  MultiplexPeer& peer = upstream_.WaitForStreams(0, 1);
  ASSERT_TRUE(driver_.RunUntil([&] { return !peer.stream(1).head.empty(); }, "the head"));
  peer.SendHead(1, "101\nupgrade: websocket\n");
  EXPECT_EQ(client.ReadResponse(HttpTextKind::kResponseToHead).status, 101);
  peer.SendBody(1, "last");
  peer.SendEnd(1);
  EXPECT_EQ(client.ReadToEnd(), "last");
  client.Send(std::string(5000, 'u'));
  client.HalfClose();
  ASSERT_TRUE(driver_.RunUntil([&] { return peer.stream(1).ended; }, "the client's end"));
  EXPECT_EQ(peer.stream(1).body.size(), 5000U);
  EXPECT_FALSE(peer.stream(1).reset);
}

TEST_F(MultiplexUpstreamTest, AnUpgradeThatIsRefusedIsAnOrdinaryAnswer) {
  Start();
  RawClient& client =
      Ask("GET /ws HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  upstream_.WaitForStreams(0, 1).SendMessage(1, "403\ncontent-length: 2\n", "no");
  EXPECT_EQ(client.ReadResponse().body, "no");
  ASSERT_TRUE(driver_.RunUntil([&] { return upstream_.peer(0).stream(1).ended; }, "its end"));
}

TEST_F(MultiplexUpstreamTest, ManyStreamsOnBothSides) {
  upstream_.EchoAlways();
  Start(true);
  RawClient& socket = Connect();
  MultiplexPeer client(driver_, socket);
  std::vector<std::string> bodies;
  for (StreamId id = 1; id < 30; id += 2) {
    bodies.emplace_back(7000 + 531 * id, static_cast<char>('a' + id % 26));
    client.SendMessage(id, "POST / a\n", bodies.back());
    if (id % 10 == 7) client.SendReset(id);
  }
  for (StreamId id = 1; id < 30; id += 2) {
    if (id % 10 == 7) continue;
    ASSERT_TRUE(driver_.RunUntil([&] { return client.stream(id).over(); }, "an end"));
    EXPECT_EQ(client.stream(id).body, bodies[id / 2]) << id;
  }
  EXPECT_EQ(upstream_.connection_count(), 1U);
  EXPECT_EQ(rig_->connection_count(), 1U);
}

TEST_F(MultiplexUpstreamTest, AnUpstreamLostWithStreamsOfOneClientResetsThose) {
  Start(true);
  RawClient& socket = Connect();
  MultiplexPeer client(driver_, socket);
  for (StreamId id = 1; id < 8; id += 2) client.SendMessage(id, "POST / a\n", "x");
  MultiplexPeer& peer = upstream_.WaitForStreams(0, 4);
  peer.SendHead(2, "200\n");
  ASSERT_TRUE(driver_.RunUntil([&] { return client.stream(3).status() == 200; }, "a head"));
  upstream_.sockets().connection(0).Close();
  for (StreamId id = 1; id < 8; id += 2) {
    ASSERT_TRUE(driver_.RunUntil([&] { return client.stream(id).over(); }, "an end"));
    EXPECT_EQ(client.stream(id).status(), id == 3 ? 200 : 503);
    EXPECT_EQ(client.stream(id).reset, id == 3);
  }
  client.SendMessage(9, "GET / a\n", "");
  upstream_.WaitForStreams(1, 1).SendMessage(1, "200\n", "again");
  ASSERT_TRUE(driver_.RunUntil([&] { return client.stream(9).over(); }, "an end"));
  EXPECT_EQ(client.stream(9).body, "again");
}

}  // namespace
}  // namespace sluice::test
