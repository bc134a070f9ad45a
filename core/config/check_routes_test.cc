#include "core/config/check_routes.h"

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

// Errors, or else warnings, of a listener with these fields.
Lines Told(const std::string& fields) {
  const std::string text = "listeners:\n- name: w\n  listen: '127.0.0.1:0'\n" + fields +
                           "clusters: [{ name: a, endpoints: ['a:1'] }]\n";
  const LoadResult result =
      LoadConfigText(text, ConfigFormat::kYaml, "f", ProcessEnv, TestFilters());
  Lines lines;
  for (const ConfigError& each : result ? result->warnings : result.error()) {
    lines.push_back(StrCat({each.path, ": ", each.message}));
  }
  return lines;
}

TEST(CheckRoutes, WhatCountsForLongIsToldApart) {
  EXPECT_EQ(Told("  routes:\n"
                 "  - { name: x, match: /a, cluster: a, breaker: {} }\n"
                 "  - { name: x, match: /b, cluster: a }\n"
                 "  - { name: x, match: /c, cluster: a, bulkhead: 10 }\n"),
            Lines{"listeners[0].routes[2].name: the name \"x\" is that of listeners[0].routes[0], "
                  "and both have a breaker or a bulkhead: name them apart"});
  EXPECT_EQ(Told("  routes:\n"
                 "  - { match: { prefix: /a, fraction: 50% }, cluster: a, breaker: {} }\n"
                 "  - { match: { prefix: /a, fraction: 50% }, cluster: a, breaker: {} }\n"),
            Lines{"listeners[0].routes[1]: matches the same as listeners[0].routes[0], and both "
                  "have a breaker or a bulkhead: give them names"});
  EXPECT_EQ(
      Told("  hosts:\n"
           "  - { domains: [a], routes: [{ name: x, match: /, cluster: a, breaker: {} }] }\n"
           "  - { domains: [b], routes: [{ name: x, match: /, cluster: a, breaker: {} }] }\n"),
      Lines{});
}

// Its word has room for no more than that.
TEST(CheckRoutes, ABreakerIsOpenForADayAtMost) {
  for (const std::string field : {"open_for", "max_open_for", "recovery_ramp"}) {
    EXPECT_EQ(Told("  routes: [{ match: /, cluster: a, breaker: { " + field + ": 24h } }]\n"),
              Lines{});
    EXPECT_EQ(
        Told("  routes: [{ match: /, cluster: a, breaker: { " + field + ": 25h } }]\n"),
        Lines{"listeners[0].routes[0].breaker." + field + ": must be at most 24h, got \"25h\""});
  }
}

TEST(CheckRoutes, ABreakerIsOfClustersThatAreKnown) {
  EXPECT_EQ(Told("  routes: [{ match: /, cluster_header: x-cluster, breaker: {} }]\n"),
            Lines{"listeners[0].routes[0].breaker: does not go with `cluster_header`: give the "
                  "clusters that it may name one each"});
}

}  // namespace
}  // namespace sluice
