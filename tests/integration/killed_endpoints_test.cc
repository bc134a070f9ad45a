// Endpoints die and come back under several clients: nobody sees an error while one of them is
// left.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/strings.h"
#include "core/upstream/health/health_checker.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

constexpr Nanos kTick = 10 * kMillisecond;
constexpr size_t kClients = 8;
constexpr size_t kEndpoints = 3;

class KilledEndpoints : public ProxyFixture, public testing::WithParamInterface<const char*> {
 protected:
  // A client sends its next request in the tick after its last answer.
  struct Client {
    std::unique_ptr<RawClient> socket;
    size_t sent = 0;
    size_t answered = 0;
    size_t looked_at = 0;  // bytes
  };

  void SetUp() override {
    std::string endpoints;
    for (size_t i = 0; i < kEndpoints; ++i) {
      upstreams_.push_back(std::make_unique<ScriptedUpstream>(driver_));
      upstreams_.back()->AlwaysAnswer(kOk);
      addresses_.push_back(upstreams_.back()->address());
      endpoints += StrCat({"\"", upstreams_.back()->text(), "\", "});
    }
    StartYaml(StrCat(
        {"listeners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: /, cluster: api, ",
         "retries: { on: [connect-failure, reset], attempts: 4 } }] }]\nclusters: [{ name: api, ",
         "endpoints: [", endpoints, "], balance: ", GetParam(), ", health: { jitter: 0% } }]\n"}));
    Advance(HealthChecker::kFirstChecks + kMillisecond);
    for (size_t i = 0; i < kClients; ++i) {
      clients_.emplace_back().socket = std::make_unique<RawClient>(driver_, port());
    }
  }
  void TearDown() override {
    for (int i = 0; i < 50; ++i) Tick(false);
    clients_.clear();
    for (int i = 0; i < 50; ++i) Advance(kTick);
    ProxyFixture::TearDown();
  }

  void Kill(size_t endpoint) {
    ScriptedUpstream& upstream = *upstreams_[endpoint];
    upstream.StopListening();
    for (size_t i = 0; i < upstream.connection_count(); ++i) {
      if (!upstream.connection(i).ended()) upstream.connection(i).Reset();
    }
    upstreams_[endpoint].reset();
  }
  void Restart(size_t endpoint) {
    upstreams_[endpoint] = std::make_unique<ScriptedUpstream>(driver_, addresses_[endpoint]);
    upstreams_[endpoint]->AlwaysAnswer(kOk);
  }

  // Half of what they send has a body.
  void Tick(bool send) {
    for (Client& client : clients_) {
      if (!send || client.sent > client.answered) continue;
      client.socket->Send(client.sent % 2 == 0 ? Get("/") : Post("/", "body"));
      ++client.sent;
    }
    Advance(kTick);
    driver_.RunRounds(3);
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
  void Pass(Nanos time) {
    for (Nanos passed = 0; passed < time; passed += kTick) Tick(true);
  }
  bool usable(size_t endpoint) { return rig_->endpoints().endpoints[endpoint].usable(); }

  std::vector<std::unique_ptr<ScriptedUpstream>> upstreams_;
  std::vector<Address> addresses_;
  std::vector<Client> clients_;
  uint64_t good_ = 0;
  uint64_t bad_ = 0;
};

TEST_P(KilledEndpoints, NobodyNoticesWhileOneIsLeft) {
  Pass(200 * kMillisecond);
  for (size_t round = 0; round < kEndpoints; ++round) {
    const size_t first = round;
    const size_t second = (round + 1) % kEndpoints;
    Kill(first);
    Pass(2 * kSecond);
    EXPECT_FALSE(usable(first)) << "it is noticed in time";
    Kill(second);
    Pass(2 * kSecond);
    EXPECT_FALSE(usable(second));
    EXPECT_EQ(bad_, 0u) << "round " << round;
    Restart(first);
    Restart(second);
    Pass(5 * kSecond);
    EXPECT_TRUE(usable(first)) << "it is back in time";
    EXPECT_TRUE(usable(second));
    EXPECT_GT(upstreams_[first]->request_count(), 10u) << "and used";
    EXPECT_EQ(bad_, 0u) << "round " << round;
  }
  EXPECT_GT(good_, 10'000u);
}

INSTANTIATE_TEST_SUITE_P(Policies, KilledEndpoints,
                         testing::Values("round_robin", "least_request", "peak_ewma"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace sluice::test
