// Active checks while requests go on, over real sockets. The checks themselves:
// core/upstream/health.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "core/base/strings.h"
#include "core/upstream/health/health_checker.h"
#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

class Health : public ProxyFixture {
 protected:
  static constexpr std::string_view kOther = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother";

  void StartBoth(const std::string& health, const std::string& route = {}) {
    other_.AlwaysAnswer(kOther);
    mortal_ = std::make_unique<ScriptedUpstream>(driver_);
    address_ = mortal_->address();
    mortal_->AlwaysAnswer(kOk);
    StartYaml(StrCat({"listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, ",
                      "cluster: api, ", route, " }] }]\nclusters: [{ name: api, endpoints: [\"",
                      address_.ToString(), "\", \"$OTHER\"], health: { jitter: 0%, ", health,
                      " } }]\n"}));
    Advance(HealthChecker::kFirstChecks + kMillisecond);
    driver_.RunUntil(
        [&] {
          return std::none_of(rig_->endpoints().endpoints.begin(),
                              rig_->endpoints().endpoints.end(), [](const Endpoint& each) {
                                return HasFault(each.faults, EndpointFault::kUnchecked);
                              });
        },
        "the first checks");
  }
  // Requests as time goes on, until the verdict is there; returns how many went to other_.
  int AskUntil(bool usable) {
    int other = 0;
    for (int i = 0; i < 2000 && rig_->endpoints().endpoints[0].usable() != usable; ++i) {
      Advance(10 * kMillisecond);
      driver_.RunRounds(3);
      if (i % 10 != 0) continue;
      const HttpText response = Ask(Get("/"));
      EXPECT_EQ(response.status, 200);
      other += response.body == "other";
    }
    EXPECT_EQ(rig_->endpoints().endpoints[0].usable(), usable);
    return other;
  }
  uint64_t connect_failures() { return rig_->cluster().stats().connect_failures.value(); }

  Address address_;
  std::unique_ptr<ScriptedUpstream> mortal_;
};

TEST_F(Health, WhoDiesAndReturnsCostsNobodyAnything) {
  StartBoth("path: /up", "retries: { on: [connect-failure, reset], attempts: 2 }");
  mortal_.reset();
  AskUntil(false);
  const uint64_t failures = connect_failures();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Ask(Get("/")).body, "other");
  EXPECT_EQ(connect_failures(), failures) << "nobody tries it any more";

  mortal_ = std::make_unique<ScriptedUpstream>(driver_, address_);
  mortal_->AlwaysAnswer(kOk);
  EXPECT_GT(AskUntil(true), 0);
  int back = 0;
  for (int i = 0; i < 20; ++i) back += Ask(Get("/")).body == "ok";
  EXPECT_EQ(back, 10);
}

TEST_F(Health, WhoSaysThatItIsNotWellGetsNoRequests) {
  StartBoth("path: /up, unhealthy_threshold: 1");
  mortal_->AlwaysAnswer("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n");
  // Connections that are there go on to be answered well: it is noticed on the next one.
  for (int i = 0; i < 20 && rig_->endpoints().endpoints[0].usable(); ++i) {
    Advance(5 * kSecond);
    driver_.RunRounds(20);
  }
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Ask(Get("/")).body, "other");
}

// The last one that is left is used, well or not: a check may be wrong.
TEST_F(Health, WhereNobodyIsWellAllAreUsed) {
  StartBoth("path: /up, unhealthy_threshold: 1, statuses: [204]");
  EXPECT_FALSE(rig_->endpoints().endpoints[0].usable());
  EXPECT_FALSE(rig_->endpoints().endpoints[1].usable());
  EXPECT_EQ(rig_->endpoints().priorities_in_panic, 1u);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Ask(Get("/")).status, 200);
}

// Checks that are new to a configuration must not log everybody out.
TEST_F(Health, ASessionStaysWithAnEndpointThatWasNotCheckedYet) {
  upstream_.AlwaysAnswer(kOk);
  other_.AlwaysAnswer(kOther);
  StartYaml(
      "listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, cluster: api }] }]\n"
      "clusters: [{ name: api, endpoints: [\"$UP\", \"$OTHER\"], health: {}, balance: { policy: "
      "random, sticky_session: { cookie: s, key: 0123456789abcdef0 } } }]\n");
  const HttpText first = Ask(Get("/"));
  const std::string line(first.Header("set-cookie").value_or(""));
  const std::string cookie = "Cookie: " + line.substr(0, line.find(';')) + "\r\n";
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Ask(Get("/", cookie)).body, first.body);
  EXPECT_TRUE(HasFault(rig_->endpoints().endpoints[0].faults, EndpointFault::kUnchecked));
}

// The proxy's own counters know nothing of them.
TEST_F(Health, ChecksAreNoRequests) {
  StartBoth("path: /up");
  for (int i = 0; i < 10; ++i) {
    Advance(5 * kSecond);
    driver_.RunRounds(20);
  }
  EXPECT_GT(mortal_->request_count(), 5u);
  const ClusterStats& stats = rig_->cluster().stats();
  EXPECT_EQ(stats.requests.value(), 0u);
  EXPECT_EQ(stats.connections.value(), 0u);
  EXPECT_EQ(stats.bytes_sent.value(), 0u);
}

}  // namespace
}  // namespace sluice::test
