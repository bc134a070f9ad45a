#include "core/server/generation.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/config/loader.h"
#include "core/config/snapshot.h"
#include "core/server/config_faults.h"
#include "core/server/registered_filters.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

LoadResult Load(std::string_view yaml) {
  return LoadConfigText(
      yaml, ConfigFormat::kYaml, "test.yaml",
      [](const std::string&) { return std::optional<std::string>(); }, RegisteredFilters());
}

class GenerationTest : public testing::Test {
 protected:
  Result<std::unique_ptr<Generation>> Build(std::string_view yaml) {
    LoadResult loaded = Load(yaml);
    if (!loaded) return Fail(Code::kInvalidArgument, loaded.error()[0].Text());
    return Generation::Build(std::make_shared<const Snapshot>(std::move(*loaded), 1), clusters_,
                             context_);
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create(StatsOptions{}).value();
  StatsDirectory directory_{*segment_};
  BreakerBoard breakers_{*loop_, directory_};
  Clusters clusters_{*loop_, directory_, breakers_, [](const Cluster&) {}};
  ServerStatus status_;
  LoadContext context_{directory_, clock_, status_, "", 1, {}, true};
};

constexpr std::string_view kConfig = R"(
admin: { listen: 'unix:/tmp/admin.sock' }
listeners:
  - name: web
    listen: { address: 'unix:/tmp/web.sock', mode: '0600', owner: '12', group: '34' }
    limits: { connections: 7 }
    filters: [{ headers: { request: { remove: [a] } } }]
    routes: [{ match: { prefix: / }, cluster: two }]
  - name: api
    listen: 127.0.0.1:0
    routes: [{ match: { prefix: / }, respond: { status: 204 } }]
clusters:
  - { name: one, endpoints: [127.0.0.1:9001] }
  - { name: two, endpoints: [127.0.0.1:9002, 127.0.0.1:9003] }
)";

TEST_F(GenerationTest, IsWhatTheConfigurationSays) {
  auto generation = Build(kConfig);
  ASSERT_TRUE(generation) << generation.error().detail;
  ASSERT_EQ((*generation)->listeners().size(), 2U);
  const Generation::Listener& web = (*generation)->listeners()[0];
  EXPECT_EQ(web.settings->name, "web");
  EXPECT_EQ(web.settings->filters.size(), 1U);
  EXPECT_EQ(web.place.address.ToString(), "unix:/tmp/web.sock");
  EXPECT_EQ(web.place.options.mode, 0600U);
  EXPECT_EQ(web.place.options.owner, 12U);
  EXPECT_EQ(web.place.options.group, 34U);
  EXPECT_EQ(web.settings->connections, 7U);
  ASSERT_EQ((*generation)->clusters().size(), 2U);
  EXPECT_EQ((*generation)->clusters()[1]->settings().name, "two");
  EXPECT_TRUE((*generation)->warm());
  ASSERT_EQ((*generation)->admin().size(), 1U);
  EXPECT_EQ((*generation)->admin()[0].address.ToString(), "unix:/tmp/admin.sock");
  EXPECT_EQ((*generation)->admin()[0].options.mode, 0600U);
  EXPECT_EQ((*generation)->snapshot()->version(), 1U);
}

TEST_F(GenerationTest, AWorkerHasARuntimeOfEachListener) {
  auto generation = Build(kConfig);
  ASSERT_TRUE(generation) << generation.error().detail;
  ProxyWorker worker(*loop_, directory_.main_row(), status_, 0);
  std::vector<std::unique_ptr<WorkerCluster>> owned;
  std::vector<WorkerCluster*> clusters;
  for (const Cluster* cluster : (*generation)->clusters()) {
    owned.push_back(std::make_unique<WorkerCluster>(*loop_, worker.random, worker.stats,
                                                    cluster->settings(), cluster->endpoints()));
    clusters.push_back(owned.back().get());
  }
  WorkerGeneration runtimes(**generation, worker, clusters);
  EXPECT_EQ(runtimes.scope().FindCluster("two"), clusters[1]);
  EXPECT_EQ(&runtimes.runtime(0).settings, (*generation)->listeners()[0].settings.get());
  EXPECT_EQ(&runtimes.runtime(1).settings, (*generation)->listeners()[1].settings.get());
  EXPECT_EQ(&runtimes.runtime(0).worker, &worker);
  EXPECT_NE(runtimes.runtime(0).last_filter, nullptr);
}

TEST_F(GenerationTest, ANameStillToBeResolvedIsNotWarm) {
  auto generation = Build(R"(
listeners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: { prefix: / }, cluster: a }] }]
clusters: [{ name: a, endpoints: [api.example:80], dns: { servers: [127.0.0.1:1] } }]
)");
  ASSERT_TRUE(generation) << generation.error().detail;
  EXPECT_FALSE((*generation)->warm());
}

TEST_F(GenerationTest, AnOwnerThatIsNotThereIsNamedWithItsListener) {
  auto generation = Build(R"(
listeners:
  - name: web
    listen: { address: 'unix:/tmp/web.sock', owner: nobody-of-this-name }
    routes: [{ match: { prefix: / }, respond: { status: 204 } }]
)");
  ASSERT_FALSE(generation);
  EXPECT_THAT(generation.error().detail, HasSubstr("listener \"web\": listen: "));
  EXPECT_THAT(generation.error().detail, HasSubstr("nobody-of-this-name"));
}

TEST(RegisteredFiltersTest, KnowsTheFiltersOfTheBinary) {
  const RegisteredFilters filters;
  EXPECT_THAT(filters.Names(), ::testing::IsSupersetOf({"buffer", "cors", "headers"}));
  EXPECT_NE(filters.Prototype("cors"), nullptr);
  EXPECT_EQ(filters.Prototype("corse"), nullptr);
}

TEST(RegisteredFiltersTest, FaultsOfFiltersHaveTheirPlaces) {
  LoadResult loaded = Load(R"(listeners:
  - name: web
    listen: 127.0.0.1:0
    filters:
      - headers: {}
      - buffer: { max_size: 1KiB }
    hosts:
      - domains: [a.example]
        routes:
          - match: { prefix: / }
            respond: { status: 204 }
            filters: { headers: {}, buffer: off }
)");
  ASSERT_TRUE(loaded) << loaded.error()[0].Text();
  const std::vector<ConfigError> errors = FindConfigFaults(*loaded);
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_THAT(errors[0].Text(), HasSubstr("test.yaml:5:18: listeners[0].filters[0].headers: "));
  EXPECT_THAT(errors[1].Text(),
              HasSubstr("test.yaml:12:33: listeners[0].hosts[0].routes[0].filters.headers: "));
}

}  // namespace
}  // namespace sluice
