#include "tests/support/chaos.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/strings.h"
#include "core/event/loop.h"
#include "core/net/listen_socket.h"
#include "core/net/socket.h"
#include "tests/support/dead_ports.h"
#include "tests/support/driver.h"
#include "tests/support/http_text.h"
#include "tests/support/proxy_rig.h"
#include "tests/support/raw_client.h"

namespace sluice::test {
namespace {

class Draw {
 public:
  explicit Draw(uint64_t seed) : engine_(seed) {}
  size_t Below(size_t bound) { return static_cast<size_t>(engine_() % bound); }
  bool OneIn(size_t n) { return Below(n) == 0; }
  // Mostly small, now and then more than a buffer takes.
  size_t BodySize() { return OneIn(40) ? Below(300000) : OneIn(4) ? Below(20000) : Below(600); }

 private:
  std::mt19937_64 engine_;
};

// What a body of that message is: known to both ends, so that each byte is checked.
std::string Payload(size_t id, size_t size) {
  std::string text(size, ' ');
  uint32_t state = static_cast<uint32_t>(id) * 2654435761U + 12345U;
  for (char& c : text) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>('a' + (state >> 24) % 26);
  }
  return text;
}

size_t NumberIn(const HttpText& message, std::string_view field) {
  const auto value = message.Header(field);
  return value ? std::stoul(*value) : 0;
}

std::string Chunked(std::string_view body, size_t piece) {
  std::string text;
  while (!body.empty()) {
    const std::string_view chunk = body.substr(0, piece);
    char size[20];
    snprintf(size, sizeof(size), "%zx\r\n", chunk.size());
    text += StrCat({size, chunk, "\r\n"});
    body.remove_prefix(chunk.size());
  }
  return text + "0\r\n\r\n";
}

// One connection that an upstream accepted.
class ChaosServer {
 public:
  ChaosServer(Driver& driver, Draw& draw, Fd fd) : draw_(draw), socket_(driver, std::move(fd)) {
    const size_t fate = draw_.Below(120);
    if (fate < 3) socket_.Reset();
    if (fate >= 3 && fate < 6) socket_.Close();
    if (fate == 6) socket_.SetReading(false);  // it stalls
  }
  bool over() const { return socket_.closed() || (socket_.ended() && socket_.all_sent()); }

  void Step() {
    if (done_ || !socket_.all_sent() || socket_.received().size() == seen_) return;
    seen_ = socket_.received().size();
    const std::string_view unread = std::string_view(socket_.received()).substr(taken_);
    if (unread.empty()) return;
    const size_t head = unread.find("\r\n\r\n");
    if (head == std::string_view::npos) return;
    // Some answer, or give up, before the body is there.
    if (!early_drawn_) {
      early_drawn_ = true;
      if (draw_.OneIn(30)) return Finish(draw_.OneIn(2));
      early_ = draw_.OneIn(20);
    }
    HttpTextResult result = TakeHttpText(unread, HttpTextKind::kRequest, false);
    EXPECT_NE(result.state, HttpTextResult::State::kBroken) << result.why;
    if (result.state != HttpTextResult::State::kComplete) {
      if (!early_) return;
      result.message = TakeHttpText(std::string(unread.substr(0, unread.find("\r\n"))) +
                                        "\r\nHost: a\r\nx-id: " + IdOf(unread) + "\r\n\r\n",
                                    HttpTextKind::kRequest, false)
                           .message;
      Answer(result.message);
      return Finish(draw_.OneIn(2));
    }
    taken_ += result.message.size;
    early_drawn_ = early_ = false;
    EXPECT_EQ(result.message.body,
              Payload(NumberIn(result.message, "x-id"), NumberIn(result.message, "x-size")));
    Answer(result.message);
  }

 private:
  static std::string IdOf(std::string_view head) {
    const size_t at = head.find("x-id: ") + 6;
    return std::string(head.substr(at, head.find("\r\n", at) - at));
  }

