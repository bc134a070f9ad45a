// What breaks the protocol, on either side: the whole corpus over sockets, and how it ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/http_corpus.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

class Refusals : public ProxyFixture, public ::testing::WithParamInterface<bool> {
 protected:
  bool byte_by_byte() const { return GetParam(); }
  // 0: all at once. A long run of one letter, byte by byte, adds time and no case.
  size_t PieceSize(std::string_view bytes) const {
    return !byte_by_byte() ? 0 : bytes.size() > 16 * 1024 ? 61 : 1;
  }

  // What came behind informational responses.
  static HttpTextResult FinalResponse(const RawClient& client) {
    std::string_view bytes = client.received();
    for (;;) {
      HttpTextResult got = TakeHttpText(bytes, HttpTextKind::kResponse, client.ended());
      if (got.state != HttpTextResult::State::kComplete || got.message.status >= 200) return got;
      bytes.remove_prefix(got.message.size);
    }
  }

  // A client that leaves: no test below is to see the one before it.
  void WaitUntilQuiet() {
    driver_.RunUntil([&] { return rig_->Quiet(); }, "the proxy at rest");
  }
};

INSTANTIATE_TEST_SUITE_P(, Refusals, ::testing::Bool(),
                         [](const auto& mode) { return mode.param ? "ByteByByte" : "Whole"; });

TEST_P(Refusals, BadRequestsAreAnsweredAndTheConnectionIsClosed) {
  Start();
  size_t ended = 0;
  size_t connections = 0;
  for (const BadRequest& bad : BadRequests()) {
    SCOPED_TRACE(bad.name);
    RawClient client(driver_, port());
    client.SendInPieces(bad.bytes, PieceSize(bad.bytes));
    const HttpText response = client.ReadResponse();
    EXPECT_EQ(response.status, bad.status);
    EXPECT_EQ(response.Header("connection"), "close");
    EXPECT_TRUE(client.WaitForEnd());
    EXPECT_TRUE(client.peer_closed());
    EXPECT_FALSE(client.peer_reset());
    EXPECT_EQ(client.unread(), "");  // neither the rest nor what was smuggled got an answer

    const EndedRequest request = Ended(++ended);
    EXPECT_EQ(request.details, bad.detail);
    EXPECT_EQ(request.flags, "DPE");
    client.Close();
    WaitUntilQuiet();
    EXPECT_EQ(ended_.size(), ended);
    if (!bad.in_body) {
      ASSERT_EQ(upstream_.connection_count(), connections);
    }
    // Of a fault in the body the upstream may have seen the head: then it saw it cut off. Or the
    // connection was begun for it, and waits unused.
    for (; connections < upstream_.connection_count(); ++connections) {
      ScriptedConnection& upstream = upstream_.connection(connections);
      if (upstream.received().empty()) continue;
      driver_.RunUntil([&] { return upstream.ended(); }, "the upstream's connection closed");
      const HttpTextResult got =
          TakeHttpText(upstream.received(), HttpTextKind::kRequest, /*ended=*/true);
      EXPECT_NE(got.state, HttpTextResult::State::kComplete) << upstream.received();
    }
  }
  EXPECT_EQ(rig_->stats().protocol_errors.value(), BadRequests().size());
}

TEST_P(Refusals, BadRequestsBehindAGoodOneAreRefusedAndTheGoodOneIsNot) {
  Start();
  upstream_.AlwaysAnswer(kOk);
  for (const BadRequest& bad : BadRequests()) {
    if (bad.in_body || bad.bytes.size() > 1000) continue;
    // An empty line between two requests is let pass.
    if (bad.bytes.starts_with("\r\n")) continue;
    SCOPED_TRACE(bad.name);
    const size_t before = upstream_.request_count();
    RawClient client(driver_, port());
    const std::string bytes = Get("/good") + bad.bytes;
    byte_by_byte() ? client.SendByteByByte(bytes) : client.Send(bytes);
    EXPECT_EQ(client.ReadResponse().status, 200);
    EXPECT_EQ(client.ReadResponse().status, bad.status);
    EXPECT_TRUE(client.WaitForEnd());
    EXPECT_FALSE(client.peer_reset());
    EXPECT_EQ(upstream_.request_count(), before + 1);
  }
}

TEST_P(Refusals, BadResponsesAreA502OrCutOffAndTheConnectionIsNotReused) {
  Start();
  size_t count = 0;
  size_t broken = 0;
  for (const BadResponse& bad : BadResponses()) {
    SCOPED_TRACE(bad.name);
    Script& script = upstream_.Next().AwaitRequest();
    script.SendInPieces(bad.bytes, PieceSize(bad.bytes));
    // Where the end of the connection is the fault; else the proxy has to close it by itself.
    if (bad.cut_off()) script.Close();

    RawClient client(driver_, port());
    client.Send(Get("/"));
    HttpTextResult got;
    const auto answered = [&] {
      got = FinalResponse(client);
      return client.ended() || got.state != HttpTextResult::State::kIncomplete;
    };
    ASSERT_TRUE(driver_.RunUntil(answered, "an answer or an end"));
    if (got.state == HttpTextResult::State::kComplete) {
      EXPECT_EQ(got.message.status, bad.cut_off() ? 503 : 502);
    } else {
      EXPECT_TRUE(bad.in_body) << "the client got nothing of use: " << client.received();
    }
    const EndedRequest request = Ended(count + 1);
    EXPECT_EQ(request.flags, bad.cut_off() ? "UC" : "UPE");
    // Said once, within what the router says.
    EXPECT_THAT(request.details,
                testing::AnyOf("upstream_reset_before_response_started{" + bad.detail + "}",
                               "upstream_reset_after_response_started{" + bad.detail + "}"));
    EXPECT_EQ(request.attempts, 1U);

    ASSERT_EQ(upstream_.connection_count(), ++count);
    broken += bad.cut_off() ? 0 : 1;
    if (!bad.cut_off()) {
      ScriptedConnection& upstream = upstream_.connection(count - 1);
      driver_.RunUntil([&] { return upstream.ended(); }, "the upstream's connection closed");
    }
  }
  EXPECT_EQ(rig_->cluster().stats().protocol_errors.value(), broken);
  EXPECT_EQ(rig_->cluster().stats().resets.value(), count);
}

}  // namespace
}  // namespace sluice::test
