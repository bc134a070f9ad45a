#include "core/config/loader.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/test_filters.h"

namespace sluice {
namespace {

using Lines = std::vector<std::string>;

class LoaderTest : public testing::Test {
 protected:
  LoadResult Load(std::string_view text, ConfigFormat format = ConfigFormat::kYaml) {
    const auto env = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = env_.find(name);
      return found == env_.end() ? std::nullopt : std::optional(found->second);
    };
    return LoadConfigText(text, format, "f", env, filters_);
  }
  // The lines a user sees; none if it loads.
  Lines Errors(std::string_view text, ConfigFormat format = ConfigFormat::kYaml) {
    Lines lines;
    const LoadResult result = Load(text, format);
    if (!result) {
      for (const ConfigError& error : result.error()) lines.push_back(error.Text());
    }
    return lines;
  }
  Lines Warnings(std::string_view text) {
    Lines lines;
    const LoadResult result = Load(text);
    EXPECT_TRUE(result) << result.error().front().Text();
    if (result) {
      for (const ConfigError& warning : result->warnings) lines.push_back(warning.Text());
    }
    return lines;
  }

  TestFilters filters_;
  std::map<std::string, std::string> env_;
};

// A listener in lines 1 to 3 and a cluster "api" in the last two; `routes` from line 4 on.
std::string WithRoutes(const std::string& routes) {
  return "listeners:\n- name: web\n  listen: 127.0.0.1:80\n" + routes +
         "\nclusters:\n- { name: api, endpoints: ['127.0.0.1:81'] }\n";
}

constexpr std::string_view kDesign = R"(
admin: { listen: 127.0.0.1:9901 }

listeners:
  - name: web
    listen: 0.0.0.0:8080
    timeouts: { head: 10s, body_idle: 60s, stream_idle: 5m, keep_alive: 60s }
    filters:
      - access_log: { path: /dev/stdout, format: json }
      - rate_limit: { key: client_ip, rate: 100/s, burst: 50 }
      - jwt_auth: { issuer: https://id.example.com, audiences: [api], algorithms: [RS256, ES256], jwks: { uri: http://idp/jwks.json, cluster: idp } }
      - lua: { script: lua/examples/tag.lua }
    routes:
      - match: { prefix: /api/ }
        cluster: api
        timeout: 5s
        retries: { per_try_timeout: 1s }
        filters: { rate_limit: { rate: 10/s }, jwt_auth: off }
      - match: { path: /healthz }
        respond: { status: 200, body: ok }

clusters:
  - name: api
    balance: round_robin
    endpoints: [127.0.0.1:9001, { address: 127.0.0.1:9002, weight: 3 }]
  - name: idp
    endpoints: [127.0.0.1:9003]
)";

std::string Number(const config::FilterUse& use, const TestFilters& filters, const char* field) {
  std::unique_ptr<google::protobuf::Message> message(filters.Prototype(use.name())->New());
  EXPECT_TRUE(use.config().UnpackTo(message.get()));
  const auto* descriptor = message->GetDescriptor()->FindFieldByName(field);
  return descriptor->cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_DOUBLE
             ? std::to_string(message->GetReflection()->GetDouble(*message, descriptor))
             : std::to_string(message->GetReflection()->GetUInt32(*message, descriptor));
}

TEST_F(LoaderTest, TheDesignsExample) {
  const LoadResult result = Load(kDesign);
  ASSERT_TRUE(result) << result.error().front().Text();
  const config::Config& config = *result->config;
  EXPECT_TRUE(result->warnings.empty());
  EXPECT_EQ(config.id(), "sluice");
  EXPECT_EQ(config.drain_timeout(), 60'000'000'000);
  EXPECT_EQ(config.admin().listen(0).address(), "127.0.0.1:9901");
  ASSERT_EQ(config.listeners_size(), 1);
  const config::Listener& web = config.listeners(0);
  EXPECT_EQ(web.timeouts().stream_idle(), 300'000'000'000);
  EXPECT_EQ(web.limits().head_size(), 61'440u);
  EXPECT_EQ(web.limits().header_count(), 100u);
  EXPECT_EQ(web.limits().target_size(), 8'192u);
  EXPECT_TRUE(web.http10());
  EXPECT_TRUE(web.path().normalize());
  ASSERT_EQ(web.filters_size(), 4);
  EXPECT_EQ(web.filters(1).name(), "rate_limit");
  EXPECT_EQ(Number(web.filters(1), filters_, "rate"), "100.000000");
  ASSERT_EQ(web.routes_size(), 2);
  const config::Route& api = web.routes(0);
  EXPECT_EQ(api.cluster(), "api");
  EXPECT_EQ(api.timeout(), 5'000'000'000);
  EXPECT_EQ(api.retries().per_try_timeout(), 1'000'000'000);
  EXPECT_FALSE(api.has_idle_timeout());
  ASSERT_EQ(api.filters_size(), 2);
  EXPECT_EQ(Number(api.filters(0), filters_, "rate"), "10.000000");
  EXPECT_EQ(Number(api.filters(0), filters_, "burst"), "50");  // the listener's
  EXPECT_EQ(api.filters(1).name(), "jwt_auth");
  EXPECT_TRUE(api.filters(1).off());
  EXPECT_EQ(web.routes(1).respond().body(), "ok");
  EXPECT_EQ(web.routes(1).timeout(), 15'000'000'000);
  ASSERT_EQ(config.clusters_size(), 2);
  EXPECT_EQ(config.clusters(0).connect_timeout(), 3'000'000'000);
  EXPECT_EQ(config.clusters(0).endpoints(0).weight(), 1u);
  EXPECT_EQ(config.clusters(0).endpoints(1).weight(), 3u);
  EXPECT_EQ(config.clusters(0).pool().idle(), 32u);
}

TEST_F(LoaderTest, ThreeLanguagesSayTheSame) {
  const LoadResult yaml = Load(
      "listeners:\n- { name: web, listen: 'unix:/x', http10: off, filters: [cors], "
      "routes: [{ match: /, cluster: a, request_headers: { set: { z: 1, b: 2 } } }] }\n"
      "clusters: [{ name: a, endpoints: ['a:1'], proxy_protocol: off }]\n");
  const LoadResult json = Load(
      R"({"listeners": [{"name": "web", "listen": "unix:/x", "http10": false, "filters": ["cors"],
          "routes": [{"match": "/", "cluster": "a",
                      "request_headers": {"set": {"z": 1, "b": "2"}}}]}],
          "clusters": [{"name": "a", "endpoints": ["a:1"], "proxy_protocol": "off"}]})",
      ConfigFormat::kJson);
  const LoadResult toml = Load(
      "[[listeners]]\nname = 'web'\nlisten = 'unix:/x'\nhttp10 = false\nfilters = ['cors']\n"
      "[[listeners.routes]]\nmatch.prefix = '/'\ncluster = 'a'\n"
      "request_headers.set = { z = 1, b = '2' }\n"
      "[[clusters]]\nname = 'a'\nendpoints = ['a:1']\nproxy_protocol = false\n",
      ConfigFormat::kToml);
  ASSERT_TRUE(yaml) << yaml.error().front().Text();
  ASSERT_TRUE(json) << json.error().front().Text();
  ASSERT_TRUE(toml) << toml.error().front().Text();
  EXPECT_EQ(yaml->config->SerializeAsString(), json->config->SerializeAsString());
  EXPECT_EQ(yaml->config->SerializeAsString(), toml->config->SerializeAsString());
  EXPECT_EQ(yaml->config->listeners(0).routes(0).request_headers().set(0).name(), "z");
}

TEST_F(LoaderTest, FaultsInYaml) {
  EXPECT_EQ(
      Errors("listeners:\n- name: web\n  lissten: x\n  filters:\n  - cors\n"
             "  - rate_limit: { key: route, rate: \"100\" }\n  routes: []\n"),
      (Lines{"f:2:3: listeners[0]: \"listen\" is missing",
             "f:3:3: listeners[0]: unknown field \"lissten\" (did you mean \"listen\"?)",
             "f:6:37: listeners[0].filters[1].rate_limit.rate: expected a rate such as 100/s, "
             "got \"100\""}));
  EXPECT_EQ(Errors("listeners: [\n"), (Lines{"f:1:12: this \"[\" has no \"]\""}));
  EXPECT_EQ(Errors(""), (Lines{"f:1:1: \"listeners\" is missing"}));
  EXPECT_EQ(Errors("listeners: []"), (Lines{"f:1:12: listeners: must not be empty"}));
  EXPECT_EQ(Errors("just text"),
            (Lines{"f:1:1: expected a map of id, workers, drain_timeout, user, ..., got "
                   "\"just text\""}));
  EXPECT_EQ(Errors("id: a\nid: b\nlisteners: ~\n"),
            (Lines{"f:1:1: \"listeners\" is missing",
                   "f:2:1: \"id\" is written twice, first in line 1"}));
}

TEST_F(LoaderTest, FaultsInJson) {
  EXPECT_EQ(Errors("{\n\t\"listeners\": [\n\t\t{ \"nam\": \"web\", \"listen\": 8080,\n"
                   "\t\t  \"http10\": \"maybe\", \"http10\": true, \"routes\": {} }\n\t]\n}\n",
                   ConfigFormat::kJson),
            (Lines{"f:3:3: listeners[0]: \"name\" is missing",
                   "f:3:5: listeners[0]: unknown field \"nam\" (did you mean \"name\"?)",
                   "f:3:29: listeners[0].listen: expected an address such as 127.0.0.1:8080, "
                   "[::1]:8080 or unix:/run/web.sock, got \"8080\"",
                   "f:4:15: listeners[0].http10: expected on or off, got \"maybe\"",
                   "f:4:24: listeners[0]: \"http10\" is written twice, first in line 4",
                   "f:4:50: listeners[0].routes: expected a list, got a map"}));
  EXPECT_EQ(Errors("{\"id\": }}", ConfigFormat::kJson).size(), 1u);
  EXPECT_EQ(Errors("{\"id\": \"a\"", ConfigFormat::kJson),
            (Lines{"f:1:1: this \"{\" has no \"}\""}));
}

TEST_F(LoaderTest, FaultsInToml) {
  EXPECT_EQ(
      Errors("workers = -1\ndrain_timeout = 60\n[[listeners]]\nname = 'web'\n"
             "listen = { addres = '127.0.0.1:80' }\nfilters = [{ rate_limt = {} }]\n"
             "routes = []\n",
             ConfigFormat::kToml),
      (Lines{"f:1:11: workers: expected a whole number, 0 or more, got \"-1\"",
             "f:2:17: drain_timeout: expected a duration such as 250ms or 5s, got \"60\"",
             "f:5:10: listeners[0].listen: \"address\" is missing",
             "f:5:12: listeners[0].listen: unknown field \"addres\" (did you mean "
             "\"address\"?)",
             "f:6:14: listeners[0].filters[0]: there is no filter \"rate_limt\" (did you mean "
             "\"rate_limit\"?)"}));
  const Lines twice = Errors("id = 'a'\nid = 'b'\n", ConfigFormat::kToml);
  ASSERT_EQ(twice.size(), 1u);
  EXPECT_EQ(twice[0].substr(0, 4), "f:2:");
  EXPECT_EQ(Errors("[[listeners]\n", ConfigFormat::kToml).size(), 1u);
}

TEST_F(LoaderTest, Environment) {
  env_ = {{"PORT", "8080"}, {"EMPTY", ""}, {"LIST", "[a]"}};
  const LoadResult result = Load(
      "id: ${NAME:-edge}-$${PORT}-${PORT}$\nuser: \"${EMPTY}\"\ngroup: ${EMPTY:-www}\n"
      "listeners: [{ name: \"${LIST:-}x\", listen: \"127.0.0.1:${PORT}\", routes: [] }]\n");
  ASSERT_FALSE(result);
  EXPECT_EQ(
      Errors("id: \"${}\"\nuser: ${NONE}\ngroup: ${OPEN\nworkers: ${NONE}\n"
             "listeners:\n- { name: a, listen: '127.0.0.1:${PORT}', "
             "routes: [{ match: '${NONE}', respond: 200 }] }\n"),
      (Lines{"f:1:5: id: \"\" is no name of a variable; write $${ for the characters ${",
             "f:2:7: user: the environment variable NONE is not set; ${NONE:-default} would "
             "give a default",
             "f:3:8: group: \"${\" without \"}\"",
             "f:4:10: workers: the environment variable NONE is not set; ${NONE:-default} "
             "would give a default",
             "f:6:61: listeners[0].routes[0].match: the environment variable NONE is not set; "
             "${NONE:-default} would give a default"}));
  const LoadResult good = Load(
      "user: ${NAME:-edge}-$${PORT}-${PORT}$\ngroup: ${EMPTY:-www}\n"
      "listeners: [{ name: a, listen: \"127.0.0.1:${PORT}\", "
      "routes: [{ match: \"/${LIST}\", respond: 200 }] }]\n");
  ASSERT_TRUE(good) << good.error().front().Text();
  EXPECT_EQ(good->config->user(), "edge-${PORT}-8080$");
  EXPECT_EQ(good->config->group(), "www");
  EXPECT_EQ(good->config->listeners(0).listen().address(), "127.0.0.1:8080");
  EXPECT_EQ(good->config->listeners(0).routes(0).match().prefix(), "/[a]");
}

TEST_F(LoaderTest, FilterFaults) {
  EXPECT_EQ(
      Errors(WithRoutes("  filters:\n  - cors:\n    origins: [a]\n  - lua: { script: missing }\n"
                        "  - access_log: off\n  - [lua]\n  - {}\n  - lua: { script: a }\n"
                        "  routes: []\n")),
      (Lines{"f:6:5: listeners[0].filters[0]: expected one filter with its config, got "
             "\"origins\" beside \"cors\": indent the fields of cors deeper than its name",
             "f:8:17: listeners[0].filters[2].access_log: a filter can be off only in a route: "
             "leave it out here",
             "f:9:5: listeners[0].filters[3]: expected a filter's name, alone or with its "
             "config, got a list",
             "f:10:5: listeners[0].filters[4]: expected a filter's name, alone or with its "
             "config, got a map"}));
  EXPECT_EQ(
      Errors(WithRoutes("  filters: { cors: {} }\n  routes: []\n")),
      (Lines{"f:4:12: listeners[0].filters: expected a list such as [cors, { access_log: { ... "
             "} }], got a map"}));
  EXPECT_EQ(Errors(WithRoutes("  filters: [rate_limit]\n  routes: []\n")),
            (Lines{"f:4:13: listeners[0].filters[0].rate_limit: \"key\" is missing",
                   "f:4:13: listeners[0].filters[0].rate_limit: \"rate\" is missing"}));
}

TEST_F(LoaderTest, RouteFilterFaults) {
  EXPECT_EQ(
      Errors(WithRoutes(
          "  filters: [cors, lua: { script: a }, lua: { script: b }]\n  hosts:\n"
          "  - domains: ['*']\n    routes:\n    - match: /a\n      cluster: api\n"
          "      filters: { lua: { script: c }, every: off, crs: off, cors: { x: 1 } }\n"
          "    - match: /b\n      cluster: api\n      filters: [cors]\n"
          "    - match: /c\n      cluster: api\n      filters: { lua: off, cors: on }\n")),
      (Lines{
          "f:10:18: listeners[0].hosts[0].routes[0].filters.lua: the listener has several filters "
          "of this name: a route can only set them off",
          "f:10:38: listeners[0].hosts[0].routes[0].filters: the filter \"every\" is not among the "
          "listener's filters",
          "f:10:50: listeners[0].hosts[0].routes[0].filters: there is no filter \"crs\" (did you "
          "mean \"cors\"?)",
          "f:10:68: listeners[0].hosts[0].routes[0].filters.cors: unknown field \"x\"",
          "f:13:16: listeners[0].hosts[0].routes[1].filters: expected a map such as { cors: off, "
          "headers: { ... } }, got a list"}));
  // A fault in the listener's filter is told once.
  EXPECT_EQ(Errors(WithRoutes("  filters: [nope]\n  routes:\n  - match: /\n    cluster: api\n"
                              "    filters: { nope: off }\n")),
            (Lines{"f:4:13: listeners[0].filters[0]: there is no filter \"nope\""}));
}

TEST_F(LoaderTest, TheAdminApiIsPrivateOrHasAToken) {
  const std::string rest =
      "listeners: [{ name: a, listen: 'unix:/a', routes: [{ match: /, respond: 200 }] }]\n";
  const std::string fix =
      "is open to others than this machine: add `token: \"${ADMIN_TOKEN}\"`, or listen on "
      "127.0.0.1, [::1] or a unix socket";
  for (const char* address :
       {"127.0.0.1:1", "127.9.9.9:1", "'[::1]:1'", "'unix:/run/a'", "'unix:@a'"}) {
    EXPECT_EQ(Errors(StrCat({"admin: ", address, "\n", rest})), Lines{}) << address;
  }
  EXPECT_EQ(Errors("admin: 0.0.0.0:1\n" + rest),
            (Lines{StrCat({"f:1:8: admin.listen: \"0.0.0.0:1\" ", fix})}));
  EXPECT_EQ(
      Errors("admin:\n  listen: [127.0.0.1:1, '[::]:2', { address: 'unix:/x', mode: '0660' }]\n" +
             rest),
      (Lines{StrCat({"f:2:25: admin.listen[1]: \"[::]:2\" ", fix})}));
  EXPECT_EQ(Errors("admin: { listen: ['[::]:2', 10.0.0.1:2], token: abc }\n" + rest), Lines{});
  EXPECT_EQ(Errors("admin: { listen: 127.0.0.1:1, token: '' }\n" + rest),
            (Lines{"f:1:38: admin.token: must not be empty: leave it out to have none"}));
  EXPECT_EQ(Errors("admin: { listen: 127.0.0.1:1, token: 'a b' }\n" + rest),
            (Lines{"f:1:38: admin.token: must be of visible ASCII characters without blanks"}));
  EXPECT_EQ(Errors("admin: { listen: [] }\n" + rest),
            (Lines{"f:1:18: admin.listen: must not be empty"}));
}

TEST_F(LoaderTest, NamesAndAddressesAreUnique) {
  EXPECT_EQ(
      Errors("admin: { listen: 127.0.0.1:80 }\nlisteners:\n"
             "- { name: a, listen: 127.0.0.1:80, routes: [{ match: /, respond: 200 }] }\n"
             "- { name: a, listen: '0.0.0.0:81', routes: [{ match: /, respond: 200 }] }\n"
             "- { name: b, listen: '127.0.0.1:81', routes: [{ match: /, respond: 200 }] }\n"
             "- name: c\n  listen: { address: '127.0.0.1:0', owner: www }\n  hosts:\n"
             "  - { name: x, domains: [a.com, B.com], routes: [{ match: /, respond: 200 }] }\n"
             "  - { name: x, domains: [c.com, b.com], routes: [{ match: /, respond: 200 }] }\n"
             "clusters:\n- { name: k, endpoints: ['a:1'] }\n- { name: k, endpoints: ['a:1'] }\n"),
      (Lines{"f:3:22: listeners[0].listen: \"127.0.0.1:80\" is taken: it is that of admin.listen",
             "f:4:11: listeners[1].name: the name \"a\" is that of listeners[0]",
             "f:5:22: listeners[2].listen: \"127.0.0.1:81\" is taken: listeners[1].listen has all "
             "addresses of port 81",
             "f:7:11: listeners[3].listen: only unix sockets have an owner and a group",
             "f:10:13: listeners[3].hosts[1].name: the name \"x\" is that of listeners[3].hosts[0]",
             "f:10:33: listeners[3].hosts[1].domains[1]: the domain \"b.com\" is taken by "
             "listeners[3].hosts[0].domains[1]",
             "f:13:11: clusters[1].name: the name \"k\" is that of clusters[0]"}));
}

TEST_F(LoaderTest, RoutesOrHosts) {
  EXPECT_EQ(Errors(WithRoutes("")),
            (Lines{"f:2:3: listeners[0]: one of routes or hosts is missing"}));
  EXPECT_EQ(
      Errors(WithRoutes("  routes: [{ match: /, cluster: api }]\n"
                        "  hosts: [{ domains: ['*'], routes: [{ match: /, cluster: api }] }]")),
      (Lines{"f:4:11: listeners[0].routes: routes and hosts exclude each other: put these "
             "routes into a host with the domain \"*\""}));
  EXPECT_EQ(Errors(WithRoutes("  hosts: [{ domains: [], routes: [] }]")),
            (Lines{"f:4:22: listeners[0].hosts[0].domains: must not be empty",
                   "f:4:34: listeners[0].hosts[0].routes: must not be empty"}));
}

TEST_F(LoaderTest, ActionsAndClusters) {
  EXPECT_EQ(
      Errors(WithRoutes("  routes:\n  - match: /a\n    cluster: apii\n    respond: 200\n"
                        "  - match: /b\n  - match: /c\n    weighted_clusters: [nope, api, api]\n"
                        "    mirror: gone\n  - cluster: api\n  - match: /d\n"
                        "    weighted_clusters: [{ name: api, weight: 0 }]\n")),
      (Lines{
          "f:6:14: listeners[0].routes[0].cluster: there is no cluster \"apii\" (did you mean "
          "\"api\"?)",
          "f:7:5: listeners[0].routes[0]: \"respond\" and \"cluster\" exclude each other: write "
          "only one of cluster, cluster_header, weighted_clusters, redirect or respond",
          "f:8:5: listeners[0].routes[1]: one of cluster, cluster_header, weighted_clusters, "
          "redirect or respond is missing",
          "f:10:25: listeners[0].routes[2].weighted_clusters.clusters[0].name: there is no "
          "cluster \"nope\"",
          "f:10:36: listeners[0].routes[2].weighted_clusters.clusters[2].name: \"api\" is written "
          "twice",
          "f:11:13: listeners[0].routes[2].mirror.cluster: there is no cluster \"gone\"",
          "f:12:5: listeners[0].routes[3]: \"match\" is missing",
          "f:14:24: listeners[0].routes[4].weighted_clusters: all weights are 0"}));
}

TEST_F(LoaderTest, MatchesRedirectsAndRewrites) {
  EXPECT_EQ(
      Errors(WithRoutes("  routes:\n  - match: { path: '/a?b=c', headers: [{ name: x, range: { "
                        "start: 5, end: 5 } }] }\n"
                        "    cluster: api\n"
                        "  - match: { path_prefix: /a/ }\n    redirect: { scheme: ftp }\n"
                        "  - match: { regex: '/(' }\n    redirect: {}\n"
                        "  - match: { regex: /x }\n    cluster: api\n    rewrite: { prefix: /y }\n"
                        "  - match: {}\n    redirect: { regex: { pattern: (a), substitution: \\2 "
                        "}, status: 306 }\n"
                        "  - match: { fraction: 5 }\n    respond: { status: 100 }\n")),
      (Lines{
          "f:5:20: listeners[0].routes[0].match.path: a path ends before \"?\" and \"#\": for the "
          "query there is `query`",
          "f:5:58: listeners[0].routes[0].match.headers[0].range: nothing is in this range: start "
          "must be below end",
          "f:7:27: listeners[0].routes[1].match.path_prefix: must not end with \"/\": it ends at a "
          "segment's border anyway",
          "f:8:25: listeners[0].routes[1].redirect.scheme: expected http or https, got \"ftp\"",
          "f:9:21: listeners[0].routes[2].match.regex: bad regex \"/(\": missing ): /(",
          "f:10:15: listeners[0].routes[2].redirect: changes nothing: the client would come back "
          "with the same request",
          "f:13:24: listeners[0].routes[3].rewrite.prefix: the route matches no prefix or path "
          "that it could take the place of",
          "f:15:54: listeners[0].routes[4].redirect.regex.substitution: Rewrite schema requests 2 "
          "matches, but the regexp only "
          "has 1 parenthesized subexpressions.",
          "f:15:68: listeners[0].routes[4].redirect.status: must be at most 303 (or 307, 308), "
          "got \"306\"",
          "f:16:24: listeners[0].routes[5].match.fraction: expected a percentage such as 50%, got "
          "\"5\"",
          "f:17:24: listeners[0].routes[5].respond.status: must be at least 200, got \"100\""}));
}

TEST_F(LoaderTest, ShadowedRoutesAreWarnings) {
  EXPECT_EQ(Warnings(WithRoutes("  routes:\n  - { match: /api, cluster: api }\n"
                                "  - { match: /b, cluster: api }\n"
                                "  - { match: { path: /api/x }, cluster: api }\n")),
            (Lines{"f:7:5: listeners[0].routes[2]: never matches: listeners[0].routes[0] takes all "
                   "its requests"}));
  EXPECT_EQ(
      Warnings(WithRoutes("  hosts:\n  - domains: [a]\n    routes: [{ match: /, cluster: api }]\n"
                          "  - domains: [b]\n    routes: [{ match: /, cluster: api }]\n")),
      Lines{});
}

TEST_F(LoaderTest, ManyFaultsAreCounted) {
  std::string text;
  for (int i = 0; i < 150; ++i) text += "x" + std::to_string(i) + ": 1\n";
  const Lines lines = Errors(text);
  ASSERT_EQ(lines.size(), 101u);
  EXPECT_EQ(lines[0], "f:1:1: unknown field \"x0\"");
  EXPECT_EQ(lines[100], "f: and 51 more");
}

TEST_F(LoaderTest, AFaultIsOneLine) {
  EXPECT_EQ(Errors("\"a\\nb\": \"${X}\"\n"),
            (Lines{"f:1:1: unknown field \"a?b\"", "f:1:1: \"listeners\" is missing",
                   "f:1:9: a?b: the environment variable X is not set; ${X:-default} would give a "
                   "default"}));
}

TEST_F(LoaderTest, LaterChecksFindThePlace) {
  const LoadResult result = Load(kDesign);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->Problem("listeners[0].routes[1].respond.body", "not good").Text(),
            "f:20:39: listeners[0].routes[1].respond.body: not good");
}

TEST_F(LoaderTest, ContentHashFollowsTheText) {
  const LoadResult a = Load(kDesign);
  const LoadResult b = Load(kDesign);
  const LoadResult c = Load(std::string(kDesign) + "# changed\n");
  ASSERT_TRUE(a && b && c);
  EXPECT_EQ(a->content_hash, b->content_hash);
  EXPECT_NE(a->content_hash, c->content_hash);
}

TEST_F(LoaderTest, SizeIsBounded) {
  EXPECT_EQ(Errors(std::string(kMaxConfigBytes + 1, '#')), (Lines{"f:1:1: larger than 8 MiB"}));
}

TEST_F(LoaderTest, Files) {
  const auto load = [&](const std::string& path) {
    return LoadConfigFile(path, ProcessEnv, filters_);
  };
  const LoadResult missing = load("/nonexistent/edge.yaml");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().front().Text(),
            "/nonexistent/edge.yaml: open: No such file or directory");
  const LoadResult directory = load("/");
  ASSERT_FALSE(directory);
  EXPECT_EQ(directory.error().front().Text(), "/: expected a file, got a folder");

  const std::string path =
      testing::TempDir() + "sluice_loader_test." + std::to_string(getpid()) + ".toml";
  std::ofstream(path) << "[[listeners]]\nname = 'a'\nlisten = '127.0.0.1:0'\n"
                         "routes = [{ match = '/', respond = 200 }]\n";
  const LoadResult toml = load(path);
  ASSERT_TRUE(toml) << toml.error().front().Text();
  EXPECT_EQ(toml->file, path);
  std::remove(path.c_str());
}

// Opening them could wait for good.
TEST_F(LoaderTest, OnlyFilesAreOpened) {
  const auto fault = [&](const std::string& path) {
    const LoadResult loaded = LoadConfigFile(path, ProcessEnv, filters_);
    return loaded ? "" : loaded.error().front().Text();
  };
  const std::string pipe_path =
      testing::TempDir() + "sluice_loader_test." + std::to_string(getpid()) + ".pipe";
  ASSERT_EQ(mkfifo(pipe_path.c_str(), 0600), 0);
  EXPECT_EQ(fault(pipe_path), pipe_path + ": expected a file, got a named pipe");
  std::remove(pipe_path.c_str());
  EXPECT_EQ(fault("/dev/zero"), "/dev/zero: expected a file, got a device");
}

// A shell's <(...), and what is piped to us.
TEST_F(LoaderTest, APipeThatIsOursIsRead) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  constexpr std::string_view kConfig =
      "listeners: [{ name: a, listen: 127.0.0.1:0, routes: [{ match: /, respond: 200 }] }]";
  ASSERT_EQ(write(ends[1], kConfig.data(), kConfig.size()), static_cast<ssize_t>(kConfig.size()));
  close(ends[1]);
  const LoadResult loaded =
      LoadConfigFile("/dev/fd/" + std::to_string(ends[0]), ProcessEnv, filters_);
  EXPECT_TRUE(loaded) << loaded.error().front().Text();
  close(ends[0]);
}

TEST(Loader, FormatsByExtension) {
  EXPECT_EQ(FormatOfFile("a.yaml"), ConfigFormat::kYaml);
  EXPECT_EQ(FormatOfFile("a.JSON"), ConfigFormat::kJson);
  EXPECT_EQ(FormatOfFile("dir.json/a.toml"), ConfigFormat::kToml);
  EXPECT_EQ(FormatOfFile("/dev/stdin"), ConfigFormat::kYaml);
}

}  // namespace
}  // namespace sluice
