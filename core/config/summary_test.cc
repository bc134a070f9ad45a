#include "core/config/summary.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "core/config/config.pb.h"
#include "core/config/loader.h"
#include "core/config/snapshot.h"
#include "core/config/test_filters.h"

namespace sluice {
namespace {

LoadedConfig Load(std::string_view yaml) {
  LoadResult result =
      LoadConfigText(yaml, ConfigFormat::kYaml, "f.yaml", ProcessEnv, TestFilters());
  EXPECT_TRUE(result) << result.error().front().Text();
  return std::move(*result);
}

TEST(Summary, TellsWhatWouldRun) {
  const LoadedConfig loaded = Load(R"(
id: edge
workers: 2
admin: { listen: 127.0.0.1:9901 }
listeners:
  - name: web
    listen: 0.0.0.0:8080
    filters: [{ access_log: { path: /dev/stdout } }, cors]
    routes:
      - { match: /, cluster: api }
      - { match: /never, cluster: api }
  - name: local
    listen: unix:/run/sluice.sock
    hosts:
      - domains: [a.com, "*.a.com"]
        routes: [{ match: /, respond: 204 }]
clusters:
  - name: api
    endpoints: [127.0.0.1:1, { address: "b:2", weight: 3 }]
  - name: many
    balance: random
    endpoints: ["e:1", "e:2", "e:3", "e:4", "e:5", "e:6", "e:7", "e:8", "e:9", "e:10"]
)");
  EXPECT_EQ(
      SummaryText(*loaded.config, loaded.warnings),
      "edge: 2 workers\n"
      "admin  127.0.0.1:9901\n"
      "listeners\n"
      "  web  0.0.0.0:8080\n"
      "    filters: access_log > cors > router\n"
      "    2 routes\n"
      "  local  unix:/run/sluice.sock\n"
      "    filters: router\n"
      "    a.com, *.a.com: 1 route\n"
      "clusters\n"
      "  api  round_robin over 127.0.0.1:1, b:2 (weight 3)\n"
      "  many  random over e:1, e:2, e:3, e:4, e:5, e:6, e:7, e:8 and 2 more\n"
      "warnings\n"
      "  f.yaml:11:9: listeners[0].routes[1]: never matches: listeners[0].routes[0] takes all "
      "its requests\n");
}

TEST(Summary, TheLeastConfig) {
  const LoadedConfig loaded = Load(
      "listeners: [{ name: a, listen: '127.0.0.1:0', routes: [{ match: /, respond: 200 }] }]\n");
  EXPECT_EQ(SummaryText(*loaded.config, loaded.warnings),
            "sluice: one worker per core\n"
            "listeners\n"
            "  a  127.0.0.1:0\n"
            "    filters: router\n"
            "    1 route\n");
}

TEST(Snapshot, KeepsTheWholeConfig) {
  LoadedConfig loaded = Load(
      "id: x\nlisteners:\n- { name: a, listen: '127.0.0.1:0', routes: [{ match: /, respond: 200 }, "
      "{ match: /b, respond: 200 }] }\n");
  const uint64_t hash = loaded.content_hash;
  const Snapshot snapshot(std::move(loaded), 7);
  EXPECT_EQ(snapshot.config().id(), "x");
  EXPECT_EQ(snapshot.file(), "f.yaml");
  EXPECT_EQ(snapshot.version(), 7u);
  EXPECT_EQ(snapshot.content_hash(), hash);
  EXPECT_EQ(snapshot.warnings().size(), 1u);
}

}  // namespace
}  // namespace sluice
