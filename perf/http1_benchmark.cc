// What HTTP/1 costs a request, without sockets: reading heads, writing them on, and a whole
// exchange as a proxy does it.
#include <benchmark/benchmark.h>

#include <cstring>
#include <optional>
#include <string_view>

#include "core/base/check.h"
#include "core/http/codec.h"
#include "core/http/path.h"

namespace sluice {
namespace {

constexpr std::string_view kWrkGet =
    "GET / HTTP/1.1\r\n"
    "Host: 127.0.0.1:8080\r\n"
    "\r\n";

constexpr std::string_view kBrowserGet =
    "GET /api/v1/users/12345/orders?limit=20&offset=40 HTTP/1.1\r\n"
    "Host: api.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n"
    "Accept: text/html,application/json;q=0.9,*/*;q=0.8\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-US,en;q=0.5\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
    "Referer: https://www.example.com/page\r\n"
    "Cache-Control: no-cache\r\n"
    "\r\n";

constexpr std::string_view kNginxResponse =
    "HTTP/1.1 200 OK\r\n"
    "Server: nginx/1.22.1\r\n"
    "Date: Fri, 21 Nov 2025 12:00:00 GMT\r\n"
    "Content-Type: text/plain\r\n"
    "Content-Length: 12\r\n"
    "Last-Modified: Fri, 21 Nov 2025 10:00:00 GMT\r\n"
    "Connection: keep-alive\r\n"
    "ETag: \"65500-64\"\r\n"
    "Accept-Ranges: bytes\r\n"
    "\r\n"
    "Hello world\n";

// The owner of both codecs: passes each message on as a proxy without filters would.
class Relay final : public ServerEvents, public ClientEvents {
 public:
  RequestHead& OnRequestBegin(StreamId) override {
    request_arena_.emplace(request_memory_, sizeof(request_memory_));
    return request_.emplace(*request_arena_);
  }
  void OnRequestHead(StreamId id, bool end) override {
    if (client == nullptr) return;
    server_id_ = id;
    client_id_ = client->EncodeHead(*request_, end, to_upstream);
  }
  ResponseHead& OnResponseBegin(StreamId) override {
    response_arena_.emplace(response_memory_, sizeof(response_memory_));
    return response_.emplace(*response_arena_);
  }
  void OnInformational(StreamId) override {}
  void OnResponseHead(StreamId, bool end) override {
    reading_response_ = true;
    if (server != nullptr) server->EncodeHead(server_id_, *response_, end, to_downstream);
  }
  void OnDraining() override {}
  void OnBody(StreamId, Slice data) override {
    Buffer body(std::move(data));
    if (server != nullptr) server->EncodeBody(server_id_, body, to_downstream);
  }
  void OnTrailers(StreamId, Headers&) override {}
  void OnEnd(StreamId) override {
    if (!reading_response_) {
      if (client != nullptr) client->EncodeEnd(client_id_, nullptr, to_upstream);
    } else if (server != nullptr) {
      server->EncodeEnd(server_id_, nullptr, to_downstream);
    }
    reading_response_ = false;
  }
  void OnReset(StreamId, const Error&) override {}
  void OnEncodeMore(StreamId) override {}

  // What the streams hold until they end.
  void EndStreams() {
    request_.reset();
    response_.reset();
  }

  ServerCodec* server = nullptr;
  ClientCodec* client = nullptr;
  Buffer to_upstream;
  Buffer to_downstream;

 private:
  alignas(16) char request_memory_[2048];
  alignas(16) char response_memory_[2048];
  std::optional<Arena> request_arena_;
  std::optional<Arena> response_arena_;
  std::optional<RequestHead> request_;
  std::optional<ResponseHead> response_;
  StreamId server_id_ = 0;
  StreamId client_id_ = 0;
  bool reading_response_ = false;
};

// As a read from a socket leaves it.
void Receive(Buffer& in, std::string_view bytes) {
  const Buffer::Room room = in.Reserve(4096);
  std::memcpy(room.data, bytes.data(), bytes.size());
  in.Commit(bytes.size());
}

void Respond(ServerCodec& codec, StreamId id, const ResponseHead& head, Buffer& out) {
  codec.EncodeHead(id, head, true, out);
  codec.EncodeEnd(id, nullptr, out);
}

void BM_RequestHead(benchmark::State& state, std::string_view request) {
  Relay relay;
  const auto codec = NewHttp1ServerCodec(relay, {});
  Arena arena;
  ResponseHead answer(arena);
  answer.status = 204;
  StreamId id = 0;
  Buffer in;
  Buffer out;
  for (auto _ : state) {
    Receive(in, request);
    CHECK(codec->Feed(in));
    Respond(*codec, ++id, answer, out);
    CHECK(!codec->Finished() && in.empty());
    relay.EndStreams();
    out.Clear();
  }
}
BENCHMARK_CAPTURE(BM_RequestHead, wrk, kWrkGet);
BENCHMARK_CAPTURE(BM_RequestHead, browser, kBrowserGet);

// The rest of what BM_RequestHead does: to be taken off.
void BM_AnswerAlone(benchmark::State& state) {
  Arena arena;
  ResponseHead answer(arena);
  answer.status = 204;
  Buffer in;
  Buffer out;
  Relay relay;
  for (auto _ : state) {
    Receive(in, kBrowserGet);
    in.Clear();
    Receive(out, "HTTP/1.1 204 No Content\r\n\r\n");
    out.Clear();
    relay.EndStreams();
  }
}
BENCHMARK(BM_AnswerAlone);

void BM_Exchange(benchmark::State& state, std::string_view request) {
  Relay relay;
  const auto server = NewHttp1ServerCodec(relay, {});
  const auto client = NewHttp1ClientCodec(relay, {});
  relay.server = server.get();
  relay.client = client.get();
  Buffer downstream;
  Buffer upstream;
  for (auto _ : state) {
    Receive(downstream, request);
    CHECK(server->Feed(downstream));
    CHECK(!relay.to_upstream.empty());
    relay.to_upstream.Clear();
    Receive(upstream, kNginxResponse);
    CHECK(client->Feed(upstream));
    CHECK(!relay.to_downstream.empty());
    relay.to_downstream.Clear();
    relay.EndStreams();
    CHECK(!server->Finished() && client->CanOpen());
  }
}
BENCHMARK_CAPTURE(BM_Exchange, wrk, kWrkGet);
BENCHMARK_CAPTURE(BM_Exchange, browser, kBrowserGet);

void BM_NormalizePath(benchmark::State& state, std::string_view path) {
  Arena arena;
  for (auto _ : state) {
    benchmark::DoNotOptimize(NormalizePath(path, {}, arena)->path.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(path.size()));
}
BENCHMARK_CAPTURE(BM_NormalizePath, short, "/");
BENCHMARK_CAPTURE(BM_NormalizePath, long,
                  "/api/v1/users/12345/orders/67890/items?limit=20&offset=40");

}  // namespace
}  // namespace sluice
