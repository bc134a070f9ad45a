// Clients that read late, or send on while the connection is about to end: they get all of the
// answer.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "core/proxy/listener_settings.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

// A kernel that takes little of an answer, so that the rest waits in the proxy.
std::unique_ptr<Transport> NewNarrowTransport(int fd) {
  const int size = 4096;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
  return NewPlainTransport(fd);
}

class SlowClients : public ProxyFixture {
 protected:
  // More than the kernel takes, less than the proxy holds before it stops reading the upstream.
  static constexpr size_t kBody = 120'000;

  void StartNarrow(std::string_view timeouts) {
    upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 120000\r\n\r\n" +
                           std::string(kBody, 'x'));
    ProxyRig::Seams seams;
    seams.listener = [](ListenerSettings& settings) {
      settings.new_transport = NewNarrowTransport;
    };
    rig_ = std::make_unique<ProxyRig>(*loop_, clock_,
                                      "listeners:\n"
                                      "  - { name: web, listen: \"127.0.0.1:0\", timeouts: { " +
                                          std::string(timeouts) +
                                          " }, routes: [{ match: { prefix: / }, cluster: api }] }\n"
                                          "clusters: [{ name: api, endpoints: [\"" +
                                          upstream_.text() + "\"] }]\n",
                                      seams);
  }
  // The request is over, its answer has not left.
  void WaitForFlushing() {
    driver_.RunUntil([&] { return rig_->stats().responses[2].value() == 1; }, "the answer's end");
    driver_.RunRounds(20);
    ASSERT_EQ(rig_->connection_count(), 1U);
  }
};

TEST_F(SlowClients, TheRestOfAnAnswerWaitsLongerThanAnIdleConnection) {
  StartNarrow("keep_alive: 1s");
  RawClient client(driver_, port());
  client.SetReading(false);
  client.Send(Get("/", "Connection: close\r\n"));
  WaitForFlushing();
  Advance(200 * kSecond);
  client.SetReading(true);
  EXPECT_EQ(client.ReadResponse().body.size(), kBody);
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_FALSE(client.peer_reset());
}

TEST_F(SlowClients, TheRestOfAnAnswerDoesNotWaitForEver) {
  StartNarrow("stream_idle: 10s");
  RawClient client(driver_, port());
  client.SetReading(false);
  client.Send(Get("/", "Connection: close\r\n"));
  WaitForFlushing();
  Advance(11 * kSecond);
  EXPECT_EQ(rig_->connection_count(), 0U);
}

TEST_F(SlowClients, ARequestBehindTheLastOneDoesNotCostItsAnswer) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  Start({.listener = "limits: { requests_per_connection: 1 }"});
  RawClient client(driver_, port());
  client.Send(Get("/1"));
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  client.Send(Get("/2"));  // stays in the kernel: closing with it there would be a reset
  ASSERT_TRUE(client.WaitUntilSent());
  driver_.RunRounds(5);
  upstream_.connection(0).Release();
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_FALSE(client.peer_reset());
}

}  // namespace
}  // namespace sluice::test
