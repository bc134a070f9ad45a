// The proxy with many streams on each client's connection, and HTTP/1 upstream: what HTTP/2 will
// ask of it, over the tests' own multiplexed codec.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/strings.h"
#include "core/event/loop.h"
#include "tests/support/driver.h"
#include "tests/support/multiplex_codec.h"
#include "tests/support/multiplex_peer.h"
#include "tests/support/proxy_rig.h"
#include "tests/support/raw_client.h"
#include "tests/support/scripted_upstream.h"

namespace sluice::test {
namespace {

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class MultiplexDownstreamTest : public ::testing::Test {
 protected:
  void Start(std::string_view listener = "", std::string_view route = "") {
    ProxyRig::Seams seams;
    seams.listener = [](ListenerSettings& settings) {
      settings.new_codec = NewMultiplexServerCodec;
    };
    rig_ = std::make_unique<ProxyRig>(
        *loop_, clock_,
        StrCat({"listeners:\n  - { name: web, listen: 127.0.0.1:0, ", listener,
                "routes: [{ match: { prefix: /direct }, respond: { status: 200, body: direct } }, ",
                "{ match: { prefix: / }, ", route,
                "cluster: api }] }\nclusters: [{ name: api, endpoints: [", upstream_.text(),
                "] }]\n"}),
        seams);
    socket_ = std::make_unique<RawClient>(driver_, rig_->port());
    client_ = std::make_unique<MultiplexPeer>(driver_, *socket_);
  }
  void TearDown() override {
    if (rig_ == nullptr) return;
    client_.reset();
    if (socket_ != nullptr) socket_->Close();
    EXPECT_TRUE(driver_.RunUntil([this] { return rig_->Quiet(); }, "rest")) << rig_->NotQuiet();
  }
  bool Await(StreamId id) {
    return driver_.RunUntil([=, this] { return client_->stream(id).over(); }, "a stream's end");
  }
  void Ask(StreamId id, std::string_view path) {
    client_->SendMessage(id, StrCat({"GET ", path, " a\n"}), "");
  }
  // Of the request that the upstream's connection got first.
  std::string PathAt(size_t connection) {
    const std::string& line = upstream_.connection(connection).requests().at(0).start_line;
    return line.substr(4, line.find(' ', 4) - 4);
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = std::move(*Loop::Create(clock_));
  Driver driver_{loop_.get()};
  ScriptedUpstream upstream_{driver_};
  std::unique_ptr<ProxyRig> rig_;
  std::unique_ptr<RawClient> socket_;
  std::unique_ptr<MultiplexPeer> client_;
};

TEST_F(MultiplexDownstreamTest, InterleavedRequestsGetTheirOwnAnswers) {
  constexpr size_t kStreams = 5;
  for (size_t i = 0; i < kStreams; ++i) {
    upstream_.Next().AwaitRequest().Hold().Send(
        StrCat({"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n", std::to_string(i)}));
  }
  Start();
  for (size_t i = 0; i < kStreams; ++i) {
    Ask(static_cast<StreamId>(2 * i + 1), StrCat({"/", std::to_string(2 * i + 1)}));
  }
  ASSERT_TRUE(upstream_.WaitForRequests(kStreams));
  for (size_t i = kStreams; i > 0; --i) {
    const StreamId id = static_cast<StreamId>(std::stoul(PathAt(i - 1).substr(1)));
    EXPECT_FALSE(client_->stream(id).over());
    upstream_.connection(i - 1).Release();
    ASSERT_TRUE(Await(id));
    EXPECT_EQ(client_->stream(id).status(), 200);
    EXPECT_EQ(client_->stream(id).body, std::to_string(i - 1));
  }
  EXPECT_FALSE(socket_->ended());
}

TEST_F(MultiplexDownstreamTest, FramesMayComeByteByByte) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  std::string bytes;
  AppendFrame(1, FrameType::kHead, "POST / a\ncontent-length: 3\n", bytes);
  AppendFrame(0, FrameType::kPing, "?", bytes);
  AppendFrame(1, FrameType::kBody, "abc", bytes);
  AppendFrame(1, FrameType::kEnd, "", bytes);
  client_->stream(1);
  socket_->SendByteByByte(bytes);
  ASSERT_TRUE(Await(1));
  EXPECT_EQ(client_->stream(1).body, "ok");
  EXPECT_EQ(client_->pongs(), 1);
  EXPECT_EQ(upstream_.connection(0).requests().at(0).body, "abc");
}

TEST_F(MultiplexDownstreamTest, AResetStreamDoesNotHurtTheOthers) {
  upstream_.Next().AwaitRequest().Hold();
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  Start();
  Ask(1, "/1");
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  Ask(3, "/3");
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  client_->SendReset(1);
  ASSERT_TRUE(driver_.RunUntil([this] { return upstream_.connection(0).ended(); }, "given up"));
  upstream_.connection(1).Release();
  ASSERT_TRUE(Await(3));
  EXPECT_EQ(client_->stream(3).body, "ok");
  EXPECT_EQ(rig_->stats().client_resets.value(), 1U);
  EXPECT_EQ(rig_->stats().responses[0].value(), 1U);
  EXPECT_EQ(rig_->stats().requests_active.value(), 0);
}

TEST_F(MultiplexDownstreamTest, AStreamThatIsNotTakenDoesNotStopTheOthers) {
  const std::string large(50000, 'l');
  upstream_.Next().AwaitRequest().Send(
      StrCat({"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc350\r\n", large,
              "\r\n0\r\nx-t: end\r\n\r\n"}));
  upstream_.AlwaysAnswer(kOk);
  Start();
  client_->stream(1).grants = false;
  Ask(1, "/large");
  ASSERT_TRUE(driver_.RunUntil([this] { return client_->stream(1).body.size() == 1000; }, "some"));
  for (StreamId id = 3; id < 20; id += 2) {
    Ask(id, "/small");
    ASSERT_TRUE(Await(id));
    EXPECT_EQ(client_->stream(id).body, "ok");
  }
  EXPECT_EQ(client_->stream(1).body.size(), 1000U);  // the window
  EXPECT_FALSE(client_->stream(1).ended);
  client_->stream(1).grants = true;
  client_->GrantAll(1);
  ASSERT_TRUE(Await(1));
  EXPECT_EQ(client_->stream(1).body, large);
  EXPECT_EQ(client_->stream(1).trailers, "x-t: end\n");
}

TEST_F(MultiplexDownstreamTest, AClientThatLeavesAWaitingStreamBehind) {
  upstream_.Next().AwaitRequest().Send(
      StrCat({"HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n", std::string(50000, 'l')}));
  upstream_.AlwaysAnswer(kOk);
  Start();
  client_->stream(1).grants = false;
  Ask(1, "/large");
  ASSERT_TRUE(driver_.RunUntil([this] { return client_->stream(1).body.size() == 1000; }, "some"));
  client_->SendReset(1);
  Ask(3, "/small");
  ASSERT_TRUE(Await(3));
  EXPECT_EQ(rig_->stats().requests_active.value(), 0);
}

TEST_F(MultiplexDownstreamTest, BodiesLargerThanTheWindowsGoUp) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  std::vector<std::string> bodies;
  for (StreamId id = 1; id <= 7; id += 2) {
    bodies.emplace_back(20000 + 1111 * id, static_cast<char>('a' + id));
    client_->SendMessage(id, StrCat({"POST /", std::to_string(id), " a\n"}), bodies.back());
  }
  for (StreamId id = 1; id <= 7; id += 2) ASSERT_TRUE(Await(id));
  std::vector<std::string> got;
  for (size_t i = 0; i < upstream_.connection_count(); ++i) {
    for (const HttpText& request : upstream_.connection(i).requests()) got.push_back(request.body);
  }
  std::sort(got.begin(), got.end());
  EXPECT_EQ(got, bodies);
}

TEST_F(MultiplexDownstreamTest, AnUpstreamThatCutsItsAnswerResetsThatStreamAlone) {
  upstream_.Next().AwaitRequest().Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf").Close();
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  Start();
  Ask(1, "/1");
  ASSERT_TRUE(Await(1));
  EXPECT_TRUE(client_->stream(1).reset);
  Ask(3, "/3");
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  upstream_.connection(1).Release();
  ASSERT_TRUE(Await(3));
  EXPECT_EQ(client_->stream(3).body, "ok");
}

TEST_F(MultiplexDownstreamTest, AnAnswerBeforeTheBodyEndsThatStreamAlone) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  Start();
  Ask(1, "/1");
  client_->SendHead(3, "POST /direct a\n");
  client_->SendBody(3, std::string(5000, 'x'));
  ASSERT_TRUE(Await(3));
  EXPECT_EQ(client_->stream(3).body, "direct");
  EXPECT_TRUE(client_->stream(3).ended);
  ASSERT_TRUE(driver_.RunUntil([this] { return client_->stream(3).reset; }, "no more body"));
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  upstream_.connection(0).Release();
  ASSERT_TRUE(Await(1));
  EXPECT_EQ(client_->stream(1).body, "ok");
}

