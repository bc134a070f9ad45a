#include "tests/support/http_text.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace sluice::test {
namespace {

using State = HttpTextResult::State;

// Whole, and with each shorter prefix incomplete.
HttpText TakeWhole(std::string_view bytes, HttpTextKind kind) {
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(TakeHttpText(bytes.substr(0, size), kind, false).state, State::kIncomplete) << size;
  }
  const std::string more = std::string(bytes) + "HTTP/1.1 next";
  HttpTextResult result = TakeHttpText(more, kind, false);
  EXPECT_EQ(result.state, State::kComplete) << result.why;
  EXPECT_EQ(result.message.size, bytes.size());
  return result.message;
}

void ExpectBroken(std::string_view bytes, HttpTextKind kind, bool ended = false) {
  const HttpTextResult result = TakeHttpText(bytes, kind, ended);
  EXPECT_EQ(result.state, State::kBroken) << bytes;
  EXPECT_NE(result.why, "");
}

TEST(HttpText, TakesARequestWithoutABody) {
  const HttpText message =
      TakeWhole("GET /a?b HTTP/1.1\r\nHost: a\r\nX: 1\r\nx:2 \r\n\r\n", HttpTextKind::kRequest);
  EXPECT_EQ(message.start_line, "GET /a?b HTTP/1.1");
  EXPECT_EQ(message.headers.size(), 3u);
  EXPECT_EQ(message.Header("X"), "1, 2");
  EXPECT_EQ(message.Header("y"), std::nullopt);
}

TEST(HttpText, TakesABodyByLength) {
  const HttpText message =
      TakeWhole("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", HttpTextKind::kResponse);
  EXPECT_EQ(message.status, 200);
  EXPECT_EQ(message.body, "abc");
  EXPECT_FALSE(message.until_close);
}

TEST(HttpText, TakesChunksAndTrailers) {
  const HttpText message = TakeWhole(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n",
      HttpTextKind::kResponse);
  EXPECT_EQ(message.body, "abc0123456789");
  ASSERT_EQ(message.trailers.size(), 1u);
  EXPECT_EQ(message.trailers[0].second, "1");
}

TEST(HttpText, KnowsWhichResponsesHaveNoBody) {
  for (const char* head : {"HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
                           "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"}) {
    EXPECT_EQ(TakeWhole(head, HttpTextKind::kResponse).body, "");
  }
  TakeWhole("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", HttpTextKind::kResponseToHead);
  TakeWhole("HTTP/1.1 200 OK\r\n\r\n", HttpTextKind::kResponseToConnect);
}

TEST(HttpText, TakesABodyToTheClose) {
  const std::string_view bytes = "HTTP/1.1 200 OK\r\n\r\nabc";
  EXPECT_EQ(TakeHttpText(bytes, HttpTextKind::kResponse, false).state, State::kIncomplete);
  const HttpTextResult result = TakeHttpText(bytes, HttpTextKind::kResponse, true);
  EXPECT_EQ(result.state, State::kComplete);
  EXPECT_EQ(result.message.body, "abc");
  EXPECT_TRUE(result.message.until_close);
}

TEST(HttpText, RefusesWhatNoProductShouldWrite) {
  const auto response = HttpTextKind::kResponse;
  ExpectBroken("garbage\r\n", response);
  ExpectBroken("HTTP/1.1 200\r\n\r\n", response);
  ExpectBroken("HTTP/1.1 2x0 OK\r\n\r\n", response);
  ExpectBroken("HTTP/1.1 200 OK\n\n", response);
  ExpectBroken("HTTP/1.1 200 OK\r\nA : 1\r\n\r\n", response);
  ExpectBroken("HTTP/1.1 200 OK\r\n: 1\r\n\r\n", response);
  ExpectBroken("HTTP/1.1 200 OK\r\nA: 1\r\n folded\r\n\r\n", response);
  ExpectBroken("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", response);
  ExpectBroken("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
               response);
  ExpectBroken("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", response);
  ExpectBroken("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", response);
  ExpectBroken("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", response);
  ExpectBroken("GET /\r\n\r\n", HttpTextKind::kRequest);
  // Cut off by the end.
  ExpectBroken("HTTP/1.1 200 OK\r\nA: 1\r\n", response, true);
  ExpectBroken("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na", response, true);
  ExpectBroken("", response, true);
}

}  // namespace
}  // namespace sluice::test
