#include "core/server/loop_lag.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "core/server/worker_stats.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"

namespace sluice {
namespace {

TEST(LoopLag, IsTheWorstWorkers) {
  StatsOptions options;
  options.workers = 2;
  Result<std::unique_ptr<StatsSegment>> segment = StatsSegment::Create(options);
  ASSERT_TRUE(segment);
  StatsDirectory directory(**segment);
  EXPECT_EQ(LoopLagP99(StatsReader(**segment)), 0);
  WorkerStats quick =
      StatsScope(directory, {{"worker", "0"}}).Group<WorkerStats>().Bind((*segment)->worker_row(0));
  WorkerStats slow =
      StatsScope(directory, {{"worker", "1"}}).Group<WorkerStats>().Bind((*segment)->worker_row(1));
  for (int i = 0; i < 100; ++i) quick.loop_lag.Record(500);
  EXPECT_NEAR(LoopLagP99(StatsReader(**segment)), 0.0005, 0.00001);
  // Two late ones in a hundred.
  for (int i = 0; i < 98; ++i) slow.loop_lag.Record(500);
  for (int i = 0; i < 2; ++i) slow.loop_lag.Record(80'000);
  EXPECT_NEAR(LoopLagP99(StatsReader(**segment)), 0.08, 0.0016);
}

}  // namespace
}  // namespace sluice
