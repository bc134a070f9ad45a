#include "core/http/http1/client_codec.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/codec_recorder.h"

namespace sluice {
namespace {

using test::ClientRecorder;
using test::Cut;

struct Outcome {
  std::string log;
  std::string error;
  bool reusable;
  bool finished;
};
Outcome Receive(std::string_view response, Method method = Method::kGet, bool end = false) {
  Outcome outcome;
  for (const Cut cut : test::kCuts) {
    ClientRecorder recorder;
    recorder.Request(method);
    recorder.Run(response, cut, end);
    const Outcome now{recorder.log, recorder.error, recorder.codec->CanOpen(),
                      recorder.codec->Finished()};
    if (cut == Cut::kWhole) outcome = now;
    EXPECT_EQ(now.log, outcome.log) << test::CutName(cut);
    EXPECT_EQ(now.error, outcome.error) << test::CutName(cut);
    EXPECT_EQ(now.reusable, outcome.reusable) << test::CutName(cut);
    EXPECT_EQ(now.finished, outcome.finished) << test::CutName(cut);
  }
  return outcome;
}

TEST(Http1ClientTest, Framing) {
  Outcome outcome = Receive("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  EXPECT_EQ(outcome.log,
            "begin 1\nhead 1 200 OK HTTP/1.1 length=2 wire=38 |Content-Length=2\nbody hi\nend 1\n");
  EXPECT_TRUE(outcome.reusable);
  EXPECT_FALSE(outcome.finished);

  outcome = Receive(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nhi\r\n0\r\nX-T: 1\r\n\r\n");
  EXPECT_EQ(
      outcome.log,
      "begin 1\nhead 1 200 OK HTTP/1.1 length=? wire=47 \nbody hi\ntrailers 1 |X-T=1\nend 1\n");
  EXPECT_TRUE(outcome.reusable);

  outcome = Receive("HTTP/1.1 200 OK\r\nX: y\r\n\r\nhi", Method::kGet, true);
  EXPECT_EQ(outcome.log,
            "begin 1\ndraining\nhead 1 200 OK HTTP/1.1 length=? wire=25 |X=y\nbody hi\nend 1\n");
  EXPECT_TRUE(outcome.finished);
  EXPECT_EQ(outcome.error, "");

  for (const char* bodiless :
       {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}) {
    outcome = Receive(bodiless);
    EXPECT_NE(outcome.log.find(" end length="), std::string::npos) << outcome.log;
    EXPECT_TRUE(outcome.reusable);
  }
}

TEST(Http1ClientTest, LengthsOfBodiesThatDoNotCome) {
  Outcome outcome = Receive("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", Method::kHead);
  EXPECT_NE(outcome.log.find(" end length=7 wire=38 |Content-Length=7\n"), std::string::npos);
  EXPECT_TRUE(outcome.reusable);
  outcome = Receive("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", Method::kHead);
  EXPECT_NE(outcome.log.find(" end length=? "), std::string::npos);
  EXPECT_TRUE(outcome.reusable);
  outcome = Receive("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
  EXPECT_NE(outcome.log.find(" end length=7 "), std::string::npos);
  outcome = Receive("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(outcome.log.find("|Content-Length"), std::string::npos);
  EXPECT_TRUE(outcome.reusable);
}

TEST(Http1ClientTest, Reuse) {
  EXPECT_FALSE(
      Receive("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").reusable);
  EXPECT_FALSE(Receive("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").reusable);
  EXPECT_TRUE(
      Receive("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n").reusable);

  ClientRecorder extra;
  extra.Request(Method::kGet);
  extra.Run("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!", Cut::kWhole);
  EXPECT_NE(extra.log.find("end 1"), std::string::npos);
  EXPECT_TRUE(extra.codec->Finished()) << "bytes behind a response must not meet the next request";
}

TEST(Http1ClientTest, UnsolicitedBytes) {
  ClientRecorder fresh;
  fresh.Run("H", Cut::kWhole);
  EXPECT_EQ(fresh.error, "protocol http1.unsolicited_response");
  EXPECT_TRUE(fresh.codec->Finished());

  ClientRecorder used;
  used.Request(Method::kGet);
  used.Run("HTTP/1.1 204 No Content\r\n\r\n", Cut::kWhole);
  EXPECT_TRUE(used.codec->CanOpen());
  used.Run("HTTP/1.1 200 OK\r\n\r\n", Cut::kWhole);
  EXPECT_EQ(used.error, "protocol http1.unsolicited_response");
  EXPECT_FALSE(used.codec->CanOpen());
}

TEST(Http1ClientTest, PeerEnds) {
  ClientRecorder idle;
  idle.Run("", Cut::kWhole, true);
  EXPECT_EQ(idle.error, "");
  EXPECT_TRUE(idle.codec->Finished());

  ClientRecorder waiting;
  waiting.Request(Method::kGet);
  waiting.Run("", Cut::kWhole, true);
  EXPECT_EQ(waiting.error, "closed connection_termination");
  EXPECT_EQ(waiting.last_error.retry, Retry::kIfReused);
  EXPECT_EQ(waiting.last_error.side, Side::kUpstream);
}

TEST(Http1ClientTest, Informational) {
  const Outcome outcome = Receive(
      "HTTP/1.1 100 Continue\r\n\r\n"
      "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(outcome.log,
            "begin 1\ninformational 1 100 length=? wire=25 \n"
            "begin 1\ninformational 1 103 length=? wire=40 |Link=</a>\n"
            "begin 1\nhead 1 200 OK HTTP/1.1 end length=0 wire=38 |Content-Length=0\nend 1\n");
  EXPECT_TRUE(outcome.reusable);
}

TEST(Http1ClientTest, KeepAliveTimeout) {
  ClientRecorder recorder;
  EXPECT_EQ(recorder.codec->PeerIdleSeconds(), 0U);
  recorder.Request(Method::kGet);
  recorder.Run("HTTP/1.1 204 X\r\nKeep-Alive: max=3, Timeout=17\r\n\r\n", Cut::kWhole);
  EXPECT_EQ(recorder.codec->PeerIdleSeconds(), 17U);
  EXPECT_EQ(recorder.log.find("Keep-Alive"), std::string::npos);
}

TEST(Http1ClientTest, ResponseBeforeTheRequestWasSent) {
  Arena arena;
  RequestHead head(arena);
  head.SetMethod("POST");
  head.path = "/";
  head.headers.Add(HeaderId::kHost, "a");
  head.headers.Add(HeaderId::kContentLength, "10");
  ClientRecorder recorder;
  const StreamId id = recorder.codec->EncodeHead(head, false, recorder.out);
  Buffer part("hello");
  recorder.codec->EncodeBody(id, part, recorder.out);
  recorder.Run("HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", Cut::kWhole);
  EXPECT_NE(recorder.log.find("end 1"), std::string::npos);
  EXPECT_FALSE(recorder.codec->CanOpen());
  EXPECT_TRUE(recorder.codec->Finished());
}

TEST(Http1ClientTest, Upgrade) {
  for (const Cut cut : test::kCuts) {
    ClientRecorder recorder;
    recorder.on_head = [](ClientRecorder& self, StreamId id) { self.codec->Tunnel(id); };
    recorder.Request(Method::kGet, "x");
    EXPECT_EQ(recorder.out.ToString(),
              "GET / HTTP/1.1\r\nhost: a\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n");
    recorder.Run(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nHTTP", cut);
    EXPECT_NE(recorder.log.find("|Upgrade=x\nbody HTTP\n"), std::string::npos) << recorder.log;
    recorder.out.Clear();
    Buffer data("raw");
    recorder.codec->EncodeBody(1, data, recorder.out);
    EXPECT_EQ(recorder.out.ToString(), "raw");
    recorder.Run("", cut, true);
    EXPECT_NE(recorder.log.find("end 1\n"), std::string::npos);
    EXPECT_FALSE(recorder.codec->Finished());
    recorder.codec->EncodeEnd(1, nullptr, recorder.out);
    EXPECT_TRUE(recorder.codec->Finished());
  }
}

TEST(Http1ClientTest, UpgradeGivenUp) {
  ClientRecorder recorder;
  recorder.Request(Method::kGet, "x");
  recorder.Run("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nabc", Cut::kWhole);
  EXPECT_EQ(recorder.log.find("abc"), std::string::npos);
  EXPECT_TRUE(recorder.codec->Finished());
}

TEST(Http1ClientTest, UpgradeDeclined) {
  ClientRecorder recorder;
  const StreamId id = recorder.Request(Method::kGet, "x");
  recorder.codec->EncodeEnd(id, nullptr, recorder.out);
  recorder.Run("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nUpgrade: h2c\r\n\r\nhi", Cut::kWhole);
  EXPECT_EQ(recorder.log,
            "begin 1\nhead 1 200 OK HTTP/1.1 length=2 wire=52 |Content-Length=2\nbody hi\nend 1\n");
  EXPECT_TRUE(recorder.codec->CanOpen());
}

TEST(Http1ClientTest, Connect) {
  ClientRecorder recorder;
  recorder.on_head = [](ClientRecorder& self, StreamId id) { self.codec->Tunnel(id); };
  recorder.Request(Method::kConnect);
  EXPECT_EQ(recorder.out.ToString(), "CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n");
  recorder.Run("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nraw bytes", Cut::kWhole);
  EXPECT_NE(recorder.log.find("body raw bytes"), std::string::npos);
  EXPECT_EQ(recorder.log.find("Content-Length"), std::string::npos);
}

TEST(Http1ClientTest, RequestFraming) {
  const auto encode = [](std::string_view method, bool end, std::string_view length,
                         std::string_view body) {
    Arena arena;
    RequestHead head(arena);
    head.SetMethod(method);
    head.authority = "a";
    head.path = "/p";
    if (!length.empty()) head.headers.Add(HeaderId::kContentLength, length);
    ClientRecorder recorder;
    const StreamId id = recorder.codec->EncodeHead(head, end, recorder.out);
    Buffer data(body);
    recorder.codec->EncodeBody(id, data, recorder.out);
    recorder.codec->EncodeEnd(id, nullptr, recorder.out);
    return recorder.out.ToString() + (recorder.codec->Finished() ? "FINISHED" : "");
  };
  EXPECT_EQ(encode("GET", true, "", ""), "GET /p HTTP/1.1\r\nhost: a\r\n\r\n");
  EXPECT_EQ(encode("GET", true, "5", ""),
            "GET /p HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(encode("POST", true, "", ""),
            "POST /p HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(encode("POST", true, "0", ""),
            "POST /p HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(encode("POST", false, "2", "hi"),
            "POST /p HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi");
  EXPECT_EQ(encode("POST", false, "", "hi"),
            "POST /p HTTP/1.1\r\nhost: a\r\ntransfer-encoding: "
            "chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n");
  EXPECT_EQ(encode("POST", false, "2", "high"),
            "POST /p HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nFINISHED");
  EXPECT_EQ(encode("POST", false, "5", "hi"),
            "POST /p HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhiFINISHED");
}

TEST(Http1ClientTest, WhatFiltersWriteCannotBreakTheRequestApart) {
  Arena arena;
  RequestHead head(arena);
  head.SetMethod("GET");
  head.authority = "a";
  head.path = "/a b\r\nX: y#";
  head.headers.Add(HeaderId::kHost, "a");
  head.headers.Add(HeaderId::kTe, "trailers");
  head.headers.Add(HeaderId::kUpgrade, "h2c");
  head.headers.Add("x", "1\n2");
  ClientRecorder recorder;
  recorder.codec->EncodeHead(head, true, recorder.out);
  EXPECT_EQ(recorder.out.ToString(),
            "GET /a%20b%0D%0AX:%20y%23 HTTP/1.1\r\nhost: a\r\nte: trailers\r\nconnection: "
            "te\r\n\r\n");
}

TEST(Http1ClientTest, Drain) {
  ClientRecorder idle;
  idle.codec->Drain(idle.out);
  EXPECT_TRUE(idle.codec->Finished());
  ClientRecorder busy;
  busy.Request(Method::kGet);
  busy.codec->Drain(busy.out);
  EXPECT_FALSE(busy.codec->Finished());
  busy.Run("HTTP/1.1 204 No Content\r\n\r\n", Cut::kWhole);
  EXPECT_TRUE(busy.codec->Finished());
  EXPECT_FALSE(busy.codec->CanOpen());
}

TEST(Http1ClientTest, AnIdleCodecIsSmall) { EXPECT_LE(sizeof(http1::Http1ClientCodec), 300U); }

}  // namespace
}  // namespace sluice
