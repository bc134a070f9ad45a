// The fakes against each other: what the client sends is what the upstream records, and the
// reverse.
#include "tests/support/scripted_upstream.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "core/event/loop.h"
#include "core/net/socket.h"
#include "tests/support/dead_ports.h"
#include "tests/support/raw_client.h"

namespace sluice::test {
namespace {

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// With a loop, as a test drives the product in its own thread, and without, as against a process.
class Fakes : public testing::TestWithParam<bool> {
 protected:
  SystemClock clock_;
  std::unique_ptr<Loop> loop_ = GetParam() ? Loop::Create(clock_).value() : nullptr;
  Driver driver_{loop_.get()};
  ScriptedUpstream upstream_{driver_};
};

INSTANTIATE_TEST_SUITE_P(Drivers, Fakes, testing::Bool(), [](const auto& tested) {
  return tested.param ? "WithLoop" : "WithoutLoop";
});

TEST_P(Fakes, ExchangeExactBytes) {
  upstream_.Next().AwaitRequest().Send(kOk).AwaitRequest().SendByteByByte(kOk).AwaitEnd();
  RawClient client(driver_, upstream_.address());
  client.Send(kGet);
  EXPECT_EQ(client.ReadResponse().body, "ok");
  client.SendByteByByte("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.size, kOk.size());
  client.Close();
  ASSERT_EQ(upstream_.connection_count(), 1u);
  ScriptedConnection& connection = upstream_.connection(0);
  EXPECT_TRUE(driver_.RunUntil([&] { return connection.script_done(); }, "the client's end"));
  ASSERT_EQ(connection.requests().size(), 2u);
  EXPECT_EQ(connection.requests()[0].start_line, "GET / HTTP/1.1");
  EXPECT_EQ(connection.requests()[1].body, "abc");
  EXPECT_EQ(connection.received().substr(0, kGet.size()), kGet);
  EXPECT_TRUE(connection.peer_closed());
  EXPECT_FALSE(connection.peer_reset());
}

TEST_P(Fakes, ConnectionsFollowTheirScriptsInOrder) {
  upstream_.Next().Send("first").Close();
  upstream_.Next().Send("second").Reset();
  upstream_.Next().Send("third").HalfClose().AwaitText("bye").AwaitEnd();
  upstream_.Others().Send("other").Close();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (size_t i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<RawClient>(driver_, upstream_.port()));
    ASSERT_TRUE(upstream_.WaitForConnections(i + 1));
  }
  EXPECT_EQ(clients[0]->ReadToEnd(), "first");
  EXPECT_TRUE(clients[0]->peer_closed());
  EXPECT_FALSE(clients[0]->peer_reset());
  clients[1]->WaitForEnd();
  EXPECT_TRUE(clients[1]->peer_reset());
  EXPECT_EQ(clients[2]->ReadToEnd(), "third");
  clients[2]->Send("good bye");
  clients[2]->HalfClose();
  ScriptedConnection& third = upstream_.connection(2);
  EXPECT_TRUE(driver_.RunUntil([&] { return third.script_done(); }, "bye"));
  EXPECT_EQ(third.received(), "good bye");
  EXPECT_EQ(clients[3]->ReadToEnd(), "other");
  EXPECT_EQ(clients[4]->ReadToEnd(), "other");
}

TEST_P(Fakes, AlwaysAnswerServesEachRequestOfEachConnection) {
  upstream_.AlwaysAnswer(kOk);
  for (int i = 0; i < 3; ++i) {
    RawClient client(driver_, upstream_.port());
    client.Send(std::string(kGet) + std::string(kGet));
    EXPECT_EQ(client.ReadResponse().body, "ok");
    EXPECT_EQ(client.ReadResponse().body, "ok");
    EXPECT_EQ(client.unread(), "");
  }
  EXPECT_EQ(upstream_.request_count(), 6u);
  EXPECT_TRUE(upstream_.WaitForRequests(6));
}

TEST_P(Fakes, AStalledConnectionFillsTheKernelsBuffers) {
  upstream_.Next().AwaitBytes(1).Stall().Send("done");
  RawClient client(driver_, upstream_.port());
  const std::string much(16 << 20, 'x');
  client.Send("a");
  client.Send(much);
  ASSERT_TRUE(upstream_.WaitForConnections(1));
  ScriptedConnection& connection = upstream_.connection(0);
  driver_.RunRounds(200);
  EXPECT_FALSE(client.all_sent());
  EXPECT_EQ(client.unread(), "");
  const size_t stalled_at = connection.received().size();
  EXPECT_LT(stalled_at, much.size());
  driver_.RunRounds(50);
  EXPECT_EQ(connection.received().size(), stalled_at);
  connection.Release();
  EXPECT_EQ(client.Read(4), "done");
  ASSERT_TRUE(driver_.RunUntil([&] { return connection.received().size() == much.size() + 1; },
                               "all of the bytes"));
}

TEST_P(Fakes, HoldWaitsAndReads) {
  upstream_.Next().Hold().Send("now");
  RawClient client(driver_, upstream_.port());
  client.Send("hello");
  ASSERT_TRUE(upstream_.WaitForConnections(1));
  ScriptedConnection& connection = upstream_.connection(0);
  ASSERT_TRUE(driver_.RunUntil([&] { return connection.received() == "hello"; }, "hello"));
  driver_.RunRounds(20);
  EXPECT_EQ(client.unread(), "");
  connection.Release();
  EXPECT_EQ(client.ReadThrough("now"), "now");
}

TEST_P(Fakes, WhatCameBeforeAResetIsReadAlthoughSendingFailed) {
  constexpr std::string_view kTooLarge = "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n";
  upstream_.Next().AwaitText("head").Send(kTooLarge).Close();
  RawClient client(driver_, upstream_.port());
  client.SetReading(false);
  client.Send("head");
  ASSERT_TRUE(upstream_.WaitForConnections(1));
  ASSERT_TRUE(driver_.RunUntil([&] { return upstream_.connection(0).closed(); }, "its close"));
  // Bytes for a closed socket: it answers the first piece with a reset, at which the rest fails.
  client.SendInPieces(std::string(5000, 'x'), 1000);
  EXPECT_TRUE(client.WaitUntilSent());
  EXPECT_FALSE(client.ended());
  client.SetReading(true);
  EXPECT_EQ(client.ReadResponse().status, 413);
  EXPECT_TRUE(client.WaitForEnd());
}

TEST_P(Fakes, AResetByTheClientIsSeen) {
  RawClient client(driver_, upstream_.port());
  client.Send("x");
  client.Reset();
  EXPECT_TRUE(client.WaitUntilSent());
  EXPECT_TRUE(client.closed());
  ASSERT_TRUE(upstream_.WaitForConnections(1));
  EXPECT_TRUE(driver_.RunUntil([&] { return upstream_.connection(0).ended(); }, "the reset"));
  EXPECT_TRUE(upstream_.connection(0).peer_reset());
}

TEST_P(Fakes, WhatDoesNotComeFailsTheTestInsteadOfHanging) {
  upstream_.Next().Send("short").Close();
  RawClient client(driver_, upstream_.port());
  EXPECT_NONFATAL_FAILURE(EXPECT_EQ(client.Read(6), ""), "expected 6 bytes, got 5");
  EXPECT_NONFATAL_FAILURE(EXPECT_EQ(client.ReadThrough("shorts"), ""), "shorts");
  EXPECT_NONFATAL_FAILURE(EXPECT_EQ(client.ReadResponse().status, 0), "not a whole response");
  EXPECT_EQ(client.Read(5), "short");
}

TEST_P(Fakes, ABadRequestFailsTheTest) {
  upstream_.Next().AwaitRequest().Send(kOk);
  RawClient client(driver_, upstream_.port());
  client.Send("GET /\r\n\r\n");
  EXPECT_NONFATAL_FAILURE(driver_.RunUntil(
                              [&] {
                                return upstream_.connection_count() == 1 &&
                                       upstream_.connection(0).script_done();
                              },
                              "its script"),
                          "the upstream got a bad request");
  EXPECT_TRUE(upstream_.connection(0).requests().empty());
}

TEST_P(Fakes, UnixSocketsWorkToo) {
  ScriptedUpstream at_unix(
      driver_, Address::Unix("@sluice-scripted-upstream-test-" + std::to_string(getpid())).value());
  at_unix.AlwaysAnswer(kOk);
  RawClient client(driver_, at_unix.address());
  client.Send(kGet);
  EXPECT_EQ(client.ReadResponse().body, "ok");
}

TEST_P(Fakes, AnUpstreamThatStoppedListeningRefuses) {
  upstream_.StopListening();
  EXPECT_NONFATAL_FAILURE(RawClient(driver_, upstream_.port()), "refused");
}

TEST(DeadPorts, OneRefusesAndOneIsSilent) {
  const auto events_after_connect = [](const Address& address, int wait_ms) {
    const Result<Fd> fd = StartConnect(address);
    EXPECT_TRUE(fd);
    pollfd ready{fd->get(), POLLOUT, 0};
    poll(&ready, 1, wait_ms);
    return ready.revents;
  };
  EXPECT_NE(events_after_connect(RefusingPort().address(), 10'000) & POLLERR, 0);
  // On one machine a connect that succeeds does so within the call.
  EXPECT_EQ(events_after_connect(SilentPort().address(), 10), 0);
}

}  // namespace
}  // namespace sluice::test
