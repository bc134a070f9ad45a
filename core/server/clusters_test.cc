#include "core/server/clusters.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/config/cluster.pb.h"
#include "core/event/loop.h"
#include "core/stats/directory.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"
#include "core/upstream/breaker/breaker_board.h"
#include "core/upstream/health/health_checker.h"
#include "tests/support/driver.h"
#include "tests/support/scripted_upstream.h"

namespace sluice {
namespace {

class ClustersTest : public testing::Test {
 protected:
  // Checked with this Host; empty: not at all.
  Cluster* Get(const std::string& host) {
    config::Cluster config;
    config.set_name("api");
    config.add_endpoints()->set_address(upstream_.text());
    if (!host.empty()) {
      config.mutable_health()->set_host(host);
      config.mutable_health()->set_protocol(config::Health::HTTP);
    }
    return *clusters_.Get(config);
  }
  // The checks that come while a minute passes, by the Host that they ask for.
  std::string Checks() {
    const size_t before = upstream_.connection_count();
    for (int i = 0; i < 12; ++i) {
      clock_.Advance(5 * kSecond);
      driver_.RunRounds(20);
    }
    std::string hosts;
    for (size_t i = before; i < upstream_.connection_count(); ++i) {
      for (const test::HttpText& request : upstream_.connection(i).requests()) {
        const std::string host(request.Header("host").value_or(""));
        if (hosts.find(host) == std::string::npos) hosts += host;
      }
    }
    return hosts;
  }
  bool usable(const Cluster* cluster) { return cluster->endpoints()->endpoints[0].usable(); }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create({}).value();
  StatsDirectory directory_{*segment_};
  test::Driver driver_{loop_.get()};
  test::ScriptedUpstream upstream_{driver_};
  std::vector<const Cluster*> changed_;
  BreakerBoard breakers_{*loop_, directory_};
  Clusters clusters_{*loop_, directory_, breakers_,
                     [this](const Cluster& cluster) { changed_.push_back(&cluster); }};
};

// While requests of the one before go on, there is more than one cluster of the name.
TEST_F(ClustersTest, OfSeveralConfigurationsTheNewestOnesEndpointsAreShown) {
  const StatsReader reader(*segment_);
  const auto shown = [&](std::string_view name) {
    const auto id = reader.Find(name, {{"cluster", "api"}});
    return id ? reader.gauge(*id) : -1;
  };
  Cluster* const a = Get("");
  clusters_.Start({a});
  EXPECT_EQ(shown("sluice_upstream_endpoints"), 1);
  Cluster* const b = Get("b");
  EXPECT_EQ(shown("sluice_upstream_endpoints"), 1) << "it was only tried";
  clusters_.Start({b});
  EXPECT_EQ(shown("sluice_upstream_endpoints"), 1);
  EXPECT_EQ(shown("sluice_upstream_endpoints_usable"), 0) << "not checked yet";
  EXPECT_TRUE(clusters_.SetDrained("api", upstream_.text(), true));
  EXPECT_EQ(shown("sluice_upstream_endpoints_drained"), 1);
  clusters_.Start({a});
  EXPECT_EQ(shown("sluice_upstream_endpoints_drained"), 1);
  clusters_.Sweep([&](const Cluster& cluster) { return &cluster == a; });
  EXPECT_EQ(shown("sluice_upstream_endpoints"), 1);
  clusters_.Sweep([](const Cluster&) { return false; });
  EXPECT_EQ(shown("sluice_upstream_endpoints"), 0);
}

// Each endpoint is checked once, whatever the number of configurations that have it.
TEST_F(ClustersTest, OfSeveralConfigurationsOnlyTheNewestChecks) {
  upstream_.Others() =
      test::Script().AwaitRequest().Send("HTTP/1.1 204 No\r\nConnection: close\r\n\r\n").Close();
  Cluster* const a = Get("a");
  clusters_.Start({a});
  EXPECT_EQ(Checks(), "a");
  EXPECT_EQ(changed_, (std::vector<const Cluster*>{a}));
  EXPECT_FALSE(usable(a));

  Cluster* const b = Get("b");
  EXPECT_NE(a, b);
  EXPECT_EQ(Checks(), "a") << "it was only tried";
  clusters_.Start({b});
  EXPECT_EQ(Checks(), "b");
  EXPECT_FALSE(usable(a));
  EXPECT_FALSE(usable(b));

  Cluster* const none = Get("");
  clusters_.Start({none});
  EXPECT_EQ(Checks(), "");
  EXPECT_TRUE(usable(none));

  // Back to the first, which is still there.
  EXPECT_EQ(Get("a"), a);
  clusters_.Start({a});
  EXPECT_EQ(Checks(), "a");
  clusters_.Sweep([&](const Cluster& cluster) { return &cluster == a; });
  EXPECT_EQ(Checks(), "a");
  clusters_.Sweep([](const Cluster&) { return false; });
  EXPECT_EQ(Checks(), "");
}

}  // namespace
}  // namespace sluice
