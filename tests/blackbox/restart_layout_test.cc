// An upgrade to a version that has another layout of the stats segment, and back: the restart goes
// on, no request is lost, and counters begin anew.
#include <gmock/gmock.h>
#include <signal.h>

#include <memory>
#include <string>

#include "core/base/strings.h"
#include "core/stats/layout.h"
#include "tests/support/counting_load.h"
#include "tests/support/listener_line.h"
#include "tests/support/process.h"
#include "tests/support/stats_watch.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kThis = SLUICE_BINARY;
constexpr const char* kOther = SLUICE_BUILD_DIR "/sluice_other_layout";

constexpr uint32_t kVersion = kStatsLayoutVersion;

std::string Differs(uint32_t found, uint32_t expected) {
  return StrCat({"layout version ", Decimal(found), ", expected ", Decimal(expected)});
}

class RestartLayoutTest : public testing::Test {
 protected:
  std::unique_ptr<Process> Run(const char* binary) {
    auto process =
        std::make_unique<Process>(driver_, binary, std::vector<std::string>{"run", "-c", file_});
    process->WaitForErr("server: ready: ");
    return process;
  }
  uint64_t Counted() {
    return ReadCounter(stats_, "sluice_downstream_requests_total", "listener=\"web\"");
  }

  Driver driver_;
  TempFolder folder_;
  const std::string stats_ = folder_.Path("stats");
  const std::string file_ = folder_.Write(
      "sluice.yaml",
      "workers: 2\ndrain_timeout: 4s\nstats: " + stats_ +
          "\nlisteners:\n  - name: web\n    listen: 127.0.0.1:0\n"
          "    routes: [{ match: { prefix: / }, respond: { status: 200, body: ok } }]\n");
};

TEST_F(RestartLayoutTest, ThereAndBackLosesNoRequest) {
  auto process = Run(kThis);
  const Address web = ListenerIn(process->err(), "web");
  CountingLoad load({web, web, {}});
  ASSERT_TRUE(driver_.RunUntil([&] { return load.fresh() > 0 && load.kept() > 0; }, "the load"));

  for (const char* const binary : {kOther, kThis, kOther, kThis}) {
    auto next = Run(binary);
    EXPECT_TRUE(next->WaitForErr(binary == kOther ? Differs(kVersion, kVersion + 1)
                                                  : Differs(kVersion + 1, kVersion)));
    EXPECT_TRUE(next->WaitForErr("set aside as " + stats_ + ".old, counters start from zero"));
    EXPECT_EQ(process->WaitForExit(), 0) << process->err();
    const uint64_t before = load.fresh() + load.kept();
    ASSERT_TRUE(driver_.RunUntil([&] { return load.fresh() + load.kept() > before + 10; },
                                 "more of the load"));
    if (binary == kThis) {
      EXPECT_GT(Counted(), 0U);
      EXPECT_LT(Counted(), before);
    }
    process = std::move(next);
  }
  load.Stop();
  EXPECT_EQ(load.failures(), "");
  process->Signal(SIGTERM);
  EXPECT_EQ(process->WaitForExit(), 0);
}

// The same layout again: they count on.
TEST_F(RestartLayoutTest, WithTheSameLayoutCountersGoOn) {
  auto process = Run(kThis);
  const Address web = ListenerIn(process->err(), "web");
  CountingLoad load({web, web, {}});
  ASSERT_TRUE(driver_.RunUntil([&] { return load.fresh() > 0 && load.kept() > 0; }, "the load"));
  auto next = Run(kThis);
  EXPECT_EQ(process->WaitForExit(), 0) << process->err();
  load.Stop();
  EXPECT_EQ(load.failures(), "");
  EXPECT_EQ(Counted(), load.fresh() + load.kept());
}

}  // namespace
}  // namespace sluice::test
