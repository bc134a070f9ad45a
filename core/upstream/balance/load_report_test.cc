#include "core/upstream/balance/load_report.h"

#include <gtest/gtest.h>

#include <string>

#include "core/upstream/balance/test_group.h"

namespace sluice {
namespace {

TEST(LoadReport, ReadsJson) {
  const auto report = ParseLoadReport(
      R"(JSON {"cpu_utilization": 0.3, "mem_utilization": 0.8, "rps_fractional": 120.5, "eps": 2,)"
      R"( "named_metrics": {"cpu_utilization": 9, "deep": [1, {"x": "}\"{"}]}, "note": "a,b=c"})");
  ASSERT_TRUE(report);
  EXPECT_DOUBLE_EQ(report->cpu_utilization, 0.3);
  EXPECT_DOUBLE_EQ(report->rps, 120.5);
  EXPECT_DOUBLE_EQ(report->eps, 2);
  EXPECT_DOUBLE_EQ(report->utilization(), 0.3);
}

TEST(LoadReport, ReadsText) {
  const auto report = ParseLoadReport(
      "TEXT cpu_utilization=0.3, rps_fractional=10,mem_utilization=0.9, named_metrics.x=-5,");
  ASSERT_TRUE(report);
  EXPECT_DOUBLE_EQ(report->cpu_utilization, 0.3);
  EXPECT_DOUBLE_EQ(report->rps, 10);
}

TEST(LoadReport, TheWordInFrontMayBeMissing) {
  EXPECT_DOUBLE_EQ(ParseLoadReport("cpu=0.25,rps=4")->rps, 4);
  EXPECT_DOUBLE_EQ(ParseLoadReport(R"( {"cpu":0.25} )")->cpu_utilization, 0.25);
}

TEST(LoadReport, TheApplicationsOwnMeasureCounts) {
  EXPECT_DOUBLE_EQ(ParseLoadReport("cpu=0.25,application_utilization=0.7")->utilization(), 0.7);
  EXPECT_DOUBLE_EQ(ParseLoadReport("cpu=0.25,application_utilization=0")->utilization(), 0.25);
}

