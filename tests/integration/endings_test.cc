// How exchanges end when they do not end as planned: early answers, half-closes, resets,
// truncation.
#include <gtest/gtest.h>

#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

class Endings : public ProxyFixture {
 protected:
  // A POST that announces far more than is sent.
  static constexpr std::string_view kLongPost =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n";
};

TEST_F(Endings, AnEarlyAnswerIsFollowedByShutdownAndABoundedDiscard) {
  Start({.listener = "limits: { body_size: 1MiB }"});
  RawClient client(driver_, port());
  client.Send(std::string(kLongPost) + "some");
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_TRUE(client.peer_closed());
  // What the client still sends does no harm.
  client.Send(std::string(500000, 'x'));
  EXPECT_TRUE(client.WaitUntilSent());
  driver_.RunRounds(50);
  EXPECT_FALSE(client.peer_reset());
  EXPECT_EQ(rig_->connection_count(), 1U);
  Advance(1900 * kMillisecond);
  EXPECT_EQ(rig_->connection_count(), 1U);
  Advance(200 * kMillisecond);
  EXPECT_EQ(rig_->connection_count(), 0U);
}

TEST_F(Endings, TheDiscardIsBoundedInBytesToo) {
  Start({.listener = "limits: { body_size: 1MiB }"});
  RawClient client(driver_, port());
  client.Send(kLongPost);
  EXPECT_EQ(client.ReadResponse().status, 413);
  EXPECT_TRUE(client.WaitForEnd());
  client.Send(std::string(3 * 1024 * 1024, 'x'));
  driver_.RunUntil([&] { return rig_->connection_count() == 0; }, "the end of the discard");
}

TEST_F(Endings, TheDiscardEndsWithTheClient) {
  Start({.listener = "limits: { body_size: 1MiB }"});
  RawClient client(driver_, port());
  client.Send(kLongPost);
  EXPECT_EQ(client.ReadResponse().status, 413);
  EXPECT_TRUE(client.WaitForEnd());
  client.HalfClose();
  driver_.RunUntil([&] { return rig_->connection_count() == 0; }, "the end of the discard");
}

TEST_F(Endings, AnAnswerBeforeTheRequestWasSentIsForwarded) {
  upstream_.Next().AwaitText("first").Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  Start();
  RawClient client(driver_, port());
  client.Send(std::string(kLongPost) + "first");
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.body, "no");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_FALSE(client.peer_reset());
  // Sending stops: the upstream's connection ends there.
  WaitForUpstreamEnd();
  const size_t before = upstream_.connection(0).received().size();
  client.Send(std::string(100000, 'x'));
  driver_.RunRounds(50);
  EXPECT_EQ(upstream_.connection(0).received().size(), before);
  EXPECT_EQ(Ended(1).flags, "-");
  EXPECT_EQ(Ended(1).details, "via_upstream");
}

TEST_F(Endings, AnEarlyAnswerThatIsNotOverYetLetsTheRequestGoOn) {
  upstream_.Next()
      .AwaitText("one")
      .Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nONE\r\n")
      .AwaitText("two")
      .Send("3\r\nTWO\r\n0\r\n\r\n")
      .AwaitText("GET /")
      .Send(kOk);
  Start();
  RawClient client(driver_, port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\none");
  client.ReadThrough("ONE\r\n");
  client.Send("two");
  client.ReadThrough("TWO\r\n0\r\n\r\n");
  // Both sides ended well: the client's connection goes on.
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().status, 200);
}

TEST_F(Endings, AnAnswerIsForwardedAlsoWhenWritingFailed) {
  upstream_.Next().AwaitText("first").Stall();
  Start();
  RawClient client(driver_, port());
  client.Send(std::string(kLongPost) + "first");
  WaitForUpstream("first");
  // In one round: more to forward, then the answer and a reset. The proxy writes before it reads.
  client.Send("more");
  upstream_.connection(0).Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  upstream_.connection(0).Reset();
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.body, "no");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(Ended(1).details, "via_upstream");
}