TEST_F(MultiplexDownstreamTest, AFaultOfOneStreamIsAnsweredThere) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  Start();
  Ask(1, "/1");
  client_->SendMessage(3, "GET", "");
  ASSERT_TRUE(Await(3));
  EXPECT_EQ(client_->stream(3).status(), 400);
  EXPECT_FALSE(client_->drains());
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  upstream_.connection(0).Release();
  ASSERT_TRUE(Await(1));
  EXPECT_EQ(client_->stream(1).body, "ok");
  Ask(5, "/direct");
  ASSERT_TRUE(Await(5));
}

TEST_F(MultiplexDownstreamTest, AFaultOfTheConnectionEndsAllStreams) {
  upstream_.Next().AwaitRequest().Hold();
  upstream_.Next().AwaitRequest().Hold();
  Start();
  Ask(1, "/1");
  Ask(3, "/3");
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  client_->Send(3, FrameType::kHead, "GET / a\n");  // an id that was used
  ASSERT_TRUE(socket_->WaitForEnd());
  EXPECT_TRUE(client_->drains());  // it was told
  EXPECT_EQ(rig_->stats().protocol_errors.value(), 1U);
  EXPECT_EQ(rig_->stats().responses[0].value(), 2U);
}

TEST_F(MultiplexDownstreamTest, TrailersAndInformationalHeadsPass) {
  upstream_.AlwaysAnswer(
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx-down: 1\r\n\r\n");
  Start();
  client_->SendHead(1, "POST / a\n");
  client_->SendBody(1, "abc");
  client_->SendEnd(1, "x-up: 2\n");
  ASSERT_TRUE(Await(1));
  ASSERT_EQ(client_->stream(1).informs.size(), 1U);
  EXPECT_EQ(client_->stream(1).informs[0].substr(0, 3), "103");
  EXPECT_EQ(client_->stream(1).trailers, "x-down: 1\n");
  const HttpText& request = upstream_.connection(0).requests().at(0);
  ASSERT_EQ(request.trailers.size(), 1U);
  EXPECT_EQ(request.trailers[0].second, "2");
}

TEST_F(MultiplexDownstreamTest, ATunnelStandsBesideRequests) {
  upstream_.Next()
      .AwaitText("\r\n\r\n")
      .Send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
      .AwaitBytes(5000)
      .Send(std::string(5000, 'd'))
      .AwaitEnd()
      .Close();
  upstream_.AlwaysAnswer(kOk);
  Start("", "upgrades: [websocket], ");
  client_->SendHead(1, "GET /ws a\nupgrade: websocket\n");
  ASSERT_TRUE(driver_.RunUntil([this] { return client_->stream(1).status() == 101; }, "a tunnel"));
  client_->SendBody(1, std::string(5000, 'u'));
  Ask(3, "/3");
  ASSERT_TRUE(Await(3));
  ASSERT_TRUE(driver_.RunUntil([this] { return client_->stream(1).body.size() == 5000; }, "all"));
  EXPECT_FALSE(client_->stream(1).ended);
  client_->SendEnd(1);
  ASSERT_TRUE(Await(1));
  EXPECT_TRUE(client_->stream(1).ended);
}

TEST_F(MultiplexDownstreamTest, EachWayOfATunnelEndsByItself) {
  upstream_.Next()
      .AwaitText("\r\n\r\n")
      .Send("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n")
      .Send(std::string(5000, 'd'))
      .HalfClose();
  Start("", "upgrades: [websocket], ");
  client_->SendHead(1, "GET /ws a\nupgrade: websocket\n");
  ASSERT_TRUE(driver_.RunUntil([this] { return client_->stream(1).ended; }, "the end"));
  EXPECT_EQ(client_->stream(1).body.size(), 5000U);
  client_->SendBody(1, std::string(5000, 'u'));
  client_->SendEnd(1);
  ASSERT_TRUE(driver_.RunUntil([this] { return upstream_.connection(0).ended(); }, "its end"));
  EXPECT_TRUE(upstream_.connection(0).received().ends_with(std::string(5000, 'u')));
  EXPECT_FALSE(client_->stream(1).reset);
}

TEST_F(MultiplexDownstreamTest, DrainingLetsStreamsFinishAndTakesNoMore) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  Start();
  Ask(1, "/1");
  Ask(3, "/3");
  ASSERT_TRUE(upstream_.WaitForRequests(2));
  rig_->Drain();
  ASSERT_TRUE(driver_.RunUntil([this] { return client_->drains(); }, "the word"));
  Ask(5, "/5");
  ASSERT_TRUE(Await(5));
  EXPECT_TRUE(client_->stream(5).reset);
  upstream_.connection(0).Release();
  driver_.RunRounds(5);
  EXPECT_FALSE(socket_->ended());
  upstream_.connection(1).Release();
  ASSERT_TRUE(Await(1));
  ASSERT_TRUE(Await(3));
  EXPECT_TRUE(socket_->WaitForEnd());
  EXPECT_EQ(upstream_.request_count(), 2U);
}

