// The cancel loop with many streams on both sides: at every turn a stream, or a whole connection,
// is lost on either side; what it does not concern ends as if nothing had been.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/base/strings.h"
#include "core/event/loop.h"
#include "tests/support/cancel_loop.h"
#include "tests/support/driver.h"
#include "tests/support/multiplex_codec.h"
#include "tests/support/multiplex_peer.h"
#include "tests/support/proxy_rig.h"
#include "tests/support/raw_client.h"

namespace sluice::test {
namespace {

enum class Loss { kClientStream, kClient, kUpstreamStreams, kUpstream, kUpstreamDrains };

class MultiplexCancelTest : public ::testing::TestWithParam<Loss> {
 protected:
  static constexpr StreamId kStreams[] = {1, 3, 5};
  static constexpr StreamId kLost = 3;

  void Begin() {
    client_.reset();
    socket_ = std::make_unique<RawClient>(driver_, rig_->port());
    client_ = std::make_unique<MultiplexPeer>(driver_, *socket_);
    client_->stream(5).grants = false;  // it is slow
    for (StreamId id : kStreams) {
      client_->SendMessage(id, "POST / a\n", std::string(2500 + id, static_cast<char>('a' + id)));
    }
    turns_ = 0;
  }
  bool Turn() {
    driver_.RunRounds(1);
    if (++turns_ % 5 == 0) client_->GrantAll(5);
    for (StreamId id : kStreams) {
      if (!client_->stream(id).over()) return false;
    }
    for (StreamId id : kStreams) ExpectEcho(id);
    return true;
  }
  void ExpectEcho(StreamId id) {
    EXPECT_EQ(client_->stream(id).body, std::string(2500 + id, static_cast<char>('a' + id)));
  }
  void Lose() {
    switch (GetParam()) {
      case Loss::kClientStream:
        client_->SendReset(kLost);
        client_->stream(5).grants = true;
        client_->GrantAll(5);
        for (StreamId id : {1U, 5U}) {
          driver_.RunUntil([&] { return client_->stream(id).over(); }, "the others");
          ExpectEcho(id);
        }
        return;
      case Loss::kClient:
        return socket_->Reset();
      case Loss::kUpstreamStreams:
      case Loss::kUpstream:
      case Loss::kUpstreamDrains:
        LoseUpstream();
        client_->stream(5).grants = true;
        client_->GrantAll(5);
        // Each is answered, or reset.
        for (StreamId id : kStreams) {
          driver_.RunUntil([&] { return client_->stream(id).over(); }, "an end");
          if (GetParam() == Loss::kUpstreamDrains) ExpectEcho(id);
        }
    }
  }
  void LoseUpstream() {
    for (size_t i = 0; i < upstream_.connection_count(); ++i) {
      ScriptedConnection& connection = upstream_.sockets().connection(i);
      if (connection.closed() || connection.ended()) continue;
      if (GetParam() == Loss::kUpstream) {
        connection.Reset();
      } else if (GetParam() == Loss::kUpstreamDrains) {
        upstream_.peer(i).SendDrain();
      } else {
        for (const auto& [id, stream] : upstream_.peer(i).streams()) {
          if (!stream.over()) upstream_.peer(i).SendReset(id);
        }
      }
    }
  }
  std::string WhatIsLeft() {
    driver_.RunRounds(5);
    socket_->Reset();
    for (int i = 0; i < 100 && !rig_->Quiet(); ++i) driver_.RunRounds(1);
    driver_.RunRounds(5);
    std::string left = rig_->NotQuiet();
    uint64_t sum = 0;
    for (const Counter& responses : rig_->stats().responses) sum += responses.value();
    if (sum != rig_->stats().requests.value()) left += "listener's counters differ ";
    sum = 0;
    for (const Counter& responses : rig_->cluster().stats().responses) sum += responses.value();
    if (sum != rig_->cluster().stats().requests.value()) left += "cluster's counters differ ";
    return left;
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = std::move(*Loop::Create(clock_));
  Driver driver_{loop_.get()};
  MultiplexUpstream upstream_{driver_};
  std::unique_ptr<ProxyRig> rig_;
  std::unique_ptr<RawClient> socket_;
  std::unique_ptr<MultiplexPeer> client_;
  int turns_ = 0;
};

TEST_P(MultiplexCancelTest, TheRestIsUnharmed) {
  upstream_.EchoAlways();
  ProxyRig::Seams seams;
  seams.listener = [](ListenerSettings& settings) { settings.new_codec = NewMultiplexServerCodec; };
  seams.cluster = [](ClusterSettings& settings) { settings.new_codec = NewMultiplexClientCodec; };
  rig_ = std::make_unique<ProxyRig>(
      *loop_, clock_,
      StrCat({"listeners:\n  - { name: web, listen: 127.0.0.1:0, routes: [{ match: { prefix: / }, ",
              "cluster: api }] }\nclusters: [{ name: api, endpoints: [", upstream_.text(),
              "] }]\n"}),
      seams);
  const int turns = CancelLoop([this] { Begin(); }, [this] { return Turn(); }, [this] { Lose(); },
                               [this] { return WhatIsLeft(); });
  EXPECT_GT(turns, 10);
}

INSTANTIATE_TEST_SUITE_P(Losses, MultiplexCancelTest,
                         ::testing::Values(Loss::kClientStream, Loss::kClient,
                                           Loss::kUpstreamStreams, Loss::kUpstream,
                                           Loss::kUpstreamDrains));

}  // namespace
}  // namespace sluice::test
