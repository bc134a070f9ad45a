#include "core/config/check_balance.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/config/config.pb.h"
#include "core/config/loader.h"
#include "core/config/test_filters.h"

namespace sluice {
namespace {

using Lines = std::vector<std::string>;

// What is told of a configuration, errors or else warnings; its `routes` are on line 1, its
// `clusters` on line 3.
Lines Told(const std::string& route, const std::string& clusters) {
  const std::string text = "listeners: [{ name: w, listen: '127.0.0.1:0', routes: [" + route +
                           "] }]\nclusters:\n" + clusters;
  const LoadResult result =
      LoadConfigText(text, ConfigFormat::kYaml, "f", ProcessEnv, TestFilters());
  Lines lines;
  for (const ConfigError& each : result ? result->warnings : result.error()) {
    lines.push_back(each.Text());
  }
  return lines;
}

Lines OfCluster(const std::string& fields) {
  return Told("{ match: /, respond: 200 }", "- { name: a, " + fields + " }\n");
}

Lines OfRoute(const std::string& fields, const std::string& balance) {
  return Told("{ match: /, cluster: a, " + fields + " }",
              "- { name: a, endpoints: ['a:1'], balance: " + balance + " }\n");
}

TEST(CheckBalance, PoliciesHaveNames) {
  EXPECT_EQ(OfCluster("endpoints: ['a:1'], balance: lest_request"),
            (Lines{"f:3:43: clusters[0].balance: expected round_robin, random, "
                   "least_request, least_connections, peak_ewma, least_response_time, ring_hash, "
                   "maglev or utilization, got \"lest_request\" (did you mean "
                   "\"least_request\"?)"}));
  for (const char* policy :
       {"round_robin", "random", "least_request", "least_connections", "peak_ewma",
        "least_response_time", "ring_hash", "maglev", "utilization"}) {
    EXPECT_EQ(OfCluster("endpoints: ['a:1'], balance: " + std::string(policy)), Lines{});
  }
}

TEST(CheckBalance, NumbersHaveBounds) {
  EXPECT_EQ(OfCluster("endpoints: ['a:1'], balance: { bounded_load: 0.5, decay: 0s, "
                      "overprovisioning: 0, panic_threshold: 101% }")
                .size(),
            4u);
  EXPECT_EQ(OfCluster("endpoints: ['a:1'], balance: { bounded_load: 0, panic_threshold: 0% }"),
            Lines{});
}

TEST(CheckBalance, WhatThePolicyDoesNotLookAtIsAWarning) {
  EXPECT_EQ(OfCluster("endpoints: ['a:1'], balance: { hash: [{ header: x }] }"),
            (Lines{"f:3:51: clusters[0].balance.hash: only ring_hash and maglev look at it"}));
  EXPECT_EQ(OfCluster("endpoints: ['a:1'], balance: { policy: maglev, slow_start: 10s }"),
            (Lines{"f:3:73: clusters[0].balance.slow_start: ring_hash and maglev do not look at "
                   "it"}));
  EXPECT_EQ(OfRoute("hash: [client_ip: true]", "random"),
            (Lines{"f:1:86: listeners[0].routes[0].hash: cluster \"a\" does not look at it: its "
                   "policy is neither ring_hash nor maglev"}));
  EXPECT_EQ(OfRoute("hash: [client_ip: true]", "ring_hash"), Lines{});
}

TEST(CheckBalance, KeysThatGiveCookies) {
  const std::string begin = "endpoints: ['a:1'], balance: { policy: maglev, hash: ";
  EXPECT_EQ(OfCluster(begin + "[{ header: x, ttl: 1h }, { query: q, path: /a }] }"),
            (Lines{"f:3:86: clusters[0].balance.hash[0].ttl: only a cookie has a ttl",
                   "f:3:110: clusters[0].balance.hash[1].path: only a cookie has a path"}));
  EXPECT_EQ(OfCluster(begin + "[{ cookie: c, path: /a }] }"),
            (Lines{"f:3:87: clusters[0].balance.hash[0].path: is that of a cookie that is given: "
                   "`ttl` is missing"}));
  EXPECT_EQ(OfCluster(begin + "[{ cookie: c, ttl: 0s }, { header: x }] }"),
            (Lines{"f:3:92: clusters[0].balance.hash[1]: never looked at: a request without the "
                   "cookie before is given one"}));
  EXPECT_EQ(OfCluster(begin + "[{ header: x }, { cookie: c, ttl: 1h, path: /a }] }"), Lines{});
  EXPECT_EQ(
      Told("{ match: /, weighted_clusters: { clusters: [a], sticky: { cookie: c, ttl: 1h } } }",
           "- { name: a, endpoints: ['a:1'] }\n")
          .size(),
      1u);
}

TEST(CheckBalance, Metadata) {
  EXPECT_EQ(OfCluster("endpoints: [{ address: 'a:1', metadata: [{ name: v, value: 1 }, "
                      "{ name: v, value: 2 }] }]"),
            (Lines{"f:3:86: clusters[0].endpoints[0].metadata[1].name: \"v\" is written twice"}));
  EXPECT_EQ(OfCluster("endpoints: [{ address: 'a:1', metadata: { v: 1, w: x } }]"), Lines{});
}

TEST(CheckBalance, Subsets) {
  EXPECT_EQ(OfRoute("subset: { v: 1 }", "{ subsets: [[v], [v, w]] }"), Lines{});
  EXPECT_EQ(OfRoute("subset: { w: 2, v: 1 }", "{ subsets: [[v], [v, w]] }"), Lines{});
  EXPECT_EQ(OfRoute("subset: { w: 2 }", "{ subsets: [[v], [v, w]] }"),
            (Lines{"f:1:88: listeners[0].routes[0].subset: cluster \"a\" has no `subsets` by just "
                   "these names"}));
  EXPECT_EQ(OfRoute("subset: { v: 1 }", "random").size(), 1u);
  EXPECT_EQ(OfRoute("name: r", "{ subsets: { by: [[v, v]], fallback: default } }"),
            (Lines{"f:3:65: clusters[0].balance.subsets.by[0].names[1]: \"v\" is written twice",
                   "f:3:80: clusters[0].balance.subsets.fallback: `default` is missing: the "
                   "metadata of the endpoints to fall back on"}));
  EXPECT_EQ(OfRoute("name: r", "{ subsets: { by: [[v]], default: { v: 1 } } }").size(), 1u);
}

TEST(CheckBalance, StickySessionsNeedAKey) {
  EXPECT_EQ(OfCluster("endpoints: ['a:1'], balance: { sticky_session: { cookie: s, key: short } }"),
            (Lines{"f:3:79: clusters[0].balance.sticky_session.key: must be at least 16 bytes "
                   "long"}));
  EXPECT_EQ(OfCluster("endpoints: ['a:1'], balance: { sticky_session: { cookie: s } }").size(), 1u);
}

TEST(CheckBalance, TheTopLevelZoneIsThatOfClusters) {
  const LoadResult loaded = LoadConfigText(
      "zone: b\nlisteners: [{ name: w, listen: '127.0.0.1:0', routes: [{ match: /, respond: 200 "
      "}] }]\nclusters: [{ name: a, endpoints: ['a:1'] }, { name: b, endpoints: ['a:1'], balance: "
      "{ zone: c } }]",
      ConfigFormat::kYaml, "f", ProcessEnv, TestFilters());
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config->clusters(0).balance().zone(), "b");
  EXPECT_EQ(loaded->config->clusters(1).balance().zone(), "c");
}

TEST(CheckBalance, KeysHashSomething) {
  EXPECT_EQ(OfRoute("hash: [{ client_ip: off }]", "maglev").size(), 1u);
  EXPECT_EQ(OfRoute("hash: [{ client_ip: on }]", "maglev"), Lines{});
  EXPECT_EQ(
      OfCluster("endpoints: ['a:1'], balance: { policy: maglev, hash: [{ client_ip: off }] }"),
      (Lines{"f:3:81: clusters[0].balance.hash[0].client_ip: off hashes nothing: write `on`, "
             "or leave this key out"}));
  EXPECT_EQ(Told("{ match: /, weighted_clusters: { clusters: [a], sticky: { client_ip: off } } }",
                 "- { name: a, endpoints: ['a:1'] }\n")
                .size(),
            1u);
}

// It would give the client's cookie attributes of its own.
TEST(CheckBalance, ACookiesPathEndsBeforeItsAttributes) {
  EXPECT_EQ(OfRoute("hash: [{ cookie: c, ttl: 1s, path: '/a;Domain=x' }]", "maglev").size(), 1u);
  EXPECT_EQ(OfCluster("endpoints: ['a:1'], balance: { sticky_session: { cookie: s, key: "
                      "0123456789abcdef, path: '/;x' } }")
                .size(),
            1u);
}

}  // namespace
}  // namespace sluice
