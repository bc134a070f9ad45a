#include "core/server/admin/breakers_page.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/event/loop.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

class BreakersPageTest : public testing::Test {
 protected:
  BreakersPageTest() {
    AddBreakersPage(table_, board_);
    settings_.min_calls = 2;
    settings_.jitter = 0;
    breaker_ = NewBreaker({"clusters.api", {{"cluster", "api"}}, BreakerScope::kCluster}, settings_,
                          directory_, &board_);
  }

  AdminReply Ask(AdminKind kind, std::string_view query) {
    return std::get<AdminReply>(table_.Find("/breakers", kind)->handler(AdminRequest(query)));
  }
  AdminReply Set(std::string_view query) { return Ask(AdminKind::kAction, query); }
  nlohmann::json Page() {
    loop_->RunOnce(0);
    return nlohmann::json::parse(Ask(AdminKind::kPage, "format=json").body);
  }
  nlohmann::json Row() { return Page()["breakers"][0]; }
  void FailTwice() {
    for (int i = 0; i < 2; ++i) {
      const auto admission = breaker_->TryEnter(loop_->now(), random_);
      breaker_->Leave(admission.token, {true, false}, loop_->now(), random_);
    }
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = std::move(*Loop::Create(clock_));
  std::unique_ptr<StatsSegment> segment_ = std::move(*StatsSegment::Create({}));
  StatsDirectory directory_{*segment_};
  BreakerBoard board_{*loop_, directory_};
  BreakerSettings settings_;
  std::unique_ptr<Breaker> breaker_;
  Random random_{1};
  AdminTable table_;
};

TEST_F(BreakersPageTest, WhatItDoesAndWhy) {
  EXPECT_EQ(Row()["state"], "closed");
  EXPECT_TRUE(Row()["reason"].is_null());
  FailTwice();
  const nlohmann::json page = Page();
  EXPECT_EQ(page["breakers"].size(), 1U);
  EXPECT_EQ(page["breakers"][0]["name"], "clusters.api");
  EXPECT_EQ(page["breakers"][0]["state"], "open");
  EXPECT_EQ(page["breakers"][0]["reason"], "failures");
  EXPECT_EQ(page["breakers"][0]["left"], "5s");
  EXPECT_EQ(page["breakers"][0]["calls"], 2);
  EXPECT_EQ(page["breakers"][0]["failed_percent"], 100);
  ASSERT_EQ(page["transitions"].size(), 1U);
  EXPECT_EQ(page["transitions"][0]["what"], "clusters.api is open for 5s: 100% of 2 calls failed");
}

TEST_F(BreakersPageTest, AnOperatorsWord) {
  EXPECT_EQ(Set("name=clusters.api&state=forced_open").body, "clusters.api is forced_open\n");
  EXPECT_EQ(Row()["state"], "forced_open");
  EXPECT_FALSE(breaker_->TryEnter(loop_->now(), random_).admitted);
  EXPECT_EQ(Set("name=clusters.api&state=disabled").status, 200);
  FailTwice();
  FailTwice();
  EXPECT_EQ(Row()["state"], "disabled");
  EXPECT_EQ(Set("name=clusters.api&state=auto").status, 200);
  EXPECT_EQ(Row()["state"], "closed");
  EXPECT_EQ(Page()["transitions"].size(), 3U);
}

TEST_F(BreakersPageTest, MetricsOnly) {
  EXPECT_EQ(Row()["metrics_only"], false);
  EXPECT_TRUE(Row()["would_refuse"].is_null());
  EXPECT_EQ(Set("name=clusters.api&state=metrics_only").body, "clusters.api is metrics_only\n");
  FailTwice();
  FailTwice();
  EXPECT_EQ(Row()["state"], "open");
  EXPECT_EQ(Row()["metrics_only"], true);
  EXPECT_EQ(Row()["would_refuse"], 2);
  EXPECT_EQ(Page()["transitions"][0]["what"],
            "clusters.api (metrics only) is open for 5s: 100% of 2 calls failed");
  EXPECT_EQ(Set("name=clusters.api&state=auto").status, 200);
  EXPECT_EQ(Row()["metrics_only"], false);
}

TEST_F(BreakersPageTest, AReasonThatIsOver) {
  FailTwice();
  clock_.Advance(5 * kSecond);
  loop_->RunOnce(0);
  for (int i = 0; i < 2; ++i) {
    const auto admission = breaker_->TryEnter(loop_->now(), random_);
    breaker_->Leave(admission.token, {}, loop_->now(), random_);
  }
  EXPECT_EQ(Row()["state"], "closed");
  EXPECT_EQ(Row()["reason"], "failures") << "of why only a share of the calls passes";
  clock_.Advance(10 * kSecond);
  EXPECT_TRUE(Row()["left"].is_null());
  EXPECT_TRUE(Row()["reason"].is_null());
  Set("name=clusters.api&state=forced_open");
  Set("name=clusters.api&state=auto");
  EXPECT_TRUE(Row()["reason"].is_null());
}

TEST_F(BreakersPageTest, WhatIsNoWord) {
  EXPECT_EQ(Set("name=clusters.api&state=auto&state=forced_open").status, 400);
  EXPECT_EQ(Set("name=clusters.api&name=clusters.b&state=auto").status, 400);
  EXPECT_EQ(Set("name=clusters.api&state=open").status, 400);
  EXPECT_EQ(Set("name=clusters.api").status, 400);
  EXPECT_EQ(Set("state=auto").status, 400);
  EXPECT_EQ(Set("name=clusters.other&state=auto").status, 404);
  EXPECT_EQ(Row()["state"], "closed");
}

TEST_F(BreakersPageTest, TwoOfANameAreOne) {
  const auto second = NewBreaker({"clusters.api", {{"cluster", "api"}}, BreakerScope::kCluster},
                                 settings_, directory_, &board_);
  EXPECT_EQ(Page()["breakers"].size(), 1U);
  FailTwice();
  EXPECT_EQ(second->state().mode, BreakerMode::kOpen);
  breaker_.reset();
  loop_->RunOnce(0);
  const SeriesId gauge = directory_.Gauge(
      {"sluice_upstream_breaker_state", "", MetricUnit::kNone, GaugeOf::kLatestProcess},
      {{"cluster", "api"}});
  EXPECT_EQ(directory_.main_row().gauge(gauge).value(), 2) << "that of the one that is left";
}

}  // namespace
}  // namespace sluice