  void Finish(bool reset) {
    done_ = true;
    reset ? socket_.Reset() : socket_.Close();
  }

  void Send(std::string_view bytes) {
    if (draw_.OneIn(5)) {
      socket_.SendInPieces(bytes, 1 + bytes.size() / (1 + draw_.Below(30)));
    } else {
      socket_.Send(bytes);
    }
  }

  void Answer(const HttpText& request) {
    const size_t id = NumberIn(request, "x-id");
    const bool head_only = request.start_line.starts_with("HEAD");
    const size_t size = draw_.BodySize();
    const std::string body = Payload(id + 1, size);
    const std::string fields =
        StrCat({"x-id: ", std::to_string(id), "\r\nx-size: ", std::to_string(size), "\r\n"});
    const std::string with_length = StrCat(
        {"HTTP/1.1 200 OK\r\n", fields, "Content-Length: ", std::to_string(size), "\r\n\r\n"});
    const std::string with_chunks =
        StrCat({"HTTP/1.1 200 OK\r\n", fields, "Transfer-Encoding: chunked\r\n\r\n"});
    if (head_only) return Send(with_length);
    if (draw_.OneIn(10)) Send("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
    switch (draw_.Below(24)) {
      case 0:  // nothing
        return Finish(false);
      case 1:
        return Finish(true);
      case 2:  // never
        done_ = true;
        return;
      case 3:  // a part of the head
        Send(with_length.substr(0, draw_.Below(with_length.size())));
        return Finish(draw_.OneIn(2));
      case 4:  // a part of the body
        Send(with_length + body.substr(0, draw_.Below(size + 1)));
        return Finish(draw_.OneIn(2));
      case 5: {
        const std::string all = with_chunks + Chunked(body, 1000);
        Send(all.substr(0, with_chunks.size() + draw_.Below(all.size() - with_chunks.size())));
        return Finish(draw_.OneIn(2));
      }
      case 6:  // a part of a body that ends with the connection: only a reset can show that
        Send(StrCat({"HTTP/1.1 200 OK\r\n", fields, "\r\n", body.substr(0, size / 2)}));
        return Finish(true);
      case 7:
        Send("what is this\r\n\r\n");
        return;
      case 8:  // more than was asked for, at once: what came later nobody could tell from an answer
        socket_.Send(StrCat({"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-id: ", std::to_string(id),
                             "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"}));
        return;
      case 9:
        Send(StrCat({"HTTP/1.1 200 OK\r\n", fields, "\r\n", body}));
        return Finish(false);
      case 10:
        Send(StrCat({"HTTP/1.1 204 No Content\r\nx-id: ", std::to_string(id), "\r\n\r\n"}));
        return;
      case 11:  // whole, and then the connection ends, said or not
        Send(with_length + body);
        return Finish(false);
      case 12:
      case 13:
      case 14:
      case 15:
        return Send(with_chunks + Chunked(body, 1 + draw_.Below(5000)));
      default:
        return Send(with_length + body);
    }
  }

  Draw& draw_;
  RawSocket socket_;
  size_t taken_ = 0;
  size_t seen_ = 0;
  bool done_ = false;
  bool early_drawn_ = false;
  bool early_ = false;
};

class ChaosUpstream {
 public:
  ChaosUpstream(Driver& driver, Draw& draw)
      : driver_(driver),
        draw_(draw),
        sockets_(std::move(*OpenListenSockets(*Address::Parse("127.0.0.1:0"), 1))) {}
  std::string text() const { return sockets_.address.ToString(); }

