// Bodies that are long, slow, or flow both ways at once: all of them arrives, nothing piles up
// here.
#include <gtest/gtest.h>

#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

class Flow : public ProxyFixture {
 protected:
  // Bytes in which a piece that is lost, doubled or moved shows.
  static std::string Pattern(size_t size) {
    std::string bytes(size, '\0');
    uint32_t state = 1;
    for (char& c : bytes) {
      state = state * 1664525 + 1013904223;
      c = static_cast<char>('a' + (state >> 24) % 26);
    }
    return bytes;
  }
};

TEST_F(Flow, ALongRequestBodyToASlowUpstream) {
  const std::string body = Pattern(32 * 1024 * 1024);
  upstream_.Next().AwaitText("\r\n\r\n").Stall();
  Start();
  RawClient client(driver_, port());
  client.Send(Post("/", body));
  driver_.RunRounds(300);
  EXPECT_FALSE(client.all_sent());
  upstream_.connection(0).Release();
  driver_.RunUntil([&] { return upstream_.connection(0).received().size() > body.size(); },
                   "the body");
  EXPECT_TRUE(upstream_.connection(0).received().ends_with(body));
  upstream_.connection(0).Send(kOk);
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(Flow, ALongResponseToASlowClient) {
  const std::string body = Pattern(16 * 1024 * 1024);
  upstream_.Next().AwaitRequest().Send("HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\n" +
                                       body);
  Start();
  RawClient client(driver_, port());
  client.SetReading(false);
  client.Send(Get("/"));
  driver_.RunRounds(300);
  EXPECT_FALSE(upstream_.connection(0).all_sent());  // neither we nor the kernel take it all
  client.SetReading(true);
  driver_.RunUntil([&] { return client.received().size() > body.size(); }, "the response");
  EXPECT_TRUE(client.received().ends_with(body));
}

TEST_F(Flow, BothWaysAtOnce) {
  const std::string up = Pattern(4 * 1024 * 1024);
  const std::string down = Pattern(3 * 1024 * 1024 + 17);
  upstream_.Next()
      .AwaitText("\r\n\r\n")
      .Send("HTTP/1.1 200 OK\r\nContent-Length: 3145745\r\n\r\n")
      .Send(std::string_view(down).substr(0, 3 * 1024 * 1024))
      .AwaitBytes(up.size())  // a response that is over ends the request
      .Send(std::string_view(down).substr(3 * 1024 * 1024));
  Start();
  RawClient client(driver_, port());
  client.Send(Post("/", up));
  driver_.RunUntil(
      [&] {
        return client.received().ends_with(down) &&
               upstream_.connection(0).received().ends_with(up);
      },
      "both bodies");
  EXPECT_EQ(Ended(1).flags, "-");
}

TEST_F(Flow, AResponseThatComesByteByByte) {
  upstream_.Next().AwaitRequest().SendByteByByte(
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3;x\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Sum: 7\r\n\r\n");
  Start();
  RawClient client(driver_, port());
  client.SendByteByByte(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "2\r\nhi\r\n1\r\n!\r\n0\r\nX-Check: 3\r\n\r\n");
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.body, "abcdefg");
  EXPECT_EQ(response.trailers, (HttpText::Fields{{"X-Sum", "7"}}));
  EXPECT_EQ(LastRequest().body, "hi!");
  EXPECT_EQ(LastRequest().trailers, (HttpText::Fields{{"X-Check", "3"}}));
}

TEST_F(Flow, ManySmallChunks) {
  std::string chunks;
  for (int i = 0; i < 20000; ++i) chunks += "3\r\nabc\r\n";
  chunks += "0\r\n\r\n";
  upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks);
  Start();
  RawClient client(driver_, port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks);
  EXPECT_EQ(client.ReadResponse().body.size(), 60000U);
  EXPECT_EQ(LastRequest().body.size(), 60000U);
}

TEST_F(Flow, ALongResponseToHttp10) {
  const std::string body = Pattern(2 * 1024 * 1024);
  upstream_.Next().AwaitRequest().Send("HTTP/1.1 200 OK\r\n\r\n" + body).Close();
  Start();
  RawClient client(driver_, port());
  client.Send("GET / HTTP/1.0\r\n\r\n");
  const HttpText response = client.ReadResponse();
  EXPECT_TRUE(response.body == body);
  EXPECT_FALSE(client.peer_reset());
}

TEST_F(Flow, AClientThatStopsReadingIsCutOff) {
  upstream_.Next().AwaitRequest().Send("HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\n" +
                                       Pattern(16 * 1024 * 1024));
  Start({.route = "timeout: 0s"});
  RawClient client(driver_, port());
  client.SetReading(false);
  client.Send(Get("/"));
  driver_.RunRounds(300);
  Advance(299 * kSecond);
  EXPECT_EQ(ended_.size(), 0U);
  Advance(2 * kSecond);
  EXPECT_EQ(Ended(1).flags, "SI");
  driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "the upstream's end");
  EXPECT_EQ(rig_->connection_count(), 0U);
}

TEST_F(Flow, ALastResponseThatIsNotReadEndsInTimeToo) {
  upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n" +
                         Pattern(4 * 1024 * 1024));
  Start();
  RawClient client(driver_, port());
  client.SetReading(false);
  client.Send(Get("/", "Connection: close\r\n"));
  driver_.RunRounds(300);
  for (int i = 0; i < 10 && rig_->connection_count() > 0; ++i) Advance(60 * kSecond);
  EXPECT_EQ(rig_->connection_count(), 0U);
}

TEST_F(Flow, ARequestBehindConnectionCloseIsNotAnswered) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/1", "Connection: close\r\n") + Get("/2"));
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_FALSE(client.peer_reset());
  EXPECT_EQ(client.unread(), "");
  EXPECT_EQ(upstream_.request_count(), 1U);
}

TEST_F(Flow, ResponsesWithoutABodyWhateverTheirFieldsSay) {
  upstream_.Next()
      .AwaitRequest()
      .Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
      .AwaitRequest()
      .Send("HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n")
      .AwaitRequest()
      .Send("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n")
      .AwaitRequest()
      .Send(kOk);
  Start();
  RawClient client(driver_, port());
  client.Send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.ReadResponse(HttpTextKind::kResponseToHead).status, 200);
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().status, 304);
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().Header("content-length"), std::nullopt);
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

TEST_F(Flow, AFilterThatCollectsTheBodyPullsIt) {
  upstream_.AlwaysAnswer(kOk);
  Start({.listener = "filters: [{ buffer: { max_size: 1KiB } }]"});
  RawClient client(driver_, port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().status, 100);
  EXPECT_EQ(upstream_.connection_count(), 0U);
  client.Send("body");
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_EQ(LastRequest().body, "body");
}

}  // namespace
}  // namespace sluice::test
