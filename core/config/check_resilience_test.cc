#include "core/config/check_resilience.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/config/config.pb.h"
#include "core/config/loader.h"
#include "core/config/test_filters.h"

namespace sluice {
namespace {

using Lines = std::vector<std::string>;

// What is told of a configuration, errors or else warnings; the route is on line 1, the cluster on
// line 3.
Lines Told(const std::string& route, const std::string& cluster = {}) {
  const LoadResult result = LoadConfigText(
      "listeners: [{ name: w, listen: '127.0.0.1:0', routes: [{ match: /, cluster: a, " + route +
          " }] }]\nclusters:\n- { name: a, endpoints: ['a:1'], " + cluster + " }\n",
      ConfigFormat::kYaml, "f", ProcessEnv, TestFilters());
  Lines lines;
  for (const ConfigError& each : result ? result->warnings : result.error()) {
    lines.push_back(each.Text());
  }
  return lines;
}

TEST(CheckResilience, RetriesSayWhatIsRepeated) {
  EXPECT_EQ(Told("retries: { attempts: 3 }"),
            (Lines{"f:1:89: listeners[0].routes[0].retries: nothing says what is repeated: add "
                   "`on: [connect-failure, gateway-error]`"}));
  EXPECT_EQ(Told("retries: { on: [retriable-status-codes] }"),
            (Lines{"f:1:95: listeners[0].routes[0].retries.on: retriable-status-codes stands here "
                   "without `statuses`: [502, 503]"}));
  EXPECT_EQ(Told("retries: { on: [5xx, retriable-headers] }").size(), 1u);
  EXPECT_EQ(Told("retries: { statuses: [100] }").size(), 1u);
  for (const char* good :
       {"retries: { per_try_timeout: 1s }", "retries: { on: [5xx], attempts: 3 }",
        "retries: { statuses: [502] }", "retries: { headers: { x-retry: { present: on } } }",
        "retries: { on: [retriable-status-codes], statuses: [502] }"}) {
    EXPECT_EQ(Told(good), Lines{}) << good;
  }
}

TEST(CheckResilience, WhatIsLongerThanTheRoutesTimeDoesNothing) {
  EXPECT_EQ(Told("timeout: 1s, retries: { on: [5xx], per_try_timeout: 2s }"),
            (Lines{"f:1:132: listeners[0].routes[0].retries.per_try_timeout: does nothing: the "
                   "route's `timeout` is shorter and holds for all tries together"}));
  EXPECT_EQ(Told("timeout: 1s, hedge: 1s"),
            (Lines{"f:1:100: listeners[0].routes[0].hedge.after: no second try ever begins: the "
                   "route's `timeout` is not longer"}));
  EXPECT_EQ(Told("timeout: 0s, hedge: 1s, retries: { on: [5xx], per_try_timeout: 60s }"), Lines{});
  EXPECT_EQ(Told("timeout: 1s, hedge: {}, retries: { on: [5xx], per_try_timeout: 1s }"), Lines{});
}

TEST(CheckResilience, ABreakerHasOneWindow) {
  const std::string both = "breaker: { window: 10s, window_calls: 100 }";
  EXPECT_EQ(Told("timeout: 1s", both),
            (Lines{"f:3:53: clusters[0].breaker.window: `window_calls` takes its place: leave one "
                   "of the two out"}));
  EXPECT_EQ(Told(both).size(), 1u);
  EXPECT_EQ(Told("breaker: { window: 10s }", "breaker: { window_calls: 100 }"), Lines{});
}

}  // namespace
}  // namespace sluice
