#include "core/config/route_action.h"

#include "core/config/route_test_input.h"

namespace sluice {
namespace {

// The Location that a route with this match and redirect answers with.
std::string Location(const std::string& match, const std::string& redirect, std::string_view target,
                     std::string_view authority = "a.com", std::string_view scheme = "http") {
  TestTable table("routes { match { " + match + " } redirect { " + redirect + " } }");
  EXPECT_TRUE(table.ok()) << table.error();
  const TestInput input(target, authority);
  const Route* route = table.Match(input);
  if (route == nullptr) return "no route";
  EXPECT_EQ(route->action(), Route::Action::kRedirect);
  Arena arena;
  return std::string(
      route->redirect()->Location(scheme, authority, input.path, input.query, arena));
}

TEST(RouteRedirect, SchemeHostAndPort) {
  const struct {
    std::string redirect, authority, scheme, expected;
  } cases[] = {
      {"scheme: 'https'", "a.com", "http", "https://a.com/p?q=1"},
      // The port of the old scheme is no port of the new one.
      {"scheme: 'https'", "a.com:8080", "http", "https://a.com/p?q=1"},
      {"scheme: 'http'", "a.com:8080", "http", "http://a.com:8080/p?q=1"},
      {"scheme: 'HTTPS' port: 8443", "a.com:8080", "http", "https://a.com:8443/p?q=1"},
      {"scheme: 'https' port: 443", "a.com", "http", "https://a.com/p?q=1"},
      {"port: 80", "a.com:8080", "http", "http://a.com/p?q=1"},
      {"port: 80", "a.com", "https", "https://a.com:80/p?q=1"},
      {"port: 8081", "a.com:8080", "http", "http://a.com:8081/p?q=1"},
      {"host: 'b.com'", "a.com:8080", "http", "http://b.com/p?q=1"},
      {"host: 'A.com'", "a.com:8080", "http", "http://A.com:8080/p?q=1"},
      {"host: 'b.com' port: 81", "a.com:8080", "http", "http://b.com:81/p?q=1"},
      {"host: 'b.com:82'", "a.com:8080", "http", "http://b.com:82/p?q=1"},
      {"host: 'b.com:82' port: 81", "a.com", "http", "http://b.com:81/p?q=1"},
      {"path: '/x'", "[::1]:8080", "http", "http://[::1]:8080/x?q=1"},
      {"port: 81", "[::1]:8080", "http", "http://[::1]:81/p?q=1"},
      {"host: '[::2]'", "[::1]:8080", "http", "http://[::2]/p?q=1"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(Location("prefix: '/'", each.redirect, "/p?q=1", each.authority, each.scheme),
              each.expected)
        << each.redirect << " of " << each.authority;
  }
}

TEST(RouteRedirect, Paths) {
  const struct {
    std::string match, redirect, target, expected;
  } cases[] = {
      {"prefix: '/'", "path: '/new'", "/old?q=1", "/new?q=1"},
      {"prefix: '/'", "path: '/new' strip_query: true", "/old?q=1", "/new"},
      {"prefix: '/'", "host: 'a.com' strip_query: true", "/old?q=1", "/old"},
      // What is written comes before what was asked.
      {"prefix: '/'", "path: '/new?x=2'", "/old?q=1", "/new?x=2"},
      {"prefix: '/'", "path: '/new?x=2' strip_query: true", "/old?q=1", "/new?x=2"},
      {"prefix: '/'", "path: '/new#top'", "/old?q=1", "/new?q=1#top"},
      {"prefix: '/'", "path: '/new?x=2#top'", "/old?q=1", "/new?x=2#top"},
      {"prefix: '/old'", "prefix: '/new'", "/old/x?q=1", "/new/x?q=1"},
      {"path_prefix: '/old'", "prefix: '/'", "/old/x", "/x"},
      {"prefix: '/'", "regex { pattern: '^/u/([0-9]+)' substitution: '/user/\\\\1' }",
       "/u/42/x?q=1", "/user/42/x?q=1"},
      {"prefix: '/'", "regex { pattern: '^/([a-z]+)$' substitution: '/find?word=\\\\1' }",
       "/dog?q=1", "/find?word=dog&q=1"},
      {"prefix: '/'", "regex { pattern: 'nothing' substitution: 'x' }", "/a?q=1", "/a?q=1"},
      // No character that a URI cannot have (RFC 3986 2).
      {"prefix: '/'", "port: 80", "/a\"b|c%20\xc3\xa4?<x>", "/a%22b%7Cc%20%C3%A4?%3Cx%3E"},
      // OPTIONS * and CONNECT.
      {"prefix: '/'", "port: 80", "*", "/"},
      {"", "port: 80", "", "/"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(Location(each.match, each.redirect, each.target), "http://a.com" + each.expected)
        << each.match << " " << each.redirect << " of " << each.target;
  }
}

TEST(RouteRedirect, WithoutAnAuthorityItIsAPath) {
  EXPECT_EQ(Location("prefix: '/'", "scheme: 'https'", "/p?q", ""), "/p?q");
  EXPECT_EQ(Location("prefix: '/'", "host: 'b.com'", "/p", ""), "http://b.com/p");
  // A path that begins with "//" would name another host.
  EXPECT_EQ(Location("prefix: '/'", "strip_query: true", "//evil.com/x?q", ""), "/.//evil.com/x");
}

TEST(RouteRedirect, KeepsItsStatus) {
  for (const int status : {301, 302, 303, 307, 308}) {
    TestTable table("routes { match {} redirect { path: '/' status: " + std::to_string(status) +
                    " } }");
    ASSERT_TRUE(table.ok()) << table.error();
    EXPECT_EQ(table.Match(TestInput("/x"))->redirect()->status(), status);
  }
}

// The target that a route with this match and rewrite sends upstream.
std::string Target(const std::string& match, const std::string& rewrite, std::string_view target) {
  TestTable table("routes { match { " + match + " } cluster: 'a' rewrite { " + rewrite + " } }");
  EXPECT_TRUE(table.ok()) << table.error();
  const TestInput input(target);
  const Route* route = table.Match(input);
  if (route == nullptr) return "no route";
  Arena arena;
  return std::string(route->rewrite()->Target(input.path, input.query, arena));
}

TEST(RouteRewrite, Prefix) {
  const struct {
    std::string match, prefix, target, expected;
  } cases[] = {
      {"prefix: '/api/'", "/", "/api/x/y?q=1", "/x/y?q=1"},
      {"prefix: '/api/'", "/v1/", "/api/x", "/v1/x"},
      {"prefix: '/api/'", "/v1-", "/api/x", "/v1-x"},
      {"prefix: '/api'", "/v1", "/apis", "/v1s"},
      {"prefix: '/api'", "/", "/api/x", "/x"},
      {"prefix: '/api'", "/", "/api", "/"},
      {"prefix: '/api'", "/", "/apis", "/s"},
      {"prefix: '/'", "/v1/", "/x", "/v1/x"},
      {"path_prefix: '/api'", "/", "/api", "/"},
      {"path_prefix: '/api'", "/", "/api/", "/"},
      {"path_prefix: '/api'", "/", "/api/x", "/x"},
      {"path_prefix: '/api'", "/v1", "/api/x?q", "/v1/x?q"},
      {"path_prefix: '/api'", "/v1/", "/api/x", "/v1/x"},
      {"path_prefix: '/api'", "/v1", "/api", "/v1"},
      {"path_prefix: '/api/'", "/v1", "/api/x", "/v1/x"},
      {"path_prefix: '/'", "/v1", "/x", "/v1/x"},
      {"path_prefix: '/'", "/v1", "/", "/v1/"},
      {"path: '/old'", "/new", "/old?q=1", "/new?q=1"},
      {"prefix: '/'", "/v1/", "*", "*"},
      {"prefix: '/'", "/v1/", "", ""},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(Target(each.match, "prefix: '" + each.prefix + "'", each.target), each.expected)
        << each.match << " to " << each.prefix << " of " << each.target;
  }
}

TEST(RouteRewrite, Regex) {
  const auto regex = [](const std::string& pattern, const std::string& substitution) {
    return "regex { pattern: '" + pattern + "' substitution: '" + substitution + "' }";
  };
  EXPECT_EQ(Target("", regex("^/([^/]+)/([^/]+)", "/\\\\2/\\\\1"), "/a/b/c?q=1"), "/b/a/c?q=1");
  EXPECT_EQ(Target("", regex("/v[0-9]+", "/v"), "/v1/x/v22?v3"), "/v/x/v?v3");
  EXPECT_EQ(Target("", regex("x", "[\\\\0]"), "/xax"), "/[x]a[x]");
  // The query is not looked at.
  EXPECT_EQ(Target("", regex("q", "z"), "/a?q=1"), "/a?q=1");
  EXPECT_EQ(Target("", regex("/id/([0-9]+)", "/get?id=\\\\1"), "/id/7"), "/get?id=7");
  EXPECT_EQ(Target("", regex("/id/([0-9]+)", "/get?id=\\\\1"), "/id/7?q"), "/get?id=7&q");
  // A path begins with "/".
  EXPECT_EQ(Target("", regex("^/a", ""), "/ab"), "/b");
  EXPECT_EQ(Target("", regex(".*", ""), "/ab?q"), "/?q");
  EXPECT_EQ(Target("", regex(".*", "x"), "*"), "*");
}

TEST(RouteRewrite, HostAlone) {
  TestTable table("routes { match {} cluster: 'a' rewrite { host: 'b.com' } }");
  const Route* route = table.Match(TestInput("/x"));
  ASSERT_NE(route->rewrite(), nullptr);
  EXPECT_EQ(route->rewrite()->host(), "b.com");
  EXPECT_FALSE(route->rewrite()->changes_path());
  Arena arena;
  EXPECT_EQ(route->rewrite()->Target("/x", "q=1", arena), "/x?q=1");
}

TEST(RouteRespond, IsAsWritten) {
  TestTable table("routes { match {} respond { status: 404 body: 'no' content_type: 'text/x' } }");
  const Route* route = table.Match(TestInput("/"));
  EXPECT_EQ(route->action(), Route::Action::kRespond);
  EXPECT_EQ(route->respond()->status, 404);
  EXPECT_EQ(route->respond()->body, "no");
  EXPECT_EQ(route->respond()->content_type, "text/x");
}

TEST(RouteMirror, CopiesItsShare) {
  TestTable table(
      "routes { match { path: '/all' } cluster: 'a' mirror { cluster: 'b' } } "
      "routes { match { path: '/some' } cluster: 'a' "
      "  mirror { cluster: 'c' fraction { percent: 50 key: 'mirrored' } } }",
      "runtime { key: 'mirrored' percent: 20 }");
  const RouteMirror* all = table.Match(TestInput("/all"))->mirror();
  EXPECT_EQ(all->cluster, "b");
  EXPECT_EQ(all->cluster_index, 1u);
  EXPECT_TRUE(all->fraction.all());
  const RouteMirror* some = table.Match(TestInput("/some"))->mirror();
  EXPECT_EQ(some->cluster_index, 2u);
  int copied = 0;
  for (int i = 0; i < 100'000; ++i) copied += some->fraction.Draw(table.random());
  EXPECT_NEAR(copied, 20'000, 700);
}

}  // namespace
}  // namespace sluice
