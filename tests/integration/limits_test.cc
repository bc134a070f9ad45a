// Each limit of what clients may send: just within it, and beyond.
#include <gtest/gtest.h>

#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

class Limits : public ProxyFixture {
 protected:
  Limits() { upstream_.AlwaysAnswer(kOk); }

  // The answer to what is beyond the limit: the connection ends in order, nothing goes upstream.
  void ExpectRefused(const std::string& request, int status, std::string_view details) {
    const size_t before = upstream_.request_count();
    const size_t ended = ended_.size();
    RawClient client(driver_, port());
    client.Send(request);
    const HttpText response = client.ReadResponse();
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(response.Header("connection"), "close");
    EXPECT_TRUE(client.WaitForEnd());
    EXPECT_FALSE(client.peer_reset());
    EXPECT_EQ(Ended(ended + 1).details, details);
    EXPECT_EQ(upstream_.request_count(), before);
  }
};

TEST_F(Limits, HeadSize) {
  Start({.listener = "limits: { head_size: 1KiB }"});
  const size_t rest = Get("/", "X: \r\n").size();
  EXPECT_EQ(Ask(Get("/", "X: " + std::string(1024 - rest, 'x') + "\r\n")).status, 200);
  ExpectRefused(Get("/", "X: " + std::string(1025 - rest, 'x') + "\r\n"), 431,
                "http1.headers_too_large");
}

TEST_F(Limits, HeaderCount) {
  Start({.listener = "limits: { header_count: 3 }"});
  EXPECT_EQ(Ask(Get("/", "A: 1\r\nB: 2\r\n")).status, 200);
  ExpectRefused(Get("/", "A: 1\r\nB: 2\r\nC: 3\r\n"), 431, "http1.too_many_headers");
}

TEST_F(Limits, TargetSize) {
  Start({.listener = "limits: { target_size: 64B }"});
  EXPECT_EQ(Ask(Get("/" + std::string(63, 'x'))).status, 200);
  ExpectRefused(Get("/" + std::string(64, 'x')), 414, "http1.url_too_long");
}

TEST_F(Limits, DeclaredBody) {
  Start({.listener = "limits: { body_size: 10B }"});
  EXPECT_EQ(Ask(Post("/", "0123456789")).status, 200);
  ExpectRefused("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", 413,
                "request_payload_too_large");
  EXPECT_EQ(upstream_.connection_count(), 1U);  // the second was not even begun
}

TEST_F(Limits, ChunkedBody) {
  Start({.listener = "limits: { body_size: 10B }"});
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(Ask(head + "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n").status, 200);
  EXPECT_EQ(LastRequest().body, "0123456789");
  ExpectRefused(head + "5\r\n01234\r\n6\r\n567890\r\n", 413, "request_payload_too_large");
}

TEST_F(Limits, ChunkedBodyThatGrowsWhileItIsForwarded) {
  upstream_.Next().Hold();
  Start({.listener = "limits: { body_size: 10B }"});
  RawClient client(driver_, port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n");
  driver_.RunUntil(
      [&] {
        return upstream_.connection_count() == 1 &&
               upstream_.connection(0).received().find("01234") != std::string::npos;
      },
      "the first piece");
  client.Send("6\r\n567890\r\n");
  EXPECT_EQ(client.ReadResponse().status, 413);
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_FALSE(client.peer_reset());
  // The upstream does not take the part for the whole.
  driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "the upstream's end");
  EXPECT_EQ(upstream_.connection(0).received().find("0\r\n\r\n"), std::string::npos);
}

TEST_F(Limits, RequestsPerConnection) {
  Start({.listener = "limits: { requests_per_connection: 2 }"});
  RawClient client(driver_, port());
  client.Send(Get("/1") + Get("/2") + Get("/3"));
  EXPECT_EQ(client.ReadResponse().Header("connection"), std::nullopt);
  EXPECT_EQ(client.ReadResponse().Header("connection"), "close");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(client.unread(), "");
  EXPECT_EQ(upstream_.request_count(), 2U);
}

TEST_F(Limits, NoLimitOnRequestsUnlessConfigured) {
  Start();
  RawClient client(driver_, port());
  for (int i = 0; i < 200; ++i) {
    client.Send(Get("/"));
    ASSERT_EQ(client.ReadResponse().Header("connection"), std::nullopt);
  }
}

TEST_F(Limits, Http10Off) {
  Start({.listener = "http10: off"});
  RawClient client(driver_, port());
  client.Send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 426);
  // RFC 9110 15.5.22: it must say what to upgrade to.
  EXPECT_EQ(response.Header("upgrade"), "HTTP/1.1");
  EXPECT_EQ(response.Header("connection"), "close, upgrade");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(upstream_.connection_count(), 0U);
  EXPECT_EQ(Ask(Get("/")).status, 200);
}

TEST_F(Limits, ResponseHead) {
  upstream_.Next().AwaitRequest().Send("HTTP/1.1 200 OK\r\nX: " + std::string(1100, 'x') +
                                       "\r\nContent-Length: 0\r\n\r\n");
  Start({.cluster = "limits: { head_size: 1KiB, header_count: 2 }"});
  EXPECT_EQ(Ask(Get("/")).status, 502);
  upstream_.Next().AwaitRequest().Send(
      "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(Ask(Get("/")).status, 502);
  upstream_.Next().AwaitRequest().Send("HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(Ask(Get("/")).status, 200);
}

}  // namespace
}  // namespace sluice::test
