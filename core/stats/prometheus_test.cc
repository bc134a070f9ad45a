#include "core/stats/prometheus.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "core/stats/directory.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

class PrometheusTest : public testing::Test {
 protected:
  // Registered so that families and labels are not in the order of the output.
  void SetUp() override {
    const StatsRow first = segment_->worker_row(0);
    const StatsRow second = segment_->worker_row(1);
    const Metric requests = {"requests_total", "Requests \"sent\",\nall \\ of them."};
    const SeriesId ok =
        directory_.Counter(requests, {{"code_class", "2xx"}, {"cluster", "a\"b\\c\nd"}});
    first.counter(ok).Inc(3);
    second.counter(ok).Inc(4);
    const SeriesId level = directory_.Gauge({"level", "A level."});
    first.gauge(level).Sub(5);
    const SeriesId busy =
        directory_.Counter({"busy_seconds_total", "Busy.", MetricUnit::kMicroseconds});
    first.counter(busy).Inc(1'500'000);
    const SeriesId failed = directory_.Counter(requests, {{"cluster", "z"}});
    first.counter(failed).Inc(1);
    directory_.Counter(requests, {{"cluster", "never"}});
    const SeriesId duration = directory_.Histogram(
        {"duration_seconds", "Time.", MetricUnit::kMicroseconds}, {{"cluster", "api"}});
    for (const unsigned microseconds : {40u, 500u, 501u, 999u, 9'000u, 2'000'000u, 90'000'000u}) {
      first.histogram(duration).Record(microseconds);
    }
    second.histogram(duration).Record(40);
  }

  std::string Render(PrometheusOptions options = {}) const {
    return RenderPrometheus(StatsReader(*segment_), std::move(options));
  }

  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create({.workers = 2}).value();
  StatsDirectory directory_{*segment_};
};

// An upgrade changed the unit: both families are used while both processes live.
TEST_F(PrometheusTest, OfFamiliesOfOneNameTheLatestIsWritten) {
  StatsDirectory next(*segment_);
  segment_->main_row()
      .gauge(next.Gauge({"level", "Anew.", MetricUnit::kMicroseconds}))
      .Set(7'000'000);
  PrometheusOptions options;
  options.names = {"level"};
  EXPECT_EQ(Render(options), "# HELP level Anew.\n# TYPE level gauge\nlevel 7\n");
}

TEST_F(PrometheusTest, OnlyTheSeriesThatAreWanted) {
  PrometheusOptions options;
  options.wanted = [](std::string_view name, std::string_view labels) {
    return name == "requests_total" && labels == "cluster=\"z\"";
  };
  const std::string text = Render(options);
  EXPECT_EQ(text.substr(text.rfind("# ")),
            "# TYPE requests_total counter\nrequests_total{cluster=\"z\"} 1\n");
}

TEST_F(PrometheusTest, Text) {
  EXPECT_EQ(Render(), R"(# HELP busy_seconds_total Busy.
# TYPE busy_seconds_total counter
busy_seconds_total 1.5
# HELP duration_seconds Time.
# TYPE duration_seconds histogram
duration_seconds_bucket{cluster="api",le="0.0005"} 4
duration_seconds_bucket{cluster="api",le="0.001"} 5
duration_seconds_bucket{cluster="api",le="0.0025"} 5
duration_seconds_bucket{cluster="api",le="0.005"} 5
duration_seconds_bucket{cluster="api",le="0.01"} 6
duration_seconds_bucket{cluster="api",le="0.025"} 6
duration_seconds_bucket{cluster="api",le="0.05"} 6
duration_seconds_bucket{cluster="api",le="0.1"} 6
duration_seconds_bucket{cluster="api",le="0.25"} 6
duration_seconds_bucket{cluster="api",le="0.5"} 6
duration_seconds_bucket{cluster="api",le="1"} 6
duration_seconds_bucket{cluster="api",le="2.5"} 7
duration_seconds_bucket{cluster="api",le="5"} 7
duration_seconds_bucket{cluster="api",le="10"} 7
duration_seconds_bucket{cluster="api",le="30"} 7
duration_seconds_bucket{cluster="api",le="60"} 7
duration_seconds_bucket{cluster="api",le="+Inf"} 8
duration_seconds_sum{cluster="api"} 92.01108
duration_seconds_count{cluster="api"} 8
# HELP level A level.
# TYPE level gauge
level -5
# HELP requests_total Requests "sent",\nall \\ of them.
# TYPE requests_total counter
requests_total{cluster="a\"b\\c\nd",code_class="2xx"} 7
requests_total{cluster="z"} 1
requests_total{cluster="never"} 0
# HELP sluice_stats_dropped_registrations_total Times that a series did not fit into the stats directory, of all processes ever.
# TYPE sluice_stats_dropped_registrations_total counter
sluice_stats_dropped_registrations_total 0
# HELP sluice_stats_dropped_series Series of the process that count nowhere, since the stats directory has no room.
# TYPE sluice_stats_dropped_series gauge
sluice_stats_dropped_series 0
# HELP sluice_stats_page_failures_total Times that shared memory had no page for what was to be counted.
# TYPE sluice_stats_page_failures_total counter
sluice_stats_page_failures_total 0
)");
}

TEST_F(PrometheusTest, OpenMetrics) {
  PrometheusOptions options;
  options.format = PrometheusFormat::kOpenMetrics;
  options.names = {"busy_seconds_total", "duration_seconds", "level", "requests"};
  EXPECT_EQ(Render(options), R"(# HELP busy_seconds Busy.
# TYPE busy_seconds counter
# UNIT busy_seconds seconds
busy_seconds_total 1.5
# HELP duration_seconds Time.
# TYPE duration_seconds histogram
# UNIT duration_seconds seconds
duration_seconds_bucket{cluster="api",le="0.0005"} 4
duration_seconds_bucket{cluster="api",le="0.001"} 5
duration_seconds_bucket{cluster="api",le="0.0025"} 5
duration_seconds_bucket{cluster="api",le="0.005"} 5
duration_seconds_bucket{cluster="api",le="0.01"} 6
duration_seconds_bucket{cluster="api",le="0.025"} 6
duration_seconds_bucket{cluster="api",le="0.05"} 6
duration_seconds_bucket{cluster="api",le="0.1"} 6
duration_seconds_bucket{cluster="api",le="0.25"} 6
duration_seconds_bucket{cluster="api",le="0.5"} 6
duration_seconds_bucket{cluster="api",le="1.0"} 6
duration_seconds_bucket{cluster="api",le="2.5"} 7
duration_seconds_bucket{cluster="api",le="5.0"} 7
duration_seconds_bucket{cluster="api",le="10.0"} 7
duration_seconds_bucket{cluster="api",le="30.0"} 7
duration_seconds_bucket{cluster="api",le="60.0"} 7
duration_seconds_bucket{cluster="api",le="+Inf"} 8
duration_seconds_sum{cluster="api"} 92.01108
duration_seconds_count{cluster="api"} 8
# HELP level A level.
# TYPE level gauge
level -5
# HELP requests Requests \"sent\",\nall \\ of them.
# TYPE requests counter
requests_total{cluster="a\"b\\c\nd",code_class="2xx"} 7
requests_total{cluster="z"} 1
requests_total{cluster="never"} 0
# EOF
)");
}

TEST_F(PrometheusTest, NamesChooseFamilies) {
  PrometheusOptions options;
  options.names = {"level", "no_such_family"};
  EXPECT_EQ(Render(options), "# HELP level A level.\n# TYPE level gauge\nlevel -5\n");
  options.names = {"no_such_family"};
  EXPECT_EQ(Render(options), "");
  options.format = PrometheusFormat::kOpenMetrics;
  EXPECT_EQ(Render(options), "# EOF\n");
}

TEST_F(PrometheusTest, UnusedSeriesAreHiddenWhenAsked) {
  directory_.Histogram({"idle_bytes", ""});
  PrometheusOptions options;
  options.hide_unused = true;
  const std::string text = Render(options);
  EXPECT_EQ(text.find("never"), std::string::npos);
  EXPECT_EQ(text.find("idle_bytes"), std::string::npos);
  EXPECT_EQ(text.find("sluice_stats_dropped_registrations"), std::string::npos);
  EXPECT_NE(text.find("requests_total{cluster=\"z\"} 1\n"), std::string::npos);
  EXPECT_NE(Render().find("idle_bytes_count 0\n"), std::string::npos);
}

TEST_F(PrometheusTest, SlicesMakeTheSameText) {
  for (const auto format : {PrometheusFormat::kText, PrometheusFormat::kOpenMetrics}) {
    PrometheusOptions options;
    options.format = format;
    PrometheusRenderer renderer(StatsReader(*segment_), options);
    std::string text;
    int slices = 1;
    while (renderer.RenderSome(2, text)) ++slices;
    EXPECT_EQ(slices, 6);  // one that groups, then 9 series
    EXPECT_EQ(text, Render(options));
    EXPECT_FALSE(renderer.RenderSome(2, text)) << "the end stays the end";
    EXPECT_EQ(text, Render(options));
  }
}

TEST_F(PrometheusTest, WhatIsRegisteredMeanwhileWaits) {
  PrometheusRenderer renderer(StatsReader(*segment_), {});
  directory_.Counter({"later_total", ""});
  std::string text;
  while (renderer.RenderSome(100, text)) {
  }
  EXPECT_EQ(text.find("later_total"), std::string::npos);
  EXPECT_NE(Render().find("later_total 0\n"), std::string::npos);
}

TEST_F(PrometheusTest, BytesAndPlainNumbersHaveBucketsOfTheirOwn) {
  const SeriesId bytes = directory_.Histogram({"body_bytes", "", MetricUnit::kBytes});
  const SeriesId plain = directory_.Histogram({"attempts", ""});
  segment_->main_row().histogram(bytes).Record(1000);
  segment_->main_row().histogram(plain).Record(2);
  const std::string text = Render();
  EXPECT_NE(text.find("body_bytes_bucket{le=\"256\"} 0\nbody_bytes_bucket{le=\"1024\"} 1\n"),
            std::string::npos);
  EXPECT_NE(text.find("body_bytes_sum 1000\n"), std::string::npos);
  EXPECT_NE(text.find("attempts_bucket{le=\"1\"} 0\nattempts_bucket{le=\"2\"} 1\n"),
            std::string::npos);
}

TEST(PrometheusFormat, IsChosenByAccept) {
  EXPECT_EQ(PrometheusFormatFor(""), PrometheusFormat::kText);
  EXPECT_EQ(PrometheusFormatFor("*/*"), PrometheusFormat::kText);
  EXPECT_EQ(PrometheusFormatFor("application/openmetrics-text;version=1.0.0;q=0.5,text/plain"),
            PrometheusFormat::kOpenMetrics);
  EXPECT_EQ(PrometheusContentType(PrometheusFormat::kText),
            "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(PrometheusContentType(PrometheusFormat::kOpenMetrics),
            "application/openmetrics-text; version=1.0.0; charset=utf-8");
}

}  // namespace
}  // namespace sluice
