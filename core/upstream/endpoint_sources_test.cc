#include "core/upstream/endpoint_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/base/strings.h"
#include "core/config/cluster.pb.h"

namespace sluice {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

config::Cluster ClusterOf(const std::vector<std::pair<std::string, uint32_t>>& endpoints) {
  config::Cluster cluster;
  cluster.set_name("api");
  for (const auto& [address, weight] : endpoints) {
    config::Endpoint& endpoint = *cluster.add_endpoints();
    endpoint.set_address(address);
    endpoint.set_weight(weight);
  }
  return cluster;
}

// "ADDRESS NAME WEIGHT" of each.
std::vector<std::string> Texts(const EndpointSources& sources,
                               std::map<std::string, std::vector<std::string>> dns) {
  std::vector<Address> found;
  std::vector<std::string> texts;
  for (const Endpoint& endpoint :
       sources.List([&](std::string_view name) -> const std::vector<Address>& {
         found.clear();
         for (const std::string& ip : dns[std::string(name)]) {
           found.push_back(Address::ParseIp(ip).value());
         }
         return found;
       })) {
    EXPECT_EQ(endpoint.text, endpoint.address.ToString());
    texts.push_back(StrCat({endpoint.text, " ", endpoint.hostname, " ", Decimal(endpoint.weight)}));
  }
  return texts;
}

TEST(EndpointSources, TakesAddressesAsTheyAre) {
  const auto sources = EndpointSources::Create(
      ClusterOf({{"127.0.0.1:9001", 1}, {"[::1]:80", 3}, {"unix:/run/api.sock", 2}}));
  ASSERT_TRUE(sources);
  EXPECT_THAT(sources->names(), IsEmpty());
  EXPECT_THAT(Texts(*sources, {}),
              ElementsAre("127.0.0.1:9001  1", "[::1]:80  3", "unix:/run/api.sock  2"));
}

TEST(EndpointSources, MixesNamesAndAddressesInTheirOrder) {
  const auto sources = EndpointSources::Create(
      ClusterOf({{"A.test:80", 2}, {"10.0.0.1:80", 1}, {"b.test:81", 5}, {"a.test:443", 1}}));
  ASSERT_TRUE(sources);
  EXPECT_THAT(sources->names(), ElementsAre("a.test", "b.test"));
  EXPECT_THAT(Texts(*sources, {}), ElementsAre("10.0.0.1:80  1"));
  EXPECT_THAT(
      Texts(*sources, {{"a.test", {"10.0.1.1", "2001:db8::1"}}, {"b.test", {"10.0.2.1"}}}),
      ElementsAre("10.0.1.1:80 a.test 2", "[2001:db8::1]:80 a.test 2", "10.0.0.1:80  1",
                  "10.0.2.1:81 b.test 5", "10.0.1.1:443 a.test 1", "[2001:db8::1]:443 a.test 1"));
}

TEST(EndpointSources, OneAddressOfSeveralLinesHasTheSumOfTheirWeights) {
  const auto sources = EndpointSources::Create(ClusterOf(
      {{"10.0.0.1:80", 1}, {"a.test:80", 2}, {"b.test:80", 4}, {"10.0.0.1:80", UINT32_MAX}}));
  ASSERT_TRUE(sources);
  EXPECT_THAT(
      Texts(*sources, {{"a.test", {"10.0.0.9"}}, {"b.test", {"10.0.0.9", "10.0.0.8"}}}),
      ElementsAre("10.0.0.1:80  4294967295", "10.0.0.9:80 a.test 6", "10.0.0.8:80 b.test 4"));
}

TEST(EndpointSources, SaysWhichEndpointIsNone) {
  for (const char* bad : {"nowhere", "127.0.0.1", "::1:80", "unix:", "a.test:99999", ":80", "",
                          "127.0.0.1:0", "a.test:0", "[127.0.0.1]:80"}) {
    const auto sources = EndpointSources::Create(ClusterOf({{"10.0.0.1:80", 1}, {bad, 1}}));
    ASSERT_FALSE(sources) << bad;
    EXPECT_EQ(sources.error().code, Code::kInvalidArgument);
    EXPECT_THAT(sources.error().detail, HasSubstr("cluster api: endpoint " + std::string(bad)));
  }
}

TEST(EndpointSources, TellsListsApart) {
  const auto list = [](const std::vector<std::pair<std::string, uint32_t>>& endpoints) {
    static const std::vector<Address> kNone;
    return EndpointSources::Create(ClusterOf(endpoints))
        ->List([](std::string_view) -> const std::vector<Address>& { return kNone; });
  };
  const auto two = list({{"10.0.0.1:80", 1}, {"10.0.0.2:80", 1}});
  EXPECT_TRUE(SameEndpoints(two, two));
  EXPECT_FALSE(SameEndpoints(two, list({{"10.0.0.1:80", 1}})));
  EXPECT_FALSE(SameEndpoints(two, list({{"10.0.0.1:80", 1}, {"10.0.0.2:81", 1}})));
  EXPECT_FALSE(SameEndpoints(two, list({{"10.0.0.1:80", 1}, {"10.0.0.2:80", 2}})));
  auto named = two;
  named[0].hostname = "a.test";
  EXPECT_FALSE(SameEndpoints(two, named));
}

}  // namespace
}  // namespace sluice
