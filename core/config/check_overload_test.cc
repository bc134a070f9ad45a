#include "core/config/check_overload.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/loader.h"
#include "core/config/test_filters.h"

namespace sluice {
namespace {

using Lines = std::vector<std::string>;

Lines Told(const std::string& route, const std::string& cluster, const std::string& more = {}) {
  const std::string text = "listeners: [{ name: w, listen: '127.0.0.1:0', routes: [{ match: /, " +
                           route + "cluster: a }] }]\nclusters: [{ name: a, " + cluster +
                           "endpoints: ['a:1'] }]\n" + more;
  const LoadResult result =
      LoadConfigText(text, ConfigFormat::kYaml, "f", ProcessEnv, TestFilters());
  Lines lines;
  for (const ConfigError& each : result ? result->warnings : result.error()) {
    lines.push_back(StrCat({each.path, ": ", each.message}));
  }
  return lines;
}

Lines OfRoute(const std::string& bulkhead) { return Told("bulkhead: " + bulkhead + ", ", ""); }
Lines OfCluster(const std::string& bulkhead) { return Told("", "bulkhead: " + bulkhead + ", "); }
Lines OfOverload(const std::string& overload) {
  return Told("", "", "overload: " + overload + "\n");
}

TEST(CheckOverload, GoodOnesAreGood) {
  for (const char* bulkhead :
       {"10", "{ requests: 10, queue: 100, reserve: 10% }", "{ requests: 50, adaptive: {} }"}) {
    EXPECT_EQ(OfRoute(bulkhead), Lines{}) << bulkhead;
    EXPECT_EQ(OfCluster(bulkhead), Lines{}) << bulkhead;
  }
  EXPECT_EQ(OfRoute("{ requests: 10, per: { header: x-consumer }, queue: 10 }"), Lines{});
}

TEST(CheckOverload, ConsumersAreOfRoutes) {
  EXPECT_EQ(OfCluster("{ requests: 10, per: { client_ip: true } }"),
            Lines{"clusters[0].bulkhead.per: only the bulkheads of routes are for each consumer"});
  EXPECT_EQ(OfRoute("{ requests: 50, per: { client_ip: true }, adaptive: {} }"),
            Lines{"listeners[0].routes[0].bulkhead.adaptive: does not go with `per`: how long "
                  "responses take says nothing of one consumer"});
}

TEST(CheckOverload, ABulkheadGivesNoCookies) {
  EXPECT_EQ(OfRoute("{ requests: 10, per: { cookie: who } }"), Lines{});
  EXPECT_EQ(
      OfRoute("{ requests: 10, per: { cookie: who, ttl: 1h, path: /a } }"),
      (Lines{"listeners[0].routes[0].bulkhead.per.ttl: a bulkhead gives clients no cookie: leave "
             "it out",
             "listeners[0].routes[0].bulkhead.per.path: a bulkhead gives clients no cookie: leave "
             "it out"}));
}

TEST(CheckOverload, HighPrioritiesHaveNoLowerLimits) {
  const auto limits = [](const std::string& text) {
    return Told("", "limits: { " + text + " }, ");
  };
  EXPECT_EQ(limits("connections: 5, high: { connections: 5 }"), Lines{});
  EXPECT_EQ(limits("retries: 3, high: { connections: 2000, requests: 2000, retries: 4 }"), Lines{});
  EXPECT_EQ(limits("connections: 5, high: { connections: 4, pending: 1023, requests: 1 }"),
            (Lines{"clusters[0].limits.high.connections: must not be below that of others, 5",
                   "clusters[0].limits.high.pending: must not be below that of others, 1024",
                   "clusters[0].limits.high.requests: must not be below that of others, 1024"}));
  EXPECT_EQ(limits("high: { retries: 3 }"),
            Lines{"clusters[0].limits.high.retries: others have no such limit: leave it out"});
}

TEST(CheckOverload, AnAdaptiveLimitBeginsInItsRange) {
  EXPECT_EQ(OfRoute("{ requests: 10, adaptive: {} }"),
            Lines{"listeners[0].routes[0].bulkhead.requests: the limit begins with it: must be "
                  "between at_least, 20, and at_most, 200"});
  EXPECT_EQ(OfRoute("{ requests: 10, adaptive: { at_least: 5, at_most: 4 } }"),
            Lines{"listeners[0].routes[0].bulkhead.adaptive.at_least: must not be above at_most"});
}

TEST(CheckOverload, StepsAreInTheirOrder) {
  EXPECT_EQ(OfOverload("{ memory: { stop_keep_alive: 92% } }"),
            Lines{"overload.memory.shed_low_priority: must not be below stop_keep_alive: steps "
                  "are taken in this order"});
  EXPECT_EQ(OfOverload("{ loop_lag: { shed_low_priority: 0ms, refuse_connections: 20ms } }"),
            Lines{"overload.loop_lag.refuse_connections: must not be below stop_keep_alive: steps "
                  "are taken in this order"});
  EXPECT_EQ(OfOverload("{ memory: { stop_keep_alive: 0%, shed_low_priority: 99%, "
                       "refuse_connections: 0% }, fds: {}, connections: {}, loop_lag: {} }"),
            Lines{});
}

}  // namespace
}  // namespace sluice
