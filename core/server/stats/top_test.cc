// What `sluice top` shows, from a segment, with the time injected.
#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <string>

#include "core/proxy/listener_stats.h"
#include "core/server/stats/top_format.h"
#include "core/server/stats/top_frame.h"
#include "core/server/stats/top_model.h"
#include "core/server/stats/top_sample.h"
#include "core/server/worker_stats.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"
#include "core/upstream/cluster_stats.h"
#include "core/upstream/endpoint.h"

namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST(TopFormatTest, NumbersAreShort) {
  EXPECT_EQ(ShortNumber(0), "0");
  EXPECT_EQ(ShortNumber(4.24), "4.2");
  EXPECT_EQ(ShortNumber(9.96), "10");
  EXPECT_EQ(ShortNumber(999), "999");
  EXPECT_EQ(ShortNumber(999.7), "1.00k");
  EXPECT_EQ(ShortNumber(12'345), "12.3k");
  EXPECT_EQ(ShortNumber(999'700), "1.00M");
  EXPECT_EQ(ShortNumber(4.5e9), "4.50G");
  EXPECT_EQ(ShortNumber(-1500), "-1.50k");
  EXPECT_EQ(ShortTime(870), "870us");
  EXPECT_EQ(ShortTime(999.6), "1.00ms");
  EXPECT_EQ(ShortTime(12'340), "12.3ms");
  EXPECT_EQ(ShortTime(2.5e6), "2.50s");
  EXPECT_EQ(ShortTime(900e6), "15m");
  EXPECT_EQ(ShortShare(0), "0%");
  EXPECT_EQ(ShortShare(0.0012), "0.12%");
  EXPECT_EQ(ShortShare(0.125), "12.5%");
  EXPECT_EQ(ShortShare(1), "100%");
  EXPECT_EQ(ShortAge(59), "59s");
  EXPECT_EQ(ShortAge(720), "12m");
  EXPECT_EQ(ShortAge(3 * 3600 + 300), "3h5m");
  EXPECT_EQ(ShortAge(12 * 86400 + 4 * 3600), "12d4h");
  EXPECT_EQ(Printable("a\x1b[31m\xc3\xa9"), "a?[31m??");
}

class TopTest : public testing::Test {
 protected:
  template <typename T>
  T Group(const LabelList& labels, uint32_t worker = 0) {
    return StatsScope(directory_, labels).Group<T>().Bind(segment_->worker_row(worker));
  }
  TopSample Sample(Nanos at, bool live = true) {
    TopSample sample =
        TakeTopSample(live ? StatsReader(*segment_)
                           : StatsReader(segment_->header(), StatsLimits(), kStatsDefaultSize, 0),
                      {{4711, 1000, live}}, at);
    sample.ready = live;
    return sample;
  }
  static const TopLine& Line(const TopModel& model, TopTable table, std::string_view name) {
    for (const TopLine& line : model.tables[static_cast<size_t>(table)]) {
      if (line.name == name) return line;
    }
    ADD_FAILURE() << "no line " << name;
    static const TopLine none;
    return none;
  }

  static StatsOptions Options() {
    StatsOptions options;
    options.workers = 2;
    return options;
  }
  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create(Options()).value();
  StatsDirectory directory_{*segment_};
};

TEST_F(TopTest, RatesAreThoseOfTheTimeBetweenTwoSamples) {
  auto web = Group<ListenerStats>({{"listener", "web"}});
  auto web2 = Group<ListenerStats>({{"listener", "web"}}, 1);
  auto admin = Group<ListenerStats>({{"listener", "admin"}});
  auto app = Group<ClusterStats>({{"cluster", "app"}});
  auto endpoint = Group<EndpointStats>({{"cluster", "app"}, {"endpoint", "127.0.0.1:1"}});
  auto worker = Group<WorkerStats>({{"worker", "0"}});
  web.requests.Inc(1000);
  web.responses[5].Inc(1000);
  web.request_duration.Record(5'000'000);
  const TopSample before = Sample(10 * kSecond);

  web.requests.Inc(150);
  web2.requests.Inc(50);
  web.responses[2].Inc(90);
  web2.responses[5].Inc(10);
  web.responses[0].Inc(100);  // clients that left are no errors of ours
  web.bytes_sent.Inc(4000);
  web.connections_active.Set(3);
  web2.connections_active.Set(4);
  for (int i = 0; i < 99; ++i) web.request_duration.Record(40);
  web2.request_duration.Record(60);
  admin.requests.Inc(7);
  app.requests.Inc(20);
  app.responses[0].Inc(5);  // none came
  app.responses[2].Inc(15);
  endpoint.requests.Inc(20);
  endpoint.failures.Inc(5);
  worker.cpu.Inc(500'000);
  worker.loop_lag.Record(50);
  worker.longest_turn.Record(30);
  const TopSample now = Sample(12 * kSecond);

  const TopModel model = CompareTopSamples(&before, now);
  EXPECT_FALSE(model.totals);
  EXPECT_TRUE(model.live);
  const TopLine& line = Line(model, TopTable::kListeners, "web");
  EXPECT_DOUBLE_EQ(line.requests, 100);
  EXPECT_DOUBLE_EQ(line.errors.value(), 0.05);
  EXPECT_DOUBLE_EQ(line.sent, 2000);
  EXPECT_EQ(line.connections, 7);
  EXPECT_DOUBLE_EQ(line.latency.value().p50, 40);
  EXPECT_DOUBLE_EQ(line.latency.value().p90, 40);
  EXPECT_DOUBLE_EQ(line.latency.value().p99, 40);
  EXPECT_DOUBLE_EQ(Line(model, TopTable::kListeners, "admin").requests, 3.5);
  EXPECT_DOUBLE_EQ(model.all.requests, 100);  // without the admin API's
  EXPECT_DOUBLE_EQ(Line(model, TopTable::kClusters, "app").errors.value(), 0.25);
  EXPECT_DOUBLE_EQ(Line(model, TopTable::kEndpoints, "app 127.0.0.1:1").errors.value(), 0.25);
  EXPECT_DOUBLE_EQ(Line(model, TopTable::kWorkers, "worker 0").cpu.value(), 0.25);
  EXPECT_DOUBLE_EQ(model.worker.cpu.value(), 0.25);
  EXPECT_DOUBLE_EQ(model.worker.latency.value().p99, 50);
  EXPECT_DOUBLE_EQ(model.worker.turns.value().p99, 30);

  const TopModel totals = CompareTopSamples(nullptr, now);
  EXPECT_TRUE(totals.totals);
  EXPECT_DOUBLE_EQ(Line(totals, TopTable::kListeners, "web").requests, 1200);
  EXPECT_FALSE(Line(totals, TopTable::kWorkers, "worker 0").cpu.has_value());
}

// Another segment, or no time in between.
TEST_F(TopTest, NothingRunsBackwards) {
  auto web = Group<ListenerStats>({{"listener", "web"}});
  web.requests.Inc(10);
  TopSample before = Sample(10 * kSecond);
  const TopSample now = Sample(11 * kSecond);
  before.tables[0]["web"].requests = 500;
  EXPECT_DOUBLE_EQ(CompareTopSamples(&before, now).all.requests, 10);
  before.at = now.at;
  EXPECT_TRUE(CompareTopSamples(&before, now).totals);
}

TEST_F(TopTest, ErrorsOfScriptsAreShownOnceThereAreSome) {
  TopSample before = Sample(kSecond);
  directory_.main_row()
      .counter(directory_.Counter({"sluice_"
                                   "lua_script_errors_total",
                                   "Errors."}))
      .Inc(6);
  EXPECT_DOUBLE_EQ(CompareTopSamples(&before, Sample(3 * kSecond)).lua_errors, 3);
}

class TopFrameTest : public TopTest {
 protected:
  TopFrameTest() {
    view_.name = "edge";
    view_.wall = 4600;
    for (int i = 0; i < 30; ++i) {
      const std::string name = "cluster-" + std::to_string(i);
      auto cluster = Group<ClusterStats>({{"cluster", name}});
      cluster.requests.Inc(static_cast<uint64_t>(i));
      cluster.responses[2].Inc(static_cast<uint64_t>(i));
    }
    auto web = Group<ListenerStats>({{"listener", "web"}});
    web.requests.Inc(12'345);
    web.responses[2].Inc(12'345);
    web.request_duration.Record(40);
    Group<WorkerStats>({{"worker", "0"}});
    model_ = CompareTopSamples(nullptr, Sample(kSecond));
  }

  std::vector<std::string> Render() {
    std::vector<std::string> lines;
    for (const TopText& line : RenderTop(model_, view_)) {
      EXPECT_LE(line.text.size(), view_.width);
      EXPECT_TRUE(std::all_of(line.text.begin(), line.text.end(), [](char c) {
        return c >= ' ' && c <= '~';
      })) << line.text;
      lines.push_back(line.text);
    }
    EXPECT_LE(lines.size(), view_.height);
    return lines;
  }
  void Press(std::string_view keys) {
    for (const char key : keys) EXPECT_TRUE(HandleTopKey(TopKey::kCharacter, key, view_));
  }

  TopModel model_;
  TopView view_;
};

TEST_F(TopFrameTest, FitsAnOrdinaryTerminal) {
  const auto lines = Render();
  ASSERT_EQ(lines.size(), 24u);
  EXPECT_EQ(lines[0], "sluice edge: live, pid 4711 for 1h0m");
  EXPECT_EQ(lines[1], "reqs 12.3k  err 0%  p50 40us  p90 40us  p99 40us  conns 0  active 0");
  EXPECT_THAT(lines[2], StartsWith("workers 1  cpu -  lag p99 -  in B 0  out B 0  lua errors 0"));
  EXPECT_EQ(lines[3],
            "LISTENER              REQS     ERR     P50     P90     P99  CONNS ACTIVE    IN B");
  EXPECT_EQ(lines[4],
            "web                  12.3k      0%    40us    40us    40us      0      0       0");
  EXPECT_THAT(lines[5], StartsWith("CLUSTER 15/30"));
  EXPECT_THAT(lines[6], StartsWith("cluster-29"));  // the busiest first
  EXPECT_THAT(lines[21], StartsWith("WORKER"));
  EXPECT_THAT(lines[22], StartsWith("worker 0"));
  EXPECT_THAT(lines[23], StartsWith("q quit"));
}

TEST_F(TopFrameTest, FitsEverySize) {
  for (size_t width = 1; width < 200; width += 3) {
    for (size_t height = 1; height < 60; ++height) {
      view_.width = width;
      view_.height = height;
      view_.table = height % 2 == 0 ? std::nullopt : std::optional<TopTable>(TopTable::kClusters);
      Render();
    }
  }
  view_.width = 120;
  view_.height = 60;
  view_.table.reset();
  EXPECT_THAT(Render()[3], HasSubstr("OUT B"));  // there is room for more columns
  view_.width = 40;
  EXPECT_THAT(Render()[3], AllOf(HasSubstr("ERR"), Not(HasSubstr("P99"))));
}

TEST_F(TopFrameTest, KeysChooseTableAndOrder) {
  Press("c");
  EXPECT_THAT(Render()[3], StartsWith("CLUSTER 1-19/30"));
  EXPECT_THAT(Render()[4], StartsWith("cluster-29"));
  EXPECT_THAT(Render()[23], HasSubstr("sort: requests"));
  Press("r");
  EXPECT_THAT(Render()[4], StartsWith("cluster-0 "));
  Press("r1");  // by name, as they are
  EXPECT_THAT(Render()[4], StartsWith("cluster-0 "));
  EXPECT_THAT(Render()[5], StartsWith("cluster-1 "));
  EXPECT_THAT(Render()[6], StartsWith("cluster-10 "));
  HandleTopKey(TopKey::kDown, 0, view_);
  EXPECT_THAT(Render()[4], StartsWith("cluster-1 "));
  for (int i = 0; i < 9; ++i) HandleTopKey(TopKey::kPageDown, 0, view_);
  EXPECT_THAT(Render()[3], StartsWith("CLUSTER 12-30/30"));
  EXPECT_EQ(view_.scroll, 11u);
  Press("\t");
  EXPECT_THAT(Render()[3], StartsWith("ENDPOINT"));
  Press("\t\t");
  EXPECT_THAT(Render()[3], StartsWith("LISTENER"));
  Press("w");
  EXPECT_THAT(Render()[3], StartsWith("WORKER"));
  Press("l");
  EXPECT_THAT(Render()[3], StartsWith("LISTENER"));
  Press("sssss");
  EXPECT_EQ(view_.sort, TopSort::kName);
  Press("tx");
  EXPECT_TRUE(view_.totals);
  EXPECT_FALSE(HandleTopKey(TopKey::kCharacter, 'q', view_));
}

TEST_F(TopFrameTest, SortsByEachColumn) {
  auto slow = Group<ClusterStats>({{"cluster", "slow"}});
  slow.request_duration.Record(9'000'000);
  auto bad = Group<ClusterStats>({{"cluster", "bad"}});
  bad.responses[5].Inc();
  auto many = Group<ClusterStats>({{"cluster", "many"}});
  many.connections_active.Set(99);
  model_ = CompareTopSamples(nullptr, Sample(kSecond));
  Press("c3");
  EXPECT_THAT(Render()[4], StartsWith("bad "));
  Press("4");
  EXPECT_THAT(Render()[4], StartsWith("slow "));
  Press("5");
  EXPECT_THAT(Render()[4], StartsWith("many "));
}

TEST_F(TopFrameTest, SaysThatNobodyIsThere) {
  model_ = CompareTopSamples(nullptr, Sample(kSecond, false));
  const auto lines = Render();
  EXPECT_EQ(lines[0], "sluice edge: no process: numbers as they were left");
  EXPECT_THAT(lines[1], StartsWith("reqs 12.3k"));
  EXPECT_THAT(lines[1], HasSubstr("conns -"));
}

TEST_F(TopFrameTest, ShowsBothProcessesOfARestart) {
  model_.processes = {{20, 4500, true}, {10, 1000, true}};
  EXPECT_EQ(Render()[0], "sluice edge: live, pid 20 for 1m, pid 10 for 1h0m");
}

TEST_F(TopFrameTest, NamesCannotCommandTheTerminal) {
  Group<ListenerStats>({{"listener", "\x1b]0;x\x07"}});
  model_ = CompareTopSamples(nullptr, Sample(kSecond));
  Press("l");
  Render();
}

}  // namespace
}  // namespace sluice