TEST_F(Endings, AnAnswerIsForwardedAlsoWhenAFullPipeBroke) {
  // The upstream reads nothing: the proxy's output is blocked when the answer and the reset come.
  upstream_.Next().AwaitText("first").Stall();
  Start();
  RawClient client(driver_, port());
  client.Send(std::string(kLongPost) + "first");
  WaitForUpstream("first");
  client.Send(std::string(16 * 1024 * 1024, 'x'));
  driver_.RunRounds(300);
  EXPECT_FALSE(client.all_sent());
  upstream_.connection(0).Send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  upstream_.connection(0).Reset();
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.body, "no");
}

TEST_F(Endings, AHalfClosedClientGetsItsAnswer) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  client.HalfClose();
  driver_.RunUntil([&] { return upstream_.request_count() == 1; }, "the request");
  driver_.RunRounds(20);
  EXPECT_FALSE(client.ended());
  upstream_.connection(0).Release();
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ok");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_FALSE(client.peer_reset());
  EXPECT_EQ(Ended(1).flags, "-");
}

TEST_F(Endings, AHalfClosedClientGetsTheAnswersToAllItsRequests) {
  upstream_.AlwaysAnswer(kOk);
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/1") + Post("/2", "body") + Get("/3"));
  client.HalfClose();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_FALSE(client.peer_reset());
}

TEST_F(Endings, AClientThatEndsWithinItsNextRequestGetsTheAnswerToTheFirst) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/1") + "GET /2 HTT");
  client.HalfClose();
  driver_.RunUntil([&] { return upstream_.request_count() == 1; }, "the request");
  upstream_.connection(0).Release();
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_FALSE(client.peer_reset());
  driver_.RunUntil([&] { return rig_->Quiet(); }, "nothing in flight");
}

TEST_F(Endings, AHalfClosedClientGetsALongAnswer) {
  const std::string body(3 * 1024 * 1024, 'b');
  upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 3145728\r\n\r\n" + body);
  Start();
  RawClient client(driver_, port());
  client.SetReading(false);
  client.Send(Get("/"));
  client.HalfClose();
  driver_.RunRounds(100);
  client.SetReading(true);
  EXPECT_TRUE(client.ReadResponse().body == body);
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_FALSE(client.peer_reset());
}

TEST_F(Endings, AClientThatEndsWithinTheHeadIsGone) {
  Start();
  RawClient client(driver_, port());
  client.Send("GET / HTTP/1.1\r\nHo");
  client.HalfClose();
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(client.received(), "");
  EXPECT_EQ(rig_->stats().client_resets.value(), 1U);
  EXPECT_EQ(upstream_.connection_count(), 0U);
  EXPECT_EQ(Ended(1).flags, "DC");
  EXPECT_EQ(Ended(1).details, "downstream_remote_disconnect");
  EXPECT_EQ(Ended(1).client_ip, "127.0.0.1");
}

TEST_F(Endings, AClientThatResetsWithinTheHeadIsGone) {
  Start();
  RawClient client(driver_, port());
  client.Send("GET / HTTP/1.1\r\nHost: a\r\nX");
  driver_.RunUntil([&] { return rig_->stats().requests.value() == 1; }, "a request");
  client.Reset();
  EXPECT_EQ(Ended(1).flags, "DC");
}

TEST_F(Endings, AConnectionWithoutAByteOfARequestIsNone) {
  Start();
  for (const char* bytes : {"", "\r\n"}) {
    RawClient client(driver_, port());
    client.Send(bytes);
    client.HalfClose();
    EXPECT_TRUE(client.WaitForEnd());
  }
  EXPECT_EQ(rig_->stats().requests.value(), 0U);
  EXPECT_TRUE(ended_.empty());
}

TEST_F(Endings, WhatWeBreakOffIsNotTheClientsDoing) {
  upstream_.Next().AwaitRequest().Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart").Reset();
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(rig_->stats().client_resets.value(), 0U);
  EXPECT_EQ(rig_->stats().local_resets.value(), 1U);
}

