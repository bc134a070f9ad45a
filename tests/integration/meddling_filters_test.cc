// Filters that hold an answer back, put another in its place or gather bodies, and what happens
// around them.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "core/base/strings.h"
#include "core/filter/filter.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

using OnResponse = std::function<Verdict(ResponseHead&)>;
using OnBody = std::function<void(Buffer&, bool end)>;
// A request's body goes on in pieces of at least so many bytes.
constexpr size_t kPiece = 200'000;

class Changer;

struct Changes {
  OnResponse on_response;
  OnBody on_request_body;
  OnBody on_response_body;
};

class ChangerFactory final : public BasicFilterFactory<Changer, ChangerFactory> {
 public:
  explicit ChangerFactory(const Changes& all) : changes(all) {}
  const Changes& changes;
};

class Changer final : public Filter {
 public:
  explicit Changer(ChangerFactory& factory) : changes_(factory.changes) {}
  Verdict OnRequestBody(Buffer& data, bool end) override {
    if (changes_.on_request_body) {
      changes_.on_request_body(data, end);
      return Verdict::Continue();
    }
    gathered_.Append(std::move(data));
    if (end || gathered_.size() >= kPiece) data = std::move(gathered_);
    return Verdict::Continue();
  }
  Verdict OnResponseHeaders(ResponseHead& head, bool) override {
    return changes_.on_response(head);
  }
  Verdict OnResponseBody(Buffer& data, bool end) override {
    if (changes_.on_response_body) changes_.on_response_body(data, end);
    return Verdict::Continue();
  }

 private:
  const Changes& changes_;
  Buffer gathered_;
};

class MeddlingFilters : public ProxyFixture {
 protected:
  void StartWith(OnResponse on_response, std::string_view listener, std::string_view route) {
    changes_.on_response = std::move(on_response);
    AddFilter(changer_);
    StartYaml(StrCat({"listeners:\n  - { name: web, listen: \"127.0.0.1:0\"", listener,
                      ", routes: [{ match: { prefix: / }, ", route,
                      " }] }\nclusters: [{ name: api, endpoints: [\"$UP\"] }]\n"}));
  }
  void StartChanging(OnBody request_body, OnBody response_body) {
    StartWith([](ResponseHead&) { return Verdict::Continue(); }, "", "cluster: api");
    changes_.on_request_body = std::move(request_body);
    changes_.on_response_body = std::move(response_body);
  }
  static LocalReply Reply(uint16_t status, std::string_view body) {
    LocalReply reply;
    reply.status = status;
    reply.body = body;
    return reply;
  }

  Changes changes_;
  FactoryKind changer_{"changer", [this] { return std::make_unique<ChangerFactory>(changes_); }};
};

TEST_F(MeddlingFilters, AnAnswerHeldForTooLongEndsTheRequest) {
  upstream_.AlwaysAnswer(kOk);
  StartWith([](ResponseHead&) { return Verdict::Pause(); }, ", timeouts: { stream_idle: 2s }",
            "cluster: api");
  RawClient client(driver_, port());
  client.Send(Get("/"));
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  driver_.RunRounds(20);
  for (int i = 0; i < 60 && !client.ended(); ++i) Advance(kSecond);
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(client.received(), "");
  EXPECT_EQ(rig_->stats().idle_timeouts.value(), 1U);
}

