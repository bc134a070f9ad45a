#include "core/server/config_faults.h"

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/server/registered_filters.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<std::string> Faults(std::string_view yaml) {
  const LoadResult loaded = LoadConfigText(
      yaml, ConfigFormat::kYaml, "f",
      [](const std::string&) { return std::optional<std::string>(); }, RegisteredFilters());
  if (!loaded) return {"not even loaded: " + loaded.error()[0].Text()};
  std::vector<std::string> texts;
  for (const ConfigError& error : FindConfigFaults(*loaded)) texts.push_back(error.Text());
  return texts;
}

TEST(ConfigFaultsTest, NoneInASoundConfiguration) {
  EXPECT_THAT(Faults(R"(user: '0'
group: '0'
log: { path: /tmp/sluice.log }
admin: { listen: 'unix:/tmp/admin.sock' }
listeners:
  - name: web
    listen: { address: 'unix:/tmp/web.sock', owner: '12', group: '34' }
    forwarded: { trusted_cidrs: [10.0.0.0/8] }
    filters: [{ access_log: { path: /tmp/access.log } }]
    request_headers: { remove: [x-a], set: { x-b: '%client_ip%' }, add: { x-c: '1' } }
    local_reply: [{ flags: [UH], body: '%status%', headers: { set: { x-d: '%status%' } } }]
    routes: [{ match: { prefix: / }, cluster: app }]
clusters: [{ name: app, endpoints: [127.0.0.1:9001, app.example:80, 'unix:/tmp/app.sock'] }]
)"),
              IsEmpty());
}

TEST(ConfigFaultsTest, AllAtOnceWithTheirPlaces) {
  EXPECT_THAT(
      Faults(R"(user: nobody-of-this-name
group: no-group-of-this-name
log: { path: /nowhere/sluice.log }
admin: { listen: { address: 'unix:/tmp/admin.sock', owner: no-owner } }
listeners:
  - name: web
    listen: { address: 'unix:/tmp/web.sock', owner: no-owner, group: no-group }
    filters:
      - access_log: { path: /nowhere/access.log }
      - headers: {}
    request_headers: { remove: [host], set: { x-a: '%nothing%', x-b: '1', x-c: '%' } }
    response_headers: { add: { connection: close } }
    local_reply:
      - { flags: [UH, NOTHING, NEITHER], body: '%nothing%' }
      - { statuses: [503], headers: { set: { x-a: '%nothing%' } } }
    hosts:
      - domains: [a.example]
        response_headers: { set: { x-a: '%nothing%' } }
        routes:
          - match: { prefix: / }
            weighted_clusters:
              clusters:
                - { name: app, weight: 1, request_headers: { set: { x-a: '%nothing%' } } }
            filters: { headers: {} }
          - match: { prefix: /b }
            cluster: app
            request_headers: { remove: [te] }
clusters:
  - { name: app, endpoints: [127.0.0.1:9001] }
)"),
      ElementsAre(
          StartsWith("f:1:7: user: there is no user \"nobody-of-this-name\""),
          StartsWith("f:2:8: group: there is no group \"no-group-of-this-name\""),
          StartsWith("f:3:14: log.path: open /nowhere/sluice.log: No such file or directory"),
          StartsWith("f:4:60: admin.listen.owner: there is no user \"no-owner\""),
          StartsWith("f:7:53: listeners[0].listen.owner: there is no user \"no-owner\""),
          StartsWith("f:7:70: listeners[0].listen.group: there is no group \"no-group\""),
          StartsWith(
              "f:9:29: listeners[0].filters[0].access_log.path: open /nowhere/access.log: No "
              "such file or directory"),
          StartsWith("f:10:18: listeners[0].filters[1].headers: "),
          StartsWith("f:11:33: listeners[0].request_headers.remove[0]: host cannot be changed"),
          StartsWith("f:11:52: listeners[0].request_headers.set[0]: x-a: "),
          StartsWith("f:11:80: listeners[0].request_headers.set[2]: x-c: "),
          StartsWith("f:12:44: listeners[0].response_headers.add[0]: connection cannot be changed"),
          StartsWith("f:14:23: listeners[0].local_reply[0].flags[1]: there is no response flag "
                     "\"NOTHING\""),
          StartsWith("f:14:32: listeners[0].local_reply[0].flags[2]: there is no response flag "
                     "\"NEITHER\""),
          StartsWith("f:14:48: listeners[0].local_reply[0].body: "),
          StartsWith("f:15:51: listeners[0].local_reply[1].headers.set[0]: x-a: "),
          StartsWith("f:18:41: listeners[0].hosts[0].response_headers.set[0]: x-a: "),
          StartsWith("f:23:74: listeners[0].hosts[0].routes[0].weighted_clusters.clusters[0]."
                     "request_headers.set[0]: x-a: "),
          StartsWith("f:24:33: listeners[0].hosts[0].routes[0].filters.headers: "),
          StartsWith("f:27:41: listeners[0].hosts[0].routes[1].request_headers.remove[0]: te ")));
}

TEST(ConfigFaultsTest, AUserWithoutAnEntryNeedsAGroup) {
  constexpr std::string_view kRest =
      "listeners: [{ name: a, listen: 127.0.0.1:0, routes: [{ match: /, respond: 200 }] }]\n";
  EXPECT_THAT(Faults("user: '4000000000'\n" + std::string(kRest)),
              ElementsAre("f:1:7: user: user \"4000000000\" has no entry that says its group: set "
                          "`group`"));
  EXPECT_THAT(Faults("user: '4000000000'\ngroup: '1'\n" + std::string(kRest)), IsEmpty());
}

}  // namespace
}  // namespace sluice
