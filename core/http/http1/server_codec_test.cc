#include "core/http/http1/server_codec.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/codec_recorder.h"

namespace sluice {
namespace {

using test::Cut;
using test::ServerRecorder;

struct Answer {
  uint16_t status = 200;
  bool end = false;            // a head alone
  std::string body = "hello";  // unless end
  std::string length = {};     // content-length; none if empty
  bool trailers = false;
};

void Give(ServerRecorder& recorder, StreamId id, const Answer& answer) {
  Arena arena;
  ResponseHead head(arena);
  head.status = answer.status;
  if (!answer.length.empty()) head.headers.Add(HeaderId::kContentLength, answer.length);
  recorder.codec->EncodeHead(id, head, answer.end, recorder.out);
  if (!answer.end) {
    Buffer body(answer.body);
    recorder.codec->EncodeBody(id, body, recorder.out);
    EXPECT_TRUE(body.empty());
  }
  Headers trailers(arena);
  trailers.Add("x-sum", "1");
  recorder.codec->EncodeEnd(id, answer.trailers ? &trailers : nullptr, recorder.out);
}

// What the server writes for `request`, answered with `answer`; checks that every cut agrees.
struct Outcome {
  std::string out;
  std::string log;
  std::string error;
  bool finished;
};
Outcome Serve(std::string_view request, const Answer& answer = {}, const CodecLimits& limits = {}) {
  Outcome outcome;
  for (const Cut cut : test::kCuts) {
    ServerRecorder recorder(limits);
    recorder.answer = [&](ServerRecorder& self, StreamId id) { Give(self, id, answer); };
    recorder.Run(request, cut);
    const Outcome now{recorder.out.ToString(), recorder.log, recorder.error,
                      recorder.codec->Finished()};
    if (cut == Cut::kWhole) outcome = now;
    EXPECT_EQ(now.out, outcome.out) << test::CutName(cut);
    EXPECT_EQ(now.log, outcome.log) << test::CutName(cut);
    EXPECT_EQ(now.error, outcome.error) << test::CutName(cut);
    EXPECT_EQ(now.finished, outcome.finished) << test::CutName(cut);
  }
  return outcome;
}

std::string Log(std::string_view request) { return Serve(request, {.end = true}).log; }
// The fields of the request as they are handed up.
std::string FieldsOf(const std::string& lines) {
  const std::string log = Log("GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n");
  const size_t begin = log.find('|');
  return begin == std::string::npos ? log : log.substr(begin, log.find('\n', begin) - begin);
}

TEST(Http1ServerTest, Heads) {
  EXPECT_EQ(Log("GET /x?y=1 HTTP/1.1\r\nHost: a.test:80\r\nAccept:  */* \t\r\nEmpty:\r\n\r\n"),
            "begin 1\n"
            "head 1 GET a.test:80 /x?y=1 HTTP/1.1 end length=0 wire=64 "
            "|Host=a.test:80|Accept=*/*|Empty=\nend 1\n");
  EXPECT_EQ(Log("\r\n\r\nM-SEARCH * HTTP/1.1\r\nHost: a\r\n\r\n").substr(0, 10), "begin 1\n");
  EXPECT_EQ(Log("PROPFIND /\xd7 HTTP/1.1\r\nHost: a\r\n\r\n"), "begin 1\n");
}

TEST(Http1ServerTest, TargetsAndHosts) {
  const auto head = [](std::string_view request) {
    const std::string log = Log(request);
    return log.substr(0, log.find(" HTTP/1."));
  };
  EXPECT_EQ(head("GET http://B.test:8080/p?q HTTP/1.1\r\nHost: a.test\r\n\r\n"),
            "begin 1\nhead 1 GET http://B.test:8080 /p?q");
  EXPECT_EQ(head("GET HTTPS://b.test HTTP/1.1\r\nHost: a.test\r\n\r\n"),
            "begin 1\nhead 1 GET https://b.test /");
  EXPECT_EQ(head("GET http://b.test?q HTTP/1.1\r\nHost: a.test\r\n\r\n"),
            "begin 1\nhead 1 GET http://b.test /?q");
  EXPECT_EQ(head("OPTIONS http://b.test HTTP/1.1\r\nHost: a.test\r\n\r\n"),
            "begin 1\nhead 1 OPTIONS http://b.test *");
  EXPECT_EQ(head("OPTIONS * HTTP/1.1\r\nHost: a.test\r\n\r\n"), "begin 1\nhead 1 OPTIONS a.test *");
  EXPECT_EQ(head("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"), "begin 1\nhead 1 GET [::1]:80 /");
  EXPECT_EQ(head("GET / HTTP/1.0\r\n\r\n"), "begin 1\nhead 1 GET  /");
  EXPECT_EQ(head("CONNECT b.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n"),
            "begin 1\nhead 1 CONNECT b.test:443 ");
  // Host is made equal to what the target says.
  EXPECT_NE(Log("GET http://b.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n").find("|Host=b.test\n"),
            std::string::npos);
  EXPECT_NE(Log("GET http://b.test/ HTTP/1.0\r\n\r\n").find("|host=b.test\n"), std::string::npos);
}

TEST(Http1ServerTest, HopByHopFields) {
  EXPECT_EQ(FieldsOf("Connection: close, X-A ,\r\nX-A: 1\r\nx-a: 2\r\nX-B: 3\r\n"),
            "|Host=a|X-B=3");
  EXPECT_EQ(FieldsOf("Keep-Alive: timeout=5\r\nProxy-Connection: close\r\nX: y\r\n"),
            "|Host=a|X=y");
  EXPECT_EQ(FieldsOf("Connection: host, content-length, te\r\nContent-Length: 0\r\n"),
            "|Host=a|Content-Length=0");
  EXPECT_EQ(FieldsOf("TE: gzip, trailers;q=0.5\r\n"), "|Host=a");
  EXPECT_EQ(FieldsOf("TE: gzip, Trailers\r\nConnection: TE\r\n"), "|Host=a|TE=trailers");
  EXPECT_EQ(FieldsOf("TE: gzip\r\n"), "|Host=a");
  EXPECT_EQ(FieldsOf("Trailer: x\r\n"), "|Host=a");
  EXPECT_EQ(FieldsOf("Expect: something\r\n"), "|Host=a");
}

TEST(Http1ServerTest, Upgrades) {
  const std::string websocket =
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket, "
      "x\r\n\r\n";
  EXPECT_NE(Log(websocket).find("upgrade=websocket"), std::string::npos);
  EXPECT_NE(Log(websocket).find("|Upgrade=websocket, x"), std::string::npos);
  // One without the other, or in HTTP/1.0, asks for nothing.
  EXPECT_EQ(FieldsOf("Upgrade: websocket\r\n"), "|Host=a");
  EXPECT_EQ(FieldsOf("Connection: upgrade\r\n"), "|Host=a");
  EXPECT_EQ(Log("GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n").find('x'),
            std::string::npos);
  EXPECT_NE(Log("CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\n").find("upgrade=connect end"),
            std::string::npos);
}

TEST(Http1ServerTest, BodiesAndPipelining) {
  const Outcome outcome = Serve(
      "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
      "POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nTrailer: x-t\r\n\r\n"
      "5 ; ext=1;b=\"c;\\\"d\";e;f=2;g=h\r\nhello\r\nA\r\n, world!!!\r\n0;last\r\nX-T: 1\r\nHost: "
      "evil\r\n\r\n"
      "\r\n"
      "GET /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 0\r\nContent-Length: 0\r\n\r\n",
      {.end = true});
  EXPECT_EQ(outcome.log,
            "begin 1\n"
            "head 1 POST a /1 HTTP/1.1 length=5 wire=48 |Host=a|Content-Length=5\n"
            "body hello\n"
            "end 1\n"
            "begin 2\n"
            "head 2 POST a /2 HTTP/1.1 length=? wire=71 |Host=a|Trailer=x-t\n"
            "body hello, world!!!\n"
            "trailers 2 |X-T=1\n"
            "end 2\n"
            "begin 3\n"
            "head 3 GET a /3 HTTP/1.1 end length=0 wire=69 |Host=a|Content-Length=0\n"
            "end 3\n");
  EXPECT_FALSE(outcome.finished);
  EXPECT_EQ(outcome.error, "");
}

TEST(Http1ServerTest, PipelinedBytesWaitForTheResponse) {
  ServerRecorder recorder;
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  recorder.Run(request + request, Cut::kWhole);
  EXPECT_EQ(recorder.in.size(), request.size());
  EXPECT_FALSE(recorder.codec->WantsInput());
  EXPECT_EQ(recorder.messages.size(), 1U);
  Give(recorder, 1, {.end = true});
  EXPECT_TRUE(recorder.codec->WantsInput());
  ASSERT_TRUE(recorder.codec->Feed(recorder.in));
  EXPECT_EQ(recorder.messages.size(), 2U);
  EXPECT_TRUE(recorder.in.empty());
}

TEST(Http1ServerTest, HalfCloseBehindPipelinedRequestsStillAnswersAll) {
  ServerRecorder recorder;
  const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  recorder.Run(request + request, Cut::kWhole, true);
  EXPECT_EQ(recorder.error, "");
  Give(recorder, 1, {.end = true});
  EXPECT_FALSE(recorder.codec->Finished());
  ASSERT_TRUE(recorder.codec->Feed(recorder.in));
  Give(recorder, 2, {.end = true});
  EXPECT_TRUE(recorder.codec->Finished());
}

TEST(Http1ServerTest, PeerEnds) {
  const auto error = [](std::string_view bytes) {
    ServerRecorder recorder;
    recorder.Run(bytes, Cut::kWhole, true);
    return recorder.error;
  };
  EXPECT_EQ(error(""), "");
  EXPECT_EQ(error("\r\n"), "");
  EXPECT_EQ(error("GET / HT"), "closed downstream_remote_disconnect");
  EXPECT_EQ(error("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell"),
            "closed downstream_remote_disconnect");
  EXPECT_EQ(error("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "");
}

TEST(Http1ServerTest, ResponseFraming) {
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string head = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string old = "GET / HTTP/1.0\r\n\r\n";
  const std::string old_alive = "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n";
  EXPECT_EQ(Serve(get).out,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  EXPECT_EQ(Serve(get, {.trailers = true}).out,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nx-sum: "
            "1\r\n\r\n");
  EXPECT_EQ(Serve(get, {.length = "5", .trailers = true}).out,
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
  EXPECT_EQ(Serve(get, {.end = true}).out, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(Serve(get, {.end = true, .length = "7"}).out,
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  EXPECT_EQ(Serve(get, {.status = 204, .end = true}).out, "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(Serve(get, {.status = 204, .length = "5"}).out, "HTTP/1.1 204 No Content\r\n\r\n");
  EXPECT_EQ(Serve(get, {.status = 304, .end = true, .length = "7"}).out,
            "HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n");
  EXPECT_EQ(Serve(head, {.end = true, .length = "7"}).out,
            "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n");
  EXPECT_EQ(Serve(head, {.length = "5"}).out, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n");
  EXPECT_EQ(Serve(head).out, "HTTP/1.1 200 OK\r\n\r\n");
  EXPECT_EQ(Serve(old).out, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello");
  EXPECT_EQ(Serve(old_alive).out, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello");
  EXPECT_EQ(Serve(old_alive, {.length = "5"}).out,
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: keep-alive\r\n\r\nhello");
  EXPECT_EQ(Serve(old, {.length = "5"}).out,
            "HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
  EXPECT_FALSE(Serve(get).finished);
  EXPECT_FALSE(Serve(head).finished);
  EXPECT_TRUE(Serve(old).finished);
  EXPECT_TRUE(Serve(old_alive).finished);
  EXPECT_FALSE(Serve(old_alive, {.length = "5"}).finished);
}

TEST(Http1ServerTest, CloseIsHonoured) {
  const Outcome outcome = Serve(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\nGET / HTTP/1.1\r\n", {.end = true});
  EXPECT_EQ(outcome.out, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  EXPECT_TRUE(outcome.finished);
}

TEST(Http1ServerTest, DrainSaysClose) {
  ServerRecorder recorder;
  recorder.Run("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Cut::kWhole);
  recorder.codec->Drain(recorder.out);
  EXPECT_FALSE(recorder.codec->Finished());
  Give(recorder, 1, {.end = true});
  EXPECT_NE(recorder.out.ToString().find("connection: close\r\n"), std::string::npos);
  EXPECT_TRUE(recorder.codec->Finished());

  ServerRecorder idle;
  idle.codec->Drain(idle.out);
  EXPECT_TRUE(idle.codec->Finished());
}

TEST(Http1ServerTest, TooManyOrTooFewBytesEndTheConnection) {
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  Outcome outcome = Serve(get, {.body = "hello there", .length = "5"});
  EXPECT_EQ(outcome.out, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n");
  EXPECT_TRUE(outcome.finished);
  outcome = Serve(get, {.body = "hell", .length = "5"});
  EXPECT_TRUE(outcome.finished);
  // A length that cannot be written as it is does not decide.
  outcome = Serve(get, {.length = "5, 5"});
  EXPECT_EQ(outcome.out,
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
}

TEST(Http1ServerTest, AnswerBeforeTheBodyEndsTheConnection) {
  for (const Cut cut : test::kCuts) {
    ServerRecorder recorder;
    recorder.on_head = [](ServerRecorder& self, StreamId id) {
      Give(self, id, {.status = 413, .end = true});
    };
    recorder.Run("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello", cut);
    EXPECT_NE(recorder.out.ToString().find("connection: close\r\n"), std::string::npos);
    EXPECT_TRUE(recorder.codec->Finished());
    EXPECT_FALSE(recorder.codec->WantsInput());
    EXPECT_EQ(recorder.log.find("end 1"), std::string::npos);
    EXPECT_EQ(recorder.log.find("body"), std::string::npos);
  }
}

TEST(Http1ServerTest, AnswerInsideTheHeadOfARequestWithoutABody) {
  for (const Cut cut : test::kCuts) {
    ServerRecorder recorder;
    recorder.on_head = [](ServerRecorder& self, StreamId id) { Give(self, id, {.end = true}); };
    const std::string request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    recorder.Run(request + request, cut);
    EXPECT_EQ(recorder.messages.size(), 2U);
    EXPECT_NE(recorder.log.find("end 2"), std::string::npos);
    EXPECT_FALSE(recorder.codec->Finished());
  }
}

TEST(Http1ServerTest, TheAnswerToABrokenHeadKnowsNothingOfTheRequestBefore) {
  ServerRecorder recorder;
  recorder.answer = [](ServerRecorder& self, StreamId id) { Give(self, id, {.end = true}); };
  recorder.Run("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\n: x\r\n\r\n", Cut::kWhole);
  EXPECT_EQ(recorder.error, "400 http1.codec_error");
  recorder.out.Clear();
  Give(recorder, 2, {.status = 400, .length = "5"});
  EXPECT_EQ(recorder.out.ToString(),
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");

  CodecLimits limits;
  limits.http10 = false;
  ServerRecorder old(limits);
  old.Run("GET / HTTP/1.0\r\n\r\n", Cut::kWhole);
  Give(old, 1, {.status = 426});
  EXPECT_EQ(old.out.ToString(), "HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\n\r\nhello");

  ServerRecorder told(limits);
  told.Run("GET / HTTP/1.0\r\n\r\n", Cut::kWhole);
  Arena arena;
  ResponseHead head(arena);
  head.status = 426;
  head.headers.Add(HeaderId::kUpgrade, "HTTP/1.1");
  head.headers.Add(HeaderId::kContentLength, "0");
  told.codec->EncodeHead(1, head, true, told.out);
  EXPECT_EQ(told.out.ToString(),
            "HTTP/1.1 426 Upgrade Required\r\nupgrade: HTTP/1.1\r\ncontent-length: 0\r\n"
            "connection: close, upgrade\r\n\r\n");
}

TEST(Http1ServerTest, TunnelAfterTheClientHasEnded) {
  ServerRecorder recorder;
  recorder.Run("CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\nearly", Cut::kWhole, true);
  Arena arena;
  ResponseHead head(arena);
  head.status = 200;
  recorder.codec->EncodeHead(1, head, false, recorder.out);
  recorder.codec->Tunnel(1);
  recorder.log.clear();
  EXPECT_TRUE(recorder.codec->Feed(recorder.in));
  EXPECT_EQ(recorder.log, "body early\nend 1\n");
  recorder.codec->EncodeEnd(1, nullptr, recorder.out);
  EXPECT_TRUE(recorder.codec->Finished());
}

TEST(Http1ServerTest, ExpectContinue) {
  const std::string request =
      "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 5\r\n\r\n";
  for (const Cut cut : test::kCuts) {
    ServerRecorder recorder;
    recorder.Run(request, cut);
    EXPECT_NE(recorder.log.find(" expects length=5"), std::string::npos);
    EXPECT_EQ(recorder.log.find("Expect"), std::string::npos);
    recorder.codec->EncodeInformational(1, 100, nullptr, recorder.out);
    recorder.Run("hello", cut);
    Give(recorder, 1, {.end = true});
    EXPECT_EQ(recorder.out.ToString(),
              "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    EXPECT_FALSE(recorder.codec->Finished());
  }
  // Nothing to wait for; a protocol that does not know it.
  EXPECT_EQ(Log("GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n").find("expects"),
            std::string::npos);
  EXPECT_EQ(
      Log("POST / HTTP/1.0\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n").find("xpect"),
      std::string::npos);
}

TEST(Http1ServerTest, InformationalResponses) {
  ServerRecorder recorder;
  recorder.Run("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Cut::kWhole);
  Arena arena;
  Headers hints(arena);
  hints.Add("link", "</a.css>");
  recorder.codec->EncodeInformational(1, 103, &hints, recorder.out);
  EXPECT_EQ(recorder.out.ToString(), "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n");
  ServerRecorder old;
  old.Run("GET / HTTP/1.0\r\n\r\n", Cut::kWhole);
  old.codec->EncodeInformational(1, 103, &hints, old.out);
  EXPECT_TRUE(old.out.empty());
}

TEST(Http1ServerTest, Tunnel) {
  for (const Cut cut : test::kCuts) {
    ServerRecorder recorder;
    recorder.answer = [](ServerRecorder& self, StreamId id) {
      Arena arena;
      ResponseHead head(arena);
      head.status = 101;
      head.headers.Add(HeaderId::kUpgrade, "x");
      self.codec->EncodeHead(id, head, false, self.out);
      self.codec->Tunnel(id);
    };
    recorder.Run("GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nearly\r\n",
                 cut);
    EXPECT_TRUE(recorder.codec->WantsInput());
    EXPECT_NE(recorder.log.find("body early\r\n\n"), std::string::npos) << recorder.log;
    Buffer data("down");
    recorder.codec->EncodeBody(1, data, recorder.out);
    EXPECT_EQ(recorder.out.ToString(),
              "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\ndown");
    recorder.codec->EncodeEnd(1, nullptr, recorder.out);
    EXPECT_FALSE(recorder.codec->Finished()) << "the other direction is still open";
    recorder.Run("late", cut, true);
    EXPECT_NE(recorder.log.find("body late\nend 1\n"), std::string::npos) << recorder.log;
    EXPECT_TRUE(recorder.codec->Finished());
  }
}

TEST(Http1ServerTest, ConnectIsAnsweredWithoutFraming) {
  const Outcome refused =
      Serve("CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\n", {.status = 403, .end = true});
  EXPECT_EQ(refused.out, "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
  EXPECT_FALSE(refused.finished);
  ServerRecorder recorder;
  recorder.Run("CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\n", Cut::kWhole);
  Arena arena;
  ResponseHead head(arena);
  head.status = 200;
  head.headers.Add(HeaderId::kContentLength, "5");
  recorder.codec->EncodeHead(1, head, false, recorder.out);
  EXPECT_EQ(recorder.out.ToString(), "HTTP/1.1 200 OK\r\n\r\n");
}

TEST(Http1ServerTest, FieldsThatWouldBreakTheMessageApartAreLeftOut) {
  ServerRecorder recorder;
  recorder.Run("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Cut::kWhole);
  Arena arena;
  ResponseHead head(arena);
  head.status = 200;
  head.reason = "OK\r\nX: y";
  head.headers.Add("x-good", "1");
  head.headers.Add("x-bad", "1\r\nSet-Cookie: a");
  head.headers.Add("x bad", "1");
  head.headers.Add("connection", "upgrade");
  head.headers.Add("transfer-encoding", "gzip");
  head.headers.Add("keep-alive", "timeout=1");
  recorder.codec->EncodeHead(1, head, true, recorder.out);
  EXPECT_EQ(recorder.out.ToString(), "HTTP/1.1 200 OK\r\nx-good: 1\r\ncontent-length: 0\r\n\r\n");
}

TEST(Http1ServerTest, Limits) {
  CodecLimits limits;
  limits.head_size = 64;
  limits.header_count = 3;
  limits.target_size = 16;
  const auto error = [&](const std::string& target, const std::string& fields) {
    return Serve("GET " + target + " HTTP/1.1\r\n" + fields + "\r\n", {.end = true}, limits).error;
  };
  EXPECT_EQ(error("/" + std::string(15, 'x'), "Host: a\r\n"), "");
  EXPECT_EQ(error("/" + std::string(16, 'x'), "Host: a\r\n"), "414 http1.url_too_long");
  EXPECT_EQ(error("/" + std::string(16, 'x') + "\x01", "Host: a\r\n"), "414 http1.url_too_long");
  EXPECT_EQ(error("/" + std::string(15, 'x') + "\x01", "Host: a\r\n"), "400 http1.invalid_url");
  // 16 bytes of request line, 9 of Host, 2 of the empty line, and 7 around the value.
  EXPECT_EQ(error("/", "Host: a\r\nXX: " + std::string(31, 'x') + "\r\n"), "");
  EXPECT_EQ(error("/", "Host: a\r\nXX: " + std::string(32, 'x') + "\r\n"),
            "431 http1.headers_too_large");
  EXPECT_EQ(error("/", "Host: a\r\na:\r\nb:\r\n"), "");
  EXPECT_EQ(error("/", "Host: a\r\na:\r\nb:\r\nc:\r\n"), "431 http1.too_many_headers");
  limits.http10 = false;
  EXPECT_EQ(Serve("GET / HTTP/1.0\r\n\r\n", {.end = true}, limits).error, "426 low_version");
  EXPECT_EQ(Serve("GET / HTTP/1.1\r\nHost: a\r\n\r\n", {.end = true}, limits).error, "");
}

TEST(Http1ServerTest, HeadOutgrowsItsBlock) {
  // The head begins near the end of a block and has to move, more than once; its views move along.
  const std::string filler(40'000, 'x');
  for (const size_t step : {1000U, 4096U, 16384U}) {
    ServerRecorder recorder;
    const std::string request =
        "GET /path HTTP/1.1\r\nHost: a.test\r\nX-First: 1\r\nX-Long: " + filler +
        "\r\nX-Last: 2\r\n\r\n";
    for (size_t at = 0; at < request.size(); at += step) {
      test::AppendSlice(recorder.in, std::string_view(request).substr(at, step));
      ASSERT_TRUE(recorder.codec->Feed(recorder.in));
    }
    EXPECT_EQ(recorder.log.substr(recorder.log.find('|')),
              "|Host=a.test|X-First=1|X-Long=" + filler + "|X-Last=2\nend 1\n");
    EXPECT_EQ(recorder.messages.back()->request.path, "/path");
  }
}

TEST(Http1ServerTest, AnIdleCodecIsSmall) { EXPECT_LE(sizeof(http1::Http1ServerCodec), 300U); }

}  // namespace
}  // namespace sluice
