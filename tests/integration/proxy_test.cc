// The ordinary ways of a request through the proxy, over real sockets.
#include <gtest/gtest.h>

#include "core/base/clock.h"
#include "core/event/loop.h"
#include "tests/support/driver.h"
#include "tests/support/proxy_rig.h"
#include "tests/support/raw_client.h"
#include "tests/support/scripted_upstream.h"

namespace sluice::test {
namespace {

class ProxyTest : public ::testing::Test {
 protected:
  std::string Config(std::string_view route = "") {
    return "listeners:\n"
           "  - name: web\n"
           "    listen: 127.0.0.1:0\n"
           "    routes:\n"
           "      - match: { prefix: / }\n"
           "        cluster: api\n" +
           std::string(route) +
           "clusters:\n"
           "  - name: api\n"
           "    endpoints: [" +
           upstream_.text() + "]\n";
  }
  bool RunUntilQuiet(ProxyRig& rig) {
    return driver_.RunUntil([&] { return rig.Quiet(); }, "nothing in flight");
  }

  SystemClock clock_;
  std::unique_ptr<Loop> loop_ = std::move(*Loop::Create(clock_));
  Driver driver_{loop_.get()};
  ScriptedUpstream upstream_{driver_};
};

TEST_F(ProxyTest, ForwardsAGetAndItsAnswer) {
  upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  ProxyRig rig(*loop_, clock_, Config());
  {
    RawClient client(driver_, rig.port());
    client.Send("GET /x?y=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    const HttpText response = client.ReadResponse();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "ok");
    EXPECT_EQ(response.Header("server"), "sluice");
    const HttpText& request = upstream_.connection(0).requests().at(0);
    EXPECT_EQ(request.Header("host"), "a");
    EXPECT_EQ(request.Header("x-forwarded-for"), "127.0.0.1");
  }
  EXPECT_TRUE(RunUntilQuiet(rig)) << rig.NotQuiet();
}

TEST_F(ProxyTest, KeepsBothConnectionsForTheNextRequest) {
  upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  ProxyRig rig(*loop_, clock_, Config());
  RawClient client(driver_, rig.port());
  for (int i = 0; i < 5; ++i) {
    client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().status, 200);
  }
  EXPECT_EQ(upstream_.connection_count(), 1U);
  EXPECT_EQ(upstream_.request_count(), 5U);
}

TEST_F(ProxyTest, AnswersPipelinedRequestsInOrder) {
  upstream_.Next()
      .AwaitRequest()
      .Send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1")
      .AwaitRequest()
      .Send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n2")
      .AwaitRequest()
      .Send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n3");
  ProxyRig rig(*loop_, clock_, Config());
  RawClient client(driver_, rig.port());
  client.Send(
      "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
      "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().body, "1");
  EXPECT_EQ(client.ReadResponse().body, "2");
  EXPECT_EQ(client.ReadResponse().body, "3");
}

TEST_F(ProxyTest, ForwardsABodyBothWays) {
  upstream_.AlwaysAnswer(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n");
  ProxyRig rig(*loop_, clock_, Config());
  RawClient client(driver_, rig.port());
  const std::string body(300000, 'b');
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + body);
  EXPECT_EQ(client.ReadResponse().body, "abc");
  EXPECT_EQ(upstream_.connection(0).requests().at(0).body, body);
}

TEST_F(ProxyTest, ANotModifiedAnswerKeepsTheConnections) {
  upstream_.AlwaysAnswer("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n");
  ProxyRig rig(*loop_, clock_, Config());
  RawClient client(driver_, rig.port());
  for (int i = 0; i < 3; ++i) {
    client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_EQ(client.ReadResponse().status, 304);
  }
  EXPECT_EQ(upstream_.connection_count(), 1U);
}

}  // namespace
}  // namespace sluice::test
