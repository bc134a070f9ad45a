#include "core/server/echo.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/random.h"
#include "core/base/strings.h"
#include "core/event/loop.h"
#include "core/server/echo_report.h"
#include "core/server/echo_target.h"

namespace sluice {
namespace {

// A stream whose client takes one piece after another, unless it is held.
class FakeResponder final : public Responder {
 public:
  FakeResponder(Loop& loop, EchoFactory& factory)
      : loop_(loop), info_(arena_, connection_), request_(arena_), response_(arena_) {
    connection_.remote = Address::Parse("192.0.2.7:4711").value();
    last_ = factory.Create(*this);
  }

  RequestHead& Request(std::string_view method, std::string_view path) {
    request_.SetMethod(arena_.Copy(method));
    request_.path = arena_.Copy(path);
    request_.authority = "a.example";
    return request_;
  }
  void Get(std::string_view path) {
    Request("GET", path);
    Start(true);
  }
  void Start(bool end) {
    last_->OnRequestHeaders(request_, end);
    Pump();
  }
  void Body(std::string_view bytes, bool end, Headers* trailers = nullptr) {
    ASSERT_TRUE(pulled);
    pulled = false;
    Buffer data(bytes);
    last_->OnRequestBody(data, end, trailers);
    EXPECT_TRUE(data.empty()) << "the last filter takes the data";
    Pump();
  }
  // The client takes until nothing more comes.
  void Pump() {
    while (taking_ && !held && !ended && !aborted) {
      taking_ = false;
      wanted_ = true;
      last_->OnResponseWanted();
    }
  }
  void Abandon() { last_->OnAbandoned(); }
  void Destroy() { last_.reset(); }

  void PullRequestBody() override {
    EXPECT_FALSE(pulled);
    pulled = true;
  }
  void SendInformational(uint16_t, const Headers&) override { ADD_FAILURE(); }
  ResponseHead& response_head() override { return response_; }
  void StartResponse(bool end) override {
    EXPECT_FALSE(started);
    started = true;
    ended = end;
    taking_ = !end;
  }
  bool response_wanted() const override { return wanted_; }
  void SendBody(Buffer&& data, bool end, Headers*) override {
    EXPECT_TRUE(started && wanted_ && !ended && !aborted);
    EXPECT_FALSE(data.empty());
    wanted_ = eager && !end;
    taking_ = !wanted_;
    size += data.size();
    ++pieces;
    if (size <= 1 << 20) body += data.ToString();
    data.Clear();
    ended = end;
  }
  void Reply(LocalReply answer) override {
    EXPECT_FALSE(started || reply);
    reply = std::move(answer);
  }
  void AbortResponse(Error error) override {
    EXPECT_TRUE(started && !ended);
    aborted = std::move(error);
  }
  void Tunnel() override { ADD_FAILURE(); }
  void EndTunnel() override { ADD_FAILURE(); }
  RequestHead& request_head() override { return request_; }
  StreamInfo& stream_info() override { return info_; }
  Arena& stream_arena() override { return arena_; }
  Loop& stream_loop() override { return loop_; }
  Random& stream_random() override { return random_; }

  bool pulled = false;
  bool held = false;
  bool eager = false;  // the client takes pieces before SendBody returns
  bool started = false;
  bool ended = false;
  std::optional<LocalReply> reply;
  std::optional<Error> aborted;
  std::string body;  // up to 1 MiB of it
  uint64_t size = 0;
  int pieces = 0;

 private:
  Loop& loop_;
  Arena arena_;
  ConnectionInfo connection_;
  StreamInfo info_;
  RequestHead request_;
  ResponseHead response_;
  Random random_{1};
  bool wanted_ = false;
  bool taking_ = false;  // the client will ask for the next piece
  ArenaPtr<LastFilter> last_;
};

std::string Pattern(uint64_t size) {
  std::string text;
  for (uint64_t i = 0; i < size; ++i) text += EchoPattern(i);
  return text;
}

class EchoTest : public testing::Test {
 protected:
  EchoTest() : loop_(Loop::Create(clock_).value()) {}

