#include "core/upstream/health/health_log.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "core/stats/directory.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

using testing::HasSubstr;
using testing::Not;

class HealthLogTest : public testing::Test {
 protected:
  // What is written of a change.
  std::string Change(bool healthy, std::string_view endpoint = "10.0.0.1:80") {
    return Check(healthy, true, endpoint);
  }
  std::string Check(bool healthy, bool changed, std::string_view endpoint = "10.0.0.1:80") {
    testing::internal::CaptureStderr();
    log_({.endpoint = endpoint,
          .success = healthy,
          .reason = "no answer",
          .in_a_row = 3,
          .healthy = healthy,
          .changed = changed,
          .at = now_});
    return testing::internal::GetCapturedStderr();
  }

  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create({}).value();
  StatsDirectory directory_{*segment_};
  HealthStats stats_ = StatsScope(directory_, {}).Group<HealthStats>().Bind(directory_.main_row());
  HealthSubscriber log_ = HealthLog("api", stats_);
  Nanos now_ = 1000 * kSecond;
};

TEST_F(HealthLogTest, SaysWhoAndWhy) {
  EXPECT_THAT(Change(false),
              HasSubstr("clusters.api 10.0.0.1:80 is unhealthy: no answer (3 in a row)\n"));
  EXPECT_THAT(Change(true), HasSubstr("clusters.api 10.0.0.1:80 is healthy (3 in a row)\n"));
}

TEST_F(HealthLogTest, OneThatFlapsDoesNotFillTheLog) {
  int lines = 0;
  for (int i = 0; i < 100; ++i, now_ += 500 * kMillisecond) {
    const std::string written = Change(i % 2 == 1);
    if (written.empty()) continue;
    ++lines;
    EXPECT_EQ(written.find("no more is written of it for a minute") != std::string::npos,
              lines == static_cast<int>(HealthLog::kMostLines));
  }
  EXPECT_EQ(lines, static_cast<int>(HealthLog::kMostLines));
  EXPECT_EQ(stats_.to_healthy.value(), 50u) << "all are counted";
  EXPECT_THAT(Change(false, "10.0.0.2:80"), Not("")) << "the others have lines of their own";

  now_ += HealthLog::kWindow;
  EXPECT_THAT(Change(false), HasSubstr("; it changed 80 times since the last line\n"));
  EXPECT_THAT(Change(true), Not(HasSubstr(";")));
}

// What it ends with may have been left out, and no change follows that could tell.
TEST_F(HealthLogTest, HowItIsInTheEndIsToldOnceTheMinuteIsOver) {
  const Nanos begin = now_;
  for (int i = 0; i < 22; ++i, now_ += kSecond) Change(i % 2 == 0);
  Change(true);  // the log says that it is unhealthy
  now_ = begin + HealthLog::kWindow - 1;
  EXPECT_EQ(Check(true, false), "");
  now_ = begin + HealthLog::kWindow;
  EXPECT_EQ(Check(true, false, "10.0.0.2:80"), "") << "of another";
  EXPECT_THAT(Check(true, false), HasSubstr("clusters.api 10.0.0.1:80 is healthy; it changed 3 "
                                            "times since the last line\n"));
  EXPECT_EQ(Check(true, false), "") << "once";
  now_ += 10 * HealthLog::kWindow;
  EXPECT_EQ(Check(true, false), "");
}

TEST_F(HealthLogTest, OneThatChangesNowAndThenIsAlwaysTold) {
  for (int i = 0; i < 100; ++i, now_ += 20 * kSecond) {
    EXPECT_THAT(Change(i % 2 == 1), Not(HasSubstr(";"))) << i;
  }
}

}  // namespace
}  // namespace sluice
