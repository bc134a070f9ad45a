#include "core/config/route_entry.h"

#include <map>

#include "core/config/route_test_input.h"

namespace sluice {
namespace {

TEST(Route, PicksItsCluster) {
  TestTable table("routes { name: 'r' match {} cluster: 'b' }");
  const Route* route = table.Match(TestInput("/"));
  EXPECT_EQ(route->action(), Route::Action::kCluster);
  const RouteTarget target = route->Pick(TestInput("/"), table.random());
  EXPECT_EQ(target.cluster, "b");
  EXPECT_EQ(target.cluster_index, 1u);
  EXPECT_EQ(target.choice, 0u);
  EXPECT_EQ(route->choice_count(), 1u);
}

TEST(Route, TakesTheClusterFromAHeader) {
  TestTable table("routes { match {} cluster_header: 'x-to' }");
  const Route* route = table.Match(TestInput("/"));
  const auto pick = [&](const TestInput& input) { return route->Pick(input, table.random()); };
  const TestInput known = TestInput("/").With("X-To", "c");
  EXPECT_EQ(pick(known).cluster, "c");
  EXPECT_EQ(pick(known).cluster_index, 2u);
  const TestInput unknown = TestInput("/").With("X-To", "z");
  EXPECT_EQ(pick(unknown).cluster, "z");
  EXPECT_EQ(pick(unknown).cluster_index, kNoCluster);
  EXPECT_EQ(pick(TestInput("/")).cluster, "");
  EXPECT_EQ(pick(TestInput("/")).cluster_index, kNoCluster);
}

constexpr std::string_view kWeighted =
    "routes { match {} weighted_clusters { clusters { name: 'a' weight: 90 } "
    "clusters { name: 'b' weight: 0 } clusters { name: 'c' weight: 10 } ";

// How many of 100,000 requests go to each cluster.
template <typename MakeInput>
std::map<std::string, int> Count(TestTable& table, MakeInput input) {
  std::map<std::string, int> counts;
  for (int i = 0; i < 100'000; ++i) {
    const TestInput request = input(i);
    ++counts[std::string(table.Match(request)->Pick(request, table.random()).cluster)];
  }
  return counts;
}

TEST(Route, SplitsByWeight) {
  TestTable table(std::string(kWeighted) + "} }");
  ASSERT_TRUE(table.ok()) << table.error();
  auto counts = Count(table, [](int) { return TestInput("/"); });
  EXPECT_NEAR(counts["a"], 90'000, 500);
  EXPECT_EQ(counts["b"], 0);
  EXPECT_NEAR(counts["c"], 10'000, 500);
}

TEST(Route, StickyChoicesAreSpreadByWeightAndStay) {
  const std::string users = "user-";
  const auto header = [&](int i) {
    return TestInput("/").With("x-user", users + std::to_string(i));
  };
  const auto cookie = [&](int i) {
    return TestInput("/").With("cookie", "a=1; user=" + users + std::to_string(i));
  };
  TestTable by_header(std::string(kWeighted) + "sticky { header: 'X-User' } } }");
  TestTable by_cookie(std::string(kWeighted) + "sticky { cookie: 'user' } } }");
  auto counts = Count(by_header, header);
  EXPECT_NEAR(counts["a"], 90'000, 500);
  EXPECT_EQ(counts.count("b"), 0u);
  EXPECT_EQ(counts, Count(by_cookie, cookie));
  for (int i = 0; i < 1000; ++i) {
    // Other random numbers, the same choice.
    const TestInput input = header(i);
    const Route* route = by_header.Match(input);
    EXPECT_EQ(route->Pick(input, by_header.random()).choice,
              route->Pick(input, by_header.random()).choice);
  }
}

TEST(Route, StickyByQueryAndAddress) {
  for (const std::string sticky : {"query: 'u'", "client_ip: true"}) {
    TestTable table(std::string(kWeighted) + "sticky { " + sticky + " } } }");
    ASSERT_TRUE(table.ok()) << table.error();
    std::map<uint32_t, int> choices;
    for (int i = 0; i < 1000; ++i) {
      const std::string target = "/?u=" + std::to_string(i);
      const std::string address = "10.0.0." + std::to_string(i);
      const TestInput input = TestInput(target).From(address);
      const Route* route = table.Match(input);
      const uint32_t choice = route->Pick(input, table.random()).choice;
      for (int k = 0; k < 10; ++k) EXPECT_EQ(route->Pick(input, table.random()).choice, choice);
      ++choices[choice];
    }
    EXPECT_NEAR(choices[0], 900, 50) << sticky;
    EXPECT_NEAR(choices[2], 100, 50) << sticky;
  }
}

TEST(Route, WithoutTheStickyValueTheChoiceIsRandom) {
  for (const std::string sticky : {"header: 'u'", "cookie: 'u'", "query: 'u'", "client_ip: true"}) {
    TestTable table(std::string(kWeighted) + "sticky { " + sticky + " } } }");
    auto counts = Count(table, [](int) { return TestInput("/"); });
    EXPECT_NEAR(counts["c"], 10'000, 500) << sticky;
  }
}

// A canary that grows keeps those who are on it.
TEST(Route, MoreWeightMovesOnlyAsManyAsItMust) {
  const auto table = [](int first, int second) {
    return TestTable(
        "routes { match {} weighted_clusters { sticky { header: 'u' } clusters { "
        "name: 'a' weight: " +
        std::to_string(first) + " } clusters { name: 'b' weight: " + std::to_string(second) +
        " } } }");
  };
  TestTable before = table(90, 10);
  TestTable after = table(80, 20);
  int moved = 0;
  for (int i = 0; i < 10'000; ++i) {
    const TestInput input = TestInput("/").With("u", std::to_string(i));
    const uint32_t old_choice = before.Match(input)->Pick(input, before.random()).choice;
    const uint32_t new_choice = after.Match(input)->Pick(input, after.random()).choice;
    EXPECT_LE(old_choice, new_choice);
    moved += old_choice != new_choice;
  }
  EXPECT_NEAR(moved, 1000, 150);
}

TEST(Route, HeaderChangesGoFromTheClusterToTheListener) {
  TestTable table(
      "request_headers { remove: 'listener' } response_headers { remove: 'listener' } "
      "hosts { domains: '*' request_headers { remove: 'host' } "
      "  routes { match { path: '/w' } request_headers { remove: 'route' } "
      "    weighted_clusters { "
      "      clusters { name: 'a' weight: 1 request_headers { remove: 'cluster' } } "
      "      clusters { name: 'b' weight: 1 response_headers { remove: 'cluster' } } } } "
      "  routes { match {} respond { status: 200 } response_headers { remove: 'route' } } }");
  ASSERT_TRUE(table.ok()) << table.error();
  const auto levels = [](const std::vector<const config::HeaderChanges*>& changes) {
    std::string text;
    for (const config::HeaderChanges* each : changes) text += each->remove(0) + " ";
    return text;
  };
  const Route* weighted = table.Match(TestInput("/w"));
  ASSERT_EQ(weighted->choice_count(), 2u);
  EXPECT_EQ(levels(weighted->headers(0).request), "cluster route host listener ");
  EXPECT_EQ(levels(weighted->headers(0).response), "listener ");
  EXPECT_EQ(levels(weighted->headers(1).request), "route host listener ");
  EXPECT_EQ(levels(weighted->headers(1).response), "cluster listener ");
  const Route* other = table.Match(TestInput("/"));
  ASSERT_EQ(other->choice_count(), 1u);
  EXPECT_EQ(levels(other->headers().request), "host listener ");
  EXPECT_EQ(levels(other->headers().response), "route listener ");
}

TEST(Route, Timeouts) {
  TestTable table(
      "timeouts { stream_idle: 300 } "
      "routes { match { path: '/own' } cluster: 'a' timeout: 15 idle_timeout: 0 "
      "  retries { per_try_timeout: 4 } } "
      "routes { match {} cluster: 'a' }");
  const Route* own = table.Match(TestInput("/own"));
  EXPECT_EQ(own->timeout(), 15);
  EXPECT_EQ(own->idle_timeout(), 0);
  EXPECT_EQ(own->per_try_timeout(), 4);
  const Route* other = table.Match(TestInput("/"));
  EXPECT_EQ(other->timeout(), 0);
  EXPECT_EQ(other->idle_timeout(), 300);
  EXPECT_EQ(other->per_try_timeout(), 0);
}

TEST(Route, AllowsTheUpgradesWritten) {
  TestTable table(
      "routes { match { path: '/u' } cluster: 'a' upgrades: 'websocket' "
      "upgrades: 'connect' } routes { match {} cluster: 'a' }");
  const Route* route = table.Match(TestInput("/u"));
  EXPECT_TRUE(route->has_upgrades());
  EXPECT_TRUE(route->AllowsUpgrade("WebSocket"));
  EXPECT_TRUE(route->AllowsUpgrade("connect"));
  EXPECT_FALSE(route->AllowsUpgrade("h2c"));
  EXPECT_FALSE(route->AllowsUpgrade(""));
  EXPECT_FALSE(table.Match(TestInput("/"))->has_upgrades());
}

TEST(Route, FindsFilterOverrides) {
  TestTable table(
      "routes { match {} cluster: 'a' filters { name: 'cors' off: true } "
      "filters { name: 'fault' } }");
  const Route* route = table.Match(TestInput("/"));
  ASSERT_NE(route->FindFilter("cors"), nullptr);
  EXPECT_TRUE(route->FindFilter("cors")->off());
  ASSERT_NE(route->FindFilter("fault"), nullptr);
  EXPECT_FALSE(route->FindFilter("fault")->off());
  EXPECT_EQ(route->FindFilter("buffer"), nullptr);
}

}  // namespace
}  // namespace sluice
