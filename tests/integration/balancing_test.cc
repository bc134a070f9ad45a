// Balancing over real sockets: what of a request decides its endpoint, and what of its end the
// balancer is told. The policies themselves: core/upstream/balance.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/base/strings.h"
#include "core/filter/filter.h"
#include "core/upstream/endpoint_groups.h"
#include "tests/support/dead_ports.h"
#include "tests/support/proxy_fixture.h"
#include "tests/support/scripted_filter.h"

namespace sluice::test {
namespace {

class Balancing : public ProxyFixture {
 protected:
  // Both upstreams say who they are.
  void SetUp() override {
    upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nU");
    other_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nO");
  }
  // A cluster of both, with these fields in a flow map.
  void StartBoth(const std::string& balance, const std::string& route = {}) {
    StartYaml(StrCat({"listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, ",
                      "cluster: api", route.empty() ? "" : ", ", route,
                      " }] }]\nclusters: [{ name: api, endpoints: [\"$UP\", \"$OTHER\"], balance: ",
                      balance, " }]\n"}));
  }
  std::string Who(std::string_view fields = {}) { return Ask(Get("/", fields)).body; }
  static std::string SetCookie(const HttpText& response) {
    return std::string(response.Header("set-cookie").value_or(""));
  }
  // What a client would send back.
  static std::string CookieOf(const HttpText& response) {
    const std::string line = SetCookie(response);
    return "Cookie: " + line.substr(0, line.find(';')) + "\r\n";
  }
  uint64_t active(size_t endpoint) const {
    return rig_->endpoints().endpoints[endpoint].active.value();
  }
};

TEST_F(Balancing, AHeadersValueKeepsItsEndpoint) {
  StartBoth("{ policy: maglev, hash: [{ header: x-user }, { query: u }] }");
  std::string all;
  for (int user = 0; user < 20; ++user) {
    const std::string fields = "x-user: " + std::to_string(user) + "\r\n";
    const std::string who = Who(fields);
    EXPECT_EQ(Who(fields), who);
    EXPECT_EQ(Ask(Get("/?u=" + std::to_string(user))).body, who) << "the same value elsewhere";
    all += who;
  }
  EXPECT_NE(all.find('U'), std::string::npos);
  EXPECT_NE(all.find('O'), std::string::npos);
}

TEST_F(Balancing, ARoutesKeyTakesThePlaceOfTheClusters) {
  StartBoth("{ policy: ring_hash, hash: [{ header: x-user }] }", "hash: [{ header: x-other }]");
  std::string all;
  for (int i = 0; i < 20; ++i) {
    all += Who("x-user: " + std::to_string(i) + "\r\nx-other: same\r\n");
  }
  EXPECT_EQ(all, std::string(20, all[0]));
}

TEST_F(Balancing, AClientIsGivenTheCookieThatIsHashed) {
  StartBoth("{ policy: maglev, hash: [{ cookie: c, ttl: 90500ms, path: /a }] }");
  for (int client = 0; client < 10; ++client) {
    const HttpText first = Ask(Get("/"));
    const std::string line = SetCookie(first);
    EXPECT_TRUE(line.starts_with("c=")) << line;
    EXPECT_NE(line.find("; Path=/a; HttpOnly; Max-Age=91"), std::string::npos) << line;
    for (int i = 0; i < 3; ++i) {
      const HttpText again = Ask(Get("/", CookieOf(first)));
      EXPECT_EQ(again.body, first.body);
      EXPECT_EQ(SetCookie(again), "");
    }
  }
}

TEST_F(Balancing, ASessionStaysWithItsEndpoint) {
  StartBoth("{ policy: random, sticky_session: { cookie: s, key: 0123456789abcdef0 } }");
  for (int client = 0; client < 10; ++client) {
    const HttpText first = Ask(Get("/"));
    EXPECT_EQ(SetCookie(first).size(), 2 + 32 + std::string("; Path=/; HttpOnly").size());
    for (int i = 0; i < 5; ++i) {
      const HttpText again = Ask(Get("/", "Cookie: x=1; " + CookieOf(first).substr(8)));
      EXPECT_EQ(again.body, first.body);
      EXPECT_EQ(SetCookie(again), "");
    }
  }
}

TEST_F(Balancing, ASessionThatNobodySignedIsNone) {
  StartBoth("{ sticky_session: { cookie: s, key: 0123456789abcdef0, ttl: 1h, path: /p } }");
  for (const char* forged : {"s=", "s=00000000000000000000000000000000", "s=127.0.0.1:80"}) {
    const HttpText response = Ask(Get("/", StrCat({"Cookie: ", forged, "\r\n"})));
    EXPECT_EQ(response.status, 200);
    EXPECT_NE(SetCookie(response).find("; Path=/p; HttpOnly; Max-Age=3600"), std::string::npos);
  }
}

TEST_F(Balancing, ASessionWhoseEndpointIsOutGetsAnother) {
  StartBoth("{ sticky_session: { cookie: s, key: 0123456789abcdef0 } }");
  const HttpText first = Ask(Get("/"));
  auto set = std::make_shared<EndpointSet>(rig_->endpoints());
  set->endpoints[first.body == "U" ? 0 : 1].faults = 1;
  GroupEndpoints(rig_->cluster().settings().balance, *set, nullptr);
  rig_->cluster().Update(set);
  const HttpText second = Ask(Get("/", CookieOf(first)));
  EXPECT_NE(second.body, first.body);
  EXPECT_NE(SetCookie(second), "");
}

TEST_F(Balancing, ARouteWantsEndpointsByMetadata) {
  StartYaml(
      "listeners:\n- name: web\n  listen: '127.0.0.1:0'\n  routes:\n"
      "  - { match: /new, cluster: api, subset: { version: 2 } }\n"
      "  - { match: /gone, cluster: api, subset: { version: 3 } }\n"
      "  - { match: /, cluster: api }\n"
      "clusters:\n- name: api\n  balance: { subsets: [[version]] }\n  endpoints:\n"
      "  - { address: \"$UP\", metadata: { version: 1 } }\n"
      "  - { address: \"$OTHER\", metadata: { version: 2 } }\n");
  std::string all;
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(Ask(Get("/new")).body, "O");
    all += Ask(Get("/")).body;
  }
  EXPECT_EQ(std::count(all.begin(), all.end(), 'U'), 3);
  EXPECT_EQ(Ask(Get("/gone")).status, 503);
  EXPECT_EQ(Ended(13).flags, "UH");
}

TEST_F(Balancing, AFilterNamesTheEndpoint) {
  std::vector<std::string> log;
  std::string wanted = other_.text();
  sluice::Script script;
  script.request_headers = [&wanted](FilterContext& context, bool) {
    context.info().wanted_endpoint = wanted;
    return Verdict::Continue();
  };
  FactoryKind kind("wanting",
                   [&] { return std::make_unique<ScriptedFactory>("wanting", script, log); });
  AddFilter(kind);
  StartBoth("round_robin");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(Who(), "O");
  wanted = "127.0.0.1:1";  // not of this cluster: anybody
  EXPECT_NE(Who(), Who());
}

TEST_F(Balancing, WhatIsInFlightIsCountedAndGivenBack) {
  ScriptedUpstream slow(driver_);
  slow.Next().AwaitRequest().Hold().Send(kOk);
  slow.Next().AwaitRequest().Hold().Send(kOk);
  StartYaml(
      StrCat({"listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, cluster: "
              "api }] }]\nclusters: [{ name: api, endpoints: ['",
              slow.text(), "'], balance: least_request }]\n"}));
  RawClient first(driver_, port());
  RawClient second(driver_, port());
  first.Send(Get("/"));
  ASSERT_TRUE(slow.WaitForRequests(1));
  second.Send(Get("/"));
  ASSERT_TRUE(slow.WaitForRequests(2));
  EXPECT_EQ(active(0), 2u);
  slow.connection(0).Release();
  EXPECT_EQ(first.ReadResponse().status, 200);
  EXPECT_EQ(active(0), 1u);
  second.Reset();  // the client goes in mid-request
  driver_.RunUntil([&] { return active(0) == 0; }, "given back");
  EXPECT_EQ(active(0), 0u);
}

TEST_F(Balancing, PoliciesThatDoNotCountAreNotMadeTo) {
  StartBoth("round_robin");
  EXPECT_FALSE(rig_->cluster().feedback().active);
  EXPECT_FALSE(rig_->cluster().feedback().peak_latency);
  EXPECT_FALSE(rig_->cluster().feedback().reports);
}

TEST_F(Balancing, LatencyRunsFromTheTryToTheHead) {
  ScriptedUpstream slow(driver_);
  slow.Next().AwaitRequest().Hold().Send(kOk);
  StartYaml(
      StrCat({"listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, cluster: "
              "api }] }]\nclusters: [{ name: api, endpoints: ['",
              slow.text(), "'], balance: peak_ewma }]\n"}));
  const LatencyAverage& average = rig_->cluster().Pick()->load.latency;
  EXPECT_EQ(average.measured_at(), 0);
  RawClient client(driver_, port());
  client.Send(Get("/"));
  ASSERT_TRUE(slow.WaitForRequests(1));
  Advance(70 * kMillisecond);
  slow.connection(0).Release();
  EXPECT_EQ(client.ReadResponse().status, 200);
  EXPECT_NEAR(average.At(loop_->now(), 10 * kSecond), 70.0 * kMillisecond, kMillisecond);
}

// Each of them is no slower than a second to a balancer by latency.
TEST_F(Balancing, FailuresCountAsSlow) {
  const RefusingPort refusing;
  ScriptedUpstream bad(driver_);
  const auto measured = [&](const std::string& endpoint, const std::string& route, int status) {
    rig_.reset();
    StartYaml(StrCat({"listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, ",
                      "cluster: api", route, " }] }]\nclusters: [{ name: api, endpoints: ['",
                      endpoint, "'], balance: peak_ewma }]\n"}));
    RawClient client(driver_, port());
    client.Send(Get("/"));
    if (!route.empty()) {
      EXPECT_TRUE(bad.WaitForRequests(3));
      Advance(300 * kMillisecond);
    }
    EXPECT_EQ(client.ReadResponse().status, status);
    return rig_->cluster().Pick()->load.latency.At(loop_->now(), 10 * kSecond);
  };
  bad.Next().AwaitRequest().Send("HTTP/1.1 500 Bad\r\nContent-Length: 0\r\n\r\n");
  EXPECT_GE(measured(bad.text(), "", 500), 1.0 * kSecond);
  bad.Next().AwaitRequest().Reset();
  EXPECT_GE(measured(bad.text(), "", 503), 1.0 * kSecond);
  EXPECT_GE(measured(refusing.address().ToString(), "", 503), 1.0 * kSecond);
  bad.Next().AwaitRequest();
  EXPECT_GE(measured(bad.text(), ", timeout: 200ms", 504), 1.0 * kSecond);
}

TEST_F(Balancing, ADeadEndpointsRequestsGoToTheOther) {
  const RefusingPort dead;
  for (const char* policy : {"least_request", "peak_ewma", "least_response_time",
                             "{ policy: maglev, hash: [{ header: x }] }"}) {
    rig_.reset();
    StartYaml(StrCat({"listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, ",
                      "cluster: api }] }]\nclusters: [{ name: api, endpoints: ['",
                      dead.address().ToString(), "', \"$UP\"], balance: ", policy, " }]\n"}));
    for (int i = 0; i < 10; ++i) {
      EXPECT_EQ(Who("x: " + std::to_string(i) + "\r\n"), "U") << policy;
    }
  }
}

TEST_F(Balancing, ReportsOfLoadAreReadInHeadAndTrailers) {
  ScriptedUpstream endpoint(driver_);
  endpoint.Next()
      .AwaitRequest()
      .Send(
          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nendpoint-load-metrics: JSON "
          "{\"cpu_utilization\":0.5,\"rps_fractional\":100}\r\n\r\nok")
      .AwaitRequest()
      .Send(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n"
          "endpoint-load-metrics: TEXT cpu_utilization=0.25,rps_fractional=100\r\n\r\n");
  StartYaml(
      StrCat({"listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, cluster: "
              "api }] }]\nclusters: [{ name: api, endpoints: ['",
              endpoint.text(), "'], balance: { policy: utilization, utilization: { ",
              "blackout: 0s } } }]\n"}));
  const ReportedLoad& reported = rig_->cluster().Pick()->load.reported;
  const UtilizationSettings& settings = rig_->cluster().settings().balance.utilization;
  EXPECT_EQ(reported.WeightAt(loop_->now(), settings), 0);
  EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_DOUBLE_EQ(reported.WeightAt(loop_->now(), settings), 200);
  Advance(kSecond);
  EXPECT_EQ(Ask(Get("/")).status, 200);
  EXPECT_DOUBLE_EQ(reported.WeightAt(loop_->now(), settings), 400);
}

TEST_F(Balancing, AMirrorsCopiesCountToo) {
  ScriptedUpstream copies(driver_);
  copies.Next().AwaitRequest().Hold().Send(kOk);
  StartYaml(
      StrCat({"listeners: [{ name: web, listen: '127.0.0.1:0', routes: [{ match: /, cluster: "
              "api, mirror: shadow }] }]\nclusters:\n- { name: api, endpoints: [\"$UP\"] }\n"
              "- { name: shadow, endpoints: ['",
              copies.text(), "'], balance: least_connections }\n"}));
  EXPECT_EQ(Who(), "U");
  ASSERT_TRUE(copies.WaitForRequests(1));
  const SharedGauge& gauge = rig_->endpoints(1).endpoints[0].active;
  EXPECT_EQ(gauge.value(), 1u);
  copies.connection(0).Release();
  driver_.RunUntil([&] { return gauge.value() == 0; }, "given back");
  EXPECT_EQ(gauge.value(), 0u);
}

}  // namespace
}  // namespace sluice::test