  void Step() {
    for (;;) {
      Fd fd(accept4(sockets_.fds[0].get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (fd.get() < 0) break;
      servers_.push_back(std::make_unique<ChaosServer>(driver_, draw_, std::move(fd)));
    }
    for (const auto& server : servers_) server->Step();
    std::erase_if(servers_, [](const auto& server) { return server->over(); });
  }

 private:
  Driver& driver_;
  Draw& draw_;
  ListenSockets sockets_;
  std::vector<std::unique_ptr<ChaosServer>> servers_;
};

// One client's connection with a few requests on it.
class ChaosClient {
 public:
  ChaosClient(Driver& driver, Draw& draw, uint16_t port, size_t first_id, size_t count)
      : draw_(draw), socket_(driver, port) {
    std::string text;
    for (size_t i = 0; i < count; ++i) text += Request(first_id + i);
    const size_t piece = draw_.OneIn(6) ? 1 + text.size() / (1 + draw_.Below(60)) : 0;
    socket_.SendInPieces(text, piece);
    if (draw_.OneIn(12)) socket_.HalfClose();
    if (draw_.OneIn(8)) leaves_at_ = 1 + draw_.Below(30);
    if (draw_.OneIn(15)) {
      socket_.SetReading(false);
      reads_at_ = 1 + draw_.Below(60);
    }
  }

  // Over: every answer came, or the connection ended.
  bool Step(ChaosResult& result) {
    ++steps_;
    if (steps_ == reads_at_) socket_.SetReading(true);
    if (leaves_at_ != 0 && steps_ == leaves_at_) {
      result.abandoned += expected_.size();
      draw_.OneIn(2) ? socket_.Reset() : socket_.Close();
      expected_.clear();
      leaving_ = true;
    }
    if (leaving_) return socket_.closed();
    while (!expected_.empty() && TakeAnswer(result)) {
    }
    if (expected_.empty() || socket_.ended()) {
      result.cut += expected_.size();
      return true;
    }
    return false;
  }

 private:
  struct Expected {
    size_t id;
    bool head_only;
  };

  std::string Request(size_t id) {
    const size_t kind = draw_.Below(10);
    expected_.push_back({id, kind == 0});
    const std::string name = std::to_string(id);
    if (kind < 5) {
      return StrCat({kind == 0 ? "HEAD" : "GET", " /", name, " HTTP/1.1\r\nHost: a\r\nx-id: ", name,
                     "\r\n\r\n"});
    }
    if (kind == 5 && draw_.OneIn(10)) return "GET / HTTP/1.1\r\nHost : a\r\n\r\n";
    const size_t size = draw_.BodySize();
    const std::string body = Payload(id, size);
    const std::string head =
        StrCat({draw_.OneIn(2) ? "PUT" : "POST", draw_.OneIn(4) ? " /collect/" : " /", name,
                " HTTP/1.1\r\nHost: a\r\nx-id: ", name, "\r\nx-size: ", std::to_string(size),
                draw_.OneIn(8) ? "\r\nExpect: 100-continue\r\n" : "\r\n"});
    if (kind < 8) {
      return StrCat({head, "Content-Length: ", std::to_string(size), "\r\n\r\n", body});
    }
    return StrCat(
        {head, "Transfer-Encoding: chunked\r\n\r\n", Chunked(body, 1 + draw_.Below(3000))});
  }

  bool TakeAnswer(ChaosResult& result) {
    const Expected& expected = expected_.front();
    const std::string_view unread = std::string_view(socket_.received()).substr(taken_);
    if (unread.empty() || (unread.size() == looked_at_ && !socket_.ended())) return false;
    const HttpTextResult answer = TakeHttpText(
        unread, expected.head_only ? HttpTextKind::kResponseToHead : HttpTextKind::kResponse,
        socket_.ended());
    looked_at_ = unread.size();
    if (answer.state == HttpTextResult::State::kIncomplete) return false;
    // A message that its connection's end cut off is no message; all else is well written.
    if (answer.state == HttpTextResult::State::kBroken) {
      EXPECT_TRUE(socket_.ended()) << answer.why;
      return false;
    }
    taken_ += answer.message.size;
    looked_at_ = 0;
    const HttpText& message = answer.message;
    if (message.status / 100 == 1) return true;
    if (message.status / 100 == 2) {
      EXPECT_EQ(NumberIn(message, "x-id"), expected.id);
      if (message.status == 200 && !expected.head_only) {
        EXPECT_EQ(message.body, Payload(expected.id + 1, NumberIn(message, "x-size")))
            << "request " << expected.id;
      }
      ++result.whole;
    } else {
      EXPECT_FALSE(message.Header("x-id")) << message.start_line;
      ++result.refused;
    }
    expected_.erase(expected_.begin());
    return true;
  }

  Draw& draw_;
  RawClient socket_;
  std::vector<Expected> expected_;
  size_t taken_ = 0;
  size_t looked_at_ = 0;
  size_t steps_ = 0;
  size_t leaves_at_ = 0;
  size_t reads_at_ = 0;
  bool leaving_ = false;
};

uint64_t Sum(const Counter (&responses)[6]) {
  uint64_t sum = 0;
  for (const Counter& counter : responses) sum += counter.value();
  return sum;
}

}  // namespace

ChaosResult RunChaos(uint64_t seed, size_t requests) {
  constexpr size_t kClients = 24;
  Draw draw(seed);
  FakeClock clock;
  const std::unique_ptr<Loop> loop = std::move(*Loop::Create(clock));
  Driver driver(loop.get());
  ChaosUpstream first(driver, draw);
  ChaosUpstream second(driver, draw);
  const RefusingPort refusing;
  ProxyRig rig(
      *loop, clock,
      StrCat(
          {"listeners:\n"
           "  - name: web\n"
           "    listen: 127.0.0.1:0\n"
           "    timeouts: { head: 300ms, body_idle: 300ms, stream_idle: 2s, keep_alive: 1s }\n"
           "    filters: [{ fault: { delay: { fixed: 4ms, percent: 5% } } }, { buffer: 100KiB }]\n"
           "    routes:\n"
           "      - { match: { prefix: /collect/ }, cluster: api, timeout: 400ms }\n"
           "      - { match: { prefix: / }, cluster: api, timeout: 400ms,\n"
           "          filters: { buffer: off },\n"
           "          mirror: { cluster: copy, fraction: 10% } }\n"
           "clusters:\n"
           "  - name: api\n"
           "    pool: { idle: 8, idle_timeout: 50ms, max_requests: 20 }\n"
           "    endpoints: [{ address: \"",
           first.text(), "\", weight: 20 }, { address: \"", second.text(), "\", weight: 20 }, ",
           refusing.address().ToString(),
           "]\n"
           "  - { name: copy, endpoints: [",
           second.text(), "] }\n"}));
  ChaosResult result;
  std::vector<std::unique_ptr<ChaosClient>> clients;
  size_t begun = 0;
  int idle_turns = 0;
  while ((begun < requests || !clients.empty()) && idle_turns < 20000 &&
         !::testing::Test::HasFatalFailure()) {
    while (begun < requests && clients.size() < kClients) {
      const size_t count = std::min(requests - begun, draw.OneIn(3) ? 1 + draw.Below(4) : 1);
      clients.push_back(std::make_unique<ChaosClient>(driver, draw, rig.port(), begun * 10, count));
      begun += count;
      idle_turns = 0;
    }
    ++idle_turns;
    clock.Advance(kMillisecond);
    driver.RunRounds(1);
    first.Step();
    second.Step();
    std::erase_if(clients, [&](const auto& client) { return client->Step(result); });
  }
  EXPECT_TRUE(clients.empty()) << clients.size() << " clients wait for ever";
  clients.clear();
  for (int i = 0; i < 5000 && !rig.Quiet(); ++i) {
    clock.Advance(5 * kMillisecond);
    driver.RunRounds(1);
    first.Step();
    second.Step();
  }
  EXPECT_EQ(rig.NotQuiet(), "");
  EXPECT_EQ(rig.stats().requests.value(), Sum(rig.stats().responses));
  for (size_t i : {0U, 1U}) {
    EXPECT_EQ(rig.cluster(i).stats().requests.value(), Sum(rig.cluster(i).stats().responses)) << i;
  }
  return result;
}

}  // namespace sluice::test
