// A cluster that is down as a whole, and comes back: what it is sent meanwhile, and how soon its
// clients are served again.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/strings.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

constexpr std::string_view kDown =
    "HTTP/1.1 503 Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
constexpr Nanos kTick = 10 * kMillisecond;
constexpr int kTicksPerSecond = static_cast<int>(kSecond / kTick);
constexpr size_t kClients = 8;

class Outage : public ProxyFixture {
 protected:
  // A client sends its next request in the tick after its last answer.
  struct Client {
    std::unique_ptr<RawClient> socket;
    uint64_t sent = 0;
    uint64_t answered = 0;
    size_t looked_at = 0;  // bytes
  };

  void TearDown() override {
    clients_.clear();
    for (int i = 0; i < 50; ++i) Advance(kTick);
    ProxyFixture::TearDown();
  }

  void StartWith(std::string_view cluster) {
    Start({.route = "retries: { on: [5xx, reset, connect-failure], attempts: 4 }",
           .cluster = std::string(cluster)});
    for (size_t i = 0; i < kClients; ++i) {
      clients_.emplace_back().socket = std::make_unique<RawClient>(driver_, port());
    }
  }

  void Tick() {
    for (Client& client : clients_) {
      if (client.sent > client.answered) continue;
      client.socket->Send(Get("/"));
      ++client.sent;
      ++sent_;
    }
    Advance(kTick);
    for (Client& client : clients_) Count(client);
  }

  void Count(Client& client) {
    const std::string& got = client.socket->received();
    constexpr std::string_view kBegin = "HTTP/1.1 ";
    for (size_t at = got.find(kBegin, client.looked_at); at != std::string::npos;
         at = got.find(kBegin, client.looked_at)) {
      client.looked_at = at + kBegin.size();
      ++client.answered;
      ++(got.compare(client.looked_at, 3, "200") == 0 ? good_ : bad_);
    }
  }

  void Pass(int seconds) {
    for (int i = 0; i < seconds * kTicksPerSecond; ++i) Tick();
  }

  std::vector<Client> clients_;
  uint64_t sent_ = 0;
  uint64_t good_ = 0;
  uint64_t bad_ = 0;
};

// The budget: a fifth of the requests, and ten a second for ten seconds.
TEST_F(Outage, RetriesDoNotMultiplyWhatClientsSend) {
  StartWith("");
  upstream_.Others() = Script().AwaitRequest().Send(kDown).Close();
  Pass(8);
  EXPECT_GT(sent_, 1000U);
  EXPECT_EQ(good_, 0U);
  const auto clients = static_cast<double>(sent_);
  EXPECT_GT(static_cast<double>(upstream_.request_count()), 1.1 * clients);
  EXPECT_LE(static_cast<double>(upstream_.request_count()), 1.2 * clients + 10 * 10);
}

// With a breaker next to nothing is sent, and all are served again soon after.
TEST_F(Outage, ABreakerLeavesItAloneAndComesBack) {
  StartWith("breaker: { open_for: 1s, max_open_for: 4s, recovery_ramp: 2s }");
  upstream_.Others() = Script().AwaitRequest().Send(kOk).Repeat();
  Pass(2);
  EXPECT_EQ(bad_, 0U);
  const uint64_t rate = sent_ / 2;  // a second
  for (size_t i = 0; i < upstream_.connection_count(); ++i) upstream_.connection(i).Close();
  upstream_.Others() = Script().AwaitRequest().Send(kDown).Close();
  Pass(4);  // half of the calls in its window have failed
  const uint64_t before = upstream_.request_count();
  const uint64_t sent_before = sent_;
  Pass(10);
  const uint64_t offered = upstream_.request_count() - before;
  EXPECT_LT(offered * 100, sent_ - sent_before) << "next to nothing is sent to it";
  EXPECT_GT(offered, 0U) << "somebody looks whether it is back";

  upstream_.Others() = Script().AwaitRequest().Send(kOk).Repeat();
  uint64_t most = 0;  // in a tenth of a second
  for (int i = 0; i < 100; ++i) {
    const uint64_t then = upstream_.request_count();
    for (int tick = 0; tick < kTicksPerSecond / 10; ++tick) Tick();
    most = std::max(most, upstream_.request_count() - then);
  }
  EXPECT_LE(most * 10, rate * 3 / 2) << "nobody is flattened";
  const uint64_t bad_before = bad_;
  Pass(2);
  EXPECT_EQ(bad_, bad_before) << "ten seconds after it returned everybody is served";
}

}  // namespace
}  // namespace sluice::test
