#include "core/upstream/health/health_reader.h"

#include <gmock/gmock.h>

#include "core/config/health.pb.h"
#include "tests/support/checked_cluster.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::Pair;

HealthSettings Read(const std::string& health) {
  return ReadHealth(CheckedClusterConfig({"10.0.0.1:80"}, health).health());
}

TEST(HealthReader, TakesEachField) {
  const HealthSettings http = Read(
      "path: /up, method: PUT, host: a.example, statuses: [200, 204], body: yes, headers: { x-a: "
      "'1', x-b: '2' }, port: 81, interval: 1s, fast_interval: 2s, down_interval: 3s, timeout: 4s, "
      "healthy_threshold: 5, unhealthy_threshold: 6");
  EXPECT_EQ(http.protocol, HealthSettings::Protocol::kHttp);
  EXPECT_EQ(http.path, "/up");
  EXPECT_EQ(http.method, "PUT");
  EXPECT_EQ(http.host, "a.example");
  EXPECT_THAT(http.statuses, ElementsAre(200, 204));
  EXPECT_EQ(http.body, "yes");
  EXPECT_THAT(http.headers, ElementsAre(Pair("x-a", "1"), Pair("x-b", "2")));
  EXPECT_EQ(http.port, 81);
  EXPECT_EQ(http.interval, kSecond);
  EXPECT_EQ(http.fast_interval, 2 * kSecond);
  EXPECT_EQ(http.down_interval, 3 * kSecond);
  EXPECT_EQ(http.timeout, 4 * kSecond);
  EXPECT_EQ(http.healthy_threshold, 5u);
  EXPECT_EQ(http.unhealthy_threshold, 6u);
  EXPECT_EQ(http.jitter, 0);

  const HealthSettings tcp = Read("protocol: tcp, send: a, expect: b");
  EXPECT_EQ(tcp.protocol, HealthSettings::Protocol::kTcp);
  EXPECT_EQ(tcp.send, "a");
  EXPECT_EQ(tcp.expect, "b");
  EXPECT_FALSE(tcp.one_line);
  const HealthSettings redis = Read("protocol: redis");
  EXPECT_EQ(redis.send, "*1\r\n$4\r\nPING\r\n");
  EXPECT_EQ(redis.expect, "+PONG");
  EXPECT_TRUE(redis.one_line);
}

// A message without any field, as tests make it, means what the schema's defaults mean.
TEST(HealthReader, TheDefaultsAreTheSchemas) {
  const HealthSettings written = Read("protocol: http");
  const HealthSettings none = ReadHealth(config::Health());
  EXPECT_EQ(written.path, none.path);
  EXPECT_EQ(written.method, none.method);
  EXPECT_EQ(written.statuses, none.statuses);
  EXPECT_EQ(written.interval, none.interval);
  EXPECT_EQ(written.fast_interval, none.fast_interval);
  EXPECT_EQ(written.down_interval, none.down_interval);
  EXPECT_EQ(written.timeout, none.timeout);
  EXPECT_EQ(written.healthy_threshold, none.healthy_threshold);
  EXPECT_EQ(written.unhealthy_threshold, none.unhealthy_threshold);
}

}  // namespace
}  // namespace sluice