TEST_F(Endings, AClientThatEndsWithinTheBodyTakesTheRequestWithIt) {
  Start();
  RawClient client(driver_, port());
  client.Send(std::string(kLongPost) + "first");
  WaitForUpstream("first");
  client.HalfClose();
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_EQ(client.received(), "");
  WaitForUpstreamEnd();
  EXPECT_EQ(Ended(1).flags, "DC");
  EXPECT_EQ(Ended(1).details, "downstream_remote_disconnect");
  EXPECT_EQ(Ended(1).status, 0);
}

TEST_F(Endings, AClientsResetAbortsItsRequest) {
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  WaitForUpstream("\r\n\r\n");
  client.Reset();
  WaitForUpstreamEnd();
  EXPECT_EQ(Ended(1).flags, "DC");
  EXPECT_EQ(rig_->stats().client_resets.value(), 1U);
  EXPECT_EQ(rig_->NotQuiet(), "");
}

TEST_F(Endings, AClientsResetWithinTheResponseAbortsIt) {
  upstream_.Next().AwaitRequest().Send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin");
  Start();
  RawClient client(driver_, port());
  client.Send(Get("/"));
  client.ReadThrough("begin");
  client.Reset();
  WaitForUpstreamEnd();
  EXPECT_EQ(Ended(1).flags, "DC");
  EXPECT_EQ(Ended(1).status, 200);
}

TEST_F(Endings, AClientThatDoesNotReadAndResetsIsNoticed) {
  upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 16777216\r\n\r\n" +
                         std::string(16 * 1024 * 1024, 'x'));
  Start();
  RawClient client(driver_, port());
  client.SetReading(false);
  client.Send(Get("/"));
  driver_.RunRounds(300);
  EXPECT_EQ(ended_.size(), 0U);
  client.Reset();
  WaitForUpstreamEnd();
  EXPECT_EQ(Ended(1).flags, "DC");
}

TEST_F(Endings, ATruncatedResponseEndsTheClientsConnection) {
  Start();
  const char* const heads[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n"};
  size_t count = 0;
  for (const char* head : heads) {
    for (const bool reset : {false, true}) {
      SCOPED_TRACE(head);
      Script& script = upstream_.Next().AwaitRequest().Send(head).Hold();
      reset ? script.Reset() : script.Close();
      RawClient client(driver_, port());
      client.Send(Get("/"));
      client.ReadThrough("01234");
      upstream_.connection(count).Release();
      EXPECT_TRUE(client.WaitForEnd());
      EXPECT_EQ(client.unread().find("0\r\n\r\n"), std::string_view::npos);
      const EndedRequest request = Ended(++count);
      EXPECT_EQ(request.status, 200);
      EXPECT_EQ(request.flags, "UC");
      if (!reset) {
        EXPECT_EQ(request.details, "upstream_reset_after_response_started{connection_termination}");
      }
    }
  }
}

TEST_F(Endings, AnHttp10ClientSeesATruncationAsAReset) {
  // Its body ends with the connection: an orderly close would make the part the whole.
  upstream_.Next()
      .AwaitRequest()
      .Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n")
      .Hold()
      .Close();
  Start();
  RawClient client(driver_, port());
  client.Send("GET / HTTP/1.0\r\n\r\n");
  client.ReadThrough("01234");
  upstream_.connection(0).Release();
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_TRUE(client.peer_reset());
}

TEST_F(Endings, ADrainEndsWithTheResponseInFlight) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  Start();
  RawClient idle(driver_, port());
  RawClient client(driver_, port());
  client.Send(Get("/"));
  driver_.RunUntil([&] { return upstream_.request_count() == 1; }, "the request");
  rig_->Drain();
  EXPECT_TRUE(idle.WaitForEnd());
  EXPECT_FALSE(idle.peer_reset());
  EXPECT_FALSE(client.ended());
  upstream_.connection(0).Release();
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_FALSE(client.peer_reset());
}

}  // namespace
}  // namespace sluice::test