TEST_F(MeddlingFilters, WhatIsSentWhileAnAnswerIsHeldDoesNotPileUp) {
  StartWith([](ResponseHead&) { return Verdict::Pause(); }, ", limits: { body_size: 1KiB }",
            "cluster: api");
  RawClient client(driver_, port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8000000\r\n");
  client.Send(std::string(1000, 'x'));
  ASSERT_TRUE(upstream_.WaitForConnections(1));
  driver_.RunRounds(20);               // the first part was pulled, and so is the next
  client.Send(std::string(100, 'x'));  // too many: 413, which the filter holds
  ASSERT_TRUE(driver_.RunUntil([&] { return rig_->stats().local_replies.value() == 1; }, "413"));
  client.Send(std::string(64 << 20, 'x'));
  driver_.RunRounds(500);
  EXPECT_FALSE(client.all_sent());
  const linger reset{1, 0};  // at the end of the scope: what is queued will never leave
  EXPECT_EQ(setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
}

TEST_F(MeddlingFilters, AnAnswerInPlaceOfASwitchIsNoTunnel) {
  upstream_.AlwaysAnswer(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
  StartWith(
      [](ResponseHead& head) {
        return head.status == 101 ? Verdict::Respond(Reply(403, "no tunnel\n"))
                                  : Verdict::Continue();
      },
      "", "cluster: api, upgrades: [websocket]");
  const HttpText response = Ask(Get("/", "Connection: upgrade\r\nUpgrade: websocket\r\n"));
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.body, "no tunnel\n");
  EXPECT_EQ(rig_->stats().tunnels.value(), 0U);
}

TEST_F(MeddlingFilters, APieceBeyondTheMarkThatLeavesAtOnceIsFollowedByTheNext) {
  upstream_.AlwaysAnswer(kOk);
  StartWith([](ResponseHead&) { return Verdict::Continue(); }, "", "cluster: api");
  const std::string body(3 * kPiece, 'x');
  EXPECT_EQ(Ask(Post("/", body)).status, 200);
  EXPECT_EQ(LastRequest().body.size(), body.size());
}

TEST_F(MeddlingFilters, AnAnswerOfOurOwnIsReplacedWhole) {
  StartWith(
      [](ResponseHead& head) {
        return head.status == 404 ? Verdict::Respond(Reply(403, "other\n")) : Verdict::Continue();
      },
      "", "respond: { status: 404, body: 'not here at all' }");
  RawClient client(driver_, port());
  for (int i = 0; i < 2; ++i) {
    client.Send(Get("/"));
    const HttpText response = client.ReadResponse();
    EXPECT_EQ(response.status, 403);
    EXPECT_EQ(response.body, "other\n");
  }
}

TEST_F(MeddlingFilters, AnUploadThatASlowUpstreamTakesPieceByPieceMoves) {
  StartWith([](ResponseHead&) { return Verdict::Continue(); },
            ", timeouts: { stream_idle: 5s, body_idle: 0s }", "cluster: api, timeout: 0s");
  const auto gathered = std::make_shared<Buffer>();
  changes_.on_request_body = [gathered](Buffer& data, bool end) {
    gathered->Append(std::move(data));
    if (end) data = std::move(*gathered);
  };
  const std::string body(32 << 20, 'x');
  RawClient client(driver_, port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n");
  ASSERT_TRUE(upstream_.WaitForConnections(1));
  ScriptedConnection& upstream = upstream_.connection(0);
  upstream.SetReading(false);
  client.Send(body);
  ASSERT_TRUE(client.WaitUntilSent());
  driver_.RunRounds(100);  // all of it is on its way now, as one piece
  for (int i = 0; i < 4; ++i) {
    Advance(4 * kSecond);
    const size_t next = upstream.received().size() + (4 << 20);
    upstream.SetReading(true);
    driver_.RunUntil([&] { return upstream.received().size() >= next; }, "some of it");
    upstream.SetReading(false);
    driver_.RunRounds(5);
    EXPECT_TRUE(ended_.empty()) << i;
  }
  upstream.SetReading(true);
  driver_.RunUntil([&] { return upstream.received().size() > body.size(); }, "all of it");
  upstream.Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(MeddlingFilters, ARequestBodyShorterThanAnnouncedFailsAtOnce) {
  upstream_.AlwaysAnswer(kOk);
  StartChanging([](Buffer& data, bool) { data.Consume(data.empty() ? 0 : 1); }, nullptr);
  const HttpText response = Ask(Post("/", "hello"));
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(Ended(1).details, "filter_broke_request_length");
  EXPECT_EQ(Ended(1).flags, "LR");
  driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "the upstream's end");
  EXPECT_EQ(upstream_.request_count(), 0U);
  EXPECT_EQ(Ask(Get("/")).body, "ok");
  EXPECT_EQ(upstream_.connection_count(), 2U);
}

TEST_F(MeddlingFilters, ARequestBodyLongerThanAnnouncedIsNotSent) {
  upstream_.AlwaysAnswer(kOk);
  StartChanging([](Buffer& data, bool) { data.Append("GET /smuggled HTTP/1.1\r\n\r\n"); }, nullptr);
  EXPECT_EQ(Ask(Post("/", "hello")).status, 500);
  EXPECT_EQ(Ended(1).details, "filter_broke_request_length");
  driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "the upstream's end");
  EXPECT_EQ(upstream_.connection(0).received().find("hello"), std::string::npos);
}

TEST_F(MeddlingFilters, ABrokenRequestBodyAfterTheAnswerBeganCutsTheAnswer) {
  upstream_.Next().AwaitText("first").Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart");
  StartChanging([](Buffer& data, bool end) { data.Consume(end && !data.empty() ? 1 : 0); },
                nullptr);
  RawClient client(driver_, port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nfirst");
  EXPECT_NE(client.ReadThrough("part"), "");
  client.Send("last");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(Ended(1).details, "filter_broke_request_length");
  EXPECT_EQ(Ended(1).flags, "LR");
}

TEST_F(MeddlingFilters, AResponseBodyThatIsNotAsAnnouncedEndsTheConnection) {
  upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  const OnBody changes[] = {
      [](Buffer& data, bool) { data.Consume(data.empty() ? 0 : 1); },
      [](Buffer& data, bool) { data.Append("HTTP/1.1 200 OK\r\n\r\n"); },
  };
  for (const OnBody& change : changes) {
    StartChanging(nullptr, change);
    RawClient client(driver_, port());
    client.Send(Get("/") + Get("/"));
    EXPECT_TRUE(client.WaitForEnd());
    const size_t body = client.received().find("\r\n\r\n") + 4;
    EXPECT_LT(client.received().size() - body, 5U) << client.received();
    EXPECT_EQ(Ended(1).details, "filter_broke_response_length");
    EXPECT_EQ(Ended(1).flags, "LR");
    ended_.clear();
  }
}

}  // namespace
}  // namespace sluice::test
