// HTTP/1 messages on their way through: framing, keep-alive, versions, targets, informational
// responses, hop-by-hop fields.
#include <gtest/gtest.h>

#include "tests/support/dead_ports.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

using Messages = ProxyFixture;

TEST_F(Messages, Http10EndsWithTheConnection) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  RawClient client(driver_, port());
  client.Send("GET / HTTP/1.0\r\n\r\n");
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.body, "ok");
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_TRUE(LastRequest().start_line.ends_with("HTTP/1.1"));
}

TEST_F(Messages, ARequestWithoutAHostIsForTheEndpoint) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  EXPECT_EQ(Ask("GET / HTTP/1.0\r\n\r\n").status, 200);
  EXPECT_EQ(LastRequest().Header("host"), upstream_.text());
  EXPECT_EQ(LastRequest().Header("x-forwarded-host"), std::nullopt);
  auto named = std::make_shared<EndpointSet>(rig_->endpoints());
  named->endpoints[0].hostname = "b.test";
  rig_->cluster().Update(named);
  EXPECT_EQ(Ask("GET / HTTP/1.0\r\n\r\n").status, 200);
  EXPECT_EQ(LastRequest().Header("host"), "b.test:" + std::to_string(upstream_.port()));
  EXPECT_EQ(Ask("GET / HTTP/1.0\r\nHost: c\r\n\r\n").status, 200);
  EXPECT_EQ(LastRequest().Header("host"), "c");
}

TEST_F(Messages, Http10KeepsAliveWhenAsked) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  RawClient client(driver_, port());
  for (int i = 0; i < 3; ++i) {
    client.Send("GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n");
    const HttpText response = client.ReadResponse();
    EXPECT_EQ(response.body, "ok");
    EXPECT_EQ(response.Header("connection"), "keep-alive");
  }
  EXPECT_EQ(LastRequest().Header("connection"), std::nullopt);
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

TEST_F(Messages, Http10GetsNoChunks) {
  upstream_.AlwaysAnswer(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n");
  Start();
  RawClient client(driver_, port());
  client.Send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const HttpText response = client.ReadResponse();
  EXPECT_TRUE(response.until_close);
  EXPECT_EQ(response.body, "abc");
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_FALSE(client.peer_reset());
}

TEST_F(Messages, ConnectionCloseOfTheClientIsObeyed) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/", "Connection: close\r\n"));
  EXPECT_EQ(client.ReadResponse().Header("connection"), "close");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(LastRequest().Header("connection"), std::nullopt);
  EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_EQ(upstream_.connection_count(), 1U);  // the upstream's connection is another matter
}

TEST_F(Messages, ConnectionCloseOfTheUpstreamIsNotTheClients) {
  upstream_.Next().AwaitRequest().Send(
      "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
  upstream_.AlwaysAnswer(kOk);
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().Header("connection"), std::nullopt);
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(upstream_.connection_count(), 2U);
}

TEST_F(Messages, PipelinedRequestsWithBodiesByteByByte) {
  Script& script = upstream_.Next();
  for (const char* answer : {"1", "2", "3", "4"}) {
    script.AwaitRequest().Send(std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n") +
                               answer);
  }
  Start();
  RawClient client(driver_, port());
  client.SendByteByByte(Post("/1", "one") +
                        "PUT /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3\r\ntwo\r\n0\r\n\r\n\r\n" +
                        Get("/3") + Post("/4", ""));
  for (const char* answer : {"1", "2", "3", "4"}) EXPECT_EQ(client.ReadResponse().body, answer);
  const auto& requests = upstream_.connection(0).requests();
  ASSERT_EQ(requests.size(), 4U);
  EXPECT_EQ(requests[0].body, "one");
  EXPECT_EQ(requests[1].body, "two");
  EXPECT_EQ(requests[2].start_line, "GET /3 HTTP/1.1");
  EXPECT_EQ(requests[3].Header("content-length"), "0");
}

TEST_F(Messages, ManyPipelinedRequests) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  RawClient client(driver_, port());
  std::string bytes;
  for (int i = 0; i < 500; ++i) bytes += Get("/");
  client.Send(bytes);
  for (int i = 0; i < 500; ++i) ASSERT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

