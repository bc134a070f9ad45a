#include "core/config/check_health.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/config/config.pb.h"
#include "core/config/loader.h"
#include "core/config/test_filters.h"

namespace sluice {
namespace {

using Lines = std::vector<std::string>;

Lines Errors(const std::string& health) {
  const LoadResult result = LoadConfigText(
      "listeners: [{ name: w, listen: '127.0.0.1:0', routes: [{ match: /, "
      "respond: 200 }] }]\nclusters:\n- name: a\n  endpoints: ['a:1']\n  health: " +
          health + "\n",
      ConfigFormat::kYaml, "f", ProcessEnv, TestFilters());
  Lines lines;
  if (result) return lines;
  for (const ConfigError& each : result.error()) lines.push_back(each.Text());
  return lines;
}

TEST(CheckHealth, FieldsBelongToAProtocol) {
  for (const char* good :
       {"/up", "{}",
        "{ path: /, method: GET, host: a, statuses: [200], body: a, headers: { a: b } }",
        "{ protocol: tcp, send: a, expect: b, port: 1 }", "{ protocol: redis, timeout: 2s }"}) {
    EXPECT_EQ(Errors(good), Lines{}) << good;
  }
  for (const char* field :
       {"path: /", "method: GET", "host: a", "statuses: [200]", "body: a", "headers: { a: b }"}) {
    EXPECT_EQ(Errors("{ protocol: tcp, " + std::string(field) + " }").size(), 1u) << field;
    EXPECT_EQ(Errors("{ protocol: redis, " + std::string(field) + " }").size(), 1u) << field;
  }
  for (const char* field : {"send: a", "expect: a"}) {
    EXPECT_EQ(Errors("{ protocol: redis, " + std::string(field) + " }").size(), 1u) << field;
    EXPECT_EQ(Errors("{ protocol: http, " + std::string(field) + " }").size(), 1u) << field;
  }
  EXPECT_EQ(Errors("{ expect: up }"),
            (Lines{"f:5:21: clusters[0].health.expect: only checks with `protocol: tcp` have it, "
                   "not http"}));
}

TEST(CheckHealth, AMethodMustGiveAnAnswer) {
  EXPECT_EQ(Errors("{ method: CONNECT }"),
            (Lines{"f:5:21: clusters[0].health.method: CONNECT asks for a tunnel: take another "
                   "method"}));
  EXPECT_EQ(Errors("{ method: HEAD, body: up }"),
            (Lines{"f:5:33: clusters[0].health.body: an answer to HEAD has no body: take GET"}));
  EXPECT_EQ(Errors("{ method: HEAD }"), Lines{});
}

}  // namespace
}  // namespace sluice