TEST(LoadReport, RefusesWhatIsNone) {
  for (const char* text :
       {"JSON", "JSON ", "JSON {", "JSON {}x", R"({"cpu" 1})", R"({"cpu": })", R"({"cpu": 1,})",
        R"({"cpu": -1})", R"({"cpu": 1e999})", R"({"cpu: 1})", R"({"a": [1, 2})", R"({"a\"})",
        "cpu", "cpu=", "cpu=x", "cpu=-0.5", "TEXT cpu=inf", "cpu=0.1 rps=2", "BIN AAAA"}) {
    EXPECT_FALSE(ParseLoadReport(text)) << text;
  }
  std::string deep = "{\"a\":";
  for (int i = 0; i < 100'000; ++i) deep += "[";
  EXPECT_FALSE(ParseLoadReport(deep));
}

TEST(LoadReport, EmptyOnesSayNothing) {
  for (const char* text : {"", "TEXT ", "JSON {}", "{}", "mem=0.5"}) {
    const auto report = ParseLoadReport(text);
    ASSERT_TRUE(report) << text;
    EXPECT_EQ(report->utilization(), 0);
  }
}

class ReportedLoadTest : public testing::Test {
 protected:
  void Add(double rps, double utilization, double eps = 0) {
    LoadReport report;
    report.rps = rps;
    report.cpu_utilization = utilization;
    report.eps = eps;
    load_.Add(report, now_, settings_);
  }
  double weight() const { return load_.WeightAt(now_, settings_); }

  UtilizationSettings settings_;
  Nanos now_ = 100 * kSecond;
  ReportedLoad load_;
};

TEST_F(ReportedLoadTest, IsTheRateAtFullUse) {
  Add(100, 0.5);
  now_ += 10 * kSecond;
  EXPECT_DOUBLE_EQ(weight(), 200);
  Add(100, 0.5, 50);  // half of them fail: as if it were fully used
  EXPECT_DOUBLE_EQ(weight(), 100);
  settings_.error_penalty = 0;
  Add(100, 0.5, 50);
  EXPECT_DOUBLE_EQ(weight(), 200);
}

TEST_F(ReportedLoadTest, IsNotBelievedBeforeTheBlackoutIsOver) {
  Add(100, 0.5);
  now_ += 10 * kSecond - 1;
  EXPECT_EQ(weight(), 0);
  now_ += 1;
  EXPECT_DOUBLE_EQ(weight(), 200);
}

TEST_F(ReportedLoadTest, ExpiresAndBeginsAnew) {
  Add(100, 0.5);
  now_ += 180 * kSecond - 1;
  EXPECT_DOUBLE_EQ(weight(), 200);
  now_ += 1;
  EXPECT_EQ(weight(), 0);
  Add(100, 0.5);
  EXPECT_EQ(weight(), 0) << "another blackout";
  now_ += 10 * kSecond;
  EXPECT_DOUBLE_EQ(weight(), 200);
}

TEST_F(ReportedLoadTest, PassesOverWhatSaysNothing) {
  Add(100, 0.5);
  now_ += 10 * kSecond;
  Add(0, 0.5);
  Add(100, 0);
  EXPECT_DOUBLE_EQ(weight(), 200);
}

TEST_F(ReportedLoadTest, ExtremesStayWithinReason) {
  settings_.blackout = 0;
  Add(1e300, 1e-300);
  EXPECT_DOUBLE_EQ(weight(), 1e12);
  Add(1e-300, 1e300, 1e300);
  EXPECT_DOUBLE_EQ(weight(), 1e-9);
  settings_.error_penalty = 0;
  Add(1e-300, 1, 1e300);
  EXPECT_DOUBLE_EQ(weight(), 1e-9);
}

class UtilizationTest : public testing::Test {
 protected:
  void Report(size_t place, double rps, double utilization) {
    LoadReport report;
    report.rps = rps;
    report.cpu_utilization = utilization;
    group_.load(place).reported.Add(report, worker_.now, worker_.settings.utilization);
  }
  std::vector<size_t> Counts() { return CountOf(worker_.PickMany(7000), group_.size()); }

  TestBalancer worker_{BalancePolicy::kUtilization, 1};
  TestGroup group_ = TestGroup({{0, 1}, {1, 1}, {2, 5}});
};

TEST_F(UtilizationTest, WithoutReportsTheConfigsWeightsHold) {
  worker_.Update(group_);
  EXPECT_EQ(Counts(), (std::vector<size_t>{1000, 1000, 5000}));
  Report(0, 100, 0.1);
  worker_.now += 20 * kSecond;
  EXPECT_EQ(Counts(), (std::vector<size_t>{1000, 1000, 5000})) << "one alone says nothing";
}

TEST_F(UtilizationTest, FollowsTheReportsAndGivesOthersTheMean) {
  worker_.Update(group_);
  Report(0, 100, 0.2);  // 500
  Report(1, 100, 0.1);  // 1000
  worker_.now += 11 * kSecond;
  const std::vector<size_t> counts = Counts();  // 500 : 1000 : 750
  EXPECT_NEAR(static_cast<double>(counts[0]), 7000 * 500 / 2250.0, 10);
  EXPECT_NEAR(static_cast<double>(counts[1]), 7000 * 1000 / 2250.0, 10);
  EXPECT_NEAR(static_cast<double>(counts[2]), 7000 * 750 / 2250.0, 10);
}

TEST_F(UtilizationTest, LooksAtNewReportsOnceASecond) {
  worker_.Update(group_);
  for (size_t i = 0; i < 3; ++i) Report(i, 100, 0.5);
  worker_.now += 11 * kSecond;
  Counts();
  Report(2, 100, 0.25);
  worker_.now += kSecond - 1;
  EXPECT_NEAR(static_cast<double>(Counts()[2]), 7000 / 3.0, 2);
  worker_.now += 1;
  EXPECT_NEAR(static_cast<double>(Counts()[2]), 3500, 10);
}

}  // namespace
}  // namespace sluice