TEST_F(Messages, ChunksWithTrailersAndWithoutExtensionsBothWays) {
  upstream_.AlwaysAnswer(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
      "3;a=b\r\nabc\r\n2;quoted=\"x\"\r\nde\r\n0;last\r\nX-Sum: 5\r\n\r\n");
  Start();
  RawClient client(driver_, port());
  client.Send(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Check\r\n\r\n"
      "5;x=y\r\nhello\r\n1\r\n!\r\n0;z\r\nX-Check: 6\r\nX-More: 7\r\n\r\n");
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.body, "abcde");
  EXPECT_EQ(response.Header("transfer-encoding"), "chunked");
  EXPECT_EQ(response.Header("trailer"), "X-Sum");
  EXPECT_EQ(response.trailers, (HttpText::Fields{{"X-Sum", "5"}}));
  EXPECT_EQ(client.received().find(';'), client.received().find("; "));  // in no chunk's size
  const HttpText& request = LastRequest();
  EXPECT_EQ(request.body, "hello!");
  EXPECT_EQ(request.trailers, (HttpText::Fields{{"X-Check", "6"}, {"X-More", "7"}}));
  EXPECT_EQ(request.Header("content-length"), std::nullopt);
  EXPECT_EQ(upstream_.connection(0).received().find(';'), std::string::npos);
}

TEST_F(Messages, AnAnswerToHeadHasNoBody) {
  upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
  Start();
  RawClient client(driver_, port());
  for (int i = 0; i < 2; ++i) {
    client.Send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    const HttpText response = client.ReadResponse(HttpTextKind::kResponseToHead);
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.Header("content-length"), "1234");
  }
  EXPECT_EQ(client.unread(), "");
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

TEST_F(Messages, OurOwnAnswerToHeadHasNoBodyEither) {
  StartYaml(
      "listeners: [{ name: web, listen: '127.0.0.1:0',"
      "  routes: [{ match: /, respond: { status: 200, body: hello } }] }]\n");
  RawClient client(driver_, port());
  client.Send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n" + Get("/"));
  const HttpText response = client.ReadResponse(HttpTextKind::kResponseToHead);
  EXPECT_EQ(response.Header("content-length"), "5");
  EXPECT_EQ(client.ReadResponse().body, "hello");
}

TEST_F(Messages, StatusesWithoutBodiesHaveNone) {
  upstream_.Next()
      .AwaitRequest()
      .Send("HTTP/1.1 204 No Content\r\n\r\n")
      .AwaitRequest()
      .Send("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nETag: \"x\"\r\n\r\n")
      .AwaitRequest()
      .Send("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n");
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  const HttpText no_content = client.ReadResponse();
  EXPECT_EQ(no_content.status, 204);
  EXPECT_EQ(no_content.Header("content-length"), std::nullopt);
  EXPECT_EQ(no_content.Header("transfer-encoding"), std::nullopt);
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().Header("etag"), "\"x\"");
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().status, 205);
  EXPECT_EQ(client.unread(), "");
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

TEST_F(Messages, AResponseDelimitedByTheCloseIsWhole) {
  upstream_.Next()
      .AwaitRequest()
      .Send("HTTP/1.0 200 OK\r\n\r\npart one, ")
      .Hold()
      .Send("two")
      .Close();
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  client.ReadThrough("part one, ");
  upstream_.connection(0).Release();
  client.ReadThrough("two\r\n0\r\n\r\n");
  EXPECT_FALSE(client.ended());
  EXPECT_NE(client.received().find("transfer-encoding: chunked"), std::string::npos);
  EXPECT_EQ(Ended(1).flags, "-");
  upstream_.AlwaysAnswer(kOk);
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(upstream_.connection_count(), 2U);
}

TEST_F(Messages, AbsoluteFormNamesTheHost) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  EXPECT_EQ(Ask("GET http://b.test:81/x?y HTTP/1.1\r\nHost: a.test\r\n\r\n").status, 200);
  EXPECT_EQ(LastRequest().start_line, "GET /x?y HTTP/1.1");
  EXPECT_EQ(LastRequest().Header("host"), "b.test:81");
  EXPECT_EQ(Ask("GET http://b.test HTTP/1.1\r\nHost: a.test\r\n\r\n").status, 200);
  EXPECT_EQ(LastRequest().start_line, "GET / HTTP/1.1");
}

