// A message through a server's codec, a client's codec and back: what a proxy without filters does.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "core/http/codec.h"
#include "tests/support/codec_recorder.h"

#if !defined(SLUICE_SANITIZE)
// Counts what this binary allocates, operator new's malloc included; the test below allows the hot
// path none.
namespace {
std::atomic<uint64_t> allocations{0};
}  // namespace

extern "C" {
void* __libc_malloc(size_t size);
void* malloc(size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
}
#endif

namespace sluice {
namespace {

using test::Cut;

// Owns a codec of each role and passes everything on, both ways.
class Relay final : public ServerEvents, public ClientEvents {
 public:
  Relay() : server(NewHttp1ServerCodec(*this, {})), client(NewHttp1ClientCodec(*this, {})) {}

  RequestHead& OnRequestBegin(StreamId id) override {
    server_id_ = id;
    request_arena_.emplace(request_memory_, sizeof(request_memory_));
    return request_.emplace(*request_arena_);
  }
  void OnRequestHead(StreamId, bool end) override {
    client_id_ = client->EncodeHead(*request_, end, to_upstream);
  }
  ResponseHead& OnResponseBegin(StreamId) override {
    response_arena_.emplace(response_memory_, sizeof(response_memory_));
    return response_.emplace(*response_arena_);
  }
  void OnInformational(StreamId) override {
    server->EncodeInformational(server_id_, response_->status, &response_->headers, to_downstream);
  }
  void OnResponseHead(StreamId, bool end) override {
    answering_ = true;
    server->EncodeHead(server_id_, *response_, end, to_downstream);
  }
  void OnDraining() override {}
  void OnBody(StreamId, Slice data) override {
    Buffer body(std::move(data));
    if (answering_) {
      server->EncodeBody(server_id_, body, to_downstream);
    } else {
      client->EncodeBody(client_id_, body, to_upstream);
    }
  }
  void OnTrailers(StreamId, Headers& trailers) override { trailers_ = &trailers; }
  void OnEnd(StreamId) override {
    if (answering_) {
      server->EncodeEnd(server_id_, trailers_, to_downstream);
    } else {
      client->EncodeEnd(client_id_, trailers_, to_upstream);
    }
    trailers_ = nullptr;
    answering_ = false;
  }
  void OnReset(StreamId, const Error&) override {}
  void OnEncodeMore(StreamId) override {}

  std::unique_ptr<ServerCodec> server;
  std::unique_ptr<ClientCodec> client;
  Buffer to_upstream;
  Buffer to_downstream;

 private:
  alignas(16) char request_memory_[4096];
  alignas(16) char response_memory_[4096];
  std::optional<Arena> request_arena_;
  std::optional<Arena> response_arena_;
  std::optional<RequestHead> request_;
  std::optional<ResponseHead> response_;
  const Headers* trailers_ = nullptr;
  StreamId server_id_ = 0;
  StreamId client_id_ = 0;
  bool answering_ = false;
};

void Receive(Codec& codec, std::string_view bytes, Cut cut) {
  Buffer in;
  if (cut == Cut::kWhole) {
    test::AppendSlice(in, bytes);
    EXPECT_TRUE(codec.Feed(in));
    return;
  }
  for (char c : bytes) {
    if (cut == Cut::kGrow) in.Append(std::string_view(&c, 1));
    if (cut == Cut::kSlices) test::AppendSlice(in, std::string_view(&c, 1));
    EXPECT_TRUE(codec.Feed(in));
  }
}

struct Case {
  const char* request;
  const char* forwarded;
  const char* response;
  const char* answered;
};

const Case kCases[] = {
    {"GET /a?b HTTP/1.1\r\nHost: a\r\nAccept: x\r\nConnection: keep-alive\r\nX: y\r\n\r\n",
     "GET /a?b HTTP/1.1\r\nHost: a\r\nAccept: x\r\nX: y\r\n\r\n",
     "HTTP/1.1 200 Fine\r\nServer: s\r\nContent-Length: 2\r\nConnection: keep-alive\r\nX: "
     "y\r\n\r\nhi",
     "HTTP/1.1 200 Fine\r\nServer: s\r\nContent-Length: 2\r\nX: y\r\n\r\nhi"},
    {"GET /a HTTP/1.1\r\nHost:a\r\nA:  1  \r\nB: 2\r\nC:\t3\r\nEmpty:\r\nEmpty2: \r\nD: 4\r\n\r\n",
     "GET /a HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\nEmpty: \r\nEmpty2: \r\nD: 4\r\n\r\n",
     "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"},
    {"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
     "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n",
     "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"},
    {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
     "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
     "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n",
     "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n"},
    {"GET http://b/x HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n",
     "GET /x HTTP/1.1\r\nHost: b\r\n\r\n",
     "HTTP/1.1 103 Early Hints\r\nLink: l\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
     "HTTP/1.1 103 Early Hints\r\nLink: l\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
};

TEST(Http1RoundTripTest, MessagesComeThrough) {
  for (const Cut cut : test::kCuts) {
    Relay relay;  // one connection each way for all of them
    for (const Case& each : kCases) {
      SCOPED_TRACE(std::string(test::CutName(cut)) + "\n" + each.request);
      Receive(*relay.server, each.request, cut);
      EXPECT_EQ(relay.to_upstream.ToString(), each.forwarded);
      Receive(*relay.client, each.response, cut);
      EXPECT_EQ(relay.to_downstream.ToString(), each.answered);
      relay.to_upstream.Clear();
      relay.to_downstream.Clear();
      EXPECT_TRUE(relay.client->CanOpen());
      EXPECT_FALSE(relay.server->Finished());
    }
  }
}

// nginx's own choice: RFC 9110 8.6 allows any digits, and some read a zero in front as octal.
TEST(Http1RoundTripTest, LengthsGoOnWithoutZerosInFrontForOthersReadThemAsOctal) {
  for (const Cut cut : test::kCuts) {
    SCOPED_TRACE(test::CutName(cut));
    Relay relay;
    Receive(*relay.server, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0010\r\n\r\n0123456789",
            cut);
    EXPECT_EQ(relay.to_upstream.ToString(),
              "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n0123456789");
    Receive(*relay.client, "HTTP/1.1 200 OK\r\nContent-Length: 002, 2\r\n\r\nhi", cut);
    EXPECT_EQ(relay.to_downstream.ToString(), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
    relay.to_downstream.Clear();
    Receive(*relay.server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", cut);
    Receive(*relay.client, "HTTP/1.1 200 OK\r\nContent-Length: 00\r\n\r\n", cut);
    EXPECT_EQ(relay.to_downstream.ToString(), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  }
}

TEST(Http1RoundTripTest, ChunkedBodiesWithTrailers) {
  Relay relay;
  Receive(*relay.server,
          "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n"
          "5;a=b\r\nhello\r\n0\r\nX: y\r\nContent-Length: 3\r\n\r\n",
          Cut::kWhole);
  EXPECT_EQ(relay.to_upstream.ToString(),
            "POST / HTTP/1.1\r\nHost: a\r\nTrailer: x\r\ntransfer-encoding: chunked\r\n\r\n"
            "5\r\nhello\r\n0\r\nX: y\r\n\r\n");
  Receive(*relay.client,
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: z\r\n\r\n",
          Cut::kWhole);
  EXPECT_EQ(relay.to_downstream.ToString(),
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: z\r\n\r\n");
  EXPECT_TRUE(relay.client->CanOpen());
}

TEST(Http1RoundTripTest, ResponseThatEndsWithTheConnectionGoesOnChunked) {
  Relay relay;
  Receive(*relay.server, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", Cut::kWhole);
  Receive(*relay.client, "HTTP/1.0 200 OK\r\n\r\nhello", Cut::kWhole);
  EXPECT_TRUE(relay.client->FeedEnd());
  EXPECT_EQ(relay.to_downstream.ToString(),
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
  EXPECT_TRUE(relay.client->Finished());
  EXPECT_FALSE(relay.server->Finished());
}

TEST(Http1RoundTripTest, LongBodiesAreMovedNotCopied) {
  Relay relay;
  Buffer in("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n");
  Block* block = Block::New(40000);
  std::memset(block->data(), 'x', 40000);
  block->set_used(40000);
  in.Append(Slice(block, 0, 40000));
  EXPECT_TRUE(relay.server->Feed(in));
  bool moved = false;
  for (size_t i = 0; i < relay.to_upstream.slice_count(); ++i) {
    moved |= relay.to_upstream.slice(i).block() == block;
  }
  EXPECT_TRUE(moved);
}

#if !defined(SLUICE_SANITIZE)
TEST(Http1RoundTripTest, AnOrdinaryExchangeAllocatesNothing) {
  Relay relay;
  Buffer downstream;
  Buffer upstream;
  const auto exchange = [&] {
    downstream.Append(kCases[0].request);
    EXPECT_TRUE(relay.server->Feed(downstream));
    relay.to_upstream.Clear();
    upstream.Append(kCases[0].response);
    EXPECT_TRUE(relay.client->Feed(upstream));
    relay.to_downstream.Clear();
  };
  exchange();
  exchange();  // the free lists are filled
  const size_t pooled = Block::PooledBytes();
  const uint64_t before = allocations.load();
  exchange();
  EXPECT_EQ(allocations.load(), before);
  EXPECT_EQ(Block::PooledBytes(), pooled);
}
#endif

}  // namespace
}  // namespace sluice
