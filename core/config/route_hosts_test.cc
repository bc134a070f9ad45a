#include "core/config/route_hosts.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/config/route_authority.h"

namespace sluice {
namespace {

RouteHosts Hosts(const std::vector<std::string>& domains) {
  RouteHosts hosts;
  for (size_t i = 0; i < domains.size(); ++i) {
    EXPECT_TRUE(hosts.Add(domains[i], static_cast<uint32_t>(i))) << domains[i];
  }
  return hosts;
}

TEST(RouteHosts, TheMostSpecificDomainWins) {
  const std::vector<std::string> domains = {"*",     "*.example.com",   "a.example.com",
                                            "www.*", "*.b.example.com", "www.example.*"};
  const RouteHosts hosts = Hosts(domains);
  const std::pair<std::string, std::string> cases[] = {
      {"a.example.com", "a.example.com"},
      {"A.Example.COM", "a.example.com"},
      {"a.example.com:8080", "a.example.com"},
      {"a.example.com.", "a.example.com"},
      {"a.example.com.:443", "a.example.com"},
      {"x.example.com", "*.example.com"},
      {"x.a.example.com", "*.example.com"},
      {"x.b.example.com", "*.b.example.com"},
      {"y.x.b.example.com", "*.b.example.com"},
      {"b.example.com", "*.example.com"},
      {"example.com", "*"},
      {".example.com", "*"},
      // A suffix comes before a prefix.
      {"www.example.com", "*.example.com"},
      {"www.example.org", "www.example.*"},
      {"www.example.", "www.*"},
      {"www.other.org", "www.*"},
      {"www.", "*"},
      {"www", "*"},
      {"", "*"},
      {".", "*"},
      {"[::1]:80", "*"},
      {"a.example.com:http", "*"},
      {std::string(300, 'x') + ".example.com", "*"},
  };
  for (const auto& [authority, domain] : cases) {
    const uint32_t found = hosts.Find(authority);
    ASSERT_NE(found, RouteHosts::kNone) << authority;
    EXPECT_EQ(domains[found], domain) << authority;
  }
}

TEST(RouteHosts, WithoutAStarSomeHaveNoHost) {
  const RouteHosts hosts = Hosts({"a.example.com", "[::1]", "127.0.0.1"});
  EXPECT_EQ(hosts.Find("b.example.com"), RouteHosts::kNone);
  EXPECT_EQ(hosts.Find(""), RouteHosts::kNone);
  EXPECT_EQ(hosts.Find("[::1]"), 1u);
  EXPECT_EQ(hosts.Find("[::1]:8080"), 1u);
  EXPECT_EQ(hosts.Find("127.0.0.1:8080"), 2u);
}

TEST(RouteHosts, TheLongestNameThatDnsHas) {
  const std::string name = std::string(243, 'x') + ".example.com";
  ASSERT_EQ(name.size(), 255u);
  EXPECT_EQ(Hosts({name}).Find(name), 0u);
  EXPECT_EQ(Hosts({"*.example.com"}).Find(name), 0u);
  EXPECT_EQ(Hosts({"*.example.com"}).Find("x" + name), RouteHosts::kNone);
}

TEST(RouteHosts, RefusesADomainTwice) {
  RouteHosts hosts;
  for (const char* domain : {"a.example.com", "*.example.com", "www.*", "*"}) {
    EXPECT_TRUE(hosts.Add(domain, 0));
    EXPECT_FALSE(hosts.Add(domain, 1));
  }
  EXPECT_FALSE(hosts.Add("A.example.com", 1));
  EXPECT_FALSE(hosts.Add("a.example.com.", 1));
}

TEST(SplitAuthority, TakesThePortOff) {
  const struct {
    std::string_view authority, host, port;
  } cases[] = {
      {"a", "a", ""},
      {"a:80", "a", "80"},
      {"a:", "a", ""},
      {"[::1]", "[::1]", ""},
      {"[::1]:80", "[::1]", "80"},
      {"::1", "::1", ""},
      {"a:b", "a:b", ""},
      {"", "", ""},
      {":80", "", "80"},
      {"a:80:90", "a:80:90", ""},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(SplitAuthority(each.authority).host, each.host) << each.authority;
    EXPECT_EQ(SplitAuthority(each.authority).port, each.port) << each.authority;
  }
}

}  // namespace
}  // namespace sluice