TEST_F(Messages, AsteriskFormIsForwarded) {
  upstream_.AlwaysAnswer(kOk);
  StartYaml(
      "listeners: [{ name: web, listen: '127.0.0.1:0',"
      "  routes: [{ match: { methods: [OPTIONS] }, cluster: api }] }]\n"
      "clusters: [{ name: api, endpoints: [$UP] }]\n");
  EXPECT_EQ(Ask("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  EXPECT_EQ(LastRequest().start_line, "OPTIONS * HTTP/1.1");
  EXPECT_EQ(Ask("OPTIONS http://a.test HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
}

TEST_F(Messages, ContinueIsSentWhenTheBodyIsPulled) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  RawClient client(driver_, port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-Continue\r\n\r\n");
  const HttpText interim = client.ReadResponse();
  EXPECT_EQ(interim.start_line, "HTTP/1.1 100 Continue");
  client.Send("body");
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(LastRequest().body, "body");
  EXPECT_EQ(LastRequest().Header("expect"), std::nullopt);
}

TEST_F(Messages, ContinueIsNotSentBeforeThereIsSomebodyToPullTheBody) {
  SilentPort silent;
  StartTo(silent.address());
  RawClient client(driver_, port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  driver_.RunRounds(30);
  EXPECT_EQ(client.received(), "");
  Advance(7 * kSecond);
  EXPECT_EQ(client.ReadResponse().status, 503);
}

TEST_F(Messages, ARefusedRequestGetsNoContinue) {
  StartYaml(
      "listeners: [{ name: web, listen: '127.0.0.1:0', limits: { body_size: 10B },"
      "  routes: [{ match: /api, cluster: api }, { match: /no, respond: { status: 403 } }] }]\n"
      "clusters: [{ name: api, endpoints: [$UP] }]\n");
  const std::string rest = " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ";
  EXPECT_EQ(Ask("POST /api" + rest + "11\r\n\r\n").status, 413);
  EXPECT_EQ(Ask("POST /no" + rest + "9\r\n\r\n").status, 403);
  EXPECT_EQ(Ask("POST /else" + rest + "9\r\n\r\n").status, 404);
}

TEST_F(Messages, ContinueIsNotSentToHttp10NorWithoutABody) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  EXPECT_EQ(Ask("POST / HTTP/1.0\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\nx")
                .status,
            200);
  EXPECT_EQ(Ask(Get("/", "Expect: 100-continue\r\n")).status, 200);
}

TEST_F(Messages, EarlyHintsAreForwardedAndContinueIsNot) {
  upstream_.Next()
      .AwaitRequest()
      .Send(
          "HTTP/1.1 100 Continue\r\n\r\n"
          "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"
          "HTTP/1.1 103 Early Hints\r\nLink: </b.css>; rel=preload\r\n\r\n")
      .Send(kOk)
      .AwaitRequest()
      .Send("HTTP/1.1 103 Early Hints\r\nLink: </c.css>\r\n\r\n")
      .Send(kOk);
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  const HttpText first = client.ReadResponse();
  EXPECT_EQ(first.status, 103);
  EXPECT_EQ(first.Header("link"), "</a.css>; rel=preload");
  EXPECT_EQ(client.ReadResponse().Header("link"), "</b.css>; rel=preload");
  const HttpText last = client.ReadResponse();
  EXPECT_EQ(last.status, 200);
  EXPECT_EQ(last.Header("link"), std::nullopt);
  // HTTP/1.0 knows none.
  EXPECT_EQ(Ask("GET / HTTP/1.0\r\nHost: a\r\n\r\n").status, 200);
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

TEST_F(Messages, HopByHopFieldsEndHereBothWays) {
  upstream_.AlwaysAnswer(
      "HTTP/1.1 200 OK\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nX-End: 2\r\n"
      "Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nUpgrade: h2c\r\n"
      "Content-Length: 2\r\n\r\nok");
  Start();
  const HttpText response =
      Ask(Get("/",
              "Connection: close, X-Hop\r\nX-Hop: 1\r\nX-End: 2\r\nKeep-Alive: timeout=5\r\n"
              "Proxy-Connection: keep-alive\r\nTE: gzip;q=0.5, trailers\r\n"));
  for (const HttpText* message : {&response, &LastRequest()}) {
    EXPECT_EQ(message->Header("x-hop"), std::nullopt);
    EXPECT_EQ(message->Header("x-end"), "2");
    EXPECT_EQ(message->Header("keep-alive"), std::nullopt);
    EXPECT_EQ(message->Header("proxy-connection"), std::nullopt);
    EXPECT_EQ(message->Header("upgrade"), std::nullopt);
  }
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_EQ(LastRequest().Header("te"), "trailers");
  EXPECT_EQ(LastRequest().Header("connection"), "te");
}

TEST_F(Messages, TeWithoutTrailersIsDropped) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  EXPECT_EQ(Ask(Get("/", "TE: gzip\r\nConnection: te\r\n")).status, 200);
  EXPECT_EQ(LastRequest().Header("te"), std::nullopt);
  EXPECT_EQ(LastRequest().Header("connection"), std::nullopt);
}

TEST_F(Messages, ConnectionCannotRemoveWhatFramesTheMessage) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  EXPECT_EQ(Ask(Post("/", "body", "Connection: content-length, host\r\n")).status, 200);
  EXPECT_EQ(LastRequest().body, "body");
  EXPECT_EQ(LastRequest().Header("host"), "a.test");
}

TEST_F(Messages, ALongBodyIsNotCollected) {
  // Neither side holds more than the kernel's buffers and a little of our own.
  upstream_.Next().Stall();
  Start();
  RawClient client(driver_, port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\n" +
              std::string(64 * 1024 * 1024, 'x'));
  driver_.RunRounds(2000);
  EXPECT_FALSE(client.all_sent());
  client.Reset();
}

}  // namespace
}  // namespace sluice::test
