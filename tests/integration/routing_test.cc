// What routes do, end to end: actions, rewrites, mirrors, header changes, local replies, filters.
#include <gtest/gtest.h>

#include <set>

#include "tests/support/proxy_fixture.h"

namespace sluice::test {
namespace {

class Routing : public ProxyFixture {
 protected:
  Routing() {
    upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nX-From: api\r\nContent-Length: 3\r\n\r\napi");
    other_.AlwaysAnswer("HTTP/1.1 200 OK\r\nX-From: other\r\nContent-Length: 5\r\n\r\nother");
  }
  // A listener with these routes (a YAML list's inside) and more fields, and the clusters api and
  // other.
  void StartRoutes(std::string_view routes, std::string_view listener = "") {
    StartYaml(
        "listeners: [{ name: web, listen: '127.0.0.1:0', " + std::string(listener) + " routes: [" +
        std::string(routes) +
        "] }]\n"
        "clusters: [{ name: api, endpoints: [$UP] }, { name: other, endpoints: [$OTHER] }]\n");
  }
  std::string LocationOf(std::string_view target) {
    return Ask(Get(target)).Header("location").value_or("none");
  }
};

TEST_F(Routing, NoRouteIs404) {
  StartRoutes("{ match: { path: /here }, cluster: api }");
  RawClient client(driver_, port());
  client.Send(Get("/there") + Get("/here"));
  EXPECT_EQ(client.ReadResponse().status, 404);
  EXPECT_EQ(client.ReadResponse().body, "api");  // the connection goes on
  EXPECT_EQ(Ended(1).flags, "NR");
  EXPECT_EQ(Ended(1).details, "route_not_found");
  EXPECT_EQ(rig_->stats().no_route.value(), 1U);
}

TEST_F(Routing, VirtualHostsByNameWithoutTheirPort) {
  StartYaml(
      "listeners: [{ name: web, listen: '127.0.0.1:0', hosts: [\n"
      "  { domains: [a.test, '*.b.test'], routes: [{ match: /, cluster: api }] },\n"
      "  { domains: ['c.*'], routes: [{ match: /, cluster: other }] }] }]\n"
      "clusters: [{ name: api, endpoints: [$UP] }, { name: other, endpoints: [$OTHER] }]\n");
  const auto body = [&](std::string_view host) {
    return Ask("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n").body;
  };
  EXPECT_EQ(body("a.test"), "api");
  EXPECT_EQ(body("A.Test:8080"), "api");
  EXPECT_EQ(body("x.y.b.test"), "api");
  EXPECT_EQ(body("c.anything"), "other");
  EXPECT_EQ(body("d.test"), "no route\n");
  EXPECT_EQ(Ask("GET http://c.d/ HTTP/1.1\r\nHost: a.test\r\n\r\n").body, "other");
}

TEST_F(Routing, RedirectsOfEveryKind) {
  StartRoutes(
      "{ match: /host, redirect: { host: b.test, scheme: https, status: 308 } },"
      "{ match: /port, redirect: { port: 8443 } },"
      "{ match: /path, redirect: { path: /new, strip_query: true, status: 302 } },"
      "{ match: /prefix/, redirect: { prefix: /q/, status: 307 } },"
      "{ match: /regex, redirect: { regex: { pattern: '/regex/(.*)', substitution: '/\\1' },"
      "  status: 303 } }");
  const HttpText response = Ask(Get("/host/x?y=1"));
  EXPECT_EQ(response.status, 308);
  EXPECT_EQ(response.Header("location"), "https://b.test/host/x?y=1");
  EXPECT_EQ(LocationOf("/port"), "http://a.test:8443/port");
  EXPECT_EQ(LocationOf("/path?y"), "http://a.test/new");
  EXPECT_EQ(LocationOf("/prefix/a?y"), "http://a.test/q/a?y");
  EXPECT_EQ(LocationOf("/regex/a"), "http://a.test/a");
  EXPECT_EQ(Ended(1).details, "direct_response");
  EXPECT_EQ(upstream_.connection_count(), 0U);
}

TEST_F(Routing, ADirectResponse) {
  StartRoutes("{ match: /, respond: { status: 418, body: '{}', content_type: application/json } }");
  RawClient client(driver_, port());
  client.Send(Get("/") + Post("/", "body") + Get("/"));
  for (int i = 0; i < 3; ++i) {
    const HttpText response = client.ReadResponse();
    EXPECT_EQ(response.status, 418);
    EXPECT_EQ(response.body, "{}");
    EXPECT_EQ(response.Header("content-type"), "application/json");
  }
}

TEST_F(Routing, ADirectResponseToABodyThatIsStillToComeEndsTheConnection) {
  StartRoutes("{ match: /, respond: { status: 200, body: hi } }");
  RawClient client(driver_, port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  const HttpText response = client.ReadResponse();
  EXPECT_EQ(response.body, "hi");
  EXPECT_EQ(response.Header("connection"), "close");
  EXPECT_TRUE(client.WaitForEnd());
  EXPECT_TRUE(client.peer_closed());
}

TEST_F(Routing, Rewrites) {
  StartRoutes(
      "{ match: /api/, cluster: api, rewrite: { prefix: /v2/, host: inner.test } },"
      "{ match: /, cluster: api,"
      "  rewrite: { regex: { pattern: '/user/(\\d+)', substitution: '/u/\\1' } } }");
  EXPECT_EQ(Ask(Get("/api/x?y=/api/")).status, 200);
  EXPECT_EQ(LastRequest().start_line, "GET /v2/x?y=/api/ HTTP/1.1");
  EXPECT_EQ(LastRequest().Header("host"), "inner.test");
  EXPECT_EQ(LastRequest().Header("x-forwarded-host"), "a.test");
  EXPECT_EQ(Ask(Get("/user/12/user/34")).status, 200);
  EXPECT_EQ(LastRequest().start_line, "GET /u/12/u/34 HTTP/1.1");
  EXPECT_EQ(LastRequest().Header("host"), "a.test");
}

TEST_F(Routing, WeightedClusters) {
  StartRoutes(
      "{ match: /none, cluster: api }, { match: /, weighted_clusters: { clusters: ["
      "  { name: api, weight: 1, response_headers: { set: { x-choice: one } },"
      "    request_headers: { set: { x-choice: one } } },"
      "  { name: other, weight: 1, response_headers: { set: { x-choice: two } } }],"
      "  sticky: { header: x-user } } }");
  std::set<std::string> bodies;
  for (int i = 0; i < 64; ++i) {
    const HttpText response = Ask(Get("/"));
    bodies.insert(response.body);
    EXPECT_EQ(response.Header("x-choice"), response.body == "api" ? "one" : "two");
  }
  EXPECT_EQ(bodies, (std::set<std::string>{"api", "other"}));
  EXPECT_EQ(LastRequest().Header("x-choice"), "one");
  EXPECT_EQ(LastRequest(other_).Header("x-choice"), std::nullopt);
  bodies.clear();
  for (int i = 0; i < 16; ++i) bodies.insert(Ask(Get("/", "X-User: joe\r\n")).body);
  EXPECT_EQ(bodies.size(), 1U);
}

TEST_F(Routing, ClusterHeader) {
  StartRoutes("{ match: /, cluster_header: x-cluster }");
  EXPECT_EQ(Ask(Get("/", "X-Cluster: other\r\n")).body, "other");
  EXPECT_EQ(Ask(Get("/", "X-Cluster: api\r\n")).body, "api");
  EXPECT_EQ(Ask(Get("/", "X-Cluster: none\r\n")).status, 503);
  EXPECT_EQ(Ask(Get("/")).status, 503);
  for (const size_t i : {3U, 4U}) {
    EXPECT_EQ(Ended(i).flags, "NC");
    EXPECT_EQ(Ended(i).details, "cluster_not_found");
  }
  EXPECT_EQ(Ended(1).cluster, "other");
}

TEST_F(Routing, AMirrorGetsACopyAndItsAnswerIsDropped) {
  StartRoutes("{ match: /, cluster: api, mirror: { cluster: other } }");
  RawClient client(driver_, port());
  client.Send(Post("/x?y", "the body", "X-A: 1\r\n") +
              "POST /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
              "3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().body, "api");
  EXPECT_EQ(client.ReadResponse().body, "api");
  EXPECT_TRUE(other_.WaitForRequests(2));
  driver_.RunRounds(20);
  EXPECT_EQ(client.unread(), "");
  std::set<std::string> bodies;
  for (size_t i = 0; i < other_.connection_count(); ++i) {
    for (const HttpText& copy : other_.connection(i).requests()) bodies.insert(copy.body);
  }
  EXPECT_EQ(bodies, (std::set<std::string>{"the body", "abc"}));
}

TEST_F(Routing, AMirrorNeverDelays) {
  other_.Next().Stall();
  StartRoutes("{ match: /, cluster: api, mirror: { cluster: other } }");
  RawClient client(driver_, port());
  const std::string body(8 * 1024 * 1024, 'b');
  client.Send(Post("/", body));
  EXPECT_EQ(client.ReadResponse().body, "api");
  EXPECT_EQ(LastRequest().body.size(), body.size());
  client.Send(Get("/"));
  EXPECT_EQ(client.ReadResponse().body, "api");
}

TEST_F(Routing, AMirrorThatIsDownIsNotNoticed) {
  other_.StopListening();
  StartRoutes("{ match: /, cluster: api, mirror: { cluster: other } }");
  RawClient client(driver_, port());
  client.Send(Get("/") + Post("/", "body"));
  EXPECT_EQ(client.ReadResponse().body, "api");
  EXPECT_EQ(client.ReadResponse().body, "api");
  EXPECT_EQ(Ended(1).flags, "-");
}

TEST_F(Routing, AMirrorThatNeverAnswersIsGivenUp) {
  other_.Next().Hold();
  StartRoutes("{ match: /, cluster: api, mirror: { cluster: other } }");
  EXPECT_EQ(Ask(Get("/")).body, "api");
  driver_.RunUntil([&] { return other_.connection_count() == 1; }, "the copy");
  Advance(16 * kSecond);
  driver_.RunUntil([&] { return other_.connection(0).ended(); }, "the end of the copy");
}

TEST_F(Routing, HeaderChangesOfEveryLevelInTheirOrder) {
  StartYaml(
      "listeners: [{ name: web, listen: '127.0.0.1:0',\n"
      "  request_headers: { set: { x-set: listener }, add: { x-add: listener } },\n"
      "  response_headers: { set: { x-set: listener }, add: { x-add: listener }, remove: [x-from] "
      "},\n"
      "  hosts: [{ domains: ['*'],\n"
      "    request_headers: { set: { x-set: host }, add: { x-add: host } },\n"
      "    response_headers: { set: { x-set: host }, add: { x-add: host } },\n"
      "    routes: [{ match: /, cluster: api,\n"
      "      request_headers: { set: { x-set: route, x-ip: '%client_ip%', x-q: '100%%' },\n"
      "        add: { x-add: route }, remove: [x-secret] },\n"
      "      response_headers: { set: { x-set: route, x-status: '%status%',\n"
      "        x-upstream: '%upstream%' }, add: { x-add: route } } }] }] }]\n"
      "clusters: [{ name: api, endpoints: [$UP] }]\n");
  const HttpText response = Ask(Get("/", "X-Secret: 1\r\nX-Set: client\r\nX-Add: client\r\n"));
  EXPECT_EQ(LastRequest().Header("x-set"), "listener");
  EXPECT_EQ(LastRequest().Header("x-add"), "client, route, host, listener");
  EXPECT_EQ(LastRequest().Header("x-secret"), std::nullopt);
  EXPECT_EQ(LastRequest().Header("x-ip"), "127.0.0.1");
  EXPECT_EQ(LastRequest().Header("x-q"), "100%");
  EXPECT_EQ(response.Header("x-set"), "listener");
  EXPECT_EQ(response.Header("x-add"), "route, host, listener");
  EXPECT_EQ(response.Header("x-status"), "200");
  EXPECT_EQ(response.Header("x-upstream"), upstream_.text());
  EXPECT_EQ(response.Header("x-from"), std::nullopt);
}

TEST_F(Routing, LocalRepliesAreMappedByFlagAndStatus) {
  other_.StopListening();
  StartRoutes(
      "{ match: /api, cluster: api }, { match: /down, cluster: other },"
      "{ match: /direct, respond: { status: 404, body: as it is } }",
      "local_reply: [{ flags: [UF], status: 502, body: '{\"error\": \"%status% %header(x-q)%\"}',"
      "    format: json, headers: { set: { x-mapped: 'yes' } } },"
      "  { statuses: [404], body: 'nothing at %path%' }],");
  const HttpText down = Ask(Get("/down", "X-Q: a\"b\r\n"));
  EXPECT_EQ(down.status, 502);
  EXPECT_EQ(down.body, "{\"error\": \"503 a\\\"b\"}");
  EXPECT_EQ(down.Header("content-type"), "application/json");
  EXPECT_EQ(down.Header("x-mapped"), "yes");
  const HttpText none = Ask(Get("/none"));
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.body, "nothing at /none");
  EXPECT_EQ(none.Header("x-mapped"), std::nullopt);
  EXPECT_EQ(Ask(Get("/direct")).body, "as it is");
  EXPECT_EQ(Ask(Get("/api")).body, "api");
  EXPECT_EQ(Ask("BAD\r\n\r\n").status, 400);
}

TEST_F(Routing, FiltersAreOffOrChangedPerRoute) {
  StartRoutes(
      "{ match: /off, cluster: api, filters: { headers: off } },"
      "{ match: /other, cluster: api, filters: { headers: { request: { set: { x-f: route } } } } },"
      "{ match: /, cluster: api }",
      "filters: [headers: { request: { set: { x-f: listener } },"
      "  response: { set: { x-g: listener } } }],");
  EXPECT_EQ(Ask(Get("/")).Header("x-g"), "listener");
  EXPECT_EQ(LastRequest().Header("x-f"), "listener");
  EXPECT_EQ(Ask(Get("/off")).Header("x-g"), std::nullopt);
  EXPECT_EQ(LastRequest().Header("x-f"), std::nullopt);
  EXPECT_EQ(Ask(Get("/other")).status, 200);
  EXPECT_EQ(LastRequest().Header("x-f"), "route");
}

TEST_F(Routing, AFiltersAnswerEndsTheRequestAndKeepsTheConnection) {
  StartRoutes("{ match: /, cluster: api }",
              "filters: [{ headers: { response: { set: { x-g: '1' } } } },"
              "  { fault: { abort: 418 } }],");
  RawClient client(driver_, port());
  client.Send(Get("/") + Get("/"));
  for (int i = 0; i < 2; ++i) {
    const HttpText response = client.ReadResponse();
    EXPECT_EQ(response.status, 418);
    EXPECT_EQ(response.Header("x-g"), "1");
  }
  EXPECT_EQ(Ended(1).flags, "FI");
  EXPECT_EQ(upstream_.connection_count(), 0U);
}

TEST_F(Routing, ABufferedBodyIsWholeBeforeTheUpstreamSeesAnything) {
  StartRoutes("{ match: /, cluster: api }", "filters: [{ buffer: { max_size: 10B } }],");
  RawClient client(driver_, port());
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n");
  driver_.RunRounds(30);
  EXPECT_EQ(upstream_.connection_count(), 0U);
  client.Send("5\r\n56789\r\n0\r\n\r\n");
  EXPECT_EQ(client.ReadResponse().body, "api");
  EXPECT_EQ(LastRequest().body, "0123456789");
  EXPECT_EQ(LastRequest().Header("content-length"), "10");
  EXPECT_EQ(Ask(Post("/", "0123456789a")).status, 413);
}

}  // namespace
}  // namespace sluice::test
