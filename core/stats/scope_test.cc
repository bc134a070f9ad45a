#include "core/stats/scope.h"

#include <gtest/gtest.h>

#include "core/stats/directory.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

struct ClusterStats {
  Counter requests[2];
  Gauge active;
  Histogram duration;

  void Describe(MetricTable& table) {
    static constexpr const char* kClasses[] = {"2xx", "5xx"};
    for (int i = 0; i < 2; ++i) {
      table.Add(requests[i], {"requests_total", "Requests."}, {{"code_class", kClasses[i]}});
    }
    table.Add(active, {"active", "Requests in flight."});
    table.Add(duration, {"duration_seconds", "Time.", MetricUnit::kMicroseconds});
  }
};

TEST(StatsScope, OneTableMakesTheHandlesOfEveryRowAndLabel) {
  const auto segment = StatsSegment::Create({.workers = 2}).value();
  StatsDirectory directory(*segment);
  const StatsScope scope(directory, {{"listener", "web"}});
  const StatsGroup<ClusterStats> api = scope.With({{"cluster", "api"}}).Group<ClusterStats>();
  const StatsGroup<ClusterStats> idp = scope.With({{"cluster", "idp"}}).Group<ClusterStats>();

  ClusterStats first = api.Bind(segment->worker_row(0));
  ClusterStats second = api.Bind(segment->worker_row(1));
  ClusterStats other = idp.Bind(segment->worker_row(0));
  first.requests[0].Inc();
  second.requests[0].Inc(2);
  second.requests[1].Inc(4);
  first.active.Add(8);
  second.duration.Record(16);
  other.requests[1].Inc(32);

  const StatsReader reader(*segment);
  const auto requests = [&reader](const char* cluster, const char* code_class) {
    return reader.counter(
        reader
            .Find("requests_total",
                  {{"listener", "web"}, {"cluster", cluster}, {"code_class", code_class}})
            .value());
  };
  EXPECT_EQ(requests("api", "2xx"), 3u);
  EXPECT_EQ(requests("api", "5xx"), 4u);
  EXPECT_EQ(requests("idp", "2xx"), 0u);
  EXPECT_EQ(requests("idp", "5xx"), 32u);
  const LabelList labels = {{"listener", "web"}, {"cluster", "api"}};
  EXPECT_EQ(reader.gauge(reader.Find("active", labels).value()), 8);
  HistogramSnapshot snapshot;
  reader.histogram(reader.Find("duration_seconds", labels).value(), snapshot);
  EXPECT_EQ(snapshot.sum(), 16u);
}

TEST(StatsScope, AGroupMadeAgainIsTheSame) {
  const auto segment = StatsSegment::Create({}).value();
  StatsDirectory directory(*segment);
  const StatsScope scope(directory, {{"cluster", "api"}});
  scope.Group<ClusterStats>().Bind(segment->main_row()).requests[0].Inc();
  const uint32_t count = StatsReader(*segment).series_count();
  ClusterStats again = scope.Group<ClusterStats>().Bind(segment->main_row());
  EXPECT_EQ(again.requests[0].value(), 1u);
  EXPECT_EQ(StatsReader(*segment).series_count(), count);
}

TEST(StatsScope, AGroupOfAFullDirectoryStillBinds) {
  const auto segment = StatsSegment::Create({.limits = StatsLimits{.max_series = 4}}).value();
  StatsDirectory directory(*segment, [](std::string_view) {});
  ClusterStats stats = StatsScope(directory).Group<ClusterStats>().Bind(segment->worker_row(0));
  stats.requests[0].Inc();
  stats.requests[1].Inc(5);
  stats.active.Add();
  stats.duration.Record(1);
  const StatsReader reader(*segment);
  EXPECT_EQ(reader.counter(reader.Find("requests_total", {{"code_class", "2xx"}}).value()), 1u);
}

}  // namespace
}  // namespace sluice