  std::unique_ptr<FakeResponder> New() { return std::make_unique<FakeResponder>(*loop_, factory_); }
  std::unique_ptr<FakeResponder> Get(std::string_view path) {
    auto stream = New();
    stream->Get(path);
    return stream;
  }
  void Advance(FakeResponder& stream, Nanos by) {
    clock_.Advance(by);
    loop_->RunOnce(0);
    stream.Pump();
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_;
  EchoFactory factory_{"one"};
};

TEST_F(EchoTest, PlainIsAConstant) {
  auto stream = Get("/plain");
  ASSERT_TRUE(stream->reply);
  EXPECT_EQ(stream->reply->status, 200);
  EXPECT_EQ(stream->reply->body, "ok\n");
  EXPECT_EQ(stream->reply->content_type, "text/plain");
  EXPECT_TRUE(stream->reply->unmapped);
}

TEST_F(EchoTest, SaysBackTheRequest) {
  auto stream = New();
  RequestHead& head = stream->Request("POST", "/a/b?c=1&d");
  head.headers.Add("X-A", "1");
  head.headers.Add("x-b", "2");
  head.headers.Add("x-b", "3");
  head.headers.Add("x-b", "4");
  head.headers.Add("x-raw", "caf\xe9");
  stream->Start(false);
  stream->Body("hel", false);
  EXPECT_FALSE(stream->reply);
  stream->Body("lo \"you\"", false);
  stream->Body("", true);
  ASSERT_TRUE(stream->reply);
  EXPECT_EQ(stream->reply->content_type, "application/json");
  EXPECT_EQ(stream->reply->body, R"({
  "name": "one",
  "client": "192.0.2.7:4711",
  "protocol": "HTTP/1.1",
  "method": "POST",
  "host": "a.example",
  "path": "/a/b",
  "query": "c=1&d",
  "headers": {
    "X-A": "1",
    "x-b": [
      "2",
      "3",
      "4"
    ],
    "x-raw": "caf)"
                                 "\xef\xbf\xbd"
                                 R"("
  },
  "body": "hello \"you\"",
  "body_size": 11
}
)");
}

TEST_F(EchoTest, ABodyThatIsNotUtf8IsBase64) {
  auto stream = New();
  stream->Request("PUT", "/");
  stream->Start(false);
  stream->Body(std::string("\xff\x00\x10", 3), true);
  ASSERT_TRUE(stream->reply);
  EXPECT_NE(stream->reply->body.find(R"("body_base64": "/wAQ")"), std::string::npos);
  EXPECT_EQ(stream->reply->body.find(R"("body":)"), std::string::npos);
}

TEST_F(EchoTest, SaysTrailersAndACutBody) {
  auto stream = New();
  stream->Request("PUT", "/");
  stream->Start(false);
  stream->Body(std::string(EchoReport::kMaxBody - 1, 'x'), false);
  Headers trailers(stream->stream_arena());
  trailers.Add("x-sum", "9");
  stream->Body("yz", true, &trailers);
  ASSERT_TRUE(stream->reply);
  const std::string& body = stream->reply->body;
  EXPECT_NE(body.find("xy\""), std::string::npos);
  EXPECT_EQ(body.find("yz"), std::string::npos);
  EXPECT_NE(body.find(R"("body_size": 1048577)"), std::string::npos);
  EXPECT_NE(body.find(R"("body_truncated": true)"), std::string::npos);
  EXPECT_NE(body.find(R"("x-sum": "9")"), std::string::npos);
}

TEST_F(EchoTest, OtherPathsReadTheBodyAndForgetIt) {
  auto stream = New();
  stream->Request("POST", "/plain");
  stream->Start(false);
  stream->Body(std::string(100000, 'x'), false);
  EXPECT_FALSE(stream->reply);
  stream->Body("x", true);
  ASSERT_TRUE(stream->reply);
  EXPECT_EQ(stream->reply->body, "ok\n");
}

TEST_F(EchoTest, Status) {
  constexpr uint16_t kWithBody[] = {200, 301, 404, 599};
  for (const uint16_t status : kWithBody) {
    auto stream = Get(StrCat({"/status/", Decimal(status)}));
    EXPECT_EQ(stream->reply->status, status);
    EXPECT_EQ(stream->reply->body, StrCat({"status ", Decimal(status), "\n"}));
  }
  constexpr uint16_t kWithoutBody[] = {204, 304};
  for (const uint16_t status : kWithoutBody) {
    auto stream = Get(StrCat({"/status/", Decimal(status)}));
    EXPECT_EQ(stream->reply->status, status);
    EXPECT_EQ(stream->reply->body, "");
  }
}

TEST_F(EchoTest, Delay) {
  auto stream = Get("/delay/250ms?x=1");
  Advance(*stream, 249 * kMillisecond);
  EXPECT_FALSE(stream->reply);
  Advance(*stream, 2 * kMillisecond);
  ASSERT_TRUE(stream->reply);
  EXPECT_NE(stream->reply->body.find(R"("path": "/delay/250ms")"), std::string::npos);
}

TEST_F(EchoTest, WhatIsAbandonedOrDestroyedDoesNotAnswer) {
  auto abandoned = Get("/delay/250ms");
  auto destroyed = Get("/delay/250ms");
  abandoned->Abandon();
  destroyed->Destroy();
  EXPECT_EQ(loop_->timers().size(), 0u);
  Advance(*abandoned, kSecond);
  EXPECT_FALSE(abandoned->reply);
}

TEST_F(EchoTest, Bytes) {
  constexpr uint64_t kSizes[] = {1, 63, 64, 65536, 65537, 196608, 196609, 500000};
  for (const uint64_t size : kSizes) {
    auto stream = Get(StrCat({"/bytes/", Decimal(size)}));
    EXPECT_EQ(stream->response_head().status, 200);
    EXPECT_EQ(stream->response_head().headers.Get(HeaderId::kContentLength), Decimal(size).view());
    EXPECT_EQ(stream->response_head().content_length, size);
    EXPECT_TRUE(stream->ended);
    EXPECT_TRUE(stream->body == Pattern(size)) << size;
  }
}

TEST_F(EchoTest, ManyBytesComePieceByPieceAsTheyAreTaken) {
  auto stream = New();
  stream->held = true;
  stream->Get("/bytes/10GiB");
  EXPECT_EQ(stream->response_head().headers.Get(HeaderId::kContentLength), "10737418240");
  EXPECT_EQ(stream->pieces, 0);
  stream->held = false;
  stream->Pump();
  EXPECT_TRUE(stream->ended);
  EXPECT_EQ(stream->size, uint64_t{10} << 30);
  EXPECT_GT(stream->pieces, 10000);
}

TEST_F(EchoTest, AsManyPiecesInOneGoAsAreTaken) {
  auto stream = New();
  stream->eager = true;
  stream->Get("/bytes/1MiB");
  EXPECT_TRUE(stream->ended);
  EXPECT_TRUE(stream->body == Pattern(1 << 20));

  auto longer = New();
  longer->eager = true;
  longer->Get("/bytes/100MiB");
  const uint64_t at_first = longer->size;
  EXPECT_GT(at_first, uint64_t{1} << 20);
  EXPECT_LT(at_first, uint64_t{10} << 20) << "other streams have their turn";
  loop_->RunOnce(0);
  EXPECT_GT(longer->size, at_first);
  while (!longer->ended) loop_->RunOnce(0);
  EXPECT_EQ(longer->size, uint64_t{100} << 20);
}

TEST_F(EchoTest, NothingIsSentInALaterTurnToAStreamThatIsGone) {
  auto stream = New();
  stream->eager = true;
  stream->Get("/bytes/100MiB");
  stream->Abandon();
  const uint64_t sent = stream->size;
  loop_->RunOnce(0);
  EXPECT_EQ(stream->size, sent);
}

TEST_F(EchoTest, ChunkedSaysNoLength) {
  auto stream = Get("/chunked/64KiB");
  EXPECT_FALSE(stream->response_head().headers.Has(HeaderId::kContentLength));
  EXPECT_FALSE(stream->response_head().content_length);
  EXPECT_TRUE(stream->body == Pattern(65536));
}

TEST_F(EchoTest, NoBytesAndHeadHaveNoBody) {
  auto none = Get("/bytes/0");
  EXPECT_TRUE(none->ended);
  EXPECT_EQ(none->response_head().headers.Get(HeaderId::kContentLength), "0");
  auto head = New();
  head->Request("HEAD", "/bytes/1000");
  head->Start(true);
  EXPECT_TRUE(head->ended);
  EXPECT_EQ(head->size, 0u);
  EXPECT_EQ(head->response_head().headers.Get(HeaderId::kContentLength), "1000");
}

TEST_F(EchoTest, DripIsSpreadOverItsDuration) {
  auto stream = Get("/drip?duration=2s&bytes=4");
  EXPECT_EQ(stream->response_head().headers.Get(HeaderId::kContentLength), "4");
  EXPECT_EQ(stream->size, 0u);
  Advance(*stream, 501 * kMillisecond);
  EXPECT_EQ(stream->size, 1u);
  Advance(*stream, 500 * kMillisecond);
  EXPECT_EQ(stream->size, 2u);
  // A client that was slow gets what is due.
  stream->held = true;
  Advance(*stream, 500 * kMillisecond);
  Advance(*stream, 500 * kMillisecond);
  EXPECT_FALSE(stream->ended);
  stream->held = false;
  stream->Pump();
  EXPECT_TRUE(stream->ended);
  EXPECT_EQ(stream->body, Pattern(4));
}

TEST_F(EchoTest, ADripOfManyBytesIsCutIntoSteps) {
  auto stream = Get("/drip?bytes=100000&duration=100ms");
  for (int i = 0; i < 10; ++i) Advance(*stream, 10 * kMillisecond + kMillisecond);
  EXPECT_TRUE(stream->ended);
  EXPECT_EQ(stream->pieces, 10);
  EXPECT_TRUE(stream->body == Pattern(100000));
  auto at_once = Get("/drip?bytes=5&duration=0s");
  EXPECT_TRUE(at_once->ended);
  EXPECT_EQ(at_once->body, Pattern(5));
}

TEST_F(EchoTest, CloseAsksForTheEndOfTheConnection) {
  auto stream = Get("/close");
  EXPECT_EQ(stream->response_head().headers.Get(HeaderId::kConnection), "close");
  EXPECT_EQ(stream->body, "closing\n");
  EXPECT_TRUE(stream->ended);
}

TEST_F(EchoTest, ResetGivesUpInTheMiddle) {
  auto stream = Get("/reset");
  EXPECT_EQ(stream->response_head().headers.Get(HeaderId::kContentLength), "1024");
  EXPECT_EQ(stream->size, 512u);
  EXPECT_FALSE(stream->ended);
  ASSERT_TRUE(stream->aborted);
  EXPECT_EQ(stream->aborted->code, Code::kReset);
}

TEST_F(EchoTest, WhatCannotBeMeantIs400) {
  for (const char* path :
       {"/status/", "/status/199", "/status/600", "/status/2x", "/status/99999999999999999999",
        "/delay/", "/delay/soon", "/delay/2h", "/bytes/", "/bytes/-1", "/bytes/11GiB",
        "/chunked/many", "/drip?bytes=x", "/drip?duration", "/drip?duration=2h&bytes=1",
        "/bytes/18446744073709551616"}) {
    auto stream = Get(path);
    ASSERT_TRUE(stream->reply) << path;
    EXPECT_EQ(stream->reply->status, 400) << path;
    EXPECT_TRUE(stream->reply->body.starts_with("expected ")) << path;
  }
}

TEST(EchoTarget, EverythingElseIsTheRequestItself) {
  for (const char* path : {"/", "", "*", "/plain/", "/plainx", "/status", "/bytes", "/drip/",
                           "/closed", "/x/status/500"}) {
    EXPECT_EQ(ParseEchoTarget(path).kind, EchoTarget::Kind::kReport) << path;
  }
  EXPECT_EQ(ParseEchoTarget("/plain?x").kind, EchoTarget::Kind::kPlain);
  const EchoTarget drip = ParseEchoTarget("/drip?&x=1&bytes=2KiB&&");
  EXPECT_EQ(drip.kind, EchoTarget::Kind::kDrip);
  EXPECT_EQ(drip.bytes, 2048u);
  EXPECT_EQ(drip.duration, kSecond);
}

// RFC 4648, section 10.
TEST(Base64, TestVectors) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foo"), "Zm9v");
  EXPECT_EQ(Base64("foob"), "Zm9vYg==");
  EXPECT_EQ(Base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64("\xff\xff\xff"), "////");
}

}  // namespace
}  // namespace sluice
