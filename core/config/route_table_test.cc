#include "core/config/route_table.h"

#include "core/config/route_test_input.h"

namespace sluice {
namespace {

// Routes named by their order, each `match` of one.
std::string Routes(const std::vector<std::string>& matches) {
  std::string text;
  for (size_t i = 0; i < matches.size(); ++i) {
    text +=
        "routes { name: '" + std::to_string(i) + "' match { " + matches[i] + " } cluster: 'a' } ";
  }
  return text;
}

TEST(RouteTable, PathConditions) {
  const struct {
    std::string match, matching, other;
  } cases[] = {
      {"prefix: '/api'", "/api /api/ /api/x /apis", "/ap / /x/api /API * -"},
      {"prefix: '/api/'", "/api/ /api/x", "/api /apis"},
      {"prefix: '/'", "/ /x //x * -", ""},
      {"path: '/api'", "/api", "/api/ /apis /ap /API"},
      {"path: '/'", "/", "/x * -"},
      {"path_prefix: '/api'", "/api /api/ /api/x", "/apis /ap /x/api"},
      {"path_prefix: '/api/'", "/api/ /api/x", "/api /apis"},
      {"path_prefix: '/'", "/ /x * -", ""},
      {"regex: '/v[0-9]+/.*'", "/v1/ /v22/x", "/v/x /v1 x/v1/"},
      {"regex: '/one|/two/.*'", "/one /two/x", "/onex /two x/one"},
      {"regex: '\\\\*'", "*", "/ /* -"},
      {"regex: '.*'", "/ * -", ""},
      {"", "/ /x * -", ""},
  };
  for (const auto& each : cases) {
    TestTable table(Routes({each.match}));
    ASSERT_TRUE(table.ok()) << table.error();
    const auto check = [&](const std::string& paths, const std::string& expected) {
      std::string path;
      for (const char c : paths + " ") {
        if (c != ' ') {
          path += c;
        } else if (!path.empty()) {
          // "-" stands for the empty path.
          EXPECT_EQ(table.Name(TestInput(path == "-" ? "" : path)), expected)
              << each.match << " on " << path;
          path.clear();
        }
      }
    };
    check(each.matching, "0");
    check(each.other, "-");
  }
}

TEST(RouteTable, TheFirstRouteWinsWhateverItsKind) {
  TestTable table(Routes({"path: '/a/b'", "prefix: '/a/b/c' methods: 'PUT'", "regex: '/a/b/.*d'",
                          "path_prefix: '/a/b'", "prefix: '/a'", "path: '/a/x'", "prefix: '/a/y'",
                          "regex: '/[z-z].*'", "path: '/z'", "prefix: '/'"}));
  ASSERT_TRUE(table.ok()) << table.error();
  EXPECT_EQ(table.Name(TestInput("/a/b")), "0");
  EXPECT_EQ(table.Name(TestInput("/a/b/c").Method("PUT")), "1");
  EXPECT_EQ(table.Name(TestInput("/a/b/cd").Method("PUT")), "1");
  EXPECT_EQ(table.Name(TestInput("/a/b/cd")), "2");
  EXPECT_EQ(table.Name(TestInput("/a/b/c")), "3");
  EXPECT_EQ(table.Name(TestInput("/a/bc")), "4");
  // Shadowed by 4.
  EXPECT_EQ(table.Name(TestInput("/a/x")), "4");
  EXPECT_EQ(table.Name(TestInput("/a/y/z")), "4");
  EXPECT_EQ(table.Name(TestInput("/z")), "7");
  EXPECT_EQ(table.Name(TestInput("/b")), "9");
}

TEST(RouteTable, RoutesOfOnePathStayInOrder) {
  TestTable table(
      Routes({"path: '/x' methods: 'GET' headers { name: 'v' exact: '2' }",
              "prefix: '/' headers { name: 'v' exact: '1' }", "path: '/x' methods: 'GET'",
              "prefix: '/' methods: 'GET'", "path: '/x'", "prefix: '/' cookies { name: 'beta' }"}));
  ASSERT_TRUE(table.ok()) << table.error();
  EXPECT_EQ(table.Name(TestInput("/x").With("v", "2")), "0");
  EXPECT_EQ(table.Name(TestInput("/x").With("v", "1")), "1");
  EXPECT_EQ(table.Name(TestInput("/x")), "2");
  EXPECT_EQ(table.Name(TestInput("/y")), "3");
  EXPECT_EQ(table.Name(TestInput("/x").Method("PUT")), "4");
  EXPECT_EQ(table.Name(TestInput("/y").Method("PUT").With("cookie", "beta=1")), "5");
  EXPECT_EQ(table.Name(TestInput("/y").Method("PUT")), "-");
}

TEST(RouteTable, ManyRegexesOfOnePrefix) {
  std::vector<std::string> matches;
  for (int i = 0; i < 100; ++i) matches.push_back("regex: '/.*/item" + std::to_string(i) + "'");
  matches.push_back("regex: '/.*/item7.*'");
  TestTable table(Routes(matches));
  ASSERT_TRUE(table.ok()) << table.error();
  EXPECT_EQ(table.Name(TestInput("/x/item0")), "0");
  EXPECT_EQ(table.Name(TestInput("/x/y/item77")), "77");
  EXPECT_EQ(table.Name(TestInput("/x/item777")), "100");
  EXPECT_EQ(table.Name(TestInput("/x/item")), "-");
}

// Where they do not fit into a set, they are tested one by one.
TEST(RouteTable, RegexesTooLargeForASet) {
  const std::string large(100, 'x');
  std::vector<std::string> matches;
  for (const char last : {'a', 'b', 'c', 'd', 'e'}) {
    matches.push_back("regex: '/(" + large + "){0,1000}" + last + "'");
  }
  matches.push_back("path: '/e'");
  TestTable table(Routes(matches));
  ASSERT_TRUE(table.ok()) << table.error();
  EXPECT_EQ(table.Name(TestInput("/a")), "0");
  EXPECT_EQ(table.Name(TestInput("/e")), "4");
  const std::string path = "/" + large + "d";
  EXPECT_EQ(table.Name(TestInput(path)), "3");
  EXPECT_EQ(table.Name(TestInput("/f")), "-");
}

TEST(RouteTable, AFractionLetsTheRestLookOn) {
  TestTable table(Routes({"prefix: '/' fraction { percent: 10 }", "prefix: '/'"}));
  int first = 0;
  for (int i = 0; i < 100'000; ++i) first += table.Name(TestInput("/")) == "0";
  EXPECT_NEAR(first, 10'000, 500);
}

TEST(RouteTable, HostsHaveTheirOwnRoutes) {
  TestTable table(
      "hosts { name: 'one' domains: 'a.com' domains: '*.a.com' routes { name: 'a' match { path: "
      "'/x' } cluster: 'a' } } "
      "hosts { domains: 'b.com' routes { name: 'b' match {} cluster: 'b' } } ");
  ASSERT_TRUE(table.ok()) << table.error();
  EXPECT_EQ(table.Name(TestInput("/x", "a.com")), "a");
  EXPECT_EQ(table.Name(TestInput("/x", "W.A.COM:80")), "a");
  EXPECT_EQ(table.Name(TestInput("/x", "b.com")), "b");
  EXPECT_EQ(table.Name(TestInput("/y", "a.com")), "-");
  EXPECT_EQ(table.Name(TestInput("/x", "c.com")), "-");

  // The host is told also where no route is found.
  const VirtualHost* host = nullptr;
  EXPECT_EQ(table->Match(TestInput("/y", "a.com"), table.random(), &host), nullptr);
  ASSERT_NE(host, nullptr);
  EXPECT_EQ(host->name(), "one");
  EXPECT_EQ(host->index(), 0u);
  EXPECT_EQ(host->config(), &table.config().listeners(0).hosts(0));
  EXPECT_EQ(table->FindHost("b.com")->name(), "b.com");
  EXPECT_EQ(table->FindHost("c.com"), nullptr);

  // Routes count through all hosts.
  EXPECT_EQ(table->route_count(), 2u);
  const Route* route = table.Match(TestInput("/", "b.com"));
  EXPECT_EQ(route->index(), 1u);
  EXPECT_EQ(&route->host(), table->FindHost("b.com"));
  EXPECT_EQ(&route->config(), &table.config().listeners(0).hosts(1).routes(0));
}

TEST(RouteTable, AListenerWithoutHostsServesAny) {
  TestTable table(Routes({"prefix: '/'"}));
  for (const char* host : {"a.com", "", "[::1]:80"})
    EXPECT_EQ(table.Name(TestInput("/", host)), "0");
  EXPECT_EQ(table->FindHost("any")->name(), "*");
  EXPECT_EQ(table->FindHost("any")->config(), nullptr);
}

TEST(RouteTable, AListenerWithoutRoutesHasNone) {
  TestTable table("");
  ASSERT_TRUE(table.ok()) << table.error();
  EXPECT_EQ(table.Name(TestInput("/")), "-");
  EXPECT_EQ(table->route_count(), 0u);
}

TEST(RouteTable, ErrorsNameThePlace) {
  const std::string good = "routes { match {} cluster: 'a' } ";
  const struct {
    std::string listener, error;
  } cases[] = {
      {good + "routes { match { regex: '/a(' } cluster: 'a' }", "routes[1].match.regex: missing )"},
      {"routes { match { headers { name: 'x' regex: '[' } } cluster: 'a' }",
       "routes[0].match.headers[0].regex: missing ]"},
      {"hosts { domains: '*' " + good + "} hosts { domains: 'b' " + good +
           "routes { match {} cluster: 'z' } }",
       "hosts[1].routes[1].cluster: there is no cluster \"z\""},
      {"hosts { domains: 'b' } hosts { domains: 'a' domains: 'B' }",
       "hosts[1].domains[1]: \"B\" is there already"},
      {"routes { match {} weighted_clusters { clusters { name: 'a' weight: 1 } clusters { name: "
       "'z' "
       "} } }",
       "routes[0].weighted_clusters.clusters[1].name: there is no cluster \"z\""},
      {"routes { match {} weighted_clusters { clusters { name: 'a' } } }",
       "routes[0].weighted_clusters.clusters: no cluster has a weight"},
      {"routes { match {} cluster: 'a' mirror { cluster: 'z' } }",
       "routes[0].mirror.cluster: there is no cluster \"z\""},
      {"routes { match { regex: '/a' } cluster: 'a' rewrite { prefix: '/' } }",
       "routes[0].rewrite.prefix: takes the place of"},
      {"routes { match {} redirect { prefix: '/' } }",
       "routes[0].redirect.prefix: takes the place"},
      {"routes { match {} cluster: 'a' rewrite { regex { pattern: '(' } } }",
       "routes[0].rewrite.regex.pattern: missing )"},
      {"routes { match {} redirect { regex { pattern: 'a' substitution: '\\\\1' } } }",
       "routes[0].redirect.regex.substitution: "},
      {"routes { match {} }", "routes[0].action: cluster, "},
      {good + "hosts { domains: '*' }", "routes: stands beside hosts"},
  };
  for (const auto& each : cases) {
    TestTable table(each.listener);
    ASSERT_FALSE(table.ok()) << each.listener;
    EXPECT_TRUE(table.error().starts_with("listener \"web\": " + each.error)) << table.error();
  }
}

}  // namespace
}  // namespace sluice