TEST_F(MultiplexDownstreamTest, ItsLastRequestDrainsTheConnection) {
  upstream_.AlwaysAnswer(kOk);
  Start("limits: { requests_per_connection: 2 }, ");
  Ask(1, "/");
  ASSERT_TRUE(Await(1));
  EXPECT_FALSE(client_->drains());
  Ask(3, "/");
  ASSERT_TRUE(Await(3));
  EXPECT_EQ(client_->stream(3).body, "ok");
  EXPECT_TRUE(client_->drains());
  EXPECT_TRUE(socket_->WaitForEnd());
}

TEST_F(MultiplexDownstreamTest, AnIdleConnectionIsDrainedWhenItsTimeIsUp) {
  upstream_.AlwaysAnswer(kOk);
  Start("timeouts: { keep_alive: 5s }, ");
  Ask(1, "/");
  ASSERT_TRUE(Await(1));
  driver_.RunRounds(5);
  clock_.Advance(6 * kSecond);
  EXPECT_TRUE(socket_->WaitForEnd());
  EXPECT_TRUE(socket_->peer_closed());
  driver_.RunRounds(1);
  EXPECT_TRUE(client_->drains());
}

TEST_F(MultiplexDownstreamTest, AClientThatIsGoneEndsAllItsStreams) {
  for (int i = 0; i < 3; ++i) upstream_.Next().AwaitRequest().Hold();
  Start();
  for (StreamId id = 1; id < 6; id += 2) Ask(id, "/");
  ASSERT_TRUE(upstream_.WaitForRequests(3));
  socket_->Reset();
  ASSERT_TRUE(driver_.RunUntil([this] { return rig_->Quiet(); }, "rest")) << rig_->NotQuiet();
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(driver_.RunUntil([&] { return upstream_.connection(i).ended(); }, "closed"));
  }
  EXPECT_EQ(rig_->stats().responses[0].value(), 3U);
}

TEST_F(MultiplexDownstreamTest, AClientThatSaysNoMoreIsGone) {
  upstream_.Next().AwaitRequest().Hold();
  Start();
  Ask(1, "/");
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  socket_->HalfClose();
  ASSERT_TRUE(driver_.RunUntil([this] { return rig_->Quiet(); }, "rest")) << rig_->NotQuiet();
}

}  // namespace
}  // namespace sluice::test
