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

Lines Errors(const std::string& health, const std::string& endpoint = "a:1") {
  const LoadResult result = LoadConfigText(
      "listeners: [{ name: w, listen: '127.0.0.1:0', routes: [{ match: /, "
      "respond: 200 }] }]\nclusters:\n- name: a\n  endpoints: ['" +
          endpoint + "']\n  health: " + health + "\n",
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

// Some would make requests of what the upstream takes for their bodies.
TEST(CheckHealth, HeadersDoNotSayWhereMessagesEnd) {
  for (const char* name : {"Content-Length", "transfer-encoding", "connection", "keep-alive",
                           "proxy-connection", "te", "trailer", "upgrade", "expect", "host"}) {
    EXPECT_EQ(Errors("{ headers: { " + std::string(name) + ": '1' } }").size(), 1u) << name;
  }
  EXPECT_EQ(Errors("{ headers: { a: b, Host: x } }"),
            (Lines{"f:5:36: clusters[0].health.headers[1]: write it as `host`, beside `headers`"}));
  EXPECT_EQ(Errors("{ headers: { TE: x } }"),
            (Lines{"f:5:28: clusters[0].health.headers[0]: \"TE\" says how messages are delimited "
                   "or connections kept: leave it out"}));
}

TEST(CheckHealth, AUnixSocketHasNoPorts) {
  EXPECT_EQ(Errors("{ port: 81 }", "unix:/run/a.sock"),
            (Lines{"f:5:19: clusters[0].health.port: endpoint \"unix:/run/a.sock\" has no ports: "
                   "leave it out, or give that endpoint a cluster of its own"}));
  EXPECT_EQ(Errors("{}", "unix:/run/a.sock"), Lines{});
}

// Informational answers are none; checks without a pause are an attack.
TEST(CheckHealth, NumbersHaveBounds) {
  EXPECT_EQ(Errors("{ statuses: [200, 103] }").size(), 1u);
  for (const char* field : {"interval", "fast_interval", "down_interval", "timeout"}) {
    EXPECT_EQ(Errors("{ " + std::string(field) + ": 9ms }").size(), 1u) << field;
    EXPECT_EQ(Errors("{ " + std::string(field) + ": 10ms }"), Lines{}) << field;
  }
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
